//! Where addresses are ordered: the options of a node, how much each takes, and which one a run
//! carries out (C58 to C68).

use super::call::Kind;
use super::config::NodeConfig;
use super::resource::{NicState, Status};
use crate::chance::SmallStream;
use crate::id::EniId;
use crate::ipam::BATCH;

/// One place for addresses: an interface, or a slot for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The interface; `None` = a slot.
    pub eni: Option<EniId>,
    pub kind: Kind,
    /// It may take addresses (C60).
    pub eligible: bool,
    /// Addresses that it is to take.
    pub addresses: u32,
    /// Prefixes that a new interface is planned to carry (C127).
    pub prefixes: u32,
    /// It had no room while there was demand.
    pub full: bool,
    /// Its vSwitch has no address, as far as is known.
    pub short: bool,
    /// Another error.
    pub failed: bool,
}

impl Place {
    fn new(eni: Option<EniId>, kind: Kind) -> Self {
        let eligible = eni.is_none();
        Self { eni, kind, eligible, addresses: 0, prefixes: 0, full: false, short: false, failed: false }
    }

    fn is_wanted(&self) -> bool {
        self.addresses > 0 || self.prefixes > 0
    }
}

/// The places of a node in upstream's order: new trunk slots, every interface, new secondary slots
/// (C58). Whether an existing interface is eligible is for the caller to find out.
pub(super) fn places(config: &NodeConfig, status: &Status, chance: &mut SmallStream) -> Vec<Place> {
    let total = config.flavor.total() as usize;
    // An interface whose traffic mode is not recorded takes a place, but none of its kind (C65).
    let known = |kind| status.nics.values().filter(|nic| nic.standard && nic.kind == kind).count();
    let missing = |wanted: u32, kind| (wanted as usize).saturating_sub(known(kind));
    let room = total.saturating_sub(status.nics.len());

    let mut places = vec![Place::new(None, Kind::Trunk); missing(config.flavor.trunk, Kind::Trunk).min(room)];
    places.extend(status.sorted(chance).into_iter().map(|id| Place::new(Some(id), status.nics[&id].kind)));
    let left = total.saturating_sub(places.len()).min(missing(config.flavor.secondary, Kind::Secondary));
    places.extend(std::iter::repeat_n(Place::new(None, Kind::Secondary), left));
    places
}

/// Whether an existing interface may take addresses, if its vSwitch has some (C60).
pub(super) fn is_candidate(status: &Status, eni: EniId) -> bool {
    let nic = &status.nics[&eni];
    nic.standard && matches!(nic.state, NicState::InUse | NicState::Attaching)
}

/// Spreads `demand` over the eligible places (C61 to C64). `pending` = addresses that the attach
/// task of an interface asked for; `None` = it has no task.
pub(super) fn spread(
    config: &NodeConfig,
    status: &Status,
    places: &mut [Place],
    demand: u32,
    pending: impl Fn(EniId) -> Option<u32>,
) {
    let mut left = demand;
    for place in places.iter_mut().filter(|place| place.eligible) {
        let Some(eni) = place.eni else {
            // A trunk interface is always wanted (C63).
            left = if place.kind == Kind::Trunk { left.max(1) } else { left };
            place.addresses = left.min(config.ips_per_eni).min(BATCH as u32);
            left -= place.addresses;
            continue;
        };
        let nic = &status.nics[&eni];
        if nic.state == NicState::Attaching {
            left = left.saturating_sub(pending(eni).unwrap_or(0));
        } else if left > 0 {
            let room = config.ips_per_eni.saturating_sub(nic.used());
            place.addresses = left.min(room).min(BATCH as u32);
            place.full = room == 0;
            left -= place.addresses;
        }
    }
}

/// The one place that a run serves (C66): the first that wants something, but no new interface
/// while another is being attached (C68).
pub(super) fn chosen(places: &[Place], is_attaching: bool) -> Option<usize> {
    places.iter().position(|place| place.is_wanted() && (place.eni.is_some() || !is_attaching))
}

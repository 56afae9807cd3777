//! Where addresses are ordered: the options of a node, how much each takes, and which one a run
//! carries out (C58 to C68).

use super::call::Kind;
use super::config::{Flavor, NodeConfig};
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
    /// IPv4 addresses that it is to take.
    pub addresses: u32,
    /// IPv6 addresses that it is to take.
    pub ipv6: u32,
    /// IPv4 prefixes that a new interface is planned to carry (C127).
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
        Self { eni, kind, eligible, addresses: 0, ipv6: 0, prefixes: 0, full: false, short: false, failed: false }
    }

    fn is_wanted(&self) -> bool {
        self.addresses > 0 || self.ipv6 > 0 || self.prefixes > 0
    }
}

/// The places of a node in upstream's order: new trunk slots, new HighPerformance slots, every
/// interface, new secondary slots (C58). Whether an existing interface is eligible is for the caller
/// to find out.
pub(super) fn places(config: &NodeConfig, status: &Status, chance: &mut SmallStream) -> Vec<Place> {
    let Flavor { trunk, high_performance, secondary } = config.flavor;
    let total = i64::from(config.flavor.total());
    // An interface whose traffic mode is not recorded takes a place, but none of its kind (C65).
    let known = |kind| status.nics.values().filter(|nic| nic.mode_known && nic.kind == kind).count() as i64;
    // Upstream does not stop at zero: a trunk too many makes room for an RDMA slot too many.
    let missing = |wanted: u32, kind| if wanted > 0 { i64::from(wanted) - known(kind) } else { 0 };
    let room = (total - status.nics.len() as i64).max(0);

    let trunks = missing(trunk, Kind::Trunk).min(room);
    let rdma = missing(high_performance, Kind::HighPerformance).min(room - trunks);
    let slots = |n: i64, kind| std::iter::repeat_n(Place::new(None, kind), usize::try_from(n).unwrap_or(0));
    let mut places: Vec<_> = slots(trunks, Kind::Trunk).chain(slots(rdma, Kind::HighPerformance)).collect();
    places.extend(status.sorted(chance).into_iter().map(|id| Place::new(Some(id), status.nics[&id].kind)));
    let left = (total - places.len() as i64).min(missing(secondary, Kind::Secondary));
    places.extend(slots(left, Kind::Secondary));
    places
}

/// Whether an existing interface may take addresses, if its vSwitch has some (C60).
pub(super) fn is_candidate(status: &Status, eni: EniId) -> bool {
    let nic = &status.nics[&eni];
    nic.mode_known && !nic.unschedulable && matches!(nic.state, NicState::InUse | NicState::Attaching)
}

/// Spreads `demand` over the eligible places of those kinds that are `wanted` (C61 to C64), in dual
/// stack for each family. `pending` = addresses of each family that the attach task of an interface
/// asked for; `None` = it has no task.
pub(super) fn spread(
    config: &NodeConfig,
    status: &Status,
    places: &mut [Place],
    demand: u32,
    wanted: impl Fn(Kind) -> bool,
    pending: impl Fn(EniId) -> Option<[u32; 2]>,
) {
    let (mut ipv4, mut ipv6) = (demand, if config.dual { demand } else { 0 });
    for place in places.iter_mut().filter(|place| place.eligible && wanted(place.kind)) {
        let Some(eni) = place.eni else {
            // A trunk interface is always wanted (C63).
            if place.kind == Kind::Trunk {
                (ipv4, ipv6) = (ipv4.max(1), if config.dual { ipv6.max(1) } else { 0 });
            }
            place.addresses = take(&mut ipv4, config.ips_per_eni);
            place.ipv6 = take(&mut ipv6, config.ips_per_eni);
            continue;
        };
        let nic = &status.nics[&eni];
        if nic.state == NicState::Attaching {
            let [pending4, pending6] = pending(eni).unwrap_or_default();
            (ipv4, ipv6) = (ipv4.saturating_sub(pending4), ipv6.saturating_sub(pending6));
            continue;
        }
        let room = |used| config.ips_per_eni.saturating_sub(used);
        let (room4, room6) = (room(nic.used()), room(nic.used_ipv6()));
        place.full = (ipv4 > 0 && room4 == 0) || (ipv6 > 0 && room6 == 0);
        place.addresses = take(&mut ipv4, room4);
        place.ipv6 = take(&mut ipv6, room6);
    }
}

/// What one call takes of what is left.
fn take(left: &mut u32, room: u32) -> u32 {
    let taken = (*left).min(room).min(BATCH as u32);
    *left -= taken;
    taken
}

/// The one place that a run serves (C66): the first that wants something, but no new interface
/// while another is being attached (C68).
pub(super) fn chosen(places: &[Place], is_attaching: bool) -> Option<usize> {
    places.iter().position(|place| place.is_wanted() && (place.eni.is_some() || !is_attaching))
}

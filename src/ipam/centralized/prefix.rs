//! Prefix mode: how many new interfaces, and which interfaces are topped up (C123 to C131).

use super::call::Kind;
use super::config::NodeConfig;
use super::placement::Place;
use super::resource::{Nic, NicState, Status};
use crate::id::EniId;
use crate::ipam::BATCH;

/// Plans new interfaces for what the existing ones have no room for (C127). `pending` = prefixes
/// that the attach task of an interface asked for; `None` = it has no task.
pub(super) fn plan(
    config: &NodeConfig,
    status: &Status,
    places: &mut [Place],
    wanted: u32,
    pending: impl Fn(EniId) -> Option<u32>,
) {
    let per_interface = most_of_new(config);
    if per_interface == 0 {
        return;
    }
    for place in places.iter_mut().filter(|place| place.eni.is_none() && place.kind == Kind::Trunk) {
        place.addresses = 1;
    }
    let (mut there, mut room) = (0, 0);
    for (&eni, nic) in status.nics.iter().filter(|(_, nic)| !nic.unschedulable) {
        match nic.state {
            NicState::InUse => {
                there += nic.valid_prefixes();
                room += free(config, nic);
            }
            NicState::Attaching => there += pending(eni).unwrap_or_else(|| nic.valid_prefixes()),
            NicState::Deleting | NicState::Detaching => {}
        }
    }
    let mut left = wanted.saturating_sub(there).saturating_sub(room);
    for place in places.iter_mut().filter(|place| place.eni.is_none()) {
        place.prefixes = left.min(per_interface);
        left -= place.prefixes;
    }
}

/// The most prefixes that a new interface comes with: it has a primary address too (C124), and a call asks for ten at most.
pub(super) fn most_of_new(config: &NodeConfig) -> u32 {
    config.ips_per_eni.saturating_sub(1).min(BATCH as u32)
}

/// Prefixes that the node lacks by its CR alone; tasks do not count here (C131).
pub(super) fn lacking(status: &Status, wanted: u32) -> u32 {
    let counts = |nic: &&Nic| matches!(nic.state, NicState::InUse | NicState::Attaching) && !nic.unschedulable;
    wanted.saturating_sub(status.nics.values().filter(counts).map(Nic::valid_prefixes).sum())
}

/// Places that an interface has left for prefixes (C124).
pub(super) fn free(config: &NodeConfig, nic: &Nic) -> u32 {
    config.ips_per_eni.saturating_sub(nic.used())
}

/// Whether an interface is to get an IPv6 prefix: in dual stack every one with an IPv4 prefix has
/// exactly one (C133).
pub(super) fn lacks_ipv6(config: &NodeConfig, nic: &Nic) -> bool {
    config.dual && nic.valid_prefixes() > 0 && nic.ipv6_prefixes.iter().all(|(_, valid)| !valid)
}

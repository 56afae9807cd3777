//! What a description of the cloud changes in the record of an interface that the CR knows
//! (C36, C37, C89).

use std::net::Ipv4Addr;

use super::call::{Interface, State};
use super::family::{Family, records};
use super::resource::{IpStatus, Nic, NicState, valid};
use crate::address::V6Addr;

/// A full sync: the record takes over what the cloud says (C36, C37). An interface that is being
/// attached, or not wanted any more, keeps its state.
pub(super) fn sync(nic: &mut Nic, found: &Interface) {
    sync_addresses::<Ipv4Addr>(nic, found);
    sync_addresses::<V6Addr>(nic, found);
    merge_prefixes(&mut nic.prefixes, &found.prefixes);
    merge_prefixes(&mut nic.ipv6_prefixes, &found.ipv6_prefixes);
    if !matches!(nic.state, NicState::Deleting | NicState::Attaching) {
        nic.state = NicState::of(found.state);
    }
}

/// The end of an attach task: the interface serves pods, even if something marked it Deleting
/// meanwhile (C89).
pub(super) fn attached(nic: &mut Nic, found: &Interface) {
    nic.state = NicState::InUse;
    nic.mode_known = true;
    merge_addresses::<Ipv4Addr>(nic, found);
    merge_addresses::<V6Addr>(nic, found);
    if !found.prefixes.is_empty() {
        nic.prefixes = valid(&found.prefixes);
    }
    if !found.ipv6_prefixes.is_empty() {
        nic.ipv6_prefixes = valid(&found.ipv6_prefixes);
    }
}

/// The end of a full sync: an RDMA interface on a node that does not manage such is somebody else's
/// (C39), and what was marked for deletion on it is not.
pub(super) fn judge_owner(nic: &mut Nic, found: &Interface, manages_erdma: bool) {
    nic.unschedulable = nic.is_high_performance() && !manages_erdma;
    if !nic.unschedulable {
        return;
    }
    if found.state != State::InUse {
        nic.state = NicState::of(found.state);
        return;
    }
    if nic.state == NicState::Deleting {
        nic.state = NicState::InUse;
    }
    for ip in nic.ips_mut().filter(|ip| ip.status == IpStatus::Deleting) {
        ip.status = IpStatus::Valid;
    }
}

/// A record without addresses of a family adopts none: upstream adds them to a map that it throws
/// away.
fn sync_addresses<A: Family>(nic: &mut Nic, found: &Interface) {
    if !A::on(nic).is_empty() {
        merge_addresses::<A>(nic, found);
    }
}

/// What the cloud has lost goes, unless it is primary or a pod's; what is new is Valid.
fn merge_addresses<A: Family>(nic: &mut Nic, found: &Interface) {
    let known = A::on_mut(nic);
    known.retain(|address, ip| {
        if A::shown(found).contains(address) || ip.primary {
            return true;
        }
        ip.status = IpStatus::Invalid;
        ip.pod.is_some()
    });
    for (address, ip) in records(found) {
        known.get_or_insert(address, ip);
    }
}

/// What the cloud has lost is Invalid for good.
fn merge_prefixes<A: Copy + PartialEq>(prefixes: &mut Vec<(A, bool)>, shown: &[A]) {
    let known = |prefix| prefixes.iter().copied().find(|&(known, _)| known == prefix);
    let mut merged: Vec<_> = shown.iter().map(|&prefix| known(prefix).unwrap_or((prefix, true))).collect();
    let lost = prefixes.iter().filter(|(prefix, _)| !shown.contains(prefix));
    merged.extend(lost.map(|&(prefix, _)| (prefix, false)));
    *prefixes = merged;
}

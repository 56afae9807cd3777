//! What a description of the cloud changes in the record of an interface that the CR knows
//! (C36, C37, C89).

use super::call::Interface;
use super::resource::{IpStatus, Nic, NicState, addresses};

/// A full sync: the record takes over what the cloud says (C36, C37). An interface that is being
/// attached, or not wanted any more, keeps its state.
pub(super) fn sync(nic: &mut Nic, found: &Interface) {
    if !nic.addresses.is_empty() {
        merge_addresses(nic, found);
    }
    merge_prefixes(nic, found);
    if !matches!(nic.state, NicState::Deleting | NicState::Attaching) {
        nic.state = NicState::of(found.state);
    }
}

/// The end of an attach task: the interface serves pods, even if something marked it Deleting
/// meanwhile (C89).
pub(super) fn attached(nic: &mut Nic, found: &Interface) {
    nic.state = NicState::InUse;
    nic.standard = true;
    merge_addresses(nic, found);
    if !found.prefixes.is_empty() {
        nic.prefixes = found.prefixes.iter().map(|&prefix| (prefix, true)).collect();
    }
}

/// What the cloud has lost goes, unless it is primary or a pod's; what is new is Valid.
fn merge_addresses(nic: &mut Nic, found: &Interface) {
    nic.addresses.retain(|address, ip| {
        if found.addresses.contains(address) || ip.primary {
            return true;
        }
        ip.status = IpStatus::Invalid;
        ip.pod.is_some()
    });
    for (address, ip) in addresses(found) {
        nic.addresses.entry(address).or_insert(ip);
    }
}

/// What the cloud has lost is Invalid for good.
fn merge_prefixes(nic: &mut Nic, found: &Interface) {
    let known = |prefix| nic.prefixes.iter().copied().find(|&(known, _)| known == prefix);
    let mut merged: Vec<_> = found.prefixes.iter().map(|&prefix| known(prefix).unwrap_or((prefix, true))).collect();
    let lost = nic.prefixes.iter().filter(|(prefix, _)| !found.prefixes.contains(prefix));
    merged.extend(lost.map(|&(prefix, _)| (prefix, false)));
    nic.prefixes = merged;
}

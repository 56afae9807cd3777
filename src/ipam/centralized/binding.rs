//! Which pod has which address: release and binding (C40 to C48).

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::draft::Draft;
use super::go_map::GoMap;
use super::resource::{Binding, IpStatus, Nic, NicState, PodKey, Status};
use crate::chance::SmallStream;
use crate::id::{EniId, Uid};
use crate::time::Instant;

/// A pod of the node as a run sees it when it begins (C40).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListedPod {
    pub key: PodKey,
    pub uid: Uid,
    /// The address in its status.
    pub address: Option<Ipv4Addr>,
}

/// Frees the addresses of pods that are gone and whose CNI DEL is reported; a new pod of the same
/// name inherits (C42, C47). `pods` are sorted by key.
pub(super) fn release(status: &mut Draft, pods: &[ListedPod], deleted: &BTreeSet<Uid>) {
    if bindings(status).all(|binding| heir(binding, pods, deleted) == Some(binding)) {
        return;
    }
    for ip in status.nics.values_mut().flat_map(|nic| nic.addresses.values_mut()) {
        let Some(binding) = ip.pod else { continue };
        ip.pod = heir(binding, pods, deleted);
        if ip.pod.is_none() && ip.status == IpStatus::Invalid && !ip.primary {
            ip.status = IpStatus::Deleting;
        }
    }
}

/// Who has the address of a binding from now on: the pod of that name, whichever it is, or nobody
/// once CNI DEL is reported.
fn heir(binding: Binding, pods: &[ListedPod], deleted: &BTreeSet<Uid>) -> Option<Binding> {
    match pods.binary_search_by_key(&binding.pod, |pod| pod.key) {
        Ok(found) => Some(Binding { uid: pods[found].uid, ..binding }),
        Err(_) => Some(binding).filter(|binding| !deleted.contains(&binding.uid)),
    }
}

/// Binds idle addresses to pods without one, in the order of their names (C43), and says how many
/// are left waiting for a new address. A pod whose own address is lost is not among them (C45).
pub(super) fn bind(now: Instant, status: &mut Draft, pods: &[ListedPod], chance: &mut SmallStream) -> u32 {
    let mut served: Vec<_> = bindings(status).map(|binding| binding.pod).collect();
    served.sort_unstable();
    let waiting: Vec<_> = pods.iter().filter(|pod| served.binary_search(&pod.key).is_err()).collect();
    if waiting.is_empty() {
        return 0;
    }
    for pod in &waiting {
        take_over(status, pod);
    }
    let all = all_addresses(status, chance);
    let mut left = 0;
    for pod in waiting.into_iter().filter(|pod| pod.address.is_none()) {
        let idle = all.iterate(chance).find(|&(eni, address)| is_idle(&status.nics[&eni], address));
        let Some((eni, address)) = idle else {
            left += 1;
            continue;
        };
        let nic = status.nics.get_mut(&eni).expect("it was listed");
        nic.addresses.get_mut(&address).expect("it was listed").pod = Some(binding(pod));
        status.last_modified = Some(now);
    }
    left
}

/// Every binding of a node.
pub(super) fn bindings(status: &Status) -> impl Iterator<Item = Binding> {
    status.nics.values().flat_map(|nic| nic.addresses.values()).filter_map(|ip| ip.pod)
}

/// The bindings of `status` that `other` does not have at the same address of the same interface.
pub(super) fn bindings_beyond(status: &Status, other: &Status) -> impl Iterator<Item = (EniId, Ipv4Addr, Binding)> {
    status.nics.iter().flat_map(|(&eni, nic)| {
        let there = other.nics.get(&eni);
        let bound = nic.addresses.iter().filter_map(|(&address, ip)| Some((address, ip.pod?)));
        let new = bound.filter(move |(address, binding)| {
            there.and_then(|nic| nic.addresses.get(address)).is_none_or(|ip| ip.pod != Some(*binding))
        });
        new.map(move |(address, binding)| (eni, address, binding))
    })
}

/// A pod that has an address in its status takes exactly that one, whatever its state.
fn take_over(status: &mut Draft, pod: &ListedPod) {
    let Some(address) = pod.address else { return };
    let found = status.nics.values_mut().find_map(|nic| nic.addresses.get_mut(&address));
    if let Some(ip) = found.filter(|ip| ip.pod.is_none()) {
        ip.pod = Some(binding(pod));
    }
}

fn binding(pod: &ListedPod) -> Binding {
    Binding { pod: pod.key, uid: pod.uid }
}

/// The map of all addresses that upstream builds for each pass, interface by interface.
fn all_addresses(status: &Status, chance: &mut SmallStream) -> GoMap<(EniId, Ipv4Addr)> {
    let mut all = Vec::new();
    for eni in status.in_map_order(chance) {
        let addresses = GoMap::of(status.nics[&eni].addresses.keys().copied(), chance);
        all.extend(addresses.iterate(chance).map(|address| (eni, address)));
    }
    GoMap::of(all, chance)
}

/// Whether an address may be given to any pod.
fn is_idle(nic: &Nic, address: Ipv4Addr) -> bool {
    nic.state == NicState::InUse && nic.addresses[&address].is_idle()
}

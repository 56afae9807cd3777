//! What holds of every CR that the controller writes, whatever happens to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::EniId;
use crate::ipam::centralized::{Ip, Kind, PodKey, Status};

/// Asserts the laws of a CR: no pod has two addresses of a family; in dual stack it has one of each,
/// on one interface (C44); RDMA interfaces serve the pods of `rdma`, and nothing else does (C43).
pub(super) fn check(status: &Status, dual: bool, rdma: &BTreeSet<PodKey>) {
    let ipv4 = holders(status.nics.iter().flat_map(|(&eni, nic)| nic.addresses.values().map(move |ip| (eni, ip))));
    let ipv6 = holders(status.nics.iter().flat_map(|(&eni, nic)| nic.ipv6.values().map(move |ip| (eni, ip))));
    if dual {
        assert_eq!(ipv4, ipv6, "a pod has one address of each family, on one interface");
    } else {
        assert!(ipv6.is_empty(), "{ipv6:?} have IPv6 addresses");
    }
    for (pod, eni) in ipv4 {
        let is_rdma = status.nics[&eni].kind == Kind::HighPerformance;
        assert_eq!(is_rdma, rdma.contains(&pod), "{pod:?} is on an interface of the wrong kind");
    }
}

/// On which interface each pod has its address.
fn holders<'a>(ips: impl Iterator<Item = (EniId, &'a Ip)>) -> BTreeMap<PodKey, EniId> {
    let mut holders = BTreeMap::new();
    for (eni, ip) in ips {
        let Some(binding) = ip.pod else { continue };
        assert_eq!(holders.insert(binding.pod, eni), None, "{binding:?} is bound twice");
    }
    holders
}

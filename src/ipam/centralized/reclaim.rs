//! What is given back: victims of the pool's shrinking (C107 to C110). How many are given back is
//! [`to_delete`](crate::ipam::node_local::pool_sync::to_delete), which both allocators share.

use std::net::Ipv4Addr;

use super::call::Kind;
use super::family::Family;
use super::go_map::GoMap;
use super::resource::{IpStatus, Nic, NicState, Status};
use crate::address::V6Addr;
use crate::chance::SmallStream;

/// Marks idle addresses, or whole interfaces, for deletion: `to_delete` addresses, from the
/// interface with fewest addresses on (C107).
pub(super) fn mark(status: &mut Status, to_delete: u32, chance: &mut SmallStream) {
    let mut left = to_delete;
    for eni in status.sorted(chance).into_iter().rev() {
        if left == 0 {
            return;
        }
        let nic = status.nics.get_mut(&eni).expect("it was listed");
        left = left.saturating_sub(mark_on(nic, left, chance));
    }
}

/// Marks up to `to_delete` addresses of one interface, so many of each family that equally many idle
/// ones are left (C107); whole, if it is smaller than that (C108).
fn mark_on(nic: &mut Nic, to_delete: u32, chance: &mut SmallStream) -> u32 {
    if nic.unschedulable {
        return 0;
    }
    let unused = nic.ips().all(|ip| ip.pod.is_none());
    if unused && nic.size() < to_delete && nic.kind == Kind::Secondary && nic.mode_known {
        nic.state = NicState::Deleting;
        return nic.size();
    }
    let (ipv4, ipv6) = (Ipv4Addr::idle_on(nic), V6Addr::idle_on(nic));
    let left = i64::from(ipv4.max(ipv6)) - i64::from(to_delete);
    let ipv4 = mark_family::<Ipv4Addr>(nic, i64::from(ipv4) - left, chance);
    if nic.ipv6.is_empty() {
        return ipv4;
    }
    ipv4.max(mark_family::<V6Addr>(nic, i64::from(ipv6) - left, chance))
}

/// Marks up to `to_delete` addresses of a family.
fn mark_family<A: Family>(nic: &mut Nic, to_delete: i64, chance: &mut SmallStream) -> u32 {
    // Not only idle ones: an Invalid address without a pod would be marked, too.
    let addresses = GoMap::of(A::on(nic).len(), chance);
    let mut marked = 0;
    for place in addresses.iterate(chance) {
        let ip = A::on_mut(nic).at_mut(place);
        if i64::from(marked) < to_delete && ip.pod.is_none() && !ip.primary && ip.status != IpStatus::Deleting {
            ip.status = IpStatus::Deleting;
            marked += 1;
        }
    }
    marked
}

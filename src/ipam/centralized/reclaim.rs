//! What is given back: victims of the pool's shrinking (C107 to C110). How many are given back is
//! [`to_delete`](crate::ipam::node_local::pool_sync::to_delete), which both allocators share.

use super::call::Kind;
use super::go_map::GoMap;
use super::resource::{IpStatus, Nic, NicState, Status};
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

/// Marks up to `to_delete` addresses of one interface; whole, if it is smaller than that (C108).
fn mark_on(nic: &mut Nic, to_delete: u32, chance: &mut SmallStream) -> u32 {
    let size = nic.addresses.len() as u32;
    let unused = nic.addresses.values().all(|ip| ip.pod.is_none());
    if unused && size < to_delete && nic.kind == Kind::Secondary && nic.standard {
        nic.state = NicState::Deleting;
        return size;
    }
    // Not only idle ones: an Invalid address without a pod would be marked, too.
    let addresses = GoMap::of(nic.addresses.keys().copied(), chance);
    let mut marked = 0;
    for address in addresses.iterate(chance) {
        let ip = nic.addresses.get_mut(&address).expect("it was listed");
        if marked < to_delete && ip.pod.is_none() && !ip.primary && ip.status != IpStatus::Deleting {
            ip.status = IpStatus::Deleting;
            marked += 1;
        }
    }
    marked
}

//! What is given back: victims of the pool's shrinking (C107 to C110). How many are given back is
//! [`to_delete`](crate::ipam::node_local::pool_sync::to_delete), which both allocators share.

use std::net::Ipv4Addr;

use super::call::Kind;
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
    let markable = nic.addresses.iter().filter(|(_, ip)| {
        ip.pod.is_none() && !ip.primary && ip.status != IpStatus::Deleting
    });
    let victims = some_of(markable.map(|(&address, _)| address).collect(), to_delete as usize, chance);
    for address in &victims {
        nic.addresses.get_mut(address).expect("it was listed").status = IpStatus::Deleting;
    }
    victims.len() as u32
}

/// At most `n` of `all`, at random.
pub(super) fn some_of(mut all: Vec<Ipv4Addr>, n: usize, chance: &mut SmallStream) -> Vec<Ipv4Addr> {
    let n = n.min(all.len());
    for i in 0..n {
        let other = i + chance.below((all.len() - i) as u32) as usize;
        all.swap(i, other);
    }
    all.truncate(n);
    all
}

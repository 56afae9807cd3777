//! Address families: a node has IPv4, in dual stack IPv6 beside it, and most rules hold for either.

use std::net::Ipv4Addr;

use super::call::Interface;
use super::resource::{Ip, Nic};
use super::sorted_map::SortedMap;
use crate::address::V6Addr;

/// An address of one family, and where interfaces keep such addresses.
pub(super) trait Family: Copy + Ord + 'static {
    /// Whether the first address of an interface is its primary one.
    const HAS_PRIMARY: bool;

    /// What the CR knows.
    fn on(nic: &Nic) -> &SortedMap<Self, Ip>;

    /// What the CR knows.
    fn on_mut(nic: &mut Nic) -> &mut SortedMap<Self, Ip>;

    /// What the cloud shows.
    fn shown(found: &Interface) -> &[Self];

    /// Valid addresses without a pod.
    fn idle_on(nic: &Nic) -> u32 {
        Self::on(nic).values().filter(|ip| ip.is_idle()).count() as u32
    }
}

impl Family for Ipv4Addr {
    const HAS_PRIMARY: bool = true;

    fn on(nic: &Nic) -> &SortedMap<Self, Ip> {
        &nic.addresses
    }

    fn on_mut(nic: &mut Nic) -> &mut SortedMap<Self, Ip> {
        &mut nic.addresses
    }

    fn shown(found: &Interface) -> &[Self] {
        &found.addresses
    }
}

impl Family for V6Addr {
    const HAS_PRIMARY: bool = false;

    fn on(nic: &Nic) -> &SortedMap<Self, Ip> {
        &nic.ipv6
    }

    fn on_mut(nic: &mut Nic) -> &mut SortedMap<Self, Ip> {
        &mut nic.ipv6
    }

    fn shown(found: &Interface) -> &[Self] {
        &found.ipv6
    }
}

/// The addresses of a described interface as records.
pub(super) fn records<A: Family>(found: &Interface) -> impl Iterator<Item = (A, Ip)> + '_ {
    let shown = A::shown(found).iter().enumerate();
    shown.map(|(i, &address)| (address, Ip { primary: A::HAS_PRIMARY && i == 0, ..Ip::FREE }))
}

//! The specification's conformance cases for the pure decisions. Each test names the case, and
//! with it the upstream test that it was taken from (`pool_test.go` unless another file is named).

mod demand;
mod pods;
mod merging;
mod give_back;
mod conditions;
mod prefixes;
mod dual;
mod erdma;
mod spec;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::binding::{ListedPod, Unserved, bind, bindings_beyond, release};
use super::call::{Interface, Kind, Refusal, State};
use super::condition::{self, NodeCondition};
use super::config::{Flavor, NodeConfig, Settings};
use super::demand::Demand;
use super::draft::Draft;
use super::merge;
use super::placement::{Place, chosen, is_candidate, places, spread};
use super::prefix;
use super::reclaim;
use super::resource::{Binding, Ip, IpStatus, Nic, NicState, PodKey, Status, WarmUp};
use super::sorted_map::SortedMap;
use super::vswitches::{Known, VSwitches};
use crate::address::V6Addr;
use crate::chance::SmallStream;
use crate::id::{EniId, NodeId, Uid, VSwitchId};
use crate::ipam::node_local::Reclaim;
use crate::ipam::node_local::pool_sync::{Watermarks, to_delete};
use crate::ipam::vswitch::Search;
use crate::openapi::Api;
use crate::time::{Instant, Span};

const WARM: WarmUp = WarmUp { target: 0, allocated: 0, completed: true };

fn chance() -> SmallStream {
    SmallStream::new(7)
}

fn at(secs: u64) -> Instant {
    Instant::ZERO + Span::secs(secs)
}

/// Four adapters of ten addresses, no pool.
fn config() -> NodeConfig {
    NodeConfig::plain(Flavor::of(4, false, false), 10, (0, 0), vec![VSwitchId(0)])
}

fn address(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(n)
}

/// An interface in use whose first address is primary, with these addresses: `i`dle, `u`sed,
/// `d`eleting, in`v`alid.
fn nic(first: u32, addresses: &str) -> Nic {
    let mut nic = Nic::created(VSwitchId(0), Kind::Secondary);
    (nic.state, nic.mode_known) = (NicState::InUse, true);
    nic.addresses =
        (first..).zip(addresses.chars()).map(|(n, letter)| (address(n), ip(n, n == first, letter))).collect();
    nic
}

fn ip(n: u32, primary: bool, letter: char) -> Ip {
    let status = match letter {
        'd' => IpStatus::Deleting,
        'v' => IpStatus::Invalid,
        _ => IpStatus::Valid,
    };
    let pod = (letter == 'u').then_some(Binding { pod: PodKey(n), uid: Uid(n) });
    Ip { primary, status, pod }
}

fn trunk(first: u32, addresses: &str) -> Nic {
    Nic { kind: Kind::Trunk, ..nic(first, addresses) }
}

fn status<const N: usize>(nics: [Nic; N]) -> Draft {
    let nics = nics.into_iter().enumerate().map(|(i, nic)| (EniId::new(i), nic)).collect();
    Status { nics, warm_up: WARM, ..Status::default() }.into()
}

/// The IPv4 addresses of an interface in the letters of [`nic`].
fn letters(status: &Status, eni: u32) -> String {
    status.nics[&EniId(eni)].addresses.values().map(letter).collect()
}

fn letter(ip: &Ip) -> char {
    match (ip.status, ip.pod) {
        (_, Some(_)) => 'u',
        (IpStatus::Valid, _) => 'i',
        (IpStatus::Deleting, _) => 'd',
        (IpStatus::Invalid, _) => 'v',
    }
}

/// A new pod without an address.
fn pod(key: u32) -> ListedPod {
    ListedPod { key: PodKey(key), uid: Uid(1000 + key), address: None, ipv6: None, erdma: false }
}

fn whose(status: &Status) -> BTreeMap<PodKey, Uid> {
    status.nics.values().flat_map(Nic::ips).filter_map(|ip| ip.pod).map(|binding| (binding.pod, binding.uid)).collect()
}

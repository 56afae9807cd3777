//! The specification's conformance cases for the pure decisions. Each test names the case, and
//! with it the upstream test that it was taken from (`pool_test.go` unless another file is named).

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::binding::{ListedPod, bind, bindings, release};
use super::call::{Interface, Kind, Refusal, State};
use super::condition::{self, NodeCondition};
use super::config::{Flavor, NodeConfig, Selection, Settings};
use super::demand::Demand;
use super::merge;
use super::placement::{Place, chosen, is_candidate, places, spread};
use super::prefix;
use super::reclaim;
use super::resource::{Binding, Ip, IpStatus, Nic, NicState, PodKey, Status, WarmUp};
use super::vswitches::{Known, VSwitches, choose};
use crate::chance::SmallStream;
use crate::id::{EniId, NodeId, PodId, VSwitchId};
use crate::ipam::node_local::Reclaim;
use crate::ipam::node_local::pool_sync::{Watermarks, to_delete};
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
    NodeConfig {
        flavor: Flavor::of(4, false),
        ips_per_eni: 10,
        min_idle: 0,
        max_idle: 0,
        warm_up: 0,
        sync_period: None,
        reclaim: None,
        prefixes: None,
        vswitches: vec![VSwitchId(0)],
        selection: Selection::Most,
    }
}

fn address(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(n)
}

/// An interface in use whose first address is primary, with these addresses: `i`dle, `u`sed,
/// `d`eleting, in`v`alid.
fn nic(first: u32, addresses: &str) -> Nic {
    let mut nic = Nic::created(VSwitchId(0), Kind::Secondary);
    (nic.state, nic.standard) = (NicState::InUse, true);
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
    let pod = (letter == 'u').then_some(Binding { pod: PodKey(n), uid: PodId(n) });
    Ip { primary, status, pod }
}

fn trunk(first: u32, addresses: &str) -> Nic {
    Nic { kind: Kind::Trunk, ..nic(first, addresses) }
}

fn status<const N: usize>(nics: [Nic; N]) -> Status {
    let nics = nics.into_iter().enumerate().map(|(i, nic)| (EniId::new(i), nic)).collect();
    Status { nics, warm_up: WARM, ..Status::default() }
}

/// The addresses of an interface in the letters of [`nic`].
fn letters(status: &Status, eni: u32) -> String {
    let letter = |ip: &Ip| match (ip.status, ip.pod) {
        (_, Some(_)) => 'u',
        (IpStatus::Valid, _) => 'i',
        (IpStatus::Deleting, _) => 'd',
        (IpStatus::Invalid, _) => 'v',
    };
    status.nics[&EniId(eni)].addresses.values().map(letter).collect()
}

/// A new pod without an address.
fn pod(key: u32) -> ListedPod {
    ListedPod { key: PodKey(key), uid: PodId(1000 + key), address: None }
}

fn whose(status: &Status) -> BTreeMap<PodKey, PodId> {
    bindings(status).map(|binding| (binding.pod, binding.uid)).collect()
}

// Demand and places.

/// Cases 1 to 5 [5079, 5133, 5179, 5229, 5268].
#[test]
fn case_1_to_5_waiting_pods_count_twice() {
    let of = |min_idle, idle, waiting, warm_up| {
        let demand = Demand::of(&NodeConfig { min_idle, ..config() }, idle, waiting, warm_up);
        (demand.minimum, demand.total())
    };
    let warm = |allocated| WarmUp { target: 10, allocated, completed: false };
    assert_eq!(of(5, 9, 2, WARM), (0, 2));
    assert_eq!(of(5, 2, 2, WARM), (5, 7));
    assert_eq!(of(3, 5, 0, warm(5)).1, 5);
    assert_eq!(of(3, 0, 1, warm(0)), (4, 11));
    assert_eq!(of(0, 0, 0, WARM).1, 0);
}

/// Cases 6 and 10 [5375, 5336]: a pod whose address is lost waits, but is not counted.
#[test]
fn case_6_stale_pods_are_not_counted() {
    let mut status = status([nic(1, "uu")]);
    let stale = |key| ListedPod { address: Some(address(99)), ..pod(key) };
    let left = bind(at(1), &mut status, &[stale(50), stale(51), stale(52), pod(53)], &mut chance());
    assert_eq!(left, 1);
}

/// Cases 7 to 9 [5442, 4973]: whatever is known of the vSwitch, Valid addresses without a pod on
/// interfaces in use are idle.
#[test]
fn case_7_to_9_only_valid_addresses_in_use_are_idle() {
    let attaching = Nic { state: NicState::Attaching, ..nic(20, "ii") };
    let exhausted = Nic { insufficient: Some(at(1)), ..nic(1, "iiiiiiiii") };
    assert_eq!(status([exhausted]).idle(), 9);
    assert_eq!(status([nic(1, "iidu"), nic(10, "iud"), attaching]).idle(), 3);
}

/// Cases 11, 13, 14, 15 [187, 246, 275, 313, 353].
#[test]
fn case_11_to_15_places_by_flavor() {
    let kinds = |flavor, status: &Status| -> Vec<_> {
        let places = places(&NodeConfig { flavor, ..config() }, status, &mut chance());
        places.iter().map(|place| (place.eni.is_some(), place.kind)).collect()
    };
    let new = |kind| (false, kind);
    let flavor = |trunk, secondary| Flavor { trunk, secondary };
    assert_eq!(kinds(flavor(0, 2), &status([])), [new(Kind::Secondary); 2]);
    let one_trunk = [new(Kind::Trunk), new(Kind::Secondary), new(Kind::Secondary)];
    assert_eq!(kinds(flavor(1, 2), &status([])), one_trunk);
    let two_trunks = [new(Kind::Trunk), new(Kind::Trunk), new(Kind::Secondary), new(Kind::Secondary)];
    assert_eq!(kinds(flavor(2, 2), &status([])), two_trunks);
    let there = status([trunk(1, "i"), trunk(10, "i"), nic(20, "i")]);
    let left = [(true, Kind::Trunk), (true, Kind::Trunk), (true, Kind::Secondary), new(Kind::Secondary)];
    assert_eq!(kinds(flavor(1, 3), &there), left);
}

/// How many addresses each place gets.
fn spread_over(config: &NodeConfig, status: &Status, demand: u32, pending: Option<u32>) -> Vec<u32> {
    let mut places = places(config, status, &mut chance());
    for place in &mut places {
        place.eligible = place.eni.is_none_or(|eni| is_candidate(status, eni));
    }
    spread(config, status, &mut places, demand, |_| pending);
    places.iter().map(|place| place.addresses).collect()
}

/// Cases 17 and 18 [1206, 1250]: a trunk interface takes the demand first, and is made without.
#[test]
fn case_17_a_trunk_comes_first() {
    let config = NodeConfig { flavor: Flavor { trunk: 1, secondary: 1 }, ..config() };
    assert_eq!(spread_over(&config, &status([]), 2, None), [2, 0]);
    assert_eq!(spread_over(&config, &status([]), 0, None), [1, 0]);
}

/// Cases 19 and 20 [1353, 1436]: Deleting addresses take room.
#[test]
fn case_19_deleting_addresses_take_room() {
    let config = NodeConfig { flavor: Flavor { trunk: 0, secondary: 2 }, ips_per_eni: 4, ..config() };
    assert_eq!(spread_over(&config, &status([nic(1, "uddi")]), 3, None), [0, 3]);
    assert_eq!(spread_over(&config, &status([nic(1, "udd")]), 3, None), [1, 2]);
}

/// Case 21 [1516]: what an attaching interface will bring is subtracted, if it has a task.
#[test]
fn case_21_attaching_interfaces_reduce_demand() {
    let config = NodeConfig { flavor: Flavor { trunk: 0, secondary: 2 }, ..config() };
    let attaching = Nic { state: NicState::Attaching, ..nic(1, "") };
    assert_eq!(spread_over(&config, &status([attaching.clone()]), 3, Some(5)), [0, 0]);
    assert_eq!(spread_over(&config, &status([attaching.clone()]), 5, Some(3)), [0, 2]);
    assert_eq!(spread_over(&config, &status([attaching]), 3, None), [0, 3]);
}

/// Case 22 (C65): on ECS the record of an attaching interface has no traffic mode, and is skipped.
#[test]
fn case_22_on_ecs_nothing_is_subtracted() {
    let config = NodeConfig { flavor: Flavor { trunk: 0, secondary: 2 }, ..config() };
    let status = status([Nic::created(VSwitchId(0), Kind::Secondary)]);
    assert_eq!(spread_over(&config, &status, 3, Some(5)), [0, 3]);
}

/// Case 23 [4306-4487]: which interfaces may take addresses.
#[test]
fn case_23_eligible_interfaces() {
    let with = |state, standard| status([Nic { state, standard, ..nic(1, "i") }]);
    assert!(is_candidate(&with(NicState::InUse, true), EniId(0)));
    assert!(is_candidate(&with(NicState::Attaching, true), EniId(0)));
    assert!(!is_candidate(&with(NicState::Deleting, true), EniId(0)));
    assert!(!is_candidate(&with(NicState::Detaching, true), EniId(0)));
    assert!(!is_candidate(&with(NicState::InUse, false), EniId(0)));
}

/// Case 24 [eni_test.go:16]: trunk first, then by addresses.
#[test]
fn case_24_trunk_first_then_most_addresses() {
    let order = |status: Status| status.sorted(&mut chance());
    assert_eq!(order(status([nic(1, "ii"), trunk(10, "")])), [EniId(1), EniId(0)]);
    assert_eq!(order(status([nic(1, ""), nic(10, "ii")])), [EniId(1), EniId(0)]);
}

/// Cases 25 and 26 (C66, C68): one action a run, and no new interface while one attaches.
#[test]
fn case_25_one_action_and_one_attach_at_a_time() {
    let config = NodeConfig { flavor: Flavor { trunk: 0, secondary: 3 }, ..config() };
    let status = status([nic(1, "uuuuuuuuu"), nic(20, "uuuuuuuu")]);
    let mut found = places(&config, &status, &mut chance());
    found.iter_mut().for_each(|place| place.eligible = true);
    spread(&config, &status, &mut found, 12, |_| None);
    assert_eq!(found.iter().map(|place| place.addresses).collect::<Vec<_>>(), [1, 2, 9]);
    assert_eq!(chosen(&found, false), Some(0));
    let only_new = places(&config, &status, &mut chance());
    let only_new: Vec<_> =
        only_new.into_iter().map(|place| Place { addresses: u32::from(place.eni.is_none()), ..place }).collect();
    assert_eq!((chosen(&only_new, false), chosen(&only_new, true)), (Some(2), None));
    assert_eq!(chosen(&found, true), Some(0));
}

// Binding and release.

/// Case 27 [440]: a pod takes over its own address, even a Deleting one.
#[test]
fn case_27_a_deleting_address_is_taken_over() {
    let mut status = status([nic(1, "ud")]);
    let pods = [ListedPod { address: Some(address(2)), ..pod(1000) }];
    assert_eq!(bind(at(1), &mut status, &pods, &mut chance()), 0);
    assert_eq!(status.nics[&EniId(0)].addresses[&address(2)].pod.map(|binding| binding.pod), Some(PodKey(1000)));
    assert_eq!(status.last_modified, None, "taking over does not stamp the CR (C46)");
}

/// Case 29 [576]: the pod with an address keeps it, the new one gets the other.
#[test]
fn case_29_new_pods_get_what_is_left() {
    let mut status = status([nic(1, "ii")]);
    let pods = [pod(5), ListedPod { address: Some(address(1)), ..pod(6) }];
    assert_eq!(bind(at(3), &mut status, &pods, &mut chance()), 0);
    let held = |n| status.nics[&EniId(0)].addresses[&address(n)].pod.map(|binding| binding.pod.0);
    assert_eq!((held(1), held(2)), (Some(6), Some(5)));
    assert_eq!(status.last_modified, Some(at(3)));
}

/// Pods are served in the order of their names (C43), on interfaces in use only.
#[test]
fn c43_pods_are_served_by_name_on_interfaces_in_use() {
    let mut status = status([nic(1, "i"), Nic { state: NicState::Deleting, ..nic(10, "ii") }]);
    assert_eq!(bind(at(1), &mut status, &[pod(20), pod(21), pod(22)], &mut chance()), 2);
    assert_eq!(whose(&status).into_keys().collect::<Vec<_>>(), [PodKey(20)]);
}

/// Cases 33 to 36 [64, 91, 123]: only a report frees; a new pod of that name inherits.
#[test]
fn case_33_to_36_release() {
    let release = |pods: &[ListedPod], deleted: &[u32]| {
        let mut status = status([nic(1, "u")]);
        release(&mut status, pods, &deleted.iter().map(|&uid| PodId(uid)).collect());
        whose(&status)
    };
    let bound = |uid| BTreeMap::from([(PodKey(1), PodId(uid))]);
    assert_eq!(release(&[], &[]), bound(1), "not reported");
    assert_eq!(release(&[], &[2]), bound(1), "another pod's report");
    assert_eq!(release(&[], &[1]), BTreeMap::new());
    assert_eq!(release(&[ListedPod { uid: PodId(9), ..pod(1) }], &[1]), bound(9), "the new pod inherits");
}

/// Case 37: an address that the cloud has lost is not idle again, unless it is primary.
#[test]
fn case_37_lost_addresses_are_deleted_once_free() {
    let mut status = status([nic(1, "uu")]);
    for ip in status.nics.get_mut(&EniId(0)).expect("it is there").addresses.values_mut() {
        ip.status = IpStatus::Invalid;
    }
    release(&mut status, &[], &BTreeSet::from([PodId(1), PodId(2)]));
    assert_eq!(letters(&status, 0), "vd");
}

// Attach tasks: the results (the tasks themselves are in tests/centralized).

fn found(id: u32, state: State, addresses: &[u32]) -> Interface {
    let addresses = addresses.iter().map(|&n| address(n)).collect();
    Interface { id: EniId(id), vswitch: VSwitchId(0), kind: Kind::Secondary, state, addresses, prefixes: Vec::new() }
}

/// Cases 41 and 43 [2805, 3047]: the interface serves, bindings are kept.
#[test]
fn case_41_a_completed_task_brings_its_addresses() {
    let mut nic = Nic::created(VSwitchId(0), Kind::Secondary);
    merge::attached(&mut nic, &found(0, State::InUse, &[1, 2]));
    assert_eq!((nic.state, nic.standard), (NicState::InUse, true));
    assert_eq!(nic.addresses.values().map(|ip| ip.primary).collect::<Vec<_>>(), [true, false]);

    let mut bound = self::nic(1, "uu");
    bound.state = NicState::Deleting;
    merge::attached(&mut bound, &found(0, State::InUse, &[1, 2, 3]));
    assert_eq!(bound.state, NicState::InUse, "even if it was marked meanwhile (C89)");
    assert_eq!(letters(&status([bound]), 0), "uui");
}

/// Case 42 [2933, 2990]: what an attach brings counts for the warm-up, until that is over.
#[test]
fn case_42_the_warm_up_counts_all_addresses() {
    let mut warm_up = WarmUp { target: 10, allocated: 3, completed: false };
    warm_up.count(3);
    assert_eq!(warm_up.allocated, 6);
    let mut over = WarmUp { target: 10, allocated: 10, completed: true };
    over.count(3);
    assert_eq!(over.allocated, 10);
}

// What is given back.

fn marked(mut status: Status, n: u32) -> Status {
    reclaim::mark(&mut status, n, &mut chance());
    status
}

/// Cases 52 and 54 [1676, 1835]: a trunk loses idle addresses, but is never deleted.
#[test]
fn case_52_a_trunk_is_never_deleted() {
    let one = marked(status([trunk(1, "ii")]), 2);
    assert_eq!((letters(&one, 0).as_str(), one.nics[&EniId(0)].state), ("id", NicState::InUse));
    let two = marked(status([trunk(1, "ii"), nic(10, "ii")]), 3);
    assert_eq!((letters(&two, 0).as_str(), two.nics[&EniId(1)].state), ("id", NicState::Deleting));
}

/// C107, C108, D8: an interface goes whole only if it is smaller than what is to be deleted.
#[test]
fn c108_an_interface_of_the_same_size_is_stripped() {
    let same = marked(status([nic(1, "iii")]), 3);
    assert_eq!((letters(&same, 0).as_str(), same.nics[&EniId(0)].state), ("idd", NicState::InUse));
    let smaller = marked(status([nic(1, "iii")]), 4);
    assert_eq!(smaller.nics[&EniId(0)].state, NicState::Deleting);
    let used = marked(status([nic(1, "iuiu")]), 5);
    assert_eq!(letters(&used, 0), "iudu");
}

/// Cases 53, 57 and 58 [1736, 2045, 2253, 2331-2540]: how many are given back.
#[test]
fn case_57_how_many_are_given_back() {
    let policy = |batch| Reclaim { after: Span::mins(10), interval: Span::mins(10), batch, factor: 0.1 };
    let given_back = |max_idle, min_idle, idle, reclaim: Option<Reclaim>, modified: u64| {
        let marks = Watermarks { min_idle, max_idle, capacity: u32::MAX };
        let mut next = Some(at(900));
        to_delete(at(1000), marks, idle, reclaim.as_ref(), Some(at(modified)), &mut next, None).total()
    };
    assert_eq!(given_back(3, 0, 3, None, 0), 0);
    assert_eq!((given_back(3, 1, 4, None, 0), given_back(5, 1, 4, None, 0)), (1, -1));
    assert_eq!((given_back(5, 1, 4, Some(policy(2)), 0), given_back(5, 1, 4, Some(policy(2)), 900)), (2, -1));
    assert_eq!(given_back(10, 5, 6, Some(policy(3)), 0), 1);
    assert_eq!(given_back(10, 2, 3, Some(policy(5)), 0), 1);
    assert_eq!(given_back(5, 2, 5, Some(policy(5)), 0), 3);
}

/// A CR that was never modified was not modified lately: reclaim counts from the first look.
#[test]
fn c104_an_untouched_pool_is_idle_from_the_start() {
    let reclaim = Reclaim { after: Span::mins(10), interval: Span::mins(5), batch: 1, factor: 0.1 };
    let marks = Watermarks { min_idle: 0, max_idle: 5, capacity: u32::MAX };
    let mut next = None;
    assert_eq!(to_delete(at(1), marks, 2, Some(&reclaim), None, &mut next, None).total(), -3);
    assert_eq!(next, Some(at(301)));
}

// Full sync.

/// Case 68 [eni_test.go:131].
#[test]
fn case_68_merging_addresses() {
    let mut nic = nic(1, "iudi");
    merge::sync(&mut nic, &found(0, State::InUse, &[3, 9]));
    let left: Vec<_> = nic.addresses.iter().map(|(address, ip)| (u32::from(*address), ip.status)).collect();
    // The primary one is kept, the pod's is Invalid, the local Deleting is kept, the idle one goes.
    let expected = [(1, IpStatus::Valid), (2, IpStatus::Invalid), (3, IpStatus::Deleting), (9, IpStatus::Valid)];
    assert_eq!(left, expected);
}

/// Item 14 of the golden cases' corrections to C36: a record without addresses stays without.
#[test]
fn c36_a_record_without_addresses_adopts_none() {
    let mut attaching = Nic::created(VSwitchId(0), Kind::Secondary);
    merge::sync(&mut attaching, &found(0, State::InUse, &[1, 2]));
    assert_eq!((attaching.addresses.len(), attaching.state), (0, NicState::Attaching));
}

/// Case 69 [eni_test.go:311]: a lost prefix is Invalid for good.
#[test]
fn case_69_merging_prefixes() {
    let mut nic = Nic { prefixes: vec![(address(16), true), (address(32), false), (address(48), true)], ..nic(1, "i") };
    let shown = |prefixes: &[u32]| {
        let prefixes = prefixes.iter().map(|&n| address(n)).collect();
        Interface { prefixes, ..found(0, State::InUse, &[1]) }
    };
    merge::sync(&mut nic, &shown(&[16, 32, 64]));
    let by_number =
        |nic: &Nic| nic.prefixes.iter().map(|&(first, valid)| (u32::from(first), valid)).collect::<Vec<_>>();
    assert_eq!(by_number(&nic), [(16, true), (32, false), (64, true), (48, false)]);
    assert_eq!((nic.valid_prefixes(), nic.used()), (2, 5));
}

// Conditions.

/// Case 72 [2158]: what befell an interface is written to it, and cleared by a run without errors.
#[test]
fn case_72_conditions_of_interfaces() {
    let place = |short, failed| {
        let eni = Some(EniId(0));
        Place { eni, kind: Kind::Secondary, eligible: true, addresses: 0, prefixes: 0, full: false, short, failed }
    };
    let mut status = status([nic(1, "i")]);
    let mut mark = |secs, short, failed| {
        condition::mark(at(secs), &mut status, &[place(short, failed)]);
        let nic = &status.nics[&EniId(0)];
        (nic.insufficient, nic.operation_error)
    };
    assert_eq!(mark(10, true, true), (Some(at(10)), Some(at(10))));
    assert_eq!(mark(20, true, true), (Some(at(10)), Some(at(20))), "C25: only one of them is renewed each time");
    assert_eq!(mark(311, true, true), (Some(at(311)), Some(at(311))));
    assert_eq!(mark(320, false, false), (None, None));
}

/// Case 73 [3281-3380]: an unused slot is hope, a place that is full or short is none.
#[test]
fn case_73_the_condition_of_the_node() {
    let status = status([nic(1, "u")]);
    let mut all = places(&config(), &status, &mut chance());
    assert!(!condition::is_sufficient(&status, &[]));
    assert!(condition::is_sufficient(&status, &all));
    all.iter_mut().for_each(|place| place.short = true);
    assert!(!condition::is_sufficient(&status, &all));
    all[0].short = false;
    assert!(condition::is_sufficient(&status, &all));
    all[0].full = true;
    assert!(!condition::is_sufficient(&status, &all));
}

/// C85: an unchanged condition is renewed after five minutes.
#[test]
fn c85_the_condition_is_renewed_after_five_minutes() {
    let written = Some(NodeCondition { sufficient: true, heartbeat: at(100) });
    assert!(condition::is_due(at(0), None, true));
    assert!(condition::is_due(at(101), written, false));
    assert!(!condition::is_due(at(399), written, true));
    assert!(condition::is_due(at(400), written, true));
}

// Prefixes.

/// The prefixes of the new interfaces that are planned.
fn planned(ips_per_eni: u32, status: &Status, wanted: u32, pending: Option<u32>) -> Vec<u32> {
    let config = NodeConfig { ips_per_eni, ..config() };
    let mut places = places(&config, status, &mut chance());
    prefix::plan(&config, status, &mut places, wanted, |_| pending);
    places.iter().filter(|place| place.eni.is_none()).map(|place| place.prefixes).filter(|&n| n > 0).collect()
}

fn with_prefixes(state: NicState, addresses: &str, n: u32) -> Nic {
    let prefixes = (1..=n).map(|i| (address(1000 + 16 * i), true)).collect();
    Nic { state, prefixes, ..nic(1, addresses) }
}

/// Case 75 [pool_prefix_test.go:22-145]: three slots of fifteen.
#[test]
fn case_75_new_interfaces_for_prefixes() {
    for (wanted, expected) in [(0, vec![]), (1, vec![1]), (14, vec![10, 4]), (15, vec![10, 5]), (28, vec![10, 10, 8])] {
        assert_eq!(planned(15, &status([]), wanted, None), expected, "{wanted} prefixes");
    }
    assert!(planned(1, &status([]), 5, None).is_empty(), "there is no room beside the primary address (C124)");
}

/// Case 76 [146-262]: what exists comes first.
#[test]
fn case_76_existing_interfaces_come_first() {
    let in_use = |addresses: &str, n| status([with_prefixes(NicState::InUse, addresses, n)]);
    assert_eq!(planned(15, &in_use("i", 10), 15, None), [1]);
    assert!(planned(15, &in_use("i", 5), 5, None).is_empty());
    assert!(planned(15, &in_use("i", 0), 5, None).is_empty());
    assert_eq!(planned(15, &in_use("iiiiiiiiiiiiiii", 0), 5, None), [5]);
    assert_eq!(planned(15, &in_use("iiiiiiiiiiii", 0), 10, None), [7]);
    let attaching = status([with_prefixes(NicState::Attaching, "", 0)]);
    assert_eq!(planned(15, &attaching, 15, Some(10)), [5]);
}

/// Case 77 [330-620]: what a top-up goes by.
#[test]
fn case_77_the_top_up_counts_attaching_interfaces() {
    assert_eq!(prefix::lacking(&status([with_prefixes(NicState::InUse, "i", 5)]), 8), 3);
    assert_eq!(prefix::lacking(&status([with_prefixes(NicState::Attaching, "i", 5)]), 5), 0);
    assert_eq!(prefix::lacking(&status([with_prefixes(NicState::Deleting, "i", 5)]), 5), 5);
}

// vSwitches and the node's spec.

/// Case 84 [vswitch_test.go:237-352].
#[test]
fn case_84_most_free_first_and_blocked_ones_last() {
    let [few, many, middle] = [0, 1, 2].map(VSwitchId);
    assert_eq!(choose(&[(few, 5), (many, 100), (middle, 50)], Selection::Most), Some(many));
    assert_eq!(choose(&[(few, 5), (many, 0), (middle, 5)], Selection::Most), Some(few), "ties keep the list's order");
    assert_eq!(choose(&[(few, 0), (many, 100)], Selection::Random), Some(many));
    assert_eq!(choose(&[(few, 0)], Selection::Most), None);

    let (mut vswitches, ttl) = (VSwitches::default(), Span::mins(20));
    vswitches.block(at(0), few, ttl);
    assert_eq!(vswitches.cached(at(0), few), None, "an unknown one is not blocked (C81)");
    assert_eq!(vswitches.look_up(at(1), few, NodeId(0)), Known::Unknown);
    assert_eq!(vswitches.look_up(at(1), few, NodeId(1)), Known::Asked, "calls for one vSwitch are merged (C74)");
    assert_eq!(vswitches.looked_up(at(2), few, Some(7), ttl), [NodeId(0), NodeId(1)]);
    vswitches.block(at(600), few, ttl);
    assert_eq!(vswitches.look_up(at(1800), few, NodeId(0)), Known::Free(0));
    assert_eq!(vswitches.look_up(at(1801), few, NodeId(0)), Known::Unknown, "its life began anew (C81)");
}

/// Cases 85 and 86 [node_reconcile_test.go:147-665]: slots by kind.
#[test]
fn case_85_flavors() {
    let of = |adapters, trunk| {
        let Flavor { trunk, secondary } = Flavor::of(adapters, trunk);
        (trunk, secondary)
    };
    assert_eq!((of(3, false), of(4, true), of(1, true)), ((0, 2), (1, 2), (0, 0)));
    assert_eq!(Flavor::of(4, true).total(), 3);
}

/// C69, C71, item 12 of the corrections: codes are compared exactly.
#[test]
fn c71_error_codes_are_compared_exactly() {
    assert_eq!(Refusal::of("Throttling"), Refusal::Transient);
    assert_eq!(Refusal::of("Throttling.User"), Refusal::Other);
    assert_eq!(Refusal::of("QuotaExceeded.PrivateIpAddress"), Refusal::IpNotEnough);
}

/// C157: calls per minute.
#[test]
fn c157_limits_of_the_control_plane() {
    let limit = Settings::default().rate_limit;
    let of = |api: Api| limit[api.index()];
    assert_eq!((of(Api::DescribeNetworkInterfaces), of(Api::DescribeVSwitches)), (Some(800), Some(300)));
    assert_eq!((of(Api::CreateNetworkInterface), of(Api::AssignPrivateIpAddresses)), (Some(500), Some(400)));
}

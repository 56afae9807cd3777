//! RDMA: HighPerformance interfaces, and the pods that ask for them.

use super::merging::found;
use super::*;

fn rdma(first: u32, addresses: &str) -> Nic {
    Nic { kind: Kind::HighPerformance, ..nic(first, addresses) }
}

fn rdma_pod(key: u32) -> ListedPod {
    ListedPod { erdma: true, ..pod(key) }
}

fn flavor(trunk: u32, high_performance: u32, secondary: u32) -> NodeConfig {
    NodeConfig { flavor: Flavor { trunk, high_performance, secondary }, ..config() }
}

/// Cases 12 and 15 [214, 353]: new RDMA slots stand before the interfaces, behind trunk slots.
#[test]
fn case_12_rdma_slots_come_first() {
    let kinds = |config: &NodeConfig, status: &Status| -> Vec<_> {
        places(config, status, &mut chance()).iter().map(|place| (place.eni.is_some(), place.kind)).collect()
    };
    let [trunk, rdma, secondary] = [Kind::Trunk, Kind::HighPerformance, Kind::Secondary].map(|kind| (false, kind));
    assert_eq!(kinds(&flavor(0, 1, 1), &status([])), [rdma, secondary]);
    assert_eq!(kinds(&flavor(1, 1, 1), &status([nic(1, "i")])), [trunk, rdma, (true, Kind::Secondary)]);
    // Somebody else's RDMA interface takes a place, and none of its kind is wanted.
    let there = status([self::trunk(1, "i"), self::trunk(10, "i"), self::rdma(20, "i")]);
    let left = [(true, Kind::Trunk), (true, Kind::Trunk), (true, Kind::HighPerformance), secondary];
    assert_eq!(kinds(&flavor(1, 0, 3), &there), left);
}

/// C65: until it is attached an RDMA interface is of no known type: it stands last, and its slot is
/// still open.
#[test]
fn c65_an_attaching_rdma_interface_is_of_no_known_type() {
    let status = status([nic(1, "i"), Nic::created(VSwitchId(0), Kind::HighPerformance)]);
    assert_eq!(status.sorted(&mut chance()), [EniId(0), EniId(1)]);
    let places = places(&flavor(0, 1, 2), &status, &mut chance());
    assert_eq!((places[0].eni, places[0].kind), (None, Kind::HighPerformance));
}

/// C59: trunk, RDMA, then by addresses.
#[test]
fn c59_rdma_interfaces_stand_behind_the_trunk() {
    let status = status([nic(1, "iiii"), rdma(10, ""), trunk(20, "")]);
    assert_eq!(status.sorted(&mut chance()), [EniId(2), EniId(1), EniId(0)]);
}

/// Cases 30 and 32 [667, 788]: plain pods never get RDMA addresses, RDMA pods nothing else, and only
/// of an interface in use.
#[test]
fn case_30_and_32_each_pod_on_its_kind_of_interface() {
    let whose = |nics: [Nic; 2], pods: &[ListedPod]| {
        let mut status = status(nics);
        let unserved = bind(at(1), &mut status, pods, false, &mut chance());
        (letters(&status, 0), letters(&status, 1), unserved)
    };
    let both = [pod(50), rdma_pod(51)];
    let served =
        |ordinary: &str, rdma: &str, plain, erdma| (ordinary.to_owned(), rdma.to_owned(), Unserved { plain, erdma });
    assert_eq!(whose([nic(1, "i"), rdma(10, "i")], &both), served("u", "u", 0, 0));
    assert_eq!(whose([nic(1, "u"), rdma(10, "i")], &[pod(50)]), served("u", "i", 1, 0));
    assert_eq!(whose([nic(1, "i"), rdma(10, "u")], &[rdma_pod(51)]), served("i", "u", 0, 1));
    let attaching = Nic { state: NicState::Attaching, ..rdma(10, "i") };
    assert_eq!(whose([nic(1, "i"), attaching], &[rdma_pod(51)]), served("i", "i", 0, 1));
}

/// C60, C63: RDMA slots are for RDMA pods, and are made for them alone.
#[test]
fn c63_rdma_slots_take_the_demand_of_rdma_pods_only() {
    let config = flavor(0, 1, 1);
    let planned = |plain, erdma| -> Vec<_> {
        let mut places = places(&config, &status([]), &mut chance());
        let is_rdma = |kind| kind == Kind::HighPerformance;
        spread(&config, &status([]), &mut places, plain, |kind| !is_rdma(kind), |_| None);
        spread(&config, &status([]), &mut places, erdma, is_rdma, |_| None);
        places.iter().map(|place| place.addresses).collect()
    };
    assert_eq!((planned(3, 0), planned(0, 2), planned(3, 2)), (vec![0, 3], vec![2, 0], vec![2, 3]));
}

/// C110, C164: idle RDMA addresses count, are given back, and their interface stays.
#[test]
fn c164_idle_rdma_addresses_count() {
    let mut status = status([nic(1, "i"), rdma(10, "iii")]);
    assert_eq!(status.idle(), 4);
    reclaim::mark(&mut status, 3, &mut chance());
    let states = [EniId(0), EniId(1)].map(|eni| status.nics[&eni].state);
    assert_eq!((states, letters(&status, 1)), ([NicState::Deleting, NicState::InUse], "idd".to_owned()));
}

/// Cases 9, 31, 60, 64 and 65 [972, 716, 844, 915, 869] for RDMA interfaces that are somebody else's
/// (C39): nothing is given, counted, planned or taken there, and marks are undone.
#[test]
fn c39_an_rdma_interface_of_somebody_else_is_left_alone() {
    let interface = Interface { kind: Kind::HighPerformance, ..found(1, State::InUse, &[10, 11]) };
    let mut foreign = Nic { state: NicState::Deleting, ..rdma(10, "id") };
    merge::judge_owner(&mut foreign, &interface, false);
    let mut status = status([nic(1, "u"), foreign]);
    assert_eq!((letters(&status, 1), status.nics[&EniId(1)].state), ("ii".to_owned(), NicState::InUse));
    assert_eq!((status.idle(), is_candidate(&status, EniId(1))), (0, false));
    assert_eq!(bind(at(1), &mut status, &[rdma_pod(51)], false, &mut chance()).erdma, 1);
    reclaim::mark(&mut status, 5, &mut chance());
    assert_eq!(letters(&status, 1), "ii");
    let mut all = places(&flavor(0, 0, 2), &status, &mut chance());
    all.retain(|place| place.eni == Some(EniId(1)));
    assert!(!condition::is_sufficient(&status, &all));

    let mut ours = rdma(10, "id");
    merge::judge_owner(&mut ours, &interface, true);
    assert!(!ours.unschedulable);
    let mut leaving = rdma(10, "id");
    merge::judge_owner(&mut leaving, &Interface { state: State::Detaching, ..interface }, false);
    assert_eq!((leaving.state, letters(&self::status([leaving]), 0)), (NicState::Detaching, "id".to_owned()));
}

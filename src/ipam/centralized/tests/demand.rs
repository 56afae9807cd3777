//! Demand, and where it goes.

use super::*;

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
    let left = bind(at(1), &mut status, &[stale(50), stale(51), stale(52), pod(53)], false, &mut chance());
    assert_eq!(left, Unserved { plain: 1, erdma: 0 });
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
    let flavor = |trunk, secondary| Flavor { trunk, high_performance: 0, secondary };
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
    spread(config, status, &mut places, demand, |_| true, |_| pending.map(|n| [n, 0]));
    places.iter().map(|place| place.addresses).collect()
}

/// Cases 17 and 18 [1206, 1250]: a trunk interface takes the demand first, and is made without.
#[test]
fn case_17_a_trunk_comes_first() {
    let config = NodeConfig { flavor: Flavor { trunk: 1, high_performance: 0, secondary: 1 }, ..config() };
    assert_eq!(spread_over(&config, &status([]), 2, None), [2, 0]);
    assert_eq!(spread_over(&config, &status([]), 0, None), [1, 0]);
}

/// Cases 19 and 20 [1353, 1436]: Deleting addresses take room.
#[test]
fn case_19_deleting_addresses_take_room() {
    let config =
        NodeConfig { flavor: Flavor { trunk: 0, high_performance: 0, secondary: 2 }, ips_per_eni: 4, ..config() };
    assert_eq!(spread_over(&config, &status([nic(1, "uddi")]), 3, None), [0, 3]);
    assert_eq!(spread_over(&config, &status([nic(1, "udd")]), 3, None), [1, 2]);
}

/// Case 21 [1516]: what an attaching interface will bring is subtracted, if it has a task.
#[test]
fn case_21_attaching_interfaces_reduce_demand() {
    let config = NodeConfig { flavor: Flavor { trunk: 0, high_performance: 0, secondary: 2 }, ..config() };
    let attaching = Nic { state: NicState::Attaching, ..nic(1, "") };
    assert_eq!(spread_over(&config, &status([attaching.clone()]), 3, Some(5)), [0, 0]);
    assert_eq!(spread_over(&config, &status([attaching.clone()]), 5, Some(3)), [0, 2]);
    assert_eq!(spread_over(&config, &status([attaching]), 3, None), [0, 3]);
}

/// Case 22 (C65): on ECS the record of an attaching interface has no traffic mode, and is skipped.
#[test]
fn case_22_on_ecs_nothing_is_subtracted() {
    let config = NodeConfig { flavor: Flavor { trunk: 0, high_performance: 0, secondary: 2 }, ..config() };
    let status = status([Nic::created(VSwitchId(0), Kind::Secondary)]);
    assert_eq!(spread_over(&config, &status, 3, Some(5)), [0, 3]);
}

/// Case 23 [4306-4487]: which interfaces may take addresses.
#[test]
fn case_23_eligible_interfaces() {
    let with = |state, mode_known| status([Nic { state, mode_known, ..nic(1, "i") }]);
    assert!(is_candidate(&with(NicState::InUse, true), EniId(0)));
    assert!(is_candidate(&with(NicState::Attaching, true), EniId(0)));
    assert!(!is_candidate(&with(NicState::Deleting, true), EniId(0)));
    assert!(!is_candidate(&with(NicState::Detaching, true), EniId(0)));
    assert!(!is_candidate(&with(NicState::InUse, false), EniId(0)));
}

/// Case 24 [eni_test.go:16]: trunk first, then by addresses.
#[test]
fn case_24_trunk_first_then_most_addresses() {
    let order = |status: Draft| status.sorted(&mut chance());
    assert_eq!(order(status([nic(1, "ii"), trunk(10, "")])), [EniId(1), EniId(0)]);
    assert_eq!(order(status([nic(1, ""), nic(10, "ii")])), [EniId(1), EniId(0)]);
}

/// Cases 25 and 26 (C66, C68): one action a run, and no new interface while one attaches.
#[test]
fn case_25_one_action_and_one_attach_at_a_time() {
    let config = NodeConfig { flavor: Flavor { trunk: 0, high_performance: 0, secondary: 3 }, ..config() };
    let status = status([nic(1, "uuuuuuuuu"), nic(20, "uuuuuuuu")]);
    let mut found = places(&config, &status, &mut chance());
    found.iter_mut().for_each(|place| place.eligible = true);
    spread(&config, &status, &mut found, 12, |_| true, |_| None);
    assert_eq!(found.iter().map(|place| place.addresses).collect::<Vec<_>>(), [1, 2, 9]);
    assert_eq!(chosen(&found, false), Some(0));
    let only_new = places(&config, &status, &mut chance());
    let only_new: Vec<_> =
        only_new.into_iter().map(|place| Place { addresses: u32::from(place.eni.is_none()), ..place }).collect();
    assert_eq!((chosen(&only_new, false), chosen(&only_new, true)), (Some(2), None));
    assert_eq!(chosen(&found, true), Some(0));
}

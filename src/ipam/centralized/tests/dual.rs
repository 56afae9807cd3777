//! Dual stack: what holds of the two families together.

use super::merging::found;
use super::*;

/// [`nic`] with IPv6 addresses, too, in the same letters; none of them is primary.
fn dual(first: u32, ipv4: &str, ipv6: &str) -> Nic {
    let ipv6 = (first..).zip(ipv6.chars()).map(|(n, letter)| (V6Addr(n), ip(n, false, letter)));
    Nic { ipv6: ipv6.collect(), ..nic(first, ipv4) }
}

/// The addresses of an interface, IPv4 and IPv6.
fn both(status: &Status, eni: u32) -> (String, String) {
    (letters(status, eni), status.nics[&EniId(eni)].ipv6.values().map(letter).collect())
}

fn shown(ipv4: &str, ipv6: &str) -> (String, String) {
    (ipv4.to_owned(), ipv6.to_owned())
}

fn dual_config() -> NodeConfig {
    NodeConfig { dual: true, ..config() }
}

/// Case 28 [485]: both addresses of a pod are on one interface, whatever map order says.
#[test]
fn case_28_both_addresses_are_on_one_interface() {
    for seed in 0..50 {
        let mut status = status([dual(1, "ii", "ii"), dual(10, "ii", "ii")]);
        assert_eq!(bind(at(1), &mut status, &[pod(50)], true, &mut SmallStream::new(seed)), Unserved::default());
        let pairs = [both(&status, 0), both(&status, 1)];
        let used = |(ipv4, ipv6): &(String, String)| (ipv4.matches('u').count(), ipv6.matches('u').count());
        assert!(matches!([used(&pairs[0]), used(&pairs[1])], [(1, 1), (0, 0)] | [(0, 0), (1, 1)]), "{pairs:?}");
    }
}

/// Case 28 [533], C44: if that interface has no idle IPv6 address, the IPv4 one is idle again, the
/// pod waits, and the CR is stamped all the same. No other interface is tried.
#[test]
fn case_28_ipv4_is_rolled_back_without_ipv6() {
    let mut apart = status([dual(1, "i", "u"), dual(10, "u", "i")]);
    assert_eq!(bind(at(5), &mut apart, &[pod(50)], true, &mut chance()), Unserved { plain: 1, erdma: 0 });
    assert_eq!((both(&apart, 0), both(&apart, 1)), (shown("i", "u"), shown("u", "i")));
    assert_eq!(apart.last_modified, Some(at(5)));

    let waits = |seed| {
        let mut status = status([dual(1, "i", "u"), dual(10, "i", "i")]);
        bind(at(5), &mut status, &[pod(50)], true, &mut SmallStream::new(seed)).plain
    };
    let waiting: Vec<_> = (0..50).map(waits).collect();
    assert!(waiting.contains(&0) && waiting.contains(&1), "the draw of the IPv4 address decides: {waiting:?}");
}

/// C45: a pod one of whose addresses is lost is served by no other, and is not counted.
#[test]
fn c45_one_lost_address_makes_a_pod_stale() {
    let mut status = status([dual(1, "ii", "ii")]);
    let lost = ListedPod { address: Some(address(1)), ipv6: Some((VSwitchId(0), V6Addr(99))), ..pod(50) };
    assert_eq!(bind(at(1), &mut status, &[lost], true, &mut chance()), Unserved::default());
    assert_eq!(both(&status, 0), shown("ui", "ii"), "it takes over what is there");
}

/// An IPv6 address is a number in its vSwitch: a pod does not take over the same number elsewhere.
#[test]
fn c43_an_ipv6_address_is_taken_over_in_its_own_vswitch() {
    let elsewhere = Nic { vswitch: VSwitchId(1), ..dual(1, "i", "i") };
    let mut status =
        status([elsewhere, Nic { addresses: SortedMap::from_iter([(address(9), Ip::FREE)]), ..dual(1, "", "i") }]);
    let taken_over = ListedPod { address: Some(address(9)), ipv6: Some((VSwitchId(0), V6Addr(1))), ..pod(50) };
    bind(at(1), &mut status, &[taken_over], true, &mut chance());
    assert_eq!((both(&status, 0), both(&status, 1)), (shown("i", "i"), shown("u", "u")));
}

/// C47: both addresses of a pod that is gone are freed.
#[test]
fn c47_both_families_are_freed() {
    let mut status = status([dual(1, "u", "u")]);
    release(&mut status, &[], &[Uid(1)]);
    assert_eq!(both(&status, 0), shown("i", "i"));
}

/// What each place gets of either family.
fn spread_over(config: &NodeConfig, status: &Status, demand: u32, pending: Option<[u32; 2]>) -> Vec<(u32, u32)> {
    let mut places = places(config, status, &mut chance());
    for place in &mut places {
        place.eligible = place.eni.is_none_or(|eni| is_candidate(status, eni));
    }
    spread(config, status, &mut places, demand, |_| true, |_| pending);
    places.iter().map(|place| (place.addresses, place.ipv6)).collect()
}

/// Cases 16 to 18 in dual stack (C57, C62, C63): the same number of both families, a trunk with one
/// of each.
#[test]
fn c57_both_families_are_ordered_alike() {
    let flavor = |trunk, secondary| Flavor { trunk, high_performance: 0, secondary };
    let trunk = NodeConfig { flavor: flavor(1, 1), ..dual_config() };
    assert_eq!(spread_over(&trunk, &status([]), 2, None), [(2, 2), (0, 0)]);
    assert_eq!(spread_over(&trunk, &status([]), 0, None), [(1, 1), (0, 0)]);
    let two = NodeConfig { flavor: flavor(0, 2), ..dual_config() };
    assert_eq!(spread_over(&two, &status([dual(1, "uuuuuu", "uuuuuuuu")]), 12, None), [(4, 2), (8, 10)]);
    let attaching = Nic { state: NicState::Attaching, ..nic(1, "") };
    assert_eq!(spread_over(&two, &status([attaching]), 5, Some([4, 7])), [(0, 0), (1, 0)]);
}

/// C57, item 4a of the corrections: an interface that is full of IPv4 still wants its IPv6, and as
/// the first that wants something it is the only one served (C66).
#[test]
fn c57_the_first_interface_that_lacks_ipv6_is_the_only_one_served() {
    let config = NodeConfig { flavor: Flavor { trunk: 0, high_performance: 0, secondary: 2 }, ..dual_config() };
    let status = status([dual(1, "uuuuuuuuii", "")]);
    let mut places = places(&config, &status, &mut chance());
    places.iter_mut().for_each(|place| place.eligible = true);
    spread(&config, &status, &mut places, 4, |_| true, |_| None);
    assert_eq!((places[0].addresses, places[0].ipv6, places[0].full), (0, 4, true));
    assert_eq!((places[1].addresses, chosen(&places, false)), (4, Some(0)));
}

/// Case 55 [1910], C107: so many of each family are marked that equally many are left idle; the
/// primary address stays.
#[test]
fn case_55_families_are_aligned() {
    let marked = |nic: Nic, n| {
        let mut status = status([nic]);
        reclaim::mark(&mut status, n, &mut chance());
        let (ipv4, ipv6) = both(&status, 0);
        (ipv4.matches('d').count(), ipv6.matches('d').count())
    };
    assert_eq!(marked(dual(1, "ii", "i"), 1), (1, 0));
    assert_eq!(marked(dual(1, "ii", "ii"), 1), (1, 1));
    assert_eq!(marked(dual(1, "i", "iii"), 1), (0, 1));
    assert_eq!(marked(dual(1, "iiu", "iiu"), 2), (1, 2));
}

/// C107: an interface goes whole only if it is smaller in both families.
#[test]
fn c107_an_interface_goes_whole_if_both_families_are_small() {
    let state = |nic: Nic, n| {
        let mut status = status([nic]);
        reclaim::mark(&mut status, n, &mut chance());
        status.nics[&EniId(0)].state
    };
    assert_eq!(state(dual(1, "ii", "iii"), 4), NicState::Deleting);
    assert_eq!(state(dual(1, "ii", "iii"), 3), NicState::InUse);
    assert_eq!(state(dual(1, "ii", "uii"), 4), NicState::InUse);
}

/// Case 41, C112: an attach brings both families; the larger one counts for the warm-up.
#[test]
fn case_41_an_attach_brings_both_families() {
    let ipv6 = vec![V6Addr(4), V6Addr(5)];
    let found = Interface { ipv6, ipv6_prefixes: vec![V6Addr(6)], ..found(0, State::InUse, &[1]) };
    let mut nic = Nic::created(VSwitchId(0), Kind::Secondary);
    merge::attached(&mut nic, &found);
    assert_eq!((nic.addresses.len(), nic.size(), nic.ipv6_prefixes.len()), (1, 2, 1));
    assert!(nic.ipv6.values().all(|ip| !ip.primary), "no IPv6 address is primary");
    assert_eq!(Nic { state: NicState::InUse, ..Nic::adopted(&found) }, nic, "as a full sync adopts it");
}

/// Item 14 of the corrections to C36: an interface that is known without IPv6 never adopts any.
#[test]
fn c36_a_record_without_ipv6_adopts_none() {
    let found = Interface { ipv6: vec![V6Addr(4), V6Addr(5)], ..found(0, State::InUse, &[1]) };
    let mut without = nic(1, "i");
    merge::sync(&mut without, &found);
    assert!(without.ipv6.is_empty());
    let mut with = Nic { ipv6: SortedMap::from_iter([(V6Addr(4), Ip::FREE), (V6Addr(9), Ip::FREE)]), ..nic(1, "i") };
    merge::sync(&mut with, &found);
    assert_eq!(with.ipv6.keys().copied().collect::<Vec<_>>(), [V6Addr(4), V6Addr(5)]);
}

/// C85: only IPv4 addresses make a node sufficient.
#[test]
fn c85_idle_ipv6_is_no_hope() {
    let full = |nic: Nic| {
        let status = status([nic]);
        let mut places = places(&dual_config(), &status, &mut chance());
        places.iter_mut().for_each(|place| place.short = true);
        condition::is_sufficient(&status, &places)
    };
    assert!(!full(dual(1, "u", "i")));
    assert!(full(dual(1, "i", "u")));
}

/// C133: one IPv6 prefix for each interface with an IPv4 prefix, in dual stack only.
#[test]
fn c133_one_ipv6_prefix_beside_ipv4_ones() {
    let with = |ipv4: bool, ipv6: &[(V6Addr, bool)]| Nic {
        prefixes: vec![(address(16), ipv4)],
        ipv6_prefixes: ipv6.to_vec(),
        ..nic(1, "i")
    };
    assert!(prefix::lacks_ipv6(&dual_config(), &with(true, &[])));
    assert!(prefix::lacks_ipv6(&dual_config(), &with(true, &[(V6Addr(1), false)])), "a lost one does not count");
    assert!(!prefix::lacks_ipv6(&dual_config(), &with(true, &[(V6Addr(1), true)])));
    assert!(!prefix::lacks_ipv6(&dual_config(), &with(false, &[])));
    assert!(!prefix::lacks_ipv6(&config(), &with(true, &[])));
}

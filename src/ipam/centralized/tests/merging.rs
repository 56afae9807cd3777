//! What the cloud's answers change: results of attach tasks, full syncs.

use super::*;

pub(super) fn found(id: u32, state: State, addresses: &[u32]) -> Interface {
    Interface {
        id: EniId(id),
        vswitch: VSwitchId(0),
        kind: Kind::Secondary,
        state,
        addresses: addresses.iter().map(|&n| address(n)).collect(),
        prefixes: Vec::new(),
        ipv6: Vec::new(),
        ipv6_prefixes: Vec::new(),
    }
}

/// Cases 41 and 43 [2805, 3047]: the interface serves, bindings are kept.
#[test]
fn case_41_a_completed_task_brings_its_addresses() {
    let mut nic = Nic::created(VSwitchId(0), Kind::Secondary);
    merge::attached(&mut nic, &found(0, State::InUse, &[1, 2]));
    assert_eq!((nic.state, nic.mode_known), (NicState::InUse, true));
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

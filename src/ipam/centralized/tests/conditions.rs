//! Conditions of interfaces and nodes.

use super::*;

/// Case 72 [2158]: what befell an interface is written to it, and cleared by a run without errors.
#[test]
fn case_72_conditions_of_interfaces() {
    let place = |short, failed| {
        let eni = Some(EniId(0));
        let kind = Kind::Secondary;
        Place { eni, kind, eligible: true, addresses: 0, ipv6: 0, prefixes: 0, full: false, short, failed }
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

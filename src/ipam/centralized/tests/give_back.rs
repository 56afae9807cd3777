//! What is given back.

use super::*;

fn marked(mut status: Draft, n: u32) -> Draft {
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

//! The pool: who is served from what is there, refill, trim, and the loop that does both.

use brimline::ipam::classic::{Sizes, Version, Wanted};

use crate::story::{A, B, Story, node};

/// C1: between the marks nothing happens.
#[test]
fn c1_between_the_marks_nothing_happens() {
    Story::with(node(1, 10, 3, 5), &[100], &[(A, 3, &[])]).until(3600.0).tells("").usage(3, 0);
}

/// C2, P27, P49: a start below the lower mark fills up to it in the background, with one interface.
#[test]
fn c2_a_start_fills_up_to_the_lower_mark() {
    Story::new(node(1, 10, 3, 5), &[100])
        .until(60.0)
        .tells("0 create 3 on A\n 0.6 attach e1\n 6.5 look at e1")
        .usage(3, 0);
}

/// C3, P31: above the upper mark one goes. The primary address is in use here.
#[test]
fn c3_a_start_above_the_upper_mark_gives_back() {
    Story::with(node(1, 10, 3, 5), &[100], &[(A, 7, &[1])]).until(60.0).tells("0 unassign 1 of e1").usage(5, 1);
}

/// C4, P31: more addresses than the node may have: what is idle goes, whatever the marks say.
#[test]
fn c4_a_start_above_capacity_gives_back() {
    let there: [(_, _, &[u32]); 2] = [(A, 5, &[1, 2, 3, 4, 5]), (A, 6, &[6, 7, 8, 9, 10])];
    Story::with(node(1, 10, 3, 5), &[100], &there).until(60.0).tells("0 unassign 1 of e2").usage(0, 10);
}

/// C5, P23: an idle address is had at once.
#[test]
fn c5_an_idle_address_is_had_at_once() {
    Story::with(node(1, 10, 0, 5), &[100], &[(A, 3, &[])]).at(1.0).add(1).tells("1 p1 on e1").usage(2, 1);
}

/// C6, P20: who takes an idle address sets the refill going.
#[test]
fn c6_a_pod_sets_the_refill_going() {
    Story::with(node(1, 10, 3, 5), &[100], &[(A, 3, &[])])
        .at(1.0)
        .add(1)
        .add(2)
        .add(3)
        .until(60.0)
        .tells("1 p1 on e1\n 1 p2 on e1\n 1 p3 on e1\n 1.3 assign 1 to e1\n 2 assign 2 to e1")
        .usage(3, 3);
}

/// C9: ten callers for ten addresses are all served.
#[test]
fn c9_as_many_callers_as_addresses_are_all_served() {
    let mut story = Story::with(node(1, 10, 0, 5), &[100], &[(A, 1, &[])]);
    story.at(1.0);
    (1..=10).for_each(|pod| {
        story.add(pod);
    });
    story.until(60.0).usage(0, 10).holds(1, 10);
}

/// C10, P18: twenty callers for ten addresses: no more are created, whoever gets them.
#[test]
fn c10_no_more_than_capacity_is_created() {
    let mut story = Story::with(node(1, 10, 3, 5), &[100], &[(A, 3, &[])]);
    story.at(1.0);
    (1..=20).for_each(|pod| {
        story.add(pod);
    });
    story.until(300.0).holds(1, 10);
    let (idle, used) = story.daemon.usage();
    assert_eq!(idle + used, 10);
    assert_eq!(story.left(A), 93);
}

/// C11: releases become idle; the one too many goes.
#[test]
fn c11_one_too_many_goes() {
    let mut story = Story::with(node(1, 10, 0, 5), &[100], &[(A, 3, &[])]);
    story.at(1.0);
    (1..=6).for_each(|pod| {
        story.add(pod);
    });
    story.until(10.0).skip().holds(1, 6);
    story.at(20.0).del(2).del(3).del(4).until(21.0).tells("20 p2 left e1\n 20 p3 left e1\n 20 p4 left e1");
    story.at(30.0).del(5).del(6).until(31.0).tells("30 p5 left e1\n 30 p6 left e1").usage(5, 1);
    story.at(40.0).del(1).until(50.0).tells("40 p1 left e1\n 40 unassign 1 of e1").usage(5, 0);
}

/// C12: releasing what nobody has changes nothing.
#[test]
fn c12_releasing_what_nobody_has_changes_nothing() {
    let mut story = Story::with(node(1, 10, 0, 5), &[100], &[(A, 3, &[1])]);
    story.at(1.0).del(1);
    story.usage(3, 0).at(2.0).del(1).until(3.0).usage(3, 0);
}

/// C24, P29, G12: the sleep of the maintenance doubles, without an upper bound.
#[test]
fn c24_sleeps_double() {
    let mut story = Story::new(node(2, 10, 5, 5), &[0]);
    let told = story.until(8000.0).told();
    let creates: Vec<_> = told.lines().filter(|line| line.contains("create")).map(str::to_owned).collect();
    let at = ["0", "120.6", "361.2", "841.8", "1802.4", "3723", "7563.6"];
    assert_eq!(creates, at.map(|at| format!("{at} create 5 on A")));
}

/// P28: part of a refill is no failure: the rest is asked for at once.
#[test]
fn p28_part_of_a_refill_is_no_failure() {
    let there: [(_, _, &[u32]); 2] = [(A, 4, &[1, 2, 3, 4]), (B, 1, &[])];
    Story::with(node(3, 5, 6, 9), &[0, 100], &there)
        .until(60.0)
        .tells(
            "0 look up A
             0.08 look up B
             0.46 assign 4 to e2
             0.86 assign 1 to e1
             1.26 refused: InvalidVSwitchId.IpNotEnough
             2.36 create 1 on B
             2.96 attach e3
             8.86 look at e3",
        )
        .usage(6, 4);
}

/// P29: what resets the sleep is a refill that gets everything. Until then an idle address that a pod
/// gives back changes nothing.
#[test]
fn p29_a_full_refill_resets_the_sleep() {
    let mut story = Story::new(node(2, 10, 2, 4), &[0]);
    story.until(119.0).skip().free(A, 2);
    story.until(200.0).tells("120.6 create 2 on A\n 121.2 attach e1\n 127.1 look at e1").usage(2, 0);
    story.at(200.0).add(1).until(210.0).tells(
        "200 p1 on e1
         200.3 assign 1 to e1
         200.7 refused: InvalidVSwitchId.IpNotEnough",
    );
    // Slept for two minutes only.
    story.free(A, 5).until(330.0).tells("321.8 create 1 on A\n 322.4 attach e2\n 328.3 look at e2");
}

/// P30, T7: while the maintenance sleeps nothing is given back either.
#[test]
fn p30_a_sleeping_loop_gives_nothing_back() {
    let there: [(_, _, &[u32]); 1] = [(A, 10, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])];
    let mut story = Story::with(node(3, 10, 2, 2), &[0], &there);
    story.until(2.0).tells("0 create 2 on A\n 0.6 refused: InvalidVSwitchId.IpNotEnough").at(3.0);
    (2..=9).for_each(|pod| {
        story.del(pod);
    });
    story.skip().until(120.5).tells("").usage(8, 2);
    story.until(121.0).tells("120.6 unassign 1 of e1");
}

/// P33: a pod that takes an address during a trim spares another.
#[test]
fn p33_a_trim_looks_again_for_each_address() {
    let mut story = Story::with(node(1, 10, 0, 2), &[100], &[(A, 6, &[1])]);
    story.at(0.5).add(2).add(3).until(10.0).tells("0 unassign 1 of e1\n 0.5 p2 on e1\n 0.5 p3 on e1");
    story.usage(2, 3);
}

/// P11, P12, P13, T25: how the sizes of eni-config are clamped.
#[test]
fn p13_sizes_are_clamped() {
    let sizes = |min_pool_size, max_pool_size, min_eni, max_eni| {
        let wanted = Wanted { min_pool_size, max_pool_size, min_eni, max_eni };
        let Sizes { max_eni, capacity, min_idle, max_idle, .. } =
            Sizes::clamped(&Version::V1_4_4.profile(), 3, 10, wanted);
        (max_eni, capacity, min_idle, max_idle)
    };
    assert_eq!(sizes(5, 8, 0, 0), (3, 30, 5, 8));
    assert_eq!(sizes(20, 80, 0, 0), (3, 30, 20, 30));
    assert_eq!(sizes(8, 5, 0, 0), (3, 30, 8, 8));
    assert_eq!(sizes(5, 50, 2, 0), (3, 30, 20, 30));
    assert_eq!(sizes(5, 8, 0, 2), (2, 20, 5, 8));
    assert_eq!(sizes(5, 8, 4, 1), (1, 10, 10, 10));
    assert_eq!(sizes(5, 8, 0, 9), (3, 30, 5, 8));
}

/// P13: v1.6.0 does not read `min_pool_size` (`daemon/config.go:77-100` of that tag).
#[test]
fn p13_v1_6_0_has_no_lower_mark_but_min_eni() {
    let marks = |min_pool_size, max_pool_size, min_eni| {
        let wanted = Wanted { min_pool_size, max_pool_size, min_eni, max_eni: 0 };
        let Sizes { min_idle, max_idle, .. } = Sizes::clamped(&Version::V1_6_0.profile(), 3, 10, wanted);
        (min_idle, max_idle)
    };
    assert_eq!(marks(20, 80, 0), (0, 30));
    assert_eq!(marks(8, 5, 0), (0, 5));
    assert_eq!(marks(5, 50, 2), (20, 30));
    assert_eq!(marks(5, 15, 2), (15, 15), "the lower mark gives way");
}

/// P47, P48 (E1): a large refill makes one interface after the other.
#[test]
fn e1_a_large_refill_makes_one_interface_after_the_other() {
    let mut story = Story::new(node(3, 10, 25, 30), &[1000]);
    let told = story.until(60.0).told();
    let creates: Vec<_> = told.lines().filter(|line| line.contains("create")).collect();
    assert_eq!(creates, ["0 create 10 on A", "6.6 create 10 on A", "13.2 create 5 on A"]);
    story.usage(25, 0);
    assert_eq!(story.left(A), 975);
}

/// P54, G1: among equally loaded interfaces the list's own order decides, and the last takes the place
/// of one that goes.
#[test]
fn g1_the_last_takes_the_place_of_the_one_that_goes() {
    let there: [(_, _, &[u32]); 3] = [(A, 1, &[]), (A, 2, &[1, 2]), (A, 2, &[3, 4])];
    let mut story = Story::with(node(3, 10, 0, 0), &[100], &there);
    story.until(60.0).tells("0 detach e1\n 5.7 delete e1");
    story.at(60.0).add(5).at(70.0).add(6).until(80.0).tells(
        "60.3 assign 1 to e3
         60.7 p5 on e3
         70.3 assign 1 to e2
         70.7 p6 on e2",
    );
}

//! The traps that were reproduced on the real code, run for run (section 14 of the specification,
//! with the API layer below: G14).

use brimline::ipam::classic::Selection;
use brimline::openapi::Api;

use crate::story::{A, B, Fault, Story, node};

/// T4 (E2): with three addresses left a batch of five gets none. A new interface gets the rest, one by
/// one, and the refill sleeps meanwhile.
#[test]
fn t4_a_batch_is_all_or_nothing() {
    let mut story = Story::with(node(3, 10, 10, 20), &[3], &[(A, 5, &[])]);
    story.until(10.0).tells("0.3 assign 5 to e1\n 0.7 refused: InvalidVSwitchId.IpNotEnough");
    assert_eq!(story.left(A), 3);
    story.at(10.0);
    (1..=5).for_each(|pod| {
        story.add(pod);
    });
    story.skip().usage(0, 5);
    story.at(20.0).add(6).until(30.0).tells("20 create 1 on A\n 20.6 attach e2\n 26.5 look at e2\n 26.6 p6 on e2");
    story.at(40.0).add(7).until(50.0).tells("40.3 assign 1 to e2\n 40.7 p7 on e2");
    assert_eq!(story.left(A), 1);
}

/// T4 (E8): without a free slot the rest is out of the node's reach for ten minutes.
#[test]
fn t4_the_rest_is_out_of_reach_without_a_slot() {
    let mut story = Story::with(node(1, 20, 10, 20), &[3], &[(A, 5, &[1, 2, 3, 4, 5])]);
    story.until(2.0).tells("0.3 assign 10 to e1\n 0.7 refused: InvalidVSwitchId.IpNotEnough");
    let failed = "failed: NoInterface { inhibited: true, foreign: false }";
    story.at(10.0).add(6).tells(&format!("10 p6 {failed}"));
    story.at(601.7).add(6).tells(&format!("601.7 p6 {failed}"));
    assert_eq!(story.left(A), 3);
    // The instant at which the inhibition ends is outside of it (G6).
    story.at(601.8).add(6).until(610.0).tells("602.1 assign 1 to e1\n 602.5 p6 on e1");
}

/// T8 (E4): the trim stalls for two minutes when it comes upon a primary address.
#[test]
fn t8_the_trim_stalls_at_a_primary_address() {
    Story::with(node(1, 10, 0, 5), &[100], &[(A, 8, &[])])
        .until(119.0)
        .tells("")
        .until(200.0)
        .tells("120 unassign 1 of e1\n 121.4 unassign 1 of e1\n 122.8 unassign 1 of e1")
        .usage(5, 0);
}

/// T10 (E7): a second vSwitch does not help a node whose slots are taken, as full as these are not.
#[test]
fn t10_a_second_vswitch_does_not_help_a_node_without_a_slot() {
    let pods: Vec<u32> = (1..=20).collect();
    let there: [(_, _, &[u32]); 2] = [(A, 10, &pods[..10]), (A, 10, &pods[10..])];
    let mut story = Story::with(node(2, 20, 0, 20), &[0, 1000], &there);
    story.at(10.0).add(21).until(20.0).tells(
        "10 look up A
         10.08 look up B
         10.46 assign 1 to e1
         10.86 refused: InvalidVSwitchId.IpNotEnough
         11.96 p21 failed: NotAssigned { trouble: Api(IpNotEnough), short: false }",
    );
    story.at(20.0).add(22).until(30.0).tells(
        "20.3 assign 1 to e2
         20.7 refused: InvalidVSwitchId.IpNotEnough
         21.8 p22 failed: NotAssigned { trouble: Api(IpNotEnough), short: false }",
    );
    story.at(30.0).add(23).tells("30 p23 failed: NoInterface { inhibited: true, foreign: false }");
    assert_eq!(story.left(B), 1000);
}

/// T11 (E11): `ordered` does not fail over: the first choice is asked again and again until the counts
/// expire.
#[test]
fn t11_ordered_does_not_fail_over() {
    let mut story = Story::new(node(5, 10, 0, 50), &[12, 11]);
    for pod in 1..=12 {
        story.at(f64::from(pod) * 10.0).add(pod);
    }
    story.at(130.0).skip().usage(0, 12);
    story.add(13).until(139.0).tells(
        "130.3 assign 1 to e2
         130.7 refused: InvalidVSwitchId.IpNotEnough
         131.8 p13 failed: NotAssigned { trouble: Api(IpNotEnough), short: false }",
    );
    story.at(140.0).add(14).until(149.0).tells(
        "140 create 1 on A
         140.6 refused: InvalidVSwitchId.IpNotEnough
         140.6 p14 failed: NotCreated { trouble: Api(IpNotEnough), short: false }",
    );
    assert_eq!((story.left(A), story.left(B)), (0, 11));
    // The counts were read from 10.0 s to 10.16 s and hold through 610.16 s (G6, G7).
    story.at(610.16).add(15).until(615.0).tells(
        "610.16 create 1 on A
         610.76 refused: InvalidVSwitchId.IpNotEnough
         610.76 p15 failed: NotCreated { trouble: Api(IpNotEnough), short: false }",
    );
    story.at(620.0).add(15).until(640.0).tells(
        "620 look up A
         620.08 look up B
         620.16 create 1 on B
         620.76 attach e3
         626.66 look at e3
         626.76 p15 on e3",
    );
}

/// T12 (E10): interfaces on a vSwitch that is not listed any more do not grow, if there are two of them.
#[test]
fn t12_interfaces_on_a_vswitch_that_is_not_listed_do_not_grow() {
    let config = || {
        let mut config = node(2, 20, 0, 20);
        config.vswitches = vec![B];
        config
    };
    let there: [(_, _, &[u32]); 2] = [(A, 1, &[]), (A, 1, &[])];
    let mut story = Story::with(config(), &[100, 100], &there);
    story.at(1.0).add(1).add(2).add(3).tells(
        "1 p1 on e1
         1 p2 on e2
         1 p3 failed: NoInterface { inhibited: false, foreign: true }",
    );
    // One interface alone is not filtered (P50).
    let mut alone = Story::with(config(), &[100, 100], &there[..1]);
    alone.at(1.0).add(1).add(2).until(10.0).tells("1 p1 on e1\n 1.3 assign 1 to e1\n 1.7 p2 on e1");
}

/// T13, C23, P26 (E5): who waits for a token does not see that addresses become idle.
#[test]
fn t13_waiting_for_a_token_is_not_waiting_for_an_address() {
    let mut config = node(1, 10, 6, 8);
    config.cni_timeout = brimline::time::Span::secs(20);
    let mut story = Story::with(config, &[100], &[(A, 4, &[1, 2, 3, 4])]);
    story.fault(Api::AssignPrivateIpAddresses, Fault::Slow(3.0)).at(0.5).add(5).until(20.0);
    story.tells("0.3 assign 6 to e1").usage(6, 4);
    story.until(30.0).tells("20.5 p5 failed: Deadline");
    story.at(30.5).add(5).tells("30.5 p5 on e1");
}

/// T14, P53, P63 (E6): a burst on an empty node fails in part at once, though addresses abound.
#[test]
fn t14_a_burst_on_an_empty_node_fails_in_part() {
    let mut config = node(7, 20, 0, 140);
    config.selection = Selection::Random;
    let mut story = Story::new(config, &[1000]);
    for pod in 1..=40 {
        story.at(1.0 + 0.005 * f64::from(pod)).add(pod);
    }
    let told = story.until(60.0).told();
    let count = |word: &str| told.lines().filter(|line| line.contains(word)).count();
    assert_eq!((count("create 1"), count("assign 10"), count("failed: Throttled")), (3, 3, 7));
    story.usage(0, 33);
}

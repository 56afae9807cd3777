//! What happens when a vSwitch has no addresses left, at create and at assign (rules R60 to R64,
//! R84 to R94, R97 to R107), and when an interface breaks.

use brimline::ipam::node_local::{Config, VSwitchSelection};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{A, B, Fault, Story, node};

/// CC60, R61, R85, R89, R102 (traps 1, 4): exhaustion at create. The vSwitch is blocked for ten
/// minutes, nothing inhibits, no call is made while it is, both pods time out, and addresses
/// freed meanwhile do not help.
#[test]
fn cc60_exhaustion_at_create_hangs_every_pod_for_118_s() {
    let mut story = Story::new(node(2, 10), &[1]);
    story.at(0.0).add(1).add(2).until(118.0).tells(
        "0.3 look up A
         0.4 create 2 on A
         0.9 refused: InvalidVSwitchId.IpNotEnough
         118 p1 failed: Deadline
         118 p2 failed: Deadline",
    );
    assert!(story.sufficient());
    story.at(60.0).free(A, 50);
    // A pod every two minutes: each hangs, until the block of 0.9 s has expired at 600.9 s.
    for (i, secs) in [130.0, 260.0, 390.0, 520.0].into_iter().enumerate() {
        story.at(secs).add(10 + i as u32);
    }
    story.until(700.0).tells(
        "248 p10 failed: Deadline
         378 p11 failed: Deadline
         508 p12 failed: Deadline
         605.2 look up A
         605.3 create 1 on A
         605.8 attach e1
         608.3 look at e1
         608.4 p13 on e1",
    );
}

/// CC57, R97, R102 (trap 5): the second vSwitch is tried once, after ten seconds. The same for
/// the quota of private addresses; any other refusal ends the attempt.
#[test]
fn cc57_the_second_vswitch_is_tried_after_ten_seconds() {
    for code in [ErrorCode::IpNotEnough, ErrorCode::QuotaPrivateIp] {
        let mut story = Story::new(node(1, 10), &[50, 50]);
        story.fault(Api::CreateNetworkInterface, Fault::Refuse(code));
        story.at(0.0).add(1).until(60.0).tells(&format!(
            "0.3 look up A
             0.4 create 1 on A
             0.9 refused: {}
             10.9 look up B
             11 create 1 on B
             11.5 attach e1
             14 look at e1
             14.1 p1 on e1",
            code.name()
        ));
    }
    let mut story = Story::new(node(1, 10), &[50, 50]);
    story.fault(Api::CreateNetworkInterface, Fault::Refuse(ErrorCode::EniPerRegion));
    story.at(0.0).add(1).until(2.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 refused: EniLimitExceeded
         1.2 create 1 on A
         1.7 attach e1",
    );
}

/// R102: both candidates empty: both are tried once, then no call is made until the blocks
/// expire; the first to expire is tried again.
#[test]
fn r102_two_empty_vswitches_are_both_blocked() {
    let config = Config { rpc_timeout: Span::mins(20), ..node(1, 10) };
    let mut story = Story::new(config, &[1, 1]);
    story.at(0.0).add(1).add(2).until(650.0).tells(
        "0.3 look up A
         0.4 create 2 on A
         0.9 refused: InvalidVSwitchId.IpNotEnough
         10.9 look up B
         11 create 2 on B
         11.5 refused: InvalidVSwitchId.IpNotEnough
         605.8 look up A
         605.9 create 2 on A
         606.4 refused: InvalidVSwitchId.IpNotEnough
         616.4 look up B
         616.5 create 2 on B
         617 refused: InvalidVSwitchId.IpNotEnough",
    );
}

/// CC69, R60, R63, R107 (traps 2, 3, 9): a batch of two fails whole beside one free address; the
/// slot is inhibited for ten minutes and the address stays unused.
#[test]
fn cc69_a_batch_fails_whole_and_strands_what_is_free() {
    let mut story = Story::new(node(1, 10), &[2]);
    story.at(0.0).add(1).until(10.0).skip();
    story.at(20.0).add(2).add(3).until(150.0).tells(
        "20.3 assign 2 to e1
         20.8 refused: InvalidVSwitchId.IpNotEnough
         138 p2 failed: Deadline
         138 p3 failed: Deadline",
    );
    story.at(150.0).add(4).until(600.0).tells("150 p4 failed: Inhibited");
    assert_eq!(story.cloud.usage(A).free, 1);
    // R84: false at the first refusal, true ten minutes later by itself.
    assert!(!story.sufficient());
    assert!(story.at(750.0).sufficient());
}

/// CC38, R84: the condition turns false once, repeats do not extend it, a release ends it.
#[test]
fn cc38_the_node_condition_flaps() {
    let exhausted = || {
        let mut story = Story::new(node(1, 10), &[1]);
        story.at(0.0).add(1).at(20.0).add(2).at(30.0).add(3);
        assert!(!story.sufficient());
        story
    };
    let mut story = exhausted();
    story.at(500.0).add(4).at(629.0);
    assert!(!story.sufficient());
    assert!(story.at(630.0).sufficient(), "ten minutes after the first refusal");
    let mut story = exhausted();
    assert!(story.at(40.0).del(1).sufficient(), "a release ends it at once");
}

/// CC61, R66, R69 (traps 13, 14): neither a release nor the end of the window wakes a queued pod;
/// a newcomer overtakes it.
#[test]
fn cc61_a_release_wakes_nobody() {
    let story = || {
        let mut story = Story::new(node(1, 10), &[1]);
        // The metadata syncs come each minute; p2 queues just before that of 60 s.
        story.at(0.0).add(1).at(62.0).add(2).until(70.0).skip();
        story.at(70.0).del(1).skip();
        story
    };
    story().until(300.0).tells("120 p2 on e1");
    story().at(100.0).add(3).until(300.0).tells("100 p3 on e1\n180 p2 failed: Deadline");
}

/// R63 (trap 14): when the window ends nothing happens until somebody broadcasts: here the next
/// metadata sync.
#[test]
fn r63_the_end_of_the_window_wakes_nobody() {
    let config = Config { rpc_timeout: Span::mins(30), ..node(1, 10) };
    let mut story = Story::new(config, &[1]);
    story.at(0.0).add(1).at(30.0).add(2).until(40.0).skip().free(A, 9);
    // Inhibited until 630.8 s; metadata syncs come at each full minute.
    story.until(700.0).tells("660.3 assign 1 to e1\n661.8 p2 on e1");
}

/// CC64, R53, R60, R152 (trap 26): no room on the instance inhibits for one minute; the queued pod
/// is not tried again when the minute ends. Its time-out wakes the worker, which fell asleep after
/// the pod and so runs before it: an interface is created for nobody. The real code does so in 20
/// of 20 runs.
#[test]
fn cc64_a_slot_too_many_costs_its_pod_118_s() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::CreateNetworkInterface, Fault::Refuse(ErrorCode::EniPerInstance));
    story.at(0.0).add(1).at(30.0).add(2).until(200.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 refused: EniPerInstanceLimitExceeded
         30 p2 failed: Inhibited
         118 p1 failed: Deadline
         118.3 create 1 on A
         118.8 attach e1
         121.3 look at e1",
    );
}

/// CC62, R64, R73 (traps 2, 5, 11): the interface on the empty vSwitch takes the pod although
/// another has an idle address; the pod hangs. Later ones go to the other. The failed assign
/// did not block the vSwitch, so the next interface tries it first.
#[test]
fn cc62_an_exhausted_interface_sacrifices_its_pods() {
    let config = Config { vswitch_selection: VSwitchSelection::Ordered, ..node(3, 3) };
    let mut story = Story::new(config, &[2, 50]);
    // e1 on A with two addresses; e2 on B with one.
    story.at(0.0).add(1).add(2).until(10.0);
    story.at(10.0).fault(Api::AssignPrivateIpAddresses, Fault::Refuse(ErrorCode::IpNotEnough)).add(3).at(11.0);
    story.at(12.0).free(B, 50).del(3).skip();
    story.at(13.0).add(4).until(40.0).tells(
        "13.3 create 1 on A
         13.8 refused: InvalidVSwitchId.IpNotEnough
         23.8 look up B
         23.9 create 1 on B
         24.4 attach e2
         26.9 look at e2
         27 p4 on e2",
    );
    // p4 leaves: e2 has an idle address. Once the window of e1 is over, e1 comes first again.
    story.at(50.0).del(4).skip();
    story.at(60.0).add(5).until(70.0).tells("60 p5 on e2");
    story.at(700.0).del(5).skip();
    story.at(710.0).add(6).until(900.0).tells(
        "710.3 assign 1 to e1
         710.8 refused: InvalidVSwitchId.IpNotEnough
         828 p6 failed: Deadline",
    );
    story.at(900.0).add(7).tells("900 p7 on e2");
}

/// R88, R90 (traps 6, 8): the count in the cache is never decremented, and a vSwitch with one
/// address is chosen for ten.
#[test]
fn r90_one_free_address_qualifies_for_ten() {
    let config = Config { vswitch_selection: VSwitchSelection::Most, ..node(3, 10) };
    let mut story = Story::new(config, &[11, 9]);
    story.at(0.0);
    for pod in 1..=10 {
        story.add(pod);
    }
    let told = story.until(10.0).told();
    assert!(told.starts_with("0.3 look up A\n0.4 look up B\n0.5 create 10 on A\n"), "{told}");
    // A has one left, the cache still says eleven, B has nine: A is chosen, and blocked.
    story.at(20.0).add(11).add(12).until(40.0).tells(
        "20.3 create 2 on A
         20.8 refused: InvalidVSwitchId.IpNotEnough
         30.8 create 2 on B
         31.3 attach e2
         33.8 look at e2
         33.9 p12 on e2
         33.9 p11 on e2",
    );
}

/// R93, R94: an interface stays on its vSwitch; assigning never falls back.
#[test]
fn r93_assigning_never_changes_the_vswitch() {
    let mut story = Story::new(node(1, 10), &[1, 50]);
    story.at(0.0).add(1).until(10.0).skip();
    story.at(10.0).add(2).until(200.0).tells(
        "10.3 assign 1 to e1
         10.8 refused: InvalidVSwitchId.IpNotEnough
         128 p2 failed: Deadline",
    );
}

/// CC26, CC30, CC63, R62, R65, R109 (traps 29, 36): attach fails. The broken interface keeps its slot
/// and its address until the waiting pod has timed out; newcomers are refused at once.
#[test]
fn cc63_a_broken_interface_waits_for_its_pods_to_time_out() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::Internal));
    // The daemon counts no address of an interface that does not serve (CC30).
    story.at(0.0).add(1).at(60.0).usage(0, 0).holds(1, 1);
    story.add(2).until(200.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         1.4 refused: InternalError
         60 p2 failed: NodeFull
         118 p1 failed: Deadline
         118 detach e1
         123.5 delete e1
         125 look at e1",
    );
    story.holds(0, 0);
    story.at(200.0).add(3).until(210.0).tells(
        "200.3 create 1 on A
         200.8 attach e2
         203.3 look at e2
         203.4 p3 on e2",
    );
}

/// CC26, R61, R66: create fails without an interface: the queue stays and nobody is woken; the
/// next attempt comes after the gathering and its token: two at once, then one in six seconds.
#[test]
fn cc26_a_failed_create_is_repeated_at_the_pace_of_its_tokens() {
    let mut story = Story::new(node(1, 10), &[50]);
    for _ in 0..3 {
        story.fault(Api::CreateNetworkInterface, Fault::Refuse(ErrorCode::EniPerRegion));
    }
    // One broadcast in all: whoever was woken last is served first (R151).
    story.at(0.0).add(1).add(2).until(20.0).tells(
        "0.3 look up A
         0.4 create 2 on A
         0.9 refused: EniLimitExceeded
         1.2 create 2 on A
         1.7 refused: EniLimitExceeded
         6.3 create 2 on A
         6.8 refused: EniLimitExceeded
         12.3 create 2 on A
         12.8 attach e1
         15.3 look at e1
         15.4 p2 on e1
         15.4 p1 on e1",
    );
}

/// R64: the window of a slot ends with its interface: the pool sync of 120 s takes the idle one.
#[test]
fn r64_deleting_the_interface_ends_the_window() {
    let config = Config { max_idle: 0, sync_period: Some(Span::secs(120)), ..node(1, 10) };
    let mut story = Story::new(config, &[50]);
    story.at(1.0).add(1).at(100.0).fault(Api::AssignPrivateIpAddresses, Fault::Refuse(ErrorCode::IpNotEnough)).add(2);
    story.at(110.0).skip().del(1).del(2).add(3).add(4).del(3).tells(
        "110 one of e1 idle
         110 p3 on e1
         110 p4 failed: Inhibited
         110 one of e1 idle",
    );
    story.at(130.0).add(5).until(140.0).tells(
        "120 detach e1
         125.5 delete e1
         127 look at e1
         130.3 create 1 on A
         130.8 attach e2
         133.3 look at e2
         133.4 p5 on e2",
    );
}

/// R87: a look-up that fails drops its candidate and is repeated at the next attempt.
#[test]
fn r87_a_failed_look_up_drops_its_candidate() {
    let mut story = Story::new(node(1, 10), &[50, 50]);
    story.fault(Api::DescribeVSwitches, Fault::Refuse(ErrorCode::Throttling));
    story.at(0.0).add(1).until(1.0).tells(
        "0.3 look up A
         0.4 refused: Throttling
         0.4 look up B
         0.5 create 1 on B
         1 attach e1",
    );
}

/// R87: several slots that need the same count wait for one call.
#[test]
fn r87_one_look_up_serves_every_slot() {
    let mut story = Story::new(node(3, 1), &[50]);
    story.at(0.0).add(1).add(2).add(3).until(0.5).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.4 create 1 on A
         0.4 create 1 on A",
    );
}

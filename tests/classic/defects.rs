//! What goes wrong for good in the daemon, and that it can be switched off.

use brimline::id::PodId;
use brimline::ipam::classic::{Config, Defect, Input, Version};
use brimline::openapi::Api;

use crate::story::{A, Fault, Story, node, of};

/// P61, P62, G9 (E3): a refill that overflows from an exhausted interface to a new one kills the daemon
/// when the failure of the assign is heard.
#[test]
fn p61_a_failed_assign_beside_a_new_interface_kills_the_daemon() {
    let story = |config: Config| {
        let mut story = Story::with(config, &[0, 1000], &[(A, 7, &[1, 2, 3, 4, 5, 6, 7])]);
        story.until(5.0).told()
    };
    let calls = "
        0 look up A
        0.08 look up B
        0.16 create 7 on B
        0.3 assign 3 to e1
        0.7 refused: InvalidVSwitchId.IpNotEnough
        0.76 attach e2";
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    let (told, mut expected): (Vec<String>, Vec<String>) = (lines(&story(node(3, 10, 10, 20))), lines(calls));
    assert_eq!(told[..6].to_vec(), expected);
    assert_eq!(told[6..], ["1.8 crashed: NilInterface"]);
    let mut harmless = node(3, 10, 10, 20);
    harmless.profile.defects = harmless.profile.defects.with(Defect::NilInterface, false);
    expected.truncate(6);
    assert_eq!(lines(&story(harmless)), expected);
}

/// P61: giving an address back while an interface is created kills it too, and callers hear of it.
#[test]
fn p61_a_trim_beside_a_new_interface_kills_the_daemon() {
    let pods: Vec<u32> = (1..=10).collect();
    let mut story = Story::with(node(3, 10, 0, 1), &[100], &[(A, 10, &pods)]);
    story.at(1.0).add(11).at(2.0).del(2).at(2.5).del(3);
    story.until(10.0).tells(
        "1 create 1 on A
         1.6 attach e2
         2 p2 left e1
         2.5 p3 left e1
         2.5 p11 failed: Restart
         2.5 crashed: NilInterface",
    );
    assert!(story.daemon.is_stopped());
    assert_eq!(story.daemon.defect(), Some(Defect::NilInterface));
    // The interface was attached, so the next start adopts it (G10).
    story.at(12.0).add(11).tells("12 p11 failed: Down");
    story.restart(|_| ()).add(11).tells("12 unassign 1 of e1\n 12 p11 on e1").holds(2, 11).usage(1, 9);
}

/// P85, T20: under v1.1.0 the first failed assign stops everything that has to do with addresses.
#[test]
fn p85_a_failed_assign_freezes_v1_1_0() {
    let mut story = Story::with(of(Version::V1_1_0, 2, 10, 0, 10), &[0], &[(A, 4, &[1, 2, 3])]);
    story.at(1.0).add(4).add(5).until(5.0).tells(
        "1 p4 on e1
         1.3 assign 1 to e1
         1.7 refused: InvalidVSwitchId.IpNotEnough
         1.7 stuck: RollbackDeadlock",
    );
    story.free(A, 100).at(10.0).add(6).until(20.0).tells("");
    // A release holds the pool's lock for ever, and every call waits behind it (P39).
    story.at(30.0).del(1).at(31.0).add(7).until(3600.0).tells(
        "121 p5 failed: Deadline
         130 p6 failed: Deadline
         151 p7 failed: Deadline",
    );
    story.at(3600.0).restart(|_| ()).add(8).until(3610.0).tells("3600.3 assign 1 to e1\n 3600.7 p8 on e1");
    // Later versions only pause (P84).
    let mut later = Story::with(of(Version::V1_2_0, 2, 10, 0, 10), &[0], &[(A, 4, &[1, 2, 3, 4])]);
    later.at(1.0).add(5).until(5.0).skip().at(30.0).del(1).tells("30 p1 left e1");
}

/// A1: a queue full of results, a new interface that waits for room with its lock held, and the refill
/// that would make room waits for the interface. Off by default.
#[test]
fn a1_a_refill_and_a_new_interface_wait_for_each_other() {
    let story = |lock_up: bool| {
        let mut config = node(2, 20, 19, 20);
        config.profile.defects = config.profile.defects.with(Defect::ResultDeadlock, lock_up);
        // The assign of ten ends in the instant in which the new interface is ready: the queue takes ten.
        let mut story = Story::with(config, &[100], &[(A, 11, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])]);
        story.fault(Api::AssignPrivateIpAddresses, Fault::Slow(6.3 + 0.16));
        story.until(100.0);
        story
    };
    let mut harmless = story(false);
    assert_eq!(harmless.daemon.defect(), None);
    harmless.usage(19, 11);
    assert_eq!(story(true).daemon.defect(), Some(Defect::ResultDeadlock));
}

/// P107: an interface beyond `max_eni` has no slot; giving the last of them up waits for one.
#[test]
fn p107_a_slot_that_was_never_taken_is_waited_for() {
    let there: [(_, _, &[u32]); 2] = [(A, 1, &[]), (A, 1, &[])];
    for (defect, expected) in [(true, Some(Defect::SlotDeadlock)), (false, None)] {
        let mut config = node(1, 10, 0, 0);
        config.profile.defects = config.profile.defects.with(Defect::SlotDeadlock, defect);
        let mut story = Story::with(config, &[100], &there);
        story.until(60.0).holds(0, 0);
        assert_eq!(story.daemon.defect(), expected);
        // A pod gets an interface all the same, and that sets the loop free.
        story.at(60.0).add(1).until(70.0).usage(0, 1);
    }
}

/// Killed and stopped daemons answer nothing, and what they asked for happens.
#[test]
fn p108_a_daemon_that_is_down_serves_nobody() {
    let mut story = Story::new(node(2, 10, 0, 10), &[100]);
    story.at(1.0).add(1).at(2.0).input(Input::Kill).tells("1 create 1 on A\n 1.6 attach e1\n 2 p1 failed: Restart");
    story.input(Input::Allocate { pod: PodId(1), stateful: false }).tells("2 p1 failed: Down");
    story.until(20.0).tells("").holds(1, 1);
    story.at(20.0).restart(|_| ()).add(1).tells("20 p1 on e1");
}

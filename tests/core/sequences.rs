//! The sequences of calls and their back-offs (rules R95 to R110).

use brimline::ipam::node_local::Config;
use brimline::openapi::{Api, ErrorCode};

use crate::story::{Fault, Story, node};

/// R100 (trap 37): a new interface that does not look attached costs five seconds, then ten.
#[test]
fn r100_an_unlucky_look_costs_five_seconds() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::DescribeNetworkInterfaces, Fault::NotInUse);
    story.fault(Api::DescribeNetworkInterfaces, Fault::NotInUse);
    story.at(0.0).add(1).until(60.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         3.4 look at e1
         8.5 look at e1
         18.6 look at e1
         18.7 p1 on e1",
    );
}

/// R100, R62: after six looks creating has failed and the interface is to be deleted.
#[test]
fn r100_after_six_looks_the_interface_is_given_up() {
    let mut story = Story::new(node(1, 10), &[50]);
    for _ in 0..6 {
        story.fault(Api::DescribeNetworkInterfaces, Fault::NotInUse);
    }
    story.at(0.0).add(1).until(200.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         3.4 look at e1
         8.5 look at e1
         18.6 look at e1
         38.7 look at e1
         78.8 look at e1
         118 p1 failed: Deadline
         158.9 look at e1
         159 detach e1
         164.5 delete e1
         166 look at e1",
    );
}

/// R100: instance metadata is looked at each second, for ten seconds; then creating has failed.
#[test]
fn r100_metadata_is_polled_each_second() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::AttachNetworkInterface, Fault::Unseen(4.2));
    story.at(0.0).add(1).until(60.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         6.4 look at e1
         6.5 p1 on e1",
    );
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::AttachNetworkInterface, Fault::Unseen(11.0));
    story.at(0.0).add(1).at(20.0).del(1).until(22.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         20 detach e1",
    );
}

/// R101: the sixty seconds that creating may take begin before the create call; once they are
/// over the interface is not attached any more.
#[test]
fn r101_a_slow_create_call_leaves_no_time_to_attach() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::CreateNetworkInterface, Fault::Slow(61.0));
    story.at(0.0).add(1).until(130.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         118 p1 failed: Deadline
         118 detach e1
         123.5 delete e1
         125 look at e1",
    );
}

/// R98: CreateNetworkInterface is repeated once on the same vSwitch after Throttling or
/// InternalError, ten seconds later; a second failure ends the attempt.
#[test]
fn r98_create_is_repeated_once_when_throttled() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::CreateNetworkInterface, Fault::Refuse(ErrorCode::Throttling));
    story.fault(Api::CreateNetworkInterface, Fault::Refuse(ErrorCode::Internal));
    story.at(0.0).add(1).until(12.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 refused: Throttling
         10.9 create 1 on A
         11.4 refused: InternalError
         11.7 create 1 on A",
    );
}

/// R104: AssignPrivateIpAddresses is repeated up to five times, five seconds apart, when
/// throttled; then the attempt has failed, without an inhibit window (R60).
#[test]
fn r104_assign_is_repeated_five_times_when_throttled() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0).add(1).until(10.0).skip();
    for _ in 0..6 {
        story.fault(Api::AssignPrivateIpAddresses, Fault::Refuse(ErrorCode::Throttling));
    }
    story.at(10.0).add(2).until(60.0);
    let told = story.told();
    let calls: Vec<_> = told.lines().filter(|line| line.contains("assign")).collect();
    let expected = ["10.3", "15.8", "21.3", "26.8", "32.3", "37.8", "38.6"].map(|at| format!("{at} assign 1 to e1"));
    assert_eq!(calls, expected);
    assert!(told.ends_with("40.1 p2 on e1\n"), "{told}");
}

/// R105: addresses that instance metadata does not show within ten seconds are given back; the
/// request stays queued and new ones are asked for.
#[test]
fn r105_unseen_addresses_are_given_back() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0).add(1).until(10.0).skip();
    story.fault(Api::AssignPrivateIpAddresses, Fault::Unseen(60.0));
    story.at(10.0).add(2).until(60.0).tells(
        "10.3 assign 1 to e1
         21.1 assign 1 to e1
         22.6 p2 on e1
         22.6 unassign 1 of e1",
    );
    story.holds(1, 2).usage(0, 2);
}

/// CC28, R68, R108: addresses are given back ten a call; entries leave when metadata no longer
/// shows them.
#[test]
fn cc28_addresses_are_given_back_ten_a_call() {
    let mut story = trimmed(&[]);
    // 14 idle addresses beside one in use, and the rounds of the trim are spent on the primary
    // address or on others (R67); the pod holds one.
    let told = story.until(60.0).told();
    let calls: Vec<_> = told.lines().filter(|line| line.contains("unassign")).collect();
    assert_eq!(calls.len(), 2, "{told}");
    assert!(calls[0].ends_with("unassign 10 of e1"), "{told}");
}

/// R68, R108: a refused call is repeated five seconds later; the entries stay.
#[test]
fn r108_giving_back_is_repeated_after_any_error() {
    let mut story = trimmed(&[ErrorCode::IpPerEni, ErrorCode::Throttling]);
    let told = story.until(60.0).told();
    let calls: Vec<_> = told.lines().filter(|line| line.contains("unassign 10")).collect();
    assert_eq!(calls, ["30 unassign 10 of e1", "35.5 unassign 10 of e1", "41 unassign 10 of e1"]);
}

/// An interface with fifteen addresses and one pod on it, not the primary one's; the daemon
/// restarts at 30 s with room for ten addresses, so that all idle ones are given back (R138).
/// The cloud refuses that with `refusals` first.
fn trimmed(refusals: &[ErrorCode]) -> Story {
    let mut story = Story::new(node(1, 20), &[50]);
    story.at(0.0);
    for pod in 1..=15 {
        story.add(pod);
    }
    story.until(20.0);
    for pod in 1..=14 {
        story.del(pod);
    }
    for &code in refusals {
        story.fault(Api::UnassignPrivateIpAddresses, Fault::Refuse(code));
    }
    story.at(30.0).skip().restart(node(1, 10));
    story
}

/// R109, R96: detach, five seconds, delete; looks one and three seconds after it; given up six
/// seconds after it, whereupon the sequence begins again with a token of its own, and finds the interface gone.
#[test]
fn r109_a_delete_that_is_not_confirmed_begins_again() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::Internal));
    story.at(0.0).add(1).at(2.0).skip();
    story.fault(Api::DescribeNetworkInterfaces, Fault::StillThere);
    story.fault(Api::DescribeNetworkInterfaces, Fault::StillThere);
    story.at(10.0).del(1).until(60.0).tells(
        "10 detach e1
         15.5 delete e1
         17 look at e1
         19.1 look at e1
         22.2 detach e1
         27.7 delete e1
         28.2 refused: InvalidEniId.NotFound",
    );
}

/// R109: any error of the sequence begins it again, at the pace of the slot's tokens (R68).
#[test]
fn r109_a_failed_delete_begins_again() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::Internal));
    story.fault(Api::DetachNetworkInterface, Fault::Refuse(ErrorCode::Throttling));
    story.fault(Api::DeleteNetworkInterface, Fault::Refuse(ErrorCode::Internal));
    story.at(0.0).add(1).at(2.0).del(1).skip().until(60.0);
    let told = story.told();
    // The bucket had two tokens; the create took one.
    assert_eq!(
        told,
        "2.5 refused: Throttling
6.3 detach e1
11.8 delete e1
12.3 refused: InternalError
12.3 detach e1
17.8 delete e1
19.3 look at e1
"
    );
}

/// R109: thirty seconds from the detach bound the sequence: after them nothing is deleted, and
/// looking for its end is cut short; it begins again.
#[test]
fn r109_a_sequence_has_thirty_seconds() {
    let deleting = |detach: f64| {
        let mut story = Story::new(node(1, 10), &[50]);
        story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::Internal));
        story.fault(Api::DetachNetworkInterface, Fault::Slow(detach));
        story.at(0.0).add(1).at(2.0).skip();
        story.fault(Api::DescribeNetworkInterfaces, Fault::StillThere);
        story.fault(Api::DescribeNetworkInterfaces, Fault::StillThere);
        story.at(10.0).del(1);
        story
    };
    deleting(26.0).until(42.0).tells("10 detach e1\n41 detach e1");
    deleting(20.0).until(50.0).tells(
        "10 detach e1
         35 delete e1
         36.5 look at e1
         38.6 look at e1
         40 detach e1
         45.5 delete e1
         46 refused: InvalidEniId.NotFound",
    );
}

/// R109: releases before v1.17.1 do not look whether a deleted interface is gone.
#[test]
fn r109_older_releases_do_not_confirm() {
    let mut story = Story::new(Config { confirm_delete: false, ..node(1, 10) }, &[50]);
    story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::Internal));
    story.at(0.0).add(1).at(2.0).skip().del(1).until(60.0).tells("2 detach e1\n7.5 delete e1");
    story.holds(0, 0);
}

/// R110, CC54: a client-side limit delays calls: so many at once, then so many a minute.
#[test]
fn r110_the_client_side_limit_delays_calls() {
    let mut rate_limit = [None; Api::ALL.len()];
    rate_limit[Api::CreateNetworkInterface.index()] = Some(2);
    let mut story = Story::new(Config { rate_limit, ..node(3, 1) }, &[50]);
    let told = story.at(0.0).add(1).add(2).add(3).until(100.0).told();
    let creates: Vec<_> = told.lines().filter(|line| line.contains("create")).collect();
    assert_eq!(creates, ["0.4 create 1 on A", "0.4 create 1 on A", "30.4 create 1 on A"]);
    assert!(told.ends_with("33.4 look at e3\n33.5 p3 on e3\n"), "{told}");
}

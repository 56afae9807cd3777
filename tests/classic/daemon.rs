//! The daemon's calls: one at a time per pod, deadlines, retention, the collection, restarts.

use brimline::ipam::Fate;
use brimline::ipam::classic::Config;
use brimline::openapi::Api;
use brimline::time::Span;

use crate::story::{A, B, Fault, Story, node};

fn collecting(slots: u32, ips: u32) -> Config {
    Config { gc_period: Some(Span::mins(5)), ..node(slots, ips, 0, slots * ips) }
}

/// P92, P95, P96, T16: a call that is given up goes on; other calls for the pod fail meanwhile, and its
/// address becomes idle.
#[test]
fn p95_a_late_address_becomes_idle() {
    let mut story = Story::new(node(1, 10, 0, 10), &[100]);
    story.fault(Api::AttachNetworkInterface, Fault::Slow(150.0)).at(1.0).add(1);
    story.until(122.0).tells("1 create 1 on A\n 1.6 attach e1\n 121 p1 failed: Deadline");
    story.at(130.0).add(1).tells("130 p1 failed: Processing");
    story.until(160.0).tells("156.6 look at e1").usage(1, 0);
    story.at(170.0).add(1).tells("170 p1 on e1");
}

/// P93, P23: a pod whose address is retained gets it back, and nothing else changes. Another pod that has
/// nothing retained takes the one that was idle longest (C27).
#[test]
fn c27_a_pod_gets_its_retained_address_back() {
    let mut story = Story::with(collecting(1, 10), &[100], &[(A, 3, &[1])]);
    let had = story.address(1);
    story.at(1.0).del_then(1, Fate::Retained).usage(2, 1);
    story.at(2.0).add_stateful(1).tells("2 p1 on e1 again").usage(2, 1);
    assert_eq!(story.address(1), had);
    story.at(3.0).add(2).tells("3 p2 on e1");
    assert_ne!(story.address(2), had);
}

/// C28, P99, P100, T17: the first collection comes five minutes after the start; it spares what a stateful
/// pod left, and the second gives it back.
#[test]
fn c28_the_second_collection_gives_a_retained_address_back() {
    let mut story = Story::with(collecting(1, 10), &[100], &[(A, 3, &[1, 2, 3])]);
    story.at(1.0).del_then(1, Fate::Retained).del_then(2, Fate::Leaked).until(299.0).tells("").usage(0, 3);
    story.until(301.0).tells("300 p2 left e1").usage(1, 2);
    story.until(599.0).tells("").until(601.0).tells("600 p1 left e1").usage(2, 1);
}

/// P99: the collection waits until no call is under way, and calls wait for it.
#[test]
fn p99_calls_wait_for_a_collection_that_waits_for_calls() {
    let mut story = Story::with(collecting(2, 10), &[100], &[(A, 3, &[])]);
    story.at(298.0).add(1).add(2).add(3).skip().fault(Api::AssignPrivateIpAddresses, Fault::Slow(20.0));
    story.add(4).at(300.5).add(5).at(310.0).del(1).until(318.0).tells("298.3 assign 1 to e1");
    story.until(330.0).tells(
        "318.3 p4 on e1
         318.3 p1 left e1
         318.6 assign 1 to e1
         319 p5 on e1",
    );
}

/// C26, P24, T18: what is reserved is not given back before its time, and a pod takes it all the same.
#[test]
fn c26_a_reservation_keeps_from_the_trim_only() {
    let mut story = Story::new(node(1, 10, 0, 0), &[100]);
    story.fault(Api::AttachNetworkInterface, Fault::Slow(150.0)).at(1.0).add_stateful(1);
    story.until(200.0).skip().usage(1, 0);
    story.until(450.0).tells("").at(450.0).add(2).tells("450 p2 on e1");
    let mut left = Story::new(node(1, 10, 0, 0), &[100]);
    left.fault(Api::AttachNetworkInterface, Fault::Slow(150.0)).at(1.0).add_stateful(1);
    // Idle at 156.7 s, reserved until 456.7 s, and gone with the first tick after that.
    left.until(479.0).skip().until(500.0).tells("480 detach e1\n 485.7 delete e1");
}

/// A waiting pod that is deleted is forgotten; what was asked for it becomes idle.
#[test]
fn p96_a_deleted_pods_address_becomes_idle() {
    let mut story = Story::with(node(1, 10, 0, 10), &[100], &[(A, 1, &[1])]);
    story.at(1.0).add(2).at(1.5).del(2).until(10.0).tells("1.3 assign 1 to e1").usage(1, 1);
}

/// P104, P105: a start finds interfaces and pods again; what is idle is so in the order of metadata.
#[test]
fn p105_a_start_finds_interfaces_and_pods_again() {
    let there: [(_, _, &[u32]); 2] = [(A, 3, &[1]), (B, 2, &[2])];
    let mut story = Story::with(node(3, 10, 0, 10), &[100, 100], &there);
    story.at(1.0).restart(|config| config.vswitches = vec![A]).usage(3, 2);
    story.add(3).add(4).add(5).tells("1 p3 on e1\n 1 p4 on e1\n 1 p5 on e2");
}

/// P60, P104: a restart forgets inhibitions and the sleep of the loop.
#[test]
fn p104_a_restart_forgets_inhibitions_and_sleeps() {
    let mut story = Story::with(node(1, 10, 5, 10), &[0], &[(A, 2, &[1, 2])]);
    story.until(10.0).tells("0.3 assign 5 to e1\n 0.7 refused: InvalidVSwitchId.IpNotEnough").free(A, 8);
    story.at(60.0).restart(|_| ()).until(70.0).tells("60.3 assign 5 to e1").usage(5, 2);
}

/// G3: addresses that an assign of the former life brings after the start are on the interface and known
/// to nobody until the next start.
#[test]
fn g3_addresses_that_come_after_the_start_are_unknown() {
    let mut story = Story::with(node(1, 10, 3, 10), &[100], &[(A, 1, &[1])]);
    story.until(0.5).tells("0.3 assign 3 to e1").restart(|config| config.sizes.min_idle = 0);
    story.until(300.0).tells("").usage(0, 1).holds(1, 4);
    story.at(300.0).restart(|_| ()).usage(3, 1);
}

/// P106: an address that the former life gave back may be handed out once more, if that takes effect after
/// the start has seen it: the pod has an address that is not there.
#[test]
fn p106_an_address_on_its_way_back_is_handed_out() {
    let mut story = Story::with(node(1, 10, 0, 1), &[100], &[(A, 3, &[1])]);
    story.until(0.1).tells("0 unassign 1 of e1").restart(|config| config.sizes.max_idle = 9).add(2);
    story.until(5.0).tells("0.1 p2 on e1").usage(1, 2).holds(1, 2);
}

/// P80: an interface that is created and not attached when the daemon restarts is nobody's.
#[test]
fn p80_an_interface_that_is_not_attached_leaks() {
    let mut story = Story::new(node(1, 10, 5, 10), &[100]);
    story.until(0.5).skip().restart(|config| config.sizes.min_idle = 0).until(300.0).tells("").usage(0, 0);
    story.holds(1, 5);
    assert_eq!(story.left(A), 95);
}

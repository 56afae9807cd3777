//! Which interface a request goes to, who is served, and what a release does (rules R45 to R75).

use brimline::id::{EniId, PodId};
use brimline::ipam::node_local::{Config, EniSelection};
use brimline::ipam::{Failure, Input, Release};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{Fault, Story, node};

/// The story of a node with one served pod on `e1`, at 10 s.
fn one_served(slots: u32, ips: u32) -> Story {
    let mut story = Story::new(node(slots, ips), &[50]);
    story.at(0.0).add(1).until(10.0).skip().usage(0, 1);
    story
}

/// R52 to R54, R100: the request gathers for 0.3 s; creating takes two seconds from attach to the
/// first look; the primary address serves. A lone pod makes an interface of one address (trap 10).
#[test]
fn a_lone_pod_creates_an_interface_with_one_address() {
    let mut story = Story::new(node(2, 10), &[50]);
    story.at(0.0).add(1).until(60.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         3.4 look at e1
         3.5 p1 on e1",
    );
    story.holds(1, 1).usage(0, 1);
}

/// CC1, R69: a released address is idle at once, on the same interface, and goes to the next pod
/// without a call. Nothing is given back to the cloud.
#[test]
fn cc1_a_released_address_serves_the_next_pod() {
    let mut story = one_served(2, 10);
    story.at(20.0).del(1).tells("20 one of e1 idle").usage(1, 0);
    story.at(30.0).add(2).until(600.0).tells("30 p2 on e1").holds(1, 1);
}

/// CC2, CC3: a release that names an interface which the slot does not have is handled by nobody.
/// R69: nor does a release by another pod free the address.
#[test]
fn cc3_a_release_of_another_interface_does_nothing() {
    let mut story = one_served(2, 10);
    let address = story.address(1);
    for (pod, eni) in [(1, EniId(7)), (2, EniId(0))] {
        let release = Release { pod: PodId(pod), eni, address, then: brimline::ipam::Fate::Idle };
        story.at(20.0).input(Input::Release(release)).tells("").usage(0, 1);
    }
}

/// CC5, R58: a cancelled request leaves the queue and nobody is called for it.
#[test]
fn cc5_a_cancelled_request_is_not_asked_for() {
    let mut story = one_served(1, 10);
    story.at(20.0).add(2).at(20.1).del(2).until(60.0).tells("").holds(1, 1);
}

/// R53 (trap 30): an empty slot's worker does not look again after gathering, so an interface is
/// created for a pod that is gone.
#[test]
fn r53_an_interface_is_created_for_nobody() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0).add(1).at(0.1).del(1).until(60.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         3.4 look at e1",
    );
    story.usage(1, 0);
}

/// CC25, R53, R55: at most ten addresses a call; what queues meanwhile is assigned after it.
#[test]
fn cc25_calls_take_ten_requests_at_most() {
    let mut story = Story::new(node(1, 20), &[50]);
    story.at(0.0);
    for pod in 1..=13 {
        story.add(pod);
    }
    let told = story.until(60.0).told();
    assert!(told.contains("0.4 create 10 on A") && told.contains("3.8 assign 3 to e1"), "{told}");
    story.usage(0, 13).holds(1, 13);
}

/// CC24, R55, R56: of two requests the cloud serves one; the other stays queued and is asked for
/// again.
#[test]
fn cc24_what_the_cloud_does_not_hand_out_is_asked_for_again() {
    let mut story = one_served(1, 10);
    story.fault(Api::AssignPrivateIpAddresses, Fault::Only(1));
    story.at(20.0).add(2).add(3).until(60.0).tells(
        "20.3 assign 2 to e1
         21.8 p3 on e1
         22.1 assign 1 to e1
         23.6 p2 on e1",
    );
}

/// R54: of a new interface that came with fewer addresses than asked for, the surplus waiters
/// have nothing queued any more and wait for their deadline.
#[test]
fn r54_a_new_interface_with_too_few_addresses_leaves_waiters_behind() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::CreateNetworkInterface, Fault::Only(1));
    story.at(0.0).add(1).add(2).until(200.0).tells(
        "0.3 look up A
         0.4 create 2 on A
         0.9 attach e1
         3.4 look at e1
         3.5 p2 on e1
         118 p1 failed: Deadline",
    );
}

/// CC21, R58: when a queued request takes an address, the oldest one that waits with nothing
/// queued is asked for in its place: demand is conserved.
#[test]
fn cc21_a_stolen_address_is_made_again() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::CreateNetworkInterface, Fault::Only(1));
    // p1 is left behind with nothing queued (R54), p3 is queued; the metadata sync of 60 s wakes
    // both, and p3 takes the address that p2 left.
    story.at(0.0).add(1).add(2).until(59.0).skip();
    story.at(59.8).del(2).at(59.9).add(3).tells("59.8 one of e1 idle\n59.9 p3 on e1");
    story.at(59.92).add(4).at(59.95).del(3).skip();
    story.until(70.0).tells(
        "60 p4 on e1
         60.22 assign 1 to e1
         61.72 p1 on e1",
    );
}

/// CC23, CC36, R71 to R73: most_ips fills the interface with most addresses, by a call although
/// another has an idle one; a node that is full refuses at once.
#[test]
fn cc36_most_ips_fills_one_interface_before_the_next() {
    let mut story = Story::new(node(2, 2), &[50]);
    story.at(0.0).add(1).add(2).add(3).until(20.0).skip().usage(0, 3);
    // e1 has two addresses, e2 one. p2 leaves e1: the idle address is used first.
    story.at(20.0).del(1).at(21.0).add(4).tells("20 one of e1 idle\n21 p4 on e1");
    story.at(22.0).add(5).until(40.0).tells("22.3 assign 1 to e2\n23.8 p5 on e2");
    story.at(40.0).add(6).tells("40 p6 failed: NodeFull");
    assert!(story.sufficient(), "a full node does not lack vSwitch addresses (R74)");
}

/// CC65, R73 (trap 12): least_ips offers a request to empty slots first, so idle addresses stay
/// unused while pods create interfaces.
#[test]
fn cc65_least_ips_bypasses_idle_addresses() {
    let config = Config { eni_selection: EniSelection::LeastIps, ..node(3, 10) };
    let mut story = Story::new(config, &[50]);
    story.at(0.0).add(1).add(2).until(10.0).skip();
    story.at(10.0).del(1).del(2).skip().usage(2, 0);
    story.at(20.0).add(3).until(30.0).at(30.0).add(4).until(40.0).tells(
        "20.3 create 1 on A
         20.8 attach e2
         23.3 look at e2
         23.4 p3 on e2
         30.3 create 1 on A
         30.8 attach e3
         33.3 look at e3
         33.4 p4 on e3",
    );
    story.usage(2, 2);
}

/// R71, R73: nor does least_ips let a pod join an interface in the making while a slot is empty.
#[test]
fn r71_least_ips_prefers_an_empty_slot_to_a_creating_one() {
    let config = Config { eni_selection: EniSelection::LeastIps, ..node(2, 10) };
    let mut story = Story::new(config, &[50]);
    story.at(0.0).add(1).at(1.0).add(2).until(2.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         1.3 create 1 on A
         1.8 attach e2",
    );
    let mut story = Story::new(node(2, 10), &[50]);
    story.at(0.0).add(1).at(1.0).add(2).until(6.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         3.4 look at e1
         3.5 p2 on e1
         3.8 assign 1 to e1
         5.3 p1 on e1",
    );
}

/// CC66, R73: a creating slot accepts up to its cap before an empty one is used; all 38 pods have
/// their address 5.3 s after the start. The golden cases hold the same with other latencies.
#[test]
fn cc66_a_burst_fills_a_creating_slot_first() {
    let mut story = Story::new(node(2, 20), &[50]);
    story.at(0.0);
    for pod in 1..=38 {
        story.add(pod);
    }
    let told = story.until(60.0).told();
    let calls: Vec<_> = told.lines().filter(|line| line.contains("create") || line.contains("assign")).collect();
    assert_eq!(calls, ["0.4 create 10 on A", "0.4 create 10 on A", "3.8 assign 10 to e1", "3.8 assign 8 to e2"]);
    assert_eq!(told.lines().last().map(|line| line.split(' ').next()), Some(Some("5.3")));
    story.usage(0, 38);
}

/// CC35: without any slot the answer is an immediate error; a slot that never answers lets the
/// request run into its deadline.
#[test]
fn cc35_no_slot_fails_at_once_and_a_silent_one_at_the_deadline() {
    Story::new(node(0, 10), &[50]).at(1.0).add(1).until(300.0).tells("1 p1 failed: NodeFull");
    let mut story = Story::new(node(1, 10), &[50]);
    story.fault(Api::DescribeVSwitches, Fault::Slow(1000.0));
    story.at(1.0).add(1).until(300.0).tells("1.3 look up A\n119 p1 failed: Deadline");
}

/// R49, R111 (trap 10): two assign calls at once, then one in six seconds: pods that come one by
/// one are served at that pace. Not in their order: Go runs the goroutine first that was woken
/// last (R151).
#[test]
fn r49_an_interface_grows_by_one_call_in_six_seconds() {
    let mut story = one_served(1, 10);
    for i in 0..5 {
        story.at(20.0 + 2.0 * f64::from(i)).add(2 + i);
    }
    story.until(60.0).tells(
        "20.3 assign 1 to e1
         21.8 p2 on e1
         22.3 assign 1 to e1
         23.8 p3 on e1
         26.3 assign 1 to e1
         27.8 p5 on e1
         32.3 assign 2 to e1
         33.8 p6 on e1
         33.8 p4 on e1",
    );
}

/// CC31, R60: only three codes inhibit a slot, the room of the instance for one minute and the
/// lack of addresses for ten; during the window it refuses what needs a new address.
#[test]
fn cc31_codes_decide_how_long_a_slot_is_inhibited() {
    let cases = [
        (ErrorCode::EniPerInstance, Some(60.0)),
        (ErrorCode::IpNotEnough, Some(600.0)),
        (ErrorCode::QuotaPrivateIp, Some(600.0)),
        (ErrorCode::IpPerEni, None),
    ];
    for (code, window) in cases {
        let mut story = one_served(1, 10);
        story.fault(Api::AssignPrivateIpAddresses, Fault::Refuse(code));
        // Refused at 20.8.
        story.at(20.0).add(2).at(20.9).del(2).skip();
        let Some(window) = window else {
            // The worker has begun to gather at once.
            story.at(21.0).add(3).until(24.0).tells("21.1 assign 1 to e1\n22.6 p3 on e1");
            continue;
        };
        story.at(20.7 + window).add(3).until(20.75 + window).tells(&format!("{} p3 failed: Inhibited", 20.7 + window));
        story.at(20.9 + window).add(4).until(24.0 + window).tells(&format!(
            "{:.1} assign 1 to e1\n{:.1} p4 on e1",
            21.2 + window,
            22.7 + window
        ));
    }
}

/// CC14, R50: an inhibited slot still serves from its idle addresses.
#[test]
fn cc14_an_inhibited_slot_serves_what_is_idle() {
    let mut story = one_served(1, 10);
    story.fault(Api::AssignPrivateIpAddresses, Fault::Refuse(ErrorCode::IpNotEnough));
    story.at(20.0).add(2).at(20.9).del(2).at(21.0).del(1).skip();
    story.at(22.0).add(3).add(4).tells("22 p3 on e1\n22 p4 failed: Inhibited");
}

/// R112: the deadline of a call is the daemon's own 118 s, from its arrival on.
#[test]
fn r112_the_deadline_runs_from_the_arrival() {
    let config = Config { rpc_timeout: Span::secs(30), ..node(1, 10) };
    let mut story = Story::new(config, &[0]);
    story.at(5.0).add(1).at(20.0).add(2).until(60.0).tells(
        "5.3 look up A
         35 p1 failed: Deadline
         50 p2 failed: Deadline",
    );
}

/// R131: the texts of a pod's event.
#[test]
fn r131_pods_are_told_what_terway_tells_them() {
    let text = |failure: Failure| failure.message().strip_prefix("cmdAdd: error alloc ip rpc error: ");
    for failure in [Failure::NodeFull, Failure::Inhibited] {
        assert_eq!(text(failure), Some("code = Unknown desc = no eni can handle the allocation"));
    }
    assert_eq!(text(Failure::Deadline), Some("code = DeadlineExceeded desc = context deadline exceeded"));
    for (i, failure) in Failure::ALL.into_iter().enumerate() {
        assert_eq!(failure.index(), i);
        assert!(text(failure).is_some());
    }
}

//! One pod and many, from their scheduling until their addresses are free again.

use std::sync::Arc;

use brimline::id::{NodeId, Uid, VSwitchId};
use brimline::ipam::centralized::{PodKey, Refusal};
use brimline::ipam::pod_eni::{AddFailure, Failure, Input, Kind, Network, Place, PodSpec, Policy};
use brimline::openapi::Api;
use brimline::time::Span;

use super::world::{NODE, TRUNK, World, at, elastic, secs, spec};

/// C148: look-up 0.08, create 0.6, informer 0.5, then attach call 0.8, sleep 3 and look 0.1; the
/// wait for it looks after 2, 3 and 4 seconds.
#[test]
fn c148_one_pod() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(30.0);
    assert_eq!(world.bound[&Uid(100)], at(0.08 + 0.6 + 0.5 + 4.0), "{:?}", world.left);
    assert_eq!(world.added[&Uid(100)], world.bound[&Uid(100)], "the daemon hears of it at once");
    assert_eq!((world.free[0], world.on_instance(NODE)), (9, 1), "C146: one address, an interface of its own");
    assert_eq!(world.calls[&Api::AttachNetworkInterface], 1);
    assert_eq!(world.failed, []);
}

/// C145, C148: a member waits for the trunk, with pauses that double, and its attach sleeps 2 s.
#[test]
fn c145_a_member_waits_for_the_trunk() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &spec(Kind::Member, &[0], None));
    world.run(10.0);
    assert!(world.failed.iter().all(|&(_, _, why)| why == Failure::NoTrunk) && world.failed.len() > 5);
    world.tell(Input::Trunk(NODE, Some(TRUNK)));
    world.pod(NODE, 2, 101, &spec(Kind::Member, &[0], None));
    world.run(40.0);
    assert_eq!(world.bound[&Uid(101)], at(10.0 + 0.6 + 0.5 + 3.0), "the count of the vSwitch is cached");
    // Nothing tells the controller of the trunk: the pause of the first pod goes on.
    assert_eq!(secs(world.bound[&Uid(100)]).round(), 14.0);
    assert!(world.enis.values().all(|eni| eni.place == Some(Place { node: NODE, trunk: Some(TRUNK) })));
    assert_eq!(world.on_instance(NODE), 0, "members take no place of the instance");
}

/// C156: a daemon that allocates itself looks after 2 s, and then every second; after a hundred looks in vain it
/// waits no longer.
#[test]
fn c156_a_daemon_that_allocates_looks_again_and_again() {
    let mut world = World::new(&[10]);
    world.tell(Input::Trunk(NODE, Some(TRUNK)));
    world.polled(NODE, 1, 100, &spec(Kind::Member, &[0], None));
    world.run(30.0);
    assert_eq!(secs(world.bound[&Uid(100)]).round(), 4.0, "0.08 + 0.6 + 0.5 + 3.0");
    assert_eq!(world.added[&Uid(100)], at(5.0));
    // What is bound already is found with the first look.
    world.run(40.5);
    world.tell(Input::Add { pod: PodKey(1), uid: Uid(100), came: at(40.5), polls: true });
    world.run(60.0);
    assert_eq!(world.added[&Uid(100)], at(42.5));
    let mut world = World::new(&[0]);
    world.tell(Input::Trunk(NODE, Some(TRUNK)));
    world.polled(NODE, 1, 100, &spec(Kind::Member, &[0], None));
    world.run(200.0);
    assert_eq!(world.add_failed, [(at(2.0 + 99.0), Uid(100), AddFailure::Deadline)]);
}

/// C149: ten interfaces are created at a time, and ten are attached.
#[test]
fn c149_thirty_pods_at_once() {
    let mut world = World::new(&[100]);
    for i in 0..30 {
        world.pod(NODE, i, i, &elastic(&[0]));
    }
    world.run(60.0);
    let times: Vec<_> = (0..30).map(|i| secs(world.bound[&Uid(i)])).collect();
    // A worker of `pod-eni` is busy for 4 s until the interface is attached, and 0.5 s more.
    assert!(times[..10].iter().all(|&t| (t - 5.18).abs() < 0.01), "{times:?}");
    assert!(times[10..20].iter().all(|&t| (t - 9.68).abs() < 0.01), "{times:?}");
    assert!(times[20..].iter().all(|&t| (t - 14.18).abs() < 0.01), "{times:?}");
    let creates = world.left.iter().filter(|(_, api)| *api == Api::CreateNetworkInterface);
    assert_eq!(creates.filter(|(left, _)| *left < at(1.6)).count(), 10, "a creation takes 1.6 s of a worker");
}

/// C151: Deleting, detach 0.7, sleep 3, look 0.1, delete 0.5, sleep 1, look 0.1.
#[test]
fn c151_the_address_is_back_after_the_pod() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(30.0);
    world.gone(1);
    world.run(60.0);
    assert_eq!(world.freed.len(), 1);
    assert_eq!(world.freed[0].0, at(30.0 + 0.7 + 3.0 + 0.1 + 0.5 + 1.0 + 0.1));
    assert_eq!((world.free[0], world.taken()), (10, 0));
    assert!(world.controller.pod_enis().is_empty() && world.controller.interfaces().is_empty());
}

/// C151: a pod that is told to end gets nothing any more.
#[test]
fn c151_nothing_is_created_for_a_pod_that_ends() {
    let mut world = World::new(&[0]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(1.0);
    world.tell(Input::Terminating(PodKey(1)));
    world.free[0] = 10;
    world.run(3000.0);
    assert!(!world.calls.contains_key(&Api::CreateNetworkInterface));
}

/// C147: the list's order; the refusal blocks the first for 20 minutes, and the next pod, or the
/// same one a moment later, takes the second without trying.
#[test]
fn c147_an_exhausted_vswitch_is_passed_over_for_twenty_minutes() {
    let mut world = World::new(&[1, 5]);
    for i in 0..4 {
        world.pod(NODE, i, i, &elastic(&[0, 1]));
    }
    world.run(30.0);
    assert_eq!(world.free, [0, 2]);
    // All four believe in the cached count; three are refused, each once.
    let refused = |world: &World| {
        world.failed.iter().filter(|(.., why)| *why == Failure::Create(Some(Refusal::IpNotEnough))).count()
    };
    assert_eq!(refused(&world), 3);
    world.free[0] = 3;
    world.run(1000.0);
    world.pod(NODE, 4, 4, &elastic(&[0, 1]));
    world.run(1100.0);
    assert_eq!(world.free, [3, 1], "blocked");
    world.run(1300.0);
    world.pod(NODE, 5, 5, &elastic(&[0, 1]));
    world.run(1400.0);
    assert_eq!(world.free, [2, 1], "looked up again");
    assert_eq!(refused(&world), 3);
}

/// C147, C149: nobody is told of a vSwitch that has addresses again: after the block, a pod waits
/// out the pause that it has come to, up to 1000 s.
#[test]
fn c149_pauses_outlast_the_block() {
    let mut world = World::new(&[0]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(60.0);
    world.free[0] = 10;
    world.run(4000.0);
    let bound = secs(world.bound[&Uid(100)]);
    // Looked up at 0; tries 5 ms × (2^n − 1) later: the last before 1200 s at 655, the next at 1311.
    assert!((1311.0..1330.0).contains(&bound), "{bound}");
    assert_eq!(world.calls[&Api::DescribeVSwitches], 2, "until then no call is made");
    assert_eq!(world.add_failed, [(at(118.0), Uid(100), AddFailure::Deadline)], "C156");
}

/// C154: an interface and an address for every network.
#[test]
fn c154_two_networks_are_two_interfaces() {
    let network = |id| Network { candidates: vec![VSwitchId(id)], policy: Policy::Most };
    let two = Arc::new(PodSpec { kind: Kind::Exclusive, networks: vec![network(0), network(1)], fixed: None });
    let mut world = World::new(&[10, 10]);
    world.pod(NODE, 1, 100, &two);
    world.run(30.0);
    assert_eq!((world.free.as_slice(), world.on_instance(NODE)), ([9, 9].as_slice(), 2));
    // Two look-ups one after the other, everything else at the same time.
    assert_eq!(world.bound[&Uid(100)], at(0.16 + 0.6 + 0.5 + 4.0));
    world.gone(1);
    world.run(60.0);
    assert_eq!(world.free, [10, 10]);
}

/// C155: an elastic pod that comes back under its name before its end was seen: the old interface
/// goes, and after 5 s at most it gets a new one.
#[test]
fn c155_a_foreign_uid() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(30.0);
    // Both events reach the queue as one.
    let (node, pod, spec) = (NodeId(0), PodKey(1), elastic(&[0]));
    world.tell(Input::Scheduled { node, pod, uid: Uid(101), spec });
    world.run(30.1);
    assert_eq!(world.controller.pod_enis().len(), 0, "it is deleted at once");
    world.run(60.0);
    assert_eq!(world.free[0], 9);
    assert!(world.bound[&Uid(101)] < at(30.0 + 5.0 + 5.2));
}

/// C157: creates of a burst beyond 500 wait for the client-side limit. Fifty workers each, so that
/// the limit is what holds them up.
#[test]
fn c157_the_limit_of_creates() {
    use brimline::ipam::pod_eni::Settings;
    let settings = Settings { jitter: false, pod_workers: 600, pod_eni_workers: 600, ..Settings::default() };
    let mut world = World::with(&[1000], settings, 1);
    (world.slots, world.settles) = (1000, Span::millis(1500));
    for i in 0..600 {
        world.pod(NODE, i, i, &elastic(&[0]));
    }
    world.run(60.0);
    let creates: Vec<_> =
        world.left.iter().filter(|(_, api)| *api == Api::CreateNetworkInterface).map(|(t, _)| secs(*t)).collect();
    assert_eq!(creates.len(), 600);
    assert!((creates[599] - (0.08 + 100.0 * 60.0 / 500.0)).abs() < 0.01, "{}", creates[599]);
}

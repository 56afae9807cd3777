//! The cloud refuses, the controllers restart.

use std::sync::Arc;

use brimline::id::Uid;
use brimline::id::VSwitchId;
use brimline::ipam::centralized::{PodKey, Refusal};
use brimline::ipam::pod_eni::{Failure, Input, Kind, Network, PodSpec, Policy};
use brimline::openapi::Api;
use brimline::time::{Instant, Span};

use super::world::{NODE, TRUNK, World, at, elastic, spec};

/// C150: one of two interfaces cannot be created: the other one is deleted again.
#[test]
fn c150_a_creation_is_rolled_back() {
    let network = |id| Network { candidates: vec![VSwitchId(id)], policy: Policy::Ordered };
    let two = Arc::new(PodSpec { kind: Kind::Exclusive, networks: vec![network(0), network(1)], fixed: None });
    let mut world = World::new(&[10, 1]);
    world.pod(NODE, 1, 100, &two);
    world.pod(NODE, 2, 101, &two);
    world.run(30.0);
    assert_eq!(world.bound.len(), 1);
    assert_eq!((world.free.as_slice(), world.freed.len()), ([9, 0].as_slice(), 1));
}

/// C69, C150: a create that is throttled is made once more after 10 s; then the code is lost.
#[test]
fn c150_a_throttled_create_is_tried_twice() {
    let mut world = World::new(&[10]);
    world.faults.push((Api::CreateNetworkInterface, at(0.0), at(12.0), Refusal::Transient));
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(40.0);
    assert_eq!(world.failed, [(at(0.08 + 0.6 + 10.0 + 0.6), PodKey(1), Failure::Create(None))]);
    assert!(world.bound.contains_key(&Uid(100)));
}

/// C148: an attach that is refused is tried again after 5 ms, 10 ms and so on, whatever the reason;
/// the pod holds its address meanwhile.
#[test]
fn c148_a_full_instance_refuses() {
    let mut world = World::new(&[10]);
    world.slots = 1;
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.pod(NODE, 2, 101, &elastic(&[0]));
    world.run(60.0);
    let refused = world.failed.iter().filter(|(.., why)| *why == Failure::Attach(Refusal::Full)).count();
    assert!((10..15).contains(&refused), "{refused}");
    assert_eq!((world.bound.len(), world.free[0]), (1, 8));
    world.gone(1);
    world.run(400.0);
    assert_eq!((world.bound.len(), world.free[0]), (2, 9));
}

/// C148: an attach that takes its time is looked at again after 3 s, and each time the call is made
/// again first. This cloud refuses it, so the look is never reached while it attaches.
#[test]
fn c148_each_look_begins_with_the_call() {
    let mut world = World::new(&[10]);
    world.settles = Span::secs(5);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(20.0);
    // Called at 1.18; not in use at 5.08: again after 3 s, and refused.
    assert_eq!(world.failed[0], (at(1.18 + 0.8 + 3.0 + 0.1 + 3.0 + 0.8), PodKey(1), Failure::Attach(Refusal::Other)));
}

/// C151: a slow detach is waited for with pauses of 3, 3, 4.5 s and so on between calls.
#[test]
fn c151_a_slow_detach_is_waited_for() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(30.0);
    world.settles = Span::secs(10);
    world.gone(1);
    world.run(100.0);
    assert_eq!(world.free[0], 10);
    // Detached at 40.7; calls at 30, 36.8, 43.6: the third look sees it.
    assert_eq!(world.calls[&Api::DetachNetworkInterface], 3);
}

/// C150: an interface whose create was answered to a dead process is in no PodENI: the sweep finds
/// it once it is ten minutes old. The pod gets another one.
#[test]
fn c150_a_leak_is_swept() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(0.5);
    world.restart();
    world.run(60.0);
    assert_eq!((world.bound.len(), world.free[0]), (1, 8));
    // Sweeps every ten minutes after the end of the last one, and the first at the restart.
    world.run(650.0);
    assert_eq!((world.taken(), world.free[0]), (1, 9));
    assert_eq!(world.freed, [], "the controllers have never known of it");
}

/// C4: whatever is under way when the process dies, the pod gets its interface in the end, and
/// nothing is left over when it is gone.
#[test]
fn c4_a_restart_at_any_time() {
    for tenths in 0..80 {
        let mut world = World::new(&[10]);
        world.settles = Span::millis(500);
        world.pod(NODE, 1, 100, &elastic(&[0]));
        world.run(f64::from(tenths) / 10.0);
        world.restart();
        world.run(300.0);
        let attach_was_called_twice = world.calls[&Api::AttachNetworkInterface] > 1;
        assert!(world.bound.contains_key(&Uid(100)) || attach_was_called_twice, "after {tenths} tenths");
        world.gone(1);
        world.run(3000.0);
        assert_eq!((world.taken(), world.free[0]), (0, 10), "after {tenths} tenths");
    }
}

/// C151: the pod goes at any time of its creation; nothing is left over.
#[test]
fn c151_gone_at_any_time() {
    for tenths in 0..80 {
        for kind in [Kind::Exclusive, Kind::Member] {
            let mut world = World::new(&[10]);
            world.tell(Input::Trunk(NODE, Some(TRUNK)));
            world.pod(NODE, 1, 100, &spec(kind, &[0], None));
            world.run(f64::from(tenths) / 10.0);
            world.gone(1);
            world.run(60.0);
            assert_eq!((world.taken(), world.free[0]), (0, 10), "{kind:?} after {tenths} tenths");
            assert!(world.controller.pod_enis().is_empty() && world.controller.interfaces().is_empty());
        }
    }
}

/// C151: the new pod of a name does not wait for the interface of the old one.
#[test]
fn c151_a_new_pod_of_the_name_does_not_wait() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(30.0);
    world.gone(1);
    world.pod(NODE, 1, 101, &elastic(&[0]));
    world.run(31.0);
    assert_eq!(world.free[0], 8, "both hold an address");
    world.run(60.0);
    assert_eq!((world.bound[&Uid(101)], world.free[0]), (at(30.0 + 0.6 + 0.5 + 4.0), 9));
}

/// C156: a PodENI at another trunk than the node's fails ADD at once.
#[test]
fn c156_another_trunk() {
    use brimline::id::EniId;
    use brimline::ipam::pod_eni::AddFailure;
    let mut world = World::new(&[10]);
    world.tell(Input::Trunk(NODE, Some(TRUNK)));
    world.pod(NODE, 1, 100, &spec(Kind::Member, &[0], None));
    world.run(30.0);
    world.tell(Input::Trunk(NODE, Some(EniId(8888))));
    world.tell(Input::Add { pod: PodKey(1), uid: Uid(100), came: at(30.0), polls: false });
    assert_eq!(world.add_failed, [(at(30.0), Uid(100), AddFailure::OtherTrunk)]);
}

/// Nothing happens without a reason: between two sweeps an idle cluster does nothing.
#[test]
fn an_idle_cluster_only_sweeps() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &elastic(&[0]));
    world.run(59.0);
    assert_eq!(world.controller.poll_timeout(), Instant::ZERO + Span::secs(60));
}

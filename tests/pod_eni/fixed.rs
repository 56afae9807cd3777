//! Fixed addresses: kept for the name of a pod (C152, C153).

use brimline::id::{NodeId, Uid};
use brimline::ipam::centralized::PodKey;
use brimline::ipam::pod_eni::{Failure, Input, Kind, Phase, Place, Retention, Settings};
use brimline::openapi::Api;
use brimline::time::Span;

use super::world::{NODE, World, at, secs, spec};

const HOUR: Option<Retention> = Some(Retention::After(Span::hours(1)));

fn fixed(retention: Option<Retention>) -> std::sync::Arc<brimline::ipam::pod_eni::PodSpec> {
    spec(Kind::Exclusive, &[0], retention)
}

/// C152: detached and kept, its address consumed; the next pod of that name has it again, on
/// another node too.
#[test]
fn c152_the_same_interface_comes_back() {
    let mut world = World::new(&[10]);
    world.tell(Input::Join(NodeId(1)));
    world.pod(NODE, 1, 100, &fixed(HOUR));
    world.run(30.0);
    let eni = *world.enis.keys().next().expect("it was created");
    world.gone(1);
    world.run(60.0);
    // Detach 0.7, sleep 3, look 0.1; looked at after 2, 3 and 4 s.
    assert_eq!(world.held, [(at(34.0), PodKey(1))]);
    assert_eq!((world.free[0], world.on_instance(NODE)), (9, 0));
    world.pod(NodeId(1), 1, 101, &fixed(HOUR));
    world.run(90.0);
    assert_eq!(world.bound[&Uid(101)], at(64.0));
    assert_eq!(world.enis[&eni].place, Some(Place { node: NodeId(1), trunk: None }));
    assert_eq!((world.free[0], world.calls[&Api::CreateNetworkInterface]), (9, 1));
}

/// C153: a sweep's stamp may be 126 s old when the pod goes, and the sweep that frees it up to
/// 126 s late.
#[test]
fn c153_released_within_two_sweeps_of_its_time() {
    for seed in 0..20 {
        let mut world = World::with(&[10], Settings::default(), seed);
        world.pod(NODE, 1, 100, &fixed(HOUR));
        world.run(1000.0 + seed as f64 * 7.0);
        world.gone(1);
        let gone = secs(world.now);
        world.run(gone + 3600.0 - 126.0);
        assert_eq!(world.freed, [], "seed {seed}");
        world.run(gone + 3600.0 + 126.0 + 3.0);
        assert_eq!((world.freed.len(), world.free[0]), (1, 10), "seed {seed}");
    }
}

/// C153: without jitter, to the second: stamped at 960, gone at 1000, so its time is up at 4560, when
/// a sweep looks.
#[test]
fn c153_the_time_counts_from_the_stamp() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &fixed(HOUR));
    world.run(1000.0);
    world.gone(1);
    world.run(10_000.0);
    assert_eq!(world.freed[0].0, at(4560.0 + 0.5 + 1.0 + 0.1));
}

/// C153 (`podRequirePodENI`, `eni_controller.go:905-925`): a pod that has come again and finds no node stamps its PodENI
/// too, so that its address is there when it does.
#[test]
fn c153_a_pod_without_a_node_keeps_its_address() {
    let minutes = Some(Retention::After(Span::mins(5)));
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &fixed(minutes));
    world.run(1000.0);
    world.gone(1);
    world.tell(Input::Recreated(PodKey(1)));
    world.run(10_000.0);
    assert_eq!((world.freed.len(), world.free[0]), (0, 9));
    world.pod(NODE, 1, 101, &fixed(minutes));
    world.run(10_030.0);
    assert!(world.bound.contains_key(&Uid(101)));
    world.gone(1);
    world.tell(Input::Recreated(PodKey(1)));
    world.run(20_000.0);
    world.gone(1);
    world.run(20_500.0);
    assert_eq!((world.freed.len(), world.free[0]), (1, 10), "whoever is deleted before it finds one does not");
}

/// C153: `Never`.
#[test]
fn c153_never() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &fixed(Some(Retention::Forever)));
    world.run(30.0);
    world.gone(1);
    world.run(100_000.0);
    assert_eq!((world.free[0], world.controller.pod_enis()[&PodKey(1)].phase), (9, Phase::Unbind));
}

/// C155: a foreign UID with a fixed address: detached, then given to the new pod.
#[test]
fn c155_a_foreign_uid_keeps_the_address() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &fixed(HOUR));
    world.run(30.0);
    world.tell(Input::Scheduled { node: NODE, pod: PodKey(1), uid: Uid(101), spec: fixed(HOUR) });
    world.run(60.0);
    assert!(world.bound.contains_key(&Uid(101)));
    assert_eq!((world.free[0], world.calls[&Api::CreateNetworkInterface]), (9, 1));
}

/// C152: what is kept is no elastic pod's: it waits until the record is gone, and creates nothing.
#[test]
fn c152_an_elastic_pod_is_refused() {
    let mut world = World::new(&[10]);
    world.pod(NODE, 1, 100, &fixed(Some(Retention::After(Span::mins(5)))));
    world.run(30.0);
    world.gone(1);
    world.run(60.0);
    world.pod(NODE, 1, 101, &spec(Kind::Exclusive, &[0], None));
    world.run(120.0);
    assert!(world.failed.contains(&(at(60.0), PodKey(1), Failure::NotReady)));
    assert!(!world.bound.contains_key(&Uid(101)));
}

/// Quirk: a pod with a fixed address that goes before a worker has its interface attached leaves
/// an interface that is never detached: it is held for ever, with a worker that waits for it.
#[test]
fn c152_an_interface_that_was_never_attached_is_stuck() {
    let mut world = World::new(&[100]);
    for i in 0..11 {
        world.pod(NODE, i, i, &fixed(HOUR));
    }
    // All created, ten being attached; the eleventh waits for a worker.
    world.run(3.0);
    let waits = |world: &World| world.controller.pod_enis().values().filter(|e| e.phase == Phase::Initial).count();
    assert_eq!(waits(&world), 11);
    world.gone(10);
    world.run(100_000.0);
    let stuck = &world.controller.pod_enis()[&PodKey(10)];
    assert_eq!((stuck.phase, world.freed.len()), (Phase::Detaching, 0));
    assert_eq!(world.controller.interfaces()[&stuck.interfaces[0]].phase, Phase::Detaching);
}

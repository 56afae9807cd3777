//! Random worlds: whatever happens, no address is lost or counted twice, and once the trouble is
//! over every pod that can have an interface has one.

use std::collections::BTreeMap;
use std::sync::Arc;

use brimline::chance::SmallStream;
use brimline::id::{NodeId, Uid, VSwitchId};
use brimline::ipam::centralized::Refusal;
use brimline::ipam::pod_eni::{Input, Kind, Network, PodSpec, Policy, Request, Retention, Settings};
use brimline::time::{Instant, Span};

use super::world::{TRUNK, World, at};

const NODES: u32 = 3;
const TOTAL: u32 = 40;

/// Addresses are conserved, and what the controllers know of is theirs alone.
fn audit(world: &World, seed: u64) {
    assert_eq!(world.free.iter().sum::<u32>() + world.taken(), TOTAL, "seed {seed}: addresses are conserved");
    let mut owners = BTreeMap::new();
    for (key, pod_eni) in world.controller.pod_enis() {
        for eni in &pod_eni.interfaces {
            assert_eq!(owners.insert(*eni, *key), None, "seed {seed}: {eni:?} has one owner");
        }
    }
}

fn spec(chance: &mut SmallStream, key: u32) -> Arc<PodSpec> {
    // Names below 10 are those of a StatefulSet: what they ask for never changes.
    let fixed = match key {
        0..5 => Some(Retention::After(Span::mins(5))),
        5..10 => Some(Retention::Forever),
        _ => None,
    };
    let policy = [Policy::Ordered, Policy::Random, Policy::Most][chance.below(3) as usize];
    let network = || Network { candidates: vec![VSwitchId(0), VSwitchId(1)], policy };
    let networks = (0..=key % 2).map(|_| network()).collect();
    let kind = if key.is_multiple_of(3) { Kind::Member } else { Kind::Exclusive };
    Arc::new(PodSpec { kind, networks, fixed })
}

/// A quarter of an hour of pods that come and go, refusals and restarts; then peace.
fn life(seed: u64) {
    let mut chance = SmallStream::new(seed);
    let mut world = World::with(&[TOTAL - 15, 15], Settings::default(), seed);
    world.settles = Span::millis(500);
    for node in 0..NODES {
        world.tell(Input::Join(NodeId(node)));
        world.tell(Input::Trunk(NodeId(node), Some(TRUNK)));
    }
    let refusals = [Refusal::Transient, Refusal::Other, Refusal::Conflict, Refusal::IpNotEnough];
    let mut there: BTreeMap<u32, Uid> = BTreeMap::new();
    let mut uids = 0;
    while world.now < at(900.0) {
        let wait = Span::millis(u64::from(chance.below(4000)));
        world.run_until(world.now + wait);
        audit(&world, seed);
        match chance.below(20) {
            0 => world.restart(),
            1 => {
                let api = Request::APIS[chance.below(6) as usize];
                let until = world.now + Span::secs(u64::from(chance.below(20)));
                world.faults.push((api, world.now, until, refusals[chance.below(4) as usize]));
            }
            2..12 => {
                let key = chance.below(30);
                if let std::collections::btree_map::Entry::Vacant(vacant) = there.entry(key) {
                    vacant.insert(Uid(uids));
                    let spec = spec(&mut chance, key);
                    world.pod(NodeId(chance.below(NODES)), key, uids, &spec);
                    uids += 1;
                }
            }
            _ => {
                let key = chance.below(30);
                if there.remove(&key).is_some() {
                    world.gone(key);
                }
            }
        }
    }
    // Peace.
    there.keys().for_each(|&key| world.gone(key));
    world.run_until(world.now + Span::hours(3));
    audit(&world, seed);
    for (key, pod_eni) in world.controller.pod_enis() {
        assert!(pod_eni.fixed.is_some(), "seed {seed}: only fixed addresses outlive their pods, not {key:?}'s");
    }
    let held: usize = world.controller.pod_enis().values().map(|pod_eni| pod_eni.interfaces.len()).sum();
    assert_eq!(world.taken(), held as u32, "seed {seed}: nothing else is taken");
    // A restart between the two objects of a creation leaves the first one for ever; the sweep for
    // leaks looks at what the cloud has.
    let known = world.controller.interfaces().keys().filter(|eni| world.enis.contains_key(eni));
    assert_eq!(known.count(), held, "seed {seed}");
}

#[test]
fn nothing_is_lost_or_counted_twice() {
    for seed in 0..20 {
        life(seed);
    }
}

/// Without troubles every pod that fits gets its interface, and fast.
#[test]
fn everybody_is_served_when_there_is_room() {
    for seed in 0..20 {
        let mut chance = SmallStream::new(seed);
        let mut world = World::with(&[TOTAL - 15, 15], Settings::default(), seed);
        world.tell(Input::Trunk(NodeId(0), Some(TRUNK)));
        let mut scheduled: Vec<(Uid, Instant)> = Vec::new();
        for key in 0..25 {
            world.run_until(world.now + Span::millis(u64::from(chance.below(3000))));
            let spec = spec(&mut chance, key);
            world.pod(NodeId(0), key, key, &spec);
            scheduled.push((Uid(key), world.now));
        }
        world.run_until(world.now + Span::mins(2));
        audit(&world, seed);
        for (uid, since) in scheduled {
            let waited = world.bound[&uid].since(since);
            assert!(waited < Span::secs(40), "seed {seed}: {uid:?} waited for {waited:?}");
        }
    }
}

//! Random lives of a daemon: whatever happens, addresses are had once, the books of cloud and daemon
//! agree, and when nothing new happens nobody waits who could be served.

use std::collections::BTreeSet;

use brimline::chance::SmallStream;
use brimline::id::NodeId;
use brimline::ipam::Fate;
use brimline::ipam::classic::{Config, Selection, Version};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{A, B, Fault, Story, of};

fn config(chance: &mut SmallStream) -> Config {
    let version = Version::ALL[chance.below(4) as usize];
    let (slots, ips) = (1 + chance.below(4), 1 + chance.below(14));
    let mut config = of(version, slots, ips, chance.below(12), chance.below(20));
    if chance.below(2) == 0 {
        config.selection = Selection::Random;
    }
    config.limited = chance.below(2) == 0;
    config.gc_period = Some(Span::mins(5)).filter(|_| chance.below(2) == 0);
    config
}

/// Something happens.
fn disturb(story: &mut Story, chance: &mut SmallStream) {
    let pod = chance.below(24);
    match chance.below(20) {
        0..=7 if story.address(pod).is_none() => {
            story.add(pod);
        }
        8..=12 => {
            story.del(pod);
        }
        13 if story.address(pod).is_some() => {
            let fate = [Fate::Retained, Fate::Leaked][chance.below(2) as usize];
            story.del_then(pod, fate);
        }
        14 => {
            let vswitch = [A, B][chance.below(2) as usize];
            story.free(vswitch, chance.below(30));
        }
        15 => {
            let api = Api::ALL[chance.below(10) as usize];
            let faults =
                [Fault::Refuse(ErrorCode::Throttling), Fault::Slow(30.0), Fault::Unseen(5.0), Fault::Unseen(40.0)];
            // An un-assign that is done and counts as failed takes the address away a second time, from
            // whoever has it by then (P36, P87).
            let among = if api == Api::UnassignPrivateIpAddresses { 3 } else { 4 };
            story.fault(api, faults[chance.below(among) as usize]);
        }
        // Not while an address is on its way back: it might be handed out once more (P106).
        16 if !story.gives_back() => {
            story.restart(|config| config.sizes.min_idle = config.sizes.min_idle.min(config.sizes.max_idle));
        }
        _ => {}
    }
}

/// Safety: no two pods have the same address, and what pods have is on the node's interfaces.
#[test]
#[allow(clippy::disallowed_methods, reason = "what to test is no part of a run")]
fn random_lives_break_no_law() {
    let runs = std::env::var("BRIMLINE_SWARM").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    for seed in 0..runs {
        let mut chance = SmallStream::new(seed);
        let config = config(&mut chance);
        let mut story = Story::with_chance(config, &[chance.below(60), chance.below(40)], &[], seed, true);
        for _ in 0..150 {
            disturb(&mut story, &mut chance);
            let wait = f64::from(chance.below(400)) * [0.001, 0.1, 1.0][chance.below(3) as usize];
            let until = story.now() + wait;
            story.until(until).skip();
            let bound = story.daemon.bound();
            let addresses: BTreeSet<_> = bound.iter().map(|&(_, eni, address)| (eni, address)).collect();
            assert_eq!(addresses.len(), bound.len(), "seed {seed}: an address has one pod");
            for pod in 0..24 {
                let Some(address) = story.address(pod) else { continue };
                let mut on = story.cloud.interfaces(NodeId(0));
                assert!(on.any(|(_, _, ips)| ips.contains(&address)), "seed {seed}: p{pod} has {address}");
            }
        }
        serves_again(&mut story, seed);
    }
}

/// Short cuts change nothing: two daemons live the same life, one of which goes through everything.
#[test]
fn short_cuts_change_nothing() {
    for seed in 0..150 {
        let mut chance = SmallStream::new(seed);
        let config = config(&mut chance);
        let free = [chance.below(60), chance.below(40)];
        let story = || Story::with_chance(config.clone(), &free, &[], seed, true);
        let mut both = [(story(), chance), (story().without_short_cuts(), chance)];
        for step in 0..150 {
            let told = both.each_mut().map(|(story, chance)| {
                disturb(story, chance);
                let until = story.now() + f64::from(chance.below(400)) * [0.001, 0.1, 10.0][chance.below(3) as usize];
                (story.until(until).told(), story.daemon.bound(), story.daemon.usage())
            });
            assert_eq!(told[0], told[1], "seed {seed}, step {step}");
        }
    }
}

/// Liveness: with plenty of addresses and nothing in its way, a daemon that is restarted, and after each
/// crash, serves a pod soon if the node has room for one.
fn serves_again(story: &mut Story, seed: u64) {
    story.calm_down().free(A, 1000).free(B, 1000);
    let now = story.now();
    story.until(now + 600.0).restart(|_| ());
    if story.daemon.usage().1 >= story.daemon.config().sizes.capacity {
        return;
    }
    for _ in 0..60 {
        if story.daemon.is_stopped() {
            story.restart(|_| ());
        }
        let now = story.now();
        story.add(99).until(now + 15.0);
        if story.address(99).is_some() {
            return;
        }
    }
    panic!("seed {seed}: a pod waits for ever\n{}", story.told());
}

//! Timers that change nothing have no event and are replayed when the daemon is next touched
//! (`src/ipam/node_local/timers.rs`). So a daemon that is touched rarely and one that is touched
//! every second have to tell the same story, to the nanosecond and in the same order.

use brimline::chance::SmallStream;
use brimline::ipam::node_local::{Config, EniSelection, Reclaim, VSwitchSelection};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{A, B, Fault, Story, node};

/// A random daemon.
fn config(chance: &mut SmallStream) -> Config {
    let (slots, ips) = (1 + chance.below(4), 1 + chance.below(8));
    let max_idle = chance.below(slots * ips + 1);
    let mut one_of = |n| chance.below(n) as usize;
    Config {
        max_idle,
        min_idle: max_idle.min(one_of(4) as u32),
        sync_period: [None, Some(Span::secs(30)), Some(Span::secs(120))][one_of(3)],
        eni_selection: [EniSelection::MostIps, EniSelection::LeastIps][one_of(2)],
        vswitch_selection: [VSwitchSelection::Most, VSwitchSelection::Random, VSwitchSelection::Ordered][one_of(3)],
        reclaim: [None, Some(Reclaim { after: Span::mins(5), interval: Span::mins(3), batch: 2, factor: 0.3 })]
            [one_of(2)],
        gc_period: [None, Some(Span::mins(5))][one_of(2)],
        rpc_timeout: [Span::secs(118), Span::secs(20), Span::mins(30)][one_of(3)],
        confirm_delete: one_of(2) == 0,
        dual: one_of(3) == 0,
        ..node(slots, ips)
    }
}

/// An hour or two of a random daemon: its story and where it stands at the end.
fn play(seed: u64, touched: bool) -> (String, impl PartialEq + std::fmt::Debug) {
    let mut chance = SmallStream::new(seed);
    let config = config(&mut chance);
    let jitter = chance.below(2) == 0;
    let free = [chance.below(12), chance.below(12)];
    let mut story = Story::with_chance(config.clone(), &free, seed, jitter);
    if touched {
        story = story.touched_every_second();
    }
    let mut at = 0.0;
    let (mut pods, mut told) = (Vec::new(), String::new());
    for pod in 1..=60 {
        // Long pauses and bursts.
        at += [0.0, 0.7, 13.0, 200.0 * chance.unit()][chance.below(4) as usize];
        story.at(at);
        match chance.below(20) {
            0..=9 => {
                story.add(pod);
                pods.push(pod);
            }
            10..=15 if !pods.is_empty() => {
                let pod = pods.swap_remove(chance.below(pods.len() as u32) as usize);
                story.del(pod);
            }
            16 => _ = story.free([A, B][chance.below(2) as usize], chance.below(12)),
            17 => _ = story.fault(Api::CreateNetworkInterface, Fault::Refuse(ErrorCode::EniPerInstance)),
            18 if seed.is_multiple_of(2) => {
                _ = story.fault(Api::AssignIpv6Addresses, Fault::Refuse(ErrorCode::NotFound))
            }
            18 => _ = story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::Internal)),
            19 if seed.is_multiple_of(4) => _ = story.restart(config.clone()),
            _ => {}
        }
        told.push_str(&story.told());
    }
    story.until(at + 1500.0);
    told.push_str(&story.told());
    let bound: Vec<_> = story.daemon.bound().collect();
    let v6: Vec<_> = story.daemon.bound_v6().collect();
    (told, (story.daemon.usage(), story.daemon.idle_v6(), bound, v6, story.daemon.empty_slots(), story.sufficient()))
}

/// Rules R52, R66, R70, R76, R80, R124 as far as they have timers.
#[test]
fn a_daemon_touched_rarely_tells_the_same_story() {
    for seed in 1..=1000 {
        let (rarely, often) = (play(seed, false), play(seed, true));
        if rarely.0 != often.0 {
            let differ = rarely.0.lines().zip(often.0.lines()).position(|(a, b)| a != b);
            panic!("seed {seed}, line {differ:?}\nrarely:\n{}\noften:\n{}", rarely.0, often.0);
        }
        assert!(rarely.1 == often.1, "seed {seed}: {:?} {:?}", rarely.1, often.1);
        assert!(!rarely.0.is_empty());
    }
}

//! What upstream leaves to chance is drawn from the daemon's seed (rules R150 to R158).

use brimline::ipam::node_local::{Config, VSwitchSelection};
use brimline::time::Span;

use crate::story::{Story, node};

/// A day of a jittered daemon, with pods that come and go.
fn day(seed: u64) -> String {
    let config = Config {
        min_idle: 2,
        max_idle: 4,
        sync_period: Some(Span::secs(120)),
        vswitch_selection: VSwitchSelection::Random,
        ..node(3, 5)
    };
    let mut story = Story::with_chance(config, &[9, 9], seed, true);
    for hour in 0..24 {
        let at = 3600.0 * f64::from(hour);
        let pods = 5 * (hour % 3);
        for pod in 0..pods {
            story.at(at + f64::from(pod)).add(100 * hour + pod);
        }
        for pod in 0..pods {
            story.at(at + 1800.0 + f64::from(pod)).del(100 * hour + pod);
        }
    }
    story.told()
}

/// The seed decides everything: the same seed tells the same story, another seed another one.
#[test]
fn the_seed_decides_everything() {
    assert_eq!(day(1), day(1));
    assert_ne!(day(1), day(2));
}

/// R154, R76: with jitter the first run is at time zero and the next one, after the first has
/// returned, uniform in one to two periods.
#[test]
fn r154_the_pool_sync_comes_after_one_to_two_periods() {
    let config = || Config { min_idle: 1, max_idle: 1, sync_period: Some(Span::secs(120)), ..node(1, 5) };
    let mut sum = 0.0;
    for seed in 1..=200 {
        let mut story = Story::with_chance(config(), &[50], seed, true);
        story.until(10.0).skip().at(10.0).add(1);
        let told = story.skip().until(300.0).told();
        let call: f64 = told.split(' ').next().and_then(|at| at.parse().ok()).expect("a preheat");
        let period = call - 0.3 - 3.5;
        assert!((120.0..240.0).contains(&period), "{period}");
        sum += period;
    }
    assert!((sum / 200.0 - 180.0).abs() < 10.0, "mean {}", sum / 200.0);
}

/// R155: a random vSwitch for every new interface.
#[test]
fn r155_a_random_vswitch_takes_each_about_as_often() {
    let on_a = |seed| {
        let config = Config { vswitch_selection: VSwitchSelection::Random, ..node(1, 5) };
        let mut story = Story::with_chance(config, &[50, 50], seed, false);
        story.at(0.0).add(1).until(1.0).told().contains("on A")
    };
    let share = (1..=200).filter(|&seed| on_a(seed)).count();
    assert!((70..130).contains(&share), "{share} of 200");
}

/// R152: at the end of a context the waiter leaves before the worker looks: no address is asked
/// for it in the instant of its deadline.
#[test]
fn r152_the_waiter_leaves_before_the_worker_looks() {
    let mut story = Story::new(Config { rpc_timeout: Span::millis(300), ..node(1, 5) }, &[50]);
    story.at(0.0).add(1).at(10.0).tells(
        "0.3 p1 failed: Deadline
         0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         3.4 look at e1",
    );
    story.at(20.0).add(2).tells("20 p2 on e1").add(3).until(30.0).tells("20.3 p3 failed: Deadline");
}

//! What chance decides, and that nothing else does.

use brimline::ipam::classic::Selection;
use brimline::openapi::Api;

use crate::story::{A, B, Fault, Story, node};

/// P68: `random` shuffles at each choice.
#[test]
fn p68_random_sees_all() {
    let mut on_b = 0;
    for seed in 0..200 {
        let mut config = node(1, 10, 0, 10);
        config.selection = Selection::Random;
        let mut story = Story::with_chance(config, &[100, 100], &[], seed, false);
        story.at(1.0).add(1).until(10.0);
        on_b += u32::from(story.left(B) == 99);
    }
    assert!((70..130).contains(&on_b), "{on_b} of 200");
}

/// P69, C19: `ordered` is the most first; equal counts in any order.
#[test]
fn c19_ordered_is_the_most_first() {
    let first = |free: &[u32], seed| {
        let mut story = Story::with_chance(node(1, 10, 0, 10), free, &[], seed, false);
        let told = story.at(1.0).add(1).until(10.0).told();
        told.lines().find_map(|line| line.split_once("create 1 on ")).expect("it is created").1.to_owned()
    };
    for seed in 0..20 {
        assert_eq!(first(&[100, 90, 110, 0], seed), "C");
    }
    let on_a = (0..200).filter(|&seed| first(&[100, 100], seed) == "A").count();
    assert!((70..130).contains(&on_a), "{on_a} of 200");
}

/// P34: ticks are 2 min to 2 min 24 s apart. An address that is reserved until 456.7 s is given back with
/// the tick after that.
#[test]
fn p34_ticks_have_their_jitter() {
    let (mut first, mut last) = (f64::MAX, 0.0_f64);
    for seed in 0..200 {
        let mut story = Story::with_chance(node(1, 10, 0, 0), &[100], &[], seed, true);
        story.fault(Api::AttachNetworkInterface, Fault::Slow(150.0)).at(1.0).add_stateful(1);
        let told = story.until(700.0).told();
        let line = told.lines().find(|line| line.ends_with("detach e1")).expect("it is given back");
        let at: f64 = line.split(' ').next().expect("a line begins with its time").parse().expect("a number");
        (first, last) = (first.min(at), last.max(at));
    }
    assert!(first >= 456.7 && last <= 456.7 + 144.0, "{first} s to {last} s");
    assert!(last - first > 60.0, "{first} s to {last} s");
}

/// A tick that finds nothing is not waited for: touching a daemon more often changes nothing.
#[test]
fn a_daemon_at_rest_may_be_left_alone() {
    let play = |mut story: Story| {
        for pod in 1..=12 {
            story.at(f64::from(pod) * 31.7).add(pod);
        }
        for pod in 1..=9 {
            story.at(600.0 + f64::from(pod) * 97.3).del(pod);
        }
        story.until(7200.0).told()
    };
    for seed in 0..10 {
        let story = || Story::with_chance(node(3, 5, 2, 4), &[20, 9], &[], seed, true);
        assert_eq!(play(story()), play(story().touched_every_second()), "seed {seed}");
    }
    let mut story = Story::with(node(1, 10, 3, 5), &[100], &[(A, 4, &[])]);
    story.until(1.0);
    assert_eq!(story.daemon.poll_timeout(), brimline::time::Instant::NEVER);
}

/// Whatever chance decides, a golden case is what the real code did, as far as that is not chance itself.
#[test]
fn golden_cases_hold_for_other_seeds() {
    for folder in ["classic", "classic-crash"] {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(folder);
        for entry in std::fs::read_dir(dir).expect("the cases are in the repository") {
            let path = entry.expect("a readable folder").path();
            let text = std::fs::read_to_string(&path).expect("a readable case");
            for seed in 2..6 {
                let verdict = brimline::conformance::classic::verdict(&text, seed).expect("a case");
                assert!(verdict.passes, "{} with seed {seed}: {}", verdict.case, verdict.worst);
            }
        }
    }
}

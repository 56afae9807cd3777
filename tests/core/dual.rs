//! Dual stack: where the two families are one, and where they drift apart (rules R144 to R148).

use std::collections::BTreeMap;

use brimline::ipam::node_local::Config;
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{Fault, Story, node};

fn dual(slots: u32, ips: u32) -> Config {
    Config { dual: true, ..node(slots, ips) }
}

/// An interface with `idle` idle IPv4 addresses, one pod and no IPv6 address: the node was IPv4 only
/// until its daemon was restarted at 20 s.
fn formerly_v4(idle: u32) -> Story {
    let mut story = Story::new(node(1, 20), &[50]);
    (1..=idle + 1).for_each(|pod| _ = story.add(pod));
    story.at(10.0);
    (1..=idle).for_each(|pod| _ = story.del(pod));
    story.at(20.0).restart(dual(1, 20)).skip().usage(idle, 1);
    story
}

/// R144, R148: an interface comes with as many of each family as pods wait; each pod has one of each,
/// of the same interface, and each family has room for as many.
#[test]
fn r144_a_pod_has_one_address_of_each_family_of_one_interface() {
    let mut story = Story::new(dual(2, 2), &[50]);
    story.add(1).add(2).until(10.0).tells(
        "0.3 look up A
         0.4 create 2 and 2 v6 on A
         0.9 attach e1
         3.4 look at e1
         3.5 p2 on e1
         3.5 p1 on e1",
    );
    story.at(10.0).add(3).until(20.0).tells(
        "10.3 create 1 and 1 v6 on A
         10.8 attach e2
         13.3 look at e2
         13.4 p3 on e2",
    );
    let v6: BTreeMap<_, _> = story.daemon.bound_v6().map(|(pod, eni, _)| (pod, eni)).collect();
    assert_eq!(v6, story.daemon.bound().map(|(pod, eni, _)| (pod, eni)).collect());
    assert_eq!(v6.len(), 3);
    // Both are idle at once; the pool sync counts one (R144).
    story.at(20.0).del(3).tells("20 one of e2 idle").usage(1, 2);
    assert_eq!(story.daemon.idle_v6(), 1);
}

/// R144, R55: IPv4 addresses are assigned first, then IPv6 ones; nobody is told before both are there.
#[test]
fn r144_an_interface_is_extended_one_family_after_the_other() {
    let mut story = Story::new(dual(1, 10), &[50]);
    story.add(1).until(10.0).skip();
    story.at(10.0).add(2).add(3).until(20.0).tells(
        "10.3 assign 2 to e1
         11.8 assign 2 v6 to e1
         13.3 p3 on e1
         13.3 p2 on e1",
    );
}

/// R145: each family is trimmed for itself, and no IPv6 address is a primary one: after the trim there
/// are fewer of them idle. They leave in one round, IPv4 first.
#[test]
fn r145_trimming_lets_the_families_drift_apart() {
    let config = Config { max_idle: 0, sync_period: Some(Span::secs(120)), ..dual(1, 10) };
    let drifts = (1..=20).map(|seed| {
        let mut story = Story::with_chance(config.clone(), &[50], seed, false);
        story.at(1.0);
        (1..=6).for_each(|pod| _ = story.add(pod));
        story.at(100.0);
        (1..=5).for_each(|pod| _ = story.del(pod));
        let told = story.skip().until(130.0).told();
        let calls: Vec<_> =
            told.lines().map(|line| line.split_once(' ').expect("a time and what happened").1).collect();
        let (idle, in_use) = story.daemon.usage();
        let v4 = format!("unassign {} of e1", 5 - idle);
        assert!(calls.starts_with(&[v4.as_str(), "unassign 5 v6 of e1"]), "{calls:?}");
        assert_eq!((in_use, story.daemon.idle_v6()), (1, 0));
        idle
    });
    assert!(drifts.filter(|&idle| idle > 0).count() > 10, "the primary address absorbs rounds");
}

/// R146: a preheat is done with its IPv4 address; where the IPv6 call fails nobody asks again. Nor is
/// anybody woken: the run of the pool sync ends with the next metadata sync.
#[test]
fn r146_a_preheat_without_ipv6_is_not_repeated() {
    let config = Config { min_idle: 3, max_idle: 10, sync_period: Some(Span::secs(120)), ..dual(1, 10) };
    let mut story = Story::new(config, &[50]);
    story.at(100.0).add(1).skip().usage(2, 1);
    story.fault(Api::AssignIpv6Addresses, Fault::Refuse(ErrorCode::NotFound));
    story.until(1000.0).tells(
        "123.8 assign 1 to e1
         125.3 assign 1 v6 to e1
         125.8 refused: InvalidEniId.NotFound",
    );
    story.usage(3, 1);
    assert_eq!(story.daemon.idle_v6(), 2);
    // The next pod has both at once; the one after the next but one finds IPv4 only.
    story.at(1000.0).add(2).add(3).add(4).until(1010.0);
    story.tells("1000 p2 on e1\n1000 p3 on e1\n1000.3 assign 1 v6 to e1\n1001.8 p4 on e1");
}

/// R146: a preheat that a metadata sync wakes during the IPv6 call of its round leaves before the address
/// comes, which is idle then.
#[test]
fn r146_a_preheat_may_leave_before_its_ipv6_address_comes() {
    let config = Config { min_idle: 3, max_idle: 10, sync_period: Some(Span::secs(120)), ..dual(1, 10) };
    let mut story = Story::new(config, &[50]);
    story.at(100.0).add(1).skip().fault(Api::AssignIpv6Addresses, Fault::Slow(100.0));
    story.until(200.0).tells("123.8 assign 1 to e1\n125.3 assign 1 v6 to e1");
    assert_eq!(story.daemon.idle_v6(), 2);
    // The run returned at 180 s, so the next is at 300 s; it finds enough.
    story.until(400.0).tells("").usage(3, 1);
    assert_eq!(story.daemon.idle_v6(), 3);
}

/// R147, the dead lock: five pods see the same three idle IPv4 addresses, so they ask for IPv6 alone.
/// Three finish; two wait for nothing until their 118 s end, though two IPv6 addresses are idle and the
/// interface has room for 16 more IPv4 addresses.
#[test]
fn r147_pods_that_peek_at_the_same_address_dead_lock() {
    let mut story = formerly_v4(3);
    story.at(30.0);
    (11..=15).for_each(|pod| _ = story.add(pod));
    story.until(147.9).tells(
        "30.3 assign 5 v6 to e1
         31.8 p15 on e1
         31.8 p11 on e1
         31.8 p12 on e1",
    );
    story.usage(0, 4).holds(1, 4);
    assert_eq!(story.daemon.idle_v6(), 2);
    story.until(200.0).tells("148 p13 failed: Peeked\n148 p14 failed: Peeked");
    // Whoever asks now finds no IPv4 address, and asks for one.
    story.at(200.0).add(13).until(210.0).tells("200.3 assign 1 to e1\n201.8 p13 on e1");
}

/// R147: a wake-up that finds an address that was given back ends the wait of one pod.
#[test]
fn r147_a_released_address_ends_the_dead_lock_of_one_pod() {
    let mut story = formerly_v4(1);
    story.at(30.0).add(11).add(12).add(13).until(40.0).skip();
    // Nobody is woken (R69) before the metadata sync at 80 s.
    story.at(50.0).del(2).until(100.0).tells("50 one of e1 idle\n80 p11 on e1");
    story.until(200.0).tells("148 p12 failed: Peeked");
}

/// R148: an interface that is made after its pods have gone has an IPv4 address and no IPv6 one, so the
/// next pod asks for IPv6 alone.
#[test]
fn r148_an_interface_may_come_without_ipv6() {
    let mut story = Story::new(dual(1, 10), &[50]);
    story.add(1).at(0.2).del(1).until(10.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         3.4 look at e1",
    );
    story.usage(1, 0).at(10.0).add(2).until(20.0).tells("10.3 assign 1 v6 to e1\n11.8 p2 on e1");
}

/// R137: a restarted daemon finds the addresses of both families, and who has them.
#[test]
fn r137_a_restart_keeps_both_addresses() {
    let mut story = Story::new(dual(1, 10), &[50]);
    story.add(1).add(2).until(10.0).at(10.0).del(1);
    let before: Vec<_> = story.daemon.bound_v6().collect();
    story.restart(dual(1, 10)).usage(1, 1);
    assert_eq!(story.daemon.bound_v6().collect::<Vec<_>>(), before);
    assert_eq!(story.daemon.idle_v6(), 1);
}

//! The pool sync: watermarks, trimming, preheating, idle reclaim (rules R65 to R67, R76 to R85).

use brimline::ipam::node_local::{Config, Reclaim};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{Fault, Story, node};

/// A node whose pool sync runs every two minutes; chance is off, so the first run is at time
/// zero and each next one a period after the last has returned.
fn pool(slots: u32, ips: u32, min_idle: u32, max_idle: u32) -> Config {
    Config { min_idle, max_idle, sync_period: Some(Span::secs(120)), ..node(slots, ips) }
}

/// CC6, CC12, CC57, R76, R77, R57: the first run is at time zero and fetches up to the lower
/// watermark; the addresses stay idle. The next run comes a period after the first returned.
#[test]
fn cc39_preheats_fill_up_to_the_lower_watermark() {
    let mut story = Story::new(pool(2, 10, 3, 10), &[50]);
    story.until(100.0).tells(
        "0.3 look up A
         0.4 create 3 on A
         0.9 attach e1
         3.4 look at e1",
    );
    // A pod takes one; the run that returned at 3.5 s is followed by that of 123.5 s. Idle
    // addresses do not serve a preheat (CC12).
    story.usage(3, 0).at(100.0).add(1).until(130.0).tells("100 p1 on e1\n123.8 assign 1 to e1");
    story.usage(3, 1);
}

/// CC39, R77: a node at its capacity fetches nothing, however many addresses lack.
#[test]
fn cc39_a_node_at_capacity_is_not_preheated() {
    let mut story = Story::new(pool(1, 4, 3, 4), &[50]);
    story
        .until(10.0)
        .skip()
        .at(10.0)
        .add(1)
        .add(2)
        .until(300.0)
        .tells("10 p1 on e1\n10 p2 on e1\n123.8 assign 1 to e1");
    story.usage(2, 2);
}

/// CC11, R50, R77 (trap 23): preheats beyond the room fail fast, the run returns with the
/// others.
#[test]
fn cc11_surplus_preheats_fail_fast() {
    let config = Config { capacity: 99, ..pool(1, 2, 5, 50) };
    let mut story = Story::new(config, &[50]);
    story.until(123.4).tells(
        "0.3 look up A
         0.4 create 2 on A
         0.9 attach e1
         3.4 look at e1",
    );
    assert!(story.sufficient(), "a full slot is no lack of addresses");
    story.until(1000.0).tells("");
}

/// CC7, CC8, CC9, R65, R67: an interface whose addresses are all idle and surplus goes whole,
/// unless a request is queued on it.
#[test]
fn cc8_an_idle_interface_is_deleted_whole() {
    // The pool sync runs at 130 s, ten seconds after a metadata sync.
    let idle_at_100 = || {
        let mut story = Story::new(Config { sync_period: Some(Span::secs(130)), ..pool(1, 4, 0, 0) }, &[50]);
        story.at(1.0).add(1).at(100.0).del(1).skip();
        story
    };
    idle_at_100().until(200.0).tells("130 detach e1\n135.5 delete e1\n137 look at e1").holds(0, 0);
    // A pod has the address (CC7).
    idle_at_100().at(129.0).add(2).until(1000.0).tells("129 p2 on e1").holds(1, 1);
    // p2 leaves while p3 is queued: the run spends its round on the primary address, which cannot
    // be given back, and with that wakes p3 (CC9, R66).
    let mut story = idle_at_100();
    story.fault(Api::AssignPrivateIpAddresses, Fault::Slow(10.0));
    story.at(121.0).add(2).add(3).at(121.5).del(2).until(140.0).tells(
        "121 p2 on e1
         121.3 assign 1 to e1
         121.5 one of e1 idle
         130 p3 on e1",
    );
    story.holds(1, 2);
}

/// R67, R79 (traps 19, 21): the smallest interface goes first and whole; of the other as many
/// addresses as rounds that did not meet the primary one. It converges over several runs and
/// never goes below what may stay.
#[test]
fn r79_trimming_takes_the_smallest_interface_first() {
    for seed in 1..=20 {
        let mut story = Story::with_chance(pool(2, 10, 0, 2), &[50], seed, false);
        story.at(1.0);
        for pod in 1..=12 {
            story.add(pod);
        }
        // The golden cases show the way there: e1 with ten addresses, e2 with two.
        story.until(100.0);
        for pod in 1..=12 {
            story.del(pod);
        }
        story.at(100.0).usage(12, 0).holds(2, 12);
        let told = story.skip().until(121.0).told();
        assert!(told.contains("detach e2"), "{told}");
        let (idle, used) = story.daemon.usage();
        assert_eq!(used, 0);
        // Eight rounds on e1; at most eight addresses go, none of them the primary one.
        assert!((2..=10).contains(&idle), "{idle}");
        story.until(3600.0).usage(2, 0).holds(1, 2);
    }
}

/// R67 (trap 19): a pool sync that wants one address back from an interface with the primary and
/// one other idle fails whenever it meets the primary first, and says nothing of it.
#[test]
fn r67_the_primary_address_absorbs_rounds() {
    let first_try = |seed| {
        let mut story = Story::with_chance(pool(1, 3, 0, 1), &[50], seed, false);
        story.at(1.0).add(1).add(2).add(3).at(100.0).del(1).del(2).del(3);
        // A pod takes one address, so that the interface may not go whole.
        story.at(110.0).add(4).skip();
        story.until(120.0).told().contains("unassign")
    };
    let hits = (1..=200).filter(|&seed| first_try(seed)).count();
    assert!((20..180).contains(&hits), "{hits} of 200");
}

/// R46, R77 (trap 18): addresses that wait for being given back count as idle, and so cause
/// further trimming and suppress preheats while the cloud refuses to take them.
#[test]
fn r46_deleting_addresses_count_as_idle() {
    let mut story = Story::new(pool(1, 10, 2, 2), &[50]);
    story.fault(Api::UnassignPrivateIpAddresses, Fault::Slow(500.0));
    story.at(1.0);
    for pod in 1..=6 {
        story.add(pod);
    }
    story.at(100.0).del(1).del(2).del(3).skip();
    // Idle: three released and up to two preheated ones, watermark two.
    story.until(600.0);
    let (idle, used) = story.daemon.usage();
    assert!(used == 3 && idle > 2, "{idle} {used}");
    let told = story.told();
    assert_eq!(told.lines().filter(|line| line.contains("assign") && !line.contains("unassign")).count(), 0, "{told}");
    story.until(2000.0).usage(2, 3);
}

/// R82, R84 (trap 23): a preheat that an inhibited slot refuses turns the node condition false
/// though no pod lacks anything.
#[test]
fn r82_a_refused_preheat_turns_the_condition() {
    let mut story = Story::new(pool(1, 10, 2, 5), &[2]);
    story.until(10.0).skip().at(10.0).add(1);
    // The run of 123.5 s fetches one, and is refused; its preheat hangs until 243.5 s (R83).
    story.until(243.0).tells("10 p1 on e1\n123.8 assign 1 to e1\n124.3 refused: InvalidVSwitchId.IpNotEnough");
    assert!(story.sufficient());
    story.until(363.6);
    assert!(!story.sufficient(), "the run of 363.5 s was refused");
}

/// R83 (trap 24): a preheat that cannot be served holds the run for two minutes.
#[test]
fn r83_a_hanging_preheat_delays_the_next_run() {
    let mut story = Story::new(pool(1, 10, 1, 5), &[0]);
    // The preheat of time zero ends at 120 s, the next run is at 240 s.
    story.until(239.0).tells("0.3 look up A").free(brimline::id::VSwitchId(0), 9);
    // The count in the cache is zero until 600.4 s, but then the preheat of 480 s has just ended.
    story.until(730.0).tells(
        "720.3 look up A
         720.4 create 1 on A
         720.9 attach e1
         723.4 look at e1",
    );
}

/// R85 (trap 1): exhaustion at create never turns the node condition.
#[test]
fn r85_exhaustion_at_create_leaves_the_condition_true() {
    let mut story = Story::new(pool(2, 10, 5, 10), &[3]);
    for second in 1..1000 {
        story.until(f64::from(second));
        assert!(story.sufficient());
    }
}

/// R15, R76: without a period the pool sync never runs.
#[test]
fn r15_without_a_period_nothing_is_preheated_or_trimmed() {
    let mut story = Story::new(Config { sync_period: None, ..pool(1, 10, 3, 3) }, &[50]);
    story.until(1000.0).tells("");
}

/// A pool with reclaim after 30 minutes, every 10 minutes, 5 addresses, down to 2; quiet since 60 s.
fn reclaiming() -> Story {
    let reclaim = Reclaim { after: Span::mins(30), interval: Span::mins(10), batch: 5, factor: 0.1 };
    let config = Config { reclaim: Some(reclaim), ..pool(2, 10, 2, 20) };
    let mut story = Story::new(config, &[50]);
    story.until(10.0);
    for pod in 1..=14 {
        // One after the other, so that e1 gets its ten addresses before e2 gets the other four.
        story.at(10.0 + f64::from(pod)).add(pod);
    }
    story.until(60.0);
    for pod in 1..=14 {
        story.del(pod);
    }
    story.skip().usage(14, 0);
    story
}

/// CC67, R80: after half an hour of quiet and one interval, the smaller interface and one
/// address go; later rounds free what they hit, until the lower watermark.
#[test]
fn cc67_reclaim_takes_a_batch_per_round() {
    let mut story = reclaiming();
    story.until(2460.0).tells("");
    let told = story.until(2640.0).told();
    assert!(told.contains("detach e2"), "{told}");
    let (idle, _) = story.daemon.usage();
    assert!(idle == 9 || idle == 10, "e2 with its four addresses and one round on e1: {idle}");
    story.until(6.0 * 3600.0).usage(2, 0).holds(1, 2);
}

/// R81 (trap 25): any request, even one in vain, and any release begins the quiet time anew.
#[test]
fn r81_activity_delays_reclaim() {
    let mut story = reclaiming();
    for pod in 0..12 {
        // A pod every twenty minutes comes and goes.
        let at = 1200.0 * f64::from(pod + 1);
        story.at(at).add(100 + pod).at(at + 1.0).del(100 + pod);
    }
    assert!(!story.until(12.0 * 1200.0 + 1700.0).told().contains("detach"));
    assert!(story.until(12.0 * 1200.0 + 3000.0).told().contains("detach"));
}

/// An assign call that is answered after its interface was deleted: nobody is served by
/// addresses that are gone, and the slot works on.
#[test]
fn addresses_of_a_deleted_interface_serve_nobody() {
    for unseen in [6.0, 30.0] {
        let mut story = Story::new(Config { confirm_delete: false, ..pool(1, 4, 0, 0) }, &[50]);
        story.at(1.0).add(1).at(100.0).skip();
        story.fault(Api::AssignPrivateIpAddresses, Fault::Slow(9.0));
        story.fault(Api::AssignPrivateIpAddresses, Fault::Unseen(unseen));
        // Nobody is there for the addresses: both pods are gone when the pool sync runs at 120 s.
        story.at(116.0).add(2).at(116.5).del(1).del(2).until(130.0).tells(
            "116.3 assign 1 to e1
             116.5 one of e1 idle
             120 detach e1
             125.5 delete e1",
        );
        story.at(140.0).add(3).until(150.0).tells(
            "140.3 create 1 on A
             140.8 attach e2
             143.3 look at e2
             143.4 p3 on e2",
        );
        story.holds(1, 1);
    }
}

/// R14 (trap 26): a slot more than the instance has fails with its own code, one minute each.
#[test]
fn r14_a_slot_too_many_can_only_fail() {
    let mut story = Story::new(node(2, 1), &[50]);
    story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::EniPerInstance));
    story.at(0.0).add(1).until(2.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         1.4 refused: EniPerInstanceLimitExceeded",
    );
}

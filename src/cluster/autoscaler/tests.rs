//! A test per rule.

use std::collections::BTreeSet;

use super::*;
use crate::chance::SmallStream;
use crate::cluster::scheduler::Rules;
use crate::id::NodeId;
use crate::model::{Autoscaler, ControlPlane, Devices, Expander, Resources, Strictness};

const AT: fn(u64) -> Instant = |secs| Instant::ZERO + Span::secs(secs);

fn settings() -> Autoscaler {
    ControlPlane::default().autoscaler
}

fn rules(node_pools: &[usize]) -> Rules {
    Rules { node_pools: node_pools.to_vec(), takes_address: true, ..Rules::default() }
}

fn view(pool: usize, cpu_milli: u32, memory_mib: u32) -> PoolView {
    let allocatable = Resources { cpu_milli, memory_mib };
    let devices = Devices { members: 3, rdma: 4, ..Devices::default() };
    let template = Template {
        allocatable,
        capacity: allocatable,
        max_pods: 10,
        devices,
        daemons: Resources::default(),
        daemon_addresses: 0,
        daemon_devices: Devices::default(),
    };
    PoolView { pool, nodes: 1, upcoming: 0, min: 0, max: 100, open: true, template }
}

fn pods(workload: usize, cpu_milli: u32, memory_mib: u32, count: u32) -> PendingPods {
    PendingPods { workload, requests: Resources { cpu_milli, memory_mib }, count }
}

fn up(pending: &[PendingPods], pools: &[PoolView], rules: &[Rules]) -> Option<(usize, u32)> {
    scale_up(pending, pools, rules, Expander::LeastWaste, &mut SmallStream::new(1))
}

#[test]
fn nothing_is_done_in_an_unhealthy_cluster() {
    assert!(is_healthy(3, 3) && !is_healthy(4, 4));
    assert!(is_healthy(100, 45) && !is_healthy(100, 46));
}

#[test]
fn as_many_nodes_as_the_pods_need() {
    let pools = [view(0, 4000, 8000)];
    assert_eq!(up(&[], &pools, &[rules(&[0])]), None);
    assert_eq!(up(&[pods(0, 1000, 0, 9)], &pools, &[rules(&[0])]), Some((0, 3)), "CPU: 4 on a node");
    assert_eq!(up(&[pods(0, 0, 2500, 9)], &pools, &[rules(&[0])]), Some((0, 3)), "memory: 3 on a node");
    assert_eq!(up(&[pods(0, 0, 0, 21)], &pools, &[rules(&[0])]), Some((0, 3)), "max pods: 10 on a node");
    let taking =
        |members, rdma| Rules { takes_devices: Devices { members, rdma, ..Devices::default() }, ..rules(&[0]) };
    assert_eq!(up(&[pods(0, 0, 0, 7)], &pools, &[taking(1, 0)]), Some((0, 3)), "member ENIs: 3 on a node");
    assert_eq!(up(&[pods(0, 0, 0, 9)], &pools, &[taking(0, 1)]), Some((0, 3)), "RDMA addresses: 4 on a node");
    let mut fewer = view(0, 4000, 8000);
    fewer.template.daemon_devices = Devices { members: 2, rdma: 0, ..Devices::default() };
    assert_eq!(
        up(&[pods(0, 0, 0, 3)], &[fewer], &[taking(1, 0)]),
        Some((0, 3)),
        "DaemonSets have two of three members"
    );
    assert_eq!(up(&[pods(0, 4001, 0, 9)], &pools, &[rules(&[0])]), None, "no node is large enough");
    assert_eq!(up(&[pods(0, 1000, 0, 9)], &pools, &[rules(&[1])]), None, "another pool's");
}

#[test]
fn host_network_pods_need_no_places() {
    let host = Rules { takes_address: false, ..rules(&[0]) };
    assert_eq!(up(&[pods(0, 100, 0, 40)], &[view(0, 4000, 8000)], &[host]), Some((0, 1)));
}

/// 3 × 2.5 and 3 × 1.5 cores on nodes of 4: in the order of size each pair shares a node.
#[test]
fn the_largest_pods_are_packed_first() {
    let pending = [pods(0, 1500, 0, 3), pods(0, 2500, 0, 3)];
    assert_eq!(up(&pending, &[view(0, 4000, 8000)], &[rules(&[0])]), Some((0, 3)));
}

#[test]
fn daemon_sets_take_their_part_of_new_nodes() {
    let mut pool = view(0, 4000, 8000);
    pool.template.daemons = Resources { cpu_milli: 500, memory_mib: 0 };
    pool.template.daemon_addresses = 2;
    assert_eq!(up(&[pods(0, 1000, 0, 4)], &[pool], &[rules(&[0])]), Some((0, 2)));
    assert_eq!(up(&[pods(0, 0, 0, 9)], &[pool], &[rules(&[0])]), Some((0, 2)));
}

#[test]
fn pods_that_keep_apart_need_a_node_each() {
    let apart = Rules { anti_affinity: Some(Strictness::Required), ..rules(&[0]) };
    let all = [apart, rules(&[0])];
    assert_eq!(up(&[pods(0, 100, 0, 3), pods(1, 100, 0, 3)], &[view(0, 4000, 8000)], &all), Some((0, 3)));
}

#[test]
fn nodes_on_their_way_are_enough_for_some() {
    let pool = PoolView { upcoming: 2, nodes: 3, ..view(0, 4000, 8000) };
    assert_eq!(up(&[pods(0, 1000, 0, 8)], &[pool], &[rules(&[0])]), None);
    assert_eq!(up(&[pods(0, 1000, 0, 9)], &[pool], &[rules(&[0])]), Some((0, 1)));
}

#[test]
fn a_pool_grows_to_its_maximum_only() {
    let pool = PoolView { nodes: 8, max: 10, ..view(0, 4000, 8000) };
    assert_eq!(up(&[pods(0, 1000, 0, 90)], &[pool], &[rules(&[0])]), Some((0, 2)));
    assert_eq!(up(&[pods(0, 1000, 0, 90)], &[PoolView { nodes: 10, ..pool }], &[rules(&[0])]), None);
    assert_eq!(up(&[pods(0, 1000, 0, 90)], &[PoolView { open: false, ..pool }], &[rules(&[0])]), None);
    let endless = PoolView { max: 5000, ..pool };
    assert_eq!(up(&[pods(0, 4000, 0, 9000)], &[endless], &[rules(&[0])]), Some((0, 1000)));
}

/// 6 cores and 6 GB: two nodes of 4 cores and 8 GB idle a quarter and five eighths, one of 8 cores
/// and 8 GB idles a quarter of both.
#[test]
fn least_waste_counts_idle_cpu_and_memory() {
    let pools = [view(0, 4000, 8000), view(1, 8000, 8000)];
    assert_eq!(up(&[pods(0, 1000, 1000, 6)], &pools, &[rules(&[0, 1])]), Some((1, 1)));
    // 4 cores: the small node is used to the full.
    assert_eq!(up(&[pods(0, 1000, 1000, 4)], &pools, &[rules(&[0, 1])]), Some((0, 1)));
}

#[test]
fn the_random_expander_and_ties_are_chance() {
    let pools = [view(0, 4000, 8000), view(1, 8000, 8000), view(2, 4000, 8000)];
    let all = [rules(&[0, 1, 2])];
    for (expander, chosen) in [(Expander::Random, vec![0, 1, 2]), (Expander::LeastWaste, vec![0, 2])] {
        let mut chance = SmallStream::new(7);
        let mut drawn: Vec<_> = (0..50)
            .map(|_| scale_up(&[pods(0, 1000, 1000, 4)], &pools, &all, expander, &mut chance).expect("pools help").0)
            .collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, chosen);
    }
}

#[test]
fn where_cpu_is_unknown_places_decide() {
    let unbounded = |pool, max_pods| {
        let mut pool = view(pool, u32::MAX, u32::MAX);
        pool.template.max_pods = max_pods;
        pool
    };
    let pools = [unbounded(0, 8), unbounded(1, 5)];
    assert_eq!(up(&[pods(0, 1000, 1000, 10)], &pools, &[rules(&[0, 1])]), Some((1, 2)));
    assert_eq!(up(&[pods(0, 1000, 1000, 8)], &pools, &[rules(&[0, 1])]), Some((0, 1)));
}

#[test]
fn pauses_double_after_failures() {
    let mut backoff = Backoff::default();
    assert_eq!(backoff.until(), AT(0));
    backoff.failed(AT(0));
    assert_eq!(backoff.until(), AT(5 * 60));
    backoff.failed(AT(301));
    assert_eq!(backoff.until(), AT(301 + 10 * 60));
    backoff.failed(AT(302));
    assert_eq!(backoff.until(), AT(302 + 5 * 60), "a failure during the pause begins a new first one");
    for _ in 0..5 {
        let later = backoff.until() + Span::secs(1);
        backoff.failed(later);
    }
    let failed = backoff.until();
    backoff.failed(failed + Span::secs(1));
    assert_eq!(backoff.until(), failed + Span::secs(1) + Span::mins(30));
    backoff.failed(backoff.until() + Span::hours(3));
    assert_eq!(backoff, {
        let mut fresh = Backoff::default();
        fresh.failed(failed + Span::secs(1) + Span::mins(30) + Span::hours(3));
        fresh
    });
    backoff.succeeded();
    assert_eq!(backoff.until(), AT(0));
}

fn empty(node: u32) -> Candidate {
    Candidate { node: NodeId(node), pool: 0, empty: true, kept: false }
}

fn full(node: u32) -> Candidate {
    Candidate { empty: false, ..empty(node) }
}

fn sized(nodes: u32, min: u32) -> [PoolView; 1] {
    [PoolView { nodes, min, ..view(0, 4000, 8000) }]
}

/// A scan in which the pods of every node fit elsewhere.
fn scan(unneeded: &mut Unneeded, secs: u64, candidates: &[Candidate], pools: &[PoolView]) -> Scan {
    unneeded.scan(AT(secs), &settings(), candidates, pools, InProgress::default(), |_, _| true)
}

fn nodes(scan: &Scan) -> Vec<u32> {
    scan.remove.iter().map(|removal| removal.node.0).collect()
}

#[test]
fn an_empty_node_goes_after_ten_minutes() {
    let mut unneeded = Unneeded::default();
    let first = scan(&mut unneeded, 0, &[empty(3)], &sized(2, 0));
    assert_eq!(first, Scan { remove: Vec::new(), next: AT(600) });
    assert_eq!(unneeded.since(NodeId(3)), Some(AT(0)));
    assert_eq!(nodes(&scan(&mut unneeded, 590, &[empty(3)], &sized(2, 0))), [0_u32; 0]);
    let last = scan(&mut unneeded, 600, &[empty(3)], &sized(2, 0));
    assert_eq!(last, Scan { remove: vec![Removal { node: NodeId(3), drain: false }], next: Instant::NEVER });
    assert_eq!(unneeded.since(NodeId(3)), None);
}

#[test]
fn a_node_that_is_needed_in_between_starts_anew() {
    let mut unneeded = Unneeded::default();
    scan(&mut unneeded, 0, &[empty(3)], &sized(2, 0));
    assert_eq!(scan(&mut unneeded, 300, &[], &sized(2, 0)).next, Instant::NEVER);
    assert_eq!(scan(&mut unneeded, 310, &[empty(3)], &sized(2, 0)).next, AT(910));
    assert_eq!(nodes(&scan(&mut unneeded, 600, &[empty(3)], &sized(2, 0))), [0_u32; 0]);
}

#[test]
fn no_node_goes_soon_after_a_scale_up() {
    let mut unneeded = Unneeded::default();
    scan(&mut unneeded, 0, &[empty(3)], &sized(2, 0));
    unneeded.scaled_up(AT(400));
    let waits = scan(&mut unneeded, 600, &[empty(3)], &sized(2, 0));
    assert_eq!(waits, Scan { remove: Vec::new(), next: AT(1000) });
    assert_eq!(nodes(&scan(&mut unneeded, 1000, &[empty(3)], &sized(2, 0))), [3]);
}

#[test]
fn a_pool_shrinks_to_its_minimum_only() {
    let mut unneeded = Unneeded::default();
    let candidates = [empty(0), empty(1), empty(2)];
    assert_eq!(scan(&mut unneeded, 0, &candidates, &sized(3, 3)).next, Instant::NEVER);
    assert_eq!(unneeded.since(NodeId(0)), None, "in a pool of the smallest size nothing is unneeded");
    scan(&mut unneeded, 10, &candidates, &sized(4, 2));
    assert_eq!(nodes(&scan(&mut unneeded, 610, &candidates, &sized(4, 2))), [0, 1]);
}

#[test]
fn ten_empty_nodes_go_at_once() {
    let mut unneeded = Unneeded::default();
    let candidates: Vec<_> = (0..15).map(empty).collect();
    scan(&mut unneeded, 0, &candidates, &sized(20, 0));
    let ten = scan(&mut unneeded, 600, &candidates, &sized(20, 0));
    assert_eq!((ten.remove.len(), ten.next), (10, AT(610)));
    let going = InProgress { empty: 7, drained: 0 };
    let three = unneeded.scan(AT(610), &settings(), &candidates[10..], &sized(10, 0), going, |_, _| true);
    assert_eq!(nodes(&three), [10, 11, 12]);
}

#[test]
fn one_node_is_drained_at_a_time() {
    let mut unneeded = Unneeded::default();
    let candidates = [full(0), full(1), empty(2)];
    scan(&mut unneeded, 0, &candidates, &sized(9, 0));
    let first = scan(&mut unneeded, 600, &candidates, &sized(9, 0));
    let expected = [Removal { node: NodeId(2), drain: false }, Removal { node: NodeId(0), drain: true }];
    assert_eq!((first.remove.as_slice(), first.next), (expected.as_slice(), AT(610)));
    let going = InProgress { empty: 0, drained: 1 };
    let none = unneeded.scan(AT(610), &settings(), &[full(1)], &sized(7, 0), going, |_, _| true);
    assert_eq!((none.remove.len(), none.next), (0, AT(620)));
    assert_eq!(nodes(&scan(&mut unneeded, 620, &[full(1)], &sized(7, 0))), [1]);
}

/// Two nodes could take each other's pods: only one of them is unneeded.
#[test]
fn nodes_that_go_take_no_pods() {
    let mut unneeded = Unneeded::default();
    let other = |node: NodeId, going: &BTreeSet<NodeId>| !going.contains(&NodeId(1 - node.0));
    unneeded.scan(AT(0), &settings(), &[full(0), full(1)], &sized(9, 0), InProgress::default(), other);
    assert_eq!((unneeded.since(NodeId(0)), unneeded.since(NodeId(1))), (Some(AT(0)), None));
}

#[test]
fn a_node_whose_pods_fit_nowhere_is_left_alone_for_five_minutes() {
    let mut unneeded = Unneeded::default();
    let never = |_: NodeId, _: &BTreeSet<NodeId>| false;
    let first = unneeded.scan(AT(0), &settings(), &[full(0)], &sized(9, 0), InProgress::default(), never);
    assert_eq!(first.next, AT(300), "room may be made that nobody tells of");
    let mut asked = 0;
    let mut ask = |secs, unneeded: &mut Unneeded| {
        let fits = |_: NodeId, _: &BTreeSet<NodeId>| {
            asked += 1;
            true
        };
        let scan = unneeded.scan(AT(secs), &settings(), &[full(0)], &sized(9, 0), InProgress::default(), fits);
        (scan.next, asked)
    };
    assert_eq!(ask(10, &mut unneeded), (AT(300), 0), "something happened that may have made room");
    assert_eq!(ask(300, &mut unneeded), (AT(900), 1));
}

/// A node with pods that may not be evicted is left alone for as long, and is unneeded from then on only
/// (`categorizeNodes` in `core/scaledown/planner/planner.go`).
#[test]
fn a_node_that_was_kept_is_left_alone_for_five_minutes() {
    let mut unneeded = Unneeded::default();
    assert_eq!(scan(&mut unneeded, 0, &[Candidate { kept: true, ..full(0) }], &sized(9, 0)).next, AT(300));
    assert_eq!(scan(&mut unneeded, 20, &[empty(0)], &sized(9, 0)).next, AT(300));
    assert_eq!(scan(&mut unneeded, 300, &[empty(0)], &sized(9, 0)).next, AT(900));
}

/// `CleanUpUnneededNodes` in `core/static_autoscaler.go`: the time begins anew when the cluster is healthy again.
#[test]
fn an_unhealthy_cluster_forgets_what_was_unneeded() {
    let mut unneeded = Unneeded::default();
    scan(&mut unneeded, 0, &[empty(0)], &sized(9, 0));
    unneeded.forget();
    assert_eq!(scan(&mut unneeded, 500, &[empty(0)], &sized(9, 0)).next, AT(1100));
}

/// `UpdateSoftDeletionTaints`: ten at once, those that are taken away first.
#[test]
fn ten_soft_taints_change_at_once() {
    let mut unneeded = Unneeded::default();
    let candidates: Vec<_> = (0..12).map(full).collect();
    scan(&mut unneeded, 0, &candidates, &sized(20, 0));
    let nodes = |from, to| (from..to).map(NodeId).collect::<Vec<_>>();
    assert_eq!(soft_taints(&BTreeSet::new(), &unneeded), (vec![], nodes(0, 10), true));
    assert_eq!(soft_taints(&nodes(0, 10).into_iter().collect(), &unneeded), (vec![], nodes(10, 12), false));
    assert_eq!(soft_taints(&nodes(8, 15).into_iter().collect(), &unneeded), (nodes(12, 15), nodes(0, 7), true));
}

/// Twenty nodes more than were known are looked at in a scan.
#[test]
fn no_more_nodes_are_looked_for_than_can_go() {
    let mut unneeded = Unneeded::default();
    let candidates: Vec<_> = (0..100).map(full).collect();
    let first = scan(&mut unneeded, 0, &candidates, &sized(200, 0));
    assert_eq!((unneeded.since(NodeId(19)), unneeded.since(NodeId(20)), first.next), (Some(AT(0)), None, AT(10)));
    scan(&mut unneeded, 10, &candidates, &sized(200, 0));
    assert_eq!((unneeded.since(NodeId(19)), unneeded.since(NodeId(39))), (Some(AT(0)), Some(AT(10))));
}

#[test]
fn scale_down_can_be_off() {
    let off = Autoscaler { scale_down: None, ..settings() };
    let scan = Unneeded::default().scan(AT(9), &off, &[empty(0)], &sized(9, 0), InProgress::default(), |_, _| true);
    assert_eq!(scan, Scan { remove: Vec::new(), next: Instant::NEVER });
}

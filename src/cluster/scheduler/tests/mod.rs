//! Each test names the plugin that it pins; `defaults` has the preferred spread beside upstream, `naive` compares with a scheduler that looks at every
//! node.

mod defaults;
mod naive;

use super::*;

const NOTHING: Resources = Resources { cpu_milli: 0, memory_mib: 0 };

fn group(pool: usize, zone: usize, cpu_milli: u32, memory_mib: u32, max_pods: u32) -> GroupSpec {
    GroupSpec { pool, zone, allocatable: Resources { cpu_milli, memory_mib }, max_pods }
}

fn places(pool: usize, zone: usize, max_pods: u32) -> GroupSpec {
    GroupSpec { pool, zone, allocatable: Resources::UNBOUNDED, max_pods }
}

fn rules(node_pools: &[usize]) -> Rules {
    Rules { node_pools: node_pools.to_vec(), takes_address: true, ..Rules::default() }
}

fn spread(max_skew: u32, strictness: Strictness) -> Rules {
    Rules { zone_spread: Some(ZoneSpread { max_skew, strictness }), ..rules(&[0]) }
}

fn apart(strictness: Strictness) -> Rules {
    Rules { anti_affinity: Some(strictness), ..rules(&[0]) }
}

fn requests(cpu_milli: u32, memory_mib: u32) -> Resources {
    Resources { cpu_milli, memory_mib }
}

fn wish(workload: usize, requests: Resources) -> Wish {
    Wish { workload, requests, zone: None }
}

fn least(groups: impl IntoIterator<Item = GroupSpec>, rules: impl IntoIterator<Item = Rules>) -> Scheduler {
    Scheduler::new(groups, rules, Scoring::LeastAllocated, SmallStream::new(1))
}

/// A scheduler with one node in each of the groups, numbered like them.
fn one_each(groups: &[GroupSpec], rules: impl IntoIterator<Item = Rules>) -> Scheduler {
    let mut scheduler = least(groups.iter().copied(), rules);
    for group in 0..groups.len() {
        scheduler.add_node(NodeId::new(group), group, NOTHING);
    }
    scheduler
}

/// A pod without requests is told to end, and leaves.
fn gone(scheduler: &mut Scheduler, workload: usize, node: NodeId) {
    scheduler.leaving(workload, node);
    scheduler.remove(workload, NOTHING, node);
}

#[test]
fn pods_go_where_fewest_are_until_all_is_full() {
    let mut scheduler = one_each(&[places(0, 0, 2), places(0, 0, 2), places(1, 0, 2)], [rules(&[0, 1]), rules(&[1])]);
    let mut placed: Vec<_> = (0..3).filter_map(|_| scheduler.place(wish(0, NOTHING)).ok()).collect();
    placed.sort();
    assert_eq!(placed, [NodeId(0), NodeId(1), NodeId(2)]);
    assert_eq!(scheduler.place(wish(1, NOTHING)), Ok(NodeId(2)));
    assert_eq!(scheduler.place(wish(1, NOTHING)), Err(Unfit::MaxPods));
    gone(&mut scheduler, 1, NodeId(2));
    assert_eq!(scheduler.place(wish(1, NOTHING)), Ok(NodeId(2)));
    assert!(scheduler.place(wish(0, NOTHING)).is_ok() && scheduler.place(wish(0, NOTHING)).is_ok());
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MaxPods));
    scheduler.add(0, NOTHING, NodeId(0));
    assert_eq!((scheduler.pods(NodeId(0)), scheduler.pods(NodeId(1))), (3, 2));
}

/// `NodeResourcesFit`, filter: requests count to the last thousandth, and what is not requested is
/// not looked at.
#[test]
fn node_resources_fit_filters_by_requests() {
    let mut scheduler = one_each(&[group(0, 0, 1000, 1000, 9)], [rules(&[0])]);
    assert_eq!(scheduler.place(wish(0, requests(1001, 0))), Err(Unfit::Cpu));
    assert_eq!(scheduler.place(wish(0, requests(0, 1001))), Err(Unfit::Memory));
    assert_eq!(scheduler.place(wish(0, requests(1000, 400))), Ok(NodeId(0)));
    assert_eq!(scheduler.requested(NodeId(0)), requests(1000, 400));
    assert!((scheduler.utilization(NodeId(0)) - 1.0).abs() < 1e-9);
    assert_eq!(scheduler.place(wish(0, requests(1, 0))), Err(Unfit::Cpu));
    assert_eq!(scheduler.place(wish(0, requests(0, 600))), Ok(NodeId(0)), "CPU is full, and none is asked for");
    assert!(scheduler.fits(0, NOTHING, NodeId(0)) && !scheduler.fits(0, requests(0, 1), NodeId(0)));
}

/// `NodeResourcesFit`, filter: DaemonSets of the host network take room, but no place.
#[test]
fn reserved_room_is_not_there() {
    let mut scheduler = least([group(0, 0, 1000, 1000, 2)], [rules(&[0])]);
    scheduler.add_node(NodeId(0), 0, requests(300, 0));
    assert_eq!(scheduler.place(wish(0, requests(701, 0))), Err(Unfit::Cpu));
    assert_eq!(scheduler.place(wish(0, requests(700, 0))), Ok(NodeId(0)));
    assert_eq!(scheduler.pods(NodeId(0)), 1);
}

/// `NodeResourcesFit`, filter: pods on the host network need no place under `max_pods`.
#[test]
fn host_network_pods_need_no_place() {
    let host = Rules { takes_address: false, ..rules(&[0]) };
    let mut scheduler = one_each(&[places(0, 0, 1)], [rules(&[0]), host]);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MaxPods));
    assert_eq!(scheduler.place(wish(1, NOTHING)), Ok(NodeId(0)));
    assert_eq!(scheduler.pods(NodeId(0)), 2);
}

/// `NodeResourcesFit`, score: worked by hand. 4 cores and 8 GiB with 1 core and 2 GiB taken score
/// (50 + 62) / 2 = 56 for a pod of 1 core and 1 GiB; 8 cores and 8 GiB with 2 cores and 4 GiB taken
/// score (62 + 37) / 2 = 49.
#[test]
fn least_and_most_allocated_score_with_the_pod() {
    for (scoring, expected) in [(Scoring::LeastAllocated, NodeId(0)), (Scoring::MostAllocated, NodeId(1))] {
        let groups = [group(0, 0, 4000, 8192, 99), group(0, 0, 8000, 8192, 99)];
        let mut scheduler = Scheduler::new(groups, [rules(&[0])], scoring, SmallStream::new(1));
        scheduler.add_node(NodeId(0), 0, requests(1000, 2048));
        scheduler.add_node(NodeId(1), 1, requests(2000, 4096));
        assert_eq!(scheduler.place(wish(0, requests(1000, 1024))), Ok(expected));
    }
}

/// `NodeResourcesFit`, score: what is not requested counts as 100m and 200 MiB (`NonZeroRequested`).
#[test]
fn pods_without_requests_weigh_something() {
    let mut scheduler = one_each(&[group(0, 0, 1000, 2000, 99), group(0, 0, 1000, 2000, 99)], [rules(&[0])]);
    let placed: Vec<_> = (0..8).map(|_| scheduler.place(wish(0, NOTHING)).expect("there is room")).collect();
    assert_eq!(placed.iter().filter(|&&node| node == NodeId(0)).count(), 4);
    assert_eq!(scheduler.requested(NodeId(0)), NOTHING);
}

/// `NodeUnschedulable` and `TaintToleration`: a cordoned node gets no pod, and has not lost any.
#[test]
fn a_cordoned_node_gets_no_pod() {
    let mut scheduler = one_each(&[places(0, 0, 9)], [rules(&[0])]);
    scheduler.add(0, NOTHING, NodeId(0));
    scheduler.set_schedulable(NodeId(0), false);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::NoNode));
    assert!(!scheduler.fits(0, NOTHING, NodeId(0)));
    scheduler.set_schedulable(NodeId(0), true);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
    assert_eq!(scheduler.pods(NodeId(0)), 2);
}

/// `TaintToleration`, score: a node that is shunned gets a pod only if no other can take it.
#[test]
fn a_shunned_node_is_the_last_to_get_a_pod() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 0, 2)], [rules(&[0])]);
    scheduler.shun(NodeId(0), true);
    let placed: Vec<_> = (0..3).map(|_| scheduler.place(wish(0, NOTHING)).expect("there is room")).collect();
    assert_eq!(placed, [NodeId(1), NodeId(1), NodeId(0)]);
    assert!(scheduler.fits_elsewhere(NodeId(1), &[wish(0, NOTHING)], |_| false), "pods that are evicted may go there");
    gone(&mut scheduler, 0, NodeId(1));
    scheduler.shun(NodeId(0), false);
    scheduler.add(0, NOTHING, NodeId(1));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
}

/// `NodeAffinity`: only the workload's pools count.
#[test]
fn other_pools_do_not_count() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(1, 0, 1)], [rules(&[1])]);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(1)));
    assert!(!scheduler.fits(0, NOTHING, NodeId(0)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MaxPods));
}

/// `PodTopologySpread`, `DoNotSchedule`: the skew counts against the emptiest zone that has a node.
#[test]
fn topology_spread_keeps_the_skew() {
    let groups = [places(0, 0, 9), places(0, 1, 2), places(0, 2, 9)];
    let mut scheduler = least(groups, [spread(1, Strictness::Required)]);
    scheduler.add_node(NodeId(0), 0, NOTHING);
    scheduler.add_node(NodeId(1), 1, NOTHING);
    let placed: Vec<_> = (0..5).filter_map(|_| scheduler.place(wish(0, NOTHING)).ok()).collect();
    assert_eq!(placed.iter().filter(|&&node| node == NodeId(0)).count(), 3);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MaxPods), "one zone is full, the other too far ahead");
    // The third zone gets its first node: it is the one with fewest pods now.
    scheduler.add_node(NodeId(2), 2, NOTHING);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(2)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(2)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(2)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::ZoneSpread));
}

/// `PodTopologySpread`: taints do not matter to which zones there are (`nodeTaintsPolicy: Ignore`),
/// nodes do.
#[test]
fn topology_spread_counts_zones_of_cordoned_nodes() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 1, 9)], [spread(1, Strictness::Required)]);
    scheduler.set_schedulable(NodeId(1), false);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::ZoneSpread));
    scheduler.remove_node(NodeId(1));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)), "the zone went with its last node");
}

/// `PodTopologySpread`: pods that are told to end do not count (`deletionTimestamp`).
#[test]
fn topology_spread_leaves_out_pods_that_leave() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 1, 1)], [spread(1, Strictness::Required)]);
    scheduler.add(0, NOTHING, NodeId(1));
    scheduler.add(0, NOTHING, NodeId(0));
    scheduler.add(0, NOTHING, NodeId(0));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MaxPods));
    scheduler.leaving(0, NodeId(0));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
    scheduler.remove(0, NOTHING, NodeId(0));
    assert_eq!((scheduler.pods(NodeId(0)), scheduler.place(wish(0, NOTHING))), (2, Err(Unfit::MaxPods)));
}

/// `PodTopologySpread`, `ScheduleAnyway`: weight 2 outweighs an emptier node, but never leaves a pod
/// without one.
#[test]
fn preferred_spread_bends() {
    let groups = [places(0, 0, 9), places(0, 1, 3)];
    let mut scheduler = one_each(&groups, [spread(1, Strictness::Preferred), rules(&[0])]);
    scheduler.add(1, NOTHING, NodeId(1));
    let zones: Vec<_> = (0..4).map(|_| scheduler.place(wish(0, NOTHING)).expect("there is room")).collect();
    assert_eq!(zones.iter().filter(|&&node| node == NodeId(1)).count(), 2);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
}

/// `InterPodAffinity`, `required…`: one pod of the workload on a node.
#[test]
fn required_anti_affinity_keeps_pods_apart() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 0, 9)], [apart(Strictness::Required), rules(&[0])]);
    let mut placed: Vec<_> = (0..2).filter_map(|_| scheduler.place(wish(0, NOTHING)).ok()).collect();
    placed.sort();
    assert_eq!(placed, [NodeId(0), NodeId(1)]);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::AntiAffinity));
    assert!(scheduler.place(wish(1, NOTHING)).is_ok(), "others do not mind");
    gone(&mut scheduler, 0, NodeId(1));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(1)));
}

/// `InterPodAffinity`, `preferred…`: nodes without a pod of the workload first, then others.
#[test]
fn preferred_anti_affinity_bends() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 0, 9)], [apart(Strictness::Preferred), rules(&[0])]);
    (0..5).for_each(|_| scheduler.add(1, NOTHING, NodeId(1)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(1)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)), "both have one: the emptier");
}

#[test]
fn the_reason_is_what_keeps_a_pod_from_most_nodes() {
    let groups = [group(0, 0, 100, 900, 9), group(0, 0, 900, 100, 9), group(0, 0, 900, 100, 9)];
    let mut scheduler = one_each(&groups, [rules(&[0])]);
    assert_eq!(scheduler.place(wish(0, requests(500, 500))), Err(Unfit::Memory));
    scheduler.remove_node(NodeId(2));
    assert_eq!(scheduler.place(wish(0, requests(501, 500))), Err(Unfit::Cpu), "the first of two that are equal");
}

#[test]
fn pods_of_a_node_fit_elsewhere_only_all_at_once() {
    let groups = [group(0, 0, 900, 900, 9), group(0, 0, 500, 900, 9), group(0, 0, 100, 900, 9)];
    let mut scheduler = one_each(&groups, [rules(&[0])]);
    let pods = [300, 200, 100].map(|cpu| wish(0, requests(cpu, 0)));
    pods.iter().for_each(|pod| scheduler.add(pod.workload, pod.requests, NodeId(0)));
    assert!(scheduler.fits_elsewhere(NodeId(0), &pods, |_| false));
    assert!(!scheduler.fits_elsewhere(NodeId(0), &pods, |node| node == NodeId(2)));
    assert!(scheduler.fits_elsewhere(NodeId(0), &pods[..2], |node| node == NodeId(2)));
    assert_eq!(scheduler.pods(NodeId(1)), 0, "only in thought");
}

#[test]
fn rules_bind_elsewhere_too() {
    let groups = [places(0, 0, 9), places(0, 1, 9)];
    let mut scheduler = one_each(&groups, [apart(Strictness::Required), spread(1, Strictness::Required)]);
    let pod = |workload| [wish(workload, NOTHING)];
    scheduler.add(0, NOTHING, NodeId(0));
    assert!(scheduler.fits_elsewhere(NodeId(0), &pod(0), |_| false));
    assert!(!scheduler.fits_elsewhere(NodeId(0), &[wish(0, NOTHING), wish(0, NOTHING)], |_| false));
    scheduler.add(0, NOTHING, NodeId(1));
    assert!(!scheduler.fits_elsewhere(NodeId(0), &pod(0), |_| false));
    scheduler.add(1, NOTHING, NodeId(0));
    assert!(scheduler.fits_elsewhere(NodeId(0), &pod(1), |_| false));
    scheduler.add(1, NOTHING, NodeId(1));
    assert!(!scheduler.fits_elsewhere(NodeId(0), &pod(1), |_| false), "zone 0 would have none, zone 1 two");
}

/// Two thousand nodes that are all alike: nobody is left out, and nobody gets a second pod first.
#[test]
fn equals_are_filled_evenly_beyond_the_sample() {
    for spec in [places(0, 0, 9), group(0, 0, 4000, 8000, 9)] {
        let mut scheduler = least([spec], [rules(&[0])]);
        (0..2000).for_each(|node| scheduler.add_node(NodeId(node), 0, NOTHING));
        for round in 1..=2 {
            (0..2000).for_each(|_| assert!(scheduler.place(wish(0, requests(100, 200))).is_ok()));
            assert!((0..2000).all(|node| scheduler.pods(NodeId(node)) == round));
        }
    }
}

/// The choice among equals is random, in proportion to their numbers also between groups.
#[test]
fn select_host_draws_among_all_equals() {
    let mut scheduler = least([places(0, 0, 9), places(0, 0, 9)], [rules(&[0])]);
    (0..40).for_each(|node| scheduler.add_node(NodeId(node), usize::from(node >= 30), NOTHING));
    let mut drawn = [0; 40];
    for _ in 0..4000 {
        let node = scheduler.place(wish(0, NOTHING)).expect("there is room");
        drawn[node.index()] += 1;
        gone(&mut scheduler, 0, node);
    }
    // 100 each, standard deviation 10.
    assert!(drawn.iter().all(|&times| (50..150).contains(&times)), "{drawn:?}");
}

/// A pod that found no node does not miss room that was made while its zone was closed.
#[test]
fn room_in_a_closed_zone_is_found_when_it_opens() {
    let mut scheduler = one_each(&[places(0, 0, 2), places(0, 1, 2)], [spread(1, Strictness::Required), rules(&[0])]);
    [0, 0, 1, 1].iter().for_each(|&node| scheduler.add(1, NOTHING, NodeId(node)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MaxPods));
    // Zone 0 gets a pod, which closes it, and then room.
    scheduler.add(0, NOTHING, NodeId(0));
    [0, 0].iter().for_each(|&node| gone(&mut scheduler, 1, NodeId(node)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MaxPods));
    // Zone 1 gets one too, which opens zone 0.
    scheduler.add(0, NOTHING, NodeId(1));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
}

/// What the search relies on when it stops: no node of a bucket has a higher score than its bound,
/// also where pods without requests count for more than there is.
#[test]
fn no_score_is_higher_than_its_bound() {
    let spec = group(0, 0, 1130, 2111, 9);
    for scoring in [Scoring::LeastAllocated, Scoring::MostAllocated] {
        for (cpu, memory) in (0..1500).step_by(23).flat_map(|cpu| (0..2700).step_by(41).map(move |m| (cpu, m))) {
            let node = Node::new(0, requests(cpu, memory));
            let bucket = score::bucket(&spec, &node, scoring);
            for pod in [NOTHING, requests(10, 1000), requests(700, 10), requests(333, 333)].map(score::weighed) {
                let fit = score::fit(&spec, &node, pod, true, scoring);
                assert!(fit <= score::bound(&spec, bucket, pod, true, scoring), "{cpu} {memory} {pod:?} {scoring:?}");
            }
        }
    }
}

/// `NodeResourcesFit`: member interfaces are counted like any other resource, from when a node offers them.
#[test]
fn c145_members_are_a_resource() {
    let own = Rules { takes_devices: Devices { members: 1, rdma: 0, ..Devices::default() }, ..rules(&[0]) };
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 1, 9)], [own, rules(&[0])]);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MemberEnis), "no node has offered any");
    scheduler.offer(NodeId(0), Devices { members: 1, rdma: 0, ..Devices::default() });
    scheduler.offer(NodeId(1), Devices { members: 0, rdma: 1, ..Devices::default() });
    assert_eq!(scheduler.place(Wish { zone: Some(1), ..wish(0, NOTHING) }), Err(Unfit::MemberEnis));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::MemberEnis));
    assert!(scheduler.fits(1, NOTHING, NodeId(0)), "others do not need one");
    gone(&mut scheduler, 0, NodeId(0));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
}

/// So are addresses for RDMA; where fewer are offered than taken, whoever has one keeps it.
#[test]
fn r41_addresses_for_rdma_are_a_resource() {
    let rdma = |rdma| Devices { members: 0, rdma, ..Devices::default() };
    let mut scheduler = one_each(&[places(0, 0, 9)], [Rules { takes_devices: rdma(1), ..rules(&[0]) }]);
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::Rdma));
    scheduler.offer(NodeId(0), rdma(2));
    assert_eq!([(); 3].map(|()| scheduler.place(wish(0, NOTHING)).is_ok()), [true, true, false]);
    scheduler.offer(NodeId(0), rdma(1));
    gone(&mut scheduler, 0, NodeId(0));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Err(Unfit::Rdma));
    gone(&mut scheduler, 0, NodeId(0));
    assert_eq!(scheduler.place(wish(0, NOTHING)), Ok(NodeId(0)));
}

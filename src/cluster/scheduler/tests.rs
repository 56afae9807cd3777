//! Each test names the plugin that it pins; the last ones compare with a naive scheduler that
//! looks at every node.

use proptest::prelude::*;

use super::*;

const NOTHING: Resources = Resources { cpu_milli: 0, memory_mib: 0 };

fn group(pool: usize, zone: usize, cpu_milli: u32, memory_mib: u32, max_pods: u32) -> GroupSpec {
    GroupSpec { pool, zone, allocatable: Resources { cpu_milli, memory_mib }, max_pods }
}

fn places(pool: usize, zone: usize, max_pods: u32) -> GroupSpec {
    GroupSpec { pool, zone, allocatable: Resources::UNBOUNDED, max_pods }
}

fn rules(node_pools: &[usize]) -> Rules {
    Rules { node_pools: node_pools.to_vec(), zone_spread: None, anti_affinity: None, takes_address: true }
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

#[test]
fn pods_go_where_fewest_are_until_all_is_full() {
    let mut scheduler = one_each(&[places(0, 0, 2), places(0, 0, 2), places(1, 0, 2)], [rules(&[0, 1]), rules(&[1])]);
    let mut placed: Vec<_> = (0..3).filter_map(|_| scheduler.place(0, NOTHING).ok()).collect();
    placed.sort();
    assert_eq!(placed, [NodeId(0), NodeId(1), NodeId(2)]);
    assert_eq!(scheduler.place(1, NOTHING), Ok(NodeId(2)));
    assert_eq!(scheduler.place(1, NOTHING), Err(Unfit::MaxPods));
    scheduler.remove(1, NOTHING, NodeId(2));
    assert_eq!(scheduler.place(1, NOTHING), Ok(NodeId(2)));
    assert!(scheduler.place(0, NOTHING).is_ok() && scheduler.place(0, NOTHING).is_ok());
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::MaxPods));
    scheduler.add(0, NOTHING, NodeId(0));
    assert_eq!((scheduler.pods(NodeId(0)), scheduler.pods(NodeId(1))), (3, 2));
    assert_eq!(scheduler.emptiest(0), Some(NodeId(1)));
    scheduler.remove_node(NodeId(1));
    assert_eq!(scheduler.emptiest(0), Some(NodeId(0)));
}

#[test]
fn emptiest_is_the_last_to_join_among_equals() {
    let mut scheduler = least([places(0, 0, 9)], [rules(&[0])]);
    (0..3).for_each(|node| scheduler.add_node(NodeId(node), 0, NOTHING));
    scheduler.add(0, NOTHING, NodeId(2));
    assert_eq!(scheduler.emptiest(0), Some(NodeId(1)));
    scheduler.set_schedulable(NodeId(1), false);
    assert_eq!(scheduler.emptiest(0), Some(NodeId(0)), "a node that is drained already is not taken twice");
}

/// `NodeResourcesFit`, filter: requests count to the last thousandth, and what is not requested is
/// not looked at.
#[test]
fn node_resources_fit_filters_by_requests() {
    let mut scheduler = one_each(&[group(0, 0, 1000, 1000, 9)], [rules(&[0])]);
    assert_eq!(scheduler.place(0, requests(1001, 0)), Err(Unfit::Cpu));
    assert_eq!(scheduler.place(0, requests(0, 1001)), Err(Unfit::Memory));
    assert_eq!(scheduler.place(0, requests(1000, 400)), Ok(NodeId(0)));
    assert_eq!(scheduler.requested(NodeId(0)), requests(1000, 400));
    assert!((scheduler.utilization(NodeId(0)) - 1.0).abs() < 1e-9);
    assert_eq!(scheduler.place(0, requests(1, 0)), Err(Unfit::Cpu));
    assert_eq!(scheduler.place(0, requests(0, 600)), Ok(NodeId(0)), "CPU is full, and none is asked for");
    assert!(scheduler.fits(0, NOTHING, NodeId(0)) && !scheduler.fits(0, requests(0, 1), NodeId(0)));
}

/// `NodeResourcesFit`, filter: DaemonSets of the host network take room, but no place.
#[test]
fn reserved_room_is_not_there() {
    let mut scheduler = least([group(0, 0, 1000, 1000, 2)], [rules(&[0])]);
    scheduler.add_node(NodeId(0), 0, requests(300, 0));
    assert_eq!(scheduler.place(0, requests(701, 0)), Err(Unfit::Cpu));
    assert_eq!(scheduler.place(0, requests(700, 0)), Ok(NodeId(0)));
    assert_eq!(scheduler.pods(NodeId(0)), 1);
}

/// `NodeResourcesFit`, filter: pods on the host network need no place under `max_pods`.
#[test]
fn host_network_pods_need_no_place() {
    let host = Rules { takes_address: false, ..rules(&[0]) };
    let mut scheduler = one_each(&[places(0, 0, 1)], [rules(&[0]), host]);
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(0)));
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::MaxPods));
    assert_eq!(scheduler.place(1, NOTHING), Ok(NodeId(0)));
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
        assert_eq!(scheduler.place(0, requests(1000, 1024)), Ok(expected));
    }
}

/// `NodeResourcesFit`, score: what is not requested counts as 100m and 200 MiB (`NonZeroRequested`).
#[test]
fn pods_without_requests_weigh_something() {
    let mut scheduler = one_each(&[group(0, 0, 1000, 2000, 99), group(0, 0, 1000, 2000, 99)], [rules(&[0])]);
    let placed: Vec<_> = (0..8).map(|_| scheduler.place(0, NOTHING).expect("there is room")).collect();
    assert_eq!(placed.iter().filter(|&&node| node == NodeId(0)).count(), 4);
    assert_eq!(scheduler.requested(NodeId(0)), NOTHING);
}

/// `NodeUnschedulable` and `TaintToleration`: a cordoned node gets no pod, and has not lost any.
#[test]
fn a_cordoned_node_gets_no_pod() {
    let mut scheduler = one_each(&[places(0, 0, 9)], [rules(&[0])]);
    scheduler.add(0, NOTHING, NodeId(0));
    scheduler.set_schedulable(NodeId(0), false);
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::NoNode));
    assert!(!scheduler.fits(0, NOTHING, NodeId(0)));
    scheduler.set_schedulable(NodeId(0), true);
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(0)));
    assert_eq!(scheduler.pods(NodeId(0)), 2);
}

/// `NodeAffinity`: only the workload's pools count.
#[test]
fn other_pools_do_not_count() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(1, 0, 1)], [rules(&[1])]);
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(1)));
    assert!(!scheduler.fits(0, NOTHING, NodeId(0)));
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::MaxPods));
}

/// `PodTopologySpread`, `DoNotSchedule`: the skew counts against the emptiest zone that has a node.
#[test]
fn topology_spread_keeps_the_skew() {
    let groups = [places(0, 0, 9), places(0, 1, 2), places(0, 2, 9)];
    let mut scheduler = least(groups, [spread(1, Strictness::Required)]);
    scheduler.add_node(NodeId(0), 0, NOTHING);
    scheduler.add_node(NodeId(1), 1, NOTHING);
    let placed: Vec<_> = (0..5).filter_map(|_| scheduler.place(0, NOTHING).ok()).collect();
    assert_eq!(placed.iter().filter(|&&node| node == NodeId(0)).count(), 3);
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::MaxPods), "one zone is full, the other too far ahead");
    // The third zone gets its first node: it is the one with fewest pods now.
    scheduler.add_node(NodeId(2), 2, NOTHING);
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(2)));
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(2)));
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(2)));
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::ZoneSpread));
}

/// `PodTopologySpread`: taints do not matter to which zones there are (`nodeTaintsPolicy: Ignore`),
/// nodes do.
#[test]
fn topology_spread_counts_zones_of_cordoned_nodes() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 1, 9)], [spread(1, Strictness::Required)]);
    scheduler.set_schedulable(NodeId(1), false);
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(0)));
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::ZoneSpread));
    scheduler.remove_node(NodeId(1));
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(0)), "the zone went with its last node");
}

/// `PodTopologySpread`: pods that are told to end do not count (`deletionTimestamp`).
#[test]
fn topology_spread_leaves_out_pods_that_leave() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 1, 1)], [spread(1, Strictness::Required)]);
    scheduler.add(0, NOTHING, NodeId(1));
    scheduler.add(0, NOTHING, NodeId(0));
    scheduler.add(0, NOTHING, NodeId(0));
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::MaxPods));
    scheduler.leaving(0, NodeId(0));
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(0)));
    scheduler.remove(0, NOTHING, NodeId(0));
    assert_eq!((scheduler.pods(NodeId(0)), scheduler.place(0, NOTHING)), (2, Err(Unfit::MaxPods)));
}

/// `PodTopologySpread`, `ScheduleAnyway`: weight 2 outweighs an emptier node, but never leaves a pod
/// without one.
#[test]
fn preferred_spread_bends() {
    let groups = [places(0, 0, 9), places(0, 1, 3)];
    let mut scheduler = one_each(&groups, [spread(1, Strictness::Preferred), rules(&[0])]);
    scheduler.add(1, NOTHING, NodeId(1));
    let zones: Vec<_> = (0..4).map(|_| scheduler.place(0, NOTHING).expect("there is room")).collect();
    assert_eq!(zones.iter().filter(|&&node| node == NodeId(1)).count(), 2);
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(0)));
}

/// `InterPodAffinity`, `required…`: one pod of the workload on a node.
#[test]
fn required_anti_affinity_keeps_pods_apart() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 0, 9)], [apart(Strictness::Required), rules(&[0])]);
    let mut placed: Vec<_> = (0..2).filter_map(|_| scheduler.place(0, NOTHING).ok()).collect();
    placed.sort();
    assert_eq!(placed, [NodeId(0), NodeId(1)]);
    assert_eq!(scheduler.place(0, NOTHING), Err(Unfit::AntiAffinity));
    assert!(scheduler.place(1, NOTHING).is_ok(), "others do not mind");
    scheduler.remove(0, NOTHING, NodeId(1));
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(1)));
}

/// `InterPodAffinity`, `preferred…`: nodes without a pod of the workload first, then others.
#[test]
fn preferred_anti_affinity_bends() {
    let mut scheduler = one_each(&[places(0, 0, 9), places(0, 0, 9)], [apart(Strictness::Preferred), rules(&[0])]);
    (0..5).for_each(|_| scheduler.add(1, NOTHING, NodeId(1)));
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(0)));
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(1)));
    assert_eq!(scheduler.place(0, NOTHING), Ok(NodeId(0)), "both have one: the emptier");
}

#[test]
fn the_reason_is_what_keeps_a_pod_from_most_nodes() {
    let groups = [group(0, 0, 100, 900, 9), group(0, 0, 900, 100, 9), group(0, 0, 900, 100, 9)];
    let mut scheduler = one_each(&groups, [rules(&[0])]);
    assert_eq!(scheduler.place(0, requests(500, 500)), Err(Unfit::Memory));
    scheduler.remove_node(NodeId(2));
    assert_eq!(scheduler.place(0, requests(501, 500)), Err(Unfit::Cpu), "the first of two that are equal");
}

#[test]
fn pods_of_a_node_fit_elsewhere_only_all_at_once() {
    let groups = [group(0, 0, 900, 900, 9), group(0, 0, 500, 900, 9), group(0, 0, 100, 900, 9)];
    let mut scheduler = one_each(&groups, [rules(&[0])]);
    let pods = [(0, requests(300, 0)), (0, requests(200, 0)), (0, requests(100, 0))];
    pods.iter().for_each(|&(workload, requests)| scheduler.add(workload, requests, NodeId(0)));
    assert!(scheduler.fits_elsewhere(NodeId(0), &pods, |_| false));
    assert!(!scheduler.fits_elsewhere(NodeId(0), &pods, |node| node == NodeId(2)));
    assert!(scheduler.fits_elsewhere(NodeId(0), &pods[..2], |node| node == NodeId(2)));
    assert_eq!(scheduler.pods(NodeId(1)), 0, "only in thought");
}

#[test]
fn rules_bind_elsewhere_too() {
    let groups = [places(0, 0, 9), places(0, 1, 9)];
    let mut scheduler = one_each(&groups, [apart(Strictness::Required), spread(1, Strictness::Required)]);
    let pod = |workload| [(workload, NOTHING)];
    scheduler.add(0, NOTHING, NodeId(0));
    assert!(scheduler.fits_elsewhere(NodeId(0), &pod(0), |_| false));
    assert!(!scheduler.fits_elsewhere(NodeId(0), &[(0, NOTHING), (0, NOTHING)], |_| false));
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
            (0..2000).for_each(|_| assert!(scheduler.place(0, requests(100, 200)).is_ok()));
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
        let node = scheduler.place(0, NOTHING).expect("there is room");
        drawn[node.index()] += 1;
        scheduler.remove(0, NOTHING, node);
    }
    // 100 each, standard deviation 10.
    assert!(drawn.iter().all(|&times| (50..150).contains(&times)), "{drawn:?}");
}

/// A scheduler that looks at every node and keeps a list of pods.
#[derive(Debug, Clone)]
struct Naive {
    groups: Vec<GroupSpec>,
    rules: Vec<Rules>,
    scoring: Scoring,
    nodes: Vec<Option<NaiveNode>>,
}

#[derive(Debug, Clone)]
struct NaiveNode {
    group: usize,
    schedulable: bool,
    reserved: Resources,
    pods: Vec<(usize, Resources)>,
}

impl Naive {
    fn nodes(&self) -> impl Iterator<Item = (NodeId, &NaiveNode)> {
        self.nodes.iter().enumerate().filter_map(|(i, node)| Some((NodeId::new(i), node.as_ref()?)))
    }

    fn allowed(&self, workload: usize, node: &NaiveNode) -> bool {
        self.rules[workload].node_pools.contains(&self.groups[node.group].pool)
    }

    fn same(&self, workload: usize, node: &NaiveNode) -> u32 {
        node.pods.iter().filter(|pod| pod.0 == workload).count() as u32
    }

    fn in_zone(&self, workload: usize, zone: usize) -> u32 {
        let nodes = self.nodes().filter(|(_, node)| self.groups[node.group].zone == zone);
        nodes.map(|(_, node)| self.same(workload, node)).sum()
    }

    fn addresses(&self, node: &NaiveNode) -> u32 {
        node.pods.iter().filter(|pod| self.rules[pod.0].takes_address).count() as u32
    }

    fn feasible(&self, workload: usize, requests: Resources, node: &NaiveNode) -> bool {
        let (rules, spec) = (&self.rules[workload], self.groups[node.group]);
        let used =
            |part: fn(&Resources) -> u32| part(&node.reserved) + node.pods.iter().map(|pod| part(&pod.1)).sum::<u32>();
        let room = |part: fn(&Resources) -> u32| {
            part(&requests) == 0 || used(part) + part(&requests) <= part(&spec.allocatable)
        };
        let skew = rules.zone_spread.is_none_or(|spread| {
            let zones = self.nodes().filter(|(_, node)| self.allowed(workload, node));
            let fewest = zones.map(|(_, node)| self.in_zone(workload, self.groups[node.group].zone)).min();
            spread.strictness == Strictness::Preferred
                || self.in_zone(workload, spec.zone) < fewest.unwrap_or(0) + spread.max_skew
        });
        node.schedulable
            && self.allowed(workload, node)
            && (!rules.takes_address || self.addresses(node) < spec.max_pods)
            && room(|resources| resources.cpu_milli)
            && room(|resources| resources.memory_mib)
            && skew
            && !(rules.anti_affinity == Some(Strictness::Required) && self.same(workload, node) > 0)
    }

    /// Score of `NodeResourcesFit` in hundredths.
    fn fit(&self, workload: usize, requests: Resources, node: &NaiveNode) -> u64 {
        let spec = self.groups[node.group];
        let score = |used: u64, whole: u64, steps: u64| match self.scoring {
            Scoring::LeastAllocated => whole.saturating_sub(used) * steps / whole,
            Scoring::MostAllocated => used.min(whole) * steps / whole,
        };
        if spec.allocatable == Resources::UNBOUNDED {
            let pods = self.addresses(node) + u32::from(self.rules[workload].takes_address);
            let used = 10_000 * u64::from(pods.min(spec.max_pods)) / u64::from(spec.max_pods);
            let free = 10_000 * u64::from(spec.max_pods.saturating_sub(pods)) / u64::from(spec.max_pods);
            return if self.scoring == Scoring::LeastAllocated { 10_000 - used } else { 10_000 - free };
        }
        let or = |request: u32, default: u32| u64::from(if request == 0 { default } else { request });
        let pods = node.pods.iter().map(|pod| pod.1).chain([requests]);
        let cpu = u64::from(node.reserved.cpu_milli) + pods.clone().map(|pod| or(pod.cpu_milli, 100)).sum::<u64>();
        let memory = u64::from(node.reserved.memory_mib) + pods.map(|pod| or(pod.memory_mib, 200)).sum::<u64>();
        let cpu = score(cpu, spec.allocatable.cpu_milli.into(), 100);
        100 * ((cpu + score(memory, spec.allocatable.memory_mib.into(), 100)) / 2)
    }

    /// All plugins' scores of the nodes that a pod fits on, in hundredths.
    fn scores(&self, workload: usize, requests: Resources) -> Vec<(NodeId, u64)> {
        let fitting: Vec<_> = self.nodes().filter(|(_, node)| self.feasible(workload, requests, node)).collect();
        let preferred = Some(Strictness::Preferred);
        let rules = &self.rules[workload];
        let mut zones: Vec<_> = fitting.iter().map(|(_, node)| self.groups[node.group].zone).collect();
        zones.sort_unstable();
        zones.dedup();
        let weight = (zones.len() as f64 + 2.0).ln();
        let raw = |zone: usize| {
            let skew = rules.zone_spread.map_or(0.0, |spread| f64::from(spread.max_skew)) - 1.0;
            (f64::from(self.in_zone(workload, zone)) * weight + skew).round() as u64
        };
        let (low, high) = (zones.iter().map(|&z| raw(z)).min(), zones.iter().map(|&z| raw(z)).max().unwrap_or(0));
        let same = || fitting.iter().map(|(_, node)| u64::from(self.same(workload, node)));
        let (fewest, most) = (same().min().unwrap_or(0), same().max().unwrap_or(0));
        let score = |node: &NaiveNode| {
            let mut score = self.fit(workload, requests, node);
            if rules.zone_spread.map(|spread| spread.strictness) == preferred {
                let raw = raw(self.groups[node.group].zone);
                score += 200 * if high == 0 { 100 } else { 100 * (high + low.unwrap_or(0) - raw) / high };
            }
            if rules.anti_affinity == preferred && most > fewest {
                score += 200 * (100 * (most - u64::from(self.same(workload, node))) / (most - fewest));
            }
            score
        };
        fitting.iter().map(|&(id, node)| (id, score(node))).collect()
    }
}

/// Something that happens to a cluster; numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Join(usize, u32),
    Leave(usize),
    Schedulable(usize, bool),
    Place(usize, u32, u32),
    Add(usize, u32, usize),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (any::<usize>(), 0..300_u32).prop_map(|(group, cpu)| Step::Join(group, cpu)),
        1 => any::<usize>().prop_map(Step::Leave),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(node, yes)| Step::Schedulable(node, yes)),
        12 => (any::<usize>(), 0..8_u32, 0..5_u32).prop_map(|(workload, cpu, memory)| Step::Place(workload, 170 * cpu, 333 * memory)),
        1 => (any::<usize>(), 0..500_u32, any::<usize>()).prop_map(|(workload, cpu, node)| Step::Add(workload, cpu, node)),
        5 => any::<usize>().prop_map(Step::Remove),
    ]
}

fn strictness() -> impl Strategy<Value = Strictness> {
    prop_oneof![Just(Strictness::Required), Just(Strictness::Preferred)]
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let pools = prop_oneof![Just(vec![0]), Just(vec![1]), Just(vec![0, 1])];
    let spread = proptest::option::of((1..3_u32, strictness()));
    (pools, spread, proptest::option::of(strictness()), proptest::bool::weighted(0.8)).prop_map(
        |(node_pools, spread, anti_affinity, takes_address)| {
            let zone_spread = spread.map(|(max_skew, strictness)| ZoneSpread { max_skew, strictness });
            Rules { node_pools, zone_spread, anti_affinity, takes_address }
        },
    )
}

fn any_group() -> impl Strategy<Value = GroupSpec> {
    (0..2_usize, 0..3_usize, 1..5_u32, 1..5_u32, 1..12_u32, proptest::bool::weighted(0.3)).prop_map(
        |(pool, zone, cpu, memory, max_pods, unbounded)| match unbounded {
            true => places(pool, zone, max_pods),
            false => group(pool, zone, 1130 * cpu, 2111 * memory, max_pods),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens, a pod is placed where the naive scheduler may place it too, and refused
    /// only if that one refuses it.
    #[test]
    fn as_the_naive_scheduler(
        groups in proptest::collection::vec(any_group(), 1..5),
        rules in proptest::collection::vec(any_rules(), 1..4),
        most in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let scoring = if most { Scoring::MostAllocated } else { Scoring::LeastAllocated };
        let mut scheduler = Scheduler::new(groups.clone(), rules.clone(), scoring, SmallStream::new(1));
        let mut naive = Naive { groups, rules, scoring, nodes: Vec::new() };
        for step in steps {
            both(&mut scheduler, &mut naive, step)?;
        }
        for (id, node) in naive.nodes() {
            prop_assert_eq!(scheduler.pods(id) as usize, node.pods.len());
            for (workload, rules) in naive.rules.iter().enumerate() {
                let fits = naive.feasible(workload, requests(170, 333), node);
                prop_assert_eq!(scheduler.fits(workload, requests(170, 333), id), fits);
                // Without rules, a pod alone fits elsewhere if it fits on any other node.
                if rules.zone_spread.is_none() {
                    let elsewhere = naive.nodes().any(|(other, node)| {
                        other != id && naive.feasible(workload, requests(170, 333), node)
                    });
                    prop_assert_eq!(scheduler.fits_elsewhere(id, &[(workload, requests(170, 333))], |_| false), elsewhere);
                }
            }
        }
    }
}

/// Lets a step happen in both.
fn both(scheduler: &mut Scheduler, naive: &mut Naive, step: Step) -> Result<(), TestCaseError> {
    let there: Vec<_> = naive.nodes().map(|(id, _)| id).collect();
    let pick = |i: usize| (!there.is_empty()).then(|| there[i % there.len()]);
    match step {
        Step::Join(group, cpu) => {
            let (id, group) = (NodeId::new(naive.nodes.len()), group % naive.groups.len());
            scheduler.add_node(id, group, requests(cpu, 0));
            let node = NaiveNode { group, schedulable: true, reserved: requests(cpu, 0), pods: Vec::new() };
            naive.nodes.push(Some(node));
        }
        Step::Leave(node) => {
            let Some(node) = pick(node) else { return Ok(()) };
            scheduler.remove_node(node);
            naive.nodes[node.index()] = None;
        }
        Step::Schedulable(node, yes) => {
            let Some(node) = pick(node) else { return Ok(()) };
            scheduler.set_schedulable(node, yes);
            naive.nodes[node.index()].as_mut().unwrap().schedulable = yes;
        }
        Step::Add(workload, cpu, node) => {
            let Some(node) = pick(node) else { return Ok(()) };
            let workload = workload % naive.rules.len();
            // What a workload is spread by counts in its own pools only.
            if naive.allowed(workload, naive.nodes[node.index()].as_ref().unwrap()) {
                scheduler.add(workload, requests(cpu, 0), node);
                naive.nodes[node.index()].as_mut().unwrap().pods.push((workload, requests(cpu, 0)));
            }
        }
        Step::Remove(i) => {
            let pods: Vec<_> =
                naive.nodes().flat_map(|(id, node)| (0..node.pods.len()).map(move |k| (id, k))).collect();
            let Some(&(node, k)) = pods.get(i % pods.len().max(1)) else { return Ok(()) };
            let (workload, requests) = naive.nodes[node.index()].as_mut().unwrap().pods.swap_remove(k);
            scheduler.remove(workload, requests, node);
        }
        Step::Place(workload, cpu, memory) => {
            let (workload, pod) = (workload % naive.rules.len(), requests(cpu, memory));
            let scores = naive.scores(workload, pod);
            let best = scores.iter().map(|&(_, score)| score).max();
            let placed = scheduler.place(workload, pod);
            let score = placed.ok().map(|node| scores.iter().find(|&&(id, _)| id == node).map(|&(_, score)| score));
            prop_assert_eq!(score, best.map(Some), "{:?} for {:?} of {:?}", placed, pod, scores);
            if let Ok(node) = placed {
                naive.nodes[node.index()].as_mut().unwrap().pods.push((workload, pod));
            }
        }
    }
    Ok(())
}

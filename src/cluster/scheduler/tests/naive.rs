//! Whatever happens, the scheduler does what one does that looks at every node and counts anew.

use proptest::prelude::*;

use super::{group, places, requests, wish};
use crate::cluster::scheduler::*;

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
    shunned: bool,
    offered: Devices,
    reserved: Resources,
    pods: Vec<(usize, Resources)>,
}

impl Naive {
    fn nodes(&self) -> impl Iterator<Item = (NodeId, &NaiveNode)> {
        self.nodes.iter().enumerate().filter_map(|(i, node)| Some((NodeId::new(i), node.as_ref()?)))
    }

    fn in_group(&self, group: usize) -> impl Iterator<Item = &NaiveNode> {
        self.nodes.iter().flatten().filter(move |node| node.group == group)
    }

    fn allowed(&self, workload: usize, node: &NaiveNode) -> bool {
        self.allows(workload, &self.groups[node.group])
    }

    fn allows(&self, workload: usize, spec: &GroupSpec) -> bool {
        let rules = &self.rules[workload];
        rules.node_pools.contains(&spec.pool) && rules.zones.as_ref().is_none_or(|zones| zones.contains(&spec.zone))
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

    fn has_devices(&self, wanted: Devices, node: &NaiveNode) -> bool {
        let enough = |of: fn(&Devices) -> u32| {
            let taken: u32 = node.pods.iter().map(|pod| of(&self.rules[pod.0].takes_devices)).sum();
            of(&wanted) == 0 || taken + of(&wanted) <= of(&node.offered)
        };
        enough(|devices| devices.members) && enough(|devices| devices.enis) && enough(|devices| devices.rdma)
    }

    fn feasible(&self, Wish { workload, requests, zone }: Wish, node: &NaiveNode) -> bool {
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
            && self.has_devices(rules.takes_devices, node)
            && zone.is_none_or(|zone| zone == spec.zone)
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

    /// All plugins' scores of the nodes that a pod fits on, in hundredths; those that are shunned only if there is no other.
    fn scores(&self, wish: Wish) -> Vec<(NodeId, u64)> {
        let Wish { workload, requests, .. } = wish;
        let mut fitting: Vec<_> = self.nodes().filter(|(_, node)| self.feasible(wish, node)).collect();
        if fitting.iter().any(|(_, node)| !node.shunned) {
            fitting.retain(|(_, node)| !node.shunned);
        }
        let preferred = Some(Strictness::Preferred);
        let rules = &self.rules[workload];
        let mut zones: Vec<_> = fitting.iter().map(|(_, node)| self.groups[node.group].zone).collect();
        zones.sort_unstable();
        zones.dedup();
        let mut groups: Vec<_> = fitting.iter().map(|(_, node)| node.group).collect();
        groups.sort_unstable();
        groups.dedup();
        let weight = |domains: usize| (domains as f64 + 2.0).ln();
        let nodes: usize = groups.iter().map(|&group| self.in_group(group).count()).sum();
        let skews = match rules.zone_spread {
            None if rules.spread_by_default => Some((5.0, Some(3.0))),
            Some(ZoneSpread { max_skew, strictness: Strictness::Preferred }) => Some((f64::from(max_skew), None)),
            _ => None,
        };
        let may = self.groups.iter().filter(|spec| self.allows(workload, spec)).count();
        let skews = skews.filter(|_| may > 1);
        let raw = |group: usize| {
            let (zone, node) = skews.unwrap_or_default();
            let mut raw = f64::from(self.in_zone(workload, self.groups[group].zone)) * weight(zones.len()) + zone - 1.0;
            if let Some(skew) = node {
                let pods: u32 = self.in_group(group).map(|node| self.same(workload, node)).sum();
                let mean = f64::from(pods) / self.in_group(group).count() as f64;
                raw += mean * weight(nodes.min(100)) + skew - 1.0;
            }
            raw.round() as u64
        };
        let (low, high) = (groups.iter().map(|&g| raw(g)).min(), groups.iter().map(|&g| raw(g)).max().unwrap_or(0));
        let same = || fitting.iter().map(|(_, node)| u64::from(self.same(workload, node)));
        let (fewest, most) = (same().min().unwrap_or(0), same().max().unwrap_or(0));
        let score = |node: &NaiveNode| {
            let mut score = self.fit(workload, requests, node);
            if skews.is_some() {
                let raw = raw(node.group);
                score += 200 * (100 * (high + low.unwrap_or(0) - raw)).checked_div(high).unwrap_or(100);
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
    Shun(usize, bool),
    Offer(usize, Devices),
    Place(usize, u32, u32, Option<usize>),
    Add(usize, u32, usize),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (any::<usize>(), 0..300_u32).prop_map(|(group, cpu)| Step::Join(group, cpu)),
        1 => any::<usize>().prop_map(Step::Leave),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(node, yes)| Step::Schedulable(node, yes)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(node, yes)| Step::Shun(node, yes)),
        1 => (any::<usize>(), devices(0.8)).prop_map(|(node, devices)| Step::Offer(node, devices)),
        12 => (any::<usize>(), 0..8_u32, 0..5_u32, proptest::option::weighted(0.2, 0..3_usize))
            .prop_map(|(workload, cpu, memory, zone)| Step::Place(workload, 170 * cpu, 333 * memory, zone)),
        1 => (any::<usize>(), 0..500_u32, any::<usize>())
            .prop_map(|(workload, cpu, node)| Step::Add(workload, cpu, node)),
        5 => any::<usize>().prop_map(Step::Remove),
    ]
}

fn strictness() -> impl Strategy<Value = Strictness> {
    prop_oneof![Just(Strictness::Required), Just(Strictness::Preferred)]
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let pools = prop_oneof![Just(vec![0]), Just(vec![1]), Just(vec![0, 1])];
    let spread = proptest::option::of((1..3_u32, strictness()));
    let zones = proptest::option::weighted(0.2, prop_oneof![Just(vec![0]), Just(vec![1, 2])]);
    let takes = (proptest::bool::weighted(0.8), devices(0.3));
    (pools, (spread, any::<bool>()), proptest::option::of(strictness()), takes, zones).prop_map(
        |(node_pools, (spread, spread_by_default), anti_affinity, (takes_address, takes_devices), zones)| {
            let zone_spread = spread.map(|(max_skew, strictness)| ZoneSpread { max_skew, strictness });
            Rules { node_pools, zone_spread, spread_by_default, anti_affinity, takes_address, takes_devices, zones }
        },
    )
}

fn devices(often: f64) -> impl Strategy<Value = Devices> {
    let some = |most: u32| proptest::option::weighted(often, 1..most).prop_map(|n: Option<u32>| n.unwrap_or(0));
    (some(3), some(3), some(2)).prop_map(|(members, enis, rdma)| Devices { members, enis, rdma })
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
            both(&mut scheduler, &mut naive, step, 0)?;
        }
        for (id, node) in naive.nodes() {
            prop_assert_eq!(scheduler.pods(id) as usize, node.pods.len());
            let pod = requests(170, 333);
            for (workload, rules) in naive.rules.iter().enumerate() {
                prop_assert_eq!(scheduler.fits(workload, pod, id), naive.feasible(wish(workload, pod), node));
                // Without rules, a pod alone fits elsewhere if it fits on any other node.
                if rules.zone_spread.is_none() {
                    let other = |(other, node)| other != id && naive.feasible(wish(workload, pod), node);
                    let elsewhere = scheduler.fits_elsewhere(id, &[wish(workload, pod)], |_| false);
                    prop_assert_eq!(elsewhere, naive.nodes().any(other));
                }
            }
        }
    }
}

/// In a large cluster not every node is looked at: the score is the best to within two points.
#[test]
fn nearly_as_the_naive_scheduler_in_a_large_cluster() {
    for (scoring, seed) in [(Scoring::LeastAllocated, 1), (Scoring::MostAllocated, 2)] {
        let groups = vec![group(0, 0, 4000, 9000, 30), group(0, 1, 7100, 15_100, 20), group(1, 0, 4000, 9000, 5)];
        let rules = vec![super::rules(&[0, 1]), super::rules(&[1])];
        let mut scheduler = Scheduler::new(groups.clone(), rules.clone(), scoring, SmallStream::new(seed));
        let mut naive = Naive { groups, rules, scoring, nodes: Vec::new() };
        let mut chance = SmallStream::new(seed + 10);
        for i in 0..3500 {
            let (some, workload) = (chance.below(1 << 20) as usize, chance.below(2) as usize);
            // No pod without requests: nodes are never promised more than they have.
            let place = Step::Place(workload, 60 * (1 + chance.below(6)), 120 * (1 + chance.below(7)), None);
            let step = match i {
                0..450 => Step::Join(some, 0),
                _ if chance.below(4) == 0 => Step::Remove(some),
                _ => place,
            };
            both(&mut scheduler, &mut naive, step, 200).expect("the score is nearly the best");
        }
    }
}

/// Lets a step happen in both; the score may be `slack` hundredths less than the best.
fn both(scheduler: &mut Scheduler, naive: &mut Naive, step: Step, slack: u64) -> Result<(), TestCaseError> {
    let there: Vec<_> = naive.nodes().map(|(id, _)| id).collect();
    let pick = |i: usize| (!there.is_empty()).then(|| there[i % there.len()]);
    match step {
        Step::Join(group, cpu) => {
            let (id, group) = (NodeId::new(naive.nodes.len()), group % naive.groups.len());
            scheduler.add_node(id, group, requests(cpu, 0));
            let node = NaiveNode {
                group,
                schedulable: true,
                shunned: false,
                offered: Devices::default(),
                reserved: requests(cpu, 0),
                pods: Vec::new(),
            };
            naive.nodes.push(Some(node));
        }
        Step::Leave(node) => {
            let Some(node) = pick(node) else { return Ok(()) };
            let gone = naive.nodes[node.index()].take();
            gone.into_iter().flat_map(|node| node.pods).for_each(|(workload, _)| scheduler.leaving(workload, node));
            scheduler.remove_node(node);
        }
        Step::Schedulable(node, yes) => {
            let Some(node) = pick(node) else { return Ok(()) };
            scheduler.set_schedulable(node, yes);
            naive.nodes[node.index()].as_mut().unwrap().schedulable = yes;
        }
        Step::Shun(node, yes) => {
            let Some(node) = pick(node) else { return Ok(()) };
            scheduler.shun(node, yes);
            naive.nodes[node.index()].as_mut().unwrap().shunned = yes;
        }
        Step::Offer(node, devices) => {
            let Some(node) = pick(node) else { return Ok(()) };
            scheduler.offer(node, devices);
            naive.nodes[node.index()].as_mut().unwrap().offered = devices;
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
            scheduler.leaving(workload, node);
            scheduler.remove(workload, requests, node);
        }
        Step::Place(workload, cpu, memory, zone) => {
            let (workload, pod) = (workload % naive.rules.len(), requests(cpu, memory));
            let wish = Wish { zone, ..wish(workload, pod) };
            let scores = naive.scores(wish);
            let best = scores.iter().map(|&(_, score)| score).max();
            let placed = scheduler.place(wish);
            let score =
                placed.ok().map(|node| scores.iter().find(|&&(id, _)| id == node).map_or(0, |&(_, score)| score));
            let good = score.map(|score| score + slack) >= best && score.is_some() == best.is_some();
            prop_assert!(good, "{:?} for {:?} of {:?}", placed, wish, scores);
            if let Ok(node) = placed {
                naive.nodes[node.index()].as_mut().unwrap().pods.push((workload, pod));
            }
        }
    }
    Ok(())
}

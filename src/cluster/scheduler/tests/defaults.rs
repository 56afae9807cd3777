//! What `PodTopologySpread` prefers by default, beside the scores of upstream node by node.

use super::{group, requests, rules, wish};
use crate::cluster::scheduler::*;

/// Upstream's scores, with no group of nodes to simplify them (`least_allocated.go`, `balanced_allocation.go`,
/// `podtopologyspread/scoring.go`), for a cluster of up to 100 nodes in which every pod fits everywhere.
struct Upstream {
    /// Zone, CPU and memory of each node.
    nodes: Vec<(usize, Resources)>,
    requested: Vec<Resources>,
    /// Pods per workload and node.
    pods: Vec<Vec<u32>>,
}

impl Upstream {
    fn place(&mut self, workload: usize, pod: Resources, chance: &mut SmallStream) {
        let zone = |node: usize| self.nodes[node].0;
        let all = 0..self.nodes.len();
        let mine = &self.pods[workload];
        let in_zone =
            |zone_: usize| all.clone().filter(|&node| zone(node) == zone_).map(|node| mine[node]).sum::<u32>();
        let mut zones: Vec<_> = all.clone().map(zone).collect();
        zones.sort_unstable();
        zones.dedup();
        let weight = |domains: usize| (domains as f64 + 2.0).ln();
        let raw = |node: usize| {
            let zone = f64::from(in_zone(zone(node))) * weight(zones.len()) + 4.0;
            (zone + f64::from(mine[node]) * weight(self.nodes.len()) + 2.0).round() as u32
        };
        let raws: Vec<_> = all.clone().map(raw).collect();
        let (low, high) = (raws.iter().min().expect("nodes"), raws.iter().max().expect("nodes"));
        let score = |node: usize| {
            let (of, used) = (self.nodes[node].1, self.requested[node].plus(pod));
            let free = |of: u32, used: u32| 100 * of.saturating_sub(used) / of;
            let share = |of: u32, used: u32| f64::from(used) / f64::from(of);
            let (cpu, memory) = (share(of.cpu_milli, used.cpu_milli), share(of.memory_mib, used.memory_mib));
            let least = u32::midpoint(free(of.cpu_milli, used.cpu_milli), free(of.memory_mib, used.memory_mib));
            let balanced = ((1.0 - (cpu - memory).abs() / 2.0) * 100.0) as u32;
            least + balanced + 2 * (100 * (high + low - raws[node]) / high)
        };
        let scores: Vec<_> = all.clone().map(score).collect();
        let best = scores.iter().max();
        let best: Vec<_> = all.filter(|&node| Some(&scores[node]) == best).collect();
        let node = best[chance.below(best.len() as u32) as usize];
        self.requested[node] = self.requested[node].plus(pod);
        self.pods[workload][node] += 1;
    }
}

/// Where zones differ in their nodes, or nodes in their size, each group has as many pods as upstream gives it, to within
/// 4 % of all: those of a zone with few nodes have more than their part of CPU and memory would give them.
#[test]
fn groups_have_the_pods_that_upstream_gives_them() {
    let (middle, large, small) = ((16_000, 64_000), (32_000, 128_000), (8_000, 32_000));
    let clusters = [
        vec![(0, middle, 10), (1, middle, 5)],
        vec![(0, middle, 10), (1, middle, 5), (2, middle, 3)],
        vec![(0, large, 4), (0, small, 12)],
        vec![(0, large, 4), (1, small, 12)],
    ];
    let kinds = [(500, 1024), (500, 1024), (500, 1024), (250, 512), (250, 512), (1000, 4096), (100, 256)];
    for cluster in clusters {
        let groups = cluster.iter().map(|&(zone, (cpu, memory), _)| group(0, zone, cpu, memory, 500));
        let spread = || Rules { spread_by_default: true, ..rules(&[0]) };
        let mut ours = Scheduler::new(groups, kinds.map(|_| spread()), Scoring::LeastAllocated, SmallStream::new(1));
        let of = cluster.iter().zip(0..).flat_map(|(&(zone, (cpu, memory), nodes), group)| {
            (0..nodes).map(move |_| (group, zone, requests(cpu, memory)))
        });
        let of: Vec<_> = of.collect();
        (0..of.len()).for_each(|node| ours.add_node(NodeId::new(node), of[node].0, Resources::default()));
        let nodes = of.iter().map(|&(_, zone, size)| (zone, size)).collect();
        let pods = kinds.map(|_| vec![0; of.len()]).to_vec();
        let mut upstream = Upstream { nodes, requested: vec![Resources::default(); of.len()], pods };
        let mut chance = SmallStream::new(2);
        let mut got = vec![[0_u32; 2]; cluster.len()];
        for _ in 0..250 {
            let workload = chance.below(kinds.len() as u32) as usize;
            let pod = requests(kinds[workload].0, kinds[workload].1);
            let node = ours.place(wish(workload, pod)).expect("there is room");
            got[of[node.index()].0][0] += 1;
            upstream.place(workload, pod, &mut chance);
        }
        for (node, &(group, ..)) in of.iter().enumerate() {
            got[group][1] += upstream.pods.iter().map(|nodes| nodes[node]).sum::<u32>();
        }
        assert!(got.iter().all(|[ours, theirs]| ours.abs_diff(*theirs) <= 10), "{cluster:?}: {got:?}");
    }
}

/// Worked by hand: two zones with 3 and 1 pods of the workload on a node each. ln 4 = 1.386 a pod for each of both zones and
/// nodes: 3 × 1.386 + 4 + 3 × 1.386 + 2 = 14.3, and 8.8. The scores are 100 × (14 + 9 − 14) / 14 = 64, and 100; twice 36
/// points outweigh a node that is emptier by 60.
#[test]
fn system_default_constraints_outweigh_an_emptier_node() {
    for (spread_by_default, expected) in [(true, NodeId(1)), (false, NodeId(0))] {
        let groups = [group(0, 0, 10_000, 10_000, 99), group(0, 1, 10_000, 10_000, 99)];
        let spread = Rules { spread_by_default, ..rules(&[0]) };
        let mut scheduler = super::one_each(&groups, [spread, rules(&[0])]);
        [0, 0, 0, 1].iter().for_each(|&node| scheduler.add(0, requests(100, 100), NodeId(node)));
        scheduler.add(1, requests(6000, 6000), NodeId(1));
        assert_eq!(scheduler.place(wish(0, requests(100, 100))), Ok(expected));
    }
}

/// Pods that are told to end do not count, nor those of a node that is gone.
#[test]
fn system_default_constraints_count_pods_that_stay() {
    let groups = [group(0, 0, 10_000, 10_000, 99), group(0, 1, 10_000, 10_000, 99)];
    let mut scheduler = super::one_each(&groups, [Rules { spread_by_default: true, ..rules(&[0]) }]);
    [0, 0, 0, 1].iter().for_each(|&node| scheduler.add(0, requests(100, 100), NodeId(node)));
    (0..3).for_each(|_| scheduler.leaving(0, NodeId(0)));
    assert_eq!(scheduler.place(wish(0, requests(100, 100))), Ok(NodeId(0)));
    scheduler.leaving(0, NodeId(0));
    scheduler.remove_node(NodeId(0));
    scheduler.add_node(NodeId(2), 0, Resources::default());
    assert_eq!(scheduler.place(wish(0, requests(100, 100))), Ok(NodeId(2)));
}

//! How many nodes of which pool pending pods need.

use crate::chance::SmallStream;
use crate::cluster::autoscaler::{PoolView, Template};
use crate::cluster::scheduler::Rules;
use crate::model::{Devices, Expander, Resources, Strictness};

/// Most nodes of one scale-up (`--max-nodes-per-scaleup`).
const MOST_NODES: u32 = 1000;

/// Pods that find no node and are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingPods {
    /// Their workload.
    pub workload: usize,
    /// What each of them requests.
    pub requests: Resources,
    /// How many they are.
    pub count: u32,
}

/// A node in thought.
#[derive(Debug, Clone)]
struct Bin {
    /// Thousandths of a core that are left.
    cpu: u64,
    /// MiB that are left.
    memory: u64,
    /// Pods with an address that it may still get.
    places: u32,
    /// What is left of what it offers.
    devices: Devices,
    /// Workloads on it that want no other pod of theirs there.
    alone: Vec<usize>,
}

/// What a pool could do.
#[derive(Debug, Clone, Copy)]
struct Choice {
    pool: usize,
    nodes: u32,
    /// Idle shares of CPU and memory on these nodes, added up.
    waste: f64,
}

/// The pool that grows in this scan, and by how many nodes; `None` = none helps, or none is needed.
/// `rules` are those of the scheduler, by workload.
///
/// Pods that fit on nodes on their way are left out. For every pool it is counted how many new
/// nodes the others need, as far as they fit there and the pool's maximum allows; the expander
/// picks one pool. Pods that are not helped by it have to wait for the next scan.
#[must_use]
pub fn scale_up(
    pending: &[PendingPods],
    pools: &[PoolView],
    rules: &[Rules],
    expander: Expander,
    chance: &mut SmallStream,
) -> Option<(usize, u32)> {
    let pending = without_upcoming(pending, pools, rules);
    let open = pools.iter().filter(|view| view.open && view.nodes < view.max);
    let mut choices: Vec<_> = open.filter_map(|view| estimate(&pending, view, rules)).collect();
    if expander == Expander::LeastWaste {
        let least = choices.iter().map(|choice| choice.waste).min_by(f64::total_cmp)?;
        choices.retain(|choice| choice.waste == least);
    }
    let chosen = match choices.len() {
        0 => return None,
        1 => 0,
        several => chance.below(several as u32) as usize,
    };
    Some((choices[chosen].pool, choices[chosen].nodes))
}

/// What is left when nodes on their way have taken what fits on them.
fn without_upcoming(pending: &[PendingPods], pools: &[PoolView], rules: &[Rules]) -> Vec<PendingPods> {
    let mut left = pending.to_vec();
    for view in pools.iter().filter(|view| view.upcoming > 0) {
        let mut bins = vec![Bin::new(&view.template); view.upcoming as usize];
        for pods in left.iter_mut().filter(|pods| rules[pods.workload].node_pools.contains(&view.pool)) {
            pods.count -= fill(&mut bins, pods, &rules[pods.workload]);
        }
    }
    left.retain(|pods| pods.count > 0);
    left
}

/// New nodes of a pool for the pods that fit there: first fit, the largest pods first
/// (`BinpackingNodeEstimator` with `DecreasingPodOrderer`).
fn estimate(pending: &[PendingPods], view: &PoolView, rules: &[Rules]) -> Option<Choice> {
    let template = &view.template;
    let mut pods: Vec<_> = pending.iter().filter(|pods| rules[pods.workload].node_pools.contains(&view.pool)).collect();
    let size = |pods: &PendingPods| {
        let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
        share(pods.requests.cpu_milli, template.allocatable.cpu_milli)
            + share(pods.requests.memory_mib, template.allocatable.memory_mib)
    };
    pods.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let most = (view.max - view.nodes).min(MOST_NODES) as usize;
    let mut bins = Vec::new();
    let mut helped = Helped::default();
    for pods in pods {
        let rules = &rules[pods.workload];
        let mut count = fill(&mut bins, pods, rules);
        while count < pods.count && bins.len() < most {
            let mut bin = Bin::new(template);
            let taken = bin.take(pods, pods.count - count, rules);
            if taken == 0 {
                break;
            }
            count += taken;
            bins.push(bin);
        }
        helped.add(pods, count, rules);
    }
    let nodes = bins.len() as u32;
    (nodes > 0).then(|| Choice { pool: view.pool, nodes, waste: helped.waste(template, nodes) })
}

/// Puts pods into bins, the first first; how many found room.
fn fill(bins: &mut [Bin], pods: &PendingPods, rules: &Rules) -> u32 {
    let mut count = 0;
    for bin in bins {
        if count == pods.count {
            break;
        }
        count += bin.take(pods, pods.count - count, rules);
    }
    count
}

impl Bin {
    fn new(template: &Template) -> Self {
        let left = |all: u32, daemons: u32| u64::from(all.saturating_sub(daemons));
        let unbounded = template.allocatable == Resources::UNBOUNDED;
        let left = |all: u32, daemons: u32| if unbounded { u64::MAX } else { left(all, daemons) };
        Self {
            cpu: left(template.allocatable.cpu_milli, template.daemons.cpu_milli),
            memory: left(template.allocatable.memory_mib, template.daemons.memory_mib),
            places: template.max_pods.saturating_sub(template.daemon_addresses),
            devices: template.devices.minus_at_most(template.daemon_devices),
            alone: Vec::new(),
        }
    }

    /// Takes as many of `wanted` pods as it has room for.
    fn take(&mut self, pods: &PendingPods, wanted: u32, rules: &Rules) -> u32 {
        let (cpu, memory) = (u64::from(pods.requests.cpu_milli), u64::from(pods.requests.memory_mib));
        let often = |room: u64, each: u64| room.checked_div(each).unwrap_or(u64::MAX);
        let mut count = u64::from(wanted).min(often(self.cpu, cpu)).min(often(self.memory, memory));
        if rules.takes_address {
            count = count.min(self.places.into());
        }
        let Devices { members, enis, rdma } = rules.takes_devices;
        count = count.min(often(self.devices.members.into(), members.into()));
        count = count.min(often(self.devices.enis.into(), enis.into()));
        count = count.min(often(self.devices.rdma.into(), rdma.into()));
        if rules.anti_affinity == Some(Strictness::Required) {
            count = count.min(u64::from(!self.alone.contains(&pods.workload)));
            if count > 0 {
                self.alone.push(pods.workload);
            }
        }
        self.cpu -= count * cpu;
        self.memory -= count * memory;
        self.places -= if rules.takes_address { count as u32 } else { 0 };
        self.devices = self.devices.minus(rules.takes_devices.times(count as u32));
        count as u32
    }
}

/// Pods that a choice would help.
#[derive(Debug, Default)]
struct Helped {
    cpu: u64,
    memory: u64,
    addresses: u64,
}

impl Helped {
    fn add(&mut self, pods: &PendingPods, count: u32, rules: &Rules) {
        self.cpu += u64::from(count) * u64::from(pods.requests.cpu_milli);
        self.memory += u64::from(count) * u64::from(pods.requests.memory_mib);
        self.addresses += u64::from(count) * u64::from(rules.takes_address);
    }

    /// Idle shares of CPU and memory on `nodes` new nodes, added up (`expander/waste/waste.go`: of what a node has, so that
    /// what is reserved and DaemonSets are idle). Where nothing is known about
    /// CPU and memory, idle places stand for both.
    fn waste(&self, template: &Template, nodes: u32) -> f64 {
        let idle = |used: u64, each: u32| 1.0 - used as f64 / (f64::from(each.max(1)) * f64::from(nodes));
        if template.allocatable == Resources::UNBOUNDED {
            return 2.0 * idle(self.addresses, template.max_pods);
        }
        idle(self.cpu, template.capacity.cpu_milli) + idle(self.memory, template.capacity.memory_mib)
    }
}

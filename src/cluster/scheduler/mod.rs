//! kube-scheduler: which node a pod goes to, and what keeps it from all of them.
//!
//! Filters and scores are those of upstream's plugins (`pkg/scheduler/framework/plugins` in
//! kubernetes/kubernetes), by the weights of its default profile
//! (`pkg/scheduler/apis/config/v1/default_plugins.go`):
//!
//! | plugin | filter | score |
//! |---|---|---|
//! | `NodeUnschedulable`, `NodeAffinity` | [`Scheduler::set_schedulable`], pools of the workload | |
//! | `TaintToleration` | | nodes that the autoscaler [shuns](Scheduler::shun), weight 3 |
//! | `NodeResourcesFit` | places under `max_pods`, member and exclusive interfaces, RDMA addresses, CPU, memory | LeastAllocated or MostAllocated, weight 1 |
//! | `PodTopologySpread` over zones | `DoNotSchedule` | `ScheduleAnyway`, weight 2 |
//! | the same for pods of Deployments and StatefulSets without a spread of their own (`systemDefaultConstraints`) | | zones, skew 5, and nodes, skew 3 |
//! | `InterPodAffinity`, against the own workload on a node | `required…` | `preferred…`, weight 2 |
//!
//! One of the best is taken at random (`selectHost` in `schedule_one.go`).
//!
//! Simplified:
//! - In clusters of more than [`EXACT`] nodes, upstream scores a part of the nodes that come next in
//!   turn (`percentageOfNodesToScore`). Here the best scores are looked for everywhere, but of nodes
//!   of a group whose scores before the pod are the same only [`SAMPLE`] are looked at, from a random
//!   one on; the score of the chosen node is the best to within two points, or somewhat more on nodes
//!   where pods without requests count for more than there is. With a preference for other
//!   hosts, as many are looked at in each group, by their score.
//! - Of the constraints that `PodTopologySpread` adds by default, that of nodes counts by the mean of a node's group. Among
//!   equals of a group LeastAllocated takes the node with fewest pods. Both count the pods of all versions of a Deployment;
//!   upstream those of the pod's own ReplicaSet.
//! - A node that is shunned takes a pod only if no other can; upstream another plugin's score might outweigh it.
//! - Without `NodeResourcesBalancedAllocation` and `ImageLocality` (weight 1 each).
//! - No preemption, priorities, host ports or volumes; a pod is one container.
//! - A request of zero is one that was not made.
//! - With [`Resources::UNBOUNDED`] on a node, its share of `max_pods` is scored instead of CPU and
//!   memory, in steps of single pods.
//!
//! Cost: nodes of a group are kept by their score, so that a placement looks at few of them, and a
//! pod that found no node looks only at those that have got more room since (upstream's queueing
//! hints).

mod books;
mod score;
mod search;
mod simulate;
mod spread;
#[cfg(test)]
mod tests;

use crate::chance::SmallStream;
use crate::cluster::scheduler::books::{Companion, Group, Node, Shared, Takes};
use crate::cluster::scheduler::search::{Candidate, Failures};
use crate::cluster::scheduler::spread::{Crowds, Preference};
use crate::id::NodeId;
use crate::model::{Devices, MOST_ZONES, Resources, Scoring, Strictness, Unfit, ZoneSpread};

/// In a cluster of this many nodes all are looked at (`minFeasibleNodesToFind` in
/// `schedule_one.go`).
pub const EXACT: usize = 100;
/// So many nodes of a group with the same score are looked at in larger clusters (an assumption;
/// the more, the more evenly pods lie among equals).
pub const SAMPLE: usize = 32;

/// Nodes of one group (pool, type, zone): what they have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSpec {
    /// Position of the node pool.
    pub pool: usize,
    /// Number of the zone among those of the cluster.
    pub zone: usize,
    /// What pods may request on a node.
    pub allocatable: Resources,
    /// Most pods with an address of their own on a node.
    pub max_pods: u32,
}

/// What the scheduler knows of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Positions of the node pools that its pods may run on.
    pub node_pools: Vec<usize>,
    /// Spread over zones.
    pub zone_spread: Option<ZoneSpread>,
    /// Whether a controller has the pods that upstream spreads where nothing else is said: a ReplicaSet or a StatefulSet
    /// (`DefaultSelector` in `plugins/helper/spread.go`).
    pub spread_by_default: bool,
    /// The pods keep away from each other's nodes.
    pub anti_affinity: Option<Strictness>,
    /// Whether a pod counts under `max_pods`.
    pub takes_address: bool,
    /// What a pod asks for of what nodes offer.
    pub takes_devices: Devices,
    /// Zones that its pods may run in, by number; `None` = all.
    pub zones: Option<Vec<usize>>,
}

/// A pod that wants a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wish {
    /// Its workload.
    pub workload: usize,
    /// What it requests.
    pub requests: Resources,
    /// The only zone that it may run in: that of its fixed address (rule C152).
    pub zone: Option<usize>,
}

/// The scheduler's books.
#[derive(Debug)]
pub struct Scheduler {
    scoring: Scoring,
    groups: Vec<Group>,
    workloads: Vec<Workload>,
    nodes: Vec<Option<Node>>,
    /// How many there are.
    count: usize,
    /// Pods of workloads that keep away from each other's nodes, per node.
    companions: Vec<Vec<Companion>>,
    /// What nodes offer and pods have taken of it, apart from `nodes` since few pods ask for any.
    devices: Vec<Shared>,
    failures: Failures,
    /// Room for the nodes that a placement chooses among.
    candidates: Vec<Candidate>,
    chance: SmallStream,
}

/// A workload in the books.
#[derive(Debug)]
struct Workload {
    rules: Rules,
    /// The groups of its pools.
    groups: Vec<u32>,
    /// What is preferred of zones and nodes.
    preference: Option<Preference>,
    /// Where its pods are; nowhere, if nothing goes by it.
    crowds: Crowds,
}

const KNOWN: &str = "the node is in the books";

impl Scheduler {
    /// A scheduler of these groups, without nodes. Groups and workloads are named by their
    /// position from now on.
    ///
    /// # Panics
    /// If there are more than [`MOST_ZONES`].
    #[must_use]
    pub fn new(
        groups: impl IntoIterator<Item = GroupSpec>,
        workloads: impl IntoIterator<Item = Rules>,
        scoring: Scoring,
        chance: SmallStream,
    ) -> Self {
        let groups: Vec<_> = groups.into_iter().map(Group::new).collect();
        let zones = groups.iter().map(|group| group.spec.zone + 1).max().unwrap_or(0);
        assert!(zones <= MOST_ZONES, "a scenario with more zones is refused");
        let workloads = workloads.into_iter().map(|rules| Workload::new(rules, &groups, zones)).collect();
        Self {
            scoring,
            groups,
            workloads,
            nodes: Vec::new(),
            count: 0,
            companions: Vec::new(),
            devices: Vec::new(),
            failures: Failures::default(),
            candidates: Vec::new(),
            chance,
        }
    }

    /// A node joined `group`; `reserved` is what host-network DaemonSets request on it.
    pub fn add_node(&mut self, node: NodeId, group: usize, reserved: Resources) {
        let size = self.nodes.len().max(node.index() + 1);
        self.nodes.resize(size, None);
        self.companions.resize(size, Vec::new());
        self.devices.resize(size, Shared::default());
        self.nodes[node.index()] = Some(Node::new(group, reserved));
        self.groups[group].nodes += 1;
        self.count += 1;
        self.change(node, |_| {});
        self.failures.roomier(node);
    }

    /// A node left; what it had of pods is forgotten, each of which was [told to end](Self::leaving).
    pub fn remove_node(&mut self, node: NodeId) {
        self.set_schedulable(node, false);
        let group = self.node(node).group;
        self.groups[group as usize].nodes -= 1;
        self.nodes[node.index()] = None;
        self.companions[node.index()].clear();
        self.devices[node.index()] = Shared::default();
        self.count -= 1;
    }

    /// Whether pods may be placed on a node: not while it is cordoned or `NotReady`.
    pub fn set_schedulable(&mut self, node: NodeId, yes: bool) {
        self.change(node, |node| node.schedulable = yes);
        self.failures.roomier(node);
    }

    /// Whether other nodes are preferred to this one (a taint with `PreferNoSchedule`).
    pub fn shun(&mut self, node: NodeId, yes: bool) {
        self.change(node, |node| node.shunned = yes);
    }

    /// A node for another pod, which counts there from now on.
    ///
    /// # Errors
    /// What keeps the pod from most nodes, if it fits on none; of that when it was last looked at
    /// every node, since pods that found none are then looked after where room was made.
    pub fn place(&mut self, wish: Wish) -> Result<NodeId, Unfit> {
        let node = self.find(wish)?;
        self.add(wish.workload, wish.requests, node);
        Ok(node)
    }

    /// A node offers these from now on, and no others: none until it is told, nor while who offers them is down (rules
    /// R41, C145).
    pub fn offer(&mut self, node: NodeId, devices: Devices) {
        if std::mem::replace(&mut self.devices[node.index()].offered, devices) != devices {
            self.failures.roomier(node);
        }
    }

    /// What keeps a pod that may be on `node` only from it. That nothing else may come there does not: pods of
    /// DaemonSets tolerate it (`AddOrUpdateDaemonPodTolerations`, `pkg/controller/daemon/util/daemonset_util.go`).
    #[must_use]
    pub fn unfit_for(&self, workload: usize, requests: Resources, node: NodeId) -> Option<Unfit> {
        self.misfit(&self.wanted(Wish { workload, requests, zone: None }), node)
    }

    /// Another pod is on `node`, whose place was not [looked for](Self::place).
    pub fn add(&mut self, workload: usize, requests: Resources, node: NodeId) {
        let takes = Takes::of(&self.workloads[workload].rules);
        self.change(node, |node| node.add(requests, takes));
        self.devices[node.index()].take(takes.devices);
        self.count(workload, node, |pods| pods + 1);
        if self.workloads[workload].rules.anti_affinity.is_some() {
            self.companion(workload, node).pods += 1;
        }
    }

    /// A pod of `node` is told to end: it keeps its place there until it is [removed](Self::remove), or its node is, but counts
    /// no longer for a spread (`countPodsMatchSelector` leaves out what has a `deletionTimestamp`). Every pod is, once,
    /// before that.
    pub fn leaving(&mut self, workload: usize, node: NodeId) {
        self.count(workload, node, |pods| pods - 1);
    }

    /// A pod that was [`leaving`](Self::leaving) left `node`.
    pub fn remove(&mut self, workload: usize, requests: Resources, node: NodeId) {
        let takes = Takes::of(&self.workloads[workload].rules);
        self.change(node, |node| node.remove(requests, takes));
        self.devices[node.index()].give_back(takes.devices);
        if self.workloads[workload].rules.anti_affinity.is_some() {
            self.companion(workload, node).pods -= 1;
            self.companions[node.index()].retain(|companion| companion.pods > 0);
        }
        self.failures.roomier(node);
    }

    /// Whether another pod could be placed on `node`.
    #[must_use]
    pub fn fits(&self, workload: usize, requests: Resources, node: NodeId) -> bool {
        let wanted = self.wanted(Wish { workload, requests, zone: None });
        let state = self.node(node);
        let group = &self.groups[state.group as usize];
        state.schedulable
            && self.workloads[workload].groups.contains(&state.group)
            && self.misfit(&wanted, node).is_none()
            && self.is_open(&wanted, group.spec.zone)
    }

    /// Pods on a node, those without an address of their own included, but for the DaemonSets that
    /// [`Self::add_node`] reserved for.
    #[must_use]
    pub fn pods(&self, node: NodeId) -> u32 {
        self.node(node).pods
    }

    /// What the pods of a node request, what is reserved included.
    #[must_use]
    pub fn requested(&self, node: NodeId) -> Resources {
        self.node(node).requested.into()
    }

    /// cluster-autoscaler's utilisation of a node (`simulator/utilization/info.go`): the larger of
    /// the shares of requested CPU and memory, DaemonSets included
    /// (`--ignore-daemonsets-utilization=false`). Where nothing is known about CPU and memory, it
    /// is the share of `max_pods`.
    #[must_use]
    pub fn utilization(&self, node: NodeId) -> f64 {
        let node = self.node(node);
        let spec = &self.groups[node.group as usize].spec;
        let share = |part: u64, whole: u32| if whole == 0 { 0.0 } else { part as f64 / f64::from(whole) };
        if spec.allocatable == Resources::UNBOUNDED {
            return share(node.addresses.into(), spec.max_pods);
        }
        let cpu = share(node.requested.cpu, spec.allocatable.cpu_milli);
        cpu.max(share(node.requested.memory, spec.allocatable.memory_mib))
    }

    /// Reads what the books say of a node, for whoever wants it in the cache.
    #[must_use]
    pub fn read(&self, node: NodeId) -> u64 {
        self.nodes[node.index()].as_ref().map_or(0, |node| node.requested.cpu ^ u64::from(node.position))
    }

    fn node(&self, node: NodeId) -> &Node {
        self.nodes[node.index()].as_ref().expect(KNOWN)
    }

    /// Changes a node and lists it where it belongs then.
    fn change(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        let node = self.nodes[id.index()].as_mut().expect(KNOWN);
        change(node);
        let group = &mut self.groups[node.group as usize];
        let place = group.place_of(node, self.scoring);
        let moved = group.list(id, node, place);
        if let Some((moved, position)) = moved {
            self.nodes[moved.index()].as_mut().expect(KNOWN).position = position;
        }
    }

    /// Changes the number of pods of `workload` where `node` is, if it has rules that go by it.
    fn count(&mut self, workload: usize, node: NodeId, change: fn(u32) -> u32) {
        let state = &mut self.workloads[workload];
        if state.rules.zone_spread.is_none() && state.preference.is_none() {
            return;
        }
        let group = self.nodes[node.index()].as_ref().expect(KNOWN).group as usize;
        let counts = [&mut state.crowds.groups[group], &mut state.crowds.zones[self.groups[group].spec.zone]];
        counts.into_iter().for_each(|count| *count = change(*count));
    }

    /// How many pods of `workload` are on `node`.
    fn companion(&mut self, workload: usize, node: NodeId) -> &mut Companion {
        let all = &mut self.companions[node.index()];
        let known = all.iter().position(|companion| companion.workload as usize == workload);
        let position = known.unwrap_or_else(|| {
            all.push(Companion { workload: workload as u32, pods: 0 });
            all.len() - 1
        });
        &mut all[position]
    }
}

impl Workload {
    fn new(rules: Rules, groups: &[Group], zones: usize) -> Self {
        let may = |spec: &GroupSpec| {
            rules.node_pools.contains(&spec.pool) && rules.zones.as_ref().is_none_or(|zones| zones.contains(&spec.zone))
        };
        let own = groups.iter().zip(0..).filter(|(group, _)| may(&group.spec)).map(|(_, position)| position);
        let own: Vec<_> = own.collect();
        let preference = Preference::of(&rules, &own, groups.len());
        let crowds = Crowds { zones: vec![0; zones], groups: vec![0; groups.len()] };
        Self { rules, groups: own, preference, crowds }
    }
}

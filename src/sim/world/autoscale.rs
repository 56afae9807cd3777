//! The cluster autoscaler on the world's clock: it looks at the grid of its scan interval, and only
//! after something happened that it could act on.

use std::collections::{BTreeMap, BTreeSet};

use super::pods::Phase;
use super::{Control, World};
use crate::chance::{SmallStream, Stream, unit};
use crate::cluster::autoscaler::{
    Backoff, Candidate, InProgress, PendingPods, PoolView, Template, Unneeded, is_healthy, scale_up, soft_taints,
};
use crate::cluster::scheduler::Rules;
use crate::id::{NodeId, PodId};
use crate::ipam::limits::InstanceLimits;
use crate::model::{Devices, GroupKey, Model, PoolSize, Resources, Shape, WorkloadKind};
use crate::time::{Instant, Span};

/// What the autoscaler remembers.
#[derive(Debug)]
pub(super) struct State {
    /// The scheduler's rules, by workload.
    rules: Vec<Rules>,
    templates: Vec<Template>,
    backoff: Vec<Backoff>,
    unneeded: Unneeded,
    /// Nodes of autoscaled pools whose utilisation is at most the threshold.
    low: BTreeSet<NodeId>,
    /// Nodes with a soft taint.
    tainted: BTreeSet<NodeId>,
    /// When it looks for the first time, and from then on in its interval.
    phase: Span,
    /// The only scan that counts.
    next: Instant,
    chance: SmallStream,
}

impl State {
    pub fn new(model: &Model, rules: Vec<Rules>, mut chance: Stream) -> Self {
        let pools = model.node_pools.len();
        let small = SmallStream::split(&mut chance);
        let phase = model.control_plane.autoscaler.scan_interval.mul_f64(unit(&mut chance));
        Self {
            templates: (0..pools).map(|pool| template(model, pool)).collect(),
            backoff: vec![Backoff::default(); pools],
            rules,
            unneeded: Unneeded::default(),
            low: BTreeSet::new(),
            tainted: BTreeSet::new(),
            phase,
            next: Instant::NEVER,
            chance: small,
        }
    }
}

impl World<'_> {
    /// eni-config was edited: new nodes offer what it says.
    pub(super) fn new_nodes_are_edited(&mut self) {
        for (pool, template) in self.autoscaler.templates.iter_mut().enumerate() {
            let key = GroupKey { pool, shape: most_weighted(self.model, pool), zone: 0 };
            let group = self.groups.iter().find(|group| group.key == key).expect("a pool's types are in its zones");
            let devices = group.daemon.devices();
            // It may be what pods wait for.
            self.place_again |= std::mem::replace(&mut template.devices, devices) != devices;
        }
    }

    /// Something happened that the autoscaler may act on: it looks at its next time.
    pub(super) fn scan_soon(&mut self) {
        self.scan_not_before(self.engine.now());
    }

    fn scan_not_before(&mut self, at: Instant) {
        let interval = self.model.control_plane.autoscaler.scan_interval.0;
        let autoscaled = |pool: &crate::model::NodePool| matches!(pool.size, PoolSize::Autoscaled { .. });
        if !self.model.node_pools.iter().any(autoscaled) {
            return;
        }
        let phase = self.autoscaler.phase.0;
        // The first of its times that is later.
        let scans = (at.max(self.engine.now()).0 + interval - phase) / interval;
        let at = Instant(scans * interval + phase);
        // What would begin at the end is not seen.
        if at < self.autoscaler.next && at < self.horizon {
            self.autoscaler.next = at;
            self.engine.control_at(at, Control::Scan.pack());
        }
    }

    /// The requests on a node changed.
    pub(super) fn load_changed(&mut self, node: NodeId) {
        let Some(rules) = &self.model.control_plane.autoscaler.scale_down else { return };
        if !matches!(self.model.node_pools[self.pool_of(node)].size, PoolSize::Autoscaled { .. }) {
            return;
        }
        let note = &self.nodes[node.index()];
        let low = note.counted && note.works() && self.scheduler.utilization(node) <= rules.utilization_threshold;
        let changed = if low { self.autoscaler.low.insert(node) } else { self.autoscaler.low.remove(&node) };
        if changed || low {
            self.scan_soon();
        }
    }

    /// Whether nodes are on their way, or the autoscaler may still ask for some, that pods of a
    /// workload could go to.
    pub(super) fn nodes_will_come(&self, workload: usize) -> bool {
        let model = &self.model.workloads[workload];
        if self.is_daemon(workload) {
            // They wait for their nodes only, which may offer soon what they ask for.
            let mut nodes = self.workloads[workload].pending.iter().map(|&pod| self.engine.pod(pod).node);
            return nodes.all(|node| {
                let group = &self.groups[self.nodes[node.index()].group];
                self.engine.devices(node) != group.daemon.devices()
            });
        }
        model.node_pools.iter().any(|&pool| {
            let state = &self.pools[pool];
            let grows = match self.model.node_pools[pool].size {
                PoolSize::Autoscaled { max, .. } => state.counted + state.launching < max,
                PoolSize::Scheduled(_) => false,
            };
            let template = &self.autoscaler.templates[pool];
            state.launching > 0
                || state.unready > 0 && self.gets_ready(pool)
                || grows && model.pod.requests.plus(template.daemons).fits_in(template.allocatable)
        })
    }

    /// Whether a node of a pool has joined whose daemon is about to be up for the first time.
    fn gets_ready(&self, pool: usize) -> bool {
        let gets_ready = |note: &super::nodes::NodeNote| note.unready && note.works() && !note.dead;
        let mut nodes = (0..self.nodes.len()).map(NodeId::new);
        nodes.any(|node| gets_ready(&self.nodes[node.index()]) && self.pool_of(node) == pool)
    }

    /// A scan: up if pods find no node, else down.
    pub(super) fn scan(&mut self) {
        let now = self.engine.now();
        if now != self.autoscaler.next {
            return;
        }
        self.autoscaler.next = Instant::NEVER;
        let nodes: u32 = self.pools.iter().map(|pool| pool.present).sum();
        let unready = self.nodes.iter().filter(|node| node.exists() && !node.works()).count();
        if !is_healthy(nodes, unready as u32) {
            self.autoscaler.unneeded.forget();
            return;
        }
        if !self.grow() {
            self.shrink();
        }
    }

    /// Asks for nodes that pods without one need; whether any are on their way for that.
    fn grow(&mut self) -> bool {
        let now = self.engine.now();
        let pending = self.pending_pods();
        if pending.is_empty() {
            return false;
        }
        let views = self.views();
        let closed = (0..self.pools.len()).map(|pool| self.autoscaler.backoff[pool].until()).filter(|&at| at > now);
        if let Some(at) = closed.min() {
            self.scan_not_before(at);
        }
        let expander = self.model.control_plane.autoscaler.expander;
        let state = &mut self.autoscaler;
        let Some((pool, wanted)) = scale_up(&pending, &views, &state.rules, expander, &mut state.chance) else {
            if self.would_grow(&pending, views) {
                self.engine.observer.pools_at_maximum(now);
            }
            return false;
        };
        let launched = (0..wanted).take_while(|_| self.launch(pool)).count() as u32;
        if launched < wanted {
            self.autoscaler.backoff[pool].failed(now);
        } else {
            self.autoscaler.backoff[pool].succeeded();
        }
        if launched > 0 {
            self.autoscaler.unneeded.scaled_up(now);
        }
        self.scan_soon();
        launched > 0
    }

    /// Whether a pool would grow if it had not reached its maximum.
    fn would_grow(&self, pending: &[PendingPods], mut views: Vec<PoolView>) -> bool {
        for view in views.iter_mut().filter(|view| view.nodes >= view.max) {
            view.max = u32::MAX;
        }
        let expander = self.model.control_plane.autoscaler.expander;
        // Which one is not asked, so that chance is not either.
        scale_up(pending, &views, &self.autoscaler.rules, expander, &mut SmallStream::new(0)).is_some()
    }

    /// Removes nodes that have been unneeded for long enough.
    fn shrink(&mut self) {
        let settings = &self.model.control_plane.autoscaler;
        let candidates = self.autoscaler.low.iter().map(|&node| Candidate {
            node,
            pool: self.pool_of(node),
            empty: self.nodes[node.index()].pods.iter().all(|&pod| self.is_daemon(self.workload_of(pod))),
            kept: self.has_pods_that_stay(node),
        });
        let mut candidates: Vec<_> = candidates.collect();
        self.autoscaler.chance.shuffle(&mut candidates);
        let going = self.nodes.iter().filter(|node| node.scaled_in && node.exists()).count();
        let in_progress = InProgress { empty: 0, drained: going };
        let views = self.views();
        let mut unneeded = std::mem::take(&mut self.autoscaler.unneeded);
        let scan = unneeded.scan(self.engine.now(), settings, &candidates, &views, in_progress, |node, going| {
            let pods: Vec<_> = self.evictable(node).into_iter().map(|pod| self.wish(pod)).collect();
            self.scheduler.fits_elsewhere(node, &pods, |other| going.contains(&other))
        });
        self.autoscaler.unneeded = unneeded;
        for removal in scan.remove {
            self.nodes[removal.node.index()].scaled_in = true;
            self.drain(removal.node);
        }
        if scan.next < self.horizon {
            // The grid point at or after that time.
            self.scan_not_before(Instant(scan.next.0 - 1));
        }
        self.taint();
    }

    /// Unneeded nodes get a soft taint, so that pods go to those that stay.
    fn taint(&mut self) {
        let state = &mut self.autoscaler;
        state.tainted.retain(|node| self.nodes[node.index()].exists());
        let (cleaned, marked, left) = soft_taints(&state.tainted, &state.unneeded);
        for (nodes, shunned) in [(cleaned, false), (marked, true)] {
            for node in nodes {
                self.scheduler.shun(node, shunned);
                if shunned {
                    state.tainted.insert(node)
                } else {
                    state.tainted.remove(&node)
                };
            }
        }
        if left {
            self.scan_soon();
        }
    }

    /// Whether pods are on a node that keep it: those that nobody would make again
    /// (`simulator/drainability/rules/replicated/rule.go`), and those that say so (`rules/notsafetoevict/rule.go`).
    fn has_pods_that_stay(&self, node: NodeId) -> bool {
        let stays = |&pod: &PodId| {
            let workload = &self.model.workloads[self.workload_of(pod)];
            let stays = match workload.kind {
                WorkloadKind::Arrivals { .. } => true,
                WorkloadKind::DaemonSet { .. } => false,
                _ => !workload.pod.safe_to_evict,
            };
            stays && self.note(pod).phase != Phase::Ending
        };
        self.nodes[node.index()].pods.iter().any(stays)
    }

    /// Pods without a node, those that are alike together.
    fn pending_pods(&self) -> Vec<PendingPods> {
        let mut alike = BTreeMap::<(usize, Resources), u32>::new();
        // Those of DaemonSets wait for their node, and no other helps them.
        let helped = self.workloads.iter().enumerate().filter(|&(workload, _)| !self.is_daemon(workload));
        for (workload, state) in helped {
            for &pod in &state.pending {
                *alike.entry((workload, self.requests(pod))).or_default() += 1;
            }
        }
        alike.into_iter().map(|((workload, requests), count)| PendingPods { workload, requests, count }).collect()
    }

    /// The autoscaled pools.
    fn views(&self) -> Vec<PoolView> {
        let now = self.engine.now();
        let view = |(pool, model): (usize, &crate::model::NodePool)| match model.size {
            PoolSize::Autoscaled { min, max, .. } => Some(PoolView {
                pool,
                nodes: self.pools[pool].expected(),
                upcoming: self.pools[pool].launching + self.pools[pool].unready,
                // Its size stays while its nodes are replaced.
                min: min.max(self.pools[pool].replace_size),
                max,
                open: self.autoscaler.backoff[pool].until() <= now,
                template: self.autoscaler.templates[pool],
            }),
            PoolSize::Scheduled(_) => None,
        };
        self.model.node_pools.iter().enumerate().filter_map(view).collect()
    }
}

/// The type of a pool with the largest weight, the last of these among equals.
fn most_weighted(model: &Model, pool: usize) -> usize {
    let shapes = model.node_pools[pool].shapes.iter().enumerate();
    let most = shapes.max_by(|(_, a), (_, b)| a.weight.total_cmp(&b.weight));
    most.expect("a pool has a type").0
}

/// What a node of a type has; what pods may request there, as far as the type is not known.
fn capacity(shape: &Shape) -> Resources {
    let InstanceLimits { cpu_cores, memory_mib, .. } = shape.limits;
    let Resources { cpu_milli, memory_mib: memory } = shape.allocatable;
    Resources {
        cpu_milli: cpu_cores.map_or(cpu_milli, |cores| cpu_milli.max(cores.saturating_mul(1000))),
        memory_mib: memory_mib.map_or(memory, |mib| memory.max(mib)),
    }
}

/// What a new node of a pool is like: its most weighted type, with the pods of DaemonSets on it.
fn template(model: &Model, pool: usize) -> Template {
    let shape = &model.node_pools[pool].shapes[most_weighted(model, pool)];
    let daemons = model.workloads.iter().filter(|workload| {
        matches!(workload.kind, WorkloadKind::DaemonSet { .. }) && workload.node_pools.contains(&pool)
    });
    let (mut requests, mut addresses, mut devices) = (Resources::default(), 0, Devices::default());
    for daemon in daemons {
        devices = devices.plus(model.devices(&daemon.pod));
        requests = requests.plus(daemon.pod.requests);
        addresses += u32::from(!daemon.pod.host_network);
    }
    Template {
        allocatable: shape.allocatable,
        capacity: capacity(shape),
        max_pods: shape.max_pods,
        devices: shape.zones[0].daemon.devices(),
        daemons: requests,
        daemon_addresses: addresses,
        daemon_devices: devices,
    }
}

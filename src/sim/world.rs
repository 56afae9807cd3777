//! The world of a scenario: node pools and workloads that follow their schedules, on the engine.

use std::sync::Arc;

use super::engine::{Engine, Happening, PodState};
use super::observe::refresh;
use super::stranded::stranded;
use crate::chance::{SmallStream, Stream, stream};
use crate::cloud::{Behaviour, Cloud};
use crate::cluster::scheduler::Scheduler;
use crate::id::{NodeId, PodId, VSwitchId};
use crate::ipam::node_local::Config;
use crate::model::{GroupKey, Model, PoolSize, PoolZone, Replicas, Schedule, WorkloadKind};
use crate::record::{Detail, Recorder, Recording, Unschedulable, Was};
use crate::time::{Instant, Span};

/// Pause before a node that found no primary address tries to join again (an assumption: the
/// scaling group's health check).
const JOIN_RETRY: Span = Span::mins(10);

/// Events of this layer.
#[derive(Debug, Clone, Copy)]
enum Control {
    /// The wanted size of a pool may have changed.
    Pool(usize),
    /// The wanted number of pods of a workload may have changed.
    Workload(usize),
    /// The addresses of other tenants of a vSwitch may have changed.
    Tenant(usize),
    /// A row of the timeline is due.
    Sample,
    /// The warm-up is over.
    Warm,
}

impl Control {
    fn pack(self) -> u32 {
        let (kind, index) = match self {
            Self::Pool(i) => (0, i),
            Self::Workload(i) => (1, i),
            Self::Tenant(i) => (2, i),
            Self::Sample => (3, 0),
            Self::Warm => (4, 0),
        };
        kind << 24 | index as u32
    }

    fn unpack(packed: u32) -> Self {
        let index = (packed & 0x00ff_ffff) as usize;
        match packed >> 24 {
            0 => Self::Pool(index),
            1 => Self::Workload(index),
            2 => Self::Tenant(index),
            3 => Self::Sample,
            _ => Self::Warm,
        }
    }
}

/// A pool in one zone.
#[derive(Debug)]
struct Group {
    key: GroupKey,
    daemon: Arc<Config>,
    node_vswitch: VSwitchId,
}

/// A pool while the run goes on.
#[derive(Debug)]
struct PoolState {
    nodes: u32,
    /// Positions of its groups.
    groups: std::ops::Range<usize>,
    /// The zone whose turn it is.
    next_zone: usize,
}

/// A workload while the run goes on.
#[derive(Debug)]
struct WorkloadState {
    /// Pods with a node.
    pods: Vec<PodId>,
    /// Pods that wait for a node.
    pending: u32,
    /// Identities of StatefulSet pods that are gone and will be used again.
    identities: Vec<PodId>,
    lifetimes: Stream,
}

/// The world of one replication.
struct World<'m> {
    model: &'m Model,
    engine: Engine<Recorder>,
    scheduler: Scheduler,
    groups: Vec<Group>,
    pools: Vec<PoolState>,
    workloads: Vec<WorkloadState>,
    /// Pods on each node.
    nodes: Vec<Vec<PodId>>,
    /// Position of each pod in its workload's list.
    positions: Vec<u32>,
    daemons: Stream,
    horizon: Instant,
}

/// Runs replication `replication` of `model`; `tick` is told now and then how far it is (time,
/// events).
pub(super) fn run(model: &Model, replication: u32, mut tick: impl FnMut(Instant, u64)) -> Recording {
    let mut world = World::new(model, replication);
    let horizon = world.horizon;
    while let Some(happening) = world.engine.step(horizon) {
        if matches!(happening, Happening::Control(what) if matches!(Control::unpack(what), Control::Sample)) {
            tick(world.engine.now(), world.engine.processed());
        }
        world.happen(happening);
    }
    tick(horizon, world.engine.processed());
    world.finish()
}

/// Runs a replication, looks into every node after everything that happens to the cluster, and at
/// least every simulated `every`, and checks every law of the world.
pub(super) fn run_audited(model: &Model, replication: u32, every: Span) -> Recording {
    let mut world = World::new(model, replication);
    let mut until = Instant::ZERO;
    loop {
        match world.engine.step(until) {
            Some(happening) => world.happen(happening),
            None if until == world.horizon => return world.finish(),
            None => until = (until + every).min(world.horizon),
        }
        world.engine.settle();
        world.audit();
    }
}

impl<'m> World<'m> {
    fn new(model: &'m Model, replication: u32) -> Self {
        let stream = |purpose: &str| stream(model.seed, replication, purpose);
        let behaviour = Behaviour {
            latency: model.cloud.latency.clone(),
            throttle: model.cloud.throttle,
            metadata_lag: model.cloud.metadata_lag,
            quotas: model.cloud.quotas,
        };
        let cloud = Cloud::new(model.vpc.vswitches.iter().map(|v| v.cidr), behaviour, stream("cloud"));
        let groups = groups(model);
        let first = replication == 0;
        let detail = Detail { pods: model.outputs.pods && first, events: model.outputs.events && first };
        let recorder = Recorder::new(replication, model, detail);
        let pools = (0..model.node_pools.len()).map(|pool| {
            let from = groups.iter().position(|group| group.key.pool == pool).expect("a pool has a zone");
            PoolState { nodes: 0, groups: from..from + model.node_pools[pool].zones().len(), next_zone: 0 }
        });
        let workloads = model.workloads.iter().map(|workload| WorkloadState {
            pods: Vec::new(),
            pending: 0,
            identities: Vec::new(),
            lifetimes: stream(&format!("lifetimes/{}", workload.name)),
        });
        let mut world = World {
            engine: Engine::new(recorder, cloud, model.kubelet.sandbox_retry.clone(), stream("kubelet")),
            scheduler: Scheduler::new(
                model.node_pools.iter().map(|pool| pool.shapes[0].max_pods),
                SmallStream::split(&mut stream("scheduler")),
            ),
            pools: pools.collect(),
            workloads: workloads.collect(),
            groups,
            nodes: Vec::new(),
            positions: Vec::new(),
            daemons: stream("daemons"),
            horizon: Instant::ZERO + model.horizon,
            model,
        };
        world.begin();
        world
    }

    /// Sets the first event of everything that follows a schedule.
    fn begin(&mut self) {
        let first = [
            (0..self.model.vpc.vswitches.len()).map(Control::Tenant).collect::<Vec<_>>(),
            (0..self.pools.len()).map(Control::Pool).collect(),
            (0..self.workloads.len()).map(Control::Workload).collect(),
            vec![Control::Sample],
        ];
        for control in first.into_iter().flatten() {
            self.engine.control_at(Instant::ZERO, control.pack());
        }
        if self.model.warm_up > Span::ZERO {
            self.engine.control_at(Instant::ZERO + self.model.warm_up, Control::Warm.pack());
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Served(pod) => self.served(pod),
            Happening::Ended(pod) => self.ended(pod),
            Happening::Control(what) => match Control::unpack(what) {
                Control::Pool(pool) => self.follow_pool(pool),
                Control::Workload(workload) => self.follow_workload(workload),
                Control::Tenant(vswitch) => self.follow_tenant(vswitch),
                Control::Sample => self.sample(),
                Control::Warm => {
                    let now = self.engine.now();
                    self.engine.observer.warm(now);
                }
            },
        }
    }

    /// Sets the event of a schedule's next change.
    fn follow(&mut self, schedule: &Schedule, control: Control) {
        if let Some(at) = schedule.next_change(self.engine.now(), self.horizon) {
            self.engine.control_at(at, control.pack());
        }
    }

    fn follow_tenant(&mut self, vswitch: usize) {
        let schedule = &self.model.vpc.vswitches[vswitch].tenants[0].addresses;
        let id = VSwitchId::new(vswitch);
        self.engine.cloud.set_others(id, schedule.count(self.engine.now()));
        self.refresh(id);
        self.follow(schedule, Control::Tenant(vswitch));
    }

    fn follow_pool(&mut self, pool: usize) {
        let PoolSize::Scheduled(schedule) = &self.model.node_pools[pool].size else { return };
        let wanted = schedule.count(self.engine.now());
        while self.pools[pool].nodes < wanted {
            if !self.add_node(pool) {
                self.nodes_missing(pool, wanted - self.pools[pool].nodes);
                self.engine.control_at(self.engine.now() + JOIN_RETRY, Control::Pool(pool).pack());
                self.schedule_pending();
                return;
            }
        }
        while self.pools[pool].nodes > wanted {
            self.remove_node(pool);
        }
        self.schedule_pending();
        self.follow(schedule, Control::Pool(pool));
    }

    /// No zone of the pool has a primary address left for the nodes that are wanted.
    fn nodes_missing(&mut self, pool: usize, missing: u32) {
        let PoolState { groups, next_zone, .. } = &self.pools[pool];
        let index = groups.start + next_zone;
        let now = self.engine.now();
        self.engine.observer.nodes_refused(now, index, self.groups[index].node_vswitch, missing);
    }

    /// A node joins in the zone whose turn it is, or in the next one that has a primary address
    /// for it; false = none has.
    fn add_node(&mut self, pool: usize) -> bool {
        let zones = self.pools[pool].groups.len();
        (0..zones).any(|_| self.add_node_in_turn(pool))
    }

    /// A node joins in the zone whose turn it is; false = its vSwitch has no primary address.
    fn add_node_in_turn(&mut self, pool: usize) -> bool {
        let state = &mut self.pools[pool];
        let index = state.groups.start + state.next_zone;
        state.next_zone = (state.next_zone + 1) % state.groups.len();
        let group = &self.groups[index];
        let limits = self.model.node_pools[pool].shapes[0].limits;
        let now = self.engine.now();
        let Some(node) = self.engine.cloud.start_instance(
            Some(group.node_vswitch),
            limits.adapters.saturating_sub(1),
            limits.ipv4_per_adapter,
        ) else {
            return false;
        };
        state.nodes += 1;
        let (vswitch, daemon) = (group.node_vswitch, Arc::clone(&group.daemon));
        self.nodes.push(Vec::new());
        self.scheduler.add_node(node, pool);
        let name = || node_name(self.model, pool, node);
        self.engine.observer.node_joined(now, node, index, name);
        self.engine.start_daemon(node, daemon, SmallStream::split(&mut self.daemons), true);
        self.refresh(vswitch);
        for (workload, kind) in self.model.workloads.iter().enumerate() {
            if matches!(kind.kind, WorkloadKind::DaemonSet { .. })
                && !kind.pod.host_network
                && kind.node_pools.contains(&pool)
            {
                self.scheduler.add_pod(node);
                self.start_pod(workload, node);
            }
        }
        true
    }

    /// The emptiest node of a pool is drained and released.
    fn remove_node(&mut self, pool: usize) {
        let node = self.scheduler.emptiest(pool).expect("the pool has a node");
        self.scheduler.remove_node(node);
        self.pools[pool].nodes -= 1;
        let evicted = std::mem::take(&mut self.nodes[node.index()]);
        let owners: Vec<_> = evicted.iter().map(|&pod| self.engine.pod(pod).owner as usize).collect();
        for &pod in &evicted {
            self.forget_pod(pod);
        }
        let now = self.engine.now();
        let name = || node_name(self.model, pool, node);
        self.engine.observer.node_left(now, node, name);
        self.engine.release_node(node);
        for i in 0..self.engine.cloud.vswitch_count() {
            self.refresh(VSwitchId::new(i));
        }
        for workload in owners {
            if !matches!(self.model.workloads[workload].kind, WorkloadKind::DaemonSet { .. }) {
                self.want_pod(workload);
            }
        }
    }

    fn follow_workload(&mut self, workload: usize) {
        let model = &self.model.workloads[workload];
        let (WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), .. }
        | WorkloadKind::StatefulSet { replicas, .. }) = &model.kind
        else {
            return;
        };
        if model.pod.host_network {
            return;
        }
        let wanted = replicas.count(self.engine.now()) as usize;
        let has = |state: &WorkloadState| state.pods.len() + state.pending as usize;
        while has(&self.workloads[workload]) < wanted {
            self.want_pod(workload);
        }
        while has(&self.workloads[workload]) > wanted {
            self.drop_pod(workload);
        }
        self.schedule_pending();
        self.follow(replicas, Control::Workload(workload));
    }

    /// A controller makes a pod; it is placed at once, or waits for a node.
    fn want_pod(&mut self, workload: usize) {
        match self.scheduler.place_pod(&self.model.workloads[workload].node_pools) {
            Some(node) => self.start_pod(workload, node),
            None => {
                self.workloads[workload].pending += 1;
                self.report_pending();
            }
        }
    }

    /// A controller has a pod too many: one without a node goes first, then one without an
    /// address, then the youngest (ReplicaSet's ranking, as far as it shows here).
    fn drop_pod(&mut self, workload: usize) {
        if self.workloads[workload].pending > 0 {
            self.workloads[workload].pending -= 1;
            self.report_pending();
            return;
        }
        let pods = &self.workloads[workload].pods;
        let waiting = pods.iter().rposition(|&pod| self.engine.pod(pod).state == PodState::Waiting);
        let pod = pods[waiting.unwrap_or(pods.len() - 1)];
        self.delete_pod(pod);
    }

    /// Pods that found no node are tried again, workload by workload.
    fn schedule_pending(&mut self) {
        let mut placed = false;
        for workload in 0..self.workloads.len() {
            while self.workloads[workload].pending > 0
                && let Some(node) = self.scheduler.place_pod(&self.model.workloads[workload].node_pools)
            {
                self.workloads[workload].pending -= 1;
                self.start_pod(workload, node);
                placed = true;
            }
        }
        if placed {
            self.report_pending();
        }
    }

    fn report_pending(&mut self) {
        let now = self.engine.now();
        let pending = self.workloads.iter().map(|state| state.pending).sum();
        let any = self.pools.iter().any(|pool| pool.nodes > 0);
        let why = if any { Unschedulable::MaxPods } else { Unschedulable::NoNode };
        self.engine.observer.unschedulable(now, pending, Some(why));
        self.report_demand();
    }

    fn report_demand(&mut self) {
        let pods: usize = self.workloads.iter().map(|state| state.pods.len() + state.pending as usize).sum();
        let now = self.engine.now();
        self.engine.observer.demand(now, pods as u32);
    }

    fn start_pod(&mut self, workload: usize, node: NodeId) {
        let identity = self.workloads[workload].identities.pop();
        let now = self.engine.now();
        // The observer has to know the pod before its address may come.
        let next = identity.unwrap_or_else(|| self.engine.next_pod());
        self.engine.observer.pod_requested(now, next.index(), node, workload);
        let pod = match identity {
            Some(pod) => {
                self.engine.restart_pod(pod, node);
                pod
            }
            None => self.engine.start_pod(node, workload as u32),
        };
        assert_eq!(pod, next, "the engine names its pods as it said");
        self.positions.resize(self.positions.len().max(pod.index() + 1), 0);
        self.positions[pod.index()] = self.workloads[workload].pods.len() as u32;
        self.workloads[workload].pods.push(pod);
        self.nodes[node.index()].push(pod);
        self.report_demand();
    }

    /// A pod has its address: its life begins.
    fn served(&mut self, pod: PodId) {
        let record = *self.engine.pod(pod);
        if record.state != PodState::Running {
            return;
        }
        let workload = record.owner as usize;
        if let Some(lifetime) = &self.model.workloads[workload].pod.lifetime {
            let span = lifetime.sample(&mut self.workloads[workload].lifetimes);
            self.engine.end_pod_at(pod, self.engine.now() + span);
        }
    }

    /// A pod's life is over; its controller makes another.
    fn ended(&mut self, pod: PodId) {
        let record = *self.engine.pod(pod);
        let workload = record.owner as usize;
        self.delete_pod(pod);
        if matches!(self.model.workloads[workload].kind, WorkloadKind::DaemonSet { .. }) {
            self.scheduler.add_pod(record.node);
            self.start_pod(workload, record.node);
        } else {
            // Who waits for room was first.
            self.schedule_pending();
            self.want_pod(workload);
        }
    }

    /// A pod leaves its node.
    fn delete_pod(&mut self, pod: PodId) {
        let node = self.engine.pod(pod).node;
        let pods = &mut self.nodes[node.index()];
        let position = pods.iter().position(|&other| other == pod).expect("the pod is on its node");
        pods.swap_remove(position);
        self.scheduler.remove_pod(node);
        self.forget_pod(pod);
    }

    /// A pod is gone from its workload and from the engine.
    fn forget_pod(&mut self, pod: PodId) {
        let record = *self.engine.pod(pod);
        let state = &mut self.workloads[record.owner as usize];
        let position = self.positions[pod.index()] as usize;
        state.pods.swap_remove(position);
        if let Some(&moved) = state.pods.get(position) {
            self.positions[moved.index()] = position as u32;
        }
        let was = if record.state == PodState::Running { Was::Running } else { Was::Waiting };
        let sticky = matches!(self.model.workloads[record.owner as usize].kind, WorkloadKind::StatefulSet { .. });
        if sticky {
            state.identities.push(pod);
        }
        let now = self.engine.now();
        self.engine.observer.pod_gone(now, pod.index(), record.node, was);
        self.engine.delete_pod(pod, sticky);
    }

    fn sample(&mut self) {
        let now = self.engine.now();
        self.engine.observer.sample(now);
        let rows = u64::from(self.model.outputs.samples.max(1));
        let row = self.engine.observer.rows() as u64;
        if row <= rows {
            let at = Instant((u128::from(self.horizon.0) * u128::from(row) / u128::from(rows)) as u64);
            self.engine.control_at(at, Control::Sample.pack());
        }
    }

    fn refresh(&mut self, id: VSwitchId) {
        let now = self.engine.now();
        refresh(&mut self.engine.observer, now, &self.engine.cloud, id);
    }

    /// Checks every law of the world (too slow for each event of a large run).
    fn audit(&self) {
        let in_use = self.engine.audit();
        self.engine.observer.audit(&in_use, &self.engine.cloud);
        for id in (0..in_use.len()).map(VSwitchId::new) {
            self.engine.observer.audit_idle(id, self.engine.account(id).0);
        }
        let count = |state| self.engine.pods().iter().filter(|pod| pod.state == state).count();
        self.engine.observer.audit_pods(count(PodState::Running), count(PodState::Waiting), 0);
    }

    fn finish(mut self) -> Recording {
        self.engine.settle();
        self.audit();
        let stranded = stranded(&self.engine, &self.model.serving_vswitches());
        let events = self.engine.processed();
        self.engine.observer.finish(self.horizon, stranded, events)
    }
}

/// The groups of nodes, in the order of the recording.
fn groups(model: &Model) -> Vec<Group> {
    let group = |(key, zone): (GroupKey, &PoolZone)| Group {
        key,
        daemon: Arc::new(zone.daemon.clone()),
        node_vswitch: zone.node_vswitch,
    };
    model.groups().map(group).collect()
}

fn node_name(model: &Model, pool: usize, node: NodeId) -> String {
    format!("{}-{}", model.node_pools[pool].name, node.0)
}

//! The world of a scenario: node pools and workloads that live, on the engine.

mod actions;
mod ahead;
mod audit;
mod autoscale;
mod eviction;
mod lists;
mod nodes;
mod pods;
mod replacement;
mod restart;
mod scale_in;
mod trouble;
mod view;
mod workloads;

use std::sync::Arc;

use super::engine::{Ahead, Engine, Happening};
use super::observe::refresh;
use super::slab::Slab;
use super::stranded::stranded;
use crate::chance::{SmallStream, Stream, stream};
use crate::cloud::Cloud;
use crate::cluster::scheduler::{GroupSpec, Rules, Scheduler};
use crate::id::{NodeId, PodId, VSwitchId};
use crate::ipam::Config;
use crate::ipam::pod_eni::PodSpec;
use crate::model::{GroupKey, Ipam, Model, PodTemplate, Resources, Schedule, Times, WorkloadKind};
use crate::record::{Detail, Recorder, Recording};
use crate::time::{Instant, Span};
use nodes::{Coming, NodeNote, PoolState};
use pods::PodNote;
use trouble::Plan;
pub use view::View;
use workloads::WorkloadState;

/// Events of this layer.
#[derive(Debug, Clone, Copy)]
enum Control {
    /// The wanted size of a pool may have changed.
    Pool(usize),
    /// A launch that failed is tried again.
    Retry(usize),
    /// An instance joins.
    Join(usize),
    /// What was planned for a node is due.
    Plan(usize),
    /// A pool's nodes are replaced.
    Replace(usize),
    /// The moment of a workload has come.
    Workload(usize),
    /// A new version of a workload's pods comes.
    Rollout(usize),
    /// A Job may make pods again.
    BackOff(usize),
    /// The cluster autoscaler looks.
    Scan,
    /// A zone fails.
    Outage(usize),
    /// A zone is back.
    OutageEnd(usize),
    /// The addresses of other tenants of a vSwitch may have changed.
    Tenant(usize),
    /// A row of the timeline is due.
    Sample,
    /// The warm-up is over.
    Warm,
    /// An action begins.
    Action(usize),
    /// What an action does is over.
    ActionEnd(usize),
    /// The control plane gives up lost nodes.
    GiveUp,
}

impl Control {
    fn pack(self) -> u32 {
        let (kind, index) = match self {
            Self::Pool(i) => (0, i),
            Self::Retry(i) => (1, i),
            Self::Join(i) => (2, i),
            Self::Plan(i) => (3, i),
            Self::Replace(i) => (4, i),
            Self::Workload(i) => (5, i),
            Self::Rollout(i) => (6, i),
            Self::Scan => (7, 0),
            Self::Outage(i) => (8, i),
            Self::OutageEnd(i) => (9, i),
            Self::Tenant(i) => (10, i),
            Self::Sample => (7, 1),
            Self::Warm => (7, 2),
            Self::Action(i) => (11, i),
            Self::ActionEnd(i) => (12, i),
            Self::GiveUp => (7, 3),
            Self::BackOff(i) => (13, i),
        };
        assert!(index < 1 << 24, "a run has fewer than 2^24 things under way");
        kind << 24 | index as u32
    }

    fn unpack(packed: u32) -> Self {
        let index = (packed & 0x00ff_ffff) as usize;
        match packed >> 24 {
            0 => Self::Pool(index),
            1 => Self::Retry(index),
            2 => Self::Join(index),
            3 => Self::Plan(index),
            4 => Self::Replace(index),
            5 => Self::Workload(index),
            6 => Self::Rollout(index),
            7 => match index {
                0 => Self::Scan,
                1 => Self::Sample,
                2 => Self::Warm,
                _ => Self::GiveUp,
            },
            8 => Self::Outage(index),
            9 => Self::OutageEnd(index),
            10 => Self::Tenant(index),
            11 => Self::Action(index),
            12 => Self::ActionEnd(index),
            _ => Self::BackOff(index),
        }
    }
}

/// Nodes of one pool, type and zone.
#[derive(Debug)]
struct Group {
    key: GroupKey,
    zone: String,
    /// The zone's position in [`Model::zone_names`].
    zone_index: usize,
    daemon: Config,
    node_vswitch: VSwitchId,
    /// What pods of each PodNetworking ask for on its nodes.
    own: Vec<Option<Arc<PodSpec>>>,
}

/// The world of one replication.
struct World<'m> {
    model: &'m Model,
    engine: Engine<Recorder>,
    scheduler: Scheduler,
    groups: Vec<Group>,
    pools: Vec<PoolState>,
    workloads: Vec<WorkloadState>,
    nodes: Vec<NodeNote>,
    pods: Vec<PodNote>,
    /// Nodes per group, those on their way included.
    in_zone: Vec<u32>,
    /// What DaemonSets on the node's network request on each node of a pool.
    reserved: Vec<Resources>,
    coming: Slab<Coming>,
    plans: Slab<Plan>,
    /// Zones that are out.
    zones_out: Vec<String>,
    autoscaler: autoscale::State,
    eviction: eviction::State,
    actions: actions::State,
    daemons: Stream,
    teardown: Stream,
    horizon: Instant,
    /// Addresses that pods want, with a node or without.
    demand: u32,
    /// Controllers that have to look.
    changed: Vec<bool>,
    /// Pods that found no node may find one now.
    place_again: bool,
    /// Pods that found no node when they were last tried.
    pending: u32,
    /// Workloads whose pods may be placed; empty but while they are.
    open: Vec<usize>,
    /// Nodes that have been drained.
    to_release: Vec<NodeId>,
    /// Nodes whose DaemonSet pod is gone, with the workload.
    bare_nodes: Vec<(usize, NodeId)>,
    /// Whom the next events are about; empty but while it is read ahead for them.
    ahead: Ahead,
    /// It is read ahead from so many pods on.
    large: usize,
    /// Pods of a trace that ended before their time, as workload and number.
    lost_of_trace: Vec<(usize, u32)>,
}

/// What a model's outputs ask for: the first replication in detail.
pub(super) fn detail(model: &Model, replication: u32) -> Detail {
    let first = replication == 0;
    Detail { pods: model.outputs.pods && first, events: model.outputs.events && first, node: None }
}

/// Runs replication `replication` of `model`; `tick` is told at each row of the timeline how far it is (time,
/// events), and `is_enough` says whether it may end there.
pub(super) fn run(
    model: &Model,
    replication: u32,
    detail: Detail,
    mut tick: impl FnMut(Instant, u64),
    is_enough: impl Fn(Instant, &Recorder) -> bool,
) -> Recording {
    let mut world = World::new(model, replication, detail);
    while let Some(happening) = world.step(world.horizon) {
        let is_row = matches!(happening, Happening::Control(what) if matches!(Control::unpack(what), Control::Sample));
        world.happen(happening);
        if is_row {
            let now = world.engine.now();
            tick(now, world.engine.processed());
            if is_enough(now, &world.engine.observer) {
                world.horizon = now;
            }
        }
    }
    tick(world.horizon, world.engine.processed());
    world.finish()
}

/// Runs a replication and shows the world at each of `moments`, which ascend.
pub(super) fn run_watched(
    model: &Model,
    replication: u32,
    detail: Detail,
    moments: impl Iterator<Item = Instant>,
    mut look: impl FnMut(View),
) -> Recording {
    let mut world = World::new(model, replication, detail);
    for moment in moments.take_while(|&moment| moment <= Instant::ZERO + model.horizon) {
        world.run_until(moment);
        // Whoever looks changes nothing by it.
        world.engine.settle();
        look(View::new(&world));
    }
    world.run_until(world.horizon);
    world.finish()
}

/// Runs a replication, looks into every node after everything that happens to the cluster, and at
/// least every simulated `every`, and checks every law of the world.
pub(super) fn run_audited(model: &Model, replication: u32, every: Span) -> Recording {
    let mut world = World::new(model, replication, detail(model, replication));
    let mut until = Instant::ZERO;
    loop {
        match world.step(until) {
            Some(happening) => world.happen(happening),
            None if until == world.horizon => return world.finish(),
            None => until = (until + every).min(world.horizon),
        }
        world.engine.settle();
        world.audit();
    }
}

impl<'m> World<'m> {
    fn new(model: &'m Model, replication: u32, detail: Detail) -> Self {
        let stream = |purpose: &str| stream(model.seed, replication, purpose);
        let horizon = Instant::ZERO + model.horizon;
        let mishaps = SmallStream::split(&mut stream("faults"));
        let mut cloud =
            Cloud::new(model.vpc.vswitches.iter().map(|v| v.cidr), model.cloud.clone(), stream("cloud"), mishaps);
        for (i, _) in model.vpc.vswitches.iter().enumerate().filter(|(_, vswitch)| vswitch.added_by.is_some()) {
            cloud.defer_vswitch(VSwitchId::new(i));
        }
        for (i, vswitch) in model.vpc.vswitches.iter().enumerate() {
            vswitch.prefix_reservations.iter().for_each(|&part| cloud.reserve_prefixes(VSwitchId::new(i), part));
        }
        let groups = groups(model);
        let recorder = Recorder::new(replication, model, detail);
        let chance = SmallStream::split(&mut stream("scheduler"));
        let pools = model.node_pools.iter().enumerate().map(|(i, pool)| {
            let of_pool = |group: &Group| group.key.pool == i;
            let from = groups.iter().position(of_pool).expect("a pool has a type in a zone");
            PoolState::new(from..from + groups.iter().filter(|g| of_pool(g)).count(), &pool.name, &stream)
        });
        let engine = Engine::new(recorder, cloud, model.kubelet.sandbox_retry.clone(), stream("kubelet"));
        let engine = match &model.ipam {
            Ipam::NodeLocal | Ipam::Classic(_) => engine,
            Ipam::Centralized(settings) => {
                engine.with_control_plane((**settings).clone(), SmallStream::split(&mut stream("control plane")))
            }
        };
        let is_exclusive = |group: &Group| matches!(group.daemon, Config::Exclusive(_));
        let engine = match groups.iter().any(is_exclusive) || !model.pod_networkings.is_empty() {
            true => engine.with_own_enis(model.own_enis.clone(), SmallStream::split(&mut stream("pod-eni"))),
            false => engine,
        };
        let mut world = World {
            engine,
            scheduler: scheduler(model, &groups, rules(model), chance),
            pools: pools.collect(),
            workloads: (0..model.workloads.len()).map(|i| WorkloadState::new(i, model, &stream)).collect(),
            nodes: Vec::new(),
            pods: Vec::new(),
            in_zone: vec![0; groups.len()],
            reserved: (0..model.node_pools.len()).map(|pool| reserved(model, pool)).collect(),
            coming: Slab::default(),
            plans: Slab::default(),
            zones_out: Vec::new(),
            autoscaler: autoscale::State::new(model, rules(model), stream("autoscaler")),
            eviction: eviction::State::new(model),
            actions: actions::State::new(model),
            daemons: stream("daemons"),
            teardown: stream("teardown"),
            horizon,
            demand: 0,
            changed: vec![false; model.workloads.len()],
            place_again: false,
            pending: 0,
            open: Vec::new(),
            to_release: Vec::new(),
            bare_nodes: Vec::new(),
            ahead: Ahead::default(),
            large: ahead::LARGE,
            lost_of_trace: Vec::new(),
            groups,
            model,
        };
        world.begin();
        world
    }

    /// Sets the first event of everything that has one.
    fn begin(&mut self) {
        let (pools, workloads) = (0..self.pools.len(), 0..self.workloads.len());
        let tenants = (0..self.model.vpc.vswitches.len()).map(Control::Tenant);
        let first = tenants
            .chain(pools.clone().map(Control::Pool))
            .chain(pools.map(Control::Replace))
            .chain(workloads.clone().map(Control::Workload))
            .chain(workloads.map(Control::Rollout));
        for control in first {
            self.engine.control_at(Instant::ZERO, control.pack());
        }
        self.plan_actions();
        self.engine.control_at(Instant::ZERO, Control::Sample.pack());
        if self.model.warm_up > Span::ZERO {
            self.engine.control_at(Instant::ZERO + self.model.warm_up, Control::Warm.pack());
        }
        for (i, outage) in self.model.zone_outages.iter().enumerate() {
            self.engine.control_at(outage.at, Control::Outage(i).pack());
            self.engine.control_at(outage.at + outage.lasts, Control::OutageEnd(i).pack());
        }
    }

    fn run_until(&mut self, until: Instant) {
        while let Some(happening) = self.step(until) {
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Served(pod) => self.served(pod),
            Happening::Offers(node) => self.devices_changed(node),
            Happening::Started(node) => self.look_whether_ready(node),
            Happening::NotStarted(node) => self.terway_did_not_start(node),
            Happening::Crashed(node, defect) => self.terway_crashed(node, defect),
            Happening::Stuck(node, defect) => self.terway_is_stuck(node, defect),
            Happening::Timer(pod) => self.timer(pod),
            Happening::Control(what) => self.control(Control::unpack(what)),
        }
        self.settle();
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::Pool(pool) => self.pool_due(pool),
            Control::Retry(pool) => self.follow_pool(pool),
            Control::Join(slot) => self.join_due(slot),
            Control::Plan(slot) => self.plan_due(slot),
            Control::Replace(pool) => self.replacement_due(pool),
            Control::Workload(workload) => self.workload_due(workload),
            Control::BackOff(workload) => self.changed(workload),
            Control::Rollout(workload) => self.rollout_due(workload),
            Control::Scan => self.scan(),
            Control::Outage(outage) => self.zone_fails(&self.model.zone_outages[outage].zone),
            Control::OutageEnd(outage) => self.zone_returns(&self.model.zone_outages[outage].zone),
            Control::Tenant(vswitch) => self.follow_tenants(vswitch),
            Control::Sample => self.sample(),
            Control::Warm => {
                let now = self.engine.now();
                self.engine.observer.warm(now);
            }
            Control::Action(action) => self.begin_action(action),
            Control::ActionEnd(action) => self.action_ends(action),
            Control::GiveUp => self.give_up_due(),
        }
    }

    /// Controllers and the scheduler act on what happened, in no time.
    fn settle(&mut self) {
        loop {
            self.reconcile();
            if self.to_release.is_empty() {
                break;
            }
            self.release_drained();
        }
        self.place_pods();
    }

    /// Sets the event of a schedule's next change.
    fn follow(&mut self, schedule: &Schedule, control: Control) {
        if let Some(at) = schedule.next_change(self.engine.now(), self.horizon) {
            self.engine.control_at(at, control.pack());
        }
    }

    /// Sets the event of the next of some moments.
    fn next_moment(&mut self, times: &Times, control: Control) {
        let next = times.not_before(self.engine.now() + Span(1));
        // What begins with the end would only be seen half-begun.
        if let Some(at) = next.filter(|&at| at < self.horizon) {
            self.engine.control_at(at, control.pack());
        }
    }

    fn follow_tenants(&mut self, vswitch: usize) {
        let (now, model) = (self.engine.now(), &self.model.vpc.vswitches[vswitch]);
        let id = VSwitchId::new(vswitch);
        self.engine.cloud.set_others(id, model.wanted_by_others(now));
        self.refresh(id);
        if let Some(at) = model.next_change_of_others(now, self.horizon) {
            self.engine.control_at(at, Control::Tenant(vswitch).pack());
        }
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

    fn finish(mut self) -> Recording {
        self.engine.settle();
        self.audit();
        let mut meant = self.model.serving_vswitches();
        meant.retain(|&id| self.engine.cloud.has_vswitch(id));
        let stranded = stranded(&self.engine, &meant);
        for pod in (0..self.pods.len()).map(PodId::new) {
            let pod = self.engine.pod(pod);
            if pod.state.waits() {
                let waited = self.horizon.since(pod.requested);
                self.engine.observer.never_served(self.horizon, waited);
            }
        }
        let events = self.engine.processed();
        self.engine.observer.finish(self.horizon, stranded, events)
    }
}

/// Every group of nodes, in the order of the recording.
fn groups(model: &Model) -> Vec<Group> {
    let zones = model.zone_names();
    let group = |(key, zone): (GroupKey, &crate::model::PoolZone)| Group {
        key,
        zone: zone.zone.clone(),
        zone_index: zones.iter().position(|&name| name == zone.zone).expect("a pool's zones have vSwitches"),
        daemon: zone.daemon.clone(),
        node_vswitch: zone.node_vswitch,
        own: model.workloads.iter().map(|of| model.interfaces_of(&of.pod, &zone.zone).map(Arc::new)).collect(),
    };
    model.groups().map(group).collect()
}

fn scheduler(model: &Model, groups: &[Group], rules: Vec<Rules>, chance: SmallStream) -> Scheduler {
    let specs = groups.iter().map(|group| {
        let shape = &model.node_pools[group.key.pool].shapes[group.key.shape];
        GroupSpec {
            pool: group.key.pool,
            zone: group.zone_index,
            allocatable: shape.allocatable,
            max_pods: shape.max_pods,
        }
    });
    Scheduler::new(specs, rules, model.control_plane.scoring, chance)
}

/// What the scheduler knows of each workload.
fn rules(model: &Model) -> Vec<Rules> {
    let zones = model.zone_names();
    let reached = |pod: &PodTemplate| (0..zones.len()).filter(|&zone| model.reaches(pod, zones[zone])).collect();
    let rules = model.workloads.iter().map(|workload| Rules {
        node_pools: workload.node_pools.clone(),
        zone_spread: workload.pod.zone_spread,
        spread_by_default: matches!(workload.kind, WorkloadKind::Deployment { .. } | WorkloadKind::StatefulSet { .. }),
        anti_affinity: workload.pod.anti_affinity,
        takes_address: !workload.pod.host_network,
        takes_devices: model.devices(&workload.pod),
        zones: (!workload.pod.pod_networkings.is_empty()).then(|| reached(&workload.pod)),
    });
    rules.collect()
}

/// What DaemonSets on the node's network request on each node of a pool.
fn reserved(model: &Model, pool: usize) -> Resources {
    let daemons = model.workloads.iter().filter(|workload| {
        let daemon = matches!(workload.kind, WorkloadKind::DaemonSet { .. });
        daemon && workload.pod.host_network && workload.node_pools.contains(&pool)
    });
    daemons.fold(Resources::default(), |sum, workload| sum.plus(workload.pod.requests))
}

//! Nodes: they are launched, join, fail, come back, are drained and released.

use std::sync::Arc;

use super::pods::Phase;
use super::{Control, World, refresh};
use crate::chance::SmallStream;
use crate::cloud::Launch;
use crate::id::{NodeId, PodId, VSwitchId};
use crate::model::{AfterCrash, PoolSize, Replacement};
use crate::time::{Instant, Span};

/// Pause before a pool whose vSwitches have no primary address for another node tries again (an
/// assumption: the scaling group's health check).
const LAUNCH_RETRY: Span = Span::mins(10);

/// A node pool while the run goes on.
#[derive(Debug)]
pub(super) struct PoolState {
    /// Its groups: shapes × zones.
    pub groups: std::ops::Range<usize>,
    /// Instances that are not released.
    pub present: u32,
    /// Of these, the ones that are not leaving and not lost.
    pub counted: u32,
    /// Instances that were asked for and have not joined.
    pub launching: u32,
    /// Nodes that still have to be replaced, the next one last.
    to_replace: Vec<NodeId>,
    /// The size that an autoscaled pool keeps meanwhile.
    replace_size: u32,
    /// When a launch that failed is tried again.
    retry: Instant,
    pub provisioning: crate::chance::Stream,
    shapes: SmallStream,
    trouble: crate::chance::Stream,
}

/// An instance that was asked for.
#[derive(Debug)]
pub(super) struct Coming {
    group: usize,
    launch: Launch,
}

/// What the world knows of a node.
#[derive(Debug)]
pub(super) struct NodeNote {
    pub group: usize,
    pub pods: Vec<PodId>,
    power: Power,
    /// Nothing new comes to it; it is released when its pods are gone.
    pub draining: bool,
    /// It counts for its pool's number of nodes.
    counted: bool,
    /// It failed with its zone, and comes back with it.
    in_outage: bool,
    /// Number of times that it failed or came back: older plans are stale.
    life: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    Up,
    Down,
    Released,
}

/// Something that will happen to a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    node: NodeId,
    what: What,
    /// [`NodeNote::life`] at which it was made; `None` = whatever becomes of the node.
    life: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// The cloud gives notice that it takes the instance back.
    Interrupt,
    Crash,
    /// The control plane finds out that the node is down.
    NotReady,
    Evict,
    Reboot,
    Release,
}

impl NodeNote {
    pub fn works(&self) -> bool {
        self.power == Power::Up
    }

    pub fn is_counted(&self) -> bool {
        self.counted
    }

    pub fn exists(&self) -> bool {
        self.power != Power::Released
    }
}

impl PoolState {
    pub fn new(groups: std::ops::Range<usize>, name: &str, stream: &dyn Fn(&str) -> crate::chance::Stream) -> Self {
        let stream = |purpose: &str| stream(&format!("{purpose}/{name}"));
        Self {
            groups,
            present: 0,
            counted: 0,
            launching: 0,
            to_replace: Vec::new(),
            replace_size: 0,
            retry: Instant::ZERO,
            provisioning: stream("provisioning"),
            shapes: SmallStream::split(&mut stream("shapes")),
            trouble: stream("trouble"),
        }
    }
}

impl World<'_> {
    /// The wanted number of a pool's nodes; an autoscaled pool keeps its least number.
    fn wanted_nodes(&self, pool: usize) -> u32 {
        let now = self.engine.now();
        match &self.model.node_pools[pool].size {
            PoolSize::Scheduled(nodes) => nodes.count(now),
            PoolSize::Autoscaled { initial, .. } if now == Instant::ZERO => *initial,
            PoolSize::Autoscaled { min, .. } => *min,
        }
    }

    /// The moment of a pool has come.
    pub(super) fn pool_due(&mut self, pool: usize) {
        self.follow_pool(pool);
        if let PoolSize::Scheduled(nodes) = &self.model.node_pools[pool].size {
            self.follow(nodes, Control::Pool(pool));
        }
    }

    /// Launches what is missing in a pool, and removes what is too much.
    pub(super) fn follow_pool(&mut self, pool: usize) {
        let wanted = self.wanted_nodes(pool);
        let model = &self.model.node_pools[pool];
        let scheduled = matches!(model.size, PoolSize::Scheduled(_));
        let surge = self.replacing(pool, wanted).map_or(0, |(surge, _)| surge);
        let state = &self.pools[pool];
        let have = state.counted + state.launching;
        // While nodes are replaced, those that leave still count against the surge.
        let room = match self.replacing(pool, wanted) {
            Some((surge, _)) => (wanted + surge).saturating_sub(state.present + state.launching),
            None => u32::MAX,
        };
        for _ in 0..wanted.saturating_sub(have).min(room) {
            if !self.launch(pool) {
                break;
            }
        }
        for _ in 0..have.saturating_sub(wanted + surge) {
            if scheduled && let Some(node) = self.scheduler.emptiest(pool) {
                self.drain(node);
            }
        }
    }

    /// Asks the cloud for an instance: in the zone with fewest nodes of the pool, or in another
    /// that has a primary address for it; false = none has.
    pub(super) fn launch(&mut self, pool: usize) -> bool {
        let shape = self.draw_shape(pool);
        let zones = self.model.node_pools[pool].zones().len();
        let first = self.pools[pool].groups.start + shape * zones;
        let mut order: Vec<usize> = (0..zones).filter(|&zone| !self.zone_is_out(first + zone)).collect();
        order.sort_by_key(|&zone| self.in_zone(pool, zone));
        for &zone in &order {
            let group = first + zone;
            let vswitch = self.groups[group].node_vswitch;
            if let Some(launch) = self.engine.cloud.launch(vswitch) {
                self.refresh(vswitch);
                self.come(pool, Coming { group, launch });
                return true;
            }
        }
        let wanted = self.wanted_nodes(pool);
        let PoolState { counted, launching, .. } = self.pools[pool];
        let missing = wanted.saturating_sub(counted + launching).max(1);
        let group = first + order.first().copied().unwrap_or_default();
        let now = self.engine.now();
        if !order.is_empty() {
            self.engine.observer.nodes_refused(now, group, self.groups[group].node_vswitch, missing);
        }
        if self.pools[pool].retry <= now {
            self.pools[pool].retry = now + LAUNCH_RETRY;
            self.engine.control_at(now + LAUNCH_RETRY, Control::Retry(pool).pack());
        }
        false
    }

    fn come(&mut self, pool: usize, coming: Coming) {
        let now = self.engine.now();
        let state = &mut self.pools[pool];
        if now == Instant::ZERO {
            self.join(coming);
            return;
        }
        let delay = self.model.node_pools[pool].provisioning.sample(&mut state.provisioning);
        if delay == Span::ZERO {
            self.join(coming);
            return;
        }
        state.launching += 1;
        self.in_zone[coming.group] += 1;
        let slot = self.coming.insert(coming);
        self.engine.control_at(now + delay, Control::Join(slot).pack());
    }

    /// An instance that was asked for is there.
    pub(super) fn join_due(&mut self, slot: usize) {
        let coming = self.coming.remove(slot);
        let Coming { group, .. } = coming;
        let pool = self.groups[group].key.pool;
        self.pools[pool].launching -= 1;
        self.in_zone[group] -= 1;
        if self.zone_is_out(group) {
            let vswitch = self.groups[group].node_vswitch;
            self.engine.cloud.abandon(coming.launch);
            self.refresh(vswitch);
        } else {
            self.join(coming);
        }
        self.follow_pool(pool);
        self.replace_next(pool);
    }

    /// An instance becomes a node: its daemon starts, its DaemonSet pods come.
    fn join(&mut self, Coming { group: index, launch }: Coming) {
        let group = &self.groups[index];
        let (pool, daemon) = (group.key.pool, Arc::clone(&group.daemon));
        let limits = self.model.node_pools[pool].shapes[group.key.shape].limits;
        let node =
            self.engine.cloud.start_instance(Some(launch), limits.adapters.saturating_sub(1), limits.ipv4_per_adapter);
        self.pools[pool].present += 1;
        self.pools[pool].counted += 1;
        self.in_zone[index] += 1;
        self.nodes.push(NodeNote {
            group: index,
            pods: Vec::new(),
            power: Power::Up,
            draining: false,
            counted: true,
            in_outage: false,
            life: 0,
        });
        self.scheduler.add_node(node, index, self.reserved[pool]);
        let now = self.engine.now();
        let name = self.node_name(node);
        self.engine.observer.node_joined(now, node, index, || name);
        self.engine.start_daemon(node, daemon, SmallStream::split(&mut self.daemons), true);
        self.refresh(self.groups[index].node_vswitch);
        self.start_daemons(pool, node);
        let model = &self.model.node_pools[pool];
        if let Some(interruptions) = &model.interruptions {
            let after = exponential(interruptions.every, &mut self.pools[pool].trouble);
            self.plan(after, node, What::Interrupt, None);
        }
        self.plan_crash(node);
        self.load_changed(node);
        self.place_again = true;
    }

    fn plan_crash(&mut self, node: NodeId) {
        let pool = self.pool_of(node);
        if let Some(crashes) = &self.model.node_pools[pool].crashes {
            let after = exponential(crashes.every, &mut self.pools[pool].trouble);
            self.plan(after, node, What::Crash, Some(self.nodes[node.index()].life));
        }
    }

    fn plan(&mut self, after: Span, node: NodeId, what: What, life: Option<u32>) {
        let at = self.engine.now() + after;
        if at <= self.horizon {
            let slot = self.plans.insert(Plan { node, what, life });
            self.engine.control_at(at, Control::Plan(slot).pack());
        }
    }

    /// What was planned for a node is due, unless it has become pointless.
    pub(super) fn plan_due(&mut self, slot: usize) {
        let Plan { node, what, life } = self.plans.remove(slot);
        let note = &self.nodes[node.index()];
        if !note.exists() || life.is_some_and(|life| life != note.life) {
            return;
        }
        match what {
            What::Interrupt => self.interrupt(node),
            What::Crash => self.crash(node),
            What::NotReady => self.node_not_ready(node),
            What::Evict => self.evict(node),
            What::Reboot => self.node_up(node),
            What::Release => self.release(node),
        }
    }

    /// The cloud takes an instance back, after its notice.
    fn interrupt(&mut self, node: NodeId) {
        let interruptions = self.model.node_pools[self.pool_of(node)].interruptions.expect("the pool has them");
        if interruptions.notice == Span::ZERO {
            self.release(node);
            return;
        }
        self.plan(interruptions.notice, node, What::Release, None);
        self.drain(node);
        self.follow_pool(self.pool_of(node));
    }

    fn crash(&mut self, node: NodeId) {
        let pool = self.pool_of(node);
        let then = self.model.node_pools[pool].crashes.as_ref().expect("the pool has them").then.clone();
        self.node_down(node);
        let (what, after) = match &then {
            AfterCrash::Reboot(after) => (What::Reboot, after),
            AfterCrash::Release(after) => (What::Release, after),
        };
        let after = after.sample(&mut self.pools[pool].trouble);
        self.plan(after, node, what, Some(self.nodes[node.index()].life));
    }

    /// A node stops working. The control plane finds out when it misses its signs, and evicts its
    /// pods later still; nobody on the node hears of that.
    fn node_down(&mut self, node: NodeId) {
        self.engine.node_down(node);
        let now = self.engine.now();
        let name = self.node_name(node);
        self.engine.observer.event(now, "node_down", || name, || "down".to_owned());
        let note = &mut self.nodes[node.index()];
        note.power = Power::Down;
        note.life += 1;
        let life = Some(note.life);
        self.load_changed(node);
        let note = &self.nodes[node.index()];
        for &pod in &note.pods {
            self.engine.set_timer(pod, Instant::NEVER);
        }
        let plane = &self.model.control_plane;
        self.plan(plane.node_monitor_grace, node, What::NotReady, life);
        self.plan(plane.node_monitor_grace + plane.eviction_after, node, What::Evict, life);
    }

    fn node_not_ready(&mut self, node: NodeId) {
        self.scheduler.set_schedulable(node, false);
        for pod in self.nodes[node.index()].pods.clone() {
            self.not_ready(pod);
            self.changed(self.workload_of(pod));
        }
        // A scaling group replaces instances that have stopped, not those that hang.
        if self.nodes[node.index()].in_outage {
            self.count_out(node);
            self.follow_pool(self.pool_of(node));
        }
    }

    /// Pods of a node that is lost are told to end: controllers make others, and a StatefulSet
    /// waits until they are gone.
    fn evict(&mut self, node: NodeId) {
        for pod in self.evictable(node) {
            self.terminate(pod);
        }
    }

    /// A node works again: pods that were told to end are gone, the others go on.
    fn node_up(&mut self, node: NodeId) {
        let note = &self.nodes[node.index()];
        if self.zone_is_out(note.group) {
            return;
        }
        for pod in note.pods.clone() {
            if self.note(pod).phase == Phase::Ending {
                self.finish_pod(pod);
            }
        }
        let note = &mut self.nodes[node.index()];
        note.power = Power::Up;
        note.in_outage = false;
        note.life += 1;
        let (group, draining) = (note.group, note.draining);
        let (now, name) = (self.engine.now(), self.node_name(node));
        self.engine.observer.event(now, "node_up", || name, || "up".to_owned());
        self.engine.node_up(node, Arc::clone(&self.groups[group].daemon));
        self.engine.observer.enis_changed(node, self.engine.cloud.node_enis(node).0);
        for i in 0..self.engine.cloud.vswitch_count() {
            self.refresh(VSwitchId::new(i));
        }
        for pod in self.nodes[node.index()].pods.clone() {
            if matches!(self.note(pod).phase, Phase::Starting | Phase::Ready) {
                self.not_ready(pod);
                self.get_ready(pod);
            }
        }
        self.plan_crash(node);
        if draining {
            self.drained(node);
            return;
        }
        self.scheduler.set_schedulable(node, true);
        self.place_again = true;
        let pool = self.pool_of(node);
        if !std::mem::replace(&mut self.nodes[node.index()].counted, true) {
            self.pools[pool].counted += 1;
        }
        self.load_changed(node);
        self.follow_pool(pool);
    }

    /// A zone fails, with every node in it.
    pub(super) fn outage_begins(&mut self, outage: usize) {
        let zone = &self.model.zone_outages[outage].zone;
        self.zones_out.push(zone.clone());
        let now = self.engine.now();
        self.engine.observer.landmark(now, "zone_outage", zone.clone(), format!("{zone} fails"));
        for node in (0..self.nodes.len()).map(NodeId::new) {
            let note = &mut self.nodes[node.index()];
            if note.exists() && self.groups[note.group].zone == *zone {
                note.in_outage = true;
                if note.works() {
                    self.node_down(node);
                }
            }
        }
    }

    /// A zone is back, and with it the nodes that failed with it.
    pub(super) fn outage_ends(&mut self, outage: usize) {
        let zone = &self.model.zone_outages[outage].zone;
        let position = self.zones_out.iter().position(|out| out == zone).expect("its outage began");
        self.zones_out.remove(position);
        let now = self.engine.now();
        self.engine.observer.landmark(now, "zone_back", zone.clone(), format!("{zone} is back"));
        for node in (0..self.nodes.len()).map(NodeId::new) {
            let note = &self.nodes[node.index()];
            if note.power == Power::Down && note.in_outage && self.groups[note.group].zone == *zone {
                self.node_up(node);
            }
        }
    }

    fn zone_is_out(&self, group: usize) -> bool {
        self.zones_out.contains(&self.groups[group].zone)
    }

    /// Nothing new comes to a node, its pods are told to end, and when they are gone it is
    /// released. DaemonSet pods stay to the end. PodDisruptionBudgets are not modelled.
    pub(super) fn drain(&mut self, node: NodeId) {
        if self.nodes[node.index()].draining {
            return;
        }
        if !self.nodes[node.index()].works() {
            self.release(node);
            return;
        }
        self.nodes[node.index()].draining = true;
        self.scheduler.set_schedulable(node, false);
        self.count_out(node);
        for pod in self.evictable(node) {
            self.terminate(pod);
        }
        self.drained(node);
    }

    /// Pods of a node that a drain evicts and that are not told to end yet.
    pub(super) fn evictable(&self, node: NodeId) -> Vec<PodId> {
        let pods = self.nodes[node.index()].pods.iter().copied();
        pods.filter(|&pod| !self.is_daemon(self.workload_of(pod)) && self.note(pod).phase != Phase::Ending).collect()
    }

    /// Releases a node that is being drained, once nothing keeps it.
    pub(super) fn drained(&mut self, node: NodeId) {
        let note = &self.nodes[node.index()];
        if note.draining && note.works() && note.pods.iter().all(|&pod| self.is_daemon(self.workload_of(pod))) {
            self.to_release.push(node);
        }
    }

    /// Releases what has been drained.
    pub(super) fn release_drained(&mut self) {
        while let Some(node) = self.to_release.pop() {
            if self.nodes[node.index()].exists() {
                self.release(node);
            }
        }
    }

    /// An instance is gone, with whatever was on it.
    fn release(&mut self, node: NodeId) {
        self.count_out(node);
        for pod in self.nodes[node.index()].pods.clone() {
            self.lose(pod);
        }
        let note = &mut self.nodes[node.index()];
        note.power = Power::Released;
        let group = note.group;
        self.scheduler.remove_node(node);
        let pool = self.pool_of(node);
        self.pools[pool].present -= 1;
        self.in_zone[group] -= 1;
        let now = self.engine.now();
        let name = self.node_name(node);
        self.engine.observer.node_left(now, node, || name);
        self.engine.release_node(node);
        for i in 0..self.engine.cloud.vswitch_count() {
            self.refresh(VSwitchId::new(i));
        }
        self.follow_pool(pool);
        self.replace_next(pool);
    }

    /// A node does not count for its pool any more.
    fn count_out(&mut self, node: NodeId) {
        let pool = self.pool_of(node);
        if std::mem::take(&mut self.nodes[node.index()].counted) {
            self.pools[pool].counted -= 1;
        }
        self.load_changed(node);
    }

    /// A replacement of a pool's nodes begins.
    pub(super) fn replacement_due(&mut self, pool: usize) {
        let Some(Replacement { at, .. }) = &self.model.node_pools[pool].replacement else { return };
        let now = self.engine.now();
        if at.not_before(now) == Some(now) && now > Instant::ZERO {
            let old = (0..self.nodes.len()).map(NodeId::new).filter(|&node| {
                let note = &self.nodes[node.index()];
                note.exists() && !note.draining && self.groups[note.group].key.pool == pool
            });
            // The first to join is the first to go.
            self.pools[pool].to_replace = old.rev().collect();
            self.pools[pool].replace_size = self.pools[pool].counted + self.pools[pool].launching;
            let name = &self.model.node_pools[pool].name;
            let text = format!("replacement of the nodes of {name} begins");
            self.engine.observer.landmark(now, "replacement", name.clone(), text);
            self.replace_next(pool);
        }
        self.next_moment(at, Control::Replace(pool));
    }

    /// Nodes on top and nodes missing that a pool may have, if it is being replaced.
    fn replacing(&self, pool: usize, wanted: u32) -> Option<(u32, u32)> {
        let replacement = self.model.node_pools[pool].replacement.as_ref()?;
        let PoolState { to_replace, present, counted, .. } = &self.pools[pool];
        if to_replace.is_empty() && present == counted {
            return None;
        }
        let surge = replacement.max_surge.up(wanted);
        let unavailable = replacement.max_unavailable.down(wanted);
        Some((surge, if surge == 0 { unavailable.max(1) } else { unavailable }))
    }

    /// The next steps of a pool's replacement: launch as many as the surge leaves room for, drain
    /// as many as may be missing.
    fn replace_next(&mut self, pool: usize) {
        loop {
            let PoolState { present, launching, counted, .. } = self.pools[pool];
            let wanted = match &self.model.node_pools[pool].size {
                PoolSize::Scheduled(nodes) => nodes.count(self.engine.now()),
                // The autoscaler is not asked; the pool keeps its size.
                PoolSize::Autoscaled { .. } => self.pools[pool].replace_size,
            };
            let old = self.pools[pool].to_replace.len() as u32;
            let Some((surge, unavailable)) = self.replacing(pool, wanted).filter(|_| old > 0) else { return };
            let room = (wanted + surge).saturating_sub(present + launching);
            if room > 0 && (counted + launching).saturating_sub(wanted) < old.min(surge) && self.launch(pool) {
                continue;
            }
            if counted.saturating_sub(1) < wanted.saturating_sub(unavailable) {
                return;
            }
            let node = self.pools[pool].to_replace.pop().expect("there is one");
            if self.nodes[node.index()].exists() {
                self.drain(node);
            }
        }
    }

    /// Which type a new node of a pool has.
    fn draw_shape(&mut self, pool: usize) -> usize {
        let shapes = &self.model.node_pools[pool].shapes;
        if shapes.len() == 1 {
            return 0;
        }
        let total: f64 = shapes.iter().map(|shape| shape.weight).sum();
        let mut left = self.pools[pool].shapes.unit() * total;
        let hit = shapes.iter().position(|shape| {
            left -= shape.weight;
            left < 0.0
        });
        hit.unwrap_or(shapes.len() - 1)
    }

    /// Nodes of a pool in a zone, of all types, those on their way included.
    fn in_zone(&self, pool: usize, zone: usize) -> u32 {
        self.pools[pool].groups.clone().filter(|&g| self.groups[g].key.zone == zone).map(|g| self.in_zone[g]).sum()
    }

    pub(super) fn pool_of(&self, node: NodeId) -> usize {
        self.groups[self.nodes[node.index()].group].key.pool
    }

    fn node_name(&self, node: NodeId) -> String {
        format!("{}-{}", self.model.node_pools[self.pool_of(node)].name, node.0)
    }

    pub(super) fn refresh(&mut self, id: VSwitchId) {
        let now = self.engine.now();
        refresh(&mut self.engine.observer, now, &self.engine.cloud, id);
    }
}

fn exponential(mean: Span, chance: &mut crate::chance::Stream) -> Span {
    crate::chance::SpanDist::Exponential(mean).sample(chance)
}

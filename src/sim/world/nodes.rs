//! Nodes: they are launched, join, fail, come back, are drained and released.

use std::cmp::Reverse;

use super::pods::Phase;
use super::scale_in::Replicas;
use super::{Control, World, refresh};
use crate::chance::SmallStream;
use crate::cloud::Launch;
use crate::id::{NodeId, PodId, VSwitchId};
use crate::ipam::Config;
use crate::ipam::node_local::VSwitchSelection;
use crate::model::{PoolSize, Portion};
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
    /// Nodes that have joined and are not ready for pods yet.
    pub unready: u32,
    /// Nodes that still have to be replaced, the next one last; none of them is being drained.
    pub to_replace: Vec<NodeId>,
    /// Nodes that are being drained since they are replaced.
    pub leaving: u32,
    /// Nodes on top of the wanted number and nodes missing while the latest replacement lasts.
    pub pace: (Portion, Portion),
    /// The size that an action gave it, whatever its schedule says.
    pub scaled: Option<u32>,
    /// The size that an autoscaled pool keeps while its nodes are replaced; 0 = they are not.
    pub replace_size: u32,
    /// When a launch that failed is tried again.
    retry: Instant,
    pub provisioning: crate::chance::Stream,
    shapes: SmallStream,
    pub trouble: crate::chance::Stream,
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
    /// Those of them that count for a Deployment which may have too many.
    pub replicas: Vec<Replicas>,
    pub power: Power,
    /// Nothing new comes to it; it is released when its pods are gone.
    pub draining: bool,
    /// It counts for its pool's number of nodes.
    pub counted: bool,
    /// It failed with its zone, and comes back with it.
    pub in_outage: bool,
    /// It is being drained since it is replaced.
    pub replaced: bool,
    /// The autoscaler has it drained.
    pub scaled_in: bool,
    /// The action that has stopped its daemon, while it is down.
    pub restarted_by: Option<usize>,
    /// Its daemon has died of itself and is not started yet.
    pub dead: bool,
    /// The control plane has found it not ready.
    pub lost: bool,
    /// When it was given up, for which its pods are told to end a while later.
    pub given_up: Option<Instant>,
    /// It is not ready for pods yet: its daemon, which writes the CNI configuration last, has not been up
    /// (rule R141).
    pub unready: bool,
    /// When its daemon was started last after a death of itself, and the pause before it is after the next
    /// one (see [`super::restart`]).
    pub back_off: Option<(Instant, Span)>,
    /// Number of times that it failed or came back: older plans are stale.
    pub life: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    Up,
    Down,
    Released,
}

impl NodeNote {
    pub fn works(&self) -> bool {
        self.power == Power::Up
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
            unready: 0,
            to_replace: Vec::new(),
            leaving: 0,
            pace: (Portion::Count(0), Portion::Count(0)),
            scaled: None,
            replace_size: 0,
            retry: Instant::ZERO,
            provisioning: stream("provisioning"),
            shapes: SmallStream::split(&mut stream("shapes")),
            trouble: stream("trouble"),
        }
    }

    /// Nodes that the pool has or will have, without those that leave or are lost.
    pub fn expected(&self) -> u32 {
        self.counted + self.launching
    }
}

impl World<'_> {
    /// The wanted number of a pool's nodes; an autoscaled pool keeps its least number, and its size
    /// while its nodes are replaced.
    pub(super) fn wanted_nodes(&self, pool: usize) -> u32 {
        let now = self.engine.now();
        match &self.model.node_pools[pool].size {
            PoolSize::Scheduled(nodes) => self.pools[pool].scaled.unwrap_or_else(|| nodes.count(now)),
            PoolSize::Autoscaled { initial, .. } if now == Instant::ZERO => *initial,
            PoolSize::Autoscaled { min, .. } => self.pools[pool].replace_size.max(*min),
        }
    }

    /// The moment of a pool has come.
    pub(super) fn pool_due(&mut self, pool: usize) {
        self.follow_pool(pool);
        if let PoolSize::Scheduled(nodes) = &self.model.node_pools[pool].size {
            self.follow(nodes, Control::Pool(pool));
        }
    }

    /// Launches what is missing in a pool, removes what is too much, and goes on with its
    /// replacement.
    pub(super) fn follow_pool(&mut self, pool: usize) {
        let wanted = self.wanted_nodes(pool);
        let replacing = self.replacing(pool, wanted);
        while self.pools[pool].expected() < wanted && self.has_room(pool, wanted) && self.launch(pool) {}
        if matches!(self.model.node_pools[pool].size, PoolSize::Scheduled(_)) {
            let most = wanted + replacing.map_or(0, |(surge, _)| surge);
            while self.pools[pool].expected() > most
                && let Some(node) = self.least_missed(pool)
            {
                self.drain(node);
            }
        }
        if replacing.is_none() && self.pools[pool].expected() >= wanted {
            self.pools[pool].replace_size = 0;
        }
        self.replace_next(pool);
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
        let missing = self.wanted_nodes(pool).saturating_sub(self.pools[pool].expected()).max(1);
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
            // The autoscaler took it for the node of some pods.
            self.place_again = true;
        } else {
            self.join(coming);
        }
        self.follow_pool(pool);
    }

    /// An instance becomes a node: its daemon starts, its DaemonSet pods come.
    fn join(&mut self, Coming { group: index, launch }: Coming) {
        let group = &self.groups[index];
        let (pool, daemon) = (group.key.pool, group.daemon.clone());
        let limits = self.model.node_pools[pool].shapes[group.key.shape].limits;
        let node =
            self.engine.cloud.start_instance(Some(launch), limits.adapters.saturating_sub(1), limits.ipv4_per_adapter);
        self.engine.cloud.take_members(node, limits.member_adapters().unwrap_or(daemon.devices().members));
        self.pools[pool].present += 1;
        self.pools[pool].counted += 1;
        self.in_zone[index] += 1;
        self.nodes.push(NodeNote {
            group: index,
            pods: Vec::new(),
            replicas: Vec::new(),
            power: Power::Up,
            draining: false,
            counted: true,
            in_outage: false,
            replaced: false,
            scaled_in: false,
            restarted_by: None,
            dead: false,
            lost: false,
            given_up: None,
            unready: false,
            back_off: None,
            life: 0,
        });
        self.scheduler.add_node(node, index, self.reserved[pool]);
        let now = self.engine.now();
        let name = self.node_name(node);
        self.engine.observer.node_joined(now, node, index, || name);
        if now == Instant::ZERO {
            self.has_trunk_from_the_start(node, &daemon);
        }
        self.engine.start_daemon(node, &daemon, SmallStream::split(&mut self.daemons), true);
        self.scheduler.offer(node, self.engine.devices(node));
        self.refresh(self.groups[index].node_vswitch);
        if self.engine.has_to_start(node) {
            self.nodes[node.index()].unready = true;
            self.pools[pool].unready += 1;
            self.scheduler.set_schedulable(node, false);
        } else {
            self.start_daemons(pool, node);
        }
        self.plan_trouble(node);
        self.zones_changed();
        self.load_changed(node);
        self.place_again = true;
    }

    /// A node that is there at time zero was there before, with the trunk that its daemon has made; unless no vSwitch
    /// has an address for it.
    fn has_trunk_from_the_start(&mut self, node: NodeId, daemon: &Config) {
        let Config::NodeLocal(config) = daemon else { return };
        if config.trunk.is_none() || config.max_eni == 0 {
            return;
        }
        let mut candidates = config.vswitches.clone();
        match config.vswitch_selection {
            VSwitchSelection::Most => candidates.sort_by_key(|&id| Reverse(self.engine.cloud.usage(id).free)),
            // One as often as another.
            VSwitchSelection::Random => candidates.rotate_left(node.index() % config.vswitches.len().max(1)),
            VSwitchSelection::Ordered => {}
        }
        let cloud = &mut self.engine.cloud;
        if let Some(vswitch) = candidates.into_iter().find(|&id| cloud.start_with_trunk(node, id, config.dual)) {
            self.engine.observer.enis_changed(node, 1);
            self.refresh(vswitch);
        }
    }

    /// The daemon of a node may be up for the first time: pods come.
    pub(super) fn look_whether_ready(&mut self, node: NodeId) {
        let note = &self.nodes[node.index()];
        if !note.works() || self.engine.has_to_start(node) {
            return;
        }
        self.engine.observer.waits_for_no_trunk(self.engine.now(), node);
        self.starts_no_more(node);
        let note = &self.nodes[node.index()];
        if !note.unready {
            return;
        }
        let draining = note.draining;
        self.is_not_unready(node);
        self.start_daemons(self.pool_of(node), node);
        self.scheduler.set_schedulable(node, !draining);
        self.load_changed(node);
        self.place_again = true;
    }

    /// A node is ready for pods, or is gone.
    fn is_not_unready(&mut self, node: NodeId) {
        if std::mem::take(&mut self.nodes[node.index()].unready) {
            let pool = self.pool_of(node);
            self.pools[pool].unready -= 1;
            self.zones_changed();
        }
    }

    /// Nothing new comes to a node, its pods are told to end, and when they are gone it is
    /// released; one that does not work is released without that. DaemonSet pods stay to the end.
    /// PodDisruptionBudgets are not modelled.
    pub(super) fn drain(&mut self, node: NodeId) {
        if self.nodes[node.index()].draining {
            return;
        }
        self.nodes[node.index()].draining = true;
        self.scheduler.set_schedulable(node, false);
        self.count_out(node);
        self.not_to_replace(node);
        if !self.nodes[node.index()].works() {
            self.to_release.push(node);
            return;
        }
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
    pub(super) fn release(&mut self, node: NodeId) {
        self.is_not_unready(node);
        self.count_out(node);
        self.not_to_replace(node);
        for pod in self.nodes[node.index()].pods.clone() {
            self.lose(pod);
        }
        let note = &mut self.nodes[node.index()];
        (note.power, note.restarted_by, note.dead) = (Power::Released, None, false);
        let (group, replaced) = (note.group, note.replaced);
        self.not_lost(node);
        self.withdraw_bound(node);
        self.scheduler.remove_node(node);
        let pool = self.pool_of(node);
        self.pools[pool].present -= 1;
        self.pools[pool].leaving -= u32::from(replaced);
        self.in_zone[group] -= 1;
        let now = self.engine.now();
        let name = self.node_name(node);
        self.engine.observer.node_left(now, node, || name);
        self.engine.release_node(node);
        self.refresh_all();
        // There may be a zone less to spread over, and the cluster healthy enough to grow.
        self.place_again = true;
        self.released_for_actions(node);
        self.follow_pool(pool);
    }

    /// A node does not count for its pool any more.
    pub(super) fn count_out(&mut self, node: NodeId) {
        let pool = self.pool_of(node);
        if std::mem::take(&mut self.nodes[node.index()].counted) {
            self.pools[pool].counted -= 1;
        }
        self.load_changed(node);
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

    /// The node that a scale-in takes: of the zone with most nodes of the pool, so that zones stay
    /// balanced (the scaling group's `MultiAZPolicy: BALANCE`), the one with fewest pods, the last
    /// to join among equals.
    fn least_missed(&self, pool: usize) -> Option<NodeId> {
        let stays = |&node: &NodeId| {
            let note = &self.nodes[node.index()];
            note.counted && note.works() && self.pool_of(node) == pool
        };
        let zone = |node: NodeId| self.groups[self.nodes[node.index()].group].key.zone;
        let nodes: Vec<_> = (0..self.nodes.len()).map(NodeId::new).filter(stays).collect();
        let mut in_zone = vec![0; self.model.node_pools[pool].zones().len()];
        nodes.iter().for_each(|&node| in_zone[zone(node)] += 1);
        nodes.into_iter().max_by_key(|&node| (in_zone[zone(node)], Reverse(self.scheduler.pods(node)), node))
    }

    /// Nodes of a pool in a zone, of all types, those on their way included.
    fn in_zone(&self, pool: usize, zone: usize) -> u32 {
        self.pools[pool].groups.clone().filter(|&g| self.groups[g].key.zone == zone).map(|g| self.in_zone[g]).sum()
    }

    /// Nodes of a pool that are not leaving, the first to join first.
    pub(super) fn staying(&self, pool: usize) -> Vec<NodeId> {
        let stays = |&node: &NodeId| {
            let note = &self.nodes[node.index()];
            note.exists() && !note.draining && self.pool_of(node) == pool
        };
        (0..self.nodes.len()).map(NodeId::new).filter(stays).collect()
    }

    pub(super) fn pool_of(&self, node: NodeId) -> usize {
        self.groups[self.nodes[node.index()].group].key.pool
    }

    pub(super) fn node_name(&self, node: NodeId) -> String {
        self.model.node_name(self.pool_of(node), node)
    }

    /// The cloud's side of any vSwitch may have changed.
    pub(super) fn refresh_all(&mut self) {
        for i in 0..self.engine.cloud.vswitch_count() {
            self.refresh(VSwitchId::new(i));
        }
    }

    pub(super) fn refresh(&mut self, id: VSwitchId) {
        let now = self.engine.now();
        refresh(&mut self.engine.observer, now, &self.engine.cloud, id);
    }
}

//! Nodes that the control plane has found lost, and when it gives them up.

use super::trouble::What;
use super::{Control, World};
use crate::cluster::lifecycle::{Census, Lifecycle, TICK};
use crate::id::NodeId;
use crate::model::Model;
use crate::time::Instant;

/// The node lifecycle controller on the world's clock.
#[derive(Debug)]
pub(super) struct State {
    lifecycle: Lifecycle,
    /// When it looks next.
    next: Instant,
    /// Whether there are more or fewer nodes that are ready, or lost, than when it looked last.
    zones_changed: bool,
    /// Nodes that are lost.
    lost: u32,
}

impl State {
    pub fn new(model: &Model) -> Self {
        let lifecycle = Lifecycle::new(model.zone_names().len());
        Self { lifecycle, next: Instant::NEVER, zones_changed: false, lost: 0 }
    }
}

impl World<'_> {
    /// The control plane finds that a node is lost.
    pub(super) fn lost(&mut self, node: NodeId) {
        self.nodes[node.index()].lost = true;
        self.eviction.lost += 1;
        self.eviction.lifecycle.enqueue(self.zone_of(node), node);
        self.zones_changed();
    }

    /// A node is back, or released.
    pub(super) fn not_lost(&mut self, node: NodeId) {
        self.zones_changed();
        let note = &mut self.nodes[node.index()];
        note.given_up = None;
        self.eviction.lost -= u32::from(std::mem::take(&mut note.lost));
    }

    /// There is a node more or less that is ready, or lost.
    pub(super) fn zones_changed(&mut self) {
        if self.eviction.lost > 0 {
            self.eviction.zones_changed = true;
            self.look_at_lost_nodes(self.engine.now() + TICK);
        }
    }

    /// The node lifecycle controller looks at `at`, unless it does earlier.
    fn look_at_lost_nodes(&mut self, at: Instant) {
        if at < self.eviction.next && at < self.horizon {
            self.eviction.next = at;
            self.engine.control_at(at, Control::GiveUp.pack());
        }
    }

    /// The node lifecycle controller looks: pods of nodes that are given up are told to end a while later.
    pub(super) fn give_up_due(&mut self) {
        let now = self.engine.now();
        if self.eviction.next != now {
            return;
        }
        self.eviction.next = Instant::NEVER;
        if std::mem::take(&mut self.eviction.zones_changed) && self.eviction.lifecycle.look(now, &self.census()) {
            for node in (0..self.nodes.len()).map(NodeId::new) {
                if self.nodes[node.index()].given_up.take().is_some() {
                    self.eviction.lifecycle.enqueue(self.zone_of(node), node);
                }
            }
        }
        let nodes = &self.nodes;
        let is_lost = |node: NodeId| nodes[node.index()].lost && nodes[node.index()].given_up.is_none();
        for node in self.eviction.lifecycle.give_up(now, is_lost) {
            let note = &mut self.nodes[node.index()];
            note.given_up = Some(now);
            let life = Some(note.life);
            self.plan(self.model.control_plane.eviction_after, node, What::Evict(now), life);
        }
        if let Some(at) = self.eviction.lifecycle.next() {
            self.look_at_lost_nodes(at.max(now + TICK));
        }
    }

    /// The nodes of every zone.
    fn census(&self) -> Vec<Census> {
        let mut zones = vec![Census::default(); self.model.zone_names().len()];
        for node in (0..self.nodes.len()).map(NodeId::new) {
            let (note, zone) = (&self.nodes[node.index()], &mut zones[self.zone_of(node)]);
            match (note.exists(), note.lost || note.unready) {
                (true, true) => zone.lost += 1,
                (true, false) => zone.ready += 1,
                (false, _) => {}
            }
        }
        zones
    }

    /// Pods of a node that was given up `since` then are told to end, unless it is not any more: controllers
    /// make others, and a StatefulSet waits until they are gone.
    pub(super) fn evict(&mut self, node: NodeId, since: Instant) {
        if self.nodes[node.index()].given_up == Some(since) {
            for pod in self.evictable(node) {
                self.terminate(pod);
            }
        }
    }

    /// The zone of a node, as a position in [`Model::zone_names`].
    fn zone_of(&self, node: NodeId) -> usize {
        self.groups[self.nodes[node.index()].group].zone_index
    }
}

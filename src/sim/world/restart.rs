//! Terway is restarted, a few nodes at a time, as the DaemonSet is whose pods are deleted or whose
//! template changes: `maxUnavailable` pods are down at once, the next is deleted when one is back.

use std::collections::BTreeSet;

use super::World;
use super::actions::Pending;
use super::trouble::What;
use crate::id::NodeId;
use crate::ipam::classic::Defect;
use crate::model::Restart;
use crate::text::{Words, text};
use crate::time::Span;

/// A container that has died is started again as soon as the kubelet finds out, the first time; then
/// after 10 s, doubled up to 5 min, and at once again where it lived for more than 10 min since its last
/// start (Kubernetes' `doBackOff`, pkg/kubelet/kuberuntime/kuberuntime_manager.go, and `IsInBackOffSince`,
/// k8s.io/client-go/util/flowcontrol/backoff.go). The kubelet looks every second (PLEG), and only every
/// 10 to 15 s whether a back-off is over, which is left out.
const AT_ONCE: Span = Span::secs(1);
const FIRST: Span = Span::secs(10);
const LONGEST: Span = Span::mins(5);
const CALM: Span = Span::mins(10);

/// Daemons that are restarted.
#[derive(Debug)]
pub(super) struct Roll {
    /// Nodes whose turn is still to come, the next one last.
    to_come: Vec<NodeId>,
    /// Nodes whose turn it is.
    turns: u32,
    /// Those of them whose daemon has started and listens not yet: the pod's readiness probe knocks where it does
    /// (`charts/terway/templates/terwayd/daemonset.yaml:200-204`, `daemon/server.go:101-115`), and until it answers the
    /// DaemonSet counts the pod as unavailable.
    starting: BTreeSet<NodeId>,
    at_most: u32,
    takes: Span,
}

impl Roll {
    pub fn goes_on(&self) -> bool {
        self.turns > 0 || !self.to_come.is_empty()
    }
}

impl World<'_> {
    /// The daemons of the pools' nodes that work are restarted, in the order of joining. Nodes that
    /// come later start with what is new anyway.
    pub(super) fn begin_restart(&mut self, action: usize, restart: &Restart) -> Roll {
        let concerned =
            |&node: &NodeId| self.nodes[node.index()].works() && restart.pools.contains(&self.pool_of(node));
        let to_come: Vec<_> = (0..self.nodes.len()).map(NodeId::new).filter(concerned).rev().collect();
        let at_most = restart.at_most_at_once.up(to_come.len() as u32).max(1);
        let mut roll = Roll { to_come, turns: 0, starting: BTreeSet::new(), at_most, takes: restart.takes };
        self.next_turns(action, &mut roll);
        roll
    }

    /// A node's daemon starts, unless the node failed or was restarted meanwhile; its turn is over once that listens.
    pub(super) fn turn_over(&mut self, action: usize, node: NodeId) {
        let is_its_turn = self.nodes[node.index()].restarted_by == Some(action);
        if is_its_turn {
            self.start_terway(node);
        }
        self.roll_on(action, |roll, listens| match is_its_turn && !listens(node) {
            true => _ = roll.starting.insert(node),
            false => roll.turns -= 1,
        });
    }

    /// The daemon of a node listens, or the node is gone: if a restart waits for it, the next have their turn.
    pub(super) fn starts_no_more(&mut self, node: NodeId) {
        let waits = |pending: &Pending| matches!(pending, Pending::Restart(roll) if roll.starting.contains(&node));
        let of = self.actions.under_way.iter().filter(|(_, pending)| waits(pending)).map(|(&action, _)| action);
        for action in of.collect::<Vec<_>>() {
            self.roll_on(action, |roll, _| {
                roll.starting.remove(&node);
                roll.turns -= 1;
            });
        }
    }

    /// A restart goes on after a change to it.
    fn roll_on(&mut self, action: usize, change: impl FnOnce(&mut Roll, &dyn Fn(NodeId) -> bool)) {
        let Some(Pending::Restart(mut roll)) = self.actions.under_way.remove(&action) else {
            unreachable!("a restart is under way until its last turn is over")
        };
        change(&mut roll, &|node| !self.engine.has_to_start(node));
        self.next_turns(action, &mut roll);
        self.actions.under_way.insert(action, Pending::Restart(roll));
        self.complete_if_done(action);
    }

    /// The next nodes get their turn; those that do not work any more have none.
    fn next_turns(&mut self, action: usize, roll: &mut Roll) {
        while roll.turns < roll.at_most
            && let Some(node) = roll.to_come.pop()
        {
            if !self.nodes[node.index()].works() {
                continue;
            }
            // Its pod is another one from now on.
            self.nodes[node.index()].back_off = None;
            if roll.takes == Span::ZERO {
                self.start_terway(node);
                if self.engine.has_to_start(node) {
                    roll.turns += 1;
                    roll.starting.insert(node);
                }
                continue;
            }
            self.stop_terway(node, action);
            roll.turns += 1;
            self.plan(roll.takes, node, What::TurnOver(action), None);
        }
    }

    fn stop_terway(&mut self, node: NodeId, action: usize) {
        self.engine.stop_daemon(node);
        self.nodes[node.index()].restarted_by = Some(action);
        let (now, name) = (self.engine.now(), self.node_name(node));
        self.engine.observer.event(now, "terway_down", || name, || text!("terway is down"));
    }

    /// The daemon of a node has died of itself: the kubelet starts it again.
    pub(super) fn terway_crashed(&mut self, node: NodeId, defect: Defect) {
        let (now, name) = (self.engine.now(), self.node_name(node));
        self.engine.observer.event(now, "terway_crashed", || name, || defect.name().words());
        self.engine.observer.defect_strikes(now, node, defect);
        if self.lies_dead(node) {
            self.revive_later(node);
        }
    }

    /// Whether the daemon of a node that works has died, and nothing else has befallen it in the same instant.
    fn lies_dead(&self, node: NodeId) -> bool {
        let note = &self.nodes[node.index()];
        note.works() && note.restarted_by.is_none() && self.engine.daemon_is_down(node)
    }

    /// The daemon of a node could not make its trunk and has died: the kubelet starts it again.
    pub(super) fn terway_did_not_start(&mut self, node: NodeId) {
        if !self.lies_dead(node) {
            return;
        }
        let somebody_waits = self.pending > 0 || !self.nodes[node.index()].pods.is_empty();
        let (now, name) = (self.engine.now(), self.node_name(node));
        self.engine.observer.trunk_not_made(now, node, somebody_waits);
        self.engine.observer.event(
            now,
            "terway_crashed",
            || name,
            || text!("terway does not start: it has no trunk interface (R36, C143)"),
        );
        self.revive_later(node);
        // Pods that wait for the node may wait for long.
        self.place_again |= self.nodes[node.index()].unready;
    }

    /// The container of a daemon that has died waits for its next start.
    fn revive_later(&mut self, node: NodeId) {
        let now = self.engine.now();
        let note = &mut self.nodes[node.index()];
        let (pause, next) = match note.back_off {
            Some((started, pause)) if now.since(started) <= CALM => (pause, (pause + pause).min(LONGEST)),
            _ => (AT_ONCE, FIRST),
        };
        (note.dead, note.back_off) = (true, Some((now + pause, next)));
        let life = Some(note.life);
        self.plan(pause, node, What::Revive, life);
    }

    /// The kubelet starts a daemon that has died, unless something else has started or stopped it since.
    pub(super) fn revive_terway(&mut self, node: NodeId) {
        let note = &self.nodes[node.index()];
        if note.dead && note.restarted_by.is_none() {
            self.start_terway(node);
        }
    }

    /// A part of the daemon of a node waits for ever.
    pub(super) fn terway_is_stuck(&mut self, node: NodeId, defect: Defect) {
        let (now, name) = (self.engine.now(), self.node_name(node));
        self.engine.observer.event(now, "terway_stuck", || name, || defect.name().words());
        self.engine.observer.defect_strikes(now, node, defect);
    }

    /// The daemon of a node starts with the eni-config of now.
    fn start_terway(&mut self, node: NodeId) {
        let note = &mut self.nodes[node.index()];
        (note.restarted_by, note.dead) = (None, false);
        let group = note.group;
        self.engine.restart_daemon(node, &self.groups[group].daemon);
        self.engine.observer.enis_changed(node, self.engine.cloud.node_enis(node).0);
        self.refresh_all();
        let (now, name) = (self.engine.now(), self.node_name(node));
        self.engine.observer.event(now, "terway_up", || name, || text!("terway starts"));
        self.look_whether_ready(node);
    }
}

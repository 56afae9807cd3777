//! Nodes at rest. A run that finds nothing to do is followed by runs that find nothing either, until
//! something happens to the node or a certain time passes. Such runs are not gone through: what they
//! leave behind is made up for when the node is next looked at, and comes out the same.

use super::condition::{self, NodeCondition, RENEWAL};
use super::config::Degradation;
use super::node::Node;
use super::placement::is_candidate;
use super::resource::whole_second;
use super::{Controller, GATE};
use crate::id::NodeId;
use crate::ipam::node_local::pool_sync::surplus;
use crate::time::{Instant, Span};

/// The shortest time, from "at a time" to "after it".
const TICK: Span = Span(1);

/// What every run of a node leaves behind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pulse {
    /// When the last run ended that got past the gate; a restart forgets it (C4, C20).
    pub last_run: Option<Instant>,
    /// The last collection of what the pool has too much of; a restart forgets it (C4, C103).
    pub last_gc: Option<Instant>,
    /// The condition of the k8s Node.
    pub condition: Option<NodeCondition>,
    /// Runs that got past the gate and ended.
    pub effective_runs: u64,
}

/// The runs of a node at rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// When the next of them is due.
    due: Instant,
    /// Time between two of them.
    period: Span,
    next_sync: Option<Instant>,
    /// Whether they collect, and say something of the node: in prefix mode they do not (C5).
    has_pool: bool,
}

/// When a node is looked at again without a trigger (C21).
pub(super) fn again_after(now: Instant, period: Span, next_sync: Option<Instant>) -> Span {
    let sync = next_sync.filter(|&next| next > now).map(|next| next.since(now));
    sync.map_or(period, |sync| sync.min(period)).max(GATE)
}

impl Pulse {
    /// Begins a collection, if one is due (C103).
    pub fn collect(&mut self, now: Instant, period: Span) -> bool {
        let is_due = self.last_gc.is_none_or(|last| last + period <= now);
        if is_due {
            self.last_gc = Some(now);
        }
        is_due
    }

    /// Writes the condition of the k8s Node, if that is due (C85).
    pub fn say(&mut self, now: Instant, sufficient: bool) -> bool {
        let is_due = condition::is_due(now, self.condition, sufficient);
        if is_due {
            self.condition = Some(NodeCondition { sufficient, heartbeat: whole_second(now) });
        }
        is_due
    }

    /// A run ends.
    pub fn end(&mut self, now: Instant) {
        self.effective_runs += 1;
        self.last_run = Some(now);
    }
}

impl Rest {
    /// Makes up for the runs that were due before `end`; when the next one is due.
    pub fn pass(&mut self, pulse: &mut Pulse, end: Instant) -> Instant {
        while self.due < end {
            let now = self.due;
            let mut pause = again_after(now, self.period, self.next_sync);
            if self.has_pool {
                pulse.collect(now, self.period);
                let sufficient = pulse.condition.is_some_and(|condition| condition.sufficient);
                if pulse.say(now, sufficient) {
                    // The patch queues the node at once, and the gate holds it back (C17, C20).
                    pause = GATE;
                }
            }
            pulse.end(now);
            self.due = now + pause;
        }
        self.due
    }
}

impl Controller {
    /// A run found nothing to do: the next one is the first that may find something.
    pub(super) fn rest(&mut self, now: Instant, id: NodeId) {
        let Some(due) = self.queue.delayed_until(id) else { return };
        let end = self.quiet_until(now, id);
        let node = &mut self.nodes[id.index()];
        if due >= end || !node.memory.tasks.is_empty() || self.settings.degradation != Degradation::None {
            return;
        }
        let config = node.config.as_ref().expect("it was reconciled");
        let period = config.sync_period.unwrap_or(self.settings.gc_period);
        let has_pool = config.prefixes.is_none();
        let rest = Rest { due, period, next_sync: node.stored.next_sync, has_pool };
        node.rest = Some(rest);
        let next = { rest }.pass(&mut { node.pulse }, end);
        self.queue.delay(id, next);
        self.resting.insert(id);
    }

    /// Something happens to a node, or is going to: its runs before `end` are made up for, the next
    /// one is gone through.
    pub(super) fn rouse(&mut self, id: NodeId, end: Instant) {
        let node = &mut self.nodes[id.index()];
        let Some(mut rest) = node.rest.take() else { return };
        let due = rest.pass(&mut node.pulse, end);
        self.resting.remove(&id);
        self.queue.delay(id, due);
    }

    /// As [`rouse`](Self::rouse), for every node.
    pub(super) fn rouse_all(&mut self, end: Instant) {
        while let Some(&id) = self.resting.first() {
            self.rouse(id, end);
        }
    }

    /// A worker has taken a node: what rest it had is over.
    pub(super) fn wake_up(&mut self, now: Instant, id: NodeId) {
        let node = &mut self.nodes[id.index()];
        if let Some(mut rest) = node.rest.take() {
            rest.pass(&mut node.pulse, now);
            self.resting.remove(&id);
        }
    }

    /// Runs before this time find nothing to do if the one of `now` did not, and nothing happens to
    /// the node, nor a vSwitch is blocked: what the time alone decides in a run is all here.
    fn quiet_until(&self, now: Instant, id: NodeId) -> Instant {
        let node = &self.nodes[id.index()];
        let sync = node.stored.next_sync.map_or(now, |next| next + TICK);
        if node.config.as_ref().is_none_or(|config| config.prefixes.is_some()) {
            return sync;
        }
        let status = &node.stored;
        // Every candidate's vSwitch is looked at (C60), and a mark of its want is renewed (C84).
        let candidates = status.nics.iter().filter(|&(&eni, _)| is_candidate(status, eni));
        let counts = candidates.map(|(_, nic)| self.vswitches.known_through(nic.vswitch) + TICK);
        let marks = status.nics.values().filter_map(|nic| nic.insufficient).map(|since| since + RENEWAL + TICK);
        counts.chain(marks).fold(sync.min(self.collects(now, node)), Instant::min)
    }

    /// The next collection that may find something (C102 to C106).
    fn collects(&self, now: Instant, node: &Node) -> Instant {
        let config = node.config.as_ref().expect("it was reconciled");
        let status = &node.stored;
        let last = node.pulse.last_gc.unwrap_or(now);
        if last < now && (config.reclaim.is_some() || surplus(config.watermarks(), status.idle()) > 0) {
            return last + config.sync_period.unwrap_or(self.settings.gc_period);
        }
        // That of `now` found nothing; only reclaim may do so later.
        let Some(reclaim) = &config.reclaim else { return Instant::NEVER };
        let used = status.last_modified.map(|last| last + reclaim.after).filter(|&end| end > now);
        used.or(status.next_reclaim).unwrap_or(now)
    }
}

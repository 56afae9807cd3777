//! Nodes at rest. A run that finds nothing to do is followed by runs that find nothing either, until
//! something happens to the node or a certain time passes. Such runs are not gone through: what they
//! leave behind is made up for when the node is next looked at, and comes out the same.

use super::condition::{self, NodeCondition, RENEWAL};
use super::config::Degradation;
use super::node::Node;
use super::placement::is_candidate;
use super::resource::whole_second;
use super::work_queue::Ended;
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
    /// When it was queued for that.
    queued: Instant,
    /// It was without a delay then, but the gate holds it back (C20).
    is_gated: bool,
    /// A run that is not before this may find something.
    until: Instant,
    /// As `until`, if the free counts of vSwitches hold.
    while_counts_hold: Instant,
    /// Where the node is in the list of those that rest.
    place: usize,
    /// Time between two of them.
    period: Span,
    next_sync: Option<Instant>,
    /// What they say of the node (C85); in prefix mode nothing, nor do they collect (C5).
    sufficient: Option<bool>,
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
    /// Makes up for the runs that find nothing and were due before `end`; when the next run is due.
    pub fn pass(&mut self, pulse: &mut Pulse, end: Instant) -> Instant {
        while self.due < end.min(self.until) {
            let now = self.due;
            let mut pause = again_after(now, self.period, self.next_sync);
            (self.queued, self.is_gated) = (now, false);
            if let Some(sufficient) = self.sufficient {
                pulse.collect(now, self.period);
                if pulse.say(now, sufficient) {
                    // The patch queues the node at once (C17), and the gate holds it back.
                    (self.is_gated, pause) = (true, GATE);
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
        let node = &self.nodes[id.index()];
        if self.is_thorough || !node.memory.tasks.is_empty() || self.settings.degradation != Degradation::None {
            return;
        }
        let sufficient = node.pulse.condition.map(|condition| condition.sufficient);
        self.rest_as(id, Rest { due, ..self.rest_of(now, id, true, sufficient) });
    }

    /// A run of a node is due that finds nothing to do, as [`finds_nothing`](Self::finds_nothing)
    /// knows.
    pub(super) fn skip(&mut self, now: Instant, id: NodeId) {
        self.queue.done(now, id, Ended::Again(GATE));
        let mut rest = self.rest_of(now, id, false, Some(true));
        rest.pass(&mut self.nodes[id.index()].pulse, now + TICK);
        self.rest_as(id, rest);
    }

    /// The CR of a node was written, which has queued it: if there is nothing more to do, it rests.
    pub(super) fn rest_after_write(&mut self, now: Instant, id: NodeId) {
        let due = now + GATE;
        let is_sufficient = self.condition(id).is_some_and(|condition| condition.sufficient);
        if is_sufficient && self.finds_nothing(due, id) {
            self.rest_as(id, Rest { is_gated: true, ..self.rest_of(due, id, false, Some(true)) });
        }
    }

    /// The runs of a node from `due` on, that say this of it (C85). `collected` = if a collection is due
    /// at `due`, it finds nothing.
    fn rest_of(&self, due: Instant, id: NodeId, collected: bool, sufficient: Option<bool>) -> Rest {
        let node = &self.nodes[id.index()];
        let config = node.config.as_ref().expect("it was reconciled");
        let while_counts_hold = self.quiet_while_counts_hold(due, node, collected);
        Rest {
            due,
            queued: self.now,
            is_gated: false,
            until: while_counts_hold.min(self.counts_hold_until(node)),
            while_counts_hold,
            place: self.resting.len(),
            period: self.period_of(id),
            next_sync: node.stored.next_sync,
            sufficient: sufficient.filter(|_| config.prefixes.is_none()),
        }
    }

    /// A node rests up to the first run that may find something.
    fn rest_as(&mut self, id: NodeId, rest: Rest) {
        self.resting.push(id);
        self.rest_on(id, rest);
    }

    fn rest_on(&mut self, id: NodeId, rest: Rest) {
        let node = &mut self.nodes[id.index()];
        node.rest = Some(rest);
        let mut last = rest;
        let next = last.pass(&mut { node.pulse }, Instant::NEVER);
        self.queue.put_off(id, next, last.queued);
    }

    /// The rest of a node is over only because the free count of a vSwitch has expired; if another node
    /// has asked for it since, it goes on. Whether it does.
    pub(super) fn prolong(&mut self, now: Instant, id: NodeId) -> bool {
        let node = &self.nodes[id.index()];
        let (Some(mut rest), Some(known)) = (node.rest, &node.in_order) else { return false };
        let Some(through) = self.have_addresses_through(now, known) else { return false };
        if now >= rest.while_counts_hold {
            return false;
        }
        rest.pass(&mut self.nodes[id.index()].pulse, now);
        rest.until = rest.while_counts_hold.min(through + TICK);
        self.rest_on(id, rest);
        true
    }

    /// Something happens to a node: its runs before `end` are made up for, the next one is gone
    /// through.
    pub(super) fn rouse(&mut self, id: NodeId, end: Instant) {
        let node = &mut self.nodes[id.index()];
        let Some(mut rest) = node.rest.take() else { return };
        let due = rest.pass(&mut node.pulse, end);
        self.strike_out(rest.place);
        if self.queue.delayed_until(id).is_some() {
            self.queue.put_off(id, due, rest.queued);
        }
    }

    /// The last worker has been taken: runs of nodes at rest have to wait for one, too, but for
    /// those whose turn was before.
    pub(super) fn rouse_all_behind(&mut self, now: Instant) {
        while let Some(&id) = self.resting.last() {
            let node = &self.nodes[id.index()];
            let mut rest = node.rest.expect("a node in the list rests");
            let due = rest.pass(&mut { node.pulse }, now);
            let had_its_turn = self.queue.has_passed((Some(due), rest.queued), id);
            let waits_at_gate = rest.is_gated && rest.queued == now && !self.queue.has_passed((None, now), id);
            self.rouse(id, if had_its_turn { now + TICK } else { now });
            if waits_at_gate {
                self.queue.add(id);
            }
        }
    }

    /// As [`rouse`](Self::rouse), for every node.
    pub(super) fn rouse_all(&mut self, end: Instant) {
        while let Some(&id) = self.resting.last() {
            self.rouse(id, end);
        }
    }

    /// A worker has taken a node: what rest it had is over.
    pub(super) fn wake_up(&mut self, now: Instant, id: NodeId) {
        let node = &mut self.nodes[id.index()];
        if let Some(mut rest) = node.rest.take() {
            rest.pass(&mut node.pulse, now);
            self.strike_out(rest.place);
        }
    }

    /// Removes a node from the list of those that rest.
    fn strike_out(&mut self, place: usize) {
        self.resting.swap_remove(place);
        if let Some(&moved) = self.resting.get(place) {
            self.nodes[moved.index()].rest.as_mut().expect("a node in the list rests").place = place;
        }
    }

    /// Runs before this time find nothing to do if the one of `now` does not, and nothing happens to
    /// the node, nor a vSwitch is blocked, and the counts of its vSwitches hold: what else the time alone
    /// decides in a run is all here. `collected` = if a collection was due at `now`, it found nothing.
    fn quiet_while_counts_hold(&self, now: Instant, node: &Node, collected: bool) -> Instant {
        let status = &node.stored;
        let sync = status.next_sync.map_or(now, |next| next + TICK);
        if node.config.as_ref().is_none_or(|config| config.prefixes.is_some()) {
            return sync;
        }
        let idle = node.in_order.as_ref().map_or_else(|| status.idle(), |known| known.idle);
        // The mark of an interface whose vSwitch is empty is renewed (C84).
        let marks = status.nics.values().filter_map(|nic| nic.insufficient).map(|since| since + RENEWAL + TICK);
        marks.fold(sync.min(self.collects(now, node, idle, collected)), Instant::min)
    }

    /// When the first count of a vSwitch expires that a run of the node looks at: every candidate's is
    /// (C60), but not in prefix mode.
    fn counts_hold_until(&self, node: &Node) -> Instant {
        let status = &node.stored;
        if node.config.as_ref().is_some_and(|config| config.prefixes.is_some()) {
            return Instant::NEVER;
        }
        let candidates = status.nics.iter().filter(|&(&eni, _)| is_candidate(status, eni));
        let counts = candidates.map(|(_, nic)| self.vswitches.known_through(nic.vswitch) + TICK);
        counts.fold(Instant::NEVER, Instant::min)
    }

    /// The next collection that may find something if there are `idle` idle addresses (C102 to C106);
    /// never if none does.
    pub(super) fn collects(&self, now: Instant, node: &Node, idle: u32, collected: bool) -> Instant {
        let Node { config: Some(config), stored: status, pulse, .. } = node else { return now };
        if !(collected && pulse.last_gc == Some(now)) {
            let may_find = config.reclaim.is_some() || surplus(config.watermarks(), idle) > 0;
            let period = config.sync_period.unwrap_or(self.settings.gc_period);
            return if may_find { pulse.last_gc.map_or(now, |last| last + period) } else { Instant::NEVER };
        }
        // That of `now` found nothing; only reclaim may do so later.
        let Some(reclaim) = &config.reclaim else { return Instant::NEVER };
        let used = status.last_modified.map(|last| last + reclaim.after).filter(|&end| end > now);
        used.or(status.next_reclaim).unwrap_or(now)
    }
}

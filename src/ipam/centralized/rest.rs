//! Nodes at rest. A run that finds nothing to do is followed by runs that find nothing either, until
//! something happens to the node or a certain time passes. Such runs are not gone through: what they
//! leave behind is made up for when the node is next looked at, and comes out the same.

use super::condition::{self, NodeCondition, RENEWAL};
use super::config::Degradation;
use super::node::Node;
use super::placement::is_candidate;
use super::resource::whole_second;
use super::work_queue::{Ended, Entry};
use super::{Controller, GATE, Timer};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::node_local::pool_sync::surplus;
use crate::time::{Instant, Span};

/// The shortest time, from "at a time" to "after it".
const TICK: Span = Span(1);
/// A look-up takes no longer, as a rule: runs that are due within this time may have to wait for it.
const LOOK_UP: Span = Span::secs(1);

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
    /// The vSwitches of a node that need not be woken when their counts expire, unless it would be the
    /// one that looks them up: the bit of each number, modulo 64.
    watched: u64,
    /// Time between two of them.
    period: Span,
    next_sync: Option<Instant>,
    /// What they say of the node (C85); in prefix mode nothing, nor do they collect (C5).
    sufficient: Option<bool>,
}

/// A node whose rest is over and whose entry in the queue is not where it belongs: it should be ready when
/// the next run is due, as added when that was queued.
#[derive(Debug, Clone, Copy)]
pub(super) struct Roused {
    pub node: NodeId,
    pub due: Instant,
    pub queued: Instant,
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

fn bit(vswitch: VSwitchId) -> u64 {
    1 << (vswitch.0 % u64::BITS)
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

    /// A run of a node in order is due that finds nothing to do.
    pub(super) fn skip(&mut self, now: Instant, id: NodeId) {
        self.queue.done(now, id, Ended::Quiet);
        let mut rest = self.rest_of(now, id, false, Some(true));
        rest.pass(&mut self.nodes[id.index()].pulse, now + TICK);
        self.rest_as(id, rest);
    }

    /// The CR of a node was written, which has queued it: if there is nothing more to do, it rests. Whether
    /// it does.
    pub(super) fn rest_after_write(&mut self, now: Instant, id: NodeId) -> bool {
        let due = now + GATE;
        let is_sufficient = self.condition(id).is_some_and(|condition| condition.sufficient);
        let rests = is_sufficient && self.finds_nothing(due, id);
        if rests {
            self.rest_as(id, Rest { is_gated: true, ..self.rest_of(due, id, false, Some(true)) });
        }
        rests
    }

    /// The runs of a node from `due` on, that say this of it (C85). `collected` = if a collection is due
    /// at `due`, it finds nothing.
    fn rest_of(&self, due: Instant, id: NodeId, collected: bool, sufficient: Option<bool>) -> Rest {
        let node = &self.nodes[id.index()];
        let config = self.config(id);
        let while_counts_hold = self.quiet_while_counts_hold(due, node, collected);
        let watched = self.watched(due, node);
        let counts = if watched == 0 { self.counts_hold_until(node) } else { Instant::NEVER };
        Rest {
            due,
            queued: self.now,
            is_gated: false,
            until: while_counts_hold.min(counts),
            while_counts_hold,
            watched,
            period: self.period(config),
            next_sync: node.stored.next_sync,
            sufficient: sufficient.filter(|_| config.prefixes().is_none()),
        }
    }

    /// A node rests up to the first run that may find something.
    fn rest_as(&mut self, id: NodeId, rest: Rest) {
        if !std::mem::replace(&mut self.nodes[id.index()].is_listed, true) {
            self.resting.push(id);
        }
        self.rest_on(id, rest);
    }

    /// The node is looked at again when a run may find something, at the earliest.
    fn rest_on(&mut self, id: NodeId, rest: Rest) {
        self.nodes[id.index()].rest = Some(rest);
        self.queue.put_off(id, rest.due.max(rest.until), rest.queued);
    }

    /// Whether a node that is next in the queue rests on: its run that may find something is later, or it
    /// was woken for the free count of a vSwitch, which another node has asked for since.
    pub(super) fn prolong(&mut self, now: Instant, id: NodeId) -> bool {
        let node = &mut self.nodes[id.index()];
        let (Some(mut rest), Some(entry)) = (node.rest, self.queue.entry(id)) else { return false };
        // That is a run that somebody asked for.
        if entry.delay().is_none() {
            return false;
        }
        let due = rest.pass(&mut node.pulse, now);
        node.rest = Some(rest);
        if entry != Entry::delayed(due, rest.queued) {
            self.queue.put_off(id, due, rest.queued);
            return true;
        }
        let counts_hold = rest.watched != 0 && self.watched(now, &self.nodes[id.index()]) != 0;
        let rests_on = counts_hold && now < rest.while_counts_hold;
        if rests_on {
            self.rest_on(id, Rest { until: rest.while_counts_hold, ..rest });
        }
        rests_on
    }

    /// The vSwitches of a node that is in order and whose vSwitches have addresses at `now`; for others
    /// none.
    fn watched(&self, now: Instant, node: &Node) -> u64 {
        let known = node.in_order.as_ref().filter(|known| self.have_addresses(now, known));
        known.map_or(0, |known| known.vswitches.iter().fold(0, |all, &id| all | bit(id)))
    }

    /// The count of a vSwitch is known anew; nodes at rest have counted on its having addresses.
    pub(super) fn counted(&mut self, vswitch: VSwitchId, free: u32) {
        if free == 0 {
            self.rouse_all(self.done_before);
        }
        self.watch(vswitch, self.vswitches.known_through(vswitch) + TICK);
    }

    /// Looks at a vSwitch at `at`, unless that is done before, which sees to it itself.
    fn watch(&mut self, vswitch: VSwitchId, at: Instant) {
        let next = self.watches.entry(vswitch).or_insert(Instant::NEVER);
        if at < *next {
            *next = at;
            self.set_timer(at, Timer::Expired(vswitch));
        }
    }

    /// The count of a vSwitch has expired. The first run that looks at it asks for it, and those that are
    /// due until the answer is there have to wait: these are gone through, and none of the others.
    pub(super) fn expired(&mut self, now: Instant, vswitch: VSwitchId) {
        // Of several timers the earliest counts.
        if self.watches.get(&vswitch).is_none_or(|&next| next > now) {
            return;
        }
        self.watches.remove(&vswitch);
        let through = self.vswitches.known_through(vswitch);
        if through >= now {
            return self.watch(vswitch, through + TICK);
        }
        let mut next = Instant::NEVER;
        for (id, node) in self.nodes.iter_mut().enumerate() {
            let Some(rest) = node.rest.as_mut().filter(|rest| rest.watched & bit(vswitch) != 0) else { continue };
            let due = rest.pass(&mut node.pulse, now);
            if due > now + LOOK_UP {
                next = next.min(due);
                continue;
            }
            rest.until = rest.until.min(now);
            let id = NodeId::new(id);
            if self.queue.delayed_until(id).is_some() {
                self.queue.put_off(id, due, rest.queued);
            }
        }
        if next != Instant::NEVER {
            self.watch(vswitch, next);
        }
    }

    /// Something happens to a node: its runs before `end` are made up for, the next one is gone
    /// through.
    pub(super) fn rouse(&mut self, id: NodeId, end: Instant) {
        if let Some(Roused { due, queued, .. }) = self.end_rest(id, end) {
            self.queue.put_off(id, due, queued);
        }
    }

    /// As [`rouse`](Self::rouse), but the place of the node in the queue is left to the next input, since that
    /// mostly asks for its run at once.
    pub(super) fn rouse_first(&mut self, id: NodeId, end: Instant) {
        if self.roused.is_some_and(|roused| roused.node != id) {
            self.queue_roused();
        }
        self.roused = self.roused.or_else(|| self.end_rest(id, end));
    }

    /// The node that was roused last takes its place in the queue.
    pub(super) fn queue_roused(&mut self) {
        if let Some(Roused { node, due, queued }) = self.roused.take() {
            self.queue.put_off(node, due, queued);
        }
    }

    fn end_rest(&mut self, id: NodeId, end: Instant) -> Option<Roused> {
        let node = &mut self.nodes[id.index()];
        let mut rest = node.rest.take()?;
        let due = rest.pass(&mut node.pulse, end);
        self.queue.delayed_until(id).map(|_| Roused { node: id, due, queued: rest.queued })
    }

    /// The last worker has been taken: runs of nodes at rest have to wait for one, too, but for
    /// those whose turn was before.
    pub(super) fn rouse_all_behind(&mut self, now: Instant) {
        while let Some(id) = self.unlist() {
            let node = &self.nodes[id.index()];
            let Some(mut rest) = node.rest else { continue };
            let due = rest.pass(&mut { node.pulse }, now);
            let had_its_turn = self.queue.has_passed(Entry::delayed(due, rest.queued), id);
            let waits_at_gate = rest.is_gated && rest.queued == now && !self.queue.has_passed(Entry::at_once(now), id);
            self.rouse(id, if had_its_turn { now + TICK } else { now });
            if waits_at_gate {
                self.queue.add(id);
            }
        }
    }

    /// As [`rouse`](Self::rouse), for every node.
    pub(super) fn rouse_all(&mut self, end: Instant) {
        while let Some(id) = self.unlist() {
            self.rouse(id, end);
        }
    }

    /// A worker has taken a node: what rest it had is over.
    pub(super) fn wake_up(&mut self, now: Instant, id: NodeId) {
        let node = &mut self.nodes[id.index()];
        if let Some(mut rest) = node.rest.take() {
            rest.pass(&mut node.pulse, now);
        }
    }

    /// Takes a node from the list of those that rest.
    fn unlist(&mut self) -> Option<NodeId> {
        let id = self.resting.pop()?;
        self.nodes[id.index()].is_listed = false;
        Some(id)
    }

    /// Runs before this time find nothing to do if the one of `now` does not, and nothing happens to
    /// the node, nor a vSwitch is blocked, and the counts of its vSwitches hold: what else the time alone
    /// decides in a run is all here. `collected` = if a collection was due at `now`, it found nothing.
    fn quiet_while_counts_hold(&self, now: Instant, node: &Node, collected: bool) -> Instant {
        let status = &node.stored;
        let sync = status.next_sync.map_or(now, |next| next + TICK);
        if node.config.as_ref().is_none_or(|config| config.prefixes().is_some()) {
            return sync;
        }
        if let Some(known) = &node.in_order {
            return sync.min(self.collects(now, node, known.idle(), collected));
        }
        // The mark of an interface whose vSwitch is empty is renewed (C84).
        let marks = status.nics.values().filter_map(|nic| nic.insufficient).map(|since| since + RENEWAL + TICK);
        marks.fold(sync.min(self.collects(now, node, status.idle(), collected)), Instant::min)
    }

    /// When the first count of a vSwitch expires that a run of the node looks at: every candidate's is
    /// (C60), but not in prefix mode.
    fn counts_hold_until(&self, node: &Node) -> Instant {
        let status = &node.stored;
        if node.config.as_ref().is_some_and(|config| config.prefixes().is_some()) {
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
            let period = self.period(config);
            return if may_find { pulse.last_gc.map_or(now, |last| last + period) } else { Instant::NEVER };
        }
        // That of `now` found nothing; only reclaim may do so later.
        let Some(reclaim) = &config.reclaim else { return Instant::NEVER };
        let used = status.last_modified.map(|last| last + reclaim.after).filter(|&end| end > now);
        used.or(status.next_reclaim).unwrap_or(now)
    }
}

//! Time of a daemon: what is due, what may be replayed later, and when the simulation has to come
//! back.
//!
//! Most timers of an idle daemon change nothing that anybody could see: a metadata sync that
//! wakes nobody, a pool sync between the watermarks, a collection with nothing to collect, an
//! attempt to create an interface while every candidate vSwitch is known to be empty. Such a
//! timer is *silent*. [`NodeLocal::wake`] leaves it out, so that the simulation has no event for
//! it, and [`NodeLocal::advance`] replays it when the daemon is next touched, with the same
//! random numbers: each kind of timer draws from a stream of its own, so the order among kinds
//! does not matter.

use std::collections::VecDeque;

use super::alloc::Alloc;
use super::pool_sync::{PoolSync, Watermarks, surplus, to_add, to_delete};
use super::rpc::Blocked;
use super::slot::Status;
use super::slots::Known;
use super::{METADATA_SYNC, NodeLocal};
use crate::chance::SmallStream;
use crate::ipam::Failure;
use crate::ipam::backoff::jittered;
use crate::time::{Instant, Span};

/// Runs of a timer, each a jittered period after the one before.
pub(super) struct Runs {
    pub count: usize,
    /// The last of them; the first that is not among them, if there is none.
    pub last: Instant,
    /// The run after them.
    pub next: Instant,
}

impl Runs {
    /// Those before `end`, of which the first would be at `next`.
    fn before(end: Instant, mut next: Instant, period: Span, mut jitter: Option<&mut SmallStream>) -> Self {
        let (mut count, mut last) = (0, next);
        while next < end {
            last = next;
            next += jittered(period, 1.0, jitter.as_deref_mut());
            count += 1;
        }
        Self { count, last, next }
    }
}

/// A daemon with nothing to do for so long keeps no memory for what it does. Longer than anything that is tried
/// again and again while addresses are short.
const LONG: Span = Span::mins(5);

impl NodeLocal {
    /// The earliest time at which something may happen that shows; a lower bound.
    pub(super) fn wake(&self) -> Instant {
        self.wake_with(self.first_slot_wake(), self.usage())
    }

    /// Notes what [`Self::wake`] says from now on.
    pub(super) fn look_ahead(&mut self) {
        (self.slots_wake, self.idle_and_used) = (Instant::NEVER, (0, 0));
        for i in 0..self.slots.len() {
            let wake = match self.slots[i].known {
                Known::Nothing => self.look_ahead_of(i),
                Known::Rests => Instant::NEVER,
                Known::Wake => self.slots[i].wake,
            };
            self.slots_wake = self.slots_wake.min(wake);
            let (idle, in_use) = self.slots[i].usage();
            self.idle_and_used.0 += idle;
            self.idle_and_used.1 += in_use;
        }
        self.order.slots_changed();
        self.quiet = self.is_quiet();
        self.next_wake = self.wake_with(self.slots_wake, self.idle_and_used);
        if self.next_wake.since(self.now) > LONG {
            self.slots.tidy();
            self.ready = VecDeque::new();
        }
    }

    /// When a slot may do something that shows. That is noted, but of a slot that waits to make an interface the
    /// vSwitches have a say too.
    fn look_ahead_of(&mut self, i: usize) -> Instant {
        if self.slots[i].is_at_rest() {
            self.slots.note(i, Known::Rests, Instant::NEVER);
            return Instant::NEVER;
        }
        let wake = self.slot_wake(i);
        if self.slots[i].eni.is_some() {
            self.slots.note(i, Known::Wake, wake);
        }
        wake
    }

    /// What [`Self::wake`] says, if `slots` is what the slots say.
    pub(super) fn wake_with(&self, slots: Instant, usage: (u32, u32)) -> Instant {
        if self.stopped { self.start_wake() } else { slots.min(self.pool_sync_wake(usage)).min(self.gc_wake()) }
    }

    fn first_slot_wake(&self) -> Instant {
        (0..self.slots.len()).map(|i| self.slot_wake(i)).min().unwrap_or(Instant::NEVER)
    }

    /// If nothing can come of requests at `now`, the time through which that lasts: whoever asks
    /// is refused, or waits in vain beside an attempt to create an interface that finds no
    /// vSwitch; no call is made, nobody gets an address, none is given back.
    #[must_use]
    pub fn barren_through(&self, now: Instant) -> Option<Instant> {
        let shows = self.blocked.iter().any(|call| matches!(call, Blocked::Release(_) | Blocked::Own(..)));
        if shows || !self.retained.is_empty() {
            return None;
        }
        let mut through = Instant::NEVER;
        for slot in self.slots.iter() {
            let until = match (slot.eni, &*slot.alloc) {
                (None, Alloc::Asleep | Alloc::Coalescing { .. } | Alloc::CreateToken { .. }) => {
                    self.switches.futile_through(now)?
                }
                (Some(_), Alloc::Asleep) => slot.barren_through(self.config.ips_per_eni)?,
                _ => return None,
            };
            through = through.min(until);
        }
        (through > now).then_some(through)
    }

    fn slot_wake(&self, i: usize) -> Instant {
        let slot = &self.slots[i];
        let workers = self.alloc_timer(i).min(slot.dispose.until());
        workers.min(slot.next_leave).min(self.metadata_sync_wake(i))
    }

    /// When the alloc worker does something that shows.
    fn alloc_timer(&self, i: usize) -> Instant {
        let until = self.slots[i].alloc.until();
        match self.futile_through(i, until) {
            Some(through) => until.max(through + Span(1)),
            None => until,
        }
    }

    /// Until when the alloc worker's attempts to create an interface end without a call, if the
    /// one at `at` does.
    fn futile_through(&self, i: usize, at: Instant) -> Option<Instant> {
        let slot = &self.slots[i];
        match *slot.alloc {
            Alloc::CreateToken { .. } => self.switches.futile_through(at),
            Alloc::Coalescing { .. } if slot.eni.is_none() => self.switches.futile_through(at),
            _ => None,
        }
    }

    fn metadata_sync_wake(&self, i: usize) -> Instant {
        let slot = &self.slots[i];
        if slot.status != Status::InUse {
            return Instant::NEVER;
        }
        slot.broadcast_acts_from().map_or(Instant::NEVER, |from| slot.next_metadata_sync.max(from))
    }

    fn pool_sync_wake(&self, usage: (u32, u32)) -> Instant {
        let next = match self.sync {
            PoolSync::Sleeping { next } => next,
            PoolSync::Preheating { deadline, .. } => return deadline,
        };
        if !self.is_between_marks(usage) {
            return next;
        }
        match &self.config.reclaim {
            // Nothing above the lower watermark: there will be nothing to reclaim either.
            Some(reclaim) if usage.0 > self.config.min_idle => {
                next.max(self.last_modified + reclaim.after).max(self.next_reclaim.unwrap_or(Instant::ZERO))
            }
            _ => Instant::NEVER,
        }
    }

    fn gc_wake(&self) -> Instant {
        if self.gc_waits || (!self.is_called() && self.retained.is_empty()) { Instant::NEVER } else { self.next_gc }
    }

    /// Lets time pass until `now`: everything that is due happens, in order. Says whether what
    /// [`Self::look_ahead`] noted last holds still.
    pub(super) fn advance(&mut self, now: Instant) -> bool {
        let (mut holds, mut fired) = (true, None);
        if !self.stopped {
            while self.next_wake <= now {
                self.now = self.next_wake;
                self.replay(self.now);
                self.fire_due();
                self.look_ahead();
                fired = Some(self.now);
            }
            // What is silent was replayed before something fired.
            if fired != Some(now) {
                holds = !self.replay(now);
            }
        } else if self.is_starting() {
            self.go_on_starting(now);
            holds = false;
        }
        self.now = now;
        holds
    }

    /// Replays the silent timers up to and including `until`; says whether there was any.
    fn replay(&mut self, until: Instant) -> bool {
        let mut any = self.replay_pool_syncs(until);
        self.carry_out_sort();
        any |= self.replay_futile_attempts(until);
        for i in 0..self.slots.len() {
            any |= self.replay_metadata_syncs(i, until);
        }
        if self.next_gc <= until
            && self.gc_wake() == Instant::NEVER
            && !self.gc_waits
            && let Some(period) = self.config.gc_period
        {
            let missed = until.since(self.next_gc).0 / period.0 + 1;
            self.next_gc += Span(missed * period.0);
            any = true;
        }
        any
    }

    /// Replays attempts to create an interface that are known to be in vain; says whether there
    /// was any.
    fn replay_futile_attempts(&mut self, until: Instant) -> bool {
        let Some(through) = self.switches.empty_through() else { return false };
        self.carry_out_sort();
        let mut any = false;
        for i in 0..self.slots.len() {
            if self.slots[i].eni.is_none() {
                any |= self.slots[i].try_in_vain(until.min(through));
            }
        }
        any
    }

    /// Replays a slot's silent metadata syncs; says whether there was any. Those of a slot at rest are owed: it may
    /// well rest for months, and all that comes of them is which of the two workers would look first.
    fn replay_metadata_syncs(&mut self, i: usize, until: Instant) -> bool {
        if self.slots.rests(i) {
            return false;
        }
        let slot = &self.slots[i];
        if slot.next_metadata_sync > until {
            return false;
        }
        // What a broadcast would do changes with time only where an inhibit window ends.
        let in_use = slot.status == Status::InUse;
        let acts_from = slot.broadcast_acts_from().filter(|_| in_use).unwrap_or(Instant::NEVER);
        self.make_up_for_metadata_syncs(i, acts_from.min(until + Span(1)))
    }

    /// Something is about to wake a slot up: what it owes has to be made up for.
    pub(super) fn disturb(&mut self, i: usize) {
        self.make_up_for_metadata_syncs(i, self.now + Span(1));
    }

    /// Makes up for a slot's metadata syncs before `end`, all of which are silent; says whether there was any.
    fn make_up_for_metadata_syncs(&mut self, i: usize, end: Instant) -> bool {
        let slot = &mut self.slots[i];
        let jitter = self.chance.periods_jitter.then_some(&mut slot.metadata_jitter);
        let runs = Runs::before(end, slot.next_metadata_sync, METADATA_SYNC, jitter);
        slot.next_metadata_sync = runs.next;
        if slot.status == Status::InUse {
            slot.idle_broadcasts(runs.count);
        }
        runs.count > 0
    }

    /// Replays pool syncs that find nothing to do; says whether there was any.
    pub(super) fn replay_pool_syncs(&mut self, until: Instant) -> bool {
        match self.sync {
            PoolSync::Sleeping { next } if next <= until => self.replay_pool_syncs_from(next, until),
            _ => false,
        }
    }

    fn replay_pool_syncs_from(&mut self, first: Instant, until: Instant) -> bool {
        if self.lets_pool_syncs_pass(self.idle_and_used) && self.switches.empty_through().is_none() {
            let (runs, chance) = self.pool_syncs_that_pass(first, until);
            self.order.put_sync_off(runs.last);
            (self.sync, self.chance.sync) = (PoolSync::Sleeping { next: runs.next }, chance);
            return true;
        }
        let ((idle, in_use), marks) = (self.idle_and_used, self.marks());
        if to_add(marks, idle, in_use) > 0 {
            return false;
        }
        let mut next = first;
        while next <= until && !self.gives_back(next, marks, idle) {
            // A run sorts the slots by what they are at its time (R72).
            self.replay_futile_attempts(next);
            self.order.put_sync_off(next);
            next = self.after_period(next);
        }
        self.sync = PoolSync::Sleeping { next };
        next > first
    }

    /// Whether pool syncs find nothing to do for as long as so many addresses are idle and in use.
    pub(super) fn lets_pool_syncs_pass(&self, usage: (u32, u32)) -> bool {
        self.config.reclaim.is_none() && self.is_between_marks(usage)
    }

    /// Whether a pool sync has nothing to give back by the upper watermark, and nothing to fetch.
    fn is_between_marks(&self, (idle, in_use): (u32, u32)) -> bool {
        surplus(self.marks(), idle) <= 0 && to_add(self.marks(), idle, in_use) == 0
    }

    /// Pool syncs from the one at `next` through `until` which do nothing but sort, and the chance that is left.
    pub(super) fn pool_syncs_that_pass(&self, next: Instant, until: Instant) -> (Runs, SmallStream) {
        let mut chance = self.chance.sync;
        let jitter = self.chance.periods_jitter.then_some(&mut chance);
        let period = self.config.sync_period.expect("pool syncs come if they are switched on");
        (Runs::before(until + Span(1), next, period, jitter), chance)
    }

    /// Whether a pool sync at `at` gives addresses back. If not, what it does to the rounds of reclaim is done.
    fn gives_back(&mut self, at: Instant, marks: Watermarks, idle: u32) -> bool {
        let Some(reclaim) = &self.config.reclaim else { return surplus(marks, idle) > 0 };
        let (mut round, mut chance) = (self.next_reclaim, self.chance.reclaim);
        let jitter = self.chance.periods_jitter.then_some(&mut chance);
        let due = to_delete(at, marks, idle, Some(reclaim), Some(self.last_modified), &mut round, jitter);
        if due.total() > 0 {
            return true;
        }
        (self.next_reclaim, self.chance.reclaim) = (round, chance);
        false
    }

    /// Fires everything that is due now, in a fixed order: deadlines, workers, metadata syncs,
    /// collection, pool sync.
    fn fire_due(&mut self) {
        if self.slots_wake <= self.now {
            self.fire_due_in_slots();
        }
        if self.gc_wake() <= self.now {
            self.gc_tick();
        }
        match self.sync {
            PoolSync::Preheating { deadline, .. } if deadline <= self.now => self.end_preheats(),
            PoolSync::Sleeping { next } if next <= self.now => self.pool_sync(),
            _ => {}
        }
        self.let_gc_run();
    }

    fn fire_due_in_slots(&mut self) {
        for i in 0..self.slots.len() {
            self.expire_waiters(i);
        }
        for i in 0..self.slots.len() {
            while self.slots[i].alloc.until() <= self.now {
                self.alloc_fire(i);
            }
            while self.slots[i].dispose.until() <= self.now {
                self.dispose_fire(i);
            }
        }
        for i in 0..self.slots.len() {
            let may_be_due = self.slots[i].next_metadata_sync <= self.now && !self.slots.rests(i);
            if may_be_due && self.metadata_sync_wake(i) <= self.now {
                let slot = &mut self.slots[i];
                let jitter = self.chance.periods_jitter.then_some(&mut slot.metadata_jitter);
                slot.next_metadata_sync = self.now + jittered(METADATA_SYNC, 1.0, jitter);
                self.broadcast(i);
            }
        }
    }

    /// Requests whose context has ended leave (R59).
    fn expire_waiters(&mut self, i: usize) {
        let now = self.now;
        if self.slots[i].next_leave > now {
            return;
        }
        let mut expired = 0;
        let mut last = None;
        while self.slots[i].next_leave <= now
            && let Some((id, pod)) = self.slots[i].next_expired(now, last)
        {
            self.rpc_ended();
            let peeked = self.slots[i].has_peeked_in_vain(id);
            self.fail(pod, if peeked { Failure::Peeked } else { Failure::Deadline });
            expired += 1;
            last = Some(id);
        }
        for _ in 0..expired {
            self.broadcast(i);
        }
    }
}

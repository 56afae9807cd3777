//! The pool of a node: who has an address, which are idle, and the one loop that fills and trims it
//! (`pkg/pool/pool.go`, rules P17 to P40).

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::Failure;
use super::config::Sizes;
use super::heap::{Heap, Idle};
use super::process::{Process, State};
use super::scheduler::TaskId;
use super::sync::{Lock, Mode};
use crate::id::{EniId, PodId};
use crate::time::{Instant, Span};

/// Base period of the maintenance, and how much longer it may be (rule P34).
const TICK: Span = Span::mins(2);
const TICK_JITTER: f64 = 0.2;
/// Sleep of the maintenance before it doubles for the first time (rule P29).
const BACKOFF: Span = Span::mins(1);
/// While addresses are short, every call waits for so long (rule P112).
const PAUSE: Span = Span::secs(10);
/// Addresses count as short for so long, unless one is given back (rule P112).
const SHORT: Span = Span::mins(10);

/// An address on its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Resource {
    pub eni: EniId,
    pub address: Ipv4Addr,
}

/// Three disjoint sets of addresses (rule P17).
#[derive(Debug)]
pub(super) struct Pool {
    pub in_use: BTreeMap<Resource, PodId>,
    pub idle: Heap,
    pub invalid: BTreeSet<Resource>,
    sizes: Sizes,
    readings: u64,
}

/// The loop that fills and trims the pool.
#[derive(Debug)]
pub(super) struct Maintenance {
    /// It has something to do before the next tick (rule P20).
    pub notified: bool,
    /// It waits for a trigger.
    pub waits: Option<TaskId>,
    pub next_tick: Instant,
    /// What its next sleep is half of (rule P29).
    backoff: Span,
}

impl Maintenance {
    pub fn new(now: Instant) -> Self {
        Self { notified: false, waits: None, next_tick: now, backoff: BACKOFF }
    }
}

impl Pool {
    pub fn new(sizes: Sizes) -> Self {
        let (in_use, idle, invalid) = (BTreeMap::new(), Heap::default(), BTreeSet::new());
        Self { in_use, idle, invalid, sizes, readings: 0 }
    }

    pub fn size(&self) -> u32 {
        (self.idle.len() + self.in_use.len() + self.invalid.len()) as u32
    }

    pub fn add_in_use(&mut self, resource: Resource, pod: PodId) {
        self.in_use.insert(resource, pod);
    }

    /// An address becomes idle now, or is reserved until then (rule P22).
    pub fn add_idle(&mut self, resource: Resource, reservation: Instant) {
        self.idle.push(Idle { resource, reservation, reading: self.readings });
        self.readings += 1;
    }

    /// The preferred idle address, or the one that has been idle longest (rules P23, P24).
    fn take_idle(&mut self, preferred: Option<Resource>) -> Option<Resource> {
        let robbed = preferred.and_then(|resource| self.idle.rob(resource));
        robbed.or_else(|| self.idle.pop()).map(|idle| idle.resource)
    }

    /// Whether addresses have to be given back (rule P31).
    fn is_overfull(&self) -> bool {
        let idle = self.idle.len() as u32;
        idle > self.sizes.max_idle || (idle > 0 && self.size() > self.sizes.capacity)
    }

    /// The next address to be given back (rule P31).
    fn take_overfull(&mut self, now: Instant) -> Option<Resource> {
        let first = self.idle.peek().filter(|first| self.is_overfull() && first.reservation <= now)?.resource;
        self.idle.pop();
        Some(first)
    }

    /// Addresses that are wanted, as far as the node has room (rule P27).
    fn lacks(&self) -> u32 {
        let wanted = self.sizes.min_idle.saturating_sub(self.idle.len() as u32);
        wanted.min(self.sizes.capacity.saturating_sub(self.size()))
    }

    /// Whether there is nothing to trim and nothing to fill.
    pub fn is_balanced(&self) -> bool {
        !self.is_overfull() && self.lacks() == 0
    }

    /// Whether the maintenance has nothing to do.
    pub fn is_settled(&self) -> bool {
        self.is_balanced() && self.invalid.is_empty()
    }
}

impl State {
    /// Addresses are short (rule P112).
    pub fn note_short(&mut self) {
        if self.config.profile.pauses_when_short {
            self.short_until = self.now + SHORT;
        }
    }

    /// The time from one tick to the next.
    pub fn tick_period(&mut self) -> Span {
        self.jittered(TICK, TICK_JITTER)
    }

    pub fn is_short(&self) -> bool {
        self.now < self.short_until
    }
}

impl Process {
    /// An address for `pod`; whether it had it already (rules P23 to P25).
    pub async fn acquire(&self, pod: PodId, preferred: Option<Resource>) -> Result<(Resource, bool), Failure> {
        if self.state().is_short() {
            self.sleep(PAUSE).await;
        }
        self.lock(Lock::Pool, Mode::Write).await;
        let found = {
            let mut state = self.state();
            let found = state.take_one(pod, preferred);
            if let Ok(Some((_, false))) = found {
                state.notify();
            }
            found
        };
        self.unlock(Lock::Pool, Mode::Write);
        if let Some(found) = found? {
            return Ok(found);
        }
        if !self.take_token().await {
            return Err(Failure::Deadline);
        }
        match self.create(1).await {
            Ok(created) => {
                let resource = created[0];
                self.lock(Lock::Pool, Mode::Write).await;
                self.state().pool.add_in_use(resource, pod);
                self.unlock(Lock::Pool, Mode::Write);
                Ok((resource, false))
            }
            Err(failure) => {
                self.give_token().await;
                if failure.is_short() {
                    self.state().note_short();
                }
                Err(failure)
            }
        }
    }

    /// `pod` gives an address back, which stays reserved for a while (rules P38, P39); `false` = it
    /// did not have it.
    pub async fn release(&self, resource: Resource, reservation: Span) -> bool {
        self.lock(Lock::Pool, Mode::Write).await;
        let had = self.state().pool.in_use.remove(&resource).is_some();
        if had && (self.is_shown(resource).await || !self.discard(resource).await) {
            let mut state = self.state();
            let until = state.now + reservation;
            state.pool.add_idle(resource, until);
            state.notify();
            state.short_until = state.now;
        }
        self.unlock(Lock::Pool, Mode::Write);
        had
    }

    /// Instance metadata does not show an address any more; `false` = it becomes idle all the same,
    /// as it did up to v1.2.0 (rules P37, P38).
    async fn discard(&self, resource: Resource) -> bool {
        if self.dispose(resource).await {
            self.give_token().await;
            return true;
        }
        self.state().sets_aside(resource)
    }

    /// The maintenance, for ever (rules P34, P35).
    pub async fn maintain(self) {
        loop {
            if self.next_trigger().await {
                self.sync().await;
            }
            self.trim().await;
            self.refill().await;
        }
    }

    /// Waits for a tick or a notice; whether it is a tick.
    async fn next_trigger(&self) -> bool {
        loop {
            {
                let mut state = self.state();
                let (ticks, notified) = (state.maintenance.next_tick <= state.now, state.maintenance.notified);
                let ticks = ticks && (!notified || state.legacy.chance.choice.below(2) == 0);
                if ticks {
                    state.maintenance.next_tick = state.now + state.tick_period();
                    return true;
                }
                if notified {
                    state.maintenance.notified = false;
                    return false;
                }
                state.maintenance.waits = Some(state.scheduler.running());
            }
            self.park().await;
        }
    }

    /// Compares the pool with instance metadata (rules P36, P37, G5).
    async fn sync(&self) {
        self.lock(Lock::Pool, Mode::Write).await;
        let invalid: Vec<_> = self.state().pool.invalid.iter().copied().collect();
        for resource in invalid {
            if self.dispose(resource).await && !self.config().profile.keeps_invalid {
                self.state().pool.invalid.remove(&resource);
                self.give_token().await;
            }
        }
        for resource in self.missing().await {
            let mut state = self.state();
            if state.pool.idle.rob(resource).is_some() {
                state.pool.invalid.insert(resource);
            }
        }
        self.unlock(Lock::Pool, Mode::Write);
    }

    /// Gives idle addresses back, one at a time, while there are too many (rules P31 to P33).
    async fn trim(&self) {
        loop {
            self.lock(Lock::Pool, Mode::Write).await;
            let next = {
                let mut state = self.state();
                let now = state.now;
                state.pool.take_overfull(now)
            };
            self.unlock(Lock::Pool, Mode::Write);
            let Some(resource) = next else { return };
            if self.dispose(resource).await {
                self.give_token().await;
                self.state().maintenance.backoff = BACKOFF;
            } else {
                self.put_idle(&[resource]).await;
                self.back_off().await;
            }
        }
    }

    /// Fills the pool up to its lower mark (rules P27 to P30).
    async fn refill(&self) {
        self.lock(Lock::Pool, Mode::Write).await;
        let lacks = self.state().pool.lacks();
        self.unlock(Lock::Pool, Mode::Write);
        let tokens = {
            let State { tokens, scheduler, .. } = &mut *self.state();
            (0..lacks).filter(|_| tokens.try_take(scheduler)).count()
        };
        if tokens == 0 {
            return;
        }
        let created = self.create(tokens as u32).await;
        let got = created.as_ref().map_or(0, Vec::len);
        if got == tokens {
            self.state().maintenance.backoff = BACKOFF;
        }
        if let Ok(created) = &created {
            self.put_idle(created).await;
        }
        for _ in got..tokens {
            self.give_token().await;
        }
        if got < tokens {
            self.state().notify();
        }
        if let Err(failure) = created {
            if failure.is_short() {
                self.state().note_short();
            }
            self.back_off().await;
        }
    }

    async fn put_idle(&self, resources: &[Resource]) {
        for &resource in resources {
            self.lock(Lock::Pool, Mode::Write).await;
            {
                let mut state = self.state();
                let now = state.now;
                state.pool.add_idle(resource, now);
            }
            self.unlock(Lock::Pool, Mode::Write);
        }
    }

    /// The maintenance sleeps twice as long as the last time (rule P29).
    async fn back_off(&self) {
        let sleep = {
            let maintenance = &mut self.state().maintenance;
            maintenance.backoff = maintenance.backoff + maintenance.backoff;
            maintenance.backoff
        };
        self.sleep(sleep).await;
    }
}

impl State {
    /// An address that instance metadata does not show becomes invalid; `false` = it becomes idle all the same (rule P38).
    pub fn sets_aside(&mut self, resource: Resource) -> bool {
        let is_set_aside = !self.config.profile.keeps_invalid;
        if is_set_aside {
            self.pool.invalid.insert(resource);
        }
        is_set_aside
    }

    /// What the pool says at once: the pod's own address, an idle one, or that the node is full; `None`
    /// = one has to be created (rule P23). An idle one is worth a notice to the maintenance (rule P20).
    pub fn take_one(&mut self, pod: PodId, preferred: Option<Resource>) -> Result<Option<(Resource, bool)>, Failure> {
        if let Some(resource) = preferred.filter(|resource| self.pool.in_use.get(resource) == Some(&pod)) {
            return Ok(Some((resource, true)));
        }
        if let Some(resource) = self.pool.take_idle(preferred) {
            self.pool.add_in_use(resource, pod);
            return Ok(Some((resource, false)));
        }
        if self.pool.size() >= self.config.sizes.capacity {
            self.note_short();
            return Err(Failure::NodeFull);
        }
        Ok(None)
    }
}

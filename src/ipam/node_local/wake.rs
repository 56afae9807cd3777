//! Who sleeps on a slot's condition variable, and in which order a broadcast lets them look
//! (rules R56, R58, R66, R151; upstream's `sync.Cond` of `pkg/eni/local.go`).
//!
//! Upstream leaves the order to Go, and Go is far from random: a broadcast readies the sleepers in
//! the order in which they fell asleep, each pushes its predecessor from the scheduler's "next"
//! place to the tail of the run queue, so the *last* sleeper runs first and the others follow in
//! their order (`runtime/proc.go`, `runqput`). Whoever finds nothing sleeps again, at the end. So
//! every broadcast rotates the sleepers, the two workers among them, and which of the pods that
//! wait is served next depends on the number of broadcasts until then.

use super::NodeLocal;
use super::alloc::{Alloc, COALESCE};
use super::slot::{Slot, Waiter};
use crate::time::Instant;

/// Somebody who sleeps until the next broadcast.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sleeper {
    /// A request that waits for an address.
    Waiter(Waiter),
    /// The alloc worker, with nothing to do.
    AllocWorker,
    /// The dispose worker, with nothing to do.
    DisposeWorker,
}

impl NodeLocal {
    /// A broadcast by somebody who goes to sleep for something else then.
    pub(super) fn broadcast(&mut self, i: usize) {
        self.ready(i);
        self.last_first();
        self.run_ready(i);
    }

    /// A broadcast whose caller starts or readies others before it sleeps, so that the order
    /// stays.
    pub(super) fn broadcast_in_order(&mut self, i: usize) {
        self.ready(i);
        self.run_ready(i);
    }

    /// A new request arrives: its goroutine starts after the broadcast (R50.8).
    pub(super) fn broadcast_for(&mut self, i: usize, newcomer: Waiter) {
        self.ready(i);
        self.ready.push_back(Sleeper::Waiter(newcomer));
        self.run_ready(i);
    }

    /// A broadcast of the alloc worker, which looks for work before anybody else runs.
    pub(super) fn alloc_broadcast(&mut self, i: usize) {
        self.ready(i);
        self.last_first();
        self.alloc_look(i);
        self.run_ready(i);
    }

    /// A broadcast of the dispose worker, which looks for work before anybody else runs.
    pub(super) fn dispose_broadcast(&mut self, i: usize) {
        self.ready(i);
        self.last_first();
        self.dispose_look(i);
        self.run_ready(i);
    }

    /// The alloc worker looks whether there is something to do, and sleeps if not (R52).
    pub(super) fn alloc_look(&mut self, i: usize) {
        let slot = &mut self.slots[i];
        slot.alloc = Alloc::Asleep;
        if slot.alloc_would_start(self.now) {
            slot.alloc = Alloc::Coalescing { until: self.now + COALESCE };
        } else {
            slot.sleepers.push(Sleeper::AllocWorker);
        }
    }

    fn ready(&mut self, i: usize) {
        debug_assert!(self.ready.is_empty(), "everybody who was readied has run");
        self.ready.extend(self.slots[i].sleepers.drain(..));
    }

    fn last_first(&mut self) {
        if !self.ready.is_empty() {
            self.ready.rotate_right(1);
        }
    }

    /// Lets everybody look who was readied.
    fn run_ready(&mut self, i: usize) {
        while let Some(sleeper) = self.ready.pop_front() {
            match sleeper {
                Sleeper::AllocWorker => self.alloc_look(i),
                Sleeper::DisposeWorker => self.dispose_look(i),
                Sleeper::Waiter(waiter) => self.waiter_looks(i, waiter),
            }
        }
    }

    /// A waiter that is served, done or given up broadcasts in its turn (R58): who fell asleep
    /// since is readied again.
    fn waiter_looks(&mut self, i: usize, waiter: Waiter) {
        let slot = &mut self.slots[i];
        if waiter.deadline <= self.now {
            slot.settle(waiter.id);
            if waiter.is_preheat() {
                self.preheats_ended(1);
            }
            // Nothing else is readied after the broadcast, so the last sleeper is next.
            let last = self.slots[i].sleepers.pop();
            self.ready.extend(self.slots[i].sleepers.drain(..));
            self.ready.extend(last);
            self.ready.rotate_right(usize::from(last.is_some()));
        } else if waiter.done {
            self.preheats_ended(1);
            self.ready.extend(self.slots[i].sleepers.drain(..));
        } else if !waiter.is_preheat() && slot.set.has_allocatable() {
            self.bind(i, waiter.pod);
            self.slots[i].settle(waiter.id);
            self.rpc_ended();
            self.ready.extend(self.slots[i].sleepers.drain(..));
        } else {
            slot.sleepers.push(Sleeper::Waiter(waiter));
        }
    }
}

impl Slot {
    /// Everybody who waits for an address.
    pub fn waiters(&self) -> impl Iterator<Item = &Waiter> {
        self.sleepers.iter().filter_map(|sleeper| match sleeper {
            Sleeper::Waiter(waiter) => Some(waiter),
            Sleeper::AllocWorker | Sleeper::DisposeWorker => None,
        })
    }

    /// Everybody who waits for an address.
    pub fn waiters_mut(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.sleepers.iter_mut().filter_map(|sleeper| match sleeper {
            Sleeper::Waiter(waiter) => Some(waiter),
            Sleeper::AllocWorker | Sleeper::DisposeWorker => None,
        })
    }

    /// The earliest end of somebody's patience.
    pub fn first_deadline(&self) -> Instant {
        self.waiters().map(|waiter| waiter.deadline).min().unwrap_or(Instant::NEVER)
    }

    /// A broadcast that finds nothing to do for anybody.
    pub fn idle_broadcast(&mut self) {
        let one = self.sleepers.len().min(1);
        self.sleepers.rotate_right(one);
    }
}

//! Who sleeps on a slot's condition variable, and in which order a broadcast lets them look
//! (rules R56, R58, R66, R151; upstream's `sync.Cond` of `pkg/eni/local.go`).
//!
//! Upstream leaves the order to Go, and Go is far from random: a broadcast readies the sleepers in
//! the order in which they fell asleep, each pushes its predecessor from the scheduler's "next"
//! place to the tail of the run queue, so the *last* sleeper runs first and the others follow in
//! their order (`runtime/proc.go`, `runqput`). Whoever finds nothing sleeps again, at the end. So
//! every broadcast rotates the sleepers, the two workers among them, and which of the pods that
//! wait is served next depends on the number of broadcasts until then.
//!
//! Most broadcasts find nothing for anybody to do, or only a waiter whose deadline has come. They
//! are not played through: the queue turns.

use super::NodeLocal;
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
        let slot = &mut self.slots[i];
        if slot.rests(self.now) {
            return slot.idle_broadcasts(1);
        }
        if !slot.broadcast_acts(self.now) {
            return self.leave(i);
        }
        self.ready(i);
        self.last_first();
        self.run_ready(i);
    }

    /// A broadcast whose caller starts or readies others before it sleeps, so that the order
    /// stays.
    pub(super) fn broadcast_in_order(&mut self, i: usize) {
        if self.slots[i].rests(self.now) {
            return;
        }
        self.ready(i);
        self.run_ready(i);
    }

    /// A new request arrives: its goroutine starts after the broadcast (R50.8).
    pub(super) fn broadcast_for(&mut self, i: usize, newcomer: Waiter) {
        let slot = &mut self.slots[i];
        if slot.rests(self.now) {
            return slot.sleep(newcomer);
        }
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
        self.slots[i].alloc_look(self.now);
    }

    /// A broadcast that finds nothing to do but for waiters to leave whose deadline has come: what
    /// [`Self::run_ready`] comes to then, in short.
    fn leave(&mut self, i: usize) {
        let now = self.now;
        self.slots[i].idle_broadcasts(1);
        while let Some((waiter, preceded)) = self.slots[i].take_first_expired(now) {
            self.slots[i].settle(waiter.id);
            if waiter.is_preheat() {
                self.preheats_ended(1);
            }
            // Of those who ran before it and sleep again, it readies the last first.
            if preceded {
                self.slots[i].idle_broadcasts(1);
            }
            if self.slots[i].broadcast_acts(now) {
                self.ready(i);
                return self.run_ready(i);
            }
        }
        self.slots[i].next_leave = self.slots[i].first_deadline();
    }

    fn ready(&mut self, i: usize) {
        debug_assert!(self.ready.is_empty(), "everybody who was readied has run");
        self.ready.extend(self.slots[i].wake_up());
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
            let slot = &mut self.slots[i];
            // Nothing else is readied after the broadcast, so the last sleeper is next.
            let last = slot.sleepers.pop_back();
            self.ready.extend(slot.wake_up());
            self.ready.extend(last);
            self.ready.rotate_right(usize::from(last.is_some()));
        } else if waiter.done {
            // Of one family it may be queued still (R146).
            slot.settle(waiter.id);
            self.preheats_ended(1);
            self.ready.extend(self.slots[i].wake_up());
        } else if !waiter.is_preheat() && slot.serves(waiter.pod) {
            self.bind(i, waiter.pod);
            self.slots[i].settle(waiter.id);
            self.rpc_ended();
            self.ready.extend(self.slots[i].wake_up());
        } else {
            slot.sleep(waiter);
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

    /// Everybody who waits for an address. After a change [`Self::hurry`] has to know.
    fn waiters_mut(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.sleepers.iter_mut().filter_map(|sleeper| match sleeper {
            Sleeper::Waiter(waiter) => Some(waiter),
            Sleeper::AllocWorker | Sleeper::DisposeWorker => None,
        })
    }

    /// The earliest deadline.
    pub fn first_deadline(&self) -> Instant {
        self.waiters().map(|waiter| waiter.deadline).min().unwrap_or(Instant::NEVER)
    }

    /// Takes out the first waiter whose deadline has come by `now`; who is before it goes to the
    /// end. Says whether there was anybody.
    fn take_first_expired(&mut self, now: Instant) -> Option<(Waiter, bool)> {
        let expired = |sleeper: &Sleeper| matches!(sleeper, Sleeper::Waiter(waiter) if waiter.deadline <= now);
        let before = self.sleepers.iter().position(expired)?;
        self.sleepers.rotate_left(before);
        match self.sleepers.pop_front() {
            Some(Sleeper::Waiter(waiter)) => Some((waiter, before > 0)),
            _ => unreachable!("it was found there"),
        }
    }

    fn sleep(&mut self, waiter: Waiter) {
        self.next_leave = self.next_leave.min(waiter.deadline);
        self.sleepers.push_back(Sleeper::Waiter(waiter));
    }

    fn wake_up(&mut self) -> std::collections::vec_deque::Drain<'_, Sleeper> {
        (self.next_leave, self.finished) = (Instant::NEVER, false);
        self.sleepers.drain(..)
    }

    /// The patience of the waiter that `is_it` ends at `now`; says whether there is one. It leaves
    /// with the next broadcast.
    pub fn hurry(&mut self, now: Instant, is_it: impl Fn(&Waiter) -> bool) -> bool {
        let Some(waiter) = self.waiters_mut().find(|waiter| is_it(waiter)) else { return false };
        waiter.deadline = now;
        self.next_leave = self.next_leave.min(now);
        true
    }

    /// The preheat `id`, if there is one, is done; it leaves with the next broadcast. With dual stack
    /// that may be long in coming.
    pub fn preheat_done(&mut self, id: u32) -> bool {
        let Some(preheat) = self.waiters_mut().find(|waiter| waiter.id == id && waiter.is_preheat()) else {
            return false;
        };
        preheat.done = true;
        self.finished = true;
        true
    }

    /// Whether a broadcast at `now` would find nothing to do for anybody.
    fn rests(&self, now: Instant) -> bool {
        self.next_leave > now && !self.broadcast_acts(now)
    }

    /// `n` broadcasts that find nothing to do for anybody.
    pub fn idle_broadcasts(&mut self, n: usize) {
        let turns = n.checked_rem(self.sleepers.len()).unwrap_or(0);
        self.sleepers.rotate_right(turns);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use crate::chance::SmallStream;
    use crate::id::{EniId, PodId, VSwitchId};
    use crate::ipam::node_local::{Config, EniSelection, NodeLocal, VSwitchSelection};
    use crate::ipam::{Addresses, Answer, CallId, Input, Output, Request, V6Addresses};
    use crate::openapi::Api;
    use crate::time::{Instant, Span};

    /// A daemon with one slot, and a cloud that answers at once but assigns one address a call.
    struct World {
        daemon: NodeLocal,
        now: Instant,
        next: u8,
        served: Vec<PodId>,
    }

    impl World {
        fn new() -> Self {
            let config = Config {
                max_eni: 1,
                ips_per_eni: 20,
                dual: false,
                rdma: None,
                trunk: None,
                capacity: 20,
                min_idle: 0,
                max_idle: 20,
                sync_period: None,
                eni_selection: EniSelection::MostIps,
                vswitch_selection: VSwitchSelection::Most,
                vswitches: vec![VSwitchId(0)],
                reclaim: None,
                rate_limit: [None; Api::ALL.len()],
                gc_period: None,
                rpc_timeout: Span::secs(118),
                confirm_delete: false,
                kube_client: crate::ipam::kube_client::KubeClient::UNLIMITED,
            };
            let daemon = NodeLocal::new(Instant::ZERO, Arc::new(config), SmallStream::new(1), false);
            Self { daemon, now: Instant::ZERO, next: 1, served: Vec::new() }
        }

        fn input(&mut self, input: Input) {
            let mut replies: Vec<(CallId, Answer)> = Vec::new();
            self.daemon.handle(self.now, input);
            while let Some(output) = self.daemon.poll() {
                match output {
                    Output::Call { call, request, .. } => replies.push((call, self.answer(&request))),
                    Output::Allocated { pod, .. } => self.served.push(pod),
                    other => panic!("{other:?}"),
                }
            }
            self.daemon.check_invariants();
            for (call, answer) in replies {
                self.input(Input::Reply(call, Ok(answer)));
            }
        }

        fn answer(&mut self, request: &Request) -> Answer {
            let mut one = || {
                self.next += 1;
                Addresses::collect([Ipv4Addr::new(10, 0, 0, self.next)])
            };
            match request {
                Request::DescribeVSwitch(_) => Answer::VSwitch(100),
                Request::Create { .. } => Answer::Created(EniId(0), one(), V6Addresses::EMPTY),
                Request::Attach(_) => Answer::Attached(self.now),
                Request::Describe(_) => Answer::Described { exists: true, in_use: true },
                Request::Assign(..) => Answer::Assigned(one(), self.now),
                other => panic!("{other:?}"),
            }
        }

        fn until(&mut self, ms: u64) -> &mut Self {
            let end = Instant::ZERO + Span::millis(ms);
            while self.daemon.poll_timeout() <= end {
                self.now = self.daemon.poll_timeout().max(self.now);
                self.input(Input::Tick);
            }
            self.now = end;
            self
        }

        fn add(&mut self, ms: u64, pod: u32) -> &mut Self {
            self.until(ms).input(Input::Allocate(PodId(pod)));
            self
        }
    }

    /// R151: the last sleeper is readied last and runs first; the dispose worker sleeps among the
    /// pods and counts.
    #[test]
    fn r151_the_last_to_fall_asleep_is_served_first() {
        let mut world = World::new();
        world.add(0, 1).until(5_000);
        assert_eq!(world.served, [PodId(1)]);
        world.add(10_000, 2).add(10_001, 3).add(10_002, 4).until(11_400);
        assert_eq!(world.served[1..], [PodId(4)]);
        world.until(60_000 - 1);
        assert_eq!(world.served[1..], [PodId(4), PodId(3), PodId(2)]);
    }

    /// R66, R151: a metadata sync that serves nobody still turns the queue.
    #[test]
    fn r66_a_silent_metadata_sync_turns_the_queue() {
        let mut world = World::new();
        world.add(0, 1).until(5_000);
        // Queued before the sync at 60 s, served after it: dispose worker, 2, 3, 4 → 4, dispose
        // worker, 2, 3.
        world.add(59_300, 2).add(59_301, 3).add(59_302, 4).until(60_700);
        assert_eq!(world.served[1..], [PodId(3)]);
    }
}

//! What holds between any two inputs of a daemon.

use super::NodeLocal;
use super::alloc::Alloc;
use super::dispose::Dispose;
use super::slot::{Slot, Status};
use super::wake::Sleeper;
use crate::id::PodId;

impl NodeLocal {
    /// Checks the daemon's laws. Too slow for every event of a large run; the tests and the
    /// audited runs call it after each.
    ///
    /// # Panics
    /// If a law is broken: the core is wrong.
    pub fn check_invariants(&self) {
        for (i, slot) in self.slots.iter().enumerate() {
            slot.check_invariants(i);
        }
        self.check_calls();
        self.check_pods();
        let mut order: Vec<_> = self.order.iter().collect();
        order.sort_unstable();
        assert!(order.into_iter().eq(0..self.slots.len()), "the order holds every slot once");
        assert!(self.outputs.is_empty(), "outputs are drained");
        assert_eq!(self.next_wake, self.wake(), "the next wake is known");
        assert_eq!(self.idle_and_used, self.usage(), "what is idle and in use is known");
        assert_eq!(self.quiet, self.is_quiet(), "whether it is quiet is known");
    }

    /// Every pending AllocIP is a waiter of one slot, and whoever is behind a collection is not
    /// (R125).
    fn check_calls(&self) {
        let waiting = self.slots.iter().flat_map(Slot::waiters).filter(|waiter| !waiter.is_preheat()).count();
        assert_eq!(self.rpcs as usize, waiting, "pending AllocIP calls");
        assert!(self.gc_waits || self.stopped || self.blocked.is_empty(), "calls are blocked by nothing");
        assert!(!self.gc_waits || self.is_called(), "a collection waits for nothing");
    }

    /// A pod waits at most once. It may have an address all the same: one that was retained on an
    /// interface which another slot preceded (R50, R115).
    fn check_pods(&self) {
        let queued = self.slots.iter().flat_map(Slot::waiters).map(|waiter| waiter.pod);
        let mut pods: Vec<_> = queued.filter(|&pod| pod != PodId::NONE).collect();
        pods.sort_unstable();
        assert!(pods.windows(2).all(|pair| pair[0] != pair[1]), "a pod waits twice");
    }
}

impl Slot {
    fn check_invariants(&self, i: usize) {
        let asleep = |worker: fn(&Sleeper) -> bool| self.sleepers.iter().filter(|s| worker(s)).count();
        let alloc = asleep(|sleeper| matches!(sleeper, Sleeper::AllocWorker));
        let dispose = asleep(|sleeper| matches!(sleeper, Sleeper::DisposeWorker));
        assert_eq!(alloc, usize::from(matches!(*self.alloc, Alloc::Asleep)), "slot {i}: its alloc worker sleeps once");
        assert_eq!(dispose, usize::from(matches!(*self.dispose, Dispose::Asleep)), "slot {i}: its dispose worker");
        self.set.check_invariants();
        if let Some(v6) = &self.v6 {
            v6.set.check_invariants();
        }
        let addresses = self.set.len() + self.v6.as_ref().map_or(0, |v6| v6.set.len());
        match self.status {
            Status::Init | Status::Creating => assert!(addresses == 0, "slot {i} has addresses without ENI"),
            Status::InUse => assert!(self.eni.is_some(), "slot {i} is in use without an ENI"),
            Status::Deleting => assert!(self.set.in_use() == 0, "slot {i} is deleted under a pod"),
        }
        assert_eq!(self.next_leave, self.first_deadline(), "slot {i}: the earliest deadline");
        self.check_queues(i);
    }

    /// Every request waits for an address of one family at least, and once for each. A preheat that
    /// is done may wait for nothing.
    fn check_queues(&self, i: usize) {
        let v4 = sorted(self.demand.ids());
        let v6 = sorted(self.v6.iter().flat_map(|v6| v6.demand.ids()));
        let waiting = sorted(self.waiters().map(|waiter| waiter.id));
        for queued in [&v4, &v6] {
            assert!(queued.windows(2).all(|pair| pair[0] != pair[1]), "slot {i}: a request is queued twice");
            assert!(
                queued.iter().all(|id| waiting.binary_search(id).is_ok()),
                "slot {i}: the queues hold waiters only"
            );
        }
        let heeded = |id: &u32| v4.binary_search(id).is_ok() || v6.binary_search(id).is_ok();
        assert!(
            self.waiters().all(|waiter| waiter.done || heeded(&waiter.id)),
            "slot {i}: the queues hold every waiter"
        );
        assert_eq!(self.finished, self.waiters().any(|waiter| waiter.done), "slot {i}: a preheat is done");
    }
}

fn sorted(ids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}

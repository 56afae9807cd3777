//! The daemon's calls from the CNI plugin, retention, collection and restart (rules R112 to R142).

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::slot::{Admission, Asking};
use super::{Config, NodeLocal};
use crate::id::{EniId, PodId};
use crate::ipam::{Attached, Failure, Fate, Output, OwnCall, Release};
use crate::time::Instant;

/// A call behind a waiting collection, which Go's lock lets nobody overtake (R125).
#[derive(Debug, Clone, Copy)]
pub(super) enum Blocked {
    /// AllocIP, for RDMA or not, with its deadline, which runs from its arrival (R112).
    Allocate {
        pod: PodId,
        rdma: bool,
        deadline: Instant,
    },
    Release(Release),
    /// A call for a pod with an interface of its own, and when it came.
    Own(OwnCall, Instant),
}

/// The record of an address that is kept for a pod that is gone (R129).
#[derive(Debug, Clone, Copy)]
pub(super) struct Retained {
    pod: PodId,
    eni: EniId,
    address: Ipv4Addr,
    /// The first collection clears the flag, the next releases.
    flagged: bool,
    /// The pod is here again, and asks for its address: no collection takes it away (R126).
    returned: bool,
}

impl NodeLocal {
    /// A pod wants an address.
    pub(super) fn call_for(&mut self, pod: PodId, rdma: bool) {
        self.note_whether_here(pod, true);
        self.rpc(Blocked::Allocate { pod, rdma, deadline: self.now + self.config.rpc_timeout });
    }

    /// A call arrives.
    pub(super) fn rpc(&mut self, call: Blocked) {
        if self.gc_waits || self.is_starting() {
            self.blocked.push_back(call);
            return;
        }
        match call {
            Blocked::Allocate { pod, rdma, deadline } => self.allocate(pod, rdma, deadline),
            Blocked::Release(release) => {
                self.release(release);
            }
            Blocked::Own(call, came) => {
                self.own_calls += u32::from(matches!(call, OwnCall::Add(_)));
                self.outputs.push(Output::Heard(call, came));
            }
        }
    }

    /// The CNI ADD of a pod with an interface of its own is over, or was not even heard.
    pub(super) fn own_is_over(&mut self, pod: PodId) {
        let behind = |call: &Blocked| matches!(call, Blocked::Own(OwnCall::Add(other), _) if *other == pod);
        match self.blocked.iter().position(behind) {
            Some(i) => _ = self.blocked.remove(i),
            None => self.own_calls -= 1,
        }
    }

    /// Whether a call holds the lock of the service (R125).
    pub(super) fn is_called(&self) -> bool {
        self.rpcs > 0 || self.own_calls > 0
    }

    fn allocate(&mut self, pod: PodId, rdma: bool, deadline: Instant) {
        self.rpcs += 1;
        let asking = Asking { pod: Some(pod), rdma, pinned: self.pinned(pod) };
        match self.offer(asking, deadline) {
            Ok(Admission::Queue(_)) => {}
            Ok(_) => self.rpc_ended(),
            Err(failure) => {
                self.rpc_ended();
                self.fail(pod, failure);
            }
        }
    }

    /// The caller went away: its request leaves the queue (R59).
    pub(super) fn cancel(&mut self, pod: PodId) {
        self.note_whether_here(pod, false);
        self.blocked.retain(|call| !matches!(call, Blocked::Allocate { pod: waiting, .. } if *waiting == pod));
        let now = self.now;
        for i in 0..self.slots.len() {
            if self.slots[i].hurry(now, |waiter| waiter.pod == pod) {
                self.rpc_ended();
                self.broadcast(i);
            }
        }
    }

    /// CNI DEL: the address is idle at once and nobody is woken (R69), unless it is retained
    /// (R129). Says whether it is idle now.
    pub(super) fn release(&mut self, release: Release) -> bool {
        let Release { pod, eni, address, then } = release;
        if then != Fate::Idle {
            self.retained.push(Retained { pod, eni, address, flagged: then == Fate::Retained, returned: false });
            return false;
        }
        let Some(i) = self.slot_of(eni) else { return false };
        let slot = &mut self.slots[i];
        if !slot.set.release(pod, address) {
            return false;
        }
        if let Some(v6) = &mut slot.v6 {
            v6.set.release_of(pod);
        }
        self.last_modified = self.now;
        self.insufficient_until = Instant::ZERO;
        self.outputs.push(Output::Released(pod, eni));
        true
    }

    /// An AllocIP call has been answered.
    pub(super) fn rpc_ended(&mut self) {
        self.rpcs -= 1;
    }

    /// The interface that a retained address pins the pod to (R115).
    pub(super) fn pinned(&self, pod: PodId) -> Option<EniId> {
        self.retained.iter().find(|record| record.pod == pod).map(|record| record.eni)
    }

    /// A pod whose address is retained is here again, or gone again.
    fn note_whether_here(&mut self, pod: PodId, here: bool) {
        for record in self.retained.iter_mut().filter(|record| record.pod == pod) {
            record.returned = here;
        }
    }

    /// The pod is served: its record is an ordinary one again, and says this address. What was retained stays bound to
    /// the pod, also if that is another one (R115, R127).
    pub(super) fn record(&mut self, pod: PodId, eni: EniId, address: Ipv4Addr) {
        if let Some(i) = self.retained.iter().position(|record| record.pod == pod) {
            let before = self.retained.remove(i);
            self.strays.push((pod, before.eni, before.address));
        }
        self.strays.retain(|&stray| stray != (pod, eni, address));
    }

    /// The collection's tick: it takes the lock for writing, so it waits for every pending
    /// AllocIP, and everybody else waits for it (R124, R125).
    pub(super) fn gc_tick(&mut self) {
        if let Some(period) = self.config.gc_period {
            self.next_gc += period;
        }
        self.gc_waits = true;
    }

    /// Runs a waiting collection once no AllocIP is pending, and lets in who waited behind it.
    pub(super) fn let_gc_run(&mut self) {
        while self.gc_waits && !self.is_called() {
            self.gc_waits = false;
            self.collect();
            // The schedule does not drift (R124). Ticks that fell due meanwhile are dropped; Go's
            // ticker keeps one, but with upstream's 118 s and 5 min there is none.
            while self.next_gc <= self.now
                && let Some(period) = self.config.gc_period
            {
                self.next_gc += period;
            }
            while let Some(call) = self.blocked.pop_front() {
                self.rpc(call);
            }
        }
    }

    /// One collection: of each retained address whose pod is gone the first clears the flag, the next releases
    /// (R126, R129).
    fn collect(&mut self) {
        let mut kept = Vec::new();
        for mut record in std::mem::take(&mut self.retained) {
            if record.flagged || record.returned {
                record.flagged &= record.returned;
                kept.push(record);
            } else {
                self.release(Release { pod: record.pod, eni: record.eni, address: record.address, then: Fate::Idle });
            }
        }
        self.retained = kept;
    }

    /// The daemon dies with its node.
    pub(super) fn stop(&mut self) {
        (self.stopped, self.starting) = (true, None);
    }

    /// The daemon dies alone: the connections of everybody who waits break.
    pub(super) fn kill(&mut self) {
        self.stop();
        self.hang_up();
    }

    /// Every pending AllocIP fails (R135); of pods with an interface of their own others know who asks. A DEL behind a
    /// collection stays: it fails, and the kubelet repeats it until the daemon is back.
    fn hang_up(&mut self) {
        (self.rpcs, self.own_calls, self.gc_waits) = (0, 0, false);
        for i in 0..self.slots.len() {
            for pod in self.slots[i].dismiss() {
                self.fail(pod, Failure::Restart);
            }
        }
        for call in std::mem::take(&mut self.blocked) {
            match call {
                Blocked::Allocate { pod, .. } => self.fail(pod, Failure::Restart),
                Blocked::Own(OwnCall::Add(_), _) => {}
                Blocked::Release(_) | Blocked::Own(..) => self.blocked.push_back(call),
            }
        }
    }

    /// The daemon dies and starts: what was in memory is lost, what instance metadata and the
    /// records on disk say is there again (R135 to R141).
    pub(super) fn restart(&mut self, config: Arc<Config>, attached: &[Attached]) {
        let bound: Vec<_> = self
            .slots
            .iter()
            .flat_map(|slot| slot.set.bound().map(|(pod, address)| (pod, slot.eni, address)))
            .collect();
        let bound_v6: Vec<_> = self.bound_v6().collect();
        let strays = std::mem::take(&mut self.strays);
        self.hang_up();
        // Pods that are here still ask again soon.
        self.retained.iter_mut().for_each(|record| record.returned = false);
        self.epoch = self.epoch.wrapping_add(1);
        (self.stopped, self.starting) = (false, None);
        self.start(config, attached);
        for (pod, eni, address) in bound {
            if let Some(eni) = eni
                && strays.contains(&(pod, eni.id, address))
            {
                // No record says it.
                self.outputs.push(Output::Released(pod, eni.id));
                continue;
            }
            let slot = eni.and_then(|eni| self.slot_of(eni.id));
            if let Some(i) = slot {
                self.slots[i].set.bind_at(pod, address);
            }
        }
        for (pod, eni, address) in bound_v6 {
            if strays.iter().any(|&(other, at, _)| (other, at) == (pod, eni)) {
                continue;
            }
            if let Some(v6) = self.slot_of(eni).and_then(|i| self.slots[i].v6.as_mut()) {
                v6.set.bind_at(pod, address);
            }
        }
        for slot in self.slots.iter_mut() {
            slot.set.fit(self.config.ips_per_eni);
            if let Some(v6) = &mut slot.v6 {
                v6.set.fit(self.config.ips_per_eni);
            }
        }
        if !self.is_starting() {
            self.open();
        }
    }

    /// Everybody who calls is heard: first those that called before.
    pub(super) fn open(&mut self) {
        for call in std::mem::take(&mut self.blocked) {
            self.rpc(call);
        }
        for i in 0..self.slots.len() {
            self.broadcast(i);
        }
    }
}

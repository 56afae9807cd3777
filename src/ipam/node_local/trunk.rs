//! The trunk, which has members beside its own addresses (rules R36, R37; `daemon/daemon.go:877-934`).
//!
//! A daemon that starts takes the one that is attached, or makes one before it does anything else: until then it
//! has no slots that serve and does not listen, so that it is as if it were down. From then on the trunk is a
//! slot like the others, but for its priority and that it is never given up (`slot.rs`).

use std::collections::VecDeque;

use super::NodeLocal;
use super::alloc::Alloc;
use super::dispose::Dispose;
use super::pool_sync::PoolSync;
use super::slot::Status;
use super::wake::Sleeper;
use crate::id::EniId;
use crate::ipam::{Devices, Eni, Output};
use crate::time::Instant;

impl NodeLocal {
    /// Whether the daemon makes its trunk, and cannot be called yet.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.starting.is_some()
    }

    /// Its trunk, if it has one.
    #[must_use]
    pub fn trunk(&self) -> Option<EniId> {
        self.slots.iter().find(|slot| slot.is_trunk())?.eni.map(|eni| eni.id)
    }

    /// What a daemon offers that has just started (rule R41, `daemon/builder.go:323-352`).
    #[must_use]
    pub fn devices(&self) -> Devices {
        let attached = self.slots.iter().filter(|slot| slot.eni.is_some());
        let (attached, for_rdma) =
            attached.fold((0, 0), |(all, for_rdma), slot| (all + 1, for_rdma + usize::from(slot.is_for_rdma())));
        let trunk = self.config.trunk.filter(|_| self.trunk().is_some());
        Devices {
            enis: 0,
            members: trunk.map_or(0, |trunk| trunk.members),
            rdma: self.config.rdma.map_or(0, |rdma| rdma.devices(attached, for_rdma, self.config.ips_per_eni)),
        }
    }

    /// If there is a place for a trunk without one: makes it, with one address of each family, in no bucket's time
    /// and without gathering, as nobody waits for it.
    pub(super) fn make_missing_trunk(&mut self) {
        let Some(i) = self.slots.iter().position(|slot| slot.is_trunk() && slot.eni.is_none()) else { return };
        (self.stopped, self.starting) = (true, Some(i as u8));
        let slot = &mut self.slots[i];
        slot.status = Status::Creating;
        slot.sleepers = VecDeque::from([Sleeper::DisposeWorker]);
        self.create_begin(i, 1, u8::from(self.config.dual));
    }

    /// When what makes the trunk goes on by itself.
    pub(super) fn start_wake(&self) -> Instant {
        self.starting.map_or(Instant::NEVER, |i| {
            let slot = &self.slots[usize::from(i)];
            slot.alloc.until().min(slot.dispose.until())
        })
    }

    /// Lets time pass until `now` for a daemon that makes its trunk.
    pub(super) fn go_on_starting(&mut self, now: Instant) {
        while let Some(i) = self.starting.map(usize::from)
            && self.start_wake() <= now
        {
            self.now = self.start_wake();
            match self.slots[i].status {
                Status::Deleting => self.dispose_fire(i),
                _ => self.alloc_fire(i),
            }
        }
    }

    /// The trunk is there: the daemon's other work begins, and it listens (R141).
    pub(super) fn started(&mut self) {
        let now = self.now;
        (self.stopped, self.last_modified) = (false, now);
        if self.config.sync_period.is_some() {
            self.sync = PoolSync::Sleeping { next: now };
        }
        if self.config.gc_period.is_some() {
            self.next_gc = now;
        }
        self.slots.iter_mut().for_each(|slot| slot.next_metadata_sync = now);
        self.outputs.push(Output::Started);
        self.open();
    }

    /// The trunk was not made. What there is of it is deleted, if that works; the daemon dies.
    pub(super) fn trunk_failed(&mut self, i: usize, made: Option<Eni>) {
        let slot = &mut self.slots[i];
        slot.alloc.set(Alloc::Asleep);
        slot.sleepers = VecDeque::from([Sleeper::AllocWorker]);
        (slot.eni, slot.status) = (made, Status::Deleting);
        match made {
            Some(_) => self.detach(i),
            None => self.start_failed(i),
        }
    }

    /// The daemon dies of it.
    pub(super) fn start_failed(&mut self, i: usize) {
        let slot = &mut self.slots[i];
        slot.dispose.set(Dispose::Asleep);
        slot.sleepers = VecDeque::from([Sleeper::AllocWorker, Sleeper::DisposeWorker]);
        if slot.eni.is_none() {
            slot.status = Status::Init;
        }
        self.starting = None;
        self.outputs.push(Output::NotStarted);
    }
}

//! An interface as the list has it (`daemon/eni-multi-ip.go`, rules P45, P46, P60).

use std::net::Ipv4Addr;

use super::scheduler::TaskId;
use crate::ipam::Eni;
use crate::time::Instant;

/// Requests that wait for an interface (rule P46).
const BACKLOG: u32 = 10;

/// Names an entry of the list; never used again.
pub(super) type EntryId = u32;

/// An interface of the node, or one that is being created.
#[derive(Debug)]
pub(super) struct Entry {
    pub id: EntryId,
    /// `None` = it is being created.
    pub eni: Option<Eni>,
    pub ips: Vec<Ipv4Addr>,
    /// Addresses that are promised and not delivered yet.
    pub pending: u32,
    /// Requests that its worker has not taken yet.
    pub backlog: u32,
    /// The worker, if it waits for a request.
    pub worker: Option<TaskId>,
    pub inhibited_until: Instant,
    /// Who hands its first addresses out, and holds its lock meanwhile (rule A1).
    pub holder: Option<TaskId>,
    /// Who waits for that.
    pub waiting: Vec<TaskId>,
}

impl Entry {
    /// Addresses that it has or will have (rule P45).
    pub fn load(&self) -> u32 {
        self.pending + self.ips.len() as u32
    }

    /// Whether it rests, since its vSwitch had no address (rule P60).
    pub fn is_inhibited(&self, now: Instant) -> bool {
        self.eni.is_some() && now < self.inhibited_until
    }

    /// Whether it could take a request otherwise: it has less than `most` addresses, and its worker
    /// waits for a request or others do for the worker.
    pub fn has_room(&self, most: u32) -> bool {
        self.load() < most && (self.worker.is_some() || self.backlog < BACKLOG)
    }
}

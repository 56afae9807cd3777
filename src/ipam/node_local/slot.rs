//! A slot: the place for one secondary interface (rules R45 to R50, R58, R65, R67, R71).

use std::collections::VecDeque;

use super::address_set::AddressSet;
use super::alloc::Alloc;
use super::dispose::Dispose;
use super::wake::Sleeper;
use crate::chance::SmallStream;
use crate::id::{EniId, PodId};
use crate::ipam::Eni;
use crate::ipam::throttle::TokenBucket;
use crate::time::{Instant, Span};

/// Tokens per second of a slot's buckets (R49).
const TOKEN_RATE: f64 = 1.0 / 6.0;
/// Tokens of a full bucket (R49).
const TOKEN_BURST: u32 = 2;

/// Status of a slot (R45).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No interface.
    Init,
    /// The interface is being made.
    Creating,
    /// The interface serves.
    InUse,
    /// The interface is to be deleted.
    Deleting,
}

/// A request that waits in a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiter {
    pub id: u32,
    /// `PodId::NONE` = a preheat of the pool sync.
    pub pod: PodId,
    pub deadline: Instant,
    /// A preheat whose address was made: it ends when it runs next (R57).
    pub done: bool,
}

impl Waiter {
    pub fn is_preheat(&self) -> bool {
        self.pod == PodId::NONE
    }
}

/// Why a slot does not take a request; only what the manager tells apart (R74).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Inhibited,
    Other,
}

/// What a slot does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Refused(Refusal),
    /// An address is there.
    Serve,
    /// The request has to wait for one.
    Queue,
}

/// A slot with its two workers.
#[derive(Debug)]
pub(super) struct Slot {
    pub status: Status,
    pub eni: Option<Eni>,
    pub set: AddressSet,
    /// Everybody who sleeps on the slot's condition variable, the next to be readied first
    /// (R151). A worker is among them iff it is asleep.
    pub sleepers: VecDeque<Sleeper>,
    /// When the first of the waiters leaves of its own accord: the earliest deadline.
    pub next_leave: Instant,
    /// IDs of requests for which no address was asked yet.
    pub allocating: VecDeque<u32>,
    /// IDs of requests for which an address was made that somebody may have taken.
    pub dangling: VecDeque<u32>,
    pub inhibit_until: Instant,
    pub eni_bucket: TokenBucket,
    pub assign_bucket: TokenBucket,
    pub alloc: Alloc,
    pub dispose: Dispose,
    pub next_metadata_sync: Instant,
    pub metadata_jitter: SmallStream,
}

impl Slot {
    pub fn new(now: Instant, metadata_jitter: SmallStream) -> Self {
        Self {
            status: Status::Init,
            eni: None,
            set: AddressSet::default(),
            sleepers: VecDeque::from([Sleeper::AllocWorker, Sleeper::DisposeWorker]),
            next_leave: Instant::NEVER,
            allocating: VecDeque::new(),
            dangling: VecDeque::new(),
            inhibit_until: Instant::ZERO,
            eni_bucket: TokenBucket::full(TOKEN_RATE, TOKEN_BURST),
            assign_bucket: TokenBucket::full(TOKEN_RATE, TOKEN_BURST),
            alloc: Alloc::Asleep,
            dispose: Dispose::Asleep,
            next_metadata_sync: now,
            metadata_jitter,
        }
    }

    /// Priority among the node's slots (R71).
    pub fn priority(&self) -> i32 {
        let base = match self.status {
            Status::Deleting => return -100,
            Status::Init => 0,
            Status::Creating => 10,
            Status::InUse => 50,
        };
        base + self.set.len() as i32
    }

    pub fn is_inhibited(&self, now: Instant) -> bool {
        self.inhibit_until > now
    }

    /// What becomes of a request (R50). `pod` is `None` for a preheat, which never looks at
    /// addresses that are there.
    pub fn admit(&self, now: Instant, pod: Option<PodId>, pinned: Option<EniId>, cap: u32) -> Admission {
        if self.status == Status::Deleting {
            return Admission::Refused(Refusal::Other);
        }
        if let (Some(pinned), Some(eni)) = (pinned, self.eni)
            && pinned != eni.id
        {
            return Admission::Refused(Refusal::Other);
        }
        if pod.is_some_and(|pod| self.set.has_allocatable() || self.set.holds(pod)) {
            return Admission::Serve;
        }
        if self.set.len() + self.allocating.len() as u32 >= cap {
            return Admission::Refused(Refusal::Other);
        }
        if self.is_inhibited(now) {
            return Admission::Refused(Refusal::Inhibited);
        }
        Admission::Queue
    }

    /// The waiter of a request ends, for whatever reason. If the request was still to be asked
    /// for, the oldest one whose address was made takes its place at the tail: demand is
    /// conserved (R58).
    pub fn settle(&mut self, id: u32) {
        let Some(position) = self.allocating.iter().position(|&queued| queued == id) else {
            self.dangling.retain(|&made| made != id);
            return;
        };
        self.allocating.remove(position);
        if let Some(oldest) = self.dangling.pop_front() {
            self.allocating.push_back(oldest);
        }
    }

    /// The first `n` requests were asked for (R54, R55); preheats among them are done with that
    /// (R57).
    pub fn made(&mut self, n: usize) {
        for _ in 0..n {
            let Some(id) = self.allocating.pop_front() else { return };
            if !self.preheat_done(id) {
                self.dangling.push_back(id);
            }
        }
    }

    /// Of the pods whose deadline has come by `now` the one that asked first, of those that asked
    /// after the waiter `last`.
    pub fn next_expired(&self, now: Instant, last: Option<u32>) -> Option<(u32, PodId)> {
        let expired = self.waiters().filter(|w| !w.is_preheat() && w.deadline <= now && Some(w.id) > last);
        expired.map(|waiter| (waiter.id, waiter.pod)).min()
    }

    /// Every pod that waits leaves at once, and is forgotten; preheats stay.
    pub fn dismiss(&mut self) -> Vec<PodId> {
        let (ids, pods): (Vec<_>, Vec<_>) =
            self.waiters().filter(|waiter| !waiter.is_preheat()).map(|waiter| (waiter.id, waiter.pod)).unzip();
        let stays = |id: &u32| !ids.contains(id);
        self.sleepers.retain(|sleeper| !matches!(sleeper, Sleeper::Waiter(waiter) if !waiter.is_preheat()));
        self.allocating.retain(stays);
        self.dangling.retain(stays);
        self.next_leave = self.first_deadline();
        pods
    }

    /// Whether the interface may be deleted (R65).
    pub fn can_dispose(&self) -> bool {
        self.eni.is_none() || (self.set.in_use() == 0 && self.allocating.is_empty())
    }

    /// Marks up to `n` addresses for being given back, or the whole interface, and says how many
    /// upstream believes it marked (R67). `map_order` is the chance of Go's map iteration.
    pub fn trim(&mut self, n: u32, map_order: &mut SmallStream) -> u32 {
        if self.status != Status::InUse {
            return 0;
        }
        if n >= self.set.len() && self.can_dispose() {
            self.status = Status::Deleting;
            return self.set.len();
        }
        self.set.dispose_invalid();
        let rounds = self.set.idle().min(n);
        self.set.dispose(rounds, map_order);
        rounds
    }

    /// If the interface has no address for anybody, and will neither get nor lose one, the time
    /// through which that lasts: for ever if it is full, else as long as it is inhibited.
    pub fn barren_through(&self, cap: u32) -> Option<Instant> {
        let quiet = self.status == Status::InUse
            && matches!(self.dispose, Dispose::Asleep)
            && self.set.deleting() == 0
            && !self.set.has_allocatable();
        let through = if self.set.len() >= cap { Instant::NEVER } else { self.inhibit_until - Span(1) };
        quiet.then_some(through)
    }

    /// Whether a broadcast at `now` would do anything (R66 lists the broadcasts).
    pub fn broadcast_acts(&self, now: Instant) -> bool {
        (self.set.has_allocatable() && self.waiters().any(|waiter| !waiter.is_preheat()))
            || self.alloc_would_start(now)
            || self.dispose_would_start()
    }

    /// Whether the alloc worker, woken at `now`, finds work (R52).
    pub fn alloc_would_start(&self, now: Instant) -> bool {
        matches!(self.alloc, Alloc::Asleep)
            && !self.allocating.is_empty()
            && matches!(self.status, Status::Init | Status::InUse)
            && !self.is_inhibited(now)
    }

    /// Whether the dispose worker, when woken, finds work (R68).
    pub fn dispose_would_start(&self) -> bool {
        matches!(self.dispose, Dispose::Asleep)
            && self.eni.is_some()
            && match self.status {
                Status::Deleting => self.can_dispose(),
                _ => self.set.deleting() > 0,
            }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::id::VSwitchId;

    /// R67: before the rounds of a trim every unused address that is not valid is marked, which is
    /// not counted; one that a pod has is not.
    #[test]
    fn r67_invalid_addresses_are_given_back_first() {
        let mut chance = SmallStream::new(1);
        let address = |n| Ipv4Addr::new(10, 0, 0, n);
        let mut slot = Slot::new(Instant::ZERO, chance);
        slot.eni = Some(Eni { id: EniId(0), vswitch: VSwitchId(0), primary: address(1) });
        slot.status = Status::InUse;
        for n in 1..=4 {
            slot.set.add_valid(address(n), n == 1, &mut chance);
        }
        for n in [1, 3] {
            assert!(slot.set.bind_at(PodId(u32::from(n)), address(n)));
        }
        slot.set.invalidate(address(2));
        slot.set.invalidate(address(3));
        // Idle are 2 and 4. Of the two rounds the first takes 4, the second finds nothing.
        assert_eq!(slot.trim(2, &mut chance), 2);
        assert_eq!(slot.set.deleting(), 2);
        assert!(slot.set.release(PodId(3), address(3)));
        assert_eq!((slot.trim(0, &mut chance), slot.set.deleting()), (0, 3));
    }
}

//! A slot: the place for one secondary interface (rules R45 to R50, R58, R65, R67, R71).

use std::collections::VecDeque;

use super::address_set::AddressSet;
use super::alloc::Alloc;
use super::demand::{Demand, Family};
use super::dispose::Dispose;
use super::seldom::Seldom;
use super::slots::Known;
use super::v6::V6;
use super::wake::Sleeper;
use crate::chance::SmallStream;
use crate::id::{EniId, PodId};
use crate::ipam::throttle::{Limit, Tokens};
use crate::ipam::{Eni, Kind};
use crate::time::{Instant, Span};

/// The limit of each of a slot's buckets (R49).
pub(super) const TOKENS: Limit = Limit { rate: 1.0 / 6.0, burst: 2 };

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
    /// A preheat for which an address was made, of whichever family: it ends when it runs next
    /// (R57, R146).
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
    /// Addresses are there.
    Serve,
    /// The request has to wait for one that is asked for.
    Queue(Lacks),
}

/// A request, as a slot sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    /// `None` = a preheat, which never looks at addresses that are there.
    pub pod: Option<PodId>,
    /// Whether the pod asks for RDMA.
    pub rdma: bool,
    /// The interface of the pod's retained address (R115).
    pub pinned: Option<EniId>,
}

/// The families of which a request asks for an address. It asks for none where it has seen one
/// that is idle, which others see too (R147).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lacks {
    pub v4: bool,
    pub v6: bool,
}

/// A slot with its two workers. What every pod looks at is in the first cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Slot {
    /// Of the interface that it has or would make.
    pub kind: Kind,
    pub status: Status,
    /// A preheat among the sleepers is done.
    pub finished: bool,
    /// Of the time ahead.
    pub known: Known,
    pub eni: Option<Eni>,
    pub set: AddressSet,
    /// When something may happen that shows, if that is known; a lower bound.
    pub wake: Instant,
    /// `None` = IPv4 only.
    pub v6: Option<Box<V6>>,
    /// Requests for IPv4 addresses.
    pub demand: Seldom<Demand>,
    pub inhibit_until: Instant,
    /// When the first of the waiters leaves of its own accord: the earliest deadline.
    pub next_leave: Instant,
    /// Everybody who sleeps on the slot's condition variable, the next to be readied first
    /// (R151). A worker is among them iff it is asleep.
    pub sleepers: VecDeque<Sleeper>,
    pub alloc: Seldom<Alloc>,
    pub dispose: Seldom<Dispose>,
    pub next_metadata_sync: Instant,
    pub metadata_jitter: SmallStream,
    pub eni_bucket: Tokens,
    pub assign_bucket: Tokens,
}

const _: () = assert!(size_of::<Slot>() == 256, "a slot is in four cache lines");

impl Slot {
    pub fn new(now: Instant, kind: Kind, metadata_jitter: SmallStream, dual: bool) -> Self {
        Self {
            kind,
            status: Status::Init,
            eni: None,
            set: AddressSet::default(),
            known: Known::Nothing,
            wake: Instant::ZERO,
            sleepers: VecDeque::from([Sleeper::AllocWorker, Sleeper::DisposeWorker]),
            next_leave: Instant::NEVER,
            finished: false,
            demand: Seldom::default(),
            v6: dual.then(|| Box::new(V6::new())),
            inhibit_until: Instant::ZERO,
            eni_bucket: Tokens::full(TOKENS),
            assign_bucket: Tokens::full(TOKENS),
            alloc: Seldom::default(),
            dispose: Seldom::default(),
            next_metadata_sync: now,
            metadata_jitter,
        }
    }

    /// Gives back the memory that it needs only while it is busy.
    pub fn tidy(&mut self) {
        self.demand.tidy();
        self.alloc.tidy();
        self.dispose.tidy();
        // The two workers stay.
        if self.sleepers.len() <= 2 && self.sleepers.capacity() > 2 {
            self.sleepers.shrink_to_fit();
        }
    }

    /// Priority among the node's slots (R71, R148).
    pub fn priority(&self) -> i32 {
        if self.is_trunk() {
            return 100;
        }
        let base = match self.status {
            Status::Deleting => return -100,
            Status::Init => 0,
            Status::Creating => 10,
            Status::InUse => 50,
        };
        base + (self.set.len() + self.v6.as_ref().map_or(0, |v6| v6.set.len())) as i32
    }

    /// Idle and used addresses as the pool sync counts them (R77).
    pub fn usage(&self) -> (u32, u32) {
        if self.status == Status::InUse { (self.set.idle(), self.set.in_use()) } else { (0, 0) }
    }

    pub fn is_inhibited(&self, now: Instant) -> bool {
        self.inhibit_until > now
    }

    /// What becomes of a request (R50, R144).
    pub fn admit(&mut self, now: Instant, asking: Asking, cap: u32) -> Admission {
        let Asking { pod, rdma, pinned } = asking;
        if rdma != self.is_for_rdma() || self.status == Status::Deleting {
            return Admission::Refused(Refusal::Other);
        }
        if let (Some(pinned), Some(eni)) = (pinned, self.eni)
            && pinned != eni.id
        {
            return Admission::Refused(Refusal::Other);
        }
        let lacks_v4 = !pod.is_some_and(|pod| self.set.offers(pod));
        if lacks_v4 && self.set.len() + self.queued_v4() as u32 >= cap {
            return Admission::Refused(Refusal::Other);
        }
        let lacks_v6 = match &mut self.v6 {
            Some(v6) if !pod.is_some_and(|pod| v6.set.offers(pod)) => {
                v6.demand.forget_ended();
                if v6.set.len() + v6.demand.len() as u32 >= cap {
                    return Admission::Refused(Refusal::Other);
                }
                true
            }
            _ => false,
        };
        if !lacks_v4 && !lacks_v6 {
            return Admission::Serve;
        }
        if self.is_inhibited(now) {
            return Admission::Refused(Refusal::Inhibited);
        }
        Admission::Queue(Lacks { v4: lacks_v4, v6: lacks_v6 })
    }

    pub fn is_for_rdma(&self) -> bool {
        self.kind == Kind::HighPerformance
    }

    /// Whether the interface carries members beside its own addresses; it has one from the daemon's
    /// start on (R36).
    pub fn is_trunk(&self) -> bool {
        self.kind == Kind::Trunk
    }

    /// A request waits from now on, for what it lacks.
    pub fn ask(&mut self, id: u32, lacks: Lacks) {
        if lacks.v4 {
            self.demand.ask(id);
        }
        if let Some(v6) = self.v6.as_mut().filter(|_| lacks.v6) {
            v6.demand.ask(id);
        }
    }

    /// Whether the interface has what `pod` needs, which waits here.
    pub fn serves(&self, pod: PodId) -> bool {
        match &self.v6 {
            None => self.set.has_allocatable(),
            Some(v6) => self.set.offers(pod) && v6.set.offers(pod),
        }
    }

    /// Whether a waiter asked for one family alone, since it saw an idle address of the other, and its
    /// request was carried out: if it waits still, for nothing (R147).
    pub fn has_peeked_in_vain(&self, id: u32) -> bool {
        let Some(v6) = &self.v6 else { return false };
        matches!((self.demand.awaits(id), v6.demand.awaits(id)), (Some(false), None) | (None, Some(false)))
    }

    /// Requests for which an IPv4 address is to be asked.
    pub fn queued_v4(&mut self) -> usize {
        if self.v6.is_some() {
            self.demand.forget_ended();
        }
        self.demand.len()
    }

    /// Requests for which an IPv6 address is to be asked.
    pub fn queued_v6(&mut self) -> usize {
        let Some(v6) = &mut self.v6 else { return 0 };
        v6.demand.forget_ended();
        v6.demand.len()
    }

    /// Whether an address of some family is to be asked for.
    pub fn has_demand(&self) -> bool {
        !self.demand.is_empty() || self.v6.as_ref().is_some_and(|v6| !v6.demand.is_empty())
    }

    /// The waiter of a request ends, for whatever reason (R58).
    pub fn settle(&mut self, id: u32) {
        self.demand.settle(id);
        if let Some(v6) = &mut self.v6 {
            v6.demand.settle(id);
        }
    }

    /// The first `n` requests of a family were asked for (R54, R55); preheats among them are done
    /// with that, also if they asked for an address of the other family too (R57, R146).
    pub fn made(&mut self, family: Family, n: usize) {
        for _ in 0..n {
            let demand = match (family, &mut self.v6) {
                (Family::V6, Some(v6)) => &mut v6.demand,
                _ => &mut *self.demand,
            };
            let Some(id) = demand.pop() else { return };
            match (self.preheat_done(id), family, &mut self.v6) {
                (true, Family::V4, Some(v6)) => v6.demand.end(id),
                (true, Family::V6, _) => self.demand.end(id),
                (true, Family::V4, None) => {}
                (false, Family::V6, Some(v6)) => v6.demand.dangle(id),
                (false, ..) => self.demand.dangle(id),
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
        self.sleepers.retain(|sleeper| !matches!(sleeper, Sleeper::Waiter(waiter) if !waiter.is_preheat()));
        self.demand.drop_all(&ids);
        if let Some(v6) = &mut self.v6 {
            v6.demand.drop_all(&ids);
        }
        self.next_leave = self.first_deadline();
        pods
    }

    /// Whether the interface may be deleted (R65).
    pub fn can_dispose(&self) -> bool {
        let in_use = self.set.in_use() + self.v6.as_ref().map_or(0, |v6| v6.set.in_use());
        self.eni.is_none() || (self.kind == Kind::Secondary && in_use == 0 && !self.has_demand())
    }

    /// Marks up to `n` addresses of each family for being given back, or the whole interface, and
    /// says how many upstream believes it marked (R67). Each family is trimmed for itself (R145).
    /// `map_order` is the chance of Go's map iteration.
    pub fn trim(&mut self, n: u32, map_order: &mut SmallStream) -> u32 {
        if self.status != Status::InUse {
            return 0;
        }
        let most = self.set.len().max(self.v6.as_ref().map_or(0, |v6| v6.set.len()));
        if n >= most && self.can_dispose() {
            self.status = Status::Deleting;
            return most;
        }
        let trimmed = self.set.trim(n, map_order);
        self.v6.as_mut().map_or(0, |v6| v6.set.trim(n, map_order)).max(trimmed)
    }

    /// Addresses that wait for being given back.
    pub fn leaving(&self) -> u32 {
        self.set.deleting() + self.v6.as_ref().map_or(0, |v6| v6.set.deleting())
    }

    /// If the interface has no IPv4 address for anybody, and will neither get nor lose one, the
    /// time through which that lasts: for ever if it is full, else as long as it is inhibited.
    pub fn barren_through(&self, cap: u32) -> Option<Instant> {
        let quiet = self.status == Status::InUse
            && matches!(*self.dispose, Dispose::Asleep)
            && self.leaving() == 0
            && !self.set.has_allocatable()
            && !self.serves_somebody();
        let through = if self.set.len() >= cap { Instant::NEVER } else { self.inhibit_until - Span(1) };
        quiet.then_some(through)
    }

    /// From when on a broadcast would do anything, as things are (R66 lists the broadcasts); `None` =
    /// it would not.
    pub fn broadcast_acts_from(&self) -> Option<Instant> {
        let acts_at_once =
            self.dispose_would_start() || self.has_waiters() && (self.finished || self.serves_somebody());
        if acts_at_once { Some(Instant::ZERO) } else { self.alloc_has_work().then_some(self.inhibit_until) }
    }

    /// Whether nobody is here but the two workers, both asleep, and nothing to do for them.
    pub fn is_at_rest(&self) -> bool {
        self.sleepers.len() == 2
            && matches!((&*self.alloc, &*self.dispose), (Alloc::Asleep, Dispose::Asleep))
            && self.broadcast_acts_from().is_none()
    }

    /// Whether anybody sleeps but the workers.
    fn has_waiters(&self) -> bool {
        let is_asleep = [matches!(*self.alloc, Alloc::Asleep), matches!(*self.dispose, Dispose::Asleep)];
        self.sleepers.len() > is_asleep.into_iter().map(usize::from).sum()
    }

    /// Whether a broadcast at `now` would do anything.
    pub fn broadcast_acts(&self, now: Instant) -> bool {
        self.broadcast_acts_from().is_some_and(|from| from <= now)
    }

    fn serves_somebody(&self) -> bool {
        let mut pods = self.waiters().filter(|waiter| !waiter.is_preheat());
        match self.v6 {
            None => self.set.has_allocatable() && pods.next().is_some(),
            Some(_) => pods.any(|waiter| self.serves(waiter.pod)),
        }
    }

    /// Whether the alloc worker, woken at `now`, finds work (R52).
    pub fn alloc_would_start(&self, now: Instant) -> bool {
        self.alloc_has_work() && !self.is_inhibited(now)
    }

    /// Whether the alloc worker, woken when the slot is not inhibited, finds work.
    fn alloc_has_work(&self) -> bool {
        matches!(*self.alloc, Alloc::Asleep) && matches!(self.status, Status::Init | Status::InUse) && self.has_demand()
    }

    /// Whether the dispose worker, when woken, finds work (R68).
    pub fn dispose_would_start(&self) -> bool {
        matches!(*self.dispose, Dispose::Asleep)
            && self.eni.is_some()
            && match self.status {
                Status::Deleting => self.can_dispose(),
                _ => self.leaving() > 0,
            }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::address::V6Addr;
    use crate::id::VSwitchId;

    /// R67: before the rounds of a trim every unused address that is not valid is marked, which is
    /// not counted; one that a pod has is not.
    #[test]
    fn r67_invalid_addresses_are_given_back_first() {
        let mut chance = SmallStream::new(1);
        let address = |n| Ipv4Addr::new(10, 0, 0, n);
        let mut slot = Slot::new(Instant::ZERO, Kind::Secondary, chance, false);
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

    /// R148: the priority adds the addresses of both families.
    #[test]
    fn r148_priority_adds_both_families() {
        let mut chance = SmallStream::new(1);
        let mut slot = Slot::new(Instant::ZERO, Kind::Secondary, chance, true);
        slot.status = Status::InUse;
        for n in 0..25 {
            slot.set.add_valid(Ipv4Addr::new(10, 0, 0, n), n == 0, &mut chance);
            let v6 = slot.v6.as_mut().expect("the slot is dual stack");
            v6.set.add_valid(V6Addr(n.into()), false, &mut chance);
        }
        assert_eq!(slot.priority(), 100);
    }

    /// R146: a preheat that is done with its IPv4 address asks for no IPv6 address, from the moment on
    /// at which somebody counts.
    #[test]
    fn r146_a_preheat_that_is_done_is_forgotten_when_somebody_counts() {
        let mut slot = Slot::new(Instant::ZERO, Kind::Secondary, SmallStream::new(1), true);
        let waiter = Waiter { id: 7, pod: PodId::NONE, deadline: Instant::NEVER, done: false };
        slot.sleepers.push_back(Sleeper::Waiter(waiter));
        slot.ask(7, Lacks { v4: true, v6: true });
        slot.made(Family::V4, 1);
        assert!(!slot.has_demand() && slot.finished);
        assert_eq!((slot.v6.as_ref().map(|v6| v6.demand.len()), slot.queued_v6()), (Some(1), 0));
    }
}

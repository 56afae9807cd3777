//! The daemon's view of its candidate vSwitches (rules R86 to R94).

use crate::chance::SmallStream;
use crate::id::VSwitchId;
use crate::ipam::node_local::VSwitchSelection;
use crate::time::{Instant, Span};

/// Life of a cached count from its last write (R86).
const TTL: Span = Span::mins(10);

/// A candidate with its cached count of free addresses.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    id: VSwitchId,
    free: u32,
    /// The count holds through this time; `None` = not cached.
    expires: Option<Instant>,
}

impl Candidate {
    fn cached(&self, now: Instant) -> Option<u32> {
        self.expires.is_some_and(|expires| now <= expires).then_some(self.free)
    }
}

/// The candidates of one daemon, in upstream's order of the moment.
#[derive(Debug, Clone)]
pub struct SwitchPool {
    candidates: Vec<Candidate>,
    /// Through this time every count is known to be zero; `None` = some is not. Kept, since every
    /// event of a daemon asks.
    empty_through: Option<Instant>,
}

/// How far one selection has come: candidates are looked up one by one (R90).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    looked_up: usize,
    /// Bit per candidate whose look-up failed; such a candidate is dropped.
    failed: u64,
}

/// What a selection needs or found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selected {
    /// The count of this vSwitch has to be looked up first (R87).
    Describe(VSwitchId),
    /// This one.
    Chosen(VSwitchId),
    /// None has an address left, as far as the cache knows (R92).
    None,
}

impl SwitchPool {
    /// Nothing is cached yet.
    #[must_use]
    pub fn new(ids: &[VSwitchId]) -> Self {
        assert!(ids.len() <= 64, "a zone has at most 64 candidate vSwitches");
        let candidates = ids.iter().map(|&id| Candidate { id, free: 0, expires: None }).collect();
        let mut pool = Self { candidates, empty_through: None };
        pool.note_empty();
        pool
    }

    /// Begins a selection; `random` shuffles the list in place (R90).
    pub fn begin(&mut self, policy: VSwitchSelection, chance: &mut SmallStream) -> Selection {
        if policy == VSwitchSelection::Random {
            for i in (1..self.candidates.len()).rev() {
                self.candidates.swap(i, chance.below(i as u32 + 1) as usize);
            }
        }
        Selection::default()
    }

    /// Continues a selection until it needs a look-up or is decided.
    pub fn proceed(&self, now: Instant, policy: VSwitchSelection, selection: &mut Selection) -> Selected {
        while let Some(candidate) = self.candidates.get(selection.looked_up) {
            let failed = selection.failed >> selection.looked_up & 1 == 1;
            match candidate.cached(now) {
                None if !failed => return Selected::Describe(candidate.id),
                Some(1..) if policy != VSwitchSelection::Most => return Selected::Chosen(candidate.id),
                _ => selection.looked_up += 1,
            }
        }
        if policy != VSwitchSelection::Most {
            return Selected::None;
        }
        // `rev`, since the last of equals wins in `max_by_key` and upstream's sort is stable.
        let most = self.candidates.iter().rev().filter_map(|c| Some((c.cached(now)?, c.id)));
        match most.max_by_key(|&(free, _)| free) {
            Some((1.., id)) => Selected::Chosen(id),
            _ => Selected::None,
        }
    }

    /// The look-up that `selection` waited for failed: the candidate is dropped (R87).
    pub fn lookup_failed(&self, selection: &mut Selection) {
        selection.failed |= 1 << selection.looked_up;
    }

    /// Stores a looked-up count (R86).
    pub fn store(&mut self, now: Instant, id: VSwitchId, free: u32) {
        if let Some(candidate) = self.candidate(id) {
            (candidate.free, candidate.expires) = (free, Some(now + TTL));
            self.note_empty();
        }
    }

    /// Blocks a vSwitch for ten minutes, if it is cached (R89).
    pub fn block(&mut self, now: Instant, id: VSwitchId) {
        if let Some(candidate) = self.candidate(id).filter(|c| c.cached(now).is_some()) {
            (candidate.free, candidate.expires) = (0, Some(now + TTL));
            self.note_empty();
        }
    }

    /// The time through which every selection ends in [`Selected::None`] without a look-up;
    /// `None` if a selection at `now` would not.
    #[must_use]
    pub fn futile_through(&self, now: Instant) -> Option<Instant> {
        self.empty_through.filter(|&through| now <= through)
    }

    /// Through this time every candidate is known to be empty; `None` = some is not.
    #[must_use]
    pub fn empty_through(&self) -> Option<Instant> {
        self.empty_through
    }

    /// Whether the daemon regards `id` as without free addresses.
    #[must_use]
    pub fn is_blocked(&self, now: Instant, id: VSwitchId) -> bool {
        self.candidates.iter().any(|c| c.id == id && c.cached(now) == Some(0))
    }

    fn note_empty(&mut self) {
        let through = |c: &Candidate| c.expires.filter(|_| c.free == 0);
        self.empty_through =
            self.candidates.iter().try_fold(Instant::NEVER, |least, c| through(c).map(|at| least.min(at)));
    }

    fn candidate(&mut self, id: VSwitchId) -> Option<&mut Candidate> {
        self.candidates.iter_mut().find(|c| c.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: VSwitchId = VSwitchId(0);
    const B: VSwitchId = VSwitchId(1);

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::secs(secs)
    }

    fn choose(pool: &mut SwitchPool, now: Instant, policy: VSwitchSelection) -> Selected {
        let mut selection = pool.begin(policy, &mut SmallStream::new(6));
        pool.proceed(now, policy, &mut selection)
    }

    /// CC43: the largest count wins whatever the order; a candidate whose look-up fails is
    /// dropped.
    #[test]
    fn cc43_most_takes_the_largest() {
        let mut pool = SwitchPool::new(&[A, B]);
        pool.store(at(0), A, 5);
        let mut selection = pool.begin(VSwitchSelection::Most, &mut SmallStream::new(6));
        assert_eq!(pool.proceed(at(0), VSwitchSelection::Most, &mut selection), Selected::Describe(B));
        let mut failed = selection;
        pool.lookup_failed(&mut failed);
        assert_eq!(pool.proceed(at(0), VSwitchSelection::Most, &mut failed), Selected::Chosen(A));
        pool.store(at(0), B, 9);
        assert_eq!(pool.proceed(at(0), VSwitchSelection::Most, &mut selection), Selected::Chosen(B));
        pool.store(at(0), B, 5);
        assert_eq!(choose(&mut pool, at(0), VSwitchSelection::Most), Selected::Chosen(A));
    }

    /// CC42, R86: a count holds through exactly ten minutes from its last write.
    #[test]
    fn cc42_counts_expire() {
        let mut pool = SwitchPool::new(&[A]);
        pool.store(at(0), A, 5);
        assert_eq!(choose(&mut pool, at(600), VSwitchSelection::Most), Selected::Chosen(A));
        assert_eq!(choose(&mut pool, at(600) + Span(1), VSwitchSelection::Most), Selected::Describe(A));
    }

    /// CC44, R89: blocking zeroes a cached count for ten more minutes; an uncached one is left.
    #[test]
    fn cc44_a_blocked_vswitch_is_skipped() {
        let mut pool = SwitchPool::new(&[A, B]);
        pool.block(at(0), A);
        assert_eq!(pool.futile_through(at(0)), None);
        pool.store(at(0), A, 5);
        pool.store(at(0), B, 5);
        pool.block(at(9), A);
        assert_eq!(choose(&mut pool, at(10), VSwitchSelection::Ordered), Selected::Chosen(B));
        pool.block(at(20), B);
        assert_eq!(choose(&mut pool, at(30), VSwitchSelection::Ordered), Selected::None);
        assert_eq!(pool.futile_through(at(30)), Some(at(609)));
        assert_eq!(choose(&mut pool, at(610), VSwitchSelection::Ordered), Selected::Describe(A));
    }

    /// CC40: random draws see every candidate.
    #[test]
    fn cc40_random_sees_all() {
        let mut pool = SwitchPool::new(&[A, B]);
        pool.store(at(0), A, 5);
        pool.store(at(0), B, 5);
        let mut chance = SmallStream::new(7);
        let mut seen = [0; 2];
        for _ in 0..1000 {
            let mut selection = pool.begin(VSwitchSelection::Random, &mut chance);
            let Selected::Chosen(id) = pool.proceed(at(1), VSwitchSelection::Random, &mut selection) else {
                panic!("both have addresses")
            };
            seen[id.index()] += 1;
        }
        assert!(seen.iter().all(|&n| (400..600).contains(&n)), "{seen:?}");
    }
}

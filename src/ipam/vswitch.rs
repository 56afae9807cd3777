//! The daemon's view of its candidate vSwitches (rules R86 to R94), and how one of several is chosen by whoever looks them up.

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The first of the list with a free address; so many have been looked up.
    First(usize),
    /// The one with most.
    Most(Search),
}

/// The choice of a vSwitch among candidates, whose counts may be looked up while it goes on (`GetOne`,
/// `pkg/vswitch/vswitch.go:72-127`; rules R90, C75, C147). With `most` every candidate is counted first; then they are looked up
/// again, those with most first, since a count may have expired or a vSwitch been blocked meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The candidates of this pass.
    order: Vec<VSwitchId>,
    /// How many of them have been looked up.
    looked_up: usize,
    /// What was counted in the first of two passes; `None` = this is the last.
    counts: Option<Vec<(VSwitchId, u32)>>,
}

impl Search {
    /// Nothing has been looked up.
    #[must_use]
    pub fn new(order: Vec<VSwitchId>, most: bool) -> Self {
        Self { order, looked_up: 0, counts: most.then(Vec::new) }
    }

    /// The candidate to look up; `None` = there is none left.
    pub fn to_look_up(&mut self) -> Option<VSwitchId> {
        if self.looked_up == self.order.len()
            && let Some(mut counts) = self.counts.take()
        {
            counts.sort_by_key(|&(_, free)| std::cmp::Reverse(free));
            *self = Self::new(counts.into_iter().map(|(id, _)| id).collect(), false);
        }
        self.order.get(self.looked_up).copied()
    }

    /// The candidate to look up has so many free addresses; `None` = that could not be found out. Whether it is the one.
    pub fn found(&mut self, free: Option<u32>) -> bool {
        let id = self.order[self.looked_up];
        self.looked_up += 1;
        match &mut self.counts {
            Some(counts) => counts.extend(free.map(|free| (id, free))),
            None => return free.is_some_and(|free| free > 0),
        }
        false
    }
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
            chance.shuffle(&mut self.candidates);
        }
        match policy {
            VSwitchSelection::Most => {
                Selection::Most(Search::new(self.candidates.iter().map(|c| c.id).collect(), true))
            }
            VSwitchSelection::Random | VSwitchSelection::Ordered => Selection::First(0),
        }
    }

    /// Continues a selection until it needs a look-up or is decided.
    pub fn proceed(&self, now: Instant, selection: &mut Selection) -> Selected {
        match selection {
            Selection::First(looked_up) => {
                while let Some(candidate) = self.candidates.get(*looked_up) {
                    match candidate.cached(now) {
                        None => return Selected::Describe(candidate.id),
                        Some(1..) => return Selected::Chosen(candidate.id),
                        Some(0) => *looked_up += 1,
                    }
                }
            }
            Selection::Most(search) => {
                while let Some(id) = search.to_look_up() {
                    let candidate = self.candidates.iter().find(|c| c.id == id).expect("it is one of them");
                    match candidate.cached(now) {
                        None => return Selected::Describe(id),
                        free if search.found(free) => return Selected::Chosen(id),
                        _ => {}
                    }
                }
            }
        }
        Selected::None
    }

    /// The look-up that `selection` waited for failed: the candidate is dropped (R87).
    pub fn lookup_failed(&self, selection: &mut Selection) {
        match selection {
            Selection::First(looked_up) => *looked_up += 1,
            Selection::Most(search) => _ = search.found(None),
        }
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
        pool.proceed(now, &mut selection)
    }

    /// CC43: the largest count wins whatever the order; a candidate whose look-up fails is
    /// dropped.
    #[test]
    fn cc43_most_takes_the_largest() {
        let mut pool = SwitchPool::new(&[A, B]);
        pool.store(at(0), A, 5);
        let mut selection = pool.begin(VSwitchSelection::Most, &mut SmallStream::new(6));
        assert_eq!(pool.proceed(at(0), &mut selection), Selected::Describe(B));
        let mut failed = selection.clone();
        pool.lookup_failed(&mut failed);
        assert_eq!(pool.proceed(at(0), &mut failed), Selected::Chosen(A));
        pool.store(at(0), B, 9);
        assert_eq!(pool.proceed(at(0), &mut selection), Selected::Chosen(B));
        pool.store(at(0), B, 5);
        assert_eq!(choose(&mut pool, at(0), VSwitchSelection::Most), Selected::Chosen(A));
    }

    /// R90: the one with most is looked up again when all are counted. A count that has expired during another's look-up is asked
    /// for once more, and a vSwitch that was blocked meanwhile is passed over (`pkg/vswitch/vswitch.go:83-127`).
    #[test]
    fn r90_most_looks_twice() {
        let mut pool = SwitchPool::new(&[A, B]);
        pool.store(at(0), A, 0);
        let mut selection = pool.begin(VSwitchSelection::Most, &mut SmallStream::new(6));
        assert_eq!(pool.proceed(at(600), &mut selection), Selected::Describe(B));
        pool.store(at(601), B, 0);
        assert_eq!(pool.proceed(at(601), &mut selection), Selected::Describe(A));
        pool.store(at(602), A, 3);
        assert_eq!(pool.proceed(at(602), &mut selection), Selected::Chosen(A));

        let mut selection = pool.begin(VSwitchSelection::Most, &mut SmallStream::new(6));
        assert_eq!(pool.proceed(at(1201) + Span(1), &mut selection), Selected::Describe(B));
        pool.block(at(1202), A);
        pool.store(at(1202), B, 1);
        assert_eq!(pool.proceed(at(1202), &mut selection), Selected::Chosen(B));
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
            let Selected::Chosen(id) = pool.proceed(at(1), &mut selection) else { panic!("both have addresses") };
            seen[id.index()] += 1;
        }
        assert!(seen.iter().all(|&n| (400..600).contains(&n)), "{seen:?}");
    }
}

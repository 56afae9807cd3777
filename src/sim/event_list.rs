//! The future event list: a ladder queue with chunked buckets.
//!
//! A heap of a million events misses the cache at every level; a ladder touches each event a
//! small, constant number of times, in order of memory. Events far away lie unsorted in coarse
//! buckets. A bucket whose turn has come is dealt out to a finer *rung* of buckets, or, once it
//! is small, sorted into the *bottom*, from which events are taken:
//!
//! ```text
//!   now                                                                      time →
//!   │ bottom  │                                                        │ top
//!   │ sorted  │ rung 2                  │                              │ unsorted, whatever
//!   │ ▁▂▃▅▆▇  │ │ 3│ 0│ 7│ 2│ 4│ 1│ 5│  │ rung 1                       │ comes after the
//!   │         │ finest                  │ │   22    │   18    │    9    │ last rung
//!   └─────────┴─────────────────────────┴──────────────────────────────┴───────────────────
//!                                          each bucket:  ▣▣▣▣▣ → ▣▣▣▣▣ → ▣▣▢▢▢
//!                                                        chunks of one cache line, from one arena
//! ```
//!
//! Two events at the same time always lie in the same part, and every part keeps the order of
//! arrival: buckets are filled and dealt out front to back, and the sort is stable. So events
//! come out in the total order (time, order of arrival) without a sequence number, which could
//! wrap around.
//!
//! Many events at one instant are no burden: a bucket of one instant needs no sort and any number
//! of events may be appended to it. What is pushed into the bottom moves at most `SMALL`
//! events; where it would move more, the bottom becomes a rung.

use std::collections::VecDeque;

use crate::time::Instant;

/// Most events that are sorted, or moved for an insertion; more are dealt out to buckets.
const SMALL: usize = 64;
/// Events per bucket that a new rung aims at (a power of two).
const PER_BUCKET: usize = 8;
/// Events of a chunk: with the link they fill a cache line.
const CHUNK: usize = 5;

/// The future event list.
#[derive(Debug, Default)]
pub struct EventList {
    /// What is next, sorted; all of it is earlier than what the rungs hold.
    bottom: VecDeque<Entry>,
    /// The coarsest first; those from `depth` on are empty and kept for their memory.
    rungs: Vec<Rung>,
    depth: usize,
    /// Everything later than `horizon`.
    top: Bucket,
    top_range: Range,
    /// The last time that belongs to the rungs or the bottom.
    horizon: u64,
    arena: Arena,
}

impl EventList {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event; among events of one time the first to be added comes first.
    pub fn push(&mut self, at: Instant, event: u32) {
        let entry = Entry { at: at.0, event };
        if entry.at > self.horizon {
            self.top_range.include(entry.at, self.top.len == 0);
            self.arena.append(&mut self.top, entry);
            return;
        }
        for rung in &mut self.rungs[..self.depth] {
            if let Some(bucket) = rung.bucket_for(entry.at) {
                self.arena.append(bucket, entry);
                return;
            }
        }
        self.insert(entry);
    }

    /// The time of the earliest event.
    pub fn peek_time(&mut self) -> Option<Instant> {
        self.fill_bottom();
        self.bottom.front().map(|entry| Instant(entry.at))
    }

    /// Takes the earliest event.
    pub fn pop(&mut self) -> Option<(Instant, u32)> {
        self.fill_bottom();
        self.bottom.pop_front().map(|entry| (Instant(entry.at), entry.event))
    }

    /// The events that come next, as far as they are sorted, the earliest first; what is pushed meanwhile may
    /// come before.
    pub fn sorted(&mut self) -> impl ExactSizeIterator<Item = u32> {
        self.fill_bottom();
        self.bottom.iter().map(|entry| entry.event)
    }

    /// Sorts an event into the bottom.
    fn insert(&mut self, entry: Entry) {
        let place = self.bottom.partition_point(|other| other.at <= entry.at);
        if place.min(self.bottom.len() - place) <= SMALL {
            self.bottom.insert(place, entry);
            return;
        }
        let range = Range { first: self.bottom[0].at.min(entry.at), last: self.bottom_last() };
        let rung = Self::next_rung(&mut self.rungs, &mut self.depth, range, self.bottom.len());
        for entry in self.bottom.drain(..).chain([entry]) {
            let bucket = rung.bucket_for(entry.at).expect("the rung spans the bottom");
            self.arena.append(bucket, entry);
        }
    }

    /// The last time that belongs to the bottom.
    fn bottom_last(&self) -> u64 {
        match self.rungs[..self.depth].last() {
            Some(rung) => rung.opened_through(),
            None => self.horizon,
        }
    }

    /// Sees to it that the earliest event, if there is one, is in the bottom.
    fn fill_bottom(&mut self) {
        while self.bottom.is_empty() {
            let (bucket, range) = match self.rungs[..self.depth].last_mut() {
                Some(rung) => match rung.open_next() {
                    Some(opened) => opened,
                    None => {
                        self.depth -= 1;
                        continue;
                    }
                },
                None if self.top.len == 0 => {
                    self.horizon = 0;
                    return;
                }
                None => {
                    self.horizon = self.top_range.last;
                    (std::mem::take(&mut self.top), self.top_range)
                }
            };
            if range.first == range.last || bucket.len as usize <= SMALL {
                self.sort(bucket);
            } else {
                self.deal(bucket, range);
            }
        }
    }

    /// Moves a bucket to the bottom.
    fn sort(&mut self, mut bucket: Bucket) {
        self.bottom.clear();
        while let Some(chunk) = self.arena.take_chunk(&mut bucket) {
            self.bottom.extend(chunk.entries());
        }
        let bottom = self.bottom.make_contiguous();
        if !bottom.is_sorted_by_key(|entry| entry.at) {
            bottom.sort_by_key(|entry| entry.at);
        }
    }

    /// Deals a bucket out to a rung of its own.
    fn deal(&mut self, mut bucket: Bucket, range: Range) {
        let rung = Self::next_rung(&mut self.rungs, &mut self.depth, range, bucket.len as usize);
        while let Some(chunk) = self.arena.take_chunk(&mut bucket) {
            for entry in chunk.entries() {
                let bucket = rung.bucket_for(entry.at).expect("the rung spans the bucket");
                self.arena.append(bucket, entry);
            }
        }
    }

    /// Makes another rung for `events` events in `range`.
    fn next_rung<'r>(rungs: &'r mut Vec<Rung>, depth: &mut usize, range: Range, events: usize) -> &'r mut Rung {
        if *depth == rungs.len() {
            rungs.push(Rung::default());
        }
        *depth += 1;
        let rung = &mut rungs[*depth - 1];
        rung.span(range, events);
        rung
    }
}

/// An event and its time.
#[derive(Debug, Clone, Copy)]
struct Entry {
    at: u64,
    event: u32,
}

/// Times from `first` to `last`, both included, so that the end of time fits.
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    first: u64,
    last: u64,
}

impl Range {
    /// Widens the range to `at`, or begins it there.
    fn include(&mut self, at: u64, begin: bool) {
        self.first = if begin { at } else { self.first.min(at) };
        self.last = if begin { at } else { self.last.max(at) };
    }
}

/// Buckets of equal width, a power of two.
#[derive(Debug, Default)]
struct Rung {
    first: u64,
    /// Logarithm of the width.
    shift: u32,
    /// Buckets before this one have been opened.
    next: usize,
    buckets: Vec<Bucket>,
}

impl Rung {
    /// Lays buckets for `events` events over `range`.
    fn span(&mut self, range: Range, events: usize) {
        let length = range.last - range.first;
        let wanted = (events / PER_BUCKET).max(2);
        // The smallest shift that leaves at most `wanted` buckets, or half of them.
        self.shift = (u64::BITS - length.leading_zeros()).saturating_sub(wanted.ilog2());
        (self.first, self.next) = (range.first, 0);
        self.buckets.clear();
        self.buckets.resize((length >> self.shift) as usize + 1, Bucket::default());
    }

    /// The bucket that `at` belongs to; `None` if that has been opened.
    fn bucket_for(&mut self, at: u64) -> Option<&mut Bucket> {
        let index = (at.checked_sub(self.first)? >> self.shift) as usize;
        if index < self.next { None } else { Some(&mut self.buckets[index]) }
    }

    /// Opens the next bucket that is not empty.
    fn open_next(&mut self) -> Option<(Bucket, Range)> {
        let skipped = self.buckets[self.next..].iter().position(|bucket| bucket.len > 0);
        let index = self.next + skipped?;
        self.next = index + 1;
        let first = self.first + ((index as u64) << self.shift);
        Some((std::mem::take(&mut self.buckets[index]), Range { first, last: self.opened_through() }))
    }

    /// The last time of the buckets that have been opened.
    fn opened_through(&self) -> u64 {
        match self.next.checked_sub(1) {
            Some(index) => self.first.saturating_add((index as u64) << self.shift | ((1 << self.shift) - 1)),
            None => self.first.saturating_sub(1),
        }
    }
}

/// A queue of chunks in the arena; all but the last are full.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    head: u32,
    tail: u32,
    len: u32,
}

/// A cache line of events.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Chunk {
    at: [u64; CHUNK],
    event: [u32; CHUNK],
    /// The next chunk of the bucket, or of the free ones.
    next: u32,
}

const _: () = assert!(size_of::<Chunk>() == 64, "a chunk is a cache line");

/// A chunk that was taken out, with the number of its events.
struct Taken {
    chunk: Chunk,
    len: usize,
}

impl Taken {
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let Chunk { at, event, .. } = &self.chunk;
        at[..self.len].iter().zip(event).map(|(&at, &event)| Entry { at, event })
    }
}

/// All chunks; those that are free are linked.
#[derive(Debug, Default)]
struct Arena {
    chunks: Vec<Chunk>,
    free: Vec<u32>,
}

impl Arena {
    fn append(&mut self, bucket: &mut Bucket, entry: Entry) {
        let place = bucket.len as usize % CHUNK;
        if place == 0 {
            let chunk = self.allocate();
            match bucket.len {
                0 => bucket.head = chunk,
                _ => self.chunks[bucket.tail as usize].next = chunk,
            }
            bucket.tail = chunk;
        }
        let chunk = &mut self.chunks[bucket.tail as usize];
        (chunk.at[place], chunk.event[place]) = (entry.at, entry.event);
        bucket.len += 1;
    }

    /// Takes the first chunk out of a bucket.
    fn take_chunk(&mut self, bucket: &mut Bucket) -> Option<Taken> {
        let len = (bucket.len as usize).min(CHUNK);
        if len == 0 {
            return None;
        }
        let chunk = self.chunks[bucket.head as usize];
        self.free.push(bucket.head);
        bucket.head = chunk.next;
        bucket.len -= len as u32;
        Some(Taken { chunk, len })
    }

    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk { at: [0; CHUNK], event: [0; CHUNK], next: 0 });
            u32::try_from(self.chunks.len() - 1).expect("fewer than 2^32 chunks fit memory")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What the list has to do, in the most obvious way.
    #[derive(Default)]
    struct Reference {
        events: BTreeMap<(u64, usize), u32>,
        pushed: usize,
    }

    impl Reference {
        fn push(&mut self, at: u64, event: u32) {
            self.events.insert((at, self.pushed), event);
            self.pushed += 1;
        }

        fn pop(&mut self) -> Option<(Instant, u32)> {
            self.events.pop_first().map(|((at, _), event)| (Instant(at), event))
        }
    }

    /// One step of a random run; times count from the last event taken, as in a simulation.
    #[derive(Debug, Clone)]
    enum Step {
        /// Push this many, each this much later than now.
        Push(Vec<u64>),
        /// Push this many at one time.
        Burst {
            after: u64,
            events: usize,
        },
        /// Push at the time of the earliest event.
        AtMinimum,
        /// Push at the end of time.
        Never,
        Peek,
        Pop(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let gap = prop_oneof![
            4 => 0..20u64,
            4 => 0..1_000_000u64,
            2 => (0..63u32).prop_flat_map(|bits| 0..=1u64 << bits),
        ];
        prop_oneof![
            4 => prop::collection::vec(gap.clone(), 1..200).prop_map(Step::Push),
            1 => (gap, 1..500usize).prop_map(|(after, events)| Step::Burst { after, events }),
            2 => Just(Step::AtMinimum),
            1 => Just(Step::Never),
            1 => Just(Step::Peek),
            4 => (1..200usize).prop_map(Step::Pop),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn events_come_in_order_of_time_then_of_arrival(steps in prop::collection::vec(step(), 1..80)) {
            let (mut list, mut reference) = (EventList::new(), Reference::default());
            let mut now = 0u64;
            let mut event = 0;
            let mut push = |list: &mut EventList, reference: &mut Reference, at| {
                event += 1;
                list.push(Instant(at), event);
                reference.push(at, event);
            };
            for step in steps {
                match step {
                    Step::Push(gaps) => for gap in gaps {
                        push(&mut list, &mut reference, now.saturating_add(gap));
                    },
                    Step::Burst { after, events } => for _ in 0..events {
                        push(&mut list, &mut reference, now.saturating_add(after));
                    },
                    Step::AtMinimum => {
                        let at = list.peek_time().unwrap_or(Instant(now));
                        push(&mut list, &mut reference, at.0);
                    }
                    Step::Never => push(&mut list, &mut reference, u64::MAX),
                    Step::Peek => {
                        let first = reference.events.first_key_value().map(|((at, _), _)| Instant(*at));
                        prop_assert_eq!(list.peek_time(), first);
                    }
                    Step::Pop(n) => for _ in 0..n {
                        let popped = list.pop();
                        prop_assert_eq!(popped, reference.pop());
                        now = popped.map_or(now, |(at, _)| at.0);
                    },
                }
            }
            while let Some(expected) = reference.pop() {
                prop_assert_eq!(list.pop(), Some(expected));
            }
            prop_assert_eq!(list.pop(), None);
        }
    }

    /// Takes all events of a list, of which each of the first `more` pushes another `after` its
    /// own time, and returns how many there were.
    fn run(list: &mut EventList, more: usize, after: impl Fn(usize) -> u64) -> usize {
        let mut taken = 0;
        let mut last = Instant::ZERO;
        while let Some((at, _)) = list.pop() {
            assert!(at >= last, "time goes forward");
            last = at;
            if taken < more {
                list.push(Instant(at.0.saturating_add(after(taken))), 0);
            }
            taken += 1;
        }
        taken
    }

    /// A rollout: very many events at one instant, each of which makes another at once.
    #[test]
    fn a_rollout_at_one_instant_is_no_burden() {
        const N: usize = 300_000;
        for spread in [0, 1, 7] {
            let mut list = EventList::new();
            for i in 0..N {
                list.push(Instant(1_000 + i as u64 % (spread + 1)), i as u32);
            }
            list.push(Instant::NEVER, 0);
            assert_eq!(run(&mut list, N, |_| 0), 2 * N + 1);
        }
    }

    /// Many events are known at `T` when many more come up before it.
    #[test]
    fn a_crowd_ahead_does_not_slow_down_what_comes_before() {
        const N: usize = 100_000;
        let mut list = EventList::new();
        for i in 0..N {
            list.push(Instant(1 << 40), i as u32);
        }
        assert_eq!(list.peek_time(), Some(Instant(1 << 40)));
        for i in 0..N {
            list.push(Instant(((i * 7_919) % N) as u64), 0);
            assert!(list.peek_time().is_some_and(|at| at.0 < 1 << 40));
        }
        assert_eq!(run(&mut list, N, |i| i as u64 % 10), 3 * N);
    }

    /// One event at the end of time must not make a sorted list of all the others.
    #[test]
    fn an_event_at_the_end_of_time_spoils_nothing() {
        const N: usize = 200_000;
        let mut list = EventList::new();
        list.push(Instant::NEVER, 0);
        assert_eq!(list.peek_time(), Some(Instant::NEVER));
        for i in 0..N {
            list.push(Instant((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20), 0);
        }
        assert_eq!(run(&mut list, N, |i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24), 2 * N + 1);
    }

    /// Memory follows what is pending, not what was ever pushed.
    #[test]
    fn chunks_are_used_again() {
        let mut list = EventList::new();
        for i in 0..10_000 {
            list.push(Instant(i * 1_000), 0);
        }
        for i in 0..200_000u64 {
            let (at, _) = list.pop().expect("as many are pushed as popped");
            list.push(Instant(at.0 + 1 + i.wrapping_mul(0x9e37_79b9) % 20_000_000), 0);
        }
        assert!(list.arena.chunks.len() < 20_000, "{} chunks for 10,000 events", list.arena.chunks.len());
    }
}

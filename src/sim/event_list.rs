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
/// What comes among so many of the bottom's first events is put there without a search.
const NEAR: usize = 4;
/// Events per bucket that a new rung aims at (a power of two).
const PER_BUCKET: usize = 4;
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
        self.pop_by(Instant::NEVER)
    }

    /// Takes the earliest event, if it is not later than `until`.
    #[inline]
    pub fn pop_by(&mut self, until: Instant) -> Option<(Instant, u32)> {
        self.fill_bottom();
        let first = self.bottom.front().filter(|first| first.at <= until.0)?;
        let taken = (Instant(first.at), first.event);
        self.bottom.pop_front();
        Some(taken)
    }

    /// Takes another event of the time of the one that was taken last, if there is one: it lies where
    /// that lay.
    #[inline]
    pub fn pop_at(&mut self, at: Instant) -> Option<u32> {
        let event = self.bottom.front().filter(|first| first.at == at.0)?.event;
        self.bottom.pop_front();
        Some(event)
    }

    /// The events that come next, as far as they are sorted, the earliest first; what is pushed meanwhile may
    /// come before.
    pub fn sorted(&mut self) -> impl ExactSizeIterator<Item = u32> {
        self.fill_bottom();
        self.bottom.iter().map(|entry| entry.event)
    }

    /// Sorts an event into the bottom.
    fn insert(&mut self, entry: Entry) {
        if let Some(place) = self.bottom.iter().take(NEAR).position(|other| other.at > entry.at) {
            self.bottom.push_front(entry);
            return (0..place).for_each(|i| self.bottom.swap(i, i + 1));
        }
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
    #[inline]
    fn fill_bottom(&mut self) {
        if self.bottom.is_empty() {
            self.open_next();
        }
    }

    /// Fills the bottom, which is empty, with what is next.
    #[inline(never)]
    fn open_next(&mut self) {
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
        // Between the two nothing is moved or allocated.
        let mut bottom = Vec::from(std::mem::take(&mut self.bottom));
        while let Some(chunk) = self.arena.take_chunk(&mut bucket) {
            bottom.extend(chunk.entries());
        }
        bottom.sort_by_key(|entry| entry.at);
        self.bottom = bottom.into();
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
    #[inline]
    fn append(&mut self, bucket: &mut Bucket, entry: Entry) {
        let place = bucket.len as usize % CHUNK;
        if place == 0 {
            self.add_chunk(bucket);
        }
        let chunk = &mut self.chunks[bucket.tail as usize];
        (chunk.at[place], chunk.event[place]) = (entry.at, entry.event);
        bucket.len += 1;
    }

    /// Puts a chunk at the end of a bucket. Not inlined: four events of five do without.
    #[inline(never)]
    fn add_chunk(&mut self, bucket: &mut Bucket) {
        let chunk = self.allocate();
        match bucket.len {
            0 => bucket.head = chunk,
            _ => self.chunks[bucket.tail as usize].next = chunk,
        }
        bucket.tail = chunk;
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
mod tests;

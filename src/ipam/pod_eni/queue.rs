//! The work queue of one of the three controllers: controller-runtime's priority queue with its
//! default pauses (C149).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::time::{Instant, Span};

/// First pause after an error, and the longest: there is no limit of all errors together
/// (controller-runtime v0.24.0, `pkg/controller/controller.go`, default of the priority queue).
const PAUSE: (Span, Span) = (Span::millis(5), Span::secs(1000));

/// Objects that want to be looked at, one entry each.
#[derive(Debug)]
pub(super) struct Queue<K> {
    entries: BTreeMap<K, Entry>,
    /// The entries in the order of service: those that are ready as they were added or became so, then
    /// delayed ones by the times at which they will be (C26).
    order: BTreeSet<(Entry, K)>,
    busy: BTreeSet<K>,
    free_workers: u32,
    added: u64,
    /// Failures in a row.
    failures: BTreeMap<K, u32>,
}

/// When an entry is ready (`None` = at once), and its number.
type Entry = (Option<Instant>, u64);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nothing more to do until something changes.
    Done,
    /// Again after this long.
    After(Span),
    /// With an error, or a wish to come again: after a pause that doubles each time.
    Retry,
}

impl<K: Ord + Copy> Queue<K> {
    /// An empty queue.
    pub fn new(workers: u32) -> Self {
        Self {
            entries: BTreeMap::new(),
            order: BTreeSet::new(),
            busy: BTreeSet::new(),
            free_workers: workers,
            added: 0,
            failures: BTreeMap::new(),
        }
    }

    /// Asks for a run at once; an entry with a delay loses it (C26).
    pub fn add(&mut self, key: K) {
        self.insert(key, None);
    }

    /// What to look at now; a worker is busy with it until [`Self::done`].
    pub fn take(&mut self, now: Instant) -> Option<K> {
        self.line_up(now);
        if self.free_workers == 0 {
            return None;
        }
        let mut ready = self.order.iter().take_while(|((ready, _), _)| ready.is_none());
        let &(entry, key) = ready.find(|(_, key)| !self.busy.contains(key))?;
        self.order.remove(&(entry, key));
        self.entries.remove(&key);
        self.busy.insert(key);
        self.free_workers -= 1;
        Some(key)
    }

    /// A run ended.
    pub fn done(&mut self, now: Instant, key: K, ended: Ended) {
        match ended {
            Ended::Done => _ = self.failures.remove(&key),
            Ended::After(pause) => {
                self.failures.remove(&key);
                self.insert(key, Some(now + pause));
            }
            Ended::Retry => {
                let failures = self.failures.entry(key).or_default();
                let pause = PAUSE.0.mul_f64(f64::from(2u32.pow((*failures).min(20)))).min(PAUSE.1);
                *failures += 1;
                self.insert(key, Some(now + pause));
            }
        }
        self.busy.remove(&key);
        self.free_workers += 1;
    }

    /// When the next delayed entry is ready; those that are ready already wait for a worker.
    pub fn next_ready(&self, now: Instant) -> Instant {
        self.next_delayed(Some(now)).map_or(Instant::NEVER, |(ready, _)| ready)
    }

    /// The first entry that is ready later than then, of those with a delay.
    fn next_delayed(&self, than: Option<Instant>) -> Option<(Instant, K)> {
        let (&any, _) = self.entries.first_key_value()?;
        // No entry of that time has a number this high; the key does not matter.
        let later = (Bound::Excluded(((than, u64::MAX), any)), Bound::Unbounded);
        let &((ready, _), key) = self.order.range(later).next()?;
        Some((ready?, key))
    }

    /// Entries whose delay is over stand behind those that are ready already.
    fn line_up(&mut self, now: Instant) {
        while let Some((_, key)) = self.next_delayed(None).filter(|&(ready, _)| ready <= now) {
            let entry = self.entries[&key];
            self.order.remove(&(entry, key));
            self.put(key, (None, self.added));
            self.added += 1;
        }
    }

    /// Adds an entry; of several, the earliest counts.
    fn insert(&mut self, key: K, ready: Option<Instant>) {
        let Some(&entry) = self.entries.get(&key) else {
            self.put(key, (ready, self.added));
            self.added += 1;
            return;
        };
        // `None` is less than every time: at once is earlier than anything.
        if ready < entry.0 {
            self.order.remove(&(entry, key));
            self.put(key, (ready, entry.1));
        }
    }

    fn put(&mut self, key: K, entry: Entry) {
        self.entries.insert(key, entry);
        self.order.insert((entry, key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Span::millis(millis)
    }

    /// C149: pauses double from 5 ms to 1000 s; a run without an error resets them, and an event
    /// takes a pause away.
    #[test]
    fn c149_pauses_double_after_errors() {
        let mut queue = Queue::new(1);
        let mut pause = |ended| {
            queue.add(7);
            assert_eq!(queue.take(at(0)), Some(7), "an event does not wait");
            queue.done(at(0), 7, ended);
            queue.next_ready(at(0)).since(at(0))
        };
        let pauses: Vec<_> = (0..20).map(|_| pause(Ended::Retry)).collect();
        assert_eq!(pauses[..4], [5, 10, 20, 40].map(Span::millis));
        assert_eq!(pauses[17..], [Span::millis(5 << 17), Span::secs(1000), Span::secs(1000)]);
        pause(Ended::After(Span::secs(1)));
        assert_eq!(pause(Ended::Retry), Span::millis(5));
    }

    /// C26: objects are served in the order in which they became ready, with a delay or without; one that loses its delay
    /// stands where it was added.
    #[test]
    fn c26_who_is_ready_first_is_served_first() {
        let mut queue = Queue::new(1);
        queue.add(1);
        assert_eq!(queue.take(at(0)), Some(1));
        queue.done(at(0), 1, Ended::After(Span::millis(5)));
        queue.add(2);
        assert_eq!(queue.take(at(1)), Some(2));
        assert_eq!(queue.take(at(5)), None);
        queue.add(3);
        queue.done(at(7), 2, Ended::After(Span::secs(1)));
        queue.add(4);
        queue.add(2);
        let mut order = Vec::new();
        while let Some(key) = queue.take(at(8)) {
            order.push(key);
            queue.done(at(8), key, Ended::Done);
        }
        assert_eq!(order, [1, 3, 2, 4]);
    }

    /// C149: a worker is busy until its run ends, and an object has one worker at a time.
    #[test]
    fn c149_workers_are_few() {
        let mut queue = Queue::new(2);
        for key in [1, 2, 3] {
            queue.add(key);
        }
        assert_eq!([queue.take(at(0)), queue.take(at(0)), queue.take(at(0))], [Some(1), Some(2), None]);
        queue.add(1);
        queue.done(at(1), 2, Ended::Done);
        assert_eq!((queue.take(at(1)), queue.take(at(1))), (Some(3), None), "1 is still busy");
        queue.done(at(2), 1, Ended::Done);
        assert_eq!(queue.take(at(2)), Some(1));
    }
}

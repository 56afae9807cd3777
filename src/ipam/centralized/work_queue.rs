//! The controller's work queue: controller-runtime's priority queue with its rate limiters
//! (C20 to C27).

use super::order::Order;
use crate::id::NodeId;
use crate::ipam::throttle::TokenBucket;
use crate::time::{Instant, Span};

/// An entry that is ready within this time is served soon: longer than a node waits that does not rest, as
/// a rule (C21).
const SOON: Span = Span::mins(5);
/// First pause after an error, and the longest (C23).
const PAUSE: (Span, Span) = (Span::secs(1), Span::secs(300));

/// Nodes that want to be reconciled, one entry each.
#[derive(Debug)]
pub(super) struct WorkQueue {
    places: Vec<Place>,
    /// The entries in the order of service, but for those of busy nodes.
    order: Order<Entry>,
    /// Workers that have nothing to do.
    free_workers: u32,
    now: Instant,
    /// The last entry that was taken.
    taken: (Entry, NodeId),
    /// All errors together (C23).
    bucket: TokenBucket,
}

/// What the queue knows of a node.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    entry: Option<Entry>,
    /// It is being reconciled.
    is_busy: bool,
    /// Errors in a row.
    failures: u32,
}

/// An entry of the queue. They are served in the order in which they became ready (C26); of those that became so at one
/// instant, the one that was added first, and then that of the older node, where upstream counts. An entry that lost its
/// delay stands where it would if it had never had one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// From when on it stands among those that are ready.
    ready: Instant,
    /// When it was added: then, if it has no delay.
    added: Instant,
}

impl Entry {
    /// One that is ready at once.
    pub fn at_once(added: Instant) -> Self {
        Self { ready: added, added }
    }

    /// One that is ready then.
    pub fn delayed(ready: Instant, added: Instant) -> Self {
        debug_assert!(ready > added, "a delay is longer than nothing");
        Self { ready, added }
    }

    /// When it is ready, if it has a delay.
    pub fn delay(self) -> Option<Instant> {
        Some(self.ready).filter(|&ready| ready > self.added)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// There was nothing to do, and nothing asks for more.
    Quiet,
    /// Well: again after this long.
    Again(Span),
    /// With an error: again after a pause that doubles each time.
    Failed,
}

impl WorkQueue {
    /// An empty queue.
    pub fn new(workers: u32) -> Self {
        Self {
            places: Vec::new(),
            order: Order::new(),
            free_workers: workers,
            now: Instant::ZERO,
            taken: (Entry::at_once(Instant::ZERO), NodeId(0)),
            bucket: TokenBucket::full(500.0, 1000),
        }
    }

    /// What is added from now on is added at `now`.
    pub fn advance(&mut self, now: Instant) {
        self.now = now;
    }

    /// Asks for a run at once; an entry with a delay loses it (C26).
    pub fn add(&mut self, node: NodeId) {
        let entry = self.entry(node);
        if entry.is_none_or(|entry| entry.delay().is_some()) {
            self.put(node, Entry::at_once(entry.map_or(self.now, |entry| entry.added)));
        }
    }

    /// The node to reconcile now.
    pub fn next(&self, now: Instant) -> Option<NodeId> {
        let (entry, node) = self.order.first().filter(|_| !self.is_saturated())?;
        (entry.ready <= now).then_some(node)
    }

    /// A worker takes the [`next`](Self::next) node.
    pub fn take(&mut self, node: NodeId) {
        self.order.remove(node);
        let place = self.place(node);
        let entry = place.entry.take().expect("it is the next");
        place.is_busy = true;
        self.taken = (entry, node);
        self.free_workers -= 1;
    }

    /// Whether a worker would take a node at once if it were the [`next`](Self::next).
    pub fn is_free_for(&self, node: NodeId) -> bool {
        !self.is_saturated() && !self.places.get(node.index()).is_some_and(|place| place.is_busy)
    }

    /// As [`add`](Self::add) and [`take`](Self::take), if a worker [is free](Self::is_free_for) and nothing
    /// else is ready. `added` = when the node was added before, if its entry does not say so.
    pub fn take_at_once(&mut self, node: NodeId, added: Option<Instant>) {
        self.order.remove(node);
        self.passes(node, added);
        self.place(node).is_busy = true;
        self.free_workers -= 1;
    }

    /// As [`take_at_once`](Self::take_at_once), and [`done`](Self::done) at once with nothing but another run
    /// after a pause.
    pub fn put_back(&mut self, node: NodeId, added: Option<Instant>, pause: Span) {
        self.passes(node, added);
        self.place(node).failures = 0;
        self.put_off(node, self.now + pause, self.now);
    }

    /// The entry of a node is taken at once.
    fn passes(&mut self, node: NodeId, added: Option<Instant>) {
        let now = self.now;
        let entry = self.place(node).entry.take();
        let added = added.or(entry.map(|entry| entry.added)).unwrap_or(now);
        self.taken = (Entry::at_once(added), node);
    }

    /// A run ended.
    pub fn done(&mut self, now: Instant, node: NodeId, ended: Ended) {
        self.free_workers += 1;
        let place = self.place(node);
        place.is_busy = false;
        let ready = match ended {
            Ended::Quiet | Ended::Again(_) => {
                place.failures = 0;
                if let Ended::Again(after) = ended { Some(now + after) } else { None }
            }
            Ended::Failed => {
                let pause = PAUSE.0.mul_f64(f64::from(2u32.pow(place.failures.min(20)))).min(PAUSE.1);
                place.failures += 1;
                Some(self.bucket.take(now).max(now + pause))
            }
        };
        if let Some(entry) = self.entry(node) {
            // What was added meanwhile, without a delay, was not in the order of service.
            self.put(node, entry);
        } else if let Some(ready) = ready {
            self.put_off(node, ready, self.now);
        }
    }

    /// A node is gone.
    pub fn forget(&mut self, node: NodeId) {
        let place = std::mem::take(self.place(node));
        self.order.remove(node);
        self.free_workers += u32::from(place.is_busy);
    }

    /// Whether every worker is busy.
    pub fn is_saturated(&self) -> bool {
        self.free_workers == 0
    }

    /// Whether an entry would have been taken before the one that was taken last.
    pub fn has_passed(&self, entry: Entry, node: NodeId) -> bool {
        (entry, node) < self.taken
    }

    /// When the next entry is ready, if there is a worker for it: otherwise the end of a run is what
    /// all wait for.
    pub fn next_ready(&self) -> Instant {
        if self.is_saturated() {
            return Instant::NEVER;
        }
        self.order.first_key().map_or(Instant::NEVER, |entry| entry.ready)
    }

    /// The entry of a node.
    pub fn entry(&self, node: NodeId) -> Option<Entry> {
        self.places.get(node.index())?.entry
    }

    /// When the entry of a node is ready, if it has one with a delay.
    pub fn delayed_until(&self, node: NodeId) -> Option<Instant> {
        self.entry(node)?.delay()
    }

    /// Gives the entry of a node another delay, as if it had been added at `added`.
    pub fn put_off(&mut self, node: NodeId, ready: Instant, added: Instant) {
        self.put(node, Entry::delayed(ready, added));
    }

    fn put(&mut self, node: NodeId, entry: Entry) {
        let place = self.place(node);
        place.entry = Some(entry);
        if !place.is_busy {
            self.order.set(node, entry, entry.ready <= self.now + SOON);
        }
    }

    fn place(&mut self, node: NodeId) -> &mut Place {
        if self.places.len() <= node.index() {
            self.places.resize(node.index() + 1, Place::default());
        }
        &mut self.places[node.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    fn take(queue: &mut WorkQueue, now: Instant) -> Option<NodeId> {
        let node = queue.next(now)?;
        queue.take(node);
        Some(node)
    }

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::secs(secs)
    }

    /// C26: of several adds the earliest counts, and one without delay takes the delay away.
    #[test]
    fn c26_an_immediate_add_takes_the_delay_away() {
        let mut queue = WorkQueue::new(2);
        queue.add(A);
        assert_eq!(take(&mut queue, at(0)), Some(A));
        queue.done(at(0), A, Ended::Again(Span::secs(120)));
        assert_eq!((take(&mut queue, at(0)), queue.next_ready()), (None, at(120)));
        queue.add(A);
        assert_eq!(take(&mut queue, at(5)), Some(A));
        queue.done(at(5), A, Ended::Again(Span::secs(120)));
        assert_eq!(queue.next_ready(), at(125));
    }

    /// C26: who is ready first is served first, whether it had a delay or not; and of two that are ready at one instant the
    /// one that was added first.
    #[test]
    fn c26_who_is_ready_first_is_served_first() {
        let mut queue = WorkQueue::new(1);
        let c = NodeId(2);
        queue.put_off(B, at(10), at(9));
        queue.put_off(A, at(12), at(8));
        queue.advance(at(11));
        queue.add(c);
        queue.advance(at(12));
        queue.add(NodeId(3));
        let order = std::iter::from_fn(|| {
            let node = take(&mut queue, at(12))?;
            queue.done(at(12), node, Ended::Quiet);
            Some(node)
        });
        assert_eq!(order.collect::<Vec<_>>(), [B, c, A, NodeId(3)]);
    }

    /// C27: a node is never reconciled twice at once; what is added meanwhile waits for the end.
    #[test]
    fn c27_a_busy_node_waits_and_so_does_everybody_without_a_worker() {
        let mut queue = WorkQueue::new(1);
        queue.add(A);
        queue.add(B);
        assert_eq!((take(&mut queue, at(0)), take(&mut queue, at(0))), (Some(A), None));
        queue.advance(at(1));
        queue.add(A);
        queue.done(at(1), A, Ended::Again(Span::secs(120)));
        assert_eq!(take(&mut queue, at(1)), Some(B), "first come, first served");
        queue.done(at(1), B, Ended::Quiet);
        assert_eq!((take(&mut queue, at(1)), take(&mut queue, at(1))), (Some(A), None));
    }

    /// C23: pauses double up to five minutes; a run without an error resets them.
    #[test]
    fn c23_pauses_double_after_errors() {
        let mut queue = WorkQueue::new(1);
        let mut pause = |ended| {
            queue.add(A);
            assert_eq!(take(&mut queue, at(0)), Some(A));
            queue.done(at(0), A, ended);
            queue.next_ready().since(at(0))
        };
        let pauses: Vec<_> = (0..10).map(|_| pause(Ended::Failed)).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map(Span::secs));
        pause(Ended::Again(Span::secs(1)));
        assert_eq!(pause(Ended::Failed), Span::secs(1));
    }
}

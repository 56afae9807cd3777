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
    /// The entries in the order of service, but for those of busy nodes: immediate ones as they were
    /// added, then delayed ones as they become ready; of simultaneous ones that of the older node,
    /// where upstream's goroutines race.
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

/// When an entry is ready (`None` = at once), and when it was added.
pub(super) type Entry = (Option<Instant>, Instant);

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
            taken: ((None, Instant::ZERO), NodeId(0)),
            bucket: TokenBucket::full(500.0, 1000),
        }
    }

    /// What is added from now on is added at `now`.
    pub fn advance(&mut self, now: Instant) {
        self.now = now;
    }

    /// Asks for a run at once; an entry with a delay loses it (C26).
    pub fn add(&mut self, node: NodeId) {
        self.insert(node, None);
    }

    /// The node to reconcile now.
    pub fn next(&self, now: Instant) -> Option<NodeId> {
        let ((ready, _), node) = self.order.first().filter(|_| !self.is_saturated())?;
        ready.is_none_or(|ready| ready <= now).then_some(node)
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

    /// A run ended.
    pub fn done(&mut self, now: Instant, node: NodeId, ended: Ended) {
        let place = self.place(node);
        place.is_busy = false;
        if let Some(entry) = place.entry {
            self.put(node, entry);
        }
        self.free_workers += 1;
        match ended {
            Ended::Quiet => self.place(node).failures = 0,
            Ended::Again(after) => {
                self.place(node).failures = 0;
                self.insert(node, Some(now + after));
            }
            Ended::Failed => {
                let failures = &mut self.place(node).failures;
                let pause = PAUSE.0.mul_f64(f64::from(2u32.pow((*failures).min(20)))).min(PAUSE.1);
                *failures += 1;
                let ready = self.bucket.take(now).max(now + pause);
                self.insert(node, Some(ready));
            }
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
    /// all wait for. Those that are ready have been taken.
    pub fn next_ready(&self) -> Instant {
        let next = self.order.first().filter(|_| !self.is_saturated());
        next.and_then(|((ready, _), _)| ready).unwrap_or(Instant::NEVER)
    }

    /// The entry of a node.
    pub fn entry(&self, node: NodeId) -> Option<Entry> {
        self.places.get(node.index())?.entry
    }

    /// When the entry of a node is ready, if it has one with a delay.
    pub fn delayed_until(&self, node: NodeId) -> Option<Instant> {
        self.entry(node)?.0
    }

    /// Gives the entry of a node another delay, as if it had been added at `added`.
    pub fn put_off(&mut self, node: NodeId, ready: Instant, added: Instant) {
        self.put(node, (Some(ready), added));
    }

    /// Adds an entry; of several, the earliest counts.
    fn insert(&mut self, node: NodeId, ready: Option<Instant>) {
        let Some(entry) = self.place(node).entry else { return self.put(node, (ready, self.now)) };
        // `None` is less than every time: at once is earlier than anything.
        if ready < entry.0 {
            self.put(node, (ready, entry.1));
        }
    }

    fn put(&mut self, node: NodeId, entry: Entry) {
        let place = self.place(node);
        place.entry = Some(entry);
        if !place.is_busy {
            let soon = entry.0.is_none_or(|ready| ready <= self.now + SOON);
            self.order.set(node, entry, soon);
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

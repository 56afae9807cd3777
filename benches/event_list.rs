//! The future event list in the hold model: take the earliest event, push it again one exponential
//! step later. Beside it `std::collections::BinaryHeap` with entries of 16 and of 24 bytes, in
//! the same run and in turns, since only ratios within a run can be compared.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use brimline::sim::event_list::EventList;
use brimline::time::Instant;

/// Mean step, in ns.
const MEAN: f64 = 1e9;
const PENDING: [usize; 3] = [1_000, 100_000, 1_000_000];
const ROUNDS: usize = 5;
const STEPS: usize = 2_000_000;

/// The three operations of a hold model's list.
trait List: Default {
    const NAME: &'static str;
    fn push(&mut self, at: u64, event: u32);
    fn pop(&mut self) -> Option<(u64, u32)>;
}

impl List for EventList {
    const NAME: &'static str = "brimline's ladder";
    fn push(&mut self, at: u64, event: u32) {
        EventList::push(self, Instant(at), event);
    }
    fn pop(&mut self) -> Option<(u64, u32)> {
        EventList::pop(self).map(|(at, event)| (at.0, event))
    }
}

/// Entries of 16 bytes: a sequence number of 32 bits, which is enough here.
#[derive(Default)]
struct Heap16 {
    heap: BinaryHeap<Reverse<(u64, u32, u32)>>,
    pushed: u32,
}

impl List for Heap16 {
    const NAME: &'static str = "std heap, 16 bytes";
    fn push(&mut self, at: u64, event: u32) {
        self.pushed += 1;
        self.heap.push(Reverse((at, self.pushed, event)));
    }
    fn pop(&mut self) -> Option<(u64, u32)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}

/// Entries of 24 bytes: a sequence number of 64 bits.
#[derive(Default)]
struct Heap24 {
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    pushed: u64,
}

impl List for Heap24 {
    const NAME: &'static str = "std heap, 24 bytes";
    fn push(&mut self, at: u64, event: u32) {
        self.pushed += 1;
        self.heap.push(Reverse((at, self.pushed, event)));
    }
    fn pop(&mut self) -> Option<(u64, u32)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}

/// Exponential steps, drawn beforehand so that chance costs the same next to nothing everywhere.
fn steps() -> Vec<u64> {
    let mut chance = brimline::chance::SmallStream::new(1);
    (0..1 << 16).map(|_| (-(1.0 - chance.unit()).ln() * MEAN) as u64).collect()
}

/// A list with `pending` events in its steady state.
struct Hold<L> {
    list: L,
    next: usize,
    /// Of what was popped, in order: equal for lists that agree.
    hash: u64,
}

impl<L: List> Hold<L> {
    fn new(pending: usize, steps: &[u64]) -> Self {
        let mut hold = Self { list: L::default(), next: 0, hash: 0 };
        for event in 0..pending {
            let at = hold.step(steps);
            hold.list.push(at, event as u32);
        }
        hold.run(2 * pending, steps);
        hold
    }

    fn step(&mut self, steps: &[u64]) -> u64 {
        self.next = (self.next + 1) % steps.len();
        steps[self.next]
    }

    /// ns per pop and push.
    #[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
    fn run(&mut self, count: usize, steps: &[u64]) -> f64 {
        let start = std::time::Instant::now();
        for _ in 0..count {
            let (at, event) = self.list.pop().expect("as many are pushed as popped");
            self.hash = (self.hash ^ at ^ u64::from(event)).wrapping_mul(0x0000_0100_0000_01b3);
            let after = self.step(steps);
            self.list.push(at + after, event);
        }
        start.elapsed().as_nanos() as f64 / count as f64
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    let steps = steps();
    println!("hold model, ns per pop + push (times our list's)");
    for pending in PENDING {
        let mut ladder = Hold::<EventList>::new(pending, &steps);
        let mut heap16 = Hold::<Heap16>::new(pending, &steps);
        let mut heap24 = Hold::<Heap24>::new(pending, &steps);
        let mut figures = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            figures[0].push(ladder.run(STEPS, &steps));
            figures[1].push(heap16.run(STEPS, &steps));
            figures[2].push(heap24.run(STEPS, &steps));
        }
        assert!(ladder.hash == heap16.hash && ladder.hash == heap24.hash, "the lists disagree on the order");
        black_box(ladder.hash);
        let [ours, small, large] = figures.map(median);
        println!(
            "{pending:>9} pending: {} {ours:.0}; {} {small:.0} ({:.1}x); {} {large:.0} ({:.1}x)",
            EventList::NAME,
            Heap16::NAME,
            small / ours,
            Heap24::NAME,
            large / ours
        );
    }
}

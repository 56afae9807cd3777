//! Placeholder until the ladder lands.
use crate::time::Instant;
use std::cmp::Reverse;
/// The future event list.
#[derive(Debug, Default)]
pub struct EventList {
    heap: std::collections::BinaryHeap<Reverse<(Instant, u64, u32)>>,
    seq: u64,
}
impl EventList {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds.
    pub fn push(&mut self, at: Instant, event: u32) {
        self.seq += 1;
        self.heap.push(Reverse((at, self.seq, event)));
    }
    /// Time of the earliest.
    pub fn peek_time(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }
    /// Takes the earliest.
    pub fn pop(&mut self) -> Option<(Instant, u32)> {
        self.heap.pop().map(|Reverse((at, _, e))| (at, e))
    }
}

//! The idle addresses of a pool (`pkg/pool/queue.go`, rules P21, P22).

use super::pool::Resource;
use crate::time::Instant;

/// An idle address, and since when; readings of a clock that never reads the same twice (N2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Idle {
    pub resource: Resource,
    /// When it became idle, or until when it is reserved.
    pub reservation: Instant,
    pub reading: u64,
}

impl Idle {
    fn key(&self) -> (Instant, u64) {
        (self.reservation, self.reading)
    }
}

/// A binary heap, the earliest first. Taking out of its middle may leave it out of order, as upstream
/// does.
#[derive(Debug, Default)]
pub(super) struct Heap {
    slots: Vec<Idle>,
}

impl Heap {
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Idle> {
        self.slots.iter()
    }

    pub fn peek(&self) -> Option<&Idle> {
        self.slots.first()
    }

    pub fn push(&mut self, idle: Idle) {
        self.slots.push(idle);
        let mut at = self.slots.len() - 1;
        while at > 0 && self.slots[at].key() < self.slots[(at - 1) / 2].key() {
            self.slots.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    pub fn pop(&mut self) -> Option<Idle> {
        (!self.slots.is_empty()).then(|| self.remove(0))
    }

    /// Takes one out of the middle.
    pub fn rob(&mut self, resource: Resource) -> Option<Idle> {
        let at = self.slots.iter().position(|idle| idle.resource == resource)?;
        Some(self.remove(at))
    }

    /// The last takes the place of the one that goes, and only ever sinks.
    fn remove(&mut self, at: usize) -> Idle {
        let gone = self.slots.swap_remove(at);
        self.sink(at);
        gone
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            if left >= self.slots.len() {
                return;
            }
            let left_first = right >= self.slots.len() || self.slots[left].key() < self.slots[right].key();
            let child = if left_first { left } else { right };
            if self.slots[child].key() >= self.slots[at].key() {
                return;
            }
            self.slots.swap(child, at);
            at = child;
        }
    }
}

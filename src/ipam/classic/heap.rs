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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::id::EniId;

    fn idle(n: u32) -> Idle {
        let resource = Resource { eni: EniId(0), address: Ipv4Addr::from(n) };
        Idle { resource, reservation: Instant(n.into()), reading: u64::from(n) }
    }

    fn heap(of: impl IntoIterator<Item = u32>) -> Heap {
        let mut heap = Heap::default();
        of.into_iter().for_each(|n| heap.push(idle(n)));
        heap
    }

    /// C14 to C16: a new queue is empty; whatever the order of pushing, the earliest comes first.
    #[test]
    fn c15_the_earliest_comes_first() {
        assert_eq!((Heap::default().len(), Heap::default().pop()), (0, None));
        for order in [(0..100).collect(), (0..100).step_by(2).chain((1..100).step_by(2)).collect::<Vec<_>>()] {
            let mut heap = heap(order);
            assert_eq!(
                (0..100).map(|_| heap.pop()).collect::<Vec<_>>(),
                (0..100).map(|n| Some(idle(n))).collect::<Vec<_>>()
            );
        }
    }

    /// C17: one that is not there is not taken; one that is, is.
    #[test]
    fn c17_one_is_taken_out_of_the_middle() {
        let mut heap = heap((0..=98).step_by(2));
        assert_eq!(heap.rob(idle(5).resource), None);
        assert_eq!(heap.rob(idle(6).resource), Some(idle(6)));
        assert_eq!(heap.len(), 49);
    }

    /// P21: what takes the place of one taken out of the middle sinks only; so a later one may come first.
    #[test]
    fn p21_the_order_may_be_lost_after_taking_out_of_the_middle() {
        let mut heap = heap([1, 10, 3, 20, 30, 40, 4]);
        // 4 takes the place of 20, below 10, and is not lifted above it.
        heap.rob(idle(20).resource);
        let order: Vec<_> = std::iter::from_fn(|| heap.pop()).map(|idle| idle.reading).collect();
        assert_eq!(order, [1, 3, 10, 4, 30, 40]);
    }
}

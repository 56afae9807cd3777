//! A heap of nodes in which each node's place is known, so that its key can be changed.

use crate::id::NodeId;

/// Not in the heap.
const NOWHERE: u32 = u32::MAX;

/// A binary heap, least key first; of equal keys the older node's.
#[derive(Debug)]
pub(super) struct NodeHeap<K> {
    heap: Vec<(K, NodeId)>,
    /// By node: where it is in `heap`.
    places: Vec<u32>,
}

impl<K: Ord + Copy> NodeHeap<K> {
    /// An empty heap.
    pub fn new() -> Self {
        Self { heap: Vec::new(), places: Vec::new() }
    }

    /// The least key, and whose it is.
    pub fn first(&self) -> Option<(K, NodeId)> {
        self.heap.first().copied()
    }

    /// The key of a node, if it is in.
    pub fn key(&self, node: NodeId) -> Option<K> {
        let at = self.places.get(node.index()).copied().filter(|&at| at != NOWHERE)?;
        Some(self.heap[at as usize].0)
    }

    /// Puts a node in, or gives it another key.
    pub fn set(&mut self, node: NodeId, key: K) {
        if self.places.len() <= node.index() {
            self.places.resize(node.index() + 1, NOWHERE);
        }
        let at = match self.places[node.index()] {
            NOWHERE => {
                self.heap.push((key, node));
                self.heap.len() - 1
            }
            at => at as usize,
        };
        self.heap[at].0 = key;
        self.settle(at);
    }

    /// Takes a node out, if it is in.
    pub fn remove(&mut self, node: NodeId) {
        let Some(at) = self.places.get(node.index()).copied().filter(|&at| at != NOWHERE) else { return };
        self.places[node.index()] = NOWHERE;
        self.heap.swap_remove(at as usize);
        if (at as usize) < self.heap.len() {
            self.settle(at as usize);
        }
    }

    /// Moves an entry to where it belongs.
    fn settle(&mut self, from: usize) {
        let (entry, mut at) = (self.heap[from], from);
        while at > 0 && entry < self.heap[(at - 1) / 2] {
            self.put(at, self.heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        while let Some(&left) = self.heap.get(2 * at + 1) {
            let right = self.heap.get(2 * at + 2).copied().filter(|right| *right < left);
            let (child, least) = right.map_or((2 * at + 1, left), |right| (2 * at + 2, right));
            if entry < least {
                break;
            }
            self.put(at, least);
            at = child;
        }
        self.put(at, entry);
    }

    fn put(&mut self, at: usize, entry: (K, NodeId)) {
        self.heap[at] = entry;
        self.places[entry.1.index()] = at as u32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::chance::SmallStream;

    /// It does what an ordered set does.
    #[test]
    fn it_is_an_ordered_set() {
        let mut chance = SmallStream::new(1);
        let (mut heap, mut set) = (NodeHeap::new(), BTreeSet::new());
        for _ in 0..20_000 {
            let (node, key) = (NodeId(chance.below(60)), chance.below(200));
            set.retain(|&(_, other)| other != node);
            if chance.below(3) == 0 {
                heap.remove(node);
            } else {
                heap.set(node, key);
                set.insert((key, node));
            }
            assert_eq!(heap.first(), set.first().copied());
        }
    }
}

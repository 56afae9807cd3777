//! The order in which nodes are served, for keys that mostly are put off: a node at rest is touched,
//! runs at once, and rests as long as before.

use super::node_heap::NodeHeap;
use crate::id::NodeId;

/// Nodes with a key each, least key first; of equal keys the older node's.
#[derive(Debug)]
pub(super) struct Order<K> {
    /// Those whose turn is soon: few, as a rule.
    near: NodeHeap<K>,
    /// At least all others, each where it belongs or before, and the first where it belongs: a node
    /// that is put off, or taken out for a while, does not move until it is the first.
    far: NodeHeap<K>,
    /// By node: the key of one whose turn is not soon.
    far_keys: Vec<Option<K>>,
}

impl<K: Ord + Copy> Order<K> {
    /// An order of nothing.
    pub fn new() -> Self {
        Self { near: NodeHeap::new(), far: NodeHeap::new(), far_keys: Vec::new() }
    }

    /// The least key, and whose it is.
    pub fn first(&self) -> Option<(K, NodeId)> {
        match (self.near.first(), self.far.first()) {
            (Some(near), Some(far)) => Some(near.min(far)),
            (near, far) => near.or(far),
        }
    }

    /// The least key.
    pub fn first_key(&self) -> Option<K> {
        match (self.near.first(), self.far.first()) {
            (Some((near, _)), Some((far, _))) => Some(near.min(far)),
            (near, far) => near.or(far).map(|(key, _)| key),
        }
    }

    /// Puts a node in, or gives it another key. Whether its turn is `soon` changes nothing but how long
    /// this takes.
    pub fn set(&mut self, node: NodeId, key: K, soon: bool) {
        if soon {
            self.near.set(node, key);
            return self.set_far(node, None);
        }
        self.near.remove(node);
        if self.far.key(node).is_none_or(|bound| key < bound) {
            self.far.set(node, key);
        }
        self.set_far(node, Some(key));
    }

    /// Takes a node out, if it is in.
    pub fn remove(&mut self, node: NodeId) {
        self.near.remove(node);
        self.set_far(node, None);
    }

    fn set_far(&mut self, node: NodeId, key: Option<K>) {
        if self.far_keys.len() <= node.index() {
            self.far_keys.resize(node.index() + 1, None);
        }
        self.far_keys[node.index()] = key;
        // Others do not come to be the first before it.
        if self.far.first().is_none_or(|(_, first)| first != node) {
            return;
        }
        while let Some((bound, first)) = self.far.first() {
            match self.far_keys[first.index()] {
                Some(key) if key == bound => return,
                Some(key) => self.far.set(first, key),
                None => self.far.remove(first),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::chance::SmallStream;

    /// It does what an ordered set does, whatever is said to be soon.
    #[test]
    fn it_is_an_ordered_set() {
        let mut chance = SmallStream::new(1);
        let (mut order, mut set) = (Order::new(), BTreeSet::new());
        for _ in 0..20_000 {
            let (node, key) = (NodeId(chance.below(60)), chance.below(200));
            set.retain(|&(_, other)| other != node);
            if chance.below(3) == 0 {
                order.remove(node);
            } else {
                order.set(node, key, chance.below(2) == 0);
                set.insert((key, node));
            }
            assert_eq!(order.first(), set.first().copied());
        }
    }
}

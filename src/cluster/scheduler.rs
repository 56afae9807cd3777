//! The scheduler, first version: among the nodes of the allowed pools that have room for another
//! pod it takes one with fewest pods, at random among equals (kube-scheduler's LeastAllocated with
//! its random choice among the best, for pods without requests).

use crate::chance::SmallStream;
use crate::id::NodeId;

/// The nodes of one pool, by number of pods.
#[derive(Debug, Default)]
struct Pool {
    max_pods: u32,
    /// Nodes with 0, 1, 2, … pods.
    by_pods: Vec<Vec<NodeId>>,
    /// No node has fewer pods than this.
    fewest: usize,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    pool: u32,
    pods: u32,
    position: u32,
}

/// The scheduler's books.
#[derive(Debug)]
pub struct Scheduler {
    pools: Vec<Pool>,
    places: Vec<Option<Place>>,
    chance: SmallStream,
}

impl Scheduler {
    /// A scheduler of pools whose nodes take this many pods each.
    #[must_use]
    pub fn new(max_pods: impl IntoIterator<Item = u32>, chance: SmallStream) -> Self {
        let pools = max_pods.into_iter().map(|max_pods| Pool { max_pods, by_pods: vec![Vec::new()], fewest: 0 });
        Self { pools: pools.collect(), places: Vec::new(), chance }
    }

    /// A node joined `pool`.
    pub fn add_node(&mut self, node: NodeId, pool: usize) {
        self.places.resize(self.places.len().max(node.index() + 1), None);
        self.insert(node, pool, 0);
    }

    /// A node left; pods on it are the caller's affair.
    pub fn remove_node(&mut self, node: NodeId) {
        let place = self.place(node);
        self.take_out(place);
        self.places[node.index()] = None;
    }

    /// A node for another pod among `pools`; the pod counts from now on. `None` = all are full.
    pub fn place_pod(&mut self, pools: &[usize]) -> Option<NodeId> {
        let open = pools.iter().filter_map(|&pool| Some((self.fewest(pool)?, pool)));
        let (pods, pool) = open.min()?;
        let nodes = &self.pools[pool].by_pods[pods];
        let node = nodes[self.chance.below(nodes.len() as u32) as usize];
        self.add_pod(node);
        Some(node)
    }

    /// Another pod is on `node`, whether there was room or not (DaemonSet).
    pub fn add_pod(&mut self, node: NodeId) {
        let place = self.place(node);
        self.take_out(place);
        self.insert(node, place.pool as usize, place.pods + 1);
    }

    /// A pod left `node`.
    pub fn remove_pod(&mut self, node: NodeId) {
        let place = self.place(node);
        self.take_out(place);
        self.insert(node, place.pool as usize, place.pods - 1);
    }

    /// The node of `pool` with fewest pods, the last to join among equals: the one that a
    /// scale-in takes.
    #[must_use]
    pub fn emptiest(&self, pool: usize) -> Option<NodeId> {
        let pool = &self.pools[pool];
        pool.by_pods.iter().find_map(|nodes| nodes.iter().copied().max())
    }

    /// Fewest pods on a node of `pool` that has room.
    fn fewest(&mut self, pool: usize) -> Option<usize> {
        let pool = &mut self.pools[pool];
        while pool.by_pods.get(pool.fewest).is_some_and(Vec::is_empty) {
            pool.fewest += 1;
        }
        (pool.fewest < pool.by_pods.len() && pool.fewest < pool.max_pods as usize).then_some(pool.fewest)
    }

    fn place(&self, node: NodeId) -> Place {
        self.places[node.index()].expect("the node is in the books")
    }

    fn insert(&mut self, node: NodeId, pool: usize, pods: u32) {
        let books = &mut self.pools[pool];
        let bucket = pods as usize;
        if books.by_pods.len() <= bucket {
            books.by_pods.resize_with(bucket + 1, Vec::new);
        }
        books.by_pods[bucket].push(node);
        books.fewest = books.fewest.min(bucket);
        let position = books.by_pods[bucket].len() as u32 - 1;
        self.places[node.index()] = Some(Place { pool: pool as u32, pods, position });
    }

    fn take_out(&mut self, place: Place) {
        let nodes = &mut self.pools[place.pool as usize].by_pods[place.pods as usize];
        nodes.swap_remove(place.position as usize);
        if let Some(&moved) = nodes.get(place.position as usize) {
            let moved = self.places[moved.index()].as_mut().expect("it is in the books");
            moved.position = place.position;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_go_where_fewest_are_until_all_is_full() {
        let mut scheduler = Scheduler::new([2, 1], SmallStream::new(1));
        scheduler.add_node(NodeId(0), 0);
        scheduler.add_node(NodeId(1), 0);
        scheduler.add_node(NodeId(2), 1);
        let mut placed: Vec<_> = (0..3).filter_map(|_| scheduler.place_pod(&[0, 1])).collect();
        placed.sort();
        assert_eq!(placed, [NodeId(0), NodeId(1), NodeId(2)]);
        assert_eq!(scheduler.place_pod(&[1]), None);
        scheduler.remove_pod(NodeId(2));
        assert_eq!(scheduler.place_pod(&[0, 1]), Some(NodeId(2)));
        assert!(scheduler.place_pod(&[0]).is_some() && scheduler.place_pod(&[0]).is_some());
        assert_eq!(scheduler.place_pod(&[0, 1]), None);
        scheduler.add_pod(NodeId(0));
        assert_eq!(scheduler.emptiest(0), Some(NodeId(1)));
        scheduler.remove_node(NodeId(1));
        assert_eq!(scheduler.emptiest(0), Some(NodeId(0)));
    }
}

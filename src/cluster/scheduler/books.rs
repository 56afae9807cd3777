//! Nodes, and the nodes of a group by their score.

use crate::cluster::scheduler::score::{self, STEPS};
use crate::cluster::scheduler::{GroupSpec, Rules};
use crate::id::NodeId;
use crate::model::{Devices, Resources, Scoring, Unfit};

/// A sum of CPU (thousandths of a core) and memory (MiB); wide enough for whatever is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Load {
    pub cpu: u64,
    pub memory: u64,
}

/// A node in the books.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub group: u32,
    /// Pods with an address of their own.
    pub addresses: u32,
    /// All pods.
    pub pods: u32,
    pub schedulable: bool,
    /// Others are preferred to it.
    pub shunned: bool,
    pub requested: Load,
    /// The same with upstream's defaults for what pods do not request: only for scoring.
    pub weighed: Load,
    place: Place,
    pub position: u32,
}

/// What a pod takes of a node that is counted in pieces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takes {
    /// A place under `max_pods`.
    pub address: bool,
    /// What is left of what the node offers.
    pub devices: Devices,
}

impl Takes {
    pub fn of(rules: &Rules) -> Self {
        Self { address: rules.takes_address, devices: rules.takes_devices }
    }
}

/// What a node offers, and what its pods have of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shared {
    pub offered: Devices,
    taken: Devices,
}

/// Pods of a workload on one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Companion {
    pub workload: u32,
    pub pods: u32,
}

/// Where a node is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: it is not schedulable.
    Out,
    /// It has places under `max_pods`: the bucket.
    Open(u32),
    /// It has none: the bucket.
    Full(u32),
    /// Others are preferred to it, whether it has places or not: the bucket.
    Shunned(u32),
}

/// The nodes of a group.
#[derive(Debug)]
pub(super) struct Group {
    pub spec: GroupSpec,
    /// All nodes, those that are not schedulable included.
    pub nodes: u32,
    /// Schedulable nodes with places under `max_pods`.
    pub open: Shelf,
    /// Schedulable nodes without.
    pub full: Shelf,
    /// Schedulable nodes to which others are preferred.
    pub shunned: Shelf,
}

/// Nodes in buckets, the best first.
#[derive(Debug)]
pub(super) struct Shelf {
    pub buckets: Vec<Bucket>,
    /// A bit for every bucket that has a node.
    occupied: Vec<u64>,
}

/// Nodes of one score.
#[derive(Debug, Clone, Default)]
pub(super) struct Bucket {
    pub nodes: Vec<NodeId>,
    /// No node has more CPU or more memory left.
    pub room: Load,
}

impl Node {
    pub fn new(group: usize, reserved: Resources) -> Self {
        let reserved = Load::from(reserved);
        Self {
            group: group as u32,
            addresses: 0,
            pods: 0,
            schedulable: true,
            shunned: false,
            requested: reserved,
            weighed: reserved,
            place: Place::Out,
            position: 0,
        }
    }

    pub fn add(&mut self, requests: Resources, takes: Takes) {
        self.pods += 1;
        self.addresses += u32::from(takes.address);
        self.requested = self.requested.plus(requests.into());
        self.weighed = self.weighed.plus(score::weighed(requests));
    }

    pub fn remove(&mut self, requests: Resources, takes: Takes) {
        self.pods -= 1;
        self.addresses -= u32::from(takes.address);
        self.requested = self.requested.minus(requests.into());
        self.weighed = self.weighed.minus(score::weighed(requests));
    }
}

impl Shared {
    pub fn take(&mut self, devices: Devices) {
        self.taken = self.taken.plus(devices);
    }

    pub fn give_back(&mut self, devices: Devices) {
        self.taken = self.taken.minus(devices);
    }

    /// What is lacking for a pod that asks for `wanted`, beside `more` that are taken in thought.
    pub fn lacks(&self, wanted: Devices, more: Devices) -> Option<Unfit> {
        let all = self.taken.plus(more).plus(wanted);
        if wanted.members > 0 && all.members > self.offered.members {
            return Some(Unfit::MemberEnis);
        }
        if wanted.enis > 0 && all.enis > self.offered.enis {
            return Some(Unfit::ExclusiveEnis);
        }
        (wanted.rdma > 0 && all.rdma > self.offered.rdma).then_some(Unfit::Rdma)
    }
}

impl Group {
    pub fn new(spec: GroupSpec) -> Self {
        let buckets = if spec.unbounded() { spec.max_pods + 1 } else { STEPS + 1 };
        let shelf = || Shelf::new(buckets as usize);
        Self { spec, nodes: 0, open: shelf(), full: shelf(), shunned: shelf() }
    }

    /// Schedulable nodes, in no order that means anything.
    pub fn schedulable(&self) -> impl Iterator<Item = NodeId> {
        let all = [&self.open, &self.full, &self.shunned].into_iter().flat_map(|shelf| &shelf.buckets);
        all.flat_map(|bucket| bucket.nodes.iter().copied())
    }

    /// Its shelf of nodes with places under `max_pods`.
    pub fn open(&mut self) -> &mut Shelf {
        &mut self.open
    }

    /// Its shelf of nodes without.
    pub fn full(&mut self) -> &mut Shelf {
        &mut self.full
    }

    /// Its shelf of nodes to which others are preferred.
    pub fn shunned(&mut self) -> &mut Shelf {
        &mut self.shunned
    }

    /// What is left on a node.
    pub fn room(&self, node: &Node) -> Load {
        if self.spec.unbounded() {
            return Load { cpu: u64::MAX, memory: u64::MAX };
        }
        Load::from(self.spec.allocatable).minus_at_most(node.requested)
    }

    /// Where a node belongs.
    pub fn place_of(&self, node: &Node, scoring: Scoring) -> Place {
        let bucket = score::bucket(&self.spec, node, scoring);
        if !node.schedulable {
            return Place::Out;
        }
        match (node.shunned, node.addresses < self.spec.max_pods) {
            (true, _) => Place::Shunned(bucket),
            (false, true) => Place::Open(bucket),
            (false, false) => Place::Full(bucket),
        }
    }

    /// Lists a node at `place`; another may have got its position there: that one, with it.
    pub fn list(&mut self, id: NodeId, node: &mut Node, place: Place) -> Option<(NodeId, u32)> {
        let room = self.room(node);
        if place == node.place {
            if let Some((shelf, bucket)) = self.shelf(place) {
                shelf.buckets[bucket].widen(room);
            }
            return None;
        }
        let moved = self.shelf(node.place).and_then(|(shelf, bucket)| shelf.take(bucket, node.position));
        let moved = moved.map(|moved| (moved, node.position));
        if let Some((shelf, bucket)) = self.shelf(place) {
            node.position = shelf.put(bucket, id, room);
        }
        node.place = place;
        moved
    }

    fn shelf(&mut self, place: Place) -> Option<(&mut Shelf, usize)> {
        match place {
            Place::Out => None,
            Place::Open(bucket) => Some((&mut self.open, bucket as usize)),
            Place::Full(bucket) => Some((&mut self.full, bucket as usize)),
            Place::Shunned(bucket) => Some((&mut self.shunned, bucket as usize)),
        }
    }
}

impl Shelf {
    fn new(buckets: usize) -> Self {
        Self { buckets: vec![Bucket::default(); buckets], occupied: vec![0; buckets.div_ceil(64)] }
    }

    /// The first bucket from `from` on that has nodes.
    pub fn next(&self, from: usize) -> Option<usize> {
        let mut mask = u64::MAX << (from % 64);
        for (i, &word) in self.occupied.iter().enumerate().skip(from / 64) {
            if word & mask != 0 {
                return Some(64 * i + (word & mask).trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    /// The buckets that have nodes, the best first.
    pub fn filled(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().filter(|bucket| !bucket.nodes.is_empty())
    }

    fn put(&mut self, bucket: usize, node: NodeId, room: Load) -> u32 {
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
        let bucket = &mut self.buckets[bucket];
        bucket.nodes.push(node);
        bucket.widen(room);
        bucket.nodes.len() as u32 - 1
    }

    /// Takes out the node at `position`; the one that is there now, if any.
    fn take(&mut self, bucket: usize, position: u32) -> Option<NodeId> {
        let nodes = &mut self.buckets[bucket].nodes;
        nodes.swap_remove(position as usize);
        if nodes.is_empty() {
            self.occupied[bucket / 64] &= !(1 << (bucket % 64));
            self.buckets[bucket].room = Load::default();
            return None;
        }
        nodes.get(position as usize).copied()
    }
}

impl Bucket {
    fn widen(&mut self, room: Load) {
        self.room = self.room.max(room);
    }
}

impl Load {
    pub fn plus(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory: self.memory + other.memory }
    }

    pub fn minus(self, other: Self) -> Self {
        Self { cpu: self.cpu - other.cpu, memory: self.memory - other.memory }
    }

    /// What is left without `other`; nothing if that is more.
    pub fn minus_at_most(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(other.cpu), memory: self.memory.saturating_sub(other.memory) }
    }

    pub fn max(self, other: Self) -> Self {
        Self { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }
}

impl From<Resources> for Load {
    fn from(resources: Resources) -> Self {
        Self { cpu: resources.cpu_milli.into(), memory: resources.memory_mib.into() }
    }
}

impl From<Load> for Resources {
    /// What is more than the largest number becomes the largest number.
    fn from(load: Load) -> Self {
        let narrow = |wide: u64| u32::try_from(wide).unwrap_or(u32::MAX);
        Self { cpu_milli: narrow(load.cpu), memory_mib: narrow(load.memory) }
    }
}

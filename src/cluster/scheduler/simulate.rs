//! Whether the pods of a node could go elsewhere: what cluster-autoscaler asks before it drains.

use std::collections::BTreeMap;

use crate::cluster::scheduler::books::{Bucket, Load, Shelf};
use crate::cluster::scheduler::search::{Wanted, lacking};
use crate::cluster::scheduler::{Scheduler, Wish};
use crate::id::NodeId;
use crate::model::Devices;

/// Pods that have been moved in thought.
#[derive(Debug, Default)]
struct Moves {
    /// What the nodes have got.
    nodes: BTreeMap<NodeId, Guests>,
    /// Pods per workload and zone that stay or have been moved.
    zones: BTreeMap<usize, Vec<u32>>,
}

/// What a node has got.
#[derive(Debug, Default)]
struct Guests {
    load: Load,
    addresses: u32,
    devices: Devices,
    workloads: Vec<usize>,
}

impl Scheduler {
    /// Whether all these pods of `node` could go to other schedulable nodes
    /// at once, nodes with `not` left aside. One after the other takes the first node that fits,
    /// as upstream's `HintingSimulator` does; another order might succeed where this one fails.
    pub fn fits_elsewhere(&self, node: NodeId, pods: &[Wish], not: impl Fn(NodeId) -> bool) -> bool {
        let mut moves = Moves::default();
        let zone = self.groups[self.node(node).group as usize].spec.zone;
        for &Wish { workload, .. } in pods {
            let zones = moves.zones.entry(workload).or_insert_with(|| self.workloads[workload].crowds.zones.clone());
            zones[zone] = zones[zone].saturating_sub(1);
        }
        pods.iter().all(|&wish| {
            let mut wanted = self.wanted(wish);
            wanted.zone_limit = self.zone_limit(wish.workload, &moves.zones[&wish.workload]);
            let to = self.first_fit(&wanted, &moves, |other| other != node && !not(other));
            to.inspect(|&to| self.welcome(&wanted, &mut moves, to)).is_some()
        })
    }

    /// The first node that fits, the best buckets first.
    fn first_fit(&self, wanted: &Wanted, moves: &Moves, may: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let groups = self.workloads[wanted.workload].groups.iter().map(|&group| &self.groups[group as usize]);
        let groups = groups.filter(|group| wanted.zone.is_none_or(|zone| zone == group.spec.zone));
        let open = groups.filter(|group| moves.zones[&wanted.workload][group.spec.zone] < wanted.zone_limit);
        let shelves = open.flat_map(|group| {
            [Some(&group.open), (!wanted.takes.address).then_some(&group.full), Some(&group.shunned)]
        });
        let buckets = shelves.flatten().flat_map(Shelf::filled);
        let roomy = buckets.filter(|bucket| lacking(bucket.room, wanted.requests).is_none());
        let mut nodes = roomy.flat_map(|bucket: &Bucket| bucket.nodes.iter().copied());
        nodes.find(|&node| may(node) && self.misfit(wanted, node).is_none() && self.has_room(wanted, moves, node))
    }

    /// Whether a pod that fits on `node` as it is fits beside those moved there.
    fn has_room(&self, wanted: &Wanted, moves: &Moves, node: NodeId) -> bool {
        let Some(guests) = moves.nodes.get(&node) else { return true };
        let state = self.node(node);
        let group = &self.groups[state.group as usize];
        lacking(group.room(state).minus_at_most(guests.load), wanted.requests).is_none()
            && (!wanted.takes.address || state.addresses + guests.addresses < group.spec.max_pods)
            && self.devices[node.index()].lacks(wanted.takes.devices, guests.devices).is_none()
            && !(wanted.alone && guests.workloads.contains(&wanted.workload))
    }

    fn welcome(&self, wanted: &Wanted, moves: &mut Moves, node: NodeId) {
        let guests = moves.nodes.entry(node).or_default();
        guests.load = guests.load.plus(wanted.requests.into());
        guests.addresses += u32::from(wanted.takes.address);
        guests.devices = guests.devices.plus(wanted.takes.devices);
        guests.workloads.push(wanted.workload);
        let zone = self.groups[self.node(node).group as usize].spec.zone;
        let zones = moves.zones.get_mut(&wanted.workload).expect("every workload of the pods has its numbers");
        zones[zone] += 1;
    }
}

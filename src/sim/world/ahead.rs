//! Reading ahead for the next events, a step of the way at a time for all of them (see [`crate::sim::engine::Ahead`]).

use std::ops::BitXor;

use super::World;
use crate::id::{NodeId, PodId};

/// A cluster with fewer pods is in the cache.
pub(super) const LARGE: usize = 20_000;

impl World<'_> {
    /// Reads what the next events will read, in the order in which one thing leads to another.
    pub(super) fn read_ahead(&mut self) {
        if self.pods.len() < self.large {
            return;
        }
        let mut ahead = std::mem::take(&mut self.ahead);
        self.engine.look_ahead(&mut ahead);
        let (pods, nodes) = (&mut ahead.pods, &mut ahead.nodes);
        let busy = nodes.len();
        read(pods.iter().map(|&pod| self.read_pod(pod)));
        pods.retain(|&pod| self.engine.pod(pod).node != NodeId::NONE);
        nodes.extend(pods.iter().map(|&pod| self.engine.pod(pod).node));
        read(nodes.iter().map(|&node| self.read_node(node)));
        read(pods.iter().map(|&pod| self.read_lists(pod)));
        read(nodes.iter().map(|&node| self.engine.read_daemon(node)));
        read(nodes.iter().map(|&node| self.read_last(node) ^ self.engine.read_slots(node)));
        read(pods.iter().map(|&pod| self.engine.read_addresses(pod)));
        read(nodes[..busy].iter().map(|&node| self.engine.read_far(node)));
        self.ahead = ahead;
    }

    /// Reads what a pod will need that has just been placed on a node: the earliest moment in which anybody knows.
    pub(super) fn read_for_a_pod(&self, node: NodeId) {
        if self.pods.len() >= self.large {
            read([self.read_node(node)].into_iter());
            read([self.engine.read_daemon(node)].into_iter());
            read([self.engine.read_slots(node)].into_iter());
        }
    }

    fn read_pod(&self, pod: PodId) -> u64 {
        self.note(pod).end.0 ^ u64::from(self.engine.pod(pod).node.0)
    }

    fn read_node(&self, node: NodeId) -> u64 {
        let note = &self.nodes[node.index()];
        note.pods.len() as u64 ^ u64::from(note.life) ^ self.scheduler.read(node) ^ self.engine.read_node(node)
    }

    /// Where the lists of a pod's workload and of its node have it.
    fn read_lists(&self, pod: PodId) -> u64 {
        let note = self.note(pod);
        let list = &self.workloads[self.workload_of(pod)].list(note.version).pods;
        let on_node = &self.nodes[self.engine.pod(pod).node.index()].pods;
        let at = |list: &[PodId], position: usize| list.get(position).map_or(0, |pod| u64::from(pod.0));
        at(list, note.position as usize)
            ^ at(on_node, note.on_node.into())
            ^ on_node.last().map_or(0, |pod| u64::from(pod.0))
    }

    /// The last pod of a node, which takes the place of one that goes.
    fn read_last(&self, node: NodeId) -> u64 {
        self.nodes[node.index()].pods.last().map_or(0, |&pod| self.note(pod).on_node.into())
    }
}

/// Reads all of this, none of which has to wait for another.
fn read(lines: impl Iterator<Item = u64>) {
    std::hint::black_box(lines.fold(0, BitXor::bitxor));
}

#[cfg(test)]
mod tests {
    use super::World;
    use crate::chance::SpanDist;
    use crate::id::VSwitchId;
    use crate::ipam::limits::InstanceLimits;
    use crate::ipam::node_local::Config;
    use crate::model::{
        AfterCrash, Crashes, Model, NodePool, PoolZone, Schedule, Shape, VSwitch, Vpc, Workload, WorkloadKind,
    };
    use crate::record::Detail;
    use crate::time::{Instant, Span};

    /// A cluster that shrinks, whose nodes crash, with pods that come and go and such as keep their names.
    fn model() -> Model {
        let zone = || "f".to_owned();
        let vswitch = |name, block| VSwitch::plain(name, &zone(), block);
        let vswitches = vec![vswitch("nodes", "10.0.0.0/24"), vswitch("pods", "10.0.1.0/24")];
        let vpc = Vpc { cidr: "10.0.0.0/16".parse().expect("a block"), vswitches };
        let limits = InstanceLimits { adapters: 3, ipv4_per_adapter: 10, ..InstanceLimits::default() };
        let daemon = Config::plain((2, 10), (0, 5), vec![VSwitchId(1)]).into();
        let shape = Shape::plain("small", limits, vec![PoolZone { zone: zone(), node_vswitch: VSwitchId(0), daemon }]);
        let at = |hours| Instant::ZERO + Span::hours(hours);
        let nodes = Schedule::Steps(vec![(at(0), 12.0), (at(6), 9.0), (at(8), 11.0)]);
        let mut pool = NodePool::plain("pool", shape, nodes);
        let then = AfterCrash::Reboot(SpanDist::Constant(Span::mins(9)));
        pool.crashes = Some(Crashes { every: Span::hours(5), then });
        let mut web = Workload::plain("web", WorkloadKind::deployment(Schedule::Constant(90.0)), vec![0]);
        web.pod.lifetime = Some(SpanDist::Exponential(Span::mins(30)));
        let mut model = Model::plain("ahead", Span::hours(12), vpc);
        model.cloud.latency.fill(SpanDist::Exponential(Span::secs(1)));
        model.node_pools = vec![pool];
        let replicas = Schedule::Steps(vec![(at(0), 20.0), (at(3), 5.0), (at(4), 25.0)]);
        let names = WorkloadKind::StatefulSet { replicas, parallel: true, updates: None };
        model.workloads = vec![web, Workload::plain("names", names, vec![0])];
        model
    }

    #[test]
    fn reading_ahead_changes_nothing() {
        let model = model();
        let recording = |large| {
            let mut world = World::new(&model, 0, Detail::default());
            world.large = large;
            world.run_until(world.horizon);
            world.finish()
        };
        let (read, unread) = (recording(0), recording(usize::MAX));
        assert!(read.pods.served > 1_000, "{} pods were served", read.pods.served);
        assert_eq!(format!("{read:?}"), format!("{unread:?}"));
    }
}

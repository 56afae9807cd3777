//! The laws of the cluster: every book against the pods and nodes there are.

use super::World;
use super::lists::STAGES;
use super::pods::Phase;
use crate::id::{NodeId, PodId, VSwitchId};
use crate::sim::engine::PodState;

impl World<'_> {
    /// Checks every law of the world (too slow for each event of a large run).
    ///
    /// # Panics
    /// If a law is broken: the simulation is wrong.
    pub(super) fn audit(&self) {
        let in_use = self.engine.audit();
        self.engine.observer.audit(&in_use, &self.engine.cloud);
        for id in (0..in_use.len()).map(VSwitchId::new) {
            self.engine.observer.audit_idle(id, self.engine.account(id).0);
        }
        let count = |state, ending: bool| {
            let pods = self.engine.pods().iter().zip(&self.pods);
            pods.filter(|(pod, note)| pod.state == state && (note.phase == Phase::Ending) == ending).count()
        };
        let waiting = self.engine.pods().iter().filter(|pod| pod.state.waits()).count();
        self.engine.observer.audit_pods(count(PodState::Running, false), waiting, count(PodState::Running, true));
        self.audit_phases();
        self.audit_lists();
        self.audit_nodes();
        self.audit_pools();
    }

    /// The engine and the world agree on how far a pod is.
    fn audit_phases(&self) {
        let mut wanted = 0;
        for (i, (pod, note)) in self.engine.pods().iter().zip(&self.pods).enumerate() {
            let agree = match note.phase {
                Phase::Gone => matches!(pod.state, PodState::Gone | PodState::Leaving),
                Phase::Pending => pod.state == PodState::Pending,
                Phase::Creating | Phase::Ending => pod.state.waits() || pod.state.has_address(),
                Phase::Starting | Phase::Ready => pod.state == PodState::Running,
            };
            assert!(agree, "pod {i} is {:?} and {:?}", note.phase, pod.state);
            wanted += if note.phase == Phase::Gone { 0 } else { self.addresses_of(pod.owner as usize) };
        }
        assert_eq!(self.demand, wanted, "addresses that the pods that exist want");
    }

    /// Every pod that counts for its workload is in its list, once, and every pod without a node
    /// in its queue.
    fn audit_lists(&self) {
        let counts = |pod: PodId| !matches!(self.note(pod).phase, Phase::Gone | Phase::Ending);
        let pods = (0..self.pods.len()).map(PodId::new);
        let mut listed = 0;
        for (workload, state) in self.workloads.iter().enumerate() {
            for list in [&state.active, &state.old] {
                assert!(list.pods.iter().all(|&pod| counts(pod) && self.workload_of(pod) == workload));
                let mut stages = [0; STAGES];
                list.pods.iter().for_each(|&pod| stages[self.note(pod).phase.stage()] += 1);
                assert_eq!(list.stages, stages, "pods of workload {workload} by stage");
                listed += list.pods.len();
            }
            assert!(state.pending.iter().all(|&pod| self.note(pod).phase == Phase::Pending));
        }
        assert_eq!(listed, pods.filter(|&pod| counts(pod)).count(), "pods in lists");
    }

    /// Every pod with a node is in the node's list and in the scheduler's books.
    fn audit_nodes(&self) {
        let placed = |pod: PodId| !matches!(self.note(pod).phase, Phase::Gone | Phase::Pending);
        let mut there = 0;
        for (i, node) in self.nodes.iter().enumerate() {
            let id = NodeId::new(i);
            assert!(node.pods.iter().all(|&pod| placed(pod) && self.engine.pod(pod).node == id), "pods of node {i}");
            assert!(node.exists() || node.pods.is_empty(), "pods on node {i}, which is gone");
            if node.exists() {
                assert_eq!(self.scheduler.pods(id) as usize, node.pods.len(), "the scheduler's pods on node {i}");
            }
            let is_down = node.restarted_by.is_some() || node.dead;
            let has_just_died = self.engine.has_yet_to_tell_of_death(id);
            assert_eq!(is_down || has_just_died, self.engine.daemon_is_down(id), "the daemon of node {i}");
            there += node.pods.len();
        }
        let pods = (0..self.pods.len()).map(PodId::new);
        assert_eq!(there, pods.filter(|&pod| placed(pod)).count(), "pods on nodes");
    }

    /// The numbers of nodes per pool and group.
    fn audit_pools(&self) {
        for (pool, state) in self.pools.iter().enumerate() {
            let nodes = || (0..self.nodes.len()).map(NodeId::new).filter(|&node| self.pool_of(node) == pool);
            let present = nodes().filter(|node| self.nodes[node.index()].exists());
            assert_eq!(state.present as usize, present.count(), "instances of pool {pool}");
            let counted = nodes().filter(|node| self.nodes[node.index()].counted);
            assert_eq!(state.counted as usize, counted.count(), "nodes of pool {pool}");
            let unready = nodes().filter(|node| self.nodes[node.index()].unready);
            assert_eq!(state.unready as usize, unready.count(), "nodes of pool {pool} that are not ready");
            let leaving = nodes().map(|node| &self.nodes[node.index()]).filter(|note| note.exists() && note.replaced);
            assert_eq!(state.leaving as usize, leaving.count(), "nodes of pool {pool} that leave");
            let old = state.to_replace.iter().map(|node| &self.nodes[node.index()]);
            assert!(old.into_iter().all(|note| note.exists() && !note.draining), "nodes to replace of pool {pool}");
            let in_groups: u32 = state.groups.clone().map(|group| self.in_zone[group]).sum();
            assert_eq!(in_groups, state.present + state.launching, "nodes of pool {pool} by zone");
        }
    }
}

//! Which pods of a Deployment go when there are too many: those that are least far; of these, those whose
//! nodes have most pods of the Deployment; of these, the younger ones, as powers of two tell ages apart;
//! of these, any (`ActivePodsWithRanks` and `getPodsRankedByRelatedPodsOnSameNode`, kubernetes
//! `pkg/controller/controller_utils.go` and `pkg/controller/replicaset/replica_set.go`).
//!
//! Simplified: an age is the time since the pod was created, where upstream takes the time since it was
//! ready for those that are; and of more than [`ALL`] pods, some that are drawn at random are looked at.

use std::cmp::Reverse;

use super::World;
use super::lists::Active;
use super::pods::{Phase, PodNote};
use super::workloads::WorkloadState;
use crate::chance::SmallStream;
use crate::id::{NodeId, PodId};

/// Which list of a workload's pods: those of the newest version, or of older ones.
type List = fn(&WorkloadState) -> &Active;

/// Up to so many pods are all looked at.
const ALL: usize = 128;
/// Of more pods, this many and no fewer than four times those that go.
const SOME: usize = 16;

/// Pods of a Deployment on one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replicas {
    workload: u32,
    pods: u32,
}

impl World<'_> {
    /// A pod that counts for its controller is on a node, or is not any more.
    pub(super) fn count_replica(&mut self, workload: usize, node: NodeId, is_there: bool) {
        if !self.workloads[workload].sheds {
            return;
        }
        let all = &mut self.nodes[node.index()].replicas;
        let found = all.iter().position(|replicas| replicas.workload as usize == workload);
        match (found, is_there) {
            (Some(i), true) => all[i].pods += 1,
            (Some(i), false) if all[i].pods == 1 => drop(all.swap_remove(i)),
            (Some(i), false) => all[i].pods -= 1,
            (None, true) => all.push(Replicas { workload: workload as u32, pods: 1 }),
            (None, false) => unreachable!("the pod was counted"),
        }
    }

    /// A controller deletes `n` of these pods.
    pub(super) fn scale_in(&mut self, workload: usize, n: u32, list: List) {
        let mut left = n as usize;
        while left > 0 {
            let active = list(&self.workloads[workload]);
            let stage = active.earliest().expect("the controller counted them");
            let going = left.min(active.stages[stage] as usize);
            let mut ranked = self.ranked(workload, list, stage, going);
            ranked.truncate(going);
            left -= ranked.len();
            ranked.into_iter().for_each(|pod| self.terminate(pod));
        }
    }

    /// Pods at a stage in the order in which they go, of which `going` are wanted: at least one.
    fn ranked(&mut self, workload: usize, list: List, stage: usize, going: usize) -> Vec<PodId> {
        let (seed, now) = (self.workloads[workload].uids, self.engine.now());
        let rank = |world: &Self, pod: PodId| {
            let PodNote { phase, born, .. } = *world.note(pod);
            let is_placed = phase != Phase::Pending;
            let beside = if is_placed { world.replicas(workload, world.engine.pod(pod).node) } else { 0 };
            // Pods of the same rank go by their UIDs, which are chance.
            let uid = SmallStream::new(seed ^ born.0 ^ (pod.index() as u64) << 32).next_u64();
            (Reverse(beside), now.since(born).0.checked_ilog2(), uid, pod)
        };
        let (some, all) = (SOME.max(4 * going), ALL.max(4 * going));
        let active = list(&self.workloads[workload]);
        let (there, in_all) = (active.stages[stage] as usize, active.len());
        let mut ranked: Vec<_> = if there > all && there == in_all as usize {
            let places: Vec<_> = (0..some).map(|_| self.workloads[workload].choice.below(in_all)).collect();
            let active = list(&self.workloads[workload]);
            places.into_iter().map(|place| rank(self, active.pods[place as usize])).collect()
        } else {
            let at_stage = active.pods.iter().rev().filter(|&&pod| self.note(pod).phase.stage() == stage);
            at_stage.take(there.min(all)).map(|&pod| rank(self, pod)).collect()
        };
        ranked.sort_unstable();
        ranked.dedup();
        ranked.into_iter().map(|(.., pod)| pod).collect()
    }

    /// Pods of a Deployment on a node that count for it, of all versions.
    fn replicas(&self, workload: usize, node: NodeId) -> u32 {
        let all = &self.nodes[node.index()].replicas;
        all.iter().find(|replicas| replicas.workload as usize == workload).map_or(0, |replicas| replicas.pods)
    }
}

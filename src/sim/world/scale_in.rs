//! Which pods of a Deployment go when there are too many: those that are least far; of these, those whose
//! nodes have most pods of the Deployment; of these, the younger ones, as powers of two tell ages apart;
//! of these, any (`ActivePodsWithRanks` and `getPodsRankedByRelatedPodsOnSameNode`, kubernetes
//! `pkg/controller/controller_utils.go` and `pkg/controller/replicaset/replica_set.go`).
//!
//! Simplified: an age is the time since the pod was created, where upstream takes the time since it was
//! ready for those that are; and of more than [`ALL`] pods, all equally far, some that are drawn at random
//! are looked at, else the last of the list.

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
const SOME: usize = 8;

/// Pods of a Deployment on one node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replicas {
    workload: u32,
    pods: u32,
}

/// The order in which pods at the same stage go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Pods of the Deployment on its node.
    beside: Reverse<u32>,
    /// Time since it was created, as a power of two.
    age: Option<u32>,
    /// What upstream has the UID for: chance.
    uid: u64,
    pod: PodId,
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
            let there = active.stages[stage] as usize;
            let going = left.min(there);
            let mut ranked: Vec<_> = if there > ALL.max(4 * going) && there == active.pods.len() {
                self.drawn(workload, list, SOME.max(4 * going)).collect()
            } else {
                let at_stage = active.pods.iter().rev().filter(|&&pod| self.note(pod).phase.stage() == stage);
                at_stage.take(there.min(ALL.max(4 * going))).map(|&pod| self.rank(workload, pod)).collect()
            };
            ranked.sort_unstable();
            ranked.dedup();
            ranked.truncate(going);
            left -= ranked.len();
            ranked.into_iter().for_each(|rank| self.terminate(rank.pod));
        }
    }

    /// The ranks of `n` pods that are drawn from all, where all are at the same stage.
    fn drawn(&mut self, workload: usize, list: List, n: usize) -> impl Iterator<Item = Rank> {
        let state = &mut self.workloads[workload];
        // The numbers that follow are for these.
        let mut chance = SmallStream::new(state.choice.next_u64());
        let world = &*self;
        let active = list(&world.workloads[workload]);
        (0..n).map(move |_| world.rank(workload, active.pods[chance.below(active.len()) as usize]))
    }

    fn rank(&self, workload: usize, pod: PodId) -> Rank {
        let PodNote { phase, born, .. } = *self.note(pod);
        let is_placed = phase != Phase::Pending;
        let beside = if is_placed { self.replicas(workload, self.engine.pod(pod).node) } else { 0 };
        let seed = self.workloads[workload].uids ^ born.0 ^ (pod.index() as u64) << 32;
        let age = self.engine.now().since(born).0.checked_ilog2();
        Rank { beside: Reverse(beside), age, uid: SmallStream::new(seed).next_u64(), pod }
    }

    /// Pods of a Deployment on a node that count for it, of all versions.
    fn replicas(&self, workload: usize, node: NodeId) -> u32 {
        let all = &self.nodes[node.index()].replicas;
        all.iter().find(|replicas| replicas.workload as usize == workload).map_or(0, |replicas| replicas.pods)
    }
}

//! The lists of a workload's pods that count for its controller, by version and by stage.

use super::World;
use super::pods::{Phase, PodNote};
use super::workloads::WorkloadState;
use crate::id::PodId;

/// Pods of a workload that are neither ended nor told to end.
#[derive(Debug, Default)]
pub(super) struct Active {
    pub pods: Vec<PodId>,
    /// How many of them are at each [stage](Phase::stage).
    pub stages: [u32; STAGES],
}

/// Stages of a pod that counts for its controller.
pub(super) const STAGES: usize = 4;

impl Active {
    pub fn len(&self) -> u32 {
        self.pods.len() as u32
    }

    pub fn ready(&self) -> u32 {
        self.stages[Phase::Ready.stage()]
    }

    /// The earliest stage that one of them is at.
    pub fn earliest(&self) -> Option<usize> {
        self.stages.iter().position(|&pods| pods > 0)
    }
}

impl WorkloadState {
    /// The list of the pods of a version.
    pub fn list(&self, version: u32) -> &Active {
        if version == self.version { &self.active } else { &self.old }
    }

    /// The list of the pods of a version, to be changed.
    pub fn list_mut(&mut self, version: u32) -> &mut Active {
        if version == self.version { &mut self.active } else { &mut self.old }
    }
}

impl World<'_> {
    /// The list that holds a pod: that of its workload's version, or of older ones.
    pub(super) fn list_of(&mut self, workload: usize, pod: PodId) -> &mut Active {
        let version = self.note(pod).version;
        self.workloads[workload].list_mut(version)
    }

    pub(super) fn join_list(&mut self, workload: usize, pod: PodId) {
        let list = self.list_of(workload, pod);
        let position = list.len();
        list.pods.push(pod);
        list.stages[Phase::Pending.stage()] += 1;
        self.note_mut(pod).position = position;
    }

    /// A pod that counts for its controller is at another stage.
    pub(super) fn goes_on_to(&mut self, pod: PodId, phase: Phase) {
        let was = std::mem::replace(&mut self.note_mut(pod).phase, phase);
        let list = self.list_of(self.workload_of(pod), pod);
        list.stages[was.stage()] -= 1;
        list.stages[phase.stage()] += 1;
    }

    pub(super) fn leave_list(&mut self, workload: usize, pod: PodId) {
        let PodNote { position, phase, .. } = *self.note(pod);
        if phase != Phase::Pending {
            self.count_replica(workload, self.engine.pod(pod).node, false);
        }
        let list = self.list_of(workload, pod);
        list.stages[phase.stage()] -= 1;
        list.pods.swap_remove(position as usize);
        if let Some(&moved) = list.pods.get(position as usize) {
            self.note_mut(moved).position = position;
        }
        self.left_controller(workload, pod);
    }

    /// A new version of a workload: all pods there are become old ones.
    pub(super) fn new_version(&mut self, workload: usize) {
        let state = &mut self.workloads[workload];
        state.version += 1;
        let active = std::mem::take(&mut state.active);
        for (old, new) in state.old.stages.iter_mut().zip(active.stages) {
            *old += new;
        }
        for pod in active.pods {
            let position = self.workloads[workload].old.len();
            self.workloads[workload].old.pods.push(pod);
            self.note_mut(pod).position = position;
        }
    }
}

//! What is written down pod by pod and step by step, if somebody asked for it.

use super::super::{GroupLevels, Holders, PodName, PodRow, Step, What};
use super::{Detail, Recorder};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::Holdings;
use crate::model::Unfit;
use crate::time::Instant;

/// No life.
const NONE: u32 = u32::MAX;

/// The lives of pods and their steps.
#[derive(Debug)]
pub(super) struct Diary {
    detail: Detail,
    lives: Vec<PodRow>,
    steps: Vec<Step>,
    /// Position of each pod's current life in `lives`, by pod.
    current: Vec<u32>,
    /// Pods that each workload has had so far.
    made: Vec<u32>,
}

impl Recorder {
    /// A controller made a pod; those of a StatefulSet have an `ordinal`.
    pub fn pod_created(&mut self, now: Instant, pod: usize, workload: usize, ordinal: Option<u32>) {
        self.diary.created(now, pod, workload, ordinal);
    }

    /// A pod finds no node; says whether that is news and somebody wants to know of it.
    pub fn pod_pending(&mut self, now: Instant, pod: usize, why: Unfit) -> bool {
        self.diary.pending(now, pod, why)
    }

    /// A pod goes that never had a node.
    pub fn pod_withdrawn(&mut self, now: Instant, pod: usize) {
        self.end_life(now, pod);
    }

    /// A pod asks a daemon, which has `what`, for its address.
    pub fn pod_asked(&mut self, now: Instant, pod: usize, node: NodeId, what: impl FnOnce() -> Holdings) {
        if self.diary.follows(node) {
            self.diary.pod_step(now, pod, |name| What::Asked(name, Box::new(what())));
        }
    }

    pub(super) fn end_life(&mut self, now: Instant, pod: usize) {
        if let Some(life) = self.diary.life(pod) {
            life.deleted.get_or_insert(now);
            life.ended = Some(now);
        }
        self.diary.pod_step(now, pod, What::Gone);
    }

    /// A call was answered, which was told already; `step` says what is to be written down of it.
    pub fn call_step(&mut self, now: Instant, node: NodeId, step: impl FnOnce(&Self) -> What) {
        if self.diary.follows(node) {
            let what = step(self);
            self.diary.step(now, Some(node), || what);
        }
    }

    /// What a pod is called, if pods are followed; the last one in this place, if it is gone.
    #[must_use]
    pub fn pod_name(&self, pod: usize) -> Option<PodName> {
        let life = *self.diary.current.get(pod)?;
        self.diary.lives.get(life as usize).map(|life| life.name)
    }

    /// Who has the addresses of a vSwitch now.
    #[must_use]
    pub fn holders(&self, vswitch: VSwitchId) -> Holders<u32> {
        self.vswitches[vswitch.index()].holders()
    }

    /// Whether a vSwitch exists: it is there from the beginning, or was added.
    #[must_use]
    pub fn has_vswitch(&self, vswitch: VSwitchId) -> bool {
        self.vswitches[vswitch.index()].exists()
    }

    /// Requests that a vSwitch has refused so far for lack of addresses.
    #[must_use]
    pub fn refusals(&self, vswitch: VSwitchId) -> u64 {
        self.vswitches[vswitch.index()].refusals
    }

    /// Levels of each group of nodes now, in the order of [`Model::groups`](crate::model::Model::groups).
    pub fn group_levels(&self) -> impl Iterator<Item = GroupLevels> + '_ {
        self.groups.iter().map(|group| group.levels)
    }
}

impl Diary {
    pub fn new(detail: Detail, workloads: usize) -> Self {
        Self { detail, lives: Vec::new(), steps: Vec::new(), current: Vec::new(), made: vec![0; workloads] }
    }

    /// Whether pods are followed at all: steps need their names.
    pub fn follows_pods(&self) -> bool {
        self.detail.pods || self.detail.events
    }

    /// Whether steps on this node are written down.
    pub fn follows(&self, node: NodeId) -> bool {
        self.detail.events && self.detail.node.is_none_or(|only| only == node)
    }

    /// A life begins; pods without an `ordinal` are numbered from 1 on.
    pub fn created(&mut self, now: Instant, pod: usize, workload: usize, ordinal: Option<u32>) {
        if !self.follows_pods() {
            return;
        }
        self.made[workload] += 1;
        let name = PodName { workload: workload as u32, serial: ordinal.unwrap_or(self.made[workload]) };
        self.current.resize(self.current.len().max(pod + 1), NONE);
        self.current[pod] = self.lives.len() as u32;
        self.lives.push(PodRow {
            name,
            created: now,
            pending: None,
            node: None,
            requested: None,
            first_failed: None,
            failures: 0,
            served: None,
            deleted: None,
            ended: None,
            vswitch: None,
            address: None,
        });
        self.step(now, None, || What::Created(name));
    }

    /// The current life of a pod, if pods are followed.
    pub fn life(&mut self, pod: usize) -> Option<&mut PodRow> {
        let row = *self.current.get(pod)?;
        self.lives.get_mut(row as usize)
    }

    /// A pod was left without an address, which may be told late.
    pub fn failed(&mut self, at: Instant, pod: usize) {
        if let Some(life) = self.life(pod) {
            life.failures += 1;
            life.first_failed = Some(life.first_failed.map_or(at, |first| first.min(at)));
        }
    }

    /// A pod without a node; says whether that is news, and pods are followed.
    pub fn pending(&mut self, now: Instant, pod: usize, why: Unfit) -> bool {
        let Some(life) = self.life(pod).filter(|life| life.pending.is_none()) else { return false };
        life.pending = Some(why);
        let name = life.name;
        self.step(now, None, || What::Pending(name, why));
        true
    }

    /// Something happens to a pod, on its node if it has one.
    pub fn pod_step(&mut self, at: Instant, pod: usize, what: impl FnOnce(PodName) -> What) {
        let Some(&mut PodRow { name, node, .. }) = self.life(pod) else { return };
        self.step(at, node, || what(name));
    }

    /// Writes a step down, if it is to be.
    pub fn step(&mut self, at: Instant, node: Option<NodeId>, what: impl FnOnce() -> What) {
        let wanted = self.detail.events && (self.detail.node.is_none() || self.detail.node == node);
        if wanted {
            self.steps.push(Step { at, node, what: what() });
        }
    }

    /// The lives, in the order of creation, and the steps, in order of time. What goes on inside a
    /// node may have been told late; of equal times it comes last.
    pub fn finish(mut self) -> (Vec<PodRow>, Vec<Step>) {
        let late = |step: &Step| match step.what {
            What::Failed { pod, .. } => Some(pod),
            _ => None,
        };
        self.steps.sort_by_key(|step| (step.at, late(step)));
        (if self.detail.pods { self.lives } else { Vec::new() }, self.steps)
    }
}

//! A pod's way: pending, on its node, waiting for its address, starting, ready, told to end, gone.

use std::num::NonZeroU8;
use std::sync::Arc;

use super::World;
use crate::cluster::scheduler::Wish;
use crate::id::{NodeId, PodId};
use crate::model::{Devices, Resources, Unfit, WorkloadKind};
use crate::record::{ByReason, Was};
use crate::sim::engine::{PodState, Wants};
use crate::time::{Instant, Span};

/// Longest grace of a pod that the autoscaler evicts (`--max-graceful-termination-sec`).
const LONGEST_EVICTION: Span = Span::mins(10);

/// How far a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It does not exist.
    Gone,
    /// It has no node.
    Pending,
    /// It is on its node and has no address (ContainerCreating).
    Creating,
    /// It has its address and is not ready.
    Starting,
    /// It is ready.
    Ready,
    /// It was told to end, or has completed, and holds its address until CNI DEL.
    Ending,
}

impl Phase {
    /// How far a pod is that counts for its controller, which deletes the one that is least far first
    /// (`ActivePodsWithRanks` in `pkg/controller/controller_utils.go`, as far as it shows here).
    pub fn stage(self) -> usize {
        match self {
            Self::Pending => 0,
            Self::Creating => 1,
            Self::Starting => 2,
            Self::Ready => 3,
            Self::Ending | Self::Gone => unreachable!("it counts no more"),
        }
    }
}

/// What the world knows of a pod. Two are in one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(super) struct PodNote {
    pub phase: Phase,
    /// The only zone that it may run in, by number from 1: that of its fixed address.
    zone: Option<NonZeroU8>,
    /// Position in its node's list; a node takes at most 10,000 pods.
    pub(super) on_node: u16,
    /// Position in its workload's list.
    pub(super) position: u32,
    /// Version of its workload's template.
    pub version: u32,
    /// Its ordinal in a StatefulSet, its run of a Job, its number in a trace.
    pub tag: u32,
    /// When it was created.
    pub born: Instant,
    /// When its life is over; known once it has its address.
    pub end: Instant,
}

const _: () = assert!(size_of::<PodNote>() == 32, "there are as many notes as pods");

/// What a new pod is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NewPod {
    pub tag: u32,
    /// Identity of a pod that comes again.
    pub identity: Option<PodId>,
    /// The only node that it may be on (DaemonSet).
    pub node: Option<NodeId>,
    /// It has the version before the newest one (a Deployment that grows during its rollout).
    pub old: bool,
}

impl World<'_> {
    pub(super) fn note(&self, pod: PodId) -> &PodNote {
        &self.pods[pod.index()]
    }

    pub(super) fn note_mut(&mut self, pod: PodId) -> &mut PodNote {
        &mut self.pods[pod.index()]
    }

    pub(super) fn workload_of(&self, pod: PodId) -> usize {
        self.engine.pod(pod).owner as usize
    }

    /// A controller makes a pod; the scheduler finds it a node before anything else happens.
    pub(super) fn create_pod(&mut self, workload: usize, new: NewPod) -> PodId {
        let pod = match new.identity {
            Some(pod) => {
                self.engine.recreate_pod(pod);
                pod
            }
            None => self.engine.create_pod(workload as u32),
        };
        let note = PodNote {
            phase: Phase::Pending,
            zone: self.fixed_zone(workload, pod),
            on_node: 0,
            position: 0,
            version: self.workloads[workload].version - u32::from(new.old),
            tag: new.tag,
            born: self.engine.now(),
            end: Instant::NEVER,
        };
        if pod.index() == self.pods.len() {
            self.pods.push(note);
        } else {
            self.pods[pod.index()] = note;
        }
        let is_sticky = matches!(self.model.workloads[workload].kind, WorkloadKind::StatefulSet { .. });
        let now = self.engine.now();
        self.engine.observer.pod_created(now, pod.index(), workload, is_sticky.then_some(new.tag));
        self.join_list(workload, pod);
        self.wanted(workload, true);
        // Whoever asks for what nodes offer waits in line with the others who do.
        let in_line = self.model.devices(&self.model.workloads[workload].pod) != Devices::default();
        match new.node {
            Some(node) if !in_line && self.scheduler.unfit_for(workload, self.requests(pod), node).is_none() => {
                self.scheduler.add(workload, self.requests(pod), node);
                self.start_on(pod, node);
            }
            bound => {
                if let Some(node) = bound {
                    self.engine.bind_pod(pod, node);
                    self.workloads[workload].bound.insert((node, pod));
                    self.workloads[workload].tries.push_back(pod);
                }
                self.workloads[workload].pending.push_back(pod);
                self.place_again = true;
            }
        }
        pod
    }

    /// The zone of the fixed address that is kept for a pod which comes again: the webhook binds it to
    /// that when it is created (rule C152).
    fn fixed_zone(&self, workload: usize, pod: PodId) -> Option<NonZeroU8> {
        self.model.fixed(&self.model.workloads[workload].pod)?;
        let vswitch = &self.model.vpc.vswitches[self.engine.fixed_vswitch(pod)?.index()];
        let zone = self.model.zone_names().iter().position(|&zone| zone == vswitch.zone)?;
        NonZeroU8::new(u8::try_from(zone + 1).expect("a scenario with more zones is refused"))
    }

    /// What a pod requests.
    pub(super) fn requests(&self, pod: PodId) -> Resources {
        let workload = self.workload_of(pod);
        match &self.workloads[workload].trace {
            Some(trace) => trace[self.note(pod).tag as usize].requests,
            None => self.model.workloads[workload].pod.requests,
        }
    }

    /// What a pod wants of the scheduler.
    pub(super) fn wish(&self, pod: PodId) -> Wish {
        let zone = self.note(pod).zone.map(|zone| usize::from(zone.get() - 1));
        Wish { workload: self.workload_of(pod), requests: self.requests(pod), zone }
    }

    /// A node offers something else, unless it has been released in the same instant.
    pub(super) fn devices_changed(&mut self, node: NodeId) {
        if self.nodes[node.index()].exists() {
            self.scheduler.offer(node, self.engine.devices(node));
            self.roomier(node);
        }
    }

    /// A node has got room: pods that found no node may find one now.
    fn roomier(&mut self, node: NodeId) {
        self.place_again = true;
        for state in self.workloads.iter_mut().filter(|state| !state.bound.is_empty()) {
            let bound: Vec<_> = state.bound_to(node).collect();
            state.tries.extend(bound);
        }
    }

    /// How many addresses each pod of a workload wants.
    pub(super) fn addresses_of(&self, workload: usize) -> u32 {
        self.model.workloads[workload].pod.pod_networkings.len().max(1) as u32
    }

    /// A pod comes, or goes, that wants an address, or one of each of its PodNetworkings.
    fn wanted(&mut self, workload: usize, comes: bool) {
        let addresses = self.addresses_of(workload);
        self.demand = if comes { self.demand + addresses } else { self.demand - addresses };
        let now = self.engine.now();
        self.engine.observer.demand(now, self.demand);
    }

    /// Pods without a node are tried, the oldest first; of a workload whose pods are all alike
    /// nobody gets past one that finds no node.
    pub(super) fn place_pods(&mut self) {
        if !std::mem::take(&mut self.place_again) {
            return;
        }
        if self.pending == 0 && self.workloads.iter().all(|state| state.pending.is_empty()) {
            return;
        }
        let mut open = std::mem::take(&mut self.open);
        open.extend(0..self.workloads.len());
        let (mut new, mut lasting) = (ByReason::default(), ByReason::default());
        loop {
            open.retain(|&w| !self.workloads[w].pending.is_empty());
            let born = |&&w: &&usize| self.note(self.workloads[w].pending[0]).born;
            let Some(&workload) = open.iter().min_by_key(born) else { break };
            if let Err(why) = self.place_one(workload) {
                self.note_pending(workload, why);
                // What nodes on their way will mend is no limit.
                let pods = if self.nodes_will_come(workload) { 0 } else { self.workloads[workload].pending.len() };
                let before = std::mem::replace(&mut self.workloads[workload].without_node, pods);
                new[why.index()] += pods.saturating_sub(before) as u64;
                lasting[why.index()] += pods as u64;
                open.retain(|&w| w != workload);
            }
        }
        self.open = open;
        for state in self.workloads.iter_mut().filter(|state| state.pending.is_empty()) {
            state.without_node = 0;
            // A rollout of all pods at once does not come every day.
            state.pending.shrink_to(64);
        }
        self.pending = self.workloads.iter().map(|state| state.pending.len() as u32).sum();
        let now = self.engine.now();
        self.engine.observer.unschedulable(now, self.pending, &new, lasting);
        if self.pending > 0 {
            self.scan_soon();
        }
    }

    /// Tells who wants to know which pods of a workload are new without a node: the last ones.
    fn note_pending(&mut self, workload: usize, why: Unfit) {
        let now = self.engine.now();
        let mut last_first = self.workloads[workload].pending.iter().rev();
        while last_first.next().is_some_and(|pod| self.engine.observer.pod_pending(now, pod.index(), why)) {}
    }

    /// Places the first pending pod of a workload that fits somewhere.
    fn place_one(&mut self, workload: usize) -> Result<(), Unfit> {
        if self.is_daemon(workload) {
            return self.place_daemon(workload);
        }
        // By zone that a pod is bound to, of which there are few.
        let mut refused: Vec<(Wish, Unfit)> = Vec::new();
        for i in 0..self.workloads[workload].pending.len() {
            let pod = self.workloads[workload].pending[i];
            let wish = self.wish(pod);
            let before = refused.iter().find(|(before, _)| before.zone == wish.zone);
            if before.is_some_and(|(before, _)| before.requests.fits_in(wish.requests)) {
                if self.workloads[workload].trace.is_none() && wish.zone.is_none() {
                    break;
                }
                continue;
            }
            match self.scheduler.place(wish) {
                Ok(node) => {
                    self.workloads[workload].pending.remove(i);
                    self.start_on(pod, node);
                    return Ok(());
                }
                Err(unfit) if before.is_none() => refused.push((wish, unfit)),
                Err(_) => {}
            }
        }
        Err(refused.first().expect("somebody was pending").1)
    }

    /// Places the first pending pod of a DaemonSet whose node has room for it: the controller binds it to that by an
    /// affinity, and the scheduler looks there only (`pkg/controller/daemon/daemon_controller.go`, `syncNodes`).
    fn place_daemon(&mut self, workload: usize) -> Result<(), Unfit> {
        while let Some(pod) = self.workloads[workload].tries.pop_front() {
            let node = self.engine.pod(pod).node;
            if !self.workloads[workload].bound.contains(&(node, pod)) {
                // It was placed, or is gone.
                continue;
            }
            if let Some(unfit) = self.scheduler.unfit_for(workload, self.requests(pod), node) {
                self.workloads[workload].kept_by = Some(unfit);
                continue;
            }
            let state = &mut self.workloads[workload];
            state.bound.remove(&(node, pod));
            let position = state.pending.iter().position(|&other| other == pod).expect("it was pending");
            state.pending.remove(position);
            self.scheduler.add(workload, self.requests(pod), node);
            self.start_on(pod, node);
            return Ok(());
        }
        Err(self.workloads[workload].kept_by.expect("somebody was tried"))
    }

    /// A node is gone: pods that are bound to it and wait for it are deleted.
    pub(super) fn withdraw_bound(&mut self, node: NodeId) {
        let daemons = self.workloads.iter().enumerate().filter(|&(workload, _)| self.is_daemon(workload));
        let pending = daemons.flat_map(|(_, state)| &state.pending).copied();
        let bound: Vec<_> = pending.filter(|&pod| self.engine.pod(pod).node == node).collect();
        bound.into_iter().for_each(|pod| self.end(pod, Span::ZERO));
    }

    /// A pod is on its node and asks for its address.
    fn start_on(&mut self, pod: PodId, node: NodeId) {
        self.read_for_a_pod(node);
        let now = self.engine.now();
        let on_node = u16::try_from(self.nodes[node.index()].pods.len()).expect("a node takes fewer pods");
        self.nodes[node.index()].pods.push(pod);
        self.goes_on_to(pod, Phase::Creating);
        self.count_replica(self.workload_of(pod), node, true);
        let note = self.note_mut(pod);
        note.on_node = on_node;
        let waited = now.since(note.born);
        if waited > Span::ZERO {
            self.engine.observer.pod_scheduled_after(now, waited);
        }
        // The observer has to know the pod before its address may come.
        self.engine.observer.pod_requested(now, pod.index(), node);
        let wants = self.wants(self.workload_of(pod), node);
        self.engine.place_pod(pod, node, wants);
        self.load_changed(node);
    }

    /// What a pod of a workload gets its address on, on this node.
    fn wants(&self, workload: usize, node: NodeId) -> Wants {
        match &self.groups[self.nodes[node.index()].group].own[workload] {
            Some(spec) => Wants::Own(Arc::clone(spec)),
            None if self.model.workloads[workload].pod.erdma => Wants::Rdma,
            None => Wants::Shared,
        }
    }

    /// A pod has its address: its life begins.
    pub(super) fn served(&mut self, pod: PodId) {
        if self.engine.pod(pod).state != PodState::Running || self.note(pod).phase != Phase::Creating {
            return;
        }
        self.goes_on_to(pod, Phase::Starting);
        self.begin_life(pod);
        self.get_ready(pod);
    }

    /// Decides when the life of a pod is over whose containers start now.
    fn begin_life(&mut self, pod: PodId) {
        let (now, workload) = (self.engine.now(), self.workload_of(pod));
        let template = &self.model.workloads[workload];
        let state = &mut self.workloads[workload];
        let end = match (&template.kind, &template.pod.lifetime) {
            // The kubelet tells that a pod has completed once its sandbox is gone (`mergePodStatus` in
            // `pkg/kubelet/status/status_manager.go`), and until then it counts for its Job.
            (WorkloadKind::Job { job, .. }, _) => {
                now + job.duration.sample(&mut state.lifetimes) + self.model.kubelet.teardown.sample(&mut self.teardown)
            }
            (_, life) => match (&state.trace, life) {
                (Some(trace), _) => trace[self.pods[pod.index()].tag as usize].depart,
                (None, Some(life)) => now + life.sample(&mut state.lifetimes),
                (None, None) => Instant::NEVER,
            },
        };
        self.note_mut(pod).end = end;
    }

    /// A pod's containers start again, with its node: those of a Job begin their work anew.
    pub(super) fn start_again(&mut self, pod: PodId) {
        self.not_ready(pod);
        if matches!(self.model.workloads[self.workload_of(pod)].kind, WorkloadKind::Job { .. }) {
            self.begin_life(pod);
        }
        self.get_ready(pod);
    }

    /// A pod that has its address will be ready after a while, if it lives so long. Where nobody
    /// looks at that it is so at once; the draw is from a stream of its own, so that leaving it
    /// out shifts nothing.
    fn get_ready(&mut self, pod: PodId) {
        let (end, workload) = (self.note(pod).end, self.workload_of(pod));
        let state = &mut self.workloads[workload];
        let readiness = match state.watches_readiness {
            true => self.model.workloads[workload].pod.readiness.sample(&mut state.readiness),
            false => Span::ZERO,
        };
        if readiness == Span::ZERO {
            self.ready(pod);
            self.engine.set_timer(pod, end);
        } else {
            self.engine.set_timer(pod, end.min(self.engine.now() + readiness));
        }
    }

    fn ready(&mut self, pod: PodId) {
        let workload = self.workload_of(pod);
        self.goes_on_to(pod, Phase::Ready);
        if self.workloads[workload].watches_readiness {
            self.changed(workload);
        }
    }

    /// A pod is not ready any more: its node is.
    pub(super) fn not_ready(&mut self, pod: PodId) {
        if self.note(pod).phase == Phase::Ready {
            self.goes_on_to(pod, Phase::Starting);
        }
    }

    /// A pod's timer is due.
    pub(super) fn timer(&mut self, pod: PodId) {
        let note = *self.note(pod);
        match note.phase {
            Phase::Ending => self.finish_pod(pod),
            Phase::Starting if self.engine.now() < note.end => {
                if self.node_works(pod) {
                    self.ready(pod);
                    self.engine.set_timer(pod, note.end);
                }
            }
            _ => self.life_over(pod),
        }
    }

    fn node_works(&self, pod: PodId) -> bool {
        self.nodes[self.engine.pod(pod).node.index()].works()
    }

    /// A pod's life is over: one that works something off completes, others are deleted. That of a Job is gone with that.
    fn life_over(&mut self, pod: PodId) {
        let workload = self.workload_of(pod);
        match &self.model.workloads[workload].kind {
            WorkloadKind::Job { .. } => match self.engine.del_fails(pod) {
                Some(pause) => self.engine.set_timer(pod, self.engine.now() + pause),
                None => {
                    self.completed(workload, self.note(pod).tag);
                    self.leave_list(workload, pod);
                    self.scheduler.leaving(workload, self.engine.pod(pod).node);
                    self.finish_pod(pod);
                }
            },
            WorkloadKind::Arrivals { .. } => self.end(pod, Span::ZERO),
            _ => self.terminate(pod),
        }
    }

    /// A pod is deleted: it is told to end.
    pub(super) fn terminate(&mut self, pod: PodId) {
        let workload = self.workload_of(pod);
        let termination = &self.model.workloads[workload].pod.termination;
        let grace = termination.sample(&mut self.workloads[workload].termination);
        let node = self.engine.pod(pod).node;
        let is_scaled_in = node != NodeId::NONE && self.nodes[node.index()].scaled_in;
        self.failed(pod);
        self.end(pod, if is_scaled_in { grace.min(LONGEST_EVICTION) } else { grace });
    }

    /// A pod counts no more for its controller, and is gone after `grace` and its sandbox's end.
    fn end(&mut self, pod: PodId, grace: Span) {
        // It may be answered in this instant.
        self.engine.catch_up_with(pod);
        let (now, workload) = (self.engine.now(), self.workload_of(pod));
        self.leave_list(workload, pod);
        self.changed(workload);
        let phase = std::mem::replace(&mut self.note_mut(pod).phase, Phase::Ending);
        if self.engine.pod(pod).state == PodState::Running {
            self.engine.observer.pod_terminating(now, pod.index(), self.engine.pod(pod).node);
        }
        if phase != Phase::Pending {
            self.scheduler.leaving(workload, self.engine.pod(pod).node);
        }
        match phase {
            Phase::Pending => {
                let pending = &mut self.workloads[workload].pending;
                let position = pending.iter().rposition(|&other| other == pod).expect("it was pending");
                pending.remove(position);
                self.engine.observer.pod_withdrawn(now, pod.index());
                self.place_again = true;
                let bound = self.engine.pod(pod).node;
                self.forget(pod);
                if bound != NodeId::NONE {
                    self.workloads[workload].bound.remove(&(bound, pod));
                    self.daemon_gone(workload, bound);
                }
            }
            // Its containers never ran.
            Phase::Creating if self.node_works(pod) => self.finish_pod(pod),
            // The kubelet finds out when it is back.
            Phase::Creating => {
                self.engine.told_to_end(pod);
                self.engine.set_timer(pod, Instant::NEVER);
            }
            Phase::Starting | Phase::Ready => {
                let teardown = self.model.kubelet.teardown.sample(&mut self.teardown);
                let at = if self.node_works(pod) { now + grace + teardown } else { Instant::NEVER };
                if at == now { self.finish_pod(pod) } else { self.engine.set_timer(pod, at) }
            }
            Phase::Ending | Phase::Gone => unreachable!("a pod ends once"),
        }
    }

    /// A pod leaves its node: its sandbox is gone and so, soon, is its address.
    pub(super) fn finish_pod(&mut self, pod: PodId) {
        if let Some(pause) = self.engine.del_fails(pod) {
            self.engine.set_timer(pod, self.engine.now() + pause);
            return;
        }
        let node = self.engine.pod(pod).node;
        let workload = self.workload_of(pod);
        self.scheduler.remove(workload, self.requests(pod), node);
        self.roomier(node);
        self.leave_node(pod);
        self.daemon_gone(workload, node);
        self.changed(workload);
        self.load_changed(node);
        self.drained(node);
    }

    /// A pod is on its node no more.
    fn leave_node(&mut self, pod: PodId) {
        let (node, on_node) = (self.engine.pod(pod).node, self.note(pod).on_node);
        let pods = &mut self.nodes[node.index()].pods;
        pods.swap_remove(on_node.into());
        if let Some(&moved) = pods.get(usize::from(on_node)) {
            self.note_mut(moved).on_node = on_node;
        }
        let now = self.engine.now();
        let was = match self.engine.pod(pod).state {
            state if state.waits() => Was::Waiting(now.since(self.engine.pod(pod).requested)),
            _ if self.note(pod).phase == Phase::Ending => Was::Terminating,
            _ => Was::Running,
        };
        self.engine.observer.pod_gone(now, pod.index(), node, was);
        self.forget(pod);
    }

    /// A pod goes with its node.
    pub(super) fn lose(&mut self, pod: PodId) {
        let workload = self.workload_of(pod);
        if self.note(pod).phase != Phase::Ending {
            self.failed(pod);
            self.leave_list(workload, pod);
            self.scheduler.leaving(workload, self.engine.pod(pod).node);
        }
        self.changed(workload);
        self.leave_node(pod);
    }

    /// A pod does not exist any more.
    fn forget(&mut self, pod: PodId) {
        let sticky = matches!(self.model.workloads[self.workload_of(pod)].kind, WorkloadKind::StatefulSet { .. });
        self.note_mut(pod).phase = Phase::Gone;
        self.wanted(self.workload_of(pod), false);
        self.engine.delete_pod(pod, sticky);
    }
}

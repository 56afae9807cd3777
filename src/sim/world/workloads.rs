//! Controllers: what pods there have to be, and which of them go.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::lists::Active;
use super::pods::{NewPod, Phase};
use super::{Control, World};
use crate::chance::{SmallStream, Stream};
use crate::cluster::arrivals::Arrivals;
use crate::cluster::hpa::Hpa;
use crate::cluster::load::LoadCurve;
use crate::cluster::rollout::{Pods, scale, steps};
use crate::cluster::trace;
use crate::id::{NodeId, PodId};
use crate::model::{
    Action, Concurrency, Deed, Job, Model, Replicas, Rollout, Schedule, Trace, TracePod, Unfit, WorkloadKind,
};
use crate::text::text;
use crate::time::{Instant, Span};

/// A workload while the run goes on.
#[derive(Debug)]
pub(super) struct WorkloadState {
    /// Pods of the newest version, and of older ones.
    pub active: Active,
    pub old: Active,
    /// Pods that wait for a node, the oldest first.
    pub pending: VecDeque<PodId>,
    /// How many of them found none when they were tried last, and none is on its way to them.
    pub without_node: usize,
    /// Those of a DaemonSet, each with the only node that it may be on.
    pub bound: BTreeSet<(NodeId, PodId)>,
    /// Those of them whose nodes may have room now, and what kept the one that was tried last.
    pub tries: VecDeque<PodId>,
    pub kept_by: Option<Unfit>,
    pub version: u32,
    /// Wanted number of pods, where there is one.
    pub wanted: u32,
    /// The wanted number at its controller's last look.
    kept: u32,
    /// An action gave it that number, and nobody else does any more.
    pub scaled: bool,
    /// Whether it matters when pods are ready.
    pub watches_readiness: bool,
    /// Whether it is a Deployment that may have too many pods (see [`super::scale_in`]).
    pub sheds: bool,
    /// What tells the UIDs of its pods, and draws some of them.
    pub uids: u64,
    pub choice: SmallStream,
    /// Pods of a StatefulSet by ordinal; those that are gone too.
    ordinals: Vec<PodId>,
    /// Runs of a Job, the oldest first.
    runs: VecDeque<Run>,
    /// Number of the first of them.
    first_run: u32,
    /// The time of a run came while another was not over, which forbids it: it starts when that one is.
    missed_run: bool,
    /// Pods of a trace, and the first that has not come.
    pub trace: Option<Arc<Vec<TracePod>>>,
    next_of_trace: usize,
    pub hpa: Option<(Hpa, LoadCurve)>,
    /// When its HPA looks next.
    next_look: Instant,
    arrivals: Option<Arrivals>,
    pub lifetimes: Stream,
    pub readiness: Stream,
    pub termination: Stream,
}

/// Pause of a Job after a pod of it failed, doubled with each in a row (`DefaultJobPodFailureBackOff` in
/// `pkg/controller/job/job_controller.go`).
const JOB_BACKOFF: Span = Span::secs(10);
/// Its longest pause (`MaxJobPodFailureBackOff`).
const LONGEST_JOB_BACKOFF: Span = Span::mins(10);

/// A run of a Job.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    completed: u32,
    /// Its pods that have not completed.
    active: u32,
    /// It was replaced, or has failed.
    cancelled: bool,
    /// Its pods that were deleted or lost.
    failed: u32,
    /// Those since one has completed.
    failed_in_a_row: u32,
    /// It makes no pod before this time.
    not_before: Instant,
}

impl WorkloadState {
    /// The state of the workload at `index` at time zero; `stream` gives it chance by purpose.
    pub fn new(index: usize, model: &Model, stream: &dyn Fn(&str) -> Stream) -> Self {
        let workload = &model.workloads[index];
        let (start, horizon) = (model.start, Instant::ZERO + model.horizon);
        let stream = |purpose: &str| stream(&format!("{purpose}/{}", workload.name));
        let trace = match &workload.kind {
            WorkloadKind::Trace(Trace::Pods(pods)) => Some(Arc::clone(pods)),
            WorkloadKind::Trace(Trace::Counts { points, lifetime }) => {
                Some(Arc::new(trace::synthesize(points, lifetime, horizon, &mut stream("trace"))))
            }
            _ => None,
        };
        let hpa = match &workload.kind {
            WorkloadKind::Deployment { replicas: Replicas::Autoscaled(hpa), .. } => Some((
                Hpa::new(hpa),
                LoadCurve::new(&hpa.load, start, SmallStream::split(&mut stream("load")).next_u64()),
            )),
            _ => None,
        };
        let arrivals = match &workload.kind {
            WorkloadKind::Arrivals { .. } => Some(Arrivals::new(stream("arrivals"), stream("groups"))),
            _ => None,
        };
        let watches_readiness = match &workload.kind {
            WorkloadKind::Deployment { rollout, .. } => rollout.is_some() || hpa.is_some(),
            WorkloadKind::DaemonSet { rollout } => rollout.is_some(),
            WorkloadKind::StatefulSet { .. } => true,
            _ => false,
        };
        let scales = |action: &Action| matches!(action.deed, Deed::ScaleWorkload { workload, .. } if workload == index);
        let sheds = match &workload.kind {
            WorkloadKind::Deployment { replicas: Replicas::Scheduled(Schedule::Constant(_)), rollout: None } => {
                model.actions.iter().any(scales)
            }
            WorkloadKind::Deployment { .. } => true,
            _ => false,
        };
        let mut choice = SmallStream::split(&mut stream("scale-in"));
        Self {
            active: Active::default(),
            old: Active::default(),
            pending: VecDeque::new(),
            without_node: 0,
            bound: BTreeSet::new(),
            tries: VecDeque::new(),
            kept_by: None,
            version: 0,
            wanted: 0,
            kept: 0,
            scaled: false,
            watches_readiness,
            sheds,
            uids: choice.next_u64(),
            choice,
            ordinals: Vec::new(),
            runs: VecDeque::new(),
            first_run: 0,
            missed_run: false,
            trace,
            next_of_trace: 0,
            hpa,
            next_look: Instant::ZERO,
            arrivals,
            lifetimes: stream("lifetimes"),
            readiness: stream("readiness"),
            termination: stream("termination"),
        }
    }
}

impl WorkloadState {
    /// Pods of a DaemonSet that wait for room on a node.
    pub fn bound_to(&self, node: NodeId) -> impl Iterator<Item = PodId> {
        let all = (node, PodId::new(0))..=(node, PodId(u32::MAX));
        self.bound.range(all).map(|&(_, pod)| pod)
    }
}

impl World<'_> {
    /// Something about a workload changed; its controller looks before anything else happens.
    pub(super) fn changed(&mut self, workload: usize) {
        self.changed[workload] = true;
        let now = self.engine.now();
        if let Some((hpa, _)) = &self.workloads[workload].hpa {
            self.look_at(workload, hpa.next_sync(now));
        }
    }

    /// An HPA looks at `at`, unless it does earlier.
    fn look_at(&mut self, workload: usize, at: Instant) {
        let next = &mut self.workloads[workload].next_look;
        if at < *next && at < self.horizon {
            *next = at;
            self.engine.control_at(at, Control::Workload(workload).pack());
        }
    }

    /// Controllers look until none has anything to do.
    pub(super) fn reconcile(&mut self) {
        while let Some(workload) = self.changed.iter().position(|&changed| changed) {
            self.changed[workload] = false;
            match &self.model.workloads[workload].kind {
                WorkloadKind::Deployment { rollout, .. } => self.keep_deployment(workload, rollout.as_ref()),
                WorkloadKind::StatefulSet { parallel, .. } => self.keep_stateful_set(workload, *parallel),
                WorkloadKind::DaemonSet { rollout } => self.keep_daemon_set(workload, rollout.as_ref()),
                WorkloadKind::Job { job, .. } => self.keep_job(workload, job),
                WorkloadKind::Trace(_) => self.keep_trace(workload),
                WorkloadKind::Arrivals { .. } => {}
            }
        }
    }

    /// The moment of a workload has come: its wanted number changed, its Job starts, its next
    /// pods arrive, its HPA looks.
    pub(super) fn workload_due(&mut self, workload: usize) {
        let model = &self.model.workloads[workload];
        if model.pod.host_network || self.workloads[workload].scaled {
            return;
        }
        let (now, control) = (self.engine.now(), Control::Workload(workload));
        match &model.kind {
            WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), .. }
            | WorkloadKind::StatefulSet { replicas, .. } => {
                self.workloads[workload].wanted = replicas.count(now);
                self.changed(workload);
                self.follow(replicas, control);
            }
            WorkloadKind::Deployment { replicas: Replicas::Autoscaled(_), .. } => {
                if self.workloads[workload].next_look == now {
                    self.hpa_looks(workload);
                }
            }
            WorkloadKind::DaemonSet { .. } => {}
            WorkloadKind::Job { at, concurrency, .. } => {
                if at.not_before(now) == Some(now) {
                    self.start_job(workload, *concurrency);
                }
                self.next_moment(at, control);
            }
            WorkloadKind::Arrivals { per_hour, group } => {
                let arrivals = self.workloads[workload].arrivals.as_mut().expect("the kind has them");
                let pods = if now > Instant::ZERO { arrivals.group(*group) } else { 0 };
                if let Some(at) = arrivals.next(per_hour, now, self.horizon) {
                    self.engine.control_at(at, control.pack());
                }
                for _ in 0..pods {
                    self.create_pod(workload, NewPod::default());
                }
            }
            WorkloadKind::Trace(_) => self.trace_arrives(workload),
        }
    }

    /// A new version of a workload's pods comes.
    pub(super) fn rollout_due(&mut self, workload: usize) {
        let model = &self.model.workloads[workload];
        let at = match &model.kind {
            WorkloadKind::Deployment { rollout: Some(rollout), .. }
            | WorkloadKind::DaemonSet { rollout: Some(rollout) } => &rollout.at,
            WorkloadKind::StatefulSet { updates: Some(at), .. } => at,
            _ => return,
        };
        let now = self.engine.now();
        if at.not_before(now) == Some(now) && now > Instant::ZERO {
            self.new_version(workload);
            self.changed(workload);
            let name = model.name.clone();
            self.engine.observer.landmark(now, "rollout", name, text!("rollout of {name} begins", model.name));
        }
        self.next_moment(at, Control::Rollout(workload));
    }

    fn keep_deployment(&mut self, workload: usize, rollout: Option<&Rollout>) {
        let state = &self.workloads[workload];
        let wanted = state.wanted;
        let pods = Pods {
            wanted,
            old: state.old.len(),
            old_ready: state.old.ready(),
            new: state.active.len(),
            new_ready: state.active.ready(),
        };
        let (surge, unavailable) =
            rollout.map_or((0, 0), |rollout| (rollout.max_surge.up(wanted), rollout.max_unavailable.down(wanted)));
        let before = std::mem::replace(&mut self.workloads[workload].kept, wanted);
        let steps = if pods.old > 0 && before != wanted {
            // The rollout goes on at the next look.
            self.changed(workload);
            let before = before + rollout.map_or(0, |rollout| rollout.max_surge.up(before));
            scale(pods, before, wanted + surge)
        } else {
            steps(pods, surge, unavailable)
        };
        for _ in 0..steps.create {
            self.create_pod(workload, NewPod::default());
        }
        for _ in 0..steps.create_old {
            self.create_pod(workload, NewPod { old: true, ..NewPod::default() });
        }
        self.scale_in(workload, steps.delete_new, |state| &state.active);
        self.scale_in(workload, steps.delete_old, |state| &state.old);
    }

    /// A StatefulSet makes its pods in order, deletes them in the opposite order, and replaces
    /// old versions from the last to the first, one at a time
    /// (kubernetes `pkg/controller/statefulset/stateful_set_control.go`).
    fn keep_stateful_set(&mut self, workload: usize, parallel: bool) {
        let wanted = self.workloads[workload].wanted as usize;
        for ordinal in 0..wanted {
            let pod = self.workloads[workload].ordinals.get(ordinal).copied();
            match pod.map(|pod| self.note(pod).phase) {
                None | Some(Phase::Gone) => {
                    let new = NewPod { tag: ordinal as u32, identity: pod, ..NewPod::default() };
                    let made = self.create_pod(workload, new);
                    if pod.is_none() {
                        self.workloads[workload].ordinals.push(made);
                    }
                    if !parallel {
                        return;
                    }
                }
                Some(Phase::Ready) => {}
                Some(_) if parallel => {}
                Some(_) => return,
            }
        }
        let ordinals = &self.workloads[workload].ordinals;
        let condemned: Vec<PodId> = ordinals[wanted.min(ordinals.len())..].to_vec();
        for pod in condemned.into_iter().rev() {
            match self.note(pod).phase {
                Phase::Gone => continue,
                Phase::Ending => {}
                _ => self.terminate(pod),
            }
            if !parallel {
                return;
            }
        }
        for ordinal in (0..wanted).rev() {
            let pod = self.workloads[workload].ordinals[ordinal];
            let note = *self.note(pod);
            if note.version != self.workloads[workload].version && !matches!(note.phase, Phase::Ending | Phase::Gone) {
                self.terminate(pod);
                return;
            }
            if note.phase != Phase::Ready {
                return;
            }
        }
    }

    /// A DaemonSet has a pod on every node of its pools. A new version replaces them a few at a
    /// time (kubernetes `pkg/controller/daemon/update.go`).
    fn keep_daemon_set(&mut self, workload: usize, rollout: Option<&Rollout>) {
        self.missing_daemons(workload);
        let Some(rollout) = rollout else { return };
        let state = &self.workloads[workload];
        if state.old.pods.is_empty() {
            return;
        }
        let nodes = self.daemon_nodes(workload);
        let surge = rollout.max_surge.up(nodes);
        if surge > 0 {
            self.surge_daemons(workload, nodes, surge);
            return;
        }
        let most = rollout.max_unavailable.up(nodes).max(1);
        let missing = nodes.saturating_sub(state.active.ready() + state.old.ready());
        let unready = (state.old.len() - state.old.ready()).min(most);
        let going = most.saturating_sub(missing).max(unready).min(state.old.len());
        self.scale_in(workload, going, |state| &state.old);
    }

    /// With a surge the new pod comes first, and the old one of its node goes when it is ready. An
    /// old one that is not ready is replaced at once. So is the younger of two old pods of a node,
    /// which a rollout leaves behind that the next one overtakes (`podsShouldBeOnNode` in
    /// `daemon_controller.go`).
    fn surge_daemons(&mut self, workload: usize, nodes: u32, surge: u32) {
        let newest = self.workloads[workload].version;
        let old = self.workloads[workload].old.pods.clone();
        let counted = self.workloads[workload].active.len() + old.len() as u32;
        let mut room = surge.saturating_sub(counted.saturating_sub(nodes));
        for pod in old {
            let (node, version) = (self.engine.pod(pod).node, self.note(pod).version);
            let ready = self.note(pod).phase == Phase::Ready;
            let there = self.nodes[node.index()].pods.iter().filter(|&&other| self.workload_of(other) == workload);
            let bound = self.workloads[workload].bound_to(node);
            let others = there.copied().chain(bound).map(|other| self.note(other));
            let others = others.filter(|note| note.phase != Phase::Ending);
            let (mut new, mut has_elder) = (None, false);
            for note in others {
                new = new.or((note.version == newest).then_some(note.phase));
                has_elder |= note.version < version;
            }
            match new {
                Some(Phase::Ready) => self.terminate(pod),
                _ if has_elder => self.terminate(pod),
                Some(_) if !ready => self.terminate(pod),
                Some(_) => {}
                None if room > 0 || !ready => {
                    room -= u32::from(ready);
                    self.create_pod(workload, NewPod { node: Some(node), ..NewPod::default() });
                }
                None => {}
            }
        }
    }

    /// Nodes that a DaemonSet has a pod on, or should have.
    fn daemon_nodes(&self, workload: usize) -> u32 {
        self.model.workloads[workload].node_pools.iter().map(|&pool| self.pools[pool].present).sum()
    }

    /// Makes the pods of nodes whose daemon pod is gone.
    fn missing_daemons(&mut self, workload: usize) {
        for (of, node) in std::mem::take(&mut self.bare_nodes) {
            if of != workload {
                self.bare_nodes.push((of, node));
            } else if self.nodes[node.index()].exists() {
                self.create_pod(workload, NewPod { node: Some(node), ..NewPod::default() });
            }
        }
    }

    /// A node joined: every DaemonSet of its pool puts a pod on it.
    pub(super) fn start_daemons(&mut self, pool: usize, node: NodeId) {
        for (workload, model) in self.model.workloads.iter().enumerate() {
            let daemon = matches!(model.kind, WorkloadKind::DaemonSet { .. }) && !model.pod.host_network;
            if daemon && model.node_pools.contains(&pool) {
                self.create_pod(workload, NewPod { node: Some(node), ..NewPod::default() });
            }
        }
    }

    pub(super) fn is_daemon(&self, workload: usize) -> bool {
        matches!(self.model.workloads[workload].kind, WorkloadKind::DaemonSet { .. })
    }

    fn start_job(&mut self, workload: usize, concurrency: Concurrency) {
        let state = &mut self.workloads[workload];
        match concurrency {
            Concurrency::Forbid if !state.runs.is_empty() => {
                state.missed_run = true;
                return;
            }
            Concurrency::Replace => {
                state.runs.iter_mut().for_each(|run| run.cancelled = true);
            }
            _ => {}
        }
        self.workloads[workload].runs.push_back(Run::default());
        self.changed(workload);
    }

    /// A pod of a run completed.
    pub(super) fn completed(&mut self, workload: usize, run: u32) {
        let state = &mut self.workloads[workload];
        let run = &mut state.runs[(run - state.first_run) as usize];
        run.completed += 1;
        (run.failed_in_a_row, run.not_before) = (0, Instant::ZERO);
    }

    /// A pod that has not completed is deleted, or lost with its node: its Job, if it has one, counts that as a failure
    /// (`isPodFailed`, `syncJob` in `pkg/controller/job/job_controller.go`), makes no pod for a while (`backoff_utils.go`) and
    /// fails with more than its limit of them.
    pub(super) fn failed(&mut self, pod: PodId) {
        let (now, workload, tag) = (self.engine.now(), self.workload_of(pod), self.note(pod).tag);
        let model = &self.model.workloads[workload];
        let WorkloadKind::Job { job, .. } = &model.kind else { return };
        let state = &mut self.workloads[workload];
        let run = &mut state.runs[(tag - state.first_run) as usize];
        if run.cancelled {
            return;
        }
        run.failed += 1;
        run.failed_in_a_row += 1;
        if run.failed > job.backoff_limit {
            run.cancelled = true;
            self.engine.observer.job_failed();
            self.engine.observer.landmark(now, "job_failed", model.name.clone(), text!("Job {name} fails", model.name));
            return;
        }
        let doublings = (run.failed_in_a_row - 1).min(u32::BITS - 1);
        run.not_before = now + Span(JOB_BACKOFF.0.saturating_mul(1 << doublings)).min(LONGEST_JOB_BACKOFF);
        self.engine.control_at(run.not_before, Control::BackOff(workload).pack());
    }

    /// A pod is not active any more: told to end, completed, or lost with its node.
    pub(super) fn left_controller(&mut self, workload: usize, pod: PodId) {
        let tag = self.note(pod).tag;
        let state = &mut self.workloads[workload];
        if let Some(run) = tag.checked_sub(state.first_run).and_then(|i| state.runs.get_mut(i as usize)) {
            run.active -= 1;
        }
        if state.trace.is_some() {
            self.lost_of_trace.push((workload, tag));
        }
    }

    /// A DaemonSet pod is gone from its node: unless a newer one is there, it is missed.
    pub(super) fn daemon_gone(&mut self, workload: usize, node: NodeId) {
        let note = &self.nodes[node.index()];
        let is_there = |&pod: &PodId| self.workload_of(pod) == workload && self.note(pod).phase != Phase::Ending;
        let is_missed = || !note.pods.iter().any(is_there) && self.workloads[workload].bound_to(node).next().is_none();
        if self.is_daemon(workload) && note.exists() && is_missed() {
            self.bare_nodes.push((workload, node));
        }
    }

    /// The pods of a run that was replaced, or has failed, are deleted (`deleteActivePods`).
    fn delete_run(&mut self, workload: usize, run: u32) {
        let active = &self.workloads[workload].active.pods;
        let doomed: Vec<_> = active.iter().copied().filter(|&pod| self.note(pod).tag == run).collect();
        doomed.into_iter().for_each(|pod| self.terminate(pod));
    }

    /// A Job keeps as many pods as it may have at once, as long as so many have to complete
    /// (kubernetes `pkg/controller/job/job_controller.go`, `manageJob`).
    fn keep_job(&mut self, workload: usize, job: &Job) {
        let (now, first) = (self.engine.now(), self.workloads[workload].first_run);
        for i in 0..self.workloads[workload].runs.len() {
            if self.workloads[workload].runs[i].cancelled {
                self.delete_run(workload, first + i as u32);
            }
            let run = &mut self.workloads[workload].runs[i];
            let makes_none = run.cancelled || now < run.not_before;
            let left = if makes_none { 0 } else { job.completions - run.completed };
            let missing = left.min(job.parallelism).saturating_sub(run.active);
            run.active += missing;
            for _ in 0..missing {
                self.create_pod(workload, NewPod { tag: first + i as u32, ..NewPod::default() });
            }
        }
        let state = &mut self.workloads[workload];
        let over = |run: &Run| run.active == 0 && (run.cancelled || run.completed == job.completions);
        while state.runs.front().is_some_and(over) {
            state.runs.pop_front();
            state.first_run += 1;
        }
        // Its time is the last that was not met, so that it starts at once, and once (`syncCronJob` in
        // `pkg/controller/cronjob/cronjob_controllerv2.go`, without `startingDeadlineSeconds`).
        if state.runs.is_empty() && std::mem::take(&mut state.missed_run) {
            state.runs.push_back(Run::default());
            self.changed(workload);
        }
    }

    /// The pods of a trace whose time has come.
    fn trace_arrives(&mut self, workload: usize) {
        let now = self.engine.now();
        let pods = Arc::clone(self.workloads[workload].trace.as_ref().expect("the kind has one"));
        let mut next = self.workloads[workload].next_of_trace;
        while pods.get(next).is_some_and(|pod| pod.arrive <= now) {
            self.trace_pod(workload, next as u32, pods[next].depart);
            next += 1;
        }
        self.workloads[workload].next_of_trace = next;
        if let Some(pod) = pods.get(next).filter(|pod| pod.arrive <= self.horizon) {
            self.engine.control_at(pod.arrive, Control::Workload(workload).pack());
        }
    }

    /// A pod of a trace comes; it departs in time, whether it got its address or not.
    fn trace_pod(&mut self, workload: usize, number: u32, depart: Instant) {
        let pod = self.create_pod(workload, NewPod { tag: number, ..NewPod::default() });
        self.note_mut(pod).end = depart;
        self.engine.set_timer(pod, depart);
    }

    /// Pods of a trace that were lost with their node come again.
    fn keep_trace(&mut self, workload: usize) {
        for (of, number) in std::mem::take(&mut self.lost_of_trace) {
            let depart = self.workloads[of].trace.as_ref().expect("the kind has one")[number as usize].depart;
            if of != workload {
                self.lost_of_trace.push((of, number));
            } else if depart > self.engine.now() {
                self.trace_pod(workload, number, depart);
            }
        }
    }

    fn hpa_looks(&mut self, workload: usize) {
        let now = self.engine.now();
        let state = &mut self.workloads[workload];
        let pods = state.active.len() + state.old.len();
        let ready = state.active.ready() + state.old.ready();
        let (hpa, curve) = state.hpa.as_mut().expect("the kind has one");
        let load = curve.value(now);
        let wanted = match now {
            Instant::ZERO => hpa.settled(load),
            _ => hpa.look(now, ready, pods - ready, state.wanted, load),
        };
        let at_rest = ready == pods && pods == wanted;
        let next = hpa.next_look(now, at_rest, curve.holds_until(now));
        let changed = std::mem::replace(&mut state.wanted, wanted) != wanted;
        state.next_look = Instant::NEVER;
        self.look_at(workload, next);
        if changed {
            self.changed(workload);
        }
    }
}

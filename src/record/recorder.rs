//! The recorder: keeps levels, tallies and the journal while a replication runs.

mod audit;
mod trouble;

use hdrhistogram::Histogram;

use super::{
    Cause, FailureReason, GroupLevels, GroupRecord, Holders, JournalEntry, PodRecord, PodRow, Recording, Stranded,
    TimeWeighted, Timeline, VSwitchRecord,
};
use crate::id::{NodeId, VSwitchId};
use crate::model::Quota;
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};
use trouble::Trouble;

/// Longest wait that is told apart: ten years, in ms.
const LONGEST_WAIT_MS: u64 = 10 * 365 * 86_400_000;

/// The kind of what goes on inside a node: it may be told late, in any order.
const ALLOC_FAILED: &str = "alloc_failed";

/// One vSwitch while the run goes on.
#[derive(Debug, Default)]
struct VSwitchLevels {
    usable: u32,
    /// Addresses on interfaces, in use or not.
    on_enis: u32,
    pods: TimeWeighted,
    idle: TimeWeighted,
    primaries: TimeWeighted,
    others: TimeWeighted,
    free: TimeWeighted,
    min_free: u32,
    first_refusal: Option<(Instant, Holders<u32>)>,
    first_empty: Option<Instant>,
    refusals: u64,
}

impl VSwitchLevels {
    fn holders(&self) -> Holders<u32> {
        Holders {
            pods: self.pods.level(),
            idle: self.idle.level(),
            primaries: self.primaries.level(),
            others: self.others.level(),
            free: self.free.level(),
        }
    }

    fn set_pods(&mut self, now: Instant, pods: u32) {
        self.pods.set(now, pods);
        self.idle.set(now, self.on_enis - pods);
    }
}

/// One pool in one zone while the run goes on.
#[derive(Debug)]
struct Group {
    pool: usize,
    zone: usize,
    levels: GroupLevels,
    max_waiting: u32,
    /// Most waiting pods since the last row of the timeline.
    recent_waiting: u32,
    nodes_refused: u32,
}

/// What is known of a node.
#[derive(Debug, Clone, Copy)]
struct NodeNote {
    group: u32,
    enis: u32,
    trouble: Trouble,
}

/// What the recorder keeps besides levels and tallies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    /// Every pod's life.
    pub pods: bool,
    /// Everything that happens, not just the landmarks.
    pub events: bool,
}

/// Records a replication.
#[derive(Debug)]
pub struct Recorder {
    replication: u32,
    detail: Detail,
    names: Vec<String>,
    vswitches: Vec<VSwitchLevels>,
    groups: Vec<Group>,
    nodes: Vec<NodeNote>,
    pods: PodRecord,
    waiting: u32,
    unschedulable: u32,
    calls: [u64; Api::ALL.len()],
    errors: [[u64; ErrorCode::ALL.len()]; Api::ALL.len()],
    binding: Vec<(Instant, Cause)>,
    timeline: Timeline,
    journal: Vec<JournalEntry>,
    pod_log: Vec<PodRow>,
    /// Position of each pod's current life in `pod_log`, by pod.
    pod_rows: Vec<u32>,
    warm_from: Instant,
    pod_events: u64,
}

impl Recorder {
    /// A recorder of vSwitches with these names and usable addresses, and of groups given as
    /// (pool, zone).
    #[must_use]
    pub fn new(
        replication: u32,
        vswitches: impl IntoIterator<Item = (String, u32)>,
        groups: &[(usize, usize)],
        detail: Detail,
    ) -> Self {
        let (names, vswitches): (Vec<_>, Vec<_>) = vswitches
            .into_iter()
            .map(|(name, usable)| {
                let mut levels = VSwitchLevels { usable, min_free: usable, ..VSwitchLevels::default() };
                levels.free.set(Instant::ZERO, usable);
                (name, levels)
            })
            .unzip();
        let groups: Vec<_> = groups
            .iter()
            .map(|&(pool, zone)| Group {
                pool,
                zone,
                levels: GroupLevels::default(),
                max_waiting: 0,
                recent_waiting: 0,
                nodes_refused: 0,
            })
            .collect();
        let wait_ms = Histogram::new_with_bounds(1, LONGEST_WAIT_MS, 3).expect("the bounds are valid");
        let timeline = Timeline {
            vswitches: vec![Vec::new(); vswitches.len()],
            groups: vec![Vec::new(); groups.len()],
            max_waiting: vec![Vec::new(); groups.len()],
            ..Timeline::default()
        };
        Self {
            replication,
            detail,
            names,
            vswitches,
            groups,
            nodes: Vec::new(),
            pods: PodRecord {
                requested: 0,
                served: 0,
                gave_up: 0,
                waiting_at_end: 0,
                max_waiting: 0,
                unschedulable_at_end: 0,
                max_unschedulable: 0,
                wait_ms,
                failures: [0; FailureReason::ALL.len()],
            },
            waiting: 0,
            unschedulable: 0,
            calls: [0; Api::ALL.len()],
            errors: [[0; ErrorCode::ALL.len()]; Api::ALL.len()],
            binding: Vec::new(),
            timeline,
            journal: Vec::new(),
            pod_log: Vec::new(),
            pod_rows: Vec::new(),
            warm_from: Instant::ZERO,
            pod_events: 0,
        }
    }

    /// The cloud's side of a vSwitch changed.
    pub fn vswitch_changed(
        &mut self,
        now: Instant,
        id: VSwitchId,
        on_enis: u32,
        primaries: u32,
        others: u32,
        free: u32,
    ) {
        let levels = &mut self.vswitches[id.index()];
        levels.on_enis = on_enis;
        levels.idle.set(now, on_enis - levels.pods.level());
        levels.primaries.set(now, primaries);
        levels.others.set(now, others);
        levels.free.set(now, free);
        levels.min_free = levels.min_free.min(free);
        if free == 0 && levels.first_empty.is_none() {
            levels.first_empty = Some(now);
        }
    }

    /// A node joined a group.
    pub fn node_joined(&mut self, now: Instant, node: NodeId, group: usize, name: impl FnOnce() -> String) {
        assert_eq!(node.index(), self.nodes.len(), "nodes are numbered in the order of joining");
        self.nodes.push(NodeNote { group: group as u32, enis: 0, trouble: Trouble::default() });
        self.groups[group].levels.nodes += 1;
        self.event(now, "node_joined", name, || "joined".to_owned());
    }

    /// A node left.
    pub fn node_left(&mut self, now: Instant, node: NodeId, name: impl FnOnce() -> String) {
        self.enis_changed(node, 0);
        self.group_of(node).levels.nodes -= 1;
        self.event(now, "node_left", name, || "left".to_owned());
    }

    /// `missing` wanted nodes of a group's pool cannot join for lack of a primary address.
    pub fn nodes_refused(&mut self, now: Instant, group: usize, vswitch: VSwitchId, missing: u32) {
        let most = &mut self.groups[group].nodes_refused;
        *most = missing.max(*most);
        self.binds(now, Cause::VSwitch(vswitch));
        self.refused(now, vswitch);
    }

    /// A pod was scheduled and asks for its address.
    pub fn pod_requested(&mut self, now: Instant, pod: usize, node: NodeId, workload: usize) {
        self.pods.requested += 1;
        self.pod_events += 1;
        self.waiting += 1;
        self.pods.max_waiting = self.pods.max_waiting.max(self.waiting);
        let group = self.group_of(node);
        group.levels.waiting += 1;
        group.max_waiting = group.max_waiting.max(group.levels.waiting);
        group.recent_waiting = group.recent_waiting.max(group.levels.waiting);
        if self.detail.pods {
            self.pod_rows.resize(self.pod_rows.len().max(pod + 1), u32::MAX);
            self.pod_rows[pod] = self.pod_log.len() as u32;
            self.pod_log.push(PodRow {
                workload,
                node: node.0,
                requested: now,
                served: None,
                ended: None,
                vswitch: None,
                address: None,
            });
        }
    }

    /// A pod got its address after `wait`; `counted` = the address counted as in use already
    /// (it was retained).
    #[allow(clippy::too_many_arguments, reason = "the facts of one event")]
    pub fn pod_served(
        &mut self,
        now: Instant,
        pod: usize,
        node: NodeId,
        vswitch: VSwitchId,
        address: std::net::Ipv4Addr,
        wait: Span,
        counted: bool,
    ) {
        if !counted {
            let levels = &mut self.vswitches[vswitch.index()];
            levels.set_pods(now, levels.pods.level() + 1);
        }
        self.waiting -= 1;
        let levels = &mut self.group_of(node).levels;
        levels.waiting -= 1;
        levels.running += 1;
        self.pods.served += 1;
        self.pods.wait_ms.saturating_record(wait.as_millis());
        if let Some(row) = self.pod_row(pod) {
            (row.served, row.vswitch, row.address) = (Some(now), Some(vswitch), Some(address));
        }
    }

    /// An address is idle again.
    pub fn address_released(&mut self, now: Instant, vswitch: VSwitchId) {
        let levels = &mut self.vswitches[vswitch.index()];
        levels.set_pods(now, levels.pods.level() - 1);
    }

    /// A pod is gone; `running` = it had its address.
    pub fn pod_gone(&mut self, now: Instant, pod: usize, node: NodeId, running: bool) {
        self.pod_events += 1;
        let levels = &mut self.group_of(node).levels;
        if running {
            levels.running -= 1;
        } else {
            levels.waiting -= 1;
            self.waiting -= 1;
            self.pods.gave_up += 1;
        }
        if let Some(row) = self.pod_row(pod) {
            row.ended = Some(now);
        }
    }

    /// The daemon left a pod without an address.
    pub fn pod_failed(&mut self, now: Instant, node: NodeId, failure: FailureReason, name: impl FnOnce() -> String) {
        self.pods.failures[failure.index()] += 1;
        if let Some(cause) = self.nodes[node.index()].trouble.cause(now, failure) {
            self.binds(now, cause);
        }
        self.event(now, ALLOC_FAILED, name, || failure.message().to_owned());
    }

    /// Pods that find no node.
    pub fn unschedulable(&mut self, now: Instant, pods: u32) {
        if pods > self.unschedulable {
            let any = self.groups.iter().any(|group| group.levels.nodes > 0);
            self.binds(now, if any { Cause::MaxPods } else { Cause::NoNode });
        }
        self.unschedulable = pods;
        self.pods.max_unschedulable = self.pods.max_unschedulable.max(pods);
    }

    /// A call leaves at `at`, to be answered after `latency`.
    pub fn call_left(&mut self, at: Instant, node: NodeId, api: Api, latency: Span) {
        self.nodes[node.index()].trouble.call_left(at, api, latency);
    }

    /// A call was answered well.
    pub fn call_answered(&mut self, api: Api) {
        self.calls[api.index()] += 1;
    }

    /// A call was refused; `vswitch` is that of the interface or of the call, `quota` the one that
    /// has no room for what it asked for.
    pub fn call_refused(
        &mut self,
        now: Instant,
        node: NodeId,
        api: Api,
        code: ErrorCode,
        vswitch: Option<VSwitchId>,
        quota: Option<Quota>,
    ) {
        self.calls[api.index()] += 1;
        self.errors[api.index()][code.index()] += 1;
        self.nodes[node.index()].trouble.refused(now, api, code, vswitch, quota);
        if let (ErrorCode::IpNotEnough, Some(vswitch)) = (code, vswitch) {
            self.refused(now, vswitch);
        }
    }

    /// A daemon that wanted addresses looked a vSwitch up and found it empty.
    pub fn found_empty(&mut self, now: Instant, node: NodeId, vswitch: VSwitchId) {
        self.nodes[node.index()].trouble.is_short(now, Cause::VSwitch(vswitch));
        self.refused(now, vswitch);
    }

    /// A node has this many secondary interfaces now.
    pub fn enis_changed(&mut self, node: NodeId, enis: u32) {
        let before = std::mem::replace(&mut self.nodes[node.index()].enis, enis);
        let levels = &mut self.group_of(node).levels;
        levels.enis = levels.enis - before + enis;
    }

    /// Rows of the timeline so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.timeline.at.len()
    }

    /// A row of the timeline.
    pub fn sample(&mut self, now: Instant) {
        let timeline = &mut self.timeline;
        timeline.at.push(now);
        for (rows, levels) in timeline.vswitches.iter_mut().zip(&self.vswitches) {
            rows.push(levels.holders());
        }
        for (i, group) in self.groups.iter_mut().enumerate() {
            timeline.groups[i].push(group.levels);
            timeline.max_waiting[i].push(group.recent_waiting);
            group.recent_waiting = group.levels.waiting;
        }
        timeline.unschedulable.push(self.unschedulable);
    }

    /// The warm-up is over: time-weighted measures begin anew.
    pub fn warm(&mut self, now: Instant) {
        self.warm_from = now;
        for levels in &mut self.vswitches {
            for level in
                [&mut levels.pods, &mut levels.idle, &mut levels.primaries, &mut levels.others, &mut levels.free]
            {
                let value = level.level();
                level.set(now, value);
                level.reset(now);
            }
            levels.min_free = levels.free.level();
        }
    }

    /// Something that the landmarks of the run show.
    pub fn landmark(&mut self, at: Instant, kind: &'static str, subject: String, text: String) {
        self.journal.push(JournalEntry { at, landmark: true, kind, subject, text });
    }

    /// Ends the recording.
    #[must_use]
    pub fn finish(mut self, now: Instant, stranded: Vec<Stranded>, events: u64) -> Recording {
        let length = now.since(self.warm_from);
        // What goes on inside a node may have been told late; of equal times it comes last.
        self.binding.sort_by_key(|&(at, _)| at);
        let late = |entry: &JournalEntry| (entry.kind == ALLOC_FAILED).then(|| entry.subject.clone());
        self.journal.sort_by_cached_key(|entry| (entry.at, late(entry)));
        self.pods.waiting_at_end = self.waiting;
        self.pods.unschedulable_at_end = self.unschedulable;
        let vswitches = self.vswitches.iter().map(|levels| VSwitchRecord {
            usable: levels.usable,
            first_refusal: levels.first_refusal,
            first_empty: levels.first_empty,
            refusals: levels.refusals,
            mean: Holders {
                pods: levels.pods.mean(now, length),
                idle: levels.idle.mean(now, length),
                primaries: levels.primaries.mean(now, length),
                others: levels.others.mean(now, length),
                free: levels.free.mean(now, length),
            },
            min_free: levels.min_free,
            end: levels.holders(),
        });
        let groups = self.groups.iter().map(|group| GroupRecord {
            pool: group.pool,
            zone: group.zone,
            end: group.levels,
            max_waiting: group.max_waiting,
            nodes_refused: group.nodes_refused,
        });
        Recording {
            replication: self.replication,
            vswitches: vswitches.collect(),
            groups: groups.collect(),
            pods: self.pods,
            calls: self.calls,
            errors: self.errors,
            binding: self.binding,
            timeline: self.timeline,
            journal: self.journal,
            pod_log: self.pod_log,
            stranded,
            events,
            pod_events: self.pod_events,
        }
    }

    fn refused(&mut self, now: Instant, vswitch: VSwitchId) {
        let levels = &mut self.vswitches[vswitch.index()];
        levels.refusals += 1;
        if levels.first_refusal.is_none() {
            levels.first_refusal = Some((now, levels.holders()));
            let name = self.names[vswitch.index()].clone();
            let text = format!("{name} is full");
            self.landmark(now, "vswitch_full", name, text);
        }
    }

    /// What goes on inside a node may be told late, so the first time is the least.
    fn binds(&mut self, now: Instant, cause: Cause) {
        match self.binding.iter_mut().find(|(_, known)| *known == cause) {
            Some((first, _)) => *first = now.min(*first),
            None => self.binding.push((now, cause)),
        }
    }

    fn event(
        &mut self,
        at: Instant,
        kind: &'static str,
        subject: impl FnOnce() -> String,
        text: impl FnOnce() -> String,
    ) {
        if self.detail.events {
            self.journal.push(JournalEntry { at, landmark: false, kind, subject: subject(), text: text() });
        }
    }

    fn group_of(&mut self, node: NodeId) -> &mut Group {
        &mut self.groups[self.nodes[node.index()].group as usize]
    }

    fn pod_row(&mut self, pod: usize) -> Option<&mut PodRow> {
        let row = *self.pod_rows.get(pod)?;
        self.pod_log.get_mut(row as usize)
    }
}

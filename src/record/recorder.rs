//! The recorder: keeps levels, tallies and the journal while a replication runs.

mod actions;
mod audit;
mod defects;
mod diary;
mod latencies;
mod levels;
mod outlook;
mod prefixes;
mod trouble;
mod trunkless;
mod waits;

use std::collections::BTreeSet;

use super::{
    ByReason, Calls, Cause, Counting, FailureReason, Full, IdleParts, JournalEntry, PodRecord, Recording, Stranded,
    TimeWeighted, Timeline, Was, What,
};
use crate::cloud::Usage;
use crate::id::{NodeId, VSwitchId};
use crate::ipam::Holdings;
use crate::model::{Model, Quota, Unfit};
use crate::openapi::{Api, ErrorCode};
use crate::text::{Text, text};
use crate::time::{Instant, Span};
pub use defects::DefectRecord;
use defects::Defects;
use diary::Diary;
pub use latencies::{API_BUCKETS_MS, Asked, Latencies, RPC_BUCKETS_MS, Tally};
use levels::{Group, NodeNote, VSwitchLevels};
pub use outlook::Outlook;
use prefixes::PrefixLevels;
use trouble::Trouble;
pub use trunkless::TrunkWait;
use trunkless::Trunkless;
use waits::Waits;

/// What the recorder keeps besides levels and tallies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Detail {
    /// Every pod's life.
    pub pods: bool,
    /// Everything that happens, not just the landmarks.
    pub events: bool,
    /// Of the steps only those on this node.
    pub node: Option<NodeId>,
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
    /// Of each node, apart from its note since every pod asks for it.
    group_by_node: Vec<u32>,
    pods: PodRecord,
    waiting: TimeWeighted,
    unschedulable: TimeWeighted,
    /// Most pods without a node since the last row of the timeline.
    recent_unschedulable: u32,
    counting: Counting,
    /// Addresses that pods want now.
    wanted: u32,
    /// vSwitches that are full for the first time and whose idle addresses are not accounted for.
    unaccounted: Vec<VSwitchId>,
    calls: [u64; Api::ALL.len()],
    /// Those since the last row of the timeline.
    recent_calls: [Calls; Api::ALL.len()],
    errors: [[u64; ErrorCode::ALL.len()]; Api::ALL.len()],
    binding: Vec<(Instant, Cause)>,
    defects: Defects,
    trunkless: Trunkless,
    timeline: Timeline,
    journal: Vec<JournalEntry>,
    diary: Diary,
    waits: Waits,
    /// How long calls took, per group of nodes and, last, those for no node.
    latencies: Vec<Latencies>,
    /// vSwitches that pods take addresses of, sooner or later.
    serving: BTreeSet<VSwitchId>,
    /// When the warm-up is over.
    warm_from: Instant,
    pod_events: u64,
}

impl Recorder {
    /// A recorder of replication `replication` of a model.
    #[must_use]
    pub fn new(replication: u32, model: &Model, detail: Detail) -> Self {
        let vswitches = model.vpc.vswitches.iter().enumerate();
        let vswitches = vswitches.map(|(i, v)| {
            let id = VSwitchId::new(i);
            VSwitchLevels::new(v, model.gives_prefixes(id), model.holds_addresses(id))
        });
        let vswitches: Vec<_> = vswitches.collect();
        let groups: Vec<_> = model.groups().map(|(key, _)| Group::new(key)).collect();
        let timeline = Timeline {
            vswitches: vec![Vec::new(); vswitches.len()],
            least_free: vec![Vec::new(); vswitches.len()],
            prefixes: vec![Vec::new(); vswitches.len()],
            groups: vec![Vec::new(); groups.len()],
            max_waiting: vec![Vec::new(); groups.len()],
            ..Timeline::default()
        };
        Self {
            replication,
            detail,
            names: model.vpc.vswitches.iter().map(|v| v.id.clone()).collect(),
            counting: Counting { usable: actions::usable_at_first(model), ..Counting::default() },
            wanted: 0,
            vswitches,
            groups,
            nodes: Vec::new(),
            group_by_node: Vec::new(),
            pods: PodRecord::new(),
            waiting: TimeWeighted::default(),
            unschedulable: TimeWeighted::default(),
            recent_unschedulable: 0,
            unaccounted: Vec::new(),
            calls: [0; Api::ALL.len()],
            recent_calls: Default::default(),
            errors: [[0; ErrorCode::ALL.len()]; Api::ALL.len()],
            binding: Vec::new(),
            defects: Defects::default(),
            trunkless: Trunkless::default(),
            timeline,
            journal: Vec::new(),
            diary: Diary::new(detail, model.workloads.len()),
            waits: Waits::new(model),
            latencies: vec![Latencies::default(); model.groups().count() + 1],
            serving: model.serving_vswitches(),
            warm_from: Instant::ZERO + model.warm_up,
            pod_events: 0,
        }
    }

    /// The cloud's side of a vSwitch changed; `leaked` of the addresses on interfaces are on those
    /// that no daemon knows.
    pub fn vswitch_changed(&mut self, now: Instant, id: VSwitchId, usage: &Usage, leaked: u32) {
        self.vswitches[id.index()].set_usage(now, usage, leaked);
    }

    /// Whether somebody has to tell how many /28 blocks of a vSwitch are free.
    #[must_use]
    pub fn watches_prefixes(&self, id: VSwitchId) -> bool {
        let levels = &self.vswitches[id.index()];
        levels.exists() && levels.prefixes.is_some()
    }

    /// So many /28 blocks of a vSwitch are free, and so many addresses of prefixes on interfaces.
    pub fn prefixes_changed(&mut self, now: Instant, id: VSwitchId, free: u32, addresses: u32) {
        if let Some(prefixes) = &mut self.vswitches[id.index()].prefixes {
            prefixes.set(now, free, addresses);
        }
    }

    /// Pods want so many addresses, with or without a node; those that end are counted for as long as they hold
    /// theirs.
    pub fn demand(&mut self, now: Instant, addresses: u32) {
        self.wanted = addresses;
        let Counting { usable, most_wanted, full } = &mut self.counting;
        *most_wanted = addresses.max(*most_wanted);
        if addresses > *usable && full.is_none() {
            *full = Some(now);
        }
    }

    /// A node joined a group.
    pub fn node_joined(&mut self, now: Instant, node: NodeId, group: usize, name: impl FnOnce() -> String) {
        assert_eq!(node.index(), self.nodes.len(), "nodes are numbered in the order of joining");
        self.nodes.push(NodeNote { enis: 0, trouble: Trouble::default(), left: false });
        self.group_by_node.push(group as u32);
        self.groups[group].levels.nodes += 1;
        self.event(now, "node_joined", name, || text!("joined"));
    }

    /// A node left.
    pub fn node_left(&mut self, now: Instant, node: NodeId, name: impl FnOnce() -> String) {
        self.enis_changed(node, 0);
        self.waits_for_no_trunk(now, node);
        self.nodes[node.index()].left = true;
        self.group_of(node).levels.nodes -= 1;
        self.event(now, "node_left", name, || text!("left"));
    }

    /// `missing` wanted nodes of a group's pool cannot join for lack of a primary address.
    pub fn nodes_refused(&mut self, now: Instant, group: usize, vswitch: VSwitchId, missing: u32) {
        let most = &mut self.groups[group].nodes_refused;
        *most = missing.max(*most);
        self.binds(now, Cause::VSwitch(vswitch));
        self.refused(now, vswitch);
    }

    /// A pod was scheduled and asks for its address.
    pub fn pod_requested(&mut self, now: Instant, pod: usize, node: NodeId) {
        self.pods.requested += 1;
        self.pod_events += 1;
        self.waits.begin(now, pod);
        let waiting = self.waiting.level() + 1;
        self.waiting.set(now, waiting);
        if waiting > self.pods.max_waiting {
            (self.pods.max_waiting, self.pods.max_waiting_at) = (waiting, now);
        }
        self.group_of(node).add_waiting();
        if let Some(life) = self.diary.life(pod) {
            (life.node, life.requested) = (Some(node), Some(now));
        }
        self.diary.pod_step(now, pod, What::Scheduled);
    }

    /// An address is in use.
    pub fn address_bound(&mut self, now: Instant, vswitch: VSwitchId) {
        self.vswitches[vswitch.index()].bind(now);
    }

    /// A pod got its address, which the daemon has had for `had`; it may have been retained for it.
    #[allow(clippy::too_many_arguments, reason = "the facts of one event")]
    pub fn pod_served(
        &mut self,
        now: Instant,
        pod: usize,
        node: NodeId,
        vswitch: VSwitchId,
        address: std::net::Ipv4Addr,
        asked: Asked,
        retained: bool,
        had: Span,
    ) {
        self.vswitches[vswitch.index()].served += 1;
        self.waits.end(now, pod, true);
        self.waiting.set(now, self.waiting.level() - 1);
        let levels = &mut self.group_of(node).levels;
        levels.waiting -= 1;
        levels.running += 1;
        self.pods.served += 1;
        let waited = self.that_counts(now, now.since(asked.first));
        self.pods.wait_ms.saturating_record(waited.as_millis());
        self.pods.longest_wait = self.pods.longest_wait.max(waited);
        if let Some(life) = self.diary.life(pod) {
            (life.served, life.vswitch, life.address) = (Some(now), Some(vswitch), Some(address));
        }
        self.diary.pod_step(now, pod, |pod| What::Served { pod, vswitch, address, retained, tried: asked.last, had });
    }

    /// A pod has an address of another of its networks on a vSwitch.
    pub fn another_served(&mut self, vswitch: VSwitchId) {
        self.vswitches[vswitch.index()].served += 1;
    }

    /// An address is idle again.
    pub fn address_released(&mut self, now: Instant, vswitch: VSwitchId) {
        self.vswitches[vswitch.index()].unbind(now);
    }

    /// A pod that has its address is told to end.
    pub fn pod_terminating(&mut self, now: Instant, pod: usize, node: NodeId) {
        let levels = &mut self.group_of(node).levels;
        levels.running -= 1;
        levels.terminating += 1;
        if let Some(life) = self.diary.life(pod) {
            life.deleted = Some(now);
        }
        self.diary.pod_step(now, pod, What::Ending);
    }

    /// Nothing of a pod is left.
    pub fn pod_gone(&mut self, now: Instant, pod: usize, node: NodeId, was: Was) {
        self.pod_events += 1;
        if let Was::Waiting(waited) = was {
            self.never_served(now, waited);
        }
        let levels = &mut self.group_of(node).levels;
        match was {
            Was::Waiting(_) => {
                levels.waiting -= 1;
                self.waits.end(now, pod, false);
                self.waiting.set(now, self.waiting.level() - 1);
                self.pods.gave_up += 1;
            }
            Was::Running => levels.running -= 1,
            Was::Terminating => levels.terminating -= 1,
        }
        self.end_life(now, pod);
    }

    /// A pod has waited so long, and was deleted or goes on to wait after the end.
    pub fn never_served(&mut self, now: Instant, waited: Span) {
        let waited = self.that_counts(now, waited);
        self.pods.unserved_ms.saturating_record(waited.as_millis());
        self.pods.longest_wait = self.pods.longest_wait.max(waited);
    }

    /// A Job failed, since too many of its pods were deleted.
    pub fn job_failed(&mut self) {
        self.pods.failed_jobs += 1;
    }

    /// The daemon, which had `what`, left a pod without an address, of which it had been asked at `tried`.
    pub fn pod_failed(
        &mut self,
        at: Instant,
        pod: usize,
        node: NodeId,
        tried: Instant,
        reason: FailureReason,
        what: impl FnOnce() -> Holdings,
    ) {
        self.pods.failures[reason.index()] += 1;
        if !matches!(reason, FailureReason::Restart | FailureReason::Down) {
            self.rpc_ended(node, at.since(tried), true);
        }
        let cause = self.nodes[node.index()].trouble.cause(at, reason);
        if let Some(cause) = cause {
            self.binds(at, cause);
        }
        self.diary.failed(at, pod);
        if self.diary.follows(node) {
            self.diary.pod_step(at, pod, |pod| What::Failed { pod, tried, reason, cause, had: Box::new(what()) });
        }
    }

    /// `pods` find no node now. For `new` ones none is on its way, as for `lasting` in all.
    pub fn unschedulable(&mut self, now: Instant, pods: u32, new: &ByReason, lasting: ByReason) {
        for why in Unfit::ALL.into_iter().filter(|why| new[why.index()] > 0) {
            self.pods.unschedulable_by[why.index()] += new[why.index()];
            self.binds(now, why.into());
        }
        self.pods.max_stuck = self.pods.max_stuck.max(lasting.iter().sum::<u64>() as u32);
        self.pods.unschedulable_at_end_by = lasting;
        self.unschedulable.set(now, pods);
        self.pods.max_unschedulable = self.pods.max_unschedulable.max(pods);
        self.recent_unschedulable = self.recent_unschedulable.max(pods);
    }

    /// The autoscaler would add nodes for pods without one, if the pools' maximum allowed it.
    pub fn pools_at_maximum(&mut self, now: Instant) {
        self.binds(now, Cause::PoolMaximum);
    }

    /// A pod that had found no node got one, `wait` after it was made.
    pub fn pod_scheduled_after(&mut self, now: Instant, wait: Span) {
        let wait = self.that_counts(now, wait);
        self.pods.unschedulable_ms.saturating_record(wait.as_millis());
    }

    /// A call leaves at `at`, to be answered after `latency`.
    pub fn call_left(&mut self, at: Instant, node: NodeId, api: Api, latency: Span) {
        self.nodes[node.index()].trouble.call_left(at, api, latency);
    }

    /// A call was answered well.
    pub fn call_answered(&mut self, api: Api) {
        self.calls[api.index()] += 1;
        self.recent_calls[api.index()].done += 1;
    }

    /// A call was refused; `vswitch` is that of the interface or of the call, `quota` the one that
    /// has no room for what it asked for.
    pub fn call_refused(
        &mut self,
        now: Instant,
        node: Option<NodeId>,
        api: Api,
        code: ErrorCode,
        vswitch: Option<VSwitchId>,
        quota: Option<Quota>,
    ) {
        self.calls[api.index()] += 1;
        self.errors[api.index()][code.index()] += 1;
        match code {
            ErrorCode::Throttling => self.recent_calls[api.index()].throttled += 1,
            _ => self.recent_calls[api.index()].refused += 1,
        }
        if let Some(node) = node {
            self.nodes[node.index()].trouble.refused(now, api, code, vswitch, quota);
        }
        match (code, vswitch) {
            (ErrorCode::IpNotEnough, Some(vswitch)) => self.refused(now, vswitch),
            (ErrorCode::PrefixNotEnough, Some(vswitch)) => self.refused_prefixes(now, vswitch),
            _ => {}
        }
    }

    /// A look-up found a vSwitch empty: for a node that wanted addresses, or for all, which the control
    /// plane also does when nobody wants any (rule C60).
    pub fn found_empty(&mut self, now: Instant, node: Option<NodeId>, vswitch: VSwitchId) {
        if let Some(node) = node {
            self.nodes[node.index()].trouble.is_short(now, Cause::VSwitch(vswitch));
        }
        if node.is_some() || self.waiting.level() > 0 {
            self.refused(now, vswitch);
        }
    }

    /// Something keeps a node from addresses, and nobody refused it any.
    pub fn node_limited(&mut self, now: Instant, node: NodeId, cause: Cause) {
        self.nodes[node.index()].trouble.is_short(now, cause);
        if let Cause::VSwitch(vswitch) = cause
            && self.vswitches[vswitch.index()].first_refusal.is_none()
        {
            self.refused(now, vswitch);
        }
    }

    /// A node has this many secondary interfaces now.
    pub fn enis_changed(&mut self, node: NodeId, enis: u32) {
        if self.nodes[node.index()].left {
            return;
        }
        let before = std::mem::replace(&mut self.nodes[node.index()].enis, enis);
        let levels = &mut self.group_of(node).levels;
        levels.enis = levels.enis - before + enis;
    }

    /// The next vSwitch that is full for the first time and whose idle addresses are not accounted
    /// for: whoever knows the daemons answers with [`Self::account`], before anything else happens.
    pub fn take_newly_full(&mut self) -> Option<VSwitchId> {
        self.unaccounted.pop()
    }

    /// What the idle addresses of a newly full vSwitch are about, and how many more calls under
    /// way ask for.
    ///
    /// # Panics
    /// If the parts do not add up to the idle addresses: an address is not accounted for.
    pub fn account(&mut self, vswitch: VSwitchId, idle: IdleParts<u32>, asked: u32) {
        self.audit_idle(vswitch, idle);
        let levels = &mut self.vswitches[vswitch.index()];
        let who = levels.holders();
        if let Some(full) = &mut levels.first_refusal {
            *full = Full { who, idle, asked, ..*full };
        }
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
        for (i, levels) in self.vswitches.iter_mut().enumerate() {
            timeline.vswitches[i].push(levels.holders());
            timeline.least_free[i].push(levels.take_recent_free());
            timeline.prefixes[i].extend(levels.prefixes.as_ref().map(PrefixLevels::level));
        }
        for (i, group) in self.groups.iter_mut().enumerate() {
            timeline.groups[i].push(group.levels);
            timeline.max_waiting[i].push(group.take_recent_waiting());
        }
        let unschedulable = self.unschedulable.level();
        timeline.unschedulable.push(unschedulable);
        timeline.max_unschedulable.push(std::mem::replace(&mut self.recent_unschedulable, unschedulable));
        timeline.calls.push(std::mem::take(&mut self.recent_calls));
    }

    /// The part of a wait that ends now and does not lie in the warm-up, if that is over.
    fn that_counts(&self, now: Instant, wait: Span) -> Span {
        if now < self.warm_from { wait } else { wait.min(now.since(self.warm_from)) }
    }

    /// The warm-up is over: means, extremes and counts begin anew. Who waits now counts as if it had just asked, and
    /// meanwhile a vSwitch is full that was, and has got no more addresses since.
    pub fn warm(&mut self, now: Instant) {
        self.vswitches.iter_mut().for_each(|levels| levels.warm(now));
        for vswitch in (0..self.vswitches.len()).map(VSwitchId::new) {
            if self.waiting.level() > 0 && self.vswitches[vswitch.index()].is_short() {
                self.is_full(now, vswitch);
            }
        }
        (self.defects, self.counting.most_wanted) = (Defects::default(), self.wanted);
        self.counting.full = (self.wanted > self.counting.usable).then_some(now);
        self.trunkless.warm(now);
        self.groups.iter_mut().for_each(Group::warm);
        (self.waiting, self.unschedulable) = (self.waiting.from(now), self.unschedulable.from(now));
        let without_node = self.pods.unschedulable_at_end_by;
        self.pods = PodRecord {
            requested: self.waiting.level().into(),
            max_waiting: self.waiting.level(),
            max_waiting_at: now,
            max_unschedulable: self.unschedulable.level(),
            max_stuck: without_node.iter().sum::<u64>() as u32,
            unschedulable_by: without_node,
            unschedulable_at_end_by: without_node,
            ..PodRecord::new()
        };
        self.calls = [0; Api::ALL.len()];
        self.errors = [[0; ErrorCode::ALL.len()]; Api::ALL.len()];
        self.waits.warm(now);
        for why in Unfit::ALL.into_iter().filter(|why| without_node[why.index()] > 0) {
            self.binds(now, why.into());
        }
    }

    /// Something that the landmarks of the run show.
    pub fn landmark(&mut self, at: Instant, kind: &'static str, subject: String, text: Text) {
        self.journal.push(JournalEntry { at, landmark: true, kind, subject, text });
    }

    /// Ends the recording.
    #[must_use]
    pub fn finish(mut self, now: Instant, stranded: Vec<Stranded>, events: u64) -> Recording {
        // What goes on inside a node may have been told late; of equal times, those of several nodes in
        // any order.
        self.binding.sort_unstable();
        self.journal.sort_by_key(|entry| entry.at);
        let (pod_log, steps) = self.diary.finish();
        self.pods.waiting_at_end = self.waiting.level();
        self.pods.waiting_area_s = self.waiting.area_s(now);
        self.pods.unschedulable_at_end = self.unschedulable.level();
        self.pods.unschedulable_area_s = self.unschedulable.area_s(now);
        let (actions, late_waits) = self.waits.finish(now);
        Recording {
            replication: self.replication,
            vswitches: self.vswitches.iter().map(|levels| levels.record(now, self.warm_from)).collect(),
            groups: self.groups.iter().map(Group::record).collect(),
            pods: self.pods,
            counting: self.counting,
            calls: self.calls,
            errors: self.errors,
            binding: self.binding,
            defects: self.defects.records(),
            trunkless: self.trunkless.records(),
            timeline: self.timeline,
            journal: self.journal,
            steps,
            nodes: self.group_by_node.iter().map(|&group| group as usize).collect(),
            pod_log,
            stranded,
            actions,
            late_waits,
            events,
            pod_events: self.pod_events,
        }
    }

    fn refused(&mut self, now: Instant, vswitch: VSwitchId) {
        self.vswitches[vswitch.index()].refuse();
        self.is_full(now, vswitch);
    }

    /// A vSwitch is full, for the first time if it has not been yet.
    fn is_full(&mut self, now: Instant, vswitch: VSwitchId) {
        let levels = &mut self.vswitches[vswitch.index()];
        if levels.first_refusal.is_none() && now >= self.warm_from {
            let who = levels.holders();
            levels.first_refusal = Some(Full { at: now, who, idle: IdleParts::default(), asked: 0 });
            self.unaccounted.push(vswitch);
            let name = self.names[vswitch.index()].clone();
            let text = text!("{name} is full", name);
            self.landmark(now, "vswitch_full", name, text);
        }
    }

    fn refused_prefixes(&mut self, now: Instant, vswitch: VSwitchId) {
        let levels = &mut self.vswitches[vswitch.index()];
        let free = levels.holders().free;
        if now >= self.warm_from && levels.prefixes.as_mut().is_some_and(|prefixes| prefixes.refuse(now, free)) {
            let name = self.names[vswitch.index()].clone();
            let text = text!("{name} has too few free /28 blocks", name);
            self.landmark(now, "vswitch_without_prefixes", name, text);
        }
    }

    /// What goes on inside a node may be told late, so the first time is the least.
    fn binds(&mut self, now: Instant, cause: Cause) {
        if now < self.warm_from {
            return;
        }
        match self.binding.iter_mut().find(|(_, known)| *known == cause) {
            Some((first, _)) => *first = now.min(*first),
            None => self.binding.push((now, cause)),
        }
    }

    /// Something that only a whole journal shows.
    pub fn event(
        &mut self,
        at: Instant,
        kind: &'static str,
        subject: impl FnOnce() -> String,
        text: impl FnOnce() -> Text,
    ) {
        if self.detail.events {
            self.journal.push(JournalEntry { at, landmark: false, kind, subject: subject(), text: text() });
        }
    }

    fn group_of(&mut self, node: NodeId) -> &mut Group {
        &mut self.groups[self.group_by_node[node.index()] as usize]
    }
}

#[cfg(test)]
mod tests;

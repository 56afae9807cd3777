//! What a replication leaves behind: time-weighted levels, tallies, a timeline and a journal.

mod holders;
mod recorder;
mod steps;

pub use recorder::{
    API_BUCKETS_MS, Asked, DefectRecord, Detail, Latencies, Outlook, RPC_BUCKETS_MS, Recorder, Tally, TrunkWait,
};
pub use steps::{CallAnswer, CallStep, PodName, PodRow, Step, What};

use hdrhistogram::Histogram;

use crate::id::VSwitchId;
pub use crate::ipam::Failure as FailureReason;
use crate::model::{GroupKey, Model, Quota, Unfit};
use crate::openapi::{Api, ErrorCode};
use crate::text::Text;
use crate::time::{Instant, Span};

/// Everything that one replication recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Number of the replication, from 0.
    pub replication: u32,
    /// Per vSwitch, in the order of [`Vpc::vswitches`](crate::model::Vpc::vswitches).
    pub vswitches: Vec<VSwitchRecord>,
    /// Per group of nodes, in the order of [`Model::groups`](crate::model::Model::groups).
    pub groups: Vec<GroupRecord>,
    /// Pods of the whole cluster.
    pub pods: PodRecord,
    /// What counting pods says, without a simulation of the addresses.
    pub counting: Counting,
    /// Answered calls per action, in the order of [`Api::ALL`].
    pub calls: [u64; Api::ALL.len()],
    /// Refused calls per action and code.
    pub errors: [[u64; ErrorCode::ALL.len()]; Api::ALL.len()],
    /// When each cause first kept a pod from its address, or from a node; in order of time, then of
    /// causes.
    pub binding: Vec<(Instant, Cause)>,
    /// Defects of Terway that struck, each once.
    pub defects: Vec<DefectRecord>,
    /// Nodes whose daemons did not start for want of a trunk, in the order in which they began to wait.
    pub trunkless: Vec<TrunkWait>,
    /// Levels on a regular grid of time.
    pub timeline: Timeline,
    /// What happened to the cluster, in order of time; with `outputs.events` everything, else the
    /// landmarks.
    pub journal: Vec<JournalEntry>,
    /// What happened to pods and what daemons did, in order of time, if `outputs.events` asks for
    /// it.
    pub steps: Vec<Step>,
    /// Group of each node, in the order of joining.
    pub nodes: Vec<usize>,
    /// Each pod's life, if `outputs.pods` asks for it.
    pub pod_log: Vec<PodRow>,
    /// Addresses that are free at the end though pods wait, with the reason.
    pub stranded: Vec<Stranded>,
    /// What came of each action, in the order of [`Model::actions`](crate::model::Model::actions).
    pub actions: Vec<ActionRecord>,
    /// Pods that waited too long, in the order of
    /// [`Model::late_waits`](crate::model::Model::late_waits).
    pub late_waits: Vec<u64>,
    /// Events that the simulation processed.
    pub events: u64,
    /// Pods created plus pods ended.
    pub pod_events: u64,
}

/// What came of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ActionRecord {
    /// When it began; `None` = never.
    pub began: Option<Instant>,
    /// When it was complete; `None` = never.
    pub ended: Option<Instant>,
    /// Pods that waited for an address when it began.
    pub waiting: u32,
    /// Of these, the ones that have got one since.
    pub relieved: u32,
    /// When the last of these had got one, or had ended without; `None` = some wait still, or none
    /// did.
    pub recovered: Option<Instant>,
    /// Who can use added vSwitches once it is complete; `None` = none was added before, or it is
    /// not complete.
    pub reach: Option<Reach>,
}

/// Which nodes can use the vSwitches that were added during the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// Nodes that work.
    pub nodes: u32,
    /// Of these, the ones whose daemon runs with such a vSwitch among its candidates, or takes it up with the next change of
    /// its CR.
    pub configured: u32,
    /// Of these, the ones that have an interface on such a vSwitch, or a free slot for one. The
    /// others can never use it.
    pub able: u32,
}

/// Who holds the addresses of a vSwitch. The parts add up to its usable addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Holders<N> {
    /// Serving pods.
    pub pods: N,
    /// On an interface of a node without serving a pod.
    pub idle: N,
    /// On an interface that no daemon knows.
    pub leaked: N,
    /// Primary addresses of nodes.
    pub primaries: N,
    /// Other tenants of the vSwitch.
    pub others: N,
    /// Free.
    pub free: N,
    /// Free, but kept for prefixes; `None` = the vSwitch keeps nothing for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<N>,
    /// On a detached interface that is kept for a pod with a fixed address (rule C152); `None` = no such
    /// pod gets an address of this vSwitch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<N>,
}

/// What the idle addresses of a vSwitch are about. The parts add up to [`Holders::idle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct IdleParts<N> {
    /// Primary addresses of serving interfaces; they cannot be given back without the interface
    /// (rule R67).
    pub eni_primaries: N,
    /// Other addresses in the pools of nodes.
    pub pooled: N,
    /// On their way back: they, or their interfaces, are being given back.
    pub leaving: N,
    /// Not to be used yet: their interfaces are being attached, or instance metadata does not show
    /// them.
    pub coming: N,
    /// Unknown to their daemons, which restarted while they were being assigned.
    pub unknown: N,
}

/// A vSwitch that refuses a request for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// When.
    pub at: Instant,
    /// Who holds its addresses.
    pub who: Holders<u32>,
    /// What its idle addresses are about.
    pub idle: IdleParts<u32>,
    /// Addresses of it that calls under way ask for, the refused one among them.
    pub asked: u32,
}

/// What was recorded of one vSwitch. One that an action adds has no addresses before that, and its
/// means are of the time since.
#[derive(Debug, Clone, PartialEq)]
pub struct VSwitchRecord {
    /// Usable addresses.
    pub usable: u32,
    /// First time that a request, a look-up or a new node found no address free.
    pub first_refusal: Option<Full>,
    /// First time that not one address was free.
    pub first_empty: Option<Instant>,
    /// Requests, look-ups and new nodes that found no address free.
    pub refusals: u64,
    /// Pods that got an address of it.
    pub served: u64,
    /// Time-weighted means after the warm-up.
    pub mean: Holders<f64>,
    /// Share of the time after the warm-up in which it exists.
    pub existed: f64,
    /// Fewest free addresses after the warm-up, since it exists; if it never does, all.
    pub min_free: u32,
    /// At the end.
    pub end: Holders<u32>,
    /// Of prefixes; `None` = none come from it.
    pub prefixes: Option<PrefixRecord>,
}

/// What was recorded of a vSwitch from which prefixes come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrefixRecord {
    /// Free /28 blocks, as a time-weighted mean after the warm-up.
    pub mean_free: f64,
    /// Fewest after the warm-up.
    pub min_free: u32,
    /// At the end.
    pub end: PrefixLevel,
    /// Addresses of prefixes on interfaces, as a time-weighted mean after the warm-up.
    pub mean_addresses: f64,
    /// First time that it refused a request for prefixes.
    pub first_refusal: Option<NoPrefix>,
    /// Such requests.
    pub refusals: u64,
}

/// Prefixes of a vSwitch at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrefixLevel {
    /// Free /28 blocks that could be handed out.
    pub free: u32,
    /// Addresses of prefixes on interfaces, 16 each.
    pub addresses: u32,
}

/// A vSwitch that refuses a request for prefixes for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPrefix {
    /// When.
    pub at: Instant,
    /// Single addresses that are free then.
    pub addresses: u32,
    /// Free /28 blocks then, fewer than the request asks for.
    pub blocks: u32,
}

/// What was recorded of a pool's nodes of one type in one zone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRecord {
    /// Which nodes.
    pub key: GroupKey,
    /// At the end.
    pub end: GroupLevels,
    /// Most pods that waited for an address at once.
    pub max_waiting: u32,
    /// Most nodes that were missing at once for lack of a primary address.
    pub nodes_refused: u32,
}

/// Levels of a pool's nodes of one type in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct GroupLevels {
    /// Nodes.
    pub nodes: u32,
    /// Secondary interfaces.
    pub enis: u32,
    /// Pods that have their address and are not told to end.
    pub running: u32,
    /// Pods that were scheduled and have no address yet (ContainerCreating).
    pub waiting: u32,
    /// Pods that were told to end and still hold their address.
    pub terminating: u32,
}

/// What counting says: pods against addresses, as if every usable address could serve one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counting {
    /// Usable addresses of all vSwitches that serve pods.
    pub usable: u32,
    /// Most pods that wanted an address of their own at once, with or without a node; those that
    /// end are counted for as long as they hold theirs.
    pub most_wanted: u32,
    /// First time that they were more than the usable addresses.
    pub full: Option<Instant>,
}

/// What was recorded of pods that want an address of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct PodRecord {
    /// Pods that were scheduled and so asked for an address.
    pub requested: u64,
    /// Pods that got one.
    pub served: u64,
    /// Pods that ended or were deleted before they got one.
    pub gave_up: u64,
    /// Pods that still wait at the end.
    pub waiting_at_end: u32,
    /// Most pods that waited for an address at once.
    pub max_waiting: u32,
    /// When they first were as many.
    pub max_waiting_at: Instant,
    /// Pods that find no node at the end (Pending).
    pub unschedulable_at_end: u32,
    /// Most pods that found no node at once.
    pub max_unschedulable: u32,
    /// Most pods at once without a node, and without one on its way to them.
    pub max_stuck: u32,
    /// Pods that came to be without a node, per reason.
    pub unschedulable_by: ByReason,
    /// Those of them that are without one at the end, per reason.
    pub unschedulable_at_end_by: ByReason,
    /// Time without a node, in ms, of the pods that had to wait for one and found it.
    pub unschedulable_ms: Histogram<u64>,
    /// Pods that found no node, summed over time, in pod-seconds.
    pub unschedulable_area_s: f64,
    /// Pods that waited for an address, summed over time, in pod-seconds.
    pub waiting_area_s: f64,
    /// From being scheduled to getting an address, in ms, of the pods that got one.
    pub wait_ms: Histogram<u64>,
    /// How long the others had waited, in ms, when they were deleted or the run ended.
    pub unserved_ms: Histogram<u64>,
    /// The longest of all of these.
    pub longest_wait: Span,
    /// Answers of the daemon that left a pod without an address, per reason.
    pub failures: [u64; FailureReason::ALL.len()],
    /// Jobs that failed, since more of their pods were deleted than they bear.
    pub failed_jobs: u64,
}

impl PodRecord {
    /// That of a run in which nothing has happened.
    pub(crate) fn new() -> Self {
        /// Longest wait that is told apart: ten years.
        const LONGEST_WAIT_MS: u64 = 10 * 365 * 86_400_000;
        let waits = || Histogram::new_with_bounds(1, LONGEST_WAIT_MS, 3).expect("valid bounds");
        Self {
            requested: 0,
            served: 0,
            gave_up: 0,
            waiting_at_end: 0,
            max_waiting: 0,
            max_waiting_at: Instant::ZERO,
            unschedulable_at_end: 0,
            max_unschedulable: 0,
            max_stuck: 0,
            unschedulable_by: ByReason::default(),
            unschedulable_at_end_by: ByReason::default(),
            unschedulable_ms: waits(),
            unschedulable_area_s: 0.0,
            waiting_area_s: 0.0,
            wait_ms: waits(),
            unserved_ms: waits(),
            longest_wait: Span::ZERO,
            failures: [0; FailureReason::ALL.len()],
            failed_jobs: 0,
        }
    }
}

/// What kept a pod from its address, or from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Cause {
    /// A vSwitch has too few free addresses for a request.
    VSwitch(#[serde(skip)] VSwitchId),
    /// A vSwitch has too few free /28 blocks for a request.
    Prefixes(#[serde(skip)] VSwitchId),
    /// Every slot of a node holds an interface and every interface is full.
    NodeCapacity,
    /// A node has all the prefixes that it will ever get, and pods have their addresses (rule C123).
    NodePrefixes,
    /// The instance refuses another interface (`EniPerInstanceLimitExceeded`).
    EniSlots,
    /// An interface refuses another address.
    AddressesPerEni,
    /// Pods of a dual-stack node have seen the same idle address of one family, and asked for none
    /// (rule R147).
    Peeked,
    /// Every node has as many pods as it may have.
    MaxPods,
    /// No node has a member interface left for a pod of a PodNetworking (`aliyun/member-eni`).
    MemberEnis,
    /// No node has an interface left for a pod that asks for an exclusive one (`aliyun/eni`).
    ExclusiveEnis,
    /// No node has an address for RDMA left (`aliyun/erdma`).
    Rdma,
    /// There is no node at all.
    NoNode,
    /// No node has as much CPU left as a pod requests.
    Cpu,
    /// No node has as much memory left as a pod requests.
    Memory,
    /// A node with room would break a pod's spread over zones.
    ZoneSpread,
    /// Every node with room has a pod that another keeps away from.
    AntiAffinity,
    /// Node pools that would grow for a pod have as many nodes as the autoscaler may give them.
    PoolMaximum,
    /// A quota of the account.
    Quota(#[serde(skip)] Quota),
    /// The API refuses calls (`Throttling`).
    Api(Api),
    /// The API fails (`InternalError`).
    Outage(Api),
    /// Calls take [`SLOW_CALL`] and longer.
    SlowApi(Api),
}

/// Pods without a node, and without one on its way to them, per reason in the order of [`Unfit::ALL`].
pub type ByReason = [u64; Unfit::ALL.len()];

/// What a pod was when nothing of it was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Was {
    /// It had a node and had waited for its address for so long.
    Waiting(Span),
    /// It had its address and was never told to end.
    Running,
    /// It was told to end while it had its address.
    Terminating,
}
/// A call of this length keeps pods waiting: creating an interface may take 60 s in all (rule
/// R101), two calls at least.
pub const SLOW_CALL: Span = Span::secs(30);

/// Levels on a regular grid of time, one row per entry of `at`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// Times of the rows.
    pub at: Vec<Instant>,
    /// Per vSwitch, per row.
    pub vswitches: Vec<Vec<Holders<u32>>>,
    /// Per vSwitch, fewest free addresses since the row before.
    pub least_free: Vec<Vec<u32>>,
    /// Per vSwitch, per row, if prefixes come from it.
    pub prefixes: Vec<Vec<PrefixLevel>>,
    /// Per group, per row.
    pub groups: Vec<Vec<GroupLevels>>,
    /// Per group, most waiting pods since the row before.
    pub max_waiting: Vec<Vec<u32>>,
    /// Pods that find no node, per row.
    pub unschedulable: Vec<u32>,
    /// Most such pods since the row before.
    pub max_unschedulable: Vec<u32>,
    /// Per row, answered calls since the row before, per action in the order of [`Api::ALL`].
    pub calls: Vec<[Calls; Api::ALL.len()]>,
}

/// Answered calls of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Those that were not refused.
    pub done: u32,
    /// Those that were refused because there were too many (`Throttling`).
    pub throttled: u32,
    /// Those that were refused for another reason.
    pub refused: u32,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// When.
    pub at: Instant,
    /// Whether it is a landmark of the run, to be marked in plots.
    pub landmark: bool,
    /// Kind, a short stable word: `vswitch_full`, `node_joined`, `alloc_failed`, ...
    pub kind: &'static str,
    /// What it happened to, such as `vsw-AAA` or `default-17`.
    pub subject: String,
    /// In words.
    pub text: Text,
}

/// Free addresses that no waiting pod can get.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Stranded {
    /// The vSwitch.
    #[serde(skip)]
    pub vswitch: VSwitchId,
    /// How many.
    pub addresses: u32,
    /// Why nobody can use them.
    pub reason: StrandedReason,
}

/// Why free addresses are of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum StrandedReason {
    /// Nodes with waiting pods have no free ENI slot, and none of their interfaces is on this
    /// vSwitch (rules R93, R139).
    NoFreeEniSlot,
    /// Fewer than a batch asks for; batches fail whole (rule R107).
    BatchTooLarge,
    /// A node asks for as many /28 blocks at once as it lacks, and fewer are free: it is refused until there are as many (rules
    /// C127, C131, C132).
    TooFewBlocks,
    /// Nodes in prefix mode take whole /28 blocks, and none is free: what is free lies in blocks that are in use in part, or outside
    /// the reservations.
    NoBlock,
    /// Blocked for ten minutes after a refusal by the daemon that it was refused to (rules R60, R89).
    Blocked,
    /// A quota of the account has no room for one more address.
    Quota,
    /// Taken for empty by the control plane, for all nodes, until its count expires (rules C80, C81).
    TakenForEmpty,
    /// In the list of no pod that waits: that of its PodNetworking, or else of its node's eni-config.
    NotConfigured,
}

impl Recording {
    /// Since when a vSwitch is there: the start, or the action that adds it; none = it never is.
    #[must_use]
    pub fn vswitch_since(&self, model: &Model, id: VSwitchId) -> Option<Instant> {
        let added_by = model.vpc.vswitches[id.index()].added_by;
        added_by.map_or(Some(Instant::ZERO), |action| self.actions[action].began)
    }
}

impl GroupLevels {
    /// Pods on the nodes that want an address of their own.
    #[must_use]
    pub fn pods(&self) -> u32 {
        self.running + self.waiting + self.terminating
    }
}

impl From<Unfit> for Cause {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NoNode => Self::NoNode,
            Unfit::MaxPods => Self::MaxPods,
            Unfit::MemberEnis => Self::MemberEnis,
            Unfit::ExclusiveEnis => Self::ExclusiveEnis,
            Unfit::Rdma => Self::Rdma,
            Unfit::Cpu => Self::Cpu,
            Unfit::Memory => Self::Memory,
            Unfit::ZoneSpread => Self::ZoneSpread,
            Unfit::AntiAffinity => Self::AntiAffinity,
        }
    }
}

/// Mean of a level over time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TimeWeighted {
    level: u32,
    since: Instant,
    /// The level summed over time, in ns: whole, so that equal levels have equal means.
    area: u128,
}

impl TimeWeighted {
    /// The level now.
    #[must_use]
    pub fn level(self) -> u32 {
        self.level
    }

    /// Sets the level from `now` on.
    pub fn set(&mut self, now: Instant, level: u32) {
        self.area += u128::from(self.level) * u128::from(now.since(self.since).0);
        self.since = now;
        self.level = level;
    }

    /// The same level without what was before `now` (the end of the warm-up).
    #[must_use]
    pub fn from(self, now: Instant) -> Self {
        Self { level: self.level, since: now, area: 0 }
    }

    /// The mean over the `length` that ends `now`.
    #[must_use]
    pub fn mean(mut self, now: Instant, length: Span) -> f64 {
        if length.0 == 0 {
            return f64::from(self.level);
        }
        self.set(now, self.level);
        quotient(self.area, length.0.into())
    }

    /// The level summed over time up to `now`, in seconds.
    #[must_use]
    pub fn area_s(mut self, now: Instant) -> f64 {
        self.set(now, self.level);
        quotient(self.area, Span::secs(1).0.into())
    }
}

/// What is whole of a quotient is exact.
fn quotient(of: u128, by: u128) -> f64 {
    (of / by) as f64 + (of % by) as f64 / by as f64
}

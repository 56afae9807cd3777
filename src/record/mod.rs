//! What a replication leaves behind: time-weighted levels, tallies, a timeline and a journal.

mod recorder;

pub use recorder::{Detail, Recorder};

use hdrhistogram::Histogram;

use crate::id::VSwitchId;
pub use crate::ipam::Failure as FailureReason;
use crate::model::Quota;
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};

/// Everything that one replication recorded.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Number of the replication, from 0.
    pub replication: u32,
    /// Per vSwitch, in the order of [`Vpc::vswitches`](crate::model::Vpc::vswitches).
    pub vswitches: Vec<VSwitchRecord>,
    /// Per pool and zone: the pools in their order, each with its zones in their order.
    pub groups: Vec<GroupRecord>,
    /// Pods of the whole cluster.
    pub pods: PodRecord,
    /// Answered calls per action, in the order of [`Api::ALL`].
    pub calls: [u64; Api::ALL.len()],
    /// Refused calls per action and code.
    pub errors: [[u64; ErrorCode::ALL.len()]; Api::ALL.len()],
    /// When each cause first kept a pod from its address, or from a node; in order of time.
    pub binding: Vec<(Instant, Cause)>,
    /// Levels on a regular grid of time.
    pub timeline: Timeline,
    /// What happened, in order of time; with `outputs.events` everything, else the landmarks.
    pub journal: Vec<JournalEntry>,
    /// Each pod's life, if `outputs.pods` asks for it.
    pub pod_log: Vec<PodRow>,
    /// Addresses that are free at the end though pods wait, with the reason.
    pub stranded: Vec<Stranded>,
    /// Events that the simulation processed.
    pub events: u64,
    /// Pods created plus pods ended.
    pub pod_events: u64,
}

/// Who holds the addresses of a vSwitch. The five parts add up to its usable addresses.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Holders<N> {
    /// Serving pods.
    pub pods: N,
    /// On an interface of a node without serving a pod.
    pub idle: N,
    /// Primary addresses of nodes.
    pub primaries: N,
    /// Other tenants of the vSwitch.
    pub others: N,
    /// Free.
    pub free: N,
}

/// What was recorded of one vSwitch.
#[derive(Debug, Clone, PartialEq)]
pub struct VSwitchRecord {
    /// Usable addresses.
    pub usable: u32,
    /// First time that it refused a request for lack of addresses, and who held them then.
    pub first_refusal: Option<(Instant, Holders<u32>)>,
    /// First time that not one address was free.
    pub first_empty: Option<Instant>,
    /// Refused requests.
    pub refusals: u64,
    /// Time-weighted means after the warm-up.
    pub mean: Holders<f64>,
    /// Fewest free addresses after the warm-up.
    pub min_free: u32,
    /// At the end.
    pub end: Holders<u32>,
}

/// What was recorded of one pool in one zone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRecord {
    /// Position in [`Model::node_pools`](crate::model::Model::node_pools).
    pub pool: usize,
    /// Position in [`NodePool::zones`](crate::model::NodePool::zones).
    pub zone: usize,
    /// At the end.
    pub end: GroupLevels,
    /// Most pods that waited for an address at once.
    pub max_waiting: u32,
    /// Most nodes that were missing at once for lack of a primary address.
    pub nodes_refused: u32,
}

/// Levels of one pool in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct GroupLevels {
    /// Nodes.
    pub nodes: u32,
    /// Secondary interfaces.
    pub enis: u32,
    /// Pods that hold an address.
    pub running: u32,
    /// Pods that were scheduled and have no address yet (ContainerCreating).
    pub waiting: u32,
}

/// What was recorded of pods that want an address of their own.
#[derive(Debug, Clone)]
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
    /// Pods that find no node at the end (Pending).
    pub unschedulable_at_end: u32,
    /// Most pods that found no node at once.
    pub max_unschedulable: u32,
    /// From being scheduled to getting an address, in ms, of the pods that got one.
    pub wait_ms: Histogram<u64>,
    /// Answers of the daemon that left a pod without an address, per reason.
    pub failures: [u64; FailureReason::ALL.len()],
}

/// What kept a pod from its address, or from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Cause {
    /// A vSwitch has too few free addresses for a request.
    VSwitch(#[serde(skip)] VSwitchId),
    /// Every slot of a node holds an interface and every interface is full.
    NodeCapacity,
    /// The instance refuses another interface (`EniPerInstanceLimitExceeded`).
    EniSlots,
    /// An interface refuses another address.
    AddressesPerEni,
    /// Every node has as many pods as it may have.
    MaxPods,
    /// There is no node at all.
    NoNode,
    /// A quota of the account.
    Quota(#[serde(skip)] Quota),
    /// The API refuses calls (`Throttling`).
    Api(Api),
    /// The API fails (`InternalError`).
    Outage(Api),
    /// Calls take [`SLOW_CALL`] and longer.
    SlowApi(Api),
}

/// A call of this length keeps pods waiting: creating an interface may take 60 s in all (rule
/// R101), two calls at least.
pub const SLOW_CALL: Span = Span::secs(30);

/// Levels on a regular grid of time, one row per entry of `at`.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// Times of the rows.
    pub at: Vec<Instant>,
    /// Per vSwitch, per row.
    pub vswitches: Vec<Vec<Holders<u32>>>,
    /// Per group (pool and zone), per row.
    pub groups: Vec<Vec<GroupLevels>>,
    /// Per group, most waiting pods since the row before.
    pub max_waiting: Vec<Vec<u32>>,
    /// Pods that find no node, per row.
    pub unschedulable: Vec<u32>,
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
    pub text: String,
}

/// One pod's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodRow {
    /// Position in [`Model::workloads`](crate::model::Model::workloads).
    pub workload: usize,
    /// Number of the node in the order of joining.
    pub node: u32,
    /// When it was scheduled and asked for its address.
    pub requested: Instant,
    /// When it got its address.
    pub served: Option<Instant>,
    /// When it ended.
    pub ended: Option<Instant>,
    /// Its vSwitch.
    pub vswitch: Option<VSwitchId>,
    /// Its address.
    pub address: Option<std::net::Ipv4Addr>,
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
    /// Blocked for ten minutes after a refusal (rules R60, R89).
    Blocked,
    /// Not in the list of any node with waiting pods.
    NotConfigured,
}

/// Mean of a level over time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TimeWeighted {
    level: u32,
    since: Instant,
    area: f64,
}

impl TimeWeighted {
    /// The level now.
    #[must_use]
    pub fn level(&self) -> u32 {
        self.level
    }

    /// Sets the level from `now` on.
    pub fn set(&mut self, now: Instant, level: u32) {
        self.area += f64::from(self.level) * now.since(self.since).as_secs_f64();
        self.since = now;
        self.level = level;
    }

    /// Forgets what was before `now` (the end of the warm-up).
    pub fn reset(&mut self, now: Instant) {
        self.area = 0.0;
        self.since = now;
    }

    /// The mean over the `length` that ends `now`.
    #[must_use]
    pub fn mean(mut self, now: Instant, length: Span) -> f64 {
        let level = self.level;
        self.set(now, level);
        if length.0 == 0 { f64::from(level) } else { self.area / length.as_secs_f64() }
    }
}

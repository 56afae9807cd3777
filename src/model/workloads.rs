//! Pods, and what controls them.

use std::sync::Arc;

use crate::chance::SpanDist;
use crate::model::{Portion, Schedule, Times};
use crate::time::{Instant, Span};

/// Pods of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// What controls the pods.
    pub kind: WorkloadKind,
    /// What a pod runs through.
    pub pod: PodTemplate,
    /// Node pools that its pods may run on (positions in
    /// [`Model::node_pools`](crate::model::Model::node_pools)); never empty.
    pub node_pools: Vec<usize>,
}

/// What all pods of a workload have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct PodTemplate {
    /// Whether the pods use the node's address and so none of the vSwitch's.
    pub host_network: bool,
    /// Whether the pods ask for RDMA (`aliyun/erdma`).
    pub erdma: bool,
    /// The PodNetworkings each of which gives them an interface of their own, as positions in
    /// [`Model::pod_networkings`](crate::model::Model::pod_networkings), all attached in one way; none = they share
    /// the node's.
    pub pod_networkings: Vec<usize>,
    /// Whether the autoscaler may evict them to remove their node.
    pub safe_to_evict: bool,
    /// What a pod requests.
    pub requests: Resources,
    /// Spread over zones.
    pub zone_spread: Option<ZoneSpread>,
    /// Pods of the workload keep away from each other's nodes.
    pub anti_affinity: Option<Strictness>,
    /// From getting its address until it is ready.
    pub readiness: SpanDist,
    /// Life of a pod from getting its address to its end, after which its controller makes a new
    /// one; `None` = it lives on.
    pub lifetime: Option<SpanDist>,
    /// From being told to end until its containers have ended; it holds its address meanwhile.
    pub termination: SpanDist,
}

/// CPU and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu_milli: u32,
    /// MiB.
    pub memory_mib: u32,
}

/// Why a pod finds no node: what keeps it from most nodes, the first of these among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unfit {
    /// No schedulable node in the workload's pools.
    NoNode,
    /// Nodes have no place for another pod with an address.
    MaxPods,
    /// Nodes have no member interface left.
    MemberEnis,
    /// Nodes have no exclusive interface left.
    ExclusiveEnis,
    /// Nodes have no address for RDMA left.
    Rdma,
    /// Nodes have too little CPU left.
    Cpu,
    /// Nodes have too little memory left.
    Memory,
    /// Zones have too many pods of the workload already.
    ZoneSpread,
    /// Nodes have a pod of the workload already.
    AntiAffinity,
}

impl Unfit {
    /// Every reason, in the order of [`Self::index`].
    pub const ALL: [Self; 9] = [
        Self::NoNode,
        Self::MaxPods,
        Self::MemberEnis,
        Self::ExclusiveEnis,
        Self::Rdma,
        Self::Cpu,
        Self::Memory,
        Self::ZoneSpread,
        Self::AntiAffinity,
    ];

    /// Its position in [`Self::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// `topologySpreadConstraints` over zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneSpread {
    /// Most pods that a zone may have more than the one with fewest.
    pub max_skew: u32,
    /// What holds if that cannot be.
    pub strictness: Strictness,
}

/// Whether a rule of the scheduler binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// A pod that cannot keep it is not placed (`required…`, `DoNotSchedule`).
    Required,
    /// It is kept where possible (`preferred…`, `ScheduleAnyway`).
    Preferred,
}

/// The controllers of pods.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkloadKind {
    /// Interchangeable pods.
    Deployment {
        /// Wanted number of pods.
        replicas: Replicas,
        /// New versions.
        rollout: Option<Rollout>,
    },
    /// Pods with a stable identity, whose address Terway retains for a while after their end.
    StatefulSet {
        /// Wanted number of pods.
        replicas: Schedule,
        /// Whether pods start and end all at once (`podManagementPolicy: Parallel`), not one
        /// after the other.
        parallel: bool,
        /// When a new version comes; it goes from the last pod to the first, one at a time.
        updates: Option<Times>,
    },
    /// One pod on every node.
    DaemonSet {
        /// New versions.
        rollout: Option<Rollout>,
    },
    /// Pods that run to completion.
    Job {
        /// When it is created.
        at: Times,
        /// What it does.
        job: Job,
        /// What happens if the run before is not over.
        concurrency: Concurrency,
    },
    /// Pods that come by themselves, each for its own lifetime.
    Arrivals {
        /// Arrivals per hour, of groups.
        per_hour: Schedule,
        /// Pods that come together.
        group: CountDist,
    },
    /// Recorded or synthesised pods.
    Trace(Trace),
}

/// The wanted number of pods of a Deployment.
#[derive(Debug, Clone, PartialEq)]
pub enum Replicas {
    /// Given.
    Scheduled(Schedule),
    /// The HorizontalPodAutoscaler decides.
    Autoscaled(Hpa),
}

/// A new version of every pod, a few at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    /// When a version comes.
    pub at: Times,
    /// Pods on top of the wanted number; rounded up.
    pub max_surge: Portion,
    /// Pods that may be missing; rounded down.
    pub max_unavailable: Portion,
}

/// A HorizontalPodAutoscaler on CPU utilisation, with the load that it follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Hpa {
    /// Fewest pods.
    pub min: u32,
    /// Most pods.
    pub max: u32,
    /// Utilisation that it aims at: 0.6 is 60 %.
    pub target: f64,
    /// The load.
    pub load: Load,
    /// Time between two looks.
    pub sync_period: Span,
    /// No change while the utilisation differs by less than this share from the target.
    pub tolerance: f64,
    /// It scales down to the highest recommendation of this time.
    pub stabilization_down: Span,
}

/// A load, in pods that would be fully busy.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Mean over a week.
    pub base: Schedule,
    /// Height of the daily wave as a share of the base: 0.4 = between 60 and 140 %.
    pub daily: f64,
    /// Time of day of the peak.
    pub peak: Span,
    /// Load on Saturdays and Sundays as a share of that of other days.
    pub weekend: f64,
    /// Standard deviation of the noise as a share of the load; drawn anew every
    /// [`Load::NOISE_PERIOD`].
    pub noise: f64,
}

/// A Job's pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Pods at once.
    pub parallelism: u32,
    /// Pods that have to complete.
    pub completions: u32,
    /// Time from getting its address to the completion of a pod.
    pub duration: SpanDist,
    /// So many pods may be deleted or lost before it fails.
    pub backoff_limit: u32,
}

/// What happens if a CronJob's run before is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// Both run.
    Allow,
    /// The new one is left out.
    Forbid,
    /// The old one is deleted.
    Replace,
}

/// A distribution of a number of things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CountDist {
    /// Always the same.
    Constant(u32),
    /// Geometric with this mean, at least 1.
    Geometric {
        /// Its mean, at least 1.
        mean: f64,
    },
}

/// Where the pods of a trace come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Trace {
    /// Every pod is known; in the order of their arrivals.
    Pods(Arc<Vec<TracePod>>),
    /// Only their number is known: pods are drawn so that there are that many at each point, and
    /// each lives for `lifetime` unless the number falls faster.
    Counts {
        /// Number of pods at the points, in the order of times; the first is at zero.
        points: Arc<Vec<(Instant, u32)>>,
        /// Life of a pod.
        lifetime: SpanDist,
    },
}

/// A pod of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracePod {
    /// When it is created.
    pub arrive: Instant,
    /// When it is deleted; [`Instant::NEVER`] = it stays.
    pub depart: Instant,
    /// What it requests.
    pub requests: Resources,
}

impl Workload {
    /// A workload of plain pods.
    #[must_use]
    pub fn plain(name: &str, kind: WorkloadKind, node_pools: Vec<usize>) -> Self {
        Self { name: name.to_owned(), kind, pod: PodTemplate::default(), node_pools }
    }
}

impl WorkloadKind {
    /// A Deployment of one version.
    #[must_use]
    pub fn deployment(replicas: Schedule) -> Self {
        Self::Deployment { replicas: Replicas::Scheduled(replicas), rollout: None }
    }
}

impl Resources {
    /// More than any pod requests: nothing is known about the node.
    pub const UNBOUNDED: Self = Self { cpu_milli: u32::MAX, memory_mib: u32::MAX };

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu_milli: self.cpu_milli.saturating_add(other.cpu_milli),
            memory_mib: self.memory_mib.saturating_add(other.memory_mib),
        }
    }

    /// Whether both are at most those of `other`.
    #[must_use]
    pub fn fits_in(self, other: Self) -> bool {
        self.cpu_milli <= other.cpu_milli && self.memory_mib <= other.memory_mib
    }
}

impl Load {
    /// How long the noise stays the same (assumption).
    pub const NOISE_PERIOD: Span = Span::mins(5);
}

impl Default for PodTemplate {
    /// A pod that requests nothing, is ready and gone at once, and lives on.
    fn default() -> Self {
        Self {
            host_network: false,
            erdma: false,
            pod_networkings: Vec::new(),
            safe_to_evict: true,
            requests: Resources::default(),
            zone_spread: None,
            anti_affinity: None,
            readiness: SpanDist::Constant(Span::ZERO),
            lifetime: None,
            termination: SpanDist::Constant(Span::ZERO),
        }
    }
}

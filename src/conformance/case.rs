//! Golden cases: a small world under a fixed script, with the answer of the real Terway code.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A file of the suite; `expected` is read by [`super::compare`] only.
#[derive(Debug, Deserialize)]
pub struct File {
    /// What happens.
    pub case: Case,
}

/// What happens. Times are in ms unless the name says `_s`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Which core; `node_local`; `centralized` has cases of its own form.
    pub core: String,
    /// Name of the case.
    pub name: String,
    /// Nodes, all started at time zero.
    pub nodes: u32,
    /// Slots for secondary interfaces per node.
    pub eni_slots: u32,
    /// Addresses of each family per interface.
    pub ips_per_eni: u32,
    /// Families: `ipv4`, if it is not given, or `dual`.
    #[serde(default)]
    pub ip_stack: IpStack,
    /// Whether one of the slots is for a trunk, which the daemon makes before it listens; one that cannot make it stays down.
    #[serde(default)]
    pub trunk: bool,
    /// Slots that are for RDMA.
    #[serde(default)]
    pub erdma_slots: u32,
    /// Upper watermark, before clamping.
    pub max_pool_size: u32,
    /// Lower watermark, before clamping.
    pub min_pool_size: u32,
    /// Base period of the pool sync.
    pub ip_pool_sync_period_s: u64,
    /// `most_ips` or `least_ips`.
    pub eni_selection_policy: EniPolicy,
    /// The selector's own policy.
    pub vswitch_selection: VSwitchPolicy,
    /// Quiet time before idle reclaim; 0 = off.
    pub idle_ip_reclaim_after_s: u64,
    /// Spacing of its rounds.
    pub idle_ip_reclaim_interval_s: u64,
    /// Addresses per round.
    pub idle_ip_reclaim_batch_size: u32,
    /// vSwitches with their free addresses.
    pub vswitches: Vec<VSwitch>,
    /// Latency per call.
    pub latency_ms: Latency,
    /// Pause of the kubelet after a failure: a number, or an interval where chance is on.
    pub kubelet_retry_ms: Retry,
    /// Deadline of an allocation.
    pub rpc_timeout_ms: u64,
    /// Whether the collection of the daemons runs (rule R124).
    #[serde(default)]
    pub collects: bool,
    /// Horizon.
    pub until_ms: u64,
    /// Sampling grid.
    pub sample_ms: u64,
    /// The script.
    pub events: Vec<Event>,
}

/// `ip_stack`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum IpStack {
    #[default]
    Ipv4,
    Dual,
}

/// `eni_selection_policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum EniPolicy {
    MostIps,
    LeastIps,
}

/// `vswitch_selection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum VSwitchPolicy {
    Most,
    Ordered,
    Random,
}

/// A vSwitch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VSwitch {
    /// Its ID.
    pub id: String,
    /// Its zone, that of every node.
    pub zone: String,
    /// Free addresses at time zero.
    pub available: u32,
}

/// Fixed latency per call.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Latency {
    pub create: u64,
    pub attach: u64,
    pub assign: u64,
    pub unassign: u64,
    pub detach: u64,
    pub delete: u64,
    pub describe: u64,
    pub vswitch: u64,
}

/// `kubelet_retry_ms`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum Retry {
    /// Always this long.
    Fixed(u64),
    /// Uniform between the two.
    Between(u64, u64),
}

/// An entry of the script.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Event {
    /// A pod is scheduled.
    Add {
        /// When.
        t_ms: u64,
        /// Where.
        node: u32,
        /// Its name.
        pod: String,
        /// Whether it asks for RDMA.
        #[serde(default)]
        erdma: bool,
        /// Whether its address is retained for it (rule R128); one of the same name that comes later is the same pod.
        #[serde(default)]
        stateful: bool,
    },
    /// A pod is deleted.
    Del {
        /// When.
        t_ms: u64,
        /// Where.
        node: u32,
        /// Its name.
        pod: String,
    },
    /// Addresses of a vSwitch become free.
    Vswitch {
        /// When.
        t_ms: u64,
        /// Its ID.
        vswitch: String,
        /// How many; negative = they are taken.
        delta: i64,
    },
    /// The daemon of a node dies and starts in the same instant.
    Restart {
        /// When.
        t_ms: u64,
        /// Where.
        node: u32,
    },
}

impl Event {
    /// When it happens, in ms.
    #[must_use]
    pub fn t_ms(&self) -> u64 {
        match self {
            Self::Add { t_ms, .. }
            | Self::Del { t_ms, .. }
            | Self::Vswitch { t_ms, .. }
            | Self::Restart { t_ms, .. } => *t_ms,
        }
    }
}

/// A sample: quantity → value. Quantities are `nodeN.enis`, `nodeN.ips`, `nodeN.in_use`,
/// `nodeN.pending` and `VSWITCH.available`.
pub type Sample = BTreeMap<String, i64>;

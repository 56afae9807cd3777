//! A golden case of the centralized controller, as written.

use serde::Deserialize;

/// What happens. Times are in ms unless the name says `_s`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Which core: `centralized`.
    pub core: String,
    /// Name of the case.
    pub name: String,
    /// Nodes.
    pub nodes: u32,
    /// Node i is complete at i times this.
    pub node_stagger_ms: u64,
    /// Interfaces per instance, its own primary one included.
    pub adapters: u32,
    /// IPv4 addresses per interface.
    pub ips_per_eni: u32,
    /// Upper watermark.
    pub max_pool_size: u32,
    /// Lower watermark.
    pub min_pool_size: u32,
    /// Addresses that are ordered once.
    pub warm_up_size: u32,
    /// Period of the pool; 0 = not set.
    pub ip_pool_sync_period_s: u64,
    /// Always `most`.
    pub vswitch_selection: VSwitchSelection,
    /// Life of a cached free count, and of a block.
    pub vswitch_cache_ttl_s: u64,
    /// Whether one interface is a trunk.
    pub trunk: bool,
    /// Whether pods have an IPv6 address, too. The recorded cases are older than the key.
    #[serde(default)]
    pub dual: bool,
    /// Whether one interface is for RDMA.
    #[serde(default)]
    pub erdma: bool,
    /// Prefixes of a node; 0 = no prefix mode.
    pub ipv4_prefix_count: u32,
    /// What is switched off.
    pub degradation: Degradation,
    /// Quiet time before idle reclaim; 0 = off.
    pub idle_ip_reclaim_after_s: u64,
    /// Spacing of its rounds.
    pub idle_ip_reclaim_interval_s: u64,
    /// Addresses per round.
    pub idle_ip_reclaim_batch_size: u32,
    /// vSwitches with what they have free.
    pub vswitches: Vec<VSwitch>,
    /// Latency per call.
    pub latency_ms: Latency,
    /// Time from a pod's deletion to the report of its CNI DEL.
    pub runtime_report_ms: u64,
    /// Nodes that are reconciled at the same time.
    pub workers: u32,
    /// Status writes per second; 0 = no limit.
    pub cr_write_qps: f64,
    /// Status writes at once.
    pub cr_write_burst: u32,
    /// Calls that fail.
    pub faults: Vec<Fault>,
    /// The script.
    pub events: Vec<Event>,
    /// Horizon.
    pub until_ms: u64,
    /// Sampling grid.
    pub sample_ms: u64,
}

/// `vswitch_selection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VSwitchSelection {
    /// Largest cached free count first.
    Most,
}

/// `degradation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Degradation {
    #[serde(rename = "")]
    None,
    #[serde(rename = "l0")]
    L0,
    #[serde(rename = "l1")]
    L1,
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
    /// Free /28 prefixes at time zero, beside the addresses.
    pub prefixes: u32,
}

/// Fixed latency per call, and how long interfaces settle after it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Latency {
    pub create: u64,
    pub attach: u64,
    pub attach_settle: u64,
    pub assign: u64,
    pub unassign: u64,
    pub detach: u64,
    pub detach_settle: u64,
    pub delete: u64,
    pub describe: u64,
    pub vswitch: u64,
}

/// A fault: calls of `api` that end in [from, to) fail with `code`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The action, or `UpdateNodeStatus`.
    pub api: String,
    /// The error code.
    pub code: String,
    /// From then.
    pub from_ms: u64,
    /// Until then.
    pub to_ms: u64,
}

impl Fault {
    /// Whether it befalls a call of `api` that ends at `t_ms`.
    #[must_use]
    pub fn befalls(&self, api: &str, t_ms: u64) -> bool {
        self.api == api && (self.from_ms..self.to_ms).contains(&t_ms)
    }
}

/// An entry of the script.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub t_ms: u64,
    /// What.
    pub op: Op,
    /// On which node.
    #[serde(default)]
    pub node: u32,
    /// Which pod.
    #[serde(default)]
    pub pod: String,
    /// Whether the pod asks for RDMA.
    #[serde(default)]
    pub erdma: bool,
    /// Which vSwitch.
    #[serde(default)]
    pub vswitch: String,
    /// Free addresses that are added to it, or that it is said to have.
    #[serde(default)]
    pub delta: i64,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// A pod appears, scheduled to its node.
    Add,
    /// A pod is gone.
    Del,
    /// Addresses of a vSwitch become free, or are taken.
    Vswitch,
    /// The controller restarts.
    Restart,
    /// Another controller of the process has counted the free addresses of a vSwitch, or blocked it with 0;
    /// of our tests only.
    Counted,
}

impl Case {
    /// Whether its numbers make sense.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), String> {
        if self.sample_ms == 0 {
            return Err("sample_ms has to be positive".to_owned());
        }
        if self.adapters > 255 || self.ips_per_eni == 0 || self.ips_per_eni > 255 {
            return Err("adapters has to be at most 255, ips_per_eni 1 to 255".to_owned());
        }
        if self.events.windows(2).any(|pair| pair[0].t_ms > pair[1].t_ms) {
            return Err("events have to stand in the order of their time".to_owned());
        }
        for event in &self.events {
            let pod = matches!(event.op, Op::Add | Op::Del);
            if pod && event.node >= self.nodes {
                return Err(format!("pod `{}` is on node {}, which does not exist", event.pod, event.node));
            }
            if matches!(event.op, Op::Vswitch | Op::Counted) && !self.vswitches.iter().any(|v| v.id == event.vswitch) {
                return Err(format!("vSwitch `{}` does not exist", event.vswitch));
            }
            if event.op == Op::Counted && u32::try_from(event.delta).is_err() {
                return Err(format!("vSwitch `{}` cannot have {} free addresses", event.vswitch, event.delta));
            }
        }
        Ok(())
    }
}

//! A golden case of the classic pool, as written.

use serde::Deserialize;

use super::super::case::{Latency, VSwitch};
use crate::ipam::classic;

/// What happens. Times are in ms.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Which core: `classic`.
    pub core: String,
    /// Name of the case.
    pub name: String,
    /// Nodes, all started at time zero with the same configuration.
    pub nodes: u32,
    /// Secondary interfaces of the instance type.
    pub eni_slots: u32,
    /// IPv4 addresses per interface.
    pub ips_per_eni: u32,
    /// What eni-config says.
    #[serde(flatten)]
    pub config: EniConfig,
    /// vSwitches with what they have free beside the interfaces that are there.
    pub vswitches: Vec<VSwitch>,
    /// Interfaces that are there at time zero.
    pub initial_enis: Vec<InitialEni>,
    /// Latency per call.
    pub latency_ms: Latency,
    /// Pause of the kubelet after a failure.
    pub kubelet_retry_ms: u64,
    /// Deadline of a CNI ADD.
    pub cni_timeout_ms: u64,
    /// Time from a crash to the next start.
    pub crash_restart_ms: u64,
    /// Horizon.
    pub until_ms: u64,
    /// Sampling grid.
    pub sample_ms: u64,
    /// The script.
    pub events: Vec<Event>,
}

/// The keys of eni-config, before clamping.
#[derive(Debug, Clone, Deserialize)]
pub struct EniConfig {
    /// Upper watermark.
    pub max_pool_size: u32,
    /// Lower watermark.
    pub min_pool_size: u32,
    /// Most interfaces; 0 = not set.
    pub max_eni: u32,
    /// Replaces the lower watermark; 0 = not set.
    pub min_eni: u32,
    /// `vswitch_selection_policy`.
    pub vswitch_selection_policy: Policy,
    /// vSwitches that it lists; empty = all.
    pub config_vswitches: Vec<String>,
}

/// Keys of eni-config that change; absent ones stay.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Changes {
    pub max_pool_size: Option<u32>,
    pub min_pool_size: Option<u32>,
    pub max_eni: Option<u32>,
    pub min_eni: Option<u32>,
    pub vswitch_selection_policy: Option<Policy>,
    pub config_vswitches: Option<Vec<String>>,
}

impl EniConfig {
    /// Applies changes.
    pub fn change(&mut self, changes: &Changes) {
        let Changes { max_pool_size, min_pool_size, max_eni, min_eni, vswitch_selection_policy, config_vswitches } =
            changes.clone();
        self.max_pool_size = max_pool_size.unwrap_or(self.max_pool_size);
        self.min_pool_size = min_pool_size.unwrap_or(self.min_pool_size);
        self.max_eni = max_eni.unwrap_or(self.max_eni);
        self.min_eni = min_eni.unwrap_or(self.min_eni);
        self.vswitch_selection_policy = vswitch_selection_policy.unwrap_or(self.vswitch_selection_policy);
        if let Some(vswitches) = config_vswitches {
            self.config_vswitches = vswitches;
        }
    }
}

/// `vswitch_selection_policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Policy {
    Ordered,
    Random,
}

impl From<Policy> for classic::Selection {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Ordered => Self::Ordered,
            Policy::Random => Self::Random,
        }
    }
}

/// An interface that is there at time zero.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitialEni {
    /// On which node.
    pub node: u32,
    /// On which vSwitch.
    pub vswitch: String,
    /// How many addresses it has.
    pub ips: u32,
    /// Pods that have the first of them.
    #[serde(default)]
    pub pods: Vec<String>,
}

/// An entry of the script.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The kubelet begins CNI ADD for a pod.
    Add {
        /// When.
        t_ms: u64,
        /// Where.
        node: u32,
        /// Its name.
        pod: String,
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
    /// The daemon of a node restarts.
    Restart {
        /// When it ends.
        t_ms: u64,
        /// Where.
        node: u32,
        /// What its eni-config says now.
        #[serde(default)]
        config: Changes,
        /// Time until it starts.
        #[serde(default)]
        down_ms: u64,
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

/// Most addresses of a vSwitch: the stub's are a /16.
const MOST: u32 = 65_000;

impl Case {
    /// Whether its numbers make sense.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), String> {
        if self.sample_ms == 0 {
            return Err("sample_ms has to be positive".to_owned());
        }
        if self.eni_slots > 255 || self.ips_per_eni == 0 || self.ips_per_eni > 255 {
            return Err("eni_slots has to be at most 255, ips_per_eni 1 to 255".to_owned());
        }
        if self.vswitches.is_empty() || self.vswitches.len() > 64 || self.vswitches.iter().any(|v| self.needs(v) > MOST)
        {
            return Err("1 to 64 vSwitches with at most 65,000 addresses each, free and on interfaces".to_owned());
        }
        let of_enis = self.initial_enis.iter().map(|eni| (&eni.vswitch, eni.node));
        if let Some((vswitch, node)) = of_enis.into_iter().find(|(v, node)| !self.has(v) || *node >= self.nodes) {
            return Err(format!("no vSwitch `{vswitch}`, or no node {node}"));
        }
        if let Some(vswitch) = self.config.config_vswitches.iter().find(|vswitch| !self.has(vswitch)) {
            return Err(format!("vSwitch `{vswitch}` does not exist"));
        }
        if self.initial_enis.iter().any(|eni| eni.ips == 0 || eni.ips > self.ips_per_eni) {
            return Err("an interface has 1 to ips_per_eni addresses".to_owned());
        }
        let of_node = |node| self.initial_enis.iter().filter(|eni| eni.node == node).count();
        if (0..self.nodes).any(|node| of_node(node) > self.eni_slots as usize) {
            return Err("a node has at most eni_slots interfaces".to_owned());
        }
        self.events.iter().try_for_each(|event| self.check_event(event))
    }

    fn check_event(&self, event: &Event) -> Result<(), String> {
        match event {
            Event::Add { node, pod, .. } | Event::Del { node, pod, .. } if *node >= self.nodes => {
                Err(format!("pod `{pod}` is on node {node}, which does not exist"))
            }
            Event::Restart { node, .. } if *node >= self.nodes => Err(format!("node {node} does not exist")),
            Event::Vswitch { vswitch, .. } if !self.has(vswitch) => Err(format!("vSwitch `{vswitch}` does not exist")),
            Event::Restart { config, .. } => {
                let listed = config.config_vswitches.iter().flatten();
                let unknown = listed.into_iter().find(|vswitch| !self.has(vswitch));
                unknown.map_or(Ok(()), |vswitch| Err(format!("vSwitch `{vswitch}` does not exist")))
            }
            _ => Ok(()),
        }
    }

    /// Addresses of a vSwitch that are free or on interfaces at time zero.
    fn needs(&self, vswitch: &VSwitch) -> u32 {
        let on_enis = self.initial_enis.iter().filter(|eni| eni.vswitch == vswitch.id).map(|eni| eni.ips);
        on_enis.fold(vswitch.available, u32::saturating_add)
    }

    fn has(&self, vswitch: &str) -> bool {
        self.vswitches.iter().any(|known| known.id == vswitch)
    }
}

//! What the controllers run with, and what a pod asks for (C146, C147, C152).

use crate::id::VSwitchId;
use crate::ipam::centralized;
use crate::ipam::kube_client::KubeClient;
use crate::openapi::Api;
use crate::time::Span;

/// The control plane's own configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Pods whose interfaces are created at the same time: `podMaxConcurrent` (C149).
    pub pod_workers: u32,
    /// Pods whose interfaces are attached or detached at the same time: `podENIMaxConcurrent`
    /// (C149).
    pub pod_eni_workers: u32,
    /// Interfaces that are worked on at the same time: `eniMaxConcurrent` (C27).
    pub eni_workers: u32,
    /// Life of a cached free count, and of a block (C74, C81).
    pub vswitch_ttl: Span,
    /// Client-side limits of OpenAPI calls per minute, in the order of [`Api::ALL`] (C157);
    /// `None` = no limit.
    pub rate_limit: [Option<u32>; Api::ALL.len()],
    /// Whether interfaces get an IPv6 address too: the control plane's `ipStack` is `dual` or
    /// `ipv6` (C146).
    pub ipv6: bool,
    /// Whether jittered waits are jittered; if not, they take their base value.
    pub jitter: bool,
}

impl Default for Settings {
    /// Upstream's defaults (C27, C149, C157, C159).
    fn default() -> Self {
        let process = centralized::Settings::default();
        Self {
            pod_workers: 10,
            pod_eni_workers: 10,
            eni_workers: 300,
            vswitch_ttl: process.vswitch_ttl,
            rate_limit: process.rate_limit,
            ipv6: false,
            jitter: true,
        }
    }
}

/// A node with exclusive interfaces (C144).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// Interfaces that it may have beside its primary one: as many pods may be on it.
    pub slots: u32,
    /// eni-config's vSwitches of its zone, sorted by ID, for pods without PodNetworking (C147).
    pub vswitches: Vec<VSwitchId>,
    /// Whether its daemon looks at PodENIs again and again, as where the base document lets daemons
    /// allocate; it is told of them where that says `ipam_type: crd` (C156,
    /// `daemon/daemon.go:821-831`, `daemon/builder.go:376-377, 499`).
    pub polls: bool,
    /// Its client of the API server (rule R114).
    pub kube_client: KubeClient,
}

impl NodeConfig {
    /// What a pod without PodNetworking asks for on such a node.
    #[must_use]
    pub fn pod(&self) -> PodSpec {
        let network = Network { candidates: self.vswitches.clone(), policy: Policy::Ordered };
        PodSpec { kind: Kind::Exclusive, networks: vec![network], fixed: None }
    }
}

/// What a pod asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSpec {
    /// How its interfaces are attached.
    pub kind: Kind,
    /// One per interface (C154).
    pub networks: Vec<Network>,
    /// How long its addresses are kept for its name; `None` = they are elastic (C152). Only pods
    /// with stable names may have fixed ones.
    pub fixed: Option<Retention>,
}

/// How an interface is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// To the instance: the node has exclusive interfaces (C144).
    Exclusive,
    /// To the node's trunk interface (C145).
    Member,
}

/// Where an interface may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// vSwitches of the node's zone, as the list names them; for a pod without PodNetworking those
    /// of eni-config, sorted by ID (C147).
    pub candidates: Vec<VSwitchId>,
    /// Which of them.
    pub policy: Policy,
}

/// PodNetworking's `vSwitchSelectionPolicy` (C147).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// The first with a free address.
    #[default]
    Ordered,
    /// A random one with a free address.
    Random,
    /// The one with most free addresses.
    Most,
}

/// PodNetworking's `releaseStrategy` of a fixed address (C153).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retention {
    /// `TTL` with `releaseAfter`.
    After(Span),
    /// `Never`.
    Forever,
}

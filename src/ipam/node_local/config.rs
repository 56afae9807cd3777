//! What a daemon runs with, after defaults and clamps (rules R9 to R35).

use crate::id::VSwitchId;
use crate::ipam::kube_client::KubeClient;
use crate::ipam::{GC_PERIOD, RPC_TIMEOUT};
use crate::openapi::Api;
use crate::time::Span;

/// A daemon's effective configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Slots for secondary interfaces (maxENI of rule R35).
    pub max_eni: u32,
    /// Addresses per interface, its primary one included; at most 56.
    pub ips_per_eni: u32,
    /// Whether pods get an IPv6 address too; an interface has room for as many as IPv4 addresses
    /// (rules R143, R144).
    pub dual: bool,
    /// Interfaces for RDMA; `None` = it is off, or the type has none (rule R25).
    pub rdma: Option<Rdma>,
    /// The trunk interface, which has members beside its own addresses; `None` = it is off, or the
    /// type has no members (rule R24).
    pub trunk: Option<Trunk>,
    /// `max_eni` × `ips_per_eni` (rule R35); bounds preheating only (R77).
    pub capacity: u32,
    /// Lower bound of idle addresses, clamped (rule R10).
    pub min_idle: u32,
    /// Upper bound of idle addresses, clamped (rule R9).
    pub max_idle: u32,
    /// Base period of the pool sync; `None` = it never runs (rules R15, R76).
    pub sync_period: Option<Span>,
    /// Which interface a request is offered to first (rule R72).
    pub eni_selection: EniSelection,
    /// Which vSwitch a new interface goes to (rule R90).
    pub vswitch_selection: VSwitchSelection,
    /// Candidate vSwitches of the node's zone, as written (rule R18).
    pub vswitches: Vec<VSwitchId>,
    /// Idle reclaim; `None` = off (rules R19 to R22, R80).
    pub reclaim: Option<Reclaim>,
    /// Client-side limits, calls per minute and daemon, in the order of [`Api::ALL`]
    /// (rules R26, R110); `None` = no limit.
    pub rate_limit: [Option<u32>; Api::ALL.len()],
    /// Period of the daemon's garbage collection; `None` = it never runs (rule R124).
    pub gc_period: Option<Span>,
    /// Deadline of an AllocIP call at the daemon (rule R112).
    pub rpc_timeout: Span,
    /// Whether a deleted interface is looked up until it is gone (rule R109; since v1.17.1).
    pub confirm_delete: bool,
    /// Its client of the API server (rule R114).
    pub kube_client: KubeClient,
}

/// Interfaces for RDMA, which serve the pods that ask for it and no others (rules R34, R38, R39, R50).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rdma {
    /// Slots for them, of `max_eni`: ERDMARes.
    pub slots: u32,
    /// A daemon that starts with so many interfaces attached, and none of them for RDMA, goes without:
    /// adapters − 1 − ERDMARes.
    pub crowded_from: u32,
    /// Whether its device plugin tells the scheduler of them: not with `disable_device_plugin`, and then no pod that
    /// asks for RDMA finds a node (rule R41).
    pub is_told: bool,
}

impl Rdma {
    /// How many of its interfaces a daemon counts on that starts with so many `attached` ones, of which `for_rdma` are
    /// for it: none if it goes without (rule R38, `daemon/builder.go:323-333`).
    #[must_use]
    pub fn interfaces(self, attached: usize, for_rdma: usize) -> u32 {
        if attached < self.crowded_from as usize { self.slots } else { self.slots.min(for_rdma as u32) }
    }

    /// The addresses of these that its device plugin offers (rule R41, `daemon/builder.go:335-342`).
    #[must_use]
    pub fn devices(self, attached: usize, for_rdma: usize, ips_per_eni: u32) -> u32 {
        if self.is_told { self.interfaces(attached, for_rdma) * ips_per_eni } else { 0 }
    }
}

/// The trunk interface: one of the slots, which serves ordinary pods too (rules R36, R37).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trunk {
    /// Member interfaces that it takes, for pods of PodNetworkings: `EniTotalQuantity` − `EniQuantity`
    /// (rules R33, R35).
    pub members: u32,
}

/// Which interface a request is offered to first (rule R72).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EniSelection {
    /// The one with most addresses: fill interfaces one after the other.
    MostIps,
    /// The one with fewest addresses.
    LeastIps,
}

/// Which vSwitch a new interface goes to (rules R17, R90).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VSwitchSelection {
    /// A random one of the list.
    Random,
    /// The one with most free addresses by the daemon's cache.
    Most,
    /// The first of the list. No eni-config leads here (rule R17); the conformance cases do.
    Ordered,
}

/// Idle reclaim (rule R80).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reclaim {
    /// Quiet time before it acts.
    pub after: Span,
    /// Spacing of its rounds.
    pub interval: Span,
    /// Most addresses per round.
    pub batch: u32,
    /// Jitter of the spacing.
    pub factor: f64,
}

impl Config {
    /// What Terway does by default with `max_eni` interfaces of `ips_per_eni` addresses, but for
    /// the watermarks, which it clamps (rules R9, R10).
    #[must_use]
    pub fn plain(
        (max_eni, ips_per_eni): (u32, u32),
        (min_idle, max_idle): (u32, u32),
        vswitches: Vec<VSwitchId>,
    ) -> Self {
        let capacity = max_eni * ips_per_eni;
        let max_idle = max_idle.min(capacity);
        Self {
            max_eni,
            ips_per_eni,
            dual: false,
            rdma: None,
            trunk: None,
            capacity,
            min_idle: min_idle.min(max_idle),
            max_idle,
            sync_period: Some(Span::secs(120)),
            eni_selection: EniSelection::MostIps,
            vswitch_selection: VSwitchSelection::Random,
            vswitches,
            reclaim: None,
            rate_limit: [Some(400); Api::ALL.len()],
            gc_period: Some(GC_PERIOD),
            rpc_timeout: RPC_TIMEOUT,
            confirm_delete: true,
            kube_client: KubeClient::UNLIMITED,
        }
    }
}

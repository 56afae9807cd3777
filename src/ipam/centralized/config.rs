//! What a control plane and its nodes run with (rules C6, C10 to C14, C157 to C160).

use std::sync::Arc;

use crate::address::PREFIX;
use crate::id::VSwitchId;
use crate::ipam::Devices;
use crate::ipam::kube_client::KubeClient;
use crate::ipam::node_local::Reclaim;
use crate::ipam::node_local::pool_sync::Watermarks;
use crate::openapi::Api;
use crate::time::Span;

/// The control plane's own configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Nodes that are reconciled at the same time (C27).
    pub workers: u32,
    /// Life of a cached free count, and of a block (C74, C81).
    pub vswitch_ttl: Span,
    /// Time between two full syncs of a node, before jitter (C35).
    pub full_sync_period: Span,
    /// Period of a node whose eni-config sets none (C21).
    pub gc_period: Span,
    /// Client-side limit of status writes, shared by all nodes (C28); `None` = no limit.
    pub write_limit: Option<WriteLimit>,
    /// Client-side limits of OpenAPI calls per minute, in the order of [`Api::ALL`] (C157);
    /// `None` = no limit.
    pub rate_limit: [Option<u32>; Api::ALL.len()],
    /// What is switched off (C114).
    pub degradation: Degradation,
    /// Whether jittered waits are jittered; if not, they take their base value.
    pub jitter: bool,
}

impl Default for Settings {
    /// Upstream's defaults (C159).
    fn default() -> Self {
        Self {
            workers: 500,
            vswitch_ttl: Span::mins(20),
            full_sync_period: Span::hours(12),
            gc_period: Span::mins(2),
            write_limit: Some(WriteLimit { per_second: 20.0, burst: 30 }),
            rate_limit: Api::ALL.map(|api| Some(default_limit(api))),
            degradation: Degradation::None,
            jitter: true,
        }
    }
}

/// Calls per minute, which is also the burst (C157).
fn default_limit(api: Api) -> u32 {
    match api {
        Api::DescribeNetworkInterfaces => 800,
        Api::CreateNetworkInterface | Api::AttachNetworkInterface | Api::DeleteNetworkInterface => 500,
        Api::DetachNetworkInterface
        | Api::AssignPrivateIpAddresses
        | Api::UnassignPrivateIpAddresses
        | Api::AssignIpv6Addresses
        | Api::UnassignIpv6Addresses => 400,
        Api::DescribeVSwitches => 300,
    }
}

/// A token bucket of writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriteLimit {
    /// Writes per second.
    pub per_second: f64,
    /// Writes at once.
    pub burst: u32,
}

/// The key `degradation` of the control plane's configuration (C114).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Degradation {
    /// Nothing is switched off.
    #[default]
    None,
    /// No full sync, no allocation, no shrinking.
    L0,
    /// No full sync, no shrinking.
    L1,
}

/// The spec of a node's CR, once the daemon has completed it (C6, C16).
#[derive(Debug, Clone, PartialEq)]
pub struct NodeConfig {
    /// Interfaces that the node may have, by kind (C11).
    pub flavor: Flavor,
    /// What it offers: members once its trunk is in use (C145), addresses for RDMA while its daemon is up (C163).
    pub devices: Devices,
    /// Addresses and prefixes per interface and family, its primary IPv4 address included. Dual stack
    /// is refused to instances whose two limits differ (C15).
    pub ips_per_eni: u32,
    /// Whether pods have an IPv6 address beside their IPv4 one, after C15's condition was applied.
    pub dual: bool,
    /// Lower bound of idle addresses, not clamped; prefix mode has none (C12).
    pub min_idle: u32,
    /// Upper bound of idle addresses, not clamped; prefix mode has none (C12).
    pub max_idle: u32,
    /// Addresses that are ordered once in a node's life (C111).
    pub warm_up: u32,
    /// `ip_pool_sync_period`; `None` = the control plane's (C21).
    pub sync_period: Option<Span>,
    /// Idle reclaim; `None` = off (C104).
    pub reclaim: Option<Reclaim>,
    /// The node takes /28 prefixes instead of addresses: for the whole life of its CR (C122).
    pub prefix_mode: bool,
    /// How many prefixes it gets in all in prefix mode (C123).
    pub prefix_count: u32,
    /// In prefix mode, whether the daemon gives no pod an IPv4 address without an IPv6 one of the same interface (C138). It
    /// goes by the base document alone (`daemon/builder.go:92-102, 494`), whatever becomes of [`dual`](Self::dual).
    pub both_or_none: bool,
    /// Candidate vSwitches of the node's zone, as written (C13).
    pub vswitches: Vec<VSwitchId>,
    /// Which vSwitch a new interface goes to (C14).
    pub selection: Selection,
    /// The daemon's client of the API server (rule R114).
    pub kube_client: KubeClient,
}

impl NodeConfig {
    /// A node with these interfaces of `ips_per_eni` addresses and these watermarks, in the candidate with most free
    /// addresses; nothing else is switched on, and it offers no devices.
    #[must_use]
    pub fn plain(
        flavor: Flavor,
        ips_per_eni: u32,
        (min_idle, max_idle): (u32, u32),
        vswitches: Vec<VSwitchId>,
    ) -> Self {
        Self {
            flavor,
            devices: Devices::default(),
            ips_per_eni,
            dual: false,
            min_idle,
            max_idle,
            warm_up: 0,
            sync_period: None,
            reclaim: None,
            prefix_mode: false,
            prefix_count: 0,
            both_or_none: false,
            vswitches,
            selection: Selection::Most,
            kube_client: KubeClient::UNLIMITED,
        }
    }

    /// How many prefixes the node gets in all; `None` = it takes addresses.
    #[must_use]
    pub fn prefixes(&self) -> Option<u32> {
        self.prefix_mode.then_some(self.prefix_count)
    }

    /// What the daemon fills in on a node whose CR has the mode of `before`: an edit of `enable_ip_prefix` does not change
    /// it (C122, `pkg/eni/node_reconcile.go:175-187`).
    #[must_use]
    pub fn in_mode_of(self: Arc<Self>, before: &Self) -> Arc<Self> {
        match self.prefix_mode == before.prefix_mode {
            true => self,
            false => Arc::new(Self { prefix_mode: before.prefix_mode, ..Self::clone(&self) }),
        }
    }

    /// Addresses that the node can have for pods.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.flavor.capacity(self.ips_per_eni, self.prefixes())
    }

    /// The bounds of the pool. That there is room for what is to be idle is not looked at (C12).
    #[must_use]
    pub(in crate::ipam) fn watermarks(&self) -> Watermarks {
        let [min_idle, max_idle] = if self.prefix_mode { [0; 2] } else { [self.min_idle, self.max_idle] };
        Watermarks { min_idle, max_idle, capacity: u32::MAX }
    }
}

/// Interfaces of a node by kind, the instance's own primary one not counted (C11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flavor {
    /// Trunk interfaces: 1 if trunk is enabled.
    pub trunk: u32,
    /// HighPerformance interfaces: 1 if ERDMA is enabled and the instance has some (C163); 0 = the
    /// controller leaves such interfaces alone (C39).
    pub high_performance: u32,
    /// Ordinary secondary interfaces.
    pub secondary: u32,
}

impl Flavor {
    /// The flavor of an instance type with this many adapters, its primary one included. `erdma` =
    /// it is enabled, and [`erdma_res`](crate::ipam::limits::InstanceLimits::erdma_res) is not 0.
    #[must_use]
    pub fn of(adapters: u32, trunk: bool, erdma: bool) -> Self {
        let slots = adapters.saturating_sub(1);
        let trunk = u32::from(trunk && slots > 0);
        let high_performance = u32::from(erdma && slots > trunk);
        Self { trunk, high_performance, secondary: slots - trunk - high_performance }
    }

    /// Whether pods that ask for RDMA get it, and HighPerformance interfaces are the controller's.
    #[must_use]
    pub fn has_erdma(self) -> bool {
        self.high_performance > 0
    }

    /// Interfaces that serve ordinary pods (C10).
    #[must_use]
    pub fn for_pods(self) -> u32 {
        self.trunk + self.secondary
    }

    /// Addresses for ordinary pods (C10); in prefix mode those of the node's prefixes, as far as its interfaces, each with a
    /// primary address, have room for these (C124, C137).
    #[must_use]
    pub fn capacity(self, ips_per_eni: u32, prefixes: Option<u32>) -> u32 {
        match prefixes {
            None => self.for_pods() * ips_per_eni,
            Some(prefixes) => PREFIX * prefixes.min(self.for_pods() * ips_per_eni.saturating_sub(1)),
        }
    }

    /// Interfaces in all.
    #[must_use]
    pub fn total(self) -> u32 {
        self.trunk + self.high_performance + self.secondary
    }
}

/// Which vSwitch a new interface goes to (C14, C75).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// The one with most free addresses by the control plane's cache: eni-config's `ordered`.
    Most,
    /// A random one: every other value.
    Random,
}

//! What is to be simulated: complete and valid. Nothing here is optional because "the file may
//! lack it"; [`crate::scenario`] fills defaults and refuses what cannot be.

mod actions;
mod claims;
mod cron;
mod definitions;
mod ensemble;
mod measured;
mod networking;
mod nodes;
mod schedule;
mod workloads;

pub use actions::{Action, Condition, Deed, Restart, Trigger};
pub use claims::{
    ActionReading, Bound, Claim, Comparison, Holder, Level, PodReading, PrefixReading, Reading, Statement,
    VSwitchReading,
};
pub use cron::{Cron, MONDAY};
pub use ensemble::Ensemble;
pub use measured::Measured;
pub use networking::PodNetworking;
pub use nodes::{
    AfterCrash, Autoscaler, Crashes, Expander, Interruptions, NodePool, PoolSize, PoolZone, Replacement, ScaleDown,
    Shape, ZoneOutage,
};
pub use schedule::{Portion, Schedule, Times};
pub use workloads::{
    Concurrency, CountDist, Hpa, Job, Load, PodTemplate, Replicas, Resources, Rollout, Strictness, Trace, TracePod,
    Unfit, Workload, WorkloadKind, ZoneSpread,
};

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use crate::chance::SpanDist;
use crate::id::{NodeId, VSwitchId};
use crate::ipam::Config as DaemonConfig;
pub use crate::ipam::Devices;
use crate::ipam::centralized;
use crate::ipam::classic::Version;
use crate::ipam::pod_eni;
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};

/// A complete, valid model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Name of the scenario; also the name of its folder under `output/`.
    pub name: String,
    /// The question that the scenario asks: the first comment of its file.
    pub question: String,
    /// Simulated time to cover.
    pub horizon: Span,
    /// Start of the time that counts for time-weighted measures.
    pub warm_up: Span,
    /// Calendar date of time zero, if times are to be printed as dates too.
    pub start: Option<jiff::civil::Date>,
    /// Seed of all chance.
    pub seed: u64,
    /// Independent runs; at least 1.
    pub replications: u32,
    /// Fewer runs than that are enough once they are as precise as this.
    pub precision: Option<Precision>,
    /// VPC and vSwitches.
    pub vpc: Vpc,
    /// Who allocates addresses.
    pub ipam: Ipam,
    /// What the controllers of pods with interfaces of their own run with: they are part of the control plane, whoever
    /// allocates for others.
    pub own_enis: pod_eni::Settings,
    /// PodNetworkings, which give pods interfaces of their own on a trunk.
    pub pod_networkings: Vec<PodNetworking>,
    /// Node pools.
    pub node_pools: Vec<NodePool>,
    /// Workloads.
    pub workloads: Vec<Workload>,
    /// Behaviour of the cloud.
    pub cloud: Behaviour,
    /// Outages of zones, in order of time.
    pub zone_outages: Vec<ZoneOutage>,
    /// What is done while the run goes on, in the order of the scenario.
    pub actions: Vec<Action>,
    /// What must hold.
    pub policy: Vec<Claim>,
    /// Waits for an address that are to be counted: [`Reading::WaitedOver`]; none twice.
    pub late_waits: Vec<LateWait>,
    /// Behaviour of the kubelet.
    pub kubelet: Kubelet,
    /// Behaviour of the control plane.
    pub control_plane: ControlPlane,
    /// What to write besides the answer.
    pub outputs: Outputs,
}

/// Who allocates addresses. Every node of a model is of the same kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Ipam {
    /// Each node's daemon.
    NodeLocal,
    /// Each node's daemon, of a version before v1.7.
    Classic(Version),
    /// The control plane (`ipam_type: crd`), which runs with these settings.
    Centralized(Box<centralized::Settings>),
}

/// Most zones of a scenario: the scheduler has a bit for each. No region has as many.
pub const MOST_ZONES: usize = 64;

/// The network.
#[derive(Debug, Clone, PartialEq)]
pub struct Vpc {
    /// Address range of the VPC.
    pub cidr: Ipv4Net,
    /// Its vSwitches; a [`VSwitchId`] is a position in this list.
    pub vswitches: Vec<VSwitch>,
}

impl Vpc {
    /// A vSwitch and its copies, which stand right behind it; none if there is no such vSwitch.
    pub fn with_copies(&self, id: &str) -> impl Iterator<Item = &VSwitch> {
        let from = self.vswitches.iter().skip_while(move |of| of.id != id);
        from.enumerate().take_while(|(i, of)| *i == 0 || of.is_copy).map(|(_, of)| of)
    }
}

/// A vSwitch.
#[derive(Debug, Clone, PartialEq)]
pub struct VSwitch {
    /// Its ID, such as `vsw-AAA`.
    pub id: String,
    /// Its zone, such as `cn-shanghai-f`.
    pub zone: String,
    /// Its address range; prefix 16 to 29.
    pub cidr: Ipv4Net,
    /// Others that take addresses of it; none has the name of another.
    pub tenants: Vec<Tenant>,
    /// Whether its addresses reach the internet (an SNAT entry of a NAT gateway).
    pub snat: bool,
    /// Blocks of it that are kept for prefixes, in order: aligned, /28 or larger, without the
    /// addresses that the cloud keeps for itself.
    pub prefix_reservations: Vec<Ipv4Net>,
    /// Position in [`Model::actions`] of the action that adds it; `None` = it is there from the
    /// start.
    pub added_by: Option<usize>,
    /// It is one of the copies of the vSwitch before them.
    pub is_copy: bool,
}

/// How precise the mean of a reading over the runs has to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Precision {
    /// The reading.
    pub reading: Reading,
    /// Its name.
    pub name: String,
    /// Half the width of its interval at most.
    pub half_width: HalfWidth,
}

/// Half the width of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HalfWidth {
    /// In the unit of the reading.
    Absolute(f64),
    /// As a share of the mean: 0.05 is 5 %.
    OfMean(f64),
}

/// Waits that [`Reading::WaitedOver`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateWait {
    /// Waits longer than this.
    pub over: Span,
    /// Which are so before this time.
    pub before: Instant,
}

/// Somebody else who takes addresses of a vSwitch.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// Who it is, such as `load balancers`.
    pub name: String,
    /// Addresses that it takes over time.
    pub addresses: Schedule,
}

/// How the cloud behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    /// Time from call to answer, per action in the order of [`Api::ALL`]; the effect happens at
    /// the answer.
    pub latency: [SpanDist; Api::ALL.len()],
    /// Most calls per account and minute, per action in the order of [`Api::ALL`]; more are
    /// refused with `Throttling`.
    pub throttle: [Option<u32>; Api::ALL.len()],
    /// Time from a call's effect until instance metadata shows it.
    pub metadata_lag: Span,
    /// Quotas.
    pub quotas: Quotas,
    /// Times of trouble, in order of their beginning.
    pub faults: Vec<Fault>,
}

/// A time of trouble with the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Which actions, in the order of [`Api::ALL`].
    pub apis: [bool; Api::ALL.len()],
    /// When it begins.
    pub from: Instant,
    /// When it ends.
    pub to: Instant,
    /// Share of calls that fail: 1 = all.
    pub fail: f64,
    /// With which code.
    pub code: ErrorCode,
    /// Latencies are this many times as long.
    pub slow: f64,
}

/// Quotas of the account; those without a documented value are off unless set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quotas {
    /// Private addresses in the cluster's security group.
    pub security_group_addresses: Option<u64>,
    /// Private addresses in the VPC.
    pub vpc_addresses: Option<u64>,
    /// Elastic network interfaces in the region.
    pub enis_per_region: Option<u64>,
}

/// How the kubelet behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Kubelet {
    /// Pause between a failed sandbox and the next try.
    pub sandbox_retry: SpanDist,
    /// From the end of a pod's containers to CNI DEL, which gives its address back.
    pub teardown: SpanDist,
}

/// How the control plane behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlPlane {
    /// How the scheduler scores nodes.
    pub scoring: Scoring,
    /// The cluster autoscaler, for pools that it scales.
    pub autoscaler: Autoscaler,
    /// From the last sign of a node until it is `NotReady`.
    pub node_monitor_grace: Span,
    /// From then until its pods are evicted.
    pub eviction_after: Span,
}

/// How the scheduler scores nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoring {
    /// The emptiest first: spread.
    LeastAllocated,
    /// The fullest first: pack.
    MostAllocated,
}

/// A pool's nodes of one type in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupKey {
    /// Position in [`Model::node_pools`].
    pub pool: usize,
    /// Position in [`NodePool::shapes`].
    pub shape: usize,
    /// Position in [`Shape::zones`].
    pub zone: usize,
}

/// What to write besides the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outputs {
    /// Rows of the timeline over the horizon.
    pub samples: u32,
    /// Whether to write `pods.csv`.
    pub pods: bool,
    /// Whether to write `events.csv`.
    pub events: bool,
    /// Whether to write tables as Parquet too.
    pub parquet: bool,
}

/// One of the [`Quotas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quota {
    /// [`Quotas::security_group_addresses`].
    SecurityGroupAddresses,
    /// [`Quotas::vpc_addresses`].
    VpcAddresses,
    /// [`Quotas::enis_per_region`].
    EnisPerRegion,
}

impl Model {
    /// A model of one run without nodes and pods, in a cloud that answers at once: a start for
    /// models that are made by hand.
    #[must_use]
    pub fn plain(name: &str, horizon: Span, vpc: Vpc) -> Self {
        Self {
            name: name.to_owned(),
            question: String::new(),
            horizon,
            warm_up: Span::ZERO,
            start: None,
            seed: 1,
            replications: 1,
            precision: None,
            vpc,
            ipam: Ipam::NodeLocal,
            own_enis: pod_eni::Settings::default(),
            pod_networkings: Vec::new(),
            node_pools: Vec::new(),
            workloads: Vec::new(),
            cloud: Behaviour {
                latency: std::array::from_fn(|_| SpanDist::Constant(Span::ZERO)),
                throttle: [None; Api::ALL.len()],
                metadata_lag: Span::ZERO,
                quotas: Quotas::default(),
                faults: Vec::new(),
            },
            zone_outages: Vec::new(),
            actions: Vec::new(),
            policy: Vec::new(),
            late_waits: Vec::new(),
            kubelet: Kubelet {
                sandbox_retry: SpanDist::Uniform(Span::secs(10), Span::secs(15)),
                teardown: SpanDist::Constant(Span::ZERO),
            },
            control_plane: ControlPlane::default(),
            outputs: Outputs { samples: 1, pods: false, events: false, parquet: false },
        }
    }

    /// Every group of nodes: the pools in their order, each with its types, each with its zones.
    pub fn groups(&self) -> impl Iterator<Item = (GroupKey, &PoolZone)> {
        self.node_pools.iter().enumerate().flat_map(|(pool, p)| {
            p.shapes.iter().enumerate().flat_map(move |(shape, s)| {
                s.zones.iter().enumerate().map(move |(zone, z)| (GroupKey { pool, shape, zone }, z))
            })
        })
    }

    /// What the daemons of a group, by its position in [`Model::groups`], run with at first and after each edit of
    /// eni-config.
    pub fn daemons(&self, group: usize) -> impl Iterator<Item = &DaemonConfig> {
        let at_first = self.groups().nth(group).map(|(_, zone)| &zone.daemon);
        let later = self.actions.iter().filter_map(move |action| match &action.deed {
            Deed::EditEniConfig(daemons) => Some(&daemons[group]),
            _ => None,
        });
        at_first.into_iter().chain(later)
    }

    /// What a node of a pool is called: the pool, and its number in the order of joining.
    #[must_use]
    pub fn node_name(&self, pool: usize, node: NodeId) -> String {
        format!("{}-{}", self.node_pools[pool].name, node.0)
    }

    /// The vSwitches that pods take addresses of, in order: some daemon has them as candidates, or
    /// will have them after an edit of eni-config, or a PodNetworking lists them.
    #[must_use]
    pub fn serving_vswitches(&self) -> BTreeSet<VSwitchId> {
        let at_first = self.groups().map(|(_, zone)| &zone.daemon);
        let later = self.actions.iter().flat_map(|action| match &action.deed {
            Deed::EditEniConfig(daemons) => &daemons[..],
            _ => &[],
        });
        let of_pods = self.pod_networkings.iter().flat_map(|networking| &networking.vswitches);
        at_first.chain(later).flat_map(DaemonConfig::vswitches).chain(of_pods).copied().collect()
    }

    /// How long the control plane takes a vSwitch for empty that has refused a request (rules C74, C81).
    #[must_use]
    pub fn vswitch_ttl(&self) -> Span {
        match &self.ipam {
            Ipam::Centralized(settings) => settings.vswitch_ttl,
            Ipam::NodeLocal | Ipam::Classic(_) => self.own_enis.vswitch_ttl,
        }
    }

    /// Whether prefixes come from a vSwitch, so that its free /28 blocks are told beside its free
    /// addresses: it keeps a part for them, or nodes in prefix mode have it as a candidate.
    #[must_use]
    pub fn gives_prefixes(&self, id: VSwitchId) -> bool {
        let takes = |(_, zone): (GroupKey, &PoolZone)| {
            zone.daemon.prefixes().is_some() && zone.daemon.vswitches().contains(&id)
        };
        !self.vpc.vswitches[id.index()].prefix_reservations.is_empty() || self.groups().any(takes)
    }

    /// Whether addresses of a vSwitch may be held for pods with fixed ones that are gone.
    #[must_use]
    pub fn holds_addresses(&self, id: VSwitchId) -> bool {
        self.pod_networkings.iter().any(|networking| networking.fixed.is_some() && networking.vswitches.contains(&id))
    }

    /// Makes sure that runs count what a reading needs.
    pub fn observe(&mut self, reading: &Reading) {
        if let Reading::WaitedOver { over, before } = *reading {
            let wait = LateWait { over, before };
            if !self.late_waits.contains(&wait) {
                self.late_waits.push(wait);
            }
        }
    }

    /// The zones of all vSwitches, each once, in alphabetical order.
    #[must_use]
    pub fn zone_names(&self) -> Vec<&str> {
        let mut zones: Vec<_> = self.vpc.vswitches.iter().map(|vswitch| vswitch.zone.as_str()).collect();
        zones.sort_unstable();
        zones.dedup();
        zones
    }
}

impl Default for ControlPlane {
    /// As upstream Kubernetes has it: the flags of kube-scheduler, cluster-autoscaler and
    /// kube-controller-manager, and the tolerations that `DefaultTolerationSeconds` adds.
    fn default() -> Self {
        Self {
            scoring: Scoring::LeastAllocated,
            autoscaler: Autoscaler {
                scan_interval: Span::secs(10),
                expander: Expander::LeastWaste,
                scale_down: Some(ScaleDown {
                    utilization_threshold: 0.5,
                    unneeded_time: Span::mins(10),
                    delay_after_add: Span::mins(10),
                }),
            },
            node_monitor_grace: Span::secs(50),
            eviction_after: Span::mins(5),
        }
    }
}

impl Precision {
    /// Fewest runs that it is judged by: by fewer, an interval may be narrow by accident.
    pub const FEWEST_RUNS: u32 = 10;
}

impl VSwitch {
    /// A vSwitch that nobody else uses.
    ///
    /// # Panics
    /// If `cidr` is no block of addresses.
    #[must_use]
    pub fn plain(id: &str, zone: &str, cidr: &str) -> Self {
        let cidr = cidr.parse().expect("a block of addresses");
        let (tenants, prefix_reservations) = (Vec::new(), Vec::new());
        let (id, zone) = (id.to_owned(), zone.to_owned());
        Self { id, zone, cidr, tenants, snat: true, prefix_reservations, added_by: None, is_copy: false }
    }

    /// Addresses that are kept for prefixes.
    #[must_use]
    pub fn reserved(&self) -> u32 {
        self.prefix_reservations.iter().map(|part| 1 << (32 - part.prefix_len())).sum()
    }

    /// Addresses that others want at `at`, all together.
    #[must_use]
    pub fn wanted_by_others(&self, at: Instant) -> u32 {
        self.tenants.iter().map(|tenant| tenant.addresses.count(at)).sum()
    }

    /// The first time after `at`, not later than `horizon`, at which one of the others wants
    /// another number.
    #[must_use]
    pub fn next_change_of_others(&self, at: Instant, horizon: Instant) -> Option<Instant> {
        self.tenants.iter().filter_map(|tenant| tenant.addresses.next_change(at, horizon)).min()
    }
}

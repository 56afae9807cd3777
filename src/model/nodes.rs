//! Nodes, and what happens to them.

use crate::chance::SpanDist;
use crate::id::VSwitchId;
use crate::ipam::Config as DaemonConfig;
use crate::ipam::limits::InstanceLimits;
use crate::model::{Portion, Resources, Schedule, Times};
use crate::time::{Instant, Span};

/// Nodes of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct NodePool {
    /// Its name.
    pub name: String,
    /// Instance types; a new node is one of them, by their weights. Never empty.
    pub shapes: Vec<Shape>,
    /// How many nodes there are.
    pub size: PoolSize,
    /// Time from asking the cloud for an instance until its daemon serves pods. Nodes of time
    /// zero are there already.
    pub provisioning: SpanDist,
    /// Replacement of every node, by an upgrade of the system image for instance.
    pub replacement: Option<Replacement>,
    /// Interruptions by the cloud (spot instances).
    pub interruptions: Option<Interruptions>,
    /// Crashes of nodes.
    pub crashes: Option<Crashes>,
}

/// An instance type of a node pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Instance type, such as `ecs.g7.2xlarge`.
    pub instance_type: String,
    /// Limits of that type.
    pub limits: InstanceLimits,
    /// What pods may request on a node (allocatable).
    pub allocatable: Resources,
    /// Most pods with an address of their own that the scheduler places on a node.
    pub max_pods: u32,
    /// Share of new nodes, in proportion to the sum of the weights; positive.
    pub weight: f64,
    /// Zones with the vSwitch that the primary interface takes its address from; the same zones
    /// in the same order for every shape of a pool. Never empty.
    pub zones: Vec<PoolZone>,
}

/// A zone of a node pool.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolZone {
    /// The zone.
    pub zone: String,
    /// vSwitch of the nodes' primary interfaces.
    pub node_vswitch: VSwitchId,
    /// The daemon's configuration on nodes of this type in this zone; it holds the zone's
    /// candidate vSwitches.
    pub daemon: DaemonConfig,
}

/// How many nodes a pool has.
#[derive(Debug, Clone, PartialEq)]
pub enum PoolSize {
    /// A wanted number that changes over time.
    Scheduled(Schedule),
    /// The cluster autoscaler decides.
    Autoscaled {
        /// Nodes at the start.
        initial: u32,
        /// Fewest nodes.
        min: u32,
        /// Most nodes.
        max: u32,
    },
}

/// Replaces every node that a pool has at some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// When it begins.
    pub at: Times,
    /// Nodes on top of the wanted number while it lasts.
    pub max_surge: Portion,
    /// Nodes that may be missing while it lasts.
    pub max_unavailable: Portion,
}

/// The cloud takes instances back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interruptions {
    /// Mean life of a node until that happens (exponential).
    pub every: Span,
    /// Time between the notice, on which the node is drained, and the release; zero = none.
    pub notice: Span,
}

/// Nodes stop working.
#[derive(Debug, Clone, PartialEq)]
pub struct Crashes {
    /// Mean time between crashes of a node (exponential).
    pub every: Span,
    /// What comes of a crashed node.
    pub then: AfterCrash,
}

/// What comes of a crashed node.
#[derive(Debug, Clone, PartialEq)]
pub enum AfterCrash {
    /// It works again after this time: the daemon restarts, the pods' records are on its disk.
    Reboot(SpanDist),
    /// Its instance is released after this time.
    Release(SpanDist),
}

/// A zone fails with every node in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneOutage {
    /// The zone.
    pub zone: String,
    /// When it fails.
    pub at: Instant,
    /// How long it lasts.
    pub lasts: Span,
}

/// The cluster autoscaler.
#[derive(Debug, Clone, PartialEq)]
pub struct Autoscaler {
    /// Time between two looks at the cluster.
    pub scan_interval: Span,
    /// Which pool grows.
    pub expander: Expander,
    /// Scale-down; `None` = off.
    pub scale_down: Option<ScaleDown>,
}

/// Which of several node pools grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expander {
    /// The one that leaves least unused.
    LeastWaste,
    /// Any.
    Random,
}

/// When the cluster autoscaler removes nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleDown {
    /// A node is unneeded while the larger of its shares of requested CPU and memory is less
    /// than this, and its pods fit elsewhere.
    pub utilization_threshold: f64,
    /// It is removed after being unneeded for this long.
    pub unneeded_time: Span,
    /// No node is removed for this long after a scale-up.
    pub delay_after_add: Span,
}

impl Shape {
    /// A type with room for ACK's number of pods, whatever they request.
    #[must_use]
    pub fn plain(instance_type: &str, limits: InstanceLimits, zones: Vec<PoolZone>) -> Self {
        Self {
            instance_type: instance_type.to_owned(),
            limits,
            allocatable: Resources::UNBOUNDED,
            max_pods: limits.multi_ip_pods(),
            weight: 1.0,
            zones,
        }
    }
}

impl NodePool {
    /// A pool of one type whose nodes are there as soon as they are wanted, and never fail.
    #[must_use]
    pub fn plain(name: &str, shape: Shape, nodes: Schedule) -> Self {
        Self {
            name: name.to_owned(),
            shapes: vec![shape],
            size: PoolSize::Scheduled(nodes),
            provisioning: SpanDist::Constant(Span::ZERO),
            replacement: None,
            interruptions: None,
            crashes: None,
        }
    }

    /// Zones of the pool.
    #[must_use]
    pub fn zones(&self) -> &[PoolZone] {
        &self.shapes[0].zones
    }
}

//! The sections about nodes and what looks after them.

use schemars::json_schema;

use super::{Distribution, EniConfig, Schedule};
use crate::model::{Expander, Scoring};
use crate::scenario::diagnostics::Problems;
use crate::scenario::quantity::{Count, Cpu, Duration, Memory, Percent, Portion};
use crate::scenario::read::{At, Entries, Read, either_schema, section, wrong_kind};
use crate::scenario::times::Moments;
use crate::scenario::yaml::{Node, Value};

section! {
    /// Nodes of one kind.
    "a node pool" struct NodePool {
        /// Its name.
        required name: At<String>,
        /// Instance type, such as `ecs.g7.2xlarge`.
        optional instance_type: At<String>,
        /// Several instance types instead of one: a list of equal shares, or a weight for each.
        optional instance_types: Mix,
        /// Limits of the type, where they are to differ from the table.
        optional limits: Limits,
        /// Most pods with an address of their own on a node; pods with `host_network` do not count.
        optional max_pods: At<Count>,
        /// Whether every pod gets an interface of its own: the label
        /// `k8s.aliyun.com/exclusive-mode-eni-type: eniOnly`.
        optional exclusive_eni: At<bool>,
        /// What pods may request on a node.
        optional allocatable: Allocatable,
        /// Zones; a new node goes to the one with fewest of the pool.
        optional zones: Vec<At<String>>,
        /// vSwitch of the nodes' primary interfaces: one ID, or one for each zone.
        required node_vswitch: NodeVSwitch,
        /// Wanted number of nodes: a schedule, or `autoscale`.
        required nodes: At<Nodes>,
        /// Time from asking the cloud for an instance until its daemon serves pods.
        optional provisioning: At<Distribution>,
        /// Replacement of every node, by an upgrade of the system image for instance.
        optional replace: Replacement,
        /// Interruptions by the cloud, as spot instances suffer them.
        optional interruptions: Interruptions,
        /// Crashes of nodes.
        optional crashes: Crashes,
        /// The pool's dynamic configuration, which patches `terway.eni_config` (RFC 7396).
        optional eni_config: EniConfig,
    }
}

section! {
    /// Limits of an instance type.
    "`limits`" struct Limits {
        /// Interfaces, the primary one included (`EniQuantity`).
        optional adapters: At<Count>,
        /// IPv4 addresses of an interface, its primary one included (`EniPrivateIpAddressQuantity`).
        optional ipv4_per_adapter: At<Count>,
        /// IPv6 addresses of an interface (`EniIpv6AddressQuantity`); matters for `ip_stack: dual`.
        optional ipv6_per_adapter: At<Count>,
        /// Interfaces with trunk members (`EniTotalQuantity`); matters for `enable_eni_trunking`.
        optional total_adapters: At<Count>,
        /// RDMA interfaces (`EriQuantity`); matters for `enable_erdma`.
        optional erdma_adapters: At<Count>,
    }
}

section! {
    /// What pods may request on a node (`status.allocatable`).
    "`allocatable`" struct Allocatable {
        /// CPU, such as `7900m` or `8`.
        optional cpu: At<Cpu>,
        /// Memory, such as `29Gi`.
        optional memory: At<Memory>,
    }
}

section! {
    /// The cluster autoscaler decides how many nodes there are.
    "`autoscale`" struct Autoscale {
        /// Fewest nodes.
        required min: At<Count>,
        /// Most nodes.
        required max: At<Count>,
        /// Nodes at the start.
        optional initial: At<Count>,
    }
}

section! {
    /// Replacement of every node that a pool has at some time.
    "`replace`" struct Replacement {
        /// When it begins: a time, or a list of times.
        optional at: Moments,
        /// When it begins for the first time.
        optional first: At<Duration>,
        /// The time from one beginning to the next.
        optional every: At<Duration>,
        /// Nodes on top of the wanted number while it lasts: a number or a percentage, rounded up.
        optional max_surge: At<Portion>,
        /// Nodes that may be missing while it lasts: a number or a percentage, rounded down.
        optional max_unavailable: At<Portion>,
    }
}

section! {
    /// The cloud takes instances back.
    "`interruptions`" struct Interruptions {
        /// Mean life of a node until that happens; exponential.
        required every: At<Duration>,
        /// Time between the notice, on which the node is drained, and the release.
        optional notice: At<Duration>,
    }
}

section! {
    /// Nodes stop working, and come back after `reboot` or are given up after `release`.
    "`crashes`" struct Crashes {
        /// Mean time between crashes of a node; exponential.
        required every: At<Duration>,
        /// Time until it works again: its daemon restarts with what is on its disk.
        optional reboot: At<Distribution>,
        /// Time until its instance is released.
        optional release: At<Distribution>,
    }
}

section! {
    /// How the scheduler behaves.
    "`scheduler`" struct Scheduler {
        /// Which node is preferred: the emptiest (`least_allocated`) or the fullest (`most_allocated`).
        optional scoring: At<Scoring>,
    }
}

section! {
    /// How the cluster autoscaler behaves.
    "`autoscaler`" struct Autoscaler {
        /// Time between two looks at the cluster.
        optional scan_interval: At<Duration>,
        /// Which pool grows: the one that leaves least unused (`least-waste`), or any (`random`).
        optional expander: At<Expander>,
        /// When nodes are removed, or `off`.
        optional scale_down: At<ScaleDown>,
    }
}

section! {
    /// When the cluster autoscaler removes nodes.
    "`scale_down`" struct ScaleDownKeys {
        /// A node is unneeded while the larger of its shares of requested CPU and memory is less than this.
        optional utilization_threshold: At<Percent>,
        /// It is removed after being unneeded for this long.
        optional unneeded_time: At<Duration>,
        /// No node is removed for this long after a scale-up.
        optional delay_after_add: At<Duration>,
    }
}

section! {
    /// How the control plane finds nodes that failed.
    "`control_plane`" struct ControlPlane {
        /// From the last sign of a node until it is `NotReady`.
        optional node_monitor_grace: At<Duration>,
        /// From then until its pods are evicted.
        optional eviction_after: At<Duration>,
    }
}

section! {
    /// How the kubelet behaves.
    "`kubelet`" struct Kubelet {
        /// Pause between a failed sandbox and the next try.
        optional sandbox_retry: At<Distribution>,
        /// From the end of a pod's containers until its address is given back (CNI DEL).
        optional teardown: At<Distribution>,
    }
}

section! {
    /// A zone fails with every node in it.
    "a zone outage" struct ZoneOutage {
        /// The zone.
        required zone: At<String>,
        /// When it fails.
        required at: At<Duration>,
        /// How long it lasts.
        required lasts: At<Duration>,
    }
}

/// How many nodes a pool has.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum Nodes {
    Scheduled(At<Schedule>),
    Autoscaled(Autoscale),
}

section! {
    /// The cluster autoscaler decides.
    "an autoscaled number of nodes" struct Autoscaled {
        /// Between which bounds.
        required autoscale: Autoscale,
    }
}

/// Instance types of a pool.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum Mix {
    /// In equal shares.
    Equal(Vec<At<String>>),
    /// In proportion to their weights.
    Weighted(Entries<At<Count>>),
}

/// vSwitch of the nodes' primary interfaces.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum NodeVSwitch {
    One(At<String>),
    PerZone(Entries<At<String>>),
}

/// Scale-down: `off`, or when.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum ScaleDown {
    Off,
    On(ScaleDownKeys),
}

impl Read for Nodes {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Map(map) if map.iter().any(|(key, _)| key.name == "autoscale") => {
                Autoscaled::read(node, problems)?.autoscale.map(Self::Autoscaled)
            }
            _ => Read::read(node, problems).map(Self::Scheduled),
        }
    }
}

impl Read for Mix {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::List(_) => Read::read(node, problems).map(Self::Equal),
            Value::Map(_) => Read::read(node, problems).map(Self::Weighted),
            _ => {
                wrong_kind(node, "`instance_types` is a list of types, or a mapping of types to weights", problems);
                None
            }
        }
    }
}

impl Read for NodeVSwitch {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::Map(_) => Read::read(node, problems).map(Self::PerZone),
            _ => Read::read(node, problems).map(Self::One),
        }
    }
}

impl Read for ScaleDown {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "off" => Some(Self::Off),
            Value::Map(_) => Read::read(node, problems).map(Self::On),
            _ => {
                wrong_kind(node, "`scale_down` is a mapping of keys to values, or `off`", problems);
                None
            }
        }
    }
}

either_schema!(Nodes, g => [g.subschema_for::<Schedule>(), g.subschema_for::<Autoscaled>()]);
either_schema!(Mix, g => [g.subschema_for::<Vec<String>>(), g.subschema_for::<Entries<Count>>()]);
either_schema!(NodeVSwitch, g => [g.subschema_for::<String>(), g.subschema_for::<Entries<String>>()]);
either_schema!(ScaleDown, g => [json_schema!({ "const": "off" }), g.subschema_for::<ScaleDownKeys>()]);

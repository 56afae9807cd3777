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
        /// Example: `default`.
        required name: At<String>,
        /// Instance type of its nodes.
        /// Default: *required*, or `instance_types`.
        /// Example: `ecs.g7.2xlarge`.
        optional instance_type: At<String>,
        /// Several instance types instead of one: a list (equal shares), or a whole weight for each.
        /// Default: none.
        /// Example: `{ecs.g7.2xlarge: 3, ecs.g6.2xlarge: 1}`.
        optional instance_types: Mix,
        /// Limits of the type, where they are to differ from the table; with a single type only.
        /// Default: `instance_types` of the scenario, then the built-in table.
        /// Example: `{adapters: 4, ipv4_per_adapter: 15}`.
        optional limits: Limits,
        /// Most pods with an address of their own on a node, 1 to 10,000; pods with `host_network` do not count.
        /// Default: ACK's rule: (adapters − 1) × addresses per adapter.
        /// Example: `45`.
        optional max_pods: At<Count>,
        /// Whether every pod gets an interface of its own: the label `k8s.aliyun.com/exclusive-mode-eni-type:
        /// eniOnly`.
        /// Default: `false`.
        /// Example: `true`.
        optional exclusive_eni: At<bool>,
        /// What pods may request on a node.
        /// Default: the type's, less what the system keeps.
        /// Example: `{cpu: 7900m, memory: 29Gi}`.
        optional allocatable: Allocatable,
        /// Zones; a new node goes to the one with fewest of the pool.
        /// Default: the zones of `node_vswitch`.
        /// Example: `[cn-hangzhou-j]`.
        optional zones: Vec<At<String>>,
        /// ID of the vSwitch of the nodes' primary interfaces, or one for each zone.
        /// Example: `{cn-hangzhou-j: vsw-a}`.
        required node_vswitch: NodeVSwitch,
        /// Wanted number of nodes.
        /// Example: `{linear: {from: 10, to: 400}}`.
        required nodes: At<Nodes>,
        /// Time from asking the cloud for an instance until its daemon serves pods.
        /// Default: lognormal, median 90 s, p99 5 min: assumption, no measurement is published.
        /// Example: `2m`.
        optional provisioning: At<Distribution>,
        /// Replacement of every node, by an upgrade of the system image for instance.
        /// Default: none.
        /// Example: `{every: 30d, max_surge: 10 %}`.
        optional replace: Replacement,
        /// The cloud takes nodes back, as it does spot instances.
        /// Default: none.
        /// Example: `{every: 20d, notice: 5m}`.
        optional interruptions: Interruptions,
        /// Nodes stop working.
        /// Default: none.
        /// Example: `{every: 180d, reboot: 5m}`.
        optional crashes: Crashes,
        /// The pool's dynamic configuration, merged into `terway.eni_config` (RFC 7396).
        /// Default: none.
        /// Example: `{max_pool_size: 10}`.
        optional eni_config: EniConfig,
    }
}

section! {
    /// Limits of an instance type.
    "`limits`" struct Limits {
        /// Interfaces, the primary one included (`EniQuantity`), 2 to 128.
        /// Default: the type's.
        /// Example: `4`.
        optional adapters: At<Count>,
        /// IPv4 addresses of an interface, its own included (`EniPrivateIpAddressQuantity`), 1 to 50.
        /// Default: the type's.
        /// Example: `15`.
        optional ipv4_per_adapter: At<Count>,
        /// IPv6 addresses of an interface (`EniIpv6AddressQuantity`); `ip_stack: dual` has an effect only if it
        /// equals `ipv4_per_adapter` (R143).
        /// Default: the type's.
        /// Example: `15`.
        optional ipv6_per_adapter: At<Count>,
        /// Interfaces with trunk members (`EniTotalQuantity`); matters for `enable_eni_trunking`.
        /// Default: the type's.
        /// Example: `20`.
        optional total_adapters: At<Count>,
        /// RDMA interfaces (`EriQuantity`); matters for `enable_erdma`.
        /// Default: the type's.
        /// Example: `0`.
        optional erdma_adapters: At<Count>,
    }
}

section! {
    /// What pods may request on a node (`status.allocatable`).
    "`allocatable`" struct Allocatable {
        /// CPU.
        /// Default: cores − 100m − 2.5 % of those from 5 to 64 − 1.25 % from 65 to 128 − 0.5 % above.
        /// Example: `7900m`.
        optional cpu: At<Cpu>,
        /// Memory.
        /// Default: memory − 25 % of 4 GiB − 20 % of the next 4 − 10 % of the next 8 − 6 % of the next 112 − 2 %
        /// above − 300 MiB.
        /// Example: `29Gi`.
        optional memory: At<Memory>,
    }
}

section! {
    /// The cluster autoscaler decides how many nodes there are.
    "`autoscale`" struct Autoscale {
        /// Fewest nodes.
        /// Example: `3`.
        required min: At<Count>,
        /// Most nodes; not less than `min`.
        /// Example: `100`.
        required max: At<Count>,
        /// Nodes at the start, from `min` to `max`.
        /// Default: as `min`.
        /// Example: `5`.
        optional initial: At<Count>,
    }
}

section! {
    /// Replacement of every node that a pool has at some time.
    "`replace`" struct Replacement {
        /// When it begins, later than the start: a time, or a list of times that increase.
        /// Default: none: `at` or `every` is *required*.
        /// Example: `[10d, 40d]`.
        optional at: Moments,
        /// When it begins for the first time; more than nothing.
        /// Default: as `every`.
        /// Example: `10d`.
        optional first: At<Duration>,
        /// The time from one beginning to the next.
        /// Default: none: `at` or `every` is *required*.
        /// Example: `30d`.
        optional every: At<Duration>,
        /// Nodes on top of the wanted number while it lasts: a number or a percentage, rounded up.
        /// Default: `0`: assumption, one node after the other.
        /// Example: `10 %`.
        optional max_surge: At<Portion>,
        /// Nodes that may be missing while it lasts: a number or a percentage, rounded down.
        /// Default: `1`: assumption, one node after the other.
        /// Example: `0`.
        optional max_unavailable: At<Portion>,
    }
}

section! {
    /// The cloud takes instances back.
    "`interruptions`" struct Interruptions {
        /// Mean life of a node until that happens (exponential), at least `1m`.
        /// Example: `20d`.
        required every: At<Duration>,
        /// Time between the notice, on which the node is drained, and the release.
        /// Default: `5m`: ECS's documentation of spot instances.
        /// Example: `0s`.
        optional notice: At<Duration>,
    }
}

section! {
    /// Nodes stop working, and come back after `reboot` or are given up after `release`.
    "`crashes`" struct Crashes {
        /// Mean time between crashes of a node (exponential), at least `1m`.
        /// Example: `180d`.
        required every: At<Duration>,
        /// Time until it works again: its daemon restarts with what is on its disk.
        /// Default: `reboot` or `release` is *required*.
        /// Example: `5m`.
        optional reboot: At<Distribution>,
        /// Time until its instance is released.
        /// Default: `reboot` or `release` is *required*.
        /// Example: `10m`.
        optional release: At<Distribution>,
    }
}

section! {
    /// How the scheduler behaves.
    "`scheduler`" struct Scheduler {
        /// Which node is preferred: the emptiest (`least_allocated`) or the fullest (`most_allocated`).
        /// Default: `least_allocated`: kube-scheduler's NodeResourcesFit.
        /// Example: `most_allocated`.
        optional scoring: At<Scoring>,
    }
}

section! {
    /// How the cluster autoscaler behaves.
    "`autoscaler`" struct Autoscaler {
        /// Time between two looks at the cluster, at least `1s`.
        /// Default: `60s`: ACK's CreateAutoscalingConfig (upstream: 10 s).
        /// Example: `30s`.
        optional scan_interval: At<Duration>,
        /// Which pool grows: the one that leaves least unused (`least-waste`), or any (`random`).
        /// Default: `least-waste`: `--expander` of current versions.
        /// Example: `random`.
        optional expander: At<Expander>,
        /// When nodes are removed, or `off`.
        /// Default: see there.
        /// Example: `off`.
        optional scale_down: At<ScaleDown>,
    }
}

section! {
    /// When the cluster autoscaler removes nodes.
    "`scale_down`" struct ScaleDownKeys {
        /// A node is unneeded while the larger of its shares of requested CPU and memory is less than this.
        /// Default: `50 %`: CreateAutoscalingConfig, and upstream.
        /// Example: `40 %`.
        optional utilization_threshold: At<Percent>,
        /// It is removed after being unneeded for this long.
        /// Default: `10m`: CreateAutoscalingConfig, and upstream.
        /// Example: `5m`.
        optional unneeded_time: At<Duration>,
        /// No node is removed for this long after a scale-up.
        /// Default: `10m`: CreateAutoscalingConfig, and upstream.
        /// Example: `30m`.
        optional delay_after_add: At<Duration>,
    }
}

section! {
    /// How the control plane finds nodes that failed.
    "`control_plane`" struct ControlPlane {
        /// From the last sign of a node until it is `NotReady`.
        /// Default: `50s`: kube-controller-manager, `--node-monitor-grace-period`.
        /// Example: `40s`.
        optional node_monitor_grace: At<Duration>,
        /// From then until its pods are evicted.
        /// Default: `5m`: tolerations that kube-apiserver adds.
        /// Example: `1m`.
        optional eviction_after: At<Duration>,
    }
}

section! {
    /// How the kubelet behaves.
    "`kubelet`" struct Kubelet {
        /// Pause between a failed sandbox and the next try, at least about `1s`.
        /// Default: uniform, 10 to 15 s (R119: 10 s, times up to 1.5).
        /// Example: `12s`.
        optional sandbox_retry: At<Distribution>,
        /// From the end of a pod's containers until its address is given back (CNI DEL).
        /// Default: uniform, 1 to 3 s: assumption.
        /// Example: `0s`.
        optional teardown: At<Distribution>,
    }
}

section! {
    /// A zone fails with every node in it.
    "a zone outage" struct ZoneOutage {
        /// A zone with a vSwitch.
        /// Example: `cn-shanghai-f`.
        required zone: At<String>,
        /// When it fails: a time since the start.
        /// Example: `10d`.
        required at: At<Duration>,
        /// How long it lasts, at least `1s`.
        /// Example: `6h`.
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
        /// Between which bounds the cluster autoscaler decides.
        /// Example: `{min: 3, max: 100, initial: 5}`.
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
            Value::List(_) => {
                wrong_kind(node, "`node_vswitch` is the ID of a vSwitch, or a mapping of zones to them", problems);
                None
            }
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

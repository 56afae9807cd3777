//! The sections of a scenario file as they are written. Everything may be missing; what the
//! documentation of a key says is what `brimline schema` says.

mod actions;
mod controlplane;
mod faults;
mod nodes;
mod pod_networking;
mod replications;
mod sweep;
mod tenants;
mod workloads;

pub(super) use actions::{Action, AddedVSwitch, Drain, LoseZone, ReplaceNodes, RestartTerway, Scale};
pub(super) use controlplane::Controlplane;
pub(super) use faults::Fault;
pub(super) use nodes::{
    Allocatable, Autoscale, Autoscaler, ControlPlane, Crashes, Interruptions, Kubelet, Limits, Mix, NodePool,
    NodeVSwitch, Nodes, Replacement, ScaleDown, Scheduler, ZoneOutage,
};
pub(super) use pod_networking::{AllocationType, PodNetworking};
pub(super) use replications::{HalfWidth, Replications, Until};
pub(super) use sweep::{Sweep, Vary};
pub(super) use tenants::{Tenant, Used};
pub(super) use workloads::{
    Arrivals, CronJob, DaemonSet, Deployment, Group, Hpa, Job, Load, Replicas, Requests, Rollout, StatefulSet, Trace,
    TraceCounts, TracePods, Update, Workload, ZoneSpread,
};

use schemars::{SchemaGenerator, json_schema};

use super::diagnostics::Problems;
use super::quantity::{Block, Count, Day, Duration, Growth, Limit, Number, without_uncertain};
use super::read::{At, Entries, Read, choice, either_schema, section, wrong_kind};
use super::uncertain::CERTAIN;
use super::yaml::{Node, Value};
use crate::ipam::classic::Version;
use crate::ipam::eni_config::IpamType;

section! {
    /// A scenario: what is to be simulated.
    "a scenario" struct Scenario {
        /// Name of the scenario, and of its folder of results. Letters, digits, `-`, `_` and `.`.
        optional name: At<String>,
        /// Simulated time to cover, such as `90d`; at most ten years.
        required horizon: At<Duration>,
        /// Calendar date of the first day, such as `2026-12-01`; then times print as dates too.
        optional start: At<Day>,
        /// Time at the start that does not count for time-weighted measures; less than the horizon.
        optional warm_up: At<Duration>,
        /// Seed of all chance: the same seed gives the same numbers.
        optional seed: At<Count>,
        /// Independent runs: a number from 1 to 10,000, or until they are precise enough.
        optional replications: Replications,
        /// The network.
        required vpc: Vpc,
        /// Terway's configuration.
        required terway: Terway,
        /// A file with the JSON that `aliyun ecs DescribeInstanceTypes` prints; its types come before the built-in ones.
        optional instance_types: InstanceTypes,
        /// Nodes, by pool.
        required node_pools: Vec<NodePool>,
        /// Pods, by workload.
        optional workloads: Vec<Workload>,
        /// How the cloud behaves.
        optional cloud: Cloud,
        /// How the scheduler behaves.
        optional scheduler: Scheduler,
        /// How the cluster autoscaler behaves, for node pools that it scales.
        optional autoscaler: Autoscaler,
        /// How the control plane finds nodes that failed.
        optional control_plane: ControlPlane,
        /// How the kubelet behaves.
        optional kubelet: Kubelet,
        /// Outages of zones.
        optional zone_outages: Vec<ZoneOutage>,
        /// What is done while the run goes on, at a time, on a condition, or one after the other.
        optional actions: Vec<Action>,
        /// What must hold: claims such as `vswitch.free.min >= 10 %` or `P(any pod waits > 60s before 60d) <= 1 %`.
        optional policy: Vec<At<String>>,
        /// What is varied by `brimline sweep`.
        optional sweep: Sweep,
        /// What to write besides the answer.
        optional outputs: Outputs,
    }
}

section! {
    /// The network.
    "`vpc`" struct Vpc {
        /// Address range of the VPC; every vSwitch lies inside.
        required cidr: At<Block>,
        /// Its vSwitches.
        required vswitches: Vec<VSwitch>,
    }
}

section! {
    /// A vSwitch.
    "a vSwitch" struct VSwitch {
        /// Its ID, as eni-config names it.
        required id: At<String>,
        /// Its zone, such as `cn-shanghai-f`.
        required zone: At<String>,
        /// Its addresses; prefix 16 to 29. Four of them are the cloud's own. Or `prefix`.
        optional cidr: At<Block>,
        /// Its size alone, 16 to 29, instead of `cidr`: it gets the first free block of the VPC.
        optional prefix: At<Count>,
        /// How many of it there are: `vsw-a`, `vsw-a-2`, … Daemons that have it as a candidate have all.
        optional copies: At<Count>,
        /// Addresses that others take, all together or by tenant: load balancers, databases, other clusters.
        optional used: Used,
        /// Whether its pods reach the internet: an SNAT entry of a NAT gateway for its addresses.
        optional snat: At<bool>,
        /// Parts of it that are kept for prefixes: aligned blocks, /28 or larger, at most ten.
        optional prefix_reservations: Vec<At<Block>>,
    }
}

section! {
    /// Terway's configuration.
    "`terway`" struct Terway {
        /// The ConfigMap `eni-config` or its document `eni_conf`: a file, the document's keys, or its text.
        required eni_config: EniConfig,
        /// Who allocates addresses: `node-local` = each node's daemon, `centralized` = the control plane.
        optional ipam: At<IpamType>,
        /// A Terway of before v1.7.
        optional version: At<Version>,
        /// Which of its defects are simulated.
        optional defects: Defects,
        /// How the control plane runs, if it allocates.
        optional controlplane: Controlplane,
        /// PodNetworkings, which give pods an interface of their own on the trunk of their node.
        optional pod_networkings: Vec<PodNetworking>,
    }
}

section! {
    /// Defects of a Terway of before v1.7 that stop a node or a part of it for good: `true` = simulated. The
    /// keys are brimline's; Terway has none.
    "`defects`" struct Defects {
        /// The daemon dies if an assign fails, or an address is given back, while an ENI is being created (P61).
        optional nil_interface: At<bool>,
        /// Nothing is assigned or given back after the first failed assign (P85).
        optional rollback_deadlock: At<bool>,
        /// A refill and a new ENI may wait for each other (A1).
        optional result_deadlock: At<bool>,
        /// The pool is not maintained after the last ENI beyond `max_eni` went (P107).
        optional slot_deadlock: At<bool>,
    }
}

section! {
    /// A file of instance types.
    "`instance_types`" struct InstanceTypes {
        /// Its path, from the scenario's folder.
        required file: At<String>,
    }
}

section! {
    /// How the cloud behaves.
    "`cloud`" struct Cloud {
        /// Time from call to answer, by action of the API.
        optional latency: Entries<At<Distribution>>,
        /// Most calls per account and minute, by action of the API; more are refused with `Throttling`.
        optional throttle: Entries<At<Limit>>,
        /// Time from a call's effect until instance metadata shows it.
        optional metadata_lag: At<Duration>,
        /// Quotas of the account: a number, or `off`.
        optional quotas: Quotas,
        /// Times of trouble.
        optional faults: Vec<Fault>,
    }
}

section! {
    /// Quotas of the account.
    "`quotas`" struct Quotas {
        /// Private addresses in the cluster's security group.
        optional security_group_addresses: At<Limit>,
        /// Private addresses in the VPC.
        optional vpc_addresses: At<Limit>,
        /// Elastic network interfaces in the region.
        optional enis_per_region: At<Limit>,
    }
}

section! {
    /// What to write besides the answer.
    "`outputs`" struct Outputs {
        /// Rows of the timeline over the horizon, from 1 to 100,000.
        optional samples: At<Count>,
        /// Whether to write `pods.csv`: a row for every pod of the first replication.
        optional pods: At<bool>,
        /// Whether to write `events.csv`: the journal of the first replication.
        optional events: At<bool>,
    }
}

choice! {
    /// A number that changes over time.
    "a schedule" enum Schedule {
        /// Always the same number.
        Constant(At<Count>) = "`300` or `{linear: {from: 10, to: 450}}`",
        /// A straight line.
        linear => Linear(Linear),
        /// Growth by a percentage per span.
        exponential => Exponential(Exponential),
        /// An S-curve.
        logistic => Logistic(Logistic),
        /// Jumps.
        steps => Steps(Vec<Point>),
        /// Straight lines between points.
        points => Points(Vec<Point>),
        /// Straight lines between the points of a CSV file.
        csv => Csv(Csv),
    }
}

section! {
    /// A straight line from one number to another; constant afterwards.
    "`linear`" struct Linear {
        /// Number at the start.
        required from: At<Count>,
        /// Number at the end.
        required to: At<Count>,
        /// How long the way takes.
        optional over: At<Duration>,
    }
}

section! {
    /// Growth that compounds.
    "`exponential`" struct Exponential {
        /// Number at the start.
        required from: At<Count>,
        /// Growth, such as `12 %/month` (30 days), or `12 %` with `per`.
        required growth: At<Growth>,
        /// The span over which it grows by that much.
        optional per: At<Duration>,
        /// Most that it grows to.
        optional limit: At<Count>,
    }
}

section! {
    /// An S-curve.
    "`logistic`" struct Logistic {
        /// Number long before.
        required from: At<Count>,
        /// Number long after.
        required to: At<Count>,
        /// When it is half-way.
        optional midpoint: At<Duration>,
        /// A fifth of the time that the middle 85 % of the way takes.
        optional scale: At<Duration>,
    }
}

section! {
    /// A number at a time.
    "a point" struct Point {
        /// The time since the start.
        required at: At<Duration>,
        /// The number.
        required value: At<Count>,
    }
}

section! {
    /// A CSV file with a header, times in the first column and numbers in another.
    "`csv`" struct Csv {
        /// Its path, from the scenario's folder.
        required file: At<String>,
        /// Name of the column with the numbers.
        optional column: At<String>,
    }
}

choice! {
    /// A distribution of a length of time.
    "a distribution" enum Distribution {
        /// Always the same.
        Constant(At<Duration>) = "`2s` or `{lognormal: {median: 2s, p99: 12s}}`",
        /// Uniform between two.
        uniform => Uniform(Uniform),
        /// Exponential: no memory.
        exponential => Exponential(Mean),
        /// Lognormal: most are short, some are long.
        lognormal => LogNormal(LogNormal),
        /// Pareto: heavy-tailed.
        pareto => Pareto(Pareto),
        /// Weibull: heavy-tailed if its shape is below 1.
        weibull => Weibull(Weibull),
        /// One of these, each equally likely.
        empirical => Empirical(Empirical),
    }
}

section! {
    /// Uniform between two.
    "`uniform`" struct Uniform {
        /// The shortest.
        required from: At<Duration>,
        /// The longest.
        required to: At<Duration>,
    }
}

section! {
    /// Exponential.
    "`exponential`" struct Mean {
        /// The mean.
        required mean: At<Duration>,
    }
}

section! {
    /// Lognormal.
    "`lognormal`" struct LogNormal {
        /// Half are shorter.
        required median: At<Duration>,
        /// One in a hundred is longer.
        required p99: At<Duration>,
    }
}

section! {
    /// Pareto: the share that is longer than t is (minimum / t)^shape.
    "`pareto`" struct Pareto {
        /// The shortest.
        required minimum: At<Duration>,
        /// The smaller, the heavier the tail; with 1 or less there is no mean.
        required shape: At<Number>,
    }
}

section! {
    /// Weibull: the share that is longer than t is exp(−(t / scale)^shape).
    "`weibull`" struct Weibull {
        /// 63 % are shorter.
        required scale: At<Duration>,
        /// Below 1, the tail is heavy; 1 is exponential.
        required shape: At<Number>,
    }
}

section! {
    /// A file with a duration on every line.
    "`empirical`" struct DurationFile {
        /// Its path, from the scenario's folder.
        required file: At<String>,
    }
}

/// Measured lengths of time.
#[derive(Debug, Clone)]
pub(super) enum Empirical {
    List(Vec<At<Duration>>),
    File(DurationFile),
}

/// Where an eni-config stands.
#[derive(Debug, Clone)]
pub(super) enum EniConfig {
    File {
        path: At<String>,
        patch: Option<EniPatch>,
    },
    /// The keys of the document, or its text as a block.
    Inline(Node),
    /// Its text, with keys that are to be different.
    Text {
        text: Node,
        patch: Option<EniPatch>,
    },
}

section! {
    /// A file that holds an eni-config.
    "`eni_config`" struct EniConfigFile {
        /// Its path, from the scenario's folder.
        required file: At<String>,
        /// Keys that are to be different: a merge patch (RFC 7396).
        optional patch: EniPatch,
    }
}

section! {
    /// The text of an eni-config.
    "`eni_config`" struct EniConfigText {
        /// The text, as a block.
        required text: EniText,
        /// Keys that are to be different: a merge patch (RFC 7396).
        optional patch: EniPatch,
    }
}

/// Text of an eni-config.
#[derive(Debug, Clone)]
pub(super) struct EniText(pub Node);

impl Read for EniText {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        String::read(node, problems).map(|_| Self(node.clone()))
    }
}

either_schema!(EniText, _g => [json_schema!({ "type": "string" })]);

/// Keys of an eni-config.
#[derive(Debug, Clone)]
pub(super) struct EniPatch(pub Node);

impl Read for EniPatch {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            wrong_kind(node, "keys of eni_conf are expected here, such as `{max_pool_size: 10}`", problems);
            return None;
        }
        Some(Self(node.clone()))
    }
}

either_schema!(EniPatch, _g => [json_schema!({ "type": "object", "description": "Keys of eni_conf." })]);

impl Read for Empirical {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::Map(_) => DurationFile::read(node, problems).map(Self::File),
            Value::List(_) => Read::read(node, problems).map(Self::List),
            _ => {
                wrong_kind(node, "`empirical` is a list of durations, or `{file: …}`", problems);
                None
            }
        }
    }
}

impl Read for EniConfig {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Map(map) if map.iter().any(|(key, _)| key.name == "file") => {
                let EniConfigFile { file, patch, .. } = EniConfigFile::read(node, problems)?;
                file.map(|path| Self::File { path, patch })
            }
            Value::Map(map) if map.iter().any(|(key, _)| key.name == "text") => {
                let EniConfigText { text, patch, .. } = EniConfigText::read(node, problems)?;
                text.map(|EniText(text)| Self::Text { text, patch })
            }
            Value::Map(_) | Value::Text(_) => Some(Self::Inline(node.clone())),
            _ => {
                wrong_kind(node, "`eni_config` is `{file: …}`, the keys of eni_conf, or its text", problems);
                None
            }
        }
    }
}

either_schema!(Empirical, g => [g.subschema_for::<Vec<Duration>>(), g.subschema_for::<DurationFile>()]);
either_schema!(EniConfig, g => [
    g.subschema_for::<EniConfigFile>(),
    g.subschema_for::<EniConfigText>(),
    json_schema!({
        "type": "object",
        "description": "The keys of eni_conf.",
        "not": { "anyOf": [{ "required": ["file"] }, { "required": ["text"] }] },
    }),
    json_schema!({ "type": "string", "description": "The text of the ConfigMap or of eni_conf, as a block." }),
]);

/// The JSON Schema of a scenario file, which editors use for completion and checks.
pub(super) fn schema() -> String {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Scenario>();
    schema.insert("title".to_owned(), "brimline scenario".into());
    if let Some(mut definitions) = schema.remove("$defs") {
        for key in CERTAIN {
            if let Some(property) = schema.get_mut("properties").and_then(|properties| properties.get_mut(key)) {
                without_uncertain(property, &mut definitions);
            }
        }
        schema.insert("$defs".to_owned(), definitions);
    }
    serde_json::to_string_pretty(&schema).expect("a schema is plain JSON")
}

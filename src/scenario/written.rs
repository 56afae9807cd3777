//! The sections of a scenario file as they are written. Everything may be missing; what the
//! documentation of a key says is what `brimline schema` says. It may end with `Default: …` (value and
//! source) and `Example: …`, which have columns of their own in docs/scenario.md.

mod actions;
mod controlplane;
mod eni_config;
mod faults;
mod nodes;
mod pod_networking;
mod replications;
mod schedules;
mod sweep;
mod tenants;
mod workloads;

pub(super) use actions::{Action, AddedVSwitch, Drain, LoseZone, ReplaceNodes, RestartTerway, Scale};
pub(super) use controlplane::Controlplane;
pub(super) use eni_config::{EniConfig, EniPatch};
pub(super) use faults::Fault;
pub(super) use nodes::{
    Allocatable, Autoscale, Autoscaler, ControlPlane, Crashes, Interruptions, Kubelet, Limits, Mix, NodePool,
    NodeVSwitch, Nodes, Replacement, ScaleDown, Scheduler, ZoneOutage,
};
pub(super) use pod_networking::{AllocationType, PodNetworking};
pub(super) use replications::{HalfWidth, Replications, Until};
pub(super) use schedules::{Csv, Distribution, Empirical, Exponential, Linear, Logistic, Point, Schedule};
pub(super) use sweep::{Sweep, Vary};
pub(super) use tenants::{Tenant, Used};
pub(super) use workloads::{
    Arrivals, CronJob, DaemonSet, Deployment, Group, Hpa, Job, Load, Replicas, Requests, Rollout, StatefulSet, Trace,
    TraceCounts, TracePods, Update, Workload, ZoneSpread,
};

use schemars::SchemaGenerator;

use super::quantity::{Block, Count, Day, Duration, Limit, without_uncertain};
use super::read::{At, Entries, section};
use super::uncertain::CERTAIN;
use crate::ipam::classic::Version;
use crate::ipam::eni_config::IpamType;

section! {
    /// A scenario: what is to be simulated.
    "a scenario" struct Scenario {
        /// Name of the scenario, and of its folder of results: letters, digits, `-`, `_` and `.`.
        /// Default: the name of the file.
        /// Example: `slash19-article`.
        optional name: At<String>,
        /// Simulated time to cover: a duration, at most ten years.
        /// Example: `90d`.
        required horizon: At<Duration>,
        /// Calendar date of the first day; then times print as dates too.
        /// Default: none: times print without dates, and the first day is a Monday.
        /// Example: `2026-12-01`.
        optional start: At<Day>,
        /// Duration at the start that does not count, such as the hour in which a cluster that exists already comes to its
        /// level here; less than the horizon. Means, extremes, counts, waits that ended, limits and when a vSwitch is full are of
        /// the time after it; who waits at its end counts as if it had just asked. Conditions of actions hold after it only. It
        /// does not move the clock.
        /// Default: `0s`: all of the time counts.
        /// Example: `1d`.
        optional warm_up: At<Duration>,
        /// Seed of all chance: the same seed gives the same numbers.
        /// Default: `1`: any seed is as good.
        /// Example: `42`.
        optional seed: At<Count>,
        /// Independent runs: a number from 1 to 10,000, or until they are precise enough.
        /// Default: `20`: enough for an interval of 90 %.
        /// Example: `100`.
        optional replications: Replications,
        /// The network.
        required vpc: Vpc,
        /// Terway's configuration.
        required terway: Terway,
        /// A file with the JSON that `aliyun ecs DescribeInstanceTypes` prints; its types come before the built-in
        /// ones.
        /// Default: the built-in table.
        /// Example: `{file: types.json}`.
        optional instance_types: InstanceTypes,
        /// Nodes, by pool.
        required node_pools: Vec<NodePool>,
        /// Pods, by workload.
        /// Default: none.
        optional workloads: Vec<Workload>,
        /// How the cloud behaves.
        /// Default: see there.
        optional cloud: Cloud,
        /// How the scheduler behaves.
        /// Default: see there.
        optional scheduler: Scheduler,
        /// How the cluster autoscaler behaves, for node pools with `nodes: {autoscale: …}`.
        /// Default: see there.
        optional autoscaler: Autoscaler,
        /// How the control plane finds nodes that failed.
        /// Default: see there.
        optional control_plane: ControlPlane,
        /// How the kubelet behaves.
        /// Default: see there.
        optional kubelet: Kubelet,
        /// Outages of zones.
        /// Default: none.
        optional zone_outages: Vec<ZoneOutage>,
        /// What is done while the run goes on, at a time, on a condition, or one after the other.
        /// Default: none.
        optional actions: Vec<Action>,
        /// What must hold: claims about every run, or about probabilities such as `P(any pod waits > 60s before 60d)
        /// <= 1 %`. Pods wait for an address; those without a node are `pods.unschedulable.…`.
        /// Default: none.
        /// Example: `[vswitch.free.min >= 10 %]`.
        optional policy: Vec<At<String>>,
        /// What is varied by `brimline sweep`.
        /// Default: nothing is.
        optional sweep: Sweep,
        /// What to write besides the answer.
        /// Default: see there.
        optional outputs: Outputs,
    }
}

section! {
    /// The network.
    "`vpc`" struct Vpc {
        /// Address range of the VPC; every vSwitch lies inside.
        /// Example: `10.0.0.0/8`.
        required cidr: At<Block>,
        /// Its vSwitches.
        required vswitches: Vec<VSwitch>,
    }
}

section! {
    /// A vSwitch.
    "a vSwitch" struct VSwitch {
        /// Its ID, as eni-config names it.
        /// Example: `vsw-AAA`.
        required id: At<String>,
        /// Its zone.
        /// Example: `cn-shanghai-f`.
        required zone: At<String>,
        /// Its addresses: a block with a prefix from 16 to 29 inside the VPC, which overlaps no other. Four of them
        /// are the cloud's own.
        /// Default: *required*, or `prefix`.
        /// Example: `10.1.0.0/19`.
        optional cidr: At<Block>,
        /// Its size alone, 16 to 29, instead of `cidr`: it gets the first free block of the VPC.
        /// Default: none.
        /// Example: `19`.
        optional prefix: At<Count>,
        /// How many of it there are, 1 to 150: `vsw-a`, `vsw-a-2`, … Daemons that have it as a candidate have all.
        /// Default: `1`.
        /// Example: `3`.
        optional copies: At<Count>,
        /// Addresses that others take, all together or by tenant: load balancers, databases, other clusters; together
        /// at most what the vSwitch has.
        /// Default: `0`: assumption, nobody else uses it.
        /// Example: `12`.
        optional used: Used,
        /// Whether its pods reach the internet: an SNAT entry of a NAT gateway for its addresses. It changes no
        /// allocation.
        /// Default: `true`: assumption, the vSwitches of a running cluster have one; *required* of one that an action
        /// adds.
        /// Example: `false`.
        optional snat: At<bool>,
        /// Parts of it that are kept for prefixes (CreateVSwitchCidrReservation): aligned blocks, /28 or larger, at
        /// most ten, without the first address and the last three of the vSwitch; not with `copies`.
        /// Default: none: then prefixes come from all of its addresses.
        /// Example: `[10.1.16.0/20]`.
        optional prefix_reservations: Vec<At<Block>>,
    }
}

section! {
    /// Terway's configuration.
    "`terway`" struct Terway {
        /// The ConfigMap `eni-config` or its document `eni_conf`: a file, the document's keys, or its text.
        /// Example: `{file: eni-config.yaml}`.
        required eni_config: EniConfig,
        /// Who allocates addresses: `node-local` = each node's daemon, `centralized` = the control plane, `classic` =
        /// each node's daemon as before v1.7.
        /// Default: the `ipam_type` of `eni_config`: `crd` is centralized (R6).
        /// Example: `centralized`.
        optional ipam: At<IpamType>,
        /// A Terway of before v1.7; it implies `ipam: classic`.
        /// Default: `v1.4.4` with `ipam: classic`, the last that was measured (P3); otherwise the Terway of today.
        /// Example: `v1.4.4`.
        optional version: At<Version>,
        /// Which of its defects are simulated, if it is one of before v1.7.
        /// Default: those that its version has, but for `result_deadlock`.
        /// Example: `{nil_interface: false}`.
        optional defects: Defects,
        /// How the control plane runs, if it allocates or makes interfaces of pods' own.
        /// Default: Terway's own defaults.
        /// Example: `{kubeClientQPS: 50}`.
        optional controlplane: Controlplane,
        /// PodNetworkings, which give pods an interface of their own on the trunk of their node.
        /// Default: none.
        optional pod_networkings: Vec<PodNetworking>,
    }
}

section! {
    /// Defects of a Terway of before v1.7 that stop a node or a part of it for good: `true` = simulated. The
    /// keys are brimline's; Terway has none.
    "`defects`" struct Defects {
        /// The daemon dies if an assign fails, or an address is given back, while an ENI is being created (P61).
        /// Default: `true`.
        /// Example: `false`.
        optional nil_interface: At<bool>,
        /// After the first failed assign nothing is assigned, given back or read any more (P85); v1.1.0 alone has it.
        /// Default: `true` for v1.1.0, `false` otherwise.
        /// Example: `false`.
        optional rollback_deadlock: At<bool>,
        /// A refill and a new ENI wait for each other (A1): no refill, trim or creation any more.
        /// Default: `false`: it takes a coincidence within microseconds, which virtual time overstates.
        /// Example: `true`.
        optional result_deadlock: At<bool>,
        /// After a restart with a lower `max_eni`, the pool is not maintained once the last ENI beyond it went, until
        /// an ENI is created (P107).
        /// Default: `true`.
        /// Example: `false`.
        optional slot_deadlock: At<bool>,
    }
}

section! {
    /// A file of instance types.
    "`instance_types`" struct InstanceTypes {
        /// Its path, from the scenario's folder.
        /// Example: `types.json`.
        required file: At<String>,
    }
}

section! {
    /// How the cloud behaves.
    "`cloud`" struct Cloud {
        /// Time from call to answer, by action of the API.
        /// Default: lognormal, as below: assumptions.
        /// Example: `{AttachNetworkInterface: 3s}`.
        optional latency: Entries<At<Distribution>>,
        /// Most calls per account and minute, by action of the API, or `off`; more are refused with `Throttling`.
        /// Default: `off`: depends on the account (Quota Center).
        /// Example: `{AssignPrivateIpAddresses: 500}`.
        optional throttle: Entries<At<Limit>>,
        /// Time from a call's effect until instance metadata shows it.
        /// Default: `1s`: assumption, no measurement is published.
        /// Example: `500ms`.
        optional metadata_lag: At<Duration>,
        /// Quotas of the account.
        /// Default: see there.
        optional quotas: Quotas,
        /// Times of trouble.
        /// Default: none.
        optional faults: Vec<Fault>,
    }
}

section! {
    /// Quotas of the account.
    "`quotas`" struct Quotas {
        /// Private addresses in the cluster's security group, or `off`.
        /// Default: `65535`: enterprise security group (ACK's limits page); a basic one has 6,000.
        /// Example: `6000`.
        optional security_group_addresses: At<Limit>,
        /// Private addresses in the VPC, or `off`.
        /// Default: `300000` (VPC quota page).
        /// Example: `off`.
        optional vpc_addresses: At<Limit>,
        /// Elastic network interfaces in the region, or `off`.
        /// Default: `off`: depends on the account (Quota Center).
        /// Example: `10000`.
        optional enis_per_region: At<Limit>,
    }
}

section! {
    /// What to write besides the answer.
    "`outputs`" struct Outputs {
        /// Rows of the timeline over the horizon, from 1 to 100,000.
        /// Default: `500`, enough for a plot; for more than 125 days four a day, at most 5,000.
        /// Example: `2000`.
        optional samples: At<Count>,
        /// Whether to write [`pods.csv`](outputs.md#podscsv): a row for every life of a pod of the first replication.
        /// Default: `false`: large files are written on demand only.
        /// Example: `true`.
        optional pods: At<bool>,
        /// Whether to write [`events.csv`](outputs.md#eventscsv): the journal of the first replication.
        /// Default: `false`: large files are written on demand only.
        /// Example: `true`.
        optional events: At<bool>,
        /// Whether `run`, `demo` and `sweep` write every CSV [as Parquet too](outputs.md#parquet).
        /// Default: `false`: large files are written on demand only.
        /// Example: `true`.
        optional parquet: At<bool>,
    }
}

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

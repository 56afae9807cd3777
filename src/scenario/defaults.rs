//! What holds if a scenario does not say otherwise, and why.

use crate::chance::SpanDist;
use crate::model::{Expander, Portion, Scoring};
use crate::openapi::Api;
use crate::time::Span;

/// A value that nobody wrote, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Default<T> {
    pub value: T,
    pub source: &'static str,
}

/// Start of the time that counts.
pub(super) const WARM_UP: Default<Span> = Default { value: Span::ZERO, source: "all of the time counts" };

/// Seed of all chance.
pub(super) const SEED: Default<u64> = Default { value: 1, source: "any seed is as good" };

/// Independent runs.
pub(super) const REPLICATIONS: Default<u32> =
    Default { value: 20, source: "enough for an interval of 90 %: one run in twenty lies outside on either side" };

/// Addresses of other tenants.
pub(super) const USED: Default<u64> = Default { value: 0, source: "assumption: nobody else uses the vSwitch" };

/// Whether pods use the address of their node.
pub(super) const HOST_NETWORK: Default<bool> = Default { value: false, source: "Kubernetes: `hostNetwork` is false" };

/// Rows of the timeline.
pub(super) const SAMPLES: Default<u32> = Default { value: 500, source: "enough for a plot" };

/// `pods.csv` and `events.csv`.
pub(super) const TABLES: Default<bool> = Default { value: false, source: "large files are written on demand only" };

/// Time from a call's effect until instance metadata shows it.
pub(super) const METADATA_LAG: Default<Span> =
    Default { value: Span::secs(1), source: "assumption: no measurement is published" };

/// Private addresses in the cluster's security group.
pub(super) const SECURITY_GROUP_ADDRESSES: Default<Option<u64>> = Default {
    value: Some(65_535),
    source: "ACK's limits page: enterprise (advanced) security group; a basic one has 6,000",
};

/// Private addresses in the VPC.
pub(super) const VPC_ADDRESSES: Default<Option<u64>> =
    Default { value: Some(300_000), source: "VPC quota page: private addresses used in a VPC" };

/// Interfaces in the region.
pub(super) const ENIS_PER_REGION: Default<Option<u64>> =
    Default { value: None, source: "off: the quota depends on the account (Quota Center)" };

/// Calls per minute.
pub(super) const THROTTLE: Default<Option<u64>> =
    Default { value: None, source: "off: the quota depends on the account (Quota Center)" };

/// Nodes on top while a pool is replaced.
pub(super) const SURGE: Default<Portion> =
    Default { value: Portion::Count(0), source: "assumption: nodes are replaced in their places, one by one" };

/// Nodes that may be missing while a pool is replaced.
pub(super) const UNAVAILABLE: Default<Portion> =
    Default { value: Portion::Count(1), source: "assumption: nodes are replaced in their places, one by one" };

/// Time between the notice of an interruption and the release.
pub(super) const NOTICE: Default<Span> =
    Default { value: Span::mins(5), source: "ECS: a spot instance is told five minutes before its release" };

/// How the scheduler scores nodes.
pub(super) const SCORING: Default<Scoring> =
    Default { value: Scoring::LeastAllocated, source: "kube-scheduler: NodeResourcesFit's scoring strategy" };

/// Time between two looks of the autoscaler.
pub(super) const SCAN_INTERVAL: Default<Span> =
    Default { value: Span::secs(60), source: "ACK's API: CreateAutoscalingConfig (upstream: 10 s)" };

/// Which pool the autoscaler lets grow.
pub(super) const EXPANDER: Default<Expander> =
    Default { value: Expander::LeastWaste, source: "cluster-autoscaler: --expander of current versions" };

/// Share of requested resources below which a node is unneeded.
pub(super) const UTILIZATION_THRESHOLD: Default<f64> =
    Default { value: 0.5, source: "ACK's API: CreateAutoscalingConfig, and upstream" };

/// Time for which a node is unneeded until it is removed, and after a scale-up.
pub(super) const SCALE_DOWN_DELAY: Default<Span> =
    Default { value: Span::mins(10), source: "ACK's API: CreateAutoscalingConfig, and upstream" };

/// From the last sign of a node until it is not ready.
pub(super) const NODE_MONITOR_GRACE: Default<Span> = Default {
    value: Span::secs(50),
    source: "kube-controller-manager: --node-monitor-grace-period (40 s in older versions)",
};

/// From then until its pods are evicted.
pub(super) const EVICTION_AFTER: Default<Span> = Default {
    value: Span::mins(5),
    source: "kube-apiserver: --default-not-ready-toleration-seconds and --default-unreachable-toleration-seconds",
};

/// Time from asking for an instance until its daemon serves pods.
pub(super) fn provisioning() -> Default<SpanDist> {
    Default {
        value: SpanDist::log_normal(Span::secs(90), Span::mins(5)),
        source: "assumption: no measurement is published; set it if you have one",
    }
}

/// From the end of a pod's containers to CNI DEL.
pub(super) fn teardown() -> Default<SpanDist> {
    Default {
        value: SpanDist::Uniform(Span::secs(1), Span::secs(3)),
        source: "assumption: the kubelet looks every second (PLEG) and stops the sandbox at its next sync",
    }
}

/// Pause between a failed sandbox and the next try.
pub(super) fn sandbox_retry() -> Default<SpanDist> {
    Default {
        value: SpanDist::Uniform(Span::secs(10), Span::secs(15)),
        source: "R119: the kubelet's pod worker backs off 10 s, times up to 1.5",
    }
}

/// Time from call to answer.
pub(super) fn latency(api: Api) -> Default<SpanDist> {
    let (median, p99) = match api {
        Api::CreateNetworkInterface => (Span::millis(900), Span::secs(4)),
        Api::AttachNetworkInterface => (Span::secs(2), Span::secs(12)),
        Api::DetachNetworkInterface => (Span::secs(1), Span::secs(6)),
        Api::DeleteNetworkInterface => (Span::millis(600), Span::secs(3)),
        Api::AssignPrivateIpAddresses => (Span::millis(500), Span::secs(3)),
        Api::UnassignPrivateIpAddresses => (Span::millis(500), Span::secs(3)),
        Api::DescribeNetworkInterfaces | Api::DescribeVSwitches => (Span::millis(200), Span::secs(1)),
    };
    Default {
        value: SpanDist::log_normal(median, p99),
        source: "assumption: no measurement is published; set it if you have one",
    }
}

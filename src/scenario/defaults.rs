//! What holds if a scenario does not say otherwise, and why.

use super::words::{AllocationKind, EniType, ReleaseStrategy};
use crate::chance::SpanDist;
use crate::ipam::classic::Defect;
use crate::ipam::pod_eni::Policy;
use crate::model::{Concurrency, Expander, Portion, Scoring, Strictness};
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

/// Most runs for a precision.
pub(super) const AT_MOST: Default<u32> = Default { value: 200, source: "ten times the usual number" };

/// What Terway's control plane runs with.
pub(super) const CONTROLPLANE: &str = "C157 to C159, types/controlplane/config_default.go:44-105";

/// Whether a defect is simulated.
pub(super) fn defect(defect: Defect) -> &'static str {
    match defect {
        Defect::NilInterface => "upstream has it (P61, daemon/eni-multi-ip.go:269-274,380-381)",
        Defect::RollbackDeadlock => "upstream has it (P85, pkg/aliyun/aliyun.go:248-264,351-357)",
        Defect::ResultDeadlock => "upstream has it, but virtual time overstates the coincidence that it takes (A1)",
        Defect::SlotDeadlock => "upstream has it (P107, daemon/eni-multi-ip.go:437)",
    }
}

/// How interfaces of a PodNetworking are attached.
pub(super) const ENI_TYPE: Default<EniType> = Default {
    value: EniType::Default,
    source: "pkg/apis/crds/network.alibabacloud.com_podnetworkings.yaml, `eniOptions.eniType`",
};

/// Whether an address of a PodNetworking is kept for its pod.
pub(super) const ALLOCATION_TYPE: Default<AllocationKind> = Default {
    value: AllocationKind::Elastic,
    source: "pkg/apis/crds/network.alibabacloud.com_podnetworkings.yaml, `allocationType.type`",
};

/// What ends the keeping of a fixed address.
pub(super) const RELEASE_STRATEGY: Default<ReleaseStrategy> = Default {
    value: ReleaseStrategy::Never,
    source: "what has no strategy is kept (C153, pkg/controller/pod-eni/eni_controller.go:649-652)",
};

/// Which vSwitch of a PodNetworking an interface goes to.
pub(super) const SELECTION_POLICY: Default<Policy> = Default {
    value: Policy::Ordered,
    source: "pkg/apis/crds/network.alibabacloud.com_podnetworkings.yaml, `vSwitchSelectionPolicy`",
};

/// Addresses of other tenants.
pub(super) const USED: Default<u64> = Default { value: 0, source: "assumption: nobody else uses the vSwitch" };

/// Whether the addresses of a vSwitch reach the internet.
pub(super) const SNAT: Default<bool> =
    Default { value: true, source: "assumption: vSwitches of a running cluster have their SNAT entry" };

/// Most daemons that are down at once while Terway is restarted.
pub(super) const RESTART_AT_ONCE: Default<Portion> = Default {
    value: Portion::Share(0.1),
    source: "Terway: `maxUnavailable` is 10 % (charts/terway/templates/terwayd/daemonset.yaml)",
};

/// How long a daemon is down while it is restarted.
pub(super) const RESTART_TAKES: Default<Span> = Default {
    value: Span::secs(30),
    source: "assumption: it ends at once (`terminationGracePeriodSeconds: 0`), then a pod is made, its init \
             container runs, and the daemon reads its node's state; no measurement is published",
};

/// Whether pods use the address of their node.
pub(super) const HOST_NETWORK: Default<bool> = Default { value: false, source: "Kubernetes: `hostNetwork` is false" };

/// Most pods that a zone may have more than the one with fewest.
pub(super) const MAX_SKEW: Default<u32> =
    Default { value: 1, source: "Kubernetes: `maxSkew` (core/v1 TopologySpreadConstraint)" };

/// What holds if pods cannot be spread over zones.
pub(super) const WHEN_UNSATISFIABLE: Default<Strictness> = Default {
    value: Strictness::Required,
    source: "Kubernetes: `whenUnsatisfiable` is `DoNotSchedule` (core/v1 TopologySpreadConstraint)",
};

/// What a pod requests of CPU and memory.
pub(super) const REQUEST: Default<u32> = Default { value: 0, source: "Kubernetes: a pod may request nothing" };

/// From getting its address until a pod is ready.
pub(super) const READINESS: Default<Span> =
    Default { value: Span::ZERO, source: "assumption: a pod is ready as soon as it has its address" };

/// From being told to end until a pod's containers have ended.
pub(super) const TERMINATION: Default<Span> = Default {
    value: Span::secs(30),
    source: "Kubernetes: `terminationGracePeriodSeconds`; the worst case, of a container that ignores SIGTERM",
};

/// The same for recorded pods.
pub(super) const TRACE_TERMINATION: Default<Span> =
    Default { value: Span::ZERO, source: "assumption: a trace records when pods have ended" };

/// Pods of a Deployment that may be on top of the wanted number, or missing, in a rollout.
pub(super) const DEPLOYMENT_SURGE: Default<Portion> =
    Default { value: Portion::Share(0.25), source: "Kubernetes: `maxSurge` is 25 % (pkg/apis/apps/v1/defaults.go)" };

/// See [`DEPLOYMENT_SURGE`].
pub(super) const DEPLOYMENT_UNAVAILABLE: Default<Portion> = Default {
    value: Portion::Share(0.25),
    source: "Kubernetes: `maxUnavailable` is 25 % (pkg/apis/apps/v1/defaults.go)",
};

/// The same for a DaemonSet.
pub(super) const DAEMON_SET_SURGE: Default<Portion> =
    Default { value: Portion::Count(0), source: "Kubernetes: `maxSurge` is 0 (pkg/apis/apps/v1/defaults.go)" };

/// See [`DAEMON_SET_SURGE`].
pub(super) const DAEMON_SET_UNAVAILABLE: Default<Portion> =
    Default { value: Portion::Count(1), source: "Kubernetes: `maxUnavailable` is 1 (pkg/apis/apps/v1/defaults.go)" };

/// Whether the pods of a StatefulSet start and end all at once.
pub(super) const PARALLEL: Default<bool> =
    Default { value: false, source: "Kubernetes: `podManagementPolicy` is `OrderedReady`" };

/// Pods of a Job at once.
pub(super) const PARALLELISM: Default<u32> =
    Default { value: 1, source: "Kubernetes: `parallelism` is 1 (pkg/apis/batch/v1/defaults.go)" };

/// Pods that may be deleted before a Job fails.
pub(super) const BACKOFF_LIMIT: Default<u32> =
    Default { value: 6, source: "Kubernetes: `backoffLimit` is 6 (pkg/apis/batch/v1/defaults.go)" };

/// Whether the autoscaler may evict a workload's pods.
pub(super) const SAFE_TO_EVICT: Default<bool> =
    Default { value: true, source: "cluster-autoscaler evicts pods that a controller makes again (rules/replicated)" };

/// Where the default of a Job's completions comes from: it is the parallelism.
pub(super) const COMPLETIONS: &str = "Kubernetes: without `completions`, no pod is made after one has completed";

/// What happens if a CronJob's Job before is not over.
pub(super) const CONCURRENCY: Default<Concurrency> =
    Default { value: Concurrency::Allow, source: "Kubernetes: `concurrencyPolicy` is `Allow`" };

/// Pods that arrive together.
pub(super) const GROUP: Default<u32> = Default { value: 1, source: "pods come one by one" };

/// Fewest pods of an HPA.
pub(super) const HPA_MIN: Default<u32> = Default { value: 1, source: "Kubernetes: `minReplicas` is 1" };

/// CPU utilisation that an HPA aims at.
pub(super) const HPA_TARGET: Default<f64> =
    Default { value: 0.8, source: "Kubernetes: `DefaultCPUUtilization` is 80 % (pkg/apis/autoscaling/v2/defaults.go)" };

/// Time between two looks of an HPA.
pub(super) const HPA_SYNC_PERIOD: Default<Span> =
    Default { value: Span::secs(15), source: "kube-controller-manager: `--horizontal-pod-autoscaler-sync-period`" };

/// How far the utilisation may be from the target.
pub(super) const HPA_TOLERANCE: Default<f64> =
    Default { value: 0.1, source: "kube-controller-manager: `--horizontal-pod-autoscaler-tolerance`" };

/// Time over which an HPA looks back before it scales down.
pub(super) const HPA_STABILIZATION_DOWN: Default<Span> = Default {
    value: Span::mins(5),
    source: "kube-controller-manager: `--horizontal-pod-autoscaler-downscale-stabilization`",
};

/// Height of the daily wave of a load, and of its noise.
pub(super) const LOAD_FLAT: Default<f64> = Default { value: 0.0, source: "assumption: the load is the base" };

/// Time of day of a load's peak.
pub(super) const LOAD_PEAK: Default<Span> =
    Default { value: Span::hours(14), source: "assumption: early in the afternoon" };

/// Load on weekends.
pub(super) const LOAD_WEEKEND: Default<f64> = Default { value: 1.0, source: "assumption: as on other days" };

/// Rows of the timeline.
pub(super) fn samples(horizon: Span) -> Default<u32> {
    let days = horizon.0.div_ceil(Span::days(1).0);
    match 4 * days {
        0..=500 => Default { value: 500, source: "enough for a plot" },
        more => Default { value: more.min(5_000) as u32, source: "four a day, so that plots show daily waves" },
    }
}

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
        Api::AssignPrivateIpAddresses
        | Api::UnassignPrivateIpAddresses
        | Api::AssignIpv6Addresses
        | Api::UnassignIpv6Addresses => (Span::millis(500), Span::secs(3)),
        Api::DescribeNetworkInterfaces | Api::DescribeVSwitches => (Span::millis(200), Span::secs(1)),
    };
    Default {
        value: SpanDist::log_normal(median, p99),
        source: "assumption: no measurement is published; set it if you have one",
    }
}

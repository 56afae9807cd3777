//! Workloads as they are written.

use super::{Distribution, Schedule};
use crate::model::{Concurrency, Strictness};
use crate::scenario::diagnostics::Problems;
use crate::scenario::quantity::{Count, Cpu, Duration, Memory, Number, Percent, Portion};
use crate::scenario::read::{At, Read, choice, either_schema, section};
use crate::scenario::times::Moments;
use crate::scenario::words::WhenUnsatisfiable;
use crate::scenario::yaml::{Node, Value};

section! {
    /// Pods of one kind: a name, and one of `deployment`, `stateful_set`, `daemon_set`, `job`, `cron_job`, `arrivals`
    /// and `trace`.
    "a workload" struct Workload {
        /// Its name.
        /// Example: `web`.
        required name: At<String>,
        /// Interchangeable pods.
        /// Example: `{replicas: 300}`.
        optional deployment: Deployment,
        /// Pods with an identity, whose addresses Terway retains for 5 to 10 minutes (R128, R129).
        /// Example: `{replicas: 3}`.
        optional stateful_set: StatefulSet,
        /// One pod on every node.
        /// Example: `{}`.
        optional daemon_set: DaemonSet,
        /// Pods that run to completion.
        /// Example: `{at: 2d, parallelism: 200, duration: 20m}`.
        optional job: Job,
        /// A Job that is created again and again.
        /// Example: `{schedule: "0 2 * * *", duration: 20m}`.
        optional cron_job: CronJob,
        /// Pods that come by themselves, each for its `lifetime`.
        /// Example: `{per_hour: 600}`.
        optional arrivals: Arrivals,
        /// Recorded pods, or a recorded number of pods.
        /// Example: `{pods: {file: pods.csv}}`.
        optional trace: Trace,
        /// What a pod requests; the scheduler places it on a node that has as much left.
        /// Default: nothing, as in Kubernetes.
        /// Example: `{cpu: 500m, memory: 1Gi}`.
        optional requests: Requests,
        /// Whether its pods ask for RDMA (`aliyun/erdma`): they get addresses of RDMA interfaces only (R50, C163), on
        /// nodes that offer one more (R41).
        /// Default: `false`, as in Kubernetes.
        /// Example: `true`.
        optional erdma: At<bool>,
        /// The PodNetworking that its pods match: each gets an interface of its own.
        /// Default: none: pods share interfaces.
        /// Example: `databases`.
        optional pod_networking: At<String>,
        /// The PodNetworkings that its pods name in the annotation `k8s.aliyun.com/pod-networks-request`, instead of
        /// `pod_networking`: each pod gets an interface, with an address, of each (C154), and none until it has all.
        /// Default: none.
        /// Example: `[front, storage]`.
        optional pod_networks_request: At<Vec<At<String>>>,
        /// Spread over zones (`topologySpreadConstraints`), of all pods of the workload.
        /// Default: for Deployments and StatefulSets what kube-scheduler prefers where nothing is said (zones, skew 5, and
        /// nodes, skew 3: `systemDefaultConstraints`, podtopologyspread/plugin.go); for others none.
        /// Example: `{max_skew: 2}`.
        optional zone_spread: ZoneSpread,
        /// Whether pods of the workload keep off each other's nodes.
        /// Default: none, as in Kubernetes.
        /// Example: `required`.
        optional anti_affinity: At<Strictness>,
        /// Time from getting its address until a pod is ready; controllers wait for it.
        /// Default: `0s`: assumption.
        /// Example: `10s`.
        optional readiness: At<Distribution>,
        /// Life of a pod from getting its address to its end, at least about `1s`, after which its controller makes a
        /// new one.
        /// Default: none: a pod lives on; *required* for `arrivals`.
        /// Example: `{lognormal: {median: 2d, p99: 20d}}`.
        optional lifetime: At<Distribution>,
        /// Time from the deletion of a pod until its containers have ended; it holds its address meanwhile.
        /// Default: `30s`: `terminationGracePeriodSeconds`; `0s` for a `trace`: assumption.
        /// Example: `2s`.
        optional termination: At<Distribution>,
        /// Whether the cluster autoscaler may evict its pods to remove a node
        /// (`cluster-autoscaler.kubernetes.io/safe-to-evict`).
        /// Default: `true`, as for pods that a controller makes again; pods of `arrivals` keep their node anyway.
        /// Example: `false`.
        optional safe_to_evict: At<bool>,
        /// Names of the pools that its pods may run on.
        /// Default: all.
        /// Example: `[default]`.
        optional node_pools: Vec<At<String>>,
    }
}

section! {
    /// Interchangeable pods.
    "`deployment`" struct Deployment {
        /// Wanted number of pods.
        /// Example: `{hpa: {max: 400, load: {base: 120}}}`.
        required replicas: At<Replicas>,
        /// New versions.
        /// Default: none.
        /// Example: `{every: 7d}`.
        optional rollout: Rollout,
        /// Whether the pods use the node's address and so take none of a vSwitch.
        /// Default: `false`, as in Kubernetes.
        /// Example: `true`.
        optional host_network: At<bool>,
    }
}

section! {
    /// Pods with an identity.
    "`stateful_set`" struct StatefulSet {
        /// Wanted number of pods.
        /// Example: `5`.
        required replicas: At<Schedule>,
        /// Whether pods start and end all at once (`podManagementPolicy: Parallel`), not one after the other.
        /// Default: `false`: `OrderedReady`.
        /// Example: `true`.
        optional parallel: At<bool>,
        /// New versions; they go from the last pod to the first, one at a time.
        /// Default: none.
        /// Example: `{at: 5d}`.
        optional update: Update,
        /// Whether the pods use the node's address and so take none of a vSwitch.
        /// Default: `false`, as in Kubernetes.
        /// Example: `true`.
        optional host_network: At<bool>,
    }
}

section! {
    /// One pod on every node.
    "`daemon_set`" struct DaemonSet {
        /// New versions.
        /// Default: none.
        /// Example: `{at: 6d}`.
        optional rollout: Rollout,
        /// Whether the pods use the node's address and so take none of a vSwitch.
        /// Default: `false`, as in Kubernetes.
        /// Example: `true`.
        optional host_network: At<bool>,
    }
}

section! {
    /// New versions of every pod, a few pods at a time.
    "`rollout`" struct Rollout {
        /// When a version comes, later than the start: a time, or a list of times that increase.
        /// Default: none: `at` or `every` is *required*.
        /// Example: `[3d, 9d]`.
        optional at: Moments,
        /// When the first version comes, with `every`.
        /// Default: as `every`.
        /// Example: `2d`.
        optional first: At<Duration>,
        /// The time from one version to the next.
        /// Default: none: `at` or `every` is *required*.
        /// Example: `7d`.
        optional every: At<Duration>,
        /// Pods on top of the wanted number: a number or a percentage, rounded up.
        /// Default: `25 %`; of a `daemon_set`, `0` (apps/v1 defaults.go).
        /// Example: `10 %`.
        optional max_surge: At<Portion>,
        /// Pods that may be missing: a number or a percentage, rounded down (up in a `daemon_set`).
        /// Default: `25 %`; of a `daemon_set`, `1` (apps/v1 defaults.go).
        /// Example: `0`.
        optional max_unavailable: At<Portion>,
    }
}

section! {
    /// New versions, one pod at a time.
    "`update`" struct Update {
        /// When a version comes, later than the start: a time, or a list of times that increase.
        /// Default: none: `at` or `every` is *required*.
        /// Example: `5d`.
        optional at: Moments,
        /// When the first version comes, with `every`.
        /// Default: as `every`.
        /// Example: `2d`.
        optional first: At<Duration>,
        /// The time from one version to the next.
        /// Default: none: `at` or `every` is *required*.
        /// Example: `30d`.
        optional every: At<Duration>,
    }
}

section! {
    /// The HorizontalPodAutoscaler decides how many pods there are.
    "`hpa`" struct Hpa {
        /// Fewest pods.
        /// Default: `1`, as in Kubernetes.
        /// Example: `10`.
        optional min: At<Count>,
        /// Most pods.
        /// Example: `400`.
        required max: At<Count>,
        /// CPU utilisation that it aims at.
        /// Default: `80 %` (autoscaling/v2 defaults.go).
        /// Example: `60 %`.
        optional target: At<Percent>,
        /// The load that it follows.
        /// Example: `{base: 120, daily: 40 %}`.
        required load: Load,
        /// Time between two looks, at least `1s`.
        /// Default: `15s` (`--horizontal-pod-autoscaler-sync-period`).
        /// Example: `30s`.
        optional sync_period: At<Duration>,
        /// No change while the utilisation differs by less than this from the target.
        /// Default: `10 %` (`--horizontal-pod-autoscaler-tolerance`).
        /// Example: `5 %`.
        optional tolerance: At<Percent>,
        /// It scales down to the highest recommendation of this time.
        /// Default: `5m` (`--horizontal-pod-autoscaler-downscale-stabilization`).
        /// Example: `1m`.
        optional stabilization_down: At<Duration>,
    }
}

section! {
    /// A load, in pods that would be fully busy.
    "`load`" struct Load {
        /// Pods that would be fully busy: the mean over a week.
        /// Example: `120`.
        required base: At<Schedule>,
        /// Height of the daily wave: with `40 %`, the load lies between 60 and 140 % of the base.
        /// Default: `0 %`: assumption.
        /// Example: `40 %`.
        optional daily: At<Percent>,
        /// Time of day of the peak.
        /// Default: `14h`: assumption.
        /// Example: `20h`.
        optional peak: At<Duration>,
        /// Load on Saturdays and Sundays, compared with other days.
        /// Default: `100 %`: assumption.
        /// Example: `70 %`.
        optional weekend: At<Percent>,
        /// Standard deviation of the noise, which is drawn anew every 5 minutes.
        /// Default: `0 %`: assumption.
        /// Example: `5 %`.
        optional noise: At<Percent>,
    }
}

section! {
    /// Pods that run to completion.
    "`job`" struct Job {
        /// When it is created, later than the start: a time, or a list of times that increase.
        /// Default: none: `at` or `every` is *required*.
        /// Example: `2d`.
        optional at: Moments,
        /// When it is created for the first time, with `every`.
        /// Default: as `every`.
        /// Example: `6h`.
        optional first: At<Duration>,
        /// The time from one creation to the next.
        /// Default: none: `at` or `every` is *required*.
        /// Example: `1d`.
        optional every: At<Duration>,
        /// Pods at once.
        /// Default: `1` (batch/v1 defaults.go).
        /// Example: `200`.
        optional parallelism: At<Count>,
        /// Pods that have to complete.
        /// Default: as `parallelism`: no pod is made after one has completed.
        /// Example: `400`.
        optional completions: At<Count>,
        /// So many of its pods may be deleted (drained, evicted, lost with a node) before it fails: then the others are deleted
        /// and no more are made. Whoever ignores disruptions (`podFailurePolicy`) writes a large number.
        /// Default: `6` (batch/v1 defaults.go).
        /// Example: `100`.
        optional backoff_limit: At<Count>,
        /// Time from getting its address to the completion of a pod, at least about `1s`.
        /// Example: `20m`.
        required duration: At<Distribution>,
    }
}

section! {
    /// A Job that is created again and again.
    "`cron_job`" struct CronJob {
        /// Minute, hour, day, month and weekday, as Kubernetes reads them.
        /// Example: `0 2 * * *`.
        required schedule: At<String>,
        /// What happens if the Job before is not over: `allow` both, `forbid` the new one until it
        /// is, or `replace` the old one.
        /// Default: `allow`: `concurrencyPolicy`.
        /// Example: `forbid`.
        optional concurrency: At<Concurrency>,
        /// Pods at once.
        /// Default: `1` (batch/v1 defaults.go).
        /// Example: `100`.
        optional parallelism: At<Count>,
        /// Pods that have to complete.
        /// Default: as `parallelism`: no pod is made after one has completed.
        /// Example: `400`.
        optional completions: At<Count>,
        /// So many of its pods may be deleted (drained, evicted, lost with a node) before it fails: then the others are deleted
        /// and no more are made. Whoever ignores disruptions (`podFailurePolicy`) writes a large number.
        /// Default: `6` (batch/v1 defaults.go).
        /// Example: `100`.
        optional backoff_limit: At<Count>,
        /// Time from getting its address to the completion of a pod, at least about `1s`.
        /// Example: `{lognormal: {median: 8m, p99: 40m}}`.
        required duration: At<Distribution>,
    }
}

section! {
    /// Pods that come by themselves.
    "`arrivals`" struct Arrivals {
        /// Arrivals of pods, or of groups of pods, per hour on average (a Poisson process).
        /// Example: `600`.
        required per_hour: At<Schedule>,
        /// Pods that come together.
        /// Default: `1`: one by one.
        /// Example: `{geometric: {mean: 3}}`.
        optional group: At<Group>,
    }
}

choice! {
    /// A number of things that come together.
    "a group" enum Group {
        /// Always as many.
        Constant(At<Count>) = "`3` or `{geometric: {mean: 3}}`",
        /// A geometric number of at least 1.
        /// Example: `{geometric: {mean: 3}}`.
        geometric => Geometric(Geometric),
    }
}

section! {
    /// Geometric: at least one.
    "`geometric`" struct Geometric {
        /// The mean, at least 1.
        /// Example: `3`.
        required mean: At<Number>,
    }
}

section! {
    /// Recorded pods (`pods`), or a recorded number of pods (`counts` and `lifetime`).
    "`trace`" struct Trace {
        /// A CSV file with a row for every pod.
        /// Default: `pods` or `counts` is *required*.
        /// Example: `{file: pods.csv}`.
        optional pods: TracePods,
        /// A CSV file with the number of pods over time; pods are drawn to fit it.
        /// Default: `pods` or `counts` is *required*.
        /// Example: `{file: hourly.csv, column: running}`.
        optional counts: TraceCounts,
        /// Life of a pod that is drawn, if only their number is recorded.
        /// Default: *required* with `counts`.
        /// Example: `{exponential: {mean: 2d}}`.
        optional lifetime: At<Distribution>,
    }
}

section! {
    /// A CSV file with a row for every pod: `pod`, `arrive`, `depart`, and `cpu` and `memory` if there are any.
    "`pods`" struct TracePods {
        /// Its path, from the scenario's folder; gzip is read too.
        /// Example: `pods.csv.gz`.
        required file: At<String>,
    }
}

section! {
    /// A CSV file with the number of pods over time.
    "`counts`" struct TraceCounts {
        /// Its path, from the scenario's folder; gzip is read too.
        /// Example: `hourly.csv`.
        required file: At<String>,
        /// Name of the column with the times.
        /// Default: the first column.
        /// Example: `hour`.
        optional time: At<String>,
        /// What a time of 1 means, if the times are numbers.
        /// Default: as the name of the column says, see [schedules](#schedules).
        /// Example: `1h`.
        optional unit: At<Duration>,
        /// Time to add to each: `1h` if rows of an hour state the number at its end.
        /// Default: `0s`.
        /// Example: `1h`.
        optional offset: At<Duration>,
        /// Name of the column with the numbers.
        /// Default: the first that holds no times.
        /// Example: `running_at_end`.
        optional column: At<String>,
    }
}

section! {
    /// What a pod requests.
    "`requests`" struct Requests {
        /// CPU.
        /// Default: `0`, as in Kubernetes.
        /// Example: `500m`.
        optional cpu: At<Cpu>,
        /// Memory.
        /// Default: `0Gi`, as in Kubernetes.
        /// Example: `1Gi`.
        optional memory: At<Memory>,
    }
}

section! {
    /// Spread of the pods over zones (`topologySpreadConstraints`).
    "`zone_spread`" struct ZoneSpread {
        /// Most pods that a zone may have more than the one with fewest.
        /// Default: `1` (core/v1 `TopologySpreadConstraint`).
        /// Example: `2`.
        optional max_skew: At<Count>,
        /// What holds if that cannot be.
        /// Default: `do_not_schedule` (core/v1 `TopologySpreadConstraint`).
        /// Example: `schedule_anyway`.
        optional when_unsatisfiable: At<WhenUnsatisfiable>,
    }
}

/// A wanted number of pods.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum Replicas {
    Scheduled(Schedule),
    Autoscaled(Box<Hpa>),
}

section! {
    /// The HorizontalPodAutoscaler decides.
    "a number of pods" struct HpaReplicas {
        /// How the HorizontalPodAutoscaler decides.
        /// Example: `{min: 10, max: 400, load: {base: 120}}`.
        required hpa: Hpa,
    }
}

impl Read for Replicas {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Map(map) if map.iter().any(|(key, _)| key.name == "hpa") => {
                HpaReplicas::read(node, problems)?.hpa.map(|hpa| Self::Autoscaled(Box::new(hpa)))
            }
            _ => Schedule::read(node, problems).map(Self::Scheduled),
        }
    }
}

either_schema!(Replicas, g => [g.subschema_for::<Schedule>(), g.subschema_for::<HpaReplicas>()]);

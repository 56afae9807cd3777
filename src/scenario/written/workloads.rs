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
        required name: At<String>,
        /// Interchangeable pods.
        optional deployment: Deployment,
        /// Pods with an identity, whose addresses Terway retains for some minutes after their end.
        optional stateful_set: StatefulSet,
        /// One pod on every node.
        optional daemon_set: DaemonSet,
        /// Pods that run to completion.
        optional job: Job,
        /// A Job that is created again and again.
        optional cron_job: CronJob,
        /// Pods that come by themselves, each for its `lifetime`.
        optional arrivals: Arrivals,
        /// Recorded pods, or a recorded number of pods.
        optional trace: Trace,
        /// What a pod requests; the scheduler places it on a node that has as much left.
        optional requests: Requests,
        /// Whether its pods ask for RDMA (`aliyun/erdma`): they get addresses of RDMA interfaces only.
        optional erdma: At<bool>,
        /// The PodNetworking that its pods match: each gets an interface of its own on the trunk of its node.
        optional pod_networking: At<String>,
        /// Spread of the pods over zones.
        optional zone_spread: ZoneSpread,
        /// Whether pods of the workload keep away from each other's nodes.
        optional anti_affinity: At<Strictness>,
        /// Time from getting its address until a pod is ready; controllers wait for it.
        optional readiness: At<Distribution>,
        /// Life of a pod from getting its address to its end, after which its controller makes a new one.
        optional lifetime: At<Distribution>,
        /// Time from the deletion of a pod until its containers have ended; it holds its address meanwhile.
        optional termination: At<Distribution>,
        /// Node pools that its pods may run on.
        optional node_pools: Vec<At<String>>,
    }
}

section! {
    /// Interchangeable pods.
    "`deployment`" struct Deployment {
        /// Wanted number of pods: a schedule, or `{hpa: …}`.
        required replicas: At<Replicas>,
        /// New versions.
        optional rollout: Rollout,
        /// Whether the pods use the node's address and so take none of a vSwitch.
        optional host_network: At<bool>,
    }
}

section! {
    /// Pods with an identity.
    "`stateful_set`" struct StatefulSet {
        /// Wanted number of pods.
        required replicas: At<Schedule>,
        /// Whether pods start and end all at once (`podManagementPolicy: Parallel`), not one after the other.
        optional parallel: At<bool>,
        /// New versions; they go from the last pod to the first, one at a time.
        optional update: Update,
        /// Whether the pods use the node's address and so take none of a vSwitch.
        optional host_network: At<bool>,
    }
}

section! {
    /// One pod on every node.
    "`daemon_set`" struct DaemonSet {
        /// New versions.
        optional rollout: Rollout,
        /// Whether the pods use the node's address and so take none of a vSwitch.
        optional host_network: At<bool>,
    }
}

section! {
    /// New versions of every pod, a few pods at a time.
    "`rollout`" struct Rollout {
        /// When a version comes: a time, or a list of times.
        optional at: Moments,
        /// When the first version comes.
        optional first: At<Duration>,
        /// The time from one version to the next.
        optional every: At<Duration>,
        /// Pods on top of the wanted number: a number or a percentage, rounded up.
        optional max_surge: At<Portion>,
        /// Pods that may be missing: a number or a percentage, rounded down.
        optional max_unavailable: At<Portion>,
    }
}

section! {
    /// New versions, one pod at a time.
    "`update`" struct Update {
        /// When a version comes: a time, or a list of times.
        optional at: Moments,
        /// When the first version comes.
        optional first: At<Duration>,
        /// The time from one version to the next.
        optional every: At<Duration>,
    }
}

section! {
    /// The HorizontalPodAutoscaler decides how many pods there are.
    "`hpa`" struct Hpa {
        /// Fewest pods.
        optional min: At<Count>,
        /// Most pods.
        required max: At<Count>,
        /// CPU utilisation that it aims at.
        optional target: At<Percent>,
        /// The load that it follows.
        required load: Load,
        /// Time between two looks.
        optional sync_period: At<Duration>,
        /// No change while the utilisation differs by less than this from the target.
        optional tolerance: At<Percent>,
        /// It scales down to the highest recommendation of this time.
        optional stabilization_down: At<Duration>,
    }
}

section! {
    /// A load, in pods that would be fully busy.
    "`load`" struct Load {
        /// Mean over a week.
        required base: At<Schedule>,
        /// Height of the daily wave: with `40 %`, the load lies between 60 and 140 % of the base.
        optional daily: At<Percent>,
        /// Time of day of the peak.
        optional peak: At<Duration>,
        /// Load on Saturdays and Sundays, compared with other days.
        optional weekend: At<Percent>,
        /// Standard deviation of the noise, which changes every 5 minutes.
        optional noise: At<Percent>,
    }
}

section! {
    /// Pods that run to completion.
    "`job`" struct Job {
        /// When it is created: a time, or a list of times.
        optional at: Moments,
        /// When it is created for the first time.
        optional first: At<Duration>,
        /// The time from one creation to the next.
        optional every: At<Duration>,
        /// Pods at once.
        optional parallelism: At<Count>,
        /// Pods that have to complete.
        optional completions: At<Count>,
        /// Time from getting its address to the completion of a pod.
        required duration: At<Distribution>,
    }
}

section! {
    /// A Job that is created again and again.
    "`cron_job`" struct CronJob {
        /// Minute, hour, day, month and weekday, such as `0 2 * * *`.
        required schedule: At<String>,
        /// What happens if the Job before is not over.
        optional concurrency: At<Concurrency>,
        /// Pods at once.
        optional parallelism: At<Count>,
        /// Pods that have to complete.
        optional completions: At<Count>,
        /// Time from getting its address to the completion of a pod.
        required duration: At<Distribution>,
    }
}

section! {
    /// Pods that come by themselves.
    "`arrivals`" struct Arrivals {
        /// Arrivals of pods, or of groups of pods, per hour on average (a Poisson process).
        required per_hour: At<Schedule>,
        /// Pods that come together.
        optional group: At<Group>,
    }
}

choice! {
    /// A number of things that come together.
    "a group" enum Group {
        /// Always as many.
        Constant(At<Count>) = "`3` or `{geometric: {mean: 3}}`",
        /// Geometric: at least one.
        geometric => Geometric(Geometric),
    }
}

section! {
    /// Geometric: at least one.
    "`geometric`" struct Geometric {
        /// The mean, at least 1.
        required mean: At<Number>,
    }
}

section! {
    /// Recorded pods (`pods`), or a recorded number of pods (`counts` and `lifetime`).
    "`trace`" struct Trace {
        /// A CSV file with a row for every pod.
        optional pods: TracePods,
        /// A CSV file with the number of pods over time.
        optional counts: TraceCounts,
        /// Life of a pod, if only their number is recorded.
        optional lifetime: At<Distribution>,
    }
}

section! {
    /// A CSV file with a row for every pod: `pod`, `arrive`, `depart`, and `cpu` and `memory` if there are any.
    "`pods`" struct TracePods {
        /// Its path, from the scenario's folder; gzip is read too.
        required file: At<String>,
    }
}

section! {
    /// A CSV file with the number of pods over time.
    "`counts`" struct TraceCounts {
        /// Its path, from the scenario's folder; gzip is read too.
        required file: At<String>,
        /// Name of the column with the times.
        optional time: At<String>,
        /// What a time of 1 means, such as `1h`, if the times are numbers.
        optional unit: At<Duration>,
        /// Time to add to each: `1h` if rows of an hour state the number at its end.
        optional offset: At<Duration>,
        /// Name of the column with the numbers.
        optional column: At<String>,
    }
}

section! {
    /// What a pod requests.
    "`requests`" struct Requests {
        /// CPU, such as `500m`.
        optional cpu: At<Cpu>,
        /// Memory, such as `1Gi`.
        optional memory: At<Memory>,
    }
}

section! {
    /// Spread of the pods over zones (`topologySpreadConstraints`).
    "`zone_spread`" struct ZoneSpread {
        /// Most pods that a zone may have more than the one with fewest.
        optional max_skew: At<Count>,
        /// What holds if that cannot be: `do_not_schedule`, or `schedule_anyway`.
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
        /// How it decides.
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

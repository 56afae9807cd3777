//! Scores: pure functions of the numbers of a node.

use crate::cluster::scheduler::GroupSpec;
use crate::cluster::scheduler::books::{Load, Node};
use crate::model::{Resources, Scoring};

/// Highest score of a plugin (`MaxNodeScore`).
pub(super) const STEPS: u32 = 100;
/// Scores are counted in hundredths, for steps of single pods where CPU and memory are unknown.
pub(super) const UNIT: u32 = 100;

/// CPU that counts for a pod without a request (`DefaultMilliCPURequest` in
/// `pkg/scheduler/util/pod_resources.go`).
const CPU_MILLI: u32 = 100;
/// Memory that counts for a pod without a request (`DefaultMemoryRequest`, 200 MiB).
const MEMORY_MIB: u32 = 200;

impl GroupSpec {
    /// Whether nothing is known about CPU and memory.
    pub(super) fn unbounded(&self) -> bool {
        self.allocatable == Resources::UNBOUNDED
    }
}

/// What a pod counts for in scores.
pub(super) fn weighed(requests: Resources) -> Load {
    let or = |request: u32, default: u32| u64::from(if request == 0 { default } else { request });
    Load { cpu: or(requests.cpu_milli, CPU_MILLI), memory: or(requests.memory_mib, MEMORY_MIB) }
}

/// The bucket of a node as it stands; the best is 0.
pub(super) fn bucket(spec: &GroupSpec, node: &Node, scoring: Scoring) -> u32 {
    if !spec.unbounded() {
        return STEPS - allocated(spec, node.weighed, scoring);
    }
    let pods = node.addresses.min(spec.max_pods);
    match scoring {
        Scoring::LeastAllocated => pods,
        Scoring::MostAllocated => spec.max_pods - pods,
    }
}

/// The score of `NodeResourcesFit` for a node with another pod, in hundredths.
pub(super) fn fit(spec: &GroupSpec, node: &Node, pod: Load, takes_address: bool, scoring: Scoring) -> u32 {
    if spec.unbounded() {
        return of_places(spec, node.addresses + u32::from(takes_address), scoring);
    }
    UNIT * allocated(spec, node.weighed.plus(pod), scoring)
}

/// No node of `bucket` has a higher score for another pod than this, in hundredths.
pub(super) fn bound(spec: &GroupSpec, bucket: u32, pod: Load, takes_address: bool, scoring: Scoring) -> u32 {
    if spec.unbounded() {
        let pods = match scoring {
            Scoring::LeastAllocated => bucket,
            Scoring::MostAllocated => spec.max_pods - bucket,
        };
        return of_places(spec, pods + u32::from(takes_address), scoring);
    }
    // The sum of both scores before the pod, as far as it was not rounded off.
    let sum = (2 * (STEPS - bucket) + 1).min(2 * STEPS);
    let sum = match scoring {
        Scoring::LeastAllocated => sum - least_loss(spec, sum, pod),
        Scoring::MostAllocated => {
            let gain = |part: u64, whole: u32| (part * u64::from(STEPS)).div_ceil(u64::from(whole).max(1));
            let gain = gain(pod.cpu, spec.allocatable.cpu_milli) + gain(pod.memory, spec.allocatable.memory_mib);
            (u64::from(sum) + gain).min(u64::from(2 * STEPS)) as u32
        }
    };
    UNIT * (sum / 2)
}

/// The least that a pod takes from a `sum` of the scores for free CPU and free memory, however
/// that is split between the two: at one of the ends, since neither falls below zero.
fn least_loss(spec: &GroupSpec, sum: u32, pod: Load) -> u32 {
    let loss = |part: u64, whole: u32| {
        let loss = part * u64::from(STEPS) / u64::from(whole).max(1);
        loss.min(u64::from(STEPS)) as u32
    };
    let (cpu, memory) = (loss(pod.cpu, spec.allocatable.cpu_milli), loss(pod.memory, spec.allocatable.memory_mib));
    let (low, high) = (sum.saturating_sub(STEPS), sum.min(STEPS));
    (cpu.min(low) + memory.min(high)).min(cpu.min(high) + memory.min(low))
}

/// The share of places that are free, or taken.
fn of_places(spec: &GroupSpec, pods: u32, scoring: Scoring) -> u32 {
    UNIT * STEPS
        - match scoring {
            Scoring::LeastAllocated => share(u64::from(pods), spec.max_pods, UNIT * STEPS),
            Scoring::MostAllocated => share(u64::from(spec.max_pods.saturating_sub(pods)), spec.max_pods, UNIT * STEPS),
        }
}

/// The mean of the scores for CPU and memory, rounded down (`leastResourceScorer`,
/// `mostResourceScorer`; weight 1 each).
fn allocated(spec: &GroupSpec, weighed: Load, scoring: Scoring) -> u32 {
    let one = |part: u64, whole: u32| match scoring {
        Scoring::LeastAllocated => share(u64::from(whole).saturating_sub(part), whole, STEPS),
        Scoring::MostAllocated => share(part, whole, STEPS),
    };
    (one(weighed.cpu, spec.allocatable.cpu_milli) + one(weighed.memory, spec.allocatable.memory_mib)) / 2
}

/// `part` of `whole` in `steps`, rounded down; all of it if it is more; nothing of nothing.
fn share(part: u64, whole: u32, steps: u32) -> u32 {
    if whole == 0 {
        return 0;
    }
    (part.min(u64::from(whole)) * u64::from(steps) / u64::from(whole)) as u32
}

//! How many pods a model reaches, roughly.

use crate::model::{CountDist, Deed, Model, Replicas, Resources, Trace, Workload, WorkloadKind};
use crate::scenario::loader::Loader;
use crate::scenario::resolve::MOST;
use crate::scenario::schedule::{most_nodes, peak};
use crate::scenario::show;
use crate::scenario::trace::most_at_once;
use crate::scenario::written;
use crate::units::thousands;

/// Reports a model with more pods than the world's books hold.
pub(in crate::scenario::resolve) fn check(loader: &mut Loader, model: &Model, written: &[written::Workload]) {
    let most = |(i, workload)| most_pods(model, workload).max(most_scaled(model, i));
    let pods: Vec<f64> = model.workloads.iter().enumerate().map(most).collect();
    let total: f64 = pods.iter().sum();
    let largest = written.iter().zip(&pods).max_by(|(_, a), (_, b)| a.total_cmp(b));
    if total > MOST as f64
        && let Some((workload, _)) = largest
    {
        let title = format!("more than {} pods are not simulated", thousands(MOST));
        let problem = loader.problems.error(workload.place, title);
        problem.label(format!("all workloads together reach {} pods", show::large(total)));
    }
}

/// Most pods that a workload has at once; where chance decides, how many it is likely to have.
fn most_pods(model: &Model, workload: &Workload) -> f64 {
    match &workload.kind {
        WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), .. }
        | WorkloadKind::StatefulSet { replicas, .. } => peak(replicas, model.horizon),
        WorkloadKind::Deployment { replicas: Replicas::Autoscaled(hpa), .. } => f64::from(hpa.max),
        WorkloadKind::DaemonSet { .. } => {
            let nodes = |&pool: &usize| most_nodes(model, &model.node_pools[pool]) as f64;
            workload.node_pools.iter().map(nodes).sum()
        }
        WorkloadKind::Job { job, .. } => f64::from(job.parallelism.min(job.completions)),
        WorkloadKind::Arrivals { per_hour, group } => {
            let horizon = model.horizon.as_secs_f64();
            let life = workload.pod.lifetime.as_ref().map_or(horizon, |life| life.mean_s().min(horizon));
            let group = match group {
                CountDist::Constant(count) => f64::from(*count),
                CountDist::Geometric { mean } => *mean,
            };
            peak(per_hour, model.horizon) / 3600.0 * group * life
        }
        WorkloadKind::Trace(Trace::Pods(pods)) => most_at_once(pods) as f64,
        WorkloadKind::Trace(Trace::Counts { points, .. }) => {
            points.iter().map(|&(_, count)| f64::from(count)).fold(0.0, f64::max)
        }
    }
}

/// Most pods that an action scales a workload to.
fn most_scaled(model: &Model, workload: usize) -> f64 {
    let scaled = model.actions.iter().filter_map(|action| match action.deed {
        Deed::ScaleWorkload { workload: other, replicas } if other == workload => Some(replicas),
        _ => None,
    });
    f64::from(scaled.max().unwrap_or_default())
}

/// The most that any pod of a workload requests of each resource.
pub(in crate::scenario::resolve) fn most_requested(workload: &Workload) -> Resources {
    let WorkloadKind::Trace(Trace::Pods(pods)) = &workload.kind else { return workload.pod.requests };
    pods.iter().fold(Resources::default(), |most, pod| Resources {
        cpu_milli: most.cpu_milli.max(pod.requests.cpu_milli),
        memory_mib: most.memory_mib.max(pod.requests.memory_mib),
    })
}

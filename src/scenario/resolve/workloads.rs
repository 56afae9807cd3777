//! Workloads: one kind each, on pools that exist.

use super::{MOST, about, report_duplicates, report_unknown};
use crate::model::{Model, PodTemplate, Replicas, Workload, WorkloadKind};
use crate::scenario::defaults;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::schedule::{distribution, most_nodes, peak, schedule};
use crate::scenario::show;
use crate::scenario::written::{self, NodePool};
use crate::time::Span;
use crate::units::thousands;

/// Shortest typical life of a pod; shorter ones would churn without end in no time.
const SHORTEST_LIFE: Span = Span::secs(1);

/// The workloads; `None` = something is wrong with them, which is reported.
pub(super) fn resolve(
    loader: &mut Loader,
    written: &[written::Workload],
    pools: &[NodePool],
    horizon: Option<Span>,
) -> Option<Vec<Workload>> {
    report_duplicates(loader, "workloads", written.iter().map(|w| w.name.as_ref()));
    let all: Vec<_> = written.iter().enumerate().map(|(i, w)| workload(loader, i, w, pools, horizon)).collect();
    all.into_iter().collect()
}

/// Reports a model with more pods than the world's books hold.
pub(super) fn check_total(loader: &mut Loader, model: &Model, pools: &[NodePool]) {
    let nodes =
        |w: &Workload| w.node_pools.iter().map(|&p| most_nodes(&model.node_pools[p], model.horizon) as f64).sum();
    let pods = model.workloads.iter().map(|w| match &w.kind {
        WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), .. }
        | WorkloadKind::StatefulSet { replicas, .. } => peak(replicas, model.horizon),
        WorkloadKind::Deployment { replicas: Replicas::Autoscaled(hpa), .. } => f64::from(hpa.max),
        WorkloadKind::DaemonSet { .. } => nodes(w),
        _ => 0.0,
    });
    let total: f64 = pods.sum();
    if total > MOST as f64
        && let Some(pool) = pools.first()
    {
        let title = format!("more than {} pods are not simulated", thousands(MOST));
        loader
            .problems
            .error(pool.place, title)
            .label(format!("all workloads together reach {} pods", show::large(total)));
    }
}

fn workload(
    loader: &mut Loader,
    index: usize,
    written: &written::Workload,
    pools: &[NodePool],
    horizon: Option<Span>,
) -> Option<Workload> {
    let path = |key: &str| format!("workloads[{index}].{key}");
    if let Some(name) = &written.name {
        loader.written(path("name"), name.value.clone(), name.place);
    }
    let kind = kind(loader, written, &path, horizon);
    let lifetime = match &written.lifetime {
        None => {
            loader.default(path("lifetime"), "lives on", "a pod ends with its workload or its node");
            Some(None)
        }
        Some(at) => distribution(loader, at, SHORTEST_LIFE).map(|life| {
            loader.written(path("lifetime"), show::distribution(&life), at.place);
            Some(life)
        }),
    };
    let node_pools = node_pools(loader, &path("node_pools"), written, pools);
    let (kind, host_network) = kind?;
    let name = written.name.as_ref()?.value.clone();
    let pod = PodTemplate { host_network, lifetime: lifetime?, ..PodTemplate::default() };
    Some(Workload { name, kind, pod, node_pools: node_pools? })
}

/// What controls the pods, and whether they use the node's address.
fn kind(
    loader: &mut Loader,
    written: &written::Workload,
    path: &dyn Fn(&str) -> String,
    horizon: Option<Span>,
) -> Option<(WorkloadKind, bool)> {
    match (&written.deployment, &written.stateful_set, &written.daemon_set) {
        (Some(set), None, None) => {
            let (replicas, host_network) = replicas(loader, &path("deployment"), set, horizon)?;
            Some((WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), rollout: None }, host_network))
        }
        (None, Some(set), None) => {
            let (replicas, host_network) = replicas(loader, &path("stateful_set"), set, horizon)?;
            Some((WorkloadKind::StatefulSet { replicas, parallel: false, updates: None }, host_network))
        }
        (None, None, Some(set)) => {
            let network = host_network(loader, &path("daemon_set"), set.host_network.as_ref());
            Some((WorkloadKind::DaemonSet { rollout: None }, network))
        }
        (None, None, None) if !written.sound => None,
        (None, None, None) => {
            let problem = loader.problems.error(written.place, "a workload needs a kind");
            problem.help("add `deployment`, `stateful_set` or `daemon_set`");
            None
        }
        _ => {
            let problem = loader.problems.error(written.place, "a workload has one kind only");
            problem.help("keep one of `deployment`, `stateful_set` and `daemon_set`");
            None
        }
    }
}

fn replicas(
    loader: &mut Loader,
    path: &str,
    written: &written::Replicas,
    horizon: Option<Span>,
) -> Option<(crate::model::Schedule, bool)> {
    let at = written.replicas.as_ref()?;
    let replicas = schedule(loader, at, about(horizon, "pods"));
    if let Some(replicas) = &replicas {
        loader.written(format!("{path}.replicas"), show::schedule(replicas, "pods"), at.place);
    }
    let host_network = host_network(loader, path, written.host_network.as_ref());
    Some((replicas?, host_network))
}

fn host_network(loader: &mut Loader, path: &str, written: Option<&At<bool>>) -> bool {
    let written = written.map(|at| (at.value, at.place));
    loader.or_default(&format!("{path}.host_network"), written, defaults::HOST_NETWORK, bool::to_string)
}

/// Positions of the pools that the pods may run on.
fn node_pools(loader: &mut Loader, path: &str, written: &written::Workload, pools: &[NodePool]) -> Option<Vec<usize>> {
    let Some(wanted) = &written.node_pools else {
        loader.default(path, "all", "no pod is bound to a pool");
        return Some((0..pools.len()).collect());
    };
    if wanted.is_empty() {
        let problem = loader.problems.error(written.place, "this workload may run on no node pool");
        problem.help("name a pool in `node_pools`, or remove the key to allow all");
        return None;
    }
    report_duplicates(loader, "entries", wanted.iter().map(Some));
    let known: Vec<_> = pools.iter().filter_map(|p| p.name.as_ref()).map(|at| at.value.as_str()).collect();
    let mut positions = Some(Vec::new());
    for name in wanted {
        let position = pools.iter().position(|p| p.name.as_ref().is_some_and(|at| at.value == name.value));
        match position {
            Some(position) => positions.iter_mut().for_each(|all| all.push(position)),
            None => {
                report_unknown(loader, "node pool", &name.value, name.place, &known);
                positions = None;
            }
        }
    }
    let names: Vec<_> = wanted.iter().map(|at| at.value.as_str()).collect();
    loader.written(path, names.join(", "), wanted[0].place);
    positions
}

//! Workloads: one kind each, on pools that exist.

mod kinds;
mod load;
mod pods;
mod total;

use jiff::civil::Date;

use super::{report_duplicates, report_unknown};
use crate::model::Workload;
use crate::scenario::loader::Loader;
use crate::scenario::written::{self, NodePool, PodNetworking};
use crate::time::Span;

pub(super) use total::{check as check_total, most_requested};

/// Shortest typical life of a pod; shorter ones would churn without end in no time.
const SHORTEST_LIFE: Span = Span::secs(1);

/// What workloads refer to.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub pools: &'a [NodePool],
    pub networkings: &'a [PodNetworking],
    /// The end of the simulated time, if it is known.
    pub horizon: Option<Span>,
    /// The date of its first day, if there is one.
    pub start: Option<Date>,
}

/// The workloads; `None` = something is wrong with them, which is reported.
pub(super) fn resolve(loader: &mut Loader, written: &[written::Workload], world: World<'_>) -> Option<Vec<Workload>> {
    report_duplicates(loader, "workloads", written.iter().map(|w| w.name.as_ref()));
    let all: Vec<_> = written.iter().enumerate().map(|(i, w)| workload(loader, i, w, world)).collect();
    all.into_iter().collect()
}

fn workload(loader: &mut Loader, index: usize, written: &written::Workload, world: World<'_>) -> Option<Workload> {
    let path = |key: &str| format!("workloads[{index}].{key}");
    if let Some(name) = &written.name {
        loader.written(path("name"), name.value.clone(), name.place);
    }
    let kind = kinds::the_one(loader, written);
    let requests = pods::requests(loader, &path, written.requests.as_ref());
    let pod = pods::template(loader, &path, written, kind, requests, world.networkings);
    let kind = kind.and_then(|kind| kinds::resolve(loader, &path, kind, requests, world));
    let node_pools = node_pools(loader, &path("node_pools"), written, world.pools);
    let name = written.name.as_ref()?.value.clone();
    Some(Workload { name, kind: kind?, pod: pod?, node_pools: node_pools? })
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

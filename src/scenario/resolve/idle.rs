//! What is written and changes nothing.

use std::collections::BTreeSet;

use crate::model::{Model, Workload, WorkloadKind};
use crate::scenario::defaults;
use crate::scenario::loader::Loader;
use crate::scenario::written::{self, Replicas, Scenario};

/// Warns of keys without effect.
pub(super) fn warn(loader: &mut Loader, model: &Model, written: &Scenario) {
    for (workload, written) in model.workloads.iter().zip(written.workloads.iter().flatten()) {
        spread_in_one_zone(loader, model, workload, written);
        eviction_of_daemons(loader, workload, written);
        peak_of_a_flat_load(loader, written);
    }
}

/// Pods that can be in one zone only are not spread over zones.
fn spread_in_one_zone(loader: &mut Loader, model: &Model, workload: &Workload, written: &written::Workload) {
    let Some(spread) = &written.zone_spread else { return };
    let pools = workload.node_pools.iter().flat_map(|&pool| model.node_pools[pool].zones());
    let zones: BTreeSet<&str> = pools.map(|zone| zone.zone.as_str()).collect();
    if let [only] = zones.into_iter().collect::<Vec<_>>()[..] {
        let title = format!("all nodes for these pods are in zone `{only}`, so that `zone_spread` changes nothing");
        loader.problems.warning(spread.place, title).help("remove it, or add a node pool in another zone");
    }
}

/// The autoscaler leaves pods of DaemonSets aside.
fn eviction_of_daemons(loader: &mut Loader, workload: &Workload, written: &written::Workload) {
    if let (Some(safe), WorkloadKind::DaemonSet { .. }) = (&written.safe_to_evict, &workload.kind) {
        let title = "pods of a DaemonSet keep no node from being removed, so that `safe_to_evict` changes nothing";
        loader.problems.warning(safe.place, title).help("remove it");
    }
}

/// A load without a daily wave has no peak.
fn peak_of_a_flat_load(loader: &mut Loader, written: &written::Workload) {
    let replicas = written.deployment.as_ref().and_then(|set| set.replicas.as_ref());
    let Some(Replicas::Autoscaled(hpa)) = replicas.map(|at| &at.value) else { return };
    let Some(load) = &hpa.load else { return };
    let daily = load.daily.as_ref().map_or(defaults::LOAD_FLAT.value, |at| at.value.0);
    if let Some(peak) = load.peak.as_ref().filter(|_| daily == 0.0) {
        let title = "a load without `daily` is flat, so that `peak` changes nothing";
        loader.problems.warning(peak.place, title).help("write `daily: 40 %`, or remove it");
    }
}

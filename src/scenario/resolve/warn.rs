//! What is allowed and likely not meant.

use std::collections::BTreeSet;

use super::pools::addresses;
use crate::address::usable;
use crate::id::VSwitchId;
use crate::model::{Model, NodePool, Shape};
use crate::scenario::loader::Loader;
use crate::scenario::schedule::{nodes_in_zone, nodes_of_type};
use crate::scenario::written::{self, Scenario};
use crate::time::Instant;
use crate::units::thousands;

/// Warns of what surprises.
pub(super) fn warn(loader: &mut Loader, model: &Model, written: &Scenario) {
    let written_pools = written.node_pools.as_deref().unwrap_or_default();
    for (pool, written) in model.node_pools.iter().zip(written_pools) {
        pods_fit(loader, pool, written);
    }
    unused_vswitches(loader, model, written);
    idle_addresses_fit(loader, model, written_pools);
    somebody_asks(loader, model);
}

/// Without pods a run shows the nodes' own pools only.
fn somebody_asks(loader: &mut Loader, model: &Model) {
    if model.workloads.iter().all(|workload| workload.pod.host_network) {
        let problem = loader.problems.warning_without_place("no workload asks for addresses");
        problem.help("add one under `workloads`, unless the nodes' idle addresses are all that you want to see");
    }
}

/// More pods than addresses: those on top fail again and again.
fn pods_fit(loader: &mut Loader, pool: &NodePool, written: &written::NodePool) {
    let room = |shape: &Shape| shape.zones.iter().map(|zone| addresses(&zone.daemon)).min().unwrap_or_default();
    let Some(shape) = pool.shapes.iter().find(|shape| u64::from(shape.max_pods) > room(shape)) else { return };
    let room = room(shape);
    let place = written.max_pods.as_ref().map_or(written.place, |at| at.place);
    let title = format!("node pool `{}` takes more pods on a node than Terway has addresses for", pool.name);
    let problem = loader.problems.warning(place, title);
    problem.label(format!("{} pods, {room} addresses", shape.max_pods));
    problem.help(format!("pods on top fail with `no eni can handle the allocation`; set `max_pods: {room}`"));
}

fn unused_vswitches(loader: &mut Loader, model: &Model, written: &Scenario) {
    let zones = || model.groups().map(|(_, zone)| zone);
    let list = written.vpc.as_ref().and_then(|vpc| vpc.vswitches.as_deref()).unwrap_or_default();
    for (i, vswitch) in list.iter().enumerate() {
        let id = VSwitchId::new(i);
        let used = zones().any(|zone| zone.node_vswitch == id || zone.daemon.vswitches.contains(&id));
        if let Some(at) = vswitch.id.as_ref().filter(|_| !used) {
            let problem = loader.problems.warning(at.place, format!("nothing uses vSwitch `{}`", at.value));
            problem.help("list it in eni-config under the zone of the nodes, or as `node_vswitch`");
        }
    }
}

/// The lower watermark alone may be more than the vSwitches of a zone have, all pools together.
fn idle_addresses_fit(loader: &mut Loader, model: &Model, written: &[written::NodePool]) {
    let zones = || model.node_pools.iter().flat_map(|pool| pool.zones().iter().map(move |zone| (pool, zone)));
    let names: BTreeSet<&str> = zones().map(|(_, zone)| zone.zone.as_str()).collect();
    for name in names {
        let here = || zones().filter(|(_, zone)| zone.zone == name);
        let vswitches: BTreeSet<_> = here().flat_map(|(_, zone)| &zone.daemon.vswitches).collect();
        let vswitches = vswitches.into_iter().map(|id| &model.vpc.vswitches[id.index()]);
        let left = vswitches.map(|v| usable(v.cidr).saturating_sub(v.wanted_by_others(Instant::ZERO + model.horizon)));
        let left: u64 = left.map(u64::from).sum();
        let idle: u64 = here().map(|(pool, _)| idle_in_zone(model, pool, name)).sum();
        let Some(first) =
            written.iter().zip(&model.node_pools).find(|(_, pool)| pool.zones().iter().any(|z| z.zone == name))
        else {
            continue;
        };
        if idle <= left {
            continue;
        }
        let place = first.0.nodes.as_ref().map_or(first.0.place, |at| at.place);
        let title = format!("the lower watermark alone needs more addresses than there are in zone `{name}`");
        let problem = loader.problems.warning(place, title);
        let nodes: u64 = here().map(|(pool, _)| nodes_in_zone(model, pool)).sum();
        problem.label(format!(
            "at the peak {} nodes of the zone keep {} idle addresses; its vSwitches have {} for them",
            thousands(nodes),
            thousands(idle),
            thousands(left)
        ));
        problem.help("lower `min_pool_size`, or add a vSwitch to the zone");
    }
}

/// Addresses that the nodes of a pool keep idle in a zone at least, at the peak.
fn idle_in_zone(model: &Model, pool: &NodePool, zone: &str) -> u64 {
    let nodes = nodes_in_zone(model, pool);
    let of_shape = |shape: &Shape| {
        let idle = shape.zones.iter().find(|z| z.zone == zone).map_or(0, |zone| zone.daemon.min_idle);
        nodes_of_type(nodes, pool, shape) * u64::from(idle)
    };
    pool.shapes.iter().map(of_shape).sum()
}

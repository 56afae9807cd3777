//! What is allowed and likely not meant.

use super::pools::addresses;
use crate::address::usable;
use crate::id::VSwitchId;
use crate::ipam::limits::JOIN_THRESHOLD;
use crate::model::{Model, NodePool};
use crate::scenario::loader::Loader;
use crate::scenario::schedule::peak;
use crate::scenario::written::{self, Scenario};
use crate::units::thousands;

/// Warns of what surprises.
pub(super) fn warn(loader: &mut Loader, model: &Model, written: &Scenario) {
    let written_pools = written.node_pools.as_deref().unwrap_or_default();
    for (pool, written) in model.node_pools.iter().zip(written_pools) {
        node_joins(loader, pool, written);
        pods_fit(loader, pool, written);
    }
    unused_vswitches(loader, model, written);
    idle_addresses_fit(loader, model, written_pools);
}

/// ACK lets a node join only if it has room for enough pods.
fn node_joins(loader: &mut Loader, pool: &NodePool, written: &written::NodePool) {
    let Some(at) = written.instance_type.as_ref().filter(|_| !pool.limits.joins()) else { return };
    let pods = pool.limits.multi_ip_pods();
    let title = format!("ACK does not let nodes of type `{}` join a Terway cluster", pool.instance_type);
    let problem = loader.problems.warning(at.place, title);
    problem.label(format!("room for {pods} pods; ACK asks for more than {JOIN_THRESHOLD}"));
}

/// More pods than addresses: those on top fail again and again.
fn pods_fit(loader: &mut Loader, pool: &NodePool, written: &written::NodePool) {
    let room = pool.zones.iter().map(|zone| addresses(&zone.daemon)).min().unwrap_or_default();
    if u64::from(pool.max_pods) <= room {
        return;
    }
    let place = written.max_pods.as_ref().map_or(written.place, |at| at.place);
    let title = format!("node pool `{}` takes more pods on a node than Terway has addresses for", pool.name);
    let problem = loader.problems.warning(place, title);
    problem.label(format!("{} pods, {room} addresses", pool.max_pods));
    problem.help(format!("pods on top fail with `no eni can handle the allocation`; set `max_pods: {room}`"));
}

fn unused_vswitches(loader: &mut Loader, model: &Model, written: &Scenario) {
    let zones = || model.node_pools.iter().flat_map(|pool| &pool.zones);
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

/// The lower watermark alone may be more than the vSwitches have.
fn idle_addresses_fit(loader: &mut Loader, model: &Model, written: &[written::NodePool]) {
    for (pool, written) in model.node_pools.iter().zip(written) {
        let [zone] = &pool.zones[..] else { continue };
        let capacity = zone.daemon.vswitches.iter().map(|id| usable(model.vpc.vswitches[id.index()].cidr));
        let capacity: u64 = capacity.map(u64::from).sum();
        let nodes = peak(&pool.nodes, model.horizon).round() as u64;
        let idle = nodes * u64::from(zone.daemon.min_idle);
        if idle <= capacity {
            continue;
        }
        let place = written.nodes.as_ref().map_or(written.place, |at| at.place);
        let title = format!("the lower watermark alone needs more addresses than there are in zone `{}`", zone.zone);
        let (nodes, min) = (thousands(nodes), zone.daemon.min_idle);
        let problem = loader.problems.warning(place, title);
        problem.label(format!(
            "{nodes} nodes keep {min} idle addresses each: {} of {}",
            thousands(idle),
            thousands(capacity)
        ));
        problem.help("lower `min_pool_size`, or add a vSwitch to the zone");
    }
}

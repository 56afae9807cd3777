//! Node pools: zones, and what the daemon on their nodes runs with.

use std::collections::BTreeSet;

use super::types::{self, Table, Type};
use super::vpc::Names;
use super::{eni, nodes, report_duplicates, report_unknown};
use crate::id::VSwitchId;
use crate::ipam::Config;
use crate::ipam::eni_config::{Document, IpamType, MAX_CANDIDATES, Node, Resolved, VSwitch, resolve as resolve_daemon};
use crate::ipam::note::nearest;
use crate::ipam::pod_eni::NodeConfig;
use crate::model::{NodePool, PoolZone, Shape};
use crate::scenario::diagnostics::Place;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::written::{self, NodeVSwitch};
use crate::scenario::{Origin, Setting, show};
use crate::time::Span;

/// ACK lets nodes with exclusive interfaces join that have more interfaces than this
/// (docs/exclusive-eni-node-pool.md of terway).
const EXCLUSIVE_JOIN_THRESHOLD: u32 = 6;

/// What a pool refers to; `None` = it is wrong itself, which was reported.
pub(super) struct World<'a> {
    pub names: Option<&'a Names<'a>>,
    pub base: Option<&'a Document>,
    pub types: Option<&'a Table>,
    pub horizon: Option<Span>,
}

/// The pools; `None` = something is wrong with them, which is reported.
pub(super) fn resolve(loader: &mut Loader, written: &[written::NodePool], world: &World<'_>) -> Option<Vec<NodePool>> {
    report_duplicates(loader, "node pools", written.iter().map(|pool| pool.name.as_ref()));
    if written.is_empty() {
        loader.problems.error_without_place("a scenario needs at least one node pool");
        return None;
    }
    let all: Vec<_> = written.iter().enumerate().map(|(i, pool)| self::pool(loader, i, pool, world)).collect();
    all.into_iter().collect()
}

fn pool(loader: &mut Loader, index: usize, written: &written::NodePool, world: &World<'_>) -> Option<NodePool> {
    let own = format!("node_pools[{index}]");
    let path = |key: &str| format!("{own}.{key}");
    if let Some(name) = &written.name {
        loader.written(path("name"), name.value.clone(), name.place);
    }
    let types = types::resolve(loader, &own, written, world.types);
    let zones = zones(loader, &path, written, world.names);
    let size = written.nodes.as_ref().and_then(|at| nodes::size(loader, &path("nodes"), &at.value, world.horizon));
    let life = nodes::life(loader, &own, written);
    let document = document(loader, written, world.base);
    let name = written.name.as_ref()?.value.clone();
    let (types, zones, document, names) = (types?, zones?, document?, world.names?);
    report_unknown_candidates(loader, &document, names);
    let help = "let an action edit eni-config when it is there: `edit_eni_config`";
    report_missing_candidates(loader, &document, names, help, &|_| false);
    let exclusive = exclusive(written);
    if let Some(place) = exclusive.filter(|_| document.ipam() == IpamType::Classic) {
        let problem = loader.problems.error(place, "exclusive ENIs are not simulated with a Terway of before v1.7");
        problem
            .label("it kept a pool of them on each node (P73 to P76)")
            .help("remove it, or leave `terway.version` out");
        return None;
    }
    if let Some(at) = &written.exclusive_eni {
        loader.written(path("exclusive_eni"), at.value.to_string(), at.place);
    }
    let shapes = shapes(loader, &types, &zones, &document, names, exclusive)?;
    let life = life?;
    Some(NodePool {
        name,
        shapes,
        size: size?,
        provisioning: life.provisioning,
        replacement: life.replacement,
        interruptions: life.interruptions,
        crashes: life.crashes,
    })
}

/// Every pod of a node with exclusive interfaces requests a place for one, and eni-config leaves fewer (C144).
fn lower_max_pods(loader: &mut Loader, path: &str, max_pods: u32) {
    let setting = loader.settings.iter_mut().find(|setting| setting.path == path).expect("it was resolved before");
    let rule = "one interface per pod, as many as eni-config allows (R42, C144, daemon/daemon.go:943-945)";
    let value = show::count(max_pods.into(), "pod", "pods");
    *setting = Setting { path: path.to_owned(), value, origin: Origin::Default { source: rule.into() } };
}

/// Where a pool is said to have exclusive interfaces; `None` = it has shared ones.
pub(super) fn exclusive(written: &written::NodePool) -> Option<Place> {
    written.exclusive_eni.as_ref().filter(|at| at.value).map(|at| at.place)
}

/// The eni-config of a pool's nodes: its own keys on top of those of all.
pub(super) fn document(loader: &mut Loader, written: &written::NodePool, base: Option<&Document>) -> Option<Document> {
    match &written.eni_config {
        Some(dynamic) => {
            let dynamic = eni::document(loader, dynamic);
            base.zip(dynamic).map(|(base, dynamic)| base.merge(&dynamic))
        }
        None => base.cloned(),
    }
}

/// The types with the daemons on their nodes.
fn shapes(
    loader: &mut Loader,
    types: &[Type],
    zones: &[(String, VSwitchId)],
    document: &Document,
    names: &Names<'_>,
    exclusive: Option<Place>,
) -> Option<Vec<Shape>> {
    let mut shapes = Some(Vec::new());
    let mut seen = Vec::new();
    for of in types {
        let daemons: Vec<_> = zones
            .iter()
            .map(|(zone, vswitch)| {
                let node = Node { instance_type: &of.name, limits: &of.limits, zone, vswitch: *vswitch };
                daemon(loader, document, &node, names, exclusive)
            })
            .collect();
        let Some(daemons) = daemons.into_iter().collect::<Option<Vec<_>>>() else {
            shapes = None;
            continue;
        };
        note_settings(loader, &format!("{}.eni_config", of.path), zones, &daemons, &mut seen);
        if let Some(place) = exclusive.filter(|_| of.limits.adapters <= EXCLUSIVE_JOIN_THRESHOLD) {
            let title = format!("ACK may not let nodes of type `{}` join an exclusive-ENI pool", of.name);
            let problem = loader.problems.warning(place, title);
            problem.label(format!(
                "{} interfaces; it asks for more than {EXCLUSIVE_JOIN_THRESHOLD} (docs/exclusive-eni-node-pool.md)",
                of.limits.adapters
            ));
            problem.help("take a larger type");
        }
        // More pods than interfaces are pods that do not ask for one of these.
        let asks = exclusive.is_some() && of.max_pods <= of.limits.exclusive_eni_pods();
        let places = daemons.iter().map(|resolved| resolved.config.slots()).min().filter(|_| asks);
        let max_pods = of.max_pods.min(places.unwrap_or(u32::MAX));
        if max_pods < of.max_pods {
            lower_max_pods(loader, &format!("{}.max_pods", of.path), max_pods);
        }
        let zones = zones.iter().zip(daemons).map(|((zone, node_vswitch), resolved)| PoolZone {
            zone: zone.clone(),
            node_vswitch: *node_vswitch,
            daemon: resolved.config,
        });
        let shape = Shape {
            instance_type: of.name.clone(),
            limits: of.limits,
            allocatable: of.allocatable,
            max_pods,
            weight: of.weight,
            zones: zones.collect(),
        };
        shapes.iter_mut().for_each(|shapes| shapes.push(shape.clone()));
    }
    shapes
}

/// What the daemon on a node runs with.
pub(super) fn daemon(
    loader: &mut Loader,
    document: &Document,
    node: &Node<'_>,
    names: &Names<'_>,
    exclusive: Option<Place>,
) -> Option<Resolved> {
    let find = |id: &str| {
        let (id, zone) = names.find(id)?;
        Some(VSwitch { id, zone: zone.map_or("", |at| at.value.as_str()) })
    };
    let resolved = eni::checked(loader, resolve_daemon(document, node, &find))?;
    let is_listed = document.vswitches().any(|(zone, ..)| zone == node.zone);
    match (is_listed, exclusive) {
        (true, None) => with_copies(loader, document, resolved, names),
        (true, Some(_)) => {
            let polls = document.ipam() != IpamType::Centralized;
            Some(without_pool(with_copies(loader, document, resolved, names)?, names, polls))
        }
        (false, None) => Some(resolved),
        (false, Some(place)) => {
            let title = format!("eni-config lists no vSwitch for zone {}", node.zone);
            let problem = loader.problems.error(place, title);
            problem.label("pods with an interface of their own get none of the node's vSwitch (C147)");
            problem.help(format!("list vSwitches of {} under `vswitches` of eni-config", node.zone));
            None
        }
    }
}

/// The same for a node with exclusive interfaces, which reads no more of eni-config than what says how many it may have, and
/// the vSwitches, sorted by ID (rules C144, C147).
fn without_pool(resolved: Resolved, names: &Names<'_>, polls: bool) -> Resolved {
    let mut vswitches = resolved.config.vswitches().to_vec();
    vswitches.sort_by_key(|&id| names.id(id));
    let (slots, counts): (_, &[_]) = match &resolved.config {
        // Trunking is off there (`pkg/eni/node_reconcile.go:145-148`), RDMA is not (C11, C144).
        Config::Centralized(config) => (config.flavor.for_pods(), &["enable_erdma"]),
        // What its device plugin offers (R35, R42, `daemon/config.go:89-101`).
        Config::NodeLocal(config) => (config.max_eni, &["eni_cap_ratio", "eni_cap_shift", "max_eni"]),
        Config::Classic(_) | Config::Exclusive(_) => unreachable!("it is refused, or made here"),
    };
    let mut settings = resolved.settings;
    let calls = ["vswitches", "kube_client_qps", "kube_client_burst", "enable_patch_pod_ips"];
    settings.retain(|setting| calls.contains(&setting.key) || counts.contains(&setting.key));
    for setting in settings.iter_mut().filter(|setting| setting.key == "vswitches") {
        setting.value = vswitches.iter().map(|&id| names.id(id)).collect::<Vec<_>>().join(", ");
    }
    let kube_client = resolved.config.kube_client();
    Resolved { config: NodeConfig { slots, vswitches, polls, kube_client }.into(), settings }
}

/// The same with the copies of its candidates behind each, where eni-config does not list them.
fn with_copies(
    loader: &mut Loader,
    document: &Document,
    mut resolved: Resolved,
    names: &Names<'_>,
) -> Option<Resolved> {
    let listed = resolved.config.vswitches().to_vec();
    let is_new = |id, copy| copy == id || !listed.contains(&copy);
    let copies = |&id: &VSwitchId| names.with_copies(id).filter(move |&copy| is_new(id, copy));
    let all: Vec<_> = listed.iter().flat_map(copies).collect();
    if all.len() > MAX_CANDIDATES {
        let at = document.vswitches().map(|(_, _, at)| eni::place(at)).next()?;
        let title = format!("{} vSwitches of one zone are more than can be simulated", all.len());
        loader.problems.error(at, title).help(format!("at most {MAX_CANDIDATES} can be, copies included"));
        return None;
    }
    if all.len() > listed.len() {
        let setting = resolved.settings.iter_mut().find(|setting| setting.key == "vswitches");
        let setting = setting.expect("a daemon has candidates");
        setting.value = all.iter().map(|&id| names.id(id)).collect::<Vec<_>>().join(", ");
    }
    resolved.config = resolved.config.with_vswitches(all);
    Some(resolved)
}

/// Reports vSwitches of eni-config that the VPC does not have. A zone of which the scenario has no vSwitch
/// has no nodes either: whoever asks about one zone of a cluster need not describe the others.
pub(super) fn report_unknown_candidates(loader: &mut Loader, document: &Document, names: &Names<'_>) {
    let unknown = document.vswitches().filter(|(_, id, _)| names.find(id).is_none());
    let unknown: Vec<_> = unknown.map(|(zone, id, at)| (zone.to_owned(), id.to_owned(), eni::place(at))).collect();
    let mut left_out = BTreeSet::new();
    for (zone, id, place) in unknown {
        let near = nearest(&id, names.ids());
        let declare = format!("`- {{id: {id}, zone: {zone}, cidr: …}}`");
        if near.is_none() && !names.zones().contains(&zone.as_str()) {
            if left_out.insert(zone.clone()) {
                let problem = loader.problems.warning(place, format!("zone {zone} is left out"));
                problem.label("the scenario has no vSwitch there");
                problem.help(format!("if it has nodes, declare {declare} and so on under `vpc.vswitches`"));
            }
            continue;
        }
        // The words of `eni_config::resolve`, so that only one of the two is shown.
        let problem = loader.problems.error(place, format!("vSwitch `{id}` does not exist"));
        problem.label("not one of the VPC's vSwitches");
        match near {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("declare {declare} under `vpc.vswitches`, or remove it from eni-config")),
        };
    }
}

/// Reports vSwitches of eni-config that may not be there when it comes into force: those of an
/// action that is not sure to come before, as `comes_before` says of its position.
pub(super) fn report_missing_candidates(
    loader: &mut Loader,
    document: &Document,
    names: &Names<'_>,
    help: &str,
    comes_before: &dyn Fn(usize) -> bool,
) {
    let is_missing = |id: &str| {
        let added_by = names.find(id).and_then(|(id, _)| names.added_by(id));
        added_by.is_some_and(|action| !comes_before(action))
    };
    let missing = document.vswitches().filter(|(_, id, _)| is_missing(id));
    let missing: Vec<_> = missing.map(|(_, id, at)| (id.to_owned(), eni::place(at))).collect();
    for (id, place) in missing {
        let problem = loader.problems.error(place, format!("vSwitch `{id}` may not be there yet"));
        problem.label("an action adds it").help(help);
    }
}

/// Notes the daemon's settings: all of the first type in the first zone, and of the others what
/// differs.
fn note_settings(
    loader: &mut Loader,
    path: &str,
    zones: &[(String, VSwitchId)],
    daemons: &[Resolved],
    seen: &mut Vec<(&'static str, String)>,
) {
    for (i, (daemon, (zone, _))) in daemons.iter().zip(zones).enumerate() {
        for setting in &daemon.settings {
            let known = (setting.key, setting.value.clone());
            if seen.contains(&known) {
                continue;
            }
            seen.push(known);
            let origin = eni::origin(loader, setting.origin.clone());
            let path =
                if i == 0 { format!("{path}.{}", setting.key) } else { format!("{path}[{zone}].{}", setting.key) };
            loader.settings.push(Setting { path, value: setting.value.clone(), origin });
        }
    }
}

/// Zones of a pool with the vSwitch of the nodes' primary interfaces.
fn zones(
    loader: &mut Loader,
    path: &dyn Fn(&str) -> String,
    written: &written::NodePool,
    names: Option<&Names<'_>>,
) -> Option<Vec<(String, VSwitchId)>> {
    let (vswitch, names) = (written.node_vswitch.as_ref()?, names?);
    let wanted = match (&written.zones, vswitch) {
        (Some(zones), _) => zones.clone(),
        (None, NodeVSwitch::PerZone(entries)) => {
            entries.0.iter().map(|(key, _)| At { value: key.name.clone(), place: key.place }).collect()
        }
        (None, NodeVSwitch::One(at)) => {
            let (_, zone) = find(loader, at, names)?;
            vec![At { value: zone?.value.clone(), place: at.place }]
        }
    };
    if wanted.is_empty() {
        loader.problems.error(written.place, "a node pool needs at least one zone");
        return None;
    }
    report_duplicates(loader, "entries", wanted.iter().map(Some));
    let list = wanted.iter().map(|zone| zone.value.as_str()).collect::<Vec<_>>().join(", ");
    match written.zones {
        Some(_) => loader.written(path("zones"), list, wanted[0].place),
        None => loader.default(path("zones"), list, "the zones of `node_vswitch`"),
    }
    match vswitch {
        NodeVSwitch::One(at) => loader.written(path("node_vswitch"), at.value.clone(), at.place),
        NodeVSwitch::PerZone(entries) => {
            for (key, at) in &entries.0 {
                loader.written(path("node_vswitch"), format!("{} in {}", at.value, key.name), at.place);
                if wanted.iter().all(|zone| zone.value != key.name) {
                    let problem = loader.problems.error(key.place, format!("the pool has no zone `{}`", key.name));
                    problem.context(wanted[0].place, "its zones");
                }
            }
        }
    }
    let zones: Vec<_> = wanted.iter().map(|zone| self::zone(loader, zone, vswitch, names)).collect();
    zones.into_iter().collect()
}

/// A zone of a pool and its vSwitch.
fn zone(
    loader: &mut Loader,
    zone: &At<String>,
    written: &NodeVSwitch,
    names: &Names<'_>,
) -> Option<(String, VSwitchId)> {
    if !names.zones().contains(&zone.value.as_str()) {
        if names.zones().is_empty() {
            return None; // There is no vSwitch at all, which was reported.
        }
        report_unknown(loader, "vSwitch in zone", &zone.value, zone.place, &names.zones());
        return None;
    }
    let vswitch = match written {
        NodeVSwitch::One(at) => Some(at),
        NodeVSwitch::PerZone(entries) => entries.0.iter().find(|(key, _)| key.name == zone.value).map(|(_, at)| at),
    };
    let Some(at) = vswitch else {
        loader.problems.error(zone.place, format!("`node_vswitch` has no vSwitch for zone `{}`", zone.value));
        return None;
    };
    let (id, its_zone) = find(loader, at, names)?;
    if names.added_by(id).is_some() {
        let problem = loader.problems.error(at.place, format!("vSwitch `{}` is not there at the start", at.value));
        problem.label("an action adds it").help("nodes need one of `vpc.vswitches`");
        return None;
    }
    let its_zone = its_zone?;
    if its_zone.value != zone.value {
        let title = format!("vSwitch `{}` is not in zone `{}`", at.value, zone.value);
        let problem = loader.problems.error(at.place, title);
        problem.context(its_zone.place, "its zone").context(zone.place, "the pool's zone");
        problem.help("for several zones, write `node_vswitch: {ZONE: VSWITCH, …}`");
        return None;
    }
    Some((zone.value.clone(), id))
}

/// A vSwitch by name.
fn find<'n>(loader: &mut Loader, name: &At<String>, names: &Names<'n>) -> Option<(VSwitchId, Option<&'n At<String>>)> {
    let found = names.find(&name.value);
    if found.is_none() {
        report_unknown(loader, "vSwitch", &name.value, name.place, &names.ids());
    }
    found
}

/// Most addresses that a daemon can hold for pods that share interfaces.
pub(super) fn addresses(daemon: &Config) -> u64 {
    match daemon.prefixes() {
        Some(_) => daemon.capacity().into(),
        None => u64::from(daemon.slots()) * u64::from(daemon.ips_per_eni()),
    }
}

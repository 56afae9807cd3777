//! Node pools: instance limits, zones, and what the daemon on their nodes runs with.

use std::collections::BTreeMap;

use super::vpc::Names;
use super::{about, eni, report_duplicates, report_unknown};
use crate::chance::SpanDist;
use crate::id::VSwitchId;
use crate::ipam::eni_config::{Document, Node, Resolved, VSwitch, resolve as resolve_daemon};
use crate::ipam::limits::{InstanceLimits, UnknownType, builtin, from_api};
use crate::ipam::node_local::Config;
use crate::ipam::note::nearest;
use crate::model::{NodePool, PoolSize, PoolZone, Resources, Shape};
use crate::scenario::Setting;
use crate::scenario::loader::Loader;
use crate::scenario::quantity::Count;
use crate::scenario::read::At;
use crate::scenario::schedule::schedule;
use crate::scenario::show;
use crate::scenario::written::{self, NodeVSwitch};
use crate::time::Span;

/// Interfaces that an instance may have: the primary one and at least one for pods.
const ADAPTERS: std::ops::RangeInclusive<u64> = 2..=128;

/// IPv4 addresses that an interface may have (CreateNetworkInterface: the primary one and 49
/// more).
const ADDRESSES: std::ops::RangeInclusive<u64> = 1..=50;

/// Most pods on a node that a scenario may ask for.
const MOST_PODS: u64 = 10_000;

/// What a pool refers to; `None` = it is wrong itself, which was reported.
pub(super) struct World<'a> {
    pub names: Option<&'a Names<'a>>,
    pub base: Option<&'a Document>,
    pub types: Option<&'a InstanceTypes>,
    pub horizon: Option<Span>,
}

/// Instance types of a file.
pub(super) struct InstanceTypes {
    file: String,
    /// `None` = the file is wrong, which was reported.
    limits: Option<BTreeMap<String, InstanceLimits>>,
}

/// The types of the file that the scenario names.
pub(super) fn instance_types(loader: &mut Loader, written: &written::InstanceTypes) -> InstanceTypes {
    let mut types = InstanceTypes { file: String::new(), limits: None };
    if let Some(path) = &written.file
        && let Some(source) = loader.open(path)
    {
        loader.written("instance_types.file", path.value.clone(), path.place);
        types.file.clone_from(&path.value);
        types.limits = eni::checked(loader, from_api(&loader.problems.sources[source].text, source));
    }
    types
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
    let path = |key: &str| format!("node_pools[{index}].{key}");
    if let Some(name) = &written.name {
        loader.written(path("name"), name.value.clone(), name.place);
    }
    let limits = limits(loader, &path, written, world.types);
    let zones = zones(loader, &path, written, world.names);
    let nodes = written.nodes.as_ref().and_then(|at| {
        let nodes = schedule(loader, at, about(world.horizon, "nodes"))?;
        loader.written(path("nodes"), show::schedule(&nodes, "nodes"), at.place);
        Some(nodes)
    });
    let max_pods = max_pods(loader, &path("max_pods"), written.max_pods.as_ref(), limits.as_ref());
    let document = match &written.eni_config {
        Some(dynamic) => {
            let dynamic = eni::document(loader, dynamic);
            world.base.zip(dynamic).map(|(base, dynamic)| base.merge(&dynamic))
        }
        None => world.base.cloned(),
    };
    let name = written.name.as_ref()?.value.clone();
    let instance_type = written.instance_type.as_ref()?.value.clone();
    let (limits, zones, document, names) = (limits?, zones?, document?, world.names?);
    report_unknown_candidates(loader, &document, names);
    let daemons: Vec<_> = zones
        .iter()
        .map(|(zone, vswitch)| {
            let node = Node { instance_type: &instance_type, limits: &limits, zone, vswitch: *vswitch };
            daemon(loader, &document, &node, names)
        })
        .collect();
    let daemons = daemons.into_iter().collect::<Option<Vec<_>>>()?;
    note_settings(loader, &path("eni_config"), &zones, &daemons);
    let zones = zones.into_iter().zip(daemons).map(|((zone, node_vswitch), resolved)| PoolZone {
        zone,
        node_vswitch,
        daemon: resolved.config,
    });
    let shape = Shape {
        instance_type,
        limits,
        allocatable: Resources::UNBOUNDED,
        max_pods: max_pods?,
        weight: 1.0,
        zones: zones.collect(),
    };
    Some(NodePool {
        name,
        shapes: vec![shape],
        size: PoolSize::Scheduled(nodes?),
        provisioning: SpanDist::Constant(Span::ZERO),
        replacement: None,
        interruptions: None,
        crashes: None,
    })
}

/// What the daemon on a node runs with.
fn daemon(loader: &mut Loader, document: &Document, node: &Node<'_>, names: &Names<'_>) -> Option<Resolved> {
    let find = |id: &str| {
        let (id, zone) = names.find(id)?;
        Some(VSwitch { id, zone: zone.map_or("", |at| at.value.as_str()) })
    };
    eni::checked(loader, resolve_daemon(document, node, &find))
}

/// Reports vSwitches of eni-config that the VPC does not have, also in zones without nodes.
fn report_unknown_candidates(loader: &mut Loader, document: &Document, names: &Names<'_>) {
    let unknown = document.vswitches().filter(|(_, id, _)| names.find(id).is_none());
    let unknown: Vec<_> = unknown.map(|(_, id, at)| (id.to_owned(), eni::place(at))).collect();
    for (id, place) in unknown {
        // The words of `eni_config::resolve`, so that only one of the two is shown.
        let problem = loader.problems.error(place, format!("vSwitch `{id}` does not exist"));
        problem.label("not one of the VPC's vSwitches");
        match nearest(&id, names.ids()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("declare it under `vpc.vswitches`, or remove it from eni-config"),
        };
    }
}

/// Notes the daemon's settings: all of the first zone, and of the others what differs.
fn note_settings(loader: &mut Loader, path: &str, zones: &[(String, VSwitchId)], daemons: &[Resolved]) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (i, (daemon, (zone, _))) in daemons.iter().zip(zones).enumerate() {
        for setting in &daemon.settings {
            let known = (setting.key, setting.value.as_str());
            if i > 0 && seen.contains(&known) {
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

/// Limits of a pool's instance type: as the scenario says, else its file, else the table.
fn limits(
    loader: &mut Loader,
    path: &dyn Fn(&str) -> String,
    written: &written::NodePool,
    types: Option<&InstanceTypes>,
) -> Option<InstanceLimits> {
    let own = written.limits.as_ref();
    let adapters = own.and_then(|own| own.adapters.as_ref());
    let addresses = own.and_then(|own| own.ipv4_per_adapter.as_ref());
    let right = in_range(loader, "an instance has 2 to 128 interfaces", adapters, ADAPTERS)
        & in_range(loader, "an interface has 1 to 50 IPv4 addresses", addresses, ADDRESSES);
    let name = written.instance_type.as_ref()?;
    loader.written(path("instance_type"), name.value.clone(), name.place);
    let known = types.and_then(|types| types.limits.as_ref()).and_then(|limits| limits.get(&name.value));
    let (known, source) = match (known, adapters.zip(addresses)) {
        (Some(limits), _) => (*limits, types.map(|types| types.file.clone()).unwrap_or_default()),
        (None, Some(_)) => (InstanceLimits::default(), String::new()),
        (None, None) => match builtin(&name.value) {
            Ok((limits, source)) => (limits, source.to_owned()),
            Err(error) => {
                // A file of types that is wrong might hold this one.
                if types.is_none_or(|types| types.limits.is_some()) {
                    report_unknown_type(loader, name, error);
                }
                return None;
            }
        },
    };
    let mut figure = |key: &str, own: Option<&At<Count>>, known: Option<u32>| {
        let (value, origin) = match own {
            Some(at) => (Some(u32::try_from(at.value.0).unwrap_or(u32::MAX)), loader.origin(at.place)),
            None => (known, crate::scenario::Origin::Default { source: source.clone() }),
        };
        let shown = value.map_or_else(|| "not known".to_owned(), |value| value.to_string());
        loader.settings.push(Setting { path: path(&format!("limits.{key}")), value: shown, origin });
        value
    };
    let of = |pick: fn(&written::Limits) -> Option<&At<Count>>| own.and_then(pick);
    let limits = InstanceLimits {
        adapters: figure("adapters", adapters, Some(known.adapters)).unwrap_or_default(),
        ipv4_per_adapter: figure("ipv4_per_adapter", addresses, Some(known.ipv4_per_adapter)).unwrap_or_default(),
        ipv6_per_adapter: figure("ipv6_per_adapter", of(|l| l.ipv6_per_adapter.as_ref()), known.ipv6_per_adapter),
        total_adapters: figure("total_adapters", of(|l| l.total_adapters.as_ref()), known.total_adapters),
        erdma_adapters: figure("erdma_adapters", of(|l| l.erdma_adapters.as_ref()), known.erdma_adapters),
        ..known
    };
    if right && limits.multi_ip_pods() == 0 {
        let problem =
            loader.problems.error(name.place, format!("nodes of type `{}` have no address for pods", name.value));
        problem.help("pods get theirs from secondary interfaces: an instance needs at least one");
        return None;
    }
    right.then_some(limits)
}

/// Whether a number is in a range, or not written at all; reports if not.
fn in_range(
    loader: &mut Loader,
    title: &str,
    written: Option<&At<Count>>,
    range: std::ops::RangeInclusive<u64>,
) -> bool {
    match written {
        Some(at) if !range.contains(&at.value.0) => {
            loader.problems.error(at.place, title);
            false
        }
        _ => true,
    }
}

fn report_unknown_type(loader: &mut Loader, name: &At<String>, error: UnknownType) {
    let problem = loader.problems.error(name.place, error.to_string());
    match &error {
        // The message names the nearest.
        UnknownType::Absent { .. } => {}
        UnknownType::Incomplete { document, .. } => {
            problem.help(format!("the source, {document}, does not say"));
        }
    }
    problem.help("if it is right, give `limits: {adapters: …, ipv4_per_adapter: …}`, or `instance_types: {file: …}`");
}

fn max_pods(
    loader: &mut Loader,
    path: &str,
    written: Option<&At<Count>>,
    limits: Option<&InstanceLimits>,
) -> Option<u32> {
    if let Some(at) = written {
        if !in_range(loader, "a node takes 1 to 10,000 pods", written, 1..=MOST_PODS) {
            return None;
        }
        loader.written(path, format!("{} pods", at.value.0), at.place);
        return u32::try_from(at.value.0).ok();
    }
    let most = limits?.multi_ip_pods();
    let rule = "ACK's rule: (adapters − 1) × addresses per adapter (help.aliyun.com, work-with-terway)";
    loader.default(path, show::count(most.into(), "pod", "pods"), rule);
    Some(most)
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

/// Most addresses that a daemon can hold.
pub(super) fn addresses(daemon: &Config) -> u64 {
    u64::from(daemon.max_eni) * u64::from(daemon.ips_per_eni)
}

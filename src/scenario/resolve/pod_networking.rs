//! PodNetworkings, the workloads that use them, and nodes on which such pods can be.

use super::vpc::Names;
use super::{report_duplicates, report_unknown};
use crate::id::VSwitchId;
use crate::ipam::Config;
use crate::ipam::eni_config::{Document, MAX_CANDIDATES};
use crate::ipam::pod_eni::{Kind, Retention};
use crate::model::{Ipam, Model, PodNetworking, Shape, Workload, WorkloadKind};
use crate::scenario::defaults;
use crate::scenario::diagnostics::Place;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::words::{AllocationKind, EniType, ReleaseStrategy, Word};
use crate::scenario::written;

/// The PodNetworkings; `None` = something is wrong with them, which is reported.
pub(super) fn resolve(
    loader: &mut Loader,
    written: &[written::PodNetworking],
    names: Option<&Names<'_>>,
    document: Option<&Document>,
) -> Option<Vec<PodNetworking>> {
    report_duplicates(loader, "PodNetworkings", written.iter().map(|networking| networking.name.as_ref()));
    let all: Vec<_> =
        written.iter().enumerate().map(|(i, networking)| one(loader, i, networking, names, document)).collect();
    all.into_iter().collect()
}

fn one(
    loader: &mut Loader,
    index: usize,
    written: &written::PodNetworking,
    names: Option<&Names<'_>>,
    document: Option<&Document>,
) -> Option<PodNetworking> {
    let path = |key: &str| format!("terway.pod_networkings[{index}].{key}");
    let name = written.name.as_ref()?;
    loader.written(path("name"), name.value.clone(), name.place);
    let attached = written.eniOptions.as_ref().and_then(|options| options.eniType.as_ref());
    let attached = loader.or_default(
        &path("eniOptions.eniType"),
        attached.map(|at| (at.value, at.place)),
        defaults::ENI_TYPE,
        |of| of.word().to_owned(),
    );
    let kind = match attached {
        EniType::Default | EniType::Trunk => Kind::Member,
        EniType::Eni => Kind::Exclusive,
    };
    let fixed = fixed(loader, &path, written.allocationType.as_ref());
    let policy = written.vSwitchSelectOptions.as_ref().and_then(|options| options.vSwitchSelectionPolicy.as_ref());
    let policy = loader.or_default(
        &path("vSwitchSelectOptions.vSwitchSelectionPolicy"),
        policy.map(|at| (at.value, at.place)),
        defaults::SELECTION_POLICY,
        |policy| policy.word().to_owned(),
    );
    if let Some(at) = written.securityGroupIDs.as_ref().and_then(|groups| groups.first()) {
        loader.written(path("securityGroupIDs"), "not simulated", at.place);
    }
    let vswitches = match &written.vSwitchOptions {
        Some(list) => listed(loader, &path("vSwitchOptions"), written.place, list, names?)?,
        None => of_eni_config(loader, &path("vSwitchOptions"), document?, names?),
    };
    Some(PodNetworking { name: name.value.clone(), kind, vswitches, policy, fixed: fixed? })
}

/// How long addresses are kept; `Some(None)` = they are elastic.
fn fixed(
    loader: &mut Loader,
    path: &dyn Fn(&str) -> String,
    written: Option<&written::AllocationType>,
) -> Option<Option<Retention>> {
    let key = |key: &str| path(&format!("allocationType.{key}"));
    let kind = written.and_then(|written| written.r#type.as_ref()).map(|at| (at.value, at.place));
    let kind = loader.or_default(&key("type"), kind, defaults::ALLOCATION_TYPE, |kind| kind.word().to_owned());
    let strategy = written.and_then(|written| written.releaseStrategy.as_ref());
    let after = written.and_then(|written| written.releaseAfter.as_ref());
    if kind == AllocationKind::Elastic {
        let useless = strategy.map(|at| at.place).or(after.map(|at| at.place));
        let Some(place) = useless else { return Some(None) };
        let problem = loader.problems.error(place, "an elastic address is not kept");
        problem.help("write `type: Fixed` if it is to be kept for the pod's name, or leave this out");
        return None;
    }
    let strategy_place = strategy.map(|at| at.place);
    let strategy = strategy.map(|at| (at.value, at.place));
    let strategy =
        loader.or_default(&key("releaseStrategy"), strategy, defaults::RELEASE_STRATEGY, |s| s.word().to_owned());
    match (strategy, after) {
        (ReleaseStrategy::Ttl, Some(after)) => {
            loader.written(key("releaseAfter"), after.value.0.in_full(), after.place);
            Some(Some(Retention::After(after.value.0)))
        }
        (ReleaseStrategy::Never, None) => Some(Some(Retention::Forever)),
        (ReleaseStrategy::Ttl, None) => {
            let place = strategy_place.expect("it is not the default");
            let problem = loader.problems.error(place, "`TTL` needs a `releaseAfter`");
            problem.label("Terway's webhook refuses it (`pkg/controller/webhook/validate.go:57-62`)");
            problem.help("say how long an address is kept without its pod, such as `releaseAfter: 5m0s`");
            None
        }
        (ReleaseStrategy::Never, Some(after)) => {
            let problem = loader.problems.error(after.place, "an address that is never released has no `releaseAfter`");
            problem.help("write `releaseStrategy: TTL`, or leave `releaseAfter` out");
            None
        }
    }
}

/// The vSwitches of a list, copies behind each.
fn listed(
    loader: &mut Loader,
    path: &str,
    place: Place,
    list: &[At<String>],
    names: &Names<'_>,
) -> Option<Vec<VSwitchId>> {
    report_duplicates(loader, "entries", list.iter().map(Some));
    if list.is_empty() {
        let problem = loader.problems.error(place, "a PodNetworking needs a vSwitch");
        problem.help("list some in `vSwitchOptions`, or leave it out for those of eni-config");
        return None;
    }
    let mut all = Some(Vec::new());
    for at in list {
        match names.find(&at.value) {
            None => {
                report_unknown(loader, "vSwitch", &at.value, at.place, &names.ids());
                all = None;
            }
            Some((id, _)) if names.added_by(id).is_some() => {
                let title = format!("vSwitch `{}` is not there at the start", at.value);
                let problem = loader.problems.error(at.place, title);
                problem.label("an action adds it").help("PodNetworkings that change are not simulated");
                all = None;
            }
            Some((id, _)) => all.iter_mut().for_each(|all| all.extend(names.with_copies(id))),
        }
    }
    let all = all?;
    if all.len() > MAX_CANDIDATES {
        let title = format!("{} vSwitches are more than can be simulated", all.len());
        loader.problems.error(list[0].place, title).help(format!("at most {MAX_CANDIDATES} can be, copies included"));
        return None;
    }
    let shown: Vec<_> = all.iter().map(|&id| names.id(id)).collect();
    loader.written(path, shown.join(", "), list[0].place);
    Some(all)
}

/// Those of eni-config, of all zones, by ID: what the webhook writes where there are none.
fn of_eni_config(loader: &mut Loader, path: &str, document: &Document, names: &Names<'_>) -> Vec<VSwitchId> {
    // What is not known was reported, or is of a zone without nodes.
    let mut found: Vec<_> = document.vswitches().filter_map(|(_, id, _)| Some(names.find(id)?.0)).collect();
    found.sort_by_key(|&id| names.id(id));
    let all: Vec<_> = found.iter().flat_map(|&id| names.with_copies(id)).collect();
    let shown: Vec<_> = all.iter().map(|&id| names.id(id)).collect();
    loader.default(path, shown.join(", "), "eni-config's, by ID (pkg/controller/webhook/mutating.go:267-272)");
    all
}

/// The PodNetworkings of a workload, each of which gives its pods an interface; none = they share those of nodes.
pub(super) fn of_workload(
    loader: &mut Loader,
    path: &dyn Fn(&str) -> String,
    workload: &written::Workload,
    known: &[written::PodNetworking],
) -> Option<Vec<usize>> {
    let (matched, requested) = (workload.pod_networking.as_ref(), workload.pod_networks_request.as_ref());
    if let (Some(_), Some(requested)) = (matched, requested) {
        let problem =
            loader.problems.error(requested.place, "`pod_networking` and `pod_networks_request` are both there");
        problem.label("Terway refuses pods with both annotations (`pkg/controller/webhook/mutating.go:98-100`)");
        problem.help("list all PodNetworkings in `pod_networks_request`");
        return None;
    }
    if let Some(at) = matched {
        loader.written(path("pod_networking"), at.value.clone(), at.place);
        return Some(vec![find(loader, at, known)?]);
    }
    let Some(requested) = requested else { return Some(Vec::new()) };
    let shown: Vec<_> = requested.value.iter().map(|at| at.value.as_str()).collect();
    loader.written(path("pod_networks_request"), shown.join(", "), requested.place);
    if requested.value.is_empty() {
        let problem = loader.problems.error(requested.place, "a request for no network");
        problem.help("list PodNetworkings of `terway.pod_networkings`, or leave it out: then pods share interfaces");
        return None;
    }
    let found: Vec<_> = requested.value.iter().map(|at| find(loader, at, known)).collect();
    found.into_iter().collect()
}

fn find(loader: &mut Loader, at: &At<String>, known: &[written::PodNetworking]) -> Option<usize> {
    let position = known.iter().position(|of| of.name.as_ref().is_some_and(|name| name.value == at.value));
    if position.is_none() {
        let names: Vec<_> = known.iter().filter_map(|of| of.name.as_ref()).map(|at| at.value.as_str()).collect();
        if names.is_empty() {
            let problem = loader.problems.error(at.place, format!("there is no PodNetworking `{}`", at.value));
            problem.help("describe it in `terway.pod_networkings`");
        } else {
            report_unknown(loader, "PodNetworking", &at.value, at.place, &names);
        }
    }
    position
}

/// Reports workloads whose pods cannot have interfaces of their own: they would not be theirs, or no
/// node has any for them.
pub(super) fn check(loader: &mut Loader, model: &Model, written: &[written::Workload]) {
    for (workload, written) in model.workloads.iter().zip(written) {
        let requested = written.pod_networks_request.as_ref().map(|at| at.place);
        let place = requested.or(written.pod_networking.as_ref().map(|at| at.place)).unwrap_or(written.place);
        let Some(first) = model.networkings_of(&workload.pod).next() else { continue };
        check_together(loader, model, workload, place);
        check_pods(loader, model, workload, place);
        check_nodes(loader, model, workload, first, place);
    }
}

/// PodNetworkings of one pod have to go together.
fn check_together(loader: &mut Loader, model: &Model, workload: &Workload, place: Place) {
    let all = || model.networkings_of(&workload.pod);
    let first = all().next().expect("it has one");
    if let Some(other) = all().find(|of| of.kind != first.kind) {
        let title = format!("`{}` and `{}` are attached in different ways", first.name, other.name);
        let problem = loader.problems.error(place, title);
        problem.label("Terway refuses such pods (`pkg/controller/webhook/mutating.go:522-527`)");
        problem.help("give all PodNetworkings of a pod the same `eniOptions`");
    }
    if let Some(other) = all().find(|of| of.fixed.is_some() != first.fixed.is_some()) {
        let title = format!("one of `{}` and `{}` has fixed addresses, the other elastic ones", first.name, other.name);
        let problem = loader.problems.error(place, title);
        problem.label("such a pod is not simulated");
        problem.help("give all PodNetworkings of a pod the same `allocationType.type`");
    }
}

fn check_pods(loader: &mut Loader, model: &Model, workload: &Workload, place: Place) {
    let is_stateful = matches!(workload.kind, WorkloadKind::StatefulSet { .. });
    if workload.pod.host_network {
        let problem = loader.problems.error(place, "pods with the node's address have no PodNetworking");
        problem.help("leave out either `host_network` or the PodNetworking");
    } else if workload.pod.erdma {
        let problem = loader.problems.error(place, "an interface of a pod's own has no RDMA");
        problem.help("leave out either `erdma` or the PodNetworking");
    } else if let Some(fixed) = model.networkings_of(&workload.pod).find(|of| of.fixed.is_some() && !is_stateful) {
        let title = format!("`{}` gives fixed addresses, which only a `stateful_set` can have", fixed.name);
        let problem = loader.problems.error(place, title);
        problem.label("its pods have no stable names (`pkg/controller/webhook/mutating.go:312-317`)");
        problem.help("Terway would leave such pods on shared ENIs: leave the PodNetworking out, or use an elastic one");
    }
}

fn check_nodes(loader: &mut Loader, model: &Model, workload: &Workload, first: &PodNetworking, place: Place) {
    if matches!(model.ipam, Ipam::Classic(_)) {
        let problem = loader.problems.error(place, "members of a trunk are not simulated for Terway before v1.7");
        problem.label("some of them have a trunk, which is left out here (P76)");
        problem.help("leave out `terway.version` if the cluster runs a later one, or the PodNetworking");
        return;
    }
    let nodes = model.groups().enumerate().filter(|(_, (key, _))| workload.node_pools.contains(&key.pool));
    let nodes: Vec<_> = nodes
        .map(|(group, (key, zone))| Nodes {
            shape: &model.node_pools[key.pool].shapes[key.shape],
            unreached: model.networkings_of(&workload.pod).find(|of| !of.reaches(&zone.zone, &model.vpc)),
            offer: match first.kind {
                Kind::Member => model.daemons(group).any(Config::has_trunk),
                Kind::Exclusive => matches!(zone.daemon, Config::Exclusive(_)),
            },
        })
        .collect();
    let unknown = |nodes: &&Nodes<'_>| {
        first.kind == Kind::Member && nodes.offer && nodes.shape.limits.member_adapters().is_none()
    };
    let unreached = nodes.iter().filter_map(|nodes| nodes.unreached).next();
    if let Some(nodes) = nodes.iter().find(unknown) {
        let kind = &nodes.shape.instance_type;
        let problem = loader.problems.error(place, format!("how many member ENIs a node of {kind} has is not known"));
        problem.label("EniTotalQuantity − EniQuantity (C145)");
        problem.help(format!(
            "give the type's EniTotalQuantity: `limits: {{total_adapters: …}}` in the node pool, or \
             `instance_types: {{file: …}}` with what `aliyun ecs DescribeInstanceTypes` prints for {kind}"
        ));
    } else if let Some(of) = unreached.filter(|_| nodes.iter().all(|nodes| nodes.unreached.is_some())) {
        let problem = loader.problems.error(place, format!("`{}` has no vSwitch in a zone of the nodes", of.name));
        problem.label("its pods would find no node for ever").help("list a vSwitch of one of the pools' zones");
    } else if let Some(of) = unreached.filter(|_| matches!(workload.kind, WorkloadKind::DaemonSet { .. })) {
        let title = format!("`{}` has no vSwitch in some zone of DaemonSet `{}`", of.name, workload.name);
        let problem = loader.problems.error(place, title);
        problem.label("its pods there would wait for ever (`pkg/controller/webhook/mutating.go:405-408`)");
        problem.help("list a vSwitch of each zone of its node pools, or let it run on others (`node_pools`)");
    } else if !nodes.iter().any(|nodes| nodes.unreached.is_none() && nodes.offer) {
        let (has, offers, help) = match first.kind {
            Kind::Member => (
                "a trunk",
                "`aliyun/member-eni` (C145)",
                "write `enable_eni_trunking: true` in eni-config, for instance types with member ENIs",
            ),
            Kind::Exclusive => (
                "exclusive interfaces",
                "`aliyun/eni` (`daemon/daemon.go:943-947`)",
                "write `exclusive_eni: true` in a node pool, or leave out `eniOptions` for members of a trunk",
            ),
        };
        let title = format!("no node has {has} for the pods of workload `{}`", workload.name);
        let problem = loader.problems.error(place, title);
        problem.label(format!("they would find no node for ever: none offers {offers}")).help(help);
    }
}

/// Nodes of one type in one zone, for the pods of a workload.
struct Nodes<'a> {
    shape: &'a Shape,
    /// A PodNetworking of the pods without a vSwitch in that zone.
    unreached: Option<&'a PodNetworking>,
    /// Whether they ever offer interfaces of the kind.
    offer: bool,
}

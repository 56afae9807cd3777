//! PodNetworkings, the workloads that use them, and nodes on which such pods can be.

use super::vpc::Names;
use super::{report_duplicates, report_unknown};
use crate::id::VSwitchId;
use crate::ipam::Config;
use crate::ipam::eni_config::{Document, MAX_CANDIDATES};
use crate::ipam::pod_eni::Retention;
use crate::model::{Ipam, Model, PodNetworking, Shape, Workload, WorkloadKind};
use crate::scenario::defaults;
use crate::scenario::diagnostics::Place;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::words::{AllocationKind, ReleaseStrategy, Word};
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
    Some(PodNetworking { name: name.value.clone(), vswitches, policy, fixed: fixed? })
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
            loader.written(key("releaseAfter"), after.value.0.to_string(), after.place);
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

/// The PodNetworking of a workload; `Some(None)` = its pods share interfaces.
pub(super) fn of_workload(
    loader: &mut Loader,
    path: &str,
    written: Option<&At<String>>,
    known: &[written::PodNetworking],
) -> Option<Option<usize>> {
    let Some(at) = written else { return Some(None) };
    loader.written(path, at.value.clone(), at.place);
    let names: Vec<_> = known.iter().filter_map(|of| of.name.as_ref()).map(|at| at.value.as_str()).collect();
    let position = known.iter().position(|of| of.name.as_ref().is_some_and(|name| name.value == at.value));
    match position {
        Some(position) => Some(Some(position)),
        None if names.is_empty() => {
            let problem = loader.problems.error(at.place, format!("there is no PodNetworking `{}`", at.value));
            problem.help("describe it in `terway.pod_networkings`");
            None
        }
        None => {
            report_unknown(loader, "PodNetworking", &at.value, at.place, &names);
            None
        }
    }
}

/// Reports workloads whose pods cannot have an interface of their own: it would not be theirs, or no
/// node has one for them.
pub(super) fn check(loader: &mut Loader, model: &Model, written: &[written::Workload]) {
    for (workload, written) in model.workloads.iter().zip(written) {
        let Some(networking) = workload.pod.pod_networking.map(|of| &model.pod_networkings[of]) else { continue };
        let place = written.pod_networking.as_ref().map_or(written.place, |at| at.place);
        check_pods(loader, workload, networking, place);
        check_nodes(loader, model, workload, networking, place);
    }
}

fn check_pods(loader: &mut Loader, workload: &Workload, networking: &PodNetworking, place: Place) {
    let is_stateful = matches!(workload.kind, WorkloadKind::StatefulSet { .. });
    if workload.pod.host_network {
        let problem = loader.problems.error(place, "pods with the node's address have no PodNetworking");
        problem.help("leave out either `host_network` or `pod_networking`");
    } else if workload.pod.erdma {
        let problem = loader.problems.error(place, "a member of a trunk has no RDMA");
        problem.help("leave out either `erdma` or `pod_networking`");
    } else if networking.fixed.is_some() && !is_stateful {
        let title = format!("`{}` gives fixed addresses, which only a `stateful_set` can have", networking.name);
        let problem = loader.problems.error(place, title);
        problem.label("its pods have no stable names (`pkg/controller/webhook/mutating.go:312-317`)");
        problem.help("Terway would leave such pods on shared ENIs: leave `pod_networking` out, or use an elastic one");
    }
}

fn check_nodes(loader: &mut Loader, model: &Model, workload: &Workload, networking: &PodNetworking, place: Place) {
    if matches!(model.ipam, Ipam::Classic(_)) {
        let problem = loader.problems.error(place, "members of a trunk are not simulated for Terway before v1.7");
        problem.label("some of them have a trunk, which is left out here (P76)");
        problem.help("leave out `terway.version` if the cluster runs a later one, or `pod_networking`");
        return;
    }
    // Nodes by group: their type, whether the PodNetworking has a vSwitch in their zone, whether they ever have a trunk.
    let groups = model.groups().enumerate().filter(|(_, (key, _))| workload.node_pools.contains(&key.pool));
    let nodes = groups.map(|(group, (key, zone))| {
        let shape = &model.node_pools[key.pool].shapes[key.shape];
        (shape, networking.reaches(&zone.zone, &model.vpc), model.daemons(group).any(Config::has_trunk))
    });
    let nodes: Vec<(&Shape, bool, bool)> = nodes.collect();
    let unknown = nodes.iter().find(|(shape, _, has_trunk)| *has_trunk && shape.limits.member_adapters().is_none());
    if let Some((shape, ..)) = unknown {
        let kind = &shape.instance_type;
        let problem = loader.problems.error(place, format!("how many member ENIs a node of {kind} has is not known"));
        problem.label("EniTotalQuantity − EniQuantity (C145)");
        problem.help(format!(
            "give the type's EniTotalQuantity: `limits: {{total_adapters: …}}` in the node pool, or \
             `instance_types: {{file: …}}` with what `aliyun ecs DescribeInstanceTypes` prints for {kind}"
        ));
    } else if !nodes.iter().any(|(_, is_reached, _)| *is_reached) {
        let problem =
            loader.problems.error(place, format!("`{}` has no vSwitch in a zone of the nodes", networking.name));
        problem.label("its pods would find no node for ever").help("list a vSwitch of one of the pools' zones");
    } else if matches!(workload.kind, WorkloadKind::DaemonSet { .. })
        && !nodes.iter().all(|(_, is_reached, _)| *is_reached)
    {
        let title = format!("`{}` has no vSwitch in some zone of DaemonSet `{}`", networking.name, workload.name);
        let problem = loader.problems.error(place, title);
        problem.label("its pods there would wait for ever (`pkg/controller/webhook/mutating.go:405-408`)");
        problem.help("list a vSwitch of each zone of its node pools, or let it run on others (`node_pools`)");
    } else if !nodes.iter().any(|(_, is_reached, has_trunk)| *is_reached && *has_trunk) {
        let title = format!("no node has a trunk for the pods of workload `{}`", workload.name);
        let problem = loader.problems.error(place, title);
        problem.label("they would find no node for ever: none offers `aliyun/member-eni` (C145)");
        problem.help("write `enable_eni_trunking: true` in eni-config, for instance types with member ENIs");
    }
}

//! What is allowed and likely not meant.

use std::collections::BTreeSet;

use super::pools::addresses;
use super::workloads::most_requested;
use crate::address::usable;
use crate::chance::stream;
use crate::id::VSwitchId;
use crate::model::{Model, NodePool, Resources, Shape, Times, Trace, Workload, WorkloadKind};
use crate::openapi::Api;
use crate::scenario::diagnostics::{Place, quoted_list};
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::schedule::{nodes_in_zone, nodes_of_type};
use crate::scenario::show;
use crate::scenario::written::{self, Scenario};
use crate::time::{Instant, Span};
use crate::units::{percent, thousands};

/// Times from here on are taken for Unix times: thirty years.
const UNIX_DAYS: u64 = 30 * 365;

/// Part of the run that a trace covers at least.
const TRACE_COVERS: f64 = 0.95;

/// Warns of what surprises.
pub(super) fn warn(loader: &mut Loader, model: &Model, written: &Scenario) {
    let written_pools = written.node_pools.as_deref().unwrap_or_default();
    for (pool, written) in model.node_pools.iter().zip(written_pools) {
        pods_fit(loader, pool, written);
    }
    unused_vswitches(loader, model, written);
    prefixes_are_reserved(loader, model, written);
    idle_addresses_fit(loader, model, written_pools);
    somebody_asks(loader, model);
    calls_are_answered(loader, model, written);
    claims_see_prefixes(loader, model, written.policy.as_deref().unwrap_or_default());
    too_late(loader, model, written);
    outages_strike(loader, model, written);
    super::actions::warn(loader, model, written.actions.as_deref().unwrap_or_default());
    for (workload, written) in model.workloads.iter().zip(written.workloads.iter().flatten()) {
        pods_find_a_node(loader, model, workload, written);
        trace_lasts(loader, model, workload, written);
    }
}

/// Terway's client gives a call up after this time (`pkg/aliyun/credential/aliyun_client_mgr.go:79`).
const CLIENT_WAITS: Span = Span::secs(20);

/// Calls that take longer than Terway's client waits, which a simulated one does not give up.
fn calls_are_answered(loader: &mut Loader, model: &Model, written: &Scenario) {
    const TRIED: usize = 2_000;
    let late = |api: Api, slow: f64| {
        let mut chance = stream(0, 0, "latencies that are warned of");
        let takes = std::iter::repeat_with(|| model.cloud.latency[api.index()].sample(&mut chance).mul_f64(slow));
        takes.take(TRIED).filter(|&takes| takes > CLIENT_WAITS).count() as f64 / TRIED as f64
    };
    let mut warn = |place: Place, apis: [bool; Api::ALL.len()], slow: f64| {
        let shares = Api::ALL.into_iter().filter(|api| apis[api.index()]).map(|api| (api, late(api, slow)));
        let Some((api, share)) = shares.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|&(_, share)| share >= 0.01) else {
            return;
        };
        let problem =
            loader.problems.warning(place, format!("calls take longer than the {CLIENT_WAITS} that Terway waits"));
        problem.label(format!("about {} of {}", percent(share), api.name()));
        problem.help("its client gives such a call up and repeats it or fails; a simulated one waits for the answer");
    };
    let Some(cloud) = &written.cloud else { return };
    for (api, latency) in cloud.latency.iter().flat_map(|latency| &latency.0) {
        let apis = Api::ALL.map(|other| other.name() == api.name);
        warn(latency.place, apis, 1.0);
    }
    for (fault, written) in model.cloud.faults.iter().zip(cloud.faults.iter().flatten()) {
        if fault.slow > 1.0 {
            warn(written.place, fault.apis, fault.slow);
        }
    }
}

/// What comes for the first time after the end.
fn too_late(loader: &mut Loader, model: &Model, written: &Scenario) {
    let mut check = |what: &str, times: &Times, place: Place| {
        let first = times.not_before(Instant::ZERO);
        if first.is_none_or(|first| first >= Instant::ZERO + model.horizon) {
            let problem = loader.problems.warning(place, format!("this {what} comes after the end"));
            let first = first.map(|first| format!("for the first time after {}", first.since(Instant::ZERO)));
            problem.label(first.unwrap_or_default());
            problem.help(format!("the run ends after {}, the `horizon`", model.horizon));
        }
    };
    for (pool, written) in model.node_pools.iter().zip(written.node_pools.iter().flatten()) {
        if let (Some(replacement), Some(written)) = (&pool.replacement, &written.replace) {
            check("replacement", &replacement.at, written.place);
        }
    }
    for (workload, written) in model.workloads.iter().zip(written.workloads.iter().flatten()) {
        match &workload.kind {
            WorkloadKind::Deployment { rollout: Some(rollout), .. }
            | WorkloadKind::DaemonSet { rollout: Some(rollout) } => {
                let deployment = written.deployment.as_ref().and_then(|set| set.rollout.as_ref());
                let daemon_set = written.daemon_set.as_ref().and_then(|set| set.rollout.as_ref());
                check("rollout", &rollout.at, deployment.or(daemon_set).map_or(written.place, |at| at.place));
            }
            WorkloadKind::StatefulSet { updates: Some(times), .. } => {
                let update = written.stateful_set.as_ref().and_then(|set| set.update.as_ref());
                check("update", times, update.map_or(written.place, |at| at.place));
            }
            WorkloadKind::Job { at, .. } => check("Job", at, written.place),
            _ => {}
        }
    }
    for outage in written.zone_outages.iter().flatten() {
        if let Some(at) = &outage.at {
            check("outage", &Times::At(vec![Instant::ZERO + at.value.0]), at.place);
        }
    }
}

/// Outages of zones in which there are no nodes.
fn outages_strike(loader: &mut Loader, model: &Model, written: &Scenario) {
    let zones: BTreeSet<&str> = model.groups().map(|(_, zone)| zone.zone.as_str()).collect();
    for zone in written.zone_outages.iter().flatten().filter_map(|outage| outage.zone.as_ref()) {
        if !zones.contains(zone.value.as_str()) {
            let title = format!("no node pool has nodes in zone `{}`, so that its outage changes nothing", zone.value);
            loader
                .problems
                .warning(zone.place, title)
                .help(format!("there are nodes in {}", quoted_list(zones.iter().copied())));
        }
    }
}

/// Pods that request more than any node has find none, ever.
fn pods_find_a_node(loader: &mut Loader, model: &Model, workload: &Workload, written: &written::Workload) {
    let shapes = || workload.node_pools.iter().flat_map(|&pool| &model.node_pools[pool].shapes);
    let most = most_requested(workload);
    let (cpu, memory) = (most.cpu_milli, most.memory_mib);
    let largest = |of: fn(&Resources) -> u32| shapes().map(|shape| of(&shape.allocatable)).max().unwrap_or(u32::MAX);
    let who = written.name.as_ref().map(|name| name.value.as_str()).unwrap_or_default();
    let requests = written.requests.as_ref();
    let place = |own: Option<Place>| own.unwrap_or(written.place);
    let mut warn = |title: String, place: Place, label: String, help: &str| {
        let problem = loader.problems.warning(place, title);
        problem.label(label).help(help);
    };
    let daemons = "the scheduler will not find a node for it; take a larger type, or correct the request";
    if cpu > largest(|node| node.cpu_milli) {
        let help = match cpu % 1000 {
            0 if cpu >= 100_000 => format!("a bare number is cores; `{}m` are thousandths of a core", cpu / 1000),
            _ => daemons.to_owned(),
        };
        let label = format!("{}; the largest node has {}", show::cpu(cpu), show::cpu(largest(|node| node.cpu_milli)));
        let at = place(requests.and_then(|requests| Some(requests.cpu.as_ref()?.place)));
        warn(format!("a pod of `{who}` requests more CPU than any node has"), at, label, &help);
    } else if memory > largest(|node| node.memory_mib) {
        let has = show::memory(largest(|node| node.memory_mib));
        let label = format!("{}; the largest node has {has}", show::memory(memory));
        let at = place(requests.and_then(|requests| Some(requests.memory.as_ref()?.place)));
        warn(format!("a pod of `{who}` requests more memory than any node has"), at, label, daemons);
    } else if !shapes().any(|shape| most.fits_in(shape.allocatable)) {
        let at = place(requests.map(|requests| requests.place));
        let title = format!("no node has both the CPU and the memory that a pod of `{who}` requests");
        warn(title, at, format!("{} and {}", show::cpu(cpu), show::memory(memory)), daemons);
    }
}

/// Traces that say nothing about a good part of the run.
fn trace_lasts(loader: &mut Loader, model: &Model, workload: &Workload, written: &written::Workload) {
    let WorkloadKind::Trace(trace) = &workload.kind else { return };
    let (end, after) = match trace {
        Trace::Pods(pods) => {
            let known = |at: &Instant| *at != Instant::NEVER;
            let last = pods.iter().flat_map(|pod| [pod.arrive, pod.depart]).filter(known).max();
            (last, "no pod comes or goes after that")
        }
        Trace::Counts { points, .. } => (points.last().map(|&(at, _)| at), "the number stays the same after that"),
    };
    let Some(end) = end.map(|end| end.since(Instant::ZERO)) else { return };
    let place = written.trace.as_ref().map_or(written.place, |trace| trace.place);
    if end.as_secs_f64() < model.horizon.as_secs_f64() * TRACE_COVERS {
        let problem = loader.problems.warning(place, "this trace ends before the run");
        problem.label(format!("it ends after {end}, the run after {}", model.horizon)).help(after);
    }
    let late = match trace {
        Trace::Pods(pods) => pods.iter().filter(|pod| pod.arrive >= Instant::ZERO + model.horizon).count(),
        Trace::Counts { .. } => 0,
    };
    if late > 0 {
        let problem = loader.problems.warning(place, "this trace goes on after the run");
        problem.label(format!("{} of its pods come after {}", thousands(late as u64), model.horizon));
        problem.help(match end >= Span::days(UNIX_DAYS) {
            true => "times count from the start of the run: these look like Unix times; subtract that of the start",
            false => "raise the `horizon` to see them",
        });
    }
}

/// Without pods a run shows the nodes' own pools only.
fn somebody_asks(loader: &mut Loader, model: &Model) {
    if model.workloads.iter().all(|workload| workload.pod.host_network) {
        let problem = loader.problems.warning_without_place("no workload asks for addresses");
        problem.help("add one under `workloads`, unless the nodes' idle addresses are all that you want to see");
    }
}

/// A vSwitch in which no /28 block is free any more is not full: a policy that asks for no more than that holds while pods
/// wait for ever.
fn claims_see_prefixes(loader: &mut Loader, model: &Model, written: &[At<String>]) {
    if let Some(first) = written.first().filter(|_| model.are_blind_to_prefixes(&model.policy)) {
        let title = "this policy does not see whether prefixes run out";
        let problem = loader.problems.warning(first.place, title);
        problem.label("a vSwitch without a free /28 block is not full (C131)");
        problem.help("add `vswitch.prefixes.refusals == 0`, or a claim about pods such as `pods.waiting.end == 0`");
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
    let lower = if room > 0 { format!("set `max_pods: {room}`, or ") } else { String::new() };
    match shape.zones.iter().all(|zone| zone.daemon.prefixes().is_some()) {
        true => problem.help(format!("pods on top wait for ever; {lower}raise `ipv4_prefix_count`")),
        false => {
            problem.help(format!("pods on top fail with `no eni can handle the allocation`; set `max_pods: {room}`"))
        }
    };
}

fn unused_vswitches(loader: &mut Loader, model: &Model, written: &Scenario) {
    let serving = model.serving_vswitches();
    let list = written.vpc.as_ref().and_then(|vpc| vpc.vswitches.as_deref()).unwrap_or_default();
    for (i, vswitch) in list.iter().enumerate() {
        let id = VSwitchId::new(i);
        let used = serving.contains(&id) || model.groups().any(|(_, zone)| zone.node_vswitch == id);
        if let Some(at) = vswitch.id.as_ref().filter(|_| !used) {
            let zone = vswitch.zone.as_ref().map_or("", |at| at.value.as_str());
            let has_nodes = model.groups().any(|(_, group)| group.zone == zone);
            let problem = loader.problems.warning(at.place, format!("nothing uses vSwitch `{}`", at.value));
            match has_nodes {
                true => problem.help("list it in eni-config under the zone of the nodes, or as `node_vswitch`"),
                false => problem.help(format!("no node pool has nodes in its zone, {zone}")),
            };
        }
    }
}

/// Without a reservation single addresses tear the /28 blocks of prefixes apart, and the API's documentation
/// (Use a reserved CIDR block to assign an IP prefix to an ENI) knows prefixes from reservations only.
fn prefixes_are_reserved(loader: &mut Loader, model: &Model, written: &Scenario) {
    let list = written.vpc.as_ref().and_then(|vpc| vpc.vswitches.as_deref()).unwrap_or_default();
    for (vswitch, (i, model_of)) in list.iter().zip(model.vpc.vswitches.iter().enumerate()) {
        let torn = model_of.prefix_reservations.is_empty() && model.gives_prefixes(VSwitchId::new(i));
        if let Some(at) = vswitch.id.as_ref().filter(|_| torn) {
            let title = format!("vSwitch `{}` gives prefixes and keeps no block for them", at.value);
            let problem = loader.problems.warning(at.place, title);
            problem.label("single addresses may leave it without a free /28, and the real API may refuse sooner");
            problem.help("keep a part of its block with `prefix_reservations`, as CreateVSwitchCidrReservation does");
        }
    }
}

/// The lower watermark alone may be more than the vSwitches of a zone have, all pools together.
fn idle_addresses_fit(loader: &mut Loader, model: &Model, written: &[written::NodePool]) {
    let zones = || model.node_pools.iter().flat_map(|pool| pool.zones().iter().map(move |zone| (pool, zone)));
    let names: BTreeSet<&str> = zones().map(|(_, zone)| zone.zone.as_str()).collect();
    for name in names {
        let here = || zones().filter(|(_, zone)| zone.zone == name);
        let vswitches: BTreeSet<&crate::id::VSwitchId> = here().flat_map(|(_, zone)| zone.daemon.vswitches()).collect();
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
        let idle = shape.zones.iter().find(|z| z.zone == zone).map_or(0, |zone| zone.daemon.min_idle());
        nodes_of_type(nodes, pool, shape) * u64::from(idle)
    };
    pool.shapes.iter().map(of_shape).sum()
}

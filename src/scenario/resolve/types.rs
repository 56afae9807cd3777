//! Instance types of a node pool: their limits, and what pods may ask of them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::workloads::most_requested;
use super::{eni, report_duplicates, reserved};
use crate::ipam::limits::{InstanceLimits, JOIN_THRESHOLD, UnknownType, builtin, from_api};
use crate::model::{Model, Resources};
use crate::scenario::loader::Loader;
use crate::scenario::quantity::Count;
use crate::scenario::read::At;
use crate::scenario::written::{self, Mix};
use crate::scenario::{Origin, Setting, show};

/// Interfaces that an instance may have: the primary one and at least one for pods.
const ADAPTERS: RangeInclusive<u64> = 2..=128;

/// IPv4 addresses that an interface may have (CreateNetworkInterface: the primary one and 49
/// more).
const ADDRESSES: RangeInclusive<u64> = 1..=50;

/// Most pods on a node that a scenario may ask for.
const MOST_PODS: u64 = 10_000;

/// Instance types of a file.
pub(super) struct Table {
    file: String,
    /// `None` = the file is wrong, which was reported.
    limits: Option<BTreeMap<String, InstanceLimits>>,
}

/// An instance type of a pool.
pub(super) struct Type {
    pub name: String,
    /// Where its settings stand: those of the pool if it is the only one.
    pub path: String,
    pub limits: InstanceLimits,
    pub allocatable: Resources,
    pub max_pods: u32,
    pub weight: f64,
}

/// The types of the file that the scenario names.
pub(super) fn table(loader: &mut Loader, written: &written::InstanceTypes) -> Table {
    let mut table = Table { file: String::new(), limits: None };
    if let Some(path) = &written.file
        && let Some(source) = loader.open(path)
    {
        loader.written("instance_types.file", path.value.clone(), path.place);
        table.file.clone_from(&path.value);
        table.limits = eni::checked(loader, from_api(&loader.problems.sources[source].text, source));
    }
    table
}

/// The types of the pool at `path`; `None` = something is wrong with them, which is reported.
pub(super) fn resolve(
    loader: &mut Loader,
    path: &str,
    written: &written::NodePool,
    table: Option<&Table>,
) -> Option<Vec<Type>> {
    let wanted = wanted(loader, written)?;
    let sum: f64 = wanted.iter().map(|(_, weight)| weight).sum();
    let all: Vec<_> = wanted
        .iter()
        .map(|(name, weight)| {
            let path = match &written.instance_types {
                None => {
                    loader.written(format!("{path}.instance_type"), name.value.clone(), name.place);
                    path.to_owned()
                }
                Some(_) => {
                    let path = format!("{path}.instance_types[{}]", name.value);
                    let share = format!("{weight}, {} of new nodes", show::percent(weight / sum));
                    loader.written(format!("{path}.weight"), share, name.place);
                    path
                }
            };
            one(loader, path, name, *weight, written, table)
        })
        .collect();
    all.into_iter().collect()
}

/// Reports types of which too little is known for what the pods request.
pub(super) fn check_requests(loader: &mut Loader, model: &Model, written: &[written::NodePool]) {
    for (i, (pool, written)) in model.node_pools.iter().zip(written).enumerate() {
        for workload in model.workloads.iter().filter(|workload| workload.node_pools.contains(&i)) {
            let requests = most_requested(workload);
            let unknown = |shape: &&crate::model::Shape| {
                requests.cpu_milli > 0 && shape.allocatable.cpu_milli == Resources::UNBOUNDED.cpu_milli
                    || requests.memory_mib > 0 && shape.allocatable.memory_mib == Resources::UNBOUNDED.memory_mib
            };
            let Some(shape) = pool.shapes.iter().find(unknown) else { continue };
            let place = written.instance_type.as_ref().map_or(written.place, |at| at.place);
            let title = format!("the cores and the memory of instance type `{}` are not known", shape.instance_type);
            let problem = loader.problems.error(place, title);
            problem.label(format!("the pods of workload `{}` request some of them", workload.name));
            problem.help("give `allocatable: {cpu: …, memory: …}`, as `kubectl describe node` shows it");
        }
    }
}

/// The types that a pool names, each with its weight.
fn wanted(loader: &mut Loader, written: &written::NodePool) -> Option<Vec<(At<String>, f64)>> {
    let mix = match (&written.instance_type, &written.instance_types) {
        (Some(one), None) => return Some(vec![(one.clone(), 1.0)]),
        (None, Some(mix)) => mix,
        (Some(one), Some(_)) => {
            let problem = loader.problems.error(one.place, "`instance_type` and `instance_types` exclude each other");
            problem.help("remove one of them");
            return None;
        }
        (None, None) => {
            // A misspelt key was reported as unknown.
            if written.sound {
                let problem = loader.problems.error(written.place, "a node pool needs the key `instance_type`");
                problem.label("not found here").help("or `instance_types`, if it has several");
            }
            return None;
        }
    };
    let types: Vec<_> = match mix {
        Mix::Equal(list) => list.iter().map(|name| (name.clone(), 1.0)).collect(),
        Mix::Weighted(entries) => entries
            .0
            .iter()
            .map(|(key, weight)| {
                if weight.value.0 == 0 {
                    loader.problems.error(weight.place, "a weight is at least 1").help("remove the type");
                }
                (At { value: key.name.clone(), place: key.place }, weight.value.0 as f64)
            })
            .collect(),
    };
    if types.is_empty() {
        loader.problems.error(written.place, "a node pool needs at least one instance type");
    }
    if let Some(limits) = &written.limits {
        let problem = loader.problems.error(limits.place, "`limits` are those of one instance type");
        problem.help("for several, give `instance_types: {file: …}` at the top of the scenario");
    }
    report_duplicates(loader, "entries", types.iter().map(|(name, _)| Some(name)));
    let right = types.iter().all(|(_, weight)| *weight > 0.0) && written.limits.is_none();
    (right && !types.is_empty()).then_some(types)
}

fn one(
    loader: &mut Loader,
    path: String,
    name: &At<String>,
    weight: f64,
    written: &written::NodePool,
    table: Option<&Table>,
) -> Option<Type> {
    let limits = limits(loader, &path, name, written.limits.as_ref(), table);
    let exclusive = super::pools::exclusive(written).is_some();
    let max_pods = max_pods(loader, &format!("{path}.max_pods"), written.max_pods.as_ref(), limits.as_ref(), exclusive);
    let (limits, max_pods) = (limits?, max_pods?);
    let allocatable = allocatable(loader, &path, written.allocatable.as_ref(), &limits);
    Some(Type { name: name.value.clone(), path, limits, allocatable, max_pods, weight })
}

/// Limits of a type: as the scenario says, else its file, else the table.
fn limits(
    loader: &mut Loader,
    path: &str,
    name: &At<String>,
    own: Option<&written::Limits>,
    table: Option<&Table>,
) -> Option<InstanceLimits> {
    let adapters = own.and_then(|own| own.adapters.as_ref());
    let addresses = own.and_then(|own| own.ipv4_per_adapter.as_ref());
    let right = in_range(loader, "an instance has 2 to 128 interfaces", adapters, ADAPTERS)
        & in_range(loader, "an interface has 1 to 50 IPv4 addresses", addresses, ADDRESSES);
    let (known, source) = known(loader, name, table, adapters.zip(addresses).is_some())?;
    let mut figure = |key: &str, own: Option<&At<Count>>, known: Option<u32>| {
        let (value, origin) = match own {
            Some(at) => (Some(u32::try_from(at.value.0).unwrap_or(u32::MAX)), loader.origin(at.place)),
            None => (known, Origin::Default { source: source.clone() }),
        };
        let shown = value.map_or_else(|| "not known".to_owned(), |value| value.to_string());
        loader.settings.push(Setting { path: format!("{path}.limits.{key}"), value: shown, origin });
        value
    };
    let of = |pick: fn(&written::Limits) -> Option<&At<Count>>| own.and_then(pick);
    // Only a type whose interface can be a trunk has more in all than beside each other.
    let is_given = own.is_some_and(|own| own.total_adapters.is_some());
    let limits = InstanceLimits {
        trunk: known.trunk.or(is_given.then_some(true)),
        adapters: figure("adapters", adapters, Some(known.adapters)).unwrap_or_default(),
        ipv4_per_adapter: figure("ipv4_per_adapter", addresses, Some(known.ipv4_per_adapter)).unwrap_or_default(),
        ipv6_per_adapter: figure("ipv6_per_adapter", of(|l| l.ipv6_per_adapter.as_ref()), known.ipv6_per_adapter),
        total_adapters: figure("total_adapters", of(|l| l.total_adapters.as_ref()), known.total_adapters),
        erdma_adapters: figure("erdma_adapters", of(|l| l.erdma_adapters.as_ref()), known.erdma_adapters),
        ..known
    };
    let adapters = u64::from(limits.adapters);
    let (few, many) = ("these are fewer than the `adapters`, which they include", "these are more than the `adapters`");
    let fits = in_range(loader, few, of(|l| l.total_adapters.as_ref()), adapters..=u64::MAX)
        & in_range(loader, many, of(|l| l.erdma_adapters.as_ref()), 0..=adapters);
    (right && fits && joins(loader, name, &limits)).then_some(limits)
}

/// What is known of a type, and from where; `given` = the scenario says all that matters.
fn known(
    loader: &mut Loader,
    name: &At<String>,
    table: Option<&Table>,
    given: bool,
) -> Option<(InstanceLimits, String)> {
    let in_file = table.and_then(|table| Some((*table.limits.as_ref()?.get(&name.value)?, table.file.clone())));
    if in_file.is_some() {
        return in_file;
    }
    match builtin(&name.value) {
        Ok((limits, source)) => Some((limits, source.to_owned())),
        Err(_) if given => Some((InstanceLimits::default(), String::new())),
        Err(error) => {
            // A file of types that is wrong might hold this one.
            if table.is_none_or(|table| table.limits.is_some()) {
                report_unknown_type(loader, name, error);
            }
            None
        }
    }
}

/// Whether ACK lets nodes of this type join. If not, there are no such nodes, and no figure about
/// them is right.
fn joins(loader: &mut Loader, name: &At<String>, limits: &InstanceLimits) -> bool {
    if limits.joins() {
        return true;
    }
    let title = format!("ACK does not let nodes of type `{}` join a Terway cluster", name.value);
    let problem = loader.problems.error(name.place, title);
    let pods = show::count(limits.multi_ip_pods().into(), "pod", "pods");
    problem.label(format!("room for {pods}; ACK asks for more than {JOIN_THRESHOLD} (work-with-terway)"));
    problem.help("take a larger type; if its figures are wrong, give `limits: {adapters: …, ipv4_per_adapter: …}`");
    false
}

/// Whether a number is in a range, or not written at all; reports if not.
fn in_range(loader: &mut Loader, title: &str, written: Option<&At<Count>>, range: RangeInclusive<u64>) -> bool {
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
    exclusive: bool,
) -> Option<u32> {
    if !in_range(loader, "a node takes 1 to 10,000 pods", written, 1..=MOST_PODS) {
        return None;
    }
    if exclusive {
        return exclusive_pods(loader, path, written, limits?);
    }
    if let Some(at) = written {
        loader.written(path, format!("{} pods", at.value.0), at.place);
        return u32::try_from(at.value.0).ok();
    }
    let most = limits?.multi_ip_pods();
    let rule = "ACK's rule: (adapters − 1) × addresses per adapter (help.aliyun.com, work-with-terway)";
    loader.default(path, show::count(most.into(), "pod", "pods"), rule);
    Some(most)
}

/// Most pods of a node with exclusive interfaces: its resource `aliyun/eni` (rule C144), if pods request one of
/// that, or the kubelet's own limit where it is written. Only the webhook adds that request, and only to pods
/// of a PodNetworking (`pkg/controller/webhook/mutating.go:143-150,376-401`).
fn exclusive_pods(
    loader: &mut Loader,
    path: &str,
    written: Option<&At<Count>>,
    limits: &InstanceLimits,
) -> Option<u32> {
    let most = limits.exclusive_eni_pods();
    match written {
        Some(at) => {
            loader.written(path, show::count(at.value.0, "pod", "pods"), at.place);
            if at.value.0 > most.into() {
                let interfaces = show::count(most.into(), "interface", "interfaces");
                let problem =
                    loader.problems.warning(at.place, "a node takes more pods than it has interfaces for them");
                problem.label(format!(
                    "{interfaces}, one for each pod: the others wait on the node for ever (C144, C148)"
                ));
                problem.help(
                    "so it is where pods do not request `aliyun/eni: 1`; leave `max_pods` out where they do, and others wait \
                     for another node",
                );
            }
            u32::try_from(at.value.0).ok()
        }
        None => {
            let rule = "assumption: pods request `aliyun/eni: 1`, of which there are adapters − 1 (C144, \
                        pkg/controller/node/node.go:342-352)";
            loader.default(path, show::count(most.into(), "pod", "pods"), rule);
            Some(most)
        }
    }
}

/// What pods may request; without bound where nothing is known.
fn allocatable(
    loader: &mut Loader,
    path: &str,
    written: Option<&written::Allocatable>,
    limits: &InstanceLimits,
) -> Resources {
    let cpu = written.and_then(|own| own.cpu.as_ref()).map(|at| (at.value.0, at.place));
    let memory = written.and_then(|own| own.memory.as_ref()).map(|at| (at.value.0, at.place));
    let mut amount = |key: &str, written: Option<_>, default: Option<u32>, source: &str, show: fn(u32) -> String| {
        let path = format!("{path}.allocatable.{key}");
        match (written, default) {
            (Some((value, place)), _) => {
                loader.written(path, show(value), place);
                value
            }
            (None, Some(value)) => {
                loader.default(path, show(value), source);
                value
            }
            (None, None) => {
                loader.default(path, "without bound", "the type's is not known, and no pod requests any");
                u32::MAX
            }
        }
    };
    Resources {
        cpu_milli: amount(
            "cpu",
            cpu,
            limits.cpu_cores.map(reserved::allocatable_cpu_milli),
            reserved::CPU_SOURCE,
            show::cpu,
        ),
        memory_mib: amount(
            "memory",
            memory,
            limits.memory_mib.map(reserved::allocatable_memory_mib),
            reserved::MEMORY_SOURCE,
            show::memory,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::loader::Files;
    use crate::scenario::read::Read;
    use crate::scenario::written::Scenario;
    use crate::scenario::yaml;

    /// What is wrong if the pods of a workload request something of nodes of a type.
    fn told(pool: &str, requests: Resources) -> Vec<String> {
        let text = format!(
            "horizon: 1h\nvpc: {{cidr: 10.0.0.0/16, vswitches: [{{id: a, zone: z, cidr: 10.0.0.0/19}}]}}\n\
             terway: {{eni_config: {{vswitches: {{z: [a]}}}}}}\n\
             node_pools: [{{name: p, node_vswitch: a, nodes: 1, {pool}}}]\n\
             workloads: [{{name: w, deployment: {{replicas: 1}}}}]\n"
        );
        let mut loader = Loader::new(Files::Folder("tests/bad_input".into()));
        let file = loader.add_source("test.yaml".to_owned(), text);
        let tree = yaml::parse(&mut loader.problems, file).expect("it is YAML");
        let written = Scenario::read(&tree, &mut loader.problems).expect("it is a scenario");
        let model = super::super::resolve(&mut loader, &written, "test", String::new());
        let mut model = model.unwrap_or_else(|| panic!("{:?}", loader.problems));
        model.workloads[0].pod.requests = requests;
        check_requests(&mut loader, &model, written.node_pools.as_deref().unwrap_or_default());
        match loader.problems.finish() {
            Ok(_) => Vec::new(),
            Err(diagnostics) => vec![diagnostics.to_string()],
        }
    }

    /// The record of ecs.ebmre7p.32xlarge tells neither its cores nor its memory.
    #[test]
    fn requests_of_an_unknown_amount_are_refused() {
        let cpu = Resources { cpu_milli: 100, memory_mib: 0 };
        let both = Resources { cpu_milli: 100, memory_mib: 1 };
        let unknown = "instance_type: ecs.ebmre7p.32xlarge";
        let half = "instance_type: ecs.ebmre7p.32xlarge, allocatable: {cpu: 90}";
        assert_eq!(told(unknown, Resources::default()), [""; 0]);
        assert_eq!(told("instance_type: ecs.g7.2xlarge", both), [""; 0]);
        assert_eq!(told(half, cpu), [""; 0]);
        for (pool, requests) in [(unknown, cpu), (half, both)] {
            let told = told(pool, requests);
            assert!(told.len() == 1 && told[0].contains("ecs.ebmre7p.32xlarge` are not known"), "{told:?}");
        }
    }
}

//! Changes of a scenario before it is read: what stands at a path is replaced.

use super::Source;
use super::diagnostics::{Place, Problems, quoted_list};
use super::loader::Loader;
use super::yaml::{self, Key, Node, Value};
use crate::ipam::note::nearest;

/// A change of a scenario, as `--set PATH=VALUE` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Who wants it, such as `--set`: the name of the source that problems point into.
    pub option: String,
    /// Where: keys, and entries of lists by their name, ID or position, such as
    /// `node_pools.default.nodes`, `vpc.vswitches[0].cidr` or `terway.eni_config.max_pool_size`.
    pub path: String,
    /// What is to stand there, in YAML.
    pub value: String,
}

impl Edit {
    /// Who wants changes that the scenario's own section `sweep` asks for.
    pub const SWEEP: &'static str = "sweep";

    /// The change that `PATH=VALUE` asks for; what has no `=` has no value, which
    /// [`Blueprint::load`](super::Blueprint::load) reports.
    #[must_use]
    pub fn parse(option: &str, text: &str) -> Self {
        let (path, value) = text.split_once('=').unwrap_or((text, ""));
        Self { option: option.to_owned(), path: path.to_owned(), value: value.to_owned() }
    }
}

/// A step of a path, and where it stands in the text of the path.
#[derive(Debug, Clone)]
struct Step {
    name: String,
    place: Place,
}

/// Applies a change to the tree of a scenario; reports why it cannot be.
pub(super) fn apply(loader: &mut Loader, tree: &mut Node, edit: &Edit) {
    if edit.option == Edit::SWEEP {
        return apply_own(loader, tree, edit);
    }
    let text = format!("{}={}", edit.path, edit.value);
    // The value is read where it stands, so that its problems point there.
    let masked = " ".repeat(edit.path.len() + 1) + &edit.value;
    let file = loader.add_source(edit.option.clone(), masked);
    let value = yaml::parse(&mut loader.problems, file);
    loader.problems.sources[file] = Source { name: edit.option.clone(), text };
    let problems = &mut loader.problems;
    let whole = Place { file, start: 0, end: edit.path.len() };
    let Some(steps) = steps(&edit.path, whole, problems) else { return };
    let Some(value) = value else { return };
    if matches!(value.value, Value::Null) {
        let problem = problems.error(whole, format!("`{}` gets no value", edit.path));
        problem.help("write PATH=VALUE, such as `node_pools.default.nodes=120`");
        return;
    }
    if let Some(target) = descend(tree, &steps, problems) {
        *target = value;
    }
}

/// Applies a change that the scenario itself asks for: its problems point into its section.
fn apply_own(loader: &mut Loader, tree: &mut Node, edit: &Edit) {
    let Some((path, place)) = written_at(loader, tree, edit) else { return apply_as(loader, tree, edit, "--vary") };
    let mut aside = Problems::default();
    aside.sources.push(Source { name: String::new(), text: edit.value.clone() });
    let Some(mut value) = yaml::parse(&mut aside, 0) else {
        loader.problems.error(place, format!("`{}` is not YAML", edit.value));
        return;
    };
    value.put_at(place);
    let Some(steps) = steps(&edit.path, path, &mut loader.problems) else { return };
    if let Some(target) = descend(tree, &steps, &mut loader.problems) {
        *target = value;
    }
}

/// The same change as if somebody else wanted it.
fn apply_as(loader: &mut Loader, tree: &mut Node, edit: &Edit, option: &str) {
    apply(loader, tree, &Edit { option: option.to_owned(), ..edit.clone() });
}

/// Where the section `sweep` names the path of a change, and where its value.
fn written_at(loader: &Loader, tree: &Node, edit: &Edit) -> Option<(Place, Place)> {
    let (_, sweep) = entry(tree, "sweep")?;
    let (_, vary) = entry(sweep, "vary")?;
    let (key, values) = entry(vary, &edit.path)?;
    // In quotes, the path begins one character later.
    let written = loader.problems.sources[key.place.file].text.get(key.place.start..key.place.end)?;
    let start = key.place.start + written.find(&edit.path)?;
    let path = Place { start, end: start + edit.path.len(), ..key.place };
    let value = match &values.value {
        Value::List(items) => items.iter().find(|item| item.flow() == edit.value).unwrap_or(values),
        _ => values,
    };
    Some((path, value.place))
}

fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n (Key, Node)> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.name == name)
}

/// The steps of a path that stands at `whole`: keys apart by dots, and positions or names in
/// brackets.
fn steps(path: &str, whole: Place, problems: &mut Problems) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let rest = &path[at..];
        let (from, to, next) = match rest.strip_prefix('[') {
            Some(inner) => {
                let end = at + 1 + inner.find(']').unwrap_or(inner.len());
                (at + 1, end, end + 1)
            }
            None => {
                let end = at + rest.find(['.', '[']).unwrap_or(rest.len());
                (at, end, end)
            }
        };
        let place = Place { start: whole.start + from, end: whole.start + to, ..whole };
        steps.push(Step { name: path[from..to].trim().to_owned(), place });
        at = next + usize::from(path[next.min(path.len())..].starts_with('.'));
    }
    let right = !steps.is_empty() && !path.ends_with('.') && steps.iter().all(|step| !step.name.is_empty());
    if !right {
        let problem = problems.error(whole, format!("`{path}` is no path in a scenario"));
        problem.help("keys are apart by dots, such as `node_pools.default.nodes` or `vpc.vswitches[0].cidr`");
    }
    right.then_some(steps)
}

/// Keys whose values are lists of things with names.
const LISTS: [&str; 7] =
    ["actions", "node_pools", "pod_networkings", "tenants", "vswitches", "workloads", "zone_outages"];

/// The node at the end of the steps; keys that are missing are made.
fn descend<'n>(node: &'n mut Node, steps: &[Step], problems: &mut Problems) -> Option<&'n mut Node> {
    let Some((step, rest)) = steps.split_first() else { return Some(node) };
    let (place, kind) = (node.place, node.kind());
    let next = match &mut node.value {
        Value::Map(entries) => {
            let known = entries.iter().position(|(key, _)| key.name == step.name);
            if let (None, Some(entry)) = (known, rest.first().filter(|_| LISTS.contains(&step.name.as_str()))) {
                let problem = problems.error(entry.place, format!("there is no entry `{}`", entry.name));
                problem.help(format!("the scenario has no `{}`", step.name));
                return None;
            }
            let at = known.unwrap_or_else(|| {
                // A block of addresses is stated in one of two ways.
                match step.name.as_str() {
                    "prefix" => entries.retain(|(key, _)| key.name != "cidr"),
                    "cidr" => entries.retain(|(key, _)| key.name != "prefix"),
                    _ => {}
                }
                let key = Key { name: step.name.clone(), place: step.place };
                entries.push((key, Node { value: Value::Map(Vec::new()), place: step.place }));
                entries.len() - 1
            });
            &mut entries[at].1
        }
        Value::List(items) => {
            let at = position(items, step, problems)?;
            &mut items[at]
        }
        _ => {
            let problem = problems.error(step.place, format!("there is no `{}` here", step.name));
            problem.context(place, format!("this is {kind}"));
            return None;
        }
    };
    if step.name == "eni_config"
        && rest.first().is_some_and(|next| !["file", "text", "patch"].contains(&next.name.as_str()))
    {
        return descend(patch_of(next, step)?, rest, problems);
    }
    descend(next, rest, problems)
}

/// Where keys of an eni-config go: into the patch of one that stands in a file, or is a text.
fn patch_of<'n>(node: &'n mut Node, step: &Step) -> Option<&'n mut Node> {
    if matches!(node.value, Value::Text(_)) {
        let key = Key { name: "text".to_owned(), place: node.place };
        node.value = Value::Map(vec![(key, node.clone())]);
    }
    let Value::Map(entries) = &mut node.value else { return Some(node) };
    if !entries.iter().any(|(key, _)| ["file", "text"].contains(&key.name.as_str())) {
        return Some(node);
    }
    if !entries.iter().any(|(key, _)| key.name == "patch") {
        let key = Key { name: "patch".to_owned(), place: step.place };
        entries.push((key, Node { value: Value::Map(Vec::new()), place: step.place }));
    }
    let Value::Map(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|(key, _)| key.name == "patch").map(|(_, patch)| patch)
}

/// The entry of a list that a step names: by position, or by its name or ID.
fn position(items: &[Node], step: &Step, problems: &mut Problems) -> Option<usize> {
    let names: Vec<_> = items.iter().map(|item| name_of(item).unwrap_or_default()).collect();
    let by_name = names.iter().position(|name| *name == step.name);
    let by_position = || step.name.parse::<usize>().ok().filter(|&at| at < items.len());
    let found = by_name.or_else(by_position);
    if found.is_none() {
        let problem = problems.error(step.place, format!("there is no entry `{}`", step.name));
        let known: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
        match nearest(&step.name, known.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => {
                problem.help(format!("write a position from 0 on; the list has {}", items.len()))
            }
            None => problem.help(format!("known: {}", quoted_list(known.iter().copied()))),
        };
    }
    found
}

/// The name or the ID of an entry of a list.
pub(super) fn name_of(item: &Node) -> Option<&str> {
    let Value::Map(entries) = &item.value else { return None };
    let named = |wanted: &str| entries.iter().find(|(key, _)| key.name == wanted).map(|(_, value)| &value.value);
    match named("name").or_else(|| named("id")) {
        Some(Value::Text(name)) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{Blueprint, Diagnostics, Loaded};

    const SCENARIO: &str = "
horizon: 10d
vpc:
  cidr: 10.0.0.0/8
  vswitches: [{id: vsw-a, zone: a, cidr: 10.0.0.0/24}]
terway: {eni_config: {vswitches: {a: [vsw-a]}, max_pool_size: 5}}
node_pools: [{name: a.b, instance_type: ecs.g7.2xlarge, node_vswitch: vsw-a, nodes: 1}]
";

    fn load(changes: &[&str]) -> Result<Loaded, Diagnostics> {
        let edits = changes.iter().map(|text| Edit::parse("--set", text));
        Blueprint::of_text("a.yaml", SCENARIO, Path::new("")).with(edits).load()
    }

    #[test]
    fn what_stands_at_a_path_is_replaced() {
        let changes = [
            "node_pools[a.b].nodes=7",
            "vpc.vswitches[0].cidr=10.0.1.0/25",
            "terway.eni_config.max_pool_size=9",
            "seed=3",
        ];
        let loaded = load(&changes).expect("all of them fit");
        let model = &loaded.model;
        let max_idle = model.node_pools[0].zones()[0].daemon.max_idle();
        assert_eq!((model.seed, max_idle, model.vpc.vswitches[0].cidr.prefix_len()), (3, 9, 25));
        assert_eq!(model.node_pools[0].size, crate::model::PoolSize::Scheduled(crate::model::Schedule::Constant(7.0)));
        let seed = loaded.settings.iter().find(|setting| setting.path == "seed").expect("it is noted");
        assert_eq!(seed.origin, crate::scenario::Origin::Command);
        // The files alone, with the changes, are the same scenario.
        let again = loaded.blueprint().load().expect("it loaded before");
        assert_eq!(again.model, loaded.model);
    }

    #[test]
    fn keys_that_are_missing_are_made() {
        let loaded = load(&["cloud.quotas.vpc_addresses=500"]).expect("it fits");
        assert_eq!(loaded.model.cloud.quotas.vpc_addresses, Some(500));
    }

    #[test]
    fn a_path_that_does_not_resolve_is_pointed_at() {
        for (text, says) in [
            ("node_pools.ab.nodes=7", "known: `a.b`"),
            ("horizon.of=7d", "there is no `of` here"),
            ("hroizon=7d", "did you mean `horizon`?"),
            ("a..b=7", "is no path"),
            ("seed", "gets no value"),
            ("seed=few", "a whole number is expected"),
        ] {
            let wrong = load(&[text]).expect_err(text).to_string();
            assert!(wrong.contains(says) && wrong.contains("--set:1:"), "{text}: {wrong}");
        }
    }
}

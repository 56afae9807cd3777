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
    let text = format!("{}={}", edit.path, edit.value);
    // The value is read where it stands, so that its problems point there.
    let masked = " ".repeat(edit.path.len() + 1) + &edit.value;
    let file = loader.add_source(edit.option.clone(), masked);
    let value = yaml::parse(&mut loader.problems, file);
    loader.problems.sources[file] = Source { name: edit.option.clone(), text };
    let problems = &mut loader.problems;
    let Some(steps) = steps(&edit.path, file, problems) else { return };
    let Some(value) = value else { return };
    if matches!(value.value, Value::Null) {
        let place = Place { file, start: 0, end: edit.path.len() };
        let problem = problems.error(place, format!("`{}` gets no value", edit.path));
        problem.help("write PATH=VALUE, such as `node_pools.default.nodes=120`");
        return;
    }
    if let Some(target) = descend(tree, &steps, problems) {
        *target = value;
    }
}

/// The steps of a path: keys apart by dots, and positions or names in brackets.
fn steps(path: &str, file: usize, problems: &mut Problems) -> Option<Vec<Step>> {
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
        steps.push(Step { name: path[from..to].trim().to_owned(), place: Place { file, start: from, end: to } });
        at = next + usize::from(path[next.min(path.len())..].starts_with('.'));
    }
    let right = !steps.is_empty() && !path.ends_with('.') && steps.iter().all(|step| !step.name.is_empty());
    if !right {
        let place = Place { file, start: 0, end: path.len() };
        let problem = problems.error(place, format!("`{path}` is no path in a scenario"));
        problem.help("keys are apart by dots, such as `node_pools.default.nodes` or `vpc.vswitches[0].cidr`");
    }
    right.then_some(steps)
}

/// The node at the end of the steps; keys that are missing are made.
fn descend<'n>(node: &'n mut Node, steps: &[Step], problems: &mut Problems) -> Option<&'n mut Node> {
    let Some((step, rest)) = steps.split_first() else { return Some(node) };
    let (place, kind) = (node.place, node.kind());
    let next = match &mut node.value {
        Value::Map(entries) => {
            let at = entries.iter().position(|(key, _)| key.name == step.name).unwrap_or_else(|| {
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

//! What is done while the run goes on: each action has a name, a trigger and one deed.

mod deeds;
mod edits;
mod order;
#[cfg(test)]
mod tests;
mod triggers;
mod warn;

use super::report_duplicates;
use super::vpc::{self, Names};
use crate::ipam::eni_config::Document;
use crate::model::{Action, Model, VSwitch};
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::written::{self, Scenario};
use crate::time::Span;

use deeds::Kind;
use edits::Edits;
use order::Order;

pub(super) use warn::warn;

/// What `after` calls the entry before.
const PREVIOUS: &str = "previous";

/// What actions refer to.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub names: &'a Names<'a>,
    pub base: &'a Document,
    pub written: &'a Scenario,
}

/// Gives a model that lacks nothing else its actions, and the vSwitches that they add; reports
/// what is wrong with them.
pub(super) fn resolve(loader: &mut Loader, model: &mut Model, world: World<'_>) {
    let written = world.written.actions.as_deref().unwrap_or_default();
    let mark = loader.settings.len();
    let Some(added) = added_vswitches(loader, world, model.horizon) else { return };
    model.vpc.vswitches.extend(added);
    let of_vswitches = loader.settings.split_off(mark);
    let kinds: Vec<_> = written.iter().map(|written| deeds::the_one(loader, written)).collect();
    let names = names(loader, written, &kinds);
    let triggers = triggers::resolve(loader, model, written, &names);
    loader.settings.extend(of_vswitches);
    let order = triggers.map(|triggers| Order::new(triggers, &kinds));
    let mut edits = Edits::new(loader, model, world, order.as_ref(), &names);
    let deeds = kinds.iter().enumerate().map(|(i, kind)| deeds::resolve(loader, model, i, kind.as_ref()?, &mut edits));
    let deeds: Vec<_> = deeds.collect();
    loader.settings[mark..].sort_by_key(|setting| position(&setting.path));
    let (Some(order), Some(deeds)) = (order, deeds.into_iter().collect::<Option<Vec<_>>>()) else {
        if !loader.problems.has_errors() {
            loader.problems.error_without_place("the scenario's actions are incomplete");
        }
        return;
    };
    let actions = names.into_iter().zip(order.triggers).zip(deeds);
    model.actions = actions.map(|((name, trigger), (deed, text))| Action { name, text, trigger, deed }).collect();
}

/// Reports what is wrong with the names and the triggers of actions, and what is no deed.
pub(super) fn check(loader: &mut Loader, model: &Model, written: &Scenario) {
    let written = written.actions.as_deref().unwrap_or_default();
    let kinds: Vec<_> = written.iter().map(|written| deeds::the_one(loader, written)).collect();
    let names = names(loader, written, &kinds);
    triggers::resolve(loader, model, written, &names);
}

/// The path of an action's settings.
fn path(index: usize) -> String {
    format!("actions[{index}]")
}

/// The position of the action that a path lies in.
fn position(path: &str) -> Option<usize> {
    path.strip_prefix("actions[")?.split_once(']')?.0.parse().ok()
}

/// The vSwitches that actions add; `None` = one is wrong, which is reported.
fn added_vswitches(loader: &mut Loader, world: World<'_>, horizon: Span) -> Option<Vec<VSwitch>> {
    let vpc = world.written.vpc.as_ref().and_then(|vpc| vpc.cidr.as_ref());
    let written = world.written.actions.iter().flatten().enumerate();
    let added = written.filter_map(|(i, action)| Some((i, &action.add_vswitch.as_ref()?.0)));
    let added = added.map(|(i, written)| {
        let vswitch = vpc::vswitch(loader, &format!("{}.add_vswitch", path(i)), written, vpc, Some(horizon))?;
        Some(VSwitch { added_by: Some(i), ..vswitch })
    });
    added.collect::<Vec<_>>().into_iter().collect()
}

/// The names of all actions: those that were written, and what the others do, counted.
fn names(loader: &mut Loader, written: &[written::Action], kinds: &[Option<Kind<'_>>]) -> Vec<String> {
    report_duplicates(loader, "actions", written.iter().map(|action| action.name.as_ref()));
    let taken: Vec<_> = written.iter().filter_map(|action| action.name.as_ref()).map(|at| &at.value).collect();
    let mut names: Vec<String> = Vec::new();
    for (i, (action, kind)) in written.iter().zip(kinds).enumerate() {
        if let Some(at) = &action.name {
            check_name(loader, at);
            loader.written(format!("{}.name", path(i)), at.value.clone(), at.place);
            names.push(at.value.clone());
            continue;
        }
        let key = kind.as_ref().map_or("action", Kind::key);
        let mut counted = (1..).map(|n| format!("{key}-{n}"));
        let name = counted.find(|name| !taken.contains(&name) && !names.contains(name)).expect("numbers have no end");
        loader.default(format!("{}.name", path(i)), name.clone(), "what it does, counted");
        names.push(name);
    }
    names
}

/// Reports a name that `after` could not tell from something else.
fn check_name(loader: &mut Loader, at: &At<String>) {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = &at.value;
    if !name.chars().all(fits) || name == PREVIOUS || name.parse::<Span>().is_ok() {
        let problem = loader.problems.error(at.place, "this is no name for an action");
        problem.help("use letters, digits, `-`, `_` and `.`; not `previous`, and no duration");
    }
}

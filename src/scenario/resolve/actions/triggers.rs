//! When actions begin: at a time, on a condition, or after another.

use super::{PREVIOUS, path};
use crate::ipam::note::nearest;
use crate::model::{Model, Trigger};
use crate::scenario::diagnostics::{Place, quoted_list};
use crate::scenario::expression::read_condition;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::written;
use crate::time::{Instant, Span};

/// The triggers of all actions, which have these names; `None` = one is wrong, which is reported.
pub(super) fn resolve(
    loader: &mut Loader,
    model: &Model,
    written: &[written::Action],
    names: &[String],
) -> Option<Vec<Trigger>> {
    let triggers: Vec<_> = written.iter().enumerate().map(|(i, w)| trigger(loader, model, i, w, names)).collect();
    triggers.into_iter().collect()
}

fn trigger(
    loader: &mut Loader,
    model: &Model,
    index: usize,
    written: &written::Action,
    names: &[String],
) -> Option<Trigger> {
    let path = |key: &str| format!("{}.{key}", path(index));
    match (&written.at, &written.when, &written.after) {
        (Some(at), None, None) => {
            loader.written(path("at"), at.value.0.in_full(), at.place);
            Some(Trigger::At(Instant::ZERO + at.value.0))
        }
        (None, Some(at), None) => {
            let condition = read_condition(at, model, &mut loader.problems)?;
            loader.written(path("when"), condition.text.clone(), at.place);
            Some(Trigger::When(condition))
        }
        (None, None, Some(at)) => {
            let (action, delay) = after(loader, index, at, names)?;
            loader.written(path("after"), waits(&names[action], delay), at.place);
            Some(Trigger::After { action, delay })
        }
        (None, None, None) => of_none(loader, index, written, names),
        _ => {
            let problem = loader.problems.error(written.place, "an action begins once, but this says it twice");
            problem.help("keep one of `at`, `when` and `after`");
            None
        }
    }
}

/// What an action waits for, in words.
fn waits(name: &str, delay: Span) -> String {
    if delay == Span::ZERO { name.to_owned() } else { format!("{name} + {delay}") }
}

/// The trigger of an action that states none: it follows the one before.
fn of_none(loader: &mut Loader, index: usize, written: &written::Action, names: &[String]) -> Option<Trigger> {
    if let Some(action) = index.checked_sub(1) {
        let source = "no trigger: as soon as the action before is complete";
        loader.default(format!("{}.after", path(index)), names[action].clone(), source);
        return Some(Trigger::After { action, delay: Span::ZERO });
    }
    // The trigger may be what is wrong.
    if written.sound {
        let problem = loader.problems.error(written.place, "it is not said when the first action begins");
        problem.help("write `at: 30d`, or a condition: `when: VSWITCH.free < 200`");
    }
    None
}

/// What an action waits for, and how long after that: `5m`, `NAME` or `NAME + 5m`.
fn after(loader: &mut Loader, index: usize, at: &At<String>, names: &[String]) -> Option<(usize, Span)> {
    let text = at.value.trim();
    let (name, delay) = match text.rsplit_once('+') {
        Some((name, delay)) => (name.trim(), delay.trim()),
        None if text.parse::<Span>().is_ok() => (PREVIOUS, text),
        None => (text, "0s"),
    };
    let action = named(loader, index, at, name, names);
    let delay = delay.parse::<Span>().map_err(|_| {
        let place = part(loader, at, delay);
        let title = if delay.is_empty() {
            "a duration is missing here".to_owned()
        } else {
            format!("`{delay}` is not a duration")
        };
        let problem = loader.problems.error(place, title);
        problem.help("write a number with its unit, such as `after: previous + 5m`");
    });
    Some((action?, delay.ok()?))
}

/// The position of an earlier action by its name.
fn named(loader: &mut Loader, index: usize, at: &At<String>, name: &str, names: &[String]) -> Option<usize> {
    let found = if name == PREVIOUS { index.checked_sub(1) } else { names[..index].iter().position(|n| n == name) };
    if found.is_some() {
        return found;
    }
    let place = part(loader, at, name);
    if name == PREVIOUS {
        loader.problems.error(place, "there is no action before the first").help("write `at` or `when`");
        return None;
    }
    if let Some(later) = names[index..].iter().position(|other| other == name) {
        let title = if later == 0 { "an action cannot wait for itself" } else { "an action waits for an earlier one" };
        let problem = loader.problems.error(place, title);
        problem.help("actions stand in the order in which they come: move this one behind the other");
        return None;
    }
    let known = || names[..index].iter().map(String::as_str);
    let problem = loader.problems.error(place, format!("there is no action `{name}` before this one"));
    match nearest(name, known()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("known: {}", quoted_list(known().chain([PREVIOUS])))),
    };
    None
}

/// Where a part of a text stands.
fn part(loader: &Loader, at: &At<String>, part: &str) -> Place {
    let Place { file, start, end } = at.place;
    let written = loader.problems.sources[file].text.get(start..end).unwrap_or_default();
    match written.find(part).filter(|_| !part.is_empty()) {
        Some(shift) => Place { file, start: start + shift, end: start + shift + part.len() },
        None => at.place,
    }
}

//! Moments at which something happens again and again: `at`, or `every` and `first`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::diagnostics::{Place, Problems};
use super::loader::Loader;
use super::quantity::Duration;
use super::read::{At, Read};
use super::show;
use super::yaml::{Node, Value};
use crate::model::Times;
use crate::time::{Instant, Span};

/// Shortest time between two of them.
const SHORTEST: Span = Span::secs(1);

/// Times since the start: one, or a list.
#[derive(Debug, Clone)]
pub(super) struct Moments(pub Vec<At<Duration>>);

/// The keys `at`, `first` and `every` of a section, which has them among others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'w> {
    /// Just these times.
    pub at: Option<&'w Moments>,
    /// The first time.
    pub first: Option<&'w At<Duration>>,
    /// The time between two.
    pub every: Option<&'w At<Duration>>,
    /// Where the section begins.
    pub place: Place,
}

/// The times that were written, below `path`; all are later than the start. `None` = they are
/// wrong, which is reported.
pub(super) fn times(loader: &mut Loader, path: &str, written: Written<'_>) -> Option<Times> {
    match (written.at, written.every) {
        (Some(at), None) => {
            if let Some(first) = written.first {
                let problem = loader.problems.error(first.place, "`first` belongs to `every`");
                problem.help("list all times in `at`");
                return None;
            }
            moments(loader, path, at, written.place)
        }
        (None, Some(every)) => periodic(loader, path, every, written.first),
        (Some(_), Some(every)) => {
            let problem = loader.problems.error(every.place, "times are stated twice: by `every` and by `at`");
            problem.help("remove one of them");
            None
        }
        (None, None) => {
            let problem = loader.problems.error(written.place, "it is not said when this happens");
            problem.help("write `every: 30d`, with `first: 10d` or without, or `at: [10d, 40d]`");
            None
        }
    }
}

fn moments(loader: &mut Loader, path: &str, at: &Moments, place: Place) -> Option<Times> {
    if at.0.is_empty() {
        loader.problems.error(place, "`at` needs at least one time");
        return None;
    }
    let mut right = true;
    for (i, time) in at.0.iter().enumerate() {
        right &= after_start(loader, time);
        if let Some(before) = i.checked_sub(1).map(|i| &at.0[i]).filter(|before| before.value.0 >= time.value.0) {
            let problem = loader.problems.error(time.place, "times must increase");
            problem.context(before.place, "the time before");
            right = false;
        }
    }
    let times = Times::At(at.0.iter().map(|time| Instant::ZERO + time.value.0).collect());
    loader.written(format!("{path}.at"), show::times(&times), at.0[0].place);
    right.then_some(times)
}

fn periodic(loader: &mut Loader, path: &str, every: &At<Duration>, first: Option<&At<Duration>>) -> Option<Times> {
    let period = every.value.0;
    loader.written(format!("{path}.every"), period.in_full(), every.place);
    if period < SHORTEST {
        loader.problems.error(every.place, format!("this is shorter than {SHORTEST}, the shortest that is simulated"));
        return None;
    }
    let at = match first {
        Some(first) if !after_start(loader, first) => return None,
        Some(first) => {
            loader.written(format!("{path}.first"), first.value.0.in_full(), first.place);
            first.value.0
        }
        None => {
            loader.default(format!("{path}.first"), period.in_full(), "`every` after the start");
            period
        }
    };
    Some(Times::Every { first: Instant::ZERO + at, period })
}

/// Whether a time is later than the start; reports if not.
fn after_start(loader: &mut Loader, time: &At<Duration>) -> bool {
    if time.value.0 == Span::ZERO {
        loader.problems.error(time.place, "this must be later than the start").help("write `1s` for at once");
        return false;
    }
    true
}

impl Read for Moments {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::List(_) => Read::read(node, problems).map(Self),
            _ => Read::read(node, problems).map(|one| Self(vec![one])),
        }
    }
}

impl JsonSchema for Moments {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moments".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (one, list) = (generator.subschema_for::<Duration>(), generator.subschema_for::<Vec<Duration>>());
        json_schema!({ "anyOf": [one, list] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::loader::Files;
    use crate::scenario::read::section;
    use crate::scenario::yaml;

    section! {
        /// A section with times.
        "`test`" struct Timed {
            /// Times.
            optional at: Moments,
            /// The first.
            optional first: At<Duration>,
            /// The period.
            optional every: At<Duration>,
        }
    }

    /// The times, or what is wrong with them.
    fn meant(yaml: &str) -> Result<Times, String> {
        let mut loader = Loader::new(Files::Folder("tests/bad_input".into()));
        let file = loader.add_source("test.yaml".to_owned(), yaml.to_owned());
        let tree = yaml::parse(&mut loader.problems, file).expect("it is YAML");
        let written = Timed::read(&tree, &mut loader.problems).expect("it is a section");
        let Timed { at, first, every, place, .. } = &written;
        let written = Written { at: at.as_ref(), first: first.as_ref(), every: every.as_ref(), place: *place };
        times(&mut loader, "test", written).ok_or_else(|| loader.problems.finish().expect_err("told").to_string())
    }

    #[test]
    fn times_mean_what_they_say() {
        let day = |n| Instant::ZERO + Span::days(n);
        let every = |first, period| Times::Every { first: day(first), period: Span::days(period) };
        assert_eq!(meant("{at: [1d, 5d]}"), Ok(Times::At(vec![day(1), day(5)])));
        assert_eq!(meant("{at: 5d}"), Ok(Times::At(vec![day(5)])));
        assert_eq!(meant("{every: 7d}"), Ok(every(7, 7)));
        assert_eq!(meant("{every: 7d, first: 2d}"), Ok(every(2, 7)));
    }

    #[test]
    fn times_that_cannot_be_are_told() {
        for (yaml, told) in [
            ("{first: 1d}", "it is not said when this happens"),
            ("{at: 1d, every: 1d}", "stated twice"),
            ("{at: 1d, first: 1d}", "`first` belongs to `every`"),
            ("{at: [2d, 1d]}", "times must increase"),
            ("{at: [1d, 24h]}", "times must increase"),
            ("{at: []}", "at least one time"),
            ("{at: 0s}", "later than the start"),
            ("{every: 1d, first: 0s}", "later than the start"),
            ("{every: 5ms}", "shorter than 1.0 s"),
        ] {
            let error = meant(yaml).expect_err(yaml);
            assert!(error.contains(told), "{yaml}: {error}");
        }
    }
}

//! How many runs there are, and how precise they have to be.

use super::within;
use crate::model::{HalfWidth, Model, Precision};
use crate::scenario::defaults;
use crate::scenario::expression::read_reading;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::written::{self, Replications, Until};
use crate::units::thousands;

/// Most replications.
const MOST: u64 = 10_000;

/// Fewest replications that a precision is judged by.
const FEWEST: u32 = Precision::FEWEST_RUNS;

/// Independent runs, at most.
pub(super) fn replications(loader: &mut Loader, written: Option<&Replications>) -> u32 {
    let until = match written {
        Some(Replications::Until(until)) => until,
        fixed => {
            let fixed = match fixed {
                Some(Replications::Fixed(number)) => Some(number),
                _ => None,
            };
            let number = within(loader, "replications", fixed, MOST);
            return loader.or_default("replications", number, defaults::REPLICATIONS, u32::to_string);
        }
    };
    if let Some(Until { measure: Some(measure), half_width: Some(half_width), .. }) = &until.until {
        let text = format!("the mean of {} is known to ± {}", measure.value, show(half_width.value));
        loader.written("replications.until", text, half_width.place);
    }
    let at_most = within(loader, "at_most", until.at_most.as_ref(), MOST);
    if let Some((_, place)) = at_most.filter(|&(n, _)| n < FEWEST) {
        let title = format!("a precision is judged by {FEWEST} runs and more");
        loader.problems.error(place, title).help(format!("`at_most` is a number from {FEWEST} to {}", thousands(MOST)));
    }
    loader.or_default("replications.at_most", at_most, defaults::AT_MOST, u32::to_string)
}

/// How precise the runs have to be, if the scenario says so.
pub(super) fn precision(loader: &mut Loader, model: &mut Model, written: Option<&Replications>) {
    let Some(Replications::Until(until)) = written else { return };
    let Some(Until { measure: Some(measure), half_width: Some(half_width), .. }) = &until.until else { return };
    let Some(reading) = read_reading(measure, model, &mut loader.problems) else { return };
    let Some(half_width) = self::half_width(loader, half_width, reading.unit()) else { return };
    model.observe(&reading);
    model.precision = Some(Precision { reading, name: measure.value.trim().to_owned(), half_width });
}

/// A half-width in this unit; reports one in another, and one of nothing.
fn half_width(loader: &mut Loader, written: &At<written::HalfWidth>, unit: &str) -> Option<HalfWidth> {
    let (size, width) = match (written.value, unit) {
        (written::HalfWidth::Share(share), _) => (share, HalfWidth::OfMean(share)),
        (written::HalfWidth::Span(span), "s") => (span.as_secs_f64(), HalfWidth::Absolute(span.as_secs_f64())),
        (written::HalfWidth::Number(n), unit) if unit != "s" => (n, HalfWidth::Absolute(n)),
        (_, unit) => {
            let expected =
                if unit == "s" { "a duration, such as `1d`".to_owned() } else { format!("a number of {unit}") };
            let problem = loader.problems.error(written.place, format!("the half-width of this measure is {expected}"));
            problem.help("or a percentage of the mean, such as `5 %`");
            return None;
        }
    };
    if size <= 0.0 {
        let problem = loader.problems.error(written.place, "no number of runs makes an interval of nothing");
        problem.help("write the half-width that is narrow enough for you");
        return None;
    }
    Some(width)
}

fn show(written: written::HalfWidth) -> String {
    match written {
        written::HalfWidth::Number(n) => n.to_string(),
        written::HalfWidth::Span(span) => span.to_string(),
        written::HalfWidth::Share(share) => crate::scenario::show::percent(share),
    }
}

//! Whether runs are as precise as a scenario wants them to be.

use serde::Serialize;

use super::words::{count, span, unit_text};
use super::{Estimate, value};
use crate::model::{HalfWidth, Model, Precision};
use crate::record::Recording;
use crate::text::{Text, phrase, text};
use crate::units::percent;

/// How precise the mean of a reading is, beside how precise it has to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrecisionSummary {
    /// Name of the reading.
    pub measure: String,
    /// Whether the interval is narrow enough.
    pub reached: bool,
    /// Runs in which the reading is a finite number; the interval is that of these.
    pub runs_with_it: usize,
    /// Half the width of the interval, in the unit of the reading; none with less than two runs.
    pub half_width: Option<f64>,
    /// In words.
    pub text: Text,
}

/// How precise `recordings` of `model` are. What never comes in a run has no mean, so the interval
/// is that of the runs in which it does, and takes ten of them at least.
#[must_use]
pub fn precision(wanted: &Precision, model: &Model, recordings: &[Recording]) -> PrecisionSummary {
    let values = recordings.iter().filter_map(|run| value(&wanted.reading, model, run)).filter(|x| x.is_finite());
    let values: Vec<f64> = values.collect();
    let estimate = Estimate::of(&values);
    let half_width = estimate.as_ref().and_then(Estimate::half_width);
    let enough = estimate.as_ref().map_or(0.0, |estimate| match wanted.half_width {
        HalfWidth::Absolute(width) => width,
        HalfWidth::OfMean(share) => share * estimate.mean.abs(),
    });
    let few = values.len() < Precision::FEWEST_RUNS as usize;
    // A share of nothing is nothing: runs in which nothing happened do not say how rarely it does.
    let reached = !few && half_width.is_some_and(|half| half <= enough && enough > 0.0);
    let text = text(wanted, reached, values.len(), recordings.len(), half_width);
    PrecisionSummary { measure: wanted.name.clone(), reached, runs_with_it: values.len(), half_width, text }
}

/// `The mean of vsw-AAA.time_to_full is known to ± 21h 3m, over the 34 of 53 runs that have it:
/// precise enough (± 1d).`
fn text(wanted: &Precision, reached: bool, with_it: usize, runs: usize, half_width: Option<f64>) -> Text {
    let number = |n: f64| {
        if wanted.reading.unit() == "s" {
            span(n)
        } else {
            text!("{number} {unit}", count(n), unit_text(wanted.reading.unit()))
        }
    };
    let known = half_width.map_or(text!("not known"), |half| text!("known to ± {}", number(half)));
    let whom = if with_it == runs {
        Text::default()
    } else {
        text!(", over the {with_it} of {runs} runs that have it", with_it, runs)
    };
    let enough = match wanted.half_width {
        HalfWidth::Absolute(width) => number(width),
        HalfWidth::OfMean(share) => text!("{} of the mean", percent(share)),
    };
    let few = with_it < Precision::FEWEST_RUNS as usize;
    let verdict = match (reached, few) {
        (true, _) => phrase!("precise enough"),
        (false, true) => phrase!("too few to judge"),
        (false, false) => phrase!("not as precise as wanted"),
    };
    text!("The mean of {} is {known}{whom}: {verdict} (± {enough}).", wanted.name, known, whom, verdict, enough)
}

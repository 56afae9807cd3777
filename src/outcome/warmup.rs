//! Whether means over time are those of a steady state, and from when on.
//!
//! The rule is MSER-5 (K. P. White, "An effective truncation heuristic for bias reduction in
//! simulation output", Simulation 69, 1997): of means of five rows each, so many are cut off from
//! the beginning that the mean of the rest has the smallest standard error; if that is more than
//! half of them, there is no steady state in sight. Rows are the means over the runs.

use serde::Serialize;

use super::words::count;
use super::{Clock, VSwitchSummary};
use crate::time::Span;

/// Rows per mean.
const BATCH: usize = 5;
/// Fewest means that the rule is used with.
const FEWEST: usize = 20;
/// Means that are never cut off: the standard error of fewer says nothing.
const KEPT: usize = 5;
/// A difference below this share of a level is none.
const NEGLIGIBLE: f64 = 0.01;
/// So many standard deviations of what comes later, and a beginning stands out from it.
const STANDS_OUT: f64 = 2.0;

/// So many standard deviations apart, and two halves have not the same level; those of a straight
/// line are 3.5 apart.
const DRIFTS: f64 = 1.5;

/// Whether the addresses that serve pods or sit idle come to a steady level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Steadiness {
    /// From when on they are steady; none if they change to the end.
    pub from_s: Option<f64>,
    /// Their mean from then on.
    pub level: Option<f64>,
    /// Whether the time that counts includes a beginning that moves the mean by more than its
    /// interval and by more than 1 %.
    pub warm_up_too_short: bool,
}

/// A mean over time, with half the width of its interval over the runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub mean: f64,
    pub half_width: f64,
}

/// Whether a level that is `values` at the times `at` is steady; none if that cannot be told.
pub(super) fn steadiness(at: &[f64], values: &[f64], clock: &Clock, counted: Counted) -> Option<Steadiness> {
    let batch = batch(at.len(), clock.horizon);
    let means: Vec<f64> = values.chunks_exact(batch).map(mean).collect();
    if means.len() < FEWEST {
        return None;
    }
    let warm = at.iter().take_while(|&&at| at < clock.warm_up.as_secs_f64()).count();
    let Some(cut) = mser(&means) else {
        let drifts = drifts(values.get(warm..)?);
        return drifts.then_some(Steadiness { from_s: None, level: None, warm_up_too_short: false });
    };
    let level = mean(&means[cut..]);
    let beginning = values.get(warm..cut * batch).filter(|rows| !rows.is_empty());
    let stands_out = |rows: &[f64]| (mean(rows) - level).abs() > STANDS_OUT * deviation(&means[cut..]);
    let moved = (counted.mean - level).abs();
    let matters = moved > counted.half_width && moved > NEGLIGIBLE * level;
    Some(Steadiness {
        from_s: Some(at[cut * batch]),
        level: Some(level),
        warm_up_too_short: matters && beginning.is_some_and(stands_out),
    })
}

/// Rows per mean: five, or those of a day if they are more and days are many, so that a daily wave
/// is no trend.
fn batch(rows: usize, horizon: Span) -> usize {
    let days = horizon.as_days();
    let of_a_day = (rows as f64 / days).round() as usize;
    if days >= FEWEST as f64 { of_a_day.max(BATCH) } else { BATCH }
}

/// How many means are cut off; none if it is more than half.
fn mser(means: &[f64]) -> Option<usize> {
    let (mut best, mut cut) = (f64::INFINITY, means.len());
    // From the end on, so that mean and squares grow by one value at a time (Welford, 1962).
    let (mut mean, mut squares) = (0.0, 0.0);
    for (n, &value) in means.iter().rev().enumerate().map(|(i, value)| (i + 1, value)) {
        let off = value - mean;
        mean += off / n as f64;
        squares += off * (value - mean);
        let error = squares / (n * n) as f64;
        if n >= KEPT && error <= best {
            (best, cut) = (error, means.len() - n);
        }
    }
    (cut * 2 <= means.len()).then_some(cut)
}

/// Whether the second half of the rows lies elsewhere than the first.
fn drifts(rows: &[f64]) -> bool {
    let (first, second) = rows.split_at(rows.len() / 2);
    if first.is_empty() {
        return false;
    }
    let apart = (mean(first) - mean(second)).abs();
    let within = ((deviation(first).powi(2) + deviation(second).powi(2)) / 2.0).sqrt();
    apart > DRIFTS * within && apart > NEGLIGIBLE * mean(second).abs()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// What a reader of means over time has to know of a vSwitch; none if the means are what they
/// seem to be.
#[must_use]
pub fn warm_up_text(vswitch: &VSwitchSummary, clock: &Clock) -> Option<String> {
    let steady = vswitch.steady.as_ref()?;
    let (id, counted) = (&vswitch.id, vswitch.mean.pods.mean + vswitch.mean.idle.mean);
    match (steady.from_s.zip(steady.level), steady.warm_up_too_short) {
        (Some((from, level)), true) => Some(format!(
            "the levels of {id} are steady from {} on (MSER-5), but means over time count what comes before: {} \
             addresses serve pods or are idle, and {} in the steady state. `warm_up: {}` leaves the beginning out.",
            clock.point(from),
            count(counted),
            count(level),
            Span::from_secs_f64(from).to_string().replace(' ', ""),
        )),
        (None, _) if clock.warm_up > Span::ZERO => Some(format!(
            "the levels of {id} change to the end, also after the warm-up: there is no steady state (MSER-5), and \
             means over time depend on the horizon."
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::SmallStream;

    fn clock(warm_up: Span) -> Clock {
        Clock { horizon: Span::hours(50), warm_up, start: None }
    }

    /// 501 rows in 50 hours.
    fn judged(warm_up: Span, level: impl Fn(f64) -> f64) -> Option<Steadiness> {
        let at: Vec<f64> = (0..=500).map(|i| f64::from(i) * 360.0).collect();
        let mut dice = SmallStream::new(7);
        let values: Vec<f64> = at.iter().map(|&at| level(at / 3600.0) + dice.unit() - 0.5).collect();
        let counts = at.iter().zip(&values).filter(|&(&at, _)| at >= warm_up.as_secs_f64());
        let counts: Vec<f64> = counts.map(|(_, &value)| value).collect();
        steadiness(&at, &values, &clock(warm_up), Counted { mean: mean(&counts), half_width: 0.1 })
    }

    #[test]
    fn a_way_up_is_found_and_a_warm_up_covers_it() {
        let up = |hours: f64| 100.0 * (hours / 5.0).min(1.0);
        let found = judged(Span::ZERO, up).expect("it can be told");
        let from = found.from_s.expect("it is steady") / 3600.0;
        assert!((4.0..6.0).contains(&from), "{from} h");
        assert!((found.level.expect("it is steady") - 100.0).abs() < 0.5);
        assert!(found.warm_up_too_short);
        assert!(!judged(Span::hours(6), up).expect("it can be told").warm_up_too_short);
    }

    #[test]
    fn growth_has_no_steady_state_and_needs_no_warm_up() {
        for grows in [|hours: f64| 10.0 + hours, |hours: f64| 10.0 * (hours / 20.0).exp()] {
            let found = judged(Span::ZERO, grows).expect("it can be told");
            assert_eq!((found.from_s, found.warm_up_too_short), (None, false));
        }
    }

    #[test]
    fn what_is_level_from_the_start_or_swings_is_no_reason_for_a_warm_up() {
        let levels: [fn(f64) -> f64; 3] =
            [|_| 100.0, |hours| 100.0 + 20.0 * (hours / 24.0 * std::f64::consts::TAU).sin(), |_| 0.0];
        for level in levels {
            assert!(judged(Span::ZERO, level).is_none_or(|found| !found.warm_up_too_short));
        }
    }

    #[test]
    fn constants_are_cut_where_they_begin() {
        let mut means = vec![3.0, 4.0];
        means.extend([5.0; 30]);
        assert_eq!(mser(&means), Some(2));
        assert_eq!(mser(&[7.0; 20]), Some(0));
    }
}

//! Whether means over time are those of a steady state, and from when on.
//!
//! There is one if the last two quarters of the run have the same level: the interval of their difference is
//! within 5 % of it. If it is wider, the runs cannot tell. It begins where MSER-5 cuts (K. P. White, "An effective truncation heuristic for bias
//! reduction in simulation output", Simulation 69, 1997): of means of five rows each, over the
//! runs, so many are left out at the beginning that the rest has the smallest standard error; half
//! of them or more, and nothing is said.

use serde::Serialize;

use super::words::count;
use super::{Clock, Estimate, VSwitchSummary};
use crate::text::{SPACE, Text, text};
use crate::time::Span;

/// Rows per mean.
const BATCH: usize = 5;
/// Fewest means that the rule is used with.
const FEWEST: usize = 20;
/// A difference below this share of a level is none.
const NEGLIGIBLE: f64 = 0.01;
/// Two levels that are no further apart than this share, their interval included, are the same.
const ALIKE: f64 = 0.05;
/// Less than that is nothing.
const HALF_AN_ADDRESS: f64 = 0.5;
/// So many times half the width of its interval, and a difference is no chance.
const SURE: f64 = 2.0;

/// Whether the addresses that serve pods or sit idle come to a steady level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Steadiness {
    /// From when on they are steady; none if they change to the end.
    pub from_s: Option<f64>,
    /// Their mean from then on.
    pub level: Option<f64>,
    /// Whether the time that counts holds a beginning that moves the mean by more than 1 %.
    pub warm_up_too_short: bool,
}

/// Whether a level is steady that has these values in each run, at the times `at`; none if that
/// cannot be told: with one run, or a short timeline, or too few runs for what differs between them.
pub(super) fn steadiness(at: &[f64], runs: &[Vec<f64>], clock: &Clock) -> Option<Steadiness> {
    let rows = Rows { runs, day: at.len() as f64 / clock.horizon.as_days() };
    let means: Vec<f64> = (0..at.len() / rows.batch()).map(|i| rows.mean_of_batch(i)).collect();
    if means.len() < FEWEST || runs.len() < 2 {
        return None;
    }
    let quarter = rows.whole(at.len() / 4);
    let last = [at.len() - 2 * quarter..at.len() - quarter, at.len() - quarter..at.len()];
    if rows.differ(last[0].clone(), last[1].clone()) {
        return Some(Steadiness { from_s: None, level: None, warm_up_too_short: false });
    }
    if !rows.alike(last[0].clone(), last[1].clone()) {
        return None;
    }
    let from = mser(&means)? * rows.batch();
    let warm = at.iter().take_while(|&&at| at < clock.warm_up.as_secs_f64()).count();
    let level = rows.mean(from..at.len());
    let too_short = warm < from && {
        let beginning = rows.mean(warm..from);
        let (least, most) = range(&means[means.len() / 2..]);
        let shift = (rows.mean(warm..at.len()) - level).abs();
        // A trough of a daily wave is no beginning.
        let stands_out = !(least..=most).contains(&beginning);
        stands_out && shift > NEGLIGIBLE * level && rows.differ(warm..from, at.len() / 2..at.len())
    };
    Some(Steadiness { from_s: Some(at[from]), level: Some(level), warm_up_too_short: too_short })
}

/// The rows of all runs.
struct Rows<'a> {
    runs: &'a [Vec<f64>],
    /// Rows of a day.
    day: f64,
}

impl Rows<'_> {
    /// Rows per mean: five, or those of a day if they are more and days are many, so that a daily
    /// wave is no trend.
    fn batch(&self) -> usize {
        let days = self.runs[0].len() as f64 / self.day;
        if days >= FEWEST as f64 { (self.day.round() as usize).max(BATCH) } else { BATCH }
    }

    /// At most so many rows: whole weeks, or else whole days, if there is room for one.
    fn whole(&self, rows: usize) -> usize {
        let of = |period: f64| (rows as f64 / period + 1e-9).floor() * period;
        let periods = [7.0 * self.day, self.day].map(of);
        periods.into_iter().find(|&whole| whole >= 1.0).map_or(rows, |whole| whole.round() as usize)
    }

    fn mean(&self, rows: std::ops::Range<usize>) -> f64 {
        mean(&self.runs.iter().map(|run| mean(&run[rows.clone()])).collect::<Vec<_>>())
    }

    fn mean_of_batch(&self, i: usize) -> f64 {
        self.mean(i * self.batch()..(i + 1) * self.batch())
    }

    /// How far the level is apart between two times, compared run by run, and half the width of the interval.
    fn apart(&self, first: std::ops::Range<usize>, second: std::ops::Range<usize>) -> (f64, f64) {
        let between = |run: &Vec<f64>| mean(&run[second.clone()]) - mean(&run[first.clone()]);
        let between: Vec<f64> = self.runs.iter().map(between).collect();
        let chance = Estimate::of(&between).and_then(|estimate| estimate.half_width()).unwrap_or(0.0);
        (mean(&between).abs(), chance)
    }

    /// Whether the level surely differs between two times.
    fn differ(&self, first: std::ops::Range<usize>, second: std::ops::Range<usize>) -> bool {
        let (apart, chance) = self.apart(first, second.clone());
        apart > SURE * chance && apart > NEGLIGIBLE * self.mean(second).abs()
    }

    /// Whether it surely does not.
    fn alike(&self, first: std::ops::Range<usize>, second: std::ops::Range<usize>) -> bool {
        let (apart, chance) = self.apart(first, second.clone());
        apart + chance <= (ALIKE * self.mean(second).abs()).max(HALF_AN_ADDRESS)
    }
}

/// How many means are left out, less than half of them; none if the more were left out the better: then it has found nothing.
fn mser(means: &[f64]) -> Option<usize> {
    let (mut best, mut cut) = (f64::INFINITY, 0);
    // From the end on, so that mean and squares grow by one value at a time (Welford, 1962).
    let (mut mean, mut squares) = (0.0, 0.0);
    for (n, &value) in means.iter().rev().enumerate().map(|(i, value)| (i + 1, value)) {
        let off = value - mean;
        mean += off / n as f64;
        squares += off * (value - mean);
        let error = squares / (n * n) as f64;
        if n * 2 >= means.len() && error <= best {
            (best, cut) = (error, means.len() - n);
        }
    }
    (cut < means.len() / 2).then_some(cut)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &v| (least.min(v), most.max(v)))
}

/// What a reader of means over time has to know of a vSwitch, so as not to be misled.
#[must_use]
pub fn warm_up_text(vswitch: &VSwitchSummary, clock: &Clock) -> Option<Text> {
    let steady = vswitch.steady.as_ref()?;
    let (id, counted) = (&vswitch.id, vswitch.mean.pods.mean + vswitch.mean.idle.mean);
    match (steady.from_s.zip(steady.level), steady.warm_up_too_short) {
        (Some((from, level)), true) => Some(text!(
            "Levels of {id} are steady from {} on (MSER-5), but means over time count what comes before: {} \
             addresses serve pods or are idle, and {} in the steady state. `warm_up: {}` leaves the beginning out.",
            id,
            clock.point(from),
            count(counted),
            count(level),
            Span::from_secs_f64(from).to_string().replace(' ', "")
        )),
        (None, _) if clock.warm_up > Span::ZERO => Some(text!(
            "Levels of {id} change to the end, also after the warm-up: there is no steady state, and means over time \
             depend on the horizon.",
            id
        )),
        _ => None,
    }
}

/// What means over time are of each vSwitch of which it can be told, in a few sentences.
#[must_use]
pub fn means_text(vswitches: &[VSwitchSummary], clock: &Clock) -> Text {
    let text = |vswitch: &VSwitchSummary| {
        let steady = vswitch.steady.as_ref()?;
        let calm = match steady.from_s {
            None => text!("Levels of {} change to the end; their means are those of this span of time.", vswitch.id),
            Some(from) if from > 0.0 => text!("Levels of {} are steady from {} on.", vswitch.id, clock.point(from)),
            Some(_) => text!("Levels of {} are steady from the start.", vswitch.id),
        };
        Some(warm_up_text(vswitch, clock).unwrap_or(calm))
    };
    Text::list(vswitches.iter().filter_map(text), SPACE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::SmallStream;

    /// What is found in nine runs of 501 rows.
    fn judged(horizon: Span, warm_up: Span, level: impl Fn(f64) -> f64) -> Option<Steadiness> {
        let at: Vec<f64> = (0..=500).map(|i| f64::from(i) / 500.0 * horizon.as_secs_f64()).collect();
        let mut dice = SmallStream::new(7);
        let mut run = || at.iter().map(|&at| level(at / 3600.0) + dice.unit() - 0.5).collect();
        let runs: Vec<Vec<f64>> = (0..9).map(|_| run()).collect();
        steadiness(&at, &runs, &Clock { horizon, warm_up, start: None })
    }

    const HORIZON: Span = Span::hours(50);

    #[test]
    fn a_way_up_is_found_and_a_warm_up_covers_it() {
        let up = |hours: f64| 100.0 * (hours / 5.0).min(1.0);
        let found = judged(HORIZON, Span::ZERO, up).expect("it can be told");
        let from = found.from_s.expect("it is steady") / 3600.0;
        assert!((4.0..6.0).contains(&from), "{from} h");
        assert!((found.level.expect("it is steady") - 100.0).abs() < 0.5);
        assert!(found.warm_up_too_short);
        assert!(!judged(HORIZON, Span::hours(6), up).expect("it can be told").warm_up_too_short);
    }

    /// Neighbours are alike in a queue or a number of pods; their errors are no trend.
    #[test]
    fn a_slow_way_up_is_found_beneath_noise_that_lasts() {
        let at: Vec<f64> = (0..=500).map(|i| f64::from(i) * 360.0).collect();
        let mut dice = SmallStream::new(3);
        let mut run = || {
            let mut noise = 0.0;
            let mut value = |&at: &f64| {
                noise = 0.98 * noise + 6.0 * (dice.unit() - 0.5);
                200.0 * (1.0 - (-at / 18_000.0).exp()) + noise
            };
            at.iter().map(&mut value).collect()
        };
        let runs: Vec<Vec<f64>> = (0..10).map(|_| run()).collect();
        let found = |warm_up| {
            let clock = Clock { horizon: HORIZON, warm_up, start: None };
            let found = steadiness(&at, &runs, &clock).expect("it can be told");
            (found.from_s.is_some(), found.warm_up_too_short)
        };
        assert_eq!((found(Span::ZERO), found(Span::hours(20))), ((true, true), (true, false)));
    }

    #[test]
    fn growth_has_no_steady_state_and_needs_no_warm_up() {
        for grows in [|hours: f64| 10.0 + hours, |hours: f64| 10.0 * (hours / 20.0).exp()] {
            let found = judged(HORIZON, Span::ZERO, grows).expect("it can be told");
            assert_eq!((found.from_s, found.warm_up_too_short), (None, false));
        }
    }

    /// Growth whose speed differs between runs is no steady state, though three runs cannot prove that it grows.
    #[test]
    fn what_few_runs_cannot_tell_is_not_called_steady() {
        let at: Vec<f64> = (0..=500).map(|i| f64::from(i) * 86_400.0).collect();
        let run = |slope: f64| at.iter().map(|&at| 60.0 + slope * at / 86_400.0).collect();
        let runs: Vec<Vec<f64>> = [0.02, 0.1, 0.2].map(run).to_vec();
        assert_eq!(steadiness(&at, &runs, &Clock { horizon: Span::days(500), warm_up: Span::ZERO, start: None }), None);
    }

    #[test]
    fn what_is_level_from_the_start_or_swings_is_no_reason_for_a_warm_up() {
        let wave: fn(f64) -> f64 = |hours| 100.0 + 40.0 * (hours / 24.0 * std::f64::consts::TAU).sin();
        let week: fn(f64) -> f64 = |hours| if (hours / 24.0) % 7.0 < 5.0 { 100.0 } else { 60.0 };
        for (level, days) in [(wave, 4), (wave, 10), (wave, 30), (week, 30), (week, 90), (|_| 100.0, 9), (|_| 0.0, 9)] {
            let found = judged(Span::days(days), Span::hours(1), level).expect("it can be told");
            assert_eq!((found.from_s.is_some(), found.warm_up_too_short), (true, false), "{days} days");
        }
    }

    #[test]
    fn constants_are_cut_where_they_begin() {
        let mut means = vec![3.0, 4.0];
        means.extend([5.0; 30]);
        assert_eq!(mser(&means), Some(2));
        assert_eq!(mser(&[7.0; 20]), Some(0));
        let rising: Vec<_> = (0..20).map(f64::from).collect();
        assert_eq!(mser(&rising), None, "it would leave out more than half");
    }
}

//! How probable it is that addresses run out by a date.

use serde::Serialize;

use super::words::in_parentheses;
use super::{Clock, Estimate, Proportion};
use crate::text::{COMMA, Text, Words, text};
use crate::units::percent;

/// Intervals of the regular grid on which the probability is told.
const GRID: usize = 60;

/// Dates at which it is told in words: the horizon in so many parts.
const DATES: usize = 3;

/// The name of what happens as soon as one vSwitch of pods is full.
pub const ANY: &str = "any";

/// How probable it is that a vSwitch of pods is full, by date. The share of runs in which it is
/// not yet is the survival curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Risk {
    /// The vSwitch, or [`ANY`].
    pub vswitch: String,
    /// When it is full, over all runs; infinite in those in which it never is.
    pub time_to_full_s: Estimate,
    /// At a few dates, the last of which is the end.
    pub by: Vec<FullBy>,
    /// On a regular grid and at every time at which it is full in a run; `risk.csv` has it.
    #[serde(skip)]
    pub curve: Vec<FullBy>,
}

/// In how many runs a vSwitch is full by a date.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FullBy {
    /// The date, from the start.
    pub time_s: f64,
    /// Runs in which it is full by then. The interval holds for this date by itself (pointwise),
    /// not for all dates at once.
    pub full: Proportion,
}

impl Risk {
    /// The risk of a vSwitch that is full at these times, one per run; infinite = never.
    ///
    /// # Panics
    /// If there is no run.
    #[must_use]
    pub fn of(vswitch: &str, times: &[f64], clock: &Clock) -> Self {
        let by = |time_s: f64| {
            let hits = times.iter().filter(|&&at| at <= time_s).count();
            FullBy { time_s, full: Proportion::new(hits, times.len()) }
        };
        let end = clock.horizon.as_secs_f64();
        let mut dates: Vec<f64> = (0..=GRID).map(|i| end * i as f64 / GRID as f64).collect();
        dates.extend(times.iter().filter(|at| at.is_finite()));
        dates.sort_by(f64::total_cmp);
        dates.dedup();
        Self {
            vswitch: vswitch.to_owned(),
            time_to_full_s: Estimate::of(times).expect("there is a run"),
            by: self::dates(clock).into_iter().map(by).collect(),
            curve: dates.into_iter().map(by).collect(),
        }
    }

    /// Whether runs differ in whether it is full by a date that is told in words.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        self.by.iter().any(|by| !by.full.never() && !by.full.always())
    }

    /// `vsw-AAA is full within 30d in <1 % of runs (0 to 16 %), within 60d in 35 % (18 to 57 %), ...`
    #[must_use]
    pub fn text(&self) -> Text {
        let part = |(i, by): (usize, &FullBy)| {
            let within = crate::time::Span::from_secs_f64(by.time_s);
            let (share, interval) = (percent(by.full.share()), in_parentheses(by.full.interval.as_ref()));
            match i {
                0 => text!("within {within} in {share} of runs{interval}", within, share, interval),
                _ => text!("within {within} in {share}{interval}", within, share, interval),
            }
        };
        let parts: Vec<_> = self.by.iter().enumerate().map(part).collect();
        let who = if self.vswitch == ANY { text!("a vSwitch of pods") } else { self.vswitch.words() };
        text!("{who} is full {parts}.", who, Text::list(parts, COMMA))
    }
}

/// Parts of the horizon, in whole days where points in time are written as days.
fn dates(clock: &Clock) -> Vec<f64> {
    const DAY_SECS: f64 = 86_400.0;
    let end = clock.horizon.as_secs_f64();
    let round = |at: f64| if clock.in_days() { (at / DAY_SECS).round() * DAY_SECS } else { at };
    let parts = (1..DATES).map(|i| round(end * i as f64 / DATES as f64));
    parts.chain([end]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn clock(days: u64) -> Clock {
        Clock { horizon: Span::days(days), warm_up: Span::ZERO, start: None }
    }

    fn days(days: f64) -> f64 {
        days * 86_400.0
    }

    #[test]
    fn the_probability_grows_from_date_to_date_and_counts_never() {
        let mut times = vec![f64::INFINITY; 6];
        times.extend([40.0, 41.0, 60.0, 89.5].map(days));
        let risk = Risk::of("vsw-AAA", &times, &clock(90));
        let hits: Vec<_> = risk.by.iter().map(|by| (by.time_s, by.full.hits)).collect();
        assert_eq!(hits, [(days(30.0), 0), (days(60.0), 3), (days(90.0), 4)]);
        assert!(risk.is_uncertain());
        assert_eq!(risk.curve.len(), 61 + 3, "60 days is a point of the grid");
        assert!(risk.curve.windows(2).all(|two| two[0].full.hits <= two[1].full.hits && two[0].time_s < two[1].time_s));
        assert_eq!((risk.time_to_full_s.median, risk.time_to_full_s.min), (f64::INFINITY, days(40.0)));
        assert_eq!(
            risk.text(),
            "vsw-AAA is full within 30d in 0 % of runs (0 to 28 %), within 60d in 30 % (11 to 60 %), within 90d in \
             40 % (17 to 69 %)."
        );
    }

    #[test]
    fn what_always_or_never_happens_is_certain() {
        assert!(!Risk::of("a", &[f64::INFINITY; 9], &clock(90)).is_uncertain());
        assert!(!Risk::of("a", &[days(40.0); 9], &clock(90)).is_uncertain());
        assert_eq!(dates(&clock(7)), [2.0, 5.0, 7.0].map(days));
        assert_eq!(dates(&Clock { horizon: Span::hours(6), ..clock(1) }), [7200.0, 14_400.0, 21_600.0]);
    }
}

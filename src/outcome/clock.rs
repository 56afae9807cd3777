//! How points and lengths of simulated time are written for people.

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use super::Estimate;
use super::words::span;
use crate::model::Model;
use crate::text::{Text, Words, text};
use crate::time::Span;

/// Horizon from which on points in time are written as days.
const DAYS_FROM: Span = Span::days(3);
const DAY_SECS: f64 = 86_400.0;

/// The horizon of a run and its calendar.
///
/// Day 1 is the first 24 hours of the run, so that "day 41" begins 40 days after the start and,
/// with a start of 2026-12-01, is 2027-01-10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// Simulated time.
    #[serde(rename = "horizon_s", serialize_with = "secs")]
    pub horizon: Span,
    /// Start of the time that counts for time-weighted measures.
    #[serde(rename = "warm_up_s", serialize_with = "secs")]
    pub warm_up: Span,
    /// Calendar date of time zero.
    #[serde(serialize_with = "date")]
    pub start: Option<Date>,
}

impl Clock {
    /// The clock of a model.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self { horizon: model.horizon, warm_up: model.warm_up, start: model.start }
    }

    /// Whether points in time are written as days.
    #[must_use]
    pub fn in_days(&self) -> bool {
        self.horizon >= DAYS_FROM
    }

    /// `day 41`, or `2h 5m` if the horizon is short.
    #[must_use]
    pub fn point(&self, secs: f64) -> Text {
        if self.in_days() { text!("day {}", self.day(secs)) } else { span(secs) }
    }

    /// `on day 41, 2027-01-10`, or `after 2h 5m` if the horizon is short, `at the start` after none of it.
    #[must_use]
    pub fn at(&self, secs: f64) -> Text {
        match self.date(secs) {
            Some(date) if self.in_days() => text!("on {}, {date}", self.point(secs), date),
            _ if self.in_days() => text!("on {}", self.point(secs)),
            _ if self.point(secs) == span(0.0) => text!("at the start"),
            _ => text!("after {}", self.point(secs)),
        }
    }

    /// `at 02:07` of the cluster's clock, if days are told and runs differ by an hour at most.
    #[must_use]
    pub fn time_of_day(&self, time: &Estimate) -> Option<Text> {
        let minutes = (time.median % DAY_SECS / 60.0) as u32;
        let agree = self.in_days() && time.p95 - time.p5 <= 3600.0;
        agree.then(|| text!("at {time}", format!("{:02}:{:02}", minutes / 60, minutes % 60)))
    }

    /// `day 38 to 44`, or `2h 5m to 2h 20m` if the horizon is short; one point if both are the
    /// same.
    #[must_use]
    pub fn range(&self, from: f64, to: f64) -> Text {
        let (first, last) = (self.point(from), self.point(to));
        match () {
            () if first == last => first,
            () if self.in_days() => text!("day {first} to {last}", self.day(from), self.day(to)),
            () => text!("{first} to {last}", first, last),
        }
    }

    /// `90 days`, or `6h`.
    #[must_use]
    pub fn length(&self) -> Text {
        let days = self.horizon.as_days();
        if self.in_days() && days.fract() == 0.0 { text!("{days} days", days) } else { self.horizon.words() }
    }

    /// The calendar date of a point in time; none without a start, or beyond the year 9999.
    #[must_use]
    pub fn date(&self, secs: f64) -> Option<Date> {
        let days = jiff::Span::new().try_days((self.day(secs) - 1) as i64).ok()?;
        self.start?.checked_add(days).ok()
    }

    fn day(&self, secs: f64) -> u64 {
        // The end of the horizon belongs to its last day.
        let last = self.horizon.as_days().ceil().max(1.0) as u64;
        ((secs / DAY_SECS) as u64 + 1).min(last)
    }
}

fn secs<S: Serializer>(span: &Span, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(span.as_secs_f64())
}

fn date<S: Serializer>(date: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => to.collect_str(date),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(horizon: Span, start: Option<Date>) -> Clock {
        Clock { horizon, warm_up: Span::ZERO, start }
    }

    #[test]
    fn day_41_begins_40_days_after_the_start() {
        let clock = clock(Span::days(90), Some(jiff::civil::date(2026, 12, 1)));
        assert_eq!(clock.at(40.0 * DAY_SECS), "on day 41, 2027-01-10");
        assert_eq!(clock.at(40.999 * DAY_SECS), "on day 41, 2027-01-10");
        assert_eq!(clock.at(0.0), "on day 1, 2026-12-01");
        assert_eq!(clock.at(90.0 * DAY_SECS), "on day 90, 2027-02-28");
        assert_eq!(clock.range(37.2 * DAY_SECS, 43.9 * DAY_SECS), "day 38 to 44");
        assert_eq!(clock.range(37.2 * DAY_SECS, 37.3 * DAY_SECS), "day 38");
        assert_eq!(clock.length(), "90 days");
    }

    #[test]
    fn short_runs_are_told_in_hours_and_minutes() {
        let clock = clock(Span::hours(6), Some(jiff::civil::date(2026, 12, 1)));
        assert_eq!(clock.at(7500.0), "after 2h 5m");
        assert_eq!(clock.at(0.0), "at the start");
        assert_eq!(clock.range(7500.0, 7560.0), "2h 5m to 2h 6m");
        assert_eq!(clock.length(), "6h");
    }
}

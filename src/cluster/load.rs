//! A load over time: a base with a daily wave, quieter weekends and noise.
//!
//! The load stays the same during each [`Load::NOISE_PERIOD`], and it is a function of the time
//! alone: looking more often, or less, changes nothing.

use jiff::civil::{Date, Weekday};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use crate::chance::Stream;
use crate::model::{Load, Schedule};
use crate::time::{Instant, Span};

const DAY: Span = Span::days(1);

/// A load as one replication sees it.
#[derive(Debug, Clone)]
pub struct LoadCurve {
    load: Load,
    /// Days from the last Monday, 00:00, to time zero.
    days_since_monday: u64,
    seed: u64,
}

impl LoadCurve {
    /// The curve of `load`. Time zero is 00:00 of `start`, and of a Monday if there is no date;
    /// `seed` decides the noise.
    #[must_use]
    pub fn new(load: &Load, start: Option<Date>, seed: u64) -> Self {
        let weekday = start.map_or(Weekday::Monday, Date::weekday);
        Self { load: load.clone(), days_since_monday: weekday.to_monday_zero_offset() as u64, seed }
    }

    /// The load at `at`, in pods that would be fully busy.
    #[must_use]
    pub fn value(&self, at: Instant) -> f64 {
        let period = at.0 / Load::NOISE_PERIOD.0;
        let at = Instant(period * Load::NOISE_PERIOD.0);
        self.load.base.value(at).max(0.0) * self.wave(at) * self.week(at) * self.noise(period)
    }

    /// The time until which the load stays what it is at `at`.
    #[must_use]
    pub fn holds_until(&self, at: Instant) -> Instant {
        let Load { base, daily, weekend, noise, .. } = &self.load;
        if matches!(base, Schedule::Constant(_)) && *daily == 0.0 && *weekend == 1.0 && *noise == 0.0 {
            return Instant::NEVER;
        }
        let period = at.0 / Load::NOISE_PERIOD.0;
        Instant((period + 1).saturating_mul(Load::NOISE_PERIOD.0))
    }

    /// The daily wave: 1 on average over a day.
    fn wave(&self, at: Instant) -> f64 {
        let share = (at.0 as f64 - self.load.peak.0 as f64) / DAY.0 as f64;
        (1.0 + self.load.daily * (std::f64::consts::TAU * share).cos()).max(0.0)
    }

    /// The weekend's quiet: 1 on average over a week.
    fn week(&self, at: Instant) -> f64 {
        let workday = 7.0 / (5.0 + 2.0 * self.load.weekend);
        let is_weekend = (at.0 / DAY.0 + self.days_since_monday) % 7 >= 5;
        if is_weekend { workday * self.load.weekend } else { workday }
    }

    /// The noise of a period: lognormal with mean 1, so that no load is negative.
    fn noise(&self, period: u64) -> f64 {
        if self.load.noise == 0.0 {
            return 1.0;
        }
        let variance = (self.load.noise * self.load.noise).ln_1p();
        let z: f64 = StandardNormal.sample(&mut Stream::seed_from_u64(self.seed.wrapping_add(period)));
        (variance.sqrt() * z - variance / 2.0).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load() -> Load {
        Load { base: Schedule::Constant(100.0), daily: 0.4, peak: Span::hours(14), weekend: 0.7, noise: 0.05 }
    }

    fn at(days: u64, hours: u64) -> Instant {
        Instant::ZERO + Span::days(days) + Span::hours(hours)
    }

    /// Mean and standard deviation over some whole weeks.
    fn moments(load: &Load, weeks: u64) -> (f64, f64) {
        let curve = LoadCurve::new(load, None, 7);
        let n = weeks * 7 * 288;
        let values: Vec<f64> = (0..n).map(|i| curve.value(Instant(i * Load::NOISE_PERIOD.0))).collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64;
        (mean, variance.sqrt())
    }

    #[test]
    fn the_mean_over_weeks_is_the_base() {
        let (mean, _) = moments(&load(), 20);
        assert!((mean - 100.0).abs() < 0.1, "{mean}");
        let flat = Load { daily: 0.0, weekend: 1.0, ..load() };
        let (mean, deviation) = moments(&flat, 20);
        assert!((mean - 100.0).abs() < 0.1 && (deviation - 5.0).abs() < 0.1, "{mean} ± {deviation}");
    }

    #[test]
    fn the_peak_is_at_its_hour_and_the_weekend_where_the_date_says() {
        let quiet = Load { noise: 0.0, ..load() };
        let curve = LoadCurve::new(&quiet, None, 1);
        assert!((curve.value(at(1, 14)) / curve.value(at(1, 2)) - 1.4 / 0.6).abs() < 1e-9);
        assert!((curve.value(at(5, 14)) / curve.value(at(4, 14)) - 0.7).abs() < 1e-9);
        // 2026-12-01 is a Tuesday: the first Saturday comes after four days.
        let dated = LoadCurve::new(&quiet, Some(jiff::civil::date(2026, 12, 1)), 1);
        assert!((dated.value(at(4, 14)) / dated.value(at(3, 14)) - 0.7).abs() < 1e-9);
    }

    #[test]
    fn the_load_is_a_function_of_the_time_that_holds_for_a_while() {
        let curve = LoadCurve::new(&load(), None, 3);
        let (here, until) = (at(2, 3), curve.holds_until(at(2, 3)));
        assert_eq!(until, here + Load::NOISE_PERIOD);
        assert_eq!(curve.value(here), curve.value(Instant(until.0 - 1)));
        assert_ne!(curve.value(here), curve.value(until));
        assert_ne!(curve.value(here), LoadCurve::new(&load(), None, 4).value(here));
        let constant = Load { daily: 0.0, weekend: 1.0, noise: 0.0, ..load() };
        assert_eq!(LoadCurve::new(&constant, None, 3).holds_until(here), Instant::NEVER);
    }
}

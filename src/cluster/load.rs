//! The load that a HorizontalPodAutoscaler follows: a base with a daily wave, quieter weekends and
//! noise.
//!
//! An assumption of this program, for want of a source: a sine over the day, one factor for
//! Saturday and Sunday, and normal noise that stays the same for [`Load::NOISE_PERIOD`]. The noise
//! is a function of time, so that looking more often changes nothing.

use jiff::civil::Date;

use crate::chance::{SmallStream, Stream};
use crate::model::{Load, MONDAY};
use crate::time::{Instant, Span};

/// A load over time.
#[derive(Debug)]
pub struct LoadCurve {
    load: Load,
    /// Day of the week at time zero; 0 = Monday.
    first_day: u64,
    noise: u64,
}

impl LoadCurve {
    /// The curve of `load`; without a `start` time zero is a Monday, 00:00.
    #[must_use]
    pub fn new(load: &Load, start: Option<Date>, mut chance: Stream) -> Self {
        let first_day = start.unwrap_or(MONDAY).weekday().to_monday_zero_offset() as u64;
        Self { load: load.clone(), first_day, noise: SmallStream::split(&mut chance).next_u64() }
    }

    /// The load at `at`, in pods that would be fully busy; never negative.
    #[must_use]
    pub fn value(&self, at: Instant) -> f64 {
        let Load { base, daily, peak, weekend, noise } = &self.load;
        let day = Span::days(1).0;
        let phase = (at.0 as f64 - peak.0 as f64) / day as f64;
        let wave = 1.0 + daily * (phase * std::f64::consts::TAU).cos();
        let is_weekend = (at.0 / day + self.first_day) % 7 >= 5;
        let weekday = if is_weekend { *weekend } else { 1.0 };
        let noise = if *noise > 0.0 { 1.0 + noise * self.normal(at.0 / Load::NOISE_PERIOD.0) } else { 1.0 };
        (base.value(at) * wave * weekday * noise).max(0.0)
    }

    /// A standard normal number that belongs to a period (Box and Muller).
    fn normal(&self, period: u64) -> f64 {
        let mut chance = SmallStream::new(self.noise ^ period.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (radius, angle) = (1.0 - chance.unit(), chance.unit());
        (-2.0 * radius.ln()).sqrt() * (angle * std::f64::consts::TAU).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::stream;
    use crate::model::Schedule;

    fn curve(daily: f64, weekend: f64, noise: f64, start: Option<Date>) -> LoadCurve {
        let base = Schedule::Constant(100.0);
        let load = Load { base, daily, peak: Span::hours(14), weekend, noise };
        LoadCurve::new(&load, start, stream(1, 0, "load"))
    }

    fn at(days: u64, hours: u64) -> Instant {
        Instant::ZERO + Span::days(days) + Span::hours(hours)
    }

    #[test]
    fn the_wave_peaks_at_its_time_of_day() {
        let curve = curve(0.4, 1.0, 0.0, None);
        let rounded = |at| curve.value(at).round() as u32;
        assert_eq!([rounded(at(0, 14)), rounded(at(9, 2)), rounded(at(3, 8))], [140, 60, 100]);
    }

    #[test]
    fn weekends_follow_the_calendar() {
        let loads = |start| (0..7).map(|day| curve(0.0, 0.5, 0.0, start).value(at(day, 0))).collect::<Vec<_>>();
        assert_eq!(loads(None), [100.0, 100.0, 100.0, 100.0, 100.0, 50.0, 50.0]);
        // 2026-12-04 is a Friday.
        let friday = loads(Some(jiff::civil::date(2026, 12, 4)));
        assert_eq!(friday, [100.0, 50.0, 50.0, 100.0, 100.0, 100.0, 100.0]);
    }

    #[test]
    fn noise_has_its_deviation_and_stays_for_five_minutes() {
        let curve = curve(0.0, 1.0, 0.1, None);
        let minute = |n: u64| curve.value(Instant::ZERO + Span::mins(n));
        assert_eq!(minute(0), minute(4));
        assert_ne!(minute(4), minute(5));
        let n = 20_000;
        let mean = (0..n).map(|i| minute(5 * i)).sum::<f64>() / n as f64;
        let variance = (0..n).map(|i| (minute(5 * i) - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((mean - 100.0).abs() < 0.3 && (variance.sqrt() - 10.0).abs() < 0.2, "{mean} ± {}", variance.sqrt());
    }
}

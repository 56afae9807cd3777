//! Pods that come by themselves: a Poisson process of groups, with a rate that changes over time.
//!
//! Times are drawn by thinning (Lewis and Shedler, 1979): candidates at the highest rate of a
//! window of time, each kept with the share that the rate has of it then.

use crate::chance::{SpanDist, Stream, unit};
use crate::model::{CountDist, Schedule};
use crate::time::{Instant, Span};

/// Longest window that one highest rate is taken for.
const WINDOW: Span = Span::days(1);

/// Arrivals of one workload.
#[derive(Debug)]
pub struct Arrivals {
    times: Stream,
    groups: Stream,
}

impl Arrivals {
    /// Arrivals with this chance for their times and for the sizes of groups.
    #[must_use]
    pub fn new(times: Stream, groups: Stream) -> Self {
        Self { times, groups }
    }

    /// The first arrival after `now`, if one is not later than `horizon`.
    pub fn next(&mut self, per_hour: &Schedule, now: Instant, horizon: Instant) -> Option<Instant> {
        let mut from = now;
        while from < horizon {
            let to = per_hour.piece_end(from).min(from + WINDOW).min(horizon);
            // It is monotone up to `to`, where it may jump.
            let before = Instant(to.0 - 1);
            let highest = per_hour.value(from).max(per_hour.value(before));
            if let Some(at) = self.within(per_hour, highest, from, to) {
                return Some(at);
            }
            from = to;
        }
        None
    }

    fn within(&mut self, per_hour: &Schedule, highest: f64, from: Instant, to: Instant) -> Option<Instant> {
        if highest <= 0.0 {
            return None;
        }
        let mut at = from;
        loop {
            let hours = SpanDist::Exponential(Span::hours(1)).sample(&mut self.times);
            // Two at the same nanosecond would be one.
            at += hours.mul_f64(1.0 / highest).max(Span(1));
            if at >= to {
                return None;
            }
            if unit(&mut self.times) * highest < per_hour.value(at) {
                return Some(at);
            }
        }
    }

    /// How many pods come together.
    pub fn group(&mut self, size: CountDist) -> u32 {
        match size {
            CountDist::Constant(n) => n,
            CountDist::Geometric { mean } if mean <= 1.0 => 1,
            CountDist::Geometric { mean } => {
                let more = (1.0 - unit(&mut self.groups)).ln() / (1.0 - 1.0 / mean).ln();
                1 + more.min(f64::from(u32::MAX / 2)) as u32
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::stream;

    fn arrivals() -> Arrivals {
        Arrivals::new(stream(1, 0, "times"), stream(1, 0, "groups"))
    }

    /// Arrivals per hour of the horizon.
    fn count(per_hour: &Schedule, hours: u64) -> Vec<u32> {
        let horizon = Instant::ZERO + Span::hours(hours);
        let (mut arrivals, mut at, mut counts) = (arrivals(), Instant::ZERO, vec![0; hours as usize]);
        while let Some(next) = arrivals.next(per_hour, at, horizon) {
            assert!(next > at && next <= horizon);
            counts[(next.0 / Span::hours(1).0) as usize] += 1;
            at = next;
        }
        counts
    }

    /// Mean and variance of a Poisson distribution are the same.
    #[test]
    fn a_constant_rate_is_a_poisson_process() {
        let counts = count(&Schedule::Constant(50.0), 2000);
        let n = counts.len() as f64;
        let mean = counts.iter().map(|&c| f64::from(c)).sum::<f64>() / n;
        let variance = counts.iter().map(|&c| (f64::from(c) - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 50.0).abs() < 0.7 && (variance - 50.0).abs() < 7.0, "{mean}, {variance}");
    }

    #[test]
    fn a_rate_that_changes_is_followed() {
        let line = Schedule::Linear { from: 0.0, to: 1000.0, over: Span::hours(100) };
        let counts = count(&line, 100);
        let sum = |range: std::ops::Range<usize>| counts[range].iter().sum::<u32>();
        assert!(sum(0..50).abs_diff(12_500) < 450 && sum(50..100).abs_diff(37_500) < 800, "{counts:?}");
        let hour = |n| Instant::ZERO + Span::hours(n);
        let steps = Schedule::Steps(vec![(hour(0), 0.0), (hour(10), 2000.0), (hour(12), 0.0)]);
        let counts = count(&steps, 24);
        assert!(counts[..10].iter().chain(&counts[12..]).all(|&n| n == 0));
        assert!((counts[10] + counts[11]).abs_diff(4000) < 260);
    }

    #[test]
    fn groups_have_their_mean() {
        let mut arrivals = arrivals();
        let n = 20_000;
        let sum: u32 = (0..n).map(|_| arrivals.group(CountDist::Geometric { mean: 3.0 })).sum();
        assert!(sum.abs_diff(3 * n) < 1400, "{sum}");
        assert_eq!(arrivals.group(CountDist::Geometric { mean: 1.0 }), 1);
        assert_eq!(arrivals.group(CountDist::Constant(4)), 4);
    }
}

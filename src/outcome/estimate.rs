//! Estimates over replications: mean with Student's interval, quantiles, and proportions with
//! Wilson's interval.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// 97.5th percentile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A number over the replications in which it exists. An infinite time means "never" (`null` in
/// JSON).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Replications in which the number exists; at least 1.
    pub runs: usize,
    /// Mean.
    pub mean: f64,
    /// Interval of the mean, by Student's t distribution; none with one replication, or if a
    /// value is infinite.
    pub interval: Option<Interval>,
    /// 5 % quantile.
    pub p5: f64,
    /// Median.
    pub median: f64,
    /// 95 % quantile.
    pub p95: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

/// How often something happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proportion {
    /// Replications in which it happened.
    pub hits: usize,
    /// All replications.
    pub runs: usize,
    /// Interval of its probability, by Wilson's score; none with one replication.
    pub interval: Option<Interval>,
}

/// An interval that holds the true value in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// The estimate from one value per replication; none without a value.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
        let q = |p| quantile(&sorted, p);
        let (p5, median, p95) = (q(0.05), q(0.5), q(0.95));
        Some(Self { runs: sorted.len(), mean, interval: interval(&sorted, mean), p5, median, p95, min, max })
    }

    /// 25 and 75 % quantiles of values that are not empty.
    #[must_use]
    pub fn quartiles(values: &[f64]) -> [f64; 2] {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        [0.25, 0.75].map(|p| quantile(&sorted, p))
    }

    /// Half the width of the interval of the mean.
    #[must_use]
    pub fn half_width(&self) -> Option<f64> {
        self.interval.map(|interval| interval.high - self.mean)
    }
}

impl Proportion {
    /// `hits` of `runs` replications.
    #[must_use]
    pub fn new(hits: usize, runs: usize) -> Self {
        Self { hits, runs, interval: (runs > 1).then(|| wilson(hits, runs)) }
    }

    /// Whether it happened in every replication.
    #[must_use]
    pub fn always(&self) -> bool {
        self.hits == self.runs
    }

    /// Whether it happened in no replication.
    #[must_use]
    pub fn never(&self) -> bool {
        self.hits == 0
    }

    /// Share of the replications.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.hits as f64 / self.runs as f64
    }
}

/// Quantile by linear interpolation between order statistics (Hyndman and Fan's type 7, the
/// default of R and NumPy); infinite values stay apart.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let (below, part) = (position.floor() as usize, position.fract());
    if part == 0.0 {
        return sorted[below];
    }
    let (low, high) = (sorted[below], sorted[below + 1]);
    if low == high { low } else { low + (high - low) * part }
}

fn interval(values: &[f64], mean: f64) -> Option<Interval> {
    let n = values.len();
    if n < 2 || !mean.is_finite() {
        return None;
    }
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    let half = student(n - 1) * (variance / n as f64).sqrt();
    let low = mean - half;
    // What cannot be negative has no interval that is.
    let low = if values.iter().all(|&x| x >= 0.0) { low.max(0.0) } else { low };
    Some(Interval { low, high: mean + half })
}

/// 97.5th percentile of Student's t distribution with this freedom, at least 1: half the width of
/// an interval in standard errors.
///
/// # Panics
/// Without a degree of freedom.
#[must_use]
pub fn student(freedom: usize) -> f64 {
    let t = StudentsT::new(0.0, 1.0, freedom as f64).expect("there is at least one degree of freedom");
    t.inverse_cdf(0.5 + CONFIDENCE / 2.0)
}

/// Wilson's score interval (JASA 22, 1927): unlike the usual one it is right for shares near 0
/// and 1 and for few runs.
fn wilson(hits: usize, runs: usize) -> Interval {
    let (n, p, z2) = (runs as f64, hits as f64 / runs as f64, Z * Z);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // The closed form is exact at the ends; its floating point is not.
    let low = if hits == 0 { 0.0 } else { centre - half };
    let high = if hits == runs { 1.0 } else { centre + half };
    Interval { low, high }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        for (freedom, t) in [(1, 12.7062), (2, 4.3027), (3, 3.1824), (9, 2.2622), (19, 2.0930), (99, 1.9842)] {
            near(student(freedom), t, 5e-5);
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_the_textbooks() {
        // n = 5, mean 3, s² = 2.5, t(4) = 2.7764: 3 ± 2.7764 · √0.5.
        let estimate = Estimate::of(&[5.0, 1.0, 2.0, 4.0, 3.0]).expect("five values");
        near(estimate.mean, 3.0, 0.0);
        near(estimate.half_width().expect("more than one"), 2.7764 * 0.5_f64.sqrt(), 1e-4);
        assert_eq!((estimate.median, estimate.min, estimate.max), (3.0, 1.0, 5.0));
        near(estimate.p5, 1.2, 1e-12);
        near(estimate.p95, 4.8, 1e-12);
    }

    #[test]
    fn one_run_has_no_interval_and_no_value_no_estimate() {
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::of(&[7.0]).and_then(|e| e.interval), None);
        assert_eq!(Proportion::new(1, 1).interval, None);
    }

    #[test]
    fn wilsons_interval_is_the_closed_form() {
        // 14 of 20, and the two edges, whose closed forms are z²/(n + z²) and its complement.
        let some = wilson(14, 20);
        near(some.low, 0.4810, 1e-4);
        near(some.high, 0.8545, 1e-4);
        let (none, all) = (wilson(0, 20), wilson(20, 20));
        near(none.low, 0.0, 0.0);
        near(none.high, Z * Z / (20.0 + Z * Z), 1e-12);
        near(all.low, 20.0 / (20.0 + Z * Z), 1e-12);
        near(all.high, 1.0, 0.0);
    }

    #[test]
    fn never_is_infinite_and_leaves_the_median_alone() {
        let estimate = Estimate::of(&[1.0, 2.0, f64::INFINITY]).expect("three values");
        assert_eq!((estimate.median, estimate.max, estimate.interval), (2.0, f64::INFINITY, None));
        let json = serde_json::to_value(estimate).expect("plain data");
        assert_eq!((&json["mean"], &json["median"]), (&serde_json::Value::Null, &serde_json::json!(2.0)));
        let never = Estimate::of(&[f64::INFINITY; 4]).expect("four values");
        assert_eq!((never.p5, never.p95), (f64::INFINITY, f64::INFINITY));
    }
}

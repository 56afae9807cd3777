//! Statistics of pairs: the same replication of two variants.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

use crate::outcome::{CONFIDENCE, Interval};

/// What rounding may make of a number, as a share of it.
const ROUNDING: f64 = 1e-12;

/// The differences of pairs, the second minus the first: exactly 0 where only rounding makes one, and
/// exactly equal where only rounding tells them apart. Two infinite numbers do not differ.
pub(super) fn differences(pairs: &[(f64, f64)]) -> Vec<f64> {
    let rounding = |(a, b): (f64, f64)| {
        let finite = [a, b].into_iter().filter(|n| n.is_finite());
        finite.fold(0.0, |most: f64, n| most.max(n.abs())) * ROUNDING
    };
    let difference = |&(a, b): &(f64, f64)| match a == b || (a - b).abs() <= rounding((a, b)) {
        true => 0.0,
        false => b - a,
    };
    let mut differences: Vec<f64> = pairs.iter().map(difference).collect();
    let noise = pairs.iter().copied().map(rounding).fold(0.0, f64::max);
    if let Some(&first) = differences.first()
        && differences.iter().all(|difference| (difference - first).abs() <= noise)
    {
        differences.fill(first);
    }
    differences
}

/// What pairs of numbers say about their difference, the second minus the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Paired {
    /// Mean difference.
    pub(super) mean: f64,
    /// Its interval by Student's t distribution; none with one pair.
    pub(super) interval: Option<Interval>,
    /// Student's two-sided test that there is none; none with one pair.
    pub(super) p: Option<f64>,
    /// Standard error of unpaired samples over that of the pairs; none if nothing varies.
    pub(super) error_ratio: Option<f64>,
}

impl Paired {
    /// None without a pair.
    pub(super) fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let differences = differences(pairs);
        let mean = mean(&differences)?;
        if pairs.len() < 2 {
            return Some(Self { mean, interval: None, p: None, error_ratio: None });
        }
        let error = error(&differences);
        let (first, second): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let unpaired = self::error(&first).hypot(self::error(&second));
        let t = StudentsT::new(0.0, 1.0, (pairs.len() - 1) as f64).expect("there is a degree of freedom");
        let half = t.inverse_cdf(0.5 + CONFIDENCE / 2.0) * error;
        let p = match () {
            () if mean == 0.0 => 1.0,
            // Equal differences have no spread to judge by; their signs are all that is known.
            () if error == 0.0 => mcnemar(0, pairs.len()),
            () => 2.0 * t.sf((mean / error).abs()),
        };
        let interval = Some(Interval { low: mean - half, high: mean + half });
        Some(Self { mean, interval, p: Some(p), error_ratio: (unpaired > 0.0).then(|| unpaired / error) })
    }
}

/// McNemar's exact test (Psychometrika 12, 1947) of pairs of yes and no, of which `lost` went from
/// yes to no and `won` from no to yes; those that agree say nothing.
pub(super) fn mcnemar(lost: usize, won: usize) -> f64 {
    if lost == won {
        return 1.0;
    }
    let coins = Binomial::new(0.5, (lost + won) as u64).expect("a half is a probability");
    2.0 * coins.cdf(lost.min(won) as u64)
}

/// Holm's correction (Scandinavian Journal of Statistics 6, 1979): if each p is at most 5 %, one of
/// all that are true by chance alone shows up in at most 5 of 100 tables.
pub(super) fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<_> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut corrected = vec![1.0; p.len()];
    let mut least = 0.0_f64;
    for (rank, &i) in order.iter().enumerate() {
        least = least.max(p[i] * (p.len() - rank) as f64).min(1.0);
        corrected[i] = least;
    }
    corrected
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard error of the mean of at least two values.
fn error(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    // Equal values have no error, whatever rounding makes of their mean.
    if values.iter().all(|value| *value == values[0]) {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    /// Student's own example (Biometrika 6, 1908): hours of sleep that two drugs add; the figures
    /// are those of R's `t.test(…, paired = TRUE)`.
    #[test]
    fn students_sleep() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let pairs: Vec<_> = first.into_iter().zip(second).collect();
        let paired = Paired::of(&pairs).expect("ten pairs");
        let interval = paired.interval.expect("more than one pair");
        near(paired.mean, 1.58, 1e-12);
        near(interval.low, 0.700_114, 1e-6);
        near(interval.high, 2.459_886, 1e-6);
        near(paired.p.expect("more than one pair"), 0.002_833, 1e-6);
        // √((3.2006 + 4.0090) / 10) over 1.58 / 4.0621.
        near(paired.error_ratio.expect("they vary"), 0.849_09 / 0.388_96, 1e-4);
    }

    #[test]
    fn what_does_not_vary() {
        let paired = |pairs: &[(f64, f64)]| Paired::of(pairs).expect("pairs");
        let same = paired(&[(0.1, 0.1), (0.2, 0.2)]);
        assert_eq!((same.mean, same.p), (0.0, Some(1.0)));
        let constant = paired(&[(1.0, 3.0), (5.0, 7.0), (2.0, 4.0)]);
        // Three signs are three coins.
        near(constant.p.expect("three pairs"), 0.25, 1e-12);
        assert_eq!(constant.error_ratio, Some(f64::INFINITY));
        assert_eq!(paired(&[(1.0, 3.0), (1.0, 3.0)]).error_ratio, None);
        // Rounding makes neither a difference nor a spread.
        let rounded = paired(&[(10.1, 5.1), (10.2, 5.2), (10.3, 5.300_000_000_000_001)]);
        assert_eq!((rounded.mean, rounded.interval.map(|i| i.high - i.low)), (-5.0, Some(0.0)));
        near(rounded.p.expect("three pairs"), 0.25, 1e-12);
        assert_eq!(differences(&[(0.1 + 0.2, 0.3), (1.0, 2.0)]), [0.0, 1.0]);
        assert_eq!(differences(&[(f64::INFINITY, f64::INFINITY), (1.0, f64::INFINITY)]), [0.0, f64::INFINITY]);
        assert_eq!(Paired::of(&[]), None);
        assert_eq!(paired(&[(1.0, 2.0)]).interval, None);
    }

    #[test]
    fn mcnemars_test_is_that_of_a_fair_coin() {
        // 2 · (1 + 12 + 66) / 2¹².
        near(mcnemar(10, 2), 158.0 / 4096.0, 1e-12);
        near(mcnemar(2, 10), 158.0 / 4096.0, 1e-12);
        near(mcnemar(0, 5), 0.0625, 1e-12);
        assert_eq!((mcnemar(0, 0), mcnemar(3, 3)), (1.0, 1.0));
    }

    /// R: `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")`.
    #[test]
    fn holms_correction() {
        for (found, right) in holm(&[0.01, 0.04, 0.03, 0.005]).into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            near(found, right, 1e-12);
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }
}

//! Which of the varied paths matter most for a measure.

use super::{Design, Results};
use crate::outcome::{Interval, student};
use crate::scenario::Axis;

/// How much the varied paths matter for a measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// How it was calculated.
    pub method: Method,
    /// By axis, in the order of the sweep.
    pub influences: Vec<Influence>,
    /// Share of the differences between points that these explain, from 0 to 1: on a grid, the
    /// sum of the shares; of a Latin hypercube, the R² of the regression.
    pub explained: f64,
}

/// How the influence of an axis was calculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Main effects of a balanced analysis of variance over the points of a grid: the share of the
    /// differences between points that averages over the values of one axis have.
    VarianceShare,
    /// The same with ranks instead of values, since some points say "never" (Conover and Iman, The
    /// American Statistician 35, 1981).
    VarianceShareOfRanks,
    /// Standardised rank regression coefficients (Saltelli, Chan and Scott, Sensitivity Analysis,
    /// 2000): from −1 to 1; negative = less if the value is larger.
    RankRegression,
}

/// How much an axis matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Influence {
    /// A share of the variance, or a coefficient.
    pub value: f64,
    /// Interval of a coefficient; none of a share, which is of these points and no estimate.
    pub interval: Option<Interval>,
}

impl Ranking {
    /// Axes, the most influential first.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.influences.len()).collect();
        let size = |axis: usize| self.influences[axis].value.abs();
        order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
        order
    }
}

/// Which axes matter for a measure; none if all points say the same, if one says nothing, if there
/// are too few, or if only one axis is varied.
#[must_use]
pub fn ranking(results: &Results, measure: usize) -> Option<Ranking> {
    let values = results.headlines(measure).into_iter().collect::<Option<Vec<_>>>()?;
    let sweep = results.sweep;
    if sweep.axes.len() < 2 || values.iter().all(|value| *value == values[0]) {
        return None;
    }
    let column = |axis: usize| sweep.points.iter().map(|point| point.values[axis].as_str()).collect::<Vec<_>>();
    let columns: Vec<_> = (0..sweep.axes.len()).map(column).collect();
    match sweep.design {
        Design::Grid if values.iter().all(|value| value.is_finite()) => {
            Some(shares(&columns, &values, Method::VarianceShare))
        }
        Design::Grid => Some(shares(&columns, &ranks(&values), Method::VarianceShareOfRanks)),
        Design::LatinHypercube => {
            let columns = sweep.axes.iter().zip(&columns).map(|(axis, column)| ranks(&positions(axis, column)));
            regression(&columns.collect::<Vec<_>>(), &ranks(&values))
        }
    }
}

/// Main effects on a balanced grid.
fn shares(columns: &[Vec<&str>], values: &[f64], method: Method) -> Ranking {
    let mean = mean(values);
    let total: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let share = |column: &Vec<&str>| {
        let effect = |level: &str| {
            let here: Vec<_> = column.iter().zip(values).filter(|(l, _)| **l == level).map(|(_, v)| *v).collect();
            (self::mean(&here) - mean).powi(2)
        };
        let between: f64 = column.iter().map(|level| effect(level)).sum();
        Influence { value: between / total, interval: None }
    };
    let influences: Vec<_> = columns.iter().map(share).collect();
    let explained = influences.iter().map(|influence| influence.value).sum::<f64>().min(1.0);
    Ranking { method, influences, explained }
}

/// Linear regression of standardised numbers by the normal equations.
fn regression(columns: &[Vec<f64>], values: &[f64]) -> Option<Ranking> {
    let freedom = values.len().checked_sub(columns.len() + 1).filter(|&freedom| freedom > 0)?;
    let y = standardised(values)?;
    let xs: Vec<_> = columns.iter().map(|column| standardised(column).unwrap_or_default()).collect();
    // An axis of one value has no influence, and no column in the equations.
    let varied: Vec<_> = (0..xs.len()).filter(|&axis| !xs[axis].is_empty()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let products: Vec<Vec<_>> = varied.iter().map(|&i| varied.iter().map(|&j| dot(&xs[i], &xs[j])).collect()).collect();
    let inverse = inverse(products)?;
    let with_y: Vec<_> = varied.iter().map(|&i| dot(&xs[i], &y)).collect();
    let coefficients: Vec<_> = inverse.iter().map(|row| dot(row, &with_y)).collect();
    let explained = (dot(&coefficients, &with_y) / dot(&y, &y)).clamp(0.0, 1.0);
    let noise = (1.0 - explained) * dot(&y, &y) / freedom as f64;
    let mut influences = vec![Influence { value: 0.0, interval: None }; columns.len()];
    for (at, &axis) in varied.iter().enumerate() {
        let (value, half) = (coefficients[at], student(freedom) * (noise * inverse[at][at]).sqrt());
        let interval = Some(Interval { low: value - half, high: value + half });
        influences[axis] = Influence { value, interval };
    }
    Some(Ranking { method: Method::RankRegression, influences, explained })
}

/// The inverse of a matrix by Gauss and Jordan; none if columns depend on one another.
fn inverse(mut a: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = a.len();
    let mut inverse: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for i in 0..n {
        let pivot = (i..n).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs()))?;
        if a[pivot][i].abs() < 1e-9 {
            return None;
        }
        a.swap(i, pivot);
        inverse.swap(i, pivot);
        let scale = a[i][i];
        a[i].iter_mut().chain(&mut inverse[i]).for_each(|x| *x /= scale);
        for row in (0..n).filter(|&row| row != i) {
            let factor = a[row][i];
            for column in 0..n {
                a[row][column] -= factor * a[i][column];
                inverse[row][column] -= factor * inverse[i][column];
            }
        }
    }
    Some(inverse)
}

/// Where the values of an axis stand: numbers with one unit are what they are, others stand where
/// the axis lists them.
fn positions(axis: &Axis, column: &[&str]) -> Vec<f64> {
    let numbers: Option<Vec<_>> = column.iter().map(|text| number(text)).collect();
    match numbers {
        Some(numbers) if numbers.iter().all(|(_, unit)| *unit == numbers[0].1) => {
            numbers.into_iter().map(|(number, _)| number).collect()
        }
        _ => {
            let each = axis.values.each().unwrap_or_default();
            column.iter().map(|text| each.iter().position(|value| value == text).unwrap_or(0) as f64).collect()
        }
    }
}

/// A number and its unit, as a value of an axis is written; none if it is something else.
#[must_use]
pub fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !"-+.".contains(c)).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Ranks from 1 on; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let less = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        less as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

/// Numbers with mean 0 and variance 1; none if all are the same.
fn standardised(values: &[f64]) -> Option<Vec<f64>> {
    let mean = mean(values);
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    (deviation > 0.0).then(|| values.iter().map(|value| (value - mean) / deviation).collect())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    /// y = 10 a + b + 5 ab on {−1, 1}²: sums of squares 400, 4 and 100.
    #[test]
    fn shares_of_variance_are_those_of_the_textbook() {
        let columns = [vec!["-1", "-1", "1", "1"], vec!["-1", "1", "-1", "1"]];
        let ranking = shares(&columns, &[-6.0, -14.0, 4.0, 16.0], Method::VarianceShare);
        near(ranking.influences[0].value, 400.0 / 504.0);
        near(ranking.influences[1].value, 4.0 / 504.0);
        near(ranking.explained, 404.0 / 504.0);
        assert_eq!(ranking.order(), [0, 1]);
    }

    #[test]
    fn a_line_is_explained_and_its_slopes_are_found() {
        let a: Vec<_> = (0..20).map(f64::from).collect();
        let b: Vec<_> = (0..20).map(|i| f64::from(i * 7 % 20)).collect();
        let y: Vec<_> = a.iter().zip(&b).map(|(a, b)| 3.0 * a - b).collect();
        let ranking = regression(&[a.clone(), b, vec![1.0; 20]], &y).expect("a ranking");
        near(ranking.explained, 1.0);
        // Both columns have the same deviation, so the coefficients are as 3 to −1.
        near(ranking.influences[0].value / ranking.influences[1].value, -3.0);
        assert_eq!(ranking.influences[2].value, 0.0);
        assert_eq!(ranking.order(), [0, 1, 2]);
        assert_eq!(regression(&[a[..2].to_vec()], &y[..2]), None, "two points make every line");
    }

    #[test]
    fn ranks_are_shared_and_never_is_last() {
        assert_eq!(ranks(&[5.0, f64::INFINITY, 5.0, 1.0, f64::INFINITY]), [2.5, 4.5, 2.5, 1.0, 4.5]);
        let axis: Axis = "a=small,large,20".parse().expect("an axis");
        assert_eq!(positions(&axis, &["large", "small", "20"]), [1.0, 0.0, 2.0]);
        assert_eq!(positions(&axis, &["9d", "10d"]), [9.0, 10.0]);
    }
}

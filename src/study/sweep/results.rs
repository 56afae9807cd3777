//! What the runs of a sweep say, point by point.

use super::{Row, Sweep};
use crate::outcome::{Estimate, Proportion};
use crate::study::{Decision, decide};

/// A sweep and its runs.
#[derive(Debug, Clone, Copy)]
pub struct Results<'a> {
    /// What was run.
    pub sweep: &'a Sweep,
    /// By point, then by replication.
    pub runs: &'a [Vec<Row>],
}

/// A measure at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Independent runs.
    pub runs: usize,
    /// Those in which there is nothing to measure, as the wait of no pod.
    pub missing: usize,
    /// Those in which it is a time that never comes.
    pub never: usize,
    /// Over the runs in which there is something; of a probability, its values are 1 and 0. A time
    /// that never comes is infinite.
    pub estimate: Option<Estimate>,
    /// How often a statement holds; none if it is no probability.
    pub share: Option<Proportion>,
    is_time: bool,
}

impl Results<'_> {
    /// A measure at a point.
    #[must_use]
    pub fn cell(&self, point: usize, measure: usize) -> Cell {
        let rows = &self.runs[point];
        let values: Vec<_> = rows.iter().filter_map(|row| row[measure]).collect();
        let unit = self.sweep.measures[measure].1;
        let hits = values.iter().filter(|&&value| value > 0.0).count();
        Cell {
            runs: rows.len(),
            missing: rows.len() - values.len(),
            never: values.iter().filter(|value| value.is_infinite()).count(),
            estimate: Estimate::of(&values),
            share: (unit == PROBABILITY && !values.is_empty()).then(|| Proportion::new(hits, values.len())),
            is_time: unit == "s",
        }
    }

    /// What the runs at a point say about a claim; none if it is not claimed there.
    #[must_use]
    pub fn decision(&self, point: usize, claim: usize) -> Option<Decision> {
        if !self.sweep.points[point].claims[claim] {
            return None;
        }
        let column = self.sweep.measures.len() + claim;
        let rows = &self.runs[point];
        let hits = rows.iter().filter(|row| row[column] == Some(1.0)).count();
        Some(decide(&self.sweep.claims[claim], hits, rows.len()).decision)
    }

    /// The headline of a measure at each point.
    #[must_use]
    pub fn headlines(&self, measure: usize) -> Vec<Option<f64>> {
        (0..self.runs.len()).map(|point| self.cell(point, measure).headline()).collect()
    }
}

/// The unit of probabilities.
const PROBABILITY: &str = "share of runs";

impl Cell {
    /// The one number that stands for all runs: the median of a time, so that runs in which it
    /// never comes count, and otherwise the mean.
    #[must_use]
    pub fn headline(&self) -> Option<f64> {
        self.estimate.map(|estimate| if self.is_time { estimate.median } else { estimate.mean })
    }

    /// What is likely around the headline: the interval of a mean or of a probability, the 5 and
    /// 95 % quantiles of a time.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        let estimate = self.estimate?;
        match (self.is_time, self.share) {
            (true, _) => Some((estimate.p5, estimate.p95)),
            (false, Some(share)) => share.interval.map(|interval| (interval.low, interval.high)),
            (false, None) => estimate.interval.map(|interval| (interval.low, interval.high)),
        }
    }
}

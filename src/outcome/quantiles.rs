//! Every reading of a model over the runs.

use super::Estimate;
use super::reading::value;
use crate::model::Model;
use crate::record::Recording;

/// A reading over the runs in which it exists. A time that never comes is infinite.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiles {
    /// Name of the reading, such as `vsw-AAA.free.min`.
    pub measure: String,
    /// Its unit.
    pub unit: &'static str,
    /// Mean with its interval, and quantiles.
    pub estimate: Estimate,
    /// 25 % quantile.
    pub p25: f64,
    /// 75 % quantile.
    pub p75: f64,
}

/// The readings of `model` over `recordings`, without those that exist in no run.
pub(super) fn quantiles(model: &Model, recordings: &[Recording]) -> Vec<Quantiles> {
    let of = |(measure, reading): (String, crate::model::Reading)| {
        let values: Vec<f64> = recordings.iter().filter_map(|run| value(&reading, model, run)).collect();
        let estimate = Estimate::of(&values)?;
        let [p25, p75] = Estimate::quartiles(&values);
        Some(Quantiles { measure, unit: reading.unit(), estimate, p25, p75 })
    };
    model.readings().into_iter().filter_map(of).collect()
}

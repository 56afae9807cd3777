//! Studies: many runs of a scenario and its variants, and what they say together.

mod axis;
pub mod front;
mod judge;
pub mod seek;

pub use axis::{Axis, ParseAxisError, Range, Values};
pub use judge::{Decision, Judgement, decide, judge};

use crate::model::{Ensemble, Reading};
use crate::outcome::value;
use crate::record::Recording;
use crate::sim::{Progress, replicate, run as run_one};

/// Runs the replications of an ensemble on the threads of the current rayon pool.
#[must_use]
pub fn run(ensemble: &Ensemble, progress: &Progress) -> Vec<Recording> {
    replicate(ensemble, 0..ensemble.typical().replications, progress)
}

/// Runs some replications and keeps nothing of each but some readings, of which
/// [`Ensemble::observe`] was told: by replication, then in the order of `readings`.
#[must_use]
pub fn read(
    ensemble: &Ensemble,
    replications: std::ops::Range<u32>,
    readings: &[Reading],
    progress: &Progress,
) -> Vec<Vec<Option<f64>>> {
    use rayon::prelude::*;
    let read = |replication| {
        let model = ensemble.of(replication);
        let run = run_one(model, replication, progress);
        readings.iter().map(|reading| value(reading, model, &run)).collect()
    };
    replications.into_par_iter().map(read).collect()
}

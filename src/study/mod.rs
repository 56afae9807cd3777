//! Runs of a scenario in numbers: replications, and what they say about claims.

mod judge;

pub use judge::{Decision, Judgement, judge};

use crate::model::Ensemble;
use crate::record::Recording;
use crate::sim::{Progress, replicate};

/// Runs the replications of an ensemble on the threads of the current rayon pool.
#[must_use]
pub fn run(ensemble: &Ensemble, progress: &Progress) -> Vec<Recording> {
    replicate(ensemble, 0..ensemble.typical().replications, progress)
}

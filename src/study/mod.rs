//! Studies: many runs of a scenario and its variants, and what they say together.

mod compare;
pub mod front;
mod importance;
mod judge;
mod paired;
mod policy;
pub mod seek;
pub mod sweep;

pub use crate::scenario::{Axis, ParseAxisError, Range, Values};
pub use compare::{
    Asked, Contrast, Difference, Reality, Side, Statistic, Variant, compare, median_error_ratio, run_variants, tested,
};
pub use importance::Family;

pub use judge::{Decision, Judgement, decide, is_hit, judge};
pub use policy::{Finding, Rule, RuleKind, findings, rules};

use std::collections::BTreeSet;

use crate::model::{Claim, Ensemble, Precision, Reading};
use crate::outcome::{precision, value};
use crate::record::Recording;
use crate::sim::{Progress, replicate, run as run_one, run_until};

/// Every combination of one value from each list, the last list's changing fastest.
fn combinations<'a>(lists: impl IntoIterator<Item = &'a [String]>) -> Vec<Vec<String>> {
    lists.into_iter().fold(vec![Vec::new()], |grid, values| {
        let with =
            |point: Vec<String>| values.iter().map(move |value| [&point[..], std::slice::from_ref(value)].concat());
        grid.into_iter().flat_map(with).collect()
    })
}

/// Things with the same key once each, in the order in which they first come.
fn all_of<'a, T: Clone + 'a>(things: impl Iterator<Item = &'a T>, key: impl Fn(&T) -> String) -> Vec<T> {
    let mut seen = BTreeSet::new();
    things.filter(|thing| seen.insert(key(thing))).cloned().collect()
}

/// What warnings of several points have in common if they are the same one: they differ in what is quoted only.
fn same_warning(warning: &str) -> String {
    warning.lines().take(2).collect()
}

/// Runs the replications of an ensemble on the threads of the current rayon pool: all of them, or
/// until they are as precise as the scenario wants. How many that are does not depend on the
/// number of threads.
#[must_use]
pub fn run(ensemble: &Ensemble, progress: &Progress) -> Vec<Recording> {
    let model = ensemble.typical();
    let Some(wanted) = &model.precision else { return replicate(ensemble, 0..model.replications, progress) };
    let mut runs: Vec<Recording> = Vec::new();
    loop {
        let done = runs.len() as u32;
        runs.extend(replicate(ensemble, done..next(done).min(model.replications), progress));
        if runs.len() as u32 == model.replications || precision(wanted, model, &runs).reached {
            return runs;
        }
    }
}

/// Runs after which the precision is looked at for the next time: half as many again. Whoever
/// looks after each run stops at an interval that is narrow by accident; what is left of that,
/// `tests/intervals.rs` measures.
fn next(runs: u32) -> u32 {
    (runs + runs.div_ceil(2)).max(Precision::FEWEST_RUNS)
}

/// Runs some replications, each until it is certain what it says of every claim, and tells whether it is a
/// [hit](judge::is_hit): by replication, then in the order of `claims`, of whose readings [`Ensemble::observe`] was told.
fn hits(
    ensemble: &Ensemble,
    replications: std::ops::Range<u32>,
    claims: &[&Claim],
    progress: &Progress,
) -> Vec<Vec<bool>> {
    use rayon::prelude::*;
    let hits = |replication| {
        let model = ensemble.of(replication);
        let run = run_until(model, replication, progress, |now, recorder| {
            let settles = |claim: &&Claim| recorder.outlook(now, &claim.statement.reading).settles(&claim.statement);
            claims.iter().all(settles)
        });
        claims.iter().map(|claim| is_hit(claim, value(&claim.statement.reading, model, &run))).collect()
    };
    replications.into_par_iter().map(hits).collect()
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

//! A run that was recorded, or a scenario, done again: what `explain` and `inspect` share.

use std::path::Path;

use super::Stop;
use super::print::tell;
use crate::model::{Ensemble, Model};
use crate::outcome::Clock;
use crate::record::Recording;
use crate::report;
use crate::scenario::{Blueprint, Edit};
use crate::time::Instant;

/// The scenario of a run as it was done, or of a file.
pub(super) fn blueprint(run: &Path) -> Result<Blueprint, Stop> {
    if !run.is_dir() {
        return Ok(Blueprint::open(run)?);
    }
    let kept = report::kept(run).map_err(|error| Stop::Input(format!("error: {error:#}")))?;
    let version = env!("CARGO_PKG_VERSION");
    if kept.version != version {
        tell(&format!(
            "warning: the run was done by brimline {}, this is {version}: numbers may differ\n",
            kept.version
        ));
    }
    let (said, files): (Vec<_>, Vec<_>) = kept.sources.into_iter().partition(|source| source.name.starts_with("--"));
    let edits = said.iter().map(|source| Edit::parse(&source.name, &source.text));
    Ok(Blueprint::of_sources(&files).with(edits))
}

/// Refuses a moment after the end of a run.
pub(super) fn check_moment(model: &Model, at: Instant) -> Result<(), Stop> {
    if at <= Instant::ZERO + model.horizon {
        return Ok(());
    }
    Err(wrong(&format!(
        "the run ends after {}: there is nothing to see later, unless it is run with a longer horizon",
        Clock::of(model).length().english()
    )))
}

/// The moment that a text names.
pub(super) fn moment(text: &str) -> Result<Instant, Stop> {
    Clock::parse_moment(text).ok_or_else(|| {
        wrong(&format!("`{text}` is no moment; write `day 41 02:07`, `02:07:10` or a time since the start, `40d2h`"))
    })
}

/// Makes sure that there is such a replication.
pub(super) fn check_replication(ensemble: &Ensemble, replication: u32) -> Result<(), Stop> {
    let last = ensemble.typical().replications - 1;
    if replication > last {
        return Err(wrong(&format!("there is no replication {replication}: they are numbered from 0 to {last}")));
    }
    Ok(())
}

/// Says so if the run's folder counts other calls than the repetition made.
pub(super) fn compare(run: &Path, recording: &Recording) {
    if run.is_dir() && report::agrees(run, recording) == Some(false) {
        tell("\nwarning: this is not what happened in the run: done again, it makes other calls");
    }
}

/// An error of the command line.
pub(super) fn wrong(text: &str) -> Stop {
    Stop::Input(format!("error: {text}"))
}

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

/// The scenario of a run as it was done, or of a file, with changes of `--set`.
pub(super) fn blueprint(run: &Path, set: &[String]) -> Result<Blueprint, Stop> {
    Ok(recorded(run)?.with(set.iter().map(|text| Edit::parse("--set", text))))
}

fn recorded(run: &Path) -> Result<Blueprint, Stop> {
    if !run.is_dir() {
        let is_yaml = run.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        return match run.parent().filter(|folder| !is_yaml && report::kept(folder).is_ok()) {
            Some(folder) => {
                Err(wrong(&format!("{} is a file of a run; give its folder: {}", run.display(), folder.display())))
            }
            None => Ok(Blueprint::open(run)?),
        };
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
fn check_moment(model: &Model, at: Instant) -> Result<(), Stop> {
    if at <= Instant::ZERO + model.horizon {
        return Ok(());
    }
    Err(wrong(&format!(
        "the run ends after {}: there is nothing to see later, unless it is run with a longer horizon",
        Clock::of(model).length().english()
    )))
}

/// The moment of a run that a text names: of its clock, or of its calendar.
pub(super) fn moment(model: &Model, text: &str) -> Result<Instant, Stop> {
    let at = Clock::parse_moment(text).or_else(|| on_calendar(model, text)).ok_or_else(|| {
        let date = model.start.map_or(String::new(), |start| format!(", a date such as `{start}T01:00`"));
        wrong(&format!(
            "`{text}` is no moment of the run; write `day 41 02:07`, `02:07:10`{date} or a time since the start, `40d2h`"
        ))
    })?;
    check_moment(model, at)?;
    Ok(at)
}

/// A date and time, in UTC if it does not say where, as tables have them.
fn on_calendar(model: &Model, text: &str) -> Option<Instant> {
    let date = match text.parse::<jiff::Timestamp>() {
        Ok(there) => there.to_zoned(jiff::tz::TimeZone::UTC).datetime(),
        Err(_) if text.contains('[') => return None,
        Err(_) => text.strip_suffix(" UTC").unwrap_or(text).parse().ok()?,
    };
    let since = date.duration_since(model.start?.to_datetime(jiff::civil::Time::midnight()));
    Some(Instant(u64::try_from(since.as_nanos()).ok()?))
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

//! The manifest: what was run, on what, and how long it took.

use serde::Serialize;

use super::{Run, sha256};
use crate::scenario::{Setting, Uncertain};

/// What was run.
#[derive(Debug, Serialize)]
pub(super) struct Manifest<'a> {
    name: &'a str,
    verdict: String,
    brimline_version: &'static str,
    command: &'a str,
    seed: u64,
    replications: usize,
    sources: Vec<SourceEntry<'a>>,
    settings: &'a [Setting],
    uncertain: Vec<Uncertain>,
    warnings: &'a [String],
    /// What follows differs from run to run.
    run: Circumstances,
}

/// A file that was read.
#[derive(Debug, Serialize)]
struct SourceEntry<'a> {
    name: &'a str,
    sha256: String,
    text: &'a str,
}

/// The circumstances of a run.
#[derive(Debug, Serialize)]
struct Circumstances {
    finished: String,
    operating_system: &'static str,
    architecture: &'static str,
    threads: usize,
    wall_s: f64,
    events: u64,
    pod_events: u64,
    events_per_s: f64,
    pod_events_per_s: f64,
}

/// The manifest of a run.
pub(super) fn manifest<'a>(run: &Run<'a>) -> Manifest<'a> {
    let source = |source: &'a crate::scenario::Source| SourceEntry {
        name: &source.name,
        sha256: sha256::hex(source.text.as_bytes()),
        text: &source.text,
    };
    let events = run.recordings.iter().map(|r| r.events).sum::<u64>();
    let pod_events = run.recordings.iter().map(|r| r.pod_events).sum::<u64>();
    let wall_s = run.wall.as_secs_f64();
    let per_s = |n: u64| if wall_s > 0.0 { n as f64 / wall_s } else { 0.0 };
    Manifest {
        name: &run.model.name,
        verdict: run.summary.verdict.text.english(),
        brimline_version: run.summary.method.version,
        command: run.command,
        seed: run.model.seed,
        replications: run.recordings.len(),
        sources: run.sources.iter().map(source).collect(),
        settings: run.settings,
        uncertain: run.uncertain.iter().map(|input| input.of_runs(run.recordings.len())).collect(),
        warnings: run.warnings,
        run: Circumstances {
            finished: jiff::Timestamp::now().to_string(),
            operating_system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            threads: run.threads,
            wall_s,
            events,
            pod_events,
            events_per_s: per_s(events),
            pod_events_per_s: per_s(pod_events),
        },
    }
}

//! Conformance: the answers of the real Terway code against ours.

pub mod case;
pub mod centralized;
pub mod classic;
pub mod compare;
mod daemon;
pub mod replay;
mod show;

use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};

use case::{Case, File, Sample};
use compare::Verdict;
use replay::{Levels, Played, play};
pub use show::{page, table};

use crate::openapi::{Api, ErrorCode};

/// `core` of the centralized controller's cases.
const CENTRALIZED: &str = "centralized";
/// `core` of the cases of a daemon of centralized IPAM.
const CENTRALIZED_DAEMON: &str = "centralized-daemon";
/// `core` of the classic pool's cases.
const CLASSIC: &str = "classic";

/// Plays one case with chance off and returns `timeline`, `api_calls`, `api_errors` and `pods`; of a case of a daemon of
/// centralized IPAM, what it did.
///
/// # Errors
/// If the file cannot be read or is not a case that brimline plays.
pub fn replay(path: &Path) -> anyhow::Result<Value> {
    let file: Value = serde_json::from_str(&text(path)?)?;
    let case = || file["case"].clone();
    match file["case"]["core"].as_str() {
        Some(CENTRALIZED) => centralized::replay(&serde_json::from_value(case())?),
        Some(CENTRALIZED_DAEMON) => daemon::replay(&serde_json::from_value(case())?),
        Some(CLASSIC) => classic::replay(&serde_json::from_value(case())?),
        _ => {
            let case = read(path)?;
            Ok(answer(&case, &play(&case, None)?))
        }
    }
}

/// Plays one case `runs` times with chance on and returns `distributions` and
/// `wait_ms_quantiles`.
///
/// # Errors
/// If the file cannot be read or is not a case that brimline plays.
pub fn replay_runs(path: &Path, runs: u32, seed: u64) -> anyhow::Result<Value> {
    use rayon::prelude::*;
    anyhow::ensure!(runs > 0, "at least one run is needed");
    let case = read(path)?;
    let played = (0..runs).into_par_iter().map(|run| play(&case, Some((seed, run)))).collect::<Result<Vec<_>, _>>()?;
    Ok(compare::distributions(&case, &played))
}

/// The verdict of every case under `dir`, in the order of their names.
///
/// # Errors
/// If a file cannot be read or is not a case that brimline plays.
pub fn verdicts(dir: &Path) -> anyhow::Result<Vec<Verdict>> {
    let files = files(dir)?;
    anyhow::ensure!(!files.is_empty(), "no case (*.json) under {}", dir.display());
    files.iter().map(|path| compare::compare(path).with_context(|| format!("case {}", path.display()))).collect()
}

fn files(dir: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn read(path: &Path) -> anyhow::Result<Case> {
    let file: File = serde_json::from_str(&text(path)?).with_context(|| format!("{} is not a case", path.display()))?;
    Ok(file.case)
}

fn answer(case: &Case, played: &Played) -> Value {
    let mut timeline = Vec::new();
    let mut last = None;
    for (t_ms, levels) in &played.samples {
        if last == Some(levels) {
            continue;
        }
        last = Some(levels);
        let mut row = Map::new();
        row.insert("t_ms".to_owned(), json!(t_ms));
        row.extend(sample(case, levels).into_iter().map(|(key, value)| (key, json!(value))));
        timeline.push(Value::Object(row));
    }
    let pods = played.pods.iter().map(|(pod, requested, allocated)| {
        let allocated = allocated.map_or(-1, |ms| ms as i64);
        json!({"pod": pod, "requested_ms": requested, "allocated_ms": allocated})
    });
    json!({
        "timeline": timeline,
        "api_calls": counts(Api::ALL.map(Api::name), played.calls),
        "api_errors": counts(ErrorCode::ALL.map(ErrorCode::name), played.errors),
        "pods": pods.collect::<Vec<_>>(),
    })
}

/// The samples that differ from the one before.
fn timeline(samples: &[(u64, Sample)]) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut last = None;
    for (t_ms, sample) in samples.iter().filter(|(_, sample)| last.replace(sample) != Some(sample)) {
        let mut row = Map::new();
        row.insert("t_ms".to_owned(), json!(t_ms));
        row.extend(sample.iter().map(|(key, value)| (key.clone(), json!(value))));
        rows.push(Value::Object(row));
    }
    rows
}

/// The counts that are not zero, by name.
fn counts<const N: usize>(names: [&str; N], counts: [u64; N]) -> Map<String, Value> {
    let pairs = names.into_iter().zip(counts).filter(|&(_, count)| count > 0);
    let mut sorted: Vec<_> = pairs.collect();
    sorted.sort();
    sorted.into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect()
}

/// The levels under the names of the suite.
fn sample(case: &Case, levels: &Levels) -> Sample {
    let mut sample = Sample::new();
    for (i, node) in levels.nodes.iter().enumerate() {
        for (name, value) in ["enis", "ips", "in_use", "pending"].into_iter().zip(node) {
            sample.insert(format!("node{i}.{name}"), i64::from(*value));
        }
    }
    for (vswitch, free) in case.vswitches.iter().zip(&levels.available) {
        sample.insert(format!("{}.available", vswitch.id), i64::from(*free));
    }
    sample
}

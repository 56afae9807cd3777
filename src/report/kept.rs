//! What a run's folder says about the run: enough to do it again.

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::dataset::Dataset;
use super::tables;
use crate::record::Recording;
use crate::scenario::Source;

/// A run that was done before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The version of brimline that did it.
    pub version: String,
    /// What was read, the scenario first; what begins with `--` was said on the command line.
    pub sources: Vec<Source>,
}

/// The part of the manifest that says what was run.
#[derive(Debug, Deserialize)]
struct Manifest {
    brimline_version: String,
    sources: Vec<SourceEntry>,
}

#[derive(Debug, Deserialize)]
struct SourceEntry {
    name: String,
    text: String,
}

/// Reads what was run from the folder of a run.
///
/// # Errors
/// If it is none.
pub fn kept(folder: &Path) -> anyhow::Result<Kept> {
    let path = folder.join("manifest.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("`{}` is no folder of a run: manifest.json cannot be read", folder.display()))?;
    let no_manifest = || format!("`{}` is no manifest of a run", path.display());
    let Manifest { brimline_version, sources } = serde_json::from_str(&text).with_context(no_manifest)?;
    let sources: Vec<_> = sources.into_iter().map(|SourceEntry { name, text }| Source { name, text }).collect();
    anyhow::ensure!(sources.first().is_some_and(|source| !source.name.starts_with("--")), no_manifest());
    Ok(Kept { version: brimline_version, sources })
}

/// Whether a replication that was done again makes the calls that the folder of its run counts;
/// `None` = the folder does not count them.
#[must_use]
pub fn agrees(folder: &Path, again: &Recording) -> Option<bool> {
    let counted = std::fs::read_to_string(folder.join("api_calls.csv")).ok()?;
    let repeated = tables::api_calls(std::slice::from_ref(again)).and_then(Dataset::into_csv);
    let repeated = repeated.expect("nothing keeps a table from memory");
    let repeated = String::from_utf8(repeated).expect("the table is text");
    let own = format!("{},", again.replication);
    Some(counted.lines().filter(|line| line.starts_with(&own)).eq(repeated.lines().skip(1)))
}

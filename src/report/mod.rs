//! What a run leaves behind for people and programs: the terminal's summary and a folder with
//! JSON, CSV, plots and a page.

pub mod compare;
mod content;
mod dataset;
mod figures;
mod html;
mod kept;
mod manifest;
mod measures;
mod markdown;
#[cfg(feature = "parquet")]
mod parquet;
mod plot;
mod policy;
pub mod seek;
mod sha256;
mod shell;
pub mod sweep;
mod story;
mod tables;
mod terminal;
mod validation;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

pub use kept::{Kept, agrees, kept};
pub use measures::measures;
pub use plot::Plot;
pub use policy::{junit, markdown, policy};
pub use shell::in_quotes;
pub use story::story;
pub use terminal::terminal;

use crate::model::Model;
use crate::outcome::Summary;
use crate::record::Recording;
use crate::scenario::{Setting, Source, Uncertain};
use crate::study::Finding;
use crate::text::Lang;
use content::Content;
use dataset::Dataset;
use plot::Picture;

/// A finished run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// What was simulated.
    pub model: &'a Model,
    /// What it means.
    pub summary: &'a Summary,
    /// What it was held to.
    pub findings: &'a [Finding],
    /// What was recorded.
    pub recordings: &'a [Recording],
    /// Every value of the model with its origin.
    pub settings: &'a [Setting],
    /// Inputs that were drawn for every replication.
    pub uncertain: &'a [Uncertain],
    /// The files that were read, the scenario first.
    pub sources: &'a [Source],
    /// Warnings of loading the scenario.
    pub warnings: &'a [String],
    /// A command that repeats the run, without options that do not change its numbers.
    pub reproduce: &'a str,
    /// A command that seeks a value of the same scenario, but for what is sought.
    pub seek: &'a str,
    /// The command as it was given; only the manifest names it.
    pub command: &'a str,
    /// How long the run took; only the manifest names it.
    pub wall: Duration,
    /// Threads; only the manifest names them.
    pub threads: usize,
    /// The language of the report.
    pub lang: Lang,
}

/// What `summary.json` holds: the summary, and what the run was held to.
#[derive(serde::Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    policy: &'a [Finding],
}

/// The summary as JSON, with what the run was held to.
///
/// # Errors
/// Never, as all of it is plain data.
pub fn summary_json(summary: &Summary, findings: &[Finding]) -> anyhow::Result<Vec<u8>> {
    json(&Answer { summary, policy: findings })
}

/// Makes sure that a folder can be written below `root`, before a long run is done for nothing.
///
/// # Errors
/// If it cannot.
pub fn prepare(root: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!root.is_file(), "{} is a file, not a folder; choose another with --output", root.display());
    fs::create_dir_all(root).with_context(|| format!("cannot create the folder {}", root.display()))?;
    Draft::new(root, "probe").map(drop)
}

/// Writes the folder of a run below `root` and returns its path.
///
/// The folder is `name`, or `name-2`, `name-3`, ... if that is taken: what exists is never
/// touched. It appears at once and complete: everything is written to a hidden sibling first,
/// which is removed if anything fails. All files but `manifest.json` are the same, byte for byte,
/// for the same model, seed and version.
///
/// # Errors
/// If something cannot be written; nothing is left behind then.
pub fn write(root: &Path, name: &str, run: &Run) -> anyhow::Result<PathBuf> {
    let name = file_name(name);
    fs::create_dir_all(root).with_context(|| format!("cannot create the folder {}", root.display()))?;
    let draft = Draft::new(root, &name)?;
    fill(&draft.0, run)?;
    draft.publish(root, &name)
}

fn fill(folder: &Path, run: &Run) -> anyhow::Result<()> {
    let pictures = plot::all(run.model, run.summary, run.recordings, run.lang);
    save(folder, "summary.json", &summary_json(run.summary, run.findings)?)?;
    let outputs = &run.model.outputs;
    let keep = |name: &str, table: Dataset| table.save(folder, name, outputs.parquet);
    keep("timeline", tables::timeline(run.model, run.recordings)?)?;
    keep("api_calls", tables::api_calls(run.recordings)?)?;
    keep("api_timeline", tables::api_timeline(run.model, run.recordings)?)?;
    keep("risk", tables::risk(run.summary)?)?;
    keep("quantiles", tables::quantiles(run.summary)?)?;
    if outputs.pods {
        keep("pods", tables::pods(run.model, run.recordings)?)?;
    }
    if outputs.events {
        keep("events", tables::events(run.model, run.recordings)?)?;
    }
    save(folder, "manifest.json", &json(&manifest::manifest(run))?)?;
    let content = Content::of(run, &pictures);
    save(folder, "report.html", html::page(run, &content)?.as_bytes())?;
    save(folder, "report.md", markdown::page(run, &content).as_bytes())?;
    fs::create_dir(folder.join("plots")).with_context(|| format!("cannot create {}/plots", folder.display()))?;
    for Picture { plot, .. } in &pictures {
        save(folder, &format!("plots/{}.svg", plot.name), plot.svg.as_bytes())?;
    }
    #[cfg(feature = "png")]
    {
        let rasteriser = plot::png::Rasteriser::new();
        for Picture { plot, .. } in &pictures {
            save(folder, &format!("plots/{}.png", plot.name), &rasteriser.png(&plot.svg)?)?;
        }
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// The word that stands in JSON for a value of an enumeration without data.
fn in_json(value: impl serde::Serialize) -> anyhow::Result<String> {
    let value = serde_json::to_value(value)?;
    Ok(value.as_str().context("it is a word in JSON")?.to_owned())
}

fn save(folder: &Path, file: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = folder.join(file);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Makes sure that a file can be written in its folder, which is made if need be.
///
/// # Errors
/// If it cannot.
pub fn prepare_file(path: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!path.is_dir(), "{} is a folder, not a file", path.display());
    let folder = folder_of(path);
    fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    Draft::new(folder, "probe").map(drop)
}

/// Writes a file in place of one of the same name, at once and complete.
///
/// # Errors
/// If it cannot be written; the other is as before then.
pub fn replace_file(path: &Path, text: &str) -> anyhow::Result<()> {
    replace_file_with(path, |file| file.write_all(text.as_bytes()))
}

/// As [`replace_file`], for what is too long to be kept in memory.
///
/// # Errors
/// If it cannot be written; the other is as before then.
pub fn replace_file_with(path: &Path, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> anyhow::Result<()> {
    prepare_file(path)?;
    let draft = Draft::new(folder_of(path), "file")?;
    let cannot = || format!("cannot write {}", path.display());
    let file = fs::File::create(draft.0.join("text")).with_context(cannot)?;
    let mut file = io::BufWriter::new(file);
    write(&mut file).and_then(|()| file.flush()).with_context(cannot)?;
    fs::rename(draft.0.join("text"), path).with_context(cannot)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A run's folder while it is written; it removes itself unless it is published.
struct Draft(PathBuf);

impl Draft {
    fn new(root: &Path, name: &str) -> anyhow::Result<Self> {
        for n in 0.. {
            let folder = root.join(format!(".{name}.partial-{}-{n}", std::process::id()));
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Self(folder)),
                // Another thread writes there, or a process that was killed left it.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e).with_context(|| format!("cannot create the folder {}", folder.display())),
            }
        }
        anyhow::bail!("every name of a draft is taken in {}", root.display())
    }

    /// Gives the folder the first name that is not taken.
    fn publish(self, root: &Path, name: &str) -> anyhow::Result<PathBuf> {
        for n in 1.. {
            let target = root.join(if n == 1 { name.to_owned() } else { format!("{name}-{n}") });
            if fs::symlink_metadata(&target).is_ok() {
                continue;
            }
            match fs::rename(&self.0, &target) {
                Ok(()) => return Ok(target),
                // Another process took the name in between.
                Err(e) if matches!(e.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {}
                Err(e) => return Err(e).with_context(|| format!("cannot create the folder {}", target.display())),
            }
        }
        anyhow::bail!("every name of the form {name}-2 is taken in {}", root.display())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publishing there is nothing of that name; and an error here has no one to tell.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A name as the name of one file: other characters than letters, digits, `-`, `_` and `.`
/// become `-`, and what file systems find too long is cut.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let mut out = String::new();
    for c in name.chars().map(plain).skip_while(|&c| c == '.') {
        if out.len() + c.len_utf8() > LONGEST_NAME {
            break;
        }
        out.push(c);
    }
    if out.is_empty() { "run".to_owned() } else { out }
}

/// Longest name of a file or folder, in bytes; systems take 255, endings included.
const LONGEST_NAME: usize = 150;

#[cfg(test)]
mod tests;

//! The folder of a sweep. While it runs it is called `….unfinished` and holds a plan and a
//! journal: `replications.csv`, to which every point is added as soon as it is done. The same
//! command goes on where the journal ends; when nothing is left, the other files are written and
//! the folder gets its name, all at once.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Serialize;

use super::tables::{read_replications, replications};
use crate::report::{file_name, json, sha256};
use crate::study::sweep::{Design, Results, Row, Sweep};

const PLAN: &str = "plan.json";
const JOURNAL: &str = "replications.csv";
const PARQUET: &str = "replications.parquet";
/// Digits of the plan's hash in the folder's name.
const DIGITS: usize = 8;

/// The folder of a sweep, and what is done of it.
#[derive(Debug)]
pub struct Journal {
    /// Where the folder is now.
    folder: PathBuf,
    /// Where it is when nothing is left to do.
    target: PathBuf,
    /// By point.
    done: BTreeMap<usize, Vec<Row>>,
    file: Option<File>,
    /// Held so that no other process adds to the same journal.
    lock: Option<File>,
}

/// What determines the numbers of a sweep. Its hash is part of the folder's name.
#[derive(Debug, Serialize)]
struct Plan<'a> {
    name: &'a str,
    brimline_version: &'static str,
    seed: u64,
    sources: Vec<(&'a str, String)>,
    changes: Vec<String>,
    design: Design,
    varied: Vec<&'a str>,
    measures: Vec<&'a str>,
    claims: Vec<&'a str>,
    points: Vec<PlannedPoint<'a>>,
}

#[derive(Debug, Serialize)]
struct PlannedPoint<'a> {
    values: &'a [String],
    replications: u32,
}

impl Journal {
    /// Opens the folder of a sweep below `root`, or makes it. What was done before by the same
    /// plan is done; another plan has another folder.
    ///
    /// # Errors
    /// If it cannot be read or written, or if another process is at work on it.
    pub fn open(root: &Path, sweep: &Sweep) -> anyhow::Result<Self> {
        let plan = json(&plan(sweep))?;
        let name = format!("{}-sweep-{}", file_name(&sweep.name), &sha256::hex(&plan)[..DIGITS]);
        let target = root.join(&name);
        if target.exists() {
            let done = read(&target, &plan, sweep)?;
            let is_whole = done.len() == sweep.points.len();
            ensure!(is_whole, "{} is not whole any more; move it away to sweep again", target.display());
            return Ok(Self { folder: target.clone(), target, done, file: None, lock: None });
        }
        let folder = root.join(format!("{name}.unfinished"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
        if !folder.join(PLAN).exists() {
            replace(&folder, PLAN, &plan)?;
        }
        let lock = lock(&folder)?;
        let done = read(&folder, &plan, sweep)?;
        // A kill may have torn the last lines.
        replace(&folder, JOURNAL, &replications(sweep, &done)?.into_csv()?)?;
        let path = folder.join(JOURNAL);
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { folder, target, done, file: Some(file), lock: Some(lock) })
    }

    /// Points that are done, in their order.
    #[must_use]
    pub fn done(&self) -> Vec<usize> {
        self.done.keys().copied().collect()
    }

    /// The folder, which keeps what is done if the program is ended.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a point that is done: once this returns, nothing but a broken disk loses it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, sweep: &Sweep, point: usize, rows: Vec<Row>) -> anyhow::Result<()> {
        let file = self.file.as_mut().expect("a finished sweep has no more points");
        let one = BTreeMap::from([(point, rows)]);
        let text = replications(sweep, &one)?.into_csv()?;
        let header = replications(sweep, &BTreeMap::new())?.into_csv()?.len();
        let written = file.write_all(&text[header..]).and_then(|()| file.sync_data());
        written.with_context(|| format!("cannot write {}", self.folder.join(JOURNAL).display()))?;
        self.done.extend(one);
        Ok(())
    }

    /// Rows by point and replication, once every point is done.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<Row>> {
        self.done.values().cloned().collect()
    }

    /// Writes what people read, and gives the folder its name; returns it. Nothing is done for a
    /// folder that has it.
    ///
    /// # Errors
    /// If something cannot be written; the journal is kept then.
    pub fn publish(self, results: &Results, reproduce: &str) -> anyhow::Result<PathBuf> {
        let Self { folder, target, done, file, lock } = self;
        if lock.is_none() {
            return Ok(target);
        }
        super::fill(&folder, results, reproduce)?;
        // Points are in the order in which they were done until now.
        let mut table = replications(results.sweep, &done)?;
        if results.sweep.parquet {
            replace(&folder, PARQUET, &table.parquet()?)?;
        }
        replace(&folder, JOURNAL, &table.into_csv()?)?;
        // Some systems do not rename a folder with open files.
        drop((file, lock));
        fs::rename(&folder, &target).with_context(|| format!("cannot create the folder {}", target.display()))?;
        Ok(target)
    }
}

fn plan(sweep: &Sweep) -> Plan<'_> {
    let texts = sweep.sources.iter().map(|source| (source.name.as_str(), sha256::hex(source.text.as_bytes())));
    let points =
        sweep.points.iter().map(|point| PlannedPoint { values: &point.values, replications: point.replications });
    Plan {
        name: &sweep.name,
        brimline_version: env!("CARGO_PKG_VERSION"),
        seed: sweep.seed,
        sources: texts.collect(),
        changes: sweep.edits().iter().map(|edit| format!("{}={}", edit.path, edit.value)).collect(),
        design: sweep.design,
        varied: sweep.axes.iter().map(|axis| axis.path.as_str()).collect(),
        measures: sweep.measures.iter().map(|(name, _)| name.as_str()).collect(),
        claims: sweep.claims.iter().map(|claim| claim.text.as_str()).collect(),
        points: points.collect(),
    }
}

/// Holds the folder for this process.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join(PLAN);
    let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => bail!("another process is at work on this sweep in {}", folder.display()),
        Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// The points that a folder's journal holds.
fn read(folder: &Path, plan: &[u8], sweep: &Sweep) -> anyhow::Result<BTreeMap<usize, Vec<Row>>> {
    let open = |file: &str| {
        let path = folder.join(file);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let known = open(PLAN)?;
    ensure!(known == plan, "{} is of another sweep: its {PLAN} {}", folder.display(), difference(&known, plan));
    if !folder.join(JOURNAL).exists() {
        return Ok(BTreeMap::new());
    }
    read_replications(sweep, &open(JOURNAL)?)
}

/// Where two plans differ.
fn difference(known: &[u8], plan: &[u8]) -> String {
    let (known, plan) = (String::from_utf8_lossy(known), String::from_utf8_lossy(plan));
    let lines = known.lines().map(str::trim).zip(plan.lines().map(str::trim));
    let first = lines.enumerate().find(|(_, (known, plan))| known != plan);
    first.map_or("ends elsewhere".to_owned(), |(line, (known, plan))| {
        format!("has `{known}` on line {} instead of `{plan}`", line + 1)
    })
}

/// Puts a file in the place of another, at once.
fn replace(folder: &Path, file: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let (path, new) = (folder.join(file), folder.join(format!(".{file}.new")));
    let write = || {
        let mut to = File::create(&new)?;
        to.write_all(bytes)?;
        to.sync_data()?;
        fs::rename(&new, &path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

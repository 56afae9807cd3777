//! Sweeps: a scenario at many points, each with other values at some paths.
//!
//! Every point is read and checked before one runs. All points have the same seed and so, as far
//! as they say the same, the same chance (common random numbers); their differences are not noise.

mod design;
mod results;
mod runner;
mod sensitivity;

pub use design::{Design, MOST_POINTS};
pub use results::{Cell, Results};
pub use sensitivity::{Influence, Method, Ranking, number, ranking};

use rayon::prelude::*;

use super::{all_of, same_warning};
use crate::model::{Claim, Measured, Model};
use crate::scenario::{Axis, Blueprint, Diagnostics, Edit, Loaded, Source, SweepSection, measured};
use crate::time::Span;

/// What is measured if nobody says.
pub const DEFAULT_MEASURES: [&str; 12] = [
    "P(any vswitch is full)",
    "vswitch.time_to_full",
    "vswitch.free.min",
    "vswitches.idle.mean",
    "vswitches.pods.mean",
    "pods.wait.p50",
    "pods.wait.p99",
    "pods.waiting.max",
    "pods.never_served",
    "pods.unschedulable.max",
    "calls",
    "calls.refused",
];

/// What somebody wants of a sweep; what is missing is as the scenario's section `sweep` says.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// What is varied.
    pub axes: Vec<Axis>,
    /// Points of a Latin hypercube.
    pub points: Option<u32>,
    /// What is measured.
    pub measures: Vec<String>,
}

/// A sweep whose every point was checked.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Name of the scenario.
    pub name: String,
    /// The question that it asks.
    pub question: String,
    /// Seed of all chance, unless it is varied.
    pub seed: u64,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// How the points were chosen.
    pub design: Design,
    /// The points.
    pub points: Vec<Point>,
    /// What is measured, by name, with its unit.
    pub measures: Vec<(String, &'static str)>,
    /// Claims of the scenario at any of the points.
    pub claims: Vec<Claim>,
    /// The files of all points, the scenario first.
    pub sources: Vec<Source>,
    /// Warnings of loading the scenario at its points, each once.
    pub warnings: Vec<String>,
    /// Whether its tables are written as Parquet too.
    pub parquet: bool,
    blueprint: Blueprint,
    option: &'static str,
}

/// A point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The value of each axis.
    pub values: Vec<String>,
    /// Independent runs.
    pub replications: u32,
    /// Simulated time of each.
    pub horizon: Span,
    /// Which of [`Sweep::claims`] are its own.
    pub claims: Vec<bool>,
}

/// Why a sweep cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// What is wanted makes no sense.
    #[error("{0}")]
    Wish(String),
    /// The scenario is wrong, as it is or at some points.
    #[error(transparent)]
    Scenario(#[from] Diagnostics),
}

/// What one run says: each measure, then for each claim whether its statement holds (1 or 0).
pub type Row = Vec<Option<f64>>;

impl Sweep {
    /// The sweep of a scenario. Reads the scenario at every point, on the threads of the current
    /// rayon pool.
    ///
    /// # Errors
    /// Everything that is wrong with it, at any point.
    pub fn prepare(scenario: &Blueprint, wish: &Wish) -> Result<Self, Unfit> {
        let loaded = scenario.load()?;
        let section = loaded.sweep.clone().unwrap_or_default();
        let (axes, points, option) = varied(wish, &section);
        let (design, points) = design::points(&axes, points, loaded.model.seed).map_err(Unfit::Wish)?;
        let measures = measures(wish, section);
        let known = files(loaded.sources);
        let check = |values: &Vec<String>| {
            let scenario = scenario.with(edits(&axes, option, values));
            let because = |wrong: Diagnostics| wrong.because(&format!("this is so with {}", in_words(&axes, values)));
            check(&scenario, &measures, &known).map_err(because)
        };
        let checked = every(points.par_iter().map(check).collect::<Vec<_>>())?;
        let claims = all_of(checked.iter().flat_map(|checked| &checked.claims), |claim| claim.text.clone());
        let sources = known.iter().chain(checked.iter().flat_map(|checked| &checked.more_sources));
        let sources = all_of(sources, |source| source.name.clone());
        let warnings = all_of(checked.iter().flat_map(|checked| &checked.warnings), |warning| same_warning(warning));
        let units = &checked.first().expect("a design has a point").units;
        Ok(Self {
            name: loaded.model.name,
            question: loaded.model.question,
            seed: loaded.model.seed,
            axes,
            design,
            measures: measures.into_iter().zip(units.iter().copied()).collect(),
            blueprint: Blueprint::of_sources(&sources).with(scenario.edits().iter().cloned()),
            points: points.into_iter().zip(&checked).map(|(values, checked)| checked.point(values, &claims)).collect(),
            claims,
            sources,
            warnings,
            parquet: loaded.model.outputs.parquet,
            option,
        })
    }

    /// Changes of the scenario that all points share.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        self.blueprint.edits()
    }

    /// What the axes are called in few words: the last keys of their paths that tell them apart.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let suffix = |path: &str, keys: usize| {
            let keys: Vec<_> = path.rsplitn(keys + 1, '.').take(keys).collect();
            keys.into_iter().rev().collect::<Vec<_>>().join(".")
        };
        let alone = |path: &str, keys: usize| {
            let own = suffix(path, keys);
            self.axes.iter().filter(|other| suffix(&other.path, keys) == own).count() == 1
        };
        let label = |axis: &Axis| {
            let all = axis.path.split('.').count();
            // A key such as `to` says little without its owner.
            let least = if suffix(&axis.path, 1).len() < MEANING { 2.min(all) } else { 1 };
            let keys = (least..all).find(|&keys| alone(&axis.path, keys)).unwrap_or(all);
            suffix(&axis.path, keys)
        };
        self.axes.iter().map(label).collect()
    }

    /// Runs at all points.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.points.iter().map(|point| u64::from(point.replications)).sum()
    }
}

/// Checks the section `sweep` of a scenario that was read: at its first and last point, and at one with the last value of
/// each axis. Whether others are right too is seen when it is prepared.
///
/// # Errors
/// Everything that is wrong with it there.
pub fn check_section(scenario: &Blueprint, loaded: &Loaded) -> Result<(), Unfit> {
    let Some(section) = &loaded.sweep else { return Ok(()) };
    let (axes, points, option) = varied(&Wish::default(), section);
    let (_, points) = design::points(&axes, points, loaded.model.seed).map_err(Unfit::Wish)?;
    let with_last = |(i, axis): (usize, &Axis)| {
        let last = axis.values.at(1.0);
        points.iter().find(|point| point[i] == last)
    };
    let mut some: Vec<_> = points.first().into_iter().chain(points.last()).collect();
    some.extend(axes.iter().enumerate().filter_map(with_last));
    some.sort();
    some.dedup();
    let check = |values: &Vec<String>| {
        let wrong = scenario.with(edits(&axes, option, values)).load().err();
        wrong.map_or(Ok(()), |wrong| Err(wrong.because(&format!("this is so with {}", in_words(&axes, values)))))
    };
    every(some.into_iter().map(check))?;
    Ok(())
}

/// Letters from which on a key stands for itself.
const MEANING: usize = 5;

/// What is varied, at how many points, and who says so: the command line, or else the scenario.
fn varied(wish: &Wish, section: &SweepSection) -> (Vec<Axis>, Option<u32>, &'static str) {
    match wish.axes[..] {
        [] => (section.axes.clone(), wish.points.or(section.points), Edit::SWEEP),
        _ => (wish.axes.clone(), wish.points, "--vary"),
    }
}

/// What is measured: as the command line says, or else the scenario, or else what most ask for.
fn measures(wish: &Wish, section: SweepSection) -> Vec<String> {
    match () {
        () if !wish.measures.is_empty() => wish.measures.clone(),
        () if !section.measures.is_empty() => section.measures,
        () => DEFAULT_MEASURES.map(str::to_owned).to_vec(),
    }
}

/// All results, or everything that is wrong with any.
fn every<T>(results: impl IntoIterator<Item = Result<T, Diagnostics>>) -> Result<Vec<T>, Diagnostics> {
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(result) => good.push(result),
            Err(diagnostics) => wrong.push(diagnostics),
        }
    }
    Diagnostics::together(wrong).map_or(Ok(good), Err)
}

fn in_words(axes: &[Axis], values: &[String]) -> String {
    let values = axes.iter().zip(values);
    values.map(|(axis, value)| format!("{} = {value}", axis.path)).collect::<Vec<_>>().join(", ")
}

/// The changes that make a point of the scenario.
fn edits<'a>(axes: &'a [Axis], option: &'a str, values: &'a [String]) -> impl Iterator<Item = Edit> + 'a {
    axes.iter().zip(values).map(move |(axis, value)| axis.edit(option, value))
}

/// What is kept of a point that was read.
struct Checked {
    replications: u32,
    horizon: Span,
    units: Vec<&'static str>,
    claims: Vec<Claim>,
    warnings: Vec<String>,
    more_sources: Vec<Source>,
}

impl Checked {
    fn point(&self, values: Vec<String>, all: &[Claim]) -> Point {
        let own = |claim: &Claim| self.claims.iter().any(|own| own.text == claim.text);
        let claims = all.iter().map(own).collect();
        Point { values, replications: self.replications, horizon: self.horizon, claims }
    }
}

/// Reads a point; `known` are the files that all points are likely to read.
fn check(scenario: &Blueprint, measures: &[String], known: &[Source]) -> Result<Checked, Diagnostics> {
    let loaded = scenario.load()?;
    let measured = read_all(&loaded.model, measures)?;
    let Model { replications, horizon, policy, .. } = loaded.model;
    let mut more_sources = files(loaded.sources);
    more_sources.retain(|source| known.iter().all(|known| known.name != source.name));
    Ok(Checked {
        replications,
        horizon,
        units: measured.iter().map(Measured::unit).collect(),
        claims: policy,
        warnings: loaded.warnings,
        more_sources,
    })
}

/// Files among sources; the others are options of the command line.
fn files(mut sources: Vec<Source>) -> Vec<Source> {
    sources.retain(|source| !source.name.starts_with("--"));
    sources
}

/// What is measured at a point.
fn read_all(model: &Model, measures: &[String]) -> Result<Vec<Measured>, Diagnostics> {
    every(measures.iter().map(|text| measured(model, "--measure", text)))
}

//! Seeks the smallest or largest value of a scenario that keeps its goals.
//!
//! Every value is judged with the same random numbers, so that two values differ in nothing else.

mod knob;
mod plan;
mod search;

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::Serialize;

pub use knob::{Knob, KnobKind, ParseKnobError};
pub use search::{Finding, Method};

use super::judge::together;
use super::{Decision, Judgement};
use crate::model::{Claim, Model};
use crate::scenario::{Blueprint, Diagnostics, Edit, Loaded, claim};
use crate::sim::Progress;
use plan::Plan;
use search::Search;

/// What is sought.
#[derive(Debug, Clone)]
pub struct Question {
    /// The scenario.
    pub scenario: Blueprint,
    /// What is varied.
    pub knob: Knob,
    /// Which of its safe values is wanted.
    pub wanted: Wanted,
    /// What must hold.
    pub goals: Vec<String>,
    /// Seed of all chance, which the scenario has.
    pub seed: u64,
    /// Whether every value is tried, however safety is expected to go.
    pub scan: bool,
    /// Runs of a point to begin with.
    pub first: u32,
    /// Most runs of a point.
    pub most: u32,
}

/// Which safe value is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The smallest.
    Smallest,
    /// The largest.
    Largest,
    /// The earliest.
    Earliest,
    /// The latest.
    Latest,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The knob, such as `prefix(vsw-AAA)`.
    pub knob: String,
    /// Where it stands in the scenario; all these places get the same value.
    pub paths: Vec<String>,
    /// Which safe value was wanted.
    pub wanted: Wanted,
    /// What had to hold.
    pub goals: Vec<String>,
    /// Seed of all chance.
    pub seed: u64,
    /// Most runs of a point.
    pub most_runs: u32,
    /// How values were chosen.
    pub method: Method,
    /// The values that were tried and those that are impossible, from the one that is most likely
    /// safe to the one that is least.
    pub points: Vec<Point>,
    /// Position of the answer in `points`; none if no value is safe for sure.
    pub best: Option<usize>,
    /// Position of the first value beyond it that is unsafe for sure.
    pub beyond: Option<usize>,
    /// Positions of values before the answer that are unsafe all the same.
    pub exceptions: Vec<usize>,
    /// Where the size or the number of vSwitches is sought: the others that serve pods, with their sizes, which stay as they are.
    pub held: Vec<String>,
    /// Warnings of loading the scenario with the answer, or as it is if there is none.
    pub warnings: Vec<String>,
}

/// A value that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// The value, in YAML.
    pub value: String,
    /// What came out.
    pub finding: Finding,
    /// What the runs say about each goal; empty if it is impossible.
    pub judgements: Vec<Judgement>,
    /// Why it is impossible.
    pub reason: Option<String>,
}

/// How far a search is; any thread may read it.
#[derive(Debug, Default)]
pub struct Watch {
    /// How far its runs are.
    pub progress: Progress,
    /// Points that were judged.
    pub points: AtomicU64,
    /// Runs.
    pub runs: AtomicU64,
}

/// Answers a question on the threads of the current rayon pool.
#[must_use]
pub fn seek(question: &Question, watch: &Watch) -> Answer {
    let mut values = question.knob.values.clone();
    if matches!(question.wanted, Wanted::Smallest | Wanted::Earliest) {
        values.reverse();
    }
    let impossible: Vec<_> = values.par_iter().map(|value| question.problem(value)).collect();
    let points = values.iter().zip(impossible).map(|(value, wrong)| Some(Point::impossible(value, &wrong?)));
    let mut points: Vec<Option<Point>> = points.collect();
    let finding = |point: &Option<Point>| point.as_ref().map(|point| point.finding);
    let scan = question.scan || !question.knob.is_monotone;
    let mut search = Search::new(points.iter().map(finding).collect(), scan);
    loop {
        let next = search.next();
        if next.is_empty() {
            return question.answer(points, &search);
        }
        let measured: Vec<_> = next.par_iter().map(|&at| question.measure(&values[at], watch)).collect();
        for (at, point) in next.into_iter().zip(measured) {
            search.note(at, point.finding);
            points[at] = Some(point);
        }
        if fail_differently(&points) {
            search.scan_the_rest();
        }
    }
}

/// Whether both ends of what was measured are unsafe, and no goal is known to fail at both: then values
/// between them may keep all.
fn fail_differently(points: &[Option<Point>]) -> bool {
    let mut measured = points.iter().flatten().filter(|point| !point.judgements.is_empty());
    let (Some(first), Some(last)) = (measured.next(), measured.next_back()) else { return false };
    let fails = |judgement: &Judgement| judgement.decision == Decision::Fails;
    let both = first.judgements.iter().zip(&last.judgements).any(|(a, b)| fails(a) && fails(b));
    [first, last].iter().all(|point| point.finding == Finding::Unsafe) && !both
}

impl Question {
    /// The scenario with a value of the knob.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn load(&self, value: &str, replications: u32) -> Result<Loaded, Diagnostics> {
        let option = self.wanted.option();
        let runs = Edit::parse("--at-most", &format!("replications={replications}"));
        self.scenario.with(self.knob.edits(option, value).chain([runs])).load()
    }

    /// What must hold in a model.
    ///
    /// # Errors
    /// Which goal is wrong, and why.
    pub fn claims(&self, model: &Model) -> Result<Vec<Claim>, Diagnostics> {
        self.goals.iter().map(|text| claim(model, "--such-that", text)).collect()
    }

    /// Whether there is anything to seek.
    ///
    /// # Errors
    /// What is wrong with the scenario or the goals, if every value is impossible.
    pub fn check(&self) -> Result<(), Diagnostics> {
        let mut problems = self.knob.values.iter().map(|value| self.prepare(value).err());
        let Some(Some(first)) = problems.next() else { return Ok(()) };
        if problems.all(|problem| problem.is_some()) { Err(first) } else { Ok(()) }
    }

    /// Why a value cannot be.
    fn problem(&self, value: &str) -> Option<Diagnostics> {
        self.load(value, 1).and_then(|loaded| self.claims(&loaded.model)).err()
    }

    /// vSwitches of pods that stay as they are, as `vsw-b (/24)`: all but those that are sought and their copies.
    fn held(&self) -> Vec<String> {
        let (KnobKind::Prefix { vswitches } | KnobKind::Copies { vswitches }) = &self.knob.kind else {
            return Vec::new();
        };
        let Ok(loaded) = self.scenario.load() else { return Vec::new() };
        let (serving, vpc) = (loaded.model.serving_vswitches(), &loaded.model.vpc);
        let sought: Vec<_> = vswitches.iter().flat_map(|id| vpc.with_copies(id)).map(|of| &of.id).collect();
        let others = serving.iter().map(|id| &vpc.vswitches[id.index()]).filter(|of| !sought.contains(&&of.id));
        others.map(|of| format!("{} (/{})", of.id, of.cidr.prefix_len())).collect()
    }

    /// Warnings of loading the scenario with the answer, or as it is.
    fn warnings(&self, best: Option<&Point>) -> Vec<String> {
        let loaded = best.map_or_else(|| self.scenario.load(), |best| self.load(&best.value, 1));
        loaded.map_or(Vec::new(), |loaded| loaded.warnings)
    }

    /// When the runs of a value are looked at, and the scenario with that value and as many runs as the last look needs.
    fn prepare(&self, value: &str) -> Result<(Plan, Loaded), Diagnostics> {
        let claims = self.claims(&self.load(value, 1)?.model)?;
        let plan = Plan::new(&claims, self.first, self.most);
        let loaded = self.load(value, plan.last_look())?;
        Ok((plan, loaded))
    }

    /// Adds runs to a value until they decide about it.
    fn measure(&self, value: &str, watch: &Watch) -> Point {
        let point = match self.judge(value, watch) {
            Ok(judgements) => {
                Point { value: value.to_owned(), finding: finding(&judgements), judgements, reason: None }
            }
            Err(wrong) => Point::impossible(value, &wrong),
        };
        watch.points.fetch_add(1, Ordering::Relaxed);
        point
    }

    fn judge(&self, value: &str, watch: &Watch) -> Result<Vec<Judgement>, Diagnostics> {
        let (plan, loaded) = self.prepare(value)?;
        let mut ensemble = loaded.ensemble();
        let claims: Vec<&Claim> = plan.claims().collect();
        claims.iter().for_each(|claim| ensemble.observe(&claim.statement.reading));
        let (mut runs, mut hits, mut judgements) = (0, vec![0; claims.len()], Vec::new());
        for &look in plan.looks() {
            for run in super::hits(&ensemble, runs..look, &claims, &watch.progress) {
                hits.iter_mut().zip(run).for_each(|(hits, hit)| *hits += usize::from(hit));
            }
            watch.runs.fetch_add(u64::from(look - runs), Ordering::Relaxed);
            runs = look;
            judgements = plan.judge(runs, &hits, &judgements);
            if finding(&judgements) != Finding::Undecided {
                break;
            }
        }
        Ok(judgements)
    }

    fn answer(&self, points: Vec<Option<Point>>, search: &Search) -> Answer {
        let tried: Vec<usize> = (0..points.len()).filter(|&at| points[at].is_some()).collect();
        let position = |at: usize| tried.iter().position(|&tried| tried == at).expect("an answer was tried");
        Answer {
            knob: self.knob.name.clone(),
            paths: self.knob.paths.clone(),
            wanted: self.wanted,
            goals: self.goals.clone(),
            seed: self.seed,
            most_runs: self.most,
            method: search.method(),
            best: search.last_safe().map(position),
            beyond: search.first_unsafe().map(position),
            exceptions: search.exceptions().into_iter().map(position).collect(),
            held: self.held(),
            warnings: self.warnings(search.last_safe().and_then(|at| points[at].as_ref())),
            points: points.into_iter().flatten().collect(),
        }
    }
}

/// What the judgements of all goals say together.
fn finding(judgements: &[Judgement]) -> Finding {
    match together(judgements) {
        Decision::Fails => Finding::Unsafe,
        Decision::Undecided => Finding::Undecided,
        Decision::Holds => Finding::Safe,
    }
}

impl Point {
    fn impossible(value: &str, wrong: &Diagnostics) -> Self {
        let reason = Some(wrong.first_line());
        Self { value: value.to_owned(), finding: Finding::Impossible, judgements: Vec::new(), reason }
    }

    /// Runs that would be needed to decide about it; none if it is decided.
    #[must_use]
    pub fn runs_needed(&self) -> Option<usize> {
        self.judgements.iter().filter_map(|judgement| judgement.runs_needed).max()
    }
}

impl Wanted {
    /// The option of the command line that says so.
    #[must_use]
    pub fn option(self) -> &'static str {
        match self {
            Self::Smallest => "--smallest",
            Self::Largest => "--largest",
            Self::Earliest => "--earliest",
            Self::Latest => "--latest",
        }
    }
}

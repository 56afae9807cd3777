//! Compromises: the points of a grid that no other point beats in several readings at once.

use std::sync::atomic::Ordering;

use rayon::prelude::*;
use serde::Serialize;

use super::judge::{is_hit, together};
use super::paired::{differences, mcnemar};
use super::seek::{Knob, Watch};
use super::{Decision, Judgement, decide, read};
use super::{all_of, combinations, same_warning};
use crate::model::{Claim, Model, Reading};
use crate::outcome::{CONFIDENCE, Estimate};
use crate::scenario::{Blueprint, Diagnostics, Edit, Loaded, claim, reading};

/// What is varied, and what is to be small.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The scenario.
    pub scenario: Blueprint,
    /// What is varied: every combination of their values.
    pub knobs: Vec<Knob>,
    /// Readings that are to be small.
    pub objectives: Vec<String>,
    /// What must hold; may be empty.
    pub goals: Vec<String>,
    /// Seed of all chance, which the scenario has.
    pub seed: u64,
    /// Runs of a point.
    pub replications: u32,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Front {
    /// Names of the knobs.
    pub knobs: Vec<String>,
    /// Readings that are to be small, each with its unit.
    pub objectives: Vec<(String, &'static str)>,
    /// What had to hold.
    pub goals: Vec<String>,
    /// Seed of all chance.
    pub seed: u64,
    /// Runs of a point.
    pub replications: u32,
    /// Every combination; the values of the last knob change first.
    pub points: Vec<Compromise>,
    /// Warnings of loading the scenario at its points, each once.
    pub warnings: Vec<String>,
}

/// A combination of values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compromise {
    /// The values, in YAML, in the order of the knobs.
    pub values: Vec<String>,
    /// How it compares with the others.
    pub standing: Standing,
    /// The readings over the runs, in the order of the objectives; none where there was nothing to
    /// read.
    pub readings: Vec<Option<Estimate>>,
    /// In how many runs each reading is a time that never comes, or a wait that never ends.
    pub never: Vec<usize>,
    /// What the runs say about each goal.
    pub judgements: Vec<Judgement>,
    /// Why it is impossible.
    pub reason: Option<String>,
}

/// How a combination compares with the others that keep the goals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// None is better in one reading and no worse in any.
    Unbeaten,
    /// Such a one is better by its means, but not beyond the noise.
    TiedByNoise,
    /// This one, by its position, is better in one beyond the noise, and no worse in any.
    BeatenBy(usize),
    /// A goal fails.
    Unsafe,
    /// The runs are too few to say whether the goals hold.
    Undecided,
    /// There is no such scenario.
    Impossible,
}

/// Readings of a run, in the order of the objectives.
type Row = Vec<Option<f64>>;

/// Runs every combination, on the threads of the current rayon pool.
#[must_use]
pub fn survey(survey: &Survey, watch: &Watch) -> Front {
    let grid = grid(&survey.knobs);
    let measured: Vec<_> = grid.par_iter().map(|values| survey.measure(values, watch)).collect();
    let units = measured.iter().find_map(|point| point.as_ref().ok()).map(|point| point.units.clone());
    let rows: Vec<_> = measured.iter().map(|point| point.as_ref().map_or(&[][..], |point| &point.rows)).collect();
    let safe: Vec<_> =
        measured.iter().map(|point| point.as_ref().is_ok_and(|p| together(&p.judgements) == Decision::Holds)).collect();
    let points = grid.into_iter().zip(&measured).enumerate().map(|(at, (values, point))| match point {
        Err(wrong) => Compromise::impossible(values, wrong, survey.objectives.len()),
        Ok(point) => Compromise {
            values,
            standing: match together(&point.judgements) {
                Decision::Holds => standing(at, &rows, &safe),
                Decision::Fails => Standing::Unsafe,
                Decision::Undecided => Standing::Undecided,
            },
            readings: (0..survey.objectives.len()).map(|objective| estimate(&point.rows, objective)).collect(),
            never: (0..survey.objectives.len()).map(|objective| never(&point.rows, objective)).collect(),
            judgements: point.judgements.clone(),
            reason: None,
        },
    });
    let loads = measured.iter().filter_map(|point| point.as_ref().ok());
    Front {
        warnings: all_of(loads.flat_map(|point| &point.warnings), |warning| same_warning(warning)),
        points: points.collect(),
        knobs: survey.knobs.iter().map(|knob| knob.name.clone()).collect(),
        objectives: survey.objectives.iter().cloned().zip(units.unwrap_or_default()).collect(),
        goals: survey.goals.clone(),
        seed: survey.seed,
        replications: survey.replications,
    }
}

/// Every combination of the knobs' values.
fn grid(knobs: &[Knob]) -> Vec<Vec<String>> {
    combinations(knobs.iter().map(|knob| &knob.values[..]))
}

/// What the runs of a combination say.
struct Measured {
    rows: Vec<Row>,
    judgements: Vec<Judgement>,
    units: Vec<&'static str>,
    warnings: Vec<String>,
}

impl Survey {
    /// The scenario with a combination of values.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn load(&self, values: &[String]) -> Result<Loaded, Diagnostics> {
        let edits = self.knobs.iter().zip(values).flat_map(|(knob, value)| knob.edits("--vary", value));
        let runs = Edit::parse("--replications", &format!("replications={}", self.replications));
        self.scenario.with(edits.chain([runs])).load()
    }

    /// Whether there is anything to compare.
    ///
    /// # Errors
    /// What is wrong with the scenario, the readings or the goals, if every combination is
    /// impossible.
    pub fn check(&self) -> Result<(), Diagnostics> {
        let grid = grid(&self.knobs);
        let mut problems = grid.iter().map(|values| self.load(values).and_then(|of| self.questions(&of.model)).err());
        let Some(Some(first)) = problems.next() else { return Ok(()) };
        if problems.all(|problem| problem.is_some()) { Err(first) } else { Ok(()) }
    }

    fn measure(&self, values: &[String], watch: &Watch) -> Result<Measured, Diagnostics> {
        let loaded = self.load(values)?;
        let (mut readings, claims) = self.questions(&loaded.model)?;
        let units = readings.iter().map(Reading::unit).collect();
        readings.extend(claims.iter().map(|claim| claim.statement.reading));
        let mut ensemble = loaded.ensemble();
        let warnings = loaded.warnings;
        readings.iter().for_each(|reading| ensemble.observe(reading));
        let mut rows = read(&ensemble, 0..self.replications, &readings, &watch.progress);
        let about_goals: Vec<Row> = rows.iter_mut().map(|row| row.split_off(self.objectives.len())).collect();
        let judge = |(i, claim): (usize, &Claim)| {
            let hits = about_goals.iter().filter(|row| is_hit(claim, row[i])).count();
            decide(claim, hits, about_goals.len())
        };
        watch.points.fetch_add(1, Ordering::Relaxed);
        watch.runs.fetch_add(self.replications.into(), Ordering::Relaxed);
        Ok(Measured { judgements: claims.iter().enumerate().map(judge).collect(), rows, units, warnings })
    }

    /// Objectives and goals in a model.
    fn questions(&self, model: &Model) -> Result<(Vec<Reading>, Vec<Claim>), Diagnostics> {
        let readings =
            self.objectives.iter().map(|name| reading(model, "--minimise", name)).collect::<Result<_, _>>()?;
        let claims = self.goals.iter().map(|text| claim(model, "--such-that", text)).collect::<Result<_, _>>()?;
        Ok((readings, claims))
    }
}

impl Compromise {
    fn impossible(values: Vec<String>, wrong: &Diagnostics, objectives: usize) -> Self {
        let (readings, never) = (vec![None; objectives], vec![0; objectives]);
        let reason = Some(wrong.first_line());
        Self { values, standing: Standing::Impossible, readings, never, judgements: Vec::new(), reason }
    }
}

fn estimate(rows: &[Row], objective: usize) -> Option<Estimate> {
    let values: Vec<f64> = rows.iter().filter_map(|row| row[objective]).collect();
    Estimate::of(&values)
}

fn never(rows: &[Row], objective: usize) -> usize {
    rows.iter().filter(|row| row[objective].is_some_and(f64::is_infinite)).count()
}

/// How a safe point compares with the other safe ones.
fn standing(at: usize, rows: &[&[Row]], safe: &[bool]) -> Standing {
    let others = (0..rows.len()).filter(|&other| other != at && safe[other]);
    let compared: Vec<_> = others.map(|other| (other, compare(rows[other], rows[at]))).collect();
    let no_worse = || compared.iter().filter(|(_, versus)| !versus.contains(&Versus::Worse));
    if let Some((by, _)) = no_worse().find(|(_, versus)| versus.contains(&Versus::SurelyBetter)) {
        return Standing::BeatenBy(*by);
    }
    let is_tied = no_worse().any(|(_, versus)| versus.contains(&Versus::Better));
    if is_tied { Standing::TiedByNoise } else { Standing::Unbeaten }
}

/// How a point compares with another in one reading that is to be small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Versus {
    /// Its mean is smaller, and the 95 % interval of the difference does not hold 0.
    SurelyBetter,
    /// Its mean is smaller.
    Better,
    /// The means are the same.
    Equal,
    /// Its mean is larger.
    Worse,
}

/// Compares two points in every reading, run by run.
fn compare(a: &[Row], b: &[Row]) -> Vec<Versus> {
    let objectives = a.first().map_or(0, Vec::len);
    let paired = |objective: usize| {
        let pairs = a.iter().zip(b).filter_map(|(a, b)| b[objective].zip(a[objective]));
        versus(&differences(&pairs.collect::<Vec<_>>()))
    };
    (0..objectives).map(paired).collect()
}

/// What the differences of the runs say. Where one is infinite there is no mean, and where all are
/// equal no spread: then the signs are counted, and the sign test says whether they are chance.
fn versus(differences: &[f64]) -> Versus {
    let are_equal = differences.windows(2).all(|two| two[0] == two[1]);
    if are_equal || differences.iter().any(|difference| difference.is_infinite()) {
        let count = |is: fn(&&f64) -> bool| differences.iter().filter(is).count();
        return by_signs(count(|d| **d < 0.0), count(|d| **d > 0.0));
    }
    let Some(difference) = Estimate::of(differences) else { return Versus::Equal };
    match () {
        () if difference.mean == 0.0 => Versus::Equal,
        () if difference.mean > 0.0 => Versus::Worse,
        () if difference.interval.is_some_and(|interval| interval.high < 0.0) => Versus::SurelyBetter,
        () => Versus::Better,
    }
}

/// The sign test: of all differences, each equally likely to be less or more.
fn by_signs(less: usize, more: usize) -> Versus {
    match less.cmp(&more) {
        std::cmp::Ordering::Equal => Versus::Equal,
        std::cmp::Ordering::Less => Versus::Worse,
        std::cmp::Ordering::Greater if mcnemar(more, less) < 1.0 - CONFIDENCE => Versus::SurelyBetter,
        std::cmp::Ordering::Greater => Versus::Better,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[[f64; 2]]) -> Vec<Row> {
        values.iter().map(|run| run.iter().map(|&value| Some(value)).collect()).collect()
    }

    /// Standings of points with two readings.
    fn standings(points: &[&[[f64; 2]]]) -> Vec<Standing> {
        let rows: Vec<_> = points.iter().map(|point| self::rows(point)).collect();
        let rows: Vec<_> = rows.iter().map(Vec::as_slice).collect();
        (0..rows.len()).map(|at| standing(at, &rows, &vec![true; rows.len()])).collect()
    }

    #[test]
    fn a_point_is_beaten_beyond_the_noise_only() {
        let cheap = [[1.0, 9.0], [1.2, 9.1], [0.9, 9.0]];
        let quick = [[9.0, 1.0], [9.1, 1.0], [9.0, 1.1]];
        let poor = [[9.5, 9.5], [9.4, 9.6], [9.6, 9.7]];
        let noisy = [[1.0, 9.9], [2.0, 8.5], [0.3, 9.5]];
        assert_eq!(
            standings(&[&cheap, &quick, &poor, &noisy]),
            [Standing::Unbeaten, Standing::Unbeaten, Standing::BeatenBy(0), Standing::TiedByNoise]
        );
        assert_eq!(standings(&[&cheap, &cheap]), [Standing::Unbeaten; 2], "equal points beat each other not");
    }

    #[test]
    fn differences_of_runs_tell_what_means_do_not() {
        // The runs differ by 100, the points by 1 in each of them.
        let a: Vec<[f64; 2]> = (0..10).map(|run| [100.0 * f64::from(run), 0.0]).collect();
        let b: Vec<[f64; 2]> = (0..10).map(|run| [100.0 * f64::from(run) + 1.0, 0.0]).collect();
        assert_eq!(standings(&[&a, &b]), [Standing::Unbeaten, Standing::BeatenBy(0)]);
        // Two signs are two coins, also where rounding tells the two differences apart.
        let (a, b) = ([[0.1, 0.0], [0.2, 0.0]], [[1.1, 0.0], [1.2000000000000002, 0.0]]);
        assert_eq!(standings(&[&a, &b]), [Standing::Unbeaten, Standing::TiedByNoise]);
    }

    #[test]
    fn what_never_comes_is_compared_by_signs() {
        let never = f64::INFINITY;
        assert_eq!(versus(&[-never; 5]), Versus::Better, "2 · 0.5^5 = 6 %");
        assert_eq!(versus(&[-never; 6]), Versus::SurelyBetter, "2 · 0.5^6 = 3 %");
        assert_eq!(versus(&[never, -1.0]), Versus::Equal);
        let signs = |less, more| by_signs(less, more);
        // 2 · (1 + 20 + 190 + 1140 + 4845 + 15504) / 2^20 = 4.1 %.
        assert_eq!((signs(15, 5), signs(14, 6)), (Versus::SurelyBetter, Versus::Better));
    }

    #[test]
    fn a_grid_has_every_combination() {
        let knob = |name: &str, values: &[&str]| Knob {
            name: name.to_owned(),
            paths: vec![name.to_owned()],
            kind: super::super::seek::KnobKind::Other,
            values: values.iter().map(|&value| value.to_owned()).collect(),
            is_monotone: false,
        };
        let grid = grid(&[knob("a", &["1", "2"]), knob("b", &["x", "y", "z"])]);
        assert_eq!(grid.iter().map(|values| values.concat()).collect::<Vec<_>>(), ["1x", "1y", "1z", "2x", "2y", "2z"]);
    }
}

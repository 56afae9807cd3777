//! Variants side by side: every reading of a variant against the first one's, paired by
//! replication, and which differences are more than chance.

use serde::Serialize;

use super::importance::{Family, may_be_never, rank};
use super::judge::holds;
use super::paired::{Paired, differences as paired_differences, holm, mcnemar};
use crate::model::{Ensemble, Measured, Model, Reading};
use crate::outcome::{CONFIDENCE, Estimate, Interval, value};
use crate::record::Recording;
use crate::sim::{Progress, run as run_one};

/// A variant of a scenario and its runs, in the order of replications.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Its name; none has that of another.
    pub name: String,
    /// What was simulated.
    pub ensemble: Ensemble,
    /// What was recorded.
    pub runs: Vec<Recording>,
}

/// How a variant differs from the first one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contrast {
    /// Name of the variant.
    pub variant: String,
    /// vSwitches, node pools and actions that only the first one has.
    pub only_first: Vec<String>,
    /// vSwitches, node pools and actions that only the variant has.
    pub only_variant: Vec<String>,
    /// Every reading that both have, the most important first.
    pub differences: Vec<Difference>,
}

/// A reading of the first one and of a variant, and their difference: the variant's minus the
/// first one's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Name of the reading.
    pub measure: String,
    /// The reading, of the variant's model.
    #[serde(skip)]
    pub reading: Reading,
    /// How much it matters.
    pub family: Family,
    /// Whether somebody asked for it.
    pub is_asked: bool,
    /// Whether it is about in how many runs a statement holds.
    #[serde(skip)]
    pub is_statement: bool,
    /// What of it is compared.
    pub statistic: Statistic,
    /// Unit of the difference; of [`Statistic::Share`], `share of runs`.
    pub unit: &'static str,
    /// What the first one's runs say.
    pub first: Side,
    /// What the variant's runs say.
    pub variant: Side,
    /// Replications that are compared: for a mean, those in which both have a finite value.
    pub pairs: usize,
    /// The difference, as a mean over the pairs; none without a pair.
    pub difference: Option<f64>,
    /// Its interval, by Student's t distribution; none with fewer than two pairs, and for
    /// [`Statistic::Share`], which has an exact test.
    pub interval: Option<Interval>,
    /// How probable a difference as large is by chance: Student's paired test, or McNemar's exact
    /// one for [`Statistic::Share`]; none with fewer than two pairs.
    pub p: Option<f64>,
    /// The same after Holm's correction for its family; of what repeats another, that one's.
    pub p_holm: Option<f64>,
    /// What to make of it.
    pub reality: Reality,
    /// An earlier measure that has the same values in every run of both; the two are one
    /// comparison.
    pub repeats: Option<String>,
    /// How many times as large the standard error would be without common random numbers; `null` in
    /// JSON if the difference is the same in all runs (infinite), or nothing varies.
    pub error_ratio: Option<f64>,
}

/// What of a reading is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// In how many runs a time comes, or a wait ends: a reading is finite.
    Share,
    /// Its mean, over the runs in which both are finite.
    Mean,
}

/// What the runs of one variant say about a reading.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Side {
    /// The reading, "never" being infinite; none if no run has it.
    pub value: Option<Estimate>,
    /// Runs in which it is a number.
    pub finite: usize,
    /// Runs in which it never comes.
    pub never: usize,
    /// Runs in which there is nothing to read, as the wait of no pod.
    pub nothing: usize,
}

/// What to make of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reality {
    /// Chance does not make it, by Holm's correction at 5 %.
    Real,
    /// It may be chance.
    MayBeChance,
    /// There is none, in any run.
    Same,
    /// Fewer than two pairs: nothing can be said.
    Unknown,
}

/// Runs every replication of every ensemble on the threads of the current rayon pool; all of them
/// have as many replications as the first.
#[must_use]
pub fn run_variants(ensembles: &[Ensemble], progress: &Progress) -> Vec<Vec<Recording>> {
    use rayon::prelude::*;
    let replications = ensembles.first().map_or(0, |first| first.typical().replications);
    let all = ensembles.iter().flat_map(|ensemble| (0..replications).map(move |n| (ensemble, n)));
    let run = |(ensemble, n): (&Ensemble, u32)| run_one(ensemble.of(n), n, progress);
    let mut runs: Vec<_> = all.collect::<Vec<_>>().into_par_iter().map(run).collect();
    let mut by_variant: Vec<_> = ensembles.iter().map(|_| Vec::new()).collect();
    for of_variant in by_variant.iter_mut().rev() {
        *of_variant = runs.split_off(runs.len() - replications as usize);
    }
    by_variant
}

/// What somebody asked for: all that is a headline then.
#[derive(Debug, Clone)]
pub struct Asked {
    /// As it was written.
    pub text: String,
    /// What it is of each variant.
    pub of: Vec<Measured>,
}

/// Compares every further variant with the first.
///
/// # Panics
/// If they have different numbers of runs.
#[must_use]
pub fn compare(variants: &[Variant], asked: &[Asked]) -> Vec<Contrast> {
    let mut contrasts: Vec<_> = (1..variants.len()).map(|i| contrast(variants, i, asked)).collect();
    correct(&mut contrasts);
    contrasts
}

/// How many times as large standard errors would be without common random numbers: the median over
/// everything that was compared and varies; none if nothing does.
#[must_use]
pub fn median_error_ratio(contrasts: &[Contrast]) -> Option<f64> {
    let all = contrasts.iter().flat_map(|contrast| &contrast.differences);
    let ratios: Vec<_> = all.filter(|d| d.repeats.is_none()).filter_map(|d| d.error_ratio).collect();
    Estimate::of(&ratios).map(|estimate| estimate.median)
}

/// Distinct comparisons that were tested, by family of Holm's correction.
#[must_use]
pub fn tested(contrasts: &[Contrast]) -> [usize; 3] {
    let all = || contrasts.iter().flat_map(|contrast| &contrast.differences);
    Family::ALL.map(|family| all().filter(|difference| difference.is_tested_in(family)).count())
}

fn contrast(variants: &[Variant], i: usize, asked: &[Asked]) -> Contrast {
    let (first, variant) = (&variants[0], &variants[i]);
    assert_eq!(first.runs.len(), variant.runs.len(), "variants are compared run by run");
    let is_asked = |name: &str| asked.iter().any(|asked| asked.text == name);
    let known = first.ensemble.typical().readings();
    let shared = variant.ensemble.typical().readings().into_iter().filter_map(|(name, reading)| {
        let (_, of_first) = known.iter().find(|(known, _)| *known == name)?;
        Some((name, *of_first, reading))
    });
    let shared = shared.filter(|(name, ..)| !is_asked(name)).flat_map(|(name, a, b)| {
        let family = if asked.is_empty() { Family::of(&b) } else { Family::Other };
        Row::all(&name, &values(first, a), &values(variant, b), b, family)
    });
    let mut others: Vec<_> = shared.collect();
    // The sort is stable: what is as important stays in the order of the readings.
    others.sort_by_key(|row| row.rank());
    let mut rows: Vec<_> = asked.iter().flat_map(|asked| Row::asked(asked, first, variant, i)).collect();
    rows.extend(others);
    let (here, there) = (parts(first.ensemble.typical()), parts(variant.ensemble.typical()));
    let missing = |from: &[String], of: &[String]| of.iter().filter(|part| !from.contains(part)).cloned().collect();
    Contrast {
        variant: variant.name.clone(),
        only_first: missing(&there, &here),
        only_variant: missing(&here, &there),
        differences: differences(&rows),
    }
}

/// The vSwitches, node pools and actions of a model.
fn parts(model: &Model) -> Vec<String> {
    let vswitches = model.vpc.vswitches.iter().map(|vswitch| format!("vSwitch {}", vswitch.id));
    let node_pools = model.node_pools.iter().map(|pool| format!("node pool {}", pool.name));
    let actions = model.actions.iter().map(|action| format!("action {}", action.name));
    vswitches.chain(node_pools).chain(actions).collect()
}

fn values(variant: &Variant, reading: Reading) -> Vec<Option<f64>> {
    variant.runs.iter().map(|run| value(&reading, variant.ensemble.of(run.replication), run)).collect()
}

fn differences(rows: &[Row]) -> Vec<Difference> {
    let repeats = |i: usize| repeated(rows, i).map(|row| row.name.clone());
    rows.iter().enumerate().map(|(i, row)| Difference { repeats: repeats(i), ..row.difference() }).collect()
}

/// The row that row `i` repeats: one that matters more, or as much and comes earlier.
fn repeated(rows: &[Row], i: usize) -> Option<&Row> {
    let weight = |n: usize| (rows[n].family, n);
    let before = (0..rows.len()).filter(|&n| weight(n) < weight(i) && rows[n].has_values_of(&rows[i]));
    before.min_by_key(|&n| weight(n)).map(|n| &rows[n])
}

/// Corrects each family; a comparison that repeats another is corrected as that is.
fn correct(contrasts: &mut [Contrast]) {
    for family in Family::ALL {
        let all = contrasts.iter_mut().flat_map(|contrast| &mut contrast.differences);
        let mut family: Vec<_> = all.filter(|difference| difference.is_tested_in(family)).collect();
        let corrected = holm(&family.iter().filter_map(|difference| difference.p).collect::<Vec<_>>());
        for (difference, p) in family.iter_mut().zip(corrected) {
            difference.p_holm = Some(p);
        }
    }
    for contrast in contrasts {
        let own = contrast.differences.clone();
        for difference in &mut contrast.differences {
            if let Some(name) = &difference.repeats {
                let of = own.iter().find(|of| of.measure == *name && of.statistic == difference.statistic);
                difference.p_holm = of.and_then(|of| of.p_holm);
            }
            let is_open = difference.reality == Reality::MayBeChance;
            if is_open && difference.p_holm.is_some_and(|p| p <= 1.0 - CONFIDENCE) {
                difference.reality = Reality::Real;
            }
        }
    }
}

impl Difference {
    fn is_tested_in(&self, family: Family) -> bool {
        self.repeats.is_none() && self.p.is_some() && self.family == family
    }
}

/// What is compared, before it is.
struct Row {
    name: String,
    reading: Reading,
    family: Family,
    statistic: Statistic,
    /// Somebody asked for it.
    is_asked: bool,
    /// What is compared is whether a statement holds: a time that comes or not, without a length.
    is_statement: bool,
    first: Vec<Option<f64>>,
    variant: Vec<Option<f64>>,
}

impl Row {
    /// The rows of a reading: a time that may never come has one for whether it does.
    fn all(name: &str, first: &[Option<f64>], variant: &[Option<f64>], reading: Reading, family: Family) -> Vec<Self> {
        let statistics =
            if may_be_never(&reading) { &[Statistic::Share, Statistic::Mean][..] } else { &[Statistic::Mean] };
        let row = |&statistic| {
            let (first, variant) = (first.to_vec(), variant.to_vec());
            let (name, is_asked, is_statement) = (name.to_owned(), false, false);
            Self { name, reading, family, statistic, is_asked, is_statement, first, variant }
        };
        statistics.iter().map(row).collect()
    }

    /// The rows of what was asked for: of a statement one, for in how many runs it holds.
    fn asked(asked: &Asked, first: &Variant, variant: &Variant, i: usize) -> Vec<Self> {
        let (name, family) = (&asked.text, Family::Headline);
        match (&asked.of[0], &asked.of[i]) {
            (&Measured::Reading(a), &Measured::Reading(b)) => {
                let all = Self::all(name, &values(first, a), &values(variant, b), b, family);
                all.into_iter().map(|row| Self { is_asked: true, ..row }).collect()
            }
            (Measured::Probability(a), Measured::Probability(b)) => {
                let comes = |holds: bool| if holds { 0.0 } else { f64::INFINITY };
                let [first, variant] = [(first, a), (variant, b)].map(|(variant, statement)| {
                    let values = values(variant, statement.reading).into_iter();
                    values.map(|value| value.map(|value| comes(holds(statement, value)))).collect()
                });
                let (name, reading, statistic) = (name.clone(), b.reading, Statistic::Share);
                vec![Self { name, reading, family, statistic, is_asked: true, is_statement: true, first, variant }]
            }
            _ => unreachable!("one text is the same of every variant"),
        }
    }

    fn rank(&self) -> (usize, usize, bool) {
        let (class, scope) = rank(&self.reading);
        (class, scope, self.statistic == Statistic::Mean)
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.first.iter().zip(&self.variant).filter_map(|(a, b)| Some(((*a)?, (*b)?)))
    }

    /// Whether the two compare the same numbers.
    fn has_values_of(&self, other: &Self) -> bool {
        (self.statistic, self.reading.unit()) == (other.statistic, other.reading.unit())
            && (&self.first, &self.variant) == (&other.first, &other.variant)
    }

    fn difference(&self) -> Difference {
        match self.statistic {
            Statistic::Share => self.share(),
            Statistic::Mean => self.mean(),
        }
    }

    /// In how many runs the reading is finite.
    fn share(&self) -> Difference {
        let pairs: Vec<_> = self.pairs().map(|(a, b)| (a.is_finite(), b.is_finite())).collect();
        let number = |pair| pairs.iter().filter(|&&found| found == pair).count();
        let (lost, won) = (number((true, false)), number((false, true)));
        let n = pairs.len();
        Difference {
            unit: "share of runs",
            difference: (n > 0).then(|| (won as f64 - lost as f64) / n as f64),
            p: (n > 1).then(|| mcnemar(lost, won)),
            reality: reality(n, lost + won == 0),
            ..self.empty(n)
        }
    }

    /// The mean, over the runs in which both are finite.
    fn mean(&self) -> Difference {
        let finite: Vec<_> = self.pairs().filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
        let paired = Paired::of(&finite);
        Difference {
            difference: paired.map(|paired| paired.mean),
            interval: paired.and_then(|paired| paired.interval),
            p: paired.and_then(|paired| paired.p),
            error_ratio: paired.and_then(|paired| paired.error_ratio),
            reality: reality(finite.len(), paired_differences(&finite).iter().all(|difference| *difference == 0.0)),
            ..self.empty(finite.len())
        }
    }

    fn side(&self, values: &[Option<f64>]) -> Side {
        let side = Side::of(values);
        Side { value: side.value.filter(|_| !self.is_statement), ..side }
    }

    fn empty(&self, pairs: usize) -> Difference {
        Difference {
            measure: self.name.clone(),
            reading: self.reading,
            family: self.family,
            is_asked: self.is_asked,
            is_statement: self.is_statement,
            statistic: self.statistic,
            unit: self.reading.unit(),
            first: self.side(&self.first),
            variant: self.side(&self.variant),
            pairs,
            difference: None,
            interval: None,
            p: None,
            p_holm: None,
            reality: Reality::Unknown,
            repeats: None,
            error_ratio: None,
        }
    }
}

/// Before the correction nothing is real.
fn reality(pairs: usize, same: bool) -> Reality {
    match pairs {
        0 => Reality::Unknown,
        _ if same => Reality::Same,
        1 => Reality::Unknown,
        _ => Reality::MayBeChance,
    }
}

impl Side {
    fn of(values: &[Option<f64>]) -> Self {
        let known: Vec<f64> = values.iter().flatten().copied().collect();
        let finite = known.iter().filter(|value| value.is_finite()).count();
        Self { value: Estimate::of(&known), finite, never: known.len() - finite, nothing: values.len() - known.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PodReading, VSwitchReading};

    const NEVER: Option<f64> = Some(f64::INFINITY);

    /// A reading, and its values in the runs of both.
    type Values<'a> = (Reading, &'a [Option<f64>], &'a [Option<f64>]);

    fn found(rows: &[Values]) -> Vec<Difference> {
        let row = |(r, a, b): &Values| Row::all(&format!("{r:?}"), a, b, *r, Family::of(r));
        let rows: Vec<_> = rows.iter().flat_map(row).collect();
        let differences = differences(&rows);
        let (only_first, only_variant) = (Vec::new(), Vec::new());
        let mut contrasts = [Contrast { variant: "b".to_owned(), only_first, only_variant, differences }];
        correct(&mut contrasts);
        let [contrast] = contrasts;
        contrast.differences
    }

    #[test]
    fn never_is_compared_by_its_share_and_no_run_is_lost() {
        let full = Reading::AnyVSwitch(VSwitchReading::TimeToFull);
        let first = [Some(10.0), Some(20.0), Some(30.0), NEVER, None];
        let variant = [Some(12.0), NEVER, Some(36.0), NEVER, Some(1.0)];
        let [share, mean] = &found(&[(full, &first, &variant)])[..] else { panic!("two rows") };
        assert_eq!((share.pairs, share.difference, share.reality), (4, Some(-0.25), Reality::MayBeChance));
        assert_eq!((mean.pairs, mean.difference), (2, Some(4.0)));
        let sides = [(mean.first, 3, 1, 1), (mean.variant, 3, 2, 0)];
        for (side, finite, never, nothing) in sides {
            assert_eq!((side.finite, side.never, side.nothing), (finite, never, nothing));
        }
    }

    #[test]
    fn a_vswitch_that_is_not_full_any_more_is_a_real_difference() {
        let full = Reading::AnyVSwitch(VSwitchReading::TimeToFull);
        let rows = found(&[(full, &[Some(10.0); 20], &[NEVER; 20])]);
        assert_eq!(rows.iter().map(|d| d.reality).collect::<Vec<_>>(), [Reality::Real, Reality::Unknown]);
        assert!((rows[0].p.expect("pairs") / (2.0 * 0.5_f64.powi(20)) - 1.0).abs() < 1e-9, "{:?}", rows[0].p);
        // Of five runs all may differ by chance: one in 16.
        let few = found(&[(full, &[Some(10.0); 5], &[NEVER; 5])]);
        assert_eq!(few[0].reality, Reality::MayBeChance);
    }

    #[test]
    fn the_same_values_are_one_comparison_of_the_headlines_if_one_is() {
        let (served, requested) = (Reading::Pods(PodReading::Served), Reading::Pods(PodReading::Requested));
        let (never, worst) = (Reading::Pods(PodReading::NeverServed), Reading::Pods(PodReading::MostWaiting));
        let (a, b) = ([Some(1.0), Some(2.0), Some(3.0)], [Some(2.0), Some(3.0), Some(4.5)]);
        let c = [Some(5.0), Some(3.0), Some(9.0)];
        let rows = found(&[(served, &a, &b), (never, &a, &b), (worst, &a, &b), (requested, &a, &c)]);
        let repeats: Vec<_> = rows.iter().map(|d| d.repeats.as_deref()).collect();
        let name = Some(rows[1].measure.as_str());
        assert_eq!(repeats, [name, None, name, None]);
        // Each family has one member, so that nothing is to be corrected.
        assert!(rows.iter().all(|d| d.p_holm == d.p), "{rows:?}");
        let calls = (Reading::Calls(None), &a[..], &b[..]);
        let rows = found(&[(never, &a, &c), calls]);
        assert_eq!(rows[1].repeats, None, "pods are not calls");
        assert_eq!(rows[1].p_holm, rows[1].p.map(|p| (2.0 * p).min(1.0)), "a family of two");
    }

    /// A hundred vSwitches with nothing to say do not hide that pods wait no more.
    #[test]
    fn comparisons_of_single_vswitches_cost_those_of_the_cluster_nothing() {
        let noise = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0].map(Some);
        let of = |i| Reading::VSwitch(crate::id::VSwitchId::new(i), VSwitchReading::LeastFree);
        let values: Vec<_> = (0..100).map(|i| (of(i), noise.map(|n| Some(n? * (i + 1) as f64)))).collect();
        let mut rows: Vec<Values> =
            values.iter().map(|(reading, values)| (*reading, &noise[..], &values[..])).collect();
        let first: Vec<_> = (0..10).map(|run| Some(500.0 + f64::from(run))).collect();
        let variant: Vec<_> = (0..10).map(|run| Some(f64::from(run * run))).collect();
        rows.push((Reading::Pods(PodReading::NeverServed), &first, &variant));
        let found = found(&rows);
        let pods = found.last().expect("it is the last");
        assert_eq!((pods.family, pods.reality, pods.p_holm), (Family::Headline, Reality::Real, pods.p));
        assert!(found[1].family == Family::Single && found[1].p_holm > found[1].p, "{:?}", found[1]);
    }

    #[test]
    fn one_run_says_nothing_unless_it_is_the_same() {
        let calls = Reading::Calls(None);
        assert_eq!(found(&[(calls, &[Some(1.0)], &[Some(9.0)])])[0].reality, Reality::Unknown);
        assert_eq!(found(&[(calls, &[Some(9.0)], &[Some(9.0)])])[0].reality, Reality::Same);
    }
}

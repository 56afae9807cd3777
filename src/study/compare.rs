//! Variants side by side: every reading of a variant against the first one's, paired by
//! replication, and which differences are more than chance.

use serde::Serialize;

use super::paired::{Paired, holm, mcnemar};
use crate::model::{Ensemble, Model, Reading};
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
    /// vSwitches and node pools that only the first one has.
    pub only_first: Vec<String>,
    /// vSwitches and node pools that only the variant has.
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
    /// The same after Holm's correction for all that were compared.
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

/// Compares every further variant with the first.
///
/// # Panics
/// If they have different numbers of runs.
#[must_use]
pub fn compare(variants: &[Variant]) -> Vec<Contrast> {
    let Some((first, others)) = variants.split_first() else { return Vec::new() };
    let mut contrasts: Vec<_> = others.iter().map(|variant| contrast(first, variant)).collect();
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

/// Distinct comparisons that were tested: the family of Holm's correction.
#[must_use]
pub fn tested(contrasts: &[Contrast]) -> usize {
    let all = contrasts.iter().flat_map(|contrast| &contrast.differences);
    all.filter(|difference| difference.p.is_some() && difference.repeats.is_none()).count()
}

fn contrast(first: &Variant, variant: &Variant) -> Contrast {
    assert_eq!(first.runs.len(), variant.runs.len(), "variants are compared run by run");
    let known = first.ensemble.typical().readings();
    let shared = variant.ensemble.typical().readings().into_iter().filter_map(|(name, reading)| {
        let (_, of_first) = known.iter().find(|(known, _)| *known == name)?;
        Some((name, *of_first, reading))
    });
    let mut rows: Vec<_> =
        shared.flat_map(|(name, a, b)| Row::all(&name, &values(first, a), &values(variant, b), b)).collect();
    // The sort is stable: what is as important stays in the order of the readings.
    rows.sort_by_key(|row| row.rank());
    let (here, there) = (parts(first.ensemble.typical()), parts(variant.ensemble.typical()));
    let missing = |from: &[String], of: &[String]| of.iter().filter(|part| !from.contains(part)).cloned().collect();
    Contrast {
        variant: variant.name.clone(),
        only_first: missing(&there, &here),
        only_variant: missing(&here, &there),
        differences: (0..rows.len()).map(|i| rows[i].difference(&rows[..i])).collect(),
    }
}

/// The vSwitches and node pools of a model.
fn parts(model: &Model) -> Vec<String> {
    let vswitches = model.vpc.vswitches.iter().map(|vswitch| format!("vSwitch {}", vswitch.id));
    vswitches.chain(model.node_pools.iter().map(|pool| format!("node pool {}", pool.name))).collect()
}

fn values(variant: &Variant, reading: Reading) -> Vec<Option<f64>> {
    variant.runs.iter().map(|run| value(&reading, variant.ensemble.of(run.replication), run)).collect()
}

/// Corrects all of them together; a comparison that repeats another is corrected as that is.
fn correct(contrasts: &mut [Contrast]) {
    let own = |d: &&mut Difference| d.repeats.is_none() && d.p.is_some();
    let mut distinct: Vec<_> = contrasts.iter_mut().flat_map(|c| &mut c.differences).filter(own).collect();
    let corrected = holm(&distinct.iter().filter_map(|difference| difference.p).collect::<Vec<_>>());
    for (difference, p) in distinct.iter_mut().zip(corrected) {
        difference.p_holm = Some(p);
    }
    for contrast in contrasts {
        for i in 0..contrast.differences.len() {
            let (before, rest) = contrast.differences.split_at_mut(i);
            let difference = &mut rest[0];
            if let Some(name) = &difference.repeats {
                let of = before.iter().find(|d| d.measure == *name && d.statistic == difference.statistic);
                difference.p_holm = of.and_then(|of| of.p_holm);
            }
            let is_open = difference.reality == Reality::MayBeChance;
            if is_open && difference.p_holm.is_some_and(|p| p <= 1.0 - CONFIDENCE) {
                difference.reality = Reality::Real;
            }
        }
    }
}

/// What is compared, before it is.
struct Row {
    name: String,
    reading: Reading,
    statistic: Statistic,
    first: Vec<Option<f64>>,
    variant: Vec<Option<f64>>,
}

impl Row {
    /// The rows of a reading: a time that may never come has one for whether it does.
    fn all(name: &str, first: &[Option<f64>], variant: &[Option<f64>], reading: Reading) -> Vec<Self> {
        let may_be_never = super::importance::may_be_never(&reading);
        let statistics = if may_be_never { &[Statistic::Share, Statistic::Mean][..] } else { &[Statistic::Mean] };
        let row = |&statistic| {
            let (first, variant) = (first.to_vec(), variant.to_vec());
            Self { name: name.to_owned(), reading, statistic, first, variant }
        };
        statistics.iter().map(row).collect()
    }

    fn rank(&self) -> (usize, usize, bool) {
        let (class, scope) = super::importance::rank(&self.reading);
        (class, scope, self.statistic == Statistic::Mean)
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.first.iter().zip(&self.variant).filter_map(|(a, b)| Some(((*a)?, (*b)?)))
    }

    fn difference(&self, before: &[Self]) -> Difference {
        let same = |other: &&Self| {
            other.statistic == self.statistic
                && other.reading.unit() == self.reading.unit()
                && (&other.first, &other.variant) == (&self.first, &self.variant)
        };
        let repeats = before.iter().find(same).map(|other| other.name.clone());
        let compared = match self.statistic {
            Statistic::Share => self.share(),
            Statistic::Mean => self.mean(),
        };
        Difference { repeats, ..compared }
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
            reality: reality(finite.len(), finite.iter().all(|(a, b)| a == b)),
            ..self.empty(finite.len())
        }
    }

    fn empty(&self, pairs: usize) -> Difference {
        Difference {
            measure: self.name.clone(),
            reading: self.reading,
            statistic: self.statistic,
            unit: self.reading.unit(),
            first: Side::of(&self.first),
            variant: Side::of(&self.variant),
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

    fn differences(rows: &[(Reading, &[Option<f64>], &[Option<f64>])]) -> Vec<Difference> {
        let rows: Vec<_> = rows.iter().flat_map(|(r, a, b)| Row::all(&format!("{r:?}"), a, b, *r)).collect();
        let differences = (0..rows.len()).map(|i| rows[i].difference(&rows[..i])).collect();
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
        let [share, mean] = &differences(&[(full, &first, &variant)])[..] else { panic!("two rows") };
        assert_eq!((share.pairs, share.difference, share.p), (4, Some(-0.25), Some(1.0)));
        assert_eq!((mean.pairs, mean.difference), (2, Some(4.0)));
        let sides = [(mean.first, 3, 1, 1), (mean.variant, 3, 2, 0)];
        for (side, finite, never, nothing) in sides {
            assert_eq!((side.finite, side.never, side.nothing), (finite, never, nothing));
        }
    }

    #[test]
    fn a_vswitch_that_is_not_full_any_more_is_a_real_difference() {
        let full = Reading::AnyVSwitch(VSwitchReading::TimeToFull);
        let found = differences(&[(full, &[Some(10.0); 20], &[NEVER; 20])]);
        assert_eq!(found.iter().map(|d| d.reality).collect::<Vec<_>>(), [Reality::Real, Reality::Unknown]);
        assert_eq!(found[0].p, Some(2.0 * 0.5_f64.powi(20)));
        // Of five runs all may differ by chance: one in 16.
        let few = differences(&[(full, &[Some(10.0); 5], &[NEVER; 5])]);
        assert_eq!((few[0].p, few[0].reality), (Some(0.0625), Reality::MayBeChance));
    }

    #[test]
    fn the_same_values_are_one_comparison() {
        let (calls, refused) = (Reading::Calls(None), Reading::RefusedCalls(None));
        let (a, b) = ([Some(1.0), Some(2.0), Some(3.0)], [Some(2.0), Some(3.0), Some(4.5)]);
        let pods = Reading::Pods(PodReading::Served);
        let found = differences(&[(calls, &a, &b), (refused, &a, &b), (pods, &a, &b)]);
        assert_eq!(found[1].repeats.as_ref(), Some(&found[0].measure));
        assert_eq!(found[2].repeats, None, "pods are not calls");
        let p = found[0].p.expect("three pairs");
        assert!(found.iter().all(|d| d.p_holm == Some((2.0 * p).min(1.0))), "a family of two, not of three");
    }

    #[test]
    fn one_run_says_nothing_unless_it_is_the_same() {
        let calls = Reading::Calls(None);
        assert_eq!(differences(&[(calls, &[Some(1.0)], &[Some(9.0)])])[0].reality, Reality::Unknown);
        assert_eq!(differences(&[(calls, &[Some(9.0)], &[Some(9.0)])])[0].reality, Reality::Same);
    }
}

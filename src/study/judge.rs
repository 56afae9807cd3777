//! Whether a claim holds, as far as a number of runs can tell.

use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::model::{Bound, Claim, Ensemble, Statement};
use crate::outcome::{CONFIDENCE, Proportion, value};
use crate::record::Recording;

/// What the runs say about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// The runs are too few to tell.
    Undecided,
}

/// A claim and what the runs say about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The claim as it was written.
    pub claim: String,
    /// Whether it holds.
    pub decision: Decision,
    /// Runs in which the claim's statement holds.
    pub held: Proportion,
    /// Runs from which on a claim about a probability would be decided if the share stays as it
    /// is; none if it is decided, or if that is out of reach.
    pub runs_needed: Option<usize>,
}

/// Judges a claim by all runs of an ensemble, in the order of replications.
#[must_use]
pub fn judge(claim: &Claim, ensemble: &Ensemble, runs: &[Recording]) -> Judgement {
    let statement = &claim.statement;
    let holds = |run: &&Recording| is_hit(claim, value(&statement.reading, ensemble.of(run.replication), run));
    decide(claim, runs.iter().filter(holds).count(), runs.len())
}

/// Whether the statement of a claim holds in a run with this reading. Of nothing, nothing bad can
/// be said, as of the wait of no pod: a statement that is to be rare does not hold then.
#[must_use]
pub fn is_hit(claim: &Claim, reading: Option<f64>) -> bool {
    let is_bad = matches!(claim.probability, Some((Bound::AtMost, _)));
    reading.map_or(!is_bad, |reading| holds(&claim.statement, reading))
}

/// Whether a statement holds in a run with this reading.
pub(super) fn holds(statement: &Statement, reading: f64) -> bool {
    statement.comparison.holds(reading, statement.than)
}

/// What the runs say about all claims together.
pub(super) fn together(judgements: &[Judgement]) -> Decision {
    let any = |wanted| judgements.iter().any(|judgement| judgement.decision == wanted);
    match () {
        () if any(Decision::Fails) => Decision::Fails,
        () if any(Decision::Undecided) => Decision::Undecided,
        () => Decision::Holds,
    }
}

/// How probable a wrong decision may be, on either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Errors {
    /// That a claim holds which does not.
    pub holds: f64,
    /// That one fails which holds.
    pub fails: f64,
}

/// Those of a single look at the runs.
const SINGLE: Errors = Errors { holds: 1.0 - CONFIDENCE, fails: 1.0 - CONFIDENCE };

/// Judges a claim whose statement holds in `hits` of `runs` runs. A claim about every run holds if
/// it holds in all of them. One about a probability is decided by the exact one-sided bound of
/// that probability (Clopper and Pearson, Biometrika 26, 1934): a claim that holds by it is wrong
/// in at most 5 of 100 cases.
#[must_use]
pub fn decide(claim: &Claim, hits: usize, runs: usize) -> Judgement {
    decide_with(claim, hits, runs, SINGLE)
}

/// The same with other errors, where the runs are looked at more than once.
pub(super) fn decide_with(claim: &Claim, hits: usize, runs: usize, errors: Errors) -> Judgement {
    let of = |decision, runs_needed| Judgement {
        claim: claim.text.clone(),
        decision,
        held: Proportion::new(hits, runs),
        runs_needed,
    };
    let Some((bound, share)) = claim.probability else {
        return of(if hits == runs { Decision::Holds } else { Decision::Fails }, None);
    };
    // At least p of the runs hold where at most 1 − p do not.
    let (hits, share) = match bound {
        Bound::AtMost => (hits, share),
        Bound::AtLeast => (runs - hits, 1.0 - share),
    };
    match () {
        () if upper(hits, runs, errors.holds) <= share => of(Decision::Holds, None),
        () if lower(hits, runs, errors.fails) > share => of(Decision::Fails, None),
        () => of(Decision::Undecided, needed(hits, runs, share, errors)),
    }
}

/// Most runs that are spoken of: more are out of reach.
const MOST_RUNS: usize = 1_000_000;

/// Runs from which on it is decided, if the share of hits stays as it is; none if that would take
/// more than anybody makes.
fn needed(hits: usize, runs: usize, share: f64, errors: Errors) -> Option<usize> {
    let decided = |n: usize| {
        let hits = (hits as f64 / runs as f64 * n as f64).round() as usize;
        upper(hits, n, errors.holds) <= share || lower(hits, n, errors.fails) > share
    };
    let mut step = 1;
    while !decided(runs + step) {
        step *= 2;
        if runs + step > MOST_RUNS {
            return None;
        }
    }
    let (mut low, mut high) = (runs + step / 2, runs + step);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if decided(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// Upper end of the one-sided interval of a probability.
fn upper(hits: usize, runs: usize, error: f64) -> f64 {
    if hits == runs { 1.0 } else { beta(hits + 1, runs - hits, 1.0 - error) }
}

/// Lower end of the one-sided interval of a probability.
fn lower(hits: usize, runs: usize, error: f64) -> f64 {
    if hits == 0 { 0.0 } else { beta(hits, runs - hits + 1, error) }
}

fn beta(a: usize, b: usize, share: f64) -> f64 {
    Beta::new(a as f64, b as f64).expect("both are at least 1").inverse_cdf(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comparison, Reading};

    fn claim(probability: Option<(Bound, f64)>) -> Claim {
        let statement = Statement { reading: Reading::Calls(None), comparison: Comparison::Less, than: 0.0 };
        Claim { text: "a claim".to_owned(), statement, probability }
    }

    #[test]
    fn bounds_are_those_of_the_closed_form() {
        // No hit in n runs: 1 − 0.05^(1/n), the "rule of three".
        for n in [10_usize, 59, 299] {
            let closed = 1.0 - 0.05_f64.powf(1.0 / n as f64);
            let upper = upper(0, n, SINGLE.holds);
            assert!((upper - closed).abs() < 1e-9, "{n}: {upper} is not {closed}");
            assert!((lower(n, n, SINGLE.fails) - (1.0 - closed)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_probability_is_decided_when_the_runs_allow_it() {
        let at_most = claim(Some((Bound::AtMost, 0.05)));
        let judged = decide(&at_most, 0, 58);
        assert_eq!((judged.decision, judged.runs_needed), (Decision::Undecided, Some(59)));
        assert_eq!(decide(&at_most, 0, 59).decision, Decision::Holds);
        assert_eq!(decide(&at_most, 20, 59).decision, Decision::Fails);
        let at_least = claim(Some((Bound::AtLeast, 0.95)));
        assert_eq!(decide(&at_least, 59, 59).decision, Decision::Holds);
        assert_eq!(decide(&at_least, 40, 59).decision, Decision::Fails);
    }

    #[test]
    fn what_cannot_be_read_is_nothing_bad() {
        assert!(is_hit(&claim(None), None) && is_hit(&claim(Some((Bound::AtLeast, 0.9))), None));
        assert!(!is_hit(&claim(Some((Bound::AtMost, 0.1))), None));
    }

    #[test]
    fn a_claim_about_every_run_needs_all_of_them() {
        assert_eq!(decide(&claim(None), 20, 20).decision, Decision::Holds);
        assert_eq!(decide(&claim(None), 19, 20).decision, Decision::Fails);
    }
}

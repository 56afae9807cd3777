//! Whether a claim holds, as far as a number of runs can tell.

use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::model::{Bound, Claim, Ensemble};
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
    /// Runs from which on a claim about a probability would be decided if all further ones were
    /// like most so far; none if it is decided.
    pub runs_needed: Option<usize>,
}

/// Judges a claim by all runs of an ensemble, in the order of replications.
#[must_use]
pub fn judge(claim: &Claim, ensemble: &Ensemble, runs: &[Recording]) -> Judgement {
    let statement = &claim.statement;
    // Of nothing, nothing bad can be said: no pod waits. What is to be improbable is bad.
    let of_nothing = !matches!(claim.probability, Some((Bound::AtMost, _)));
    let holds = |run: &&Recording| {
        let reading = value(&statement.reading, ensemble.of(run.replication), run);
        reading.map_or(of_nothing, |reading| statement.comparison.holds(reading, statement.than))
    };
    decide(claim, runs.iter().filter(holds).count(), runs.len())
}

/// Judges a claim whose statement holds in `hits` of `runs` runs. A claim about every run holds if
/// it holds in all of them. One about a probability is decided by the exact one-sided bound of
/// that probability (Clopper and Pearson, Biometrika 26, 1934): a claim that holds by it is wrong
/// in at most 5 of 100 cases.
#[must_use]
pub fn decide(claim: &Claim, hits: usize, runs: usize) -> Judgement {
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
        () if upper(hits, runs) <= share => of(Decision::Holds, None),
        () if lower(hits, runs) > share => of(Decision::Fails, None),
        () => of(Decision::Undecided, Some(needed(hits, runs, share))),
    }
}

/// Runs from which on it is decided, if further ones are hits or none, whichever is more likely.
fn needed(hits: usize, runs: usize, share: f64) -> usize {
    let mostly_hits = hits * 2 > runs;
    let decided = |n: usize| {
        let hits = if mostly_hits { hits + (n - runs) } else { hits };
        upper(hits, n) <= share || lower(hits, n) > share
    };
    let mut step = 1;
    while !decided(runs + step) {
        step *= 2;
    }
    let (mut low, mut high) = (runs + step / 2, runs + step);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if decided(middle) { high = middle } else { low = middle }
    }
    high
}

/// Upper end of the one-sided interval of a probability.
fn upper(hits: usize, runs: usize) -> f64 {
    if hits == runs { 1.0 } else { beta(hits + 1, runs - hits, CONFIDENCE) }
}

/// Lower end of the one-sided interval of a probability.
fn lower(hits: usize, runs: usize) -> f64 {
    if hits == 0 { 0.0 } else { beta(hits, runs - hits + 1, 1.0 - CONFIDENCE) }
}

fn beta(a: usize, b: usize, share: f64) -> f64 {
    Beta::new(a as f64, b as f64).expect("both are at least 1").inverse_cdf(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comparison, Reading, Statement};

    fn claim(probability: Option<(Bound, f64)>) -> Claim {
        let statement = Statement { reading: Reading::Calls(None), comparison: Comparison::Less, than: 0.0 };
        Claim { text: "a claim".to_owned(), statement, probability }
    }

    #[test]
    fn bounds_are_those_of_the_closed_form() {
        // No hit in n runs: 1 − 0.05^(1/n), the "rule of three".
        for n in [10_usize, 59, 299] {
            let closed = 1.0 - 0.05_f64.powf(1.0 / n as f64);
            assert!((upper(0, n) - closed).abs() < 1e-9, "{n}: {} is not {closed}", upper(0, n));
            assert!((lower(n, n) - (1.0 - closed)).abs() < 1e-9);
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
    fn a_claim_about_every_run_needs_all_of_them() {
        assert_eq!(decide(&claim(None), 20, 20).decision, Decision::Holds);
        assert_eq!(decide(&claim(None), 19, 20).decision, Decision::Fails);
    }
}

//! What a run is held to: the claims of the scenario's policy, and what the command line says must
//! not be.

use serde::Serialize;

use super::{Decision, judge};
use crate::model::{Claim, Ensemble};
use crate::outcome::{Estimate, Proportion, value};
use crate::record::Recording;

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// A claim of the scenario's `policy`, which must hold.
    Policy,
    /// A claim of `--fail-if`, which must not hold.
    FailIf,
}

/// Something that a run is held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Where it comes from.
    pub kind: RuleKind,
    /// What must hold; of [`RuleKind::FailIf`], the opposite of what was written.
    pub claim: Claim,
}

/// A rule and what the runs say about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Where the rule comes from.
    pub kind: RuleKind,
    /// The claim as it was written; of [`RuleKind::FailIf`], what must not be.
    pub claim: String,
    /// Whether the run keeps the rule.
    pub decision: Decision,
    /// Runs in which what was written is true; of `P(…)`, what stands in the brackets.
    pub held: Proportion,
    /// Runs from which on an undecided rule would be decided if all further ones were like most so
    /// far; none if it is decided.
    pub runs_needed: Option<usize>,
    /// The measure that the claim is about, over the runs; none if there is nothing to measure.
    pub measured: Option<Estimate>,
    /// Unit of the measure.
    pub unit: &'static str,
}

/// What an ensemble is held to: the policy of its scenario, and the opposites of `fail_if`.
#[must_use]
pub fn rules(policy: &[Claim], fail_if: Vec<Claim>) -> Vec<Rule> {
    let policy = policy.iter().map(|claim| Rule { kind: RuleKind::Policy, claim: claim.clone() });
    let fail_if = fail_if.into_iter().map(|claim| Rule { kind: RuleKind::FailIf, claim: claim.negated() });
    policy.chain(fail_if).collect()
}

/// Judges rules by all runs of an ensemble, in the order of replications.
#[must_use]
pub fn findings(rules: &[Rule], ensemble: &Ensemble, runs: &[Recording]) -> Vec<Finding> {
    rules.iter().map(|rule| finding(rule, ensemble, runs)).collect()
}

fn finding(Rule { kind, claim }: &Rule, ensemble: &Ensemble, runs: &[Recording]) -> Finding {
    let judgement = judge(claim, ensemble, runs);
    let reading = &claim.statement.reading;
    let values = runs.iter().filter_map(|run| value(reading, ensemble.of(run.replication), run));
    // Only a statement about every run was turned round; of a probability, its bound was.
    let is_turned = *kind == RuleKind::FailIf && claim.probability.is_none();
    let hits = judgement.held.hits;
    Finding {
        kind: *kind,
        claim: judgement.claim,
        decision: judgement.decision,
        held: Proportion::new(if is_turned { runs.len() - hits } else { hits }, runs.len()),
        runs_needed: judgement.runs_needed,
        measured: Estimate::of(&values.collect::<Vec<_>>()),
        unit: reading.unit(),
    }
}

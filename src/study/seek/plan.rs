//! How many runs a point gets, and how sure a decision about it is.
//!
//! Runs are added until a point is decided, and whoever looks at growing numbers of runs until
//! they please is wrong more often than the bound of a single look says. So the looks are fixed
//! beforehand, and the error of 5 % is shared out among them: among those at which a goal can
//! hold, and, on the other side, among all of them.

use crate::model::{Bound, Claim};
use crate::outcome::CONFIDENCE;
use crate::study::judge::{Decision, Errors, Judgement, decide_with};

/// Probability of a wrong decision about a point, on either side.
const ERROR: f64 = 1.0 - CONFIDENCE;

/// When the runs of a point are looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    looks: Vec<u32>,
    goals: Vec<Goal>,
}

/// A goal, and when it may hold.
#[derive(Debug, Clone, PartialEq)]
struct Goal {
    claim: Claim,
    holding_looks: Vec<u32>,
    errors: Errors,
}

impl Plan {
    /// A plan that begins with `first` runs, goes on with twice as many and ends at `most`.
    pub fn new(claims: &[Claim], first: u32, most: u32) -> Self {
        let doubling = std::iter::successors(Some(first), |runs| runs.checked_mul(2)).take_while(|&runs| runs < most);
        let holding: Vec<_> = claims.iter().map(|claim| holding_looks(claim, first, most)).collect();
        let mut looks: Vec<_> = doubling.chain([most]).chain(holding.iter().flatten().copied()).collect();
        looks.sort_unstable();
        looks.dedup();
        if claims.iter().all(|claim| claim.probability.is_none()) {
            looks = vec![first];
        }
        let fails = ERROR / (looks.len() * claims.len().max(1)) as f64;
        let goals = claims.iter().zip(holding).map(|(claim, holding_looks)| Goal {
            claim: claim.clone(),
            errors: Errors { holds: ERROR / holding_looks.len().max(1) as f64, fails },
            holding_looks,
        });
        Self { looks, goals: goals.collect() }
    }

    /// Numbers of runs at which a point is looked at.
    pub fn looks(&self) -> &[u32] {
        &self.looks
    }

    /// The most runs of a point.
    pub fn last_look(&self) -> u32 {
        self.looks.last().copied().unwrap_or(1)
    }

    /// The goals.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.goals.iter().map(|goal| &goal.claim)
    }

    /// What `runs` runs say, of which as many are hits of each goal as `hits` says; `before` is
    /// what fewer runs said. A goal about a probability that held once goes on holding.
    pub fn judge(&self, runs: u32, hits: &[usize], before: &[Judgement]) -> Vec<Judgement> {
        let judge = |(i, (goal, &hits)): (usize, (&Goal, &usize))| match before.get(i) {
            Some(held) if held.decision == Decision::Holds && goal.claim.probability.is_some() => held.clone(),
            _ => goal.judge(runs, hits),
        };
        self.goals.iter().zip(hits).enumerate().map(judge).collect()
    }
}

impl Goal {
    fn judge(&self, runs: u32, hits: usize) -> Judgement {
        let judgement = decide_with(&self.claim, hits, runs as usize, self.errors);
        let is_early = self.claim.probability.is_some() && !self.holding_looks.contains(&runs);
        if judgement.decision != Decision::Holds || !is_early {
            return judgement;
        }
        let later = self.holding_looks.iter().find(|&&look| look > runs).copied().unwrap_or(runs.saturating_mul(2));
        Judgement { decision: Decision::Undecided, runs_needed: Some(later as usize), ..judgement }
    }
}

/// Numbers of runs at which a claim about a probability may hold: the least that can show it, and
/// twice as many, as often as there is room.
fn holding_looks(claim: &Claim, first: u32, most: u32) -> Vec<u32> {
    let Some((bound, share)) = claim.probability else { return vec![first] };
    let share = if bound == Bound::AtMost { share } else { 1.0 - share };
    let looks = |count: u32| {
        let least = least_runs(share, ERROR / f64::from(count)).max(first.into());
        (0..count).map(move |i| least << i)
    };
    let fits = |count: &u32| looks(*count).next_back().is_none_or(|last| last <= most.into());
    let count = (1..=u32::BITS / 2).take_while(fits).last().unwrap_or(0);
    looks(count).map(|runs| u32::try_from(runs).expect("it is at most `most`")).collect()
}

/// Runs without a hit that show that a probability is at most `share`.
fn least_runs(share: f64, error: f64) -> u64 {
    (error.ln() / (1.0 - share).ln() - 1e-9).ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::chance::stream;
    use crate::model::{Comparison, Reading, Statement};
    use rand::RngExt;

    fn claim(probability: Option<(Bound, f64)>) -> Claim {
        let statement = Statement { reading: Reading::Calls(None), comparison: Comparison::Less, than: 0.0 };
        Claim { text: "a claim".to_owned(), statement, probability }
    }

    fn at_most(share: f64) -> Claim {
        claim(Some((Bound::AtMost, share)))
    }

    #[test]
    fn one_percent_is_shown_by_299_runs_and_five_by_three_looks() {
        assert_eq!(holding_looks(&at_most(0.01), 20, 400), [299]);
        assert_eq!(holding_looks(&at_most(0.05), 20, 400), [80, 160, 320]);
        assert_eq!(holding_looks(&claim(Some((Bound::AtLeast, 0.95))), 20, 400), [80, 160, 320]);
        assert_eq!(holding_looks(&at_most(0.01), 20, 200), [0; 0]);
        assert_eq!(Plan::new(&[at_most(0.01)], 20, 400).looks(), [20, 40, 80, 160, 299, 320, 400]);
        assert_eq!(Plan::new(&[claim(None)], 20, 400).looks(), [20]);
    }

    #[test]
    fn a_goal_holds_at_its_looks_only() {
        let plan = Plan::new(&[at_most(0.05)], 20, 400);
        let decision = |runs, hits| plan.judge(runs, &[hits], &[])[0].decision;
        assert_eq!(decision(80, 0), Decision::Holds);
        assert_eq!((decision(100, 0), decision(20, 0)), (Decision::Undecided, Decision::Undecided));
        assert_eq!(decision(20, 12), Decision::Fails);
        let needed = plan.judge(40, &[0], &[])[0].runs_needed;
        assert_eq!(needed, Some(80));
        let held = plan.judge(80, &[0], &[]);
        assert_eq!(plan.judge(160, &[9], &held), held, "what held goes on holding");
    }

    /// Where the probability is just what it may be, a point is called safe, and where it is no
    /// more, unsafe, in 5 of 100 cases at most, however often it is looked at.
    #[test]
    fn many_looks_make_no_more_errors_than_one() {
        for share in [0.05, 0.2, 0.5] {
            let plan = Plan::new(&[at_most(share)], 20, 400);
            let (mut wrong, mut known) = ([0; 2], BTreeMap::new());
            for experiment in 0..4000 {
                let mut chance = stream(7, experiment, "looks");
                let (mut runs, mut hits) = (0, 0);
                let decision = plan.looks().iter().find_map(|&look| {
                    hits += (runs..look).filter(|_| chance.random::<f64>() < share).count();
                    runs = look;
                    let judge = || plan.judge(runs, &[hits], &[])[0].decision;
                    let decision = *known.entry((runs, hits)).or_insert_with(judge);
                    (decision != Decision::Undecided).then_some(decision)
                });
                wrong[0] += usize::from(decision == Some(Decision::Holds));
                wrong[1] += usize::from(decision == Some(Decision::Fails));
            }
            assert!(wrong.iter().all(|&n| n as f64 / 4000.0 <= 0.06), "{share}: {wrong:?} of 4000");
            assert!(wrong.iter().any(|&n| n > 0), "{share}: the test can fail");
        }
    }
}

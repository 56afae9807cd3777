//! What came of the actions.

use super::Runs;
use crate::outcome::{ActionSummary, Estimate, Proportion, ReachSummary};
use crate::record::{ActionRecord, Recording};
use crate::time::Instant;

impl Runs<'_> {
    /// Per action, in the order of the scenario.
    pub(super) fn actions(&self) -> Vec<ActionSummary> {
        (0..self.model.actions.len()).map(|i| self.action(i)).collect()
    }

    fn action(&self, i: usize) -> ActionSummary {
        let action = &self.model.actions[i];
        let of = |r: &Recording| r.actions[i];
        let begun = |r: &Recording| Some(of(r)).filter(|record| record.began.is_some());
        let pods = |count: fn(&ActionRecord) -> u32| self.some(|r| begun(r).map(|record| f64::from(count(&record))));
        let waited: Vec<ActionRecord> =
            self.recordings.iter().filter_map(begun).filter(|record| record.waiting > 0).collect();
        let recoveries: Vec<f64> = waited.iter().filter_map(|record| later(record.recovered, record.began)).collect();
        ActionSummary {
            name: action.name.clone(),
            text: action.text.clone(),
            began: self.share(|r| begun(r).is_some()),
            began_s: self.some(|r| of(r).began.map(Instant::as_secs_f64)),
            completed: self.share(|r| of(r).ended.is_some()),
            took_s: self.some(|r| later(of(r).ended, of(r).began)),
            waiting: pods(|record| record.waiting),
            relieved: pods(|record| record.relieved),
            recovered: (!waited.is_empty()).then(|| Proportion::new(recoveries.len(), waited.len())),
            recovery_s: Estimate::of(&recoveries),
            reach: self.reach(i),
        }
    }

    fn reach(&self, i: usize) -> Option<ReachSummary> {
        let nodes = |count: fn(&crate::record::Reach) -> u32| {
            self.some(|r| r.actions[i].reach.as_ref().map(|reach| f64::from(count(reach))))
        };
        Some(ReachSummary {
            nodes: nodes(|reach| reach.nodes)?,
            configured: nodes(|reach| reach.configured)?,
            able: nodes(|reach| reach.able)?,
        })
    }
}

/// Seconds from `from` to `to`, if both come.
fn later(to: Option<Instant>, from: Option<Instant>) -> Option<f64> {
    Some(to?.since(from?).as_secs_f64())
}

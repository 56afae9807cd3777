//! Nodes that wait for their trunks.

use super::Runs;
use crate::outcome::{TrunklessSummary, cause_text};
use crate::record::{Cause, Recording, TrunkWait};
use crate::text::text;

impl Runs<'_> {
    pub(super) fn trunkless(&self) -> Vec<TrunklessSummary> {
        let mut causes: Vec<_> = self.recordings.iter().flat_map(|r| &r.trunkless).map(|wait| wait.cause).collect();
        causes.sort_unstable();
        causes.dedup();
        let mut all: Vec<_> = causes.into_iter().filter_map(|cause| self.trunkless_of(cause)).collect();
        all.sort_by(|a, b| a.first_s.median.total_cmp(&b.first_s.median));
        all
    }

    fn trunkless_of(&self, cause: Option<Cause>) -> Option<TrunklessSummary> {
        let waits =
            |r: &'_ Recording| r.trunkless.iter().copied().filter(|wait| wait.cause == cause).collect::<Vec<_>>();
        let count = |counts: fn(&TrunkWait) -> bool| {
            self.some(|r| {
                let waits = waits(r);
                (!waits.is_empty()).then(|| waits.iter().filter(|wait| counts(wait)).count() as f64)
            })
        };
        let (kind, text) = match cause {
            Some(cause) => cause_text(cause, self.model),
            None => ("unknown", text!("nothing that Terway called for went wrong")),
        };
        Some(TrunklessSummary {
            kind,
            text,
            happened: self.share(|r| !waits(r).is_empty()),
            first_s: self.some(|r| waits(r).iter().map(|wait| wait.since.as_secs_f64()).reduce(f64::min))?,
            nodes: count(|_| true)?,
            at_end: count(|wait| wait.until.is_none())?,
        })
    }
}

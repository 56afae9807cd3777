//! Compares what we played with what the real pool did.

use std::collections::BTreeMap;

use anyhow::ensure;
use serde::Deserialize;

use super::super::compare::{Range, Suite, Tally, Verdict};
use super::case::Case;
use super::play::{Story, play};

/// What upstream leaves to chance is drawn from this seed.
pub(in crate::conformance) const SEED: u64 = 1;

#[derive(Debug, Deserialize)]
pub(in crate::conformance) struct File {
    case: Case,
    expected: Expected,
}

#[derive(Debug, Deserialize)]
struct Expected {
    timeline: Vec<BTreeMap<String, Range>>,
    api_calls: BTreeMap<String, Range>,
    api_errors: BTreeMap<String, Range>,
    cni_errors: BTreeMap<String, Range>,
    pods: Vec<ExpectedPod>,
    /// In crash cases only.
    daemon_crashes: Option<Range>,
}

#[derive(Debug, Deserialize)]
struct ExpectedPod {
    pod: String,
    allocated_ms: Range,
    attempts: Range,
}

/// Plays a case with chance drawn from `seed`, and compares.
pub(in crate::conformance) fn compare(file: &File, seed: u64) -> anyhow::Result<Verdict> {
    file.case.check().map_err(anyhow::Error::msg)?;
    let played = play(&file.case, seed);
    let mut tally = Tally::default();
    tally.take_samples(&file.expected.timeline, &played.samples)?;
    tally.take_totals(&file.expected.api_calls, &played.calls);
    tally.take_totals(&file.expected.api_errors, &played.errors);
    tally.take_totals(&file.expected.cni_errors, &played.causes);
    tally.take(file.expected.daemon_crashes.unwrap_or(Range::Exact(0)), played.crashes, false, || "crashes".to_owned());
    compare_pods(&mut tally, &file.expected.pods, &played.pods)?;
    Ok(tally.verdict(Suite::Classic, &file.case.name))
}

/// Times are inside or not: an address beyond a range does not move them by a millisecond.
fn compare_pods(tally: &mut Tally, expected: &[ExpectedPod], ours: &[Story]) -> anyhow::Result<()> {
    ensure!(expected.len() == ours.len(), "the case has pods without an event");
    for (theirs, ours) in expected.iter().zip(ours) {
        ensure!(theirs.pod == ours.pod, "pods stand in another order than their events");
        let allocated = ours.allocated.map_or(-1, |ms| ms as i64);
        tally.take(theirs.allocated_ms, allocated, false, || format!("{} allocated_ms", ours.pod));
        tally.take(theirs.attempts, ours.attempts, false, || format!("{} attempts", ours.pod));
    }
    Ok(())
}

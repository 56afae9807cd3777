//! Compares what we played with what the real controller did.

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
    cr_writes: Vec<Range>,
    effective_runs: Vec<Range>,
    pods: Vec<ExpectedPod>,
}

#[derive(Debug, Deserialize)]
struct ExpectedPod {
    pod: String,
    bound_ms: Range,
    released_ms: Range,
}

/// Plays a case with chance drawn from `seed`, and compares.
pub(in crate::conformance) fn compare(file: &File, seed: u64) -> anyhow::Result<Verdict> {
    file.case.check().map_err(anyhow::Error::msg)?;
    let played = play(&file.case, seed);
    let mut tally = Tally::default();
    tally.take_samples(&file.expected.timeline, &played.samples)?;
    tally.take_totals(&file.expected.api_calls, &played.calls);
    tally.take_totals(&file.expected.api_errors, &played.errors);
    compare_nodes(&mut tally, "cr_writes", &file.expected.cr_writes, &played.writes)?;
    compare_nodes(&mut tally, "effective_runs", &file.expected.effective_runs, &played.runs)?;
    compare_pods(&mut tally, &file.expected.pods, &played.pods)?;
    Ok(tally.verdict(Suite::Centralized, &file.case.name))
}

fn compare_nodes(tally: &mut Tally, what: &str, expected: &[Range], ours: &[i64]) -> anyhow::Result<()> {
    ensure!(expected.len() == ours.len(), "{what} has to have a number per node");
    for (node, (range, &value)) in expected.iter().zip(ours).enumerate() {
        tally.take(*range, value, true, || format!("node{node}.{what}"));
    }
    Ok(())
}

/// Times are inside or not: an address beyond a range does not move them by a millisecond.
fn compare_pods(tally: &mut Tally, expected: &[ExpectedPod], ours: &[Story]) -> anyhow::Result<()> {
    ensure!(expected.len() == ours.len(), "the case has pods without an event");
    for (theirs, ours) in expected.iter().zip(ours) {
        ensure!(theirs.pod == ours.pod, "pods stand in another order than their events");
        let times = [("bound_ms", theirs.bound_ms, ours.bound), ("released_ms", theirs.released_ms, ours.released)];
        for (what, range, time) in times {
            tally.take(range, time.map_or(-1, |ms| ms as i64), false, || format!("{} {what}", ours.pod));
        }
    }
    Ok(())
}

//! Compares what we played with what the real code did.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::case::{Case, Sample};
use super::centralized;
use super::classic;
use super::daemon;
use super::replay::{Levels, Played, play};
use super::sample;
use crate::openapi::{Api, ErrorCode};

/// Share of a case's samples that may lie one address outside the measured range: 25 runs do not
/// exhaust chance.
pub(super) const LOOSE_SHARE: f64 = 0.02;
/// Largest two-sample Kolmogorov-Smirnov distance that counts as agreement.
pub(super) const KS_LIMIT: f64 = 0.2;
/// Runs and seed of ours for the statistical cases.
pub(super) const RUNS: u32 = 200;
pub(super) const SEED: u64 = 1;

/// A number that was the same in all runs, or the range of what differed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum Range {
    Exact(i64),
    Between(i64, i64),
}

impl Range {
    fn ends(self) -> (i64, i64) {
        match self {
            Self::Exact(value) => (value, value),
            Self::Between(low, high) => (low, high),
        }
    }

    /// How far `value` lies outside.
    fn miss(self, value: i64) -> i64 {
        let (low, high) = self.ends();
        (low - value).max(value - high).max(0)
    }

    /// Whether it begins at `t` or before.
    pub(super) fn starts_by(self, t: i64) -> bool {
        self.ends().0 <= t
    }

    fn is_exact(self) -> bool {
        let (low, high) = self.ends();
        low == high
    }
}

#[derive(Debug, Deserialize)]
struct ExactFile {
    case: Case,
    expected: Exact,
}

#[derive(Debug, Deserialize)]
struct Exact {
    timeline: Vec<BTreeMap<String, Range>>,
    api_calls: BTreeMap<String, Range>,
    api_errors: BTreeMap<String, Range>,
    pods: Vec<ExpectedPod>,
}

#[derive(Debug, Deserialize)]
struct ExpectedPod {
    pod: String,
    allocated_ms: Range,
}

#[derive(Debug, Deserialize)]
struct StatisticalFile {
    case: Case,
    expected: Statistical,
}

#[derive(Debug, Deserialize)]
struct Statistical {
    distributions: Vec<Distribution>,
}

#[derive(Debug, Deserialize)]
struct Distribution {
    t_ms: u64,
    /// `flatten` makes strings of the keys, which are numbers.
    #[serde(flatten)]
    histograms: BTreeMap<String, BTreeMap<String, u32>>,
}

/// Kinds of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// One run of the node-local core, value by value.
    Exact,
    /// Many runs of the node-local core, by their distributions.
    Statistical,
    /// One run of the centralized controller, value by value.
    Centralized,
    /// One run of the classic pool, value by value.
    Classic,
}

/// How a case went.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Name of the case.
    pub case: String,
    /// What kind of case it is.
    pub suite: Suite,
    /// Values compared.
    pub compared: usize,
    /// Values that do not agree: exact cases only.
    pub mismatches: usize,
    /// Samples one address outside the range, which are allowed to a point.
    pub loose: usize,
    /// Largest Kolmogorov-Smirnov distance: statistical cases only.
    pub distance: f64,
    /// The worst difference, in words.
    pub worst: String,
    /// Whether the case passes.
    pub passes: bool,
}

/// Plays the case in `path` and compares.
pub(super) fn compare(path: &Path) -> anyhow::Result<Verdict> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let value: Value = serde_json::from_str(&text)?;
    match value["case"]["core"].as_str() {
        Some(super::CENTRALIZED) => {
            centralized::compare::compare(&serde_json::from_str(&text)?, centralized::compare::SEED)
        }
        Some(super::CENTRALIZED_DAEMON) => daemon::compare(&serde_json::from_str(&text)?),
        Some(super::CLASSIC) => classic::compare::compare(&serde_json::from_str(&text)?, classic::compare::SEED),
        _ if value["expected"].get("distributions").is_some() => compare_statistical(&serde_json::from_str(&text)?),
        _ => compare_exact(&serde_json::from_str(&text)?),
    }
}

/// Keeps count of what agrees.
#[derive(Debug, Default)]
pub(super) struct Tally {
    compared: usize,
    /// How many of them are samples.
    samples: usize,
    mismatches: usize,
    loose: usize,
    worst: (i64, String),
}

impl Tally {
    /// What was compared so far are the samples; the rest follows.
    pub(super) fn end_of_samples(&mut self) {
        self.samples = self.compared;
    }

    /// Compares the samples with the rows of a timeline, each of which holds until the next.
    pub(super) fn take_samples(
        &mut self,
        timeline: &[BTreeMap<String, Range>],
        samples: &[(u64, Sample)],
    ) -> anyhow::Result<()> {
        let mut rows = timeline.iter().peekable();
        let mut row = None;
        for (t_ms, ours) in samples {
            let t = i64::try_from(*t_ms)?;
            while let Some(next) = rows.next_if(|next| next.get("t_ms").is_some_and(|range| range.starts_by(t))) {
                row = Some(next);
            }
            let row = row.context("the timeline begins after time zero")?;
            for (key, range) in row.iter().filter(|(key, _)| *key != "t_ms") {
                let value = *ours.get(key).with_context(|| format!("unknown quantity {key}"))?;
                self.take(*range, value, true, || format!("{key} at {:.1} s", *t_ms as f64 / 1e3));
            }
        }
        self.end_of_samples();
        Ok(())
    }

    /// Compares counts by name; what one side does not name is zero.
    pub(super) fn take_totals(&mut self, expected: &BTreeMap<String, Range>, ours: &BTreeMap<String, i64>) {
        let unexpected = ours.keys().filter(|name| !expected.contains_key(*name));
        let unexpected = unexpected.map(|name| (name, Range::Exact(0)));
        for (name, range) in expected.iter().map(|(name, range)| (name, *range)).chain(unexpected) {
            self.take(range, ours.get(name).copied().unwrap_or(0), true, || name.clone());
        }
    }

    /// The verdict on a case of one run.
    pub(super) fn verdict(self, suite: Suite, case: &str) -> Verdict {
        Verdict {
            case: case.to_owned(),
            suite,
            compared: self.compared,
            mismatches: self.mismatches,
            loose: self.loose,
            distance: 0.0,
            passes: self.mismatches == 0 && self.loose as f64 <= LOOSE_SHARE * self.samples as f64,
            worst: self.worst.1,
        }
    }

    /// Compares one value; `slack` allows one address beyond a measured range.
    pub(super) fn take(&mut self, range: Range, ours: i64, slack: bool, what: impl FnOnce() -> String) {
        self.compared += 1;
        let miss = range.miss(ours);
        match miss {
            0 => return,
            1 if slack && !range.is_exact() => self.loose += 1,
            _ => self.mismatches += 1,
        }
        if miss > self.worst.0 {
            let (low, high) = range.ends();
            let expected = if low == high { low.to_string() } else { format!("{low}..{high}") };
            self.worst = (miss, format!("{}: {ours}, Terway {expected}", what()));
        }
    }
}

fn compare_exact(file: &ExactFile) -> anyhow::Result<Verdict> {
    let played = play(&file.case, None)?;
    let mut tally = Tally::default();
    let mut rows = file.expected.timeline.iter().peekable();
    let mut row = None;
    for (t_ms, levels) in &played.samples {
        let t = i64::try_from(*t_ms)?;
        while let Some(next) = rows.next_if(|next| next.get("t_ms").is_some_and(|range| range.starts_by(t))) {
            row = Some(next);
        }
        let row = row.context("the timeline begins after time zero")?;
        let ours = sample(&file.case, levels);
        for (key, range) in row.iter().filter(|(key, _)| *key != "t_ms") {
            let value = *ours.get(key).with_context(|| format!("unknown quantity {key}"))?;
            tally.take(*range, value, true, || format!("{key} at {:.1} s", *t_ms as f64 / 1e3));
        }
    }
    tally.end_of_samples();
    compare_totals(&mut tally, &file.expected.api_calls, &Api::ALL.map(Api::name), &played.calls);
    compare_totals(&mut tally, &file.expected.api_errors, &ErrorCode::ALL.map(ErrorCode::name), &played.errors);
    ensure!(file.expected.pods.len() == played.pods.len(), "the case has pods without an event");
    for (expected, (pod, _, allocated)) in file.expected.pods.iter().zip(&played.pods) {
        ensure!(expected.pod == *pod, "pods stand in another order than their events");
        tally
            .take(expected.allocated_ms, allocated.map_or(-1, |ms| ms as i64), false, || format!("{pod} allocated_ms"));
    }
    Ok(tally.verdict(Suite::Exact, &file.case.name))
}

fn compare_totals(tally: &mut Tally, expected: &BTreeMap<String, Range>, names: &[&str], ours: &[u64]) {
    for (name, &count) in names.iter().zip(ours) {
        match expected.get(*name) {
            Some(range) => tally.take(*range, count as i64, false, || (*name).to_owned()),
            None if count > 0 => tally.take(Range::Exact(0), count as i64, false, || (*name).to_owned()),
            None => {}
        }
    }
}

fn compare_statistical(file: &StatisticalFile) -> anyhow::Result<Verdict> {
    use rayon::prelude::*;
    let played =
        (0..RUNS).into_par_iter().map(|run| play(&file.case, Some((SEED, run)))).collect::<Result<Vec<_>, _>>()?;
    let (mut compared, mut largest, mut worst) = (0, 0.0, String::new());
    for distribution in &file.expected.distributions {
        let at = |played: &Played| played.samples.iter().position(|(t, _)| *t == distribution.t_ms);
        let position = played.first().and_then(at).with_context(|| format!("no sample at {} ms", distribution.t_ms))?;
        let mut ours = histograms(&file.case, played.iter().map(|run| &run.samples[position].1));
        for (quantity, theirs) in &distribution.histograms {
            let ours = ours.remove(quantity).with_context(|| format!("unknown quantity {quantity}"))?;
            let theirs =
                theirs.iter().map(|(value, &runs)| Ok((value.parse()?, runs))).collect::<anyhow::Result<_>>()?;
            let distance = ks_distance(&ours, &theirs);
            compared += 1;
            if distance > largest {
                largest = distance;
                worst = format!("{quantity} at {} s", distribution.t_ms / 1000);
            }
        }
    }
    Ok(Verdict {
        case: file.case.name.clone(),
        suite: Suite::Statistical,
        compared,
        mismatches: 0,
        loose: 0,
        distance: largest,
        worst,
        passes: largest <= KS_LIMIT,
    })
}

type Histogram = BTreeMap<i64, u32>;

/// Histograms over runs of the sums over nodes, and of each vSwitch.
fn histograms<'a>(case: &Case, runs: impl Iterator<Item = &'a Levels>) -> BTreeMap<String, Histogram> {
    let mut histograms: BTreeMap<String, Histogram> = BTreeMap::new();
    for levels in runs {
        for (i, name) in ["enis", "ips", "in_use", "pending"].into_iter().enumerate() {
            let sum: i64 = levels.nodes.iter().map(|node| i64::from(node[i])).sum();
            *histograms.entry(name.to_owned()).or_default().entry(sum).or_default() += 1;
        }
        for (vswitch, free) in case.vswitches.iter().zip(&levels.available) {
            *histograms.entry(format!("{}.available", vswitch.id)).or_default().entry(i64::from(*free)).or_default() +=
                1;
        }
    }
    histograms
}

/// The two-sample Kolmogorov-Smirnov distance.
fn ks_distance(a: &Histogram, b: &Histogram) -> f64 {
    let total = |h: &Histogram| f64::from(h.values().sum::<u32>());
    let (total_a, total_b) = (total(a), total(b));
    let (mut sum_a, mut sum_b, mut largest) = (0.0, 0.0, 0.0f64);
    let mut values: Vec<_> = a.keys().chain(b.keys()).collect();
    values.sort_unstable();
    values.dedup();
    for value in values {
        sum_a += f64::from(*a.get(value).unwrap_or(&0)) / total_a;
        sum_b += f64::from(*b.get(value).unwrap_or(&0)) / total_b;
        largest = largest.max((sum_a - sum_b).abs());
    }
    largest
}

/// The answer to a statistical replay.
pub(super) fn distributions(case: &Case, played: &[Played]) -> Value {
    let rows = (0..played[0].samples.len()).map(|i| {
        let mut row = serde_json::Map::new();
        row.insert("t_ms".to_owned(), json!(played[0].samples[i].0));
        let histograms = histograms(case, played.iter().map(|run| &run.samples[i].1));
        row.extend(histograms.into_iter().map(|(quantity, histogram)| (quantity, json!(histogram))));
        Value::Object(row)
    });
    json!({"distributions": rows.collect::<Vec<_>>(), "wait_ms_quantiles": wait_quantiles(played)})
}

/// Quantiles of the waits of all pods of all runs; −1 = never.
fn wait_quantiles(played: &[Played]) -> BTreeMap<String, i64> {
    let mut waits: Vec<i64> = played
        .iter()
        .flat_map(|run| &run.pods)
        .map(|(_, requested, allocated)| allocated.map_or(-1, |ms| (ms - requested) as i64))
        .collect();
    waits.sort_unstable();
    let quantile = |q: f64| waits[((q * waits.len() as f64) as usize).min(waits.len() - 1)];
    let wanted = [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99].into_iter().filter(|_| !waits.is_empty());
    wanted.map(|q| (q.to_string(), quantile(q))).collect()
}

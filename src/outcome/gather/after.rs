//! What happened shortly before a vSwitch was full.

use std::collections::BTreeMap;

use super::Runs;
use crate::address::usable;
use crate::model::{Job, Times, WorkloadKind};
use crate::outcome::{After, Estimate, Proportion};
use crate::record::Recording;
use crate::text::{Text, Words, phrase, text};
use crate::time::{Instant, Span};

/// What began longer ago is no likely reason, unless it lasts (an assumption).
const SHORTLY: Span = Span::hours(1);
/// A Job of fewer pods than this part of the addresses fills no vSwitch.
const LARGE_JOB: u32 = 20;

/// How much longer than its pods' work a Job lasts, if they wait for nodes to join (an assumption).
const LATE: Span = Span::mins(5);

/// What happened: kind and words.
type What = (&'static str, Text);

impl Runs<'_> {
    /// What happened shortly before vSwitch `i` was first full; none unless it is the same in most
    /// of the runs in which it is.
    pub(super) fn after(&self, i: usize) -> Option<After> {
        let full = |r: &Recording| r.vswitches[i].first_refusal.map(|full| full.at);
        let runs = self.recordings.iter().filter(|r| full(r).is_some()).count();
        let mut found = BTreeMap::<What, Vec<f64>>::new();
        for recording in self.recordings {
            if let Some((what, at, full)) = full(recording).and_then(|at| self.latest(recording, i, at)) {
                found.entry(what).or_default().push(full.as_secs_f64() - at.as_secs_f64());
            }
        }
        let ((kind, text), later) = found.into_iter().max_by_key(|(_, later)| later.len())?;
        (later.len() * 2 > runs).then(|| After {
            kind,
            text,
            happened: Proportion::new(later.len(), self.recordings.len()),
            later_s: Estimate::of(&later).expect("it happened in some run"),
        })
    }

    /// The latest thing before `full`, with its time and `full`.
    fn latest(&self, recording: &Recording, vswitch: usize, full: Instant) -> Option<(What, Instant, Instant)> {
        let before = || recording.journal.iter().filter(|entry| entry.landmark && entry.at <= full);
        let lasts = |kind: &str, zone: &str, since: Instant| {
            kind == "zone_outage"
                && !before().any(|entry| entry.kind == "zone_back" && entry.subject == zone && entry.at > since)
        };
        let near = |at: Instant| full.since(at) <= SHORTLY;
        let marks = before()
            .filter(|entry| near(entry.at) || lasts(entry.kind, &entry.subject, entry.at))
            .filter_map(|entry| Some(((entry.kind, began(entry.kind, &entry.subject)?), entry.at)));
        let jobs = self.jobs(vswitch, full);
        // Of what happened at once the first counts.
        let latest = marks.chain(jobs).reduce(|best, next| if next.1 > best.1 { next } else { best });
        latest.map(|(what, at)| (what, at, full))
    }

    /// The latest large Jobs that began shortly before, those of one moment together.
    fn jobs(&self, vswitch: usize, full: Instant) -> Option<(What, Instant)> {
        let large = usable(self.model.vpc.vswitches[vswitch].cidr) / LARGE_JOB;
        let from = Instant(full.0.saturating_sub(SHORTLY.0));
        let mut latest: Option<(Instant, Vec<&str>)> = None;
        for workload in &self.model.workloads {
            let WorkloadKind::Job { at, job, .. } = &workload.kind else { continue };
            let is_large = job.parallelism.min(job.completions) >= large.max(1);
            let Some(at) = last(from, full, at).filter(|&at| is_large && full.since(at) <= lasts(job)) else {
                continue;
            };
            match &mut latest {
                Some((best, names)) if at == *best => names.push(&workload.name),
                Some((best, _)) if at < *best => {}
                _ => latest = Some((at, vec![&workload.name])),
            }
        }
        let (at, names) = latest?;
        let names = Text::list(names.iter().map(|name| name.words()), phrase!(" and one of "));
        Some((("job", text!("a Job of {} began", names)), at))
    }
}

/// How long a Job holds addresses, about.
fn lasts(job: &Job) -> Span {
    let waves = f64::from(job.completions.div_ceil(job.parallelism.max(1)));
    LATE + Span::from_secs_f64((waves * job.duration.mean_s()).min(SHORTLY.as_secs_f64()))
}

/// The last of some moments in a range.
fn last(from: Instant, to: Instant, times: &Times) -> Option<Instant> {
    let mut last = None;
    let mut now = from;
    while let Some(at) = times.not_before(now).filter(|&at| at <= to) {
        last = Some(at);
        now = at + Span(1);
    }
    last
}

/// What happened, in the past tense; none if it is not the scenario's doing.
fn began(kind: &str, subject: &str) -> Option<Text> {
    match kind {
        "rollout" => Some(text!("the rollout of {subject} began", subject)),
        "replacement" => Some(text!("the replacement of the nodes of {subject} began", subject)),
        "zone_outage" => Some(text!("{subject} failed", subject)),
        "zone_back" => Some(text!("{subject} was back", subject)),
        _ => None,
    }
}

//! Which life of which pod a question is about.

use super::{Unknown, unknown};
use crate::model::Model;
use crate::record::{PodName, PodRow, Recording};
use crate::time::{Instant, Span};

/// Why a pod is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Somebody asked for it by name.
    Asked,
    /// It is the first that a daemon left without an address.
    FirstFailed,
    /// No daemon left any without; it is the one that was longest without a node.
    LongestPending,
    /// Every pod got a node and an address at once, so to speak; it waited longest.
    LongestWait,
}

/// The first pod that waited noticeably, from `since` on: the first that a daemon left without an
/// address; else the one that was longest without a node; else the one that waited longest for its
/// address. `None` = no pod asked for one.
pub(super) fn first(recording: &Recording, since: Option<Instant>) -> Option<(usize, Why)> {
    let since = since.unwrap_or(Instant::ZERO);
    let lives = || recording.pod_log.iter().enumerate();
    let failed = lives().filter_map(|(i, life)| Some((life.first_failed.filter(|&at| at >= since)?, i)));
    if let Some((_, life)) = failed.min() {
        return Some((life, Why::FirstFailed));
    }
    let later = || lives().filter(|(_, life)| life.created >= since);
    // Of equals the first.
    let longest = |wait: &dyn Fn(&PodRow) -> Option<Span>| {
        let waits = later().filter_map(|(i, life)| Some((wait(life)?, std::cmp::Reverse(i))));
        waits.max().map(|(_, std::cmp::Reverse(i))| i)
    };
    let until = |life: &PodRow| life.requested.or(life.ended).unwrap_or(Instant::NEVER);
    let pending = |life: &PodRow| life.pending.map(|_| until(life).since(life.created));
    let wait = |life: &PodRow| life.requested.map(|at| life.served.or(life.ended).unwrap_or(Instant::NEVER).since(at));
    longest(&pending)
        .map(|life| (life, Why::LongestPending))
        .or_else(|| longest(&wait).map(|life| (life, Why::LongestWait)))
}

/// The life of the pod of this name: the one that goes on at `at`, or the last that began before;
/// without `at` the first that a daemon left without an address, else the first.
pub(super) fn by_name(model: &Model, recording: &Recording, name: &str, at: Option<Instant>) -> Result<usize, Unknown> {
    let wanted = PodName::parse(model, name);
    let lives = || recording.pod_log.iter().enumerate().filter(|(_, life)| Some(life.name) == wanted);
    let then = at.and_then(|at| lives().rfind(|(_, life)| life.created <= at));
    let failed = lives().find(|(_, life)| at.is_none() && life.failures > 0);
    let found = then.or(failed).or_else(|| lives().next()).map(|(i, _)| i);
    found.ok_or_else(|| {
        let (workload, _) = name.rsplit_once('-').unwrap_or((name, ""));
        let of_workload = |life: &&PodRow| model.workloads[life.name.workload as usize].name == workload;
        let known: Vec<_> = recording.pod_log.iter().filter(of_workload).map(|life| life.name.text(model)).collect();
        let known = if known.is_empty() { all_names(model, recording) } else { known };
        unknown("pod", name, recording, &known)
    })
}

fn all_names(model: &Model, recording: &Recording) -> Vec<String> {
    recording.pod_log.iter().map(|life| life.name.text(model)).collect()
}

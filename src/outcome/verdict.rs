//! The verdict: the answer in one line.

use serde::Serialize;

use super::words::{count, plus_minus, span};
use super::{Clock, DefectSummary, Estimate, Limit, Proportion, Summary, VSwitchSummary};
use crate::record::Holders;
use crate::units::{percent, thousands};

/// Runs from which on 5 and 95 % quantiles say more than the smallest and the largest value.
const RUNS_FOR_QUANTILES: usize = 10;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// A short stable word: the kind of the limit that the verdict is about (`vswitch`,
    /// `max_pods`, ...), or `none`.
    pub kind: &'static str,
    /// The vSwitch that the verdict is about.
    pub vswitch: Option<String>,
    /// In one line.
    pub text: String,
}

/// The verdict on a summary whose other parts are complete: on the vSwitch of pods that fills
/// first; else on one of nodes; else on the limit that binds first; else on the fullest vSwitch.
pub(super) fn of(summary: &Summary) -> Verdict {
    let verdict = of_limits(summary);
    let defects = summary.defects.iter().map(|defect| strikes(defect, &summary.method.clock));
    Verdict { text: std::iter::once(verdict.text).chain(defects).collect::<Vec<_>>().join(" "), ..verdict }
}

/// That a defect of Terway struck.
fn strikes(defect: &DefectSummary, clock: &Clock) -> String {
    let (times, nodes) = (plus_minus(&defect.times), plus_minus(&defect.nodes));
    let when = when(&defect.struck, &defect.first_s, clock);
    format!("A defect of Terway strikes, for the first time {when}, {times} times on {nodes} nodes: {}.", defect.text)
}

fn of_limits(summary: &Summary) -> Verdict {
    let clock = &summary.method.clock;
    // They are in the order of filling, those of pods first.
    let full_first = summary.vswitches.iter().find(|v| !v.full.never());
    if let Some(verdict) = without_prefixes(summary, full_first) {
        return verdict;
    }
    if let Some(vswitch) = full_first {
        return Verdict { kind: "vswitch", vswitch: Some(vswitch.id.clone()), text: full(vswitch, clock) };
    }
    let calm = calm(summary, clock);
    if let Some(wait) = waits_for_nodes(summary) {
        return Verdict {
            kind: "none",
            vswitch: summary.vswitches.first().map(|v| v.id.clone()),
            text: format!("{calm} {wait}"),
        };
    }
    // Where the autoscaler may not go on, what nodes lack is not the reason any more.
    let maximum = summary.limits.iter().find(|limit| limit.kind == "pool_max");
    let first = summary.limits.first();
    match maximum.filter(|_| first.is_some_and(is_about_nodes)).or(first) {
        Some(limit) => {
            Verdict { kind: limit.kind, vswitch: None, text: format!("{} {calm}", binds(limit, summary, clock)) }
        }
        None => Verdict { kind: "none", vswitch: summary.vswitches.first().map(|v| v.id.clone()), text: calm },
    }
}

fn full(vswitch: &VSwitchSummary, clock: &Clock) -> String {
    let time = vswitch.time_to_full_s.as_ref().expect("a vSwitch that is full is so at some time");
    let who = vswitch.at_full_share.as_ref().expect("a vSwitch that is full has holders then");
    let nodes = if vswitch.serves_pods { "" } else { ", so that nodes cannot join" };
    let after = vswitch.at_full.as_ref().and_then(|full| full.after.as_ref());
    let after = after.map(|after| format!(", {} after {}", span(after.later_s.median), after.text));
    let when = when(&vswitch.full, time, clock) + &after.unwrap_or_default();
    format!("{} is full {when}{nodes}; {}.", named(vswitch), holders(who))
}

/// A vSwitch refuses prefixes before any is full.
fn without_prefixes(summary: &Summary, full: Option<&VSwitchSummary>) -> Option<Verdict> {
    let lacking = summary.vswitches.iter().filter_map(|v| Some((v, v.prefixes.as_ref()?)));
    let lacking = lacking.filter_map(|(v, prefixes)| Some((v, prefixes, prefixes.time_to_refusal_s.as_ref()?)));
    let (vswitch, prefixes, time) = lacking.min_by(|a, b| a.2.median.total_cmp(&b.2.median))?;
    let full_at = full.and_then(|full| full.time_to_full_s.as_ref()).map_or(f64::INFINITY, |time| time.median);
    let when = when(&prefixes.refused, time, &summary.method.clock);
    let text = format!("{} {} {when}.", named(vswitch), prefixes.lack_text()?);
    (time.median < full_at).then(|| Verdict { kind: "prefixes", vswitch: Some(vswitch.id.clone()), text })
}

fn named(vswitch: &VSwitchSummary) -> String {
    format!("{} (/{}, {} usable)", vswitch.id, vswitch.prefix, thousands(vswitch.usable.into()))
}

/// In how many runs and when: `on day 41 (90 % of runs: day 38 to 44)`.
fn when(happened: &Proportion, time: &Estimate, clock: &Clock) -> String {
    let at = clock.at(time.median);
    if happened.runs == 1 {
        return format!("{at} (one run, so no interval)");
    }
    let (whom, from, to) = match (happened.always(), time.runs) {
        (true, RUNS_FOR_QUANTILES..) => ("90 % of runs".to_owned(), time.p5, time.p95),
        (false, RUNS_FOR_QUANTILES..) => ("90 % of those".to_owned(), time.p5, time.p95),
        (true, n) => (format!("all {n} runs"), time.min, time.max),
        (false, n) => (format!("those {n}"), time.min, time.max),
    };
    let spread = match (happened.always(), time.runs) {
        (false, 1) => String::new(),
        _ => format!(" ({whom}: {})", clock.range(from, to)),
    };
    if happened.always() {
        return format!("{at}{spread}");
    }
    format!("in {}, {at}{spread}", share(happened))
}

/// `14 of 20 runs (48 to 85 %)`.
fn share(happened: &Proportion) -> String {
    let interval = happened.interval.map(|i| format!(" ({:.0} to {:.0} %)", i.low * 100.0, i.high * 100.0));
    format!("{} of {} runs{}", happened.hits, happened.runs, interval.unwrap_or_default())
}

/// `38 % of its addresses serve pods, 61 % sit idle in node pools, 1 % are node primaries`; parts
/// that nobody holds are left out.
fn holders(who: &Holders<Estimate>) -> String {
    let parts = [
        (who.pods.mean, "serve pods"),
        (who.idle.mean, "sit idle in node pools"),
        (who.leaked.mean, "are leaked, on ENIs that no daemon knows"),
        (who.primaries.mean, "are node primaries"),
        (who.others.mean, "belong to other tenants"),
    ];
    // Fewer than a request asks for may be free; hardly any are not worth a word.
    let free = Some((who.free.mean, "are free, too few for a request")).filter(|(share, _)| *share >= 0.005);
    let reserved = who.reserved.map(|reserved| (reserved.mean, "are kept for prefixes"));
    let held = who.held.map(|held| (held.mean, "are held for pods with fixed IPs that are gone"));
    let parts = parts.into_iter().chain(held).chain(reserved).filter(|(share, _)| *share > 0.0).chain(free);
    let parts = parts.enumerate().map(|(i, (share, does))| {
        let of = if i == 0 { " of its addresses" } else { "" };
        format!("{}{of} {does}", percent(share))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Whether a limit keeps pods from a node.
fn is_about_nodes(limit: &Limit) -> bool {
    let kinds = ["max_pods", "member_enis", "no_node", "cpu", "memory", "zone_spread", "anti_affinity", "pool_max"];
    kinds.contains(&limit.kind)
}

/// That pods find no node is how the autoscaler learns that it has to add some: no limit, unless it
/// may not, or pods are left over at the end.
fn waits_for_nodes(summary: &Summary) -> Option<String> {
    let pods = &summary.pods;
    let longest = pods.unschedulable_longest_s.as_ref()?;
    let is_normal = summary.pools.iter().any(|pool| pool.autoscaled)
        && summary.limits.iter().all(|limit| is_about_nodes(limit) && limit.kind != "pool_max")
        && pods.unschedulable_at_end.median == 0.0;
    is_normal.then(|| {
        format!(
            "Pods wait for nodes that the autoscaler adds, at most {} at once and {}.",
            count(pods.most_unschedulable.max),
            span(longest.max)
        )
    })
}

/// `Pods find no node from day 12 on (...): every node has as many pods as it may have.`
fn binds(limit: &Limit, summary: &Summary, clock: &Clock) -> String {
    let who = match is_about_nodes(limit) {
        true => format!("Pods find no node, at most {} at once,", count(summary.pods.most_unschedulable.max)),
        false => format!("Pods wait for addresses, at most {} at once,", count(summary.pods.most_waiting.max)),
    };
    format!("{who} for the first time {}: {}.", when(&limit.bound, &limit.time_to_bind_s, clock), limit.text)
}

/// That no vSwitch runs full, and how full the fullest one gets.
fn calm(summary: &Summary, clock: &Clock) -> String {
    let runs = summary.method.replications;
    let runs = if runs == 1 { "one run, so no interval".to_owned() } else { format!("{runs} of {runs} runs") };
    let start = format!("No vSwitch runs full in {} ({runs})", clock.length());
    let Some(fullest) = summary.vswitches.first() else {
        return format!("{start}.");
    };
    let warm = if clock.warm_up > crate::time::Span::ZERO { " after the warm-up" } else { "" };
    format!(
        "{start}; the fullest, {}, keeps at least {} of {} addresses free{warm}.",
        named(fullest),
        count(fullest.least_free.min),
        thousands(fullest.usable.into())
    )
}

//! The verdict: the answer in one line.

use serde::Serialize;

use super::words::{count, in_parentheses, is_one, nodes, plus_minus, span, whole_percents};
use super::{Clock, DefectSummary, Estimate, Limit, PodSummary, Proportion, Summary, TrunklessSummary, VSwitchSummary};
use crate::record::Holders;
use crate::text::{COMMA, SPACE, Text, phrase, text};
use crate::units::{percent, thousands};

/// Runs from which on 90 % of them, or so, are between the 5 and 95 % quantiles; of fewer all but two are.
const RUNS_FOR_QUANTILES: usize = 20;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// A short stable word: the kind of the limit that the verdict is about (`vswitch`,
    /// `max_pods`, ...), `waiting` if pods wait and none is known, or `none`.
    pub kind: &'static str,
    /// The vSwitch that the verdict is about.
    pub vswitch: Option<String>,
    /// In one line.
    pub text: Text,
}

/// The verdict on a summary whose other parts are complete: on the vSwitch of pods that fills
/// first; else on one of nodes; else on the limit that binds first; else on the fullest vSwitch.
pub(super) fn of(summary: &Summary) -> Verdict {
    let verdict = of_limits(summary);
    let homeless = without_node(summary).filter(|_| matches!(verdict.kind, "vswitch" | "prefixes" | "none"));
    let defects = summary.defects.iter().map(|defect| strikes(defect, &summary.method.clock));
    let trunkless = summary.trunkless.iter().map(|trunkless| without_trunk(trunkless, &summary.method.clock));
    let named = summary.vswitches.iter().find(|vswitch| Some(&vswitch.id) == verdict.vswitch.as_ref());
    let is_short = matches!(verdict.kind, "vswitch" | "prefixes") && named.is_some_and(|vswitch| vswitch.serves_pods);
    let served = all_served(summary).filter(|_| is_short);
    Verdict {
        text: Text::list(
            std::iter::once(verdict.text).chain(served).chain(homeless).chain(defects).chain(trunkless),
            SPACE,
        ),
        ..verdict
    }
}

/// That nobody goes without an address, whatever vSwitch is full.
fn all_served(summary: &Summary) -> Option<Text> {
    let longest = summary.pods.wait_longest_s.filter(|_| {
        let pods = &summary.pods;
        (pods.never_served.max, pods.unschedulable_at_end.max) == (0.0, 0.0)
    })?;
    Some(match longest.max {
        0.0 => text!("No pod waits for an address all the same."),
        longest => text!("Every pod gets an address all the same, within {} at most.", span(longest)),
    })
}

/// That pods are left over without a node, whatever vSwitch is full.
fn without_node(summary: &Summary) -> Option<Text> {
    let left_over = &summary.pods.unschedulable_at_end;
    if left_over.median == 0.0 {
        return None;
    }
    let reasons = summary.pods.unschedulable_by.iter().filter(|why| why.at_end.mean > 0.0);
    let why = reasons.max_by(|a, b| a.at_end.mean.total_cmp(&b.at_end.mean)).map(|why| why.text.clone());
    let why = why.unwrap_or_else(|| text!("nodes are on their way, or may still be asked for"));
    Some(match is_one(left_over) {
        true => text!("At the end 1 pod has no node: {}.", why),
        false => text!("At the end {} pods have no node: {}.", plus_minus(left_over), why),
    })
}

/// That nodes wait for their trunks.
fn without_trunk(trunkless: &TrunklessSummary, clock: &Clock) -> Text {
    text!(
        "Terway starts again and again on nodes without a trunk interface (R36), for the first time {when}, on {nodes} \
         in all and {at_end} at the end: {why}.",
        when(&trunkless.happened, &trunkless.first_s, clock),
        nodes(&trunkless.nodes),
        plus_minus(&trunkless.at_end),
        trunkless.text
    )
}

/// That a defect of Terway struck.
fn strikes(defect: &DefectSummary, clock: &Clock) -> Text {
    let times = if is_one(&defect.times) { text!("once") } else { text!("{} times", plus_minus(&defect.times)) };
    let when = when(&defect.struck, &defect.first_s, clock);
    text!(
        "A defect of Terway strikes, for the first time {when}, {times} on {nodes}: {defect}.",
        when,
        times,
        nodes(&defect.nodes),
        defect.text
    )
}

fn of_limits(summary: &Summary) -> Verdict {
    let clock = &summary.method.clock;
    // They are in the order of filling, those of pods first.
    let full_first = summary.vswitches.iter().find(|v| !v.full.never());
    if let Some(verdict) = without_prefixes(summary, full_first) {
        return verdict;
    }
    if let Some(vswitch) = full_first {
        let text = Text::list(one_of_several(summary, vswitch).into_iter().chain([full(vswitch, clock)]), SPACE);
        return Verdict { kind: "vswitch", vswitch: Some(vswitch.id.clone()), text };
    }
    let calm = calm(summary, clock);
    if let Some(wait) = waits_for_nodes(summary) {
        return Verdict {
            kind: "none",
            vswitch: summary.vswitches.first().map(|v| v.id.clone()),
            text: Text::list([calm, wait], SPACE),
        };
    }
    // Where the autoscaler may not go on, what nodes lack is not the reason any more.
    let maximum = summary.limits.iter().find(|limit| limit.kind == "pool_max");
    let first = summary.limits.iter().find(|limit| !(is_about_nodes(limit) && is_brief(&summary.pods)));
    match maximum.filter(|_| first.is_some_and(is_about_nodes)).or(first) {
        Some(limit) => {
            Verdict { kind: limit.kind, vswitch: None, text: Text::list([binds(limit, summary, clock), calm], SPACE) }
        }
        // Who has just asked waits, too; somebody has waited in vain if a daemon said so.
        None if summary.pods.waiting_at_end.median > 0.0 && !summary.messages.is_empty() => {
            Verdict { kind: "waiting", vswitch: None, text: Text::list([waits_for_nothing(summary), calm], SPACE) }
        }
        None => Verdict { kind: "none", vswitch: summary.vswitches.first().map(|v| v.id.clone()), text: calm },
    }
}

/// That some vSwitch of pods is full in more runs, or earlier, than the one that is named.
fn one_of_several(summary: &Summary, named: &VSwitchSummary) -> Option<Text> {
    let (first, clock) = (&summary.counting, &summary.method.clock);
    let time = first.simulated_time_to_full_s.as_ref().filter(|_| named.serves_pods)?;
    let when_first = when(&first.simulated_full, time, clock);
    let is_other = when_first != when(&named.full, named.time_to_full_s.as_ref()?, clock);
    is_other.then(|| text!("The first of {} vSwitches of pods is full {when}.", first.vswitches, when_first))
}

fn full(vswitch: &VSwitchSummary, clock: &Clock) -> Text {
    let time = vswitch.time_to_full_s.as_ref().expect("a vSwitch that is full is so at some time");
    let who = vswitch.at_full_share.as_ref().expect("a vSwitch that is full has holders then");
    let nodes = if vswitch.serves_pods { Text::default() } else { text!(", so that nodes cannot join") };
    let after = vswitch.at_full.as_ref().and_then(|full| full.after.as_ref());
    let after = after.map(|after| text!(", {} after {}", span(after.later_s.median), after.text));
    let when = when(&vswitch.full, time, clock) + after.unwrap_or_default();
    text!("{} is full {when}{nodes}; {}.", named(vswitch), when, nodes, holders(who))
}

/// A vSwitch refuses prefixes before any is full.
fn without_prefixes(summary: &Summary, full: Option<&VSwitchSummary>) -> Option<Verdict> {
    let lacking = summary.vswitches.iter().filter_map(|v| Some((v, v.prefixes.as_ref()?)));
    let lacking = lacking.filter_map(|(v, prefixes)| Some((v, prefixes, prefixes.time_to_refusal_s.as_ref()?)));
    let (vswitch, prefixes, time) = lacking.min_by(|a, b| a.2.median.total_cmp(&b.2.median))?;
    let full_at = full.and_then(|full| full.time_to_full_s.as_ref()).map_or(f64::INFINITY, |time| time.median);
    let when = when(&prefixes.refused, time, &summary.method.clock);
    let text = text!("{vswitch} {lacks} {when}.", named(vswitch), prefixes.lack_text()?, when);
    (time.median < full_at).then(|| Verdict { kind: "prefixes", vswitch: Some(vswitch.id.clone()), text })
}

fn named(vswitch: &VSwitchSummary) -> Text {
    text!("{} (/{}, {} usable)", vswitch.id, vswitch.prefix, thousands(vswitch.usable.into()))
}

/// In how many runs and when: `on day 41 (90 % of runs: day 38 to 44)`.
fn when(happened: &Proportion, time: &Estimate, clock: &Clock) -> Text {
    let at = clock.at(time.median);
    if happened.runs == 1 {
        return text!("{at} (one run, so no interval)", at);
    }
    let (whom, from, to) = match (happened.always(), time.runs) {
        (true, RUNS_FOR_QUANTILES..) => (text!("90 % of runs"), time.p5, time.p95),
        (false, RUNS_FOR_QUANTILES..) => (text!("90 % of those"), time.p5, time.p95),
        (true, 2) => (text!("both runs"), time.min, time.max),
        (true, n) => (text!("all {n} runs", n), time.min, time.max),
        (false, n) => (text!("those {n}", n), time.min, time.max),
    };
    let spread = match (happened.always(), time.runs) {
        (false, 1) => Text::default(),
        _ => text!(" ({whom}: {})", whom, clock.range(from, to)),
    };
    if happened.always() {
        return at + spread;
    }
    text!("in {}, {at}{spread}", share(happened), at, spread)
}

/// `14 of 20 runs (48 to 85 %)`.
fn share(happened: &Proportion) -> Text {
    text!("{} of {} runs{}", happened.hits, happened.runs, in_parentheses(happened.interval.as_ref()))
}

/// `38 % of its addresses serve pods, 61 % sit idle in node pools, 1 % are node primaries`; parts
/// that nobody holds are left out.
fn holders(who: &Holders<Estimate>) -> Text {
    let who = whole_percents(who);
    let parts = [
        (who.pods, phrase!("serve pods")),
        (who.idle, phrase!("sit idle in node pools")),
        (who.leaked, phrase!("are leaked, on ENIs that no daemon knows")),
        (who.primaries, phrase!("are node primaries")),
        (who.others, phrase!("belong to other tenants")),
    ];
    // Fewer than a request asks for may be free; hardly any are not worth a word.
    let free = Some((who.free, phrase!("are free, too few for a request"))).filter(|(share, _)| *share >= 0.005);
    let reserved = who.reserved.map(|reserved| (reserved, phrase!("are kept for prefixes")));
    let held = who.held.map(|held| (held, phrase!("are held for pods with fixed IPs that are gone")));
    let parts = parts.into_iter().chain(held).chain(reserved).filter(|(share, _)| *share > 0.0).chain(free);
    let parts = parts.enumerate().map(|(i, (share, does))| {
        let share = percent(share);
        if i == 0 {
            text!("{share} of its addresses {does}", share, does)
        } else {
            text!("{share} {does}", share, does)
        }
    });
    Text::list(parts, COMMA)
}

/// Whether a limit keeps pods from a node.
fn is_about_nodes(limit: &Limit) -> bool {
    let kinds = [
        "max_pods",
        "member_enis",
        "exclusive_enis",
        "rdma",
        "no_node",
        "cpu",
        "memory",
        "zone_spread",
        "anti_affinity",
        "pool_max",
    ];
    kinds.contains(&limit.kind)
}

/// Time for which it is not worth the headline that pods have no node: so long a node takes to make its trunk.
const BRIEF_S: f64 = 60.0;

/// Whether every pod without a node soon got one.
fn is_brief(pods: &PodSummary) -> bool {
    let longest = pods.unschedulable_longest_s.as_ref();
    pods.unschedulable_at_end.max == 0.0 && longest.is_some_and(|longest| longest.max <= BRIEF_S)
}

/// That pods find no node is how the autoscaler learns that it has to add some: no limit, unless it
/// may not, or pods are left over at the end.
fn waits_for_nodes(summary: &Summary) -> Option<Text> {
    let pods = &summary.pods;
    let longest = pods.unschedulable_longest_s.as_ref()?;
    // A pool at its maximum matters to nobody while others grow.
    let nobody_is_stuck = pods.most_stuck.max == 0.0;
    let is_normal = summary.pools.iter().any(|pool| pool.autoscaled)
        && summary.limits.iter().all(|limit| is_about_nodes(limit) && (limit.kind != "pool_max" || nobody_is_stuck))
        && pods.unschedulable_at_end.median == 0.0;
    is_normal.then(|| {
        text!(
            "Pods wait for nodes that the autoscaler adds, at most {} at once and {}.",
            count(pods.most_unschedulable.max),
            span(longest.max)
        )
    })
}

/// `Pods find no node from day 12 on (...): every node has as many pods as it may have.`
fn binds(limit: &Limit, summary: &Summary, clock: &Clock) -> Text {
    let who = match is_about_nodes(limit) {
        true => text!("Pods find no node, at most {} at once,", count(most_without_a_node(&summary.pods))),
        false => text!(
            "Pods wait for addresses, at most {} at once, and requests fail",
            count(summary.pods.most_waiting.max)
        ),
    };
    text!("{who} for the first time {}: {}.", who, when(&limit.bound, &limit.time_to_bind_s, clock), limit.text)
}

/// Most pods at once without a node to come; where there are none, most that waited for one.
fn most_without_a_node(pods: &PodSummary) -> f64 {
    if pods.most_stuck.max > 0.0 { pods.most_stuck.max } else { pods.most_unschedulable.max }
}

/// That pods are left without addresses, and no call or limit says why: somebody has switched allocation off.
fn waits_for_nothing(summary: &Summary) -> Text {
    text!(
        "Pods wait for addresses, at most {} at once, and {} of them at the end; nothing that Terway called for failed.",
        count(summary.pods.most_waiting.max),
        plus_minus(&summary.pods.waiting_at_end)
    )
}

/// That no vSwitch runs full, and how full the fullest one gets.
fn calm(summary: &Summary, clock: &Clock) -> Text {
    let runs = summary.method.replications;
    let runs = match runs {
        1 => text!(" (one run, so no interval)"),
        n => text!(", in {runs}", share(&Proportion::new(n, n))),
    };
    let start = text!("No vSwitch runs full in {}{runs}", clock.length(), runs);
    let Some(fullest) = summary.vswitches.first() else {
        return text!("{start}.", start);
    };
    let warm = if clock.warm_up > crate::time::Span::ZERO { text!(" after the warm-up") } else { Text::default() };
    text!(
        "{start}; the fullest, {}, keeps at least {} of {} addresses free{warm}.",
        start,
        named(fullest),
        count(fullest.least_free.min),
        thousands(fullest.usable.into()),
        warm
    )
}

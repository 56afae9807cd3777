//! What to try: what the run itself knows, and the command that finds out how much of it is enough.
//!
//! A run knows what is the matter, not what helps; so nothing here promises anything that an action of
//! the run did not do.

use serde::Serialize;

use crate::model::VSwitch;
use crate::outcome::{ActionSummary, VSwitchSummary, count, pods};
use crate::report::{Run, in_quotes};
use crate::study::{Decision, RuleKind};
use crate::text::{Lang, Text, text};
use crate::units::{percent, thousands};

/// Something to try.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Advice<T = Text> {
    /// What the run knows of it.
    pub(in crate::report) text: T,
    /// What tells the rest.
    pub(in crate::report) command: Option<String>,
}

impl Advice {
    /// It in a language.
    pub(in crate::report) fn say(&self, lang: Lang) -> Advice<String> {
        Advice { text: self.text.say(lang), command: self.command.clone() }
    }
}

/// How often a vSwitch may be full in the commands, unless the scenario has a policy: as in the
/// policy that docs/scenario.md shows.
const ACCEPTED: &str = "5 %";

/// Share of a vSwitch's addresses from which on idle ones are worth a change.
const WORTH_A_CHANGE: f64 = 0.01;

/// Most vSwitches of one command.
const MOST_TOGETHER: usize = 8;

pub(super) fn advice(run: &Run) -> Vec<Advice> {
    let summary = run.summary;
    // The one that most pods got an address after, the later of equals.
    let relieved = |action: &&ActionSummary| action.relieved.as_ref().map_or(0.0, |relieved| relieved.mean);
    let helped = summary.actions.iter().max_by(|a, b| relieved(a).total_cmp(&relieved(b)));
    let mut all: Vec<Advice> = helped.and_then(done).into_iter().collect();
    let lacking = summary.vswitches.iter().find(|v| Some(&v.id) == summary.verdict.vswitch.as_ref());
    match (summary.verdict.kind, lacking) {
        ("vswitch", Some(vswitch)) => {
            all.extend(
                watermark(run, vswitch)
                    .into_iter()
                    .chain(size(run, vswitch, &goal_of(run, &vswitch.id)))
                    .chain(together(run))
                    .chain(neighbour(run, vswitch)),
            );
        }
        // They run out before the vSwitch is full, of which a goal about that knows nothing.
        ("prefixes", Some(vswitch)) => {
            all.extend(size(run, vswitch, &such_that(&format!("{}.prefixes.refusals == 0", vswitch.id))));
        }
        ("none", Some(vswitch)) if vswitch.serves_pods => all.extend(room(run, vswitch)),
        ("none", _) => {}
        _ => all.push(why(run)),
    }
    all
}

/// An action that pods got addresses after: the only thing that a run has seen help.
fn done(action: &ActionSummary) -> Option<Advice> {
    let waited = pods(action.waiting.as_ref()?);
    let text = text!("{pods} waited when this was done: {}; {relief}.", waited, action.text, action.relief_text()?);
    (action.relieved.as_ref()?.mean > 0.0).then_some(Advice { text, command: None })
}

/// Idle addresses that lower watermarks may give back.
fn watermark(run: &Run, vswitch: &VSwitchSummary) -> Option<Advice> {
    let pooled = vswitch.at_full.as_ref()?.account().pooled();
    let share = pooled as f64 / f64::from(vswitch.usable);
    let text = text!(
        "When {} was first full, {} of its {} addresses ({}) were idle and no ENI's primary address: lower watermarks \
         may give them back. The largest that lasts:",
        vswitch.id,
        thousands(pooled),
        thousands(vswitch.usable.into()),
        percent(share)
    );
    let command = seek(run, "--largest", "max_pool_size", &goal_of(run, &vswitch.id));
    // Where pods alone exceed the addresses no watermark lasts.
    (share >= WORTH_A_CHANGE && !run.summary.counting.full.always()).then_some(Advice { text, command: Some(command) })
}

/// How large it has to be.
fn size(run: &Run, vswitch: &VSwitchSummary, goal: &str) -> Option<Advice> {
    let of_pods = run.summary.vswitches.iter().filter(|v| v.serves_pods && v.id != vswitch.id);
    let text = match of_pods.filter(|v| !v.full.never()).count() {
        0 => text!("{} is a /{}. The smallest block that lasts:", vswitch.id, vswitch.prefix),
        1 => text!(
            "{} is a /{}, and another vSwitch of pods runs full. The smallest block with which this one lasts:",
            vswitch.id,
            vswitch.prefix
        ),
        n => text!(
            "{} is a /{}, and {n} more vSwitches of pods run full. The smallest block with which this one lasts:",
            vswitch.id,
            vswitch.prefix,
            n
        ),
    };
    has_own_size(run, vswitch).then(|| Advice { text, command: Some(smallest(run, &[vswitch], goal)) })
}

/// How large all vSwitches of pods that run full have to be, where several do.
fn together(run: &Run) -> Option<Advice> {
    let full = run.summary.vswitches.iter().filter(|v| v.serves_pods && !v.full.never());
    let full: Vec<_> = full.filter(|v| has_own_size(run, v)).collect();
    let text = text!("The smallest block that lasts, the same for all {n} of these vSwitches:", full.len());
    let command = smallest(run, &full, &goal_of(run, "any vswitch"));
    (2..=MOST_TOGETHER).contains(&full.len()).then_some(Advice { text, command: Some(command) })
}

/// The search for the size of vSwitches.
fn smallest(run: &Run, vswitches: &[&VSwitchSummary], goal: &str) -> String {
    let ids: Vec<_> = vswitches.iter().map(|v| v.id.as_str()).collect();
    seek(run, "--smallest", &format!("prefix({})", ids.join(", ")), goal)
}

/// Whether `prefix(...)` can give a vSwitch another size: what has reservations cannot be moved, and what an action adds, or is a
/// copy, has its size elsewhere.
fn has_own_size(run: &Run, vswitch: &VSwitchSummary) -> bool {
    let written = written(run, vswitch);
    written.prefix_reservations.is_empty() && written.added_by.is_none() && !written.is_copy
}

/// What the scenario says of a vSwitch.
fn written<'r>(run: &'r Run, vswitch: &VSwitchSummary) -> &'r VSwitch {
    let mut all = run.model.vpc.vswitches.iter();
    all.find(|written| written.id == vswitch.id).expect("a summary is of the model's vSwitches")
}

/// Addresses that another vSwitch of the zone never needs.
fn neighbour(run: &Run, vswitch: &VSwitchSummary) -> Option<Advice> {
    let of_zone = run.summary.vswitches.iter().filter(|v| v.zone == vswitch.zone && v.id != vswitch.id);
    // One that an action adds is what the scenario does already.
    let of_zone = of_zone.filter(|v| written(run, v).added_by.is_none());
    let roomiest = of_zone.max_by(|a, b| a.least_free.min.total_cmp(&b.least_free.min))?;
    let text = text!(
        "{} in the same zone always has {} addresses free or more. Whether pods may use them is up to eni-config's \
         vswitches, and only nodes with a free ENI slot can.",
        roomiest.id,
        count(roomiest.least_free.min)
    );
    (roomiest.least_free.min > 0.0).then_some(Advice { text, command: None })
}

/// Nothing is full: how much smaller it could be.
fn room(run: &Run, vswitch: &VSwitchSummary) -> Option<Advice> {
    let text = text!("No vSwitch ran full, so nothing has to change. How small {} could be:", vswitch.id);
    let command = smallest(run, &[vswitch], &goal_of(run, &vswitch.id));
    has_own_size(run, vswitch).then_some(Advice { text, command: Some(command) })
}

/// Addresses are not what is short.
fn why(run: &Run) -> Advice {
    let summary = run.summary;
    let limit = summary.limits.iter().find(|limit| limit.kind == summary.verdict.kind);
    let limit = limit.map_or(text!("something else"), |limit| limit.text.clone());
    let text =
        text!("Addresses are not what is short: {limit}. Why the first pod waited, in this report's folder:", limit);
    Advice { text, command: Some(format!("brimline explain .{}", run.lang.option())) }
}

fn seek(run: &Run, which: &str, knob: &str, goal: &str) -> String {
    format!("{} {which} {}{goal}", run.seek, in_quotes(knob))
}

/// The scenario's own policy is the goal, if it has one that fails: others say nothing of what the verdict tells.
fn goal_of(run: &Run, full: &str) -> String {
    let mut of_policy = run.findings.iter().filter(|finding| finding.kind == RuleKind::Policy);
    match of_policy.any(|finding| finding.decision == Decision::Fails) {
        true => String::new(),
        false => such_that(&format!("P({full} is full before {}) <= {ACCEPTED}", run.model.horizon)),
    }
}

fn such_that(claim: &str) -> String {
    format!(" --such-that {}", in_quotes(claim))
}

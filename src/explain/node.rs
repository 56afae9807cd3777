//! The story of a node: how it joined, what its daemon did, which pods waited on it.

use super::fold::{Again, Draft, Same};
use super::{Explanation, Line, Teller};
use crate::id::NodeId;
use crate::openapi::Api;
use crate::outcome::{Told, had, span, tell};
use crate::record::{CallAnswer, Recording, Step, What};
use crate::text::{COMMA, SEMICOLON, Text, phrase, text};
use crate::time::{Instant, Span};
use crate::units::thousands;

/// Events further apart belong to different stretches.
const QUIET: Span = Span::hours(1);
/// How far around a moment the story goes.
const AROUND: Span = Span::hours(1);

/// What is ordinary, counted.
#[derive(Debug, Default)]
struct Ordinary {
    came: u32,
    served: u32,
    went: u32,
    assigned: u32,
    given_back: u32,
}

/// Events one soon after the other.
#[derive(Debug, Default)]
struct Stretch {
    /// What is ordinary before it.
    before: Ordinary,
    drafts: Vec<Draft>,
}

impl Teller<'_> {
    /// The story of a node, within an hour of `at` if that is given; `recording` has its steps.
    pub(super) fn node(&self, recording: &Recording, node: NodeId, at: Option<Instant>) -> Explanation {
        let range = match at {
            Some(at) => Instant(at.0.saturating_sub(AROUND.0))..=at + AROUND,
            None => Instant::ZERO..=Instant::ZERO + self.model.horizon,
        };
        let name = recording.node_name(self.model, node);
        let (stretches, last) = self.stretches(recording, &name, &range);
        let lines = match at {
            Some(_) => self.whole(stretches, &last, *range.end()),
            None => self.in_short(stretches, &last, *range.end()),
        };
        Explanation {
            replication: self.replication,
            summary: [self.node_summary(recording, node, &name)]
                .into_iter()
                .chain(self.trunkless(recording, node))
                .collect(),
            after: self.last_seen(recording, &name, at.unwrap_or(*range.end())).into_iter().collect(),
            subject: name,
            lines,
        }
    }

    /// How pods fared on it.
    fn node_summary(&self, recording: &Recording, node: NodeId, name: &str) -> Text {
        let lives = || recording.pod_log.iter().filter(|life| life.node == Some(node));
        let count = |n: usize| thousands(n as u64);
        let served = lives().filter(|life| life.served.is_some()).count();
        let failed = lives().filter(|life| life.failures > 0).count();
        let attempts: u64 = lives().map(|life| u64::from(life.failures)).sum();
        let waits = lives().filter_map(|life| life.served?.since(life.requested?).into());
        let longest = waits.max().map(|wait: Span| text!(", after {} at most", span(wait.as_secs_f64())));
        let failures = match failed {
            0 => text!("; no attempt failed"),
            n => text!("; {} attempts of {} pods failed", thousands(attempts), count(n)),
        };
        text!(
            "{name} had {} pods that asked for an address; {} got one{}{failures}.",
            name,
            count(lives().count()),
            count(served),
            longest.unwrap_or_default(),
            failures
        )
    }

    /// That its daemon had no trunk.
    fn trunkless(&self, recording: &Recording, node: NodeId) -> Option<Text> {
        let waits = recording.trunkless.iter().filter(|wait| wait.node == node);
        let waits: Vec<_> = waits.map(|wait| self.trunk_wait(recording, wait)).collect();
        (!waits.is_empty()).then(|| text!("{}.", Text::list(waits, SEMICOLON)))
    }

    /// What the daemon had when it was last asked before.
    fn last_seen(&self, recording: &Recording, name: &str, until: Instant) -> Option<Text> {
        let before = recording.steps.iter().rev().filter(|step| step.at <= until);
        let seen = before.filter_map(|step| match &step.what {
            What::Asked(_, had) | What::Failed { had, .. } => Some((step.at, had)),
            _ => None,
        });
        let (at, then) = seen.into_iter().next()?;
        Some(text!("When a pod last asked, at {}, {name} had {}.", self.clock.moment(at), name, had(then, self.model)))
    }

    /// The stretches of what is not ordinary, and what is ordinary after the last.
    fn stretches(
        &self,
        recording: &Recording,
        name: &str,
        range: &std::ops::RangeInclusive<Instant>,
    ) -> (Vec<Stretch>, Ordinary) {
        let entries = recording.journal.iter().filter(|entry| entry.subject == name || entry.landmark);
        let mut entries = entries.filter(|entry| range.contains(&entry.at)).map(|entry| self.entry(entry)).peekable();
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut ordinary = Ordinary::default();
        for step in recording.steps.iter().filter(|step| range.contains(&step.at)) {
            while let Some(entry) = entries.next_if(|entry| entry.at <= step.at) {
                push(&mut stretches, entry, &mut ordinary);
            }
            match self.event(recording, step) {
                Some(draft) => push(&mut stretches, draft, &mut ordinary),
                None => ordinary.count(step),
            }
        }
        entries.for_each(|entry| push(&mut stretches, entry, &mut ordinary));
        (stretches, ordinary)
    }

    /// A step that is not ordinary.
    fn event(&self, recording: &Recording, step: &Step) -> Option<Draft> {
        let What::Call(call) = &step.what else { return self.attempt(recording, step) };
        match (call.answer, call.api) {
            (CallAnswer::Done, Api::AssignPrivateIpAddresses | Api::AssignIpv6Addresses) => None,
            (CallAnswer::Done, Api::DeleteNetworkInterface) => {
                let Told { subject, text, .. } = tell(step, self.model, recording);
                Some(Draft::again(
                    step.at,
                    text!("{subject} {does}.", subject, text),
                    text!("ENI deleted"),
                    text!("ENIs deleted"),
                ))
            }
            _ => self.call(recording, step),
        }
    }

    /// Every stretch.
    fn whole(&self, stretches: Vec<Stretch>, last: &Ordinary, end: Instant) -> Vec<Line> {
        let mut lines = Vec::new();
        for stretch in stretches {
            lines.extend(self.ordinary_line(&stretch.before, stretch.drafts[0].at));
            lines.extend(self.fold(stretch.drafts));
        }
        lines.extend(self.ordinary_line(last, end));
        lines
    }

    /// The stretches in which something new happens; the others are counted up to the next.
    fn in_short(&self, stretches: Vec<Stretch>, last: &Ordinary, end: Instant) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut known: Vec<Same> = Vec::new();
        let (mut again, mut ordinary) = (Again::default(), Ordinary::default());
        for Stretch { before, drafts } in stretches {
            ordinary.add(&before);
            if drafts.iter().all(|draft| draft.same.as_ref().is_some_and(|same| known.contains(same))) {
                drafts.iter().for_each(|draft| again.add(draft.same.as_ref().expect("it is known"), 1, draft.at));
                continue;
            }
            lines.extend(self.again_line(&mut again));
            lines.extend(self.ordinary_line(&std::mem::take(&mut ordinary), drafts[0].at));
            known.extend(drafts.iter().filter_map(|draft| draft.same.clone()));
            lines.extend(self.fold(drafts));
        }
        ordinary.add(last);
        lines.extend(self.again_line(&mut again));
        lines.extend(self.ordinary_line(&ordinary, end));
        lines
    }

    fn again_line(&self, again: &mut Again) -> Option<Line> {
        let again = std::mem::take(again);
        (!again.is_empty()).then(|| self.line(again.last, text!("Until then the same again: {}.", again.text())))
    }

    fn ordinary_line(&self, ordinary: &Ordinary, until: Instant) -> Option<Line> {
        Some(self.line(until, text!("Until then {}.", ordinary.text()?)))
    }
}

/// Adds an event to the last stretch, or begins another.
fn push(stretches: &mut Vec<Stretch>, draft: Draft, ordinary: &mut Ordinary) {
    let goes_on =
        stretches.last().and_then(|stretch| stretch.drafts.last()).is_some_and(|last| draft.at.since(last.at) <= QUIET);
    if !goes_on {
        stretches.push(Stretch { before: std::mem::take(ordinary), drafts: Vec::new() });
    }
    stretches.last_mut().expect("one has begun").drafts.push(draft);
}

impl Ordinary {
    fn count(&mut self, step: &Step) {
        match &step.what {
            What::Scheduled(_) => self.came += 1,
            What::Served { .. } => self.served += 1,
            What::Gone(_) => self.went += 1,
            What::Call(call) if call.answer == CallAnswer::Done => match call.api {
                Api::AssignPrivateIpAddresses => self.assigned += call.addresses,
                Api::UnassignPrivateIpAddresses => self.given_back += call.addresses,
                _ => {}
            },
            _ => {}
        }
    }

    fn add(&mut self, other: &Self) {
        self.came += other.came;
        self.served += other.served;
        self.went += other.went;
        self.assigned += other.assigned;
        self.given_back += other.given_back;
    }

    /// `12 pods come, 12 get an address, 3 go, 9 addresses are assigned, 4 are given back`; `None` =
    /// nothing happened.
    fn text(&self) -> Option<Text> {
        let counts = [
            (self.came, phrase!("pod comes"), phrase!("pods come")),
            (self.served, phrase!("gets an address"), phrase!("get an address")),
            (self.went, phrase!("goes"), phrase!("go")),
            (self.assigned, phrase!("address is assigned"), phrase!("addresses are assigned")),
            (self.given_back, phrase!("is given back"), phrase!("are given back")),
        ];
        let counts = counts.into_iter().filter(|&(n, ..)| n > 0);
        let texts: Vec<_> = counts
            .map(|(n, one, many)| text!("{} {does}", thousands(n.into()), if n == 1 { one } else { many }))
            .collect();
        (!texts.is_empty()).then(|| Text::list(texts, COMMA))
    }
}

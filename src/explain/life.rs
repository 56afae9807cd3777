//! The story of a pod: how it came, waited, got its address, and went.

use std::collections::BTreeMap;

use super::fold::Draft;
use super::pick::Why;
use super::{Explanation, Line, Teller};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::Failure;
use crate::openapi::ErrorCode;
use crate::outcome::{cause_text, had, span};
use crate::record::{CallAnswer, Cause, PodRow, Recording, Step, TrunkWait, What};
use crate::text::{LIST, OR, SEMICOLON, Text, Words, phrase, text};
use crate::time::{Instant, Span};
use crate::units::thousands;

/// How long before a pod was made what happened to the cluster may have led to its waiting.
const BEFORE: Span = Span::hours(1);
/// Most lives of a pod that are listed.
const MOST_LIVES: usize = 6;
/// How long a daemon takes a vSwitch for empty (rules R60, R86, R89).
const SHORTAGE: Span = Span::mins(10);

impl Teller<'_> {
    /// The story of a life; `recording` has the steps of its node.
    pub(super) fn life(&self, recording: &Recording, life: usize, why: Why) -> Explanation {
        let told = Life { teller: self, recording, life: &recording.pod_log[life] };
        Explanation {
            replication: self.replication,
            subject: told.name(),
            summary: told.summary(why),
            lines: told.lines(),
            after: told.after(),
        }
    }
}

/// A life that is told.
struct Life<'a> {
    teller: &'a Teller<'a>,
    recording: &'a Recording,
    life: &'a PodRow,
}

impl Life<'_> {
    fn name(&self) -> String {
        self.life.name.text(self.teller.model)
    }

    fn node_name(&self) -> Option<String> {
        self.life.node.map(|node| self.recording.node_name(self.teller.model, node))
    }

    fn vswitch_names(&self, ids: &[VSwitchId]) -> Vec<Text> {
        ids.iter().map(|id| self.teller.model.vpc.vswitches[id.index()].id.words()).collect()
    }

    fn end_of_run(&self) -> Instant {
        Instant::ZERO + self.teller.model.horizon
    }

    /// When it waited no more.
    fn waited_until(&self) -> Instant {
        self.life.served.or(self.life.ended).unwrap_or(self.end_of_run())
    }

    fn summary(&self, why: Why) -> Vec<Text> {
        let name = self.name();
        let from = self.teller.since.map(|at| text!(" from {} on", self.teller.clock.moment(at))).unwrap_or_default();
        let first = match why {
            Why::Asked => None,
            Why::FirstFailed => {
                Some(text!("{name} is the first pod that a daemon left without an address{from}.", name, from))
            }
            Why::LongestPending => Some(text!(
                "No daemon left a pod without an address{from}; {name} was longest without a node.",
                from,
                name
            )),
            Why::LongestWait => Some(text!(
                "Every pod found a node at once, and no daemon left one without an address{from}; {name} waited longest \
                 for its own.",
                from,
                name
            )),
        };
        first.into_iter().chain([self.wait_text()]).chain(self.causes()).collect()
    }

    /// How long it waited, for what.
    fn wait_text(&self) -> Text {
        let PodRow { created, requested, served, ended, failures, .. } = *self.life;
        let length = |from: Instant, to: Instant| span(to.since(from).as_secs_f64());
        let name = self.name();
        let Some((requested, node)) = requested.zip(self.node_name()) else {
            let how =
                if ended.is_some() { phrase!("and went without one") } else { phrase!("and has none at the end") };
            return text!("{name} waited {} for a node, {how}.", name, length(created, self.waited_until()), how);
        };
        let pending = match requested > created {
            true => text!("waited {} for a node, and ", length(created, requested)),
            false => Text::default(),
        };
        let waited = length(requested, self.waited_until());
        let attempts = match failures {
            0 => Text::default(),
            1 => text!(" and one failed attempt"),
            n => text!(" and {} failed attempts", thousands(n.into())),
        };
        let end = match (served, ended) {
            (Some(_), _) => text!("got its address after {waited}{attempts}", waited, attempts),
            (None, Some(_)) => text!("went without an address after {waited}{attempts}", waited, attempts),
            (None, None) => text!("still waits for its address at the end, after {waited}{attempts}", waited, attempts),
        };
        text!("{name} {pending}{end}, on {node}.", name, pending, end, node)
    }

    /// Why its attempts failed, the most frequent reason first.
    fn causes(&self) -> Option<Text> {
        let mut causes: Vec<(Text, u32)> = Vec::new();
        for (reason, cause) in self.steps().filter_map(failure) {
            let text = self.teller.why(reason, cause);
            match causes.iter_mut().find(|(known, _)| *known == text) {
                Some((_, count)) => *count += 1,
                None => causes.push((text, 1)),
            }
        }
        causes.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let alone = causes.len() == 1;
        let texts: Vec<_> = causes
            .into_iter()
            .map(|(text, n)| if alone { text } else { text!("{why} ({times})", text, times(n)) })
            .collect();
        (!texts.is_empty()).then(|| text!("Why: {}.", Text::list(texts, SEMICOLON)))
    }

    /// Steps of the node from its creation until it waits no more.
    fn steps_of_node(&self) -> impl Iterator<Item = &Step> {
        let (from, to) = (self.life.created, self.waited_until());
        self.recording.steps.iter().filter(move |step| (from..=to).contains(&step.at))
    }

    /// Its own steps until it waits no more.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps_of_node().filter(|step| step.pod() == Some(self.life.name))
    }

    fn lines(&self) -> Vec<Line> {
        let calls = self.steps_of_node().filter_map(|step| self.teller.call(self.recording, step));
        let failures = self.steps().filter_map(|step| self.teller.attempt(self.recording, step));
        let before = self.entries().chain(self.shortages_before()).chain(self.arrival());
        self.teller.fold(before.chain(calls).chain(failures).chain(self.rest()).collect())
    }

    /// What happened to the cluster and to its node shortly before and meanwhile.
    fn entries(&self) -> impl Iterator<Item = Draft> {
        let (from, to) = (Instant(self.life.created.0.saturating_sub(BEFORE.0)), self.waited_until());
        let node = self.node_name();
        let entries = self.recording.journal.iter().filter(move |entry| {
            (from..=to).contains(&entry.at) && (entry.landmark || Some(&entry.subject) == node.as_ref())
        });
        entries.map(|entry| self.teller.entry(entry))
    }

    /// What last made the daemon take a vSwitch for empty before the pod was made, if attempts
    /// failed; it is told whatever follows.
    fn shortages_before(&self) -> impl Iterator<Item = Draft> {
        let created = self.life.created;
        let mut latest = BTreeMap::new();
        let earlier =
            self.recording.steps.iter().filter(|step| step.at < created && created.since(step.at) <= SHORTAGE);
        for step in earlier.filter(|_| self.life.failures > 0) {
            if let Some(vswitch) = short_vswitch(step) {
                latest.insert(vswitch, step);
            }
        }
        let told = latest.into_values().filter_map(|step| self.teller.call(self.recording, step));
        told.map(|draft| Draft { same: None, ..draft })
    }

    /// How it came to its node.
    fn arrival(&self) -> impl Iterator<Item = Draft> {
        let PodRow { created, pending, requested, .. } = *self.life;
        let name = self.name();
        let asked = self.steps().find_map(|step| match &step.what {
            What::Asked(_, then) => Some(then),
            _ => None,
        });
        let made = match (pending, requested == Some(created)) {
            (Some(why), _) => {
                let why = cause_text(why.into(), self.teller.model).1;
                Some(Draft::new(created, text!("{name} is made and finds no node: {why}.", name, why)))
            }
            (None, true) => None,
            (None, false) => Some(Draft::new(created, text!("{name} is made.", name))),
        };
        let placed = requested.zip(self.node_name()).map(|(at, node)| {
            let is_made = if made.is_some() { Text::default() } else { text!("is made and ") };
            let has = asked.map(|then| {
                let vswitches = Text::list(self.vswitch_names(&then.candidates), LIST);
                text!(" {node} has {}. Its vSwitches: {vswitches}.", node, had(then, self.teller.model), vswitches)
            });
            Draft::new(at, text!("{name} {is_made}goes to {node}.{}", name, is_made, node, has.unwrap_or_default()))
        });
        made.into_iter().chain(placed)
    }

    /// From its address to its end.
    fn rest(&self) -> impl Iterator<Item = Draft> {
        let PodRow { served, deleted, ended, .. } = *self.life;
        let name = self.name();
        let served = served.map(|at| {
            let late = self.late_answer().unwrap_or_default();
            Draft::new(at, text!("{name} gets {}.{late}", name, self.address_text(at), late))
        });
        let told = deleted.filter(|_| deleted != ended);
        let told = told.map(|at| Draft::new(at, text!("{name} is told to end.", name)));
        let gone = ended.map(|at| Draft::new(at, text!("{name} is gone.", name)));
        served.into_iter().chain(told).chain(gone)
    }

    /// That the daemon has had the address for a while (rule R114).
    fn late_answer(&self) -> Option<Text> {
        let had = self.steps().find_map(|step| match step.what {
            What::Served { had, .. } => Some(had),
            _ => None,
        })?;
        let text = || {
            text!(
                " The daemon has had it for {}: of its requests to the API server few pass at a time \
                 (`kube_client_qps`, R114).",
                span(had.as_secs_f64())
            )
        };
        (had > Span::ZERO).then(text)
    }

    /// `10.0.0.7 of vsw-AAA, which web-3 had until 02:07:10.4`.
    fn address_text(&self, at: Instant) -> Text {
        let (Some(address), Some(vswitch)) = (self.life.address, self.life.vswitch) else { return Text::default() };
        let id = &self.teller.model.vpc.vswitches[vswitch.index()].id;
        let lives = self.recording.pod_log.iter();
        let had = lives.filter(|l| l.vswitch == Some(vswitch) && l.address == Some(address));
        let before = had.filter_map(|other| Some((other.ended.filter(|&ended| ended <= at)?, other)));
        let before = before.max_by_key(|&(ended, _)| ended).map(|(ended, other)| {
            let node = other.node.filter(|_| other.node != self.life.node);
            let node = node.map(|node| text!(" on {}", self.recording.node_name(self.teller.model, node)));
            let who = other.name.text(self.teller.model);
            text!(", which {who} had{} until {}", who, node.unwrap_or_default(), self.teller.clock.moment(ended))
        });
        text!("{address} of {id}{}", address, id, before.unwrap_or_else(|| text!(", which no pod had before")))
    }

    fn after(&self) -> Vec<Text> {
        let seen = self.steps().filter_map(failure).map(|(reason, _)| reason.message());
        let mut messages: Vec<_> = seen.collect();
        messages.sort_unstable();
        messages.dedup();
        let messages = messages.into_iter().map(|message| text!("In the pod's events: {message}", message));
        self.meanwhile().into_iter().chain(self.trunkless()).chain(messages).chain(self.lives()).collect()
    }

    /// That nodes waited for their trunks while the pod waited for a node.
    fn trunkless(&self) -> Option<Text> {
        self.life.pending?;
        let (from, to) = (self.life.created, self.life.requested.unwrap_or(self.waited_until()));
        let waits = self.recording.trunkless.iter();
        let meanwhile = |wait: &&TrunkWait| wait.since <= to && wait.until.is_none_or(|until| until > from);
        let waits: Vec<_> = waits.filter(meanwhile).map(|wait| self.teller.trunk_wait(self.recording, wait)).collect();
        (!waits.is_empty()).then(|| text!("Meanwhile nodes were not ready: {}.", Text::list(waits, SEMICOLON)))
    }

    /// That a pod of a StatefulSet has other lives.
    fn lives(&self) -> Option<Text> {
        let lives = self.recording.pod_log.iter().filter(|life| life.name == self.life.name);
        let begins: Vec<_> = lives.map(|life| self.teller.clock.moment(life.created)).collect();
        let most = &begins[..begins.len().min(MOST_LIVES)];
        let more = if begins.len() > MOST_LIVES { text!(", ...") } else { Text::default() };
        (begins.len() > 1).then(|| {
            let name = self.name();
            text!(
                "{name} has {} lives (--at tells of another), made at {}{more}.",
                name,
                begins.len(),
                Text::list(most.iter().cloned(), LIST),
                more
            )
        })
    }

    /// Who asked later and got an address earlier.
    fn meanwhile(&self) -> Option<Text> {
        let requested = self.life.requested.filter(|_| self.life.failures > 0)?;
        let candidates = self.steps().find_map(|step| match &step.what {
            What::Failed { had, .. } => Some(had.candidates.clone()),
            _ => None,
        })?;
        let until = self.waited_until();
        let overtakes = |other: &&PodRow| {
            other.requested.is_some_and(|at| at > requested)
                && other.served.is_some_and(|at| at < until)
                && other.vswitch.is_some_and(|id| candidates.contains(&id))
        };
        let nodes: Vec<Option<NodeId>> = self.recording.pod_log.iter().filter(overtakes).map(|l| l.node).collect();
        let here = nodes.iter().filter(|&&node| node == self.life.node).count();
        let node = self.node_name()?;
        let pods = match nodes.len() {
            0 => return None,
            1 => text!("one pod that had asked later got an address"),
            n => text!("{} pods that had asked later got addresses", thousands(n as u64)),
        };
        let place = match (here, nodes.len() - here) {
            (0, 1) => text!("on another node"),
            (0, _) => text!("on other nodes"),
            (_, 0) => text!("on {node}", node),
            (here, elsewhere) => {
                text!("{} on {node}, {} on other nodes", thousands(here as u64), node, thousands(elsewhere as u64))
            }
        };
        Some(text!("Meanwhile {pods} of {}: {place}.", pods, Text::list(self.vswitch_names(&candidates), OR), place))
    }
}

/// The vSwitch that a step makes a daemon take for empty, or an interface on it.
fn short_vswitch(step: &Step) -> Option<VSwitchId> {
    let What::Call(call) = &step.what else { return None };
    let is_short = [CallAnswer::Free(0), CallAnswer::Refused(ErrorCode::IpNotEnough)].contains(&call.answer);
    call.vswitch.filter(|_| is_short)
}

fn failure(step: &Step) -> Option<(Failure, Option<Cause>)> {
    match step.what {
        What::Failed { reason, cause, .. } => Some((reason, cause)),
        _ => None,
    }
}

fn times(n: u32) -> Text {
    match n {
        1 => text!("once"),
        2 => text!("twice"),
        n => text!("{} times", thousands(n.into())),
    }
}

//! A node at a moment, as an engineer who sits at it sees it: `terway-cli`, the CR, log and events.
//!
//! Nothing of it is stored: a replication is run again, is looked at on its way, and what happened on
//! the node around the moment is written down.

mod calendar;
mod classic;
mod classic_log;
mod daemon_log;
mod events;
pub mod mapping;
mod names;
mod pod_eni;
mod resource;
pub mod show;
mod snapshot;
mod tree;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

pub use calendar::Calendar;
pub use classic::Classic;
pub use daemon_log::{Line, Process};
pub use events::Event;
pub use resource::Cr;
pub use snapshot::Snapshot;

use crate::id::NodeId;
use crate::ipam::note::nearest;
use crate::model::{Ipam, Model};
use crate::record::{Detail, PodName, Recording, Step, What};
use crate::sim::run_watched;
use crate::time::{Instant, Span};
use classic_log::ClassicLog;
use daemon_log::Log;

/// A node at a moment, and what happened on it around then.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The node.
    pub snapshot: Snapshot,
    /// What was logged, in order of time.
    pub log: Vec<Line>,
    /// What the API server heard of, in order of time.
    pub events: Vec<Event>,
}

/// Why there is nothing to see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// There is no such node, at any time.
    #[error("there is no node `{name}` in replication {replication}{hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The replication.
        replication: u32,
        /// What may help, as the rest of the sentence.
        hint: String,
    },
    /// The node is not there yet, or no more.
    #[error("{name} does not exist at {at}: {life}")]
    Elsewhere {
        /// The node.
        name: String,
        /// The moment, in words.
        at: String,
        /// When it joined and when it left, in words.
        life: String,
    },
}

/// Looks at the node of a name at a moment of a replication, and at what happened on it less than
/// `around` before or after; `at` is not after the horizon.
///
/// # Errors
/// If there is no such node, or not then.
pub fn inspect(
    model: &Model,
    replication: u32,
    name: &str,
    at: Instant,
    around: Span,
) -> Result<(Inspection, Recording), Unseen> {
    let node = numbered(name);
    let detail = Detail { pods: true, events: true, node: Some(node) };
    let mut snapshot = None;
    let recording = run_watched(model, replication, detail, std::iter::once(at), |view| {
        let group = view.nodes().nth(node.index()).map(|(_, group)| group);
        if view.exists(node) && group.is_some_and(|group| name_of(model, group, node) == name) {
            snapshot = Some(Snapshot::of(view, model, node, name));
        }
    });
    let Some(snapshot) = snapshot else { return Err(unseen(model, &recording, name, at)) };
    let (log, events) = around_of(model, &recording, name, &(Instant(at.0.saturating_sub(around.0))..=at + around));
    Ok((Inspection { snapshot, log, events }, recording))
}

/// The node that has the number in a name.
fn numbered(name: &str) -> NodeId {
    let number = name.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
    number.map_or(NodeId::NONE, NodeId)
}

fn name_of(model: &Model, group: usize, node: NodeId) -> String {
    let (key, _) = model.groups().nth(group).expect("a node is of a group of the model");
    model.node_name(key.pool, node)
}

/// What was logged and told on a node in a stretch of time.
fn around_of(
    model: &Model,
    recording: &Recording,
    node: &str,
    range: &RangeInclusive<Instant>,
) -> (Vec<Line>, Vec<Event>) {
    let log = Logs::of(model);
    let mut power = recording.journal.iter().filter(|entry| entry.subject == node).peekable();
    let mut runs = true;
    let mut held: BTreeMap<PodName, Ipv4Addr> = BTreeMap::new();
    let (mut lines, mut events) = (Vec::new(), Vec::new());
    for step in &recording.steps {
        while let Some(entry) = power.next_if(|entry| entry.at <= step.at) {
            runs = match entry.kind {
                "node_down" | "terway_down" => false,
                "node_up" | "terway_up" => true,
                _ => runs,
            };
        }
        let address = match step.what {
            What::Served { pod, address, .. } => held.insert(pod, address),
            What::Gone(pod) => held.remove(&pod),
            _ => None,
        };
        // Pods that go with their node, or while nobody listens, go without a DEL.
        if runs || !matches!(step.what, What::Gone(_)) {
            lines.extend(log.of_step(step, address));
        }
        events.extend(events::of(model, node, step));
    }
    // What an attempt begins with is known at its end only.
    lines.retain(|line| range.contains(&line.at));
    lines.sort_by_key(|line| line.at);
    events.retain(|event| range.contains(&event.at));
    (lines, events)
}

/// Who writes the log of a node.
enum Logs<'m> {
    Modern(Log<'m>),
    Classic(ClassicLog<'m>),
}

impl<'m> Logs<'m> {
    fn of(model: &'m Model) -> Self {
        match model.ipam {
            Ipam::Classic(version) => Self::Classic(ClassicLog::new(model, version)),
            Ipam::NodeLocal => Self::Modern(Log::new(model, false)),
            Ipam::Centralized(_) => Self::Modern(Log::new(model, true)),
        }
    }

    fn of_step(&self, step: &Step, held: Option<Ipv4Addr>) -> Vec<Line> {
        match self {
            Self::Modern(log) => log.of(step, held),
            Self::Classic(log) => log.of(step),
        }
    }
}

/// Why a node is not to be seen.
fn unseen(model: &Model, recording: &Recording, name: &str, at: Instant) -> Unseen {
    let known: Vec<_> = (0..recording.nodes.len()).map(|i| recording.node_name(model, NodeId::new(i))).collect();
    let name = name.to_owned();
    if !known.contains(&name) {
        let near = nearest(&name, known.iter().map(String::as_str)).map(|near| format!("; did you mean `{near}`?"));
        let ends = || Some(format!("; the first is `{}`, the last `{}`", known.first()?, known.last()?));
        let hint = near.or_else(ends).unwrap_or_default();
        return Unseen::Unknown { name, replication: recording.replication, hint };
    }
    let calendar = Calendar::of(model);
    let when = |kind| {
        let mut of_node = recording.journal.iter().filter(|entry| entry.subject == name);
        of_node.find(|entry| entry.kind == kind).map(|entry| calendar.moment(entry.at))
    };
    let left = when("node_left").map(|left| format!(", and it left at {left}"));
    let life = format!("it joined at {}{}", when("node_joined").unwrap_or_default(), left.unwrap_or_default());
    Unseen::Elsewhere { at: calendar.moment(at), name, life }
}

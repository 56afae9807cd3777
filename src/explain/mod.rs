//! Why a pod waited, and what happened to a node: the chain of events, in sentences.
//!
//! A replication is run again in detail, first to find out whom the question is about, then with
//! the steps of that node only: what is kept stays small.

mod fold;
mod life;
mod node;
mod pick;
mod say;

use serde::Serialize;

use crate::id::NodeId;
use crate::ipam::note::nearest;
use crate::model::Model;
use crate::outcome::Clock;
use crate::record::{Detail, Recording};
use crate::sim::{Progress, run_in_detail};
use crate::text::{Text, text};
use crate::time::Instant;

/// Whom a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The first pod that waited noticeably.
    First,
    /// The pod of this name.
    Pod(String),
    /// The node of this name.
    Node(String),
}

/// A chain of events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The replication, from 0.
    pub replication: u32,
    /// Whom it is about; empty if nobody waited.
    pub subject: String,
    /// What it comes to, paragraph by paragraph.
    pub summary: Vec<Text>,
    /// What happened, in order of time.
    pub lines: Vec<Line>,
    /// What happened besides, and how it ended.
    pub after: Vec<Text>,
}

/// Something that happened, or that went on for a while.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// When, in seconds since the start.
    pub at_s: f64,
    /// When, for people.
    pub when: Text,
    /// What, in sentences.
    pub text: Text,
}

/// There is nobody of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{name}` in replication {replication}")]
pub struct Unknown {
    what: &'static str,
    name: String,
    replication: u32,
    /// What may help.
    pub hint: Option<String>,
}

/// Explains what happened in a replication of a model; with `at` the first pod that waited from
/// then on, the life of a pod at that time, or what happened on a node within an hour of it.
///
/// # Errors
/// If there is nobody of that name.
pub fn explain(
    model: &Model,
    replication: u32,
    whom: &Whom,
    at: Option<Instant>,
    progress: &Progress,
) -> Result<(Explanation, Recording), Unknown> {
    let run = |detail| run_in_detail(model, replication, detail, progress);
    let lives = run(Detail { pods: true, ..Detail::default() });
    let follow = |lives: Recording, node: Option<NodeId>| match node {
        None => lives,
        Some(_) => run(Detail { pods: true, events: true, node }),
    };
    let told = Teller { model, clock: Clock::of(model), replication, since: at };
    match whom {
        Whom::Node(name) => {
            let node = find_node(model, &lives, name)?;
            let recording = follow(lives, Some(node));
            Ok((told.node(&recording, node, at), recording))
        }
        Whom::Pod(name) => {
            let life = pick::by_name(model, &lives, name, at)?;
            let node = lives.pod_log[life].node;
            let recording = follow(lives, node);
            Ok((told.life(&recording, life, pick::Why::Asked), recording))
        }
        Whom::First => match pick::first(&lives, at) {
            Some((life, why)) => {
                let node = lives.pod_log[life].node;
                let recording = follow(lives, node);
                Ok((told.life(&recording, life, why), recording))
            }
            None => Ok((told.nobody(), lives)),
        },
    }
}

/// Tells stories of a replication.
struct Teller<'m> {
    model: &'m Model,
    clock: Clock,
    replication: u32,
    /// From when on somebody wants to know.
    since: Option<Instant>,
}

impl Teller<'_> {
    fn line(&self, at: Instant, text: Text) -> Line {
        Line { at_s: at.as_secs_f64(), when: self.clock.moment(at), text }
    }

    fn nobody(&self) -> Explanation {
        let since = self.since.map(|at| text!(" from {} on", self.clock.moment(at))).unwrap_or_default();
        Explanation {
            replication: self.replication,
            subject: String::new(),
            summary: vec![text!("No pod waited{since}: none asked for an address.", since)],
            lines: Vec::new(),
            after: Vec::new(),
        }
    }
}

fn find_node(model: &Model, recording: &Recording, name: &str) -> Result<NodeId, Unknown> {
    let nodes: Vec<_> = (0..recording.nodes.len()).map(|i| recording.node_name(model, NodeId::new(i))).collect();
    nodes.iter().position(|node| node == name).map(NodeId::new).ok_or_else(|| unknown("node", name, recording, &nodes))
}

fn unknown(what: &'static str, name: &str, recording: &Recording, known: &[String]) -> Unknown {
    let near = nearest(name, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
    let ends = || Some(format!("the first is `{}`, the last `{}`", known.first()?, known.last()?));
    Unknown { what, name: name.to_owned(), replication: recording.replication, hint: near.or_else(ends) }
}

//! Nodes whose daemons do not start, since they cannot make their trunks (rule R36).

use std::collections::BTreeMap;

use super::Recorder;
use crate::id::NodeId;
use crate::record::{Cause, FailureReason};
use crate::text::text;
use crate::time::Instant;

/// A node that waits for the trunk of its daemon, which dies and is started again until it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrunkWait {
    /// Which node.
    pub node: NodeId,
    /// What the daemon last died of; `None` = nothing that it called for went wrong.
    pub cause: Option<Cause>,
    /// When it first died of it.
    pub since: Instant,
    /// When it started at last, or the node left; `None` = the node waits at the end.
    pub until: Option<Instant>,
}

/// Nodes that wait for their trunks, and those that did.
#[derive(Debug, Default)]
pub(super) struct Trunkless {
    waits: Vec<TrunkWait>,
    /// Where the waits stand that are not over.
    open: BTreeMap<NodeId, usize>,
}

impl Trunkless {
    /// The warm-up is over: who waits now has just begun to.
    pub fn warm(&mut self, now: Instant) {
        self.waits.retain(|wait| wait.until.is_none());
        self.waits.iter_mut().for_each(|wait| wait.since = now);
        self.open = self.waits.iter().enumerate().map(|(i, wait)| (wait.node, i)).collect();
    }

    pub fn records(self) -> Vec<TrunkWait> {
        self.waits
    }
}

impl Recorder {
    /// The daemon of a node has died at its start, of what its last call was refused for. If pods lack an address
    /// meanwhile, `binds`, that keeps them from it, whether they have a node or not.
    pub fn trunk_not_made(&mut self, now: Instant, node: NodeId, binds: bool) {
        let cause = self.nodes[node.index()].trouble.cause(now, FailureReason::Refused);
        if let Some(cause) = cause.filter(|_| binds) {
            self.binds(now, cause);
        }
        let Trunkless { waits, open } = &mut self.trunkless;
        if let Some(&i) = open.get(&node) {
            waits[i].cause = cause;
            return;
        }
        let is_first = waits.is_empty();
        open.insert(node, waits.len());
        waits.push(TrunkWait { node, cause, since: now, until: None });
        if is_first {
            self.landmark(now, "no_trunk", "trunk".to_owned(), text!("a node has to wait for its trunk interface"));
        }
    }

    /// The daemon of a node has started, or the node leaves.
    pub fn waits_for_no_trunk(&mut self, now: Instant, node: NodeId) {
        if let Some(i) = self.trunkless.open.remove(&node) {
            self.trunkless.waits[i].until = Some(now);
        }
    }
}

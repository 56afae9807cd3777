//! Nodes that nobody needs, and when they go.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::autoscaler::PoolView;
use crate::id::NodeId;
use crate::model::{Autoscaler, ScaleDown};
use crate::time::{Instant, Span};

/// Most nodes that go at once (`--max-scale-down-parallelism`).
const MOST_AT_ONCE: usize = 10;
/// Most of them that are drained (`--max-drain-parallelism`).
const MOST_DRAINED: usize = 1;
/// A node whose pods fitted nowhere is not tried again for this long
/// (`--unremovable-node-recheck-timeout`).
const RECHECK: Span = Span::mins(5);

/// Most soft taints that are set or taken away at once (`--max-bulk-soft-taint-count`).
const MOST_TAINTS: usize = 10;

/// A node of an autoscaled pool whose utilisation is at most the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The node.
    pub node: NodeId,
    /// Position of its pool.
    pub pool: usize,
    /// Whether it has no pods but those of DaemonSets.
    pub empty: bool,
    /// Whether it has pods that may not be evicted.
    pub kept: bool,
}

/// Nodes that are on their way out already; they are neither candidates nor counted in
/// [`PoolView::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InProgress {
    /// Without a drain.
    pub empty: usize,
    /// Being drained.
    pub drained: usize,
}

/// A node that goes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// The node.
    pub node: NodeId,
    /// Whether pods have to be evicted first.
    pub drain: bool,
}

/// What a scan came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Nodes that go now.
    pub remove: Vec<Removal>,
    /// The next scan not before this time comes to something else, unless something happens to
    /// the cluster; [`Instant::NEVER`] = none does.
    pub next: Instant,
}

/// Since when nodes have been unneeded.
#[derive(Debug, Clone, Default)]
pub struct Unneeded {
    since: BTreeMap<NodeId, Instant>,
    /// Until when nodes whose pods fitted nowhere are left alone.
    unremovable: BTreeMap<NodeId, Instant>,
    last_scale_up: Option<Instant>,
}

/// Which of the nodes `tainted` lose their soft taint now, and which of those that are unneeded get one: others are preferred
/// to them for new pods. Also whether any are left to change.
#[must_use]
pub fn soft_taints(tainted: &BTreeSet<NodeId>, unneeded: &Unneeded) -> (Vec<NodeId>, Vec<NodeId>, bool) {
    let clean = tainted.iter().filter(|&&node| unneeded.since(node).is_none());
    let mark = unneeded.since.keys().filter(|node| !tainted.contains(node));
    let cleaned: Vec<_> = clean.clone().copied().take(MOST_TAINTS).collect();
    let marked: Vec<_> = mark.clone().copied().take(MOST_TAINTS - cleaned.len()).collect();
    let left = clean.count() + mark.count() > cleaned.len() + marked.len();
    (cleaned, marked, left)
}

impl Unneeded {
    /// The cluster is not healthy: what has been unneeded until now counts no more (`CleanUpUnneededNodes`).
    pub fn forget(&mut self) {
        self.since.clear();
    }

    /// A pool grew: no scale-down for [`ScaleDown::delay_after_add`].
    pub fn scaled_up(&mut self, now: Instant) {
        self.last_scale_up = Some(now);
    }

    /// Since when a node has been unneeded, if it is.
    #[must_use]
    pub fn since(&self, node: NodeId) -> Option<Instant> {
        self.since.get(&node).copied()
    }

    /// Looks at the candidates and says which go now, of those that are alike the first.
    ///
    /// `fits_elsewhere` is asked for nodes with pods: whether all of them fit on other nodes that
    /// are not in the set.
    pub fn scan(
        &mut self,
        now: Instant,
        settings: &Autoscaler,
        candidates: &[Candidate],
        pools: &[PoolView],
        in_progress: InProgress,
        fits_elsewhere: impl FnMut(NodeId, &BTreeSet<NodeId>) -> bool,
    ) -> Scan {
        let Some(rules) = &settings.scale_down else {
            return Scan { remove: Vec::new(), next: Instant::NEVER };
        };
        self.unremovable.retain(|_, until| now < *until);
        // `processors/nodes/pre_filtering_processor.go`: in a pool of the smallest size nothing is unneeded.
        let mut spare: BTreeMap<_, _> =
            pools.iter().map(|view| (view.pool, view.nodes.saturating_sub(view.min))).collect();
        let candidates = candidates.iter().filter(|candidate| spare.get(&candidate.pool).is_some_and(|&n| n > 0));
        let limit = self.limit(rules, settings.scan_interval);
        let (found, rest) = self.unneeded(now, candidates.copied().collect(), limit, fits_elsewhere);
        let mut next = if rest.more { now + settings.scan_interval } else { rest.recheck };
        self.since = found.iter().map(|found| (found.node, self.since(found.node).unwrap_or(now))).collect();
        let cool = self.last_scale_up.map_or(Instant::ZERO, |at| at + rules.delay_after_add);
        let mut budget = Budget::new(in_progress);
        let mut remove = Vec::new();
        let (empty, full): (Vec<_>, Vec<_>) = found.into_iter().partition(|candidate| candidate.empty);
        for candidate in empty.into_iter().chain(full) {
            let due = cool.max(self.since[&candidate.node] + rules.unneeded_time);
            let spare = spare.get_mut(&candidate.pool).expect("pools of candidates were looked at");
            if due > now {
                next = next.min(due);
            } else if *spare > 0 && budget.allows(!candidate.empty) {
                *spare -= 1;
                remove.push(Removal { node: candidate.node, drain: !candidate.empty });
            } else if *spare > 0 {
                next = next.min(now + settings.scan_interval);
            }
        }
        for removal in &remove {
            self.since.remove(&removal.node);
        }
        Scan { remove, next }
    }

    /// Candidates that are unneeded, and what is left to look at.
    fn unneeded(
        &mut self,
        now: Instant,
        mut candidates: Vec<Candidate>,
        limit: usize,
        mut fits_elsewhere: impl FnMut(NodeId, &BTreeSet<NodeId>) -> bool,
    ) -> (Vec<Candidate>, Rest) {
        // `processors/scaledowncandidates`: empty ones first, then those known to be unneeded.
        candidates.sort_by_key(|candidate| (!candidate.empty, self.since(candidate.node).is_none()));
        let mut rest = Rest { recheck: Instant::NEVER, more: false };
        let mut found = Vec::new();
        let mut going = BTreeSet::new();
        for candidate in candidates {
            if found.len() == limit {
                rest.more = true;
                break;
            }
            if let Some(&until) = self.unremovable.get(&candidate.node) {
                rest.recheck = rest.recheck.min(until);
            } else if !candidate.kept && (candidate.empty || fits_elsewhere(candidate.node, &going)) {
                going.insert(candidate.node);
                found.push(candidate);
            } else {
                self.unremovable.insert(candidate.node, now + RECHECK);
                rest.recheck = rest.recheck.min(now + RECHECK);
            }
        }
        (found, rest)
    }

    /// After so many unneeded nodes there is no point in looking for more, since no more can go in
    /// time (`unneededNodesLimit` in `core/scaledown/planner/planner.go`).
    fn limit(&self, rules: &ScaleDown, scan_interval: Span) -> usize {
        let scans = (rules.unneeded_time.0 / scan_interval.0.max(1)).max(1) as usize;
        (self.since.len() + 2 * MOST_AT_ONCE).min(MOST_AT_ONCE.saturating_mul(scans) + MOST_AT_ONCE)
    }
}

/// Candidates that were not looked at.
#[derive(Debug, Clone, Copy)]
struct Rest {
    /// When the first of those whose pods fitted nowhere is tried again.
    recheck: Instant,
    /// Whether there are more than were looked at.
    more: bool,
}

/// How many may go (`core/scaledown/budgets/budgets.go`).
#[derive(Debug)]
struct Budget {
    all: usize,
    drained: usize,
}

impl Budget {
    fn new(in_progress: InProgress) -> Self {
        Self {
            all: MOST_AT_ONCE.saturating_sub(in_progress.empty + in_progress.drained),
            drained: MOST_DRAINED.saturating_sub(in_progress.drained),
        }
    }

    /// Whether another may go, which counts from now on.
    fn allows(&mut self, drain: bool) -> bool {
        if self.all == 0 || drain && self.drained == 0 {
            return false;
        }
        self.all -= 1;
        self.drained -= usize::from(drain);
        true
    }
}

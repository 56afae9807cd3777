//! cluster-autoscaler: which pool grows, and which nodes go.
//!
//! Decisions and the little that has to be remembered between two scans; whoever calls has the
//! clock and the cluster. What is where in kubernetes/autoscaler, below `cluster-autoscaler/`:
//!
//! - [`is_healthy`] is from `clusterstate/clusterstate.go`
//! - [`scale_up()`] is from `core/podlistprocessor/filter_out_schedulable.go`,
//!   `estimator/binpacking_estimator.go`, `core/scaleup/orchestrator/orchestrator.go`,
//!   `expander/waste`, `expander/random`
//! - [`Backoff`] is from `utils/backoff/exponential_backoff.go`
//! - [`Unneeded`] is from `core/scaledown/planner/planner.go`, `core/scaledown/unneeded/nodes.go`,
//!   `core/scaledown/budgets/budgets.go`
//! - [`soft_taints`] is from `core/scaledown/actuation/softtaint.go`
//!
//! Order of a scan, as in `core/static_autoscaler.go`: nothing at all in an unhealthy cluster; then
//! [`scale_up()`]; scale-down ([`Unneeded::scan`]) only if no pool grew.
//!
//! Simplified:
//! - A pool is one node group with one template; upstream's template is a node of the pool, or what
//!   the cloud says of its type. Zones are the scaling group's affair (ACK: one group with several
//!   vSwitches), so that spread over zones does not count when nodes are estimated.
//! - No balance between similar pools (`--balance-similar-node-groups`, off by default), no expander
//!   but two, no limits on the cluster's cores or nodes.
//! - Pods count from the first scan on; upstream waits until the oldest is 2 s old.
//! - Whether a node's pods fit elsewhere is asked for every node alone; upstream lets the pods of
//!   the nodes before it stay where it moved them in thought. Nodes that are to go take none.
//! - An unready node is a candidate like any other if the caller names it; upstream gives it 20 min
//!   (`--scale-down-unready-time`).
//! - Disruption budgets, local storage and system pods keep nobody from going; what else keeps a
//!   node (a pod without a controller) is the caller's to say, by leaving it out.
//! - Which of several nodes goes first is chance upstream (the order of a Go map); here it is the caller's order.

mod scale_down;
mod scale_up;
#[cfg(test)]
mod tests;

pub use scale_down::{Candidate, InProgress, Removal, Scan, Unneeded, soft_taints};
pub use scale_up::{PendingPods, scale_up};

use crate::model::{Devices, Resources};
use crate::time::{Instant, Span};

/// A pool as the autoscaler sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolView {
    /// Its position in the model.
    pub pool: usize,
    /// Nodes, those on their way included, those on their way out left aside.
    pub nodes: u32,
    /// Those of them that are on their way.
    pub upcoming: u32,
    /// Fewest nodes.
    pub min: u32,
    /// Most nodes.
    pub max: u32,
    /// Whether it may grow now: it is not backing off.
    pub open: bool,
    /// What a new node is like.
    pub template: Template,
}

/// What a new node is like: the most weighted type of its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// What pods may request on a node.
    pub allocatable: Resources,
    /// What the node has, what is reserved for the system included.
    pub capacity: Resources,
    /// Most pods with an address of their own.
    pub max_pods: u32,
    /// What it offers.
    pub devices: Devices,
    /// What DaemonSets request on every node of the pool.
    pub daemons: Resources,
    /// Pods of DaemonSets with an address of their own.
    pub daemon_addresses: u32,
    /// What pods of DaemonSets take of what it offers.
    pub daemon_devices: Devices,
}

/// Whether the autoscaler acts at all: not more than three nodes are unready
/// (`--ok-total-unready-count`), or not more than 45 % (`--max-total-unready-percentage`).
#[must_use]
pub fn is_healthy(nodes: u32, unready: u32) -> bool {
    unready <= 3 || u64::from(unready) * 100 <= u64::from(nodes) * 45
}

/// A pool whose nodes did not come is not asked again for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    last: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failure {
    at: Instant,
    pause: Span,
}

impl Backoff {
    /// First pause (`--initial-node-group-backoff-duration`).
    const INITIAL: Span = Span::mins(5);
    /// Longest pause (`--max-node-group-backoff-duration`).
    const LONGEST: Span = Span::mins(30);
    /// A failure is forgotten after this time (`--node-group-backoff-reset-timeout`).
    const RESET: Span = Span::hours(3);

    /// Nodes did not come: pauses double from one failure to the next, but for a failure during the
    /// pause, which begins anew.
    pub fn failed(&mut self, now: Instant) {
        let last = self.last.filter(|last| now <= last.at + Self::RESET);
        let pause = match last {
            Some(last) if last.at + last.pause < now => Span(2 * last.pause.0).min(Self::LONGEST),
            _ => Self::INITIAL,
        };
        self.last = Some(Failure { at: now, pause });
    }

    /// Nodes came.
    pub fn succeeded(&mut self) {
        self.last = None;
    }

    /// When the pool may be asked again; in the past if it may now.
    #[must_use]
    pub fn until(&self) -> Instant {
        self.last.map_or(Instant::ZERO, |last| last.at + last.pause)
    }
}

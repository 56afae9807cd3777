//! What is done to the cluster while it runs: a runbook.

use crate::id::VSwitchId;
use crate::ipam::Config as DaemonConfig;
use crate::model::{Comparison, Level, Portion};
use crate::openapi::Api;
use crate::text::Text;
use crate::time::{Instant, Span};

/// Something that is done once.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its name, such as `add_vswitch-1` unless the scenario gives one; none has that of another.
    pub name: String,
    /// In words: `vsw-BBB is added`.
    pub text: Text,
    /// When it begins.
    pub trigger: Trigger,
    /// What is done.
    pub deed: Deed,
}

/// When an action begins; one that never does is no error.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// At this time.
    At(Instant),
    /// As soon as this holds; looked at whenever everything of an instant has happened.
    When(Condition),
    /// A while after an earlier action is complete.
    After {
        /// Position of that action in [`Model::actions`](crate::model::Model::actions); less than
        /// its own.
        action: usize,
        /// How long after.
        delay: Span,
    },
}

/// A level compared with a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As it was written.
    pub text: String,
    /// The level.
    pub level: Level,
    /// How it is compared.
    pub comparison: Comparison,
    /// With which number.
    pub than: f64,
}

/// What is done. All but [`Deed::RestartTerway`], [`Deed::ReplaceNodes`], [`Deed::Drain`] and
/// [`Deed::LoseZone`] are complete at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// A vSwitch comes to be; it is one of the VPC's whose
    /// [`VSwitch::added_by`](crate::model::VSwitch::added_by) is this action. No daemon knows it.
    AddVSwitch(VSwitchId),
    /// The ConfigMap `eni-config` is changed. Daemons that start or restart from then on run with
    /// these configurations, by group in the order of
    /// [`Model::groups`](crate::model::Model::groups); the others go on as before.
    EditEniConfig(Vec<DaemonConfig>),
    /// Daemons are restarted, which takes up the eni-config as it is then; complete when the last
    /// one is back. Interfaces stay where they are.
    RestartTerway(Restart),
    /// A workload has this many pods from now on, whatever its schedule or autoscaler says.
    ScaleWorkload {
        /// Position in [`Model::workloads`](crate::model::Model::workloads); a Deployment or a
        /// StatefulSet.
        workload: usize,
        /// Pods.
        replicas: u32,
    },
    /// A node pool has this many nodes from now on, whatever its schedule says.
    ScaleNodePool {
        /// Position in [`Model::node_pools`](crate::model::Model::node_pools); not one that is
        /// left to the autoscaler.
        pool: usize,
        /// Nodes.
        nodes: u32,
    },
    /// Every node that a pool has is replaced; complete when the last of them is released.
    ReplaceNodes {
        /// Position in [`Model::node_pools`](crate::model::Model::node_pools).
        pool: usize,
        /// Nodes on top of the wanted number while it lasts.
        max_surge: Portion,
        /// Nodes that may be missing while it lasts.
        max_unavailable: Portion,
    },
    /// Some of a pool's nodes, the first to join first, are drained and released, all at once;
    /// complete when the last of them is released.
    Drain {
        /// Position in [`Model::node_pools`](crate::model::Model::node_pools).
        pool: usize,
        /// How many; a share is rounded up.
        nodes: Portion,
    },
    /// A zone fails with every node in it; complete when it is back.
    LoseZone {
        /// The zone.
        zone: String,
        /// How long it lasts.
        lasts: Span,
    },
    /// The limit of an action of the API is changed: most calls per account and minute, `None` =
    /// off.
    LimitApi {
        /// The action.
        api: Api,
        /// Its limit.
        limit: Option<u32>,
    },
}

/// How daemons are restarted.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    /// Positions in [`Model::node_pools`](crate::model::Model::node_pools): nodes of these pools.
    pub pools: Vec<usize>,
    /// Most daemons that are down at once (`maxUnavailable` of the DaemonSet); a share is rounded
    /// up, and it is at least one.
    pub at_most_at_once: Portion,
    /// How long one is down: pods are neither given addresses nor give them back meanwhile.
    pub takes: Span,
}

//! A look at a node that changes nothing.

use super::{Daemon, Engine, Observer, Power};
use crate::id::{NodeId, PodId};
use crate::ipam::centralized::{PodKey, Status};
use crate::ipam::node_local::NodeLocal;

impl<O: Observer> Engine<O> {
    /// Whether the daemon of a node runs.
    #[must_use]
    pub fn daemon_runs(&self, node: NodeId) -> bool {
        self.nodes[node.index()].power == Power::Up
    }

    /// The daemon of a node, if it allocates itself.
    #[must_use]
    pub fn node_local(&self, node: NodeId) -> Option<&NodeLocal> {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => Some(daemon),
            Daemon::Centralized(_) | Daemon::Prefixes(_) | Daemon::Exclusive(_) => None,
        }
    }

    /// The status of the CR of a node, if the control plane allocates for it.
    #[must_use]
    pub fn node_status(&self, node: NodeId) -> Option<&Status> {
        match &self.nodes[node.index()].daemon {
            Daemon::Centralized(_) | Daemon::Prefixes(_) => self.controller().status(node),
            Daemon::NodeLocal(_) | Daemon::Exclusive(_) => None,
        }
    }

    /// The pod of a name; `None` = it is gone, and another has its place.
    #[must_use]
    pub fn pod_of(&self, key: PodKey) -> Option<PodId> {
        self.pods.iter().position(|pod| pod.key == key).map(PodId::new)
    }
}

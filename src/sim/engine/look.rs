//! A look at a node that changes nothing.

use std::net::Ipv4Addr;

use super::{Daemon, Engine, Observer, Power};
use crate::address::V6Addr;
use crate::id::{EniId, NodeId, PodId, Uid};
use crate::ipam::centralized::{NodeConfig, PodKey, Status};
use crate::ipam::classic::Classic;
use crate::ipam::node_local::NodeLocal;
use crate::ipam::pod_eni;
use crate::time::Instant;

/// What a daemon has written down on its node's disk (R114): a pod has these addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The pod; `None` = its object is gone, and another has its place.
    pub pod: Option<PodId>,
    /// The interface.
    pub eni: EniId,
    /// The address.
    pub address: Ipv4Addr,
    /// The IPv6 address, if it has one.
    pub v6: Option<V6Addr>,
}

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
            Daemon::Classic(_) | Daemon::Centralized(_) | Daemon::Prefixes(_) | Daemon::Exclusive(_) => None,
        }
    }

    /// The daemon of a node, if it is of before v1.7.
    #[must_use]
    pub fn classic_daemon(&self, node: NodeId) -> Option<&Classic> {
        match &self.nodes[node.index()].daemon {
            Daemon::Classic(daemon) => Some(daemon),
            Daemon::NodeLocal(_) | Daemon::Centralized(_) | Daemon::Prefixes(_) | Daemon::Exclusive(_) => None,
        }
    }

    /// The controllers of pods with an interface of their own; `None` = no pod can have one.
    #[must_use]
    pub fn own_control_plane(&self) -> Option<&pod_eni::Controller> {
        self.own.as_ref().map(|own| &own.controller)
    }

    /// The condition SufficientIP of a node; `None` = nobody has written it yet.
    #[must_use]
    pub fn has_sufficient_ip(&self, node: NodeId) -> Option<bool> {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => Some(daemon.has_sufficient_ip(self.now)),
            Daemon::Centralized(_) | Daemon::Prefixes(_) => {
                self.controller().condition(node).map(|condition| condition.sufficient)
            }
            Daemon::Classic(_) | Daemon::Exclusive(_) => None,
        }
    }

    /// The pods in the CR NodeRuntime of a node, each with when it was copied there; `None` = that says
    /// that it is gone.
    #[must_use]
    pub fn node_runtime(&self, node: NodeId) -> Vec<(Uid, Option<PodId>, Option<Instant>)> {
        let Daemon::Centralized(daemon) = &self.nodes[node.index()].daemon else { return Vec::new() };
        let pods = daemon.runtime(self.now);
        pods.map(|(uid, pod, initial)| (uid, self.is_still(pod, uid), initial)).collect()
    }

    /// What the daemon of a node has in its eni-config, if the control plane allocates for it.
    #[must_use]
    pub fn node_config(&self, node: NodeId) -> Option<&NodeConfig> {
        self.node_status(node).map(|_| self.controller().config(node))
    }

    /// The status of the CR of a node, if the control plane allocates for it.
    #[must_use]
    pub fn node_status(&self, node: NodeId) -> Option<&Status> {
        match &self.nodes[node.index()].daemon {
            Daemon::Centralized(_) | Daemon::Prefixes(_) => self.controller().status(node),
            Daemon::NodeLocal(_) | Daemon::Classic(_) | Daemon::Exclusive(_) => None,
        }
    }

    /// What the daemon of a node has written down; nothing is where pods have interfaces of their own.
    #[must_use]
    pub fn records(&self, node: NodeId) -> Vec<Record> {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => {
                let v6: Vec<_> = daemon.bound_v6().collect();
                let v6_of = |pod| v6.iter().find(|&&(other, ..)| other == pod).map(|&(.., address)| address);
                let bound = daemon.bound();
                bound.map(|(pod, eni, address)| Record { pod: Some(pod), eni, address, v6: v6_of(pod) }).collect()
            }
            Daemon::Classic(daemon) => {
                let bound = daemon.bound().into_iter();
                bound.map(|(pod, eni, address)| Record { pod: Some(pod), eni, address, v6: None }).collect()
            }
            Daemon::Centralized(daemon) => daemon.records().map(|record| self.record(node, record)).collect(),
            Daemon::Prefixes(daemon) => daemon.records().map(|record| self.record(node, record)).collect(),
            Daemon::Exclusive(_) => Vec::new(),
        }
    }

    fn record(&self, node: NodeId, (uid, pod, eni, address): (Uid, PodId, EniId, Ipv4Addr)) -> Record {
        let nic = self.node_status(node).and_then(|status| status.nics.get(&eni));
        let v6 = nic.and_then(|nic| nic.ipv6.iter().find(|(_, ip)| ip.pod.is_some_and(|pod| pod.uid == uid)));
        Record { pod: self.is_still(pod, uid), eni, address, v6: v6.map(|(&address, _)| address) }
    }

    /// A pod, if its place is still that of this object.
    fn is_still(&self, pod: PodId, uid: Uid) -> Option<PodId> {
        Some(pod).filter(|pod| self.pods[pod.index()].uid == uid)
    }

    /// The pod of a name; `None` = it is gone, and another has its place.
    #[must_use]
    pub fn pod_of(&self, key: PodKey) -> Option<PodId> {
        self.pods.iter().position(|pod| pod.key == key).map(PodId::new)
    }
}

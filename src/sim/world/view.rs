//! The world at a moment, for somebody who only looks.

use std::net::Ipv4Addr;

use super::World;
use crate::id::{EniId, NodeId, PodId, Uid, VSwitchId};
use crate::ipam::centralized::{NodeConfig, PodKey, Status};
use crate::ipam::classic::Classic;
use crate::ipam::node_local::NodeLocal;
use crate::ipam::pod_eni::{self, NetworkInterface, PodEni};
use crate::ipam::{Attached, Holdings};
use crate::record::{PodName, Recorder};
use crate::sim::engine::Record;
use crate::time::Instant;

/// The world of a replication at a moment, everything up to which has happened.
#[derive(Clone, Copy)]
pub struct View<'w> {
    world: &'w World<'w>,
}

impl<'w> View<'w> {
    pub(super) fn new(world: &'w World<'w>) -> Self {
        Self { world }
    }

    /// The moment.
    #[must_use]
    pub fn now(self) -> Instant {
        self.world.engine.now()
    }

    /// Levels and tallies so far.
    #[must_use]
    pub fn recorder(self) -> &'w Recorder {
        &self.world.engine.observer
    }

    /// Every node that has joined so far, those that are gone included, with the position of its group
    /// among [`Model::groups`](crate::model::Model::groups).
    pub fn nodes(self) -> impl Iterator<Item = (NodeId, usize)> {
        self.world.nodes.iter().enumerate().map(|(i, node)| (NodeId::new(i), node.group))
    }

    /// Whether a node's instance exists: it has joined and is not released.
    #[must_use]
    pub fn exists(self, node: NodeId) -> bool {
        self.world.nodes.get(node.index()).is_some_and(super::NodeNote::exists)
    }

    /// Whether the daemon of a node runs.
    #[must_use]
    pub fn daemon_runs(self, node: NodeId) -> bool {
        self.world.engine.daemon_runs(node)
    }

    /// What a node has, and what holds it back.
    #[must_use]
    pub fn holdings(self, node: NodeId) -> Holdings {
        self.world.engine.holdings(node)
    }

    /// The daemon of a node, if it allocates itself.
    #[must_use]
    pub fn node_local(self, node: NodeId) -> Option<&'w NodeLocal> {
        self.world.engine.node_local(node)
    }

    /// The daemon of a node, if it is of before v1.7.
    #[must_use]
    pub fn classic(self, node: NodeId) -> Option<&'w Classic> {
        self.world.engine.classic_daemon(node)
    }

    /// The PodENIs whose pods are on a node, or were last.
    pub fn pod_enis(self, node: NodeId) -> impl Iterator<Item = (PodKey, &'w PodEni)> {
        let all = self.world.engine.own_control_plane().into_iter().flat_map(pod_eni::Controller::pod_enis);
        all.map(|(&key, of)| (key, of)).filter(move |(_, of)| of.node == node)
    }

    /// The NetworkInterface of an interface of a pod's own.
    #[must_use]
    pub fn network_interface(self, eni: EniId) -> Option<&'w NetworkInterface> {
        self.world.engine.own_control_plane()?.interfaces().get(&eni)
    }

    /// The condition SufficientIP of a node; `None` = nobody has written it yet.
    #[must_use]
    pub fn has_sufficient_ip(self, node: NodeId) -> Option<bool> {
        self.world.engine.has_sufficient_ip(node)
    }

    /// What a node's CR is filled in with, if the control plane allocates for it.
    #[must_use]
    pub fn node_config(self, node: NodeId) -> Option<&'w NodeConfig> {
        self.world.engine.node_config(node)
    }

    /// The pods in the CR NodeRuntime of a node, each with when it was copied there; `None` = that says
    /// that it is gone.
    #[must_use]
    pub fn node_runtime(self, node: NodeId) -> Vec<(Uid, Option<PodId>, Option<Instant>)> {
        self.world.engine.node_runtime(node)
    }

    /// The status of the CR of a node, if the control plane allocates for it.
    #[must_use]
    pub fn node_status(self, node: NodeId) -> Option<&'w Status> {
        self.world.engine.node_status(node)
    }

    /// What the daemon of a node has written down on its disk.
    #[must_use]
    pub fn records(self, node: NodeId) -> Vec<Record> {
        self.world.engine.records(node)
    }

    /// What a pod is called; `None` = pods are not followed.
    #[must_use]
    pub fn pod_name(self, pod: PodId) -> Option<PodName> {
        self.recorder().pod_name(pod.index())
    }

    /// What the pod of a CR is called; `None` = it is gone, or pods are not followed.
    #[must_use]
    pub fn pod_name_of(self, key: PodKey) -> Option<PodName> {
        self.pod_name(self.world.engine.pod_of(key)?)
    }

    /// The vSwitch of a node's own interface, and the primary address of that.
    #[must_use]
    pub fn primary(self, node: NodeId) -> Option<(VSwitchId, Ipv4Addr)> {
        self.world.engine.cloud.primary_of_instance(node)
    }

    /// The secondary interfaces that the cloud has attached to a node.
    #[must_use]
    pub fn attached(self, node: NodeId) -> Vec<Attached> {
        self.world.engine.cloud.attached(node)
    }

    /// The vSwitch of an interface.
    #[must_use]
    pub fn vswitch_of(self, eni: EniId) -> Option<VSwitchId> {
        self.world.engine.cloud.vswitch_of(eni)
    }

    /// Pods that find no node.
    #[must_use]
    pub fn unschedulable(self) -> u32 {
        self.world.pending
    }
}

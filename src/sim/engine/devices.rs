//! What nodes offer to pods that ask for it: members of their trunk, addresses for RDMA. Device plugins say so, which are
//! their daemons' and gone with them; members of a trunk that the control plane manages are offered by it, for good.

use super::{Daemon, Engine, Happening, Observer};
use crate::id::NodeId;
use crate::ipam::Devices;
use crate::ipam::centralized::NodeConfig;

impl<O: Observer> Engine<O> {
    /// What a node offers.
    #[must_use]
    pub fn devices(&self, node: NodeId) -> Devices {
        self.nodes[node.index()].devices
    }

    pub(super) fn offer(&mut self, node: NodeId, devices: Devices) {
        if std::mem::replace(&mut self.nodes[node.index()].devices, devices) != devices {
            self.happened.push_back(Happening::Offers(node));
        }
    }

    /// The daemon of a node is down (rule R41).
    pub(super) fn plugins_stop(&mut self, node: NodeId) {
        let devices = match self.nodes[node.index()].daemon {
            Daemon::Centralized(_) | Daemon::Prefixes(_) => Devices { rdma: 0, ..self.devices(node) },
            Daemon::NodeLocal(_) | Daemon::Classic(_) | Daemon::Exclusive(_) => Devices::default(),
        };
        self.offer(node, devices);
    }

    /// The daemon of a node that the control plane allocates for has filled in its CR: if that has interfaces for RDMA,
    /// its device plugin runs from now on with this number, until the daemon goes (rule C163,
    /// `pkg/eni/node_reconcile.go:200-208, 416-422`).
    pub(super) fn plugin_starts(&mut self, node: NodeId, config: &NodeConfig) {
        let devices = self.devices(node);
        if devices.rdma == 0 {
            self.offer(node, Devices { rdma: config.devices.rdma, ..devices });
        }
    }
}

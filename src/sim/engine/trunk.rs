//! The trunk of a node that the control plane allocates for: the node says when it is in use, and in prefix mode its daemon
//! does not start before (`RemoteV2.Run`, `pkg/eni/remote_v2.go:68-71, 103-150`).

use super::plane::Pending;
use super::{Daemon, Engine, Observer, Power};
use crate::id::{EniId, NodeId};
use crate::ipam::Devices;
use crate::ipam::centralized::{DaemonInput, Kind, Nic, NicState, NodeConfig};
use crate::ipam::pod_eni::Input;
use crate::time::{Instant, Span};

/// A starting daemon looks a hundred times, 1 to 1.3 s apart (`pkg/backoff/backoff.go:167-175`; here as long as in the mean);
/// then its process ends.
const PAUSE: Span = Span::millis(1150);
const LOOKS: u64 = 100;

impl<O: Observer> Engine<O> {
    /// Whether the daemon of a node that starts with this config has to wait for its trunk.
    pub(super) fn has_to_wait_for_trunk(&self, node: NodeId, config: &NodeConfig) -> bool {
        let is_prefix_daemon = matches!(self.nodes[node.index()].daemon, Daemon::Prefixes(_));
        is_prefix_daemon && config.flavor.trunk > 0 && self.trunk_in_use(node).is_none()
    }

    /// A daemon in prefix mode that starts looks for its trunk before it hears anybody.
    pub(super) fn wait_for_trunk(&mut self, node: NodeId) {
        let now = self.now;
        self.nodes[node.index()].power = Power::Starting;
        self.plane_mut().starting.insert(node, now);
        self.later(now + Span(PAUSE.0 * (LOOKS - 1)), Pending::LooksForTrunk(node, now));
    }

    /// A daemon that has been starting `since` then looks once more, for the last time or since it need not wait any longer.
    pub(super) fn looks_again(&mut self, node: NodeId, since: Instant) {
        if self.starting_since(node) != Some(since) {
            return;
        }
        self.plane_mut().starting.remove(&node);
        match self.need_not_wait(node) {
            true => {
                self.tell(node, DaemonInput::Restart);
                self.daemon_started(node);
            }
            false => self.daemon_not_started(node),
        }
    }

    /// The CR of a node has changed.
    pub(super) fn cr_changed(&mut self, node: NodeId) {
        if let Some(since) = self.starting_since(node)
            && self.need_not_wait(node)
        {
            let looks = self.now.since(since).0.div_ceil(PAUSE.0);
            self.later(since + Span(PAUSE.0 * looks), Pending::LooksForTrunk(node, since));
        }
        if self.own.is_some()
            && self.nodes[node.index()].trunk.is_none()
            && let Some(trunk) = self.trunk_in_use(node)
        {
            self.says_its_trunk(node, trunk);
        }
    }

    fn starting_since(&self, node: NodeId) -> Option<Instant> {
        self.plane.as_ref()?.starting.get(&node).copied()
    }

    /// Its trunk is in use, or the CR wants none any more.
    fn need_not_wait(&self, node: NodeId) -> bool {
        self.controller().config(node).flavor.trunk == 0 || self.trunk_in_use(node).is_some()
    }

    /// Once its trunk is in use, a node says so and offers member interfaces, for good (rule C145,
    /// `pkg/controller/node/node.go:289-309, 353-369`).
    fn says_its_trunk(&mut self, node: NodeId, trunk: EniId) {
        self.nodes[node.index()].trunk = Some(trunk);
        self.own_control(Input::Trunk(node, Some(trunk)));
        let Devices { members, .. } = self.controller().config(node).devices;
        self.offer(node, Devices { members, ..self.devices(node) });
    }

    fn trunk_in_use(&self, node: NodeId) -> Option<EniId> {
        let is_ready = |nic: &Nic| nic.kind == Kind::Trunk && nic.state == NicState::InUse;
        let status = self.controller().status(node)?;
        status.nics.iter().find(|(_, nic)| is_ready(nic)).map(|(&eni, _)| eni)
    }

    /// Whether somebody wants to know when the CR of a node changes.
    pub(super) fn follows_cr(&self, node: NodeId) -> bool {
        self.own.is_some() || self.starting_since(node).is_some()
    }
}

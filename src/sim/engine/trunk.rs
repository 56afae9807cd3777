//! The trunk of a node that the control plane allocates for: the node says when it is in use, and in prefix mode its daemon
//! does not start before (`RemoteV2.Run`, `pkg/eni/remote_v2.go:68-71, 103-150`).

use super::plane::Pending;
use super::{Engine, Observer, Power};
use crate::id::{EniId, NodeId};
use crate::ipam::Devices;
use crate::ipam::centralized::{Kind, Nic, NicState};
use crate::ipam::pod_eni::Input;
use crate::time::{Instant, Span};

/// A starting daemon looks a hundred times, 1 to 1.3 s apart (`pkg/backoff/backoff.go:167-175`; here as long as in the mean);
/// then its process ends.
const PAUSE: Span = Span::millis(1150);
const LOOKS: u64 = 100;

impl<O: Observer> Engine<O> {
    /// The daemon of a node in prefix mode starts: where eni-config asks for a trunk that is not in use yet, it waits for it.
    pub(super) fn looks_for_trunk(&mut self, node: NodeId) {
        let wants_trunk = self.controller().known_config(node).is_some_and(|config| config.flavor.trunk > 0);
        if wants_trunk && self.trunk_in_use(node).is_none() {
            let now = self.now;
            self.nodes[node.index()].power = Power::Starting;
            self.plane_mut().starting.insert(node, now);
            self.later(now + Span(PAUSE.0 * (LOOKS - 1)), Pending::LooksForTrunk(node, now));
        }
    }

    /// A daemon that has been starting `since` then looks once more, for the last time or since there is a trunk now.
    pub(super) fn looks_again(&mut self, node: NodeId, since: Instant) {
        let is_starting = self.nodes[node.index()].power == Power::Starting;
        if !is_starting || self.plane_mut().starting.get(&node) != Some(&since) {
            return;
        }
        self.plane_mut().starting.remove(&node);
        match self.trunk_in_use(node) {
            Some(_) => self.daemon_started(node),
            None => self.daemon_not_started(node),
        }
    }

    /// The CR of a node has changed.
    pub(super) fn cr_changed(&mut self, node: NodeId) {
        let waits_since = self.plane_mut().starting.get(&node).copied();
        let has_not_said = self.own.is_some() && self.nodes[node.index()].trunk.is_none();
        if waits_since.is_none() && !has_not_said {
            return;
        }
        let Some(trunk) = self.trunk_in_use(node) else { return };
        if let Some(since) = waits_since {
            let looks = self.now.since(since).0.div_ceil(PAUSE.0);
            self.later(since + Span(PAUSE.0 * looks), Pending::LooksForTrunk(node, since));
        }
        if has_not_said {
            self.says_its_trunk(node, trunk);
        }
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
        self.own.is_some() || self.plane.as_ref().is_some_and(|plane| plane.starting.contains_key(&node))
    }
}

//! What the control plane has for a node: questions about its state that change nothing.

use std::net::Ipv4Addr;

use super::node::Node;
use super::{CallId, Controller, IpStatus, Nic, NicState, NodeConfig, Status, prefix};
use crate::id::{EniId, NodeId, Uid, VSwitchId};
use crate::ipam::{Holdings, Whereabouts};
use crate::time::Instant;

impl Controller {
    /// What a node runs with.
    ///
    /// # Panics
    /// If it never joined, or has left.
    #[must_use]
    pub fn config(&self, node: NodeId) -> &NodeConfig {
        self.nodes[node.index()].config.as_ref().expect("the node is there")
    }

    /// The spec of a node's CR; `None` = it has none.
    #[must_use]
    pub fn known_config(&self, node: NodeId) -> Option<&NodeConfig> {
        self.nodes.get(node.index())?.config.as_deref()
    }

    /// Whether a call's answer will be heard; otherwise the process that made it is gone, or the
    /// node that it was for.
    #[must_use]
    pub fn awaits(&self, call: CallId) -> bool {
        self.client.awaits(call)
    }

    /// Whether a vSwitch is taken for empty by all nodes (C80, C81).
    #[must_use]
    pub fn is_blocked(&self, now: Instant, vswitch: VSwitchId) -> bool {
        self.vswitches.cached(now, vswitch) == Some(0)
    }

    /// The last count of a vSwitch that was cached, and through when it holds (C74).
    #[must_use]
    pub fn count_of(&self, vswitch: VSwitchId) -> Option<(u32, Instant)> {
        self.vswitches.entry(vswitch)
    }

    /// Whether a node can have addresses of a vSwitch without giving an interface up: one is on it,
    /// or there is a free slot (C58, C77).
    #[must_use]
    pub fn has_way_to(&self, node: NodeId, vswitch: VSwitchId) -> bool {
        self.empty_slots(node) > 0 || self.stored(node).nics.values().any(|nic| nic.vswitch == vswitch)
    }

    /// Slots of a node without an interface (C58).
    #[must_use]
    pub fn empty_slots(&self, node: NodeId) -> u32 {
        self.config(node).flavor.total().saturating_sub(self.stored(node).nics.len() as u32)
    }

    /// Those for RDMA, or those for the rest; a node without any for RDMA serves every pod from the rest (C163).
    #[must_use]
    pub fn empty_slots_for(&self, node: NodeId, rdma: bool) -> u32 {
        let flavor = self.config(node).flavor;
        let rdma = rdma && flavor.has_erdma();
        let slots = if rdma { flavor.high_performance } else { flavor.trunk + flavor.secondary };
        let taken = self.stored(node).nics.values().filter(|nic| nic.is_high_performance() == rdma).count();
        slots.saturating_sub(taken as u32)
    }

    /// The vSwitches of interfaces, for RDMA or for the rest, that could take another address, as far as the node goes.
    pub fn extendable(&self, node: NodeId, rdma: bool) -> impl Iterator<Item = VSwitchId> + '_ {
        let most = self.config(node).ips_per_eni;
        let rdma = rdma && self.config(node).flavor.has_erdma();
        let of_kind = self.stored(node).nics.values().filter(move |nic| nic.is_high_performance() == rdma);
        let open = of_kind.filter(move |nic| nic.has_room(most));
        open.map(|nic| nic.vswitch)
    }

    /// The fewest prefixes that a call for a node in prefix mode asks for: all that the node lacks, as far as an interface has
    /// room, and no fewer if fewer are free (C127, C131).
    #[must_use]
    pub fn fewest_prefixes(&self, node: NodeId) -> u32 {
        let (config, status) = (self.config(node), self.stored(node));
        let lacking = prefix::lacking(status, config.prefixes().unwrap_or(0));
        let there =
            status.nics.values().filter(|nic| nic.state == NicState::InUse).map(|nic| prefix::free(config, nic));
        let rooms =
            there.chain((self.empty_slots(node) > 0).then_some(prefix::most_of_new(config))).filter(|&room| room > 0);
        rooms.min().map_or(0, |room| room.min(lacking))
    }

    /// Whether a node has all the prefixes that it will ever get, on interfaces in use (C123).
    #[must_use]
    pub fn has_all_prefixes(&self, node: NodeId) -> bool {
        let (config, status) = (self.config(node), self.stored(node));
        let is_attaching = status.nics.values().any(|nic| nic.state == NicState::Attaching);
        !is_attaching && prefix::lacking(status, config.prefixes().unwrap_or(0)) == 0
    }

    /// Addresses of a vSwitch that calls under way for a node ask for.
    #[must_use]
    pub fn asked(&self, node: NodeId, vswitch: VSwitchId) -> u32 {
        let Node { run, stored, .. } = &self.nodes[node.index()];
        run.as_ref().map_or(0, |run| run.asked(vswitch, stored))
    }

    /// What an address is that the cloud has on interface `eni` of a node; `has_taken` says whether a
    /// pod took its address.
    #[must_use]
    pub fn whereabouts(
        &self,
        node: NodeId,
        eni: EniId,
        address: Ipv4Addr,
        has_taken: impl Fn(Uid) -> bool,
    ) -> Whereabouts {
        let Some(nic) = self.stored(node).nics.get(&eni) else { return Whereabouts::Coming };
        // An address that the CR does not have yet will be there when the run is written.
        let Some(ip) = nic.addresses.get(&address) else { return Whereabouts::Coming };
        match (nic.state, ip.status, ip.pod) {
            (_, _, Some(binding)) if has_taken(binding.uid) => Whereabouts::Serving,
            (NicState::Deleting | NicState::Detaching, ..) | (_, IpStatus::Deleting, _) => Whereabouts::Leaving,
            (_, IpStatus::Invalid, _) => Whereabouts::Unknown,
            (NicState::Attaching, ..) | (_, _, Some(_)) => Whereabouts::Coming,
            _ if ip.primary => Whereabouts::EniPrimary,
            _ => Whereabouts::Pooled,
        }
    }

    /// What a node has at `now`.
    #[must_use]
    pub fn holdings(&self, now: Instant, node: NodeId) -> Holdings {
        let (config, status) = (self.config(node), self.stored(node));
        let most = config.ips_per_eni;
        let serving = || status.nics.values().filter(|nic| nic.state == NicState::InUse);
        let open = || serving().filter(|nic| nic.has_room(most));
        let candidates = &config.vswitches;
        Holdings {
            slots: config.flavor.total(),
            empty_slots: self.empty_slots(node),
            enis: serving().count() as u32,
            in_use: serving().map(Nic::bound).sum(),
            idle: status.idle(),
            room: open().map(|nic| most - nic.used()).sum(),
            inhibited: open().filter(|nic| self.is_blocked(now, nic.vswitch)).count() as u32,
            candidates: candidates.clone(),
            blocked: candidates.iter().copied().filter(|&id| self.is_blocked(now, id)).collect(),
            by_control_plane: true,
        }
    }

    fn stored(&self, node: NodeId) -> &Status {
        &self.nodes[node.index()].stored
    }
}

impl Nic {
    /// Addresses that pods have.
    fn bound(&self) -> u32 {
        self.addresses.values().filter(|ip| ip.pod.is_some()).count() as u32
    }

    /// Whether it serves and could take another address, if it may have `most`.
    fn has_room(&self, most: u32) -> bool {
        self.state == NicState::InUse && self.used() < most
    }
}

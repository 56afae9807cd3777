//! The daemon of a node, whichever allocator it belongs to, and what is known of the node.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::classic;
use super::own_eni::OwnEnis;
use super::plane::Plane;
use super::{Engine, Node, Observer, Pod};
use crate::address::PREFIX;
use crate::id::{EniId, NodeId, PodId, VSwitchId};
use crate::ipam::centralized::{self, DaemonInput};
use crate::ipam::classic::Classic;
use crate::ipam::node_local::NodeLocal;
use crate::ipam::pod_eni;
use crate::ipam::{Holdings, Input, Whereabouts};
use crate::time::Instant;

/// The daemon of a node.
#[derive(Debug)]
pub(super) enum Daemon {
    /// It allocates itself.
    NodeLocal(Box<NodeLocal>),
    /// It allocates itself, as it did before v1.7.
    Classic(Box<Classic>),
    /// It waits for the control plane.
    Centralized(Box<centralized::Daemon>),
    /// The control plane gives every pod an interface of its own.
    Exclusive(Box<Exclusive>),
    /// It hands out the addresses of prefixes that the control plane gets for it.
    Prefixes(Box<centralized::PrefixDaemon>),
}

/// The daemon of a node with exclusive interfaces.
#[derive(Debug)]
pub(super) struct Exclusive {
    pub config: Arc<pod_eni::NodeConfig>,
    /// What it does itself: it hears calls, and collects (rule R125, `daemon/builder.go:421, 514`). None of its pods shares an
    /// interface.
    pub service: centralized::Daemon,
}

impl Daemon {
    /// CNI ADD.
    pub fn ask(&mut self, at: Instant, id: PodId, pod: &Pod) {
        match self {
            Self::NodeLocal(daemon) if pod.erdma => daemon.handle(at, Input::AllocateRdma(id)),
            Self::NodeLocal(daemon) => daemon.handle(at, Input::Allocate(id)),
            Self::Classic(daemon) => daemon.handle(at, classic::input(Input::Allocate(id))),
            Self::Centralized(daemon) => daemon.handle(at, DaemonInput::Allocate(pod.uid)),
            Self::Prefixes(daemon) => daemon.handle(at, DaemonInput::Allocate(pod.uid)),
            Self::Exclusive(_) => unreachable!("the control plane answers for it"),
        }
    }

    /// Nothing but time passes.
    pub fn tick(&mut self, at: Instant) {
        match self {
            Self::NodeLocal(daemon) => daemon.handle(at, Input::Tick),
            Self::Classic(daemon) => daemon.handle(at, classic::input(Input::Tick)),
            Self::Centralized(daemon) => daemon.handle(at, DaemonInput::Tick),
            Self::Prefixes(daemon) => daemon.handle(at, DaemonInput::Tick),
            Self::Exclusive(daemon) => daemon.service.handle(at, DaemonInput::Tick),
        }
    }

    /// When it wants to be told of the time.
    #[inline]
    pub fn poll_timeout(&self) -> Instant {
        match self {
            Self::NodeLocal(daemon) => daemon.poll_timeout(),
            Self::Classic(daemon) => daemon.poll_timeout(),
            Self::Centralized(daemon) => daemon.poll_timeout(),
            Self::Prefixes(daemon) => daemon.poll_timeout(),
            Self::Exclusive(daemon) => daemon.service.poll_timeout(),
        }
    }

    /// Until when nothing comes of asking it; `None` = something may.
    pub fn barren_through(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::NodeLocal(daemon) => daemon.barren_through(now),
            Self::Classic(daemon) => daemon.barren_through(now),
            Self::Centralized(_) | Self::Prefixes(_) | Self::Exclusive(_) => None,
        }
    }

    /// Addresses of shared interfaces that are in use, each with its interface.
    pub fn in_use(&self) -> Vec<(EniId, Ipv4Addr)> {
        match self {
            Self::NodeLocal(daemon) => daemon.bound().map(|(_, eni, address)| (eni, address)).collect(),
            Self::Classic(daemon) => daemon.bound().into_iter().map(|(_, eni, address)| (eni, address)).collect(),
            Self::Centralized(daemon) => daemon.in_use().collect(),
            Self::Prefixes(daemon) => daemon.in_use().collect(),
            Self::Exclusive(_) => Vec::new(),
        }
    }
}

/// What a node has at `at` for a pod that shares an interface, and what holds it back.
fn holdings(state: &Node, plane: Option<&Plane>, own: Option<&OwnEnis>, at: Instant, node: NodeId) -> Holdings {
    let controller = || &plane.expect("somebody allocates for it").controller;
    match &state.daemon {
        Daemon::NodeLocal(daemon) => daemon.holdings(at),
        Daemon::Classic(daemon) => daemon.holdings(at),
        Daemon::Centralized(_) => controller().holdings(at, node),
        Daemon::Prefixes(daemon) => {
            let (in_use, idle) = daemon.usage();
            Holdings { in_use, idle, ..controller().holdings(at, node) }
        }
        Daemon::Exclusive(daemon) => {
            let (own, config) = (own.expect("somebody makes its interfaces"), &daemon.config);
            own.holdings(at, node, config.slots, state.own_enis.len() as u32, &config.vswitches)
        }
    }
}

/// What the node of a pod has at `at` for it, and what holds that back.
pub(super) fn holdings_for(
    pod: &Pod,
    state: &Node,
    plane: Option<&Plane>,
    own: Option<&OwnEnis>,
    at: Instant,
) -> Holdings {
    match (&state.daemon, plane, own) {
        (Daemon::Centralized(_) | Daemon::Prefixes(_), Some(plane), Some(own)) if pod.has_own_eni => {
            let members = plane.controller.config(pod.node).devices.members;
            own.holdings(at, pod.node, members, state.own_enis.len() as u32, own.candidates(at, pod))
        }
        (Daemon::NodeLocal(daemon), _, Some(own)) if pod.has_own_eni => {
            let members = daemon.config().trunk.map_or(0, |trunk| trunk.members);
            own.holdings(at, pod.node, members, state.own_enis.len() as u32, own.candidates(at, pod))
        }
        (Daemon::Exclusive(daemon), _, Some(own)) => {
            let slots = daemon.config.slots;
            own.holdings(at, pod.node, slots, state.own_enis.len() as u32, own.candidates(at, pod))
        }
        _ => holdings(state, plane, own, at, pod.node),
    }
}

impl<O: Observer> Engine<O> {
    /// What a node has, and what holds it back.
    #[must_use]
    pub fn holdings(&self, node: NodeId) -> Holdings {
        holdings(&self.nodes[node.index()], self.plane.as_deref(), self.own.as_deref(), self.now, node)
    }

    /// What the node of a pod has for it, and what holds that back.
    #[must_use]
    pub fn holdings_for(&self, pod: PodId) -> Holdings {
        let pod = &self.pods[pod.index()];
        let state = &self.nodes[pod.node.index()];
        holdings_for(pod, state, self.plane.as_deref(), self.own.as_deref(), self.now)
    }

    /// Candidate vSwitches of a node.
    #[must_use]
    pub fn candidates(&self, node: NodeId) -> &[VSwitchId] {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => &daemon.config().vswitches,
            Daemon::Classic(daemon) => &daemon.config().vswitches,
            Daemon::Centralized(_) | Daemon::Prefixes(_) => &self.controller().config(node).vswitches,
            Daemon::Exclusive(daemon) => &daemon.config.vswitches,
        }
    }

    /// The same once an eni-config that was edited is taken up without a restart, as under centralized IPAM.
    #[must_use]
    pub fn candidates_to_come(&self, node: NodeId) -> &[VSwitchId] {
        let edited = self.nodes[node.index()].edited.as_ref();
        edited.map_or_else(|| self.candidates(node), |config| &config.vswitches)
    }

    /// Whether a node can have addresses of a vSwitch without giving an interface up.
    #[must_use]
    pub fn has_way_to(&self, node: NodeId, vswitch: VSwitchId) -> bool {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => daemon.has_way_to(vswitch),
            Daemon::Classic(daemon) => daemon.has_way_to(vswitch),
            Daemon::Centralized(_) | Daemon::Prefixes(_) => self.controller().has_way_to(node, vswitch),
            Daemon::Exclusive(daemon) => daemon.config.vswitches.contains(&vswitch),
        }
    }

    /// The fewest /28 blocks that a call for a node asks for; 0 = it is not in prefix mode, or asks for none.
    #[must_use]
    pub fn fewest_prefixes(&self, node: NodeId) -> u32 {
        match self.nodes[node.index()].daemon {
            Daemon::Prefixes(_) => self.controller().fewest_prefixes(node),
            _ => 0,
        }
    }

    /// Whether a node could ask for another address of a vSwitch, for `rdma` or not: in a free slot, or on an interface
    /// with room.
    #[must_use]
    pub fn can_extend(&self, node: NodeId, vswitch: VSwitchId, rdma: bool) -> bool {
        let (has_slot, extends) = match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => {
                (daemon.empty_slots_for(rdma) > 0, daemon.extendable(rdma).any(|id| id == vswitch))
            }
            Daemon::Classic(daemon) => (daemon.empty_slots() > 0, daemon.extendable().contains(&vswitch)),
            Daemon::Centralized(_) | Daemon::Prefixes(_) => {
                let controller = self.controller();
                let extends = controller.extendable(node, rdma).any(|id| id == vswitch);
                (controller.empty_slots_for(node, rdma) > 0, extends)
            }
            Daemon::Exclusive(_) => (self.holdings(node).empty_slots > 0, false),
        };
        has_slot && self.candidates(node).contains(&vswitch) || extends
    }

    /// Whether something keeps a node from asking for addresses for a while.
    #[must_use]
    pub fn is_held_back(&self, node: NodeId) -> bool {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => daemon.is_held_back(self.now),
            Daemon::Classic(daemon) => daemon.is_held_back(self.now),
            Daemon::Centralized(_) | Daemon::Prefixes(_) => {
                let holdings = self.holdings(node);
                holdings.inhibited > 0 || !holdings.blocked.is_empty()
            }
            Daemon::Exclusive(_) => !self.holdings(node).blocked.is_empty(),
        }
    }

    /// Addresses of a vSwitch that calls under way for a node ask for.
    pub(super) fn asked(&self, node: NodeId, vswitch: VSwitchId) -> u32 {
        let shared = match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => daemon.asked(vswitch),
            Daemon::Classic(daemon) => daemon.asked(vswitch),
            Daemon::Centralized(_) | Daemon::Prefixes(_) => self.controller().asked(node, vswitch),
            Daemon::Exclusive(_) => 0,
        };
        shared + self.own_asked(node, vswitch)
    }

    /// Addresses of a prefix on an interface of a node that no pod has.
    pub(super) fn idle_in_prefix(&self, node: NodeId, eni: EniId, first: Ipv4Addr) -> u32 {
        let Daemon::Prefixes(daemon) = &self.nodes[node.index()].daemon else { return PREFIX };
        let is_given = |offset| daemon.has_given(eni, Ipv4Addr::from(u32::from(first) + offset));
        (0..PREFIX).filter(|&offset| !is_given(offset)).count() as u32
    }

    /// What an address on an interface of a node is to Terway; `None` = it does not know the
    /// interface.
    pub(super) fn whereabouts(&self, node: NodeId, eni: EniId, address: Ipv4Addr) -> Option<Whereabouts> {
        let own = self.own_whereabouts(node, eni);
        if own.is_some() {
            return own;
        }
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => daemon.whereabouts(eni, address),
            Daemon::Classic(daemon) => Some(daemon.whereabouts(eni, address)),
            Daemon::Centralized(daemon) => {
                Some(self.controller().whereabouts(node, eni, address, |uid| daemon.has_taken(uid)))
            }
            Daemon::Prefixes(daemon) if daemon.has_given(eni, address) => Some(Whereabouts::Serving),
            Daemon::Prefixes(_) => Some(self.controller().whereabouts(node, eni, address, |_| false)),
            Daemon::Exclusive(_) => None,
        }
    }
}

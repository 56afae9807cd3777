//! What the API server knows: pods, and the objects PodENI and NetworkInterface.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::config::{PodSpec, Retention};
use crate::address::V6Addr;
use crate::id::{EniId, NodeId, Uid, VSwitchId};
use crate::ipam::centralized::PodKey;
use crate::time::Instant;

/// A pod object.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub uid: Uid,
    pub node: NodeId,
    pub spec: Arc<PodSpec>,
    /// It was told to end.
    pub terminating: bool,
}

/// What happens to a PodENI, or to a NetworkInterface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It was created.
    Initial,
    /// It is being attached: a NetworkInterface for the first time too, a PodENI when it is used
    /// again.
    Binding,
    /// It is attached.
    Bind,
    /// It is being detached, and will be kept.
    Detaching,
    /// It is kept for its pod (C152).
    Unbind,
    /// It is not wanted any more.
    Deleting,
}

/// A PodENI: the interfaces of one pod name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodEni {
    /// Which pod of that name.
    pub uid: Uid,
    /// Where that pod is.
    pub node: NodeId,
    /// What happens to it.
    pub phase: Phase,
    /// Its interfaces.
    pub interfaces: Vec<EniId>,
    /// How long it is kept without a pod.
    pub fixed: Option<Retention>,
    /// When the pod was there for certain, in whole seconds; only kept for fixed addresses (C153).
    pub last_seen: Option<Instant>,
    /// The trunk interface that its interfaces are attached to.
    pub trunk: Option<EniId>,
    /// It has a deletion timestamp.
    pub(super) deleting: bool,
    /// Its resource version: a status that was computed from an older one is not accepted.
    pub(super) version: u64,
}

/// A NetworkInterface: one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    /// Whose it is.
    pub pod: PodKey,
    /// Its vSwitch.
    pub vswitch: VSwitchId,
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// Its IPv6 address.
    pub ipv6: Option<V6Addr>,
    /// What happens to it.
    pub phase: Phase,
    /// Where it is, or shall be, attached.
    pub place: Option<Place>,
    pub(super) deleting: bool,
    pub(super) version: u64,
}

/// Where an interface is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// To the instance of this node.
    pub node: NodeId,
    /// Through this interface of it; `None` = directly.
    pub trunk: Option<EniId>,
}

/// An interface that a pod got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Its ID.
    pub eni: EniId,
    /// Its vSwitch.
    pub vswitch: VSwitchId,
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// Its IPv6 address.
    pub ipv6: Option<V6Addr>,
}

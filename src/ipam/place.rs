//! What a daemon's status tool shows of it: interfaces and their addresses, as plain values.

use std::net::Ipv4Addr;

use super::node_local::Status;
use super::{Eni, Kind};
use crate::address::V6Addr;
use crate::id::PodId;
use crate::time::Instant;

/// A place for an interface, with what is in it (`Status` of `pkg/eni/types.go:247-258`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What the place is doing.
    pub status: Status,
    /// Which kind of interface it is for.
    pub kind: Kind,
    /// The interface; `None` = none, or one that is still being made
    /// (`pkg/eni/local.go:665-735`).
    pub eni: Option<Eni>,
    /// Until when no address is asked for; time zero = there was no reason yet.
    pub inhibited_until: Instant,
    /// Its IPv4 addresses.
    pub v4: Vec<Held<Ipv4Addr>>,
    /// Its IPv6 addresses.
    pub v6: Vec<Held<V6Addr>>,
}

/// An address on an interface, as the daemon sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held<A> {
    /// The address.
    pub address: A,
    /// The pod that has it, or for which it is retained.
    pub pod: Option<PodId>,
    /// Whether it may be handed out.
    pub status: HeldStatus,
}

/// Whether an address may be handed out (R45, `pkg/eni/types.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldStatus {
    /// It may.
    Valid,
    /// Instance metadata does not show it any more.
    Invalid,
    /// It is to be given back.
    Deleting,
}

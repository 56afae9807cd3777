//! The IPv6 side of a slot (rules R143 to R148). Upstream keeps the two families apart and couples
//! them only where a pod takes one address of each; that is where they drift apart.

use std::net::Ipv4Addr;

use super::address_set::AddressSet;
use super::demand::Demand;
use super::slot::TOKENS;
use crate::address::V6Addr;
use crate::id::EniId;
use crate::ipam::throttle::Tokens;
use crate::ipam::{Addresses, Request, V6Addresses};

/// What a slot has for IPv6.
#[derive(Debug)]
pub(super) struct V6 {
    pub set: AddressSet<V6Addr>,
    pub demand: Demand,
    pub assign_bucket: Tokens,
    /// Addresses of the interface in the making.
    pub made: V6Addresses,
    /// Addresses that the dispose worker gives back after the IPv4 ones of its round.
    pub leaving: V6Addresses,
}

impl V6 {
    pub fn new() -> Self {
        Self {
            set: AddressSet::default(),
            demand: Demand::default(),
            assign_bucket: Tokens::full(TOKENS),
            made: V6Addresses::EMPTY,
            leaving: V6Addresses::EMPTY,
        }
    }
}

/// Addresses of one family.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lot {
    V4(Addresses),
    V6(V6Addresses),
}

impl Lot {
    /// The call that gives the addresses back.
    pub fn unassign(self, eni: EniId) -> Request {
        match self {
            Self::V4(addresses) => Request::Unassign(eni, addresses),
            Self::V6(addresses) => Request::UnassignV6(eni, addresses),
        }
    }

    pub fn has(&self, address: Ipv4Addr) -> bool {
        matches!(self, Self::V4(addresses) if addresses.contains(&address))
    }
}

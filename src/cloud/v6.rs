//! IPv6 addresses of interfaces. Their /64 never runs out, so no book is kept of them.

use super::{Cloud, VSwitch};
use crate::address::V6Addr;
use crate::id::{EniId, NodeId};
use crate::ipam::V6Addresses;
use crate::openapi::ErrorCode;

impl Cloud {
    /// Whether an IPv6 address is on interface `eni`, and that on the node.
    #[must_use]
    pub fn holds_v6(&self, node: NodeId, eni: EniId, address: V6Addr) -> bool {
        self.interface(eni).is_some_and(|interface| interface.instance == node && interface.v6.contains(&address))
    }

    pub(super) fn assign_v6(&mut self, eni: EniId, n: u8) -> Result<V6Addresses, ErrorCode> {
        let Some(interface) = self.enis[eni.index()].as_deref_mut() else { return Err(ErrorCode::NotFound) };
        let most = self.instances[interface.instance.index()].ips_per_eni as usize;
        if interface.v6.len() + usize::from(n) > most {
            return Err(ErrorCode::IpPerEni);
        }
        let addresses = self.vswitches[interface.vswitch.index()].take_v6(n);
        interface.v6.extend_from_slice(&addresses);
        Ok(addresses)
    }

    pub(super) fn unassign_v6(&mut self, eni: EniId, addresses: &[V6Addr]) {
        if let Some(interface) = self.enis[eni.index()].as_deref_mut() {
            interface.v6.retain(|address| !addresses.contains(address));
        }
    }
}

impl VSwitch {
    /// `n` IPv6 addresses.
    pub(super) fn take_v6(&mut self, n: u8) -> V6Addresses {
        let first = self.v6;
        self.v6 += u32::from(n);
        V6Addresses::collect((first..self.v6).map(V6Addr))
    }
}

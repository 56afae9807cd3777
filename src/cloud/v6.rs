//! IPv6 addresses of interfaces. Their /64 never runs out, so no book is kept of them.

use super::Cloud;
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
        self.has_room_for_v6(eni, n)?;
        Ok(self.add_v6(eni, n))
    }

    /// `n` IPv6 prefixes for an interface; each takes the place of an address.
    pub(super) fn assign_v6_prefixes(&mut self, eni: EniId, n: u8) -> Result<Vec<V6Addr>, ErrorCode> {
        self.has_room_for_v6(eni, n)?;
        let addresses = self.add_v6(eni, n);
        let interface = self.enis[eni.index()].as_deref_mut().expect("it has room");
        interface.v6.truncate(interface.v6.len() - addresses.len());
        interface.v6_prefixes.extend_from_slice(&addresses);
        Ok(addresses.to_vec())
    }

    fn has_room_for_v6(&self, eni: EniId, n: u8) -> Result<(), ErrorCode> {
        let interface = self.interface(eni).ok_or(ErrorCode::NotFound)?;
        let most = self.instances[interface.instance.index()].ips_per_eni as usize;
        let has = interface.v6.len() + interface.v6_prefixes.len();
        if has + usize::from(n) > most { Err(ErrorCode::IpPerEni) } else { Ok(()) }
    }

    /// An interface that exists gets `n` IPv6 addresses of its vSwitch.
    pub(super) fn add_v6(&mut self, eni: EniId, n: u8) -> V6Addresses {
        let interface = self.enis[eni.index()].as_deref_mut().expect("whoever calls looked");
        let handed_out = &mut self.vswitches[interface.vswitch.index()].v6;
        let first = *handed_out;
        *handed_out += u32::from(n);
        let addresses = V6Addresses::collect((first..*handed_out).map(V6Addr));
        interface.v6.extend_from_slice(&addresses);
        addresses
    }

    pub(super) fn unassign_v6(&mut self, eni: EniId, addresses: &[V6Addr]) {
        if let Some(interface) = self.enis[eni.index()].as_deref_mut() {
            interface.v6.retain(|address| !addresses.contains(address));
        }
    }
}

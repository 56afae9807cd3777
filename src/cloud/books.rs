//! The cloud's books: who holds the addresses of a vSwitch, and that the entries agree.

use super::Cloud;
use crate::id::{EniId, VSwitchId};

/// Who holds the addresses of a vSwitch, as the cloud knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Usable addresses.
    pub usable: u32,
    /// Free addresses.
    pub free: u32,
    /// Addresses on secondary interfaces.
    pub on_enis: u32,
    /// Those of `on_enis` that are on interfaces which no daemon knows.
    pub leaked: u32,
    /// Primary addresses of nodes, and of instances that are being launched.
    pub primaries: u32,
    /// Addresses of other tenants.
    pub others: u32,
}

impl Cloud {
    /// Who holds the addresses of a vSwitch.
    #[must_use]
    pub fn usage(&self, vswitch: VSwitchId) -> Usage {
        let switch = &self.vswitches[vswitch.index()];
        Usage {
            usable: switch.book.usable(),
            free: switch.book.free(),
            on_enis: switch.on_enis,
            leaked: switch.leaked,
            primaries: switch.primaries,
            others: switch.others.len() as u32,
        }
    }

    /// Interfaces of a vSwitch that no daemon knows, and the addresses on them.
    #[must_use]
    pub fn leaked(&self, vswitch: VSwitchId) -> (u32, u32) {
        let switch = &self.vswitches[vswitch.index()];
        (switch.leaked_enis, switch.leaked)
    }

    /// Checks the books against each other: every interface's addresses are taken, once, the parts
    /// of each vSwitch add up, and an interface is known to its instance unless it outlived it.
    ///
    /// # Panics
    /// If they do not: the cloud is wrong.
    pub fn audit(&self) {
        let mut on_enis = vec![0; self.vswitches.len()];
        let mut leaked = vec![(0, 0); self.vswitches.len()];
        for (id, interface) in self.enis.iter().enumerate() {
            let Some(interface) = interface else { continue };
            assert_eq!(interface.leaked, self.leaked.contains(&EniId::new(id)), "interface {id} among the leaked");
            let (vswitch, addresses) = (interface.vswitch.index(), interface.addresses.len() as u32);
            on_enis[vswitch] += addresses;
            if interface.leaked {
                leaked[vswitch] = (leaked[vswitch].0 + 1, leaked[vswitch].1 + addresses);
            }
            let book = &self.vswitches[vswitch].book;
            assert!(
                interface.addresses.iter().all(|&address| book.is_taken(address)),
                "an interface has an address that is free"
            );
            let instance = &self.instances[interface.instance.index()];
            let v6 = interface.v6.len() as u32;
            assert!(v6 <= instance.ips_per_eni, "interface {id} has {v6} IPv6 addresses, more than it takes");
            let listed = instance.enis.iter().any(|eni| eni.index() == id);
            assert_eq!(listed, !instance.released, "interface {id} in the list of its instance");
            assert!(listed || interface.leaked, "interface {id} outlived its instance");
        }
        for (i, (on_enis, leaked)) in on_enis.into_iter().zip(leaked).enumerate() {
            let usage = self.usage(VSwitchId::new(i));
            assert_eq!(usage.on_enis, on_enis, "addresses on interfaces of vSwitch {i}");
            assert_eq!(self.leaked(VSwitchId::new(i)), leaked, "leaked interfaces of vSwitch {i}");
            assert_eq!(
                usage.usable,
                usage.free + usage.on_enis + usage.primaries + usage.others,
                "addresses of vSwitch {i}"
            );
        }
    }
}

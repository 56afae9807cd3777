//! The cloud's books: who holds the addresses of a vSwitch, and that the entries agree.

use super::{Cloud, Standing};
use crate::address::PREFIX;
use crate::id::VSwitchId;

/// Who holds the addresses of a vSwitch, as the cloud knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Usable addresses: the sum of the others, but for `leaked` and `held`.
    pub usable: u32,
    /// Free addresses, as DescribeVSwitches counts them: not those of reservations.
    pub free: u32,
    /// Free addresses that are reserved for prefixes.
    pub reserved: u32,
    /// Single addresses on secondary interfaces.
    pub on_enis: u32,
    /// Addresses of prefixes on secondary interfaces, 16 each.
    pub in_prefixes: u32,
    /// Those of `on_enis` and `in_prefixes` that are on interfaces which no daemon knows.
    pub leaked: u32,
    /// Those of `on_enis` that are held for pods with fixed addresses that are gone.
    pub held: u32,
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
            reserved: switch.book.reserved(),
            on_enis: switch.on_enis,
            in_prefixes: switch.prefixes * PREFIX,
            leaked: switch.leaked,
            held: switch.held,
            primaries: switch.primaries,
            others: switch.others.len() as u32,
        }
    }

    /// Prefixes that a vSwitch could hand out now: free /28 blocks. Without a reservation it looks at
    /// every address.
    #[must_use]
    pub fn free_prefixes(&self, vswitch: VSwitchId) -> u32 {
        self.vswitches[vswitch.index()].book.free_prefixes()
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
        let mut on_enis = vec![(0, 0); self.vswitches.len()];
        let mut leaked = vec![(0, 0); self.vswitches.len()];
        let mut held = vec![0; self.vswitches.len()];
        for (id, interface) in self.enis.iter().enumerate() {
            let Some(interface) = interface else { continue };
            let vswitch = interface.vswitch.index();
            let (addresses, in_prefixes) = (interface.addresses.len() as u32, interface.prefixes.len() as u32 * PREFIX);
            on_enis[vswitch] = (on_enis[vswitch].0 + addresses, on_enis[vswitch].1 + in_prefixes);
            match interface.standing {
                Standing::Known => {}
                Standing::Leaked => leaked[vswitch] = (leaked[vswitch].0 + 1, leaked[vswitch].1 + interface.size()),
                Standing::Held => held[vswitch] += interface.size(),
            }
            let book = &self.vswitches[vswitch].book;
            assert!(
                interface.addresses.iter().all(|&address| book.is_taken(address)),
                "an interface has an address that is free"
            );
            assert!(
                interface.prefixes.iter().all(|&prefix| book.is_prefix_taken(prefix)),
                "an interface has a prefix that is free"
            );
            let instance = &self.instances[interface.instance.index()];
            let v6 = interface.v6.len() as u32;
            assert!(v6 <= instance.ips_per_eni, "interface {id} has {v6} IPv6 addresses, more than it takes");
            let listed = instance.enis.iter().any(|eni| eni.index() == id);
            let held = interface.standing == Standing::Held;
            assert_eq!(listed, !instance.released && !held, "interface {id} in the list of its instance");
            assert!(listed || interface.standing != Standing::Known, "interface {id} outlived its instance");
            assert!(!held || !interface.attached, "interface {id} is held, and attached");
        }
        for (i, (on_enis, leaked)) in on_enis.into_iter().zip(leaked).enumerate() {
            let usage = self.usage(VSwitchId::new(i));
            assert_eq!(usage.held, held[i], "addresses held on vSwitch {i}");
            assert_eq!((usage.on_enis, usage.in_prefixes), on_enis, "addresses on interfaces of vSwitch {i}");
            assert_eq!(self.leaked(VSwitchId::new(i)), leaked, "leaked interfaces of vSwitch {i}");
            assert_eq!(
                usage.usable,
                usage.free + usage.reserved + usage.on_enis + usage.in_prefixes + usage.primaries + usage.others,
                "addresses of vSwitch {i}"
            );
        }
    }
}

//! Instances: they are launched and released, and their daemons restart.

use std::net::Ipv4Addr;

use super::{Cloud, Standing};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::Kind;

/// An instance that is being launched: it has its primary address already.
#[derive(Debug)]
#[must_use = "the address has to become an instance's, or be given back"]
pub struct Launch {
    vswitch: VSwitchId,
    address: Ipv4Addr,
}

/// An instance.
#[derive(Debug)]
pub(super) struct Instance {
    primary: Option<Launch>,
    /// Secondary interfaces that it takes, and members of its trunk beside them.
    pub slots: u32,
    pub members: u32,
    /// Addresses that an interface takes, and IPv6 addresses: a daemon that asks for these has as many
    /// of each (rule R143).
    pub ips_per_eni: u32,
    /// Interfaces made for it, attached or not.
    pub enis: Vec<EniId>,
    pub released: bool,
}

impl Cloud {
    /// Launches an instance (RunInstances) whose primary address comes from `vswitch`; `None` =
    /// that has none.
    pub fn launch(&mut self, vswitch: VSwitchId) -> Option<Launch> {
        let switch = Some(&mut self.vswitches[vswitch.index()]).filter(|switch| switch.exists)?;
        let address = switch.book.take()?;
        switch.primaries += 1;
        Some(Launch { vswitch, address })
    }

    /// The vSwitch and the primary address of an instance's own interface; `None` = it has none of any
    /// vSwitch, or is released.
    #[must_use]
    pub fn primary_of_instance(&self, node: NodeId) -> Option<(VSwitchId, Ipv4Addr)> {
        self.instances[node.index()].primary.as_ref().map(|launch| (launch.vswitch, launch.address))
    }

    /// Gives up an instance that is being launched.
    pub fn abandon(&mut self, launch: Launch) {
        let switch = &mut self.vswitches[launch.vswitch.index()];
        switch.book.give_back(launch.address);
        switch.primaries -= 1;
    }

    /// Starts an instance that takes `slots` secondary interfaces of `ips_per_eni` addresses. It
    /// has the primary address of its launch; without one it takes none of any vSwitch.
    pub fn start_instance(&mut self, launch: Option<Launch>, slots: u32, ips_per_eni: u32) -> NodeId {
        self.instances.push(Instance {
            primary: launch,
            slots,
            members: 0,
            ips_per_eni,
            enis: Vec::new(),
            released: false,
        });
        NodeId::new(self.instances.len() - 1)
    }

    /// An instance is there from the beginning, and so is its trunk, with an address of a vSwitch (and an IPv6 one):
    /// no call of the run has made it. Says whether the vSwitch had an address for it, and the instance a place.
    pub fn start_with_trunk(&mut self, node: NodeId, vswitch: VSwitchId, dual: bool) -> bool {
        if self.instances[node.index()].slots == 0 {
            return false;
        }
        let Ok((trunk, _)) = self.create(node, vswitch, Kind::Trunk, 1) else { return false };
        self.add_v6(trunk, dual.into());
        self.attach(trunk, node).expect("it is the first interface of the instance");
        true
    }

    /// An instance takes so many members of its trunk.
    pub fn take_members(&mut self, node: NodeId, members: u32) {
        self.instances[node.index()].members = members;
    }

    /// Releases an instance with the interfaces that are attached to it (DeleteOnRelease), but for those
    /// that outlive it: these are detached and held. What is not attached leaks: the daemon that knew
    /// it is gone.
    pub fn release_instance(&mut self, node: NodeId) {
        let instance = &mut self.instances[node.index()];
        instance.released = true;
        let (primary, enis) = (instance.primary.take(), std::mem::take(&mut instance.enis));
        if let Some(launch) = primary {
            self.abandon(launch);
        }
        for eni in enis {
            match self.interface(eni) {
                Some(interface) if interface.outlives_instance => self.hold(eni),
                Some(interface) if interface.attached => self.destroy(eni),
                Some(_) | None => self.leak(eni),
            }
        }
    }

    /// The daemon of `node` restarts. It finds what is attached (rule R137) and nothing else: the
    /// rest leaks (rule R103). Members of its trunk are not its concern.
    pub fn strand(&mut self, node: NodeId) {
        for i in 0..self.instances[node.index()].enis.len() {
            let eni = self.instances[node.index()].enis[i];
            match self.interface(eni) {
                Some(interface) if interface.member => {}
                Some(interface) if interface.attached => self.adopt(eni),
                Some(_) | None => self.leak(eni),
            }
        }
    }

    /// Nobody heard that `eni` was created: the daemon that called is gone, or lives another life.
    pub fn leak(&mut self, eni: EniId) {
        self.stands(eni, Standing::Leaked);
    }

    /// A daemon knows the interface again.
    pub(super) fn adopt(&mut self, eni: EniId) {
        self.stands(eni, Standing::Known);
    }

    pub(super) fn stands(&mut self, eni: EniId, standing: Standing) {
        let Some(interface) = self.enis[eni.index()].as_deref_mut() else { return };
        let before = std::mem::replace(&mut interface.standing, standing);
        let (switch, addresses) = (&mut self.vswitches[interface.vswitch.index()], interface.size());
        match before {
            Standing::Known => {}
            Standing::Leaked => {
                (switch.leaked, switch.leaked_enis) = (switch.leaked - addresses, switch.leaked_enis - 1);
            }
            Standing::Held => switch.held -= addresses,
        }
        match standing {
            Standing::Known => {}
            Standing::Leaked => {
                (switch.leaked, switch.leaked_enis) = (switch.leaked + addresses, switch.leaked_enis + 1);
            }
            Standing::Held => switch.held += addresses,
        }
    }
}

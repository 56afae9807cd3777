//! The cloud: vSwitches, instances and their interfaces, quotas, throttling and latencies.
//!
//! A call takes its latency; its effect happens at the answer. A request for more addresses than
//! a vSwitch has free fails whole (external assumption E1 of the specification).
//!
//! An instance takes along what is attached to it when it is released. An interface that is not
//! attached and that no daemon knows is *leaked*: it holds its addresses for ever, since upstream
//! collects the interfaces of its control plane only (rule R103).

mod books;
mod faults;
mod v6;
mod window;

pub use books::Usage;

use std::net::Ipv4Addr;

use crate::address::{AddressBook, V6Addr};
use crate::chance::{SmallStream, SpanDist, Stream};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::{Addresses, Answer, Attached, Eni, Request};
use crate::model::{Fault, Quota, Quotas};
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};
use faults::Faults;
use window::MinuteWindow;

/// The cloud of one run.
#[derive(Debug)]
pub struct Cloud {
    vswitches: Vec<VSwitch>,
    instances: Vec<Instance>,
    /// Interfaces by ID, which is never used again; `None` = deleted.
    enis: Vec<Option<Box<Interface>>>,
    /// vSwitch of each interface, by ID.
    eni_vswitch: Vec<VSwitchId>,
    latency: [SpanDist; Api::ALL.len()],
    throttle: [MinuteWindow; Api::ALL.len()],
    metadata_lag: Span,
    quotas: Quotas,
    faults: Faults,
    /// Interfaces that exist; addresses on them.
    eni_count: u64,
    eni_addresses: u64,
    chance: Stream,
}

/// A vSwitch and what is taken of it.
#[derive(Debug)]
struct VSwitch {
    /// It exists: nobody has deferred it.
    exists: bool,
    book: AddressBook,
    on_enis: u32,
    /// Those of `on_enis` on interfaces that no daemon knows; these interfaces.
    leaked: u32,
    leaked_enis: u32,
    primaries: u32,
    others: Vec<Ipv4Addr>,
    /// IPv6 addresses that it has handed out; none is used again.
    v6: u32,
}

/// An instance that is being launched: it has its primary address already.
#[derive(Debug)]
#[must_use = "the address has to become an instance's, or be given back"]
pub struct Launch {
    vswitch: VSwitchId,
    address: Ipv4Addr,
}

/// An instance.
#[derive(Debug)]
struct Instance {
    primary: Option<Launch>,
    /// Secondary interfaces that it takes.
    slots: u32,
    /// Addresses that an interface takes, and IPv6 addresses: a daemon that asks for these has
    /// as many of each (rule R143).
    ips_per_eni: u32,
    /// Interfaces made for it, attached or not.
    enis: Vec<EniId>,
    released: bool,
}

#[derive(Debug)]
struct Interface {
    instance: NodeId,
    vswitch: VSwitchId,
    attached: bool,
    /// No daemon knows it.
    leaked: bool,
    /// The primary address first.
    addresses: Vec<Ipv4Addr>,
    v6: Vec<V6Addr>,
}

/// How a [`Cloud`] behaves.
#[derive(Debug)]
pub struct Behaviour {
    /// Time from call to answer, in the order of [`Api::ALL`].
    pub latency: [SpanDist; Api::ALL.len()],
    /// Most calls per minute, in the order of [`Api::ALL`].
    pub throttle: [Option<u32>; Api::ALL.len()],
    /// Time from a call's effect until instance metadata shows it.
    pub metadata_lag: Span,
    /// Quotas.
    pub quotas: Quotas,
    /// Times of trouble.
    pub faults: Vec<Fault>,
}

impl Cloud {
    /// A cloud with these vSwitches and no instances. `chance` decides latencies, `mishaps` which
    /// calls fail in a time of trouble.
    #[must_use]
    pub fn new(
        blocks: impl IntoIterator<Item = ipnet::Ipv4Net>,
        behaviour: Behaviour,
        chance: Stream,
        mishaps: SmallStream,
    ) -> Self {
        let vswitches = blocks.into_iter().map(|block| VSwitch {
            exists: true,
            book: AddressBook::new(block),
            on_enis: 0,
            leaked: 0,
            leaked_enis: 0,
            primaries: 0,
            others: Vec::new(),
            v6: 0,
        });
        Self {
            vswitches: vswitches.collect(),
            instances: Vec::new(),
            enis: Vec::new(),
            eni_vswitch: Vec::new(),
            latency: behaviour.latency,
            throttle: behaviour.throttle.map(MinuteWindow::new),
            metadata_lag: behaviour.metadata_lag,
            quotas: behaviour.quotas,
            faults: Faults::new(behaviour.faults, mishaps),
            eni_count: 0,
            eni_addresses: 0,
            chance,
        }
    }

    /// A vSwitch does not exist before it is added.
    pub fn defer_vswitch(&mut self, id: VSwitchId) {
        self.vswitches[id.index()].exists = false;
    }

    /// A vSwitch comes to be.
    pub fn add_vswitch(&mut self, id: VSwitchId) {
        self.vswitches[id.index()].exists = true;
    }

    /// Whether a vSwitch exists.
    #[must_use]
    pub fn has_vswitch(&self, id: VSwitchId) -> bool {
        self.vswitches[id.index()].exists
    }

    /// At most `limit` calls of an action are carried out per minute from now on, those of this
    /// minute included; `None` = any number.
    pub fn limit(&mut self, api: Api, limit: Option<u32>) {
        self.throttle[api.index()].limit = limit;
    }

    /// How long a call takes that leaves at `at`.
    pub fn latency(&mut self, api: Api, at: Instant) -> Span {
        let usual = self.latency[api.index()].sample(&mut self.chance);
        self.faults.slowed(api, at, usual)
    }

    /// Launches an instance (RunInstances) whose primary address comes from `vswitch`; `None` =
    /// that has none.
    pub fn launch(&mut self, vswitch: VSwitchId) -> Option<Launch> {
        let switch = Some(&mut self.vswitches[vswitch.index()]).filter(|switch| switch.exists)?;
        let address = switch.book.take()?;
        switch.primaries += 1;
        Some(Launch { vswitch, address })
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
        self.instances.push(Instance { primary: launch, slots, ips_per_eni, enis: Vec::new(), released: false });
        NodeId::new(self.instances.len() - 1)
    }

    /// Releases an instance with the interfaces that are attached to it (DeleteOnRelease). Those
    /// that are not leak: the daemon that knew them is gone.
    pub fn release_instance(&mut self, node: NodeId) {
        let instance = &mut self.instances[node.index()];
        instance.released = true;
        let (primary, enis) = (instance.primary.take(), std::mem::take(&mut instance.enis));
        if let Some(launch) = primary {
            self.abandon(launch);
        }
        for eni in enis {
            if self.interface(eni).is_some_and(|interface| interface.attached) {
                self.destroy(eni);
            } else {
                self.leak(eni);
            }
        }
    }

    /// The daemon of `node` restarts. It finds what is attached (rule R137) and nothing else: the
    /// rest leaks (rule R103).
    pub fn strand(&mut self, node: NodeId) {
        for i in 0..self.instances[node.index()].enis.len() {
            let eni = self.instances[node.index()].enis[i];
            if self.interface(eni).is_some_and(|interface| interface.attached) {
                self.adopt(eni);
            } else {
                self.leak(eni);
            }
        }
    }

    /// Nobody heard that `eni` was created: the daemon that called is gone, or lives another life.
    pub fn leak(&mut self, eni: EniId) {
        self.set_leaked(eni, true);
    }

    /// A daemon knows the interface again.
    fn adopt(&mut self, eni: EniId) {
        self.set_leaked(eni, false);
    }

    fn set_leaked(&mut self, eni: EniId, leaked: bool) {
        let Some(interface) = self.enis[eni.index()].as_deref_mut().filter(|eni| eni.leaked != leaked) else { return };
        interface.leaked = leaked;
        let (switch, addresses) = (&mut self.vswitches[interface.vswitch.index()], interface.addresses.len() as u32);
        if leaked {
            (switch.leaked, switch.leaked_enis) = (switch.leaked + addresses, switch.leaked_enis + 1);
        } else {
            (switch.leaked, switch.leaked_enis) = (switch.leaked - addresses, switch.leaked_enis - 1);
        }
    }

    /// Carries out a call that `node` made; this is the moment of the answer. The node may have been
    /// released since: what its daemon asked for happens all the same.
    pub fn execute(&mut self, now: Instant, node: NodeId, request: &Request) -> Result<Answer, ErrorCode> {
        if !self.throttle[request.api().index()].admit(now) {
            return Err(ErrorCode::Throttling);
        }
        if let Some(code) = self.faults.failure(request.api(), now) {
            return Err(code);
        }
        let visible = now + self.metadata_lag;
        match *request {
            Request::DescribeVSwitch(id) => match &self.vswitches[id.index()] {
                VSwitch { exists: false, .. } => Err(ErrorCode::NotFound),
                VSwitch { book, .. } => Ok(Answer::VSwitch(book.free())),
            },
            Request::Create(vswitch, n, v6) => self.create(node, vswitch, n, v6),
            Request::Attach(eni) => self.attach(eni).map(|()| Answer::Attached(visible)),
            Request::Describe(eni) => {
                let found = self.interface(eni);
                Ok(Answer::Described { exists: found.is_some(), in_use: found.is_some_and(|e| e.attached) })
            }
            Request::Assign(eni, n) => self.assign(eni, n).map(|addresses| Answer::Assigned(addresses, visible)),
            Request::Unassign(eni, addresses) => {
                self.unassign(eni, &addresses);
                Ok(Answer::Unassigned(visible))
            }
            Request::AssignV6(eni, n) => self.assign_v6(eni, n).map(|addresses| Answer::AssignedV6(addresses, visible)),
            Request::UnassignV6(eni, addresses) => {
                self.unassign_v6(eni, &addresses);
                Ok(Answer::Unassigned(visible))
            }
            Request::Detach(eni) => {
                if let Some(interface) = self.enis[eni.index()].as_deref_mut() {
                    interface.attached = false;
                }
                Ok(Answer::Detached)
            }
            Request::Delete(eni) => {
                if let Some(node) = self.interface(eni).map(|interface| interface.instance) {
                    self.instances[node.index()].enis.retain(|&other| other != eni);
                    self.destroy(eni);
                }
                Ok(Answer::Deleted)
            }
        }
    }

    fn create(&mut self, node: NodeId, vswitch: VSwitchId, n: u8, v6: u8) -> Result<Answer, ErrorCode> {
        if self.quota_against(1, 0).is_some() {
            return Err(ErrorCode::EniPerRegion);
        }
        let addresses = self.take(vswitch, n)?;
        let v6 = self.vswitches[vswitch.index()].take_v6(v6);
        let id = EniId::new(self.enis.len());
        self.enis.push(Some(Box::new(Interface {
            instance: node,
            vswitch,
            attached: false,
            leaked: false,
            addresses: addresses.to_vec(),
            v6: v6.to_vec(),
        })));
        self.eni_vswitch.push(vswitch);
        self.eni_count += 1;
        if self.instances[node.index()].released {
            self.leak(id);
        } else {
            self.instances[node.index()].enis.push(id);
        }
        Ok(Answer::Created(id, addresses, v6))
    }

    fn attach(&mut self, eni: EniId) -> Result<(), ErrorCode> {
        let Some(node) = self.interface(eni).map(|interface| interface.instance) else {
            return Err(ErrorCode::NotFound);
        };
        let instance = &self.instances[node.index()];
        if instance.released {
            return Err(ErrorCode::NotFound);
        }
        let attached = instance.enis.iter().filter(|&&other| self.interface(other).is_some_and(|e| e.attached));
        if attached.count() >= instance.slots as usize {
            return Err(ErrorCode::EniPerInstance);
        }
        self.enis[eni.index()].as_deref_mut().expect("it was found above").attached = true;
        Ok(())
    }

    fn assign(&mut self, eni: EniId, n: u8) -> Result<Addresses, ErrorCode> {
        let Some(interface) = self.interface(eni) else { return Err(ErrorCode::NotFound) };
        let (vswitch, has) = (interface.vswitch, interface.addresses.len());
        if has + usize::from(n) > self.instances[interface.instance.index()].ips_per_eni as usize {
            return Err(ErrorCode::IpPerEni);
        }
        let addresses = self.take(vswitch, n)?;
        let interface = self.enis[eni.index()].as_deref_mut().expect("it was found above");
        interface.addresses.extend_from_slice(&addresses);
        if interface.leaked {
            self.vswitches[vswitch.index()].leaked += u32::from(n);
        }
        Ok(addresses)
    }

    /// `n` addresses of a vSwitch, or none at all.
    fn take(&mut self, vswitch: VSwitchId, n: u8) -> Result<Addresses, ErrorCode> {
        if self.quota_against(0, n).is_some() {
            return Err(ErrorCode::QuotaPrivateIp);
        }
        let switch = &mut self.vswitches[vswitch.index()];
        if switch.book.free() < u32::from(n) {
            return Err(ErrorCode::IpNotEnough);
        }
        switch.on_enis += u32::from(n);
        self.eni_addresses += u64::from(n);
        Ok(Addresses::collect((0..n).map_while(|_| switch.book.take())))
    }

    /// The quota that leaves no room for so many more interfaces and addresses. The cluster's
    /// security group has the primary interfaces of its nodes too.
    fn quota_against(&self, enis: u8, addresses: u8) -> Option<Quota> {
        let over =
            |most: Option<u64>, have: u64, more: u8| more > 0 && most.is_some_and(|most| have + u64::from(more) > most);
        let primaries = || self.vswitches.iter().map(|switch| u64::from(switch.primaries)).sum::<u64>();
        if over(self.quotas.enis_per_region, self.eni_count, enis) {
            Some(Quota::EnisPerRegion)
        } else if over(self.quotas.security_group_addresses, self.eni_addresses + primaries(), addresses) {
            Some(Quota::SecurityGroupAddresses)
        } else if over(self.quotas.vpc_addresses, self.vpc_addresses(), addresses) {
            Some(Quota::VpcAddresses)
        } else {
            None
        }
    }

    /// The quota that a request would fail on now.
    #[must_use]
    pub fn quota_refusing(&self, request: &Request) -> Option<Quota> {
        match *request {
            Request::Create(_, n, _) => self.quota_against(1, n),
            Request::Assign(_, n) => self.quota_against(0, n),
            _ => None,
        }
    }

    fn unassign(&mut self, eni: EniId, addresses: &[Ipv4Addr]) {
        let Some(interface) = self.enis[eni.index()].as_deref_mut() else { return };
        let switch = &mut self.vswitches[interface.vswitch.index()];
        interface.addresses.retain(|address| {
            let gone = addresses.contains(address);
            if gone {
                switch.book.give_back(*address);
                switch.on_enis -= 1;
                switch.leaked -= u32::from(interface.leaked);
                self.eni_addresses -= 1;
            }
            !gone
        });
    }

    fn destroy(&mut self, eni: EniId) {
        self.adopt(eni);
        let Some(interface) = self.enis[eni.index()].take() else { return };
        let switch = &mut self.vswitches[interface.vswitch.index()];
        for address in &interface.addresses {
            switch.book.give_back(*address);
        }
        switch.on_enis -= interface.addresses.len() as u32;
        self.eni_addresses -= interface.addresses.len() as u64;
        self.eni_count -= 1;
    }

    /// Other tenants hold `wanted` addresses of a vSwitch from now on, or as many as it has.
    pub fn set_others(&mut self, vswitch: VSwitchId, wanted: u32) {
        let VSwitch { book, others, .. } = &mut self.vswitches[vswitch.index()];
        while others.len() > wanted as usize {
            book.give_back(others.pop().expect("more than wanted"));
        }
        while others.len() < wanted as usize
            && let Some(address) = book.take()
        {
            others.push(address);
        }
    }

    fn interface(&self, eni: EniId) -> Option<&Interface> {
        self.enis[eni.index()].as_deref()
    }

    fn vpc_addresses(&self) -> u64 {
        self.vswitches.iter().map(|switch| u64::from(switch.book.usable() - switch.book.free())).sum()
    }

    /// The vSwitch of an interface, also of one that is deleted.
    #[must_use]
    pub fn vswitch_of(&self, eni: EniId) -> Option<VSwitchId> {
        self.eni_vswitch.get(eni.index()).copied()
    }

    /// What instance metadata lists: the attached secondary interfaces of a node.
    #[must_use]
    pub fn attached(&self, node: NodeId) -> Vec<Attached> {
        let enis = self.instances[node.index()].enis.iter();
        let found = enis.filter_map(|&id| Some((id, self.interface(id).filter(|e| e.attached)?)));
        found
            .map(|(id, e)| Attached {
                eni: Eni { id, vswitch: e.vswitch, primary: e.addresses[0] },
                addresses: e.addresses.clone(),
                v6: e.v6.clone(),
            })
            .collect()
    }

    /// The interfaces made for a node, attached or not, each with its vSwitch and its addresses.
    pub fn interfaces(&self, node: NodeId) -> impl Iterator<Item = (EniId, VSwitchId, &[Ipv4Addr])> {
        let enis = self.instances[node.index()].enis.iter();
        let known = enis.filter_map(|&id| Some((id, self.interface(id).filter(|e| !e.leaked)?)));
        known.map(|(id, e)| (id, e.vswitch, e.addresses.as_slice()))
    }

    /// Whether `address` is on interface `eni`, and that on the node.
    #[must_use]
    pub fn holds(&self, node: NodeId, eni: EniId, address: Ipv4Addr) -> bool {
        self.interface(eni)
            .is_some_and(|interface| interface.instance == node && interface.addresses.contains(&address))
    }

    /// Secondary interfaces that the daemon of a node knows and the addresses on them, attached or
    /// not.
    #[must_use]
    pub fn node_enis(&self, node: NodeId) -> (u32, u32) {
        let enis = self.instances[node.index()].enis.iter().filter_map(|&id| self.interface(id));
        let known = enis.filter(|interface| !interface.leaked);
        known.fold((0, 0), |(enis, addresses), interface| (enis + 1, addresses + interface.addresses.len() as u32))
    }

    /// Number of vSwitches.
    #[must_use]
    pub fn vswitch_count(&self) -> usize {
        self.vswitches.len()
    }
}

#[cfg(test)]
mod tests;

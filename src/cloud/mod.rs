//! The cloud: vSwitches, instances and their interfaces, quotas, throttling and latencies.
//!
//! A call takes its latency; its effect happens at the answer. A request for more addresses than
//! a vSwitch has free fails whole (external assumption E1 of the specification).
//!
//! An instance takes along what is attached to it when it is released. An interface that is not
//! attached and that no daemon knows is *leaked*: it holds its addresses for ever, since upstream
//! collects the interfaces of its control plane only (rule R103): the control plane
//! sweeps what its PodENI controllers made (rule C150), and nothing else.

mod books;
mod centralized;
mod faults;
mod instances;
mod pod_eni;
mod v6;
mod window;

pub use books::Usage;
pub use instances::Launch;

use std::net::Ipv4Addr;

use crate::address::{AddressBook, PREFIX, V6Addr};
use crate::chance::{SmallStream, SpanDist, Stream};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::{Addresses, Answer, Attached, Eni, Kind, MOST_NAMED, Request};
use crate::model::{Behaviour, Quota, Quotas};
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};
use faults::Faults;
use instances::Instance;
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
    /// Single addresses on interfaces; prefixes on interfaces.
    on_enis: u32,
    prefixes: u32,
    /// Addresses on interfaces that no daemon knows, in prefixes or not; these interfaces.
    leaked: u32,
    leaked_enis: u32,
    /// Addresses on interfaces that are held for pods with fixed ones.
    held: u32,
    primaries: u32,
    others: Vec<Ipv4Addr>,
    /// IPv6 addresses that it has handed out; none is used again.
    v6: u32,
}

#[derive(Debug)]
struct Interface {
    instance: NodeId,
    vswitch: VSwitchId,
    kind: Kind,
    attached: bool,
    /// It is, or shall be, attached to the instance's trunk.
    member: bool,
    /// It does not go with the instance that it is attached to (`DeleteOnRelease: false`).
    outlives_instance: bool,
    standing: Standing,
    /// The primary address first.
    addresses: Vec<Ipv4Addr>,
    /// The first address of each prefix.
    prefixes: Vec<Ipv4Addr>,
    v6: Vec<V6Addr>,
    v6_prefixes: Vec<V6Addr>,
}

/// Who counts on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The instance for which it was made, or whoever allocates for that.
    Known,
    /// Nobody.
    Leaked,
    /// A pod with a fixed address that is to come again (rule C152).
    Held,
}

impl Interface {
    /// All IPv4 addresses on it, in prefixes or not.
    fn size(&self) -> u32 {
        self.addresses.len() as u32 + self.prefixes.len() as u32 * PREFIX
    }
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
            prefixes: 0,
            leaked: 0,
            leaked_enis: 0,
            held: 0,
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

    /// Keeps a part of a vSwitch for prefixes (CreateVSwitchCidrReservation).
    pub fn reserve_prefixes(&mut self, id: VSwitchId, part: ipnet::Ipv4Net) {
        self.vswitches[id.index()].book.reserve(part);
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

    /// Carries out a call that `node` made; this is the moment of the answer. The node may have been
    /// released since: what its daemon asked for happens all the same.
    pub fn execute(&mut self, now: Instant, node: NodeId, request: &Request) -> Result<Answer, ErrorCode> {
        self.admit(request.api(), now)?;
        let visible = now + self.metadata_lag;
        match *request {
            Request::DescribeVSwitch(id) => self.describe_vswitch(id).map(Answer::VSwitch),
            Request::Create { vswitch, kind, addresses, ipv6 } => {
                let (eni, addresses) = self.create(node, vswitch, kind, addresses.into())?;
                Ok(Answer::Created(eni, addresses, self.add_v6(eni, ipv6)))
            }
            Request::Attach(eni) => match self.interface(eni).map(|interface| interface.instance) {
                Some(node) if !self.instances[node.index()].released => {
                    self.attach(eni, node).map(|()| Answer::Attached(visible))
                }
                _ => Err(ErrorCode::NotFound),
            },
            Request::Describe(eni) => {
                let found = self.interface(eni);
                Ok(Answer::Described { exists: found.is_some(), in_use: found.is_some_and(|e| e.attached) })
            }
            Request::Assign(eni, n) => self.assign(eni, n.into()).map(|addresses| Answer::Assigned(addresses, visible)),
            Request::Unassign(eni, addresses) => {
                self.unassign(eni, &addresses);
                Ok(Answer::Unassigned(visible))
            }
            Request::AssignV6(eni, n) => self.assign_v6(eni, n).map(|addresses| Answer::AssignedV6(addresses, visible)),
            Request::UnassignV6(eni, addresses) => {
                self.unassign_v6(eni, &addresses);
                Ok(Answer::Unassigned(visible))
            }
            // What is answered for an interface that is detached already is not known. The documentation has it that one
            // has to be in use; then none whose deletion has failed once would ever be given up.
            Request::Detach(eni) => {
                if let Some(interface) = self.enis[eni.index()].as_deref_mut() {
                    interface.attached = false;
                }
                Ok(Answer::Detached)
            }
            Request::Delete(eni) if self.interface(eni).is_none() => Err(ErrorCode::NotFound),
            Request::Delete(eni) => {
                self.delete(eni);
                Ok(Answer::Deleted)
            }
        }
    }

    /// Whether a call gets as far as being carried out.
    fn admit(&mut self, api: Api, now: Instant) -> Result<(), ErrorCode> {
        if !self.throttle[api.index()].admit(now) {
            return Err(ErrorCode::Throttling);
        }
        self.faults.failure(api, now).map_or(Ok(()), Err)
    }

    /// Free addresses of a vSwitch.
    fn describe_vswitch(&self, id: VSwitchId) -> Result<u32, ErrorCode> {
        match &self.vswitches[id.index()] {
            VSwitch { exists: false, .. } => Err(ErrorCode::NotFound),
            VSwitch { book, .. } => Ok(book.free()),
        }
    }

    fn create(
        &mut self,
        node: NodeId,
        vswitch: VSwitchId,
        kind: Kind,
        n: u32,
    ) -> Result<(EniId, Addresses), ErrorCode> {
        if let Some(quota) = self.quota_refusing(1, 0) {
            return Err(code(quota));
        }
        let addresses = self.take(vswitch, n)?;
        let id = EniId::new(self.enis.len());
        self.enis.push(Some(Box::new(Interface {
            instance: node,
            vswitch,
            kind,
            attached: false,
            member: false,
            outlives_instance: false,
            standing: Standing::Known,
            addresses: addresses.to_vec(),
            prefixes: Vec::new(),
            v6: Vec::new(),
            v6_prefixes: Vec::new(),
        })));
        self.eni_vswitch.push(vswitch);
        self.eni_count += 1;
        if self.instances[node.index()].released {
            self.leak(id);
        } else {
            self.instances[node.index()].enis.push(id);
        }
        Ok((id, addresses))
    }

    /// Attaches an interface to the instance for which it was made.
    fn attach(&mut self, eni: EniId, node: NodeId) -> Result<(), ErrorCode> {
        let instance = &self.instances[node.index()];
        let member = self.interface(eni).expect("whoever calls looked").member;
        let most = if member { instance.members } else { instance.slots };
        let is_there = |other: &Interface| other.attached && other.member == member;
        let attached = instance.enis.iter().filter(|&&other| self.interface(other).is_some_and(is_there));
        if attached.count() >= most as usize {
            return Err(ErrorCode::EniPerInstance);
        }
        self.enis[eni.index()].as_deref_mut().expect("whoever calls looked").attached = true;
        Ok(())
    }

    fn assign(&mut self, eni: EniId, n: u32) -> Result<Addresses, ErrorCode> {
        let vswitch = self.with_room(eni, n)?;
        let addresses = self.take(vswitch, n)?;
        let interface = self.enis[eni.index()].as_deref_mut().expect("it has room");
        interface.addresses.extend_from_slice(&addresses);
        if interface.standing == Standing::Leaked {
            self.vswitches[vswitch.index()].leaked += n;
        }
        Ok(addresses)
    }

    /// The vSwitch of an interface that has room for so many more addresses or prefixes: a prefix takes
    /// the place of an address (rule C124).
    fn with_room(&self, eni: EniId, n: u32) -> Result<VSwitchId, ErrorCode> {
        let interface = self.interface(eni).ok_or(ErrorCode::NotFound)?;
        let most = self.instances[interface.instance.index()].ips_per_eni as usize;
        let has = interface.addresses.len() + interface.prefixes.len();
        if has + n as usize > most { Err(ErrorCode::IpPerEni) } else { Ok(interface.vswitch) }
    }

    /// `n` addresses of a vSwitch, or none at all.
    fn take(&mut self, vswitch: VSwitchId, n: u32) -> Result<Addresses, ErrorCode> {
        assert!(n as usize <= MOST_NAMED, "nobody asks for more than a batch at once");
        if let Some(quota) = self.quota_refusing(0, n) {
            return Err(code(quota));
        }
        let switch = &mut self.vswitches[vswitch.index()];
        if !switch.exists {
            return Err(ErrorCode::NotFound);
        }
        if switch.book.free() < n {
            return Err(ErrorCode::IpNotEnough);
        }
        switch.on_enis += n;
        self.eni_addresses += u64::from(n);
        Ok(Addresses::collect((0..n).map_while(|_| switch.book.take())))
    }

    /// The quota that leaves no room now for so many more interfaces and addresses. The cluster's
    /// security group has the primary interfaces of its nodes too.
    #[must_use]
    pub fn quota_refusing(&self, enis: u32, addresses: u32) -> Option<Quota> {
        let over = |most: Option<u64>, have: u64, more: u32| {
            more > 0 && most.is_some_and(|most| have + u64::from(more) > most)
        };
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

    fn unassign(&mut self, eni: EniId, addresses: &[Ipv4Addr]) {
        let Some(interface) = self.enis[eni.index()].as_deref_mut() else { return };
        let switch = &mut self.vswitches[interface.vswitch.index()];
        interface.addresses.retain(|address| {
            let gone = addresses.contains(address);
            if gone {
                switch.book.give_back(*address);
                switch.on_enis -= 1;
                switch.leaked -= u32::from(interface.standing == Standing::Leaked);
                self.eni_addresses -= 1;
            }
            !gone
        });
    }

    fn delete(&mut self, eni: EniId) {
        let Some(node) = self.interface(eni).map(|interface| interface.instance) else { return };
        self.instances[node.index()].enis.retain(|&other| other != eni);
        self.destroy(eni);
    }

    fn destroy(&mut self, eni: EniId) {
        self.adopt(eni);
        let Some(interface) = self.enis[eni.index()].take() else { return };
        let switch = &mut self.vswitches[interface.vswitch.index()];
        for address in &interface.addresses {
            switch.book.give_back(*address);
        }
        for prefix in &interface.prefixes {
            switch.book.give_back_prefix(*prefix);
        }
        switch.on_enis -= interface.addresses.len() as u32;
        switch.prefixes -= interface.prefixes.len() as u32;
        self.eni_addresses -= u64::from(interface.size());
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
        self.vswitches
            .iter()
            .map(|switch| u64::from(switch.book.usable() - switch.book.free() - switch.book.reserved()))
            .sum()
    }

    /// The vSwitch of an interface, also of one that is deleted.
    #[must_use]
    pub fn vswitch_of(&self, eni: EniId) -> Option<VSwitchId> {
        self.eni_vswitch.get(eni.index()).copied()
    }

    /// The primary address of an interface that exists.
    #[must_use]
    pub fn primary_of(&self, eni: EniId) -> Option<Ipv4Addr> {
        self.interface(eni).map(|interface| interface.addresses[0])
    }

    /// The instance that an interface was made for; `None` = it is deleted.
    #[must_use]
    pub fn instance_of(&self, eni: EniId) -> Option<NodeId> {
        self.interface(eni).map(|interface| interface.instance)
    }

    /// What instance metadata lists: the attached secondary interfaces of a node, without members of its
    /// trunk.
    #[must_use]
    pub fn attached(&self, node: NodeId) -> Vec<Attached> {
        let enis = self.instances[node.index()].enis.iter();
        let found = enis.filter_map(|&id| Some((id, self.interface(id).filter(|e| e.attached && !e.member)?)));
        found
            .map(|(id, e)| Attached {
                eni: Eni { id, vswitch: e.vswitch, primary: e.addresses[0] },
                kind: e.kind,
                addresses: e.addresses.clone(),
                v6: e.v6.clone(),
            })
            .collect()
    }

    /// The interfaces made for a node, attached or not, each with its vSwitch and its single
    /// addresses.
    pub fn interfaces(&self, node: NodeId) -> impl Iterator<Item = (EniId, VSwitchId, &[Ipv4Addr])> {
        let enis = self.instances[node.index()].enis.iter();
        let known = enis.filter_map(|&id| Some((id, self.interface(id).filter(|e| e.standing == Standing::Known)?)));
        known.map(|(id, e)| (id, e.vswitch, e.addresses.as_slice()))
    }

    /// Whether `address` is on interface `eni`, in a prefix or not, and that on the node.
    #[must_use]
    pub fn holds(&self, node: NodeId, eni: EniId, address: Ipv4Addr) -> bool {
        let in_prefix = |prefix: &Ipv4Addr| u32::from(address).wrapping_sub(u32::from(*prefix)) < PREFIX;
        self.interface(eni)
            .filter(|interface| interface.instance == node)
            .is_some_and(|interface| interface.addresses.contains(&address) || interface.prefixes.iter().any(in_prefix))
    }

    /// The prefixes of an interface, each by its first address.
    #[must_use]
    pub fn prefixes(&self, eni: EniId) -> &[Ipv4Addr] {
        self.interface(eni).map_or(&[], |interface| interface.prefixes.as_slice())
    }

    /// Secondary interfaces that the daemon of a node knows and the single addresses on them, attached
    /// or not.
    #[must_use]
    pub fn node_enis(&self, node: NodeId) -> (u32, u32) {
        let enis = self.instances[node.index()].enis.iter().filter_map(|&id| self.interface(id));
        let known = enis.filter(|interface| interface.standing == Standing::Known);
        known.fold((0, 0), |(enis, addresses), interface| (enis + 1, addresses + interface.addresses.len() as u32))
    }

    /// Number of vSwitches.
    #[must_use]
    pub fn vswitch_count(&self) -> usize {
        self.vswitches.len()
    }
}

/// What a call is answered with that a quota has no room for.
fn code(quota: Quota) -> ErrorCode {
    match quota {
        Quota::EnisPerRegion => ErrorCode::EniPerRegion,
        Quota::SecurityGroupAddresses => ErrorCode::SecurityGroup,
        Quota::VpcAddresses => ErrorCode::QuotaPrivateIp,
    }
}

#[cfg(test)]
mod tests;

//! The cloud of the golden cases: it counts addresses, and carries out a call at the end of its
//! latency.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::case::{Case, Latency};
use crate::address::V6Addr;
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::centralized::{Answer, Interface, Kind, Request, State};
use crate::time::{Instant, Span};

/// vSwitches and interfaces.
#[derive(Debug)]
pub(super) struct Cloud {
    latency: Latency,
    /// Interfaces that an instance may have beside its primary one, and addresses of each, per family.
    slots: usize,
    ips_per_eni: usize,
    /// Free addresses and prefixes.
    vswitches: Vec<(u32, u32)>,
    enis: BTreeMap<EniId, Eni>,
    next_eni: u32,
    next_address: u32,
    next_ipv6: u32,
}

/// An interface.
#[derive(Debug)]
struct Eni {
    node: NodeId,
    vswitch: VSwitchId,
    kind: Kind,
    addresses: Vec<Ipv4Addr>,
    prefixes: Vec<Ipv4Addr>,
    ipv6: Vec<V6Addr>,
    ipv6_prefixes: Vec<V6Addr>,
    state: State,
    /// What it becomes by itself, and when.
    settles: Option<(Instant, State)>,
}

impl Eni {
    fn state(&self, now: Instant) -> State {
        self.settles.filter(|(at, _)| *at <= now).map_or(self.state, |(_, state)| state)
    }

    fn is_attached_to(&self, now: Instant, node: NodeId) -> bool {
        self.node == node && self.state(now) != State::Available
    }
}

impl Cloud {
    pub fn new(case: &Case) -> Self {
        Self {
            latency: case.latency_ms,
            slots: case.adapters.saturating_sub(1) as usize,
            ips_per_eni: case.ips_per_eni as usize,
            vswitches: case.vswitches.iter().map(|vswitch| (vswitch.available, vswitch.prefixes)).collect(),
            enis: BTreeMap::new(),
            next_eni: 0,
            next_address: u32::from(Ipv4Addr::new(10, 0, 0, 0)),
            next_ipv6: 0,
        }
    }

    /// How long a call takes.
    pub fn latency(&self, request: &Request) -> Span {
        Span::millis(match request {
            Request::DescribeVSwitch(_) => self.latency.vswitch,
            Request::Create { .. } => self.latency.create,
            Request::Attach(..) => self.latency.attach,
            Request::Describe(_) | Request::DescribeInstance(_) | Request::DescribeAttached(..) => {
                self.latency.describe
            }
            Request::Assign(..)
            | Request::AssignPrefixes(..)
            | Request::AssignIpv6(..)
            | Request::AssignIpv6Prefixes(..) => self.latency.assign,
            Request::Unassign(..) | Request::UnassignIpv6(..) => self.latency.unassign,
            Request::Detach(..) => self.latency.detach,
            Request::Delete(_) => self.latency.delete,
        })
    }

    /// Carries out a call that ends now.
    pub fn execute(&mut self, now: Instant, request: &Request) -> Result<Answer, &'static str> {
        match request {
            Request::DescribeVSwitch(id) => Ok(Answer::VSwitch(self.vswitches[id.index()].0)),
            &Request::Create { node, vswitch, kind, addresses, ipv6 } => {
                self.create(node, vswitch, kind, [addresses, ipv6])
            }
            &Request::Attach(eni, node) => self.attach(now, eni, node),
            Request::Describe(eni) => Ok(self.describe(now, |id, _| id == *eni)),
            Request::DescribeInstance(node) => Ok(self.describe(now, |_, eni| eni.is_attached_to(now, *node))),
            Request::DescribeAttached(eni, node) => {
                Ok(self.describe(now, |id, found| id == *eni && found.is_attached_to(now, *node)))
            }
            &Request::Assign(eni, n) => self.assign(eni, n).map(Answer::Assigned),
            &Request::AssignPrefixes(eni, n) => self.assign_prefixes(eni, n).map(Answer::AssignedPrefixes),
            &Request::AssignIpv6(eni, n) => self.assign_ipv6(eni, n).map(Answer::AssignedIpv6),
            &Request::AssignIpv6Prefixes(eni, n) => self.assign_ipv6_prefixes(eni, n).map(Answer::AssignedIpv6Prefixes),
            Request::Unassign(eni, addresses) => self.unassign(*eni, addresses),
            Request::UnassignIpv6(eni, addresses) => self.unassign_ipv6(*eni, addresses),
            &Request::Detach(eni, _) => self.detach(now, eni),
            &Request::Delete(eni) => self.delete(now, eni),
        }
    }

    /// Free addresses of each vSwitch.
    pub fn available(&self) -> impl Iterator<Item = u32> {
        self.vswitches.iter().map(|(free, _)| *free)
    }

    /// Adds free addresses to a vSwitch, or takes them.
    pub fn add_free(&mut self, vswitch: usize, delta: i64) {
        let free = &mut self.vswitches[vswitch].0;
        *free = u32::try_from((i64::from(*free) + delta).max(0)).unwrap_or(u32::MAX);
    }

    /// Interfaces, addresses and prefixes of a node.
    pub fn holds(&self, node: NodeId) -> [i64; 3] {
        let mut sums = [0; 3];
        for eni in self.enis.values().filter(|eni| eni.node == node) {
            sums[0] += 1;
            sums[1] += eni.addresses.len() as i64;
            sums[2] += eni.prefixes.len() as i64;
        }
        sums
    }

    /// IPv6 addresses and prefixes of a node.
    pub fn holds_ipv6(&self, node: NodeId) -> [i64; 2] {
        let mut sums = [0; 2];
        for eni in self.enis.values().filter(|eni| eni.node == node) {
            sums[0] += eni.ipv6.len() as i64;
            sums[1] += eni.ipv6_prefixes.len() as i64;
        }
        sums
    }

    fn create(
        &mut self,
        node: NodeId,
        vswitch: VSwitchId,
        kind: Kind,
        [ipv4, ipv6]: [u32; 2],
    ) -> Result<Answer, &'static str> {
        let addresses = self.take(vswitch, ipv4)?;
        let ipv6 = self.names_ipv6(ipv6);
        let id = EniId(self.next_eni);
        self.next_eni += 1;
        let (state, settles, prefixes, ipv6_prefixes) = (State::Available, None, Vec::new(), Vec::new());
        self.enis.insert(id, Eni { node, vswitch, kind, addresses, prefixes, ipv6, ipv6_prefixes, state, settles });
        Ok(Answer::Created(id))
    }

    fn attach(&mut self, now: Instant, id: EniId, node: NodeId) -> Result<Answer, &'static str> {
        let attached = self.enis.values().filter(|eni| eni.is_attached_to(now, node)).count();
        let slots = self.slots;
        let settle = Span::millis(self.latency.attach_settle);
        let eni = self.known(id)?;
        if eni.state(now) != State::Available {
            return Err("InvalidOperation.InvalidEniState");
        }
        if attached >= slots {
            return Err("EniPerInstanceLimitExceeded");
        }
        eni.state = State::Attaching;
        eni.settles = Some((now + settle, State::InUse));
        Ok(Answer::Done)
    }

    fn describe(&self, now: Instant, wanted: impl Fn(EniId, &Eni) -> bool) -> Answer {
        let found = self.enis.iter().filter(|(id, eni)| wanted(**id, eni));
        let shown = |(&id, eni): (_, &Eni)| Interface {
            id,
            vswitch: eni.vswitch,
            kind: eni.kind,
            state: eni.state(now),
            addresses: eni.addresses.clone(),
            prefixes: eni.prefixes.clone(),
            ipv6: eni.ipv6.clone(),
            ipv6_prefixes: eni.ipv6_prefixes.clone(),
        };
        Answer::Interfaces(found.map(shown).collect())
    }

    fn assign(&mut self, id: EniId, n: u32) -> Result<Vec<Ipv4Addr>, &'static str> {
        let vswitch = self.room_on(id, n)?;
        let addresses = self.take(vswitch, n)?;
        self.known(id)?.addresses.extend(&addresses);
        Ok(addresses)
    }

    fn assign_prefixes(&mut self, id: EniId, n: u32) -> Result<Vec<Ipv4Addr>, &'static str> {
        let vswitch = self.room_on(id, n)?;
        let free = &mut self.vswitches[vswitch.index()].1;
        *free = free.checked_sub(n).ok_or("InvalidVSwitchId.IpPrefixNotEnough")?;
        let prefixes = self.names(n);
        self.known(id)?.prefixes.extend(&prefixes);
        Ok(prefixes)
    }

    /// The vSwitch of an interface that has room for `n` more.
    fn room_on(&mut self, id: EniId, n: u32) -> Result<VSwitchId, &'static str> {
        let most = self.ips_per_eni;
        let eni = self.known(id)?;
        let used = eni.addresses.len() + eni.prefixes.len();
        if used + n as usize > most { Err("InvalidOperation.Ipv4CountExceeded") } else { Ok(eni.vswitch) }
    }

    /// IPv6 addresses never run out; only the interface has limits.
    fn assign_ipv6(&mut self, id: EniId, n: u32) -> Result<Vec<V6Addr>, &'static str> {
        self.room_for_ipv6(id, n)?;
        let addresses = self.names_ipv6(n);
        self.known(id)?.ipv6.extend(&addresses);
        Ok(addresses)
    }

    fn assign_ipv6_prefixes(&mut self, id: EniId, n: u32) -> Result<Vec<V6Addr>, &'static str> {
        self.room_for_ipv6(id, n)?;
        let prefixes = self.names_ipv6(n);
        self.known(id)?.ipv6_prefixes.extend(&prefixes);
        Ok(prefixes)
    }

    fn room_for_ipv6(&mut self, id: EniId, n: u32) -> Result<(), &'static str> {
        let most = self.ips_per_eni;
        let eni = self.known(id)?;
        let used = eni.ipv6.len() + eni.ipv6_prefixes.len();
        if used + n as usize > most { Err("InvalidOperation.Ipv6CountExceeded") } else { Ok(()) }
    }

    fn unassign_ipv6(&mut self, id: EniId, addresses: &[V6Addr]) -> Result<Answer, &'static str> {
        self.known(id)?.ipv6.retain(|address| !addresses.contains(address));
        Ok(Answer::Done)
    }

    fn unassign(&mut self, id: EniId, addresses: &[Ipv4Addr]) -> Result<Answer, &'static str> {
        let eni = self.known(id)?;
        let before = eni.addresses.len();
        eni.addresses.retain(|address| !addresses.contains(address));
        let (vswitch, given_back) = (eni.vswitch, before - eni.addresses.len());
        self.vswitches[vswitch.index()].0 += given_back as u32;
        Ok(Answer::Done)
    }

    fn detach(&mut self, now: Instant, id: EniId) -> Result<Answer, &'static str> {
        let settle = Span::millis(self.latency.detach_settle);
        let eni = self.known(id)?;
        if eni.state(now) != State::Available {
            eni.state = State::Detaching;
            eni.settles = Some((now + settle, State::Available));
        }
        Ok(Answer::Done)
    }

    fn delete(&mut self, now: Instant, id: EniId) -> Result<Answer, &'static str> {
        let eni = self.known(id)?;
        if eni.state(now) != State::Available {
            return Err("InvalidOperation.InvalidEniState");
        }
        let (vswitch, addresses, prefixes) = (eni.vswitch, eni.addresses.len(), eni.prefixes.len());
        self.enis.remove(&id);
        let free = &mut self.vswitches[vswitch.index()];
        free.0 += addresses as u32;
        free.1 += prefixes as u32;
        Ok(Answer::Done)
    }

    fn known(&mut self, id: EniId) -> Result<&mut Eni, &'static str> {
        self.enis.get_mut(&id).ok_or("InvalidEniId.NotFound")
    }

    /// All or nothing.
    fn take(&mut self, vswitch: VSwitchId, n: u32) -> Result<Vec<Ipv4Addr>, &'static str> {
        let free = &mut self.vswitches[vswitch.index()].0;
        *free = free.checked_sub(n).ok_or("InvalidVSwitchId.IpNotEnough")?;
        Ok(self.names(n))
    }

    /// Names that nobody had yet: which addresses are handed out does not matter here.
    fn names(&mut self, n: u32) -> Vec<Ipv4Addr> {
        let first = self.next_address;
        self.next_address += n;
        (first..self.next_address).map(Ipv4Addr::from).collect()
    }

    fn names_ipv6(&mut self, n: u32) -> Vec<V6Addr> {
        let first = self.next_ipv6;
        self.next_ipv6 += n;
        (first..self.next_ipv6).map(V6Addr).collect()
    }
}

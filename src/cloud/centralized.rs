//! The calls of the centralized controller, carried out on the same books as those of daemons.

use std::net::Ipv4Addr;

use super::{Cloud, Interface, Standing, code};
use crate::address::PREFIX;
use crate::id::{EniId, NodeId};
use crate::ipam::centralized::{self, Answer, Request, State};
use crate::openapi::ErrorCode;
use crate::time::Instant;

impl Cloud {
    /// Carries out a call that the controller made for `node`; this is the moment of the answer, at
    /// which all of it happens: what is attached is in use at once. The node may have been released
    /// since: an interface is made for it all the same, and leaks.
    ///
    /// The cloud knows an interface for as long as it exists, also one that leaked. A detach from an
    /// instance to which it is not attached succeeds and changes nothing (what the real one answers
    /// is not known, rule C94).
    ///
    /// # Errors
    /// Why the call was refused; then it changed nothing.
    pub fn carry_out(&mut self, now: Instant, node: NodeId, request: &Request) -> Result<Answer, ErrorCode> {
        self.admit(request.api(), now)?;
        match request {
            Request::DescribeVSwitch(id) => self.describe_vswitch(*id).map(Answer::VSwitch),
            &Request::Create { vswitch, kind, addresses, ipv6, .. } => {
                let (eni, _) = self.create(node, vswitch, kind, addresses)?;
                self.add_v6(eni, batch(ipv6));
                Ok(Answer::Created(eni))
            }
            &Request::Attach(eni, to) => self.attach_available(eni, to).map(|()| Answer::Done),
            &Request::Describe(eni) => Ok(self.described(Some(eni), |_| true)),
            &Request::DescribeInstance(node) => {
                let enis = self.instances[node.index()].enis.iter().copied();
                // Members are asked for by their own type (`pkg/controller/multi-ip/node/pool.go:452-459`).
                Ok(self.described(enis, |interface| interface.attached && !interface.member))
            }
            &Request::DescribeAttached(eni, node) => {
                Ok(self.described(Some(eni), |interface| interface.attached && interface.instance == node))
            }
            &Request::Assign(eni, n) => self.assign(eni, n).map(|addresses| Answer::Assigned(addresses.to_vec())),
            &Request::AssignPrefixes(eni, n) => self.assign_prefixes(eni, n).map(Answer::AssignedPrefixes),
            &Request::AssignIpv6(eni, n) => {
                self.assign_v6(eni, batch(n)).map(|addresses| Answer::AssignedIpv6(addresses.to_vec()))
            }
            &Request::AssignIpv6Prefixes(eni, n) => {
                self.assign_v6_prefixes(eni, batch(n)).map(Answer::AssignedIpv6Prefixes)
            }
            Request::UnassignIpv6(eni, addresses) => {
                self.known(*eni)?;
                self.unassign_v6(*eni, addresses);
                Ok(Answer::Done)
            }
            Request::Unassign(eni, addresses) => {
                self.known(*eni)?;
                self.unassign(*eni, addresses);
                Ok(Answer::Done)
            }
            &Request::Detach(eni, from) => self.detach(eni, from).map(|()| Answer::Done),
            &Request::Delete(eni) => {
                self.available(eni)?;
                self.delete(eni);
                Ok(Answer::Done)
            }
        }
    }

    /// Attaches an interface that belongs to no instance, which need not be the one that it was made
    /// for.
    fn attach_available(&mut self, eni: EniId, to: NodeId) -> Result<(), ErrorCode> {
        let from = self.available(eni)?.instance;
        if self.instances[to.index()].released {
            return Err(ErrorCode::NoInstance);
        }
        self.attach(eni, to)?;
        if from != to || self.is_held(eni) {
            self.instances[from.index()].enis.retain(|&other| other != eni);
            self.instances[to.index()].enis.push(eni);
            self.enis[eni.index()].as_deref_mut().expect("it is attached").instance = to;
        }
        self.adopt(eni);
        Ok(())
    }

    /// `n` prefixes, or none at all. In the account's quotas each counts as 16 addresses, which is an
    /// assumption.
    fn assign_prefixes(&mut self, eni: EniId, n: u32) -> Result<Vec<Ipv4Addr>, ErrorCode> {
        let vswitch = self.with_room(eni, n)?;
        if let Some(quota) = self.quota_refusing(0, n * PREFIX) {
            return Err(code(quota));
        }
        let switch = &mut self.vswitches[vswitch.index()];
        if switch.book.free_prefixes() < n {
            return Err(ErrorCode::PrefixNotEnough);
        }
        let prefixes: Vec<_> = (0..n).map_while(|_| switch.book.take_prefix()).collect();
        let interface = self.enis[eni.index()].as_deref_mut().expect("it has room");
        interface.prefixes.extend_from_slice(&prefixes);
        switch.prefixes += n;
        switch.leaked += if interface.standing == Standing::Leaked { n * PREFIX } else { 0 };
        self.eni_addresses += u64::from(n * PREFIX);
        Ok(prefixes)
    }

    fn detach(&mut self, eni: EniId, from: NodeId) -> Result<(), ErrorCode> {
        let interface = self.enis[eni.index()].as_deref_mut().ok_or(ErrorCode::NotFound)?;
        interface.attached &= interface.instance != from;
        Ok(())
    }

    /// What is known of those interfaces that exist and are wanted.
    fn described(&self, enis: impl IntoIterator<Item = EniId>, wanted: impl Fn(&Interface) -> bool) -> Answer {
        let found = enis.into_iter().filter_map(|id| Some((id, self.interface(id).filter(|eni| wanted(eni))?)));
        let shown = |(id, interface): (EniId, &Interface)| centralized::Interface {
            id,
            vswitch: interface.vswitch,
            kind: interface.kind,
            state: if interface.attached { State::InUse } else { State::Available },
            addresses: interface.addresses.clone(),
            prefixes: interface.prefixes.clone(),
            ipv6: interface.v6.clone(),
            ipv6_prefixes: interface.v6_prefixes.clone(),
        };
        Answer::Interfaces(found.map(shown).collect())
    }

    /// An interface that exists.
    fn known(&self, eni: EniId) -> Result<&Interface, ErrorCode> {
        self.interface(eni).ok_or(ErrorCode::NotFound)
    }

    /// An interface that belongs to no instance.
    fn available(&self, eni: EniId) -> Result<&Interface, ErrorCode> {
        let interface = self.known(eni)?;
        if interface.attached { Err(ErrorCode::EniState) } else { Ok(interface) }
    }
}

/// A number of addresses of one call.
fn batch(n: u32) -> u8 {
    u8::try_from(n).expect("nobody asks for more than a batch at once")
}

#[cfg(test)]
mod tests;

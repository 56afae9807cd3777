//! OpenAPI calls of the three controllers, their answers, and the client-side limits (C157).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::config::Settings;
use super::resource::Place;
use crate::address::V6Addr;
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::centralized::{PodKey, State};
use crate::ipam::throttle::TokenBucket;
use crate::openapi::Api;
use crate::time::Instant;

/// Names a call in its answer. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(u64);

/// An OpenAPI request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// DescribeVSwitches of one.
    DescribeVSwitch(VSwitchId),
    /// CreateNetworkInterface with one IPv4 address (C146).
    Create {
        /// For a pod of which node; the interface belongs to no instance yet.
        node: NodeId,
        /// Where.
        vswitch: VSwitchId,
        /// Whether it gets an IPv6 address too.
        ipv6: bool,
        /// Whether it outlives the instance that it is attached to: it has a fixed address (C148).
        outlives_instance: bool,
    },
    /// AttachNetworkInterface to an instance, or to a trunk interface of it.
    Attach(EniId, Place),
    /// DescribeNetworkInterfaces of one, attached or not.
    Describe(EniId),
    /// DetachNetworkInterface.
    Detach(EniId, Place),
    /// DeleteNetworkInterface.
    Delete(EniId),
    /// DescribeNetworkInterfaces of all that such controllers have ever created (C150).
    List(Listing),
}

/// Which interfaces the sweep for leaks asks for (C150).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Type Secondary, status Available: they belong to no instance.
    Available,
    /// Type Member, status InUse.
    Members,
}

impl Request {
    /// The action.
    #[must_use]
    pub fn api(&self) -> Api {
        match self {
            Self::DescribeVSwitch(_) => Api::DescribeVSwitches,
            Self::Create { .. } => Api::CreateNetworkInterface,
            Self::Attach(..) => Api::AttachNetworkInterface,
            Self::Describe(_) | Self::List(_) => Api::DescribeNetworkInterfaces,
            Self::Detach(..) => Api::DetachNetworkInterface,
            Self::Delete(_) => Api::DeleteNetworkInterface,
        }
    }

    /// Every action of these requests.
    pub const APIS: [Api; 6] = [
        Api::CreateNetworkInterface,
        Api::AttachNetworkInterface,
        Api::DetachNetworkInterface,
        Api::DeleteNetworkInterface,
        Api::DescribeNetworkInterfaces,
        Api::DescribeVSwitches,
    ];
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Free addresses of the vSwitch.
    VSwitch(u32),
    /// The new interface.
    Created {
        /// Its ID.
        eni: EniId,
        /// Its IPv4 address.
        address: Ipv4Addr,
        /// Its IPv6 address, if one was asked for.
        ipv6: Option<V6Addr>,
    },
    /// What the interface is doing; `None` = there is no such interface.
    Described(Option<State>),
    /// What [`Request::List`] found.
    Listed(Vec<Listed>),
    /// Attached, detached or deleted.
    Done,
}

/// An interface that a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its ID.
    pub eni: EniId,
    /// When it was created.
    pub created: Instant,
    /// Where it is attached.
    pub place: Option<Place>,
}

/// Limits, and calls under way.
#[derive(Debug)]
pub(super) struct Client {
    limits: [Option<TokenBucket>; Api::ALL.len()],
    pending: BTreeMap<CallId, Caller>,
    next: u64,
}

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The creation of a pod's n-th interface.
    Creation(PodKey, usize),
    /// The run of an interface.
    Interface(EniId),
    /// All that look up a vSwitch.
    LookUp(VSwitchId),
    /// The sweep for leaks.
    Sweep,
}

impl Client {
    /// Full buckets.
    pub fn new(settings: &Settings) -> Self {
        let per_minute = |limit: u32| TokenBucket::full(f64::from(limit) / 60.0, limit);
        Self { limits: settings.rate_limit.map(|limit| limit.map(per_minute)), pending: BTreeMap::new(), next: 0 }
    }

    /// The client of a process that starts anew; nobody waits for what is under way (C4).
    pub fn restarted(&self, settings: &Settings) -> Self {
        Self { next: self.next, ..Self::new(settings) }
    }

    /// Names a call, and when its limit lets it leave.
    pub fn call(&mut self, now: Instant, api: Api, caller: Caller) -> (CallId, Instant) {
        let at = self.limits[api.index()].as_mut().map_or(now, |bucket| bucket.take(now));
        let call = CallId(self.next);
        self.next += 1;
        self.pending.insert(call, caller);
        (call, at)
    }

    /// Another controller of the process makes a call.
    pub fn took(&mut self, now: Instant, api: Api) {
        if let Some(bucket) = &mut self.limits[api.index()] {
            bucket.take(now);
        }
    }

    /// Whether somebody waits for this answer.
    pub fn awaits(&self, call: CallId) -> bool {
        self.pending.contains_key(&call)
    }

    /// Who waits for this answer; `None` if whoever asked is dead.
    pub fn answered(&mut self, call: CallId) -> Option<Caller> {
        self.pending.remove(&call)
    }
}

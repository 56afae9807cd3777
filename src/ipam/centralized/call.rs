//! The controller's OpenAPI calls and their answers.

use std::net::Ipv4Addr;

use crate::address::{PREFIX, V6Addr};
use crate::id::{EniId, NodeId, VSwitchId};
pub use crate::ipam::Kind;
use crate::openapi::{Api, ErrorCode};

/// Names a call, or a write, in its answer. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub(super) u64);

/// An OpenAPI request.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// DescribeVSwitches of one.
    DescribeVSwitch(VSwitchId),
    /// CreateNetworkInterface.
    Create {
        /// For which node.
        node: NodeId,
        /// Where.
        vswitch: VSwitchId,
        /// Of which kind.
        kind: Kind,
        /// IPv4 addresses in all, the primary one included.
        addresses: u32,
        /// IPv6 addresses.
        ipv6: u32,
    },
    /// AttachNetworkInterface to the instance of a node.
    Attach(EniId, NodeId),
    /// DescribeNetworkInterfaces of one, attached or not.
    Describe(EniId),
    /// DescribeNetworkInterfaces of everything attached to the instance of a node.
    DescribeInstance(NodeId),
    /// DescribeNetworkInterfaces of one, if it is attached to the instance of a node.
    DescribeAttached(EniId, NodeId),
    /// AssignPrivateIpAddresses: this many addresses.
    Assign(EniId, u32),
    /// AssignPrivateIpAddresses: this many /28 prefixes.
    AssignPrefixes(EniId, u32),
    /// AssignIpv6Addresses: this many addresses.
    AssignIpv6(EniId, u32),
    /// AssignIpv6Addresses: this many prefixes.
    AssignIpv6Prefixes(EniId, u32),
    /// UnassignPrivateIpAddresses.
    Unassign(EniId, Vec<Ipv4Addr>),
    /// UnassignIpv6Addresses.
    UnassignIpv6(EniId, Vec<V6Addr>),
    /// DetachNetworkInterface from the instance of a node.
    Detach(EniId, NodeId),
    /// DeleteNetworkInterface.
    Delete(EniId),
}

impl Request {
    /// The action.
    #[must_use]
    pub fn api(&self) -> Api {
        match self {
            Self::DescribeVSwitch(_) => Api::DescribeVSwitches,
            Self::Create { .. } => Api::CreateNetworkInterface,
            Self::Attach(..) => Api::AttachNetworkInterface,
            Self::Describe(_) | Self::DescribeInstance(_) | Self::DescribeAttached(..) => {
                Api::DescribeNetworkInterfaces
            }
            Self::Assign(..) | Self::AssignPrefixes(..) => Api::AssignPrivateIpAddresses,
            Self::AssignIpv6(..) | Self::AssignIpv6Prefixes(..) => Api::AssignIpv6Addresses,
            Self::Unassign(..) => Api::UnassignPrivateIpAddresses,
            Self::UnassignIpv6(..) => Api::UnassignIpv6Addresses,
            Self::Detach(..) => Api::DetachNetworkInterface,
            Self::Delete(_) => Api::DeleteNetworkInterface,
        }
    }

    /// Interfaces and addresses that it asks for, those of prefixes among them.
    #[must_use]
    pub fn wants(&self) -> (u32, u32) {
        match *self {
            Self::Create { addresses, .. } => (1, addresses),
            Self::Assign(_, n) => (0, n),
            Self::AssignPrefixes(_, n) => (0, n * PREFIX),
            _ => (0, 0),
        }
    }
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Free addresses of the vSwitch.
    VSwitch(u32),
    /// The new interface. The answer says neither its traffic mode (C65) nor prefixes.
    Created(EniId),
    /// The interfaces that were found.
    Interfaces(Vec<Interface>),
    /// New addresses.
    Assigned(Vec<Ipv4Addr>),
    /// New prefixes: the first address of each.
    AssignedPrefixes(Vec<Ipv4Addr>),
    /// New IPv6 addresses.
    AssignedIpv6(Vec<V6Addr>),
    /// New IPv6 prefixes, each by its number in the vSwitch.
    AssignedIpv6Prefixes(Vec<V6Addr>),
    /// Attached, detached, unassigned or deleted.
    Done,
}

/// An interface as the cloud describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// Its ID.
    pub id: EniId,
    /// Its vSwitch, for life (C77).
    pub vswitch: VSwitchId,
    /// Its kind.
    pub kind: Kind,
    /// What it is doing.
    pub state: State,
    /// All its IPv4 addresses, the primary one first.
    pub addresses: Vec<Ipv4Addr>,
    /// The first address of each of its IPv4 prefixes.
    pub prefixes: Vec<Ipv4Addr>,
    /// Its IPv6 addresses, of which none is primary.
    pub ipv6: Vec<V6Addr>,
    /// Its IPv6 prefixes, each by its number in the vSwitch.
    pub ipv6_prefixes: Vec<V6Addr>,
}

/// What an interface is doing, in the cloud's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It belongs to no instance.
    Available,
    /// It is being attached.
    Attaching,
    /// It is attached.
    InUse,
    /// It is being detached.
    Detaching,
}

/// Why the cloud refused a call, as far as the controller tells reasons apart (C34, C69, C71,
/// C72, C94).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The vSwitch, or the account's quota, has too few addresses: both are treated alike.
    IpNotEnough,
    /// The instance, or the interface, has no room: the controller's picture of it is wrong.
    Full,
    /// There is no such interface.
    NotFound,
    /// There is no such instance.
    NoInstance,
    /// The interface does not have the address.
    NotAssigned,
    /// Too many calls, or the server failed: try again.
    Transient,
    /// Something else is being done to the interface: try again, but for a create.
    Conflict,
    /// Anything else.
    Other,
}

impl Refusal {
    /// The meaning of an error code; every code that upstream does not know is `Other`, so are
    /// variants such as `Throttling.User`.
    #[must_use]
    pub fn of(code: &str) -> Self {
        match code {
            "InvalidVSwitchId.IpNotEnough" | "QuotaExceeded.PrivateIpAddress" => Self::IpNotEnough,
            "EniPerInstanceLimitExceeded"
            | "InvalidOperation.Ipv4CountExceeded"
            | "InvalidOperation.Ipv6CountExceeded" => Self::Full,
            "InvalidEniId.NotFound" => Self::NotFound,
            "InvalidEcsId.NotFound" => Self::NoInstance,
            "InvalidIp.IpUnassigned" => Self::NotAssigned,
            "Throttling" | "InternalError" => Self::Transient,
            "Operation.Conflict" => Self::Conflict,
            _ => Self::Other,
        }
    }
}

impl From<ErrorCode> for Refusal {
    /// The meaning of a code of the simulated cloud, as [`Refusal::of`] has it for those that it shares
    /// with upstream.
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::IpNotEnough | ErrorCode::QuotaPrivateIp => Self::IpNotEnough,
            ErrorCode::EniPerInstance | ErrorCode::IpPerEni => Self::Full,
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::NoInstance => Self::NoInstance,
            ErrorCode::Throttling | ErrorCode::Internal => Self::Transient,
            ErrorCode::SecurityGroup | ErrorCode::EniPerRegion | ErrorCode::EniState | ErrorCode::PrefixNotEnough => {
                Self::Other
            }
        }
    }
}

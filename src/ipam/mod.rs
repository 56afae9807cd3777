//! The allocation core: what Terway's daemon decides, without clock, thread, file or network.
//!
//! # Contract
//! Time, chance and I/O are inputs. A core has `handle(now, Input)`, `poll() -> Option<Output>`,
//! `poll_timeout() -> Instant` (never = [`Instant::NEVER`]) and getters; nothing else. Drain
//! `poll` before the next `handle`.
//!
//! `PORTING.md` is the ledger of rules: R1 to R158 for the daemon's own allocator, which this
//! module's [`Input`] and [`Output`] are for; C1 to C164 for [`centralized`] IPAM, which has its
//! own. It names their upstream source, and what is simplified or left out.

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::address::{Address, V6Addr};
use crate::id::{EniId, PodId, VSwitchId};
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};

pub mod backoff;
pub mod centralized;
pub mod classic;
mod config;
pub mod eni_config;
mod holdings;
pub mod json;
pub mod kube_client;
pub mod limits;
pub mod node_local;
pub mod note;
mod place;
pub mod pod_eni;
pub mod throttle;
pub mod vswitch;

pub use config::{Config, Devices};
pub use holdings::{Holdings, Whereabouts};
pub use place::{Held, HeldStatus, Place};

/// Most addresses of one call (rule R31, `daemon/config.go:75-77`).
pub const BATCH: usize = 10;

/// Most addresses that one call names: before v1.4.1 the first request went along with the ten behind
/// it (rule P55).
pub const MOST_NAMED: usize = BATCH + 1;

/// Period of a daemon's collection (rules P99, R124, `daemon/daemon.go:45`).
pub const GC_PERIOD: Span = Span::mins(5);

/// Deadline of an AllocIP call at the daemon (rules R112, C115, `daemon/server.go:37`).
pub const RPC_TIMEOUT: Span = Span::secs(118);

/// What happens to a daemon.
#[derive(Debug, Clone)]
pub enum Input {
    /// CNI ADD: `pod` wants an address.
    Allocate(PodId),
    /// CNI ADD of a pod that asks for RDMA (`aliyun/erdma`): it wants an address of an interface for
    /// that (rule R50).
    AllocateRdma(PodId),
    /// The caller of a pending allocation went away: the pod was deleted.
    Cancel(PodId),
    /// CNI DEL.
    Release(Release),
    /// A call for a pod with an interface of its own.
    Own(OwnCall),
    /// The CNI ADD of such a pod has been answered, or its caller went away.
    OwnIsOver(PodId),
    /// The answer to a call.
    Reply(CallId, Result<Answer, ErrorCode>),
    /// The daemon dies with its node: until [`Input::Restart`] nothing happens to it, and what it
    /// had under way is lost (rule R135).
    Stop,
    /// As [`Input::Stop`], but the node goes on: whoever waits for an address hears of it at once.
    Kill,
    /// The daemon is restarted, with `attached` in the order of instance metadata.
    Restart {
        /// The configuration that it reads at its start.
        config: Arc<node_local::Config>,
        /// Secondary interfaces of the instance.
        attached: Vec<Attached>,
    },
    /// Nothing but time passing.
    Tick,
}

/// A pod gives its address back, and with it the IPv6 address that it has on the same interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The pod.
    pub pod: PodId,
    /// The interface of the address.
    pub eni: EniId,
    /// The address.
    pub address: Ipv4Addr,
    /// What becomes of the address.
    pub then: Fate,
}

/// A call of the CNI plugin for a pod with an interface of its own, whose address is not the daemon's to give. All that
/// such a call has to do with the daemon is the lock of its service: an ADD holds it until it is over, and neither is heard
/// while a collection waits for it (rule R125).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnCall {
    /// CNI ADD.
    Add(PodId),
    /// CNI DEL.
    Del(PodId),
}

/// What becomes of an address whose pod is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is idle at once (rule R122).
    Idle,
    /// It is retained for the pod: the second collection releases it (rules R128, R129).
    Retained,
    /// Its release never reached the daemon: the next collection finds it (rules R120, R126).
    Leaked,
}

/// An interface that a starting daemon finds (rule R137).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The interface.
    pub eni: Eni,
    /// Of which kind.
    pub kind: Kind,
    /// All its addresses, the primary one included.
    pub addresses: Vec<Ipv4Addr>,
    /// All its IPv6 addresses.
    pub v6: Vec<V6Addr>,
}

/// An interface as the daemon knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eni {
    /// Its ID.
    pub id: EniId,
    /// Its vSwitch, for life (rule R93).
    pub vswitch: VSwitchId,
    /// Its primary address.
    pub primary: Ipv4Addr,
}

/// What kind of interface, in the order in which they are used (C59).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Carries member interfaces beside its own addresses.
    Trunk,
    /// A secondary one for RDMA: traffic mode HighPerformance.
    HighPerformance,
    /// An ordinary secondary one.
    Secondary,
}

/// What a daemon does.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// It calls the API; `at` is not earlier than now (client-side limit, rule R110).
    Call {
        /// Names the call in its answer.
        call: CallId,
        /// When the call leaves.
        at: Instant,
        /// What it asks for.
        request: Request,
    },
    /// `pod` has an address.
    Allocated {
        /// The pod.
        pod: PodId,
        /// The interface.
        eni: Eni,
        /// The address.
        address: Ipv4Addr,
        /// The IPv6 address, on the same interface, if the daemon is dual stack (rule R144).
        v6: Option<V6Addr>,
        /// Whether the pod had it already: a retained address (rule R130).
        retained: bool,
    },
    /// `pod` is left without an address; the caller tries again later.
    Failed(PodId, Failure),
    /// The address of `pod` is idle again; the last that happens to a release.
    Released(PodId, EniId),
    /// A call for a pod with an interface of its own is heard, which came then.
    Heard(OwnCall, Instant),
    /// A daemon that made its trunk first has it, and can be called from now on (rule R36).
    Started,
    /// It could not make it and has died: it may be restarted (rule R36).
    NotStarted,
}

/// Why the daemon answered without an address (rules R74, R75, R131).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Failure {
    /// Every interface is full: the node has no room.
    NodeFull,
    /// No interface takes it, at least one since its vSwitch had no address within the last ten
    /// minutes; in prefix mode, since none has a prefix (rule C141).
    Inhibited,
    /// The call hung until its deadline.
    Deadline,
    /// The call hung until its deadline, and nothing was asked for the pod any more: of one family it
    /// had seen an idle address, which another pod took, so that it asked for the other family alone
    /// (rule R147).
    Peeked,
    /// The daemon restarted.
    Restart,
    /// The daemon is down: nobody listens.
    Down,
    /// What could make an address is busy: three interfaces are created or deleted, or ten requests wait
    /// for each (rules P51, P63).
    Busy,
    /// The cloud did not do what was asked for the pod, or for another whose answer it got (rules P58,
    /// P59, P64).
    Refused,
    /// No interface is on a vSwitch of eni-config, and there is no slot for another (rule P50).
    Foreign,
    /// An earlier call for the pod is not done yet (rule P92).
    Processing,
}

impl Failure {
    /// Every reason, in the order of [`Failure::index`].
    pub const ALL: [Self; 10] = [
        Self::NodeFull,
        Self::Inhibited,
        Self::Deadline,
        Self::Peeked,
        Self::Restart,
        Self::Down,
        Self::Busy,
        Self::Refused,
        Self::Foreign,
        Self::Processing,
    ];

    /// Position in [`Failure::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The text in the pod's event (rule R131).
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NodeFull | Self::Inhibited => {
                "cmdAdd: error alloc ip rpc error: code = Unknown desc = no eni can handle the allocation"
            }
            Self::Deadline | Self::Peeked => {
                "cmdAdd: error alloc ip rpc error: code = DeadlineExceeded desc = context deadline exceeded"
            }
            Self::Restart => {
                "cmdAdd: error alloc ip rpc error: code = Unavailable desc = error reading from server: EOF"
            }
            Self::Busy => {
                "cmdAdd: error alloc ip rpc error: code = Unknown desc = trigger ENI throttle, max operating concurrent: 3"
            }
            Self::Refused => {
                "cmdAdd: error alloc ip rpc error: code = Unknown desc = error create from factory: error allocate ip address"
            }
            Self::Foreign => {
                "cmdAdd: error alloc ip rpc error: code = Unknown desc = max ENI exceeded,current eni have vSwitch not as \
                 expected, please check eni-config"
            }
            Self::Processing => "cmdAdd: error alloc ip rpc error: code = Unknown desc = pod resource processing",
            Self::Down => {
                "cmdAdd: error alloc ip rpc error: code = Unavailable desc = connection error: desc = \"transport: \
                 Error while dialing: dial unix /var/run/eni/eni.socket: connect: connection refused\""
            }
        }
    }
}

/// Names a call of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallId {
    /// The slot.
    pub slot: u8,
    /// Which of the slot's two workers.
    pub worker: Worker,
    /// Starts of the daemon so far: an answer to a call of its former life is nobody's.
    pub epoch: u16,
}

/// The two workers of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// Creates and extends the interface.
    Alloc,
    /// Gives addresses back and deletes the interface.
    Dispose,
}

/// An OpenAPI request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request {
    /// DescribeVSwitches.
    DescribeVSwitch(VSwitchId),
    /// CreateNetworkInterface.
    Create {
        /// Where.
        vswitch: VSwitchId,
        /// Of which kind.
        kind: Kind,
        /// Addresses in all, the primary one included.
        addresses: u8,
        /// IPv6 addresses (rule R148).
        ipv6: u8,
    },
    /// AttachNetworkInterface.
    Attach(EniId),
    /// DescribeNetworkInterfaces.
    Describe(EniId),
    /// AssignPrivateIpAddresses: this many.
    Assign(EniId, u8),
    /// UnassignPrivateIpAddresses.
    Unassign(EniId, Addresses),
    /// AssignIpv6Addresses: this many.
    AssignV6(EniId, u8),
    /// UnassignIpv6Addresses.
    UnassignV6(EniId, V6Addresses),
    /// DetachNetworkInterface.
    Detach(EniId),
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
            Self::Attach(_) => Api::AttachNetworkInterface,
            Self::Describe(_) => Api::DescribeNetworkInterfaces,
            Self::Assign(..) => Api::AssignPrivateIpAddresses,
            Self::Unassign(..) => Api::UnassignPrivateIpAddresses,
            Self::AssignV6(..) => Api::AssignIpv6Addresses,
            Self::UnassignV6(..) => Api::UnassignIpv6Addresses,
            Self::Detach(_) => Api::DetachNetworkInterface,
            Self::Delete(_) => Api::DeleteNetworkInterface,
        }
    }

    /// Interfaces and addresses of the vSwitch that it asks for; IPv6 ones never run out.
    #[must_use]
    pub fn wants(&self) -> (u32, u32) {
        match *self {
            Self::Create { addresses, .. } => (1, addresses.into()),
            Self::Assign(_, n) => (0, n.into()),
            _ => (0, 0),
        }
    }
}

/// A successful answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// Free addresses of the vSwitch.
    VSwitch(u32),
    /// The new interface and its addresses, the primary one first, and its IPv6 addresses.
    Created(EniId, Addresses, V6Addresses),
    /// Done; instance metadata shows it from then on.
    Attached(Instant),
    /// State of the interface.
    Described {
        /// It exists.
        exists: bool,
        /// It is attached and ready.
        in_use: bool,
    },
    /// New addresses; instance metadata shows them from then on.
    Assigned(Addresses, Instant),
    /// New IPv6 addresses; instance metadata shows them from then on.
    AssignedV6(V6Addresses, Instant),
    /// Done; instance metadata shows it from then on.
    Unassigned(Instant),
    /// Done.
    Detached,
    /// Done.
    Deleted,
}

/// Up to [`MOST_NAMED`] addresses of one family, without allocation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch<A> {
    len: u8,
    list: [A; MOST_NAMED],
}

/// Up to [`MOST_NAMED`] IPv4 addresses.
pub type Addresses = Batch<Ipv4Addr>;
/// Up to [`MOST_NAMED`] IPv6 addresses.
pub type V6Addresses = Batch<V6Addr>;

impl<A: Address> Batch<A> {
    /// No address.
    pub const EMPTY: Self = Self { len: 0, list: [A::NONE; MOST_NAMED] };

    /// Collects at most [`MOST_NAMED`] addresses.
    #[must_use]
    pub fn collect(from: impl IntoIterator<Item = A>) -> Self {
        let mut addresses = Self::EMPTY;
        for address in from.into_iter().take(MOST_NAMED) {
            addresses.list[usize::from(addresses.len)] = address;
            addresses.len += 1;
        }
        addresses
    }
}

impl<A> std::ops::Deref for Batch<A> {
    type Target = [A];
    fn deref(&self) -> &[A] {
        &self.list[..usize::from(self.len)]
    }
}

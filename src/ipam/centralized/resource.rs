//! The CR `nodes.network.alibabacloud.com`: what the controller remembers of a node across runs
//! and restarts (C7 to C9).

use std::net::Ipv4Addr;

use super::binding::Spot;
use super::call::{Interface, Kind, State};
use super::family::{Family, records};
use super::go_map::GoMap;
use super::sorted_map::SortedMap;
use crate::address::V6Addr;
use crate::chance::SmallStream;
use crate::id::{EniId, Uid, VSwitchId};
use crate::time::{Instant, Span};

/// Name of a pod on its node. Keys have the order of the names, which decides who is served first
/// (C43).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodKey(pub u32);

/// The status of a node's CR.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// The node's interfaces.
    pub nics: SortedMap<EniId, Nic>,
    /// When the next full sync is due; `None` = there was none yet.
    pub next_sync: Option<Instant>,
    /// The last full sync.
    pub last_sync: Option<Instant>,
    /// The last binding or planned action (C46).
    pub last_modified: Option<Instant>,
    /// The next round of idle reclaim (C104).
    pub next_reclaim: Option<Instant>,
    /// Warm-up (C111, C112).
    pub warm_up: WarmUp,
}

/// How far the warm-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WarmUp {
    /// Addresses to order; 0 = not begun.
    pub target: u32,
    /// Addresses that were ordered since.
    pub allocated: u32,
    /// It is over for good.
    pub completed: bool,
}

/// An interface in the CR.
#[derive(Debug, Clone, PartialEq)]
pub struct Nic {
    /// What it is doing, as the controller sees or wants it (C8).
    pub state: NicState,
    /// Its vSwitch.
    pub vswitch: VSwitchId,
    /// Its kind.
    pub kind: Kind,
    /// Whether its traffic mode is recorded: until it is attached it is not, and then the
    /// interface is of no known type (C65).
    pub mode_known: bool,
    /// It is somebody else's: it keeps its pods, but gets nothing and gives nothing back (C39).
    pub unschedulable: bool,
    /// Its IPv4 addresses.
    pub addresses: SortedMap<Ipv4Addr, Ip>,
    /// Its IPv4 prefixes: first address, and whether the cloud still has it (C37).
    pub prefixes: Vec<(Ipv4Addr, bool)>,
    /// Its IPv6 addresses.
    pub ipv6: SortedMap<V6Addr, Ip>,
    /// Its IPv6 prefixes, likewise.
    pub ipv6_prefixes: Vec<(V6Addr, bool)>,
    /// Condition InsufficientIP, with its time (C84).
    pub insufficient: Option<Instant>,
    /// Condition OperationErr, with its time (C25).
    pub operation_error: Option<Instant>,
}

/// What an interface is doing (C8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NicState {
    /// It waits for its attach task.
    Attaching,
    /// It serves pods.
    InUse,
    /// It is not wanted any more.
    Deleting,
    /// The cloud is detaching it.
    Detaching,
}

/// An address in the CR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip {
    /// The interface's own: an ordinary address to pods, but never unassigned (C9).
    pub primary: bool,
    /// Whether it may be handed out.
    pub status: IpStatus,
    /// Whose it is.
    pub pod: Option<Binding>,
}

/// Whether an address may be handed out (C7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpStatus {
    /// It may.
    Valid,
    /// The cloud has lost it.
    Invalid,
    /// It is to be unassigned.
    Deleting,
}

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The name of the pod.
    pub pod: PodKey,
    /// Which pod of that name.
    pub uid: Uid,
}

impl Status {
    /// Leaves what the API server keeps of it: times are cut to whole seconds (C22).
    pub(super) fn cut_times(&mut self) {
        for time in [&mut self.next_sync, &mut self.last_sync, &mut self.last_modified, &mut self.next_reclaim] {
            *time = time.map(whole_second);
        }
        for nic in self.nics.values_mut() {
            nic.insufficient = nic.insufficient.map(whole_second);
            nic.operation_error = nic.operation_error.map(whole_second);
        }
    }

    /// Idle addresses: Valid IPv4 ones without a pod on interfaces in use, HighPerformance ones
    /// included (C53, C164).
    #[must_use]
    pub fn idle(&self) -> u32 {
        self.nics.values().filter(|nic| nic.serves()).map(Nic::idle).sum()
    }

    /// Whether the node has such a binding.
    pub(super) fn has_binding(&self, is_it: impl Fn(Binding) -> bool) -> bool {
        self.nics.values().any(|nic| nic.ips().any(|ip| ip.pod.is_some_and(&is_it)))
    }

    /// Where the IPv4 address of a pod stands: it is given one at most.
    pub(super) fn spot_of(&self, uid: Uid) -> Option<Spot> {
        (0..).zip(self.nics.values()).find_map(|(nic, of)| {
            let address = of.addresses.values().position(|ip| ip.pod.is_some_and(|pod| pod.uid == uid))?;
            Some(Spot { nic, address: address as u32 })
        })
    }

    /// The IPv4 address that stands there, with its interface.
    pub(super) fn at(&self, spot: Spot) -> (EniId, Ipv4Addr, &Ip) {
        let (&eni, nic) = self.nics.at(spot.nic as usize);
        let (&address, ip) = nic.addresses.at(spot.address as usize);
        (eni, address, ip)
    }

    /// The interfaces, trunk first, then HighPerformance, then those with most IPv4 addresses; equals
    /// in map order (C59).
    pub(super) fn sorted(&self, chance: &mut SmallStream) -> Vec<EniId> {
        let mut ids = self.in_map_order(chance);
        ids.sort_by_key(|id| (self.nics[id].recorded_kind(), std::cmp::Reverse(self.nics[id].addresses.len())));
        ids
    }

    /// Draws what such an order draws, which nobody wants to know.
    pub(super) fn draw_map_order(&self, chance: &mut SmallStream) {
        GoMap::draw(self.nics.len(), chance);
    }

    /// The interfaces as Go iterates the map that they were read into.
    pub(super) fn in_map_order(&self, chance: &mut SmallStream) -> Vec<EniId> {
        GoMap::of(self.nics.len(), chance).iterate(chance).map(|place| *self.nics.at(place).0).collect()
    }
}

/// A time as `metav1.Time` writes it.
pub(super) fn whole_second(time: Instant) -> Instant {
    time - Span(time.0 % Span::secs(1).0)
}

impl Nic {
    /// The record of an interface that was just created (C69).
    #[must_use]
    pub fn created(vswitch: VSwitchId, kind: Kind) -> Self {
        Self {
            state: NicState::Attaching,
            vswitch,
            kind,
            mode_known: false,
            unschedulable: false,
            addresses: SortedMap::default(),
            prefixes: Vec::new(),
            ipv6: SortedMap::default(),
            ipv6_prefixes: Vec::new(),
            insufficient: None,
            operation_error: None,
        }
    }

    /// The record of an interface that a full sync found (C36).
    #[must_use]
    pub fn adopted(found: &Interface) -> Self {
        let mut nic = Self::created(found.vswitch, found.kind);
        nic.state = NicState::of(found.state);
        nic.mode_known = true;
        nic.addresses = records(found).collect();
        nic.prefixes = valid(&found.prefixes);
        nic.ipv6 = records(found).collect();
        nic.ipv6_prefixes = valid(&found.ipv6_prefixes);
        nic
    }

    /// Valid IPv4 addresses without a pod.
    #[must_use]
    pub fn idle(&self) -> u32 {
        Ipv4Addr::idle_on(self)
    }

    /// Places that its IPv4 addresses and prefixes take, whatever their status (C61, C124).
    #[must_use]
    pub fn used(&self) -> u32 {
        (self.addresses.len() + self.prefixes.len()) as u32
    }

    /// Places that its IPv6 addresses and prefixes take, likewise.
    #[must_use]
    pub fn used_ipv6(&self) -> u32 {
        (self.ipv6.len() + self.ipv6_prefixes.len()) as u32
    }

    /// Addresses of that family of which it has more (C107, C112).
    #[must_use]
    pub fn size(&self) -> u32 {
        self.addresses.len().max(self.ipv6.len()) as u32
    }

    /// IPv4 prefixes that the cloud still has (C125).
    #[must_use]
    pub fn valid_prefixes(&self) -> u32 {
        self.prefixes.iter().filter(|(_, valid)| *valid).count() as u32
    }

    /// Its addresses of both families.
    pub fn ips(&self) -> impl Iterator<Item = &Ip> {
        self.addresses.values().chain(self.ipv6.values())
    }

    pub(super) fn ips_mut(&mut self) -> impl Iterator<Item = &mut Ip> {
        self.addresses.values_mut().chain(self.ipv6.values_mut())
    }

    /// Whether pods may get addresses on it (C43).
    pub(super) fn serves(&self) -> bool {
        self.state == NicState::InUse && !self.unschedulable
    }

    /// Its kind by the CR: HighPerformance is a traffic mode, trunk is not (C59, C65).
    pub(super) fn recorded_kind(&self) -> Kind {
        match self.kind {
            Kind::HighPerformance if !self.mode_known => Kind::Secondary,
            kind => kind,
        }
    }

    /// Whether it is known to be for RDMA.
    pub(super) fn is_high_performance(&self) -> bool {
        self.recorded_kind() == Kind::HighPerformance
    }
}

/// Prefixes that the cloud has.
pub(super) fn valid<A: Copy>(prefixes: &[A]) -> Vec<(A, bool)> {
    prefixes.iter().map(|&prefix| (prefix, true)).collect()
}

impl WarmUp {
    /// Addresses were ordered, for whatever reason (C112).
    pub fn count(&mut self, addresses: u32) {
        if !self.completed && self.target > 0 {
            self.allocated += addresses;
        }
    }
}

impl NicState {
    /// What a full sync makes of the cloud's word. An interface that belongs to no instance is not
    /// among what is attached; if it were, it would not serve pods.
    #[must_use]
    pub fn of(state: State) -> Self {
        match state {
            State::Attaching => Self::Attaching,
            State::InUse => Self::InUse,
            State::Detaching | State::Available => Self::Detaching,
        }
    }
}

impl Ip {
    /// An address that nobody has yet.
    pub const FREE: Self = Self { primary: false, status: IpStatus::Valid, pod: None };

    /// Whether it may be given to a pod.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.status == IpStatus::Valid && self.pod.is_none()
    }
}

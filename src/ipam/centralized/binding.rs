//! Which pod has which address: release and binding (C40 to C48).

use std::net::Ipv4Addr;

use super::family::Family;
use super::go_map::{Excerpt, GoMap, iterate_some};
use super::resource::{Binding, Ip, IpStatus, Nic, PodKey, Status};
use super::sorted_map::find_by;
use crate::address::V6Addr;
use crate::chance::SmallStream;
use crate::id::{EniId, Uid, VSwitchId};
use crate::time::Instant;

/// A pod of the node as a run sees it when it begins (C40).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListedPod {
    pub key: PodKey,
    pub uid: Uid,
    /// The IPv4 address in its status.
    pub address: Option<Ipv4Addr>,
    /// The IPv6 address in its status, with its vSwitch.
    pub ipv6: Option<(VSwitchId, V6Addr)>,
    /// It asks for RDMA, and the node has it (C163).
    pub erdma: bool,
}

/// Where an address stands in a CR: the places of its interface and of itself, each in the order of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub nic: u32,
    pub address: u32,
}

/// Pods that wait for new addresses. One whose own address is lost is not among them (C45).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Unserved {
    /// Pods for ordinary interfaces (C53).
    pub plain: u32,
    /// Pods for HighPerformance interfaces (C55).
    pub erdma: u32,
}

/// A pod that lacks an address, and what it has.
struct Waiting<'a> {
    pod: &'a ListedPod,
    ipv4: Option<(EniId, Ipv4Addr)>,
    ipv6: Option<(EniId, V6Addr)>,
}

/// The place of the pod of that name, of pods sorted by name; otherwise where it belongs.
pub(super) fn find(pods: &[ListedPod], key: PodKey) -> Result<usize, usize> {
    find_by(pods, |pod| pod.key.cmp(&key))
}

/// The pod of that name, of pods sorted by name.
pub(super) fn by_key(pods: &[ListedPod], key: PodKey) -> Option<&ListedPod> {
    find(pods, key).ok().map(|found| &pods[found])
}

/// Frees the addresses of pods that are gone and whose CNI DEL is reported; a new pod of the same
/// name inherits (C42, C47). `pods` are sorted by key.
pub(super) fn release(status: &mut Status, pods: &[ListedPod], deleted: &[Uid]) {
    for ip in status.nics.values_mut().flat_map(Nic::ips_mut) {
        let Some(binding) = &mut ip.pod else { continue };
        if let Ok(found) = pods.binary_search_by_key(&binding.pod, |pod| pod.key) {
            binding.uid = pods[found].uid;
            continue;
        }
        if !deleted.contains(&binding.uid) {
            continue;
        }
        ip.pod = None;
        if ip.status == IpStatus::Invalid && !ip.primary {
            ip.status = IpStatus::Deleting;
        }
    }
}

/// Binds idle addresses to pods without one, in the order of their names (C43), and says how many
/// are left waiting. In dual stack a pod gets one of each family, on the same interface (C44).
pub(super) fn bind(
    now: Instant,
    status: &mut Status,
    pods: &[ListedPod],
    dual: bool,
    chance: &mut SmallStream,
) -> Unserved {
    let mut waiting = waiting(status, pods, dual);
    let mut unserved = Unserved::default();
    if waiting.is_empty() {
        return unserved;
    }
    for pod in &mut waiting {
        pod.take_over(status, dual);
    }
    // In dual stack a pod may lose the IPv4 address that it had.
    let ipv4 = all_addresses::<Ipv4Addr>(status, &spots::<Ipv4Addr>(status, |ip| dual || ip.is_idle()), chance);
    let ipv6 = dual.then(|| all_addresses::<V6Addr>(status, &spots::<V6Addr>(status, Ip::is_idle), chance));
    for mut pod in waiting {
        let served = pod.bind_ipv4(now, status, &ipv4, chance)
            && ipv6.as_ref().is_none_or(|ipv6| pod.bind_ipv6(now, status, ipv6, chance));
        if !served && !pod.is_stale() {
            *if pod.pod.erdma { &mut unserved.erdma } else { &mut unserved.plain } += 1;
        }
    }
    unserved
}

/// Pods that lack an address, by name.
fn waiting<'a>(status: &Status, pods: &'a [ListedPod], dual: bool) -> Vec<Waiting<'a>> {
    let mut all: Vec<_> = pods.iter().map(|pod| Waiting { pod, ipv4: None, ipv6: None }).collect();
    for (&eni, nic) in &status.nics {
        held(nic, pods).for_each(|(pod, address)| all[pod].ipv4 = Some((eni, address)));
        held(nic, pods).for_each(|(pod, address)| all[pod].ipv6 = Some((eni, address)));
    }
    all.retain(|pod| pod.ipv4.is_none() || (dual && pod.ipv6.is_none()));
    all
}

/// What there is to do for a node's pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Affairs {
    /// There is something for [`release`].
    pub release: bool,
    /// There is something for [`bind`]: a pod lacks an address.
    pub bind: bool,
}

impl Affairs {
    /// Those of a node by its CR.
    pub fn of(status: &Status, pods: &[ListedPod], deleted: &[Uid], dual: bool) -> Self {
        let [ipv4, ipv6] = [look::<Ipv4Addr>(status, pods, deleted), look::<V6Addr>(status, pods, deleted)];
        // A name holds one address of a family at most, so counting does.
        let lacks = |served| served < pods.len();
        Self { release: ipv4.1 || ipv6.1, bind: lacks(ipv4.0) || (dual && lacks(ipv6.0)) }
    }

    /// Whether they are all those and maybe more.
    pub fn cover(self, other: Self) -> bool {
        (self.release || !other.release) && (self.bind || !other.bind)
    }

    /// Whether there is anything.
    pub fn is_any(self) -> bool {
        self.release || self.bind
    }
}

/// Pods that have an address of a family, and whether there is something to release.
fn look<A: Family>(status: &Status, pods: &[ListedPod], deleted: &[Uid]) -> (usize, bool) {
    let (mut served, mut release) = (0, false);
    for binding in status.nics.values().flat_map(|nic| A::on(nic).values()).filter_map(|ip| ip.pod) {
        match pods.binary_search_by_key(&binding.pod, |pod| pod.key) {
            Ok(found) => {
                served += 1;
                release |= pods[found].uid != binding.uid;
            }
            Err(_) => release |= deleted.contains(&binding.uid),
        }
    }
    (served, release)
}

/// The bindings of `status` that `other` does not have at the same address of the same interface.
pub(super) fn bindings_beyond(status: &Status, other: &Status) -> impl Iterator<Item = (EniId, Ipv4Addr, Binding)> {
    status.nics.iter().flat_map(|(&eni, nic)| {
        let there = other.nics.get(&eni);
        let bound = nic.addresses.iter().enumerate().filter_map(|(i, (&address, ip))| Some((i, address, ip.pod?)));
        let new = bound.filter(move |(i, address, binding)| {
            there.and_then(|nic| nic.addresses.get_near(*i, address)).is_none_or(|ip| ip.pod != Some(*binding))
        });
        new.map(move |(_, address, binding)| (eni, address, binding))
    })
}

/// Which pods, by their places, have which addresses of an interface.
fn held<A: Family>(nic: &Nic, pods: &[ListedPod]) -> impl Iterator<Item = (usize, A)> {
    A::on(nic).into_iter().filter_map(|(&address, ip)| Some((find(pods, ip.pod?.pod).ok()?, address)))
}

/// Where the addresses of a family stand that are wanted, in order.
pub(super) fn spots<A: Family>(status: &Status, is_wanted: impl Fn(&Ip) -> bool) -> Vec<Spot> {
    let mut spots = Vec::new();
    for (nic, of) in (0..).zip(status.nics.values()) {
        let wanted = (0..).zip(A::on(of).values()).filter(|(_, ip)| is_wanted(ip));
        spots.extend(wanted.map(|(address, _)| Spot { nic, address }));
    }
    spots
}

/// The map of all addresses of a family that upstream builds for each pass, interface by interface; of
/// interest are those that may be idle in that pass, in order.
pub(super) fn all_addresses<A: Family>(
    status: &Status,
    may_be_idle: &[Spot],
    chance: &mut SmallStream,
) -> Excerpt<Spot> {
    let (mut idle, mut passed) = (Vec::with_capacity(may_be_idle.len()), 0);
    for nic in GoMap::of(status.nics.len(), chance).iterate(chance) {
        let (addresses, known) = (A::on(status.nics.at(nic).1).len(), idle.len());
        let here = may_be_idle.iter().filter(|spot| spot.nic as usize == nic);
        here.for_each(|&spot| idle.push((spot.address, spot)));
        let idle = &mut idle[known..];
        if idle.is_empty() {
            GoMap::draw(addresses, chance);
        } else {
            iterate_some(addresses, idle, chance);
            idle.iter_mut().for_each(|(place, _)| *place += passed);
        }
        passed += addresses as u32;
    }
    Excerpt::of(passed as usize, idle, chance)
}

impl Waiting<'_> {
    /// A pod that has an address in its status takes exactly that one, whatever its state.
    fn take_over(&mut self, status: &mut Status, dual: bool) {
        if let Some(address) = self.pod.address.filter(|_| self.ipv4.is_none()) {
            self.ipv4 = self.take(status, address, |_| true);
        }
        if let Some((vswitch, address)) = self.pod.ipv6.filter(|_| dual && self.ipv6.is_none()) {
            self.ipv6 = self.take(status, address, |nic| nic.vswitch == vswitch);
        }
    }

    /// Takes an address of an interface that fits, if nobody has it.
    fn take<A: Family>(&self, status: &mut Status, address: A, fits: impl Fn(&Nic) -> bool) -> Option<(EniId, A)> {
        let mut nics = status.nics.iter_mut().filter(|(_, nic)| fits(nic));
        let (&eni, ip) = nics.find_map(|(eni, nic)| Some((eni, A::on_mut(nic).get_mut(&address)?)))?;
        if ip.pod.is_some() {
            return None;
        }
        ip.pod = Some(self.binding());
        Some((eni, address))
    }

    /// Takes any idle IPv4 address; whether the pod has one.
    fn bind_ipv4(&mut self, now: Instant, status: &mut Status, all: &Excerpt<Spot>, chance: &mut SmallStream) -> bool {
        if self.ipv4.is_none() && self.pod.address.is_none() {
            self.ipv4 = all.iterate(chance).find_map(|spot| self.may_have(status, spot));
            self.note(now, status, self.ipv4);
        }
        self.ipv4.is_some()
    }

    /// Takes an idle IPv6 address of the interface that the IPv4 address is on; whether the pod has
    /// one. If not, its IPv4 address is idle again, though the CR stays stamped.
    fn bind_ipv6(&mut self, now: Instant, status: &mut Status, all: &Excerpt<Spot>, chance: &mut SmallStream) -> bool {
        if self.ipv6.is_none() && self.pod.ipv6.is_none() {
            let chosen = self.ipv4.map(|(eni, _)| eni);
            let mut fitting = all.iterate(chance).filter_map(|spot| self.may_have(status, spot));
            self.ipv6 = fitting.find(|at| Some(at.0) == chosen);
            self.note(now, status, self.ipv6);
        }
        if self.ipv6.is_none()
            && self.pod.address.is_none()
            && let Some(ip) = self.ipv4.take().and_then(|at| record(status, at))
        {
            ip.pod = None;
        }
        self.ipv6.is_some()
    }

    /// The address that stands there, if it may be given to this pod: RDMA interfaces are for those that ask for it
    /// only, and for these nothing else will do.
    fn may_have<A: Family>(&self, status: &Status, spot: Spot) -> Option<(EniId, A)> {
        let (&eni, nic) = status.nics.at(spot.nic as usize);
        let (&address, ip) = A::on(nic).at(spot.address as usize);
        let may = nic.serves() && nic.is_high_performance() == self.pod.erdma && ip.is_idle();
        may.then_some((eni, address))
    }

    /// Writes a new binding down (C46).
    fn note<A: Family>(&self, now: Instant, status: &mut Status, at: Option<(EniId, A)>) {
        if let Some(ip) = at.and_then(|at| record(status, at)) {
            ip.pod = Some(self.binding());
            status.last_modified = Some(now);
        }
    }

    /// An address in its status is not in the CR: a new one would not help it.
    fn is_stale(&self) -> bool {
        (self.pod.address.is_some() && self.ipv4.is_none()) || (self.pod.ipv6.is_some() && self.ipv6.is_none())
    }

    fn binding(&self) -> Binding {
        Binding { pod: self.pod.key, uid: self.pod.uid }
    }
}

/// The record of an address.
fn record<A: Family>(status: &mut Status, (eni, address): (EniId, A)) -> Option<&mut Ip> {
    A::on_mut(status.nics.get_mut(&eni)?).get_mut(&address)
}

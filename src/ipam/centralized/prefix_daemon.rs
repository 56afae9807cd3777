//! The daemon of a node in prefix mode: it hands out the addresses of the node's prefixes itself; the
//! control plane only sees to it that the prefixes are there (C138 to C142,
//! `pkg/eni/local_delegate.go`, `pkg/eni/eni_local_ipam.go`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;

use super::collection::Collection;
use super::daemon::{DaemonInput, DaemonOutput};
use super::resource::{Nic, NicState, Status};
use crate::address::PREFIX;
use crate::chance::SmallStream;
use crate::id::{EniId, PodId, Uid};
use crate::ipam::{Failure, RPC_TIMEOUT};
use crate::time::Instant;

/// The daemon of a node in prefix mode.
#[derive(Debug)]
pub struct PrefixDaemon {
    is_up: bool,
    /// Pods get an IPv4 and an IPv6 address of the same interface, or none.
    both_or_none: bool,
    /// What the CR has: the IPv4 prefixes of each interface.
    enis: BTreeMap<EniId, Vec<Prefix>>,
    /// The CR has an interface in use without a prefix.
    is_without: bool,
    /// So it had when the daemon started, and has not been seen since.
    found_without: bool,
    /// Interfaces in use with an IPv6 prefix, whose addresses never run out.
    with_v6: BTreeSet<EniId>,
    pods: BTreeMap<Uid, Pod>,
    /// CNI ADDs in the order of their coming, which is that of their deadlines.
    waiting: VecDeque<(Instant, Uid)>,
    collection: Collection,
    outputs: VecDeque<DaemonOutput>,
    /// Go's map order of interfaces.
    chance: SmallStream,
}

/// A prefix and which of its addresses pods have, one bit each: all 16 are usable (C134).
#[derive(Debug, Clone, Copy)]
struct Prefix {
    first: Ipv4Addr,
    /// The CR lists it as usable; if not it only serves those that are on it (C142).
    usable: bool,
    taken: u16,
}

/// A pod of the node.
#[derive(Debug, Clone, Copy)]
struct Pod {
    pod: PodId,
    /// Its object exists.
    exists: bool,
    held: Option<(EniId, Ipv4Addr)>,
}

impl PrefixDaemon {
    /// A daemon that starts `now`, whose collection has a phase of chance; for `both_or_none` see
    /// [`NodeConfig`](super::NodeConfig).
    #[must_use]
    pub fn new(now: Instant, both_or_none: bool, mut chance: SmallStream) -> Self {
        Self {
            is_up: true,
            both_or_none,
            enis: BTreeMap::new(),
            is_without: false,
            found_without: false,
            with_v6: BTreeSet::new(),
            pods: BTreeMap::new(),
            waiting: VecDeque::new(),
            collection: Collection::with_chance(now, chance.unit()),
            outputs: VecDeque::new(),
            chance,
        }
    }

    /// It reads eni-config anew, as it does when it starts.
    pub fn reads(&mut self, both_or_none: bool) {
        self.both_or_none = both_or_none;
    }

    /// Takes in what happens at `now`, which never decreases.
    pub fn handle(&mut self, now: Instant, input: DaemonInput) {
        if !self.collection.keeps_out(now, input) {
            self.hear(now, now, input);
        }
        if self.is_up {
            self.wake(now);
        }
    }

    /// Takes in what happened when it `came`.
    fn hear(&mut self, came: Instant, now: Instant, input: DaemonInput) {
        match input {
            DaemonInput::Scheduled { pod, uid } => {
                self.pods.insert(uid, Pod { pod, exists: true, held: None });
            }
            DaemonInput::Allocate(uid) => self.allocate(came, now, uid),
            DaemonInput::Release(uid) => self.release(uid),
            DaemonInput::Own(call) => {
                self.collection.hears_own(now, call);
                self.outputs.push_back(DaemonOutput::Heard(call, came));
            }
            DaemonInput::OwnIsOver(pod) => self.collection.own_is_over(pod),
            DaemonInput::Cancel(uid) | DaemonInput::Lost(uid) => self.is_gone(now, uid),
            DaemonInput::Stop => self.stops(now),
            DaemonInput::Kill => {
                self.dies();
                self.hang_up();
            }
            DaemonInput::Restart => self.restart(now),
            // Addresses are not bound in the CR in this mode.
            DaemonInput::Bound { .. } | DaemonInput::Freed(_) | DaemonInput::Tick => {}
        }
    }

    /// The CR was written: prefixes may have come or gone, which wakes whoever waits (C140, C142). It wakes the daemon too,
    /// which has to take the change in first, and Go runs who was woken last before the others: of those that wait, the
    /// newest looks too early, and is helped by the next write only. (59 of 60 times on the real code, where with eight
    /// processors another one is as unlucky in every second write; that is left out.)
    pub fn sees(&mut self, now: Instant, status: &Status) {
        let newest = if self.is_up { self.waiting.pop_back() } else { None };
        let unlucky = newest.filter(|&(_, uid)| !self.serve(uid));
        self.take_in(status);
        if self.is_up {
            for (deadline, uid) in std::mem::take(&mut self.waiting) {
                if !self.serve(uid) {
                    self.waiting.push_back((deadline, uid));
                }
            }
            self.waiting.extend(unlucky);
            self.wake(now);
        }
    }

    /// The prefixes are those of the CR from now on (C142).
    fn take_in(&mut self, status: &Status) {
        let before = std::mem::take(&mut self.enis);
        let is_without = |nic: &Nic| nic.state == NicState::InUse && nic.prefixes.is_empty();
        (self.is_without, self.found_without) = (status.nics.values().any(is_without), false);
        let has_v6 = |nic: &Nic| nic.state == NicState::InUse && nic.ipv6_prefixes.iter().any(|&(_, valid)| valid);
        self.with_v6 = status.nics.iter().filter(|(_, nic)| has_v6(nic)).map(|(&eni, _)| eni).collect();
        for (&eni, nic) in &status.nics {
            let taken = |first| {
                let known = before.get(&eni).into_iter().flatten().find(|prefix| prefix.first == first);
                known.map_or(0, |prefix| prefix.taken)
            };
            let listed = nic.prefixes.iter().map(|&(first, valid)| Prefix {
                first,
                usable: valid && nic.state == NicState::InUse,
                taken: taken(first),
            });
            let mut prefixes: Vec<_> = listed.collect();
            let is_listed = |first| nic.prefixes.iter().any(|&(known, _)| known == first);
            let gone = before.get(&eni).into_iter().flatten().filter(|prefix| !is_listed(prefix.first));
            prefixes.extend(gone.filter(|prefix| prefix.taken != 0).map(|prefix| Prefix { usable: false, ..*prefix }));
            if !prefixes.is_empty() {
                self.enis.insert(eni, prefixes);
            }
        }
    }

    /// What it does, in order.
    pub fn poll(&mut self) -> Option<DaemonOutput> {
        self.outputs.pop_front()
    }

    /// When it wants [`DaemonInput::Tick`].
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        if !self.is_up {
            return Instant::NEVER;
        }
        self.waiting.front().map_or(Instant::NEVER, |&(at, _)| at).min(self.collection.due(!self.waiting.is_empty()))
    }

    /// Addresses that pods have, each with its interface.
    pub fn in_use(&self) -> impl Iterator<Item = (EniId, Ipv4Addr)> + '_ {
        self.pods.values().filter_map(|pod| pod.held)
    }

    /// What the records on the node's disk say: pods and their addresses.
    pub fn records(&self) -> impl Iterator<Item = (Uid, PodId, EniId, Ipv4Addr)> + '_ {
        self.pods.iter().filter_map(|(&uid, pod)| pod.held.map(|(eni, address)| (uid, pod.pod, eni, address)))
    }

    /// Whether a pod has this address.
    #[must_use]
    pub fn has_given(&self, eni: EniId, address: Ipv4Addr) -> bool {
        let prefixes = self.enis.get(&eni).into_iter().flatten();
        let mut bits = prefixes.filter_map(|prefix| Some(prefix.taken & prefix.bit(address)?));
        bits.any(|bit| bit != 0)
    }

    /// Addresses that pods have, and such as they could have.
    #[must_use]
    pub fn usage(&self) -> (u32, u32) {
        let all = || self.enis.values().flatten();
        let taken: u32 = all().map(|prefix| prefix.taken.count_ones()).sum();
        let free: u32 = all().filter(|prefix| prefix.usable).map(Prefix::free).sum();
        (taken, free)
    }

    /// Without any prefix there is nobody to queue for, and CNI ADD fails at once (C141); but for an interface that was found
    /// without one when the daemon started, until the CR is seen again (`pkg/eni/local_delegate.go:299-307, 414-417`).
    fn allocate(&mut self, came: Instant, now: Instant, uid: Uid) {
        if self.serve(uid) {
            return;
        }
        if self.enis.is_empty() && !self.found_without {
            self.outputs.push_back(DaemonOutput::Failed(self.pods[&uid].pod, Failure::Inhibited));
        } else {
            self.waiting.push_back((came + RPC_TIMEOUT, uid));
            self.collection.is_held(now);
        }
    }

    /// Gives a pod an address, if there is one (C138).
    fn serve(&mut self, uid: Uid) -> bool {
        let mut enis: Vec<_> = self.enis.keys().copied().collect();
        self.chance.shuffle(&mut enis);
        enis.retain(|eni| !self.both_or_none || self.with_v6.contains(eni));
        let Some((eni, address)) = enis.into_iter().find_map(|eni| Some((eni, self.take_of(eni)?))) else {
            return false;
        };
        let pod = self.pods.get_mut(&uid).expect("a pod is scheduled before it asks");
        pod.held = Some((eni, address));
        self.outputs.push_back(DaemonOutput::Allocated { pod: pod.pod, eni, address });
        true
    }

    /// The lowest free address of the fullest prefix of an interface that has one.
    fn take_of(&mut self, eni: EniId) -> Option<Ipv4Addr> {
        let prefixes = self.enis.get_mut(&eni)?.iter_mut();
        let open = prefixes.filter(|prefix| prefix.usable && prefix.free() > 0);
        let fullest = open.min_by_key(|prefix| (prefix.free(), prefix.first.to_string()))?;
        Some(fullest.take())
    }

    /// CNI DEL: the address is idle at once; nobody who waits is told of that (C139, C140).
    fn release(&mut self, uid: Uid) {
        let Some(pod) = self.pods.remove(&uid) else { return };
        let Some((eni, address)) = pod.held else { return };
        for prefix in self.enis.get_mut(&eni).into_iter().flatten() {
            if let Some(bit) = prefix.bit(address) {
                prefix.taken &= !bit;
            }
        }
        if let Some(prefixes) = self.enis.get_mut(&eni) {
            // What the CR has lost goes with its last pod.
            prefixes.retain(|prefix| prefix.usable || prefix.taken != 0 || !prefix.is_within(address));
            if prefixes.is_empty() {
                self.enis.remove(&eni);
            }
        }
        self.outputs.push_back(DaemonOutput::Released(eni));
    }

    fn is_gone(&mut self, now: Instant, uid: Uid) {
        self.collection.forget(uid);
        let Some(pod) = self.pods.get_mut(&uid) else { return };
        pod.exists = false;
        if pod.held.is_none() {
            self.pods.remove(&uid);
            self.waiting.retain(|&(_, other)| other != uid);
        } else if self.is_up {
            self.collection.finds_at(self.collection.next(now));
        }
    }

    fn dies(&mut self) {
        self.is_up = false;
        self.collection.stops();
    }

    /// It dies with its node: who waits for an address is answered when it is back, and pods whose CNI DEL it has not heard
    /// have none any more (R120).
    fn stops(&mut self, now: Instant) {
        self.dies();
        for uid in self.collection.unheard(DaemonInput::Release) {
            self.is_gone(now, uid);
        }
    }

    /// The connections of everybody who waits for an address break (R135).
    fn hang_up(&mut self) {
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|(_, uid)| uid);
        for uid in waiting.chain(self.collection.unheard(DaemonInput::Allocate)) {
            self.outputs.push_back(DaemonOutput::Failed(self.pods[&uid].pod, Failure::Restart));
        }
    }

    /// It comes back with the records on the disk (C142); CNI DELs that failed meanwhile are tried again.
    fn restart(&mut self, now: Instant) {
        self.dies();
        self.hang_up();
        self.is_up = true;
        self.found_without = self.is_without;
        self.collection.starts(now);
        if self.pods.values().any(|pod| !pod.exists) {
            self.collection.finds_at(self.collection.next(now));
        }
        for uid in self.collection.unheard(DaemonInput::Release) {
            self.release(uid);
        }
        for (came, call) in self.collection.let_in() {
            self.hear(came, now, call);
        }
    }

    fn wake(&mut self, now: Instant) {
        while let Some(&(deadline, uid)) = self.waiting.front()
            && deadline <= now
        {
            self.waiting.pop_front();
            self.outputs.push_back(DaemonOutput::Failed(self.pods[&uid].pod, Failure::Deadline));
        }
        if self.collection.runs(now, !self.waiting.is_empty()) {
            let gone: Vec<_> = self.pods.iter().filter(|(_, pod)| !pod.exists).map(|(&uid, _)| uid).collect();
            gone.into_iter().for_each(|uid| self.release(uid));
            for (came, call) in self.collection.let_in() {
                self.hear(came, now, call);
            }
        }
    }
}

impl Prefix {
    fn free(&self) -> u32 {
        self.taken.count_zeros()
    }

    fn is_within(&self, address: Ipv4Addr) -> bool {
        self.bit(address).is_some()
    }

    fn bit(&self, address: Ipv4Addr) -> Option<u16> {
        let offset = u32::from(address).checked_sub(u32::from(self.first)).filter(|&offset| offset < PREFIX)?;
        Some(1 << offset)
    }

    fn take(&mut self) -> Ipv4Addr {
        let offset = self.taken.trailing_ones();
        self.taken |= 1 << offset;
        Ipv4Addr::from(u32::from(self.first) + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;
    use crate::address::V6Addr;
    use crate::id::VSwitchId;
    use crate::time::Span;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::secs(secs)
    }

    /// The CR of a node with one interface in use and these prefixes.
    fn cr(prefixes: &[(&str, bool)]) -> Status {
        let mut nic = Nic::created(VSwitchId(0), Kind::Secondary);
        nic.state = NicState::InUse;
        nic.prefixes = prefixes.iter().map(|(first, valid)| (first.parse().expect("an address"), *valid)).collect();
        Status { nics: [(EniId(1), nic)].into_iter().collect(), ..Status::default() }
    }

    fn daemon() -> PrefixDaemon {
        let mut daemon = PrefixDaemon::new(Instant::ZERO, false, SmallStream::new(1));
        daemon.collection = Collection::new(Instant::ZERO);
        daemon
    }

    /// A pod is scheduled and asks at once; what comes of it.
    fn ask(daemon: &mut PrefixDaemon, now: Instant, uid: u32) -> Option<DaemonOutput> {
        daemon.handle(now, DaemonInput::Scheduled { pod: PodId(uid), uid: Uid(uid) });
        daemon.handle(now, DaemonInput::Allocate(Uid(uid)));
        daemon.poll()
    }

    fn address(output: Option<DaemonOutput>) -> String {
        match output {
            Some(DaemonOutput::Allocated { address, .. }) => address.to_string(),
            other => format!("{other:?}"),
        }
    }

    /// C134, C138: all sixteen addresses of a prefix, the lowest first; the fullest prefix first.
    #[test]
    fn c138_the_fullest_prefix_first_and_its_lowest_address() {
        let mut daemon = daemon();
        daemon.sees(at(0), &cr(&[("10.0.0.16", true), ("10.0.0.32", true)]));
        let all: Vec<_> = (0..17).map(|uid| address(ask(&mut daemon, at(0), uid))).collect();
        assert_eq!((all[0].as_str(), all[15].as_str(), all[16].as_str()), ("10.0.0.16", "10.0.0.31", "10.0.0.32"));
        daemon.handle(at(1), DaemonInput::Release(Uid(3)));
        assert_eq!(daemon.poll(), Some(DaemonOutput::Released(EniId(1))));
        assert_eq!(address(ask(&mut daemon, at(2), 20)), "10.0.0.19", "one free of sixteen is fuller than fifteen");
        assert_eq!(daemon.usage(), (17, 15));
    }

    /// C141: without a prefix CNI ADD fails at once; C140: with full ones it waits, and what a pod
    /// gives back wakes nobody.
    #[test]
    fn c140_a_release_wakes_nobody() {
        let mut daemon = daemon();
        let failed = |pod, failure| Some(DaemonOutput::Failed(PodId(pod), failure));
        assert_eq!(ask(&mut daemon, at(0), 99), failed(99, Failure::Inhibited));
        daemon.sees(at(0), &cr(&[("10.0.0.16", true)]));
        (0..16).for_each(|uid| assert!(ask(&mut daemon, at(1), uid).is_some()));
        assert_eq!(ask(&mut daemon, at(1), 16), None);
        daemon.handle(at(10), DaemonInput::Release(Uid(0)));
        assert_eq!((daemon.poll(), daemon.poll()), (Some(DaemonOutput::Released(EniId(1))), None));
        daemon.handle(at(119), DaemonInput::Tick);
        assert_eq!(daemon.poll(), failed(16, Failure::Deadline));
        daemon.handle(at(130), DaemonInput::Allocate(Uid(16)));
        assert_eq!(address(daemon.poll()), "10.0.0.16");
    }

    /// C138: where pods have both families, an interface without an IPv6 prefix serves nobody.
    #[test]
    fn c138_both_families_or_none() {
        let mut daemon = daemon();
        daemon.reads(true);
        daemon.sees(at(0), &cr(&[("10.0.0.16", true)]));
        assert_eq!(ask(&mut daemon, at(1), 1), None);
        let mut status = cr(&[("10.0.0.16", true)]);
        status.nics.get_mut(&EniId(1)).expect("the interface").ipv6_prefixes = vec![(V6Addr(1), true)];
        daemon.sees(at(2), &status);
        // The newest of those who wait is helped by the next write only (C140).
        daemon.sees(at(3), &status);
        assert_eq!(address(daemon.poll()), "10.0.0.16");
    }

    /// C140: a write of the CR wakes all; the newest looks before the daemon has taken the write in.
    #[test]
    fn c140_the_newest_is_helped_by_the_next_write() {
        let mut daemon = daemon();
        let one = [("10.0.0.16", true)];
        let two = [one[0], ("10.0.0.64", true)];
        daemon.sees(at(0), &cr(&one));
        (0..16).for_each(|uid| assert!(ask(&mut daemon, at(1), uid).is_some()));
        assert_eq!(
            [ask(&mut daemon, at(10), 16), ask(&mut daemon, at(11), 17), ask(&mut daemon, at(12), 18)],
            [const { None }; 3]
        );
        daemon.sees(at(20), &cr(&two));
        assert_eq!([address(daemon.poll()), address(daemon.poll())], ["10.0.0.64", "10.0.0.65"]);
        assert_eq!(daemon.poll(), None);
        daemon.sees(at(30), &cr(&two));
        assert_eq!(address(daemon.poll()), "10.0.0.66");
    }

    /// C142: a prefix that the CR has lost serves whom it has, and nobody else.
    #[test]
    fn c142_a_lost_prefix_is_drained() {
        let mut daemon = daemon();
        daemon.sees(at(0), &cr(&[("10.0.0.16", true)]));
        assert!(ask(&mut daemon, at(0), 1).is_some());
        daemon.sees(at(0), &cr(&[("10.0.0.16", false), ("10.0.0.32", true)]));
        assert_eq!(address(ask(&mut daemon, at(1), 2)), "10.0.0.32");
        daemon.sees(at(0), &cr(&[("10.0.0.32", true)]));
        assert_eq!(daemon.usage(), (2, 15));
        assert!(daemon.has_given(EniId(1), "10.0.0.16".parse().expect("an address")));
        daemon.handle(at(2), DaemonInput::Release(Uid(1)));
        assert_eq!(daemon.usage(), (1, 15));
    }

    /// C121: what nobody gave back is found by the collection, of the next life if need be.
    #[test]
    fn c121_the_collection_finds_what_nobody_gave_back() {
        let mut daemon = daemon();
        daemon.sees(at(0), &cr(&[("10.0.0.16", true)]));
        assert!(ask(&mut daemon, at(0), 1).is_some());
        daemon.handle(at(10), DaemonInput::Stop);
        daemon.handle(at(20), DaemonInput::Lost(Uid(1)));
        daemon.handle(at(1000), DaemonInput::Restart);
        assert_eq!(daemon.poll_timeout(), at(1300));
        daemon.handle(at(1300), DaemonInput::Tick);
        assert_eq!(daemon.poll(), Some(DaemonOutput::Released(EniId(1))));
    }

    /// C121, R125: a pod that waits at a tick of the collection keeps everybody from being heard; R135: it hears of a
    /// restart, also of one with its node.
    #[test]
    fn c121_the_collection_waits_for_who_waits() {
        for restarts in [false, true] {
            let mut daemon = daemon();
            daemon.sees(at(0), &cr(&[("10.0.0.16", true)]));
            (0..16).for_each(|uid| assert!(ask(&mut daemon, at(1), uid).is_some()));
            assert_eq!(ask(&mut daemon, at(290), 16), None);
            assert_eq!(daemon.poll_timeout(), at(300));
            daemon.handle(at(300), DaemonInput::Tick);
            daemon.handle(at(310), DaemonInput::Release(Uid(0)));
            assert_eq!(ask(&mut daemon, at(320), 17), None);
            assert_eq!(daemon.usage(), (16, 0));
            let failed = |pod, failure| Some(DaemonOutput::Failed(PodId(pod), failure));
            if restarts {
                daemon.handle(at(330), DaemonInput::Stop);
                assert_eq!((daemon.poll(), daemon.poll_timeout()), (None, Instant::NEVER));
                daemon.handle(at(340), DaemonInput::Restart);
                let answers = [daemon.poll(), daemon.poll(), daemon.poll()];
                assert_eq!(answers, [failed(16, Failure::Restart), failed(17, Failure::Restart), None]);
                assert_eq!((daemon.usage(), daemon.poll_timeout()), ((16, 0), at(640)));
            } else {
                assert_eq!(daemon.poll_timeout(), at(408));
                daemon.handle(at(408), DaemonInput::Tick);
                let answers = [daemon.poll(), daemon.poll()];
                assert_eq!(answers, [failed(16, Failure::Deadline), Some(DaemonOutput::Released(EniId(1)))]);
                assert_eq!(address(daemon.poll()), "10.0.0.16");
            }
        }
    }
}

//! The daemon of a node: it waits for what the CR says of its pods, and tells the control plane
//! through NodeRuntime that CNI DEL is done (C47 to C51, C115 to C121).
//!
//! As every core it is sans-IO: drain [`Daemon::poll`] before the next [`Daemon::handle`].

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use super::sorted_map::SortedMap;
use crate::chance::SmallStream;
use crate::id::{EniId, PodId, Uid};
use crate::ipam::Failure;
use crate::time::{Instant, Span};

/// Deadline of an AllocIP call (C115, `daemon/server.go:37`).
pub(super) const RPC_TIMEOUT: Span = Span::secs(118);
/// Period in which NodeRuntime is told of CNI DELs (C49, `pkg/eni/crdv2.go:206-210`).
const REPORT_PERIOD: Span = Span::secs(3);
/// Period of the two loops that find what nobody told (C51, `pkg/eni/crdv2.go:212-216`,
/// `daemon/daemon.go:45`). Both begin with the daemon; the one that copies UIDs from the CR is
/// taken to be the first.
pub(super) const LOOP_PERIOD: Span = Span::mins(5);
/// Age that the copy of an UID must have before it is regarded as that of a lost pod (C51,
/// `daemon/daemon.go:683`).
const INITIAL_AGE: Span = Span::secs(30);

/// What happens to a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaemonInput {
    /// A pod is scheduled to the node: its object exists.
    Scheduled {
        /// Its place in the run.
        pod: PodId,
        /// Which object.
        uid: Uid,
    },
    /// CNI ADD.
    Allocate(Uid),
    /// The object of a pod is gone (or terminal) that has not got its address: CNI DEL finds no
    /// record of it and tells nobody (C51).
    Cancel(Uid),
    /// CNI DEL of a pod that has its address; its object is gone, or terminal.
    Release(Uid),
    /// A pod that has its address is gone, and there was no CNI DEL: the daemon's collection finds
    /// its record (C121).
    Lost(Uid),
    /// The CR has an address for a pod.
    Bound {
        /// Which pod.
        uid: Uid,
        /// The interface.
        eni: EniId,
        /// The address.
        address: Ipv4Addr,
    },
    /// The CR has no address for a pod any more.
    Freed(Uid),
    /// The daemon dies with its node; what it has in memory is lost.
    Stop,
    /// As [`Self::Stop`], but the node goes on: whoever waits for an address hears of it.
    Kill,
    /// The daemon starts again, with what is on the node's disk and in NodeRuntime.
    Restart,
    /// Nothing but time passing.
    Tick,
}

/// What a daemon does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DaemonOutput {
    /// A pod has its address.
    Allocated {
        /// The pod.
        pod: PodId,
        /// The interface.
        eni: EniId,
        /// The address.
        address: Ipv4Addr,
    },
    /// A pod is left without an address; the kubelet tries again later.
    Failed(PodId, Failure),
    /// NodeRuntime says that CNI DEL of these pods is done.
    Reported(Vec<Uid>),
    /// The address of a pod that had taken it is free for others, on this interface.
    Released(EniId),
}

/// The daemon of a node.
#[derive(Debug)]
pub struct Daemon {
    /// When one of its loops runs, and every [`LOOP_PERIOD`] before and after.
    phase: Instant,
    is_up: bool,
    pods: SortedMap<Uid, Pod>,
    /// CNI ADDs in the order of their deadlines; those of pods that do not wait are stale.
    deadlines: VecDeque<(Instant, Uid)>,
    /// CNI DELs that NodeRuntime has not been told of (in memory only), and when it will be.
    deleted: Vec<Uid>,
    report_at: Instant,
    /// When the collection next finds something.
    collect_at: Instant,
    outputs: VecDeque<DaemonOutput>,
    /// When it has something to do next.
    due: Instant,
}

/// A pod, from its scheduling until neither its object nor a binding of it is left.
#[derive(Debug, Clone, Copy)]
struct Pod {
    pod: PodId,
    /// Its object exists.
    exists: bool,
    /// Its CNI ADD waits until then; never = it does not wait.
    deadline: Instant,
    /// What the CR has for it.
    bound: Option<Bound>,
    /// It took its address: there is a record of it on the disk.
    recorded: bool,
    /// It took its address at some time; until that is free it counts as in use.
    taken: bool,
    /// NodeRuntime says that it is gone.
    reported: bool,
}

/// What the CR has for a pod.
#[derive(Debug, Clone, Copy)]
struct Bound {
    eni: EniId,
    address: Ipv4Addr,
    /// When its UID is copied to NodeRuntime.
    initial_at: Instant,
}

impl Daemon {
    /// A daemon that starts `now`, and whose loops have a phase of chance: on a cluster's day 0 its
    /// daemons run already.
    #[must_use]
    pub fn new(now: Instant, chance: &mut SmallStream) -> Self {
        let phase = now + LOOP_PERIOD.mul_f64(chance.unit());
        Self {
            phase,
            is_up: true,
            pods: SortedMap::default(),
            deadlines: VecDeque::new(),
            deleted: Vec::new(),
            report_at: Instant::NEVER,
            collect_at: Instant::NEVER,
            outputs: VecDeque::new(),
            due: Instant::NEVER,
        }
    }

    /// Takes in what happens at `now`, which never decreases.
    pub fn handle(&mut self, now: Instant, input: DaemonInput) {
        // After these somebody may not wait any more.
        let answers = matches!(input, DaemonInput::Bound { .. } | DaemonInput::Cancel(_) | DaemonInput::Lost(_));
        match input {
            DaemonInput::Scheduled { pod, uid } => _ = self.pods.insert(uid, Pod::new(pod, true)),
            DaemonInput::Allocate(uid) => self.allocate(now, uid),
            DaemonInput::Cancel(uid) | DaemonInput::Lost(uid) => self.is_gone(now, uid),
            DaemonInput::Release(uid) => self.release(now, uid),
            DaemonInput::Bound { uid, eni, address } => self.bind(now, uid, eni, address),
            DaemonInput::Freed(uid) => self.freed(uid),
            DaemonInput::Stop => self.stops(),
            DaemonInput::Kill => {
                let waiting = self.pods.values().filter(|pod| pod.waits());
                self.outputs.extend(waiting.map(|pod| DaemonOutput::Failed(pod.pod, Failure::Restart)));
                self.stops();
            }
            DaemonInput::Restart => self.restart(now),
            DaemonInput::Tick => {}
        }
        self.due = self.next_due();
        if self.is_up && (answers || self.due <= now) {
            self.wake(now);
            self.due = self.next_due();
        }
    }

    /// Whether [`poll`](Self::poll) has something.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// What it does, in order.
    pub fn poll(&mut self) -> Option<DaemonOutput> {
        self.outputs.pop_front()
    }

    /// When it wants [`DaemonInput::Tick`].
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.due
    }

    fn next_due(&self) -> Instant {
        if !self.is_up {
            return Instant::NEVER;
        }
        let deadline = self.deadlines.front().map_or(Instant::NEVER, |&(at, _)| at);
        deadline.min(self.report_at).min(self.collect_at)
    }

    /// Addresses that pods took and that are not free yet, each with its interface.
    pub fn in_use(&self) -> impl Iterator<Item = (EniId, Ipv4Addr)> + '_ {
        let taken = self.pods.values().filter(|pod| pod.taken);
        taken.filter_map(|pod| pod.bound).map(|bound| (bound.eni, bound.address))
    }

    /// What the records on the node's disk say: pods and their addresses.
    pub fn records(&self) -> impl Iterator<Item = (Uid, PodId, EniId, Ipv4Addr)> + '_ {
        let recorded = self.pods.iter().filter(|(_, pod)| pod.recorded);
        recorded.filter_map(|(&uid, pod)| pod.bound.map(|bound| (uid, pod.pod, bound.eni, bound.address)))
    }

    /// The pods in NodeRuntime at `now`, each with when it was copied there, or `None` if that says
    /// that it is gone (C50, C52).
    pub fn runtime(&self, now: Instant) -> impl Iterator<Item = (Uid, PodId, Option<Instant>)> + '_ {
        let entries = self.pods.iter().filter_map(|(&uid, pod)| Some((uid, pod, pod.bound?)));
        let copied = entries.filter(move |(_, _, bound)| bound.initial_at <= now);
        copied.map(|(uid, pod, bound)| (uid, pod.pod, Some(bound.initial_at).filter(|_| !pod.reported)))
    }

    /// Whether a pod took its address, which is not free yet.
    #[must_use]
    pub fn has_taken(&self, uid: Uid) -> bool {
        self.pods.get(&uid).is_some_and(|pod| pod.taken)
    }

    fn allocate(&mut self, now: Instant, uid: Uid) {
        let pod = self.pods.get_mut(&uid).expect("a pod is scheduled before it asks");
        if let Some(bound) = pod.bound {
            self.outputs.push_back(pod.take(bound));
        } else {
            let deadline = now + RPC_TIMEOUT;
            pod.deadline = deadline;
            self.deadlines.push_back((deadline, uid));
        }
    }

    fn bind(&mut self, now: Instant, uid: Uid, eni: EniId, address: Ipv4Addr) {
        let initial_at = self.next_loop(now);
        // A pod that is gone was still there when the run began that bound it.
        let pod = self.pods.get_or_insert(uid, Pod::new(PodId::NONE, false));
        let bound = Bound { eni, address, initial_at };
        pod.bound = Some(bound);
        if pod.waits() {
            self.outputs.push_back(pod.take(bound));
        } else if !pod.exists {
            self.collect_later(now, uid);
        }
    }

    fn release(&mut self, now: Instant, uid: Uid) {
        let pod = self.pods.get_mut(&uid).expect("only a pod with an address gives it back");
        (pod.exists, pod.recorded) = (false, false);
        self.report_later(now, uid);
    }

    fn is_gone(&mut self, now: Instant, uid: Uid) {
        let Some(pod) = self.pods.get_mut(&uid) else { return };
        (pod.exists, pod.deadline) = (false, Instant::NEVER);
        match pod.bound {
            Some(_) => self.collect_later(now, uid),
            None => _ = self.pods.remove(&uid),
        }
    }

    fn freed(&mut self, uid: Uid) {
        let Some(pod) = self.pods.get_mut(&uid) else { return };
        let bound = pod.bound.take();
        if let Some(bound) = bound.filter(|_| std::mem::take(&mut pod.taken)) {
            self.outputs.push_back(DaemonOutput::Released(bound.eni));
        }
        if !pod.exists {
            self.pods.remove(&uid);
        }
    }

    fn stops(&mut self) {
        self.is_up = false;
        self.pods.values_mut().for_each(|pod| pod.deadline = Instant::NEVER);
        self.deadlines.clear();
        self.deleted.clear();
        (self.report_at, self.collect_at) = (Instant::NEVER, Instant::NEVER);
    }

    /// Its loops begin anew; UIDs that they did not get to copy are copied now.
    fn restart(&mut self, now: Instant) {
        (self.is_up, self.phase, self.collect_at) = (true, now, Instant::NEVER);
        let mut lost = Vec::new();
        for (&uid, pod) in self.pods.iter_mut() {
            if let Some(bound) = &mut pod.bound {
                bound.initial_at = bound.initial_at.min(now);
                lost.extend((!pod.exists && !pod.reported).then_some(uid));
            }
        }
        for uid in lost {
            self.collect_later(now, uid);
        }
    }

    /// NodeRuntime is told of a pod by the next tick.
    fn report_later(&mut self, now: Instant, uid: Uid) {
        self.deleted.push(uid);
        self.report_at = self.report_at.min(next_tick(self.phase, REPORT_PERIOD, now));
    }

    /// The collection finds a pod that is gone.
    fn collect_later(&mut self, now: Instant, uid: Uid) {
        if self.is_up {
            self.collect_at = self.collect_at.min(self.collected_at(now, &self.pods[&uid]));
        }
    }

    /// When the collection finds a pod that is gone: by its record, or by the copy of its UID.
    fn collected_at(&self, now: Instant, pod: &Pod) -> Instant {
        let old_enough = pod.bound.map_or(now, |bound| bound.initial_at + INITIAL_AGE);
        let from = if pod.recorded { now } else { now.max(old_enough) };
        self.next_loop(from)
    }

    fn next_loop(&self, now: Instant) -> Instant {
        next_tick(self.phase, LOOP_PERIOD, now)
    }

    fn wake(&mut self, now: Instant) {
        while let Some(&(deadline, uid)) = self.deadlines.front() {
            let waiting = self.pods.get_mut(&uid).filter(|pod| pod.deadline == deadline);
            if waiting.is_some() && deadline > now {
                break;
            }
            self.deadlines.pop_front();
            if let Some(pod) = waiting {
                pod.deadline = Instant::NEVER;
                self.outputs.push_back(DaemonOutput::Failed(pod.pod, Failure::Deadline));
            }
        }
        if self.collect_at <= now {
            self.collect(now);
        }
        if self.report_at <= now {
            self.report_at = Instant::NEVER;
            let deleted = std::mem::take(&mut self.deleted);
            self.reported(deleted);
        }
    }

    /// The collection: records of pods that are gone are released as by CNI DEL; pods without a
    /// record are reported at once (C51, C121).
    fn collect(&mut self, now: Instant) {
        self.collect_at = Instant::NEVER;
        let (mut recorded, mut unknown, mut next) = (Vec::new(), Vec::new(), Instant::NEVER);
        for (&uid, pod) in self.pods.iter_mut().filter(|(_, pod)| !pod.exists && !pod.reported) {
            let Some(bound) = pod.bound else { continue };
            if std::mem::take(&mut pod.recorded) {
                recorded.push(uid);
            } else if self.deleted.contains(&uid) {
                // The next tick tells of it.
            } else if bound.initial_at + INITIAL_AGE <= now {
                unknown.push(uid);
            } else {
                next = next.min(next_tick(self.phase, LOOP_PERIOD, bound.initial_at + INITIAL_AGE));
            }
        }
        self.collect_at = next;
        for uid in recorded {
            self.report_later(now, uid);
        }
        self.reported(unknown);
    }

    fn reported(&mut self, uids: Vec<Uid>) {
        for uid in &uids {
            if let Some(pod) = self.pods.get_mut(uid) {
                pod.reported = true;
            }
        }
        if !uids.is_empty() {
            self.outputs.push_back(DaemonOutput::Reported(uids));
        }
    }
}

impl Pod {
    fn new(pod: PodId, exists: bool) -> Self {
        let never = Instant::NEVER;
        Self { pod, exists, deadline: never, bound: None, recorded: false, taken: false, reported: false }
    }

    /// Whether its CNI ADD waits.
    fn waits(&self) -> bool {
        self.deadline < Instant::NEVER
    }

    /// CNI ADD succeeds.
    fn take(&mut self, Bound { eni, address, .. }: Bound) -> DaemonOutput {
        (self.deadline, self.recorded, self.taken) = (Instant::NEVER, true, true);
        DaemonOutput::Allocated { pod: self.pod, eni, address }
    }
}

/// The first tick after `now` of a loop that runs at `phase` and every `period` before and after.
pub(super) fn next_tick(phase: Instant, period: Span, now: Instant) -> Instant {
    let (phase, period) = (phase.0 % period.0, period.0);
    let behind = (now.0 + period - phase) % period;
    Instant(now.0 + period - behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: PodId = PodId(7);
    const UID: Uid = Uid(3);
    const ENI: EniId = EniId(1);
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
    const BOUND: DaemonInput = DaemonInput::Bound { uid: UID, eni: ENI, address: ADDRESS };

    /// A daemon whose loops run every five minutes from 0 on, and what it does, each with its time
    /// in milliseconds.
    struct Hand(Daemon, Vec<(u64, DaemonOutput)>);

    impl Hand {
        fn new() -> Self {
            let mut daemon = Daemon::new(Instant::ZERO, &mut SmallStream::new(1));
            daemon.phase = Instant::ZERO;
            let mut hand = Self(daemon, Vec::new());
            hand.give(0, DaemonInput::Scheduled { pod: POD, uid: UID });
            hand
        }

        fn give(&mut self, ms: u64, input: DaemonInput) {
            self.until(ms);
            self.0.handle(at(ms), input);
            self.drain(ms);
        }

        fn until(&mut self, ms: u64) {
            while self.0.poll_timeout() <= at(ms) {
                let due = self.0.poll_timeout();
                self.0.handle(due, DaemonInput::Tick);
                self.drain(due.as_millis());
            }
        }

        fn drain(&mut self, ms: u64) {
            self.1.extend(std::iter::from_fn(|| self.0.poll()).map(|output| (ms, output)));
        }
    }

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Span::millis(ms)
    }

    fn allocated() -> DaemonOutput {
        DaemonOutput::Allocated { pod: POD, eni: ENI, address: ADDRESS }
    }

    fn reported() -> DaemonOutput {
        DaemonOutput::Reported(vec![UID])
    }

    /// C116: a pod has its address as soon as the CR has it, whichever of the two comes first.
    #[test]
    fn c116_the_daemon_waits_for_the_cr() {
        let mut hand = Hand::new();
        hand.give(100, DaemonInput::Allocate(UID));
        hand.give(900, BOUND);
        let mut other = Hand::new();
        other.give(100, BOUND);
        other.give(900, DaemonInput::Allocate(UID));
        assert_eq!((hand.1, other.1), (vec![(900, allocated())], vec![(900, allocated())]));
    }

    /// C115: after 118 s CNI ADD fails, and the address that comes later waits for the next one.
    #[test]
    fn c115_an_add_waits_118_s() {
        let mut hand = Hand::new();
        hand.give(0, DaemonInput::Allocate(UID));
        hand.give(120_000, BOUND);
        hand.give(130_000, DaemonInput::Allocate(UID));
        let failed = DaemonOutput::Failed(POD, Failure::Deadline);
        assert_eq!(hand.1, [(118_000, failed), (130_000, allocated())]);
    }

    /// C49: the tick of three seconds tells NodeRuntime of a CNI DEL; the address stays in use until
    /// the CR has it free.
    #[test]
    fn c49_a_del_is_reported_by_the_next_tick() {
        let mut hand = Hand::new();
        hand.give(100, DaemonInput::Allocate(UID));
        hand.give(100, BOUND);
        hand.give(10_000, DaemonInput::Release(UID));
        hand.until(20_000);
        assert!(hand.0.has_taken(UID));
        hand.give(20_000, DaemonInput::Freed(UID));
        assert_eq!(hand.1[1..], [(12_000, reported()), (20_000, DaemonOutput::Released(ENI))]);
        assert_eq!(hand.0.in_use().count(), 0);
    }

    /// C51: nobody tells of a pod that never took its address. Its UID is copied at 5 min, is too
    /// young for the collection of that time, and reported at 10 min.
    #[test]
    fn c51_a_pod_that_never_took_its_address_is_found_after_5_to_10_minutes() {
        let mut hand = Hand::new();
        hand.give(1_000, BOUND);
        hand.give(2_000, DaemonInput::Cancel(UID));
        hand.until(1_200_000);
        assert_eq!(hand.1, [(600_000, reported())]);
        // A pod that goes long after the copy is found by the next collection.
        let mut hand = Hand::new();
        hand.give(1_000, BOUND);
        hand.give(620_000, DaemonInput::Cancel(UID));
        hand.until(1_800_000);
        assert_eq!(hand.1, [(900_000, reported())]);
        // So is one that was bound by a run that began before it went.
        let mut hand = Hand::new();
        hand.give(500, DaemonInput::Cancel(UID));
        hand.give(1_000, BOUND);
        hand.until(1_200_000);
        assert_eq!(hand.1, [(600_000, reported())]);
    }

    /// C121: a pod that went with a crash is released by the collection of the next life.
    #[test]
    fn c121_the_collection_finds_the_records_of_pods_that_are_gone() {
        let mut hand = Hand::new();
        hand.give(100, DaemonInput::Allocate(UID));
        hand.give(100, BOUND);
        hand.give(10_000, DaemonInput::Stop);
        hand.give(20_000, DaemonInput::Lost(UID));
        hand.until(900_000);
        assert_eq!(hand.1.len(), 1, "a daemon that is down tells nothing");
        hand.give(1_000_000, DaemonInput::Restart);
        hand.until(2_000_000);
        assert_eq!(hand.1[1..], [(1_303_000, reported())]);
    }

    /// A CNI DEL that NodeRuntime was not told of before the daemon stopped is lost with its memory;
    /// the copy of the UID mends that (C49, C51).
    #[test]
    fn c51_a_del_that_was_not_reported_is_found_by_the_copy_of_its_uid() {
        let mut hand = Hand::new();
        hand.give(100, DaemonInput::Allocate(UID));
        hand.give(100, BOUND);
        hand.give(10_000, DaemonInput::Release(UID));
        hand.give(11_000, DaemonInput::Kill);
        hand.give(60_000, DaemonInput::Restart);
        hand.until(1_000_000);
        assert_eq!(hand.1[1..], [(360_000, reported())]);
    }

    #[test]
    fn ticks_are_a_period_apart_and_strictly_later() {
        let tick = |now| next_tick(at(7_000), Span::secs(3), at(now)).as_millis();
        assert_eq!([tick(0), tick(999), tick(1_000), tick(6_500)], [1_000, 1_000, 4_000, 7_000]);
    }
}

//! The daemon of a node: it waits for what the CR says of its pods, and tells the control plane
//! through NodeRuntime that CNI DEL is done (C47 to C51, C115 to C121).
//!
//! As every core it is sans-IO: drain [`Daemon::poll`] before the next [`Daemon::handle`].

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use super::collection::Collection;
use super::sorted_map::SortedMap;
use crate::chance::SmallStream;
use crate::id::{EniId, PodId, Uid};
use crate::ipam::{Failure, OwnCall, RPC_TIMEOUT};
use crate::time::{Instant, Span};

/// Period in which NodeRuntime is told of CNI DELs (C49, `pkg/eni/crdv2.go:206-210`).
const REPORT_PERIOD: Span = Span::secs(3);
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
    /// A call for a pod with an interface of its own.
    Own(OwnCall),
    /// The CNI ADD of such a pod has been answered, or its caller went away.
    OwnIsOver(PodId),
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
    /// A call for a pod with an interface of its own is heard, which came then.
    Heard(OwnCall, Instant),
    /// NodeRuntime says that CNI DEL of these pods is done.
    Reported(Vec<Uid>),
    /// The address of a pod that had taken it is free for others, on this interface.
    Released(EniId),
}

/// The daemon of a node.
#[derive(Debug)]
pub struct Daemon {
    is_up: bool,
    /// It died with its node.
    crashed: bool,
    pods: SortedMap<Uid, Pod>,
    /// CNI ADDs in the order of their deadlines; those of pods that do not wait are stale.
    deadlines: VecDeque<(Instant, Uid)>,
    /// How many pods wait.
    waiting: u32,
    collection: Collection,
    /// CNI DELs that NodeRuntime has not been told of (in memory only), and when it will be.
    deleted: Vec<Uid>,
    report_at: Instant,
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
        Self {
            is_up: true,
            crashed: false,
            pods: SortedMap::default(),
            deadlines: VecDeque::new(),
            waiting: 0,
            collection: Collection::with_chance(now, chance.unit()),
            deleted: Vec::new(),
            report_at: Instant::NEVER,
            outputs: VecDeque::new(),
            due: Instant::NEVER,
        }
    }

    /// Takes in what happens at `now`, which never decreases.
    pub fn handle(&mut self, now: Instant, input: DaemonInput) {
        // After these somebody may not wait any more.
        let answers = matches!(
            input,
            DaemonInput::Bound { .. } | DaemonInput::Cancel(_) | DaemonInput::Lost(_) | DaemonInput::OwnIsOver(_)
        );
        if !self.collection.keeps_out(now, input) {
            self.hear(now, now, input);
        }
        self.due = self.next_due();
        if self.is_up && (answers || self.due <= now) {
            self.wake(now);
            self.due = self.next_due();
        }
    }

    /// Takes in what happened when it `came`.
    fn hear(&mut self, came: Instant, now: Instant, input: DaemonInput) {
        match input {
            DaemonInput::Scheduled { pod, uid } => _ = self.pods.insert(uid, Pod::new(pod, true)),
            DaemonInput::Allocate(uid) => self.allocate(came, now, uid),
            DaemonInput::Cancel(uid) | DaemonInput::Lost(uid) => self.is_gone(now, uid),
            DaemonInput::Release(uid) => self.release(now, uid),
            DaemonInput::Own(call) => {
                self.collection.hears_own(now, call);
                self.outputs.push_back(DaemonOutput::Heard(call, came));
            }
            DaemonInput::OwnIsOver(pod) => self.collection.own_is_over(pod),
            DaemonInput::Bound { uid, eni, address } => self.bind(now, uid, eni, address),
            DaemonInput::Freed(uid) => self.freed(uid),
            DaemonInput::Stop => self.stops(now),
            DaemonInput::Kill => {
                self.dies(now);
                self.hang_up();
            }
            DaemonInput::Restart => self.restart(now),
            DaemonInput::Tick => {}
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
        deadline.min(self.report_at).min(self.collection.due(self.waiting > 0))
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

    fn allocate(&mut self, came: Instant, now: Instant, uid: Uid) {
        let pod = self.pods.get_mut(&uid).expect("a pod is scheduled before it asks");
        if let Some(bound) = pod.bound {
            self.outputs.push_back(pod.take(bound));
        } else {
            let deadline = came + RPC_TIMEOUT;
            pod.deadline = deadline;
            self.deadlines.push_back((deadline, uid));
            self.waiting += 1;
            self.collection.is_held(now);
        }
    }

    fn bind(&mut self, now: Instant, uid: Uid, eni: EniId, address: Ipv4Addr) {
        let initial_at = if self.is_up { self.collection.next(now) } else { Instant::NEVER };
        // A pod that is gone was still there when the run began that bound it.
        let pod = self.pods.get_or_insert(uid, Pod::new(PodId::NONE, false));
        let bound = Bound { eni, address, initial_at };
        pod.bound = Some(bound);
        if self.is_up && pod.waits() {
            self.waiting -= 1;
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
        self.collection.forget(uid);
        let Some(pod) = self.pods.get_mut(&uid) else { return };
        self.waiting -= u32::from(pod.waits());
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

    /// What it has in memory is lost, and UIDs that are not copied yet stay so until it is back.
    fn dies(&mut self, now: Instant) {
        self.is_up = false;
        let bound = self.pods.iter_mut().filter_map(|(_, pod)| pod.bound.as_mut());
        bound.filter(|bound| bound.initial_at > now).for_each(|bound| bound.initial_at = Instant::NEVER);
        self.deleted.clear();
        self.report_at = Instant::NEVER;
        self.collection.stops();
    }

    /// It dies with its node: who waits for an address is answered when it is back, and pods whose CNI DEL it has not heard
    /// have none any more (R120).
    fn stops(&mut self, now: Instant) {
        self.dies(now);
        self.crashed = true;
        for uid in self.collection.unheard(DaemonInput::Release) {
            self.is_gone(now, uid);
        }
    }

    /// The connections of everybody who waits for an address break (R135).
    fn hang_up(&mut self) {
        for pod in self.pods.values_mut().filter(|pod| pod.waits()) {
            pod.deadline = Instant::NEVER;
            self.outputs.push_back(DaemonOutput::Failed(pod.pod, Failure::Restart));
        }
        for uid in self.collection.unheard(DaemonInput::Allocate) {
            self.outputs.push_back(DaemonOutput::Failed(self.pods[&uid].pod, Failure::Restart));
        }
        self.deadlines.clear();
        self.waiting = 0;
    }

    /// Its loops begin anew, with a collection; after a crash of the node that comes before the kubelet has cleaned up
    /// (R126). UIDs that the loops did not get to copy are copied now. CNI DELs that failed meanwhile are tried again.
    fn restart(&mut self, now: Instant) {
        self.dies(now);
        self.hang_up();
        self.is_up = true;
        self.collection.starts(now);
        let has_cleaned_up = !std::mem::take(&mut self.crashed);
        let mut gone = Vec::new();
        for (&uid, pod) in self.pods.iter_mut() {
            if let Some(bound) = &mut pod.bound {
                bound.initial_at = bound.initial_at.min(now);
                let old_enough = pod.recorded || bound.initial_at + INITIAL_AGE <= now;
                gone.extend((!pod.exists && !pod.reported).then_some((uid, has_cleaned_up && old_enough)));
            }
        }
        for (uid, at_once) in gone {
            if at_once {
                self.collection.finds_at(now);
            } else {
                self.collect_later(now, uid);
            }
        }
        for uid in self.collection.unheard(DaemonInput::Release) {
            self.release(now, uid);
        }
        for (came, call) in self.collection.let_in() {
            self.hear(came, now, call);
        }
    }

    /// NodeRuntime is told of a pod by the next tick.
    fn report_later(&mut self, now: Instant, uid: Uid) {
        self.deleted.push(uid);
        self.report_at = self.report_at.min(self.collection.next_of(REPORT_PERIOD, now));
    }

    /// The collection finds a pod that is gone.
    fn collect_later(&mut self, now: Instant, uid: Uid) {
        if self.is_up {
            let tick = self.collected_at(now, &self.pods[&uid]);
            self.collection.finds_at(tick);
        }
    }

    /// When the collection finds a pod that is gone: by its record, or by the copy of its UID.
    fn collected_at(&self, now: Instant, pod: &Pod) -> Instant {
        let old_enough = pod.bound.map_or(now, |bound| bound.initial_at + INITIAL_AGE);
        let from = if pod.recorded { now } else { now.max(old_enough) };
        self.collection.next(from)
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
                self.waiting -= 1;
                self.outputs.push_back(DaemonOutput::Failed(pod.pod, Failure::Deadline));
            }
        }
        if self.collection.runs(now, self.waiting > 0) {
            self.collect(now);
            for (came, call) in self.collection.let_in() {
                self.hear(came, now, call);
            }
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
                next = next.min(self.collection.next(bound.initial_at + INITIAL_AGE));
            }
        }
        self.collection.finds_at(next);
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
            daemon.collection = Collection::new(Instant::ZERO);
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

    /// C51: a daemon begins with a collection, which finds what the last one of its life before was too early for.
    #[test]
    fn c51_a_restart_begins_with_a_collection() {
        let mut hand = Hand::new();
        hand.give(1_000, BOUND);
        hand.give(310_000, DaemonInput::Cancel(UID));
        hand.give(320_000, DaemonInput::Kill);
        hand.give(400_000, DaemonInput::Restart);
        assert_eq!(hand.1, [(400_000, reported())]);
    }

    /// C121, R125: from a tick of the collection at which a pod waits for its address until it does not any more, nobody is
    /// heard: neither a pod whose address is there, nor a CNI DEL.
    #[test]
    fn c121_while_the_collection_waits_for_a_call_nobody_is_heard() {
        let mut hand = Hand::new();
        let (served, leaving) = (Uid(4), Uid(5));
        let bound = |uid| DaemonInput::Bound { uid, eni: ENI, address: ADDRESS };
        for (pod, uid) in [(PodId(8), served), (PodId(9), leaving)] {
            hand.give(0, DaemonInput::Scheduled { pod, uid });
            hand.give(0, bound(uid));
        }
        hand.give(0, DaemonInput::Allocate(leaving));
        hand.give(290_000, DaemonInput::Allocate(UID));
        hand.give(310_000, DaemonInput::Allocate(served));
        hand.give(320_000, DaemonInput::Release(leaving));
        hand.until(500_000);
        let of = |pod| DaemonOutput::Allocated { pod, eni: ENI, address: ADDRESS };
        let failed = DaemonOutput::Failed(POD, Failure::Deadline);
        let after = [(408_000, failed), (408_000, of(PodId(8))), (411_000, DaemonOutput::Reported(vec![leaving]))];
        assert_eq!(hand.1[1..], after);
        // The address for which it waits lets the others in too, and a pod that goes does.
        for (input, answers) in [(BOUND, vec![allocated()]), (DaemonInput::Cancel(UID), vec![])] {
            let mut hand = Hand::new();
            hand.give(0, DaemonInput::Scheduled { pod: PodId(8), uid: served });
            hand.give(0, bound(served));
            hand.give(299_000, DaemonInput::Allocate(UID));
            hand.give(301_000, DaemonInput::Allocate(served));
            hand.give(302_000, input);
            let outputs: Vec<_> = answers.into_iter().chain([of(PodId(8))]).map(|output| (302_000, output)).collect();
            assert_eq!(hand.1, outputs);
        }
    }

    /// R112: the deadline of a call runs while the collection keeps it out.
    #[test]
    fn c115_deadlines_run_behind_a_collection() {
        let mut hand = Hand::new();
        hand.give(0, DaemonInput::Scheduled { pod: PodId(8), uid: Uid(4) });
        hand.give(290_000, DaemonInput::Allocate(UID));
        hand.give(310_000, DaemonInput::Allocate(Uid(4)));
        hand.until(500_000);
        let failed = |pod| DaemonOutput::Failed(pod, Failure::Deadline);
        assert_eq!(hand.1, [(408_000, failed(POD)), (428_000, failed(PodId(8)))]);
    }

    /// R135: whoever waits when the daemon dies fails, at once or, if its node died too, when that is back; a CNI DEL that
    /// was not heard is tried again, but not after a crash of the node (R120).
    #[test]
    fn r135_who_waits_hears_of_a_restart() {
        let (behind, leaving) = (Uid(4), Uid(5));
        for (input, heard_at, reported_at) in
            [(DaemonInput::Kill, 320_000, 353_000), (DaemonInput::Stop, 350_000, 653_000)]
        {
            let mut hand = Hand::new();
            for (pod, uid) in [(PodId(8), behind), (PodId(9), leaving)] {
                hand.give(0, DaemonInput::Scheduled { pod, uid });
            }
            hand.give(0, DaemonInput::Bound { uid: leaving, eni: ENI, address: ADDRESS });
            hand.give(0, DaemonInput::Allocate(leaving));
            hand.give(290_000, DaemonInput::Allocate(UID));
            hand.give(310_000, DaemonInput::Allocate(behind));
            hand.give(311_000, DaemonInput::Release(leaving));
            hand.give(320_000, input);
            hand.give(330_000, BOUND);
            hand.give(350_000, DaemonInput::Restart);
            hand.until(900_000);
            let failed = |pod| (heard_at, DaemonOutput::Failed(pod, Failure::Restart));
            let reported = (reported_at, DaemonOutput::Reported(vec![leaving]));
            assert_eq!(hand.1[1..], [failed(POD), failed(PodId(8)), reported]);
        }
    }
}

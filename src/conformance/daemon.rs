//! Golden cases of the daemon of a node with centralized IPAM: a case writes the CR, calls AllocIP and ReleaseIP, and stops the
//! daemon; compared is what the daemon answers, and when it tells NodeRuntime of whom.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::compare::{Range, Suite, Tally, Verdict};
use crate::chance::SmallStream;
use crate::id::{EniId, PodId, Uid, VSwitchId};
use crate::ipam::centralized::{Daemon, DaemonInput, DaemonOutput, Kind, Nic, NicState, PrefixDaemon, Status};
use crate::ipam::{OwnCall, RPC_TIMEOUT};
use crate::time::{Instant, Span};

/// The only interface of the node.
const ENI: EniId = EniId(0);

/// What happens to a daemon.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    name: String,
    /// The node is in prefix mode.
    #[serde(default)]
    prefix: bool,
    horizon_ms: u64,
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Event {
    t_ms: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum What {
    /// The object of a pod exists.
    Schedule { pod: String },
    /// CNI ADD, of a pod with an interface of its own or not.
    Add {
        pod: String,
        #[serde(default)]
        own: bool,
    },
    /// The interface of its own that a pod asks for, or will, is bound.
    Bound { pod: String },
    /// CNI DEL; with its success the pod's object goes. That of a pod without an address finds nothing to do.
    Del { pod: String },
    /// The object of a pod goes that has no address.
    Gone { pod: String },
    /// The CR binds an address to a pod.
    Bind { pod: String, ip: Ipv4Addr },
    /// The CR lists these prefixes.
    Prefixes { prefixes: Vec<Ipv4Addr> },
    /// The daemon dies.
    Kill,
    /// It starts again.
    Restart,
}

#[derive(Debug, Deserialize)]
pub(super) struct File {
    case: Case,
    expected: Vec<Expected>,
}

/// What the real daemon did; the entries of a pod in their order.
#[derive(Debug, Deserialize)]
struct Expected {
    what: String,
    pod: String,
    ip: Option<Ipv4Addr>,
    t_ms: Range,
    /// Not all runs of the real code did it.
    #[serde(default)]
    maybe: bool,
}

/// What a daemon did.
struct Entry {
    ms: u64,
    what: &'static str,
    /// Whom it concerns; empty if the daemon does not say.
    pod: String,
    ip: Option<Ipv4Addr>,
}

/// Plays a case and compares.
///
/// # Errors
/// If it makes no sense.
pub(super) fn compare(file: &File) -> anyhow::Result<Verdict> {
    let log = play(&file.case)?;
    let mut tally = Tally::default();
    let mut theirs: BTreeMap<(&str, &str), Vec<&Expected>> = BTreeMap::new();
    for entry in &file.expected {
        theirs.entry((&entry.what, &entry.pod)).or_default().push(entry);
    }
    let mut ours: BTreeMap<(&str, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in &log {
        ours.entry((entry.what, &entry.pod)).or_default().push(entry);
        theirs.entry((entry.what, &entry.pod)).or_default();
    }
    for ((what, pod), theirs) in theirs {
        let ours = ours.remove(&(what, pod)).unwrap_or_default();
        let certain = theirs.iter().filter(|entry| !entry.maybe).count();
        let times = Range::Between(certain as i64, theirs.len() as i64);
        tally.take(times, ours.len() as i64, false, || format!("times {pod} {what}"));
        for (theirs, ours) in theirs.into_iter().zip(ours) {
            tally.take(theirs.t_ms, ours.ms as i64, false, || format!("{pod} {what}"));
            if let Some(ip) = theirs.ip {
                let number = |ip: Ipv4Addr| i64::from(u32::from(ip));
                tally.take(Range::Exact(number(ip)), ours.ip.map_or(-1, number), false, || format!("{pod} address"));
            }
        }
    }
    Ok(tally.verdict(Suite::Centralized, &file.case.name))
}

/// Plays a case and returns what the daemon did.
///
/// # Errors
/// If it makes no sense.
pub(super) fn replay(case: &Case) -> anyhow::Result<Value> {
    let entry = |entry: Entry| json!({"t_ms": entry.ms, "what": entry.what, "pod": entry.pod, "ip": entry.ip});
    Ok(play(case)?.into_iter().map(entry).collect())
}

fn play(case: &Case) -> anyhow::Result<Vec<Entry>> {
    let mut player = Player::new(case.prefix);
    let mut before = 0;
    for event in &case.events {
        ensure!(event.t_ms >= before, "events have to stand in the order of their times");
        before = event.t_ms;
        player.until(event.t_ms);
        player.happens(event.t_ms, &event.what).with_context(|| format!("the event at {} ms", event.t_ms))?;
    }
    ensure!(case.horizon_ms >= before, "no event may come after the horizon");
    player.until(case.horizon_ms);
    Ok(player.log)
}

/// A daemon of one of the two kinds.
enum Either {
    Bindings(Daemon),
    Prefixes(PrefixDaemon),
}

impl Either {
    fn handle(&mut self, now: Instant, input: DaemonInput) {
        match self {
            Self::Bindings(daemon) => daemon.handle(now, input),
            Self::Prefixes(daemon) => daemon.handle(now, input),
        }
    }

    fn poll(&mut self) -> Option<DaemonOutput> {
        match self {
            Self::Bindings(daemon) => daemon.poll(),
            Self::Prefixes(daemon) => daemon.poll(),
        }
    }

    fn poll_timeout(&self) -> Instant {
        match self {
            Self::Bindings(daemon) => daemon.poll_timeout(),
            Self::Prefixes(daemon) => daemon.poll_timeout(),
        }
    }
}

/// How far a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Exists,
    Asks,
    HasAddress,
    IsGone,
}

struct Player {
    daemon: Either,
    pods: Vec<(String, Stage)>,
    /// Those that have an interface of their own, or will.
    own: BTreeMap<PodId, Own>,
    log: Vec<Entry>,
}

/// A pod with an interface of its own.
#[derive(Default)]
struct Own {
    is_bound: bool,
    /// When its CNI ADD fails that has been heard, and waits.
    deadline: Option<Instant>,
}

impl Player {
    /// A daemon that starts at 0.
    fn new(prefix: bool) -> Self {
        let mut chance = SmallStream::new(1);
        let mut daemon = match prefix {
            true => Either::Prefixes(PrefixDaemon::new(Instant::ZERO, false, chance)),
            false => Either::Bindings(Daemon::new(Instant::ZERO, &mut chance)),
        };
        // Its loops begin now, not at a time of chance.
        daemon.handle(Instant::ZERO, DaemonInput::Restart);
        Self { daemon, pods: Vec::new(), own: BTreeMap::new(), log: Vec::new() }
    }

    /// Lets time pass until `ms`.
    fn until(&mut self, ms: u64) {
        loop {
            let first = self.own.iter().filter_map(|(&pod, own)| Some((own.deadline?, pod))).min();
            let tick = self.daemon.poll_timeout();
            match first.filter(|&(deadline, _)| deadline <= tick.min(at(ms))) {
                Some((deadline, pod)) => self.own_ends(deadline, pod, "failed", Stage::Exists),
                None if tick <= at(ms) => self.give(tick, DaemonInput::Tick),
                None => return,
            }
        }
    }

    /// Hands an input to the daemon, and notes what it does.
    fn give(&mut self, now: Instant, input: DaemonInput) {
        self.daemon.handle(now, input);
        self.drain(now);
    }

    /// The CNI ADD that waits of a pod with an interface of its own ends.
    fn own_ends(&mut self, now: Instant, pod: PodId, what: &'static str, then: Stage) {
        self.own.entry(pod).or_default().deadline = None;
        self.pods[pod.index()].1 = then;
        self.note(now, what, Some(pod.index()), None);
        self.give(now, DaemonInput::OwnIsOver(pod));
    }

    /// A call of such a pod is heard, which `came` then.
    fn own_heard(&mut self, now: Instant, call: OwnCall, came: Instant) {
        match call {
            OwnCall::Add(pod) if self.own[&pod].is_bound => self.own_ends(now, pod, "allocated", Stage::HasAddress),
            OwnCall::Add(pod) => self.own.entry(pod).or_default().deadline = Some(came + RPC_TIMEOUT),
            OwnCall::Del(pod) => self.note(now, "deleted", Some(pod.index()), None),
        }
    }

    /// The connections of pods with an interface of their own break.
    fn own_hang_up(&mut self, now: Instant) {
        let asking: Vec<_> = self.own.keys().copied().filter(|pod| self.pods[pod.index()].1 == Stage::Asks).collect();
        for pod in asking {
            self.own.entry(pod).or_default().deadline = None;
            self.pods[pod.index()].1 = Stage::Exists;
            self.note(now, "failed", Some(pod.index()), None);
        }
    }

    /// The number of a pod.
    fn number(&self, pod: &str) -> anyhow::Result<usize> {
        self.pods.iter().position(|(name, _)| name == pod).with_context(|| format!("{pod} is not scheduled yet"))
    }

    fn has_address(&self, pod: &str) -> bool {
        self.pods.iter().any(|(name, stage)| name == pod && *stage == Stage::HasAddress)
    }

    /// A pod is at one of `stages`, and from now on at another.
    fn moves(&mut self, pod: &str, stages: &[Stage], then: Stage) -> anyhow::Result<Uid> {
        let i = self.number(pod)?;
        let stage = &mut self.pods[i].1;
        ensure!(stages.contains(stage), "this cannot happen to {pod}, which is at {stage:?}");
        *stage = then;
        Ok(Uid(i as u32))
    }

    fn happens(&mut self, ms: u64, what: &What) -> anyhow::Result<()> {
        use Stage::{Asks, Exists, HasAddress, IsGone};
        let input = match what {
            What::Schedule { pod } => {
                ensure!(self.pods.iter().all(|(name, _)| name != pod), "{pod} exists already");
                let number = self.pods.len() as u32;
                self.pods.push((pod.clone(), Exists));
                DaemonInput::Scheduled { pod: PodId(number), uid: Uid(number) }
            }
            What::Add { pod, own } => {
                let uid = self.moves(pod, &[Exists], Asks)?;
                let id = PodId(uid.0);
                if *own {
                    self.own.entry(id).or_default();
                    DaemonInput::Own(OwnCall::Add(id))
                } else {
                    DaemonInput::Allocate(uid)
                }
            }
            What::Bound { pod } => {
                let id = PodId::new(self.number(pod)?);
                let own = self.own.entry(id).or_default();
                own.is_bound = true;
                if own.deadline.is_some() {
                    self.own_ends(at(ms), id, "allocated", HasAddress);
                }
                DaemonInput::Tick
            }
            What::Del { pod } if self.has_address(pod) => {
                let uid = self.moves(pod, &[HasAddress], IsGone)?;
                let id = PodId(uid.0);
                if self.own.contains_key(&id) { DaemonInput::Own(OwnCall::Del(id)) } else { DaemonInput::Release(uid) }
            }
            What::Del { pod } | What::Gone { pod } => DaemonInput::Cancel(self.moves(pod, &[Exists], IsGone)?),
            What::Bind { pod, ip } => DaemonInput::Bound { uid: Uid(self.number(pod)? as u32), eni: ENI, address: *ip },
            What::Prefixes { prefixes } => {
                let Either::Prefixes(daemon) = &mut self.daemon else { bail!("the node is not in prefix mode") };
                let mut nic = Nic::created(VSwitchId(0), Kind::Secondary);
                nic.state = NicState::InUse;
                nic.prefixes = prefixes.iter().map(|&first| (first, true)).collect();
                let status = Status { nics: [(ENI, nic)].into_iter().collect(), ..Status::default() };
                daemon.sees(at(ms), &status);
                DaemonInput::Tick
            }
            What::Kill | What::Restart => {
                self.own_hang_up(at(ms));
                if let What::Kill = what { DaemonInput::Kill } else { DaemonInput::Restart }
            }
        };
        self.give(at(ms), input);
        Ok(())
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.daemon.poll() {
            match output {
                DaemonOutput::Allocated { pod, address, .. } => {
                    self.pods[pod.index()].1 = Stage::HasAddress;
                    self.note(now, "allocated", Some(pod.index()), Some(address));
                }
                DaemonOutput::Failed(pod, _) => {
                    self.pods[pod.index()].1 = Stage::Exists;
                    self.note(now, "failed", Some(pod.index()), None);
                }
                DaemonOutput::Reported(uids) => {
                    uids.into_iter().for_each(|uid| self.note(now, "reported", Some(uid.0 as usize), None));
                }
                DaemonOutput::Released(_) => self.note(now, "released", None, None),
                DaemonOutput::Heard(call, came) => self.own_heard(now, call, came),
            }
        }
    }

    fn note(&mut self, now: Instant, what: &'static str, pod: Option<usize>, ip: Option<Ipv4Addr>) {
        let ms = now.as_millis();
        let pod = pod.map_or_else(String::new, |pod| self.pods[pod].0.clone());
        self.log.push(Entry { ms, what, pod, ip });
    }
}

fn at(ms: u64) -> Instant {
    Instant::ZERO + Span::millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r135_who_calls_a_dead_daemon_fails_with_its_start() -> anyhow::Result<()> {
        let case = json!({"name": "dead", "horizon_ms": 500_000, "events": [
            {"t_ms": 100, "op": "schedule", "pod": "a"},
            {"t_ms": 200, "op": "kill"},
            {"t_ms": 300, "op": "add", "pod": "a", "own": true},
            {"t_ms": 400, "op": "restart"},
        ]});
        let log = replay(&serde_json::from_value(case)?)?;
        assert_eq!(log, json!([{"t_ms": 400, "what": "failed", "pod": "a", "ip": null}]));
        Ok(())
    }
}

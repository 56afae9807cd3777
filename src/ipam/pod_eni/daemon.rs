//! The daemons' side: CNI ADD waits until the PodENI is bound (C156, `pkg/eni/remote.go:103-318`).
//!
//! A daemon of centralized IPAM is told of every PodENI that changes (`pkg/eni/remote_v2.go`); one that allocates
//! itself looks at it again and again. Looks that find nothing are no events: when the PodENI is bound, the next
//! look is found out.

use std::collections::{BTreeMap, BTreeSet};

use super::resource::Phase;
use super::{Controller, Output};
use crate::chance::SmallStream;
use crate::id::Uid;
use crate::ipam::RPC_TIMEOUT;
use crate::ipam::backoff::{Next, WAIT_POD_ENI_STATUS, WAIT_POD_ENI_STATUS_DELAY};
use crate::ipam::centralized::PodKey;
use crate::time::Instant;

/// ADDs that wait.
#[derive(Debug)]
pub(super) struct Waiting {
    adds: BTreeMap<PodKey, Add>,
    by_time: BTreeSet<(Instant, PodKey)>,
    /// Jitter of looks.
    chance: SmallStream,
}

/// An ADD that waits.
#[derive(Debug, Clone, Copy)]
struct Add {
    uid: Uid,
    /// When it fails.
    deadline: Instant,
    /// When something comes of it: a look that finds what it looks for, or its deadline.
    due: Instant,
    /// The next look; `None` = the daemon is told.
    look: Option<Look>,
}

/// A look at a PodENI, which others follow.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    /// From 1.
    number: u8,
    /// Jitter of those that follow; `None` = they have none.
    chance: Option<SmallStream>,
}

/// Why an ADD failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddFailure {
    /// Its time was up.
    Deadline,
    /// The pod's interfaces are at another trunk interface than the node's.
    OtherTrunk,
}

impl Look {
    /// The first of an ADD at `now`; `chance` is that of them all.
    fn first(now: Instant, chance: Option<SmallStream>) -> Self {
        Self { at: now + WAIT_POD_ENI_STATUS_DELAY, number: 1, chance }
    }

    fn next(mut self) -> Option<Self> {
        let Next::Retry(sleep) = WAIT_POD_ENI_STATUS.after(self.number, self.chance.as_mut()) else { return None };
        Some(Self { at: self.at + sleep, number: self.number + 1, ..self })
    }

    /// The first that is not before `now`, if there is one.
    fn not_before(self, now: Instant) -> Option<Self> {
        let mut look = self;
        while look.at < now {
            look = look.next()?;
        }
        Some(look)
    }

    /// The last of them all.
    fn last(self) -> Self {
        let mut look = self;
        while let Some(next) = look.next() {
            look = next;
        }
        look
    }
}

impl Waiting {
    /// Nobody waits yet. Chance of its own comes from what `chance` would draw next.
    pub fn new(mut chance: SmallStream) -> Self {
        let chance = SmallStream::new(!chance.next_u64());
        Self { adds: BTreeMap::new(), by_time: BTreeSet::new(), chance }
    }

    /// When something comes of an ADD.
    pub fn next_due(&self) -> Instant {
        self.by_time.first().map_or(Instant::NEVER, |&(at, _)| at)
    }

    fn add(&mut self, pod: PodKey, uid: Uid, came: Instant, look: Option<Look>) {
        self.remove(pod);
        // After the last look nobody waits for the context's end.
        let given_up = look.map_or(Instant::NEVER, |look| look.last().at);
        let deadline = (came + RPC_TIMEOUT).min(given_up);
        self.adds.insert(pod, Add { uid, deadline, due: deadline, look });
        self.by_time.insert((deadline, pod));
    }

    fn remove(&mut self, pod: PodKey) {
        if let Some(add) = self.adds.remove(&pod) {
            self.by_time.remove(&(add.due, pod));
        }
    }

    fn set_due(&mut self, pod: PodKey, at: Instant) {
        if let Some(add) = self.adds.get_mut(&pod) {
            let before = std::mem::replace(&mut add.due, at);
            self.by_time.remove(&(before, pod));
            self.by_time.insert((at, pod));
        }
    }

    fn due(&self, now: Instant) -> Option<(PodKey, Add)> {
        let &(_, pod) = self.by_time.first().filter(|(at, _)| *at <= now)?;
        Some((pod, self.adds[&pod]))
    }
}

impl Controller {
    /// CNI ADD of a pod, which was made when it `came`.
    pub(super) fn add(&mut self, now: Instant, pod: PodKey, uid: Uid, came: Instant, polls: bool) {
        let jitter = self.settings.jitter;
        let chance = &mut self.waiting.chance;
        let look = polls.then(|| Look::first(now, jitter.then(|| SmallStream::new(chance.next_u64()))));
        self.waiting.add(pod, uid, came, look);
        self.look_whether_bound(pod);
    }

    /// Whoever called ADD went away.
    pub(super) fn cancel_add(&mut self, pod: PodKey) {
        self.waiting.remove(pod);
    }

    /// Looks that find what they look for, and ADDs whose time is up.
    pub(super) fn carry_out_adds(&mut self, now: Instant) {
        while let Some((pod, Add { uid, deadline, look, .. })) = self.waiting.due(now) {
            let looks = look.is_some_and(|look| look.at == now);
            if let Some(answer) = self.answer(pod, uid).filter(|_| looks) {
                self.waiting.remove(pod);
                self.outputs.push_back(answer);
            } else if deadline <= now {
                self.waiting.remove(pod);
                self.outputs.push_back(Output::AddFailed { pod, uid, why: AddFailure::Deadline });
            } else {
                self.waiting.set_due(pod, deadline);
            }
        }
    }

    /// A PodENI has changed: the daemon that waits for it looks now, if it is told, or when it looks next.
    pub(super) fn look_whether_bound(&mut self, pod: PodKey) {
        let Some(&Add { uid, deadline, look, .. }) = self.waiting.adds.get(&pod) else { return };
        let Some(answer) = self.answer(pod, uid) else { return };
        let Some(look) = look else {
            self.waiting.remove(pod);
            return self.outputs.push_back(answer);
        };
        if let Some(look) = look.not_before(self.now).filter(|look| look.at <= deadline) {
            self.waiting.set_due(pod, look.at);
            self.waiting.adds.entry(pod).and_modify(|add| add.look = Some(look));
        }
    }

    /// What a daemon that looks now answers to an ADD; `None` = the PodENI is not bound.
    fn answer(&self, pod: PodKey, uid: Uid) -> Option<Output> {
        let pod_eni = self.pod_enis.get(&pod)?;
        if pod_eni.deleting || pod_eni.phase != Phase::Bind || pod_eni.uid != uid {
            return None;
        }
        // A daemon without a trunk interface does not look at the PodENI's.
        let own = self.nodes.get(&pod_eni.node).copied().flatten();
        let other_trunk = own.is_some() && own != pod_eni.trunk;
        Some(match other_trunk {
            true => Output::AddFailed { pod, uid, why: AddFailure::OtherTrunk },
            false => Output::Added { pod, uid },
        })
    }
}

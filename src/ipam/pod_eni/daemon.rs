//! The daemons' side: CNI ADD waits until the PodENI is bound (C156, `pkg/eni/remote.go:103-193`).

use std::collections::{BTreeMap, BTreeSet};

use super::resource::Phase;
use super::{Controller, Output};
use crate::id::Uid;
use crate::ipam::centralized::PodKey;
use crate::time::{Instant, Span};

/// Time that an ADD may take (R112, C115).
const RPC_TIMEOUT: Span = Span::secs(118);

/// ADDs that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    deadlines: BTreeMap<PodKey, (Uid, Instant)>,
    by_time: BTreeSet<(Instant, PodKey)>,
}

/// Why an ADD failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddFailure {
    /// Its time was up.
    Deadline,
    /// The pod's interfaces are at another trunk interface than the node's.
    OtherTrunk,
}

impl Waiting {
    /// When the next ADD gives up.
    pub fn next_deadline(&self) -> Instant {
        self.by_time.first().map_or(Instant::NEVER, |&(at, _)| at)
    }

    fn add(&mut self, pod: PodKey, uid: Uid, deadline: Instant) {
        self.remove(pod);
        self.deadlines.insert(pod, (uid, deadline));
        self.by_time.insert((deadline, pod));
    }

    fn remove(&mut self, pod: PodKey) {
        if let Some((_, deadline)) = self.deadlines.remove(&pod) {
            self.by_time.remove(&(deadline, pod));
        }
    }

    fn expired(&mut self, now: Instant) -> Option<(PodKey, Uid)> {
        let &(at, pod) = self.by_time.first().filter(|(at, _)| *at <= now)?;
        self.by_time.remove(&(at, pod));
        let (uid, _) = self.deadlines.remove(&pod).expect("both hold the same pods");
        Some((pod, uid))
    }
}

impl Controller {
    /// CNI ADD of a pod.
    pub(super) fn add(&mut self, now: Instant, pod: PodKey, uid: Uid) {
        self.waiting.add(pod, uid, now + RPC_TIMEOUT);
        self.look_whether_bound(pod);
    }

    /// Whoever called ADD went away.
    pub(super) fn cancel_add(&mut self, pod: PodKey) {
        self.waiting.remove(pod);
    }

    /// ADDs whose time is up.
    pub(super) fn expire_adds(&mut self, now: Instant) {
        while let Some((pod, uid)) = self.waiting.expired(now) {
            self.outputs.push_back(Output::AddFailed { pod, uid, why: AddFailure::Deadline });
        }
    }

    /// The daemon looks at a PodENI that has changed.
    pub(super) fn look_whether_bound(&mut self, pod: PodKey) {
        let Some(&(uid, _)) = self.waiting.deadlines.get(&pod) else { return };
        let Some(pod_eni) = self.pod_enis.get(&pod) else { return };
        if pod_eni.deleting || pod_eni.phase != Phase::Bind || pod_eni.uid != uid {
            return;
        }
        // A daemon without a trunk interface does not look at the PodENI's.
        let own = self.nodes.get(&pod_eni.node).copied().flatten();
        let other_trunk = own.is_some() && own != pod_eni.trunk;
        self.waiting.remove(pod);
        self.outputs.push_back(if other_trunk {
            Output::AddFailed { pod, uid, why: AddFailure::OtherTrunk }
        } else {
            Output::Added { pod, uid }
        });
    }
}

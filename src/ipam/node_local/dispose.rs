//! The dispose worker of a slot: gives addresses back and deletes the interface (rules R68, R108,
//! R109).

use super::NodeLocal;
use super::alloc::poll_metadata;
use super::seldom::Rest;
use super::slot::{Status, TOKENS};
use super::v6::Lot;
use super::wake::Sleeper;
use crate::ipam::backoff::{ENI_DELETE_CONFIRM, ENI_DELETE_CONFIRM_DELAY, ENI_IP_OPS, Next};
use crate::ipam::{Addresses, Answer, BATCH, Request, V6Addresses, Worker};
use crate::openapi::ErrorCode;
use crate::time::{Instant, Span};

/// Pause between detach and delete (R109).
const DETACH_PAUSE: Span = Span::secs(5);
/// Time that deleting an interface may take (R109).
const DELETE_TIMEOUT: Span = Span::secs(30);

/// What the dispose worker is at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Dispose {
    /// Waits for a broadcast.
    Asleep,
    /// Deletes the interface.
    Delete(DeleteStep),
    /// Gives addresses back, for the `attempt`-th time.
    Unassign { lot: Lot, attempt: u8, step: UnassignStep },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum DeleteStep {
    /// Waits for a token.
    Token { until: Instant },
    /// DetachNetworkInterface is under way; everything has to be over by `deadline`.
    Detaching { deadline: Instant },
    /// Sleeps between detach and delete.
    Pause { until: Instant, deadline: Instant },
    /// DeleteNetworkInterface is under way.
    Deleting { deadline: Instant },
    /// Sleeps before look number `attempt` whether it is gone; 0 = gives up then.
    ConfirmPause { until: Instant, attempt: u8, deadline: Instant },
    /// Looks whether it is gone.
    Confirming { attempt: u8, deadline: Instant },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum UnassignStep {
    /// UnassignPrivateIpAddresses or UnassignIpv6Addresses is under way.
    Calling,
    /// Sleeps before the next attempt.
    Backoff { until: Instant },
    /// Polls instance metadata; `gone` says whether that ends well.
    Settling { until: Instant, gone: bool },
}

impl Rest for Dispose {
    const AT_REST: &'static Self = &Self::Asleep;

    fn rests(&self) -> bool {
        matches!(self, Self::Asleep)
    }
}

impl Dispose {
    /// When the worker goes on by itself.
    pub fn until(&self) -> Instant {
        match *self {
            Self::Delete(
                DeleteStep::Token { until } | DeleteStep::Pause { until, .. } | DeleteStep::ConfirmPause { until, .. },
            ) => until,
            Self::Unassign { step: UnassignStep::Backoff { until } | UnassignStep::Settling { until, .. }, .. } => {
                until
            }
            Self::Asleep | Self::Delete(_) | Self::Unassign { .. } => Instant::NEVER,
        }
    }
}

impl NodeLocal {
    /// The worker looks whether there is something to do, and sleeps if not (R68).
    pub(super) fn dispose_look(&mut self, i: usize) {
        if self.is_starting() {
            return self.start_failed(i);
        }
        let slot = &mut self.slots[i];
        slot.dispose.set(Dispose::Asleep);
        if !slot.dispose_would_start() {
            slot.sleepers.push_back(Sleeper::DisposeWorker);
            return;
        }
        if slot.status == Status::Deleting {
            let until = slot.eni_bucket.take(TOKENS, self.now);
            slot.dispose.set(Dispose::Delete(DeleteStep::Token { until }));
            if until == self.now {
                self.detach(i);
            }
        } else {
            self.unassign_round(i);
        }
    }

    /// The time that the worker waited for has come.
    pub(super) fn dispose_fire(&mut self, i: usize) {
        match *self.slots[i].dispose {
            Dispose::Delete(DeleteStep::Token { .. }) => self.detach(i),
            // The sleep outlasts the context, but nothing is called after its end (R109).
            Dispose::Delete(DeleteStep::Pause { deadline, .. }) if self.now >= deadline => self.dispose_look(i),
            Dispose::Delete(DeleteStep::Pause { deadline, .. }) => {
                self.delete_call(i, DeleteStep::Deleting { deadline })
            }
            // Any failure begins the whole sequence again (R109).
            Dispose::Delete(DeleteStep::ConfirmPause { attempt: 0, .. }) => self.dispose_look(i),
            Dispose::Delete(DeleteStep::ConfirmPause { attempt, deadline, .. }) => {
                self.delete_call(i, DeleteStep::Confirming { attempt, deadline });
            }
            Dispose::Unassign { lot, attempt, step: UnassignStep::Backoff { .. } } => {
                self.unassign_call(i, lot, attempt + 1)
            }
            Dispose::Unassign { lot, step: UnassignStep::Settling { gone, .. }, .. } => self.unassigned(i, lot, gone),
            Dispose::Asleep | Dispose::Delete(_) | Dispose::Unassign { .. } => {
                unreachable!("a call is under way, which has no timer")
            }
        }
    }

    pub(super) fn detach(&mut self, i: usize) {
        let deadline = self.now + DELETE_TIMEOUT;
        self.delete_call(i, DeleteStep::Detaching { deadline });
    }

    fn delete_call(&mut self, i: usize, step: DeleteStep) {
        let eni = self.slots[i].eni.expect("a slot that is being deleted has its interface").id;
        self.slots[i].dispose.set(Dispose::Delete(step));
        let request = match step {
            DeleteStep::Detaching { .. } => Request::Detach(eni),
            DeleteStep::Deleting { .. } => Request::Delete(eni),
            _ => Request::Describe(eni),
        };
        self.call(i, Worker::Dispose, request);
    }

    /// A round of giving back: IPv4 addresses, then IPv6 ones, which are chosen now too (R145).
    fn unassign_round(&mut self, i: usize) {
        let slot = &mut self.slots[i];
        let batch = BATCH as u32;
        let v4 = Addresses::collect(slot.set.to_unassign(batch, &mut self.chance.map_order));
        if let Some(v6) = &mut slot.v6 {
            v6.leaving = V6Addresses::collect(v6.set.to_unassign(batch, &mut self.chance.map_order));
        }
        if v4.is_empty() { self.unassign_v6(i) } else { self.unassign_call(i, Lot::V4(v4), 1) }
    }

    /// The second half of a round.
    fn unassign_v6(&mut self, i: usize) {
        let leaving = self.slots[i].v6.as_mut().map(|v6| std::mem::replace(&mut v6.leaving, V6Addresses::EMPTY));
        match leaving.filter(|leaving| !leaving.is_empty()) {
            Some(v6) => self.unassign_call(i, Lot::V6(v6), 1),
            None => self.dispose_look(i),
        }
    }

    fn unassign_call(&mut self, i: usize, lot: Lot, attempt: u8) {
        let eni = self.slots[i].eni.expect("addresses belong to an interface").id;
        self.slots[i].dispose.set(Dispose::Unassign { lot, attempt, step: UnassignStep::Calling });
        self.call(i, Worker::Dispose, lot.unassign(eni));
    }

    /// Giving one family's addresses back is over. Those that are not gone stay marked.
    fn unassigned(&mut self, i: usize, lot: Lot, gone: bool) {
        let slot = &mut self.slots[i];
        match (lot, &mut slot.v6) {
            (Lot::V4(addresses), _) if gone => slot.set.remove(&addresses),
            (Lot::V6(addresses), Some(v6)) if gone => v6.set.remove(&addresses),
            _ => {}
        }
        self.unassign_v6(i);
    }

    /// A call of the worker was answered.
    pub(super) fn dispose_reply(&mut self, i: usize, reply: Result<Answer, ErrorCode>) {
        match *self.slots[i].dispose {
            Dispose::Delete(step) => self.delete_reply(i, step, reply),
            Dispose::Unassign { lot, attempt, step: UnassignStep::Calling } => {
                self.unassign_reply(i, lot, attempt, reply)
            }
            _ => unreachable!("no call is under way"),
        }
    }

    fn delete_reply(&mut self, i: usize, step: DeleteStep, reply: Result<Answer, ErrorCode>) {
        match (step, reply) {
            (DeleteStep::Detaching { deadline }, Ok(_)) => {
                let until = self.now + DETACH_PAUSE;
                self.slots[i].dispose.set(Dispose::Delete(DeleteStep::Pause { until, deadline }));
            }
            (DeleteStep::Deleting { .. }, Ok(_)) if !self.config.confirm_delete => self.deleted(i),
            // It is gone already (`pkg/aliyun/client/ecs.go:225-229`).
            (DeleteStep::Deleting { .. }, Err(ErrorCode::NotFound)) => self.deleted(i),
            (DeleteStep::Deleting { deadline }, Ok(_)) => self.confirm_pause(i, ENI_DELETE_CONFIRM_DELAY, 1, deadline),
            (DeleteStep::Confirming { .. }, Ok(Answer::Described { exists: false, .. })) => self.deleted(i),
            (DeleteStep::Confirming { attempt, deadline }, _) => match ENI_DELETE_CONFIRM.after(attempt, None) {
                Next::Retry(sleep) => self.confirm_pause(i, sleep, attempt + 1, deadline),
                Next::GiveUpAfter(sleep) => self.confirm_pause(i, sleep, 0, deadline),
                Next::GiveUp => self.dispose_look(i),
            },
            (_, _) => self.dispose_look(i),
        }
    }

    /// Sleeps before a look; the context's end cuts the sleep short and ends the attempt.
    fn confirm_pause(&mut self, i: usize, sleep: Span, attempt: u8, deadline: Instant) {
        let wake = self.now + sleep;
        let (until, attempt) = if wake < deadline { (wake, attempt) } else { (deadline.max(self.now), 0) };
        self.slots[i].dispose.set(Dispose::Delete(DeleteStep::ConfirmPause { until, attempt, deadline }));
    }

    /// The interface is gone: the slot is as new, but for its buckets (R49, R68).
    fn deleted(&mut self, i: usize) {
        let slot = &mut self.slots[i];
        slot.eni = None;
        slot.set.clear();
        if let Some(v6) = &mut slot.v6 {
            v6.set.clear();
        }
        slot.status = Status::Init;
        slot.inhibit_until = Instant::ZERO;
        if self.is_starting() {
            return self.start_failed(i);
        }
        self.dispose_broadcast(i);
    }

    fn unassign_reply(&mut self, i: usize, lot: Lot, attempt: u8, reply: Result<Answer, ErrorCode>) {
        if let Ok(Answer::Unassigned(gone_at)) = reply {
            let (until, gone) = poll_metadata(self.now, gone_at, Instant::NEVER);
            self.slots[i].dispose.set(Dispose::Unassign { lot, attempt, step: UnassignStep::Settling { until, gone } });
            return;
        }
        match self.retry(ENI_IP_OPS, attempt) {
            Some(until) => {
                self.slots[i].dispose.set(Dispose::Unassign { lot, attempt, step: UnassignStep::Backoff { until } })
            }
            // The worker begins again at once (R68).
            None => self.unassigned(i, lot, false),
        }
    }
}

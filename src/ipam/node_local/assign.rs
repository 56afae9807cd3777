//! The alloc worker extends an interface: IPv4 addresses first, then IPv6 ones (rules R55, R63,
//! R104, R105, R144).

use super::NodeLocal;
use super::alloc::{Alloc, poll_metadata};
use super::demand::Family;
use super::slot::{Slot, TOKENS};
use super::v6::Lot;
use crate::id::EniId;
use crate::ipam::backoff::ENI_IP_OPS;
use crate::ipam::{Answer, BATCH, Request, Worker};
use crate::openapi::ErrorCode;
use crate::time::Instant;

/// Addresses of one family to ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub family: Family,
    pub n: u8,
    /// IPv6 addresses to ask for after that: both were counted when the gathering was over.
    then_v6: u8,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum AssignStep {
    /// AssignPrivateIpAddresses or AssignIpv6Addresses is under way.
    Calling,
    /// Sleeps before the next attempt (R104).
    Backoff { until: Instant },
    /// Polls instance metadata; `ready` says whether that ends well (R104, R105).
    Settling { until: Instant, ready: bool, lot: Lot },
}

impl Ask {
    /// What a slot asks for at the end of its gathering; `None` = everybody has gone.
    pub fn of(slot: &mut Slot) -> Option<Self> {
        let (n, v6) = (slot.queued_v4().min(BATCH) as u8, slot.queued_v6().min(BATCH) as u8);
        let v4 = Self { family: Family::V4, n, then_v6: v6 };
        if n > 0 { Some(v4) } else { v4.then() }
    }

    /// What is asked for next.
    fn then(self) -> Option<Self> {
        (self.then_v6 > 0).then_some(Self { family: Family::V6, n: self.then_v6, then_v6: 0 })
    }

    fn request(self, eni: EniId) -> Request {
        match self.family {
            Family::V4 => Request::Assign(eni, self.n),
            Family::V6 => Request::AssignV6(eni, self.n),
        }
    }
}

impl NodeLocal {
    /// Waits for a token; each family has a bucket of its own (R49).
    pub(super) fn assign_begin(&mut self, i: usize, ask: Ask) {
        let slot = &mut self.slots[i];
        let bucket = match (ask.family, &mut slot.v6) {
            (Family::V6, Some(v6)) => &mut v6.assign_bucket,
            _ => &mut slot.assign_bucket,
        };
        let until = bucket.take(TOKENS, self.now);
        slot.alloc.set(Alloc::AssignToken { until, ask });
        if until == self.now {
            self.assign_call(i, ask, 1);
        }
    }

    pub(super) fn assign_call(&mut self, i: usize, ask: Ask, attempt: u8) {
        let Some(eni) = self.slots[i].eni else {
            // The interface was deleted while the worker waited for its token. Upstream calls
            // with the old ID, or crashes; either way nobody is served.
            return self.alloc_look(i);
        };
        self.slots[i].alloc.set(Alloc::Assign { ask, attempt, step: AssignStep::Calling });
        self.call(i, Worker::Alloc, ask.request(eni.id));
    }

    pub(super) fn assign_reply(&mut self, i: usize, ask: Ask, attempt: u8, reply: Result<Answer, ErrorCode>) {
        let code = match reply {
            Ok(Answer::Assigned(addresses, visible)) => return self.assigned(i, ask, Lot::V4(addresses), visible),
            Ok(Answer::AssignedV6(addresses, visible)) => return self.assigned(i, ask, Lot::V6(addresses), visible),
            Err(code) => code,
            Ok(other) => unreachable!("{other:?} is no answer to {ask:?}"),
        };
        let again = matches!(code, ErrorCode::Throttling | ErrorCode::Internal);
        match self.retry(ENI_IP_OPS, attempt).filter(|_| again) {
            Some(until) => self.slots[i].alloc.set(Alloc::Assign { ask, attempt, step: AssignStep::Backoff { until } }),
            None => {
                // An exhausted loop reports a time-out, which carries no code (R95). What was got of
                // IPv4 serves, but nobody is told.
                self.inhibit(i, (!again).then_some(code));
                self.alloc_look(i);
            }
        }
    }

    fn assigned(&mut self, i: usize, ask: Ask, lot: Lot, visible: Instant) {
        let (until, ready) = poll_metadata(self.now, visible, Instant::NEVER);
        self.slots[i].alloc.set(Alloc::Assign { ask, attempt: 1, step: AssignStep::Settling { until, ready, lot } });
    }

    /// New addresses serve; who waits for them is woken when those of both families are there (R55).
    pub(super) fn assign_done(&mut self, i: usize, ask: Ask, lot: &Lot) {
        let slot = &mut self.slots[i];
        if slot.eni.is_none() {
            // The interface was deleted meanwhile, and the addresses with it. Upstream adds them
            // to the empty slot and crashes when a pod gets one.
            return self.alloc_look(i);
        }
        match (lot, &mut slot.v6) {
            (Lot::V4(addresses), _) => {
                for &address in addresses.iter() {
                    slot.set.add_valid(address, false, &mut self.chance.map_order);
                }
                slot.made(Family::V4, addresses.len());
            }
            (Lot::V6(addresses), Some(v6)) => {
                for &address in addresses.iter() {
                    v6.set.add_valid(address, false, &mut self.chance.map_order);
                }
                slot.made(Family::V6, addresses.len());
            }
            (Lot::V6(_), None) => unreachable!("only a dual-stack slot asks for IPv6 addresses"),
        }
        match ask.then() {
            Some(next) => self.assign_begin(i, next),
            None => self.alloc_broadcast(i),
        }
    }

    /// Instance metadata does not show the new addresses: they are given back, and the requests
    /// stay queued (R63, R105).
    pub(super) fn assign_unseen(&mut self, i: usize, lot: &Lot) {
        let slot = &mut self.slots[i];
        if slot.eni.is_some() {
            match (lot, &mut slot.v6) {
                (Lot::V4(addresses), _) => slot.set.add_deleting(addresses, &mut self.chance.map_order),
                (Lot::V6(addresses), Some(v6)) => v6.set.add_deleting(addresses, &mut self.chance.map_order),
                (Lot::V6(_), None) => unreachable!("only a dual-stack slot asks for IPv6 addresses"),
            }
        }
        self.alloc_look(i);
    }
}

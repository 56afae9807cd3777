//! Deletions: interfaces and addresses that are not wanted any more are given back, one interface
//! after the other (C95 to C99). Failures are left for the next run.

use std::net::Ipv4Addr;

use super::super::Controller;
use super::super::call::{Answer, Interface, Refusal, Request, State};
use super::super::resource::{IpStatus, NicState};
use super::{Run, Stage, Wake};
use crate::id::EniId;
use crate::ipam::BATCH;
use crate::ipam::backoff::{
    Backoff, ENI_DELETE_CONFIRM, ENI_DELETE_CONFIRM_DELAY, Next, WAIT_ENI_IP_REMOVED, WAIT_ENI_IP_REMOVED_DELAY,
    WAIT_ENI_STATUS,
};
use crate::time::Instant;

/// The deletions of a run.
#[derive(Debug)]
pub(super) struct Cleaning {
    /// Interfaces to look at, the last one first.
    left: Vec<EniId>,
    /// The one that is being dealt with.
    eni: EniId,
}

/// How far it is with that one.
#[derive(Debug)]
pub(super) enum Step {
    /// It is being detached.
    Detaching,
    /// It is being deleted.
    Deleting,
    /// These addresses are being unassigned.
    Unassigning(Vec<Ipv4Addr>),
    /// The cloud is asked for the n-th time whether it is so.
    Looking(Goal, u8),
    /// It sleeps before it asks for the n-th time.
    Sleeping(Goal, u8),
    /// It gave up, after a last sleep.
    GivingUp,
}

/// What is waited for.
#[derive(Debug)]
pub(super) enum Goal {
    /// The interface is detached.
    Detached,
    /// The interface does not exist any more.
    Deleted,
    /// These addresses are gone.
    Unassigned(Vec<Ipv4Addr>),
}

impl Controller {
    /// Begins the deletions of a run.
    pub(super) fn clean(&mut self, now: Instant, run: &mut Run) {
        let mut left = run.status.in_map_order(&mut self.chance);
        left.reverse();
        self.clean_next(now, run, left);
    }

    fn clean_next(&mut self, now: Instant, run: &mut Run, mut left: Vec<EniId>) {
        while let Some(eni) = left.pop() {
            let nic = &run.status.nics[&eni];
            let (step, request) = match nic.state {
                NicState::Deleting | NicState::Detaching => (Step::Detaching, Request::Detach(eni, run.node)),
                NicState::InUse => {
                    // Which ten does not matter: nobody has them.
                    let marked = nic.addresses.iter().filter(|(_, ip)| ip.status == IpStatus::Deleting);
                    let marked: Vec<_> = marked.map(|(&address, _)| address).take(BATCH).collect();
                    if marked.is_empty() {
                        continue;
                    }
                    (Step::Unassigning(marked.clone()), Request::Unassign(eni, marked))
                }
                NicState::Attaching => continue,
            };
            self.ask(now, run, request);
            run.stage = Stage::Cleaning(Cleaning { left, eni }, step);
            return;
        }
        self.settle(now, run);
    }

    pub(super) fn clean_goes_on(&mut self, now: Instant, run: &mut Run, cleaning: Cleaning, step: Step, wake: Wake) {
        match (step, wake) {
            (Step::Detaching, Wake::Reply(Ok(_) | Err(Refusal::NotFound | Refusal::NoInstance))) => {
                self.look(now, run, cleaning, Goal::Detached, 1);
            }
            (Step::Deleting, Wake::Reply(Ok(_))) => self.wait(now, run, cleaning, Goal::Deleted),
            (Step::Deleting, Wake::Reply(Err(Refusal::NotFound))) => self.deleted(now, run, cleaning),
            (Step::Unassigning(addresses), Wake::Reply(Ok(_) | Err(Refusal::NotFound | Refusal::NotAssigned))) => {
                self.nodes[run.node.index()].memory.changed = true;
                self.wait(now, run, cleaning, Goal::Unassigned(addresses));
            }
            (Step::Sleeping(goal, attempt), Wake::Timer) => self.look(now, run, cleaning, goal, attempt),
            (Step::Looking(goal, attempt), Wake::Reply(reply)) => {
                self.looked(now, run, cleaning, (goal, attempt), reply);
            }
            (Step::Detaching | Step::Deleting | Step::Unassigning(_) | Step::GivingUp, _) => {
                self.clean_next(now, run, cleaning.left);
            }
            (step, wake) => unreachable!("{step:?} does not wait for {wake:?}"),
        }
    }

    /// Waits before the first look.
    fn wait(&mut self, now: Instant, run: &mut Run, cleaning: Cleaning, goal: Goal) {
        let pause = match goal {
            Goal::Unassigned(_) => WAIT_ENI_IP_REMOVED_DELAY,
            Goal::Deleted | Goal::Detached => ENI_DELETE_CONFIRM_DELAY,
        };
        self.sleep(now + pause, run);
        run.stage = Stage::Cleaning(cleaning, Step::Sleeping(goal, 1));
    }

    fn look(&mut self, now: Instant, run: &mut Run, cleaning: Cleaning, goal: Goal, attempt: u8) {
        self.ask(now, run, Request::Describe(cleaning.eni));
        run.stage = Stage::Cleaning(cleaning, Step::Looking(goal, attempt));
    }

    fn looked(
        &mut self,
        now: Instant,
        run: &mut Run,
        cleaning: Cleaning,
        (goal, attempt): (Goal, u8),
        reply: Result<Answer, Refusal>,
    ) {
        // An error counts as "not yet", but for addresses, where the next run tries again.
        let found = match reply {
            Ok(Answer::Interfaces(found)) => Some(found),
            _ => None,
        };
        let reached = match &goal {
            Goal::Detached => found.is_some_and(|found| found.first().is_none_or(|eni| eni.state == State::Available)),
            Goal::Deleted => found.is_some_and(|found| found.is_empty()),
            Goal::Unassigned(addresses) => match found.as_deref() {
                Some([found]) => forget_addresses(run, found, addresses),
                _ => return self.clean_next(now, run, cleaning.left),
            },
        };
        match goal {
            Goal::Detached if reached => {
                self.ask(now, run, Request::Delete(cleaning.eni));
                run.stage = Stage::Cleaning(cleaning, Step::Deleting);
            }
            Goal::Deleted if reached => self.deleted(now, run, cleaning),
            Goal::Unassigned(_) if reached => self.clean_next(now, run, cleaning.left),
            goal => self.look_later(now, run, cleaning, goal, attempt),
        }
    }

    fn look_later(&mut self, now: Instant, run: &mut Run, cleaning: Cleaning, goal: Goal, attempt: u8) {
        let (pause, step) = match goal.backoff().after(attempt, self.jitter()) {
            Next::Retry(pause) => (pause, Step::Sleeping(goal, attempt + 1)),
            Next::GiveUpAfter(pause) => (pause, Step::GivingUp),
            Next::GiveUp => return self.clean_next(now, run, cleaning.left),
        };
        self.sleep(now + pause, run);
        run.stage = Stage::Cleaning(cleaning, step);
    }

    /// An interface is gone, and with it its record.
    fn deleted(&mut self, now: Instant, run: &mut Run, cleaning: Cleaning) {
        self.nodes[run.node.index()].memory.changed = true;
        run.status.nics.remove(&cleaning.eni);
        self.clean_next(now, run, cleaning.left);
    }
}

impl Goal {
    fn backoff(&self) -> Backoff {
        match self {
            Self::Detached => WAIT_ENI_STATUS,
            Self::Deleted => ENI_DELETE_CONFIRM,
            Self::Unassigned(_) => WAIT_ENI_IP_REMOVED,
        }
    }
}

/// Forgets those of `addresses` that the cloud does not show any more; whether that is all.
fn forget_addresses(run: &mut Run, found: &Interface, addresses: &[Ipv4Addr]) -> bool {
    let nic = run.status.nics.get_mut(&found.id).expect("nothing removes it meanwhile");
    let (there, gone): (Vec<_>, Vec<_>) = addresses.iter().partition(|address| found.addresses.contains(address));
    for address in gone {
        nic.addresses.remove(address);
    }
    there.is_empty()
}

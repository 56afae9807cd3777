//! Deletions: interfaces and addresses that are not wanted any more are given back, one interface
//! after the other (C95 to C99). Failures are left for the next run.

use std::net::Ipv4Addr;

use super::super::Controller;
use super::super::call::{Answer, Interface, Refusal, Request, State};
use super::super::family::Family;
use super::super::go_map::GoMap;
use super::super::resource::{Ip, IpStatus, Nic, NicState};
use super::{Run, Stage, Wake};
use crate::address::V6Addr;
use crate::chance::SmallStream;
use crate::id::EniId;
use crate::ipam::BATCH;
use crate::ipam::backoff::{
    Backoff, ENI_DELETE_CONFIRM, ENI_DELETE_CONFIRM_DELAY, Next, WAIT_ENI_IP_REMOVED, WAIT_ENI_IP_REMOVED_DELAY,
    WAIT_ENI_STATUS,
};
use crate::time::{Instant, Span};

/// Time between the calls for the two families of an interface (C98).
const PAUSE: Span = Span::secs(1);

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
    /// The IPv4 addresses among these are being unassigned.
    Unassigning(Marked),
    /// It sleeps before the IPv6 addresses among these.
    Pausing(Marked),
    /// The IPv6 addresses among these are being unassigned.
    UnassigningIpv6(Marked),
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
    Unassigned(Marked),
}

/// Addresses of an interface that are given back together.
#[derive(Debug)]
pub(super) struct Marked {
    ipv4: Vec<Ipv4Addr>,
    ipv6: Vec<V6Addr>,
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
            if nic.unschedulable {
                continue;
            }
            let (step, request) = match nic.state {
                NicState::Deleting | NicState::Detaching => (Step::Detaching, Request::Detach(eni, run.node)),
                NicState::InUse => {
                    let (ipv4, ipv6) = (marked(nic, &mut self.chance), marked(nic, &mut self.chance));
                    let marked = Marked { ipv4, ipv6 };
                    if !marked.ipv4.is_empty() {
                        let request = Request::Unassign(eni, marked.ipv4.clone());
                        (Step::Unassigning(marked), request)
                    } else if !marked.ipv6.is_empty() {
                        let request = Request::UnassignIpv6(eni, marked.ipv6.clone());
                        (Step::UnassigningIpv6(marked), request)
                    } else {
                        continue;
                    }
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
            (Step::Unassigning(marked), Wake::Reply(Ok(_) | Err(Refusal::NotFound | Refusal::NotAssigned))) => {
                self.nodes[run.node.index()].memory.changed = true;
                if marked.ipv6.is_empty() {
                    return self.wait(now, run, cleaning, Goal::Unassigned(marked));
                }
                self.sleep(now + PAUSE, run);
                run.stage = Stage::Cleaning(cleaning, Step::Pausing(marked));
            }
            (Step::Pausing(marked), Wake::Timer) => {
                self.ask(now, run, Request::UnassignIpv6(cleaning.eni, marked.ipv6.clone()));
                run.stage = Stage::Cleaning(cleaning, Step::UnassigningIpv6(marked));
            }
            (Step::UnassigningIpv6(marked), Wake::Reply(Ok(_) | Err(Refusal::NotFound | Refusal::NotAssigned))) => {
                self.nodes[run.node.index()].memory.changed = true;
                self.wait(now, run, cleaning, Goal::Unassigned(marked));
            }
            (Step::Sleeping(goal, attempt), Wake::Timer) => self.look(now, run, cleaning, goal, attempt),
            (Step::Looking(goal, attempt), Wake::Reply(reply)) => {
                self.looked(now, run, cleaning, (goal, attempt), reply);
            }
            (
                Step::Detaching | Step::Deleting | Step::Unassigning(_) | Step::UnassigningIpv6(_) | Step::GivingUp,
                _,
            ) => {
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
            Goal::Unassigned(marked) => match found.as_deref() {
                Some([found]) => forget_addresses(run, found, marked),
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

/// Up to ten addresses that are to be unassigned; of more, those that Go's map has first
/// (`pkg/controller/multi-ip/node/pool.go:1890-1900`): a call whose answer got lost is not made again for the same ten.
fn marked<A: Family>(nic: &Nic, chance: &mut SmallStream) -> Vec<A> {
    let (all, is_marked) = (A::on(nic), |ip: &Ip| ip.status == IpStatus::Deleting);
    if all.values().filter(|ip| is_marked(ip)).count() <= BATCH {
        return all.iter().filter(|(_, ip)| is_marked(ip)).map(|(&address, _)| address).collect();
    }
    let map = GoMap::of(all.len(), chance);
    let in_order = map.iterate(chance).map(|at| all.at(at));
    in_order.filter(|(_, ip)| is_marked(ip)).map(|(&address, _)| address).take(BATCH).collect()
}

/// Forgets those of the addresses that the cloud does not show any more; whether that is all.
fn forget_addresses(run: &mut Run, found: &Interface, marked: &Marked) -> bool {
    let nic = run.status.nics.get_mut(&found.id).expect("nothing removes it meanwhile");
    let (ipv4, ipv6) = (forget_family(nic, found, &marked.ipv4), forget_family(nic, found, &marked.ipv6));
    ipv4 && ipv6
}

fn forget_family<A: Family>(nic: &mut Nic, found: &Interface, addresses: &[A]) -> bool {
    let (there, gone): (Vec<_>, Vec<_>) = addresses.iter().partition(|&address| A::shown(found).contains(address));
    for address in gone {
        A::on_mut(nic).remove(address);
    }
    there.is_empty()
}

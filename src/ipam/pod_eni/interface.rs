//! The controller `eni`: attaches, detaches and deletes one interface (C148, C151,
//! `pkg/controller/eni/eni.go`).

use super::call::{Answer, Caller, Request};
use super::queue::Ended;
use super::resource::{NetworkInterface, Phase, Place};
use super::{Controller, Failure, Output, Timer};
use crate::id::EniId;
use crate::ipam::backoff::{
    ENI_DELETE_CONFIRM, ENI_DELETE_CONFIRM_DELAY, Next, WAIT_ENI_STATUS, WAIT_ENI_STATUS_DELAY,
    WAIT_MEMBER_ENI_STATUS_DELAY,
};
use crate::ipam::centralized::{Refusal, State};
use crate::time::{Instant, Span};

/// A run that works on an interface. The worker is busy with it (C27).
#[derive(Debug)]
pub(super) struct InterfaceRun {
    /// The version of the NetworkInterface that the run began with.
    version: u64,
    task: Task,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Attach(Place),
    Detach(Place),
    Delete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The call is under way.
    Calling,
    /// It sleeps; then it looks for the n-th time.
    Sleeping(u8),
    /// It looks for the n-th time.
    Looking(u8),
    /// It sleeps; then it gives up.
    GivingUp,
}

/// What a worker has to do with an interface.
fn task(interface: &NetworkInterface) -> Option<Task> {
    let unwanted = interface.deleting || matches!(interface.phase, Phase::Detaching | Phase::Deleting);
    match interface.place {
        Some(place) if unwanted => Some(Task::Detach(place)),
        // Upstream leaves one that is to be kept but was never attached as it is, for ever
        // (`eni.go:353,466`).
        _ if unwanted => interface.deleting.then_some(Task::Delete),
        Some(place) if interface.phase == Phase::Binding => Some(Task::Attach(place)),
        _ => None,
    }
}

/// How long a run sleeps between its call and its look (C148, C151).
fn first_sleep(place: Place) -> Span {
    if place.trunk.is_some() { WAIT_MEMBER_ENI_STATUS_DELAY } else { WAIT_ENI_STATUS_DELAY }
}

impl Controller {
    /// A worker takes an interface.
    pub(super) fn run_interface(&mut self, now: Instant, eni: EniId) {
        let Some(interface) = self.interfaces.get_mut(&eni) else {
            self.patience.remove(&eni);
            return self.eni_queue.done(now, eni, Ended::Done);
        };
        if interface.phase == Phase::Deleting && !interface.deleting {
            self.write_interface(eni, |interface| interface.deleting = true);
            return self.eni_queue.done(now, eni, Ended::Done);
        }
        match task(interface) {
            Some(task) => self.begin_task(now, eni, task),
            None => self.eni_queue.done(now, eni, Ended::Done),
        }
    }

    fn begin_task(&mut self, now: Instant, eni: EniId, task: Task) {
        let request = match task {
            Task::Attach(place) => Request::Attach(eni, place),
            Task::Detach(place) => Request::Detach(eni, place),
            Task::Delete => Request::Delete(eni),
        };
        let version = self.interfaces[&eni].version;
        self.interface_runs.insert(eni, InterfaceRun { version, task, step: Step::Calling });
        self.request(now, Caller::Interface(eni), request);
    }

    /// An answer for a worker.
    pub(super) fn interface_answered(&mut self, now: Instant, eni: EniId, reply: Result<Answer, Refusal>) {
        let run = &self.interface_runs[&eni];
        match run.step {
            Step::Calling => self.called(now, eni, run.task, reply.map(|_| ())),
            Step::Looking(looks) => {
                let state = match reply {
                    Ok(Answer::Described(state)) => Ok(state),
                    Ok(_) => unreachable!("a look is answered with a description"),
                    Err(refusal) => Err(refusal),
                };
                self.looked(now, eni, run.task, looks, state);
            }
            Step::Sleeping(_) | Step::GivingUp => unreachable!("nothing is asked while it sleeps"),
        }
    }

    /// The call itself ended.
    fn called(&mut self, now: Instant, eni: EniId, task: Task, reply: Result<(), Refusal>) {
        match (task, reply) {
            (Task::Attach(place), Ok(())) => self.interface_sleeps(now, eni, first_sleep(place), Step::Sleeping(1)),
            (Task::Attach(_), Err(refusal)) => self.interface_failed(now, eni, Failure::Attach(refusal)),
            // Whatever is gone is detached (`pkg/aliyun/client/ecs.go:199-206`).
            (Task::Detach(place), Ok(()) | Err(Refusal::NotFound | Refusal::NoInstance)) => {
                self.interface_sleeps(now, eni, first_sleep(place), Step::Sleeping(1));
            }
            (Task::Detach(_), Err(refusal)) => self.interface_failed(now, eni, Failure::Detach(refusal)),
            (Task::Delete, Ok(())) => {
                self.interface_sleeps(now, eni, ENI_DELETE_CONFIRM_DELAY, Step::Sleeping(1));
            }
            (Task::Delete, Err(Refusal::NotFound)) => self.deleted(now, eni),
            (Task::Delete, Err(refusal)) => self.interface_failed(now, eni, Failure::Delete(Some(refusal))),
        }
    }

    /// A sleep is over.
    pub(super) fn interface_woken(&mut self, now: Instant, eni: EniId) {
        let run = self.interface_runs.get_mut(&eni).expect("timers belong to a run");
        match run.step {
            Step::Sleeping(looks) => {
                run.step = Step::Looking(looks);
                self.request(now, Caller::Interface(eni), Request::Describe(eni));
            }
            Step::GivingUp => self.interface_failed(now, eni, Failure::Delete(None)),
            Step::Calling | Step::Looking(_) => unreachable!("it does not sleep"),
        }
    }

    /// What a look has shown.
    fn looked(&mut self, now: Instant, eni: EniId, task: Task, looks: u8, found: Result<Option<State>, Refusal>) {
        match (task, found) {
            (Task::Attach(_), Ok(Some(State::InUse))) => self.attached(now, eni),
            (Task::Detach(_), Ok(None | Some(State::Available))) => self.detached(now, eni),
            (Task::Attach(_) | Task::Detach(_), Ok(_)) => self.look_with_patience(now, eni),
            (Task::Attach(_), Err(refusal)) => self.interface_failed(now, eni, Failure::Attach(refusal)),
            (Task::Detach(_), Err(refusal)) => self.interface_failed(now, eni, Failure::Detach(refusal)),
            (Task::Delete, Ok(None)) => self.deleted(now, eni),
            (Task::Delete, Ok(Some(_)) | Err(_)) => match ENI_DELETE_CONFIRM.after(looks, self.jitter()) {
                Next::Retry(pause) => self.interface_sleeps(now, eni, pause, Step::Sleeping(looks + 1)),
                Next::GiveUpAfter(pause) => self.interface_sleeps(now, eni, pause, Step::GivingUp),
                Next::GiveUp => self.interface_failed(now, eni, Failure::Delete(None)),
            },
        }
    }

    /// Not there yet: the run ends, and the next one begins with the call again. Its pauses are
    /// those of an interface that is no member, for members too (`eni.go:283,432`,
    /// `pkg/controller/eni/bo.go`).
    fn look_with_patience(&mut self, now: Instant, eni: EniId) {
        let pause = match self.patience.get(&eni).copied() {
            None => {
                self.patience.insert(eni, (now + WAIT_ENI_STATUS_DELAY, 0));
                Some(WAIT_ENI_STATUS_DELAY)
            }
            Some((next, _)) if now < next => Some(next.since(now)),
            Some((_, steps)) => {
                let pause = WAIT_ENI_STATUS.step(steps + 1, self.jitter());
                if let Some(pause) = pause {
                    self.patience.insert(eni, (now + pause, steps + 1));
                }
                pause
            }
        };
        let ended = pause.map_or(Ended::Retry, Ended::After);
        self.interface_runs.remove(&eni);
        if ended == Ended::Retry {
            self.fail(self.interfaces[&eni].pod, Failure::NotReady);
        }
        self.eni_queue.done(now, eni, ended);
    }

    fn attached(&mut self, now: Instant, eni: EniId) {
        self.patience.remove(&eni);
        let run = self.interface_runs.remove(&eni).expect("it looked");
        if self.interfaces[&eni].version != run.version {
            return self.interface_failed(now, eni, Failure::Conflict);
        }
        self.write_interface(eni, |interface| interface.phase = Phase::Bind);
        self.eni_queue.done(now, eni, Ended::Done);
    }

    /// One that is not wanted any more is deleted in the same run.
    fn detached(&mut self, now: Instant, eni: EniId) {
        self.patience.remove(&eni);
        let run = self.interface_runs.remove(&eni).expect("it looked");
        if self.interfaces[&eni].version != run.version {
            return self.interface_failed(now, eni, Failure::Conflict);
        }
        self.write_interface(eni, |interface| {
            interface.phase = Phase::Unbind;
            interface.place = None;
        });
        if self.interfaces[&eni].deleting {
            self.begin_task(now, eni, Task::Delete);
        } else {
            self.eni_queue.done(now, eni, Ended::Done);
        }
    }

    fn deleted(&mut self, now: Instant, eni: EniId) {
        self.interface_runs.remove(&eni);
        self.patience.remove(&eni);
        self.interfaces.remove(&eni);
        self.outputs.push_back(Output::Freed(eni));
        self.eni_queue.done(now, eni, Ended::Done);
    }

    fn interface_sleeps(&mut self, now: Instant, eni: EniId, pause: Span, step: Step) {
        self.interface_runs.get_mut(&eni).expect("it is under way").step = step;
        self.set_timer(now + pause, Timer::Interface(eni));
    }

    fn interface_failed(&mut self, now: Instant, eni: EniId, why: Failure) {
        self.interface_runs.remove(&eni);
        self.fail(self.interfaces[&eni].pod, why);
        self.eni_queue.done(now, eni, Ended::Retry);
    }
}

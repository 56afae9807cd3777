//! The allocator of Terway v1.1 to v1.6: one pool per node with two watermarks, filled and trimmed by
//! one loop, and pods that create what the pool lacks (rules P1 to P112, A1 to G14).
//!
//! Upstream is a handful of goroutines that wait for locks, channels and each other, and what a node
//! does under stress is the order in which they do. So this core has the same goroutines
//! (`scheduler.rs`), as futures that run until they wait; the clock, the cloud and chance are inputs as
//! everywhere in [`ipam`](super).

mod api;
mod config;
mod defect;
mod entry;
mod factory;
mod heap;
mod invariant;
mod pool;
mod process;
mod profile;
mod quiet;
mod rows;
mod rpc;
mod scheduler;
mod sync;
mod tracing;
mod vswitches;
mod whereabouts;
mod worker;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

pub use config::{Config, Selection, Sizes, Wanted};
pub use defect::{Defect, Defects};
pub use profile::{Profile, UnknownVersion, Version};
pub use tracing::{Trace, TracedInterface};

use crate::chance::SmallStream;
use crate::id::{EniId, PodId};
use crate::ipam::{Answer, CallId, Eni, Request};
pub use crate::ipam::{Attached, Release};
use crate::openapi::ErrorCode;
use crate::time::Instant;
use pool::Resource;
use process::{Chance, Legacy, Process, State};
use scheduler::{Goroutine, Timer};

/// What happens to a daemon.
#[derive(Debug, Clone)]
pub enum Input {
    /// CNI ADD: a pod wants an address; whether it is one whose address is retained (rule P97).
    Allocate {
        /// The pod.
        pod: PodId,
        /// Whether its address is retained when it is gone.
        stateful: bool,
    },
    /// The caller of a pending [`Input::Allocate`] went away: the pod was deleted. One of the same name
    /// may come, and meet what is still done for it (rule P92).
    Cancel(PodId),
    /// As [`Input::Cancel`], but none of the same name will come; the number may be another pod's.
    Forget(PodId),
    /// CNI DEL. While the daemon is down it takes effect in the resource database only.
    Release(Release),
    /// The answer to a call, also to one of a former life: what that took away is not there any more.
    Reply(CallId, Result<Answer, ErrorCode>),
    /// The daemon dies with its node: until [`Input::Restart`] nothing happens to it.
    Stop,
    /// As [`Input::Stop`], but the node goes on: whoever waits for an address hears of it at once.
    Kill,
    /// The daemon is restarted, with `attached` in the order of instance metadata.
    Restart {
        /// The configuration that it reads at its start (rule P4).
        config: Arc<Config>,
        /// Secondary interfaces of the instance.
        attached: Vec<Attached>,
    },
    /// Nothing but time passing.
    Tick,
}

/// What a daemon does.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// It calls the API; `at` is not earlier than now (client-side limit, rule P88).
    Call {
        /// Names the call in its answer.
        call: CallId,
        /// When the call leaves.
        at: Instant,
        /// What it asks for.
        request: Request,
    },
    /// `pod` has an address.
    Allocated {
        /// The pod.
        pod: PodId,
        /// The interface.
        eni: Eni,
        /// The address.
        address: Ipv4Addr,
        /// Whether the pod had it already (rule P23).
        retained: bool,
    },
    /// `pod` is left without an address; the caller tries again later.
    Failed(PodId, Failure),
    /// The address of `pod` is idle again; the last that happens to a release.
    Released(PodId, EniId),
    /// A part of the daemon waits for ever from now on.
    Stuck(Defect),
    /// The daemon has died of itself. It waits for [`Input::Restart`].
    Crashed(Defect),
}

/// Why an address was not had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The node has all its addresses (`no available resource`).
    NodeFull,
    /// No interface takes the request and there is no slot for another (`max ENI exceeded`).
    NoInterface {
        /// At least one interface rests, since its vSwitch had no address.
        inhibited: bool,
        /// No interface is on a vSwitch of the configuration (rule P50).
        foreign: bool,
    },
    /// Three interfaces are being created or deleted (`trigger ENI throttle`).
    Throttled,
    /// Addresses were not assigned.
    NotAssigned {
        /// Why.
        trouble: Trouble,
        /// Whether it counts as a shortage (rule P112).
        short: bool,
    },
    /// An interface was not created.
    NotCreated {
        /// Why.
        trouble: Trouble,
        /// Whether it counts as a shortage (rule P112).
        short: bool,
    },
    /// An address came of an interface that nobody knew yet, and is lost.
    Unserved,
    /// The address is of an interface that was detached and not deleted (rule P67).
    Detached,
    /// No answer within the time of the CNI plugin, or nobody waited for it.
    Deadline,
    /// An earlier call for the same pod is not done yet (rule P92).
    Processing,
    /// The daemon restarted.
    Restart,
    /// The daemon is down: nobody listens.
    Down,
}

impl From<Failure> for crate::ipam::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NodeFull => Self::NodeFull,
            Failure::NoInterface { foreign: true, .. } => Self::Foreign,
            Failure::NoInterface { inhibited: true, .. } => Self::Inhibited,
            Failure::NoInterface { .. } | Failure::Throttled => Self::Busy,
            Failure::NotAssigned { .. } | Failure::NotCreated { .. } | Failure::Unserved | Failure::Detached => {
                Self::Refused
            }
            Failure::Deadline => Self::Deadline,
            Failure::Processing => Self::Processing,
            Failure::Restart => Self::Restart,
            Failure::Down => Self::Down,
        }
    }
}

impl Failure {
    /// Whether it counts as a shortage of addresses (rule P112).
    fn is_short(self) -> bool {
        matches!(self, Self::NotAssigned { short: true, .. } | Self::NotCreated { short: true, .. })
    }
}

/// Why the API layer gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The cloud refused.
    Api(ErrorCode),
    /// Fewer addresses came than were asked for (rule P83).
    Incomplete,
    /// Instance metadata, or the state of the interface, did not show it in time.
    NotShown,
}

/// A daemon. Drain [`poll`](Self::poll) before the next [`handle`](Self::handle).
#[derive(Debug)]
pub struct Classic {
    config: Arc<Config>,
    process: Process,
    /// Goroutines of the process, by their number; `None` = it has ended.
    goroutines: Vec<Option<Goroutine>>,
    outputs: VecDeque<Output>,
    /// It died and has not been restarted.
    stopped: bool,
    next_wake: Instant,
}

impl Classic {
    /// A daemon that starts at `now` on an instance with `attached` interfaces, on which `pods` have
    /// addresses already (rows of its database). All its chance comes from `seed`; without `jitter`
    /// every jittered wait takes its base value.
    #[must_use]
    pub fn new(
        now: Instant,
        config: Arc<Config>,
        attached: &[Attached],
        pods: &[(PodId, EniId, Ipv4Addr)],
        mut seed: SmallStream,
        jitter: bool,
    ) -> Self {
        let choice = SmallStream::new(seed.next_u64());
        let jitter = jitter.then(|| SmallStream::new(seed.next_u64()));
        let rows = pods.iter().map(|&(pod, eni, address)| (pod, Resource { eni, address }));
        let legacy = Legacy {
            chance: Chance { choice, jitter },
            rows: rows.collect(),
            orphans: Vec::new(),
            epoch: 0,
            takes_short_cuts: true,
        };
        let process = Process::new(State::start(now, Arc::clone(&config), legacy, attached));
        let (goroutines, outputs) = (Vec::new(), VecDeque::new());
        let mut daemon = Self { config, process, goroutines, outputs, stopped: false, next_wake: Instant::NEVER };
        daemon.run();
        daemon.next_wake = daemon.wake();
        daemon
    }

    /// The same daemon, but all that happens in it is gone through, and what has no effect too.
    #[must_use]
    pub fn without_short_cuts(mut self) -> Self {
        self.process.state().legacy.takes_short_cuts = false;
        self.next_wake = self.wake();
        self
    }

    /// Something happens to the daemon at `now`, which is not earlier than the last time.
    pub fn handle(&mut self, now: Instant, input: Input) {
        debug_assert!(self.outputs.is_empty(), "poll is drained before the next input");
        self.advance(now);
        match input {
            Input::Restart { config, attached } => self.restart(config, &attached),
            Input::Reply(call, reply) => self.process.state().reply(call, reply),
            Input::Release(release) if self.stopped => {
                self.process.state().legacy.rows.remove(release.pod);
            }
            Input::Allocate { pod, .. } if self.stopped => self.outputs.push_back(Output::Failed(pod, Failure::Down)),
            Input::Allocate { pod, stateful } => self.process.allocate(pod, stateful),
            Input::Cancel(pod) => {
                self.process.state().leave(pod);
            }
            Input::Forget(pod) => self.process.state().forget(pod),
            Input::Release(release) => self.process.give_back(release),
            Input::Stop => self.stop(None),
            Input::Kill => self.stop(Some(Failure::Restart)),
            Input::Tick => {}
        }
        self.run();
        self.next_wake = self.wake();
    }

    /// Whether the daemon waits for the answer to `call`: it was made since its last start.
    #[must_use]
    pub fn awaits(&self, call: CallId) -> bool {
        call.epoch == self.process.state().legacy.epoch
    }

    /// What the daemon does, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due, unless another input comes first; never = [`Instant::NEVER`].
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.next_wake
    }

    /// If nothing comes of requests at `now` but refusals, the time through which that lasts: no call is
    /// made, nobody gets an address, none is given back.
    #[must_use]
    pub fn barren_through(&self, now: Instant) -> Option<Instant> {
        let state = self.process.state();
        if self.stopped { None } else { state.barren_through(now, self.next_wake) }
    }

    /// Idle and used addresses; invalid ones are neither.
    #[must_use]
    pub fn usage(&self) -> (u32, u32) {
        let state = self.process.state();
        (state.pool.idle.len() as u32, state.pool.in_use.len() as u32)
    }

    /// The configuration that the daemon runs with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What has stopped the daemon, or a part of it, for good.
    #[must_use]
    pub fn defect(&self) -> Option<Defect> {
        self.process.state().defect
    }

    /// Whether the daemon is down.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Addresses that pods have, or that are retained for them: the rows of the database.
    #[must_use]
    pub fn bound(&self) -> Vec<(PodId, EniId, Ipv4Addr)> {
        let rows = &self.process.state().legacy.rows;
        rows.iter().map(|(pod, resource)| (pod, resource.eni, resource.address)).collect()
    }

    /// Lets everything happen that is due before `now`, and at it.
    fn advance(&mut self, now: Instant) {
        while !self.stopped {
            self.process.state().rest_until(now);
            let next = self.next_event();
            if next > now {
                break;
            }
            self.process.state().now = next;
            self.fire(next);
            self.run();
        }
        self.process.state().now = now;
    }

    /// When the next thing happens by itself.
    fn next_event(&self) -> Instant {
        let state = self.process.state();
        let tick = if state.maintenance.waits.is_some() { state.maintenance.next_tick } else { Instant::NEVER };
        state.scheduler.next_timer().min(tick).min(state.next_gc)
    }

    /// The first of what is due.
    fn fire(&mut self, now: Instant) {
        let mut state = self.process.state();
        if state.scheduler.next_timer() <= now {
            match state.scheduler.take_timer().expect("it is due") {
                Timer::Sleep(task) => state.scheduler.wake(task, scheduler::Wake::Time),
                Timer::Caller(pod) => {
                    state.leave(pod);
                    state.outputs.push_back(Output::Failed(pod, Failure::Deadline));
                }
            }
        } else if state.next_gc <= now {
            let period = state.config.gc_period.expect("it is due");
            state.next_gc = now + period;
            drop(state);
            self.process.spawn(Process::collect);
        } else {
            state.wake_maintenance();
        }
    }

    /// Lets every goroutine run that can.
    fn run(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        while !self.stopped {
            for (task, goroutine) in self.process.state().scheduler.take_born() {
                self.goroutines.resize_with(self.goroutines.len().max(task.index() + 1), || None);
                self.goroutines[task.index()] = Some(goroutine);
            }
            let Some(task) = self.process.state().scheduler.next_ready() else { break };
            let goroutine = self.goroutines[task.index()].as_mut().expect("whoever is ready has not ended");
            if let Poll::Ready(()) = goroutine.0.as_mut().poll(&mut context) {
                self.goroutines[task.index()] = None;
                self.process.state().scheduler.retire(task);
            }
            self.outputs.append(&mut self.process.state().outputs);
            if self.process.state().crashed {
                self.stop(Some(Failure::Restart));
                let defect = self.defect().expect("it died of something");
                self.outputs.push_back(Output::Crashed(defect));
            }
        }
        self.outputs.append(&mut self.process.state().outputs);
    }

    /// When the daemon has to be told of the time. Nobody notices a tick, or a collection, that finds
    /// nothing: it is made up for when the daemon is next told of something.
    fn wake(&self) -> Instant {
        let state = self.process.state();
        if self.stopped {
            return Instant::NEVER;
        }
        let ticks = state.maintenance.waits.is_some() && state.ticks();
        let tick = if ticks { state.maintenance.next_tick } else { Instant::NEVER };
        let gc = if state.collects() { state.next_gc } else { Instant::NEVER };
        state.scheduler.next_timer().min(tick).min(gc)
    }

    /// The process ends; what it has asked the cloud for happens all the same. Callers hear of it if
    /// the node goes on.
    fn stop(&mut self, heard: Option<Failure>) {
        self.stopped = true;
        self.goroutines.clear();
        let state = &mut *self.process.state();
        state.scheduler.take_born();
        if let Some(failure) = heard {
            let pods: Vec<_> = state.callers.keys().copied().collect();
            for pod in pods {
                state.fail(pod, failure);
            }
        }
        self.outputs.append(&mut state.outputs);
        let left = state.calls.drain(..).filter(|call| call.at <= state.now).map(|call| (call.id, call.request));
        state.legacy.orphans.extend(left);
        state.legacy.epoch = state.legacy.epoch.wrapping_add(1);
    }

    fn restart(&mut self, config: Arc<Config>, attached: &[Attached]) {
        if !self.stopped {
            self.stop(Some(Failure::Restart));
        }
        let (now, legacy) = {
            let state = &mut *self.process.state();
            let Legacy { chance, rows, orphans, epoch, takes_short_cuts } = &mut state.legacy;
            let (rows, orphans) = (std::mem::take(rows), std::mem::take(orphans));
            let (chance, epoch, takes_short_cuts) = (chance.clone(), *epoch, *takes_short_cuts);
            (state.now, Legacy { chance, rows, orphans, epoch, takes_short_cuts })
        };
        self.process = Process::new(State::start(now, Arc::clone(&config), legacy, attached));
        (self.config, self.stopped) = (config, false);
    }
}

//! The process of a daemon: what its goroutines share, and how they wait.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use super::config::Config;
use super::defect::Defect;
use super::factory::{Factory, Outcome};
use super::pool::{Maintenance, Pool, Resource};
use super::rows::Rows;
use super::rpc::Caller;
use super::scheduler::{Goroutine, Scheduler, TaskId, Timer, Wake};
use super::sync::{Lock, Mode, Results, RwLock, Tokens};
use super::vswitches::Counts;
use super::{Attached, Failure, Output};
use crate::chance::SmallStream;
use crate::id::{EniId, PodId};
use crate::ipam::backoff::{Backoff, jittered};
use crate::ipam::throttle::TokenBucket;
use crate::ipam::{Answer, CallId, Request, Worker};
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};

/// Handle to a process; its goroutines have one each.
#[derive(Debug, Clone)]
pub(super) struct Process(Rc<RefCell<State>>);

/// The streams of chance of a daemon.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    /// Order of vSwitches (N4), and which of two pending triggers the maintenance takes (N1).
    pub choice: SmallStream,
    /// Jitter (N11); `None` = waits take their base value.
    pub jitter: Option<SmallStream>,
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    pub id: CallId,
    pub request: Request,
    /// When it leaves.
    pub at: Instant,
    /// Who waits for the answer.
    pub task: TaskId,
}

/// What outlives a process.
#[derive(Debug)]
pub(super) struct Legacy {
    pub chance: Chance,
    /// The resource database: which pod has which address (rule P104).
    pub rows: Rows,
    /// Calls that nobody waits for any more; what they take away is gone.
    pub orphans: Vec<(CallId, Request)>,
    pub epoch: u16,
    /// Whether what has no effect is left out.
    pub takes_short_cuts: bool,
}

/// What the goroutines of a process share.
#[derive(Debug)]
pub(super) struct State {
    pub now: Instant,
    pub config: Arc<Config>,
    pub legacy: Legacy,
    pub scheduler: Scheduler,
    locks: [RwLock; Lock::COUNT],
    pub pool: Pool,
    pub maintenance: Maintenance,
    pub tokens: Tokens,
    pub factory: Factory,
    /// Permits to create or delete an interface (rule P46).
    pub operations: Tokens,
    pub results: Results,
    pub counts: Counts,
    /// Interfaces that instance metadata lists.
    pub attached: Vec<EniId>,
    /// Interfaces that are being deleted.
    pub leaving: Vec<EniId>,
    /// Addresses that instance metadata does not show any more, each from then on.
    pub gone: BTreeMap<Resource, Instant>,
    /// Token buckets of the client: calls that change something, and others (rule P88).
    limits: Option<[TokenBucket; 2]>,
    pub calls: Vec<Call>,
    /// Pods with an AllocIP in progress (rule P92); of these, the ones that somebody still asks for.
    pub processing: BTreeMap<PodId, TaskId>,
    pub callers: BTreeMap<PodId, Caller>,
    pub next_gc: Instant,
    /// Until when addresses count as short (rule P112).
    pub short_until: Instant,
    pub outputs: VecDeque<Output>,
    /// What has stopped the process, or a part of it, for good.
    pub defect: Option<Defect>,
    pub crashed: bool,
}

impl State {
    /// The process that starts at `now` (rules P104 to P109).
    pub fn start(now: Instant, config: Arc<Config>, legacy: Legacy, attached: &[Attached]) -> Self {
        let mut pool = Pool::new(config.sizes);
        let taken: BTreeMap<Resource, PodId> = legacy.rows.iter().map(|(pod, resource)| (resource, pod)).collect();
        for Attached { eni, addresses, .. } in attached {
            for &address in addresses {
                let resource = Resource { eni: eni.id, address };
                match taken.get(&resource) {
                    Some(&pod) => pool.add_in_use(resource, pod),
                    None => pool.add_idle(resource, now),
                }
            }
        }
        let sizes = config.sizes;
        let there = sizes.capacity.saturating_sub(pool.size());
        Self {
            now,
            scheduler: Scheduler::new(),
            locks: Default::default(),
            pool,
            maintenance: Maintenance::new(now),
            tokens: Tokens::new(there, sizes.capacity),
            factory: Factory::new(sizes.max_eni, attached),
            operations: Tokens::new(super::factory::OPERATIONS, super::factory::OPERATIONS),
            results: Results::default(),
            counts: Counts::default(),
            attached: attached.iter().map(|attached| attached.eni.id).collect(),
            leaving: Vec::new(),
            gone: BTreeMap::new(),
            limits: config.limited.then(|| [TokenBucket::full(4.0, 5), TokenBucket::full(8.0, 10)]),
            calls: Vec::new(),
            processing: BTreeMap::new(),
            callers: BTreeMap::new(),
            next_gc: config.gc_period.map_or(Instant::NEVER, |period| now + period),
            short_until: Instant::ZERO,
            outputs: VecDeque::new(),
            defect: None,
            crashed: false,
            config,
            legacy,
        }
    }

    /// When a call that is made now leaves (rule P88).
    fn leaves(&mut self, api: Api) -> Instant {
        let Some(limits) = &mut self.limits else { return self.now };
        match api {
            Api::CreateNetworkInterface
            | Api::AttachNetworkInterface
            | Api::DetachNetworkInterface
            | Api::DeleteNetworkInterface => limits[0].take(self.now),
            Api::DescribeNetworkInterfaces => limits[1].take(self.now),
            _ => self.now,
        }
    }

    /// Begins a call of the running goroutine.
    fn begin(&mut self, request: Request) {
        let (at, epoch) = (self.leaves(request.api()), self.legacy.epoch);
        let is_free = |slot: &u8| self.calls.iter().all(|call| call.id.slot != *slot);
        let slot = (0..=u8::MAX).find(is_free).expect("a goroutine makes one call at a time, and few make calls");
        let id = CallId { slot, worker: Worker::Alloc, epoch };
        self.calls.push(Call { id, request, at, task: self.scheduler.running() });
        self.outputs.push_back(Output::Call { call: id, at, request });
    }

    /// An answer has come.
    pub fn reply(&mut self, id: CallId, reply: Result<Answer, ErrorCode>) {
        if let Some(at) = self.calls.iter().position(|call| call.id == id) {
            let Call { request, task, .. } = self.calls.swap_remove(at);
            self.note(request, &reply);
            self.scheduler.wake(task, Wake::Reply(reply));
        } else if let Some(at) = self.legacy.orphans.iter().position(|(orphan, _)| *orphan == id) {
            let (_, request) = self.legacy.orphans.swap_remove(at);
            self.note(request, &reply);
        }
    }

    /// Keeps in mind what instance metadata shows from now on.
    fn note(&mut self, request: Request, reply: &Result<Answer, ErrorCode>) {
        match (request, reply) {
            (Request::Attach(eni), Ok(_)) => self.attached.push(eni),
            (Request::Detach(eni), Ok(_)) => self.attached.retain(|&attached| attached != eni),
            (Request::Unassign(eni, addresses), &Ok(Answer::Unassigned(shown))) => {
                self.gone.extend(addresses.iter().map(|&address| (Resource { eni, address }, shown)));
            }
            (Request::Assign(eni, _), Ok(Answer::Assigned(addresses, _))) => {
                // The vSwitch may hand out what it was given back.
                self.gone.retain(|resource, _| resource.eni != eni || !addresses.contains(&resource.address));
            }
            _ => {}
        }
    }

    /// Whether a lock could be taken at once.
    pub fn admits(&self, lock: Lock, mode: Mode) -> bool {
        self.locks[lock as usize].admits(mode)
    }

    /// Whether instance metadata shows an address.
    pub fn shows(&self, resource: Resource) -> bool {
        self.attached.contains(&resource.eni) && self.gone.get(&resource).is_none_or(|&from| self.now < from)
    }

    /// Wakes the maintenance (rule P20).
    pub fn notify(&mut self) {
        self.maintenance.notified = true;
        self.wake_maintenance();
    }

    pub fn wake_maintenance(&mut self) {
        if let Some(task) = self.maintenance.waits.take() {
            self.scheduler.wake(task, Wake::Turn);
        }
    }

    /// The pod's caller hears of a failure, if it still listens.
    pub fn fail(&mut self, pod: PodId, failure: Failure) {
        if let Some(caller) = self.callers.remove(&pod) {
            self.scheduler.clear_timer(caller.timer);
            self.outputs.push_back(Output::Failed(pod, failure));
        }
    }

    /// A part of the process waits for ever from now on.
    pub fn get_stuck(&mut self, defect: Defect) {
        self.defect = Some(defect);
        self.outputs.push_back(Output::Stuck(defect));
    }

    /// `span` with the jitter of `factor`.
    pub fn jittered(&mut self, span: Span, factor: f64) -> Span {
        jittered(span, factor, self.legacy.chance.jitter.as_mut())
    }
}

impl Process {
    pub fn new(state: State) -> Self {
        let process = Self(Rc::new(RefCell::new(state)));
        process.spawn(Self::maintain);
        let entries: Vec<_> = {
            let state = process.state();
            state.factory.listed().filter_map(|entry| Some((entry.id, entry.eni?.id))).collect()
        };
        for (id, eni) in entries {
            process.spawn(|process| process.work(id, eni));
        }
        process
    }

    /// The shared state; given back before the goroutine waits.
    pub fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }

    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.state().config)
    }

    /// Starts a goroutine.
    pub fn spawn<F: Future<Output = ()> + 'static>(&self, body: impl FnOnce(Self) -> F) -> TaskId {
        let goroutine = Goroutine(Box::pin(body(self.clone())));
        self.state().scheduler.spawn(goroutine)
    }

    /// Waits until somebody wakes the goroutine.
    pub async fn park(&self) -> Wake {
        let task = self.state().scheduler.running();
        poll_fn(|_| self.state().scheduler.woken(task).map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Waits until `done` has been, or somebody makes up for it; `done` says whether it was.
    async fn until(&self, done: impl FnOnce(&mut State, TaskId) -> bool) {
        let is_done = {
            let mut state = self.state();
            let task = state.scheduler.running();
            done(&mut state, task)
        };
        if !is_done {
            self.park().await;
        }
    }

    pub async fn sleep(&self, span: Span) {
        {
            let mut state = self.state();
            let (at, task) = (state.now + span, state.scheduler.running());
            state.scheduler.set_timer(at, Timer::Sleep(task));
        }
        self.park().await;
    }

    pub async fn lock(&self, lock: Lock, mode: Mode) {
        self.until(|state, task| state.locks[lock as usize].take(task, mode)).await;
    }

    pub fn unlock(&self, lock: Lock, mode: Mode) {
        let state = &mut *self.state();
        state.locks[lock as usize].give(mode, &mut state.scheduler);
    }

    /// Puts a token back: permission to create one address (rule P18).
    pub async fn give_token(&self) {
        self.until(|State { tokens, scheduler, .. }, task| tokens.give(task, scheduler)).await;
    }

    /// Waits for a token; `false` = nobody waits for the address any more.
    pub async fn take_token(&self) -> bool {
        let taken = {
            let State { tokens, scheduler, .. } = &mut *self.state();
            tokens.take(scheduler.running(), scheduler)
        };
        taken || matches!(self.park().await, Wake::Turn)
    }

    /// Waits for a permit to create or delete an interface.
    pub async fn take_operation(&self) {
        self.until(|State { operations, scheduler, .. }, task| operations.take(task, scheduler)).await;
    }

    pub fn give_operation(&self) {
        let State { operations, scheduler, .. } = &mut *self.state();
        let given = operations.try_give(scheduler);
        debug_assert!(given, "who gives a permit back had one");
    }

    /// Hands an address, or the news that there is none, to whoever has waited longest.
    pub async fn give_outcome(&self, outcome: Outcome) {
        let (given, side_by_side) = {
            let state = &mut *self.state();
            let task = state.scheduler.running();
            let given = state.results.give(task, outcome, &mut state.scheduler);
            if !given && state.factory.is_awaited(task) {
                state.get_stuck(Defect::ResultDeadlock);
            }
            (given, state.config.profile.defects.has(Defect::ResultDeadlock))
        };
        if !given {
            self.park().await;
        } else if side_by_side {
            // What upstream's goroutines put in is mixed.
            self.let_others_run().await;
        }
    }

    /// Goes on when all that are ready now have run.
    async fn let_others_run(&self) {
        let mut is_back = false;
        poll_fn(|_| {
            let scheduler = &mut self.state().scheduler;
            let task = scheduler.running();
            if is_back {
                scheduler.woken(task);
                return Poll::Ready(());
            }
            is_back = true;
            scheduler.wake(task, Wake::Turn);
            Poll::Pending
        })
        .await;
    }

    pub async fn take_outcome(&self) -> Outcome {
        let first = {
            let State { results, scheduler, .. } = &mut *self.state();
            results.take(scheduler.running(), scheduler)
        };
        match first {
            Some(outcome) => outcome,
            None => match self.park().await {
                Wake::Outcome(outcome) => outcome,
                wake => unreachable!("a taker of results is woken with one, not with {wake:?}"),
            },
        }
    }

    /// Makes a call and waits for its answer.
    pub async fn call(&self, request: Request) -> Result<Answer, ErrorCode> {
        self.state().begin(request);
        match self.park().await {
            Wake::Reply(reply) => reply,
            wake => unreachable!("a caller is woken with the answer, not with {wake:?}"),
        }
    }

    /// Tries a call again until it succeeds, fails for good, or `until` (rule P77).
    pub async fn call_again(&self, request: Request, backoff: Backoff, until: Instant) -> Result<Answer, ErrorCode> {
        let mut step = 1;
        loop {
            let code = match self.call(request).await {
                Ok(answer) => return Ok(answer),
                Err(ErrorCode::IpNotEnough) => return Err(ErrorCode::IpNotEnough),
                Err(code) => code,
            };
            if !self.pause(backoff, step, until).await {
                return Err(code);
            }
            step += 1;
        }
    }

    /// Looks at something again and again until it is so (rule P77).
    pub async fn look(&self, backoff: Backoff, until: Instant, is_so: impl Fn(&State) -> bool) -> bool {
        let mut step = 1;
        loop {
            if is_so(&self.state()) {
                return true;
            }
            if !self.pause(backoff, step, until).await {
                return false;
            }
            step += 1;
        }
    }

    /// Sleeps after the failure of attempt `step` (from 1); `false` = there is no other attempt.
    pub async fn pause(&self, backoff: Backoff, step: u8, until: Instant) -> bool {
        let (next, left) = {
            let state = &mut *self.state();
            (backoff.after(step, state.legacy.chance.jitter.as_mut()), until.since(state.now))
        };
        match next {
            crate::ipam::backoff::Next::Retry(sleep) if left > Span::ZERO => {
                self.sleep(sleep.min(left)).await;
                sleep < left
            }
            _ => false,
        }
    }

    /// The process dies here.
    pub async fn crash(&self, defect: Defect) {
        {
            let mut state = self.state();
            (state.crashed, state.defect) = (true, Some(defect));
        }
        self.park().await;
    }

    /// The process goes on, but this goroutine does not.
    pub fn stuck(&self, defect: Defect) {
        self.state().get_stuck(defect);
    }
}

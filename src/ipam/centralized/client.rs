//! The ECS client layer: client-side limits, calls under way, retries (C69, C71, C157).

use std::collections::VecDeque;

use super::call::{Answer, CallId, Refusal, Request};
use super::config::Settings;
use crate::chance::SmallStream;
use crate::id::{NodeId, VSwitchId};
use crate::ipam::backoff::{Backoff, ENI_CREATE, ENI_IP_OPS, Next};
use crate::ipam::throttle::TokenBucket;
use crate::openapi::Api;
use crate::time::Instant;

/// Limits, and calls under way.
#[derive(Debug)]
pub(super) struct Client {
    limits: [Option<TokenBucket>; Api::ALL.len()],
    /// The limit of status writes (C28).
    writes: Option<TokenBucket>,
    /// Who waits for the answers to the last calls; `None` = it is there.
    pending: VecDeque<Option<Caller>>,
    /// The number of the next call.
    next: u64,
}

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The run of a node.
    Run(NodeId),
    /// An attach worker.
    Attacher(u64),
    /// All that look up a vSwitch.
    LookUp(VSwitchId),
}

impl Client {
    /// Full buckets.
    pub fn new(settings: &Settings) -> Self {
        let per_minute = |limit: u32| TokenBucket::full(f64::from(limit) / 60.0, limit);
        Self {
            limits: settings.rate_limit.map(|limit| limit.map(per_minute)),
            writes: settings.write_limit.map(|limit| TokenBucket::full(limit.per_second, limit.burst)),
            pending: VecDeque::new(),
            next: 0,
        }
    }

    /// The client of a process that starts anew; nobody waits for what is under way (C4).
    pub fn restarted(&self, settings: &Settings) -> Self {
        Self { next: self.next, ..Self::new(settings) }
    }

    /// Names a call, and when its limit lets it leave; `None` if that is later than `deadline`,
    /// which fails at once (C69).
    pub fn call(&mut self, now: Instant, api: Api, caller: Caller, deadline: Instant) -> Option<(CallId, Instant)> {
        let at = match &mut self.limits[api.index()] {
            Some(bucket) => bucket.take_by(now, deadline)?,
            None => now,
        };
        Some((self.register(caller), at))
    }

    /// Another controller of the process makes a call.
    pub fn took(&mut self, now: Instant, api: Api) {
        if let Some(bucket) = &mut self.limits[api.index()] {
            bucket.take(now);
        }
    }

    /// Names a status write, and when its limit lets it leave.
    pub fn write(&mut self, now: Instant, node: NodeId) -> (CallId, Instant) {
        let at = self.writes.as_mut().map_or(now, |bucket| bucket.take(now));
        (self.register(Caller::Run(node)), at)
    }

    /// Who waits for this answer; `None` if whoever asked is dead.
    pub fn answered(&mut self, call: CallId) -> Option<Caller> {
        let place = self.place(call)?;
        let caller = self.pending[place].take();
        while let Some(None) = self.pending.front() {
            self.pending.pop_front();
        }
        caller
    }

    /// Whether somebody waits for this answer.
    pub fn awaits(&self, call: CallId) -> bool {
        self.place(call).is_some_and(|place| self.pending[place].is_some())
    }

    /// Where a call is in `pending`, if it is that young.
    fn place(&self, call: CallId) -> Option<usize> {
        (call.0 + self.pending.len() as u64).checked_sub(self.next).map(|place| place as usize)
    }

    fn register(&mut self, caller: Caller) -> CallId {
        let call = CallId(self.next);
        self.next += 1;
        self.pending.push_back(Some(caller));
        call
    }
}

/// A call with its retries.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What is asked for, each time.
    pub request: Request,
    /// The context of the call ends then.
    pub deadline: Instant,
    tries: u8,
}

/// What an answer means to a call with retries.
#[derive(Debug)]
pub(super) enum Judged {
    /// It succeeded.
    Done(Answer),
    /// It is tried again then.
    Again(Instant),
    /// It failed; without a reason once its retries are used up (the error code is lost).
    Failed(Option<Refusal>),
}

impl Attempt {
    /// A call that was not made yet.
    pub fn new(request: Request, deadline: Instant) -> Self {
        Self { request, deadline, tries: 0 }
    }

    /// Judges the answer to the last try (C69, C71).
    pub fn judge(&mut self, now: Instant, reply: Result<Answer, Refusal>, jitter: Option<&mut SmallStream>) -> Judged {
        let (backoff, is_transient) = self.policy();
        self.tries += 1;
        match reply {
            Ok(answer) => Judged::Done(answer),
            Err(refusal) if !is_transient(refusal) => Judged::Failed(Some(refusal)),
            Err(_) => match backoff.after(self.tries, jitter) {
                Next::Retry(pause) => Judged::Again((now + pause).min(self.deadline)),
                Next::GiveUpAfter(_) | Next::GiveUp => Judged::Failed(None),
            },
        }
    }

    fn policy(&self) -> (Backoff, fn(Refusal) -> bool) {
        match self.request {
            Request::Create { .. } => (ENI_CREATE, |refusal| refusal == Refusal::Transient),
            _ => (ENI_IP_OPS, |refusal| matches!(refusal, Refusal::Transient | Refusal::Conflict)),
        }
    }
}

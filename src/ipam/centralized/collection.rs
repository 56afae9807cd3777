//! The collection of a daemon, and the lock of its service. A call from the CNI plugin holds the lock for reading as long as
//! it lasts, 118 s if its pod gets no address; the collection takes it for writing, and Go lets nobody overtake who waits to
//! write. So from a tick at which somebody waits for an address until nobody of them does any more, the daemon hears no
//! CNI ADD and no CNI DEL (C121, R125; `daemon/daemon.go:122, 313, 508-510`, `daemon/builder.go:514`).

use std::collections::VecDeque;

use super::daemon::DaemonInput;
use crate::id::{PodId, Uid};
use crate::ipam::OwnCall;
use crate::time::{Instant, Span};

/// Period of the two loops that find what nobody told (C51, `pkg/eni/crdv2.go:212-216`,
/// `daemon/daemon.go:45`). Both begin with the daemon; the one that copies UIDs from the CR is
/// taken to be the first.
const PERIOD: Span = Span::mins(5);

/// When the collection of a daemon runs, and who waits for it.
#[derive(Debug)]
pub(super) struct Collection {
    /// One of its ticks; the others are every [`PERIOD`] before and after.
    phase: Instant,
    /// The tick at which it finds something.
    finds_at: Instant,
    /// The first tick since somebody began to wait for an address.
    locks_at: Instant,
    /// It is due, and waits for the CNI ADDs that wait for an address.
    waits: bool,
    /// CNI ADDs of pods with an interface of their own that wait.
    own_calls: u32,
    /// Calls that came meanwhile, each with its time.
    behind: VecDeque<(Instant, DaemonInput)>,
}

impl Collection {
    /// That of a daemon whose loops have a tick at `phase`.
    pub fn new(phase: Instant) -> Self {
        let never = Instant::NEVER;
        Self { phase, finds_at: never, locks_at: never, waits: false, own_calls: 0, behind: VecDeque::new() }
    }

    /// That of a daemon that starts `now`, whose loops have a phase of chance `unit`.
    pub fn with_chance(now: Instant, unit: f64) -> Self {
        Self::new(now + PERIOD.mul_f64(unit))
    }

    /// The first tick after `now`.
    pub fn next(&self, now: Instant) -> Instant {
        next_tick(self.phase, PERIOD, now)
    }

    /// The first tick after `now` of a loop of another period that began with this one.
    pub fn next_of(&self, period: Span, now: Instant) -> Instant {
        next_tick(self.phase, period, now)
    }

    /// It finds something at this tick.
    pub fn finds_at(&mut self, tick: Instant) {
        self.finds_at = self.finds_at.min(tick);
    }

    /// A CNI ADD waits for an address from now on.
    pub fn is_held(&mut self, now: Instant) {
        self.locks_at = self.next(now);
    }

    /// A call for a pod with an interface of its own is heard.
    pub fn hears_own(&mut self, now: Instant, call: OwnCall) {
        if let OwnCall::Add(_) = call {
            self.own_calls += 1;
            self.is_held(now);
        }
    }

    /// The CNI ADD of such a pod is over, or was not even heard.
    pub fn own_is_over(&mut self, pod: PodId) {
        if !self.drops(DaemonInput::Own(OwnCall::Add(pod))) {
            self.own_calls -= 1;
        }
    }

    /// When it has something to do, or somebody to wait for; `held` = a CNI ADD of a pod of the daemon's waits for an address.
    pub fn due(&self, held: bool) -> Instant {
        match (self.waits, held || self.own_calls > 0) {
            (true, _) => Instant::NEVER,
            (false, true) => self.finds_at.min(self.locks_at),
            (false, false) => self.finds_at,
        }
    }

    /// Whether it runs now; if not and it is due, it waits.
    pub fn runs(&mut self, now: Instant, held: bool) -> bool {
        if self.due(held) <= now {
            (self.waits, self.finds_at) = (true, Instant::NEVER);
        }
        self.waits && !held && self.own_calls == 0 && std::mem::take(&mut self.waits)
    }

    /// Whether it keeps a call from being heard; if so the call comes again with [`let_in`](Self::let_in).
    pub fn keeps_out(&mut self, now: Instant, call: DaemonInput) -> bool {
        let is_call = matches!(call, DaemonInput::Allocate(_) | DaemonInput::Release(_) | DaemonInput::Own(_));
        let keeps_out = self.waits && is_call;
        if keeps_out {
            self.behind.push_back((now, call));
        }
        keeps_out
    }

    /// The calls that it kept from being heard, each with its time, in the order of their coming: upstream all ask the API
    /// server for their pods at once, and who is answered first is chance (`daemon/daemon.go:146, 332`).
    pub fn let_in(&mut self) -> VecDeque<(Instant, DaemonInput)> {
        std::mem::take(&mut self.behind)
    }

    /// The CNI ADD of a pod is given up.
    pub fn forget(&mut self, uid: Uid) {
        self.drops(DaemonInput::Allocate(uid));
    }

    /// Drops a call that it kept from being heard; says whether there was one.
    fn drops(&mut self, call: DaemonInput) -> bool {
        let before = self.behind.len();
        self.behind.retain(|&(_, other)| other != call);
        self.behind.len() < before
    }

    /// The daemon dies, and waits for nobody any more. Of pods with an interface of their own others know who asks.
    pub fn stops(&mut self) {
        (self.finds_at, self.waits, self.own_calls) = (Instant::NEVER, false, 0);
        self.behind.retain(|&(_, call)| !matches!(call, DaemonInput::Own(OwnCall::Add(_))));
    }

    /// Whose calls of a kind it kept from being heard, of a daemon that has died; they are forgotten.
    pub fn unheard(&mut self, kind: fn(Uid) -> DaemonInput) -> Vec<Uid> {
        let mut pods = Vec::new();
        self.behind.retain(|&(_, call)| match call {
            DaemonInput::Allocate(uid) | DaemonInput::Release(uid) if call == kind(uid) => {
                pods.push(uid);
                false
            }
            _ => true,
        });
        pods
    }

    /// The daemon starts `now`, and its loops with it.
    pub fn starts(&mut self, now: Instant) {
        self.phase = now;
    }
}

/// The first tick after `now` of a loop that runs at `phase` and every `period` before and after.
fn next_tick(phase: Instant, period: Span, now: Instant) -> Instant {
    let (phase, period) = (phase.0 % period.0, period.0);
    let behind = (now.0 + period - phase) % period;
    Instant(now.0 + period - behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_a_period_apart_and_strictly_later() {
        let at = |ms| Instant::ZERO + Span::millis(ms);
        let tick = |now| next_tick(at(7_000), Span::secs(3), at(now)).as_millis();
        assert_eq!([tick(0), tick(999), tick(1_000), tick(6_500)], [1_000, 1_000, 4_000, 7_000]);
    }
}

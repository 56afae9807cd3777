//! The two sweeps of `pod-eni`: PodENIs without a pod (C151, C153), and interfaces without a PodENI
//! (C150, `eni_controller.go:240-260,432-667`).

use std::collections::{BTreeSet, VecDeque};

use super::call::{Answer, Caller, Listed, Listing, Request};
use super::config::Retention;
use super::resource::{Phase, PodEni};
use super::{Controller, Timer};
use crate::ipam::backoff::{ENI_DELETE_CONFIRM, ENI_DELETE_CONFIRM_DELAY, Next, jittered};
use crate::ipam::centralized::Refusal;
use crate::time::{Instant, Span};

/// Time between two sweeps of PodENIs, and between two for leaks, before jitter.
const PERIODS: (Span, Span) = (Span::mins(1), Span::mins(10));
/// Their jitter: up to 2.1 times as long.
const JITTER: f64 = 1.1;
/// A younger interface may still be on its way to its PodENI.
const YOUNG: Span = Span::mins(10);

/// A sweep for leaks under way: its calls are made one after the other.
#[derive(Debug)]
pub(super) struct Sweep {
    listing: Listing,
    /// Leaks that are still to be dealt with.
    leaks: VecDeque<Listed>,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Listing,
    Detaching,
    Deleting,
    /// It sleeps; then it looks for the n-th time whether the interface is gone.
    Sleeping(Listed, u8),
    Looking(Listed, u8),
    /// It sleeps; then it goes on, whatever became of the interface.
    GivingUp,
}

/// A time as `metav1.Time` writes it.
pub(super) fn whole_second(time: Instant) -> Instant {
    time - Span(time.0 % Span::secs(1).0)
}

/// Whether a PodENI stays though its pod is gone. One that was never seen with its pod is as old as
/// time itself (C153).
fn is_kept(pod_eni: &PodEni, now: Instant) -> bool {
    match (pod_eni.fixed, pod_eni.last_seen) {
        (Some(Retention::Forever), _) => true,
        (Some(Retention::After(span)), Some(seen)) => seen + span > now,
        (Some(Retention::After(_)), None) | (None, _) => false,
    }
}

impl Controller {
    /// Both begin when the process does.
    pub(super) fn start_sweeps(&mut self, now: Instant) {
        self.set_timer(now, Timer::PodEnis);
        self.set_timer(now, Timer::Leaks);
    }

    /// C151, C153: stamps the PodENIs with fixed addresses whose pods are there, with a node or without (`podRequirePodENI`),
    /// and gives up those without a pod that are not kept.
    pub(super) fn sweep_pod_enis(&mut self, now: Instant) {
        let mut written = Vec::new();
        for (&key, pod_eni) in &mut self.pod_enis {
            if self.pods.contains_key(&key) || self.unscheduled.contains(&key) {
                if pod_eni.fixed.is_some() {
                    pod_eni.last_seen = Some(whole_second(now));
                    written.push(key);
                }
                continue;
            }
            let under_way = matches!(pod_eni.phase, Phase::Detaching | Phase::Deleting | Phase::Binding);
            if !under_way && !pod_eni.deleting && !is_kept(pod_eni, now) {
                pod_eni.phase = Phase::Deleting;
                written.push(key);
            }
        }
        // Whoever computes a status meanwhile will be refused, and the controllers hear of it, also of a mere stamp.
        written.into_iter().for_each(|key| self.write_pod_eni(key, |_| {}));
        let pause = jittered(PERIODS.0, JITTER, self.jitter());
        self.set_timer(now + pause, Timer::PodEnis);
    }

    /// The sweep for leaks begins, or a sleep of it is over.
    pub(super) fn sweep_woken(&mut self, now: Instant) {
        match self.sweep.as_ref().map(|sweep| sweep.step) {
            None => self.list(now, Listing::Available),
            Some(Step::Sleeping(leak, looks)) => {
                self.set_sweep_step(Step::Looking(leak, looks));
                self.request(now, Caller::Sweep, Request::Describe(leak.eni));
            }
            Some(Step::GivingUp) => self.next_leak(now),
            Some(_) => unreachable!("it does not sleep"),
        }
    }

    fn list(&mut self, now: Instant, listing: Listing) {
        self.sweep = Some(Sweep { listing, leaks: VecDeque::new(), step: Step::Listing });
        self.request(now, Caller::Sweep, Request::List(listing));
    }

    pub(super) fn sweep_answered(&mut self, now: Instant, reply: Result<Answer, Refusal>) {
        let step = self.sweep.as_ref().expect("it asked").step;
        match (step, reply) {
            (Step::Listing, Ok(Answer::Listed(found))) => {
                let leaks = self.leaks(now, found);
                self.sweep.as_mut().expect("it asked").leaks = leaks;
                self.next_leak(now);
            }
            (Step::Looking(_, _), Ok(Answer::Described(None))) => self.next_leak(now),
            (Step::Looking(leak, looks), _) => match ENI_DELETE_CONFIRM.after(looks, self.jitter()) {
                Next::Retry(pause) => self.sweep_sleeps(now, pause, Step::Sleeping(leak, looks + 1)),
                Next::GiveUpAfter(pause) => self.sweep_sleeps(now, pause, Step::GivingUp),
                Next::GiveUp => self.next_leak(now),
            },
            (Step::Deleting, Ok(_)) => {
                let leak = self.sweep.as_mut().expect("it asked").leaks.pop_front().expect("it deletes the first");
                self.sweep_sleeps(now, ENI_DELETE_CONFIRM_DELAY, Step::Sleeping(leak, 1));
            }
            (Step::Deleting | Step::Detaching, _) => {
                self.sweep.as_mut().expect("it asked").leaks.pop_front();
                self.next_leak(now);
            }
            (Step::Listing, _) => self.next_leak(now),
            (Step::Sleeping(..) | Step::GivingUp, _) => unreachable!("nothing is asked while it sleeps"),
        }
    }

    /// Interfaces that are old enough and in no PodENI.
    fn leaks(&self, now: Instant, found: Vec<Listed>) -> VecDeque<Listed> {
        let used: BTreeSet<_> = self.pod_enis.values().flat_map(|pod_eni| &pod_eni.interfaces).collect();
        let is_leak = |listed: &Listed| listed.created + YOUNG <= now && !used.contains(&listed.eni);
        found.into_iter().filter(is_leak).collect()
    }

    /// Deletes the next leak, or detaches it: then a later sweep deletes it.
    fn next_leak(&mut self, now: Instant) {
        let sweep = self.sweep.as_ref().expect("it is under way");
        match (sweep.leaks.front().copied(), sweep.listing) {
            (Some(Listed { eni, place: Some(place), .. }), _) => {
                self.set_sweep_step(Step::Detaching);
                self.request(now, Caller::Sweep, Request::Detach(eni, place));
            }
            (Some(Listed { eni, place: None, .. }), _) => {
                self.set_sweep_step(Step::Deleting);
                self.request(now, Caller::Sweep, Request::Delete(eni));
            }
            (None, Listing::Available) => self.list(now, Listing::Members),
            (None, Listing::Members) => {
                self.sweep = None;
                let pause = jittered(PERIODS.1, JITTER, self.jitter());
                self.set_timer(now + pause, Timer::Leaks);
            }
        }
    }

    fn set_sweep_step(&mut self, step: Step) {
        self.sweep.as_mut().expect("it is under way").step = step;
    }

    fn sweep_sleeps(&mut self, now: Instant, pause: Span, step: Step) {
        self.set_sweep_step(step);
        self.set_timer(now + pause, Timer::Leaks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{NodeId, Uid};

    fn seen(fixed: Option<Retention>, last_seen: Option<u64>) -> PodEni {
        let last_seen = last_seen.map(|secs| Instant::ZERO + Span::secs(secs));
        let (uid, node, phase) = (Uid(0), NodeId(0), Phase::Unbind);
        PodEni { uid, node, phase, interfaces: vec![], fixed, last_seen, trunk: None, deleting: false, version: 0 }
    }

    /// C153: the time counts from the stamp, `Never` is for ever, and without a stamp nothing is
    /// kept.
    #[test]
    fn c153_kept_until_the_time_is_up() {
        let kept = |pod_eni: &PodEni, secs| is_kept(pod_eni, Instant::ZERO + Span::secs(secs));
        let hour = Some(Retention::After(Span::hours(1)));
        assert_eq!([3699, 3700].map(|secs| kept(&seen(hour, Some(100)), secs)), [true, false]);
        assert!(!kept(&seen(hour, None), 1));
        assert!(kept(&seen(Some(Retention::Forever), None), 1_000_000));
        assert!(!kept(&seen(None, Some(100)), 100));
    }
}

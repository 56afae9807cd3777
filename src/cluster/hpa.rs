//! HorizontalPodAutoscaler `autoscaling/v2` on the pods' CPU utilisation (kubernetes
//! `pkg/controller/podautoscaler/replica_calculator.go` and `horizontal.go`).
//!
//! What it measures is the load spread over the ready pods; a pod shows at most 100 %, so that one
//! look makes at most 1 / target times as many pods. Default behaviour: upwards at most the larger
//! of 4 pods and 100 % in 15 s, downwards no bound, but only to the highest recommendation within
//! the stabilisation window.
//!
//! Simplified: one metric, always there; no `behavior` other than the default's.

use std::collections::VecDeque;

use crate::model::Hpa;
use crate::time::{Instant, Span};

/// Period of the default scale-up policies (`defaults.go` of `autoscaling/v2`).
const SCALE_UP_PERIOD: Span = Span::secs(15);

/// The autoscaler of one Deployment.
#[derive(Debug)]
pub struct HpaState {
    hpa: Hpa,
    /// Recommendations within the stabilisation window.
    recommended: VecDeque<(Instant, u32)>,
    /// Scale-ups within the period of the policies: when, and how many pods.
    added: VecDeque<(Instant, u32)>,
}

impl HpaState {
    /// An autoscaler that has not looked yet.
    #[must_use]
    pub fn new(hpa: &Hpa) -> Self {
        Self { hpa: hpa.clone(), recommended: VecDeque::new(), added: VecDeque::new() }
    }

    /// The number of pods that fits `load`: that of a cluster which has settled.
    #[must_use]
    pub fn settled(&self, load: f64) -> u32 {
        self.within(ceil(load / self.hpa.target))
    }

    /// A look: the number of pods that it wants, with `ready` pods and `unready` ones, `current`
    /// wanted so far, under `load` pods' worth of load.
    pub fn look(&mut self, now: Instant, ready: u32, unready: u32, current: u32, load: f64) -> u32 {
        let proposed = self.within(self.proposal(ready, unready, current, load));
        let wanted = self.stabilized(now, proposed, current);
        let limit = self.scale_up_limit(now, current);
        let wanted = if wanted > current { wanted.min(limit) } else { wanted };
        if wanted > current {
            self.added.push_back((now, wanted - current));
        }
        wanted
    }

    /// `GetResourceReplicas`: the ratio of utilisation to target times the ready pods; pods that
    /// are not ready count as idle where it would scale up.
    fn proposal(&self, ready: u32, unready: u32, current: u32, load: f64) -> u32 {
        if ready == 0 {
            // Without a metric nothing changes.
            return current;
        }
        let used = load.min(f64::from(ready));
        let ratio = used / f64::from(ready) / self.hpa.target;
        let within_tolerance = |ratio: f64| (ratio - 1.0).abs() <= self.hpa.tolerance;
        if ratio <= 1.0 || unready == 0 {
            return if within_tolerance(ratio) { current } else { ceil(ratio * f64::from(ready)) };
        }
        let all = f64::from(ready + unready);
        let damped = used / all / self.hpa.target;
        let proposed = ceil(damped * all);
        if within_tolerance(damped) || damped < 1.0 || proposed < current { current } else { proposed }
    }

    /// `stabilizeRecommendationWithBehaviors`: no lower than any recommendation of the window.
    fn stabilized(&mut self, now: Instant, proposed: u32, current: u32) -> u32 {
        let window = self.hpa.stabilization_down;
        while self.recommended.front().is_some_and(|&(at, _)| now.since(at) > window) {
            self.recommended.pop_front();
        }
        self.recommended.push_back((now, proposed));
        let highest = self.recommended.iter().map(|&(_, n)| n).max().unwrap_or(proposed);
        current.max(proposed).min(highest)
    }

    /// `calculateScaleUpLimitWithScalingRules` with the default policies.
    fn scale_up_limit(&mut self, now: Instant, current: u32) -> u32 {
        while self.added.front().is_some_and(|&(at, _)| now.since(at) >= SCALE_UP_PERIOD) {
            self.added.pop_front();
        }
        let at_start = current.saturating_sub(self.added.iter().map(|&(_, n)| n).sum());
        (at_start + 4).max(at_start * 2)
    }

    fn within(&self, pods: u32) -> u32 {
        pods.max(self.hpa.min).min(self.hpa.max)
    }
}

/// Rounded up; what is a whole number but for the last digits is that number.
fn ceil(pods: f64) -> u32 {
    (pods - 1e-9).ceil().max(0.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Load, Schedule};

    fn state(min: u32, max: u32) -> HpaState {
        let base = Schedule::Constant(0.0);
        let load = Load { base, daily: 0.0, peak: Span::ZERO, weekend: 1.0, noise: 0.0 };
        HpaState::new(&Hpa {
            min,
            max,
            target: 0.5,
            load,
            sync_period: Span::secs(15),
            tolerance: 0.1,
            stabilization_down: Span::mins(5),
        })
    }

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::secs(secs)
    }

    /// `desiredReplicas = ceil(currentReplicas × currentMetric / desiredMetric)`.
    #[test]
    fn the_ratio_decides_outside_of_the_tolerance() {
        assert_eq!(state(1, 100).look(at(0), 10, 0, 10, 7.0), 14);
        assert_eq!(state(1, 100).look(at(0), 10, 0, 10, 5.4), 10, "108 % is within the tolerance");
        assert_eq!(state(1, 100).look(at(0), 10, 0, 10, 5.6), 12);
        assert_eq!(state(1, 100).look(at(0), 10, 0, 10, 4.4), 9);
        assert_eq!(state(1, 12).look(at(0), 10, 0, 10, 9.0), 12, "max");
        assert_eq!(state(3, 100).look(at(0), 10, 0, 10, 0.0), 3, "min");
        assert_eq!(state(1, 100).look(at(0), 0, 10, 10, 9.0), 10, "no metric");
        assert_eq!(state(1, 100).settled(7.0), 14);
    }

    /// Pods show at most 100 %: at a target of 50 % a look doubles at most.
    #[test]
    fn busy_pods_hide_how_busy_they_would_be() {
        assert_eq!(state(1, 1000).look(at(0), 10, 0, 10, 80.0), 20);
    }

    /// Pods that are not ready yet count as idle when scaling up (`TestReplicaCalcScaleUpUnready…`).
    #[test]
    fn unready_pods_dampen_scaling_up() {
        assert_eq!(state(1, 100).look(at(0), 10, 6, 16, 8.0), 16);
        assert_eq!(state(1, 100).look(at(0), 10, 2, 12, 8.0), 16);
    }

    /// The default scale-up policies: 4 pods or 100 % in 15 s, whichever is more.
    #[test]
    fn scaling_up_is_limited() {
        assert_eq!(state(1, 100).look(at(0), 1, 0, 1, 1.0), 2);
        let mut state = state(1, 100);
        state.hpa.target = 0.1;
        assert_eq!(state.look(at(0), 2, 0, 2, 2.0), 6);
        assert_eq!(state.look(at(5), 6, 0, 6, 6.0), 6, "4 in 15 s are used up");
        assert_eq!(state.look(at(15), 6, 0, 6, 6.0), 12);
    }

    /// The stabilisation window: down only to the highest recommendation of 5 minutes.
    #[test]
    fn scaling_down_waits_for_the_window() {
        let mut state = state(1, 100);
        assert_eq!(state.look(at(0), 10, 0, 10, 5.0), 10);
        assert_eq!(state.look(at(15), 10, 0, 10, 2.0), 10);
        assert_eq!(state.look(at(150), 10, 0, 10, 3.0), 10);
        assert_eq!(state.look(at(301), 10, 0, 10, 2.0), 6, "the recommendation of second 150");
        assert_eq!(state.look(at(451), 6, 0, 6, 2.0), 4);
    }
}

//! The HorizontalPodAutoscaler on CPU utilisation, without a `behavior` of its own, as
//! kube-controller-manager computes it (`pkg/controller/podautoscaler`): the ratio in
//! `replica_calculator.go`, `GetResourceReplicas`; stabilisation and limits in `horizontal.go`,
//! `normalizeDesiredReplicas`.
//!
//! Ready pods share the load evenly. A pod shows at most 100 %: its CPU limit equals its request,
//! so a load beyond what the ready pods can bear shows as 100 %.

use std::collections::VecDeque;

use crate::model;
use crate::time::{Instant, Span};

/// Most pods after a scale-up, as a multiple of those before (`scaleUpLimitFactor`).
const UP_FACTOR: u32 = 2;

/// As many pods are allowed after a scale-up in any case (`scaleUpLimitMinimum`).
const UP_MINIMUM: u32 = 4;

/// An autoscaler and what it remembers.
#[derive(Debug, Clone)]
pub struct Hpa {
    rules: model::Hpa,
    /// Recommendations that may still be the highest of the window: ever later, ever lower.
    kept: VecDeque<(Instant, u32)>,
    /// The last look and what it recommended.
    last: Option<(Instant, u32)>,
}

impl Hpa {
    /// An autoscaler that has not looked yet.
    #[must_use]
    pub fn new(rules: &model::Hpa) -> Self {
        Self { rules: rules.clone(), kept: VecDeque::new(), last: None }
    }

    /// The number of pods that suits `load`: that of a cluster which has settled.
    #[must_use]
    pub fn settled(&self, load: f64) -> u32 {
        up(load / self.rules.target).clamp(self.rules.min, self.rules.max)
    }

    /// Looks at `now`: of `current` wanted pods `ready` are ready and `unready` are there but not
    /// ready, all under a load of `load` fully busy pods. Returns the number that it wants.
    ///
    /// Looks that were left out since the last one count as if they had found the same.
    pub fn look(&mut self, now: Instant, ready: u32, unready: u32, current: u32, load: f64) -> u32 {
        let model::Hpa { min, max, .. } = self.rules;
        self.catch_up(now, current);
        if current == 0 {
            // Autoscaling is disabled (`ScalingDisabled`).
            return 0;
        }
        if !(min..=max).contains(&current) {
            return current.clamp(min, max);
        }
        let Some(recommended) = self.recommend(ready, unready, current, load) else { return current };
        self.keep(now, recommended);
        self.last = Some((now, recommended));
        let highest = self.kept.front().map_or(recommended, |&(_, n)| n);
        highest.min(current.saturating_mul(UP_FACTOR).max(UP_MINIMUM)).clamp(min, max)
    }

    /// The first look after `now`.
    #[must_use]
    pub fn next_sync(&self, now: Instant) -> Instant {
        let period = self.rules.sync_period.0;
        Instant((now.0 / period + 1).saturating_mul(period))
    }

    /// The first look after the last one, at `now`, that may find another answer, provided that
    /// the pods stay as they are and the load until `load_holds_until`. If anything changes
    /// earlier, the next look is at [`Self::next_sync`]. `at_rest` = all pods are ready and as
    /// many as it wanted.
    #[must_use]
    pub fn next_look(&self, now: Instant, at_rest: bool, load_holds_until: Instant) -> Instant {
        let Some((_, last)) = self.last.filter(|_| at_rest) else { return self.next_sync(now) };
        let forgotten = match self.kept.front() {
            Some(&(at, highest)) if highest > last => at + self.rules.stabilization_down + Span(1),
            _ => Instant::NEVER,
        };
        let due = load_holds_until.min(forgotten);
        if due == Instant::NEVER { due } else { self.next_sync(now).max(self.next_sync(Instant(due.0 - 1))) }
    }

    /// What the utilisation asks for; `None` = no pod shows a metric.
    fn recommend(&self, ready: u32, unready: u32, current: u32, load: f64) -> Option<u32> {
        if ready == 0 {
            return None;
        }
        let busy = load.min(f64::from(ready));
        let within = |ratio: f64| (1.0 - self.rules.tolerance..=1.0 + self.rules.tolerance).contains(&ratio);
        let ratio = self.ratio(busy, ready);
        if unready == 0 || ratio <= 1.0 {
            return Some(if within(ratio) { current } else { up(ratio * f64::from(ready)) });
        }
        // On a scale-up, pods that are not ready count as idle.
        let all = ready + unready;
        let damped = self.ratio(busy, all);
        if within(damped) || damped < 1.0 {
            return Some(current);
        }
        Some(up(damped * f64::from(all)).max(current))
    }

    /// Utilisation of `pods` pods as a multiple of the target, both in whole percent
    /// (`GetResourceUtilizationRatio`).
    fn ratio(&self, busy: f64, pods: u32) -> f64 {
        // What a product lacks to a whole percent in binary is not cut off.
        let percent = (busy * 100.0 / f64::from(pods) + 1e-9).floor();
        percent / (self.rules.target * 100.0).round().max(1.0)
    }

    /// Records the looks that were left out, and the number of pods before the first look
    /// (`recordInitialRecommendation`).
    fn catch_up(&mut self, now: Instant, current: u32) {
        let period = self.rules.sync_period;
        match self.last {
            None => self.keep(now, current),
            Some((at, recommended)) if at + period < now => {
                let before = Instant((now.0 - 1) / period.0 * period.0);
                self.keep(before.max(at), recommended);
            }
            Some(_) => {}
        }
        let window = self.rules.stabilization_down;
        while self.kept.front().is_some_and(|&(at, _)| at + window < now) {
            self.kept.pop_front();
        }
    }

    fn keep(&mut self, at: Instant, recommended: u32) {
        while self.kept.back().is_some_and(|&(_, n)| n <= recommended) {
            self.kept.pop_back();
        }
        self.kept.push_back((at, recommended));
    }
}

/// A number of pods, rounded up, and with it what a product has too much in binary, as upstream (`GetResourceReplicas`).
fn up(pods: f64) -> u32 {
    pods.ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Load, Schedule};

    fn hpa() -> Hpa {
        Hpa::new(&model::Hpa {
            min: 2,
            max: 100,
            target: 0.6,
            load: Load { base: Schedule::Constant(0.0), daily: 0.0, peak: Span::ZERO, weekend: 1.0, noise: 0.0 },
            sync_period: Span::secs(15),
            tolerance: 0.1,
            stabilization_down: Span::mins(5),
        })
    }

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::secs(secs)
    }

    #[test]
    fn the_ratio_counts_beyond_the_tolerance_only() {
        // 10 pods: 6.5 busy are 65 %, a ratio of 1.083; 6.7 busy are 67 %, 1.117: 12 pods.
        assert_eq!(hpa().look(at(0), 10, 0, 10, 6.5), 10);
        assert_eq!(hpa().look(at(0), 10, 0, 10, 6.7), 12);
        // 66.9 % shows as 66 %, which is within the tolerance.
        assert_eq!(hpa().look(at(0), 10, 0, 10, 6.69), 10);
        // 9 busy of 10 are exactly half as much again: 15 pods, not 16.
        assert_eq!(hpa().look(at(0), 10, 0, 10, 9.0), 15);
        // 23 % of 30 % times 150 are 115 and a little in binary: 116, as upstream has it.
        let mut low = hpa();
        (low.rules.target, low.rules.max) = (0.3, 200);
        assert_eq!(low.recommend(150, 0, 150, 34.5), Some(116));
        // More than the pods can bear shows as 100 %.
        assert_eq!(hpa().look(at(0), 10, 0, 10, 500.0), 17);
    }

    #[test]
    fn a_scale_up_doubles_at_most_and_four_pods_are_always_allowed() {
        let mut low = hpa();
        low.rules.target = 0.1;
        assert_eq!(low.look(at(0), 10, 0, 10, 10.0), 20);
        low = hpa();
        low.rules.target = 0.1;
        low.rules.min = 1;
        assert_eq!(low.look(at(0), 1, 0, 1, 1.0), 4);
        assert_eq!(low.look(at(15), 60, 0, 60, 60.0), 100);
    }

    #[test]
    fn pods_that_are_not_ready_count_as_idle_on_the_way_up_only() {
        // 10 busy pods of 10 and 5 new ones: 66 % of 15 is within the tolerance.
        assert_eq!(hpa().look(at(0), 10, 5, 15, 10.0), 15);
        // With 2 new ones: 83 % of 12, a ratio of 1.383: 17.
        assert_eq!(hpa().look(at(0), 10, 2, 12, 10.0), 17);
        // Counted as idle they would turn the direction: nothing happens.
        assert_eq!(hpa().look(at(0), 10, 20, 30, 10.0), 30);
        // On the way down they do not count: 3 busy of 10 ready ones are 5 pods.
        let mut down = hpa();
        assert_eq!(down.look(at(0), 10, 2, 12, 3.0), 12, "the initial recommendation holds");
        assert_eq!(down.look(at(315), 10, 2, 12, 3.0), 5);
        // Without a ready pod there is no metric.
        assert_eq!(hpa().look(at(0), 0, 5, 5, 50.0), 5);
    }

    #[test]
    fn it_scales_down_to_the_highest_recommendation_of_the_window() {
        let mut hpa = hpa();
        assert_eq!(hpa.look(at(0), 20, 0, 20, 12.0), 20);
        assert_eq!(hpa.look(at(15), 20, 0, 20, 6.0), 20);
        assert_eq!(hpa.look(at(30), 20, 0, 20, 3.0), 20);
        assert_eq!(hpa.look(at(300), 20, 0, 20, 3.0), 20, "a recommendation of exactly 5 minutes counts");
        assert_eq!(hpa.look(at(315), 20, 0, 20, 3.0), 10, "then the next highest: 10 at 15 s");
        assert_eq!(hpa.look(at(330), 10, 0, 10, 3.0), 5, "and then 5, from 30 s on");
    }

    #[test]
    fn bounds_hold_and_none_wanted_stays_none() {
        assert_eq!(hpa().look(at(0), 0, 0, 0, 5.0), 0);
        assert_eq!(hpa().look(at(0), 1, 0, 1, 0.0), 2);
        assert_eq!(hpa().look(at(0), 200, 0, 200, 0.0), 100);
    }

    /// A timeline of loads, with every look and with those only that `next_look` asks for.
    #[test]
    fn looks_that_are_left_out_change_nothing() {
        let loads = [12.0, 6.0, 6.0, 30.0, 3.0, 3.0, 3.0, 3.0, 9.0, 9.0];
        let step = Span::secs(405).0;
        let load_at = |now: Instant| loads[((now.0 / step) as usize).min(loads.len() - 1)];
        let run = |lazy: bool| {
            let (mut hpa, mut pods, mut now, mut looks) = (hpa(), 20, Instant::ZERO, 0);
            let mut changes = Vec::new();
            while now < at(5000) {
                let wanted = hpa.look(now, pods, 0, pods, load_at(now));
                looks += 1;
                let at_rest = wanted == pods;
                if !at_rest {
                    changes.push((now, wanted));
                }
                pods = wanted;
                let until = Instant((now.0 / step + 1) * step);
                now = if lazy { hpa.next_look(now, at_rest, until) } else { hpa.next_sync(now) };
            }
            (changes, looks)
        };
        let ((all, many), (some, few)) = (run(false), run(true));
        assert_eq!(all, some);
        assert!(all.len() >= 5 && few * 5 < many, "{few} of {many} looks, {all:?}");
    }
}

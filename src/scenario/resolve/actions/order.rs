//! Which action is sure to come after which.

use super::deeds::Kind;
use crate::model::Trigger;
use crate::time::Instant;

/// The actions in time, as far as that is known before a run.
pub(super) struct Order {
    pub triggers: Vec<Trigger>,
    /// Whether each is complete as soon as it begins.
    at_once: Vec<bool>,
}

impl Order {
    /// The order of actions with these triggers and deeds.
    pub fn new(triggers: Vec<Trigger>, kinds: &[Option<Kind<'_>>]) -> Self {
        Self { triggers, at_once: kinds.iter().map(|kind| kind.as_ref().is_some_and(Kind::is_at_once)).collect() }
    }

    /// Whether `later` begins after `earlier` in every run in which it begins at all.
    pub fn is_sure(&self, later: usize, earlier: usize) -> bool {
        if self.follows(later, earlier) {
            return true;
        }
        let Some(exactly) = self.exactly(earlier) else { return false };
        let both_stated = [later, earlier].map(|i| matches!(self.triggers[i], Trigger::At(_))) == [true; 2];
        let earliest = self.earliest(later);
        earliest > exactly || earliest == exactly && both_stated && later > earlier
    }

    /// Whether `later` waits for `earlier`, directly or for one that does.
    fn follows(&self, later: usize, earlier: usize) -> bool {
        match self.triggers[later] {
            Trigger::After { action, .. } => action == earlier || self.follows(action, earlier),
            _ => false,
        }
    }

    /// When an action begins, if that does not depend on the run.
    fn exactly(&self, action: usize) -> Option<Instant> {
        match self.triggers[action] {
            Trigger::At(at) => Some(at),
            Trigger::After { action, delay } if self.at_once[action] => Some(self.exactly(action)? + delay),
            _ => None,
        }
    }

    /// The time before which an action does not begin.
    pub fn earliest(&self, action: usize) -> Instant {
        match self.triggers[action] {
            Trigger::At(at) => at,
            Trigger::When(_) => Instant::ZERO,
            Trigger::After { action, delay } => self.earliest(action) + delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Comparison, Condition, Level};
    use crate::time::Span;

    #[test]
    fn what_waits_and_what_is_later_is_sure_to_come_after() {
        let day = |n| Trigger::At(Instant::ZERO + Span::days(n));
        let after = |action, days| Trigger::After { action, delay: Span::days(days) };
        let text = "pods.waiting > 0".to_owned();
        let level = Level::WaitingPods;
        let when = Trigger::When(Condition { text, level, comparison: Comparison::Greater, than: 0.0 });
        // Action 1 takes its time.
        let at_once = vec![true, false, true, true, true, true];
        let order = Order { triggers: vec![day(5), after(0, 0), after(1, 1), when, day(5), after(0, 2)], at_once };
        let sure = |later| (0..6).filter(|&earlier| order.is_sure(later, earlier)).collect::<Vec<_>>();
        // 2 comes on day 6 or later: after 4, which comes on day 5 whatever happens.
        let all: [Vec<usize>; 6] = std::array::from_fn(sure);
        assert_eq!(all, [vec![], vec![0], vec![0, 1, 4], vec![], vec![0], vec![0, 1, 4]]);
    }
}

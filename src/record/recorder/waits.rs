//! Who waits for an address, and since when: how many waited too long, and whom an action relieved.

use std::collections::BTreeMap;

use crate::model::{LateWait, Model};
use crate::record::{ActionRecord, Reach};
use crate::time::Instant;

/// Pods that wait for an address, if somebody wants to know of their waits.
#[derive(Debug)]
pub(super) struct Waits {
    /// The pod whose wait began last, if it goes on: most are over in no time.
    latest: Option<(usize, Wait)>,
    /// All others, by pod.
    waiting: BTreeMap<usize, Wait>,
    /// Waits that have begun.
    begun: u64,
    /// Which waits are too long, and how many were.
    late: Vec<(LateWait, u64)>,
    actions: Vec<Recovery>,
}

/// A wait that goes on.
#[derive(Debug, Clone, Copy)]
struct Wait {
    since: Instant,
    /// Waits that had begun before.
    number: u64,
}

/// An action and the pods that waited when it began.
#[derive(Debug, Clone, Copy, Default)]
struct Recovery {
    record: ActionRecord,
    /// Waits that had begun by then.
    begun: u64,
    /// Those of [`ActionRecord::waiting`] that go on.
    left: u32,
}

impl Waits {
    /// Nobody waits.
    pub fn new(model: &Model) -> Self {
        Self {
            latest: None,
            waiting: BTreeMap::new(),
            begun: 0,
            late: model.late_waits.iter().map(|&wait| (wait, 0)).collect(),
            actions: vec![Recovery::default(); model.actions.len()],
        }
    }

    /// Whether somebody wants to know of waits.
    fn matter(&self) -> bool {
        !self.late.is_empty() || !self.actions.is_empty()
    }

    /// A pod waits.
    pub fn begin(&mut self, now: Instant, pod: usize) {
        if !self.matter() {
            return;
        }
        let wait = Wait { since: now, number: self.begun };
        self.waiting.extend(self.latest.replace((pod, wait)));
        self.begun += 1;
    }

    /// A pod waits no more; `served` = it has got its address.
    pub fn end(&mut self, now: Instant, pod: usize, served: bool) {
        if !self.matter() {
            return;
        }
        let latest = self.latest.take_if(|(latest, _)| *latest == pod).map(|(_, wait)| wait);
        let wait = latest.or_else(|| self.waiting.remove(&pod)).expect("a wait that ends has begun");
        self.count_if_late(now, wait);
        for action in self.actions.iter_mut().filter(|action| action.left > 0 && wait.number < action.begun) {
            action.left -= 1;
            action.record.relieved += u32::from(served);
            if action.left == 0 {
                action.record.recovered = Some(now);
            }
        }
    }

    /// An action begins while `waiting` pods wait.
    pub fn action_begins(&mut self, now: Instant, action: usize, waiting: u32) {
        let record = ActionRecord { began: Some(now), waiting, ..ActionRecord::default() };
        self.actions[action] = Recovery { record, begun: self.begun, left: waiting };
    }

    /// An action is complete.
    pub fn action_complete(&mut self, now: Instant, action: usize, reach: Option<Reach>) {
        let record = &mut self.actions[action].record;
        (record.ended, record.reach) = (Some(now), reach);
    }

    /// What came of each action, and how many waits were too long, those that go on included.
    pub fn finish(mut self, now: Instant) -> (Vec<ActionRecord>, Vec<u64>) {
        let going_on = std::mem::take(&mut self.waiting).into_iter().chain(self.latest.take());
        going_on.for_each(|(_, wait)| self.count_if_late(now, wait));
        let actions = self.actions.into_iter().map(|action| action.record);
        (actions.collect(), self.late.into_iter().map(|(_, pods)| pods).collect())
    }

    /// Waits that were too long by `now`, those that go on included.
    ///
    /// # Panics
    /// If the model did not ask for them.
    pub fn late(&self, now: Instant, late: LateWait) -> u64 {
        let ended = self.late.iter().find(|(counted, _)| *counted == late).expect("the model was told to count it");
        let going_on = self.waiting.values().chain(self.latest.as_ref().map(|(_, wait)| wait));
        ended.1 + going_on.filter(|wait| wait.is_late(now, late)).count() as u64
    }

    /// The warm-up is over: waits that have ended were not too long, and the others begin now.
    pub fn warm(&mut self, now: Instant) {
        self.late.iter_mut().for_each(|(_, pods)| *pods = 0);
        let latest = self.latest.iter_mut().map(|(_, wait)| wait);
        self.waiting.values_mut().chain(latest).for_each(|wait| wait.since = now);
    }

    fn count_if_late(&mut self, now: Instant, wait: Wait) {
        for (late, pods) in &mut self.late {
            *pods += u64::from(wait.is_late(now, *late));
        }
    }
}

impl Wait {
    /// Whether it is too long, if it goes on `now` or ends.
    fn is_late(&self, now: Instant, LateWait { over, before }: LateWait) -> bool {
        now.since(self.since) > over && self.since + over < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Vpc;
    use crate::time::Span;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::secs(secs)
    }

    fn waits(late: &[(u64, Instant)], actions: usize) -> Waits {
        let vpc = Vpc { cidr: "10.0.0.0/8".parse().expect("a block"), vswitches: Vec::new() };
        let mut model = Model::plain("waits", Span::hours(1), vpc);
        model.late_waits = late.iter().map(|&(over, before)| LateWait { over: Span::secs(over), before }).collect();
        Waits { actions: vec![Recovery::default(); actions], ..Waits::new(&model) }
    }

    /// Served, gone and going on: each counts once it has waited too long, if that was in time.
    #[test]
    fn a_wait_is_late_once_it_is_over_its_limit_in_time() {
        let mut waits = waits(&[(10, Instant::NEVER), (10, at(20)), (60, Instant::NEVER)], 0);
        for (pod, since) in [(0, 0), (1, 0), (2, 9), (3, 10), (4, 30)] {
            waits.begin(at(since), pod);
        }
        waits.end(at(10), 0, true); // Exactly the limit.
        waits.end(at(11), 1, true);
        waits.end(at(40), 2, false); // Late since 19.
        waits.end(at(40), 3, true); // Late since 20, which is too late for the second.
        assert_eq!(waits.finish(at(91)).1, [4, 2, 1]);
    }

    /// Whoever waits when an action begins counts, whoever comes later does not, though it is in
    /// the same instant.
    #[test]
    fn an_action_has_recovered_when_the_last_of_those_who_waited_has() {
        let mut waits = waits(&[], 2);
        waits.begin(at(1), 0);
        waits.begin(at(5), 1);
        waits.action_begins(at(5), 0, 2);
        waits.begin(at(5), 2);
        waits.action_complete(at(6), 0, None);
        waits.end(at(7), 2, true);
        waits.end(at(8), 0, true);
        waits.begin(at(8), 0);
        waits.end(at(9), 0, true);
        waits.action_begins(at(9), 1, 1);
        waits.end(at(10), 1, false);
        let (actions, _) = waits.finish(at(20));
        let [first, second] = actions[..] else { panic!("two actions") };
        assert_eq!((first.began, first.ended, first.recovered), (Some(at(5)), Some(at(6)), Some(at(10))));
        assert_eq!((first.waiting, first.relieved), (2, 1));
        assert_eq!((second.waiting, second.relieved, second.recovered), (1, 0, Some(at(10))));
    }
}

//! Which vSwitch comes first (`daemon/eni.go`, rules P68 to P72).

use super::config::Selection;
use super::process::{Process, State};
use super::sync::{Lock, Mode};
use crate::chance::SmallStream;
use crate::id::VSwitchId;
use crate::ipam::{Answer, Request};
use crate::time::{Instant, Span};

/// Life of the counts (rule P69).
const TTL: Span = Span::mins(10);

/// Free addresses of the candidates as they were counted last, in their order of the moment.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub list: Vec<(VSwitchId, u32)>,
    /// They hold until then; `None` = no count has ended well.
    expires: Option<Instant>,
}

impl Counts {
    fn are_stale(&self, now: Instant) -> bool {
        self.expires.is_none_or(|expires| now > expires)
    }

    /// The most first (N2, N4: equal ones in any order, or as they stood).
    fn sort(&mut self, stable_ties: bool, chance: &mut SmallStream) {
        if !stable_ties {
            chance.shuffle(&mut self.list);
        }
        self.list.sort_by_key(|&(_, free)| std::cmp::Reverse(free));
    }
}

impl State {
    /// The candidates in the order in which an address is looked for; a random one is drawn each time.
    pub fn order_vswitches(&mut self) -> Vec<VSwitchId> {
        let is_counted = self.needs_counts();
        let Self { config, counts, legacy, .. } = self;
        if is_counted {
            counts.sort(config.profile.stable_ties, &mut legacy.chance.choice);
            return counts.list.iter().map(|&(id, _)| id).collect();
        }
        let mut list = config.vswitches.clone();
        legacy.chance.choice.shuffle(&mut list);
        list
    }

    /// Whether the order of the candidates is one of counts.
    fn needs_counts(&self) -> bool {
        self.config.vswitches.len() > 1 && self.config.selection == Selection::Ordered
    }

    /// The time through which the order of the candidates takes no counting; `None` = it does now.
    pub fn counts_through(&self) -> Option<Instant> {
        if !self.needs_counts() {
            return Some(Instant::NEVER);
        }
        let are_known = !self.counts.are_stale(self.now) && self.admits(Lock::VSwitches, Mode::Write);
        self.counts.expires.filter(|_| are_known)
    }
}

impl Process {
    /// The candidates in the order in which an address is looked for.
    pub async fn vswitches(&self) -> Vec<VSwitchId> {
        let start = self.state().now;
        if !self.state().needs_counts() {
            return self.state().order_vswitches();
        }
        self.lock(Lock::VSwitches, Mode::Write).await;
        if self.state().counts.are_stale(start) {
            self.count(&self.config().vswitches).await;
        }
        let list = self.state().order_vswitches();
        self.unlock(Lock::VSwitches, Mode::Write);
        list
    }

    /// Counts one vSwitch after the other; what cannot be counted counts as empty, and if that is the
    /// last, the counts hold until the next look only.
    async fn count(&self, vswitches: &[VSwitchId]) {
        let (mut list, mut last) = (Vec::new(), true);
        for &id in vswitches {
            let answer = self.call(Request::DescribeVSwitch(id)).await;
            last = answer.is_ok();
            list.push((id, if let Ok(Answer::VSwitch(free)) = answer { free } else { 0 }));
        }
        let State { counts, now, .. } = &mut *self.state();
        counts.list = list;
        if last {
            counts.expires = Some(*now + TTL);
        }
    }
}

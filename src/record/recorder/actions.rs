//! Actions, and the levels that conditions look at.

use super::Recorder;
use super::levels::VSwitchLevels;
use crate::address::usable;
use crate::cloud::Usage;
use crate::id::VSwitchId;
use crate::model::{Action, Holder, Level, Model};
use crate::record::Reach;
use crate::text::text;
use crate::time::Instant;

impl Recorder {
    /// An action begins.
    pub fn action_begins(&mut self, now: Instant, index: usize, action: &Action) {
        self.waits.action_begins(now, index, self.waiting.level());
        self.landmark(now, "action", action.name.clone(), action.text.clone());
    }

    /// An action is complete; `reach` says who can use added vSwitches then, if any was added.
    pub fn action_complete(&mut self, now: Instant, index: usize, action: &Action, reach: Option<Reach>) {
        self.waits.action_complete(now, index, reach);
        self.landmark(now, "action_complete", action.name.clone(), text!("{action} is complete", action.name));
    }

    /// A vSwitch comes to be.
    pub fn vswitch_added(&mut self, now: Instant, id: VSwitchId, usage: &Usage) {
        self.vswitches[id.index()].add(now);
        self.vswitch_changed(now, id, usage, usage.leaked);
        if self.serving.contains(&id) {
            self.counting.usable += usage.usable;
        }
    }

    /// A level at this moment; `None` = of a vSwitch that does not exist yet.
    #[must_use]
    pub fn level(&self, level: Level) -> Option<f64> {
        let exists = |id: &VSwitchId| Some(&self.vswitches[id.index()]).filter(|levels| levels.exists());
        let of_any = |holder, of: fn(&VSwitchLevels, Holder) -> f64| {
            let all = self.serving.iter().filter_map(exists).map(|levels| of(levels, holder));
            if holder == Holder::Free { all.reduce(f64::min) } else { all.reduce(f64::max) }
        };
        match level {
            Level::VSwitch(id, holder) => exists(&id).map(|levels| levels.holders().of(holder).into()),
            Level::AnyVSwitch(holder) => of_any(holder, |levels, holder| levels.holders().of(holder).into()),
            Level::AnyVSwitchShare(holder) => of_any(holder, VSwitchLevels::share_of),
            Level::WaitingPods => Some(self.waiting.level().into()),
            Level::UnschedulablePods => Some(self.unschedulable.level().into()),
            Level::Nodes(pool) => {
                let groups = self.groups.iter().filter(|group| group.key.pool == pool);
                Some(groups.map(|group| group.levels.nodes).sum::<u32>().into())
            }
        }
    }
}

/// Usable addresses of the vSwitches that serve pods from the start.
pub(super) fn usable_at_first(model: &Model) -> u32 {
    let serving = model.serving_vswitches().into_iter().map(|id| &model.vpc.vswitches[id.index()]);
    serving.filter(|vswitch| vswitch.added_by.is_none()).map(|vswitch| usable(vswitch.cidr)).sum()
}

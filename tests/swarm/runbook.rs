//! Random runbooks.

use brimline::id::VSwitchId;
use brimline::ipam::Config;
use brimline::model::{
    Action, Comparison, Condition, Deed, LateWait, Model, PoolSize, Restart, Trigger, VSwitch, Workload, WorkloadKind,
};
use brimline::openapi::Api;
use brimline::record::ActionRecord;
use brimline::text::Text;
use brimline::time::{Instant, Span};

use super::Dice;

/// What every record of an action has to say.
pub fn check(record: &ActionRecord) {
    assert!(record.began.is_some() || *record == ActionRecord::default(), "{record:?}");
    assert!(record.ended.is_none_or(|ended| record.began <= Some(ended)), "{record:?}");
    assert!(record.recovered.is_none_or(|at| record.waiting > 0 && record.began <= Some(at)), "{record:?}");
    assert!(record.relieved <= record.waiting, "{record:?}");
    assert!(record.reach.is_none_or(|reach| reach.able <= reach.configured && reach.configured <= reach.nodes));
}

impl Dice {
    /// A runbook; what begins on a condition may begin at any time, so quiet worlds have none.
    pub fn actions(&mut self, model: &mut Model, zones: usize, within: Span, quiet: bool) {
        for index in 0..self.range(1, 6) as usize {
            let trigger = match self.range(0, if quiet { 1 } else { 2 }) {
                0 if index > 0 => {
                    let action = self.range(0, index as u32 - 1) as usize;
                    Trigger::After { action, delay: within.mul_f64(0.1 * self.0.unit() * f64::from(self.range(0, 1))) }
                }
                2 => Trigger::When(self.condition(model)),
                _ => Trigger::At(Instant::ZERO + within.mul_f64(0.8 * self.0.unit())),
            };
            let deed = self.deed(model, index, zones, within, quiet);
            model.actions.push(Action { name: format!("action-{index}"), text: Text::default(), trigger, deed });
        }
        let over = self.millis(0, 600_000);
        model.late_waits = vec![LateWait { over, before: Instant::ZERO + within.mul_f64(self.0.unit()) }];
    }

    fn condition(&mut self, model: &Model) -> Condition {
        let levels = model.levels();
        let (text, level) = levels[self.0.below(levels.len() as u32) as usize].clone();
        let comparison = self.pick(&[Comparison::Less, Comparison::AtLeast, Comparison::Equal, Comparison::Unequal]);
        Condition { text, level, comparison, than: f64::from(self.range(0, 40)) }
    }

    fn deed(&mut self, model: &mut Model, index: usize, zones: usize, within: Span, quiet: bool) -> Deed {
        let pool = self.range(0, model.node_pools.len() as u32 - 1) as usize;
        let scaled = |workload: &Workload| {
            matches!(workload.kind, WorkloadKind::Deployment { .. } | WorkloadKind::StatefulSet { .. })
        };
        match self.range(0, 9) {
            0 | 1 => {
                let i = model.vpc.vswitches.len();
                let (zone, cidr) =
                    (self.range(0, zones as u32 - 1), format!("10.0.{}.0/{}", 4 * i, self.range(23, 28)));
                let plain = VSwitch::plain(&format!("vsw-{i}"), &format!("zone-{zone}"), &cidr);
                model.vpc.vswitches.push(VSwitch { added_by: Some(index), ..plain });
                Deed::AddVSwitch(VSwitchId::new(i))
            }
            2 => Deed::EditEniConfig(self.edited(model, quiet)),
            3 | 4 => Deed::RestartTerway(Restart {
                pools: (0..model.node_pools.len()).filter(|&i| i == pool || self.chance(50)).collect(),
                at_most_at_once: self.portion(),
                takes: self.pick(&[Span::ZERO, Span::secs(3), Span::secs(40), Span::mins(7)]),
            }),
            5 if model.workloads.iter().any(scaled) => {
                let workload = model.workloads.iter().position(scaled).expect("there is one");
                Deed::ScaleWorkload { workload, replicas: self.range(0, 100) }
            }
            6 if matches!(model.node_pools[pool].size, PoolSize::Scheduled(_)) => {
                Deed::ScaleNodePool { pool, nodes: self.range(0, 8) }
            }
            7 => Deed::ReplaceNodes { pool, max_surge: self.portion(), max_unavailable: self.portion() },
            8 => {
                let zone = format!("zone-{}", self.range(0, zones as u32 - 1));
                Deed::LoseZone { zone, lasts: within.mul_f64(0.2 * self.0.unit()) }
            }
            9 if !quiet => {
                Deed::LimitApi { api: self.pick(&Api::ALL), limit: self.chance(70).then(|| self.range(0, 20)) }
            }
            _ => Deed::Drain { pool, nodes: self.portion() },
        }
    }

    /// Other daemons for every group, which may know vSwitches that are added some day.
    fn edited(&mut self, model: &Model, quiet: bool) -> Vec<Config> {
        let daemons = model.groups().map(|(key, zone)| {
            let known = (0..model.vpc.vswitches.len()).filter(|&i| model.vpc.vswitches[i].zone == zone.zone);
            let mut vswitches: Vec<_> = known.map(VSwitchId::new).collect();
            if self.chance(50) {
                vswitches.reverse();
            }
            vswitches.truncate(self.range(1, vswitches.len() as u32) as usize);
            self.daemon(model.node_pools[key.pool].shapes[key.shape].limits, vswitches, quiet)
        });
        daemons.collect()
    }
}

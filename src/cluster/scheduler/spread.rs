//! `PodTopologySpread` with `ScheduleAnyway`: a score per group of nodes.

use crate::cluster::scheduler::books::Group;
use crate::cluster::scheduler::score::STEPS;
use crate::cluster::scheduler::{EXACT, Rules};
use crate::model::Strictness;

/// What upstream prefers for pods of ReplicaSets and StatefulSets without a spread of their own
/// (`systemDefaultConstraints` in `podtopologyspread/plugin.go`).
const ZONE_SKEW: u32 = 5;
const NODE_SKEW: u32 = 3;

/// What a workload prefers of zones and nodes.
#[derive(Debug)]
pub(super) struct Preference {
    /// `maxSkew` of zones.
    zone_skew: u32,
    /// That of nodes, if they count.
    node_skew: Option<u32>,
    /// The score of each group for the pod that is being placed, by its position among all.
    scores: Vec<Option<u32>>,
}

/// Pods of a workload that are not told to end.
#[derive(Debug)]
pub(super) struct Crowds {
    /// Per zone.
    pub zones: Vec<u32>,
    /// Per group, by its position among all.
    pub groups: Vec<u32>,
}

impl Preference {
    /// The preference of a workload that may run in `own` of as many groups as `all`; none if that tells none apart.
    pub fn of(rules: &Rules, own: &[u32], all: usize) -> Option<Self> {
        let (zone_skew, node_skew) = match rules.zone_spread {
            Some(spread) if spread.strictness == Strictness::Preferred => (spread.max_skew, None),
            None if rules.spread_by_default => (ZONE_SKEW, Some(NODE_SKEW)),
            _ => return None,
        };
        (own.len() > 1).then(|| Self { zone_skew, node_skew, scores: vec![None; all] })
    }

    /// Scores the groups in which a pod fits on a node, for a cluster of `nodes` (`podtopologyspread/scoring.go`).
    pub fn rank(&mut self, fitting: impl Iterator<Item = u32>, groups: &[Group], crowds: &Crowds, nodes: usize) {
        self.scores.fill(None);
        let (mut zones, mut feasible) = (0_u64, 0);
        for group in fitting {
            if self.scores[group as usize].replace(0).is_none() {
                zones |= 1 << groups[group as usize].spec.zone;
                feasible += groups[group as usize].nodes;
            }
        }
        let zone_weight = weight(zones.count_ones());
        let node_weight = weight(feasible.min(sought(nodes)));
        let (mut low, mut high) = (u32::MAX, 0);
        for (group, score) in self.scores.iter_mut().enumerate().filter(|(_, score)| score.is_some()) {
            let Group { spec, nodes, .. } = &groups[group];
            let mut raw = f64::from(crowds.zones[spec.zone]) * zone_weight + f64::from(self.zone_skew) - 1.0;
            if let Some(skew) = self.node_skew {
                let on_each = f64::from(crowds.groups[group]) / f64::from(*nodes);
                raw += on_each * node_weight + f64::from(skew) - 1.0;
            }
            let raw = raw.round() as u32;
            (low, high) = (low.min(raw), high.max(raw));
            *score = Some(raw);
        }
        for raw in self.scores.iter_mut().flatten() {
            *raw = (STEPS * (high + low - *raw)).checked_div(high).unwrap_or(STEPS);
        }
    }

    /// The score of a group that was ranked.
    pub fn score(&self, group: u32) -> u32 {
        self.scores[group as usize].unwrap_or(0)
    }
}

/// So that domains of which there are few are not drowned by those of which there are many (`topologyNormalizingWeight`).
fn weight(domains: u32) -> f64 {
    f64::from(domains + 2).ln()
}

/// So many nodes upstream looks for in a cluster of `nodes` (`numFeasibleNodesToFind` in `schedule_one.go`).
fn sought(nodes: usize) -> u32 {
    let percent = 50_usize.saturating_sub(nodes / 125).max(5);
    (nodes * percent / 100).max(EXACT) as u32
}

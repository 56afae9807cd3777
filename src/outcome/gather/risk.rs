//! When vSwitches of pods are full, over all runs, and whether their levels are steady.

use super::Runs;
use crate::id::VSwitchId;
use crate::outcome::warmup::steadiness;
use crate::outcome::{ANY, Clock, Risk, Steadiness, VSwitchSummary};
use crate::record::Recording;

/// Where at least this share of the runs ends full, the level is steady because it cannot grow.
const MOSTLY: f64 = 0.5;

impl Runs<'_> {
    /// Per vSwitch of pods in this order, then for any of them.
    pub(super) fn risk(&self, vswitches: &[VSwitchSummary]) -> Vec<Risk> {
        let clock = Clock::of(self.model);
        let full =
            |r: &Recording, i: usize| r.vswitches[i].first_refusal.map_or(f64::INFINITY, |full| full.at.as_secs_f64());
        let risk = |name: &str, at: &dyn Fn(&Recording) -> f64| {
            Risk::of(name, &self.recordings.iter().map(at).collect::<Vec<_>>(), &clock)
        };
        let position = |id: &str| self.model.vpc.vswitches.iter().position(|v| v.id == id);
        let serving: Vec<_> = vswitches.iter().filter(|v| v.serves_pods).collect();
        let places: Vec<usize> = serving.iter().filter_map(|v| position(&v.id)).collect();
        let each = serving.iter().zip(&places).map(|(v, &i)| risk(&v.id, &|r| full(r, i)));
        let first = |r: &Recording| places.iter().map(|&i| full(r, i)).fold(f64::INFINITY, f64::min);
        let any = (!places.is_empty()).then(|| risk(ANY, &first));
        each.chain(any).collect()
    }

    /// Whether the addresses of vSwitch `i` that serve pods or sit idle come to a steady level.
    pub(super) fn steadiness(&self, i: usize) -> Option<Steadiness> {
        let serves_pods = self.model.serving_vswitches().contains(&VSwitchId::new(i));
        let full = self.share(|r| r.vswitches[i].first_refusal.is_some());
        if !serves_pods || full.share() >= MOSTLY || self.model.vpc.vswitches[i].added_by.is_some() {
            return None;
        }
        let at: Vec<f64> = self.recordings[0].timeline.at.iter().map(|&at| at.as_secs_f64()).collect();
        let held = |r: &Recording, row: usize| {
            let who = r.timeline.vswitches[i][row];
            f64::from(who.pods + who.idle)
        };
        let runs: Vec<Vec<f64>> =
            self.recordings.iter().map(|r| (0..at.len()).map(|row| held(r, row)).collect()).collect();
        steadiness(&at, &runs, &Clock::of(self.model))
    }
}

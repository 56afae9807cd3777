//! A vSwitch at the moment at which it is first full, and what counting says instead.

use super::Runs;
use crate::outcome::{AtFull, CountingSummary, TenantSummary};
use crate::record::{Full, Holders, IdleParts, Recording};
use crate::time::Instant;

impl Runs<'_> {
    /// Who holds the addresses of vSwitch `i` when it is first full; none if it never is.
    pub(super) fn at_full(&self, i: usize) -> Option<AtFull> {
        self.some(|r| r.vswitches[i].first_refusal.map(|_| 0.0))?;
        let part = |part: &dyn Fn(&Full) -> u32| {
            let part = self.some(|r| r.vswitches[i].first_refusal.map(|full| f64::from(part(&full))));
            part.expect("it is full in some run")
        };
        let tenants = &self.model.vpc.vswitches[i].tenants;
        let tenants = tenants.iter().enumerate().map(|(k, tenant)| TenantSummary {
            name: tenant.name.clone(),
            addresses: part(&|full| self.tenant(i, k, full)),
        });
        Some(AtFull {
            addresses: Holders {
                reserved: self.some(|r| r.vswitches[i].first_refusal?.who.reserved.map(f64::from)),
                held: self.some(|r| r.vswitches[i].first_refusal?.who.held.map(f64::from)),
                ..Holders::POSITIONS.map(|at| part(&|full| full.who.parts()[at]))
            },
            idle: IdleParts::POSITIONS.map(|at| part(&|full| full.idle.parts()[at])),
            tenants: tenants.collect(),
            asked: part(&|full| full.asked),
            after: self.after(i),
        })
    }

    /// Addresses that tenant `k` of vSwitch `i` has. Where the vSwitch has not as many as the
    /// tenants want, those that come first in the scenario have theirs.
    fn tenant(&self, i: usize, k: usize, full: &Full) -> u32 {
        let tenants = &self.model.vpc.vswitches[i].tenants;
        let wants = |k: usize| tenants[k].addresses.count(full.at);
        let before: u32 = (0..k).map(wants).sum();
        wants(k).min(full.who.others.saturating_sub(before))
    }

    /// When pods, counted, exceed the addresses, beside when a vSwitch of pods is first full.
    pub(super) fn counting(&self) -> CountingSummary {
        let serving = self.model.serving_vswitches();
        let first = |r: &Recording| {
            let full = serving.iter().filter_map(|id| r.vswitches[id.index()].first_refusal);
            full.map(|full| full.at).min()
        };
        let earlier = |r: &Recording| Some(r.counting.full?.as_secs_f64() - first(r)?.as_secs_f64());
        let time = |at: &dyn Fn(&Recording) -> Option<Instant>| self.some(|r| at(r).map(Instant::as_secs_f64));
        CountingSummary {
            vswitches: serving.len(),
            usable: self.recordings[0].counting.usable,
            grows: serving.iter().any(|id| self.model.vpc.vswitches[id.index()].added_by.is_some()),
            most_wanted: self.each(|r| f64::from(r.counting.most_wanted)),
            full: self.share(|r| r.counting.full.is_some()),
            time_to_full_s: time(&|r| r.counting.full),
            simulated_full: self.share(|r| first(r).is_some()),
            simulated_time_to_full_s: time(&first),
            simulated_earlier_s: self.some(earlier),
        }
    }
}

//! What is said of the prefixes of a vSwitch.

use super::Runs;
use crate::outcome::PrefixSummary;
use crate::record::{PrefixRecord, Recording};

impl Runs<'_> {
    /// The prefixes of vSwitch `i`; none if none come from it.
    pub(super) fn prefixes(&self, i: usize) -> Option<PrefixSummary> {
        let some = |of: fn(&PrefixRecord) -> Option<f64>| self.some(|r| of(r.vswitches[i].prefixes.as_ref()?));
        let refused = |r: &Recording| r.vswitches[i].prefixes.is_some_and(|prefixes| prefixes.first_refusal.is_some());
        Some(PrefixSummary {
            free_blocks_mean: some(|p| Some(p.mean_free))?,
            free_blocks_least: some(|p| Some(p.min_free.into()))?,
            free_blocks_end: some(|p| Some(p.end.free.into()))?,
            addresses_mean: some(|p| Some(p.mean_addresses))?,
            addresses_end: some(|p| Some(p.end.addresses.into()))?,
            refused: self.share(refused),
            time_to_refusal_s: some(|p| Some(p.first_refusal?.at.as_secs_f64())),
            free_addresses_then: some(|p| Some(p.first_refusal?.addresses.into())),
            free_blocks_then: some(|p| Some(p.first_refusal?.blocks.into())),
            refusals: some(|p| Some(p.refusals as f64))?,
        })
    }
}

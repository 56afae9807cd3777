//! Free addresses beside free /28 blocks, of vSwitches from which prefixes come.

use serde::Serialize;

use super::words::count;
use super::{Clock, Estimate, Proportion, VSwitchSummary};
use crate::text::{Text, text};
use crate::units::thousands;

/// What is said of the prefixes of a vSwitch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrefixSummary {
    /// Free /28 blocks that could be handed out as prefixes, as a mean over time.
    pub free_blocks_mean: Estimate,
    /// The fewest.
    pub free_blocks_least: Estimate,
    /// At the end.
    pub free_blocks_end: Estimate,
    /// Addresses of prefixes on interfaces, 16 each, as a mean over time.
    pub addresses_mean: Estimate,
    /// At the end.
    pub addresses_end: Estimate,
    /// Runs in which a request for prefixes is refused.
    pub refused: Proportion,
    /// When it first is.
    pub time_to_refusal_s: Option<Estimate>,
    /// Single addresses that are free then.
    pub free_addresses_then: Option<Estimate>,
    /// Free /28 blocks then, fewer than the request asks for.
    pub free_blocks_then: Option<Estimate>,
    /// Refused requests.
    pub refusals: Estimate,
}

impl PrefixSummary {
    /// `has 1,204 free addresses but no free /28 block`, when a request for prefixes is first refused.
    #[must_use]
    pub fn lack_text(&self) -> Option<Text> {
        let (addresses, blocks) = (self.free_addresses_then.as_ref()?, self.free_blocks_then.as_ref()?);
        let addresses = thousands(addresses.median.round() as u64);
        Some(match blocks.median.round() as u64 {
            0 => text!("has {addresses} free addresses but no free /28 block", addresses),
            1 => text!("has {addresses} free addresses but one free /28 block, too few for a request", addresses),
            n => text!("has {addresses} free addresses but {n} free /28 blocks, too few for a request", addresses, n),
        })
    }
}

/// `vsw-AAA: free addresses at the end: 1,204, free /28 blocks for prefixes: 12 (least: 3), addresses
/// in prefixes: 640.` None for a vSwitch without prefixes.
#[must_use]
pub fn prefixes_text(vswitch: &VSwitchSummary, clock: &Clock) -> Option<Text> {
    let prefixes = vswitch.prefixes.as_ref()?;
    let refused = prefixes.time_to_refusal_s.map(|time| {
        text!(
            "; requests for prefixes are refused, first {} ({} in all)",
            clock.at(time.median),
            count(prefixes.refusals.mean)
        )
    });
    Some(text!(
        "{}: free addresses at the end: {}, free /28 blocks for prefixes: {} (least: {}), addresses in prefixes: {}{}.",
        vswitch.id,
        count(vswitch.end.free.mean),
        count(prefixes.free_blocks_end.mean),
        count(prefixes.free_blocks_least.min),
        count(prefixes.addresses_end.mean),
        refused.unwrap_or_default()
    ))
}

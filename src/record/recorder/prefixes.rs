//! Free /28 blocks of a vSwitch from which prefixes come, beside its free addresses.

use super::super::{NoPrefix, PrefixLevel, PrefixRecord, TimeWeighted};
use crate::address::AddressBook;
use crate::model::VSwitch;
use crate::time::{Instant, Span};

/// What is kept of it while the run goes on.
#[derive(Debug, Default)]
pub(super) struct PrefixLevels {
    free: TimeWeighted,
    addresses: TimeWeighted,
    min_free: u32,
    first_refusal: Option<NoPrefix>,
    refusals: u64,
}

impl PrefixLevels {
    /// A vSwitch of which nothing is taken yet.
    pub fn new(vswitch: &VSwitch) -> Self {
        let mut book = AddressBook::new(vswitch.cidr);
        vswitch.prefix_reservations.iter().for_each(|&part| book.reserve(part));
        let mut levels = Self { min_free: book.free_prefixes(), ..Self::default() };
        levels.free.set(Instant::ZERO, levels.min_free);
        levels
    }

    /// The cloud's side changed.
    pub fn set(&mut self, now: Instant, free: u32, addresses: u32) {
        self.free.set(now, free);
        self.addresses.set(now, addresses);
        self.min_free = self.min_free.min(free);
    }

    /// A request for prefixes was refused, for the first time if that is the answer.
    pub fn refuse(&mut self, now: Instant, free_addresses: u32) -> bool {
        self.refusals += 1;
        let refused = NoPrefix { at: now, addresses: free_addresses, blocks: self.free.level() };
        let is_first = self.first_refusal.is_none();
        self.first_refusal.get_or_insert(refused);
        is_first
    }

    pub fn level(&self) -> PrefixLevel {
        PrefixLevel { free: self.free.level(), addresses: self.addresses.level() }
    }

    /// The warm-up is over.
    pub fn warm(&mut self, now: Instant) {
        (self.free, self.addresses) = (self.free.from(now), self.addresses.from(now));
        self.min_free = self.free.level();
    }

    /// What is left of it when the `length` that counts ends `now`.
    pub fn record(&self, now: Instant, length: Span) -> PrefixRecord {
        PrefixRecord {
            mean_free: self.free.mean(now, length),
            min_free: self.min_free,
            end: self.level(),
            mean_addresses: self.addresses.mean(now, length),
            first_refusal: self.first_refusal,
            refusals: self.refusals,
        }
    }
}

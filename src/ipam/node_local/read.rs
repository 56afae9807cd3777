//! Reading what an input needs, so that it is in the cache when the input comes. Nothing comes of what is read.

use super::NodeLocal;
use super::slot::Slot;
use super::wake::Sleeper;
use crate::id::EniId;

impl NodeLocal {
    /// Reads the daemon: what is far apart in it.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.next_wake.0
            ^ self.last_modified.0
            ^ self.slots.len() as u64
            ^ self.order.iter().next().unwrap_or(0) as u64
            ^ u64::from(self.outputs.is_empty())
            ^ self.retained.len() as u64
            ^ u64::from(self.rpcs)
    }

    /// Reads its slots, all their lines, after that.
    #[must_use]
    pub fn read_slots(&self) -> u64 {
        self.slots.iter().fold(0, |seen, slot| seen ^ slot.read())
    }

    /// Reads what the short way does not need (`quiet.rs`), after that.
    #[must_use]
    pub fn read_far(&self) -> u64 {
        let limits = self.limiter.iter().step_by(2).fold(0, |seen, (api, _)| seen ^ *api as u64);
        self.slots.iter().fold(limits, |seen, slot| seen ^ slot.set.read() ^ slot.read_sleepers())
    }

    /// Reads the addresses of an interface, after its slot.
    #[must_use]
    pub fn read_addresses(&self, eni: EniId) -> u64 {
        self.slot_of(eni).map_or(0, |i| self.slots[i].set.read())
    }
}

impl Slot {
    /// Reads something of each of its cache lines.
    fn read(&self) -> u64 {
        u64::from(self.set.len()) ^ self.inhibit_until.0 ^ self.sleepers.len() as u64 ^ self.next_metadata_sync.0
    }

    fn read_sleepers(&self) -> u64 {
        self.sleepers.front().map_or(0, |first| u64::from(matches!(first, Sleeper::Waiter(_))))
    }
}

//! Reading what the short way of an input needs (`quiet.rs`), so that it is in the cache when the input comes.
//! Nothing comes of what is read.

use super::NodeLocal;
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

    /// Reads its slots, after that.
    #[must_use]
    pub fn read_slots(&self) -> u64 {
        self.slots.iter().fold(0, |seen, slot| seen ^ u64::from(slot.set.len()) ^ slot.inhibit_until.0)
    }

    /// Reads the addresses of an interface, after that.
    #[must_use]
    pub fn read_addresses(&self, eni: EniId) -> u64 {
        self.slot_of(eni).map_or(0, |i| self.slots[i].set.read())
    }
}

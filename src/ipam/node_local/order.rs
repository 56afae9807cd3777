//! The order of the slots. Every search sorts them in place, the pool sync the other way round; ties keep their
//! order (R72, R156).
//!
//! Only the last of several sorts counts between which no slot has changed. So what replays pool syncs while
//! nothing else happens ([`quiet`](super::quiet)) puts their sort off: if a search for an allocation comes next,
//! it is never carried out.

use super::pool_sync::PoolSync;
use super::slot::Slot;
use super::{EniSelection, NodeLocal};
use crate::time::Instant;

/// Slots in the order that the last sort left.
#[derive(Debug, Default)]
pub(super) struct Order {
    slots: Box<[u8]>,
    /// That was a sort for allocation, and no slot has changed since.
    is_for_allocation: bool,
    /// When that was.
    allocated: Instant,
    /// A sort for the pool sync was put off.
    sync_is_due: bool,
}

impl Order {
    /// So many slots, by number.
    pub fn new(slots: usize) -> Self {
        let slots = u8::try_from(slots).expect("a node has at most 255 slots");
        Self { slots: (0..slots).collect(), ..Self::default() }
    }

    /// Slots may have changed.
    pub fn slots_changed(&mut self) {
        debug_assert!(!self.sync_is_due, "what was put off has been carried out");
        self.is_for_allocation = false;
    }

    /// A pool sync at `at` sorted the slots, none of which changes before the next search or
    /// [`NodeLocal::carry_out_sort`]. It may be told of later than a search that came after it.
    pub fn put_sync_off(&mut self, at: Instant) {
        self.sync_is_due |= at > self.allocated;
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.slots.iter().map(|&i| usize::from(i))
    }

    /// The slot at `place`.
    pub fn at(&self, place: usize) -> usize {
        self.slots[place].into()
    }

    fn sort(&mut self, slots: &[Slot], sign: i32) {
        let key = |&i: &u8| sign * slots[usize::from(i)].priority();
        // Most of the time they are in order already.
        if !self.slots.is_sorted_by_key(key) {
            self.slots.sort_by_key(key);
        }
    }
}

impl NodeLocal {
    /// Sorts the slots for a search for an allocation.
    pub(super) fn sort_for_allocation(&mut self) {
        self.order.is_for_allocation = false;
        self.sort_again_for_allocation(self.now);
    }

    /// The same at `now`, where no slot has changed since the last input that went the long way.
    pub(super) fn sort_again_for_allocation(&mut self, now: Instant) {
        if !self.order.is_for_allocation {
            self.order.sort(&self.slots, self.sign_of_sort());
        }
        (self.order.is_for_allocation, self.order.allocated, self.order.sync_is_due) = (true, now, false);
    }

    /// Sorts the slots for the pool sync.
    pub(super) fn sort_for_sync(&mut self) {
        self.order.sort(&self.slots, -self.sign_of_sort());
        (self.order.is_for_allocation, self.order.sync_is_due) = (false, false);
    }

    /// Carries out a sort that was put off.
    pub(super) fn carry_out_sort(&mut self) {
        if self.order.sync_is_due {
            self.sort_for_sync();
        }
    }

    /// The slots in the order that the last sort left, or would have left.
    pub(super) fn slots_in_order(&self) -> Vec<&Slot> {
        let mut slots: Vec<_> = self.order.iter().map(|i| &self.slots[i]).collect();
        if self.order.sync_is_due || self.owes_sort() {
            slots.sort_by_key(|slot| -self.sign_of_sort() * slot.priority());
        }
        slots
    }

    /// Whether a pool sync has come since the last search that is still to be replayed.
    fn owes_sort(&self) -> bool {
        match self.sync {
            PoolSync::Sleeping { next } if next <= self.now => {
                self.pool_syncs_that_pass(next, self.now).0.last > self.order.allocated
            }
            _ => false,
        }
    }

    /// What makes a slot's priority a key to sort by for an allocation.
    fn sign_of_sort(&self) -> i32 {
        if self.config.eni_selection == EniSelection::MostIps { -1 } else { 1 }
    }
}

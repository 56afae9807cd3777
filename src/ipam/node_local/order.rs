//! The order in which the slots are asked: allocation begins where most addresses are, the pool sync at the
//! other end, or the other way round (rules R72, R156).
//!
//! Both sort one list in place, and ties keep their order, so that it depends on all sorts before. A pool sync
//! that finds nothing to do sorts too. If the slots are then as they were, the next sort for allocation undoes
//! that, and the list need not be touched: the sort is *owed* until somebody could see it.

use super::{EniSelection, NodeLocal};

impl NodeLocal {
    /// Sorts the slots in place, for allocation or for the pool sync, which uses the opposite order; ties keep
    /// their order.
    pub(super) fn sort_slots(&mut self, for_allocation: bool) {
        let mut order = std::mem::take(&mut self.order);
        self.sort(&mut order, for_allocation);
        self.order = order;
        (self.sorted_for_allocation, self.owes_sync_sort) = (for_allocation, false);
    }

    /// Before slots change: sorts as the last pool sync did.
    pub(super) fn settle_order(&mut self) {
        if self.owes_sync_sort {
            self.sort_slots(false);
        }
    }

    /// The slots in the order that the last sort left.
    pub(super) fn seen_order(&self) -> Vec<u8> {
        let mut order = self.order.clone();
        if self.owes_sync_sort {
            self.sort(&mut order, false);
        }
        order
    }

    fn sort(&self, order: &mut [u8], for_allocation: bool) {
        let descending = for_allocation == (self.config.eni_selection == EniSelection::MostIps);
        let sign = if descending { -1 } else { 1 };
        let key = |&i: &u8| sign * self.slots[usize::from(i)].priority();
        // Most of the time they are in order already.
        if !order.is_sorted_by_key(key) {
            order.sort_by_key(key);
        }
    }
}

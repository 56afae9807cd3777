//! The slots of a daemon. What one says of the time ahead is known until it is lent out to be changed, and most inputs
//! change one.

use std::ops::{Deref, Index, IndexMut};

use super::slot::Slot;
use crate::time::Instant;

/// What is known of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: it may have changed.
    Nothing,
    /// It is at rest ([`Slot::is_at_rest`]): nothing happens until somebody wakes it up.
    Rests,
    /// When something may happen that shows: [`Slot::wake`].
    Wake,
}

/// The slots, by number.
#[derive(Debug, Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    /// Every slot, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.0.iter_mut().map(lend)
    }

    /// Notes what is known of slot `i`.
    pub fn note(&mut self, i: usize, known: Known, wake: Instant) {
        let slot = &mut self.0[i];
        (slot.known, slot.wake) = (known, wake);
    }

    /// Gives back the memory that slots need only while they are busy.
    pub fn tidy(&mut self) {
        self.0.iter_mut().for_each(Slot::tidy);
    }

    /// Whether slot `i` is at rest.
    pub fn rests(&self, i: usize) -> bool {
        match self.0[i].known {
            Known::Nothing => self.0[i].is_at_rest(),
            known => known == Known::Rests,
        }
    }
}

fn lend(slot: &mut Slot) -> &mut Slot {
    slot.known = Known::Nothing;
    slot
}

impl FromIterator<Slot> for Slots {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        Self(slots.into_iter().collect())
    }
}

impl Deref for Slots {
    type Target = [Slot];
    fn deref(&self) -> &[Slot] {
        &self.0
    }
}

impl Index<usize> for Slots {
    type Output = Slot;
    fn index(&self, i: usize) -> &Slot {
        &self.0[i]
    }
}

impl IndexMut<usize> for Slots {
    fn index_mut(&mut self, i: usize) -> &mut Slot {
        lend(&mut self.0[i])
    }
}

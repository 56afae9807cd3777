//! Addresses by who holds them, part by part.

use super::{Holders, IdleParts};
use crate::model::Holder;

impl Holders<usize> {
    /// Positions of the parts in [`Holders::parts`].
    pub const POSITIONS: Self =
        Self { pods: 0, idle: 1, leaked: 2, primaries: 3, others: 4, free: 5, reserved: None, held: None };
}

impl<N: Copy> Holders<N> {
    /// Something else about each part.
    #[must_use]
    pub fn map<M>(self, mut what: impl FnMut(N) -> M) -> Holders<M> {
        Holders {
            pods: what(self.pods),
            idle: what(self.idle),
            leaked: what(self.leaked),
            primaries: what(self.primaries),
            others: what(self.others),
            free: what(self.free),
            reserved: self.reserved.map(&mut what),
            held: self.held.map(&mut what),
        }
    }

    /// The parts in their order, but for what is reserved or held.
    #[must_use]
    pub fn parts(self) -> [N; 6] {
        [self.pods, self.idle, self.leaked, self.primaries, self.others, self.free]
    }
}

impl<N: Copy + Default> Holders<N> {
    /// The part of one of them.
    #[must_use]
    pub fn of(self, holder: Holder) -> N {
        match holder {
            Holder::Free => self.free,
            Holder::Idle => self.idle,
            Holder::Pods => self.pods,
            Holder::Leaked => self.leaked,
            Holder::Primaries => self.primaries,
            Holder::Others => self.others,
            Holder::Held => self.held.unwrap_or_default(),
        }
    }
}

impl IdleParts<usize> {
    /// Positions of the parts in [`IdleParts::parts`].
    pub const POSITIONS: Self = Self { eni_primaries: 0, pooled: 1, leaving: 2, coming: 3, unknown: 4 };
}

impl<N: Copy> IdleParts<N> {
    /// Something else about each part.
    #[must_use]
    pub fn map<M>(self, mut what: impl FnMut(N) -> M) -> IdleParts<M> {
        IdleParts {
            eni_primaries: what(self.eni_primaries),
            pooled: what(self.pooled),
            leaving: what(self.leaving),
            coming: what(self.coming),
            unknown: what(self.unknown),
        }
    }

    /// The parts in their order.
    #[must_use]
    pub fn parts(self) -> [N; 5] {
        [self.eni_primaries, self.pooled, self.leaving, self.coming, self.unknown]
    }
}

//! Indices into the arenas of a run. They are dense and small, so that the hot path never
//! touches a string; names live in the [`Model`](crate::model::Model).

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// Stands for "none" where an `Option` would double the size.
            pub const NONE: Self = Self(u32::MAX);

            /// The index as `usize`.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// Makes the id of the arena's element `index`.
            ///
            /// # Panics
            /// If `index` does not fit 32 bits: an arena of that size does not fit memory either.
            #[must_use]
            pub fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("an arena holds fewer than 2^32 elements"))
            }
        }
    };
}

index!(
    /// A pod of the run. Slots of pods that are gone are used again.
    PodId
);
index!(
    /// A node of the run, in the order of joining.
    NodeId
);
index!(
    /// An elastic network interface of the region.
    EniId
);
index!(
    /// A vSwitch, in the order of the scenario file.
    VSwitchId
);
index!(
    /// A pod object of the run: one name may have several, one after the other. Never used again.
    Uid
);

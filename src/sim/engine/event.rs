//! What stands in the event list: four bytes that say what an event is and whom it is about.

use crate::id::{NodeId, PodId};

/// What an event is about; kind and index share 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A daemon's timer.
    Wake(NodeId),
    /// A call is answered.
    Answer(u32),
    /// A pod's timer.
    Timer(PodId),
    /// Something of the layer above.
    Control(u32),
    /// The timer of the control plane.
    Plane,
    /// A call or a write of the control plane ends.
    PlaneEnds(u32),
    /// The timer of the controllers of interfaces of pods' own.
    Own,
    /// A call of theirs ends.
    OwnEnds(u32),
}

/// Bits of the index in a packed event.
const INDEX_BITS: u32 = 28;

impl Event {
    #[inline]
    pub fn pack(self) -> u32 {
        let (kind, index) = match self {
            Self::Wake(node) => (0, node.0),
            Self::Answer(call) => (1, call),
            Self::Timer(pod) => (2, pod.0),
            Self::Control(what) => (3, what),
            Self::Plane => (4, 0),
            Self::PlaneEnds(what) => (5, what),
            Self::Own => (6, 0),
            Self::OwnEnds(call) => (7, call),
        };
        assert!(index < 1 << INDEX_BITS, "a run has fewer than 2^28 nodes, pods and calls");
        kind << INDEX_BITS | index
    }

    pub fn unpack(packed: u32) -> Self {
        let index = packed & ((1 << INDEX_BITS) - 1);
        match packed >> INDEX_BITS {
            0 => Self::Wake(NodeId(index)),
            1 => Self::Answer(index),
            2 => Self::Timer(PodId(index)),
            3 => Self::Control(index),
            4 => Self::Plane,
            5 => Self::PlaneEnds(index),
            6 => Self::Own,
            _ => Self::OwnEnds(index),
        }
    }
}

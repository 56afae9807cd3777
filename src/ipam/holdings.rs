//! Words for what a node has: questions that every allocator answers.

use crate::id::VSwitchId;

/// What a node has, and what holds it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// Places for secondary interfaces.
    pub slots: u32,
    /// Of these, the ones without an interface, and without one in the making.
    pub empty_slots: u32,
    /// Interfaces that serve.
    pub enis: u32,
    /// Addresses on them that serve pods, or are retained for some.
    pub in_use: u32,
    /// Addresses on them that are idle, as the pool counts (R77, C53).
    pub idle: u32,
    /// Addresses that they could still take.
    pub room: u32,
    /// Of the interfaces with room, the ones that ask for no address for a while (R60, C80).
    pub inhibited: u32,
    /// The vSwitches of the node, in the order of its configuration.
    pub candidates: Vec<VSwitchId>,
    /// Of these, the ones that Terway takes for empty (R86, R89; C80, C81).
    pub blocked: Vec<VSwitchId>,
    /// The control plane allocates it, and not the daemon.
    pub by_control_plane: bool,
}

/// What an address on an interface is to Terway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// A pod has it, or it is retained for one.
    Serving,
    /// The primary address of a serving interface, idle. It cannot be given back without the
    /// interface (R67, C9).
    EniPrimary,
    /// Idle in the pool.
    Pooled,
    /// On its way back: it, or its interface, is being given back.
    Leaving,
    /// Not to be used yet: its interface is being attached, or instance metadata does not show it,
    /// or the CR does not; or the CR has it for a pod that did not take it yet, or never did (C41, C51).
    Coming,
    /// Unknown to the daemon: the answer that named it came after a restart.
    Unknown,
}

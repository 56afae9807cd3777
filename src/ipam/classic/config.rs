//! What a daemon runs with: sizes (rules P10 to P13), policy, and what its version does.

use super::profile::Profile;
use crate::id::VSwitchId;
use crate::time::Span;

/// The effective configuration of a daemon.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How many interfaces and addresses the node may have.
    pub sizes: Sizes,
    /// Candidate vSwitches, in the order of eni-config (rule P8); never empty.
    pub vswitches: Vec<VSwitchId>,
    /// How one of them is chosen.
    pub selection: Selection,
    /// Time after which the CNI plugin gives a call up; 120 s (rule K1).
    pub cni_timeout: Span,
    /// Period of the collection; `None` = there is none; 5 min (rule P99).
    pub gc_period: Option<Span>,
    /// Whether the client limits its own calls (rule P88).
    pub limited: bool,
    /// What the version does.
    pub profile: Profile,
}

/// `vswitch_selection_policy` (rules P68, P69).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Most free addresses first, as counted up to ten minutes ago.
    Ordered,
    /// Shuffled anew at each choice.
    Random,
}

/// How many interfaces and addresses a node may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Secondary interfaces.
    pub max_eni: u32,
    /// IPv4 addresses of an interface, its primary one included.
    pub ips_per_eni: u32,
    /// Addresses of the node.
    pub capacity: u32,
    /// Fewer idle addresses are filled up.
    pub min_idle: u32,
    /// More idle addresses are given back.
    pub max_idle: u32,
}

/// Sizes as written in eni-config; 0 = not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// `min_pool_size`.
    pub min_pool_size: u32,
    /// `max_pool_size`.
    pub max_pool_size: u32,
    /// `min_eni`.
    pub min_eni: u32,
    /// `max_eni`.
    pub max_eni: u32,
}

impl Sizes {
    /// What becomes of the sizes wanted on an instance that has `slots` secondary interfaces of
    /// `ips_per_eni` addresses (rules P11 to P13, `daemon/eni-multi-ip.go:881-914`; v1.6.0
    /// `daemon/config.go:77-100`).
    #[must_use]
    pub fn clamped(profile: &Profile, slots: u32, ips_per_eni: u32, wanted: Wanted) -> Self {
        let max_eni = if wanted.max_eni == 0 { slots } else { slots.min(wanted.max_eni) };
        let capacity = max_eni * ips_per_eni;
        let of_enis = wanted.min_eni * ips_per_eni;
        let max = wanted.max_pool_size.min(capacity);
        let (min_idle, max_idle) = if profile.reads_lower_mark {
            let min = if wanted.min_eni == 0 { wanted.min_pool_size } else { of_enis }.min(capacity);
            // A lower mark above the upper one raises it, unlike today's daemon (R10).
            (min, max.max(min))
        } else {
            (of_enis.min(max), max)
        };
        Self { max_eni, ips_per_eni, capacity, min_idle, max_idle }
    }
}

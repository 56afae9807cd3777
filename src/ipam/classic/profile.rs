//! What separates the versions (rule P110).

use std::fmt;
use std::str::FromStr;

use super::defect::Defects;
use crate::ipam::backoff::{Backoff, ENI_CREATE, ENI_OPS};
use crate::time::Span;

/// `eni_release`: how a detach is tried again (`pkg/backoff/backoff.go:22-77`).
pub(super) const RELEASE: Backoff = Backoff::new(Span::secs(4), 2.0, 0.5, 8);
/// `meta_assign_private_ip` and `meta_unassign_private_ip`: how instance metadata is looked at.
pub(super) const METADATA: Backoff = Backoff::new(Span::millis(1100), 1.0, 0.2, 10);
/// `wait_eni_status`.
const ENI_STATE: Backoff = Backoff::new(Span::secs(5), 1.5, 0.5, 8);
/// The same before v1.2.0 (`pkg/aliyun/utils.go:49-54`).
const ENI_STATE_V1_1: Backoff = Backoff::new(Span::secs(4), 2.0, 0.3, 7);
/// One attempt.
const ONCE: Backoff = Backoff::new(Span::ZERO, 1.0, 0.0, 1);

/// A release of Terway that has this allocator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// November 2021: a failed assign freezes the node (rule P85).
    V1_1_0,
    /// March 2022.
    V1_2_0,
    /// The last of its kind that was measured; v1.5.1 allocates alike (rule P3).
    #[default]
    V1_4_4,
    /// Slows down while addresses are short (rule P112).
    V1_6_0,
}

impl Version {
    /// Every version, the oldest first.
    pub const ALL: [Self; 4] = [Self::V1_1_0, Self::V1_2_0, Self::V1_4_4, Self::V1_6_0];

    /// The tag of the release.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1_1_0 => "v1.1.0",
            Self::V1_2_0 => "v1.2.0",
            Self::V1_4_4 => "v1.4.4",
            Self::V1_6_0 => "v1.6.0",
        }
    }

    /// What it does.
    #[must_use]
    pub fn profile(self) -> Profile {
        let (second, fourth, sixth) = (self >= Self::V1_2_0, self >= Self::V1_4_4, self >= Self::V1_6_0);
        let (eni_state, attach, delete) =
            if second { (ENI_STATE, ENI_STATE, ENI_OPS) } else { (ENI_STATE_V1_1, ENI_OPS, RELEASE) };
        Profile {
            version: self,
            eni_state,
            attach,
            delete,
            create: if fourth { ENI_CREATE } else { ONCE },
            rollback_limit: fourth.then_some(Span::secs(30)),
            batch_cap: fourth.then_some(10),
            scales_slots: fourth,
            reads_lower_mark: !sixth,
            keeps_invalid: !fourth,
            stable_ties: sixth,
            pauses_when_short: sixth,
            defects: Defects::of(self),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no version with this allocator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of v1.1.0, v1.2.0, v1.4.4 and v1.6.0")]
pub struct UnknownVersion(String);

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let found = Self::ALL.into_iter().find(|version| version.name() == text);
        found.ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}

/// What a version does where versions differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// The version.
    pub version: Version,
    /// How a new interface's state is looked up; its base is the pause before the first look, and
    /// after a detach (rules P77, P78, P82).
    pub eni_state: Backoff,
    /// How attaching is tried again.
    pub attach: Backoff,
    /// How deleting an interface is tried again.
    pub delete: Backoff,
    /// How creating an interface is tried again (rule P79).
    pub create: Backoff,
    /// Time that a roll-back has; `None` = all of it (rule P80).
    pub rollback_limit: Option<Span>,
    /// Most addresses of one assign; `None` = the first request and the ten behind it (rule P55).
    pub batch_cap: Option<u32>,
    /// Whether `eni_cap_ratio` and `eni_cap_shift` matter (rule P11).
    pub scales_slots: bool,
    /// Whether `min_pool_size` is read, and a lower mark above the upper one raises it; else `min_eni` alone makes a
    /// lower mark, of at most the upper one (rule P13).
    pub reads_lower_mark: bool,
    /// Whether an invalid address is one for ever (rule P37).
    pub keeps_invalid: bool,
    /// Whether vSwitches with equal counts keep their order (rule P69).
    pub stable_ties: bool,
    /// Whether calls wait for 10 s while addresses are short (rule P112).
    pub pauses_when_short: bool,
    /// What goes wrong for good.
    pub defects: Defects,
}

impl Profile {
    /// Slots for secondary interfaces of an instance that takes `adapters` interfaces in all (rule
    /// P11); negative = the daemon does not start (rule P12).
    #[must_use]
    pub fn slots(&self, adapters: u32, ratio: f64, shift: i64) -> i64 {
        if self.scales_slots { (f64::from(adapters) * ratio) as i64 + shift - 1 } else { i64::from(adapters) - 1 }
    }
}

//! What goes wrong in a daemon for good; each defect can be switched off.

use super::profile::Version;
use crate::text::{Phrase, phrase};

/// What goes wrong in a daemon for good: only a restart helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// An assign fails, or an address is given back, while another interface is being created: the
    /// process dies of a nil dereference (rule P61, `daemon/eni-multi-ip.go:269-274,380-381`).
    NilInterface,
    /// A failed assign locks what it holds already: nothing is assigned, given back or read any more
    /// (rule P85, `pkg/aliyun/aliyun.go:248-264,351-357` of v1.1.0).
    RollbackDeadlock,
    /// A new interface waits for room among the results, and who would make room waits for the
    /// interface (rule A1).
    ResultDeadlock,
    /// The last interface beyond `max_eni` is given up: its slot, which it never had, is waited for
    /// until the next interface is created (`daemon/eni-multi-ip.go:437`, rule P107).
    SlotDeadlock,
}

impl Defect {
    /// Every defect.
    pub const ALL: [Self; 4] = [Self::NilInterface, Self::RollbackDeadlock, Self::ResultDeadlock, Self::SlotDeadlock];

    /// A short stable word for it, as scenarios and files have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NilInterface => "nil_interface",
            Self::RollbackDeadlock => "rollback_deadlock",
            Self::ResultDeadlock => "result_deadlock",
            Self::SlotDeadlock => "slot_deadlock",
        }
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(self) -> Phrase {
        match self {
            Self::NilInterface => phrase!("crash on an interface that is being created (P61)"),
            Self::RollbackDeadlock => phrase!("deadlock after a failed assign (P85)"),
            Self::ResultDeadlock => phrase!("deadlock between a refill and a new interface (A1)"),
            Self::SlotDeadlock => phrase!("maintenance waits for a slot that nobody has (P107)"),
        }
    }

    /// Whether a version has it.
    #[must_use]
    pub fn is_in(self, version: Version) -> bool {
        match self {
            Self::NilInterface | Self::ResultDeadlock | Self::SlotDeadlock => true,
            Self::RollbackDeadlock => version == Version::V1_1_0,
        }
    }

    /// Whether it is modelled unless somebody says otherwise.
    fn is_usual(self) -> bool {
        match self {
            Self::NilInterface | Self::RollbackDeadlock | Self::SlotDeadlock => true,
            // It takes a coincidence within microseconds, which a clock that stands still between
            // events overstates (rule A1).
            Self::ResultDeadlock => false,
        }
    }
}

/// Which defects are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defects([bool; Defect::ALL.len()]);

impl Defects {
    /// Those of a version, as far as they are modelled unless somebody says otherwise.
    #[must_use]
    pub fn of(version: Version) -> Self {
        Self(Defect::ALL.map(|defect| defect.is_in(version) && defect.is_usual()))
    }

    /// Whether a defect is there.
    #[must_use]
    pub fn has(self, defect: Defect) -> bool {
        self.0[defect as usize]
    }

    /// The same, but for one that is there or not.
    #[must_use]
    pub fn with(mut self, defect: Defect, is_there: bool) -> Self {
        self.0[defect as usize] = is_there;
        self
    }
}

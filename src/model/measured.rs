//! What a study asks of every run.

use super::{Reading, Statement};

/// What a study asks of every run.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// A number.
    Reading(Reading),
    /// Whether a statement holds; of many runs, a probability.
    Probability(Statement),
}

impl Measured {
    /// The reading that it looks at.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        match self {
            Self::Reading(reading) | Self::Probability(Statement { reading, .. }) => reading,
        }
    }

    /// Its unit; a probability is a share of the runs.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Reading(reading) => reading.unit(),
            Self::Probability(_) => "share of runs",
        }
    }
}

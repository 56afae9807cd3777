//! What a reading can still become while a run goes on, so that a run may end when what is asked of it is certain.

use super::Recorder;
use super::levels::VSwitchLevels;
use crate::model::{Comparison, LateWait, PodReading, Reading, Statement, VSwitchReading};
use crate::time::Instant;

/// What a reading can still become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outlook {
    /// Anything.
    Open,
    /// Nothing less than this.
    AtLeast(f64),
    /// Nothing more than this.
    AtMost(f64),
    /// Nothing else.
    Known(f64),
}

impl Outlook {
    /// Whether it is certain if `statement`, which is about this reading, will hold.
    #[must_use]
    pub fn settles(self, statement: &Statement) -> bool {
        use Comparison::{AtLeast, AtMost, Greater, Less};
        let (comparison, than) = (statement.comparison, statement.than);
        match self {
            Self::Open => false,
            Self::Known(_) => true,
            Self::AtLeast(least) => least > than || (least == than && matches!(comparison, Less | AtLeast)),
            Self::AtMost(most) => most < than || (most == than && matches!(comparison, Greater | AtMost)),
        }
    }

    /// What the lesser of two readings of the same kind can still become.
    fn of_the_lesser(self, other: Self) -> Self {
        match (self, other) {
            (Self::Known(a), Self::Known(b)) => Self::Known(a.min(b)),
            // It has come for one, and comes for the other only later.
            (known @ Self::Known(_), Self::AtLeast(_)) | (Self::AtLeast(_), known @ Self::Known(_)) => known,
            (Self::AtLeast(a), Self::AtLeast(b)) => Self::AtLeast(a.min(b)),
            (Self::AtMost(a), Self::AtMost(b)) => Self::AtMost(a.min(b)),
            _ => Self::Open,
        }
    }
}

impl Recorder {
    /// What a reading can still become, as far as that is easy to say.
    ///
    /// # Panics
    /// If it counts late waits that [`Model::observe`](crate::model::Model::observe) was not told of.
    #[must_use]
    pub fn outlook(&self, now: Instant, reading: &Reading) -> Outlook {
        match *reading {
            Reading::VSwitch(id, of) => self.of_vswitch(now, of, &self.vswitches[id.index()]),
            Reading::AnyVSwitch(of) => {
                let serving = self.serving.iter().map(|id| &self.vswitches[id.index()]);
                let outlooks = serving.filter(|levels| levels.exists()).map(|levels| self.of_vswitch(now, of, levels));
                outlooks.reduce(Outlook::of_the_lesser).unwrap_or(Outlook::Open)
            }
            // The warm-up's end leaves out what was before.
            Reading::Pods(_) | Reading::WaitedOver { .. } if !self.is_warm(now) => Outlook::Open,
            Reading::Pods(PodReading::MostWaiting) => Outlook::AtLeast(self.pods.max_waiting.into()),
            Reading::Pods(PodReading::MostUnschedulable) => Outlook::AtLeast(self.pods.max_unschedulable.into()),
            Reading::WaitedOver { over, before } => {
                Outlook::AtLeast(self.waits.late(now, LateWait { over, before }) as f64)
            }
            _ => Outlook::Open,
        }
    }

    /// Whether what was counted until `now` counts to the end; at the very end of the warm-up it may not yet.
    fn is_warm(&self, now: Instant) -> bool {
        now > self.warm_from || self.warm_from == Instant::ZERO
    }

    fn of_vswitch(&self, now: Instant, of: VSwitchReading, levels: &VSwitchLevels) -> Outlook {
        let is_counted = levels.exists() && self.is_warm(now);
        match of {
            VSwitchReading::TimeToFull => match levels.first_refusal {
                Some(full) => Outlook::Known(full.at.as_secs_f64()),
                None => Outlook::AtLeast(now.as_secs_f64()),
            },
            VSwitchReading::LeastFree if is_counted => Outlook::AtMost(levels.min_free().into()),
            VSwitchReading::LeastFreeShare if is_counted => Outlook::AtMost(levels.min_free_share()),
            _ => Outlook::Open,
        }
    }
}

//! A timer that is set again and again, of which one event at a time counts.

use crate::time::Instant;

/// When its only live event is due; others are stale.
#[derive(Debug)]
pub(super) struct Alarm(Instant);

impl Default for Alarm {
    fn default() -> Self {
        Self(Instant::NEVER)
    }
}

impl Alarm {
    /// Rings at `wake`, or now if that is past; the answer is the time of the event that this needs,
    /// if it rings earlier than it would have.
    pub fn set(&mut self, now: Instant, wake: Instant) -> Option<Instant> {
        if wake >= self.0 {
            return None;
        }
        self.0 = wake.max(now);
        Some(self.0)
    }

    /// Whether an event that is due now is the live one; it is over then.
    pub fn rings(&mut self, now: Instant) -> bool {
        let rings = self.0 == now;
        if rings {
            self.0 = Instant::NEVER;
        }
        rings
    }
}

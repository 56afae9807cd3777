//! Server-side throttling: so many calls per account, region and API in each minute
//! (`https://alibabacloud.com/help/doc-detail/437902.htm`; the number is the account's own).

use crate::time::{Instant, Span};

/// Calls of the current minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct MinuteWindow {
    limit: u32,
    minute: u64,
    calls: u32,
}

impl MinuteWindow {
    pub fn new(limit: u32) -> Self {
        Self { limit, minute: 0, calls: 0 }
    }

    /// Counts a call; says whether it is within the limit.
    pub fn admit(&mut self, now: Instant) -> bool {
        let minute = now.0 / Span::mins(1).0;
        if minute != self.minute {
            (self.minute, self.calls) = (minute, 0);
        }
        self.calls += 1;
        self.calls <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_begins_anew_every_minute() {
        let mut window = MinuteWindow::new(2);
        let mut admit = |secs| window.admit(Instant::ZERO + Span::secs(secs));
        assert_eq!([admit(1), admit(2), admit(59), admit(60)], [true, true, false, true]);
    }
}

//! Server-side throttling: so many calls per account, region and API in each minute
//! (`https://alibabacloud.com/help/doc-detail/437902.htm`; the number is the account's own).

use crate::time::{Instant, Span};

/// Calls of the current minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct MinuteWindow {
    /// `None` = off.
    pub limit: Option<u32>,
    minute: u64,
    calls: u32,
}

impl MinuteWindow {
    pub fn new(limit: Option<u32>) -> Self {
        Self { limit, minute: 0, calls: 0 }
    }

    /// Counts a call; says whether it is within the limit.
    pub fn admit(&mut self, now: Instant) -> bool {
        let minute = now.0 / Span::mins(1).0;
        if minute != self.minute {
            (self.minute, self.calls) = (minute, 0);
        }
        self.calls += 1;
        self.limit.is_none_or(|limit| self.calls <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_begins_anew_every_minute() {
        let mut window = MinuteWindow::new(Some(2));
        let mut admit = |secs| window.admit(Instant::ZERO + Span::secs(secs));
        assert_eq!([admit(1), admit(2), admit(59), admit(60)], [true, true, false, true]);
    }

    /// A new limit finds the calls that were counted before.
    #[test]
    fn a_new_limit_holds_for_the_minute_that_has_begun() {
        let mut window = MinuteWindow::new(None);
        let at = |secs| Instant::ZERO + Span::secs(secs);
        assert!((1..4).all(|secs| window.admit(at(secs))));
        window.limit = Some(4);
        assert_eq!([window.admit(at(4)), window.admit(at(5)), window.admit(at(60))], [true, false, true]);
    }
}

//! Token buckets (rules R49, R110).

use crate::time::{Instant, Span};

/// A token bucket that starts full: `burst` tokens, one more per `interval`.
///
/// It keeps only the time at which the bucket will be full again, which says all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenBucket {
    full_at: Instant,
}

impl TokenBucket {
    /// Takes a token and says when it is there; waiters are served in the order of asking.
    pub fn take(&mut self, now: Instant, interval: Span, burst: u32) -> Instant {
        self.full_at = self.full_at.max(now) + interval;
        let there = self.full_at - Span(interval.0 * u64::from(burst));
        there.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R49: 1 token per 6 s, burst 2.
    #[test]
    fn r49_two_at_once_then_one_every_six_seconds() {
        let mut bucket = TokenBucket::default();
        let at = |s| Instant::ZERO + Span::secs(s);
        let mut take = |now| bucket.take(at(now), Span::secs(6), 2);
        assert_eq!([take(100), take(100), take(100), take(100)], [at(100), at(100), at(106), at(112)]);
        assert_eq!([take(113), take(200)], [at(118), at(200)]);
    }
}

//! Token buckets (rules R49, R110).

use crate::time::{Instant, Span};

/// A token bucket in the arithmetic of `golang.org/x/time/rate`: its floating-point tokens decide
/// in which nanosecond a waiter goes on, and with that on which side of a sample a pod is served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenBucket {
    tokens: f64,
    last: Instant,
    /// Tokens per second.
    rate: f64,
    burst: f64,
    /// If the last taker found and left the same tokens: the time since the taker before, and how
    /// long it had to wait. The next to come after the same time fares the same.
    steady: Option<(Span, Span)>,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens that gets `rate` tokens per second.
    #[must_use]
    pub fn full(rate: f64, burst: u32) -> Self {
        Self { tokens: f64::from(burst), last: Instant::ZERO, rate, burst: f64::from(burst), steady: None }
    }

    /// Takes a token and says when it is there; waiters are served in the order of asking.
    pub fn take(&mut self, now: Instant) -> Instant {
        let elapsed = now.since(self.last);
        self.last = now;
        if let Some((after, wait)) = self.steady
            && after == elapsed
        {
            return now + wait;
        }
        let found = self.tokens;
        let seconds = (elapsed.0 / 1_000_000_000) as f64 + (elapsed.0 % 1_000_000_000) as f64 / 1e9;
        self.tokens = (found + seconds * self.rate).min(self.burst) - 1.0;
        let wait = if self.tokens >= 0.0 { Span::ZERO } else { Span((-self.tokens / self.rate * 1e9) as u64) };
        self.steady = (self.tokens == found).then_some((elapsed, wait));
        now + wait
    }

    /// Takes a token, unless it would be there after `deadline` only: then nothing is taken.
    pub fn take_by(&mut self, now: Instant, deadline: Instant) -> Option<Instant> {
        let mut taken = *self;
        let there = taken.take(now);
        (there <= deadline).then(|| {
            *self = taken;
            there
        })
    }

    /// If somebody takes a token at `now`, waits for it, does something for `pause` and begins
    /// anew, and all this was so the last time and will be so for ever: how long such a round
    /// takes.
    #[must_use]
    pub fn steady_round(&self, now: Instant, pause: Span) -> Option<Span> {
        let (after, wait) = self.steady?;
        (after == now.since(self.last) && after == wait + pause).then_some(after)
    }

    /// Lets `span` pass that changed nothing else.
    pub fn skip(&mut self, span: Span) {
        self.last += span;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R49: 1 token per 6 s, burst 2.
    #[test]
    fn r49_two_at_once_then_one_every_six_seconds() {
        let mut bucket = TokenBucket::full(1.0 / 6.0, 2);
        let mut take = |secs| {
            let there = bucket.take(Instant::ZERO + Span::secs(secs));
            (there.0 + 500_000_000) / 1_000_000_000
        };
        assert_eq!([take(100), take(100), take(100), take(100)], [100, 100, 106, 112]);
        assert_eq!([take(113), take(200)], [118, 200]);
    }

    /// Rounds that are skipped leave what rounds that are gone through do.
    #[test]
    fn steady_rounds_may_be_skipped() {
        let pause = Span::millis(300);
        for burst in [1, 2, 5] {
            let mut bucket = TokenBucket::full(1.0 / 6.0, burst);
            let (mut now, mut steady) = (Instant::ZERO + Span(123_456_789), 0);
            for _ in 0..200 {
                let round = bucket.steady_round(now, pause);
                let mut skipping = bucket;
                let next = bucket.take(now) + pause;
                if let Some(round) = round {
                    skipping.skip(round);
                    assert_eq!((skipping, now + round), (bucket, next));
                    steady += 1;
                }
                now = next;
            }
            assert!(steady > 150, "{steady} of 200 rounds were steady");
        }
    }
}

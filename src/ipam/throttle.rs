//! Token buckets (rules R49, R110).

use crate::time::{Instant, Span};

/// How fast a bucket fills, and how far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Tokens per second.
    pub rate: f64,
    /// Tokens of a full bucket.
    pub burst: u32,
}

impl Limit {
    /// So many calls per minute.
    #[must_use]
    pub fn per_minute(calls: u32) -> Self {
        Self { rate: f64::from(calls) / 60.0, burst: calls }
    }
}

/// What is in a token bucket, in the arithmetic of `golang.org/x/time/rate`: its floating-point tokens decide
/// in which nanosecond a waiter goes on, and with that on which side of a sample a pod is served. Its limit
/// is with the owner, who may have many of the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    tokens: f64,
    last: Instant,
    /// If the last taker found and left the same tokens: the time since the taker before, and how
    /// long it had to wait. The next to come after the same time fares the same.
    steady: (Span, Span),
}

/// The last taker left other tokens than it found; no time is so long.
const UNSTEADY: (Span, Span) = (Span(u64::MAX), Span::ZERO);

impl Tokens {
    /// A full bucket.
    #[must_use]
    pub fn full(limit: Limit) -> Self {
        Self { tokens: f64::from(limit.burst), last: Instant::ZERO, steady: UNSTEADY }
    }

    /// Takes a token and says when it is there; waiters are served in the order of asking.
    pub fn take(&mut self, limit: Limit, now: Instant) -> Instant {
        let elapsed = now.since(self.last);
        self.last = now;
        let (after, wait) = self.steady;
        if after == elapsed {
            return now + wait;
        }
        let found = self.tokens;
        let seconds = (elapsed.0 / 1_000_000_000) as f64 + (elapsed.0 % 1_000_000_000) as f64 / 1e9;
        self.tokens = (found + seconds * limit.rate).min(f64::from(limit.burst)) - 1.0;
        let wait = if self.tokens >= 0.0 { Span::ZERO } else { Span((-self.tokens / limit.rate * 1e9) as u64) };
        self.steady = if self.tokens == found { (elapsed, wait) } else { UNSTEADY };
        now + wait
    }

    /// If somebody takes a token at `now`, waits for it, does something for `pause` and begins
    /// anew, and all this was so the last time and will be so for ever: how long such a round
    /// takes.
    #[must_use]
    pub fn steady_round(&self, now: Instant, pause: Span) -> Option<Span> {
        let (after, wait) = self.steady;
        (after == now.since(self.last) && after == wait + pause).then_some(after)
    }

    /// Lets `span` pass that changed nothing else.
    pub fn skip(&mut self, span: Span) {
        self.last += span;
    }
}

/// A token bucket with its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenBucket {
    limit: Limit,
    tokens: Tokens,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens that gets `rate` tokens per second.
    #[must_use]
    pub fn full(rate: f64, burst: u32) -> Self {
        let limit = Limit { rate, burst };
        Self { limit, tokens: Tokens::full(limit) }
    }

    /// Takes a token and says when it is there; waiters are served in the order of asking.
    pub fn take(&mut self, now: Instant) -> Instant {
        self.tokens.take(self.limit, now)
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
            let limit = Limit { rate: 1.0 / 6.0, burst };
            let mut bucket = Tokens::full(limit);
            let (mut now, mut steady) = (Instant::ZERO + Span(123_456_789), 0);
            for _ in 0..200 {
                let round = bucket.steady_round(now, pause);
                let mut skipping = bucket;
                let next = bucket.take(limit, now) + pause;
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

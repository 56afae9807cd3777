//! Chance: a small portable generator, and how its streams are derived from one seed.
//!
//! Streams are named by purpose, so that adding a draw for one purpose never shifts another's,
//! and two scenarios with the same seed share their random numbers (common random numbers).

use rand::rngs::{ChaCha8Rng, Xoshiro256PlusPlus};
use rand::{Rng, SeedableRng};

/// The working generator of the world: fast, portable, named.
pub type Stream = Xoshiro256PlusPlus;

/// The stream of `purpose` in replication `replication` of a run with seed `seed`.
#[must_use]
pub fn stream(seed: u64, replication: u32, purpose: &str) -> Stream {
    let mut key = ChaCha8Rng::seed_from_u64(seed);
    key.set_stream(fnv1a(purpose) ^ u64::from(replication).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    Stream::from_rng(&mut key)
}

/// FNV-1a, a hash that is the same everywhere and always.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A SplitMix64 generator: eight bytes of state, for the many small streams of the core
/// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
#[derive(Debug, Clone, Copy)]
pub struct SmallStream(u64);

impl SmallStream {
    /// A stream that starts from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream seeded from the next number of `parent`.
    #[must_use]
    pub fn split(parent: &mut Stream) -> Self {
        Self(parent.next_u64())
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number uniform in 0..n, for n at most 2^32.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.next_u64() as u32) * u64::from(n)) >> 32) as u32
    }
}

/// A distribution of a length of time.
#[derive(Debug, Clone, PartialEq)]
pub enum SpanDist {
    /// Always the same.
    Constant(crate::time::Span),
    /// Uniform between the two.
    Uniform(crate::time::Span, crate::time::Span),
    /// Exponential with this mean.
    Exponential(crate::time::Span),
    /// Lognormal: `mu` and `sigma` of the logarithm of the seconds.
    LogNormal {
        /// Mean of ln(seconds): the logarithm of the median.
        mu: f64,
        /// Standard deviation of ln(seconds).
        sigma: f64,
    },
    /// Pareto: heavy-tailed, P(longer than t) = (`minimum` / t)^`shape`.
    Pareto {
        /// The shortest.
        minimum: crate::time::Span,
        /// Tail index, more than 0; the mean is infinite from 1 downwards.
        shape: f64,
    },
    /// Weibull: P(longer than t) = exp(−(t / `scale`)^`shape`); heavy-tailed for `shape` below 1.
    Weibull {
        /// 63 % are shorter.
        scale: crate::time::Span,
        /// Shape, more than 0.
        shape: f64,
    },
    /// One of these values, each equally likely.
    Empirical(Vec<crate::time::Span>),
}

impl SpanDist {
    /// The lognormal distribution with this median and this 99th percentile (p99 ≥ median).
    #[must_use]
    pub fn log_normal(median: crate::time::Span, p99: crate::time::Span) -> Self {
        // z(0.99) of the standard normal distribution.
        const Z99: f64 = 2.326_347_874_040_841;
        let mu = median.as_secs_f64().ln();
        Self::LogNormal { mu, sigma: (p99.as_secs_f64().ln() - mu) / Z99 }
    }

    /// Draws one value.
    pub fn sample(&self, rng: &mut Stream) -> crate::time::Span {
        use crate::time::Span;
        use rand_distr::{Distribution, Exp1, StandardNormal};
        match self {
            Self::Constant(span) => *span,
            Self::Uniform(low, high) => Span(low.0 + below(rng, high.0.saturating_sub(low.0))),
            Self::Exponential(mean) => {
                let e: f64 = Exp1.sample(rng);
                mean.mul_f64(e)
            }
            Self::LogNormal { mu, sigma } => {
                let z: f64 = StandardNormal.sample(rng);
                Span::from_secs_f64((mu + sigma * z).exp())
            }
            Self::Pareto { minimum, shape } => {
                let e: f64 = Exp1.sample(rng);
                minimum.mul_f64((e / shape).exp())
            }
            Self::Weibull { scale, shape } => {
                let e: f64 = Exp1.sample(rng);
                scale.mul_f64(e.powf(1.0 / shape))
            }
            Self::Empirical(values) => values[below(rng, values.len() as u64) as usize],
        }
    }
}

/// A number uniform in [0, 1).
pub fn unit(rng: &mut Stream) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A whole number uniform in 0..n (0 for n = 0).
fn below(rng: &mut Stream, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

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

/// What the state of a [`SmallStream`] moves on by with each number.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

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
        self.0 = self.0.wrapping_add(STEP);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Leaves out the next `n` numbers.
    pub fn skip(&mut self, n: u64) {
        self.0 = self.0.wrapping_add(n.wrapping_mul(STEP));
    }

    /// A number uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // Of 53 bits; from a signed number the conversion is one instruction.
        (self.next_u64() >> 11) as i64 as f64 / (1u64 << 53) as f64
    }

    /// A number uniform in 0..n, for n at most 2^32.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.next_u64() as u32) * u64::from(n)) >> 32) as u32
    }

    /// Puts a list in a random order, every order as likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i as u32 + 1) as usize);
        }
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
        /// Tail index; more than 1, so that there is a mean.
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

    /// The mean in seconds; infinite if there is none.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        match self {
            Self::Constant(span) | Self::Exponential(span) => span.as_secs_f64(),
            Self::Uniform(from, to) => from.as_secs_f64().midpoint(to.as_secs_f64()),
            Self::LogNormal { mu, sigma } => (mu + sigma * sigma / 2.0).exp(),
            Self::Pareto { minimum, shape } if *shape > 1.0 => minimum.as_secs_f64() * shape / (shape - 1.0),
            Self::Pareto { .. } => f64::INFINITY,
            Self::Weibull { scale, shape } => scale.as_secs_f64() * statrs::function::gamma::gamma(1.0 + 1.0 / shape),
            Self::Empirical(values) => {
                values.iter().map(|value| value.as_secs_f64()).sum::<f64>() / values.len().max(1) as f64
            }
        }
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

    /// Draws what is left of a life that is under way at a time that has nothing to do with it:
    /// such a life is longer than others, in proportion to its length, and uniformly far on its
    /// way (renewal theory: the equilibrium distribution).
    pub fn sample_residual(&self, rng: &mut Stream) -> crate::time::Span {
        let life = self.sample_by_length(rng);
        crate::time::Span(below(rng, life.0.saturating_add(1)))
    }

    /// Draws a value with a probability in proportion to its length.
    fn sample_by_length(&self, rng: &mut Stream) -> crate::time::Span {
        use rand_distr::{Distribution, Gamma};
        match self {
            Self::Constant(span) => *span,
            Self::Uniform(low, high) => {
                let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
                let square = low * low + open_unit(rng) * (high * high - low * low);
                crate::time::Span::from_secs_f64(square.sqrt())
            }
            Self::Exponential(mean) => mean.mul_f64(-(open_unit(rng) * open_unit(rng)).ln()),
            Self::LogNormal { mu, sigma } => Self::LogNormal { mu: mu + sigma * sigma, sigma: *sigma }.sample(rng),
            Self::Pareto { minimum, shape } => Self::Pareto { minimum: *minimum, shape: shape - 1.0 }.sample(rng),
            Self::Weibull { scale, shape } => {
                let gamma = Gamma::new(1.0 + 1.0 / shape, 1.0).expect("the shape is positive");
                scale.mul_f64(gamma.sample(rng).powf(1.0 / shape))
            }
            Self::Empirical(values) => {
                let total: u64 = values.iter().map(|value| value.0).fold(0, u64::saturating_add);
                let mut left = below(rng, total);
                let found = values.iter().find(|value| {
                    let here = left < value.0;
                    left = left.saturating_sub(value.0);
                    here
                });
                found.or(values.first()).copied().unwrap_or_default()
            }
        }
    }
}

/// A number uniform in (0, 1].
fn open_unit(rng: &mut Stream) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// A number uniform in [0, 1).
pub fn unit(rng: &mut Stream) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A whole number uniform in 0..n (0 for n = 0).
fn below(rng: &mut Stream, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn every_kind() -> [SpanDist; 7] {
        let secs = Span::secs;
        [
            SpanDist::Constant(secs(100)),
            SpanDist::Uniform(secs(50), secs(150)),
            SpanDist::Exponential(secs(100)),
            SpanDist::LogNormal { mu: 4.0, sigma: 0.8 },
            SpanDist::Pareto { minimum: secs(60), shape: 3.5 },
            SpanDist::Weibull { scale: secs(90), shape: 0.8 },
            SpanDist::Empirical(vec![secs(10), secs(90), secs(200)]),
        ]
    }

    fn mean(draws: impl Iterator<Item = Span>) -> f64 {
        let (mut n, mut sum) = (0.0, 0.0);
        for span in draws {
            n += 1.0;
            sum += span.as_secs_f64();
        }
        sum / n
    }

    #[test]
    fn means_are_those_of_the_draws() {
        for dist in every_kind() {
            let mut rng = stream(5, 0, "test");
            let drawn = mean((0..200_000).map(|_| dist.sample(&mut rng)));
            assert!((drawn / dist.mean_s() - 1.0).abs() < 0.02, "{dist:?}: {drawn}");
        }
    }

    #[test]
    fn heavy_tails_have_their_quantiles() {
        let mut rng = stream(1, 0, "test");
        let mut exceeding = |dist: &SpanDist, limit: Span| {
            (0..100_000).filter(|_| dist.sample(&mut rng) > limit).count() as f64 / 100_000.0
        };
        let pareto = SpanDist::Pareto { minimum: Span::secs(10), shape: 1.5 };
        assert!((exceeding(&pareto, Span::secs(40)) - 0.125).abs() < 0.004);
        assert_eq!(exceeding(&pareto, Span::millis(9_999)), 1.0);
        let weibull = SpanDist::Weibull { scale: Span::secs(10), shape: 0.5 };
        assert!((exceeding(&weibull, Span::secs(40)) - (-2.0_f64).exp()).abs() < 0.004);
    }

    /// What is left of a life has the mean E(L²) / 2 E(L), by definition.
    #[test]
    fn what_is_left_of_a_life_has_its_mean() {
        for dist in every_kind() {
            let mut rng = stream(3, 0, "test");
            let lives: Vec<_> = (0..400_000).map(|_| dist.sample(&mut rng)).collect();
            let squares: f64 = lives.iter().map(|life| life.as_secs_f64().powi(2)).sum::<f64>() / lives.len() as f64;
            let expected = squares / 2.0 / mean(lives.into_iter());
            let left = mean((0..400_000).map(|_| dist.sample_residual(&mut rng)));
            assert!((left / expected - 1.0).abs() < 0.05, "{dist:?}: {left}, {expected}");
        }
    }
}

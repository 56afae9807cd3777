//! How values of a model are written for people.

use crate::chance::SpanDist;
use crate::model::Schedule;
use crate::time::{Instant, Span};
use crate::units::thousands;

/// A count with its unit: `1 node`, `8,188 addresses`.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// A number of a schedule: whole ones without fraction.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { thousands(value as u64) } else { format!("{value}") }
}

/// A schedule in a line.
pub(super) fn schedule(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Constant(value) => number(*value),
        Schedule::Linear { from, to, over } => format!("{} to {} over {over}", number(*from), number(*to)),
        Schedule::Exponential { from, rate, per, limit } => {
            let most = if limit.is_finite() { format!(", at most {}", number(*limit)) } else { String::new() };
            format!("{} growing by {} % per {per}{most}", number(*from), round(rate * 100.0))
        }
        Schedule::Logistic { from, to, midpoint, scale } => {
            format!("{} to {} in an S-curve around {midpoint}, scale {scale}", number(*from), number(*to))
        }
        Schedule::Steps(points) => format!("{}, in steps", corners(points)),
        Schedule::Points(points) => format!("{}, along straight lines", corners(points)),
    }
}

fn corners(points: &[(Instant, f64)]) -> String {
    match points {
        [] => "nothing".to_owned(),
        [(_, only)] => number(*only),
        [(_, first), .., (end, last)] => {
            let n = points.len();
            format!("{} to {} at {}, {n} points", number(*first), number(*last), end.since(Instant::ZERO))
        }
    }
}

/// A distribution in a line.
pub(super) fn distribution(distribution: &SpanDist) -> String {
    match distribution {
        SpanDist::Constant(span) => span.to_string(),
        SpanDist::Uniform(from, to) => format!("{from} to {to}, uniform"),
        SpanDist::Exponential(mean) => format!("exponential, mean {mean}"),
        SpanDist::LogNormal { mu, sigma } => {
            // z(0.99) of the standard normal distribution.
            let p99 = Span::from_secs_f64((mu + 2.326_347_874_040_841 * sigma).exp());
            format!("lognormal, median {}, p99 {}", to_millis(Span::from_secs_f64(mu.exp())), to_millis(p99))
        }
        SpanDist::Empirical(values) => format!("one of {} measured values", values.len()),
    }
}

/// Rounded to a millisecond, since the way through the logarithm costs the last digits.
fn to_millis(span: Span) -> Span {
    Span((span.0 + 500_000) / 1_000_000 * 1_000_000)
}

/// At most three digits after the point.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

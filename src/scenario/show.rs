//! How values of a model are written for people.

use crate::chance::SpanDist;
use crate::model::{Portion, Schedule, Times};
use crate::time::{Instant, Span};
use crate::units::thousands;

/// A count with its unit: `1 node`, `8,188 addresses`.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// A large number in few digits.
pub(super) fn large(value: f64) -> String {
    if value < 1e12 { thousands(value.round() as u64) } else { format!("{value:.0e}") }
}

/// A number of a schedule: whole ones without fraction.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { thousands(value as u64) } else { format!("{value}") }
}

/// A schedule of `what` in a line.
pub(super) fn schedule(schedule: &Schedule, what: &str) -> String {
    match schedule {
        Schedule::Constant(value) => format!("{} {what}", number(*value)),
        Schedule::Linear { from, to, over } => format!("{} to {} {what} over {over}", number(*from), number(*to)),
        Schedule::Exponential { from, rate, per, limit } => {
            let most = if limit.is_finite() { format!(", at most {}", number(*limit)) } else { String::new() };
            format!("{} {what}, growing by {} % every {per}{most}", number(*from), round(rate * 100.0))
        }
        Schedule::Logistic { from, to, midpoint, scale } => {
            let (from, to) = (number(*from), number(*to));
            format!("{from} to {to} {what} in an S-curve around {midpoint}, scale {scale}")
        }
        Schedule::Steps(points) => format!("{}, in steps", corners(points, what)),
        Schedule::Points(points) => format!("{}, along straight lines", corners(points, what)),
    }
}

fn corners(points: &[(Instant, f64)], what: &str) -> String {
    match points {
        [] => "nothing".to_owned(),
        [(_, only)] => format!("{} {what}", number(*only)),
        [(_, first), .., (end, last)] => {
            let (first, last, end) = (number(*first), number(*last), end.since(Instant::ZERO));
            format!("{first} to {last} {what} at {end}, {} points", points.len())
        }
    }
}

/// Times in a line.
pub(super) fn times(times: &Times) -> String {
    let since = |at: &Instant| at.since(Instant::ZERO).in_full();
    match times {
        Times::At(times) => times.iter().map(since).collect::<Vec<_>>().join(", "),
        Times::Every { first, period } => format!("every {} from {} on", period.in_full(), since(first)),
        Times::Cron(cron) => format!("`{}`", cron.text()),
    }
}

/// A part of a number of `what`: `3 pods`, or `25 % of the pods`.
pub(super) fn portion(portion: &Portion, what: &str) -> String {
    match portion {
        Portion::Count(n) => count((*n).into(), what.strip_suffix('s').unwrap_or(what), what),
        Portion::Share(share) => format!("{} of the {what}", percent(*share)),
    }
}

/// A share as a percentage of at most three digits after the point.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", round(share * 100.0))
}

/// An amount of CPU: `500m`, or `2` cores.
pub(super) fn cpu(milli: u32) -> String {
    if milli.is_multiple_of(1000) { format!("{} cores", milli / 1000) } else { format!("{milli}m") }
}

/// An amount of memory.
pub(super) fn memory(mib: u32) -> String {
    if mib.is_multiple_of(1024) { format!("{}Gi", mib / 1024) } else { format!("{mib}Mi") }
}

/// A distribution in a line.
pub(super) fn distribution(distribution: &SpanDist) -> String {
    match distribution {
        SpanDist::Constant(span) => span.in_full(),
        SpanDist::Uniform(from, to) => format!("{} to {}, uniform", from.in_full(), to.in_full()),
        SpanDist::Exponential(mean) => format!("exponential, mean {}", mean.in_full()),
        SpanDist::Pareto { minimum, shape } => format!("Pareto, at least {}, shape {shape}", minimum.in_full()),
        SpanDist::Weibull { scale, shape } => format!("Weibull, scale {}, shape {shape}", scale.in_full()),
        SpanDist::LogNormal { mu, sigma } => {
            // z(0.99) of the standard normal distribution.
            let p99 = Span::from_secs_f64((mu + 2.326_347_874_040_841 * sigma).exp());
            format!(
                "lognormal, median {}, p99 {}",
                to_millis(Span::from_secs_f64(mu.exp())).in_full(),
                to_millis(p99).in_full()
            )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_and_distributions_are_told_in_a_line() {
        let at = |days| Instant::ZERO + Span::days(days);
        let cases = [
            (Schedule::Constant(8188.0), "8,188 pods"),
            (Schedule::Linear { from: 1.0, to: 2.5, over: Span::days(3) }, "1 to 2.5 pods over 3d"),
            (
                Schedule::Exponential { from: 9.0, rate: 0.125, per: Span::days(30), limit: 99.0 },
                "9 pods, growing by 12.5 % every 30d, at most 99",
            ),
            (
                Schedule::Logistic { from: 1.0, to: 2.0, midpoint: Span::days(5), scale: Span::days(1) },
                "1 to 2 pods in an S-curve around 5d, scale 1d",
            ),
            (Schedule::Steps(vec![(at(0), 4.0)]), "4 pods, in steps"),
            (Schedule::Points(vec![(at(0), 4.0), (at(2), 6.0)]), "4 to 6 pods at 2d, 2 points, along straight lines"),
        ];
        for (schedule, text) in cases {
            assert_eq!(self::schedule(&schedule, "pods"), text);
        }
        let log_normal = SpanDist::log_normal(Span::millis(900), Span::secs(4));
        assert_eq!(distribution(&log_normal), "lognormal, median 900 ms, p99 4.0 s");
    }
}

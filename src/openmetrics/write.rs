//! OpenMetrics text.

use std::io::{self, Write};

use super::{Family, Kind};
use crate::time::Span;

/// Writes a family: every series after the other, as a family's metrics must not be mixed.
pub(super) fn family(family: &Family, zero: i64, step: Span, to: &mut dyn Write) -> io::Result<()> {
    let Family { name, kind, help, series } = family;
    let word = match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
        Kind::Histogram(_) => "histogram",
    };
    writeln!(to, "# TYPE {name} {word}\n# HELP {name} {}", escaped(help))?;
    for (labels, series) in series {
        for (scrape, values) in series.points() {
            let at = time(zero, step, scrape);
            match kind {
                Kind::Gauge => writeln!(to, "{name}{{{labels}}} {} {at}", values[0])?,
                Kind::Counter => writeln!(to, "{name}_total{{{labels}}} {} {at}", values[0])?,
                Kind::Histogram(bounds) => histogram(name, labels, bounds, values, &at, to)?,
            }
        }
    }
    Ok(())
}

/// A point of a histogram: buckets with all that fits into them, the count, the sum.
fn histogram(name: &str, labels: &str, bounds: &[u32], values: &[u64], at: &str, to: &mut dyn Write) -> io::Result<()> {
    let (buckets, rest) = values.split_at(bounds.len());
    let (count, sum) = (rest[0], rest[1]);
    let mut below = 0;
    for (bound, bucket) in bounds.iter().zip(buckets) {
        below += bucket;
        writeln!(to, "{name}_bucket{{{labels},le=\"{bound}.0\"}} {below} {at}")?;
    }
    writeln!(to, "{name}_bucket{{{labels},le=\"+Inf\"}} {count} {at}")?;
    writeln!(to, "{name}_count{{{labels}}} {count} {at}\n{name}_sum{{{labels}}} {sum} {at}")
}

/// Unix time in s, with a fraction if it has one.
fn time(zero: i64, step: Span, scrape: u32) -> String {
    let since = u128::from(step.0) * u128::from(scrape);
    let (secs, millis) = ((since / 1_000_000_000) as i64, since / 1_000_000 % 1000);
    if millis == 0 { format!("{}", zero + secs) } else { format!("{}.{millis:03}", zero + secs) }
}

/// Labels as they are written between braces; values are escaped.
pub(super) fn labels(of: &[(&str, &str)]) -> String {
    let label = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", escaped(value));
    of.iter().map(label).collect::<Vec<_>>().join(",")
}

/// Backslash, quotation mark and line feed escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(labels(&[("pool", "a\"b\\c\nd"), ("x", "")]), "pool=\"a\\\"b\\\\c\\nd\",x=\"\"");
    }

    #[test]
    fn times_have_a_fraction_if_they_need_one() {
        assert_eq!(time(1_796_083_200, Span::mins(4), 2), "1796083680");
        assert_eq!(time(1_796_083_200, Span::millis(1500), 1), "1796083201.500");
    }
}

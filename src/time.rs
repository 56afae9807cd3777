//! Simulated time: whole nanoseconds since the start of the run.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SEC: u64 = 1_000_000_000;

/// A point in simulated time, in nanoseconds since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub u64);

/// A length of simulated time, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub u64);

impl Instant {
    /// The start of the run.
    pub const ZERO: Self = Self(0);
    /// Later than everything: "never".
    pub const NEVER: Self = Self(u64::MAX);

    /// The time that lies between `earlier` and `self`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Whole milliseconds since the start, rounded down.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// Seconds since the start.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        Span(self.0).as_secs_f64()
    }

    /// Days since the start.
    #[must_use]
    pub fn as_days(self) -> f64 {
        Span(self.0).as_days()
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn millis(n: u64) -> Self {
        Self(n * NANOS_PER_MILLI)
    }

    /// A span of whole seconds.
    #[must_use]
    pub const fn secs(n: u64) -> Self {
        Self(n * NANOS_PER_SEC)
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn mins(n: u64) -> Self {
        Self::secs(60 * n)
    }

    /// A span of whole hours.
    #[must_use]
    pub const fn hours(n: u64) -> Self {
        Self::mins(60 * n)
    }

    /// A span of whole days of 24 hours.
    #[must_use]
    pub const fn days(n: u64) -> Self {
        Self::hours(24 * n)
    }

    /// A span from seconds; negative and undefined values become zero, and what exceeds 292
    /// years becomes 292 years.
    #[must_use]
    pub fn from_secs_f64(secs: f64) -> Self {
        // `as` saturates and maps NaN to zero, which is what we want here.
        Self((secs * 1e9).min(9.2e18) as u64)
    }

    /// The span in seconds.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Whole milliseconds, rounded down.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// The span in days of 24 hours.
    #[must_use]
    pub fn as_days(self) -> f64 {
        self.as_secs_f64() / 86_400.0
    }

    /// The span times `factor`, rounded to the nearest nanosecond; at most 292 years.
    #[must_use]
    pub fn mul_f64(self, factor: f64) -> Self {
        /// The greatest number below ½: a number half-way between two whole ones and this are the greater of the
        /// two, after rounding; any other keeps its side, a whole one stays.
        const HALF: f64 = 0.499_999_999_999_999_94;
        // What `f64::round` says, without a call of the mathematical library, which an x86-64 of
        // no particular generation takes.
        Self(((self.0 as f64 * factor + HALF) as i64).max(0) as u64)
    }
}

impl Add<Span> for Instant {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for Instant {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Why a text is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration; write a number with a unit, such as `30d`, `10m`, `1h30m` or `500ms`")]
pub struct ParseSpanError {
    text: String,
}

impl FromStr for Span {
    type Err = ParseSpanError;

    /// Reads `30d`, `2w`, `1h30m`, `1.5h`, `0.5d`, `500ms`, `P30D`. Months and years are refused, since
    /// their length varies.
    fn from_str(text: &str) -> Result<Self, ParseSpanError> {
        let wrong = || ParseSpanError { text: text.to_owned() };
        // jiff takes fractions of hours and less.
        for (unit, span) in [("d", Self::days(1)), ("w", Self::days(7))] {
            let number = text.trim().strip_suffix(unit).map(str::trim_end);
            let digits = |n: &&str| n.contains('.') && n.chars().all(|c| c.is_ascii_digit() || c == '.');
            if let Some(Ok(number)) = number.filter(digits).map(str::parse) {
                return Ok(span.mul_f64(number));
            }
        }
        let span: jiff::Span = text.trim().parse().map_err(|_| wrong())?;
        let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
        u64::try_from(duration.as_nanos()).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Span {
    /// The two largest units that matter: `41d 3h`, `2m 5s`, `12.3 s`, `350 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0 / NANOS_PER_SEC;
        let (days, hours, mins) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
        let two = |f: &mut fmt::Formatter<'_>, a: u64, ua: &str, b: u64, ub: &str| {
            if b == 0 { write!(f, "{a}{ua}") } else { write!(f, "{a}{ua} {b}{ub}") }
        };
        match secs {
            86_400.. => two(f, days, "d", hours, "h"),
            3_600.. => two(f, hours, "h", mins, "m"),
            60.. => two(f, mins, "m", secs % 60, "s"),
            1.. => write!(f, "{:.1} s", self.as_secs_f64()),
            0 => write!(f, "{} ms", self.as_millis()),
        }
    }
}

impl Span {
    /// As `Display` has it where that leaves nothing out, and otherwise with every unit: `2d 3h 45m`.
    #[must_use]
    pub fn in_full(&self) -> String {
        let millis = self.as_millis();
        let cut_off = match millis {
            86_400_000.. => millis % 3_600_000,
            3_600_000.. => millis % 60_000,
            60_000.. => millis % 1_000,
            1_000.. => millis % 100,
            0..1_000 => 0,
        };
        if cut_off == 0 {
            return self.to_string();
        }
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
        let parts = units.into_iter().scan(millis, |left, (unit, name)| {
            let count = *left / unit;
            *left %= unit;
            Some(if count > 0 { format!("{count}{name}") } else { String::new() })
        });
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_in_full_leave_nothing_out() {
        let cases = [
            (Span::days(2) + Span::mins(225), "2d 3h 45m"),
            (Span::days(2) + Span::hours(3), "2d 3h"),
            (Span::hours(1) + Span::secs(30), "1h 30s"),
            (Span::mins(1) + Span::millis(5), "1m 5ms"),
            (Span::millis(12_340), "12s 340ms"),
            (Span::millis(1_500), "1.5 s"),
            (Span::ZERO, "0 ms"),
        ];
        for (span, text) in cases {
            assert_eq!(span.in_full(), text);
        }
    }

    #[test]
    fn spans_are_read_with_their_unit() {
        let cases = [
            ("30d", Span::days(30)),
            ("1h30m", Span::mins(90)),
            ("500ms", Span::millis(500)),
            ("2w", Span::days(14)),
            ("1.5h", Span::mins(90)),
            ("0.5d", Span::mins(720)),
            ("1.5 w", Span::mins(15_120)),
        ];
        for (text, span) in cases {
            assert_eq!(text.parse(), Ok(span), "{text}");
        }
        for text in ["10", "1mo", "1y", "-3d", "-0.5d", "1.2.3d", ".d", "", "soon"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn products_are_rounded_to_the_nearest() {
        for (factor, product) in [(0.0, 0), (0.1, 0), (0.166, 0), (0.5, 2), (1.4, 4), (1.5, 5), (-1.0, 0)] {
            assert_eq!(Span(3).mul_f64(factor), Span(product), "{factor}");
            assert_eq!((3.0 * factor).round() as u64, product, "{factor}");
        }
        assert!(Span(3).mul_f64(1e300) > Span::days(292 * 365));
        // Around every power of two, and around the halves there.
        for power in 0..62 {
            for near in [(1 << power) - 1, 1 << power, (1 << power) + 1_u64] {
                for factor in [0.5, 1.0, 1.5, 0.25, 1.0 + f64::EPSILON, 1.0 - f64::EPSILON, 1.0 / 3.0] {
                    let product = (near as f64 * factor).round() as u64;
                    assert_eq!(Span(near).mul_f64(factor), Span(product), "{near} {factor}");
                }
            }
        }
    }

    #[test]
    fn spans_print_their_two_largest_units() {
        let cases = [
            (Span::days(41) + Span::hours(3), "41d 3h"),
            (Span::secs(125), "2m 5s"),
            (Span::millis(12_300), "12.3 s"),
            (Span::millis(350), "350 ms"),
            (Span::days(2), "2d"),
        ];
        for (span, text) in cases {
            assert_eq!(span.to_string(), text);
        }
    }
}

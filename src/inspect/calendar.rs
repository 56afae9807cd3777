//! Simulated moments as Go programs write them.

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};

use crate::model::Model;
use crate::outcome::Clock;
use crate::time::{Instant, Span};

/// When a run takes place. The calendar knows no time zone; it is taken for UTC.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    clock: Clock,
}

impl Calendar {
    /// The calendar of a model.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self { clock: Clock::of(model) }
    }

    /// A moment for people, with its date if the scenario has a start.
    #[must_use]
    pub fn moment(&self, at: Instant) -> String {
        let date = self.date_time(at).map(|time| format!(" ({})", time.strftime("%Y-%m-%d %H:%M:%S UTC")));
        self.clock.moment(at).english() + &date.unwrap_or_default()
    }

    /// A moment in short, for a line of its own.
    #[must_use]
    pub fn short(&self, at: Instant) -> String {
        self.clock.moment(at).english()
    }

    /// `time.Time.String()`. Upstream's has the reading of the monotonic clock behind it
    /// (` m=+1.5`), of which the simulation knows nothing. Time zero is Go's own, which says "never".
    #[must_use]
    pub fn go(&self, at: Instant) -> String {
        match self.date_time(at) {
            _ if at == Instant::ZERO => "0001-01-01 00:00:00 +0000 UTC".to_owned(),
            Some(time) => time.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string(),
            None => self.clock.moment(at).english(),
        }
    }

    /// `2006-01-02 15:04:05`: the same in whole seconds.
    #[must_use]
    pub fn go_seconds(&self, at: Instant) -> String {
        match self.date_time(at) {
            _ if at == Instant::ZERO => "0001-01-01 00:00:00".to_owned(),
            Some(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            None => self.clock.moment(at).english(),
        }
    }

    /// `metav1.Time` in YAML: whole seconds.
    #[must_use]
    pub fn rfc3339(&self, at: Instant) -> String {
        let whole = at - Span(at.0 % Span::secs(1).0);
        self.date_time(whole).map_or_else(|| self.clock.moment(at).english(), |time| format!("{time}Z"))
    }

    /// `MMDD hh:mm:ss.uuuuuu`, as in the header of a klog line.
    #[must_use]
    pub fn klog(&self, at: Instant) -> String {
        self.date_time(at)
            .map_or_else(|| self.clock.moment(at).english(), |time| time.strftime("%m%d %H:%M:%S%.6f").to_string())
    }

    fn date_time(&self, at: Instant) -> Option<DateTime> {
        let since = SignedDuration::from_nanos(i64::try_from(at.0).ok()?);
        self.clock.start?.to_datetime(Time::midnight()).checked_add(since).ok()
    }
}

/// `time.Duration.String()`.
#[must_use]
pub fn go_duration(span: Span) -> String {
    let fraction = |whole: u64, unit: u64| {
        let digits = format!("{:0width$}", whole % unit, width = unit.ilog10() as usize);
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        format!("{}{point}{digits}", whole / unit)
    };
    let secs = |nanos: u64| fraction(nanos, 1_000_000_000) + "s";
    const MINUTE: u64 = 60_000_000_000;
    match span.0 {
        0 => "0s".to_owned(),
        nanos @ ..1000 => format!("{nanos}ns"),
        nanos @ ..1_000_000 => fraction(nanos, 1000) + "µs",
        nanos @ ..1_000_000_000 => fraction(nanos, 1_000_000) + "ms",
        nanos @ ..MINUTE => secs(nanos),
        nanos if nanos < 60 * MINUTE => format!("{}m{}", nanos / MINUTE, secs(nanos % MINUTE)),
        nanos => format!("{}h{}m{}", nanos / (60 * MINUTE), nanos / MINUTE % 60, secs(nanos % MINUTE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans_are_written_as_go_writes_them() {
        let vpc = crate::model::Vpc { cidr: "10.0.0.0/8".parse().expect("a block"), vswitches: Vec::new() };
        let mut model = Model::plain("m", Span::days(90), vpc);
        model.start = Some(jiff::civil::date(2026, 12, 1));
        let calendar = Calendar::of(&model);
        let at = Instant::ZERO + Span::days(41) + Span::hours(3) + Span::millis(120);
        assert_eq!(calendar.go(at), "2027-01-11 03:00:00.12 +0000 UTC");
        assert_eq!(calendar.go(at - Span::millis(120)), "2027-01-11 03:00:00 +0000 UTC");
        assert_eq!(calendar.go(Instant::ZERO), "0001-01-01 00:00:00 +0000 UTC");
        assert_eq!(calendar.go_seconds(at), "2027-01-11 03:00:00");
        assert_eq!(calendar.go_seconds(Instant::ZERO), "0001-01-01 00:00:00");
        assert_eq!(calendar.rfc3339(at), "2027-01-11T03:00:00Z");
        assert_eq!(calendar.klog(at), "0111 03:00:00.120000");
        for (nanos, text) in [
            (0, "0s"),
            (1_500, "1.5µs"),
            (350_200_000, "350.2ms"),
            (1_234_567_891, "1.234567891s"),
            (120_000_000_000, "2m0s"),
            (3_723_000_000_000, "1h2m3s"),
        ] {
            assert_eq!(go_duration(Span(nanos)), text);
        }
    }
}

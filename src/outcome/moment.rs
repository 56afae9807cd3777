//! Single moments of a run, for people: to the tenth of a second.

use super::Clock;
use crate::text::{Text, Words, text};
use crate::time::{Instant, Span};

const TENTHS_PER_DAY: u64 = 864_000;

impl Clock {
    /// `day 41 02:07:10.4`, or `02:07:10.4` since the start if the horizon is short; `the end` of it.
    #[must_use]
    pub fn moment(&self, at: Instant) -> Text {
        if at.0 >= self.horizon.0 {
            return text!("the end");
        }
        let tenths = at.as_millis() / 100;
        let time = |tenths: u64| {
            let secs = tenths / 10;
            format!("{:02}:{:02}:{:02}.{}", secs / 3600, secs / 60 % 60, secs % 60, tenths % 10)
        };
        match self.in_days() {
            true => text!("day {} {time}", tenths / TENTHS_PER_DAY + 1, time(tenths % TENTHS_PER_DAY)),
            false => time(tenths).words(),
        }
    }

    /// The moment that a text names: as [`Clock::moment`] writes it, tenths and seconds left out if
    /// you like, or a length of time since the start, such as `40d2h`; `None` = neither.
    #[must_use]
    pub fn parse_moment(text: &str) -> Option<Instant> {
        if let Ok(span) = text.parse::<Span>() {
            return Some(Instant::ZERO + span);
        }
        let (day, time) = match text.strip_prefix("day ") {
            Some(rest) => rest.split_once(' ').unwrap_or((rest, "0:00")),
            None => ("1", text),
        };
        let days = day.parse::<u32>().ok()?.checked_sub(1)?;
        let mut parts = time.split(':');
        let (hours, mins) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
        let secs = parts.next().map_or(Some(0.0), |secs| secs.parse::<f64>().ok())?;
        let right = parts.next().is_none() && mins < 60 && (0.0..60.0).contains(&secs);
        let whole = Instant::ZERO + Span::days(days.into()) + Span::hours(hours.into()) + Span::mins(mins.into());
        right.then(|| whole + Span::from_secs_f64(secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        let at = Instant::ZERO + Span::days(40) + Span::secs(7630) + Span::millis(450);
        let clock = |days| Clock { horizon: Span::days(days), warm_up: Span::ZERO, start: None };
        assert_eq!(clock(90).moment(at), "day 41 02:07:10.4");
        assert_eq!(clock(2).moment(Instant::ZERO + Span::secs(7630)), "02:07:10.0");
        assert_eq!(clock(2).moment(Instant::ZERO + Span::days(2)), "the end");
        assert_eq!(Clock::parse_moment("day 41 02:07:10.4").map(|at| clock(90).moment(at)), Some(clock(90).moment(at)));
        for text in ["40d", "day 41", "day 41 0:00", "960:00:00"] {
            assert_eq!(Clock::parse_moment(text), Some(Instant::ZERO + Span::days(40)), "{text}");
        }
        for text in ["", "day 0", "day x", "12", "1:60", "1:0:0:0", "-1:00"] {
            assert_eq!(Clock::parse_moment(text), None, "{text}");
        }
    }
}

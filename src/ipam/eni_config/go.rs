//! How Go reads durations and numbers from strings, with the words it complains in.

use crate::time::Span;

/// A duration as Go knows it: it may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duration {
    Negative,
    Span(Span),
}

/// `time.ParseDuration`: `2m`, `1h30m`, `1.5h`, `-1s`, `0`; there are no days.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::Span(Span::ZERO));
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number);
        if number.matches('.').count() > 1 || !number.contains(|c: char| c.is_ascii_digit()) {
            return Err(invalid());
        }
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let scale = unit_nanos(unit).ok_or_else(|| format!("time: unknown unit {unit:?} in duration {text:?}"))?;
        let part = scaled(number, scale).ok_or_else(invalid)?;
        nanos = nanos.checked_add(part).filter(|&sum| i64::try_from(sum).is_ok()).ok_or_else(invalid)?;
        rest = tail;
    }
    Ok(if negative && nanos > 0 { Duration::Negative } else { Duration::Span(Span(nanos)) })
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// `number` × `scale`; the fraction is rounded down.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let fraction = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse::<f64>().ok()? };
    whole.checked_mul(scale)?.checked_add((fraction * scale as f64) as u64)
}

/// `strconv.ParseFloat`.
pub(super) fn parse_float(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let good = [
            ("2m", Span::mins(2)),
            ("1h30m", Span::mins(90)),
            ("1.5h", Span::mins(90)),
            (".5s", Span::millis(500)),
            ("1.s", Span::secs(1)),
            ("100ms", Span::millis(100)),
            ("3us", Span(3_000)),
            ("+1s", Span::secs(1)),
            ("0", Span::ZERO),
            ("0s", Span::ZERO),
            ("-0s", Span::ZERO),
        ];
        for (text, span) in good {
            assert_eq!(parse_duration(text), Ok(Duration::Span(span)), "{text}");
        }
        assert_eq!(parse_duration("-5m"), Ok(Duration::Negative));
        let bad = [
            ("", "time: invalid duration \"\""),
            ("invalid", "time: invalid duration \"invalid\""),
            ("10", "time: missing unit in duration \"10\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            ("1h 30m", "time: unknown unit \"h \" in duration \"1h 30m\""),
            ("1.2.3s", "time: invalid duration \"1.2.3s\""),
            (".s", "time: invalid duration \".s\""),
            ("300000h10000000h", "time: invalid duration \"300000h10000000h\""),
            ("99999999999999999999s", "time: invalid duration \"99999999999999999999s\""),
        ];
        for (text, error) in bad {
            assert_eq!(parse_duration(text), Err(error.to_owned()), "{text}");
        }
    }
}

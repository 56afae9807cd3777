//! Quantities as they are written: counts, durations, shares, resources, blocks, dates.

mod schema;

pub(super) use schema::{or_uncertain, without_uncertain};

use ipnet::Ipv4Net;
use jiff::civil::Date;

use super::diagnostics::Problems;
use super::read::{Read, wrong_kind};
use super::yaml::{Node, Value};
use crate::model;
use crate::time::Span;

/// A whole number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub u64);

/// A number that may have a fraction; more than 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number(pub f64);

/// Growth per span, written `12 %/month`; the span may be given elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    pub rate: f64,
    pub per: Option<Span>,
}

/// A share, written `50 %`: 0.5. Not negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Percent(pub f64);

/// A part of a number of things: a whole number or a percentage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Portion(pub model::Portion);

/// CPU in thousandths of a core, rounded up; written as Kubernetes writes it: `500m`, `2` or `0.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cpu(pub u32);

/// Memory in MiB, rounded up; written as Kubernetes writes it: `512Mi`, `1.5Gi` or `2G`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory(pub u32);

/// A length of time, written with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duration(pub Span);

/// A block of addresses, written `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block(pub Ipv4Net);

/// A calendar date, written `2026-12-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day(pub Date);

/// A limit that may be switched off: a whole number, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit(pub Option<u64>);

impl Read for String {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text.trim().is_empty() => {
                problems.error(node.place, "this text is empty");
                None
            }
            Value::Text(text) => Some(text.clone()),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                let problem = problems.error(node.place, "text is expected here");
                problem.label(format!("YAML reads this as {}", node.kind())).help("put it in quotes");
                None
            }
            _ => {
                wrong_kind(node, "text is expected here", problems);
                None
            }
        }
    }
}

impl Read for bool {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::Bool(value) => Some(value),
            _ => {
                wrong_kind(node, "`true` or `false` is expected here", problems);
                None
            }
        }
    }
}

impl Read for Count {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::Int(n) if n < 0 => {
                problems.error(node.place, "a number here must not be negative");
                None
            }
            Value::Int(n) => match u64::try_from(n) {
                Ok(n) => Some(Self(n)),
                Err(_) => {
                    problems.error(node.place, "this number is too large");
                    None
                }
            },
            // YAML reads a number with an exponent, or with more digits than any integer has, so.
            Value::Float(x) if x.fract() == 0.0 => {
                let problem = problems.error(node.place, "a whole number is expected here");
                problem.help("write all of its digits, and at most 20");
                None
            }
            Value::Float(_) => {
                problems.error(node.place, "a number here must be whole").label("this has a fraction");
                None
            }
            _ => {
                wrong_kind(node, "a whole number is expected here", problems);
                None
            }
        }
    }
}

impl Read for Number {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let number = match node.value {
            Value::Int(n) => Some(n as f64),
            Value::Float(n) => Some(n),
            _ => None,
        };
        match number {
            None => wrong_kind(node, "a number is expected here", problems),
            Some(n) if n.is_finite() && n > 0.0 => return Some(Self(n)),
            Some(_) => {
                problems.error(node.place, "a number here must be more than 0");
            }
        }
        None
    }
}

impl Read for Limit {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "off" => Some(Self(None)),
            Value::Text(_) => {
                wrong_kind(node, "a whole number or `off` is expected here", problems);
                None
            }
            _ => Count::read(node, problems).map(|Count(n)| Self(Some(n))),
        }
    }
}

impl Read for Duration {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) => match text.parse() {
                Ok(span) => Some(Self(span)),
                Err(error) => {
                    let problem = problems.error(node.place, format!("`{}` is not a duration", text.trim()));
                    problem.help(duration_hint(&format!("{error}")));
                    None
                }
            },
            Value::Int(n) => {
                let problem = problems.error(node.place, "a duration needs a unit");
                problem.label("this is a bare number").help(format!("write `{n}d`, `{n}h`, `{n}m` or `{n}s`"));
                None
            }
            _ => {
                wrong_kind(node, "a duration is expected here, such as `30d`", problems);
                None
            }
        }
    }
}

/// What follows the semicolon of the parser's message: how durations are written.
fn duration_hint(message: &str) -> String {
    let hint = message.split_once("; ").map_or(message, |(_, hint)| hint);
    format!("{hint}; months and years have no fixed length")
}

/// The share that a text such as `12 %` states.
fn percent(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix('%')?.trim().parse().ok()?;
    number.is_finite().then_some(number / 100.0)
}

impl Growth {
    fn parse(text: &str) -> Option<Self> {
        let (share, per) = text.split_once('/').map_or((text, None), |(share, per)| (share, Some(per.trim())));
        let per = match per {
            None => None,
            Some("day") => Some(Span::days(1)),
            Some("week") => Some(Span::days(7)),
            Some("month") => Some(Span::days(30)),
            Some("year") => Some(Span::days(365)),
            Some(other) => Some(other.parse().ok()?),
        };
        Some(Self { rate: percent(share)?, per })
    }
}

impl Read for Growth {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let growth = match &node.value {
            Value::Text(text) => Growth::parse(text),
            _ => None,
        };
        if growth.is_none() {
            wrong_kind(node, "growth is a percentage, such as `12 %/month`", problems);
        }
        growth
    }
}

impl Read for Percent {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let share = match &node.value {
            Value::Text(text) => percent(text),
            _ => None,
        };
        match share {
            None => no_percentage(node, "a percentage is expected here, such as `50 %`", problems),
            Some(share) if share < 0.0 => {
                problems.error(node.place, "a percentage here must not be negative");
            }
            Some(share) => return Some(Self(share)),
        }
        None
    }
}

impl Read for Portion {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::Int(_) => {
                let count = Count::read(node, problems)?.0;
                Some(Self(model::Portion::Count(u32::try_from(count).unwrap_or(u32::MAX))))
            }
            Value::Text(_) => Percent::read(node, problems).map(|share| Self(model::Portion::Share(share.0))),
            _ => {
                no_percentage(node, "a whole number or a percentage is expected here, such as `10 %`", problems);
                None
            }
        }
    }
}

/// Reports what is no percentage; a bare number may be meant as one, or as a share of 1.
fn no_percentage(node: &Node, expected: &str, problems: &mut Problems) {
    let meant = match node.value {
        Value::Int(n) => Some(n.to_string()),
        Value::Float(share) if (0.0..1.0).contains(&share) => Some(format!("{}", (share * 1e4).round() / 1e2)),
        Value::Float(n) => Some(n.to_string()),
        _ => None,
    };
    let problem = problems.error(node.place, expected).label(format!("this is {}", node.kind()));
    if let Some(meant) = meant {
        problem.help(format!("a percentage carries its sign: `{meant} %`"));
    }
}

impl Cpu {
    /// What a text in a table states: `500m`, `2` or `0.5`.
    pub fn parse(text: &str) -> Option<Self> {
        let milli = match text.parse::<f64>() {
            Ok(cores) => cores * 1000.0,
            Err(_) => milli(text)?,
        };
        up(milli).map(Self)
    }
}

impl Memory {
    /// What a text in a table states: `512Mi`, `1.5Gi` or `2G`.
    pub fn parse(text: &str) -> Option<Self> {
        up(bytes(text)? / f64::from(1 << 20)).map(Self)
    }
}

/// The thousandths of a core that a text such as `500m` states.
fn milli(text: &str) -> Option<f64> {
    text.trim().strip_suffix('m')?.parse().ok()
}

impl Read for Cpu {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let milli = match &node.value {
            Value::Int(cores) => Some(*cores as f64 * 1000.0),
            Value::Float(cores) => Some(cores * 1000.0),
            // Manifests write whole cores in quotes.
            Value::Text(text) => milli(text).or_else(|| text.parse().ok().map(|cores: f64| cores * 1000.0)),
            _ => None,
        };
        let Some(milli) = milli else {
            wrong_kind(node, "CPU is a number of cores, such as `2`, `0.5` or `500m`", problems);
            return None;
        };
        whole(node, milli, "an amount of CPU", problems).map(Self)
    }
}

impl Read for Memory {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let bytes = match &node.value {
            Value::Text(text) => bytes(text),
            Value::Int(n) => {
                let problem = problems.error(node.place, "memory needs a unit");
                problem.label("this is a bare number").help(format!("write `{n}Mi` or `{n}Gi`"));
                return None;
            }
            _ => None,
        };
        let Some(bytes) = bytes else {
            wrong_kind(node, "memory is a number with a unit, such as `512Mi`, `1.5Gi` or `2G`", problems);
            return None;
        };
        whole(node, bytes / f64::from(1 << 20), "an amount of memory", problems).map(Self)
    }
}

/// The bytes that a text such as `512Mi` states.
fn bytes(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 8] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
    ];
    UNITS.iter().find_map(|(unit, size)| {
        let number: f64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
        Some(number * size)
    })
}

/// The whole number that is not less than `number`; reports what is none, or too large.
fn whole(node: &Node, number: f64, what: &str, problems: &mut Problems) -> Option<u32> {
    let up = up(number);
    if up.is_none() {
        let wrong = if number < 0.0 { "must not be negative" } else { "as large as this is not simulated" };
        problems.error(node.place, format!("{what} {wrong}"));
    }
    up
}

/// The whole number that is not less than `number`; `None` = it is negative, none, or too large.
fn up(number: f64) -> Option<u32> {
    // What a decimal fraction lacks to a whole number in binary is not rounded up.
    let up = (number - 1e-6).ceil().max(0.0);
    (number >= 0.0 && up < f64::from(u32::MAX)).then_some(up as u32)
}

impl Read for Block {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Value::Text(text) = &node.value else {
            wrong_kind(node, "a block of addresses is expected here, such as `10.1.0.0/19`", problems);
            return None;
        };
        let Ok(block) = text.trim().parse::<Ipv4Net>() else {
            let problem = problems.error(node.place, format!("`{}` is not a block of IPv4 addresses", text.trim()));
            problem.help("write its first address and its prefix, such as `10.1.0.0/19`");
            return None;
        };
        if block.trunc() != block {
            let problem = problems.error(node.place, format!("`{block}` does not begin at a block's first address"));
            problem.help(format!("did you mean `{}`?", block.trunc()));
            return None;
        }
        Some(Self(block))
    }
}

impl Read for Day {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let date = match &node.value {
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        if date.is_none() {
            let problem = problems.error(node.place, "a date is expected here: year-month-day");
            problem.label("this is none").help("such as `2026-12-01`");
        }
        date.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_a_percentage_per_span() {
        let cases = [
            ("12 %/month", Some((0.12, Some(Span::days(30))))),
            ("12%", Some((0.12, None))),
            ("-1.5 % / week", Some((-0.015, Some(Span::days(7))))),
            ("3 %/10d", Some((0.03, Some(Span::days(10))))),
            ("5 %/year", Some((0.05, Some(Span::days(365))))),
            ("1 %/day", Some((0.01, Some(Span::days(1))))),
            ("12", None),
            ("inf %", None),
            ("12 %/soon", None),
            ("%", None),
        ];
        for (text, expected) in cases {
            let growth = Growth::parse(text).map(|g| (g.rate, g.per));
            assert_eq!(growth, expected, "{text}");
        }
    }

    /// What a YAML scalar is read as, or the number of problems.
    fn read<T: Read>(yaml: &str) -> Result<T, usize> {
        let mut problems = Problems::default();
        let source = crate::scenario::Source { name: "a.yaml".to_owned(), text: yaml.to_owned() };
        problems.sources.push(source);
        let node = crate::scenario::yaml::parse(&mut problems, 0).expect("it is YAML");
        T::read(&node, &mut problems).ok_or(problems.count())
    }

    #[test]
    fn resources_are_those_of_kubernetes() {
        for (text, milli) in [("500m", 500), ("2", 2000), ("0.5", 500), ("0.57", 570), ("1.0005", 1001), ("0", 0)] {
            assert_eq!(read(text), Ok(Cpu(milli)), "{text}");
        }
        for (text, mib) in [("512Mi", 512), ("1.5Gi", 1536), ("1G", 954), ("1025Ki", 2), ("2T", 1_907_349), ("0Mi", 0)]
        {
            assert_eq!(read(text), Ok(Memory(mib)), "{text}");
        }
        for wrong in ["-1", "500", "1k", "m", "1e99", "true", "[1]"] {
            let cpu = read::<Cpu>(wrong);
            assert!(cpu == Err(1) || wrong == "500" && cpu == Ok(Cpu(500_000)), "{wrong}: {cpu:?}");
            let memory = read::<Memory>(wrong);
            assert!(memory == Err(1) || wrong == "1k" && memory == Ok(Memory(1)), "{wrong}: {memory:?}");
        }
        assert_eq!(read::<Memory>("128m"), Err(1), "thousandths of a byte are not meant");
    }

    #[test]
    fn portions_are_counts_or_percentages() {
        assert_eq!(read("3"), Ok(Portion(model::Portion::Count(3))));
        assert_eq!(read("25%"), Ok(Portion(model::Portion::Share(0.25))));
        assert_eq!(read("12.5 %"), Ok(Percent(0.125)));
        for wrong in ["-1", "-5 %", "some", "0.5", "\"%\""] {
            assert_eq!(read::<Portion>(wrong), Err(1), "{wrong}");
        }
        assert_eq!(read::<Percent>("50"), Err(1));
    }
}

//! What is varied: a path in a scenario, and the values that it takes.

use super::Edit;

/// A path in a scenario and its values, as `PATH=5,10,20`, `PATH=5..80` or `PATH=5..80/5` writes
/// them.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The path, as [`Edit::path`].
    pub path: String,
    /// The values.
    pub values: Values,
}

/// Values of an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// These, each in YAML.
    List(Vec<String>),
    /// A range of numbers.
    Range(Range),
}

/// A range of numbers with one unit, ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// The first.
    pub from: f64,
    /// The last.
    pub to: f64,
    /// Distance of two; none if the range is continuous.
    pub step: Option<f64>,
    /// What stands behind each number: `d`, ` %`, or nothing.
    pub unit: String,
    /// Whether it has whole numbers only: no end is written with a decimal point.
    pub whole: bool,
}

/// Why a text is no axis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {what}; write `PATH=5,10,20`, `PATH=5..80` or `PATH=5..80/5`")]
pub struct ParseAxisError {
    text: String,
    what: &'static str,
}

impl Axis {
    /// The change that gives the path a value.
    #[must_use]
    pub fn edit(&self, option: &str, value: &str) -> Edit {
        Edit { option: option.to_owned(), path: self.path.clone(), value: value.to_owned() }
    }
}

impl std::str::FromStr for Axis {
    type Err = ParseAxisError;

    fn from_str(text: &str) -> Result<Self, ParseAxisError> {
        let wrong = |what| ParseAxisError { text: text.to_owned(), what };
        let (path, values) = text.split_once('=').ok_or_else(|| wrong("has no `=`"))?;
        if path.trim().is_empty() {
            return Err(wrong("lacks a path"));
        }
        Ok(Self { path: path.trim().to_owned(), values: Values::parse(values).map_err(wrong)? })
    }
}

impl Values {
    /// The values that a text states, as it stands behind `PATH=`; or what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some((from, rest)) = text.split_once("..") {
            let (to, step) = rest.split_once('/').map_or((rest, None), |(to, step)| (to, Some(step)));
            return Range::new(from, to, step).map(Self::Range);
        }
        let list: Vec<_> = split(text).into_iter().map(|value| value.trim().to_owned()).collect();
        if list.iter().any(String::is_empty) { Err("lacks a value") } else { Ok(Self::List(list)) }
    }

    /// Each of them as it is written; none of a continuous range.
    #[must_use]
    pub fn each(&self) -> Option<Vec<String>> {
        match self {
            Self::List(list) => Some(list.clone()),
            Self::Range(range) => Some(range.numbers()?.into_iter().map(|number| range.write(number)).collect()),
        }
    }

    /// The one at a share of the way from the first to the last, 0 included and 1 not: every value
    /// has an equal part of the way.
    #[must_use]
    pub fn at(&self, share: f64) -> String {
        match (self.each(), self) {
            (Some(each), _) => each[((share * each.len() as f64) as usize).min(each.len() - 1)].clone(),
            (None, Self::Range(range)) => range.write(range.at(share)),
            (None, Self::List(_)) => unreachable!("a list has its values"),
        }
    }
}

/// Most values of a range with steps.
const MOST_STEPS: f64 = 1e6;

impl Range {
    /// A range as its ends and its step are written; or what is wrong with them.
    pub(super) fn new(from: &str, to: &str, step: Option<&str>) -> Result<Self, &'static str> {
        let whole = ![Some(from), Some(to), step].into_iter().flatten().any(|text| text.contains('.'));
        let number = |text: &str| {
            let text = text.trim();
            let end = text.find(|c: char| !c.is_ascii_digit() && !"-+.".contains(c)).unwrap_or(text.len());
            let number = text[..end].parse::<f64>().ok().filter(|number| number.is_finite());
            let number = number.ok_or("has an end that is no number")?;
            Ok::<_, &'static str>((number, text[end..].to_owned()))
        };
        let ((from, from_unit), (to, unit)) = (number(from)?, number(to)?);
        let step = step.map(number).transpose()?;
        if !from_unit.is_empty() && from_unit != unit || step.as_ref().is_some_and(|(_, s)| !s.is_empty() && *s != unit)
        {
            return Err("mixes units: write its ends and its step in one, such as 125m..300m/15m");
        }
        let step = step.map(|(step, _)| step);
        if from > to || step.is_some_and(|step| step <= 0.0) {
            return Err("does not increase");
        }
        if step.is_some_and(|step| (to - from) / step > MOST_STEPS) {
            return Err("has more than a million values");
        }
        Ok(Self { from, to, step, unit, whole })
    }

    /// The number at a share of the way; of whole ones each has an equal part. Others have four
    /// digits more than the first one of the range's length.
    fn at(&self, share: f64) -> f64 {
        let length = self.to - self.from;
        if self.whole {
            return (self.from + (share * (length + 1.0)).floor()).min(self.to);
        }
        let digits = 10f64.powf((4.0 - length.max(1e-9).log10().floor()).max(0.0));
        ((self.from + share * length) * digits).round() / digits
    }

    /// A number of the range as it is written.
    #[must_use]
    pub fn write(&self, number: f64) -> String {
        format!("{number}{}", self.unit)
    }

    /// Its numbers, if it has steps: the last is not beyond the end.
    #[must_use]
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let step = self.step?;
        let count = ((self.to - self.from) / step + 1e-9).floor() as usize;
        // Sums of decimal fractions carry no digits that nobody wrote.
        let round = |x: f64| (x * 1e9).round() / 1e9;
        Some((0..=count).map(|i| round(self.from + step * i as f64)).collect())
    }
}

/// Splits at commas outside brackets and braces.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_lists_or_ranges() {
        let range = |from: f64, to, step, unit: &str| {
            let whole = from.fract() == 0.0;
            Values::Range(Range { from, to, step, unit: unit.to_owned(), whole })
        };
        let list = |values: &[&str]| Values::List(values.iter().map(|&v| v.to_owned()).collect());
        let cases = [
            ("a.b=5,10", list(&["5", "10"])),
            ("a=[1, 2],{linear: {from: 1, to: 2}}", list(&["[1, 2]", "{linear: {from: 1, to: 2}}"])),
            ("a=5..80", range(5.0, 80.0, None, "")),
            ("a=5d..80d/5", range(5.0, 80.0, Some(5.0), "d")),
            ("a=0.1..0.3/0.1", range(0.1, 0.3, Some(0.1), "")),
        ];
        for (text, values) in cases {
            assert_eq!(text.parse::<Axis>().map(|axis| axis.values), Ok(values), "{text}");
        }
        for text in ["a", "=5", "a=", "a=5,,6", "a=9..5", "a=5d..6h", "a=x..y", "a=1..5/0"] {
            assert!(text.parse::<Axis>().is_err(), "{text}");
        }
        let Values::Range(tenths) = range(0.1, 0.3, Some(0.1), "") else { unreachable!() };
        assert_eq!(tenths.numbers(), Some(vec![0.1, 0.2, 0.3]));
    }

    #[test]
    fn every_value_has_an_equal_part_of_the_way() {
        let values = |text: &str| Values::parse(text).expect("values");
        let at = |text: &str, shares: [f64; 4]| shares.map(|share| values(text).at(share)).join(" ");
        assert_eq!(at("a,b", [0.0, 0.49, 0.5, 0.999]), "a a b b");
        assert_eq!(at("1d..4d", [0.0, 0.24, 0.26, 0.999]), "1d 1d 2d 4d");
        assert_eq!(at("1..9/4", [0.0, 0.34, 0.66, 0.999]), "1 5 5 9");
        assert_eq!(at("1.0 %..2.0 %", [0.0, 0.25, 1.0 / 3.0, 0.999]), "1 % 1.25 % 1.3333 % 1.999 %");
    }
}

//! Numbers of studies with as many digits as say something.

use crate::outcome::count;
use crate::units::thousands;

/// Numbers below this are nothing to [`count`].
const SMALL: f64 = 0.05;
/// Numbers below this are nothing to anybody.
const NOTHING: f64 = 1e-6;

/// A number that is not negative: as [`count`] has it, or with two digits where that has none.
pub(super) fn figure(n: f64) -> String {
    beside(n, n)
}

/// A number that is not negative, with the digits that another one needs which stands beside it.
pub(super) fn beside(n: f64, other: f64) -> String {
    if (NOTHING..SMALL).contains(&other) { fixed(n, decimals(other)) } else { count(n) }
}

/// Decimals of a number: two digits of a small one, one decimal below ten.
pub(super) fn decimals(n: f64) -> usize {
    match n.abs() {
        ..NOTHING => 0,
        small @ ..0.5 => (1.0 - small.log10().floor()) as usize,
        ..10.0 => 1,
        _ => 0,
    }
}

/// A number that is not negative, with so many decimals; none has none.
pub(super) fn fixed(n: f64, decimals: usize) -> String {
    let text = format!("{n:.decimals$}");
    match text.split_once('.') {
        _ if n == 0.0 => "0".to_owned(),
        Some((whole, part)) => format!("{}.{part}", whole.parse().map_or(whole.to_owned(), thousands)),
        None => count(n.round()),
    }
}

/// What the runs of a point come to, in a word: the statistic that stands for them, and the unit where the numbers do not
/// tell it.
pub(super) fn statistic(unit: &str) -> String {
    match unit {
        "s" => "median".to_owned(),
        "share of runs" => "share".to_owned(),
        "share" => "mean".to_owned(),
        unit => format!("mean, {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_keep_two_digits() {
        for (n, text) in [(0.0, "0"), (0.000_29, "0.00029"), (0.043, "0.043"), (0.2, "0.2"), (12.4, "12"), (1e-15, "0")]
        {
            assert_eq!(figure(n), text);
        }
        assert_eq!((beside(1.1, 0.012), beside(1234.5, 0.02)), ("1.100".to_owned(), "1,234.500".to_owned()));
    }
}

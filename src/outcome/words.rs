//! How estimates are written for people.

use super::Estimate;
use super::Interval;
use crate::record::Holders;
use crate::text::{Phrase, Text, Words, text};
use crate::time::Span;
use crate::units::thousands;

/// A count: whole from 10 on, with one decimal below unless that is 0.
#[must_use]
pub fn count(n: f64) -> String {
    let whole = (n - n.round()).abs() < 0.05;
    if n >= 9.95 || whole { thousands(n.round() as u64) } else { format!("{n:.1}") }
}

/// Parts as whole numbers that add up to their rounded sum: those with the largest remainders are
/// rounded up (Hamilton's method).
#[must_use]
pub fn whole(parts: &[f64]) -> Vec<u64> {
    let mut numbers: Vec<u64> = parts.iter().map(|part| part.floor() as u64).collect();
    let left = (parts.iter().sum::<f64>().round() as u64).saturating_sub(numbers.iter().sum());
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|&a, &b| parts[b].fract().total_cmp(&parts[a].fract()));
    order.iter().take(left as usize).for_each(|&i| numbers[i] += 1);
    numbers
}

/// Who holds how much, as shares that [`crate::units::percent`] prints as whole percentages that add up to
/// 100; what is nearly nothing, or nearly all, stays so.
#[must_use]
pub fn whole_percents(who: &Holders<Estimate>) -> Holders<f64> {
    let parts = who.parts().into_iter().chain(who.reserved).chain(who.held);
    let mut numbers = whole(&parts.map(|share| share.mean * 100.0).collect::<Vec<_>>()).into_iter();
    who.map(|share| match numbers.next().expect("there are as many numbers as parts") {
        0 => share.mean.min(0.004),
        100 => share.mean.max(0.996),
        n => n as f64 / 100.0,
    })
}

/// A length of time; an infinite one is `never`.
#[must_use]
pub fn span(secs: f64) -> Text {
    if secs.is_finite() { Span::from_secs_f64(secs).words() } else { text!("never") }
}

/// Fewest runs for whose interval `±` is written: with fewer, Student's factor makes it wider than
/// what was seen, and the range says more.
pub const FEW_RUNS: usize = 5;

/// The mean of a count with its interval: `1,204 ± 31`, or the range of few runs: `1,204 (1,180 to
/// 1,228)`; the mean alone without an interval, or if all runs about agree.
#[must_use]
pub fn plus_minus(estimate: &Estimate) -> Text {
    let (low, mean, high) = (count(estimate.min), count(estimate.mean), count(estimate.max));
    match estimate.half_width() {
        Some(half) if half >= 0.05 && estimate.runs >= FEW_RUNS => format!("{mean} ± {}", count(half)).words(),
        Some(half) if half >= 0.05 && low != high => text!("{} ({} to {})", mean, low, high),
        _ => mean.words(),
    }
}

/// Whether it is one in every run.
#[must_use]
pub fn is_one(estimate: &Estimate) -> bool {
    (estimate.min, estimate.max) == (1.0, 1.0)
}

/// `1 pod`, `212 pods`.
#[must_use]
pub fn pods(estimate: &Estimate) -> Text {
    if is_one(estimate) { text!("1 pod") } else { text!("{} pods", plus_minus(estimate)) }
}

/// `1 node`, `12 nodes`.
#[must_use]
pub fn nodes(estimate: &Estimate) -> Text {
    if is_one(estimate) { text!("1 node") } else { text!("{} nodes", plus_minus(estimate)) }
}

/// A time over the runs: the median and, if the runs differ, the 5 to 95 % quantiles.
#[must_use]
pub fn range_of_spans(estimate: &Estimate) -> Text {
    let (low, middle, high) = (span(estimate.p5), span(estimate.median), span(estimate.p95));
    if low == high { middle } else { text!("{middle} ({low} to {high})", middle, low, high) }
}

/// ` (48 to 85 %)`; nothing without an interval.
#[must_use]
pub fn in_parentheses(share: Option<&Interval>) -> Text {
    // What is nearly nothing, or nearly all, is neither.
    let percent = |share: f64| {
        let digits = usize::from((0.0005..0.0095).contains(&share) || (0.9905..0.9995).contains(&share));
        format!("{:.digits$}", share * 100.0)
    };
    share.map_or_else(Text::default, |i| text!(" ({} to {} %)", percent(i.low), percent(i.high)))
}

/// A unit of the model's readings, in words.
///
/// # Panics
/// If it has no Chinese; a test asks for all of them.
#[must_use]
pub fn unit_text(unit: &'static str) -> Text {
    Phrase::find_unit(unit).expect("a test asks for every unit").words()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_spans_read_well() {
        for (n, text) in
            [(0.0, "0"), (0.25, "0.2"), (3.0, "3"), (2.9999, "3"), (9.96, "10"), (12.4, "12"), (8188.0, "8,188")]
        {
            assert_eq!(count(n), text);
        }
        assert_eq!(span(f64::INFINITY), "never");
        assert_eq!(span(2460.0), "41m");
    }

    #[test]
    fn whole_parts_add_up() {
        assert_eq!(whole(&[3.4, 2.4, 2.2]), [4, 2, 2]);
        assert_eq!(whole(&[1.0, 0.0, 7.0]), [1, 0, 7]);
        assert_eq!(whole(&[0.5, 0.5, 0.5, 0.5]), [1, 1, 0, 0]);
        assert_eq!(whole(&[]), [0; 0]);
    }

    #[test]
    fn percentages_add_up_and_none_and_all_are_never_told_wrongly() {
        let percents = |pods: f64, idle: f64, others: f64| {
            let nobody = Estimate::of(&[0.0]).expect("a value");
            let [pods, idle, others] = [pods, idle, others].map(|share| Estimate::of(&[share]).expect("a value"));
            let who = Holders {
                pods,
                idle,
                leaked: nobody,
                primaries: nobody,
                others,
                free: nobody,
                reserved: None,
                held: None,
            };
            let shares = whole_percents(&who);
            [shares.pods, shares.idle, shares.others].map(crate::units::percent)
        };
        assert_eq!(percents(0.165, 0.826, 0.009), ["16 %", "83 %", "1 %"]);
        assert_eq!(percents(0.335, 0.335, 0.33), ["34 %", "33 %", "33 %"]);
        assert_eq!(percents(0.999, 0.001, 0.0), [">99 %", "<1 %", "0 %"]);
        assert_eq!(percents(1.0, 0.0, 0.0), ["100 %", "0 %", "0 %"]);
    }

    #[test]
    fn agreeing_runs_need_no_interval() {
        let same = Estimate::of(&[5.0, 5.0, 5.0]).expect("values");
        assert_eq!((plus_minus(&same).english().as_str(), range_of_spans(&same).english().as_str()), ("5", "5.0 s"));
        let differ = Estimate::of(&[10.0, 20.0]).expect("values");
        assert_eq!(plus_minus(&differ), "15 (10 to 20)");
        let nearly = Estimate::of(&[32.8, 33.2]).expect("values");
        assert_eq!(plus_minus(&nearly), "33");
        assert_eq!(range_of_spans(&differ), "15.0 s (10.5 s to 19.5 s)");
    }
}

//! Differences in words.

use crate::outcome::{Clock, Estimate, Interval, count, span};
use crate::report::figures::{decimals, fixed};
use crate::study::{Contrast, Difference, Reality, Side, Statistic};
use crate::units::percent;

/// One sentence that compares a variant with the first: the most important difference that is real.
pub(super) fn sentence(contrast: &Contrast, first: &str) -> String {
    let variant = &contrast.variant;
    let all = &contrast.differences;
    if all.iter().all(|difference| difference.reality == Reality::Same || is_void(difference)) {
        return format!("{variant} and {first} do the same in every run.");
    }
    let runs = all.iter().map(|difference| difference.pairs).max().unwrap_or(0);
    if runs < 2 {
        return format!("One run each tells nothing about {variant} and {first}: give --replications 20, for example.");
    }
    // What is about the whole cluster says more than one vSwitch, and what changes much more than what hardly does.
    let order = |d: &&Difference| (is_slight(d), d.family);
    let mut found = all.iter().filter(|difference| difference.reality == Reality::Real);
    match found.clone().filter(|difference| difference.family.is_short()).min_by_key(order) {
        Some(difference) => real(difference, variant, first),
        None if all.iter().any(|difference| difference.is_asked) => {
            format!("Nothing that was asked for differs for sure between {variant} and {first} in {runs} runs.")
        }
        None if found.next().is_some() => {
            format!("Only lesser measures differ for sure between {variant} and {first} in {runs} runs.")
        }
        None => format!("Chance may explain every difference between {variant} and {first} in {runs} runs."),
    }
}

/// Whether a difference is too small for anybody to care: less than a twentieth of a thing or of a second, or one in a
/// hundred.
fn is_slight(difference: &Difference) -> bool {
    let Some(change) = difference.difference.map(f64::abs) else { return true };
    let mean = |side: &Side| side.value.map_or(0.0, |value| value.mean).abs();
    let larger = mean(&difference.first).max(mean(&difference.variant));
    let least = if difference.unit == "share" { 0.005 } else { 0.05 };
    difference.statistic == Statistic::Mean && (change < least || change < 0.01 * larger && larger.is_finite())
}

fn real(difference: &Difference, variant: &str, first: &str) -> String {
    let is_full = difference.measure.strip_suffix(".time_to_full");
    let whole = match is_full {
        Some("vswitch") | None => String::new(),
        Some(id) => format!("{id} of "),
    };
    if difference.statistic == Statistic::Share {
        let share = |side: &Side| format!("{} of {} runs", side.finite, side.finite + side.never);
        let (there, here) = (share(&difference.variant), share(&difference.first));
        return match is_full {
            Some(_) => format!("{whole}{variant} is full in {there}, {first} in {here}."),
            None => format!("{} in {there} of {variant}, in {here} of {first}.", label(difference)),
        };
    }
    let mean = difference.difference.expect("what is real has a mean");
    let writer = Writer::of(difference);
    let size = writer.write(mean.abs());
    let sure = difference.interval.map(|interval| {
        let ends = if mean < 0.0 { (-interval.high, -interval.low) } else { (interval.low, interval.high) };
        format!(" (95 %: {} to {})", writer.bare(ends.0), writer.bare(ends.1))
    });
    let sure = sure.unwrap_or_default();
    let among = among(difference);
    match is_full {
        Some(_) => {
            let when = if mean < 0.0 { "earlier" } else { "later" };
            format!("{whole}{variant} is full {size} {when} than {first}{sure}{among}.")
        }
        None => {
            let than = if mean < 0.0 { "less" } else { "more" };
            format!("{} is {size} {than} in {variant} than in {first}{sure}{among}.", difference.measure)
        }
    }
}

/// `, over the 12 runs in which both have it`, where not all runs could be compared.
fn among(difference: &Difference) -> String {
    match (missing(difference), difference.pairs) {
        (0, _) => String::new(),
        (_, pairs) => format!(", over the {pairs} runs in which both have it"),
    }
}

/// Runs that the mean leaves out, since one side has no finite value in them.
pub(super) fn missing(difference: &Difference) -> usize {
    let side = difference.first;
    side.finite + side.never + side.nothing - difference.pairs
}

/// Whether it is the same in some runs only: in others one has a finite value and the other has none.
pub(super) fn is_same_where_both(difference: &Difference) -> bool {
    let Difference { first, variant, pairs, .. } = difference;
    let is_everywhere = [first.finite, variant.finite] == [*pairs; 2] && first.never == variant.never;
    difference.reality == Reality::Same && difference.statistic == Statistic::Mean && !is_everywhere
}

/// Whether no run of either has a value.
pub(super) fn is_void(difference: &Difference) -> bool {
    let counted = |side: &Side| match difference.statistic {
        Statistic::Mean => side.finite,
        Statistic::Share => side.finite + side.never,
    };
    counted(&difference.first) + counted(&difference.variant) == 0
}

/// What is compared: `vswitch is full`, or the name of the measure.
pub(super) fn label(difference: &Difference) -> String {
    let name = &difference.measure;
    if difference.statistic == Statistic::Mean || difference.is_statement {
        return name.clone();
    }
    let ends = [
        (".time_to_full", "is full"),
        (".prefixes.time_to_refusal", "refuses a prefix"),
        (".began", "begins"),
        (".took", "is complete"),
    ];
    let event = ends.iter().find_map(|(ending, does)| Some(format!("{} {does}", name.strip_suffix(ending)?)));
    event.unwrap_or_else(|| format!("{name} ends"))
}

/// What one side says: runs, the median of a point in time or of what never comes in some run, the mean of everything else.
pub(super) fn side(side: &Side, difference: &Difference, clock: &Clock) -> String {
    if difference.statistic == Statistic::Share {
        return format!("{} of {}", side.finite, side.finite + side.never);
    }
    let Some(Estimate { mean, median, .. }) = side.value else { return "none".to_owned() };
    match difference.unit {
        "s" if median.is_infinite() => "never".to_owned(),
        "s" if difference.reading.is_point_in_time() => clock.point(median).english(),
        "s" if difference.first.never + difference.variant.never > 0 => span(median).english(),
        "s" => span(mean).english(),
        "share" => percent(mean),
        _ => match Writer::of(difference).decimals {
            ..=1 => count(mean),
            decimals => fixed(mean, decimals),
        },
    }
}

/// `+12.1 d (+10.0 to +14.2)`, or `-17 runs`.
pub(super) fn change(difference: &Difference) -> String {
    let writer = Writer::of(difference);
    let signed = |n: f64| format!("{}{}", sign(n), writer.bare(n.abs()));
    let interval = difference.interval.filter(|interval| interval.low != interval.high);
    let interval = interval.map(|i| format!(" ({} to {})", signed(i.low), signed(i.high)));
    size(difference, &writer) + &interval.unwrap_or_default()
}

/// The same in fewer characters: `+12.1 d ± 2.1`.
pub(super) fn short_change(difference: &Difference) -> String {
    let writer = Writer::of(difference);
    let half = difference.interval.map(|interval| (interval.high - interval.low) / 2.0).filter(|&half| half > 0.0);
    size(difference, &writer) + &half.map(|half| format!(" ± {}", writer.bare(half))).unwrap_or_default()
}

fn size(difference: &Difference, writer: &Writer) -> String {
    let Some(mean) = difference.difference else { return "no run has both".to_owned() };
    if difference.statistic == Statistic::Mean {
        return format!("{}{}", sign(mean), writer.short(mean.abs()));
    }
    let runs = (mean * difference.pairs as f64).round();
    let s = if runs.abs() == 1.0 { "" } else { "s" };
    if runs == 0.0 { "as many".to_owned() } else { format!("{runs:+} run{s}") }
}

/// The word for what to make of a difference.
pub(super) fn reality(difference: &Difference) -> String {
    let word = match difference.reality {
        Reality::Real => "real",
        Reality::MayBeChance => "chance?",
        Reality::Same if is_same_where_both(difference) => return format!("same in {}", difference.pairs),
        Reality::Same => "same",
        Reality::Unknown if difference.pairs == 1 => "one run",
        Reality::Unknown => "",
    };
    word.to_owned()
}

fn sign(n: f64) -> &'static str {
    if n < 0.0 { "-" } else { "+" }
}

/// Writes a difference and its interval in one unit.
struct Writer {
    per_unit: f64,
    short: &'static str,
    long: &'static str,
    /// Whether numbers have a decimal: those of a length of time, and small ones.
    decimals: usize,
}

impl Writer {
    fn of(difference: &Difference) -> Self {
        let mean = difference.difference.unwrap_or(0.0);
        let Interval { low, high } = difference.interval.unwrap_or(Interval { low: mean, high: mean });
        let most = mean.abs().max(low.abs()).max(high.abs());
        let (per_unit, short, long) = match (difference.unit, most) {
            ("s", 172_800.0..) => (86_400.0, " d", " days"),
            ("s", 7_200.0..) => (3_600.0, " h", " hours"),
            ("s", 120.0..) => (60.0, " min", " minutes"),
            ("s", 1.0..) => (1.0, " s", " seconds"),
            ("s", _) => (0.001, " ms", " ms"),
            ("share", _) => (0.01, " points", " percentage points"),
            _ => (1.0, "", ""),
        };
        let decimals = match (difference.unit, most / per_unit) {
            ("s" | "share", _) => 1,
            (_, most) => decimals(most),
        };
        let long = if long.is_empty() { difference.unit } else { long };
        Self { per_unit, short, long, decimals }
    }

    fn bare(&self, n: f64) -> String {
        let n = n / self.per_unit;
        if self.decimals == 0 && n >= 0.0 { count(n.round()) } else { format!("{n:.*}", self.decimals) }
    }

    fn short(&self, n: f64) -> String {
        self.bare(n) + self.short
    }

    fn write(&self, n: f64) -> String {
        let space = if self.long.starts_with(' ') { "" } else { " " };
        format!("{}{space}{}", self.bare(n), self.long)
    }
}

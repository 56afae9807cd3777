//! What a comparison leaves behind: text for the terminal, and a folder with CSV, JSON and a page.

mod page;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Context;
use csv::Writer;
use serde::Serialize;

use super::terminal::table;
use super::{Draft, file_name, in_json, json, save};
use crate::outcome::{Interval, Summary, Verdict};
use crate::scenario::Source;
use crate::study::{Contrast, Difference, Family, Reality, Side, Statistic, Variant, median_error_ratio, tested};
use crate::text::{Lang, wrap};

/// Most rows of a table on the terminal; `compare.csv` has all.
const MOST_ROWS: usize = 24;
/// Most characters of a measure, and of the name of a variant, so that a table has 80 columns.
const LONGEST_LABEL: usize = 24;
const LONGEST_NAME: usize = 12;

/// A finished comparison.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// The variants; everything is compared with the first.
    pub variants: &'a [Variant],
    /// What each variant is: its file, and changes.
    pub origins: &'a [String],
    /// What each variant means.
    pub summaries: &'a [Summary],
    /// How each further variant differs from the first.
    pub contrasts: &'a [Contrast],
    /// The files that were read, each once.
    pub sources: &'a [Source],
    /// Warnings of loading them, and of what is compared.
    pub warnings: &'a [String],
    /// A command that repeats the comparison.
    pub reproduce: &'a str,
}

/// What `compare.json` holds.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    variants: Vec<Entry<'a>>,
    answers: Vec<String>,
    seed: u64,
    replications: usize,
    version: &'static str,
    /// Distinct comparisons: the families of Holm's correction.
    tested: Tested,
    common_random_numbers: Gain,
    method: String,
    warnings: &'a [String],
    contrasts: &'a [Contrast],
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    name: &'a str,
    origin: &'a str,
    verdict: &'a Verdict,
}

/// How many distinct comparisons were tested.
#[derive(Debug, Serialize)]
struct Tested {
    headlines: usize,
    single_vswitches: usize,
    others: usize,
}

/// What common random numbers are worth.
#[derive(Debug, Serialize)]
struct Gain {
    /// Standard errors of unpaired runs over those of the pairs; their square is how many times as
    /// many runs would be needed.
    median_error_ratio: Option<f64>,
}

/// The comparison in plain text: verdicts, one sentence for each further variant, tables. Text
/// wraps at `columns`; give [`usize::MAX`] where no one looks.
#[must_use]
pub fn terminal(comparison: &Comparison, columns: usize) -> String {
    let Comparison { variants, summaries, contrasts, .. } = comparison;
    let mut text = String::new();
    for (variant, summary) in variants.iter().zip(*summaries) {
        text += &format!("{}\n", wrap(&format!("{}: {}", variant.name, summary.verdict.text.english()), 0, columns));
    }
    for sentence in comparison.sentences() {
        text += &format!("\n{}\n", wrap(&sentence, 0, columns));
    }
    for (contrast, summary) in contrasts.iter().zip(&summaries[1..]) {
        text += &section(comparison, contrast, summary, columns);
    }
    text + "\n" + &wrap(&comparison.method(), 0, columns) + "\n"
}

/// A text in at most this many characters: its beginning and its end, since names differ in either.
fn shorten(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let (head, tail) = letters.split_at((most - 1).div_ceil(2));
    head.iter().chain(&['…']).chain(&tail[letters.len() + 1 - most..]).collect()
}

/// Writes the folder of a comparison below `root` and returns its path, as [`super::write`] does:
/// complete or not at all, and nothing that exists is touched. All files are the same, byte for
/// byte, for the same scenarios, seed and version.
///
/// # Errors
/// If something cannot be written; nothing is left behind then.
pub fn write(root: &Path, name: &str, comparison: &Comparison) -> anyhow::Result<PathBuf> {
    let name = file_name(&format!("{name}-compare"));
    std::fs::create_dir_all(root).with_context(|| format!("cannot create the folder {}", root.display()))?;
    let draft = Draft::new(root, &name)?;
    save(&draft.0, "compare.csv", &csv(comparison.contrasts, &comparison.variants[0].name)?)?;
    save(&draft.0, "compare.json", &self::answer(comparison)?)?;
    save(&draft.0, "compare.html", page::page(comparison)?.as_bytes())?;
    draft.publish(root, &name)
}

/// The comparison as JSON.
///
/// # Errors
/// Never, as all of it is plain data.
pub fn answer(comparison: &Comparison) -> anyhow::Result<Vec<u8>> {
    let Comparison { variants, origins, summaries, contrasts, .. } = comparison;
    let entries = variants.iter().zip(*origins).zip(*summaries);
    let entries =
        entries.map(|((variant, origin), summary)| Entry { name: &variant.name, origin, verdict: &summary.verdict });
    let method = &summaries[0].method;
    let [headlines, single_vswitches, others] = tested(contrasts);
    json(&Answer {
        variants: entries.collect(),
        answers: comparison.sentences(),
        seed: method.seed,
        replications: method.replications,
        version: method.version,
        tested: Tested { headlines, single_vswitches, others },
        common_random_numbers: Gain { median_error_ratio: median_error_ratio(contrasts) },
        method: comparison.method(),
        warnings: comparison.warnings,
        contrasts,
    })
}

impl Comparison<'_> {
    /// One sentence for each further variant.
    fn sentences(&self) -> Vec<String> {
        self.contrasts.iter().map(|contrast| words::sentence(contrast, &self.variants[0].name)).collect()
    }

    /// How the numbers were made, in words.
    fn method(&self) -> String {
        let n = self.variants[0].runs.len();
        if n == 1 {
            return "One run each, so no intervals.".to_owned();
        }
        let gain = median_error_ratio(self.contrasts).filter(|ratio| ratio.is_finite());
        let gain = gain.map(|ratio| {
            format!(" Without common random numbers standard errors would be {ratio:.1} times as large (median).")
        });
        let [headlines, single, others] = tested(self.contrasts);
        format!(
            "{n} pairs of runs with the same random numbers. A variant: its mean; of points in time, and of times that never \
             come in some run, the median of all runs, in which never is the longest. Differences: mean of the pairs with \
             its 95 % interval (Student's t). Runs in which something happens are compared by McNemar's exact test. A \
             difference is \"real\" if it stays so after Holm's correction for the {headlines} distinct comparisons of \
             headlines (and the {single} of single vSwitches and the {others} others, each among themselves): chance puts \
             a real one into each of the three in at most 5 of 100 tables.{}",
            gain.unwrap_or_default()
        )
    }
}

/// The rows of a short table: all that was asked for, or headlines that differ, each comparison once.
fn short(contrast: &Contrast) -> Vec<&Difference> {
    let differs = |d: &Difference| d.reality != Reality::Same && !words::is_void(d) && d.repeats.is_none();
    let is_shown = |d: &&Difference| d.is_asked || d.family.is_short() && differs(d);
    contrast.differences.iter().filter(is_shown).collect()
}

/// What no run tells apart: headlines by name, everything else counted.
fn same(contrast: &Contrast) -> Option<String> {
    let all = contrast.differences.iter().filter(|d| !d.is_asked && d.reality == Reality::Same);
    let all = all.filter(|d| !words::is_same_where_both(d));
    // That waits end, in as many runs, goes without saying.
    let is_told = |d: &Difference| d.statistic == Statistic::Mean || d.measure.ends_with(".time_to_full");
    let is_named = |d: &Difference| d.family == Family::Headline && is_told(d);
    let (named, others): (Vec<_>, Vec<_>) = all.partition(|d| is_named(d));
    let names = named.into_iter().map(words::label).collect::<Vec<_>>().join(", ");
    match (names.is_empty(), others.len()) {
        (true, 0) => None,
        (true, n) => Some(format!("{n} measures are the same in every run.")),
        (false, 0) => Some(format!("The same in every run: {names}.")),
        (false, n) => Some(format!("The same in every run: {names}, and {n} more measures.")),
    }
}

/// Headlines that only some runs of both have, and that are the same there.
fn same_where_both(contrast: &Contrast) -> Option<String> {
    let all = contrast.differences.iter().filter(|d| d.family.is_short() && !d.is_asked);
    let all = all.filter(|d| words::is_same_where_both(d));
    let names: Vec<_> = all.map(|d| format!("{} ({})", words::label(d), d.pairs)).collect();
    (!names.is_empty()).then(|| format!("The same in the runs in which both have it: {}.", names.join(", ")))
}

fn section(comparison: &Comparison, contrast: &Contrast, summary: &Summary, columns: usize) -> String {
    let first = &comparison.variants[0].name;
    let rows = short(contrast);
    let (clocks, shown) = ((comparison.summaries[0].method.clock, summary.method.clock), rows.iter().take(MOST_ROWS));
    let lines = shown.map(|d| {
        vec![
            if d.is_asked { words::label(d) } else { shorten(&words::label(d), LONGEST_LABEL) },
            words::side(&d.first, d, &clocks.0),
            words::side(&d.variant, d, &clocks.1),
            words::short_change(d),
            words::reality(d),
        ]
    });
    let lines: Vec<_> = lines.collect();
    let header =
        ["", &shorten(first, LONGEST_NAME), &shorten(&contrast.variant, LONGEST_NAME), "difference (95 %)", ""];
    let mut text = format!("\n{}\n", wrap(&format!("{} against {first}", contrast.variant), 0, columns));
    if !lines.is_empty() {
        text += &format!("{}\n", table(&header, &lines, &[0, 3, 4], Lang::English));
    }
    for note in notes(contrast, first, &rows) {
        text += &format!("{}\n", wrap(&note, 0, columns));
    }
    text
}

/// What a short table does not show.
fn notes(contrast: &Contrast, first: &str, rows: &[&Difference]) -> Vec<String> {
    let mut notes = Vec::new();
    let partial = rows.iter().filter(|d| d.statistic == Statistic::Mean && d.pairs > 0 && words::missing(d) > 0);
    let partial: Vec<_> = partial.map(|d| format!("{} ({})", d.measure, d.pairs)).collect();
    if !partial.is_empty() {
        notes.push(format!("Over fewer runs, those in which both have a finite value: {}.", partial.join(", ")));
    }
    notes.extend(same(contrast));
    notes.extend(same_where_both(contrast));
    for (name, only) in [(first, &contrast.only_first), (&contrast.variant, &contrast.only_variant)] {
        if !only.is_empty() {
            notes.push(format!("Only {name} has {}.", only.join(", ")));
        }
    }
    let rest = contrast
        .differences
        .iter()
        .filter(|d| d.repeats.is_none() && d.reality != Reality::Same && !words::is_void(d) && !d.family.is_short());
    let rest: Vec<_> = rest.chain(rows.iter().skip(MOST_ROWS).copied()).collect();
    let real = rest.iter().filter(|difference| difference.reality == Reality::Real).count();
    if !rest.is_empty() {
        notes.push(format!("{} more measures differ, {real} of them really: compare.csv has all.", rest.len()));
    }
    notes
}

/// One row per further variant, reading and statistic, the most important first; what does not
/// apply to a row is empty, and a time that never comes is `inf`.
fn csv(contrasts: &[Contrast], first: &str) -> anyhow::Result<Vec<u8>> {
    let mut csv = Writer::from_writer(Vec::new());
    let columns = ["first", "variant", "measure", "statistic", "unit", "pairs", "difference", "low", "high", "p"];
    let sides = ["first", "variant"]
        .map(|side| ["mean", "median", "finite", "never", "nothing"].map(|n| format!("{side}_{n}")));
    let last = ["p_holm", "reality", "family", "repeats", "error_ratio"];
    let header = columns.into_iter().chain(last).map(str::to_owned).chain(sides.into_iter().flatten());
    csv.write_record(header)?;
    for contrast in contrasts {
        for difference in &contrast.differences {
            csv.write_record(record(difference, first, &contrast.variant)?)?;
        }
    }
    Ok(csv.into_inner()?)
}

fn record(difference: &Difference, first: &str, variant: &str) -> anyhow::Result<Vec<String>> {
    let some = |n: Option<f64>| n.map(|n| n.to_string()).unwrap_or_default();
    let (low, high) = difference.interval.map(|Interval { low, high }| (low, high)).unzip();
    let statistic = in_json(difference.statistic)?;
    let names = [first, variant, &difference.measure, &statistic, difference.unit].map(str::to_owned);
    // A tiny one would be a row of zeros.
    let probability = |p: Option<f64>| match p {
        Some(p) if p < 1e-4 => format!("{p:.3e}"),
        p => some(p),
    };
    let [difference_, low, high] = [difference.difference, low, high].map(some);
    let [p, p_holm] = [difference.p, difference.p_holm].map(probability);
    let numbers = [difference_, low, high, p, p_holm];
    let repeats = difference.repeats.clone().unwrap_or_default();
    let more = [in_json(difference.reality)?, in_json(difference.family)?, repeats, some(difference.error_ratio)];
    let sides =
        [difference.first, difference.variant].into_iter().flat_map(|Side { value, finite, never, nothing }| {
            let values = [value.map(|value| value.mean), value.map(|value| value.median)].map(some);
            values.into_iter().chain([finite, never, nothing].map(|n| n.to_string()))
        });
    let head = names.into_iter().chain([difference.pairs.to_string()]);
    Ok(head.chain(numbers).chain(more).chain(sides).collect())
}

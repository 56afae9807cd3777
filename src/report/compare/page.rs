//! The page of a comparison: one file that needs nothing else.

use serde::Serialize;

use super::{Comparison, notes, short, words};
use crate::report::html::{self, File};
use crate::report::{Plot, plot};
use crate::study::{Difference, Reality};
use crate::text::Lang;

const TEMPLATE: &str = include_str!("compare.html");

/// What the template shows.
#[derive(Debug, Serialize)]
struct Page<'a> {
    style: &'static str,
    title: String,
    variants: Vec<Shown<'a>>,
    answers: Vec<String>,
    method: String,
    warnings: &'a [String],
    plots: Vec<Plot>,
    tables: Vec<Table<'a>>,
    reproduce: &'a str,
    sources: Vec<File<'a>>,
    version: &'static str,
    seed: u64,
    runs: usize,
}

/// A variant and what it means.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    name: &'a str,
    origin: &'a str,
    verdict: String,
}

/// The differences of one variant.
#[derive(Debug, Serialize)]
struct Table<'a> {
    variant: &'a str,
    first: &'a str,
    rows: Vec<Row>,
    notes: Vec<String>,
    /// Everything, also what is the same.
    all: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    label: String,
    unit: &'static str,
    first: String,
    variant: String,
    change: String,
    p: String,
    reality: String,
    is_real: bool,
}

/// The page as HTML.
pub(super) fn page(comparison: &Comparison) -> anyhow::Result<String> {
    let Comparison { variants, origins, summaries, .. } = comparison;
    let shown = variants.iter().zip(*origins).zip(*summaries);
    let shown =
        shown.map(|((v, origin), summary)| Shown { name: &v.name, origin, verdict: summary.verdict.text.english() });
    let method = &summaries[0].method;
    let names: Vec<_> = variants.iter().map(|variant| variant.name.as_str()).collect();
    let page = Page {
        style: html::style(),
        title: names.join(" against "),
        variants: shown.collect(),
        answers: comparison.sentences(),
        method: comparison.method(),
        warnings: comparison.warnings,
        plots: plot::overlay(variants),
        tables: (0..comparison.contrasts.len()).map(|i| table(comparison, i)).collect(),
        reproduce: comparison.reproduce,
        sources: comparison.sources.iter().map(File::of).collect(),
        version: method.version,
        seed: method.seed,
        runs: method.replications,
    };
    html::render("compare.html", TEMPLATE, &page, Lang::English)
}

fn table<'a>(comparison: &Comparison<'a>, i: usize) -> Table<'a> {
    let contrast = &comparison.contrasts[i];
    let clocks = [0, i + 1].map(|i| comparison.summaries[i].method.clock);
    let row = |d: &Difference| Row {
        label: words::label(d),
        unit: d.unit,
        first: words::side(&d.first, d, &clocks[0]),
        variant: words::side(&d.variant, d, &clocks[1]),
        change: words::change(d),
        p: d.p_holm.map(p).unwrap_or_default(),
        reality: words::reality(d),
        is_real: d.reality == Reality::Real,
    };
    let first = &comparison.variants[0].name;
    let rows = short(contrast);
    Table {
        variant: &contrast.variant,
        first,
        notes: notes(contrast, first, &rows),
        rows: rows.into_iter().map(row).collect(),
        all: contrast.differences.iter().map(row).collect(),
    }
}

/// `<0.001` or `0.013`.
fn p(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

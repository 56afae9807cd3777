//! The page of a sweep: one file that needs nothing else.

use serde::Serialize;

use super::terminal::{self, coefficient};
use super::{pictures, words};
use crate::outcome::Interval;
use crate::report::figures::statistic;
use crate::report::html::File;
use crate::report::{Plot, html};
use crate::study::Values;
use crate::study::sweep::{Design, Influence, Method, Results, ranking};
use crate::text::Lang;
use crate::units::percent;

const TEMPLATE: &str = include_str!("sweep.html");
/// Most points that the page lists; `sweep.csv` has all.
const MOST_POINTS: usize = 500;

#[derive(Debug, Serialize)]
struct Page<'a> {
    style: &'static str,
    name: &'a str,
    title: String,
    question: &'a str,
    claims: Vec<String>,
    warnings: &'a [String],
    plots: &'a [Plot],
    constant: Vec<String>,
    sensitivity: Vec<Vec<String>>,
    is_regression: bool,
    labels: Vec<String>,
    measures: Vec<(&'a str, String)>,
    points: Vec<Vec<String>>,
    more_points: usize,
    axes: Vec<(&'a str, String)>,
    sources: Vec<File<'a>>,
    reproduce: &'a str,
    version: &'static str,
    /// None if it is varied.
    seed: Option<u64>,
}

/// The page.
pub(super) fn page(results: &Results, plots: &[Plot], reproduce: &str) -> anyhow::Result<String> {
    let sweep = results.sweep;
    let axes = sweep.axes.iter().enumerate().map(|(i, axis)| (axis.path.as_str(), values(results, i)));
    let measures = sweep.measures.iter().map(|(name, unit)| (name.as_str(), statistic(unit)));
    let page = Page {
        style: html::style(),
        name: &sweep.name,
        title: terminal::title(results),
        question: &sweep.question,
        claims: terminal::claims(results),
        warnings: &sweep.warnings,
        plots,
        constant: constant(results),
        sensitivity: sensitivity(results),
        is_regression: sweep.design == Design::LatinHypercube,
        labels: sweep.labels(),
        measures: measures.collect(),
        points: (0..sweep.points.len().min(MOST_POINTS)).map(|point| row(results, point)).collect(),
        more_points: sweep.points.len().saturating_sub(MOST_POINTS),
        axes: axes.collect(),
        sources: sweep.sources.iter().map(File::of).collect(),
        reproduce,
        version: env!("CARGO_PKG_VERSION"),
        seed: sweep.axes.iter().all(|axis| axis.path != "seed").then_some(sweep.seed),
    };
    html::render("sweep.html", TEMPLATE, &page, Lang::English)
}

/// The values that an axis takes, in words.
fn values(results: &Results, axis: usize) -> String {
    match &results.sweep.axes[axis].values {
        Values::List(list) => list.join(", "),
        Values::Range(range) => {
            let step = range.step.map_or(String::new(), |step| format!(" in steps of {}", range.write(step)));
            format!("{} to {}{step}", range.write(range.from), range.write(range.to))
        }
    }
}

/// Measures that are the same at all points.
fn constant(results: &Results) -> Vec<String> {
    let measures = results.sweep.measures.iter().enumerate();
    let same = measures.filter(|&(measure, _)| !pictures::differs(results, measure));
    let text = |(measure, (name, unit)): (usize, &(String, &str))| {
        let value = results.headlines(measure)[0].map_or("none".to_owned(), |value| words::value(value, unit));
        format!("{name}: {value}")
    };
    same.map(text).collect()
}

/// A row per measure: its name, a number per axis, and how much all explain.
fn sensitivity(results: &Results) -> Vec<Vec<String>> {
    let row = |(measure, (name, _)): (usize, &(String, &'static str))| {
        let ranking = ranking(results, measure)?;
        let influence = |influence: &Influence| match (ranking.method, influence.interval) {
            (Method::RankRegression, Some(Interval { low, high })) => {
                let [value, low, high] = [influence.value, low, high].map(coefficient);
                format!("{value} ({low} to {high})")
            }
            (Method::RankRegression, None) => coefficient(influence.value),
            _ => percent(influence.value),
        };
        let start = [name.clone()].into_iter().chain(ranking.influences.iter().map(influence));
        Some(start.chain([percent(ranking.explained)]).collect())
    };
    results.sweep.measures.iter().enumerate().filter_map(row).collect()
}

fn row(results: &Results, point: usize) -> Vec<String> {
    let sweep = results.sweep;
    let values = sweep.points[point].values.iter().cloned();
    let cell =
        |(measure, (_, unit)): (usize, &(String, &'static str))| words::cell(&results.cell(point, measure), unit);
    let claims =
        (0..sweep.claims.len()).map(|claim| results.decision(point, claim).map_or("", super::tables::word).to_owned());
    [(point + 1).to_string()]
        .into_iter()
        .chain(values)
        .chain(sweep.measures.iter().enumerate().map(cell))
        .chain(claims)
        .collect()
}

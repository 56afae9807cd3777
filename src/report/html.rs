//! The page: one file that needs nothing else. Without JavaScript, and on paper, pictures are the same
//! SVG as in `plots/`; with it they can be read and zoomed.

use std::collections::BTreeMap;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::content::{Advice, Content, Key, Policy, Section, Table};
use super::plot::{Chart, Grid, Picture};
use super::{Run, sha256, validation};
use crate::outcome::{Clock, MEASURES, Measure, Summary};
use crate::scenario::{Origin, Setting, Source};

const TEMPLATE: &str = include_str!("report.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The fixed texts of the page and of its script, in one place so that they can be translated.
const WORDS: &str = include_str!("words.json");
const UPLOT: &str = include_str!("../../assets/uplot/uPlot.iife.min.js");
const UPLOT_STYLE: &str = include_str!("../../assets/uplot/uPlot.min.css");
const UPLOT_LICENSE: &str = include_str!("../../assets/uplot/LICENSE");

/// Longest file that the page shows, in bytes.
const LONGEST_SOURCE: usize = 100_000;

/// What the template shows.
#[derive(Debug, Serialize)]
struct Page<'a> {
    words: Value,
    style: &'static str,
    uplot_style: &'static str,
    uplot_license: &'static str,
    scripts: [&'static str; 2],
    /// The scripts that the browser may run, and no other, for the Content-Security-Policy.
    hashes: [String; 2],
    data: String,
    summary: &'a Summary,
    key: &'a [Key],
    advice: &'a [Advice],
    policy: Option<&'a Policy>,
    warnings: &'a [String],
    main: Figure<'a>,
    sections: Vec<Shown<'a>>,
    settings: Vec<Row<'a>>,
    uncertain: Option<&'a Table>,
    sources: Vec<File<'a>>,
    quantiles: &'a [Vec<String>],
    validation: String,
    reproduce: &'a str,
    measures: &'static [Measure],
}

/// A section as the template shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: &'static str,
    figures: Vec<Figure<'a>>,
    tables: &'a [Table],
}

/// A picture as the template shows it.
#[derive(Debug, Serialize)]
struct Figure<'a> {
    name: &'a str,
    caption: &'a str,
    svg: &'a str,
    grid: &'a Grid,
}

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    words: &'a Value,
    in_days: bool,
    start: Option<String>,
    horizon_s: f64,
    charts: BTreeMap<&'a str, &'a Chart>,
}

/// A value of the model.
#[derive(Debug, Serialize)]
struct Row<'a> {
    path: &'a str,
    value: &'a str,
    origin: String,
}

/// A file that was read.
#[derive(Debug, Serialize)]
pub(super) struct File<'a> {
    name: &'a str,
    sha256: String,
    /// None if it is too long.
    text: Option<&'a str>,
    length: usize,
}

impl<'a> File<'a> {
    pub(super) fn of(source: &'a Source) -> Self {
        let text = Some(source.text.as_str()).filter(|text| text.len() <= LONGEST_SOURCE);
        Self { name: &source.name, sha256: sha256::hex(source.text.as_bytes()), text, length: source.text.len() }
    }
}

impl<'a> Figure<'a> {
    fn of(picture: &'a Picture) -> Self {
        let plot = &picture.plot;
        Self { name: &plot.name, caption: &plot.caption, svg: &plot.svg, grid: &picture.grid }
    }
}

impl<'a> Shown<'a> {
    fn of(section: &'a Section) -> Self {
        let figures = section.pictures.iter().map(|picture| Figure::of(picture)).collect();
        Self { id: section.id, figures, tables: &section.tables }
    }
}

/// The page of a run.
pub(super) fn page(run: &Run, content: &Content) -> anyhow::Result<String> {
    let words: Value = serde_json::from_str(WORDS).context("the words of the report")?;
    let page = Page {
        style: STYLE,
        uplot_style: UPLOT_STYLE,
        uplot_license: UPLOT_LICENSE,
        scripts: [UPLOT, SCRIPT],
        hashes: [UPLOT, SCRIPT].map(hash),
        data: data(&words["script"], &run.summary.method.clock, content)?,
        words,
        summary: run.summary,
        key: &content.key,
        advice: &content.advice,
        policy: content.policy.as_ref(),
        warnings: &content.warnings,
        main: Figure::of(content.main),
        sections: content.sections.iter().map(Shown::of).collect(),
        settings: run.settings.iter().map(setting).collect(),
        uncertain: content.uncertain.as_ref(),
        sources: run.sources.iter().map(File::of).collect(),
        quantiles: &content.quantiles,
        validation: validation::as_html(),
        reproduce: run.reproduce,
        measures: MEASURES,
    };
    render("report.html", TEMPLATE, &page)
}

/// A page from its template, whose name ends in `.html` so that values are escaped.
pub(super) fn render(name: &str, template: &str, page: &impl Serialize) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    // A word that is missing is an error, not a hole in the page.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(name, template).context("the template of the report")?;
    let template = environment.get_template(name).context("the template of the report")?;
    template.render(Serde(page)).context("the report")
}

/// The style sheet, which other pages share.
pub(super) fn style() -> &'static str {
    STYLE
}

/// What the script reads, as JSON that no text in it can end: `<` begins neither a tag nor a comment.
fn data(words: &Value, clock: &Clock, content: &Content) -> anyhow::Result<String> {
    let pictures = content.sections.iter().flat_map(|section| section.pictures.iter().copied()).chain([content.main]);
    let charts = pictures.filter_map(|picture| Some((picture.plot.name.as_str(), picture.chart.as_ref()?)));
    let data = Data {
        words,
        in_days: clock.in_days(),
        start: clock.start.map(|start| start.to_string()),
        horizon_s: clock.horizon.as_secs_f64(),
        charts: charts.collect(),
    };
    Ok(serde_json::to_string(&data).context("the data of the report")?.replace('<', "\\u003c"))
}

/// The hash of a script in a Content-Security-Policy.
fn hash(script: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(script)))
}

fn setting(setting: &Setting) -> Row<'_> {
    let origin = match &setting.origin {
        Origin::File { name, line } => format!("{name}, line {line}"),
        Origin::Default { source } => format!("default: {source}"),
        Origin::Changed { from, source } => format!("changed from {from}: {source}"),
        Origin::Command => "command line".to_owned(),
    };
    Row { path: &setting.path, value: &setting.value, origin }
}

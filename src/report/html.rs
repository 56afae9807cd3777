//! The page: one file that needs nothing else. Without JavaScript, and on paper, pictures are the same
//! SVG as in `plots/`; with it they can be read and zoomed.

use std::collections::BTreeMap;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::content::{Advice, Content, Key, Policy, Section, Table};
use super::plot::{Chart, Grid, Picture};
use super::{Run, sha256, validation};
use crate::outcome::{Clock, Kind, MEASURES, Measure};
use crate::scenario::{Origin, Setting, Source};
use crate::text::{Lang, Phrase, SPACE, Text, phrase, text};

const TEMPLATE: &str = include_str!("report.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const UPLOT: &str = include_str!("../../assets/uplot/uPlot.iife.min.js");
const UPLOT_STYLE: &str = include_str!("../../assets/uplot/uPlot.min.css");
const UPLOT_LICENSE: &str = include_str!("../../assets/uplot/LICENSE");

/// Longest file that the page shows, in bytes.
const LONGEST_SOURCE: usize = 100_000;

/// What the template shows.
#[derive(Debug, Serialize)]
struct Page<'a> {
    lang: &'static str,
    style: &'static str,
    uplot_style: &'static str,
    uplot_license: &'static str,
    scripts: [&'static str; 2],
    /// The scripts that the browser may run, and no other, for the Content-Security-Policy.
    hashes: [String; 2],
    data: String,
    name: &'a str,
    question: &'a str,
    verdict: String,
    /// How intervals were made, and how precise the runs are.
    method: String,
    /// Version, seed and number of runs.
    origin: String,
    key: Vec<Key<String>>,
    advice: Vec<Advice<String>>,
    policy: Option<Policy<String>>,
    warnings: Vec<String>,
    main: Figure<'a>,
    sections: Vec<Shown<'a>>,
    settings: Vec<Row<'a>>,
    uncertain: Option<Table<String>>,
    sources: Vec<File<'a>>,
    quantiles: Vec<Vec<String>>,
    validation: String,
    reproduce: &'a str,
    measures: Vec<[String; 4]>,
}

/// A section as the template shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: &'static str,
    title: &'static str,
    figures: Vec<Figure<'a>>,
    /// That there are more pictures; empty if there are not.
    more: String,
    tables: Vec<Table<String>>,
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
    words: BTreeMap<&'static str, &'static str>,
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
    fn of(section: &'a Section, lang: Lang) -> Self {
        let figures = section.pictures.iter().map(|picture| Figure::of(picture)).collect();
        let tables = section.tables.iter().map(|table| table.say(lang)).collect();
        let more = match section.more {
            0 => Text::default(),
            n => text!("{n} more pictures are in the folder plots.", n),
        };
        Self { id: section.id, title: section.title.say(lang), figures, more: more.say(lang), tables }
    }
}

/// The page of a run.
pub(super) fn page(run: &Run, content: &Content) -> anyhow::Result<String> {
    let (lang, summary) = (run.lang, run.summary);
    let method = &summary.method;
    let precision = method.precision.as_ref().map(|precision| precision.text.clone());
    let runs = if method.replications == 1 { text!("1 run") } else { text!("{n} runs", method.replications) };
    let page = Page {
        lang: lang.tag(),
        style: STYLE,
        uplot_style: UPLOT_STYLE,
        uplot_license: UPLOT_LICENSE,
        scripts: [UPLOT, SCRIPT],
        hashes: [UPLOT, SCRIPT].map(hash),
        data: data(&method.clock, content, lang)?,
        name: &summary.name,
        question: &summary.question,
        verdict: summary.verdict.text.say(lang),
        method: Text::list([method.intervals.clone()].into_iter().chain(precision), SPACE).say(lang),
        origin: text!("brimline {version}, seed {seed}, {runs}.", method.version, method.seed, runs).say(lang),
        key: content.key.iter().map(|key| key.say(lang)).collect(),
        advice: content.advice.iter().map(|advice| advice.say(lang)).collect(),
        policy: content.policy.as_ref().map(|policy| policy.say(lang)),
        warnings: content.warnings.iter().map(|warning| warning.say(lang)).collect(),
        main: Figure::of(content.main),
        sections: content.sections.iter().map(|section| Shown::of(section, lang)).collect(),
        settings: run.settings.iter().map(|of| setting(of, lang)).collect(),
        uncertain: content.uncertain.as_ref().map(|table| table.say(lang)),
        sources: run.sources.iter().map(File::of).collect(),
        quantiles: content.quantiles.iter().map(|row| row.iter().map(|cell| cell.say(lang)).collect()).collect(),
        validation: validation::as_html(),
        reproduce: run.reproduce,
        measures: MEASURES.iter().map(|measure| self::measure(measure, lang)).collect(),
    };
    render("report.html", TEMPLATE, &page, lang)
}

/// A page from its template, whose name ends in `.html` so that values are escaped.
/// `say("...")` in it is the text in a language.
pub(super) fn render(name: &str, template: &str, page: &impl Serialize, lang: Lang) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    // A word that is missing is an error, not a hole in the page.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_function("say", move |english: &str| {
        let missing = || Error::new(ErrorKind::UndefinedError, format!("`{english}` has no Chinese"));
        Phrase::find(english).map(|phrase| phrase.say(lang)).ok_or_else(missing)
    });
    environment.add_template(name, template).context("the template of the report")?;
    let template = environment.get_template(name).context("the template of the report")?;
    template.render(Serde(page)).context("the report")
}

/// The style sheet, which other pages share.
pub(super) fn style() -> &'static str {
    STYLE
}

/// What the script reads, as JSON that no text in it can end: `<` begins neither a tag nor a comment.
fn data(clock: &Clock, content: &Content, lang: Lang) -> anyhow::Result<String> {
    let pictures = content.sections.iter().flat_map(|section| section.pictures.iter().copied()).chain([content.main]);
    let charts = pictures.filter_map(|picture| Some((picture.plot.name.as_str(), picture.chart.as_ref()?)));
    let data = Data {
        words: script_words().map(|(key, phrase)| (key, phrase.say(lang))).into(),
        in_days: clock.in_days(),
        start: clock.start.map(|start| start.to_string()),
        horizon_s: clock.horizon.as_secs_f64(),
        charts: charts.collect(),
    };
    Ok(serde_json::to_string(&data).context("the data of the report")?.replace('<', "\\u003c"))
}

/// What the script says.
fn script_words() -> [(&'static str, Phrase); 12] {
    [
        ("day", phrase!("day #")),
        ("days", phrase!("days since the start")),
        ("time", phrase!("time since the start")),
        ("svg_of", phrase!("Download the picture")),
        ("csv_of", phrase!("Download the numbers")),
        ("reset", phrase!("Whole time")),
        ("legend", phrase!("Show or hide")),
        ("help", phrase!("Arrow keys read the values, plus and minus zoom, Escape shows the whole time.")),
        ("peaks", phrase!("brief peak")),
        ("most", phrase!("at most")),
        ("total", phrase!("total")),
        ("usable", phrase!("usable")),
    ]
}

/// The hash of a script in a Content-Security-Policy.
fn hash(script: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(script)))
}

fn setting(setting: &Setting, lang: Lang) -> Row<'_> {
    let origin = match &setting.origin {
        Origin::File { name, line } => text!("{file}, line {line}", name, line),
        Origin::Default { source } => text!("default: {source}", source),
        Origin::Changed { from, source } => text!("changed from {value}: {source}", from, source),
        Origin::Command => text!("command line"),
    };
    Row { path: &setting.path, value: &setting.value, origin: origin.say(lang) }
}

/// A measure: its name, unit, kind and definition.
fn measure(measure: &Measure, lang: Lang) -> [String; 4] {
    let kind = match measure.kind {
        Kind::Level => phrase!("level"),
        Kind::Moment => phrase!("moment"),
        Kind::Tally => phrase!("tally"),
        Kind::Time => phrase!("time"),
        Kind::Probability => phrase!("probability"),
    };
    let said = [measure.unit, kind, measure.definition].map(|phrase| phrase.say(lang).to_owned());
    let [unit, kind, definition] = said;
    [measure.name.to_owned(), unit, kind, definition]
}

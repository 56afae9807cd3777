//! What the page and `report.md` are made of; `tests/browser.rs` looks at the page in a browser.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{model, simulated, text, tiny, written};
use crate::model::{Model, VSwitch};
use crate::outcome::{Proportion, Summary};
use crate::record::Recording;
use crate::report::content::{Advice, Content};
use crate::report::{Run, html, plot};
use crate::scenario::{Source, claim};
use crate::study::seek::Knob;
use crate::study::{Decision, Finding, RuleKind};
use crate::text::Lang;
use crate::time::Span;

/// The library that draws, which names its home.
const UPLOT: &str = include_str!("../../../assets/uplot/uPlot.iife.min.js");

fn page_of(model: &Model) -> String {
    let (recordings, summary) = simulated(model);
    page(&run(model, &summary, &recordings))
}

/// The page alone, without the files beside it.
pub(super) fn page(run: &Run) -> String {
    let pictures = plot::all(run.model, run.summary, run.recordings, run.lang);
    html::page(run, &Content::of(run, &pictures)).expect("a page")
}

/// What the script reads.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"data\">").expect("the page has data");
    let (data, _) = rest.split_once("</script>").expect("they end");
    serde_json::from_str(data).expect("they are JSON")
}

pub(super) fn run<'a>(model: &'a Model, summary: &'a Summary, recordings: &'a [Recording]) -> Run<'a> {
    Run {
        model,
        summary,
        findings: &[],
        recordings,
        settings: &[],
        uncertain: &[],
        sources: &[],
        warnings: &[],
        reproduce: "brimline run small.yaml",
        seek: "brimline seek small.yaml",
        command: "",
        wall: Duration::ZERO,
        threads: 1,
        lang: Lang::English,
    }
}

fn advice(model: &Model) -> Vec<Advice> {
    let (recordings, summary) = simulated(model);
    let pictures = plot::all(model, &summary, &recordings, Lang::English);
    Content::of(&run(model, &summary, &recordings), &pictures).advice
}

#[test]
fn the_page_needs_nothing_and_escapes_names() {
    let mut model = tiny();
    let evil = "</script><script>alert(1)</script>";
    model.question = evil.to_owned();
    model.vpc.vswitches[1].id = evil.to_owned();
    model.node_pools[0].name = evil.to_owned();
    let page = page_of(&model);
    assert!(!page.contains("<script>alert"), "a name became a tag");
    assert!(page.contains("&lt;script&gt;"), "the name is shown");
    let titles: Vec<_> =
        data(&page)["charts"].as_object().expect("charts").values().map(|c| c["title"].clone()).collect();
    assert!(titles.iter().any(|title| title.as_str().is_some_and(|title| title.starts_with(evil))), "{titles:?}");
    assert!(page.contains("default-src 'none'"));
    let own = page.replace(UPLOT, "").replace("http://www.w3.org/2000/svg", "").replace("href=\"#", "");
    for reference in ["src=", "href=", "@import", "url(", "http://", "https://", "fetch(", "XMLHttpRequest"] {
        assert!(!own.contains(reference), "the page refers to something with {reference}");
    }
}

/// A browser runs a script only if its hash is in the policy; so what a name smuggles in is not run.
#[test]
fn only_the_two_scripts_of_the_page_may_run() {
    let page = page_of(&tiny());
    let (_, rest) = page.split_once("script-src ").expect("a policy");
    let (allowed, _) = rest.split_once(';').expect("it ends");
    assert_eq!(allowed.split(' ').count(), 2);
    assert!(allowed.split(' ').all(|hash| hash.starts_with("'sha256-") && hash.ends_with("='")), "{allowed}");
    assert_eq!(page.matches("<script>").count(), 2);
    assert!(page.contains("The MIT License (MIT)") && page.contains(UPLOT));
}

/// Every picture is there without a script, with its table, and every curve with one.
#[test]
fn every_picture_has_its_table_and_its_data() {
    let page = page_of(&tiny());
    let figures = page.matches("<figure ").count();
    assert!(figures >= 6, "{figures} figures");
    assert_eq!(page.matches("<svg ").count(), figures);
    assert_eq!(page.matches("<details class=\"behind\">").count(), figures);
    let data = data(&page);
    let charts = data["charts"].as_object().expect("charts");
    assert_eq!(charts.len() + 1, figures, "bars are no chart");
    for (name, chart) in charts {
        let rows = chart["at"].as_array().expect("times").len();
        for series in chart["series"].as_array().expect("series") {
            assert_eq!(series["values"].as_array().map(Vec::len), Some(rows), "{name}");
        }
    }
}

/// 42 vSwitches with 20,000 rows each: the page stays small, and the highest level is in it.
#[test]
fn a_large_run_fits_and_keeps_its_extremes() {
    let mut model = tiny();
    model.outputs.samples = 20_000;
    let more = (0..40).map(|i| VSwitch::plain(&format!("vsw-{i}"), "cn-shanghai-f", &format!("10.2.{i}.0/24")));
    model.vpc.vswitches.extend(more);
    let (recordings, summary) = simulated(&model);
    let page = page(&run(&model, &summary, &recordings));
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    let data = data(&page);
    let serving = data["charts"]["vswitch-vsw-AAA"]["series"][0]["values"].as_array().expect("values");
    assert!(serving.len() <= 400, "{} rows", serving.len());
    let shown = serving.iter().filter_map(Value::as_f64).fold(0.0, f64::max);
    let mean = |row: usize| recordings.iter().map(|r| f64::from(r.timeline.vswitches[1][row].pods)).sum::<f64>() / 2.0;
    let highest = (0..recordings[0].timeline.at.len()).map(mean).fold(0.0, f64::max);
    assert!((shown - highest).abs() < 0.06, "{shown} in the page, {highest} in the run");
}

/// However many vSwitches: the page stays below 3 MB, has the fullest ones' pictures and everybody's
/// row, and says what is left to the folder.
#[test]
fn a_page_of_many_vswitches_stays_small() {
    let mut model = tiny();
    let more = (0..200).map(|i| VSwitch::plain(&format!("vsw-{i}"), "cn-shanghai-f", &format!("10.2.{i}.0/24")));
    model.vpc.vswitches.extend(more);
    let (recordings, summary) = simulated(&model);
    let page = page(&run(&model, &summary, &recordings));
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    assert!(page.contains("<p class=\"note\">141 more pictures are in the folder plots.</p>"));
    assert!((0..200).all(|i| page.contains(&format!("<td>vsw-{i}</td>"))));
    let data = data(&page);
    let charts = data["charts"].as_object().expect("charts");
    assert!(charts.contains_key("vswitch-vsw-AAA") && charts.contains_key("vswitch-vsw-nodes"));
}

#[test]
fn bad_numbers_stand_out() {
    assert!(page_of(&tiny()).contains("<strong class=\"bad\">2 of 2</strong>"), "it is full in both runs");
    let calm = Model { replications: 2, ..model(22, Span::hours(6), 4.0, 10.0) };
    assert!(!page_of(&calm).contains("class=\"bad\""));
}

/// What is proposed is what `brimline seek` understands.
#[test]
fn proposed_commands_can_be_run() {
    let model = tiny();
    let commands: Vec<_> = advice(&model).into_iter().filter_map(|advice| advice.command).collect();
    assert!(commands.len() >= 2, "{commands:?}");
    for command in commands {
        let rest = command.strip_prefix("brimline seek small.yaml ").expect("the scenario's command");
        let (knob, goal) = rest.split_once(" --such-that ").expect("a goal");
        let (_, knob) = knob.split_once(' ').expect("an option and its value");
        Knob::parse(knob.trim_matches('\''), &model).expect("a knob");
        claim(&model, "--such-that", goal.trim_matches('\'')).expect("a claim");
    }
}

/// A policy that fails is the goal, another says nothing of what the verdict tells; without a vSwitch that is full there is nothing
/// to change.
#[test]
fn advice_follows_policy_and_verdict() {
    let mut model = tiny();
    model.policy = vec![claim(&model, "--such-that", "P(vsw-AAA is full) <= 1 %").expect("a claim")];
    let (recordings, summary) = simulated(&model);
    let has_goals = |decision| {
        let finding = Finding {
            kind: RuleKind::Policy,
            claim: String::new(),
            decision,
            held: Proportion::new(1, 2),
            runs_needed: None,
            measured: None,
            unit: "",
        };
        let run = Run { findings: &[finding], ..run(&model, &summary, &recordings) };
        let pictures = plot::all(&model, &summary, &recordings, Lang::English);
        let advice = Content::of(&run, &pictures).advice;
        let commands: Vec<_> = advice.iter().filter_map(|advice| advice.command.as_ref()).collect();
        assert!(!commands.is_empty());
        commands.iter().all(|command| command.contains("--such-that"))
    };
    assert!(!has_goals(Decision::Fails) && has_goals(Decision::Undecided) && has_goals(Decision::Holds));
    let calm = advice(&super::model(22, Span::hours(6), 4.0, 10.0));
    assert_eq!(calm.len(), 1);
    assert!(calm[0].text.english().starts_with("No vSwitch ran full, so nothing has to change."), "{calm:?}");
}

#[test]
fn a_small_run_in_markdown() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = written(root.path(), &tiny(), 1, Duration::ZERO);
    let page = text(&folder, "report.md");
    insta::assert_snapshot!("report.md", page);
    let (_, rest) = page.split_once("](<").expect("a picture");
    let (picture, _) = rest.split_once(">)").expect("its path ends");
    assert!(folder.join(Path::new(picture)).is_file(), "no {picture}");
}

/// A file that would fill the page is left out of it, and the page says so.
#[test]
fn long_files_are_left_to_the_manifest() {
    let (model, long) = (tiny(), "a,b\n".repeat(50_000));
    let (recordings, summary) = simulated(&model);
    let sources = [Source { name: "trace.csv".to_owned(), text: long }];
    let page = page(&Run { sources: &sources, ..run(&model, &summary, &recordings) });
    assert!(page.contains("This file has 200000 characters and is left out here"));
    assert!(!page.contains("a,b\na,b\n"));
}

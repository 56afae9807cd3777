//! `brimline run` and `brimline demo`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::metrics::MetricsArgs;
use super::print::{self, print, tell};
use super::{PolicyArgs, RunArgs, Stop, progress};
use crate::model::{Claim, Model};
use crate::outcome::{Summary, summarize};
use crate::record::Recording;
use crate::report::{self, Run, in_quotes};
use crate::scenario::{Blueprint, Edit, Source, Uncertain, claim};
use crate::sim::Progress;
use crate::study::{self, Decision, Finding};
use crate::text::{Lang, Text, text};
use crate::units::thousands;

/// Simulates, answers, and writes the report; its place is the last line.
pub(super) fn run(
    scenario: &Blueprint,
    args: &RunArgs,
    policy: &PolicyArgs,
    metrics: &MetricsArgs,
    command: &str,
    lang: Lang,
) -> Result<(), Stop> {
    let loaded = scenario.with(edits(args)).load()?;
    let model = &loaded.model;
    let rules = study::rules(&model.policy, fail_if(model, &policy.fail_if)?);
    let mut ensemble = loaded.ensemble();
    rules.iter().for_each(|rule| ensemble.observe(&rule.claim.statement.reading));
    report::prepare(&args.output)?;
    check_files([&policy.junit, &policy.markdown, &metrics.openmetrics], &loaded.sources)?;
    let scrape = metrics.scrape(model, args.quiet)?;
    let pool = super::threads(args.threads)?;
    let counter = Progress::default();
    #[allow(clippy::disallowed_methods, reason = "the speed of the program is no result")]
    let start = Instant::now();
    let recordings = progress::show(model, args.quiet, &counter, || pool.install(|| study::run(&ensemble, &counter)));
    let wall = start.elapsed();
    let summary = summarize(model, &recordings);
    let findings = study::findings(&rules, &ensemble, &recordings);
    print(&answer(&summary, &findings, &loaded.uncertain, args.json, lang)?)?;
    // The answer comes first, also where both streams go to one terminal.
    if !args.quiet {
        for warning in &loaded.warnings {
            tell(&format!("\n{}", warning.trim_end()));
        }
        if policy.junit.is_some() && rules.is_empty() {
            tell("\nwarning: there is neither a policy nor --fail-if, so the JUnit file has no test");
        }
        // A policy of the scenario was warned of when it was read.
        if model.policy.is_empty() && model.are_blind_to_prefixes(rules.iter().map(|rule| &rule.claim)) {
            tell(
                "\nwarning: these claims do not see whether prefixes run out: a vSwitch without a free /28 block is not full \
                 (C131)\n  = help: add `--fail-if 'vswitch.prefixes.refusals > 0'`, or a claim about pods",
            );
        }
        tell(&format!("\n{}", speed(model, &recordings, wall).say(lang)));
    }
    let run = Run {
        model,
        summary: &summary,
        findings: &findings,
        recordings: &recordings,
        settings: &loaded.settings,
        uncertain: &loaded.uncertain,
        sources: &loaded.sources,
        warnings: &loaded.warnings,
        reproduce: &(reproduce(command, args) + &options("--fail-if", &policy.fail_if) + lang.option()),
        seek: &reproduce(&format!("brimline seek {}", in_quotes(&loaded.sources[0].name)), args),
        command: &std::env::args().collect::<Vec<_>>().join(" "),
        wall,
        threads: pool.current_num_threads(),
        lang,
    };
    leave_behind(&run, args, policy)?;
    metrics.write(ensemble.of(0), scrape, args.quiet)?;
    let kept = findings.iter().all(|finding| finding.decision == Decision::Holds);
    if kept { Ok(()) } else { Err(Stop::CheckFailed) }
}

/// What goes to standard output.
fn answer(
    summary: &Summary,
    findings: &[Finding],
    uncertain: &[Uncertain],
    json: bool,
    lang: Lang,
) -> anyhow::Result<String> {
    if json {
        return Ok(String::from_utf8(report::summary_json(summary, findings)?).expect("JSON is UTF-8"));
    }
    let columns = print::columns();
    let text = report::terminal(summary, uncertain, columns, lang);
    Ok(if findings.is_empty() { text } else { format!("{text}\n{}", report::policy(findings, columns, lang)) })
}

/// Writes the report and what else was asked for, and tells its place.
fn leave_behind(run: &Run, args: &RunArgs, policy: &PolicyArgs) -> anyhow::Result<()> {
    let folder = report::write(&args.output, &run.model.name, run)?;
    let page = folder.join("report.html").display().to_string();
    if let Some(path) = &policy.junit {
        report::replace_file(path, &report::junit(run.summary, run.findings))?;
    }
    if let Some(path) = &policy.markdown {
        report::replace_file(path, &report::markdown(run.summary, run.findings, run.reproduce, &page, run.lang))?;
    }
    let place = text!("Report: {page}", page).say(run.lang);
    if args.json {
        tell(&place);
        return Ok(());
    }
    print(&place)
}

/// Makes sure that the files for others can be written, and that none of them is an input or another
/// one.
fn check_files(files: [&Option<PathBuf>; 3], sources: &[Source]) -> Result<(), Stop> {
    let is_same = |a: &Path, b: &Path| a == b || a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b));
    let options = ["--junit", "--markdown", "--openmetrics"];
    let files: Vec<_> =
        options.into_iter().zip(files).filter_map(|(option, path)| Some((option, path.as_ref()?))).collect();
    for (i, (option, path)) in files.iter().enumerate() {
        if sources.iter().any(|source| is_same(path, Path::new(&source.name))) {
            return Err(Stop::Input(format!("error: {} is read by this run; it would be overwritten", path.display())));
        }
        if path.as_os_str() == "-" {
            let help = "name a file; `./-` is one of that name";
            return Err(Stop::Input(format!(
                "error: {option} writes a file, not the standard output\n  = help: {help}"
            )));
        }
        report::prepare_file(path)?;
        if let Some((other, _)) = files[..i].iter().find(|(_, other)| is_same(other, path)) {
            return Err(Stop::Input(format!("error: {other} and {option} name the same file")));
        }
    }
    Ok(())
}

/// What must not be; everything that is wrong with it is told at once.
fn fail_if(model: &Model, texts: &[String]) -> Result<Vec<Claim>, Stop> {
    let mut wrong = Vec::new();
    let claims = texts.iter().filter_map(|text| {
        claim(model, "--fail-if", text).map_err(|diagnostics| wrong.push(diagnostics.render(print::coloured()))).ok()
    });
    let claims = claims.collect();
    if wrong.is_empty() { Ok(claims) } else { Err(Stop::Input(wrong.join("\n\n"))) }
}

/// What the command line says beats the file.
pub(super) fn edits(args: &RunArgs) -> Vec<Edit> {
    let seed = args.seed.map(|seed| Edit::parse("--seed", &format!("seed={seed}")));
    let replications = args.replications.map(|n| Edit::parse("--replications", &format!("replications={n}")));
    let set = args.set.iter().map(|text| Edit::parse("--set", text));
    set.chain(seed).chain(replications).collect()
}

/// The command that repeats the run, without what does not change its numbers.
pub(super) fn reproduce(command: &str, args: &RunArgs) -> String {
    let seed = args.seed.map(|seed| format!(" --seed {seed}"));
    let replications = args.replications.map(|n| format!(" --replications {n}"));
    let set = options("--set", &args.set);
    [Some(command.to_owned() + &set), seed, replications].into_iter().flatten().collect()
}

/// An option that is given several times, as a shell takes it.
pub(super) fn options(option: &str, texts: &[String]) -> String {
    texts.iter().map(|text| format!(" {option} {}", in_quotes(text))).collect()
}

fn speed(model: &Model, recordings: &[Recording], wall: Duration) -> Text {
    let events: u64 = recordings.iter().map(|recording| recording.events).sum();
    let pod_events: u64 = recordings.iter().map(|recording| recording.pod_events).sum();
    let per_second = |n: u64| thousands((n as f64 / wall.as_secs_f64().max(1e-3)) as u64);
    text!(
        "{runs} × {horizon} in {wall} s: {} events ({}/s), {} pod events ({}/s)",
        recordings.len(),
        model.horizon,
        format!("{:.1}", wall.as_secs_f64()),
        thousands(events),
        per_second(events),
        thousands(pod_events),
        per_second(pod_events)
    )
}

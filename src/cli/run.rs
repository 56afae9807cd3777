//! `brimline run` and `brimline demo`.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::print::{self, print};
use super::{RunArgs, Stop, progress};
use crate::model::Model;
use crate::outcome::summarize;
use crate::record::Recording;
use crate::report::{self, Run};
use crate::scenario::{Blueprint, Edit};
use crate::sim::Progress;
use crate::study;
use crate::units::thousands;

/// Simulates, answers, and writes the report; its place is the last line.
pub(super) fn run(scenario: &Blueprint, args: &RunArgs, command: &str) -> Result<(), Stop> {
    let loaded = scenario.with(edits(args)).load()?;
    report::prepare(&args.output)?;
    let model = &loaded.model;
    let threads = args.threads.map_or_else(rayon::current_num_threads, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    let counter = Progress::default();
    #[allow(clippy::disallowed_methods, reason = "the speed of the program is no result")]
    let start = Instant::now();
    let recordings =
        progress::show(model, args.quiet, &counter, || pool.install(|| study::run(&loaded.ensemble(), &counter)));
    let wall = start.elapsed();
    let summary = summarize(model, &recordings);
    let text = if args.json {
        serde_json::to_string_pretty(&summary).context("the summary is not JSON")?
    } else {
        report::terminal(&summary, &loaded.uncertain, print::columns())
    };
    print(&text)?;
    // The answer comes first, also where both streams go to one terminal.
    if !args.quiet {
        for warning in &loaded.warnings {
            eprintln!("\n{}", warning.trim_end());
        }
        eprintln!("\n{}", speed(model, &recordings, wall));
    }
    let run = Run {
        model,
        summary: &summary,
        recordings: &recordings,
        settings: &loaded.settings,
        uncertain: &loaded.uncertain,
        sources: &loaded.sources,
        warnings: &loaded.warnings,
        reproduce: &reproduce(command, args),
        command: &std::env::args().collect::<Vec<_>>().join(" "),
        wall,
        threads,
    };
    let folder = report::write(&args.output, &model.name, &run)?;
    let place = format!("Report: {}", folder.join("report.html").display());
    if args.json {
        eprintln!("{place}")
    } else {
        print(&place)?
    }
    Ok(())
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
    let set = args.set.iter().map(|text| format!(" --set '{text}'")).collect::<String>();
    [Some(command.to_owned() + &set), seed, replications].into_iter().flatten().collect()
}

fn speed(model: &Model, recordings: &[Recording], wall: Duration) -> String {
    let events: u64 = recordings.iter().map(|recording| recording.events).sum();
    let pod_events: u64 = recordings.iter().map(|recording| recording.pod_events).sum();
    let per_second = |n: u64| thousands((n as f64 / wall.as_secs_f64().max(1e-3)) as u64);
    format!(
        "{} × {} in {:.1} s: {} events ({}/s), {} pod events ({}/s)",
        recordings.len(),
        model.horizon,
        wall.as_secs_f64(),
        thousands(events),
        per_second(events),
        thousands(pod_events),
        per_second(pod_events)
    )
}

//! `brimline run` and `brimline demo`.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::print::{self, print};
use super::{RunArgs, Stop, progress};
use crate::model::Model;
use crate::outcome::summarize;
use crate::record::Recording;
use crate::report::{self, Run};
use crate::scenario::{Loaded, Origin, Setting};
use crate::sim::{Progress, replicate};
use crate::units::thousands;

/// Simulates, answers, and writes the report; its place is the last line.
pub(super) fn run(mut loaded: Loaded, args: &RunArgs, command: &str) -> Result<(), Stop> {
    override_settings(&mut loaded, args);
    report::prepare(&args.output)?;
    let model = &loaded.model;
    let threads = args.threads.map_or_else(rayon::current_num_threads, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    let counter = Progress::default();
    #[allow(clippy::disallowed_methods, reason = "the speed of the program is no result")]
    let start = Instant::now();
    let recordings = progress::show(model, args.quiet, &counter, || pool.install(|| replicate(model, &counter)));
    let wall = start.elapsed();
    let summary = summarize(model, &recordings);
    let text = if args.json {
        serde_json::to_string_pretty(&summary).context("the summary is not JSON")?
    } else {
        report::terminal(&summary, print::columns())
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
fn override_settings(loaded: &mut Loaded, args: &RunArgs) {
    let mut set = |path: &str, value: String| {
        let setting = Setting { path: path.to_owned(), value, origin: Origin::Command };
        match loaded.settings.iter_mut().find(|setting| setting.path == path) {
            Some(old) => *old = setting,
            None => loaded.settings.push(setting),
        }
    };
    if let Some(seed) = args.seed {
        loaded.model.seed = seed;
        set("seed", seed.to_string());
    }
    if let Some(replications) = args.replications {
        loaded.model.replications = replications;
        set("replications", replications.to_string());
    }
}

/// The command that repeats the run, without what does not change its numbers.
fn reproduce(command: &str, args: &RunArgs) -> String {
    let seed = args.seed.map(|seed| format!(" --seed {seed}"));
    let replications = args.replications.map(|n| format!(" --replications {n}"));
    [Some(command.to_owned()), seed, replications].into_iter().flatten().collect()
}

fn speed(model: &Model, recordings: &[Recording], wall: Duration) -> String {
    let events: u64 = recordings.iter().map(|recording| recording.events).sum();
    let pod_events: u64 = recordings.iter().map(|recording| recording.pod_events).sum();
    let per_second = |n: u64| thousands((n as f64 / wall.as_secs_f64().max(1e-3)) as u64);
    format!(
        "{} × {} in {:.1} s: {} events ({}/s), {} pod events ({}/s)",
        model.replications,
        model.horizon,
        wall.as_secs_f64(),
        thousands(events),
        per_second(events),
        thousands(pod_events),
        per_second(pod_events)
    )
}

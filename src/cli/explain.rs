//! `brimline explain`.

use std::path::Path;

use anyhow::Context;

use super::print::{self, print, tell};
use super::{ExplainArgs, Stop};
use crate::explain::{Whom, explain};
use crate::outcome::Clock;
use crate::report;
use crate::scenario::{Blueprint, Edit};
use crate::sim::Progress;
use crate::time::Instant;

/// Repeats a replication in detail and tells what happened.
pub(super) fn carry_out(args: &ExplainArgs) -> Result<(), Stop> {
    let input = |text: String| Stop::Input(format!("error: {text}"));
    let at = args.at.as_deref().map(moment).transpose().map_err(input)?;
    let loaded = blueprint(&args.run)?.load()?;
    let ensemble = loaded.ensemble();
    let replications = ensemble.typical().replications;
    if args.replication >= replications {
        let last = replications - 1;
        return Err(input(format!("there is no replication {}: they are numbered from 0 to {last}", args.replication)));
    }
    let model = ensemble.of(args.replication);
    let (explanation, recording) = explain(model, args.replication, &whom(args), at, &Progress::default())
        .map_err(|unknown| input(format!("{unknown}{}", hint(unknown.hint.as_deref()))))?;
    let text = if args.json {
        serde_json::to_string_pretty(&explanation).context("the explanation is not JSON")?
    } else {
        report::story(&explanation, print::columns())
    };
    print(&text)?;
    if args.run.is_dir() && report::agrees(&args.run, &recording) == Some(false) {
        tell("\nwarning: this is not what happened in the run: done again, it makes other calls");
    }
    Ok(())
}

fn hint(hint: Option<&str>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

fn whom(args: &ExplainArgs) -> Whom {
    match (&args.pod, &args.node) {
        (Some(pod), _) => Whom::Pod(pod.clone()),
        (None, Some(node)) => Whom::Node(node.clone()),
        (None, None) => Whom::First,
    }
}

fn moment(text: &str) -> Result<Instant, String> {
    Clock::parse_moment(text).ok_or_else(|| {
        format!("`{text}` is no moment; write `day 41 02:07`, `02:07:10` or a time since the start, `40d2h`")
    })
}

/// The scenario of a run as it was done, or of a file.
fn blueprint(run: &Path) -> Result<Blueprint, Stop> {
    if !run.is_dir() {
        return Ok(Blueprint::open(run)?);
    }
    let kept = report::kept(run).map_err(|error| Stop::Input(format!("error: {error:#}")))?;
    let version = env!("CARGO_PKG_VERSION");
    if kept.version != version {
        tell(&format!(
            "warning: the run was done by brimline {}, this is {version}: numbers may differ\n",
            kept.version
        ));
    }
    let (said, files): (Vec<_>, Vec<_>) = kept.sources.into_iter().partition(|source| source.name.starts_with("--"));
    let edits = said.iter().map(|source| Edit::parse(&source.name, &source.text));
    Ok(Blueprint::of_sources(&files).with(edits))
}

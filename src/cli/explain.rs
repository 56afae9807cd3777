//! `brimline explain`.

use anyhow::Context;

use super::again::{self, wrong};
use super::print::{self, print};
use super::{ExplainArgs, Stop};
use crate::explain::{Whom, explain};
use crate::report;
use crate::sim::Progress;
use crate::text::Lang;

/// Repeats a replication in detail and tells what happened.
pub(super) fn carry_out(args: &ExplainArgs, lang: Lang) -> Result<(), Stop> {
    let loaded = again::blueprint(&args.run, &args.set)?.load()?;
    let ensemble = loaded.ensemble();
    again::check_replication(&ensemble, args.replication)?;
    let model = ensemble.of(args.replication);
    let at = args.at.as_deref().map(|text| again::moment(model, text)).transpose()?;
    let (explanation, recording) = explain(model, args.replication, &whom(args), at, &Progress::default())
        .map_err(|unknown| wrong(&format!("{unknown}{}", hint(unknown.hint.as_deref()))))?;
    let text = if args.json {
        serde_json::to_string_pretty(&explanation).context("the explanation is not JSON")?
    } else {
        report::story(&explanation, print::columns(), lang)
    };
    print(&text)?;
    if args.set.is_empty() {
        again::compare(&args.run, &recording);
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

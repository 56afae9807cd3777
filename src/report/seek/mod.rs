//! What a search for a value leaves behind: the answer in words, the points that prove it, and
//! what is to be pasted.

mod front;
mod snippet;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Context;
use csv::Writer;

pub use front::{front_text, write_front};
pub use snippet::snippet;
pub use words::sentence;

use super::{Draft, file_name, json, save, terminal};
use crate::outcome::Proportion;
use crate::study::seek::{Answer, Finding, Knob, Point};
use crate::study::{Decision, Judgement};
use crate::text::{Lang, wrap};
use crate::units::{percent, thousands};

/// Most impossible values that are told on the terminal.
const MOST_IMPOSSIBLE: usize = 3;

/// The answer in plain text: what was found, then the points that were tried. Text wraps at
/// `columns`.
#[must_use]
pub fn text(answer: &Answer, knob: &Knob, columns: usize) -> String {
    let mut text = wrap(&sentence(answer, knob), 0, columns) + "\n";
    if !answer.held.is_empty() {
        text += &(wrap(&format!("Other vSwitches of pods stay as they are: {}.", answer.held.join(", ")), 0, columns)
            + "\n");
    }
    text += &format!("\n{}\n", table(answer, knob));
    let impossible: Vec<_> = answer.points.iter().filter(|point| point.finding == Finding::Impossible).collect();
    for point in impossible.iter().take(MOST_IMPOSSIBLE) {
        let reason = point.reason.as_deref().unwrap_or_default();
        text += &(wrap(&format!("{} cannot be: {reason}.", knob.show(&point.value)), 0, columns) + "\n");
    }
    if impossible.len() > MOST_IMPOSSIBLE {
        text += &format!("... and {} more values, in seek.csv\n", impossible.len() - MOST_IMPOSSIBLE);
    }
    if answer.points.iter().flat_map(|point| &point.judgements).any(|judgement| judgement.held.runs > 1) {
        let note = "Intervals are Wilson's. What decides about a probability is its exact bound, with 5 % of error shared \
                    among the looks at growing numbers of runs, so a decision takes more than an interval beside the goal.";
        text += &(wrap(note, 0, columns) + "\n");
    }
    text
}

/// Writes the folder `NAME-seek` below `root`, or `NAME-seek-2` and so on, and returns its path.
///
/// # Errors
/// If something cannot be written; nothing is left behind then.
pub fn write(root: &Path, name: &str, answer: &Answer) -> anyhow::Result<PathBuf> {
    let name = file_name(&format!("{name}-seek"));
    std::fs::create_dir_all(root).with_context(|| format!("cannot create the folder {}", root.display()))?;
    let draft = Draft::new(root, &name)?;
    save(&draft.0, "seek.json", &json(answer)?)?;
    save(&draft.0, "seek.csv", &points(answer)?)?;
    draft.publish(root, &name)
}

/// The points that were tried, goal by goal.
fn table(answer: &Answer, knob: &Knob) -> String {
    let several = answer.goals.len() > 1;
    let mut header = vec!["", "value", "goal", "runs", "hits", "95 % interval", ""];
    header.retain(|&title| several || title != "goal");
    let mut rows = Vec::new();
    for (at, point) in answer.points.iter().enumerate() {
        for (goal, judgement) in point.judgements.iter().enumerate() {
            let is_first = goal == 0;
            let mark = if is_first && answer.best == Some(at) { ">" } else { "" };
            let mut row = vec![mark.to_owned(), if is_first { knob.show(&point.value) } else { String::new() }];
            row.extend(several.then(|| (goal + 1).to_string()));
            row.extend(numbers(judgement));
            rows.push(row);
        }
    }
    let left = [0, header.len() - 1];
    let table = terminal::table(&header, &rows, &left, Lang::English);
    let goals = answer.goals.iter().enumerate().map(|(i, goal)| format!("\nGoal {}: {goal}", i + 1));
    if several { table + "\n" + &goals.collect::<String>() } else { table }
}

/// Runs, hits, interval and decision.
fn numbers(judgement: &Judgement) -> [String; 4] {
    let Proportion { hits, runs, interval } = judgement.held;
    let interval = interval.map_or(String::new(), |i| format!("{} to {}", percent(i.low), percent(i.high)));
    let decision = match (judgement.decision, judgement.runs_needed) {
        (Decision::Holds, _) => "holds".to_owned(),
        (Decision::Fails, _) => "fails".to_owned(),
        (Decision::Undecided, None) => "undecided".to_owned(),
        (Decision::Undecided, Some(runs)) => format!("undecided; {} runs", thousands(runs as u64)),
    };
    [thousands(runs as u64), thousands(hits as u64), interval, decision]
}

/// A row per point and goal, or for an impossible point.
fn points(answer: &Answer) -> anyhow::Result<Vec<u8>> {
    let mut csv = Writer::from_writer(Vec::new());
    let header =
        ["value", "finding", "goal", "decision", "runs", "hits", "share", "low", "high", "runs_needed", "reason"];
    csv.write_record(header)?;
    for point in &answer.points {
        if point.judgements.is_empty() {
            csv.write_record(row(point, None))?;
        }
        for judgement in &point.judgements {
            csv.write_record(row(point, Some(judgement)))?;
        }
    }
    Ok(csv.into_inner()?)
}

fn row(point: &Point, judgement: Option<&Judgement>) -> Vec<String> {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut row = vec![point.value.clone(), word(serde_json::json!(point.finding))];
    match judgement {
        None => row.extend(std::iter::repeat_n(String::new(), 8)),
        Some(Judgement { claim, decision, held, runs_needed }) => {
            let end =
                |end: fn(crate::outcome::Interval) -> f64| held.interval.map_or(String::new(), |i| end(i).to_string());
            row.extend([
                claim.clone(),
                word(serde_json::json!(decision)),
                held.runs.to_string(),
                held.hits.to_string(),
            ]);
            row.extend([held.share().to_string(), end(|i| i.low), end(|i| i.high)]);
            row.push(runs_needed.map_or(String::new(), |runs| runs.to_string()));
        }
    }
    row.push(point.reason.clone().unwrap_or_default());
    row
}

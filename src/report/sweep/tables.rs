//! The tables of a sweep. What does not apply to a row is empty, and a time that never comes
//! is `never`.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::json;

use crate::report::dataset::Dataset;
use crate::report::dataset::Kind::{Count, Flag, Number, Text};
use crate::report::in_json;
use crate::study::Decision;
use crate::study::sweep::{Point, Results, Row, Sweep, ranking};

const NEVER: &str = "never";

/// One row per point and measure, with a column per varied path and one per claim.
pub(super) fn sweep(results: &Results) -> anyhow::Result<Dataset> {
    let sweep = results.sweep;
    let paths = sweep.axes.iter().map(|axis| (axis.path.as_str(), Text));
    let counts = ["runs", "missing", "never"].map(|name| (name, Count));
    let numbers_of = ["mean", "low", "high", "p5", "median", "p95"].map(|name| (name, Number));
    let claims = sweep.claims.iter().map(|claim| (claim.text.as_str(), Text));
    let head = [("point", Count)].into_iter().chain(paths).chain([("measure", Text), ("unit", Text)]);
    let mut table = Dataset::new(head.chain(counts).chain(numbers_of).chain(claims))?;
    for (i, point) in sweep.points.iter().enumerate() {
        let decisions: Vec<_> = (0..sweep.claims.len()).map(|claim| results.decision(i, claim)).collect();
        for (measure, (name, unit)) in sweep.measures.iter().enumerate() {
            let (number, numbers) = ((i + 1).to_string(), numbers(results, i, measure));
            let head = [number.as_str()].into_iter().chain(point.values.iter().map(String::as_str));
            let decisions = decisions.iter().map(|decision| decision.map_or("", word));
            table.row(head.chain([name.as_str(), unit]).chain(numbers.iter().map(String::as_str)).chain(decisions))?;
        }
    }
    Ok(table)
}

/// Every point with its measures as JSON; a time that never comes is infinite and so `null`.
#[must_use]
pub fn summary(results: &Results) -> String {
    let sweep = results.sweep;
    let measure = |point: usize, measure: usize| {
        let cell = results.cell(point, measure);
        let (name, unit) = &sweep.measures[measure];
        json!({ "name": name, "unit": unit, "missing": cell.missing, "never": cell.never, "estimate": cell.estimate, "share": cell.share })
    };
    let claim = |point: usize, claim: usize| json!({ "claim": sweep.claims[claim].text, "decision": results.decision(point, claim).map(word) });
    let point = |(i, point): (usize, &Point)| {
        let values =
            sweep.axes.iter().zip(&point.values).map(|(axis, value)| (axis.path.clone(), value.as_str().into()));
        json!({
            "point": i + 1,
            "values": values.collect::<serde_json::Map<_, _>>(),
            "runs": results.runs[i].len(),
            "measures": (0..sweep.measures.len()).map(|m| measure(i, m)).collect::<Vec<_>>(),
            "claims": (0..sweep.claims.len()).map(|c| claim(i, c)).collect::<Vec<_>>(),
        })
    };
    let points: Vec<_> = sweep.points.iter().enumerate().map(point).collect();
    let all = json!({ "name": sweep.name, "design": sweep.design, "seed": sweep.seed, "points": points });
    serde_json::to_string_pretty(&all).expect("plain values are JSON")
}

fn numbers(results: &Results, point: usize, measure: usize) -> [String; 9] {
    let cell = results.cell(point, measure);
    let [mean, low, high, p5, median, p95] = match (cell.estimate, cell.share) {
        (Some(e), None) => {
            let (low, high) = e.interval.map_or((None, None), |i| (Some(i.low), Some(i.high)));
            [Some(e.mean), low, high, Some(e.p5), Some(e.median), Some(e.p95)]
        }
        // Quantiles of ones and zeros say nothing.
        (Some(e), Some(share)) => {
            let (low, high) = share.interval.map_or((None, None), |i| (Some(i.low), Some(i.high)));
            [Some(e.mean), low, high, None, None, None]
        }
        (None, _) => [None; 6],
    };
    let counts = [cell.runs, cell.missing, cell.never].map(|n| n.to_string());
    let [runs, missing, never] = counts;
    let [mean, low, high, p5, median, p95] = [mean, low, high, p5, median, p95].map(field);
    [runs, missing, never, mean, low, high, p5, median, p95]
}

pub(super) fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Holds => "holds",
        Decision::Fails => "fails",
        Decision::Undecided => "undecided",
    }
}

/// One row per measure and varied path.
pub(super) fn sensitivity(results: &Results) -> anyhow::Result<Dataset> {
    let mut table = Dataset::new([
        ("measure", Text),
        ("path", Text),
        ("rank", Count),
        ("method", Text),
        ("influence", Number),
        ("low", Number),
        ("high", Number),
        ("explained_by_all", Number),
    ])?;
    for (measure, (name, _)) in results.sweep.measures.iter().enumerate() {
        let Some(ranking) = ranking(results, measure) else { continue };
        let method = in_json(ranking.method)?;
        for (rank, axis) in ranking.order().into_iter().enumerate() {
            let influence = ranking.influences[axis];
            table.row([
                name,
                &results.sweep.axes[axis].path,
                &(rank + 1).to_string(),
                &method,
                &influence.value.to_string(),
                &field(influence.interval.map(|interval| interval.low)),
                &field(influence.interval.map(|interval| interval.high)),
                &ranking.explained.to_string(),
            ])?;
        }
    }
    Ok(table)
}

/// One row per replication of some points, with a column per measure and per claim, in which
/// stands whether its statement holds.
pub(super) fn replications(sweep: &Sweep, done: &BTreeMap<usize, Vec<Row>>) -> anyhow::Result<Dataset> {
    let measures = sweep.measures.iter().map(|(name, _)| (name.as_str(), Number));
    let claims = sweep.claims.iter().map(|claim| (claim.text.as_str(), Flag));
    let head = [("point", Count), ("replication", Count)];
    let mut table = Dataset::new(head.into_iter().chain(measures).chain(claims))?;
    for (point, rows) in done {
        for (replication, row) in rows.iter().enumerate() {
            let start = [(point + 1).to_string(), replication.to_string()];
            let truth = |x: &Option<f64>| x.map_or(String::new(), |x| (x > 0.0).to_string());
            let (measures, claims) = row.split_at(sweep.measures.len());
            let fields = measures.iter().map(|x| field(*x)).chain(claims.iter().map(truth));
            table.row(start.into_iter().chain(fields))?;
        }
    }
    Ok(table)
}

/// The points whose every replication such a table has; what was torn is left out.
pub(super) fn read_replications(sweep: &Sweep, text: &[u8]) -> anyhow::Result<BTreeMap<usize, Vec<Row>>> {
    let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let mut found: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
    for record in csv::Reader::from_reader(&text[..end]).records() {
        let record = record.context("the journal is no table")?;
        let number = |column: usize| record.get(column).and_then(|text| text.parse::<usize>().ok());
        let (Some(point), Some(replication)) = (number(0), number(1)) else { anyhow::bail!("the journal is broken") };
        let rows = found.entry(point.wrapping_sub(1)).or_default();
        anyhow::ensure!(rows.len() == replication, "the journal is broken at point {point}");
        rows.push(record.iter().skip(2).map(read_field).collect::<anyhow::Result<_>>()?);
    }
    let is_whole = |point: usize, rows: usize| sweep.points.get(point).is_some_and(|p| p.replications as usize == rows);
    found.retain(|&point, rows| is_whole(point, rows.len()));
    Ok(found)
}

fn field(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.is_infinite() => NEVER.to_owned(),
        Some(value) => value.to_string(),
    }
}

fn read_field(text: &str) -> anyhow::Result<Option<f64>> {
    Ok(match text {
        "" => None,
        NEVER => Some(f64::INFINITY),
        "true" => Some(1.0),
        "false" => Some(0.0),
        number => Some(number.parse().with_context(|| format!("`{number}` in the journal is no number"))?),
    })
}

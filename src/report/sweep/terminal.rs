//! A sweep on the terminal: what each measure comes to, what it depends on, where claims hold.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::words;
use crate::report::figures::statistic;
use crate::study::Decision;
use crate::study::sweep::{Design, Method, Ranking, Results, ranking};
use crate::text::wrap;
use crate::units::percent;

/// The summary in plain text, at most `columns` wide where that is possible.
#[must_use]
pub fn terminal(results: &Results, columns: usize) -> String {
    let sweep = results.sweep;
    let mut text = wrap(&title(results), 0, columns) + "\n\n";
    text += &format!("{}\n", measures(results, columns));
    for line in claims(results) {
        text += &format!("\n{}\n", wrap(&line, 0, columns));
    }
    let note = match sweep.design {
        Design::Grid => {
            "Each row has the lowest and the highest value of all points, each the mean or the median of its runs; shares are of the variance between points \
             (main effects), the rest is due to combinations and chance."
        }
        Design::LatinHypercube => {
            "Each row has the lowest and the highest value of all points, each the mean or the median of its runs; coefficients are of a regression with \
             ranks, negative where the value falls."
        }
    };
    text + "\n" + &wrap(note, 0, columns) + "\n"
}

/// `slash19: 9 points (grid of max_pool_size and nodes), 20 runs at each.`
pub(super) fn title(results: &Results) -> String {
    let sweep = results.sweep;
    let labels = sweep.labels().join(" × ");
    let most = sweep.points.iter().map(|point| point.replications).max().unwrap_or(0);
    let least = sweep.points.iter().map(|point| point.replications).min().unwrap_or(0);
    let runs = match (least, most) {
        (1, 1) => "one run each".to_owned(),
        (least, most) if least == most => format!("{most} runs each"),
        (least, most) => format!("{least} to {most} runs each"),
    };
    let points =
        if sweep.points.len() == 1 { "one point".to_owned() } else { format!("{} points", sweep.points.len()) };
    format!("{}: {points} ({}: {labels}), {runs}", sweep.name, sweep.design.words())
}

fn measures(results: &Results, columns: usize) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if let Ok(columns) = u16::try_from(columns) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
    }
    table.set_header(["measure", "", "lowest", "highest", "depends on"]);
    for (measure, (name, unit)) in results.sweep.measures.iter().enumerate() {
        let mut values: Vec<_> = results.headlines(measure).into_iter().flatten().collect();
        values.sort_by(f64::total_cmp);
        let write = |value: Option<&f64>| value.map_or("none".to_owned(), |value| words::value(*value, unit));
        let why = ranking(results, measure).map_or("".to_owned(), |ranking| depends(results, &ranking));
        table.add_row([name.clone(), statistic(unit), write(values.first()), write(values.last()), why]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for column in [2, 3] {
        table.column_mut(column).expect("it has five columns").set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

/// `max_pool_size 71 %, nodes 20 %`, or `max_pool_size −0.92, nodes +0.20`.
pub(super) fn depends(results: &Results, ranking: &Ranking) -> String {
    let labels = results.sweep.labels();
    let one = |axis: usize| {
        let value = ranking.influences[axis].value;
        match ranking.method {
            Method::RankRegression => format!("{} {}", labels[axis], coefficient(value)),
            _ => format!("{} {}", labels[axis], percent(value)),
        }
    };
    ranking.order().into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `+0.92`, `−0.20`, or `0.00` without a sign.
pub(super) fn coefficient(value: f64) -> String {
    let digits = format!("{:.2}", value.abs());
    match () {
        () if digits == "0.00" => digits,
        () if value < 0.0 => format!("−{digits}"),
        () => format!("+{digits}"),
    }
}

/// Where each claim holds.
pub(super) fn claims(results: &Results) -> Vec<String> {
    let sweep = results.sweep;
    let line = |claim: usize| {
        let decisions: Vec<_> = (0..sweep.points.len()).filter_map(|point| results.decision(point, claim)).collect();
        let count = |wanted: Decision| decisions.iter().filter(|&&decision| decision == wanted).count();
        let undecided = match count(Decision::Undecided) {
            0 => String::new(),
            n => format!("; {n} cannot be decided with so few runs"),
        };
        let (holds, all) = (count(Decision::Holds), decisions.len());
        format!("`{}` holds at {holds} of {all} points{undecided}.", sweep.claims[claim].text)
    };
    (0..sweep.claims.len()).map(line).collect()
}

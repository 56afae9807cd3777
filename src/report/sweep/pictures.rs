//! A picture per measure: a line over one varied path, a heat map over two; of more, the two that
//! matter most.

use super::words;
use crate::report::plot::heat::{self, Heat, Side};
use crate::report::plot::line::{self, Dot, Line};
use crate::report::{Plot, file_name};
use crate::study::sweep::{Design, Results, number, ranking};

/// Most rows or columns that show a value each; more values are put into [`BINS`] ranges.
const MOST_VALUES: usize = 24;
const BINS: usize = 8;

/// Pictures of the measures that differ between points, in their order.
pub(super) fn all(results: &Results) -> Vec<Plot> {
    let measures = 0..results.sweep.measures.len();
    measures.filter(|&measure| differs(results, measure)).filter_map(|measure| picture(results, measure)).collect()
}

/// Whether a measure is not the same at all points.
pub(super) fn differs(results: &Results, measure: usize) -> bool {
    let values = results.headlines(measure);
    values.iter().any(|value| *value != values[0])
}

fn picture(results: &Results, measure: usize) -> Option<Plot> {
    let sweep = results.sweep;
    let distinct = |axis: &usize| sweep.points.iter().any(|p| p.values[*axis] != sweep.points[0].values[*axis]);
    let varied: Vec<_> = (0..sweep.axes.len()).filter(distinct).collect();
    let (name, _) = &sweep.measures[measure];
    let svg = match varied[..] {
        [] => return None,
        [axis] => of_one(results, measure, axis),
        [x, y] => of_two(results, measure, x, y, &[]),
        _ => {
            let order = ranking(results, measure).map_or(varied.clone(), |ranking| ranking.order());
            let order: Vec<_> = order.into_iter().filter(|axis| varied.contains(axis)).collect();
            of_two(results, measure, order[0], order[1], &order[2..])
        }
    };
    Some(Plot { name: format!("{:02}-{}", measure + 1, file_name(name)), caption: caption(results, measure), svg })
}

fn caption(results: &Results, measure: usize) -> String {
    let why = ranking(results, measure).map(|ranking| super::terminal::depends(results, &ranking));
    why.map_or(String::new(), |why| format!("Depends on {why}."))
}

/// `median of 20 runs, s`.
fn what(results: &Results, measure: usize) -> String {
    let unit = results.sweep.measures[measure].1;
    let runs = results.runs.iter().map(Vec::len).max().unwrap_or(1);
    match (runs, unit) {
        (1, "s") => "one run".to_owned(),
        (1, unit) => format!("{unit}, one run"),
        (runs, "s") => format!("median of {runs} runs"),
        (runs, "share of runs") => format!("share of {runs} runs"),
        (runs, unit) => format!("{unit}, mean of {runs} runs"),
    }
}

fn of_one(results: &Results, measure: usize, axis: usize) -> String {
    let sweep = results.sweep;
    let (name, unit) = &sweep.measures[measure];
    let scale = Scale::of(results, axis, usize::MAX);
    let dot = |point: usize| {
        let cell = results.cell(point, measure);
        let label = sweep.points[point].values[axis].clone();
        Some(Dot { label, x: scale.numbers[point], y: cell.headline()?, range: cell.range() })
    };
    let mut points: Vec<_> = (0..sweep.points.len()).filter_map(dot).collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let bars = match *unit {
        "s" => "bars hold 90 % of the runs",
        _ => "bars are intervals of 95 %",
    };
    let highest = points.iter().map(|point| point.y).filter(|y| y.is_finite()).fold(0.0, f64::max);
    line::draw(&Line {
        title: name.clone(),
        note: format!("{}; {bars}", what(results, measure)),
        name: sweep.axes[axis].path.clone(),
        points,
        unit: tick_unit(unit, highest),
        is_count: !["s", "share", "share of runs"].contains(unit),
        write: &|value| words::value(value, unit),
    })
}

/// A length of time whose multiples are good ticks.
fn tick_unit(unit: &str, highest: f64) -> f64 {
    const MINUTE: f64 = 60.0;
    let units = [24.0 * 60.0 * MINUTE, 60.0 * MINUTE, MINUTE, 1.0];
    match unit {
        "s" => units.into_iter().find(|unit| highest >= 2.0 * unit).unwrap_or(1.0),
        "share" | "share of runs" => 0.01,
        _ => 1.0,
    }
}

fn of_two(results: &Results, measure: usize, x: usize, y: usize, others: &[usize]) -> String {
    let sweep = results.sweep;
    let (name, unit) = &sweep.measures[measure];
    let (columns, rows) = (Scale::of(results, x, MOST_VALUES), Scale::of(results, y, MOST_VALUES));
    let values = results.headlines(measure);
    let cell = |row: usize, column: usize| {
        let here = (0..values.len()).filter(|&point| rows.level[point] == row && columns.level[point] == column);
        middle(here.filter_map(|point| values[point]).collect())
    };
    // Large values at the top, as on any axis.
    let row = |row: usize| (0..columns.labels.len()).map(|column| cell(row, column)).collect();
    let cells: Vec<_> = (0..rows.labels.len()).rev().map(row).collect();
    let labels = sweep.labels();
    let others: Vec<_> = others.iter().map(|&axis| labels[axis].as_str()).collect();
    let averaged = match (&others[..], sweep.design) {
        ([], Design::Grid) => String::new(),
        ([], Design::LatinHypercube) => "; mean of the points of a cell".to_owned(),
        (others, _) => format!("; mean over {}", others.join(", ")),
    };
    heat::draw(&Heat {
        title: name.clone(),
        note: format!("{}{averaged}", what(results, measure)),
        x: Side { name: sweep.axes[x].path.clone(), labels: columns.labels },
        y: Side { name: labels[y].clone(), labels: rows.labels.into_iter().rev().collect() },
        cells,
        write: &|value| words::value(value, unit),
    })
}

/// The mean; the median if one of them is infinite.
fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    match values.last()? {
        last if last.is_finite() => Some(values.iter().sum::<f64>() / values.len() as f64),
        _ => Some(values[values.len() / 2]),
    }
}

/// The values of an axis in their order, or ranges of them if they are too many.
struct Scale {
    labels: Vec<String>,
    /// By point: its value as a number, or its place among the values.
    numbers: Vec<f64>,
    /// By point: which label it has.
    level: Vec<usize>,
}

impl Scale {
    fn of(results: &Results, axis: usize, most: usize) -> Self {
        let values: Vec<_> = results.sweep.points.iter().map(|point| point.values[axis].as_str()).collect();
        let mut distinct: Vec<&str> = Vec::new();
        values.iter().for_each(|value| {
            if !distinct.contains(value) {
                distinct.push(value);
            }
        });
        let parsed: Option<Vec<_>> = values.iter().map(|value| number(value)).collect();
        let place = |value: &&str| distinct.iter().position(|other| other == value).expect("all are listed");
        let Some(parsed) = parsed.filter(|all| all.iter().all(|(_, unit)| *unit == all[0].1)) else {
            let level: Vec<_> = values.iter().map(place).collect();
            let numbers = level.iter().map(|&level| level as f64).collect();
            return Self { labels: distinct.iter().map(|&value| value.to_owned()).collect(), numbers, level };
        };
        let numbers: Vec<_> = parsed.iter().map(|(number, _)| *number).collect();
        if distinct.len() > most {
            return Self::binned(numbers, parsed[0].1);
        }
        let mut sorted: Vec<_> = numbers.iter().copied().zip(values.iter().copied()).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        sorted.dedup_by(|a, b| a.0 == b.0);
        let level = numbers.iter().map(|n| sorted.iter().position(|(m, _)| m == n).expect("all are listed")).collect();
        Self { labels: sorted.into_iter().map(|(_, value)| value.to_owned()).collect(), numbers, level }
    }

    fn binned(numbers: Vec<f64>, unit: &str) -> Self {
        let from = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let to = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if numbers.iter().all(|number| number.fract() == 0.0) {
            return Self::of_whole(numbers, (from, to), unit);
        }
        let width = (to - from) / BINS as f64;
        let level = numbers.iter().map(|number| (((number - from) / width) as usize).min(BINS - 1)).collect();
        let digits = (2.0 - width.log10()).ceil().clamp(0.0, 6.0) as usize;
        let digits = if width >= 5.0 { 0 } else { digits };
        let edge = |bin: usize| format!("{:.digits$}", from + width * bin as f64);
        let labels = (0..BINS).map(|bin| format!("{}–{}{unit}", edge(bin), edge(bin + 1))).collect();
        Self { labels, numbers, level }
    }

    /// Ranges of whole numbers, as many in each but perhaps the last.
    fn of_whole(numbers: Vec<f64>, (from, to): (f64, f64), unit: &str) -> Self {
        let width = ((to - from + 1.0) / BINS as f64).ceil();
        let level = numbers.iter().map(|number| ((number - from) / width) as usize).collect();
        let label = |bin: usize| {
            let first = from + width * bin as f64;
            let last = (first + width - 1.0).min(to);
            if first == last { format!("{first}{unit}") } else { format!("{first}–{last}{unit}") }
        };
        let bins = ((to - from + 1.0) / width).ceil() as usize;
        Self { labels: (0..bins).map(label).collect(), numbers, level }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_whole_numbers_do_not_overlap() {
        let scale = Scale::binned((10..=40).map(f64::from).collect(), "d");
        let labels = ["10–13d", "14–17d", "18–21d", "22–25d", "26–29d", "30–33d", "34–37d", "38–40d"];
        assert_eq!((scale.labels, scale.level[4], scale.level[30]), (labels.map(str::to_owned).to_vec(), 1, 7));
        assert_eq!(Scale::binned(vec![0.5, 4.5], "").labels[..2], ["0.500–1.000", "1.000–1.500"]);
    }
}

//! Numbers over time in a CSV file.

use super::diagnostics::Place;
use super::loader::Loader;
use super::quantity::Duration;
use super::read::At;
use super::table::{Row, Table, WrongRows};
use crate::time::{Instant, Span};

/// Where in which file the numbers stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'w> {
    /// The file.
    pub file: &'w At<String>,
    /// The column with the times; `None` = the first.
    pub time: Option<&'w At<String>>,
    /// What a time of 1 means; `None` = the name of the column says so.
    pub unit: Option<&'w At<Duration>>,
    /// Time to add to each.
    pub offset: Span,
    /// The column with the numbers; `None` = the first that has no times.
    pub number: Option<&'w At<String>>,
}

/// The numbers in the order of their times, at least one; `None` = the file is wrong, which is
/// reported.
pub(super) fn series(loader: &mut Loader, written: Columns<'_>) -> Option<Vec<(Instant, f64)>> {
    let table = Table::open(loader, written.file)?;
    let (time, unit) = time(loader, &table, written)?;
    let number = number(loader, &table, written, time)?;
    let mut points: Vec<(Instant, f64)> = Vec::new();
    let mut before: Option<(Span, Place)> = None;
    let mut wrong = WrongRows::default();
    for row in table.rows() {
        row.check_length(loader, &mut wrong);
        let value = row_number(loader, &row, number, &mut wrong);
        let Some(at) = row_time(loader, &row, time, unit, &mut wrong) else { continue };
        let place = row.field(time);
        if let Some((earlier, earlier_place)) = before.filter(|&(earlier, _)| earlier >= at) {
            let title = if earlier == at { "the same time stands here twice" } else { "times must increase" };
            wrong.report(loader, &row, place, title, |problem| {
                problem.context(earlier_place, "the time before");
            });
        }
        before = Some((at, place));
        points.push((Instant::ZERO + at + written.offset, value.unwrap_or_default()));
    }
    if !wrong.finish(loader) {
        return None;
    }
    if points.is_empty() {
        loader.problems.error(written.file.place, format!("`{}` has no rows", written.file.value));
        return None;
    }
    Some(points)
}

fn row_time(loader: &mut Loader, row: &Row<'_>, column: usize, unit: TimeUnit, wrong: &mut WrongRows) -> Option<Span> {
    let text = row.text(column);
    let at = unit.read(text);
    if at.is_none() {
        wrong.report(loader, row, row.field(column), format!("`{text}` is not a time"), |problem| {
            problem.label(unit.expected());
        });
    }
    at
}

fn row_number(loader: &mut Loader, row: &Row<'_>, column: usize, wrong: &mut WrongRows) -> Option<f64> {
    let text = row.text(column);
    let number = text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0);
    if number.is_none() {
        let title = format!("`{text}` is not a number of at least 0");
        wrong.report(loader, row, row.field(column), title, |_| {});
    }
    number
}

/// The column with the times, and how they are written.
fn time(loader: &mut Loader, table: &Table, written: Columns<'_>) -> Option<(usize, TimeUnit)> {
    let column = match written.time {
        Some(wanted) => table.column(loader, wanted)?,
        None => 0,
    };
    let name = table.header().get(column).unwrap_or_default();
    let unit = match written.unit {
        Some(unit) => Some(TimeUnit::Seconds(unit.value.0.as_secs_f64())),
        None => time_unit(name),
    };
    if unit.is_none() {
        match written.time {
            Some(at) => {
                let problem = loader.problems.error(at.place, format!("it is not said what a `{name}` is"));
                problem.help("add `unit: 1h` or the like");
            }
            None => {
                let title = "the first column of a CSV file holds times";
                loader.problems.error(table.header_place(), title).help(
                    "call it `at` (durations such as `12h`), or `days`, `hours`, `minutes` or `seconds` (numbers)",
                );
            }
        }
    }
    Some((column, unit?))
}

/// The column with the numbers.
fn number(loader: &mut Loader, table: &Table, written: Columns<'_>, time: usize) -> Option<usize> {
    if let Some(wanted) = written.number {
        let column = table.column(loader, wanted)?;
        if column == time {
            let title = format!("the column `{}` holds the times", wanted.value);
            loader.problems.error(wanted.place, title).help("name the one with the numbers, or leave `column` out");
            return None;
        }
        return Some(column);
    }
    let column = (0..table.header().len()).find(|&column| column != time);
    if column.is_none() {
        loader.problems.error(table.header_place(), "this file has times only").help("add a column with the numbers");
    }
    column
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum TimeUnit {
    /// Durations with their unit.
    Duration,
    /// Numbers of this many seconds.
    Seconds(f64),
}

impl TimeUnit {
    fn read(self, text: &str) -> Option<Span> {
        match self {
            Self::Duration => text.parse().ok(),
            Self::Seconds(unit) => {
                let number: f64 = text.parse().ok()?;
                (number.is_finite() && number >= 0.0).then(|| Span::from_secs_f64(number * unit))
            }
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Duration => "a duration is expected, such as `12h`",
            Self::Seconds(_) => "a number of at least 0 is expected",
        }
    }
}

/// How times are written below a header.
fn time_unit(header: &str) -> Option<TimeUnit> {
    Some(match header.trim_end_matches('s') {
        "at" | "time" => TimeUnit::Duration,
        "day" => TimeUnit::Seconds(86_400.0),
        "hour" => TimeUnit::Seconds(3_600.0),
        "minute" => TimeUnit::Seconds(60.0),
        "second" => TimeUnit::Seconds(1.0),
        _ => return None,
    })
}

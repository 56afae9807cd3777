//! Recorded pods: a CSV file with a row for every pod.

use jiff::civil::Date;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{Timestamp, civil::Time};

use super::diagnostics::Place;
use super::loader::Loader;
use super::quantity::{Cpu, Memory};
use super::read::At;
use super::table::{Row, Table, WrongRows};
use crate::model::{Resources, TracePod};
use crate::time::{Instant, Span};

/// The pods of a file in the order of their arrivals, at least one; timestamps count from `start`,
/// and pods without requests of their own have `requests`. `None` = something is wrong, which is
/// reported.
pub(super) fn pods(
    loader: &mut Loader,
    path: &At<String>,
    start: Option<Date>,
    requests: Resources,
) -> Option<Vec<TracePod>> {
    let table = Table::open(loader, path)?;
    let columns = Columns::of(loader, &table)?;
    let clock = Clock::of(&table, &columns, start);
    let mut reading = Reading { loader, columns, clock, requests, wrong: WrongRows::default() };
    let mut pods: Vec<(Row<'_>, TracePod)> =
        table.rows().filter_map(|row| reading.pod(&row).map(|pod| (row, pod))).collect();
    pods.sort_by_key(|(_, pod)| pod.arrive);
    reading.report_doubles(&pods);
    if !reading.wrong.finish(loader) {
        return None;
    }
    if pods.is_empty() {
        loader.problems.error(path.place, format!("`{}` has no rows", path.value));
        return None;
    }
    Some(pods.into_iter().map(|(_, pod)| pod).collect())
}

/// Most pods of a trace that are there at once; one that departs when another arrives counts still.
pub(super) fn most_at_once(pods: &[TracePod]) -> u64 {
    let mut departures: Vec<Instant> = pods.iter().map(|pod| pod.depart).collect();
    departures.sort_unstable();
    let gone = |at: Instant| departures.partition_point(|&depart| depart < at);
    pods.iter().enumerate().map(|(before, pod)| before + 1 - gone(pod.arrive)).max().unwrap_or_default() as u64
}

/// Columns of the file.
struct Columns {
    pod: usize,
    arrive: usize,
    depart: usize,
    cpu: Option<(usize, Unit)>,
    memory: Option<(usize, Unit)>,
}

/// How a resource is written.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// As Kubernetes writes it.
    Quantity,
    /// A number of what the name of the column ends in.
    Named,
}

/// What times are counted from.
enum Clock {
    /// The start; they are seconds or durations.
    Start,
    /// A moment; they are timestamps.
    Moment { zero: Timestamp, since: &'static str },
}

/// A time as it is written.
enum Moment {
    /// Since the start.
    Since(Span),
    /// By the calendar, at an offset from UTC.
    Stamp(Timestamp, Offset),
}

impl Columns {
    /// The columns by their names, in any order; `None` = one is missing, which is reported.
    fn of(loader: &mut Loader, table: &Table) -> Option<Self> {
        if one_column(loader, table) {
            return None;
        }
        let pod = required(loader, table, &["pod"]);
        let arrive = required(loader, table, &["arrive", "arrive_s"]);
        let depart = required(loader, table, &["depart", "depart_s"]);
        let cpu = optional(loader, table, &["cpu", "cpu_milli"]);
        let memory = optional(loader, table, &["memory", "memory_mib"]);
        warn_of_near_misses(loader, table);
        let with_unit = |(column, name): (usize, usize)| (column, if name == 0 { Unit::Quantity } else { Unit::Named });
        let (pod, arrive, depart) = (pod?.0, arrive?.0, depart?.0);
        Some(Self { pod, arrive, depart, cpu: cpu?.map(with_unit), memory: memory?.map(with_unit) })
    }
}

/// A file whose columns are not separated by commas has one; that is reported.
fn one_column(loader: &mut Loader, table: &Table) -> bool {
    let [only] = table.header().iter().collect::<Vec<_>>()[..] else { return false };
    let Some(separator) = only.chars().find(|c| [';', '\t', '|'].contains(c)) else { return false };
    let problem = loader.problems.error(table.header_place(), "the columns of a trace are separated by commas");
    problem.label(format!("here by {separator:?}")).help("write it as CSV: `pod,arrive,depart`");
    true
}

/// The column with one of these names, and which of them; `None` = there is none, or several.
fn required(loader: &mut Loader, table: &Table, names: &[&str]) -> Option<(usize, usize)> {
    let found = optional(loader, table, names)?;
    if found.is_none() {
        let problem = loader.problems.error(table.header_place(), format!("a trace needs the column `{}`", names[0]));
        problem.label("not found here").help("it has `pod`, `arrive` and `depart`, and may have `cpu` and `memory`");
    }
    found
}

/// Columns that are ignored, as any that is not known, but look like requests.
fn warn_of_near_misses(loader: &mut Loader, table: &Table) {
    let known = ["cpu", "cpu_milli", "memory", "memory_mib"];
    let near = |name: &&str| {
        let lower = name.to_lowercase();
        (lower.starts_with("cpu") || lower.starts_with("mem")) && !known.contains(name)
    };
    for name in table.header().iter().filter(near) {
        let problem = loader.problems.warning(table.header_place(), format!("the column `{name}` is ignored"));
        problem.help("requests are read from `cpu` or `cpu_milli`, and `memory` or `memory_mib`");
    }
}

/// The column with one of these names, if there is one; outer `None` = there are several.
fn optional(loader: &mut Loader, table: &Table, names: &[&str]) -> Option<Option<(usize, usize)>> {
    let which = |(column, text): (usize, &str)| Some((column, names.iter().position(|name| *name == text)?));
    let mut found = table.header().iter().enumerate().filter_map(which);
    let first = found.next();
    if found.next().is_some() {
        let title = format!("there are two columns `{}`", names[0]);
        loader.problems.error(table.header_place(), title).help("rename the one that is not meant");
        return None;
    }
    Some(first)
}

impl Clock {
    /// As the first time is written: timestamps count from midnight of `start` at its offset from
    /// UTC, or else from the earliest.
    fn of(table: &Table, columns: &Columns, start: Option<Date>) -> Self {
        let in_row = |row: Row<'_>| [columns.arrive, columns.depart].map(|column| Moment::read(row.text(column)));
        let mut times = table.rows().flat_map(in_row).flatten();
        let Some(Moment::Stamp(first, offset)) = times.next() else { return Self::Start };
        if let Some(start) = start
            && let Ok(zero) = offset.to_timestamp(start.to_datetime(Time::midnight()))
        {
            return Self::Moment { zero, since: "`start`" };
        }
        let stamps = times.filter_map(|time| match time {
            Moment::Stamp(stamp, _) => Some(stamp),
            Moment::Since(_) => None,
        });
        Self::Moment { zero: stamps.fold(first, Timestamp::min), since: "the first" }
    }

    /// The time since the start, or what is wrong with it.
    fn read(&self, text: &str) -> Result<Instant, String> {
        match (self, Moment::read(text)) {
            (Self::Start, Some(Moment::Since(span))) => Ok(Instant::ZERO + span),
            (Self::Moment { zero, since }, Some(Moment::Stamp(stamp, _))) => {
                let nanos = stamp.as_nanosecond() - zero.as_nanosecond();
                u64::try_from(nanos).map(Instant).map_err(|_| format!("`{text}` is before {since}"))
            }
            (Self::Start, Some(_)) => Err(format!("`{text}` is a timestamp, the first time is not")),
            (Self::Moment { .. }, Some(_)) => Err(format!("`{text}` is no timestamp, the first time is one")),
            (_, None) if text.parse::<f64>().is_ok_and(|number| number < 0.0) => {
                Err(format!("`{text}` is before the start"))
            }
            (_, None) => Err(format!("`{text}` is not a time")),
        }
    }
}

impl Moment {
    /// A number of seconds, a duration or a timestamp (RFC 3339).
    fn read(text: &str) -> Option<Self> {
        if let Ok(seconds) = text.parse::<f64>() {
            return (seconds.is_finite() && seconds >= 0.0).then(|| Self::Since(Span::from_secs_f64(seconds)));
        }
        if let Ok(span) = text.parse() {
            return Some(Self::Since(span));
        }
        let pieces = Pieces::parse(text).ok()?;
        let (time, offset) = (pieces.time()?, pieces.to_numeric_offset()?);
        Some(Self::Stamp(offset.to_timestamp(pieces.date().to_datetime(time)).ok()?, offset))
    }
}

/// A reading under way.
struct Reading<'l> {
    loader: &'l mut Loader,
    columns: Columns,
    clock: Clock,
    requests: Resources,
    wrong: WrongRows,
}

impl Reading<'_> {
    /// The pod of a row; `None` = it is wrong, which is reported.
    fn pod(&mut self, row: &Row<'_>) -> Option<TracePod> {
        row.check_length(self.loader, &mut self.wrong);
        if row.text(self.columns.pod).is_empty() {
            self.report(row, row.place(), "this pod has no name".to_owned(), "");
        }
        let arrive = self.time(row, self.columns.arrive, Instant::ZERO);
        let depart = self.time(row, self.columns.depart, Instant::NEVER);
        let requests = self.requests(row);
        let (arrive, depart) = (arrive?, depart?);
        if depart < arrive {
            self.report(row, row.field(self.columns.depart), "this pod departs before it arrives".to_owned(), "");
            return None;
        }
        Some(TracePod { arrive, depart, requests: requests? })
    }

    /// The time in a column, which may be empty.
    fn time(&mut self, row: &Row<'_>, column: usize, empty: Instant) -> Option<Instant> {
        let text = row.text(column);
        if text.is_empty() {
            return Some(empty);
        }
        let time = self.clock.read(text);
        time.map_err(|wrong| {
            self.report(row, row.field(column), wrong, "seconds, a duration such as `1d2h`, or RFC 3339");
        })
        .ok()
    }

    fn requests(&mut self, row: &Row<'_>) -> Option<Resources> {
        let cpu = self.resource(row, self.columns.cpu, self.requests.cpu_milli, "CPU", |text, unit| match unit {
            Unit::Quantity => Cpu::parse(text).map(|cpu| cpu.0),
            Unit::Named => Cpu::parse(&format!("{text}m")).map(|cpu| cpu.0),
        });
        let memory =
            self.resource(row, self.columns.memory, self.requests.memory_mib, "memory", |text, unit| match unit {
                Unit::Quantity => Memory::parse(text).map(|memory| memory.0),
                Unit::Named => Memory::parse(&format!("{text}Mi")).map(|memory| memory.0),
            });
        Some(Resources { cpu_milli: cpu?, memory_mib: memory? })
    }

    /// What a row requests of a resource, if it says so.
    fn resource(
        &mut self,
        row: &Row<'_>,
        column: Option<(usize, Unit)>,
        default: u32,
        what: &str,
        parse: fn(&str, Unit) -> Option<u32>,
    ) -> Option<u32> {
        let Some((column, unit)) = column.filter(|(column, _)| !row.text(*column).is_empty()) else {
            return Some(default);
        };
        let text = row.text(column);
        let amount = parse(text, unit);
        if amount.is_none() {
            let expected = match (unit, what) {
                (Unit::Named, _) => "a number of at least 0",
                (Unit::Quantity, "CPU") => "cores, such as `2`, `0.5` or `500m`",
                (Unit::Quantity, _) => "a number with a unit, such as `512Mi`; bare numbers go into `memory_mib`",
            };
            self.report(row, row.field(column), format!("`{text}` is not an amount of {what}"), expected);
        }
        amount
    }

    /// Reports pods that are there twice at the same time; `pods` are in the order of arrivals.
    fn report_doubles(&mut self, pods: &[(Row<'_>, TracePod)]) {
        let column = self.columns.pod;
        let mut by_name: Vec<_> = pods.iter().filter(|(row, _)| !row.text(column).is_empty()).collect();
        by_name.sort_by_key(|(row, _)| row.text(column));
        let mut longest: Option<&(Row<'_>, TracePod)> = None;
        for pod in by_name {
            let (row, name) = (&pod.0, pod.0.text(column));
            let before = longest.filter(|(row, _)| row.text(column) == name);
            if let Some((other, _)) = before.filter(|(_, before)| pod.1.arrive < before.depart) {
                let title = format!("pod `{name}` is there twice at the same time");
                self.wrong.report(self.loader, row, row.field(column), title, |problem| {
                    problem.context(other.field(column), "the other one");
                });
            }
            longest = before.filter(|(_, before)| before.depart >= pod.1.depart).or(Some(pod));
        }
    }

    fn report(&mut self, row: &Row<'_>, place: Place, title: String, expected: &str) {
        self.wrong.report(self.loader, row, place, title, |problem| {
            problem.label(expected);
        });
    }
}

//! CSV files with a header: rows, places in them, and what is wrong with which row.

use std::collections::BTreeSet;

use super::diagnostics::{Place, Problem, quoted_list};
use super::loader::Loader;
use super::read::At;
use super::show;

/// Wrong rows of a file that are shown one by one; of others the lines are listed.
const SHOWN: usize = 10;

/// Most ranges of lines in a list.
const RANGES: usize = 50;

/// A CSV file with a header. Lines that begin with `#` are skipped.
pub(super) struct Table {
    file: usize,
    name: String,
    text: String,
    header: csv::StringRecord,
}

/// A row of a CSV file.
pub(super) struct Row<'t> {
    table: &'t Table,
    record: csv::StringRecord,
    /// The byte at which it begins.
    start: usize,
    /// Its line, from 1.
    line: u64,
}

/// Wrong rows of a CSV file: all are counted, the first are shown.
#[derive(Default)]
pub(super) struct WrongRows {
    shown: BTreeSet<u64>,
    others: BTreeSet<u64>,
    first_other: Option<Place>,
}

impl Table {
    /// Opens the file that the scenario names; `None` = it cannot be read, which is reported.
    pub fn open(loader: &mut Loader, path: &At<String>) -> Option<Self> {
        let file = loader.open(path)?;
        let text = loader.problems.sources[file].text.clone();
        let header = reader(&text).headers().cloned().unwrap_or_default();
        Some(Self { file, name: path.value.clone(), text, header })
    }

    /// Names of the columns.
    pub fn header(&self) -> &csv::StringRecord {
        &self.header
    }

    /// Where the header stands.
    pub fn header_place(&self) -> Place {
        let (start, _) = self.content(0);
        self.line_at(start)
    }

    /// The column that the scenario names; `None` = there is none, which is reported.
    pub fn column(&self, loader: &mut Loader, wanted: &At<String>) -> Option<usize> {
        let mut columns = self.header.iter().enumerate().filter(|(_, name)| *name == wanted.value).map(|(i, _)| i);
        let column = columns.next();
        if columns.next().is_some() {
            let title = format!("`{}` has two columns `{}`", self.name, wanted.value);
            loader.problems.error(self.header_place(), title).help("rename the one that is not meant");
            return None;
        }
        if column.is_none() {
            let title = format!("`{}` has no column `{}`", self.name, wanted.value);
            let names = quoted_list(self.header.iter());
            loader.problems.error(wanted.place, title).help(format!("it has {names}"));
        }
        column
    }

    /// All rows in their order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        // Only text that is no UTF-8 fails, and this is a `String`.
        reader(&self.text).into_records().filter_map(Result::ok).map(|record| {
            let (byte, line) = record.position().map_or((0, 1), |at| (at.byte() as usize, at.line()));
            let (start, skipped) = self.content(byte);
            Row { table: self, record, start, line: line + skipped }
        })
    }

    /// Where the first line at or after byte `from` begins that is neither empty nor a comment,
    /// and how many lines lie between.
    fn content(&self, from: usize) -> (usize, u64) {
        let (mut start, mut lines) = (from, 0);
        loop {
            let rest = &self.text[start..];
            let skipped = match rest.as_bytes().first() {
                Some(b'#') => rest.find('\n').map_or(rest.len(), |end| end + 1),
                Some(b'\r' | b'\n') => 1,
                _ => return (start, lines),
            };
            lines += u64::from(rest[..skipped].ends_with('\n'));
            start += skipped;
        }
    }

    /// The line that begins at byte `start`.
    fn line_at(&self, start: usize) -> Place {
        let end = self.text[start..].find(['\r', '\n']).map_or(self.text.len(), |n| start + n);
        Place { file: self.file, start, end }
    }
}

impl<'t> Row<'t> {
    /// The text of column `i`; empty, if it is missing.
    pub fn text(&self, i: usize) -> &str {
        self.record.get(i).unwrap_or_default()
    }

    /// The row.
    pub fn place(&self) -> Place {
        self.table.line_at(self.start)
    }

    /// The text of column `i`, found after those before it; the row, if it is empty.
    pub fn field(&self, i: usize) -> Place {
        let line = self.place();
        let mut from = line.start;
        for (k, field) in self.record.iter().enumerate().take(i + 1) {
            let Some(found) = self.table.text[from..line.end].find(field) else { break };
            if k == i && !field.is_empty() {
                return Place { start: from + found, end: from + found + field.len(), ..line };
            }
            from += found + field.len();
        }
        line
    }

    /// Reports a row that has not as many fields as the header.
    pub fn check_length(&self, loader: &mut Loader, wrong: &mut WrongRows) {
        let (fields, columns) = (self.record.len() as u64, self.table.header.len() as u64);
        if fields != columns {
            let title = format!("this row has {}", show::count(fields, "field", "fields"));
            wrong.report(loader, self, self.place(), title, |problem| {
                problem.label(format!("the header has {columns}"));
            });
        }
    }
}

impl WrongRows {
    /// Reports something that is wrong with a row; `more` adds words to it.
    pub fn report(
        &mut self,
        loader: &mut Loader,
        row: &Row<'_>,
        place: Place,
        title: impl Into<String>,
        more: impl FnOnce(&mut Problem),
    ) {
        if self.shown.contains(&row.line) || self.shown.len() < SHOWN {
            self.shown.insert(row.line);
            more(loader.problems.error(place, title));
        } else {
            self.others.insert(row.line);
            self.first_other.get_or_insert(place);
        }
    }

    /// Lists the rows that were not shown; tells whether all rows are right.
    pub fn finish(self, loader: &mut Loader) -> bool {
        if let Some(place) = self.first_other {
            let rows = show::count(self.others.len() as u64, "more row is", "more rows are");
            let problem = loader.problems.error(place, format!("{rows} wrong"));
            problem.help(lines(&self.others));
        }
        self.shown.is_empty()
    }
}

/// Lines in words: `lines 3, 5 to 9 and 12`.
fn lines(lines: &BTreeSet<u64>) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &line in lines {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => ranges.push((line, line)),
        }
    }
    let left: u64 = ranges.iter().skip(RANGES).map(|(first, last)| last - first + 1).sum();
    ranges.truncate(RANGES);
    let text =
        |&(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first} to {last}") };
    let mut list: Vec<_> = ranges.iter().map(text).collect();
    if left > 0 {
        list.push(format!("{left} more"));
    }
    match (list.pop(), list.is_empty()) {
        (Some(only), true) => format!("line{} {only}", if lines.len() == 1 { "" } else { "s" }),
        (last, _) => format!("lines {} and {}", list.join(", "), last.unwrap_or_default()),
    }
}

fn reader(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(true).comment(Some(b'#')).trim(csv::Trim::All).from_reader(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_listed_in_ranges() {
        let list = |of: &[u64]| lines(&of.iter().copied().collect());
        assert_eq!(list(&[7]), "line 7");
        assert_eq!(list(&[3, 4, 5]), "lines 3 to 5");
        assert_eq!(list(&[3, 5, 6, 7, 12]), "lines 3, 5 to 7 and 12");
        let even: Vec<u64> = (1..=60).map(|n| 2 * n).collect();
        assert!(list(&even).ends_with("98, 100 and 10 more"), "{}", list(&even));
    }

    #[test]
    fn rows_know_their_places() {
        let text = "# by hand\na,b\n\n# more\n1,x\r\n2,  y \n\"3\",1";
        let mut header = csv::StringRecord::new();
        header.extend(["a", "b"]);
        let table = Table { file: 0, name: String::new(), text: text.to_owned(), header };
        let rows: Vec<_> = table.rows().map(|row| (row.line, row.field(1).start, row.place().start)).collect();
        let at = |part: &str| text.find(part).expect("it is there");
        assert_eq!(rows, [(5, at("x\r"), at("1,x")), (6, at("y \n"), at("2,")), (7, text.len() - 1, at("\"3\""))]);
        let place = table.header_place();
        assert_eq!(&text[place.start..place.end], "a,b");
    }
}

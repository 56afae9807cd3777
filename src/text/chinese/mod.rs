//! The Chinese words, by the English ones, as an engineer of ACK writes them. Names of things that are
//! Terway's, Kubernetes' or the API's, and their messages, stay as they are.

mod explain;
mod measures;
mod outcome;
mod plots;
mod report;
mod units;

pub(super) type Entry = (&'static str, &'static str);

/// All of them but the units.
pub(super) const ALL: [&[Entry]; 5] =
    [explain::EXPLAIN, measures::MEASURES, outcome::OUTCOME, plots::PLOTS, report::REPORT];

/// The units.
pub(super) const UNITS: &[Entry] = units::UNITS;

/// A text in both languages.
pub(super) const fn of(english: &str) -> Option<Entry> {
    let mut table = 0;
    while table < ALL.len() {
        let found = find(ALL[table], english);
        if found.is_some() {
            return found;
        }
        table += 1;
    }
    None
}

/// A unit in both languages.
pub(super) const fn unit(english: &str) -> Option<Entry> {
    find(UNITS, english)
}

const fn find(table: &[Entry], english: &str) -> Option<Entry> {
    let mut i = 0;
    while i < table.len() {
        if is_same(table[i].0, english) {
            return Some(table[i]);
        }
        i += 1;
    }
    None
}

/// Whether two texts are the same, for the compiler.
const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

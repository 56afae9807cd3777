//! Problems in texts that users hand in.

use std::ops::Range;

/// What was found, with the warnings on the way; or every problem, errors and warnings in the
/// order of the text.
pub type Checked<T> = Result<(T, Vec<Note>), Vec<Note>>;

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which text: the number that the caller gave when it was read.
    pub source: usize,
    /// The bytes.
    pub span: Range<usize>,
}

/// A problem of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether it stops a run.
    pub severity: Severity,
    /// Where; `None` where no text is to blame.
    pub place: Option<Place>,
    /// What is wrong, in a sentence without full stop.
    pub title: String,
    /// What to say at the place.
    pub label: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Whether a problem stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It stops a run.
    Error,
    /// It deserves attention.
    Warning,
}

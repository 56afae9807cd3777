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

impl Note {
    /// A problem that stops a run.
    #[must_use]
    pub fn error(title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: None, title: title.into(), label: label.into(), hint: None }
    }

    /// A problem that deserves attention.
    #[must_use]
    pub fn warning(title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(title, label) }
    }

    /// Says where.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// `value`, unless a note is an error; notes in the order of the text, those without a place first.
///
/// # Errors
/// All notes, if one of them is an error.
pub fn unless_error<T>(value: T, mut notes: Vec<Note>) -> Checked<T> {
    notes.sort_by_key(|note| note.place.as_ref().map(|place| (place.source, place.span.start)));
    let fails = notes.iter().any(|note| note.severity == Severity::Error);
    if fails { Err(notes) } else { Ok((value, notes)) }
}

/// The known word that `word` was probably meant to be.
#[must_use]
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    let likeness = |k: &str| strsim::jaro_winkler(&word, &k.to_lowercase());
    let best = known.into_iter().map(|k| (likeness(k), k)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.75).then_some(best.1)
}

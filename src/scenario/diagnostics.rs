//! What is wrong with a scenario, all of it at once, and how it is shown.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Source, look_alike};
use crate::text::wrap;

/// Columns of a hint, which stands behind `   = help: ` on a terminal of 80.
const HELP_COLUMNS: usize = 66;

/// Everything that is wrong with a scenario: at least one error, and the warnings, one of which may
/// say why (a misspelt key that Terway ignores).
#[derive(Debug, Clone)]
pub struct Diagnostics {
    parts: Vec<Part>,
}

/// Problems that point into the same sources.
#[derive(Debug, Clone)]
struct Part {
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

impl Diagnostics {
    /// One error that has no place in a file.
    pub(super) fn without_place(title: String) -> Self {
        let mut problems = Problems::default();
        problems.error_without_place(title);
        Self { parts: vec![Part { sources: Vec::new(), problems: problems.list }] }
    }

    /// The problems of several readings, those that they share once; none without one.
    #[must_use]
    pub fn together(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut seen = BTreeSet::new();
        let mut parts = Vec::new();
        for one in all {
            for Part { sources, mut problems } in one.parts {
                problems.retain(|problem| seen.insert(problem.identity(&sources)));
                parts.push(Part { sources, problems });
            }
        }
        parts.retain(|part| !part.problems.is_empty());
        (!parts.is_empty()).then_some(Self { parts })
    }

    /// The same errors, with the reason why they come up.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        let problems = self.parts.iter_mut().flat_map(|part| &mut part.problems);
        problems.filter(|problem| problem.is_error).for_each(|error| _ = error.help(reason));
        self
    }

    fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.parts.iter().flat_map(|part| &part.problems).filter(|problem| problem.is_error)
    }

    /// Number of errors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.errors().count()
    }

    /// What the first error says, in one line.
    #[must_use]
    pub fn first_line(&self) -> String {
        self.errors().next().map_or(String::new(), |error| error.title.clone())
    }

    /// Whether there is nothing to say; never true of a value that `load` returns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All errors and warnings in the order of the files, as rustc writes its own; `colour` adds
    /// terminal colours.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let of = |part: &Part| part.problems.iter().map(|it| it.render(&part.sources, colour)).collect::<Vec<_>>();
        self.parts.iter().flat_map(of).collect::<Vec<_>>().join("\n\n")
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// Bytes of a file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Position in the list of sources.
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

/// One thing that is wrong, or worth a warning.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    is_error: bool,
    title: String,
    place: Option<Place>,
    label: String,
    context: Vec<(Place, String)>,
    help: Vec<String>,
}

impl Problem {
    /// Words under the place.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.label = text.into();
        self
    }

    /// Another place that has to do with it.
    pub fn context(&mut self, place: Place, text: impl Into<String>) -> &mut Self {
        self.context.push((place, text.into()));
        self
    }

    /// What to do about it.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help.push(text.into());
        self
    }

    /// What two problems share that are the same: the words, and what is written up to their end.
    fn identity(&self, sources: &[Source]) -> (String, String, Option<(String, usize, String)>) {
        let at = self.place.map(|place| {
            let Source { name, text } = &sources[place.file];
            (name.clone(), place.start, text.get(..place.end).unwrap_or(text).to_owned())
        });
        (self.title.clone(), self.label.clone(), at)
    }

    fn render(&self, sources: &[Source], colour: bool) -> String {
        let level = if self.is_error { Level::ERROR } else { Level::WARNING };
        let mut group = Group::with_title(level.primary_title(&self.title));
        for (file, Source { name, text }) in sources.iter().enumerate() {
            let main = self.place.filter(|place| place.file == file);
            let context: Vec<_> = self.context.iter().filter(|(place, _)| place.file == file).collect();
            if main.is_none() && context.is_empty() {
                continue;
            }
            let main = main.map(|place| AnnotationKind::Primary.span(span(place, text)).label(&self.label));
            let context = context.into_iter().map(|(p, l)| AnnotationKind::Context.span(span(*p, text)).label(l));
            group = group.element(Snippet::source(text).path(name).annotations(main).annotations(context));
        }
        let written = self.place.and_then(|place| sources[place.file].text.get(place.start..place.end));
        let look_alike = written.and_then(look_alike::find).map(|(_, help)| help);
        let help = self.help.iter().chain(&look_alike).map(|help| Level::HELP.message(wrap(help, 0, HELP_COLUMNS)));
        let group = help.fold(group, Group::element);
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        // Plain output is compared in tests, so it must not depend on the terminal.
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }
}

/// The bytes of a place, at least one character wide and on one line where there is one.
fn span(place: Place, text: &str) -> Range<usize> {
    let start = text.floor_char_boundary(place.start);
    let line_end = text[start..].find(['\r', '\n']).map_or(text.len(), |n| start + n);
    let end = text.ceil_char_boundary(place.end).min(line_end);
    start..end.max(text.ceil_char_boundary((start + 1).min(text.len())).min(line_end.max(start)))
}

/// What was read and what was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub sources: Vec<Source>,
    list: Vec<Problem>,
}

impl Problems {
    /// An error at a place.
    pub fn error(&mut self, place: Place, title: impl Into<String>) -> &mut Problem {
        self.push(true, Some(place), title.into())
    }

    /// An error that has no place in a file.
    pub fn error_without_place(&mut self, title: impl Into<String>) -> &mut Problem {
        self.push(true, None, title.into())
    }

    /// A warning at a place.
    pub fn warning(&mut self, place: Place, title: impl Into<String>) -> &mut Problem {
        self.push(false, Some(place), title.into())
    }

    /// A warning that has no place in a file.
    pub fn warning_without_place(&mut self, title: impl Into<String>) -> &mut Problem {
        self.push(false, None, title.into())
    }

    /// Problems so far.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    fn push(&mut self, is_error: bool, place: Option<Place>, title: String) -> &mut Problem {
        let problem = Problem { is_error, title, place, label: String::new(), context: Vec::new(), help: Vec::new() };
        self.list.push(problem);
        self.list.last_mut().expect("it was just pushed")
    }

    /// Whether an error was found so far.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.is_error)
    }

    /// The line of a place, from 1.
    pub fn line(&self, place: Place) -> usize {
        let text = self.sources[place.file].text.as_bytes();
        1 + text[..place.start.min(text.len())].iter().filter(|&&byte| byte == b'\n').count()
    }

    /// The name of a place's file.
    pub fn file_name(&self, place: Place) -> &str {
        &self.sources[place.file].name
    }

    /// Ends the reading: warnings, rendered, and the sources; or all problems, if one is an error.
    pub fn finish(mut self) -> Result<(Vec<String>, Vec<Source>), Diagnostics> {
        self.list.sort_by(|a, b| (a.place, &a.title).cmp(&(b.place, &b.title)));
        // The same document is looked at for every pool and zone.
        self.list.dedup_by(|a, b| (a.place, &a.title, &a.label) == (b.place, &b.title, &b.label));
        if self.has_errors() {
            return Err(Diagnostics { parts: vec![Part { sources: self.sources, problems: self.list }] });
        }
        let warnings = self.list.iter().map(|problem| problem.render(&self.sources, false));
        Ok((warnings.collect(), self.sources))
    }
}

/// "`a`, `b` and `c`".
pub(super) fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.pop() {
        None => "none".to_owned(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} and {last}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_at_the_end_of_a_text_and_in_letters_of_several_bytes_are_shown() {
        let mut problems = Problems::default();
        problems.sources.push(Source { name: "a.yaml".to_owned(), text: "k: é\n".to_owned() });
        for (start, end) in [(3, 5), (4, 5), (5, 5), (6, 6), (0, 99)] {
            problems.error(Place { file: 0, start, end: end.min(6) }, "wrong");
        }
        let diagnostics = problems.finish().expect_err("there are errors");
        assert_eq!(diagnostics.len(), 5);
        assert!(diagnostics.to_string().contains("a.yaml:1:4"), "{diagnostics}");
    }
}

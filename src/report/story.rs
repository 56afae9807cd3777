//! A chain of events on the terminal.

use super::terminal::wrap;
use crate::explain::Explanation;

/// The chain in plain text: what it comes to, what happened when, and what happened besides. Text
/// wraps at `columns`; give [`usize::MAX`] where no one looks.
#[must_use]
pub fn story(explanation: &Explanation, columns: usize) -> String {
    let paragraphs = |texts: &[String]| texts.iter().map(|text| wrap(text, 0, columns) + "\n").collect::<String>();
    let label = explanation.lines.iter().map(|line| line.when.len()).max().unwrap_or_default() + 2;
    let lines =
        explanation.lines.iter().map(|line| format!("{:label$}{}\n", line.when, wrap(&line.text, label, columns)));
    let parts = [paragraphs(&explanation.summary), lines.collect(), paragraphs(&explanation.after)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

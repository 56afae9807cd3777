//! A chain of events on the terminal.

use unicode_width::UnicodeWidthStr;

use super::terminal::padded;
use crate::explain::Explanation;
use crate::text::{Lang, Text, wrap};

/// The chain in plain text: what it comes to, what happened when, and what happened besides. Text
/// wraps at `columns`; give [`usize::MAX`] where no one looks.
#[must_use]
pub fn story(explanation: &Explanation, columns: usize, lang: Lang) -> String {
    let paragraphs =
        |texts: &[Text]| texts.iter().map(|text| wrap(&text.say(lang), 0, columns) + "\n").collect::<String>();
    let when: Vec<_> = explanation.lines.iter().map(|line| line.when.say(lang)).collect();
    let label = when.iter().map(|when| when.width()).max().unwrap_or_default() + 2;
    let lines = explanation.lines.iter().zip(&when);
    let lines = lines.map(|(line, when)| padded(when, label) + &wrap(&line.text.say(lang), label, columns) + "\n");
    let parts = [paragraphs(&explanation.summary), lines.collect(), paragraphs(&explanation.after)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

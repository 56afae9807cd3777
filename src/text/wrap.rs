//! Text in lines, as terminals show it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Breaks a text at spaces and around Chinese characters, so that a line that begins at column
/// `indent` ends before `columns`. Such a character is two columns wide.
#[must_use]
pub fn wrap(text: &str, indent: usize, columns: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = indent;
    // A percentage stays in one piece.
    let text = text.replace(" %", "\u{a0}%");
    for (word, is_apart) in pieces(&text) {
        let (width, space) = (word.width(), usize::from(is_apart));
        if column > indent && column + space + width > columns {
            out += &format!("\n{:indent$}", "");
            column = indent;
        } else if column > indent && is_apart {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += width;
    }
    out.replace('\u{a0}', " ")
}

/// What a line may end after, each with whether a space is before it.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    for word in text.split(' ') {
        let (mut from, mut is_apart) = (0, true);
        let mut before = None;
        for (at, c) in word.char_indices() {
            if before.is_some_and(|before| may_break(before, c)) {
                pieces.push((&word[from..at], is_apart));
                (from, is_apart) = (at, false);
            }
            before = Some(c);
        }
        pieces.push((&word[from..], is_apart));
    }
    pieces
}

/// Whether a line may end between two characters: beside a Chinese one, but neither before a mark
/// that ends something nor after one that begins something.
fn may_break(before: char, after: char) -> bool {
    let is_wide = |c: char| c.width() == Some(2);
    (is_wide(before) || is_wide(after)) && !"，。；：、？！）》”".contains(after) && !"（《“".contains(before)
}

//! Text in lines, as terminals show it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Breaks a text at spaces and around Chinese characters, so that a line that begins at column
/// `indent` ends before `columns`. Such a character is two columns wide.
#[must_use]
pub fn wrap(text: &str, indent: usize, columns: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = indent;
    let text = glued(text);
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

/// A text in which numbers stay in one piece with their units: `5 %`, `2.0 s`, `3h 28m`, `37 个`.
fn glued(text: &str) -> String {
    let glue = |(at, c): (usize, char)| match c {
        ' ' if is_in_number(&text[..at], &text[at + 1..]) => '\u{a0}',
        c => c,
    };
    text.char_indices().map(glue).collect()
}

/// Whether a space between two texts is one within a number and its unit.
fn is_in_number(before: &str, after: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    let unit = after.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let ends_in_time = before.strip_suffix(['d', 'h', 'm', 's']).is_some_and(|rest| rest.ends_with(is_digit));
    let is_time = matches!(unit.trim_start_matches(is_digit), "h" | "m" | "s") && unit.starts_with(is_digit);
    let counts = after.starts_with(['个', '次', '张', '天']) || matches!(unit, "s" | "ms");
    after.starts_with('%') || before.ends_with(is_digit) && counts || ends_in_time && is_time
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
    (is_wide(before) || is_wide(after)) && !"，。；：、？！）》”".contains(after) && !"（《“\u{a0}".contains(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_ends_within_a_number_and_its_unit() {
        for text in ["at most 3h 28m", "at most 1d 2h", "at most 2.0 s,", "at most 5 %;", "at most 3h 28m 4s"] {
            let lines = wrap(text, 0, text.len() - 1);
            assert_eq!(lines, text.replacen("most ", "most\n", 1));
        }
        assert_eq!(wrap("in 3d 5 pods", 0, 6), "in 3d\n5 pods");
        assert_eq!(wrap("12 so", 0, 4), "12\nso");
        assert_eq!(wrap("最多 37 个", 0, 8), "最多\n37 个");
    }
}

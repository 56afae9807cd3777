//! Characters that look like those of YAML and are others: an input method writes them where it is left on.

/// The first of them in a text, outside quotes and comments: its bytes and what to do about it.
pub(super) fn find(text: &str) -> Option<(std::ops::Range<usize>, String)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let found = bare(line).find_map(|(i, c)| Some((i, c, meant(c)?)));
        if let Some((i, c, meant)) = found {
            let shown = if c.is_whitespace() { "this space".to_owned() } else { format!("`{c}`") };
            let meant = if meant == ' ' { "a common space".to_owned() } else { format!("`{meant}`") };
            let help = format!("{shown} is another character (U+{:04X}): write {meant}", u32::from(c));
            return Some((at + i..at + i + c.len_utf8(), help));
        }
        at += line.len();
    }
    None
}

/// The characters of a line outside quotes, up to a comment.
fn bare(line: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut before, mut quote) = (' ', None);
    let kept = line.char_indices().map_while(move |(i, c)| {
        let begins = before.is_whitespace() || "[{,:(".contains(before);
        before = c;
        match quote {
            Some(open) => {
                quote = Some(open).filter(|&open| open != c);
                Some(None)
            }
            None if begins && (c == '"' || c == '\'') => {
                quote = Some(c);
                Some(None)
            }
            None if begins && c == '#' => None,
            None => Some(Some((i, c))),
        }
    });
    kept.flatten()
}

/// The character that is meant by one that looks like it.
fn meant(c: char) -> Option<char> {
    match c {
        // Full-width forms of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => Some(' '),
        '“' | '”' => Some('"'),
        '‘' | '’' => Some('\''),
        '、' => Some(','),
        '。' => Some('.'),
        '【' => Some('['),
        '】' => Some(']'),
        '–' | '—' | '−' => Some('-'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_look_alike_is_named() {
        let found = |text: &str| find(text).map(|(at, help)| format!("{}: {help}", at.start));
        assert_eq!(found("horizon：120d").as_deref(), Some("7: `：` is another character (U+FF1A): write `:`"));
        assert_eq!(
            found("a: b\nc:\u{a0}d").as_deref(),
            Some("7: this space is another character (U+00A0): write a common space")
        );
        assert_eq!(found("max_surge: ２５％").as_deref(), Some("11: `２` is another character (U+FF12): write `2`"));
        assert_eq!(found("a: 1 # 容量：多少？\n# 说明：\nname: 集群"), None, "comments and names are free");
        assert_eq!(found("name: \"集群（一）\" # 一，二"), None, "what is quoted is meant");
        assert_eq!(found("a: 'b：c'，").map(|it| it.chars().count()), Some(48), "but not what follows");
    }
}

//! That the two languages say the same, and how texts are put together.

use std::collections::BTreeSet;
use std::path::Path;

use super::chinese::{ALL, UNITS};
use super::{COMMA, Lang, Phrase, Text, Words, names};

fn phrases() -> impl Iterator<Item = Phrase> {
    ALL.into_iter().chain([UNITS]).flatten().map(|&(english, chinese)| Phrase { english, chinese })
}

/// All source files, with literals in one line.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry").path();
        let is_text = path.extension().is_some_and(|ending| ending == "rs" || ending == "html");
        if path.is_dir() && !path.ends_with("chinese") {
            all += &sources(&path);
        } else if is_text {
            all += &std::fs::read_to_string(&path).expect("a source file");
        }
    }
    let lines = all.split("\\\n").map(str::trim_start);
    lines.collect::<String>()
}

/// The compiler finds texts without Chinese, but not Chinese without a text.
#[test]
fn every_chinese_text_is_used_and_stands_once() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let texts: Vec<_> = ALL.into_iter().flatten().collect();
    for all in [texts, UNITS.iter().collect()] {
        let mut seen = BTreeSet::new();
        for &&(english, _) in &all {
            assert!(sources.contains(&format!("{english:?}")), "nobody says {english:?}");
            assert!(seen.insert(english), "{english:?} stands twice");
        }
    }
}

#[test]
fn chinese_has_each_hole_of_the_english_once() {
    for phrase in phrases() {
        let mut holes = phrase.holes(Lang::Chinese);
        holes.sort_unstable();
        let english = names(phrase.english);
        // A name that comes twice in English is the same thing twice.
        let first = |i: usize| english.iter().position(|&name| name == english[i] && !name.is_empty()).unwrap_or(i);
        let mut expected: Vec<usize> = (0..english.len()).map(first).collect();
        expected.sort_unstable();
        assert_eq!(holes, expected, "{phrase:?}");
    }
}

/// Half-width marks beside Chinese characters are what a keyboard in the wrong mode leaves.
#[test]
fn chinese_has_its_own_marks() {
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for Phrase { chinese, .. } in phrases() {
        let chars: Vec<char> = chinese.chars().collect();
        let wrong = chars.windows(2).find(|two| is_han(two[0]) && ",;:?!()".contains(two[1]));
        assert_eq!(wrong, None, "{chinese}");
    }
}

#[test]
fn holes_are_filled_in_each_languages_order() {
    let text = text!("{} of {} runs{}", 14, 20, Text::default());
    assert_eq!(text, "14 of 20 runs");
    assert_eq!(text.say(Lang::Chinese), "20 次运行中的 14 次");
    assert_eq!(text!("Pods on pool {}", "a {b}").say(Lang::English), "Pods on pool a {b}", "a name is no template");
}

#[test]
fn spaces_are_where_chinese_has_them() {
    let named = text!("{} (/{}, {} usable)", "vsw-A", 24, "252");
    let day = text!("on {}", text!("day {}", 9));
    let both = text!("{} is full {when}{nodes}; {}.", named, day, Text::default(), Text::list([3.words()], COMMA));
    let chinese = both.say(Lang::Chinese);
    assert!(
        chinese.starts_with("vsw-A\u{ff08}/24\u{ff0c}共 252 个可分配地址\u{ff09}在第 9 天用完\u{ff1b}3\u{3002}"),
        "{chinese}"
    );
    assert_eq!(phrase!("never").say(Lang::Chinese), "从不");
    let days = text!("No vSwitch runs full in {}{runs}", text!("{days} days", 10), Text::default());
    assert_eq!(days.say(Lang::Chinese), "10 天内没有交换机用完");
}

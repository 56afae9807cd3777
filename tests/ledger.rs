//! Holds `PORTING.md` to the code: every rule has one row, in order, and every item and test that
//! the ledger names exists.

use std::fs;
use std::path::{Path, PathBuf};

/// Rules of the three specifications, by their letter: node-local and centralized IPAM, and the classic
/// pool with terway-cli, with what is around it and with what its golden cases taught.
const RULES: [(char, u32); 7] = [('R', 158), ('C', 164), ('P', 132), ('B', 29), ('K', 14), ('A', 4), ('G', 14)];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn ledger() -> String {
    fs::read_to_string(root().join("PORTING.md")).expect("the ledger is in the repository")
}

/// The text of a file, or of every Rust file below a folder.
fn text(path: &Path) -> Option<String> {
    if path.is_file() {
        return fs::read_to_string(path).ok();
    }
    let mut all = String::new();
    for entry in fs::read_dir(path).ok()? {
        let path = entry.ok()?.path();
        if path.is_dir() || path.extension().is_some_and(|ending| ending == "rs") {
            all.push_str(&text(&path)?);
        }
    }
    Some(all)
}

/// Whether `text` holds `word`, not as a part of a longer one.
fn holds(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part) && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// Why a name in backquotes leads nowhere; `None` = it leads somewhere, or is no name of ours.
fn dead(name: &str) -> Option<String> {
    if let Some(case) = name.strip_prefix("golden:") {
        let folders = std::fs::read_dir(root().join("tests/conformance")).expect("the folder is in the repository");
        let found = folders.flatten().any(|folder| folder.path().join(format!("{case}.json")).is_file());
        return (!found).then(|| format!("there is no golden case {case}"));
    }
    let (place, item) = name.split_once("::")?;
    let tests = ["core", "centralized", "pod_eni"].map(|folder| format!("tests/{folder}/{place}.rs"));
    let places = tests.into_iter().chain([format!("src/{place}"), place.to_owned()]);
    let text = places.into_iter().find_map(|place| text(&root().join(place)));
    (!text.is_some_and(|text| holds(&text, item))).then(|| format!("{place} has no {item}"))
}

/// The number of the rule whose row this is.
fn rule(letter: char, line: &str) -> Option<u32> {
    line.strip_prefix("| ")?.strip_prefix(letter)?.split_once(" |")?.0.parse().ok()
}

#[test]
fn every_rule_has_one_row_in_order() {
    let ledger = ledger();
    for (letter, rules) in RULES {
        let rows: Vec<_> = ledger.lines().filter_map(|line| rule(letter, line)).collect();
        assert_eq!(rows, (1..=rules).collect::<Vec<_>>(), "{letter}");
    }
}

/// A row is *same*, and then names what pins it, or says what differs and why.
#[test]
fn every_row_says_how_and_names_what_pins_it() {
    let ledger = ledger();
    let is_row = |line: &&str| RULES.iter().any(|&(letter, _)| rule(letter, line).is_some());
    for line in ledger.lines().filter(is_row) {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", rule, _, _, _, how, pinned, ""] = columns[..] else { continue };
        match how.split_once([' ', ';', ':', ',']).map_or(how, |(word, _)| word) {
            "same" => assert!(pinned.contains('`') || how.contains("warning"), "{rule} names no test"),
            "simplified" => assert!(how.len() > 20, "{rule} does not say what differs"),
            "left" => assert!(how.len() > 20, "{rule} does not say what is left out"),
            "assumption" => {}
            _ => panic!("{rule} is neither same nor simplified nor left out: {how}"),
        }
    }
}

#[test]
fn everything_that_the_ledger_names_exists() {
    let ledger = ledger();
    let names = ledger.split('`').skip(1).step_by(2);
    let dead: Vec<_> = names.filter_map(dead).collect();
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

/// A name that leads nowhere is found out.
#[test]
fn dead_names_are_found() {
    assert_eq!(dead("ipam/vswitch.rs::TTL"), None);
    assert_eq!(dead("golden:churn-fast"), None);
    for name in ["ipam/vswitch.rs::nothing", "allocation::no_such_test", "golden:none"] {
        assert!(dead(name).is_some(), "{name}");
    }
}

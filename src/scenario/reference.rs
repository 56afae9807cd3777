//! docs/scenario.md, the reference of the scenario language: its prose is written by hand, its tables
//! are made from the JSON Schema, which has the documentation of the reader's own types.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema;

/// The page as it is in the repository, with the tables of the time when it was written.
const PAGE: &str = include_str!("../../docs/scenario.md");
/// Begins a line that names types of the schema; what follows up to [`END`] is their tables.
const BEGIN: &str = "<!-- types: ";
const END: &str = "<!-- end -->";
/// The name of the whole, which is no type with a name in a schema.
const WHOLE: &str = "Scenario";

/// The reference: the page with the tables of this version.
///
/// # Panics
/// If the page names a type that is not there, or leaves one out; a test calls this.
#[must_use]
pub fn reference() -> String {
    let schema: Value = serde_json::from_str(&schema()).expect("the schema is JSON");
    let page = Page { types: types(&schema), sections: sections() };
    let forgotten: Vec<_> = page.types.keys().filter(|name| !page.sections.contains_key(*name)).collect();
    assert!(forgotten.is_empty(), "docs/scenario.md has no place for {forgotten:?}");
    let mut lines = PAGE.lines();
    let mut text = String::new();
    while let Some(line) = lines.next() {
        text += &format!("{line}\n");
        if let Some(names) = types_of(line) {
            names.for_each(|name| text += &page.table(name));
            lines.by_ref().find(|line| *line == END).expect("the tables end");
            text += &format!("\n{END}\n");
        }
    }
    text
}

/// Each type of the schema by its name.
fn types(schema: &Value) -> BTreeMap<&str, &Value> {
    let named = schema["$defs"].as_object().into_iter().flatten();
    named.map(|(name, of)| (name.as_str(), of)).chain([(WHOLE, schema)]).collect()
}

/// The heading of the page below which each type is told of.
fn sections() -> BTreeMap<&'static str, &'static str> {
    let mut heading = "";
    let mut sections = BTreeMap::new();
    for line in PAGE.lines() {
        if line.starts_with("##") {
            heading = line.trim_start_matches(['#', ' ']);
        }
        sections.extend(types_of(line).into_iter().flatten().map(|name| (name, heading)));
    }
    sections
}

/// The types that a line asks for.
fn types_of(line: &str) -> Option<impl Iterator<Item = &str>> {
    Some(line.strip_prefix(BEGIN)?.strip_suffix(" -->")?.split(", "))
}

/// What tables are made from.
struct Page<'a> {
    types: BTreeMap<&'a str, &'a Value>,
    /// The heading that each type stands below.
    sections: BTreeMap<&'static str, &'static str>,
}

/// What the documentation of a key says.
struct Told<'a> {
    what: &'a str,
    /// The value that holds otherwise, and why.
    default: Option<&'a str>,
    example: Option<&'a str>,
}

impl Page<'_> {
    /// A type with a row for each of its keys; nothing for one without.
    fn table(&self, name: &str) -> String {
        let of = self.types.get(name).unwrap_or_else(|| panic!("the schema has no type {name}"));
        // A value that is written in one of several ways has no defaults.
        let ways = choices(of);
        let is_choice = ways.len() > 1;
        let rows: String = ways.iter().flat_map(|way| self.rows(way, is_choice)).collect();
        if rows.is_empty() {
            return String::new();
        }
        let (head, line) = if is_choice { ("", "") } else { (" default and its source |", "---|") };
        format!(
            "\n**{}.** {}\n\n| key | type | what it is |{head} example |\n|---|---|---|{line}---|\n{rows}",
            capitalized(&words(name)),
            described(of).what,
        )
    }

    fn rows(&self, of: &Value, is_choice: bool) -> Vec<String> {
        let keys = of["properties"].as_object().into_iter().flatten();
        keys.map(|(key, value)| {
            let told = described(value);
            let is_required = of["required"].as_array().is_some_and(|keys| keys.iter().any(|name| name == key));
            let default = if is_required { "*required*" } else { told.default.unwrap_or_default() };
            let default = if is_choice { String::new() } else { format!(" {} |", default.replace('|', "\\|")) };
            let (what, example) = (told.what.replace('|', "\\|"), told.example.unwrap_or_default());
            format!("| `{key}` | {} | {what} |{default} {example} |\n", self.type_of(value))
        })
        .collect()
    }

    /// A type in words, with links to what is told of it.
    fn type_of(&self, of: &Value) -> String {
        if let Some(name) = of["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            let section = self.sections.get(name).copied().unwrap_or_default();
            return format!("[{}](#{})", words(name), slug(section));
        }
        if let Some(all) = of["enum"].as_array() {
            return all.iter().map(code).collect::<Vec<_>>().join(", ");
        }
        if of["const"].is_string() {
            return code(&of["const"]);
        }
        if let Some(all) = of["allOf"].as_array() {
            return self.type_of(&all[0]);
        }
        if of["oneOf"].is_array() || of["anyOf"].is_array() {
            return choices(of).into_iter().map(|way| self.type_of(way)).collect::<Vec<_>>().join(" or ");
        }
        match &of["type"] {
            Value::Array(types) => types.iter().map(simple).collect::<Vec<_>>().join(" or "),
            name if name == "array" => format!("list of {}", self.type_of(&of["items"])),
            name if name == "object" && of["additionalProperties"].is_object() => {
                format!("mapping to {}", self.type_of(&of["additionalProperties"]))
            }
            name => simple(name) + &bounds(of),
        }
    }
}

/// What a value may be, one of several or one.
fn choices(of: &Value) -> Vec<&Value> {
    let several = of["oneOf"].as_array().or(of["anyOf"].as_array());
    several.map_or_else(|| vec![of], |several| several.iter().collect())
}

fn described(of: &Value) -> Told<'_> {
    let text = of["description"].as_str().unwrap_or_default();
    let (text, example) = ending(text, " Example: ");
    let (what, default) = ending(text, " Default: ");
    Told { what, default, example }
}

/// A text without the part that `mark` begins, and that part without its full stop.
fn ending<'a>(text: &'a str, mark: &str) -> (&'a str, Option<&'a str>) {
    match text.split_once(mark) {
        Some((text, ending)) => (text, Some(ending.trim_end_matches('.'))),
        None => (text, None),
    }
}

/// The words of a name such as `NodePool`: `node pool`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && words.ends_with(char::is_lowercase) {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// The name by which Markdown links to a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-'].contains(c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn capitalized(text: &str) -> String {
    text[..1].to_uppercase() + &text[1..]
}

fn code(word: &Value) -> String {
    format!("`{}`", word.as_str().unwrap_or_default())
}

fn simple(name: &Value) -> String {
    let word = match name.as_str() {
        Some("string") => "text",
        Some("integer") => "whole number",
        Some("boolean") => "`true` or `false`",
        Some("array") => "list",
        Some("object") => "mapping",
        other => other.unwrap_or("anything"),
    };
    word.to_owned()
}

fn bounds(of: &Value) -> String {
    match (&of["minimum"], &of["maximum"]) {
        (Value::Null, Value::Null) => String::new(),
        (least, Value::Null) => format!(", at least {least}"),
        (Value::Null, most) => format!(", at most {most}"),
        (least, most) => format!(", {least} to {most}"),
    }
}

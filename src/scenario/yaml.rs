//! A YAML document as a tree whose every node knows its place, so that one reading finds all
//! that is wrong with a file.

use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::diagnostics::{Place, Problems};
use super::look_alike;

/// A node and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub value: Value,
    pub place: Place,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and its place.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub name: String,
    pub place: Place,
}

/// Reads the text of source `file`; `None` if it is not YAML, which is then reported.
pub(super) fn parse(problems: &mut Problems, file: usize) -> Option<Node> {
    let options = serde_saphyr::options! {
        // The reader of sections reports repeated keys, all of them.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    };
    let text = &problems.sources[file].text;
    match serde_saphyr::from_str_with_options::<Raw>(text, options) {
        Ok(raw) => Some(raw.placed(file, text.len())),
        Err(error) => {
            let start = error.location().map_or(0, |location| offset(text, location));
            let at = look_alike_on_the_line(text, start).unwrap_or(start..(start + 1).min(text.len()));
            let place = Place { file, start: at.start, end: at.end };
            if let serde_saphyr::Error::MultipleDocuments { .. } = error.without_snippet() {
                problems.error(place, "a scenario is one YAML document").label("a second one begins here");
            } else {
                let message = error.without_snippet().to_string();
                problems.error(place, "this is not YAML").label(first_line(&message));
            }
            None
        }
    }
}

/// A character that only looks like one of YAML's, on the line of an error.
fn look_alike_on_the_line(text: &str, at: usize) -> Option<Range<usize>> {
    let at = text.floor_char_boundary(at);
    let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let (found, _) = look_alike::find(&text[line..end])?;
    Some(line + found.start..line + found.end)
}

/// The byte of a location; errors of the parser know their line and column only.
fn offset(text: &str, location: serde_saphyr::Location) -> usize {
    if let Some(at) = location.span().byte_offset().filter(|&at| at > 0) {
        return (at as usize).min(text.len());
    }
    let line = location.line().saturating_sub(1) as usize;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = location.column().saturating_sub(1) as usize;
    start + text[start..].chars().take(column).map(char::len_utf8).sum::<usize>()
}

/// The first line of a message, without the position that some end with.
fn first_line(message: &str) -> &str {
    let line = message.lines().next().unwrap_or(message);
    line.split(" at line ").next().unwrap_or(line).trim_end_matches(',')
}

impl Node {
    /// What kind of thing it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a yes or no",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The node as text on one line, which reads as the same node.
    pub fn flow(&self) -> String {
        let quoted = |text: &str| serde_json::to_string(text).expect("text prints");
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(yes) => yes.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Float(x) => format!("{x:?}"),
            Value::Text(text) if is_plain(text) => text.clone(),
            Value::Text(text) => quoted(text),
            Value::List(items) => format!("[{}]", items.iter().map(Self::flow).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let key = |name: &str| if is_plain(name) { name.to_owned() } else { quoted(name) };
                let entries = entries.iter().map(|(k, node)| format!("{}: {}", key(&k.name), node.flow()));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Lets the node and everything in it stand at a place.
    pub fn put_at(&mut self, place: Place) {
        self.place = place;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.put_at(place)),
            Value::Map(entries) => entries.iter_mut().for_each(|(key, node)| {
                key.place = place;
                node.put_at(place);
            }),
            _ => {}
        }
    }
}

/// Whether text needs no quotes, wherever it stands.
fn is_plain(text: &str) -> bool {
    let mut aside = Problems::default();
    aside.sources.push(super::Source { name: String::new(), text: text.to_owned() });
    let is_apart = text.contains(|c: char| ",[]{}#'\"".contains(c)) || text.contains(": ");
    !is_apart && matches!(parse(&mut aside, 0), Some(Node { value: Value::Text(read), .. }) if read == text)
}

/// A node as the parser delivers it.
struct Raw(Spanned<RawValue>);

enum RawValue {
    Scalar(Value),
    List(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    fn placed(self, file: usize, end: usize) -> Node {
        let place = |location: serde_saphyr::Location| {
            let span = location.span();
            let start = span.byte_offset().map_or(0, |at| at as usize).min(end);
            Place { file, start, end: (start + span.byte_len().map_or(0, |n| n as usize)).min(end) }
        };
        let value = match self.0.value {
            RawValue::Scalar(value) => value,
            RawValue::List(list) => Value::List(list.into_iter().map(|raw| raw.placed(file, end)).collect()),
            RawValue::Map(entries) => {
                let key = |key: Spanned<String>| Key { name: key.value, place: place(key.referenced) };
                Value::Map(entries.into_iter().map(|(k, raw)| (key(k), raw.placed(file, end))).collect())
            }
        };
        Node { value, place: place(self.0.referenced) }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = RawValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(Value::Int(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(Value::Int(value.into())))
    }

    fn visit_i128<E>(self, value: i128) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(Value::Int(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(Value::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Scalar(Value::Text(value.to_owned())))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawValue, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(RawValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key()? {
            entries.push((key, map.next_value()?));
        }
        Ok(RawValue::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_reads_as_the_same_node() {
        let flow = |text: &str| {
            let mut problems = Problems::default();
            problems.sources.push(crate::scenario::Source { name: "a.yaml".to_owned(), text: text.to_owned() });
            parse(&mut problems, 0).expect("it is YAML").flow()
        };
        let text = "a: [5, 1.0, '5', 5 %, 1d, yes, null, 'a, b']\nb:\n  c: |\n    two\n    lines\n  'd: e': 10.0.0.0/8";
        let line = flow(text);
        assert_eq!(
            line,
            r#"{a: [5, 1.0, "5", 5 %, 1d, yes, null, "a, b"], b: {c: "two\nlines\n", "d: e": 10.0.0.0/8}}"#
        );
        assert_eq!(flow(&line), line);
    }
}

//! Finds the JSON document in the text of a ConfigMap, and maps its bytes back to that text.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::ipam::note::{Note, Place, nearest};

/// The JSON text of a document, and where each of its bytes stands in the user's text.
pub(super) struct Embedded<'t> {
    pub json: std::borrow::Cow<'t, str>,
    /// Per byte of `json`: its bytes in the user's text; `None` = `json` is that text.
    map: Option<Vec<Range<usize>>>,
}

/// A ConfigMap as far as it matters.
#[derive(Deserialize)]
struct ConfigMap {
    data: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
    /// Those of a list.
    items: Option<serde::de::IgnoredAny>,
}

impl<'t> Embedded<'t> {
    /// The document in `text`: the whole text if it is bare, otherwise `data.eni_conf`.
    pub fn find(text: &'t str, source: usize) -> Result<Self, Box<Note>> {
        if is_bare(text) { Ok(Self { json: text.into(), map: None }) } else { from_yaml(text, source) }
    }

    /// Where `span` of the JSON stands in the user's text.
    pub fn locate(&self, span: Range<usize>) -> Range<usize> {
        let Some(map) = &self.map else { return span };
        let end_of_text = map.last().map_or(0, |last| last.end);
        let start = map.get(span.start).map_or(end_of_text, |byte| byte.start);
        let end = if span.is_empty() { start } else { map[span.end - 1].end };
        start..end
    }
}

/// Whether `text` is the JSON document itself: its first sign outside comments is a brace, and it
/// is no ConfigMap as `kubectl get cm -o json` prints it.
fn is_bare(text: &str) -> bool {
    let comment = |line: &str| line.is_empty() || line.starts_with('#') || line.starts_with("//");
    let first =
        text.trim_start_matches('\u{feff}').lines().map(str::trim).find(|line| !comment(line)).unwrap_or_default();
    let config_map = |json: serde_json::Value| json.get("kind").is_some() || json.get("data").is_some();
    (first.starts_with('{') || first.starts_with("/*")) && !serde_json::from_str(text).is_ok_and(config_map)
}

fn from_yaml(text: &str, source: usize) -> Result<Embedded<'_>, Box<Note>> {
    let maps: Vec<ConfigMap> = serde_saphyr::from_multiple(text).map_err(|error| yaml_error(text, source, &error))?;
    let is_list = maps.iter().any(|map| map.items.is_some());
    let data = maps.into_iter().filter_map(|map| map.data).flat_map(|data| data.value);
    let (found, others): (Vec<_>, Vec<_>) = data.partition(|(key, _)| key == "eni_conf");
    match &found[..] {
        [] => Err(missing(text, source, is_list, others.iter().map(|(key, _)| key.as_str()))),
        [(_, scalar)] => Ok(Embedded { json: scalar.value.clone().into(), map: Some(align(text, scalar)) }),
        [_, (_, second), ..] => {
            let span = byte_range(&second.defined).unwrap_or_else(|| first_line(text));
            let note = Note::error("there are two ConfigMaps here", "the second `eni_conf`");
            Err(Box::new(
                note.at(Place { source, span })
                    .hint("keep the base document and each dynamic one in a file of its own"),
            ))
        }
    }
}

fn missing<'k>(text: &str, source: usize, is_list: bool, keys: impl Iterator<Item = &'k str>) -> Box<Note> {
    let label = "neither a ConfigMap with this key nor a JSON document";
    let note = Note::error("there is no `data.eni_conf` here", label).at(Place { source, span: first_line(text) });
    Box::new(match nearest("eni_conf", keys) {
        Some(key) => note.hint(format!("there is `data.{key}`; Terway reads `data.eni_conf` (rule R1)")),
        None if is_list => note.hint("this is a list: give one, `kubectl get cm -n kube-system eni-config -o yaml`"),
        None => {
            note.hint("give the ConfigMap kube-system/eni-config, as `kubectl get cm -o yaml` prints it, or its JSON")
        }
    })
}

fn yaml_error(text: &str, source: usize, error: &serde_saphyr::Error) -> Box<Note> {
    let span = error.location().and_then(|location| byte_range(&location)).unwrap_or_else(|| first_line(text));
    let span = span.start.min(text.len())..span.end.min(text.len());
    let message = error.without_snippet().to_string();
    // The place is told by the note, and the advice after a comma is for programmers.
    let label = message.split(',').next().unwrap_or_default().split(" at line ").next().unwrap_or_default();
    let label = label.replace("mapping start", "a mapping").replace("string scalar", "a string");
    let note = Note::error("this is not a ConfigMap", label);
    Box::new(note.at(Place { source, span }).hint("`data.eni_conf` holds the JSON document as a text: `eni_conf: |`"))
}

fn first_line(text: &str) -> Range<usize> {
    0..text.find('\n').unwrap_or(text.len())
}

fn byte_range(location: &serde_saphyr::Location) -> Option<Range<usize>> {
    let (start, len) = (location.span().byte_offset()?, location.span().byte_len()?);
    let start = usize::try_from(start).ok()?;
    Some(start..start + usize::try_from(len).ok()?)
}

/// Per byte of the scalar's value its bytes in `text`. Where that cannot be told, every byte
/// stands for the whole scalar: imprecise, never wrong.
fn align(text: &str, scalar: &Spanned<String>) -> Vec<Range<usize>> {
    let raw = byte_range(&scalar.defined).filter(|raw| text.get(raw.clone()).is_some()).unwrap_or(first_line(text));
    let value = scalar.value.as_str();
    match_up(&text[raw.clone()], raw.start, value).unwrap_or_else(|| vec![raw; value.len()])
}

/// Walks over `raw` and `value` at once. YAML changes only white space (indentation, folding)
/// and, in quotes, escapes: the signs in between are the same in both.
fn match_up(raw: &str, offset: usize, value: &str) -> Option<Vec<Range<usize>>> {
    let quote = raw.chars().next().filter(|first| "'\"".contains(*first) && !value.starts_with(*first));
    let mut map = Vec::with_capacity(value.len());
    let mut at = usize::from(quote.is_some());
    let mut left = value.chars();
    let mut next = left.next();
    while let Some(wanted) = next {
        let rest = &raw[at..];
        let found = rest.chars().next()?;
        let taken = match quote {
            Some('"') if found == '\\' => escape_len(rest),
            Some('\'') if rest.starts_with("''") => 2,
            _ if found == wanted => found.len_utf8(),
            _ if found.is_whitespace() => {
                at += found.len_utf8();
                continue;
            }
            _ if wanted.is_whitespace() => 0,
            _ => return None,
        };
        let bytes = offset + at..offset + at + taken;
        map.extend(std::iter::repeat_n(bytes, wanted.len_utf8()));
        at += taken;
        next = left.next();
    }
    Some(map)
}

/// Length of the escape sequence of a double-quoted scalar that `rest` begins with.
fn escape_len(rest: &str) -> usize {
    let len = match rest.as_bytes().get(1) {
        Some(b'x') => 4,
        Some(b'u') => 6,
        Some(b'U') => 10,
        _ => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
    };
    len.min(rest.len())
}

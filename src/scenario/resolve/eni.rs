//! eni-config: from where it stands to a document, and its problems among the others.

use crate::ipam::eni_config::{Document, Member, Origin as EniOrigin, from_members, read};
use crate::ipam::note::{Checked, Note, Place as NotePlace, Severity};
use crate::scenario::Origin;
use crate::scenario::diagnostics::Place;
use crate::scenario::loader::Loader;
use crate::scenario::written::{EniConfig, EniPatch};
use crate::scenario::yaml::{Node, Value};

/// The document; `None` = it cannot be read, which is reported.
pub(super) fn document(loader: &mut Loader, written: &EniConfig) -> Option<Document> {
    match written {
        EniConfig::File { path, patch } => {
            let source = loader.open(path)?;
            let checked = read(&loader.problems.sources[source].text, source);
            let document = self::checked(loader, checked)?;
            with_patch(loader, document, patch.as_ref())
        }
        EniConfig::Inline(node) => {
            let checked = inline(loader, node)?;
            self::checked(loader, checked)
        }
        EniConfig::Text { text, patch } => {
            let checked = inline(loader, text)?;
            let document = self::checked(loader, checked)?;
            with_patch(loader, document, patch.as_ref())
        }
    }
}

fn with_patch(loader: &mut Loader, document: Document, patch: Option<&EniPatch>) -> Option<Document> {
    match patch {
        Some(EniPatch(node)) => patched(loader, &document, node),
        None => Some(document),
    }
}

/// A document with the keys of a patch (RFC 7396).
pub(super) fn patched(loader: &mut Loader, document: &Document, patch: &Node) -> Option<Document> {
    let patch = inline(loader, patch)?;
    let patch = checked(loader, patch)?;
    Some(document.edited(&patch))
}

/// What was checked; reports its problems.
pub(super) fn checked<T>(loader: &mut Loader, checked: Checked<T>) -> Option<T> {
    let (value, notes) = match checked {
        Ok((value, notes)) => (Some(value), notes),
        Err(notes) => (None, notes),
    };
    for note in notes {
        report(loader, note);
    }
    value
}

/// A document that is part of the scenario file: its keys, or its text as a block.
fn inline(loader: &mut Loader, node: &Node) -> Option<Checked<Document>> {
    let file = node.place.file;
    if let Value::Map(entries) = &node.value {
        entries.iter().for_each(|(_, value)| report_twice(loader, value));
        let member = |(key, value): &(crate::scenario::yaml::Key, Node)| Member {
            key: key.name.clone(),
            key_place: note_place(key.place),
            value: json(value),
            value_place: note_place(value.place),
        };
        return Some(from_members(entries.iter().map(member).collect(), note_place(node.place)));
    }
    let text = &loader.problems.sources[file].text;
    let Some(masked) = block(text, node.place) else {
        let problem =
            loader.problems.error(node.place, "`eni_config` is `{file: …}`, the keys of eni_conf, or its text");
        problem.help("write the text as a block: `eni_config: |`, and the document indented below");
        return None;
    };
    Some(read(&masked, file))
}

/// The scenario's text with everything blanked out but a block: what is left has the bytes where
/// they are in the file, so that its problems point at the right lines.
fn block(text: &str, place: Place) -> Option<String> {
    let start = text[..place.end].get(place.start..)?.trim_start().starts_with('|').then_some(place.start);
    let header = start.or_else(|| text[..place.start].rfind('|').filter(|&at| is_header(&text[at..place.start])))?;
    let first = header + text[header..].find('\n')? + 1;
    let blank = |part: &str| -> String {
        part.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { byte as char } else { ' ' }).collect()
    };
    let end = block_end(text, header, first);
    Some(blank(&text[..first]) + &text[first..end] + &blank(&text[end..]))
}

/// Whether `text` is the rest of a line that begins a block: `|`, `|-`, with a comment or not.
fn is_header(text: &str) -> bool {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let style = line.trim_start_matches(['|', '-', '+']).trim_start_matches(|c: char| c.is_ascii_digit()).trim();
    rest.trim().is_empty() && (style.is_empty() || style.starts_with('#'))
}

/// Where a block ends whose header is at `header` and whose first line begins at `first`: before
/// the first line that is not indented more than the line of the header.
fn block_end(text: &str, header: usize, first: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let parent = text[..header].rfind('\n').map_or(0, |at| at + 1);
    let parent = indent(&text[parent..header]);
    let mut end = first;
    for line in text[first..].split_inclusive('\n') {
        if !line.trim().is_empty() && indent(line) <= parent {
            break;
        }
        end += line.len();
    }
    end
}

/// Reports keys that stand twice in a mapping of the document, which JSON of it would not have any more.
fn report_twice(loader: &mut Loader, node: &Node) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| report_twice(loader, item)),
        Value::Map(entries) => {
            for (i, (key, value)) in entries.iter().enumerate() {
                if let Some((first, _)) = entries[..i].iter().find(|(earlier, _)| earlier.name == key.name) {
                    let problem = loader.problems.error(key.place, format!("`{}` is written twice", key.name));
                    problem.label("the second one").context(first.place, "the first one");
                    problem.help("keep one of them; Terway would silently take the last");
                }
                report_twice(loader, value);
            }
        }
        _ => {}
    }
}

/// The node as JSON.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
            (Ok(value), _) => value.into(),
            (_, Ok(value)) => value.into(),
            _ => (*value as f64).into(),
        },
        Value::Float(value) => (*value).into(),
        Value::Text(value) => value.as_str().into(),
        Value::List(list) => list.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, value)| (key.name.clone(), json(value))).collect(),
    }
}

fn report(loader: &mut Loader, note: Note) {
    let problems = &mut loader.problems;
    let problem = match (note.place, note.severity) {
        (Some(place), Severity::Error) => problems.error(self::place(&place), note.title),
        (Some(place), Severity::Warning) => problems.warning(self::place(&place), note.title),
        (None, Severity::Error) => problems.error_without_place(note.title),
        (None, Severity::Warning) => problems.warning_without_place(note.title),
    };
    problem.label(note.label);
    if let Some(hint) = note.hint {
        problem.help(hint);
    }
}

/// A place of the scenario, or of what changes it, as a note has it.
fn note_place(place: Place) -> NotePlace {
    NotePlace { source: place.file, span: place.start..place.end }
}

/// The place of a note.
pub(super) fn place(place: &NotePlace) -> Place {
    Place { file: place.source, start: place.span.start, end: place.span.end }
}

/// The origin of an effective value.
pub(super) fn origin(loader: &Loader, origin: EniOrigin) -> Origin {
    match origin {
        EniOrigin::Written(at) => loader.origin(place(&at)),
        EniOrigin::Default { source } => Origin::Default { source },
        EniOrigin::Changed { from, source, .. } => Origin::Changed { from, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_keeps_its_bytes_where_they_are() {
        let text = "terway:\n  eni_config: |  # real\n    {\"a\": 1}\n\n    {}\npods: é\n";
        let at = text.find('|').expect("it is there");
        let masked = block(text, Place { file: 0, start: at, end: at + 1 }).expect("a block");
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.find("{\"a\": 1}"), text.find("{\"a\": 1}"));
        assert_eq!(masked.split_whitespace().collect::<Vec<_>>(), ["{\"a\":", "1}", "{}"]);
    }
}

//! Reading a tree into the sections of a scenario as they were written. Nothing here stops at
//! the first error, and what could not be read is left out.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::diagnostics::{Place, Problems, nearest, quoted_list};
use super::yaml::{Key, Node, Value};
use crate::time::Span;

/// Something that can be read from a node.
pub(super) trait Read: Sized {
    /// Reads it; `None` = it is wrong, which is reported.
    fn read(node: &Node, problems: &mut Problems) -> Option<Self>;
}

/// A value and the place where it was written.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub value: T,
    pub place: Place,
}

/// An entry of a mapping with free keys.
#[derive(Debug, Clone)]
pub(super) struct Entry<T> {
    pub key: Key,
    pub value: T,
}

/// A share, written `12 %`: 0.12.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Percent(pub f64);

/// Entries of the mapping of a section; each is taken once, and what is left is unknown.
pub(super) struct Fields<'n> {
    entries: Vec<(&'n Key, &'n Node)>,
    known: Vec<&'static str>,
    what: &'static str,
    place: Place,
}

impl<'n> Fields<'n> {
    /// The entries of `node`, which describes `what`; reports what is no mapping, and keys that
    /// are written twice.
    pub fn of(node: &'n Node, what: &'static str, problems: &mut Problems) -> Option<Self> {
        let Value::Map(map) = &node.value else {
            wrong_kind(node, &format!("{what} is a mapping of keys to values"), problems);
            return None;
        };
        let mut entries: Vec<(&Key, &Node)> = Vec::new();
        for (key, value) in map {
            match entries.iter().find(|(other, _)| other.name == key.name) {
                Some((first, _)) => {
                    let problem = problems.error(key.place, format!("the key `{}` stands here twice", key.name));
                    problem.context(first.place, "first here");
                }
                None => entries.push((key, value)),
            }
        }
        let place = map.first().map_or(node.place, |(key, _)| key.place);
        Some(Self { entries, known: Vec::new(), what, place })
    }

    /// The value of `key`, which may be missing.
    pub fn optional<T: Read>(&mut self, key: &'static str, problems: &mut Problems) -> Option<T> {
        self.known.push(key);
        let position = self.entries.iter().position(|(other, _)| other.name == key)?;
        let (key, node) = self.entries.swap_remove(position);
        if matches!(node.value, Value::Null) {
            problems.error(key.place, format!("the key `{}` has no value", key.name)).help("write a value, or remove it");
            return None;
        }
        T::read(node, problems)
    }

    /// The value of `key`, which must be there.
    pub fn required<T: Read>(&mut self, key: &'static str, problems: &mut Problems) -> Option<T> {
        if !self.entries.iter().any(|(other, _)| other.name == key) {
            let close = self.entries.iter().map(|(other, _)| other.name.as_str());
            // A misspelt key is reported as unknown, with this one as its hint.
            if nearest(key, close).is_none() {
                problems.error(self.place, format!("{} needs the key `{key}`", self.what)).label("not found here");
            }
        }
        self.optional(key, problems)
    }

    /// Reports the keys that nobody took.
    pub fn finish(self, problems: &mut Problems) {
        for (key, _) in self.entries {
            unknown_key(key, self.what, &self.known, problems);
        }
    }
}

/// Reports a key that `what` does not have.
fn unknown_key(key: &Key, what: &str, known: &[&'static str], problems: &mut Problems) {
    let problem = problems.error(key.place, format!("{what} has no key `{}`", key.name));
    match nearest(&key.name, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("it has {}", quoted_list(known.iter().copied()))),
    };
}

/// Reports a node of the wrong kind; `expected` is a sentence.
pub(super) fn wrong_kind(node: &Node, expected: &str, problems: &mut Problems) {
    problems.error(node.place, expected).label(format!("this is {}", node.kind()));
}

/// The one entry of a mapping such as `{lognormal: {…}}`.
pub(super) fn variant<'n>(
    node: &'n Node,
    what: &str,
    variants: &[&'static str],
    problems: &mut Problems,
) -> Option<(&'static str, &'n Node)> {
    let Value::Map(map) = &node.value else {
        wrong_kind(node, &format!("{what} is a mapping with one key: {}", quoted_list(variants.iter().copied())), problems);
        return None;
    };
    if let [(first, _), (second, _), ..] = &map[..] {
        let problem = problems.error(second.place, format!("{what} has one key only"));
        problem.context(first.place, "the first").help("remove one of them");
        return None;
    }
    let Some((key, value)) = map.first() else {
        wrong_kind(node, &format!("{what} has one key: {}", quoted_list(variants.iter().copied())), problems);
        return None;
    };
    match variants.iter().find(|variant| **variant == key.name) {
        Some(variant) => Some((variant, value)),
        None => {
            unknown_key(key, what, variants, problems);
            None
        }
    }
}

impl<T: Read> Read for At<T> {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        T::read(node, problems).map(|value| Self { value, place: node.place })
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::List(list) => Some(list.iter().filter_map(|item| T::read(item, problems)).collect()),
            _ => {
                wrong_kind(node, "a list is expected here", problems);
                None
            }
        }
    }
}

impl<T: Read> Read for Vec<Entry<T>>
where
    Entry<T>: Sized,
{
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        Fields::of(node, "this", problems)?;
        let Value::Map(map) = &node.value else { return None };
        let entries = map.iter().filter_map(|(key, value)| {
            Some(Entry { key: key.clone(), value: T::read(value, problems)? })
        });
        Some(entries.collect())
    }
}

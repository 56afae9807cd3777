//! Reading a tree into the sections of a scenario as they were written. Nothing here stops at
//! the first error, and what could not be read is left out.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::diagnostics::{Place, Problems, quoted_list};
use super::yaml::{Key, Node, Value};
use crate::ipam::note::nearest;

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

/// A mapping with free keys.
#[derive(Debug, Clone)]
pub(super) struct Entries<T>(pub Vec<(Key, T)>);

/// Entries of the mapping of a section; each is taken once, and what is left is unknown.
pub(super) struct Fields<'n> {
    entries: Vec<(&'n Key, &'n Node)>,
    known: Vec<&'static str>,
    missing: Vec<&'static str>,
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
        Some(Self { entries, known: Vec::new(), missing: Vec::new(), what, place })
    }

    /// Where the section begins.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The value of `key`, which may be missing.
    pub fn optional<T: Read>(&mut self, key: &'static str, problems: &mut Problems) -> Option<T> {
        self.known.push(key);
        let position = self.entries.iter().position(|(other, _)| other.name == key)?;
        let (key, node) = self.entries.swap_remove(position);
        if matches!(node.value, Value::Null) {
            problems
                .error(key.place, format!("the key `{}` has no value", key.name))
                .help("write a value, or remove it");
            return None;
        }
        T::read(node, problems)
    }

    /// The value of `key`, which must be there.
    pub fn required<T: Read>(&mut self, key: &'static str, problems: &mut Problems) -> Option<T> {
        if !self.entries.iter().any(|(other, _)| other.name == key) {
            self.missing.push(key);
        }
        self.optional(key, problems)
    }

    /// Reports the keys that are not there, and those that nobody took.
    pub fn finish(self, problems: &mut Problems) {
        for key in self.missing {
            let left = self.entries.iter().map(|(other, _)| other.name.as_str());
            // A misspelt key is reported as unknown, with this one as its hint.
            if nearest(key, left).is_none() {
                problems.error(self.place, format!("{} needs the key `{key}`", self.what)).label("not found here");
            }
        }
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
        wrong_kind(
            node,
            &format!("{what} is a mapping with one key: {}", quoted_list(variants.iter().copied())),
            problems,
        );
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

impl<T: Read> Read for Entries<T> {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let fields = Fields::of(node, "this", problems)?;
        let entries = fields.entries.into_iter();
        Some(Self(entries.filter_map(|(key, value)| Some((key.clone(), T::read(value, problems)?))).collect()))
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("EntriesOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

/// Properties of a section's schema.
#[derive(Default)]
pub(super) struct Properties {
    properties: serde_json::Map<String, serde_json::Value>,
    required: Vec<&'static str>,
}

impl Properties {
    /// Adds a key with the documentation of its field.
    pub fn add<T: JsonSchema>(&mut self, key: &'static str, required: bool, doc: &str, g: &mut SchemaGenerator) {
        let mut schema = g.subschema_for::<T>();
        schema.insert("description".to_owned(), doc.trim().into());
        self.properties.insert(key.to_owned(), schema.to_value());
        if required {
            self.required.push(key);
        }
    }

    /// The schema of the section.
    pub fn object(self, doc: &str) -> Schema {
        json_schema!({
            "type": "object",
            "description": doc.trim(),
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": false,
        })
    }
}

/// The key of a field: Rust's own words are written `r#type` there.
pub(super) fn key(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// A section of the file as it was written: its struct, its reader and its schema, in one place.
macro_rules! section {
    (
        $(#[doc = $doc:literal])*
        $what:literal struct $name:ident {
            $($(#[doc = $field_doc:literal])* $need:ident $field:ident: $type:ty,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub(in crate::scenario) struct $name {
            /// Where the section begins.
            #[allow(dead_code, reason = "not every section is pointed at")]
            pub place: crate::scenario::diagnostics::Place,
            /// Whether nothing was wrong with it so far.
            #[allow(dead_code, reason = "few sections are checked for what they lack")]
            pub sound: bool,
            $($(#[doc = $field_doc])* pub $field: Option<$type>,)*
        }

        impl crate::scenario::read::Read for $name {
            fn read(
                node: &crate::scenario::yaml::Node,
                problems: &mut crate::scenario::diagnostics::Problems,
            ) -> Option<Self> {
                let mut fields = crate::scenario::read::Fields::of(node, $what, problems)?;
                let (place, before) = (fields.place(), problems.count());
                $(let $field = fields.$need(crate::scenario::read::key(stringify!($field)), problems);)*
                fields.finish(problems);
                Some(Self { place, sound: problems.count() == before, $($field),* })
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut properties = crate::scenario::read::Properties::default();
                $(properties.add::<$type>(
                    crate::scenario::read::key(stringify!($field)),
                    stringify!($need) == "required",
                    concat!($($field_doc),*),
                    generator,
                );)*
                properties.object(concat!($($doc),*))
            }
        }
    };
}
pub(super) use section;

/// A value that is written in one of several ways: `{key: …}` for each, or short, as the first
/// one says.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $what:literal enum $name:ident {
            $(#[doc = $short_doc:literal])*
            $short:ident($short_type:ty) = $example:literal,
            $($(#[doc = $variant_doc:literal])* $key:ident => $variant:ident($type:ty),)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub(in crate::scenario) enum $name {
            $(#[doc = $short_doc])*
            $short($short_type),
            $($(#[doc = $variant_doc])* $variant($type),)*
        }

        impl crate::scenario::read::Read for $name {
            fn read(
                node: &crate::scenario::yaml::Node,
                problems: &mut crate::scenario::diagnostics::Problems,
            ) -> Option<Self> {
                use crate::scenario::read::{variant, wrong_kind};
                use crate::scenario::yaml::Value;
                match &node.value {
                    Value::Map(_) => {}
                    Value::List(_) | Value::Null | Value::Bool(_) => {
                        let expected = concat!($what, " is expected here, such as ", $example);
                        wrong_kind(node, expected, problems);
                        return None;
                    }
                    _ => return <$short_type>::read(node, problems).map(Self::$short),
                }
                let (key, value) = variant(node, $what, &[$(stringify!($key)),*], problems)?;
                match key {
                    $(stringify!($key) => <$type>::read(value, problems).map(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut ways = vec![generator.subschema_for::<$short_type>()];
                $({
                    let doc = concat!($($variant_doc),*);
                    let mut properties = crate::scenario::read::Properties::default();
                    properties.add::<$type>(stringify!($key), true, doc, generator);
                    ways.push(properties.object(doc));
                })*
                schemars::json_schema!({ "description": concat!($($doc),*).trim(), "oneOf": ways })
            }
        }
    };
}
pub(super) use choice;

/// Gives an enum with several forms its schema.
macro_rules! either_schema {
    ($type:ident, $generator:ident => $schemas:expr) => {
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema($generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "anyOf": $schemas })
            }
        }
    };
}
pub(super) use either_schema;

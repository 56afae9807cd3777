//! The document as written.

use std::ops::Range;

use super::{Checked, Place};

/// An `eni_conf` document whose keys and types were checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {}

/// A key of a document that stands in another file, such as a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key.
    pub key: String,
    /// Its bytes.
    pub key_span: Range<usize>,
    /// The value.
    pub value: serde_json::Value,
    /// Its bytes.
    pub value_span: Range<usize>,
}

/// Reads a ConfigMap (YAML or JSON, key `data.eni_conf`) or the bare JSON document. Places in
/// notes carry the number `source` and lie in `text`.
///
/// # Errors
/// Every problem, if at least one is an error.
pub fn read(_text: &str, _source: usize) -> Checked<Document> {
    Ok((Document {}, Vec::new()))
}

/// Takes a document that was written as part of another file.
///
/// # Errors
/// Every problem, if at least one is an error.
pub fn from_members(_members: Vec<Member>, _source: usize) -> Checked<Document> {
    Ok((Document {}, Vec::new()))
}

impl Document {
    /// Patches this base document with a node pool's dynamic one (rule R4, RFC 7396).
    #[must_use]
    pub fn merge(&self, _dynamic: &Self) -> Self {
        self.clone()
    }

    /// Every vSwitch that the document names: zone, ID, and the place of the ID.
    pub fn vswitches(&self) -> impl Iterator<Item = (&str, &str, &Place)> {
        std::iter::empty()
    }
}

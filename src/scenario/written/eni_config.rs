//! An eni-config as it is written: where it stands, and what is to be different.

use schemars::json_schema;

use crate::scenario::diagnostics::Problems;
use crate::scenario::read::{At, Read, either_schema, section, wrong_kind};
use crate::scenario::yaml::{Node, Value};

/// Where an eni-config stands.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum EniConfig {
    File {
        path: At<String>,
        patch: Option<EniPatch>,
    },
    /// The keys of the document, or its text as a block.
    Inline(Node),
    /// Its text, with keys that are to be different.
    Text {
        text: Node,
        patch: Option<EniPatch>,
    },
}

section! {
    /// A file that holds an eni-config.
    "`eni_config`" struct EniConfigFile {
        /// Its path, from the scenario's folder.
        /// Example: `eni-config.yaml`.
        required file: At<String>,
        /// Keys of eni_conf that are to be different: a merge patch (RFC 7396).
        /// Default: none.
        /// Example: `{max_pool_size: 10}`.
        optional patch: EniPatch,
    }
}

section! {
    /// The text of an eni-config.
    "`eni_config`" struct EniConfigText {
        /// The text of the document, as a block.
        required text: EniText,
        /// Keys of eni_conf that are to be different: a merge patch (RFC 7396).
        /// Default: none.
        /// Example: `{max_pool_size: 10}`.
        optional patch: EniPatch,
    }
}

/// Text of an eni-config.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct EniText(pub Node);

impl Read for EniText {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        String::read(node, problems).map(|_| Self(node.clone()))
    }
}

either_schema!(EniText, _g => [json_schema!({ "type": "string" })]);

/// Keys of an eni-config.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct EniPatch(pub Node);

impl Read for EniPatch {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            wrong_kind(node, "keys of eni_conf are expected here, such as `{max_pool_size: 10}`", problems);
            return None;
        }
        Some(Self(node.clone()))
    }
}

either_schema!(EniPatch, _g => [json_schema!({ "type": "object", "description": "Keys of eni_conf." })]);

impl Read for EniConfig {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Map(map) if map.iter().any(|(key, _)| key.name == "file") => {
                let EniConfigFile { file, patch, .. } = EniConfigFile::read(node, problems)?;
                file.map(|path| Self::File { path, patch })
            }
            Value::Map(map) if map.iter().any(|(key, _)| key.name == "text") => {
                let EniConfigText { text, patch, .. } = EniConfigText::read(node, problems)?;
                text.map(|EniText(text)| Self::Text { text, patch })
            }
            Value::Map(_) | Value::Text(_) => Some(Self::Inline(node.clone())),
            _ => {
                wrong_kind(node, "`eni_config` is `{file: …}`, the keys of eni_conf, or its text", problems);
                None
            }
        }
    }
}

either_schema!(EniConfig, g => [
    g.subschema_for::<EniConfigFile>(),
    g.subschema_for::<EniConfigText>(),
    json_schema!({
        "type": "object",
        "description": "The keys of eni_conf.",
        "not": { "anyOf": [{ "required": ["file"] }, { "required": ["text"] }] },
    }),
    json_schema!({ "type": "string", "description": "The text of the ConfigMap or of eni_conf, as a block." }),
]);

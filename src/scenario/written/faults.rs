//! Times of trouble with the cloud, as they are written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::scenario::diagnostics::Problems;
use crate::scenario::quantity::{Duration, Percent, or_uncertain};
use crate::scenario::read::{At, Read, section, wrong_kind};
use crate::scenario::yaml::{Node, Value};

section! {
    /// A time of trouble with the API.
    "a fault" struct Fault {
        /// When it begins, from the start.
        /// Example: `3d`.
        required from: At<Duration>,
        /// How long it lasts.
        /// Example: `2h`.
        required lasts: At<Duration>,
        /// Which actions of the API.
        /// Default: all.
        /// Example: `[AttachNetworkInterface]`.
        optional apis: At<Vec<At<String>>>,
        /// Share of calls that fail; `100 %` is an outage.
        /// Default: none fails.
        /// Example: `30 %`.
        optional fail: At<Percent>,
        /// How they fail: `InternalError` or `Throttling`; Terway repeats both (R98, R104).
        /// Default: `InternalError`.
        /// Example: `Throttling`.
        optional code: At<String>,
        /// Calls take this many times as long.
        /// Default: `1`.
        /// Example: `10`.
        optional slow: At<Factor>,
    }
}

/// A number of times, at least one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::scenario) struct Factor(pub f64);

impl Read for Factor {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let factor = match node.value {
            Value::Int(n) => n as f64,
            Value::Float(x) => x,
            _ => {
                wrong_kind(node, "a number of times is expected here, such as `10`", problems);
                return None;
            }
        };
        if !factor.is_finite() || factor < 1.0 {
            problems.error(node.place, "a number of times must be at least 1");
            return None;
        }
        Some(Self(factor))
    }
}

impl JsonSchema for Factor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Factor".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        or_uncertain(generator, json_schema!({ "type": "number", "minimum": 1 }))
    }
}

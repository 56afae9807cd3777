//! What is varied, as it is written.

use schemars::json_schema;

use crate::scenario::axis::{Range, Values};
use crate::scenario::diagnostics::Problems;
use crate::scenario::quantity::Count;
use crate::scenario::read::{At, Entries, Read, either_schema, section, wrong_kind};
use crate::scenario::yaml::{Node, Value};

section! {
    /// What is varied by `brimline sweep`.
    "`sweep`" struct Sweep {
        /// Values by path: a list, a range, or a text as `--vary` takes it.
        /// Example: `{horizon: 10d..60d/10}`.
        required vary: Entries<Vary>,
        /// Points of a Latin hypercube, 1 to 100,000.
        /// Default: none: every combination of the values is a point.
        /// Example: `50`.
        optional points: At<Count>,
        /// Readings, and probabilities `P(…)`; `brimline measures FILE` lists them.
        /// Default: a dozen.
        /// Example: `[pods.wait.p99]`.
        optional measures: Vec<At<String>>,
    }
}

section! {
    /// A range of numbers.
    "a range" struct VaryRange {
        /// The first number, with its unit.
        /// Example: `100`.
        required from: Text,
        /// The last number.
        /// Example: `450`.
        required to: Text,
        /// Distance of two numbers.
        /// Default: none: the range is continuous and needs `points`.
        /// Example: `50`.
        optional step: Text,
    }
}

/// Values that a path takes.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Vary(pub Values);

/// A value as text.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Text(String);

impl Read for Vary {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let values = match &node.value {
            Value::List(items) if !items.is_empty() => Ok(Values::List(items.iter().map(Node::flow).collect())),
            Value::Map(_) => {
                let VaryRange { from, to, step, .. } = VaryRange::read(node, problems)?;
                Range::new(&from?.0, &to?.0, step.as_ref().map(|step| step.0.as_str())).map(Values::Range)
            }
            Value::Text(text) => Values::parse(text),
            _ => {
                wrong_kind(node, "values are expected here, such as `[5, 10]` or `{from: 5, to: 80}`", problems);
                return None;
            }
        };
        match values {
            Ok(values) => Some(Self(values)),
            Err(what) => {
                problems.error(node.place, format!("this {what}")).help("write `{from: 5, to: 80, step: 5}`");
                None
            }
        }
    }
}

impl Read for Text {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if let Value::Map(_) | Value::List(_) | Value::Null = node.value {
            wrong_kind(node, "a number is expected here, with its unit", problems);
            return None;
        }
        Some(Self(node.flow()))
    }
}

either_schema!(Vary, g => [
    json_schema!({ "type": "array", "description": "The values." }),
    g.subschema_for::<VaryRange>(),
    json_schema!({ "type": "string", "description": "The values as `--vary PATH=VALUES` takes them." }),
]);
either_schema!(Text, _g => [json_schema!({ "type": ["number", "string"] })]);

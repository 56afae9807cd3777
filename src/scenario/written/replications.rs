//! How many runs a scenario asks for.

use schemars::json_schema;

use crate::scenario::diagnostics::Problems;
use crate::scenario::quantity::{Count, Duration, Number, Percent};
use crate::scenario::read::{At, Read, either_schema, section, wrong_kind};
use crate::scenario::yaml::{Node, Value};
use crate::time::Span;

/// How many runs there are.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum Replications {
    /// A number.
    Fixed(At<Count>),
    /// As many as a precision takes.
    Until(UntilPrecise),
}

section! {
    /// Runs until they are precise enough.
    "`replications`" struct UntilPrecise {
        /// What has to be precise.
        required until: Until,
        /// Most runs, from 10 to 10,000.
        /// Default: `200`: ten times the usual number.
        /// Example: `1000`.
        optional at_most: At<Count>,
    }
}

section! {
    /// What has to be precise.
    "`until`" struct Until {
        /// The measure whose mean over the runs is looked at, named as in a [claim](#policy).
        /// Example: `pods.wait.p99`.
        required measure: At<String>,
        /// Half the width of the 95 % interval of that mean, at most: a duration, a number in the measure's unit, or
        /// a percentage of the mean.
        /// Example: `5 %`.
        required half_width: At<HalfWidth>,
    }
}

/// Half the width of an interval, as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::scenario) enum HalfWidth {
    /// A number of things.
    Number(f64),
    /// A length of time.
    Span(Span),
    /// A share of the mean.
    Share(f64),
}

impl Read for Replications {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::Map(_) => UntilPrecise::read(node, problems).map(Self::Until),
            Value::Int(_) | Value::Float(_) => Read::read(node, problems).map(Self::Fixed),
            _ => {
                wrong_kind(node, "`replications` is a whole number, or `{until: …, at_most: …}`", problems);
                None
            }
        }
    }
}

impl Read for HalfWidth {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text.trim_end().ends_with('%') => {
                Percent::read(node, problems).map(|Percent(share)| Self::Share(share))
            }
            Value::Text(_) => Duration::read(node, problems).map(|Duration(span)| Self::Span(span)),
            _ => Number::read(node, problems).map(|Number(n)| Self::Number(n)),
        }
    }
}

either_schema!(Replications, g => [
    json_schema!({ "type": "integer", "minimum": 1, "maximum": 10_000 }),
    g.subschema_for::<UntilPrecise>(),
]);
either_schema!(HalfWidth, _g => [
    json_schema!({ "type": "number", "exclusiveMinimum": 0 }),
    json_schema!({ "type": "string", "pattern": "^(P?[0-9]|[0-9.]+ *%$)" }),
]);

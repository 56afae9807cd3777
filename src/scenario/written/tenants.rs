//! Who else takes addresses of a vSwitch, as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::Schedule;
use crate::scenario::diagnostics::Problems;
use crate::scenario::read::{At, Read, section};
use crate::scenario::yaml::{Node, Value};

/// What others take of a vSwitch.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum Used {
    /// All of them together.
    Together(At<Schedule>),
    /// One by one.
    Tenants(At<Vec<Tenant>>),
}

section! {
    /// Somebody who takes addresses of a vSwitch: a name and one of `load_balancers` and `addresses`.
    "a tenant" struct Tenant {
        /// Who it is; no two tenants of a vSwitch share it.
        /// Example: `rds`.
        required name: At<String>,
        /// ALB and NLB instances with this vSwitch, at most 21,844; each takes three addresses ("Specify a private IP
        /// for an NLB instance", help.aliyun.com; the same for ALB).
        /// Default: none.
        /// Example: `4`.
        optional load_balancers: At<Schedule>,
        /// Addresses.
        /// Default: none.
        /// Example: `40`.
        optional addresses: At<Schedule>,
    }
}

impl Read for Used {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::List(_) => Read::read(node, problems).map(Self::Tenants),
            _ => Read::read(node, problems).map(Self::Together),
        }
    }
}

impl JsonSchema for Used {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Used".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<Schedule>(), generator.subschema_for::<Vec<Tenant>>()] })
    }
}

//! What is done while the run goes on, as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{EniPatch, VSwitch};
use crate::scenario::diagnostics::Problems;
use crate::scenario::quantity::{Count, Duration, Limit, Portion};
use crate::scenario::read::{At, Entries, Read, either_schema, section, wrong_kind};
use crate::scenario::yaml::{Node, Value};

section! {
    /// Something that is done once: a trigger (`at`, `when` or `after`) and one deed.
    "an action" struct Action {
        /// Its name, for `after` and for the report.
        optional name: At<String>,
        /// When it begins: a time since the start.
        optional at: At<Duration>,
        /// When it begins: as soon as this holds, such as `vsw-AAA.free < 200`.
        optional when: At<String>,
        /// When it begins: a while after an earlier action is complete, such as `previous + 5m`.
        optional after: At<String>,
        /// A vSwitch is added to the VPC; no daemon knows it yet.
        optional add_vswitch: AddedVSwitch,
        /// Keys of `eni-config` are changed: a merge patch (RFC 7396). Nodes take it up when their daemon starts or restarts.
        optional edit_eni_config: EniPatch,
        /// Terway's daemons are restarted, some at a time; `all` = on every node.
        optional restart_terway: At<RestartTerway>,
        /// A workload or a node pool gets another size, whatever its schedule or its HPA says.
        optional scale: Scale,
        /// Every node of a pool is replaced.
        optional replace_nodes: ReplaceNodes,
        /// Some of a pool's nodes are drained and released.
        optional drain: Drain,
        /// A zone fails with every node in it.
        optional lose_zone: LoseZone,
        /// Most calls of an action of the API per account and minute from now on, or `off`.
        optional limit_api: At<Entries<At<Limit>>>,
    }
}

section! {
    /// How Terway's daemons are restarted.
    "`restart_terway`" struct RestartKeys {
        /// Most daemons that are down at once: a number or a percentage, rounded up.
        optional at_most_at_once: At<Portion>,
        /// Nodes of these pools.
        optional node_pools: At<Vec<At<String>>>,
        /// How long a daemon is down: no pod gets or gives back an address on its node meanwhile.
        optional takes: At<Duration>,
    }
}

section! {
    /// Another size: `workload` with `replicas`, or `node_pool` with `nodes`.
    "`scale`" struct Scale {
        /// A workload with a `deployment` or a `stateful_set`.
        optional workload: At<String>,
        /// Its number of pods.
        optional replicas: At<Count>,
        /// A node pool with a schedule of its own.
        optional node_pool: At<String>,
        /// Its number of nodes.
        optional nodes: At<Count>,
    }
}

section! {
    /// Every node that a pool has is replaced.
    "`replace_nodes`" struct ReplaceNodes {
        /// The pool.
        required node_pool: At<String>,
        /// Nodes on top of the wanted number while it lasts: a number or a percentage, rounded up.
        optional max_surge: At<Portion>,
        /// Nodes that may be missing while it lasts: a number or a percentage, rounded down.
        optional max_unavailable: At<Portion>,
    }
}

section! {
    /// Some of a pool's nodes are drained and released, all at once.
    "`drain`" struct Drain {
        /// The pool.
        required node_pool: At<String>,
        /// How many: a number or a percentage, rounded up.
        required nodes: At<Portion>,
    }
}

section! {
    /// A zone fails with every node in it.
    "`lose_zone`" struct LoseZone {
        /// The zone.
        required zone: At<String>,
        /// How long it lasts.
        required lasts: At<Duration>,
    }
}

/// A vSwitch that is added; it says whether it has an SNAT entry.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct AddedVSwitch(pub VSwitch);

/// On which nodes daemons are restarted, and how.
#[derive(Debug, Clone)]
pub(in crate::scenario) enum RestartTerway {
    All,
    Keys(RestartKeys),
}

impl Read for AddedVSwitch {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let mut vswitch = VSwitch::read(node, problems)?;
        if vswitch.sound && vswitch.snat.is_none() {
            let problem = problems.error(vswitch.place, "it is not said whether the new vSwitch has an SNAT entry");
            problem.help(
                "without one at the VPC's NAT gateway, pods on a new vSwitch do not reach the internet: write \
                 `snat: true` if adding it is part of the plan, or `snat: false`",
            );
            vswitch.sound = false;
        }
        Some(Self(vswitch))
    }
}

impl JsonSchema for AddedVSwitch {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AddedVSwitch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let vswitch = generator.subschema_for::<VSwitch>();
        json_schema!({ "allOf": [vswitch, { "required": ["snat"] }] })
    }
}

impl Read for RestartTerway {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text == "all" => Some(Self::All),
            Value::Map(_) => Read::read(node, problems).map(Self::Keys),
            _ => {
                wrong_kind(node, "`restart_terway` is `all`, or a mapping of keys to values", problems);
                None
            }
        }
    }
}

either_schema!(RestartTerway, g => [json_schema!({ "const": "all" }), g.subschema_for::<RestartKeys>()]);

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
        /// Its name, for `after` and for the report: letters, digits, `-`, `_`, `.`; no two actions share it.
        /// Default: what it does, counted: `restart_terway-1`.
        /// Example: `restart`.
        optional name: At<String>,
        /// When it begins: a time since the start.
        /// Default: none.
        /// Example: `30d`.
        optional at: At<Duration>,
        /// When it begins: as soon as this holds, a level, a comparison (`<`, `<=`, `==`, `!=`, `>=`, `>`) and a
        /// number; `vswitch.free < 15 %` is about the vSwitch of pods that is worst off.
        /// Default: none.
        /// Example: `vsw-AAA.free < 5 %`.
        optional when: At<String>,
        /// When it begins: a duration, the name of an earlier action, or both; `previous` is the entry before.
        /// Default: without any trigger: `previous`.
        /// Example: `restart + 1h`.
        optional after: At<String>,
        /// A vSwitch with `snat` is added to the VPC; no daemon knows it yet.
        /// Example: `{id: vsw-b, zone: cn-hangzhou-j, prefix: 20, snat: true}`.
        optional add_vswitch: AddedVSwitch,
        /// Keys of eni_conf are changed: a merge patch (RFC 7396; `null` removes a key). Nodes take it up when their
        /// daemon starts or restarts.
        /// Example: `{max_pool_size: 10}`.
        optional edit_eni_config: EniPatch,
        /// Terway's daemons are restarted, some at a time; `all` = on every node.
        /// Example: `{takes: 1m}`.
        optional restart_terway: At<RestartTerway>,
        /// A workload or a node pool gets another size, whatever its schedule or its HPA says.
        /// Example: `{workload: web, replicas: 500}`.
        optional scale: Scale,
        /// Every node that a pool has is replaced.
        /// Example: `{node_pool: default, max_surge: 2}`.
        optional replace_nodes: ReplaceNodes,
        /// Some of a pool's nodes are drained and released, all at once.
        /// Example: `{node_pool: default, nodes: 20}`.
        optional drain: Drain,
        /// A zone fails with every node in it.
        /// Example: `{zone: cn-hangzhou-j, lasts: 2h}`.
        optional lose_zone: LoseZone,
        /// Most calls of an action of the API per account and minute from now on, or `off`.
        /// Example: `{AssignPrivateIpAddresses: 600}`.
        optional limit_api: At<Entries<At<Limit>>>,
    }
}

section! {
    /// How Terway's daemons are restarted.
    "`restart_terway`" struct RestartKeys {
        /// Most daemons that are down at once: a number or a percentage of the nodes that work when it begins,
        /// rounded up.
        /// Default: `10 %`: `maxUnavailable` in Terway's chart (charts/terway/templates/terwayd/daemonset.yaml).
        /// Example: `1`.
        optional at_most_at_once: At<Portion>,
        /// Only nodes of these pools.
        /// Default: all: Terway is one DaemonSet.
        /// Example: `[api]`.
        optional node_pools: At<Vec<At<String>>>,
        /// How long a daemon is down, at least `1s`: no pod gets or gives back an address on its node meanwhile.
        /// Default: `30s`: assumption, no measurement is published.
        /// Example: `1m`.
        optional takes: At<Duration>,
    }
}

section! {
    /// Another size: `workload` with `replicas`, or `node_pool` with `nodes`.
    "`scale`" struct Scale {
        /// A workload with a `deployment` or a `stateful_set`.
        /// Default: `workload` or `node_pool` is *required*.
        /// Example: `web`.
        optional workload: At<String>,
        /// Its pods from now on, whatever the schedule or the HPA says.
        /// Default: *required* with `workload`.
        /// Example: `500`.
        optional replicas: At<Count>,
        /// A node pool that is not autoscaled.
        /// Default: `workload` or `node_pool` is *required*.
        /// Example: `default`.
        optional node_pool: At<String>,
        /// Its nodes from now on, whatever the schedule says.
        /// Default: *required* with `node_pool`.
        /// Example: `20`.
        optional nodes: At<Count>,
    }
}

section! {
    /// Every node that a pool has is replaced.
    "`replace_nodes`" struct ReplaceNodes {
        /// The pool.
        /// Example: `default`.
        required node_pool: At<String>,
        /// Nodes on top of the wanted number while it lasts: a number or a percentage, rounded up.
        /// Default: `0`: assumption, one node after the other.
        /// Example: `2`.
        optional max_surge: At<Portion>,
        /// Nodes that may be missing while it lasts: a number or a percentage, rounded down.
        /// Default: `1`: assumption, one node after the other.
        /// Example: `0`.
        optional max_unavailable: At<Portion>,
    }
}

section! {
    /// Some of a pool's nodes are drained and released, all at once.
    "`drain`" struct Drain {
        /// The pool.
        /// Example: `default`.
        required node_pool: At<String>,
        /// How many: a number or a percentage, rounded up; the first to join first.
        /// Example: `20`.
        required nodes: At<Portion>,
    }
}

section! {
    /// A zone fails with every node in it.
    "`lose_zone`" struct LoseZone {
        /// A zone with a vSwitch.
        /// Example: `cn-shanghai-f`.
        required zone: At<String>,
        /// How long it lasts, at least `1s`.
        /// Example: `2h`.
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

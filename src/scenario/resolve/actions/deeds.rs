//! What actions do.

use super::{Edits, path};
use crate::id::VSwitchId;
use crate::model::{Deed, Model, PoolSize, Portion, Restart, WorkloadKind};
use crate::openapi::Api;
use crate::scenario::defaults;
use crate::scenario::diagnostics::Place;
use crate::scenario::loader::Loader;
use crate::scenario::quantity::{Count, Limit, Portion as WrittenPortion};
use crate::scenario::read::{At, Entries};
use crate::scenario::resolve::{MOST, at_least, nodes, report_duplicates, report_unknown};
use crate::scenario::show;
use crate::scenario::written::{Action, AddedVSwitch, Drain, EniPatch, LoseZone, ReplaceNodes, RestartTerway, Scale};
use crate::scenario::yaml::Value;
use crate::text::{Text, text};
use crate::time::Span;
use crate::units::thousands;

/// Shortest time for which a daemon is down or a zone is lost.
const SHORTEST: Span = Span::secs(1);

/// What an action does, as it is written.
#[derive(Clone, Copy)]
pub(super) enum Kind<'w> {
    AddVSwitch(&'w AddedVSwitch),
    EditEniConfig(&'w EniPatch),
    RestartTerway(&'w At<RestartTerway>),
    Scale(&'w Scale),
    ReplaceNodes(&'w ReplaceNodes),
    Drain(&'w Drain),
    LoseZone(&'w LoseZone),
    /// With whether nothing was wrong with the action so far.
    LimitApi(&'w At<Entries<At<Limit>>>, bool),
}

impl Kind<'_> {
    /// Its key.
    pub fn key(&self) -> &'static str {
        match self {
            Self::AddVSwitch(_) => "add_vswitch",
            Self::EditEniConfig(_) => "edit_eni_config",
            Self::RestartTerway(_) => "restart_terway",
            Self::Scale(_) => "scale",
            Self::ReplaceNodes(_) => "replace_nodes",
            Self::Drain(_) => "drain",
            Self::LoseZone(_) => "lose_zone",
            Self::LimitApi(..) => "limit_api",
        }
    }

    /// Whether it is complete as soon as it begins.
    pub fn is_at_once(&self) -> bool {
        matches!(self, Self::AddVSwitch(_) | Self::EditEniConfig(_) | Self::Scale(_) | Self::LimitApi(..))
    }
}

/// The one deed of an action; reports if there is none, or more than one.
pub(super) fn the_one<'w>(loader: &mut Loader, written: &'w Action) -> Option<Kind<'w>> {
    let kinds = [
        written.add_vswitch.as_ref().map(Kind::AddVSwitch),
        written.edit_eni_config.as_ref().map(Kind::EditEniConfig),
        written.restart_terway.as_ref().map(Kind::RestartTerway),
        written.scale.as_ref().map(Kind::Scale),
        written.replace_nodes.as_ref().map(Kind::ReplaceNodes),
        written.drain.as_ref().map(Kind::Drain),
        written.lose_zone.as_ref().map(Kind::LoseZone),
        written.limit_api.as_ref().map(|limits| Kind::LimitApi(limits, written.sound)),
    ];
    let kinds: Vec<Kind<'_>> = kinds.into_iter().flatten().collect();
    match kinds[..] {
        [kind] => return Some(kind),
        // The deed may be what is wrong.
        [] if !written.sound => {}
        [] => {
            let problem = loader.problems.error(written.place, "an action does something");
            problem.help(
                "add `add_vswitch`, `edit_eni_config`, `restart_terway`, `scale`, `replace_nodes`, `drain`, \
                 `lose_zone` or `limit_api`",
            );
        }
        [first, second, ..] => {
            let problem = loader.problems.error(written.place, "an action does one thing only");
            problem.help(format!(
                "make two actions of `{}` and `{}`; they may follow at once",
                first.key(),
                second.key()
            ));
        }
    }
    None
}

/// What the action at `index` does, with its words; `None` = it is wrong, which is reported.
pub(super) fn resolve(
    loader: &mut Loader,
    model: &Model,
    index: usize,
    kind: &Kind<'_>,
    edits: &mut Edits<'_>,
) -> Option<(Deed, Text)> {
    let path = &format!("{}.{}", path(index), kind.key());
    match kind {
        Kind::AddVSwitch(_) => add_vswitch(model, index),
        Kind::EditEniConfig(patch) => {
            let deed = edits.next(loader, model, index, patch)?;
            Some((deed, text!("eni-config is edited: {keys}", keys(patch))))
        }
        Kind::RestartTerway(at) => restart(loader, model, path, at),
        Kind::Scale(scale) => self::scale(loader, model, path, scale),
        Kind::ReplaceNodes(replace) => replace_nodes(loader, model, path, replace),
        Kind::Drain(drain) => self::drain(loader, model, path, drain),
        Kind::LoseZone(lose) => lose_zone(loader, model, path, lose),
        Kind::LimitApi(limits, sound) => limit_api(loader, path, limits, *sound),
    }
}

fn add_vswitch(model: &Model, index: usize) -> Option<(Deed, Text)> {
    let position = model.vpc.vswitches.iter().position(|vswitch| vswitch.added_by == Some(index))?;
    let (id, vswitch) = (VSwitchId::new(position), &model.vpc.vswitches[position]);
    let text = match vswitch.snat {
        true => text!("{vswitch} is added", vswitch.id),
        false => text!("{vswitch} is added, without an SNAT entry", vswitch.id),
    };
    Some((Deed::AddVSwitch(id), text))
}

/// The keys of a patch.
fn keys(patch: &EniPatch) -> String {
    let Value::Map(entries) = &patch.0.value else { return String::new() };
    entries.iter().map(|(key, _)| key.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn restart(loader: &mut Loader, model: &Model, path: &str, written: &At<RestartTerway>) -> Option<(Deed, Text)> {
    let keys = match &written.value {
        RestartTerway::All => None,
        RestartTerway::Keys(keys) => Some(keys),
    };
    let at_once = keys.and_then(|keys| keys.at_most_at_once.as_ref());
    let at_once = some_nodes(loader, at_once, "no daemon is ever restarted");
    let takes = keys.and_then(|keys| keys.takes.as_ref());
    let right = takes.is_none_or(|at| at_least(loader, at, SHORTEST).is_some());
    let show = |portion: &Portion| show::portion(portion, "nodes");
    let at_most_at_once =
        loader.or_default(&format!("{path}.at_most_at_once"), at_once?, defaults::RESTART_AT_ONCE, show);
    let takes = takes.map(|at| (at.value.0, at.place));
    let takes = loader.or_default(&format!("{path}.takes"), takes, defaults::RESTART_TAKES, Span::in_full);
    let pools = restarted_pools(loader, model, path, written)?;
    let names: Vec<_> = pools.iter().map(|&pool| model.node_pools[pool].name.as_str()).collect();
    let at_once = nodes_text(&at_most_at_once);
    let text = match keys.and_then(|keys| keys.node_pools.as_ref()) {
        Some(_) => text!("Terway is restarted, on {nodes} of {pools} at a time", at_once, names.join(", ")),
        None => text!("Terway is restarted, on {nodes} at a time", at_once),
    };
    right.then_some((Deed::RestartTerway(Restart { pools, at_most_at_once, takes }), text))
}

/// Positions of the pools on whose nodes daemons are restarted.
fn restarted_pools(loader: &mut Loader, model: &Model, path: &str, written: &At<RestartTerway>) -> Option<Vec<usize>> {
    let path = format!("{path}.node_pools");
    let all = || (0..model.node_pools.len()).collect();
    let wanted = match &written.value {
        RestartTerway::All => {
            loader.written(path, "all", written.place);
            return Some(all());
        }
        RestartTerway::Keys(keys) => keys.node_pools.as_ref(),
    };
    let Some(wanted) = wanted else {
        loader.default(path, "all", "Terway is one DaemonSet");
        return Some(all());
    };
    if wanted.value.is_empty() {
        let problem = loader.problems.error(wanted.place, "no daemon is ever restarted");
        problem.help("name a pool in `node_pools`, or remove the key for all of them");
        return None;
    }
    report_duplicates(loader, "entries", wanted.value.iter().map(Some));
    let names: Vec<_> = wanted.value.iter().map(|at| at.value.as_str()).collect();
    loader.written(path, names.join(", "), wanted.place);
    let pools: Vec<_> = wanted.value.iter().map(|at| pool(loader, model, at)).collect();
    pools.into_iter().collect()
}

fn scale(loader: &mut Loader, model: &Model, path: &str, written: &Scale) -> Option<(Deed, Text)> {
    let Scale { workload, replicas, node_pool, nodes, .. } = written;
    match (workload, replicas, node_pool, nodes) {
        (Some(name), Some(replicas), None, None) => scale_workload(loader, model, path, name, replicas),
        (None, None, Some(name), Some(nodes)) => scale_pool(loader, model, path, name, nodes),
        _ => {
            if written.sound {
                let problem = loader.problems.error(written.place, "`scale` says what gets which size");
                problem.help("write `workload` with `replicas`, or `node_pool` with `nodes`");
            }
            None
        }
    }
}

fn scale_workload(
    loader: &mut Loader,
    model: &Model,
    path: &str,
    name: &At<String>,
    replicas: &At<Count>,
) -> Option<(Deed, Text)> {
    let size = size(loader, path, "replicas", replicas, "pods");
    let Some(workload) = model.workloads.iter().position(|workload| workload.name == name.value) else {
        let known: Vec<_> = model.workloads.iter().map(|workload| workload.name.as_str()).collect();
        report_unknown(loader, "workload", &name.value, name.place, &known);
        return None;
    };
    loader.written(format!("{path}.workload"), name.value.clone(), name.place);
    let kind = &model.workloads[workload].kind;
    if !matches!(kind, WorkloadKind::Deployment { .. } | WorkloadKind::StatefulSet { .. }) {
        let title = format!("workload `{}` has no number of replicas", name.value);
        loader.problems.error(name.place, title).help("only a `deployment` or a `stateful_set` can be scaled");
        return None;
    }
    if model.workloads[workload].pod.host_network {
        let title = format!("pods of workload `{}` take no address, and none is simulated", name.value);
        loader.problems.error(name.place, title).label("`host_network`").help("leave this action out");
        return None;
    }
    let replicas = size?;
    let text = text!("{workload} is scaled to {pods}", name.value, pods_text(replicas.into()));
    Some((Deed::ScaleWorkload { workload, replicas }, text))
}

fn scale_pool(
    loader: &mut Loader,
    model: &Model,
    path: &str,
    name: &At<String>,
    nodes: &At<Count>,
) -> Option<(Deed, Text)> {
    let size = size(loader, path, "nodes", nodes, "nodes");
    let pool = noted_pool(loader, model, path, name)?;
    if matches!(model.node_pools[pool].size, PoolSize::Autoscaled { .. }) {
        let title = format!("node pool `{}` is left to the autoscaler", name.value);
        loader.problems.error(name.place, title).help("only a pool whose `nodes` are a schedule can be scaled");
        return None;
    }
    let nodes = size?;
    let text = text!("node pool {pool} is scaled to {nodes}", name.value, nodes_text(&Portion::Count(nodes)));
    Some((Deed::ScaleNodePool { pool, nodes }, text))
}

/// A number of things that the world's books hold.
fn size(loader: &mut Loader, path: &str, key: &str, written: &At<Count>, what: &str) -> Option<u32> {
    loader.written(format!("{path}.{key}"), thousands(written.value.0), written.place);
    if written.value.0 > MOST {
        let title = format!("more than {} {what} are not simulated", thousands(MOST));
        loader.problems.error(written.place, title);
        return None;
    }
    u32::try_from(written.value.0).ok()
}

fn replace_nodes(loader: &mut Loader, model: &Model, path: &str, written: &ReplaceNodes) -> Option<(Deed, Text)> {
    let pool = written.node_pool.as_ref().and_then(|name| noted_pool(loader, model, path, name));
    let (surge, missing) = (written.max_surge.as_ref(), written.max_unavailable.as_ref());
    let (max_surge, max_unavailable) = nodes::replaced_at_once(loader, path, written.place, surge, missing)?;
    let pool = pool?;
    let text = text!("the nodes of {pool} are replaced", model.node_pools[pool].name);
    Some((Deed::ReplaceNodes { pool, max_surge, max_unavailable }, text))
}

fn drain(loader: &mut Loader, model: &Model, path: &str, written: &Drain) -> Option<(Deed, Text)> {
    let pool = written.node_pool.as_ref().and_then(|name| noted_pool(loader, model, path, name));
    let (nodes, place) = some_nodes(loader, Some(written.nodes.as_ref()?), "no node is drained")??;
    loader.written(format!("{path}.nodes"), show::portion(&nodes, "nodes"), place);
    let pool = pool?;
    let (part, pool_name) = (nodes_text(&nodes), &model.node_pools[pool].name);
    let text = match nodes {
        Portion::Count(1) => text!("{node} of {pool} is drained", part, pool_name),
        _ => text!("{nodes} of {pool} are drained", part, pool_name),
    };
    Some((Deed::Drain { pool, nodes }, text))
}

fn lose_zone(loader: &mut Loader, model: &Model, path: &str, written: &LoseZone) -> Option<(Deed, Text)> {
    let (zone, lasts) = (written.zone.as_ref()?, written.lasts.as_ref()?);
    loader.written(format!("{path}.zone"), zone.value.clone(), zone.place);
    loader.written(format!("{path}.lasts"), lasts.value.0.in_full(), lasts.place);
    let known = model.zone_names();
    if !known.contains(&zone.value.as_str()) {
        report_unknown(loader, "vSwitch in zone", &zone.value, zone.place, &known);
        return None;
    }
    let lasts = at_least(loader, lasts, SHORTEST)?;
    let zone = zone.value.clone();
    let text = text!("zone {zone} is lost for {lasts}", zone, lasts);
    Some((Deed::LoseZone { zone, lasts }, text))
}

fn limit_api(loader: &mut Loader, path: &str, written: &At<Entries<At<Limit>>>, sound: bool) -> Option<(Deed, Text)> {
    let [(key, limit)] = &written.value.0[..] else {
        // What is missing may be what is wrong.
        if sound {
            let problem = loader.problems.error(written.place, "an action changes the limit of one action of the API");
            problem.help("such as `limit_api: {AssignPrivateIpAddresses: 600}`; make an action of each");
        }
        return None;
    };
    let known = Api::ALL.map(Api::name);
    let Some(api) = Api::ALL.into_iter().find(|api| api.name() == key.name) else {
        report_unknown(loader, "action of the API", &key.name, key.place, &known);
        return None;
    };
    if limit.value.0 == Some(0) {
        let problem = loader.problems.error(limit.place, "a limit of 0 allows nothing at all");
        problem.help("to switch it off, write `off`; for an outage, use `cloud.faults`");
        return None;
    }
    let shown = limit.value.0.map_or_else(|| "off".to_owned(), |most| format!("{} a minute", thousands(most)));
    loader.written(format!("{path}.{}", key.name), shown.clone(), limit.place);
    let limit = limit.value.0.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    let text = match limit {
        Some(most) => text!("the limit of {api} is {most} a minute", api.name(), thousands(most.into())),
        None => text!("the limit of {api} is off", api.name()),
    };
    Some((Deed::LimitApi { api, limit }, text))
}

fn pods_text(n: u64) -> Text {
    if n == 1 { text!("1 pod") } else { text!("{} pods", thousands(n)) }
}

fn nodes_text(nodes: &Portion) -> Text {
    match nodes {
        Portion::Count(1) => text!("1 node"),
        Portion::Count(n) => text!("{} nodes", thousands((*n).into())),
        Portion::Share(share) => text!("{share} of the nodes", show::percent(*share)),
    }
}

/// A part of the nodes, and where it stands, if it was written; reports more than all and none.
fn some_nodes(
    loader: &mut Loader,
    written: Option<&At<WrittenPortion>>,
    none: &str,
) -> Option<Option<(Portion, Place)>> {
    let Some(at) = written else { return Some(None) };
    if nodes::is_none(at.value.0) {
        loader.problems.error(at.place, none).help("write a number or a percentage that is more than 0");
        return None;
    }
    nodes::part(loader, written).map(Some)
}

/// The pool with a name, which is noted.
fn noted_pool(loader: &mut Loader, model: &Model, path: &str, name: &At<String>) -> Option<usize> {
    loader.written(format!("{path}.node_pool"), name.value.clone(), name.place);
    pool(loader, model, name)
}

/// The position of a pool by its name.
fn pool(loader: &mut Loader, model: &Model, name: &At<String>) -> Option<usize> {
    let found = model.node_pools.iter().position(|pool| pool.name == name.value);
    if found.is_none() {
        let known: Vec<_> = model.node_pools.iter().map(|pool| pool.name.as_str()).collect();
        report_unknown(loader, "node pool", &name.value, name.place, &known);
    }
    found
}

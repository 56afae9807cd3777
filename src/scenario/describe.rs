//! What `brimline check` prints: warnings, the resolved model with the origin of each value, and
//! what a planner would work out by hand.

use std::fmt::Write;
use std::path::Path;

use unicode_width::UnicodeWidthStr;

use super::schedule::{most_of_others, nodes_in_zone, nodes_of_type, surges};
use super::{Loaded, Origin, Setting, Uncertain, show};
use crate::address::{PREFIX, usable};
use crate::id::VSwitchId;
use crate::ipam::Config;
use crate::model::{Action, Deed, Model, NodePool, PoolSize, PoolZone, Shape, VSwitch};
use crate::text;
use crate::time::Instant;
use crate::units::thousands;

/// Columns of the text.
const WIDTH: usize = 80;
/// Where origins begin.
const ORIGIN: usize = 40;

/// The resolved model, section by section: each value with its origin. Lines have 80 columns, more only
/// where a name is longer.
#[must_use]
pub fn describe(loaded: &Loaded) -> String {
    let mut out = String::new();
    for warning in &loaded.warnings {
        push(&mut out, &format!("{warning}\n"));
    }
    push(&mut out, &loaded.model.name);
    for line in wrap(&loaded.model.question, WIDTH - 2) {
        push(&mut out, &format!("  {line}"));
    }
    settings(&mut out, &loaded.settings);
    uncertain(&mut out, &loaded.uncertain);
    capacity(&mut out, &loaded.model);
    out
}

fn push(out: &mut String, line: &str) {
    writeln!(out, "{}", line.trim_end()).expect("a string takes any text");
}

fn settings(out: &mut String, settings: &[Setting]) {
    let mut section = None;
    let mut last_origin = String::new();
    for setting in settings {
        let (of, key) = heading(&setting.path);
        if section != Some(of) {
            push(out, &format!("\n{of}"));
            section = Some(of);
            last_origin.clear();
        }
        let origin = origin(&setting.origin);
        let shown = if origin == last_origin && origin.len() > WIDTH - ORIGIN { "as above" } else { &origin };
        self::setting(out, key, &setting.value, shown);
        last_origin = origin;
    }
}

/// What is drawn for every run; above stand the typical values.
fn uncertain(out: &mut String, uncertain: &[Uncertain]) {
    if uncertain.is_empty() {
        return;
    }
    push(out, "\nuncertain inputs, drawn for each run");
    for input in uncertain {
        fact(out, &format!("{}: {}; typical {}", input.path, input.text.english(), input.typical));
    }
}

/// The heading and the key of a setting. What stands between two keys of a section goes below its
/// heading.
fn heading(path: &str) -> (&str, &str) {
    let Some((of, key)) = path.rsplit_once('.') else { return ("scenario", path) };
    if let Some(whole) = path.split_once('.').filter(|_| path.starts_with("workloads[") || path.starts_with("actions["))
    {
        return whole;
    }
    let small =
        [".limits", ".allocatable", ".nodes.autoscale", ".replace", ".interruptions", ".crashes", ".scale_down"];
    match small.iter().find_map(|end| of.strip_suffix(end)) {
        Some(of) => (of, &path[of.len() + 1..]),
        None => (of, key),
    }
}

/// A value on the left and its origin on the right, each in as many lines as it needs.
fn setting(out: &mut String, key: &str, value: &str, origin: &str) {
    let left = wrap(&format!("{key}: {value}"), ORIGIN - 5);
    let right = wrap(origin, WIDTH - ORIGIN - 2);
    for i in 0..left.len().max(right.len()) {
        let indent = if i == 0 { 2 } else { 4 };
        let left = left.get(i).map_or("", String::as_str);
        let right = right.get(i).map_or(String::new(), |text| format!("# {text}"));
        let left = format!("{:indent$}{left} ", "");
        let space = " ".repeat(ORIGIN.saturating_sub(left.width()));
        push(out, &format!("{left}{space}{right}"));
    }
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::File { name, line } => {
            let name = Path::new(name).file_name().map_or(name.as_str().into(), |name| name.to_string_lossy());
            format!("{name}:{line}")
        }
        Origin::Default { source } => format!("default: {source}"),
        Origin::Changed { from, source } => format!("was {from}: {source}"),
        Origin::Command => "command line".to_owned(),
    }
}

/// Lines of at most `width` columns, but for longer names: they may have to be copied. Paths are broken
/// after `/`.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = Vec::new();
    for line in text::wrap(&text, 0, width).lines() {
        let parts = if line.width() > width { line.split_inclusive('/').collect() } else { vec![line] };
        let mut parts = parts.into_iter();
        lines.extend(parts.next().map(str::to_owned));
        for part in parts {
            match lines.last_mut() {
                Some(line) if line.width() + part.width() <= width => line.push_str(part),
                _ => lines.push(part.to_owned()),
            }
        }
    }
    lines
}

fn capacity(out: &mut String, model: &Model) {
    push(out, "\ncapacity");
    for (i, vswitch) in model.vpc.vswitches.iter().enumerate() {
        fact(out, &vswitch_fact(model, VSwitchId::new(i), vswitch));
    }
    for (key, zone) in model.groups() {
        let pool = &model.node_pools[key.pool];
        fact(out, &pool_fact(model, pool, &pool.shapes[key.shape], zone));
    }
}

fn fact(out: &mut String, text: &str) {
    for (i, line) in wrap(text, WIDTH - 4).iter().enumerate() {
        push(out, &format!("{:indent$}{line}", "", indent = if i == 0 { 2 } else { 4 }));
    }
}

/// What a vSwitch has, and for whom.
fn vswitch_fact(model: &Model, id: VSwitchId, vswitch: &VSwitch) -> String {
    let all = usable(vswitch.cidr);
    let (first, most) = (vswitch.wanted_by_others(Instant::ZERO), most_of_others(vswitch, model.horizon));
    let others = match (u64::from(first), u64::from(most)) {
        (0, 0) => "none used by others".to_owned(),
        (first, most) if first == most => format!("{} used by others", thousands(first)),
        (first, most) => format!("{} and up to {} used by others", thousands(first), thousands(most)),
    };
    let pools = |uses: &dyn Fn(&PoolZone) -> bool| -> Vec<&str> {
        model.node_pools.iter().filter(|pool| pool.zones().iter().any(uses)).map(|pool| pool.name.as_str()).collect()
    };
    let mut roles = Vec::new();
    let nodes = pools(&|zone| zone.node_vswitch == id);
    if !nodes.is_empty() {
        roles.push(format!("nodes of {}", nodes.join(", ")));
    }
    let pods = pools(&|zone| zone.daemon.vswitches().contains(&id));
    if !pods.is_empty() {
        roles.push(format!("pods of {}", pods.join(", ")));
    }
    let networkings = model.pod_networkings.iter().filter(|networking| networking.vswitches.contains(&id));
    let networkings: Vec<_> = networkings.map(|networking| networking.name.as_str()).collect();
    if !networkings.is_empty() {
        roles.push(format!("pods of PodNetworking {}", networkings.join(", ")));
    }
    let edits = edits_naming(model, id);
    if pods.is_empty() && !edits.is_empty() {
        roles.push(format!("pods after {}", edits.join(", ")));
    }
    let roles = if roles.is_empty() { "nobody".to_owned() } else { roles.join(" and ") };
    let (id, prefix) = (&vswitch.id, vswitch.cidr.prefix_len());
    let added = vswitch.added_by.map_or(String::new(), |action| format!(", added by {}", model.actions[action].name));
    format!("vSwitch {id} (/{prefix}{added}): {} usable addresses, {others}; for {roles}", thousands(all.into()))
}

/// The edits of eni-config after which pods take addresses of a vSwitch.
fn edits_naming(model: &Model, id: VSwitchId) -> Vec<&str> {
    let names = |action: &&Action| match &action.deed {
        Deed::EditEniConfig(daemons) => daemons.iter().any(|daemon| daemon.vswitches().contains(&id)),
        _ => false,
    };
    model.actions.iter().filter(names).map(|action| action.name.as_str()).collect()
}

/// What a pool has room for in a zone on nodes of a type, and what its watermarks keep.
fn pool_fact(model: &Model, pool: &NodePool, shape: &Shape, zone: &PoolZone) -> String {
    let daemon = &zone.daemon;
    let nodes = nodes_of_type(nodes_in_zone(model, pool), pool, shape);
    let of_type = if pool.shapes.len() > 1 { format!(" on {}", shape.instance_type) } else { String::new() };
    let peak = match &pool.size {
        PoolSize::Scheduled(_) => "at the peak".to_owned(),
        PoolSize::Autoscaled { min, max, .. } => format!("scaled from {min} to {max} nodes in all, here at most"),
    };
    let about = if pool.shapes.len() > 1 { " about" } else { "" };
    let on_top = if surges(model, pool).next().is_some() { " (a replacement's on top included)" } else { "" };
    let idle = |n: u32| thousands(nodes * u64::from(n));
    let slots = (daemon.slots().into(), "interface", "interfaces");
    let (per_node, each, addresses) = match daemon.prefixes() {
        None => (slots, daemon.ips_per_eni(), u32::MAX),
        Some(_) => ((u64::from(daemon.capacity() / PREFIX), "prefix", "prefixes"), PREFIX, daemon.capacity()),
    };
    let members = daemon.devices().members;
    let a_node = u64::from(shape.max_pods.min(addresses.saturating_add(members)));
    let pods = nodes * a_node;
    let trunk =
        if members > 0 { format!(" and {}", show::count(members.into(), "member", "members")) } else { String::new() };
    let room = format!(
        "node pool {} in {}{of_type}: {} a node, from {} of {}{trunk}; {peak}{about} {}{on_top} with room for {}",
        pool.name,
        zone.zone,
        show::count(a_node, "pod", "pods"),
        show::count(per_node.0, per_node.1, per_node.2),
        show::count(each.into(), "address", "addresses"),
        show::count(nodes, "node", "nodes"),
        show::count(pods, "pod", "pods"),
    );
    if matches!(daemon, Config::Exclusive(_)) || daemon.prefixes().is_some() {
        return format!("{room}; there is no pool");
    }
    format!(
        "{room}; the watermarks keep {} to {} idle addresses a node, {} to {} in all",
        daemon.min_idle(),
        daemon.max_idle(),
        idle(daemon.min_idle()),
        idle(daemon.max_idle()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_beside_chinese_but_not_within_names() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh i", 4), ["abcdefgh", "i"]);
        assert_eq!(wrap("a/b/cdefgh i", 6), ["a/b/", "cdefgh", "i"]);
        assert_eq!(wrap("何时用完", 4), ["何时", "用完"]);
        assert!(wrap("", 7).is_empty());
    }
}

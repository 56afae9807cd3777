//! Conformance cases of the configuration, and texts as users have them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::id::VSwitchId;
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::{Config, EniSelection, VSwitchSelection};
use crate::openapi::Api;
use crate::time::Span;

mod reading;
mod resolving;

/// The sample of the founding article, as printed.
const ARTICLE: &str = r#"{
  "version": "1",
  "max_pool_size": 80, # pool upper watermark
  "min_pool_size": 20, # pool lower watermark
  "credential_path": "/var/addon/token-config",
  "vswitches": {"cn-shanghai-f":["vsw-AAA"]}, # "zone": ["vSwitch"]
  "service_cidr": "172.21.0.0/20",
  "security_group": "sg-1",
  "vswitch_selection_policy": "ordered"
}
"#;

fn limits(adapters: u32, ipv4_per_adapter: u32) -> InstanceLimits {
    InstanceLimits { adapters, ipv4_per_adapter, ..InstanceLimits::default() }
}

/// vsw-AAA and vsw-BBB are in cn-shanghai-f, vsw-CCC is elsewhere; the node's own is number 9.
fn resolve_on(document: &Document, limits: InstanceLimits) -> Checked<Resolved> {
    let vswitch = |id: &str| {
        let (id, zone) = match id {
            "vsw-AAA" => (0, "cn-shanghai-f"),
            "vsw-BBB" => (1, "cn-shanghai-f"),
            "vsw-CCC" => (2, "cn-shanghai-g"),
            _ => return None,
        };
        Some(VSwitch { id: VSwitchId(id), zone })
    };
    let node = Node { instance_type: "ecs.test", limits: &limits, zone: "cn-shanghai-f", vswitch: VSwitchId(9) };
    resolve(document, &node, &vswitch)
}

fn document(text: &str) -> Document {
    read(text, 0).unwrap().0
}

fn config(text: &str, limits: InstanceLimits) -> Config {
    node_local(&resolve_on(&document(text), limits).unwrap().0).clone()
}

fn node_local(resolved: &Resolved) -> &Config {
    match &resolved.config {
        crate::ipam::Config::NodeLocal(config) => config,
        _ => panic!("the daemon allocates"),
    }
}

/// Titles of all notes on `text`, read and resolved on 4 adapters of 10 addresses.
fn titles(text: &str) -> Vec<String> {
    titles_on(text, limits(4, 10))
}

fn titles_on(text: &str, limits: InstanceLimits) -> Vec<String> {
    let notes = match read(text, 0) {
        Err(notes) => notes,
        Ok((document, mut notes)) => {
            notes.extend(resolve_on(&document, limits).map_or_else(|notes| notes, |(_, notes)| notes));
            notes
        }
    };
    notes.into_iter().map(|note| note.title).collect()
}

/// What `note` points at.
fn cut<'t>(note: &Note, text: &'t str) -> &'t str {
    &text[note.place.clone().expect("it has a place").span]
}

/// Title of the only error of `text`.
fn refused(text: &str) -> String {
    let errors: Vec<_> = match read(text, 0) {
        Err(notes) => notes,
        Ok((document, _)) => resolve_on(&document, limits(4, 10)).expect_err(text),
    };
    let errors: Vec<_> = errors.into_iter().filter(|note| note.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "{text}: {errors:?}");
    assert!(errors[0].hint.is_some(), "{errors:?}");
    format!("{}: {}", errors[0].title, errors[0].label)
}

fn setting<'r>(resolved: &'r Resolved, key: &str) -> &'r Setting {
    resolved.settings.iter().find(|setting| setting.key == key).unwrap_or_else(|| panic!("no setting {key}"))
}

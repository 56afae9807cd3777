//! What a daemon makes of a document on a node of a given type in a given zone.

use super::Document;
use crate::id::VSwitchId;
use crate::ipam::json::Json;
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::Config;
use crate::ipam::note::{Checked, Note, Place, unless_error};

mod features;
mod pool;
mod timing;
mod vswitches;

pub use vswitches::MAX_CANDIDATES;

/// The node that the daemon starts on.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// Instance type, for messages.
    pub instance_type: &'a str,
    /// Limits of that type.
    pub limits: &'a InstanceLimits,
    /// Zone, as instance metadata says it.
    pub zone: &'a str,
    /// vSwitch of the node's primary interface.
    pub vswitch: VSwitchId,
}

/// A vSwitch as the world knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VSwitch<'a> {
    /// Its index.
    pub id: VSwitchId,
    /// Its zone.
    pub zone: &'a str,
}

/// What a daemon runs with, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The effective configuration.
    pub config: Config,
    /// Every effective value with its origin, in the order of the rules.
    pub settings: Vec<Setting>,
}

/// An effective value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Key of eni-config, or the name of a figure that Terway derives.
    pub key: &'static str,
    /// The value with its unit.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an effective value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Written, and taken as it is.
    Written(Place),
    /// Nobody wrote it.
    Default {
        /// Rule and upstream file.
        source: String,
    },
    /// Terway makes something else of it, or derives it.
    Changed {
        /// What was written or what it would have been.
        from: String,
        /// Where that was written; `None` = nowhere.
        place: Option<Place>,
        /// Rule and upstream file.
        source: String,
    },
}

/// Applies Terway's defaults, clamps and derivations to `document` on `node`. `vswitch` knows
/// the vSwitches of the VPC by their ID.
///
/// # Errors
/// Every problem, if at least one is an error: Terway would not start, or would do what is not
/// simulated.
pub fn resolve<'v>(
    document: &Document,
    node: &Node<'_>,
    vswitch: &dyn Fn(&str) -> Option<VSwitch<'v>>,
) -> Checked<Resolved> {
    let mut resolver = Resolver { document, node, settings: Vec::new(), notes: Vec::new() };
    let pools_off = resolver.ipam_type();
    let pool = resolver.pool(pools_off);
    let config = Config {
        max_eni: pool.max_eni,
        ips_per_eni: pool.ips_per_eni,
        dual: resolver.stack(),
        capacity: pool.max_eni * pool.ips_per_eni,
        min_idle: pool.min_idle,
        max_idle: pool.max_idle,
        sync_period: resolver.sync_period(),
        eni_selection: resolver.eni_selection(),
        vswitch_selection: resolver.vswitch_selection(),
        vswitches: resolver.vswitches(vswitch),
        reclaim: resolver.reclaim(),
        rate_limit: resolver.rate_limit(),
        gc_period: resolver.gc_period(pools_off),
        rpc_timeout: resolver.rpc_timeout(),
        confirm_delete: true,
    };
    resolver.trunk();
    resolver.erdma();
    resolver.other();
    let Resolver { settings, notes, .. } = resolver;
    unless_error(Resolved { config, settings }, notes)
}

/// Collects settings and notes on the way.
struct Resolver<'a> {
    document: &'a Document,
    node: &'a Node<'a>,
    settings: Vec<Setting>,
    notes: Vec<Note>,
}

impl<'a> Resolver<'a> {
    fn get(&self, key: &str) -> Option<&'a Json> {
        self.document.get(key)
    }

    /// The integer of `key` and its place.
    fn int(&self, key: &str) -> Option<(i64, &'a Place)> {
        self.get(key).and_then(|json| Some((json.int()?, &json.place)))
    }

    /// The string of `key` and its place.
    fn text(&self, key: &str) -> Option<(&'a str, &'a Place)> {
        self.get(key).and_then(|json| Some((json.text()?, &json.place)))
    }

    fn set(&mut self, key: &'static str, value: impl std::fmt::Display, origin: Origin) {
        self.settings.push(Setting { key, value: value.to_string(), origin });
    }

    fn note(&mut self, note: Note, place: &Place) {
        self.notes.push(note.at(place.clone()));
    }
}

impl Origin {
    fn written(place: &Place) -> Self {
        Self::Written(place.clone())
    }

    fn default(source: impl Into<String>) -> Self {
        Self::Default { source: source.into() }
    }

    fn changed(from: impl std::fmt::Display, place: &Place, source: impl Into<String>) -> Self {
        Self::Changed { from: from.to_string(), place: Some(place.clone()), source: source.into() }
    }
}

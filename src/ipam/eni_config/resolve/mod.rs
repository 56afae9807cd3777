//! What a daemon makes of a document on a node of a given type in a given zone.

use super::document::without_effect;
use super::{Document, IpamType};
use crate::id::VSwitchId;
use crate::ipam::json::Json;
use crate::ipam::limits::InstanceLimits;
use crate::ipam::note::{Checked, Note, Place, unless_error};
use crate::ipam::{Config, node_local};

mod centralized;
mod classic;
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

/// What a node runs with, and why.
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
    let notes = without_effect(document);
    let mut resolver = Resolver { document, node, settings: Vec::new(), notes };
    let config = match document.ipam() {
        IpamType::NodeLocal => Config::from(resolver.node_local(vswitch)),
        IpamType::Classic => Config::from(resolver.classic(vswitch)),
        IpamType::Centralized => Config::from(resolver.centralized(vswitch)),
    };
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
    /// What a daemon that allocates runs with.
    fn node_local<'v>(&mut self, vswitch: &dyn Fn(&str) -> Option<VSwitch<'v>>) -> node_local::Config {
        let pools_off = self.ipam_type();
        let pool = self.pool(pools_off);
        node_local::Config {
            max_eni: pool.max_eni,
            ips_per_eni: pool.ips_per_eni,
            capacity: pool.max_eni * pool.ips_per_eni,
            min_idle: pool.min_idle,
            max_idle: pool.max_idle,
            sync_period: self.sync_period(),
            eni_selection: self.eni_selection(),
            vswitch_selection: self.vswitch_selection(),
            vswitches: self.vswitches(vswitch),
            reclaim: self.reclaim(),
            rate_limit: self.rate_limit(),
            gc_period: self.gc_period(pools_off),
            rpc_timeout: self.rpc_timeout(),
            dual: self.stack(),
            rdma: self.rdma(),
            confirm_delete: true,
            kube_client: self.kube_client(),
            trunk: self.trunk(),
        }
    }

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

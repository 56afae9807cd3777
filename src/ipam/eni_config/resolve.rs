//! What a daemon makes of a document on a node of a given type in a given zone.

use super::{Checked, Document, Place};
use crate::id::VSwitchId;
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::Config;

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
    _document: &Document,
    node: &Node<'_>,
    _vswitch: &dyn Fn(&str) -> Option<VSwitch<'v>>,
) -> Checked<Resolved> {
    let config = Config {
        max_eni: node.limits.adapters.saturating_sub(1),
        ips_per_eni: node.limits.ipv4_per_adapter,
        capacity: node.limits.multi_ip_pods(),
        min_idle: 0,
        max_idle: 0,
        sync_period: None,
        eni_selection: crate::ipam::node_local::EniSelection::MostIps,
        vswitch_selection: crate::ipam::node_local::VSwitchSelection::Random,
        vswitches: vec![node.vswitch],
        reclaim: None,
        rate_limit: [None; 8],
        gc_period: None,
        rpc_timeout: crate::time::Span::secs(118),
        confirm_delete: true,
    };
    Ok((Resolved { config, settings: Vec::new() }, Vec::new()))
}

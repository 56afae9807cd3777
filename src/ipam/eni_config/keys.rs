//! The keys of the document, as `types/daemon/config.go:20-60` declares them.

/// What Go reads the value of a key into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Float,
    Bool,
    Text,
    Texts,
    TextMap,
    TextsMap,
    IntMap,
    /// Structures that are looked at in no other way.
    Objects,
    ObjectMap,
}

/// What a key means to a simulation of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is taken into account, or refused with a reason.
    Used,
    /// It has nothing to do with addresses.
    Aside,
    /// Only the node-local allocator reads it.
    NodeLocal,
    /// Only the centralized allocator reads it (rule R30).
    Centralized,
    /// Nobody reads it (rule R30).
    Ignored,
}

/// A known key.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub role: Role,
}

/// Every known key.
pub(super) const KEYS: &[Key] = &[
    used("ipam_type", Kind::Text),
    used("max_pool_size", Kind::Int),
    used("min_pool_size", Kind::Int),
    node_local("min_eni", Kind::Int),
    node_local("max_eni", Kind::Int),
    node_local("eni_cap_ratio", Kind::Float),
    node_local("eni_cap_shift", Kind::Int),
    used("ip_pool_sync_period", Kind::Text),
    node_local("eni_selection_policy", Kind::Text),
    used("vswitch_selection_policy", Kind::Text),
    used("vswitches", Kind::TextsMap),
    used("idle_ip_reclaim_after", Kind::Text),
    used("idle_ip_reclaim_interval", Kind::Text),
    used("idle_ip_reclaim_batch_size", Kind::Int),
    used("idle_ip_reclaim_jitter_factor", Kind::Text),
    used("ip_stack", Kind::Text),
    used("enable_eni_trunking", Kind::Bool),
    used("enable_erdma", Kind::Bool),
    used("disable_device_plugin", Kind::Bool),
    node_local("rate_limit", Kind::IntMap),
    used("backoff_override", Kind::ObjectMap),
    used("custom_stateful_workload_kinds", Kind::Texts),
    used("eni_tag_filter", Kind::TextMap),
    used("security_groups", Kind::Texts),
    aside("version", Kind::Text),
    aside("access_key", Kind::Text),
    aside("access_secret", Kind::Text),
    aside("region_id", Kind::Text),
    aside("credential_path", Kind::Text),
    aside("service_cidr", Kind::Text),
    aside("security_group", Kind::Text),
    aside("resource_group_id", Kind::Text),
    aside("eni_tags", Kind::TextMap),
    aside("extra_routes", Kind::Objects),
    used("kube_client_qps", Kind::Float),
    used("kube_client_burst", Kind::Int),
    used("enable_patch_pod_ips", Kind::Bool),
    ignored("prefix", Kind::Text),
    centralized("ip_warm_up_size", Kind::Int),
    centralized("enable_ip_prefix", Kind::Bool),
    centralized("ipv4_prefix_count", Kind::Int),
    centralized("ipv6_prefix_count", Kind::Int),
    centralized("eni_tag_block_list", Kind::Objects),
];

const fn used(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, role: Role::Used }
}

const fn aside(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, role: Role::Aside }
}

const fn node_local(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, role: Role::NodeLocal }
}

const fn centralized(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, role: Role::Centralized }
}

const fn ignored(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, role: Role::Ignored }
}

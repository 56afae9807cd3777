//! `terway-cli list`, `show` and `metadata`.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::mapping::Entry;
use super::names::{primary_mac, resource_id};
use super::tree::{self, Line};
use crate::id::NodeId;

/// What instance metadata shows of an instance. The cloud of the simulation shows it at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The instance.
    pub node: NodeId,
    /// The vSwitch and the address of its own interface, if it has any of the VPC.
    pub primary: Option<(String, Ipv4Addr)>,
    /// Its secondary interfaces, in the order of their attachment.
    pub attached: Vec<Attachment>,
}

/// A secondary interface in instance metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its MAC.
    pub mac: String,
    /// Its primary address.
    pub primary: String,
    /// Its IPv4 addresses, as sorted texts.
    pub v4: BTreeSet<String>,
    /// Its IPv6 addresses, likewise.
    pub v6: BTreeSet<String>,
}

/// `terway-cli list`. The version of July 2026 registers one type (`daemon/builder.go:570`; rule B16 has
/// the layout).
#[must_use]
pub fn list() -> String {
    "* network_service\n\n".to_owned()
}

/// `terway-cli show network_service` (`daemon/daemon.go:717-762`, rules B18, B22); `empty` are keys without a
/// value, which older versions have. Upstream lists the pods in the order of a Go map, that is in any; here
/// they are sorted.
#[must_use]
pub fn network_service(entries: &[Entry], pending: u32, empty: &[&str]) -> String {
    let mut lines: Vec<Line> = vec![(0, String::new())];
    lines.extend(
        [("name", "default"), ("daemon_mode", "ENIMultiIP"), ("config_file_path", "/etc/eni/eni.json")]
            .map(|(key, value)| (1, format!("{key}: {value}"))),
    );
    lines.extend(empty.iter().map(|key| (1, format!("{key}: "))));
    lines.push((1, format!("pending_pods_count: {pending}")));
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|entry| &entry.pod);
    let mut namespaces: Vec<&str> = Vec::new();
    if !entries.is_empty() {
        lines.push((1, "pods".to_owned()));
    }
    for entry in entries {
        let (namespace, pod) = entry.pod.split_once('/').expect("a pod is in a namespace");
        if !namespaces.contains(&namespace) {
            namespaces.push(namespace);
            lines.push((2, namespace.to_owned()));
        }
        let addresses = entry.v6.as_ref().map_or_else(|| entry.v4.clone(), |v6| format!("{}-{v6}", entry.v4));
        lines.push((3, pod.to_owned()));
        lines.push((4, format!("resources: (eniIp){}", resource_id(&entry.mac, &addresses))));
    }
    tree::draw(&lines) + "\n"
}

/// `terway-cli metadata` (rule B24, `cmd/terway-cli/cmd.go:252-360`). What the kernel calls an interface
/// is not modelled: they are numbered in order.
#[must_use]
pub fn metadata(metadata: &Metadata) -> String {
    let (vswitch, primary) =
        metadata.primary.clone().map_or_else(Default::default, |(vswitch, address)| (vswitch, address.to_string()));
    let own = Attachment {
        mac: primary_mac(metadata.node),
        v4: BTreeSet::from([primary.clone()]),
        primary,
        v6: BTreeSet::new(),
    };
    let mut lines = vec![(0, format!("vswitch: {vswitch}"))];
    for (i, attachment) in std::iter::once(&own).chain(&metadata.attached).enumerate() {
        let Attachment { mac, primary, v4, v6 } = attachment;
        lines.push((1, format!("eni: {mac}")));
        lines.push((2, format!("primary: {}", i == 0)));
        lines.push((2, format!("interface: eth{i}")));
        lines.push((2, format!("primary_ipv4: {primary}")));
        if v4.len() > 1 {
            lines.push((2, "secondary_ipv4s".to_owned()));
            lines.extend(v4.iter().filter(|address| *address != primary).map(|address| (3, address.clone())));
        }
        if !v6.is_empty() {
            lines.push((2, "ipv6s".to_owned()));
            lines.extend(v6.iter().map(|address| (3, address.clone())));
        }
    }
    tree::draw(&lines) + "\n"
}

//! Names that the model does not have: IDs and MACs of interfaces, namespaces, IPv6 addresses.

use crate::address::V6Addr;
use crate::id::{EniId, NodeId, VSwitchId};
use crate::model::Model;
use crate::record::PodName;

/// The namespace of every pod: a scenario has none.
pub const NAMESPACE: &str = "default";

/// The ID of an interface: its number in the order of creation, as in every other output.
#[must_use]
pub fn eni_id(eni: EniId) -> String {
    format!("eni-{}", eni.0)
}

/// The MAC of an interface: its number behind the vendor prefix of Alibaba Cloud.
#[must_use]
pub fn eni_mac(eni: EniId) -> String {
    mac(eni.0)
}

/// The MAC of the primary interface of an instance.
#[must_use]
pub fn primary_mac(node: NodeId) -> String {
    mac(node.0 | 0x80_0000)
}

fn mac(number: u32) -> String {
    let [_, a, b, c] = number.to_be_bytes();
    format!("00:16:3e:{a:02x}:{b:02x}:{c:02x}")
}

/// Namespace and name of a pod; of one that is gone only the namespace is known.
#[must_use]
pub fn pod_id(model: &Model, pod: Option<PodName>) -> String {
    format!("{NAMESPACE}/{}", pod.map(|pod| pod.text(model)).unwrap_or_default())
}

/// The ID of an address as a resource (rule B7, `pkg/eni/local.go:94-107`).
#[must_use]
pub fn resource_id(mac: &str, address: &str) -> String {
    format!("{mac}.{address}")
}

/// An IPv6 address. The model has only its number on its vSwitch, so the block is the one for
/// documentation (RFC 3849).
#[must_use]
pub fn v6_text(vswitch: VSwitchId, address: V6Addr) -> String {
    let bits = 0x2001_0db8 << 96 | u128::from(vswitch.0) << 64 | (u128::from(address.0) + 1);
    std::net::Ipv6Addr::from(bits).to_string()
}

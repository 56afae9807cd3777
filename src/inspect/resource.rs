//! The CRs of a node under centralized IPAM, as `kubectl get -o yaml` prints them. What the simulation
//! does not know is left out: metadata of the object, the instance's, security groups.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calendar::{Calendar, go_duration};
use super::names::{eni_id, eni_mac, pod_id, v6_text};
use crate::id::{NodeId, Uid};
use crate::ipam::centralized::{Flavor, Ip, IpStatus, Kind, Nic, NicState, NodeConfig, PodKey, Selection, Status};
use crate::model::Model;
use crate::record::PodName;
use crate::sim::View;
use crate::time::Instant;

/// What the API server has of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Cr {
    /// `nodes.network.alibabacloud.com`.
    pub node: String,
    /// `noderuntimes.network.alibabacloud.com`; a node in prefix mode has none in the simulation.
    pub runtime: String,
}

/// An object of the API. Fields have the order of their names, as kubectl prints them.
#[derive(Serialize)]
struct Object<Spec, State> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<Spec>,
    status: State,
}

#[derive(Serialize)]
pub(super) struct Metadata {
    pub name: String,
    /// `None` = it is of the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<&'static str>,
}

/// `NodeSpec` (`pkg/apis/network.alibabacloud.com/v1beta1/node_types.go`).
#[derive(Serialize)]
struct NodeSpec {
    eni: EniSpec,
    flavor: Vec<FlavorItem>,
    pool: PoolSpec,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlavorItem {
    count: u32,
    network_interface_traffic_mode: &'static str,
    network_interface_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EniSpec {
    #[serde(rename = "enableERDMA", skip_serializing_if = "is_false")]
    enable_erdma: bool,
    #[serde(rename = "enableIPPrefix", skip_serializing_if = "is_false")]
    enable_ip_prefix: bool,
    #[serde(rename = "enableIPv4")]
    enable_ipv4: bool,
    #[serde(rename = "enableIPv6", skip_serializing_if = "is_false")]
    enable_ipv6: bool,
    #[serde(skip_serializing_if = "is_false")]
    enable_trunk: bool,
    #[serde(rename = "ipv4PrefixCount", skip_serializing_if = "Option::is_none")]
    ipv4_prefix_count: Option<u32>,
    v_switch_options: Vec<String>,
    v_switch_select_policy: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PoolSpec {
    #[serde(skip_serializing_if = "is_zero")]
    max_pool_size: u32,
    #[serde(skip_serializing_if = "is_zero")]
    min_pool_size: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool_sync_period: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reclaim: Option<ReclaimPolicy>,
    #[serde(skip_serializing_if = "is_zero")]
    warm_up_size: u32,
}

/// `IPReclaimPolicy`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReclaimPolicy {
    after: String,
    batch_size: u32,
    interval: String,
    jitter_factor: String,
}

/// `NodeStatus`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<String>,
    #[serde(rename = "lastSyncOpenAPITime", skip_serializing_if = "Option::is_none")]
    last_sync: Option<String>,
    network_interfaces: BTreeMap<String, Interface>,
    #[serde(rename = "nextIdleIPReclaimTime", skip_serializing_if = "Option::is_none")]
    next_reclaim: Option<String>,
    #[serde(rename = "nextSyncOpenAPITime", skip_serializing_if = "Option::is_none")]
    next_sync: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    warm_up_allocated_count: u32,
    #[serde(skip_serializing_if = "is_false")]
    warm_up_completed: bool,
    #[serde(skip_serializing_if = "is_zero")]
    warm_up_target: u32,
}

/// `Nic`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Interface {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    conditions: BTreeMap<&'static str, Condition>,
    id: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ipv4: BTreeMap<String, Address>,
    #[serde(rename = "ipv4CIDR")]
    ipv4_cidr: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ipv4_prefix: Vec<Prefix>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ipv6: BTreeMap<String, Address>,
    mac_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_interface_traffic_mode: Option<&'static str>,
    network_interface_type: &'static str,
    #[serde(rename = "primaryIPAddress", skip_serializing_if = "Option::is_none")]
    primary: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    unschedulable: bool,
    #[serde(rename = "vSwitchID")]
    vswitch: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    observed_time: String,
}

/// `IP`.
#[derive(Serialize)]
struct Address {
    ip: String,
    #[serde(rename = "podID", skip_serializing_if = "Option::is_none")]
    pod: Option<String>,
    #[serde(rename = "podUID", skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    primary: bool,
    status: &'static str,
}

#[derive(Serialize)]
struct Prefix {
    prefix: String,
    status: &'static str,
}

/// `NodeRuntimeStatus`.
#[derive(Serialize)]
struct RuntimeStatus {
    pods: BTreeMap<String, RuntimePod>,
}

#[derive(Serialize)]
struct RuntimePod {
    #[serde(rename = "podID")]
    pod: String,
    status: BTreeMap<&'static str, Update>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    /// When it was told that a pod is gone is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_time: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(yes: &bool) -> bool {
    !yes
}

impl Cr {
    pub(super) fn of(view: View, model: &Model, node: NodeId, name: &str, status: &Status) -> Self {
        let writer = Writer { view, model, calendar: Calendar::of(model) };
        let metadata = || Metadata { name: name.to_owned(), namespace: None };
        let spec = view.node_config(node).map(|config| writer.spec(config));
        Self {
            node: object("Node", metadata(), spec, writer.status(status)),
            runtime: object("NodeRuntime", metadata(), None::<()>, writer.runtime(node)),
        }
    }
}

/// An object of the API in YAML.
pub(super) fn object<Spec: Serialize, State: Serialize>(
    kind: &'static str,
    metadata: Metadata,
    spec: Option<Spec>,
    status: State,
) -> String {
    let object = Object { api_version: "network.alibabacloud.com/v1beta1", kind, metadata, spec, status };
    plain_addresses(&serde_saphyr::to_string(&object).expect("maps of texts are YAML"))
}

/// Addresses without quotes, as kubectl prints them: to it they are no numbers.
fn plain_addresses(yaml: &str) -> String {
    let part = |(i, part): (usize, &str)| match part.parse::<std::net::Ipv4Addr>() {
        Ok(_) if i % 2 == 1 => part.to_owned(),
        _ if i % 2 == 1 => format!("\"{part}\""),
        _ => part.to_owned(),
    };
    let line = |line: &str| line.split('"').enumerate().map(part).collect::<String>();
    yaml.split_inclusive('\n').map(line).collect()
}

/// The interfaces of a node by kind, in upstream's order (`pkg/eni/node_reconcile.go:189-214`).
fn flavor(flavor: Flavor) -> Vec<FlavorItem> {
    let special = [(flavor.trunk, "Standard", "Trunk"), (flavor.high_performance, "HighPerformance", "Secondary")];
    let item = |(count, network_interface_traffic_mode, network_interface_type)| FlavorItem {
        count,
        network_interface_traffic_mode,
        network_interface_type,
    };
    let special = special.into_iter().filter(|&(count, ..)| count > 0);
    special.chain([(flavor.secondary, "Standard", "Secondary")]).map(item).collect()
}

struct Writer<'w> {
    view: View<'w>,
    model: &'w Model,
    calendar: Calendar,
}

impl Writer<'_> {
    fn time(&self, at: Option<Instant>) -> Option<String> {
        at.map(|at| self.calendar.rfc3339(at))
    }

    fn spec(&self, config: &NodeConfig) -> NodeSpec {
        let eni = EniSpec {
            enable_erdma: config.flavor.high_performance > 0,
            enable_ip_prefix: config.prefix_mode,
            enable_ipv4: true,
            enable_ipv6: config.dual,
            enable_trunk: config.flavor.trunk > 0,
            ipv4_prefix_count: config.prefixes(),
            v_switch_options: config
                .vswitches
                .iter()
                .map(|id| self.model.vpc.vswitches[id.index()].id.clone())
                .collect(),
            v_switch_select_policy: match config.selection {
                Selection::Random => "random",
                Selection::Most => "most",
            },
        };
        let pool = PoolSpec {
            max_pool_size: config.max_idle,
            min_pool_size: config.min_idle,
            pool_sync_period: config.sync_period.map(go_duration),
            reclaim: config.reclaim.map(|reclaim| ReclaimPolicy {
                after: go_duration(reclaim.after),
                batch_size: reclaim.batch,
                interval: go_duration(reclaim.interval),
                jitter_factor: reclaim.factor.to_string(),
            }),
            warm_up_size: config.warm_up,
        };
        NodeSpec { eni, flavor: flavor(config.flavor), pool }
    }

    fn status(&self, status: &Status) -> NodeStatus {
        NodeStatus {
            last_modified_time: self.time(status.last_modified),
            last_sync: self.time(status.last_sync),
            network_interfaces: status.nics.iter().map(|(&eni, nic)| (eni_id(eni), self.interface(eni, nic))).collect(),
            next_reclaim: self.time(status.next_reclaim),
            next_sync: self.time(status.next_sync),
            warm_up_allocated_count: status.warm_up.allocated,
            warm_up_completed: status.warm_up.completed,
            warm_up_target: status.warm_up.target,
        }
    }

    fn interface(&self, eni: crate::id::EniId, nic: &Nic) -> Interface {
        let vswitch = &self.model.vpc.vswitches[nic.vswitch.index()];
        let v4 = nic.addresses.iter().map(|(address, ip)| (address.to_string(), ip));
        let v6 = nic.ipv6.iter().map(|(&address, ip)| (v6_text(nic.vswitch, address), ip));
        let addresses = |(text, ip): (String, &Ip)| (text.clone(), self.address(text, ip));
        Interface {
            conditions: self.conditions(nic, &vswitch.id),
            id: eni_id(eni),
            primary: nic.addresses.iter().find(|(_, ip)| ip.primary).map(|(address, _)| address.to_string()),
            ipv4: v4.map(addresses).collect(),
            ipv4_cidr: vswitch.cidr.to_string(),
            ipv4_prefix: nic
                .prefixes
                .iter()
                .map(|&(first, valid)| Prefix {
                    prefix: format!("{first}/28"),
                    status: if valid { "Valid" } else { "Invalid" },
                })
                .collect(),
            ipv6: v6.map(addresses).collect(),
            mac_address: eni_mac(eni),
            network_interface_traffic_mode: nic.mode_known.then_some(match nic.kind {
                Kind::HighPerformance => "HighPerformance",
                Kind::Secondary | Kind::Trunk => "Standard",
            }),
            network_interface_type: match nic.kind {
                Kind::Trunk => "Trunk",
                Kind::Secondary | Kind::HighPerformance => "Secondary",
            },
            status: match nic.state {
                NicState::Attaching => "Attaching",
                NicState::InUse => "InUse",
                NicState::Deleting => "Deleting",
                NicState::Detaching => "Detaching",
            },
            unschedulable: nic.unschedulable,
            vswitch: vswitch.id.clone(),
        }
    }

    /// `updateCrCondition` (`pkg/controller/multi-ip/node/pool.go:1244-1292`); what the message of
    /// OperationErr says is not known.
    fn conditions(&self, nic: &Nic, vswitch: &str) -> BTreeMap<&'static str, Condition> {
        let condition = |at: Instant, message| Condition { message, observed_time: self.calendar.rfc3339(at) };
        let short = nic.insufficient.map(|at| condition(at, Some(format!("{vswitch} ip is not enough"))));
        let failed = nic.operation_error.map(|at| condition(at, None));
        let named = [("InsufficientIP", short), ("OperationErr", failed)];
        named.into_iter().filter_map(|(name, condition)| Some((name, condition?))).collect()
    }

    fn address(&self, ip: String, of: &Ip) -> Address {
        Address {
            ip,
            pod: of.pod.map(|binding| self.pod_of(binding.pod)),
            uid: of.pod.map(|binding| uid(binding.uid)),
            primary: of.primary,
            status: match of.status {
                IpStatus::Valid => "Valid",
                IpStatus::Invalid => "Invalid",
                IpStatus::Deleting => "Deleting",
            },
        }
    }

    fn runtime(&self, node: NodeId) -> RuntimeStatus {
        let pods = self.view.node_runtime(node).into_iter().map(|(id, pod, initial)| {
            let told = Update { last_update_time: self.time(initial) };
            let word = if initial.is_some() { "initial" } else { "deleted" };
            let pod = self.text(pod.and_then(|pod| self.view.pod_name(pod)));
            (uid(id), RuntimePod { pod, status: BTreeMap::from([(word, told)]) })
        });
        RuntimeStatus { pods: pods.collect() }
    }

    fn pod_of(&self, key: PodKey) -> String {
        self.text(self.view.pod_name_of(key))
    }

    fn text(&self, pod: Option<PodName>) -> String {
        pod_id(self.model, pod)
    }
}

/// A UID: the number of the pod object. The real ones are random.
fn uid(uid: Uid) -> String {
    format!("00000000-0000-4000-8000-{:012x}", uid.0)
}

//! PodENIs, the CRs of pods with an interface of their own, as `kubectl get podenis -o yaml` prints them
//! (`pkg/apis/network.alibabacloud.com/v1beta1/types.go:30-111,167-176`). What the simulation does not know is
//! left out: the instance, security groups, VLANs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calendar::Calendar;
use super::names::{NAMESPACE, eni_id, eni_mac, v6_text};
use super::resource::{Metadata, object};
use crate::id::{EniId, NodeId};
use crate::ipam::pod_eni::{NetworkInterface, Phase, PodEni, Retention};
use crate::model::Model;
use crate::sim::View;

#[derive(Serialize)]
struct Spec {
    allocations: Vec<Allocation>,
}

#[derive(Serialize)]
struct Allocation {
    #[serde(rename = "allocationType")]
    allocation_type: AllocationType,
    eni: Eni,
    ipv4: String,
    #[serde(rename = "ipv4CIDR")]
    ipv4_cidr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AllocationType {
    #[serde(skip_serializing_if = "Option::is_none")]
    release_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_strategy: Option<&'static str>,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Eni {
    id: String,
    mac: String,
    #[serde(rename = "vSwitchID")]
    vswitch: String,
    zone: String,
}

#[derive(Serialize)]
struct Status {
    #[serde(rename = "eniInfos", skip_serializing_if = "BTreeMap::is_empty")]
    infos: BTreeMap<String, Info>,
    #[serde(skip_serializing_if = "str::is_empty")]
    phase: &'static str,
    #[serde(rename = "podLastSeen", skip_serializing_if = "Option::is_none")]
    last_seen: Option<String>,
    #[serde(rename = "trunkENIID", skip_serializing_if = "Option::is_none")]
    trunk: Option<String>,
}

#[derive(Serialize)]
struct Info {
    id: String,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The PodENIs of pods on a node, in the order of their names; empty = none has an interface of its own.
pub(super) fn of_node(view: View, model: &Model, node: NodeId) -> String {
    let calendar = Calendar::of(model);
    let of_node = view.pod_enis(node).map(|(key, pod_eni)| {
        // The name of a pod that is gone is another's, or nobody's.
        let name = view.pod_name_of(key).map_or_else(|| "…".to_owned(), |pod| pod.text(model));
        (name, pod_eni)
    });
    let mut of_node: Vec<_> = of_node.collect();
    of_node.sort_by(|(a, _), (b, _)| a.cmp(b));
    let documents: Vec<_> = of_node
        .into_iter()
        .map(|(name, pod_eni)| {
            let all = pod_eni.interfaces.iter().filter_map(|&eni| Some((eni, view.network_interface(eni)?)));
            let all: Vec<_> = all.collect();
            let allocations = all.iter().map(|&(eni, of)| allocation(model, pod_eni, eni, of)).collect();
            let status = status(&calendar, pod_eni, &all);
            let metadata = Metadata { name, namespace: Some(NAMESPACE) };
            object("PodENI", metadata, Some(Spec { allocations }), status)
        })
        .collect();
    documents.join("---\n")
}

fn allocation(model: &Model, pod_eni: &PodEni, eni: EniId, of: &NetworkInterface) -> Allocation {
    let vswitch = &model.vpc.vswitches[of.vswitch.index()];
    let (kind, release_strategy, release_after) = match pod_eni.fixed {
        None => ("Elastic", None, None),
        Some(Retention::Forever) => ("Fixed", Some("Never"), None),
        Some(Retention::After(span)) => ("Fixed", Some("TTL"), Some(super::calendar::go_duration(span))),
    };
    Allocation {
        allocation_type: AllocationType { release_after, release_strategy, kind },
        eni: Eni { id: eni_id(eni), mac: eni_mac(eni), vswitch: vswitch.id.clone(), zone: vswitch.zone.clone() },
        ipv4: of.address.to_string(),
        ipv4_cidr: vswitch.cidr.to_string(),
        ipv6: of.ipv6.map(|v6| v6_text(of.vswitch, v6)),
    }
}

fn status(calendar: &Calendar, pod_eni: &PodEni, all: &[(EniId, &NetworkInterface)]) -> Status {
    let info = |&(eni, of): &(EniId, &NetworkInterface)| {
        let kind = if of.place.is_some_and(|place| place.trunk.is_some()) { "Member" } else { "Secondary" };
        (eni_id(eni), Info { id: eni_id(eni), status: "Bind", kind })
    };
    let bound = all.iter().filter(|(_, of)| of.phase == Phase::Bind);
    Status {
        infos: bound.map(info).collect(),
        phase: match pod_eni.phase {
            Phase::Initial => "",
            Phase::Binding => "Binding",
            Phase::Bind => "Bind",
            Phase::Detaching => "Detaching",
            Phase::Unbind => "Unbind",
            Phase::Deleting => "Deleting",
        },
        last_seen: pod_eni.last_seen.map(|at| calendar.rfc3339(at)),
        trunk: pod_eni.trunk.map(eni_id),
    }
}

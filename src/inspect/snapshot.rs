//! What there is to see of a node at a moment, in the words of Terway's tools.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::calendar::Calendar;
use super::classic::Classic;
use super::mapping::{Entry, Interface, Prefix, Resources};
use super::names::{eni_id, eni_mac, pod_id, resource_id, v6_text};
use super::pod_eni;
use super::resource::Cr;
use super::show::{Attachment, Metadata};
use crate::address::PREFIX;
use crate::id::{EniId, NodeId, PodId};
use crate::ipam::centralized::{NicState, Status as CrStatus};
use crate::ipam::classic::{Trace, TracedInterface};
use crate::ipam::node_local::Status;
use crate::ipam::{Held, HeldStatus, Kind, Place};
use crate::model::Model;
use crate::sim::{Record, View};
use crate::time::Instant;

/// A node at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Its name.
    pub node: String,
    /// The moment.
    pub at: Instant,
    /// Whether its daemon runs; if not it answers nobody.
    pub runs: bool,
    /// The interfaces that `mapping` shows; nothing is of a daemon that only waits for the control
    /// plane (rule B29).
    pub interfaces: Vec<Interface>,
    /// What the daemon wrote down.
    pub entries: Vec<Entry>,
    /// The four columns; `None` = no pool is on the node.
    pub resources: Option<Resources>,
    /// What else a daemon of before v1.7 tells; `None` = it is today's.
    pub classic: Option<Classic>,
    /// The condition SufficientIP of the k8s Node; `None` = nobody has written it yet.
    pub sufficient_ip: Option<bool>,
    /// AllocIP calls under way; `None` = the daemon does not count them.
    pub pending: Option<u32>,
    /// What instance metadata shows.
    pub metadata: Metadata,
    /// The PodENIs of the node's pods with an interface of their own, in YAML; empty = there is none.
    pub pod_enis: String,
    /// The node's CRs; `None` = the control plane does not allocate for it.
    pub cr: Option<Cr>,
}

impl Snapshot {
    /// Looks at a node.
    #[must_use]
    pub fn of(view: View, model: &Model, node: NodeId, name: &str) -> Self {
        let look = Look { view, model, calendar: Calendar::of(model) };
        let entries: Vec<_> = view.records(node).iter().map(|record| look.entry(record)).collect();
        let daemon = view.node_local(node);
        let classic = view.classic(node).map(|daemon| (daemon, daemon.trace()));
        let cr = view.node_status(node);
        let interfaces = match (daemon, cr) {
            (Some(daemon), _) => daemon.places().iter().map(|place| look.interface(place)).collect(),
            (None, Some(status)) => look.prefixed(status, &entries),
            (None, None) => Vec::new(),
        };
        Self {
            node: name.to_owned(),
            at: view.now(),
            runs: view.daemon_runs(node),
            resources: match (daemon, &classic) {
                (Some(daemon), _) => Some(look.resources(node, pooled(&daemon.places()), &entries)),
                (None, Some((_, trace))) => Some(look.resources(node, traced(trace), &entries)),
                (None, None) => None,
            },
            classic: classic.as_ref().map(|(daemon, trace)| Classic::of(daemon, trace, &look.calendar)),
            sufficient_ip: view.has_sufficient_ip(node),
            pending: daemon.map(|daemon| daemon.pending()).or(classic.map(|(_, trace)| trace.pending)),
            metadata: look.metadata(node),
            pod_enis: pod_eni::of_node(view, model, node),
            cr: cr.map(|status| Cr::of(view, model, node, name, status)),
            interfaces,
            entries,
        }
    }
}

/// Who looks.
struct Look<'w> {
    view: View<'w>,
    model: &'w Model,
    calendar: Calendar,
}

impl Look<'_> {
    fn pod(&self, pod: Option<PodId>) -> String {
        pod_id(self.model, pod.and_then(|pod| self.view.pod_name(pod)))
    }

    fn entry(&self, record: &Record) -> Entry {
        let vswitch = self.view.vswitch_of(record.eni).expect("an address belongs to an interface");
        Entry {
            pod: self.pod(record.pod),
            eni: eni_id(record.eni),
            mac: eni_mac(record.eni),
            v4: record.address.to_string(),
            v6: record.v6.map(|v6| v6_text(vswitch, v6)),
        }
    }

    /// A slot (`Local.Status`, `pkg/eni/local.go:1016-1045`).
    fn interface(&self, place: &Place) -> Interface {
        let v4 = place.v4.iter().map(|held| self.held(held, Ipv4Addr::to_string));
        let v6 = place.v6.iter().filter_map(|held| {
            let vswitch = place.eni?.vswitch;
            Some(self.held(held, |&v6| v6_text(vswitch, v6)))
        });
        Interface {
            id: place.eni.map(|eni| eni_id(eni.id)).unwrap_or_default(),
            mac: place.eni.map(|eni| eni_mac(eni.id)).unwrap_or_default(),
            status: match place.status {
                Status::Init => "Init",
                Status::Creating => "Creating",
                Status::InUse => "InUse",
                Status::Deleting => "Deleting",
            },
            // `daemon/builder.go:386-408`.
            kind: match place.kind {
                Kind::Trunk => "trunk",
                Kind::HighPerformance => "erdma",
                Kind::Secondary => "secondary",
            },
            inhibited_until: self.calendar.go(place.inhibited_until),
            prefixes: Vec::new(),
            addresses: v4.chain(v6).collect(),
        }
    }

    fn held<A>(&self, held: &Held<A>, text: impl Fn(&A) -> String) -> [String; 3] {
        let pod = held.pod.map(|pod| self.pod(Some(pod))).unwrap_or_default();
        [text(&held.address), pod, status_text(held.status).to_owned()]
    }

    /// Interfaces of a node in prefix mode (`LocalDelegate.Statuses`, `pkg/eni/local_delegate.go:431-448`);
    /// without prefixes there is none.
    fn prefixed(&self, status: &CrStatus, entries: &[Entry]) -> Vec<Interface> {
        let nics = status.nics.iter().filter(|(_, nic)| !nic.prefixes.is_empty());
        let shown = nics.map(|(&eni, nic)| Interface {
            id: eni_id(eni),
            mac: eni_mac(eni),
            status: "InUse",
            kind: "Prefix",
            inhibited_until: String::new(),
            prefixes: nic
                .prefixes
                .iter()
                .map(|&(first, valid)| Prefix {
                    prefix: format!("{first}/28"),
                    status: if valid && nic.state == NicState::InUse { "Valid" } else { "Invalid" },
                    total: PREFIX,
                    allocations: allocations(first, &eni_id(eni), entries),
                })
                .collect(),
            addresses: Vec::new(),
        });
        shown.collect()
    }

    /// The four columns of a daemon with a pool: what it means to keep, what it and the cloud both
    /// have, and what it wrote down. They are of IPv4 addresses only.
    fn resources(&self, node: NodeId, has: Has, entries: &[Entry]) -> Resources {
        let attached = self.view.attached(node);
        let shows =
            |eni, address| attached.iter().any(|other| other.eni.id == eni && other.addresses.contains(&address));
        let id = |(eni, address): (EniId, Ipv4Addr)| resource_id(&eni_mac(eni), &address.to_string());
        let both = has.factory.into_iter().filter(|&(eni, address)| shows(eni, address));
        let mut resources = Resources {
            pool: has.pool.into_iter().map(id).collect(),
            factory: both.map(id).collect(),
            records: BTreeMap::new(),
        };
        let name = |entry: &Entry| entry.pod.rsplit('/').next().unwrap_or_default().to_owned();
        resources.records = entries.iter().map(|entry| (resource_id(&entry.mac, &entry.v4), name(entry))).collect();
        resources
    }

    fn metadata(&self, node: NodeId) -> Metadata {
        let primary = self
            .view
            .primary(node)
            .map(|(vswitch, address)| (self.model.vpc.vswitches[vswitch.index()].id.clone(), address));
        let attached = self.view.attached(node).into_iter().map(|attached| Attachment {
            mac: eni_mac(attached.eni.id),
            primary: attached.eni.primary.to_string(),
            v4: attached.addresses.iter().map(Ipv4Addr::to_string).collect::<BTreeSet<_>>(),
            v6: attached.v6.iter().map(|&v6| v6_text(attached.eni.vswitch, v6)).collect(),
        });
        Metadata { node, primary, attached: attached.collect() }
    }
}

/// Addresses on their interfaces: what a pool means to keep, and what its factory has.
struct Has {
    pool: Vec<(EniId, Ipv4Addr)>,
    factory: Vec<(EniId, Ipv4Addr)>,
}

/// What today's daemon has.
fn pooled(places: &[Place]) -> Has {
    let all = || {
        places
            .iter()
            .flat_map(|place| place.eni.into_iter().flat_map(|eni| place.v4.iter().map(move |held| (eni.id, held))))
    };
    let kept = all().filter(|(_, held)| held.status != HeldStatus::Deleting);
    Has {
        pool: kept.map(|(eni, held)| (eni, held.address)).collect(),
        factory: all().map(|(eni, held)| (eni, held.address)).collect(),
    }
}

/// What one of before v1.7 has (rule B8).
fn traced(trace: &Trace) -> Has {
    let of_interface = |interface: &TracedInterface| {
        let addresses = interface.addresses.clone();
        interface.eni.into_iter().flat_map(move |eni| addresses.clone().into_iter().map(move |address| (eni, address)))
    };
    Has {
        pool: [&trace.idle, &trace.in_use, &trace.invalid].into_iter().flatten().copied().collect(),
        factory: trace.interfaces.iter().flat_map(of_interface).collect(),
    }
}

/// The pods on a prefix, with their addresses.
fn allocations(first: Ipv4Addr, eni: &str, entries: &[Entry]) -> Vec<(String, String)> {
    let of_prefix = |entry: &&Entry| {
        let address = entry.v4.parse::<Ipv4Addr>().map_or(0, u32::from);
        entry.eni == eni && address.wrapping_sub(u32::from(first)) < PREFIX
    };
    entries.iter().filter(of_prefix).map(|entry| (entry.v4.clone(), entry.pod.clone())).collect()
}

fn status_text(status: HeldStatus) -> &'static str {
    match status {
        HeldStatus::Valid => "Valid",
        HeldStatus::Invalid => "Invalid",
        HeldStatus::Deleting => "Deleting",
    }
}

//! What is scraped.

use std::collections::BTreeMap;

use super::series::Series;
use super::write::labels;
use super::{Family, Kind, Scrape, pool};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::classic::Sizes;
use crate::model::{Ipam, Model};
use crate::openapi::Api;
use crate::record::{API_BUCKETS_MS, GroupLevels, Holders, Latencies, RPC_BUCKETS_MS, Tally};
use crate::sim::View;

/// Every family, in the order of the file. Names, types, labels and help of the first five are upstream's
/// (`pkg/metric/`, the third's of before v1.7); `job` and `instance` are what Prometheus would add to what it scrapes.
const FAMILIES: [(&str, Kind, &str); 13] = [
    ("terway_resource_pool_total_count", Kind::Gauge, "terway total resources amount in the pool"),
    ("terway_resource_pool_idle_count", Kind::Gauge, "terway amount of idle resources in the pool"),
    ("terway_eniip_factory_eni_count", Kind::Gauge, "amount of allocated terway multi-ip factory eni"),
    ("terway_rpc_latency", Kind::Histogram(&RPC_BUCKETS_MS), "terway rpc latency in ms"),
    ("aliyun_openapi_latency", Kind::Histogram(&API_BUCKETS_MS), "aliyun openapi latency in ms"),
    ("brimline_vswitch_usable_addresses", Kind::Gauge, "Addresses of the vSwitch that can be used."),
    ("brimline_vswitch_free_addresses", Kind::Gauge, "Addresses of the vSwitch that nobody has."),
    (
        "brimline_vswitch_addresses",
        Kind::Gauge,
        "Addresses of the vSwitch by holder; the parts add up to the usable ones.",
    ),
    (
        "brimline_vswitch_refusals",
        Kind::Counter,
        "Requests that the vSwitch refused for lack of addresses, look-ups that found it without one, and nodes that got no primary address.",
    ),
    ("brimline_nodes", Kind::Gauge, "Nodes of the pool."),
    ("brimline_enis", Kind::Gauge, "Secondary interfaces of the pool's nodes."),
    (
        "brimline_pods",
        Kind::Gauge,
        "Pods with an address of their own on the pool's nodes; those that wait have none yet.",
    ),
    ("brimline_pods_without_node", Kind::Gauge, "Pods that find no node."),
];

const TOTAL: usize = 0;
const IDLE: usize = 1;
const FACTORY_ENIS: usize = 2;
const RPC: usize = 3;
const OPENAPI: usize = 4;
const USABLE: usize = 5;
const FREE: usize = 6;
const HELD: usize = 7;
const REFUSALS: usize = 8;
const NODES: usize = 9;
const ENIS: usize = 10;
const PODS: usize = 11;
const WITHOUT_NODE: usize = 12;

/// Collects series, scrape by scrape.
pub(super) struct Collector<'m> {
    model: &'m Model,
    what: Scrape,
    /// Pool of each group.
    pools: Vec<usize>,
    series: Vec<BTreeMap<String, Series>>,
    scrape: u32,
}

impl<'m> Collector<'m> {
    pub fn new(model: &'m Model, what: Scrape) -> Self {
        let pools = model.groups().map(|(key, _)| key.pool).collect();
        Self { model, what, pools, series: vec![BTreeMap::new(); FAMILIES.len()], scrape: 0 }
    }

    pub fn scrape(&mut self, view: View) {
        self.scrape_pools(view);
        if self.what.latencies {
            self.scrape_latencies(view);
        }
        self.scrape_vswitches(view);
        self.scrape_pods(view);
        self.scrape += 1;
    }

    pub fn finish(self) -> Vec<Family> {
        let families = FAMILIES.into_iter().zip(self.series);
        let families = families.map(|((name, kind, help), series)| Family {
            name,
            kind,
            help,
            series: series.into_iter().collect(),
        });
        families.filter(|family| !family.series.is_empty()).collect()
    }

    fn push(&mut self, family: usize, of: &[(&str, &str)], values: &[u64]) {
        self.series[family].entry(labels(of)).or_default().push(self.scrape, values);
    }

    /// The pools of daemons that run; a daemon that waits for the control plane exports none.
    fn scrape_pools(&mut self, view: View) {
        let mut sums: BTreeMap<(usize, Exporter), Gauges> = BTreeMap::new();
        for (node, group) in view.nodes().filter(|&(node, _)| view.exists(node) && view.daemon_runs(node)) {
            let Some((exporter, gauges)) = exported(view, node) else { continue };
            if self.what.nodes {
                let (pool, name) = (self.pool_name(group), self.model.node_name(self.pools[group], node));
                let own = [("job", "terway"), ("instance", &name), ("node", &name), ("pool", pool)];
                self.push_gauges(&own, exporter, gauges);
            } else {
                let sum = sums.entry((self.pools[group], exporter)).or_default();
                *sum = Gauges {
                    total: sum.total + gauges.total,
                    idle: sum.idle + gauges.idle,
                    enis: sum.enis + gauges.enis,
                };
            }
        }
        for ((pool, exporter), sum) in sums {
            let name = &self.model.node_pools[pool].name;
            self.push_gauges(&[("job", "terway"), ("pool", name)], exporter, sum);
        }
    }

    fn push_gauges(&mut self, of: &[(&str, &str)], exporter: Exporter, Gauges { total, idle, enis }: Gauges) {
        let (own, most_enis) = match exporter {
            Exporter::Today => (vec![("type", "LocalIP".to_owned()), ("ipStack", "ipv4".to_owned())], None),
            Exporter::Classic { capacity, max_idle, min_idle, max_eni } => (
                vec![
                    ("name", "eniip".to_owned()),
                    ("type", "eniip".to_owned()),
                    ("capacity", capacity.to_string()),
                    ("max_idle", max_idle.to_string()),
                    ("min_idle", min_idle.to_string()),
                ],
                Some(max_eni.to_string()),
            ),
        };
        let own: Vec<_> = own.iter().map(|(key, value)| (*key, value.as_str())).chain(of.iter().copied()).collect();
        self.push(TOTAL, &own, &[total]);
        self.push(IDLE, &own, &[idle]);
        if let Some(most) = most_enis {
            let own: Vec<_> = [("name", "eniip"), ("max_eni", &most)].into_iter().chain(of.iter().copied()).collect();
            self.push(FACTORY_ENIS, &own, &[enis]);
        }
    }

    /// Histograms of node pools, and of the control plane where that makes the calls. A restart of the
    /// process sets none back, as it would in reality.
    fn scrape_latencies(&mut self, view: View) {
        let by_group = view.recorder().latencies();
        let (groups, nobody) = by_group.split_at(by_group.len() - 1);
        let mut by_pool = vec![Latencies::default(); self.model.node_pools.len()];
        for (latencies, &pool) in groups.iter().zip(&self.pools) {
            by_pool[pool].add(latencies);
        }
        let is_centralized = matches!(self.model.ipam, Ipam::Centralized(_));
        let mut calls = nobody[0].clone();
        let model = self.model;
        for (latencies, pool) in by_pool.iter().zip(&model.node_pools) {
            let of = [("job", "terway"), ("pool", pool.name.as_str())];
            for (tally, error) in latencies.alloc.iter().zip(["false", "true"]) {
                self.push_tally(RPC, &[of[0], of[1], ("rpc_api", "AllocIP"), ("error", error)], tally);
            }
            if is_centralized {
                calls.add(latencies);
            } else {
                self.push_calls(&of, latencies);
            }
        }
        if is_centralized {
            self.push_calls(&[("job", "terway-controlplane")], &calls);
        }
    }

    fn push_calls(&mut self, of: &[(&str, &str)], latencies: &Latencies) {
        for (api, tallies) in Api::ALL.iter().zip(&latencies.calls) {
            for (tally, error) in tallies.iter().zip(["false", "true"]) {
                let own = [("api", api.name()), ("error", error)];
                self.push_tally(OPENAPI, &of.iter().copied().chain(own).collect::<Vec<_>>(), tally);
            }
        }
    }

    /// A series begins with its first observation, as those of a `HistogramVec` do.
    fn push_tally<const N: usize>(&mut self, family: usize, of: &[(&str, &str)], tally: &Tally<N>) {
        if tally.count > 0 {
            let values: Vec<_> = tally.buckets.iter().copied().chain([tally.count, tally.sum_ms]).collect();
            self.push(family, of, &values);
        }
    }

    fn scrape_vswitches(&mut self, view: View) {
        let (recorder, model) = (view.recorder(), self.model);
        for (i, vswitch) in model.vpc.vswitches.iter().enumerate() {
            let id = VSwitchId::new(i);
            if !recorder.has_vswitch(id) {
                continue;
            }
            let of = [("vswitch", vswitch.id.as_str()), ("zone", vswitch.zone.as_str())];
            let who = recorder.holders(id);
            let parts = named(who);
            self.push(USABLE, &of, &[parts.iter().map(|&(_, n)| u64::from(n)).sum()]);
            self.push(FREE, &of, &[who.free.into()]);
            for (holder, n) in parts {
                self.push(HELD, &[of[0], of[1], ("holder", holder)], &[n.into()]);
            }
            self.push(REFUSALS, &of, &[recorder.refusals(id)]);
        }
    }

    fn scrape_pods(&mut self, view: View) {
        let model = self.model;
        let mut by_pool = vec![GroupLevels::default(); model.node_pools.len()];
        for (levels, &pool) in view.recorder().group_levels().zip(&self.pools) {
            let sum = &mut by_pool[pool];
            sum.nodes += levels.nodes;
            sum.enis += levels.enis;
            sum.running += levels.running;
            sum.waiting += levels.waiting;
            sum.terminating += levels.terminating;
        }
        for (levels, pool) in by_pool.iter().zip(&model.node_pools) {
            let of = ("pool", pool.name.as_str());
            self.push(NODES, &[of], &[levels.nodes.into()]);
            self.push(ENIS, &[of], &[levels.enis.into()]);
            let states =
                [("running", levels.running), ("waiting", levels.waiting), ("terminating", levels.terminating)];
            for (state, pods) in states {
                self.push(PODS, &[of, ("state", state)], &[pods.into()]);
            }
        }
        self.push(WITHOUT_NODE, &[], &[view.unschedulable().into()]);
    }

    fn pool_name(&self, group: usize) -> &'m str {
        &self.model.node_pools[self.pools[group]].name
    }
}

/// Who exports a pool: what its labels say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exporter {
    /// Today's daemon.
    Today,
    /// One of before v1.7 (`pkg/metric/resource_pool.go` and `factory.go` of v1.4.4): its sizes.
    Classic { capacity: u32, max_idle: u32, min_idle: u32, max_eni: u32 },
}

/// What it exports: addresses in its pool, idle ones among them, and the interfaces of its factory.
#[derive(Debug, Clone, Copy, Default)]
struct Gauges {
    total: u64,
    idle: u64,
    enis: u64,
}

/// `None` = the daemon has no pool: it waits for the control plane (`pkg/eni/crdv2.go` sets no gauge), but
/// hands out what is in prefixes (`pkg/eni/local_delegate.go:338-356`).
fn exported(view: View, node: NodeId) -> Option<(Exporter, Gauges)> {
    if let Some(daemon) = view.classic(node) {
        let Sizes { capacity, max_idle, min_idle, max_eni, .. } = daemon.config().sizes;
        let (total, idle) = daemon.gauges();
        let gauges = Gauges { total: total.into(), idle: idle.into(), enis: view.holdings(node).enis.into() };
        return Some((Exporter::Classic { capacity, max_idle, min_idle, max_eni }, gauges));
    }
    if let Some(daemon) = view.node_local(node) {
        let (total, idle) = pool(&daemon.places());
        return Some((Exporter::Today, Gauges { total, idle, enis: 0 }));
    }
    view.node_config(node)?.prefixes()?;
    let holdings = view.holdings(node);
    let total = u64::from(holdings.in_use + holdings.idle);
    Some((Exporter::Today, Gauges { total, idle: holdings.idle.into(), enis: 0 }))
}

/// The holders of a vSwitch's addresses.
fn named(who: Holders<u32>) -> Vec<(&'static str, u32)> {
    let always = [
        ("pods", who.pods),
        ("idle", who.idle),
        ("leaked", who.leaked),
        ("primaries", who.primaries),
        ("others", who.others),
        ("free", who.free),
    ];
    let some = [("reserved", who.reserved), ("held", who.held)];
    always.into_iter().chain(some.into_iter().filter_map(|(name, n)| Some((name, n?)))).collect()
}

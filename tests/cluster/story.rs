//! Small clusters, and what happened in them line by line.

use std::fmt::Write as _;

use brimline::chance::SpanDist;
use brimline::id::VSwitchId;
use brimline::ipam::Devices;
use brimline::ipam::centralized::{Flavor, NodeConfig, Settings};
use brimline::ipam::limits::InstanceLimits;
use brimline::ipam::node_local::Config;
use brimline::model::{
    Ipam, Model, NodePool, Outputs, PodTemplate, PoolZone, Schedule, Shape, VSwitch, Vpc, Workload, WorkloadKind,
};
use brimline::record::Recording;
use brimline::sim::run_audited;
use brimline::time::{Instant, Span};

/// A cluster of one pool of `nodes` nodes with 20 addresses for pods each, in the zones given.
/// Every call takes 1 s; nothing is prepared in advance and nothing is given back.
pub fn cluster(zones: &[&str], nodes: u32) -> Model {
    let vswitch = |i: usize, zone: &str| {
        let nodes = VSwitch::plain(&format!("nodes-{zone}"), zone, &format!("10.0.{i}.0/24"));
        let pods = VSwitch::plain(&format!("pods-{zone}"), zone, &format!("10.1.{i}.0/24"));
        [nodes, pods]
    };
    let vswitches = zones.iter().enumerate().flat_map(|(i, zone)| vswitch(i, zone));
    let vpc = Vpc { cidr: "10.0.0.0/8".parse().expect("a block"), vswitches: vswitches.collect() };
    let limits = InstanceLimits { adapters: 3, ipv4_per_adapter: 10, ..InstanceLimits::default() };
    let zones = zones.iter().enumerate().map(|(i, zone)| PoolZone {
        zone: (*zone).to_owned(),
        node_vswitch: VSwitchId::new(2 * i),
        daemon: Config::plain((2, 10), (0, 20), vec![VSwitchId::new(2 * i + 1)]).into(),
    });
    let shape = Shape::plain("small", limits, zones.collect());
    let mut model = Model {
        node_pools: vec![NodePool::plain("pool", shape, Schedule::Constant(f64::from(nodes)))],
        outputs: Outputs { samples: 1, pods: true, events: true, parquet: false },
        ..Model::plain("story", Span::mins(10), vpc)
    };
    model.cloud.latency = std::array::from_fn(|_| seconds(1));
    model
}

/// The same cluster with centralized IPAM without jitter, on nodes that have these interfaces and offer this.
pub fn centralized(mut model: Model, flavor: Flavor, devices: Devices) -> Model {
    model.ipam = Ipam::Centralized(Box::new(Settings { jitter: false, ..Settings::default() }));
    for zone in &mut model.node_pools[0].shapes[0].zones {
        let plain = NodeConfig::plain(flavor, 10, (0, 0), zone.daemon.vswitches().to_vec());
        zone.daemon = NodeConfig { devices, ..plain }.into();
    }
    model
}

/// A workload of the cluster's pool.
pub fn workload(name: &str, kind: WorkloadKind, pod: PodTemplate) -> Workload {
    Workload { pod, ..Workload::plain(name, kind, vec![0]) }
}

/// Always so many seconds.
pub fn seconds(n: u64) -> SpanDist {
    SpanDist::Constant(Span::secs(n))
}

/// So many seconds after the start.
pub fn at(secs: u64) -> Instant {
    Instant::ZERO + Span::secs(secs)
}

/// A number that is `first`, and then what each step says from its second on.
pub fn steps(first: u32, then: &[(u64, u32)]) -> Schedule {
    let then = then.iter().map(|&(secs, n)| (at(secs), f64::from(n)));
    Schedule::Steps(std::iter::once((Instant::ZERO, f64::from(first))).chain(then).collect())
}

/// Runs a model and checks every law on the way.
pub fn run(model: &Model) -> Recording {
    run_audited(model, 0, Span::secs(30))
}

/// What happened from second `from` on: a line per step of a pod's life and per event.
pub fn story(model: &Model, from: u64) -> String {
    let recording = run(model);
    let mut lines: Vec<(Instant, String)> = Vec::new();
    for row in &recording.pod_log {
        let name = row.name.text(model);
        if let (Some(requested), Some(node)) = (row.requested, row.node) {
            lines.push((requested, format!("{name} asks on node {}", node.0)));
        }
        if let (Some(served), Some(address)) = (row.served, row.address) {
            lines.push((served, format!("{name} has {address}")));
        }
        if let Some(deleted) = row.deleted {
            lines.push((deleted, format!("{name} ends")));
        }
        if let Some(ended) = row.ended {
            lines.push((ended, format!("{name} is gone")));
        }
    }
    for entry in &recording.journal {
        lines.push((entry.at, format!("{}: {}", entry.subject, entry.text.english())));
    }
    lines.sort_by_key(|&(at, _)| at);
    let mut story = String::new();
    for (when, line) in lines.into_iter().filter(|&(when, _)| when >= at(from)) {
        let _ = writeln!(story, "{:>6.1} {line}", Span(when.0).as_secs_f64());
    }
    story
}

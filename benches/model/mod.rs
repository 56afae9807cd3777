//! Models for the benchmarks, built by hand: a cluster of one pool and one Deployment with churn.

use brimline::chance::SpanDist;
use brimline::id::VSwitchId;
use brimline::ipam;
use brimline::ipam::centralized::{Flavor, NodeConfig};
use brimline::ipam::classic::{self, Sizes, Version, Wanted};
use brimline::ipam::limits::InstanceLimits;
use brimline::ipam::node_local::Config;
use brimline::model::{
    Ipam, Model, NodePool, Outputs, PoolZone, Portion, Replicas, Rollout, Schedule, Times, VSwitch, Vpc, Workload,
    WorkloadKind,
};
use brimline::openapi::Api;
use brimline::time::{Instant, Span};

const ZONE: &str = "cn-shanghai-f";

/// What distinguishes the models.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub days: u64,
    /// From, to: in a straight line over the horizon.
    pub nodes: (f64, f64),
    pub pods: (f64, f64),
    /// Blocks for pods; the nodes have one of their own.
    pub blocks: &'static [&'static str],
    pub watermarks: (u32, u32),
    /// Median of a pod's life; its 99th percentile is ten times that.
    pub lifetime: Span,
    pub replications: u32,
    pub allocator: Allocator,
}

/// Who allocates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocator {
    NodeLocal,
    Classic,
    Centralized,
}

impl Shape {
    fn daemon(&self) -> ipam::Config {
        match self.allocator {
            Allocator::NodeLocal => daemon(self.watermarks, self.pod_vswitches()).into(),
            Allocator::Classic => self.classic().into(),
            Allocator::Centralized => self.node().into(),
        }
    }

    /// The same node, with a daemon of before v1.7.
    fn classic(&self) -> classic::Config {
        let (min_pool_size, max_pool_size) = self.watermarks;
        let profile = Version::default().profile();
        classic::Config {
            sizes: Sizes::clamped(&profile, 3, 15, Wanted { min_pool_size, max_pool_size, ..Wanted::default() }),
            vswitches: self.pod_vswitches().map(VSwitchId).collect(),
            selection: classic::Selection::Ordered,
            cni_timeout: Span::secs(120),
            gc_period: Some(Span::mins(5)),
            limited: true,
            profile,
        }
    }

    /// The same node, as the control plane reads it.
    fn node(&self) -> NodeConfig {
        let vswitches = self.pod_vswitches().map(VSwitchId).collect();
        NodeConfig::plain(Flavor::of(4, false, false), 15, self.watermarks, vswitches)
    }

    fn pod_vswitches(&self) -> impl Iterator<Item = u32> + use<> {
        1..=self.blocks.len() as u32
    }

    pub fn model(&self) -> Model {
        let horizon = Span::days(self.days);
        let line = |(from, to)| Schedule::Linear { from, to, over: horizon };
        let blocks = [&"10.0.0.0/16"].into_iter().chain(self.blocks);
        let vswitches = blocks.enumerate().map(|(i, cidr)| VSwitch::plain(&format!("vsw-{i}"), ZONE, cidr));
        let vpc = Vpc { cidr: "10.0.0.0/8".parse().expect("a block"), vswitches: vswitches.collect() };
        let limits = InstanceLimits { adapters: 4, ipv4_per_adapter: 15, ..InstanceLimits::default() };
        let zone = PoolZone { zone: ZONE.to_owned(), node_vswitch: VSwitchId(0), daemon: self.daemon() };
        let shape = brimline::model::Shape::plain("ecs.g7.2xlarge", limits, vec![zone]);
        let mut web = Workload::plain("web", WorkloadKind::deployment(line(self.pods)), vec![0]);
        web.pod.lifetime = Some(SpanDist::log_normal(self.lifetime, Span(self.lifetime.0 * 10)));
        let mut model = Model {
            seed: 42,
            replications: self.replications,
            node_pools: vec![NodePool::plain("default", shape, line(self.nodes))],
            workloads: vec![web],
            outputs: Outputs { samples: 100, pods: false, events: false, parquet: false },
            ..Model::plain("bench", horizon, vpc)
        };
        model.cloud.latency = latency();
        match self.allocator {
            Allocator::NodeLocal => {}
            Allocator::Classic => model.ipam = Ipam::Classic(Version::default()),
            Allocator::Centralized => model.ipam = Ipam::Centralized(Box::default()),
        }
        model
    }
}

/// A year of a large cluster: every day two thirds of the pods at 4 o'clock and all of them at 16, every Monday at
/// 10 a new version, a quarter at a time. Pods live until one of the two ends them.
pub fn year(nodes: f64, pods: f64, blocks: &'static [&'static str]) -> Model {
    let shape = Shape {
        days: 365,
        nodes: (nodes, nodes),
        pods: (pods, pods),
        blocks,
        watermarks: (0, 5),
        lifetime: Span::days(1),
        replications: 1,
        allocator: Allocator::NodeLocal,
    };
    let mut model = shape.model();
    let at = |day, hour| Instant::ZERO + Span::days(day) + Span::hours(hour);
    let wave = (0..365).flat_map(|day| [(at(day, 4), (pods * 2.0 / 3.0).round()), (at(day, 16), pods)]);
    let rollout = Rollout {
        at: Times::Every { first: at(0, 10), period: Span::days(7) },
        max_surge: Portion::Share(0.25),
        max_unavailable: Portion::Share(0.25),
    };
    let workload = &mut model.workloads[0];
    workload.pod.lifetime = None;
    workload.kind = WorkloadKind::Deployment {
        replicas: Replicas::Scheduled(Schedule::Points(wave.collect())),
        rollout: Some(rollout),
    };
    model
}

/// A daemon's configuration: an ecs.g7.2xlarge and Terway's defaults, but for the watermarks.
pub fn daemon(watermarks: (u32, u32), vswitches: impl IntoIterator<Item = u32>) -> Config {
    Config::plain((3, 15), watermarks, vswitches.into_iter().map(VSwitchId).collect())
}

fn latency() -> [SpanDist; Api::ALL.len()] {
    let ms = |median, p99| SpanDist::log_normal(Span::millis(median), Span::millis(p99));
    Api::ALL.map(|api| match api {
        Api::CreateNetworkInterface => ms(900, 4000),
        Api::AttachNetworkInterface => ms(2000, 12_000),
        Api::DetachNetworkInterface => ms(700, 4000),
        Api::DescribeNetworkInterfaces => ms(100, 600),
        Api::DescribeVSwitches => ms(80, 500),
        _ => ms(500, 3000),
    })
}

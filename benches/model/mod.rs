//! Models for the benchmarks, built by hand: a cluster of one pool and one Deployment with churn.

use brimline::chance::SpanDist;
use brimline::id::VSwitchId;
use brimline::ipam::limits::InstanceLimits;
use brimline::ipam::node_local::{Config, EniSelection, VSwitchSelection};
use brimline::model::{
    Cloud, Kubelet, Model, NodePool, Outputs, PoolZone, Quotas, Schedule, VSwitch, Vpc, Workload, WorkloadKind,
};
use brimline::openapi::Api;
use brimline::time::Span;

const ZONE: &str = "cn-shanghai-f";

/// What distinguishes the models.
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
}

impl Shape {
    pub fn model(&self) -> Model {
        let horizon = Span::days(self.days);
        let line = |(from, to)| Schedule::Linear { from, to, over: horizon };
        let blocks = [&"10.0.0.0/16"].into_iter().chain(self.blocks);
        let vswitches = blocks.enumerate().map(|(i, cidr)| VSwitch {
            id: format!("vsw-{i}"),
            zone: ZONE.to_owned(),
            cidr: cidr.parse().expect("a block"),
            used: Schedule::Constant(0.0),
        });
        Model {
            name: "bench".to_owned(),
            question: String::new(),
            horizon,
            warm_up: Span::ZERO,
            start: None,
            seed: 42,
            replications: self.replications,
            vpc: Vpc { cidr: "10.0.0.0/8".parse().expect("a block"), vswitches: vswitches.collect() },
            node_pools: vec![NodePool {
                name: "default".to_owned(),
                instance_type: "ecs.g7.2xlarge".to_owned(),
                limits: InstanceLimits { adapters: 4, ipv4_per_adapter: 15, ..InstanceLimits::default() },
                zones: vec![PoolZone {
                    zone: ZONE.to_owned(),
                    node_vswitch: VSwitchId(0),
                    daemon: daemon(self.watermarks, 1..=self.blocks.len() as u32),
                }],
                nodes: line(self.nodes),
                max_pods: 45,
            }],
            workloads: vec![Workload {
                name: "web".to_owned(),
                kind: WorkloadKind::Deployment { replicas: line(self.pods) },
                lifetime: Some(SpanDist::log_normal(self.lifetime, Span(self.lifetime.0 * 10))),
                host_network: false,
                node_pools: vec![0],
            }],
            cloud: Cloud {
                latency: latency(),
                throttle: [None; Api::ALL.len()],
                metadata_lag: Span::ZERO,
                quotas: Quotas::default(),
            },
            kubelet: Kubelet { sandbox_retry: SpanDist::Uniform(Span::secs(10), Span::secs(15)) },
            outputs: Outputs { samples: 100, pods: false, events: false },
        }
    }
}

/// A daemon's configuration: an ecs.g7.2xlarge and Terway's defaults, but for the watermarks.
pub fn daemon((min_idle, max_idle): (u32, u32), vswitches: impl IntoIterator<Item = u32>) -> Config {
    Config {
        max_eni: 3,
        ips_per_eni: 15,
        capacity: 45,
        min_idle,
        max_idle: max_idle.min(45),
        sync_period: Some(Span::secs(120)),
        eni_selection: EniSelection::MostIps,
        vswitch_selection: VSwitchSelection::Random,
        vswitches: vswitches.into_iter().map(VSwitchId).collect(),
        reclaim: None,
        rate_limit: [Some(400); Api::ALL.len()],
        gc_period: Some(Span::mins(5)),
        rpc_timeout: Span::secs(118),
        confirm_delete: true,
    }
}

fn latency() -> [SpanDist; Api::ALL.len()] {
    let ms = |median, p99| SpanDist::log_normal(Span::millis(median), Span::millis(p99));
    [
        ms(900, 4000),
        ms(2000, 12_000),
        ms(700, 4000),
        ms(500, 3000),
        ms(500, 3000),
        ms(500, 3000),
        ms(100, 600),
        ms(80, 500),
    ]
}

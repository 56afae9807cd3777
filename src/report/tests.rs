//! Runs of small hand-made models, and what they leave behind.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{Run, terminal, write};
use crate::chance::SpanDist;
use crate::id::VSwitchId;
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::{Config, EniSelection, VSwitchSelection};
use crate::model::{
    Cloud, Kubelet, Model, NodePool, Outputs, PoolZone, Quotas, Schedule, VSwitch, Vpc, Workload, WorkloadKind,
};
use crate::openapi::Api;
use crate::outcome::{Summary, summarize};
use crate::record::Recording;
use crate::scenario::{Origin, Setting, Source};
use crate::sim::{Progress, replicate};
use crate::time::Span;

/// A cluster that grows into a /26 with 58 usable addresses, or a larger one.
fn model(prefix: u8, horizon: Span, nodes: f64, pods: f64) -> Model {
    let vswitch = |id: &str, cidr: String| VSwitch {
        id: id.to_owned(),
        zone: "cn-shanghai-f".to_owned(),
        cidr: cidr.parse().expect("a block"),
        used: Schedule::Constant(3.0),
    };
    let daemon = Config {
        max_eni: 3,
        ips_per_eni: 15,
        capacity: 45,
        min_idle: 3,
        max_idle: 8,
        sync_period: Some(Span::secs(120)),
        eni_selection: EniSelection::MostIps,
        vswitch_selection: VSwitchSelection::Most,
        vswitches: vec![VSwitchId(1)],
        reclaim: None,
        rate_limit: [Some(400); Api::ALL.len()],
        gc_period: Some(Span::mins(5)),
        rpc_timeout: Span::secs(118),
        confirm_delete: true,
    };
    Model {
        name: "small".to_owned(),
        question: "When is the small vSwitch full?".to_owned(),
        horizon,
        warm_up: Span::ZERO,
        start: Some(jiff::civil::date(2026, 12, 1)),
        seed: 42,
        replications: 4,
        vpc: Vpc {
            cidr: "10.0.0.0/8".parse().expect("a block"),
            vswitches: vec![
                vswitch("vsw-nodes", "10.0.0.0/22".to_owned()),
                vswitch("vsw-AAA", format!("10.1.0.0/{prefix}")),
            ],
        },
        node_pools: vec![NodePool {
            name: "default".to_owned(),
            instance_type: "ecs.g7.2xlarge".to_owned(),
            limits: InstanceLimits { adapters: 4, ipv4_per_adapter: 15, ipv6_per_adapter: 15, total_adapters: None },
            zones: vec![PoolZone { zone: "cn-shanghai-f".to_owned(), node_vswitch: VSwitchId(0), daemon }],
            nodes: Schedule::Linear { from: 2.0, to: nodes, over: horizon },
            max_pods: 45,
        }],
        workloads: vec![Workload {
            name: "web".to_owned(),
            kind: WorkloadKind::Deployment { replicas: Schedule::Linear { from: 4.0, to: pods, over: horizon } },
            lifetime: Some(SpanDist::Uniform(Span::hours(2), Span::hours(9))),
            host_network: false,
            node_pools: vec![0],
        }],
        cloud: Cloud {
            latency: std::array::from_fn(|_| SpanDist::Uniform(Span::millis(300), Span::millis(2500))),
            throttle: [None; Api::ALL.len()],
            metadata_lag: Span::ZERO,
            quotas: Quotas::default(),
        },
        kubelet: Kubelet { sandbox_retry: SpanDist::Uniform(Span::secs(10), Span::secs(15)) },
        outputs: Outputs { samples: 6, pods: true, events: true },
    }
}

fn tiny() -> Model {
    let mut model = model(26, Span::hours(6), 8.0, 40.0);
    model.replications = 2;
    model
}

fn simulated(model: &Model) -> (Vec<Recording>, Summary) {
    let recordings = replicate(model, &Progress::default());
    let summary = summarize(model, &recordings);
    (recordings, summary)
}

fn settings() -> Vec<Setting> {
    vec![
        Setting {
            path: "terway.eni_config.max_pool_size".to_owned(),
            value: "8".to_owned(),
            origin: Origin::File { name: "small.yaml".to_owned(), line: 7 },
        },
        Setting {
            path: "seed".to_owned(),
            value: "42".to_owned(),
            origin: Origin::Default { source: "a number".to_owned() },
        },
    ]
}

fn written(root: &Path, model: &Model, threads: usize, wall: Duration) -> std::path::PathBuf {
    let (recordings, summary) = simulated(model);
    let run = Run {
        model,
        summary: &summary,
        recordings: &recordings,
        settings: &settings(),
        sources: &[Source { name: "small.yaml".to_owned(), text: "name: small\n".to_owned() }],
        warnings: &[],
        reproduce: "brimline run small.yaml",
        command: "brimline run small.yaml --threads 2",
        wall,
        threads,
    };
    write(root, &model.name, &run).expect("the folder can be written")
}

#[test]
fn look() {
    let root = Path::new("/tmp/b-look");
    let _ = fs::remove_dir_all(root);
    let mut big = model(23, Span::days(10), 30.0, 700.0);
    big.outputs = Outputs { samples: 120, pods: false, events: false };
    big.replications = 12;
    let start = std::time::Instant::now();
    written(root, &big, 2, Duration::from_secs(1));
    let (recordings, summary) = simulated(&big);
    println!("{}\n{:?}", terminal(&summary, 80), start.elapsed());
    let _ = recordings;
    written(root, &tiny(), 2, Duration::from_secs(1));
    println!("{}", terminal(&simulated(&tiny()).1, 80));
}

//! What a scenario says about nodes and what looks after them, and what it means.

use std::path::Path;

use brimline::chance::SpanDist;
use brimline::model::{
    AfterCrash, Autoscaler, Crashes, Expander, Interruptions, Model, PoolSize, Portion, Replacement, Resources,
    ScaleDown, Schedule, Scoring, Times, ZoneOutage,
};
use brimline::openapi::Api;
use brimline::scenario::{Loaded, describe, load_text};
use brimline::time::{Instant, Span};

/// A scenario of two zones with these sections and these keys of its pool.
fn scenario(sections: &str, pool: &str) -> String {
    format!(
        "# Is it enough?
name: pools
horizon: 90d
{sections}
vpc:
  cidr: 10.0.0.0/16
  vswitches:
    - {{id: a, zone: z-a, cidr: 10.0.0.0/20}}
    - {{id: b, zone: z-b, cidr: 10.0.16.0/20}}
terway:
  eni_config: {{max_pool_size: 5, min_pool_size: 2, vswitches: {{z-a: [a], z-b: [b]}}}}
node_pools:
  - name: p
    node_vswitch: {{z-a: a, z-b: b}}
    {pool}
workloads:
  - {{name: w, deployment: {{replicas: 1}}}}
"
    )
}

fn loaded(sections: &str, pool: &str) -> Loaded {
    let text = scenario(sections, pool);
    load_text("pools.yaml", &text, Path::new("tests/bad_input")).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

fn model(sections: &str, pool: &str) -> Model {
    loaded(sections, pool).model
}

fn day(n: u64) -> Instant {
    Instant::ZERO + Span::days(n)
}

#[test]
fn the_life_of_nodes_is_as_written() {
    let model = model(
        "",
        "instance_type: ecs.g7.2xlarge
    nodes: {autoscale: {min: 3, max: 100, initial: 5}}
    provisioning: 2m
    replace: {every: 30d, first: 10d, max_surge: 10 %, max_unavailable: 0}
    interruptions: {every: 20d, notice: 0s}
    crashes: {every: 180d, reboot: {uniform: {from: 1m, to: 5m}}}",
    );
    let pool = &model.node_pools[0];
    assert_eq!(pool.size, PoolSize::Autoscaled { initial: 5, min: 3, max: 100 });
    assert_eq!(pool.provisioning, SpanDist::Constant(Span::mins(2)));
    let replacement = Replacement {
        at: Times::Every { first: day(10), period: Span::days(30) },
        max_surge: Portion::Share(0.1),
        max_unavailable: Portion::Count(0),
    };
    assert_eq!(pool.replacement, Some(replacement));
    assert_eq!(pool.interruptions, Some(Interruptions { every: Span::days(20), notice: Span::ZERO }));
    let reboot = AfterCrash::Reboot(SpanDist::Uniform(Span::mins(1), Span::mins(5)));
    assert_eq!(pool.crashes, Some(Crashes { every: Span::days(180), then: reboot }));
}

#[test]
fn what_is_not_written_has_its_default() {
    let model = model("", "instance_type: ecs.g7.2xlarge\n    nodes: 7");
    let pool = &model.node_pools[0];
    assert_eq!(pool.size, PoolSize::Scheduled(Schedule::Constant(7.0)));
    assert_eq!(pool.provisioning, SpanDist::log_normal(Span::secs(90), Span::mins(5)));
    assert_eq!((&pool.replacement, &pool.interruptions, &pool.crashes), (&None, &None, &None));
    assert_eq!(pool.shapes[0].allocatable, Resources { cpu_milli: 7800, memory_mib: 32 * 1024 - 3645 - 300 });
    assert_eq!((pool.shapes[0].max_pods, pool.shapes[0].weight), (45, 1.0));
    assert_eq!(model.control_plane.scoring, Scoring::LeastAllocated);
    assert_eq!(model.control_plane.node_monitor_grace, Span::secs(50));
    assert_eq!(model.kubelet.teardown, SpanDist::Uniform(Span::secs(1), Span::secs(3)));
    assert_eq!(model.zone_outages, []);
}

#[test]
fn several_types_share_what_is_written_and_differ_in_the_rest() {
    let model = model(
        "",
        "instance_types: {ecs.g7.2xlarge: 3, ecs.g7.4xlarge: 1}
    nodes: 8
    allocatable: {cpu: 4}",
    );
    let shapes = &model.node_pools[0].shapes;
    let told: Vec<_> = shapes.iter().map(|s| (s.instance_type.as_str(), s.weight, s.max_pods)).collect();
    assert_eq!(told, [("ecs.g7.2xlarge", 3.0, 45), ("ecs.g7.4xlarge", 1.0, 210)]);
    assert!(shapes.iter().all(|shape| shape.allocatable.cpu_milli == 4000));
    assert!(shapes[0].allocatable.memory_mib < shapes[1].allocatable.memory_mib);
    let eni =
        |i: usize| shapes[i].zones.iter().map(|zone| (zone.zone.as_str(), zone.daemon.slots())).collect::<Vec<_>>();
    assert_eq!((eni(0), eni(1)), (vec![("z-a", 3), ("z-b", 3)], vec![("z-a", 7), ("z-b", 7)]));
    let equal = self::model("", "instance_types: [ecs.g7.2xlarge, ecs.g6.2xlarge]\n    nodes: 8");
    assert!(equal.node_pools[0].shapes.iter().all(|shape| shape.weight == 1.0));
}

/// Where nothing is known of a type's cores, no bound is made up.
#[test]
fn an_unknown_type_has_no_bound_while_nobody_requests() {
    let model = model("", "instance_type: my.type\n    limits: {adapters: 4, ipv4_per_adapter: 10}\n    nodes: 1");
    assert_eq!(model.node_pools[0].shapes[0].allocatable, Resources::UNBOUNDED);
}

#[test]
fn the_control_plane_is_as_written() {
    let sections = "scheduler: {scoring: most_allocated}
autoscaler: {scan_interval: 15s, expander: random, scale_down: {utilization_threshold: 40 %, unneeded_time: 5m}}
control_plane: {node_monitor_grace: 40s, eviction_after: 1m}
kubelet: {teardown: 0s}
zone_outages: [{zone: z-b, at: 20d, lasts: 6h}, {zone: z-a, at: 10d, lasts: 1h}]";
    let model = model(sections, "instance_type: ecs.g7.2xlarge\n    nodes: {autoscale: {min: 1, max: 9}}");
    let scale_down =
        ScaleDown { utilization_threshold: 0.4, unneeded_time: Span::mins(5), delay_after_add: Span::mins(10) };
    let autoscaler =
        Autoscaler { scan_interval: Span::secs(15), expander: Expander::Random, scale_down: Some(scale_down) };
    assert_eq!(model.control_plane.autoscaler, autoscaler);
    assert_eq!(model.control_plane.scoring, Scoring::MostAllocated);
    assert_eq!(model.control_plane.node_monitor_grace, Span::secs(40));
    assert_eq!(model.control_plane.eviction_after, Span::mins(1));
    assert_eq!(model.kubelet.teardown, SpanDist::Constant(Span::ZERO));
    assert_eq!(model.node_pools[0].size, PoolSize::Autoscaled { initial: 1, min: 1, max: 9 });
    let outage = |zone: &str, at, hours| ZoneOutage { zone: zone.to_owned(), at, lasts: Span::hours(hours) };
    assert_eq!(model.zone_outages, [outage("z-a", day(10), 1), outage("z-b", day(20), 6)], "in order of time");
    let off = self::model("autoscaler: {scale_down: off}", "instance_type: ecs.g7.2xlarge\n    nodes: 1");
    assert_eq!(off.control_plane.autoscaler.scale_down, None);
}

#[test]
fn an_autoscaler_without_a_pool_is_told() {
    let pool = "instance_type: ecs.g7.2xlarge\n    nodes: 1";
    assert_eq!(loaded("", pool).warnings, [""; 0]);
    let told = loaded("autoscaler: {scan_interval: 30s}", pool).warnings;
    assert!(told.len() == 1 && told[0].starts_with("warning: no node pool is left to the autoscaler"), "{told:?}");
}

/// What a planner reads below `capacity`: the bounds of an autoscaled pool, and each type's part.
#[test]
fn capacity_counts_what_the_autoscaler_and_a_replacement_may_add() {
    let text = describe(&loaded(
        "",
        "instance_types: {ecs.g7.2xlarge: 3, ecs.g7.4xlarge: 1}
    nodes: {autoscale: {min: 4, max: 80}}
    replace: {at: 10d, max_surge: 25 %}",
    ));
    let (_, capacity) = text.split_once("\ncapacity\n").expect("it ends with the capacity");
    let pools: Vec<_> = capacity.lines().skip_while(|line| !line.contains("node pool p in z-b")).take(8).collect();
    insta::assert_snapshot!(pools.join("\n"));
}

/// C157, C144: with node-local IPAM the control plane makes interfaces of pods' own, with its settings.
#[test]
fn the_control_plane_makes_interfaces_of_pods_own_with_its_settings() {
    let settings = |pool: &str| {
        let keys = "terway:\n  controlplane: {vSwitchCacheTTL: 5m, rateLimit: {CreateNetworkInterface: 60}}";
        let text = scenario("", &format!("instance_type: ecs.g7.8xlarge\n    nodes: 3{pool}")).replace("terway:", keys);
        let loaded =
            load_text("pools.yaml", &text, Path::new(".")).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        let settings = loaded.model.own_enis;
        (settings.vswitch_ttl, settings.rate_limit[Api::CreateNetworkInterface.index()], loaded.warnings.len())
    };
    assert_eq!(settings("\n    exclusive_eni: true"), (Span::mins(5), Some(60), 0));
    assert_eq!(settings(""), (Span::mins(20), Some(500), 1), "nobody has one: they have no effect");
}

/// R42, C144: eni-config may leave a node with exclusive interfaces fewer places for pods than its type has interfaces
/// (`daemon/config.go:89-101`, `daemon/daemon.go:943-945`; `pkg/eni/node_reconcile.go:191-213`).
#[test]
fn r42_c144_places_of_a_node_with_exclusive_interfaces() {
    let places = |eni_config: &str, max_pods: &str| {
        let limits = "limits: {adapters: 4, ipv4_per_adapter: 15, erdma_adapters: 1}";
        let pool = format!("instance_type: mine\n    exclusive_eni: true\n    nodes: 3\n    {limits}{max_pods}");
        let text = scenario("", &pool).replace("max_pool_size: 5", eni_config);
        let loaded =
            load_text("pools.yaml", &text, Path::new(".")).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        let shape = &loaded.model.node_pools[0].shapes[0];
        (shape.zones[0].daemon.slots(), shape.max_pods)
    };
    assert_eq!(places("max_pool_size: 5", ""), (3, 3));
    assert_eq!(places("max_eni: 1", ""), (1, 1));
    assert_eq!(places("eni_cap_shift: -1", ""), (2, 2));
    assert_eq!(places("max_eni: 2", "\n    max_pods: 1"), (2, 1), "the kubelet's own limit is less");
    assert_eq!(places("ipam_type: crd", ""), (3, 3));
    assert_eq!(places("ipam_type: crd, enable_erdma: true", ""), (2, 2));
    assert_eq!(places("ipam_type: crd, max_eni: 1", ""), (3, 3), "the control plane does not read it (C11)");
}

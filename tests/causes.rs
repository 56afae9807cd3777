//! The verdict names the cause: one small world for each kind of trouble.

use brimline::chance::SpanDist;
use brimline::id::VSwitchId;
use brimline::ipam::centralized::{Degradation, Flavor, NodeConfig};
use brimline::ipam::limits::InstanceLimits;
use brimline::ipam::{Config, node_local};
use brimline::model::{
    Fault, Ipam, Model, NodePool, PoolSize, PoolZone, Quotas, Schedule, Shape, Tenant, VSwitch, Vpc, Workload,
    WorkloadKind,
};
use brimline::openapi::{Api, ErrorCode};
use brimline::outcome::{Summary, summarize};
use brimline::sim::run_audited;
use brimline::time::{Instant, Span};

/// Two nodes, each with two interfaces of five addresses, four pods, and 16 after ten minutes;
/// every call takes a second. There is room for all of them.
fn world() -> Model {
    let limits = InstanceLimits { adapters: 3, ipv4_per_adapter: 5, ..InstanceLimits::default() };
    let daemon = node_local::Config::plain((2, 5), (0, 2), vec![VSwitchId(1)]);
    let zone = PoolZone { zone: "zone-a".to_owned(), node_vswitch: VSwitchId(0), daemon: daemon.into() };
    let shape = Shape::plain("test", limits, vec![zone]);
    let vswitches =
        vec![VSwitch::plain("vsw-nodes", "zone-a", "10.0.0.0/28"), VSwitch::plain("vsw-pods", "zone-a", "10.0.1.0/27")];
    let mut model =
        Model::plain("causes", Span::hours(2), Vpc { cidr: "10.0.0.0/16".parse().expect("a block"), vswitches });
    model.cloud.latency = Api::ALL.map(|_| SpanDist::Constant(Span::secs(1)));
    model.node_pools = vec![NodePool::plain("default", shape, Schedule::Constant(2.0))];
    model.workloads = pods(16.0);
    model
}

/// Four pods, and `count` after ten minutes.
fn pods(count: f64) -> Vec<Workload> {
    let steps = vec![(Instant::ZERO, 4.0), (Instant::ZERO + Span::mins(10), count)];
    vec![Workload::plain("web", WorkloadKind::deployment(Schedule::Steps(steps)), vec![0])]
}

fn nodes(count: f64) -> PoolSize {
    PoolSize::Scheduled(Schedule::Constant(count))
}

/// A time of trouble in the first hour.
fn fault(api: Api, fail: f64, code: ErrorCode, slow: f64) -> Vec<Fault> {
    let to = Instant::ZERO + Span::hours(1);
    vec![Fault { apis: Api::ALL.map(|other| other == api), from: Instant::ZERO, to, fail, code, slow }]
}

fn run(model: &Model) -> Summary {
    summarize(model, &[run_audited(model, 0, Span::mins(1))])
}

/// The kind of the verdict and its text, after some change to the world.
fn verdict(change: impl FnOnce(&mut Model)) -> String {
    let mut model = world();
    change(&mut model);
    let verdict = run(&model).verdict;
    format!("{}: {}", verdict.kind, lines(&verdict.text.english()))
}

/// A line for each part of the text.
fn lines(text: &str) -> String {
    ["; ", ": ", ". "].iter().fold(text.to_owned(), |text, end| text.replace(end, &format!("{}\n", end.trim_end())))
}

#[test]
fn nothing_is_wrong() {
    insta::assert_snapshot!(verdict(|_| {}), @r"
    none: No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 12 of 28 addresses free.
    ");
}

#[test]
fn a_vswitch_is_exhausted() {
    let tenants = vec![
        Tenant { name: "load balancers".to_owned(), addresses: Schedule::Constant(12.0) },
        Tenant { name: "rds".to_owned(), addresses: Schedule::Constant(4.0) },
    ];
    insta::assert_snapshot!(verdict(|model| model.vpc.vswitches[1].tenants = tenants), @r"
    vswitch: vsw-pods (/27, 28 usable) is full after 10m 1s (one run, so no interval);
    14 % of its addresses serve pods, 22 % sit idle in node pools, 57 % belong to other tenants, 7 % are free, too few for a request.
    ");
}

/// Whatever vSwitch is full, pods may lack something else.
#[test]
fn a_vswitch_is_exhausted_and_a_pod_has_no_node() {
    let tenants = vec![Tenant { name: "rds".to_owned(), addresses: Schedule::Constant(16.0) }];
    let both = verdict(|model| {
        model.vpc.vswitches[1].tenants = tenants;
        model.workloads = pods(21.0);
    });
    assert!(both.starts_with("vswitch: vsw-pods (/27, 28 usable) is full"), "{both}");
    assert!(both.contains("At the end 1 pod has no node:\nevery node has as many pods as it may have"), "{both}");
}

#[test]
fn the_vswitch_of_the_nodes_is_empty() {
    insta::assert_snapshot!(verdict(|model| model.node_pools[0].size = nodes(13.0)), @r"
    vswitch: vsw-nodes (/28, 12 usable) is full at the start (one run, so no interval), so that nodes cannot join;
    100 % of its addresses are node primaries.
    ");
}

#[test]
fn a_node_has_no_room() {
    insta::assert_snapshot!(verdict(|model| {
        model.node_pools[0].shapes[0].max_pods = 20;
        model.workloads = pods(21.0);
    }), @r"
    node_capacity: Pods wait for addresses, at most 17 at once, and requests fail for the first time after 10m (one run, so no interval):
    every ENI of a node is full and no ENI slot is left.
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 8 of 28 addresses free.
    ");
}

/// The same with centralized IPAM, in prefix mode with so many prefixes a node.
fn centralized(model: &mut Model, prefixes: Option<u32>) {
    model.ipam = Ipam::Centralized(Box::default());
    let plain = NodeConfig::plain(Flavor::of(3, false, false), 5, (0, 2), vec![VSwitchId(1)]);
    let (prefix_mode, prefix_count) = (prefixes.is_some(), prefixes.unwrap_or(0));
    model.node_pools[0].shapes[0].max_pods = 20;
    model.node_pools[0].shapes[0].zones[0].daemon = NodeConfig { prefix_mode, prefix_count, ..plain }.into();
    model.node_pools[0].size = nodes(1.0);
}

#[test]
fn a_node_has_all_its_prefixes() {
    insta::assert_snapshot!(verdict(|model| {
        centralized(model, Some(1));
        model.vpc.vswitches[1] = VSwitch::plain("vsw-pods", "zone-a", "10.0.1.0/26");
        model.workloads = pods(20.0);
    }), @r"
    node_prefixes: Pods wait for addresses, at most 4 at once, and requests fail for the first time after 11m 58s (one run, so no interval):
    every address of the prefixes of a node is taken, and it gets no more (ipv4_prefix_count).
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/26, 60 usable), keeps at least 43 of 60 addresses free.
    ");
}

/// C141: before the first interface of a node is there its pods are refused at once, and that is no limit.
#[test]
fn a_node_has_no_prefix_yet() {
    let early = verdict(|model| {
        centralized(model, Some(8));
        model.vpc.vswitches[1] = VSwitch::plain("vsw-pods", "zone-a", "10.0.1.0/24");
        let steps = vec![(Instant::ZERO, 0.0), (Instant::ZERO + Span::secs(3), 4.0)];
        model.workloads = vec![Workload::plain("web", WorkloadKind::deployment(Schedule::Steps(steps)), vec![0])];
    });
    assert!(early.starts_with("none: "), "{early}");
}

/// More prefixes than the interfaces of a node take: it is the node that is full.
#[test]
fn the_interfaces_of_a_node_are_full_of_prefixes() {
    let full = verdict(|model| {
        centralized(model, Some(100));
        model.vpc.vswitches[1] = VSwitch::plain("vsw-pods", "zone-a", "10.0.1.0/24");
        model.node_pools[0].shapes[0].max_pods = 200;
        model.workloads = pods(140.0);
    });
    assert!(full.starts_with("node_capacity: "), "{full}");
}

/// Pods that have asked a moment before the end wait for nothing else.
#[test]
fn who_has_just_asked_is_not_left_without() {
    let fresh = verdict(|model| {
        model.horizon = Span::mins(10) + Span::secs(1);
        centralized(model, None);
    });
    assert!(fresh.starts_with("none: "), "{fresh}");
}

/// C114: L0 allocates nothing, and no call fails.
#[test]
fn nobody_allocates() {
    insta::assert_snapshot!(verdict(|model| {
        centralized(model, None);
        let Ipam::Centralized(settings) = &mut model.ipam else { unreachable!("it is centralized") };
        settings.degradation = Degradation::L0;
    }), @r"
    waiting: Pods wait for addresses, at most 16 at once, and 16 of them at the end;
    nothing that Terway called for failed.
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 28 of 28 addresses free.
    ");
}

#[test]
fn every_node_has_its_max_pods() {
    insta::assert_snapshot!(verdict(|model| model.workloads = pods(21.0)), @r"
    max_pods: Pods find no node, at most 1 at once, for the first time after 10m (one run, so no interval):
    every node has as many pods as it may have (max pods).
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 8 of 28 addresses free.
    ");
}

#[test]
fn the_security_group_is_full() {
    let quotas = Quotas { security_group_addresses: Some(14), ..Quotas::default() };
    insta::assert_snapshot!(verdict(|model| model.cloud.quotas = quotas), @r"
    quota: Pods wait for addresses, at most 12 at once, and requests fail for the first time after 11m 58s (one run, so no interval):
    the security group has as many addresses as it may have (SecurityGroupInstanceLimitExceed).
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 16 of 28 addresses free.
    ");
}

#[test]
fn the_vpc_is_full() {
    let quotas = Quotas { vpc_addresses: Some(14), ..Quotas::default() };
    insta::assert_snapshot!(verdict(|model| model.cloud.quotas = quotas), @r"
    quota: Pods wait for addresses, at most 12 at once, and requests fail for the first time after 11m 58s (one run, so no interval):
    the VPC has as many addresses as it may have (QuotaExceeded.PrivateIpAddress).
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 16 of 28 addresses free.
    ");
}

#[test]
fn the_region_has_its_interfaces() {
    let quotas = Quotas { enis_per_region: Some(3), ..Quotas::default() };
    insta::assert_snapshot!(verdict(|model| model.cloud.quotas = quotas), @r"
    quota: Pods wait for addresses, at most 12 at once, and requests fail for the first time after 11m 58s (one run, so no interval):
    the region has as many ENIs as the account may have (EniLimitExceeded).
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 15 of 28 addresses free.
    ");
}

/// R36: a third node joins when no address is left for its trunk. Nobody waits for an address or for the node.
#[test]
fn a_node_finds_no_address_for_its_trunk() {
    let tenants = vec![Tenant {
        name: "others".to_owned(),
        addresses: Schedule::Steps(vec![(Instant::ZERO, 0.0), (Instant::ZERO + Span::mins(5), 28.0)]),
    }];
    insta::assert_snapshot!(verdict(|model| {
        let pods = node_local::Config::plain((2, 5), (0, 2), vec![VSwitchId(1)]);
        let trunk = Some(node_local::Trunk { members: 5 });
        model.node_pools[0].shapes[0].zones[0].daemon = Config::from(node_local::Config { trunk, ..pods });
        let nodes = vec![(Instant::ZERO, 2.0), (Instant::ZERO + Span::mins(10), 4.0)];
        model.node_pools[0].size = PoolSize::Scheduled(Schedule::Steps(nodes));
        model.vpc.vswitches[1].tenants = tenants;
        model.workloads.clear();
    }), @r"
    vswitch: vsw-pods (/27, 28 usable) is full after 10m 1s (one run, so no interval);
    7 % of its addresses sit idle in node pools, 93 % belong to other tenants.
    Terway starts again and again on nodes without a trunk interface (R36), for the first time after 10m 1s (one run, so no interval), on 2 nodes in all and 2 at the end:
    vsw-pods has too few free addresses.
    ");
}

#[test]
fn the_account_is_throttled() {
    insta::assert_snapshot!(verdict(|model| {
        model.cloud.throttle[Api::CreateNetworkInterface.index()] = Some(1);
        model.node_pools[0].size = nodes(10.0);
    }), @r"
    api: Pods wait for addresses, at most 12 at once, and requests fail for the first time after 1m 58s (one run, so no interval):
    the API refuses CreateNetworkInterface (Throttling).
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 12 of 28 addresses free.
    ");
}

#[test]
fn the_api_throttles_below_the_clients_rates_for_a_while() {
    let faults = fault(Api::AssignPrivateIpAddresses, 1.0, ErrorCode::Throttling, 1.0);
    insta::assert_snapshot!(verdict(|model| model.cloud.faults = faults), @r"
    api: Pods wait for addresses, at most 12 at once, and requests fail for the first time after 11m 58s (one run, so no interval):
    the API refuses AssignPrivateIpAddresses (Throttling).
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 12 of 28 addresses free.
    ");
}

#[test]
fn an_action_is_out_of_order() {
    for api in [Api::CreateNetworkInterface, Api::AttachNetworkInterface, Api::DescribeVSwitches] {
        let text = verdict(|model| model.cloud.faults = fault(api, 1.0, ErrorCode::Internal, 1.0));
        assert!(text.starts_with("outage: ") && text.contains(api.name()), "{text}");
    }
    let faults = fault(Api::AssignPrivateIpAddresses, 1.0, ErrorCode::Internal, 1.0);
    insta::assert_snapshot!(verdict(|model| model.cloud.faults = faults), @r"
    outage: Pods wait for addresses, at most 12 at once, and requests fail for the first time after 11m 58s (one run, so no interval):
    the API answers AssignPrivateIpAddresses with InternalError.
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 12 of 28 addresses free.
    ");
}

#[test]
fn errors_come_in_a_burst() {
    let faults = fault(Api::AttachNetworkInterface, 0.8, ErrorCode::Internal, 1.0);
    insta::assert_snapshot!(verdict(|model| model.cloud.faults = faults), @r"
    outage: Pods wait for addresses, at most 14 at once, and requests fail for the first time after 1m 58s (one run, so no interval):
    the API answers AttachNetworkInterface with InternalError.
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 12 of 28 addresses free.
    ");
}

#[test]
fn interfaces_take_long_to_attach() {
    for slow in [58.0, 90.0, 300.0] {
        let faults = fault(Api::AttachNetworkInterface, 0.0, ErrorCode::Internal, slow);
        let text = verdict(|model| model.cloud.faults = faults);
        assert!(text.starts_with("slow_api: "), "{text}");
    }
    let faults = fault(Api::AttachNetworkInterface, 0.0, ErrorCode::Internal, 60.0);
    insta::assert_snapshot!(verdict(|model| model.cloud.faults = faults), @r"
    slow_api: Pods wait for addresses, at most 16 at once, and requests fail for the first time after 1m 58s (one run, so no interval):
    AttachNetworkInterface takes long, 30 s and more.
    No vSwitch runs full in 2h (one run, so no interval);
    the fullest, vsw-pods (/27, 28 usable), keeps at least 12 of 28 addresses free.
    ");
}

/// What goes wrong with giving back keeps nobody waiting.
#[test]
fn an_outage_that_no_pod_notices_is_no_cause() {
    let faults = fault(Api::UnassignPrivateIpAddresses, 1.0, ErrorCode::Internal, 100.0);
    let text = verdict(|model| model.cloud.faults = faults);
    assert!(text.starts_with("none: "), "{text}");
}

/// When the trouble is over everybody is served.
#[test]
fn nobody_waits_after_the_trouble() {
    for (fail, slow) in [(1.0, 1.0), (0.8, 1.0), (0.0, 90.0)] {
        for api in [Api::CreateNetworkInterface, Api::AttachNetworkInterface, Api::AssignPrivateIpAddresses] {
            let mut model = world();
            model.cloud.faults = fault(api, fail, ErrorCode::Internal, slow);
            let pods = run(&model).pods;
            assert_eq!((pods.served.mean, pods.waiting_at_end.mean), (16.0, 0.0), "{api:?}, {fail}, {slow}");
        }
    }
}

/// A quota blocks vSwitches as a lack of addresses does (C72): the cause is the quota all the same.
#[test]
fn the_control_plane_does_not_take_a_quota_for_a_full_vswitch() {
    let told = verdict(|model| {
        centralized(model, None);
        model.cloud.quotas = Quotas { vpc_addresses: Some(6), ..Quotas::default() };
    });
    assert!(told.starts_with("quota: "), "{told}");
}

/// R135: what is still given back when the daemon starts again is gone before it looks, of both families.
#[test]
fn a_restart_while_ipv6_addresses_are_given_back_hands_out_none_of_them() {
    let text = "
name: v6
horizon: 40m
seed: 1
vpc: {cidr: 192.168.0.0/16, vswitches: [{id: vsw, zone: z, cidr: 192.168.1.0/24}]}
terway: {eni_config: {ip_stack: dual, max_pool_size: 0, min_pool_size: 0, vswitches: {z: [vsw]}}}
node_pools: [{name: default, instance_type: ecs.g7.2xlarge, node_vswitch: vsw, nodes: 1}]
workloads:
  - name: web
    deployment: {replicas: {steps: [{at: 0s, value: 14}, {at: 10m, value: 4}, {at: 17m, value: 14}]}}
    termination: 1s
cloud: {latency: {UnassignPrivateIpAddresses: 500ms, UnassignIpv6Addresses: 6m}}
actions: [{at: 16m, restart_terway: {takes: 1s}}]
";
    let loaded = brimline::scenario::load_text("v6.yaml", text, std::path::Path::new("."));
    assert!(run_audited(&loaded.expect("it loads").model, 0, Span::secs(5)).pods.served > 0);
}

/// Which of two vSwitches fills is chance: the headline tells of both, and of the one that does most often.
#[test]
fn one_of_several_vswitches_is_full_more_often_than_each() {
    let mut model = world();
    let other = VSwitch::plain("vsw-more", "zone-a", "10.0.2.0/28");
    model.vpc.vswitches[1] = VSwitch::plain("vsw-pods", "zone-a", "10.0.1.0/28");
    model.vpc.vswitches.push(other);
    let mut daemon = node_local::Config::plain((2, 5), (0, 2), vec![VSwitchId(1), VSwitchId(2)]);
    daemon.vswitch_selection = node_local::VSwitchSelection::Random;
    model.node_pools[0].shapes[0].zones[0].daemon = daemon.into();
    model.workloads = pods(20.0);
    model.replications = 12;
    let recordings: Vec<_> = (0..12).map(|replication| run_audited(&model, replication, Span::mins(1))).collect();
    let summary = summarize(&model, &recordings);
    let [most, ..] = &summary.vswitches[..] else { panic!("there are three") };
    let any = &summary.counting.simulated_full;
    assert!(most.full.hits < any.hits && any.hits < 12, "{} of {}", most.full.hits, any.hits);
    let start = format!("The first of 2 vSwitches of pods is full in {} of 12 runs", any.hits);
    assert!(summary.verdict.text.english().starts_with(&start), "{}", summary.verdict.text.english());
}

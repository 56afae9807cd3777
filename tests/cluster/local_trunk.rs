//! Trunks of daemons that allocate themselves, and pods of PodNetworkings beside them.

use brimline::chance::SpanDist;
use brimline::id::{NodeId, VSwitchId};
use brimline::ipam::Config;
use brimline::ipam::node_local::{self, Trunk};
use brimline::ipam::pod_eni::{Kind, Policy, Retention};
use brimline::model::{
    Action, AfterCrash, Crashes, Deed, Model, PodNetworking, PodTemplate, PoolSize, Portion, Replicas, Restart,
    Schedule, Trigger, VSwitch, Workload, WorkloadKind,
};
use brimline::openapi::Api;
use brimline::record::{Cause, Recording};
use brimline::text::Words;
use brimline::time::Span;

use super::story::{at, cluster, run, seconds, steps, workload};

const PODS: VSwitchId = VSwitchId(1);

/// A cluster of one zone whose nodes have a trunk of `members` each; members have their addresses of `of_members`.
fn trunk(nodes: u32, members: u32, of_members: VSwitchId) -> Model {
    let mut model = cluster(&["a"], nodes);
    let limits = &mut model.node_pools[0].shapes[0].limits;
    (limits.trunk, limits.total_adapters) = (Some(true), Some(limits.adapters + members));
    let pods = node_local::Config::plain((2, 10), (0, 20), vec![PODS]);
    model.node_pools[0].shapes[0].zones[0].daemon =
        Config::from(node_local::Config { trunk: Some(Trunk { members }), ..pods });
    model.pod_networkings.push(PodNetworking {
        name: "own".to_owned(),
        kind: Kind::Member,
        vswitches: vec![of_members],
        policy: Policy::Ordered,
        fixed: None,
    });
    model
}

fn deployment(replicas: Schedule) -> WorkloadKind {
    WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), rollout: None }
}

fn web(replicas: Schedule) -> Workload {
    workload("web", deployment(replicas), PodTemplate::default())
}

fn own(replicas: Schedule) -> Workload {
    workload("own", deployment(replicas), PodTemplate { pod_networkings: vec![0], ..PodTemplate::default() })
}

/// Seconds at which something of this kind was written down.
fn journal(recording: &Recording, kind: &str) -> Vec<u64> {
    recording.journal.iter().filter(|entry| entry.kind == kind).map(|entry| entry.at.as_millis() / 1000).collect()
}

fn restart_at(model: &mut Model, secs: u64, takes: u64) {
    restart_some_at(model, secs, takes, 9);
}

fn restart_some_at(model: &mut Model, secs: u64, takes: u64, at_most: u32) {
    let restart = Restart { pools: vec![0], at_most_at_once: Portion::Count(at_most), takes: Span::secs(takes) };
    let (name, text) = ("restart".to_owned(), "restart".words());
    model.actions.push(Action { name, text, trigger: Trigger::At(at(secs)), deed: Deed::RestartTerway(restart) });
}

/// R36, R141: a node that joins is ready once its daemon has a trunk: look-up, create and attach take 1 s each, the
/// sleep at least 2 s, the look 1 s. Until then its pods, those of DaemonSets too, are without a node.
#[test]
fn r36_a_node_is_ready_once_it_has_its_trunk() {
    let mut model = trunk(2, 5, PODS);
    model.node_pools[0].size = PoolSize::Scheduled(steps(0, &[(100, 2)]));
    model.node_pools[0].provisioning = seconds(0);
    model.workloads = vec![
        web(Schedule::Constant(3.0)),
        workload("agent", WorkloadKind::DaemonSet { rollout: None }, PodTemplate::default()),
    ];
    let recording = run(&model);
    let asked: Vec<_> = recording.pod_log.iter().map(|pod| pod.requested.expect("it found a node")).collect();
    assert!(asked.len() == 5 && asked.iter().all(|&asked| asked == at(106)), "{asked:?}");
    assert_eq!((recording.pods.served, recording.groups[0].end.enis), (5, 2));
    assert_eq!(recording.calls[Api::CreateNetworkInterface.index()], 2);
}

/// Nodes of time zero were there before, with their trunks.
#[test]
fn nodes_of_time_zero_have_their_trunks() {
    let mut model = trunk(2, 5, PODS);
    model.workloads = vec![web(Schedule::Constant(2.0)), own(Schedule::Constant(1.0))];
    let recording = run(&model);
    assert!(recording.pod_log.iter().all(|pod| pod.requested == Some(at(0))));
    assert_eq!((recording.calls[Api::CreateNetworkInterface.index()], recording.groups[0].end.enis), (1, 3));
}

/// C74, C81, C157: the controllers of members have the settings of the control plane, which allocates for nobody else.
#[test]
fn c157_the_control_planes_settings_reach_members() {
    let mut model = trunk(1, 5, PODS);
    model.workloads = vec![own(steps(0, &[(100, 3)]))];
    let served = |model: &Model| {
        let served: Vec<_> = run(model).pod_log.iter().filter_map(|pod| pod.served).collect();
        assert_eq!(served.len(), 3);
        served.into_iter().max()
    };
    assert!(served(&model) < Some(at(160)));
    model.own_enis.rate_limit[Api::CreateNetworkInterface.index()] = Some(1);
    assert!(served(&model) > Some(at(210)), "one a minute");
}

/// R36: one whose trunk finds no address never is; Terway begins again at once, then after 10 s, 20 s, 40 s and so on.
#[test]
fn r36_no_address_no_node() {
    let mut model = trunk(2, 5, PODS);
    // Four are usable, and others have three of them until second 300.
    model.vpc.vswitches[PODS.index()] = VSwitch {
        tenants: vec![brimline::model::Tenant { name: "others".to_owned(), addresses: steps(3, &[(300, 0)]) }],
        ..VSwitch::plain("pods-a", "a", "10.1.0.0/29")
    };
    model.workloads = vec![web(Schedule::Constant(2.0))];
    model.horizon = Span::mins(30);
    let recording = run(&model);
    let died = journal(&recording, "terway_crashed");
    assert!(died.len() >= 4 && died.windows(3).all(|d| d[2] - d[1] > d[1] - d[0]), "{died:?}");
    assert_eq!(journal(&recording, "terway_up").len(), died.len());
    let [wait] = recording.trunkless[..] else { panic!("one node waits: {:?}", recording.trunkless) };
    assert_eq!((wait.node, wait.cause), (NodeId(1), Some(Cause::VSwitch(PODS))));
    let (since, until) = (wait.since.as_millis() / 1000, wait.until.expect("it is over"));
    assert_eq!(since, died[0], "from its first death");
    assert!(
        until > at(300) && until.as_millis() / 1000 > *died.last().expect("it died"),
        "until it had one: {until:?}"
    );
    assert_eq!((recording.pods.served, recording.groups[0].end.enis), (2, 2), "the second node came up late");
    let nodes: Vec<_> = recording.pod_log.iter().filter_map(|pod| pod.node).collect();
    assert_eq!(nodes[0], nodes[1], "while there was one node, both pods were placed there");
}

/// R37, R41, C145: members are counted by themselves, and the trunk's own addresses serve the other pods; the third
/// pod of the PodNetworking finds no node.
#[test]
fn r37_members_stand_beside_shared_addresses() {
    let mut model = trunk(1, 2, PODS);
    model.workloads = vec![own(Schedule::Constant(3.0)), web(Schedule::Constant(4.0))];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.unschedulable_at_end), (6, 1));
    // The trunk and two members; of the trunk's addresses four serve.
    assert_eq!((recording.groups[0].end.enis, recording.vswitches[1].end.pods), (3, 6));
}

/// C151, R65: members go with their pods, the trunk stays with its primary address.
#[test]
fn c151_members_go_with_their_pods() {
    let mut model = trunk(1, 5, PODS);
    model.workloads = vec![own(steps(4, &[(200, 0)]))];
    let recording = run(&model);
    assert_eq!(recording.pods.served, 4);
    let end = recording.vswitches[1].end;
    assert_eq!((end.pods, end.idle, recording.groups[0].end.enis), (0, 1, 1));
}

/// R137: a daemon that restarts takes its trunk and leaves the members alone; whoever waits for one is told to try
/// again.
#[test]
fn r137_a_restart_leaves_members_alone() {
    let mut model = trunk(2, 5, PODS);
    model.workloads = vec![own(steps(4, &[(199, 6)])), web(Schedule::Constant(5.0))];
    restart_at(&mut model, 200, 10);
    let recording = run(&model);
    assert_eq!(recording.pods.served, 11, "nobody lost its address");
    assert_eq!((recording.vswitches[1].end.pods, recording.groups[0].end.enis), (11, 8));
    assert_eq!(recording.calls[Api::CreateNetworkInterface.index()], 6);
}

/// R41: the device plugin is the daemon's: while that is down nobody offers members, and shared pods find the node
/// all the same.
#[test]
fn r41_no_members_while_the_daemon_is_down() {
    let mut model = trunk(1, 5, PODS);
    model.workloads = vec![own(steps(0, &[(210, 1)])), web(steps(0, &[(210, 1)]))];
    restart_at(&mut model, 200, 60);
    let recording = run(&model);
    let asked = |workload: u32| {
        let row = recording.pod_log.iter().find(|row| row.name.workload == workload).expect("there is one");
        row.requested.expect("it found a node")
    };
    assert_eq!((asked(0), asked(1)), (at(260), at(210)));
    assert_eq!(recording.pods.served, 2);
}

/// A reboot: the trunk is there, and the pods of before have their addresses.
#[test]
fn a_node_that_reboots_has_its_trunk() {
    let mut model = trunk(1, 5, PODS);
    model.node_pools[0].crashes = Some(Crashes { every: Span::mins(20), then: AfterCrash::Reboot(seconds(60)) });
    model.workloads = vec![own(Schedule::Constant(3.0)), web(Schedule::Constant(3.0))];
    model.horizon = Span::hours(3);
    let recording = run(&model);
    assert!(!journal(&recording, "node_down").is_empty());
    assert_eq!(recording.calls[Api::CreateNetworkInterface.index()], 3, "three members, once");
    assert_eq!(recording.pods.served, 6);
}

/// Nodes that have joined and make their trunk are on their way for the cluster autoscaler.
#[test]
fn the_autoscaler_waits_for_nodes_that_are_not_ready() {
    let mut model = trunk(1, 5, PODS);
    model.cloud.latency = std::array::from_fn(|_| SpanDist::Constant(Span::secs(5)));
    model.node_pools[0].size = PoolSize::Autoscaled { initial: 1, min: 1, max: 9 };
    model.node_pools[0].shapes[0].max_pods = 10;
    model.workloads = vec![web(steps(5, &[(200, 15)]))];
    model.horizon = Span::mins(20);
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.groups[0].end.nodes), (15, 2));
}

/// C152: a fixed address comes back.
#[test]
fn c152_fixed_addresses_beside_node_local_ipam() {
    let mut model = trunk(2, 5, PODS);
    model.pod_networkings[0].fixed = Some(Retention::Forever);
    let kind = WorkloadKind::StatefulSet { replicas: steps(3, &[(200, 0), (300, 3)]), parallel: true, updates: None };
    model.workloads = vec![workload("own", kind, PodTemplate { pod_networkings: vec![0], ..PodTemplate::default() })];
    let recording = run(&model);
    let mut of_pod = std::collections::BTreeMap::<_, Vec<_>>::new();
    for row in recording.pod_log.iter().filter(|row| row.address.is_some()) {
        of_pod.entry(row.name).or_default().push(row.address);
    }
    assert_eq!(of_pod.len(), 3);
    assert!(of_pod.values().all(|lives| lives.len() == 2 && lives[0] == lives[1]), "{of_pod:?}");
}

/// R36, R41: trunking that is switched on while the cluster runs gives nodes a trunk and members with their next start,
/// unless their slots are all taken (`daemon/daemon.go:913-917`).
#[test]
fn r36_trunking_switched_on() {
    let mut model = trunk(1, 5, PODS);
    let zone = &mut model.node_pools[0].shapes[0].zones[0];
    let off = node_local::Config::plain((2, 10), (0, 20), vec![PODS]);
    let on = std::mem::replace(&mut zone.daemon, off.into());
    let edit = Deed::EditEniConfig(vec![on]);
    let (name, text) = ("edit".to_owned(), "edit".words());
    model.actions.push(Action { name, text, trigger: Trigger::At(at(100)), deed: edit });
    restart_at(&mut model, 110, 10);
    for (pods, members) in [(9_u32, 3_u32), (20, 0)] {
        model.workloads = vec![web(Schedule::Constant(f64::from(pods))), own(Schedule::Constant(3.0))];
        let recording = run(&model);
        let served = (pods + members).into();
        assert_eq!((recording.pods.served, recording.pods.unschedulable_at_end), (served, 3 - members));
        let mut asked = recording.pod_log.iter().filter(|pod| pod.name.workload == 1).map(|pod| pod.requested);
        assert!(asked.all(|asked| asked.is_none_or(|asked| asked > at(120))), "before there was no trunk");
        assert!(recording.trunkless.is_empty(), "a daemon without a place for one goes without");
    }
}

/// A daemon that finds no address for its trunk is not ready (`daemonset.yaml:200-204`, `daemon/server.go:101-115`): the restart
/// stops with it, and goes on once it is.
#[test]
fn a_restart_stops_with_the_daemons_that_do_not_start() {
    let down = |addresses: &[(u64, u32)]| {
        let mut model = trunk(3, 5, PODS);
        let zone = &mut model.node_pools[0].shapes[0].zones[0];
        let off = node_local::Config::plain((2, 10), (0, 20), vec![PODS]);
        let on = std::mem::replace(&mut zone.daemon, off.into());
        // 252 are usable.
        let others = brimline::model::Tenant { name: "others".to_owned(), addresses: steps(0, addresses) };
        model.vpc.vswitches[PODS.index()].tenants.push(others);
        let edit = Deed::EditEniConfig(vec![on]);
        let (name, text) = ("edit".to_owned(), "edit".words());
        model.actions.push(Action { name, text, trigger: Trigger::At(at(100)), deed: edit });
        restart_some_at(&mut model, 110, 10, 1);
        journal(&run(&model), "terway_down")
    };
    assert_eq!(down(&[]).len(), 3);
    assert_eq!(down(&[(50, 252)]), [110], "nobody else is touched");
    let late = down(&[(50, 252), (200, 0)]);
    assert!(late.len() == 3 && late[1] > 200, "{late:?}");
}

/// The cluster autoscaler knows what new nodes have from then on.
#[test]
fn the_autoscaler_learns_that_trunking_is_on() {
    let mut model = trunk(1, 5, PODS);
    model.node_pools[0].size = PoolSize::Autoscaled { initial: 1, min: 1, max: 9 };
    let zone = &mut model.node_pools[0].shapes[0].zones[0];
    let off = node_local::Config::plain((2, 10), (0, 20), vec![PODS]);
    let on = std::mem::replace(&mut zone.daemon, off.into());
    let (name, text) = ("edit".to_owned(), "edit".words());
    model.actions.push(Action { name, text, trigger: Trigger::At(at(300)), deed: Deed::EditEniConfig(vec![on]) });
    model.workloads = vec![web(Schedule::Constant(9.0)), own(Schedule::Constant(5.0))];
    model.horizon = Span::mins(12);
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.groups[0].end.nodes), (14, 2));
    assert!(journal(&recording, "node_joined")[1] > 300);
}

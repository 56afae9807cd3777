//! A timeline for everything that happens to nodes.

use brimline::model::{
    AfterCrash, Crashes, Interruptions, PodTemplate, PoolSize, Portion, Replacement, Replicas, Times, WorkloadKind,
    ZoneOutage,
};
use brimline::time::Span;

use super::story::{at, cluster, run, seconds, steps, story, workload};

/// A pod that is ready 5 s after it has its address and takes 20 s to end.
fn slow() -> PodTemplate {
    PodTemplate { readiness: seconds(5), termination: seconds(20), ..PodTemplate::default() }
}

fn web(replicas: u32) -> brimline::model::Workload {
    let replicas = Replicas::Scheduled(steps(replicas, &[]));
    workload("web", WorkloadKind::Deployment { replicas, rollout: None }, slow())
}

fn db(replicas: u32) -> brimline::model::Workload {
    let kind = WorkloadKind::StatefulSet { replicas: steps(replicas, &[]), parallel: false, updates: None };
    workload("db", kind, slow())
}

fn agent() -> brimline::model::Workload {
    workload("agent", WorkloadKind::DaemonSet { rollout: None }, slow())
}

/// A node that is wanted comes after its provisioning; pods without a node are unschedulable
/// until then. Scale-in drains the emptiest: its pods end, then the instance is released with
/// its DaemonSet pods.
#[test]
fn nodes_come_late_and_are_drained_before_they_go() {
    let mut model = cluster(&["z"], 1);
    model.node_pools[0].provisioning = seconds(90);
    model.node_pools[0].size = PoolSize::Scheduled(steps(0, &[(10, 2), (200, 1)]));
    model.workloads = vec![web(2), agent()];
    insta::assert_snapshot!(story(&model, 0));
}

/// Replacement with one node on top: the new one comes first.
#[test]
fn a_replacement_with_surge_launches_first() {
    let mut model = cluster(&["z"], 2);
    model.node_pools[0].provisioning = seconds(30);
    model.node_pools[0].replacement = Some(Replacement {
        at: Times::At(vec![at(60)]),
        max_surge: Portion::Count(1),
        max_unavailable: Portion::Count(0),
    });
    model.workloads = vec![web(2), agent()];
    insta::assert_snapshot!(story(&model, 60));
}

/// Replacement without surge: a node goes first, and the pool never has one more.
#[test]
fn a_replacement_without_surge_drains_first() {
    let mut model = cluster(&["z"], 3);
    model.node_pools[0].provisioning = seconds(30);
    model.node_pools[0].replacement = Some(Replacement {
        at: Times::At(vec![at(60)]),
        max_surge: Portion::Count(0),
        max_unavailable: Portion::Count(1),
    });
    insta::assert_snapshot!(story(&model, 60));
}

/// A spot instance is drained on its notice and released at its end; the pool launches another
/// at once.
#[test]
fn an_interrupted_node_is_drained_within_its_notice() {
    let mut model = cluster(&["z"], 1);
    model.seed = 7;
    model.node_pools[0].provisioning = seconds(30);
    model.node_pools[0].interruptions = Some(Interruptions { every: Span::mins(8), notice: Span::mins(5) });
    model.workloads = vec![web(1), agent()];
    insta::assert_snapshot!(story(&model, 0));
}

/// A crashed node that reboots before its pods are evicted goes on with them: the records are on
/// its disk (R136), and the addresses stay theirs.
#[test]
fn a_node_that_reboots_soon_keeps_its_pods() {
    let mut model = cluster(&["z"], 1);
    model.horizon = Span::mins(30);
    model.node_pools[0].crashes = Some(Crashes { every: Span::mins(20), then: AfterCrash::Reboot(seconds(120)) });
    model.workloads = vec![web(2), db(1)];
    let recording = run(&model);
    let lives = recording.pod_log.iter().filter(|row| row.ended.is_some()).count();
    assert_eq!((recording.pods.requested, lives), (3, 0), "nobody is evicted within 50 s + 5 min");
}

/// Evicted from a node that is down: the Deployment has its successor at once, the StatefulSet's
/// pod comes again only when the old one is gone; when the node is back, its sandboxes have no
/// network namespace, the plugin tells the daemon nothing (R120), and the addresses leak until
/// the second collection, 5 minutes later (R124, R126).
#[test]
fn a_node_that_reboots_late_has_leaked_addresses_until_the_collection() {
    let mut model = cluster(&["y", "z"], 2);
    model.horizon = Span::mins(40);
    model.zone_outages = vec![ZoneOutage { zone: "y".to_owned(), at: at(60), lasts: Span::mins(10) }];
    // The pool has use for the node when it is back.
    model.node_pools[0].size = PoolSize::Scheduled(steps(2, &[(650, 3)]));
    model.node_pools[0].provisioning = seconds(300);
    model.workloads = vec![web(2), db(1)];
    insta::assert_snapshot!(story(&model, 60));
    model.outputs.samples = 40;
    let recording = run(&model);
    let in_use = |minute: usize| recording.timeline.vswitches[1][minute].pods;
    assert_eq!([in_use(0), in_use(5), in_use(10), in_use(15), in_use(17)], [0, 2, 2, 2, 0], "addresses of zone y");
}

/// A crashed node whose instance is released: its addresses come back with it, and its pods come
/// again elsewhere.
#[test]
fn a_released_instance_gives_its_addresses_back() {
    let mut model = cluster(&["z"], 2);
    model.seed = 3;
    model.horizon = Span::mins(60);
    model.node_pools[0].crashes = Some(Crashes { every: Span::mins(90), then: AfterCrash::Release(seconds(120)) });
    model.workloads = vec![db(2), agent()];
    insta::assert_snapshot!(story(&model, 0));
}

/// Zone outage: the pool launches its nodes in the other zone once they are found missing, pods
/// are evicted 5 minutes after that, and the nodes that come back are too many.
#[test]
fn a_zone_outage_moves_nodes_and_pods() {
    let mut model = cluster(&["y", "z"], 4);
    model.horizon = Span::mins(40);
    model.node_pools[0].provisioning = seconds(90);
    model.zone_outages = vec![ZoneOutage { zone: "y".to_owned(), at: at(60), lasts: Span::mins(15) }];
    model.workloads = vec![web(4)];
    insta::assert_snapshot!(story(&model, 60));
}

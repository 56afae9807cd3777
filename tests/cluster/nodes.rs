//! A timeline for everything that happens to nodes.

use std::sync::Arc;

use brimline::ipam::Devices;
use brimline::ipam::centralized::Flavor;
use brimline::model::{
    AfterCrash, Concurrency, CountDist, Crashes, Interruptions, Job, Model, NodePool, PodTemplate, PoolSize, Portion,
    Replacement, Replicas, Resources, Tenant, Times, Trace, TracePod, Workload, WorkloadKind, ZoneOutage,
};
use brimline::time::Span;

use super::story::{self, at, cluster, run, seconds, steps, story, workload};

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
    model.horizon = Span::mins(16);
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

/// Evicted from a node that is down: the Deployment's successor is made at once, the
/// StatefulSet's pod comes again only when the old one is gone. When the node is back, sandboxes
/// have no network namespace, the plugin tells the daemon nothing (R120), and the addresses leak
/// until the first collection after the start, 5 minutes later (R124, R126); the StatefulSet's pod gets its own
/// again.
#[test]
fn a_node_that_reboots_late_has_leaked_addresses_until_the_collection() {
    let mut model = cluster(&["z"], 1);
    // Of another pool, lest all zones are lost.
    model.node_pools.push(NodePool::plain("other", model.node_pools[0].shapes[0].clone(), steps(1, &[])));
    model.horizon = Span::mins(66);
    model.node_pools[0].crashes = Some(Crashes { every: Span::mins(60), then: AfterCrash::Reboot(seconds(900)) });
    model.workloads = vec![web(2), db(1)];
    insta::assert_snapshot!(story(&model, 60));
    model.outputs.samples = 66;
    let recording = run(&model);
    let in_use: Vec<_> = recording.timeline.vswitches[1].iter().map(|holders| holders.pods).collect();
    let levels: Vec<_> = in_use.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
    assert_eq!(levels, [(0, 1), (3, 57), (5, 5), (3, 4)], "addresses in use, and for how many minutes");
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

/// The control plane gives nodes of a zone up one by one, 10 s apart (`doNoExecuteTaintingPass`), and none at all while
/// every zone is lost (`handleDisruption`): pods that are evicted by the end of an outage of 400 s, and when.
#[test]
fn lost_nodes_are_given_up_one_by_one_and_none_if_all_are_lost() {
    let evicted = |zones: &[&str]| {
        let mut model = cluster(zones, 8);
        model.horizon = Span::mins(9);
        model.zone_outages = vec![ZoneOutage { zone: "y".to_owned(), at: at(60), lasts: Span::secs(379) }];
        model.workloads = vec![web(8)];
        let recording = run(&model);
        let ends = recording.pod_log.iter().filter_map(|pod| Some(pod.deleted?.as_millis() / 1000));
        let mut ends: Vec<_> = ends.filter(|&end| end < 439).collect();
        ends.sort_unstable();
        ends
    };
    assert_eq!(evicted(&["y", "z"]), [410, 420, 430], "60 s + 50 s + 5 min, and the fourth is back before its time");
    assert_eq!(evicted(&["y"]), [0; 0]);
}

/// ReplicaSet: nodes with most pods of the Deployment lose theirs first, all that go at once by the ranks of that
/// moment (`getPodsRankedByRelatedPodsOnSameNode`); the newer node keeps its own.
#[test]
fn pods_go_from_the_fullest_nodes_first() {
    let mut model = cluster(&["z"], 1);
    model.node_pools[0].provisioning = seconds(10);
    model.node_pools[0].size = PoolSize::Scheduled(steps(1, &[(60, 2)]));
    let replicas = Replicas::Scheduled(steps(4, &[(120, 6), (300, 4), (400, 3)]));
    model.workloads = vec![workload("web", WorkloadKind::Deployment { replicas, rollout: None }, slow())];
    let recording = run(&model);
    let ends = |from: u64, to: u64| {
        let ended =
            recording.pod_log.iter().filter(|pod| pod.deleted.is_some_and(|end| end >= at(from) && end < at(to)));
        ended.map(|pod| pod.node.expect("it had one").0).collect::<Vec<_>>()
    };
    assert_eq!(ends(300, 400), [0, 0], "four pods are on it, and two on the other");
    assert_eq!(ends(400, 600).len(), 1);
    let last = |node: u32| {
        recording.pod_log.iter().filter(|p| p.deleted.is_none() && p.node.map(|n| n.0) == Some(node)).count()
    };
    assert_eq!((last(0) + last(1), last(0).abs_diff(last(1))), (3, 1));
}

/// A node with pods that nobody would make again stays (`drainability/rules/replicated`).
#[test]
fn the_autoscaler_leaves_alone_what_it_must_not_evict() {
    let removed = |kind: WorkloadKind, safe_to_evict: bool| {
        let mut model = cluster(&["z"], 3);
        model.horizon = Span::mins(60);
        model.node_pools[0].size = PoolSize::Autoscaled { initial: 3, min: 1, max: 3 };
        let pod = PodTemplate { lifetime: Some(seconds(100_000)), safe_to_evict, ..slow() };
        model.workloads = vec![workload("lone", kind, pod)];
        let recording = run(&model);
        recording.journal.iter().filter(|entry| entry.kind == "node_left").count()
    };
    let arrivals = WorkloadKind::Arrivals { per_hour: steps(1800, &[(30, 0)]), group: CountDist::Constant(1) };
    assert_eq!(removed(arrivals, true), 0);
    let replicas = Replicas::Scheduled(steps(9, &[]));
    let web = WorkloadKind::Deployment { replicas, rollout: None };
    assert_eq!(removed(web.clone(), true), 2);
    assert_eq!(removed(web, false), 0, "nor does a node with pods that say so (`rules/notsafetoevict`)");
}

/// Nodes that others drain take nothing of the autoscaler's budget (`NodeDeletionTracker`), and pods that it evicts
/// end after 10 minutes.
#[test]
fn the_autoscaler_counts_its_own_drains_only() {
    let mut model = cluster(&["z"], 3);
    model.horizon = Span::mins(60);
    model.node_pools[0].size = PoolSize::Autoscaled { initial: 3, min: 1, max: 3 };
    let mut other = NodePool::plain("other", model.node_pools[0].shapes[0].clone(), steps(1, &[]));
    other.replacement = Some(Replacement {
        at: Times::At(vec![at(60)]),
        max_surge: Portion::Count(1),
        max_unavailable: Portion::Count(0),
    });
    model.node_pools.push(other);
    let web = |pool: usize, replicas: u32| Workload { node_pools: vec![pool], ..web(replicas) };
    model.workloads = vec![web(0, 3), web(1, 1)];
    model.workloads[1].name = "slow".to_owned();
    model.workloads[0].pod.termination = seconds(3000);
    model.workloads[1].pod.termination = seconds(3000);
    let recording = run(&model);
    let left = recording.journal.iter().filter(|entry| entry.kind == "node_left");
    let left: Vec<_> = left.map(|entry| entry.at.as_millis() / 60_000).collect();
    // Unneeded from the first scan on, drained after 10 min, one at a time, each for 10 min; the other's pod ends later.
    assert_eq!(left, [20, 30, 51]);
}

/// Cluster autoscaler: unschedulable pods bring a node at the next scan and its provisioning, and
/// a node without pods goes after 10 minutes of being unneeded, also 10 minutes after the last
/// scale-up.
#[test]
fn the_autoscaler_adds_and_removes_nodes() {
    let mut model = cluster(&["z"], 1);
    model.horizon = Span::mins(40);
    model.node_pools[0].provisioning = seconds(90);
    model.node_pools[0].size = PoolSize::Autoscaled { initial: 1, min: 1, max: 3 };
    model.node_pools[0].shapes[0].max_pods = 2;
    let replicas = Replicas::Scheduled(steps(1, &[(65, 3), (600, 1)]));
    model.workloads = vec![workload("web", WorkloadKind::Deployment { replicas, rollout: None }, slow())];
    insta::assert_snapshot!(story(&model, 0));
}

/// With more than three nodes and 45 % of all unready the autoscaler does nothing
/// (`--max-total-unready-percentage`): in a cluster of two zones the loss of one stops it.
#[test]
fn the_autoscaler_stops_when_half_of_the_nodes_are_lost() {
    let most = |nodes: u32| {
        let mut model = cluster(&["y", "z"], nodes);
        model.horizon = Span::mins(30);
        model.node_pools[0].size = PoolSize::Autoscaled { initial: nodes, min: 1, max: 3 * nodes };
        model.node_pools[0].shapes[0].max_pods = 1;
        model.zone_outages = vec![ZoneOutage { zone: "y".to_owned(), at: at(60), lasts: Span::mins(20) }];
        model.workloads = vec![web(nodes)];
        model.outputs.samples = 30;
        let recording = run(&model);
        let nodes = |minute: usize| recording.timeline.groups.iter().map(|group| group[minute].nodes).sum::<u32>();
        (nodes(18), recording.timeline.unschedulable[18])
    };
    assert_eq!(most(6), (9, 0), "three unready nodes are tolerated");
    assert_eq!(most(8), (8, 4), "four of eight are too many");
}

/// Cost grows with events, not with nodes × time: a cluster in which nothing happens costs next to
/// nothing for as long as it is watched.
#[test]
fn an_idle_cluster_costs_nothing_over_time() {
    let events = |days: u64| {
        let mut model = cluster(&["y", "z"], 100);
        model.horizon = Span::days(days);
        model.node_pools[0].size = PoolSize::Autoscaled { initial: 100, min: 100, max: 200 };
        model.workloads = vec![web(300), db(20), agent()];
        brimline::sim::run(&model, 0, &brimline::sim::Progress::default()).events
    };
    let (short, long) = (events(10), events(200));
    assert!(long < short + 20, "{short} events in 10 days, {long} in 200");
}

/// A node that is down hears nothing of a pod that is placed on it; when it is back, the pod asks
/// the daemon that has started, not the one that died, and is served without another try.
#[test]
fn a_pod_placed_on_a_node_that_is_down_is_served_when_it_is_back() {
    let mut model = cluster(&["z"], 1);
    model.zone_outages = vec![ZoneOutage { zone: "z".to_owned(), at: at(60), lasts: Span::secs(30) }];
    let replicas = Replicas::Scheduled(steps(0, &[(70, 1)]));
    model.workloads = vec![workload("web", WorkloadKind::Deployment { replicas, rollout: None }, slow())];
    let recording = run(&model);
    let served = recording.pod_log[0].served.expect("the node is back");
    // The daemon of a new life creates an interface (R101); another try came after 10 s at least.
    assert!(served > at(90) && served < at(100), "{served:?}");
    assert_eq!(recording.pods.failures.iter().sum::<u64>(), 0);
}

/// A life that ends while the node is down is over when it is back, not before.
#[test]
fn a_life_that_ends_in_an_outage_is_over_after_it() {
    let mut model = cluster(&["z"], 1);
    model.zone_outages = vec![ZoneOutage { zone: "z".to_owned(), at: at(60), lasts: Span::secs(120) }];
    let pod = PodTemplate { lifetime: Some(seconds(100)), ..slow() };
    model.workloads = vec![Workload { pod, ..web(1) }];
    let recording = run(&model);
    assert_eq!(recording.pod_log[0].deleted, Some(at(180)));
}

/// The containers of a Job's pod start again with its node, and with them its work.
#[test]
fn a_job_begins_anew_when_its_node_is_back() {
    let mut model = cluster(&["z"], 1);
    model.kubelet.teardown = seconds(2);
    model.zone_outages = vec![ZoneOutage { zone: "z".to_owned(), at: at(60), lasts: Span::secs(120) }];
    let job = Job { parallelism: 1, completions: 1, duration: seconds(100), backoff_limit: 6 };
    let kind = WorkloadKind::Job { at: Times::At(vec![at(10)]), job, concurrency: Concurrency::Allow };
    model.workloads = vec![workload("batch", kind, slow())];
    let row = run(&model).pod_log.remove(0);
    assert_eq!((row.served.is_some_and(|served| served < at(60)), row.ended), (true, Some(at(282))));
}

/// A pod of a trace that waits for its address when its node fails departs all the same.
#[test]
fn a_pod_of_a_trace_departs_though_its_node_failed() {
    let mut model = cluster(&["z"], 1);
    model.node_pools[0].shapes[0].max_pods = 30;
    model.zone_outages = vec![ZoneOutage { zone: "z".to_owned(), at: at(60), lasts: Span::secs(30) }];
    // The node has 20 addresses; the last pod waits for ever.
    let pod =
        |i| TracePod { arrive: at(i), depart: at(if i < 20 { 10_000 } else { 300 }), requests: Resources::default() };
    let trace = Trace::Pods(Arc::new((0..21).map(pod).collect()));
    model.workloads = vec![workload("replay", WorkloadKind::Trace(trace), PodTemplate::default())];
    let recording = run(&model);
    assert_eq!(recording.pod_log.iter().find_map(|row| row.ended), Some(at(300)));
}

/// A scale-in takes no more nodes than are too many, also if some of them are down and go at once.
#[test]
fn a_scale_in_right_after_a_failure_takes_no_node_too_many() {
    let mut model = cluster(&["y", "z"], 6);
    model.node_pools[0].provisioning = seconds(90);
    model.node_pools[0].size = PoolSize::Scheduled(steps(6, &[(65, 3)]));
    model.zone_outages = vec![ZoneOutage { zone: "z".to_owned(), at: at(60), lasts: Span::secs(30) }];
    let nodes = nodes_by_minute(&model);
    assert_eq!(nodes[2..], [3; 9], "{nodes:?}");
}

fn replace_at(secs: u64, surge: u32, unavailable: u32) -> Option<Replacement> {
    Some(Replacement {
        at: Times::At(vec![at(secs)]),
        max_surge: Portion::Count(surge),
        max_unavailable: Portion::Count(unavailable),
    })
}

/// Nodes of the pool at every minute, all groups together.
fn nodes_by_minute(model: &Model) -> Vec<u32> {
    let mut model = model.clone();
    model.outputs.samples = (model.horizon.0 / Span::mins(1).0) as u32;
    let groups = run(&model).timeline.groups;
    (0..groups[0].len()).map(|minute| groups.iter().map(|group| group[minute].nodes).sum()).collect()
}

/// Nodes that joined and left, by their numbers.
fn came_and_went(model: &Model) -> (Vec<String>, Vec<String>) {
    let journal = run(model).journal;
    let of =
        |text: &str| journal.iter().filter(|e| e.text.english().contains(text)).map(|e| e.subject.clone()).collect();
    (of("join"), of("left"))
}

/// A pool that will be replaced some day moves its lost nodes to another zone like any other.
#[test]
fn an_outage_long_before_a_replacement_is_no_replacement() {
    let mut model = cluster(&["y", "z"], 4);
    model.node_pools[0].replacement = replace_at(100_000, 0, 1);
    model.zone_outages = vec![ZoneOutage { zone: "z".to_owned(), at: at(60), lasts: Span::mins(30) }];
    let nodes = nodes_by_minute(&model);
    assert_eq!(nodes[5], 6, "two are lost, and two more are there: {nodes:?}");
}

/// A replacement whose surge finds no primary address goes on when there is one.
#[test]
fn a_replacement_goes_on_when_its_launch_succeeds_at_last() {
    let mut model = cluster(&["z"], 2);
    model.horizon = Span::mins(60);
    model.node_pools[0].replacement = replace_at(60, 1, 0);
    let addresses = steps(250, &[(900, 100)]);
    model.vpc.vswitches[0].tenants = vec![Tenant { name: "others".to_owned(), addresses }];
    let (_, left) = came_and_went(&model);
    assert_eq!(left, ["pool-0", "pool-1"]);
}

/// An autoscaled pool keeps its size while it is replaced, and has it afterwards, also without a
/// surge and though its least number is smaller.
#[test]
fn an_autoscaled_pool_is_replaced_without_a_surge() {
    let mut model = cluster(&["z"], 3);
    model.node_pools[0].provisioning = seconds(30);
    model.node_pools[0].size = PoolSize::Autoscaled { initial: 3, min: 1, max: 3 };
    model.node_pools[0].replacement = replace_at(60, 0, 1);
    let (_, left) = came_and_went(&model);
    assert_eq!(left, ["pool-0", "pool-1", "pool-2"]);
    assert_eq!(nodes_by_minute(&model)[5], 3);
}

/// A launch that is lost with its zone: the autoscaler looks again, and launches elsewhere.
#[test]
fn the_autoscaler_launches_again_what_a_zone_outage_took() {
    let mut model = cluster(&["y", "z"], 1);
    model.node_pools[0].provisioning = seconds(90);
    model.node_pools[0].size = PoolSize::Autoscaled { initial: 1, min: 1, max: 3 };
    model.node_pools[0].shapes[0].max_pods = 1;
    model.zone_outages = vec![ZoneOutage { zone: "z".to_owned(), at: at(60), lasts: Span::mins(30) }];
    model.workloads = vec![web(2)];
    assert_eq!(run(&model).pods.unschedulable_at_end, 0);
}

/// A pod that waits for its address when its node crashes asks again when that is back, under each allocator (R135, C115):
/// the kubelet makes a new sandbox for it.
#[test]
fn who_waits_on_a_node_that_crashes_asks_again_when_it_is_back() {
    let mut local = cluster(&["z"], 1);
    local.horizon = Span::mins(6);
    local.zone_outages = vec![ZoneOutage { zone: "z".to_owned(), at: at(67), lasts: Span::mins(2) }];
    let replicas = Replicas::Scheduled(steps(1, &[(66, 3)]));
    local.workloads = vec![workload("web", WorkloadKind::Deployment { replicas, rollout: None }, slow())];
    let centralized = story::centralized(local.clone(), Flavor::of(3, false, false), Devices::default());
    for model in [local, centralized] {
        let pods = run(&model).pod_log;
        let waited: Vec<_> = pods.iter().filter(|row| row.failures > 0).collect();
        assert!(!waited.is_empty() && pods.iter().all(|row| row.served.is_some()));
        let when_it_was_back = at(187)..at(187) + Span::secs(25);
        assert!(
            waited.iter().all(|row| row.failures == 1 && when_it_was_back.contains(&row.served.unwrap_or_default()))
        );
    }
}

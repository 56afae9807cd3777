//! A timeline for each kind of workload.

use std::sync::Arc;

use brimline::chance::SpanDist;
use brimline::model::Unfit;
use brimline::model::{
    Concurrency, CountDist, Hpa, Job, Load, Model, PodTemplate, PoolSize, Portion, Replicas, Resources, Rollout,
    Schedule, Times, Trace, TracePod, WorkloadKind,
};
use brimline::time::{Instant, Span};

use super::story::{at, cluster, run, seconds, steps, story, workload};

/// A pod that is ready 5 s after it has its address and takes 20 s to end.
fn slow() -> PodTemplate {
    PodTemplate { readiness: seconds(5), termination: seconds(20), ..PodTemplate::default() }
}

fn deployment(replicas: Schedule, rollout: Option<Rollout>) -> WorkloadKind {
    WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), rollout }
}

/// ReplicaSet: a pod that is told to end counts no more, so its successor takes an address while
/// it still holds its own.
#[test]
fn a_deployment_scales_and_a_pod_that_ends_holds_its_address() {
    let mut model = cluster(&["z"], 1);
    model.workloads = vec![workload("web", deployment(steps(2, &[(60, 3), (120, 1)]), None), slow())];
    insta::assert_snapshot!(story(&model, 0));
}

/// Deployment rolling update, maxSurge 1 and maxUnavailable 0: one pod more than wanted, and
/// for the time of the old one's termination one address more still.
#[test]
fn a_rollout_with_surge_takes_more_addresses() {
    let mut model = cluster(&["z"], 1);
    let rollout =
        Rollout { at: Times::At(vec![at(60)]), max_surge: Portion::Count(1), max_unavailable: Portion::Count(0) };
    model.workloads = vec![workload("web", deployment(steps(2, &[]), Some(rollout)), slow())];
    insta::assert_snapshot!(story(&model, 60));
}

/// Deployment rolling update, maxSurge 0 and maxUnavailable 1: the old pod goes first, and its
/// successor does not wait for its end.
#[test]
fn a_rollout_without_surge_takes_an_address_more_while_pods_end() {
    let mut model = cluster(&["z"], 1);
    let rollout =
        Rollout { at: Times::At(vec![at(60)]), max_surge: Portion::Count(0), max_unavailable: Portion::Count(1) };
    model.workloads = vec![workload("web", deployment(steps(2, &[]), Some(rollout)), slow())];
    insta::assert_snapshot!(story(&model, 60));
}

/// StatefulSet, OrderedReady: made from the first to the last, each when the one before is ready;
/// updated from the last to the first, each successor only when its predecessor is gone; its
/// address is retained, so that it gets the same one again (R115, R128 to R130).
#[test]
fn a_stateful_set_goes_in_order_and_keeps_its_addresses() {
    let mut model = cluster(&["z"], 1);
    let kind = WorkloadKind::StatefulSet {
        replicas: steps(3, &[(200, 2)]),
        parallel: false,
        updates: Some(Times::At(vec![at(60)])),
    };
    model.workloads = vec![workload("db", kind, slow())];
    insta::assert_snapshot!(story(&model, 0));
}

/// StatefulSet, `podManagementPolicy: Parallel`.
#[test]
fn a_parallel_stateful_set_starts_and_ends_at_once() {
    let mut model = cluster(&["z"], 1);
    let kind = WorkloadKind::StatefulSet { replicas: steps(3, &[(60, 1)]), parallel: true, updates: None };
    model.workloads = vec![workload("db", kind, slow())];
    insta::assert_snapshot!(story(&model, 0));
}

/// DaemonSet: a pod on every node, those that join later too; a rollout replaces
/// maxUnavailable at a time, and a node's next pod comes when the one before is gone.
#[test]
fn a_daemon_set_is_on_every_node() {
    let mut model = cluster(&["z"], 2);
    model.node_pools[0].size = brimline::model::PoolSize::Scheduled(steps(2, &[(30, 3)]));
    let rollout =
        Rollout { at: Times::At(vec![at(60)]), max_surge: Portion::Count(0), max_unavailable: Portion::Count(1) };
    model.workloads = vec![workload("agent", WorkloadKind::DaemonSet { rollout: Some(rollout) }, slow())];
    insta::assert_snapshot!(story(&model, 0));
}

/// DaemonSet rolling update with maxSurge: the new pod comes first, so a node holds two
/// addresses.
#[test]
fn a_daemon_set_with_surge_has_two_pods_on_a_node() {
    let mut model = cluster(&["z"], 2);
    let rollout =
        Rollout { at: Times::At(vec![at(60)]), max_surge: Portion::Count(1), max_unavailable: Portion::Count(0) };
    model.workloads = vec![workload("agent", WorkloadKind::DaemonSet { rollout: Some(rollout) }, slow())];
    insta::assert_snapshot!(story(&model, 60));
}

/// A DaemonSet's pod waits for room on its own node (`syncNodes` binds it by an affinity, and the scheduler filters):
/// with a surge the new pod of a full node never comes, and asks for no address.
#[test]
fn a_daemon_sets_pod_waits_for_room_on_its_node() {
    let mut model = cluster(&["z"], 1);
    let rollout =
        Rollout { at: Times::At(vec![at(60)]), max_surge: Portion::Count(1), max_unavailable: Portion::Count(0) };
    model.workloads = vec![
        workload("agent", WorkloadKind::DaemonSet { rollout: Some(rollout) }, slow()),
        workload("web", deployment(steps(19, &[(300, 18)]), None), slow()),
    ];
    let recording = run(&model);
    let new = recording.pod_log.iter().rfind(|pod| pod.name.workload == 0).expect("the rollout made one");
    assert_eq!(new.pending, Some(Unfit::MaxPods));
    assert!(new.requested >= Some(at(320)), "a pod of web is told to end at 300 s and takes 20 s: {new:?}");
    assert_eq!(recording.pods.served, 21);
}

/// While a node's next pod waits for room there, the end of the old one makes none besides.
#[test]
fn a_daemon_sets_pod_that_waits_is_the_successor() {
    let mut model = cluster(&["z"], 1);
    model.horizon = Span::secs(400);
    let rollout =
        Rollout { at: Times::At(vec![at(60)]), max_surge: Portion::Count(1), max_unavailable: Portion::Count(0) };
    let agent = PodTemplate { lifetime: Some(seconds(200)), ..slow() };
    model.workloads = vec![
        workload("agent", WorkloadKind::DaemonSet { rollout: Some(rollout) }, agent),
        workload("web", deployment(steps(19, &[]), None), slow()),
    ];
    let recording = run(&model);
    let agents: Vec<_> = recording.pod_log.iter().filter(|pod| pod.name.workload == 0).collect();
    assert_eq!(agents.len(), 2);
    assert_eq!(agents[1].requested, agents[0].ended, "it takes the place of the old one");
}

/// Deployment, `scale` in sync.go: a number that changes during a rollout changes both versions in proportion.
#[test]
fn a_rollout_scales_in_proportion() {
    let mut model = cluster(&["z"], 1);
    let share = Portion::Share(0.25);
    let rollout = Rollout { at: Times::At(vec![at(60)]), max_surge: share, max_unavailable: share };
    model.workloads = vec![workload("web", deployment(steps(8, &[(400, 4)]), Some(rollout)), slow())];
    let ended =
        |model: &Model, secs: u64| run(model).pod_log.iter().filter(|pod| pod.deleted == Some(at(secs))).count();
    assert_eq!(ended(&model, 400), 4, "the rollout is over");
    // Six old pods and four new ones, which are not ready, are ten; five may be, three of the old and two of the new.
    model.workloads[0].pod.readiness = seconds(30);
    let WorkloadKind::Deployment { replicas, .. } = &mut model.workloads[0].kind else { unreachable!() };
    *replicas = Replicas::Scheduled(steps(8, &[(80, 4)]));
    assert_eq!(ended(&model, 80), 5);
}

/// A rollout with surge that overtakes another: the pods of the one in the middle go, and the
/// newest come.
#[test]
fn a_daemon_set_rollout_overtakes_another() {
    let mut model = cluster(&["z"], 2);
    let rollout = Rollout {
        at: Times::At(vec![at(60), at(64)]),
        max_surge: Portion::Count(1),
        max_unavailable: Portion::Count(0),
    };
    model.workloads = vec![workload("agent", WorkloadKind::DaemonSet { rollout: Some(rollout) }, slow())];
    let recording = run(&model);
    let ended = recording.pod_log.iter().filter(|row| row.ended.is_some()).count();
    assert_eq!((recording.pod_log.len(), ended), (5, 3), "two old ones, one in the middle");
}

/// A DaemonSet on the node's network takes no address, but what it requests.
#[test]
fn a_daemon_set_on_the_nodes_network_takes_no_address() {
    let mut model = cluster(&["z"], 2);
    model.node_pools[0].shapes[0].allocatable = Resources { cpu_milli: 1000, memory_mib: 1000 };
    let requests = Resources { cpu_milli: 300, memory_mib: 0 };
    let agent = PodTemplate { host_network: true, requests, ..PodTemplate::default() };
    let web = PodTemplate { requests, ..PodTemplate::default() };
    model.workloads = vec![
        workload("agent", WorkloadKind::DaemonSet { rollout: None }, agent),
        workload("web", deployment(steps(9, &[]), None), web),
    ];
    let pods = run(&model).pods;
    assert_eq!((pods.served, pods.unschedulable_at_end), (4, 5), "two on each node beside the agent");
}

/// Job: `parallelism` at once until `completions` have completed; the address is freed at CNI
/// DEL, which follows the end of its containers by `teardown`, and only then the next pod is made
/// (`mergePodStatus` in `pkg/kubelet/status/status_manager.go`).
#[test]
fn a_job_frees_its_addresses_at_cni_del() {
    let mut model = cluster(&["z"], 1);
    model.kubelet.teardown = seconds(2);
    let job = Job { parallelism: 2, completions: 3, duration: seconds(30), backoff_limit: 6 };
    let kind = WorkloadKind::Job { at: Times::At(vec![at(10)]), job, concurrency: Concurrency::Allow };
    model.workloads = vec![workload("batch", kind, slow())];
    insta::assert_snapshot!(story(&model, 0));
}

/// CronJob concurrencyPolicy: both run, the new one waits for the old one (once, whatever was missed), the old one is
/// deleted.
#[test]
fn a_cron_job_overlaps_as_its_policy_says() {
    let served = |concurrency| {
        let mut model = cluster(&["z"], 1);
        let job = Job { parallelism: 4, completions: 4, duration: seconds(150), backoff_limit: 6 };
        let at = Times::Every { first: at(60), period: Span::secs(120) };
        model.kubelet.teardown = seconds(2);
        model.workloads = vec![workload("nightly", WorkloadKind::Job { at, job, concurrency }, slow())];
        let recording = run(&model);
        let completed = recording.pod_log.iter().filter(|row| row.ended.is_some() && row.deleted == row.ended);
        (recording.pods.served, completed.count())
    };
    // Runs begin at 60, 180, 300, 420 and 540 s and need 153 to 156 s.
    assert_eq!(served(Concurrency::Allow), (20, 16));
    // One after the other, the last from about 520 s on.
    assert_eq!(served(Concurrency::Forbid), (16, 12));
    assert_eq!(served(Concurrency::Replace), (20, 0));
}

/// Pods of a Job that are drained count as failures (`isPodFailed`): each in a row doubles the pause before it makes pods again
/// (`backoff_utils.go`), and one more than `backoff_limit` fails it (`syncJob`).
#[test]
fn a_job_fails_with_the_pods_that_are_drained() {
    let story = |backoff_limit| {
        let mut model = cluster(&["z"], 2);
        model.horizon = Span::mins(15);
        model.node_pools[0].size = PoolSize::Scheduled(steps(2, &[(60, 1)]));
        let job = Job { parallelism: 6, completions: 6, duration: seconds(500), backoff_limit };
        let kind = WorkloadKind::Job { at: Times::At(vec![at(10)]), job, concurrency: Concurrency::Allow };
        model.workloads = vec![workload("batch", kind, slow())];
        let recording = run(&model);
        let asked: Vec<_> = recording.pod_log.iter().filter_map(|row| row.requested).collect();
        let completed = recording.pod_log.iter().filter(|row| row.ended.is_some() && row.deleted == row.ended).count();
        let ends = recording.pod_log.iter().filter(|row| row.deleted != row.ended);
        let deleted: Vec<_> = ends.filter_map(|row| row.deleted).collect();
        (asked, deleted, completed, recording.pods.failed_jobs)
    };
    // Three of six are drained at 60 s: 40 s later three come again.
    let (asked, deleted, completed, failed) = story(3);
    assert_eq!(asked, [[at(10); 6].as_slice(), &[at(100); 3]].concat());
    assert_eq!((deleted, completed, failed), (vec![at(60); 3], 6, 0));
    // The third is one too many: all are deleted, none comes again.
    let (asked, deleted, completed, failed) = story(2);
    assert_eq!((asked, deleted, completed, failed), (vec![at(10); 6], vec![at(60); 6], 0, 1));
}

/// Arrivals come by themselves, each for its own lifetime, and nobody replaces them.
#[test]
fn arrivals_come_in_groups_and_go() {
    let mut model = cluster(&["z"], 1);
    model.horizon = Span::hours(10);
    let pod = PodTemplate { lifetime: Some(seconds(20)), ..PodTemplate::default() };
    let kind =
        WorkloadKind::Arrivals { per_hour: Schedule::Constant(120.0), group: CountDist::Geometric { mean: 2.0 } };
    model.workloads = vec![workload("functions", kind, pod)];
    let recording = run(&model);
    // 1,200 groups of 2 pods; the standard deviation of the sum is sqrt(1200 × (2 + 4)) = 85.
    assert!(recording.pods.served.abs_diff(2400) < 4 * 85, "{}", recording.pods.served);
    assert!(recording.groups[0].end.running < 20);
    let lives = recording.pod_log.iter().filter_map(|row| row.served.zip(row.deleted));
    assert!(lives.into_iter().all(|(from, to)| to.since(from) == Span::secs(20)));
}

/// A trace's pods come and go at their times, whether they got an address or not.
#[test]
fn a_trace_is_followed_to_the_second() {
    let mut model = cluster(&["z"], 1);
    let pod = |arrive, depart| TracePod { arrive, depart, requests: Resources::default() };
    let pods = vec![pod(at(0), at(30)), pod(at(10), at(11)), pod(at(20), Instant::NEVER), pod(at(40), at(70))];
    model.workloads =
        vec![workload("replay", WorkloadKind::Trace(Trace::Pods(Arc::new(pods))), PodTemplate::default())];
    insta::assert_snapshot!(story(&model, 0));
}

/// HorizontalPodAutoscaler: the load of 4 busy pods at a target of 50 % wants 8 pods.
#[test]
fn an_hpa_follows_its_load() {
    let mut model = cluster(&["z"], 1);
    model.horizon = Span::mins(40);
    let load = Load { base: steps(2, &[(600, 4), (1200, 1)]), daily: 0.0, peak: Span::ZERO, weekend: 1.0, noise: 0.0 };
    let hpa = Hpa {
        min: 1,
        max: 10,
        target: 0.5,
        load,
        sync_period: Span::secs(15),
        tolerance: 0.1,
        stabilization_down: Span::mins(5),
    };
    let kind = WorkloadKind::Deployment { replicas: Replicas::Autoscaled(hpa), rollout: None };
    model.workloads = vec![workload("web", kind, slow())];
    model.outputs.samples = 40;
    let recording = run(&model);
    let running = |minute: usize| recording.timeline.groups[0][minute].running;
    assert_eq!([running(9), running(12), running(21), running(24), running(39)], [4, 8, 8, 8, 2]);
}

/// The lifetime of pods is drawn for each, and a new one comes when one ends.
#[test]
fn pods_are_replaced_when_their_life_is_over() {
    let mut model = cluster(&["z"], 1);
    let pod = PodTemplate { lifetime: Some(SpanDist::Uniform(Span::secs(30), Span::secs(60))), ..slow() };
    model.workloads = vec![workload("web", deployment(steps(3, &[]), None), pod)];
    let recording = run(&model);
    assert!(recording.pods.served > 30);
    assert_eq!(recording.groups[0].end.running + recording.groups[0].end.waiting, 3);
}

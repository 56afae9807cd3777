//! DaemonSets whose pods ask for what nodes offer: members of their trunk, addresses for RDMA.

use brimline::id::VSwitchId;
use brimline::ipam::Config;
use brimline::ipam::node_local::{self, Rdma, Trunk};
use brimline::ipam::pod_eni::{Kind, Policy};
use brimline::model::Unfit;
use brimline::model::{
    Model, PodNetworking, PodTemplate, PoolSize, Portion, Replacement, Replicas, Rollout, Times, Workload, WorkloadKind,
};
use brimline::time::Span;

use super::story::{at, cluster, run, seconds, steps, workload};

/// A cluster whose nodes have a trunk of `members` each.
fn trunk(nodes: u32, members: u32) -> Model {
    let mut model = cluster(&["a"], nodes);
    let limits = &mut model.node_pools[0].shapes[0].limits;
    (limits.trunk, limits.total_adapters) = (Some(true), Some(limits.adapters + members));
    let pods = node_local::Config::plain((2, 10), (0, 20), vec![VSwitchId(1)]);
    model.node_pools[0].shapes[0].zones[0].daemon =
        Config::from(node_local::Config { trunk: Some(Trunk { members }), ..pods });
    let vswitches = vec![VSwitchId(1)];
    model.pod_networkings.push(PodNetworking {
        name: "own".to_owned(),
        kind: Kind::Member,
        vswitches,
        policy: Policy::Ordered,
        fixed: None,
    });
    model
}

fn agent(rollout: Option<Rollout>) -> Workload {
    let pod = PodTemplate { pod_networkings: vec![0], ..PodTemplate::default() };
    workload("agent", WorkloadKind::DaemonSet { rollout }, pod)
}

/// C145: each node has one, with a member of its own, a node that joins too once it offers one.
#[test]
fn c145_a_daemon_set_has_a_member_on_each_node() {
    let mut model = trunk(2, 5);
    model.node_pools[0].size = PoolSize::Scheduled(steps(2, &[(100, 3)]));
    model.node_pools[0].provisioning = seconds(0);
    model.workloads = vec![agent(None)];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.groups[0].end.enis), (3, 6));
    let asked: Vec<_> = recording.pod_log.iter().map(|pod| pod.requested).collect();
    assert_eq!(asked[..2], [Some(at(0)); 2]);
    assert!(asked[2] > Some(at(100)), "{asked:?}");
    assert!(recording.binding.is_empty(), "{:?}", recording.binding);
}

/// Where others have taken every member of a node, its pod waits for one, which a place elsewhere does not help.
#[test]
fn c145_it_waits_for_a_member_of_its_node() {
    let mut model = trunk(1, 1);
    model.node_pools[0].size = PoolSize::Scheduled(steps(1, &[(100, 2)]));
    model.node_pools[0].provisioning = seconds(0);
    // It comes before the second node, and so before that one's pod.
    let kind = WorkloadKind::Deployment { replicas: Replicas::Scheduled(steps(1, &[(300, 0)])), rollout: None };
    let pod = PodTemplate { pod_networkings: vec![0], ..PodTemplate::default() };
    model.workloads = vec![workload("web", kind, pod), agent(None)];
    let recording = run(&model);
    let late = recording.pod_log.iter().max_by_key(|pod| pod.requested).expect("there are pods");
    assert_eq!((recording.pods.served, late.name.workload), (3, 1));
    assert!(late.pending == Some(Unfit::MemberEnis) && late.requested >= Some(at(300)), "{late:?}");
}

/// A node that goes takes the pod with it that waits for it; one that is replaced has another.
#[test]
fn a_pod_that_waits_goes_with_its_node() {
    let mut model = trunk(2, 0);
    model.node_pools[0].replacement = Some(Replacement {
        at: Times::At(vec![at(60)]),
        max_surge: Portion::Count(1),
        max_unavailable: Portion::Count(0),
    });
    model.node_pools[0].provisioning = seconds(5);
    model.workloads = vec![agent(None)];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.unschedulable_at_end), (0, 2));
    assert_eq!(recording.pod_log.len(), 4);
}

/// A rollout replaces those that run and those that wait, with a surge too.
#[test]
fn a_rollout_replaces_those_that_wait() {
    for max_surge in [0, 1] {
        let mut model = trunk(2, 1);
        let at = Times::At(vec![at(200)]);
        let max_unavailable = Portion::Count(1 - max_surge);
        let rollout = Rollout { at, max_surge: Portion::Count(max_surge), max_unavailable };
        model.workloads = vec![agent(Some(rollout))];
        model.horizon = Span::mins(30);
        let recording = run(&model);
        let there = recording.pod_log.iter().filter(|pod| pod.ended.is_none()).count();
        // With a surge the new ones find no second member, and the old ones stay.
        assert_eq!((recording.groups[0].end.running, there), (2, 2 + max_surge as usize));
    }
}

/// R41: addresses for RDMA likewise; ordinary DaemonSets take any place.
#[test]
fn r41_a_daemon_set_with_rdma() {
    let mut model = cluster(&["a"], 1);
    let rdma = Some(Rdma { slots: 1, crowded_from: 2, is_told: true });
    let pods = node_local::Config::plain((2, 2), (0, 20), vec![VSwitchId(1)]);
    model.node_pools[0].shapes[0].zones[0].daemon = Config::from(node_local::Config { rdma, ..pods });
    let pod = PodTemplate { erdma: true, ..PodTemplate::default() };
    let daemon = |name: &str| workload(name, WorkloadKind::DaemonSet { rollout: None }, pod.clone());
    model.workloads = vec![daemon("one"), daemon("two"), daemon("three")];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.unschedulable_at_end), (2, 1));
}

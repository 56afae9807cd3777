//! Pods that ask for RDMA: nodes offer so many addresses (`aliyun/erdma`), and such pods find a node by them.

use brimline::id::VSwitchId;
use brimline::ipam::centralized::Flavor;
use brimline::ipam::node_local::{self, Rdma};
use brimline::ipam::{Config, Devices};
use brimline::model::Unfit;
use brimline::model::{
    Action, Deed, Model, PodTemplate, PoolSize, Portion, Replicas, Restart, Schedule, Trigger, Workload, WorkloadKind,
};
use brimline::record::Cause;
use brimline::text::Words;
use brimline::time::Span;

use super::story::{self, at, cluster, run, seconds, steps, workload};

/// A cluster whose nodes have an interface of ten addresses for RDMA beside an ordinary one.
fn node_local(nodes: u32) -> Model {
    let mut model = cluster(&["a"], nodes);
    let rdma = Some(Rdma { slots: 1, crowded_from: 2, is_told: true });
    let pods = node_local::Config::plain((2, 10), (0, 20), vec![VSwitchId(1)]);
    model.node_pools[0].shapes[0].zones[0].daemon = Config::from(node_local::Config { rdma, ..pods });
    model
}

/// The same with centralized IPAM; nodes offer `rdma` addresses.
fn centralized(nodes: u32, rdma: u32) -> Model {
    story::centralized(
        cluster(&["a"], nodes),
        Flavor::of(3, false, true),
        Devices { members: 0, rdma, ..Devices::default() },
    )
}

fn rdma(replicas: Schedule) -> Workload {
    let kind = WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), rollout: None };
    workload("rdma", kind, PodTemplate { erdma: true, ..PodTemplate::default() })
}

/// R41, C163: what nodes offer is counted; ordinary pods do not need any.
#[test]
fn r41_a_node_offers_so_many_addresses() {
    for mut model in [node_local(1), centralized(1, 10)] {
        let kind = WorkloadKind::Deployment { replicas: Replicas::Scheduled(Schedule::Constant(7.0)), rollout: None };
        model.workloads = vec![rdma(Schedule::Constant(12.0)), workload("web", kind, PodTemplate::default())];
        let recording = run(&model);
        assert_eq!((recording.pods.served, recording.pods.waiting_at_end), (17, 0));
        assert_eq!(recording.pods.unschedulable_at_end, 2);
        assert_eq!(recording.pods.unschedulable_by[Unfit::Rdma.index()], 2);
        assert_eq!(recording.binding.iter().map(|&(_, cause)| cause).collect::<Vec<_>>(), [Cause::Rdma]);
    }
}

/// R41: such pods go to the nodes that have some, while they have.
#[test]
fn r41_pods_go_where_rdma_is() {
    let mut model = node_local(2);
    let other = model.node_pools[0].clone();
    model.node_pools.push(brimline::model::NodePool { name: "plain".to_owned(), ..other });
    model.node_pools[1].shapes[0].zones[0].daemon =
        Config::from(node_local::Config::plain((2, 10), (0, 20), vec![VSwitchId(1)]));
    model.workloads = vec![Workload { node_pools: vec![0, 1], ..rdma(Schedule::Constant(20.0)) }];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.unschedulable_at_end), (20, 0));
    assert_eq!(recording.groups.iter().map(|group| group.end.running).collect::<Vec<_>>(), [20, 0]);
}

/// C163: the control plane's nodes offer the addresses of as many interfaces as ERDMARes says, and have one of them.
#[test]
fn c163_more_are_offered_than_there_are() {
    let mut model = centralized(1, 20);
    model.workloads = vec![rdma(Schedule::Constant(12.0))];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.waiting_at_end, recording.pods.unschedulable_at_end), (10, 2, 0));
}

/// R41, C163: whoever offers them is the daemon, and while that is down nobody does.
#[test]
fn r41_none_are_offered_while_the_daemon_is_down() {
    for mut model in [node_local(1), centralized(1, 10)] {
        model.workloads = vec![rdma(steps(2, &[(210, 3)]))];
        let restart = Restart { pools: vec![0], at_most_at_once: Portion::Count(9), takes: Span::secs(60) };
        let (name, text) = ("restart".to_owned(), "restart".words());
        model.actions.push(Action { name, text, trigger: Trigger::At(at(200)), deed: Deed::RestartTerway(restart) });
        let recording = run(&model);
        let asked: Vec<_> = recording.pod_log.iter().filter_map(|pod| pod.requested).collect();
        assert_eq!(asked, [at(0), at(0), at(260)]);
        assert_eq!(recording.pods.served, 3);
    }
}

/// The cluster autoscaler counts them too.
#[test]
fn the_autoscaler_adds_nodes_for_rdma() {
    let mut model = node_local(1);
    model.node_pools[0].size = PoolSize::Autoscaled { initial: 1, min: 1, max: 9 };
    model.node_pools[0].provisioning = seconds(60);
    model.workloads = vec![rdma(steps(10, &[(100, 25)]))];
    model.horizon = Span::mins(20);
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.groups[0].end.nodes), (25, 3));
}

//! Nodes on which every pod has an interface of its own.

use brimline::id::VSwitchId;
use brimline::ipam::kube_client::KubeClient;
use brimline::ipam::pod_eni::{Kind, NodeConfig, Policy};
use brimline::model::Unfit;
use brimline::model::{PodNetworking, PodTemplate, PoolSize, Replicas, Schedule, Tenant, WorkloadKind, ZoneOutage};
use brimline::time::Span;

use super::story::{at, cluster, run, steps, workload};

/// Daemons that are told of PodENIs.
fn exclusive(slots: u32, replicas: Schedule) -> brimline::model::Model {
    with_daemon(slots, replicas, false)
}

fn with_daemon(slots: u32, replicas: Schedule, polls: bool) -> brimline::model::Model {
    let mut model = cluster(&["a"], 1);
    let shape = &mut model.node_pools[0].shapes[0];
    shape.max_pods = slots;
    shape.zones[0].daemon =
        NodeConfig { slots, vswitches: vec![VSwitchId(1)], polls, kube_client: KubeClient::UNLIMITED }.into();
    let kind = WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), rollout: None };
    model.workloads.push(workload("web", kind, PodTemplate::default()));
    model
}

/// C144, C146: two interfaces beside the primary one are two pods with one address each; the third
/// pod finds no node.
#[test]
fn c146_a_pod_is_an_interface_and_an_address() {
    let recording = run(&exclusive(2, Schedule::Constant(3.0)));
    assert_eq!((recording.vswitches[1].end.pods, recording.vswitches[1].end.idle), (2, 0));
    assert_eq!((recording.groups[0].end.enis, recording.pods.served), (2, 2));
    // Look-up, create and attach take 1 s each, the informer 0.5 s, the attach sleeps 3 s and looks for
    // another second; the wait for it looks every 1 to 1.3 s.
    assert!(recording.pods.wait_ms.min() >= 7_500 && recording.pods.wait_ms.max() < 9_000);
}

/// C151: the pods are gone after five minutes, and so are their interfaces and addresses.
#[test]
fn c151_nothing_is_left_of_pods_that_are_gone() {
    let recording = run(&exclusive(2, steps(2, &[(300, 0)])));
    assert_eq!(recording.pods.served, 2);
    assert_eq!((recording.vswitches[1].end.pods, recording.vswitches[1].end.idle), (0, 0));
    assert_eq!(recording.groups[0].end.enis, 0);
}

/// C151: nothing is made for a pod that waits on a lost node and has been evicted (`pod_controller.go:162-164`), though its
/// vSwitch has addresses again; one that is only lost gets its interface.
#[test]
fn c151_nothing_is_made_for_a_pod_that_was_told_to_end() {
    let taken = |eviction_after: Span| {
        let mut model = cluster(&["y", "z"], 2);
        model.horizon = Span::mins(30);
        let shape = &mut model.node_pools[0].shapes[0];
        shape.max_pods = 1;
        for (i, zone) in shape.zones.iter_mut().enumerate() {
            let (vswitches, kube_client) = (vec![VSwitchId::new(2 * i + 1)], KubeClient::UNLIMITED);
            zone.daemon = NodeConfig { slots: 1, vswitches, polls: false, kube_client }.into();
        }
        let addresses = steps(252, &[(900, 0)]);
        model.vpc.vswitches[1].tenants = vec![Tenant { name: "others".to_owned(), addresses }];
        model.zone_outages = vec![ZoneOutage { zone: "y".to_owned(), at: at(60), lasts: Span::mins(60) }];
        model.control_plane.eviction_after = eviction_after;
        model.node_pools[0].size = PoolSize::Scheduled(steps(2, &[]));
        let kind = WorkloadKind::Deployment { replicas: Replicas::Scheduled(steps(2, &[])), rollout: None };
        model.workloads.push(workload("web", kind, PodTemplate::default()));
        let left = run(&model).vswitches[1].end;
        252 - left.free
    };
    assert_eq!(taken(Span::mins(5)), 0);
    assert_eq!(taken(Span::hours(2)), 1);
}

/// C156, `daemon/builder.go:376-377`: where daemons allocate, that of an exclusive node looks at the PodENI
/// every 1 to 1.3 s, so that its pods wait longer than those of a daemon that is told.
#[test]
fn c156_a_daemon_of_node_local_ipam_looks_again_and_again() {
    let wait = |polls| run(&with_daemon(2, Schedule::Constant(2.0), polls)).pods.wait_ms;
    let (told, polls) = (wait(false), wait(true));
    assert_eq!((told.len(), polls.len()), (2, 2));
    let late = |of: fn(&_) -> u64| of(&polls) - of(&told);
    assert!(late(|waits| waits.min()) > 0 && late(|waits| waits.max()) <= 1_300);
}

/// R125, `daemon/builder.go:421, 514`: a collection waits for the ADD of a pod that hangs on a full vSwitch, and a pod that is
/// deleted meanwhile keeps its interface. Without such a pod nobody waits.
#[test]
fn r125_a_pod_that_hangs_freezes_its_node() {
    let frozen = |stuck: u32| {
        let keeps_it = |&deleted: &u64| {
            let mut model = exclusive(6, steps(4, &[(deleted, 3)]));
            model.node_pools[0].shapes[0].limits.adapters = 7;
            // Four addresses.
            model.vpc.vswitches[1].cidr = "10.1.0.0/29".parse().expect("a block");
            let replicas = Replicas::Scheduled(steps(0, &[(60, stuck)]));
            let kind = WorkloadKind::Deployment { replicas, rollout: None };
            model.workloads.push(workload("stuck", kind, PodTemplate::default()));
            model.horizon = Span::secs(deleted + 2);
            run(&model).vswitches[1].end.pods == 4
        };
        (400..700).step_by(10).filter(keeps_it).collect::<Vec<_>>()
    };
    // The collection is due at 424.9 s, and the pod that hangs has asked from 317.2 s on.
    assert_eq!((frozen(0), frozen(1)), (vec![], vec![430]));
}

/// A PodNetworking whose interfaces are attached to nodes themselves (`eniOptions.eniType: ENI`): its pods ask for `aliyun/eni`,
/// go to exclusive nodes only, and are on its own vSwitch, with two networks on an interface of each (C147, C154,
/// `pkg/controller/webhook/mutating.go:373-391`).
#[test]
fn c154_exclusive_pods_have_the_vswitches_of_their_networks() {
    let mut model = exclusive(5, Schedule::Constant(0.0));
    model.node_pools[0].shapes[0].limits.adapters = 6;
    let network = |vswitch| PodNetworking {
        name: format!("on-{vswitch}"),
        kind: Kind::Exclusive,
        vswitches: vec![VSwitchId::new(vswitch)],
        policy: Policy::Ordered,
        fixed: None,
    };
    model.pod_networkings = vec![network(0), network(1)];
    let mut shared = cluster(&["a"], 1).node_pools.remove(0);
    shared.name = "shared".to_owned();
    model.node_pools.push(shared);
    model.workloads[0].pod.pod_networkings = vec![0, 1];
    model.workloads[0].node_pools = vec![0, 1];
    model.workloads[0].kind =
        WorkloadKind::Deployment { replicas: Replicas::Scheduled(Schedule::Constant(3.0)), rollout: None };
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.vswitches[0].end.pods, recording.vswitches[1].end.pods), (2, 2, 2));
    assert_eq!((recording.groups[0].end.running, recording.groups[1].end.running), (2, 0));
    assert_eq!(recording.pods.unschedulable_at_end_by[Unfit::ExclusiveEnis.index()], 1);
}

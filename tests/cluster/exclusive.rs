//! Nodes on which every pod has an interface of its own.

use brimline::id::VSwitchId;
use brimline::ipam::pod_eni::NodeConfig;
use brimline::model::{PodTemplate, Replicas, Schedule, WorkloadKind};

use super::story::{cluster, run, steps, workload};

fn exclusive(slots: u32, replicas: Schedule) -> brimline::model::Model {
    let mut model = cluster(&["a"], 1);
    let shape = &mut model.node_pools[0].shapes[0];
    shape.max_pods = slots;
    shape.zones[0].daemon = NodeConfig { slots, vswitches: vec![VSwitchId(1)] }.into();
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

//! Pods of PodNetworkings: members of their node's trunk, with elastic and with fixed addresses.

use brimline::id::VSwitchId;
use brimline::ipam::centralized::Flavor;
use brimline::ipam::pod_eni::{Kind, Policy, Retention};
use brimline::ipam::{Config, Devices};
use brimline::model::Unfit;
use brimline::model::{
    Action, Deed, Model, PodNetworking, PodTemplate, PoolSize, Replicas, Schedule, Tenant, Times, Trigger, Workload,
    WorkloadKind,
};
use brimline::openapi::Api;
use brimline::record::{Cause, Recording};
use brimline::text::Words;
use brimline::time::Span;

use super::story::{self, at, cluster, run, steps, workload};

/// The vSwitch of the nodes of the first zone.
const NODES: VSwitchId = VSwitchId(0);

/// A cluster with a trunk of `members` on each node; the vSwitches of pods are those of the PodNetworking
/// too.
fn trunk(zones: &[&str], nodes: u32, members: u32, fixed: Option<Retention>) -> Model {
    let mut model = cluster(zones, nodes);
    let limits = &mut model.node_pools[0].shapes[0].limits;
    (limits.trunk, limits.total_adapters) = (Some(true), Some(limits.adapters + members));
    let mut model =
        story::centralized(model, Flavor::of(3, true, false), Devices { members, rdma: 0, ..Devices::default() });
    let vswitches = (0..zones.len()).map(|i| VSwitchId::new(2 * i + 1)).collect();
    model.pod_networkings.push(PodNetworking {
        name: "own".to_owned(),
        kind: Kind::Member,
        vswitches,
        policy: Policy::Ordered,
        fixed,
    });
    model
}

fn own(kind: WorkloadKind) -> Workload {
    workload("own", kind, PodTemplate { pod_networkings: vec![0], ..PodTemplate::default() })
}

fn deployment(replicas: Schedule) -> WorkloadKind {
    WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), rollout: None }
}

fn stateful_set(replicas: Schedule) -> WorkloadKind {
    WorkloadKind::StatefulSet { replicas, parallel: true, updates: None }
}

fn held(recording: &Recording, vswitch: usize) -> u32 {
    recording.vswitches[vswitch].end.held.unwrap_or(0)
}

/// C145: members are counted by themselves, and the trunk's own addresses serve the other pods; the third
/// pod of the PodNetworking finds no node.
#[test]
fn c145_a_node_has_so_many_members() {
    let mut model = trunk(&["a"], 1, 2, None);
    model.workloads.push(own(deployment(Schedule::Constant(3.0))));
    model.workloads.push(workload("web", deployment(Schedule::Constant(4.0)), PodTemplate::default()));
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.unschedulable_at_end), (6, 1));
    assert!(recording.pods.unschedulable_by[Unfit::MemberEnis.index()] > 0);
    // The trunk and two members; of the trunk's addresses four serve.
    assert_eq!((recording.groups[0].end.enis, recording.vswitches[1].end.pods), (3, 6));
}

/// C146, C151: a member is one address, and nothing is left of pods that are gone.
#[test]
fn c151_elastic_members_go_with_their_pods() {
    let mut model = trunk(&["a"], 1, 5, None);
    model.workloads.push(own(deployment(steps(4, &[(300, 0)]))));
    let recording = run(&model);
    assert_eq!(recording.pods.served, 4);
    // The trunk stays, with its primary address.
    let end = recording.vswitches[1].end;
    assert_eq!((end.pods, end.idle, recording.groups[0].end.enis), (0, 1, 1));
}

/// C145: no node offers members before its trunk is in use, so a pod of time zero is pending until then.
#[test]
fn c145_pods_wait_for_the_trunk() {
    let mut model = trunk(&["a"], 1, 5, None);
    model.workloads.push(own(deployment(Schedule::Constant(1.0))));
    let recording = run(&model);
    let pod = &recording.pod_log[0];
    // Look-up, create and attach take 1 s each, a sleep of 3 s and the look 1 s at least.
    let placed = pod.requested.expect("it found a node");
    assert!(placed > at(6) && placed < at(15), "{placed:?}");
    assert_eq!(recording.pods.served, 1);
}

/// C152: addresses of pods that are gone are held, on no interface of a node, and are a holder of their own.
#[test]
fn c152_fixed_addresses_outlive_their_pods() {
    let mut model = trunk(&["a"], 1, 5, Some(Retention::After(Span::hours(1))));
    model.workloads.push(own(stateful_set(steps(4, &[(300, 1)]))));
    let recording = run(&model);
    let end = recording.vswitches[1].end;
    assert_eq!((end.pods, end.held, end.idle), (1, Some(3), 1));
    assert_eq!(recording.groups[0].end.enis, 2);
}

/// C153: they are free once their time is up, which is looked at every minute or two.
#[test]
fn c153_fixed_addresses_are_released_in_time() {
    let mut model = trunk(&["a"], 1, 5, Some(Retention::After(Span::mins(2))));
    model.workloads.push(own(stateful_set(steps(4, &[(300, 1)]))));
    model.horizon = Span::mins(5 + 2 + 5);
    let recording = run(&model);
    assert_eq!((held(&recording, 1), recording.vswitches[1].end.pods), (0, 1));
}

/// C153: pods that come again and find no node keep their addresses for longer than their time, and have them again.
#[test]
fn c153_pods_without_a_node_keep_their_addresses() {
    let mut model = trunk(&["a"], 1, 5, Some(Retention::After(Span::mins(2))));
    model.workloads.push(own(stateful_set(Schedule::Constant(4.0))));
    model.node_pools[0].size = PoolSize::Scheduled(steps(1, &[(300, 0), (2000, 1)]));
    model.horizon = Span::secs(1900);
    let alone = run(&model);
    assert_eq!((held(&alone, 1), alone.pods.unschedulable_at_end), (4, 4));
    model.horizon = Span::mins(40);
    let back = run(&model);
    assert_eq!((held(&back, 1), back.vswitches[1].end.pods, back.pods.served), (0, 4, 8));
    let addresses = |served: usize| {
        let lives = back.pod_log.iter().filter(|life| (life.served > Some(at(2000))) == (served == 1));
        let mut all: Vec<_> = lives.map(|life| (life.name, life.address)).collect();
        all.sort();
        all
    };
    assert_eq!(addresses(0), addresses(1));
}

/// C152: a pod that comes again has the same address, also on another node of the zone, also when its
/// instance is gone.
#[test]
fn c152_a_fixed_address_comes_back_on_another_node() {
    let mut model = trunk(&["a"], 2, 5, Some(Retention::Forever));
    model.workloads.push(own(stateful_set(Schedule::Constant(3.0))));
    model.node_pools[0].replacement = Some(brimline::model::Replacement {
        at: Times::At(vec![at(300)]),
        max_surge: brimline::model::Portion::Count(1),
        max_unavailable: brimline::model::Portion::Count(0),
    });
    model.horizon = Span::mins(20);
    let recording = run(&model);
    let mut of_pod = std::collections::BTreeMap::<_, Vec<_>>::new();
    for row in recording.pod_log.iter().filter(|row| row.address.is_some()) {
        of_pod.entry(row.name).or_default().push((row.node, row.address));
    }
    assert_eq!(of_pod.len(), 3);
    for (name, lives) in of_pod {
        assert!(lives.len() > 1, "{name:?} was moved");
        assert!(lives.windows(2).all(|two| two[0].1 == two[1].1 && two[0].0 != two[1].0), "{name:?}: {lives:?}");
    }
    let end = recording.vswitches[1].end;
    assert_eq!((end.pods, end.held), (3, Some(0)));
}

/// C152: it comes back in its zone or not at all: the webhook binds the pod to that.
#[test]
fn c152_a_fixed_address_keeps_its_zone() {
    let mut model = trunk(&["a", "b"], 2, 5, Some(Retention::Forever));
    model.workloads.push(own(stateful_set(steps(2, &[(200, 0), (300, 2)]))));
    model.horizon = Span::mins(15);
    let recording = run(&model);
    let zones: Vec<_> = recording.pod_log.iter().filter_map(|row| Some((row.name, row.vswitch?))).collect();
    assert_eq!(zones.len(), 4, "two pods, twice");
    for (name, vswitch) in &zones {
        assert!(zones.iter().filter(|(other, _)| other == name).all(|(_, other)| other == vswitch), "{zones:?}");
    }
}

/// C147: pods may only be where the PodNetworking has a vSwitch.
#[test]
fn c147_pods_stay_in_the_zones_of_the_vswitches() {
    let mut model = trunk(&["a", "b"], 2, 2, None);
    model.pod_networkings[0].vswitches.truncate(1);
    model.workloads.push(own(deployment(Schedule::Constant(4.0))));
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.unschedulable_at_end), (2, 2));
    assert_eq!((recording.vswitches[1].end.pods, recording.vswitches[3].end.pods), (2, 0));
}

/// A vSwitch that fixed addresses fill is full of them, though hardly a pod runs.
#[test]
fn c152_fixed_addresses_fill_a_vswitch() {
    let mut model = trunk(&["a"], 1, 9, Some(Retention::Forever));
    model.vpc.vswitches[1].cidr = "10.1.0.0/29".parse().expect("a block");
    model.workloads.push(own(stateful_set(steps(3, &[(200, 0)]))));
    model.workloads.push(workload("web", deployment(steps(0, &[(300, 3)])), PodTemplate::default()));
    let recording = run(&model);
    let full = recording.vswitches[1].first_refusal.expect("four of four usable are taken");
    assert_eq!((full.who.held, full.who.pods), (Some(3), 1));
    assert_eq!(recording.pods.waiting_at_end, 2, "the trunk has one address for three pods");
}

/// C74, C81: both controllers of the process have one cache: what one of them knows of a vSwitch the other does
/// not look up.
#[test]
fn c74_the_cache_is_shared_by_all_controllers() {
    let mut model = trunk(&["a"], 2, 9, None);
    model.vpc.vswitches[1].cidr = "10.1.0.0/28".parse().expect("a block");
    model.workloads.push(workload("web", deployment(steps(0, &[(100, 30)])), PodTemplate::default()));
    let alone = run(&model);
    model.workloads.push(own(deployment(steps(0, &[(200, 5)]))));
    let both = run(&model);
    let look_ups = |recording: &Recording| recording.calls[Api::DescribeVSwitches.index()];
    assert!(look_ups(&alone) > 0 && both.pods.waiting_at_end == alone.pods.waiting_at_end + 5);
    assert_eq!(look_ups(&both), look_ups(&alone));
}

/// C11, C63, C145: trunking that is switched on while the cluster runs gives a node its trunk and members once its CR has
/// it, which is with its next change.
#[test]
fn c145_trunking_switched_on() {
    let mut model = trunk(&["a"], 1, 5, None);
    let zone = &mut model.node_pools[0].shapes[0].zones[0];
    let on = zone.daemon.clone();
    let Config::Centralized(config) = &mut zone.daemon else { unreachable!("it is centralized") };
    let config = std::sync::Arc::make_mut(config);
    (config.flavor, config.devices) = (Flavor::of(3, false, false), Devices::default());
    let (name, text) = ("edit".to_owned(), "edit".words());
    model.actions.push(Action { name, text, trigger: Trigger::At(at(100)), deed: Deed::EditEniConfig(vec![on]) });
    let web = workload("web", deployment(steps(1, &[(150, 2)])), PodTemplate::default());
    model.workloads = vec![own(deployment(Schedule::Constant(3.0))), web];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.groups[0].end.enis), (5, 5));
    let mut asked = recording.pod_log.iter().filter(|pod| pod.name.workload == 0).map(|pod| pod.requested);
    assert!(asked.all(|asked| asked > Some(at(100))));
}

/// A node with five members, and pods with a network on either vSwitch of its zone.
fn two_networks(replicas: Schedule) -> Model {
    let mut model = trunk(&["a"], 1, 5, None);
    let storage =
        PodNetworking { name: "storage".to_owned(), vswitches: vec![NODES], ..model.pod_networkings[0].clone() };
    model.pod_networkings.push(storage);
    let pod = PodTemplate { pod_networkings: vec![0, 1], ..PodTemplate::default() };
    model.workloads.push(workload("own", deployment(replicas), pod));
    model
}

/// C154: a pod with two networks takes two members and an address of either vSwitch; the third finds one member, which is not
/// enough. Its addresses are of both vSwitches, and so is what pods want.
#[test]
fn c154_a_pod_with_two_networks_has_two_interfaces() {
    let model = two_networks(steps(3, &[(300, 1)]));
    let recording = run(&model);
    let served = |vswitch: usize| (recording.vswitches[vswitch].served, recording.vswitches[vswitch].end.pods);
    assert_eq!((recording.pods.served, served(0), served(1)), (2, (2, 1), (2, 1)));
    assert!(recording.pods.unschedulable_by[Unfit::MemberEnis.index()] > 0);
    assert_eq!(recording.counting.most_wanted, 6);
}

/// C154: nobody gets half of what it asks for. One of its vSwitches is empty, so that the pod waits, keeps nothing of the other,
/// and the empty one is told as the cause.
#[test]
fn c154_a_pod_waits_for_all_of_its_networks() {
    let mut model = two_networks(steps(1, &[]));
    model.vpc.vswitches[0].tenants = vec![Tenant { name: "others".to_owned(), addresses: steps(251, &[]) }];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.waiting_at_end), (0, 1));
    assert_eq!((recording.vswitches[0].end.free, recording.vswitches[1].end.pods), (0, 0));
    assert!(recording.binding.iter().any(|&(_, cause)| cause == Cause::VSwitch(NODES)), "{:?}", recording.binding);
}

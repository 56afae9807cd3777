//! Nodes in prefix mode, in a cluster.

use std::sync::Arc;

use brimline::ipam::centralized::{Flavor, NodeConfig};
use brimline::ipam::{Config, Devices};
use brimline::model::{Action, Deed, Model, PodTemplate, Portion, Replicas, Restart, Schedule, Trigger, WorkloadKind};
use brimline::text::Words;
use brimline::time::Span;

use super::story::{self, at, cluster, run, steps, workload};

/// A node of two interfaces that takes two prefixes, and pods.
fn prefixes(flavor: Flavor, replicas: Schedule, change: impl FnOnce(&mut NodeConfig)) -> Model {
    let mut model = story::centralized(cluster(&["a"], 1), flavor, Devices::default());
    let config = config_of(&mut model);
    (config.prefix_mode, config.prefix_count) = (true, 2);
    change(config);
    let kind = WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), rollout: None };
    model.workloads.push(workload("web", kind, PodTemplate::default()));
    model
}

fn config_of(model: &mut Model) -> &mut NodeConfig {
    let Config::Centralized(config) = &mut model.node_pools[0].shapes[0].zones[0].daemon else {
        unreachable!("it is centralized")
    };
    Arc::make_mut(config)
}

fn edit(model: &mut Model, secs: u64, change: impl FnOnce(&mut NodeConfig)) {
    let mut other = model.clone();
    change(config_of(&mut other));
    let daemon = other.node_pools[0].shapes[0].zones[0].daemon.clone();
    act(model, secs, Deed::EditEniConfig(vec![daemon]));
}

fn act(model: &mut Model, secs: u64, deed: Deed) {
    let text = "changed".words();
    model.actions.push(Action { name: format!("at {secs}"), text, trigger: Trigger::At(at(secs)), deed });
}

/// C122 (`pkg/eni/node_reconcile.go:175-187`): an edit of `enable_ip_prefix` changes no node that is there, in either
/// direction; a new node is of the new mode.
#[test]
fn c122_a_node_keeps_its_mode() {
    let secondary = Flavor::of(3, false, false);
    for before in [true, false] {
        let mut model = prefixes(secondary, steps(5, &[(200, 8)]), |config| config.prefix_mode = before);
        edit(&mut model, 100, |config| config.prefix_mode = !before);
        let recording = run(&model);
        let end = recording.vswitches[1].end;
        assert_eq!(recording.pods.served, 8);
        assert_eq!(end.pods + end.idle, if before { 2 * 16 + 1 } else { 8 }, "was in prefix mode: {before}");
        model.node_pools[0].size = brimline::model::PoolSize::Scheduled(steps(1, &[(300, 2)]));
        let end = run(&model).vswitches[1].end;
        assert_eq!(end.pods + end.idle, 2 * 16 + 1 + if before { 0 } else { 8 }, "a new node, before: {before}");
    }
}

/// C138 (`pkg/eni/local_delegate.go:194-214`): a daemon that gives both families serves nobody where the CR has fallen back
/// to IPv4; where it has not, everybody.
#[test]
fn c138_both_families_or_none() {
    let served = |dual| {
        let both = |config: &mut NodeConfig| (config.dual, config.both_or_none) = (dual, true);
        let recording = run(&prefixes(Flavor::of(3, false, false), Schedule::Constant(8.0), both));
        (recording.pods.served, recording.pods.waiting_at_end)
    };
    assert_eq!((served(true), served(false)), ((8, 0), (0, 8)));
}

/// C143 (`pkg/eni/remote_v2.go:68-71, 103-150`): with a trunk the daemon starts only once that is in use, and a node that has
/// just come takes no pods before; if none can be made it dies again and again, and no pod finds the node.
#[test]
fn c143_a_daemon_waits_for_its_trunk() {
    let trunk = Flavor::of(3, true, false);
    let mut model = prefixes(trunk, Schedule::Constant(8.0), |_| {});
    let recording = run(&model);
    // Look-up, create, attach, and a look after 3 s; then the daemon's own.
    let asked = recording.pod_log[0].requested.expect("it found the node");
    assert!(asked > at(6) && asked < at(15), "{asked:?}");
    assert_eq!((recording.pods.served, recording.pods.waiting_at_end), (8, 0));

    // No vSwitch has an address.
    model.vpc.vswitches[1].cidr = "10.1.0.0/30".parse().expect("a block");
    let recording = run(&model);
    assert_eq!((recording.pods.requested, recording.pods.unschedulable_at_end), (0, 8));
    let deaths = recording.journal.iter().filter(|entry| entry.kind == "terway_crashed");
    // 113.85 s, 1 s, 113.85 s, 10 s, 113.85 s, 20 s, 113.85 s.
    assert_eq!(deaths.map(|entry| entry.at.as_millis()).collect::<Vec<_>>(), [113_850, 228_700, 352_550, 486_400]);
}

/// C143: a daemon that waits for its trunk takes an edit of eni-config in, and looks at the CR again.
#[test]
fn c143_trunking_is_switched_off_meanwhile() {
    let mut model = prefixes(Flavor::of(3, true, false), Schedule::Constant(8.0), |_| {});
    // No vSwitch has an address.
    model.vpc.vswitches[1].cidr = "10.1.0.0/30".parse().expect("a block");
    edit(&mut model, 20, |config| config.flavor = Flavor::of(3, false, false));
    let recording = run(&model);
    let asked = recording.pod_log[0].requested.expect("it found the node");
    assert!(asked > at(20) && asked < at(113), "{asked:?}");
    assert!(recording.journal.iter().all(|entry| entry.kind != "terway_crashed"));
}

/// C143: a daemon that restarts finds the trunk in use, and hears its pods at once.
#[test]
fn c143_a_restart_finds_the_trunk() {
    let mut model = prefixes(Flavor::of(3, true, false), steps(2, &[(120, 8)]), |_| {});
    let restart = Restart { pools: vec![0], at_most_at_once: Portion::Count(1), takes: Span::ZERO };
    act(&mut model, 100, Deed::RestartTerway(restart));
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.wait_ms.max()), (8, recording.pods.wait_ms.min()));
}

//! The recorder is told of lives step by step.

use std::net::Ipv4Addr;

use super::{Asked, Detail, Recorder};
use crate::cloud::Usage;
use crate::id::{NodeId, VSwitchId};
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::Config;
use crate::model::{Model, NodePool, PoolZone, Schedule, Shape, Unfit, VSwitch, Vpc, Workload, WorkloadKind};
use crate::openapi::{Api, ErrorCode};
use crate::record::{
    ByReason, Cause, FailureReason, GroupLevels, Holders, IdleParts, NoPrefix, PrefixLevel, Recording, Was,
};
use crate::time::{Instant, Span};

const SWITCH: VSwitchId = VSwitchId(0);
const NODE: NodeId = NodeId(0);

/// A /29 with 4 usable addresses for pods, another for nodes, and one node.
fn recorder() -> Recorder {
    recorder_of(VSwitch::plain("pods", "z", "10.0.0.0/29"))
}

/// The same with another vSwitch for pods.
fn recorder_of(pods: VSwitch) -> Recorder {
    let vpc = Vpc {
        cidr: "10.0.0.0/8".parse().expect("a block"),
        vswitches: vec![pods, VSwitch::plain("nodes", "z", "10.0.1.0/24")],
    };
    let daemon = Config::plain((1, 15), (0, 0), vec![SWITCH]);
    let zone = PoolZone { zone: "z".to_owned(), node_vswitch: VSwitchId(1), daemon: daemon.into() };
    let shape = Shape::plain("ecs.g7.2xlarge", InstanceLimits::default(), vec![zone]);
    let mut model = Model::plain("lives", Span::hours(9), vpc);
    model.node_pools = vec![NodePool::plain("default", shape, Schedule::Constant(1.0))];
    model.workloads = vec![Workload::plain("web", WorkloadKind::deployment(Schedule::Constant(1.0)), vec![0])];
    let mut recorder = Recorder::new(0, &model, Detail { pods: true, ..Detail::default() });
    recorder.node_joined(at(0), NODE, 0, || "default-0".to_owned());
    recorder
}

fn at(hours: u64) -> Instant {
    Instant::ZERO + Span::hours(hours)
}

fn usage(on_enis: u32) -> Usage {
    Usage { usable: 4, free: 4 - on_enis, on_enis, ..Usage::default() }
}

fn serve(recorder: &mut Recorder, now: Instant, pod: usize) {
    let address = Ipv4Addr::new(10, 0, 0, pod as u8);
    let asked = Asked { first: now - Span::secs(2), last: now - Span::secs(2) };
    recorder.address_bound(now, SWITCH);
    recorder.pod_served(now, pod, NODE, SWITCH, address, asked, false, Span::ZERO);
}

fn finish(recorder: Recorder, now: Instant) -> Recording {
    recorder.finish(now, Vec::new(), 0)
}

/// The group's levels, and the vSwitch's serving and idle addresses.
fn levels(recorder: &Recorder) -> (GroupLevels, u32, u32) {
    let who = recorder.vswitches[0].holders();
    (recorder.groups[0].levels, who.pods, who.idle)
}

#[test]
fn a_pod_holds_its_address_until_its_end() {
    let mut recorder = recorder();
    let group = |waiting, running, terminating| GroupLevels { nodes: 1, enis: 0, running, waiting, terminating };
    recorder.pod_created(at(1), 0, 0, None);
    recorder.pod_requested(at(1), 0, NODE);
    assert_eq!(levels(&recorder), (group(1, 0, 0), 0, 0));
    recorder.vswitch_changed(at(2), SWITCH, &usage(1), 0);
    serve(&mut recorder, at(2), 0);
    assert_eq!(levels(&recorder), (group(0, 1, 0), 1, 0));
    recorder.pod_terminating(at(3), 0, NODE);
    assert_eq!(levels(&recorder), (group(0, 0, 1), 1, 0));
    recorder.address_released(at(4), SWITCH);
    recorder.pod_gone(at(4), 0, NODE, Was::Terminating);
    assert_eq!(levels(&recorder), (group(0, 0, 0), 0, 1));
    // Another never gets an address.
    recorder.pod_created(at(5), 1, 0, None);
    recorder.pod_requested(at(5), 1, NODE);
    recorder.pod_gone(at(7), 1, NODE, Was::Waiting(Span::secs(1)));
    let recording = finish(recorder, at(9));
    let [row, other] = recording.pod_log.as_slice() else { panic!("two pods") };
    assert_eq!((row.served, row.deleted, row.ended), (Some(at(2)), Some(at(3)), Some(at(4))));
    assert_eq!((other.served, other.deleted, other.ended), (None, Some(at(7)), Some(at(7))));
    assert_eq!((recording.pods.served, recording.pods.gave_up), (1, 1));
    assert_eq!(recording.pods.waiting_area_s, 3.0 * 3600.0);
}

#[test]
fn leaked_addresses_are_not_idle() {
    let mut recorder = recorder();
    recorder.vswitch_changed(at(1), SWITCH, &usage(3), 2);
    let who = Holders { idle: 1, leaked: 2, free: 1, ..Holders::default() };
    assert_eq!(recorder.vswitches[0].holders(), who);
    let mean = finish(recorder, at(4)).vswitches[0].mean;
    assert_eq!((mean.leaked, mean.idle), (1.5, 0.75));
}

#[test]
fn pods_without_a_node_are_summed_over_time_by_reason() {
    let mut recorder = recorder();
    let by = |cpu: u64, zone_spread: u64| {
        let mut by = ByReason::default();
        (by[Unfit::Cpu.index()], by[Unfit::ZoneSpread.index()]) = (cpu, zone_spread);
        by
    };
    recorder.unschedulable(at(1), 2, &by(2, 0), by(2, 0));
    recorder.unschedulable(at(2), 5, &by(0, 2), by(2, 2));
    recorder.unschedulable(at(3), 1, &by(0, 0), by(0, 1));
    recorder.pod_scheduled_after(at(8000), Span::hours(2));
    let recording = finish(recorder, at(5));
    let pods = recording.pods;
    assert_eq!((pods.max_unschedulable, pods.unschedulable_at_end, pods.max_waiting), (5, 1, 0));
    assert_eq!(pods.unschedulable_area_s, (2.0 + 5.0 + 2.0) * 3600.0);
    assert_eq!((pods.unschedulable_by, pods.unschedulable_at_end_by, pods.max_stuck), (by(2, 2), by(0, 1), 4));
    assert_eq!(recording.binding, [(at(1), Cause::Cpu), (at(2), Cause::ZoneSpread)]);
    assert_eq!(pods.unschedulable_ms.len(), 1);
}

#[test]
fn counting_is_full_when_pods_outnumber_the_addresses_that_serve_pods() {
    let mut recorder = recorder();
    recorder.demand(at(1), 4);
    recorder.demand(at(2), 6);
    recorder.demand(at(3), 5);
    let counting = finish(recorder, at(4)).counting;
    assert_eq!((counting.usable, counting.most_wanted, counting.full), (4, 6, Some(at(2))));
}

#[test]
fn the_first_refusal_is_accounted_for_once() {
    let mut recorder = recorder();
    recorder.vswitch_changed(at(1), SWITCH, &usage(3), 0);
    recorder.found_empty(at(2), Some(NODE), SWITCH);
    recorder.found_empty(at(2), Some(NODE), SWITCH);
    assert_eq!((recorder.take_newly_full(), recorder.take_newly_full()), (Some(SWITCH), None));
    let idle = IdleParts { eni_primaries: 1, coming: 2, ..IdleParts::default() };
    recorder.account(SWITCH, idle, 7);
    recorder.found_empty(at(3), Some(NODE), SWITCH);
    assert_eq!(recorder.take_newly_full(), None);
    let full = finish(recorder, at(4)).vswitches[0].first_refusal.expect("it is full");
    assert_eq!((full.at, full.who.idle, full.idle, full.asked), (at(2), 3, idle, 7));
}

#[test]
#[should_panic(expected = "idle addresses of vSwitch 0")]
fn an_address_that_is_not_accounted_for_is_a_fault() {
    let mut recorder = recorder();
    recorder.vswitch_changed(at(1), SWITCH, &usage(3), 0);
    recorder.found_empty(at(2), Some(NODE), SWITCH);
    recorder.account(SWITCH, IdleParts { pooled: 2, ..IdleParts::default() }, 0);
}

/// The ordinary count says nothing of free prefixes, so both are kept.
#[test]
fn c136_free_blocks_are_told_beside_free_addresses() {
    let part = "10.0.0.32/27".parse().expect("a block");
    let vswitch = VSwitch { prefix_reservations: vec![part], ..VSwitch::plain("pods", "z", "10.0.0.0/24") };
    let mut recorder = recorder_of(vswitch);
    assert_eq!(recorder.holders(SWITCH), Holders { free: 220, reserved: Some(32), ..Holders::default() });
    let usage = Usage { usable: 252, free: 219, reserved: 16, on_enis: 1, in_prefixes: 16, ..Usage::default() };
    recorder.vswitch_changed(at(1), SWITCH, &usage, 0);
    assert!(recorder.watches_prefixes(SWITCH) && !recorder.watches_prefixes(VSwitchId(1)));
    recorder.prefixes_changed(at(1), SWITCH, 1, 16);
    let assign = Api::AssignPrivateIpAddresses;
    for hour in [2, 3] {
        recorder.call_refused(at(hour), Some(NODE), assign, ErrorCode::PrefixNotEnough, Some(SWITCH), None);
    }
    recorder.pod_requested(at(3), 0, NODE);
    recorder.pod_failed(at(3), 0, NODE, at(1), FailureReason::Deadline, || unreachable!("nobody asked for steps"));
    let recording = finish(recorder, at(4));
    let vswitch = &recording.vswitches[0];
    let prefixes = vswitch.prefixes.expect("it keeps a part for them");
    assert_eq!(prefixes.first_refusal, Some(NoPrefix { at: at(2), addresses: 219, blocks: 1 }));
    assert_eq!((prefixes.refusals, prefixes.min_free, prefixes.end), (2, 1, PrefixLevel { free: 1, addresses: 16 }));
    assert_eq!((prefixes.mean_free, prefixes.mean_addresses), (1.25, 12.0));
    assert_eq!((vswitch.first_refusal, vswitch.refusals), (None, 0), "addresses are free");
    assert_eq!(vswitch.end, Holders { idle: 17, free: 219, reserved: Some(16), ..Holders::default() });
    assert_eq!(recording.binding, [(at(3), Cause::Prefixes(SWITCH))]);
    assert_eq!(recording.journal[0].kind, "vswitch_without_prefixes");
}

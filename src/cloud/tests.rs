//! The cloud alone: launches, leaks, faults.

use super::{Cloud, Usage};
use crate::chance::{SmallStream, SpanDist, stream};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::{Answer, Kind, Request};
use crate::model::Behaviour;
use crate::model::{Fault, Quotas};
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};

pub(super) const VSWITCH: VSwitchId = VSwitchId(0);

/// A cloud with one /28, which has 12 usable addresses, in which every call takes a second.
pub(super) fn cloud(faults: Vec<Fault>) -> Cloud {
    cloud_of("10.0.0.0/28", faults)
}

/// The same with another block.
pub(super) fn cloud_of(block: &str, faults: Vec<Fault>) -> Cloud {
    let behaviour = Behaviour {
        latency: Api::ALL.map(|_| SpanDist::Constant(Span::secs(1))),
        throttle: [None; Api::ALL.len()],
        metadata_lag: Span::ZERO,
        quotas: Quotas::default(),
        faults,
    };
    let block = block.parse().expect("a block");
    Cloud::new([block], behaviour, stream(1, 0, "cloud"), SmallStream::new(1))
}

pub(super) fn hour(n: u64) -> Instant {
    Instant::ZERO + Span::hours(n)
}

fn call(cloud: &mut Cloud, node: NodeId, request: Request) -> Result<Answer, ErrorCode> {
    let answer = cloud.execute(Instant::ZERO, node, &request);
    cloud.audit();
    answer
}

fn creation(addresses: u8, ipv6: u8) -> Request {
    Request::Create { vswitch: VSWITCH, kind: Kind::Secondary, addresses, ipv6 }
}

fn create(cloud: &mut Cloud, node: NodeId, n: u8) -> EniId {
    match call(cloud, node, creation(n, 0)) {
        Ok(Answer::Created(eni, ..)) => eni,
        other => panic!("it was to be created: {other:?}"),
    }
}

/// An interface of three addresses that is attached, and one of two that is not.
fn two_interfaces(cloud: &mut Cloud) -> (NodeId, EniId, EniId) {
    let launch = cloud.launch(VSWITCH).expect("an address is free");
    let node = cloud.start_instance(Some(launch), 2, 10);
    let (attached, detached) = (create(cloud, node, 3), create(cloud, node, 2));
    call(cloud, node, Request::Attach(attached)).expect("there is a slot");
    (node, attached, detached)
}

pub(super) fn held(cloud: &Cloud) -> (u32, u32, u32) {
    let Usage { on_enis, leaked, primaries, .. } = cloud.usage(VSWITCH);
    (on_enis, leaked, primaries)
}

/// R143, R148: an interface takes as many IPv6 as IPv4 addresses, each handed out once, and they are gone
/// with it; no vSwitch's free addresses change.
#[test]
fn an_interface_takes_as_many_ipv6_as_ipv4_addresses() {
    let mut cloud = cloud(Vec::new());
    let node = cloud.start_instance(None, 2, 10);
    let Ok(Answer::Created(eni, v4, v6)) = call(&mut cloud, node, creation(1, 3)) else {
        panic!("it was to be created");
    };
    assert_eq!((v4.len(), v6.len(), cloud.usage(VSWITCH).free), (1, 3, 11));
    assert_eq!(call(&mut cloud, node, Request::AssignV6(eni, 8)), Err(ErrorCode::IpPerEni));
    let Ok(Answer::AssignedV6(more, _)) = call(&mut cloud, node, Request::AssignV6(eni, 7)) else {
        panic!("there was room for seven");
    };
    assert!(more.iter().all(|address| cloud.holds_v6(node, eni, *address) && !v6.contains(address)));
    assert!(call(&mut cloud, node, Request::UnassignV6(eni, v6)).is_ok());
    assert!(!cloud.holds_v6(node, eni, v6[0]));
    assert!(call(&mut cloud, node, Request::AssignV6(eni, 3)).is_ok());
    assert!(call(&mut cloud, node, Request::Delete(eni)).is_ok());
    assert_eq!((cloud.usage(VSWITCH).free, cloud.holds_v6(node, eni, more[0])), (12, false));
    assert_eq!(call(&mut cloud, node, Request::AssignV6(eni, 1)), Err(ErrorCode::NotFound));
}

#[test]
fn a_launch_holds_its_address_from_the_start() {
    let mut cloud = cloud(Vec::new());
    cloud.set_others(VSWITCH, 11);
    let launch = cloud.launch(VSWITCH).expect("an address is free");
    assert!(cloud.launch(VSWITCH).is_none());
    assert_eq!(held(&cloud), (0, 0, 1));
    cloud.abandon(launch);
    let launch = cloud.launch(VSWITCH).expect("it was given back");
    let node = cloud.start_instance(Some(launch), 2, 10);
    cloud.release_instance(node);
    assert_eq!((cloud.usage(VSWITCH).free, held(&cloud)), (1, (0, 0, 0)));
}

#[test]
fn what_is_not_attached_outlives_its_instance() {
    let mut cloud = cloud(Vec::new());
    let (node, attached, detached) = two_interfaces(&mut cloud);
    assert_eq!((held(&cloud), cloud.node_enis(node)), ((5, 0, 1), (2, 5)));
    cloud.release_instance(node);
    cloud.audit();
    assert_eq!((held(&cloud), cloud.leaked(VSWITCH)), ((2, 2, 0), (1, 2)));
    // Calls that were under way are carried out, or refused.
    assert_eq!(call(&mut cloud, node, Request::Attach(attached)), Err(ErrorCode::NotFound));
    assert_eq!(call(&mut cloud, node, Request::Attach(detached)), Err(ErrorCode::NotFound));
    assert_eq!(call(&mut cloud, node, Request::Assign(attached, 1)), Err(ErrorCode::NotFound));
    assert_eq!(call(&mut cloud, node, Request::Detach(attached)), Ok(Answer::Detached));
    assert_eq!(call(&mut cloud, node, Request::Delete(attached)), Err(ErrorCode::NotFound));
    let late = create(&mut cloud, node, 4);
    assert_eq!((held(&cloud), cloud.leaked(VSWITCH)), ((6, 6, 0), (2, 6)));
    call(&mut cloud, node, Request::Assign(late, 1)).expect("an address is free");
    assert_eq!(held(&cloud), (7, 7, 0));
    call(&mut cloud, node, Request::Delete(detached)).expect("it is there");
    assert_eq!((held(&cloud), cloud.leaked(VSWITCH)), ((5, 5, 0), (1, 5)));
}

#[test]
fn a_restarted_daemon_finds_what_is_attached() {
    let mut cloud = cloud(Vec::new());
    let (node, attached, detached) = two_interfaces(&mut cloud);
    cloud.strand(node);
    cloud.audit();
    assert_eq!((held(&cloud), cloud.leaked(VSWITCH)), ((5, 2, 1), (1, 2)));
    assert_eq!(cloud.attached(node).len(), 1);
    assert_eq!(cloud.node_enis(node), (1, 3), "the daemon knows one");
    // An attach that was under way ends well: the next life of the daemon adopts it.
    call(&mut cloud, node, Request::Attach(detached)).expect("there is a slot");
    assert_eq!(held(&cloud), (5, 2, 1));
    cloud.strand(node);
    cloud.audit();
    assert_eq!((held(&cloud), cloud.node_enis(node)), ((5, 0, 1), (2, 5)));
    // So does a detach, which takes it away.
    call(&mut cloud, node, Request::Detach(attached)).expect("it is there");
    cloud.release_instance(node);
    cloud.audit();
    assert_eq!((held(&cloud), cloud.leaked(VSWITCH)), ((3, 3, 0), (1, 3)));
}

#[test]
fn addresses_of_leaked_interfaces_come_and_go_with_them() {
    let mut cloud = cloud(Vec::new());
    let (node, _, detached) = two_interfaces(&mut cloud);
    let addresses = match call(&mut cloud, node, Request::Assign(detached, 2)) {
        Ok(Answer::Assigned(addresses, _)) => addresses,
        other => panic!("two were to be assigned: {other:?}"),
    };
    cloud.leak(detached);
    cloud.leak(detached);
    assert_eq!((held(&cloud), cloud.leaked(VSWITCH)), ((7, 4, 1), (1, 4)));
    call(&mut cloud, node, Request::Unassign(detached, addresses)).expect("they are there");
    assert_eq!((held(&cloud), cloud.leaked(VSWITCH)), ((5, 2, 1), (1, 2)));
    call(&mut cloud, node, Request::Delete(detached)).expect("it is there");
    assert_eq!((held(&cloud), cloud.leaked(VSWITCH)), ((3, 0, 1), (0, 0)));
}

/// A fault of DescribeVSwitches and Assign in the second hour.
fn fault(fail: f64, slow: f64) -> Fault {
    let apis = Api::ALL.map(|api| matches!(api, Api::DescribeVSwitches | Api::AssignPrivateIpAddresses));
    Fault { apis, from: hour(1), to: hour(2), fail, code: ErrorCode::Internal, slow }
}

#[test]
fn an_outage_fails_its_calls_in_its_time_only() {
    let mut cloud = cloud(vec![fault(1.0, 1.0)]);
    let node = cloud.start_instance(None, 2, 10);
    let mut lookup = |at| cloud.execute(at, node, &Request::DescribeVSwitch(VSWITCH));
    assert_eq!(lookup(Instant(hour(1).0 - 1)), Ok(Answer::VSwitch(12)));
    assert_eq!(lookup(hour(1)), Err(ErrorCode::Internal));
    assert_eq!(lookup(Instant(hour(2).0 - 1)), Err(ErrorCode::Internal));
    assert_eq!(lookup(hour(2)), Ok(Answer::VSwitch(12)));
    assert!(cloud.execute(hour(1), node, &creation(2, 0)).is_ok(), "another action");
    assert_eq!(cloud.latency(Api::DescribeVSwitches, hour(1)), Span::secs(1));
}

#[test]
fn a_burst_fails_its_share() {
    let mut cloud = cloud(vec![fault(0.3, 1.0)]);
    let node = cloud.start_instance(None, 2, 10);
    let mut lookup = |_: &i32| cloud.execute(hour(1), node, &Request::DescribeVSwitch(VSWITCH)).is_err();
    let failed = (0..100_000).filter(|i| lookup(i)).count();
    assert!((29_000..=31_000).contains(&failed), "{failed} of 100,000 fail");
}

#[test]
fn slow_calls_are_those_that_leave_in_its_time() {
    let mut cloud = cloud(vec![fault(0.0, 3.0), Fault { from: Instant::ZERO, ..fault(0.0, 10.0) }]);
    let mut latency = |api, at| cloud.latency(api, at);
    assert_eq!(latency(Api::AssignPrivateIpAddresses, hour(0)), Span::secs(10));
    assert_eq!(latency(Api::AssignPrivateIpAddresses, hour(1)), Span::secs(30));
    assert_eq!(latency(Api::AssignPrivateIpAddresses, hour(2)), Span::secs(1));
    assert_eq!(latency(Api::AttachNetworkInterface, hour(1)), Span::secs(1));
}

/// What fails is decided by a stream of its own.
#[test]
fn a_fault_shifts_no_latency() {
    let latencies = |faults: Vec<Fault>| -> Vec<Span> {
        let mut cloud = cloud(faults);
        cloud.latency = Api::ALL.map(|_| SpanDist::Exponential(Span::secs(1)));
        let node = cloud.start_instance(None, 2, 10);
        let mut call = || {
            let _ = cloud.execute(hour(1), node, &Request::DescribeVSwitch(VSWITCH));
            cloud.latency(Api::DescribeVSwitches, hour(1))
        };
        (0..100).map(|_| call()).collect()
    };
    assert_eq!(latencies(Vec::new()), latencies(vec![fault(0.5, 1.0)]));
}

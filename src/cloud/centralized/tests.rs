//! The controller's calls, one by one.

use crate::cloud::Cloud;
use crate::cloud::tests::{VSWITCH, cloud, cloud_of, held};
use crate::id::{EniId, NodeId};
use crate::ipam::centralized::{Answer, Interface, Kind, Request, State};
use crate::openapi::ErrorCode;
use crate::time::Instant;

/// A cloud with one /28 and two instances of one slot for a secondary interface of five addresses.
fn two_nodes() -> (Cloud, NodeId, NodeId) {
    let mut cloud = cloud(Vec::new());
    let [a, b] = [(); 2].map(|()| cloud.start_instance(None, 1, 5));
    (cloud, a, b)
}

fn call(cloud: &mut Cloud, node: NodeId, request: Request) -> Result<Answer, ErrorCode> {
    let answer = cloud.carry_out(Instant::ZERO, node, &request);
    cloud.audit();
    answer
}

fn create(cloud: &mut Cloud, node: NodeId, addresses: u32) -> Result<EniId, ErrorCode> {
    match call(cloud, node, Request::Create { node, vswitch: VSWITCH, kind: Kind::Trunk, addresses, ipv6: 0 })? {
        Answer::Created(eni) => Ok(eni),
        other => panic!("it was to be created: {other:?}"),
    }
}

fn attached(cloud: &mut Cloud, node: NodeId, addresses: u32) -> EniId {
    let eni = create(cloud, node, addresses).expect("addresses are free");
    call(cloud, node, Request::Attach(eni, node)).expect("there is a slot");
    eni
}

fn described(cloud: &mut Cloud, request: Request) -> Vec<Interface> {
    match call(cloud, NodeId(0), request) {
        Ok(Answer::Interfaces(interfaces)) => interfaces,
        other => panic!("they were to be described: {other:?}"),
    }
}

#[test]
fn an_interface_is_described_with_kind_and_state() {
    let (mut cloud, a, b) = two_nodes();
    let eni = create(&mut cloud, a, 3).expect("addresses are free");
    let found = described(&mut cloud, Request::Describe(eni));
    assert_eq!((found[0].kind, found[0].state, found[0].addresses.len()), (Kind::Trunk, State::Available, 3));
    assert!(described(&mut cloud, Request::DescribeInstance(a)).is_empty(), "it is not attached");
    call(&mut cloud, a, Request::Attach(eni, a)).expect("there is a slot");
    assert_eq!(described(&mut cloud, Request::DescribeInstance(a))[0].state, State::InUse);
    assert_eq!(described(&mut cloud, Request::DescribeAttached(eni, a)).len(), 1);
    assert!(described(&mut cloud, Request::DescribeAttached(eni, b)).is_empty(), "that is the other node");
}

#[test]
fn what_is_attached_must_be_detached_first() {
    let (mut cloud, a, b) = two_nodes();
    let eni = create(&mut cloud, a, 1).expect("addresses are free");
    assert_eq!(call(&mut cloud, a, Request::Detach(eni, a)), Ok(Answer::Done), "c94: never attached");
    call(&mut cloud, a, Request::Attach(eni, a)).expect("there is a slot");
    assert_eq!(call(&mut cloud, a, Request::Attach(eni, a)), Err(ErrorCode::EniState));
    assert_eq!(call(&mut cloud, a, Request::Delete(eni)), Err(ErrorCode::EniState));
    assert_eq!(call(&mut cloud, b, Request::Detach(eni, b)), Ok(Answer::Done));
    assert_eq!(call(&mut cloud, a, Request::Delete(eni)), Err(ErrorCode::EniState), "it is attached to the other");
    call(&mut cloud, a, Request::Detach(eni, a)).expect("it is there");
    assert_eq!(call(&mut cloud, a, Request::Delete(eni)), Ok(Answer::Done));
    assert_eq!((held(&cloud), cloud.node_enis(a)), ((0, 0, 0), (0, 0)));
    assert!(described(&mut cloud, Request::Describe(eni)).is_empty());
    for request in
        [Request::Attach(eni, a), Request::Detach(eni, a), Request::Delete(eni), Request::Unassign(eni, Vec::new())]
    {
        assert_eq!(call(&mut cloud, a, request), Err(ErrorCode::NotFound));
    }
}

#[test]
fn nothing_is_half_done() {
    let (mut cloud, a, _) = two_nodes();
    let eni = attached(&mut cloud, a, 4);
    let other = create(&mut cloud, a, 1).expect("addresses are free");
    assert_eq!(call(&mut cloud, a, Request::Attach(other, a)), Err(ErrorCode::EniPerInstance));
    assert_eq!(call(&mut cloud, a, Request::Assign(eni, 2)), Err(ErrorCode::IpPerEni));
    cloud.set_others(VSWITCH, 6);
    assert_eq!(create(&mut cloud, a, 2), Err(ErrorCode::IpNotEnough));
    assert_eq!((held(&cloud), cloud.usage(VSWITCH).free, cloud.node_enis(a)), ((5, 0, 0), 1, (2, 5)));
    let Ok(Answer::Assigned(addresses)) = call(&mut cloud, a, Request::Assign(eni, 1)) else { panic!("one is free") };
    assert_eq!(call(&mut cloud, a, Request::DescribeVSwitch(VSWITCH)), Ok(Answer::VSwitch(0)));
    call(&mut cloud, a, Request::Unassign(eni, addresses)).expect("it is there");
    assert_eq!(call(&mut cloud, a, Request::DescribeVSwitch(VSWITCH)), Ok(Answer::VSwitch(1)));
}

#[test]
fn an_interface_moves_to_the_instance_that_it_is_attached_to() {
    let (mut cloud, a, b) = two_nodes();
    let eni = attached(&mut cloud, a, 2);
    call(&mut cloud, a, Request::Detach(eni, a)).expect("it is there");
    call(&mut cloud, b, Request::Attach(eni, b)).expect("there is a slot");
    assert_eq!([cloud.node_enis(a), cloud.node_enis(b)], [(0, 0), (1, 2)]);
    cloud.release_instance(b);
    cloud.audit();
    assert_eq!(held(&cloud), (0, 0, 0));
}

#[test]
fn what_an_instance_leaves_behind_can_serve_another() {
    let (mut cloud, a, b) = two_nodes();
    let eni = create(&mut cloud, a, 2).expect("addresses are free");
    cloud.release_instance(a);
    assert_eq!(held(&cloud), (2, 2, 0));
    assert_eq!(call(&mut cloud, a, Request::Attach(eni, a)), Err(ErrorCode::NoInstance));
    assert!(described(&mut cloud, Request::DescribeInstance(a)).is_empty());
    call(&mut cloud, b, Request::Attach(eni, b)).expect("there is a slot");
    assert_eq!((held(&cloud), cloud.node_enis(b)), ((2, 0, 0), (1, 2)));
}

/// The codes that upstream knows mean the same either way.
#[test]
fn c72_codes_have_the_meaning_of_their_names() {
    use crate::ipam::centralized::Refusal;
    for code in ErrorCode::ALL.into_iter().filter(|&code| code != ErrorCode::IpPerEni) {
        assert_eq!(Refusal::from(code), Refusal::of(code.name()), "{}", code.name());
    }
    assert_eq!(Refusal::from(ErrorCode::IpPerEni), Refusal::Full);
}

/// A cloud with one /24 and an instance of two slots for interfaces of three addresses.
fn with_24() -> (Cloud, NodeId) {
    let mut cloud = cloud_of("10.0.0.0/24", Vec::new());
    let node = cloud.start_instance(None, 2, 3);
    (cloud, node)
}

#[test]
fn c124_a_prefix_takes_the_place_of_an_address() {
    let (mut cloud, node) = with_24();
    let eni = attached(&mut cloud, node, 1);
    let Ok(Answer::AssignedPrefixes(prefixes)) = call(&mut cloud, node, Request::AssignPrefixes(eni, 2)) else {
        panic!("blocks are free")
    };
    assert_eq!(call(&mut cloud, node, Request::AssignPrefixes(eni, 1)), Err(ErrorCode::IpPerEni));
    assert_eq!(call(&mut cloud, node, Request::Assign(eni, 1)), Err(ErrorCode::IpPerEni));
    assert_eq!(described(&mut cloud, Request::Describe(eni))[0].prefixes, prefixes);
    let last_of_second = std::net::Ipv4Addr::from(u32::from(prefixes[1]) + 15);
    assert!(cloud.holds(node, eni, last_of_second) && !cloud.holds(node, eni, "10.0.0.15".parse().expect("one")));
    let usage = cloud.usage(VSWITCH);
    assert_eq!((usage.free, usage.on_enis, usage.in_prefixes, usage.reserved), (252 - 33, 1, 32, 0));
}

#[test]
fn c136_free_addresses_are_not_free_prefixes() {
    let (mut cloud, node) = with_24();
    cloud.reserve_prefixes(VSWITCH, "10.0.0.128/27".parse().expect("a block"));
    let [a, b] = [(); 2].map(|()| attached(&mut cloud, node, 1));
    call(&mut cloud, node, Request::AssignPrefixes(a, 1)).expect("two are free");
    assert_eq!(call(&mut cloud, node, Request::AssignPrefixes(b, 2)), Err(ErrorCode::PrefixNotEnough));
    assert_eq!((cloud.free_prefixes(VSWITCH), cloud.usage(VSWITCH).reserved), (1, 16), "nothing was handed out");
    assert_eq!(call(&mut cloud, node, Request::DescribeVSwitch(VSWITCH)), Ok(Answer::VSwitch(218)));
    // And the other way round: no address is free for an interface, but a prefix is.
    cloud.set_others(VSWITCH, 218);
    assert_eq!(create(&mut cloud, node, 1), Err(ErrorCode::IpNotEnough));
    call(&mut cloud, node, Request::AssignPrefixes(b, 1)).expect("one is free");
    call(&mut cloud, node, Request::Detach(b, node)).expect("it is there");
    call(&mut cloud, node, Request::Delete(b)).expect("it is there");
    assert_eq!((cloud.free_prefixes(VSWITCH), cloud.usage(VSWITCH).free), (1, 1));
}

#[test]
fn prefixes_leak_and_go_with_their_interface() {
    let (mut cloud, node) = with_24();
    let eni = create(&mut cloud, node, 1).expect("addresses are free");
    call(&mut cloud, node, Request::AssignPrefixes(eni, 1)).expect("blocks are free");
    cloud.release_instance(node);
    assert_eq!(cloud.leaked(VSWITCH), (1, 17));
    call(&mut cloud, node, Request::AssignPrefixes(eni, 1)).expect("blocks are free");
    assert_eq!(cloud.leaked(VSWITCH), (1, 33));
    call(&mut cloud, node, Request::Delete(eni)).expect("it belongs to no instance");
    cloud.audit();
    assert_eq!((cloud.leaked(VSWITCH), cloud.usage(VSWITCH).free), ((0, 0), 252));
}

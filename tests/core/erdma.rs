//! RDMA interfaces: slots that serve the pods that ask for it, and no others (R25, R34, R38, R39, R50).

use brimline::ipam::node_local::{Config, Rdma};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{Fault, Story, node};

/// Three slots of two addresses, one of them for RDMA, on an instance of four adapters.
fn with_rdma() -> Config {
    Config { rdma: Some(Rdma { slots: 1, crowded_from: 2, is_told: true }), ..node(3, 2) }
}

/// R50, CC48: each kind of pod is refused by the slots of the other, full or not.
#[test]
fn r50_pods_find_room_on_interfaces_of_their_kind_only() {
    let mut story = Story::new(with_rdma(), &[100]);
    for pod in 1..=4 {
        story.at(0.0).add(pod);
    }
    story.until(20.0).skip();
    story.usage(0, 4);
    story.at(20.0).add(5).tells("20 p5 failed: NodeFull");
    story.at(21.0).add_rdma(6).add_rdma(7).until(30.0);
    assert!(story.told().contains("create 2 on A for RDMA"));
    assert_eq!(story.interface(6), story.interface(7));
    story.at(30.0).add_rdma(8).tells("30 p8 failed: NodeFull");
    story.at(31.0).del(1).add_rdma(8).tells("31 one of e1 idle\n31 p8 failed: NodeFull");
}

/// R22, R50: a preheat is refused by an RDMA slot, and what is idle there counts all the same.
#[test]
fn r50_preheats_go_to_ordinary_interfaces() {
    let config = Config { min_idle: 3, max_idle: 6, sync_period: Some(Span::secs(120)), ..with_rdma() };
    let mut story = Story::new(config, &[100]);
    story.until(60.0);
    assert!(!story.told().contains("RDMA"));
    story.usage(3, 0);
    story.at(60.0).add_rdma(1).until(70.0).skip();
    story.at(70.0).del(1).until(300.0).usage(4, 0);
}

/// R65, R67: an RDMA interface is never deleted, so that its primary address stays.
#[test]
fn r65_rdma_interfaces_stay() {
    let config = Config { max_idle: 0, sync_period: Some(Span::secs(120)), ..with_rdma() };
    let mut story = Story::new(config, &[100]);
    story.at(1.0).add(1).add_rdma(2).add_rdma(3).until(20.0).skip();
    story.at(20.0).del(1).del(2).del(3).until(3000.0).usage(1, 0).holds(1, 1);
    let told = story.told();
    assert!(told.contains("delete e2") && told.contains("unassign 1 of e1"), "{told}");
}

/// R62: an RDMA interface that could not be attached is not deleted either: its slot serves nobody
/// until the daemon restarts.
#[test]
fn r62_a_half_made_rdma_interface_blocks_its_slot_until_a_restart() {
    let mut story = Story::new(with_rdma(), &[100]);
    story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::EniPerInstance));
    story.at(0.0).add_rdma(1).until(200.0);
    let told = story.told();
    assert!(told.contains("p1 failed: Deadline") && !told.contains("delete"), "{told}");
    story.at(200.0).add_rdma(2).tells("200 p2 failed: NodeFull");
    story.at(201.0).restart(with_rdma()).add_rdma(3).until(210.0);
    assert!(story.told().contains("create 1 on A for RDMA"));
}

/// R39: after a restart an attached RDMA interface is one still; with RDMA off it serves everybody.
#[test]
fn r39_attached_rdma_interfaces_have_their_slots() {
    let mut story = Story::new(with_rdma(), &[100]);
    story.at(0.0).add_rdma(1).until(20.0).skip();
    let rdma = story.interface(1);
    story.at(20.0).restart(with_rdma()).add_rdma(2).add_rdma(3);
    story.until(30.0);
    assert_eq!(story.interface(2), rdma);
    assert!(story.told().contains("20 p3 failed: NodeFull"), "there is one slot for RDMA, and it is full");
    story.at(30.0).del(2).restart(node(3, 2)).add(4).until(31.0);
    assert_eq!(story.interface(4), rdma);
}

/// R38: where RDMA is switched on and no place is left for its interfaces, the daemon goes without;
/// with one attached it does not.
#[test]
fn r38_a_crowded_node_goes_without_rdma() {
    let mut story = Story::new(node(3, 2), &[100]);
    for pod in 1..=3 {
        story.at(0.0).add(pod);
    }
    story.until(20.0).skip().holds(2, 3);
    story.at(20.0).restart(with_rdma()).add_rdma(4).tells("20 p4 failed: NodeFull");
    for pod in 5..=7 {
        story.at(21.0).add(pod);
    }
    story.until(60.0).usage(0, 6);
}

/// R41, R38: a daemon that starts offers what its RDMA interfaces hold, attached or not; on a crowded node those that are
/// attached, or none; with `disable_device_plugin` none.
#[test]
fn r41_addresses_of_rdma_interfaces_are_offered() {
    let mut story = Story::new(with_rdma(), &[100]);
    let rdma = |story: &Story| story.daemon.devices().rdma;
    assert_eq!(rdma(&story), 2);
    story.at(0.0).add(1).add(2).add(3).until(20.0).restart(with_rdma()).skip();
    assert_eq!(rdma(&story), 0, "two ordinary interfaces, and it goes without");
    story.del(3).add_rdma(4).tells("20 one of e2 idle\n20 p4 failed: NodeFull");

    let two = Config { rdma: Some(Rdma { slots: 2, crowded_from: 1, is_told: true }), ..node(3, 2) };
    let mut story =
        Story::new(Config { rdma: Some(Rdma { crowded_from: 9, ..two.rdma.unwrap() }), ..two.clone() }, &[100]);
    assert_eq!(rdma(&story), 4);
    story.at(0.0).add_rdma(1).until(20.0).restart(two).skip();
    assert_eq!(rdma(&story), 2, "one of them is attached");

    let silent = Config { rdma: Some(Rdma { is_told: false, ..with_rdma().rdma.unwrap() }), ..with_rdma() };
    assert_eq!(rdma(&Story::new(silent, &[100])), 0);
}

//! The trunk: found or made at the daemon's start, a slot like the others from then on, never given up (R24, R36,
//! R37, R39, R65, R71).

use brimline::ipam::Input;
use brimline::ipam::node_local::{Config, Rdma, Trunk};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{A, Fault, Story, node};

/// Slots of which one is the trunk's.
fn with_trunk(slots: u32, ips: u32) -> Config {
    Config { trunk: Some(Trunk { members: 5 }), ..node(slots, ips) }
}

/// R36, R141: before it does anything else, a daemon without a trunk makes one, of one address; what other slots
/// wait for (300 ms, a token) it does not. Only then the pool sync runs.
#[test]
fn r36_a_daemon_makes_its_trunk_first() {
    let config = Config { min_idle: 3, max_idle: 5, sync_period: Some(Span::secs(120)), ..with_trunk(3, 4) };
    let mut story = Story::new(config, &[100]);
    assert!(story.daemon.is_starting());
    story.until(6.0).tells(
        "0 look up A
         0.1 create 1 on A as trunk
         0.6 attach e1
         3.1 look at e1
         3.2 starts
         3.5 assign 2 to e1",
    );
    assert!(!story.daemon.is_starting());
    story.usage(3, 0).holds(1, 3);
}

/// R36: in dual stack it has an address of each family.
#[test]
fn r36_a_trunk_in_dual_stack() {
    let mut story = Story::new(Config { dual: true, ..with_trunk(2, 4) }, &[100]);
    story.until(10.0).tells(
        "0 look up A
         0.1 create 1 and 1 v6 on A as trunk
         0.6 attach e1
         3.1 look at e1
         3.2 starts",
    );
    story.usage(1, 0);
    assert_eq!(story.daemon.idle_v6(), 1);
}

/// R37, R71: it serves pods up to the same cap, before any other interface.
#[test]
fn r37_it_serves_pods_first() {
    let mut story = Story::new(with_trunk(2, 2), &[100]);
    story.until(10.0).skip().add(1).add(2).add(3).until(20.0).tells(
        "10 p1 on e1
         10.3 assign 1 to e1
         10.3 create 1 on A
         10.8 attach e2
         11.8 p2 on e1
         13.3 look at e2
         13.4 p3 on e2",
    );
    // An ordinary interface that is fuller does not come before it.
    let mut story = Story::new(with_trunk(2, 4), &[100]);
    story.until(10.0).add(1).add(2).add(3).add(4).add(5).add(6).until(30.0).del(1).del(2).del(3).del(4).skip();
    story.add(7);
    assert_eq!(story.interface(7), story.daemon.trunk().expect("it has one"));
}

/// R71: with `least_ips` it comes last.
#[test]
fn r71_least_ips_takes_it_last() {
    let config = Config { eni_selection: brimline::ipam::node_local::EniSelection::LeastIps, ..with_trunk(2, 2) };
    let mut story = Story::new(config, &[100]);
    story.until(10.0).skip().add(1).until(20.0).tells(
        "10.3 create 1 on A
         10.8 attach e2
         13.3 look at e2
         13.4 p1 on e2",
    );
    story.add(2).until(30.0).skip().add(3).tells("30 p3 on e1");
}

/// R65, R67: idle addresses are given back, but for its primary one, and the interface stays.
#[test]
fn r65_it_is_never_deleted() {
    let config = Config { max_idle: 0, sync_period: Some(Span::secs(120)), ..with_trunk(2, 4) };
    let mut story = Story::new(config, &[100]);
    story.until(10.0).add(1).add(2).add(3).add(4).add(5).until(30.0).skip().holds(2, 5);
    for pod in 1..=5 {
        story.del(pod);
    }
    story.skip().until(3000.0).usage(1, 0).holds(1, 1);
    let told = story.told();
    assert!(told.contains("delete e2") && !told.contains("delete e1") && told.contains("of e1"), "{told}");
}

/// R36, R137: an attached trunk is taken, and nothing is made; R24: without trunking it is an ordinary interface.
#[test]
fn r36_an_attached_trunk_is_taken() {
    let config = with_trunk(2, 4);
    let mut story = Story::new(config.clone(), &[100]);
    story.until(10.0).add(1).skip();
    let trunk = story.daemon.trunk();
    story.at(20.0).restart(config.clone()).until(30.0).tells("").usage(0, 1);
    assert_eq!(story.daemon.trunk(), trunk);
    let off = Config { max_idle: 0, sync_period: Some(Span::secs(120)), ..node(2, 4) };
    story.restart(off);
    assert_eq!(story.daemon.trunk(), None);
    story.del(1).skip().until(300.0).holds(0, 0);
    story.at(300.0).restart(config).until(310.0).skip().holds(1, 1);
    assert!(story.daemon.trunk().is_some_and(|made| Some(made) != trunk));
}

/// R36: one that has no place for it goes without.
#[test]
fn r36_no_room_no_trunk() {
    let mut story = Story::new(node(2, 1), &[100]);
    story.at(0.0).add(1).add(2).until(20.0).skip();
    story.at(20.0).restart(with_trunk(2, 1)).until(30.0).tells("").usage(0, 2);
    assert_eq!((story.daemon.trunk(), story.daemon.is_starting()), (None, false));
    // With one place more it makes one, and the pods have their addresses meanwhile.
    story.at(30.0).restart(with_trunk(3, 1)).until(31.0).usage(0, 2);
    assert!(story.daemon.is_starting() && story.daemon.bound().count() == 2);
    story.until(40.0).usage(1, 2);
}

/// R36: if it cannot be made the daemon dies, and tries again when it is started again. Nothing is inhibited: that
/// is the slot's.
#[test]
fn r36_without_addresses_the_daemon_does_not_start() {
    let mut story = Story::new(with_trunk(2, 4), &[0]);
    story.until(100.0).tells(
        "0 look up A
         0.1 dies",
    );
    story.at(100.0).free(A, 9).restart(with_trunk(2, 4)).until(110.0).tells(
        "100 look up A
         100.1 create 1 on A as trunk
         100.6 attach e1
         103.1 look at e1
         103.2 starts",
    );
}

/// R36: one that is half made is deleted, with what a deletion takes, and then the daemon dies.
#[test]
fn r36_a_half_made_trunk_is_deleted() {
    let mut story = Story::new(with_trunk(2, 4), &[100]);
    story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::EniPerInstance));
    story.until(60.0).tells(
        "0 look up A
         0.1 create 1 on A as trunk
         0.6 attach e1
         1.1 refused: EniPerInstanceLimitExceeded
         1.1 detach e1
         6.6 delete e1
         8.1 look at e1
         8.2 dies",
    );
    story.holds(0, 0);
    // If that fails it is left behind.
    let mut story = Story::new(with_trunk(2, 4), &[100]);
    story.fault(Api::AttachNetworkInterface, Fault::Refuse(ErrorCode::EniPerInstance));
    story.fault(Api::DetachNetworkInterface, Fault::Refuse(ErrorCode::Internal));
    story.until(60.0).skip().holds(1, 1);
    assert!(!story.daemon.is_starting());
    story.restart(with_trunk(2, 4)).until(70.0).usage(1, 0).holds(2, 2);
}

/// R36, R135: a daemon that is killed meanwhile begins again; what it made and had not attached leaks.
#[test]
fn r36_killed_before_it_started() {
    let mut story = Story::new(with_trunk(2, 4), &[100]);
    story.at(0.7).input(Input::Kill).until(50.0).tells(
        "0 look up A
         0.1 create 1 on A as trunk
         0.6 attach e1",
    );
    // It came to be attached all the same.
    story.restart(with_trunk(2, 4)).until(60.0).tells("").usage(1, 0).holds(1, 1);
}

/// R38, R39: the trunk counts among the interfaces that leave no place for RDMA; otherwise there are slots of three
/// kinds.
#[test]
fn r39_slots_of_three_kinds() {
    let with_rdma = |slots, crowded_from| Config {
        rdma: Some(Rdma { slots: 1, crowded_from, is_told: true }),
        ..with_trunk(slots, 1)
    };
    let mut story = Story::new(with_rdma(3, 2), &[100]);
    story.until(10.0).skip().add_rdma(1).add(2).add(3).until(30.0).usage(0, 3);
    story.add(4).add_rdma(5);
    let told = story.told();
    assert!(told.contains("p4 failed: NodeFull") && told.contains("p5 failed: NodeFull"), "{told}");
    let mut story = Story::new(with_rdma(2, 1), &[100]);
    story.until(10.0).skip().add_rdma(1).tells("10 p1 failed: NodeFull");
    story.add(2).add(3).until(30.0).usage(0, 2);
}

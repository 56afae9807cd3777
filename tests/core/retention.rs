//! Retained addresses and the daemon's collection (rules R113 to R130).

use brimline::id::PodId;
use brimline::ipam::node_local::{Config, EniSelection};
use brimline::ipam::{Input, OwnCall};
use brimline::openapi::Api;
use brimline::time::Span;

use crate::story::{Fault, Story, node};

/// A node whose collection runs every five minutes.
fn collecting(slots: u32, ips: u32) -> Config {
    Config { gc_period: Some(Span::mins(5)), ..node(slots, ips) }
}

/// CC59, R124, R129 (trap 32): the address of a StatefulSet pod is freed by the second
/// collection after its end, five to ten minutes later; until then it counts as used.
#[test]
fn r129_a_retained_address_is_freed_by_the_second_collection() {
    for (end, freed) in [(10.0, 600.0), (299.0, 600.0), (301.0, 900.0)] {
        let mut story = Story::new(collecting(1, 10), &[50]);
        story.at(0.0).add(1).at(end).skip().del_retained(1).until(freed - 1.0).tells("").usage(0, 1);
        story.until(freed).tells(&format!("{freed} one of e1 idle")).usage(1, 0);
    }
}

/// R115, R130: the pod comes back in time and gets the address that it had, without a call; its
/// record is an ordinary one again, so that no collection frees it.
#[test]
fn r130_a_pod_that_returns_gets_its_address_again() {
    let mut story = Story::new(collecting(2, 2), &[50]);
    story.at(0.0).add(1).add(2).until(10.0).skip();
    let address = story.address(1);
    story.at(20.0).del_retained(1).at(310.0).add(3).add(1).until(3000.0).skip();
    assert_eq!(story.address(1), address);
    story.usage(0, 3);
}

/// R115, R50: a record pins its pod: an idle address of an interface that comes first is not
/// offered to it.
#[test]
fn r115_a_pod_that_returns_passes_other_interfaces() {
    let config = Config { eni_selection: EniSelection::LeastIps, ..collecting(2, 2) };
    let mut story = Story::new(config, &[50]);
    // e1 has one address, e2 two; under least_ips e1 comes first.
    story.at(0.0).add(1).until(10.0).add(2).until(20.0).add(3).until(30.0).skip();
    let (short, long) = if story.interface(3) == story.interface(1) { (2, 1) } else { (1, 2) };
    story.at(30.0).del(short).del_retained(long).skip().at(40.0).add(long);
    assert!(story.told().ends_with(" again\n"));
    story.at(50.0).add(4).tells(&format!("50 p4 on e{short}"));
}

/// R115, R127: under least_ips an empty slot comes first, and it passes a pinned request: the pod
/// gets a new address, and the one that was retained for it stays bound without a record.
#[test]
fn r127_an_address_without_a_record_is_never_collected() {
    let config = Config { eni_selection: EniSelection::LeastIps, ..collecting(2, 2) };
    let mut story = Story::new(config, &[50]);
    story.at(0.0).add(1).until(10.0).skip().del_retained(1).at(20.0).add(1).until(30.0).tells(
        "20.3 create 1 on A
         20.8 attach e2
         23.3 look at e2
         23.4 p1 on e2",
    );
    story.usage(0, 2).until(3000.0).usage(0, 2);
}

/// R127, R140: a restart knows of addresses what records say: one without a record is idle then.
#[test]
fn r127_a_restart_frees_an_address_without_a_record() {
    let config = Config { eni_selection: EniSelection::LeastIps, ..collecting(2, 2) };
    let mut story = Story::new(config.clone(), &[50]);
    story.at(0.0).add(1).until(10.0).skip().del_retained(1).at(20.0).add(1).until(30.0).skip().usage(0, 2);
    story.restart(config).tells("30 one of e1 idle").usage(1, 1);
}

/// R126: the collection keeps what a pod has whose object exists, though its address was retained and would be due: p1 is back
/// while the collection waits for p3, which hangs on an empty vSwitch.
#[test]
fn r126_a_pod_that_is_back_keeps_its_address() {
    let mut story = Story::new(collecting(2, 2), &[2]);
    story.at(0.0).add(1).add(2).until(10.0).skip().at(20.0).del_retained(1).at(590.0).add(3).at(650.0).add(1).skip();
    story.until(710.0).tells(
        "708 p3 failed: Deadline
         708 p1 on e1 again",
    );
    story.usage(0, 2).until(2000.0).usage(0, 2);
}

/// R130: a retained address is nobody else's: a full node refuses a newcomer beside it.
#[test]
fn r130_a_retained_address_is_nobody_elses() {
    let mut story = Story::new(collecting(1, 1), &[50]);
    story.at(0.0).add(1).at(20.0).del_retained(1).at(30.0).skip().add(2).tells("30 p2 failed: NodeFull");
    story.at(40.0).add(1).tells("40 p1 on e1 again");
}

/// R125: the ADD of a pod with an interface of its own holds the lock of the service until it is over, and neither such an ADD nor
/// such a DEL is heard while a collection waits; a pod that is given up is forgotten.
#[test]
fn r125_a_pod_with_an_interface_of_its_own_holds_the_lock() {
    let (add, del) = (|pod| Input::Own(OwnCall::Add(PodId(pod))), |pod| Input::Own(OwnCall::Del(PodId(pod))));
    let over = |pod| Input::OwnIsOver(PodId(pod));
    let mut story = Story::new(collecting(2, 2), &[50]);
    story.at(0.0).add(1).until(10.0).skip().at(280.0).input(add(7)).tells("280 hears ADD of p7");
    story.at(310.0).del(1).input(add(8)).input(add(9)).input(del(6)).input(over(8)).until(330.0).tells("");
    story.input(over(7)).tells(
        "330 one of e1 idle
         330 hears ADD of p9
         330 hears DEL of p6",
    );
    // p9 holds it from now on.
    story.at(610.0).add(2).tells("").at(620.0).input(over(9)).tells("620 p2 on e1");
}

/// R125 (trap 31): a collection waits for the pending AllocIP, and everybody else waits for the
/// collection: a newcomer and a release are answered when the hanging call ends.
#[test]
fn r125_a_collection_behind_a_hanging_call_freezes_the_node() {
    let mut story = Story::new(collecting(2, 2), &[2]);
    story.at(0.0).add(1).add(2).until(10.0).skip();
    // p3 hangs on a vSwitch without addresses, from 250 s to its deadline at 368 s.
    story.at(250.0).add(3).at(299.0).del(1).add(4).tells(
        "250.3 create 1 on A
         250.8 refused: InvalidVSwitchId.IpNotEnough
         299 one of e1 idle
         299 p4 on e1",
    );
    // From 300 s on everybody waits, though an address is there for p5.
    story.at(310.0).del(4).add(5).until(500.0).tells(
        "368 p3 failed: Deadline
         368 one of e1 idle
         368 p5 on e1",
    );
}

/// R112, R125: the deadline of a call that waits behind a collection runs meanwhile.
#[test]
fn r125_deadlines_run_behind_a_collection() {
    let mut story = Story::new(collecting(1, 10), &[0]);
    story.at(290.0).add(1).at(301.0).add(2).until(500.0).tells(
        "290.3 look up A
         408 p1 failed: Deadline
         419 p2 failed: Deadline",
    );
}

/// R125: a pod that is deleted while it waits behind a collection is not served after it.
#[test]
fn r125_a_pod_deleted_behind_a_collection_is_gone() {
    let mut story = Story::new(collecting(1, 10), &[0]);
    story
        .at(290.0)
        .add(1)
        .at(301.0)
        .add(2)
        .at(302.0)
        .del(2)
        .until(500.0)
        .tells("290.3 look up A\n408 p1 failed: Deadline");
}

/// R125, R59: the caller of the hanging call goes away: the collection runs at once.
#[test]
fn r125_a_cancelled_call_lets_the_collection_run() {
    let mut story = Story::new(collecting(1, 10), &[50]);
    story.fault(Api::DescribeVSwitches, Fault::Slow(400.0));
    story
        .at(290.0)
        .add(1)
        .at(301.0)
        .add(2)
        .at(310.0)
        .del(1)
        .until(428.0)
        .tells("290.3 look up A\n419 p2 failed: Deadline");
}

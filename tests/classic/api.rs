//! The OpenAPI layer: attempts, waits and roll-backs.

use brimline::openapi::{Api, ErrorCode};

use crate::story::{A, Fault, Story, node};

const ASSIGN: Api = Api::AssignPrivateIpAddresses;
const BUSY: Fault = Fault::Refuse(ErrorCode::Throttling);

/// P83, T24: an assign that fails for another reason than missing addresses is tried six times, with the
/// lock of the API held.
#[test]
fn p83_an_assign_is_tried_six_times() {
    let mut story = Story::with(node(1, 10, 0, 10), &[100], &[(A, 1, &[1])]);
    (0..6).for_each(|_| {
        story.fault(ASSIGN, BUSY);
    });
    let told = story.at(1.0).add(2).at(60.0).del(1).until(300.0).told();
    let assigns: Vec<_> = told.lines().filter(|line| line.contains("assign")).map(|l| l.split(' ').next()).collect();
    let at = ["1.3", "6.7", "17.1", "37.5", "77.9", "158.3"].map(Some);
    assert_eq!(assigns, at);
    // The release waited for the lock: 158.3 s + 0.4 s + 1.1 s (P39, P84).
    assert!(told.contains("159.8 p1 left e1"), "{told}");
}

/// P83: fewer addresses than asked for are given back, and count as none.
#[test]
fn p83_an_incomplete_assign_is_rolled_back() {
    let mut story = Story::with(node(1, 10, 0, 10), &[100], &[(A, 1, &[1])]);
    story.fault(ASSIGN, Fault::Only(1)).at(1.0).add(2).add(3).until(10.0).tells(
        "1.3 assign 2 to e1
         1.7 unassign 1 of e1
         3.1 p2 failed: NotAssigned { trouble: Incomplete, short: false }
         3.1 p3 failed: NotAssigned { trouble: Incomplete, short: false }",
    );
    story.holds(1, 1);
}

/// P83: addresses that instance metadata does not show within ten looks are given back.
#[test]
fn p83_addresses_that_metadata_does_not_show_are_given_back() {
    let mut story = Story::with(node(1, 10, 0, 10), &[100], &[(A, 1, &[1])]);
    story.fault(ASSIGN, Fault::Unseen(3.0)).at(1.0).add(2).until(10.0).tells("1.3 assign 1 to e1\n 5 p2 on e1");
    story.fault(ASSIGN, Fault::Unseen(30.0)).at(20.0).add(3).until(60.0).tells(
        "20.3 assign 1 to e1
         30.6 unassign 1 of e1
         32 p3 failed: NotAssigned { trouble: NotShown, short: false }",
    );
    story.holds(1, 2);
}

/// P87: an address that metadata shows for longer than ten looks counts as not given back, though it is.
/// A tick finds it missing, and the next gives its place back (P36).
#[test]
fn p87_an_address_that_metadata_shows_on_is_given_back_twice() {
    let mut story = Story::with(node(1, 4, 0, 2), &[100], &[(A, 4, &[1])]);
    story.until(10.0).tells("0 unassign 1 of e1").usage(2, 1);
    story.fault(Api::UnassignPrivateIpAddresses, Fault::Unseen(20.0)).at(20.0).del(1).until(60.0);
    story.tells("20 p1 left e1\n 20 unassign 1 of e1").usage(3, 0).holds(1, 2);
    // The sleep after the failure ends at 20 s + 0.3 s + 1.1 s + 9.9 s + 120 s.
    story.until(200.0).tells("151.3 unassign 1 of e1").usage(1, 0);
    story.until(500.0).tells("272.7 unassign 1 of e1").usage(1, 0).holds(1, 1);
}

/// P78: a new interface is looked at until it is in use.
#[test]
fn p78_a_new_interface_is_looked_at_until_it_is_in_use() {
    let mut story = Story::new(node(1, 10, 0, 10), &[100]);
    story.fault(Api::DescribeNetworkInterfaces, Fault::NotInUse).at(1.0).add(1).until(30.0).tells(
        "1 create 1 on A
         1.6 attach e1
         7.5 look at e1
         12.6 look at e1
         12.7 p1 on e1",
    );
}

/// P80: an interface that cannot be attached is deleted; if that fails too, it leaks.
#[test]
fn p80_an_interface_that_cannot_be_attached_is_deleted() {
    for leaks in [false, true] {
        let mut story = Story::new(node(1, 10, 0, 10), &[100]);
        (0..8).for_each(|_| {
            story.fault(Api::AttachNetworkInterface, BUSY);
        });
        if leaks {
            (0..6).for_each(|_| {
                story.fault(Api::DeleteNetworkInterface, BUSY);
            });
        }
        story.at(1.0).add(1);
        let told = story.until(400.0).told();
        assert!(told.contains("attach e1") && told.contains("detach e1"), "{told}");
        story.usage(0, 0).holds(u32::from(leaks), u32::from(leaks));
        // The slot is free again all the same.
        story.at(400.0).add(2).until(420.0).usage(0, 1);
    }
}

/// P67: if an interface cannot be deleted, its slot is gone, and its address fails for ever.
#[test]
fn p67_a_failed_deletion_costs_the_slot() {
    let mut story = Story::with(node(1, 10, 0, 0), &[100], &[(A, 1, &[1])]);
    (0..6).for_each(|_| {
        story.fault(Api::DeleteNetworkInterface, BUSY);
    });
    story.at(1.0).del(1).until(1000.0).usage(1, 0).holds(1, 1);
    assert_eq!(story.daemon.empty_slots(), 0);
    // P38: the plugin finds no such interface, and what is given back then is invalid, so that the next pod meets it no more.
    story.skip().at(1001.0).add(2).until(1002.0).tells("1001 p2 failed: Detached").usage(0, 0);
}

/// P88: four calls per second after the first five, for what changes interfaces.
#[test]
fn p88_the_client_limits_its_calls() {
    let mut config = node(9, 1, 9, 9);
    config.limited = true;
    let mut story = Story::new(config, &[100]);
    let told = story.until(1.0).told();
    assert!(told.starts_with("0 create 1 on A"), "{told}");
    story.until(120.0).usage(9, 0);
}

/// P66: if metadata shows fewer addresses than promised, who waits for them does so for ever: here the
/// maintenance, which does nothing else any more.
#[test]
fn p66_whoever_waits_for_missing_first_addresses_waits_for_ever() {
    let mut story = Story::new(node(2, 10, 0, 10), &[100]);
    story.until(1.0).fault(Api::CreateNetworkInterface, Fault::Only(1)).restart(|config| config.sizes.min_idle = 3);
    story.until(3600.0).tells("1 create 3 on A\n 1.6 attach e1\n 7.5 look at e1").usage(0, 0).holds(1, 1);
}

/// P39, G5: a slow assign holds a release, and that every call.
#[test]
fn p39_a_slow_assign_holds_everybody_up() {
    let mut story = Story::with(node(1, 10, 0, 10), &[100], &[(A, 3, &[1, 2])]);
    story.at(1.0).add(3).skip().fault(ASSIGN, Fault::Slow(20.0)).add(4);
    story.at(2.0).del(1).at(3.0).add(5).until(30.0).tells(
        "1.3 assign 1 to e1
         21.3 p1 left e1
         21.3 p5 on e1
         21.3 p4 on e1",
    );
}

//! A daemon that dies and starts (rules R135 to R141): what is lost, kept and rebuilt.

use brimline::ipam::Input;
use brimline::ipam::node_local::{Config, Reclaim};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::Span;

use crate::story::{A, B, Fault, Story, node};

/// CC16, CC17, R136, R137: interfaces, their addresses and who has them are there again; the
/// next pod takes an idle one without a call.
#[test]
fn cc16_interfaces_and_pods_are_found_again() {
    let mut story = Story::new(node(2, 2), &[50]);
    story.at(0.0).add(1).add(2).add(3).until(20.0).skip().del(1);
    let config = node(2, 2);
    story.at(30.0).restart(config).tells("20 one of e1 idle").usage(1, 2);
    story.at(31.0).add(4).add(5).until(60.0).tells("31 p4 on e1\n31.3 assign 1 to e2\n32.8 p5 on e2");
    // The primary address is known again: it is the one that cannot be given back.
    story.at(60.0).del(2).del(3).del(4).del(5).skip();
    story.restart(Config { max_idle: 0, sync_period: Some(Span::secs(120)), ..node(2, 2) }).until(100.0);
    story.holds(0, 0);
}

/// R135: waiting calls fail, and nothing of them is left: what they had asked for is lost.
#[test]
fn r135_waiting_calls_are_lost() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0).add(1).at(2.0).restart(node(1, 10)).until(200.0).tells(
        "0.3 look up A
         0.4 create 1 on A
         0.9 attach e1
         2 p1 failed: Restart",
    );
    // The interface was attached before the restart: it is adopted.
    story.usage(1, 0).at(200.0).add(1).tells("200 p1 on e1");
}

/// R103, R135: an interface that was made and not yet attached is nobody's after the restart.
#[test]
fn r103_a_detached_interface_leaks() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0).add(1).at(1.2).restart(node(1, 10)).until(10.0).skip().holds(1, 1).usage(0, 0);
}

/// R135: inhibit windows, the blocks of vSwitches and their stale counts are lost. That is why
/// operators delete the terway pods after they have freed addresses (trap 4).
#[test]
fn r135_a_restart_drops_windows_and_blocks() {
    let mut story = Story::new(node(2, 10), &[1, 0]);
    story.at(0.0).add(1).at(10.0).add(2).until(11.0).skip().free(A, 9);
    assert!(story.daemon.is_held_back(brimline::time::Instant::ZERO + Span::secs(11)));
    story.at(12.0).add(3).restart(node(2, 10)).add(4).until(20.0).tells(
        "12 p2 failed: Restart
         12 p3 failed: Restart
         12.3 assign 1 to e1
         13.8 p4 on e1",
    );
    assert!(story.sufficient());
}

/// R138, CC18: an interface with more addresses than the new cap gives all its idle ones back at
/// once, but for the primary one.
#[test]
fn r138_a_lower_cap_gives_idle_addresses_back() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0);
    for pod in 1..=6 {
        story.add(pod);
    }
    story.until(20.0).skip();
    for pod in 1..=5 {
        story.del(pod);
    }
    let told = story.skip().at(30.0).restart(node(1, 3)).until(60.0).told();
    assert!(told == "30 unassign 4 of e1\n" || told == "30 unassign 5 of e1\n", "{told}");
}

/// R40, R139 (traps 35, 41): fewer slots than interfaces: all are adopted. A new list of
/// vSwitches reaches only interfaces made afterwards; existing ones go on growing where they are.
#[test]
fn r139_existing_interfaces_stay_on_their_vswitch() {
    let mut story = Story::new(Config { vswitches: vec![A], ..node(2, 2) }, &[9, 50]);
    story.at(0.0).add(1).add(2).add(3).until(20.0).skip();
    let lower = Config { max_eni: 1, capacity: 2, vswitches: vec![B], ..node(2, 2) };
    story.at(30.0).restart(lower).usage(0, 3);
    story.at(31.0).add(4).add(5).until(60.0).tells("31 p5 failed: NodeFull\n31.3 assign 1 to e2\n32.8 p4 on e2");
    assert_eq!(story.cloud.usage(B).on_enis, 0);
    // One slot more: only its interface is on the new vSwitch.
    story.at(60.0).restart(Config { vswitches: vec![B], ..node(3, 2) }).add(6).until(70.0).skip();
    assert_eq!((story.cloud.usage(A).on_enis, story.cloud.usage(B).on_enis), (4, 1));
}

/// R136, R129: records of retained addresses survive, and with them how far their retention is.
#[test]
fn r136_retention_survives_a_restart() {
    let config = || Config { gc_period: Some(Span::mins(5)), ..node(1, 10) };
    let mut story = Story::new(config(), &[50]);
    story.at(0.0).add(1).at(290.0).del_retained(1).until(400.0).skip().usage(0, 1);
    // The collection of 300 s has cleared the flag; the one right after the start frees it (R141).
    story.at(400.0).restart(config()).until(400.0).tells("400 one of e1 idle");
    let mut story = Story::new(config(), &[50]);
    story.at(0.0).add(1).at(290.0).del_retained(1).restart(config()).until(400.0).skip().usage(0, 1);
    story.at(400.0).restart(config()).until(400.0).tells("400 one of e1 idle");
}

/// R141, R135: the pool sync runs at once after a start; the quiet time of reclaim begins anew.
#[test]
fn r141_the_pool_sync_runs_at_the_start() {
    let config = || Config { min_idle: 1, max_idle: 2, sync_period: Some(Span::secs(120)), ..node(1, 10) };
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0).add(1).until(50.0).skip();
    story.at(50.0).restart(config()).until(60.0).tells("50.3 assign 1 to e1").usage(1, 1);
}

/// R135, R81: the quiet time of reclaim begins anew.
#[test]
fn r135_quiet_time_begins_anew() {
    let reclaim = Reclaim { after: Span::mins(30), interval: Span::mins(10), batch: 5, factor: 0.1 };
    let config = || Config { reclaim: Some(reclaim), sync_period: Some(Span::secs(60)), ..node(1, 10) };
    let deleted = |restart: bool| {
        let mut story = Story::new(config(), &[50]);
        story.at(0.0).add(1).at(10.0).del(1).at(1700.0);
        if restart {
            story.restart(config());
        }
        story.skip().until(2600.0).told().contains("detach")
    };
    assert_eq!([deleted(false), deleted(true)], [true, false]);
}

/// R49, R135: token buckets are full again.
#[test]
fn r135_buckets_are_full_again() {
    let mut story = Story::new(node(1, 10), &[50]);
    for _ in 0..5 {
        story.fault(Api::CreateNetworkInterface, Fault::Refuse(ErrorCode::EniPerRegion));
    }
    story.at(0.0).add(1).until(2.0).skip();
    story.at(2.0).restart(node(1, 10)).add(1).until(5.0).tells(
        "2 p1 failed: Restart
         2.3 look up A
         2.4 create 1 on A
         2.9 refused: EniLimitExceeded
         3.2 create 1 on A
         3.7 refused: EniLimitExceeded",
    );
}

/// R135: the connections of everybody who waits break when the daemon is killed; then nothing
/// happens until it starts, with what pods have.
#[test]
fn r135_a_killed_daemon_hangs_up_at_once() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0).add(1).until(9.0).skip().at(10.0).add(2).add(3).at(10.1).input(Input::Kill);
    story.until(40.0).tells("10.1 p2 failed: Restart\n10.1 p3 failed: Restart");
    story.at(40.0).restart(node(1, 10)).usage(0, 1).add(2).until(60.0).tells("40.3 assign 1 to e1\n41.8 p2 on e1");
}

/// An answer to a call of the former life is nobody's.
#[test]
fn answers_of_a_former_life_are_ignored() {
    let mut story = Story::new(node(1, 10), &[50]);
    story.at(0.0).add(1).until(10.0).at(10.0).add(2).at(10.4).skip().restart(node(1, 10)).until(60.0);
    // The cloud has assigned an address that the daemon does not know (R70: it never adopts one).
    story.tells("10.4 p2 failed: Restart").holds(1, 2).usage(0, 1);
}

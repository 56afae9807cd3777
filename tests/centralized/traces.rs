//! The specification's worked traces (section 20), and what the golden cases corrected in them.

use serde_json::json;

use super::story::{pods, tell};

/// How many addresses the node holds, from one number to the next.
fn addresses(ips_per_eni: u32, adapters: u32, n: u32) -> Vec<i64> {
    tell(json!({"ips_per_eni": ips_per_eni, "adapters": adapters, "events": pods(n)})).path("node0.ips")
}

/// 20.1: three slots of fifteen. An order is twice what waits (C54), and the run that gets the
/// interface orders again (C52).
#[test]
fn trace_20_1_orders_are_doubled_and_repeated() {
    assert_eq!(addresses(15, 4, 1), [0, 2, 3]);
    assert_eq!(addresses(15, 4, 2), [0, 4, 6]);
    assert_eq!(addresses(15, 4, 3), [0, 6, 9, 8]);
    assert_eq!(addresses(15, 4, 5), [0, 10, 15, 10]);
    assert_eq!(addresses(15, 4, 10), [0, 10, 15]);
    assert_eq!(addresses(15, 4, 20), [0, 10, 15, 25, 30, 25]);
}

/// 20.2: slots of ten. Five pods fit on the first interface, and yet a second one is made.
#[test]
fn trace_20_2_a_second_interface_that_nobody_needs() {
    assert_eq!(addresses(10, 4, 4), [0, 8, 10, 9]);
    let five = tell(json!({"events": pods(5)}));
    // The GC takes four from the second and one from the first, one call each.
    assert_eq!((five.path("node0.ips").len(), five.path("node0.enis")), (5, vec![0, 1, 2]));
    assert_eq!((five.path("node0.ips").iter().max(), five.end("node0.ips")), (Some(&15), 10));
    assert_eq!(addresses(10, 4, 10), [0, 10, 20, 15]);
    let twelve = tell(json!({"events": pods(12)}));
    assert_eq!((twelve.end("node0.ips"), twelve.path("node0.enis")), (17, vec![0, 1, 2, 3, 2]));
    assert_eq!(twelve.path("node0.ips").iter().max(), Some(&22));
    assert_eq!(addresses(10, 4, 20), [0, 10, 20, 30, 25]);
}

/// 20.3: seven slots of twenty. A new interface starts with ten addresses at most (C62).
#[test]
fn trace_20_3_new_interfaces_start_with_ten() {
    assert_eq!(addresses(20, 8, 8), [0, 10, 18, 13]);
    assert_eq!(addresses(20, 8, 12), [0, 10, 20, 17]);
    assert_eq!(addresses(20, 8, 28), [0, 10, 20, 30, 38, 33]);
}

/// 20.4: pods that come slower than the loop, on a node without idle addresses: one call for two.
#[test]
fn trace_20_4_one_call_for_two_pods() {
    let one_by_one =
        (0..8).map(|i| json!({"t_ms": 10_003 + 20_000 * i, "op": "add", "node": 0, "pod": format!("p{i}")}));
    let told = tell(json!({"ips_per_eni": 20, "max_pool_size": 20, "events": one_by_one.collect::<Vec<_>>()}));
    // The first is served by the creation and what its arrival orders: three addresses.
    assert_eq!(told.path("node0.ips"), [0, 2, 3, 5, 7, 9]);
    assert_eq!(told.calls("AssignPrivateIpAddresses"), 4);
    assert_eq!(told.end("node0.bound"), 8);
}

/// 20.5: min above max is never settled: two are given back and ordered every period.
#[test]
fn trace_20_5_min_above_max_churns_for_ever() {
    let told = tell(json!({"min_pool_size": 5, "max_pool_size": 3}));
    assert_eq!(told.path("node0.ips"), [0, 5, 7, 5, 7, 5, 7, 5]);
}

/// 20.6: all pods leave. The last interface is stripped to its primary address, which stays for
/// ever (C108).
#[test]
fn trace_20_6_the_last_primary_address_stays() {
    for (max, left) in [(0, 1), (5, 5)] {
        let mut events: Vec<_> = pods(25).as_array().expect("a list").clone();
        events.extend((0..25).map(|i| json!({"t_ms": 60_003, "op": "del", "node": 0, "pod": format!("p{i:02}")})));
        let told = tell(json!({"max_pool_size": max, "events": events}));
        assert_eq!((told.end("node0.enis"), told.end("node0.ips")), (1, left), "max {max}");
    }
}

/// 20.7 as the golden cases corrected it: interfaces are made without prefixes, the first is filled
/// before the next arrives, and a superfluous one stays empty (C126 to C131).
#[test]
fn trace_20_7_prefixes_come_by_top_up_only() {
    let wanted = [
        (5, 4, 15, 1, 5),
        (10, 4, 15, 1, 10),
        (11, 4, 15, 2, 11),
        (15, 4, 20, 2, 15),
        (20, 7, 30, 2, 20),
        (25, 4, 30, 2, 25),
        (28, 4, 15, 3, 28),
        (50, 4, 15, 3, 42),
        (84, 4, 30, 3, 84),
    ];
    for (prefixes, adapters, ips_per_eni, enis, got) in wanted {
        let told = tell(json!({"ipv4_prefix_count": prefixes, "adapters": adapters, "ips_per_eni": ips_per_eni}));
        assert_eq!((told.end("node0.enis"), told.end("node0.prefixes")), (enis, got), "{prefixes} prefixes");
    }
}

/// 20.8: a trunk interface is made without any pod, and serves pods (C63).
#[test]
fn trace_20_8_a_trunk_is_made_without_pods() {
    assert_eq!(tell(json!({"trunk": true})).path("node0.ips"), [0, 1]);
    let told = tell(json!({"trunk": true, "events": pods(4)}));
    assert_eq!((told.end("node0.enis"), told.end("node0.bound")), (1, 4));
}

/// C130: in prefix mode the run that sees the first trunk arrive makes a second one.
#[test]
fn c130_prefix_mode_makes_a_second_trunk() {
    let told = tell(json!({"trunk": true, "ipv4_prefix_count": 3}));
    assert_eq!((told.end("node0.enis"), told.end("node0.prefixes")), (2, 3));
}

/// 20.9: a warm-up is ordered ten at a time, and is over for good.
#[test]
fn trace_20_9_a_warm_up() {
    let told = tell(json!({"warm_up_size": 15, "min_pool_size": 5, "max_pool_size": 20, "ips_per_eni": 20}));
    assert_eq!(told.path("node0.ips"), [0, 10, 15]);
}

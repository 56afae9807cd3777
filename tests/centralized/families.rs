//! Dual stack: both address families of a node.

use serde_json::{Value, json};

use super::story::{Told, pods, tell};

fn ipv6_refused(code: &str) -> Value {
    json!([{"api": "AssignIpv6Addresses", "code": code, "from_ms": 0, "to_ms": 900_000}])
}

fn paths(told: &Told) -> (Vec<i64>, Vec<i64>) {
    (told.path("node0.ips"), told.path("node0.ipv6"))
}

/// The burst that was recorded from the real code (section C of the corrections): eight and two of
/// each family on one interface; the GC takes one IPv4 address, and after a second one IPv6 (C98,
/// C107).
#[test]
fn c98_a_burst_in_dual_stack() {
    let told = tell(json!({"dual": true, "events": pods(4)}));
    assert_eq!(paths(&told), (vec![0, 8, 10, 9], vec![0, 8, 10, 9]));
    assert_eq!(told.settled("node0.ipv6") - told.settled("node0.ips"), 1_300, "a pause of 1 s, a call of 0.3 s");
    assert_eq!((told.calls("AssignIpv6Addresses"), told.calls("UnassignIpv6Addresses")), (1, 1));
    // C71: the IPv6 addresses of the run that gets the interface come after its IPv4 ones.
    assert_eq!(told.bound()[0], Some(15_583), "0.4 s later than without IPv6");
    assert_eq!(tell(json!({"events": pods(4)})).bound()[0], Some(15_183));
}

/// C57, item 4a of the corrections: while IPv6 is refused each run orders more IPv4 addresses until
/// the first interface is full of them; then it asks for IPv6 every 1.4 s, and the pods beyond wait
/// for ever, though two slots are free.
#[test]
fn c57_refused_ipv6_leaks_ipv4_on_one_interface() {
    let mut events = pods(4).as_array().expect("a list").clone();
    events.extend((4..10).map(|i| json!({"t_ms": 30_003, "op": "add", "node": 0, "pod": format!("p{i:02}")})));
    let told = tell(json!({
        "dual": true, "ips_per_eni": 15, "events": events, "until_ms": 300_000, "faults": ipv6_refused("Forbidden.RAM"),
    }));
    let (ipv4, ipv6) = paths(&told);
    assert_eq!((&ipv4[..5], &ipv6[..]), (&[0, 8, 12, 14, 15][..], &[0, 8][..]));
    assert_eq!(ipv4[5..], [13, 15, 13, 15], "the GC takes two, the next run orders them again");
    assert_eq!(told.0.errors["Forbidden.RAM"], 191, "as many as the real controller's");
    assert_eq!((told.end("node0.enis"), told.end("node0.bound"), told.end("node0.pending")), (1, 8, 2));
}

/// C72, C79: nothing is known of a vSwitch's IPv6 addresses; a refusal for want of them blocks its
/// IPv4 addresses, for everybody.
#[test]
fn c72_a_lack_of_ipv6_blocks_the_vswitch() {
    let mut events = pods(4).as_array().expect("a list").clone();
    events.push(json!({"t_ms": 60_003, "op": "add", "node": 1, "pod": "other"}));
    let told = tell(json!({
        "dual": true, "nodes": 2, "events": events, "faults": ipv6_refused("InvalidVSwitchId.IpNotEnough"),
    }));
    assert_eq!((told.calls("AssignIpv6Addresses"), told.calls("CreateNetworkInterface")), (1, 1));
    assert_eq!(told.end("node1.pending"), 1);
}

/// C112: only IPv4 addresses that are assigned count for the warm-up.
#[test]
fn c112_a_warm_up_counts_ipv4() {
    let told = tell(json!({"dual": true, "warm_up_size": 15, "max_pool_size": 20, "ips_per_eni": 20}));
    assert_eq!(paths(&told), (vec![0, 10, 15], vec![0, 10, 15]));
}

/// C133: an interface with IPv4 prefixes gets one IPv6 prefix; one that stays empty gets none.
#[test]
fn c133_one_ipv6_prefix_per_interface_with_ipv4_prefixes() {
    for (prefixes, enis, ipv6_prefixes) in [(5, 1, 1), (11, 2, 1), (28, 3, 2)] {
        let told = tell(json!({"dual": true, "ipv4_prefix_count": prefixes, "ips_per_eni": 15}));
        let ends = ["node0.enis", "node0.prefixes", "node0.ipv6_prefixes", "node0.ipv6"].map(|name| told.end(name));
        assert_eq!(ends, [enis, prefixes, ipv6_prefixes, 0]);
    }
}

/// C63: in dual stack a trunk is made with one address of each family.
#[test]
fn c63_a_trunk_in_dual_stack() {
    assert_eq!(paths(&tell(json!({"dual": true, "trunk": true}))), (vec![0, 1], vec![0, 1]));
}

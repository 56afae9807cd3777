//! Random small clusters with everything switched on at random. Safety: at every sample the books
//! of cloud and CRs agree. Liveness: once nothing new happens, no pod waits where there is room.

use brimline::chance::SmallStream;
use brimline::conformance::centralized::case::{Case, Op};
use brimline::conformance::centralized::play::{Played, play, play_thoroughly};
use brimline::ipam::centralized::Flavor;
use serde_json::{Value, json};

use super::story::case;

/// The script is over by then; blocks of vSwitches and errors in a row are, half an hour later.
const QUIET_MS: u64 = 600_000;
const WORLDS: u64 = 300;

struct Draw(SmallStream);

impl Draw {
    fn below(&mut self, n: u32) -> u32 {
        self.0.below(n)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u32) as usize]
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

fn world(seed: u64) -> Case {
    let mut draw = Draw(SmallStream::new(seed));
    let nodes = 1 + draw.below(4);
    let latency = |draw: &mut Draw, base: u64| base * draw.one(&[1, 2, 5, 10]) / 2;
    let keys = [
        "create",
        "attach",
        "attach_settle",
        "assign",
        "unassign",
        "detach",
        "detach_settle",
        "delete",
        "describe",
        "vswitch",
    ];
    let latency_ms: Value = keys
        .iter()
        .map(|key| ((*key).to_owned(), json!(latency(&mut draw, 300))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let erdma = draw.chance(30);
    let prefixes = if draw.chance(15) { 1 + draw.below(40) } else { 0 };
    case(json!({
        "nodes": nodes, "node_stagger_ms": draw.below(900), "adapters": 2 + draw.below(4),
        "ips_per_eni": draw.one(&[2, 6, 10, 20]), "max_pool_size": draw.below(20), "min_pool_size": draw.below(12),
        "warm_up_size": draw.one(&[0, 0, 8, 18]), "ip_pool_sync_period_s": draw.one(&[0, 30, 120]),
        "trunk": draw.chance(25), "dual": draw.chance(40), "erdma": erdma, "ipv4_prefix_count": prefixes,
        "idle_ip_reclaim_after_s": draw.one(&[0, 60]), "idle_ip_reclaim_interval_s": 60,
        "vswitches": [
            {"id": "vsw-a", "zone": "z", "available": draw.one(&[20, 100, 1000]), "prefixes": 1000},
            {"id": "vsw-b", "zone": "z", "available": draw.one(&[0, 30]), "prefixes": 1000},
        ],
        "latency_ms": latency_ms, "runtime_report_ms": draw.one(&[500, 2000, 44_000]),
        "workers": draw.one(&[1, 2, 500]), "cr_write_qps": draw.one(&[0, 2]), "cr_write_burst": 3,
        "faults": faults(&mut draw), "events": script(&mut draw, nodes, erdma),
        "until_ms": QUIET_MS + 3_000_000, "sample_ms": 1000,
    }))
}

fn faults(draw: &mut Draw) -> Value {
    let apis = [
        "CreateNetworkInterface",
        "AttachNetworkInterface",
        "DetachNetworkInterface",
        "DeleteNetworkInterface",
        "AssignPrivateIpAddresses",
        "UnassignPrivateIpAddresses",
        "AssignIpv6Addresses",
        "UnassignIpv6Addresses",
        "DescribeNetworkInterfaces",
        "DescribeVSwitches",
        "UpdateNodeStatus",
    ];
    let codes = ["Throttling", "InternalError", "Operation.Conflict", "Forbidden.RAM"];
    let faults = (0..draw.below(5)).map(|_| {
        let from = u64::from(draw.below(QUIET_MS as u32));
        json!({"api": draw.one(&apis), "code": draw.one(&codes), "from_ms": from, "to_ms": (from + 20_000).min(QUIET_MS)})
    });
    faults.collect()
}

/// Pods come and go, sometimes under an old name; the controller restarts.
fn script(draw: &mut Draw, nodes: u32, erdma: bool) -> Value {
    let mut events = Vec::new();
    let mut there: Vec<(u32, String, bool)> = Vec::new();
    let mut t_ms = 0;
    for i in 0..draw.below(80) {
        t_ms += draw.one(&[0, 7, 500, 9000]);
        if t_ms >= QUIET_MS {
            break;
        }
        if draw.chance(4) {
            events.push(json!({"t_ms": t_ms, "op": "restart"}));
        } else if draw.chance(35) && !there.is_empty() {
            let (node, pod, erdma) = there.swap_remove(draw.below(there.len() as u32) as usize);
            events.push(json!({"t_ms": t_ms, "op": "del", "node": node, "pod": pod}));
            if draw.chance(20) {
                t_ms += 300;
                events.push(json!({"t_ms": t_ms, "op": "add", "node": node, "pod": pod, "erdma": erdma}));
                there.push((node, pod, erdma));
            }
        } else {
            let (node, pod, erdma) = (draw.below(nodes), format!("p{i}"), erdma && draw.chance(30));
            events.push(json!({"t_ms": t_ms, "op": "add", "node": node, "pod": pod, "erdma": erdma}));
            there.push((node, pod, erdma));
        }
    }
    Value::Array(events)
}

/// At every sample: what the cloud has handed out is held by nodes, and pods have what nodes hold.
fn check_safety(case: &Case, played: &Played) {
    let total: i64 = case.vswitches.iter().map(|vswitch| i64::from(vswitch.available)).sum();
    for (t_ms, sample) in &played.samples {
        let at = |quantity: &str| sample[quantity];
        let free: i64 = case.vswitches.iter().map(|vswitch| at(&format!("{}.available", vswitch.id))).sum();
        let held: i64 = (0..case.nodes).map(|node| at(&format!("node{node}.ips"))).sum();
        assert_eq!(free + held, total, "addresses got lost at {t_ms} ms");
        for node in 0..case.nodes {
            let of = |quantity: &str| at(&format!("node{node}.{quantity}"));
            assert!(of("bound") + of("held") <= of("ips") || case.ipv4_prefix_count > 0, "node {node} at {t_ms} ms");
            assert!(of("enis") <= 2 * i64::from(case.adapters), "node {node} has interfaces without end");
        }
    }
}

/// At the end: nobody waits on a node that has room for its kind of pod, if the vSwitches have it,
/// too. Worlds that may leak interfaces, which take room, are left out.
fn check_liveness(case: &Case, played: &Played) {
    if may_leak(case) || case.ipv4_prefix_count > 0 {
        return;
    }
    let (_, last) = played.samples.last().expect("there are samples");
    let ample = case.vswitches.iter().any(|vswitch| last[&format!("{}.available", vswitch.id)] > 60);
    for node in (0..case.nodes).filter(|_| ample) {
        let flavor = Flavor::of(case.adapters, case.trunk, case.erdma);
        let gets_rdma =
            |pod: &str| flavor.has_erdma() && case.events.iter().any(|event| event.pod == pod && event.erdma);
        for (is_rdma, slots) in [(false, flavor.trunk + flavor.secondary), (true, flavor.high_performance)] {
            let there = played.pods.iter().filter(|pod| pod.node == node && pod.deleted.is_none());
            let (bound, pending): (Vec<_>, Vec<_>) =
                there.filter(|pod| gets_rdma(&pod.pod) == is_rdma).partition(|pod| pod.bound.is_some());
            let is_full = bound.len() == (slots * case.ips_per_eni) as usize;
            assert!(pending.is_empty() || is_full, "node {node} leaves pods waiting: {pending:?}, {last:?}");
        }
        assert_eq!(last[&format!("node{node}.held")], 0, "node {node} holds addresses of pods that are gone");
    }
}

/// A restart or a lost write may leave interfaces that no CR names (C70).
fn may_leak(case: &Case) -> bool {
    case.events.iter().any(|event| event.op == Op::Restart)
        || case.faults.iter().any(|fault| fault.api == "UpdateNodeStatus")
}

/// What the CR knows is what there is: nothing is ordered where it does not fit.
fn check_orders(case: &Case, played: &Played) {
    let refused = played.errors.keys().filter(|code| code.ends_with("CountExceeded"));
    assert!(may_leak(case) || refused.count() == 0, "{:?}", played.errors);
}

#[test]
fn random_clusters_keep_the_laws() {
    for seed in 0..WORLDS {
        println!("world {seed}");
        let case = world(seed);
        case.check().expect("a sound case");
        let played = play(&case, seed);
        check_safety(&case, &played);
        check_liveness(&case, &played);
        check_orders(&case, &played);
    }
}

/// The same case and seed: the same run. Another seed: other choices, where there were any.
#[test]
fn runs_are_reproducible() {
    let case = world(3);
    let story = |seed| format!("{:?}", play(&case, seed));
    assert_eq!(story(1), story(1));
}

/// A world of nodes as most are, with pods up to its end and counts of vSwitches that expire often.
fn plain_world(seed: u64) -> Case {
    let mut case = world(seed);
    (case.trunk, case.dual, case.erdma, case.ipv4_prefix_count) = (false, false, false, 0);
    case.vswitch_cache_ttl_s = 60 + seed % 3 * 120;
    case.faults.clear();
    for event in &mut case.events {
        (event.t_ms, event.erdma) = (event.t_ms * 5, false);
    }
    case
}

/// A world in which another controller of the process tells of its counts, true or not, and blocks
/// vSwitches.
fn shared_world(seed: u64) -> Case {
    let mut case = if seed.is_multiple_of(2) { world(seed) } else { plain_world(seed) };
    let mut draw = Draw(SmallStream::new(!seed));
    let last_ms = case.events.last().map_or(QUIET_MS, |event| event.t_ms);
    for _ in 0..1 + draw.below(40) {
        let (vswitch, free) = (draw.one(&["vsw-a", "vsw-b"]), draw.one(&[0, 0, 1, 50]));
        let t_ms = draw.below(last_ms as u32 + 1);
        let event = json!({"t_ms": t_ms, "op": "counted", "vswitch": vswitch, "delta": free});
        case.events.push(serde_json::from_value(event).expect("an event"));
    }
    case.events.sort_by_key(|event| event.t_ms);
    case
}

/// Runs that find nothing to do, or only free and bind addresses, are not gone through, nor is a node
/// woken when the count of its vSwitch expires; if they are, all comes out the same.
#[test]
fn skipped_runs_change_nothing() {
    for seed in 0..WORLDS {
        check_skipped_runs(seed, &world(seed));
        check_skipped_runs(seed, &plain_world(seed));
    }
}

#[test]
fn c74_skipped_runs_change_nothing_where_counts_are_shared() {
    for seed in 0..WORLDS {
        check_skipped_runs(seed, &shared_world(seed));
    }
}

fn check_skipped_runs(seed: u64, case: &Case) {
    case.check().expect("a sound case");
    let (ours, thorough) = (play(case, seed), play_thoroughly(case, seed));
    for (ours, thorough) in ours.samples.iter().zip(&thorough.samples) {
        assert_eq!(ours, thorough, "world {seed}");
    }
    assert_eq!(format!("{ours:?}"), format!("{thorough:?}"), "world {seed}");
}

//! A small cluster under a script, and what became of it.

use brimline::conformance::centralized::case::Case;
use brimline::conformance::centralized::play::{Played, play};
use serde_json::{Value, json};

/// A node with three slots of ten addresses, min 0, max 5, whose vSwitch has plenty; sampled ten
/// times a second for seven minutes. `changes` replace keys.
pub fn case(changes: Value) -> Case {
    let mut case = json!({
        "core": "centralized", "name": "story", "nodes": 1, "node_stagger_ms": 0, "adapters": 4, "ips_per_eni": 10,
        "max_pool_size": 5, "min_pool_size": 0, "warm_up_size": 0, "ip_pool_sync_period_s": 120,
        "vswitch_selection": "most", "vswitch_cache_ttl_s": 1200, "trunk": false, "dual": false, "erdma": false,
        "ipv4_prefix_count": 0, "degradation": "", "idle_ip_reclaim_after_s": 0, "idle_ip_reclaim_interval_s": 600,
        "idle_ip_reclaim_batch_size": 5,
        "vswitches": [{"id": "vsw-a", "zone": "z", "available": 252, "prefixes": 500}],
        "latency_ms": {
            "create": 600, "attach": 900, "attach_settle": 1500, "assign": 400, "unassign": 300, "detach": 700,
            "detach_settle": 1500, "delete": 500, "describe": 100, "vswitch": 80
        },
        "runtime_report_ms": 2000, "workers": 500, "cr_write_qps": 0, "cr_write_burst": 0, "faults": [],
        "events": [], "until_ms": 420_000, "sample_ms": 100
    });
    let keys = case.as_object_mut().expect("it is one");
    for (key, value) in changes.as_object().expect("keys with values") {
        assert!(keys.insert(key.clone(), value.clone()).is_some(), "{key} is a key of a case");
    }
    serde_json::from_value(case).expect("the keys have their types")
}

/// `n` pods that appear at 10.003 s.
pub fn pods(n: u32) -> Value {
    let pods = (0..n).map(|i| json!({"t_ms": 10_003, "op": "add", "node": 0, "pod": format!("p{i:02}")}));
    pods.collect()
}

/// `n` pods that ask for RDMA and appear at 10.003 s.
pub fn rdma_pods(n: u32) -> Value {
    let pod = |i| json!({"t_ms": 10_003, "op": "add", "node": 0, "pod": format!("r{i:02}"), "erdma": true});
    (0..n).map(pod).collect()
}

/// What became of a case.
pub struct Told(pub Played);

/// Plays a case.
pub fn tell(changes: Value) -> Told {
    let case = case(changes);
    case.check().expect("a sound case");
    Told(play(&case, 1))
}

impl Told {
    /// The values that a quantity went through.
    pub fn path(&self, quantity: &str) -> Vec<i64> {
        let mut path: Vec<_> = self.0.samples.iter().map(|(_, sample)| sample[quantity]).collect();
        path.dedup();
        path
    }

    /// The last value of a quantity.
    pub fn end(&self, quantity: &str) -> i64 {
        *self.path(quantity).last().expect("there are samples")
    }

    /// When a quantity last changed, in ms.
    pub fn settled(&self, quantity: &str) -> u64 {
        let end = self.end(quantity);
        let before = self.0.samples.iter().rev().find(|(_, sample)| sample[quantity] != end);
        before.map_or(0, |(t_ms, _)| t_ms + 100)
    }

    /// Calls of an action.
    pub fn calls(&self, api: &str) -> i64 {
        self.0.calls.get(api).copied().unwrap_or(0)
    }

    /// When each pod had its address, in ms.
    pub fn bound(&self) -> Vec<Option<u64>> {
        self.0.pods.iter().map(|pod| pod.bound).collect()
    }
}

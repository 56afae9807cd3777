//! RDMA: pods that ask for it, and their interface.

use serde_json::json;

use super::story::{pods, rdma_pods, tell};

/// C55, C163: RDMA pods count once, and the run that gets their interface orders once more (C52);
/// plain pods are served on an interface of their own.
#[test]
fn c55_rdma_pods_count_once() {
    let told = tell(json!({"erdma": true, "events": rdma_pods(3)}));
    assert_eq!((told.path("node0.ips"), told.end("node0.enis")), (vec![0, 3, 6], 1));
    assert_eq!(told.bound(), [Some(15_183); 3]);

    let mut events = rdma_pods(1).as_array().expect("a list").clone();
    events.extend(pods(1).as_array().expect("a list").clone());
    let both = tell(json!({"erdma": true, "events": events}));
    assert_eq!((both.end("node0.enis"), both.end("node0.bound")), (2, 2));
}

/// C163: there is one RDMA interface: the pods that it has no room for wait, whatever else is free.
/// Without RDMA on the node they are ordinary pods.
#[test]
fn c163_rdma_pods_beyond_their_interface_wait() {
    let told = tell(json!({"erdma": true, "events": rdma_pods(12)}));
    assert_eq!((told.end("node0.enis"), told.end("node0.bound"), told.end("node0.pending")), (1, 10, 2));
    assert_eq!(tell(json!({"events": rdma_pods(12)})).end("node0.bound"), 12);
}

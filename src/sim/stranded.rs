//! Addresses that are free though pods wait, and why those pods cannot have them.

use std::collections::BTreeSet;

use super::engine::{Engine, Observer, PodState};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::BATCH;
use crate::record::{Stranded, StrandedReason};

/// The stranded addresses of the vSwitches that are `meant` for pods: some pool lists them.
pub(super) fn stranded<O: Observer>(engine: &Engine<O>, meant: &BTreeSet<VSwitchId>) -> Vec<Stranded> {
    let waiting = engine.pods().iter().filter(|pod| pod.state == PodState::Waiting);
    let mut nodes: Vec<NodeId> = waiting.map(|pod| pod.node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    if nodes.is_empty() {
        return Vec::new();
    }
    let found = meant.iter().filter_map(|&vswitch| {
        let addresses = engine.cloud.usage(vswitch).free;
        (addresses > 0).then(|| Stranded { vswitch, addresses, reason: reason(engine, &nodes, vswitch, addresses) })
    });
    found.collect()
}

fn reason<O: Observer>(engine: &Engine<O>, nodes: &[NodeId], vswitch: VSwitchId, free: u32) -> StrandedReason {
    let daemons = || nodes.iter().map(|&node| engine.daemon(node));
    if daemons().all(|daemon| !daemon.config().vswitches.contains(&vswitch)) {
        return StrandedReason::NotConfigured;
    }
    let reach = |daemon: &&crate::ipam::node_local::NodeLocal| {
        (daemon.empty_slots() > 0 && daemon.config().vswitches.contains(&vswitch))
            || daemon.extendable().any(|id| id == vswitch)
    };
    let mut reaching = daemons().filter(reach).peekable();
    if reaching.peek().is_none() {
        StrandedReason::NoFreeEniSlot
    } else if (free as usize) < BATCH && !reaching.any(|daemon| daemon.is_held_back(engine.now())) {
        StrandedReason::BatchTooLarge
    } else {
        StrandedReason::Blocked
    }
}

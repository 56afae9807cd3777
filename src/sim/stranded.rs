//! Addresses that are free though pods wait, and why those pods cannot have them.

use std::collections::BTreeSet;

use super::engine::{Engine, Observer, Pod, PodState};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::BATCH;
use crate::record::{Stranded, StrandedReason};
use crate::time::Span;

/// After this time a pod has been refused at least once: an AllocIP lasts 118 s at most (R112).
const PATIENCE: Span = Span::mins(2);

/// The stranded addresses of the vSwitches that are `meant` for pods: some pool lists them.
pub(super) fn stranded<O: Observer>(engine: &Engine<O>, meant: &BTreeSet<VSwitchId>) -> Vec<Stranded> {
    // Who asked just now may still be served.
    let waits = |pod: &&Pod| pod.state == PodState::Waiting && engine.now().since(pod.requested) > PATIENCE;
    let waiting = engine.pods().iter().filter(waits);
    let mut nodes: Vec<NodeId> = waiting.map(|pod| pod.node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    if nodes.is_empty() {
        return Vec::new();
    }
    let found = meant.iter().filter_map(|&vswitch| {
        let addresses = engine.cloud.usage(vswitch).free;
        let reason = reason(engine, &nodes, vswitch, addresses).filter(|_| addresses > 0)?;
        Some(Stranded { vswitch, addresses, reason })
    });
    found.collect()
}

/// Why the nodes cannot use what is free; `None` = nothing keeps them from it.
fn reason<O: Observer>(engine: &Engine<O>, nodes: &[NodeId], vswitch: VSwitchId, free: u32) -> Option<StrandedReason> {
    if nodes.iter().all(|&node| !engine.candidates(node).contains(&vswitch)) {
        return Some(StrandedReason::NotConfigured);
    }
    let reaching: Vec<_> = nodes.iter().filter(|&&node| engine.can_extend(node, vswitch)).collect();
    if reaching.is_empty() {
        Some(StrandedReason::NoFreeEniSlot)
    } else if reaching.iter().any(|&&node| engine.is_held_back(node)) {
        Some(StrandedReason::Blocked)
    } else {
        ((free as usize) < BATCH).then_some(StrandedReason::BatchTooLarge)
    }
}

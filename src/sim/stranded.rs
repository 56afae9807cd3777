//! Addresses that are free though pods wait, and why those pods cannot have them.

use std::collections::BTreeSet;

use super::engine::{Engine, Observer, Pod, PodState};
use crate::id::{NodeId, PodId, VSwitchId};
use crate::ipam::BATCH;
use crate::record::{Stranded, StrandedReason};
use crate::time::Span;

/// After this time a pod has been refused at least once: an AllocIP lasts 118 s at most (R112).
const PATIENCE: Span = Span::mins(2);

/// Who asks for addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    /// A node, for pods that share its interfaces; `rdma` = those that ask for RDMA.
    Node { node: NodeId, rdma: bool },
    /// A pod, for an interface of its own.
    Pod(PodId),
}

/// The stranded addresses of the vSwitches that are `meant` for pods: some pool lists them, or some
/// PodNetworking.
pub(super) fn stranded<O: Observer>(engine: &Engine<O>, meant: &BTreeSet<VSwitchId>) -> Vec<Stranded> {
    // Who asked just now may still be served.
    let waits = |pod: &Pod| pod.state == PodState::Waiting && engine.now().since(pod.requested) > PATIENCE;
    let waiting = engine.pods().iter().enumerate().filter(|(_, pod)| waits(pod));
    let asker = |(i, pod): (usize, &Pod)| match pod.has_own_eni {
        true => Asker::Pod(PodId::new(i)),
        false => Asker::Node { node: pod.node, rdma: pod.erdma },
    };
    let askers: BTreeSet<Asker> = waiting.map(asker).collect();
    if askers.is_empty() {
        return Vec::new();
    }
    let found = meant.iter().filter_map(|&vswitch| {
        let addresses = engine.cloud.usage(vswitch).free;
        let reason = reason(engine, &askers, vswitch, addresses).filter(|_| addresses > 0)?;
        Some(Stranded { vswitch, addresses, reason })
    });
    found.collect()
}

/// Why the askers cannot use what is free; `None` = nothing keeps them from it.
fn reason<O: Observer>(
    engine: &Engine<O>,
    askers: &BTreeSet<Asker>,
    vswitch: VSwitchId,
    free: u32,
) -> Option<StrandedReason> {
    let lists = |&asker: &Asker| match asker {
        Asker::Node { node, .. } => engine.candidates(node).contains(&vswitch),
        Asker::Pod(pod) => engine.may_have_an_interface_on(pod, vswitch),
    };
    if !askers.iter().any(lists) {
        return Some(StrandedReason::NotConfigured);
    }
    let may_ask = |asker: &&Asker| match **asker {
        Asker::Node { node, rdma } => engine.can_extend(node, vswitch, rdma),
        Asker::Pod(pod) => lists(asker) && engine.holdings_for(pod).empty_slots > 0,
    };
    let is_held_back = |asker: &&Asker| match **asker {
        Asker::Node { node, .. } => engine.is_held_back(node),
        Asker::Pod(pod) => engine.holdings_for(pod).blocked.contains(&vswitch),
    };
    let by_control_plane = |asker: &&Asker| match **asker {
        Asker::Node { node, .. } => engine.holdings(node).by_control_plane,
        Asker::Pod(_) => true,
    };
    let blocks = engine.cloud.free_prefixes(vswitch);
    let wants_more_blocks =
        |asker: &&Asker| matches!(**asker, Asker::Node { node, .. } if engine.fewest_prefixes(node) > blocks);
    let reaching: Vec<_> = askers.iter().filter(may_ask).collect();
    if reaching.is_empty() {
        Some(StrandedReason::NoFreeEniSlot)
    } else if reaching.iter().any(wants_more_blocks) {
        Some(if blocks == 0 { StrandedReason::NoBlock } else { StrandedReason::TooFewBlocks })
    } else if engine.cloud.quota_refusing(0, 1).is_some() {
        Some(StrandedReason::Quota)
    } else if let Some(asker) = reaching.iter().find(|asker| is_held_back(asker)) {
        Some(if by_control_plane(asker) { StrandedReason::TakenForEmpty } else { StrandedReason::Blocked })
    } else {
        let in_batches = reaching.iter().all(|asker| matches!(asker, Asker::Node { .. }));
        (in_batches && (free as usize) < BATCH).then_some(StrandedReason::BatchTooLarge)
    }
}

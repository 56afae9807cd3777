//! What a run says of a node's addresses: the condition SufficientIP of the k8s Node, and the
//! conditions of interfaces in the CR (C84, C85).

use super::draft::Draft;
use super::placement::Place;
use super::resource::Status;
use crate::time::{Instant, Span};

/// A condition is renewed when it is older.
pub(super) const RENEWAL: Span = Span::mins(5);

/// The condition SufficientIP of the k8s Node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeCondition {
    /// Whether pods may hope for an address.
    pub sufficient: bool,
    /// When it was last written.
    pub heartbeat: Instant,
}

/// Whether the node has an idle IPv4 address, or a place that is neither full nor without addresses.
pub(super) fn is_sufficient(status: &Status, places: &[Place]) -> bool {
    places.iter().any(|place| {
        let nic = place.eni.and_then(|eni| status.nics.get(&eni));
        if nic.is_some_and(|nic| nic.unschedulable) {
            return false;
        }
        nic.is_some_and(|nic| nic.idle() > 0) || (!place.full && !place.short)
    })
}

/// Whether the k8s Node has to be patched (C85).
pub(super) fn is_due(now: Instant, written: Option<NodeCondition>, sufficient: bool) -> bool {
    written.is_none_or(|written| written.sufficient != sufficient || written.heartbeat + RENEWAL <= now)
}

/// Writes the errors of a run to the interfaces that they befell; a run without errors clears all
/// (C84).
pub(super) fn mark(now: Instant, status: &mut Draft, places: &[Place]) {
    for place in places {
        let Some((eni, nic)) = place.eni.and_then(|eni| Some((eni, status.nics.get(&eni)?))) else { continue };
        let (mut insufficient, mut operation_error) = (nic.insufficient, nic.operation_error);
        if !place.short && !place.failed {
            (insufficient, operation_error) = (None, None);
        }
        if place.short && insufficient.is_none_or(|since| since + RENEWAL < now) {
            insufficient = Some(now);
        }
        if place.failed {
            operation_error = Some(now);
        }
        if (insufficient, operation_error) != (nic.insufficient, nic.operation_error) {
            let nic = status.nics.get_mut(&eni).expect("it was looked at");
            (nic.insufficient, nic.operation_error) = (insufficient, operation_error);
        }
    }
}

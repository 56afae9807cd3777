//! PodNetworkings, in the words of their resource
//! (`pkg/apis/crds/network.alibabacloud.com_podnetworkings.yaml`, without `metadata` and `spec`).
#![allow(non_snake_case, reason = "the keys are Terway's own")]

use crate::ipam::pod_eni::Policy;
use crate::scenario::quantity::Duration;
use crate::scenario::read::{At, section};
use crate::scenario::words::{AllocationKind, ReleaseStrategy};

section! {
    /// A PodNetworking: its pods get an interface of their own on the trunk of their node, and an address of one of
    /// its vSwitches.
    "a PodNetworking" struct PodNetworking {
        /// Its name, by which workloads refer to it (`pod_networking`).
        required name: At<String>,
        /// Whether addresses are kept for pods that come again.
        optional allocationType: AllocationType,
        /// The vSwitches that its interfaces may be on; the first in the node's zone with a free address is taken.
        optional vSwitchOptions: Vec<At<String>>,
        /// Which of them instead.
        optional vSwitchSelectOptions: VSwitchSelectOptions,
        /// Security groups of the interfaces; nothing that is simulated depends on them.
        optional securityGroupIDs: Vec<At<String>>,
    }
}

section! {
    /// Whether addresses are kept for pods that come again.
    "`allocationType`" struct AllocationType {
        /// `Elastic` = an address goes with its pod, `Fixed` = it is kept for the pod's name (StatefulSets only).
        optional r#type: At<AllocationKind>,
        /// What ends the keeping: `TTL` = `releaseAfter` since the pod was last seen, `Never` = nothing.
        optional releaseStrategy: At<ReleaseStrategy>,
        /// How long an address is kept without a pod, such as `5m0s`.
        optional releaseAfter: At<Duration>,
    }
}

section! {
    /// Which vSwitch an interface goes to.
    "`vSwitchSelectOptions`" struct VSwitchSelectOptions {
        /// `ordered` = the first of the list with a free address, `random` = any with one, `most` = the one with most.
        optional vSwitchSelectionPolicy: At<Policy>,
    }
}

//! PodNetworkings, in the words of their resource
//! (`pkg/apis/crds/network.alibabacloud.com_podnetworkings.yaml`, without `metadata` and `spec`).
#![allow(non_snake_case, reason = "the keys are Terway's own")]

use crate::ipam::pod_eni::Policy;
use crate::scenario::quantity::Duration;
use crate::scenario::read::{At, section};
use crate::scenario::words::{AllocationKind, EniType, ReleaseStrategy};

section! {
    /// A PodNetworking: its pods get an interface of their own, and an address of one of its vSwitches.
    "a PodNetworking" struct PodNetworking {
        /// Its name, by which workloads refer to it (`pod_networking`).
        /// Example: `databases`.
        required name: At<String>,
        /// How its interfaces are attached.
        /// Default: to trunks (the CRD).
        /// Example: `{eniType: ENI}`.
        optional eniOptions: EniOptions,
        /// Whether addresses are kept for pods that come again.
        /// Default: elastic (the CRD).
        /// Example: `{type: Fixed, releaseStrategy: TTL, releaseAfter: 12h}`.
        optional allocationType: AllocationType,
        /// The vSwitches that its interfaces may be on, those of the node's zone; pods are only put in zones that
        /// have one.
        /// Default: eni-config's, by ID (webhook/mutating.go:267-272).
        /// Example: `[vsw-a, vsw-b]`.
        optional vSwitchOptions: Vec<At<String>>,
        /// Which of them an interface goes to.
        /// Default: see there.
        /// Example: `{vSwitchSelectionPolicy: most}`.
        optional vSwitchSelectOptions: VSwitchSelectOptions,
        /// Security groups of the interfaces; nothing that is simulated depends on them.
        /// Default: none.
        /// Example: `[sg-a]`.
        optional securityGroupIDs: Vec<At<String>>,
    }
}

section! {
    /// How interfaces are attached.
    "`eniOptions`" struct EniOptions {
        /// `Trunk` = as members of their node's trunk, `ENI` = to their node itself, one of a pool with `exclusive_eni`,
        /// `Default` = as the control plane's `enableTrunk` says, which is taken to be on: `Trunk`.
        /// Default: `Default` (the CRD).
        /// Example: `ENI`.
        optional eniType: At<EniType>,
    }
}

section! {
    /// Whether addresses are kept for pods that come again.
    "`allocationType`" struct AllocationType {
        /// `Elastic` = an address goes with its pod, `Fixed` = it is kept for the pod's name (`stateful_set` only).
        /// Default: `Elastic` (the CRD).
        /// Example: `Fixed`.
        optional r#type: At<AllocationKind>,
        /// What ends the keeping: `TTL` = `releaseAfter` since the pod was last seen, `Never` = nothing.
        /// Default: `Never`: Terway keeps what has no strategy (C153, eni_controller.go:649-652).
        /// Example: `TTL`.
        optional releaseStrategy: At<ReleaseStrategy>,
        /// How long an address is kept since its pod was last seen; Terway looks every 1 to 2 min, so that it may be
        /// 126 s more or less (C153).
        /// Default: *required* for `TTL`.
        /// Example: `5m`.
        optional releaseAfter: At<Duration>,
    }
}

section! {
    /// Which vSwitch an interface goes to.
    "`vSwitchSelectOptions`" struct VSwitchSelectOptions {
        /// `ordered` = the first of the list with a free address, `random` = any with one, `most` = the one with most
        /// (C147).
        /// Default: `ordered` (the CRD).
        /// Example: `most`.
        optional vSwitchSelectionPolicy: At<Policy>,
    }
}

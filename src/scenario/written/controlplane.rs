//! Terway's control plane, in the words of its own configuration
//! (`types/controlplane/config.go:25-66`).
#![allow(non_snake_case, reason = "the keys are Terway's own")]

use crate::ipam::centralized::Degradation;
use crate::scenario::quantity::{Count, Duration, Number};
use crate::scenario::read::{At, Entries, section};

section! {
    /// Terway's control plane (`terway-controlplane`), which allocates for all nodes if IPAM is centralized.
    "`controlplane`" struct Controlplane {
        /// Life of a cached free count of a vSwitch, and of a block of one without addresses.
        optional vSwitchCacheTTL: At<Duration>,
        /// Period of the pool of nodes whose eni-config sets none.
        optional multiIPGCPeriod: At<Duration>,
        /// Time between two full syncs of a node with the cloud, up to twice that.
        optional multiIPNodeSyncPeriod: At<Duration>,
        /// Nodes that are reconciled at the same time, from 1 to 20,000.
        optional multiIPNodeMaxConcurrent: At<Count>,
        /// Status writes per second, all nodes together.
        optional kubeClientQPS: At<Number>,
        /// Status writes at once.
        optional kubeClientBurst: At<Count>,
        /// Calls per minute, by action of the API.
        optional rateLimit: Entries<At<Count>>,
        /// What is switched off: `l0` = full syncs, allocation and shrinking; `l1` = all but allocation.
        optional degradation: At<Degradation>,
    }
}

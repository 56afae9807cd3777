//! Terway's control plane, in the words of its own configuration
//! (`types/controlplane/config.go:25-66`).
#![allow(non_snake_case, reason = "the keys are Terway's own")]

use crate::ipam::centralized::Degradation;
use crate::scenario::quantity::{Count, Duration, Number};
use crate::scenario::read::{At, Entries, section};

section! {
    /// Terway's control plane (`terway-controlplane`), which allocates for all nodes if IPAM is centralized, and makes the
    /// interfaces of pods that have one of their own with node-local IPAM too.
    "`controlplane`" struct Controlplane {
        /// How long the free count of a vSwitch is believed, and how long a vSwitch that refused is left alone (C74,
        /// C81).
        /// Default: `20m` (config_default.go:67).
        /// Example: `5m`.
        optional vSwitchCacheTTL: At<Duration>,
        /// Time between two looks at a node's pool, where `ip_pool_sync_period` of eni-config sets none (C21).
        /// Default: `2m` (config_default.go:94).
        /// Example: `1m`.
        optional multiIPGCPeriod: At<Duration>,
        /// Time between two full syncs of a node with the cloud, up to twice that (C35).
        /// Default: `12h` (config_default.go:93).
        /// Example: `1h`.
        optional multiIPNodeSyncPeriod: At<Duration>,
        /// Nodes that are looked after at the same time, from 1 to 20,000 (C27).
        /// Default: `500` (config_default.go:92).
        /// Example: `50`.
        optional multiIPNodeMaxConcurrent: At<Count>,
        /// Pods with an interface of their own whose interfaces are made at the same time, from 1 to 10,000 (C149).
        /// Default: `10` (config_default.go:44).
        /// Example: `50`.
        optional podMaxConcurrent: At<Count>,
        /// Pods whose interfaces are attached or detached at the same time, from 1 to 10,000 (C149).
        /// Default: `10` (config_default.go:45).
        /// Example: `50`.
        optional podENIMaxConcurrent: At<Count>,
        /// Interfaces of pods' own that are worked on at the same time, from 1 to 10,000 (C27).
        /// Default: `300` (config_default.go:105).
        /// Example: `50`.
        optional eniMaxConcurrent: At<Count>,
        /// Writes of CRs per second, all nodes together (C28).
        /// Default: `20` (config_default.go:63).
        /// Example: `50`.
        optional kubeClientQPS: At<Number>,
        /// Writes of CRs at once (C28).
        /// Default: `30` (config_default.go:64).
        /// Example: `100`.
        optional kubeClientBurst: At<Count>,
        /// Most calls per minute, which may come at once too, by action of the API, all nodes together (C157).
        /// Default: 500 of `CreateNetworkInterface`, `AttachNetworkInterface` and `DeleteNetworkInterface`, 800 of
        /// `DescribeNetworkInterfaces`, 300 of `DescribeVSwitches`, 400 of others
        /// (pkg/aliyun/client/ratelimit.go:20-98).
        /// Example: `{CreateNetworkInterface: 100}`.
        optional rateLimit: Entries<At<Count>>,
        /// What is switched off: `l0` = full syncs, allocation and shrinking, `l1` = full syncs and shrinking (C114).
        /// Default: `none`.
        /// Example: `l1`.
        optional degradation: At<Degradation>,
    }
}

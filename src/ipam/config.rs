//! What Terway runs with on a node, whichever allocator it is.

use std::sync::Arc;

use super::{centralized, classic, node_local, pod_eni};
use crate::id::VSwitchId;

/// The effective configuration of a node; a copy is cheap.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// The daemon allocates.
    NodeLocal(Arc<node_local::Config>),
    /// The daemon allocates as it did before v1.7.
    Classic(Arc<classic::Config>),
    /// The control plane does (`ipam_type: crd`).
    Centralized(Arc<centralized::NodeConfig>),
    /// Every pod gets an interface of its own from the control plane (rule C144).
    Exclusive(Arc<pod_eni::NodeConfig>),
}

impl Config {
    /// Candidate vSwitches of the node, as written (rules R18, C13).
    #[must_use]
    pub fn vswitches(&self) -> &[VSwitchId] {
        match self {
            Self::NodeLocal(config) => &config.vswitches,
            Self::Classic(config) => &config.vswitches,
            Self::Centralized(config) => &config.vswitches,
            Self::Exclusive(config) => &config.vswitches,
        }
    }

    /// Replaces the candidates.
    #[must_use]
    pub fn with_vswitches(mut self, vswitches: Vec<VSwitchId>) -> Self {
        match &mut self {
            Self::NodeLocal(config) => Arc::make_mut(config).vswitches = vswitches,
            Self::Classic(config) => Arc::make_mut(config).vswitches = vswitches,
            Self::Centralized(config) => Arc::make_mut(config).vswitches = vswitches,
            Self::Exclusive(config) => Arc::make_mut(config).vswitches = vswitches,
        }
        self
    }

    /// Lower bound of idle addresses (rules R10, C12).
    #[must_use]
    pub fn min_idle(&self) -> u32 {
        match self {
            Self::NodeLocal(config) => config.min_idle,
            Self::Classic(config) => config.sizes.min_idle,
            Self::Centralized(config) => config.min_idle,
            Self::Exclusive(_) => 0,
        }
    }

    /// Upper bound of idle addresses (rules R9, C12).
    #[must_use]
    pub fn max_idle(&self) -> u32 {
        match self {
            Self::NodeLocal(config) => config.max_idle,
            Self::Classic(config) => config.sizes.max_idle,
            Self::Centralized(config) => config.max_idle,
            Self::Exclusive(_) => 0,
        }
    }

    /// Places for secondary interfaces that serve ordinary pods (rules R35, C11).
    #[must_use]
    pub fn slots(&self) -> u32 {
        match self {
            Self::NodeLocal(config) => config.max_eni.saturating_sub(config.rdma.map_or(0, |rdma| rdma.slots)),
            Self::Classic(config) => config.sizes.max_eni,
            Self::Centralized(config) => config.flavor.for_pods(),
            Self::Exclusive(config) => config.slots,
        }
    }

    /// Whether the node has a trunk (rules R36, C63).
    #[must_use]
    pub fn has_trunk(&self) -> bool {
        match self {
            Self::NodeLocal(config) => config.trunk.is_some(),
            Self::Classic(_) | Self::Exclusive(_) => false,
            Self::Centralized(config) => config.flavor.trunk > 0,
        }
    }

    /// Member interfaces for pods of PodNetworkings (rules R35, C145).
    #[must_use]
    pub fn members(&self) -> u32 {
        match self {
            Self::NodeLocal(config) => config.trunk.map_or(0, |trunk| trunk.members),
            Self::Classic(_) | Self::Exclusive(_) => 0,
            Self::Centralized(config) => config.members,
        }
    }

    /// Addresses per interface, its primary one included.
    #[must_use]
    pub fn ips_per_eni(&self) -> u32 {
        match self {
            Self::NodeLocal(config) => config.ips_per_eni,
            Self::Classic(config) => config.sizes.ips_per_eni,
            Self::Centralized(config) => config.ips_per_eni,
            Self::Exclusive(_) => 1,
        }
    }

    /// Addresses that the node can hold (rules R35, C10).
    #[must_use]
    pub fn capacity(&self) -> u32 {
        match self {
            Self::NodeLocal(config) => config.capacity,
            Self::Classic(config) => config.sizes.capacity,
            Self::Centralized(config) => config.flavor.for_pods() * config.ips_per_eni,
            Self::Exclusive(config) => config.slots,
        }
    }

    /// Whether it has interfaces for pods that ask for RDMA (rules R34, C163).
    #[must_use]
    pub fn has_rdma(&self) -> bool {
        match self {
            Self::NodeLocal(config) => config.rdma.is_some(),
            Self::Centralized(config) => config.flavor.has_erdma(),
            Self::Classic(_) | Self::Exclusive(_) => false,
        }
    }

    /// How many /28 prefixes the node gets in all; `None` = it takes addresses (rule C123).
    #[must_use]
    pub fn prefixes(&self) -> Option<u32> {
        match self {
            Self::NodeLocal(_) | Self::Classic(_) | Self::Exclusive(_) => None,
            Self::Centralized(config) => config.prefixes,
        }
    }
}

impl From<node_local::Config> for Config {
    fn from(config: node_local::Config) -> Self {
        Self::NodeLocal(Arc::new(config))
    }
}

impl From<classic::Config> for Config {
    fn from(config: classic::Config) -> Self {
        Self::Classic(Arc::new(config))
    }
}

impl From<pod_eni::NodeConfig> for Config {
    fn from(config: pod_eni::NodeConfig) -> Self {
        Self::Exclusive(Arc::new(config))
    }
}

impl From<centralized::NodeConfig> for Config {
    fn from(config: centralized::NodeConfig) -> Self {
        Self::Centralized(Arc::new(config))
    }
}

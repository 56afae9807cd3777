//! What Terway runs with on a node, whichever allocator it is.

use std::sync::Arc;

use super::kube_client::KubeClient;
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

/// What a node offers, or a pod requests, as extended resources, which the scheduler counts in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Devices {
    /// Member interfaces of its trunk (`aliyun/member-eni`; rules R41, C145).
    pub members: u32,
    /// Interfaces of nodes with exclusive ones (`aliyun/eni`; rule R42, `daemon/daemon.go:943-947`).
    pub enis: u32,
    /// Addresses of interfaces for RDMA (`aliyun/erdma`; rules R41, C163).
    pub rdma: u32,
}

impl Devices {
    fn with(self, other: Self, of: impl Fn(u32, u32) -> u32) -> Self {
        Self {
            members: of(self.members, other.members),
            enis: of(self.enis, other.enis),
            rdma: of(self.rdma, other.rdma),
        }
    }

    /// These and others.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    /// So many times these.
    #[must_use]
    pub fn times(self, n: u32) -> Self {
        self.with(self, |a, _| a * n)
    }

    /// What is left of these without others; nothing if those are more.
    #[must_use]
    pub fn minus_at_most(self, other: Self) -> Self {
        self.with(other, u32::saturating_sub)
    }

    /// These without others.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
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

    /// The daemon's client of the API server; that of before v1.7 is not simulated.
    #[must_use]
    pub fn kube_client(&self) -> KubeClient {
        match self {
            Self::NodeLocal(config) => config.kube_client,
            Self::Classic(_) => KubeClient::UNLIMITED,
            Self::Centralized(config) => config.kube_client,
            Self::Exclusive(config) => config.kube_client,
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
            Self::Centralized(config) => config.watermarks().min_idle,
            Self::Exclusive(_) => 0,
        }
    }

    /// Upper bound of idle addresses (rules R9, C12).
    #[must_use]
    pub fn max_idle(&self) -> u32 {
        match self {
            Self::NodeLocal(config) => config.max_idle,
            Self::Classic(config) => config.sizes.max_idle,
            Self::Centralized(config) => config.watermarks().max_idle,
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

    /// The same with as many interfaces of pods' own as `before`, if pods have such.
    #[must_use]
    pub fn with_places_of(self, before: &Self) -> Self {
        match (self, before) {
            (Self::Exclusive(config), Self::Exclusive(before)) if config.slots != before.slots => {
                let mut config = Arc::unwrap_or_clone(config);
                config.slots = before.slots;
                config.into()
            }
            (config, _) => config,
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

    /// What a new node offers once its daemon is up and its trunk in use.
    #[must_use]
    pub fn devices(&self) -> Devices {
        match self {
            Self::NodeLocal(config) => {
                let trunk = usize::from(config.trunk.is_some() && config.max_eni > 0);
                Devices {
                    enis: 0,
                    members: config.trunk.map_or(0, |trunk| trunk.members),
                    rdma: config.rdma.map_or(0, |rdma| rdma.devices(trunk, 0, config.ips_per_eni)),
                }
            }
            Self::Classic(_) => Devices::default(),
            Self::Centralized(config) => config.devices,
            Self::Exclusive(config) => Devices { enis: config.slots, ..Devices::default() },
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

    /// Addresses that the node can have for pods (rules R35, C10, C137).
    #[must_use]
    pub fn capacity(&self) -> u32 {
        match self {
            Self::NodeLocal(config) => config.capacity,
            Self::Classic(config) => config.sizes.capacity,
            Self::Centralized(config) => config.capacity(),
            Self::Exclusive(config) => config.slots,
        }
    }

    /// How many /28 prefixes the node gets in all; `None` = it takes addresses (rule C123).
    #[must_use]
    pub fn prefixes(&self) -> Option<u32> {
        match self {
            Self::NodeLocal(_) | Self::Classic(_) | Self::Exclusive(_) => None,
            Self::Centralized(config) => config.prefixes(),
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

//! Instance type → adapters, addresses per adapter, pod capacity (rules R32 to R35).

mod api;
mod table;

pub use api::from_api;
pub use table::{Row, UnknownType, builtin, builtin_types};

/// What an instance type has and allows, as `DescribeInstanceTypes` says it (rule R33). `None` =
/// the source does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct InstanceLimits {
    /// Interfaces of the instance, the primary one included (`EniQuantity`).
    pub adapters: u32,
    /// IPv4 addresses of an interface, its primary one included
    /// (`EniPrivateIpAddressQuantity`).
    pub ipv4_per_adapter: u32,
    /// IPv6 addresses of an interface (`EniIpv6AddressQuantity`).
    pub ipv6_per_adapter: Option<u32>,
    /// Interfaces with trunk members (`EniTotalQuantity`).
    pub total_adapters: Option<u32>,
    /// Whether an interface can be a trunk (`EniTrunkSupported`).
    pub trunk: Option<bool>,
    /// RDMA interfaces (`EriQuantity`).
    pub erdma_adapters: Option<u32>,
    /// Cores (`CpuCoreCount`).
    pub cpu_cores: Option<u32>,
    /// Memory in MiB (`MemorySize`, there in GiB).
    pub memory_mib: Option<u32>,
}

/// A node of an ACK cluster must have room for more pods than this, or it does not join
/// (Alibaba Cloud's page "Work with Terway").
pub const JOIN_THRESHOLD: u32 = 11;

/// Whole MiB of so many GiB; `None` = it is no amount of memory.
fn mebibytes(gibibytes: f64) -> Option<u32> {
    let mib = (gibibytes * 1024.0).round();
    (0.0..f64::from(u32::MAX)).contains(&mib).then_some(mib as u32)
}

impl InstanceLimits {
    /// Most pods with shared interfaces (rule R34, `pkg/aliyun/client/limit.go:67-94`), and ACK's
    /// max pods of a node: (adapters − 1) × addresses per adapter.
    #[must_use]
    pub fn multi_ip_pods(&self) -> u32 {
        self.adapters.saturating_sub(1).saturating_mul(self.ipv4_per_adapter)
    }

    /// Most pods with an interface each (rule R34).
    #[must_use]
    pub fn exclusive_eni_pods(&self) -> u32 {
        self.adapters.saturating_sub(1)
    }

    /// Whether ACK lets a node of this type join: more than [`JOIN_THRESHOLD`] pods.
    #[must_use]
    pub fn joins(&self) -> bool {
        self.multi_ip_pods() > JOIN_THRESHOLD
    }

    /// Member interfaces of a trunk: `EniTotalQuantity` − `EniQuantity`, and none without trunk
    /// support (rule R33, `pkg/aliyun/client/limit.go:228-262`). `None` = not known.
    #[must_use]
    pub fn member_adapters(&self) -> Option<u32> {
        self.members_beyond(self.adapters)
    }

    /// Most member interfaces of a trunk: `EniTotalQuantity` − 2, and none without trunk support
    /// (rule R33). `None` = not known.
    #[must_use]
    pub fn max_member_adapters(&self) -> Option<u32> {
        self.members_beyond(2)
    }

    fn members_beyond(&self, others: u32) -> Option<u32> {
        match (self.trunk, self.total_adapters) {
            (Some(false), _) => Some(0),
            (_, Some(total)) if total <= others => Some(0),
            (Some(true), Some(total)) => Some(total - others),
            _ => None,
        }
    }

    /// RDMA interfaces that Terway would use (rule R34, `pkg/aliyun/client/limit.go:67-94`).
    /// `None` = not known.
    #[must_use]
    pub fn erdma_res(&self) -> Option<u32> {
        match (self.adapters, self.erdma_adapters) {
            (..=2, _) | (_, Some(0)) => Some(0),
            (_, None) => None,
            (8.., Some(adapters)) => Some(adapters.min(2)),
            (_, Some(adapters)) => Some(adapters.min(1)),
        }
    }
}

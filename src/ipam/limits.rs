//! Instance type → adapters, addresses per adapter, pod capacity (rules R32 to R35).

/// What an instance type allows, as `DescribeInstanceTypes` says it (rule R33).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct InstanceLimits {
    /// Interfaces of the instance, the primary one included (`EniQuantity`).
    pub adapters: u32,
    /// IPv4 addresses of an interface, its primary one included
    /// (`EniPrivateIpAddressQuantity`).
    pub ipv4_per_adapter: u32,
    /// IPv6 addresses of an interface (`EniIpv6AddressQuantity`).
    pub ipv6_per_adapter: u32,
    /// Interfaces with trunk members (`EniTotalQuantity`), where known.
    pub total_adapters: Option<u32>,
}

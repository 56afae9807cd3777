//! The OpenAPI calls that Terway makes, and the error codes it knows.

use serde::{Deserialize, Serialize};

/// An OpenAPI action that Terway uses
/// (`pkg/aliyun/client/ecs.go`, `pkg/aliyun/client/vpc.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub enum Api {
    CreateNetworkInterface,
    AttachNetworkInterface,
    DetachNetworkInterface,
    DeleteNetworkInterface,
    AssignPrivateIpAddresses,
    UnassignPrivateIpAddresses,
    AssignIpv6Addresses,
    UnassignIpv6Addresses,
    DescribeNetworkInterfaces,
    DescribeVSwitches,
}

impl Api {
    /// Every action, in the order of [`Api::index`].
    pub const ALL: [Self; 10] = [
        Self::CreateNetworkInterface,
        Self::AttachNetworkInterface,
        Self::DetachNetworkInterface,
        Self::DeleteNetworkInterface,
        Self::AssignPrivateIpAddresses,
        Self::UnassignPrivateIpAddresses,
        Self::AssignIpv6Addresses,
        Self::UnassignIpv6Addresses,
        Self::DescribeNetworkInterfaces,
        Self::DescribeVSwitches,
    ];

    /// Position in [`Api::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The action's name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateNetworkInterface => "CreateNetworkInterface",
            Self::AttachNetworkInterface => "AttachNetworkInterface",
            Self::DetachNetworkInterface => "DetachNetworkInterface",
            Self::DeleteNetworkInterface => "DeleteNetworkInterface",
            Self::AssignPrivateIpAddresses => "AssignPrivateIpAddresses",
            Self::UnassignPrivateIpAddresses => "UnassignPrivateIpAddresses",
            Self::AssignIpv6Addresses => "AssignIpv6Addresses",
            Self::UnassignIpv6Addresses => "UnassignIpv6Addresses",
            Self::DescribeNetworkInterfaces => "DescribeNetworkInterfaces",
            Self::DescribeVSwitches => "DescribeVSwitches",
        }
    }
}

/// An error code of the API, as far as Terway or the report tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ErrorCode {
    /// The vSwitch has fewer free addresses than asked for; nothing was handed out.
    #[serde(rename = "InvalidVSwitchId.IpNotEnough")]
    IpNotEnough,
    /// The quota of private addresses is used up; upstream has met it where a vSwitch lacked addresses, too. That a
    /// VPC answers so which has as many as it may have is an assumption.
    #[serde(rename = "QuotaExceeded.PrivateIpAddress")]
    QuotaPrivateIp,
    /// The security group has as many private addresses as it may have. Of today's Terway neither daemon nor control
    /// plane knows it: it is any other failure (`pkg/eni/local.go:988`, `pkg/controller/multi-ip/node/pool.go:2120`).
    #[serde(rename = "SecurityGroupInstanceLimitExceed")]
    SecurityGroup,
    /// The instance has no room for another interface.
    #[serde(rename = "EniPerInstanceLimitExceeded")]
    EniPerInstance,
    /// The region's quota of interfaces is used up. Upstream knows no code for it; this name is an assumption.
    #[serde(rename = "EniLimitExceeded")]
    EniPerRegion,
    /// The interface has no room for that many addresses.
    #[serde(rename = "InvalidOperation.Ipv4CountExceeded")]
    IpPerEni,
    /// There is no such interface.
    #[serde(rename = "InvalidEniId.NotFound")]
    NotFound,
    /// There is no such instance.
    #[serde(rename = "InvalidEcsId.NotFound")]
    NoInstance,
    /// The interface is attached where it must not be, or the reverse.
    #[serde(rename = "InvalidOperation.InvalidEniState")]
    EniState,
    /// The vSwitch has fewer free /28 blocks than prefixes were asked for; nothing was handed out.
    /// Upstream knows no such code and treats it as any other failure (rule C132); only a comment
    /// names `IpPrefixNotEnough` (`pkg/controller/multi-ip/node/pool.go:1957`). What the API really
    /// answers with is not known.
    #[serde(rename = "InvalidVSwitchId.IpPrefixNotEnough")]
    PrefixNotEnough,
    /// Too many calls in the window.
    #[serde(rename = "Throttling")]
    Throttling,
    /// The server failed.
    #[serde(rename = "InternalError")]
    Internal,
}

impl ErrorCode {
    /// Every code, in the order of [`ErrorCode::index`].
    pub const ALL: [Self; 12] = [
        Self::IpNotEnough,
        Self::QuotaPrivateIp,
        Self::SecurityGroup,
        Self::EniPerInstance,
        Self::EniPerRegion,
        Self::IpPerEni,
        Self::NotFound,
        Self::NoInstance,
        Self::EniState,
        Self::PrefixNotEnough,
        Self::Throttling,
        Self::Internal,
    ];

    /// Position in [`ErrorCode::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The code's name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::IpNotEnough => "InvalidVSwitchId.IpNotEnough",
            Self::QuotaPrivateIp => "QuotaExceeded.PrivateIpAddress",
            Self::SecurityGroup => "SecurityGroupInstanceLimitExceed",
            Self::EniPerInstance => "EniPerInstanceLimitExceeded",
            Self::EniPerRegion => "EniLimitExceeded",
            Self::IpPerEni => "InvalidOperation.Ipv4CountExceeded",
            Self::NotFound => "InvalidEniId.NotFound",
            Self::NoInstance => "InvalidEcsId.NotFound",
            Self::EniState => "InvalidOperation.InvalidEniState",
            Self::PrefixNotEnough => "InvalidVSwitchId.IpPrefixNotEnough",
            Self::Throttling => "Throttling",
            Self::Internal => "InternalError",
        }
    }
}

/// The text that Alibaba Cloud returns with [`ErrorCode::IpNotEnough`] (HTTP 403).
#[must_use]
pub fn ip_not_enough_message(vswitch: &str) -> String {
    format!("The specified VSwitch \"{vswitch}\" has not enough IpAddress.")
}

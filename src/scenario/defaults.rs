//! What holds if a scenario does not say otherwise, and why.

use crate::chance::SpanDist;
use crate::openapi::Api;
use crate::time::Span;

/// A value that nobody wrote, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Default<T> {
    pub value: T,
    pub source: &'static str,
}

/// Start of the time that counts.
pub(super) const WARM_UP: Default<Span> = Default { value: Span::ZERO, source: "all of the time counts" };

/// Seed of all chance.
pub(super) const SEED: Default<u64> = Default { value: 1, source: "any seed is as good" };

/// Independent runs.
pub(super) const REPLICATIONS: Default<u32> =
    Default { value: 20, source: "enough for an interval of 90 %: one run in twenty lies outside on either side" };

/// Addresses of other tenants.
pub(super) const USED: Default<u64> = Default { value: 0, source: "assumption: nobody else uses the vSwitch" };

/// Whether pods use the address of their node.
pub(super) const HOST_NETWORK: Default<bool> = Default { value: false, source: "Kubernetes: `hostNetwork` is false" };

/// Rows of the timeline.
pub(super) const SAMPLES: Default<u32> = Default { value: 500, source: "enough for a plot" };

/// `pods.csv` and `events.csv`.
pub(super) const TABLES: Default<bool> = Default { value: false, source: "large files are written on demand only" };

/// Time from a call's effect until instance metadata shows it.
pub(super) const METADATA_LAG: Default<Span> =
    Default { value: Span::secs(1), source: "assumption: no measurement is published" };

/// Private addresses in the cluster's security group.
pub(super) const SECURITY_GROUP_ADDRESSES: Default<Option<u64>> = Default {
    value: Some(65_535),
    source: "ACK's limits page: enterprise (advanced) security group; a basic one has 6,000",
};

/// Private addresses in the VPC.
pub(super) const VPC_ADDRESSES: Default<Option<u64>> =
    Default { value: Some(300_000), source: "VPC quota page: private addresses used in a VPC" };

/// Interfaces in the region.
pub(super) const ENIS_PER_REGION: Default<Option<u64>> =
    Default { value: None, source: "off: the quota depends on the account (Quota Center)" };

/// Calls per minute.
pub(super) const THROTTLE: Default<Option<u64>> =
    Default { value: None, source: "off: the quota depends on the account (Quota Center)" };

/// Pause between a failed sandbox and the next try.
pub(super) fn sandbox_retry() -> Default<SpanDist> {
    Default {
        value: SpanDist::Uniform(Span::secs(10), Span::secs(15)),
        source: "R119: the kubelet's pod worker backs off 10 s, times up to 1.5",
    }
}

/// Time from call to answer.
pub(super) fn latency(api: Api) -> Default<SpanDist> {
    let (median, p99) = match api {
        Api::CreateNetworkInterface => (Span::millis(900), Span::secs(4)),
        Api::AttachNetworkInterface => (Span::secs(2), Span::secs(12)),
        Api::DetachNetworkInterface => (Span::secs(1), Span::secs(6)),
        Api::DeleteNetworkInterface => (Span::millis(600), Span::secs(3)),
        Api::AssignPrivateIpAddresses => (Span::millis(500), Span::secs(3)),
        Api::UnassignPrivateIpAddresses => (Span::millis(500), Span::secs(3)),
        Api::DescribeNetworkInterfaces | Api::DescribeVSwitches => (Span::millis(200), Span::secs(1)),
    };
    Default {
        value: SpanDist::log_normal(median, p99),
        source: "assumption: no measurement is published; set it if you have one",
    }
}

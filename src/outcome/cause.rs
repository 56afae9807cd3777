//! What keeps pods from their address or from a node, in words.

use crate::model::{Model, Quota};
use crate::record::{Cause, SLOW_CALL};
use crate::text::{Text, text};

/// The kind of a cause, a short stable word, and the cause in words.
#[must_use]
pub fn cause_text(cause: Cause, model: &Model) -> (&'static str, Text) {
    match cause {
        Cause::VSwitch(id) => ("vswitch", text!("{} has too few free addresses", model.vpc.vswitches[id.index()].id)),
        Cause::Prefixes(id) => {
            ("prefixes", text!("{} has too few free /28 blocks for prefixes", model.vpc.vswitches[id.index()].id))
        }
        Cause::NodeCapacity => ("node_capacity", text!("every ENI of a node is full and no ENI slot is left")),
        Cause::NodePrefixes => (
            "node_prefixes",
            text!("every address of the prefixes of a node is taken, and it gets no more (ipv4_prefix_count)"),
        ),
        Cause::EniSlots => ("eni_slots", text!("instances refuse another ENI (EniPerInstanceLimitExceeded)")),
        Cause::AddressesPerEni => ("addresses_per_eni", text!("ENIs refuse another address")),
        Cause::Peeked => (
            "peeked",
            text!("pods of a dual-stack node saw the same idle address, and asked for the other family alone (R147)"),
        ),
        Cause::MaxPods => ("max_pods", text!("every node has as many pods as it may have (max pods)")),
        Cause::MemberEnis => ("member_enis", text!("no node has a member ENI left (aliyun/member-eni)")),
        Cause::ExclusiveEnis => ("exclusive_enis", text!("no node has an exclusive ENI left (aliyun/eni)")),
        Cause::Rdma => ("rdma", text!("no node has an address for RDMA left (aliyun/erdma)")),
        Cause::NoNode => ("no_node", text!("there is no node")),
        Cause::Cpu => ("cpu", text!("no node has as much CPU left as a pod requests")),
        Cause::Memory => ("memory", text!("no node has as much memory left as a pod requests")),
        Cause::ZoneSpread => ("zone_spread", text!("a node with room would break a pod's spread over zones")),
        Cause::AntiAffinity => ("anti_affinity", text!("every node with room has a pod that another keeps away from")),
        Cause::PoolMaximum => {
            ("pool_max", text!("the pools that could grow have as many nodes as the autoscaler may give them"))
        }
        Cause::Quota(quota) => ("quota", quota_text(quota)),
        Cause::Api(api) => ("api", text!("the API refuses {} (Throttling)", api.name())),
        Cause::Outage(api) => ("outage", text!("the API answers {} with InternalError", api.name())),
        Cause::SlowApi(api) => ("slow_api", text!("{} takes long, {} s and more", api.name(), SLOW_CALL.as_secs_f64())),
    }
}

fn quota_text(quota: Quota) -> Text {
    match quota {
        Quota::SecurityGroupAddresses => {
            text!("the security group has as many addresses as it may have (SecurityGroupInstanceLimitExceed)")
        }
        Quota::VpcAddresses => text!("the VPC has as many addresses as it may have (QuotaExceeded.PrivateIpAddress)"),
        Quota::EnisPerRegion => text!("the region has as many ENIs as the account may have (EniLimitExceeded)"),
    }
}

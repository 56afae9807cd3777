//! What keeps pods from their address or from a node, in words.

use crate::model::{Model, Quota};
use crate::record::{Cause, SLOW_CALL};

/// The kind of a cause, a short stable word, and the cause in words.
#[must_use]
pub fn cause_text(cause: Cause, model: &Model) -> (&'static str, String) {
    let plain = |kind, text: &str| (kind, text.to_owned());
    match cause {
        Cause::VSwitch(id) => ("vswitch", format!("{} has too few free addresses", model.vpc.vswitches[id.index()].id)),
        Cause::Prefixes(id) => {
            ("prefixes", format!("{} has too few free /28 blocks for prefixes", model.vpc.vswitches[id.index()].id))
        }
        Cause::NodeCapacity => plain("node_capacity", "every ENI of a node is full and no ENI slot is left"),
        Cause::EniSlots => plain("eni_slots", "instances refuse another ENI (EniPerInstanceLimitExceeded)"),
        Cause::AddressesPerEni => plain("addresses_per_eni", "ENIs refuse another address"),
        Cause::Peeked => plain(
            "peeked",
            "pods of a dual-stack node saw the same idle address, and asked for the other family alone (R147)",
        ),
        Cause::MaxPods => plain("max_pods", "every node has as many pods as it may have (max pods)"),
        Cause::MemberEnis => plain("member_enis", "no node has a member ENI left (aliyun/member-eni)"),
        Cause::NoNode => plain("no_node", "there is no node"),
        Cause::Cpu => plain("cpu", "no node has as much CPU left as a pod requests"),
        Cause::Memory => plain("memory", "no node has as much memory left as a pod requests"),
        Cause::ZoneSpread => plain("zone_spread", "a node with room would break a pod's spread over zones"),
        Cause::AntiAffinity => plain("anti_affinity", "every node with room has a pod that another keeps away from"),
        Cause::PoolMaximum => {
            plain("pool_max", "the pools that could grow have as many nodes as the autoscaler may give them")
        }
        Cause::Quota(quota) => ("quota", quota_text(quota).to_owned()),
        Cause::Api(api) => ("api", format!("the API refuses {} (Throttling)", api.name())),
        Cause::Outage(api) => ("outage", format!("the API answers {} with InternalError", api.name())),
        Cause::SlowApi(api) => {
            ("slow_api", format!("{} takes long, {} s and more", api.name(), SLOW_CALL.as_secs_f64()))
        }
    }
}

fn quota_text(quota: Quota) -> &'static str {
    match quota {
        Quota::SecurityGroupAddresses => {
            "the security group has as many addresses as it may have (QuotaExceeded.PrivateIpAddress)"
        }
        Quota::VpcAddresses => "the VPC has as many addresses as it may have (QuotaExceeded.PrivateIpAddress)",
        Quota::EnisPerRegion => "the region has as many ENIs as the account may have (EniLimitExceeded)",
    }
}

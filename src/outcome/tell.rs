//! Steps in words.

use super::cause_text;
use super::words::span;
use crate::ipam::Holdings;
use crate::model::{Ipam, Model};
use crate::openapi::{Api, ErrorCode};
use crate::record::{CallAnswer, CallStep, Holders, Recording, Step, What};
use crate::time::Span;
use crate::units::thousands;

/// A step in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Kind, a short stable word: `pod_served`, `alloc_failed`, `call_refused`, ...
    pub kind: &'static str,
    /// Whom it is about, such as `web-17` or `default-3`.
    pub subject: String,
    /// What happens to it, or what it does: the rest of a sentence without full stop.
    pub text: String,
}

/// A step of a recording in words.
#[must_use]
pub fn tell(step: &Step, model: &Model, recording: &Recording) -> Told {
    let node = || step.node.map(|node| recording.node_name(model, node)).unwrap_or_default();
    let (kind, text) = match &step.what {
        What::Created(_) => ("pod_created", "is made".to_owned()),
        What::Pending(_, why) => ("pod_pending", format!("finds no node: {}", cause_text(why.cause(), model).1)),
        What::Scheduled(_) => ("pod_scheduled", format!("goes to {}", node())),
        What::Asked(_, had_then) => {
            ("pod_asked", format!("asks for an address; {} has {}", node(), had(had_then, model)))
        }
        What::Served { vswitch, address, retained, .. } => {
            let again = if *retained { ", which was retained for it" } else { "" };
            ("pod_served", format!("gets {address} of {}{again}", model.vpc.vswitches[vswitch.index()].id))
        }
        What::Failed { reason, cause, .. } => {
            let cause = cause.map(|cause| format!(" ({})", cause_text(cause, model).1)).unwrap_or_default();
            ("alloc_failed", format!("gets no address: {}{cause}", reason.message()))
        }
        What::Ending(_) => ("pod_ending", "is told to end".to_owned()),
        What::Gone(_) => ("pod_gone", "is gone".to_owned()),
        What::Call(call) => {
            let kind = if matches!(call.answer, CallAnswer::Refused(_)) { "call_refused" } else { "call_answered" };
            (kind, call_text(step, call, model))
        }
    };
    Told { kind, subject: step.pod().map_or_else(node, |pod| pod.text(model)), text }
}

/// What a daemon had: `2 of 3 ENIs with 20 addresses in use and 0 idle, room for 8 more; vsw-AAA
/// counts as empty`.
#[must_use]
pub fn had(had: &Holdings, model: &Model) -> String {
    let Holdings { slots, empty_slots, enis, in_use, idle, room, inhibited, .. } = had;
    let mut text = match enis {
        0 => format!("none of its {} yet", many(*slots, "ENI")),
        _ => format!("{enis} of {} with {} in use and {idle} idle", many(*slots, "ENI"), many(*in_use, "address")),
    };
    text += &match (enis, room) {
        (0, _) => String::new(),
        (_, 0) => ", no room for more on them".to_owned(),
        _ => format!(", room for {room} more on them"),
    };
    let under_way = slots - enis - empty_slots;
    if under_way > 0 {
        text += &format!(", {} being attached or deleted", many(under_way, "ENI"));
    }
    if *inhibited > 0 {
        let rule = if is_centralized(model) { "C80" } else { "R60" };
        text += &format!("; {} with room may not ask (rule {rule})", many(*inhibited, "ENI"));
    }
    if !had.blocked.is_empty() {
        let names: Vec<_> = had.blocked.iter().map(|id| model.vpc.vswitches[id.index()].id.as_str()).collect();
        let count = if names.len() == 1 { "counts" } else { "count" };
        let rules = if is_centralized(model) { "C74, C81" } else { "R86, R89" };
        text += &format!("; {} {count} as empty (rules {rules})", names.join(", "));
    }
    text
}

/// Who has the addresses of a vSwitch: `vsw-AAA, 60 addresses: 51 serve pods, 9 are idle on ENIs, 0
/// are free`.
#[must_use]
pub fn holders_text(name: &str, who: Holders<u32>) -> String {
    let parts = [
        (who.pods, "serves a pod", "serve pods"),
        (who.idle, "is idle on an ENI", "are idle on ENIs"),
        (who.leaked, "is leaked", "are leaked"),
        (who.held.unwrap_or(0), "is held for a pod with a fixed IP", "are held for pods with fixed IPs"),
        (who.primaries, "is a node's primary address", "are primary addresses of nodes"),
        (who.others, "belongs to another tenant", "belong to other tenants"),
        (who.reserved.unwrap_or(0), "is kept for prefixes", "are kept for prefixes"),
    ];
    let usable: u32 = who.parts().into_iter().chain(who.held).chain(who.reserved).sum();
    let held = parts.into_iter().filter(|&(n, ..)| n > 0);
    let held = held.map(|(n, one, more)| format!("{} {}, ", thousands(n.into()), if n == 1 { one } else { more }));
    format!("{name}, {}: {}{} free", many(usable, "address"), held.collect::<String>(), is_or_are(who.free))
}

/// `assigns 3 addresses of vsw-AAA to eni-4 (AssignPrivateIpAddresses): done after 1.2 s`.
fn call_text(step: &Step, call: &CallStep, model: &Model) -> String {
    let vswitch = call.vswitch.map(|id| model.vpc.vswitches[id.index()].id.as_str()).unwrap_or_default();
    let eni = match (call.eni, call.api) {
        (Some(eni), _) => format!("eni-{}", eni.0),
        (None, Api::DescribeNetworkInterfaces) => "its ENIs".to_owned(),
        (None, _) => "an ENI".to_owned(),
    };
    let addresses = many(call.addresses, "address");
    let does = match call.api {
        Api::CreateNetworkInterface => format!("creates {eni} with {addresses} of {vswitch}"),
        Api::AttachNetworkInterface => format!("attaches {eni}"),
        Api::DetachNetworkInterface => format!("detaches {eni}"),
        Api::DeleteNetworkInterface => format!("deletes {eni} on {vswitch}"),
        Api::AssignPrivateIpAddresses => format!("assigns {addresses} of {vswitch} to {eni}"),
        Api::UnassignPrivateIpAddresses => format!("gives {addresses} of {eni} back to {vswitch}"),
        Api::AssignIpv6Addresses => format!("assigns {} to {eni}", many(call.addresses, "IPv6 address")),
        Api::UnassignIpv6Addresses => format!("takes {} off {eni}", many(call.addresses, "IPv6 address")),
        Api::DescribeNetworkInterfaces => format!("looks at {eni}"),
        Api::DescribeVSwitches => format!("looks up {vswitch}"),
    };
    let after = span(step.at.since(call.left).as_secs_f64());
    let came = match call.answer {
        CallAnswer::Done => format!("done after {after}"),
        CallAnswer::Free(free) => format!("{} free", is_or_are(free)),
        CallAnswer::Refused(code) => format!("refused after {after}, {}", code.name()),
    };
    let then = match (call.heard, &model.ipam) {
        (true, Ipam::NodeLocal) => then(call, vswitch, &eni),
        (true, Ipam::Classic(_)) => then_classic(call, &eni),
        (true, Ipam::Centralized(settings)) => then_centralized(call, vswitch, settings.vswitch_ttl),
        (false, Ipam::NodeLocal | Ipam::Classic(_)) => "; the daemon was restarted meanwhile".to_owned(),
        (false, Ipam::Centralized(_)) => "; the controller was restarted meanwhile".to_owned(),
    };
    let who = match (call.answer, call.who) {
        (CallAnswer::Refused(ErrorCode::IpNotEnough) | CallAnswer::Free(0), Some(who)) => {
            format!(". {}", holders_text(vswitch, who))
        }
        _ => String::new(),
    };
    format!("{does} ({}): {came}{then}{who}", call.api.name())
}

/// What the daemon makes of an answer. It is not observed but follows from the rules.
fn then(call: &CallStep, vswitch: &str, eni: &str) -> String {
    use ErrorCode::{EniPerInstance, Internal, IpNotEnough, QuotaPrivateIp, Throttling};
    let then = match (call.answer, call.api) {
        (CallAnswer::Refused(IpNotEnough | QuotaPrivateIp), Api::AssignPrivateIpAddresses) => {
            format!("; the daemon asks for no address on {eni} for 10 minutes (rule R60)")
        }
        (CallAnswer::Refused(IpNotEnough | QuotaPrivateIp), Api::CreateNetworkInterface) => {
            format!("; the daemon takes {vswitch} for empty for 10 minutes (rule R89)")
        }
        (CallAnswer::Refused(EniPerInstance), _) => {
            "; the daemon leaves this place for an ENI alone for a minute (rule R60)".to_owned()
        }
        (CallAnswer::Refused(Throttling | Internal), Api::AssignPrivateIpAddresses) => {
            "; it is called up to six times (rule R104)".to_owned()
        }
        (CallAnswer::Refused(Throttling | Internal), Api::CreateNetworkInterface) => {
            "; it is called twice at most (rule R98)".to_owned()
        }
        (CallAnswer::Free(0), _) => {
            format!("; the daemon takes {vswitch} for empty for 10 minutes (rule R86)")
        }
        _ => String::new(),
    };
    fails_whole(call, "R107") + &then
}

/// What a daemon of before v1.7 makes of an answer, likewise.
fn then_classic(call: &CallStep, eni: &str) -> String {
    use ErrorCode::{Internal, IpNotEnough, Throttling};
    let then = match (call.answer, call.api) {
        (CallAnswer::Refused(IpNotEnough), Api::AssignPrivateIpAddresses) => {
            format!("; the daemon asks for no address on {eni} for 10 minutes (rule P60)")
        }
        (CallAnswer::Refused(IpNotEnough), Api::CreateNetworkInterface) => {
            "; the daemon forgets it: the next pod asks the same vSwitch (rules P64, P65)".to_owned()
        }
        (CallAnswer::Refused(Throttling | Internal), Api::AssignPrivateIpAddresses) => {
            "; it is called up to six times (rule P83)".to_owned()
        }
        _ => String::new(),
    };
    fails_whole(call, "P56") + &then
}

/// What the control plane makes of an answer, likewise.
fn then_centralized(call: &CallStep, vswitch: &str, ttl: Span) -> String {
    use ErrorCode::{Internal, IpNotEnough, QuotaPrivateIp, Throttling};
    let then = match (call.answer, call.api) {
        (CallAnswer::Refused(IpNotEnough | QuotaPrivateIp), _) => {
            format!("; the control plane takes {vswitch} for empty for {ttl}, on all nodes (rules C80, C81)")
        }
        (CallAnswer::Refused(Throttling | Internal), Api::AssignPrivateIpAddresses) => {
            "; it is called up to six times (rule C71)".to_owned()
        }
        (CallAnswer::Refused(Throttling | Internal), Api::CreateNetworkInterface) => {
            "; it is called twice at most (rule C69)".to_owned()
        }
        (CallAnswer::Free(0), _) => {
            format!("; the control plane takes {vswitch} for empty for {ttl}, on all nodes (rules C74, C80)")
        }
        _ => String::new(),
    };
    fails_whole(call, "C73") + &then
}

/// A vSwitch that refuses though some of its addresses are free.
fn fails_whole(call: &CallStep, rule: &str) -> String {
    match (call.answer, call.who) {
        (CallAnswer::Refused(ErrorCode::IpNotEnough), Some(who)) if who.free > 0 => {
            format!("; {} free, and a request fails whole (rule {rule})", is_or_are(who.free))
        }
        _ => String::new(),
    }
}

fn is_centralized(model: &Model) -> bool {
    matches!(model.ipam, Ipam::Centralized(_))
}

/// `1 is`, `1,020 are`.
fn is_or_are(n: u32) -> String {
    format!("{} {}", thousands(n.into()), if n == 1 { "is" } else { "are" })
}

/// `1 address`, `2 addresses`, `3 ENIs`.
fn many(n: u32, what: &str) -> String {
    let plural = if what.ends_with('s') { "es" } else { "s" };
    format!("{} {what}{}", thousands(n.into()), if n == 1 { "" } else { plural })
}

//! Steps in words.

use super::cause_text;
use super::words::span;
use crate::ipam::Holdings;
use crate::model::{Ipam, Model};
use crate::openapi::{Api, ErrorCode};
use crate::record::{CallAnswer, CallStep, Holders, Recording, Step, What};
use crate::text::{COMMA, LIST, Text, Words, phrase, text};
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
    pub text: Text,
}

/// A step of a recording in words.
#[must_use]
pub fn tell(step: &Step, model: &Model, recording: &Recording) -> Told {
    let node = || step.node.map(|node| recording.node_name(model, node)).unwrap_or_default();
    let (kind, text) = match &step.what {
        What::Created(_) => ("pod_created", text!("is made")),
        What::Pending(_, why) => ("pod_pending", text!("finds no node: {}", cause_text((*why).into(), model).1)),
        What::Scheduled(_) => ("pod_scheduled", text!("goes to {}", node())),
        What::Asked(_, had_then) => {
            ("pod_asked", text!("asks for an address; {} has {}", node(), had(had_then, model)))
        }
        What::Served { vswitch, address, retained, had, .. } => {
            let again = if *retained { text!(", which was retained for it") } else { Text::default() };
            let late = match *had {
                Span::ZERO => Text::default(),
                had => text!(
                    ", which the daemon has had for {}: of its requests to the API server few pass at a time (R114)",
                    span(had.as_secs_f64())
                ),
            };
            (
                "pod_served",
                text!(
                    "gets {address} of {}{again}{late}",
                    address,
                    model.vpc.vswitches[vswitch.index()].id,
                    again,
                    late
                ),
            )
        }
        What::Failed { reason, cause, .. } => {
            let cause = cause.map(|cause| text!(" ({})", cause_text(cause, model).1)).unwrap_or_default();
            ("alloc_failed", text!("gets no address: {}{cause}", reason.message(), cause))
        }
        What::Ending(_) => ("pod_ending", text!("is told to end")),
        What::Gone(_) => ("pod_gone", text!("is gone")),
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
pub fn had(had: &Holdings, model: &Model) -> Text {
    let Holdings { slots, empty_slots, enis, in_use, idle, room, inhibited, .. } = had;
    let mut text = match enis {
        0 => text!("none of its {} yet", self::enis(*slots)),
        _ => text!("{enis} of {} with {} in use and {idle} idle", enis, self::enis(*slots), addresses(*in_use), idle),
    };
    text += match (enis, room) {
        (0, _) => Text::default(),
        (_, 0) => text!(", no room for more on them"),
        _ => text!(", room for {room} more on them", room),
    };
    let under_way = slots - enis - empty_slots;
    if under_way > 0 {
        text += text!(", {} being attached or deleted", self::enis(under_way));
    }
    if *inhibited > 0 {
        let rule = if had.by_control_plane { "C80" } else { "R60" };
        text += text!("; {} with room may not ask (rule {rule})", self::enis(*inhibited), rule);
    }
    if !had.blocked.is_empty() {
        let names: Vec<_> = had.blocked.iter().map(|id| model.vpc.vswitches[id.index()].id.words()).collect();
        let count = if names.len() == 1 { phrase!("counts") } else { phrase!("count") };
        let rules = if had.by_control_plane { ["C74", "C81"] } else { ["R86", "R89"] };
        let rules = Text::list(rules.map(|rule| rule.words()), LIST);
        text += text!("; {} {count} as empty (rules {rules})", Text::list(names, LIST), count, rules);
    }
    text
}

/// Who has the addresses of a vSwitch: `vsw-AAA, 60 addresses: 51 serve pods, 9 are idle on ENIs, 0
/// are free`.
#[must_use]
pub fn holders_text(name: &str, who: Holders<u32>) -> Text {
    let parts = [
        (who.pods, phrase!("serves a pod"), phrase!("serve pods")),
        (who.idle, phrase!("is idle on an ENI"), phrase!("are idle on ENIs")),
        (who.leaked, phrase!("is leaked"), phrase!("are leaked")),
        (
            who.held.unwrap_or(0),
            phrase!("is held for a pod with a fixed IP"),
            phrase!("are held for pods with fixed IPs"),
        ),
        (who.primaries, phrase!("is a node's primary address"), phrase!("are primary addresses of nodes")),
        (who.others, phrase!("belongs to another tenant"), phrase!("belong to other tenants")),
        (who.reserved.unwrap_or(0), phrase!("is kept for prefixes"), phrase!("are kept for prefixes")),
    ];
    let usable: u32 = who.parts().into_iter().chain(who.held).chain(who.reserved).sum();
    let held = parts.into_iter().filter(|&(n, ..)| n > 0);
    let held = held.map(|(n, one, more)| text!("{n} {does}", thousands(n.into()), if n == 1 { one } else { more }));
    let parts = held.chain([text!("{} free", is_or_are(who.free))]);
    text!("{name}, {}: {parts}", name, addresses(usable), Text::list(parts, COMMA))
}

/// `assigns 3 addresses of vsw-AAA to eni-4 (AssignPrivateIpAddresses): done after 1.2 s`.
fn call_text(step: &Step, call: &CallStep, model: &Model) -> Text {
    let vswitch = call.vswitch.map(|id| model.vpc.vswitches[id.index()].id.as_str()).unwrap_or_default();
    let eni = match (call.eni, call.api) {
        (Some(eni), _) => text!("eni-{}", eni.0),
        (None, Api::DescribeNetworkInterfaces) => text!("its ENIs"),
        (None, _) => text!("an ENI"),
    };
    let addresses = addresses(call.addresses);
    let does = match call.api {
        Api::CreateNetworkInterface => text!("creates {eni} with {addresses} of {vswitch}", eni, addresses, vswitch),
        Api::AttachNetworkInterface => text!("attaches {eni}", eni),
        Api::DetachNetworkInterface => text!("detaches {eni}", eni),
        Api::DeleteNetworkInterface => text!("deletes {eni} on {vswitch}", eni, vswitch),
        Api::AssignPrivateIpAddresses => text!("assigns {addresses} of {vswitch} to {eni}", addresses, vswitch, eni),
        Api::UnassignPrivateIpAddresses => {
            text!("gives {addresses} of {eni} back to {vswitch}", addresses, eni, vswitch)
        }
        Api::AssignIpv6Addresses => text!("assigns {} to {eni}", ipv6_addresses(call.addresses), eni),
        Api::UnassignIpv6Addresses => text!("takes {} off {eni}", ipv6_addresses(call.addresses), eni),
        Api::DescribeNetworkInterfaces => text!("looks at {eni}", eni),
        Api::DescribeVSwitches => text!("looks up {vswitch}", vswitch),
    };
    let after = span(step.at.since(call.left).as_secs_f64());
    let came = match call.answer {
        CallAnswer::Done => text!("done after {after}", after),
        CallAnswer::Free(free) => text!("{} free", is_or_are(free)),
        CallAnswer::Refused(code) => text!("refused after {after}, {}", after, code.name()),
    };
    let then = match (call.heard, call.by_control_plane, &model.ipam) {
        (true, true, _) => then_centralized(call, vswitch, model.vswitch_ttl()),
        (true, false, Ipam::Classic(_)) => then_classic(call, &eni),
        (true, false, _) => then(call, vswitch, &eni),
        (false, true, _) => text!("; the controller was restarted meanwhile"),
        (false, false, _) => text!("; the daemon was restarted meanwhile"),
    };
    let who = match (call.answer, call.who) {
        (CallAnswer::Refused(ErrorCode::IpNotEnough) | CallAnswer::Free(0), Some(who)) => {
            text!(". {holders}", holders_text(vswitch, who))
        }
        _ => Text::default(),
    };
    text!("{does} ({}): {came}{then}{who}", does, call.api.name(), came, then, who)
}

/// What the daemon makes of an answer. It is not observed but follows from the rules.
fn then(call: &CallStep, vswitch: &str, eni: &Text) -> Text {
    use ErrorCode::{EniPerInstance, Internal, IpNotEnough, QuotaPrivateIp, Throttling};
    let then = match (call.answer, call.api) {
        (CallAnswer::Refused(IpNotEnough | QuotaPrivateIp), Api::AssignPrivateIpAddresses) => {
            text!("; the daemon asks for no address on {eni} for 10 minutes (rule R60)", eni)
        }
        (CallAnswer::Refused(IpNotEnough | QuotaPrivateIp), Api::CreateNetworkInterface) => {
            text!("; the daemon takes {vswitch} for empty for 10 minutes (rule R89)", vswitch)
        }
        (CallAnswer::Refused(EniPerInstance), _) => {
            text!("; the daemon leaves this place for an ENI alone for a minute (rule R60)")
        }
        (CallAnswer::Refused(Throttling | Internal), Api::AssignPrivateIpAddresses) => {
            text!("; it is called up to six times (rule R104)")
        }
        (CallAnswer::Refused(Throttling | Internal), Api::CreateNetworkInterface) => {
            text!("; it is called twice at most (rule R98)")
        }
        (CallAnswer::Free(0), _) => {
            text!("; the daemon takes {vswitch} for empty for 10 minutes (rule R86)", vswitch)
        }
        _ => Text::default(),
    };
    fails_whole(call, "R107") + then
}

/// What a daemon of before v1.7 makes of an answer, likewise.
fn then_classic(call: &CallStep, eni: &Text) -> Text {
    use ErrorCode::{Internal, IpNotEnough, Throttling};
    let then = match (call.answer, call.api) {
        (CallAnswer::Refused(IpNotEnough), Api::AssignPrivateIpAddresses) => {
            text!("; the daemon asks for no address on {eni} for 10 minutes (rule P60)", eni)
        }
        (CallAnswer::Refused(IpNotEnough), Api::CreateNetworkInterface) => {
            text!("; the daemon forgets it: the next pod asks the same vSwitch (rules P64, P65)")
        }
        (CallAnswer::Refused(Throttling | Internal), Api::AssignPrivateIpAddresses) => {
            text!("; it is called up to six times (rule P83)")
        }
        _ => Text::default(),
    };
    fails_whole(call, "P56") + then
}

/// What the control plane makes of an answer, likewise.
fn then_centralized(call: &CallStep, vswitch: &str, ttl: Span) -> Text {
    use ErrorCode::{Internal, IpNotEnough, QuotaPrivateIp, Throttling};
    let then = match (call.answer, call.api) {
        (CallAnswer::Refused(IpNotEnough | QuotaPrivateIp), _) => {
            text!(
                "; the control plane takes {vswitch} for empty for {ttl}, on all nodes (rules C80, C81)",
                vswitch,
                ttl
            )
        }
        (CallAnswer::Refused(Throttling | Internal), Api::AssignPrivateIpAddresses) => {
            text!("; it is called up to six times (rule C71)")
        }
        (CallAnswer::Refused(Throttling | Internal), Api::CreateNetworkInterface) => {
            text!("; it is called twice at most (rule C69)")
        }
        (CallAnswer::Free(0), _) => {
            text!(
                "; the control plane takes {vswitch} for empty for {ttl}, on all nodes (rules C74, C80)",
                vswitch,
                ttl
            )
        }
        _ => Text::default(),
    };
    fails_whole(call, "C73") + then
}

/// A vSwitch that refuses though some of its addresses are free.
fn fails_whole(call: &CallStep, rule: &str) -> Text {
    match (call.answer, call.who) {
        (CallAnswer::Refused(ErrorCode::IpNotEnough), Some(who)) if who.free > 0 => {
            text!("; {} free, and a request fails whole (rule {rule})", is_or_are(who.free), rule)
        }
        _ => Text::default(),
    }
}

/// `1 is`, `1,020 are`.
fn is_or_are(n: u32) -> Text {
    text!("{} {is}", thousands(n.into()), if n == 1 { phrase!("is") } else { phrase!("are") })
}

/// `1 address`, `2 addresses`.
fn addresses(n: u32) -> Text {
    if n == 1 { text!("1 address") } else { text!("{} addresses", thousands(n.into())) }
}

/// `1 IPv6 address`, `2 IPv6 addresses`.
fn ipv6_addresses(n: u32) -> Text {
    if n == 1 { text!("1 IPv6 address") } else { text!("{} IPv6 addresses", thousands(n.into())) }
}

/// `1 ENI`, `3 ENIs`.
fn enis(n: u32) -> Text {
    if n == 1 { text!("1 ENI") } else { text!("{} ENIs", thousands(n.into())) }
}

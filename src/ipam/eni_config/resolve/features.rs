//! Address families, trunk and RDMA interfaces, API limits, and what is not simulated
//! (rules R8, R23 to R29).

use super::{Origin, Resolver};
use crate::ipam::eni_config::IpamType;
use crate::ipam::json::{Json, Value};
use crate::ipam::kube_client::KubeClient;
use crate::ipam::node_local::{Rdma, Trunk};
use crate::ipam::note::{Note, Place, nearest};
use crate::openapi::Api;
use crate::time::Span;

/// Actions that Terway limits but a daemon does not call in a run (R110).
const OTHER_APIS: [&str; 2] = ["DescribeNetworkInterfaceAttribute", "DescribeInstanceTypes"];

/// The entries of the back-off table that a node-local daemon uses (R96).
const BACKOFFS: &[&str] = &["eni_create", "eni_ops", "eni_ip_ops", "eni_delete_confirm"];

/// Those that a daemon of before v1.7 uses (P77, P78, P82).
const CLASSIC_BACKOFFS: &[&str] =
    &["eni_create", "eni_ops", "eni_release", "wait_eni_status", "meta_assign_private_ip", "meta_unassign_private_ip"];

impl<'a> Resolver<'a> {
    /// Address families (R8, R23, R143): whether pods get an IPv6 address too.
    pub fn stack(&mut self) -> bool {
        let key = "ip_stack";
        match self.text(key).filter(|(text, _)| !text.is_empty()) {
            None => self.set(key, "ipv4", Origin::default("R23, types/daemon/config.go:117-144")),
            Some(("ipv4", place)) => self.set(key, "ipv4", Origin::written(place)),
            Some(("dual", place)) => return self.dual(key, place),
            Some((other, place)) => {
                let title = "Terway does not start on this `ip_stack`";
                let note = Note::error(title, format!("unsupported ipStack {other} in configMap"));
                self.note(note.hint("write `ipv4` or `dual` (R8, types/daemon/config.go:146-158)"), place);
            }
        }
        false
    }

    /// Dual stack, as far as the type has it (R143).
    fn dual(&mut self, key: &'static str, place: &Place) -> bool {
        let kind = self.node.instance_type;
        let v4 = self.node.limits.ipv4_per_adapter;
        match self.node.limits.ipv6_per_adapter {
            Some(v6) if v6 > 0 && v6 == v4 => {
                self.set(key, "dual", Origin::written(place));
                true
            }
            Some(v6) => {
                let source = "the type has not as many IPv6 as IPv4 addresses (R143, daemon/daemon.go:834-854)";
                self.set(key, "ipv4", Origin::changed("dual", place, source));
                let label = format!("an interface of {kind} has {v4} IPv4 and {v6} IPv6 addresses");
                let note = Note::warning("Terway runs IPv4 only here", label);
                self.note(
                    note.hint("dual stack needs as many of each: choose another type, or write `ipv4` (R143)"),
                    place,
                );
                false
            }
            None => {
                let label = format!("it is not known how many IPv6 addresses an interface of {kind} has");
                let note = Note::error("whether this node is dual stack cannot be said", label);
                let hint = format!(
                    "give the type's `ipv6_per_adapter`: Terway falls back to IPv4 unless it is {v4} (R143); or write \
                     `ipv4`"
                );
                self.note(note.hint(hint), place);
                false
            }
        }
    }

    /// Trunk interface (R24, R36, R37).
    pub fn trunk(&mut self) -> Option<Trunk> {
        let members = self.trunking("R24, daemon/daemon.go:856", "R24, daemon/daemon.go:856", "R36")?;
        Some(Trunk { members })
    }

    /// How many members the trunk takes, if there is one: none where that is not known. `unwritten` and
    /// `without` say why it is off by default and for a type without members, `rules` what it does.
    pub(super) fn trunking(&mut self, unwritten: &str, without: &str, rules: &str) -> Option<u32> {
        let (key, kind) = ("enable_eni_trunking", self.node.instance_type);
        let Some((true, place)) = self.get(key).and_then(|json| Some((json.bool()?, &json.place))) else {
            self.off(key, unwritten);
            return None;
        };
        let members = self.node.limits.member_adapters();
        if members == Some(0) {
            let source = format!("{kind} has no member interfaces ({without})");
            self.set(key, "off", Origin::changed(true, place, source));
            return None;
        }
        if members.is_none() {
            let title = format!("whether {kind} has member interfaces is not known");
            let label = format!("with some, the node has a trunk interface from its start ({rules})");
            let hint = "give the type's EniTrunkSupported and EniTotalQuantity (`instance_types: {file: …}`), or \
                        write `false`";
            self.note(Note::warning(title, label).hint(hint), place);
        }
        self.set(key, "on", Origin::written(place));
        Some(members.unwrap_or(0))
    }

    /// RDMA interfaces (R25, R34, R38).
    pub fn rdma(&mut self) -> Option<Rdma> {
        let (slots, place) = self.erdma_res("R25, daemon/daemon.go:861-872")?;
        self.set("enable_erdma", format!("{slots} slots for pods with `aliyun/erdma`"), Origin::written(place));
        let is_told = !self.get("disable_device_plugin").and_then(Json::bool).unwrap_or(false);
        Some(Rdma { slots, crowded_from: self.node.limits.adapters - 1 - slots, is_told })
    }

    /// ERDMARes and where it was switched on, if the type has some (R34).
    pub(super) fn erdma_res(&mut self, rule: &str) -> Option<(u32, &'a Place)> {
        let (key, kind) = ("enable_erdma", self.node.instance_type);
        let Some((true, place)) = self.get(key).and_then(|json| Some((json.bool()?, &json.place))) else {
            self.off(key, rule);
            return None;
        };
        match self.node.limits.erdma_res() {
            Some(0) => {
                let source = format!("{kind} has no RDMA interface to give ({rule})");
                self.set(key, "off", Origin::changed(true, place, source));
                None
            }
            None => {
                let title = format!("whether {kind} has RDMA interfaces is not known");
                let note = Note::error(title, format!("slots would serve pods with `aliyun/erdma` only ({rule})"));
                self.note(
                    note.hint("give the type's EriQuantity (`instance_types: {file: …}`), or write `false`"),
                    place,
                );
                None
            }
            Some(slots) => Some((slots, place)),
        }
    }

    pub(super) fn off(&mut self, key: &'static str, source: &str) {
        let origin = self.get(key).map_or(Origin::default(source), |json| Origin::written(&json.place));
        self.set(key, "off", origin);
    }

    /// Client-side limits in calls per minute (R26, R110).
    pub fn rate_limit(&mut self) -> [Option<u32>; Api::ALL.len()] {
        let key = "rate_limit";
        let mut limits = Api::ALL.map(default_limit);
        let written = self.get(key);
        for member in written.map_or(&[][..], Json::members) {
            let api = Api::ALL.into_iter().find(|api| api.name() == member.key);
            // Go reads null as 0.
            match (api, member.value.int().unwrap_or(0)) {
                (None, _) => self.unknown_api(&member.key, &member.key_place),
                (Some(api), limit) => match u32::try_from(limit) {
                    Ok(limit @ 1..) => limits[api.index()] = limit,
                    _ => {
                        let note = Note::error(format!("{limit} calls of {} per minute", api.name()), "not above 0");
                        let hint = "Terway's limiter would refuse every call; write 1 or more (R26)";
                        self.note(note.hint(hint), &member.value.place);
                    }
                },
            }
        }
        let shown: Vec<_> = Api::ALL.map(|api| format!("{} {}", api.name(), limits[api.index()])).into();
        let source = "R110, pkg/aliyun/client/ratelimit.go:20-80";
        let origin = written.map_or(Origin::default(source), |json| Origin::written(&json.place));
        self.set(key, format!("{} calls/min", shown.join(", ")), origin);
        limits.map(Some)
    }

    /// The daemon's client of the API server (R114): what is 0, or not written, is client-go's default, and a negative
    /// rate none at all.
    pub fn kube_client(&mut self) -> KubeClient {
        const SOURCE: &str = "R114, pkg/k8s/k8s.go:112-113, client-go rest/config.go";
        let qps = self.get("kube_client_qps").and_then(|json| Some((json.float()?, &json.place)));
        let qps = match qps.filter(|&(qps, _)| qps != 0.0) {
            Some((qps, place)) => {
                self.set("kube_client_qps", qps, Origin::written(place));
                qps
            }
            None => {
                self.set("kube_client_qps", 5, Origin::default(SOURCE));
                5.0
            }
        };
        let burst = match self.int("kube_client_burst").filter(|&(burst, _)| burst != 0) {
            Some((burst, place)) => {
                if burst < 0 && qps > 0.0 {
                    let label = "the daemon would not start";
                    let note = Note::error("a negative `kube_client_burst` lets no request pass", label);
                    self.note(note.hint("write 1 or more"), place);
                }
                self.set("kube_client_burst", burst, Origin::written(place));
                burst
            }
            None => {
                self.set("kube_client_burst", 10, Origin::default(SOURCE));
                10
            }
        };
        let written = self.get("enable_patch_pod_ips");
        let patches = written.and_then(Json::bool).unwrap_or(true);
        let origin = written.map_or(Origin::default("types/daemon/config.go"), |json| Origin::written(&json.place));
        self.set("enable_patch_pod_ips", patches, origin);
        let period = if qps > 0.0 { Span::from_secs_f64(1.0 / qps) } else { Span::ZERO };
        KubeClient { period, burst: u32::try_from(burst.max(1)).unwrap_or(u32::MAX), patches }
    }

    fn unknown_api(&mut self, name: &str, place: &Place) {
        if OTHER_APIS.contains(&name) {
            return;
        }
        let title = format!("`{name}` is not an action that the node-local allocator calls");
        let note = Note::warning(title, "its limit has no effect here (R26, R110)");
        let note = match nearest(name, Api::ALL.map(Api::name)) {
            Some(api) => note.hint(format!("did you mean `{api}`?")),
            None => note,
        };
        self.note(note, place);
    }

    /// What stops a daemon, and what is not simulated (R8, R27 to R29).
    pub fn other(&mut self) {
        self.security_groups();
        self.backoff_override();
        if let Some(kinds) = self.get("custom_stateful_workload_kinds").filter(|json| !json.elements().is_empty()) {
            let title = "custom stateful kinds are not simulated";
            let note = Note::warning(title, "addresses of their pods are not retained here (R28, R128)");
            self.note(note.hint("model such a workload as a stateful set"), &kinds.place);
        }
        if let Some(filter) = self.get("eni_tag_filter").filter(|json| !json.members().is_empty()) {
            let note = Note::warning(
                "the tag filter is not simulated",
                "a restarted daemon adopts every interface here (R29, R140)",
            );
            self.note(
                note.hint("if eni_tags lack the filter's tags, Terway would not adopt its own interfaces"),
                &filter.place,
            );
        }
    }

    fn security_groups(&mut self) {
        let (most, source) = match self.document.ipam() {
            IpamType::Classic => (5, "P6, daemon/daemon.go:1592"),
            _ => (10, "R8, types/daemon/config.go:146-158"),
        };
        let Some(groups) = self.get("security_groups").filter(|json| json.elements().len() > most) else { return };
        let label = format!("security groups should not be more than {most}, current {}", groups.elements().len());
        let note = Note::error("Terway does not start on these `security_groups`", label);
        self.note(note.hint(format!("list at most {most} ({source})")), &groups.place);
    }

    fn backoff_override(&mut self) {
        for entry in self.get("backoff_override").map_or(&[][..], Json::members) {
            if entry.value.value == Value::Null {
                continue;
            }
            let (known, who, rules) = match self.document.ipam() {
                IpamType::Classic => (CLASSIC_BACKOFFS, "the allocator of before v1.7", "P77, P78, P82"),
                _ => (BACKOFFS, "the node-local allocator", "R27, R96"),
            };
            let note = if known.contains(&entry.key.as_str()) {
                let note = Note::error(format!("other back-offs for `{}` are not simulated", entry.key), rules);
                note.hint("remove it to run with Terway's own")
            } else {
                let title = format!("{who} has no back-off `{}`", entry.key);
                let note = Note::warning(title, format!("it has no effect here ({rules})"));
                match nearest(&entry.key, known.iter().copied()) {
                    Some(name) => note.hint(format!("did you mean `{name}`?")),
                    None => note,
                }
            };
            self.note(note, &entry.key_place);
        }
    }
}

/// Calls per minute (R110).
fn default_limit(api: Api) -> u32 {
    match api {
        Api::CreateNetworkInterface | Api::AttachNetworkInterface | Api::DeleteNetworkInterface => 500,
        Api::DetachNetworkInterface
        | Api::AssignPrivateIpAddresses
        | Api::UnassignPrivateIpAddresses
        | Api::AssignIpv6Addresses
        | Api::UnassignIpv6Addresses => 400,
        Api::DescribeNetworkInterfaces => 800,
        Api::DescribeVSwitches => 300,
    }
}

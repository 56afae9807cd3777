//! What the daemon fills in for the control plane (rules C10 to C16, C104, C106, C111, C122, C160;
//! `pkg/eni/node_reconcile.go:76-262`).

use super::pool::addresses;
use super::{Origin, Resolver, VSwitch};
use crate::ipam::Devices;
use crate::ipam::centralized::{Flavor, NodeConfig, Selection};
use crate::ipam::eni_config::go::{self, Duration};
use crate::ipam::json::Json;
use crate::ipam::node_local::{Reclaim, VSwitchSelection};
use crate::ipam::note::Note;
use crate::time::Span;

/// Most prefixes of a node that can be simulated: as many as 128 interfaces of 50 take.
const MOST_PREFIXES: u32 = 6400;

impl Resolver<'_> {
    /// The spec of the node's CR.
    pub fn centralized<'v>(&mut self, vswitch: &dyn Fn(&str) -> Option<VSwitch<'v>>) -> NodeConfig {
        self.centralized_type();
        let erdma = self.centralized_erdma();
        let flavor = self.flavor(erdma);
        let ips_per_eni = self.ips_per_eni();
        let (prefix_mode, prefix_count) = self.prefixes();
        self.show_capacity(flavor.capacity(ips_per_eni, prefix_mode.then_some(prefix_count)), prefix_mode);
        let (min_idle, max_idle) = self.watermarks(prefix_mode);
        let dual = self.stack();
        let both_or_none = self.document.base_is_dual;
        if prefix_mode && both_or_none && !dual {
            self.nobody_has_both();
        }
        let members = if flavor.trunk > 0 { self.node.limits.member_adapters().unwrap_or(0) } else { 0 };
        // As many as ERDMARes interfaces have, though the node gets one of them (pkg/eni/node_reconcile.go:200-208).
        let of_rdma = if flavor.has_erdma() { self.node.limits.erdma_res().unwrap_or(0) } else { 0 };
        let config = NodeConfig {
            flavor,
            devices: Devices { members, enis: 0, rdma: of_rdma * ips_per_eni },
            ips_per_eni,
            min_idle,
            max_idle,
            warm_up: self.warm_up(prefix_mode),
            sync_period: self.pool_sync_period(),
            reclaim: self.idle_reclaim(),
            prefix_mode,
            prefix_count,
            both_or_none,
            vswitches: self.vswitches(vswitch),
            selection: match self.vswitch_selection() {
                VSwitchSelection::Most | VSwitchSelection::Ordered => Selection::Most,
                VSwitchSelection::Random => Selection::Random,
            },
            dual,
            kube_client: self.kube_client(),
        };
        self.block_list();
        config
    }

    fn centralized_type(&mut self) {
        if self.document.ipam_is_given {
            return self.given_ipam("centralized");
        }
        match self.text("ipam_type") {
            Some(("crd", place)) => self.set("ipam_type", "centralized (crd)", Origin::written(place)),
            written => {
                let source = "decided by the base document alone (R6, daemon/daemon.go:821-831)";
                let origin = match written {
                    Some((text, place)) => Origin::changed(text, place, source),
                    None => Origin::default(source),
                };
                self.set("ipam_type", "centralized (crd)", origin);
            }
        }
    }

    /// Interfaces by kind: all but the primary one, whatever `max_eni` says (C11).
    fn flavor(&mut self, erdma: bool) -> Flavor {
        let (adapters, kind) = (self.node.limits.adapters, self.node.instance_type);
        let (unwritten, without) = ("C11, pkg/eni/node_reconcile.go:189-213", "C11, pkg/eni/node_reconcile.go:196-199");
        let trunk = self.trunking(unwritten, without, "C11, C63").is_some();
        let flavor = Flavor::of(adapters, trunk, erdma);
        let source = format!("{adapters} adapters of {kind} without the primary one (C11)");
        let rdma = if erdma { format!("{} RDMA, ", flavor.high_performance) } else { String::new() };
        let shown = format!("{} trunk, {rdma}{} secondary", flavor.trunk, flavor.secondary);
        self.set("flavor", shown, Origin::default(source));
        if flavor.for_pods() == 0 {
            let title = format!("a node of type {kind} has no interface for pods");
            self.notes.push(Note::error(title, "adapters − 1, and − 1 with RDMA (C11)").hint("choose a larger type"));
        }
        flavor
    }

    /// Whether a slot is an RDMA interface's (C11, C163).
    fn centralized_erdma(&mut self) -> bool {
        let Some((_, place)) = self.erdma_res("C163, pkg/eni/node_reconcile.go:200-208") else { return false };
        self.set("enable_erdma", "one interface for pods with `aliyun/erdma`", Origin::written(place));
        true
    }

    fn show_capacity(&mut self, capacity: u32, prefix_mode: bool) {
        let source = match prefix_mode {
            true => "16 × ipv4_prefix_count, or what the interfaces take (C137)",
            false => "trunk and secondary interfaces × ips_per_eni (C10)",
        };
        self.set("capacity", format!("{capacity} addresses"), Origin::default(source));
    }

    /// C138: a daemon that serves both families where the CR has fallen back to one, or a dynamic document asks for one only.
    fn nobody_has_both(&mut self) {
        let kind = self.node.instance_type;
        let label = format!("in prefix mode the daemon wants both families, and a node of type {kind} gets IPv4 alone");
        let note = Note::warning("no pod gets an address here: every CNI ADD waits for an IPv6 prefix", label);
        let hint = "choose a type with as many IPv6 as IPv4 addresses, or write `ipv4` in the base document (C138)";
        let written = ["ip_stack", "enable_ip_prefix"].into_iter().find_map(|key| self.get(key));
        self.notes.push(Note { place: written.map(|json| json.place.clone()), ..note.hint(hint) });
    }

    /// Whether the node is in prefix mode, and how many /28 prefixes it gets in all if its CR is (C122, C123).
    fn prefixes(&mut self) -> (bool, u32) {
        let (switch, count) = ("enable_ip_prefix", "ipv4_prefix_count");
        let on = self.get(switch).and_then(|json| Some((json.bool()?, &json.place)));
        let (key, place) = match on {
            Some((true, place)) => (switch, place),
            on => {
                let source = "C122, pkg/eni/node_reconcile.go:175-187";
                self.set(switch, "off", on.map_or(Origin::default(source), |(_, place)| Origin::written(place)));
                let written = self.int(count).and_then(|(number, _)| u32::try_from(number).ok());
                return (false, written.filter(|&n| n <= MOST_PREFIXES).unwrap_or(0));
            }
        };
        self.set(key, "on", Origin::written(place));
        let source = "C123, pkg/eni/node_reconcile.go:175-187";
        let Some((number, at)) = self.int(count) else {
            let title = "prefix mode without `ipv4_prefix_count`: no node gets a prefix";
            self.note(Note::warning(title, "every pod would wait for ever (C123)").hint("write how many /28"), place);
            self.set(count, 0, Origin::default(source));
            return (true, 0);
        };
        self.set(count, format!("{number} prefixes of 16 addresses a node"), Origin::written(at));
        let prefixes = u32::try_from(number).ok().filter(|&n| n <= MOST_PREFIXES);
        if prefixes.is_none() {
            let note = Note::error(format!("`{count}` is {number}"), "a number of /28 prefixes of a node");
            self.note(note.hint(format!("write a number from 0 to {MOST_PREFIXES}")), at);
        }
        (true, prefixes.unwrap_or(0))
    }

    /// Both watermarks as written; prefix mode has none, and shows so (C12).
    fn watermarks(&mut self, prefix_mode: bool) -> (u32, u32) {
        let mut read = |key: &'static str| match self.int(key) {
            Some((size, place)) if prefix_mode => {
                let source = "prefix mode has no pool (C12, pkg/eni/node_reconcile.go:225-230)";
                self.set(key, addresses(0), Origin::changed(size, place, source));
                self.not_negative(key, size, place)
            }
            Some((size, place)) => {
                self.set(key, addresses(size), Origin::written(place));
                self.not_negative(key, size, place)
            }
            None => {
                let source = "C160, types/daemon/config.go:42-79 (the Helm chart writes 5 and 0)";
                self.set(key, addresses(0), Origin::default(source));
                0
            }
        };
        let (min, max) = (read("min_pool_size"), read("max_pool_size"));
        if min > max
            && !prefix_mode
            && let Some((_, place)) = self.int("min_pool_size")
        {
            let title = format!("the lower watermark, {min}, is above the upper one, {max}");
            let label = "centralized IPAM clamps neither: every two minutes it gives back what it then orders again";
            let note = Note::warning(title, label);
            self.note(note.hint("write a `max_pool_size` that is not below `min_pool_size` (C12, C103)"), place);
        }
        (min, max)
    }

    /// Addresses that are ordered once in a node's life (C111).
    fn warm_up(&mut self, prefix_mode: bool) -> u32 {
        let key = "ip_warm_up_size";
        let Some((size, place)) = self.int(key) else {
            self.set(key, "off", Origin::default("C160, types/daemon/config.go:42-79"));
            return 0;
        };
        let source = "prefix mode has no pool (C12, C123)";
        match prefix_mode {
            true => self.set(key, "off", Origin::changed(size, place, source)),
            false => self.set(key, format!("{} addresses", size.max(0)), Origin::written(place)),
        }
        u32::try_from(size.max(0)).unwrap_or(u32::MAX)
    }

    /// Period of the pool; `None` = the control plane's (C21).
    fn pool_sync_period(&mut self) -> Option<Span> {
        let key = "ip_pool_sync_period";
        let source = "multiIPGCPeriod of the control plane (C21, pkg/controller/multi-ip/node/pool.go:2739-2748)";
        let Some((text, place)) = self.text(key).filter(|(text, _)| !text.is_empty()) else {
            self.set(key, "as the control plane", Origin::default(source));
            return None;
        };
        match go::parse_duration(text) {
            Ok(Duration::Span(period)) => {
                self.set(key, period, Origin::written(place));
                Some(period)
            }
            Ok(Duration::Negative) => {
                self.set(key, "every second", Origin::changed(text, place, "never below 1 s (C21)"));
                Some(Span::ZERO)
            }
            Err(error) => {
                let title = format!("`{key}` is not a duration of Go; the control plane takes its own");
                let hint = "write a number with h, m, s or ms, such as 90s or 1h30m";
                self.note(Note::warning(title, error).hint(hint), place);
                self.set(key, "as the control plane", Origin::changed(text, place, source));
                None
            }
        }
    }

    /// Idle reclaim: it is on as soon as `idle_ip_reclaim_after` is written, zero included (C104).
    fn idle_reclaim(&mut self) -> Option<Reclaim> {
        let (reclaim, after) = self.reclaim_with_after();
        after.map(|after| Reclaim { after, ..reclaim })
    }

    fn block_list(&mut self) {
        let key = "eni_tag_block_list";
        let Some(list) = self.get(key).filter(|json| !Json::members(json).is_empty()) else { return };
        let note = Note::warning("the tag block list is not simulated", "no interface is unschedulable here (C39)");
        self.note(note.hint("interfaces that somebody else attaches are not simulated either"), &list.place);
    }
}

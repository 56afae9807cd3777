//! What a daemon of before v1.7 makes of a document (rules P4 to P13).

use super::pool::addresses;
use super::{Origin, Resolver, VSwitch};
use crate::ipam::GC_PERIOD;
use crate::ipam::classic::{Config, Profile, Selection, Sizes, Version, Wanted};
use crate::ipam::node_local::VSwitchSelection;
use crate::ipam::note::Note;
use crate::time::Span;

/// The CNI plugin gives an ADD up after this (rule K1, `plugin/terway/cni.go:28-29`).
const CNI_TIMEOUT: Span = Span::secs(120);
/// Keys that came with v1.7 or later.
const LATER: [&str; 8] = [
    "eni_selection_policy",
    "idle_ip_reclaim_after",
    "idle_ip_reclaim_batch_size",
    "idle_ip_reclaim_interval",
    "idle_ip_reclaim_jitter_factor",
    "ip_pool_sync_period",
    "rate_limit",
    "enable_erdma",
];

impl Resolver<'_> {
    /// What a daemon of before v1.7 runs with.
    pub(super) fn classic<'v>(&mut self, vswitch: &dyn Fn(&str) -> Option<VSwitch<'v>>) -> Config {
        let profile = self.document.profile();
        self.given_ipam("classic");
        self.set("version", profile.version, Origin::default("`terway.version` of the scenario (P3)"));
        for key in LATER {
            if let Some(json) = self.get(key) {
                let title = format!("`{key}` has no effect before v1.7");
                let note = Note::warning(title, format!("{} does not know it (P6)", profile.version));
                self.note(note.hint("remove it, or leave `terway.version` out"), &json.place);
            }
        }
        if self.stack() {
            let title = "dual stack is not simulated with a Terway of before v1.7";
            let note = Note::error(title, "the pool of this version is simulated for IPv4 only");
            let place = self.get("ip_stack").map(|json| json.place.clone());
            self.notes.push(Note { place, ..note.hint("write `ip_stack: ipv4`") });
        }
        self.without_trunk();
        self.with_device_plugin();
        self.set("cni_timeout", CNI_TIMEOUT, Origin::default("fixed (K1, plugin/terway/cni.go:28-29)"));
        self.set("gc_period", GC_PERIOD, Origin::default("fixed (P99, daemon/daemon.go:45)"));
        Config {
            sizes: self.sizes(&profile),
            selection: self.selection(),
            vswitches: self.vswitches(vswitch),
            cni_timeout: CNI_TIMEOUT,
            gc_period: Some(GC_PERIOD),
            limited: true,
            profile,
        }
    }

    /// A trunk takes a slot and an address from the start, and its last address is never given back, for
    /// which the pool's loop sleeps longer each time: that is not simulated (rule P76).
    fn without_trunk(&mut self) {
        if self.trunk().is_none() {
            return;
        }
        let title = "a trunk interface is not simulated with a Terway of before v1.7";
        let label = format!(
            "a node of {} with members has one from its start, which takes a slot (P76)",
            self.node.instance_type
        );
        let place = self.get("enable_eni_trunking").map(|json| json.place.clone());
        self.notes.push(Note { place, ..Note::error(title, label).hint("write `enable_eni_trunking: false`") });
    }

    /// Without its device plugin a daemon of v1.4.4 has capacity for one address, and no slot (rule P14).
    fn with_device_plugin(&mut self) {
        let Some(key) = self.get("disable_device_plugin").filter(|json| json.bool() == Some(true)) else { return };
        if self.document.profile().version == Version::V1_4_4 {
            let title = "a Terway v1.4.4 without its device plugin is not simulated";
            let note =
                Note::error(title, "it makes no interface: its capacity is 1 (P14, daemon/eni-multi-ip.go:917-922)");
            self.note(note.hint("remove it"), &key.place);
        }
    }

    /// Slots, capacity and watermarks (rules P11 to P13).
    fn sizes(&mut self, profile: &Profile) -> Sizes {
        let slots = if profile.scales_slots { self.max_eni() } else { self.unscaled_max_eni() };
        let ips = self.ips_per_eni();
        let mut amount = |key| {
            let written = self.int(key);
            written.map_or(0, |(n, place)| self.not_negative(key, n, place))
        };
        let (min_pool_size, max_pool_size, min_eni) =
            (amount("min_pool_size"), amount("max_pool_size"), amount("min_eni"));
        let sizes = Sizes::clamped(profile, slots, ips, Wanted { min_pool_size, max_pool_size, min_eni, max_eni: 0 });
        self.set("capacity", format!("{} addresses", sizes.capacity), Origin::default("max_eni × ips_per_eni (P12)"));
        let source = if profile.reads_lower_mark {
            "min_eni replaces the lower mark, both are clamped to capacity, and a lower mark above the upper one raises it \
             (P13, daemon/eni-multi-ip.go:896-914)"
        } else {
            "min_eni alone makes a lower mark, of at most the upper one, which is clamped to capacity (P13, v1.6.0 \
             daemon/config.go:77-100)"
        };
        self.mark("max_pool_size", sizes.max_idle, source);
        self.mark("min_pool_size", sizes.min_idle, source);
        if let Some((1.., place)) = self.int("min_pool_size").filter(|_| !profile.reads_lower_mark) {
            let note = Note::warning(format!("`min_pool_size` has no effect in {}", profile.version), source);
            self.note(note.hint("write `min_eni` for a lower mark, or remove it"), place);
        }
        sizes
    }

    /// A watermark as it is in the end, by a rule.
    fn mark(&mut self, key: &'static str, effective: u32, source: &'static str) {
        let origin = match self.int(key) {
            Some((written, place)) if written == i64::from(effective) => Origin::written(place),
            Some((written, place)) => Origin::changed(written, place, source),
            None => Origin::default("P7, P13, daemon/eni-multi-ip.go:896-914"),
        };
        self.set(key, addresses(effective), origin);
    }

    /// Before v1.3.0 the cap's ratio and shift mean nothing (rule P11).
    fn unscaled_max_eni(&mut self) -> u32 {
        for key in ["eni_cap_ratio", "eni_cap_shift"] {
            if let Some(json) = self.get(key) {
                let note = Note::warning(
                    format!("`{key}` has no effect before v1.3.0"),
                    "P11, daemon/eni-multi-ip.go:790-796",
                );
                self.note(note.hint("remove it; an upgrade would change the node's capacity"), &json.place);
            }
        }
        self.max_eni_of(1.0, 0)
    }

    /// `vswitch_selection_policy` (rules P7, P68).
    fn selection(&mut self) -> Selection {
        let known = |text: &str| matches!(text, "" | "ordered" | "random");
        if let Some((other, place)) = self.text("vswitch_selection_policy").filter(|(text, _)| !known(text)) {
            let title = format!("this Terway dies of vswitch_selection_policy `{other}`");
            let note = Note::error(title, "it creates no interface: index out of range (P68, daemon/eni.go:289-365)");
            self.note(note.hint("write `ordered` or `random`"), place);
            return Selection::Random;
        }
        match self.vswitch_selection() {
            VSwitchSelection::Most | VSwitchSelection::Ordered => Selection::Ordered,
            VSwitchSelection::Random => Selection::Random,
        }
    }
}

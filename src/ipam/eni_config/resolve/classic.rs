//! What a daemon of before v1.7 makes of a document (rules P4 to P13).

use super::pool::addresses;
use super::{Origin, Resolver, VSwitch};
use crate::ipam::GC_PERIOD;
use crate::ipam::classic::{Config, Selection, Sizes, Wanted};
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
        self.trunk();
        self.set("cni_timeout", CNI_TIMEOUT, Origin::default("fixed (K1, plugin/terway/cni.go:28-29)"));
        self.set("gc_period", GC_PERIOD, Origin::default("fixed (P99, daemon/daemon.go:45)"));
        Config {
            sizes: self.sizes(profile.scales_slots),
            selection: self.selection(),
            vswitches: self.vswitches(vswitch),
            cni_timeout: CNI_TIMEOUT,
            gc_period: Some(GC_PERIOD),
            limited: true,
            profile,
        }
    }

    /// Slots, capacity and watermarks (rules P11 to P13).
    fn sizes(&mut self, scales: bool) -> Sizes {
        let slots = if scales { self.max_eni() } else { self.unscaled_max_eni() };
        let ips = self.ips_per_eni();
        let mut amount = |key| {
            let written = self.int(key);
            written.map_or(0, |(n, place)| self.not_negative(key, n, place))
        };
        let (min_pool_size, max_pool_size, min_eni) =
            (amount("min_pool_size"), amount("max_pool_size"), amount("min_eni"));
        let sizes = Sizes::clamped(slots, ips, Wanted { min_pool_size, max_pool_size, min_eni, max_eni: 0 });
        self.set("capacity", format!("{} addresses", sizes.capacity), Origin::default("max_eni × ips_per_eni (P12)"));
        self.mark("max_pool_size", sizes.max_idle);
        self.mark("min_pool_size", sizes.min_idle);
        sizes
    }

    /// A watermark as it is in the end.
    fn mark(&mut self, key: &'static str, effective: u32) {
        let origin = match self.int(key) {
            Some((written, place)) if written == i64::from(effective) => Origin::written(place),
            Some((written, place)) => {
                let source = "min_eni replaces the lower mark, both are clamped to capacity, and a lower mark above the \
                              upper one raises it (P13, daemon/eni-multi-ip.go:896-914)";
                Origin::changed(written, place, source)
            }
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

//! Slots and watermarks (rules R6, R9 to R14, R35).

use super::{Origin, Resolver};
use crate::ipam::json::Value;
use crate::ipam::node_local::MAX_ADDRESSES;
use crate::ipam::note::{Note, Place};

/// Most slots of a node that the core can name.
const MAX_SLOTS: i64 = 255;

/// The figures of a node's pool.
pub(super) struct Pool {
    pub max_eni: u32,
    pub ips_per_eni: u32,
    pub min_idle: u32,
    pub max_idle: u32,
}

impl Resolver<'_> {
    /// The daemon allocates; true = a dynamic document says `crd` where the base document does not,
    /// which only switches pools and garbage collection off (R6).
    pub fn ipam_type(&mut self) -> bool {
        let key = "ipam_type";
        let written = self.text(key);
        let crd = written.filter(|&(text, _)| text == "crd");
        match (crd, written) {
            _ if self.document.ipam_is_given => self.given_ipam("node-local"),
            (Some((_, place)), _) => {
                let title = "`ipam_type: crd` in a dynamic document does not switch the allocator";
                let label = "it only sets both pool sizes to 0 and stops the pod garbage collection (R6)";
                self.note(Note::warning(title, label), place);
                let source = "a dynamic document cannot switch it (R6, daemon/daemon.go:821-831)";
                self.set(key, "node-local", Origin::changed("crd", place, source));
                return true;
            }
            (None, Some((text, place))) => {
                if !["", "default", "preferCRD"].contains(&text) {
                    let note = Note::warning(
                        format!("`{text}` is no ipam_type; the daemons allocate"),
                        "only `crd` changes anything (R6)",
                    );
                    self.note(note.hint("write `crd` for centralized IPAM, or `default`"), place);
                }
                let source = "anything but `crd` is node-local (R6, daemon/daemon.go:821-831)";
                self.set(key, "node-local", Origin::changed(text, place, source));
            }
            (None, None) => self.set(key, "node-local", Origin::default("R6, daemon/daemon.go:821-831")),
        }
        false
    }

    /// The scenario says who allocates.
    pub fn given_ipam(&mut self, ipam: &'static str) {
        let (key, source) = ("ipam_type", "`terway.ipam` of the scenario");
        let origin = match self.text(key) {
            Some((text, place)) => Origin::changed(text, place, source),
            None => Origin::default(source),
        };
        self.set(key, ipam, origin);
    }

    /// Slots and watermarks; `off` = the pool sizes are forced to 0 (R6).
    pub fn pool(&mut self, off: bool) -> Pool {
        let max_eni = self.max_eni();
        let ips_per_eni = self.ips_per_eni();
        let capacity = max_eni * ips_per_eni;
        self.set("capacity", format!("{capacity} addresses"), Origin::default("max_eni × ips_per_eni (R35)"));
        let max_idle = self.max_idle(capacity, off);
        let min_idle = self.min_idle(ips_per_eni, max_idle, off);
        Pool { max_eni, ips_per_eni, min_idle, max_idle }
    }

    /// trunc(adapters × ratio) + shift − 1, lowered by `max_eni` (R12 to R14).
    pub(super) fn max_eni(&mut self) -> u32 {
        let (ratio, shift) = (self.cap_ratio(), self.cap_shift());
        self.max_eni_of(ratio, shift)
    }

    /// The same with a given ratio and shift.
    pub(super) fn max_eni_of(&mut self, ratio: f64, shift: i64) -> u32 {
        let adapters = self.node.limits.adapters;
        let hardware = ((f64::from(adapters) * ratio) as i64).saturating_add(shift).saturating_sub(1);
        let value = match self.int("max_eni") {
            Some((max, place)) if 0 < max && max < hardware => {
                self.set("max_eni", format!("{max} interfaces"), Origin::written(place));
                max
            }
            Some((max, place)) => {
                let source = "only lowers, and 0 switches it off (R12, daemon/config.go:127-129)";
                self.set("max_eni", format!("{hardware} interfaces"), Origin::changed(max, place, source));
                hardware
            }
            None => {
                let kind = self.node.instance_type;
                let formula = "trunc(adapters × eni_cap_ratio) + eni_cap_shift − 1";
                let source = format!("{adapters} adapters of {kind}; {formula} (R13, daemon/config.go:123-124)");
                self.set("max_eni", format!("{hardware} interfaces"), Origin::default(source));
                hardware
            }
        };
        self.judge_slots(value, adapters);
        u32::try_from(value.clamp(1, MAX_SLOTS)).expect("it was clamped")
    }

    fn judge_slots(&mut self, slots: i64, adapters: u32) {
        let place = ["max_eni", "eni_cap_shift", "eni_cap_ratio"].into_iter().find_map(|key| self.get(key));
        let place = place.map(|json| json.place.clone());
        let kind = self.node.instance_type;
        let note = match slots {
            ..=0 => Note::error(
                format!("a node of type {kind} has no interface for pods: max_eni is {slots}"),
                "trunc(adapters × eni_cap_ratio) + eni_cap_shift − 1 (R13)",
            )
            .hint("every pod would fail with `no eni can handle the allocation`; choose a larger type or ratio"),
            256.. => Note::error(format!("{slots} interfaces per node are more than can be simulated"), "R13")
                .hint(format!("at most {MAX_SLOTS} can be")),
            _ if slots >= i64::from(adapters) => Note::warning(
                format!("{slots} secondary interfaces are more than the {} of {kind}", adapters.saturating_sub(1)),
                "Terway does not clamp to the hardware (R14, daemon/config.go:124)",
            )
            .hint(
                "the surplus slots only fail with `EniPerInstanceLimitExceeded`; lower eni_cap_shift or eni_cap_ratio",
            ),
            _ => return,
        };
        self.notes.push(Note { place, ..note });
    }

    fn cap_ratio(&mut self) -> f64 {
        let source = "R13, types/daemon/config.go:118";
        let written = self.get("eni_cap_ratio").and_then(|json| match &json.value {
            Value::Number(number) => Some((number.as_f64()?, &json.place)),
            _ => None,
        });
        match written {
            None => self.set("eni_cap_ratio", 1, Origin::default(source)),
            Some((0.0, place)) => self.set("eni_cap_ratio", 1, Origin::changed(0, place, source)),
            Some((ratio, place)) => self.set("eni_cap_ratio", ratio, Origin::written(place)),
        }
        written.map(|(ratio, _)| ratio).filter(|&ratio| ratio != 0.0).unwrap_or(1.0)
    }

    fn cap_shift(&mut self) -> i64 {
        let written = self.int("eni_cap_shift");
        let origin = written.map_or(Origin::default("R14, daemon/config.go:124"), |(_, place)| Origin::written(place));
        let shift = written.map_or(0, |(shift, _)| shift);
        self.set("eni_cap_shift", shift, origin);
        shift
    }

    pub fn ips_per_eni(&mut self) -> u32 {
        let (ips, kind) = (self.node.limits.ipv4_per_adapter, self.node.instance_type);
        let source = format!("EniPrivateIpAddressQuantity of {kind} (R35, daemon/config.go:122-160)");
        self.set("ips_per_eni", format!("{ips} addresses"), Origin::default(source));
        if ips == 0 || ips > MAX_ADDRESSES {
            let title = format!("{ips} addresses per interface of {kind} cannot be simulated");
            let note = Note::error(title, "R35");
            self.notes.push(note.hint(format!("give 1 to {MAX_ADDRESSES} IPv4 addresses per interface")));
        }
        ips.clamp(1, MAX_ADDRESSES)
    }

    /// The upper watermark, clamped to capacity (R9).
    fn max_idle(&mut self, capacity: u32, off: bool) -> u32 {
        let key = "max_pool_size";
        match self.int(key) {
            None => {
                let source = "R9, daemon/config.go:138-142: every idle address is given back (the Helm chart writes 5)";
                self.set(key, addresses(0), Origin::default(source));
                0
            }
            Some((max, place)) if off => {
                self.set(key, addresses(0), Origin::changed(max, place, POOLS_OFF));
                0
            }
            Some((max, place)) if max > i64::from(capacity) => {
                let source = "not above capacity (R9, daemon/config.go:138-142)";
                self.set(key, addresses(capacity), Origin::changed(max, place, source));
                capacity
            }
            Some((max, place)) => {
                self.set(key, addresses(max), Origin::written(place));
                self.not_negative(key, max, place)
            }
        }
    }

    /// The lower watermark: `min_eni` interfaces' worth if that is set, clamped to the upper one
    /// (R10, R11).
    fn min_idle(&mut self, ips_per_eni: u32, max_idle: u32, off: bool) -> u32 {
        let key = "min_pool_size";
        let (enis, pool) = (self.int("min_eni"), self.int(key));
        let mut reasons = Vec::new();
        let (mut wanted, place) = match (enis, pool) {
            (Some((enis, place)), _) if enis > 0 => {
                reasons.push(format!(
                    "min_eni {enis} × {ips_per_eni} addresses replaces it (R10, daemon/config.go:146-151)"
                ));
                (enis.saturating_mul(i64::from(ips_per_eni)), Some(place))
            }
            (_, Some((min, place))) => (i64::from(self.not_negative(key, min, place)), Some(place)),
            _ => (0, None),
        };
        if wanted > i64::from(max_idle) {
            self.warn_of_clamp(wanted, max_idle, place, off);
            reasons.push(format!("{wanted} is clamped to max_pool_size {max_idle} (R10, daemon/config.go:149-151)"));
            wanted = i64::from(max_idle);
        }
        if off && place.is_some() {
            reasons = vec![POOLS_OFF.to_owned()];
        }
        let from = pool.map_or(0, |(min, _)| min).to_string();
        let origin = match (reasons.is_empty(), place) {
            (true, None) => Origin::default("R10, daemon/config.go:144-151"),
            (true, Some(place)) => Origin::written(place),
            (false, place) => Origin::Changed { from, place: place.cloned(), source: reasons.join("; ") },
        };
        self.set(key, addresses(wanted), origin);
        u32::try_from(wanted).expect("it is not above an u32")
    }

    fn warn_of_clamp(&mut self, wanted: i64, max_idle: u32, place: Option<&Place>, off: bool) {
        let Some(place) = place.filter(|_| !off) else { return };
        let title = format!("a lower watermark of {wanted} idle addresses is clamped to the upper one, {max_idle}");
        let note = Note::warning(title, "Terway clamps it silently (R10, daemon/config.go:149-151)");
        self.note(note.hint("raise max_pool_size, or lower this"), place);
    }

    pub fn not_negative(&mut self, key: &str, value: i64, place: &Place) -> u32 {
        if value < 0 {
            let note = Note::error(format!("`{key}` is negative"), "a number of addresses");
            self.note(note.hint("Terway takes it as it is, which is not simulated; write 0 or more"), place);
        }
        u32::try_from(value.max(0)).unwrap_or(u32::MAX)
    }
}

const POOLS_OFF: &str = "`ipam_type: crd` in the dynamic document (R6, daemon/config.go:162-165)";

pub(super) fn addresses(n: impl std::fmt::Display) -> String {
    format!("{n} idle addresses")
}

//! Selection policies and candidate vSwitches (rules R16 to R18, R91).

use super::{Origin, Resolver, VSwitch};
use crate::id::VSwitchId;
use crate::ipam::json::Json;
use crate::ipam::node_local::{EniSelection, VSwitchSelection};
use crate::ipam::note::{Note, Severity};

/// Most candidates that the core can hold.
pub const MAX_CANDIDATES: usize = 64;

const VSWITCHES: &str = "vswitches";

impl Resolver<'_> {
    /// Which interface a request is offered to first (R16).
    pub fn eni_selection(&mut self) -> EniSelection {
        let key = "eni_selection_policy";
        let source = "R16, pkg/eni/manager.go:175-180";
        match self.text(key).filter(|(text, _)| !text.is_empty()) {
            None => self.set(key, "most_ips", Origin::default(source)),
            Some(("most_ips", place)) => self.set(key, "most_ips", Origin::written(place)),
            Some(("least_ips", place)) => {
                self.set(key, "least_ips", Origin::written(place));
                return EniSelection::LeastIps;
            }
            Some((other, place)) => {
                let title = format!("`{other}` is no eni_selection_policy; Terway takes most_ips");
                let note = Note::warning(title, "only `least_ips` changes anything (R16, pkg/eni/manager.go:175-180)");
                self.note(note.hint("write `most_ips` or `least_ips`"), place);
                self.set(key, "most_ips", Origin::changed(other, place, source));
            }
        }
        EniSelection::MostIps
    }

    /// Which vSwitch a new interface goes to (R17).
    pub fn vswitch_selection(&mut self) -> VSwitchSelection {
        let key = "vswitch_selection_policy";
        let source = "R17, daemon/config.go:30-35";
        match self.text(key).filter(|(text, _)| !text.is_empty()) {
            None => self.set(key, "random", Origin::default(source)),
            Some(("random", place)) => self.set(key, "random", Origin::written(place)),
            Some(("ordered", place)) => {
                let source = "ordered means most free addresses first (R17, daemon/config.go:30-35)";
                self.set(key, "most free addresses first", Origin::changed("ordered", place, source));
                return VSwitchSelection::Most;
            }
            Some((other, place)) => {
                let title = format!("vswitch_selection_policy `{other}` means random");
                let note = Note::warning(title, "only `ordered` changes anything (R17, daemon/config.go:30-35)");
                self.note(note.hint("write `ordered` for most free addresses first, or `random`"), place);
                self.set(key, "random", Origin::changed(other, place, source));
            }
        }
        VSwitchSelection::Random
    }

    /// The candidates: the list of the node's zone, or the node's own vSwitch (R18).
    pub fn vswitches<'v>(&mut self, find: &dyn Fn(&str) -> Option<VSwitch<'v>>) -> Vec<VSwitchId> {
        let list = self.get(VSWITCHES).and_then(|zones| zones.get(self.node.zone));
        match list.filter(|list| !list.elements().is_empty()) {
            Some(list) => self.listed(list, find),
            None => vec![self.own_vswitch()],
        }
    }

    fn own_vswitch(&mut self) -> VSwitchId {
        let source = "no list for its zone (R18, daemon/builder.go:261-263)";
        self.set(VSWITCHES, "the node's own vSwitch", Origin::default(source));
        if let Some(zones) = self.get(VSWITCHES) {
            let title = format!("eni-config lists no vSwitch for zone {}", self.node.zone);
            let label = "pods get their addresses from the node's own vSwitch (R18, daemon/builder.go:261-263)";
            let note = Note::warning(title, label).hint("add the zone if its pods have vSwitches of their own");
            self.note(note, &zones.place);
        }
        self.node.vswitch
    }

    fn listed<'v>(&mut self, list: &Json, find: &dyn Fn(&str) -> Option<VSwitch<'v>>) -> Vec<VSwitchId> {
        let before = self.notes.len();
        let written: Vec<_> = list.elements().iter().filter_map(Json::text).collect();
        let (names, candidates): (Vec<_>, Vec<_>) =
            list.elements().iter().filter_map(|id| Some((id.text()?, self.candidate(id, find)?))).unzip();
        let all_exist = self.notes[before..].iter().all(|note| note.severity != Severity::Error);
        if candidates.is_empty() && all_exist {
            let title = format!("no vSwitch of the list is in zone {}: no interface can be created", self.node.zone);
            let note = Note::error(title, "R91, pkg/vswitch/vswitch.go:117-122");
            let found = written.iter().filter_map(|name| Some(format!("`{name}` is in {}", find(name)?.zone)));
            let found = found.collect::<Vec<_>>().join(", ");
            self.note(note.hint(format!("list vSwitches of this zone: {found}")), &list.place);
        }
        if candidates.len() > MAX_CANDIDATES {
            let title = format!("{} vSwitches of one zone are more than can be simulated", candidates.len());
            self.note(Note::error(title, "R18").hint(format!("at most {MAX_CANDIDATES} can be")), &list.place);
        }
        let skips = "skips those of other zones (R91, pkg/vswitch/vswitch.go:117-122)";
        let origin = match names == written {
            true => Origin::written(&list.place),
            false => Origin::changed(written.join(", "), &list.place, skips),
        };
        self.set(VSWITCHES, names.join(", "), origin);
        candidates
    }

    fn candidate<'v>(&mut self, id: &Json, find: &dyn Fn(&str) -> Option<VSwitch<'v>>) -> Option<VSwitchId> {
        let name = id.text()?;
        match find(name) {
            Some(found) if found.zone == self.node.zone => Some(found.id),
            Some(found) => {
                let title = format!("vSwitch `{name}` is in zone {}, not in {}", found.zone, self.node.zone);
                let note = Note::warning(title, "Terway skips it silently (R91, pkg/vswitch/vswitch.go:117-122)");
                self.note(note.hint(format!("list it under `{}`", found.zone)), &id.place);
                None
            }
            None => {
                let note = Note::error(format!("vSwitch `{name}` does not exist"), "not one of the VPC's vSwitches");
                self.note(note.hint("declare it, or remove it from eni-config"), &id.place);
                None
            }
        }
    }
}

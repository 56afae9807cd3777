//! The network: every vSwitch lies in the VPC, and none on another.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use super::report_duplicates;
use super::reservations::reservations;
use super::tenants::with_tenants;
use crate::address::usable;
use crate::id::VSwitchId;
use crate::model::{MOST_ZONES, VSwitch, Vpc};
use crate::scenario::defaults;
use crate::scenario::loader::Loader;
use crate::scenario::quantity::Block;
use crate::scenario::read::At;
use crate::scenario::written;
use crate::time::Span;
use crate::units::thousands;

/// Prefixes that a vSwitch may have (CreateVSwitch).
pub(super) const PREFIXES: std::ops::RangeInclusive<u8> = 16..=29;

/// The vSwitches by name, also those that have something wrong with them: those of the start, and
/// behind them those that actions add, in the order of these.
#[derive(Debug, Default)]
pub(super) struct Names<'w> {
    list: Vec<&'w written::VSwitch>,
    /// The actions that add the last of the list, by position.
    adding: Vec<usize>,
}

impl<'w> Names<'w> {
    /// The vSwitch called `id`.
    pub fn find(&self, id: &str) -> Option<(VSwitchId, Option<&'w At<String>>)> {
        let position = self.list.iter().position(|v| v.id.as_ref().is_some_and(|at| at.value == id))?;
        Some((VSwitchId::new(position), self.list[position].zone.as_ref()))
    }

    /// The action that adds a vSwitch, by position; `None` = the vSwitch is there from the start.
    pub fn added_by(&self, id: VSwitchId) -> Option<usize> {
        let first = self.list.len() - self.adding.len();
        id.index().checked_sub(first).map(|i| self.adding[i])
    }

    /// A vSwitch and its copies, which stand behind it.
    pub fn with_copies(&self, id: VSwitchId) -> impl Iterator<Item = VSwitchId> {
        let copies = self.list[id.index()].copies.as_ref().map_or(1, |copies| copies.value.0 as usize);
        (id.index()..id.index() + copies).map(VSwitchId::new)
    }

    /// The ID of a vSwitch.
    pub fn id(&self, id: VSwitchId) -> &'w str {
        self.list[id.index()].id.as_ref().map_or("", |at| at.value.as_str())
    }

    /// All IDs.
    pub fn ids(&self) -> Vec<&'w str> {
        self.list.iter().filter_map(|v| v.id.as_ref()).map(|at| at.value.as_str()).collect()
    }

    /// All zones, each once.
    pub fn zones(&self) -> Vec<&'w str> {
        let mut zones: Vec<_> = self.list.iter().filter_map(|v| v.zone.as_ref()).map(|at| at.value.as_str()).collect();
        zones.sort_unstable();
        zones.dedup();
        zones
    }
}

/// The names of all vSwitches, and the network at the start if all is right.
pub(super) fn resolve<'w>(
    loader: &mut Loader,
    written: &'w written::Vpc,
    paths: &[String],
    actions: &'w [written::Action],
    horizon: Option<Span>,
) -> (Names<'w>, Option<Vpc>) {
    let list = written.vswitches.as_deref().unwrap_or_default();
    let added = actions.iter().enumerate().filter_map(|(i, action)| Some((i, &action.add_vswitch.as_ref()?.0)));
    let (adding, added): (Vec<_>, Vec<_>) = added.unzip();
    let names = Names { list: list.iter().chain(added).collect(), adding };
    let cidr = written.cidr.as_ref();
    if let Some(cidr) = cidr {
        loader.written("vpc.cidr", cidr.value.0.to_string(), cidr.place);
    }
    if written.vswitches.as_ref().is_some_and(Vec::is_empty) {
        loader.problems.error(written.place, "a VPC needs at least one vSwitch");
    }
    report_duplicates(loader, "vSwitches", names.list.iter().map(|v| v.id.as_ref()));
    report_overlaps(loader, &names.list);
    report_taken_names(loader, &names.list);
    report_too_many_zones(loader, &names.list);
    let all = list.iter().zip(paths);
    let vswitches: Vec<_> = all.map(|(v, path)| vswitch(loader, path, v, cidr, horizon)).collect();
    let vswitches = vswitches.into_iter().collect::<Option<Vec<_>>>();
    let vpc = cidr.zip(vswitches).map(|(cidr, vswitches)| Vpc { cidr: cidr.value.0, vswitches });
    (names, vpc)
}

/// Reports vSwitches that are called as measures of several are.
fn report_taken_names(loader: &mut Loader, list: &[&written::VSwitch]) {
    let ids = list.iter().filter_map(|vswitch| vswitch.id.as_ref());
    for at in ids.filter(|id| ["vswitch", "vswitches"].contains(&id.value.as_str())) {
        let problem = loader.problems.error(at.place, format!("a vSwitch cannot be called `{}`", at.value));
        problem.help("measures of the worst one and of all have that name; IDs are such as `vsw-AAA`");
    }
}

/// Reports the first vSwitch in a zone that is one too many.
fn report_too_many_zones(loader: &mut Loader, list: &[&written::VSwitch]) {
    let mut zones = BTreeSet::new();
    let one_too_many = |at: &&At<String>| zones.insert(at.value.clone()) && zones.len() > MOST_ZONES;
    if let Some(at) = list.iter().filter_map(|vswitch| vswitch.zone.as_ref()).find(one_too_many) {
        let title = format!("`{}` is zone {} of the scenario; {MOST_ZONES} are the most", at.value, MOST_ZONES + 1);
        loader.problems.error(at.place, title);
    }
}

/// The vSwitch at `path`, which is there from the start; `None` = it is wrong, which is reported.
pub(super) fn vswitch(
    loader: &mut Loader,
    path: &str,
    written: &written::VSwitch,
    vpc: Option<&At<Block>>,
    horizon: Option<Span>,
) -> Option<VSwitch> {
    let is_copy = path.contains(".copies[");
    let path = |key: &str| format!("{path}.{key}");
    for (key, at) in [("id", &written.id), ("zone", &written.zone)] {
        if let Some(at) = at {
            loader.written(path(key), at.value.clone(), at.place);
        }
    }
    if let Some(copies) = &written.copies {
        loader.written(path("copies"), copies.value.0.to_string(), copies.place);
    }
    let block = written.cidr.as_ref().and_then(|cidr| block(loader, cidr, vpc));
    if let (Some(cidr), Some(block)) = (&written.cidr, block) {
        let text = format!("{block}, {} usable", thousands(usable(block).into()));
        match &written.prefix {
            None => loader.written(path("cidr"), text, cidr.place),
            Some(prefix) => {
                loader.written(path("prefix"), prefix.value.0.to_string(), prefix.place);
                loader.default(path("cidr"), text, "the first free block of the VPC of this size");
            }
        }
    }
    let snat = written.snat.as_ref().map(|at| (at.value, at.place));
    let snat = loader.or_default(&path("snat"), snat, defaults::SNAT, bool::to_string);
    let reserved = written.prefix_reservations.as_deref().unwrap_or_default();
    let reserved = reservations(loader, &path("prefix_reservations"), reserved, written.cidr.as_ref());
    let text = |at: &Option<At<String>>| at.as_ref().map(|at| at.value.clone());
    let vswitch = (|| {
        Some(VSwitch {
            id: text(&written.id)?,
            zone: text(&written.zone)?,
            cidr: block?,
            tenants: Vec::new(),
            snat,
            prefix_reservations: reserved?,
            added_by: None,
            is_copy,
        })
    })();
    with_tenants(loader, &path("used"), written.used.as_ref(), vswitch, horizon)
}

/// The block of a vSwitch, if it may have it.
fn block(loader: &mut Loader, cidr: &At<Block>, vpc: Option<&At<Block>>) -> Option<Ipv4Net> {
    let block = cidr.value.0;
    let mut right = true;
    if !PREFIXES.contains(&block.prefix_len()) {
        let problem = loader.problems.error(cidr.place, format!("a vSwitch cannot be a /{}", block.prefix_len()));
        problem.help("its prefix is 16 to 29 (CreateVSwitch)");
        right = false;
    }
    if let Some(vpc) = vpc.filter(|vpc| !vpc.value.0.contains(&block)) {
        let problem = loader.problems.error(cidr.place, format!("`{block}` lies outside the VPC"));
        problem.context(vpc.place, "the VPC");
        right = false;
    }
    right.then_some(block)
}

fn report_overlaps(loader: &mut Loader, list: &[&written::VSwitch]) {
    let blocks: Vec<_> = list.iter().filter_map(|v| v.cidr.as_ref()).collect();
    for (i, block) in blocks.iter().enumerate() {
        let overlaps = |other: &&&At<Block>| {
            let (a, b) = (block.value.0, other.value.0);
            a.contains(&b) || b.contains(&a)
        };
        if let Some(other) = blocks[..i].iter().find(overlaps) {
            let title = format!("`{}` overlaps another vSwitch", block.value.0);
            loader.problems.error(block.place, title).context(other.place, "the other");
        }
    }
}

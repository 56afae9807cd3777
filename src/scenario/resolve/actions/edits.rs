//! Edits of eni-config: what the daemons of every group of nodes run with after each.

use super::{Order, World};
use crate::ipam::Config;
use crate::ipam::eni_config::{Document, Node as Host, Resolved, Setting as EniSetting};
use crate::model::{Deed, GroupKey, Model};
use crate::scenario::Setting;
use crate::scenario::loader::Loader;
use crate::scenario::resolve::{eni, pools};
use crate::scenario::written::EniPatch;

/// The edits of a scenario, one after the other.
pub(super) struct Edits<'a> {
    world: World<'a>,
    order: Option<&'a Order>,
    names: &'a [String],
    /// The ConfigMap as the edits so far left it.
    document: Document,
    /// What daemons would run with now, by group; `None` = an edit is wrong.
    daemons: Option<Vec<Resolved>>,
    /// Position of the last edit.
    last: Option<usize>,
}

impl<'a> Edits<'a> {
    /// No edit yet. Without an `order`, it is not checked.
    pub fn new(
        loader: &mut Loader,
        model: &Model,
        world: World<'a>,
        order: Option<&'a Order>,
        names: &'a [String],
    ) -> Self {
        let document = world.base.clone();
        let daemons = daemons(loader, model, world, &document);
        Self { world, order, names, document, daemons, last: None }
    }

    /// The next edit, which is the action at `index` and changes the keys of a patch.
    pub fn next(&mut self, loader: &mut Loader, model: &Model, index: usize, patch: &EniPatch) -> Option<Deed> {
        let in_order = self.check_order(loader, index, patch);
        let document = eni::patched(loader, &self.document, &patch.0)?;
        if document.switches_allocator() {
            let title = "an edit of `ipam_type` is not simulated";
            let problem = loader.problems.error(patch.0.place, title);
            problem.label("daemons that restart after it have another allocator (R6, daemon/daemon.go:821-831)");
            problem.help("make two scenarios of it, and `brimline compare` them");
            return None;
        }
        pools::report_unknown_candidates(loader, &document, self.world.names);
        if in_order {
            self.check_candidates(loader, index, &document);
        }
        let daemons = daemons(loader, model, self.world, &document);
        if let (Some(before), Some(after)) = (&self.daemons, &daemons) {
            note_changes(loader, model, index, patch, before, after);
            warn_of_mode(loader, patch, before, after);
            warn_of_places(loader, patch, before, after);
        }
        self.document = document;
        self.daemons = daemons;
        self.last = Some(index);
        let daemons = self.daemons.as_ref()?.iter().zip(model.groups());
        let daemons = daemons.map(|(resolved, (_, zone))| resolved.config.clone().with_places_of(&zone.daemon));
        Some(Deed::EditEniConfig(daemons.collect()))
    }

    /// An edit changes what the edits before it left, so that it must come after them.
    fn check_order(&self, loader: &mut Loader, index: usize, patch: &EniPatch) -> bool {
        let (Some(order), Some(last)) = (self.order, self.last) else { return true };
        if order.is_sure(index, last) {
            return true;
        }
        let title = "it is not certain that this edit comes after the edit before it in the list";
        let problem = loader.problems.error(patch.0.place, title);
        problem.label("what it leaves depends on that");
        problem.help(format!("write `after: {} + …`, or times (`at`) that increase", self.names[last]));
        false
    }

    /// Candidates must be there when the edit comes.
    fn check_candidates(&self, loader: &mut Loader, index: usize, document: &Document) {
        let Some(order) = self.order else { return };
        let help = "let this edit come after the action that adds it, by `after` or at a later time (`at`)";
        let comes_before = |action| order.is_sure(index, action);
        pools::report_missing_candidates(loader, document, self.world.names, help, &comes_before);
    }
}

/// What the daemons of every group run with under a ConfigMap, in the order of
/// [`Model::groups`]; `None` = something is wrong, which is reported.
fn daemons(loader: &mut Loader, model: &Model, world: World<'_>, document: &Document) -> Option<Vec<Resolved>> {
    let written: Vec<_> = world.written.node_pools.iter().flatten().collect();
    let of_pools: Vec<_> = written.iter().map(|pool| pools::document(loader, pool, Some(document))).collect();
    let daemon = |(key, zone): (GroupKey, &crate::model::PoolZone)| {
        let shape = &model.node_pools[key.pool].shapes[key.shape];
        let (instance_type, limits) = (shape.instance_type.as_str(), &shape.limits);
        let host = Host { instance_type, limits, zone: &zone.zone, vswitch: zone.node_vswitch };
        let exclusive = pools::exclusive(written[key.pool]);
        pools::daemon(loader, of_pools[key.pool].as_ref()?, &host, world.names, exclusive)
    };
    let daemons: Vec<_> = model.groups().map(daemon).collect();
    daemons.into_iter().collect()
}

/// Notes what an edit changes: each value once, with its pool and zone where it is not that of
/// the first group.
fn note_changes(
    loader: &mut Loader,
    model: &Model,
    index: usize,
    patch: &EniPatch,
    before: &[Resolved],
    after: &[Resolved],
) {
    let path = format!("{}.edit_eni_config", super::path(index));
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for ((key, zone), (before, after)) in model.groups().zip(before.iter().zip(after)) {
        let is_new = |setting: &&EniSetting| {
            !before.settings.iter().any(|old| (old.key, &old.value) == (setting.key, &setting.value))
        };
        for setting in after.settings.iter().filter(is_new) {
            if seen.contains(&(setting.key, &setting.value)) {
                continue;
            }
            let is_first = !seen.iter().any(|(key, _)| *key == setting.key);
            seen.push((setting.key, &setting.value));
            let group = format!("[{}, {}]", model.node_pools[key.pool].name, zone.zone);
            let path = format!("{path}{}.{}", if is_first { "" } else { &group }, setting.key);
            let origin = eni::origin(loader, setting.origin.clone());
            loader.settings.push(Setting { path, value: setting.value.clone(), origin });
        }
    }
    if seen.is_empty() {
        let problem = loader.problems.warning(patch.0.place, "this edit changes nothing on any node");
        problem.help("the values are those of before, or node pools have keys of their own, which stay on top");
    }
}

/// A node's CR keeps its mode (C122, `pkg/eni/node_reconcile.go:175-187`), and a daemon whose document has another one serves
/// nobody (`daemon/builder.go:492-500`), which is not simulated.
fn warn_of_mode(loader: &mut Loader, patch: &EniPatch, before: &[Resolved], after: &[Resolved]) {
    let takes_prefixes = |resolved: &Resolved| resolved.config.prefixes().is_some();
    if before.iter().zip(after).all(|(before, after)| takes_prefixes(before) == takes_prefixes(after)) {
        return;
    }
    let title = "`enable_ip_prefix` counts for new nodes only";
    let problem = loader.problems.warning(patch.0.place, title);
    problem.label("the nodes that are there keep their mode for life (C122)");
    problem.help("replace them (`replace_nodes`) before Terway restarts on them: it would serve no pod there, which is not simulated");
}

/// How many pods a node with exclusive interfaces takes stays what it is at the beginning.
fn warn_of_places(loader: &mut Loader, patch: &EniPatch, before: &[Resolved], after: &[Resolved]) {
    let differs = |(before, after): (&Resolved, &Resolved)| {
        matches!(after.config, Config::Exclusive(_)) && before.config.slots() != after.config.slots()
    };
    if before.iter().zip(after).any(differs) {
        let title = "nodes with exclusive interfaces go on to take as many pods as before";
        let problem = loader.problems.warning(patch.0.place, title);
        problem.label("an edit of their number is not simulated (R42, C144)").help("write it into `terway.eni_config`");
    }
}

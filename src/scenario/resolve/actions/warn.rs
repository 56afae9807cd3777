//! Actions that are allowed and likely not meant.

use std::collections::BTreeSet;

use super::deeds::{self, Kind};
use super::order::Order;
use crate::model::{Deed, Ipam, Model, Portion};
use crate::scenario::diagnostics::quoted_list;
use crate::scenario::loader::Loader;
use crate::scenario::schedule::most_nodes;
use crate::scenario::show;
use crate::scenario::written;
use crate::time::Instant;

/// Warns of actions that do not do what they seem to.
pub(in crate::scenario::resolve) fn warn(loader: &mut Loader, model: &Model, written: &[written::Action]) {
    let kinds: Vec<_> = written.iter().map(|written| deeds::the_one(loader, written)).collect();
    let order = Order::new(model.actions.iter().map(|action| action.trigger.clone()).collect(), &kinds);
    let serving = model.serving_vswitches();
    let zones: BTreeSet<&str> = model.groups().map(|(_, zone)| zone.zone.as_str()).collect();
    for (i, (action, written)) in model.actions.iter().zip(written).enumerate() {
        too_late(loader, model, order.earliest(i), written);
        match (&action.deed, &kinds[i]) {
            (Deed::AddVSwitch(id), Some(Kind::AddVSwitch(added))) if !serving.contains(id) => {
                let vswitch = &model.vpc.vswitches[id.index()].id;
                let title = format!("no pod ever gets an address of vSwitch `{vswitch}`");
                let place = added.0.id.as_ref().map_or(added.0.place, |id| id.place);
                let zone = &model.vpc.vswitches[id.index()].zone;
                let problem = loader.problems.warning(place, title);
                if zones.contains(zone.as_str()) {
                    problem.label("it is added, and no edit names it");
                    problem.help("let an `edit_eni_config` list it under its zone, and a `restart_terway` follow");
                } else {
                    problem.label(format!("no node pool has nodes in its zone, `{zone}`"));
                    problem.help(format!("there are nodes in {}", quoted_list(zones.iter().copied())));
                }
            }
            (Deed::EditEniConfig(_), Some(Kind::EditEniConfig(patch))) if !is_taken_up(model, &order, i) => {
                let title = "nothing takes this edit up on the nodes that are there";
                let problem = loader.problems.warning(patch.0.place, title);
                problem.label("only new nodes run with it");
                problem.help("let `restart_terway` or `replace_nodes` follow");
            }
            (Deed::RestartTerway(_), Some(Kind::RestartTerway(at))) if is_in_vain(model, &order, i) => {
                let problem = loader.problems.warning(at.place, "this restart comes before every edit of eni-config");
                problem.help("a daemon reads eni-config when it starts: let the restart come after the edit");
            }
            (Deed::LoseZone { zone, .. }, Some(Kind::LoseZone(lose))) if !zones.contains(zone.as_str()) => {
                let title = format!("no node pool has nodes in zone `{zone}`, so that losing it changes nothing");
                let place = lose.zone.as_ref().map_or(lose.place, |zone| zone.place);
                let known = quoted_list(zones.iter().copied());
                loader.problems.warning(place, title).help(format!("there are nodes in {known}"));
            }
            (&Deed::Drain { pool, nodes: Portion::Count(n) }, Some(Kind::Drain(drain))) => {
                let pool = &model.node_pools[pool];
                let most = most_nodes(model, pool);
                if let Some(at) = drain.nodes.as_ref().filter(|_| u64::from(n) > most) {
                    let title = format!("`{}` never has so many nodes", pool.name);
                    let problem = loader.problems.warning(at.place, title);
                    problem.label(format!("at most {}", show::count(most, "node", "nodes")));
                    problem.help("those that are there are drained; `100 %` says all of them");
                }
            }
            _ => {}
        }
    }
}

fn too_late(loader: &mut Loader, model: &Model, earliest: Instant, written: &written::Action) {
    if earliest >= Instant::ZERO + model.horizon {
        let at = written.at.as_ref().map(|at| at.place).or(written.after.as_ref().map(|after| after.place));
        let problem = loader.problems.warning(at.unwrap_or(written.place), "this action comes after the end");
        problem.help(format!("the run ends after {}, the `horizon`", model.horizon.in_full()));
    }
}

/// Whether some restart or replacement may come after an edit.
fn is_taken_up(model: &Model, order: &Order, edit: usize) -> bool {
    if matches!(model.ipam, Ipam::Centralized(_)) {
        // Daemons take it up with the next change of their CR.
        return true;
    }
    let takes_up = |deed: &Deed| matches!(deed, Deed::RestartTerway(_) | Deed::ReplaceNodes { .. });
    let mut actions = model.actions.iter().enumerate();
    actions.any(|(i, action)| takes_up(&action.deed) && !order.is_sure(edit, i))
}

/// Whether there are edits, and all of them come after a restart.
fn is_in_vain(model: &Model, order: &Order, restart: usize) -> bool {
    let edits = model.actions.iter().enumerate().filter(|(_, action)| matches!(action.deed, Deed::EditEniConfig(_)));
    let mut edits = edits.map(|(i, _)| i).peekable();
    edits.peek().is_some() && edits.all(|edit| order.is_sure(edit, restart))
}

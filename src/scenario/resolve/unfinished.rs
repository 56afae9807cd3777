//! What is read by names alone is looked at too where the model cannot be: the triggers of actions,
//! and what is measured and claimed.

use super::{actions, sweep};
use crate::id::VSwitchId;
use crate::ipam::pod_eni::{self, Policy, Retention};
use crate::model::{Model, PodNetworking, VSwitch};
use crate::scenario::expression::{read_claim, read_reading};
use crate::scenario::loader::Loader;
use crate::scenario::written::{AddedVSwitch, Replications, Scenario};

/// Reports what is wrong with the expressions of a scenario that cannot be simulated.
pub(super) fn check(loader: &mut Loader, written: &Scenario) {
    let Some(model) = stand_in(written) else { return };
    actions::check(loader, &model, written);
    if let Some(Replications::Until(until)) = &written.replications
        && let Some(measure) = until.until.as_ref().and_then(|until| until.measure.as_ref())
    {
        read_reading(measure, &model, &mut loader.problems);
    }
    for text in written.policy.iter().flatten() {
        read_claim(text, &model, &mut loader.problems);
    }
    if let Some(section) = &written.sweep {
        sweep::resolve(loader, section, &model);
    }
}

/// The built-in scenario with the names of another, in which everything can be read that any
/// scenario has; `None` = a name is missing, which is reported.
fn stand_in(written: &Scenario) -> Option<Model> {
    let mut model = crate::scenario::demo().ok()?.model;
    model.horizon = written.horizon.as_ref().map_or(super::LONGEST, |at| at.value.0);
    let any = model.vpc.vswitches[0].clone();
    let added = written.actions.iter().flatten().filter_map(|action| action.add_vswitch.as_ref());
    let all = written.vpc.as_ref()?.vswitches.as_ref()?.iter().chain(added.map(|AddedVSwitch(vswitch)| vswitch));
    let named = all.map(|vswitch| {
        let cidr = vswitch.cidr.as_ref().map_or(any.cidr, |at| at.value.0);
        let id = vswitch.id.as_ref()?.value.clone();
        Some(VSwitch { id, cidr, prefix_reservations: vec![cidr], ..any.clone() })
    });
    model.vpc.vswitches = named.collect::<Option<_>>()?;
    let pool = model.node_pools[0].clone();
    let pools = written.node_pools.as_ref()?.iter();
    let named = pools.map(|of| Some(crate::model::NodePool { name: of.name.as_ref()?.value.clone(), ..pool.clone() }));
    model.node_pools = named.collect::<Option<_>>()?;
    model.pod_networkings = vec![PodNetworking {
        name: String::new(),
        kind: pod_eni::Kind::Member,
        vswitches: (0..model.vpc.vswitches.len()).map(VSwitchId::new).collect(),
        policy: Policy::default(),
        fixed: Some(Retention::Forever),
    }];
    Some(model)
}

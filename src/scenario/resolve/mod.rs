//! From what was written to the model: references are followed, defaults filled in, and
//! everything that cannot be is reported.

mod actions;
mod cloud;
mod control;
mod classic;
mod controlplane;
mod eni;
mod faults;
mod idle;
mod nodes;
mod placement;
mod pod_networking;
mod pools;
mod replications;
mod reservations;
mod reserved;
mod sweep;
mod tenants;
mod types;
mod unfinished;
mod vpc;
mod warn;
mod workloads;

pub use sweep::SweepSection;

use super::defaults;
use super::diagnostics::Place;
use super::expression::read_claim;
use super::loader::Loader;
use super::quantity::{Count, Duration};
use super::read::At;
use super::schedule::About;
use super::written::Scenario;
use crate::model::Model;
use crate::time::Span;

/// Most pods, nodes or addresses that a schedule may reach: what the world's books hold.
const MOST: u64 = 1 << 24;

/// Longest horizon: ten years.
const LONGEST: Span = Span::days(3653);

/// Most rows of the timeline.
const MOST_SAMPLES: u64 = 100_000;

/// The model of a scenario whose file is called `file_name`; `None` = it cannot be, which is
/// reported.
pub(super) fn resolve(loader: &mut Loader, written: &Scenario, file_name: &str, question: String) -> Option<Model> {
    let (written, paths) = &placement::placed(loader, written);
    let model = model(loader, written, paths, file_name, question);
    if model.is_none() {
        unfinished::check(loader, written);
    }
    model
}

/// The model of a scenario, whose vSwitches stand at `paths`.
fn model(
    loader: &mut Loader,
    written: &Scenario,
    paths: &[String],
    file_name: &str,
    question: String,
) -> Option<Model> {
    let name = name(loader, written.name.as_ref(), file_name);
    let horizon = horizon(loader, written.horizon.as_ref());
    let start = written.start.as_ref().map(|start| {
        loader.written("start", start.value.0.to_string(), start.place);
        start.value.0
    });
    let warm_up = warm_up(loader, written.warm_up.as_ref(), horizon);
    let seed = written.seed.as_ref().map(|at| (at.value.0, at.place));
    let seed = loader.or_default("seed", seed, defaults::SEED, u64::to_string);
    let replications = replications::replications(loader, written.replications.as_ref());
    let actions = written.actions.as_deref().unwrap_or_default();
    let vpc = written.vpc.as_ref().map(|vpc| vpc::resolve(loader, vpc, paths, actions, horizon));
    let base = written.terway.as_ref().and_then(|terway| {
        let document = eni::document(loader, terway.eni_config.as_ref()?);
        Some(document.map(|document| controlplane::base(loader, terway, document)))
    });
    let document = base.as_ref().and_then(Option::as_ref);
    let networkings = written.terway.as_ref().and_then(|terway| terway.pod_networkings.as_deref()).unwrap_or_default();
    let has_own_enis =
        !networkings.is_empty() || written.node_pools.iter().flatten().any(|pool| pools::exclusive(pool).is_some());
    let controllers = document
        .and_then(|document| controlplane::controllers(loader, written.terway.as_ref(), document, has_own_enis));
    let pod_networkings = {
        let (names, document) = (vpc.as_ref().map(|(names, _)| names), base.as_ref().and_then(Option::as_ref));
        pod_networking::resolve(loader, networkings, names, document)
    };
    let table = written.instance_types.as_ref().map(|types| types::table(loader, types));
    let pools = written.node_pools.as_ref().map(|pools| {
        let world = pools::World {
            names: vpc.as_ref().map(|(names, _)| names),
            base: base.as_ref().and_then(Option::as_ref),
            types: table.as_ref(),
            horizon,
        };
        pools::resolve(loader, pools, &world)
    });
    let workloads = {
        let pools = written.node_pools.as_deref().unwrap_or_default();
        let world = workloads::World { pools, networkings, horizon, start };
        workloads::resolve(loader, written.workloads.as_deref().unwrap_or_default(), world)
    };
    let cloud = cloud::cloud(loader, written.cloud.as_ref(), horizon);
    let control_plane = control::control_plane(loader, written);
    let kubelet = control::kubelet(loader, written.kubelet.as_ref());
    let outages = written.zone_outages.as_deref().unwrap_or_default();
    let outages = vpc.as_ref().and_then(|(names, _)| control::zone_outages(loader, outages, names));
    let outputs = outputs(loader, written);
    let (names, vpc) = vpc?;
    let controllers = controllers?;
    let mut model = Model {
        name,
        question,
        horizon: horizon?,
        warm_up,
        start,
        seed,
        replications,
        precision: None,
        vpc: vpc?,
        ipam: controllers.ipam,
        own_enis: controllers.own_enis,
        pod_networkings: pod_networkings?,
        node_pools: pools??,
        workloads: workloads?,
        cloud: cloud?,
        zone_outages: outages?,
        actions: Vec::new(),
        policy: Vec::new(),
        late_waits: Vec::new(),
        kubelet: kubelet?,
        control_plane: control_plane?,
        outputs,
    };
    let world = actions::World { names: &names, base: &base??, written };
    actions::resolve(loader, &mut model, world);
    replications::precision(loader, &mut model, written.replications.as_ref());
    policy(loader, &mut model, written.policy.as_deref().unwrap_or_default());
    loader.sweep = written.sweep.as_ref().map(|section| sweep::resolve(loader, section, &model));
    workloads::check_total(loader, &model, written.workloads.as_deref().unwrap_or_default());
    cloud::check_lag(loader, &model, written.cloud.as_ref());
    controlplane::check_erdma(loader, &model, written.workloads.as_deref().unwrap_or_default());
    pod_networking::check(loader, &model, written.workloads.as_deref().unwrap_or_default());
    types::check_requests(loader, &model, written.node_pools.as_deref().unwrap_or_default());
    if !loader.problems.has_errors() {
        warn::warn(loader, &model, written);
        idle::warn(loader, &model, written);
    }
    Some(model)
}

/// What must hold.
fn policy(loader: &mut Loader, model: &mut Model, written: &[At<String>]) {
    for (i, text) in written.iter().enumerate() {
        if let Some(claim) = read_claim(text, model, &mut loader.problems) {
            loader.written(format!("policy[{i}]"), claim.text.clone(), text.place);
            model.observe(&claim.statement.reading);
            model.policy.push(claim);
        }
    }
}

/// A span of at least `shortest`; reports a shorter one.
fn at_least(loader: &mut Loader, written: &At<Duration>, shortest: Span) -> Option<Span> {
    if written.value.0 < shortest {
        let title = format!("this is shorter than {shortest}, the shortest that is simulated");
        loader.problems.error(written.place, title);
        return None;
    }
    Some(written.value.0)
}

/// What schedules of `what` must keep to.
fn about(horizon: Option<Span>, what: &'static str) -> About {
    About { horizon, most: MOST, what }
}

fn name(loader: &mut Loader, written: Option<&At<String>>, file_name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let Some(written) = written else {
        let name: String = file_name.chars().map(|c| if fits(c) { c } else { '-' }).collect();
        loader.default("name", name.clone(), "the name of the file");
        return name;
    };
    let name = &written.value;
    if !name.chars().all(fits) || name.starts_with('.') {
        let problem = loader.problems.error(written.place, "this is no name for a folder of results");
        problem.help("use letters, digits, `-`, `_` and `.`, and do not begin with `.`");
    }
    loader.written("name", name.clone(), written.place);
    name.clone()
}

fn horizon(loader: &mut Loader, written: Option<&At<Duration>>) -> Option<Span> {
    let At { value: Duration(horizon), place } = *written?;
    if horizon == Span::ZERO {
        loader.problems.error(place, "the horizon must be longer than nothing");
        return None;
    }
    if horizon > LONGEST {
        loader.problems.error(place, "the horizon is longer than ten years, the most that is simulated");
        return None;
    }
    loader.written("horizon", horizon.in_full(), place);
    Some(horizon)
}

fn warm_up(loader: &mut Loader, written: Option<&At<Duration>>, horizon: Option<Span>) -> Span {
    if let (Some(warm_up), Some(horizon)) = (written, horizon)
        && warm_up.value.0 >= horizon
    {
        let problem = loader.problems.error(warm_up.place, "the warm-up leaves no time that counts");
        problem.help(format!("it must be shorter than the horizon, {horizon}"));
    }
    let written = written.map(|at| (at.value.0, at.place));
    loader.or_default("warm_up", written, defaults::WARM_UP, |span| {
        if *span == Span::ZERO { "none".to_owned() } else { span.in_full() }
    })
}

/// A number from 1 to `most`.
fn within(loader: &mut Loader, path: &str, written: Option<&At<Count>>, most: u64) -> Option<(u32, Place)> {
    let At { value: Count(n), place } = *written?;
    if !(1..=most).contains(&n) {
        let range = format!("`{path}` is a number from 1 to {}", crate::units::thousands(most));
        loader.problems.error(place, range);
        return None;
    }
    Some((n as u32, place))
}

fn outputs(loader: &mut Loader, written: &Scenario) -> crate::model::Outputs {
    let horizon = written.horizon.as_ref().map_or(LONGEST, |at| at.value.0);
    let written = written.outputs.as_ref();
    let samples = within(loader, "outputs.samples", written.and_then(|o| o.samples.as_ref()), MOST_SAMPLES);
    let samples = loader.or_default("outputs.samples", samples, defaults::samples(horizon), u32::to_string);
    let mut table = |path: &str, at: Option<&At<bool>>| {
        loader.or_default(path, at.map(|at| (at.value, at.place)), defaults::TABLES, bool::to_string)
    };
    let pods = table("outputs.pods", written.and_then(|o| o.pods.as_ref()));
    let events = table("outputs.events", written.and_then(|o| o.events.as_ref()));
    let wanted = written.and_then(|o| o.parquet.as_ref());
    let parquet = table("outputs.parquet", wanted);
    if let Some(at) = wanted.filter(|at| at.value && !cfg!(feature = "parquet")) {
        loader.problems.error(at.place, "this brimline was built without the feature `parquet`".to_owned());
    }
    crate::model::Outputs { samples, pods, events, parquet }
}

/// Reports names that stand twice in a list; `what` such as `vSwitch`.
fn report_duplicates<'n>(loader: &mut Loader, what: &str, names: impl IntoIterator<Item = Option<&'n At<String>>>) {
    let mut seen: Vec<&At<String>> = Vec::new();
    for name in names.into_iter().flatten() {
        match seen.iter().find(|other| other.value == name.value) {
            Some(first) => {
                let problem =
                    loader.problems.error(name.place, format!("there are two {what} called `{}`", name.value));
                problem.context(first.place, "the first");
            }
            None => seen.push(name),
        }
    }
}

/// Reports a name that is not known, with the nearest that is.
fn report_unknown(loader: &mut Loader, what: &str, name: &str, place: Place, known: &[&str]) {
    let problem = loader.problems.error(place, format!("there is no {what} `{name}`"));
    match crate::ipam::note::nearest(name, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("known: {}", super::diagnostics::quoted_list(known.iter().copied()))),
    };
}

//! What looks after nodes and pods: scheduler, autoscaler, node controller, kubelet; and the
//! outages of zones.

use super::cloud::{default_distribution, written_distribution};
use super::vpc::Names;
use super::{at_least, report_unknown};
use crate::model::{Autoscaler, ControlPlane, Kubelet, ScaleDown, ZoneOutage};
use crate::scenario::defaults::{self, Default};
use crate::scenario::loader::Loader;
use crate::scenario::quantity::Duration;
use crate::scenario::read::At;
use crate::scenario::show;
use crate::scenario::words::Word;
use crate::scenario::written::{self, Nodes, Scenario};
use crate::time::{Instant, Span};

/// Shortest typical pause between two tries of a pod; without one, time would stand still.
const SHORTEST_RETRY: Span = Span::secs(1);

/// Shortest time between two looks of the autoscaler.
const SHORTEST_SCAN: Span = Span::secs(1);

/// The control plane; `None` = something is wrong with it, which is reported. What cannot matter
/// is not noted.
pub(super) fn control_plane(loader: &mut Loader, written: &Scenario) -> Option<ControlPlane> {
    let pools = || written.node_pools.iter().flatten();
    let scoring = written.scheduler.as_ref().and_then(|scheduler| scheduler.scoring.as_ref());
    let scoring = scoring.map(|at| (at.value, at.place));
    let scoring =
        loader.or_default("scheduler.scoring", scoring, defaults::SCORING, |scoring| scoring.word().to_owned());
    let is_autoscaled =
        |pool: &written::NodePool| pool.nodes.as_ref().is_some_and(|at| matches!(at.value, Nodes::Autoscaled(_)));
    let autoscaler = autoscaler(loader, written.autoscaler.as_ref(), pools().any(is_autoscaled));
    let loses_zone = written.actions.iter().flatten().any(|action| action.lose_zone.is_some());
    let nodes_fail = pools().any(|pool| pool.crashes.is_some()) || written.zone_outages.is_some() || loses_zone;
    let (node_monitor_grace, eviction_after) = failures(loader, written.control_plane.as_ref(), nodes_fail);
    Some(ControlPlane { scoring, autoscaler: autoscaler?, node_monitor_grace, eviction_after })
}

/// The kubelet; `None` = something is wrong with it, which is reported.
pub(super) fn kubelet(loader: &mut Loader, written: Option<&written::Kubelet>) -> Option<Kubelet> {
    let mut distribution = |key: &str, written: Option<&At<written::Distribution>>, default, shortest| {
        let path = format!("kubelet.{key}");
        match written {
            Some(at) => written_distribution(loader, &path, at, shortest),
            None => Some(default_distribution(loader, &path, default)),
        }
    };
    let retry = written.and_then(|kubelet| kubelet.sandbox_retry.as_ref());
    let sandbox_retry = distribution("sandbox_retry", retry, defaults::sandbox_retry(), SHORTEST_RETRY);
    let teardown = written.and_then(|kubelet| kubelet.teardown.as_ref());
    let teardown = distribution("teardown", teardown, defaults::teardown(), Span::ZERO);
    Some(Kubelet { sandbox_retry: sandbox_retry?, teardown: teardown? })
}

/// The outages of zones in order of time; `None` = something is wrong with them, which is reported.
pub(super) fn zone_outages(
    loader: &mut Loader,
    written: &[written::ZoneOutage],
    names: &Names<'_>,
) -> Option<Vec<ZoneOutage>> {
    let all: Vec<_> = written.iter().enumerate().map(|(i, w)| zone_outage(loader, i, w, names)).collect();
    let mut outages: Vec<_> = all.into_iter().collect::<Option<_>>()?;
    outages.sort_by_key(|(outage, _)| outage.at);
    let mut right = true;
    for (i, (later, at)) in outages.iter().enumerate() {
        let before = outages[..i].iter().find(|(o, _)| o.zone == later.zone && o.at + o.lasts >= later.at);
        if let Some((_, first)) = before {
            let title = format!("zone `{}` fails while it has failed already", later.zone);
            loader.problems.error(at.place, title).context(first.place, "this outage is not over");
            right = false;
        }
    }
    right.then(|| outages.into_iter().map(|(outage, _)| outage).collect())
}

fn zone_outage<'w>(
    loader: &mut Loader,
    index: usize,
    written: &'w written::ZoneOutage,
    names: &Names<'_>,
) -> Option<(ZoneOutage, &'w At<Duration>)> {
    let path = |key: &str| format!("zone_outages[{index}].{key}");
    let (zone, at, lasts) = (written.zone.as_ref(), written.at.as_ref(), written.lasts.as_ref());
    let known = names.zones();
    if let Some(zone) = zone {
        loader.written(path("zone"), zone.value.clone(), zone.place);
        if !known.contains(&zone.value.as_str()) {
            report_unknown(loader, "vSwitch in zone", &zone.value, zone.place, &known);
            return None;
        }
    }
    for (key, span) in [("at", at), ("lasts", lasts)] {
        if let Some(span) = span {
            loader.written(path(key), span.value.0.in_full(), span.place);
        }
    }
    let (zone, at, lasts) = (zone?, at?, lasts?);
    let lasts = at_least(loader, lasts, Span::secs(1))?;
    Some((ZoneOutage { zone: zone.value.clone(), at: Instant::ZERO + at.value.0, lasts }, at))
}

fn autoscaler(loader: &mut Loader, written: Option<&written::Autoscaler>, matters: bool) -> Option<Autoscaler> {
    if !matters && written.is_none() {
        return Some(ControlPlane::default().autoscaler);
    }
    if let Some(written) = written.filter(|_| !matters) {
        let problem = loader.problems.warning(written.place, "no node pool is left to the autoscaler");
        problem.help("write `nodes: {autoscale: {min: …, max: …}}` in a node pool");
    }
    let scan = written.and_then(|autoscaler| autoscaler.scan_interval.as_ref());
    let right = scan.is_none_or(|at| at_least(loader, at, SHORTEST_SCAN).is_some());
    let scan_interval = span(loader, "autoscaler.scan_interval", scan, defaults::SCAN_INTERVAL);
    let expander = written.and_then(|autoscaler| autoscaler.expander.as_ref()).map(|at| (at.value, at.place));
    let expander =
        loader.or_default("autoscaler.expander", expander, defaults::EXPANDER, |expander| expander.word().to_owned());
    let scale_down = scale_down(loader, written.and_then(|autoscaler| autoscaler.scale_down.as_ref()))?;
    right.then_some(Autoscaler { scan_interval, expander, scale_down })
}

fn scale_down(loader: &mut Loader, written: Option<&At<written::ScaleDown>>) -> Option<Option<ScaleDown>> {
    let path = "autoscaler.scale_down";
    let keys = match written {
        Some(At { value: written::ScaleDown::Off, place }) => {
            loader.written(path, "off", *place);
            return Some(None);
        }
        Some(At { value: written::ScaleDown::On(keys), .. }) => Some(keys),
        None => None,
    };
    let threshold = keys.and_then(|keys| keys.utilization_threshold.as_ref());
    let right = threshold.is_none_or(|at| (0.0..=1.0).contains(&at.value.0));
    if let Some(at) = threshold.filter(|_| !right) {
        loader.problems.error(at.place, "a node's resources cannot be requested by more than 100 %");
    }
    let threshold = threshold.map(|at| (at.value.0, at.place));
    let key = format!("{path}.utilization_threshold");
    let show = |share: &f64| show::percent(*share);
    let utilization_threshold = loader.or_default(&key, threshold, defaults::UTILIZATION_THRESHOLD, show);
    let mut delay =
        |key: &str, at: Option<&At<Duration>>| span(loader, &format!("{path}.{key}"), at, defaults::SCALE_DOWN_DELAY);
    let unneeded_time = delay("unneeded_time", keys.and_then(|keys| keys.unneeded_time.as_ref()));
    let delay_after_add = delay("delay_after_add", keys.and_then(|keys| keys.delay_after_add.as_ref()));
    right.then_some(Some(ScaleDown { utilization_threshold, unneeded_time, delay_after_add }))
}

/// From the last sign of a node until it is not ready, and from then until its pods are evicted.
fn failures(loader: &mut Loader, written: Option<&written::ControlPlane>, matters: bool) -> (Span, Span) {
    if !matters && written.is_none() {
        return (defaults::NODE_MONITOR_GRACE.value, defaults::EVICTION_AFTER.value);
    }
    if let Some(control) = written.filter(|_| !matters) {
        let problem = loader.problems.warning(control.place, "no node fails, so that this changes nothing");
        problem.help("nodes fail by `crashes` of their pool, `zone_outages` and the action `lose_zone`");
    }
    let grace = written.and_then(|control| control.node_monitor_grace.as_ref());
    let grace = span(loader, "control_plane.node_monitor_grace", grace, defaults::NODE_MONITOR_GRACE);
    let eviction = written.and_then(|control| control.eviction_after.as_ref());
    (grace, span(loader, "control_plane.eviction_after", eviction, defaults::EVICTION_AFTER))
}

fn span(loader: &mut Loader, path: &str, written: Option<&At<Duration>>, default: Default<Span>) -> Span {
    loader.or_default(path, written.map(|at| (at.value.0, at.place)), default, Span::in_full)
}

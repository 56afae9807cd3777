//! The HorizontalPodAutoscaler, and the load that it follows.

use crate::model::{Hpa, Load};
use crate::scenario::defaults::{self, Default};
use crate::scenario::loader::Loader;
use crate::scenario::quantity::{Duration, Percent};
use crate::scenario::read::At;
use crate::scenario::resolve::{MOST, about, within};
use crate::scenario::schedule::schedule;
use crate::scenario::show;
use crate::scenario::written;
use crate::time::Span;
use crate::units::percent;

/// Shortest time between two looks.
const SHORTEST_PERIOD: Span = Span::secs(1);

/// An HPA; `None` = something is wrong with it, which is reported.
pub(super) fn hpa(loader: &mut Loader, path: &str, written: &written::Hpa, horizon: Option<Span>) -> Option<Hpa> {
    let key = |key: &str| format!("{path}.{key}");
    let min = within(loader, &key("min"), written.min.as_ref(), MOST);
    let min = loader.or_default(&key("min"), min, defaults::HPA_MIN, u32::to_string);
    let max = within(loader, &key("max"), written.max.as_ref(), MOST).map(|(max, place)| {
        loader.written(key("max"), max.to_string(), place);
        max
    });
    let target = share(loader, &key("target"), written.target.as_ref(), defaults::HPA_TARGET);
    let sync_period = span(loader, &key("sync_period"), written.sync_period.as_ref(), defaults::HPA_SYNC_PERIOD);
    let tolerance = share(loader, &key("tolerance"), written.tolerance.as_ref(), defaults::HPA_TOLERANCE);
    let window = written.stabilization_down.as_ref();
    let stabilization_down = span(loader, &key("stabilization_down"), window, defaults::HPA_STABILIZATION_DOWN);
    let load = written.load.as_ref().and_then(|written| load(loader, &key("load"), written, horizon));
    let below = format!("`max` is below `min`, {min}");
    let short = format!("this is shorter than {SHORTEST_PERIOD}, the shortest that is simulated");
    let right = holds(loader, max.is_none_or(|max| max >= min), written.max.as_ref(), &below)
        & holds(loader, target > 0.0, written.target.as_ref(), "a target must be more than 0 %")
        & holds(loader, sync_period >= SHORTEST_PERIOD, written.sync_period.as_ref(), &short);
    if let Some(at) = written.target.as_ref().filter(|_| right && target * (1.0 + tolerance) >= 1.0) {
        let problem = loader.problems.warning(at.place, "this HPA never adds pods");
        let least = percent(1.0 + tolerance);
        problem.label(format!("it takes more than {least} of that, and a pod shows 100 % at most"));
        problem.help("utilisation is of the request, and pods have no more than that here: take a lower target");
    }
    right.then_some(Hpa { min, max: max?, target, load: load?, sync_period, tolerance, stabilization_down })
}

fn load(loader: &mut Loader, path: &str, written: &written::Load, horizon: Option<Span>) -> Option<Load> {
    let key = |key: &str| format!("{path}.{key}");
    let base = written.base.as_ref().and_then(|at| {
        let base = schedule(loader, at, about(horizon, "pods"))?;
        loader.written(key("base"), show::schedule(&base, "busy pods"), at.place);
        Some(base)
    });
    let daily = share(loader, &key("daily"), written.daily.as_ref(), defaults::LOAD_FLAT);
    let peak = span(loader, &key("peak"), written.peak.as_ref(), defaults::LOAD_PEAK);
    let weekend = share(loader, &key("weekend"), written.weekend.as_ref(), defaults::LOAD_WEEKEND);
    let noise = share(loader, &key("noise"), written.noise.as_ref(), defaults::LOAD_FLAT);
    let negative = "a daily wave of more than 100 % makes the load negative at night";
    let right = holds(loader, daily <= 1.0, written.daily.as_ref(), negative)
        & holds(loader, peak < Span::days(1), written.peak.as_ref(), "a time of day is less than `24h`");
    right.then_some(Load { base: base?, daily, peak, weekend, noise })
}

/// Whether something holds that was written; reports if not. Defaults hold.
fn holds<T>(loader: &mut Loader, condition: bool, written: Option<&At<T>>, title: &str) -> bool {
    if let Some(at) = written.filter(|_| !condition) {
        loader.problems.error(at.place, title);
    }
    condition
}

fn share(loader: &mut Loader, path: &str, written: Option<&At<Percent>>, default: Default<f64>) -> f64 {
    let written = written.map(|at| (at.value.0, at.place));
    loader.or_default(path, written, default, |&share| show::percent(share))
}

fn span(loader: &mut Loader, path: &str, written: Option<&At<Duration>>, default: Default<Span>) -> Span {
    let written = written.map(|at| (at.value.0, at.place));
    loader.or_default(path, written, default, Span::in_full)
}

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

/// Shortest time between two looks.
const SHORTEST_PERIOD: Span = Span::secs(1);

/// An HPA; `None` = something is wrong with it, which is reported.
pub(super) fn hpa(loader: &mut Loader, path: &str, written: &written::Hpa, horizon: Option<Span>) -> Option<Hpa> {
    let key = |key: &str| format!("{path}.{key}");
    let min = within(loader, &key("min"), written.min.as_ref(), MOST);
    let min = loader.or_default(&key("min"), min, defaults::HPA_MIN, u32::to_string);
    let max = within(loader, &key("max"), written.max.as_ref(), MOST);
    if let Some((max, place)) = max {
        loader.written(key("max"), max.to_string(), place);
        if max < min {
            loader.problems.error(place, format!("`max` is below `min`, {min}"));
            return None;
        }
    }
    let target = share(loader, &key("target"), written.target.as_ref(), defaults::HPA_TARGET);
    if let Some(at) = written.target.as_ref().filter(|_| target <= 0.0) {
        loader.problems.error(at.place, "a target must be more than 0 %");
        return None;
    }
    let sync_period = span(loader, &key("sync_period"), written.sync_period.as_ref(), defaults::HPA_SYNC_PERIOD);
    if let Some(at) = written.sync_period.as_ref().filter(|_| sync_period < SHORTEST_PERIOD) {
        let title = format!("this is shorter than {SHORTEST_PERIOD}, the shortest that is simulated");
        loader.problems.error(at.place, title);
        return None;
    }
    let tolerance = share(loader, &key("tolerance"), written.tolerance.as_ref(), defaults::HPA_TOLERANCE);
    let window = written.stabilization_down.as_ref();
    let stabilization_down = span(loader, &key("stabilization_down"), window, defaults::HPA_STABILIZATION_DOWN);
    let load = load(loader, &key("load"), written.load.as_ref()?, horizon);
    Some(Hpa { min, max: max?.0, target, load: load?, sync_period, tolerance, stabilization_down })
}

fn load(loader: &mut Loader, path: &str, written: &written::Load, horizon: Option<Span>) -> Option<Load> {
    let key = |key: &str| format!("{path}.{key}");
    let base = written.base.as_ref()?;
    let meant = schedule(loader, base, about(horizon, "pods"))?;
    loader.written(key("base"), show::schedule(&meant, "busy pods"), base.place);
    let daily = share(loader, &key("daily"), written.daily.as_ref(), defaults::LOAD_FLAT);
    if let Some(at) = written.daily.as_ref().filter(|_| daily > 1.0) {
        let problem = loader.problems.error(at.place, "a daily wave is at most 100 % high");
        problem.label("with more, the load would be negative at night");
        return None;
    }
    let peak = span(loader, &key("peak"), written.peak.as_ref(), defaults::LOAD_PEAK);
    if let Some(at) = written.peak.as_ref().filter(|_| peak >= Span::days(1)) {
        loader.problems.error(at.place, "a time of day is less than `24h`");
        return None;
    }
    let weekend = share(loader, &key("weekend"), written.weekend.as_ref(), defaults::LOAD_WEEKEND);
    let noise = share(loader, &key("noise"), written.noise.as_ref(), defaults::LOAD_FLAT);
    Some(Load { base: meant, daily, peak, weekend, noise })
}

fn share(loader: &mut Loader, path: &str, written: Option<&At<Percent>>, default: Default<f64>) -> f64 {
    let written = written.map(|at| (at.value.0, at.place));
    loader.or_default(path, written, default, |&share| show::percent(share))
}

fn span(loader: &mut Loader, path: &str, written: Option<&At<Duration>>, default: Default<Span>) -> Span {
    let written = written.map(|at| (at.value.0, at.place));
    loader.or_default(path, written, default, Span::to_string)
}

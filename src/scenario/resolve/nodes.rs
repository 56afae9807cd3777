//! How many nodes a pool has, and what happens to them.

use super::cloud::{default_distribution, written_distribution};
use super::{MOST, about, at_least};
use crate::chance::SpanDist;
use crate::model::{AfterCrash, Crashes, Interruptions, PoolSize, Portion, Replacement};
use crate::scenario::defaults;
use crate::scenario::diagnostics::Place;
use crate::scenario::loader::Loader;
use crate::scenario::quantity::{Count, Duration, Portion as WrittenPortion};
use crate::scenario::read::At;
use crate::scenario::schedule::schedule;
use crate::scenario::show;
use crate::scenario::times::{self, times};
use crate::scenario::written::{self, Nodes};
use crate::time::Span;
use crate::units::thousands;

/// Shortest mean time between interruptions or crashes of a node.
const SHORTEST_MEAN: Span = Span::mins(1);

/// What happens to the nodes of a pool.
pub(super) struct Life {
    pub provisioning: SpanDist,
    pub replacement: Option<Replacement>,
    pub interruptions: Option<Interruptions>,
    pub crashes: Option<Crashes>,
}

/// How many nodes there are; `None` = that is wrong, which is reported.
pub(super) fn size(loader: &mut Loader, path: &str, written: &Nodes, horizon: Option<Span>) -> Option<PoolSize> {
    match written {
        Nodes::Scheduled(at) => {
            let nodes = schedule(loader, at, about(horizon, "nodes"))?;
            loader.written(path, show::schedule(&nodes, "nodes"), at.place);
            Some(PoolSize::Scheduled(nodes))
        }
        Nodes::Autoscaled(bounds) => autoscaled(loader, &format!("{path}.autoscale"), bounds),
    }
}

/// What happens to the nodes of the pool at `path`; `None` = that is wrong, which is reported.
pub(super) fn life(loader: &mut Loader, path: &str, written: &written::NodePool) -> Option<Life> {
    let key = format!("{path}.provisioning");
    let provisioning = match &written.provisioning {
        Some(at) => written_distribution(loader, &key, at, Span::ZERO),
        None => Some(default_distribution(loader, &key, defaults::provisioning())),
    };
    let replacement = written.replace.as_ref().map(|replace| replacement(loader, &format!("{path}.replace"), replace));
    let interruptions =
        written.interruptions.as_ref().map(|w| interruptions(loader, &format!("{path}.interruptions"), w));
    let crashes = written.crashes.as_ref().map(|crashes| self::crashes(loader, &format!("{path}.crashes"), crashes));
    // What was written must be right.
    let (replacement, interruptions, crashes) = (flat(replacement), flat(interruptions), flat(crashes));
    Some(Life {
        provisioning: provisioning?,
        replacement: replacement?,
        interruptions: interruptions?,
        crashes: crashes?,
    })
}

/// What may not be there, but is right if it is.
fn flat<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        None => Some(None),
        Some(meant) => meant.map(Some),
    }
}

fn autoscaled(loader: &mut Loader, path: &str, written: &written::Autoscale) -> Option<PoolSize> {
    let mut bound = |key: &str, at: &At<Count>| {
        loader.written(format!("{path}.{key}"), show::count(at.value.0, "node", "nodes"), at.place);
        if at.value.0 > MOST {
            let title = format!("more than {} nodes are not simulated", thousands(MOST));
            loader.problems.error(at.place, title);
            return None;
        }
        u32::try_from(at.value.0).ok()
    };
    let (min_at, max_at) = (written.min.as_ref()?, written.max.as_ref()?);
    let (min, max) = (bound("min", min_at), bound("max", max_at));
    let initial = written.initial.as_ref().map(|at| (bound("initial", at), at.place));
    let (min, max) = (min?, max?);
    if min > max || max == 0 {
        let title = if max == 0 { "the most nodes are none" } else { "the most nodes are fewer than the fewest" };
        loader.problems.error(max_at.place, title).context(min_at.place, "the fewest");
        return None;
    }
    let initial = match initial {
        None => {
            let shown = show::count(min.into(), "node", "nodes");
            loader.default(format!("{path}.initial"), shown, "the fewest nodes of the pool");
            min
        }
        Some((initial, place)) => {
            let initial = initial?;
            if !(min..=max).contains(&initial) {
                let problem = loader.problems.error(place, "the nodes at the start lie outside the bounds");
                problem.context(min_at.place, "the fewest").context(max_at.place, "the most");
                return None;
            }
            initial
        }
    };
    Some(PoolSize::Autoscaled { initial, min, max })
}

fn replacement(loader: &mut Loader, path: &str, written: &written::Replacement) -> Option<Replacement> {
    let at = times::Written {
        at: written.at.as_ref(),
        first: written.first.as_ref(),
        every: written.every.as_ref(),
        place: written.place,
    };
    let at = times(loader, path, at);
    let (surge, missing) = (written.max_surge.as_ref(), written.max_unavailable.as_ref());
    let (max_surge, max_unavailable) = replaced_at_once(loader, path, written.place, surge, missing)?;
    Some(Replacement { at: at?, max_surge, max_unavailable })
}

/// Nodes on top, and nodes that may be missing, while a pool is replaced as the section at `path`
/// and `place` says. Reports if no node is ever replaced.
pub(super) fn replaced_at_once(
    loader: &mut Loader,
    path: &str,
    place: Place,
    surge: Option<&At<WrittenPortion>>,
    missing: Option<&At<WrittenPortion>>,
) -> Option<(Portion, Portion)> {
    let show = |portion: &Portion| show::portion(portion, "nodes");
    let (surge, missing) = (part(loader, surge), part(loader, missing));
    let max_surge = loader.or_default(&format!("{path}.max_surge"), surge, defaults::SURGE, show);
    let max_unavailable = loader.or_default(&format!("{path}.max_unavailable"), missing, defaults::UNAVAILABLE, show);
    if is_none(max_surge) && is_none(max_unavailable) {
        let place = missing.or(surge).map_or(place, |(_, place)| place);
        let problem = loader.problems.error(place, "no node is ever replaced: none may be on top, and none missing");
        problem.help("let `max_surge` or `max_unavailable` be more than 0");
        return None;
    }
    Some((max_surge, max_unavailable))
}

/// A part of the nodes, and where it stands; reports one that is more than all of them.
pub(super) fn part(loader: &mut Loader, written: Option<&At<WrittenPortion>>) -> Option<(Portion, Place)> {
    let At { value: WrittenPortion(portion), place } = *written?;
    let too_many = match portion {
        Portion::Count(count) => u64::from(count) > MOST,
        Portion::Share(share) => share > 1.0,
    };
    if too_many {
        loader.problems.error(place, "this is more than all nodes of a pool");
    }
    Some((portion, place))
}

/// Whether a part of any number is nothing.
pub(super) fn is_none(portion: Portion) -> bool {
    matches!(portion, Portion::Count(0)) || portion == Portion::Share(0.0)
}

fn interruptions(loader: &mut Loader, path: &str, written: &written::Interruptions) -> Option<Interruptions> {
    let every = mean(loader, path, written.every.as_ref()?);
    let notice = written.notice.as_ref().map(|at| (at.value.0, at.place));
    let notice = loader.or_default(&format!("{path}.notice"), notice, defaults::NOTICE, Span::in_full);
    Some(Interruptions { every: every?, notice })
}

fn crashes(loader: &mut Loader, path: &str, written: &written::Crashes) -> Option<Crashes> {
    let every = mean(loader, path, written.every.as_ref()?);
    let mut after = |key: &str, at: &At<written::Distribution>| {
        written_distribution(loader, &format!("{path}.{key}"), at, Span::ZERO)
    };
    let then = match (&written.reboot, &written.release) {
        (Some(at), None) => after("reboot", at).map(AfterCrash::Reboot),
        (None, Some(at)) => after("release", at).map(AfterCrash::Release),
        (None, None) => {
            if written.sound {
                let problem = loader.problems.error(written.place, "it is not said what comes of a crashed node");
                problem.help("write `reboot: 5m` or `release: 10m`");
            }
            None
        }
        (Some(_), Some(release)) => {
            let problem = loader.problems.error(release.place, "a crashed node is rebooted or released, not both");
            problem.help("remove `reboot` or `release`");
            None
        }
    };
    Some(Crashes { every: every?, then: then? })
}

/// The mean time `every` between two of something.
fn mean(loader: &mut Loader, path: &str, written: &At<Duration>) -> Option<Span> {
    loader.written(format!("{path}.every"), format!("{}, the mean", written.value.0), written.place);
    at_least(loader, written, SHORTEST_MEAN)
}

//! What all pods of a workload have in common.

use super::SHORTEST_LIFE;
use super::kinds::Kind;
use crate::chance::SpanDist;
use crate::model::{PodTemplate, Resources, Strictness, ZoneSpread};
use crate::scenario::defaults::{self, Default};
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::resolve::{MOST, pod_networking, within};
use crate::scenario::schedule::distribution;
use crate::scenario::show;
use crate::scenario::words::{WhenUnsatisfiable, Word};
use crate::scenario::written::{self, Distribution};
use crate::time::Span;

/// What the pods of a workload of this kind run through; `None` = something is wrong, which is
/// reported.
pub(super) fn template(
    loader: &mut Loader,
    path: &dyn Fn(&str) -> String,
    written: &written::Workload,
    kind: Option<Kind<'_>>,
    requests: Resources,
    networkings: &[written::PodNetworking],
) -> Option<PodTemplate> {
    let zone_spread = written.zone_spread.as_ref().map(|spread| zone_spread(loader, path, spread));
    let anti_affinity = anti_affinity(loader, &path("anti_affinity"), written.anti_affinity.as_ref());
    let (readiness, termination) = (written.readiness.as_ref(), written.termination.as_ref());
    let readiness = span_or(loader, &path("readiness"), readiness, defaults::READINESS);
    let lifetime = lifetime(loader, path, written, kind);
    let default =
        if matches!(kind, Some(Kind::Trace(_))) { defaults::TRACE_TERMINATION } else { defaults::TERMINATION };
    let termination = span_or(loader, &path("termination"), termination, default);
    let host_network = kind.is_some_and(|kind| host_network(loader, path, kind));
    let erdma = written.erdma.as_ref().is_some_and(|at| {
        loader.written(path("erdma"), at.value.to_string(), at.place);
        at.value
    });
    let safe_to_evict = written.safe_to_evict.as_ref().map(|at| (at.value, at.place));
    let safe_to_evict =
        loader.or_default(&path("safe_to_evict"), safe_to_evict, defaults::SAFE_TO_EVICT, bool::to_string);
    let pod_networkings = pod_networking::of_workload(loader, path, written, networkings);
    Some(PodTemplate {
        host_network,
        erdma,
        pod_networkings: pod_networkings?,
        safe_to_evict,
        requests,
        zone_spread,
        anti_affinity,
        readiness: readiness?,
        lifetime: lifetime?,
        termination: termination?,
    })
}

/// What a pod requests.
pub(super) fn requests(
    loader: &mut Loader,
    path: &dyn Fn(&str) -> String,
    written: Option<&written::Requests>,
) -> Resources {
    let cpu = written.and_then(|requests| requests.cpu.as_ref()).map(|at| (at.value.0, at.place));
    let memory = written.and_then(|requests| requests.memory.as_ref()).map(|at| (at.value.0, at.place));
    Resources {
        cpu_milli: loader.or_default(&path("requests.cpu"), cpu, defaults::REQUEST, |&cpu| show::cpu(cpu)),
        memory_mib: loader.or_default(&path("requests.memory"), memory, defaults::REQUEST, |&mib| show::memory(mib)),
    }
}

fn zone_spread(loader: &mut Loader, path: &dyn Fn(&str) -> String, written: &written::ZoneSpread) -> ZoneSpread {
    let key = path("zone_spread.max_skew");
    let max_skew = within(loader, &key, written.max_skew.as_ref(), MOST);
    let max_skew = loader.or_default(&key, max_skew, defaults::MAX_SKEW, u32::to_string);
    let strictness = written.when_unsatisfiable.as_ref().map(|at| (at.value.0, at.place));
    let strictness = loader.or_default(
        &path("zone_spread.when_unsatisfiable"),
        strictness,
        defaults::WHEN_UNSATISFIABLE,
        |&strictness| WhenUnsatisfiable(strictness).word().to_owned(),
    );
    ZoneSpread { max_skew, strictness }
}

fn anti_affinity(loader: &mut Loader, path: &str, written: Option<&At<Strictness>>) -> Option<Strictness> {
    match written {
        Some(at) => loader.written(path, at.value.word(), at.place),
        None => loader.default(path, "none", "Kubernetes: pods have no `podAntiAffinity`"),
    }
    written.map(|at| at.value)
}

/// A distribution, or always the default.
fn span_or(
    loader: &mut Loader,
    path: &str,
    written: Option<&At<Distribution>>,
    default: Default<Span>,
) -> Option<SpanDist> {
    let written = match written {
        Some(at) => Some((distribution(loader, at, Span::ZERO)?, at.place)),
        None => None,
    };
    let default = Default { value: SpanDist::Constant(default.value), source: default.source };
    Some(loader.or_default(path, written, default, show::distribution))
}

/// The life of a pod that does not end with its work; `None` = it is wrong, which is reported.
fn lifetime(
    loader: &mut Loader,
    path: &dyn Fn(&str) -> String,
    written: &written::Workload,
    kind: Option<Kind<'_>>,
) -> Option<Option<SpanDist>> {
    let instead = match kind {
        Some(Kind::Job(_) | Kind::CronJob(_)) => Some("their pods end after `duration`"),
        Some(Kind::Trace(_)) => Some("a trace says itself how long pods live: write it below `trace`"),
        _ => None,
    };
    match (&written.lifetime, instead) {
        (Some(at), Some(instead)) => {
            let kind = kind.map_or("", Kind::key);
            let problem = loader.problems.error(at.place, format!("pods of a `{kind}` have no `lifetime`"));
            problem.help(instead);
            None
        }
        (Some(at), None) => {
            let life = distribution(loader, at, SHORTEST_LIFE)?;
            loader.written(path("lifetime"), show::distribution(&life), at.place);
            Some(Some(life))
        }
        (None, Some(_)) => Some(None),
        (None, None) if matches!(kind, Some(Kind::Arrivals(_))) => {
            let problem = loader.problems.error(written.place, "pods that arrive need a `lifetime`");
            problem.help("say how long each lives, such as `lifetime: {lognormal: {median: 5m, p99: 1d}}`");
            None
        }
        (None, None) => {
            loader.default(path("lifetime"), "lives on", "a pod ends with its workload or its node");
            Some(None)
        }
    }
}

/// Whether the pods use the node's address.
fn host_network(loader: &mut Loader, path: &dyn Fn(&str) -> String, kind: Kind<'_>) -> bool {
    let written = match kind {
        Kind::Deployment(set) => set.host_network.as_ref(),
        Kind::StatefulSet(set) => set.host_network.as_ref(),
        Kind::DaemonSet(set) => set.host_network.as_ref(),
        _ => return false,
    };
    let written = written.map(|at| (at.value, at.place));
    let path = path(&format!("{}.host_network", kind.key()));
    loader.or_default(&path, written, defaults::HOST_NETWORK, bool::to_string)
}

//! How the cloud behaves.

use crate::chance::SpanDist;
use crate::model::{Behaviour, Ipam, Model, Quotas};
use crate::openapi::Api;
use crate::scenario::defaults::{self, Default};
use crate::scenario::loader::Loader;
use crate::scenario::quantity::Limit;
use crate::scenario::read::{At, Entries};
use crate::scenario::schedule::distribution;
use crate::scenario::show;
use crate::scenario::written;
use crate::time::Span;
use crate::units::thousands;

/// The longest lag of instance metadata through which a daemon of before v1.7 sees that an address which it gave back
/// is gone: its last look is after 11.1 s (P87).
const LONGEST_CLASSIC_LAG: Span = Span::secs(11);

/// Refuses a lag of instance metadata after which a daemon of before v1.7 would hand out addresses that it has no more.
pub(super) fn check_lag(loader: &mut Loader, model: &Model, written: Option<&written::Cloud>) {
    let lag = written.and_then(|cloud| cloud.metadata_lag.as_ref()).filter(|lag| lag.value.0 > LONGEST_CLASSIC_LAG);
    if let (Ipam::Classic(_), Some(lag)) = (&model.ipam, lag) {
        let problem = loader.problems.error(lag.place, "with Terway before v1.7 this lag is not simulated");
        problem.label("its daemon hands out an address that metadata shows 11 s after it was given back (P87)");
        problem.help(format!("write {LONGEST_CLASSIC_LAG} at most"));
    }
}

/// The cloud; `None` = something is wrong with it, which is reported.
pub(super) fn cloud(loader: &mut Loader, written: Option<&written::Cloud>, horizon: Option<Span>) -> Option<Behaviour> {
    let latencies = written.and_then(|cloud| cloud.latency.as_ref());
    let throttles = written.and_then(|cloud| cloud.throttle.as_ref());
    report_unknown_apis(loader, latencies);
    report_unknown_apis(loader, throttles);
    let latency = Api::ALL.map(|api| latency(loader, api, latencies));
    let throttle = Api::ALL.map(|api| {
        let written = throttles.and_then(|entries| of(entries, api));
        limit(loader, &format!("cloud.throttle.{}", api.name()), written, defaults::THROTTLE)
    });
    let lag = written.and_then(|cloud| cloud.metadata_lag.as_ref()).map(|at| (at.value.0, at.place));
    let metadata_lag = loader.or_default("cloud.metadata_lag", lag, defaults::METADATA_LAG, Span::in_full);
    let faults = written.and_then(|cloud| cloud.faults.as_deref()).unwrap_or_default();
    let faults = super::faults::faults(loader, faults, horizon);
    let quotas = written.and_then(|cloud| cloud.quotas.as_ref());
    let quotas = Quotas {
        security_group_addresses: limit(
            loader,
            "cloud.quotas.security_group_addresses",
            quotas.and_then(|q| q.security_group_addresses.as_ref()),
            defaults::SECURITY_GROUP_ADDRESSES,
        ),
        vpc_addresses: limit(
            loader,
            "cloud.quotas.vpc_addresses",
            quotas.and_then(|q| q.vpc_addresses.as_ref()),
            defaults::VPC_ADDRESSES,
        ),
        enis_per_region: limit(
            loader,
            "cloud.quotas.enis_per_region",
            quotas.and_then(|q| q.enis_per_region.as_ref()),
            defaults::ENIS_PER_REGION,
        ),
    };
    if latency.iter().any(Option::is_none) {
        return None;
    }
    Some(Behaviour {
        latency: latency.map(|latency| latency.expect("none is missing")),
        throttle: throttle.map(|most| most.map(|most| u32::try_from(most).unwrap_or(u32::MAX))),
        metadata_lag,
        quotas,
        faults: faults?,
    })
}

fn latency(loader: &mut Loader, api: Api, written: Option<&Entries<At<written::Distribution>>>) -> Option<SpanDist> {
    let path = format!("cloud.latency.{}", api.name());
    match written.and_then(|entries| of(entries, api)) {
        Some(at) => written_distribution(loader, &path, at, Span::ZERO),
        None => Some(default_distribution(loader, &path, defaults::latency(api))),
    }
}

/// The distribution that was written; its typical value is at least `shortest`.
pub(super) fn written_distribution(
    loader: &mut Loader,
    path: &str,
    at: &At<written::Distribution>,
    shortest: Span,
) -> Option<SpanDist> {
    let meant = distribution(loader, at, shortest)?;
    loader.written(path, show::distribution(&meant), at.place);
    Some(meant)
}

/// The distribution that holds if none was written.
pub(super) fn default_distribution(loader: &mut Loader, path: &str, default: Default<SpanDist>) -> SpanDist {
    loader.default(path, show::distribution(&default.value), default.source);
    default.value
}

/// A limit; `None` = off.
fn limit(loader: &mut Loader, path: &str, written: Option<&At<Limit>>, default: Default<Option<u64>>) -> Option<u64> {
    if let Some(at) = written.filter(|at| at.value.0 == Some(0)) {
        loader.problems.error(at.place, "a limit of 0 allows nothing at all").help("to switch it off, write `off`");
    }
    let show = |limit: &Option<u64>| limit.map_or_else(|| "off".to_owned(), thousands);
    loader.or_default(path, written.map(|at| (at.value.0, at.place)), default, show)
}

/// The entry of an action.
pub(super) fn of<T>(entries: &Entries<T>, api: Api) -> Option<&T> {
    entries.0.iter().find(|(key, _)| key.name == api.name()).map(|(_, value)| value)
}

pub(super) fn report_unknown_apis<T>(loader: &mut Loader, entries: Option<&Entries<T>>) {
    let known = Api::ALL.map(Api::name);
    for (key, _) in entries.iter().flat_map(|entries| &entries.0) {
        if !known.contains(&key.name.as_str()) {
            super::report_unknown(loader, "action", &key.name, key.place, &known);
        }
    }
}

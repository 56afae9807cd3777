//! Who allocates addresses, and how Terway's control plane runs.

use super::{classic, within};
use crate::ipam::centralized::{Settings, WriteLimit};
use crate::ipam::eni_config::{Document, IpamType};
use crate::ipam::pod_eni;
use crate::model::{Ipam, Model};
use crate::openapi::Api;
use crate::scenario::defaults::{self, Default};
use crate::scenario::loader::Loader;
use crate::scenario::quantity::{Count, Duration};
use crate::scenario::read::{At, Entries};
use crate::scenario::words::Word;
use crate::scenario::written::{Controlplane, Terway, Workload};
use crate::time::Span;
use crate::units::thousands;

/// Most nodes that are reconciled at the same time, and most status writes (the validation of
/// `types/controlplane/config.go`).
const MOST_WORKERS: u64 = 20_000;
/// The same of pods with interfaces of their own (`types/controlplane/config_default.go:44-45,105`).
const MOST_WORKERS_OF_OWN: u64 = 10_000;
const MOST_WRITES: u64 = 10_000;
/// Most calls per minute that a limit may allow.
const MOST_CALLS: u64 = 1_000_000;
/// Shortest period; a shorter one would be raised to this (rule C21).
const SHORTEST: Span = Span::secs(1);

/// The base document in a cluster where whom the scenario says allocates.
pub(super) fn base(loader: &mut Loader, written: &Terway, document: Document) -> Document {
    if let Some(profile) = classic::profile(loader, written) {
        return document.with_profile(profile);
    }
    match &written.ipam {
        Some(at) => {
            loader.written("terway.ipam", at.value.word(), at.place);
            document.with_ipam(at.value)
        }
        None => {
            let source = "`ipam_type` of the base document (R6, daemon/daemon.go:821-831)";
            loader.default("terway.ipam", document.ipam().word(), source);
            document
        }
    }
}

/// Who allocates, and what the controllers of pods with interfaces of their own run with.
pub(super) struct Controllers {
    pub ipam: Ipam,
    pub own_enis: pod_eni::Settings,
}

/// Them; `own_enis` = there are pods with interfaces of their own, which the control plane makes whoever allocates
/// for others. `None` = something is wrong with the control plane, which is reported.
pub(super) fn controllers(
    loader: &mut Loader,
    written: Option<&Terway>,
    base: &Document,
    own_enis: bool,
) -> Option<Controllers> {
    let written = written.and_then(|terway| terway.controlplane.as_ref());
    let ipam = match base.ipam() {
        IpamType::Centralized => {
            let process = settings(loader, written)?;
            let workers = workers_of_own(loader, written, own_enis)?;
            let (vswitch_ttl, rate_limit) = (process.vswitch_ttl, process.rate_limit);
            let own_enis = pod_eni::Settings { vswitch_ttl, rate_limit, ..workers };
            return Some(Controllers { ipam: Ipam::Centralized(Box::new(process)), own_enis });
        }
        IpamType::Classic => Ipam::Classic(base.profile().version),
        IpamType::NodeLocal => Ipam::NodeLocal,
    };
    let settings = match written {
        written if own_enis => settings_of_own(loader, written)?,
        Some(written) => {
            let title = "the control plane does not allocate in this cluster";
            let problem = loader.problems.warning(written.place, title);
            match ipam {
                Ipam::Classic(_) => problem.label("no effect: before v1.7 the daemons do").help("leave it out"),
                _ => problem.label("no effect: IPAM is node-local").help("write `ipam: centralized` if it is not"),
            };
            pod_eni::Settings::default()
        }
        None => pod_eni::Settings::default(),
    };
    Some(Controllers { ipam, own_enis: settings })
}

/// Reports pods that ask for RDMA where nobody has it.
pub(super) fn check_erdma(loader: &mut Loader, model: &Model, written: &[Workload]) {
    let has_rdma = |pool: usize| {
        let mut groups = model.groups().enumerate().filter(|(_, (key, _))| key.pool == pool);
        groups.any(|(group, _)| model.daemons(group).any(|daemon| daemon.devices().rdma > 0))
    };
    for (workload, written) in model.workloads.iter().zip(written).filter(|(workload, _)| workload.pod.erdma) {
        if !workload.node_pools.iter().any(|&pool| has_rdma(pool)) {
            let place = written.erdma.as_ref().map_or(written.place, |at| at.place);
            let title = format!("no node offers RDMA addresses to the pods of workload `{}`", workload.name);
            let problem = loader.problems.error(place, title);
            problem.label("they would find no node for ever: none offers `aliyun/erdma` (R41, C163)");
            problem.help("write `enable_erdma: true` in eni-config, without `disable_device_plugin: true`");
        }
    }
}

fn settings(loader: &mut Loader, written: Option<&Controlplane>) -> Option<Settings> {
    let before = loader.problems.count();
    let own = Settings::default();
    let vswitch_ttl =
        span(loader, "vSwitchCacheTTL", written.and_then(|w| w.vSwitchCacheTTL.as_ref()), own.vswitch_ttl);
    let gc_period = span(loader, "multiIPGCPeriod", written.and_then(|w| w.multiIPGCPeriod.as_ref()), own.gc_period);
    let sync = written.and_then(|w| w.multiIPNodeSyncPeriod.as_ref());
    let full_sync_period = span(loader, "multiIPNodeSyncPeriod", sync, own.full_sync_period);
    let mut number = |key: &str, written: Option<&At<Count>>, most, default| {
        let written = within(loader, key, written, most);
        loader.or_default(
            &path(key),
            written,
            Default { value: default, source: defaults::CONTROLPLANE },
            u32::to_string,
        )
    };
    let workers = written.and_then(|w| w.multiIPNodeMaxConcurrent.as_ref());
    let workers = number("multiIPNodeMaxConcurrent", workers, MOST_WORKERS, own.workers);
    let limit = own.write_limit.expect("upstream has one");
    let burst = number("kubeClientBurst", written.and_then(|w| w.kubeClientBurst.as_ref()), MOST_WRITES, limit.burst);
    let qps = written.and_then(|w| w.kubeClientQPS.as_ref()).map(|at| (at.value.0, at.place));
    let default = Default { value: limit.per_second, source: defaults::CONTROLPLANE };
    let per_second = loader.or_default(&path("kubeClientQPS"), qps, default, f64::to_string);
    let degradation = written.and_then(|w| w.degradation.as_ref()).map(|at| (at.value, at.place));
    let default = Default { value: own.degradation, source: defaults::CONTROLPLANE };
    let degradation = loader.or_default(&path("degradation"), degradation, default, |d| d.word().to_owned());
    let rate_limit = rate_limit(loader, written.and_then(|w| w.rateLimit.as_ref()), own.rate_limit, &Api::ALL);
    let settings = Settings {
        workers,
        vswitch_ttl,
        full_sync_period,
        gc_period,
        write_limit: Some(WriteLimit { per_second, burst }),
        rate_limit,
        degradation,
        jitter: true,
    };
    (loader.problems.count() == before).then_some(settings)
}

/// What the control plane runs with that makes interfaces for pods of their own, and nothing else: it allocates for
/// nobody, so the rest of its settings has no effect.
fn settings_of_own(loader: &mut Loader, written: Option<&Controlplane>) -> Option<pod_eni::Settings> {
    let own = workers_of_own(loader, written, true)?;
    let before = loader.problems.count();
    let ttl = written.and_then(|w| w.vSwitchCacheTTL.as_ref());
    let vswitch_ttl = span(loader, "vSwitchCacheTTL", ttl, own.vswitch_ttl);
    let limits = written.and_then(|w| w.rateLimit.as_ref());
    let rate_limit = rate_limit(loader, limits, own.rate_limit, &pod_eni::Request::APIS);
    let has_errors = loader.problems.count() > before;
    written.into_iter().for_each(|written| report_idle(loader, written));
    (!has_errors).then_some(pod_eni::Settings { vswitch_ttl, rate_limit, ..own })
}

/// How many interfaces of pods' own are worked on at a time, if there are such pods; `None` = something is wrong,
/// which is reported.
fn workers_of_own(loader: &mut Loader, written: Option<&Controlplane>, own_enis: bool) -> Option<pod_eni::Settings> {
    let mut own = pod_eni::Settings::default();
    let mut right = true;
    let keys = [
        ("podMaxConcurrent", written.and_then(|w| w.podMaxConcurrent.as_ref()), &mut own.pod_workers),
        ("podENIMaxConcurrent", written.and_then(|w| w.podENIMaxConcurrent.as_ref()), &mut own.pod_eni_workers),
        ("eniMaxConcurrent", written.and_then(|w| w.eniMaxConcurrent.as_ref()), &mut own.eni_workers),
    ];
    for (key, at, workers) in keys {
        if own_enis {
            let number = within(loader, key, at, MOST_WORKERS_OF_OWN);
            right &= at.is_none() || number.is_some();
            let default = Default { value: *workers, source: defaults::CONTROLPLANE };
            *workers = loader.or_default(&path(key), number, default, u32::to_string);
        } else if let Some(at) = at {
            let problem = loader.problems.warning(at.place, format!("`{key}` has no effect in this cluster"));
            problem.label("no pod has an interface of its own").help("leave the key out");
        }
    }
    right.then_some(own)
}

/// Reports settings of a control plane that allocates for nobody.
fn report_idle(loader: &mut Loader, written: &Controlplane) {
    let idle = [
        ("multiIPGCPeriod", written.multiIPGCPeriod.as_ref().map(|at| at.place)),
        ("multiIPNodeSyncPeriod", written.multiIPNodeSyncPeriod.as_ref().map(|at| at.place)),
        ("multiIPNodeMaxConcurrent", written.multiIPNodeMaxConcurrent.as_ref().map(|at| at.place)),
        ("kubeClientQPS", written.kubeClientQPS.as_ref().map(|at| at.place)),
        ("kubeClientBurst", written.kubeClientBurst.as_ref().map(|at| at.place)),
        ("degradation", written.degradation.as_ref().map(|at| at.place)),
    ];
    let limits = written.rateLimit.as_ref();
    let others = Api::ALL.into_iter().filter(|api| !pod_eni::Request::APIS.contains(api));
    let others =
        others.map(|api| (api.name(), limits.and_then(|limits| super::cloud::of(limits, api)).map(|at| at.place)));
    for (key, place) in idle.into_iter().chain(others) {
        if let Some(place) = place {
            let problem = loader.problems.warning(place, format!("`{key}` has no effect in this cluster"));
            problem.label("IPAM is node-local: the control plane only makes interfaces of pods' own");
            problem.help("write `ipam: centralized` if it is not, or leave the key out");
        }
    }
}

fn path(key: &str) -> String {
    format!("terway.controlplane.{key}")
}

fn span(loader: &mut Loader, key: &str, written: Option<&At<Duration>>, default: Span) -> Span {
    if let Some(at) = written.filter(|at| at.value.0 < SHORTEST) {
        loader.problems.error(at.place, format!("`{key}` is shorter than {SHORTEST}"));
    }
    let written = written.map(|at| (at.value.0, at.place));
    let default = Default { value: default, source: defaults::CONTROLPLANE };
    loader.or_default(&path(key), written, default, Span::in_full)
}

/// Calls per minute by action, which are the burst too (rule C157), of those that are made.
fn rate_limit(
    loader: &mut Loader,
    written: Option<&Entries<At<Count>>>,
    mut limits: [Option<u32>; Api::ALL.len()],
    made: &[Api],
) -> [Option<u32>; Api::ALL.len()] {
    super::cloud::report_unknown_apis(loader, written);
    for &api in made {
        let path = path(&format!("rateLimit.{}", api.name()));
        let own = written.and_then(|entries| super::cloud::of(entries, api));
        let own = within(loader, api.name(), own, MOST_CALLS);
        let default = Default { value: limits[api.index()].unwrap_or(0), source: defaults::CONTROLPLANE };
        let limit = loader.or_default(&path, own, default, |&n| format!("{} calls/min", thousands(n.into())));
        limits[api.index()] = Some(limit);
    }
    limits
}

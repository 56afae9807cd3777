//! The kinds of workloads, one by one.

use std::sync::Arc;

use super::{SHORTEST_LIFE, World, load};
use crate::chance::SpanDist;
use crate::model::{
    Concurrency, CountDist, Cron, Job, Portion, Replicas, Resources, Rollout, Schedule, Times, Trace, WorkloadKind,
};
use crate::scenario::defaults::{self, Default};
use crate::scenario::loader::Loader;
use crate::scenario::quantity;
use crate::scenario::quantity::Count;
use crate::scenario::read::At;
use crate::scenario::resolve::{MOST, about, within};
use crate::scenario::schedule::{distribution, schedule};
use crate::scenario::series::{Columns, series};
use crate::scenario::show;
use crate::scenario::times::{self, times};
use crate::scenario::trace::{most_at_once, pods};
use crate::scenario::words::Word;
use crate::scenario::written::{self, Distribution};
use crate::time::{Instant, Span};
use crate::units::thousands;

/// The kind of a workload as it was written.
#[derive(Clone, Copy)]
pub(super) enum Kind<'w> {
    Deployment(&'w written::Deployment),
    StatefulSet(&'w written::StatefulSet),
    DaemonSet(&'w written::DaemonSet),
    Job(&'w written::Job),
    CronJob(&'w written::CronJob),
    Arrivals(&'w written::Arrivals),
    Trace(&'w written::Trace),
}

impl Kind<'_> {
    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Deployment(_) => "deployment",
            Self::StatefulSet(_) => "stateful_set",
            Self::DaemonSet(_) => "daemon_set",
            Self::Job(_) => "job",
            Self::CronJob(_) => "cron_job",
            Self::Arrivals(_) => "arrivals",
            Self::Trace(_) => "trace",
        }
    }
}

/// The one kind that a workload has; `None` = it has none or several, which is reported.
pub(super) fn the_one<'w>(loader: &mut Loader, written: &'w written::Workload) -> Option<Kind<'w>> {
    let kinds = [
        written.deployment.as_ref().map(Kind::Deployment),
        written.stateful_set.as_ref().map(Kind::StatefulSet),
        written.daemon_set.as_ref().map(Kind::DaemonSet),
        written.job.as_ref().map(Kind::Job),
        written.cron_job.as_ref().map(Kind::CronJob),
        written.arrivals.as_ref().map(Kind::Arrivals),
        written.trace.as_ref().map(Kind::Trace),
    ];
    let kinds: Vec<Kind<'_>> = kinds.into_iter().flatten().collect();
    match kinds[..] {
        [kind] => return Some(kind),
        // The kind is what is wrong.
        [] if !written.sound => {}
        [] => {
            let problem = loader.problems.error(written.place, "a workload needs a kind");
            problem.help("add `deployment`, `stateful_set`, `daemon_set`, `job`, `cron_job`, `arrivals` or `trace`");
        }
        [first, second, ..] => {
            let problem = loader.problems.error(written.place, "a workload has one kind only");
            problem.help(format!("remove `{}` or `{}`, or make two workloads of it", first.key(), second.key()));
        }
    }
    None
}

/// What controls the pods; `None` = something is wrong with it, which is reported. `path` gives
/// the place of a key of the workload, `requests` what a pod requests.
pub(super) fn resolve(
    loader: &mut Loader,
    path: &dyn Fn(&str) -> String,
    kind: Kind<'_>,
    requests: Resources,
    world: World<'_>,
) -> Option<WorkloadKind> {
    let path = &path(kind.key());
    match kind {
        Kind::Deployment(set) => deployment(loader, path, set, world),
        Kind::StatefulSet(set) => stateful_set(loader, path, set, world),
        Kind::DaemonSet(set) => daemon_set(loader, path, set),
        Kind::Job(job) => self::job(loader, path, job),
        Kind::CronJob(job) => cron_job(loader, path, job, world),
        Kind::Arrivals(arrivals) => self::arrivals(loader, path, arrivals, world),
        Kind::Trace(trace) => self::trace(loader, path, trace, requests, world).map(WorkloadKind::Trace),
    }
}

fn deployment(
    loader: &mut Loader,
    path: &str,
    written: &written::Deployment,
    world: World<'_>,
) -> Option<WorkloadKind> {
    let replicas = written.replicas.as_ref().and_then(|at| match &at.value {
        written::Replicas::Scheduled(schedule) => {
            let at = At { value: schedule.clone(), place: at.place };
            replicas(loader, path, &at, world).map(Replicas::Scheduled)
        }
        written::Replicas::Autoscaled(hpa) => {
            load::hpa(loader, &format!("{path}.replicas.hpa"), hpa, world.horizon).map(Replicas::Autoscaled)
        }
    });
    let rollout = match &written.rollout {
        None => Some(None),
        Some(at) => {
            let default = (defaults::DEPLOYMENT_SURGE, defaults::DEPLOYMENT_UNAVAILABLE);
            rollout(loader, &format!("{path}.rollout"), at, default).map(Some)
        }
    };
    Some(WorkloadKind::Deployment { replicas: replicas?, rollout: rollout? })
}

fn stateful_set(
    loader: &mut Loader,
    path: &str,
    written: &written::StatefulSet,
    world: World<'_>,
) -> Option<WorkloadKind> {
    let replicas = written.replicas.as_ref().and_then(|at| replicas(loader, path, at, world));
    let parallel = written.parallel.as_ref().map(|at| (at.value, at.place));
    let parallel = loader.or_default(&format!("{path}.parallel"), parallel, defaults::PARALLEL, bool::to_string);
    let updates = match &written.update {
        None => Some(None),
        Some(written::Update { at, first, every, place, .. }) => {
            let written =
                times::Written { at: at.as_ref(), first: first.as_ref(), every: every.as_ref(), place: *place };
            times(loader, &format!("{path}.update"), written).map(Some)
        }
    };
    Some(WorkloadKind::StatefulSet { replicas: replicas?, parallel, updates: updates? })
}

fn daemon_set(loader: &mut Loader, path: &str, written: &written::DaemonSet) -> Option<WorkloadKind> {
    let Some(at) = &written.rollout else { return Some(WorkloadKind::DaemonSet { rollout: None }) };
    let default = (defaults::DAEMON_SET_SURGE, defaults::DAEMON_SET_UNAVAILABLE);
    let rollout = rollout(loader, &format!("{path}.rollout"), at, default)?;
    if !is_nothing(rollout.max_surge) && !is_nothing(rollout.max_unavailable) {
        let place = at.max_surge.as_ref().map_or(at.place, |at| at.place);
        let title = "Kubernetes refuses a DaemonSet with both `max_surge` and `max_unavailable`";
        loader.problems.error(place, title).help("add `max_unavailable: 0`: it is 1 if it is not written");
        return None;
    }
    Some(WorkloadKind::DaemonSet { rollout: Some(rollout) })
}

fn replicas(loader: &mut Loader, path: &str, written: &At<written::Schedule>, world: World<'_>) -> Option<Schedule> {
    let replicas = schedule(loader, written, about(world.horizon, "pods"))?;
    loader.written(format!("{path}.replicas"), show::schedule(&replicas, "pods"), written.place);
    Some(replicas)
}

fn rollout(
    loader: &mut Loader,
    path: &str,
    written: &written::Rollout,
    (surge, unavailable): (Default<Portion>, Default<Portion>),
) -> Option<Rollout> {
    let written::Rollout { at, first, every, place, .. } = written;
    let when = times::Written { at: at.as_ref(), first: first.as_ref(), every: every.as_ref(), place: *place };
    let at = times(loader, path, when);
    let max_surge = portion(loader, &format!("{path}.max_surge"), written.max_surge.as_ref(), surge);
    let key = format!("{path}.max_unavailable");
    let max_unavailable = portion(loader, &key, written.max_unavailable.as_ref(), unavailable);
    if let (Portion::Share(share), Some(at)) = (max_unavailable, &written.max_unavailable)
        && share > 1.0
    {
        loader.problems.error(at.place, "not more than all pods, 100 %, may be missing");
        return None;
    }
    if let (true, Some(at)) = (is_too_many(max_surge), &written.max_surge) {
        let problem = loader.problems.error(at.place, "this is more than a scenario may have pods");
        problem.help("`max_surge` is a number of pods, or a part of them such as `25 %`");
        return None;
    }
    if is_nothing(max_surge) && is_nothing(max_unavailable) {
        let problem = loader.problems.error(*place, "a rollout needs `max_surge` or `max_unavailable`");
        problem.label("with both at 0 it could not replace a pod, and Kubernetes refuses it");
        return None;
    }
    Some(Rollout { at: at?, max_surge, max_unavailable })
}

fn portion(
    loader: &mut Loader,
    path: &str,
    written: Option<&At<quantity::Portion>>,
    default: Default<Portion>,
) -> Portion {
    let written = written.map(|at| (at.value.0, at.place));
    loader.or_default(path, written, default, |portion| show::portion(portion, "pods"))
}

fn is_too_many(portion: Portion) -> bool {
    match portion {
        Portion::Count(count) => u64::from(count) > MOST,
        Portion::Share(share) => share > MOST as f64,
    }
}

fn is_nothing(portion: Portion) -> bool {
    matches!(portion, Portion::Count(0)) || portion == Portion::Share(0.0)
}

fn job(loader: &mut Loader, path: &str, written: &written::Job) -> Option<WorkloadKind> {
    let written::Job { at, first, every, place, .. } = written;
    let when = times::Written { at: at.as_ref(), first: first.as_ref(), every: every.as_ref(), place: *place };
    let at = times(loader, path, when);
    let written::Job { parallelism, completions, backoff_limit, duration, .. } = written;
    let counts = [parallelism, completions, backoff_limit].map(Option::as_ref);
    let job = work(loader, path, counts, duration.as_ref())?;
    // Each is a Job of its own.
    Some(WorkloadKind::Job { at: at?, job, concurrency: Concurrency::Allow })
}

fn cron_job(loader: &mut Loader, path: &str, written: &written::CronJob, world: World<'_>) -> Option<WorkloadKind> {
    let at = written.schedule.as_ref().and_then(|at| {
        loader.written(format!("{path}.schedule"), at.value.clone(), at.place);
        let cron = Cron::parse(&at.value, world.start);
        cron.map_err(|wrong| {
            let problem = loader.problems.error(at.place, format!("`{}` is no schedule of a CronJob", at.value));
            problem.label(wrong).help("it is minute, hour, day, month and weekday, such as `0 2 * * *`");
        })
        .ok()
    });
    let concurrency = written.concurrency.as_ref().map(|at| (at.value, at.place));
    let show = |concurrency: &Concurrency| concurrency.word().to_owned();
    let concurrency = loader.or_default(&format!("{path}.concurrency"), concurrency, defaults::CONCURRENCY, show);
    let written::CronJob { parallelism, completions, backoff_limit, duration, .. } = written;
    let counts = [parallelism, completions, backoff_limit].map(Option::as_ref);
    let job = work(loader, path, counts, duration.as_ref())?;
    Some(WorkloadKind::Job { at: Times::Cron(at?), job, concurrency })
}

/// What a Job does: its pods at once, those that have to complete, and those that may fail.
fn work(
    loader: &mut Loader,
    path: &str,
    [parallelism, completions, backoff_limit]: [Option<&At<Count>>; 3],
    duration: Option<&At<Distribution>>,
) -> Option<Job> {
    let key = |key: &str| format!("{path}.{key}");
    let parallelism = within(loader, &key("parallelism"), parallelism, MOST);
    let parallelism = loader.or_default(&key("parallelism"), parallelism, defaults::PARALLELISM, u32::to_string);
    let completions = within(loader, &key("completions"), completions, MOST);
    let default = Default { value: parallelism, source: defaults::COMPLETIONS };
    let completions = loader.or_default(&key("completions"), completions, default, u32::to_string);
    let none_at_all = backoff_limit.filter(|at| at.value.0 == 0).map(|at| (0, at.place));
    let backoff_limit = none_at_all.or_else(|| within(loader, &key("backoff_limit"), backoff_limit, MOST));
    let backoff_limit =
        loader.or_default(&key("backoff_limit"), backoff_limit, defaults::BACKOFF_LIMIT, u32::to_string);
    let written = duration?;
    let duration = distribution(loader, written, SHORTEST_LIFE)?;
    loader.written(key("duration"), show::distribution(&duration), written.place);
    Some(Job { parallelism, completions, duration, backoff_limit })
}

fn arrivals(loader: &mut Loader, path: &str, written: &written::Arrivals, world: World<'_>) -> Option<WorkloadKind> {
    let per_hour = written.per_hour.as_ref().and_then(|at| {
        let per_hour = schedule(loader, at, about(world.horizon, "arrivals per hour"))?;
        loader.written(format!("{path}.per_hour"), show::schedule(&per_hour, "arrivals"), at.place);
        Some(per_hour)
    });
    let group = group(loader, &format!("{path}.group"), written.group.as_ref());
    Some(WorkloadKind::Arrivals { per_hour: per_hour?, group: group? })
}

fn group(loader: &mut Loader, path: &str, written: Option<&At<written::Group>>) -> Option<CountDist> {
    let Some(At { value: written::Group::Geometric(written), .. }) = written else {
        let count = written.and_then(|at| match &at.value {
            written::Group::Constant(count) => within(loader, path, Some(count), MOST),
            written::Group::Geometric(_) => None,
        });
        return Some(CountDist::Constant(loader.or_default(path, count, defaults::GROUP, u32::to_string)));
    };
    let at = written.mean.as_ref()?;
    let mean = at.value.0;
    if !(1.0..=MOST as f64).contains(&mean) {
        let title = format!("the mean of a group is a number from 1 to {}", thousands(MOST));
        loader.problems.error(at.place, title);
        return None;
    }
    loader.written(path, format!("geometric, mean {mean}"), at.place);
    Some(CountDist::Geometric { mean })
}

fn trace(
    loader: &mut Loader,
    path: &str,
    written: &written::Trace,
    requests: Resources,
    world: World<'_>,
) -> Option<Trace> {
    match (&written.pods, &written.counts) {
        (Some(pods), None) => {
            if let Some(at) = &written.lifetime {
                let problem = loader.problems.error(at.place, "`lifetime` belongs to `counts`");
                problem.help("`pods` says of each when it departs");
                return None;
            }
            recorded_pods(loader, path, pods, requests, world)
        }
        (None, Some(counts)) => recorded_counts(loader, path, counts, written),
        (None, None) if !written.sound => None,
        (None, None) => {
            let problem = loader.problems.error(written.place, "a trace needs a file");
            problem.help("write `trace: {pods: {file: …}}`, or `trace: {counts: {file: …}, lifetime: …}`");
            None
        }
        (Some(_), Some(_)) => {
            let problem = loader.problems.error(written.place, "a trace has one file only");
            problem.help("keep one of `pods` and `counts`");
            None
        }
    }
}

fn recorded_pods(
    loader: &mut Loader,
    path: &str,
    written: &written::TracePods,
    requests: Resources,
    world: World<'_>,
) -> Option<Trace> {
    let file = written.file.as_ref()?;
    let pods = pods(loader, file, world.start, requests)?;
    let at_start = pods.iter().take_while(|pod| pod.arrive == Instant::ZERO).count();
    let shown = format!(
        "{}: {}, {} at the start, at most {} at once",
        file.value,
        show::count(pods.len() as u64, "pod", "pods"),
        thousands(at_start as u64),
        thousands(most_at_once(&pods)),
    );
    loader.written(format!("{path}.pods"), shown, file.place);
    Some(Trace::Pods(Arc::new(pods)))
}

fn recorded_counts(
    loader: &mut Loader,
    path: &str,
    written: &written::TraceCounts,
    trace: &written::Trace,
) -> Option<Trace> {
    let offset = written.offset.as_ref().map_or(Span::ZERO, |at| at.value.0);
    let points = written.file.as_ref().and_then(|file| {
        let (time, unit, number) = (written.time.as_ref(), written.unit.as_ref(), written.column.as_ref());
        counts(loader, path, Columns { file, time, unit, offset, number })
    });
    let lifetime = match &trace.lifetime {
        Some(at) => {
            let lifetime = distribution(loader, at, SHORTEST_LIFE)?;
            loader.written(format!("{path}.lifetime"), show::distribution(&lifetime), at.place);
            Some(lifetime)
        }
        None => {
            let problem = loader.problems.error(trace.place, "counts alone do not say how long a pod lives");
            problem.help("add a `lifetime` to `trace`, such as `{exponential: {mean: 2d}}`");
            None::<SpanDist>
        }
    };
    Some(Trace::Counts { points: Arc::new(points?), lifetime: lifetime? })
}

/// Recorded numbers of pods; what holds at the first time holds before.
fn counts(loader: &mut Loader, path: &str, columns: Columns<'_>) -> Option<Vec<(Instant, u32)>> {
    let points = series(loader, columns)?;
    let most = points.iter().map(|&(_, number)| number).fold(0.0, f64::max);
    if most > MOST as f64 {
        let title = format!("more than {} pods are not simulated", thousands(MOST));
        loader.problems.error(columns.file.place, title).label(format!("this reaches {}", show::large(most)));
        return None;
    }
    let mut counts: Vec<(Instant, u32)> = points.iter().map(|&(at, number)| (at, number.round() as u32)).collect();
    let ((first, at_start), (last, _)) = (counts[0], counts[counts.len() - 1]);
    let shown = format!(
        "{}: {} pods at the start, at most {}, {} until {}",
        columns.file.value,
        thousands(at_start.into()),
        show::large(most),
        show::count(counts.len() as u64, "row", "rows"),
        last.since(Instant::ZERO),
    );
    loader.written(format!("{path}.counts"), shown, columns.file.place);
    if first > Instant::ZERO {
        counts.insert(0, (Instant::ZERO, at_start));
    }
    Some(counts)
}

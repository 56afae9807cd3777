//! What a run says about a [`Reading`].

use super::gather::{longest_wait, never_served, wait_quantile};
use crate::id::VSwitchId;
use crate::model::{ActionReading, LateWait, Model, PodReading, PrefixReading, Reading, VSwitchReading};
use crate::record::{ActionRecord, GroupLevels, PrefixRecord, Recording, VSwitchRecord};
use crate::time::Instant;

/// The value of `reading` in a run of `model`, in its unit: infinite if it is a time that never
/// comes or a wait that never ends; none if there is nothing to read, as the wait of no pod.
///
/// # Panics
/// If it counts late waits that [`Model::observe`] was not told of.
#[must_use]
pub fn value(reading: &Reading, model: &Model, run: &Recording) -> Option<f64> {
    let exists = |id: &VSwitchId| run.vswitch_since(model, *id).is_some();
    let serving = || model.serving_vswitches().into_iter().filter(exists).map(|id| &run.vswitches[id.index()]);
    match *reading {
        Reading::VSwitch(id, of) => {
            // One that is never added is never full, and nothing else can be said of it.
            let is_told = exists(&id) || of.may_be_never();
            of_vswitch(of, record(run, id)).filter(|_| is_told)
        }
        Reading::AnyVSwitch(of) => {
            let values = serving().filter_map(|record| of_vswitch(of, record));
            if of.is_worse_if_less() { values.reduce(f64::min) } else { values.reduce(f64::max) }
        }
        Reading::AllVSwitches(of) => {
            // Means are over the time in which each is there; together they are over all of the time.
            let weight = |record: &VSwitchRecord| if of.is_mean() { record.existed } else { 1.0 };
            Some(serving().filter_map(|record| Some(weight(record) * of_vswitch(of, record)?)).sum())
        }
        Reading::Pods(of) => of_pods(of, run),
        Reading::WaitedOver { over, before } => {
            let at = model.late_waits.iter().position(|&wait| wait == LateWait { over, before });
            Some(run.late_waits[at.expect("the model was told to count it")] as f64)
        }
        Reading::Calls(None) => Some(run.calls.iter().sum::<u64>() as f64),
        Reading::Calls(Some(api)) => Some(run.calls[api.index()] as f64),
        Reading::RefusedCalls(None) => Some(run.errors.iter().flatten().sum::<u64>() as f64),
        Reading::RefusedCalls(Some(api)) => Some(run.errors[api.index()].iter().sum::<u64>() as f64),
        Reading::Nodes(pool) => Some(of_groups(run, pool, |levels| levels.nodes)),
        Reading::Enis(pool) => Some(of_groups(run, pool, |levels| levels.enis)),
        Reading::Action(i, of) => of_action(of, &run.actions[i]),
    }
}

fn record(run: &Recording, id: VSwitchId) -> &VSwitchRecord {
    &run.vswitches[id.index()]
}

/// None of prefixes where none come from it.
fn of_vswitch(of: VSwitchReading, record: &VSwitchRecord) -> Option<f64> {
    Some(match of {
        VSwitchReading::LeastFree => f64::from(record.min_free),
        VSwitchReading::LeastFreeShare => f64::from(record.min_free) / f64::from(record.usable.max(1)),
        VSwitchReading::Mean(holder) => record.mean.of(holder),
        VSwitchReading::End(holder) => f64::from(record.end.of(holder)),
        VSwitchReading::TimeToFull => record.first_refusal.map_or(f64::INFINITY, |full| full.at.as_secs_f64()),
        VSwitchReading::Refusals => record.refusals as f64,
        VSwitchReading::Prefixes(of) => of_prefixes(of, record.prefixes.as_ref()?),
    })
}

fn of_prefixes(of: PrefixReading, record: &PrefixRecord) -> f64 {
    match of {
        PrefixReading::LeastFreeBlocks => f64::from(record.min_free),
        PrefixReading::MeanFreeBlocks => record.mean_free,
        PrefixReading::EndFreeBlocks => f64::from(record.end.free),
        PrefixReading::MeanAddresses => record.mean_addresses,
        PrefixReading::EndAddresses => f64::from(record.end.addresses),
        PrefixReading::TimeToRefusal => record.first_refusal.map_or(f64::INFINITY, |refused| refused.at.as_secs_f64()),
        PrefixReading::Refusals => record.refusals as f64,
    }
}

fn of_pods(of: PodReading, run: &Recording) -> Option<f64> {
    const HOUR_SECS: f64 = 3600.0;
    let pods = &run.pods;
    Some(match of {
        PodReading::Requested => pods.requested as f64,
        PodReading::Served => pods.served as f64,
        PodReading::NeverServed => never_served(pods) as f64,
        PodReading::WaitingAtEnd => pods.waiting_at_end.into(),
        PodReading::MostWaiting => pods.max_waiting.into(),
        PodReading::WaitingHours => pods.waiting_area_s / HOUR_SECS,
        PodReading::WaitP50 => wait_quantile(pods, 0.5)?,
        PodReading::WaitP95 => wait_quantile(pods, 0.95)?,
        PodReading::WaitP99 => wait_quantile(pods, 0.99)?,
        PodReading::WaitLongest => longest_wait(pods)?,
        PodReading::UnschedulableAtEnd => pods.unschedulable_at_end.into(),
        PodReading::MostUnschedulable => pods.max_unschedulable.into(),
        PodReading::UnschedulableHours => pods.unschedulable_area_s / HOUR_SECS,
        PodReading::FailedJobs => pods.failed_jobs as f64,
    })
}

/// None of what needs an action that has begun, or pods that waited then.
fn of_action(of: ActionReading, action: &ActionRecord) -> Option<f64> {
    let since = |at: Option<Instant>, began: Instant| at.map_or(f64::INFINITY, |at| at.since(began).as_secs_f64());
    match of {
        ActionReading::Began => Some(since(action.began, Instant::ZERO)),
        ActionReading::Took => Some(since(action.ended, action.began?)),
        ActionReading::Waiting => action.began.map(|_| action.waiting.into()),
        ActionReading::Relieved => action.began.map(|_| action.relieved.into()),
        ActionReading::Recovery => (action.waiting > 0).then_some(since(action.recovered, action.began?)),
    }
}

fn of_groups(run: &Recording, pool: Option<usize>, of: fn(&GroupLevels) -> u32) -> f64 {
    let groups = run.groups.iter().filter(|group| pool.is_none_or(|pool| group.key.pool == pool));
    groups.map(|group| f64::from(of(&group.end))).sum()
}

//! The tables of a run. Every column ends in its unit; what does not apply to a row is empty.

use super::dataset::Dataset;
use super::dataset::Kind::{Count, DateTime, Flag, Number, Text};
use crate::id::VSwitchId;
use crate::model::Model;
use crate::openapi::{Api, ErrorCode};
use crate::outcome::{FullBy, Interval, Quantiles, Summary, Told, tell};
use crate::record::{Calls, GroupLevels, Holders, JournalEntry, Recording};
use crate::time::Instant;

/// One row per replication, time, and vSwitch, node pool (by type and zone), or the cluster. What is
/// said of prefixes has columns of its own, if they come from any vSwitch.
pub(super) fn timeline(model: &Model, recordings: &[Recording]) -> anyhow::Result<Dataset> {
    let mut header = vec![
        ("replication", Count),
        ("time_s", Number),
        ("datetime", DateTime),
        ("kind", Text),
        ("name", Text),
        ("zone", Text),
        ("instance_type", Text),
        ("serving_addresses", Count),
        ("idle_addresses", Count),
        ("leaked_addresses", Count),
        ("primary_addresses", Count),
        ("other_addresses", Count),
        ("free_addresses", Count),
        ("least_free_addresses", Count),
        ("nodes", Count),
        ("enis", Count),
        ("running_pods", Count),
        ("waiting_pods", Count),
        ("most_waiting_pods", Count),
        ("terminating_pods", Count),
        ("unschedulable_pods", Count),
        ("most_unschedulable_pods", Count),
    ];
    let pods_end = header.len();
    if (0..model.vpc.vswitches.len()).any(|i| model.gives_prefixes(VSwitchId::new(i))) {
        header.extend([("reserved_addresses", Count), ("prefix_addresses", Count), ("free_prefixes", Count)]);
    }
    let held_at = header.len();
    let holds = |i: usize| model.holds_addresses(VSwitchId::new(i));
    if (0..model.vpc.vswitches.len()).any(holds) {
        header.push(("held_addresses", Count));
    }
    let mut table = Dataset::new(header)?;
    for recording in recordings {
        let timeline = &recording.timeline;
        for (row, &at) in timeline.at.iter().enumerate() {
            let start = || vec![recording.replication.to_string(), secs(at), datetime(model, at)];
            for (i, vswitch) in model.vpc.vswitches.iter().enumerate() {
                let mut record = start();
                record.extend(["vswitch".to_owned(), vswitch.id.clone(), vswitch.zone.clone(), String::new()]);
                if recording.vswitch_since(model, VSwitchId::new(i)).is_none_or(|since| at < since) {
                    table.row(record)?;
                    continue;
                }
                record.extend(timeline.vswitches[i][row].parts().map(|n| n.to_string()));
                record.push(timeline.least_free[i][row].to_string());
                if let Some(level) = timeline.prefixes[i].get(row) {
                    record.resize(pods_end, String::new());
                    record.push(timeline.vswitches[i][row].reserved.unwrap_or(0).to_string());
                    record.extend([level.addresses, level.free].map(|n| n.to_string()));
                }
                if holds(i) {
                    record.resize(held_at, String::new());
                    record.push(timeline.vswitches[i][row].held.unwrap_or(0).to_string());
                }
                table.row(record)?;
            }
            for (i, (key, zone)) in model.groups().enumerate() {
                let (pool, levels) = (&model.node_pools[key.pool], timeline.groups[i][row]);
                let GroupLevels { nodes, enis, running, waiting, terminating } = levels;
                let numbers = [nodes, enis, running, waiting, timeline.max_waiting[i][row], terminating];
                let instance_type = pool.shapes[key.shape].instance_type.clone();
                let mut record = start();
                record.extend(["node_pool".to_owned(), pool.name.clone(), zone.zone.clone(), instance_type]);
                record.extend(std::iter::repeat_n(String::new(), Holders::POSITIONS.parts().len() + 1));
                record.extend(numbers.map(|n| n.to_string()));
                table.row(record)?;
            }
            let mut record = start();
            record.push("cluster".to_owned());
            record.extend(std::iter::repeat_n(String::new(), pods_end - 6));
            record.push(timeline.unschedulable[row].to_string());
            record.push(timeline.max_unschedulable[row].to_string());
            table.row(record)?;
        }
    }
    Ok(table)
}

/// One row per replication, action and result (`ok` or an error code) that occurs.
pub(super) fn api_calls(recordings: &[Recording]) -> anyhow::Result<Dataset> {
    let mut table = Dataset::new([("replication", Count), ("action", Text), ("result", Text), ("calls", Count)])?;
    for recording in recordings {
        for api in Api::ALL {
            let refused = recording.errors[api.index()];
            // Refused calls are answered calls too.
            let well = recording.calls[api.index()] - refused.iter().sum::<u64>();
            let errors = ErrorCode::ALL.into_iter().map(|code| (code.name(), refused[code.index()]));
            for (result, calls) in std::iter::once(("ok", well)).chain(errors).filter(|&(_, calls)| calls > 0) {
                table.row([&recording.replication.to_string(), api.name(), result, &calls.to_string()])?;
            }
        }
    }
    Ok(table)
}

/// One row per replication, row of the timeline and action that was called since the row before.
pub(super) fn api_timeline(model: &Model, recordings: &[Recording]) -> anyhow::Result<Dataset> {
    let mut table = Dataset::new([
        ("replication", Count),
        ("time_s", Number),
        ("datetime", DateTime),
        ("action", Text),
        ("done", Count),
        ("throttled", Count),
        ("refused", Count),
    ])?;
    for recording in recordings {
        for (at, calls) in recording.timeline.at.iter().zip(&recording.timeline.calls) {
            let start = [recording.replication.to_string(), secs(*at), datetime(model, *at)];
            for (api, calls) in Api::ALL.into_iter().zip(calls).filter(|(_, calls)| **calls != Calls::default()) {
                let numbers = [calls.done, calls.throttled, calls.refused].map(|n| n.to_string());
                table.row(
                    start.iter().map(String::as_str).chain([api.name()]).chain(numbers.iter().map(String::as_str)),
                )?;
            }
        }
    }
    Ok(table)
}

/// One row per life of a pod of the replications that kept them, in the order of creation.
pub(super) fn pods(model: &Model, recordings: &[Recording]) -> anyhow::Result<Dataset> {
    let mut table = Dataset::new([
        ("replication", Count),
        ("pod", Text),
        ("workload", Text),
        ("node", Text),
        ("created_s", Number),
        ("requested_s", Number),
        ("served_s", Number),
        ("wait_s", Number),
        ("failures", Count),
        ("deleted_s", Number),
        ("ended_s", Number),
        ("vswitch", Text),
        ("address", Text),
    ])?;
    for recording in recordings {
        for pod in &recording.pod_log {
            let some = |at: Option<Instant>| at.map(secs).unwrap_or_default();
            let wait = pod.served.zip(pod.requested).map(|(served, requested)| served.since(requested));
            table.row([
                recording.replication.to_string(),
                pod.name.text(model),
                model.workloads[pod.name.workload as usize].name.clone(),
                pod.node.map(|node| recording.node_name(model, node)).unwrap_or_default(),
                secs(pod.created),
                some(pod.requested),
                some(pod.served),
                wait.map(|wait| wait.as_secs_f64().to_string()).unwrap_or_default(),
                pod.failures.to_string(),
                some(pod.deleted),
                some(pod.ended),
                pod.vswitch.map(|id| model.vpc.vswitches[id.index()].id.clone()).unwrap_or_default(),
                pod.address.map(|address| address.to_string()).unwrap_or_default(),
            ])?;
        }
    }
    Ok(table)
}

/// One row per entry of the journals and per step, in order of time.
pub(super) fn events(model: &Model, recordings: &[Recording]) -> anyhow::Result<Dataset> {
    let mut table = Dataset::new([
        ("replication", Count),
        ("time_s", Number),
        ("datetime", DateTime),
        ("kind", Text),
        ("subject", Text),
        ("text", Text),
        ("landmark", Flag),
    ])?;
    // The others keep their landmarks only.
    for recording in recordings.iter().take(1) {
        let mut steps = recording.steps.iter().peekable();
        let mut write = |at: Instant, told: &Told, landmark: bool| {
            let number = recording.replication.to_string();
            let (time, date, landmark) = (secs(at), datetime(model, at), landmark.to_string());
            table.row([&number, &time, &date, told.kind, &told.subject, &told.text.english(), &landmark])
        };
        for entry in &recording.journal {
            while let Some(step) = steps.next_if(|step| step.at < entry.at) {
                write(step.at, &tell(step, model, recording), false)?;
            }
            let JournalEntry { at, landmark, kind, ref subject, ref text } = *entry;
            write(at, &Told { kind, subject: subject.clone(), text: text.clone() }, landmark)?;
        }
        for step in steps {
            write(step.at, &tell(step, model, recording), false)?;
        }
    }
    Ok(table)
}

/// One row per vSwitch of pods, or any of them, and time: how probable it is that it is full by
/// then.
pub(super) fn risk(summary: &Summary) -> anyhow::Result<Dataset> {
    let mut table = Dataset::new([
        ("time_s", Number),
        ("vswitch", Text),
        ("runs", Count),
        ("full", Count),
        ("probability", Number),
        ("low", Number),
        ("high", Number),
    ])?;
    for risk in &summary.risk {
        for FullBy { time_s, full } in &risk.curve {
            let end = |end: fn(Interval) -> f64| full.interval.map(|i| end(i).to_string()).unwrap_or_default();
            table.row([
                time_s.to_string(),
                risk.vswitch.clone(),
                full.runs.to_string(),
                full.hits.to_string(),
                full.share().to_string(),
                end(|i| i.low),
                end(|i| i.high),
            ])?;
        }
    }
    Ok(table)
}

/// One row per reading. A time that never comes is `inf`.
pub(super) fn quantiles(summary: &Summary) -> anyhow::Result<Dataset> {
    let mut table = Dataset::new([
        ("measure", Text),
        ("unit", Text),
        ("runs", Count),
        ("mean", Number),
        ("low", Number),
        ("high", Number),
        ("min", Number),
        ("p5", Number),
        ("p25", Number),
        ("p50", Number),
        ("p75", Number),
        ("p95", Number),
        ("max", Number),
    ])?;
    for Quantiles { measure, unit, estimate: e, p25, p75 } in &summary.quantiles {
        let end = |end: fn(Interval) -> f64| e.interval.map(|i| end(i).to_string()).unwrap_or_default();
        let quantiles = [e.min, e.p5, *p25, e.median, *p75, e.p95, e.max].map(|n| n.to_string());
        let head = [measure.clone(), (*unit).to_owned(), e.runs.to_string(), e.mean.to_string()];
        table.row(head.into_iter().chain([end(|i| i.low), end(|i| i.high)]).chain(quantiles))?;
    }
    Ok(table)
}

/// Seconds since the start.
fn secs(at: Instant) -> String {
    at.as_secs_f64().to_string()
}

/// The calendar time of a point in time; empty without a start, or beyond the year 9999.
fn datetime(model: &Model, at: Instant) -> String {
    let shift = jiff::SignedDuration::from_millis(at.as_millis() as i64);
    let at = model.start.and_then(|start| start.at(0, 0, 0, 0).checked_add(shift).ok());
    at.map(|at| at.to_string()).unwrap_or_default()
}

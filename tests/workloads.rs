//! Workloads and traces, from what a scenario says to the model.

use std::io::Write;
use std::path::Path;

use brimline::chance::SpanDist;
use brimline::model::{
    Concurrency, CountDist, Hpa, Job, Load, PodTemplate, Portion, Replicas, Resources, Rollout, Schedule, Strictness,
    Times, Trace, TracePod, Workload, WorkloadKind, ZoneSpread,
};
use brimline::scenario::{Loaded, describe, load_text};
use brimline::time::{Instant, Span};
use tempfile::TempDir;

/// A scenario with these keys on top, and these workloads.
fn text(top: &str, workloads: &str) -> String {
    format!(
        "# Is it enough?\nname: loads\nhorizon: 30d\n{top}\nvpc:\n  cidr: 10.0.0.0/16\n  vswitches:\n    \
         - {{id: v, zone: z, cidr: 10.0.0.0/20}}\nterway:\n  eni_config: {{max_pool_size: 0, vswitches: {{z: [v]}}}}\n\
         node_pools:\n  - {{name: p, instance_type: ecs.g7.2xlarge, node_vswitch: v, nodes: 5}}\n\
         workloads:\n{workloads}\n"
    )
}

fn loaded(top: &str, workloads: &str, folder: &Path) -> Loaded {
    load_text("loads.yaml", &text(top, workloads), folder).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The one workload that is written.
fn workload(written: &str) -> Workload {
    let mut model = loaded("", &format!("  - {{name: w, {written}}}"), Path::new(".")).model;
    assert_eq!(model.workloads.len(), 1);
    model.workloads.remove(0)
}

/// A folder with one file.
fn folder(name: &str, content: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join(name), content).expect("a writable folder");
    folder
}

/// The trace in this file.
fn trace(top: &str, written: &str, content: &[u8]) -> Result<Trace, String> {
    let folder = folder("t.csv", content);
    let text = text(top, &format!("  - {{name: w, {written}}}"));
    match load_text("loads.yaml", &text, folder.path()) {
        Ok(mut loaded) => match loaded.model.workloads.remove(0).kind {
            WorkloadKind::Trace(trace) => Ok(trace),
            other => panic!("{other:?}"),
        },
        Err(diagnostics) => Err(diagnostics.to_string()),
    }
}

/// The pods of a file, as seconds of arrival and departure; `None` = it stays.
fn pods(top: &str, content: &str) -> Result<Vec<(f64, Option<f64>)>, String> {
    let Trace::Pods(pods) = trace(top, "trace: {pods: {file: t.csv}}", content.as_bytes())? else { panic!("counts") };
    let secs = |at: Instant| at.since(Instant::ZERO).as_secs_f64();
    let depart = |pod: &TracePod| (pod.depart != Instant::NEVER).then(|| secs(pod.depart));
    Ok(pods.iter().map(|pod| (secs(pod.arrive), depart(pod))).collect())
}

fn day(n: u64) -> Instant {
    Instant::ZERO + Span::days(n)
}

#[test]
fn a_deployment_has_the_defaults_of_kubernetes() {
    let Workload { kind, pod, .. } = workload("deployment: {replicas: 7, rollout: {every: 7d, first: 2d}}");
    let at = Times::Every { first: day(2), period: Span::days(7) };
    let quarter = Portion::Share(0.25);
    assert_eq!(
        kind,
        WorkloadKind::Deployment {
            replicas: Replicas::Scheduled(Schedule::Constant(7.0)),
            rollout: Some(Rollout { at, max_surge: quarter, max_unavailable: quarter }),
        }
    );
    let termination = SpanDist::Constant(Span::secs(30));
    assert_eq!(pod, PodTemplate { termination, ..PodTemplate::default() });
}

#[test]
fn a_pod_has_what_is_written() {
    let pod = workload(
        "deployment: {replicas: 7}, requests: {cpu: 500m, memory: 1Gi}, anti_affinity: preferred, readiness: 10s, \
         zone_spread: {max_skew: 2, when_unsatisfiable: schedule_anyway}, termination: 2s, lifetime: 1d, \
         safe_to_evict: false",
    )
    .pod;
    let constant = |secs| SpanDist::Constant(Span::secs(secs));
    assert_eq!(
        pod,
        PodTemplate {
            pod_networkings: Vec::new(),
            host_network: false,
            erdma: false,
            safe_to_evict: false,
            requests: Resources { cpu_milli: 500, memory_mib: 1024 },
            zone_spread: Some(ZoneSpread { max_skew: 2, strictness: Strictness::Preferred }),
            anti_affinity: Some(Strictness::Preferred),
            readiness: constant(10),
            lifetime: Some(constant(86_400)),
            termination: constant(2),
        }
    );
    let spread = workload("deployment: {replicas: 7}, zone_spread: {max_skew: 1}").pod.zone_spread;
    assert_eq!(spread, Some(ZoneSpread { max_skew: 1, strictness: Strictness::Required }));
}

#[test]
fn an_autoscaler_follows_its_load() {
    let hpa = |written: &str| match workload(&format!("deployment: {{replicas: {{hpa: {written}}}}}")).kind {
        WorkloadKind::Deployment { replicas: Replicas::Autoscaled(hpa), .. } => hpa,
        other => panic!("{other:?}"),
    };
    let base = Schedule::Constant(120.0);
    let plain = Hpa {
        min: 1,
        max: 400,
        target: 0.8,
        load: Load { base: base.clone(), daily: 0.0, peak: Span::hours(14), weekend: 1.0, noise: 0.0 },
        sync_period: Span::secs(15),
        tolerance: 0.1,
        stabilization_down: Span::mins(5),
    };
    assert_eq!(hpa("{max: 400, load: {base: 120}}"), plain);
    let full =
        hpa("{min: 10, max: 400, target: 60 %, load: {base: 120, daily: 40 %, peak: 9h, weekend: 70 %, noise: 5 %}, \
         sync_period: 30s, tolerance: 5 %, stabilization_down: 10m}");
    let load = Load { base, daily: 0.4, peak: Span::hours(9), weekend: 0.7, noise: 0.05 };
    let (sync_period, stabilization_down) = (Span::secs(30), Span::mins(10));
    assert_eq!(full, Hpa { min: 10, target: 0.6, load, sync_period, tolerance: 0.05, stabilization_down, ..plain });
}

#[test]
fn sets_are_read() {
    let replicas = Schedule::Constant(5.0);
    let plain = WorkloadKind::StatefulSet { replicas: replicas.clone(), parallel: false, updates: None };
    assert_eq!(workload("stateful_set: {replicas: 5}").kind, plain);
    let updates = Some(Times::At(vec![day(3), day(9)]));
    let full = WorkloadKind::StatefulSet { replicas, parallel: true, updates };
    assert_eq!(workload("stateful_set: {replicas: 5, parallel: true, update: {at: [3d, 9d]}}").kind, full);
    let rollout = |written: &str| match workload(&format!("daemon_set: {{rollout: {{at: 1d{written}}}}}")).kind {
        WorkloadKind::DaemonSet { rollout: Some(rollout) } => (rollout.max_surge, rollout.max_unavailable),
        other => panic!("{other:?}"),
    };
    assert_eq!(rollout(""), (Portion::Count(0), Portion::Count(1)));
    assert_eq!(rollout(", max_surge: 10 %, max_unavailable: 0"), (Portion::Share(0.1), Portion::Count(0)));
    assert!(workload("daemon_set: {host_network: true}").pod.host_network);
}

#[test]
fn jobs_are_read() {
    let job = |written: &str| match workload(written).kind {
        WorkloadKind::Job { at, job, concurrency } => (at.not_before(Instant::ZERO), job, concurrency),
        other => panic!("{other:?}"),
    };
    let duration = SpanDist::Constant(Span::mins(20));
    let batch = Job { parallelism: 200, completions: 1000, duration: duration.clone(), backoff_limit: 50 };
    let written = "job: {at: 2d, parallelism: 200, completions: 1000, duration: 20m, backoff_limit: 50}";
    assert_eq!(job(written), (Some(day(2)), batch, Concurrency::Allow));
    let never = Job { parallelism: 1, completions: 1, duration: duration.clone(), backoff_limit: 0 };
    assert_eq!(job("job: {at: 2d, duration: 20m, backoff_limit: 0}"), (Some(day(2)), never, Concurrency::Allow));
    let nightly = Job { parallelism: 3, completions: 3, duration: duration.clone(), backoff_limit: 6 };
    let written = "cron_job: {schedule: 0 2 * * *, concurrency: forbid, parallelism: 3, duration: 20m}";
    assert_eq!(job(written), (Some(Instant::ZERO + Span::hours(2)), nightly, Concurrency::Forbid));
    let one = Job { parallelism: 1, completions: 1, duration, backoff_limit: 6 };
    let written = "cron_job: {schedule: \"@daily\", duration: 20m}";
    assert_eq!(job(written), (Some(Instant::ZERO), one, Concurrency::Allow));
}

/// The weekday of the first day is that of `start`; 2026-12-01 is a Tuesday.
#[test]
fn a_cron_job_knows_the_calendar() {
    let first = |top: &str| {
        let workloads = "  - {name: w, cron_job: {schedule: \"30 4 * * sat\", duration: 1m}}";
        match &loaded(top, workloads, Path::new(".")).model.workloads[0].kind {
            WorkloadKind::Job { at, .. } => at.not_before(Instant::ZERO),
            other => panic!("{other:?}"),
        }
    };
    let half_past_four = Span::hours(4) + Span::mins(30);
    assert_eq!(first("start: 2026-12-01"), Some(day(4) + half_past_four));
    assert_eq!(first(""), Some(day(5) + half_past_four));
}

#[test]
fn arrivals_are_read() {
    let Workload { kind, pod, .. } = workload(
        "arrivals: {per_hour: 600, group: {geometric: {mean: 2.5}}}, lifetime: {pareto: {minimum: 10s, shape: 1.5}}",
    );
    let per_hour = Schedule::Constant(600.0);
    assert_eq!(kind, WorkloadKind::Arrivals { per_hour, group: CountDist::Geometric { mean: 2.5 } });
    assert_eq!(pod.lifetime, Some(SpanDist::Pareto { minimum: Span::secs(10), shape: 1.5 }));
    match workload("arrivals: {per_hour: 6}, lifetime: 1m").kind {
        WorkloadKind::Arrivals { group, .. } => assert_eq!(group, CountDist::Constant(1)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn recorded_pods_come_in_the_order_of_their_arrivals() {
    let read = pods("", "depart,role,pod,arrive\n1d2h,x,b,90\n,y,c,1.5h\n# none\n60.5,,a,\n");
    assert_eq!(read, Ok(vec![(0.0, Some(60.5)), (90.0, Some(93_600.0)), (5400.0, None)]));
    assert_eq!(pods("", "pod,arrive_s,depart_s\r\na,1,1\r\na,1,2\r\n"), Ok(vec![(1.0, Some(1.0)), (1.0, Some(2.0))]));
}

#[test]
fn timestamps_count_from_the_date_or_the_earliest() {
    let content = "pod,arrive,depart\n\
                   a,2026-12-01T08:00:00+08:00,2026-12-01T01:00:00Z\n\
                   b,,2026-12-01T07:59:59.5+08:00\n";
    assert_eq!(pods("start: 2026-12-01", content), Ok(vec![(0.0, Some(28_799.5)), (28_800.0, Some(32_400.0))]));
    assert_eq!(pods("", content), Ok(vec![(0.0, Some(0.0)), (0.5, Some(3600.5))]));
    let told = pods("start: 2026-12-02", content).expect_err("it is before the start");
    assert!(told.contains("`2026-12-01T08:00:00+08:00` is before `start`"), "{told}");
}

#[test]
fn recorded_pods_have_their_requests_or_those_of_the_workload() {
    let requests = |columns: &str, fields: &str| {
        let content = format!("pod,arrive,depart,{columns}\na,0,1,{fields}\n");
        let written = "trace: {pods: {file: t.csv}}, requests: {cpu: 3, memory: 7Gi}";
        match trace("", written, content.as_bytes()) {
            Ok(Trace::Pods(pods)) => Ok((pods[0].requests.cpu_milli, pods[0].requests.memory_mib)),
            Ok(other) => panic!("{other:?}"),
            Err(told) => Err(told),
        }
    };
    assert_eq!(requests("cpu,memory", "1.5,512Mi"), Ok((1500, 512)));
    assert_eq!(requests("memory,cpu", "2G,250m"), Ok((250, 1908)));
    assert_eq!(requests("cpu,memory", ","), Ok((3000, 7168)));
    assert_eq!(requests("app", "x"), Ok((3000, 7168)));
    assert_eq!(requests("cpu_milli,memory_mib", "6000,2048"), Ok((6000, 2048)));
    for (columns, fields) in
        [("cpu", "-1"), ("cpu", "lots"), ("cpu_milli", "5m"), ("memory", "512"), ("memory", "1e30G")]
    {
        let told = requests(columns, fields).expect_err(fields);
        assert!(told.contains(&format!("`{fields}` is not an amount of")), "{told}");
    }
}

#[test]
fn every_wrong_row_of_a_trace_is_told() {
    let mut content = "pod,arrive,depart\n".to_owned();
    for i in 0..30 {
        // Every second row is wrong: lines 3, 5, 7 and so on.
        content += &format!("a{i},{i},{}\n", if i % 2 == 0 { i + 1 } else { i - 1 });
    }
    let told = pods("", &content).expect_err("half of them are wrong");
    assert_eq!(told.matches("error: this pod departs before it arrives").count(), 10);
    assert!(told.contains("error: 5 more rows are wrong"), "{told}");
    assert!(told.contains("lines 23, 25, 27, 29 and 31"), "{told}");
}

#[test]
fn what_is_wrong_with_a_row_is_told() {
    for (row, wrong) in [
        ("a,1", "this row has 2 fields"),
        ("a,1,2,3", "this row has 4 fields"),
        (",1,2", "this pod has no name"),
        ("a,-1,2", "`-1` is before the start"),
        ("a,soon,2", "`soon` is not a time"),
        ("a,1,NaN", "`NaN` is not a time"),
        ("a,1mo,", "`1mo` is not a time"),
        ("a,2026-12-01T08:00:00,", "`2026-12-01T08:00:00` is not a time"),
        ("a,2026-12-01T08:00:00Z,", "is a timestamp, the first time is not"),
        ("z,5,7", "pod `z` is there twice at the same time"),
    ] {
        let told = pods("", &format!("pod,arrive,depart\nz,0,9\n{row}\n")).expect_err(row);
        assert!(told.contains(wrong) && told.contains("t.csv:3:"), "{row}: {told}");
    }
    for (header, wrong) in [
        ("pod,arrive,cpu", "a trace needs the column `depart`"),
        ("pod,arrive,arrive_s,depart", "there are two columns `arrive`"),
        ("", "a trace needs the column `pod`"),
    ] {
        let told = pods("", header).expect_err(header);
        assert!(told.contains(wrong), "{header}: {told}");
    }
    let told = pods("", "pod,arrive,depart\n").expect_err("it is empty");
    assert!(told.contains("`t.csv` has no rows"), "{told}");
}

/// A pod that stays overlaps all that follow, not just the next.
#[test]
fn all_doubles_of_a_pod_are_told() {
    let told = pods("", "pod,arrive,depart\na,0,100\na,10,20\nb,1,2\na,30,40\n").expect_err("it is there thrice");
    assert_eq!(told.matches("pod `a` is there twice at the same time").count(), 2, "{told}");
}

#[test]
fn recorded_counts_are_read() {
    let content = b"hour,running,peak\n0,10,12\n1,20,22\n3,5.4,30\n";
    let counts = |written: &str| match trace("", written, content) {
        Ok(Trace::Counts { points, lifetime }) => {
            assert_eq!(lifetime, SpanDist::Exponential(Span::days(2)));
            points.iter().map(|&(at, n)| (at.since(Instant::ZERO).as_secs_f64() / 3600.0, n)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let with = |keys: &str| {
        counts(&format!("trace: {{counts: {{file: t.csv{keys}}}, lifetime: {{exponential: {{mean: 2d}}}}}}"))
    };
    assert_eq!(with(""), [(0.0, 10), (1.0, 20), (3.0, 5)]);
    assert_eq!(with(", column: peak, time: hour, unit: 30m"), [(0.0, 12), (0.5, 22), (1.5, 30)]);
    assert_eq!(with(", offset: 1h"), [(0.0, 10), (1.0, 10), (2.0, 20), (4.0, 5)]);
    assert_eq!(with(", time: peak, unit: 1h, column: hour"), [(0.0, 0), (12.0, 0), (22.0, 1), (30.0, 3)]);
}

#[test]
fn compressed_files_are_read() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"hour,pods\n0,10\n24,20\n").expect("memory takes it");
    let packed = gzip.finish().expect("memory takes it");
    let folder = folder("t.csv.gz", &packed);
    let loaded = loaded("", "  - {name: w, deployment: {replicas: {csv: {file: t.csv.gz}}}}", folder.path());
    let WorkloadKind::Deployment { replicas: Replicas::Scheduled(replicas), .. } = &loaded.model.workloads[0].kind
    else {
        panic!("a deployment is written")
    };
    assert_eq!(*replicas, Schedule::Points(vec![(day(0), 10.0), (day(1), 20.0)]));
    std::fs::write(folder.path().join("t.csv.gz"), &packed[..packed.len() / 2]).expect("a writable folder");
    let text = text("", "  - {name: w, deployment: {replicas: {csv: {file: t.csv.gz}}}}");
    let told = load_text("loads.yaml", &text, folder.path()).expect_err("it is cut short").to_string();
    assert!(told.contains("cannot be read"), "{told}");
}

/// `brimline check` tells what is in a trace.
#[test]
fn settings_tell_what_a_trace_holds() {
    let folder = folder("t.csv", b"pod,arrive,depart\na,,4\nb,,\nc,5,6\nd,6,9\ne,7,8\n");
    let loaded = loaded("", "  - {name: w, trace: {pods: {file: t.csv}}}", folder.path());
    let value = |path: &str| {
        let setting = loaded.settings.iter().find(|setting| setting.path == path);
        setting.map(|setting| setting.value.clone()).unwrap_or_default()
    };
    assert_eq!(value("workloads[0].trace.pods"), "t.csv: 5 pods, 2 at the start, at most 3 at once");
    assert_eq!(value("workloads[0].termination"), "0 ms");
    assert!(describe(&loaded).contains("\nworkloads[0]\n  name: w"));
}

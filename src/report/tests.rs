//! Runs of small hand-made models, and what they leave behind.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{Run, terminal, write};
use crate::chance::SpanDist;
use crate::id::VSwitchId;
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::{Config, VSwitchSelection};
use crate::model::{
    Action, Deed, Ensemble, Model, NodePool, Outputs, PoolZone, Schedule, Shape, Tenant, Trigger, VSwitch, Vpc,
    Workload, WorkloadKind,
};
use crate::outcome::{Summary, summarize};
use crate::record::{ActionRecord, Recording};
use crate::scenario::{Origin, Setting, Source};
use crate::sim::{Progress, replicate};
use crate::text::{Lang, Words};
use crate::time::{Instant, Span};

mod chinese;
mod page;

/// A cluster that grows into a /26 with 58 usable addresses, or a larger one.
fn model(prefix: u8, horizon: Span, nodes: f64, pods: f64) -> Model {
    let tenant = Tenant { name: "others".to_owned(), addresses: Schedule::Constant(3.0) };
    let vswitch =
        |id, cidr: &str| VSwitch { tenants: vec![tenant.clone()], ..VSwitch::plain(id, "cn-shanghai-f", cidr) };
    let daemon =
        Config { vswitch_selection: VSwitchSelection::Most, ..Config::plain((3, 15), (3, 8), vec![VSwitchId(1)]) };
    let limits = InstanceLimits { adapters: 4, ipv4_per_adapter: 15, ..InstanceLimits::default() };
    let zone = PoolZone { zone: "cn-shanghai-f".to_owned(), node_vswitch: VSwitchId(0), daemon: daemon.into() };
    let shape = Shape::plain("ecs.g7.2xlarge", limits, vec![zone]);
    let line = |from, to| Schedule::Linear { from, to, over: horizon };
    let vpc = Vpc {
        cidr: "10.0.0.0/8".parse().expect("a block"),
        vswitches: vec![vswitch("vsw-nodes", "10.0.0.0/22"), vswitch("vsw-AAA", &format!("10.1.0.0/{prefix}"))],
    };
    let mut web = Workload::plain("web", WorkloadKind::deployment(line(4.0, pods)), vec![0]);
    web.pod.lifetime = Some(SpanDist::Uniform(Span::hours(2), Span::hours(9)));
    let mut model = Model {
        question: "When is the small vSwitch full?".to_owned(),
        start: Some(jiff::civil::date(2026, 12, 1)),
        seed: 42,
        replications: 4,
        node_pools: vec![NodePool::plain("default", shape, line(2.0, nodes))],
        workloads: vec![web],
        outputs: Outputs { samples: 6, pods: true, events: true, parquet: false },
        ..Model::plain("small", horizon, vpc)
    };
    model.cloud.latency = std::array::from_fn(|_| SpanDist::Uniform(Span::millis(300), Span::millis(2500)));
    model
}

fn tiny() -> Model {
    let mut model = model(26, Span::hours(6), 8.0, 40.0);
    model.replications = 2;
    model
}

fn simulated(model: &Model) -> (Vec<Recording>, Summary) {
    let recordings = replicate(&Ensemble::certain(model.clone()), 0..model.replications, &Progress::default());
    let summary = summarize(model, &recordings);
    (recordings, summary)
}

fn settings() -> Vec<Setting> {
    vec![
        Setting {
            path: "terway.eni_config.max_pool_size".to_owned(),
            value: "8".to_owned(),
            origin: Origin::File { name: "small.yaml".to_owned(), line: 7 },
        },
        Setting {
            path: "seed".to_owned(),
            value: "42".to_owned(),
            origin: Origin::Default { source: "a number".to_owned() },
        },
    ]
}

fn written(root: &Path, model: &Model, threads: usize, wall: Duration) -> std::path::PathBuf {
    let (recordings, summary) = simulated(model);
    let run = Run {
        model,
        summary: &summary,
        findings: &[],
        recordings: &recordings,
        settings: &settings(),
        uncertain: &[],
        sources: &[Source { name: "small.yaml".to_owned(), text: "name: small\n".to_owned() }],
        warnings: &[],
        reproduce: "brimline run small.yaml",
        seek: "brimline seek small.yaml",
        command: "brimline run small.yaml --threads 2",
        wall,
        threads,
        lang: Lang::English,
    };
    write(root, &model.name, &run).expect("the folder can be written")
}

/// The files of a folder with their bytes, except what differs from run to run.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in [folder.to_owned(), folder.join("plots")] {
        for entry in fs::read_dir(&folder).expect("the folder exists") {
            let path = entry.expect("an entry").path();
            if path.is_file() && !path.ends_with("manifest.json") {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                files.push((name, fs::read(&path).expect("a file")));
            }
        }
    }
    files.sort();
    files
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).expect("the file exists")
}

#[test]
fn a_small_run_reads_like_this() {
    let model = tiny();
    let (_, summary) = simulated(&model);
    insta::assert_snapshot!("terminal", terminal(&summary, &[], 80, Lang::English));
    let whole = terminal(&summary, &[], usize::MAX, Lang::English);
    assert_eq!(whole.lines().next(), Some(summary.verdict.text.english().as_str()));
    assert!(terminal(&summary, &[], 80, Lang::English).lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn a_small_run_leaves_these_tables() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = written(root.path(), &tiny(), 1, Duration::from_secs(1));
    insta::assert_snapshot!("timeline.csv", text(&folder, "timeline.csv"));
    insta::assert_snapshot!("api_calls.csv", text(&folder, "api_calls.csv"));
    let risk = text(&folder, "risk.csv");
    assert!(risk.starts_with("time_s,vswitch,runs,full,probability,low,high\n0,vsw-AAA,2,0,0,0,0.65"), "{risk}");
    assert!(risk.contains("\n21600,any,2,2,1,0.34"), "{risk}");
    insta::assert_snapshot!("quantiles.csv", text(&folder, "quantiles.csv"));
    let pods = text(&folder, "pods.csv");
    let header = "replication,pod,workload,node,created_s,requested_s,served_s,wait_s,failures,deleted_s,ended_s,vswitch,\
                  address";
    assert_eq!(pods.lines().next(), Some(header));
    assert!(pods.lines().count() > 40);
    let events = text(&folder, "events.csv");
    let kinds: BTreeSet<_> = events.lines().skip(1).filter_map(|line| line.split(',').nth(3)).collect();
    let all = "alloc_failed call_answered call_refused node_joined pod_asked pod_created pod_ending pod_gone pod_scheduled \
               pod_served vswitch_full";
    assert_eq!(kinds.into_iter().collect::<Vec<_>>().join(" "), all);
    assert!(events.contains("vswitch_full,vsw-AAA,vsw-AAA is full,true"));
    assert!(events.contains("pod_scheduled,web-1,goes to default-"));
    let manifest: serde_json::Value = serde_json::from_str(&text(&folder, "manifest.json")).expect("JSON");
    assert_eq!(manifest["run"]["wall_s"], 1.0);
    assert_eq!(manifest["sources"][0]["text"], "name: small\n");
    assert_eq!(manifest["settings"][0]["origin"]["file"]["line"], 7);
}

#[test]
fn parts_of_a_vswitch_add_up_in_every_row() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = written(root.path(), &tiny(), 1, Duration::ZERO);
    let mut csv = csv::Reader::from_path(folder.join("timeline.csv")).expect("the file exists");
    let mut rows = 0;
    for record in csv.records().map(|record| record.expect("a row")).filter(|record| &record[4] == "vsw-AAA") {
        let sum: u32 = (7..13).map(|i| record[i].parse::<u32>().expect("a count")).sum();
        assert_eq!(sum, 60);
        rows += 1;
    }
    assert_eq!(rows, 2 * 7, "two replications, six intervals");
}

/// What is kept for prefixes has columns of its own, and only then.
#[test]
fn what_is_reserved_has_its_columns() {
    let mut model = tiny();
    model.vpc.vswitches[1].prefix_reservations = vec!["10.1.0.16/28".parse().expect("a block")];
    let run = |model: &Model| crate::sim::run_audited(model, 0, Span::mins(1));
    let of = |model: &Model, recording: &Recording| {
        let table = super::tables::timeline(model, std::slice::from_ref(recording));
        let csv = table.and_then(super::dataset::Dataset::into_csv).expect("it can be written");
        String::from_utf8(csv).expect("it is text")
    };
    let recording = run(&model);
    let timeline = of(&model, &recording);
    let rows: Vec<Vec<&str>> = timeline.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0][22..], ["reserved_addresses", "prefix_addresses", "free_prefixes"]);
    let pods: Vec<_> = rows.iter().filter(|row| row[4] == "vsw-AAA").collect();
    assert!(!pods.is_empty() && pods.iter().all(|row| row[22..] == ["16", "0", "1"]), "nobody takes prefixes");
    let sum = |row: &Vec<&str>| row[7..13].iter().chain(&row[22..23]).map(|n| n.parse::<u32>().unwrap()).sum::<u32>();
    assert!(pods.iter().all(|row| sum(row) == 60), "the parts add up");
    assert!(rows.iter().filter(|row| row[4] == "vsw-nodes").all(|row| row[22..] == ["", "", ""]));
    let pictures = plots(&model, std::slice::from_ref(&recording));
    assert!(pictures.iter().any(|plot| plot.svg.contains("free, kept for prefixes")));
    assert!(!of(&tiny(), &run(&tiny())).contains("prefix"));
}

#[test]
fn threads_and_wall_time_change_no_byte() {
    let root = tempfile::tempdir().expect("a folder");
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| written(root.path(), &tiny(), threads, Duration::from_secs(threads as u64)))
    };
    let (one, two) = (run(1), run(2));
    assert_ne!(one, two);
    assert_eq!(files(&one), files(&two));
}

#[test]
fn what_exists_is_never_touched() {
    let root = tempfile::tempdir().expect("a folder");
    fs::create_dir(root.path().join("small")).expect("a folder");
    fs::write(root.path().join("small/mine"), "mine").expect("a file");
    let folder = written(root.path(), &tiny(), 1, Duration::ZERO);
    assert_eq!(folder, root.path().join("small-2"));
    assert_eq!(written(root.path(), &tiny(), 1, Duration::ZERO), root.path().join("small-3"));
    assert_eq!(fs::read_to_string(root.path().join("small/mine")).expect("still there"), "mine");
    assert_eq!(fs::read_dir(root.path().join("small")).expect("a folder").count(), 1);
    assert_eq!(fs::read_dir(root.path()).expect("a folder").count(), 3, "no draft is left");
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("file");
    fs::write(&file, "").expect("a file");
    let model = tiny();
    let (recordings, summary) = simulated(&model);
    let run = Run {
        model: &model,
        summary: &summary,
        findings: &[],
        recordings: &recordings,
        settings: &[],
        uncertain: &[],
        sources: &[],
        warnings: &[],
        reproduce: "",
        seek: "",
        command: "",
        wall: Duration::ZERO,
        threads: 1,
        lang: Lang::English,
    };
    let error = write(&file, "small", &run).expect_err("a file is no folder");
    assert!(format!("{error:#}").starts_with("cannot create the folder "), "{error:#}");
    // A file that cannot be written in the middle of the work: its name is taken by a folder.
    let draft = super::Draft::new(root.path(), "small").expect("a draft");
    fs::create_dir(draft.0.join("report.html")).expect("a folder");
    let error = super::fill(&draft.0, &run).expect_err("a folder is no file");
    assert!(format!("{error:#}").contains("report.html"), "{error:#}");
    drop(draft);
    assert_eq!(fs::read_dir(root.path()).expect("a folder").count(), 1, "only the file is there");
}

/// Pictures of these runs.
fn plots(model: &Model, recordings: &[Recording]) -> Vec<super::Plot> {
    let pictures = super::plot::all(model, &summarize(model, recordings), recordings, Lang::English);
    pictures.into_iter().map(|picture| picture.plot).collect()
}

/// A vSwitch that an action adds is drawn from then on, and not at all if it never comes to be.
#[test]
fn an_added_vswitch_is_drawn_from_its_beginning_on() {
    let mut model = tiny();
    let added = VSwitch { added_by: Some(0), ..VSwitch::plain("vsw-BBB", "cn-shanghai-f", "10.2.0.0/26") };
    model.vpc.vswitches.push(added);
    model.actions = vec![Action {
        name: "add_vswitch-1".to_owned(),
        text: "vsw-BBB is added".words(),
        trigger: Trigger::At(Instant::ZERO + Span::hours(3)),
        deed: Deed::AddVSwitch(VSwitchId(2)),
    }];
    let (mut recordings, _) = simulated(&model);
    let mut drawn = |began: Option<Instant>| {
        for recording in &mut recordings {
            recording.actions = vec![ActionRecord { began, ended: began, ..ActionRecord::default() }];
        }
        plots(&model, &recordings).into_iter().find(|plot| plot.name == "vswitch-vsw-BBB").map(|plot| plot.svg)
    };
    assert_eq!(drawn(None), None);
    let from_start = drawn(Some(Instant::ZERO)).expect("it is there");
    let later = drawn(Some(Instant::ZERO + Span::hours(3))).expect("it is there");
    // Only the line of its capacity begins in the middle and ends on the right.
    let from_the_middle = |svg: &str| {
        svg.split("points=\"").any(|points| {
            let points = points.split('"').next().unwrap_or_default();
            points.starts_with("884,") && points.contains(" 1624,")
        })
    };
    assert!(!from_the_middle(&from_start) && from_the_middle(&later));
}

/// What the runs do not agree on has pictures of its own.
#[test]
fn uncertain_runs_have_a_fan_and_a_survival_curve() {
    let names = |model: &Model| {
        let (recordings, _) = simulated(model);
        plots(model, &recordings).into_iter().map(|plot| plot.name).collect::<Vec<_>>()
    };
    let mut model = Model { replications: 5, ..tiny() };
    let all = names(&model);
    assert!(["risk", "free-vsw-AAA"].iter().all(|name| all.contains(&(*name).to_owned())), "{all:?}");
    assert!(!all.contains(&"free-vsw-nodes".to_owned()), "{all:?}");
    model.replications = 4;
    assert!(!names(&model).iter().any(|name| name == "risk" || name.starts_with("free")), "few runs say little");
}

#[test]
fn names_cannot_leave_the_folder() {
    assert_eq!(super::file_name("../../etc/passwd"), "-..-etc-passwd");
    assert_eq!(super::file_name(".."), "run");
    assert_eq!(super::file_name("容量 a"), "容量-a");
    assert_eq!(super::file_name(&"量".repeat(99)), "量".repeat(50));
}

#[cfg(feature = "png")]
#[test]
fn pictures_have_text() {
    // Without a font the text would be left out without a word.
    let svg = |text: &str| {
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='200' height='40'>\
             <text x='9' y='30' font-family='sans-serif' font-size='20'>{text}</text></svg>"
        )
    };
    let rasteriser = super::plot::png::Rasteriser::new();
    let (with, without) = (rasteriser.png(&svg("vsw-AAA")), rasteriser.png(&svg("")));
    assert_ne!(with.expect("a PNG"), without.expect("a PNG"));
}

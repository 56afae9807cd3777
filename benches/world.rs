//! The whole simulator. Give a part of a name to run only what has it in its name, with `!` before it what has it
//! not: `cargo bench --bench world -- article`, `cargo bench --bench world -- '200 nodes' '!centralized'`.

mod model;

use std::hash::Hasher;
use std::path::Path;

use brimline::model::{Ensemble, Model};
use brimline::record::Recording;
use brimline::scenario::{Blueprint, Edit};
use brimline::sim::{Progress, replicate};
use brimline::time::Span;
use model::{Allocator, Shape};

/// Two /16 for the pods of 10,000 nodes would not do: a node keeps idle addresses too.
const WIDE: &[&str] = &[
    "10.1.0.0/16",
    "10.2.0.0/16",
    "10.3.0.0/16",
    "10.4.0.0/16",
    "10.5.0.0/16",
    "10.6.0.0/16",
    "10.7.0.0/16",
    "10.8.0.0/16",
];

/// The repository's scenario of the article, edited.
fn article(edits: &[&str]) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/slash19-article.yaml");
    let blueprint = Blueprint::open(&path).expect("the scenario is there");
    let edits = edits.iter().map(|edit| Edit::parse("--set", edit));
    blueprint.with(edits).load().expect("the scenario is valid").model
}

fn cases() -> [(&'static str, Model); 19] {
    let steady = |nodes: f64, pods: f64, days| Shape {
        days,
        nodes: (nodes, nodes),
        pods: (pods, pods),
        blocks: WIDE,
        watermarks: (0, 5),
        lifetime: Span::hours(12),
        replications: 1,
        allocator: Allocator::NodeLocal,
    };
    let centralized = |shape| Shape { allocator: Allocator::Centralized, ..shape }.model();
    let classic = |shape| Shape { allocator: Allocator::Classic, ..shape }.model();
    let brief = Shape { lifetime: Span::hours(1), ..steady(200.0, 5_000.0, 10) };
    let crowded = Shape { blocks: &["10.1.0.0/19"], watermarks: (20, 45), ..steady(500.0, 12_000.0, 2) };
    [
        ("article once: 10 to 400 nodes on a /19, 60 days", Model { replications: 1, ..article(&[]) }),
        ("article once, classic", Model { replications: 1, ..article(&["terway.version=v1.4.4"]) }),
        ("article: the same, 20 replications", article(&[])),
        ("crowded: 500 nodes, 12,000 pods on a /19, 2 days", crowded.model()),
        ("small: 50 nodes, 1,000 pods, 10 days", steady(50.0, 1_000.0, 10).model()),
        ("small: 50 nodes, 1,000 pods, 10 days, centralized", centralized(steady(50.0, 1_000.0, 10))),
        ("crowded: 500 nodes, 12,000 pods on a /19, 2 days, classic", classic(crowded)),
        ("100 nodes, 3,000 pods, 90 days", steady(100.0, 3_000.0, 90).model()),
        ("100 nodes, 3,000 pods, 90 days, centralized", centralized(steady(100.0, 3_000.0, 90))),
        ("100 nodes, 3,000 pods, 90 days, classic", classic(steady(100.0, 3_000.0, 90))),
        ("200 nodes, 5,000 pods of an hour, 10 days", brief.model()),
        ("200 nodes, 5,000 pods of an hour, 10 days, centralized", centralized(brief)),
        ("200 nodes, 5,000 pods of an hour, 10 days, classic", classic(brief)),
        ("10,000 nodes, 300,000 pods, 2 days", steady(10_000.0, 300_000.0, 2).model()),
        ("5,000 nodes, 100,000 pods, 30 days", steady(5_000.0, 100_000.0, 30).model()),
        ("idle: 5,000 nodes, 365 days", steady(5_000.0, 0.0, 365).model()),
        ("a year: 5,000 nodes, 150,000 pods, daily wave, weekly rollout", model::year(5_000.0, 150_000.0, WIDE)),
        ("5,000 nodes, 100,000 pods, 30 days, classic", classic(steady(5_000.0, 100_000.0, 30))),
        ("5,000 nodes, 100,000 pods, 30 days, centralized", centralized(steady(5_000.0, 100_000.0, 30))),
    ]
}

fn main() {
    let (unwanted, wanted): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).partition(|arg| arg.starts_with('!'));
    for (name, model) in cases() {
        let is_wanted = wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
        if is_wanted && !unwanted.iter().any(|part| name.contains(&part[1..])) {
            measure(name, &model);
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn measure(name: &str, model: &Model) {
    let start = std::time::Instant::now();
    let recordings = replicate(&Ensemble::certain(model.clone()), 0..model.replications, &Progress::default());
    let seconds = start.elapsed().as_secs_f64();
    let sum = |of: fn(&Recording) -> u64| recordings.iter().map(of).sum::<u64>() as f64;
    let (events, pod_events) = (sum(|r| r.events), sum(|r| r.pod_events));
    println!("{name}");
    println!(
        "    {seconds:.2} s; {:.1} million events, {:.2} million/s; {:.2} million pod events, {:.0} ns each; \
         peak memory so far {} MiB; results {:016x}",
        events / 1e6,
        events / seconds / 1e6,
        pod_events / 1e6,
        seconds * 1e9 / pod_events,
        peak_mib().map_or_else(|| "unknown".to_owned(), |mib| mib.to_string()),
        hash(&recordings)
    );
}

/// A hash of all that was recorded, but for the number of events, which an optimisation may
/// change.
fn hash(recordings: &[Recording]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    for recording in recordings {
        hasher.write(format!("{:?}", Recording { events: 0, ..recording.clone() }).as_bytes());
    }
    hasher.finish()
}

/// Peak memory of the process, where the system tells (Linux).
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib / 1024)
}

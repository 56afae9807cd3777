//! The whole simulator. Give a part of a name to run only what has it in its name:
//! `cargo bench --bench world -- article`.

mod model;

use std::hash::Hasher;

use brimline::record::Recording;
use brimline::sim::{Progress, replicate};
use brimline::time::Span;
use model::Shape;

/// Two /16 for the pods of 10,000 nodes would not do: a node keeps idle addresses too.
const WIDE: &[&str] = &["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16", "10.5.0.0/16", "10.6.0.0/16"];

fn cases() -> [(&'static str, Shape); 5] {
    let article = Shape {
        days: 90,
        nodes: (10.0, 450.0),
        pods: (100.0, 6_000.0),
        blocks: &["10.1.0.0/19"],
        watermarks: (20, 80),
        lifetime: Span::hours(12),
        replications: 20,
    };
    let steady = |nodes: f64, pods: f64, days| Shape {
        days,
        nodes: (nodes, nodes),
        pods: (pods, pods),
        blocks: WIDE,
        watermarks: (0, 5),
        lifetime: Span::hours(12),
        replications: 1,
    };
    [
        ("article: 10 to 450 nodes on a /19, 90 days, 20 replications", article),
        ("100 nodes, 3,000 pods, 90 days", steady(100.0, 3_000.0, 90)),
        ("10,000 nodes, 300,000 pods, 2 days", steady(10_000.0, 300_000.0, 2)),
        ("5,000 nodes, 100,000 pods, 30 days", steady(5_000.0, 100_000.0, 30)),
        (
            "crowded: 500 nodes, 12,000 pods on a /19, 10 days",
            Shape { blocks: &["10.1.0.0/19"], watermarks: (20, 45), ..steady(500.0, 12_000.0, 10) },
        ),
    ]
}

fn main() {
    let wanted: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    for (name, shape) in cases() {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part)) {
            measure(name, &shape);
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn measure(name: &str, shape: &Shape) {
    let model = shape.model();
    let start = std::time::Instant::now();
    let recordings = replicate(&model, &Progress::default());
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

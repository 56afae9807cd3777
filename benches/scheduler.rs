//! The scheduler in a large cluster: a pod comes and another goes, on 10,000 nodes with about
//! 20 pods each.

use std::time::Instant;

use brimline::chance::SmallStream;
use brimline::cluster::scheduler::{GroupSpec, Rules, Scheduler, Wish};
use brimline::id::NodeId;
use brimline::model::{Resources, Scoring, Strictness, ZoneSpread};

const NODES: u32 = 10_000;
const PODS: usize = 200_000;
const STEPS: usize = 500_000;
/// Nodes that are cordoned and come back, for pods that find no room.
const REFUSED: usize = 200_000;

/// A kind of cluster and of pods.
struct Case {
    name: &'static str,
    allocatable: Resources,
    max_pods: u32,
    scoring: Scoring,
    rules: Rules,
    /// Whether pods differ in what they request.
    mixed: bool,
}

fn main() {
    let bounded = Resources { cpu_milli: 31_850, memory_mib: 116_000 };
    let plain = Rules { node_pools: vec![0], takes_address: true, ..Rules::default() };
    let spread = |strictness| Some(ZoneSpread { max_skew: 1, strictness });
    let case =
        |name, scoring| Case { name, allocatable: bounded, max_pods: 58, scoring, rules: plain.clone(), mixed: true };
    let (least, most) = (Scoring::LeastAllocated, Scoring::MostAllocated);
    let cases = [
        Case { allocatable: Resources::UNBOUNDED, mixed: false, ..case("places only", least) },
        Case { allocatable: Resources::UNBOUNDED, mixed: false, ..case("places only, packed", most) },
        Case { mixed: false, ..case("equal pods", least) },
        Case { mixed: false, ..case("equal pods, packed", most) },
        case("mixed pods", least),
        case("mixed pods, packed", most),
        Case { rules: Rules { zone_spread: spread(Strictness::Required), ..plain.clone() }, ..case("zones", least) },
        Case {
            rules: Rules { zone_spread: spread(Strictness::Preferred), ..plain.clone() },
            ..case("zones, soft", least)
        },
        Case { rules: Rules { spread_by_default: true, ..plain.clone() }, ..case("mixed, by default", least) },
        Case {
            rules: Rules { anti_affinity: Some(Strictness::Preferred), ..plain.clone() },
            ..case("hosts, soft", least)
        },
    ];
    println!("{NODES} nodes, {PODS} pods: ns per pod that is removed and another that is placed; ns per pod refused");
    cases.iter().for_each(run);
}

fn wish(requests: Resources) -> Wish {
    Wish { workload: 0, requests, zone: None }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn run(case: &Case) {
    let zones = 0..3;
    let Case { allocatable, max_pods, .. } = *case;
    let groups = zones.map(|zone| GroupSpec { pool: 0, zone, allocatable, max_pods });
    let mut scheduler = Scheduler::new(groups, [case.rules.clone()], case.scoring, SmallStream::new(1));
    (0..NODES).for_each(|node| scheduler.add_node(NodeId(node), node as usize % 3, Resources::default()));
    let mut chance = SmallStream::new(2);
    let mut pod = || match case.mixed {
        true => Resources { cpu_milli: 50 * (1 + chance.below(50)), memory_mib: 128 * (1 + chance.below(60)) },
        false => Resources { cpu_milli: 1000, memory_mib: 2048 },
    };
    let mut place = |scheduler: &mut Scheduler| {
        let requests = pod();
        (scheduler.place(wish(requests)).expect("there is room"), requests)
    };
    let mut pods: Vec<_> = (0..PODS).map(|_| place(&mut scheduler)).collect();
    let mut victims = SmallStream::new(3);
    let begin = Instant::now();
    for _ in 0..STEPS {
        let victim = victims.below(PODS as u32) as usize;
        let (node, requests) = pods[victim];
        scheduler.leaving(0, node);
        scheduler.remove(0, requests, node);
        pods[victim] = place(&mut scheduler);
    }
    let churn = begin.elapsed().as_nanos() / STEPS as u128;
    let begin = Instant::now();
    let large = Resources { cpu_milli: 31_800, memory_mib: 116_000 };
    let mut refused = 0;
    for _ in 0..REFUSED {
        // A node gets a little more room, which is not enough.
        let (node, requests) = pods[victims.below(PODS as u32) as usize];
        scheduler.leaving(0, node);
        scheduler.remove(0, requests, node);
        refused += u32::from(scheduler.place(wish(large)).is_err_and(|_| true));
        scheduler.add(0, requests, node);
    }
    let wait = begin.elapsed().as_nanos() / REFUSED as u128;
    println!(
        "{:20} {churn:6} ns {:>12}",
        case.name,
        if refused as usize == REFUSED { format!("{wait} ns") } else { "-".into() }
    );
}

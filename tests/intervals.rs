//! Intervals are honest: where the truth is known, a 95 % interval holds it in 93 to 97 % of 1,000
//! experiments, each with new chance, through the whole simulator.

use brimline::chance::SpanDist;
use brimline::id::VSwitchId;
use brimline::ipam::limits::InstanceLimits;
use brimline::ipam::node_local::Config;
use brimline::model::{
    CountDist, Ensemble, HalfWidth, Holder, Model, NodePool, PodReading, PoolZone, Precision, Reading, Schedule, Shape,
    VSwitch, VSwitchReading, Vpc, Workload, WorkloadKind,
};
use brimline::outcome::{Estimate, Interval, Proportion};
use brimline::sim::Progress;
use brimline::study;
use brimline::time::Span;
use rayon::prelude::*;

const EXPERIMENTS: usize = 1000;
const PODS: VSwitchId = VSwitchId(1);

/// Pods that come by themselves, `per_hour`, onto `nodes` whose daemons keep `idle` addresses.
fn arrivals(horizon: Span, prefix: u8, nodes: f64, idle: (u32, u32), per_hour: f64) -> Model {
    let limits = InstanceLimits { adapters: 4, ipv4_per_adapter: 15, ..InstanceLimits::default() };
    let daemon = Config::plain((3, 15), idle, vec![PODS]);
    let zone = PoolZone { zone: "z".to_owned(), node_vswitch: VSwitchId(0), daemon: daemon.into() };
    let shape = Shape::plain("ecs.g7.2xlarge", limits, vec![zone]);
    let vswitches = vec![
        VSwitch::plain("vsw-nodes", "z", "10.0.0.0/24"),
        VSwitch::plain("vsw-pods", "z", &format!("10.1.0.0/{prefix}")),
    ];
    let vpc = Vpc { cidr: "10.0.0.0/8".parse().expect("a block"), vswitches };
    let per_hour = Schedule::Constant(per_hour);
    let kind = WorkloadKind::Arrivals { per_hour, group: CountDist::Constant(1) };
    Model {
        node_pools: vec![NodePool::plain("p", shape, Schedule::Constant(nodes))],
        workloads: vec![Workload::plain("w", kind, vec![0])],
        ..Model::plain("known", horizon, vpc)
    }
}

/// Ten pods an hour, each with its address for an hour and a bit, where nothing is scarce, and
/// the addresses that they have on average: the queue M/G/∞.
///
/// By Little's law that is the rate of arrivals times the mean time for which a pod has its
/// address: its life, which begins with the address, and its teardown; pods of `arrivals` end by
/// themselves, so there is no termination. A wait for the address comes before and adds nothing. From empty, the mean is reached for good as soon
/// as the longest such time is over, which the warm-up is longer than.
fn queue() -> (Model, f64) {
    let mut model = arrivals(Span::hours(5), 24, 2.0, (10, 20), 10.0);
    model.warm_up = Span::hours(2);
    model.workloads[0].pod.lifetime = Some(SpanDist::Uniform(Span::mins(30), Span::mins(90)));
    model.kubelet.teardown = SpanDist::Uniform(Span::secs(1), Span::secs(3));
    (model, 10.0 * (3600.0 + 2.0) / 3600.0)
}

fn held() -> Reading {
    Reading::VSwitch(PODS, VSwitchReading::Mean(Holder::Pods))
}

/// The values of a reading in each run.
fn values(model: &Model, runs: usize, reading: Reading) -> Vec<f64> {
    let all = study::read(&Ensemble::certain(model.clone()), 0..runs as u32, &[reading], &Progress::default());
    all.into_iter().map(|run| run[0].expect("every run has it")).collect()
}

fn holds(interval: Option<Interval>, truth: f64) -> bool {
    interval.is_some_and(|interval| (interval.low..=interval.high).contains(&truth))
}

#[test]
fn students_interval_of_a_mean_over_time_is_honest() {
    const RUNS: usize = 10;
    let (model, truth) = queue();
    let values = values(&model, EXPERIMENTS * RUNS, held());
    let held = values.chunks(RUNS).filter(|runs| holds(Estimate::of(runs).expect("runs").interval, truth)).count();
    println!("{held} of {EXPERIMENTS} hold {truth:.3}; the mean of all runs is {:.3}", mean(&values));
    assert!((930..=970).contains(&held), "{held}");
    // All runs together tell a wrong truth apart from the right one.
    assert!(holds(Estimate::of(&values).expect("runs").interval, truth));
}

/// Looking at the interval until it is narrow enough makes it a little less sure.
#[test]
fn an_interval_that_decided_when_to_stop_is_nearly_as_honest() {
    let (model, truth) = queue();
    let precision = Precision { reading: held(), name: "held".to_owned(), half_width: HalfWidth::OfMean(0.1) };
    let experiment = |seed: usize| {
        let model = Model { seed: seed as u64, replications: 100, precision: Some(precision.clone()), ..model.clone() };
        let runs = study::run(&Ensemble::certain(model), &Progress::default());
        let values: Vec<f64> = runs.iter().map(|run| run.vswitches[PODS.index()].mean.pods).collect();
        (holds(Estimate::of(&values).expect("runs").interval, truth), values.len())
    };
    let done: Vec<_> = (0..EXPERIMENTS).into_par_iter().map(experiment).collect();
    let held = done.iter().filter(|(held, _)| *held).count();
    let runs: Vec<f64> = done.iter().map(|&(_, runs)| runs as f64).collect();
    println!("{held} of {EXPERIMENTS} hold {truth:.3}, after {:.1} runs", mean(&runs));
    assert!((900..=970).contains(&held), "{held}");
    assert!(runs.iter().any(|&n| n > 10.0) && runs.iter().all(|&n| n < 100.0), "the rule decides");
}

/// A vSwitch of 12 addresses, and pods that come by chance, never end, and of which no address is
/// kept idle: it is full as soon as a thirteenth pod comes. Their number has a Poisson
/// distribution.
#[test]
fn wilsons_interval_of_a_probability_is_honest() {
    const RUNS: usize = 40;
    const USABLE: u32 = 12;
    let expected = 11.0;
    let model = arrivals(Span::hours(12), 28, 1.0, (0, 0), expected / 12.0);
    let readings = [Reading::VSwitch(PODS, VSwitchReading::TimeToFull), Reading::Pods(PodReading::Requested)];
    let runs = (EXPERIMENTS * RUNS) as u32;
    let read = study::read(&Ensemble::certain(model), 0..runs, &readings, &Progress::default());
    let full: Vec<bool> = read.iter().map(|run| run[0].is_some_and(f64::is_finite)).collect();
    let many = read.iter().map(|run| run[1] > Some(f64::from(USABLE)));
    // One that comes in the last second is not refused any more.
    let differ = full.iter().zip(many).filter(|(full, many)| *full != many).count();
    assert!(differ <= full.len() / 5000, "{differ} runs are full for another reason");
    let at_most_usable: f64 = (0..=USABLE).map(|n| poisson(expected, n)).sum();
    let truth = 1.0 - at_most_usable;
    let hits = |runs: &[bool]| runs.iter().filter(|&&full| full).count();
    let held = full.chunks(RUNS).filter(|runs| holds(Proportion::new(hits(runs), RUNS).interval, truth)).count();
    // What the interval's own arithmetic promises at this probability.
    let promised: f64 = (0..=RUNS)
        .filter(|&hits| holds(Proportion::new(hits, RUNS).interval, truth))
        .map(|hits| binomial(RUNS as u32, hits as u32, truth))
        .sum();
    println!("{held} of {EXPERIMENTS} hold {truth:.4}, {promised:.3} are promised; full in {} runs", hits(&full));
    assert!((930..=970).contains(&held) && (0.93..=0.97).contains(&promised), "{held}, {promised}");
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn poisson(mean: f64, n: u32) -> f64 {
    (1..=n).fold((-mean).exp(), |p, k| p * mean / f64::from(k))
}

fn binomial(runs: u32, hits: u32, share: f64) -> f64 {
    let ways = (1..=hits).fold(1.0, |ways, k| ways * f64::from(runs - hits + k) / f64::from(k));
    ways * share.powi(hits as i32) * (1.0 - share).powi((runs - hits) as i32)
}

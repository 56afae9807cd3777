//! Runs until they are precise enough.

use std::path::Path;

use brimline::model::{HalfWidth, Holder, Precision, Reading, VSwitchReading};
use brimline::outcome::{precision, summarize};
use brimline::record::Recording;
use brimline::scenario::{Blueprint, Edit, Loaded};
use brimline::sim::Progress;
use brimline::study;

/// Pods that come by chance, in a number that nobody knows.
const SCENARIO: &str = "\
# How many addresses do they take?
name: chance
horizon: 10h
warm_up: 3h
replications: {until: {measure: vsw-pods.pods.mean, half_width: 10 %}, at_most: 40}
vpc:
  cidr: 10.0.0.0/8
  vswitches:
    - {id: vsw-nodes, zone: z, cidr: 10.0.0.0/24}
    - {id: vsw-pods, zone: z, cidr: 10.1.0.0/24}
terway:
  eni_config: {max_pool_size: 5, min_pool_size: 0, vswitches: {z: [vsw-pods]}}
node_pools:
  - {name: default, instance_type: ecs.g7.2xlarge, node_vswitch: vsw-nodes, nodes: 2}
workloads:
  - {name: jobs, arrivals: {per_hour: [8, 12]}, lifetime: 1h}
";

fn loaded(edits: &[&str]) -> Loaded {
    let blueprint = Blueprint::of_text("chance.yaml", SCENARIO, Path::new("."));
    let edits = edits.iter().map(|text| Edit::parse("--set", text));
    blueprint.with(edits).load().unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn runs(loaded: &Loaded, threads: usize) -> Vec<Recording> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(|| study::run(&loaded.ensemble(), &Progress::default()))
}

#[test]
fn a_precision_is_read_as_it_is_written() {
    let model = loaded(&[]).model;
    let reading = Reading::VSwitch(brimline::id::VSwitchId(1), VSwitchReading::Mean(Holder::Pods));
    let name = "vsw-pods.pods.mean".to_owned();
    assert_eq!(model.precision, Some(Precision { reading, name, half_width: HalfWidth::OfMean(0.1) }));
    assert_eq!(model.replications, 40);
    let model = loaded(&["replications.until={measure: pods.wait.p99, half_width: 5s}"]).model;
    assert_eq!(model.precision.map(|p| p.half_width), Some(HalfWidth::Absolute(5.0)));
    let model = loaded(&["replications=7"]).model;
    assert_eq!((model.replications, model.precision), (7, None));
}

#[test]
fn runs_stop_when_they_are_precise_enough_on_any_number_of_threads() {
    let loaded = loaded(&[]);
    let wanted = loaded.model.precision.as_ref().expect("it is written");
    let one = runs(&loaded, 1);
    assert!((10..40).contains(&one.len()), "{} runs", one.len());
    assert!(precision(wanted, &loaded.model, &one).reached);
    let means = |runs: &[Recording]| runs.iter().map(|r| r.vswitches[1].mean.pods).collect::<Vec<_>>();
    assert_eq!(means(&one), means(&runs(&loaded, 2)));
    let told = summarize(&loaded.model, &one).method;
    assert_eq!((told.replications, told.precision.map(|p| p.reached)), (one.len(), Some(true)));
}

#[test]
fn what_cannot_be_reached_ends_at_the_most_runs_and_says_so() {
    let loaded = loaded(&["replications.until.half_width=0.1 %"]);
    let runs = runs(&loaded, 2);
    assert_eq!(runs.len(), 40);
    let told = summarize(&loaded.model, &runs).method.precision.expect("it is wanted");
    assert!(
        !told.reached && told.text.english().ends_with("not as precise as wanted (± <1 % of the mean)."),
        "{told:?}"
    );
}

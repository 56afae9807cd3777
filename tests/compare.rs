//! `brimline compare`, as its users meet it.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const SMALL: &str = "\
# Is this a small scenario?
name: small
horizon: 3h
seed: 1
replications: 12
vpc:
  cidr: 10.0.0.0/16
  vswitches:
    - {id: vsw-nodes, zone: z, cidr: 10.0.0.0/24}
    - {id: vsw-pods, zone: z, cidr: 10.0.1.0/27}
terway:
  eni_config: {max_pool_size: 5, min_pool_size: 0, vswitches: {z: [vsw-pods]}}
node_pools:
  - {name: default, instance_type: ecs.g7.xlarge, node_vswitch: vsw-nodes, nodes: 2}
workloads:
  - {name: web, deployment: {replicas: {linear: {from: 5, to: 40}}}, lifetime: {exponential: {mean: 1h}}}
";

const LARGER: &str = "larger: vpc.vswitches.vsw-pods.cidr=10.0.1.0/26";
const USED: &str = "used: vpc.vswitches.vsw-pods.used=3";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("a.yaml"), SMALL).expect("a writable folder");
    folder
}

/// Exit code, standard output, standard error.
fn compare(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("brimline").expect("the binary is built");
    let output = command.current_dir(folder).arg("compare").args(arguments).output().expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

fn json(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join("output").join(name).join("compare.json")).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

/// The difference of a measure between the first one and a further variant.
fn difference(answer: &Value, variant: usize, measure: &str, statistic: &str) -> Value {
    let all = answer["contrasts"][variant]["differences"].as_array().expect("a list");
    let found = all.iter().find(|d| d["measure"] == measure && d["statistic"] == statistic);
    found.unwrap_or_else(|| panic!("no {measure}")).clone()
}

#[test]
fn variants_of_one_file_are_compared_with_it() {
    let folder = folder();
    let (code, out, err) = compare(folder.path(), &["a.yaml", "--variant", LARGER, "--variant", USED]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with("small: vsw-pods (/27, 28 usable) is full"), "{out}");
    assert!(lines[1].starts_with("larger: No vSwitch runs full"), "{out}");
    assert!(lines[2].starts_with("used: vsw-pods (/27, 28 usable) is full"), "{out}");
    assert_eq!(lines[4], "larger is full in 0 of 12 runs, small in 12 of 12 runs.");
    assert!(lines[6].starts_with("used is full ") && lines[6].contains(" minutes earlier than small (95 %: "), "{out}");
    assert_eq!(lines.last(), Some(&"Report: output/small-compare/compare.html"));
    let full = lines.iter().find(|line| line.starts_with("vswitch is full ")).expect("the most important row");
    assert_eq!(full.split_whitespace().skip(3).collect::<Vec<_>>().join(" "), "12 of 12 0 of 12 -12 runs real");
    let tables = lines[8..].iter().take_while(|line| !line.starts_with("12 pairs of runs"));
    assert!(tables.filter(|line| line.contains("  ")).all(|line| line.chars().count() <= 80), "{out}");
    let answer = json(folder.path(), "small-compare");
    let share = difference(&answer, 0, "vswitch.time_to_full", "share");
    assert_eq!((&share["difference"], &share["reality"]), (&Value::from(-1.0), &Value::from("real")));
    let time = difference(&answer, 0, "vswitch.time_to_full", "mean");
    assert_eq!((&time["pairs"], &time["variant"]["never"]), (&Value::from(0), &Value::from(12)));
    assert_eq!(answer["variants"][1]["origin"], "a.yaml with vpc.vswitches.vsw-pods.cidr=10.0.1.0/26");
    assert!(answer["common_random_numbers"]["median_error_ratio"].as_f64().is_some_and(|ratio| ratio > 0.0));
}

/// The differences are those of the runs, one by one.
#[test]
fn differences_are_those_of_single_runs() {
    let folder = folder();
    compare(folder.path(), &["a.yaml", "--variant", USED, "--quiet"]);
    let found = difference(&json(folder.path(), "small-compare"), 0, "vsw-pods.time_to_full", "mean");
    let full = |used: Option<&str>| -> Vec<f64> {
        let edits = used.map(|text| brimline::scenario::Edit::parse("--set", text));
        let blueprint = brimline::scenario::Blueprint::of_text("a.yaml", SMALL, folder.path()).with(edits);
        let model = blueprint.load().expect("it loads").model;
        let ensemble = brimline::model::Ensemble::certain(model);
        let runs = brimline::study::run(&ensemble, &brimline::sim::Progress::default());
        runs.iter().map(|run| run.vswitches[1].first_refusal.expect("it is full").at.0 as f64 / 1e9).collect()
    };
    let (a, b) = (full(None), full(Some("vpc.vswitches.vsw-pods.used=3")));
    let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
    let mean = differences.iter().sum::<f64>() / 12.0;
    let error = (differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 11.0 / 12.0).sqrt();
    let near = |found: &Value, wanted: f64| {
        let found = found.as_f64().expect("a number");
        assert!((found - wanted).abs() < 1e-3 * wanted.abs().max(1e-3), "{found} is not {wanted}");
    };
    near(&found["difference"], mean);
    // Student's factor for eleven degrees of freedom.
    near(&found["interval"]["low"], mean - 2.200_99 * error);
    near(&found["interval"]["high"], mean + 2.200_99 * error);
}

#[test]
fn two_files_share_the_first_ones_seed_and_runs_and_what_only_one_has_is_told() {
    let folder = folder();
    let other = SMALL.replace("seed: 1", "seed: 2").replace("replications: 12", "replications: 3");
    let third = "    - {id: vsw-more, zone: z, cidr: 10.0.2.0/26}\nterway:";
    let other = other.replace("terway:", third).replace("[vsw-pods]", "[vsw-pods, vsw-more]");
    std::fs::write(folder.path().join("b.yaml"), other).expect("a writable folder");
    let (code, out, err) = compare(folder.path(), &["a.yaml", "b.yaml"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("b.yaml states seed 2; it runs with that of the first, 1"), "{err}");
    assert!(err.contains("b.yaml states 3 replications; it runs as often as the first, 12 times"), "{err}");
    assert!(out.starts_with("a.yaml: ") && out.contains("\nb.yaml: "), "both are called small: {out}");
    assert!(out.contains("Only b.yaml has vSwitch vsw-more."), "{out}");
    let answer = json(folder.path(), "small-compare");
    assert_eq!((&answer["seed"], &answer["replications"]), (&Value::from(1), &Value::from(12)));
    let (_, _, err) = compare(folder.path(), &["a.yaml", "b.yaml", "--seed", "5", "--replications", "2"]);
    assert_eq!(err, "", "the command line decides for both");
}

#[test]
fn the_same_twice_has_no_difference() {
    let folder = folder();
    let (code, out, _) = compare(folder.path(), &["a.yaml", "--variant", "again: seed=1"]);
    assert_eq!(code, 0);
    assert!(out.contains("\nagain and small do the same in every run.\n"), "{out}");
    assert!(!out.contains("real  ") && !out.contains("chance?"), "{out}");
    let (_, out, _) = compare(folder.path(), &["a.yaml", "--variant", LARGER, "--replications", "1"]);
    assert!(out.contains("One run each tells nothing about larger and small"), "{out}");
}

#[test]
fn every_file_is_the_same_for_any_number_of_threads() {
    let folder = folder();
    let run = |threads: &str| compare(folder.path(), &["a.yaml", "--variant", LARGER, "--threads", threads]).1;
    let (one, three) = (run("1"), run("3"));
    assert_eq!(one.replace("small-compare/", "small-compare-2/"), three);
    for file in ["compare.csv", "compare.json", "compare.html"] {
        let read = |name: &str| std::fs::read(folder.path().join("output").join(name).join(file)).expect("a file");
        assert_eq!(read("small-compare"), read("small-compare-2"), "{file} depends on the number of threads");
    }
}

#[test]
fn the_page_needs_nothing_and_the_table_has_every_measure() {
    let folder = folder();
    compare(folder.path(), &["a.yaml", "--variant", "<b>evil</b>: seed=1; vpc.vswitches.vsw-pods.used=1"]);
    let read =
        |file: &str| std::fs::read_to_string(folder.path().join("output/small-compare").join(file)).expect("a file");
    let page = read("compare.html");
    assert!(!page.contains("<b>evil") && page.contains("&lt;b&gt;evil"), "a name became a tag");
    assert_eq!(page.matches("<svg").count(), 3, "two vSwitches and the waits");
    let rest = page.replace("http://www.w3.org/2000/svg", "");
    for reference in ["src=", "href=", "@import", "url(", "http://", "https://", "<script"] {
        assert!(!rest.contains(reference), "the page refers to something with {reference}");
    }
    let csv = read("compare.csv");
    let model = brimline::scenario::load_text("a.yaml", SMALL, folder.path()).expect("it loads").model;
    for (name, _) in model.readings() {
        assert!(csv.lines().any(|line| line.contains(&format!(",{name},mean,"))), "{name} is missing");
    }
}

/// What the question is about is shown, and tested alone.
#[test]
fn one_question_is_tested_alone() {
    let folder = folder();
    let measures = ["--measure", "P(any pod waits > 60s before 2h)", "--measure", "pods.never_served"];
    let arguments = [&["a.yaml", "--variant", LARGER][..], &measures].concat();
    let (code, out, err) = compare(folder.path(), &arguments);
    assert_eq!(code, 0, "{err}");
    let answer = json(folder.path(), "small-compare");
    let statement = difference(&answer, 0, measures[1], "share");
    assert_eq!((&answer["tested"]["headlines"], &statement["family"]), (&Value::from(2), &Value::from("headline")));
    assert_eq!((&statement["first"]["finite"], &statement["first"]["value"]), (&Value::from(9), &Value::Null));
    assert_eq!(statement["variant"]["finite"], 0, "no pod waits so long: {statement}");
    let p = statement["p"].as_f64().expect("there are pairs");
    assert!((p / (2.0 * 0.5_f64.powi(9)) - 1.0).abs() < 1e-9 && statement["reality"] == "real", "{statement}");
    let table = out.split_once("larger against small").expect("a table").1;
    assert!(table.contains("P(any pod waits > 60s before 2h)") && table.contains("pods.never_served"), "{table}");
    assert!(!table.contains("vswitch.free.min"), "{table}");
    let (code, _, err) = compare(folder.path(), &["a.yaml", "--variant", LARGER, "--measure", "pods.nevr_served"]);
    assert!(code == 2 && err.contains("did you mean `pods.never_served`?"), "{err}");
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = folder();
    for (arguments, told) in [
        (vec!["a.yaml"], "one scenario alone cannot be compared"),
        (vec!["a.yaml", "a.yaml"], "two variants are called `a.yaml`"),
        (vec!["a.yaml", "--variant", "x: sed=3"], "a scenario has no key `sed`"),
        (vec!["a.yaml", "--variant", "x"], "gets no value"),
        (vec!["a.yaml", "nowhere.yaml"], "nowhere.yaml"),
    ] {
        let (code, out, err) = compare(folder.path(), &arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(told), "{arguments:?}: {err}");
    }
    assert!(!folder.path().join("output").exists());
}

//! Why a pod waited and what happened to a node, in sentences; what a run's folder says is done again.

use std::collections::BTreeSet;
use std::path::Path;

use brimline::explain::{Whom, explain};
use brimline::model::{Model, WorkloadKind};
use brimline::outcome::Clock;
use brimline::record::{Detail, PodRow, Recording};
use brimline::report::story;
use brimline::scenario::load;
use brimline::sim::{Progress, run, run_in_detail};
use brimline::text::Lang;
use serde_json::Value;

fn model(name: &str) -> Model {
    let path = format!("scenarios/{name}.yaml");
    load(Path::new(&path)).unwrap_or_else(|diagnostics| panic!("{diagnostics}")).model
}

fn told(name: &str, whom: &Whom, at: Option<&str>) -> String {
    let at = at.map(|at| Clock::parse_moment(at).expect("a moment"));
    let (explanation, _) = explain(&model(name), 0, whom, at, &Progress::default()).expect("somebody of that name");
    story(&explanation, 80, Lang::English)
}

#[test]
fn the_first_pod_that_waited() {
    for name in ["teaching-slash26", "two-vswitches", "rollout-surge"] {
        insta::assert_snapshot!(format!("first_{name}"), told(name, &Whom::First, None));
    }
}

/// What the documentation shows is what the program says.
#[test]
fn the_documentation_shows_a_story() {
    let page = std::fs::read_to_string("docs/explain.md").expect("it is in the repository");
    assert!(page.contains(told("rollout-surge", &Whom::First, None).trim_end()));
}

#[test]
fn a_pod_of_a_stateful_set_keeps_its_name_in_all_its_lives() {
    let pod = Whom::Pod("db-0".to_owned());
    let first = told("zone-outage", &pod, None);
    assert!(first.contains("db-0 has 2 lives (--at tells of another), made at day 1 00:00:00.0, day 4"), "{first}");
    let second = told("zone-outage", &pod, Some("5d"));
    assert!(!second.contains("day 1 00:00:00.0  db-0 is made"), "{second}");
    assert!(second.contains("db-0 is made"), "{second}");
}

#[test]
fn the_story_of_a_node() {
    insta::assert_snapshot!(told("rollout-surge", &Whom::Node("default-4".to_owned()), None));
    let around = told("teaching-slash26", &Whom::Node("small-1".to_owned()), Some("2:10"));
    insta::assert_snapshot!("node_around_a_moment", around);
}

fn detailed(model: &Model) -> Recording {
    run_in_detail(model, 0, Detail { pods: true, events: true, node: None }, &Progress::default())
}

/// A name is one pod's; that of a StatefulSet has it in all its lives, one after the other.
#[test]
fn names_are_unique() {
    for name in ["teaching-slash26", "zone-outage", "autoscaled-night"] {
        let model = model(name);
        let recording = detailed(&model);
        let mut known = BTreeSet::new();
        for life in &recording.pod_log {
            let is_sticky =
                matches!(model.workloads[life.name.workload as usize].kind, WorkloadKind::StatefulSet { .. });
            assert!(known.insert(life.name) || is_sticky, "{}", life.name.text(&model));
        }
        for name in known {
            let lives: Vec<&PodRow> = recording.pod_log.iter().filter(|life| life.name == name).collect();
            for two in lives.windows(2) {
                assert!(two[0].ended.is_some_and(|ended| ended <= two[1].created), "{}", name.text(&model));
            }
        }
    }
}

/// Looking closely changes nothing, and the steps say the same as the tallies.
#[test]
fn a_detailed_run_is_the_same_run() {
    for name in ["teaching-slash26", "zone-outage"] {
        let mut model = model(name);
        (model.outputs.pods, model.outputs.events) = (false, false);
        let (plain, detailed) = (run(&model, 0, &Progress::default()), detailed(&model));
        assert!(plain.steps.is_empty() && plain.pod_log.is_empty());
        assert_eq!(plain.calls, detailed.calls);
        assert_eq!(plain.binding, detailed.binding);
        assert_eq!((plain.events, plain.pod_events), (detailed.events, detailed.pod_events));
        let count = |kind: fn(&brimline::record::What) -> bool| {
            detailed.steps.iter().filter(|step| kind(&step.what)).count() as u64
        };
        use brimline::record::What;
        assert_eq!(count(|what| matches!(what, What::Call(_))), detailed.calls.iter().sum::<u64>());
        assert_eq!(count(|what| matches!(what, What::Served { .. })), detailed.pods.served);
        assert_eq!(count(|what| matches!(what, What::Scheduled(_))), detailed.pods.requested);
        let failures = detailed.pods.failures.iter().sum::<u64>();
        assert_eq!(count(|what| matches!(what, What::Failed { .. })), failures);
        assert_eq!(detailed.pod_log.iter().map(|life| u64::from(life.failures)).sum::<u64>(), failures);
        assert!(detailed.steps.is_sorted_by_key(|step| step.at));
    }
}

/// Exit code, standard output, standard error.
fn brimline(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("brimline").expect("the binary is built");
    let output = command.current_dir(folder).args(arguments).output().expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// A run's folder is enough, whatever became of the scenario's file.
#[test]
fn a_run_is_done_again_from_its_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = std::fs::read_to_string("scenarios/teaching-slash26.yaml").expect("it is in the repository");
    std::fs::write(folder.path().join("s.yaml"), scenario).expect("a writable folder");
    let set = "workloads.web.deployment.replicas=58";
    let (code, _, err) =
        brimline(folder.path(), &["run", "s.yaml", "--set", set, "--seed", "5", "--replications", "2", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    std::fs::remove_file(folder.path().join("s.yaml")).expect("it is there");
    let run = "output/teaching-slash26";

    let (code, out, err) = brimline(folder.path(), &["explain", run]);
    assert_eq!((code, err.as_str()), (0, ""), "no warning: the calls are the run's\n{out}");
    let first = out.split(' ').next().expect("a name");
    let pods = std::fs::read_to_string(folder.path().join(run).join("pods.csv")).expect("the run wrote it");
    let failed = |line: &&str| line.split(',').nth(8).is_some_and(|failures| failures != "0");
    let failing: Vec<_> = pods.lines().skip(1).filter(failed).filter_map(|line| line.split(',').nth(1)).collect();
    assert!(failing.contains(&first), "{first} of {failing:?}");

    let (code, out, err) = brimline(folder.path(), &["explain", run, "--json", "--replication", "1"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert!(json["replication"] == 1 && json["lines"][0]["at_s"].is_number(), "{json:#}");

    let manifest = folder.path().join(run).join("manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let other = text.replace("\"brimline_version\": \"", "\"brimline_version\": \"0.0.1-").replace("seed=5", "seed=6");
    std::fs::write(&manifest, other).expect("a writable folder");
    let (code, _, err) = brimline(folder.path(), &["explain", run]);
    assert_eq!(code, 0);
    assert!(err.contains("was done by brimline 0.0.1-") && err.contains("it makes other calls"), "{err}");
}

#[test]
fn who_is_not_there_is_told_with_the_nearest_name() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenario = "scenarios/teaching-slash26.yaml";
    for (arguments, told) in [
        (vec![scenario, "--pod", "wbe-17"], "there is no pod `wbe-17` in replication 0; did you mean `web-17`?"),
        (vec![scenario, "--pod", "web"], "there is no pod `web`"),
        (vec![scenario, "--node", "smal-1"], "there is no node `smal-1` in replication 0; did you mean `small-1`?"),
        (vec![scenario, "--replication", "20"], "there is no replication 20: they are numbered from 0 to 19"),
        (vec![scenario, "--at", "noon"], "`noon` is no moment"),
        (vec!["scenarios"], "`scenarios` is no folder of a run"),
        (vec!["nowhere.yaml"], "nowhere.yaml"),
        (vec![scenario, "--pod", "web-1", "--node", "small-1"], "cannot be used with"),
    ] {
        let (code, out, err) = brimline(here, &[vec!["explain"], arguments.clone()].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(told), "{arguments:?}: {err}");
    }
}

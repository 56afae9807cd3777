//! `brimline sweep` as its users meet it: what it writes, what it refuses, and that neither a kill
//! nor the number of threads changes a byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::Command;
use tempfile::TempDir;

/// A small scenario that runs in a moment.
const SMALL: &str = "\
# Which watermark?
name: small
horizon: 3h
seed: 1
replications: 3
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
policy:
  - vsw-pods.free.min >= 1
  - P(any pod waits > 60s) <= 20 %
";

/// The same with a section of its own, at the end.
fn with_section(section: &str) -> TempDir {
    folder_with(&format!("{SMALL}sweep:\n{section}"))
}

fn folder_with(scenario: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("s.yaml"), scenario).expect("a writable folder");
    folder
}

/// Exit code, standard output, standard error of `brimline sweep s.yaml`.
fn sweep(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("brimline").expect("the binary is built");
    command.current_dir(folder.path()).env_remove("RUST_BACKTRACE").args(["sweep", "s.yaml"]).args(arguments);
    let output = command.output().expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

/// The folders of results, finished or not.
fn results(folder: &TempDir) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.path().join("output")) else { return Vec::new() };
    let mut found: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    found.sort();
    found
}

/// The one folder of results, which is finished, with all that is in it.
fn finished(folder: &TempDir) -> (PathBuf, BTreeMap<PathBuf, Vec<u8>>) {
    let [result] = &results(folder)[..] else { panic!("one folder: {:?}", results(folder)) };
    assert!(!result.ends_with("unfinished"), "{result:?}");
    (result.clone(), files(result, result))
}

fn files(root: &Path, folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            found.extend(files(root, &path));
        } else {
            let name = path.strip_prefix(root).expect("it lies below").to_owned();
            found.insert(name, std::fs::read(&path).expect("a readable file"));
        }
    }
    found
}

/// The rows of a table, by name of column.
fn table(files: &BTreeMap<PathBuf, Vec<u8>>, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(&files[Path::new(name)][..]);
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

const GRID: [&str; 4] = ["--vary", "terway.eni_config.max_pool_size=2,10", "--vary", "node_pools.default.nodes=1..3/1"];

#[test]
fn a_grid_has_a_row_per_point_and_measure() {
    let folder = folder_with(SMALL);
    let measures = ["--measure", "vsw-pods.free.min", "--measure", "P(any vswitch is full)"];
    let (code, out, err) = sweep(&folder, &[&GRID[..], &measures[..]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("small: 6 points (grid: max_pool_size × nodes), 3 runs each\n"), "{out}");
    assert!(err.starts_with("6 points, 18 runs; "), "{err}");
    let (result, files) = finished(&folder);
    let place = format!("Report: {}", result.join("sweep.html").strip_prefix(folder.path()).expect("below").display());
    assert_eq!(out.lines().last(), Some(place.as_str()));
    let rows = table(&files, "sweep.csv");
    let of = |row: &BTreeMap<String, String>| {
        ["point", "terway.eni_config.max_pool_size", "node_pools.default.nodes", "measure"].map(|c| row[c].clone())
    };
    let expected = |point: u32, size: &str, nodes: u32, measure: &str| {
        [point.to_string(), size.to_owned(), nodes.to_string(), measure.to_owned()]
    };
    let mut all = Vec::new();
    for (size_at, size) in ["2", "10"].into_iter().enumerate() {
        for nodes in 1..=3 {
            let point = size_at as u32 * 3 + nodes;
            all.extend([measures[1], measures[3]].map(|measure| expected(point, size, nodes, measure)));
        }
    }
    assert_eq!(rows.iter().map(of).collect::<Vec<_>>(), all);
    // What the table says is what the runs say.
    let runs = table(&files, "replications.csv");
    assert_eq!(runs.len(), 18);
    for row in &rows {
        let own = runs.iter().filter(|run| run["point"] == row["point"]);
        let values: Vec<f64> = own.map(|run| run[&row["measure"]].parse().expect("a number")).collect();
        let mean: f64 = row["mean"].parse().expect("a number");
        assert!((mean - values.iter().sum::<f64>() / 3.0).abs() < 1e-9, "{row:?}");
    }
    for claim in ["vsw-pods.free.min >= 1", "P(any pod waits > 60s) <= 20 %"] {
        assert!(rows.iter().all(|row| ["holds", "fails", "undecided"].contains(&row[claim].as_str())), "{claim}");
    }
    for row in rows.iter().filter(|row| row["measure"] == "vsw-pods.free.min") {
        let least = runs.iter().filter(|run| run["point"] == row["point"]);
        let all_free = least.map(|run| &run["vsw-pods.free.min"]).all(|free| free != "0");
        assert_eq!(row["vsw-pods.free.min >= 1"] == "holds", all_free, "{row:?}");
    }
}

/// A point is the scenario with these values: `brimline run` says the same of it.
#[test]
fn a_point_is_the_scenario_with_its_values() {
    let folder = folder_with(SMALL);
    let (code, _, err) = sweep(&folder, &["--vary", "node_pools.default.nodes=1,4", "--measure", "pods.served"]);
    assert_eq!(code, 0, "{err}");
    let served: Vec<_> = table(&finished(&folder).1, "sweep.csv").iter().map(|row| row["mean"].clone()).collect();
    for (nodes, served) in ["1", "4"].into_iter().zip(served) {
        let mut command = Command::cargo_bin("brimline").expect("the binary is built");
        let set = format!("node_pools.default.nodes={nodes}");
        command.current_dir(folder.path()).args(["run", "s.yaml", "--json", "-q", "--output", "runs", "--set", &set]);
        let output = command.output().expect("the binary starts").stdout;
        let summary: serde_json::Value = serde_json::from_slice(&output).expect("JSON");
        assert_eq!(summary["pods"]["served"]["mean"].as_f64(), served.parse().ok(), "{nodes} nodes");
    }
}

#[test]
fn neither_threads_nor_a_second_time_change_a_byte() {
    let (one, two) = (folder_with(SMALL), folder_with(SMALL));
    sweep(&one, &[&GRID[..], &["--threads", "1"]].concat());
    sweep(&two, &[&GRID[..], &["--threads", "3"]].concat());
    let (result, before) = finished(&one);
    assert_eq!(before, finished(&two).1);
    let (code, out, err) = sweep(&one, &GRID);
    assert_eq!(code, 0, "{err}");
    assert!(err.starts_with("6 of 6 points were done in "), "{err}");
    assert!(
        out.contains("vswitch.free.min")
            && out.contains(&result.file_name().expect("it has one").display().to_string())
    );
    assert_eq!(finished(&one).1, before);
}

#[test]
fn another_plan_has_another_folder() {
    let folder = folder_with(SMALL);
    sweep(&folder, &["--vary", "node_pools.default.nodes=1,2"]);
    for more in [&["--seed", "9"][..], &["--replications", "2"], &["--set", "horizon=2h"], &["--measure", "calls"]] {
        let before = results(&folder).len();
        let (code, _, err) = sweep(&folder, &[&["--vary", "node_pools.default.nodes=1,2"], more].concat());
        assert_eq!((code, results(&folder).len()), (0, before + 1), "{more:?}: {err}");
    }
    // A folder whose plan was changed by hand is not ours.
    let first = results(&folder).remove(0);
    let name = first.file_name().expect("it has one").to_owned();
    let plan = std::fs::read_to_string(first.join("plan.json")).expect("a plan");
    std::fs::write(first.join("plan.json"), plan.replace("\"name\": \"small\"", "\"name\": \"other\""))
        .expect("writable");
    let options =
        [&[][..], &["--seed", "9"], &["--replications", "2"], &["--set", "horizon=2h"], &["--measure", "calls"]];
    let told = options.map(|more| sweep(&folder, &[&["--vary", "node_pools.default.nodes=1,2"], more].concat()));
    let [(_, _, err)] = &told.iter().filter(|(code, ..)| *code == 1).collect::<Vec<_>>()[..] else {
        panic!("{told:?}")
    };
    assert!(err.contains(&name.display().to_string()) && err.contains("`\"name\": \"other\",` on line 2"), "{err}");
}

/// Loses only what is under way, and ends with the same bytes.
#[test]
fn a_killed_sweep_goes_on_where_it_was() {
    const LONG: [&str; 6] =
        ["--vary", "terway.eni_config.max_pool_size=1..60/1", "--set", "horizon=20d", "--threads", "2"];
    let (whole, killed) = (folder_with(SMALL), folder_with(SMALL));
    let (code, _, err) = sweep(&whole, &LONG);
    assert_eq!(code, 0, "{err}");
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("brimline"))
        .current_dir(killed.path())
        .args(["sweep", "s.yaml"])
        .args(LONG)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let journal = || std::fs::read_to_string(results(&killed).first()?.join("replications.csv")).ok();
    let rows = || journal().map_or(0, |text| text.lines().count().saturating_sub(1));
    while rows() < 6 {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it ended before it could be killed");
        std::thread::yield_now();
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let done = rows() / 3;
    let [unfinished] = &results(&killed)[..] else { panic!("one folder") };
    assert!(unfinished.to_string_lossy().ends_with(".unfinished") && (2..60).contains(&done), "{done} of 60");
    // As if the kill had come in the middle of a point, and of a line.
    let mut torn = journal().expect("a journal");
    let row = torn.lines().last().and_then(|line| line.split_once(',')).expect("a row").1.to_owned();
    torn.push_str(&format!("60,0{}\n60,1{}", &row[1..], &row[1..row.len() / 2]));
    std::fs::write(unfinished.join("replications.csv"), torn).expect("writable");
    let (code, _, err) = sweep(&killed, &LONG);
    assert_eq!(code, 0, "{err}");
    assert!(err.starts_with(&format!("{done} of 60 points were done in output/small-sweep-")), "{err}");
    assert_eq!(finished(&whole).1, finished(&killed).1);
}

#[test]
fn the_scenario_says_what_is_varied_and_the_command_line_beats_it() {
    let folder = with_section(
        "  vary:\n    node_pools.default.nodes: {from: 1, to: 8}\n    workloads.web.lifetime.exponential.mean: 20m..60m\n    \
         vpc.vswitches.vsw-pods.cidr: [10.0.1.0/26, 10.0.1.0/25]\n  points: 16\n  measures: [pods.wait.p50, calls]\n",
    );
    let (code, out, err) = sweep(&folder, &[]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("small: 16 points (Latin hypercube: nodes × exponential.mean × vsw-pods.cidr)"), "{out}");
    let (result, files) = finished(&folder);
    let rows = table(&files, "sweep.csv");
    assert_eq!(rows.len(), 32);
    let count = |path: &str, value: &str| rows.iter().filter(|row| row[path] == value).count() / 2;
    assert!(
        (1..=8).all(|nodes| count("node_pools.default.nodes", &nodes.to_string()) == 2),
        "every part has its points"
    );
    assert_eq!(count("vpc.vswitches.vsw-pods.cidr", "10.0.1.0/26"), 8);
    let ranks = table(&files, "sensitivity.csv");
    assert!(ranks.iter().all(|row| row["method"] == "rank_regression") && !ranks.is_empty(), "{ranks:?}");
    std::fs::remove_dir_all(result).expect("removable");
    let (_, out, _) = sweep(&folder, &["--vary", "node_pools.default.nodes=1,2"]);
    assert!(out.starts_with("small: 2 points (grid: nodes)"), "{out}");
}

#[test]
fn uncertain_inputs_are_drawn_alike_at_every_point() {
    let folder = folder_with(&SMALL.replace("mean: 1h", "mean: [1h, 2h]"));
    let vary = ["--vary", "kubelet.teardown=3s,3000ms", "--measure", "pods.served", "--measure", "calls"];
    let (code, _, err) = sweep(&folder, &vary);
    assert_eq!(code, 0, "{err}");
    let runs = table(&finished(&folder).1, "replications.csv");
    let of = |point: &str| {
        let own = runs.iter().filter(|run| run["point"] == point);
        own.map(|run| (run["pods.served"].clone(), run["calls"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(of("1"), of("2"), "two ways to say the same");
    assert!(of("1").windows(2).any(|two| two[0] != two[1]), "replications differ");
}

#[test]
fn what_does_not_resolve_is_told_once_with_its_place() {
    let folder = folder_with(SMALL);
    let (code, out, err) = sweep(
        &folder,
        &[
            "--vary",
            "terway.eni_confg.max_pool_size=5,10",
            "--vary",
            "node_pools.defalt.nodes=1,2",
            "--vary",
            "kubelet.teardown=1s,x,y",
        ],
    );
    assert_eq!((code, out.as_str()), (2, ""));
    insta::assert_snapshot!("paths_that_do_not_resolve", err);
    let (code, _, err) = sweep(&folder, &["--vary", "node_pools.default.nodes=1,2", "--measure", "pods.wait.p98"]);
    assert_eq!((code, err.matches("error").count()), (2, 1), "{err}");
    assert!(err.contains("--measure:1:1") && err.contains("did you mean `pods.wait.p99`?"), "{err}");
    for (arguments, told) in [
        (vec![], "nothing is varied"),
        (vec!["--vary", "node_pools.default.nodes"], "has no `=`"),
        (vec!["--vary", "node_pools.default.nodes=5..9"], "--points"),
    ] {
        let (code, out, err) = sweep(&folder, &arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(told), "{err}");
    }
    assert!(results(&folder).is_empty(), "nothing is left behind");
}

#[test]
fn what_is_wrong_with_the_section_is_told_where_it_stands() {
    let section = "  vary:\n    'node_pools.defalt.nodes': [1, 2]\n    kubelet.teardwn: 1s..9s\n    horizon: [2h, soon]\n  points: 4\n";
    let (code, _, err) = sweep(&with_section(section), &[]);
    assert_eq!(code, 2, "{err}");
    insta::assert_snapshot!("sections_that_do_not_resolve", err);
    let section = "  vary:\n    horizon: {from: 9h, to: 2h}\n    seed: {frm: 1, to: 2}\n    replications: yes\n  measures: [pods.wait.p98]\n";
    let (code, _, err) = sweep(&with_section(section), &[]);
    assert_eq!(code, 2, "{err}");
    insta::assert_snapshot!("sections_that_are_wrong", err);
}

#[test]
fn measures_lists_what_can_be_asked() {
    let folder = folder_with(SMALL);
    let mut command = Command::cargo_bin("brimline").expect("the binary is built");
    let output = command.current_dir(folder.path()).args(["measures", "s.yaml"]).output().expect("the binary starts");
    let text = String::from_utf8(output.stdout).expect("the output is UTF-8");
    for (name, unit) in
        [("vsw-pods.free.min", "addresses"), ("pods.wait.p99", "s"), ("node_pools.default.nodes", "nodes")]
    {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        assert_eq!(line.and_then(|line| line.split_whitespace().nth(1)), Some(unit), "{name}:\n{text}");
    }
}

//! The program as its users meet it: exit codes, what goes to which stream, what lies on disk.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A small scenario that runs in a moment.
const SMALL: &str = "\
# Is this a small scenario?
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
  - {name: web, deployment: {replicas: {linear: {from: 5, to: 40}}}}
";

fn brimline(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("brimline").expect("the binary is built");
    command.current_dir(folder).env_remove("RUST_BACKTRACE");
    command
}

fn folder_with(scenario: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("s.yaml"), scenario).expect("a writable folder");
    folder
}

/// Exit code, standard output, standard error.
fn outcome(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_run_answers_first_and_ends_with_the_place_of_its_report() {
    let folder = folder_with(SMALL);
    let (code, out, err) = outcome(brimline(folder.path()).args(["run", "s.yaml"]));
    assert_eq!(code, 0, "{err}");
    let first = out.lines().next().expect("a line");
    assert!(first.starts_with("vsw-pods (/27, 28 usable) is full"), "{first}");
    assert_eq!(out.lines().last(), Some("Report: output/small/report.html"));
    assert!(err.contains("events") && !err.contains('\r'), "no progress bar in a pipe: {err}");
    for file in ["summary.json", "timeline.csv", "api_calls.csv", "manifest.json", "report.html"] {
        assert!(folder.path().join("output/small").join(file).is_file(), "{file}");
    }
}

#[test]
fn a_second_run_leaves_the_first_alone_and_repeats_its_numbers() {
    let folder = folder_with(SMALL);
    outcome(brimline(folder.path()).args(["run", "s.yaml", "--threads", "1"]));
    let read =
        |run: &str, file: &str| std::fs::read(folder.path().join("output").join(run).join(file)).expect("a file");
    let before = read("small", "manifest.json");
    let (code, out, _) = outcome(brimline(folder.path()).args(["run", "s.yaml", "--threads", "2"]));
    assert_eq!((code, out.lines().last()), (0, Some("Report: output/small-2/report.html")));
    assert_eq!(before, read("small", "manifest.json"));
    for file in ["summary.json", "timeline.csv", "api_calls.csv", "report.html"] {
        assert_eq!(read("small", file), read("small-2", file), "{file} depends on the number of threads");
    }
}

#[test]
fn quiet_json_is_json_and_nothing_else() {
    let folder = folder_with(SMALL);
    let (code, out, err) = outcome(brimline(folder.path()).args([
        "run",
        "s.yaml",
        "--json",
        "--quiet",
        "--seed",
        "9",
        "--replications",
        "2",
    ]));
    assert_eq!((code, err.as_str()), (0, "Report: output/small/report.html\n"));
    let summary: Value = serde_json::from_str(&out).expect("JSON on standard output");
    let method = &summary["method"];
    assert_eq!((&method["seed"], &method["replications"]), (&Value::from(9), &Value::from(2)), "{method:#}");
}

#[test]
fn wrong_input_is_told_with_its_place_and_leaves_nothing_behind() {
    let folder = folder_with(&SMALL.replace("10.0.1.0/27", "10.0.1.0/31").replace("nodes: 2", "nodes: two"));
    for command in [["run", "s.yaml"], ["check", "s.yaml"]] {
        let (code, out, err) = outcome(brimline(folder.path()).args(command));
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("s.yaml:10:") && err.contains("s.yaml:14:"), "both places at once:\n{err}");
        assert!(!err.contains("panicked"), "{err}");
    }
    assert!(!folder.path().join("output").exists());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = folder_with(SMALL);
    for command in [["run", "nowhere.yaml"], ["check", "nowhere.yaml"]] {
        let (code, out, err) = outcome(brimline(folder.path()).args(command));
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("nowhere.yaml"), "{err}");
    }
    let (code, _, err) = outcome(brimline(folder.path()).args(["conformance", "replay", "nowhere.json"]));
    assert_eq!(code, 2);
    assert!(err.contains("nowhere.json"), "{err}");
}

#[test]
fn wrong_options_are_refused_by_name() {
    let folder = folder_with(SMALL);
    for (arguments, told) in [
        (vec!["run"], "FILE"),
        (vec!["rum", "s.yaml"], "similar subcommand exists: 'run'"),
        (vec!["run", "s.yaml", "--seed", "x"], "invalid value 'x' for '--seed <N>'"),
        (vec!["run", "s.yaml", "--replications", "0"], "0 is not in 1..=10000"),
        (vec!["run", "s.yaml", "--threads", "0"], "0 is not in 1..=1024"),
        (vec!["conformance", "replay", "c.json", "--seed", "3"], "--runs <N>"),
    ] {
        let (code, out, err) = outcome(brimline(folder.path()).args(&arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(told), "{arguments:?}: {err}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_the_environments_fault() {
    let folder = folder_with(SMALL);
    std::fs::write(folder.path().join("output"), "a file, not a folder").expect("a writable folder");
    let (code, out, err) = outcome(brimline(folder.path()).args(["run", "s.yaml", "--quiet"]));
    assert_eq!(code, 1, "{err}");
    assert_eq!(out, "", "it is told before the run, not after it");
    assert_eq!(err, "error: output is a file, not a folder; choose another with --output\n");
}

#[test]
fn check_shows_where_each_value_comes_from() {
    let folder = folder_with(SMALL);
    let (code, out, err) = outcome(brimline(folder.path()).args(["check", "s.yaml"]));
    assert_eq!(code, 0, "{err}");
    for told in ["max_pool_size", "s.yaml:12", "sandbox_retry", "R119"] {
        assert!(out.contains(told), "{told} is missing:\n{out}");
    }
    assert!(out.lines().all(|line| line.chars().count() <= 80), "wider than 80 columns:\n{out}");
}

#[test]
fn schema_is_json_schema() {
    let (code, out, _) = outcome(brimline(Path::new(".")).arg("schema"));
    let schema: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, 0);
    assert!(schema["$schema"].as_str().is_some_and(|uri| uri.contains("json-schema.org")), "{schema}");
    assert!(schema["properties"]["vpc"].is_object());
}

#[test]
fn conformance_replays_and_checks() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/node-local");
    let case = cases.join("burst-within-capacity.json");
    let (code, out, err) = outcome(brimline(Path::new(".")).args(["conformance", "replay"]).arg(&case));
    assert_eq!(code, 0, "{err}");
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    let keys: Vec<_> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["timeline", "api_calls", "api_errors", "pods"]);
    let runs = ["conformance", "replay", "--runs", "3", "--seed", "5"];
    let (code, out, _) = outcome(brimline(Path::new(".")).args(runs).arg(&case));
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    assert!(code == 0 && answer["distributions"].is_array() && answer["wait_ms_quantiles"].is_object());
    let (code, out, _) = outcome(brimline(Path::new(".")).args(["conformance", "check"]).arg(&cases));
    assert_eq!((code, out.lines().last()), (0, Some("38 of 38 cases pass")));
}

#[test]
fn a_case_that_does_not_hold_exits_with_3_and_a_broken_one_with_2() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/node-local");
    let text = std::fs::read_to_string(cases.join("fill-min7.json")).expect("a case");
    let mut case: Value = serde_json::from_str(&text).expect("JSON");
    case["expected"]["timeline"][0]["node0.ips"] = Value::from(999);
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("wrong.json"), case.to_string()).expect("a writable folder");
    let (code, out, _) = outcome(brimline(folder.path()).args(["conformance", "check", "."]));
    assert_eq!((code, out.lines().last()), (3, Some("0 of 1 cases pass")));
    std::fs::write(folder.path().join("wrong.json"), "{\n  \"case\": 1\n}").expect("a writable folder");
    let (code, _, err) = outcome(brimline(folder.path()).args(["conformance", "check", "."]));
    assert_eq!(code, 2);
    assert!(err.contains("wrong.json") && err.contains("line 2"), "{err}");
}

#[test]
fn help_speaks_chinese_if_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for words in [["run", "--help", "--lang", "zh"], ["--lang", "zh", "run", "-h"]] {
        let (code, out, _) = outcome(brimline(folder.path()).args(words));
        assert_eq!(code, 0);
        assert!(out.starts_with("模拟一个场景") && out.contains("示例："), "{out}");
        assert!(!out.contains("Options:") && !out.contains("Usage:"), "{out}");
    }
    for words in ["help", "help run", "conformance check --help", "conformance replay -h", "conformance help check"] {
        let (code, out, err) = outcome(brimline(folder.path()).args(["--lang", "zh"]).args(words.split(' ')));
        assert_eq!((code, err.as_str()), (0, ""), "{words}");
        assert!(out.contains("用法：") && !out.contains("Usage:"), "{out}");
    }
}

#[test]
fn completions_and_manual_pages_build() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, out, err) = outcome(brimline(folder.path()).args(["completions", shell]));
        assert!(code == 0 && out.contains("sweep") && out.contains("replications"), "{shell}: {err}");
    }
    let (code, _, err) = outcome(brimline(folder.path()).args(["man", "pages"]));
    assert_eq!(code, 0, "{err}");
    let page = std::fs::read_to_string(folder.path().join("pages/brimline-run.1")).expect("a page for each command");
    assert!(page.contains(".TH brimline-run 1") && page.contains("rollout\\-surge"), "{page}");
}

//! What a run is held to: exit codes, and what continuous integration reads.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A vSwitch of 28 addresses that five runs fill after about two hours.
const SMALL: &str = "\
# Is this a small scenario?
name: small
horizon: 3h
seed: 1
replications: 5
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

fn folder_with(policy: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let claims: String = policy.iter().map(|claim| format!("  - {claim}\n")).collect();
    let policy = if claims.is_empty() { claims } else { format!("policy:\n{claims}") };
    std::fs::write(folder.path().join("capacity.yaml"), format!("{SMALL}{policy}")).expect("a writable folder");
    folder
}

/// Exit code, standard output, standard error.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("brimline").expect("the binary is built");
    let output = command.current_dir(folder).args(["run", "capacity.yaml"]).args(arguments).output();
    let output = output.expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_else(|_| panic!("{file} is missing"))
}

#[test]
fn a_policy_that_holds_is_told_and_the_run_succeeds() {
    let folder = folder_with(&["pods.waiting.end <= 40", "P(vsw-pods is full before 3h) >= 50 %"]);
    let (code, out, err) = run(folder.path(), &[]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("Policy: 2 of 2 rules hold.\n"), "{out}");
    let summary: Value = serde_json::from_str(&read(folder.path(), "output/small/summary.json")).expect("JSON");
    let policy = summary["policy"].as_array().expect("a list");
    assert_eq!(policy.iter().map(|rule| &rule["decision"]).collect::<Vec<_>>(), ["holds", "holds"]);
    assert_eq!((&policy[1]["held"]["hits"], &policy[1]["unit"]), (&Value::from(5), &Value::from("s")));
    assert_eq!(summary.as_object().and_then(|keys| keys.keys().next()).map(String::as_str), Some("verdict"));
}

#[test]
fn a_policy_that_fails_exits_with_3_after_the_report() {
    let folder = folder_with(&["vswitch.free.min >= 10 %", "pods.served > 7"]);
    let (code, out, _) = run(folder.path(), &[]);
    assert_eq!(code, 3);
    assert!(out.contains("Policy: 1 of 2 rules holds, 1 fails.\n"), "{out}");
    assert!(out.contains("FAILS      vswitch.free.min >= 10 %: true in 0 of 5 runs"), "{out}");
    assert!(out.contains("holds      pods.served > 7: true in 5 of 5 runs"), "{out}");
    assert_eq!(out.lines().last(), Some("Report: output/small/report.html"));
    let page = read(folder.path(), "output/small/report.html");
    assert!(page.contains("<h2>Policy</h2>") && page.contains("vswitch.free.min &gt;= 10 %"));
}

#[test]
fn too_few_runs_are_no_success_and_enough_decide() {
    let folder = folder_with(&["P(vsw-pods is full before 3h) >= 90 %"]);
    let (code, out, _) = run(folder.path(), &[]);
    assert_eq!(code, 3);
    assert!(out.contains("undecided") && out.contains("--replications 29 would do"), "{out}");
    // 1 − 0.05^(1/29) is the first below 10 %.
    let (code, out, _) = run(folder.path(), &["--replications", "29", "--quiet"]);
    assert_eq!(code, 0, "{out}");
    let (code, ..) = run(folder.path(), &["--replications", "28", "--quiet"]);
    assert_eq!(code, 3);
}

#[test]
fn fail_if_is_the_opposite_of_a_claim() {
    let folder = folder_with(&[]);
    for (claim, code, told) in [
        ("vswitch.free.min < 10%", 3, "true in 5 of 5 runs"),
        ("vswitch.free.min >= 10%", 0, "true in 0 of 5 runs"),
        ("P(pods.wait.p99 > 60s) > 40 %", 3, "true in 5 of 5 runs"),
        ("P(pods.wait.p99 > 60s) < 40 %", 0, "true in 5 of 5 runs"),
        ("P(any pod waits > 1s before 1ms) > 50 %", 0, "true in 0 of 5 runs"),
        ("P(pods.wait.p99 > 60s) > 99 %", 3, "undecided"),
        ("any vswitch is full before 3h", 3, "true in 5 of 5 runs"),
    ] {
        let (found, out, err) = run(folder.path(), &["--fail-if", claim]);
        assert_eq!(found, code, "{claim}: {out}{err}");
        assert!(out.contains(&format!("--fail-if '{claim}': ")) && out.contains(told), "{claim}: {out}");
    }
}

#[test]
fn a_claim_that_does_not_resolve_is_pointed_at_before_the_run() {
    let folder = folder_with(&["vsw-pod.free.min >= 3"]);
    let (code, out, err) = run(folder.path(), &[]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("capacity.yaml:18:5") && err.contains("did you mean `vsw-pods.free.min`?"), "{err}");
    let folder = folder_with(&[]);
    let (code, out, err) = run(folder.path(), &["--fail-if", "vsw-pod.free.min < 3", "--fail-if", "calls <"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("did you mean `vsw-pods.free.min`?") && err.contains("a number is expected"), "{err}");
    assert!(!folder.path().join("output").exists());
}

/// A test case of JUnit: name, type and message of its failure.
type Case = (String, Option<(String, String)>);

fn cases(junit: &str) -> Vec<Case> {
    let document = roxmltree::Document::parse(junit).unwrap_or_else(|error| panic!("{error}\n{junit}"));
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
    let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
    let failures = cases.iter().filter(|case| case.children().any(|node| node.has_tag_name("failure"))).count();
    for (name, number) in [("tests", cases.len()), ("failures", failures), ("errors", 0)] {
        assert_eq!(suite.attribute(name), Some(number.to_string().as_str()), "{name}");
    }
    let attribute = |node: &roxmltree::Node, name| node.attribute(name).expect("the attribute").to_owned();
    let case = |case: &roxmltree::Node| {
        let failure = case.children().find(|node| node.has_tag_name("failure"));
        let failure = failure.map(|node| (attribute(&node, "type"), attribute(&node, "message")));
        (attribute(case, "name"), failure)
    };
    cases.iter().map(case).collect()
}

#[test]
fn junit_and_markdown_say_what_the_terminal_says() {
    let folder = folder_with(&["vswitch.free.min >= 10 %", "P(any vswitch is full) >= 90 %", "pods.served > 7"]);
    let arguments = ["--fail-if", "calls < 1", "--junit", "ci/junit.xml", "--markdown", "ci/summary.md"];
    assert_eq!(run(folder.path(), &arguments).0, 3);
    let junit = read(folder.path(), "ci/junit.xml");
    let found = cases(&junit);
    let kinds = found.iter().map(|(name, failure)| (name.as_str(), failure.as_ref().map(|(kind, _)| kind.as_str())));
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        [
            ("vswitch.free.min >= 10 %", Some("fails")),
            ("P(any vswitch is full) >= 90 %", Some("undecided")),
            ("pods.served > 7", None),
            ("--fail-if 'calls < 1'", None),
        ]
    );
    let undecided = found[1].1.as_ref().expect("a failure");
    assert!(undecided.1.contains("--replications 29 would do"), "{}", undecided.1);
    let markdown = read(folder.path(), "ci/summary.md");
    assert!(markdown.starts_with("### brimline: small\n\n**vsw-pods (/27, 28 usable) is full "), "{markdown}");
    assert!(markdown.contains("| FAILS | `vswitch.free.min >= 10 %` | true in 0 of 5 runs"), "{markdown}");
    assert!(markdown.contains("`brimline run capacity.yaml --fail-if 'calls < 1'`"), "{markdown}");
    assert!(markdown.contains("`output/small/report.html`"), "{markdown}");
    // They are written again, the same, and nothing else is left beside them.
    assert_eq!(run(folder.path(), &arguments).0, 3);
    assert_eq!(read(folder.path(), "ci/junit.xml"), junit);
    assert_eq!(std::fs::read_dir(folder.path().join("ci")).expect("a folder").count(), 2);
}

#[test]
fn junit_without_a_rule_is_warned_about_and_a_place_that_is_none_is_told_at_once() {
    let folder = folder_with(&[]);
    let (code, _, err) = run(folder.path(), &["--junit", "junit.xml"]);
    assert_eq!(code, 0);
    assert!(err.contains("the JUnit file has no test"), "{err}");
    assert_eq!(cases(&read(folder.path(), "junit.xml")), []);
    let (code, out, err) = run(folder.path(), &["--markdown", "junit.xml/summary.md"]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    let (code, out, err) = run(folder.path(), &["--markdown", "output"]);
    assert_eq!((code, out.as_str(), err.as_str()), (1, "", "error: output is a folder, not a file\n"));
    let (code, out, err) = run(folder.path(), &["--markdown", "-"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("--markdown writes a file, not the standard output"), "{err}");
    assert!(!folder.path().join("-").exists());
}

/// The pipelines of `docs/ci.md` are YAML, and their commands do what the page says.
#[cfg(unix)]
#[test]
fn the_commands_of_the_pipelines_work() {
    let page = read(Path::new(env!("CARGO_MANIFEST_DIR")), "docs/ci.md");
    let blocks: Vec<_> = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or("")).collect();
    assert_eq!(blocks.len(), 3, "a policy, a GitHub workflow and a GitLab pipeline");
    for block in &blocks {
        serde_saphyr::from_str::<Value>(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
    let command =
        |line: &str| line.find("brimline run ").or(line.find("brimline compare ")).map(|at| line[at..].to_owned());
    let commands: Vec<_> = blocks[1..].iter().flat_map(|block| block.lines()).filter_map(command).collect();
    assert!(commands.len() >= 3, "{commands:?}");
    let binary = Command::cargo_bin("brimline").expect("the binary is built").get_program().to_owned();
    let path = format!("{}:/usr/bin:/bin", Path::new(&binary).parent().expect("a folder").display());
    for command in commands {
        let folder = folder_with(&["pods.served > 7"]);
        std::fs::copy(folder.path().join("capacity.yaml"), folder.path().join("before.yaml")).expect("a copy");
        let output = Command::new("sh").args(["-c", &command]).env("PATH", &path).current_dir(folder.path()).output();
        let output = output.expect("a shell");
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        if command.contains("--junit junit.xml") {
            assert_eq!(cases(&read(folder.path(), "junit.xml")), [("pods.served > 7".to_owned(), None)]);
        }
        if command.contains("summary.md") {
            assert!(!read(folder.path(), "summary.md").is_empty());
        }
    }
}

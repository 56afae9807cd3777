//! A node at a moment, as terway-cli, kubectl and the log show it.

use std::path::Path;

use brimline::inspect::{Snapshot, Unseen, inspect, mapping, show};
use brimline::ipam::kube_client::KubeClient;
use brimline::ipam::{Config, node_local};
use brimline::model::Model;
use brimline::openapi::{Api, ErrorCode};
use brimline::outcome::Clock;
use brimline::record::{CallAnswer, Detail, FailureReason, What};
use brimline::scenario::{Blueprint, Edit, load};
use brimline::sim::{Progress, run_in_detail, run_watched};
use brimline::time::{Instant, Span};

const AROUND: Span = Span::mins(5);

fn model(name: &str) -> Model {
    let path = format!("scenarios/{name}.yaml");
    load(Path::new(&path)).unwrap_or_else(|diagnostics| panic!("{diagnostics}")).model
}

fn at(text: &str) -> Instant {
    Clock::parse_moment(text).expect("a moment")
}

fn said(arguments: &[&str]) -> String {
    let mut command = assert_cmd::Command::cargo_bin("brimline").expect("the binary is built");
    let output = command.arg("inspect").args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it is UTF-8")
}

/// Every view of a node with a pool of its own, and of one under centralized IPAM.
#[test]
fn views_of_a_node() {
    let of = ["scenarios/teaching-slash26.yaml", "--at", "2:10", "--node", "small-1"];
    insta::assert_snapshot!("node_local", said(&of));
    for (view, more) in [("mapping", vec!["--layout", "v1"]), ("show", vec![]), ("list", vec![])] {
        let arguments: Vec<_> = of.iter().copied().chain([view]).chain(more).collect();
        insta::assert_snapshot!(format!("node_local_{view}"), said(&arguments));
    }
    let of =
        ["scenarios/centralized-vs-node-local.yaml", "--at", "day 3 12:02", "--node", "default-3", "--around", "1m"];
    insta::assert_snapshot!("centralized", said(&of));
}

/// The scenario with a Terway of before v1.7.
fn classic(name: &str, version: &str) -> Model {
    let path = format!("scenarios/{name}.yaml");
    let blueprint = Blueprint::open(Path::new(&path)).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let edit = Edit::parse("--set", &format!("terway.version={version}"));
    blueprint.with([edit]).load().unwrap_or_else(|diagnostics| panic!("{diagnostics}")).model
}

/// B8, B16, B19, B20, B22: a node of each version shows itself in the words of its time, and says what its
/// daemon has.
#[test]
fn b8_a_classic_node_in_its_own_words() {
    let (mut normal, mut creating, mut stuck) = (0, 0, 0);
    for version in ["v1.1.0", "v1.2.0", "v1.4.4", "v1.6.0"] {
        let model = classic("teaching-slash26", version);
        let moments = (1..200).map(|n| Instant::ZERO + Span::secs(97 * n));
        let detail = Detail { pods: true, ..Detail::default() };
        let _ = run_watched(&model, 0, detail, moments, |view| {
            for (node, _) in view.nodes().filter(|&(node, _)| view.exists(node) && view.daemon_runs(node)) {
                let snapshot = Snapshot::of(view, &model, node, "n");
                let (table, _) = snapshot.resources.as_ref().expect("it has a pool").four_columns();
                let rows = |status: &str| table.lines().filter(|line| line.starts_with(status)).count();
                let shown = snapshot.classic.as_ref().expect("it is of before v1.7");
                if !shown.answers {
                    stuck += 1;
                    continue;
                }
                assert_eq!(rows("Normal"), snapshot.entries.len(), "{version}: {table}");
                let pool = shown.resource_pool();
                let holdings = view.holdings(node);
                let ids = |key: &str| {
                    let line = pool.lines().find(|line| line.contains(key)).expect("the key is there");
                    line.matches("00:16:3e").count() as u32
                };
                assert_eq!(ids("──idle: "), holdings.idle);
                assert!(ids("──inuse: ") >= holdings.in_use, "{version}: {pool}");
                match shown.factory() {
                    Some(factory) => assert!(factory.contains(&format!("eni_count: {}\n", holdings.enis)), "{factory}"),
                    None => creating += 1,
                }
                let service = show::network_service(&snapshot.entries, 0, shown.empty_keys());
                assert_eq!(service.contains("──kubeconfig: \n"), version != "v1.6.0");
                normal += rows("Normal");
            }
        });
    }
    assert!(normal > 1000 && creating > 0 && stuck > 0, "{normal} {creating} {stuck}");
    let of = ["scenarios/teaching-slash26.yaml", "--at", "2:10", "--node", "small-1", "--set"];
    let of: Vec<_> = of.into_iter().chain(["terway.version=v1.4.4"]).collect();
    insta::assert_snapshot!("classic", said(&of));
    for view in ["show", "list"] {
        insta::assert_snapshot!(format!("classic_{view}"), said(&[&of[..], &[view]].concat()));
    }
}

/// C152: the CRs of a node's pods with an interface of their own are those of its members: each on the trunk
/// that the node's CR has, with an address of its vSwitch, and as kept as its PodNetworking says.
#[test]
fn c152_members_of_a_trunk_are_shown_as_pod_enis() {
    let model = model("pod-networking");
    let mut shown = 0;
    let detail = Detail { pods: true, ..Detail::default() };
    let moments = (1..20).map(|n| Instant::ZERO + Span::hours(5 * n));
    let _ = run_watched(&model, 0, detail, moments, |view| {
        for (node, _) in view.nodes().filter(|&(node, _)| view.exists(node)) {
            let snapshot = Snapshot::of(view, &model, node, "n");
            let trunk = snapshot.cr.as_ref().is_some_and(|cr| cr.node.contains("networkInterfaceType: Trunk"));
            for document in snapshot.pod_enis.split("---\n").filter(|document| !document.is_empty()) {
                assert!(
                    document.contains("kind: PodENI\n") && document.contains("  namespace: default\n"),
                    "{document}"
                );
                if document.contains("  phase: Bind\n") {
                    assert!(
                        trunk && document.contains("type: Member") && document.contains("trunkENIID: eni-"),
                        "{document}"
                    );
                    shown += 1;
                }
                assert_eq!(document.contains("type: Fixed"), document.contains("podLastSeen: "), "{document}");
            }
        }
    });
    assert!(shown > 20, "{shown}");
}

/// R37: the trunk of a daemon that allocates itself is a slot of its own type, and its members are PodENIs.
#[test]
fn r37_the_trunk_of_a_node_is_shown_as_such() {
    let of = ["scenarios/trunk-node-local.yaml", "--at", "1h", "--node", "default-0"];
    assert_eq!(said(&of).matches("──Type: trunk\n").count(), 1);
    assert!(said(&[&of[..], &["podeni"]].concat()).contains("type: Member"));
}

/// P90: every refusal of an assign is in the log, in the words of the SDK; before v1.4 lines have no place.
#[test]
fn p90_the_log_of_a_classic_node_has_every_refusal() {
    for (version, begin) in
        [("v1.2.0", "level=warning msg=assign private ip failed, SDK"), ("v1.4.4", "ecs.go:297] api=")]
    {
        let model = classic("teaching-slash26", version);
        let (inspection, recording) =
            inspect(&model, 0, "small-0", at("3h"), Span::hours(6)).expect("the node is there");
        let refused = recording.steps.iter().filter(|step| {
            let What::Call(call) = &step.what else { return false };
            let assigns = call.api == Api::AssignPrivateIpAddresses && call.heard;
            assigns && call.answer == CallAnswer::Refused(ErrorCode::IpNotEnough)
        });
        let refused = refused.count();
        let text = "ErrorCode: InvalidVSwitchId.IpNotEnough";
        let lines = inspection.log.iter().filter(|line| line.text.contains(begin) && line.text.contains(text));
        assert!(refused > 0);
        assert_eq!(lines.count(), refused, "{version}");
    }
}

/// What the documentation shows is what the program says.
#[test]
fn the_documentation_shows_real_views() {
    let page = std::fs::read_to_string("docs/inspect.md").expect("it is in the repository");
    for block in page.split("```console\n$ brimline inspect ").skip(1) {
        let (command, rest) = block.split_once('\n').expect("a command has a line");
        let shown = rest.split("```").next().expect("a block ends");
        let arguments = command.replace('\'', "\"");
        let mut words: Vec<String> = Vec::new();
        for (i, part) in arguments.split('"').enumerate() {
            if i % 2 == 1 {
                words.push(part.to_owned())
            } else {
                words.extend(part.split_whitespace().map(str::to_owned))
            }
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        assert_eq!(shown.trim_end(), said(&words).trim_end(), "{command}");
    }
    assert!(page.matches("$ brimline inspect ").count() >= 3);
}

/// B8, B29: at any time every pod that has its address has a `Normal` row and an entry, and an address is
/// shown once.
#[test]
fn b8_every_served_pod_is_shown() {
    let model = model("rollout-surge");
    let moments = (1..40).map(|n| Instant::ZERO + Span::mins(97 * n));
    let detail = Detail { pods: true, ..Detail::default() };
    let mut normal = 0;
    let recording = run_watched(&model, 0, detail, moments, |view| {
        for (node, _) in view.nodes().filter(|&(node, _)| view.exists(node) && view.daemon_runs(node)) {
            let snapshot = Snapshot::of(view, &model, node, "n");
            let (table, _) = snapshot.resources.as_ref().expect("it has a pool").four_columns();
            let rows = |status: &str| table.lines().filter(|line| line.starts_with(status)).count();
            assert_eq!(rows("Normal"), snapshot.entries.len(), "{table}");
            assert_eq!(rows("Normal") as u32, view.holdings(node).in_use);
            let trees = mapping::trees(&snapshot.interfaces, &snapshot.entries);
            let addresses = snapshot.interfaces.iter().map(|interface| interface.addresses.len()).sum::<usize>();
            assert_eq!(trees.matches("  Valid\n").count() + trees.matches("  Deleting\n").count(), addresses);
            assert!(
                show::network_service(&snapshot.entries, 0, &[]).matches("resources: ").count()
                    == snapshot.entries.len()
            );
            normal += rows("Normal");
        }
    });
    assert!(normal > 1000 && recording.pods.served > 0, "{normal}");
}

/// Log lines and events are those of the steps that the recorder wrote down.
#[test]
fn the_log_has_a_line_for_every_failed_attempt() {
    let model = model("teaching-slash26");
    let (inspection, _) = inspect(&model, 0, "small-0", at("3h"), Span::hours(6)).expect("the node is there");
    let recording = run_in_detail(&model, 0, Detail { pods: true, events: true, node: None }, &Progress::default());
    let of_node = recording.steps.iter().filter(|step| step.node.is_some_and(|node| node.index() == 0));
    let failed = of_node.clone().filter(|step| {
        matches!(step.what, What::Failed { reason, .. } if !matches!(reason, FailureReason::Restart | FailureReason::Down))
    });
    let failed = failed.count();
    assert!(failed > 0);
    let lines = |message: &str| inspection.log.iter().filter(|line| line.text.contains(message)).count();
    assert_eq!(lines("\"alloc ip failed\""), failed);
    let served = of_node.filter(|step| matches!(step.what, What::Served { .. })).count();
    assert_eq!((lines("\"alloc ip\""), lines("\"alloc ip req\"")), (served, served + failed));
    let told = |reason: &str| inspection.events.iter().filter(|event| event.reason == reason).count();
    assert_eq!((told("FailedCreatePodSandBox"), told("AllocIPSucceed")), (failed, served));
    assert!(inspection.log.is_sorted_by_key(|line| line.at));
}

/// R134: what the cloud says of a refused create is in the log, and in no event; of a refused assign it is
/// in both.
#[test]
fn r134_at_create_the_clouds_text_is_in_the_log_only() {
    let mut model = model("rollout-surge");
    // Pods that come one by one find an interface that has room.
    let daemon = &mut model.node_pools[0].shapes[0].zones[0].daemon;
    let Config::NodeLocal(config) = daemon else { panic!("the daemons allocate") };
    *daemon = node_local::Config { kube_client: KubeClient::UNLIMITED, ..(**config).clone() }.into();
    let mut logged = [0, 0];
    for node in ["default-3", "default-4"] {
        let (inspection, _) = inspect(&model, 0, node, at("2d"), Span::days(9)).expect("the node is there");
        let lines = |api: &str| {
            let says = |text: &str| text.contains(&format!("api=\"{api}\"")) && text.contains("not enough IpAddress");
            inspection.log.iter().filter(|line| says(&line.text)).count()
        };
        let told = inspection
            .events
            .iter()
            .filter(|event| event.reason == "AllocIPFailed" && event.object.starts_with("node/"));
        assert_eq!(told.count(), lines("AssignPrivateIpAddresses"), "{node}");
        logged[0] += lines("AssignPrivateIpAddresses");
        logged[1] += lines("CreateNetworkInterface");
    }
    assert!(logged.iter().all(|&n| n > 0), "{logged:?}");
}

/// Looking at a node late tells the same as the run did: the moment changes nothing.
#[test]
fn an_inspected_run_is_the_same_run() {
    let model = model("article-remedy");
    let (_, inspected) = inspect(&model, 0, "default-3", at("2d7h"), AROUND).expect("the node is there");
    let alone = run_in_detail(&model, 0, Detail::default(), &Progress::default());
    assert_eq!((alone.calls, alone.vswitches, alone.pods), (inspected.calls, inspected.vswitches, inspected.pods));
}

#[test]
fn nodes_that_are_not_there() {
    let why = |model: &Model, node, when| inspect(model, 0, node, at(when), AROUND).expect_err("no such node");
    let (teaching, slash19) = (model("teaching-slash26"), model("slash19-article"));
    let unknown = why(&teaching, "smal-1", "2h");
    assert_eq!(unknown.to_string(), "there is no node `smal-1` in replication 0; did you mean `small-1`?");
    let early = why(&slash19, "default-300", "1h");
    assert!(matches!(early, Unseen::Elsewhere { .. }), "{early}");
    insta::assert_snapshot!("a_node_that_joins_later", early.to_string());
}

#[test]
fn wrong_arguments_are_told() {
    let run = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("brimline").expect("the binary is built");
        let output = command.args(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).expect("it is UTF-8")
    };
    let teaching = "scenarios/teaching-slash26.yaml";
    let inspect = |more: &[&str]| run(&[&["inspect", teaching, "--node", "small-1"], more].concat());
    let told = [
        inspect(&["--at", "99d"]),
        inspect(&["--at", "noon"]),
        inspect(&["--at", "2h", "--around", "soon"]),
        inspect(&["--at", "2h", "--replication", "20"]),
        inspect(&["--at", "2h", "cr"]),
        run(&["run", teaching, "--openmetrics", "target/never.txt"]),
        run(&[
            "run",
            teaching,
            "--set",
            "start=2026-12-01",
            "--openmetrics",
            "target/never.txt",
            "--openmetrics-step",
            "1ms",
        ]),
    ];
    insta::assert_snapshot!("wrong_arguments", told.concat());
}

//! What `seek` answers is what trying every value says; its answer is the same for any number of
//! threads; and what it cannot answer it says.

use std::path::Path;

use assert_cmd::Command;
use brimline::scenario::{Blueprint, claim};
use brimline::sim::Progress;
use brimline::study::front::{Front, Standing, Survey, survey};
use brimline::study::seek::{Answer, Finding, Knob, Method, Question, Wanted, Watch, seek};
use brimline::study::{self, Decision, judge};
use serde_json::Value;

/// Three nodes, a /26, and pods that need most of it for a while.
const SMALL: &str = "\
# How much does it need?
name: small
horizon: 2h
seed: 3
replications: 20
vpc:
  cidr: 192.168.0.0/16
  vswitches:
    - {id: vsw-nodes, zone: z, cidr: 192.168.0.0/24}
    - {id: vsw-pods, zone: z, prefix: 28}
terway:
  eni_config: {max_pool_size: 5, min_pool_size: 0, vswitches: {z: [vsw-pods]}, vswitch_selection_policy: ordered}
node_pools:
  - {name: small, instance_type: ecs.g7.xlarge, node_vswitch: vsw-nodes, nodes: 3}
workloads:
  - name: web
    deployment: {replicas: {points: [{at: 0h, value: 6}, {at: 1h, value: 34}]}}
    lifetime: {exponential: {mean: 30m}}
";

/// A vSwitch that fills up, and the article's remedy in time or too late.
const REMEDY: &str = "\
# How late may the second vSwitch come?
name: late
horizon: 20h
seed: 3
vpc:
  cidr: 192.168.0.0/16
  vswitches:
    - {id: vsw-nodes, zone: z, cidr: 192.168.0.0/24}
    - {id: vsw-pods, zone: z, cidr: 192.168.1.0/26}
terway:
  eni_config: {max_pool_size: 5, min_pool_size: 0, vswitches: {z: [vsw-pods]}, vswitch_selection_policy: ordered}
node_pools:
  - {name: small, instance_type: ecs.g7.2xlarge, node_vswitch: vsw-nodes, nodes: 6}
workloads:
  - {name: web, deployment: {replicas: {linear: {from: 6, to: 120}}}}
actions:
  - name: add
    at: 1h
    add_vswitch: {id: vsw-new, zone: z, cidr: 192.168.2.0/24, snat: true}
  - after: add
    edit_eni_config: {vswitches: {z: [vsw-pods, vsw-new]}}
  - after: previous
    restart_terway: all
";

const GOAL: &str = "P(pods.wait.p99 > 60s) <= 20 %";

fn scenario(sets: &[&str]) -> Blueprint {
    let sets = sets.iter().map(|set| brimline::scenario::Edit::parse("--set", set));
    Blueprint::of_text("small.yaml", SMALL, Path::new(".")).with(sets)
}

fn question(wanted: Wanted, knob: &str, sets: &[&str]) -> Question {
    let scenario = scenario(sets);
    let model = scenario.load().unwrap_or_else(|wrong| panic!("{wrong}")).model;
    let knob = Knob::parse(knob, &model).expect(knob);
    Question {
        scenario,
        knob,
        wanted,
        goals: vec![GOAL.to_owned()],
        seed: model.seed,
        scan: false,
        first: 60,
        most: 60,
    }
}

fn answer(question: &Question) -> Answer {
    seek(question, &Watch::default())
}

fn best(answer: &Answer) -> Option<&str> {
    answer.best.map(|best| answer.points[best].value.as_str())
}

/// What a value is, by running it and looking at every recording.
fn tried(question: &Question, value: &str) -> Finding {
    let Ok(loaded) = question.load(value, question.most) else { return Finding::Impossible };
    let claim = claim(&loaded.model, "--such-that", &question.goals[0]).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut ensemble = loaded.ensemble();
    ensemble.observe(&claim.statement.reading);
    match judge(&claim, &ensemble, &study::run(&ensemble, &Progress::default())).decision {
        Decision::Holds => Finding::Safe,
        Decision::Fails => Finding::Unsafe,
        Decision::Undecided => Finding::Undecided,
    }
}

#[test]
fn trying_every_value_confirms_the_answers() {
    const NODES_COME: &str =
        "node_pools.small.nodes={points: [{at: 0h, value: 3}, {at: 40m, value: 3}, {at: 41m, value: 9}]}";
    let (p24, p26, p27) =
        ("vpc.vswitches.vsw-pods.prefix=24", "vpc.vswitches.vsw-pods.prefix=26", "vpc.vswitches.vsw-pods.prefix=27");
    let cases: [(Wanted, &str, &str, &[&str]); 9] = [
        (Wanted::Smallest, "prefix(vsw-pods)=22..29", GOAL, &[]),
        (Wanted::Smallest, "prefix(vsw-nodes, vsw-pods)=24..29", GOAL, &[]),
        (Wanted::Smallest, "copies(vsw-pods)=1..8", GOAL, &["terway.eni_config.vswitch_selection_policy=random", p27]),
        (Wanted::Largest, "max_pool_size=0..30", GOAL, &[p26, NODES_COME, "workloads.web.deployment.replicas=42"]),
        (
            Wanted::Largest,
            "min_pool_size=0..20",
            GOAL,
            &[p26, "terway.eni_config.max_pool_size=20", "node_pools.small.nodes=6"],
        ),
        (Wanted::Largest, "node_pools.small.nodes=3..12", GOAL, &[p26, "terway.eni_config.min_pool_size=5"]),
        (Wanted::Largest, "workloads.web.deployment.replicas.points[1].value=10..58/4", GOAL, &[p26]),
        (Wanted::Earliest, "workloads.web.deployment.replicas.points[1].at=60m..600m/30", GOAL, &[p27]),
        (
            Wanted::Smallest,
            "node_pools.small.instance_type=ecs.g7.large,ecs.g7.xlarge,ecs.g7.2xlarge",
            "pods.unschedulable.max == 0",
            &[p24, "workloads.web.deployment.replicas.points[1].value=60"],
        ),
    ];
    let mut found = Vec::new();
    for (wanted, knob, goal, sets) in cases {
        let question = Question { goals: vec![goal.to_owned()], ..question(wanted, knob, sets) };
        let answer = answer(&question);
        let downwards = matches!(wanted, Wanted::Smallest | Wanted::Earliest);
        let mut values = question.knob.values.clone();
        if downwards {
            values.reverse();
        }
        let world: Vec<_> = values.iter().map(|value| tried(&question, value)).collect();
        let safe = world.iter().rposition(|&finding| finding == Finding::Safe);
        assert_eq!(best(&answer), safe.map(|at| values[at].as_str()), "{knob}: {world:?}");
        let beyond = safe.map_or(0, |safe| safe + 1);
        let beyond = (beyond..world.len()).find(|&at| world[at] == Finding::Unsafe);
        let named = answer.beyond.map(|at| answer.points[at].value.as_str());
        assert_eq!(named, beyond.map(|at| values[at].as_str()), "{knob}: {world:?}");
        for point in &answer.points {
            let at = values.iter().position(|value| *value == point.value).expect("it is a value");
            assert_eq!(point.finding, world[at], "{knob} = {}", point.value);
        }
        found.push(format!("{knob}: {:?}, then {named:?}, {} of {}", best(&answer), answer.points.len(), world.len()));
    }
    insta::assert_snapshot!("answers", found.join("\n"));
}

#[test]
fn the_latest_time_of_a_remedy_is_just_before_the_vswitch_is_full() {
    let scenario = Blueprint::of_text("late.yaml", REMEDY, Path::new("."));
    let model = scenario.load().unwrap_or_else(|wrong| panic!("{wrong}")).model;
    let question = Question {
        scenario,
        knob: Knob::parse("actions.add.at=4h..16h/1", &model).expect("a range of times"),
        goals: vec!["P(any pod waits > 10m) <= 20 %".to_owned()],
        first: 20,
        most: 20,
        ..question(Wanted::Latest, "max_pool_size", &[])
    };
    let found = answer(&question);
    let (best, beyond) = (found.best.expect("an early one helps"), found.beyond.expect("a late one does not"));
    assert_eq!((found.points[best].value.as_str(), found.points[beyond].value.as_str()), ("9h", "10h"));
    let all = answer(&Question { scan: true, ..question });
    assert_eq!(all.best.map(|at| &all.points[at]), Some(&found.points[best]));
    assert_eq!(all.beyond.map(|at| &all.points[at]), Some(&found.points[beyond]));
}

#[test]
fn an_answer_depends_on_no_number_of_threads() {
    let question = Question { first: 20, most: 320, ..question(Wanted::Largest, "node_pools.small.nodes=3..12", &[]) };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| answer(&question))
    };
    assert_eq!(with(1), with(3));
}

/// Ten runs decide nothing about one percent, and say how many would.
#[test]
fn what_the_noise_leaves_open_is_told() {
    let mut question = question(Wanted::Smallest, "prefix(vsw-pods)=22..29", &[]);
    (question.first, question.most, question.goals) = (10, 40, vec!["P(pods.wait.p99 > 60s) <= 1 %".to_owned()]);
    let answer = answer(&question);
    assert_eq!(answer.best, None);
    let undecided: Vec<_> = answer.points.iter().filter(|point| point.finding == Finding::Undecided).collect();
    assert!(undecided.iter().any(|point| point.runs_needed() == Some(299)), "{undecided:?}");
}

/// A vSwitch is smaller, the higher its prefix: asked the wrong way round, safety begins where it
/// should end.
#[test]
fn safety_that_ends_twice_is_found_out() {
    let question = question(Wanted::Largest, "prefix(vsw-pods)=22..29", &[]);
    let answer = answer(&question);
    assert_eq!((answer.method, best(&answer)), (Method::ScanAfterBisection, Some("22")), "{:?}", answer.points);
    let exceptions: Vec<_> = answer.exceptions.iter().map(|&at| answer.points[at].value.as_str()).collect();
    assert_eq!(exceptions, ["29", "28", "27"]);
}

/// Few nodes have no room for the pods, many nodes fill the vSwitch with their pools: the ends fail, each another
/// goal, and between them is an answer.
#[test]
fn ends_that_fail_different_goals_do_not_answer_for_what_is_between() {
    let sets = [
        "vpc.vswitches.vsw-pods.prefix=24",
        "terway.eni_config.max_pool_size=12",
        "terway.eni_config.min_pool_size=10",
        "workloads.web.deployment.replicas=100",
    ];
    let goals = ["pods.unschedulable.end == 0", "vswitch.free.min > 0"].map(str::to_owned).to_vec();
    let question =
        Question { goals, first: 1, most: 1, ..question(Wanted::Smallest, "node_pools.small.nodes=1..61/10", &sets) };
    let found = answer(&question);
    let all = answer(&Question { scan: true, ..question.clone() });
    assert_eq!(found.method, Method::ScanAfterBisection);
    assert!(best(&found).is_some(), "{:?}", found.points);
    assert_eq!(best(&found), best(&all));
    let text = brimline::report::seek::sentence(&found, &question.knob);
    assert!(text.contains("Safety has another end"), "{text}");
    let one = Question { goals: vec!["vswitch.free.min > 1000".to_owned()], ..question };
    let text = brimline::report::seek::sentence(&answer(&one), &one.knob);
    assert!(text.starts_with("Neither end of the range of node_pools.small.nodes keeps"), "{text}");
}

/// A wrong key, a vSwitch that is called like a copy, and a draw that cannot be.
#[test]
fn what_is_pasted_is_warned_of_and_is_right() {
    let wrong = question(Wanted::Largest, "terway.eni_config.max_pool_sizee=1..2", &[]);
    let found = answer(&Question { goals: vec!["calls >= 0".to_owned()], first: 1, most: 1, ..wrong });
    assert!(found.warnings.iter().any(|warning| warning.contains("`max_pool_sizee` is not a key")), "{found:?}");

    let foreign = "vpc.vswitches=[{id: vsw-nodes, zone: z, prefix: 24}, {id: vsw-pods, zone: z, prefix: 26}, \
                   {id: vsw-pods-9, zone: y, prefix: 26}]";
    let copies = question(Wanted::Smallest, "copies(vsw-pods)=1..3", &[foreign]);
    let model = copies.load("2", 1).unwrap_or_else(|wrong| panic!("{wrong}")).model;
    let snippet = brimline::report::seek::snippet(&copies.knob, "2", &model).expect("there is something to paste");
    assert!(snippet.contains("\"vsw-pods-2\"") && !snippet.contains("vsw-pods-9"), "{snippet}");

    let sets = ["workloads.web.deployment.rollout={every: 1d, max_unavailable: {p5: 10 %, p50: 50 %, p95: 90 %}}"];
    let drawn = Question { most: 400, ..question(Wanted::Smallest, "prefix(vsw-pods)=25,26", &sets) };
    let wrong = drawn.check().expect_err("a draw is more than all").to_string();
    assert!(wrong.contains("drew") && wrong.contains("rollout.max_unavailable"), "{wrong}");
    // Goals about every run take no more runs than it begins with.
    let few = Question { goals: vec!["calls >= 0".to_owned()], first: 2, ..drawn };
    assert!(few.check().is_ok());
}

#[test]
fn an_uncertain_scenario_has_a_model_for_every_run() {
    let sets = ["workloads.web.deployment.replicas.points[1].value=[20, 50]"];
    let answer =
        answer(&Question { first: 20, most: 80, ..question(Wanted::Smallest, "prefix(vsw-pods)=22..29", &sets) });
    assert_eq!(best(&answer), Some("26"), "{:?}", answer.points);
}

#[test]
fn compromises_are_those_that_no_other_beats() {
    let scenario = scenario(&["vpc.vswitches.vsw-pods.prefix=24"]);
    let model = scenario.load().expect("it loads").model;
    let knob = |text: &str| Knob::parse(text, &model).expect(text);
    let asked = Survey {
        scenario,
        knobs: vec![knob("min_pool_size=0,4"), knob("max_pool_size=0,5,15")],
        objectives: vec!["vswitches.idle.mean".to_owned(), "calls".to_owned()],
        goals: vec![],
        seed: model.seed,
        replications: 10,
    };
    let Front { points, .. } = survey(&asked, &Watch::default());
    let mean = |at: usize, objective: usize| points[at].readings[objective].expect("it can be read").mean;
    for (at, point) in points.iter().enumerate() {
        let worse = |other: usize| (0..2).any(|objective| mean(other, objective) > mean(at, objective));
        match point.standing {
            Standing::BeatenBy(by) => assert!(!worse(by), "{at} is beaten by {by}"),
            Standing::Unbeaten => assert!((0..points.len()).all(|other| {
                worse(other) || (0..2).all(|objective| mean(other, objective) == mean(at, objective))
            })),
            other => assert_eq!(other, Standing::TiedByNoise),
        }
    }
    let of = |wanted: fn(&Standing) -> bool| points.iter().filter(|point| wanted(&point.standing)).count();
    assert!(of(|s| *s == Standing::Unbeaten) >= 2 && of(|s| matches!(s, Standing::BeatenBy(_))) >= 1, "{points:?}");
}

/// Exit code, standard output, standard error of `brimline seek small.yaml …`.
fn command(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    std::fs::write(folder.join("small.yaml"), SMALL).expect("a writable folder");
    let mut command = Command::cargo_bin("brimline").expect("the binary is built");
    let output = command.current_dir(folder).args(["seek", "small.yaml"]).args(arguments).output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is UTF-8");
    (output.status.code().expect("no signal"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_command_answers_first_and_prints_what_to_paste() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (code, out, err) = command(folder.path(), &["--smallest", "prefix(vsw-pods)", "--such-that", GOAL]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!("smallest_prefix", out);
    let csv = std::fs::read_to_string(folder.path().join("output/small-seek/seek.csv")).expect("a table");
    assert!(csv.starts_with("value,finding,goal,decision,runs,hits,"), "{csv}");
    let (code, out, _) = command(folder.path(), &["--largest", "max_pool_size", "--such-that", GOAL, "--json", "-q"]);
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &answer["best"]), (3, &Value::Null), "{answer:#}");
    assert!(folder.path().join("output/small-seek-2/seek.json").is_file());
}

#[test]
fn compromises_have_a_table_and_a_picture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let vary = ["--vary", "max_pool_size=0,5,15", "--vary", "prefix(vsw-pods)=25,29"];
    let minimise = ["--minimise", "vswitches.idle.mean", "--minimise", "calls", "--such-that", GOAL];
    let (code, out, err) = command(folder.path(), &[&vary[..], &minimise].concat());
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    insta::assert_snapshot!("compromises", out);
    for file in ["front.csv", "front.json", "front-1-2.svg"] {
        assert!(folder.path().join("output/small-seek").join(file).is_file(), "{file}");
    }
}

#[test]
fn what_is_wrong_is_told_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let wrong: [&[&str]; 8] = [
        &["--largest", "max_pool_size"],
        &["--largest", "node_pools.smal.nodes=1..5", "--such-that", GOAL],
        &["--largest", "node_pools.small.nodes", "--such-that", GOAL],
        &["--smallest", "prefix(vsw-podz)", "--such-that", GOAL],
        &["--largest", "max_pool_size", "--such-that", "P(pods.wait.p99 > 60s) <= 2"],
        &["--largest", "max_pool_size", "--such-that", GOAL, "--at-most", "5"],
        &["--vary", "max_pool_size=1,2", "--minimise", "pods.wait.p98"],
        &["--vary", "max_pool_size=1,2", "--minimise", "calls", "--replications", "1"],
    ];
    let told = wrong.map(|arguments| {
        let (code, out, err) = command(folder.path(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        err
    });
    insta::assert_snapshot!("wrong", told.join("\n"));
    assert!(!folder.path().join("output").exists());
}

/// A run that ends as soon as it is certain what a claim says of it says the same as the whole run.
#[test]
fn what_is_certain_early_is_so_at_the_end() {
    const CLAIMS: [&str; 14] = [
        "any vswitch is full",
        "P(vsw-pods is full before 1h) <= 5 %",
        "vswitch.time_to_full > 70m",
        "vsw-pods.time_to_full != 30m",
        "vswitch.free.min >= 3",
        "vswitch.free.min > 0",
        "vsw-pods.free.min >= 10 %",
        "P(any pod waits > 60s before 65m) <= 5 %",
        "pods.waiting_over(60s) == 0",
        "pods.waiting_over(60s) <= 3",
        "pods.waiting.max > 3",
        "pods.waiting.max <= 3",
        "pods.unschedulable.max >= 1",
        "pods.wait.p99 > 60s",
    ];
    let progress = Progress::default();
    let (mut told, mut early) = ([[0; 2]; CLAIMS.len()], 0);
    let remedy = || Blueprint::of_text("late.yaml", REMEDY, Path::new("."));
    let warm = || scenario(&["warm_up=61m", "vpc.vswitches.vsw-pods.prefix=26"]);
    for world in [scenario(&[]), scenario(&["vpc.vswitches.vsw-pods.prefix=27"]), warm(), remedy()] {
        let mut ensemble = world.load().unwrap_or_else(|wrong| panic!("{wrong}")).ensemble();
        let claims =
            CLAIMS.map(|text| claim(ensemble.typical(), "--such-that", text).unwrap_or_else(|e| panic!("{e}")));
        claims.iter().for_each(|claim| ensemble.observe(&claim.statement.reading));
        let model = ensemble.typical();
        for replication in 0..6 {
            let whole = brimline::sim::run(model, replication, &progress);
            for (i, claim) in claims.iter().enumerate() {
                let statement = &claim.statement;
                let run = brimline::sim::run_until(model, replication, &progress, |now, recorder| {
                    recorder.outlook(now, &statement.reading).settles(statement)
                });
                let is_hit = |run| study::is_hit(claim, brimline::outcome::value(&statement.reading, model, run));
                assert_eq!(is_hit(&run), is_hit(&whole), "{}: run {replication} of {}", claim.text, model.name);
                told[i][usize::from(is_hit(&whole))] += 1;
                early += usize::from(run.events < whole.events);
            }
        }
    }
    assert!(early > 100, "{early} runs ended early");
    let varied = told.iter().filter(|[no, yes]| *no > 0 && *yes > 0).count();
    assert!(varied > 7, "claims hold in some runs and not in others: {told:?}");
}

//! `docs/centralized.md`: every command of the page is run, every figure is what the run says, and
//! every difference is what its section claims.
//!
//! `just centralized` writes the figures anew.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use brimline::model::Model;
use brimline::outcome::value;
use brimline::record::Recording;
use brimline::scenario::{Blueprint, Edit};
use brimline::sim::Progress;
use brimline::study;

/// Whether the figures are to be written instead of compared.
const WRITE: &str = "BRIMLINE_WRITE_FIGURES";
/// How a command begins; the file of the scenario follows.
const COMMAND: &str = "brimline compare ";
/// Held by whoever reads or writes the page.
static PAGE: Mutex<()> = Mutex::new(());

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/centralized.md")
}

fn page() -> String {
    let _held = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    std::fs::read_to_string(path()).expect("the page is in the repository")
}

/// One command of the page and the table below it.
struct Shown {
    /// Names of the columns: the scenario as the options `--set` leave it, then its variants.
    columns: Vec<String>,
    /// Its lines in the page, each with its number.
    rows: Vec<(usize, String)>,
    runs: Vec<(Model, Vec<Recording>)>,
}

/// The commands with a table of a section, in their order.
fn shown(page: &str, section: &str) -> Vec<Shown> {
    let lines: Vec<_> = page.lines().enumerate().collect();
    let from = lines.iter().position(|(_, line)| line.strip_prefix("## ").is_some_and(|title| is_of(title, section)));
    let from = from.unwrap_or_else(|| panic!("the page has no section {section}"));
    let length = lines[from + 1..].iter().position(|(_, line)| line.starts_with("## "));
    let lines = &lines[from..length.map_or(lines.len(), |length| from + 1 + length)];
    let starts = lines.iter().enumerate().filter(|(_, (_, line))| line.starts_with(COMMAND));
    let starts: Vec<_> = starts.map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    starts.iter().zip(ends).map(|(&start, end)| run(page, &lines[start..end])).collect()
}

fn is_of(title: &str, section: &str) -> bool {
    title == section || title.starts_with(&format!("{section}: "))
}

fn run(page: &str, lines: &[(usize, &str)]) -> Shown {
    let option = |name: &str| -> Vec<&str> {
        let quoted = lines.iter().filter_map(|(_, line)| line.trim().strip_prefix(name)?.strip_prefix(" '"));
        quoted.map(|text| text.trim_end_matches(" \\").strip_suffix('\'').expect("the quotes end")).collect()
    };
    let common: Vec<_> = option("--set").into_iter().map(|text| Edit::parse("--set", text)).collect();
    let (_, command) = lines.first().expect("there is a command");
    let file = command[COMMAND.len()..].trim_end_matches(" \\");
    let base = match file {
        "small.yaml" => Blueprint::of_text(file, small(page), Path::new(".")),
        file => Blueprint::open(Path::new(file)).unwrap_or_else(|diagnostics| panic!("{diagnostics}")),
    };
    let base = base.with(common);
    let variants = option("--variant").into_iter().map(|text| text.split_once(": ").expect("a variant has a name"));
    let variants: Vec<_> = variants.collect();
    let mut all = vec![base.clone()];
    all.extend(variants.iter().map(|(_, change)| base.with([Edit::parse("--variant", change)])));
    let columns = std::iter::once("centralized").chain(variants.iter().map(|&(name, _)| name));
    let rows = lines.iter().filter(|(_, line)| line.starts_with("| `"));
    Shown {
        columns: columns.map(str::to_owned).collect(),
        rows: rows.map(|&(number, line)| (number, line.to_owned())).collect(),
        runs: all.iter().map(results).collect(),
    }
}

/// The file from which most commands start.
fn small(page: &str) -> &str {
    let (_, rest) = page.split_once("```yaml\n").expect("the page shows the file");
    rest.split_once("```").expect("the block ends").0
}

fn results(blueprint: &Blueprint) -> (Model, Vec<Recording>) {
    let loaded = blueprint.load().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let runs = study::run(&loaded.ensemble(), &Progress::default());
    (loaded.model, runs)
}

impl Shown {
    /// The figures of a row of the table, a column each.
    fn of(&self, name: &str) -> Vec<f64> {
        self.runs.iter().map(|(model, runs)| figure(name, model, runs)).collect()
    }

    /// The line of the table as it has to be.
    fn line(&self, row: &str) -> String {
        let name = row.trim_start_matches("| ").split(" | ").next().expect("a row has cells");
        let cells: Vec<_> = self.of(&name.replace('`', "")).into_iter().map(text).collect();
        format!("| {name} | {} |", cells.join(" | "))
    }
}

/// A mean over the runs, or the least or most of them.
fn figure(name: &str, model: &Model, runs: &[Recording]) -> f64 {
    let (name, statistic) = name.split_once(", ").unwrap_or((name, "mean"));
    let values: Vec<_> = runs.iter().map(|run| of_run(name, model, run)).collect();
    match statistic {
        "mean" => values.iter().sum::<f64>() / values.len() as f64,
        "least" => values.into_iter().fold(f64::INFINITY, f64::min),
        "most" => values.into_iter().fold(0.0, f64::max),
        other => panic!("no statistic {other}"),
    }
}

fn of_run(name: &str, model: &Model, run: &Recording) -> f64 {
    match name {
        "failed attempts" => run.pods.failures.iter().sum::<u64>() as f64,
        _ => {
            let known = model.readings().into_iter().find(|(known, _)| known == name);
            let (_, reading) = known.unwrap_or_else(|| panic!("there is no measure {name}"));
            value(&reading, model, run).unwrap_or_else(|| panic!("{name} has no value"))
        }
    }
}

/// A figure with one decimal, unless it is whole.
fn text(figure: f64) -> String {
    let rounded = format!("{figure:.1}");
    rounded.strip_suffix(".0").map_or(rounded.clone(), str::to_owned)
}

/// What a section shows; its figures are those of the runs.
fn section(name: &str) -> Vec<Shown> {
    let page = page();
    let shown = shown(&page, name);
    assert!(!shown.is_empty(), "{name} shows something");
    for shown in &shown {
        let head = format!("| measure | {} |", shown.columns.join(" | "));
        assert!(!shown.rows.is_empty() && page.contains(&head), "{name} has a table with the head {head}");
    }
    let right = || shown.iter().flat_map(|shown| shown.rows.iter().map(|(number, row)| (*number, shown.line(row))));
    if std::env::var_os(WRITE).is_some() {
        write(right());
    } else {
        let stated: Vec<_> = shown.iter().flat_map(|shown| shown.rows.iter().map(|(_, row)| row.clone())).collect();
        let right: Vec<_> = right().map(|(_, row)| row).collect();
        assert_eq!(stated, right, "docs/centralized.md, {name}: `just centralized` writes the figures anew");
    }
    shown
}

fn write(rows: impl Iterator<Item = (usize, String)>) {
    let _held = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let page = std::fs::read_to_string(path()).expect("the page is in the repository");
    let mut lines: Vec<_> = page.lines().map(str::to_owned).collect();
    rows.for_each(|(number, row)| lines[number] = row);
    std::fs::write(path(), lines.join("\n") + "\n").expect("the page can be written");
}

/// The figures of the only command of a section, by row: centralized, then the variants.
fn only(name: &str) -> Shown {
    let mut shown = section(name);
    assert_eq!(shown.len(), 1, "{name} shows one thing");
    shown.pop().expect("there is one")
}

#[test]
fn every_command_of_the_page_is_run() {
    let own = include_str!("centralized_vs_node_local.rs");
    let page = page();
    for part in page.split("\n## ").skip(1).filter(|part| part.contains(COMMAND)) {
        let title = part.lines().next().expect("a section has a title");
        let name = title.split(": ").next().expect("it has a beginning");
        assert!(own.contains(&format!("(\"{name}\")")), "no test is about section {name}");
    }
}

#[test]
fn d1_an_address_is_taken_at_scheduling() {
    let shown = only("D1");
    assert_eq!(shown.of("pods.served"), [0.0, 0.0], "the daemon is down");
    let [centralized, node_local] = shown.of("vsw-pods.free.end")[..] else { panic!("two columns") };
    assert_eq!(node_local, 252.0);
    assert_eq!(centralized, node_local - 10.0, "twice five pods (C54)");
}

#[test]
fn d2_orders_are_twice_what_waits() {
    let shown = only("D2");
    let [centralized, node_local] = shown.of("vsw-pods.free.min")[..] else { panic!("two columns") };
    assert_eq!(node_local, 247.0, "one address for each of five pods");
    assert_eq!(centralized, 242.0, "two of them, and eight more (C52)");
    assert_eq!(shown.of("vsw-pods.idle.end"), [5.0, 0.0], "the pool keeps five of what is left");
}

#[test]
fn d3_a_node_grows_one_action_at_a_time() {
    let shown = only("D3");
    for row in ["pods.wait.p50", "pods.wait.longest"] {
        let [centralized, node_local] = shown.of(row)[..] else { panic!("two columns") };
        assert!(centralized > 1.5 * node_local, "{row}: {centralized} and {node_local}");
    }
}

#[test]
fn d4_max_eni_is_not_read() {
    let shown = only("D4");
    assert_eq!(shown.of("enis.end"), [3.0, 1.0]);
    assert_eq!(shown.of("pods.waiting.end"), [0.0, 25.0]);
}

#[test]
fn d5_a_minimum_above_the_maximum_oscillates() {
    let shown = only("D5");
    let [centralized, node_local] = shown.of("calls.UnassignPrivateIpAddresses")[..] else { panic!("two columns") };
    assert_eq!(node_local, 0.0);
    assert!((13.0..=15.0).contains(&centralized), "every two minutes in 30 minutes: {centralized}");
    assert_eq!(shown.of("calls.AssignPrivateIpAddresses")[0], centralized, "what is given back is ordered again");
}

#[test]
fn d6_a_refusal_blocks_everybody_for_twenty_minutes() {
    let shown = section("D6");
    let [centralized, node_local] = shown[0].of("pods.wait.longest")[..] else { panic!("two columns") };
    // Blocked after ten minutes until half past; the pods came after 13 minutes.
    assert!((17.0 * 60.0..18.0 * 60.0).contains(&centralized), "{centralized}");
    assert!(node_local < 180.0, "{node_local}");
    let [centralized, node_local] = shown[1].of("calls.DescribeNetworkInterfaces")[..] else { panic!("two columns") };
    assert!(centralized > 29.0 * 60.0 / 2.0, "at least every other second: {centralized}");
    assert_eq!(node_local, 0.0);
}

#[test]
fn d7_a_slot_too_many_is_node_local_only() {
    let shown = only("D7");
    let [centralized, node_local] = shown.of("calls.AttachNetworkInterface.refused")[..] else { panic!("two columns") };
    assert_eq!(centralized, 0.0);
    assert!(node_local > 1.0, "{node_local}");
}

#[test]
fn d8_an_interface_of_the_size_of_the_surplus_stays() {
    let shown = only("D8");
    assert_eq!(shown.of("vsw-pods.idle.end"), [10.0, 10.0]);
    assert_eq!(shown.of("enis.end"), [2.0, 1.0]);
}

#[test]
fn d9_the_end_of_a_pod_does_not_end_quiet_time() {
    let [centralized, node_local] = only("D9").of("vsw-pods.idle.end")[..] else { panic!("two columns") };
    assert!(centralized <= 2.0 && node_local == 10.0, "{centralized} and {node_local}");
}

#[test]
fn d10_surplus_goes_two_minutes_after_the_run_that_saw_it() {
    let shown = only("D10");
    let (least, most) = (shown.of("vsw-pods.idle.mean, least"), shown.of("vsw-pods.idle.mean, most"));
    assert!(most[0] - least[0] < 1.0, "the same in every run: {least:?} {most:?}");
    assert!(most[1] - least[1] > 2.0, "anything from nothing to four minutes: {least:?} {most:?}");
}

#[test]
fn d11_an_address_is_free_some_seconds_after_the_end() {
    let shown = only("D11");
    assert_eq!(shown.of("pods.wait.p50")[1], 0.0);
    let centralized = shown.of("pods.wait.p50")[0];
    assert!((0.5..5.0).contains(&centralized), "at most 3 s of the ticker and 2 s of the gate: {centralized}");
}

#[test]
fn d12_nothing_is_retained() {
    let shown = only("D12");
    let [centralized, node_local] = shown.of("vsw-pods.pods.mean")[..] else { panic!("two columns") };
    assert!(centralized < 1.0, "{centralized}");
    // Ten addresses for 5 to 10 of 15 minutes.
    assert!((10.0 / 3.0..=10.0 * 2.0 / 3.0 + 0.5).contains(&node_local), "{node_local}");
}

#[test]
fn d13_limits_are_the_cluster_s() {
    let [centralized, tight, node_local] = only("D13").of("pods.wait.longest")[..] else { panic!("three columns") };
    assert!(tight > centralized && centralized > node_local, "{centralized}, {tight}, {node_local}");
}

#[test]
fn d14_warm_up_and_prefixes_are_centralized_only() {
    let shown = section("D14");
    assert_eq!(shown[0].of("vsw-pods.idle.end"), [15.0, 0.0]);
    assert_eq!(shown[1].of("vsw-pods.prefixes.free_blocks.end")[0], 0.0);
    assert!(shown[1].of("vsw-pods.free.end")[0] > 180.0, "single addresses are free");
    let [centralized, node_local] = shown[1].of("pods.waiting.end")[..] else { panic!("two columns") };
    assert!(centralized >= 80.0 - 64.0 && node_local == 0.0, "{centralized}");
}

#[test]
fn d15_a_full_node_says_so_at_once_or_never() {
    let shown = only("D15");
    assert_eq!(shown.of("pods.waiting.end"), [3.0, 3.0]);
    let [centralized, node_local] = shown.of("failed attempts")[..] else { panic!("two columns") };
    // Three pods, 29 minutes; an attempt takes 118 s, and the kubelet's pause 10 to 15 s.
    let most = 3.0 * 29.0 * 60.0 / 128.0;
    assert!(centralized <= most && node_local > 5.0 * most, "{centralized} and {node_local}");
}

#[test]
fn an_edit_reaches_a_node_on_which_something_happens() {
    assert_eq!(only("Edited eni-config").of("vsw-pods.idle.end"), [10.0, 5.0, 0.0]);
}

#[test]
fn c63_a_trunk_interface_needs_no_pod() {
    let shown = only("Trunk interfaces");
    assert_eq!(shown.of("enis.end"), [1.0, 1.0]);
    assert_eq!(shown.of("vsw-pods.free.end"), [251.0, 251.0]);
}

#[test]
fn c146_a_pod_with_an_interface_of_its_own_takes_one_address() {
    let shown = only("Exclusive interfaces");
    assert_eq!(shown.of("vsw-pods.free.end")[1], 249.0);
    assert_eq!(shown.of("enis.end"), [1.0, 3.0]);
}

#[test]
fn c44_families_do_not_drift() {
    let [centralized, node_local] = only("Dual stack").of("pods.wait.longest")[..] else { panic!("two columns") };
    assert!(centralized < 60.0 && node_local > 118.0, "a deadline passes: {centralized} and {node_local}");
}

#[test]
fn c163_rdma_pods_have_an_interface_of_their_own() {
    let shown = only("RDMA");
    assert_eq!(shown.of("enis.end"), [1.0, 1.0, 1.0]);
    let [erdma, plain, _] = shown.of("vsw-pods.free.min")[..] else { panic!("three columns") };
    assert!(erdma >= plain, "orders of RDMA pods are not doubled: {erdma} and {plain}");
}

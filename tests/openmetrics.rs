//! A run as Prometheus would have scraped it, and alert rules on it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Wall};

use brimline::model::Model;
use brimline::openmetrics::{self, Scrape};
use brimline::outcome::Clock;
use brimline::record::Recording;
use brimline::scenario::{Blueprint, Edit, load};
use brimline::sim::{Progress, run};
use brimline::time::{Instant, Span};

fn model(name: &str) -> Model {
    let path = format!("scenarios/{name}.yaml");
    let mut model = load(Path::new(&path)).unwrap_or_else(|diagnostics| panic!("{diagnostics}")).model;
    model.start.get_or_insert(jiff::civil::date(2026, 12, 1));
    model
}

fn scraped(model: &Model, scrape: Scrape) -> (String, Recording) {
    let (metrics, recording) = openmetrics::scrape(model, 0, scrape).expect("the scenario has a start");
    let mut text = Vec::new();
    metrics.write(&mut text).expect("memory takes everything");
    let text = String::from_utf8(text).expect("OpenMetrics is UTF-8");
    assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count() as u64, metrics.samples());
    (text, recording)
}

const EVERYTHING: Scrape = Scrape { step: Span::mins(4), nodes: true, latencies: true };
const PLAIN: Scrape = Scrape { step: Span::mins(4), nodes: false, latencies: false };

/// Value of each sample by series and time, in s.
fn samples(text: &str) -> BTreeMap<&str, BTreeMap<u64, u64>> {
    let mut series: BTreeMap<&str, BTreeMap<u64, u64>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (rest, at) = line.rsplit_once(' ').expect("a sample has a time");
        let (name, value) = rest.rsplit_once(' ').expect("a sample has a value");
        let value = value.parse().expect("values are whole");
        let before = series.entry(name).or_default().insert(at.parse().expect("times are whole"), value);
        assert_eq!(before, None, "{line} comes twice");
    }
    series
}

/// The rules of OpenMetrics 1.0 that can be broken: families are announced before their samples and not
/// mixed, a series' times ascend, histograms are cumulative, and the end is marked.
#[test]
fn the_text_keeps_the_rules_of_openmetrics() {
    for name in ["teaching-slash26", "centralized-vs-node-local"] {
        let (text, _) = scraped(&model(name), EVERYTHING);
        assert!(text.ends_with("\n# EOF\n") && text.matches("# EOF").count() == 1);
        let mut family = String::new();
        let mut announced = BTreeSet::new();
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut bucket = (String::new(), 0);
        for line in text.lines().take_while(|line| *line != "# EOF") {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().expect("a family has a name").to_owned();
                assert!(announced.insert(family.clone()), "{family} is mixed with another");
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            assert!(line.starts_with(&family), "{line} is of another family than {family}");
            let (series, at) = line.rsplit_once(' ').expect("a sample has a time");
            let (series, value) = series.rsplit_once(' ').expect("a sample has a value");
            let (at, value): (u64, u64) = (at.parse().expect("whole"), value.parse().expect("whole"));
            assert!(last.insert(series, at).is_none_or(|before| before < at), "{line} is not later");
            if let Some((of, _)) = series.split_once(",le=") {
                let point = format!("{of} {at}");
                assert!(bucket.0 != point || bucket.1 <= value, "{line} is less than the bucket before");
                bucket = (point, value);
            }
        }
    }
}

/// What is written is what the run records.
#[test]
fn the_samples_are_the_levels_of_the_run() {
    let model = model("teaching-slash26");
    let (text, recording) = scraped(&model, EVERYTHING);
    let series = samples(&text);
    let end = |name: &str| *series[name].last_key_value().unwrap_or_else(|| panic!("{name} is empty")).1;
    for (vswitch, record) in model.vpc.vswitches.iter().zip(&recording.vswitches) {
        let of = format!("vswitch=\"{}\",zone=\"{}\"", vswitch.id, vswitch.zone);
        assert_eq!(end(&format!("brimline_vswitch_free_addresses{{{of}}}")), u64::from(record.end.free));
        assert_eq!(end(&format!("brimline_vswitch_usable_addresses{{{of}}}")), u64::from(record.usable));
        assert_eq!(end(&format!("brimline_vswitch_refusals_total{{{of}}}")), record.refusals);
        let idle = end(&format!("brimline_vswitch_addresses{{{of},holder=\"idle\"}}"));
        assert_eq!(idle, u64::from(record.end.idle));
    }
    let all = |start: &str, part: &str| -> u64 {
        let of = series.iter().filter(|(name, _)| name.starts_with(start) && name.contains(part));
        of.map(|(_, points)| points.last_key_value().map_or(0, |(_, value)| *value)).sum()
    };
    assert_eq!(all("aliyun_openapi_latency_count", ""), recording.calls.iter().sum::<u64>());
    let refused: u64 = recording.errors.as_flattened().iter().sum();
    assert!(refused > 0);
    assert_eq!(all("aliyun_openapi_latency_count", "error=\"true\""), refused);
    assert_eq!(all("terway_rpc_latency_count", "error=\"false\""), recording.pods.served);
    let failed: u64 = recording.pods.failures.iter().sum();
    assert_eq!(all("terway_rpc_latency_count", "error=\"true\""), failed);
    // The daemons' pools are the addresses on interfaces, but for those on their way.
    let total = all("terway_resource_pool_total_count", "");
    let pods = &recording.vswitches[1].end;
    assert!(total <= u64::from(pods.pods + pods.idle) && total + 10 >= u64::from(pods.pods + pods.idle), "{total}");
}

/// With and without a node's own series the sums are the same, and a node has them as long as it is there.
#[test]
fn nodes_add_up_to_their_pools() {
    let model = model("autoscaled-night");
    let (by_pool, _) = scraped(&model, PLAIN);
    let (by_node, _) = scraped(&model, Scrape { nodes: true, ..PLAIN });
    for name in ["terway_resource_pool_total_count", "terway_resource_pool_idle_count"] {
        let sum = |text| {
            let mut sums: BTreeMap<u64, u64> = BTreeMap::new();
            for (_, points) in samples(text).into_iter().filter(|(series, _)| series.starts_with(name)) {
                points.into_iter().for_each(|(at, value)| *sums.entry(at).or_default() += value);
            }
            sums
        };
        assert_eq!(sum(&by_pool), sum(&by_node));
    }
    let nodes = samples(&by_node).into_keys().filter(|series| series.contains("instance=")).count();
    assert!(nodes > 40, "{nodes} series of nodes");
}

/// Daemons of before v1.7 export their sizes as labels (`pkg/metric/resource_pool.go` of v1.4.4), and what
/// they count is on the node's interfaces.
#[test]
fn classic_pools_have_the_labels_of_their_time() {
    let path = Path::new("scenarios/teaching-slash26.yaml");
    let blueprint = Blueprint::open(path).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let edits = ["terway.version=v1.4.4", "start=2026-12-01"].map(|text| Edit::parse("--set", text));
    let model = blueprint.with(edits).load().unwrap_or_else(|diagnostics| panic!("{diagnostics}")).model;
    let (text, recording) = scraped(&model, PLAIN);
    let series = samples(&text);
    let of =
        "name=\"eniip\",type=\"eniip\",capacity=\"45\",max_idle=\"5\",min_idle=\"2\",job=\"terway\",pool=\"small\"";
    let end = |name: &str| {
        let points = series.get(name).unwrap_or_else(|| panic!("{name} is none of {:?}", series.keys()));
        *points.last_key_value().unwrap_or_else(|| panic!("{name} is empty")).1
    };
    let total = end(&format!("terway_resource_pool_total_count{{{of}}}"));
    let idle = end(&format!("terway_resource_pool_idle_count{{{of}}}"));
    let pods = &recording.vswitches[1].end;
    assert!(idle <= total && total <= u64::from(pods.pods + pods.idle), "{idle} of {total}, {pods:?}");
    assert!(total + 10 >= u64::from(pods.pods + pods.idle), "{total}, {pods:?}");
    let enis = end("terway_eniip_factory_eni_count{name=\"eniip\",max_eni=\"3\",job=\"terway\",pool=\"small\"}");
    assert_eq!(enis, u64::from(recording.groups[0].end.enis));
}

/// Looking changes nothing: neither what happens nor what is recorded of it.
#[test]
fn a_run_that_is_scraped_is_the_same_run() {
    for name in ["teaching-slash26", "centralized-vs-node-local", "autoscaled-night", "zone-outage"] {
        let model = model(name);
        let often = Scrape { step: Span::secs(97), ..EVERYTHING };
        let (_, watched) = openmetrics::scrape(&model, 0, often).expect("the scenario has a start");
        let mut alone = run(&model, 0, &Progress::default());
        // Timers inside nodes are counted when somebody looks.
        alone.events = watched.events;
        (alone.pod_log, alone.steps, alone.journal) = (Vec::new(), Vec::new(), watched.journal.clone());
        assert_eq!(alone, watched, "{name}");
    }
}

/// The rules of `docs/alerts/terway.yaml` on the article's cluster: when does each fire, and how long
/// before pods wait? `docs/alerts.md` says what comes of it.
#[test]
fn alerts_fire_in_time() {
    if Command::new("promtool").arg("--version").output().is_err() {
        let message = "promtool is not there: `apt-get install prometheus` brings it";
        assert!(std::env::var_os("CI").is_none(), "{message}");
        eprintln!("skipped: {message}");
        return;
    }
    let model = model("slash19-article");
    let folder = tempfile::tempdir().expect("a folder for a while");
    let file = folder.path().join("future.txt");
    let (text, recording) = scraped(&model, PLAIN);
    std::fs::write(&file, text).expect("the folder takes files");
    promtool(&["check", "rules", "docs/alerts/terway.yaml"]);
    let blocks = folder.path().join("tsdb");
    // Blocks of two hours, the default, would read the file 720 times.
    let (file, into) = (file.to_string_lossy(), blocks.to_string_lossy());
    promtool(&["tsdb", "create-blocks-from", "--max-block-duration=1000h", "openmetrics", &file, &into]);
    let server = Prometheus::on(&blocks, folder.path());
    let fired: BTreeMap<_, _> =
        rules().into_iter().map(|rule| (rule.alert.clone(), server.first(&model, &rule))).collect();

    let clock = Clock::of(&model);
    let waits = fired["PodsWaitForAddress"].expect("pods wait in the article's cluster");
    let full = recording.vswitches[1].first_refusal.expect("the vSwitch runs full").at;
    let mut table =
        String::from("| alert | fires | before the vSwitch is full | before pods wait |\n|---|---|---|---|\n");
    let hours = |from: Instant, to: Instant| (to.0 as f64 - from.0 as f64) / 3.6e12;
    for rule in rules() {
        let Some(at) = fired[&rule.alert] else {
            table += &format!("| `{}` | never | - | - |\n", rule.alert);
            continue;
        };
        let (to_full, to_wait) = (hours(at, full), hours(at, waits));
        let before = |hours: f64| if hours > 0.0 { format!("{hours:.1} h") } else { "-".to_owned() };
        table += &format!(
            "| `{}` | {} | {} | {} |\n",
            rule.alert,
            clock.moment(at).english(),
            before(to_full),
            before(to_wait)
        );
    }
    let page = std::fs::read_to_string("docs/alerts.md").expect("it is in the repository");
    assert!(page.contains(&table), "docs/alerts.md does not have\n{table}\nfull at {}", clock.moment(full).english());
    // In time: a vSwitch can be added within a day.
    assert!(hours(fired["TerwayWillFillVSwitch"].expect("it fires"), full) > 24.0);
    assert!(fired["TerwayNearlyFillsVSwitch"] < Some(full));
}

fn promtool(arguments: &[&str]) -> String {
    let output = Command::new("promtool").args(arguments).output().expect("promtool runs");
    assert!(output.status.success(), "promtool {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("promtool writes UTF-8")
}

#[derive(serde::Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(serde::Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(serde::Deserialize)]
struct Rule {
    alert: String,
    expr: String,
    r#for: String,
}

fn rules() -> Vec<Rule> {
    let text = std::fs::read_to_string("docs/alerts/terway.yaml").expect("it is in the repository");
    let rules: Rules = serde_saphyr::from_str(&text).expect("they are rules");
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// A server on some blocks; it goes with the test.
struct Prometheus {
    server: Child,
    url: String,
}

/// Time between two evaluations of a rule here, in minutes.
const EVERY: u64 = 5;

impl Prometheus {
    #[allow(clippy::disallowed_methods, reason = "another process takes real time")]
    fn on(blocks: &Path, folder: &Path) -> Self {
        let config = folder.join("prometheus.yml");
        std::fs::write(&config, "{}\n").expect("the folder takes files");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free").port();
        let option = |name: &str, value: PathBuf| format!("--{name}={}", value.display());
        let server = Command::new("prometheus")
            .args([option("config.file", config), option("storage.tsdb.path", blocks.to_owned())])
            .args(["--storage.tsdb.retention.time=100y", &format!("--web.listen-address=127.0.0.1:{port}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus starts");
        let this = Self { server, url: format!("http://127.0.0.1:{port}") };
        let until = Wall::now() + Duration::from_secs(120);
        while !is_ready(port) {
            assert!(Wall::now() < until, "prometheus does not get ready");
            std::thread::sleep(Duration::from_millis(200));
        }
        this
    }

    /// When a rule first has been true for as long as it says, to a quarter of an hour.
    fn first(&self, model: &Model, rule: &Rule) -> Option<Instant> {
        let lasts: Span = rule.r#for.parse().expect("a duration");
        let evaluations = lasts.0 / Span::mins(EVERY).0 + 1;
        let query = format!("count_over_time(({})[{}:{EVERY}m]) == {evaluations}", rule.expr, rule.r#for);
        let start = model.start.expect("there is one").to_zoned(jiff::tz::TimeZone::UTC).expect("a date").timestamp();
        let end = start.as_second() + (model.horizon.0 / 1_000_000_000) as i64;
        let (from, to) = (format!("--start={}", start.as_second()), format!("--end={end}"));
        let answer = promtool(&["query", "range", &from, &to, "--step=15m", &self.url, &query]);
        let firsts = answer.lines().filter_map(|line| line.split_once("@[")?.1.split(']').next()?.parse::<f64>().ok());
        let first = firsts.fold(f64::INFINITY, f64::min);
        first.is_finite().then(|| Instant::ZERO + Span::from_secs_f64(first - start.as_second() as f64))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn is_ready(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = String::new();
    stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.0 200")
}

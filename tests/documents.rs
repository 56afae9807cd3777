//! Documents that the program writes are what it would write now.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use brimline::scenario::{Blueprint, Edit, Origin, Setting};
use serde_json::Value;

fn document(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .expect("the document is in the repository")
}

/// `just validation` writes it anew.
#[test]
fn validation_publishes_the_figures_of_this_version() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let verdicts = brimline::conformance::verdicts(&dir).expect("the cases are in the repository");
    assert_eq!(document("docs/validation.md").trim_end(), brimline::conformance::page(&verdicts).trim_end());
}

/// `just schema` writes it anew.
#[test]
fn the_schema_is_the_readers_own() {
    assert_eq!(document("docs/scenario.schema.json").trim_end(), brimline::scenario::schema().trim_end());
    assert_eq!(document("docs/scenario.md"), brimline::scenario::reference());
}

/// A default that the reference states is the one that holds: written out, it changes nothing.
#[test]
fn documented_defaults_are_those_of_the_reader() {
    let schema: Value = serde_json::from_str(&brimline::scenario::schema()).expect("the schema is JSON");
    let page = document("docs/scenario.md");
    let larger = *examples(&page).last().expect("the page ends with the larger example");
    let (mut agreed, mut wrong) = (BTreeSet::new(), Vec::new());
    let scenarios = [larger.to_owned(), document("scenarios/pod-networking.yaml")];
    for scenario in scenarios.into_iter().chain(variants(larger)) {
        let blueprint = Blueprint::of_text("scenario.yaml", &scenario, Path::new(env!("CARGO_MANIFEST_DIR")));
        let is = |blueprint: &Blueprint, path: &str| {
            let loaded = blueprint.load().ok()?;
            Some(loaded.settings.into_iter().find(|setting| setting.path == path)?.value)
        };
        let loaded = blueprint.load().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        for Setting { path, value, .. } in loaded.settings.iter().filter(|s| matches!(s.origin, Origin::Default { .. }))
        {
            let Some(default) = documented_default(&schema, path).filter(|text| text.starts_with('`')) else {
                continue;
            };
            let mut literals = default.split('`').skip(1).step_by(2);
            let holds = literals.any(|literal| {
                let edit = Edit { option: "--set".into(), path: path.clone(), value: literal.into() };
                is(&blueprint.with([edit]), path).as_ref() == Some(value)
            });
            let key = path.rsplit('.').next().expect("a path ends").to_owned();
            match holds {
                true => _ = agreed.insert(key),
                false => wrong.push(format!("{path} is {value}, and documented as {default}")),
            }
        }
        let latencies = loaded.settings.iter().filter_map(|s| Some((s.path.strip_prefix("cloud.latency.")?, &s.value)));
        for (api, value) in latencies {
            let row = value.replace("lognormal, median ", "").replace(", p99 ", " | ").replace(".0 s", " s");
            assert!(page.contains(&format!("| {api} | {row} |")), "{api}: {row}");
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(agreed.len() >= 40, "{} of {agreed:?}", agreed.len());
}

/// The same scenario with centralized IPAM, with a Terway of before v1.7, and with what is done while it runs.
fn variants(scenario: &str) -> [String; 3] {
    let terway = |keys: &str| scenario.replace("terway:\n", &format!("terway:\n  {keys}\n"));
    let actions = "actions:\n  - {at: 3d, restart_terway: {takes: 40s}}\n  \
        - {at: 4d, restart_terway: {at_most_at_once: 1}}\n  - {at: 5d, replace_nodes: {node_pool: default, max_surge: 1}}\n  \
        - {at: 6d, replace_nodes: {node_pool: default, max_unavailable: 2}}\n";
    [terway("ipam: centralized"), terway("ipam: classic"), format!("{scenario}{actions}")]
}

/// What the schema says of the default at a path.
fn documented_default<'a>(schema: &'a Value, path: &str) -> Option<&'a str> {
    let resolved = |of: &'a Value| match of["$ref"].as_str() {
        Some(reference) => schema.pointer(reference.trim_start_matches('#')).expect("references are defined"),
        None => of,
    };
    fn member<'a>(of: &'a Value, key: &str, resolved: &dyn Fn(&'a Value) -> &'a Value) -> Option<&'a Value> {
        let of = resolved(of);
        let ways = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|ways| of[ways].as_array()).flatten();
        let own = of["properties"].get(key).or_else(|| member(of.get("items")?, key, resolved));
        own.or_else(|| ways.into_iter().find_map(|way| member(way, key, resolved)))
    }
    let keys = path.split('.').map(|step| step.split('[').next().expect("a step has a name"));
    let mut of = schema;
    for key in keys {
        of = member(of, key, &resolved)?;
    }
    let (_, default) = of["description"].as_str()?.split_once(" Default: ")?;
    Some(default.split(" Example: ").next().expect("a text has a beginning"))
}

/// The README's scenario works as printed.
#[test]
fn the_scenario_of_the_readme_loads() {
    let readme = document("README.md");
    let [scenario] = examples(&readme)[..] else { panic!("the README shows one scenario") };
    assert_eq!(warnings(scenario), [""; 0]);
}

/// What is no prose is the same in both languages, and so are the commands that the table names and
/// the numbers of cases.
#[test]
fn the_chinese_readme_shows_what_the_english_one_does() {
    let (english, chinese) = (document("README.md"), document("README.zh-CN.md"));
    let blocks = |page: &str| page.split("```").skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(blocks(&chinese), blocks(&english));
    let commands = |page: &str| {
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `brimline ")?.split([' ', '`']).next());
        rows.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(commands(&chinese), commands(&english));
    let numbers = |page: &str, mark: &str| {
        let line = page.lines().find(|line| line.contains(mark)).expect("the page counts the cases").to_owned();
        line.split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&chinese, "个案例"), numbers(&english, "cases recorded"));
}

/// So does what the documentation of scenarios shows: whole scenarios, and sections of one.
#[test]
fn the_examples_of_the_scenario_language_load() {
    let page = document("docs/scenario.md");
    let examples: Vec<_> = examples(&page).into_iter().filter(|example| !example.starts_with("# yaml-")).collect();
    assert!(examples.len() >= 10, "{} examples are left", examples.len());
    for example in examples {
        let is_whole = example.contains("\nvpc:");
        let mut told = warnings(&if is_whole { example.to_owned() } else { with_section(example) });
        // The traces of the test are short.
        told.retain(|warning| !warning.starts_with("warning: this trace ends before the run"));
        assert_eq!(told, [""; 0], "{example}");
    }
}

/// The sheets' formulas give what the page says, and the rows of brimline are those of its runs.
#[test]
fn the_arithmetic_of_the_spreadsheets_is_right() {
    let page = document("docs/spreadsheets.md");
    let (nodes, pods, per_eni, host_network) = (200_u64, 6_u64, 15, 2);
    let aks = |max_pods: u64| (nodes + 1) + (nodes + 1) * max_pods;
    let eks = |warm_enis: u64| nodes * ((pods.div_ceil(per_eni) + warm_enis) * per_eni + host_network);
    let (warm_ips, minimum) = (5, 10);
    let formulas = [nodes * pods, nodes * pods, aks(30), aks(45), eks(1), eks(0), nodes * minimum.max(pods + warm_ips)];
    let runs = page.lines().filter_map(|line| {
        let (_, rest) = line.split_once("least ")?;
        let (free, _) = rest.split_once(" of 8,188")?;
        Some(8_188 - free.replace(',', "").parse::<u64>().expect("a number"))
    });
    let stated = page.lines().filter_map(|line| {
        let number = line.strip_prefix("| ")?.trim_end_matches(" |").rsplit(" | ").next()?;
        number.replace(',', "").parse::<u64>().ok()
    });
    assert_eq!(stated.collect::<Vec<_>>(), formulas.into_iter().chain(runs).collect::<Vec<_>>());
}

/// Links between pages lead to a file that is there, and to a heading of it.
#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.to_owned(), root.join("docs"), root.join("notebooks")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder of the repository"));
    let pages = entries.map(|entry| entry.expect("it can be read").path());
    let pages: Vec<_> = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    let mut links = 0;
    for page in &pages {
        let text = std::fs::read_to_string(page).expect("a page is text");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '\n']).next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { page.clone() } else { page.with_file_name(path) };
            assert!(file.exists(), "{}: {target} is not there", page.display());
            let is_heading = |file: &Path| headings(&std::fs::read_to_string(file).expect("a page")).contains(anchor);
            assert!(anchor.is_empty() || is_heading(&file), "{}: {target} has no such heading", page.display());
            links += 1;
        }
    }
    assert!(links > 100, "{links} links");
}

/// The names by which Markdown links to the headings of a page.
fn headings(page: &str) -> BTreeSet<String> {
    // What stands between fences is no Markdown.
    let prose = page.split("```").step_by(2).flat_map(str::lines);
    let slug = |heading: &str| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    prose.filter_map(|line| Some(slug(line.strip_prefix('#')?.trim_start_matches('#').trim()))).collect()
}

/// The YAML that a page shows.
fn examples(page: &str) -> Vec<&str> {
    let blocks = page.split("```yaml\n").skip(1);
    blocks.map(|rest| rest.split_once("```").expect("the block ends").0).collect()
}

/// A scenario with this section in place of its own.
fn with_section(section: &str) -> String {
    let (used, section) = match section.strip_prefix("used:") {
        Some(tenants) => (format!("used:{tenants}"), ""),
        None => (String::new(), section),
    };
    // A vSwitch that nothing uses would be warned about.
    let (second, candidates) = match section.contains("vsw-b") {
        true => ("- {id: vsw-b, zone: cn-hangzhou-k, cidr: 10.0.4.0/22}\n", ", cn-hangzhou-k: [vsw-b]"),
        false => ("", ""),
    };
    let pods = format!("- id: vsw-pods\n  zone: cn-hangzhou-j\n  cidr: 10.1.0.0/19\n{}", indented(&used, 2));
    let vswitches = format!("- {{id: vsw-a, zone: cn-hangzhou-j, cidr: 10.0.0.0/22}}\n{second}{pods}");
    let own = [
        format!("terway: {{eni_config: {{vswitches: {{cn-hangzhou-j: [vsw-pods]{candidates}}}}}}}\n"),
        "node_pools: [{name: p, instance_type: ecs.g7.2xlarge, node_vswitch: vsw-a, nodes: 9}]\n".to_owned(),
        "workloads: [{name: w, deployment: {replicas: 7}}]\n".to_owned(),
    ];
    let key = |text: &str| text.split_once(':').map(|(key, _)| key.to_owned());
    let kept: String = own.into_iter().filter(|text| key(text) != key(section)).collect();
    let vpc = format!("vpc:\n  cidr: 10.0.0.0/8\n  vswitches:\n{}", indented(&vswitches, 4));
    format!("# Is it enough?\nhorizon: 90d\n{vpc}{section}{kept}")
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

/// What is said of a scenario, in a folder with the files that examples name.
fn warnings(scenario: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut pods = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    pods.write_all(b"pod,arrive,depart\na,0,60\n").expect("a string takes everything");
    let files = [
        ("eni-config.yaml", b"{\"max_pool_size\": 5, \"vswitches\": {\"cn-hangzhou-j\": [\"vsw-pods\"]}}".to_vec()),
        ("cluster-2.csv", b"days,addresses\n0,10\n30,50\n".to_vec()),
        ("pods.csv.gz", pods.finish().expect("a string takes everything")),
        ("hourly.csv", b"hour,running_at_end\n0,100\n1,120\n".to_vec()),
    ];
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("a writable folder");
    }
    let loaded = brimline::scenario::load_text("example.yaml", scenario, folder.path());
    loaded.unwrap_or_else(|diagnostics| panic!("{scenario}\n{diagnostics}")).warnings
}

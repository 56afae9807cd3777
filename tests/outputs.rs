//! docs/outputs.md names every file that the commands write, with every column and key, and
//! nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A run that leaves everything behind that a run can: prefixes, pods, events, a date.
const SCENARIO: &str = "\
# Which files are there?
name: small
horizon: 3h
start: 2026-12-01
replications: 3
vpc:
  cidr: 10.0.0.0/16
  vswitches:
    - {id: vsw-nodes, zone: z, cidr: 10.0.0.0/24}
    - {id: vsw-pods, zone: z, cidr: 10.0.1.0/26, prefix_reservations: [10.0.1.32/28]}
terway:
  ipam: centralized
  eni_config: {max_pool_size: 5, enable_ip_prefix: true, ipv4_prefix_count: 1, vswitches: {z: [vsw-pods]}}
node_pools:
  - {name: default, instance_type: ecs.g7.xlarge, node_vswitch: vsw-nodes, nodes: 2}
workloads:
  - {name: web, deployment: {replicas: {linear: {from: 5, to: 40}}}}
policy: [vswitch.free.min >= 1]
outputs: {pods: true, events: true, parquet: PARQUET}
";

const VARIED: &str = "node_pools.default.nodes";
const MEASURED: &str = "vswitches.idle.mean";
const CLAIM: &str = "vswitch.free.min >= 1";

/// The title of a section of the page, and the arguments of a command that it is about.
const COMMANDS: &[(&str, &[&str])] = &[
    ("`brimline run`, `brimline demo`", &["run", "s.yaml"]),
    ("`brimline compare`", &["compare", "s.yaml", "--variant", "more: node_pools.default.nodes=3"]),
    ("`brimline sweep`", &["sweep", "s.yaml", "--vary", "node_pools.default.nodes=1,2", "--measure", MEASURED]),
    ("`brimline seek` for one value", &["seek", "s.yaml", "--smallest", "node_pools.default.nodes=1..2"]),
    (
        "`brimline seek` for compromises",
        &["seek", "s.yaml", "--vary", "node_pools.default.nodes=1..2", "--minimise", "calls", "--minimise", "enis.end"],
    ),
];

#[test]
fn every_file_column_and_key_stands_in_the_documentation() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/outputs.md"));
    let page = page.expect("the page is in the repository");
    let titles: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(titles, COMMANDS.iter().map(|&(title, _)| title).collect::<Vec<_>>());
    for (title, arguments) in COMMANDS {
        let section = part(&page, &format!("## {title}\n"), "\n## ");
        let (_folder, written) = files(arguments);
        let stated = section.lines().filter_map(|line| line.strip_prefix("### "));
        let stated: BTreeSet<_> = stated.filter(|name| cfg!(feature = "png") || !name.contains(".png")).collect();
        let written: Vec<_> = written.into_iter().filter(|(name, _)| !name.ends_with(".parquet")).collect();
        let names: BTreeSet<_> = written.iter().map(|(name, _)| format!("`{name}`")).collect();
        assert_eq!(stated, names.iter().map(String::as_str).collect(), "files of {title}");
        for (name, path) in &written {
            let Some(columns) = columns(path) else { continue };
            assert_eq!(stated_columns(part(section, &format!("### `{name}`\n"), "\n### ")), columns, "{title}: {name}");
        }
    }
}

/// Of each CSV of a run and of a sweep there is a Parquet file with the same rows, whose columns have the types that the
/// page gives them.
#[cfg(feature = "parquet")]
#[test]
fn parquet_has_what_csv_has() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let same = |text: &str, field: &Field| match field {
        Field::Null => text.is_empty(),
        Field::Long(n) => text.parse() == Ok(*n),
        Field::Double(x) => text.replace("never", "inf").parse() == Ok(*x),
        Field::Str(own) => text == own,
        Field::Bool(is_so) => text.parse() == Ok(*is_so),
        Field::TimestampMillis(at) => {
            let at = jiff::Timestamp::from_millisecond(*at).expect("a time of the calendar");
            text.parse().is_ok_and(|own: jiff::civil::DateTime| own == at.to_zoned(jiff::tz::TimeZone::UTC).datetime())
        }
        _ => false,
    };
    for (title, arguments) in COMMANDS {
        let (_folder, written) = files(arguments);
        let stems = |ending: &str| -> BTreeSet<String> {
            written.iter().filter_map(|(name, _)| Some(name.strip_suffix(ending)?.to_owned())).collect()
        };
        if !["run", "sweep"].contains(&arguments[0]) {
            assert_eq!(stems(".parquet"), BTreeSet::new(), "{title}");
            continue;
        }
        assert_eq!(stems(".parquet"), stems(".csv"), "{title}");
        for (name, path) in written.iter().filter(|(name, _)| name.ends_with(".parquet")) {
            let file = std::fs::File::open(path).expect("it can be read");
            let reader = SerializedFileReader::new(file).expect("it is Parquet");
            let csv = std::fs::read(path.with_extension("csv")).expect("there is a CSV");
            let mut csv = csv::Reader::from_reader(&csv[..]);
            let header = csv.headers().expect("a header").clone();
            let columns = reader.metadata().file_metadata().schema_descr().columns().to_vec();
            assert!(header.iter().eq(columns.iter().map(|column| column.name())), "{title}: {name}");
            let rows: Vec<_> = csv.records().map(|row| row.expect("a row")).collect();
            let own: Vec<_> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
            assert!(!rows.is_empty() || name == "sensitivity.parquet", "{title}: {name} has rows");
            assert_eq!(rows.len(), own.len(), "{title}: {name}");
            for (row, own) in rows.iter().zip(&own) {
                for ((column, text), (_, field)) in header.iter().zip(row).zip(own.get_column_iter()) {
                    assert!(same(text, field), "{title}: {name}: {column}: `{text}` is not {field:?}");
                }
            }
        }
    }
}

/// What stands between two lines.
fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("there is no {from}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

/// The names at the beginning of the rows of a table.
fn stated_columns(section: &str) -> Vec<String> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

/// The files that a command writes by their names in the page: those of pictures are chosen by
/// what there is to see.
fn files(arguments: &[&str]) -> (TempDir, Vec<(String, PathBuf)>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = SCENARIO.replace("PARQUET", if cfg!(feature = "parquet") { "true" } else { "false" });
    std::fs::write(folder.path().join("s.yaml"), scenario).expect("a writable folder");
    let mut command = Command::cargo_bin("brimline").expect("the binary is built");
    command.current_dir(folder.path()).args(arguments).arg("--quiet");
    // Exit code 3: the policy does not hold.
    let code = command.output().expect("the binary starts").status.code();
    assert!(matches!(code, Some(0 | 3)), "{arguments:?} ends with {code:?}");
    let mut found = Vec::new();
    let output = entries(&folder.path().join("output"));
    let [run] = &output[..] else { panic!("one folder: {output:?}") };
    for path in entries(run) {
        match path.is_dir() {
            true => found.extend(entries(&path).into_iter().map(|inner| (pattern("plots/", &inner), inner))),
            false if is_picture(&path) => found.push((pattern("", &path), path)),
            false => found.push((name(&path), path)),
        }
    }
    (folder, found)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}

fn name(path: &Path) -> String {
    path.file_name().expect("a file has a name").to_string_lossy().into_owned()
}

fn is_picture(path: &Path) -> bool {
    ["svg", "png"].iter().any(|extension| path.extension().is_some_and(|own| own == *extension))
}

fn pattern(folder: &str, path: &Path) -> String {
    format!("{folder}*.{}", path.extension().expect("a picture has an extension").to_string_lossy())
}

/// The columns of a table or the keys of an object, without those that the scenario names.
fn columns(path: &Path) -> Option<Vec<String>> {
    let text = || std::fs::read_to_string(path).expect("the file can be read");
    let all: Vec<String> = match path.extension()?.to_str()? {
        "csv" => {
            let text = text();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            reader.headers().expect("a header").iter().map(str::to_owned).collect()
        }
        "json" => {
            let value: serde_json::Value = serde_json::from_str(&text()).expect("JSON");
            value.as_object().expect("an object").keys().cloned().collect()
        }
        _ => return None,
    };
    Some(all.into_iter().filter(|column| ![VARIED, MEASURED, CLAIM].contains(&column.as_str())).collect())
}

//! The layers of the program: a module names only modules above it.

use std::path::{Path, PathBuf};

/// The modules from top to bottom, as `src/lib.rs` lists them, each with the modules that it may
/// name.
const LAYERS: &[(&str, &[&str])] = &[
    // Words.
    ("address", &[]),
    ("time", &[]),
    ("chance", &["time"]),
    ("id", &[]),
    ("openapi", &[]),
    ("units", &[]),
    ("text", &[]),
    // The allocation core: knows nothing of the simulation.
    ("ipam", &["address", "chance", "id", "openapi", "text", "time", "units"]),
    // What is to be simulated, and the world around the core.
    ("model", &["chance", "id", "ipam", "openapi", "text", "time"]),
    ("cloud", &["address", "chance", "id", "ipam", "model", "openapi", "time"]),
    ("cluster", &["chance", "id", "model", "time"]),
    ("scenario", &["address", "chance", "id", "ipam", "model", "openapi", "text", "time", "units"]),
    // Run.
    ("record", &["address", "cloud", "id", "ipam", "model", "openapi", "text", "time"]),
    ("sim", &["address", "chance", "cloud", "cluster", "id", "ipam", "model", "openapi", "record", "text", "time"]),
    // What it means.
    ("outcome", &["address", "id", "ipam", "model", "openapi", "record", "text", "time", "units"]),
    ("explain", &["id", "ipam", "model", "openapi", "outcome", "record", "sim", "text", "time", "units"]),
    ("inspect", &["address", "id", "ipam", "model", "openapi", "outcome", "record", "sim", "time"]),
    ("openmetrics", &["id", "ipam", "model", "openapi", "record", "sim", "time"]),
    ("study", &["chance", "model", "outcome", "record", "scenario", "sim", "time"]),
    (
        "report",
        &[
            "address", "explain", "id", "model", "openapi", "outcome", "record", "scenario", "study", "text", "time",
            "units",
        ],
    ),
    (
        "conformance",
        &["address", "chance", "cloud", "id", "ipam", "model", "openapi", "record", "sim", "time", "units"],
    ),
    (
        "cli",
        &[
            "conformance",
            "explain",
            "inspect",
            "model",
            "openmetrics",
            "outcome",
            "record",
            "report",
            "scenario",
            "sim",
            "study",
            "text",
            "time",
            "units",
        ],
    ),
];

#[test]
fn a_module_names_only_modules_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for (i, (module, may)) in LAYERS.iter().enumerate() {
        assert!(may.iter().all(|other| LAYERS[..i].iter().any(|(above, _)| above == other)), "{module} looks down");
        for file in files_of(&src, module) {
            broken.extend(broken_lines(&file, module, may));
        }
    }
    assert!(broken.is_empty(), "layers are broken at\n{}", broken.join("\n"));
}

#[test]
fn every_module_has_a_layer() {
    let lib = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    let declared = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let declared: Vec<_> = declared.collect();
    let layers: Vec<_> = LAYERS.iter().map(|(module, _)| *module).collect();
    assert_eq!(declared, layers, "lib.rs lists the modules in the order of their layers");
}

/// The Rust files of a module: `name.rs`, or everything under `name/`.
fn files_of(src: &Path, module: &str) -> Vec<PathBuf> {
    let file = src.join(format!("{module}.rs"));
    if file.is_file() {
        return vec![file];
    }
    let mut found = Vec::new();
    let mut folders = vec![src.join(module)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("no module {module}")) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Lines that name a module which `module` may not name, as `file:line: what`. Tests and
/// documentation may name anything.
fn broken_lines(file: &Path, module: &str, may: &[&str]) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a readable file");
    let mut broken = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        if line.trim_start().starts_with("//") {
            continue;
        }
        if line.contains("crate::{") {
            broken.push(format!("{}:{}: name one module a line", file.display(), number + 1));
        }
        for (_, rest) in line.match_indices("crate::").map(|(at, found)| (at, &line[at + found.len()..])) {
            let named = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            let known = LAYERS.iter().any(|(other, _)| *other == named);
            if known && named != module && !may.contains(&named) {
                broken.push(format!("{}:{}: {module} names {named}", file.display(), number + 1));
            }
        }
    }
    broken
}

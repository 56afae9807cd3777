//! Documents that the program writes are what it would write now.

use std::path::Path;

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
}

/// The README's scenario works as printed.
#[test]
fn the_scenario_of_the_readme_loads() {
    let readme = document("README.md");
    let (_, rest) = readme.split_once("```yaml\n").expect("the README shows a scenario");
    let (scenario, _) = rest.split_once("```").expect("the block ends");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let eni_config = "{\"max_pool_size\": 5, \"min_pool_size\": 0, \"vswitches\": {\"cn-hangzhou-j\": [\"vsw-pods\"]}}";
    std::fs::write(folder.path().join("eni-config.yaml"), eni_config).expect("a writable folder");
    let loaded = brimline::scenario::load_text("readme.yaml", scenario, folder.path());
    let loaded = loaded.unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    assert_eq!(loaded.warnings, [""; 0]);
}

//! Reports in a real browser: `tests/browser/check.js` opens them in headless Chromium, hovers, zooms,
//! downloads, prints, and takes screenshots, which are left in `target/browser`.
//!
//! Where node, Chromium or playwright-core is missing the test is skipped with a message; with `CI` set
//! it fails instead.

use std::path::{Path, PathBuf};
use std::process::Command;

const CHROMIUM: &str = "/usr/bin/chromium";

/// Scenarios whose pages differ: hours and days, one zone and three, actions, and the language.
const SCENARIOS: [(&str, &str); 4] =
    [("teaching-slash26", "en"), ("zone-outage", "en"), ("article-remedy", "en"), ("two-vswitches", "zh")];

#[test]
fn reports_work_in_a_browser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Some(missing) = missing(root) {
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("SKIPPED, reports were not looked at in a browser: {missing}");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let reports = SCENARIOS.map(|(name, lang)| report(root, folder.path(), name, lang));
    let output = Command::new("node")
        .arg(root.join("tests/browser/check.js"))
        .arg(CHROMIUM)
        .arg(root.join("target/browser"))
        .args(reports)
        .output()
        .expect("node runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

/// What is missing for this test, and how one gets it.
fn missing(root: &Path) -> Option<&'static str> {
    let has_node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    match () {
        () if !has_node => Some("node is missing (apt-get install nodejs npm)"),
        () if !Path::new(CHROMIUM).exists() => Some("/usr/bin/chromium is missing (apt-get install chromium)"),
        () if !root.join("tests/browser/node_modules/playwright-core").exists() => {
            Some("playwright-core is missing (npm ci --prefix tests/browser)")
        }
        () => None,
    }
}

/// The page of a scenario's run.
fn report(root: &Path, folder: &Path, name: &str, lang: &str) -> PathBuf {
    let run = Command::new(env!("CARGO_BIN_EXE_brimline"))
        .arg("run")
        .arg(root.join(format!("scenarios/{name}.yaml")))
        .args(["--quiet", "--lang", lang, "--replications", "5", "--output"])
        .arg(folder)
        .output()
        .expect("brimline runs");
    assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
    folder.join(name).join("report.html")
}

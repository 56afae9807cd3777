//! The answers of the real Terway code (upstream commit 89aadf8b), case by case.

use std::path::Path;

/// 38 exact and 7 statistical cases; all pass.
#[test]
fn every_golden_case_passes() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let verdicts = brimline::conformance::verdicts(&dir).expect("the cases are in the repository");
    println!("{}", brimline::conformance::table(&verdicts));
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.passes).map(|verdict| &verdict.case).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(verdicts.iter().filter(|verdict| !verdict.statistical).count(), 38);
    assert_eq!(verdicts.iter().filter(|verdict| verdict.statistical).count(), 7);
}

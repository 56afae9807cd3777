//! The answers of the real Terway code (upstream commit 89aadf8b; v1.4.4 for the classic pool), case by case.

use std::path::Path;

use brimline::conformance::compare::Suite;

/// All cases of a folder pass; how many are exact and how many statistical.
fn passing(folder: &str) -> (usize, usize) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(folder);
    let verdicts = brimline::conformance::verdicts(&dir).expect("the cases are in the repository");
    println!("{}", brimline::conformance::table(&verdicts));
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.passes).map(|verdict| &verdict.case).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let statistical = verdicts.iter().filter(|verdict| verdict.suite == Suite::Statistical).count();
    (verdicts.len() - statistical, statistical)
}

#[test]
fn every_exact_case_passes() {
    assert_eq!(passing("node-local"), (38, 0));
}

#[test]
fn every_statistical_case_passes() {
    assert_eq!(passing("node-local-statistical"), (0, 7));
}

/// Measured like the others, on a bed of our own: the order in which woken pods are served over
/// many broadcasts, pool syncs among futile creates, nodes that race for the last addresses,
/// short time-outs, pods that come again under their name, very small and very many slots.
#[test]
fn every_case_of_our_own_measuring_passes() {
    assert_eq!(passing("node-local-extra"), (14, 0));
}

/// Dual stack, measured on the bed of `tests/conformance/bed`: orders of both families, trims that let them drift apart,
/// pods that hang beside idle addresses (R144 to R148).
#[test]
fn every_dual_stack_case_passes() {
    assert_eq!(passing("node-local-dual"), (12, 0));
}

/// What else a daemon does, measured on the same bed: it dies and adopts what it finds (R39, R40, R137), makes a trunk first
/// (R36), has interfaces for RDMA (R50).
#[test]
fn every_case_of_restarts_trunks_and_rdma_passes() {
    assert_eq!(passing("node-local-daemon"), (14, 0));
}

/// The daemon from its RPCs inwards, measured on the same bed: its collection, which waits for calls and makes others wait,
/// addresses that are retained, released, come again or lose their record, and all that through restarts (R112 to R130).
#[test]
fn every_case_of_the_service_passes() {
    assert_eq!(passing("node-local-service"), (14, 0));
}

/// The centralized controller (`ipam_type: crd`).
#[test]
fn every_centralized_case_passes() {
    assert_eq!(passing("centralized"), (41, 0));
}

/// The same controller in dual stack, with RDMA, degraded, through restarts, conflicts, faults of every call and limited
/// writes, measured on the bed of `tests/conformance/bed`.
#[test]
fn every_centralized_case_of_our_own_measuring_passes() {
    assert_eq!(passing("centralized-extra"), (29, 0));
}

/// The daemon of a node with centralized IPAM, with bindings and with prefixes, measured on the bed of
/// `tests/conformance/bed`: calls that wait, those of pods with an interface of their own among them, collections that wait for
/// them, reports, and what a restart loses (C49 to C51, C115 to C121, C138 to C142, R125).
#[test]
fn every_case_of_a_centralized_daemon_passes() {
    assert_eq!(passing("centralized-daemon"), (27, 0));
}

/// The pool of v1.4.4.
#[test]
fn every_classic_case_passes() {
    assert_eq!(passing("classic"), (41, 0));
}

/// The same where the daemon dies of itself (rule P61).
#[test]
fn every_classic_crash_case_passes() {
    assert_eq!(passing("classic-crash"), (3, 0));
}

//! The daemon's client of the API server (R114).

use brimline::ipam::Devices;
use brimline::ipam::centralized::{Flavor, NodeConfig};
use brimline::ipam::kube_client::KubeClient;
use brimline::ipam::node_local::Config;
use brimline::model::{Model, PodTemplate, Schedule, WorkloadKind};
use brimline::record::PodRow;
use brimline::time::{Instant, Span};

use super::story::{centralized, cluster, run, workload};

/// Five requests a second, ten at once, and a pod's addresses are written down.
const USUAL: KubeClient = KubeClient { period: Span::millis(200), burst: 10, patches: true };

/// Eighteen pods that begin at 300 s on a node whose pool has an address for each.
fn eighteen(client: KubeClient) -> Model {
    let mut model = cluster(&["z"], 1);
    let zone = &mut model.node_pools[0].shapes[0].zones[0];
    let plain = Config::plain((2, 10), (20, 20), zone.daemon.vswitches().to_vec());
    zone.daemon = Config { kube_client: client, ..plain }.into();
    with_pods(model, &[(300, 18.0)])
}

/// A Deployment without pods at first.
fn with_pods(mut model: Model, steps: &[(u64, f64)]) -> Model {
    let steps = std::iter::once(&(0, 0.0)).chain(steps);
    let replicas = Schedule::Steps(steps.map(|&(secs, n)| (Instant::ZERO + Span::secs(secs), n)).collect());
    model.workloads = vec![workload("web", WorkloadKind::deployment(replicas), PodTemplate::default())];
    model
}

/// When each pod was served, in ms after it asked.
fn waits(model: &Model) -> Vec<u64> {
    let recording = run(model);
    let wait = |row: &PodRow| Some(row.served?.since(row.requested?).as_millis());
    let mut waits: Vec<_> = recording.pod_log.iter().filter_map(wait).collect();
    waits.sort_unstable();
    waits
}

/// R114: of the 54 requests ten pass at once, with which three pods are served and a fourth is looked up; the last passes
/// after (54 − 10) / 5 = 8.8 s. The others are all looked up before any of them has a turn again.
#[test]
fn r114_pods_that_begin_together_wait_for_the_client() {
    let waits = waits(&eighteen(USUAL));
    assert_eq!(waits[..4], [0, 0, 0, 3_200]);
    let others: Vec<_> = (0..14).map(|i| 6_200 + 200 * i).collect();
    assert_eq!(waits[4..], others);
}

/// R114: without `enable_patch_pod_ips` a pod is looked up once, and only the last eight wait.
#[test]
fn r114_without_patches_a_pod_is_looked_up_once() {
    let waits = waits(&eighteen(KubeClient { patches: false, ..USUAL }));
    assert_eq!(waits[..10], [0; 10]);
    assert_eq!(waits[10..], [200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600]);
    assert_eq!(self::waits(&eighteen(KubeClient::UNLIMITED)), [0; 18]);
}

/// R114: the client is the daemon's, whoever allocates: the last of three requests per pod passes at the same time.
#[test]
fn r114_the_client_is_the_same_with_every_allocator() {
    let mut model = centralized(cluster(&["z"], 1), Flavor::of(3, false, false), Devices::default());
    let zone = &mut model.node_pools[0].shapes[0].zones[0];
    let plain = NodeConfig::plain(Flavor::of(3, false, false), 10, (18, 20), zone.daemon.vswitches().to_vec());
    zone.daemon = NodeConfig { kube_client: USUAL, ..plain }.into();
    let of_control_plane = waits(&with_pods(model, &[(300, 18.0)]));
    assert!((8_800..9_500).contains(of_control_plane.last().expect("they are served")), "{of_control_plane:?}");
}

/// The address is in use from when the daemon has it; a pod that is deleted before the answer was never served, and gives
/// it back.
#[test]
fn r114_a_pod_that_is_deleted_before_the_answer_gives_its_address_back() {
    let recording = run(&with_pods(eighteen(USUAL), &[(300, 18.0), (304, 2.0)]));
    assert_eq!((recording.pods.requested, recording.pods.served, recording.pods.gave_up), (18, 4, 14));
    let end = recording.vswitches[1].end;
    assert_eq!((end.pods, end.idle), (2, 18));
}

//! The daemon's client of the API server (R114).

use brimline::ipam::Devices;
use brimline::ipam::centralized::{Flavor, NodeConfig};
use brimline::ipam::kube_client::KubeClient;
use brimline::ipam::node_local::Config;
use brimline::model::{Action, Deed, Model, PodTemplate, Portion, Restart, Schedule, Trigger, WorkloadKind};
use brimline::record::PodRow;
use brimline::text::Words;
use brimline::time::Span;

use super::story::{at, centralized, cluster, run, workload};

/// Five requests a second, ten at once, and a pod's addresses are written down: four requests an ADD.
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
    let replicas = Schedule::Steps(steps.map(|&(secs, n)| (at(secs), n)).collect());
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

/// R114: of the 72 requests ten pass at once, with which two pods are served; the last passes after (72 − 10) / 5 = 12.4 s. The
/// third pod's event stands behind its own third request and the look-ups of the fifteen others.
#[test]
fn r114_pods_that_begin_together_wait_for_the_client() {
    let waits = waits(&eighteen(USUAL));
    assert_eq!((waits.len(), &waits[..3], waits[17]), (18, &[0, 0, 3_400][..], 12_400));
}

/// R114: without `enable_patch_pod_ips` there are two requests: with ten of them five pods are served, then the others are
/// looked up, then their events.
#[test]
fn r114_without_patches_a_pod_is_looked_up_once() {
    let waits = waits(&eighteen(KubeClient { patches: false, ..USUAL }));
    assert_eq!(waits[..5], [0; 5]);
    let others: Vec<_> = (0..13).map(|i| 2_800 + 200 * i).collect();
    assert_eq!(waits[5..], others);
    assert_eq!(self::waits(&eighteen(KubeClient::UNLIMITED)), [0; 18]);
}

/// R114, R112: a request that would not pass within 118 s fails at once: to look a pod up, and the ADD with it; to write an
/// address down, and the answer comes without. The plugin waits 10 s for its event.
#[test]
fn r114_no_request_waits_beyond_the_deadline() {
    let mut model = eighteen(KubeClient { period: Span::secs(20), burst: 1, patches: true });
    model.horizon = Span::mins(30);
    let recording = run(&model);
    assert!(recording.pods.failures.iter().sum::<u64>() > 0);
    // The first pod: 0 s, 20 s after five others were looked up, an answer at its deadline and its event.
    let first = recording.pod_log.iter().filter_map(|row| Some(row.served?.since(row.requested?))).min();
    assert!(first.is_some_and(|wait| wait <= Span::secs(128)), "{first:?}");
}

/// R114, R135: a daemon that stops leaves nobody in its queue: who has an address is answered, who has none asks again.
#[test]
fn r114_nothing_waits_for_a_daemon_that_is_gone() {
    let mut model = eighteen(USUAL);
    let restart = Restart { pools: vec![0], at_most_at_once: Portion::Count(1), takes: Span::secs(30) };
    let (name, text) = ("restart".to_owned(), "restart".words());
    model.actions = vec![Action { name, text, trigger: Trigger::At(at(301)), deed: Deed::RestartTerway(restart) }];
    let recording = run(&model);
    assert_eq!((recording.pods.served, recording.pods.waiting_at_end), (18, 0));
    let served: Vec<_> = recording.pod_log.iter().filter_map(|row| row.served).collect();
    assert!(!served.iter().any(|&served| at(301) < served && served < at(331)), "it is back after 30 s: {served:?}");
    assert!(recording.pods.failures.iter().sum::<u64>() > 0, "who was not looked up yet failed");
}

/// R114: the client is the daemon's, whoever allocates: the last of four requests per pod passes at the same time.
#[test]
fn r114_the_client_is_the_same_with_every_allocator() {
    let mut model = centralized(cluster(&["z"], 1), Flavor::of(3, false, false), Devices::default());
    let zone = &mut model.node_pools[0].shapes[0].zones[0];
    let plain = NodeConfig::plain(Flavor::of(3, false, false), 10, (18, 20), zone.daemon.vswitches().to_vec());
    zone.daemon = NodeConfig { kube_client: USUAL, ..plain }.into();
    let of_control_plane = waits(&with_pods(model, &[(300, 18.0)]));
    assert!((12_400..13_200).contains(of_control_plane.last().expect("they are served")), "{of_control_plane:?}");
}

/// The address is in use from when the daemon has it; a pod that is deleted before the answer was never served, and gives
/// it back.
#[test]
fn r114_a_pod_that_is_deleted_before_the_answer_gives_its_address_back() {
    let recording = run(&with_pods(eighteen(USUAL), &[(300, 18.0), (304, 2.0)]));
    assert_eq!((recording.pods.requested, recording.pods.served, recording.pods.gave_up), (18, 3, 15));
    let end = recording.vswitches[1].end;
    assert_eq!((end.pods, end.idle), (2, 18));
}

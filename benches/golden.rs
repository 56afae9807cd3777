//! The form of the golden cases, large: 200 nodes with the golden case `churn-steady`'s daemon, cloud and watermarks, 134,000 pod
//! events of a script in one hour. Nothing is recorded; the scheduler has no part in it.

use brimline::chance::{SmallStream, SpanDist, Stream, stream, unit};
use brimline::cloud::Cloud;
use brimline::id::{NodeId, PodId, VSwitchId};
use brimline::ipam::node_local::Config;
use brimline::model::Behaviour;
use brimline::model::Quotas;
use brimline::openapi::Api;
use brimline::sim::{Engine, Happening, Observer, PodState, Wants};
use brimline::time::{Instant, Span};

const NODES: u32 = 200;
/// Pods that come in the hour, and as many go.
const PODS: u32 = 67_000;
/// Pods of a node at any time, about.
const AT_A_TIME: f64 = 15.0;
const HOUR: Span = Span::hours(1);

/// Who is told nothing.
#[derive(Debug)]
struct Nobody;

impl Observer for Nobody {}

/// A pod's node, when it comes, and when it goes.
struct Life {
    node: NodeId,
    comes: Instant,
    goes: Instant,
}

/// Pods come at random moments and live for an exponential time.
fn script(chance: &mut Stream) -> Vec<Life> {
    let mean = AT_A_TIME * f64::from(NODES) / f64::from(PODS);
    let life = |i: u32| {
        let comes = Instant::ZERO + HOUR.mul_f64(unit(chance));
        let lasts = HOUR.mul_f64(-mean * (1.0 - unit(chance)).ln());
        Life { node: NodeId(i % NODES), comes, goes: comes + lasts }
    };
    (0..PODS).map(life).collect()
}

fn cloud() -> Cloud {
    let latency = |api| match api {
        Api::CreateNetworkInterface => 600,
        Api::AttachNetworkInterface => 900,
        Api::DetachNetworkInterface => 700,
        Api::DeleteNetworkInterface => 500,
        Api::AssignPrivateIpAddresses | Api::AssignIpv6Addresses => 400,
        Api::UnassignPrivateIpAddresses | Api::UnassignIpv6Addresses => 300,
        Api::DescribeNetworkInterfaces => 100,
        Api::DescribeVSwitches => 80,
    };
    let behaviour = Behaviour {
        latency: Api::ALL.map(|api| SpanDist::Constant(Span::millis(latency(api)))),
        throttle: [None; Api::ALL.len()],
        metadata_lag: Span::ZERO,
        quotas: Quotas::default(),
        faults: Vec::new(),
    };
    let blocks = ["10.1.0.0/19".parse().expect("a block")];
    Cloud::new(blocks, behaviour, stream(42, 0, "cloud"), SmallStream::new(0))
}

/// Plays the script; the pods that were served.
fn play(script: &[Life]) -> u32 {
    let retry = SpanDist::Constant(Span::secs(15));
    let mut engine = Engine::new(Nobody, cloud(), retry, stream(42, 0, "kubelet"));
    let config = Config::plain((3, 10), (2, 6), vec![VSwitchId(0)]).into();
    let mut daemons = stream(42, 0, "daemons");
    for _ in 0..NODES {
        let node = engine.cloud.start_instance(None, 3, 10);
        engine.start_daemon(node, &config, SmallStream::split(&mut daemons), true);
    }
    for (life, i) in script.iter().zip(0..) {
        engine.control_at(life.comes, 2 * i);
        engine.control_at(life.goes, 2 * i + 1);
    }
    let mut pods = vec![PodId::NONE; script.len()];
    let mut served = 0;
    while let Some(happening) = engine.step(Instant::ZERO + HOUR) {
        match happening {
            Happening::Control(what) if what % 2 == 0 => {
                let pod = engine.create_pod(0);
                pods[what as usize / 2] = pod;
                engine.place_pod(pod, script[what as usize / 2].node, Wants::Shared);
            }
            Happening::Control(what) => engine.delete_pod(pods[what as usize / 2], false),
            Happening::Served(_) => served += 1,
            _ => {}
        }
    }
    assert!(engine.pods().iter().all(|pod| pod.state != PodState::Pending), "every pod has its node");
    served
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn main() {
    let script = script(&mut stream(42, 0, "script"));
    let events = script.iter().filter(|life| life.goes <= Instant::ZERO + HOUR).count() + script.len();
    let times = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(5);
    let runs = (0..times).map(|_| {
        let start = std::time::Instant::now();
        let served = play(&script);
        assert!(served > PODS / 100 * 98, "nearly all were served");
        start.elapsed().as_secs_f64()
    });
    let best = runs.min_by(f64::total_cmp).expect("it ran");
    println!(
        "golden form, {NODES} nodes, {events} pod events in an hour: {:.0} ns each, {:.2} million/s (best of {times})",
        best * 1e9 / events as f64,
        events as f64 / best / 1e6
    );
}

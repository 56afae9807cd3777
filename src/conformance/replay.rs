//! Plays a case on our core and records what the suite asks for.

use std::collections::BTreeMap;

use super::case::{Case, EniPolicy, Event, IpStack, Latency, Retry, VSwitch, VSwitchPolicy};
use crate::chance::{SmallStream, SpanDist, Stream, stream};
use crate::cloud::Cloud;
use crate::id::{NodeId, PodId, VSwitchId};
use crate::ipam::kube_client::KubeClient;
use crate::ipam::node_local::{self, EniSelection, Rdma, Reclaim, Trunk, VSwitchSelection};
use crate::ipam::{Config, GC_PERIOD};
use crate::model::Behaviour;
use crate::model::Quotas;
use crate::openapi::{Api, ErrorCode};
use crate::record::CallAnswer;
use crate::sim::{Answered, Engine, Happening, Observer, PodState, Wants};
use crate::time::{Instant, Span};

/// Block that stands for a vSwitch; what exceeds its `available` belongs to others.
const BLOCK: &str = "10.0.0.0/16";

/// What one run left behind.
#[derive(Debug, Default)]
pub struct Played {
    /// Times of the samples in ms, and the samples.
    pub samples: Vec<(u64, Levels)>,
    /// Calls and errors.
    pub calls: [u64; Api::ALL.len()],
    /// Refusals per code.
    pub errors: [u64; ErrorCode::ALL.len()],
    /// Per pod in the order of the script: name, requested, allocated (ms).
    pub pods: Vec<(String, u64, Option<u64>)>,
}

/// The levels of one sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels {
    /// Per node: interfaces, addresses, pods with an address, pods without.
    pub nodes: Vec<[u32; 4]>,
    /// Per vSwitch: free addresses.
    pub available: Vec<u32>,
}

/// Counts calls.
#[derive(Debug, Default)]
struct Counter {
    calls: [u64; Api::ALL.len()],
    errors: [u64; ErrorCode::ALL.len()],
}

impl Observer for Counter {
    fn called(&mut self, _: Instant, _: Option<NodeId>, api: Api, _: Span) {
        self.calls[api.index()] += 1;
    }

    fn answered(&mut self, _: Instant, call: &Answered, _: &Cloud) {
        if let CallAnswer::Refused(code) = call.answer {
            self.errors[code.index()] += 1;
        }
    }
}

/// Why a case cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Another core than ours.
    #[error("case `{0}` is for core `{1}`; brimline plays `node_local`, `centralized` and `classic`")]
    Core(String, String),
    /// A number beyond what the core holds.
    #[error("case `{0}`: {1}")]
    OutOfRange(String, String),
}

/// Plays `case`; `chance` = (seed, run) switches jitter on.
///
/// # Errors
/// If the case is for another core, or its numbers are beyond what the core holds.
pub fn play(case: &Case, chance: Option<(u64, u32)>) -> Result<Played, ReplayError> {
    check(case)?;
    let (seed, run) = chance.unwrap_or((0, 0));
    let mut daemons = stream(seed, run, "daemons");
    let mut engine = Engine::new(
        Counter::default(),
        cloud(case, stream(seed, run, "cloud")),
        retry(case),
        stream(seed, run, "kubelet"),
    );
    for (i, event) in case.events.iter().enumerate() {
        engine.control_at(Instant::ZERO + Span::millis(event.t_ms()), i as u32);
    }
    let config = Config::from(config(case));
    for _ in 0..case.nodes {
        let node = engine.cloud.start_instance(None, case.eni_slots, case.ips_per_eni);
        engine.start_daemon(node, &config, SmallStream::split(&mut daemons), chance.is_some());
    }
    Ok(Script {
        case,
        engine,
        names: BTreeMap::new(),
        retained: BTreeMap::new(),
        pods: Vec::new(),
        of_pod: BTreeMap::new(),
    }
    .run())
}

fn check(case: &Case) -> Result<(), ReplayError> {
    if case.core != "node_local" {
        return Err(ReplayError::Core(case.name.clone(), case.core.clone()));
    }
    let wrong = |what: &str| Err(ReplayError::OutOfRange(case.name.clone(), what.to_owned()));
    if case.ips_per_eni == 0 || case.ips_per_eni > crate::ipam::node_local::MAX_ADDRESSES {
        return wrong("ips_per_eni has to be 1 to 56");
    }
    if case.eni_slots > 255 {
        return wrong("eni_slots has to be at most 255");
    }
    if case.vswitches.iter().any(|v| v.available > 65_532) || case.vswitches.len() > 64 {
        return wrong("at most 64 vSwitches with at most 65,532 free addresses each");
    }
    if case.erdma_slots.saturating_add(case.trunk.into()) > case.eni_slots {
        return wrong("eni_slots has to be at least erdma_slots, and one more for a trunk");
    }
    if case.sample_ms == 0 {
        return wrong("sample_ms has to be positive");
    }
    let known = |id: &str| case.vswitches.iter().any(|v| v.id == id);
    for event in &case.events {
        match event {
            Event::Add { node, pod, .. } | Event::Del { node, pod, .. } if *node >= case.nodes => {
                return wrong(&format!("pod `{pod}` is on node {node}, which does not exist"));
            }
            Event::Restart { node, .. } if *node >= case.nodes => {
                return wrong(&format!("a daemon restarts on node {node}, which does not exist"));
            }
            Event::Vswitch { vswitch, .. } if !known(vswitch) => {
                return wrong(&format!("vSwitch `{vswitch}` does not exist"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn config(case: &Case) -> node_local::Config {
    let capacity = case.eni_slots * case.ips_per_eni;
    let max_idle = case.max_pool_size.min(capacity);
    node_local::Config {
        rdma: (case.erdma_slots > 0).then(|| Rdma {
            slots: case.erdma_slots,
            crowded_from: case.eni_slots - case.erdma_slots,
            is_told: true,
        }),
        // No pod of a case has a member interface.
        trunk: case.trunk.then_some(Trunk { members: 1 }),
        max_eni: case.eni_slots,
        ips_per_eni: case.ips_per_eni,
        dual: case.ip_stack == IpStack::Dual,
        capacity,
        min_idle: case.min_pool_size.min(max_idle),
        max_idle,
        sync_period: Some(Span::secs(case.ip_pool_sync_period_s)).filter(|period| period.0 > 0),
        eni_selection: match case.eni_selection_policy {
            EniPolicy::MostIps => EniSelection::MostIps,
            EniPolicy::LeastIps => EniSelection::LeastIps,
        },
        vswitch_selection: match case.vswitch_selection {
            VSwitchPolicy::Most => VSwitchSelection::Most,
            VSwitchPolicy::Ordered => VSwitchSelection::Ordered,
            VSwitchPolicy::Random => VSwitchSelection::Random,
        },
        vswitches: (0..case.vswitches.len()).map(VSwitchId::new).collect(),
        reclaim: (case.idle_ip_reclaim_after_s > 0 && case.idle_ip_reclaim_batch_size > 0).then(|| Reclaim {
            after: Span::secs(case.idle_ip_reclaim_after_s),
            interval: Span::secs(case.idle_ip_reclaim_interval_s),
            batch: case.idle_ip_reclaim_batch_size,
            factor: 0.1,
        }),
        rate_limit: [None; Api::ALL.len()],
        gc_period: case.collects.then_some(GC_PERIOD),
        rpc_timeout: Span::millis(case.rpc_timeout_ms),
        confirm_delete: false,
        kube_client: KubeClient::UNLIMITED,
    }
}

fn cloud(case: &Case, chance: Stream) -> Cloud {
    stub_cloud_with(case.latency_ms, &case.vswitches, chance)
}

/// A cloud with fixed latencies, whose vSwitches have as much free as the case says.
pub(super) fn stub_cloud(ms: Latency, vswitches: &[VSwitch]) -> Cloud {
    stub_cloud_with(ms, vswitches, stream(0, 0, "cloud"))
}

fn stub_cloud_with(ms: Latency, vswitches: &[VSwitch], chance: Stream) -> Cloud {
    let latency = |api| match api {
        Api::CreateNetworkInterface => ms.create,
        Api::AttachNetworkInterface => ms.attach,
        Api::DetachNetworkInterface => ms.detach,
        Api::DeleteNetworkInterface => ms.delete,
        Api::AssignPrivateIpAddresses | Api::AssignIpv6Addresses => ms.assign,
        Api::UnassignPrivateIpAddresses | Api::UnassignIpv6Addresses => ms.unassign,
        Api::DescribeNetworkInterfaces => ms.describe,
        Api::DescribeVSwitches => ms.vswitch,
    };
    let behaviour = Behaviour {
        latency: Api::ALL.map(|api| SpanDist::Constant(Span::millis(latency(api)))),
        throttle: [None; Api::ALL.len()],
        metadata_lag: Span::ZERO,
        quotas: Quotas::default(),
        faults: Vec::new(),
    };
    let block: ipnet::Ipv4Net = BLOCK.parse().expect("the constant is a block");
    let mishaps = SmallStream::new(0);
    let mut cloud = Cloud::new(vswitches.iter().map(|_| block), behaviour, chance, mishaps);
    for (i, vswitch) in vswitches.iter().enumerate() {
        let id = VSwitchId::new(i);
        cloud.set_others(id, cloud.usage(id).usable - vswitch.available);
    }
    cloud
}

fn retry(case: &Case) -> SpanDist {
    match case.kubelet_retry_ms {
        Retry::Fixed(ms) => SpanDist::Constant(Span::millis(ms)),
        Retry::Between(low, high) => SpanDist::Uniform(Span::millis(low), Span::millis(high)),
    }
}

/// A case being played.
struct Script<'a> {
    case: &'a Case,
    engine: Engine<Counter>,
    /// Pods that are there, by name, and whether they are stateful.
    names: BTreeMap<&'a str, (PodId, bool)>,
    /// Stateful pods that are gone, by name.
    retained: BTreeMap<&'a str, PodId>,
    pods: Vec<(String, u64, Option<u64>)>,
    /// Position in `pods` of each pod that is there.
    of_pod: BTreeMap<PodId, usize>,
}

impl<'a> Script<'a> {
    fn run(mut self) -> Played {
        let mut samples = Vec::new();
        for t_ms in (0..=self.case.until_ms).step_by(self.case.sample_ms as usize) {
            let until = Instant::ZERO + Span::millis(t_ms);
            while let Some(happening) = self.engine.step(until) {
                self.happen(happening);
            }
            samples.push((t_ms, self.levels()));
        }
        let Counter { calls, errors } = self.engine.observer;
        Played { samples, calls, errors, pods: self.pods }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Control(event) => self.play(event),
            Happening::Served(pod) => {
                let served = self.engine.now().as_millis();
                if let Some(&position) = self.of_pod.get(&pod) {
                    self.pods[position].2.get_or_insert(served);
                }
            }
            Happening::Timer(_) => unreachable!("no pod of a script ends by itself"),
            Happening::Crashed(..) | Happening::Stuck(..) => unreachable!("the node-local daemon has no such defects"),
            // The pods of a script are placed already.
            Happening::Offers(_) | Happening::Started(_) | Happening::NotStarted(_) => {}
        }
    }

    fn play(&mut self, event: u32) {
        match &self.case.events[event as usize] {
            Event::Add { t_ms, node, pod, erdma, stateful } => {
                self.pods.push((pod.clone(), *t_ms, None));
                let id = match self.retained.remove(pod.as_str()) {
                    Some(id) => {
                        self.engine.recreate_pod(id);
                        id
                    }
                    None => self.engine.create_pod(0),
                };
                self.engine.place_pod(id, NodeId(*node), if *erdma { Wants::Rdma } else { Wants::Shared });
                self.of_pod.insert(id, self.pods.len() - 1);
                self.names.insert(pod, (id, *stateful));
            }
            Event::Del { pod, .. } => {
                if let Some((id, stateful)) = self.names.remove(pod.as_str()) {
                    self.engine.delete_pod(id, stateful);
                    self.of_pod.remove(&id);
                    if stateful {
                        self.retained.insert(pod, id);
                    }
                }
            }
            Event::Vswitch { vswitch, delta, .. } => {
                let position = self.case.vswitches.iter().position(|v| v.id == *vswitch);
                let id = VSwitchId::new(position.expect("the case was checked"));
                let others = i64::from(self.engine.cloud.usage(id).others) - delta;
                self.engine.cloud.set_others(id, others.clamp(0, 65_532) as u32);
            }
            Event::Restart { node, .. } => {
                self.engine.restart_daemon(NodeId(*node), &Config::from(config(self.case)));
            }
        }
    }

    fn levels(&self) -> Levels {
        let mut nodes: Vec<[u32; 4]> = (0..self.case.nodes)
            .map(|node| {
                let (enis, ips) = self.engine.cloud.node_enis(NodeId(node));
                [enis, ips, 0, 0]
            })
            .collect();
        for pod in self.engine.pods() {
            match pod.state {
                PodState::Running => nodes[pod.node.index()][2] += 1,
                PodState::Waiting | PodState::Answering => nodes[pod.node.index()][3] += 1,
                PodState::Gone | PodState::Pending | PodState::Leaving => {}
            }
        }
        let available = (0..self.case.vswitches.len()).map(|i| self.engine.cloud.usage(VSwitchId::new(i)).free);
        Levels { nodes, available: available.collect() }
    }
}

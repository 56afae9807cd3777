//! Plays a case on our controller: the event loop around it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::case::Sample;
use super::case::{Case, Degradation, Event, Op, VSwitchSelection};
use super::cloud::Cloud;
use super::laws;
use crate::chance::SmallStream;
use crate::id::{NodeId, Uid, VSwitchId};
use crate::ipam::Devices;
use crate::ipam::centralized::{
    self, Answer, CallId, Controller, Flavor, Input, NodeConfig, Output, PodKey, Refusal, Request, Selection, Settings,
    Status, WriteLimit,
};
use crate::ipam::kube_client::KubeClient;
use crate::ipam::node_local::Reclaim;
use crate::time::{Instant, Span};

/// The pseudo API of status writes in faults.
const STATUS_WRITE: &str = "UpdateNodeStatus";

/// What one run left behind.
#[derive(Debug, Default)]
pub struct Played {
    /// Times of the samples in ms, and the samples.
    pub samples: Vec<(u64, Sample)>,
    /// Calls per action.
    pub calls: BTreeMap<String, i64>,
    /// Refusals per code.
    pub errors: BTreeMap<String, i64>,
    /// Status writes per node.
    pub writes: Vec<i64>,
    /// Runs per node that got past the gate.
    pub runs: Vec<i64>,
    /// Pods in the order of appearance.
    pub pods: Vec<Story>,
}

/// What became of a pod; times in ms.
#[derive(Debug, Clone)]
pub struct Story {
    /// Its name.
    pub pod: String,
    /// Its node.
    pub node: u32,
    /// When it appeared.
    pub requested: u64,
    /// When the CR first showed it.
    pub bound: Option<u64>,
    /// When it was deleted.
    pub deleted: Option<u64>,
    /// When the CR no longer showed it.
    pub released: Option<u64>,
}

/// Plays `case`; `seed` decides what upstream leaves to chance.
#[must_use]
pub fn play(case: &Case, seed: u64) -> Played {
    Stage::new(case, seed).run()
}

/// As [`play`], with a controller that goes through every run.
#[must_use]
pub fn play_thoroughly(case: &Case, seed: u64) -> Played {
    let mut stage = Stage::new(case, seed);
    stage.controller = stage.controller.thorough();
    stage.run()
}

/// What happens at a time.
#[derive(Debug)]
enum Happening {
    /// The CR of a node is complete.
    Join(NodeId),
    /// Events of the script from this one on that have the same time.
    Script(usize),
    /// A call leaves, unless the controller has died since.
    Leaves { life: u32, call: CallId, request: Request },
    /// A call ends.
    Ends { call: CallId, request: Request },
    /// A status write, unless the controller has died since.
    Write { life: u32, call: CallId },
    /// NodeRuntime says that CNI DEL of these pods is done.
    Reports(Vec<(NodeId, Uid)>),
}

/// A case being played.
struct Stage<'a> {
    case: &'a Case,
    controller: Controller,
    cloud: Cloud,
    agenda: BTreeMap<(Instant, u64), Happening>,
    added: u64,
    /// Restarts so far.
    life: u32,
    /// Names in their order.
    keys: BTreeMap<&'a str, PodKey>,
    /// Pods that ask for RDMA, and get it.
    rdma: BTreeSet<PodKey>,
    /// Pods that are there, per node.
    there: Vec<BTreeMap<PodKey, Uid>>,
    played: Played,
}

impl<'a> Stage<'a> {
    fn new(case: &'a Case, seed: u64) -> Self {
        let names: BTreeSet<_> = case.events.iter().map(|event| event.pod.as_str()).collect();
        let keys: BTreeMap<_, _> = names.into_iter().zip((0..).map(PodKey)).collect();
        let has_erdma = config(case).flavor.has_erdma();
        let rdma = case.events.iter().filter(|event| event.erdma && has_erdma);
        let mut stage = Self {
            case,
            controller: Controller::new(settings(case), SmallStream::new(seed)),
            cloud: Cloud::new(case),
            agenda: BTreeMap::new(),
            added: 0,
            life: 0,
            rdma: rdma.map(|event| keys[event.pod.as_str()]).collect(),
            keys,
            there: vec![BTreeMap::new(); case.nodes as usize],
            played: Played { writes: vec![0; case.nodes as usize], ..Played::default() },
        };
        for node in 0..case.nodes {
            let at = at_ms(u64::from(node) * case.node_stagger_ms);
            stage.schedule(at, Happening::Join(NodeId(node)));
        }
        let starts = (0..case.events.len()).filter(|&i| i == 0 || case.events[i - 1].t_ms < case.events[i].t_ms);
        for i in starts {
            stage.schedule(at_ms(case.events[i].t_ms), Happening::Script(i));
        }
        stage
    }

    fn run(mut self) -> Played {
        for t_ms in (0..=self.case.until_ms).step_by(self.case.sample_ms as usize) {
            self.advance(at_ms(t_ms));
            let sample = self.sample();
            self.played.samples.push((t_ms, sample));
        }
        let end = at_ms(self.case.until_ms);
        self.advance(end);
        let runs = (0..self.case.nodes).map(|node| self.controller.effective_runs(end, NodeId(node)) as i64);
        self.played.runs = runs.collect();
        self.played
    }

    /// Lets everything happen that is due until then.
    fn advance(&mut self, until: Instant) {
        loop {
            let next = self.agenda.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at);
            let now = next.min(self.controller.poll_timeout());
            if now > until {
                return;
            }
            if next > now {
                self.tell(now, Input::Tick);
                continue;
            }
            let (_, happening) = self.agenda.pop_first().expect("it was looked at");
            self.happen(now, happening);
        }
    }

    fn happen(&mut self, now: Instant, happening: Happening) {
        match happening {
            Happening::Join(node) => self.tell(now, Input::Join(node, Arc::new(config(self.case)))),
            Happening::Script(first) => self.script(now, first),
            Happening::Leaves { life, call, request } if life == self.life => {
                *self.played.calls.entry(request.api().name().to_owned()).or_default() += 1;
                let at = now + self.cloud.latency(&request);
                self.schedule(at, Happening::Ends { call, request });
            }
            Happening::Ends { call, request } => {
                let result = self.carry_out(now, &request);
                self.tell(now, Input::Reply(call, result));
            }
            Happening::Write { life, call } if life == self.life => {
                let accepted = !self.case.faults.iter().any(|fault| fault.befalls(STATUS_WRITE, now.as_millis()));
                self.tell(now, Input::Written(call, accepted));
            }
            Happening::Reports(pods) => {
                for &(node, uid) in &pods {
                    self.tell(now, Input::Reported { node, uid });
                }
                self.notify(now, pods.into_iter().map(|(node, _)| node));
            }
            Happening::Leaves { .. } | Happening::Write { .. } => {}
        }
    }

    /// Events of one instant are applied before anybody is told of them.
    fn script(&mut self, now: Instant, first: usize) {
        let case = self.case;
        let t_ms = case.events[first].t_ms;
        let (mut triggers, mut queued, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
        for event in case.events[first..].iter().take_while(|event| event.t_ms == t_ms) {
            match event.op {
                Op::Add => {
                    self.add(now, event);
                    queued.push(NodeId(event.node));
                }
                Op::Del => deleted.extend(self.delete(now, event)),
                Op::Vswitch => self.cloud.add_free(self.vswitch(event), event.delta),
                Op::Counted => {
                    let free = u32::try_from(event.delta).expect("the case was checked");
                    let through = now + settings(case).vswitch_ttl;
                    triggers.push(Input::Counted(VSwitchId::new(self.vswitch(event)), free, through));
                }
                Op::Restart => {
                    self.life += 1;
                    triggers.push(Input::Restart);
                }
            }
        }
        for trigger in triggers {
            self.tell(now, trigger);
        }
        self.notify(now, queued);
        if !deleted.is_empty() {
            self.schedule(now + Span::millis(case.runtime_report_ms), Happening::Reports(deleted));
        }
    }

    /// Queues nodes. One that is queued twice within an instant has one entry: no worker is as quick as that.
    fn notify(&mut self, now: Instant, nodes: impl IntoIterator<Item = NodeId>) {
        let mut queued = BTreeSet::new();
        for node in nodes {
            if queued.insert(node) {
                self.tell(now, Input::Notify(node));
            }
        }
    }

    /// The place of an event's vSwitch.
    fn vswitch(&self, event: &Event) -> usize {
        let place = self.case.vswitches.iter().position(|vswitch| vswitch.id == event.vswitch);
        place.expect("the case was checked")
    }

    fn add(&mut self, now: Instant, event: &Event) {
        let (node, key, uid) = (NodeId(event.node), self.keys[event.pod.as_str()], Uid::new(self.played.pods.len()));
        let (pod, requested) = (event.pod.clone(), event.t_ms);
        self.played.pods.push(Story { pod, node: event.node, requested, bound: None, deleted: None, released: None });
        self.there[node.index()].insert(key, uid);
        self.tell(now, Input::Scheduled { node, pod: key, uid, erdma: event.erdma });
    }

    fn delete(&mut self, now: Instant, event: &Event) -> Option<(NodeId, Uid)> {
        let (node, pod) = (NodeId(event.node), self.keys[event.pod.as_str()]);
        let uid = self.there[node.index()].remove(&pod)?;
        self.played.pods[uid.index()].deleted = Some(event.t_ms);
        self.tell(now, Input::Gone { node, pod });
        Some((node, uid))
    }

    /// A call fails as its fault says, or is carried out.
    fn carry_out(&mut self, now: Instant, request: &Request) -> Result<Answer, Refusal> {
        let api = request.api().name();
        let fault = self.case.faults.iter().find(|fault| fault.befalls(api, now.as_millis()));
        let result = match fault {
            Some(fault) => Err(fault.code.as_str()),
            None => self.cloud.execute(now, request),
        };
        result.map_err(|code| {
            *self.played.errors.entry(code.to_owned()).or_default() += 1;
            Refusal::of(code)
        })
    }

    /// Tells the controller, and does what it wants.
    fn tell(&mut self, now: Instant, input: Input) {
        self.controller.handle(now, input);
        while let Some(output) = self.controller.poll() {
            match output {
                Output::Call { call, at, request } => {
                    self.schedule(at, Happening::Leaves { life: self.life, call, request });
                }
                Output::Write { call, at } => self.schedule(at, Happening::Write { life: self.life, call }),
                Output::Stored(node) => self.stored(now, node),
                // The story is told by the CR, as upstream's bed tells it.
                Output::Freed { .. } | Output::Bound { .. } => {}
            }
        }
    }

    /// A CR was written: who has an address now, and who has none any more?
    fn stored(&mut self, now: Instant, node: NodeId) {
        self.played.writes[node.index()] += 1;
        laws::check(self.status(node), self.case.dual, &self.rdma);
        let shown: BTreeSet<_> = shown(self.status(node)).map(|(_, uid)| uid).collect();
        let now = now.as_millis();
        for (i, story) in self.played.pods.iter_mut().enumerate().filter(|(_, story)| story.node == node.0) {
            if shown.contains(&Uid::new(i)) {
                story.bound.get_or_insert(now);
            } else if story.bound.is_some() && story.deleted.is_some() {
                story.released.get_or_insert(now);
            }
        }
    }

    fn status(&self, node: NodeId) -> &Status {
        self.controller.status(node).expect("the node has joined")
    }

    fn sample(&self) -> Sample {
        let mut sample = Sample::new();
        for node in (0..self.case.nodes).map(NodeId) {
            let there = &self.there[node.index()];
            let status = self.controller.status(node);
            let (bound, held): (Vec<_>, Vec<_>) =
                status.into_iter().flat_map(shown).partition(|(key, uid)| there.get(key) == Some(uid));
            let sufficient = self.controller.condition(node).map_or(-1, |condition| i64::from(condition.sufficient));
            let [enis, ips, prefixes] = self.cloud.holds(node);
            let values = [
                ("enis", enis),
                ("ips", ips),
                ("prefixes", prefixes),
                ("bound", bound.len() as i64),
                ("pending", there.len() as i64 - bound.len() as i64),
                ("held", held.len() as i64),
                ("idle", status.map_or(0, |status| i64::from(status.idle()))),
                ("sufficient", sufficient),
            ];
            sample.extend(values.map(|(name, value)| (format!("node{}.{name}", node.0), value)));
            if self.case.dual {
                let [ipv6, ipv6_prefixes] = self.cloud.holds_ipv6(node);
                sample.insert(format!("node{}.ipv6", node.0), ipv6);
                sample.insert(format!("node{}.ipv6_prefixes", node.0), ipv6_prefixes);
            }
        }
        let free = self.case.vswitches.iter().zip(self.cloud.available());
        sample.extend(free.map(|(vswitch, free)| (format!("{}.available", vswitch.id), i64::from(free))));
        sample
    }

    fn schedule(&mut self, at: Instant, happening: Happening) {
        self.agenda.insert((at, self.added), happening);
        self.added += 1;
    }
}

/// Whom a CR shows at an address.
fn shown(status: &Status) -> impl Iterator<Item = (PodKey, Uid)> {
    let ips = status.nics.values().flat_map(|nic| nic.addresses.values());
    ips.filter_map(|ip| ip.pod).map(|binding| (binding.pod, binding.uid))
}

fn at_ms(t_ms: u64) -> Instant {
    Instant::ZERO + Span::millis(t_ms)
}

fn settings(case: &Case) -> Settings {
    let limit = WriteLimit { per_second: case.cr_write_qps, burst: case.cr_write_burst };
    Settings {
        workers: case.workers,
        vswitch_ttl: Span::secs(case.vswitch_cache_ttl_s),
        write_limit: Some(limit).filter(|limit| limit.per_second > 0.0),
        degradation: match case.degradation {
            Degradation::None => centralized::Degradation::None,
            Degradation::L0 => centralized::Degradation::L0,
            Degradation::L1 => centralized::Degradation::L1,
        },
        jitter: false,
        ..Settings::default()
    }
}

fn config(case: &Case) -> NodeConfig {
    NodeConfig {
        flavor: Flavor::of(case.adapters, case.trunk, case.erdma),
        devices: Devices::default(),
        ips_per_eni: case.ips_per_eni,
        dual: case.dual,
        min_idle: case.min_pool_size,
        max_idle: case.max_pool_size,
        warm_up: case.warm_up_size,
        sync_period: Some(Span::secs(case.ip_pool_sync_period_s)).filter(|period| period.0 > 0),
        reclaim: (case.idle_ip_reclaim_after_s > 0 && case.idle_ip_reclaim_batch_size > 0).then(|| Reclaim {
            after: Span::secs(case.idle_ip_reclaim_after_s),
            interval: Span::secs(case.idle_ip_reclaim_interval_s),
            batch: case.idle_ip_reclaim_batch_size,
            factor: 0.1,
        }),
        prefix_mode: case.ipv4_prefix_count > 0,
        prefix_count: case.ipv4_prefix_count,
        both_or_none: case.dual,
        vswitches: (0..case.vswitches.len()).map(VSwitchId::new).collect(),
        selection: match case.vswitch_selection {
            VSwitchSelection::Most => Selection::Most,
        },
        kube_client: KubeClient::UNLIMITED,
    }
}

//! Plays a case of the classic pool: its daemons, a cloud with fixed latencies, and a kubelet that
//! tries again after a constant pause.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::case::Sample;
use super::super::replay;
use super::case::{Case, EniConfig, Event};
use crate::chance::SmallStream;
use crate::cloud::Cloud;
use crate::id::{EniId, NodeId, PodId, VSwitchId};
use crate::ipam::classic::{Attached, Classic, Config, Failure, Input, Output, Release, Sizes, Version, Wanted};
use crate::ipam::{Answer, BATCH, CallId, Fate, Kind, Request};
use crate::time::{Instant, Span};

/// What one run left behind.
#[derive(Debug, Default)]
pub struct Played {
    /// Times of the samples in ms, and the samples.
    pub samples: Vec<(u64, Sample)>,
    /// Calls per action.
    pub calls: BTreeMap<String, i64>,
    /// Refusals per code.
    pub errors: BTreeMap<String, i64>,
    /// Failed CNI ADDs per cause.
    pub causes: BTreeMap<String, i64>,
    /// Crashes of daemons.
    pub crashes: i64,
    /// Pods in the order of the script.
    pub pods: Vec<Story>,
}

/// What became of a pod; times in ms.
#[derive(Debug, Clone)]
pub struct Story {
    /// Its name.
    pub pod: String,
    /// When it was added.
    pub requested: u64,
    /// When it got its address.
    pub allocated: Option<u64>,
    /// CNI ADDs that were begun.
    pub attempts: i64,
}

/// Plays `case`; `seed` decides what upstream leaves to chance.
#[must_use]
pub fn play(case: &Case, seed: u64) -> Played {
    Stage::new(case, seed).run()
}

/// What happens at a time.
#[derive(Debug)]
enum Happening {
    /// An event of the script.
    Script(usize),
    /// A call ends.
    Ends { node: NodeId, call: CallId, request: Request },
    /// The kubelet tries a pod again, if it is still that pod.
    Retry { pod: PodId, story: usize },
    /// A daemon starts, unless it was told to start at another time since.
    Start { node: NodeId, life: u32 },
}

/// A node with its daemon.
#[derive(Debug)]
struct Node {
    daemon: Classic,
    config: EniConfig,
    /// How often it was told to start.
    life: u32,
}

/// A pod that is there.
#[derive(Debug, Clone, Copy)]
struct Pod {
    node: NodeId,
    /// Its place in the stories; pods of initial interfaces have none.
    story: Option<usize>,
    /// Its address, if it has one.
    has: Option<(EniId, std::net::Ipv4Addr)>,
}

/// A case being played.
struct Stage<'a> {
    case: &'a Case,
    cloud: Cloud,
    nodes: Vec<Node>,
    /// One ID per name.
    names: BTreeMap<&'a str, PodId>,
    /// Pods that are there.
    pods: BTreeMap<PodId, Pod>,
    agenda: BTreeMap<(Instant, u64), Happening>,
    added: u64,
    played: Played,
}

impl<'a> Stage<'a> {
    fn new(case: &'a Case, seed: u64) -> Self {
        let of_enis = case.initial_enis.iter().flat_map(|eni| &eni.pods);
        let of_events = case.events.iter().filter_map(|event| match event {
            Event::Add { pod, .. } | Event::Del { pod, .. } => Some(pod),
            Event::Vswitch { .. } | Event::Restart { .. } => None,
        });
        let mut names = BTreeMap::new();
        for name in of_enis.chain(of_events) {
            let next = PodId::new(names.len());
            names.entry(name.as_str()).or_insert(next);
        }
        let mut stage = Self {
            case,
            cloud: replay::stub_cloud(case.latency_ms, &case.vswitches),
            nodes: Vec::new(),
            names,
            pods: BTreeMap::new(),
            agenda: BTreeMap::new(),
            added: 0,
            played: Played::default(),
        };
        for node in 0..case.nodes {
            stage.join(NodeId(node), seed);
        }
        for (i, event) in case.events.iter().enumerate() {
            stage.schedule(at_ms(event.t_ms()), Happening::Script(i));
        }
        stage
    }

    /// A node starts with the interfaces that it has.
    fn join(&mut self, node: NodeId, seed: u64) {
        let case = self.case;
        self.cloud.start_instance(None, case.eni_slots, case.ips_per_eni);
        let mut bound = Vec::new();
        for initial in case.initial_enis.iter().filter(|initial| initial.node == node.0) {
            let attached = self.attach(node, self.vswitch(&initial.vswitch), initial.ips);
            for (name, &address) in initial.pods.iter().zip(&attached.addresses) {
                let (pod, eni) = (self.names[name.as_str()], attached.eni.id);
                bound.push((pod, eni, address));
                self.pods.insert(pod, Pod { node, story: None, has: Some((eni, address)) });
            }
        }
        let attached = self.cloud.attached(node);
        let config = self.config(&case.config);
        let chance = SmallStream::new(seed.wrapping_add(u64::from(node.0)));
        let daemon = Classic::new(Instant::ZERO, config, &attached, &bound, chance, false);
        self.nodes.push(Node { daemon, config: case.config.clone(), life: 0 });
        self.follow(Instant::ZERO, node);
    }

    /// Makes an interface that is there from the beginning; it takes nothing of what is free.
    fn attach(&mut self, node: NodeId, vswitch: VSwitchId, ips: u32) -> Attached {
        let others = self.cloud.usage(vswitch).others;
        self.cloud.set_others(vswitch, others - ips);
        let mut call = |request| self.cloud.execute(Instant::ZERO, node, &request).expect("there is room for it");
        let batch = |left: u32| left.min(BATCH as u32) as u8;
        let create = Request::Create { vswitch, kind: Kind::Secondary, addresses: batch(ips), ipv6: 0 };
        let Answer::Created(eni, ..) = call(create) else { unreachable!("that is what was asked") };
        call(Request::Attach(eni));
        let mut there = u32::from(batch(ips));
        while there < ips {
            call(Request::Assign(eni, batch(ips - there)));
            there += u32::from(batch(ips - there));
        }
        self.cloud.attached(node).pop().expect("it was attached")
    }

    fn run(mut self) -> Played {
        for t_ms in (0..=self.case.until_ms).step_by(self.case.sample_ms as usize) {
            self.advance(at_ms(t_ms));
            let sample = self.sample();
            self.played.samples.push((t_ms, sample));
        }
        self.advance(at_ms(self.case.until_ms));
        self.played
    }

    /// Lets everything happen that is due until then.
    fn advance(&mut self, until: Instant) {
        loop {
            let next = self.agenda.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at);
            let timers = self.nodes.iter().enumerate().map(|(i, node)| (node.daemon.poll_timeout(), i));
            let (timer, node) = timers.min().unwrap_or((Instant::NEVER, 0));
            if next.min(timer) > until {
                return;
            }
            if timer < next {
                self.tell(timer, NodeId::new(node), Input::Tick);
                continue;
            }
            let (_, happening) = self.agenda.pop_first().expect("it was looked at");
            self.happen(next, happening);
        }
    }

    fn happen(&mut self, now: Instant, happening: Happening) {
        match happening {
            Happening::Script(event) => self.script(now, &self.case.events[event]),
            Happening::Ends { node, call, request } => {
                let result = self.cloud.execute(now, node, &request);
                if let Err(code) = result {
                    *self.played.errors.entry(code.name().to_owned()).or_default() += 1;
                }
                self.tell(now, node, Input::Reply(call, result));
            }
            Happening::Retry { pod, story } => {
                if self.pods.get(&pod).is_some_and(|there| there.story == Some(story)) {
                    self.ask(now, pod);
                }
            }
            Happening::Start { node, life } if self.nodes[node.index()].life == life => {
                let config = self.config(&self.nodes[node.index()].config);
                let attached = self.cloud.attached(node);
                self.tell(now, node, Input::Restart { config, attached });
            }
            Happening::Start { .. } => {}
        }
    }

    fn script(&mut self, now: Instant, event: &'a Event) {
        match event {
            Event::Add { t_ms, node, pod } => {
                let id = self.names[pod.as_str()];
                let story = Story { pod: pod.clone(), requested: *t_ms, allocated: None, attempts: 0 };
                self.played.pods.push(story);
                let story = Some(self.played.pods.len() - 1);
                self.pods.insert(id, Pod { node: NodeId(*node), story, has: None });
                self.ask(now, id);
            }
            Event::Del { pod, .. } => {
                let id = self.names[pod.as_str()];
                match self.pods.remove(&id) {
                    Some(Pod { node, has: Some((eni, address)), .. }) => {
                        let release = Release { pod: id, eni, address, then: Fate::Idle };
                        self.tell(now, node, Input::Release(release));
                    }
                    Some(Pod { node, .. }) => self.tell(now, node, Input::Cancel(id)),
                    None => {}
                }
            }
            Event::Vswitch { vswitch, delta, .. } => {
                let id = self.vswitch(vswitch);
                let others = i64::from(self.cloud.usage(id).others) - delta;
                self.cloud.set_others(id, others.clamp(0, 65_532) as u32);
            }
            Event::Restart { node, config, down_ms, .. } => {
                let id = NodeId(*node);
                self.nodes[id.index()].config.change(config);
                self.tell(now, id, Input::Kill);
                self.start_at(now + Span::millis(*down_ms), id);
            }
        }
    }

    /// A CNI ADD begins.
    fn ask(&mut self, now: Instant, pod: PodId) {
        let Pod { node, story, .. } = self.pods[&pod];
        self.played.pods[story.expect("who asks was added")].attempts += 1;
        self.tell(now, node, Input::Allocate { pod, stateful: false });
    }

    fn start_at(&mut self, at: Instant, node: NodeId) {
        self.nodes[node.index()].life += 1;
        let life = self.nodes[node.index()].life;
        self.schedule(at, Happening::Start { node, life });
    }

    fn tell(&mut self, now: Instant, node: NodeId, input: Input) {
        self.nodes[node.index()].daemon.handle(now, input);
        self.follow(now, node);
    }

    /// Does what a daemon wants.
    fn follow(&mut self, now: Instant, node: NodeId) {
        while let Some(output) = self.nodes[node.index()].daemon.poll() {
            match output {
                Output::Call { call, at, request } => {
                    *self.played.calls.entry(request.api().name().to_owned()).or_default() += 1;
                    let ends = at + self.cloud.latency(request.api(), at);
                    self.schedule(ends, Happening::Ends { node, call, request });
                }
                Output::Allocated { pod, eni, address, .. } => {
                    let there = self.pods.get_mut(&pod).expect("nobody waits for who is gone");
                    there.has = Some((eni.id, address));
                    let story = there.story.expect("who asks was added");
                    self.played.pods[story].allocated.get_or_insert(now.as_millis());
                }
                Output::Failed(pod, failure) => {
                    *self.played.causes.entry(cause(failure).to_owned()).or_default() += 1;
                    let story = self.pods.get(&pod).and_then(|there| there.story);
                    let at = now + Span::millis(self.case.kubelet_retry_ms);
                    self.schedule(at, Happening::Retry { pod, story: story.expect("who asks was added") });
                }
                Output::Crashed(_) => {
                    self.played.crashes += 1;
                    self.start_at(now + Span::millis(self.case.crash_restart_ms), node);
                }
                Output::Released(..) | Output::Stuck(_) => {}
            }
        }
        self.nodes[node.index()].daemon.check_invariants();
    }

    fn sample(&self) -> Sample {
        let mut sample = Sample::new();
        for node in (0..self.case.nodes).map(NodeId) {
            let (enis, ips) = self.cloud.node_enis(node);
            let pods = || self.pods.values().filter(|pod| pod.node == node);
            let in_use = pods().filter(|pod| pod.has.is_some()).count() as i64;
            let pending = pods().count() as i64 - in_use;
            let values = [("enis", enis.into()), ("ips", ips.into()), ("in_use", in_use), ("pending", pending)];
            sample.extend(values.map(|(name, value)| (format!("node{}.{name}", node.0), value)));
        }
        let free = |i| i64::from(self.cloud.usage(VSwitchId::new(i)).free);
        sample.extend(self.case.vswitches.iter().enumerate().map(|(i, v)| (format!("{}.available", v.id), free(i))));
        sample
    }

    fn vswitch(&self, name: &str) -> VSwitchId {
        let position = self.case.vswitches.iter().position(|vswitch| vswitch.id == name);
        VSwitchId::new(position.expect("the case was checked"))
    }

    fn config(&self, written: &EniConfig) -> Arc<Config> {
        let EniConfig { max_pool_size, min_pool_size, max_eni, min_eni, .. } = *written;
        let wanted = Wanted { min_pool_size, max_pool_size, min_eni, max_eni };
        let listed: Vec<_> = written.config_vswitches.iter().map(|name| self.vswitch(name)).collect();
        let all = || (0..self.case.vswitches.len()).map(VSwitchId::new).collect();
        let profile = Version::V1_4_4.profile();
        Arc::new(Config {
            sizes: Sizes::clamped(&profile, self.case.eni_slots, self.case.ips_per_eni, wanted),
            vswitches: if listed.is_empty() { all() } else { listed },
            selection: written.vswitch_selection_policy.into(),
            cni_timeout: Span::millis(self.case.cni_timeout_ms),
            gc_period: None,
            limited: false,
            profile,
        })
    }

    fn schedule(&mut self, at: Instant, happening: Happening) {
        self.agenda.insert((at, self.added), happening);
        self.added += 1;
    }
}

fn at_ms(t_ms: u64) -> Instant {
    Instant::ZERO + Span::millis(t_ms)
}

/// The suite's name of a failure.
fn cause(failure: Failure) -> &'static str {
    match failure {
        Failure::NodeFull => "no_available_resource",
        Failure::NoInterface { .. } => "max_eni_exceeded",
        Failure::Throttled => "eni_throttle",
        Failure::NotAssigned { .. } => "assign_ip_not_enough",
        Failure::NotCreated { .. } => "create_ip_not_enough",
        Failure::Deadline => "cni_timeout",
        Failure::Processing => "resource_processing",
        Failure::Restart | Failure::Down => "daemon_restarted",
        Failure::Unserved | Failure::Detached => "unexpected_address",
    }
}

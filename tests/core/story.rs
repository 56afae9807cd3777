//! A daemon, its cloud and what happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use brimline::chance::{SmallStream, SpanDist, stream};
use brimline::cloud::Cloud;
use brimline::id::{EniId, NodeId, PodId, VSwitchId};
use brimline::ipam::kube_client::KubeClient;
use brimline::ipam::node_local::{Config, EniSelection, NodeLocal, VSwitchSelection};
use brimline::ipam::{Answer, CallId, Eni, Fate, Input, Kind, Output, OwnCall, Release, Request};
use brimline::model::Behaviour;
use brimline::model::Quotas;
use brimline::openapi::{Api, ErrorCode};
use brimline::time::{Instant, Span};

/// The vSwitches of the stories.
pub const A: VSwitchId = VSwitchId(0);
pub const B: VSwitchId = VSwitchId(1);

/// A node with `slots` slots of `ips` addresses, whose daemon does nothing by itself: no pool
/// sync, no collection. Candidates are A and, if the story has it, B, in this order.
pub fn node(slots: u32, ips: u32) -> Config {
    Config {
        max_eni: slots,
        ips_per_eni: ips,
        dual: false,
        rdma: None,
        trunk: None,
        capacity: slots * ips,
        min_idle: 0,
        max_idle: slots * ips,
        sync_period: None,
        eni_selection: EniSelection::MostIps,
        vswitch_selection: VSwitchSelection::Ordered,
        vswitches: Vec::new(),
        reclaim: None,
        rate_limit: [None; Api::ALL.len()],
        gc_period: None,
        rpc_timeout: Span::secs(118),
        confirm_delete: true,
        kube_client: KubeClient::UNLIMITED,
    }
}

/// What the cloud does with the next call of an action instead of what it was asked for.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It refuses.
    Refuse(ErrorCode),
    /// It hands out so many addresses only.
    Only(u8),
    /// Its answer takes so many seconds.
    Slow(f64),
    /// Instance metadata shows the effect so many seconds after the answer.
    Unseen(f64),
    /// The interface does not look attached yet.
    NotInUse,
    /// The interface is still there.
    StillThere,
}

/// A daemon with its cloud. Times are seconds since its start.
pub struct Story {
    pub daemon: NodeLocal,
    pub cloud: Cloud,
    now: Instant,
    /// Answers under way, in order of time.
    answers: BTreeMap<(Instant, u32), (CallId, Request, Option<Fault>)>,
    calls: u32,
    faults: Vec<(Api, Fault)>,
    /// Pods with an address.
    pods: BTreeMap<PodId, (Eni, std::net::Ipv4Addr)>,
    /// Touches the daemon this often though nothing happens.
    touch: Option<Span>,
    log: String,
}

impl Story {
    /// A daemon starts on an instance without secondary interfaces; `free` = free addresses of
    /// the vSwitches A, B, ... Chance is off but for Go's map order.
    pub fn new(config: Config, free: &[u32]) -> Self {
        Self::with_chance(config, free, 1, false)
    }

    pub fn with_chance(mut config: Config, free: &[u32], seed: u64, jitter: bool) -> Self {
        if config.vswitches.is_empty() {
            config.vswitches = (0..free.len()).map(VSwitchId::new).collect();
        }
        let block: ipnet::Ipv4Net = "10.0.0.0/20".parse().expect("a block");
        let behaviour = Behaviour {
            latency: Api::ALL.map(|_| SpanDist::Constant(Span::ZERO)),
            throttle: [None; Api::ALL.len()],
            metadata_lag: Span::ZERO,
            quotas: Quotas::default(),
            faults: Vec::new(),
        };
        let mut cloud = Cloud::new(free.iter().map(|_| block), behaviour, stream(1, 0, "cloud"), SmallStream::new(0));
        for (i, free) in free.iter().enumerate() {
            let id = VSwitchId::new(i);
            cloud.set_others(id, cloud.usage(id).usable - free);
        }
        // Room for more than the daemon's slots, so that a restart may raise them.
        cloud.start_instance(None, config.max_eni + 2, config.ips_per_eni);
        let mut story = Self {
            daemon: NodeLocal::new(Instant::ZERO, Arc::new(config), SmallStream::new(seed), jitter),
            cloud,
            now: Instant::ZERO,
            answers: BTreeMap::new(),
            calls: 0,
            faults: Vec::new(),
            pods: BTreeMap::new(),
            touch: None,
            log: String::new(),
        };
        // What it does at once.
        story.pump();
        story
    }

    /// Touches the daemon every second from now on.
    pub fn touched_every_second(mut self) -> Self {
        self.touch = Some(Span::secs(1));
        self
    }

    /// Lets everything happen that is due before `secs`.
    pub fn at(&mut self, secs: f64) -> &mut Self {
        let at = time(secs);
        self.run(Instant(at.0.saturating_sub(1)));
        self.now = at;
        self
    }

    /// Lets everything happen that is due until `secs`.
    pub fn until(&mut self, secs: f64) -> &mut Self {
        self.run(time(secs));
        self
    }

    /// Compares what happened since the last time, line by line.
    #[track_caller]
    pub fn tells(&mut self, expected: &str) -> &mut Self {
        let told = std::mem::take(&mut self.log);
        let lines = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
        };
        let (told, expected) = (lines(&told), lines(expected));
        assert!(told == expected, "expected:\n{}\n\ntold:\n{}\n", expected.join("\n"), told.join("\n"));
        self
    }

    /// Forgets what happened since the last time.
    pub fn skip(&mut self) -> &mut Self {
        self.log.clear();
        self
    }

    /// What happened since the last time.
    pub fn told(&mut self) -> String {
        std::mem::take(&mut self.log)
    }

    /// A pod asks for an address.
    pub fn add(&mut self, pod: u32) -> &mut Self {
        self.input(Input::Allocate(PodId(pod)))
    }

    /// A pod asks for an address of an RDMA interface.
    pub fn add_rdma(&mut self, pod: u32) -> &mut Self {
        self.input(Input::AllocateRdma(PodId(pod)))
    }

    /// A pod is deleted, wherever it is.
    pub fn del(&mut self, pod: u32) -> &mut Self {
        match self.release_of(pod, false) {
            Some(release) => self.input(Input::Release(release)),
            None => self.input(Input::Cancel(PodId(pod))),
        }
    }

    /// A pod of a StatefulSet is deleted: its address is retained.
    pub fn del_retained(&mut self, pod: u32) -> &mut Self {
        let release = self.release_of(pod, true).expect("the pod has an address");
        self.input(Input::Release(release))
    }

    /// The next call of `api` meets `fault`; several faults of an action come in turn.
    pub fn fault(&mut self, api: Api, fault: Fault) -> &mut Self {
        self.faults.push((api, fault));
        self
    }

    /// A vSwitch has `free` free addresses from now on.
    pub fn free(&mut self, vswitch: VSwitchId, free: u32) -> &mut Self {
        let usage = self.cloud.usage(vswitch);
        self.cloud.set_others(vswitch, usage.others + usage.free - free);
        self
    }

    /// The daemon restarts with `config`.
    pub fn restart(&mut self, mut config: Config) -> &mut Self {
        if config.vswitches.is_empty() {
            config.vswitches = self.daemon.config().vswitches.clone();
        }
        let attached = self.cloud.attached(NodeId(0));
        self.input(Input::Restart { config: Arc::new(config), attached })
    }

    pub fn input(&mut self, input: Input) -> &mut Self {
        self.daemon.handle(self.now, input);
        self.pump();
        self
    }

    /// Idle and used addresses, as the daemon counts them.
    #[track_caller]
    pub fn usage(&mut self, idle: u32, used: u32) -> &mut Self {
        assert_eq!(self.daemon.usage(), (idle, used), "idle and used addresses");
        self
    }

    /// Interfaces and addresses on them, as the cloud counts them.
    #[track_caller]
    pub fn holds(&mut self, enis: u32, addresses: u32) -> &mut Self {
        assert_eq!(self.cloud.node_enis(NodeId(0)), (enis, addresses), "interfaces and addresses");
        self
    }

    /// Whether the node condition SufficientIP is true.
    pub fn sufficient(&self) -> bool {
        self.daemon.has_sufficient_ip(self.now)
    }

    /// The address of a pod.
    pub fn address(&self, pod: u32) -> std::net::Ipv4Addr {
        self.pods[&PodId(pod)].1
    }

    /// The interface of a pod.
    pub fn interface(&self, pod: u32) -> EniId {
        self.pods[&PodId(pod)].0.id
    }

    fn release_of(&mut self, pod: u32, retain: bool) -> Option<Release> {
        let (eni, address) = self.pods.remove(&PodId(pod))?;
        let then = if retain { Fate::Retained } else { Fate::Idle };
        Some(Release { pod: PodId(pod), eni: eni.id, address, then })
    }

    fn run(&mut self, until: Instant) {
        loop {
            let timer = self.daemon.poll_timeout().max(self.now);
            let answer = self.answers.first_key_value().map_or(Instant::NEVER, |(&(at, _), _)| at);
            let touch = self.touch.map_or(Instant::NEVER, |span| Instant((self.now.0 / span.0 + 1) * span.0));
            let at = timer.min(answer).min(touch);
            if at > until {
                self.now = self.now.max(until);
                self.daemon.check_invariants();
                return;
            }
            self.now = at;
            if answer == at {
                let (_, (call, request, fault)) = self.answers.pop_first().expect("it was there a moment ago");
                self.answer(call, &request, fault);
            } else {
                self.input(Input::Tick);
            }
        }
    }

    fn pump(&mut self) {
        while let Some(output) = self.daemon.poll() {
            match output {
                Output::Call { call, at, request } => self.call(call, at, request),
                Output::Allocated { pod, eni, address, retained, .. } => {
                    self.pods.insert(pod, (eni, address));
                    let again = if retained { " again" } else { "" };
                    self.say(self.now, format_args!("p{} on {}{again}", pod.0, name(eni.id)));
                }
                Output::Failed(pod, failure) => self.say(self.now, format_args!("p{} failed: {failure:?}", pod.0)),
                Output::Released(_, eni) => self.say(self.now, format_args!("one of {} idle", name(eni))),
                Output::Heard(OwnCall::Add(pod), _) => self.say(self.now, format_args!("hears ADD of p{}", pod.0)),
                Output::Heard(OwnCall::Del(pod), _) => self.say(self.now, format_args!("hears DEL of p{}", pod.0)),
                Output::Started => self.say(self.now, format_args!("starts")),
                Output::NotStarted => self.say(self.now, format_args!("dies")),
            }
        }
    }

    fn call(&mut self, call: CallId, at: Instant, request: Request) {
        match request {
            Request::DescribeVSwitch(vswitch) => self.say(at, format_args!("look up {}", letter(vswitch))),
            Request::Create { vswitch, kind, addresses, ipv6 } => {
                let v6 = if ipv6 > 0 { format!(" and {ipv6} v6") } else { String::new() };
                let kind = match kind {
                    Kind::Trunk => " as trunk",
                    Kind::HighPerformance => " for RDMA",
                    Kind::Secondary => "",
                };
                self.say(at, format_args!("create {addresses}{v6} on {}{kind}", letter(vswitch)));
            }
            Request::Attach(eni) => self.say(at, format_args!("attach {}", name(eni))),
            Request::Describe(eni) => self.say(at, format_args!("look at {}", name(eni))),
            Request::Assign(eni, n) => self.say(at, format_args!("assign {n} to {}", name(eni))),
            Request::Unassign(eni, addresses) => {
                self.say(at, format_args!("unassign {} of {}", addresses.len(), name(eni)));
            }
            Request::AssignV6(eni, n) => self.say(at, format_args!("assign {n} v6 to {}", name(eni))),
            Request::UnassignV6(eni, addresses) => {
                self.say(at, format_args!("unassign {} v6 of {}", addresses.len(), name(eni)));
            }
            Request::Detach(eni) => self.say(at, format_args!("detach {}", name(eni))),
            Request::Delete(eni) => self.say(at, format_args!("delete {}", name(eni))),
        }
        let fault = self.faults.iter().position(|(api, _)| *api == request.api()).map(|i| self.faults.remove(i).1);
        let latency = match (fault, request.api()) {
            (Some(Fault::Slow(secs)), _) => Span::from_secs_f64(secs),
            (_, Api::DescribeVSwitches | Api::DescribeNetworkInterfaces) => Span::millis(100),
            _ => Span::millis(500),
        };
        self.calls += 1;
        self.answers.insert((at + latency, self.calls), (call, request, fault));
    }

    fn answer(&mut self, call: CallId, request: &Request, fault: Option<Fault>) {
        let request = match (fault, *request) {
            (Some(Fault::Only(addresses)), Request::Create { vswitch, kind, ipv6, .. }) => {
                Request::Create { vswitch, kind, addresses, ipv6 }
            }
            (Some(Fault::Only(n)), Request::Assign(eni, _)) => Request::Assign(eni, n),
            (_, request) => request,
        };
        let mut reply = match fault {
            Some(Fault::Refuse(code)) => Err(code),
            Some(Fault::StillThere) => Ok(Answer::Described { exists: true, in_use: false }),
            _ => self.cloud.execute(self.now, NodeId(0), &request),
        };
        match (fault, &mut reply) {
            (Some(Fault::NotInUse), Ok(Answer::Described { in_use, .. })) => *in_use = false,
            (
                Some(Fault::Unseen(secs)),
                Ok(Answer::Attached(at) | Answer::Assigned(_, at) | Answer::AssignedV6(_, at) | Answer::Unassigned(at)),
            ) => {
                *at += Span::from_secs_f64(secs);
            }
            _ => {}
        }
        if let Err(code) = reply {
            self.say(self.now, format_args!("refused: {}", code.name()));
        }
        self.input(Input::Reply(call, reply));
    }

    fn say(&mut self, at: Instant, what: std::fmt::Arguments<'_>) {
        writeln!(self.log, "{} {what}", at.as_millis() as f64 / 1e3).expect("a string takes everything");
    }
}

fn time(secs: f64) -> Instant {
    Instant::ZERO + Span::from_secs_f64(secs)
}

fn name(eni: EniId) -> String {
    format!("e{}", eni.0 + 1)
}

fn letter(vswitch: VSwitchId) -> char {
    char::from(b'A' + vswitch.0 as u8)
}

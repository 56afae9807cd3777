//! A daemon, its cloud and what happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

use brimline::chance::{SmallStream, SpanDist, stream};
use brimline::cloud::Cloud;
use brimline::id::{EniId, NodeId, PodId, VSwitchId};
use brimline::ipam::classic::{Classic, Config, Input, Output, Release, Selection, Sizes, Version, Wanted};
use brimline::ipam::{Answer, BATCH, CallId, Eni, Fate, Kind, Request};
use brimline::model::Behaviour;
use brimline::model::Quotas;
use brimline::openapi::{Api, ErrorCode};
use brimline::time::{Instant, Span};

/// The vSwitches of the stories.
pub const A: VSwitchId = VSwitchId(0);
pub const B: VSwitchId = VSwitchId(1);
const NODE: NodeId = NodeId(0);

/// A node with `slots` slots of `ips` addresses under v1.4.4, watermarks `min` and `max`, without
/// collection and client-side limits. Candidates are all vSwitches of the story, in their order.
pub fn node(slots: u32, ips: u32, min: u32, max: u32) -> Config {
    of(Version::V1_4_4, slots, ips, min, max)
}

/// The same under another version.
pub fn of(version: Version, slots: u32, ips: u32, min: u32, max: u32) -> Config {
    let wanted = Wanted { min_pool_size: min, max_pool_size: max, ..Wanted::default() };
    Config {
        sizes: Sizes::clamped(&version.profile(), slots, ips, wanted),
        vswitches: Vec::new(),
        selection: Selection::Ordered,
        cni_timeout: Span::secs(120),
        gc_period: None,
        limited: false,
        profile: version.profile(),
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
}

/// An interface that is there when the daemon starts: where, how many addresses, and pods that have
/// the first of them.
pub type There<'a> = (VSwitchId, u32, &'a [u32]);

/// A daemon with its cloud. Times are seconds since its start.
pub struct Story {
    pub daemon: Classic,
    pub cloud: Cloud,
    now: Instant,
    config: Config,
    /// Answers under way, in order of time.
    answers: BTreeMap<(Instant, u32), (CallId, Request, Option<Fault>)>,
    calls: u32,
    faults: Vec<(Api, Fault)>,
    /// Pods with an address.
    pods: BTreeMap<PodId, (EniId, Ipv4Addr)>,
    /// Touches the daemon this often though nothing happens.
    touch: Option<Span>,
    log: String,
}

impl Story {
    /// A daemon starts on an instance without interfaces; `free` = free addresses of the vSwitches.
    pub fn new(config: Config, free: &[u32]) -> Self {
        Self::with(config, free, &[])
    }

    /// A daemon starts on an instance that has interfaces, beside which so much is free.
    pub fn with(config: Config, free: &[u32], there: &[There<'_>]) -> Self {
        Self::with_chance(config, free, there, 1, false)
    }

    pub fn with_chance(mut config: Config, free: &[u32], there: &[There<'_>], seed: u64, jitter: bool) -> Self {
        if config.vswitches.is_empty() {
            config.vswitches = (0..free.len()).map(VSwitchId::new).collect();
        }
        let mut cloud = stub_cloud(free.len());
        // Room for more than the daemon's slots, so that a restart may raise them.
        cloud.start_instance(None, config.sizes.max_eni + 2, config.sizes.ips_per_eni);
        let mut bound = Vec::new();
        for &(vswitch, ips, pods) in there {
            let (eni, addresses) = attach(&mut cloud, vswitch, ips);
            bound.extend(pods.iter().zip(addresses).map(|(&pod, address)| (PodId(pod), eni, address)));
        }
        for (i, free) in free.iter().enumerate() {
            let id = VSwitchId::new(i);
            let others = cloud.usage(id).free - free;
            cloud.set_others(id, others);
        }
        let attached = cloud.attached(NODE);
        let seed = SmallStream::new(seed);
        let daemon = Classic::new(Instant::ZERO, Arc::new(config.clone()), &attached, &bound, seed, jitter);
        let mut story = Self {
            daemon,
            cloud,
            now: Instant::ZERO,
            config,
            answers: BTreeMap::new(),
            calls: 0,
            faults: Vec::new(),
            pods: bound.into_iter().map(|(pod, eni, address)| (pod, (eni, address))).collect(),
            touch: None,
            log: String::new(),
        };
        story.pump();
        story
    }

    /// Goes through all that happens in the daemon, also what has no effect.
    pub fn without_short_cuts(mut self) -> Self {
        self.daemon = self.daemon.without_short_cuts();
        self
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
        let told = self.told();
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
        self.input(Input::Allocate { pod: PodId(pod), stateful: false })
    }

    /// A pod of a StatefulSet asks for an address.
    pub fn add_stateful(&mut self, pod: u32) -> &mut Self {
        self.input(Input::Allocate { pod: PodId(pod), stateful: true })
    }

    /// A pod is deleted, wherever it is.
    pub fn del(&mut self, pod: u32) -> &mut Self {
        self.del_then(pod, Fate::Idle)
    }

    /// A pod is deleted, and its address is idle, retained or leaked.
    pub fn del_then(&mut self, pod: u32, then: Fate) -> &mut Self {
        match self.pods.remove(&PodId(pod)) {
            Some((eni, address)) => self.input(Input::Release(Release { pod: PodId(pod), eni, address, then })),
            None => self.input(Input::Cancel(PodId(pod))),
        }
    }

    /// The next call of `api` meets `fault`; several faults of an action come in turn.
    pub fn fault(&mut self, api: Api, fault: Fault) -> &mut Self {
        self.faults.push((api, fault));
        self
    }

    /// No fault is left for calls to come.
    pub fn calm_down(&mut self) -> &mut Self {
        self.faults.clear();
        self
    }

    /// A vSwitch has `free` free addresses from now on.
    pub fn free(&mut self, vswitch: VSwitchId, free: u32) -> &mut Self {
        let usage = self.cloud.usage(vswitch);
        self.cloud.set_others(vswitch, usage.others + usage.free - free);
        self
    }

    /// The daemon restarts with another configuration.
    pub fn restart(&mut self, change: impl FnOnce(&mut Config)) -> &mut Self {
        change(&mut self.config);
        let attached = self.cloud.attached(NODE);
        self.input(Input::Restart { config: Arc::new(self.config.clone()), attached })
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
        assert_eq!(self.cloud.node_enis(NODE), (enis, addresses), "interfaces and addresses");
        self
    }

    /// Free addresses of a vSwitch.
    pub fn left(&self, vswitch: VSwitchId) -> u32 {
        self.cloud.usage(vswitch).free
    }

    /// The address of a pod; `None` = it has none.
    pub fn address(&self, pod: u32) -> Option<Ipv4Addr> {
        self.pods.get(&PodId(pod)).map(|(_, address)| *address)
    }

    /// Whether a call that takes addresses away is under way.
    pub fn gives_back(&self) -> bool {
        self.answers.values().any(|(_, request, _)| matches!(request, Request::Unassign(..) | Request::Detach(_)))
    }

    pub fn now(&self) -> f64 {
        self.now.as_millis() as f64 / 1e3
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
                Output::Allocated { pod, eni: Eni { id, .. }, address, retained } => {
                    self.pods.insert(pod, (id, address));
                    let again = if retained { " again" } else { "" };
                    self.say(self.now, format_args!("p{} on {}{again}", pod.0, name(id)));
                }
                Output::Failed(pod, failure) => self.say(self.now, format_args!("p{} failed: {failure:?}", pod.0)),
                Output::Released(pod, eni) => self.say(self.now, format_args!("p{} left {}", pod.0, name(eni))),
                Output::Stuck(defect) => self.say(self.now, format_args!("stuck: {defect:?}")),
                Output::Crashed(defect) => self.say(self.now, format_args!("crashed: {defect:?}")),
            }
        }
    }

    fn call(&mut self, call: CallId, at: Instant, request: Request) {
        match request {
            Request::DescribeVSwitch(vswitch) => self.say(at, format_args!("look up {}", letter(vswitch))),
            Request::Create { vswitch, addresses, .. } => {
                self.say(at, format_args!("create {addresses} on {}", letter(vswitch)))
            }
            Request::Attach(eni) => self.say(at, format_args!("attach {}", name(eni))),
            Request::Describe(eni) => self.say(at, format_args!("look at {}", name(eni))),
            Request::Assign(eni, n) => self.say(at, format_args!("assign {n} to {}", name(eni))),
            Request::Unassign(eni, addresses) => {
                self.say(at, format_args!("unassign {} of {}", addresses.len(), name(eni)));
            }
            Request::Detach(eni) => self.say(at, format_args!("detach {}", name(eni))),
            Request::Delete(eni) => self.say(at, format_args!("delete {}", name(eni))),
            Request::AssignV6(..) | Request::UnassignV6(..) => unreachable!("the pool is IPv4 only"),
        }
        let fault = self.faults.iter().position(|(api, _)| *api == request.api()).map(|i| self.faults.remove(i).1);
        let latency = match fault {
            Some(Fault::Slow(secs)) => Span::from_secs_f64(secs),
            _ => latency(request.api()),
        };
        self.calls += 1;
        self.answers.insert((at + latency, self.calls), (call, request, fault));
    }

    fn answer(&mut self, call: CallId, request: &Request, fault: Option<Fault>) {
        let request = match (fault, *request) {
            (Some(Fault::Only(n)), Request::Create { vswitch, kind, ipv6, .. }) => {
                Request::Create { vswitch, kind, addresses: n, ipv6 }
            }
            (Some(Fault::Only(n)), Request::Assign(eni, _)) => Request::Assign(eni, n),
            (_, request) => request,
        };
        let mut reply = match fault {
            Some(Fault::Refuse(code)) => Err(code),
            _ => self.cloud.execute(self.now, NODE, &request),
        };
        match (fault, &mut reply) {
            (Some(Fault::NotInUse), Ok(Answer::Described { in_use, .. })) => *in_use = false,
            (
                Some(Fault::Unseen(secs)),
                Ok(Answer::Attached(at) | Answer::Assigned(_, at) | Answer::Unassigned(at)),
            ) => *at += Span::from_secs_f64(secs),
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

/// A cloud in which nothing happens by itself.
fn stub_cloud(vswitches: usize) -> Cloud {
    let block: ipnet::Ipv4Net = "10.0.0.0/20".parse().expect("a block");
    let behaviour = Behaviour {
        latency: Api::ALL.map(|_| SpanDist::Constant(Span::ZERO)),
        throttle: [None; Api::ALL.len()],
        metadata_lag: Span::ZERO,
        quotas: Quotas::default(),
        faults: Vec::new(),
    };
    Cloud::new((0..vswitches).map(|_| block), behaviour, stream(1, 0, "cloud"), SmallStream::new(0))
}

fn attach(cloud: &mut Cloud, vswitch: VSwitchId, ips: u32) -> (EniId, Vec<Ipv4Addr>) {
    let mut call = |request| cloud.execute(Instant::ZERO, NODE, &request).expect("there is room for it");
    let first = ips.min(BATCH as u32);
    let create = Request::Create { vswitch, kind: Kind::Secondary, addresses: first as u8, ipv6: 0 };
    let Answer::Created(eni, ..) = call(create) else { panic!("that is what was asked") };
    call(Request::Attach(eni));
    if ips > first {
        call(Request::Assign(eni, (ips - first) as u8));
    }
    (eni, cloud.attached(NODE).pop().expect("it was attached").addresses)
}

/// The latencies of the golden cases.
fn latency(api: Api) -> Span {
    Span::millis(match api {
        Api::CreateNetworkInterface => 600,
        Api::AttachNetworkInterface => 900,
        Api::DetachNetworkInterface => 700,
        Api::DeleteNetworkInterface => 500,
        Api::AssignPrivateIpAddresses | Api::AssignIpv6Addresses => 400,
        Api::UnassignPrivateIpAddresses | Api::UnassignIpv6Addresses => 300,
        Api::DescribeNetworkInterfaces => 100,
        Api::DescribeVSwitches => 80,
    })
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

//! A small world around the controllers: it counts addresses, and carries out a call at the end of
//! its latency. Latencies are about those of the golden cases of the centralized controller, such that
//! nothing happens at the instant at which somebody looks.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use brimline::chance::SmallStream;
use brimline::id::{EniId, NodeId, Uid, VSwitchId};
use brimline::ipam::centralized::{PodKey, Refusal, State};
use brimline::ipam::pod_eni::{
    AddFailure, Answer, CallId, Controller, Failure, Input, Kind, Listed, Listing, Network, Output, Place, PodSpec,
    Policy, Request, Retention, Settings,
};
use brimline::openapi::Api;
use brimline::time::{Instant, Span};

pub const NODE: NodeId = NodeId(0);
/// The trunk interface of every node; the cloud of this world knows no more of it.
pub const TRUNK: EniId = EniId(9999);

pub struct World {
    pub controller: Controller,
    pub now: Instant,
    /// Free addresses per vSwitch.
    pub free: Vec<u32>,
    pub enis: BTreeMap<EniId, Eni>,
    /// Interfaces that an instance may have beside its primary one.
    pub slots: usize,
    /// Time from the answer to an attach or detach until it shows.
    pub settles: Span,
    /// What fails, from when until when.
    pub faults: Vec<(Api, Instant, Instant, Refusal)>,
    /// Successful and refused calls.
    pub calls: BTreeMap<Api, u32>,
    /// Calls when they left.
    pub left: Vec<(Instant, Api)>,
    pub bound: BTreeMap<Uid, Instant>,
    pub added: BTreeMap<Uid, Instant>,
    pub add_failed: Vec<(Instant, Uid, AddFailure)>,
    pub failed: Vec<(Instant, PodKey, Failure)>,
    pub held: Vec<(Instant, PodKey)>,
    pub freed: Vec<(Instant, EniId)>,
    /// Addresses that the cloud took back.
    pub returned: Vec<(Instant, VSwitchId)>,
    agenda: BTreeMap<(Instant, u64), Happening>,
    added_events: u64,
    next_eni: u32,
    life: u32,
}

pub struct Eni {
    pub vswitch: VSwitchId,
    pub created: Instant,
    pub place: Option<Place>,
    state: State,
    /// What it becomes by itself, and when.
    settles: Option<(Instant, State)>,
}

impl Eni {
    pub fn state(&self, now: Instant) -> State {
        self.settles.filter(|(at, _)| *at <= now).map_or(self.state, |(_, state)| state)
    }
}

enum Happening {
    /// A call leaves, unless its process has died since.
    Leaves(u32, CallId, Request),
    Ends(CallId, Request),
}

impl World {
    /// A node, and vSwitches with so many free addresses. Jitter is off.
    pub fn new(free: &[u32]) -> Self {
        Self::with(free, Settings { jitter: false, ..Settings::default() }, 1)
    }

    pub fn with(free: &[u32], settings: Settings, seed: u64) -> Self {
        let mut world = Self {
            controller: Controller::new(settings, SmallStream::new(seed)),
            now: Instant::ZERO,
            free: free.to_vec(),
            enis: BTreeMap::new(),
            slots: 100,
            settles: Span::millis(1500),
            faults: Vec::new(),
            calls: BTreeMap::new(),
            left: Vec::new(),
            bound: BTreeMap::new(),
            added: BTreeMap::new(),
            add_failed: Vec::new(),
            failed: Vec::new(),
            held: Vec::new(),
            freed: Vec::new(),
            returned: Vec::new(),
            agenda: BTreeMap::new(),
            added_events: 0,
            next_eni: 0,
            life: 0,
        };
        world.tell(Input::Join(NODE));
        world
    }

    /// Lets everything happen until then, in seconds.
    pub fn run(&mut self, until_secs: f64) {
        self.run_until(at(until_secs));
    }

    pub fn run_until(&mut self, until: Instant) {
        loop {
            let next = self.agenda.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at);
            let now = next.min(self.controller.poll_timeout());
            if now > until {
                break;
            }
            self.now = now;
            if next > now {
                self.tell(Input::Tick);
                continue;
            }
            match self.agenda.pop_first().expect("it was looked at").1 {
                Happening::Leaves(life, call, request) if life == self.life => {
                    self.left.push((now, request.api()));
                    self.schedule(now + latency(&request), Happening::Ends(call, request));
                }
                Happening::Leaves(..) => {}
                Happening::Ends(call, request) => {
                    let reply = self.carry_out(request);
                    self.tell(Input::Reply(call, reply));
                }
            }
        }
        self.now = until;
    }

    /// A pod is scheduled, and the kubelet calls ADD at once.
    pub fn pod(&mut self, node: NodeId, key: u32, uid: u32, spec: &Arc<PodSpec>) {
        let (pod, uid) = (PodKey(key), Uid(uid));
        self.tell(Input::Scheduled { node, pod, uid, spec: Arc::clone(spec) });
        self.tell(Input::Add { pod, uid, came: self.now, polls: false });
    }

    /// The same, of a daemon that allocates itself.
    pub fn polled(&mut self, node: NodeId, key: u32, uid: u32, spec: &Arc<PodSpec>) {
        let (pod, uid) = (PodKey(key), Uid(uid));
        self.tell(Input::Scheduled { node, pod, uid, spec: Arc::clone(spec) });
        self.tell(Input::Add { pod, uid, came: self.now, polls: true });
    }

    pub fn gone(&mut self, key: u32) {
        self.tell(Input::CancelAdd(PodKey(key)));
        self.tell(Input::Gone(PodKey(key)));
    }

    pub fn restart(&mut self) {
        self.life += 1;
        self.tell(Input::Restart);
    }

    pub fn tell(&mut self, input: Input) {
        self.controller.handle(self.now, input);
        while let Some(output) = self.controller.poll() {
            let now = self.now;
            match output {
                Output::Call { call, at, request } => self.schedule(at, Happening::Leaves(self.life, call, request)),
                Output::Bound { uid, interfaces, .. } => {
                    for given in interfaces {
                        assert_eq!(self.enis[&given.eni].state(now), State::InUse, "what is bound is attached");
                    }
                    self.bound.insert(uid, now);
                }
                Output::Held(pod) => self.held.push((now, pod)),
                Output::Freed(eni) => self.freed.push((now, eni)),
                Output::Failed { pod, why } => self.failed.push((now, pod, why)),
                Output::Added { uid, .. } => _ = self.added.insert(uid, now),
                Output::AddFailed { uid, why, .. } => self.add_failed.push((now, uid, why)),
            }
        }
    }

    /// Every address is free or an interface's, and no two interfaces are at one place too many.
    pub fn taken(&self) -> u32 {
        self.enis.len() as u32
    }

    /// Interfaces that take a place of an instance.
    pub fn on_instance(&self, node: NodeId) -> usize {
        self.enis.values().filter(|eni| eni.place == Some(Place { node, trunk: None })).count()
    }

    fn carry_out(&mut self, request: Request) -> Result<Answer, Refusal> {
        let (now, api) = (self.now, request.api());
        *self.calls.entry(api).or_default() += 1;
        if let Some((.., refusal)) = self.faults.iter().find(|(a, from, to, _)| *a == api && *from <= now && now < *to)
        {
            return Err(*refusal);
        }
        match request {
            Request::DescribeVSwitch(vswitch) => Ok(Answer::VSwitch(self.free[vswitch.index()])),
            Request::Create { vswitch, .. } => self.create(vswitch),
            Request::Attach(eni, place) => self.attach(eni, place),
            Request::Describe(eni) => Ok(Answer::Described(self.enis.get(&eni).map(|eni| eni.state(now)))),
            Request::Detach(eni, _) => {
                let settles = now + self.settles;
                let eni = self.enis.get_mut(&eni).ok_or(Refusal::NotFound)?;
                if matches!(eni.state(now), State::InUse | State::Attaching) {
                    (eni.state, eni.settles, eni.place) = (State::Detaching, Some((settles, State::Available)), None);
                }
                Ok(Answer::Done)
            }
            Request::Delete(id) => {
                let eni = self.enis.get(&id).ok_or(Refusal::NotFound)?;
                if eni.state(now) != State::Available {
                    return Err(Refusal::Other);
                }
                self.free[eni.vswitch.index()] += 1;
                self.returned.push((now, eni.vswitch));
                self.enis.remove(&id);
                Ok(Answer::Done)
            }
            Request::List(listing) => Ok(Answer::Listed(self.list(listing))),
        }
    }

    fn create(&mut self, vswitch: VSwitchId) -> Result<Answer, Refusal> {
        let free = &mut self.free[vswitch.index()];
        *free = free.checked_sub(1).ok_or(Refusal::IpNotEnough)?;
        let eni = EniId(self.next_eni);
        self.next_eni += 1;
        let (created, state) = (self.now, State::Available);
        self.enis.insert(eni, Eni { vswitch, created, place: None, state, settles: None });
        Ok(Answer::Created { eni, address: Ipv4Addr::from(eni.0), ipv6: None })
    }

    fn attach(&mut self, id: EniId, place: Place) -> Result<Answer, Refusal> {
        let (now, settles, slots) = (self.now, self.now + self.settles, self.slots);
        let full = place.trunk.is_none() && self.on_instance(place.node) >= slots;
        let eni = self.enis.get_mut(&id).ok_or(Refusal::NotFound)?;
        if eni.state(now) != State::Available {
            return Err(Refusal::Other);
        }
        if full {
            return Err(Refusal::Full);
        }
        (eni.state, eni.settles, eni.place) = (State::Attaching, Some((settles, State::InUse)), Some(place));
        Ok(Answer::Done)
    }

    fn list(&self, listing: Listing) -> Vec<Listed> {
        let wanted = |eni: &Eni| match listing {
            Listing::Available => eni.state(self.now) == State::Available,
            Listing::Members => {
                eni.state(self.now) == State::InUse && eni.place.is_some_and(|place| place.trunk.is_some())
            }
        };
        let found = self.enis.iter().filter(|(_, eni)| wanted(eni));
        found.map(|(&eni, found)| Listed { eni, created: found.created, place: found.place }).collect()
    }

    fn schedule(&mut self, at: Instant, happening: Happening) {
        self.agenda.insert((at, self.added_events), happening);
        self.added_events += 1;
    }
}

fn latency(request: &Request) -> Span {
    Span::millis(match request {
        Request::DescribeVSwitch(_) => 80,
        Request::Create { .. } => 600,
        Request::Attach(..) => 800,
        Request::Describe(_) | Request::List(_) => 100,
        Request::Detach(..) => 700,
        Request::Delete(_) => 500,
    })
}

/// An elastic pod on a node with exclusive interfaces, with these candidates.
pub fn elastic(candidates: &[u32]) -> Arc<PodSpec> {
    spec(Kind::Exclusive, candidates, None)
}

pub fn spec(kind: Kind, candidates: &[u32], fixed: Option<Retention>) -> Arc<PodSpec> {
    let candidates = candidates.iter().copied().map(VSwitchId).collect();
    Arc::new(PodSpec { kind, networks: vec![Network { candidates, policy: Policy::Ordered }], fixed })
}

pub fn at(secs: f64) -> Instant {
    Instant::ZERO + Span::from_secs_f64(secs)
}

/// Seconds of a time.
pub fn secs(time: Instant) -> f64 {
    time.since(Instant::ZERO).as_secs_f64()
}

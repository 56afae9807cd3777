//! The part of the world that every kind of run shares: nodes with their daemons, the cloud they
//! call, and pods that ask for addresses, with the kubelet's retries.
//!
//! What pods there are, and where, is decided above: by the [`world`](super::world) or by the
//! script of a conformance case.

mod account;
mod add;
mod ahead;
mod alarm;
mod audit;
mod calls;
mod classic;
mod daemon;
mod devices;
mod event;
mod kubelet;
mod look;
mod observer;
mod own_eni;
mod plane;
mod pods;
mod power;
mod restart;
mod trunk;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::event_list::EventList;
use rand::SeedableRng;

use crate::chance::{SmallStream, SpanDist, Stream};
use crate::cloud::Cloud;
use crate::id::{EniId, NodeId, PodId, Uid, VSwitchId};
use crate::ipam::centralized::{self, NodeConfig, PodKey};
use crate::ipam::classic::{Classic, Defect};
use crate::ipam::kube_client::Requests;
use crate::ipam::node_local::NodeLocal;
use crate::ipam::pod_eni;
use crate::ipam::{Config, Devices, Input, Output, Release};
use crate::time::{Instant, Span};
use add::Next;
pub use ahead::Ahead;
use calls::Call;
use daemon::{Daemon, Exclusive};
use event::Event;
pub use look::Record;
pub use observer::{Answered, Observer};
use own_eni::OwnEnis;
use plane::Plane;
pub use pods::Wants;

/// What the layer above has to deal with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A pod has its address.
    Served(PodId),
    /// What a node offers to pods that ask for it has changed: see [`Engine::devices`].
    Offers(NodeId),
    /// A daemon that had to make its trunk first can be called from now on (rule R36).
    Started(NodeId),
    /// It could not make it, and has died; [`Engine::restart_daemon`] starts it again (rule R36).
    NotStarted(NodeId),
    /// A pod's timer, set with [`Engine::set_timer`], is due.
    Timer(PodId),
    /// An event of the layer above, set with [`Engine::control_at`], is due.
    Control(u32),
    /// The daemon of a node has died of itself; [`Engine::restart_daemon`] starts it again.
    Crashed(NodeId, Defect),
    /// A part of the daemon of a node waits for ever from now on.
    Stuck(NodeId, Defect),
}

impl Happening {
    /// Whether it is that the daemon of `node` has died.
    fn is_death_of(&self, node: NodeId) -> bool {
        matches!(*self, Self::Crashed(id, _) | Self::NotStarted(id) if id == node)
    }
}

/// Where a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodState {
    /// Its place is free for another pod, or kept for its identity.
    Gone,
    /// It has no node yet.
    Pending,
    /// It is deleted and its address is not given back yet: the daemon is busy (rule R125), or
    /// its node is down.
    Leaving,
    /// It has been scheduled and has no address yet.
    Waiting,
    /// It has its address, and the daemon has yet to say so: its client of the API server waits (rule R114).
    Answering,
    /// It has its address.
    Running,
}

impl PodState {
    /// Whether the daemon has an address for it, answered or not.
    #[must_use]
    pub fn has_address(self) -> bool {
        matches!(self, Self::Answering | Self::Running)
    }

    /// Whether it has asked, and has no answer yet.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::Waiting | Self::Answering)
    }
}

/// A pod that wants an address of its own. It is in one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Pod {
    /// Its node.
    pub node: NodeId,
    /// A number of the layer above: its workload.
    pub owner: u32,
    /// Its name, which a pod whose identity outlives it keeps.
    key: PodKey,
    /// Which pod object of that name.
    uid: Uid,
    /// Whether it asks for RDMA.
    pub erdma: bool,
    /// Where it is.
    pub state: PodState,
    /// It has an interface of its own, or asks for one.
    pub has_own_eni: bool,
    /// Whether its address was kept for it.
    retained: bool,
    /// When it was scheduled.
    pub requested: Instant,
    /// When its latest CNI ADD began.
    pub tried: Instant,
    /// When it got its address, if it runs; before the answer, when the daemon had it.
    pub served: Instant,
    eni: EniId,
    /// Its vSwitch, if it runs.
    pub vswitch: VSwitchId,
    /// Its address, if it runs.
    pub address: Ipv4Addr,
    /// Time of its only live [`Event::Timer`]; others are stale.
    timer: Instant,
}

const _: () = assert!(size_of::<Pod>() == 64, "a pod is in one cache line");

/// A node with its daemon and its kubelet.
///
/// What goes on inside a node has no event of its own: [`Engine::touch`] makes it happen when the
/// node's [`Event::Wake`] is due or somebody else has to do with the node. A *barren* node, in
/// which requests fail and are made again without anything else coming of it, is left alone for
/// as long as that lasts.
///
/// What every pod looks at comes first.
#[derive(Debug)]
#[repr(C, align(64))]
struct Node {
    /// Time of the only live [`Event::Wake`]; others are stale.
    armed: Instant,
    power: Power,
    /// What the kubelet, or a request to the API server, does next for pods without an answer.
    next: Vec<Next>,
    daemon: Daemon,
    kubelet: Stream,
    /// Its trunk, once that is in use.
    trunk: Option<EniId>,
    /// What it offers to pods that ask for it.
    devices: Devices,
    /// Interfaces of their own that pods have taken, each with its address.
    own_enis: Vec<own_eni::OwnEni>,
    /// Addresses of pods that were deleted while the node was down.
    unreleased: Vec<Release>,
    /// An eni-config that its daemon has not filled in yet.
    edited: Option<Arc<NodeConfig>>,
    /// What its daemon asks the API server for.
    requests: Requests,
}

const _: () = assert!(size_of::<Node>() == 192, "a node is in three cache lines, its daemon apart");

/// Whether a node works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    Up,
    /// The kubelet goes on, the daemon makes its trunk, or waits for it, and does not listen yet (rules R36, C143).
    Starting,
    /// The kubelet goes on, the daemon does not.
    DaemonDown,
    /// Neither daemon nor kubelet runs; the cloud goes on.
    Down,
    /// Its instance is gone; nothing of it counts any more.
    Released,
}

impl Power {
    /// Whether the daemon's process runs, whether it listens or not.
    fn runs(self) -> bool {
        matches!(self, Self::Up | Self::Starting)
    }
}

/// The world below the cluster.
#[derive(Debug)]
pub struct Engine<O> {
    /// Who is told.
    pub observer: O,
    /// The cloud.
    pub cloud: Cloud,
    events: EventList,
    /// Events of this instant that have not happened yet.
    instant: VecDeque<Event>,
    /// Of the events that come next so many have been read ahead for.
    ahead: usize,
    /// Chance that orders simultaneous answers.
    ties: SmallStream,
    nodes: Vec<Node>,
    pods: Vec<Pod>,
    free_pods: Vec<PodId>,
    calls: Vec<Call>,
    free_calls: Vec<u32>,
    sandbox_retry: SpanDist,
    kubelet: Stream,
    /// What the layer above is told next.
    happened: VecDeque<Happening>,
    /// Who allocates, if the daemons do not.
    plane: Option<Box<Plane>>,
    /// Who gives pods interfaces of their own, if any node has such pods.
    own: Option<Box<OwnEnis>>,
    /// Pod objects so far.
    objects: u32,
    now: Instant,
    processed: u64,
}

impl<O: Observer> Engine<O> {
    /// An empty world at time zero.
    #[must_use]
    pub fn new(observer: O, cloud: Cloud, sandbox_retry: SpanDist, mut kubelet: Stream) -> Self {
        let ties = SmallStream::split(&mut kubelet);
        Self {
            observer,
            cloud,
            events: EventList::new(),
            instant: VecDeque::new(),
            ahead: 0,
            ties,
            nodes: Vec::new(),
            pods: Vec::new(),
            free_pods: Vec::new(),
            calls: Vec::new(),
            free_calls: Vec::new(),
            sandbox_retry,
            kubelet,
            happened: VecDeque::new(),
            plane: None,
            own: None,
            objects: 0,
            now: Instant::ZERO,
            processed: 0,
        }
    }

    /// The time of the last event.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Events so far.
    #[must_use]
    pub fn processed(&self) -> u64 {
        self.processed
    }

    /// Sets an event of the layer above; `what` has at most 28 bits.
    pub fn control_at(&mut self, at: Instant, what: u32) {
        self.events.push(at, Event::Control(what).pack());
    }

    /// Starts the daemon of an instance that the cloud has started; it finds what is attached.
    pub fn start_daemon(&mut self, node: NodeId, config: &Config, mut seed: SmallStream, jitter: bool) {
        assert_eq!(node.index(), self.nodes.len(), "the cloud numbers its instances as the engine its nodes");
        let daemon = match config {
            Config::NodeLocal(config) => {
                let attached = self.cloud.attached(node);
                let config = Arc::clone(config);
                Daemon::NodeLocal(Box::new(NodeLocal::with_attached(self.now, config, &attached, seed, jitter)))
            }
            Config::Classic(config) => {
                Daemon::Classic(Box::new(Classic::new(self.now, Arc::clone(config), &[], &[], seed, jitter)))
            }
            Config::Centralized(config) if config.prefix_mode => {
                Daemon::Prefixes(Box::new(centralized::PrefixDaemon::new(self.now, config.both_or_none, seed)))
            }
            Config::Centralized(_) => Daemon::Centralized(Box::new(centralized::Daemon::new(self.now, &mut seed))),
            Config::Exclusive(config) => Daemon::Exclusive(Box::new(Exclusive {
                config: Arc::clone(config),
                service: centralized::Daemon::new(self.now, &mut seed),
            })),
        };
        let kubelet = Stream::from_rng(&mut self.kubelet);
        self.nodes.push(Node {
            daemon,
            next: Vec::new(),
            kubelet,
            armed: Instant::NEVER,
            power: Power::Up,
            trunk: None,
            devices: Devices::default(),
            own_enis: Vec::new(),
            unreleased: Vec::new(),
            edited: None,
            requests: Requests::new(config.kube_client()),
        });
        match config {
            Config::NodeLocal(_) | Config::Classic(_) | Config::Exclusive(_) => {}
            Config::Centralized(config) => self.join(node, config),
        }
        if self.own.is_some() {
            self.own_control(pod_eni::Input::Join(node));
        }
        self.looks_whether_up(node);
        self.pump(node, self.now);
        self.arm(node);
    }

    /// A pod.
    #[must_use]
    pub fn pod(&self, pod: PodId) -> &Pod {
        &self.pods[pod.index()]
    }

    /// Every slot for a pod, those of pods that are gone included.
    #[must_use]
    pub fn pods(&self) -> &[Pod] {
        &self.pods
    }

    /// The time of the next event, some of which turn out to be nothing.
    #[must_use]
    pub fn next_time(&mut self) -> Option<Instant> {
        if self.instant.is_empty() { self.events.peek_time() } else { Some(self.now) }
    }

    /// The next happening not later than `until`, with its time; `None` = there is none and it
    /// is `until` now.
    pub fn step(&mut self, until: Instant) -> Option<Happening> {
        self.give_accounts();
        loop {
            if let Some(happening) = self.happened.pop_front() {
                return Some(happening);
            }
            let Some(event) = self.next_event(until) else {
                self.now = until;
                return None;
            };
            match event {
                Event::Control(what) => {
                    self.processed += 1;
                    return Some(Happening::Control(what));
                }
                Event::Timer(pod) if self.pods[pod.index()].timer == self.now => {
                    self.pods[pod.index()].timer = Instant::NEVER;
                    self.processed += 1;
                    return Some(Happening::Timer(pod));
                }
                // Stale.
                Event::Timer(_) => {}
                event => self.happen(event),
            }
        }
    }

    /// What is not of the layer above happens. Not inlined: nearly all events are.
    #[inline(never)]
    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake(node) if self.nodes[node.index()].armed == self.now => {
                self.nodes[node.index()].armed = Instant::NEVER;
                self.touch(node);
                self.arm(node);
            }
            // Stale.
            Event::Wake(_) => {}
            Event::Answer(call) => {
                self.processed += 1;
                self.answer(call);
            }
            Event::Plane => self.plane_due(),
            Event::PlaneEnds(what) => {
                self.processed += 1;
                self.plane_ends(what);
            }
            Event::Own => self.own_due(),
            Event::OwnEnds(call) => {
                self.processed += 1;
                self.own_ends(call);
            }
            Event::Control(_) | Event::Timer(_) => unreachable!("the layer above hears of it"),
        }
    }

    /// The next event not later than `until`, at which it is now. What happens at the same
    /// instant happens in the order of its making, but for the cloud's answers: which of several
    /// comes first is chance, so that no node wins every race for a vSwitch's last addresses.
    fn next_event(&mut self, until: Instant) -> Option<Event> {
        if let Some(event) = self.instant.pop_front() {
            return Some(event);
        }
        let (at, first) = self.events.pop_by(until)?;
        assert!(at >= self.now, "time does not run backwards");
        self.now = at;
        self.ahead = self.ahead.saturating_sub(1);
        match self.events.pop_at(at) {
            None => Some(Event::unpack(first)),
            Some(second) => self.first_of_several(first, second),
        }
    }

    /// Two events of this instant were taken, and there may be more.
    #[inline(never)]
    fn first_of_several(&mut self, first: u32, second: u32) -> Option<Event> {
        self.instant.extend([first, second].map(Event::unpack));
        while let Some(event) = self.events.pop_at(self.now) {
            self.instant.push_back(Event::unpack(event));
        }
        self.shuffle_answers();
        self.instant.pop_front()
    }

    fn shuffle_answers(&mut self) {
        let is_answer =
            |&i: &usize| matches!(self.instant[i], Event::Answer(_) | Event::PlaneEnds(_) | Event::OwnEnds(_));
        let answers: Vec<_> = (0..self.instant.len()).filter(is_answer).collect();
        for k in (1..answers.len()).rev() {
            self.instant.swap(answers[k], answers[self.ties.below(k as u32 + 1) as usize]);
        }
    }

    /// Hands an input to a daemon that allocates, and carries out what it does; nobody hears it on a
    /// node that does not work. The node has been touched.
    fn input(&mut self, node: NodeId, input: Input) {
        let state = &mut self.nodes[node.index()];
        if !state.power.runs() {
            return;
        }
        debug_assert!(state.due().0 > self.now, "what is due happens before");
        match &mut state.daemon {
            Daemon::NodeLocal(daemon) => daemon.handle(self.now, input),
            Daemon::Classic(daemon) => daemon.handle(self.now, classic::input(input)),
            Daemon::Centralized(_) | Daemon::Prefixes(_) | Daemon::Exclusive(_) => {
                unreachable!("the control plane allocates for it")
            }
        }
        self.pump(node, self.now);
        self.arm(node);
    }

    /// Lets happen inside a node what is due by now: the daemon's timers and the kubelet's
    /// retries, in order of time, each at its own time.
    #[inline]
    fn touch(&mut self, node: NodeId) {
        if self.nodes[node.index()].due().0 <= self.now {
            self.catch_up(node);
        }
    }

    #[inline(never)]
    fn catch_up(&mut self, node: NodeId) {
        while matches!(self.nodes[node.index()].power, Power::Up | Power::Starting | Power::DaemonDown) {
            let state = &mut self.nodes[node.index()];
            let (at, next) = state.due();
            if at > self.now {
                return;
            }
            self.processed += 1;
            let next = next.map(|i| state.next.remove(i));
            match next {
                Some(next) if !self.goes_on(node, next) => continue,
                Some(Next { pod, .. }) if self.pods[pod.index()].has_own_eni => {
                    self.own_add(node, pod);
                    continue;
                }
                Some(Next { pod, .. }) => self.nodes[node.index()].daemon.ask(at, pod, &self.pods[pod.index()]),
                None => self.nodes[node.index()].daemon.tick(at),
            }
            self.pump(node, at);
        }
    }

    /// Lets happen inside every node what is due by now. A node that has an event at this instant is
    /// left to that: which of several nodes calls the cloud first, and so which latency each call
    /// draws, is for the order of events to say.
    pub fn settle(&mut self) {
        self.give_accounts();
        for node in (0..self.nodes.len()).map(NodeId::new) {
            if self.nodes[node.index()].armed > self.now {
                self.touch(node);
            }
        }
    }

    /// Carries out what a daemon did at `at`.
    fn pump(&mut self, node: NodeId, at: Instant) {
        let mut heard = Vec::new();
        loop {
            let output = match &mut self.nodes[node.index()].daemon {
                Daemon::NodeLocal(daemon) => daemon.poll(),
                Daemon::Classic(_) => return self.pump_classic(node, at),
                Daemon::Centralized(_) | Daemon::Prefixes(_) | Daemon::Exclusive(_) => {
                    return self.pump_centralized(node);
                }
            };
            let Some(output) = output else { break };
            assert!(at == self.now || matches!(output, Output::Failed(..)), "{output:?} was to be seen at its time");
            match output {
                Output::Call { call, at, request } => self.call(node, call, at, request),
                Output::Allocated { pod, eni, address, retained, .. } => self.allocated(pod, eni.id, address, retained),
                Output::Failed(pod, failure) => self.retry(node, at, pod, failure),
                Output::Released(pod, eni) => {
                    self.unbound(eni);
                    self.left(pod);
                }
                Output::Heard(call, came) => heard.push((call, came)),
                Output::Started => self.daemon_started(node),
                Output::NotStarted => self.daemon_not_started(node),
            }
        }
        heard.into_iter().for_each(|(call, came)| self.own_heard(node, call, came));
    }

    /// Sets the event at which a node has to be looked at again.
    #[inline]
    fn arm(&mut self, node: NodeId) {
        let state = &self.nodes[node.index()];
        let due = state.due().0;
        if due < state.armed {
            self.arm_for(node, due);
        }
    }

    /// As [`arm`](Self::arm), for what is due inside a node; nothing happens inside one that is down.
    fn arm_for(&mut self, node: NodeId, due: Instant) {
        let state = &self.nodes[node.index()];
        if matches!(state.power, Power::Down | Power::Released) {
            return;
        }
        let barren = state.daemon.barren_through(self.now).filter(|_| !self.others_decide(node));
        let wake = barren.map_or(due, |through| through + Span(1));
        let state = &mut self.nodes[node.index()];
        if wake < state.armed {
            state.armed = wake.max(self.now);
            self.events.push(state.armed, Event::Wake(node).pack());
        }
    }

    /// The daemon has an address for a pod.
    fn allocated(&mut self, id: PodId, eni: EniId, address: Ipv4Addr, retained: bool) {
        let vswitch = self.cloud.vswitch_of(eni).expect("an address belongs to an interface");
        let pod = &mut self.pods[id.index()];
        (pod.state, pod.served) = (PodState::Answering, self.now);
        (pod.eni, pod.vswitch, pod.address, pod.retained) = (eni, vswitch, address, retained);
        if !retained {
            self.bound(eni);
        }
        self.has_address(id);
    }

    /// An address is in use.
    fn bound(&mut self, eni: EniId) {
        let vswitch = self.cloud.vswitch_of(eni).expect("an address belongs to an interface");
        self.observer.bound(self.now, vswitch);
    }

    /// An address is idle again.
    fn unbound(&mut self, eni: EniId) {
        let vswitch = self.cloud.vswitch_of(eni).expect("an address belongs to an interface");
        self.observer.unbound(self.now, vswitch);
    }
}

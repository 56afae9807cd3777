//! Pods with an interface of their own: the control plane's controllers `pod`, `pod-eni` and `eni`
//! for nodes with exclusive interfaces and for members of a trunk (rules C144 to C156; upstream's
//! `pkg/controller/pod`, `pkg/controller/pod-eni`, `pkg/controller/eni`).
//!
//! `pod` creates a pod's interfaces and its PodENI (`create.rs`), `pod-eni` has them attached,
//! detached or deleted and waits for it (`bind.rs`), `eni` does it, one interface at a time
//! (`interface.rs`). They speak through the API server's objects only.
//!
//! # Contract
//! As [`ipam`](crate::ipam): time, chance and I/O are inputs; drain [`Controller::poll`] before the
//! next [`Controller::handle`]. One controller serves all nodes of a cluster. The API server is
//! within: writes take no time, and whoever watches an object hears of it at once. A [`PodKey`] is
//! the name of a pod in the cluster: a pod with a fixed address comes back under its name, on
//! another node too.

mod bind;
mod call;
mod config;
mod create;
mod daemon;
mod interface;
mod queue;
mod resource;
mod sweep;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub use call::{Answer, CallId, Listed, Listing, Request};
pub use config::{Kind, Network, NodeConfig, PodSpec, Policy, Retention, Settings};
pub use daemon::AddFailure;
pub use resource::{Given, NetworkInterface, Phase, Place, PodEni};

use crate::chance::SmallStream;
use crate::id::{EniId, NodeId, Uid, VSwitchId};
use crate::ipam::centralized::vswitches::VSwitches;
use crate::ipam::centralized::{PodKey, Refusal};
use crate::openapi::Api;
use crate::time::{Instant, Span};
use bind::BindRun;
use call::{Caller, Client};
use create::Creation;
use daemon::Waiting;
use interface::InterfaceRun;
use queue::Queue;
use resource::Pod;
use sweep::Sweep;

/// Whoever waits until the informer shows a write looks at once, when it does not yet, and then
/// every 500 ms (`pkg/controller/common/eni.go:247-300`).
const CACHE_SHOWS: Span = Span::millis(500);

/// What happens to the controllers.
#[derive(Debug, Clone)]
pub enum Input {
    /// A k8s Node is there.
    Join(NodeId),
    /// A k8s Node is deleted.
    Leave(NodeId),
    /// The node's trunk interface is in use, or no longer (C145).
    Trunk(NodeId, Option<EniId>),
    /// A pod comes again under its name, and has no node yet: no more is seen of it than that it is there (C153).
    Recreated(PodKey),
    /// A pod is scheduled to a node.
    Scheduled {
        /// Where.
        node: NodeId,
        /// Its name.
        pod: PodKey,
        /// Which pod of that name.
        uid: Uid,
        /// What it asks for.
        spec: Arc<PodSpec>,
    },
    /// A pod is told to end: nothing is created for it any more (C151).
    Terminating(PodKey),
    /// A pod object is gone, or its containers have ended for good (C151).
    Gone(PodKey),
    /// CNI ADD of a pod (C156).
    Add {
        /// Its name.
        pod: PodKey,
        /// Which pod of that name.
        uid: Uid,
        /// When it was made; its daemon may have heard of it later (R125).
        came: Instant,
        /// Whether the daemon looks at the PodENI again and again, as one that allocates itself does; that
        /// of centralized IPAM is told.
        polls: bool,
    },
    /// The caller of a pending [`Input::Add`] went away.
    CancelAdd(PodKey),
    /// The answer to a call.
    Reply(CallId, Result<Answer, Refusal>),
    /// Another controller of the process makes a call of this action, under the limit that it shares (C157).
    Took(Api),
    /// Another controller of the process learned the free count of a vSwitch, or blocked it with 0, and
    /// through when that holds: they share a cache (C74, C81).
    Counted(VSwitchId, u32, Instant),
    /// The process dies and another one starts, with empty memory (C4). The daemons go on.
    Restart,
    /// Nothing but time passing.
    Tick,
}

/// What the controllers do, and the daemons.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// It calls the API; `at` is not earlier than now (client-side limit, C157).
    Call {
        /// Names the call in its answer.
        call: CallId,
        /// When the call leaves.
        at: Instant,
        /// What it asks for.
        request: Request,
    },
    /// The interfaces of a pod are attached.
    Bound {
        /// The pod.
        pod: PodKey,
        /// Which pod of that name.
        uid: Uid,
        /// Its interfaces.
        interfaces: Vec<Given>,
    },
    /// The interfaces of a pod with fixed addresses are detached and kept (C152).
    Held(PodKey),
    /// An interface is deleted: its addresses are free.
    Freed(EniId),
    /// Something that is tried again did not work.
    Failed {
        /// For which pod.
        pod: PodKey,
        /// Why.
        why: Failure,
    },
    /// CNI ADD of a pod is answered.
    Added {
        /// The pod.
        pod: PodKey,
        /// Which pod of that name.
        uid: Uid,
    },
    /// CNI ADD of a pod failed; the kubelet tries again later.
    AddFailed {
        /// The pod.
        pod: PodKey,
        /// Which pod of that name.
        uid: Uid,
        /// Why.
        why: AddFailure,
    },
}

/// Why a step of a pod's life did not work. All are tried again (C149).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No candidate has an address left, as far as the cache knows.
    NoVSwitch,
    /// The cloud refused to create an interface; without a reason once its retries are used up.
    Create(Option<Refusal>),
    /// The cloud refused to attach an interface.
    Attach(Refusal),
    /// The cloud refused to detach an interface.
    Detach(Refusal),
    /// The cloud refused to delete an interface; `None` = it is still there 6 s later.
    Delete(Option<Refusal>),
    /// There is no such node, or no such pod any more.
    Gone,
    /// The node has no trunk interface in use yet (C145).
    NoTrunk,
    /// The pod's interfaces are not in the state that this needs, or did not get there in time.
    NotReady,
    /// Somebody else has changed the object meanwhile.
    Conflict,
}

/// The three controllers with the API server's objects. Drain [`poll`](Self::poll) before the next
/// [`handle`](Self::handle).
#[derive(Debug)]
pub struct Controller {
    settings: Settings,
    /// Shuffles and jitter.
    chance: SmallStream,
    // The API server.
    /// Nodes, with their trunk interfaces in use.
    nodes: BTreeMap<NodeId, Option<EniId>>,
    pods: BTreeMap<PodKey, Pod>,
    /// Pods that came again and have no node yet.
    unscheduled: BTreeSet<PodKey>,
    pod_enis: BTreeMap<PodKey, PodEni>,
    interfaces: BTreeMap<EniId, NetworkInterface>,
    // The process.
    pod_queue: Queue<PodKey>,
    pod_eni_queue: Queue<PodKey>,
    eni_queue: Queue<EniId>,
    creations: BTreeMap<PodKey, Creation>,
    bind_runs: BTreeMap<PodKey, BindRun>,
    interface_runs: BTreeMap<EniId, InterfaceRun>,
    /// How patient `eni` has been with each interface: when it looks next, and steps so far.
    patience: BTreeMap<EniId, (Instant, u8)>,
    sweep: Option<Sweep>,
    vswitches: VSwitches<PodKey>,
    client: Client,
    timers: BTreeSet<(Instant, u64, Timer)>,
    next_timer: u64,
    // The daemons.
    waiting: Waiting,
    outputs: VecDeque<Output>,
    now: Instant,
}

/// Who is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The creation of a pod's n-th interface, or of its PodENI.
    Creation(PodKey, usize),
    /// The wait for a pod's n-th interface.
    Bind(PodKey, usize),
    /// The run of an interface.
    Interface(EniId),
    /// The sweep of PodENIs (C151, C153).
    PodEnis,
    /// The sweep for leaks (C150).
    Leaks,
}

impl Controller {
    /// Controllers without nodes. All their chance comes from `chance`.
    #[must_use]
    pub fn new(settings: Settings, chance: SmallStream) -> Self {
        let mut controller = Self {
            chance,
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
            unscheduled: BTreeSet::new(),
            pod_enis: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            pod_queue: Queue::new(settings.pod_workers),
            pod_eni_queue: Queue::new(settings.pod_eni_workers),
            eni_queue: Queue::new(settings.eni_workers),
            creations: BTreeMap::new(),
            bind_runs: BTreeMap::new(),
            interface_runs: BTreeMap::new(),
            patience: BTreeMap::new(),
            sweep: None,
            vswitches: VSwitches::default(),
            client: Client::new(&settings),
            timers: BTreeSet::new(),
            next_timer: 0,
            waiting: Waiting::new(chance),
            outputs: VecDeque::new(),
            now: Instant::ZERO,
            settings,
        };
        controller.start_sweeps(Instant::ZERO);
        controller
    }

    /// Takes in what happens at `now`, which never decreases.
    pub fn handle(&mut self, now: Instant, input: Input) {
        debug_assert!(self.now <= now && self.outputs.is_empty(), "drain `poll` first; time never decreases");
        self.now = now;
        self.take_in(now, input);
        self.wake(now);
        self.work(now);
        self.carry_out_adds(now);
    }

    /// What they do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When they want [`Input::Tick`]; never = [`Instant::NEVER`].
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let timer = self.timers.first().map_or(Instant::NEVER, |&(at, ..)| at);
        let pods = self.pod_queue.next_ready(self.now).min(self.pod_eni_queue.next_ready(self.now));
        timer.min(pods).min(self.eni_queue.next_ready(self.now)).min(self.waiting.next_due())
    }

    /// The PodENIs by name of their pods.
    #[must_use]
    pub fn pod_enis(&self) -> &BTreeMap<PodKey, PodEni> {
        &self.pod_enis
    }

    /// The NetworkInterfaces: what the controllers know of in the cloud.
    #[must_use]
    pub fn interfaces(&self) -> &BTreeMap<EniId, NetworkInterface> {
        &self.interfaces
    }

    /// What a pod object asks for.
    #[must_use]
    pub fn spec(&self, pod: PodKey) -> Option<&PodSpec> {
        self.pods.get(&pod).map(|pod| &*pod.spec)
    }

    /// The first interface that is kept for the name of a pod, whether a pod has it or not; `None` = no
    /// fixed address is.
    #[must_use]
    pub fn kept(&self, pod: PodKey) -> Option<EniId> {
        let pod_eni = self.pod_enis.get(&pod).filter(|pod_eni| pod_eni.fixed.is_some() && !pod_eni.deleting)?;
        pod_eni.interfaces.first().copied()
    }

    /// Whether a call's answer will be heard; otherwise the process that made it is gone.
    #[must_use]
    pub fn awaits(&self, call: CallId) -> bool {
        self.client.awaits(call)
    }

    /// Whether a vSwitch is taken for empty (C80, C81).
    #[must_use]
    pub fn is_blocked(&self, now: Instant, vswitch: VSwitchId) -> bool {
        self.vswitches.cached(now, vswitch) == Some(0)
    }

    /// The last count of a vSwitch that was cached, and through when it holds (C74).
    #[must_use]
    pub fn count_of(&self, vswitch: VSwitchId) -> Option<(u32, Instant)> {
        self.vswitches.entry(vswitch)
    }

    /// Interfaces that are, or shall be, attached to a node.
    #[must_use]
    pub fn interfaces_at(&self, node: NodeId) -> u32 {
        let at = |interface: &&NetworkInterface| interface.place.is_some_and(|place| place.node == node);
        self.interfaces.values().filter(at).count() as u32
    }

    fn take_in(&mut self, now: Instant, input: Input) {
        match input {
            Input::Join(node) => _ = self.nodes.entry(node).or_default(),
            Input::Leave(node) => _ = self.nodes.remove(&node),
            Input::Trunk(node, trunk) => _ = self.nodes.insert(node, trunk),
            Input::Recreated(pod) => _ = self.unscheduled.insert(pod),
            Input::Scheduled { node, pod, uid, spec } => {
                self.unscheduled.remove(&pod);
                self.pods.insert(pod, Pod { uid, node, spec, terminating: false });
                self.pod_queue.add(pod);
            }
            Input::Terminating(pod) => {
                if let Some(pod) = self.pods.get_mut(&pod) {
                    pod.terminating = true;
                }
            }
            Input::Gone(pod) => {
                self.pods.remove(&pod);
                self.unscheduled.remove(&pod);
                self.pod_queue.add(pod);
            }
            Input::Add { pod, uid, came, polls } => self.add(now, pod, uid, came, polls),
            Input::CancelAdd(pod) => self.cancel_add(pod),
            Input::Reply(call, reply) => self.answered(now, call, reply),
            Input::Took(api) => self.client.took(now, api),
            Input::Counted(vswitch, free, through) => self.vswitches.learn(vswitch, free, through),
            Input::Restart => self.restart(now),
            Input::Tick => {}
        }
    }

    fn answered(&mut self, now: Instant, call: CallId, reply: Result<Answer, Refusal>) {
        match self.client.answered(call) {
            Some(Caller::Creation(pod, i)) => self.creation_answered(now, pod, i, reply),
            Some(Caller::Interface(eni)) => self.interface_answered(now, eni, reply),
            Some(Caller::LookUp(vswitch)) => {
                let free = if let Ok(Answer::VSwitch(free)) = reply { Some(free) } else { None };
                for pod in self.vswitches.looked_up(now, vswitch, free, self.settings.vswitch_ttl) {
                    self.looked_up(now, pod, vswitch, free);
                }
            }
            Some(Caller::Sweep) => self.sweep_answered(now, reply),
            None => {}
        }
    }

    /// Wakes everything that is due.
    fn wake(&mut self, now: Instant) {
        while let Some(&(at, number, timer)) = self.timers.first() {
            if at > now {
                return;
            }
            self.timers.remove(&(at, number, timer));
            match timer {
                Timer::Creation(pod, i) => self.creation_woken(now, pod, i),
                Timer::Bind(pod, i) => self.bind_woken(now, pod, i),
                Timer::Interface(eni) => self.interface_woken(now, eni),
                Timer::PodEnis => self.sweep_pod_enis(now),
                Timer::Leaks => self.sweep_woken(now),
            }
        }
    }

    /// Free workers take what is ready, until nothing is.
    fn work(&mut self, now: Instant) {
        loop {
            if let Some(pod) = self.pod_queue.take(now) {
                self.run_pod(now, pod);
            } else if let Some(pod) = self.pod_eni_queue.take(now) {
                self.run_pod_eni(now, pod);
            } else if let Some(eni) = self.eni_queue.take(now) {
                self.run_interface(now, eni);
            } else {
                return;
            }
        }
    }

    /// Memory is lost; objects and what is under way in the cloud stay. A starting process looks
    /// at every object (C4).
    fn restart(&mut self, now: Instant) {
        self.pod_queue = Queue::new(self.settings.pod_workers);
        self.pod_eni_queue = Queue::new(self.settings.pod_eni_workers);
        self.eni_queue = Queue::new(self.settings.eni_workers);
        self.creations.clear();
        self.bind_runs.clear();
        self.interface_runs.clear();
        self.patience.clear();
        self.sweep = None;
        self.vswitches = VSwitches::default();
        self.client = self.client.restarted(&self.settings);
        self.timers.clear();
        self.start_sweeps(now);
        let pods: BTreeSet<PodKey> = self.pods.keys().chain(self.pod_enis.keys()).copied().collect();
        pods.into_iter().for_each(|pod| self.pod_queue.add(pod));
        self.pod_enis.keys().for_each(|&pod| self.pod_eni_queue.add(pod));
        self.interfaces.keys().for_each(|&eni| self.eni_queue.add(eni));
    }

    /// Writes a PodENI: `pod` and `pod-eni` look at it, and the daemon does.
    fn write_pod_eni(&mut self, pod: PodKey, change: impl FnOnce(&mut PodEni)) {
        let Some(pod_eni) = self.pod_enis.get_mut(&pod) else { return };
        change(pod_eni);
        pod_eni.version += 1;
        self.pod_queue.add(pod);
        self.pod_eni_queue.add(pod);
        self.look_whether_bound(pod);
    }

    /// Writes a NetworkInterface: `eni` looks at it.
    fn write_interface(&mut self, eni: EniId, change: impl FnOnce(&mut NetworkInterface)) {
        let Some(interface) = self.interfaces.get_mut(&eni) else { return };
        change(interface);
        interface.version += 1;
        self.eni_queue.add(eni);
    }

    /// Wants an interface deleted (`pkg/controller/common/eni.go:196-244`).
    fn give_up_interface(&mut self, eni: EniId) {
        self.write_interface(eni, |interface| interface.phase = Phase::Deleting);
    }

    fn request(&mut self, now: Instant, caller: Caller, request: Request) {
        let (call, at) = self.client.call(now, request.api(), caller);
        self.outputs.push_back(Output::Call { call, at, request });
    }

    /// Asks for the free count of a vSwitch, in the name of all that wait for it.
    fn ask_for_count(&mut self, now: Instant, vswitch: VSwitchId) {
        self.request(now, Caller::LookUp(vswitch), Request::DescribeVSwitch(vswitch));
    }

    fn fail(&mut self, pod: PodKey, why: Failure) {
        self.outputs.push_back(Output::Failed { pod, why });
    }

    fn set_timer(&mut self, at: Instant, timer: Timer) {
        self.timers.insert((at, self.next_timer, timer));
        self.next_timer += 1;
    }

    /// The stream of jitter; `None` = every wait takes its base value.
    fn jitter(&mut self) -> Option<&mut SmallStream> {
        self.settings.jitter.then_some(&mut self.chance)
    }
}

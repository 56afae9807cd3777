//! The centralized IPAM (`ipam_type: crd`): the control plane's controller `multi-ip-node`, which
//! decides for every node which addresses it has and which pod gets which (rules C1 to C143,
//! upstream's `pkg/controller/multi-ip/node`).
//!
//! # Contract
//! As [`ipam`](crate::ipam): time, chance and I/O are inputs; drain [`Controller::poll`] before the
//! next [`Controller::handle`]. One controller serves all nodes of a cluster. The API server is
//! within: pods and CRs are never stale; only whether a status write succeeds is asked of the world.

mod attach;
mod binding;
mod call;
mod client;
mod collection;
mod condition;
mod config;
mod daemon;
mod demand;
mod draft;
mod family;
mod go_map;
mod merge;
mod node;
mod node_heap;
mod order;
mod placement;
mod plain;
mod prefix;
mod prefix_daemon;
mod reclaim;
mod reconcile;
mod resource;
mod rest;
mod sorted_map;
pub(in crate::ipam) mod vswitches;
mod whereabouts;
mod work_queue;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;

pub use call::{Answer, CallId, Interface, Kind, Refusal, Request, State};
pub use condition::NodeCondition;
pub use config::{Degradation, Flavor, NodeConfig, Selection, Settings, WriteLimit};
pub use daemon::{Daemon, DaemonInput, DaemonOutput};
pub use prefix_daemon::PrefixDaemon;
pub use resource::{Binding, Ip, IpStatus, Nic, NicState, PodKey, Status, WarmUp};
pub use sorted_map::SortedMap;

use crate::chance::SmallStream;
use crate::id::{EniId, NodeId, Uid, VSwitchId};
use crate::openapi::Api;
use crate::time::{Instant, Span};
use attach::Attacher;
use binding::ListedPod;
use client::{Caller, Client};
use node::Node;
use reconcile::Wake;
use rest::Roused;
use vswitches::{Known, LookUp, VSwitches};
use work_queue::{Ended, WorkQueue};

/// Time between the end of a run and the next one of that node, at least (C20).
const GATE: Span = Span::secs(1);

/// What happens to the controller.
#[derive(Debug, Clone)]
pub enum Input {
    /// The CR of a node is complete (C16), or its spec has changed.
    Join(NodeId, Arc<NodeConfig>),
    /// The k8s Node and its CR are deleted: nothing of the node is remembered. Its interfaces go with
    /// its instance (C93).
    Leave(NodeId),
    /// A pod appears, scheduled to a node. Nothing is queued: see [`Input::Notify`].
    Scheduled {
        /// Where.
        node: NodeId,
        /// Its name.
        pod: PodKey,
        /// Which pod of that name.
        uid: Uid,
        /// It has a limit on `aliyun/erdma` (C163).
        erdma: bool,
    },
    /// A pod object is gone. Nothing is queued (C18).
    Gone {
        /// Where it was.
        node: NodeId,
        /// Its name.
        pod: PodKey,
    },
    /// Something about a node changed: it is queued (C17).
    Notify(NodeId),
    /// NodeRuntime says that CNI DEL of a pod is done (C47, C49). Nothing is queued: see
    /// [`Input::Notify`].
    Reported {
        /// Where.
        node: NodeId,
        /// Which pod.
        uid: Uid,
    },
    /// The answer to a call.
    Reply(CallId, Result<Answer, Refusal>),
    /// Whether a status write was accepted; if not, somebody else had changed the CR.
    Written(CallId, bool),
    /// Another controller of the process makes a call of this action, under the limit that it shares (C157).
    Took(Api),
    /// Another controller of the process learned the free count of a vSwitch, or blocked it with 0, and
    /// through when that holds: they share a cache (C74, C81).
    Counted(VSwitchId, u32, Instant),
    /// The process dies and another one starts, with empty memory (C4).
    Restart,
    /// Nothing but time passing.
    Tick,
}

impl Input {
    /// It is news of a node's pods, or follows such.
    fn is_of_pods(&self) -> bool {
        matches!(self, Self::Scheduled { .. } | Self::Gone { .. } | Self::Reported { .. } | Self::Notify(_))
    }
}

/// What the controller does.
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
    /// It writes the status of a CR; `at` is not earlier than now (client-side limit, C28).
    Write {
        /// Names the write in its answer.
        call: CallId,
        /// When the write leaves.
        at: Instant,
    },
    /// The CR of a node was written. What this means to pods follows at once: each
    /// [`Output::Freed`], then each [`Output::Bound`].
    Stored(NodeId),
    /// The CR shows a pod no more: its address was freed (C47), or is gone with its interface. Of
    /// an address that another pod of the same name inherits (C42) the old pod is told here, the
    /// new one in [`Output::Bound`]. Nothing is told of a node that leaves.
    Freed {
        /// Where.
        node: NodeId,
        /// Which pod.
        uid: Uid,
        /// The interface of the address.
        eni: EniId,
        /// What the pod had.
        address: Ipv4Addr,
    },
    /// The CR shows a pod that it did not show before: the pod has its address (C121).
    Bound {
        /// Where.
        node: NodeId,
        /// Its name.
        pod: PodKey,
        /// Which pod of that name.
        uid: Uid,
        /// The interface of the address.
        eni: EniId,
        /// What the pod has.
        address: Ipv4Addr,
    },
}

/// The controller. Drain [`poll`](Self::poll) before the next [`handle`](Self::handle).
#[derive(Debug)]
pub struct Controller {
    settings: Settings,
    /// Go's map iteration, shuffles and jitter.
    chance: SmallStream,
    nodes: Vec<Node>,
    queue: WorkQueue,
    /// Nodes whose runs are not gone through, and some that have been roused since.
    resting: Vec<NodeId>,
    /// The one that was roused last, if its place in the queue is open.
    roused: Option<Roused>,
    /// When these are next looked through for one that would look up a vSwitch anew.
    watches: BTreeMap<VSwitchId, Instant>,
    vswitches: VSwitches<NodeId>,
    client: Client,
    attachers: BTreeMap<u64, Attacher>,
    next_attacher: u64,
    /// The earliest first, of equal ones the one that was set first.
    timers: BinaryHeap<Reverse<(Instant, u64, Timer)>>,
    next_timer: u64,
    outputs: VecDeque<Output>,
    now: Instant,
    /// When it has something to do next.
    due: Instant,
    /// Every run is gone through.
    is_thorough: bool,
    /// Runs that were due before this time have taken place.
    done_before: Instant,
}

/// Who is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The run of a node.
    Run(NodeId),
    /// An attach worker.
    Attacher(u64),
    /// Nodes at rest whose vSwitch has to be looked up anew.
    Expired(VSwitchId),
}

impl Controller {
    /// A controller without nodes. All its chance comes from `chance`.
    #[must_use]
    pub fn new(settings: Settings, chance: SmallStream) -> Self {
        Self {
            chance,
            nodes: Vec::new(),
            queue: WorkQueue::new(settings.workers),
            resting: Vec::new(),
            roused: None,
            watches: BTreeMap::new(),
            vswitches: VSwitches::default(),
            client: Client::new(&settings),
            attachers: BTreeMap::new(),
            next_attacher: 0,
            timers: BinaryHeap::new(),
            next_timer: 0,
            outputs: VecDeque::new(),
            now: Instant::ZERO,
            due: Instant::NEVER,
            is_thorough: false,
            done_before: Instant::ZERO,
            settings,
        }
    }

    /// The same controller going through every run, even where it knows that there is nothing to do.
    /// That takes longer and comes out the same, which tests make sure of.
    #[must_use]
    pub fn thorough(self) -> Self {
        Self { is_thorough: true, ..self }
    }

    /// Takes in what happens at `now`, which never decreases.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.come_to(now);
        if !input.is_of_pods() {
            self.queue_roused();
        }
        self.take_in(now, input);
        self.go_on(now);
    }

    /// As [`handle`](Self::handle) of news of a node's pods, and then of [`Input::Notify`].
    pub fn handle_news(&mut self, now: Instant, node: NodeId, news: Input) {
        debug_assert!(news.is_of_pods(), "others are not followed by a notification");
        self.come_to(now);
        self.take_in(now, news);
        self.go_on(now);
        self.notify(now, node);
        self.go_on(now);
    }

    fn come_to(&mut self, now: Instant) {
        debug_assert!(self.now <= now && self.outputs.is_empty(), "drain `poll` first; time never decreases");
        // What was due at this instant has been done if it was looked at before.
        self.done_before = if self.now < now { now } else { now + Span(1) };
        self.now = now;
        self.queue.advance(now);
    }

    /// Does what is due.
    #[inline]
    fn go_on(&mut self, now: Instant) {
        self.due = self.next_due();
        if self.due <= now {
            self.do_due(now);
            self.due = self.next_due();
        }
        if self.queue.is_saturated() {
            self.queue_roused();
            self.rouse_all_behind(now);
            self.due = self.next_due();
        }
    }

    #[inline(never)]
    fn do_due(&mut self, now: Instant) {
        self.queue_roused();
        self.wake(now);
        while let Some(node) = self.queue.next(now) {
            if !self.prolong(now, node) {
                self.queue.take(node);
                self.begin(now, node);
            }
        }
    }

    /// Something about a node changed: it is queued (C17). If nothing else is ready, a free worker takes it at
    /// once.
    fn notify(&mut self, now: Instant, id: NodeId) {
        let is_next = !self.is_thorough && self.queue.is_free_for(id) && self.due > now;
        let roused = self.roused.take_if(|roused| is_next && roused.node == id);
        self.queue_roused();
        let added = roused.map(|roused| roused.queued);
        if !is_next {
            self.queue.add(id);
        } else if self.holds_back(now, id) {
            self.wake_up(now, id);
            self.queue.put_back(id, added, GATE);
        } else {
            self.queue.take_at_once(id, added);
            self.begin(now, id);
        }
    }

    /// Whether [`poll`](Self::poll) has something.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// What it does, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When it wants [`Input::Tick`]; never = [`Instant::NEVER`].
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.due
    }

    fn next_due(&self) -> Instant {
        let timer = self.timers.peek().map_or(Instant::NEVER, |&Reverse((at, ..))| at);
        let roused = self.roused.map_or(Instant::NEVER, |roused| roused.due);
        timer.min(self.queue.next_ready()).min(roused)
    }

    /// The stored status of a node's CR.
    #[must_use]
    pub fn status(&self, node: NodeId) -> Option<&Status> {
        self.nodes.get(node.index()).map(|node| &*node.stored)
    }

    /// The condition SufficientIP of a k8s Node, if it was written yet. While nothing changes, its
    /// heartbeat may be an older one.
    #[must_use]
    pub fn condition(&self, node: NodeId) -> Option<NodeCondition> {
        self.nodes.get(node.index()).and_then(|node| node.pulse.condition)
    }

    /// Runs of a node that got past the gate and ended, up to `at`, which is not earlier than the
    /// last input (C20).
    #[must_use]
    pub fn effective_runs(&self, at: Instant, node: NodeId) -> u64 {
        let Some(node) = self.nodes.get(node.index()) else { return 0 };
        let mut pulse = node.pulse;
        if let Some(mut rest) = node.rest {
            rest.pass(&mut pulse, at + Span(1));
        }
        pulse.effective_runs
    }

    fn take_in(&mut self, now: Instant, input: Input) {
        match input {
            Input::Join(node, config) => {
                let state = self.touched(node);
                state.config = Some(config);
                state.look();
                self.queue.add(node);
            }
            Input::Leave(node) => {
                let is_listed = self.touched(node).is_listed;
                self.nodes[node.index()] = Node { is_listed, ..Node::default() };
                self.queue.forget(node);
            }
            Input::Scheduled { node, pod: key, uid, erdma } => {
                self.news_of(node).add(ListedPod { key, uid, erdma, address: None, ipv6: None });
            }
            Input::Gone { node, pod } => self.news_of(node).remove(pod),
            Input::Notify(node) => self.notify(now, node),
            Input::Reported { node, uid } => self.news_of(node).report(uid),
            Input::Reply(call, reply) => self.answered(now, call, reply),
            Input::Written(call, accepted) => {
                if let Some(Caller::Run(node)) = self.client.answered(call) {
                    self.resume(now, node, Wake::Written(accepted));
                }
            }
            Input::Took(api) => self.client.took(now, api),
            Input::Counted(vswitch, free, through) => {
                if self.vswitches.cached(now, vswitch) == Some(0) {
                    self.rouse_all(self.done_before);
                }
                self.vswitches.learn(vswitch, free, through);
                self.counted(vswitch, free);
            }
            Input::Restart => self.restart(),
            Input::Tick => {}
        }
    }

    fn answered(&mut self, now: Instant, call: CallId, reply: Result<Answer, Refusal>) {
        match self.client.answered(call) {
            Some(Caller::Run(node)) => self.resume(now, node, Wake::Reply(reply)),
            Some(Caller::Attacher(id)) => self.attach_answered(now, id, reply),
            Some(Caller::LookUp(vswitch)) => {
                let free = if let Ok(Answer::VSwitch(free)) = reply { Some(free) } else { None };
                let waiting = self.vswitches.looked_up(now, vswitch, free, self.settings.vswitch_ttl);
                if let Some(free) = free {
                    self.counted(vswitch, free);
                }
                for node in waiting {
                    self.resume(now, node, Wake::Count(free));
                }
            }
            None => {}
        }
    }

    /// Wakes everything that is due.
    fn wake(&mut self, now: Instant) {
        while let Some(&Reverse((at, _, timer))) = self.timers.peek() {
            if at > now {
                return;
            }
            self.timers.pop();
            match timer {
                Timer::Run(node) => self.resume(now, node, Wake::Timer),
                Timer::Attacher(id) => self.attach_woken(now, id),
                Timer::Expired(vswitch) => self.expired(now, vswitch),
            }
        }
    }

    /// Memory is lost; CRs, pods and what is under way in the cloud stay (C4).
    fn restart(&mut self) {
        self.rouse_all(self.done_before);
        self.queue = WorkQueue::new(self.settings.workers);
        self.queue.advance(self.now);
        self.vswitches = VSwitches::default();
        self.client = self.client.restarted(&self.settings);
        self.attachers.clear();
        self.timers.clear();
        self.watches.clear();
        for (i, node) in self.nodes.iter_mut().enumerate() {
            node.forget();
            self.queue.add(NodeId::new(i));
        }
    }

    /// A node that something happens to.
    fn touched(&mut self, id: NodeId) -> &mut Node {
        self.news_of(id);
        self.queue_roused();
        &mut self.nodes[id.index()]
    }

    /// As [`touched`](Self::touched), if [`Input::Notify`] follows, as a rule.
    fn news_of(&mut self, id: NodeId) -> &mut Node {
        if self.nodes.len() <= id.index() {
            self.nodes.resize_with(id.index() + 1, Node::default);
        }
        self.rouse_first(id, self.done_before);
        let node = &mut self.nodes[id.index()];
        node.is_touched = true;
        node
    }

    /// Makes a call; `false` if its limit would let it leave after `deadline` only.
    fn request(&mut self, now: Instant, caller: Caller, request: Request, deadline: Instant) -> bool {
        let Some((call, at)) = self.client.call(now, request.api(), caller, deadline) else { return false };
        self.outputs.push_back(Output::Call { call, at, request });
        true
    }

    /// The free count of a vSwitch; `None` = the run of `node` is woken when it is there.
    fn look_up(&mut self, now: Instant, vswitch: VSwitchId, node: NodeId) -> Option<u32> {
        match self.look_up_until(Instant::NEVER, now, vswitch, node) {
            LookUp::Known(free) => Some(free),
            LookUp::Asked => None,
            LookUp::Refused => unreachable!("there is time for it"),
        }
    }

    /// The same, if a call for it may leave until `deadline`.
    fn look_up_until(&mut self, deadline: Instant, now: Instant, vswitch: VSwitchId, node: NodeId) -> LookUp {
        match self.vswitches.look_up(now, vswitch, node) {
            Known::Free(free) => LookUp::Known(free),
            Known::Asked => LookUp::Asked,
            Known::Unknown => {
                let request = Request::DescribeVSwitch(vswitch);
                if self.request(now, Caller::LookUp(vswitch), request, deadline) {
                    return LookUp::Asked;
                }
                self.vswitches.looked_up(now, vswitch, None, self.settings.vswitch_ttl);
                LookUp::Refused
            }
        }
    }

    fn set_timer(&mut self, at: Instant, timer: Timer) {
        self.timers.push(Reverse((at, self.next_timer, timer)));
        self.next_timer += 1;
    }

    /// The stream of jitter; `None` = every wait takes its base value.
    fn jitter(&mut self) -> Option<&mut SmallStream> {
        self.settings.jitter.then_some(&mut self.chance)
    }
}

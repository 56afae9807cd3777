//! The control plane of centralized IPAM: one controller for all nodes, its calls and its writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::alarm::Alarm;
use super::{Answered, Daemon, Engine, Event, Observer};
use crate::address::PREFIX;
use crate::chance::SmallStream;
use crate::id::{EniId, NodeId, PodId, Uid, VSwitchId};
use crate::ipam::centralized::{
    Answer, CallId, Controller, DaemonInput, DaemonOutput, Input, NodeConfig, Output, PodKey, Refusal, Request,
    Settings,
};
use crate::ipam::pod_eni;
use crate::ipam::{Config, Failure};
use crate::openapi::ErrorCode;
use crate::record::{CallAnswer, Cause};
use crate::sim::slab::Slab;
use crate::time::{Instant, Span};

/// Time of a write to the API server, until who watches has seen it (an assumption; rule C28 limits
/// how many there are).
const WRITE: Span = Span::millis(20);

/// The control plane.
#[derive(Debug)]
pub(super) struct Plane {
    pub controller: Controller,
    pending: Slab<Pending>,
    alarm: Alarm,
    /// Daemons that wait for their trunks, each with when it began.
    pub starting: BTreeMap<NodeId, Instant>,
}

/// What is under way.
#[derive(Debug)]
pub(super) enum Pending {
    /// A call to the cloud.
    Call { id: CallId, left: Instant, request: Request },
    /// A status write.
    Write(CallId),
    /// A daemon's write of NodeRuntime: CNI DEL of these pods is done.
    Report(NodeId, Vec<Uid>),
    /// A daemon that has been starting since then looks for its trunk.
    LooksForTrunk(NodeId, Instant),
}

impl<O: Observer> Engine<O> {
    /// The same world with a control plane that allocates for all nodes.
    #[must_use]
    pub fn with_control_plane(mut self, settings: Settings, chance: SmallStream) -> Self {
        let controller = Controller::new(settings, chance);
        let plane = Plane { controller, pending: Slab::default(), alarm: Alarm::default(), starting: BTreeMap::new() };
        self.plane = Some(Box::new(plane));
        self
    }

    pub(super) fn controller(&self) -> &Controller {
        &self.plane.as_ref().expect("a node without an allocator of its own has a control plane").controller
    }

    pub(super) fn plane_mut(&mut self) -> &mut Plane {
        self.plane.as_mut().expect("a node without an allocator of its own has a control plane")
    }

    /// The eni-config of a node is another one: its daemon fills it in with the next change of the CR
    /// that it hears of (`pkg/eni/node_reconcile.go:39-71, 409-414`); no restart is needed.
    pub fn edit_config(&mut self, node: NodeId, config: &Config) {
        match config {
            Config::NodeLocal(_) | Config::Classic(_) => {}
            Config::Centralized(config) => self.nodes[node.index()].edited = Some(Arc::clone(config)),
            Config::Exclusive(config) => self.own_edit(node, config),
        }
    }

    /// The daemon fills in the CR of its node, which keeps its mode for life (C122).
    pub(super) fn join(&mut self, node: NodeId, config: &Arc<NodeConfig>) {
        self.nodes[node.index()].edited = None;
        let config = match self.controller().known_config(node) {
            Some(before) => Arc::clone(config).in_mode_of(before),
            None => Arc::clone(config),
        };
        self.control(Input::Join(node, Arc::clone(&config)));
        self.plugin_starts(node, &config);
    }

    /// A pod is scheduled: its node's controller and daemon learn of it.
    pub(super) fn scheduled(&mut self, node: NodeId, id: PodId, erdma: bool) {
        let (key, uid) = self.object(id);
        self.tell(node, DaemonInput::Scheduled { pod: id, uid });
        self.report_news(node, Input::Scheduled { node, pod: key, uid, erdma });
    }

    /// A pod object is gone, or terminal, which triggers a reconcile too (rule C18; since Kubernetes
    /// 1.27 a pod that is deleted ends terminal first).
    pub(super) fn object_gone(&mut self, node: NodeId, id: PodId, input: DaemonInput) {
        let (key, _) = self.object(id);
        self.tell(node, input);
        self.report_news(node, Input::Gone { node, pod: key });
    }

    pub(super) fn object(&self, id: PodId) -> (PodKey, Uid) {
        let pod = &self.pods[id.index()];
        (pod.key, pod.uid)
    }

    /// Hands an input to the daemon of a node and carries out what it does.
    pub(super) fn tell(&mut self, node: NodeId, input: DaemonInput) {
        let state = &mut self.nodes[node.index()];
        let said = match &mut state.daemon {
            Daemon::NodeLocal(_) | Daemon::Classic(_) => unreachable!("the controller does not allocate for it"),
            Daemon::Centralized(daemon) => {
                daemon.handle(self.now, input);
                daemon.has_output()
            }
            Daemon::Exclusive(daemon) => {
                daemon.service.handle(self.now, input);
                daemon.service.has_output()
            }
            Daemon::Prefixes(daemon) => {
                daemon.handle(self.now, input);
                true
            }
        };
        if said {
            self.pump_centralized(node);
        }
        self.arm(node);
    }

    pub(super) fn pump_centralized(&mut self, node: NodeId) {
        let mut heard = Vec::new();
        loop {
            let output = match &mut self.nodes[node.index()].daemon {
                Daemon::NodeLocal(_) | Daemon::Classic(_) => None,
                Daemon::Centralized(daemon) => daemon.poll(),
                Daemon::Exclusive(daemon) => daemon.service.poll(),
                Daemon::Prefixes(daemon) => daemon.poll(),
            };
            match output {
                None => break,
                Some(DaemonOutput::Allocated { pod, eni, address }) => self.allocated(pod, eni, address, false),
                Some(DaemonOutput::Failed(pod, failure)) => {
                    self.note_limit(node, failure);
                    self.retry(node, self.now, pod, failure);
                }
                Some(DaemonOutput::Heard(call, came)) => heard.push((call, came)),
                Some(DaemonOutput::Reported(uids)) => self.later(self.now + WRITE, Pending::Report(node, uids)),
                Some(DaemonOutput::Released(eni)) => self.unbound(eni),
            }
        }
        heard.into_iter().for_each(|(call, came)| self.own_heard(node, call, came));
    }

    /// Why nothing came in time, as far as the control plane knows: nobody refused a call of this node
    /// if another node's had the vSwitch blocked (rule C80).
    fn note_limit(&mut self, node: NodeId, failure: Failure) {
        if !matches!(failure, Failure::Deadline | Failure::Inhibited) {
            return;
        }
        let holdings = self.holdings(node);
        if let Daemon::Prefixes(_) = self.nodes[node.index()].daemon {
            // Before its first interface is there, every pod of a node is refused at once (C141).
            let gets_more = failure == Failure::Inhibited && self.controller().config(node).prefixes() != Some(0);
            if !gets_more && holdings.idle == 0 && self.controller().has_all_prefixes(node) {
                return self.limited(node, Cause::NodePrefixes);
            }
        }
        let is_full = holdings.room == 0 && holdings.empty_slots == 0;
        let blocked = holdings.blocked.first().map(|&id| self.emptied(id));
        if let Some(cause) = is_full.then_some(Cause::NodeCapacity).or(blocked) {
            self.limited(node, cause);
        }
    }

    /// What the control plane took a vSwitch for empty for: a quota answers like it (rule C72).
    pub(super) fn emptied(&self, vswitch: VSwitchId) -> Cause {
        self.cloud.quota_refusing(0, 1).map_or(Cause::VSwitch(vswitch), Cause::Quota)
    }

    /// Hands an input to the controller and carries out what it does.
    pub(super) fn control(&mut self, input: Input) {
        let now = self.now;
        self.plane_mut().controller.handle(now, input);
        self.attend();
    }

    /// As [`control`](Self::control), if another input follows at once: when the controller wants to be
    /// woken is asked after that.
    fn inform(&mut self, input: Input) {
        let now = self.now;
        let controller = &mut self.plane_mut().controller;
        controller.handle(now, input);
        if controller.has_output() {
            self.follow();
        }
    }

    /// Hands news of a node's pods to the controller, which queues the node, and carries out what it does.
    fn report_news(&mut self, node: NodeId, news: Input) {
        let now = self.now;
        self.plane_mut().controller.handle_news(now, node, news);
        self.attend();
    }

    /// Carries out what the controller does, and sets its timer.
    fn attend(&mut self) {
        if self.plane_mut().controller.has_output() {
            self.follow();
        }
        let now = self.now;
        let plane = self.plane_mut();
        if let Some(at) = plane.alarm.set(now, plane.controller.poll_timeout()) {
            self.events.push(at, Event::Plane.pack());
        }
    }

    /// Carries out what the controller does.
    #[inline(never)]
    fn follow(&mut self) {
        let (mut edited, mut stored, mut took) = (Vec::new(), Vec::new(), Vec::new());
        let has_others = self.own.is_some();
        while let Some(output) = self.plane_mut().controller.poll() {
            match output {
                Output::Call { call: id, at, request } => {
                    took.extend(has_others.then(|| request.api()));
                    self.plane_calls(id, at, request);
                }
                Output::Write { call, at } => self.later(at + WRITE, Pending::Write(call)),
                Output::Bound { node, uid, eni, address, .. } => {
                    self.tell(node, DaemonInput::Bound { uid, eni, address });
                }
                Output::Freed { node, uid, .. } => self.tell(node, DaemonInput::Freed(uid)),
                Output::Stored(node) => {
                    self.shows(node);
                    stored.extend(self.follows_cr(node).then_some(node));
                    let state = &mut self.nodes[node.index()];
                    edited.extend(state.edited.take_if(|_| state.power.runs()).map(|config| (node, config)));
                }
            }
        }
        for (node, config) in edited {
            self.join(node, &config);
            self.cr_changed(node);
        }
        took.into_iter().for_each(|api| self.own_control(pod_eni::Input::Took(api)));
        stored.into_iter().for_each(|node| self.cr_changed(node));
    }

    /// The daemon of a node in prefix mode sees the CR.
    fn shows(&mut self, node: NodeId) {
        if let Daemon::Prefixes(daemon) = &mut self.nodes[node.index()].daemon {
            let plane = self.plane.as_ref().expect("somebody has written");
            daemon.sees(self.now, plane.controller.status(node).expect("the node is there"));
            self.pump_centralized(node);
            self.arm(node);
        }
    }

    /// The controller's timer is due, unless it was set anew meanwhile.
    pub(super) fn plane_due(&mut self) {
        let now = self.now;
        if self.plane_mut().alarm.rings(now) {
            self.processed += 1;
            self.control(Input::Tick);
        }
    }

    fn plane_calls(&mut self, id: CallId, at: Instant, request: Request) {
        let latency = self.cloud.latency(request.api(), at);
        self.observer.called(at, self.node_of(&request), request.api(), latency);
        self.later(at + latency, Pending::Call { id, left: at, request });
    }

    /// Something ends at `at`.
    pub(super) fn later(&mut self, at: Instant, pending: Pending) {
        let index = self.plane_mut().pending.insert(pending);
        self.events.push(at, Event::PlaneEnds(index as u32).pack());
    }

    /// Something that was under way ends.
    pub(super) fn plane_ends(&mut self, index: u32) {
        match self.plane_mut().pending.remove(index as usize) {
            Pending::Call { id, left, request } => self.carry_out(id, left, &request),
            Pending::LooksForTrunk(node, since) => self.looks_again(node, since),
            Pending::Write(call) => self.control(Input::Written(call, true)),
            Pending::Report(node, uids) => {
                let (last, others) = uids.split_last().expect("somebody is reported");
                for &uid in others {
                    self.inform(Input::Reported { node, uid });
                }
                self.report_news(node, Input::Reported { node, uid: *last });
            }
        }
    }

    fn carry_out(&mut self, id: CallId, left: Instant, request: &Request) {
        let heard = self.controller().awaits(id);
        let (vswitch, ..) = self.subject(request);
        let count = |engine: &Self| engine.controller().count_of(vswitch?);
        let before = count(self);
        let reply = self.carried_out(left, request, heard);
        self.control(Input::Reply(id, reply.map_err(Refusal::from)));
        if let (Some(vswitch), Some((free, through))) = (vswitch, count(self).filter(|&now| before != Some(now)))
            && self.own.is_some()
        {
            self.own_control(pod_eni::Input::Counted(vswitch, free, through));
        }
    }

    /// The cloud carries out a call of the control plane; an interface that nobody awaits leaks.
    pub(super) fn carried_out(&mut self, left: Instant, request: &Request, heard: bool) -> Result<Answer, ErrorCode> {
        let node = self.node_of(request);
        self.touch_any(node);
        let (vswitch, eni, addresses) = self.subject(request);
        let reply = self.cloud.carry_out(self.now, node.unwrap_or(NodeId::NONE), request);
        let created = match reply {
            Ok(Answer::Created(eni)) => Some(eni),
            _ => None,
        };
        if let Some(eni) = created.filter(|_| !heard) {
            self.cloud.leak(eni);
        }
        let answer = match &reply {
            Ok(Answer::VSwitch(free)) => CallAnswer::Free(*free),
            Ok(_) => CallAnswer::Done,
            Err(code) => CallAnswer::Refused(*code),
        };
        let (enis, ordered) = request.wants();
        let quota = self.cloud.quota_refusing(enis, ordered);
        let api = request.api();
        let answered = Answered {
            node,
            api,
            vswitch,
            eni: created.or(eni),
            addresses,
            quota,
            left,
            answer,
            heard,
            by_control_plane: true,
        };
        self.observer.answered(self.now, &answered, &self.cloud);
        // Before anybody knows the answer: the call still counts as under way.
        self.give_accounts();
        reply
    }

    /// What went on inside a node before a call of others for it is told before.
    pub(super) fn touch_any(&mut self, node: Option<NodeId>) {
        if let Some(node) = node {
            self.touch(node);
        }
    }

    /// The node that a call is for; a look at a vSwitch is for all.
    pub(super) fn node_of(&self, request: &Request) -> Option<NodeId> {
        match request {
            Request::DescribeVSwitch(_) => None,
            Request::Create { node, .. }
            | Request::Attach(_, node)
            | Request::DescribeInstance(node)
            | Request::DescribeAttached(_, node)
            | Request::Detach(_, node) => Some(*node),
            Request::Describe(eni)
            | Request::Assign(eni, _)
            | Request::AssignPrefixes(eni, _)
            | Request::AssignIpv6(eni, _)
            | Request::AssignIpv6Prefixes(eni, _)
            | Request::Unassign(eni, _)
            | Request::UnassignIpv6(eni, _)
            | Request::Delete(eni) => self.cloud.instance_of(*eni),
        }
    }

    /// What a call is about: vSwitch, interface, and how many addresses.
    fn subject(&self, request: &Request) -> (Option<VSwitchId>, Option<EniId>, u32) {
        let on = |eni| self.cloud.vswitch_of(eni);
        match request {
            Request::DescribeVSwitch(vswitch) => (Some(*vswitch), None, 0),
            Request::Create { vswitch, addresses, .. } => (Some(*vswitch), None, *addresses),
            Request::DescribeInstance(_) => (None, None, 0),
            Request::Attach(eni, _) | Request::Detach(eni, _) => (None, Some(*eni), 0),
            Request::Describe(eni) | Request::DescribeAttached(eni, _) => (None, Some(*eni), 0),
            Request::Assign(eni, n) | Request::AssignIpv6(eni, n) | Request::AssignIpv6Prefixes(eni, n) => {
                (on(*eni), Some(*eni), *n)
            }
            Request::AssignPrefixes(eni, n) => (on(*eni), Some(*eni), *n * PREFIX),
            Request::UnassignIpv6(eni, addresses) => (on(*eni), Some(*eni), addresses.len() as u32),
            Request::Unassign(eni, addresses) => (on(*eni), Some(*eni), addresses.len() as u32),
            Request::Delete(eni) => (on(*eni), Some(*eni), 0),
        }
    }
}

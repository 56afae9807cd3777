//! Pods with an interface of their own: the control plane's controllers for them, their calls, and
//! what such pods have on each node.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::alarm::Alarm;
use super::{Daemon, Engine, Event, Observer, Pod};
use crate::chance::SmallStream;
use crate::id::{EniId, NodeId, PodId, Uid, VSwitchId};
use crate::ipam::centralized::{self, DaemonInput, Kind, PodKey, Refusal};
use crate::ipam::pod_eni::{
    Answer, CallId, Controller, Input, Listed, Network, NodeConfig, Output, Phase, PodSpec, Request, Settings,
};
use crate::ipam::{self, Failure, Holdings, OwnCall, Whereabouts};
use crate::openapi::ErrorCode;
use crate::record::Cause;
use crate::sim::slab::Slab;
use crate::time::Instant;

/// The controllers, and what they have under way.
#[derive(Debug)]
pub(super) struct OwnEnis {
    pub controller: Controller,
    /// Calls under way, each with the time at which it left.
    pending: Slab<(CallId, Instant, Request)>,
    /// Pods whose CNI ADD waits.
    asking: BTreeMap<Uid, (NodeId, PodId)>,
    /// Pods whose CNI DEL has not been heard.
    leaving: Vec<(NodeId, PodId)>,
    /// Interfaces whose creation nobody heard of.
    leaks: Vec<Listed>,
    alarm: Alarm,
}

/// An interface that a pod has for itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnEni {
    pub pod: PodId,
    pub eni: EniId,
    pub address: Ipv4Addr,
}

impl OwnEnis {
    /// What a node has at `at` for a pod with an interface of its own: `slots` for such interfaces, of
    /// which `taken` serve, on one of `candidates`.
    pub fn holdings(&self, at: Instant, node: NodeId, slots: u32, taken: u32, candidates: &[VSwitchId]) -> Holdings {
        let blocked = candidates.iter().copied().filter(|&id| self.controller.is_blocked(at, id));
        Holdings {
            slots,
            empty_slots: slots.saturating_sub(self.controller.interfaces_at(node)),
            enis: taken,
            in_use: taken,
            idle: 0,
            room: 0,
            inhibited: 0,
            candidates: candidates.to_vec(),
            blocked: blocked.collect(),
            by_control_plane: true,
        }
    }

    /// Where an interface of a pod may be: the first for which no vSwitch is left, or else its first.
    pub fn candidates(&self, at: Instant, pod: &Pod) -> &[VSwitchId] {
        let Some(spec) = self.controller.spec(pod.key) else { return &[] };
        let is_blocked = |network: &&Network| network.candidates.iter().all(|&id| self.controller.is_blocked(at, id));
        let network = spec.networks.iter().find(is_blocked).unwrap_or(&spec.networks[0]);
        &network.candidates
    }

    /// What an interface is about that no pod has taken; `None` = it is no pod's own.
    fn whereabouts(&self, eni: EniId) -> Option<Whereabouts> {
        match self.controller.interfaces().get(&eni)?.phase {
            Phase::Initial | Phase::Binding | Phase::Bind => Some(Whereabouts::Coming),
            Phase::Detaching | Phase::Unbind | Phase::Deleting => Some(Whereabouts::Leaving),
        }
    }
}

impl<O: Observer> Engine<O> {
    /// The same world with controllers that give pods interfaces of their own.
    #[must_use]
    pub fn with_own_enis(mut self, settings: Settings, chance: SmallStream) -> Self {
        let own = OwnEnis {
            controller: Controller::new(settings, chance),
            pending: Slab::default(),
            asking: BTreeMap::new(),
            leaving: Vec::new(),
            leaks: Vec::new(),
            alarm: Alarm::default(),
        };
        self.own = Some(Box::new(own));
        // Their sweeps begin.
        self.own_control(Input::Tick);
        self
    }

    pub(super) fn own(&self) -> &OwnEnis {
        self.own.as_ref().expect("pods with interfaces of their own have somebody who makes them")
    }

    fn own_mut(&mut self) -> &mut OwnEnis {
        self.own.as_mut().expect("pods with interfaces of their own have somebody who makes them")
    }

    /// eni-config is another one: the control plane reads it for every pod
    /// (`pkg/controller/pod/pod_controller.go:455`).
    pub(super) fn own_edit(&mut self, node: NodeId, config: &Arc<NodeConfig>) {
        if let Daemon::Exclusive(daemon) = &mut self.nodes[node.index()].daemon {
            daemon.config = Arc::clone(config);
        }
    }

    /// The daemon of a node that allocates itself listens: the node says which trunk it has (rule R36,
    /// `daemon/builder.go:304-318`). What it said before stays said if it has none now.
    pub(super) fn node_local_has_trunk(&mut self, node: NodeId, trunk: Option<EniId>) {
        if self.own.is_some()
            && trunk.is_some()
            && std::mem::replace(&mut self.nodes[node.index()].trunk, trunk) != trunk
        {
            self.own_control(Input::Trunk(node, trunk));
        }
    }

    /// A pod that gets an interface of its own is scheduled to a node.
    pub(super) fn own_scheduled(&mut self, node: NodeId, id: PodId, spec: Arc<PodSpec>) {
        let (pod, uid) = self.object(id);
        self.own_control(Input::Scheduled { node, pod, uid, spec });
    }

    /// A pod comes again under a name that has a PodENI, and has no node yet.
    pub(super) fn own_recreated(&mut self, id: PodId) {
        self.own_is_there(id, Input::Recreated);
    }

    /// A pod that came again is deleted before it has found a node.
    pub(super) fn own_withdrawn(&mut self, id: PodId) {
        self.own_is_there(id, Input::Gone);
    }

    /// Tells of a pod without a node; whose name has no PodENI is none of the controllers' business.
    fn own_is_there(&mut self, id: PodId, input: impl FnOnce(PodKey) -> Input) {
        let (pod, _) = self.object(id);
        if self.own.as_ref().is_some_and(|own| own.controller.pod_enis().contains_key(&pod)) {
            self.own_control(input(pod));
        }
    }

    /// CNI ADD.
    pub(super) fn own_add(&mut self, node: NodeId, id: PodId) {
        let (_, uid) = self.object(id);
        self.own_mut().asking.insert(uid, (node, id));
        self.own_call(node, OwnCall::Add(id));
    }

    /// CNI DEL.
    pub(super) fn own_del(&mut self, node: NodeId, id: PodId) {
        self.own_mut().leaving.push((node, id));
        self.own_call(node, OwnCall::Del(id));
    }

    /// CNI ADD or DEL of a pod with an interface of its own: the daemon hears it unless a collection waits (rule R125). One
    /// before v1.7 hears everybody.
    fn own_call(&mut self, node: NodeId, call: OwnCall) {
        if let Daemon::Classic(_) = self.nodes[node.index()].daemon {
            return self.own_heard(node, call, self.now);
        }
        self.own_input(node, ipam::Input::Own(call), DaemonInput::Own(call));
    }

    /// Tells the daemon of a node something about such a pod, in the words of either IPAM.
    fn own_input(&mut self, node: NodeId, node_local: ipam::Input, centralized: DaemonInput) {
        match &mut self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => {
                daemon.handle(self.now, node_local);
                self.pump(node, self.now);
            }
            Daemon::Centralized(_) | Daemon::Prefixes(_) | Daemon::Exclusive(_) => self.tell(node, centralized),
            Daemon::Classic(_) => {}
        }
        self.arm(node);
    }

    /// The daemon of a node hears a call that `came` then.
    pub(super) fn own_heard(&mut self, node: NodeId, call: OwnCall, came: Instant) {
        let id = match call {
            OwnCall::Add(id) => id,
            OwnCall::Del(id) => {
                self.own_mut().leaving.retain(|&(_, pod)| pod != id);
                self.own_gone(node, id);
                return self.left(id);
            }
        };
        let (pod, uid) = self.object(id);
        let polls = match &self.nodes[node.index()].daemon {
            // A daemon without a trunk has nobody who would take the request.
            Daemon::NodeLocal(daemon) if daemon.trunk().is_none() => {
                self.own_mut().asking.remove(&uid);
                self.retry(node, self.now, id, Failure::NodeFull);
                return self.own_is_over(node, id);
            }
            Daemon::NodeLocal(_) => true,
            Daemon::Exclusive(daemon) => daemon.config.polls,
            Daemon::Classic(_) | Daemon::Centralized(_) | Daemon::Prefixes(_) => false,
        };
        self.own_control(Input::Add { pod, uid, came, polls });
    }

    /// The CNI ADD of a pod is over, or its caller went away: it holds its daemon's lock no longer.
    fn own_is_over(&mut self, node: NodeId, id: PodId) {
        self.own_input(node, ipam::Input::OwnIsOver(id), DaemonInput::OwnIsOver(id));
    }

    /// A pod object is gone, or terminal, and its CNI DEL done: its interface is on its way back.
    pub(super) fn own_gone(&mut self, node: NodeId, id: PodId) {
        let (pod, uid) = self.object(id);
        let own = &mut self.nodes[node.index()].own_enis;
        let freed: Vec<_> = own.extract_if(.., |own| own.pod == id).collect();
        freed.into_iter().for_each(|own| self.unbound(own.eni));
        if self.own_mut().asking.remove(&uid).is_some() {
            self.own_control(Input::CancelAdd(pod));
            self.own_is_over(node, id);
        }
        self.own_control(Input::Gone(pod));
    }

    /// A pod is told to end, and nobody on its node hears of it: nothing is made for it any more (C151,
    /// `pkg/controller/pod/pod_controller.go:162-164`).
    pub fn told_to_end(&mut self, id: PodId) {
        if self.pods[id.index()].has_own_eni {
            let (pod, _) = self.object(id);
            self.own_control(Input::Terminating(pod));
        }
    }

    /// The daemon of a node stops: nobody answers the ADDs that wait. Returns their pods.
    pub(super) fn own_stop(&mut self, node: NodeId) -> Vec<PodId> {
        let Some(own) = &mut self.own else { return Vec::new() };
        let asking = &mut own.asking;
        let here: Vec<_> = asking.iter().filter(|(_, (at, _))| *at == node).map(|(&uid, &(_, id))| (uid, id)).collect();
        here.iter().for_each(|(uid, _)| _ = asking.remove(uid));
        for &(_, id) in &here {
            let (pod, _) = self.object(id);
            self.own_control(Input::CancelAdd(pod));
        }
        here.into_iter().map(|(_, id)| id).collect()
    }

    /// The instance of a node is released, and with it what its daemon has not heard.
    pub(super) fn own_released(&mut self, node: NodeId) {
        let Some(own) = &mut self.own else { return };
        let unheard: Vec<_> = own.leaving.extract_if(.., |&mut (at, _)| at == node).collect();
        for (_, id) in unheard {
            self.own_gone(node, id);
            self.left(id);
        }
        self.own_control(Input::Leave(node));
    }

    /// Hands an input to the controllers and carries out what they do.
    pub(super) fn own_control(&mut self, input: Input) {
        let (now, mut took, mut over) = (self.now, Vec::new(), Vec::new());
        let controller = &mut self.own_mut().controller;
        controller.handle(now, input);
        // What a node is made to do meanwhile may tell the controllers more.
        let outputs: Vec<_> = std::iter::from_fn(|| controller.poll()).collect();
        for output in outputs {
            match output {
                Output::Call { call, at, request } => {
                    took.push(request.api());
                    self.own_calls(call, at, request);
                }
                Output::Added { uid, .. } => over.push(self.own_added(uid)),
                Output::AddFailed { uid, .. } => over.push(self.own_add_failed(uid)),
                Output::Held(pod) => self.own_held(pod),
                Output::Bound { .. } | Output::Freed(_) | Output::Failed { .. } => {}
            }
        }
        let own = self.own_mut();
        if let Some(at) = own.alarm.set(now, own.controller.poll_timeout()) {
            self.events.push(at, Event::Own.pack());
        }
        if self.plane.is_some() {
            took.into_iter().for_each(|api| self.control(centralized::Input::Took(api)));
        }
        for (node, id) in over {
            self.touch(node);
            self.own_is_over(node, id);
        }
    }

    /// The controllers' timer is due, unless it was set anew meanwhile.
    pub(super) fn own_due(&mut self) {
        let now = self.now;
        if self.own_mut().alarm.rings(now) {
            self.processed += 1;
            self.own_control(Input::Tick);
        }
    }

    /// A pod has its interfaces; says who and where. Its address is that of the first.
    fn own_added(&mut self, uid: Uid) -> (NodeId, PodId) {
        let (node, id) = self.own_mut().asking.remove(&uid).expect("only who asks is answered");
        let key = self.pods[id.index()].key;
        let controller = &self.own().controller;
        let of = |&eni: &EniId| OwnEni { pod: id, eni, address: controller.interfaces()[&eni].address };
        let own: Vec<_> = controller.pod_enis()[&key].interfaces.iter().map(of).collect();
        self.nodes[node.index()].own_enis.extend(&own);
        let (first, others) = own.split_first().expect("it waited for at least one");
        for other in others {
            self.bound(other.eni);
            self.observer.has_another(self.cloud.vswitch_of(other.eni).expect("an interface has a vSwitch"));
        }
        self.allocated(id, first.eni, first.address, false);
        (node, id)
    }

    /// A pod has waited in vain for its interface; says who and where.
    fn own_add_failed(&mut self, uid: Uid) -> (NodeId, PodId) {
        let (node, id) = self.own_mut().asking.remove(&uid).expect("only who asks is answered");
        // What failed before drew before.
        self.touch(node);
        let holdings = self.holdings_for(id);
        let exhausted = holdings.blocked.len() == holdings.candidates.len();
        let blocked = holdings.blocked.first().filter(|_| exhausted).map(|&id| self.emptied(id));
        if let Some(cause) = (holdings.empty_slots == 0).then_some(Cause::NodeCapacity).or(blocked) {
            self.limited(node, cause);
        }
        self.retry(node, self.now, id, Failure::Deadline);
        (node, id)
    }

    /// The interfaces of a pod with a fixed address are detached and kept (rule C152).
    fn own_held(&mut self, pod: PodKey) {
        for eni in self.own().controller.pod_enis()[&pod].interfaces.clone() {
            let Some(node) = self.cloud.instance_of(eni) else { continue };
            self.cloud.hold(eni);
            let vswitch = self.cloud.vswitch_of(eni).expect("an interface has a vSwitch");
            self.observer.moved(self.now, node, vswitch, &self.cloud);
        }
    }

    /// The vSwitch on which the fixed address of a pod is that is to come again; `None` = it has none, or
    /// not any more (`getPreviousZone` in `pkg/controller/webhook/mutating.go`).
    #[must_use]
    pub fn fixed_vswitch(&self, pod: PodId) -> Option<VSwitchId> {
        let controller = &self.own.as_ref()?.controller;
        let interface = controller.kept(self.pods[pod.index()].key)?;
        Some(controller.interfaces().get(&interface)?.vswitch)
    }

    /// Whether one of a pod's own interfaces may be on a vSwitch.
    #[must_use]
    pub fn may_have_an_interface_on(&self, pod: PodId, vswitch: VSwitchId) -> bool {
        let spec = self.own().controller.spec(self.pods[pod.index()].key);
        spec.is_some_and(|spec| spec.networks.iter().any(|network| network.candidates.contains(&vswitch)))
    }

    fn own_calls(&mut self, id: CallId, at: Instant, request: Request) {
        let latency = self.cloud.latency(request.api(), at);
        let node = in_the_clouds_words(request).and_then(|request| self.node_of(&request));
        self.touch_any(node);
        self.observer.called(at, node, request.api(), latency);
        let index = self.own_mut().pending.insert((id, at, request));
        self.events.push(at + latency, Event::OwnEnds(index as u32).pack());
    }

    /// A call that was under way ends.
    pub(super) fn own_ends(&mut self, index: u32) {
        let own = self.own_mut();
        let (id, left, request) = own.pending.remove(index as usize);
        let heard = own.controller.awaits(id);
        let reply = match in_the_clouds_words(request) {
            Some(in_words) => self.own_carried_out(left, request, &in_words, heard),
            None => Ok(self.own_leaks()),
        };
        let vswitch = match request {
            Request::DescribeVSwitch(vswitch) | Request::Create { vswitch, .. } => Some(vswitch),
            _ => None,
        };
        let count = |engine: &Self| engine.own().controller.count_of(vswitch?);
        let before = count(self);
        self.own_control(Input::Reply(id, reply.map_err(Refusal::from)));
        if let (Some(vswitch), Some((free, through))) = (vswitch, count(self).filter(|&now| before != Some(now)))
            && self.plane.is_some()
        {
            self.control(centralized::Input::Counted(vswitch, free, through));
        }
    }

    /// The cloud carries out a call of theirs.
    fn own_carried_out(
        &mut self,
        left: Instant,
        request: Request,
        in_words: &centralized::Request,
        heard: bool,
    ) -> Result<Answer, ErrorCode> {
        let Request::Attach(eni, place) = request else {
            return self.carried_out(left, in_words, heard).map(|answer| self.understood(request, answer, heard));
        };
        self.cloud.goes_to_trunk(eni, place.trunk.is_some());
        let was_known = self.cloud.is_known(eni);
        self.carried_out(left, in_words, heard)?;
        if !was_known {
            let vswitch = self.cloud.vswitch_of(eni).expect("an interface has a vSwitch");
            self.observer.moved(self.now, place.node, vswitch, &self.cloud);
        }
        Ok(Answer::Done)
    }

    fn understood(&mut self, request: Request, answer: centralized::Answer, heard: bool) -> Answer {
        match answer {
            centralized::Answer::VSwitch(free) => Answer::VSwitch(free),
            centralized::Answer::Created(eni) => {
                if !heard {
                    let created = self.now;
                    self.own_mut().leaks.push(Listed { eni, created, place: None });
                }
                if let Request::Create { node, outlives_instance, .. } = request {
                    let is_member = !matches!(self.nodes[node.index()].daemon, Daemon::Exclusive(_));
                    self.cloud.goes_to_trunk(eni, is_member);
                    if outlives_instance {
                        self.cloud.outlives_instance(eni);
                    }
                }
                let address = self.cloud.primary_of(eni).expect("it was made a moment ago");
                Answer::Created { eni, address, ipv6: None }
            }
            centralized::Answer::Interfaces(found) => Answer::Described(found.first().map(|eni| eni.state)),
            _ => Answer::Done,
        }
    }

    /// Interfaces that these controllers made and do not know; those that they know they would not
    /// sweep.
    fn own_leaks(&mut self) -> Answer {
        let mut leaks = std::mem::take(&mut self.own_mut().leaks);
        leaks.retain(|leak| self.cloud.instance_of(leak.eni).is_some());
        self.own_mut().leaks.clone_from(&leaks);
        Answer::Listed(leaks)
    }

    /// Addresses of a vSwitch that calls under way ask for, for pods of a node with interfaces of their own.
    pub(super) fn own_asked(&self, node: NodeId, vswitch: VSwitchId) -> u32 {
        self.own.as_ref().map_or(0, |own| own.controller.asked(node, vswitch))
    }

    /// What an interface of a node is about that is a pod's own; `None` = it is none.
    pub(super) fn own_whereabouts(&self, node: NodeId, eni: EniId) -> Option<Whereabouts> {
        if self.nodes[node.index()].own_enis.iter().any(|own| own.eni == eni) {
            return Some(Whereabouts::Serving);
        }
        self.own.as_ref()?.whereabouts(eni)
    }
}

/// The same request in the words that the cloud knows; `None` = it does not concern the books.
fn in_the_clouds_words(request: Request) -> Option<centralized::Request> {
    Some(match request {
        Request::DescribeVSwitch(vswitch) => centralized::Request::DescribeVSwitch(vswitch),
        Request::Create { node, vswitch, .. } => {
            centralized::Request::Create { node, vswitch, kind: Kind::Secondary, addresses: 1, ipv6: 0 }
        }
        Request::Attach(eni, place) => centralized::Request::Attach(eni, place.node),
        Request::Describe(eni) => centralized::Request::Describe(eni),
        Request::Detach(eni, place) => centralized::Request::Detach(eni, place.node),
        Request::Delete(eni) => centralized::Request::Delete(eni),
        Request::List(_) => return None,
    })
}

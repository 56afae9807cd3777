//! Pods with an interface of their own: the control plane's controllers for them, their calls, and
//! what such pods have on each node.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::alarm::Alarm;
use super::{Daemon, Engine, Event, Observer};
use crate::chance::SmallStream;
use crate::id::{EniId, NodeId, PodId, Uid, VSwitchId};
use crate::ipam::centralized::{self, Kind, Refusal};
use crate::ipam::pod_eni::{Answer, CallId, Controller, Input, Listed, NodeConfig, Output, Phase, Request, Settings};
use crate::ipam::{Failure, Holdings, Whereabouts};
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
    /// Interfaces whose creation nobody heard of.
    leaks: Vec<Listed>,
    alarm: Alarm,
}

/// What the pods of a node with exclusive interfaces have.
#[derive(Debug)]
pub(super) struct Exclusive {
    pub config: Arc<NodeConfig>,
    /// Interfaces that pods have taken, each with its address.
    pub taken: Vec<(EniId, Ipv4Addr)>,
}

impl Exclusive {
    /// What the node has at `at`.
    pub fn holdings(&self, controller: &Controller, at: Instant, node: NodeId) -> Holdings {
        let (slots, candidates) = (self.config.slots, &self.config.vswitches);
        let taken = self.taken.len() as u32;
        Holdings {
            slots,
            empty_slots: slots.saturating_sub(controller.interfaces_at(node)),
            enis: taken,
            in_use: taken,
            idle: 0,
            room: 0,
            inhibited: 0,
            candidates: candidates.clone(),
            blocked: candidates.iter().copied().filter(|&id| controller.is_blocked(at, id)).collect(),
        }
    }

    /// What an interface of the node is about.
    pub fn whereabouts(&self, controller: &Controller, eni: EniId) -> Option<Whereabouts> {
        if self.taken.iter().any(|(taken, _)| *taken == eni) {
            return Some(Whereabouts::Serving);
        }
        match controller.interfaces().get(&eni)?.phase {
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
            leaks: Vec::new(),
            alarm: Alarm::default(),
        };
        self.own = Some(Box::new(own));
        // Their sweeps begin.
        self.own_control(Input::Tick);
        self
    }

    pub(super) fn own(&self) -> &OwnEnis {
        self.own.as_ref().expect("a node with exclusive interfaces has somebody who makes them")
    }

    fn own_mut(&mut self) -> &mut OwnEnis {
        self.own.as_mut().expect("a node with exclusive interfaces has somebody who makes them")
    }

    pub(super) fn exclusive_mut(&mut self, node: NodeId) -> Option<&mut Exclusive> {
        match &mut self.nodes[node.index()].daemon {
            Daemon::Exclusive(exclusive) => Some(exclusive),
            Daemon::NodeLocal(_) | Daemon::Centralized(_) | Daemon::Prefixes(_) => None,
        }
    }

    pub(super) fn is_exclusive(&self, node: NodeId) -> bool {
        matches!(self.nodes[node.index()].daemon, Daemon::Exclusive(_))
    }

    /// eni-config is another one: the control plane reads it for every pod
    /// (`pkg/controller/pod/pod_controller.go:455`).
    pub(super) fn own_edit(&mut self, node: NodeId, config: &Arc<NodeConfig>) {
        self.exclusive_mut(node).expect("a node keeps its mode (rule C144)").config = Arc::clone(config);
    }

    /// A pod is scheduled to a node with exclusive interfaces.
    pub(super) fn own_scheduled(&mut self, node: NodeId, id: PodId) {
        let (key, uid) = self.object(id);
        let exclusive = self.exclusive_mut(node).expect("the node has exclusive interfaces");
        let spec = Arc::new(exclusive.config.pod());
        self.own_control(Input::Scheduled { node, pod: key, uid, spec });
    }

    /// CNI ADD.
    pub(super) fn own_add(&mut self, node: NodeId, id: PodId) {
        let (pod, uid) = self.object(id);
        self.own_mut().asking.insert(uid, (node, id));
        self.own_control(Input::Add { pod, uid });
    }

    /// A pod object is gone, or terminal, and its CNI DEL done: its interface is on its way back.
    pub(super) fn own_gone(&mut self, node: NodeId, id: PodId) {
        let (pod, uid) = self.object(id);
        let eni = self.pods[id.index()].eni;
        let exclusive = self.exclusive_mut(node).expect("the node has exclusive interfaces");
        let before = exclusive.taken.len();
        exclusive.taken.retain(|(taken, _)| *taken != eni);
        if exclusive.taken.len() < before {
            self.unbound(eni);
        }
        if self.own_mut().asking.remove(&uid).is_some() {
            self.own_control(Input::CancelAdd(pod));
        }
        self.own_control(Input::Gone(pod));
    }

    /// The daemon of a node stops: nobody answers the ADDs that wait. Returns their pods.
    pub(super) fn own_stop(&mut self, node: NodeId) -> Vec<PodId> {
        let asking = &mut self.own_mut().asking;
        let here: Vec<_> = asking.iter().filter(|(_, (at, _))| *at == node).map(|(&uid, &(_, id))| (uid, id)).collect();
        here.iter().for_each(|(uid, _)| _ = asking.remove(uid));
        for &(_, id) in &here {
            let (pod, _) = self.object(id);
            self.own_control(Input::CancelAdd(pod));
        }
        here.into_iter().map(|(_, id)| id).collect()
    }

    /// Hands an input to the controllers and carries out what they do.
    pub(super) fn own_control(&mut self, input: Input) {
        let now = self.now;
        self.own_mut().controller.handle(now, input);
        while let Some(output) = self.own_mut().controller.poll() {
            match output {
                Output::Call { call, at, request } => self.own_calls(call, at, request),
                Output::Added { uid, .. } => self.own_added(uid),
                Output::AddFailed { uid, .. } => self.own_add_failed(uid),
                Output::Bound { .. } | Output::Held(_) | Output::Freed(_) | Output::Failed { .. } => {}
            }
        }
        let own = self.own_mut();
        if let Some(at) = own.alarm.set(now, own.controller.poll_timeout()) {
            self.events.push(at, Event::Own.pack());
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

    fn own_added(&mut self, uid: Uid) {
        let (node, id) = self.own_mut().asking.remove(&uid).expect("only who asks is answered");
        let key = self.pods[id.index()].key;
        let controller = &self.own().controller;
        let eni = controller.pod_enis()[&key].interfaces[0];
        let address = controller.interfaces()[&eni].address;
        self.exclusive_mut(node).expect("the node has exclusive interfaces").taken.push((eni, address));
        self.allocated(id, eni, address, false);
    }

    fn own_add_failed(&mut self, uid: Uid) {
        let (node, id) = self.own_mut().asking.remove(&uid).expect("only who asks is answered");
        let holdings = self.holdings(node);
        let exhausted = holdings.blocked.len() == holdings.candidates.len();
        let blocked = holdings.blocked.first().filter(|_| exhausted).map(|&id| Cause::VSwitch(id));
        if let Some(cause) = (holdings.empty_slots == 0).then_some(Cause::NodeCapacity).or(blocked) {
            self.observer.limited(self.now, node, cause);
        }
        self.retry(node, self.now, id, Failure::Deadline);
        self.arm(node);
    }

    fn own_calls(&mut self, id: CallId, at: Instant, request: Request) {
        let latency = self.cloud.latency(request.api(), at);
        let node = in_the_clouds_words(request).and_then(|request| self.node_of(&request));
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
            Some(request) => self.carried_out(left, &request, heard).map(|answer| self.understood(answer, heard)),
            None => Ok(self.own_leaks()),
        };
        self.own_control(Input::Reply(id, reply.map_err(Refusal::from)));
    }

    fn understood(&mut self, answer: centralized::Answer, heard: bool) -> Answer {
        match answer {
            centralized::Answer::VSwitch(free) => Answer::VSwitch(free),
            centralized::Answer::Created(eni) => {
                if !heard {
                    let created = self.now;
                    self.own_mut().leaks.push(Listed { eni, created, place: None });
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

    /// Addresses of a vSwitch that calls under way for a node ask for.
    pub(super) fn own_asked(&self, node: NodeId, vswitch: VSwitchId) -> u32 {
        self.own().controller.asked(node, vswitch)
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

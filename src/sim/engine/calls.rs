//! Calls of daemons under way: they leave, and are answered and carried out a latency later.

use super::event::Event;
use super::{Answered, Daemon, Engine, Node, Observer, Power, classic};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::{Answer, CallId, Input, Request};
use crate::openapi::ErrorCode;
use crate::record::CallAnswer;
use crate::time::Instant;

/// A call under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub node: NodeId,
    pub id: CallId,
    pub request: Request,
    /// When it leaves the daemon; never = it is over, or the daemon died before.
    pub leaves: Instant,
}

impl<O: Observer> Engine<O> {
    /// A daemon makes a call that leaves it at `at`.
    #[inline(never)]
    pub(super) fn call(&mut self, node: NodeId, id: CallId, at: Instant, request: Request) {
        let call = Call { node, id, request, leaves: at };
        let index = match self.free_calls.pop() {
            Some(index) => {
                self.calls[index as usize] = call;
                index
            }
            None => {
                self.calls.push(call);
                self.calls.len() as u32 - 1
            }
        };
        let latency = self.cloud.latency(request.api(), at);
        self.observer.called(at, Some(node), request.api(), latency);
        self.events.push(at + latency, Event::Answer(index).pack());
    }

    /// A call is answered, to whoever made it.
    pub(super) fn answer(&mut self, index: u32) {
        let Call { node, id, request, leaves } = self.calls[index as usize];
        self.free_calls.push(index);
        if leaves == Instant::NEVER {
            return;
        }
        self.calls[index as usize].leaves = Instant::NEVER;
        // What went on inside the node before is told before.
        self.touch(node);
        let state = &self.nodes[node.index()];
        let awaits = match &state.daemon {
            Daemon::NodeLocal(daemon) => daemon.awaits(id),
            Daemon::Classic(daemon) => daemon.awaits(id),
            Daemon::Centralized(_) | Daemon::Prefixes(_) | Daemon::Exclusive(_) => false,
        };
        let awaited = state.power.runs() && awaits;
        let reply = self.execute(node, &request, leaves, awaited);
        match &self.nodes[node.index()] {
            // It keeps in mind what former lives still take away.
            Node { daemon: Daemon::Classic(_), power, .. } if *power != Power::Released => {
                self.classic(node, classic::input(Input::Reply(id, reply)));
            }
            _ => self.input(node, Input::Reply(id, reply)),
        }
    }

    /// The cloud carries out a call; an interface that nobody awaits leaks.
    pub(super) fn execute(
        &mut self,
        node: NodeId,
        request: &Request,
        left: Instant,
        awaited: bool,
    ) -> Result<Answer, ErrorCode> {
        let (vswitch, eni, addresses) = self.subject_of(request);
        let reply = self.cloud.execute(self.now, node, request);
        if let Ok(Answer::Created(eni, ..)) = reply
            && !awaited
        {
            self.cloud.leak(eni);
        }
        let (created, answer) = match &reply {
            Ok(Answer::VSwitch(free)) => (None, CallAnswer::Free(*free)),
            Ok(Answer::Created(eni, ..)) => (Some(*eni), CallAnswer::Done),
            Ok(_) => (None, CallAnswer::Done),
            Err(code) => (None, CallAnswer::Refused(*code)),
        };
        let (enis, ordered) = request.wants();
        let answered = Answered {
            node: Some(node),
            api: request.api(),
            vswitch,
            eni: created.or(eni),
            addresses,
            quota: self.cloud.quota_refusing(enis, ordered),
            left,
            answer,
            heard: awaited,
            by_control_plane: false,
        };
        self.observer.answered(self.now, &answered, &self.cloud);
        // Before the daemon knows the answer: the call still counts as under way.
        self.give_accounts();
        reply
    }

    /// What a call of a daemon is about: vSwitch, interface, and how many addresses.
    fn subject_of(&self, request: &Request) -> (Option<VSwitchId>, Option<EniId>, u32) {
        let on = |eni| self.cloud.vswitch_of(eni);
        match *request {
            Request::DescribeVSwitch(vswitch) => (Some(vswitch), None, 0),
            Request::Create { vswitch, addresses, .. } => (Some(vswitch), None, addresses.into()),
            Request::Assign(eni, n) | Request::AssignV6(eni, n) => (on(eni), Some(eni), n.into()),
            Request::Unassign(eni, addresses) => (on(eni), Some(eni), addresses.len() as u32),
            Request::UnassignV6(eni, addresses) => (on(eni), Some(eni), addresses.len() as u32),
            Request::Delete(eni) => (on(eni), Some(eni), 0),
            Request::Attach(eni) | Request::Describe(eni) | Request::Detach(eni) => (None, Some(eni), 0),
        }
    }
}

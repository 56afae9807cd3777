//! What the recorder is told while a world runs.

use super::engine::{Answered, Observer, Pod};
use crate::cloud::Cloud;
use crate::id::{NodeId, PodId, VSwitchId};
use crate::ipam::node_local::NodeLocal;
use crate::ipam::{Answer, Failure, Request};
use crate::openapi::{Api, ErrorCode};
use crate::record::{CallAnswer, CallStep, IdleParts, Recorder, What};
use crate::time::{Instant, Span};

/// The cloud's side of a vSwitch changed.
pub(super) fn refresh(recorder: &mut Recorder, now: Instant, cloud: &Cloud, id: VSwitchId) {
    let usage = cloud.usage(id);
    recorder.vswitch_changed(now, id, &usage, usage.leaked);
    if recorder.watches_prefixes(id) {
        recorder.prefixes_changed(now, id, cloud.free_prefixes(id), usage.in_prefixes);
    }
}

impl Observer for Recorder {
    fn called(&mut self, at: Instant, node: NodeId, api: Api, latency: Span) {
        self.call_left(at, node, api, latency);
    }

    fn answered(&mut self, now: Instant, call: &Answered, cloud: &Cloud) {
        let Answered { node, request, reply, .. } = *call;
        let vswitch = match *request {
            Request::Create(vswitch, _) | Request::DescribeVSwitch(vswitch) => Some(vswitch),
            Request::Assign(eni, _) | Request::Unassign(eni, _) | Request::Delete(eni) => cloud.vswitch_of(eni),
            _ => None,
        };
        match reply {
            Ok(answer) => {
                self.call_answered(request.api());
                match (answer, vswitch) {
                    (Answer::VSwitch(0), Some(vswitch)) => self.found_empty(now, node, vswitch),
                    (Answer::Created(..) | Answer::Deleted, _) => self.enis_changed(node, cloud.node_enis(node).0),
                    _ => {}
                }
            }
            // A look-up that finds no such vSwitch is a good answer.
            Err(ErrorCode::NotFound) if request.api() == Api::DescribeVSwitches => self.call_answered(request.api()),
            Err(code) => {
                let (enis, addresses) = request.wants();
                let quota = cloud.quota_refusing(enis, addresses);
                self.call_refused(now, node, request.api(), code, vswitch, quota);
            }
        }
        if let Some(vswitch) = vswitch.filter(|_| request.api() != Api::DescribeVSwitches) {
            refresh(self, now, cloud, vswitch);
        }
        self.call_step(now, node, |recorder| What::Call(Box::new(call_step(call, vswitch, recorder))));
    }

    fn asks(&mut self, now: Instant, id: PodId, pod: &Pod, daemon: &NodeLocal) {
        self.pod_asked(now, id.index(), pod.node, || daemon.holdings(now));
    }

    fn bound(&mut self, now: Instant, id: PodId, pod: &Pod, retained: bool) {
        self.pod_served(now, id.index(), pod.node, pod.vswitch, pod.address, now.since(pod.requested), retained);
    }

    fn unbound(&mut self, now: Instant, vswitch: VSwitchId) {
        self.address_released(now, vswitch);
    }

    fn failed(&mut self, at: Instant, id: PodId, pod: &Pod, failure: Failure, daemon: &NodeLocal) {
        self.pod_failed(at, id.index(), pod.node, failure, || daemon.holdings(at));
    }

    fn wants_account(&mut self) -> Option<VSwitchId> {
        self.take_newly_full()
    }

    fn account(&mut self, vswitch: VSwitchId, idle: IdleParts<u32>, asked: u32) {
        Recorder::account(self, vswitch, idle, asked);
    }
}

/// What is written down of an answered call about a vSwitch, or an interface on it.
fn call_step(call: &Answered, vswitch: Option<VSwitchId>, recorder: &Recorder) -> CallStep {
    let (eni, addresses) = match (call.request, call.reply) {
        (&Request::Create(_, n), Ok(&Answer::Created(eni, _))) => (Some(eni), n),
        (&Request::Create(_, n), _) => (None, n),
        (&Request::Assign(eni, n), _) => (Some(eni), n),
        (Request::Unassign(eni, addresses), _) => (Some(*eni), addresses.len() as u8),
        (&(Request::Attach(eni) | Request::Describe(eni) | Request::Detach(eni) | Request::Delete(eni)), _) => {
            (Some(eni), 0)
        }
        (Request::DescribeVSwitch(_), _) => (None, 0),
    };
    let answer = match call.reply {
        Ok(&Answer::VSwitch(free)) => CallAnswer::Free(free),
        Ok(_) => CallAnswer::Done,
        Err(code) => CallAnswer::Refused(code),
    };
    CallStep {
        api: call.request.api(),
        left: call.left,
        eni,
        vswitch,
        addresses,
        answer,
        heard: call.heard,
        who: vswitch.map(|id| recorder.holders(id)),
    }
}

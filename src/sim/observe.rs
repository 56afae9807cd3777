//! What the recorder is told while a world runs.

use super::engine::{Answered, Observer, Pod};
use crate::cloud::Cloud;
use crate::id::{NodeId, PodId, VSwitchId};
use crate::ipam::{Failure, Holdings};
use crate::openapi::{Api, ErrorCode};
use crate::record::{Asked, CallAnswer, CallStep, Cause, IdleParts, Recorder, What};
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
    fn adopted(&mut self, now: Instant, cloud: &Cloud) {
        (0..cloud.vswitch_count()).for_each(|i| refresh(self, now, cloud, VSwitchId::new(i)));
    }

    fn called(&mut self, at: Instant, node: Option<NodeId>, api: Api, latency: Span) {
        if let Some(node) = node {
            self.call_left(at, node, api, latency);
        }
    }

    fn answered(&mut self, now: Instant, call: &Answered, cloud: &Cloud) {
        let Answered { node, api, vswitch, .. } = *call;
        match (call.answer, vswitch) {
            // A look-up that finds no such vSwitch is a good answer.
            (CallAnswer::Refused(ErrorCode::NotFound), _) if api == Api::DescribeVSwitches => self.call_answered(api),
            (CallAnswer::Refused(code), _) => self.call_refused(now, node, api, code, vswitch, call.quota),
            (CallAnswer::Free(0), Some(vswitch)) => {
                self.call_answered(api);
                self.found_empty(now, node, vswitch);
            }
            _ => self.call_answered(api),
        }
        if let (CallAnswer::Done, Some(node)) = (call.answer, node)
            && matches!(api, Api::CreateNetworkInterface | Api::DeleteNetworkInterface)
        {
            self.enis_changed(node, cloud.node_enis(node).0);
        }
        if let Some(vswitch) = vswitch.filter(|_| api != Api::DescribeVSwitches) {
            refresh(self, now, cloud, vswitch);
        }
        if let Some(node) = node {
            self.call_step(now, node, |recorder| What::Call(Box::new(call_step(call, recorder))));
        }
        self.call_took(node, api, now.since(call.left), matches!(call.answer, CallAnswer::Refused(_)));
    }

    fn asks(&mut self, now: Instant, id: PodId, pod: &Pod, node: &dyn Fn() -> Holdings) {
        self.pod_asked(now, id.index(), pod.node, node);
    }

    fn bound(&mut self, now: Instant, vswitch: VSwitchId) {
        self.address_bound(now, vswitch);
    }

    fn answered_add(&mut self, now: Instant, pod: &Pod) {
        self.rpc_ended(pod.node, now.since(pod.tried), false);
    }

    fn served(&mut self, now: Instant, id: PodId, pod: &Pod, retained: bool, had: Span) {
        let asked = Asked { first: pod.requested, last: pod.tried };
        self.pod_served(now, id.index(), pod.node, pod.vswitch, pod.address, asked, retained, had);
    }

    fn has_another(&mut self, vswitch: VSwitchId) {
        self.another_served(vswitch);
    }

    fn unbound(&mut self, now: Instant, vswitch: VSwitchId) {
        self.address_released(now, vswitch);
    }

    fn moved(&mut self, now: Instant, node: NodeId, vswitch: VSwitchId, cloud: &Cloud) {
        self.enis_changed(node, cloud.node_enis(node).0);
        refresh(self, now, cloud, vswitch);
    }

    fn limited(&mut self, at: Instant, node: NodeId, cause: Cause) {
        self.node_limited(at, node, cause);
    }

    fn failed(&mut self, at: Instant, id: PodId, pod: &Pod, failure: Failure, node: &dyn Fn() -> Holdings) {
        self.pod_failed(at, id.index(), pod.node, pod.tried, failure, node);
    }

    fn wants_account(&mut self) -> Option<VSwitchId> {
        self.take_newly_full()
    }

    fn account(&mut self, vswitch: VSwitchId, idle: IdleParts<u32>, asked: u32) {
        Recorder::account(self, vswitch, idle, asked);
    }
}

/// What is written down of an answered call.
fn call_step(call: &Answered, recorder: &Recorder) -> CallStep {
    CallStep {
        api: call.api,
        by_control_plane: call.by_control_plane,
        left: call.left,
        eni: call.eni,
        vswitch: call.vswitch,
        addresses: call.addresses,
        answer: call.answer,
        heard: call.heard,
        who: call.vswitch.map(|id| recorder.holders(id)),
    }
}

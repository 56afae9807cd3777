//! Who is told what happens below the cluster.

use super::Pod;
use crate::cloud::Cloud;
use crate::id::{EniId, NodeId, PodId, VSwitchId};
use crate::ipam::{Failure, Holdings};
use crate::model::Quota;
use crate::openapi::Api;
use crate::record::{CallAnswer, Cause, IdleParts};
use crate::time::{Instant, Span};

/// A call that was answered.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// For which node; `None` = for all.
    pub node: Option<NodeId>,
    /// The action.
    pub api: Api,
    /// The vSwitch, if it is about one, or about addresses of an interface on one.
    pub vswitch: Option<VSwitchId>,
    /// The interface, if it is about one, or made one.
    pub eni: Option<EniId>,
    /// Addresses that it asks for or gives back.
    pub addresses: u32,
    /// The quota that has no room now for what it asks for.
    pub quota: Option<Quota>,
    /// When it left.
    pub left: Instant,
    /// What came back.
    pub answer: CallAnswer,
    /// Whether somebody hears it.
    pub heard: bool,
    /// The control plane made it, and not the daemon of the node.
    pub by_control_plane: bool,
}

/// Somebody who is told what happens; every method has nothing to do by default.
pub trait Observer {
    /// A call leaves at `at` and is answered after `latency`.
    fn called(&mut self, _at: Instant, _node: Option<NodeId>, _api: Api, _latency: Span) {}
    /// A call was answered, at the end of its latency.
    fn answered(&mut self, _now: Instant, _call: &Answered, _cloud: &Cloud) {}
    /// A daemon that starts has taken interfaces over that had leaked; no pod has an address of them yet.
    fn adopted(&mut self, _now: Instant, _cloud: &Cloud) {}
    /// A pod is about to ask for its address; its node has this.
    fn asks(&mut self, _now: Instant, _id: PodId, _pod: &Pod, _node: &dyn Fn() -> Holdings) {}
    /// An address is in use.
    fn bound(&mut self, _now: Instant, _vswitch: VSwitchId) {}
    /// The daemon of a pod's node has answered its latest CNI ADD with an address.
    fn answered_add(&mut self, _now: Instant, _pod: &Pod) {}
    /// A pod got its address, which the daemon has had for so long; it may have been retained.
    fn served(&mut self, _now: Instant, _id: PodId, _pod: &Pod, _retained: bool, _had: Span) {}
    /// A pod has an address of another of its networks, on this vSwitch, beside its first.
    fn has_another(&mut self, _vswitch: VSwitchId) {}
    /// An address is idle again.
    fn unbound(&mut self, _now: Instant, _vswitch: VSwitchId) {}
    /// An interface with an address of this vSwitch left this node, held for a pod that is gone, or came to
    /// it.
    fn moved(&mut self, _now: Instant, _node: NodeId, _vswitch: VSwitchId, _cloud: &Cloud) {}
    /// What keeps a node from addresses, of which its own calls need not tell.
    fn limited(&mut self, _at: Instant, _node: NodeId, _cause: Cause) {}
    /// A pod was left without an address; the kubelet will try again.
    fn failed(&mut self, _at: Instant, _id: PodId, _pod: &Pod, _failure: Failure, _node: &dyn Fn() -> Holdings) {}
    /// The next vSwitch whose idle addresses it wants to be told of, at once.
    fn wants_account(&mut self) -> Option<VSwitchId> {
        None
    }
    /// What the idle addresses of a vSwitch are about, and how many more calls under way ask for.
    fn account(&mut self, _vswitch: VSwitchId, _idle: IdleParts<u32>, _asked: u32) {}
}

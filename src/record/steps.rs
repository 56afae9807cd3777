//! What happens to pods, and what daemons do, step by step.

use std::net::Ipv4Addr;

use super::{Cause, FailureReason, Holders, Recording};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::Holdings;
use crate::model::{Model, Unfit};
use crate::openapi::{Api, ErrorCode};
use crate::time::{Instant, Span};

/// Something that happened to a pod, or that a daemon did.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// On which node; `None` = on none yet.
    pub node: Option<NodeId>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A controller made a pod.
    Created(PodName),
    /// A pod found no node.
    Pending(PodName, Unfit),
    /// A pod was scheduled.
    Scheduled(PodName),
    /// A pod asked for its address (CNI ADD) for the first time, of a daemon that had this.
    Asked(PodName, Box<Holdings>),
    /// A pod got its address.
    Served {
        /// The pod.
        pod: PodName,
        /// The vSwitch.
        vswitch: VSwitchId,
        /// The address.
        address: Ipv4Addr,
        /// Whether it had been retained for the pod.
        retained: bool,
        /// When the attempt began that got it.
        tried: Instant,
        /// How long the daemon has had it: its answer waited for the API server (rule R114).
        had: Span,
    },
    /// The daemon left a pod without an address; the kubelet tries again.
    Failed {
        /// The pod.
        pod: PodName,
        /// When the attempt began.
        tried: Instant,
        /// What the daemon answered.
        reason: FailureReason,
        /// Why, as far as it is known.
        cause: Option<Cause>,
        /// What the daemon had.
        had: Box<Holdings>,
    },
    /// A pod was told to end.
    Ending(PodName),
    /// Nothing of a pod is left.
    Gone(PodName),
    /// A call was answered.
    Call(Box<CallStep>),
}

/// What a pod is called: `web-17` is the 17th that the controller made, `db-0` the pod of a
/// StatefulSet with that ordinal, in all its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodName {
    /// Position in [`Model::workloads`].
    pub workload: u32,
    /// Its number.
    pub serial: u32,
}

/// One life of a pod; that of a StatefulSet may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodRow {
    /// What it is called.
    pub name: PodName,
    /// When its controller made it.
    pub created: Instant,
    /// Why it found no node at first.
    pub pending: Option<Unfit>,
    /// Its node.
    pub node: Option<NodeId>,
    /// When it was scheduled and asked for its address.
    pub requested: Option<Instant>,
    /// When the daemon first left it without an address.
    pub first_failed: Option<Instant>,
    /// How often the daemon did.
    pub failures: u32,
    /// When it got its address.
    pub served: Option<Instant>,
    /// When it was told to end.
    pub deleted: Option<Instant>,
    /// When nothing of it was left: its address, if it had one, was given back to the node.
    pub ended: Option<Instant>,
    /// Its vSwitch.
    pub vswitch: Option<VSwitchId>,
    /// Its address.
    pub address: Option<Ipv4Addr>,
}

/// An answered call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStep {
    /// The action.
    pub api: Api,
    /// The control plane made it, and not the daemon of the node.
    pub by_control_plane: bool,
    /// When it left.
    pub left: Instant,
    /// The interface, if it is about one.
    pub eni: Option<EniId>,
    /// The vSwitch, if it is about one, or about an interface on one.
    pub vswitch: Option<VSwitchId>,
    /// Addresses that it asks for or gives back.
    pub addresses: u32,
    /// What came back.
    pub answer: CallAnswer,
    /// Whether who made it heard the answer: it had not been restarted since.
    pub heard: bool,
    /// Who has the addresses of the vSwitch after it.
    pub who: Option<Holders<u32>>,
}

/// What came back from a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallAnswer {
    /// It was done.
    Done,
    /// The vSwitch has so many free addresses.
    Free(u32),
    /// It was refused.
    Refused(ErrorCode),
}

impl PodName {
    /// The name that [`PodName::text`] writes so; the pod need not exist.
    #[must_use]
    pub fn parse(model: &Model, text: &str) -> Option<Self> {
        let (workload, serial) = text.rsplit_once('-')?;
        let workload = model.workloads.iter().position(|known| known.name == workload)? as u32;
        Some(Self { workload, serial: serial.parse().ok()? })
    }

    /// The name as people read it.
    #[must_use]
    pub fn text(self, model: &Model) -> String {
        format!("{}-{}", model.workloads[self.workload as usize].name, self.serial)
    }
}

impl Recording {
    /// What a node is called.
    #[must_use]
    pub fn node_name(&self, model: &Model, node: NodeId) -> String {
        let (key, _) = model.groups().nth(self.nodes[node.index()]).expect("a node is of a group of the model");
        model.node_name(key.pool, node)
    }
}

impl Step {
    /// The pod that it is about.
    #[must_use]
    pub fn pod(&self) -> Option<PodName> {
        match self.what {
            What::Created(pod)
            | What::Pending(pod, _)
            | What::Scheduled(pod)
            | What::Asked(pod, _)
            | What::Served { pod, .. }
            | What::Failed { pod, .. }
            | What::Ending(pod)
            | What::Gone(pod) => Some(pod),
            What::Call(_) => None,
        }
    }
}

//! A CNI ADD from the kubelet's call to the daemon's answer, but for the address itself: the daemon asks the API server for
//! the pod, and writes its addresses down (rule R114).

use super::{Engine, Happening, Observer, PodState, Power};
use crate::id::{NodeId, PodId};
use crate::ipam::Failure;
use crate::time::Instant;

/// Something that happens for a pod of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Next {
    pub at: Instant,
    pub pod: PodId,
    pub what: Step,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The kubelet calls CNI ADD, again if it has failed.
    Add,
    /// The daemon knows the pod, and goes for an address.
    Allocate,
    /// It has an address, has looked the pod up once more, and writes the address down.
    WriteDown,
    /// It has written the address down, and answers.
    Answer,
}

impl Step {
    /// Whether the layer above hears of it, so that it has to happen at its time.
    pub fn is_heard(self) -> bool {
        matches!(self, Self::WriteDown | Self::Answer)
    }
}

impl<O: Observer> Engine<O> {
    /// The daemon looks a pod up before it goes for an address; `false` = its client of the API server has the request
    /// wait (rule R114).
    pub(super) fn looks_up(&mut self, node: NodeId, at: Instant, pod: PodId) -> bool {
        let state = &mut self.nodes[node.index()];
        let passes = state.requests.pass(at);
        if passes > at {
            state.next.push(Next { at: passes, pod, what: Step::Allocate });
        }
        passes == at
    }

    /// What is due for a pod; whether the daemon goes for its address now.
    pub(super) fn goes_on(&mut self, node: NodeId, Next { at, pod, what }: Next) -> bool {
        let listens = self.nodes[node.index()].power == Power::Up;
        if what == Step::Add {
            self.pods[pod.index()].tried = at;
        }
        match what {
            Step::Add | Step::Allocate if !listens => {
                self.retry(node, at, pod, Failure::Down);
                false
            }
            Step::Add => self.looks_up(node, at, pod),
            Step::Allocate => true,
            Step::WriteDown => {
                self.requests(node, pod, Step::Answer);
                false
            }
            Step::Answer => {
                self.answers(pod);
                false
            }
        }
    }

    /// The daemon has an address for a pod: it looks the pod up again, writes the address down, and answers.
    pub(super) fn has_address(&mut self, pod: PodId) {
        let node = self.pods[pod.index()].node;
        match self.nodes[node.index()].requests.patches() {
            true => self.requests(node, pod, Step::WriteDown),
            false => self.answers(pod),
        }
    }

    /// A request that is made now, and what comes when it has passed: at once or later.
    fn requests(&mut self, node: NodeId, pod: PodId, what: Step) {
        let at = self.nodes[node.index()].requests.pass(self.now);
        let next = Next { at, pod, what };
        if at <= self.now {
            self.goes_on(node, next);
        } else {
            self.nodes[node.index()].next.push(next);
            self.arm(node);
        }
    }

    /// The daemon answers a pod that it has an address for.
    fn answers(&mut self, id: PodId) {
        let pod = &mut self.pods[id.index()];
        assert_eq!(pod.state, PodState::Answering, "what goes on for a pod ends with it");
        let had_at = std::mem::replace(&mut pod.served, self.now);
        pod.state = PodState::Running;
        self.observer.served(self.now, id, pod, pod.retained, self.now.since(had_at));
        self.happened.push_back(Happening::Served(id));
    }
}

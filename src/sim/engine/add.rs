//! A CNI ADD from the kubelet's call to its return, but for the address itself: what is asked of the API server for it, one
//! request after the other (rule R114).

use super::{Engine, Happening, Observer, PodState, Power};
use crate::id::{NodeId, PodId};
use crate::ipam::{Failure, RPC_TIMEOUT};
use crate::time::{Instant, Span};

/// So long the plugin waits for the event that it has recorded (`defaultEventTimeout`, `plugin/terway/cni_linux.go:107-129`).
const EVENT_TIMEOUT: Span = Span::secs(10);

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
    /// The kubelet calls CNI ADD, again if it has failed; the daemon looks the pod up.
    Add,
    /// The daemon knows the pod, and goes for an address.
    Allocate,
    /// It has an address, has looked the pod up once more, and writes the address down.
    WriteDown,
    /// It has written the address down, and answers the plugin, which has an event recorded.
    Answer,
    /// The daemon has looked the pod up for its event, and the plugin returns.
    Return,
}

impl Step {
    /// Whether the layer above hears of it, so that it has to happen at its time.
    pub fn is_heard(self) -> bool {
        matches!(self, Self::WriteDown | Self::Answer | Self::Return)
    }
}

impl<O: Observer> Engine<O> {
    /// The kubelet calls CNI ADD of a pod at `at`; whether the daemon, which listens, knows the pod at once.
    pub(super) fn looks_up(&mut self, node: NodeId, at: Instant, pod: PodId) -> bool {
        let state = &mut self.nodes[node.index()];
        match state.requests.pass_by(at, at + RPC_TIMEOUT) {
            None => {
                self.retry(node, at, pod, Failure::Deadline);
                false
            }
            Some(passes) if passes > at => {
                state.next.push(Next { at: passes, pod, what: Step::Allocate });
                false
            }
            Some(_) => true,
        }
    }

    /// What is due for a pod; whether the daemon goes for its address now.
    pub(super) fn goes_on(&mut self, node: NodeId, Next { at, pod, what }: Next) -> bool {
        match what {
            Step::Add => {
                self.pods[pod.index()].tried = at;
                if self.nodes[node.index()].power == Power::Up {
                    return self.looks_up(node, at, pod);
                }
                self.retry(node, at, pod, Failure::Down);
            }
            Step::Allocate => return true,
            Step::WriteDown => self.asks_for(node, pod, Step::Answer),
            Step::Answer => self.answers(node, pod),
            Step::Return => self.returns(pod),
        }
        false
    }

    /// The daemon has an address for a pod: it looks the pod up again, writes the address down, and answers.
    pub(super) fn has_address(&mut self, pod: PodId) {
        let node = self.pods[pod.index()].node;
        match self.nodes[node.index()].requests.patches() {
            true => self.asks_for(node, pod, Step::WriteDown),
            false => self.answers(node, pod),
        }
    }

    /// A request on the way to an answer; one that would not pass before the call's deadline is left out
    /// (`daemon/daemon.go:270-275` ignores its error).
    fn asks_for(&mut self, node: NodeId, pod: PodId, then: Step) {
        let deadline = self.pods[pod.index()].tried + RPC_TIMEOUT;
        match self.nodes[node.index()].requests.pass_by(self.now, deadline) {
            Some(at) => self.goes_on_at(node, Next { at, pod, what: then }),
            None => self.answers(node, pod),
        }
    }

    /// The daemon answers the plugin, which has an event recorded before it returns: for that the pod is looked up, too
    /// (`daemon/daemon.go:464-481`, `pkg/k8s/k8s.go:490-491`).
    fn answers(&mut self, node: NodeId, pod: PodId) {
        self.observer.answered_add(self.now, &self.pods[pod.index()]);
        let passes = self.nodes[node.index()].requests.pass(self.now);
        self.goes_on_at(node, Next { at: passes.min(self.now + EVENT_TIMEOUT), pod, what: Step::Return });
    }

    /// Goes on at once, or later.
    fn goes_on_at(&mut self, node: NodeId, next: Next) {
        if next.at <= self.now {
            self.goes_on(node, next);
        } else {
            self.nodes[node.index()].next.push(next);
            self.arm(node);
        }
    }

    /// The ADD of a pod returns with its address.
    fn returns(&mut self, id: PodId) {
        let pod = &mut self.pods[id.index()];
        assert_eq!(pod.state, PodState::Answering, "what goes on for a pod ends with it");
        let had_at = std::mem::replace(&mut pod.served, self.now);
        pod.state = PodState::Running;
        self.observer.served(self.now, id, pod, pod.retained, self.now.since(had_at));
        self.happened.push_back(Happening::Served(id));
    }

    /// The daemon of a node stops, and with it what it asks the API server for. Pods without an address hear of it, or are
    /// found by the kubelet when that is back; those with one get it now, though upstream their ADD fails and is made again.
    pub(super) fn cut_off(&mut self, node: NodeId, kubelet_goes_on: bool) {
        let next = &mut self.nodes[node.index()].next;
        let cut: Vec<Next> = next.extract_if(.., |next| next.what != Step::Add).collect();
        for Next { pod, what, .. } in cut {
            match what {
                Step::Allocate if kubelet_goes_on => self.retry(node, self.now, pod, Failure::Restart),
                Step::Allocate => {
                    self.nodes[node.index()].next.push(Next { at: self.now, pod, what: Step::Add });
                }
                _ => {
                    if what != Step::Return {
                        self.observer.answered_add(self.now, &self.pods[pod.index()]);
                    }
                    self.returns(pod);
                }
            }
        }
    }
}

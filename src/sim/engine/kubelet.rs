//! The kubelet of a node: it tries again what failed.

use super::add::{Next, Step};
use super::daemon::{Daemon, holdings_for};
use super::{Engine, Node, Observer, Pod, PodState, Power};
use crate::id::{NodeId, PodId};
use crate::ipam::Failure;
use crate::time::{Instant, Span};

impl<O: Observer> Engine<O> {
    /// If CNI DEL of a pod fails now, since nobody listens on its node: how long the kubelet waits
    /// before it tries again.
    pub fn del_fails(&mut self, id: PodId) -> Option<Span> {
        let Pod { node, state, .. } = self.pods[id.index()];
        let is_deaf = matches!(self.nodes[node.index()].power, Power::DaemonDown | Power::Starting);
        if !state.has_address() || !is_deaf {
            return None;
        }
        // What failed before drew before.
        self.touch(node);
        let kubelet = &mut self.nodes[node.index()].kubelet;
        Some(self.sandbox_retry.sample(kubelet))
    }

    /// The kubelet tries a failed sandbox again after a while (rule R119).
    #[inline(never)]
    pub(super) fn retry(&mut self, node: NodeId, at: Instant, id: PodId, failure: Failure) {
        let pod = &self.pods[id.index()];
        if pod.node != node || pod.state != PodState::Waiting {
            // It was deleted while the node was down.
            return;
        }
        let state = &mut self.nodes[node.index()];
        // The plugin has an event recorded, and the runtime tears the sandbox down: the daemon looks the pod up for both.
        if !matches!(failure, Failure::Restart | Failure::Down) {
            state.requests.pass(at);
            state.requests.pass(at);
        }
        let again = at + self.sandbox_retry.sample(&mut state.kubelet);
        state.next.push(Next { at: again, pod: id, what: Step::Add });
        let (pod, state) = (&self.pods[id.index()], &self.nodes[node.index()]);
        let holdings = || holdings_for(pod, state, self.plane.as_deref(), self.own.as_deref(), at);
        self.observer.failed(at, id, pod, failure, &holdings);
        if self.others_decide(node) {
            self.arm(node);
        }
    }

    /// Whether what a node has for its pods changes without it: the next failure has to be told at its time.
    pub(super) fn others_decide(&self, node: NodeId) -> bool {
        let state = &self.nodes[node.index()];
        !matches!(state.daemon, Daemon::NodeLocal(_) | Daemon::Classic(_))
            || state.next.iter().any(|next| next.what.is_heard() || self.pods[next.pod.index()].has_own_eni)
    }
}

impl Node {
    /// When something is due inside the node, and the position of the retry that it is; `None` =
    /// it is a timer of the daemon, which goes first at equal times. Of equal retries the one that
    /// failed first is first.
    #[inline]
    pub(super) fn due(&self) -> (Instant, Option<usize>) {
        let timer = self.daemon.poll_timeout();
        if self.next.is_empty() { (timer, None) } else { self.due_with_pods(timer) }
    }

    fn due_with_pods(&self, timer: Instant) -> (Instant, Option<usize>) {
        match (0..self.next.len()).min_by_key(|&i| self.next[i].at) {
            Some(i) if self.next[i].at < timer => (self.next[i].at, Some(i)),
            _ => (timer, None),
        }
    }
}

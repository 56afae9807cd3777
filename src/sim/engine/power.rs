//! Nodes fail, come back, and are released.

use std::sync::Arc;

use super::{Call, Engine, Observer, Power};
use crate::id::NodeId;
use crate::ipam::node_local::Config;
use crate::ipam::{Input, Request};
use crate::time::Instant;

impl<O: Observer> Engine<O> {
    /// A node stops working: its daemon dies, its kubelet does nothing, calls go on in the cloud.
    pub fn node_down(&mut self, node: NodeId) {
        self.input(node, Input::Stop);
        self.dies(node);
        let state = &mut self.nodes[node.index()];
        (state.power, state.armed) = (Power::Down, Instant::NEVER);
    }

    /// A daemon's life is over: calls that it has not made yet are never made.
    fn dies(&mut self, node: NodeId) {
        let not_left = |call: &&mut Call| call.node == node && call.leaves > self.now;
        for call in self.calls.iter_mut().filter(not_left) {
            call.leaves = Instant::NEVER;
        }
    }

    /// What calls of the life before still take away is gone before the next one looks: instance
    /// metadata would show it for a moment, and the daemon would hand out addresses that are gone.
    /// A start of the daemon takes longer than such a call (an assumption).
    fn finish_removals(&mut self, node: NodeId) {
        let takes_away =
            |request: &Request| matches!(request, Request::Unassign(..) | Request::Detach(_) | Request::Delete(_));
        for index in 0..self.calls.len() {
            let call = self.calls[index];
            if call.node == node && call.leaves != Instant::NEVER && takes_away(&call.request) {
                self.calls[index].leaves = Instant::NEVER;
                // Nobody hears the answer.
                let _ = self.execute(node, &call.request, call.leaves, false);
            }
        }
    }

    /// A node works again, from its disk: the daemon restarts, the kubelet goes on with the pods
    /// that are still the node's.
    pub fn node_up(&mut self, node: NodeId, config: Arc<Config>) {
        let now = self.now;
        let state = &mut self.nodes[node.index()];
        state.power = Power::Up;
        let unreleased = std::mem::take(&mut state.unreleased);
        // A daemon that is stopped hears nothing before its restart.
        let retries = std::mem::take(&mut state.retries);
        self.restart_daemon(node, config);
        for release in unreleased {
            self.input(node, Input::Release(release));
        }
        self.nodes[node.index()].retries.extend(retries.into_iter().map(|(at, pod)| (at.max(now), pod)));
        self.touch(node);
        self.arm(node);
    }

    /// An instance is released: its pods must be gone from it already, but for their addresses.
    pub fn release_node(&mut self, node: NodeId) {
        self.touch(node);
        self.dies(node);
        let state = &mut self.nodes[node.index()];
        (state.power, state.armed) = (Power::Released, Instant::NEVER);
        let held: Vec<_> = state.daemon.bound().map(|(pod, eni, _)| (pod, eni)).collect();
        for (pod, eni) in held {
            self.released(pod, eni);
        }
        self.cloud.release_instance(node);
    }

    /// The daemon of a node is restarted with `config`.
    pub fn restart_daemon(&mut self, node: NodeId, config: Arc<Config>) {
        self.touch(node);
        self.dies(node);
        self.finish_removals(node);
        self.cloud.strand(node);
        let attached = self.cloud.attached(node);
        self.input(node, Input::Restart { config, attached });
    }
}

//! Nodes fail, come back, and are released.

use super::add::Next;
use super::{Daemon, Engine, Observer, Power};
use crate::id::NodeId;
use crate::ipam::centralized::{self, DaemonInput};
use crate::ipam::{Config, Input};
use crate::time::Instant;

impl<O: Observer> Engine<O> {
    /// A node stops working: its daemon dies, its kubelet does nothing, calls go on in the cloud.
    pub fn node_down(&mut self, node: NodeId) {
        self.touch(node);
        self.stop(node, Input::Stop, DaemonInput::Stop);
        self.dies(node);
        let state = &mut self.nodes[node.index()];
        (state.power, state.armed) = (Power::Down, Instant::NEVER);
    }

    /// A node works again, from its disk: the daemon restarts, the kubelet goes on with the pods
    /// that are still the node's.
    pub fn node_up(&mut self, node: NodeId, config: &Config) {
        let now = self.now;
        let state = &mut self.nodes[node.index()];
        state.power = Power::Up;
        let unreleased = std::mem::take(&mut state.unreleased);
        // A daemon that is stopped hears nothing before its restart.
        let next = std::mem::take(&mut state.next);
        self.restart_daemon(node, config);
        for release in unreleased {
            self.touch(node);
            self.input(node, Input::Release(release));
        }
        self.nodes[node.index()].next.extend(next.into_iter().map(|next| Next { at: next.at.max(now), ..next }));
        self.touch(node);
        self.arm(node);
    }

    /// An instance is released: its pods must be gone from it already, but for their addresses.
    pub fn release_node(&mut self, node: NodeId) {
        self.touch(node);
        self.dies(node);
        self.never_tells_of_death(node);
        let state = &mut self.nodes[node.index()];
        (state.power, state.armed) = (Power::Released, Instant::NEVER);
        match &mut state.daemon {
            Daemon::NodeLocal(daemon) => {
                let held: Vec<_> = daemon.bound().map(|(pod, eni, _)| (pod, eni)).collect();
                for (pod, eni) in held {
                    self.unbound(eni);
                    self.left(pod);
                }
            }
            Daemon::Classic(daemon) => {
                for (pod, eni, _) in daemon.bound() {
                    self.unbound(eni);
                    self.left(pod);
                }
            }
            Daemon::Centralized(_) | Daemon::Prefixes(_) => {
                let held = state.daemon.in_use();
                held.into_iter().map(|(eni, _)| eni).for_each(|eni| self.unbound(eni));
                self.control(centralized::Input::Leave(node));
            }
            Daemon::Exclusive(_) => {}
        }
        self.own_released(node);
        self.cloud.release_instance(node);
    }
}

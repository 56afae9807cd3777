//! The daemon of a node stops and starts; the kubelet goes on.

use std::sync::Arc;

use super::add::{Next, Step};
use super::{Call, Daemon, Engine, Happening, Observer, Power};
use crate::id::NodeId;
use crate::ipam::centralized::DaemonInput;
use crate::ipam::classic;
use crate::ipam::kube_client::Requests;
use crate::ipam::{Config, Failure, Input, Request};
use crate::record::Cause;
use crate::time::Instant;

impl<O: Observer> Engine<O> {
    /// The daemon of a node that works is stopped: pods that wait hear of it at once, what the
    /// kubelet asks for until [`Self::restart_daemon`] fails and is tried again, and calls go on in
    /// the cloud.
    pub fn stop_daemon(&mut self, node: NodeId) {
        self.touch(node);
        self.stop(node, Input::Kill, DaemonInput::Kill);
        self.dies(node);
        let state = &mut self.nodes[node.index()];
        (state.power, state.armed) = (Power::DaemonDown, Instant::NEVER);
        if self.others_decide(node) {
            self.arm(node);
        }
        self.plugins_stop(node);
    }

    /// The daemon of a node that works is restarted with `config`, or started if it is down.
    pub fn restart_daemon(&mut self, node: NodeId, config: &Config) {
        self.touch(node);
        self.cut_off(node, true);
        let state = &mut self.nodes[node.index()];
        (state.power, state.requests) = (Power::Up, Requests::new(config.kube_client()));
        for pod in self.own_stop(node) {
            self.retry(node, self.now, pod, Failure::Restart);
        }
        match config {
            Config::NodeLocal(config) => {
                self.dies(node);
                self.finish_removals(node);
                self.cloud.strand(node);
                let attached = self.cloud.attached(node);
                self.input(node, Input::Restart { config: Arc::clone(config), attached });
                self.observer.adopted(self.now, &self.cloud);
                self.looks_whether_up(node);
            }
            Config::Classic(config) => self.restart_classic(node, config),
            Config::Centralized(config) => {
                // One that no longer fits the mode of its CR would serve nobody (C122); here it goes on in that mode.
                if let Daemon::Prefixes(daemon) = &mut self.nodes[node.index()].daemon {
                    daemon.reads(config.both_or_none);
                }
                self.plane_mut().starting.remove(&node);
                let has_to_wait = self.has_to_wait_for_trunk(node, config);
                self.tell(node, if has_to_wait { DaemonInput::Kill } else { DaemonInput::Restart });
                self.plugins_stop(node);
                self.join(node, config);
                if has_to_wait {
                    self.wait_for_trunk(node);
                }
            }
            Config::Exclusive(config) => {
                self.own_edit(node, config);
                self.tell(node, DaemonInput::Restart);
            }
        }
    }

    /// A daemon of either kind stops.
    pub(super) fn stop(&mut self, node: NodeId, input: Input, centralized: DaemonInput) {
        match self.nodes[node.index()].daemon {
            Daemon::NodeLocal(_) | Daemon::Classic(_) => self.input(node, input.clone()),
            Daemon::Centralized(_) | Daemon::Prefixes(_) | Daemon::Exclusive(_) => self.tell(node, centralized),
        }
        self.cut_off(node, !matches!(input, Input::Stop));
        for pod in self.own_stop(node) {
            match input {
                // The kubelet is down too, and finds the pod when it is back.
                Input::Stop => self.nodes[node.index()].next.push(Next { at: self.now, pod, what: Step::Add }),
                _ => self.retry(node, self.now, pod, Failure::Restart),
            }
        }
    }

    /// Whether the node works and its daemon does not.
    #[must_use]
    pub fn daemon_is_down(&self, node: NodeId) -> bool {
        self.nodes[node.index()].power == Power::DaemonDown
    }

    /// Whether the daemon of a node has died, and [`Self::step`] has not told of it yet.
    #[must_use]
    pub fn has_yet_to_tell_of_death(&self, node: NodeId) -> bool {
        self.happened.iter().any(|what| what.is_death_of(node))
    }

    /// The death of a daemon goes untold, since its node goes in the same instant.
    pub(super) fn never_tells_of_death(&mut self, node: NodeId) {
        self.happened.retain(|what| !what.is_death_of(node));
    }

    /// Whether the daemon of a node has no trunk yet, or has died of that, so that it cannot be called.
    #[must_use]
    pub fn has_to_start(&self, node: NodeId) -> bool {
        matches!(self.nodes[node.index()].power, Power::Starting | Power::DaemonDown)
    }

    /// A daemon was started: it makes its trunk first, or waits for it, or listens already and says which trunk it has.
    pub(super) fn looks_whether_up(&mut self, node: NodeId) {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) if daemon.is_starting() => {
                self.nodes[node.index()].power = Power::Starting;
                self.plugins_stop(node);
            }
            Daemon::NodeLocal(daemon) => {
                let (trunk, devices) = (daemon.trunk(), daemon.devices());
                self.node_local_has_trunk(node, trunk);
                self.offer(node, devices);
            }
            Daemon::Prefixes(_) => {
                let config = self.controller().known_config(node).expect("a daemon fills in the CR when it starts");
                if self.has_to_wait_for_trunk(node, config) {
                    self.tell(node, DaemonInput::Kill);
                    self.wait_for_trunk(node);
                }
            }
            Daemon::Exclusive(daemon) => {
                let devices = Config::Exclusive(Arc::clone(&daemon.config)).devices();
                self.offer(node, devices);
            }
            Daemon::Classic(_) | Daemon::Centralized(_) => {}
        }
    }

    /// A daemon has its trunk and listens.
    pub(super) fn daemon_started(&mut self, node: NodeId) {
        self.nodes[node.index()].power = Power::Up;
        self.looks_whether_up(node);
        self.happened.push_back(Happening::Started(node));
    }

    /// A daemon has died since it has no trunk. If it knew before that no vSwitch has an address for it, no call tells of
    /// that.
    pub(super) fn daemon_not_started(&mut self, node: NodeId) {
        self.dies(node);
        self.plugins_stop(node);
        let holdings = self.holdings(node);
        if let Some(&vswitch) = holdings.blocked.first().filter(|_| holdings.blocked.len() == holdings.candidates.len())
        {
            self.limited(node, Cause::VSwitch(vswitch));
        }
        let state = &mut self.nodes[node.index()];
        (state.power, state.armed) = (Power::DaemonDown, Instant::NEVER);
        if self.others_decide(node) {
            self.arm(node);
        }
        self.happened.push_back(Happening::NotStarted(node));
    }

    /// A daemon's life is over: calls that it has not made yet are never made.
    pub(super) fn dies(&mut self, node: NodeId) {
        if let Some(plane) = &mut self.plane {
            plane.starting.remove(&node);
        }
        let not_left = |call: &&mut Call| call.node == node && call.leaves > self.now;
        for call in self.calls.iter_mut().filter(not_left) {
            call.leaves = Instant::NEVER;
        }
    }

    /// What calls of the life before still take away is gone before the next one looks: instance
    /// metadata would show it for a moment, and the daemon would hand out addresses that are gone.
    /// A start of the daemon takes longer than such a call (an assumption).
    pub(super) fn finish_removals(&mut self, node: NodeId) {
        let takes_away = |request: &Request| {
            matches!(request, Request::Unassign(..) | Request::UnassignV6(..) | Request::Detach(_) | Request::Delete(_))
        };
        for index in 0..self.calls.len() {
            let call = self.calls[index];
            if call.node == node && call.leaves != Instant::NEVER && takes_away(&call.request) {
                self.calls[index].leaves = Instant::NEVER;
                // Nobody waits for the answer.
                let reply = self.execute(node, &call.request, call.leaves, false);
                if let Daemon::Classic(daemon) = &mut self.nodes[node.index()].daemon {
                    daemon.handle(self.now, classic::Input::Reply(call.id, reply));
                }
            }
        }
    }
}

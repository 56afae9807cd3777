//! Pods come, are placed, and go.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::add::{Next, Step};
use super::daemon::holdings_for;
use super::{Daemon, Engine, Event, Observer, Pod, PodState, Power};
use crate::id::{EniId, NodeId, PodId, Uid, VSwitchId};
use crate::ipam::centralized::{DaemonInput, PodKey};
use crate::ipam::pod_eni::PodSpec;
use crate::ipam::{Failure, Fate, Input, Release};
use crate::time::Instant;

/// What a pod gets its address on.
#[derive(Debug, Clone)]
pub enum Wants {
    /// An interface of its node that it shares with other pods, or one of its own where the node has
    /// exclusive ones.
    Shared,
    /// An RDMA interface of its node that it shares with others (rules R50, C163).
    Rdma,
    /// Interfaces of its own, as its PodNetworkings say.
    Own(Arc<PodSpec>),
}

impl<O: Observer> Engine<O> {
    /// A pod exists, and has no node yet.
    pub fn create_pod(&mut self, owner: u32) -> PodId {
        let pod = Pod {
            node: NodeId::NONE,
            owner,
            key: PodKey(self.new_object()),
            uid: Uid::NONE,
            erdma: false,
            state: PodState::Pending,
            has_own_eni: false,
            retained: false,
            requested: self.now,
            tried: self.now,
            served: Instant::NEVER,
            eni: EniId::NONE,
            vswitch: VSwitchId::NONE,
            address: Ipv4Addr::UNSPECIFIED,
            timer: Instant::NEVER,
        };
        match self.free_pods.pop() {
            Some(id) => {
                self.pods[id.index()] = pod;
                id
            }
            None => {
                self.pods.push(pod);
                PodId::new(self.pods.len() - 1)
            }
        }
    }

    /// A pod that has no node yet may go to this one only (DaemonSet).
    pub fn bind_pod(&mut self, id: PodId, node: NodeId) {
        let pod = &mut self.pods[id.index()];
        assert_eq!(pod.state, PodState::Pending, "a pod is bound before it is placed");
        pod.node = node;
    }

    /// A pod whose identity outlives it (StatefulSet) exists again.
    pub fn recreate_pod(&mut self, id: PodId) {
        let pod = &mut self.pods[id.index()];
        assert_eq!(pod.state, PodState::Gone, "only a pod that is gone comes again");
        (pod.node, pod.state, pod.served) = (NodeId::NONE, PodState::Pending, Instant::NEVER);
        self.own_recreated(id);
    }

    /// A pod was scheduled to `node`: it asks for its address. A node that is down hears nothing of it; its
    /// kubelet finds the pod when it is back.
    pub fn place_pod(&mut self, id: PodId, node: NodeId, wants: Wants) {
        let uid = self.new_object();
        let pod = &mut self.pods[id.index()];
        assert_eq!(pod.state, PodState::Pending, "a pod is placed once");
        (pod.node, pod.state) = (node, PodState::Waiting);
        (pod.requested, pod.tried) = (self.now, self.now);
        let erdma = matches!(wants, Wants::Rdma);
        (pod.uid, pod.erdma) = (Uid(uid), erdma);
        let spec = match (&self.nodes[node.index()].daemon, &wants) {
            (_, Wants::Own(spec)) => Some(Arc::clone(spec)),
            (Daemon::Exclusive(daemon), _) => Some(Arc::new(daemon.config.pod())),
            (_, Wants::Shared | Wants::Rdma) => None,
        };
        pod.has_own_eni = spec.is_some();
        match spec {
            Some(spec) => self.own_scheduled(node, id, spec),
            None if self.is_centralized(node) => self.scheduled(node, id, erdma),
            None => {}
        }
        match self.nodes[node.index()].power {
            Power::Up => {
                self.touch(node);
                let pod = &self.pods[id.index()];
                let holdings = || {
                    let state = &self.nodes[node.index()];
                    holdings_for(pod, state, self.plane.as_deref(), self.own.as_deref(), self.now)
                };
                self.observer.asks(self.now, id, pod, &holdings);
                if !self.looks_up(node, self.now, id) {
                    self.arm(node);
                } else if self.pods[id.index()].has_own_eni {
                    self.own_add(node, id);
                } else if self.is_centralized(node) {
                    self.tell(node, DaemonInput::Allocate(Uid(uid)));
                } else {
                    self.input(node, if erdma { Input::AllocateRdma(id) } else { Input::Allocate(id) });
                }
            }
            Power::DaemonDown | Power::Starting => {
                self.touch(node);
                self.retry(node, self.now, id, Failure::Down);
            }
            Power::Down => self.nodes[node.index()].next.push(Next { at: self.now, pod: id, what: Step::Add }),
            Power::Released => unreachable!("no pod goes to an instance that is gone"),
        }
    }

    /// Sets the timer of a pod, which has one only; it is due now if its time is past.
    pub fn set_timer(&mut self, pod: PodId, at: Instant) {
        let at = at.max(self.now);
        self.pods[pod.index()].timer = at;
        if at != Instant::NEVER {
            self.events.push(at, Event::Timer(pod).pack());
        }
    }

    /// What is due by now for a pod on its node happens.
    pub fn catch_up_with(&mut self, id: PodId) {
        let Pod { node, .. } = self.pods[id.index()];
        if node != NodeId::NONE {
            self.touch(node);
        }
    }

    /// A pod is deleted, wherever it is. With `retain` its address is retained for it and its
    /// identity is kept for [`Self::recreate_pod`].
    pub fn delete_pod(&mut self, id: PodId, retain: bool) {
        let Pod { node, state: was, eni, address, has_own_eni, .. } = self.pods[id.index()];
        if was != PodState::Pending {
            self.touch(node);
            let state = &mut self.nodes[node.index()];
            state.next.retain(|next| next.pod != id);
            // The daemon looks the pod up when it is told of its DEL (`daemon/daemon.go:332`).
            if state.power == Power::Up {
                state.requests.pass(self.now);
            }
        }
        let pod = &mut self.pods[id.index()];
        (pod.state, pod.timer) = (if retain { PodState::Gone } else { PodState::Leaving }, Instant::NEVER);
        match was {
            // One of the same name may come before its DEL is heard; it does not wait for that here.
            PodState::Running | PodState::Answering
                if has_own_eni && !retain && self.nodes[node.index()].power == Power::Up =>
            {
                self.own_del(node, id);
            }
            PodState::Running | PodState::Answering | PodState::Waiting if has_own_eni => {
                self.own_gone(node, id);
                self.left(id);
            }
            PodState::Running | PodState::Answering if self.is_centralized(node) => {
                let up = self.nodes[node.index()].power == Power::Up;
                let uid = self.pods[id.index()].uid;
                let input = if up { DaemonInput::Release(uid) } else { DaemonInput::Lost(uid) };
                self.object_gone(node, id, input);
                self.left(id);
            }
            PodState::Running | PodState::Answering => {
                let then = if retain { Fate::Retained } else { Fate::Idle };
                self.release(node, Release { pod: id, eni, address, then });
            }
            PodState::Waiting => {
                if self.is_centralized(node) {
                    self.object_gone(node, id, DaemonInput::Cancel(self.pods[id.index()].uid));
                } else if retain && let Daemon::Classic(_) = self.nodes[node.index()].daemon {
                    // One of the same name comes again (rule P92).
                    self.cancel_classic(node, id);
                } else {
                    self.input(node, Input::Cancel(id));
                }
                self.left(id);
            }
            PodState::Pending => {
                self.own_withdrawn(id);
                self.left(id);
            }
            PodState::Gone | PodState::Leaving => unreachable!("a pod is deleted once"),
        }
    }

    /// The number of a new pod object, or of a new name.
    fn new_object(&mut self) -> u32 {
        self.objects += 1;
        self.objects
    }

    fn is_centralized(&self, node: NodeId) -> bool {
        matches!(self.nodes[node.index()].daemon, Daemon::Centralized(_) | Daemon::Prefixes(_))
    }

    /// CNI DEL of a pod's sandbox. After a crash the sandbox has no network namespace any more,
    /// and the plugin tells the daemon nothing (rule R120): the collection finds the address
    /// (rule R126). While the daemon alone is down a DEL fails ([`Self::del_fails`]); only pods that
    /// go with their node come here.
    fn release(&mut self, node: NodeId, release: Release) {
        let state = &mut self.nodes[node.index()];
        if state.power != Power::Up {
            let leaked = Release { then: Fate::Leaked, ..release };
            state.unreleased.push(if release.then == Fate::Idle { leaked } else { release });
        } else {
            self.input(node, Input::Release(release));
        }
    }

    /// Nothing of a deleted pod is left: its place is free for another.
    pub(super) fn left(&mut self, id: PodId) {
        let state = &mut self.pods[id.index()].state;
        if *state == PodState::Leaving {
            *state = PodState::Gone;
            self.free_pods.push(id);
        }
    }
}

//! Nodes whose daemon is of before v1.7: it may die of itself.

use std::sync::Arc;

use super::{Daemon, Engine, Happening, Observer, Power};
use crate::id::{NodeId, PodId};
use crate::ipam::Input;
use crate::ipam::classic::{self, Output};
use crate::time::Instant;

impl<O: Observer> Engine<O> {
    /// Hands an input to such a daemon, and carries out what it does.
    pub(super) fn classic(&mut self, node: NodeId, input: classic::Input) {
        let Daemon::Classic(daemon) = &mut self.nodes[node.index()].daemon else {
            unreachable!("who asks knows the daemon")
        };
        daemon.handle(self.now, input);
        self.pump_classic(node, self.now);
        self.arm(node);
    }

    /// Carries out what such a daemon did at `at`.
    pub(super) fn pump_classic(&mut self, node: NodeId, at: Instant) {
        while let Daemon::Classic(daemon) = &mut self.nodes[node.index()].daemon
            && let Some(output) = daemon.poll()
        {
            assert!(at == self.now || matches!(output, Output::Failed(..)), "{output:?} was to be seen at its time");
            match output {
                Output::Call { call, at, request } => self.call(node, call, at, request),
                Output::Allocated { pod, eni, address, retained } => self.allocated(pod, eni.id, address, retained),
                Output::Failed(pod, failure) => self.retry(node, at, pod, failure.into()),
                Output::Released(pod, eni) => {
                    self.unbound(eni);
                    self.left(pod);
                }
                Output::Stuck(defect) => self.happened.push_back(Happening::Stuck(node, defect)),
                Output::Crashed(defect) => {
                    self.dies(node);
                    let state = &mut self.nodes[node.index()];
                    (state.power, state.armed) = (Power::DaemonDown, Instant::NEVER);
                    self.happened.push_back(Happening::Crashed(node, defect));
                }
            }
        }
    }

    /// A pod that waits is deleted, and one of its name will come.
    pub(super) fn cancel_classic(&mut self, node: NodeId, pod: PodId) {
        if self.nodes[node.index()].power == Power::Up {
            self.touch(node);
            self.classic(node, classic::Input::Cancel(pod));
        }
    }

    /// Such a daemon starts with `config`; what still goes on in a life before ends first.
    pub(super) fn restart_classic(&mut self, node: NodeId, config: &Arc<classic::Config>) {
        self.classic(node, classic::Input::Kill);
        self.dies(node);
        self.finish_removals(node);
        self.cloud.strand(node);
        let attached = self.cloud.attached(node);
        self.classic(node, classic::Input::Restart { config: Arc::clone(config), attached });
        self.observer.adopted(self.now, &self.cloud);
    }
}

/// What an input is to such a daemon. Which of its pods are stateful it does not hear, so that an
/// address that comes too late for one is not reserved (rule P95).
pub(super) fn input(input: Input) -> classic::Input {
    match input {
        Input::Allocate(pod) => classic::Input::Allocate { pod, stateful: false },
        Input::Cancel(pod) => classic::Input::Forget(pod),
        Input::Release(release) => classic::Input::Release(release),
        Input::Reply(call, reply) => classic::Input::Reply(call, reply),
        Input::Stop => classic::Input::Stop,
        Input::Kill => classic::Input::Kill,
        Input::Tick => classic::Input::Tick,
        Input::AllocateRdma(_) => unreachable!("its nodes have no RDMA"),
        Input::Own(_) | Input::OwnIsOver(_) => unreachable!("it hears of no pod with an interface of its own"),
        Input::Restart { .. } => unreachable!("it has a configuration of its own"),
    }
}

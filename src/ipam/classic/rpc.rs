//! The daemon's calls: AllocIP, ReleaseIP and the collection (`daemon/daemon.go`, rules P92 to P101).

use super::pool::Resource;
use super::process::{Process, State};
use super::scheduler::{TaskId, Timer, TimerId};
use super::sync::{Lock, Mode};
use super::{Failure, Output};
use crate::id::PodId;
use crate::ipam::{Fate, Release};
use crate::time::Span;

/// An address of a stateful pod whose call came too late is reserved for so long (rules P95, P97,
/// `daemon/k8s.go:467`).
const STICK: Span = Span::mins(5);

/// Who waits for the answer to an AllocIP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub task: TaskId,
    /// When it gives up.
    pub timer: TimerId,
}

impl State {
    /// The pod is gone and none of its name will come: what goes on for it is no other pod's.
    pub fn forget(&mut self, pod: PodId) {
        self.leave(pod);
        self.processing.remove(&pod);
    }

    /// The pod has its address, unless that is of an interface which is detached: the plugin finds none of its MAC,
    /// and the runtime has the address given back.
    pub fn answer(&mut self, pod: PodId, resource: Resource, retained: bool) {
        self.leave(pod);
        let known = self.factory.of(resource.eni).and_then(|entry| entry.eni);
        let lost = self.factory.lost.iter().copied().find(|lost| lost.id == resource.eni);
        let Some(eni) = known.or_else(|| lost.filter(|lost| self.attached.contains(&lost.id))) else {
            self.pool.in_use.remove(&resource);
            if !self.sets_aside(resource) {
                self.pool.add_idle(resource, self.now);
            }
            self.outputs.push_back(Output::Failed(pod, Failure::Detached));
            return;
        };
        self.legacy.rows.insert(pod, resource);
        self.outputs.push_back(Output::Allocated { pod, eni, address: resource.address, retained });
    }

    /// Nobody waits for the pod's address any more; an acquire that waits for a token ends.
    pub fn leave(&mut self, pod: PodId) -> bool {
        let Some(caller) = self.callers.remove(&pod) else { return false };
        self.scheduler.clear_timer(caller.timer);
        if self.tokens.forget(caller.task) {
            self.scheduler.wake(caller.task, super::scheduler::Wake::Time);
        }
        true
    }
}

impl Process {
    /// AllocIP for a pod (rules P92, P93).
    pub fn allocate(&self, pod: PodId, stateful: bool) {
        if self.state().processing.contains_key(&pod) {
            self.state().outputs.push_back(Output::Failed(pod, Failure::Processing));
            return;
        }
        if self.state().allocate_at_once(pod) {
            return;
        }
        let task = self.spawn(|process| async move { process.alloc_ip(pod, stateful).await });
        let state = &mut *self.state();
        let timer = state.scheduler.set_timer(state.now + state.config.cni_timeout, Timer::Caller(pod));
        state.processing.insert(pod, task);
        state.callers.insert(pod, Caller { task, timer });
    }

    async fn alloc_ip(self, pod: PodId, stateful: bool) {
        let task = self.state().scheduler.running();
        self.lock(Lock::Service, Mode::Read).await;
        let preferred = self.state().legacy.rows.get(pod);
        let result = self.acquire(pod, preferred).await;
        let is_heard = self.state().callers.get(&pod).is_some_and(|caller| caller.task == task);
        match result {
            Ok((resource, retained)) if is_heard => self.state().answer(pod, resource, retained),
            Ok((resource, _)) => {
                self.release(resource, if stateful { STICK } else { Span::ZERO }).await;
                let mut state = self.state();
                if let Some(pod) = state.legacy.rows.unbind(resource) {
                    state.outputs.push_back(Output::Released(pod, resource.eni));
                }
            }
            Err(failure) if is_heard => self.state().fail(pod, failure),
            Err(_) => {}
        }
        self.unlock(Lock::Service, Mode::Read);
        self.state().processing.retain(|_, of| *of != task);
    }

    /// ReleaseIP for a pod that is gone (rule P97).
    pub fn give_back(&self, release: Release) {
        match release.then {
            Fate::Idle if self.state().release_at_once(release) => {}
            Fate::Idle => {
                self.spawn(|process| async move { process.release_ip(release).await });
            }
            Fate::Retained => self.state().legacy.rows.mourn(release.pod, true),
            Fate::Leaked => self.state().legacy.rows.mourn(release.pod, false),
        }
    }

    async fn release_ip(self, Release { pod, eni, address, .. }: Release) {
        self.lock(Lock::Service, Mode::Read).await;
        self.release(Resource { eni, address }, Span::ZERO).await;
        {
            let mut state = self.state();
            state.legacy.rows.remove(pod);
            state.outputs.push_back(Output::Released(pod, eni));
        }
        self.unlock(Lock::Service, Mode::Read);
    }

    /// The collection: what stateful pods left is spared once, the rest is given back (rules P99 to
    /// P101). Calls wait meanwhile, and it waits for them.
    pub async fn collect(self) {
        self.lock(Lock::Service, Mode::Write).await;
        let expired = self.state().legacy.rows.expire();
        for (pod, resource) in expired {
            self.release(resource, Span::ZERO).await;
            let mut state = self.state();
            state.legacy.rows.remove(pod);
            state.outputs.push_back(Output::Released(pod, resource.eni));
        }
        self.unlock(Lock::Service, Mode::Write);
    }
}

//! The controller `pod-eni`: has the interfaces of a PodENI attached, detached or deleted, and
//! waits for it (C148, C151, C152, `pkg/controller/pod-eni/eni_controller.go`).

use super::queue::Ended;
use super::resource::{Given, Phase, Place, PodEni};
use super::sweep::whole_second;
use super::{CACHE_SHOWS, Controller, Failure, Output, Timer};
use crate::id::EniId;
use crate::ipam::backoff::{Next, WAIT_INTERFACE_STATUS, WAIT_INTERFACE_STATUS_DELAY};
use crate::ipam::centralized::PodKey;
use crate::time::Instant;

/// A run that waits for interfaces. The worker is busy with it (C149).
#[derive(Debug)]
pub(super) struct BindRun {
    /// The version of the PodENI that the run began with.
    version: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// All interfaces are waited for at the same time.
    Attaching { trunk: Option<EniId>, parts: Vec<Part> },
    /// They are detached one after the other; this is the n-th, after so many looks.
    Detaching { i: usize, looks: u8 },
    /// It is bound, but the informer does not show it yet.
    Written,
}

/// The wait for one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// After so many looks.
    Waiting(u8),
    Attached,
    Failed,
}

impl Controller {
    /// A worker takes a PodENI.
    pub(super) fn run_pod_eni(&mut self, now: Instant, key: PodKey) {
        let Some(pod_eni) = self.pod_enis.get(&key) else { return self.pod_eni_queue.done(now, key, Ended::Done) };
        match pod_eni.phase {
            _ if pod_eni.deleting => self.delete_pod_eni(now, key),
            Phase::Bind | Phase::Unbind => self.pod_eni_queue.done(now, key, Ended::Done),
            Phase::Deleting => {
                self.write_pod_eni(key, |pod_eni| pod_eni.deleting = true);
                self.pod_eni_queue.done(now, key, Ended::Done);
            }
            Phase::Detaching => {
                let run = BindRun { version: pod_eni.version, stage: Stage::Detaching { i: 0, looks: 0 } };
                self.bind_runs.insert(key, run);
                self.detach_next(now, key);
            }
            Phase::Initial | Phase::Binding => match self.place_of(key, pod_eni) {
                Ok(place) => self.begin_attaching(now, key, place),
                Err(why) => self.bind_failed(now, key, why),
            },
        }
    }

    /// The PodENI goes at once, its interfaces in their own time: a new pod of this name need not
    /// wait for them (C151).
    fn delete_pod_eni(&mut self, now: Instant, key: PodKey) {
        let pod_eni = self.pod_enis.remove(&key).expect("it was looked at");
        pod_eni.interfaces.into_iter().for_each(|eni| self.give_up_interface(eni));
        self.pod_queue.add(key);
        self.pod_eni_queue.done(now, key, Ended::Done);
    }

    /// Where the interfaces are to be attached (C144, C145).
    fn place_of(&self, key: PodKey, pod_eni: &PodEni) -> Result<Place, Failure> {
        let pod = self.pods.get(&key).ok_or(Failure::Gone)?;
        let &trunk = self.nodes.get(&pod.node).ok_or(Failure::Gone)?;
        // What was kept for a fixed address is no other pod's (C152).
        if pod_eni.phase == Phase::Binding && (pod_eni.fixed.is_none() || pod.spec.fixed.is_none()) {
            return Err(Failure::NotReady);
        }
        match pod.spec.kind {
            super::Kind::Exclusive => Ok(Place { node: pod.node, trunk: None }),
            super::Kind::Member => Ok(Place { node: pod.node, trunk: Some(trunk.ok_or(Failure::NoTrunk)?) }),
        }
    }

    /// Has every interface attached that is not yet (`pkg/controller/common/eni.go:77-119`).
    fn begin_attaching(&mut self, now: Instant, key: PodKey, place: Place) {
        let pod_eni = &self.pod_enis[&key];
        let (version, interfaces) = (pod_eni.version, pod_eni.interfaces.clone());
        let parts: Vec<_> = interfaces.into_iter().map(|eni| self.ask_to_attach(eni, place)).collect();
        for (i, _) in parts.iter().enumerate().filter(|(_, part)| **part != Part::Failed) {
            self.set_timer(now + WAIT_INTERFACE_STATUS_DELAY, Timer::Bind(key, i));
        }
        self.bind_runs.insert(key, BindRun { version, stage: Stage::Attaching { trunk: place.trunk, parts } });
        self.part_attached(now, key);
    }

    fn ask_to_attach(&mut self, eni: EniId, place: Place) -> Part {
        match self.interfaces.get(&eni).map(|interface| interface.phase) {
            Some(Phase::Initial | Phase::Unbind) => {
                self.write_interface(eni, |interface| {
                    interface.phase = Phase::Binding;
                    interface.place = Some(place);
                });
                Part::Waiting(0)
            }
            Some(Phase::Bind | Phase::Binding) => Part::Waiting(0),
            Some(Phase::Detaching | Phase::Deleting) | None => Part::Failed,
        }
    }

    /// A run looks whether an interface is where it shall be, or the informer shows what it wrote.
    pub(super) fn bind_woken(&mut self, now: Instant, key: PodKey, i: usize) {
        match &self.bind_runs.get(&key).expect("timers belong to a run").stage {
            Stage::Attaching { parts, .. } => self.look_whether_attached(now, key, i, parts[i]),
            Stage::Detaching { looks, .. } => self.look_whether_detached(now, key, i, *looks),
            Stage::Written => {
                self.bind_runs.remove(&key);
                self.pod_eni_queue.done(now, key, Ended::Done);
            }
        }
    }

    fn look_whether_attached(&mut self, now: Instant, key: PodKey, i: usize, part: Part) {
        let Part::Waiting(looks) = part else { unreachable!("who does not wait does not look") };
        let attached = self.phase_of(key, i) == Some(Phase::Bind);
        let next = if attached { Part::Attached } else { self.look_later(now, key, i, looks + 1) };
        let run = self.bind_runs.get_mut(&key).expect("timers belong to a run");
        let Stage::Attaching { parts, .. } = &mut run.stage else { unreachable!("it is attaching") };
        parts[i] = next;
        self.part_attached(now, key);
    }

    /// Once no interface is waited for any more, the PodENI is bound, or all is tried again.
    fn part_attached(&mut self, now: Instant, key: PodKey) {
        let run = &self.bind_runs[&key];
        let Stage::Attaching { trunk, parts } = &run.stage else { unreachable!("it is attaching") };
        if parts.iter().any(|part| matches!(part, Part::Waiting(_))) {
            return;
        }
        if parts.contains(&Part::Failed) {
            return self.bind_failed(now, key, Failure::NotReady);
        }
        let (trunk, version) = (*trunk, run.version);
        if !self.is_current(key, version) {
            return self.bind_failed(now, key, Failure::Conflict);
        }
        self.bind_runs.insert(key, BindRun { version, stage: Stage::Written });
        self.set_timer(now + CACHE_SHOWS, Timer::Bind(key, 0));
        let pod_eni = &self.pod_enis[&key];
        let (pod, uid, interfaces) = (key, pod_eni.uid, self.given(pod_eni));
        self.outputs.push_back(Output::Bound { pod, uid, interfaces });
        self.write_pod_eni(key, |pod_eni| {
            pod_eni.phase = Phase::Bind;
            pod_eni.trunk = trunk;
            pod_eni.last_seen = pod_eni.fixed.map(|_| whole_second(now));
        });
    }

    fn given(&self, pod_eni: &PodEni) -> Vec<Given> {
        let given = |&eni: &EniId| {
            let interface = self.interfaces.get(&eni)?;
            let (vswitch, address, ipv6) = (interface.vswitch, interface.address, interface.ipv6);
            Some(Given { eni, vswitch, address, ipv6 })
        };
        pod_eni.interfaces.iter().filter_map(given).collect()
    }

    /// Has the next interface detached that still is there (`pkg/controller/common/eni.go:155-194`).
    fn detach_next(&mut self, now: Instant, key: PodKey) {
        let Stage::Detaching { i, .. } = self.bind_runs[&key].stage else { unreachable!("it is detaching") };
        let Some(&eni) = self.pod_enis.get(&key).and_then(|pod_eni| pod_eni.interfaces.get(i)) else {
            return self.all_detached(now, key);
        };
        match self.interfaces.get(&eni).map(|interface| interface.phase) {
            Some(Phase::Initial | Phase::Bind) => {
                self.write_interface(eni, |interface| interface.phase = Phase::Detaching);
            }
            Some(Phase::Unbind | Phase::Detaching) | None => {}
            Some(Phase::Binding | Phase::Deleting) => return self.bind_failed(now, key, Failure::NotReady),
        }
        self.set_timer(now + WAIT_INTERFACE_STATUS_DELAY, Timer::Bind(key, i));
    }

    fn look_whether_detached(&mut self, now: Instant, key: PodKey, i: usize, looks: u8) {
        let stage = match self.phase_of(key, i) {
            None | Some(Phase::Unbind) => Stage::Detaching { i: i + 1, looks: 0 },
            Some(_) => match self.look_later(now, key, i, looks + 1) {
                Part::Waiting(looks) => Stage::Detaching { i, looks },
                _ => return self.bind_failed(now, key, Failure::NotReady),
            },
        };
        let goes_on = matches!(stage, Stage::Detaching { looks: 0, .. });
        self.bind_runs.get_mut(&key).expect("timers belong to a run").stage = stage;
        if goes_on {
            self.detach_next(now, key);
        }
    }

    fn all_detached(&mut self, now: Instant, key: PodKey) {
        let run = self.bind_runs.remove(&key).expect("it is under way");
        if !self.is_current(key, run.version) {
            return self.bind_failed(now, key, Failure::Conflict);
        }
        self.outputs.push_back(Output::Held(key));
        self.write_pod_eni(key, |pod_eni| {
            pod_eni.phase = Phase::Unbind;
            pod_eni.trunk = None;
        });
        self.pod_eni_queue.done(now, key, Ended::Done);
    }

    /// Looks again after a pause, unless that was often enough.
    fn look_later(&mut self, now: Instant, key: PodKey, i: usize, looks: u8) -> Part {
        match WAIT_INTERFACE_STATUS.after(looks, self.jitter()) {
            Next::Retry(pause) => {
                self.set_timer(now + pause, Timer::Bind(key, i));
                Part::Waiting(looks)
            }
            Next::GiveUpAfter(_) | Next::GiveUp => Part::Failed,
        }
    }

    /// What happens to the n-th interface of a PodENI.
    fn phase_of(&self, key: PodKey, i: usize) -> Option<Phase> {
        let eni = self.pod_enis.get(&key)?.interfaces.get(i)?;
        self.interfaces.get(eni).map(|interface| interface.phase)
    }

    /// Whether nobody has changed a PodENI since a run began with it.
    fn is_current(&self, key: PodKey, version: u64) -> bool {
        self.pod_enis.get(&key).is_some_and(|pod_eni| pod_eni.version == version)
    }

    fn bind_failed(&mut self, now: Instant, key: PodKey, why: Failure) {
        self.bind_runs.remove(&key);
        self.fail(key, why);
        self.pod_eni_queue.done(now, key, Ended::Retry);
    }
}

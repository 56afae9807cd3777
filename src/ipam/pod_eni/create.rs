//! The controller `pod`: creates the interfaces of a pod and its PodENI, and says what becomes of
//! them when the pod is gone (C146 to C155, `pkg/controller/pod/pod_controller.go`).

use super::call::{Answer, Caller, Request};
use super::config::{Network, Policy};
use super::queue::Ended;
use super::resource::{NetworkInterface, Phase, Pod, PodEni};
use super::{CACHE_SHOWS, Controller, Failure, Timer};
use crate::chance::SmallStream;
use crate::id::{EniId, NodeId, VSwitchId};
use crate::ipam::backoff::{ENI_CREATE, Next};
use crate::ipam::centralized::vswitches::Known;
use crate::ipam::centralized::{PodKey, Refusal};
use crate::ipam::vswitch::Search;
use crate::time::{Instant, Span};

/// Time until a PodENI of another pod of that name is looked at again (C155).
const FOREIGN: Span = Span::secs(5);
/// Time until a PodENI under way is looked at again.
const UNDER_WAY: Span = Span::secs(1);

/// A run that creates what a pod needs. The worker is busy with it (C149).
#[derive(Debug)]
pub(super) struct Creation {
    pod: Pod,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// vSwitches are chosen, for one interface after the other.
    Choosing { chosen: Vec<VSwitchId>, search: Search },
    /// All interfaces are created at the same time.
    Creating(Vec<Part>),
    /// The PodENI is written, but the informer does not show it yet.
    Written,
}

/// One interface of the pod.
#[derive(Debug)]
struct Part {
    vswitch: VSwitchId,
    /// Calls so far.
    tries: u8,
    state: PartState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartState {
    /// It is being created, now or after a pause.
    Creating,
    /// Its NetworkInterface is written, but the informer does not show it yet.
    Written(EniId),
    Created(EniId),
    Failed(Option<Refusal>),
}

/// Begins to choose the vSwitch of an interface (C147).
fn search(network: &Network, chance: &mut SmallStream) -> Search {
    let mut order = network.candidates.clone();
    if network.policy == Policy::Random {
        chance.shuffle(&mut order);
    }
    Search::new(order, network.policy == Policy::Most)
}

impl Controller {
    /// Addresses of a vSwitch that creates under way for pods of a node ask for.
    #[must_use]
    pub fn asked(&self, node: NodeId, vswitch: VSwitchId) -> u32 {
        let asks = |part: &&Part| part.vswitch == vswitch && part.state == PartState::Creating;
        let of_node = self.creations.values().filter(|creation| creation.pod.node == node);
        let creating = of_node.filter_map(|creation| match &creation.stage {
            Stage::Creating(parts) => Some(parts.iter().filter(asks).count() as u32),
            Stage::Choosing { .. } | Stage::Written => None,
        });
        creating.sum()
    }

    /// A worker takes a pod.
    pub(super) fn run_pod(&mut self, now: Instant, key: PodKey) {
        let ended = match (self.pods.get(&key), self.pod_enis.get(&key)) {
            (None, None) => Ended::Done,
            (None, Some(_)) => self.pod_is_gone(key),
            // It is looked at every two seconds, which changes nothing: its end is an event (C151).
            (Some(pod), _) if pod.terminating => Ended::Done,
            (Some(_), Some(_)) => self.pod_has_pod_eni(key),
            (Some(pod), None) if !self.nodes.contains_key(&pod.node) => {
                self.fail(key, Failure::Gone);
                Ended::Retry
            }
            (Some(pod), None) => return self.begin_creation(now, key, pod.clone()),
        };
        self.pod_queue.done(now, key, ended);
    }

    /// C151, C152.
    fn pod_is_gone(&mut self, key: PodKey) -> Ended {
        let pod_eni = &self.pod_enis[&key];
        let fixed = pod_eni.fixed.is_some();
        match pod_eni.phase {
            _ if pod_eni.deleting => {}
            Phase::Deleting => {}
            Phase::Detaching | Phase::Unbind if fixed => {}
            _ if fixed => self.write_pod_eni(key, |pod_eni| pod_eni.phase = Phase::Detaching),
            _ => self.write_pod_eni(key, |pod_eni| pod_eni.phase = Phase::Deleting),
        }
        Ended::Done
    }

    /// A PodENI is there already: an earlier run's, or that of an earlier pod of this name.
    fn pod_has_pod_eni(&mut self, key: PodKey) -> Ended {
        let (pod, pod_eni) = (&self.pods[&key], &self.pod_enis[&key]);
        let (uid, node) = (pod.uid, pod.node);
        let is_ours = pod_eni.uid == uid;
        match pod_eni.phase {
            _ if pod_eni.deleting => Ended::Retry,
            Phase::Unbind if is_ours && pod_eni.node == node => {
                self.write_pod_eni(key, |pod_eni| pod_eni.phase = Phase::Binding);
                Ended::Done
            }
            Phase::Unbind => {
                self.write_pod_eni(key, |pod_eni| (pod_eni.uid, pod_eni.node) = (uid, node));
                Ended::Retry
            }
            Phase::Bind if is_ours => Ended::Done,
            Phase::Bind if pod_eni.fixed.is_some() => {
                self.write_pod_eni(key, |pod_eni| pod_eni.phase = Phase::Detaching);
                Ended::After(FOREIGN)
            }
            Phase::Bind => {
                self.write_pod_eni(key, |pod_eni| pod_eni.deleting = true);
                Ended::After(FOREIGN)
            }
            Phase::Binding | Phase::Detaching => Ended::After(UNDER_WAY),
            Phase::Initial | Phase::Deleting => Ended::Retry,
        }
    }

    fn begin_creation(&mut self, now: Instant, key: PodKey, pod: Pod) {
        let search = search(&pod.spec.networks[0], &mut self.chance);
        self.creations.insert(key, Creation { pod, stage: Stage::Choosing { chosen: Vec::new(), search } });
        self.choose(now, key, None);
    }

    /// A look-up that a creation waited for ended.
    pub(super) fn looked_up(&mut self, now: Instant, key: PodKey, vswitch: VSwitchId, free: Option<u32>) {
        let Some(Creation { stage: Stage::Choosing { search, .. }, .. }) = self.creations.get_mut(&key) else { return };
        assert_eq!(search.to_look_up(), Some(vswitch), "it waits for one look-up at a time");
        self.choose(now, key, Some(free));
    }

    /// Chooses as long as nothing has to be looked up; `answer` = what the look-up that it waited for said.
    fn choose(&mut self, now: Instant, key: PodKey, mut answer: Option<Option<u32>>) {
        let creation = self.creations.get_mut(&key).expect("it is under way");
        let Stage::Choosing { chosen, search } = &mut creation.stage else { unreachable!("nothing else chooses") };
        loop {
            let Some(vswitch) = search.to_look_up() else { return self.creation_failed(now, key, Failure::NoVSwitch) };
            let free = match answer.take() {
                Some(free) => free,
                None => match self.vswitches.look_up(now, vswitch, key) {
                    Known::Free(free) => Some(free),
                    Known::Asked => return,
                    Known::Unknown => return self.ask_for_count(now, vswitch),
                },
            };
            if !search.found(free) {
                continue;
            }
            chosen.push(vswitch);
            match creation.pod.spec.networks.get(chosen.len()) {
                Some(network) => *search = self::search(network, &mut self.chance),
                None => break,
            }
        }
        let part = |&vswitch: &VSwitchId| Part { vswitch, tries: 0, state: PartState::Creating };
        let parts: Vec<_> = chosen.iter().map(part).collect();
        let n = parts.len();
        creation.stage = Stage::Creating(parts);
        (0..n).for_each(|i| self.create(now, key, i));
    }

    fn create(&mut self, now: Instant, key: PodKey, i: usize) {
        let (creation, ipv6) = (&self.creations[&key], self.settings.ipv6);
        let Stage::Creating(parts) = &creation.stage else { unreachable!("interfaces are created in their stage") };
        let (node, outlives_instance) = (creation.pod.node, creation.pod.spec.fixed.is_some());
        let request = Request::Create { node, vswitch: parts[i].vswitch, ipv6, outlives_instance };
        self.request(now, Caller::Creation(key, i), request);
    }

    /// The cloud has answered a create (C148, C150).
    pub(super) fn creation_answered(&mut self, now: Instant, key: PodKey, i: usize, reply: Result<Answer, Refusal>) {
        let jitter = self.settings.jitter.then_some(&mut self.chance);
        let Some(part) = part(self.creations.get_mut(&key), i) else { return };
        part.tries += 1;
        match reply {
            Ok(Answer::Created { eni, address, ipv6 }) => {
                part.state = PartState::Written(eni);
                let (vswitch, phase) = (part.vswitch, Phase::Initial);
                let interface = NetworkInterface {
                    pod: key,
                    vswitch,
                    address,
                    ipv6,
                    phase,
                    place: None,
                    deleting: false,
                    version: 0,
                };
                self.interfaces.insert(eni, interface);
                self.eni_queue.add(eni);
                return self.set_timer(now + CACHE_SHOWS, Timer::Creation(key, i));
            }
            Ok(_) => unreachable!("a create is answered with the interface"),
            Err(Refusal::Transient) => match ENI_CREATE.after(part.tries, jitter) {
                Next::Retry(pause) => return self.set_timer(now + pause, Timer::Creation(key, i)),
                Next::GiveUpAfter(_) | Next::GiveUp => part.state = PartState::Failed(None),
            },
            Err(refusal) => {
                part.state = PartState::Failed(Some(refusal));
                if refusal == Refusal::IpNotEnough {
                    self.vswitches.block(now, part.vswitch, self.settings.vswitch_ttl);
                }
            }
        }
        self.part_ended(now, key);
    }

    /// A pause is over, or the informer shows what was written.
    pub(super) fn creation_woken(&mut self, now: Instant, key: PodKey, i: usize) {
        let Some(part) = part(self.creations.get_mut(&key), i) else {
            self.creations.remove(&key);
            return self.pod_queue.done(now, key, Ended::Done);
        };
        match part.state {
            PartState::Written(eni) => {
                part.state = PartState::Created(eni);
                self.part_ended(now, key);
            }
            _ => self.create(now, key, i),
        }
    }

    /// Once every interface is created, or has failed, the PodENI is written or all is rolled back.
    fn part_ended(&mut self, now: Instant, key: PodKey) {
        let creation = self.creations.get_mut(&key).expect("a part of it ended");
        let Stage::Creating(parts) = &creation.stage else { unreachable!("parts belong to their stage") };
        if parts.iter().any(|part| matches!(part.state, PartState::Creating | PartState::Written(_))) {
            return;
        }
        let created = |part: &Part| if let PartState::Created(eni) = part.state { Some(eni) } else { None };
        let failed = |part: &Part| if let PartState::Failed(why) = part.state { Some(why) } else { None };
        let interfaces: Vec<_> = parts.iter().filter_map(created).collect();
        if let Some(why) = parts.iter().find_map(failed) {
            interfaces.into_iter().for_each(|eni| self.give_up_interface(eni));
            return self.creation_failed(now, key, Failure::Create(why));
        }
        creation.stage = Stage::Written;
        let (uid, node, fixed) = (creation.pod.uid, creation.pod.node, creation.pod.spec.fixed);
        let (phase, last_seen) = (Phase::Initial, None);
        let pod_eni =
            PodEni { uid, node, phase, interfaces, fixed, last_seen, trunk: None, deleting: false, version: 0 };
        self.pod_enis.insert(key, pod_eni);
        self.pod_queue.add(key);
        self.pod_eni_queue.add(key);
        self.set_timer(now + CACHE_SHOWS, Timer::Creation(key, 0));
    }

    fn creation_failed(&mut self, now: Instant, key: PodKey, why: Failure) {
        self.creations.remove(&key);
        self.fail(key, why);
        self.pod_queue.done(now, key, Ended::Retry);
    }
}

/// The n-th interface of a creation, while its interfaces are being created.
fn part(creation: Option<&mut Creation>, i: usize) -> Option<&mut Part> {
    match &mut creation?.stage {
        Stage::Creating(parts) => Some(&mut parts[i]),
        Stage::Choosing { .. } | Stage::Written => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(policy: Policy, counts: &[Option<u32>]) -> (Option<u32>, usize) {
        let candidates = (0..).map(VSwitchId).take(counts.len()).collect();
        let mut search = search(&Network { candidates, policy }, &mut SmallStream::new(3));
        let mut looks = 0;
        while let Some(vswitch) = search.to_look_up() {
            looks += 1;
            if search.found(counts[vswitch.index()]) {
                return (Some(vswitch.0), looks);
            }
        }
        (None, looks)
    }

    /// C147: the first of the list that has an address; a look-up that fails is passed over.
    #[test]
    fn c147_ordered_is_the_lists_order() {
        assert_eq!(choose(Policy::Ordered, &[Some(0), None, Some(1), Some(9)]), (Some(2), 3));
        assert_eq!(choose(Policy::Ordered, &[Some(0), Some(0)]), (None, 2));
    }

    /// C147: all are looked up, then the one with most once more; equals keep the list's order.
    #[test]
    fn c147_most_looks_at_all() {
        assert_eq!(choose(Policy::Most, &[Some(3), Some(7), None, Some(7)]), (Some(1), 5));
        assert_eq!(choose(Policy::Most, &[Some(0), Some(0)]), (None, 4));
    }

    /// C147: every candidate with an address may be it.
    #[test]
    fn c147_random_takes_any() {
        let candidates: Vec<_> = (0..3).map(VSwitchId).collect();
        let network = Network { candidates, policy: Policy::Random };
        let mut chance = SmallStream::new(1);
        let firsts: std::collections::BTreeSet<_> =
            (0..50).filter_map(|_| search(&network, &mut chance).to_look_up()).collect();
        assert_eq!(firsts.len(), 3);
    }
}

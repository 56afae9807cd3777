//! The search for a node: filter, score, choose.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::cluster::scheduler::books::{Bucket, Group, Load, Shelf, Takes};
use crate::cluster::scheduler::score::{self, STEPS, UNIT};
use crate::cluster::scheduler::{EXACT, SAMPLE, Scheduler, Wish, Workload};
use crate::id::NodeId;
use crate::model::{Devices, Resources, Scoring, Strictness, Unfit};

/// Weight of `PodTopologySpread` and of `InterPodAffinity` in the default profile; that of
/// `NodeResourcesFit` is 1.
const PREFERENCE: u32 = 2;
/// So many changes are remembered for pods that found no node; it only decides how fast they are
/// looked after.
const REMEMBERED: usize = 1024;

/// A pod that wants a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub workload: usize,
    pub requests: Resources,
    weighed: Load,
    pub takes: Takes,
    /// The only zone that it may run in.
    pub zone: Option<usize>,
    /// No other pod of the workload may be on the node.
    pub alone: bool,
    /// Only their own score tells nodes of a group apart.
    indifferent: bool,
    /// Groups are told apart by more than the scores of their nodes.
    by_group: bool,
    /// A zone needs fewer pods of the workload than this to take another.
    pub zone_limit: u32,
}

/// A node that a pod fits on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    node: NodeId,
    group: u32,
    /// Score of `NodeResourcesFit`, in hundredths.
    fit: u32,
    /// Pods on it.
    pods: u32,
    /// Pods of the workload on it.
    same: u32,
    /// Nodes that it stands for.
    weight: u32,
    /// Others are preferred to it.
    shunned: bool,
}

/// Pods that found no node, and the nodes that have got more room since.
#[derive(Debug, Default)]
pub(super) struct Failures {
    known: BTreeMap<Wish, Failure>,
    roomier: Vec<NodeId>,
}

/// A pod that found no node.
#[derive(Debug, Clone, Copy)]
struct Failure {
    why: Unfit,
    /// Changes that it knows of.
    seen: usize,
    /// Zones that were open when it last looked, a bit each: in others there may be room.
    zones: u64,
}

impl Scheduler {
    /// A node for another pod.
    pub(super) fn find(&mut self, wish: Wish) -> Result<NodeId, Unfit> {
        let wanted = self.wanted(wish);
        let zones = self.open_zones(&wanted);
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        let failed = self.failures.known.get(&wish).copied();
        let failed = failed.filter(|failed| zones & !failed.zones == 0);
        match failed {
            Some(failed) => self.look_again(&wanted, failed.seen, &mut candidates),
            None => self.look(&wanted, &mut candidates),
        }
        let chosen = self.choose(&wanted, &candidates);
        self.candidates = candidates;
        if let Some(node) = chosen {
            self.failures.known.remove(&wish);
            return Ok(node);
        }
        let why = failed.map_or_else(|| self.why(&wanted), |failed| failed.why);
        self.failures.known.insert(wish, Failure { why, seen: self.failures.roomier.len(), zones });
        Err(why)
    }

    /// Zones that can take another pod of the workload, a bit each.
    fn open_zones(&self, wanted: &Wanted) -> u64 {
        let zones = (0..self.workloads[wanted.workload].crowds.zones.len()).filter(|&zone| self.is_open(wanted, zone));
        zones.map(|zone| 1_u64 << zone).sum()
    }

    /// Whether a zone can take another pod of the workload.
    pub(super) fn is_open(&self, wanted: &Wanted, zone: usize) -> bool {
        wanted.zone.is_none_or(|only| only == zone)
            && self.workloads[wanted.workload].crowds.zones[zone] < wanted.zone_limit
    }

    pub(super) fn wanted(&self, Wish { workload, requests, zone }: Wish) -> Wanted {
        let Workload { rules, preference, crowds, .. } = &self.workloads[workload];
        Wanted {
            workload,
            requests,
            weighed: score::weighed(requests),
            takes: Takes::of(rules),
            zone,
            alone: rules.anti_affinity == Some(Strictness::Required),
            indifferent: rules.anti_affinity != Some(Strictness::Preferred),
            by_group: preference.is_some(),
            zone_limit: self.zone_limit(workload, &crowds.zones),
        }
    }

    /// A zone with fewer of the workload's pods than this can take another: the skew against the
    /// zone with fewest stays allowed (`podtopologyspread/filtering.go`). Zones are those in which
    /// the workload's pools have a node, schedulable or not (`nodeTaintsPolicy: Ignore`, the
    /// default).
    pub(super) fn zone_limit(&self, workload: usize, zones: &[u32]) -> u32 {
        let Workload { rules, groups, .. } = &self.workloads[workload];
        let Some(spread) = rules.zone_spread.filter(|spread| spread.strictness == Strictness::Required) else {
            return u32::MAX;
        };
        let groups = groups.iter().map(|&group| &self.groups[group as usize]).filter(|group| group.nodes > 0);
        let fewest = groups.map(|group| zones[group.spec.zone]).min();
        fewest.unwrap_or(0).saturating_add(spread.max_skew)
    }

    /// What keeps a pod from a schedulable node, its zone left aside.
    pub(super) fn misfit(&self, wanted: &Wanted, node: NodeId) -> Option<Unfit> {
        let state = self.node(node);
        let group = &self.groups[state.group as usize];
        if wanted.takes.address && state.addresses >= group.spec.max_pods {
            return Some(Unfit::MaxPods);
        }
        if let Some(lacking) = self.devices[node.index()].lacks(wanted.takes.devices, Devices::default()) {
            return Some(lacking);
        }
        match lacking(group.room(state), wanted.requests) {
            None if wanted.alone && self.same(wanted.workload, node) > 0 => Some(Unfit::AntiAffinity),
            lacking => lacking,
        }
    }

    /// Pods of `workload` on `node`, if they keep away from each other.
    pub(super) fn same(&self, workload: usize, node: NodeId) -> u32 {
        let all = &self.companions[node.index()];
        all.iter().find(|companion| companion.workload as usize == workload).map_or(0, |companion| companion.pods)
    }

    /// Nodes that fit, among them the best.
    fn look(&mut self, wanted: &Wanted, found: &mut Vec<Candidate>) {
        self.look_on(if wanted.takes.address { &[Group::open] } else { &[Group::open, Group::full] }, wanted, found);
        if found.is_empty() {
            self.look_on(&[Group::shunned], wanted, found);
        }
    }

    /// The same on some of the shelves of each group.
    fn look_on(&mut self, shelves: &[fn(&mut Group) -> &mut Shelf], wanted: &Wanted, found: &mut Vec<Candidate>) {
        let mut best = 0;
        for i in 0..self.workloads[wanted.workload].groups.len() {
            let group = self.workloads[wanted.workload].groups[i];
            let zone = self.groups[group as usize].spec.zone;
            if !self.is_open(wanted, zone) {
                continue;
            }
            if wanted.by_group {
                best = 0;
            }
            for &shelf in shelves {
                self.look_in(wanted, group, shelf, &mut best, found);
            }
        }
    }

    /// Goes through the buckets of a shelf for as long as they may have something better.
    fn look_in(
        &mut self,
        wanted: &Wanted,
        group: u32,
        shelf: fn(&mut Group) -> &mut Shelf,
        best: &mut u32,
        found: &mut Vec<Candidate>,
    ) {
        let (mut from, first) = (0, found.len());
        while let Some(bucket) = shelf(&mut self.groups[group as usize]).next(from) {
            from = bucket + 1;
            let spec = &self.groups[group as usize].spec;
            let bound = score::bound(spec, bucket as u32, wanted.weighed, wanted.takes.address, self.scoring);
            let enough = match wanted.indifferent {
                true => bound < *best,
                false => found.len() - first >= self.sample(),
            };
            if enough {
                return;
            }
            let content = &mut shelf(&mut self.groups[group as usize]).buckets[bucket];
            if lacking(content.room, wanted.requests).is_some() {
                continue;
            }
            let content = std::mem::take(content);
            let (content, reached) = self.look_through(wanted, group, content, found);
            shelf(&mut self.groups[group as usize]).buckets[bucket] = content;
            *best = (*best).max(reached);
        }
    }

    /// Most nodes to look at in a bucket.
    fn sample(&self) -> usize {
        if self.count <= EXACT { EXACT } else { SAMPLE }
    }

    /// Looks through a bucket from a random node on; also the best score found in it.
    fn look_through(
        &mut self,
        wanted: &Wanted,
        group: u32,
        mut bucket: Bucket,
        found: &mut Vec<Candidate>,
    ) -> (Bucket, u32) {
        let group = &self.groups[group as usize];
        // Nodes of a bucket are all alike where only places count.
        let sample = if group.spec.unbounded() && wanted.indifferent && !wanted.alone { 1 } else { self.sample() };
        let (all, first) = (bucket.nodes.len(), found.len());
        let start = self.chance.below(all as u32) as usize;
        let (late, early) = bucket.nodes.split_at(start);
        let mut room = Load::default();
        for &node in early.iter().chain(late) {
            if self.misfit(wanted, node).is_none() {
                found.push(self.candidate(wanted, node));
                if found.len() - first == sample {
                    break;
                }
            }
            room = room.max(group.room(self.node(node)));
        }
        let taken = &mut found[first..];
        if taken.is_empty() {
            bucket.room = room;
        } else if taken.len() == sample {
            let weight = (all / sample).max(1) as u32;
            taken.iter_mut().for_each(|candidate| candidate.weight = weight);
        }
        let best = taken.iter().map(|candidate| candidate.fit).max().unwrap_or(0);
        (bucket, best)
    }

    /// Nodes that fit, for a pod that fitted on none when the first `seen` changes were known.
    fn look_again(&self, wanted: &Wanted, seen: usize, found: &mut Vec<Candidate>) {
        let groups = &self.workloads[wanted.workload].groups;
        for &node in &self.failures.roomier[seen..] {
            let Some(state) = &self.nodes[node.index()] else { continue };
            let zone = self.groups[state.group as usize].spec.zone;
            if state.schedulable
                && groups.contains(&state.group)
                && self.is_open(wanted, zone)
                && self.misfit(wanted, node).is_none()
            {
                found.push(self.candidate(wanted, node));
            }
        }
    }

    fn candidate(&self, wanted: &Wanted, node: NodeId) -> Candidate {
        let state = self.node(node);
        let spec = &self.groups[state.group as usize].spec;
        Candidate {
            node,
            group: state.group,
            fit: score::fit(spec, state, wanted.weighed, wanted.takes.address, self.scoring),
            pods: state.pods,
            same: if wanted.indifferent { 0 } else { self.same(wanted.workload, node) },
            weight: 1,
            shunned: state.shunned,
        }
    }

    /// One of the best, at random (`selectHost`).
    fn choose(&mut self, wanted: &Wanted, candidates: &[Candidate]) -> Option<NodeId> {
        let Workload { rules, preference, crowds, .. } = &mut self.workloads[wanted.workload];
        if let Some(preference) = preference {
            preference.rank(candidates.iter().map(|candidate| candidate.group), &self.groups, crowds, self.count);
        }
        let apart = (rules.anti_affinity == Some(Strictness::Preferred)).then(|| Apart::new(candidates));
        let preferred = |candidate: &Candidate| {
            let spread = preference.as_ref().map_or(0, |preference| preference.score(candidate.group));
            PREFERENCE * (spread + apart.as_ref().map_or(0, |apart| apart.score(candidate)))
        };
        let mut best = None;
        let mut weight = 0;
        for candidate in candidates {
            let fewest = if self.scoring == Scoring::LeastAllocated { candidate.pods } else { 0 };
            let rank = (!candidate.shunned, candidate.fit + UNIT * preferred(candidate), Reverse(fewest));
            match best {
                Some((other, _)) if rank < other => continue,
                Some((other, _)) if rank == other => weight += candidate.weight,
                _ => weight = candidate.weight,
            }
            if weight == candidate.weight || self.chance.below(weight) < candidate.weight {
                best = Some((rank, candidate.node));
            }
        }
        best.map(|(_, node)| node)
    }

    /// What keeps a pod that fits on no node from most of them.
    fn why(&self, wanted: &Wanted) -> Unfit {
        let state = &self.workloads[wanted.workload];
        let mut nodes = [0_u32; REASONS.len()];
        for group in state.groups.iter().map(|&group| &self.groups[group as usize]) {
            for node in group.schedulable() {
                let why = self.misfit(wanted, node).unwrap_or(Unfit::ZoneSpread);
                nodes[why as usize] += 1;
            }
        }
        let most = nodes.into_iter().max().unwrap_or(0);
        REASONS.into_iter().find(|&why| most > 0 && nodes[why as usize] == most).unwrap_or(Unfit::NoNode)
    }
}

/// All reasons in their order.
const REASONS: [Unfit; 9] = [
    Unfit::NoNode,
    Unfit::MaxPods,
    Unfit::MemberEnis,
    Unfit::ExclusiveEnis,
    Unfit::Rdma,
    Unfit::Cpu,
    Unfit::Memory,
    Unfit::ZoneSpread,
    Unfit::AntiAffinity,
];

/// What there is too little of. What is not requested is not looked at, also where more has been
/// promised than there is (`fitsRequest` in `noderesources/fit.go`).
pub(super) fn lacking(room: Load, requests: Resources) -> Option<Unfit> {
    if requests.cpu_milli > 0 && u64::from(requests.cpu_milli) > room.cpu {
        return Some(Unfit::Cpu);
    }
    (requests.memory_mib > 0 && u64::from(requests.memory_mib) > room.memory).then_some(Unfit::Memory)
}

/// Fewest and most pods of the workload on a node that fits.
struct Apart {
    fewest: u32,
    most: u32,
}

impl Apart {
    fn new(candidates: &[Candidate]) -> Self {
        let same = candidates.iter().map(|candidate| candidate.same);
        Self { fewest: same.clone().min().unwrap_or(0), most: same.max().unwrap_or(0) }
    }

    /// `interpodaffinity/scoring.go`: 0 for all if all are alike.
    fn score(&self, candidate: &Candidate) -> u32 {
        (STEPS * (self.most - candidate.same)).checked_div(self.most - self.fewest).unwrap_or(0)
    }
}

impl Failures {
    /// A node may have more room, which pods wait for that found none.
    pub(super) fn roomier(&mut self, node: NodeId) {
        if self.known.is_empty() || self.roomier.len() == REMEMBERED {
            self.known.clear();
            self.roomier.clear();
        } else {
            self.roomier.push(node);
        }
    }
}

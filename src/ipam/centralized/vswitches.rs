//! The control plane's view of vSwitches, shared by all nodes (C74 to C82).

use std::collections::BTreeMap;

use super::config::Selection;
use crate::chance::SmallStream;
use crate::id::VSwitchId;
use crate::time::{Instant, Span};

/// Cached free counts. A count is neither lowered by an allocation nor raised by a release (C74).
/// `W` names who waits for a look-up.
#[derive(Debug)]
pub(in crate::ipam) struct VSwitches<W> {
    /// By number: free addresses, and through when that holds.
    counts: Vec<Option<(u32, Instant)>>,
    /// Who waits for a look-up under way, in the order of asking: calls for one vSwitch are merged.
    waiting: BTreeMap<VSwitchId, Vec<W>>,
}

impl<W> Default for VSwitches<W> {
    fn default() -> Self {
        Self { counts: Vec::new(), waiting: BTreeMap::new() }
    }
}

/// What is known of a vSwitch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ipam) enum Known {
    /// Its free addresses.
    Free(u32),
    /// Nothing: the caller has to make the call.
    Unknown,
    /// Nothing yet: somebody is asking.
    Asked,
}

/// What comes of looking a vSwitch up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookUp {
    /// Its free addresses.
    Known(u32),
    /// The caller is woken when they are there.
    Asked,
    /// The limit of calls lets none leave in time.
    Refused,
}

impl<W> VSwitches<W> {
    /// The count of a vSwitch; otherwise `who` is woken when it is there.
    pub fn look_up(&mut self, now: Instant, id: VSwitchId, who: W) -> Known {
        if let Some(free) = self.cached(now, id) {
            return Known::Free(free);
        }
        let waiting = self.waiting.entry(id).or_default();
        waiting.push(who);
        if waiting.len() == 1 { Known::Unknown } else { Known::Asked }
    }

    /// A look-up ended; who waits for it.
    pub fn looked_up(&mut self, now: Instant, id: VSwitchId, free: Option<u32>, ttl: Span) -> Vec<W> {
        if let Some(free) = free {
            self.learn(id, free, now + ttl);
        }
        self.waiting.remove(&id).unwrap_or_default()
    }

    /// Regards a vSwitch as empty until its entry expires; one that is not cached stays as it is
    /// (C81). Whether it was not regarded as such before.
    pub fn block(&mut self, now: Instant, id: VSwitchId, ttl: Span) -> bool {
        let known = self.cached(now, id);
        if known.is_some() {
            self.learn(id, 0, now + ttl);
        }
        known.is_some_and(|free| free > 0)
    }

    /// Another controller of the process found this count, or blocked the vSwitch with 0.
    pub fn learn(&mut self, id: VSwitchId, free: u32, through: Instant) {
        if self.counts.len() <= id.index() {
            self.counts.resize(id.index() + 1, None);
        }
        self.counts[id.index()] = Some((free, through));
    }

    /// The last count, and through when it holds.
    pub fn entry(&self, id: VSwitchId) -> Option<(u32, Instant)> {
        self.counts.get(id.index()).copied().flatten()
    }

    /// The last time at which the cached count holds; long ago if there is none.
    pub fn known_through(&self, id: VSwitchId) -> Instant {
        self.entry(id).map_or(Instant::ZERO, |(_, through)| through)
    }

    /// The cached count.
    pub fn cached(&self, now: Instant, id: VSwitchId) -> Option<u32> {
        self.entry(id).filter(|&(_, through)| now <= through).map(|(free, _)| free)
    }
}

/// The order in which candidates are looked up (C75).
pub(super) fn order(candidates: &[VSwitchId], selection: Selection, chance: &mut SmallStream) -> Vec<VSwitchId> {
    let mut order = candidates.to_vec();
    if selection == Selection::Random {
        chance.shuffle(&mut order);
    }
    order
}

//! Levels while the run goes on.

use super::super::{Full, GroupLevels, GroupRecord, Holders, TimeWeighted, VSwitchRecord};
use super::prefixes::PrefixLevels;
use super::trouble::Trouble;
use crate::address::usable;
use crate::cloud::Usage;
use crate::model::{GroupKey, Holder, VSwitch};
use crate::time::Instant;

/// One vSwitch.
#[derive(Debug, Default)]
pub(super) struct VSwitchLevels {
    usable: u32,
    /// Those of them that are kept for prefixes.
    reserved: u32,
    /// Since when it exists; until it is added it has no addresses.
    since: Option<Instant>,
    /// Addresses on interfaces that a daemon knows, in use or not.
    on_enis: u32,
    who: Holders<TimeWeighted>,
    min_free: u32,
    /// Fewest free addresses since the last row of the timeline.
    recent_free: u32,
    first_empty: Option<Instant>,
    pub first_refusal: Option<Full>,
    /// Refused requests.
    pub refusals: u64,
    /// Those of them in the warm-up.
    refusals_before: u64,
    /// Whether it has got no free address more since it last refused a request.
    short: bool,
    /// Pods that got an address of it.
    pub served: u64,
    /// Free /28 blocks, if prefixes come from it.
    pub prefixes: Option<PrefixLevels>,
}

impl VSwitchLevels {
    /// A vSwitch of which every address is free, or that will be added later; `with_held` = some may be held
    /// for pods with fixed ones.
    pub fn new(vswitch: &VSwitch, with_prefixes: bool, with_held: bool) -> Self {
        let usable = usable(vswitch.cidr);
        let reserved = vswitch.reserved();
        let prefixes = with_prefixes.then(|| PrefixLevels::new(vswitch));
        let mut levels = Self { usable, reserved, min_free: usable - reserved, prefixes, ..Self::default() };
        levels.who.held = with_held.then(TimeWeighted::default);
        if vswitch.added_by.is_none() {
            levels.add(Instant::ZERO);
        }
        levels
    }

    /// It comes to be.
    pub fn add(&mut self, now: Instant) {
        (self.since, self.recent_free) = (Some(now), self.usable - self.reserved);
        self.who.free.set(now, self.usable - self.reserved);
        if self.reserved > 0 {
            self.who.reserved.get_or_insert_default().set(now, self.reserved);
        }
    }

    pub fn exists(&self) -> bool {
        self.since.is_some()
    }

    pub fn holders(&self) -> Holders<u32> {
        self.who.map(TimeWeighted::level)
    }

    /// The cloud's side changed.
    pub fn set_usage(&mut self, now: Instant, usage: &Usage, leaked: u32) {
        if !self.exists() {
            return;
        }
        self.on_enis = usage.on_enis + usage.in_prefixes - leaked - usage.held;
        self.who.idle.set(now, self.on_enis - self.who.pods.level());
        self.who.leaked.set(now, leaked);
        self.who.primaries.set(now, usage.primaries);
        self.who.others.set(now, usage.others);
        self.short &= usage.free <= self.who.free.level();
        self.who.free.set(now, usage.free);
        if let Some(reserved) = &mut self.who.reserved {
            reserved.set(now, usage.reserved);
        }
        if let Some(held) = &mut self.who.held {
            held.set(now, usage.held);
        }
        self.min_free = self.min_free.min(usage.free);
        self.recent_free = self.recent_free.min(usage.free);
        if usage.free == 0 && self.first_empty.is_none() {
            self.first_empty = Some(now);
        }
    }

    /// A pod got an address.
    pub fn bind(&mut self, now: Instant) {
        self.set_pods(now, self.who.pods.level() + 1);
    }

    /// An address is idle again.
    pub fn unbind(&mut self, now: Instant) {
        self.set_pods(now, self.who.pods.level() - 1);
    }

    fn set_pods(&mut self, now: Instant, pods: u32) {
        self.who.pods.set(now, pods);
        self.who.idle.set(now, self.on_enis - pods);
    }

    /// Fewest free addresses since this was asked before.
    pub fn take_recent_free(&mut self) -> u32 {
        std::mem::replace(&mut self.recent_free, self.who.free.level())
    }

    /// The warm-up is over.
    pub fn warm(&mut self, now: Instant) {
        self.who = self.who.map(|level| level.from(now));
        (self.refusals_before, self.served, self.first_empty) = (self.refusals, 0, None);
        if self.exists() {
            self.min_free = self.who.free.level();
            self.first_empty = (self.min_free == 0).then_some(now);
        }
        if let Some(prefixes) = &mut self.prefixes {
            prefixes.warm(now);
        }
    }

    /// A request is refused.
    pub fn refuse(&mut self) {
        self.refusals += 1;
        self.short = true;
    }

    /// Whether it has got no free address more since it last refused a request.
    pub fn is_short(&self) -> bool {
        self.short
    }

    /// The share of the usable addresses that are so now.
    pub fn share_of(&self, holder: Holder) -> f64 {
        f64::from(self.holders().of(holder)) / f64::from(self.usable.max(1))
    }

    /// Fewest free addresses after the warm-up.
    pub fn min_free(&self) -> u32 {
        self.min_free
    }

    /// The same as a share of the usable ones.
    pub fn min_free_share(&self) -> f64 {
        f64::from(self.min_free) / f64::from(self.usable.max(1))
    }

    /// What is left of it when what counts from `from` on ends `now`.
    pub fn record(&self, now: Instant, from: Instant) -> VSwitchRecord {
        let length = now.since(self.since.unwrap_or_default().max(from));
        VSwitchRecord {
            usable: self.usable,
            first_refusal: self.first_refusal,
            first_empty: self.first_empty,
            refusals: self.refusals - self.refusals_before,
            served: self.served,
            mean: self.who.map(|level| level.mean(now, length)),
            existed: if now > from { length.as_secs_f64() / now.since(from).as_secs_f64() } else { 1.0 },
            min_free: self.min_free,
            end: self.holders(),
            prefixes: self.prefixes.as_ref().map(|prefixes| prefixes.record(now, length)),
        }
    }
}

/// A pool's nodes of one type in one zone.
#[derive(Debug)]
pub(super) struct Group {
    pub key: GroupKey,
    pub levels: GroupLevels,
    max_waiting: u32,
    /// Most waiting pods since the last row of the timeline.
    recent_waiting: u32,
    pub nodes_refused: u32,
}

impl Group {
    pub fn new(key: GroupKey) -> Self {
        Self { key, levels: GroupLevels::default(), max_waiting: 0, recent_waiting: 0, nodes_refused: 0 }
    }

    /// A pod more waits.
    pub fn add_waiting(&mut self) {
        self.levels.waiting += 1;
        self.max_waiting = self.max_waiting.max(self.levels.waiting);
        self.recent_waiting = self.recent_waiting.max(self.levels.waiting);
    }

    /// The most waiting pods since this was asked before.
    pub fn take_recent_waiting(&mut self) -> u32 {
        std::mem::replace(&mut self.recent_waiting, self.levels.waiting)
    }

    /// The warm-up is over.
    pub fn warm(&mut self) {
        (self.max_waiting, self.nodes_refused) = (self.levels.waiting, 0);
    }

    pub fn record(&self) -> GroupRecord {
        let Self { key, levels, max_waiting, nodes_refused, .. } = *self;
        GroupRecord { key, end: levels, max_waiting, nodes_refused }
    }
}

/// What is known of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeNote {
    pub enis: u32,
    /// What keeps its daemon from getting addresses.
    pub trouble: Trouble,
    /// It is gone: what is still told of its calls changes no level.
    pub left: bool,
}

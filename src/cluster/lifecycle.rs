//! How fast nodes that are lost are given up: the taint that ends their pods is put on a few nodes of a
//! zone at a time, and on none where all zones are lost, since then it is likely the control plane that
//! sees nothing (kubernetes `pkg/controller/nodelifecycle/node_lifecycle_controller.go`,
//! `handleDisruption`, `doNoExecuteTaintingPass`, `ReducedQPSFunc`; flags with their defaults).

use std::collections::VecDeque;

use crate::id::NodeId;
use crate::time::{Instant, Span};

/// Between two nodes of a zone (`--node-eviction-rate`, 0.1 a second).
const PAUSE: Span = Span::secs(10);
/// The same while much of a large zone is lost (`--secondary-node-eviction-rate`, 0.01 a second).
const LONG_PAUSE: Span = Span::secs(100);
/// A zone of more nodes is large (`--large-cluster-size-threshold`).
const LARGE: u32 = 50;
/// Share of lost nodes from which much of a zone is lost (`--unhealthy-zone-threshold`), in percent.
const MUCH: u32 = 55;
/// The controller looks at its queues this often (`nodeEvictionPeriod`), at zones less often.
pub const TICK: Span = Span::millis(100);

/// Nodes of a zone, as the control plane sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Nodes that are ready.
    pub ready: u32,
    /// Nodes that are not.
    pub lost: u32,
}

/// What the control plane makes of a zone (`ComputeZoneState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Normal,
    /// Much of it is lost, and nodes that are given up too fast may be the ones that are needed.
    Partial,
    /// All of it is.
    Full,
}

impl State {
    fn of(Census { ready, lost }: Census) -> Self {
        match (ready, lost) {
            (0, 1..) => Self::Full,
            (_, 3..) if lost * 100 >= MUCH * (ready + lost) => Self::Partial,
            _ => Self::Normal,
        }
    }

    /// Time between two nodes of a zone of so many nodes; `None` = none is given up.
    fn pause(self, nodes: u32) -> Option<Span> {
        match self {
            Self::Normal | Self::Full => Some(PAUSE),
            Self::Partial => (nodes > LARGE).then_some(LONG_PAUSE),
        }
    }
}

/// A zone: the nodes that are to be given up, the first of them next.
#[derive(Debug, Clone)]
struct Zone {
    state: State,
    waiting: VecDeque<NodeId>,
    pause: Option<Span>,
    /// When the next may be, if any may.
    free_at: Instant,
}

/// The node lifecycle controller.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    zones: Vec<Zone>,
}

impl Lifecycle {
    /// That of a cluster in `zones` zones, in which nothing is lost.
    #[must_use]
    pub fn new(zones: usize) -> Self {
        let zone = Zone { state: State::Normal, waiting: VecDeque::new(), pause: Some(PAUSE), free_at: Instant::ZERO };
        Self { zones: vec![zone; zones] }
    }

    /// A node of a zone is to be given up.
    pub fn enqueue(&mut self, zone: usize, node: NodeId) {
        self.zones[zone].waiting.push_back(node);
    }

    /// Zones have these nodes now; true = all of them have just been lost, and no node is given up any
    /// more: taints that were put on are taken off.
    pub fn look(&mut self, now: Instant, census: &[Census]) -> bool {
        let there = || self.zones.iter().zip(census).filter(|(_, census)| **census != Census::default());
        let was_blind = there().all(|(zone, _)| zone.state == State::Full);
        let is_blind = there().all(|(_, &census)| State::of(census) == State::Full);
        if is_blind && was_blind {
            return false;
        }
        for (zone, &census) in self.zones.iter_mut().zip(census) {
            let before = std::mem::replace(&mut zone.state, State::of(census));
            if zone.state != before || is_blind || was_blind {
                let pause = if is_blind { None } else { zone.state.pause(census.ready + census.lost) };
                zone.set_pause(now, pause);
            }
        }
        is_blind
    }

    /// When the next node may be given up, if one waits for it.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        let goes_on = |zone: &&Zone| zone.pause.is_some() && !zone.waiting.is_empty();
        self.zones.iter().filter(goes_on).map(|zone| zone.free_at).min()
    }

    /// The nodes that are given up now, of each zone the first that is still to be.
    pub fn give_up(&mut self, now: Instant, is_lost: impl Fn(NodeId) -> bool) -> Vec<NodeId> {
        self.zones.iter_mut().filter_map(|zone| zone.give_up(now, &is_lost)).collect()
    }
}

impl Zone {
    fn give_up(&mut self, now: Instant, is_lost: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let pause = self.pause.filter(|_| self.free_at <= now)?;
        while let Some(node) = self.waiting.pop_front() {
            if is_lost(node) {
                self.free_at = now + pause;
                return Some(node);
            }
        }
        None
    }

    /// Where the limiter has no token the new one has none either (`SwapLimiter` in
    /// `scheduler/rate_limited_queue.go`).
    fn set_pause(&mut self, now: Instant, pause: Option<Span>) {
        if pause == self.pause {
            return;
        }
        let has_token = self.pause.is_some() && self.free_at <= now;
        if let Some(pause) = pause.filter(|_| !has_token) {
            self.free_at = now + pause;
        }
        self.pause = pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::secs(secs)
    }

    fn census(ready: u32, lost: u32) -> Census {
        Census { ready, lost }
    }

    /// How many of `lost` nodes of a zone are given up within an hour, and when the second of them is.
    fn given_up(zones: &[Census]) -> (usize, Option<Instant>) {
        let mut lifecycle = Lifecycle::new(zones.len());
        (0..zones[0].lost).for_each(|node| lifecycle.enqueue(0, NodeId::new(node as usize)));
        lifecycle.look(at(0), zones);
        let mut times = Vec::new();
        while let Some(next) = lifecycle.next().filter(|&next| next <= at(3600)) {
            assert_eq!(lifecycle.give_up(next, |_| true).len(), 1, "one is due");
            times.push(next);
        }
        (times.len(), times.get(1).copied())
    }

    /// `TestComputeZoneState` and `TestZone…` upstream: the rate goes by how much of the zone is lost.
    #[test]
    fn the_rate_goes_by_what_is_lost() {
        let other = census(10, 0);
        assert_eq!(given_up(&[census(100, 1), other]), (1, None));
        assert_eq!(given_up(&[census(100, 100), other]), (100, Some(at(10))), "half of it: one every 10 s");
        assert_eq!(given_up(&[census(40, 60), other]), (37, Some(at(100))), "60 % of a large zone: one every 100 s");
        assert_eq!(given_up(&[census(10, 20), other]), (0, None), "two thirds of a small one: none");
        assert_eq!(given_up(&[census(0, 2), other]), (2, Some(at(10))), "all of a zone, while others are there");
        assert_eq!(given_up(&[census(0, 20)]), (0, None), "all of the cluster: none");
        assert_eq!(given_up(&[census(0, 20), census(0, 1)]), (0, None));
        assert_eq!(given_up(&[census(0, 20), census(0, 0)]), (0, None), "a zone without nodes does not count");
    }

    /// Taints go when all is lost, once; what was to be given up still is when something is back.
    #[test]
    fn when_all_is_lost_nobody_is_given_up() {
        let mut lifecycle = Lifecycle::new(1);
        (0..4).for_each(|node| lifecycle.enqueue(0, NodeId::new(node)));
        assert!(!lifecycle.look(at(0), &[census(1, 3)]));
        assert!(lifecycle.look(at(1), &[census(0, 4)]), "all are lost");
        assert!(!lifecycle.look(at(2), &[census(0, 4)]), "they were before");
        assert_eq!(lifecycle.next(), None);
        assert!(!lifecycle.look(at(3), &[census(3, 1)]));
        assert_eq!(lifecycle.next(), Some(at(13)), "the limiter begins without a token");
        let is_lost = |node: NodeId| node.index() == 2;
        assert_eq!(lifecycle.give_up(at(13), is_lost), [NodeId::new(2)], "those that are back are passed by");
    }
}

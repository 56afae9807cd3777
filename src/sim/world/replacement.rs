//! The nodes of a pool are replaced, a few at a time.

use std::collections::BTreeSet;

use super::nodes::PoolState;
use super::{Control, World};
use crate::id::NodeId;
use crate::model::{Portion, Replacement};
use crate::text::text;
use crate::time::Instant;

impl World<'_> {
    /// A replacement of a pool's nodes begins.
    pub(super) fn replacement_due(&mut self, pool: usize) {
        let Some(Replacement { at, max_surge, max_unavailable }) = &self.model.node_pools[pool].replacement else {
            return;
        };
        let now = self.engine.now();
        if at.not_before(now) == Some(now) && now > Instant::ZERO {
            self.begin_replacement(pool, (*max_surge, *max_unavailable));
        }
        self.next_moment(at, Control::Replace(pool));
    }

    /// The nodes that a pool has are replaced, with so many on top and so many missing; the answer is
    /// which.
    pub(super) fn begin_replacement(&mut self, pool: usize, pace: (Portion, Portion)) -> BTreeSet<NodeId> {
        let now = self.engine.now();
        let old = self.staying(pool);
        let state = &mut self.pools[pool];
        // The first to join is the first to go.
        state.to_replace = old.iter().rev().copied().collect();
        state.pace = pace;
        if state.replace_size == 0 {
            state.replace_size = state.expected();
        }
        let name = &self.model.node_pools[pool].name;
        let text = text!("replacement of the nodes of {name} begins", name);
        self.engine.observer.landmark(now, "replacement", name.clone(), text);
        self.replace_next(pool);
        old.into_iter().collect()
    }

    /// Nodes on top and nodes missing that a pool may have, if it is being replaced.
    pub(super) fn replacing(&self, pool: usize, wanted: u32) -> Option<(u32, u32)> {
        let PoolState { to_replace, leaving, pace: (surge, unavailable), .. } = &self.pools[pool];
        if to_replace.is_empty() && *leaving == 0 {
            return None;
        }
        let (surge, unavailable) = (surge.up(wanted), unavailable.down(wanted));
        Some((surge, if surge == 0 { unavailable.max(1) } else { unavailable }))
    }

    /// Whether a pool may have another node: while its nodes are replaced, those that leave for
    /// that still count against the surge.
    pub(super) fn has_room(&self, pool: usize, wanted: u32) -> bool {
        let state = &self.pools[pool];
        self.replacing(pool, wanted).is_none_or(|(surge, _)| state.expected() + state.leaving < wanted + surge)
    }

    /// The next steps of a pool's replacement: launch as many as the surge leaves room for, drain
    /// as many as may be missing.
    pub(super) fn replace_next(&mut self, pool: usize) {
        loop {
            let wanted = self.wanted_nodes(pool);
            let state = &self.pools[pool];
            let old = state.to_replace.len() as u32;
            let Some((surge, unavailable)) = self.replacing(pool, wanted).filter(|_| old > 0) else { return };
            if self.has_room(pool, wanted) && state.expected() < wanted + old.min(surge) && self.launch(pool) {
                continue;
            }
            let state = &mut self.pools[pool];
            if state.counted.saturating_sub(1) < wanted.saturating_sub(unavailable) {
                return;
            }
            let node = state.to_replace.pop().expect("there is one");
            state.leaving += 1;
            self.nodes[node.index()].replaced = true;
            self.drain(node);
        }
    }

    /// A node leaves: its turn to be replaced does not come any more.
    pub(super) fn not_to_replace(&mut self, node: NodeId) {
        let pool = self.pool_of(node);
        self.pools[pool].to_replace.retain(|&other| other != node);
    }
}

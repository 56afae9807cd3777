//! The pool sync: how many idle addresses to give back, how many to fetch (rules R76 to R83).
//!
//! The decisions are pure; [`NodeLocal::pool_sync`](super::NodeLocal) carries them out.

use crate::chance::SmallStream;
use crate::ipam::backoff::jittered;
use crate::ipam::node_local::Reclaim;
use crate::time::{Instant, Span};

/// Time that the preheats of one run may take (R77).
pub(super) const PREHEAT_TIMEOUT: Span = Span::mins(2);

/// Where the pool sync is (R76).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolSync {
    /// Sleeps until its next run; never = it is switched off.
    Sleeping { next: Instant },
    /// Waits for this many preheats.
    Preheating { pending: u32, deadline: Instant },
}

/// How many idle addresses to give back, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ipam) struct ToDelete {
    /// Above the upper watermark; negative = below it.
    pub surplus: i64,
    /// By idle reclaim, on top.
    pub reclaimed: u32,
}

impl ToDelete {
    /// What upstream calls `toDel`.
    pub fn total(self) -> i64 {
        self.surplus + i64::from(self.reclaimed)
    }
}

/// Watermarks and capacity of a node, in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ipam) struct Watermarks {
    pub min_idle: u32,
    pub max_idle: u32,
    pub capacity: u32,
}

/// How many addresses to fetch: up to the lower watermark, unless the node is at capacity (R77).
/// It counts neither requests that wait already nor room.
pub(super) fn to_add(marks: Watermarks, idle: u32, in_use: u32) -> u32 {
    if idle + in_use >= marks.capacity { 0 } else { marks.min_idle.saturating_sub(idle) }
}

/// How many to give back without reclaim (R78).
pub(in crate::ipam) fn surplus(marks: Watermarks, idle: u32) -> i64 {
    i64::from(idle) - i64::from(marks.max_idle)
}

/// How many to give back (R78 to R81). `next` is the time of the next reclaim round, which this
/// sets and clears; `last_modified` is when the pool was last used, `None` = never.
pub(in crate::ipam) fn to_delete(
    now: Instant,
    marks: Watermarks,
    idle: u32,
    reclaim: Option<&Reclaim>,
    last_modified: Option<Instant>,
    next: &mut Option<Instant>,
    jitter: Option<&mut SmallStream>,
) -> ToDelete {
    let only = |surplus| ToDelete { surplus, reclaimed: 0 };
    let surplus = surplus(marks, idle);
    let Some(reclaim) = reclaim else { return only(surplus) };
    if last_modified.is_some_and(|last| last + reclaim.after > now) {
        *next = None;
        return only(surplus);
    }
    match *next {
        Some(at) if at > now => return only(surplus),
        was => {
            *next = {
                // A factor of 0 counts as 0.1 (R22).
                let factor = if reclaim.factor > 0.0 { reclaim.factor } else { 0.1 };
                let at = now + jittered(reclaim.interval, factor, jitter);
                if was.is_none() {
                    *next = Some(at);
                    return only(surplus);
                }
                Some(at)
            }
        }
    }
    let surplus = surplus.max(0);
    let above_min = i64::from(idle) - surplus - i64::from(marks.min_idle);
    ToDelete { surplus, reclaimed: reclaim.batch.min(above_min.max(0) as u32) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::secs(secs)
    }

    fn marks(min_idle: u32, max_idle: u32) -> Watermarks {
        Watermarks { min_idle, max_idle, capacity: 100 }
    }

    /// CC37 (`pkg/eni/sync_pool_test.go:165-463`): min, max, idle, batch → to delete, with the
    /// next round due.
    #[test]
    fn cc37_reclaim_rounds_take_a_batch_above_the_lower_watermark() {
        let cases = [
            (5, 10, 20, 3, 13),
            (5, 10, 25, 3, 18),
            (18, 20, 22, 5, 4),
            (15, 20, 21, 5, 6),
            (5, 20, 15, 3, 3),
            (10, 15, 16, 5, 6),
        ];
        for (min, max, idle, batch, expected) in cases {
            let reclaim = Reclaim { after: Span::mins(1), interval: Span::mins(10), batch, factor: 0.1 };
            let mut next = Some(at(900));
            let got = to_delete(at(1000), marks(min, max), idle, Some(&reclaim), Some(at(0)), &mut next, None);
            assert_eq!(got.total(), expected, "{min} {max} {idle} {batch}");
            assert_eq!(next, Some(at(1600)));
        }
    }

    /// CC37: without reclaim, while the pool is in use, and before a round is due only the upper
    /// watermark counts.
    #[test]
    fn cc37_otherwise_only_the_upper_watermark_counts() {
        let reclaim = Reclaim { after: Span::mins(1), interval: Span::mins(10), batch: 3, factor: 0.0 };
        let mut next = None;
        assert_eq!(to_delete(at(9), marks(5, 10), 15, None, Some(at(0)), &mut next, None).total(), 5);
        assert_eq!(to_delete(at(9), marks(5, 10), 8, None, Some(at(0)), &mut next, None).total(), -2);
        next = Some(at(1));
        assert_eq!(to_delete(at(100), marks(5, 10), 15, Some(&reclaim), Some(at(70)), &mut next, None).total(), 5);
        assert_eq!(next, None);
        assert_eq!(to_delete(at(200), marks(5, 10), 15, Some(&reclaim), Some(at(70)), &mut next, None).total(), 5);
        assert_eq!(next, Some(at(800)));
        assert_eq!(to_delete(at(799), marks(5, 10), 15, Some(&reclaim), Some(at(70)), &mut next, None).total(), 5);
    }

    /// CC39 (`pkg/eni/sync_pool_test.go:102,136`).
    #[test]
    fn cc39_preheats_fill_up_to_the_lower_watermark() {
        let marks = |min_idle, capacity| Watermarks { min_idle, max_idle: 50, capacity };
        assert_eq!(to_add(marks(10, 20), 2, 5), 8);
        assert_eq!(to_add(marks(15, 20), 10, 10), 0);
        assert_eq!(to_add(marks(5, 20), 10, 0), 0);
    }
}

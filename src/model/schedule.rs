//! Numbers that change over time.

use crate::model::Cron;
use crate::time::{Instant, Span};

/// A number that changes over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// From `from` to `to` in a straight line over `over`, then `to`.
    Linear {
        /// Value at the start.
        from: f64,
        /// Value at the end.
        to: f64,
        /// How long the way takes.
        over: Span,
    },
    /// `from` × (1 + `rate`)^(t / `per`), at most `limit`.
    Exponential {
        /// Value at the start.
        from: f64,
        /// Growth per `per`: 0.12 is 12 %.
        rate: f64,
        /// The span over which the value grows by `rate`.
        per: Span,
        /// Upper bound (infinite if none was given).
        limit: f64,
    },
    /// The S-curve `from` + (`to` − `from`) / (1 + exp(−(t − midpoint) / scale)).
    Logistic {
        /// Value long before.
        from: f64,
        /// Value long after.
        to: f64,
        /// When the value is half-way.
        midpoint: Span,
        /// A fifth of the time that the middle 85 % of the way takes.
        scale: Span,
    },
    /// Jumps to each value at its time; the first entry is at time zero.
    Steps(Vec<(Instant, f64)>),
    /// Straight lines between the points; constant before the first and after the last.
    Points(Vec<(Instant, f64)>),
}

/// Moments at which something happens again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// These, in order.
    At(Vec<Instant>),
    /// From `first` on, again and again after `period`.
    Every {
        /// The first.
        first: Instant,
        /// The time between two; more than nothing.
        period: Span,
    },
    /// Minutes by the calendar.
    Cron(Cron),
}

/// A part of a number of things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Portion {
    /// So many.
    Count(u32),
    /// A share: 0.25 is 25 %.
    Share(f64),
}

impl Times {
    /// The first of them not before `at`; `None` = there is none within all of time.
    #[must_use]
    pub fn not_before(&self, at: Instant) -> Option<Instant> {
        match self {
            Self::At(times) => times.get(times.partition_point(|&time| time < at)).copied(),
            Self::Every { first, period } => {
                let since = at.0.saturating_sub(first.0);
                let periods = since.div_ceil(period.0);
                periods.checked_mul(period.0)?.checked_add(first.0).map(Instant)
            }
            Self::Cron(cron) => cron.not_before(at),
        }
    }
}

impl Portion {
    /// The part of `n`, rounded up.
    #[must_use]
    pub fn up(self, n: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Share(share) => product(share, n).ceil() as u32,
        }
    }

    /// The part of `n`, rounded down.
    #[must_use]
    pub fn down(self, n: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Share(share) => product(share, n).floor() as u32,
        }
    }
}

/// A share of `n`, without the error of binary fractions: 7 % of 100 is 7.
fn product(share: f64, n: u32) -> f64 {
    let (product, whole) = (share * f64::from(n), (share * f64::from(n)).round());
    if (product - whole).abs() < 1e-6 { whole } else { product }
}

impl Schedule {
    /// The value at `at`.
    #[must_use]
    pub fn value(&self, at: Instant) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Linear { from, to, over } => {
                let share = if over.0 == 0 { 1.0 } else { (at.0 as f64 / over.0 as f64).min(1.0) };
                from + (to - from) * share
            }
            Self::Exponential { from, rate, per, limit } => {
                (from * (1.0 + rate).powf(at.0 as f64 / per.0 as f64)).min(*limit)
            }
            Self::Logistic { from, to, midpoint, scale } => {
                let x = (at.0 as f64 - midpoint.0 as f64) / scale.0 as f64;
                from + (to - from) / (1.0 + (-x).exp())
            }
            Self::Steps(steps) => {
                let after = steps.partition_point(|(t, _)| *t <= at);
                steps[after.saturating_sub(1)].1
            }
            Self::Points(points) => {
                let after = points.partition_point(|(t, _)| *t <= at);
                match (after.checked_sub(1).map(|i| points[i]), points.get(after)) {
                    (None, Some(&(_, first))) => first,
                    (Some((_, last)), None) => last,
                    (Some(from), Some(&to)) => on_line(from, to, at),
                    (None, None) => 0.0,
                }
            }
        }
    }

    /// The value at `at` as a count: rounded to the nearest whole number, never negative.
    #[must_use]
    pub fn count(&self, at: Instant) -> u32 {
        as_count(self.value(at))
    }

    /// The first time after `at`, not later than `horizon`, at which [`Self::count`] differs
    /// from its value at `at`; found by bisection on each monotone piece.
    #[must_use]
    pub fn next_change(&self, at: Instant, horizon: Instant) -> Option<Instant> {
        let here = self.count(at);
        let mut from = at;
        loop {
            let (piece, end) = self.piece(from);
            let to = end.min(horizon);
            let there = self.value(to);
            if as_count(there) != here {
                return Some(piece.bisect(from, (to, there), here));
            }
            if to >= horizon {
                return None;
            }
            from = to;
        }
    }

    /// The end of the monotone piece that follows `at`; the schedule may jump there.
    #[must_use]
    pub fn piece_end(&self, at: Instant) -> Instant {
        self.piece(at).1
    }

    /// The monotone piece that follows `at`, and its end.
    fn piece(&self, at: Instant) -> (Piece<'_>, Instant) {
        let corners = match self {
            Self::Steps(points) | Self::Points(points) => points,
            Self::Constant(_) => return (Piece::Flat, Instant::NEVER),
            _ => return (Piece::Curve(self), Instant::NEVER),
        };
        let after = corners.partition_point(|&(t, _)| t <= at);
        let end = corners.get(after).map_or(Instant::NEVER, |&(t, _)| t);
        match (self, after.checked_sub(1), corners.get(after)) {
            (Self::Points(_), Some(before), Some(&to)) => (Piece::Line(corners[before], to), end),
            _ => (Piece::Flat, end),
        }
    }
}

/// What a schedule is between two of its corners, without the second.
#[derive(Debug, Clone, Copy)]
enum Piece<'s> {
    /// The same all the time.
    Flat,
    /// A straight line from one point to another.
    Line((Instant, f64), (Instant, f64)),
    /// Any other schedule, which has no corners.
    Curve(&'s Schedule),
}

/// The value at `at` on a straight line between two points.
fn on_line((t0, v0): (Instant, f64), (t1, v1): (Instant, f64), at: Instant) -> f64 {
    v0 + (v1 - v0) * (at.0 - t0.0) as f64 / (t1.0 - t0.0) as f64
}

/// A value as a count: rounded to the nearest whole number, never negative.
fn as_count(value: f64) -> u32 {
    value.round().max(0.0) as u32
}

impl Piece<'_> {
    /// Times shortly before and after the count stops being `here`, if the value goes from `first` at `from` to
    /// `last` at `to` in a straight line, as it nearly always does.
    fn crossing((from, first): (Instant, f64), (to, last): (Instant, f64), here: u32) -> [u64; 2] {
        /// More than the rounding errors of a year in nanoseconds.
        const MARGIN: u64 = 16;
        let edge = f64::from(here) + if last > first { 0.5 } else { -0.5 };
        let share = ((edge - first) / (last - first)).clamp(0.0, 1.0);
        let at = from.0 + ((to.0 - from.0) as f64 * share) as u64;
        [at.saturating_sub(MARGIN), at.saturating_add(MARGIN)]
    }

    /// The first time in (from, to] at which the count is not `here`; at `to`, where the value is `last`, it is
    /// not.
    fn bisect(&self, from: Instant, (to, last): (Instant, f64), here: u32) -> Instant {
        let value = |at: Instant| match *self {
            Self::Flat => None,
            Self::Line(start, end) => Some(on_line(start, end, at)),
            Self::Curve(schedule) => Some(schedule.value(at)),
        };
        // What is flat changes where it ends.
        let Some(first) = value(from) else { return to };
        let is_here = |at: u64| value(Instant(at)).is_some_and(|value| as_count(value) == here);
        let (mut low, mut high) = (from.0, to.0);
        for guess in Self::crossing((from, first), (to, last), here) {
            if low < guess && guess < high {
                if is_here(guess) { low = guess } else { high = guess }
            }
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if is_here(middle) { low = middle } else { high = middle }
        }
        Instant(high)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(n: u64) -> Instant {
        Instant::ZERO + Span::days(n)
    }

    /// `ceil(7 × 100 / 100)`, as `GetScaledValueFromIntOrPercent` computes it.
    #[test]
    fn a_share_is_rounded_as_its_decimals_say() {
        for (percent, of, up, down) in [(7, 100, 7, 7), (55, 100, 55, 55), (29, 100, 29, 29), (25, 10, 3, 2)] {
            let share = Portion::Share(f64::from(percent) / 100.0);
            assert_eq!((share.up(of), share.down(of)), (up, down), "{percent} % of {of}");
        }
    }

    #[test]
    fn a_linear_schedule_changes_at_every_half() {
        let schedule = Schedule::Linear { from: 10.0, to: 20.0, over: Span::days(10) };
        let first = schedule.next_change(Instant::ZERO, day(10)).expect("it grows");
        assert_eq!(first, Instant::ZERO + Span::hours(12));
        assert_eq!(schedule.count(first), 11);
        assert_eq!(schedule.count(day(99)), 20);
        assert_eq!(schedule.next_change(day(10), day(99)), None);
    }

    #[test]
    fn steps_jump_and_points_are_joined() {
        let steps = Schedule::Steps(vec![(day(0), 3.0), (day(2), 3.0), (day(5), 7.0)]);
        assert_eq!(steps.next_change(day(0), day(9)), Some(day(5)));
        assert_eq!(steps.count(day(4)), 3);
        let points = Schedule::Points(vec![(day(0), 0.0), (day(2), 4.0), (day(4), 0.0)]);
        assert_eq!(points.count(day(1)), 2);
        assert_eq!(points.value(day(3)), 2.0);
        assert_eq!(points.count(day(9)), 0);
    }

    #[test]
    fn growth_compounds_and_an_s_curve_is_half_way_at_its_midpoint() {
        let growth = Schedule::Exponential { from: 100.0, rate: 0.1, per: Span::days(30), limit: 120.0 };
        assert_eq!(growth.count(day(30)), 110);
        assert_eq!(growth.count(day(300)), 120);
        let curve = Schedule::Logistic { from: 0.0, to: 10.0, midpoint: Span::days(5), scale: Span::days(1) };
        assert_eq!(curve.value(day(5)), 5.0);
    }

    /// Corners at growing times within 3 µs.
    fn corners() -> impl Strategy<Value = Vec<(Instant, f64)>> {
        let corner = (1..400_u64, -3.0..9.0_f64);
        prop::collection::vec(corner, 1..12).prop_map(|corners| {
            let mut at = 0;
            let place = |(after, value)| {
                at += after;
                (Instant(at - after), value)
            };
            corners.into_iter().map(place).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The next change is what looking at every nanosecond finds.
        #[test]
        fn the_next_change_is_the_first_difference(corners in corners(), at in 0..3_000_u64, left in 0..3_000_u64) {
            let to = at + left;
            let line = Schedule::Linear { from: corners[0].1, to: 30.0 - corners[0].1, over: Span(2_000) };
            for schedule in [Schedule::Points(corners.clone()), Schedule::Steps(corners), line] {
                let here = schedule.count(Instant(at));
                let first = (at + 1..=to).map(Instant).find(|&later| schedule.count(later) != here);
                prop_assert_eq!(schedule.next_change(Instant(at), Instant(to)), first, "{:?}", schedule);
            }
        }
    }
}

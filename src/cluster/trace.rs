//! Pods where only their number is known: arrivals and lives are drawn so that there are exactly
//! that many at each point.

use crate::chance::{SpanDist, Stream, unit};
use crate::model::{Resources, TracePod};
use crate::time::{Instant, Span};

/// Pods until `horizon`, in the order of their arrivals. At each of `points` (in order, the first
/// at zero) there are as many as it says, and after the last one as many as it says.
///
/// Those of time zero have lived for a while: theirs is the rest of a life that covers time zero.
/// Later ones arrive at any time between two points. Where the number falls faster than lives end,
/// some end early; lives that end before the next point come on top.
#[must_use]
pub fn synthesize(
    points: &[(Instant, u32)],
    lifetime: &SpanDist,
    horizon: Instant,
    chance: &mut Stream,
) -> Vec<TracePod> {
    let mut pods = Vec::new();
    let mut alive = Vec::new();
    let Some(&(mut from, first)) = points.first() else { return pods };
    for _ in 0..first {
        alive.push(pods.len());
        pods.push(pod(from, from + lifetime.sample_residual(chance).max(Span(1))));
    }
    for (to, wanted) in later(points, horizon) {
        alive.retain(|&i: &usize| pods[i].depart > to);
        while alive.len() > wanted as usize {
            let early = alive.swap_remove(below(alive.len(), chance));
            pods[early].depart = between(from.max(pods[early].arrive), to, chance);
        }
        while alive.len() < wanted as usize {
            let arrive = between(from, to, chance);
            let depart = arrive + lifetime.sample(chance).max(Span(1));
            if depart > to {
                alive.push(pods.len());
            }
            pods.push(pod(arrive, depart));
        }
        from = to;
    }
    pods.sort_by_key(|pod| pod.arrive);
    pods
}

/// The points after the first, and on to the horizon.
fn later(points: &[(Instant, u32)], horizon: Instant) -> impl Iterator<Item = (Instant, u32)> + '_ {
    let &(end, last) = points.last().expect("the caller saw a point");
    let before = points.len().checked_sub(2).map(|i| points[i].0);
    let step = before.map_or(Span::hours(1), |before| end.since(before)).max(Span(1));
    let on = (1..).map(move |n: u64| (end + Span(step.0 * n), last));
    points[1..]
        .iter()
        .copied()
        .chain(on.take_while(move |&(at, _)| at.since(Instant::ZERO) < horizon.since(Instant::ZERO) + step))
}

fn pod(arrive: Instant, depart: Instant) -> TracePod {
    TracePod { arrive, depart, requests: Resources::default() }
}

/// A moment after `from`, not later than `to`.
fn between(from: Instant, to: Instant, chance: &mut Stream) -> Instant {
    from + Span(1) + Span((to.since(from).0.saturating_sub(1) as f64 * unit(chance)) as u64)
}

fn below(n: usize, chance: &mut Stream) -> usize {
    ((n as f64 * unit(chance)) as usize).min(n - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::stream;

    fn hour(n: u64) -> Instant {
        Instant::ZERO + Span::hours(n)
    }

    fn running(pods: &[TracePod], at: Instant) -> usize {
        pods.iter().filter(|pod| pod.arrive <= at && pod.depart > at).count()
    }

    #[test]
    fn the_number_at_each_point_is_exact() {
        let counts = [40, 55, 10, 0, 80, 80, 79];
        let points: Vec<_> = counts.iter().enumerate().map(|(i, &n)| (hour(i as u64), n)).collect();
        for lifetime in [
            SpanDist::Exponential(Span::hours(3)),
            SpanDist::Exponential(Span::mins(5)),
            SpanDist::log_normal(Span::mins(30), Span::days(2)),
            SpanDist::Constant(Span::days(9)),
        ] {
            let pods = synthesize(&points, &lifetime, hour(10), &mut stream(1, 0, "trace"));
            for &(at, n) in &points {
                assert_eq!(running(&pods, at), n as usize, "at {at:?} with {lifetime:?}");
            }
            assert_eq!([7, 8, 9, 10].map(|n| running(&pods, hour(n))), [79; 4], "after the last point");
            assert!(pods.is_sorted_by_key(|pod| pod.arrive) && pods.iter().all(|pod| pod.arrive < pod.depart));
        }
    }

    /// A constant number of pods that live for a time L on average sees N / L arrivals
    /// (Little's law), from the first hour on.
    #[test]
    fn arrivals_obey_littles_law_from_the_start() {
        let points = [(hour(0), 3000), (hour(1), 3000)];
        for lifetime in [SpanDist::Exponential(Span::hours(10)), SpanDist::log_normal(Span::hours(6), Span::hours(60))]
        {
            let mut chance = stream(2, 0, "mean");
            let mean = (0..20_000).map(|_| lifetime.sample(&mut chance).as_secs_f64()).sum::<f64>() / 20_000.0;
            let pods = synthesize(&points, &lifetime, hour(100), &mut stream(1, 0, "trace"));
            let arrivals =
                |from: u64| pods.iter().filter(|p| p.arrive > hour(from) && p.arrive <= hour(from + 20)).count();
            let expected = 3000.0 * 20.0 * 3600.0 / mean;
            for from in [0, 40, 80] {
                let ratio = arrivals(from) as f64 / expected;
                assert!(
                    (0.93..1.07).contains(&ratio),
                    "{ratio} of {expected} arrivals from hour {from} on, {lifetime:?}"
                );
            }
        }
    }

    #[test]
    fn without_points_there_is_nobody() {
        assert_eq!(synthesize(&[], &SpanDist::Constant(Span::secs(1)), hour(1), &mut stream(1, 0, "trace")), []);
    }
}

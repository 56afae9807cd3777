//! Searches against trying everything.

use proptest::prelude::*;

use super::*;
use Finding::{Impossible, Safe, Undecided, Unsafe};

/// What a search in a world finds, and the points that it measured.
fn search(world: &[Finding], scan: bool, known_to_be_impossible: bool) -> (Search, Vec<usize>) {
    let known = |&finding: &Finding| Some(finding).filter(|&f| f == Impossible && known_to_be_impossible);
    let mut search = Search::new(world.iter().map(known).collect(), scan);
    let mut measured = Vec::new();
    loop {
        let next = search.next();
        if next.is_empty() {
            return (search, measured);
        }
        for point in next {
            assert!(!measured.contains(&point), "nothing is measured twice");
            measured.push(point);
            search.note(point, world[point]);
        }
    }
}

fn answer(search: &Search) -> (Option<usize>, Option<usize>) {
    (search.last_safe(), search.first_unsafe())
}

/// Safe points, then undecided ones, then unsafe ones; some are impossible.
fn monotone() -> impl Strategy<Value = Vec<Finding>> {
    let parts = (0..40_usize, 0..4_usize, 0..40_usize);
    let world = parts.prop_map(|(safe, undecided, unsafe_)| {
        [vec![Safe; safe], vec![Undecided; undecided], vec![Unsafe; unsafe_]].concat()
    });
    (world, prop::collection::vec(prop::bool::weighted(0.1), 84)).prop_map(|(mut world, impossible)| {
        world.iter_mut().zip(impossible).filter(|(_, gone)| *gone).for_each(|(finding, _)| *finding = Impossible);
        world
    })
}

fn any_world() -> impl Strategy<Value = Vec<Finding>> {
    prop::collection::vec(
        prop_oneof![5 => Just(Safe), 5 => Just(Unsafe), 1 => Just(Undecided), 1 => Just(Impossible)],
        0..30,
    )
}

proptest! {
    #[test]
    fn a_bisection_of_a_monotone_world_finds_what_a_scan_finds(world in monotone(), early in any::<bool>()) {
        let (bisected, measured) = search(&world, false, early);
        let (scanned, all) = search(&world, true, early);
        prop_assert_eq!(answer(&bisected), answer(&scanned));
        prop_assert_eq!(bisected.method(), Method::Bisection);
        prop_assert!(scanned.exceptions().is_empty());
        prop_assert_eq!(all.len() + world.iter().filter(|&&f| early && f == Impossible).count(), world.len());
        // Two ends, and log2 of 80 for each of the two borders; impossible points come on top.
        let possible = measured.iter().filter(|&&point| world[point] != Impossible).count();
        prop_assert!(possible <= 2 + 2 * 7, "{} points", possible);
    }

    /// Whatever the world is like: an answer was measured, so was its neighbour, and a search that
    /// has seen safety end twice has looked at everything.
    #[test]
    fn no_answer_is_wrong(world in any_world()) {
        let (found, measured) = search(&world, false, false);
        if let Some(safe) = found.last_safe() {
            prop_assert!(measured.contains(&safe) && world[safe] == Safe);
            let next = (safe + 1..world.len()).find(|&i| world[i] != Impossible);
            prop_assert!(next.is_none_or(|next| measured.contains(&next) && world[next] != Safe));
        }
        if found.method() == Method::ScanAfterBisection {
            prop_assert_eq!(measured.len(), world.len());
            prop_assert_eq!(found.last_safe(), world.iter().rposition(|&f| f == Safe));
        }
        let seen = |wanted| measured.iter().filter(|&&point| world[point] == wanted).collect::<Vec<_>>();
        let contradicted = seen(Unsafe).iter().min().zip(seen(Safe).iter().max()).is_some_and(|(first, last)| first < last);
        prop_assert_eq!(contradicted, found.method() == Method::ScanAfterBisection);
    }
}

#[test]
fn everything_and_nothing_are_answers() {
    let (all, measured) = search(&[Safe; 50], false, true);
    assert_eq!((answer(&all), measured), ((Some(49), None), vec![0, 49]));
    let (none, measured) = search(&[Unsafe; 50], false, true);
    assert_eq!((answer(&none), measured), ((None, Some(0)), vec![0, 49]));
    assert_eq!(answer(&search(&[Impossible; 5], false, false).0), (None, None));
    assert_eq!(answer(&search(&[], false, true).0), (None, None));
    assert_eq!(answer(&search(&[Safe], false, true).0), (Some(0), None));
}

#[test]
fn a_world_upside_down_is_scanned() {
    let (found, measured) = search(&[Unsafe, Unsafe, Safe, Safe, Safe], false, true);
    assert_eq!((found.method(), measured.len()), (Method::ScanAfterBisection, 5));
    assert_eq!((answer(&found), found.exceptions()), ((Some(4), None), vec![0, 1]));
}

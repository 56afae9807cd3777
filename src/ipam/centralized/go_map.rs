//! The order in which Go iterates a map: upstream lets it decide which idle address a pod gets and
//! which of two equal interfaces is emptied, and it is far from uniform (C43, C59, C95, C107).

use crate::chance::SmallStream;

/// Cells of a group of Go's map (Swiss table, Go 1.24 and later).
const GROUP: usize = 8;

/// The cells of a map that was filled in one go: up to eight entries stand in the order of their
/// insertion; more are hashed to groups and stand there in that order. Iteration begins at a random
/// cell and wraps around, so an entry behind empty cells is met first more often.
#[derive(Debug)]
pub(super) enum GoMap<T> {
    /// One group.
    Small([Option<T>; GROUP]),
    /// Several groups.
    Large(Vec<Option<T>>),
}

impl<T: Copy> GoMap<T> {
    /// A map into which `entries` were inserted in their order.
    pub fn of(entries: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>, chance: &mut SmallStream) -> Self {
        let mut entries = entries.into_iter();
        if entries.len() <= GROUP {
            return Self::Small(std::array::from_fn(|_| entries.next()));
        }
        let mut cells = vec![None; cells_for(entries.len())];
        let mut used = vec![0; cells.len() / GROUP];
        for entry in entries {
            insert(&mut cells, &mut used, entry, chance);
        }
        Self::Large(cells)
    }

    /// The entries in the order of one iteration.
    pub fn iterate(&self, chance: &mut SmallStream) -> impl Iterator<Item = T> + use<'_, T> {
        let cells = match self {
            Self::Small(cells) => cells.as_slice(),
            Self::Large(cells) => cells,
        };
        let start = chance.below(cells.len() as u32) as usize;
        cells[start..].iter().chain(&cells[..start]).copied().flatten()
    }
}

/// A small map hashes nothing; in a large one an entry that finds its group full goes on to others.
/// `used` = cells of each group that are.
fn insert<T>(cells: &mut [Option<T>], used: &mut [usize], entry: T, chance: &mut SmallStream) {
    let groups = used.len();
    let mut group = chance.below(groups as u32) as usize;
    let mut step = 0;
    while used[group] == GROUP {
        step += 1;
        group = (group + step) % groups;
    }
    cells[group * GROUP + used[group]] = Some(entry);
    used[group] += 1;
}

/// One group, then a power of two that is at most 7/8 full.
fn cells_for(entries: usize) -> usize {
    let mut cells = GROUP;
    while entries > if cells == GROUP { GROUP } else { cells / 8 * 7 } {
        cells *= 2;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to eight entries: their order of insertion, begun anywhere; mostly at the first.
    #[test]
    fn small_maps_only_turn() {
        let mut chance = SmallStream::new(1);
        let map = GoMap::of([1, 2, 3], &mut chance);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..8_000 {
            *seen.entry(map.iterate(&mut chance).collect::<Vec<_>>()).or_insert(0) += 1;
        }
        let orders: Vec<_> = seen.keys().map(Vec::as_slice).collect();
        assert_eq!(orders, [[1, 2, 3], [2, 3, 1], [3, 1, 2]]);
        assert!((5_800..6_200).contains(&seen[[1, 2, 3].as_slice()]), "six of eight cells lead to the first");
    }

    /// More entries are all met, once each, and every one may be the first.
    #[test]
    fn large_maps_meet_every_entry_once() {
        let mut chance = SmallStream::new(2);
        for n in [9, 14, 15, 28, 100, 250] {
            let map = GoMap::of(0..n, &mut chance);
            let mut met: Vec<_> = map.iterate(&mut chance).collect();
            met.sort_unstable();
            assert_eq!(met, (0..n).collect::<Vec<_>>());
            let mut first = vec![false; n];
            for _ in 0..20_000 {
                first[map.iterate(&mut chance).next().expect("it is not empty")] = true;
            }
            assert!(first.iter().all(|&seen| seen), "{n}");
        }
    }
}

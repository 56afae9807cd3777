//! The order in which Go iterates a map: upstream lets it decide which idle address a pod gets and
//! which of two equal interfaces is emptied, and it is far from uniform (C43, C59, C95, C107).

use crate::chance::SmallStream;

/// Cells of a group of Go's map (Swiss table, Go 1.24 and later).
const GROUP: usize = 8;
/// Cells of the largest map that needs no memory of its own: one of 56 entries.
const INLINE: usize = 64;
/// No entry stands in a cell.
const EMPTY: u16 = u16::MAX;

/// The cells of a map that was filled in one go, whose entries are called by their places in the order
/// of insertion: up to eight stand in that order; more are hashed to groups and stand there in that
/// order. Iteration begins at a random cell and wraps around, so an entry behind empty cells is met
/// first more often.
#[derive(Debug)]
pub(super) struct GoMap(Cells);

#[derive(Debug)]
enum Cells {
    /// The first so many of these.
    Inline([u16; INLINE], usize),
    Heap(Vec<u16>),
}

impl GoMap {
    /// A map into which so many entries were inserted.
    pub fn of(entries: usize, chance: &mut SmallStream) -> Self {
        let cells = cells_for(entries);
        if cells > INLINE {
            let mut all = vec![EMPTY; cells];
            fill(&mut all, &mut vec![0; cells / GROUP], entries, chance);
            return Self(Cells::Heap(all));
        }
        let mut all = [EMPTY; INLINE];
        fill(&mut all[..cells], &mut [0; INLINE / GROUP][..cells / GROUP], entries, chance);
        Self(Cells::Inline(all, cells))
    }

    /// The entries in the order of one iteration.
    pub fn iterate(&self, chance: &mut SmallStream) -> impl Iterator<Item = usize> + use<'_> {
        let cells = match &self.0 {
            Cells::Inline(all, cells) => &all[..*cells],
            Cells::Heap(all) => all,
        };
        let start = chance.below(cells.len() as u32) as usize;
        let turned = cells[start..].iter().chain(&cells[..start]);
        turned.filter(|&&entry| entry != EMPTY).map(|&entry| usize::from(entry))
    }

    /// Draws what a map of so many entries and one iteration of it draw, which nobody wants to know.
    pub fn draw(entries: usize, chance: &mut SmallStream) {
        let hashes = if entries > GROUP { entries as u64 } else { 0 };
        chance.skip(hashes + 1);
    }
}

/// A small map hashes nothing; in a large one an entry that finds its group full goes on to others.
/// `used` = cells of each group that are, none at first.
fn fill(cells: &mut [u16], used: &mut [u8], entries: usize, chance: &mut SmallStream) {
    let entries = u16::try_from(entries).expect("a node has fewer than 65,536 addresses");
    if entries as usize <= GROUP {
        return cells.iter_mut().zip(0..entries).for_each(|(cell, entry)| *cell = entry);
    }
    let groups = cells.as_chunks_mut::<GROUP>().0;
    for entry in 0..entries {
        let mut group = chance.below(groups.len() as u32) as usize;
        let mut step = 0;
        let cell = loop {
            match groups[group].get_mut(usize::from(used[group])) {
                Some(cell) => break cell,
                None => (step, group) = (step + 1, (group + step + 1) % groups.len()),
            }
        };
        *cell = entry;
        used[group] += 1;
    }
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
        let map = GoMap::of(3, &mut chance);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..8_000 {
            *seen.entry(map.iterate(&mut chance).collect::<Vec<_>>()).or_insert(0) += 1;
        }
        let orders: Vec<_> = seen.keys().map(Vec::as_slice).collect();
        assert_eq!(orders, [[0, 1, 2], [1, 2, 0], [2, 0, 1]]);
        assert!((5_800..6_200).contains(&seen[[0, 1, 2].as_slice()]), "six of eight cells lead to the first");
    }

    /// More entries are all met, once each, and every one may be the first.
    #[test]
    fn large_maps_meet_every_entry_once() {
        let mut chance = SmallStream::new(2);
        for n in [9, 14, 15, 28, 56, 57, 100, 250] {
            let map = GoMap::of(n, &mut chance);
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

    /// What is drawn for nobody is what a map draws.
    #[test]
    fn drawing_for_nobody_draws_the_same() {
        for n in [0, 1, 8, 9, 15, 57] {
            let (mut ours, mut theirs) = (SmallStream::new(3), SmallStream::new(3));
            GoMap::draw(n, &mut ours);
            drop(GoMap::of(n, &mut theirs).iterate(&mut theirs));
            assert_eq!(ours.next_u64(), theirs.next_u64(), "{n}");
        }
    }
}

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
            fill(&mut all, Groups::of(cells).used(), entries, chance);
            return Self(Cells::Heap(all));
        }
        let mut all = [EMPTY; INLINE];
        fill(&mut all[..cells], Groups::of(cells).used(), entries, chance);
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

/// Some entries of a map, which are met as among all.
#[derive(Debug)]
pub(super) struct Excerpt<T> {
    /// Cells of the map.
    cells: u32,
    /// Each with its cell, in order.
    entries: Vec<(u32, T)>,
}

impl<T: Copy> Excerpt<T> {
    /// Those of a map into which `all` entries were inserted, each with its place in the order of insertion, in
    /// order.
    pub fn of(all: usize, mut entries: Vec<(u32, T)>, chance: &mut SmallStream) -> Self {
        // What is inserted after the last of them moves none of them.
        let inserted = entries.last().map_or(0, |&(place, _)| place + 1);
        let groups = find_cells(all, inserted, &mut entries, chance);
        entries.sort_unstable_by_key(|&(cell, _)| cell);
        Self { cells: (groups.count * GROUP) as u32, entries }
    }

    /// They in the order of one iteration.
    pub fn iterate(&self, chance: &mut SmallStream) -> impl Iterator<Item = T> + use<'_, T> {
        let start = chance.below(self.cells);
        let (behind, ahead) = self.entries.split_at(self.entries.partition_point(|&(cell, _)| cell < start));
        ahead.iter().chain(behind).map(|&(_, entry)| entry)
    }
}

/// Iterates over a map into which `all` entries were inserted. Of each of some entries its place in the order of
/// insertion, in which they stand, becomes the place in that of iteration.
pub(super) fn iterate_some<T>(all: usize, entries: &mut [(u32, T)], chance: &mut SmallStream) {
    let mut groups = find_cells(all, all as u32, entries, chance);
    let start = chance.below((groups.count * GROUP) as u32);
    let group_of = |cell: u32| (cell as usize / GROUP, cell % GROUP as u32);
    let used = groups.used();
    let mut before = 0;
    let (group, in_group) = group_of(start);
    let in_first = in_group.min(used[group].into());
    for used in used.iter_mut() {
        before += std::mem::replace(used, before);
    }
    let place_of = |group: usize, in_group| u32::from(used[group]) + in_group;
    let skipped = place_of(group, in_first);
    for (place, _) in entries.iter_mut() {
        let wrapped = if *place < start { all as u32 } else { 0 };
        let (group, in_group) = group_of(*place);
        *place = place_of(group, in_group) + wrapped - skipped;
    }
    entries.sort_unstable_by_key(|&(place, _)| place);
}

/// Of each of some entries of a map of `all` its place in the order of insertion becomes its cell, once so many
/// are `inserted`, these among them. What else stands where then.
fn find_cells<T>(all: usize, inserted: u32, entries: &mut [(u32, T)], chance: &mut SmallStream) -> Groups {
    let mut groups = Groups::of(cells_for(all));
    let used = groups.used();
    if all <= GROUP {
        used[0] = inserted as u16;
        return groups;
    }
    let mut next = 0;
    for (place, _) in entries {
        fill_up(used, *place - next, chance);
        next = *place + 1;
        *place = next_cell(used, chance) as u32;
    }
    fill_up(used, inserted - next, chance);
    chance.skip(all as u64 - u64::from(inserted));
    groups
}

/// Uses the cells of so many entries.
#[inline(always)]
fn fill_up(used: &mut [u16], entries: u32, chance: &mut SmallStream) {
    for _ in 0..entries {
        next_cell(used, chance);
    }
}

/// How many cells of each group of a map are used.
#[derive(Debug)]
struct Groups {
    count: usize,
    /// Those of a map that needs no memory of its own.
    few: [u16; INLINE / GROUP],
    many: Vec<u16>,
}

impl Groups {
    /// Empty ones.
    fn of(cells: usize) -> Self {
        let (count, few) = (cells / GROUP, [0; INLINE / GROUP]);
        Self { count, few, many: if count > few.len() { vec![0; count] } else { Vec::new() } }
    }

    fn used(&mut self) -> &mut [u16] {
        if self.many.is_empty() { &mut self.few[..self.count] } else { &mut self.many }
    }
}

/// A small map hashes nothing. `used` = cells of each group that are, none at first.
fn fill(cells: &mut [u16], used: &mut [u16], entries: usize, chance: &mut SmallStream) {
    let entries = u16::try_from(entries).expect("a node has fewer than 65,536 addresses");
    if usize::from(entries) <= GROUP {
        return cells.iter_mut().zip(0..entries).for_each(|(cell, entry)| *cell = entry);
    }
    for entry in 0..entries {
        cells[next_cell(used, chance)] = entry;
    }
}

/// The cell of another entry in a map of several groups: one that finds its group full goes on to others.
#[inline(always)]
fn next_cell(used: &mut [u16], chance: &mut SmallStream) -> usize {
    let mut group = chance.below(used.len() as u32) as usize;
    let mut step = 0;
    while usize::from(used[group]) >= GROUP {
        step += 1;
        // Their number is a power of two.
        group = (group + step) & (used.len() - 1);
    }
    let in_group = used[group];
    used[group] = in_group + 1;
    group * GROUP + usize::from(in_group)
}

/// One group, then a power of two that is at most 7/8 full.
fn cells_for(entries: usize) -> usize {
    if entries <= GROUP { GROUP } else { (entries * 8).div_ceil(7).next_power_of_two() }
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

    /// Some entries are met as among all, and all are drawn for.
    #[test]
    fn some_entries_are_met_as_among_all() {
        for n in [3, 8, 9, 28, 57, 250] {
            let some = || (0..n as u32).filter(|place| place % 3 == 1).map(|place| (place, place as usize)).collect();
            let (mut ours, mut theirs) = (SmallStream::new(4), SmallStream::new(4));
            let (excerpt, all) = (Excerpt::of(n, some(), &mut ours), GoMap::of(n, &mut theirs));
            for _ in 0..20 {
                let met: Vec<_> = excerpt.iterate(&mut ours).collect();
                let among_all = all.iterate(&mut theirs).filter(|place| place % 3 == 1);
                assert_eq!(met, among_all.collect::<Vec<_>>(), "{n}");
                let mut met: Vec<_> = some();
                iterate_some(n, &mut met, &mut ours);
                let all = GoMap::of(n, &mut theirs);
                let among_all = (0..).zip(all.iterate(&mut theirs)).filter(|(_, place)| place % 3 == 1);
                assert_eq!(met, among_all.collect::<Vec<_>>(), "{n}");
            }
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

//! The addresses of one interface as the daemon sees them (rules R45 to R47, R150).
//!
//! Upstream keeps them in a Go map and lets map iteration decide which idle address a pod gets
//! and which one is given back. That order is far from uniform: an interface's primary address
//! is inserted first, sits in the first cell of its group, and is met after every run of empty
//! cells before it. The primary address can never be given back, so each time it is met a round
//! of trimming is lost (R67). To lose as many rounds as Terway does, this set has the cells of
//! Go's map (Swiss table, Go 1.24 and later): a group of 8 while it is small; then a power of
//! two, at most 7/8 full, in which each address hashes to a group and takes its first free cell;
//! iteration starts at a random cell and wraps around.
//!
//! All sets are bit masks over at most 64 cells, so that counting is one instruction and picking
//! two.

use std::net::Ipv4Addr;

use crate::address::Address;
use crate::chance::SmallStream;
use crate::id::PodId;
use crate::ipam::{Held, HeldStatus};

/// Most addresses that fit: 7/8 of 64 cells.
pub const MAX_ADDRESSES: u32 = 56;

/// Cells of a group of Go's map (`internal/runtime/maps/group.go`).
const GROUP: u32 = 8;

/// One cell: the address and who has it; an empty one has no address, and one without a pod says so.
#[derive(Debug, Clone, Copy)]
struct Entry<A> {
    address: A,
    pod: PodId,
}

impl<A: Address> Entry<A> {
    const EMPTY: Self = Self { address: A::NONE, pod: PodId::NONE };
}

/// The addresses of one interface, of one family. An entry is *valid*, *invalid* or *deleting*; it is *in use*
/// when a pod has it, whatever its status; everything else is *idle* (R46).
///
/// What every pod looks at comes first.
#[derive(Debug, Clone)]
#[repr(C)]
pub struct AddressSet<A = Ipv4Addr> {
    entries: Box<[Entry<A>]>,
    occupied: u64,
    in_use: u64,
    valid: u64,
    deleting: u64,
    /// Cells that were emptied in a full group; they end no probe and count as taken.
    tombstones: u64,
    primary: u64,
}

/// What is known of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressState {
    /// A pod has it.
    pub in_use: bool,
    /// It waits for being given back.
    pub deleting: bool,
    /// It is the interface's primary address.
    pub primary: bool,
}

impl<A> Default for AddressSet<A> {
    fn default() -> Self {
        Self { entries: Box::default(), occupied: 0, in_use: 0, valid: 0, deleting: 0, tombstones: 0, primary: 0 }
    }
}

impl<A: Address> AddressSet<A> {
    /// Entries of any status.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> u32 {
        self.occupied.count_ones()
    }

    /// Entries without a pod, whatever their status (R46).
    #[must_use]
    pub fn idle(&self) -> u32 {
        (self.occupied & !self.in_use).count_ones()
    }

    /// Entries with a pod, whatever their status (R46).
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.in_use.count_ones()
    }

    /// Entries that wait for being given back.
    #[must_use]
    pub fn deleting(&self) -> u32 {
        self.deleting.count_ones()
    }

    /// Whether some entry is valid and has no pod (R46).
    #[must_use]
    pub fn has_allocatable(&self) -> bool {
        self.allocatable() != 0
    }

    fn allocatable(&self) -> u64 {
        self.valid & !self.in_use
    }

    /// Forgets everything (the interface is gone).
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds a valid address.
    ///
    /// Upstream's map has no bound: if metadata never shows new addresses (R105), entries that are
    /// to be given back gather for as long as pods wait. Here what does not fit is forgotten, and
    /// stays on the interface.
    pub fn add_valid(&mut self, address: A, primary: bool, chance: &mut SmallStream) {
        if self.len() == MAX_ADDRESSES {
            return;
        }
        let bit = self.insert(Entry { address, pod: PodId::NONE }, chance);
        self.valid |= bit;
        if primary {
            self.primary = bit;
        }
    }

    /// Adds addresses that are to be given back (R63), as far as they fit.
    pub fn add_deleting(&mut self, addresses: &[A], chance: &mut SmallStream) {
        for &address in addresses {
            if self.len() < MAX_ADDRESSES {
                self.deleting |= self.insert(Entry { address, pod: PodId::NONE }, chance);
            }
        }
    }

    /// Binds an address to `pod`: the one that it has already, whatever its status, else any
    /// valid one without a pod (R47). Says whether the pod had it already.
    pub fn bind(&mut self, pod: PodId, chance: &mut SmallStream) -> Option<(A, bool)> {
        if let Some(cell) = self.cell_of(pod) {
            return Some((self.entries[cell].address, true));
        }
        let cell = self.first(self.allocatable(), chance)?;
        self.in_use |= 1 << cell;
        self.entries[cell].pod = pod;
        Some((self.entries[cell].address, false))
    }

    /// Whether [`Self::bind`] finds an address for `pod`.
    #[must_use]
    pub fn offers(&self, pod: PodId) -> bool {
        self.has_allocatable() || self.cell_of(pod).is_some()
    }

    /// Binds exactly `address` to `pod`; says whether the address is here (R137).
    pub fn bind_at(&mut self, pod: PodId, address: A) -> bool {
        let Some(cell) = self.cell_at(address) else { return false };
        self.in_use |= 1 << cell;
        self.entries[cell].pod = pod;
        true
    }

    /// Takes from `pod` the address that it has, if it has one.
    pub fn release_of(&mut self, pod: PodId) {
        if let Some(cell) = self.cell_of(pod) {
            self.release(pod, self.entries[cell].address);
        }
    }

    /// Takes `address` from `pod`; says whether the pod had it. The entry keeps its status and
    /// is idle at once (R69).
    pub fn release(&mut self, pod: PodId, address: A) -> bool {
        let Some(cell) = self.cell_at(address) else { return false };
        if self.in_use & (1 << cell) == 0 || self.entries[cell].pod != pod {
            return false;
        }
        self.in_use &= !(1 << cell);
        self.entries[cell].pod = PodId::NONE;
        true
    }

    /// Marks `address` as invalid: it is missing in instance metadata (R70). The cloud of the
    /// simulation never takes an address away, so only tests do.
    #[cfg(test)]
    pub fn invalidate(&mut self, address: A) {
        if let Some(cell) = self.cell_at(address) {
            self.valid &= !(1 << cell);
        }
    }

    /// Marks every unused entry that is not valid for being given back (R67, part b).
    pub fn dispose_invalid(&mut self) {
        self.deleting |= self.occupied & !self.in_use & !self.valid & !self.primary;
    }

    /// `rounds` rounds of trimming: in each the first entry in map order that is neither in use
    /// nor deleting is marked, which is a no-op for the primary address (R67, part c).
    pub fn dispose(&mut self, rounds: u32, chance: &mut SmallStream) {
        for _ in 0..rounds {
            let Some(cell) = self.first(self.occupied & !self.in_use & !self.deleting, chance) else {
                return;
            };
            let bit = 1 << cell & !self.primary;
            self.deleting |= bit;
            self.valid &= !bit;
        }
    }

    /// Trims by up to `n` addresses, and says how many upstream believes it marked (R67).
    pub fn trim(&mut self, n: u32, chance: &mut SmallStream) -> u32 {
        self.dispose_invalid();
        let rounds = self.idle().min(n);
        self.dispose(rounds, chance);
        rounds
    }

    /// Where there are more than `cap` addresses, marks all idle ones (R138).
    pub fn fit(&mut self, cap: u32) {
        if self.len() > cap {
            self.dispose_idle();
        }
    }

    /// Marks all idle addresses but the primary one.
    pub fn dispose_idle(&mut self) {
        let marked = self.occupied & !self.in_use & !self.primary;
        self.deleting |= marked;
        self.valid &= !marked;
    }

    /// Up to `most` addresses that are to be given back.
    pub fn to_unassign(&self, most: u32, chance: &mut SmallStream) -> Vec<A> {
        let mut left = self.deleting;
        let mut picked = Vec::with_capacity(most.min(left.count_ones()) as usize);
        while picked.len() < most as usize {
            let Some(cell) = self.first(left, chance) else { break };
            left &= !(1 << cell);
            picked.push(self.entries[cell].address);
        }
        picked
    }

    /// Removes addresses that have been given back.
    pub fn remove(&mut self, addresses: &[A]) {
        for &address in addresses {
            if let Some(cell) = self.cell_at(address) {
                self.erase(cell);
            }
        }
    }

    /// What is known of `address`; `None` = it is not here.
    #[must_use]
    pub fn state_of(&self, address: A) -> Option<AddressState> {
        let bit = 1 << self.cell_at(address)?;
        let has = |mask: u64| mask & bit != 0;
        Some(AddressState { in_use: has(self.in_use), deleting: has(self.deleting), primary: has(self.primary) })
    }

    /// Addresses with the pods that have them.
    pub fn bound(&self) -> impl Iterator<Item = (PodId, A)> + '_ {
        cells(self.in_use).map(|cell| (self.entries[cell].pod, self.entries[cell].address))
    }

    /// Every address, with what the daemon thinks of it, in the order of the cells.
    pub fn held(&self) -> impl Iterator<Item = Held<A>> + '_ {
        cells(self.occupied).map(|cell| {
            let has = |mask: u64| mask & 1 << cell != 0;
            let Entry { address, pod } = self.entries[cell];
            let status = match (has(self.valid), has(self.deleting)) {
                (true, _) => HeldStatus::Valid,
                (false, true) => HeldStatus::Deleting,
                (false, false) => HeldStatus::Invalid,
            };
            Held { address, pod: has(self.in_use).then_some(pod), status }
        })
    }

    /// Every address.
    #[cfg(test)]
    pub fn addresses(&self) -> impl Iterator<Item = A> + '_ {
        cells(self.occupied).map(|cell| self.entries[cell].address)
    }

    /// Checks the masks against each other.
    ///
    /// # Panics
    /// If they do not fit: the set is wrong.
    pub fn check_invariants(&self) {
        for part in [self.in_use, self.valid, self.deleting, self.primary] {
            assert!(part & !self.occupied == 0, "an empty cell has a status");
        }
        assert!(self.valid & self.deleting == 0, "an address is valid and is given back");
        assert!(self.occupied & self.tombstones == 0, "a cell is taken and a tombstone");
        assert!(self.primary & self.deleting == 0, "the primary address is never given back");
        for (entry, cell) in self.entries.iter().zip(0..) {
            let has = |mask: u64| mask >> cell & 1 == 1;
            assert_eq!(entry.pod != PodId::NONE, has(self.in_use), "a cell has a pod if it is in use");
            assert_eq!(entry.address != A::NONE, has(self.occupied), "a cell has an address if it is taken");
        }
        let once = |cell: usize| self.cell_at(self.entries[cell].address) == Some(cell);
        assert!(cells(self.occupied).all(once), "an address has one entry");
    }

    /// Reads the cells.
    pub fn read(&self) -> u64 {
        self.entries.iter().step_by(8).fold(0, |seen, entry| seen ^ u64::from(entry.pod.0))
    }

    /// The cell of `pod`. Nearly always it is asked of a pod that is not here, which is soonest known if all
    /// cells are looked at together.
    fn cell_of(&self, pod: PodId) -> Option<usize> {
        let is_here = self.entries.iter().fold(false, |found, entry| found | (entry.pod == pod));
        if is_here { self.entries.iter().position(|entry| entry.pod == pod) } else { None }
    }

    fn cell_at(&self, address: A) -> Option<usize> {
        self.entries.iter().position(|entry| entry.address == address)
    }

    /// The first cell of `mask` in map order: from a random cell on, around the end.
    fn first(&self, mask: u64, chance: &mut SmallStream) -> Option<usize> {
        if mask == 0 {
            return None;
        }
        let start = chance.below(self.entries.len() as u32);
        let after = mask & (!0 << start);
        let mask = if after == 0 { mask } else { after };
        Some(mask.trailing_zeros() as usize)
    }

    /// Adds an entry; it replaces that of the same address, which is here still if the cloud gave
    /// it again before instance metadata showed that it was given back (`PutValid`, `PutDeleting`).
    fn insert(&mut self, entry: Entry<A>, chance: &mut SmallStream) -> u64 {
        if let Some(cell) = self.cell_at(entry.address) {
            for mask in [&mut self.in_use, &mut self.valid, &mut self.deleting, &mut self.primary] {
                *mask &= !(1 << cell);
            }
            self.entries[cell] = entry;
            return 1 << cell;
        }
        assert!(self.len() < MAX_ADDRESSES, "an interface holds at most {MAX_ADDRESSES} addresses");
        let capacity = self.entries.len() as u32;
        let taken = (self.occupied | self.tombstones).count_ones();
        let full = if capacity <= GROUP { taken == capacity } else { taken >= capacity / 8 * 7 };
        if full {
            self.grow(chance);
        }
        let cell = self.free_cell(chance);
        self.entries[cell] = entry;
        self.occupied |= 1 << cell;
        self.tombstones &= !(1 << cell);
        1 << cell
    }

    /// The cell for a new entry: the first free one of the group that its hash names, or of the
    /// next group with room.
    fn free_cell(&self, chance: &mut SmallStream) -> usize {
        let groups = self.entries.len() as u32 / GROUP;
        let mut group = if groups > 1 { chance.below(groups) } else { 0 };
        loop {
            let free = (!self.occupied >> (group * GROUP)) as u8;
            if free != 0 {
                return (group * GROUP + free.trailing_zeros()) as usize;
            }
            group = (group + 1) % groups;
        }
    }

    /// Doubles the cells and hashes every entry again, in the order of the old cells.
    fn grow(&mut self, chance: &mut SmallStream) {
        let old = std::mem::take(self);
        // Deleted cells do not count after a rehash, so the table may keep its size.
        let crowded = old.len() >= old.entries.len() as u32 / 8 * 7;
        let capacity = match old.entries.len() {
            0 => GROUP as usize,
            n if crowded || n <= GROUP as usize => n * 2,
            n => n,
        };
        self.entries = vec![Entry::EMPTY; capacity.min(64)].into_boxed_slice();
        for cell in cells(old.occupied) {
            let to = self.free_cell(chance);
            self.entries[to] = old.entries[cell];
            self.occupied |= 1 << to;
            for (mask, was) in [
                (&mut self.in_use, old.in_use),
                (&mut self.valid, old.valid),
                (&mut self.deleting, old.deleting),
                (&mut self.primary, old.primary),
            ] {
                *mask |= (was >> cell & 1) << to;
            }
        }
    }

    fn erase(&mut self, cell: usize) {
        let bit = 1 << cell;
        let group = 0xff << (cell as u32 / GROUP * GROUP);
        if self.entries.len() as u32 > GROUP && (self.occupied | self.tombstones) & group == group {
            self.tombstones |= bit;
        }
        for mask in [&mut self.occupied, &mut self.in_use, &mut self.valid, &mut self.deleting, &mut self.primary] {
            *mask &= !bit;
        }
        self.entries[cell] = Entry::EMPTY;
    }
}

/// The cells of a mask, ascending.
fn cells(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let cell = (mask != 0).then(|| mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
        Some(cell)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x0a00_0000 + n)
    }

    /// A set with its primary address first and, if asked for, one more entry that a pod has.
    fn fresh(idle: u32, with_pod: bool, chance: &mut SmallStream) -> AddressSet {
        let mut set = AddressSet::default();
        for n in 0..idle {
            set.add_valid(address(n), n == 0, chance);
        }
        if with_pod {
            set.add_valid(address(idle), false, chance);
            assert!(set.bind_at(PodId(7), address(idle)));
        }
        set
    }

    /// `Set.PutValid`, `Set.PutDeleting`: the map has one entry for an address.
    #[test]
    fn an_address_that_comes_again_has_one_entry() {
        let mut chance = SmallStream::new(1);
        let mut set = fresh(3, false, &mut chance);
        set.add_deleting(&[address(2)], &mut chance);
        set.add_deleting(&[address(2)], &mut chance);
        assert_eq!((set.len(), set.deleting()), (3, 1));
        set.add_valid(address(2), false, &mut chance);
        assert_eq!((set.len(), set.deleting(), set.idle()), (3, 0, 3));
        set.check_invariants();
    }

    fn share_wasted(idle: u32) -> f64 {
        let mut chance = SmallStream::new(1);
        let runs = 20_000;
        let wasted = (0..runs)
            .filter(|_| {
                let mut set = fresh(idle, true, &mut chance);
                set.dispose(1, &mut chance);
                set.deleting() == 0
            })
            .count();
        wasted as f64 / f64::from(runs)
    }

    /// R150: measured on the real code, with one entry in use besides: 3 idle 76 %, 5 idle 50 %,
    /// 10 idle 28 % of the single rounds hit the primary address.
    #[test]
    fn r150_trimming_meets_the_primary_address_as_often_as_go() {
        for (idle, share) in [(3, 0.76), (5, 0.50), (10, 0.28)] {
            let ours = share_wasted(idle);
            assert!((ours - share).abs() < 0.04, "{idle} idle: {ours} instead of {share}");
        }
    }

    /// R150: five rounds on ten idle addresses free 5, 4, 3, at most 2 of them in 21, 34, 30,
    /// 16 % of cases.
    #[test]
    fn r150_five_rounds_free_fewer_than_five() {
        let mut chance = SmallStream::new(2);
        let mut freed = [0u32; 6];
        for _ in 0..20_000 {
            let mut set = fresh(10, true, &mut chance);
            set.dispose(5, &mut chance);
            freed[set.deleting() as usize] += 1;
        }
        let share = |n: u32| f64::from(n) / 20_000.0;
        let ours = [share(freed[5]), share(freed[4]), share(freed[3]), share(freed[0] + freed[1] + freed[2])];
        for (ours, real) in ours.into_iter().zip([0.21, 0.34, 0.30, 0.16]) {
            assert!((ours - real).abs() < 0.05, "{ours} instead of {real}");
        }
    }

    /// CC33 (`pkg/eni/types_test.go`): deleting and invalid entries are not allocatable, release
    /// by another pod does nothing, a pod finds its own address whatever its status.
    #[test]
    fn cc33_status_decides_what_a_pod_may_get() {
        let mut chance = SmallStream::new(3);
        let mut set = fresh(2, false, &mut chance);
        let (mine, _) = set.bind(PodId(1), &mut chance).expect("two are idle");
        set.invalidate(mine);
        assert_eq!(set.bind(PodId(1), &mut chance), Some((mine, true)));
        assert!(!set.release(PodId(2), mine));
        assert!(set.release(PodId(1), mine));
        assert_ne!(set.bind(PodId(3), &mut chance), Some((mine, false)));
        assert_eq!(set.bind(PodId(4), &mut chance), None);
        set.add_deleting(&[address(9)], &mut chance);
        assert_eq!((set.len(), set.deleting(), set.has_allocatable()), (3, 1, false));
    }

    #[test]
    fn entries_survive_growth_and_removal() {
        let mut chance = SmallStream::new(4);
        let mut set = fresh(56, false, &mut chance);
        assert_eq!(set.len(), 56);
        set.dispose_idle();
        assert_eq!((set.deleting(), set.idle()), (55, 56));
        while set.deleting() > 0 {
            let batch = set.to_unassign(10, &mut chance);
            set.remove(&batch);
        }
        assert_eq!(set.addresses().collect::<Vec<_>>(), [address(0)]);
        for n in 100..155 {
            set.add_valid(address(n), false, &mut chance);
        }
        assert_eq!(set.len(), 56);
    }
}

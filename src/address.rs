//! Addresses of a vSwitch.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// First addresses of a block that the cloud keeps for itself (CreateVSwitch: the network
/// address).
pub const RESERVED_FIRST: u32 = 1;
/// Last addresses of a block that the cloud keeps for itself (CreateVSwitch: .253, .254, .255
/// of a /24).
pub const RESERVED_LAST: u32 = 3;

/// Addresses of a prefix, which is a /28 whose first address is a multiple of this; all of them are
/// usable (rule C134).
pub const PREFIX: u32 = 16;

/// Usable addresses of a vSwitch with this block: a /19 has 8,188.
#[must_use]
pub fn usable(block: Ipv4Net) -> u32 {
    (1u32 << (32 - u32::from(block.prefix_len()))) - RESERVED_FIRST - RESERVED_LAST
}

/// An IPv6 address: its number among those that its vSwitch has handed out. A vSwitch's IPv6 block is
/// a /64, which no cluster uses up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct V6Addr(pub u32);

/// An address of either family.
pub trait Address: Copy + Eq + std::fmt::Debug {
    /// Stands where no address is.
    const NONE: Self;
}

impl Address for Ipv4Addr {
    const NONE: Self = Self::UNSPECIFIED;
}

impl Address for V6Addr {
    const NONE: Self = Self(u32::MAX);
}

/// Who owns each address of a vSwitch: a bit per address, handed out in order, round and round.
///
/// Prefixes come from what is reserved for them, and then single addresses do not; or, without any
/// reservation, from the same addresses, of which 16 aligned ones have to be free (rule C135).
#[derive(Debug, Clone)]
pub struct AddressBook {
    first: u32,
    usable: u32,
    free: u32,
    cursor: usize,
    /// Those outside of the block and those of reservations are always taken.
    taken: Vec<u64>,
    /// First addresses of the free prefixes of the reservations; `None` = nothing is reserved.
    reserved: Option<BTreeSet<u32>>,
}

impl AddressBook {
    /// The book of a block with prefix 16 to 29, all usable addresses free.
    #[must_use]
    pub fn new(block: Ipv4Net) -> Self {
        let usable = usable(block);
        let mut taken = vec![0; (usable as usize).div_ceil(64)];
        if let (Some(last), rest @ 1..) = (taken.last_mut(), usable % 64) {
            *last = !0 << rest;
        }
        Self {
            first: u32::from(block.network()) + RESERVED_FIRST,
            usable,
            free: usable,
            cursor: 0,
            taken,
            reserved: None,
        }
    }

    /// Keeps a part of the block, whole and aligned /28, for prefixes.
    ///
    /// # Panics
    /// If an address of it is taken, or is none of the usable ones.
    pub fn reserve(&mut self, part: Ipv4Net) {
        for first in (u32::from(part.network())..=u32::from(part.broadcast())).step_by(PREFIX as usize) {
            assert!(self.is_free_block(first), "a reservation holds usable addresses that nobody has");
            self.mark_block(first);
            self.reserved.get_or_insert_default().insert(first);
        }
    }

    /// Usable addresses, also those that are reserved.
    #[must_use]
    pub fn usable(&self) -> u32 {
        self.usable
    }

    /// Free addresses, those of reservations not among them: what DescribeVSwitches answers. That it
    /// leaves reservations out is an assumption; ordinary allocation skips them.
    #[must_use]
    pub fn free(&self) -> u32 {
        self.free
    }

    /// Takes one address; `None` if none is free.
    pub fn take(&mut self) -> Option<Ipv4Addr> {
        if self.free == 0 {
            return None;
        }
        while self.taken[self.cursor] == !0 {
            self.cursor = (self.cursor + 1) % self.taken.len();
        }
        let bit = self.taken[self.cursor].trailing_ones();
        self.taken[self.cursor] |= 1 << bit;
        self.free -= 1;
        Some(Ipv4Addr::from(self.first + self.cursor as u32 * 64 + bit))
    }

    /// Gives an address back.
    ///
    /// # Panics
    /// If nobody had it: the caller's books are wrong.
    pub fn give_back(&mut self, address: Ipv4Addr) {
        let offset = u32::from(address) - self.first;
        let (word, bit) = ((offset / 64) as usize, 1 << (offset % 64));
        assert!(offset < self.usable && self.taken[word] & bit != 0, "{address} was given back twice, or never taken");
        self.taken[word] &= !bit;
        self.free += 1;
    }

    /// Free addresses of reservations.
    #[must_use]
    pub fn reserved(&self) -> u32 {
        self.reserved.as_ref().map_or(0, |free| free.len() as u32 * PREFIX)
    }

    /// Prefixes that could be taken now. Without a reservation it looks at every address.
    #[must_use]
    pub fn free_prefixes(&self) -> u32 {
        self.reserved.as_ref().map_or_else(|| self.free_blocks().count() as u32, |free| free.len() as u32)
    }

    /// Takes the first free prefix; `None` if there is none. Its first address names it.
    pub fn take_prefix(&mut self) -> Option<Ipv4Addr> {
        if let Some(free) = &mut self.reserved {
            return free.pop_first().map(Ipv4Addr::from);
        }
        let first = self.free_blocks().next()?;
        self.mark_block(first);
        Some(Ipv4Addr::from(first))
    }

    /// Gives a prefix back.
    ///
    /// # Panics
    /// If nobody had it: the caller's books are wrong.
    pub fn give_back_prefix(&mut self, prefix: Ipv4Addr) {
        assert!(self.is_prefix_taken(prefix), "{prefix}/28 was given back twice, or never taken");
        let first = u32::from(prefix);
        if let Some(free) = &mut self.reserved {
            free.insert(first);
            return;
        }
        for (word, mask) in self.bits(first) {
            self.taken[word] &= !mask;
        }
        self.free += PREFIX;
    }

    /// Whether somebody has all of a prefix.
    #[must_use]
    pub fn is_prefix_taken(&self, prefix: Ipv4Addr) -> bool {
        let first = u32::from(prefix);
        self.is_usable_block(first)
            && self.bits(first).into_iter().all(|(word, mask)| self.taken[word] & mask == mask)
            && self.reserved.as_ref().is_none_or(|free| !free.contains(&first))
    }

    /// First addresses of the blocks of 16 that nobody has a part of.
    fn free_blocks(&self) -> impl Iterator<Item = u32> {
        let start = (self.first - RESERVED_FIRST).next_multiple_of(PREFIX);
        let blocks = (start..self.first + self.usable).step_by(PREFIX as usize);
        blocks.filter(|&first| self.is_free_block(first))
    }

    fn is_free_block(&self, first: u32) -> bool {
        self.is_usable_block(first) && self.bits(first).into_iter().all(|(word, mask)| self.taken[word] & mask == 0)
    }

    /// Whether all 16 addresses from `first` on, an aligned one, are usable.
    fn is_usable_block(&self, first: u32) -> bool {
        first.is_multiple_of(PREFIX) && first >= self.first && first - self.first + PREFIX <= self.usable
    }

    fn mark_block(&mut self, first: u32) {
        for (word, mask) in self.bits(first) {
            self.taken[word] |= mask;
        }
        self.free -= PREFIX;
    }

    /// The bits of the 16 addresses from `first` on: those in the word of the first, and those in the
    /// word of the last.
    fn bits(&self, first: u32) -> [(usize, u64); 2] {
        let (from, to) = (first - self.first, first - self.first + PREFIX - 1);
        let mask = |from: u32, to: u32| (!0 << from) & (!0 >> (63 - to));
        let (a, b) = ((from / 64) as usize, (to / 64) as usize);
        if a == b { [(a, mask(from % 64, to % 64)), (b, 0)] } else { [(a, mask(from % 64, 63)), (b, mask(0, to % 64))] }
    }

    /// Whether somebody has the address, or might have it as one of a reservation.
    #[must_use]
    pub fn is_taken(&self, address: Ipv4Addr) -> bool {
        let offset = u32::from(address).wrapping_sub(self.first);
        offset < self.usable && self.taken[(offset / 64) as usize] & (1 << (offset % 64)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `vswitch-capacity.csv`: 2^(32 − prefix) − 4 for every prefix that a vSwitch may have.
    #[test]
    fn four_addresses_of_every_block_are_reserved() {
        for prefix in 16..=29u8 {
            let block = Ipv4Net::new(Ipv4Addr::new(10, 0, 0, 0), prefix).expect("a valid prefix");
            let mut book = AddressBook::new(block);
            assert_eq!(book.usable(), (1 << (32 - prefix)) - 4);
            let all: Vec<_> = std::iter::from_fn(|| book.take()).collect();
            assert_eq!(all.len() as u32, book.usable());
            assert!(
                all.iter().all(|a| block.contains(a))
                    && !all.contains(&block.network())
                    && !all.contains(&block.broadcast())
            );
            assert_eq!(book.free(), 0);
        }
    }

    /// G11 of the worked examples: 192.168.1.0/24 keeps .0, .253, .254 and .255 for itself.
    #[test]
    fn a_24_serves_1_to_252() {
        let mut book = AddressBook::new("192.168.1.0/24".parse().expect("a block"));
        let mut all: Vec<_> = std::iter::from_fn(|| book.take()).collect();
        all.sort();
        assert_eq!(
            (all[0], all[251], all.len()),
            (Ipv4Addr::new(192, 168, 1, 1), Ipv4Addr::new(192, 168, 1, 252), 252)
        );
        book.give_back(all[7]);
        assert!(!book.is_taken(all[7]));
        assert_eq!(book.take(), Some(all[7]));
    }

    fn book(block: &str) -> AddressBook {
        AddressBook::new(block.parse().expect("a block"))
    }

    fn take_all_prefixes(book: &mut AddressBook) -> Vec<String> {
        std::iter::from_fn(|| book.take_prefix()).map(|prefix| prefix.to_string()).collect()
    }

    #[test]
    fn c135_a_prefix_is_never_where_the_cloud_keeps_addresses() {
        for (block, prefixes) in [("10.0.0.0/16", 4094), ("10.0.0.0/24", 14), ("10.0.0.0/27", 0), ("10.0.0.8/29", 0)] {
            assert_eq!(book(block).free_prefixes(), prefixes, "{block}");
        }
        let mut book = book("10.0.0.64/26");
        assert_eq!(take_all_prefixes(&mut book), ["10.0.0.80", "10.0.0.96"]);
        assert_eq!((book.free(), book.free_prefixes()), (28, 0));
        let rest: Vec<_> = std::iter::from_fn(|| book.take()).collect();
        assert!(rest.len() == 28 && rest.iter().all(|a| !(80..112).contains(&a.octets()[3])), "{rest:?}");
        book.give_back_prefix(Ipv4Addr::new(10, 0, 0, 80));
        assert_eq!((book.free(), book.free_prefixes()), (16, 1));
    }

    #[test]
    fn c135_scattered_addresses_fragment_a_vswitch() {
        let mut book = book("10.0.0.0/24");
        let all: Vec<_> = std::iter::from_fn(|| book.take()).collect();
        let scattered = |address: &&Ipv4Addr| address.octets()[3] % 16 != 7;
        all.iter().filter(scattered).for_each(|&address| book.give_back(address));
        assert_eq!((book.free(), book.free_prefixes(), book.take_prefix()), (236, 0, None));
        book.give_back(Ipv4Addr::new(10, 0, 0, 71));
        assert_eq!((book.free(), book.free_prefixes()), (237, 1));
        assert_eq!(book.take_prefix(), Some(Ipv4Addr::new(10, 0, 0, 64)), "its bits are in two words");
        assert!(book.is_prefix_taken(Ipv4Addr::new(10, 0, 0, 64)) && book.is_taken(Ipv4Addr::new(10, 0, 0, 79)));
        assert!(!book.is_taken(Ipv4Addr::new(10, 0, 0, 63)) && !book.is_taken(Ipv4Addr::new(10, 0, 0, 80)));
    }

    #[test]
    fn c135_reserved_and_ordinary_addresses_are_two_pools() {
        let mut book = book("10.0.0.0/24");
        book.reserve("10.0.0.128/28".parse().expect("a block"));
        book.reserve("10.0.0.32/27".parse().expect("a block"));
        assert_eq!((book.usable(), book.free(), book.reserved(), book.free_prefixes()), (252, 204, 48, 3));
        let ordinary: Vec<_> = std::iter::from_fn(|| book.take()).collect();
        assert!(ordinary.len() == 204 && !ordinary.contains(&Ipv4Addr::new(10, 0, 0, 128)));
        ordinary.iter().for_each(|&address| book.give_back(address));
        assert_eq!(take_all_prefixes(&mut book), ["10.0.0.32", "10.0.0.48", "10.0.0.128"]);
        assert_eq!((book.free(), book.reserved(), book.take_prefix()), (204, 0, None));
        book.give_back_prefix(Ipv4Addr::new(10, 0, 0, 48));
        assert_eq!((book.free(), book.reserved(), book.free_prefixes()), (204, 16, 1));
    }

    #[test]
    #[should_panic(expected = "10.0.0.48/28 was given back twice")]
    fn nobody_gives_a_prefix_back_twice() {
        let mut book = book("10.0.0.0/24");
        book.reserve("10.0.0.32/27".parse().expect("a block"));
        book.take_prefix();
        book.give_back_prefix(Ipv4Addr::new(10, 0, 0, 48));
    }
}

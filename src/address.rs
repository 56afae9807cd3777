//! Addresses of a vSwitch.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// First addresses of a block that the cloud keeps for itself (CreateVSwitch: the network
/// address).
pub const RESERVED_FIRST: u32 = 1;
/// Last addresses of a block that the cloud keeps for itself (CreateVSwitch: .253, .254, .255
/// of a /24).
pub const RESERVED_LAST: u32 = 3;

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
#[derive(Debug, Clone)]
pub struct AddressBook {
    first: u32,
    usable: u32,
    free: u32,
    cursor: usize,
    taken: Vec<u64>,
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
        Self { first: u32::from(block.network()) + RESERVED_FIRST, usable, free: usable, cursor: 0, taken }
    }

    /// Usable addresses.
    #[must_use]
    pub fn usable(&self) -> u32 {
        self.usable
    }

    /// Free addresses.
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

    /// Whether somebody has the address.
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
}

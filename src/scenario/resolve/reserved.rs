//! What a node keeps for its own system and kubelet.
//!
//! ACK's page "Node resource reservation policy" says: allocatable = capacity − reserved − eviction
//! threshold, and shows a node of 4 cores and 7,925,980 KiB that leaves 3900m and 5,824,732 KiB.
//! The steps below, which other clouds publish as theirs, give exactly that; beyond this one node
//! they are an assumption.

/// Where the default of `allocatable.cpu` comes from.
pub(super) const CPU_SOURCE: &str = "cores of the type − reserved: 100m, 2.5 % above 4 cores; fits the example of \
                                     ACK's page on resource reservation, else an assumption";

/// Where the default of `allocatable.memory` comes from.
pub(super) const MEMORY_SOURCE: &str = "memory of the type − reserved: 25 % of 4 GiB, 20 % to 8, 10 % to 16, 6 % to \
                                        128, 2 % above, and 300 MiB; fits the example of ACK's page on resource \
                                        reservation, else an assumption";

/// Hard eviction threshold `memory.available`, in MiB.
const EVICTION_MIB: u64 = 300;

/// Shares of the memory that are reserved, in percent: up to so many GiB each.
const MEMORY_STEPS: [(u64, u64); 5] = [(4, 25), (8, 20), (16, 10), (128, 6), (u64::MAX >> 10, 2)];

/// Shares of the cores beyond the first four that are reserved, in tenths of a thousandth: up to
/// so many cores each.
const CPU_STEPS: [(u64, u64); 3] = [(64, 250), (128, 125), (u64::MAX, 50)];

/// Thousandths of a core that pods may request on a node of so many cores.
pub(super) fn allocatable_cpu_milli(cores: u32) -> u32 {
    let mut reserved = 1000; // Tenths of a thousandth.
    let mut from = 4;
    for (to, share) in CPU_STEPS {
        reserved += u64::from(cores).clamp(from, to).saturating_sub(from) * share;
        from = to;
    }
    let left = (u64::from(cores) * 1000).saturating_sub(reserved.div_ceil(10));
    u32::try_from(left).unwrap_or(u32::MAX - 1)
}

/// MiB that pods may request on a node of so many MiB.
pub(super) fn allocatable_memory_mib(mib: u32) -> u32 {
    let mut reserved = 0; // Hundredths of a MiB.
    let mut from = 0;
    for (to, share) in MEMORY_STEPS {
        let to = to << 10;
        reserved += u64::from(mib).clamp(from, to).saturating_sub(from) * share;
        from = to;
    }
    let left = u64::from(mib).saturating_sub(reserved / 100 + EVICTION_MIB);
    u32::try_from(left).expect("it is at most the memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The node that ACK's page shows: 7,925,980 KiB are 7740 MiB, 5,824,732 KiB are 5688.
    #[test]
    fn the_example_of_the_documentation_holds() {
        assert_eq!(allocatable_cpu_milli(4), 3900);
        assert_eq!(allocatable_memory_mib(7740), 5688);
    }

    #[test]
    fn every_step_counts() {
        for (cores, milli) in [(1, 900), (8, 7800), (64, 62_400), (96, 94_000), (128, 125_600), (256, 252_960), (0, 0)]
        {
            assert_eq!(allocatable_cpu_milli(cores), milli, "{cores} cores");
        }
        for (gib, reserved) in [(4, 1024), (16, 2662), (32, 3645), (128, 9543), (256, 12_165)] {
            assert_eq!(allocatable_memory_mib(gib * 1024), gib * 1024 - reserved - 300, "{gib} GiB");
        }
        assert_eq!((allocatable_memory_mib(0), allocatable_memory_mib(u32::MAX) < u32::MAX), (0, true));
    }
}

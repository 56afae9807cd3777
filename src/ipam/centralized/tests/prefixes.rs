//! Prefix mode.

use super::*;

/// The prefixes of the new interfaces that are planned.
fn planned(ips_per_eni: u32, status: &Status, wanted: u32, pending: Option<u32>) -> Vec<u32> {
    let config = NodeConfig { ips_per_eni, ..config() };
    let mut places = places(&config, status, &mut chance());
    prefix::plan(&config, status, &mut places, wanted, |_| pending);
    places.iter().filter(|place| place.eni.is_none()).map(|place| place.prefixes).filter(|&n| n > 0).collect()
}

fn with_prefixes(state: NicState, addresses: &str, n: u32) -> Nic {
    let prefixes = (1..=n).map(|i| (address(1000 + 16 * i), true)).collect();
    Nic { state, prefixes, ..nic(1, addresses) }
}

/// Case 75 [pool_prefix_test.go:22-145]: three slots of fifteen.
#[test]
fn case_75_new_interfaces_for_prefixes() {
    for (wanted, expected) in [(0, vec![]), (1, vec![1]), (14, vec![10, 4]), (15, vec![10, 5]), (28, vec![10, 10, 8])] {
        assert_eq!(planned(15, &status([]), wanted, None), expected, "{wanted} prefixes");
    }
    assert!(planned(1, &status([]), 5, None).is_empty(), "there is no room beside the primary address (C124)");
}

/// Case 76 [146-262]: what exists comes first.
#[test]
fn case_76_existing_interfaces_come_first() {
    let in_use = |addresses: &str, n| status([with_prefixes(NicState::InUse, addresses, n)]);
    assert_eq!(planned(15, &in_use("i", 10), 15, None), [1]);
    assert!(planned(15, &in_use("i", 5), 5, None).is_empty());
    assert!(planned(15, &in_use("i", 0), 5, None).is_empty());
    assert_eq!(planned(15, &in_use("iiiiiiiiiiiiiii", 0), 5, None), [5]);
    assert_eq!(planned(15, &in_use("iiiiiiiiiiii", 0), 10, None), [7]);
    let attaching = status([with_prefixes(NicState::Attaching, "", 0)]);
    assert_eq!(planned(15, &attaching, 15, Some(10)), [5]);
}

/// Case 77 [330-620]: what a top-up goes by.
#[test]
fn case_77_the_top_up_counts_attaching_interfaces() {
    assert_eq!(prefix::lacking(&status([with_prefixes(NicState::InUse, "i", 5)]), 8), 3);
    assert_eq!(prefix::lacking(&status([with_prefixes(NicState::Attaching, "i", 5)]), 5), 0);
    assert_eq!(prefix::lacking(&status([with_prefixes(NicState::Deleting, "i", 5)]), 5), 5);
}

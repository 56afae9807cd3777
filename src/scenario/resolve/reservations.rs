//! Parts of a vSwitch that are kept for prefixes (CreateVSwitchCidrReservation, help page
//! vpc/api-610154).

use ipnet::Ipv4Net;

use crate::address::{PREFIX, RESERVED_FIRST, RESERVED_LAST};
use crate::scenario::loader::Loader;
use crate::scenario::quantity::Block;
use crate::scenario::read::At;
use crate::units::thousands;

/// Most reservations of a vSwitch (vpc/api-610154).
const MOST: usize = 10;

/// Longest prefix length of a reservation that holds a prefix.
const SMALLEST: u8 = 28;

/// The reservations of the vSwitch with this block in the order of their addresses; `None` =
/// something is wrong with them, which is reported.
pub(super) fn reservations(
    loader: &mut Loader,
    path: &str,
    written: &[At<Block>],
    vswitch: Option<&At<Block>>,
) -> Option<Vec<Ipv4Net>> {
    if let Some(surplus) = written.get(MOST) {
        loader.problems.error(surplus.place, format!("a vSwitch has at most {MOST} reservations (vpc/api-610154)"));
        return None;
    }
    let mut right = true;
    for (i, at) in written.iter().enumerate() {
        right &= is_right(loader, at, vswitch, &written[..i]);
        let blocks = (1_u64 << (32 - at.value.0.prefix_len())) / u64::from(PREFIX);
        loader.written(format!("{path}[{i}]"), format!("{}, {} /28", at.value.0, thousands(blocks)), at.place);
    }
    let mut blocks: Vec<_> = written.iter().map(|at| at.value.0).collect();
    blocks.sort_unstable();
    right.then_some(blocks)
}

/// Whether a reservation may be; reports if not.
fn is_right(loader: &mut Loader, at: &At<Block>, vswitch: Option<&At<Block>>, before: &[At<Block>]) -> bool {
    let part = at.value.0;
    if part.prefix_len() > SMALLEST {
        let problem = loader.problems.error(at.place, format!("`{part}` has no room for a prefix"));
        problem.help("a prefix is a /28, so a reservation is a /28 or larger");
        return false;
    }
    if let Some(other) = before.iter().find(|other| overlap(other.value.0, part)) {
        let problem = loader.problems.error(at.place, format!("`{part}` overlaps another reservation"));
        problem.context(other.place, "the other");
        return false;
    }
    let Some(vswitch) = vswitch else { return true };
    let whole = vswitch.value.0;
    if !whole.contains(&part) {
        let problem = loader.problems.error(at.place, format!("`{part}` lies outside the vSwitch"));
        problem.context(vswitch.place, format!("the vSwitch, {whole}"));
        return false;
    }
    let (first, last) = (u32::from(part.network()), u32::from(part.broadcast()));
    if first - u32::from(whole.network()) < RESERVED_FIRST || u32::from(whole.broadcast()) - last < RESERVED_LAST {
        let problem =
            loader.problems.error(at.place, format!("`{part}` holds addresses that the cloud keeps for itself"));
        problem.context(vswitch.place, format!("the first and the last three of {whole}"));
        problem.help("leave out the first and the last /28 of the vSwitch (vpc/api-610154)");
        return false;
    }
    true
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

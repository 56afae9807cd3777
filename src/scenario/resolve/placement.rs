//! vSwitches that are stated by their size or several at a time: each gets its own block.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::vpc::PREFIXES;
use crate::scenario::loader::Loader;
use crate::scenario::quantity::{Block, Count};
use crate::scenario::read::At;
use crate::scenario::written::{AddedVSwitch, Scenario, VSwitch};

/// Most copies of a vSwitch: what a VPC may have of vSwitches unless its quota is raised.
const MOST_COPIES: u64 = 150;

/// The scenario with a block for every vSwitch and with every copy, and where each vSwitch of the
/// start stands, such as `vpc.vswitches[1]`. Copies follow their original; they take its zone and
/// size, and others use nothing of them.
///
/// What has no block of its own gets the first free one of the VPC at which no stated block lies,
/// large ones first, then in the order of the list: where that finds no room, there is none.
pub(super) fn placed(loader: &mut Loader, written: &Scenario) -> (Scenario, Vec<String>) {
    let mut placed = written.clone();
    let Some(vpc) = &mut placed.vpc else { return (placed, Vec::new()) };
    let (mut all, mut paths) = (Vec::new(), Vec::new());
    for (i, vswitch) in vpc.vswitches.iter().flatten().enumerate() {
        let path = format!("vpc.vswitches[{i}]");
        let vswitch = checked(loader, vswitch);
        let copies = copies(&vswitch);
        paths.push(path.clone());
        paths.extend(copies.iter().enumerate().map(|(n, _)| format!("{path}.copies[{}]", n + 2)));
        all.push(vswitch);
        all.extend(copies);
    }
    let mut added: Vec<_> = placed.actions.iter_mut().flatten().filter_map(|a| a.add_vswitch.as_mut()).collect();
    for AddedVSwitch(vswitch) in &mut added {
        if let Some(copies) = vswitch.copies.take() {
            let problem = loader.problems.error(copies.place, "an action adds one vSwitch");
            problem.help("write an action for each");
        }
        *vswitch = checked(loader, vswitch);
    }
    let every = all.iter_mut().chain(added.into_iter().map(|AddedVSwitch(vswitch)| vswitch));
    place(loader, vpc.cidr.as_ref(), every.collect());
    vpc.vswitches = vpc.vswitches.as_ref().map(|_| all);
    (placed, paths)
}

/// A vSwitch that states its block in one way; what is wrong with that is reported.
fn checked(loader: &mut Loader, written: &VSwitch) -> VSwitch {
    let mut vswitch = written.clone();
    match (&written.cidr, &written.prefix) {
        (Some(cidr), Some(prefix)) => {
            let problem = loader.problems.error(prefix.place, "a vSwitch has `cidr` or `prefix`, not both");
            problem.context(cidr.place, "its block").help("remove one of them");
            vswitch.prefix = None;
        }
        (None, None) if written.sound => {
            let problem = loader.problems.error(written.place, "a vSwitch needs the key `cidr` or `prefix`");
            problem.label("not found here");
        }
        (None, Some(prefix)) if u8::try_from(prefix.value.0).is_ok_and(|p| PREFIXES.contains(&p)) => {}
        (None, Some(prefix)) => {
            let problem = loader.problems.error(prefix.place, format!("a vSwitch cannot be a /{}", prefix.value.0));
            problem.help("its prefix is 16 to 29 (CreateVSwitch)");
            vswitch.prefix = None;
        }
        _ => {}
    }
    if let Some(copies) = written.copies.as_ref().filter(|copies| !(1..=MOST_COPIES).contains(&copies.value.0)) {
        let problem = loader.problems.error(copies.place, format!("`copies` is a number from 1 to {MOST_COPIES}"));
        problem.label("the vSwitch itself counts too");
        vswitch.copies = None;
    }
    if let (Some(copies), Some(first)) = (&vswitch.copies, written.prefix_reservations.iter().flatten().next()) {
        let problem = loader.problems.error(first.place, "a reservation is of one vSwitch, not of its copies");
        problem.context(copies.place, "the copies").help("write every vSwitch with reservations by itself");
        vswitch.copies = None;
    }
    vswitch
}

/// The copies of a vSwitch besides itself.
fn copies(original: &VSwitch) -> Vec<VSwitch> {
    let Some(copies) = &original.copies else { return Vec::new() };
    let size = |cidr: &At<Block>| At { value: Count(cidr.value.0.prefix_len().into()), place: cidr.place };
    let stated = original.cidr.as_ref().map(size);
    let copy = |n| VSwitch {
        id: original.id.as_ref().map(|id| At { value: format!("{}-{n}", id.value), place: copies.place }),
        cidr: None,
        prefix: original.prefix.clone().or(stated.clone()),
        copies: None,
        used: None,
        ..original.clone()
    };
    (2..=copies.value.0).map(copy).collect()
}

/// Gives a block to every vSwitch that has a prefix only.
fn place(loader: &mut Loader, vpc: Option<&At<Block>>, all: Vec<&mut VSwitch>) {
    let Some(whole) = vpc else { return };
    let mut taken: Vec<Ipv4Net> = all.iter().filter_map(|v| v.cidr.as_ref()).map(|cidr| cidr.value.0).collect();
    let prefix = |v: &VSwitch| v.prefix.as_ref().map(|prefix| prefix.value.0 as u8);
    let mut missing: Vec<_> = all.into_iter().filter(|v| v.cidr.is_none() && v.prefix.is_some()).collect();
    missing.sort_by_key(|v| prefix(v));
    for vswitch in missing {
        let Some(At { value: Count(prefix), place }) = vswitch.prefix else { continue };
        match first_free(whole.value.0, prefix as u8, &taken) {
            Some(block) => {
                taken.push(block);
                vswitch.cidr = Some(At { value: Block(block), place });
            }
            None => {
                let title = format!("the VPC has no room for a /{prefix}");
                let problem = loader.problems.error(place, title).context(whole.place, "the VPC");
                problem.help("other vSwitches take what is left; make them smaller, or the VPC larger");
                return;
            }
        }
    }
}

/// The first block of this size in `vpc` that overlaps none of `taken`.
fn first_free(vpc: Ipv4Net, prefix: u8, taken: &[Ipv4Net]) -> Option<Ipv4Net> {
    let size = 1_u64 << (32 - prefix);
    let end = |block: &Ipv4Net| u64::from(u32::from(block.broadcast())) + 1;
    let mut start = u64::from(u32::from(vpc.network()));
    while start + size <= end(&vpc) {
        let block = Ipv4Net::new(Ipv4Addr::from(start as u32), prefix).expect("a prefix of 16 to 29 is one");
        match taken.iter().find(|other| other.contains(&block) || block.contains(*other)) {
            None => return Some(block),
            // The end of a larger block is a place for a smaller one.
            Some(other) => start = (start + size).max(end(other)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().expect("a block")
    }

    #[test]
    fn the_first_place_is_aligned_and_free() {
        let taken = [net("10.0.0.0/24"), net("10.0.2.0/23"), net("10.0.8.0/30")];
        let first = |prefix| first_free(net("10.0.0.0/20"), prefix, &taken).map(|block| block.to_string());
        assert_eq!(first(24).as_deref(), Some("10.0.1.0/24"));
        assert_eq!(first(23).as_deref(), Some("10.0.4.0/23"));
        assert_eq!(first(22).as_deref(), Some("10.0.4.0/22"));
        assert_eq!(first(21), None);
        assert_eq!(first(16), None);
    }

    proptest! {
        /// What is placed lies in the VPC and on nothing else, and nothing free lies before it.
        #[test]
        fn placing_agrees_with_trying_every_place(
            prefix in 24_u8..=29,
            taken in prop::collection::vec((0_u32..64, 24_u8..=29), 0..12),
        ) {
            let vpc = net("10.0.0.0/22");
            let at = |n: u32, prefix: u8| Ipv4Net::new(Ipv4Addr::from(u32::from(vpc.network()) + n * 16), prefix);
            let taken: Vec<_> = taken.into_iter().map(|(n, p)| at(n, p).expect("a prefix").trunc()).collect();
            let free = |block: &Ipv4Net| taken.iter().all(|other| !other.contains(block) && !block.contains(other));
            let naive = vpc.subnets(prefix).expect("it is smaller").find(free);
            prop_assert_eq!(first_free(vpc, prefix, &taken), naive);
        }
    }
}

//! What separates the versions.

use brimline::ipam::classic::Version;
use brimline::openapi::{Api, ErrorCode};

use crate::story::{A, Fault, Story, of};

/// P110: versions by their tags.
#[test]
fn p110_versions_go_by_their_tags() {
    for version in Version::ALL {
        assert_eq!(version.name().parse(), Ok(version));
    }
    assert_eq!(Version::default(), Version::V1_4_4);
    let unknown = "v1.3.9".parse::<Version>().unwrap_err().to_string();
    assert_eq!(unknown, "`v1.3.9` is none of v1.1.0, v1.2.0, v1.4.4 and v1.6.0");
}

/// P11, T26: before v1.3.0 ratio and shift mean nothing.
#[test]
fn p11_ratio_and_shift_matter_since_v1_3() {
    let slots = |version: Version, ratio, shift| version.profile().slots(8, ratio, shift);
    assert_eq!([Version::V1_1_0, Version::V1_2_0].map(|version| slots(version, 0.5, 3)), [7, 7]);
    assert_eq!([Version::V1_4_4, Version::V1_6_0].map(|version| slots(version, 0.5, 3)), [6, 6]);
    assert_eq!(slots(Version::V1_4_4, 0.7, 0), 4);
    assert_eq!(slots(Version::V1_4_4, 0.1, 0), -1);
}

/// P55: up to v1.4.0 the worker took whatever waited: the first request and the ten behind it.
#[test]
fn p55_the_batch_is_capped_since_v1_4_1() {
    for (version, batches) in [(Version::V1_2_0, &[11][..]), (Version::V1_4_4, &[10, 1])] {
        let mut story = Story::with(of(version, 1, 20, 0, 20), &[100], &[(A, 1, &[100])]);
        story.at(1.0);
        (1..=11).for_each(|pod| {
            story.add(pod);
        });
        let told = story.until(60.0).told();
        let assigned: Vec<u32> =
            told.lines().filter_map(|line| line.split_once("assign ")?.1.split(' ').next()?.parse().ok()).collect();
        assert_eq!(assigned, batches, "{version}");
        story.usage(0, 12);
    }
}

/// P79: an interface that is not created for another reason than missing addresses is tried once more
/// since v1.4.4.
#[test]
fn p79_a_failed_creation_is_tried_once_more_since_v1_4_4() {
    for (version, creates) in [(Version::V1_2_0, 1), (Version::V1_4_4, 2)] {
        let mut story = Story::new(of(version, 1, 20, 0, 20), &[100]);
        story.fault(Api::CreateNetworkInterface, Fault::Refuse(ErrorCode::Internal)).at(1.0).add(1);
        let told = story.until(60.0).told();
        assert_eq!(told.lines().filter(|line| line.contains("create")).count(), creates, "{version}: {told}");
    }
    Story::new(of(Version::V1_4_4, 1, 20, 0, 20), &[0]).at(1.0).add(1).until(60.0).tells(
        "1 create 1 on A
             1.6 refused: InvalidVSwitchId.IpNotEnough
             1.6 p1 failed: NotCreated { trouble: Api(IpNotEnough), short: false }",
    );
}

/// P77: v1.1.0 looks at a new interface after 4 s, later versions after 5 s.
#[test]
fn p77_the_pause_after_attaching() {
    for (version, at) in [(Version::V1_1_0, 6.5), (Version::V1_2_0, 7.5)] {
        let mut story = Story::new(of(version, 1, 20, 0, 20), &[100]);
        story
            .at(1.0)
            .add(1)
            .until(60.0)
            .tells(&format!("1 create 1 on A\n 1.6 attach e1\n {at} look at e1\n {:.1} p1 on e1", at + 0.1));
    }
}

/// P37: up to v1.2.0 an address that instance metadata lost is invalid for ever and costs the node its
/// place; later it is given back at the next tick.
#[test]
fn p37_an_invalid_address_costs_its_place_up_to_v1_2() {
    for (version, place) in [(Version::V1_2_0, false), (Version::V1_4_4, true)] {
        let mut story = Story::with(of(version, 1, 3, 0, 2), &[100], &[(A, 3, &[1])]);
        // An un-assign of the former life ends after the start has seen the address.
        story.until(1.0).at(2.0).del(1).until(2.1).restart(|config| config.sizes.max_idle = 3);
        story.until(500.0).skip();
        story.at(500.0);
        (1..=3).for_each(|pod| {
            story.add(pod);
        });
        let told = story.until(520.0).told();
        let served = told.lines().filter(|line| line.contains(" on ")).count();
        assert_eq!(served, if place { 3 } else { 2 }, "{version}: {told}");
    }
}

/// P112: v1.6.0 lets every call wait for ten seconds while addresses are short: for ten minutes, or until
/// one is given back.
#[test]
fn p112_v1_6_slows_down_while_addresses_are_short() {
    let there: [(_, _, &[u32]); 1] = [(A, 2, &[1])];
    let mut story = Story::with(of(Version::V1_6_0, 2, 10, 0, 10), &[0], &there);
    story.at(1.0).add(2).until(5.0).tells("1 p2 on e1");
    story.at(10.0).add(3).until(15.0).tells(
        "10.3 assign 1 to e1
         10.7 refused: InvalidVSwitchId.IpNotEnough
         11.8 p3 failed: NotAssigned { trouble: Api(IpNotEnough), short: false }",
    );
    // A free slot is left; the creation that fails on the only vSwitch makes it a shortage.
    story.at(20.0).add(3).until(25.0).tells(
        "20 create 1 on A
         20.6 refused: InvalidVSwitchId.IpNotEnough
         20.6 p3 failed: NotCreated { trouble: Api(IpNotEnough), short: true }",
    );
    story.free(A, 5).at(30.0).add(3).until(60.0).tells(
        "40 create 1 on A
         40.6 attach e2
         46.5 look at e2
         46.6 p3 on e2",
    );
    // A release ends it.
    story.at(70.0).del(1).at(71.0).add(4).tells("70 p1 left e1\n 71 p4 on e1");
}

/// P112: the node's own limit counts as a shortage too, and so does the last vSwitch of a node without
/// free slots.
#[test]
fn p112_what_counts_as_a_shortage() {
    let mut full = Story::with(of(Version::V1_6_0, 1, 2, 0, 2), &[100], &[(A, 2, &[1, 2])]);
    full.at(1.0).add(3).tells("1 p3 failed: NodeFull");
    full.at(2.0).add(3).until(30.0).tells("12 p3 failed: NodeFull");
    let mut spent = Story::with(of(Version::V1_6_0, 1, 10, 0, 10), &[0], &[(A, 2, &[1, 2])]);
    spent.at(1.0).add(3).until(10.0).tells(
        "1.3 assign 1 to e1
         1.7 refused: InvalidVSwitchId.IpNotEnough
         2.8 p3 failed: NotAssigned { trouble: Api(IpNotEnough), short: true }",
    );
    spent.at(10.0).add(3).until(30.0).tells("20 p3 failed: NoInterface { inhibited: true, foreign: false }");
}

//! vSwitches, flavors, constants.

use super::*;

/// Case 84 [vswitch_test.go:237-352].
#[test]
fn case_84_most_free_first_and_blocked_ones_last() {
    let [few, many, middle] = [0, 1, 2].map(VSwitchId);
    let choose = |counts: &[(VSwitchId, u32)], most: bool| {
        let mut search = Search::new(counts.iter().map(|&(id, _)| id).collect(), most);
        while let Some(id) = search.to_look_up() {
            let free = counts.iter().find(|(other, _)| *other == id).map(|&(_, free)| free);
            if search.found(free) {
                return Some(id);
            }
        }
        None
    };
    assert_eq!(choose(&[(few, 5), (many, 100), (middle, 50)], true), Some(many));
    assert_eq!(choose(&[(few, 5), (many, 0), (middle, 5)], true), Some(few), "ties keep the list's order");
    assert_eq!(choose(&[(few, 0), (many, 100)], false), Some(many));
    assert_eq!(choose(&[(few, 0)], true), None);

    let (mut vswitches, ttl) = (VSwitches::default(), Span::mins(20));
    vswitches.block(at(0), few, ttl);
    assert_eq!(vswitches.cached(at(0), few), None, "an unknown one is not blocked (C81)");
    assert_eq!(vswitches.look_up(at(1), few, NodeId(0)), Known::Unknown);
    assert_eq!(vswitches.look_up(at(1), few, NodeId(1)), Known::Asked, "calls for one vSwitch are merged (C74)");
    assert_eq!(vswitches.looked_up(at(2), few, Some(7), ttl), [NodeId(0), NodeId(1)]);
    vswitches.block(at(600), few, ttl);
    assert_eq!(vswitches.look_up(at(1800), few, NodeId(0)), Known::Free(0));
    assert_eq!(vswitches.look_up(at(1801), few, NodeId(0)), Known::Unknown, "its life began anew (C81)");
}

/// Cases 85 and 86 [node_reconcile_test.go:147-665]: slots by kind.
#[test]
fn case_85_flavors() {
    let of = |adapters, trunk, erdma| {
        let Flavor { trunk, high_performance, secondary } = Flavor::of(adapters, trunk, erdma);
        (trunk, high_performance, secondary)
    };
    assert_eq!((of(3, false, false), of(4, true, false), of(1, true, true)), ((0, 0, 2), (1, 0, 2), (0, 0, 0)));
    assert_eq!((of(4, false, true), of(5, true, true), of(2, true, true)), ((0, 1, 2), (1, 1, 2), (1, 0, 0)));
    assert_eq!(Flavor::of(5, true, true).total(), 4);
}

/// C69, C71, item 12 of the corrections: codes are compared exactly.
#[test]
fn c71_error_codes_are_compared_exactly() {
    assert_eq!(Refusal::of("Throttling"), Refusal::Transient);
    assert_eq!(Refusal::of("Throttling.User"), Refusal::Other);
    assert_eq!(Refusal::of("QuotaExceeded.PrivateIpAddress"), Refusal::IpNotEnough);
}

/// C157: calls per minute.
#[test]
fn c157_limits_of_the_control_plane() {
    let limit = Settings::default().rate_limit;
    let of = |api: Api| limit[api.index()];
    assert_eq!((of(Api::DescribeNetworkInterfaces), of(Api::DescribeVSwitches)), (Some(800), Some(300)));
    assert_eq!((of(Api::CreateNetworkInterface), of(Api::AssignPrivateIpAddresses)), (Some(500), Some(400)));
}

//! From document to configuration.

use super::*;

/// CC45: watermarks, clamps and capacity.
#[test]
fn cc45_watermarks_are_clamped_in_terways_order() {
    let cases = [
        (r#"{"max_pool_size": 5, "min_pool_size": 1}"#, (1, 5, 45)),
        (r#"{"max_pool_size": 5, "min_pool_size": 1, "max_eni": 2}"#, (1, 5, 10)),
        (r#"{"max_pool_size": 50, "min_pool_size": 1, "min_eni": 3}"#, (15, 45, 45)),
        (r#"{"max_pool_size": 2, "min_pool_size": 100}"#, (2, 2, 45)),
        (r#"{"max_pool_size": 1000}"#, (0, 45, 45)),
        (r#"{"min_pool_size": 10}"#, (0, 0, 45)),
        (r#"{"max_pool_size": 3, "min_eni": 1}"#, (3, 3, 45)),
        (r#"{"max_eni": 20}"#, (0, 0, 45)),
        (r#"{"max_eni": -1, "min_eni": -1}"#, (0, 0, 45)),
        (r#"{"eni_cap_ratio": 0.55}"#, (0, 0, 20)),
        (r#"{"eni_cap_ratio": 0, "eni_cap_shift": -3}"#, (0, 0, 30)),
        (r#"{"eni_cap_shift": 2}"#, (0, 0, 55)),
    ];
    for (text, (min, max, capacity)) in cases {
        let config = config(text, limits(10, 5));
        assert_eq!((config.min_idle, config.max_idle, config.capacity), (min, max, capacity), "{text}");
        assert_eq!(config.max_eni * config.ips_per_eni, capacity);
    }
}

/// CC45, R6: `ipam_type: crd` in a dynamic document alone switches pools and GC off.
#[test]
fn cc45_a_dynamic_crd_only_empties_the_pools() {
    let base = document(r#"{"max_pool_size": 50, "min_pool_size": 7, "ipam_type": "preferCRD"}"#);
    let crd = document(r#"{"ipam_type": "crd"}"#);
    let (resolved, notes) = resolve_on(&base.merge(&crd), limits(10, 5)).unwrap();
    let config = node_local(&resolved);
    assert_eq!((config.min_idle, config.max_idle, config.capacity, config.gc_period), (0, 0, 45, None));
    assert_eq!(notes[0].title, "`ipam_type: crd` in a dynamic document does not switch the allocator");
    // Nor does it switch to the daemons.
    let (resolved, _) = resolve_on(&crd.merge(&document(r#"{"ipam_type": null}"#)), limits(10, 5)).unwrap();
    assert!(matches!(resolved.config, crate::ipam::Config::Centralized(_)));
}

/// C10 to C12, C14, C104, C122: what the daemon makes of the document for the control plane; nothing is
/// clamped.
#[test]
fn c12_the_control_plane_gets_the_pool_sizes_as_they_are_written() {
    let centralized = |text: &str| {
        let document = document(text).with_ipam(IpamType::Centralized);
        match resolve_on(&document, limits(10, 5)).unwrap().0.config {
            crate::ipam::Config::Centralized(config) => config,
            _ => panic!("the control plane allocates"),
        }
    };
    let config = centralized(r#"{"max_pool_size": 500, "min_pool_size": 700, "max_eni": 2, "ip_warm_up_size": 8}"#);
    assert_eq!((config.min_idle, config.max_idle, config.warm_up), (700, 500, 8));
    assert_eq!((config.flavor.trunk, config.flavor.secondary, config.ips_per_eni), (0, 9, 5), "no max_eni (C11)");
    assert_eq!((config.sync_period, config.reclaim, config.prefixes()), (None, None, None));
    // Zero switches reclaim on here, and off in a daemon that allocates.
    assert!(centralized(r#"{"idle_ip_reclaim_after": "0s"}"#).reclaim.is_some());
    let config = centralized(r#"{"enable_ip_prefix": true, "ipv4_prefix_count": 7, "max_pool_size": 9}"#);
    assert_eq!((config.prefixes(), config.watermarks().max_idle), (Some(7), 0));
    let ordered = centralized(r#"{"vswitch_selection_policy": "ordered"}"#).selection;
    assert_eq!(ordered, crate::ipam::centralized::Selection::Most);
}

/// CC46: reclaim strings, with Go's own complaints.
#[test]
fn cc46_reclaim_is_read_from_strings() {
    let on = r#""idle_ip_reclaim_after": "5m""#;
    let reclaim = |rest: &str| config(&format!("{{{on}, {rest}}}"), limits(4, 10)).reclaim.unwrap();
    let all = reclaim(
        r#""idle_ip_reclaim_interval": "30m", "idle_ip_reclaim_jitter_factor": "0.2", "idle_ip_reclaim_batch_size": 7"#,
    );
    assert_eq!((all.after, all.interval, all.batch), (Span::mins(5), Span::mins(30), 7));
    assert_eq!(all.factor, 0.2);
    assert_eq!(reclaim(r#""idle_ip_reclaim_interval": "1h30m""#).interval, Span::mins(90));
    let default = reclaim(r#""idle_ip_reclaim_batch_size": -1"#);
    assert_eq!((default.interval, default.batch), (Span::mins(10), 5));
    for (text, factor) in [("0", 0.1), ("0.5", 0.5), ("1.0", 1.0)] {
        assert_eq!(reclaim(&format!(r#""idle_ip_reclaim_jitter_factor": "{text}""#)).factor, factor);
    }
    for off in ["{}", r#"{"idle_ip_reclaim_after": "0s"}"#, r#"{"idle_ip_reclaim_interval": "1m"}"#] {
        assert_eq!(config(off, limits(4, 10)).reclaim, None, "{off}");
    }
    let cases = [
        (r#"{"idle_ip_reclaim_after": "1d"}"#, "time: unknown unit \"d\" in duration \"1d\""),
        (r#"{"idle_ip_reclaim_interval": ""}"#, "time: invalid duration \"\""),
        (r#"{"idle_ip_reclaim_interval": "10"}"#, "time: missing unit in duration \"10\""),
        (r#"{"idle_ip_reclaim_jitter_factor": "x"}"#, "strconv.ParseFloat: parsing \"x\": invalid syntax"),
    ];
    for (text, error) in cases {
        let refused = refused(text);
        assert!(refused.starts_with("Terway does not start on this") && refused.ends_with(error), "{refused}");
    }
}

/// CC47: policies and the list of the zone.
#[test]
fn cc47_policies_and_candidates() {
    let policy = |text: &str| config(&format!("{{{text}}}"), limits(4, 10)).vswitch_selection;
    for (text, selection) in [
        ("", VSwitchSelection::Random),
        (r#""vswitch_selection_policy": "ordered""#, VSwitchSelection::Most),
        (r#""vswitch_selection_policy": "random""#, VSwitchSelection::Random),
        (r#""vswitch_selection_policy": "most""#, VSwitchSelection::Random),
    ] {
        assert_eq!(policy(text), selection, "{text}");
    }
    assert_eq!(titles(r#"{"vswitch_selection_policy": "most"}"#), ["vswitch_selection_policy `most` means random"]);
    let selection = |text: &str| config(text, limits(4, 10)).eni_selection;
    assert_eq!(selection(r#"{"eni_selection_policy": "least_ips"}"#), EniSelection::LeastIps);
    assert_eq!(selection(r#"{"eni_selection_policy": "LEAST_IPS"}"#), EniSelection::MostIps);
    let candidates = |text: &str| config(text, limits(4, 10)).vswitches;
    let both = r#"{"vswitches": {"cn-shanghai-f": ["vsw-BBB", "vsw-AAA"], "cn-shanghai-g": ["vsw-CCC"]}}"#;
    assert_eq!(candidates(both), [VSwitchId(1), VSwitchId(0)]);
    for own in ["{}", r#"{"vswitches": {"other": ["x"]}}"#, r#"{"vswitches": {"cn-shanghai-f": []}}"#] {
        assert_eq!(candidates(own), [VSwitchId(9)], "{own}: R18");
    }
    assert_eq!(titles(r#"{"vswitches": {"other": ["x"]}}"#), ["eni-config lists no vSwitch for zone cn-shanghai-f"]);
}

/// R91: a vSwitch of another zone is skipped; only such ones leave nothing.
#[test]
fn r91_candidates_of_other_zones_are_skipped() {
    let list = |ids: &str| format!(r#"{{"vswitches": {{"cn-shanghai-f": [{ids}]}}}}"#);
    let resolved = resolve_on(&document(&list(r#""vsw-CCC", "vsw-AAA""#)), limits(4, 10)).unwrap().0;
    assert_eq!(resolved.config.vswitches(), [VSwitchId(0)]);
    let shown = setting(&resolved, "vswitches");
    assert!(matches!(&shown.origin, Origin::Changed { from, .. } if from == "vsw-CCC, vsw-AAA"), "{shown:?}");
    assert_eq!(shown.value, "vsw-AAA");
    let refusal = refused(&list(r#""vsw-CCC""#));
    assert!(refusal.starts_with("no vSwitch of the list is in zone cn-shanghai-f"), "{refusal}");
    assert!(refused(&list(r#""vsw-AAA", "vsw-ZZZ""#)).starts_with("vSwitch `vsw-ZZZ` does not exist"));
    let many = [r#""vsw-AAA""#; 65].join(",");
    assert!(refused(&list(&many)).starts_with("65 vSwitches of one zone are more than can be simulated"));
}

/// CC49: capacity and slots of 4 adapters with 10 addresses.
#[test]
fn cc49_slots_of_a_node() {
    for (text, capacity, max_eni) in [("{}", 30, 3), (r#"{"max_eni": 2}"#, 20, 2)] {
        let config = config(text, limits(4, 10));
        assert_eq!((config.capacity, config.max_eni), (capacity, max_eni), "{text}");
    }
}

/// CC50, R8, R143: address families, trunk and RDMA.
#[test]
fn cc50_what_the_type_cannot_do_is_off_and_the_rest_is_refused() {
    let with = |v6, total: u32, eri| InstanceLimits {
        ipv6_per_adapter: Some(v6),
        total_adapters: Some(total),
        trunk: Some(total > 4),
        erdma_adapters: Some(eri),
        ..limits(4, 10)
    };
    let all = r#"{"ip_stack": "dual", "enable_eni_trunking": true, "enable_erdma": true}"#;
    for v6 in [0, 1, 9, 11] {
        assert_eq!(titles_on(all, with(v6, 4, 0)), ["Terway runs IPv4 only here"]);
    }
    assert_eq!(titles_on(all, with(10, 20, 2)), [""; 0]);
    let resolved = resolve_on(&document(all), with(10, 20, 2)).unwrap().0;
    assert_eq!(node_local(&resolved).trunk.map(|trunk| trunk.members), Some(16), "R33, R35");
    let trunk = "whether ecs.test has member interfaces is not known";
    let unknown =
        ["whether this node is dual stack cannot be said", trunk, "whether ecs.test has RDMA interfaces is not known"];
    assert_eq!(titles(all), unknown, "nor is it known that the type cannot");
    assert_eq!(
        refused(r#"{"ip_stack": "ipv6"}"#),
        "Terway does not start on this `ip_stack`: unsupported ipStack ipv6 in configMap"
    );
    let resolved = resolve_on(&document(r#"{"ip_stack": "dual"}"#), with(1, 4, 0)).unwrap().0;
    let stack = setting(&resolved, "ip_stack");
    assert_eq!(stack.value, "ipv4");
    assert!(matches!(&stack.origin, Origin::Changed { from, source, .. } if from == "dual" && source.contains("R143")));
    assert!(!node_local(&resolved).dual);
}

/// R143: dual stack is dual stack where a type has as many IPv6 as IPv4 addresses, and only there.
#[test]
fn r143_dual_needs_as_many_ipv6_as_ipv4_addresses() {
    let on = |v6| InstanceLimits { ipv6_per_adapter: Some(v6), ..limits(4, 10) };
    let (resolved, notes) = resolve_on(&document(r#"{"ip_stack": "dual"}"#), on(10)).unwrap();
    assert!(node_local(&resolved).dual && notes.is_empty());
    assert_eq!(setting(&resolved, "ip_stack").value, "dual");
    assert!(!config(r#"{"ip_stack": "ipv4"}"#, on(10)).dual);
}

/// C15: the control plane is dual stack on the same condition.
#[test]
fn c15_the_control_plane_needs_as_many_ipv6_as_ipv4_addresses() {
    let dual = |v6| {
        let limits = InstanceLimits { ipv6_per_adapter: Some(v6), ..limits(4, 10) };
        match resolve_on(&document(r#"{"ipam_type": "crd", "ip_stack": "dual"}"#), limits).unwrap() {
            (Resolved { config: crate::ipam::Config::Centralized(config), .. }, notes) => (config.dual, notes.len()),
            other => panic!("the control plane allocates: {other:?}"),
        }
    };
    assert_eq!((dual(10), dual(1)), ((true, 0), (false, 1)));
}

/// CC52, R15: the sync period.
#[test]
fn r15_unparsable_periods_are_two_minutes_and_zero_is_never() {
    let period = |text: &str| config(&format!(r#"{{"ip_pool_sync_period": "{text}"}}"#), limits(4, 10)).sync_period;
    for (text, secs) in [("30s", 30), ("2m", 120), ("", 120), ("invalid", 120), ("1d", 120)] {
        assert_eq!(period(text), Some(Span::secs(secs)), "{text}");
    }
    assert_eq!((period("0s"), period("-1m")), (None, None));
    assert_eq!(titles(r#"{"ip_pool_sync_period": "0s"}"#), ["the pool sync never runs"]);
    assert!(titles(r#"{"ip_pool_sync_period": "1d"}"#)[0].contains("Terway takes 120 s"));
}

/// R26, R110, and CC54's defaults as far as they concern a run.
#[test]
fn r26_limits_are_overridden_one_by_one() {
    let limit = config(r#"{"rate_limit": {"CreateNetworkInterface": 60, "DescribeInstanceTypes": 1}}"#, limits(4, 10))
        .rate_limit;
    assert_eq!(limit[Api::CreateNetworkInterface.index()], Some(60));
    assert_eq!(limit[Api::AttachNetworkInterface.index()], Some(500));
    assert_eq!(limit[Api::DescribeVSwitches.index()], Some(300));
    for value in ["0", "-5", "null"] {
        let text = format!(r#"{{"rate_limit": {{"CreateNetworkInterface": {value}}}}}"#);
        assert!(refused(&text).contains("calls of CreateNetworkInterface per minute"), "{text}");
    }
    assert_eq!(
        titles(r#"{"rate_limit": {"CreateNetworkInterfaces": 1}}"#),
        ["`CreateNetworkInterfaces` is not an action that the node-local allocator calls"]
    );
}

/// What Terway does not start on, and what is not simulated.
#[test]
fn what_cannot_be_simulated_is_refused() {
    let groups = ["\"sg\""; 11].join(",");
    let groups = format!(r#"{{"security_groups": [{groups}]}}"#);
    let cases = [
        (groups.as_str(), "security groups should not be more than 10, current 11"),
        (r#"{"backoff_override": {"eni_create": {"Steps": 3}}}"#, "other back-offs for `eni_create`"),
        (r#"{"max_pool_size": -1}"#, "`max_pool_size` is negative"),
        (r#"{"min_pool_size": -1}"#, "`min_pool_size` is negative"),
        (r#"{"idle_ip_reclaim_after": "-5m"}"#, "`idle_ip_reclaim_after` is negative"),
        (r#"{"idle_ip_reclaim_jitter_factor": "nan"}"#, "is no positive number"),
        (r#"{"eni_cap_ratio": 0.3}"#, "has no interface for pods: max_eni is 0"),
        (r#"{"eni_cap_ratio": -1}"#, "has no interface for pods: max_eni is -5"),
        (r#"{"eni_cap_ratio": 1e300}"#, "are more than can be simulated"),
        (r#"{"eni_cap_shift": 253}"#, "256 interfaces per node are more than can be simulated"),
    ];
    for (text, part) in cases {
        let refused = refused(text);
        assert!(refused.contains(part), "{text}: {refused}");
    }
    assert_eq!(titles_on("{}", limits(4, 57)), ["57 addresses per interface of ecs.test cannot be simulated"]);
    assert_eq!(titles_on("{}", limits(4, 0)), ["0 addresses per interface of ecs.test cannot be simulated"]);
    assert_eq!(titles_on("{}", limits(1, 6)), ["a node of type ecs.test has no interface for pods: max_eni is 0"]);
}

/// Traps 17 and 26: silent clamps are told.
#[test]
fn what_terway_changes_silently_is_told() {
    let resolved =
        resolve_on(&document(r#"{"max_pool_size": 8, "min_pool_size": 2, "min_eni": 1}"#), limits(4, 10)).unwrap();
    let (resolved, notes) = resolved;
    assert_eq!(notes[0].title, "a lower watermark of 10 idle addresses is clamped to the upper one, 8");
    let min = setting(&resolved, "min_pool_size");
    assert_eq!(min.value, "8 idle addresses");
    let Origin::Changed { from, source, .. } = &min.origin else { panic!("{min:?}") };
    assert_eq!(from, "2");
    assert!(source.contains("min_eni 1 × 10 addresses") && source.contains("clamped to max_pool_size 8"), "{source}");
    assert_eq!(titles(r#"{"eni_cap_shift": 1}"#), ["4 secondary interfaces are more than the 3 of ecs.test"]);
    let (resolved, notes) = resolve_on(&document(r#"{"max_pool_size": 99}"#), limits(4, 10)).unwrap();
    assert_eq!((setting(&resolved, "max_pool_size").value.as_str(), notes.len()), ("30 idle addresses", 0));
    let tags =
        titles(r#"{"eni_tag_filter": {"a": "b"}, "custom_stateful_workload_kinds": ["CloneSet"], "eni_tags": {}}"#);
    assert_eq!(tags, ["the tag filter is not simulated", "custom stateful kinds are not simulated"]);
}

/// R25, R34, R38: slots for RDMA are ERDMARes, and a daemon goes without them on a node that is full but for them.
#[test]
fn r34_rdma_slots_are_a_part_of_all() {
    let on = |adapters, eri| InstanceLimits { erdma_adapters: Some(eri), ..limits(adapters, 10) };
    let rdma = |adapters, eri| {
        let (resolved, notes) = resolve_on(&document(r#"{"enable_erdma": true}"#), on(adapters, eri)).unwrap();
        assert!(notes.is_empty());
        (node_local(&resolved).rdma.map(|rdma| (rdma.slots, rdma.crowded_from)), resolved.config.slots())
    };
    let devices = |text: &str, adapters, eri| {
        let (resolved, _) = resolve_on(&document(text), on(adapters, eri)).unwrap();
        resolved.config.devices().rdma
    };
    assert_eq!(devices(r#"{"enable_erdma": true}"#, 8, 4), 20, "R41: two of ten addresses");
    assert_eq!(devices(r#"{"enable_erdma": true, "disable_device_plugin": true}"#, 8, 4), 0);
    let crd = r#"{"enable_erdma": true, "disable_device_plugin": true, "ipam_type": "crd"}"#;
    assert_eq!(devices(crd, 8, 4), 20, "C163: of ERDMARes, though the node has one");
    assert_eq!(rdma(4, 2), (Some((1, 2)), 2));
    assert_eq!(rdma(8, 4), (Some((2, 5)), 5));
    assert_eq!(rdma(2, 2), (None, 1));
    assert_eq!(rdma(4, 0), (None, 3));
}

//! Worked examples of Alibaba Cloud's documentation and of Terway's own tests, row by row.
//!
//! G10 (capacity of nodes with exclusive ENIs), G15 and G16 (IP prefixes), G17 and G18 (warm-up) and
//! G19 (Flannel) are about what is not simulated.

use std::path::Path;

use brimline::address::usable;
use brimline::ipam::limits::{InstanceLimits, builtin};
use brimline::scenario::{Loaded, load_text};
use ipnet::Ipv4Net;

#[test]
fn every_worked_example_holds() {
    let mut reader = csv::Reader::from_path("tests/data/worked_examples.csv").expect("the examples are there");
    let mut rows = 0;
    for row in reader.records() {
        let row = row.expect("a row of the table");
        let (id, what, input) = (&row[0], &row[1], &row[2]);
        let expected: u64 = row[3].parse().expect("a number");
        assert_eq!(figure(what, input), expected, "{id}: {what} of {input} ({})", &row[4]);
        rows += 1;
    }
    assert_eq!(rows, 17);
}

/// The figure called `what` of a type or of a block of addresses, by our own rules.
fn figure(what: &str, input: &str) -> u64 {
    let limits = || builtin(input).map(|(limits, _)| limits).expect("a type of the table");
    let block = || input.parse::<Ipv4Net>().expect("a block of addresses");
    let known = |pick: fn(&InstanceLimits) -> Option<u32>| pick(&limits()).expect("it is known").into();
    match what {
        "max pods shared ENI" => max_pods(input),
        "max pods exclusive ENI" => limits().exclusive_eni_pods().into(),
        "joins shared ENI" => max_pods(input),
        "does not join shared ENI" => {
            let refused = pool_of(input).expect_err("its nodes do not join").to_string();
            assert!(refused.contains("does not let nodes of type"), "{refused}");
            limits().multi_ip_pods().into()
        }
        "trunk members" => known(InstanceLimits::member_adapters),
        "most trunk members" => known(InstanceLimits::max_member_adapters),
        "usable addresses" => usable(block()).into(),
        "addresses, reserved ones included" => u64::from(usable(block())) + 4,
        "as many IPv6 as IPv4" => u64::from(limits().ipv6_per_adapter == Some(limits().ipv4_per_adapter)),
        _ => panic!("nothing is known of `{what}`"),
    }
}

/// Pods that a scenario gives a node of a type.
fn max_pods(instance_type: &str) -> u64 {
    let loaded = pool_of(instance_type).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    loaded.model.node_pools[0].shapes[0].max_pods.into()
}

/// A scenario with a pool of a type.
fn pool_of(instance_type: &str) -> Result<Loaded, brimline::scenario::Diagnostics> {
    let text = format!(
        "horizon: 1h\nvpc: {{cidr: 10.0.0.0/16, vswitches: [{{id: a, zone: z, cidr: 10.0.0.0/19}}]}}\n\
         terway: {{eni_config: {{vswitches: {{z: [a]}}}}}}\n\
         node_pools: [{{name: p, instance_type: {instance_type}, node_vswitch: a, nodes: 1}}]\n"
    );
    load_text("example.yaml", &text, Path::new("."))
}

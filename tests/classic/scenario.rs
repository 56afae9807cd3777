//! Scenarios with a Terway of before v1.7: their defects, and what is said of them.

use brimline::model::{Ensemble, Model};
use brimline::outcome::{Summary, summarize};
use brimline::sim::{Progress, replicate, run, run_audited};
use brimline::time::Span;

/// A vSwitch that is too small for its pods.
fn model(terway: &str) -> Model {
    let text = format!(
        "
name: small
horizon: 3h
seed: 1
replications: 3
vpc:
  cidr: 10.0.0.0/16
  vswitches:
    - {{id: vsw-nodes, zone: z, cidr: 10.0.0.0/24}}
    - {{id: vsw-pods, zone: z, cidr: 10.0.1.0/27}}
terway:
  eni_config: {{max_pool_size: 5, min_pool_size: 0, vswitches: {{z: [vsw-pods]}}}}
{terway}
node_pools:
  - {{name: default, instance_type: ecs.g7.xlarge, node_vswitch: vsw-nodes, nodes: 2}}
workloads:
  - {{name: web, deployment: {{replicas: {{linear: {{from: 5, to: 40}}}}}}, lifetime: {{exponential: {{mean: 1h}}}}}}
"
    );
    brimline::scenario::load_text("a.yaml", &text, std::path::Path::new(".")).expect("it loads").model
}

fn summary(terway: &str) -> Summary {
    let model = model(terway);
    let recordings = replicate(&Ensemble::certain(model.clone()), 0..model.replications, &Progress::default());
    summarize(&model, &recordings)
}

/// P85: a deadlock that strikes is named, with nodes and time; it can be switched off.
#[test]
fn p85_a_defect_that_strikes_is_named() {
    let frozen = summary("  version: v1.1.0");
    let [defect] = &frozen.defects[..] else { panic!("{:?}", frozen.defects) };
    assert_eq!((defect.kind, defect.struck.hits, defect.nodes.mean), ("rollback_deadlock", 3, 2.0));
    // A frozen node strikes nobody twice.
    assert_eq!(defect.times.mean, 2.0);
    assert!(
        frozen.verdict.text.english().contains("2 times on 2 nodes: deadlock after a failed assign (P85)."),
        "{frozen:?}"
    );
    let mark = frozen.landmarks.iter().find(|mark| mark.kind == "terway_defect").expect("a landmark");
    assert_eq!((mark.happened.hits, mark.times.mean), (3, 1.0));

    let fixed = summary("  version: v1.1.0\n  defects: {rollback_deadlock: false, nil_interface: false}");
    assert_eq!(fixed.defects, []);
    assert!(!fixed.verdict.text.english().contains("defect"), "{}", fixed.verdict.text.english());
    assert!(fixed.pods.served.mean > frozen.pods.served.mean, "{:?} {:?}", fixed.pods, frozen.pods);
}

/// A node in which every request is refused is left alone for a while; whoever looks at it meanwhile
/// changes nothing.
#[test]
fn looking_at_exhausted_nodes_changes_nothing() {
    for version in ["v1.1.0", "v1.2.0", "v1.4.4", "v1.6.0"] {
        let model = model(&format!("  version: {version}"));
        let looked_at = run_audited(&model, 0, Span::secs(20));
        assert!(looked_at.pods.failures.iter().sum::<u64>() > 0, "{version}: nobody is refused");
        assert_eq!(looked_at, run(&model, 0, &Progress::default()), "{version}");
    }
}

/// P67: an interface whose deletion fails is off the list and its address back in the pool. While the detach fails too the
/// address serves pods; once that has worked the plugin finds no such interface, and no pod gets it.
#[test]
fn p67_an_address_of_an_interface_that_could_not_be_deleted_is_in_the_pool_still() {
    let text = |fails: &str| {
        format!(
            "
name: outage
horizon: 60m
seed: 1
vpc: {{cidr: 10.0.0.0/8, vswitches: [{{id: vsw, zone: z, cidr: 10.0.1.0/24}}]}}
terway: {{version: v1.6.0, eni_config: {{max_pool_size: 0, min_pool_size: 0, vswitches: {{z: [vsw]}}}}}}
node_pools: [{{name: p, instance_type: ecs.g7.2xlarge, node_vswitch: vsw, nodes: 2}}]
workloads:
  - name: web
    deployment: {{replicas: {{steps: [{{at: 0s, value: 32}}, {{at: 37m, value: 12}}, {{at: 44m, value: 21}}]}}}}
cloud: {{faults: [{{from: 30m, lasts: 30m, apis: [{fails}], fail: 100 %}}]}}
"
        )
    };
    for fails in ["DetachNetworkInterface, DeleteNetworkInterface", "DeleteNetworkInterface"] {
        let loaded = brimline::scenario::load_text("a.yaml", &text(fails), std::path::Path::new("."));
        let model = loaded.expect("it loads").model;
        for replication in 0..5 {
            assert!(run_audited(&model, replication, Span::secs(20)).pods.served > 0);
        }
    }
}

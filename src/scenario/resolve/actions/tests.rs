//! What actions mean, as they are written.

use std::path::Path;

use crate::id::VSwitchId;
use crate::model::{Comparison, Condition, Deed, Holder, Level, Portion, Restart, Trigger};
use crate::openapi::Api;
use crate::scenario::{Loaded, load_text};
use crate::time::{Instant, Span};

const HEAD: &str = "
horizon: 60d
replications: 4
vpc:
  cidr: 10.0.0.0/8
  vswitches:
    - {id: vsw-a, zone: a, cidr: 10.0.0.0/24}
    - {id: vsw-b, zone: b, cidr: 10.0.1.0/24, snat: false}
terway: {eni_config: {max_pool_size: 9, min_pool_size: 3, vswitches: {a: [vsw-a], b: [vsw-b]}}}
node_pools:
  - {name: both, instance_type: ecs.g7.2xlarge, node_vswitch: {a: vsw-a, b: vsw-b}, nodes: 4}
  - {name: own, instance_type: ecs.g7.2xlarge, node_vswitch: vsw-a, nodes: 1, eni_config: {max_pool_size: 5}}
workloads: [{name: web, deployment: {replicas: 9}}]
actions:
";

fn loaded(actions: &str) -> Loaded {
    load_text("runbook.yaml", &format!("{HEAD}{actions}"), Path::new("")).unwrap_or_else(|wrong| panic!("{wrong}"))
}

const RUNBOOK: &str = "
  - {name: new, when: vsw-a.free < 10 %, add_vswitch: {id: vsw-c, zone: a, cidr: 10.0.2.0/25, snat: true, used: 7}}
  - {edit_eni_config: {max_pool_size: 7, min_pool_size: null, vswitches: {a: [vsw-a, vsw-c]}}}
  - {after: 5m, restart_terway: all}
  - {after: new + 1h, restart_terway: {node_pools: [own], at_most_at_once: 2, takes: 1m}}
  - {after: edit_eni_config-1, edit_eni_config: {vswitches: {a: [vsw-c]}}}
  - {at: 3d, scale: {workload: web, replicas: 70}}
  - {scale: {node_pool: own, nodes: 12}}
  - {replace_nodes: {node_pool: both, max_surge: 20 %}}
  - {drain: {node_pool: both, nodes: 10 %}}
  - {lose_zone: {zone: b, lasts: 2h}}
  - {limit_api: {AssignPrivateIpAddresses: 600}}
  - {after: previous + 1d, limit_api: {AssignPrivateIpAddresses: off}}
";

#[test]
fn a_runbook_is_read_as_it_is_meant() {
    let model = loaded(RUNBOOK).model;
    let after = |action, delay| Trigger::After { action, delay };
    let condition = Condition {
        text: "vsw-a.free < 10 %".to_owned(),
        level: Level::VSwitch(VSwitchId::new(0), Holder::Free),
        comparison: Comparison::Less,
        than: 25.2,
    };
    let restart = |pools, at_most_at_once, takes| Deed::RestartTerway(Restart { pools, at_most_at_once, takes });
    let limit = |limit| Deed::LimitApi { api: Api::AssignPrivateIpAddresses, limit };
    let at_once = Span::ZERO;
    let (share, one) = (Portion::Share, Portion::Count(1));
    let expected = [
        (Trigger::When(condition), Deed::AddVSwitch(VSwitchId::new(2))),
        (after(1, Span::mins(5)), restart(vec![0, 1], share(0.1), Span::secs(30))),
        (after(0, Span::hours(1)), restart(vec![1], Portion::Count(2), Span::mins(1))),
        (Trigger::At(Instant::ZERO + Span::days(3)), Deed::ScaleWorkload { workload: 0, replicas: 70 }),
        (after(5, at_once), Deed::ScaleNodePool { pool: 1, nodes: 12 }),
        (after(6, at_once), Deed::ReplaceNodes { pool: 0, max_surge: share(0.2), max_unavailable: one }),
        (after(7, at_once), Deed::Drain { pool: 0, nodes: share(0.1) }),
        (after(8, at_once), Deed::LoseZone { zone: "b".to_owned(), lasts: Span::hours(2) }),
        (after(9, at_once), limit(Some(600))),
        (after(10, Span::days(1)), limit(None)),
    ];
    let others = model.actions.iter().filter(|action| !matches!(action.deed, Deed::EditEniConfig(_)));
    let others: Vec<_> = others.map(|action| (action.trigger.clone(), action.deed.clone())).collect();
    assert_eq!(others, expected);
    let told: Vec<_> = model.actions.iter().map(|action| format!("{}: {}", action.name, action.text)).collect();
    insta::assert_snapshot!(told.join("\n"), @"");
}

#[test]
fn an_added_vswitch_is_the_last_of_the_vpc() {
    let model = loaded(RUNBOOK).model;
    let vswitches = model.vpc.vswitches.iter().map(|v| (v.id.as_str(), v.snat, v.added_by));
    let expected = [("vsw-a", true, None), ("vsw-b", false, None), ("vsw-c", true, Some(0))];
    assert_eq!(vswitches.collect::<Vec<_>>(), expected);
    assert_eq!(model.vpc.vswitches[2].wanted_by_others(Instant::ZERO), 7);
    assert!(model.serving_vswitches().contains(&VSwitchId::new(2)), "an edit names it");
    assert!(model.levels().iter().any(|(name, _)| name == "vsw-c.free"), "conditions can name it");
}

/// An edit changes what the edits before it left, and a pool's own keys stay on top.
#[test]
fn edits_build_on_each_other_and_below_the_keys_of_a_pool() {
    let model = loaded(RUNBOOK).model;
    let edits = model.actions.iter().filter_map(|action| match &action.deed {
        Deed::EditEniConfig(daemons) => Some(daemons),
        _ => None,
    });
    // Of each group: both in a, both in b, own in a.
    let found: Vec<Vec<_>> = edits
        .map(|daemons| {
            let daemon = |d: &crate::ipam::node_local::Config| {
                (d.min_idle, d.max_idle, d.vswitches.iter().map(|id| id.index()).collect::<Vec<_>>())
            };
            daemons.iter().map(daemon).collect()
        })
        .collect();
    let first = vec![(0, 7, vec![0, 2]), (0, 7, vec![1]), (0, 5, vec![0, 2])];
    let second = vec![(0, 7, vec![2]), (0, 7, vec![1]), (0, 5, vec![2])];
    assert_eq!(found, [first, second]);
}

#[test]
fn what_an_action_changes_is_noted_once_and_action_by_action() {
    let loaded = loaded(&format!("{RUNBOOK}  - {{edit_eni_config: {{max_pool_size: 20}}}}\n"));
    let noted = loaded.settings.iter().filter(|setting| setting.path.starts_with("actions["));
    let noted: Vec<_> = noted.map(|setting| format!("{}: {}", setting.path, setting.value)).collect();
    insta::assert_snapshot!(noted.join("\n"), @"");
}

/// Uncertain inputs are drawn before actions are read, those in `after` too.
#[test]
fn sizes_and_delays_may_be_uncertain() {
    let actions = "
  - {at: {between: [3d, 5d]}, scale: {workload: web, replicas: [20, 80]}}
  - {after: [5m, 9m], limit_api: {DescribeVSwitches: [100, 200]}}
";
    let loaded = loaded(actions);
    assert_eq!(loaded.model.actions[0].trigger, Trigger::At(Instant::ZERO + Span::days(4)));
    assert_eq!(loaded.model.actions[1].trigger, Trigger::After { action: 0, delay: Span::mins(7) });
    assert_eq!(loaded.uncertain.len(), 4);
    let ensemble = loaded.ensemble();
    let drawn = |replication| ensemble.of(replication).actions[0].deed.clone();
    assert_ne!(drawn(0), drawn(1), "each replication has its own");
}

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
  - {name: new, when: vsw-a.free < 25 %, add_vswitch: {id: vsw-c, zone: a, cidr: 10.0.2.0/25, snat: true, used: 7}}
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
        text: "vsw-a.free < 25 %".to_owned(),
        level: Level::VSwitch(VSwitchId::new(0), Holder::Free),
        comparison: Comparison::Less,
        than: 63.0,
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
    let told: Vec<_> =
        model.actions.iter().map(|action| format!("{}: {}", action.name, action.text.english())).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    new: vsw-c is added
    edit_eni_config-1: eni-config is edited: max_pool_size, min_pool_size, vswitches
    restart_terway-1: Terway is restarted, on 10 % of the nodes at a time
    restart_terway-2: Terway is restarted, on 2 nodes of own at a time
    edit_eni_config-2: eni-config is edited: vswitches
    scale-1: web is scaled to 70 pods
    scale-2: node pool own is scaled to 12 nodes
    replace_nodes-1: the nodes of both are replaced
    drain-1: 10 % of the nodes of both are drained
    lose_zone-1: zone b is lost for 2h
    limit_api-1: the limit of AssignPrivateIpAddresses is 600 a minute
    limit_api-2: the limit of AssignPrivateIpAddresses is off
    ");
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
            let daemon = |d: &crate::ipam::Config| {
                (d.min_idle(), d.max_idle(), d.vswitches().iter().map(|id| id.index()).collect::<Vec<_>>())
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
    let loaded =
        loaded(&format!("{RUNBOOK}  - {{after: edit_eni_config-2, edit_eni_config: {{max_pool_size: 20}}}}\n"));
    let noted = loaded.settings.iter().filter(|setting| setting.path.starts_with("actions["));
    let noted: Vec<_> = noted.map(|setting| format!("{}: {}", setting.path, setting.value)).collect();
    insta::assert_snapshot!(noted.join("\n"), @r"
    actions[0].name: new
    actions[0].when: vsw-a.free < 25 %
    actions[0].add_vswitch.id: vsw-c
    actions[0].add_vswitch.zone: a
    actions[0].add_vswitch.cidr: 10.0.2.0/25, 124 usable
    actions[0].add_vswitch.snat: true
    actions[0].add_vswitch.used: 7 addresses
    actions[1].name: edit_eni_config-1
    actions[1].after: new
    actions[1].edit_eni_config.max_pool_size: 7 idle addresses
    actions[1].edit_eni_config.min_pool_size: 0 idle addresses
    actions[1].edit_eni_config.vswitches: vsw-a, vsw-c
    actions[2].name: restart_terway-1
    actions[2].after: edit_eni_config-1 + 5m
    actions[2].restart_terway.at_most_at_once: 10 % of the nodes
    actions[2].restart_terway.takes: 30.0 s
    actions[2].restart_terway.node_pools: all
    actions[3].name: restart_terway-2
    actions[3].after: new + 1h
    actions[3].restart_terway.at_most_at_once: 2 nodes
    actions[3].restart_terway.takes: 1m
    actions[3].restart_terway.node_pools: own
    actions[4].name: edit_eni_config-2
    actions[4].after: edit_eni_config-1
    actions[4].edit_eni_config.vswitches: vsw-c
    actions[5].name: scale-1
    actions[5].at: 3d
    actions[5].scale.replicas: 70
    actions[5].scale.workload: web
    actions[6].name: scale-2
    actions[6].after: scale-1
    actions[6].scale.nodes: 12
    actions[6].scale.node_pool: own
    actions[7].name: replace_nodes-1
    actions[7].after: scale-2
    actions[7].replace_nodes.node_pool: both
    actions[7].replace_nodes.max_surge: 20 % of the nodes
    actions[7].replace_nodes.max_unavailable: 1 node
    actions[8].name: drain-1
    actions[8].after: replace_nodes-1
    actions[8].drain.node_pool: both
    actions[8].drain.nodes: 10 % of the nodes
    actions[9].name: lose_zone-1
    actions[9].after: drain-1
    actions[9].lose_zone.zone: b
    actions[9].lose_zone.lasts: 2h
    actions[10].name: limit_api-1
    actions[10].after: lose_zone-1
    actions[10].limit_api.AssignPrivateIpAddresses: 600 a minute
    actions[11].name: limit_api-2
    actions[11].after: limit_api-1 + 1d
    actions[11].limit_api.AssignPrivateIpAddresses: off
    actions[12].name: edit_eni_config-3
    actions[12].after: edit_eni_config-2
    actions[12].edit_eni_config.max_pool_size: 20 idle addresses
    ");
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

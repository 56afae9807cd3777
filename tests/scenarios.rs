//! Every file in `scenarios/` loads and says nothing unexpected; the schema and the
//! documentation know what the reader knows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use brimline::ipam::Config;
use brimline::model::{Ensemble, Model, PoolSize, Schedule};
use brimline::outcome::summarize;
use brimline::record::{Cause, Recording};
use brimline::report::terminal;
use brimline::scenario::{Loaded, demo, describe, load, load_text, schema};
use brimline::sim::{Progress, replicate, run};
use brimline::text::Lang;
use brimline::time::{Instant, Span};
use serde_json::Value;

/// Every scenario file, in the order of names.
fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("scenarios").expect("the folder is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.retain(|path| !path.to_string_lossy().contains("eni-config"));
    files.sort();
    assert!(files.len() >= 4);
    files
}

fn loaded(path: &Path) -> Loaded {
    load(path).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The first line of each warning.
fn warnings(path: &str) -> Vec<String> {
    let loaded = loaded(Path::new(path));
    loaded.warnings.iter().map(|warning| warning.lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_scenario_loads_and_asks_a_question() {
    for path in files() {
        let loaded = loaded(&path);
        assert!(loaded.model.question.ends_with('?'), "{}: {}", path.display(), loaded.model.question);
        assert_eq!(Some(loaded.model.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
        // Recorded numbers leave little to chance, and that run is long.
        let replications = if loaded.model.name == "dlrm2025-month" { 5 } else { 20 };
        assert_eq!(loaded.model.replications, replications);
    }
}

#[test]
fn warnings_are_those_that_are_meant() {
    insta::assert_debug_snapshot!(warnings("scenarios/slash19-article.yaml"), @r#"
    [
        "warning: Terway would refuse this: JSON has no comments and no trailing commas",
    ]
    "#);
    for as_the_article in ["article-remedy", "article-remedy-replace"] {
        let path = format!("scenarios/{as_the_article}.yaml");
        assert_eq!(warnings(&path), warnings("scenarios/slash19-article.yaml"), "{as_the_article}");
    }
    for quiet in [
        "slash19-defaults",
        "teaching-slash26",
        "two-vswitches",
        "dlrm2025-month",
        "rollout-surge",
        "zone-outage",
        "autoscaled-night",
        "dual-stack",
    ] {
        assert_eq!(warnings(&format!("scenarios/{quiet}.yaml")), [""; 0], "{quiet}");
    }
}

#[test]
fn the_demo_is_the_article() {
    let demo = demo().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let file = loaded(Path::new("scenarios/slash19-article.yaml"));
    assert_eq!(demo.model, file.model);
    assert_eq!(demo.settings, file.settings);
    assert_eq!(demo.sources, file.sources);
}

#[test]
fn check_prints_the_model_with_origins() {
    let text = describe(&loaded(Path::new("scenarios/slash19-article.yaml")));
    let warnings_end = text.find("\nslash19-article\n").expect("the name follows the warnings");
    for line in text[warnings_end..].lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!("check", text);
}

/// The answer to each scenario's question, as the terminal shows it.
#[test]
fn every_scenario_has_its_answer() {
    for path in files() {
        let model = loaded(&path).model;
        let summary = summarize(
            &model,
            &replicate(&Ensemble::certain(model.clone()), 0..model.replications, &Progress::default()),
        );
        let text = terminal(&summary, &[], 80, Lang::English);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "wider than 80 columns:\n{text}");
        insta::assert_snapshot!(format!("answer_{}", model.name), text);
    }
}

/// With watermarks 0/0 and large nodes a month of a real cluster fills a /19 when counting its pods
/// says so, to the hour; every address that serves nobody then is accounted for. With the article's
/// 20/80 it is full at once.
#[test]
fn a_real_month_is_full_when_counted_and_earlier_with_watermarks() {
    let mut model = loaded(Path::new("scenarios/dlrm2025-month.yaml")).model;
    let full = |model: &Model| {
        let recording = run(model, 0, &Progress::default());
        let full = recording.vswitches[1].first_refusal.expect("it is full");
        assert_eq!(full.who.parts().iter().sum::<u32>(), 8188, "{full:?}");
        assert_eq!(full.idle.parts().iter().sum::<u32>(), full.who.idle, "{full:?}");
        (full.at, recording.counting.full.expect("the pods are too many"))
    };
    model.horizon = Span::days(21);
    let (simulated, counted) = full(&model);
    let hour = Span::hours(1);
    assert!(simulated <= counted + hour && simulated + hour >= counted, "{simulated:?}, {counted:?}");
    for zone in model.node_pools.iter_mut().flat_map(|pool| &mut pool.shapes[0].zones) {
        let Config::NodeLocal(config) = &mut zone.daemon else { panic!("its daemon allocates") };
        let config = Arc::make_mut(config);
        (config.min_idle, config.max_idle) = (20, 80);
    }
    let (simulated, _) = full(&model);
    assert!(simulated < Instant::ZERO + Span::days(2), "{simulated:?}");
}

/// After the article's remedy everybody can use the new vSwitch but the nodes without a free slot,
/// and their pods wait on; once these nodes are replaced, nobody does.
#[test]
fn the_remedy_of_the_article_helps_nodes_with_a_free_slot_only() {
    let recording = |name: &str| {
        let model = loaded(Path::new(&format!("scenarios/{name}.yaml"))).model;
        run(&model, 0, &Progress::default())
    };
    let waiting = |recording: &Recording| recording.groups.iter().map(|group| group.end.waiting).collect::<Vec<_>>();
    let remedy = recording("article-remedy");
    let restart = &remedy.actions[2];
    let reach = restart.reach.expect("a vSwitch was added");
    // The nodes of the API have no free slot, and neither have the ten first ones of the other pool,
    // which had ten pods each at the start.
    assert_eq!((reach.configured, reach.able), (reach.nodes, reach.nodes - 8 - 10), "{reach:?}");
    // 8 nodes with 36 addresses each, for 43 pods of the API and one of the DaemonSet.
    let in_vain = 8 * (44 - 36);
    assert!(restart.waiting > in_vain, "pods of other nodes wait too: {restart:?}");
    assert_eq!((restart.relieved, restart.recovered), (restart.waiting - in_vain, None), "{restart:?}");
    assert_eq!(waiting(&remedy), [0, in_vain]);
    let replaced = recording("article-remedy-replace");
    let begins = |recording: &Recording| recording.actions[..3].iter().map(|action| action.began).collect::<Vec<_>>();
    assert_eq!(begins(&replaced), begins(&remedy), "it is the same story until then");
    let replacement = &replaced.actions[3];
    let reach = replacement.reach.expect("a vSwitch was added");
    assert_eq!((reach.configured, reach.able), (reach.nodes, reach.nodes - 10), "{reach:?}");
    assert_eq!(waiting(&replaced), [0, 0]);
}

/// A pod that asked just now strands nothing: it may still be served.
#[test]
fn what_is_free_at_the_start_is_not_stranded() {
    let mut model = loaded(Path::new("scenarios/teaching-slash26.yaml")).model;
    model.horizon = Span::secs(1);
    let recordings = replicate(&Ensemble::certain(model.clone()), 0..model.replications, &Progress::default());
    assert!(recordings.iter().all(|recording| recording.pods.waiting_at_end == 12 && recording.stranded.is_empty()));
}

/// Without a node pods are not kept back by a limit of pods per node.
#[test]
fn no_node_is_not_max_pods() {
    let mut model = loaded(Path::new("scenarios/teaching-slash26.yaml")).model;
    model.node_pools[0].size = PoolSize::Scheduled(Schedule::Constant(0.0));
    let causes: Vec<_> = replicate(&Ensemble::certain(model.clone()), 0..model.replications, &Progress::default())[0]
        .binding
        .iter()
        .map(|&(_, cause)| cause)
        .collect();
    assert_eq!(causes, [Cause::NoNode]);
}

/// Nodes of a pool are spread over its zones, and so are the addresses that they keep idle.
#[test]
fn the_watermarks_are_compared_zone_by_zone() {
    let text = |nodes: u32| {
        format!(
            "# Is it enough?\nname: zones\nhorizon: 1h\nvpc:\n  cidr: 10.0.0.0/16\n  vswitches:\n    \
             - {{id: a, zone: z-a, cidr: 10.0.0.0/24}}\n    - {{id: b, zone: z-b, cidr: 10.0.1.0/24}}\n\
             terway:\n  eni_config: {{max_pool_size: 20, min_pool_size: 20, vswitches: {{z-a: [a], z-b: [b]}}}}\n\
             node_pools:\n  - {{name: p, instance_type: ecs.g7.2xlarge, node_vswitch: {{z-a: a, z-b: b}}, nodes: {nodes}}}\n\
             workloads:\n  - {{name: w, deployment: {{replicas: 1}}}}\n"
        )
    };
    let warnings = |nodes| match load_text("zones.yaml", &text(nodes), Path::new(".")) {
        Ok(loaded) => loaded.warnings,
        Err(diagnostics) => panic!("{diagnostics}"),
    };
    assert_eq!(warnings(24), [""; 0]);
    let told = warnings(26).join("");
    assert!(told.contains("zone `z-a`") && told.contains("zone `z-b`"), "{told}");
    assert!(told.contains("13 nodes of the zone keep 260 idle addresses; its vSwitches have 252 for them"), "{told}");
}

/// A file that was cut short is noticed.
#[test]
fn a_scenario_without_pods_is_told() {
    let text = std::fs::read_to_string("scenarios/teaching-slash26.yaml").expect("it can be read");
    let (head, _) = text.split_once("workloads:").expect("it has workloads");
    let loaded = load_text("cut.yaml", head, Path::new(".")).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].starts_with("warning: no workload asks for addresses"), "{}", loaded.warnings[0]);
}

/// What may be drawn fits where it may stand, and nowhere else.
#[test]
fn the_schema_knows_uncertain_inputs() {
    let schema: Value = serde_json::from_str(&schema()).expect("the schema is JSON");
    let text = std::fs::read_to_string("scenarios/teaching-slash26.yaml").expect("it can be read");
    let value: Value = serde_saphyr::from_str(&text).expect("it is YAML");
    let fits_with = |change: &dyn Fn(&mut Value)| {
        let mut changed = value.clone();
        change(&mut changed);
        fits(&schema, &changed, &schema)
    };
    let quantiles = serde_json::json!({"p5": "1m", "p50": "2m", "p95": "5m"});
    for nodes in ["[8, 12]", r#"{"between": [8, 12]}"#, r#"{"linear": {"from": 1, "to": [3, 9]}}"#] {
        let nodes: Value = serde_json::from_str(nodes).expect("JSON");
        assert!(fits_with(&|scenario| scenario["node_pools"][0]["nodes"] = nodes.clone()), "{nodes}");
    }
    assert!(fits_with(&|scenario| scenario["node_pools"][0]["provisioning"] = quantiles.clone()));
    assert!(!fits_with(&|scenario| scenario["node_pools"][0]["nodes"] = serde_json::json!({"p5": 1})));
    for certain in ["horizon", "warm_up", "seed"] {
        assert!(!fits_with(&|scenario| scenario[certain] = quantiles.clone()), "{certain}");
    }
    assert!(!fits_with(&|scenario| scenario["outputs"] = serde_json::json!({"samples": [5, 9]})));
    let until = serde_json::json!({"until": {"measure": "pods.served", "half_width": "5 %"}, "at_most": 50});
    assert!(fits_with(&|scenario| scenario["replications"] = until.clone()));
    assert!(!fits_with(&|scenario| scenario["replications"] = serde_json::json!({"until": {}})));
}

/// Whether `value` fits `schema`, as far as types, keys and alternatives go.
fn fits(schema: &Value, value: &Value, root: &Value) -> bool {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = reference.trim_start_matches('#');
        return fits(root.pointer(pointer).expect("references are defined"), value, root);
    }
    let any = |key: &str| schema.get(key).and_then(Value::as_array);
    let count = |list: &Vec<Value>| list.iter().filter(|option| fits(option, value, root)).count();
    let alternatives = any("oneOf").is_none_or(|list| count(list) == 1) && any("anyOf").is_none_or(|l| count(l) > 0);
    let constant = schema.get("const").is_none_or(|constant| constant == value);
    let kind = match schema.get("type").and_then(Value::as_str) {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.is_none_or(|keys| keys.iter().all(|key| value.get(key.as_str().expect("a key")).is_some()));
    let properties = schema.get("properties").and_then(Value::as_object);
    let more = schema.get("additionalProperties");
    let members = value.as_object().is_none_or(|members| {
        members.iter().all(|(key, member)| match (properties.and_then(|p| p.get(key)), more) {
            (Some(property), _) => fits(property, member, root),
            (None, Some(Value::Bool(allowed))) => *allowed,
            (None, Some(schema)) => fits(schema, member, root),
            (None, None) => true,
        })
    });
    let items = schema.get("items");
    let items =
        value.as_array().is_none_or(|list| items.is_none_or(|items| list.iter().all(|item| fits(items, item, root))));
    alternatives && constant && kind && required && members && items
}

#[test]
fn every_scenario_fits_the_schema() {
    let schema: Value = serde_json::from_str(&schema()).expect("the schema is JSON");
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let value: Value = serde_saphyr::from_str(&text).expect("it is YAML");
        assert!(fits(&schema, &value, &schema), "{}", path.display());
        let mut wrong = value.clone();
        wrong["vpc"]["vswitches"][0]["zonee"] = "z".into();
        assert!(!fits(&schema, &wrong, &schema), "an unknown key is found");
    }
}

//! Conformance cases of the configuration, and texts as users have them.

use super::*;
use crate::id::VSwitchId;
use crate::ipam::json::{self, Json, Value};
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::{Config, EniSelection, VSwitchSelection};
use crate::openapi::Api;
use crate::time::Span;

/// The sample of the founding article, as printed.
const ARTICLE: &str = r#"{
  "version": "1",
  "max_pool_size": 80, # pool upper watermark
  "min_pool_size": 20, # pool lower watermark
  "credential_path": "/var/addon/token-config",
  "vswitches": {"cn-shanghai-f":["vsw-AAA"]}, # "zone": ["vSwitch"]
  "service_cidr": "172.21.0.0/20",
  "security_group": "sg-1",
  "vswitch_selection_policy": "ordered"
}
"#;

fn limits(adapters: u32, ipv4_per_adapter: u32) -> InstanceLimits {
    InstanceLimits {
        adapters,
        ipv4_per_adapter,
        ipv6_per_adapter: None,
        total_adapters: None,
        trunk: None,
        erdma_adapters: None,
    }
}

/// vsw-AAA and vsw-BBB are in cn-shanghai-f, vsw-CCC is elsewhere; the node's own is number 9.
fn resolve_on(document: &Document, limits: InstanceLimits) -> Checked<Resolved> {
    let vswitch = |id: &str| {
        let (id, zone) = match id {
            "vsw-AAA" => (0, "cn-shanghai-f"),
            "vsw-BBB" => (1, "cn-shanghai-f"),
            "vsw-CCC" => (2, "cn-shanghai-g"),
            _ => return None,
        };
        Some(VSwitch { id: VSwitchId(id), zone })
    };
    let node = Node { instance_type: "ecs.test", limits: &limits, zone: "cn-shanghai-f", vswitch: VSwitchId(9) };
    resolve(document, &node, &vswitch)
}

fn document(text: &str) -> Document {
    read(text, 0).unwrap().0
}

fn config(text: &str, limits: InstanceLimits) -> Config {
    resolve_on(&document(text), limits).unwrap().0.config
}

/// Titles of all notes on `text`, read and resolved on 4 adapters of 10 addresses.
fn titles(text: &str) -> Vec<String> {
    titles_on(text, limits(4, 10))
}

fn titles_on(text: &str, limits: InstanceLimits) -> Vec<String> {
    let notes = match read(text, 0) {
        Err(notes) => notes,
        Ok((document, mut notes)) => {
            notes.extend(resolve_on(&document, limits).map_or_else(|notes| notes, |(_, notes)| notes));
            notes
        }
    };
    notes.into_iter().map(|note| note.title).collect()
}

/// What `note` points at.
fn cut<'t>(note: &Note, text: &'t str) -> &'t str {
    &text[note.place.clone().expect("it has a place").span]
}

/// Title of the only error of `text`.
fn refused(text: &str) -> String {
    let errors: Vec<_> = match read(text, 0) {
        Err(notes) => notes,
        Ok((document, _)) => resolve_on(&document, limits(4, 10)).expect_err(text),
    };
    let errors: Vec<_> = errors.into_iter().filter(|note| note.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "{text}: {errors:?}");
    assert!(errors[0].hint.is_some(), "{errors:?}");
    format!("{}: {}", errors[0].title, errors[0].label)
}

fn setting<'r>(resolved: &'r Resolved, key: &str) -> &'r Setting {
    resolved.settings.iter().find(|setting| setting.key == key).unwrap_or_else(|| panic!("no setting {key}"))
}

#[test]
fn the_articles_sample_is_read_as_printed_with_a_warning() {
    let (document, notes) = read(ARTICLE, 0).unwrap();
    let [note] = &notes[..] else { panic!("{notes:?}") };
    assert_eq!(note.severity, Severity::Warning);
    assert!(note.title.starts_with("Terway would refuse this"), "{note:?}");
    assert_eq!(cut(note, ARTICLE), "# pool upper watermark");
    let (Resolved { config, settings }, notes) = resolve_on(&document, limits(8, 30)).unwrap();
    assert_eq!(notes, []);
    assert_eq!((config.min_idle, config.max_idle, config.max_eni, config.capacity), (20, 80, 7, 210));
    assert_eq!((config.vswitch_selection, config.vswitches), (VSwitchSelection::Most, vec![VSwitchId(0)]));
    assert_eq!((config.sync_period, config.reclaim), (Some(Span::secs(120)), None));
    let max = settings.iter().find(|setting| setting.key == "max_pool_size").unwrap();
    let Origin::Written(place) = &max.origin else { panic!("{max:?}") };
    assert_eq!(&ARTICLE[place.span.clone()], "80");
}

/// A ConfigMap in all the forms that kubectl and people give it.
#[test]
fn places_in_a_config_map_are_places_in_its_text() {
    let indented: String = ARTICLE.lines().map(|line| format!("    {line}\n")).collect();
    let quoted = serde_json::to_string(ARTICLE).unwrap();
    let head =
        "# é\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: eni-config\ndata:\n  10-terway.conf: |\n    {}\n";
    for text in [
        format!("{head}  eni_conf: |  # the document\n{indented}  other: x\n"),
        format!("{head}  eni_conf: |-\n{indented}"),
        format!("{head}  eni_conf: {quoted}\n"),
        format!("{head}  eni_conf: '{}'\n", ARTICLE.replace('\n', "\n\n")),
        format!("---\nkind: Secret\n---\n{head}  eni_conf: |\n{indented}"),
        format!("{{\"kind\": \"ConfigMap\", \"data\": {{\"eni_conf\": {quoted}}}}}"),
    ] {
        let (document, notes) = read(&text, 4).unwrap_or_else(|notes| panic!("{text}\n{notes:?}"));
        assert_eq!(notes.len(), 1, "{text}");
        assert_eq!(cut(&notes[0], &text), "# pool upper watermark", "{text}");
        let vswitches: Vec<_> = document.vswitches().collect();
        let [("cn-shanghai-f", "vsw-AAA", place)] = vswitches[..] else { panic!("{vswitches:?}") };
        assert!(matches!(&text[place.span.clone()], "\"vsw-AAA\"" | "\\\"vsw-AAA\\\""), "{text}");
        assert_eq!(place.source, 4);
    }
}

#[test]
fn what_is_no_document_is_refused_with_its_place() {
    let cases = [
        ("", "there is no `data.eni_conf` here", ""),
        ("data:\n  eni-conf: '{}'\n", "there is no `data.eni_conf` here", "data:"),
        ("kind: ConfigMap\ndata:\n  eni_conf: {a: 1}\n", "this is not a ConfigMap", "{"),
        ("kind: ConfigMap\ndata: [\n", "this is not a ConfigMap", "["),
        ("{\"max_pool_size\": 80 \"x\": 1}", "this is not JSON", "\""),
        ("data:\n  eni_conf: |\n    {\"max_pool_size\": é}\n", "this is not JSON", "é"),
        ("data:\n  eni_conf: |\n    {} {}\n", "this is not one JSON document", "{}"),
        ("data:\n  eni_conf: '  '\n", "this is not one JSON document", "  "),
        ("data:\n  eni_conf: '[]'\n", "eni_conf must be an object, found a list", "[]"),
    ];
    for (text, title, place) in cases {
        let notes = read(text, 0).unwrap_err();
        assert_eq!((notes[0].title.as_str(), notes.len()), (title, 1), "{text}");
        assert_eq!(cut(&notes[0], text), place, "{text}");
        assert!(notes[0].hint.is_some());
    }
    let two = "data:\n  eni_conf: '{}'\n---\ndata:\n  eni_conf: '{\"a\": 1}'\n";
    let notes = read(two, 0).unwrap_err();
    assert_eq!((notes[0].title.as_str(), cut(&notes[0], two)), ("there are two ConfigMaps here", "'{\"a\": 1}'"));
    assert!(read("data:\n  eni-conf: '{}'\n", 0).unwrap_err()[0].hint.as_ref().unwrap().contains("`data.eni-conf`"));
}

/// R5: all problems at once; keys are case-sensitive, types are Go's.
#[test]
fn every_wrong_type_and_key_is_told_at_once() {
    let text = r#"{
        "max_pool_size": "5", "min_pool_size": 5.0, "min_eni": 99999999999999999999,
        "Max_ENI": 3, "max_pool": 4, "zzz": 1,
        "vswitches": {"z": "vsw", "y": ["a", 1]}, "enable_erdma": "true", "eni_tags": {"a": 1},
        "eni_cap_ratio": "0.5", "ip_pool_sync_period": 120, "max_eni": null, "max_pool_size": 6,
        "enable_ip_prefix": true
    }"#;
    let notes = read(text, 0).unwrap_err();
    let told: Vec<_> = notes.iter().map(|note| (cut(note, text), note.title.as_str())).collect();
    let expected = [
        ("\"max_pool_size\"", "`max_pool_size` is written twice"),
        ("\"5\"", "`max_pool_size` must be an integer, found the string `\"5\"`"),
        ("5.0", "`min_pool_size` must be an integer, found the number `5.0`"),
        ("99999999999999999999", "`min_eni` must be an integer, found the number `1e+20`"),
        ("\"Max_ENI\"", "`Max_ENI` is not a key of eni_conf"),
        ("\"max_pool\"", "`max_pool` is not a key of eni_conf"),
        ("\"zzz\"", "`zzz` is not a key of eni_conf"),
        ("\"vsw\"", "`vswitches.z` must be a list, found the string `\"vsw\"`"),
        ("1", "`vswitches.y` must hold strings, found the number `1`"),
        ("\"true\"", "`enable_erdma` must be true or false, found the string `\"true\"`"),
        ("1", "`eni_tags.a` must be a string, found the number `1`"),
        ("\"0.5\"", "`eni_cap_ratio` must be a number, found the string `\"0.5\"`"),
        ("120", "`ip_pool_sync_period` must be a string, found the number `120`"),
        ("\"enable_ip_prefix\"", "`enable_ip_prefix` has no effect in this mode"),
    ];
    assert_eq!(told, expected);
    let hint = |i: usize| notes[i].hint.as_deref().unwrap();
    assert_eq!(hint(4), "keys are case-sensitive: write `max_eni`");
    assert_eq!(hint(5), "did you mean `max_pool_size`?");
}

#[test]
fn a_document_inside_another_file_is_judged_alike() {
    let member = |key: &str, value| Member { key: key.to_owned(), key_span: 3..5, value, value_span: 7..9 };
    let good = vec![member("max_pool_size", 5.into()), member("vswitches", serde_json::json!({"z": ["v"]}))];
    let (document, notes) = from_members(good, 2).unwrap();
    assert_eq!((notes.len(), document.vswitches().count()), (0, 1));
    let notes = from_members(vec![member("max_pool_size", "5".into()), member("maxpool", 1.into())], 2).unwrap_err();
    let places: Vec<_> = notes.iter().map(|note| note.place.clone().unwrap()).collect();
    assert_eq!(places, [Place { source: 2, span: 7..9 }, Place { source: 2, span: 3..5 }]);
}

fn plain(json: &Json) -> serde_json::Value {
    match &json.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => number.clone().into(),
        Value::String(text) => text.clone().into(),
        Value::Array(elements) => elements.iter().map(plain).collect(),
        Value::Object(members) => members.iter().map(|m| (m.key.clone(), plain(&m.value))).collect(),
    }
}

/// RFC 7396, appendix A.
#[test]
fn r4_merge_passes_the_examples_of_the_rfc() {
    let cases = [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"foo"}"#, "null", "null"),
        (r#"{"a":"foo"}"#, "\"bar\"", "\"bar\""),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ];
    let parse = |text: &str| json::parse(text, &|span| Place { source: 0, span }).unwrap().remove(0);
    for (base, patch, result) in cases {
        let merged = document::merge(Some(&parse(base)), &parse(patch));
        assert_eq!(plain(&merged), plain(&parse(result)), "{base} + {patch}");
    }
}

/// CC52: per zone, null removes it, a list is replaced, an absent key is kept, and an empty patch
/// changes nothing. Places lead to the text that the value stands in.
#[test]
fn cc52_a_dynamic_document_patches_the_base() {
    let base =
        document(r#"{"max_pool_size": 5, "min_pool_size": 1, "vswitches": {"a": ["1"], "b": ["2"], "c": ["3"]}}"#);
    let text = r#"{"max_pool_size": 7, "vswitches": {"a": null, "b": ["4", "5"]}}"#;
    let merged = base.merge(&read(text, 1).unwrap().0);
    let vswitches: Vec<_> = merged.vswitches().map(|(zone, id, place)| (zone, id, place.source)).collect();
    assert_eq!(vswitches, [("b", "4", 1), ("b", "5", 1), ("c", "3", 0)]);
    let config = resolve_on(&merged, limits(4, 10)).unwrap().0.config;
    assert_eq!((config.max_idle, config.min_idle), (7, 1));
    let same = base.merge(&document("{}"));
    assert_eq!(plain(&same.root), plain(&base.root));
}

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
    let (Resolved { config, .. }, notes) = resolve_on(&base.merge(&crd), limits(10, 5)).unwrap();
    assert_eq!((config.min_idle, config.max_idle, config.capacity, config.gc_period), (0, 0, 45, None));
    assert_eq!(notes[0].title, "`ipam_type: crd` in a dynamic document does not switch the allocator");
    let title =
        resolve_on(&crd.merge(&document(r#"{"ipam_type": null}"#)), limits(10, 5)).unwrap_err()[0].title.clone();
    assert!(title.contains("centralized allocator, which is not simulated"), "{title}");
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
    assert_eq!(config(&list(r#""vsw-CCC", "vsw-AAA""#), limits(4, 10)).vswitches, [VSwitchId(0)]);
    let refusal = refused(&list(r#""vsw-CCC""#));
    assert!(refusal.starts_with("no vSwitch of the list is in zone cn-shanghai-f"), "{refusal}");
    assert!(refused(&list(r#""vsw-AAA", "vsw-ZZZ""#)).starts_with("vSwitch `vsw-ZZZ` does not exist"));
    let many = vec![r#""vsw-AAA""#; 65].join(",");
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
    for v6 in [0, 1] {
        assert_eq!(titles_on(all, with(v6, 4, 0)), [] as [&str; 0]);
    }
    let refused_ones = titles_on(all, with(10, 20, 2));
    assert_eq!(
        refused_ones,
        [
            "dual stack is not simulated",
            "the trunk interface is simulated as an ordinary one",
            "RDMA interfaces are not simulated"
        ]
    );
    assert_eq!(titles(all), refused_ones, "nor is it known that the type cannot");
    assert_eq!(
        refused(r#"{"ip_stack": "ipv6"}"#),
        "Terway does not start on this `ip_stack`: unsupported ipStack ipv6 in configMap"
    );
    let resolved = resolve_on(&document(r#"{"ip_stack": "dual"}"#), with(1, 4, 0)).unwrap().0;
    let stack = setting(&resolved, "ip_stack");
    assert_eq!(stack.value, "ipv4");
    assert!(matches!(&stack.origin, Origin::Changed { from, source, .. } if from == "dual" && source.contains("R143")));
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
    let groups = vec!["\"sg\""; 11].join(",");
    let groups = format!(r#"{{"security_groups": [{groups}]}}"#);
    let cases = [
        (groups.as_str(), "security groups should not be more than 10, current 11"),
        (r#"{"backoff_override": {"eni_create": {"Steps": 3}}}"#, "other back-offs for `eni_create`"),
        (r#"{"ipam_type": "crd"}"#, "centralized allocator, which is not simulated"),
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
    assert_eq!(tags, ["custom stateful kinds are not simulated", "the tag filter is not simulated"]);
}

/// Every key of the document that is taken into account shows up among the settings or is noted.
#[test]
fn settings_are_complete_and_never_repeat() {
    let resolved = resolve_on(&document("{}"), limits(4, 10)).unwrap().0;
    let mut keys: Vec<_> = resolved.settings.iter().map(|setting| setting.key).collect();
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((keys.len(), count), (22, 22), "{keys:?}");
    assert!(resolved.settings.iter().all(|s| matches!(&s.origin, Origin::Default { source } if !source.is_empty())));
}
/// A text with one sign put in, left out or changed is read or refused, with places inside it.
#[test]
fn no_damage_to_a_text_leads_to_a_panic_or_a_place_outside() {
    let indented: String = ARTICLE.lines().map(|line| format!("    {line}\n")).collect();
    let quoted = serde_json::to_string(ARTICLE).unwrap();
    for text in [
        ARTICLE.to_owned(),
        format!("kind: ConfigMap\ndata:\n  eni_conf: |\n{indented}"),
        format!("data:\n  eni_conf: {quoted}\n"),
        format!("data:\n  eni_conf: >-\n{indented}"),
    ] {
        let ends: Vec<_> = text.char_indices().map(|(at, c)| (at, at + c.len_utf8())).collect();
        for (at, end) in ends {
            for change in
                ["", "\"", "'", "{", "]", ",", "#", "\\", "\n", "\n\n  ", "é", "0", "-", ":", "*", "\u{0}", "/*"]
            {
                for rest in [&text[at..], &text[end..]] {
                    let damaged = format!("{}{change}{rest}", &text[..at]);
                    let notes = read(&damaged, 0).map_or_else(
                        |notes| notes,
                        |(document, mut notes)| {
                            notes.extend(
                                resolve_on(&document, limits(4, 10)).map_or_else(|notes| notes, |(_, notes)| notes),
                            );
                            notes
                        },
                    );
                    for note in notes.iter().filter(|note| note.place.is_some()) {
                        cut(note, &damaged);
                    }
                }
            }
        }
    }
}

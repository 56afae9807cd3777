//! From text to document.

use super::*;
use crate::ipam::json::{self, Json, Value};

#[test]
fn the_articles_sample_is_read_as_printed_with_a_warning() {
    let (document, notes) = read(ARTICLE, 0).unwrap();
    let [note] = &notes[..] else { panic!("{notes:?}") };
    assert_eq!(note.severity, Severity::Warning);
    assert!(note.title.starts_with("Terway would refuse this"), "{note:?}");
    assert_eq!(cut(note, ARTICLE), "# pool upper watermark");
    let (resolved, notes) = resolve_on(&document, limits(8, 30)).unwrap();
    let (config, settings) = (node_local(&resolved), &resolved.settings);
    assert_eq!(notes, []);
    assert_eq!((config.min_idle, config.max_idle, config.max_eni, config.capacity), (20, 80, 7, 210));
    assert_eq!((config.vswitch_selection, &config.vswitches[..]), (VSwitchSelection::Most, &[VSwitchId(0)][..]));
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
        "eni_cap_ratio": "0.5", "ip_pool_sync_period": 120, "max_eni": null, "max_pool_size": 6
    }"#;
    let notes = read(text, 0).unwrap_err();
    let told: Vec<_> = notes.iter().map(|note| (cut(note, text), note.title.as_str())).collect();
    let expected = [
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
        ("\"max_pool_size\"", "`max_pool_size` is written twice"),
    ];
    assert_eq!(told, expected);
    let hint = |i: usize| notes[i].hint.as_deref().unwrap();
    assert_eq!(hint(3), "keys are case-sensitive: write `max_eni`");
    assert_eq!(hint(4), "did you mean `max_pool_size`?");
}

#[test]
fn a_document_inside_another_file_is_judged_alike() {
    let at = |source, span| Place { source, span };
    let member =
        |key: &str, value| Member { key: key.to_owned(), key_place: at(2, 3..5), value, value_place: at(7, 7..9) };
    let good = vec![member("max_pool_size", 5.into()), member("vswitches", serde_json::json!({"z": ["v"]}))];
    let (document, notes) = from_members(good, at(2, 3..9)).unwrap();
    assert_eq!((notes.len(), document.vswitches().count()), (0, 1));
    let bad = vec![member("max_pool_size", "5".into()), member("maxpool", 1.into())];
    let notes = from_members(bad, at(2, 3..9)).unwrap_err();
    let places: Vec<_> = notes.iter().map(|note| note.place.clone().unwrap()).collect();
    assert_eq!(places, [at(2, 3..5), at(7, 7..9)]);
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
    let config = node_local(&resolve_on(&merged, limits(4, 10)).unwrap().0).clone();
    assert_eq!((config.max_idle, config.min_idle), (7, 1));
    let same = base.merge(&document("{}"));
    assert_eq!(plain(&same.root), plain(&base.root));
}

/// Every key of the document that is taken into account shows up among the settings or is noted.
#[test]
fn settings_are_complete_and_never_repeat() {
    let resolved = resolve_on(&document("{}"), limits(4, 10)).unwrap().0;
    let mut keys: Vec<_> = resolved.settings.iter().map(|setting| setting.key).collect();
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((keys.len(), count), (25, 25), "{keys:?}");
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

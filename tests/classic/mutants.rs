//! Golden cases, changed at random: the runner plays whatever their form allows, and no law breaks. It
//! checks the daemons' own laws after every step (`Classic::check_invariants`); here the cloud's books.

use std::path::Path;

use brimline::chance::SmallStream;
use brimline::conformance::classic::case::{Case, Changes, Event, Policy};
use brimline::conformance::classic::play::play;

/// The cases of the repository.
fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let folders = ["classic", "classic-crash"].map(|name| folder.join(name)).into_iter().filter(|path| path.exists());
    let mut files: Vec<_> = folders
        .flat_map(|path| std::fs::read_dir(path).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    let case = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("a file");
        let mut file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        serde_json::from_value(file["case"].take()).expect("a case")
    };
    files.iter().map(case).collect()
}

fn policy(chance: &mut SmallStream) -> Policy {
    [Policy::Ordered, Policy::Random][chance.below(2) as usize]
}

/// Something else in the case.
fn change(case: &mut Case, chance: &mut SmallStream) {
    let room = (case.ips_per_eni * case.eni_slots).max(1);
    match chance.below(14) {
        0 => case.nodes += chance.below(3),
        1 => case.eni_slots += chance.below(4),
        2 => case.ips_per_eni += chance.below(12),
        3 => case.config.min_pool_size = [0, room, chance.below(30)][chance.below(3) as usize],
        4 => case.config.max_pool_size = [0, room, chance.below(30)][chance.below(3) as usize],
        5 => case.config.max_eni = chance.below(case.eni_slots + 2),
        6 => case.config.min_eni = chance.below(case.eni_slots + 2),
        7 => case.config.vswitch_selection_policy = policy(chance),
        8 => {
            let vswitch = chance.below(case.vswitches.len() as u32) as usize;
            case.vswitches[vswitch].available = chance.below(60);
        }
        9 => {
            let mut other = case.vswitches[0].clone();
            (other.id, other.available) = (format!("vsw-more-{}", case.vswitches.len()), chance.below(60));
            case.vswitches.push(other);
        }
        10 => {
            let min_pool_size = Some(chance.below(30));
            let config = Changes {
                min_pool_size,
                vswitch_selection_policy: Some(policy(chance)),
                max_eni: (chance.below(2) == 0).then_some(1),
                ..Changes::default()
            };
            let down_ms = [0, 1, 5000, 60_000][chance.below(4) as usize];
            let node = chance.below(case.nodes);
            case.events.push(Event::Restart { t_ms: u64::from(chance.below(600_000)), node, config, down_ms });
        }
        11 => {
            let vswitch = case.vswitches[chance.below(case.vswitches.len() as u32) as usize].id.clone();
            let t_ms = u64::from(chance.below(600_000));
            case.events.push(Event::Vswitch { t_ms, vswitch, delta: i64::from(chance.below(60)) - 30 });
        }
        12 => {
            // Pods go in another order.
            let mut last = None;
            for event in &mut case.events {
                if let Event::Del { node, pod, .. } = event {
                    if let Some((other_node, other_pod)) = last.take() {
                        (*node, *pod) = (other_node, other_pod);
                    }
                    last = Some((*node, pod.clone()));
                }
            }
        }
        _ => case.latency_ms.assign = [0, 400, 20_000, 130_000][chance.below(4) as usize],
    }
}

#[test]
fn changed_cases_are_played_and_break_no_law() {
    let cases = cases();
    assert!(cases.len() >= 41, "{} cases", cases.len());
    for (i, case) in cases.iter().enumerate() {
        for variant in 0..4 {
            let mut chance = SmallStream::new((i * 100 + variant) as u64);
            let mut case = case.clone();
            // The long ones would take long.
            case.until_ms = case.until_ms.min(1_800_000);
            (0..1 + chance.below(6)).for_each(|_| change(&mut case, &mut chance));
            case.events.sort_by_key(Event::t_ms);
            let name = format!("{} {variant}", case.name);
            case.check().unwrap_or_else(|problem| panic!("{name}: {problem}"));
            let played = play(&case, variant as u64);
            let (_, last) = played.samples.last().expect("a sample");
            for node in 0..case.nodes {
                let of = |what: &str| last[&format!("node{node}.{what}")];
                assert!(of("in_use") <= of("ips"), "{name}: {last:?}");
                assert!(of("ips") <= of("enis") * i64::from(case.ips_per_eni), "{name}: {last:?}");
            }
            assert!(played.pods.iter().all(|pod| pod.attempts > 0), "{name}: every pod asks");
            let refused: i64 = played.errors.values().sum();
            assert!(refused <= played.calls.values().sum::<i64>(), "{name}: {refused} refusals");
        }
    }
}

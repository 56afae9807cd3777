//! Golden cases of the controllers `pod`, `pod-eni` and `eni`: what the real code did with the same cloud, in 40 runs a case, measured on
//! the bed of `tests/conformance/bed`.

use std::collections::BTreeMap;
use std::path::Path;

use brimline::id::{Uid, VSwitchId};
use brimline::ipam::centralized::Refusal;
use brimline::ipam::pod_eni::{Input, Kind, Retention, Settings};
use brimline::openapi::{Api, ErrorCode};
use brimline::time::{Instant, Span};
use serde::Deserialize;

use super::world::{NODE, TRUNK, World, spec};

#[derive(Deserialize)]
struct File {
    case: Case,
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
struct Case {
    /// Free addresses per vSwitch.
    free: BTreeMap<String, u32>,
    /// Pods get members of a trunk, not exclusive interfaces.
    member: bool,
    slots: usize,
    workers: u32,
    /// 0 = addresses are not fixed.
    release_after_s: u64,
    faults: Vec<Fault>,
    events: Vec<Event>,
    horizon_ms: u64,
}

#[derive(Deserialize)]
struct Fault {
    api: String,
    code: String,
    from: u64,
    to: u64,
}

#[derive(Deserialize)]
struct Event {
    t_ms: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum What {
    Pod { pod: String },
    Gone { pod: String },
    Tenant { vswitch: String, delta: i64 },
}

/// What the real controllers did: a call left, a pod's interface was bound, an address came back.
#[derive(Deserialize)]
struct Expected {
    what: String,
    of: String,
    t_ms: Range,
    /// Not all runs did it.
    #[serde(default)]
    maybe: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Range {
    Exact(u64),
    Between(u64, u64),
}

/// What happened to whom, in the order of their times in ms.
type Log = BTreeMap<(String, String), Vec<u64>>;

fn at(ms: u64) -> Instant {
    Instant::ZERO + Span::millis(ms)
}

fn play(case: &Case) -> Log {
    let settings =
        Settings { jitter: false, pod_workers: case.workers, pod_eni_workers: case.workers, ..Settings::default() };
    let free: Vec<_> = case.free.values().copied().collect();
    let mut world = World::with(&free, settings, 1);
    world.slots = case.slots;
    for fault in &case.faults {
        let api = Api::ALL.into_iter().find(|api| api.name() == fault.api).expect("a call");
        let code = ErrorCode::ALL.into_iter().find(|code| code.name() == fault.code).expect("a code");
        world.faults.push((api, at(fault.from), at(fault.to), Refusal::from(code)));
    }
    let vswitch = |name: &str| case.free.keys().position(|known| known == name).expect("a vSwitch");
    let candidates: Vec<_> = (0..free.len() as u32).collect();
    let fixed = (case.release_after_s > 0).then(|| Retention::After(Span::secs(case.release_after_s)));
    let kind = if case.member { Kind::Member } else { Kind::Exclusive };
    let spec = spec(kind, &candidates, fixed);
    if case.member {
        world.tell(Input::Trunk(NODE, Some(TRUNK)));
    }
    let (mut names, mut uids): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for event in &case.events {
        world.run_until(at(event.t_ms));
        match &event.what {
            What::Pod { pod } => {
                let key = names.iter().position(|name| name == pod).unwrap_or_else(|| {
                    names.push(pod);
                    names.len() - 1
                });
                world.pod(NODE, key as u32, uids.len() as u32, &spec);
                uids.push(pod);
            }
            What::Gone { pod } => world.gone(names.iter().position(|name| name == pod).expect("a pod") as u32),
            What::Tenant { vswitch: name, delta } => {
                let free = &mut world.free[vswitch(name)];
                *free = free.checked_add_signed(*delta as i32).expect("no more than there are");
            }
        }
    }
    world.run_until(at(case.horizon_ms));
    let mut log = Log::new();
    let mut note = |what: &str, of: &str, time: Instant| {
        log.entry((what.to_owned(), of.to_owned())).or_default().push(time.as_millis());
    };
    world.left.iter().for_each(|&(time, api)| note("call", api.name(), time));
    world.returned.iter().for_each(|&(time, VSwitchId(id))| {
        note("free", case.free.keys().nth(id as usize).expect("a vSwitch"), time);
    });
    world.bound.iter().for_each(|(&Uid(uid), &time)| note("bound", uids[uid as usize], time));
    log.values_mut().for_each(|times| times.sort_unstable());
    log
}

/// What is outside of what the real code did.
fn misses(file: &File) -> Vec<String> {
    let mut ours = play(&file.case);
    let mut theirs: BTreeMap<(String, String), Vec<&Expected>> = BTreeMap::new();
    for entry in &file.expected {
        theirs.entry((entry.what.clone(), entry.of.clone())).or_default().push(entry);
    }
    let mut misses = Vec::new();
    for (key, entries) in theirs {
        let times = ours.remove(&key).unwrap_or_default();
        let certain = entries.iter().filter(|entry| !entry.maybe).count();
        if !(certain..=entries.len()).contains(&times.len()) {
            misses.push(format!("{key:?}: {} times, not {certain} to {}", times.len(), entries.len()));
        }
        for (entry, time) in entries.into_iter().zip(times) {
            let (low, high) = match entry.t_ms {
                Range::Exact(time) => (time, time),
                Range::Between(low, high) => (low, high),
            };
            if !(low..=high).contains(&time) {
                misses.push(format!("{key:?} at {time}, not {low} to {high}"));
            }
        }
    }
    misses.extend(ours.into_iter().map(|(key, times)| format!("{key:?} at {times:?}, never there")));
    misses
}

/// C144 to C153, C155, and what is left to C26: calls, bindings and returned addresses, each at its millisecond or in the range of
/// the real code. `BRIMLINE_POD_ENI` names another folder of cases.
#[allow(clippy::disallowed_methods, reason = "which cases to play is no part of a run")]
#[test]
fn every_case_passes() {
    let folder = std::env::var("BRIMLINE_POD_ENI").unwrap_or_else(|_| "tests/pod_eni/cases".to_owned());
    let mut cases = 0;
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(Path::new(&folder)).expect("a folder of cases") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a case");
        let misses = misses(&serde_json::from_str(&text).expect("a case"));
        cases += 1;
        if !misses.is_empty() {
            failed.push(format!("{}: {} misses, {:?}", path.display(), misses.len(), &misses[..misses.len().min(4)]));
        }
    }
    failed.sort();
    assert!(cases > 0 && failed.is_empty(), "{} of {cases} cases fail\n{}", failed.len(), failed.join("\n"));
}

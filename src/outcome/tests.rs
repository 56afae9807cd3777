//! Verdicts on recordings made by hand, and the table of measures against a whole summary.

use serde_json::Value;

use super::{MEASURES, account_text, counting_text, measure, prefixes_text, summarize, value};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::classic::Defect;
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::{Config, VSwitchSelection};
use crate::model::{
    Action, Deed, GroupKey, HalfWidth, Model, NodePool, PoolSize, PoolZone, Portion, Precision, Quota, Reading,
    Restart, Schedule, Shape, Tenant, Trigger, Unfit, VSwitch, VSwitchReading, Vpc,
};
use crate::openapi::{Api, ErrorCode};
use crate::record::{
    ActionRecord, Cause, Counting, DefectRecord, FailureReason, Full, GroupLevels, GroupRecord, Holders, IdleParts,
    JournalEntry, NoPrefix, PodRecord, PrefixLevel, PrefixRecord, Reach, Recording, Stranded, StrandedReason, Timeline,
    TrunkWait, VSwitchRecord,
};
use crate::text::Words;
use crate::time::{Instant, Span};

/// A /18 for nodes and a /19 for pods.
fn model(replications: u32, horizon: Span) -> Model {
    let vswitch = |id, cidr| VSwitch::plain(id, "cn-shanghai-f", cidr);
    let daemon =
        Config { vswitch_selection: VSwitchSelection::Most, ..Config::plain((3, 15), (20, 45), vec![VSwitchId(1)]) };
    let limits = InstanceLimits { adapters: 4, ipv4_per_adapter: 15, ..InstanceLimits::default() };
    let zone = PoolZone { zone: "cn-shanghai-f".to_owned(), node_vswitch: VSwitchId(0), daemon: daemon.into() };
    let shape = Shape::plain("ecs.g7.2xlarge", limits, vec![zone]);
    let vpc = Vpc {
        cidr: "10.0.0.0/8".parse().expect("a block"),
        vswitches: vec![vswitch("vsw-nodes", "10.0.0.0/18"), vswitch("vsw-AAA", "10.1.0.0/19")],
    };
    Model {
        replications,
        node_pools: vec![NodePool::plain("default", shape, Schedule::Constant(1.0))],
        ..Model::plain("hand-made", horizon, vpc)
    }
}

/// A replication in which nothing happens and `free` addresses of vsw-AAA are always free.
fn calm(replication: u32, free: u32) -> Recording {
    let vswitch = |usable: u32, free: u32| VSwitchRecord {
        usable,
        first_refusal: None,
        first_empty: None,
        refusals: 0,
        served: 0,
        existed: 1.0,
        mean: Holders { pods: f64::from(usable - free), free: f64::from(free), ..Holders::default() },
        min_free: free,
        end: Holders { pods: usable - free, free, ..Holders::default() },
        prefixes: None,
    };
    let levels = GroupLevels { nodes: 1, enis: 3, running: 4, waiting: 0, terminating: 0 };
    let key = GroupKey { pool: 0, shape: 0, zone: 0 };
    Recording {
        replication,
        vswitches: vec![vswitch(16_380, 16_000), vswitch(8188, free)],
        groups: vec![GroupRecord { key, end: levels, max_waiting: 0, nodes_refused: 0 }],
        pods: PodRecord::new(),
        counting: Counting::default(),
        calls: [0; Api::ALL.len()],
        errors: [[0; ErrorCode::ALL.len()]; Api::ALL.len()],
        binding: Vec::new(),
        defects: Vec::new(),
        trunkless: Vec::new(),
        timeline: Timeline::default(),
        journal: Vec::new(),
        steps: Vec::new(),
        nodes: Vec::new(),
        pod_log: Vec::new(),
        stranded: Vec::new(),
        actions: Vec::new(),
        late_waits: Vec::new(),
        events: 10,
        pod_events: 5,
    }
}

/// A replication in which a vSwitch is full at `at`, held as the article says.
fn full(replication: u32, vswitch: usize, at: Instant) -> Recording {
    let mut recording = calm(replication, 3000);
    let held = match vswitch {
        0 => Holders { primaries: 16_380, ..Holders::default() },
        _ => Holders { pods: 3111, idle: 4995, primaries: 82, ..Holders::default() },
    };
    recording.vswitches[vswitch].first_refusal = Some(at_full(at, held));
    recording
}

/// That moment, with idle addresses in every part.
fn at_full(at: Instant, who: Holders<u32>) -> Full {
    let idle = match who.idle {
        0 => IdleParts::default(),
        idle => IdleParts { eni_primaries: 246, pooled: idle - 256, leaving: 3, coming: 6, unknown: 1 },
    };
    Full { at, who, idle, asked: 10 }
}

fn at(days: f64) -> Instant {
    Instant::ZERO + Span::days(1).mul_f64(days)
}

fn verdict(model: &Model, recordings: &[Recording]) -> String {
    summarize(model, recordings).verdict.text.english()
}

/// 20 runs that are full on day 38 to 44, most on day 41.
fn twenty() -> Vec<Recording> {
    let day = |i: u32| match i {
        0 | 1 => 37.5,
        18 | 19 => 43.5,
        _ => 40.2,
    };
    (0..20).map(|i| full(i, 1, at(day(i)))).collect()
}

#[test]
fn full_in_all_runs() {
    let mut model = model(20, Span::days(90));
    assert_eq!(
        verdict(&model, &twenty()),
        "vsw-AAA (/19, 8,188 usable) is full on day 41 (90 % of runs: day 38 to 44); 38 % of its addresses serve \
         pods, 61 % sit idle in node pools, 1 % are node primaries."
    );
    model.start = Some(jiff::civil::date(2026, 12, 1));
    assert!(
        verdict(&model, &twenty()).starts_with(
            "vsw-AAA (/19, 8,188 usable) is full on day 41, 2027-01-10 (90 % of runs: day 38 to 44); 38 %"
        )
    );
}

#[test]
fn full_in_some_runs() {
    let model = model(20, Span::days(90));
    let runs: Vec<_> = (0..20).map(|i| if i < 14 { full(i, 1, at(40.2)) } else { calm(i, 900) }).collect();
    assert!(verdict(&model, &runs).starts_with(
        "vsw-AAA (/19, 8,188 usable) is full in 14 of 20 runs (48 to 85 %), on day 41 (those 14: day 41); 38 %"
    ));
    let once: Vec<_> = (0..20).map(|i| if i < 1 { full(i, 1, at(40.2)) } else { calm(i, 900) }).collect();
    assert!(
        verdict(&model, &once)
            .starts_with("vsw-AAA (/19, 8,188 usable) is full in 1 of 20 runs (0.9 to 24 %), on day 41; 38 %")
    );
}

#[test]
fn never_full() {
    let model = model(20, Span::days(90));
    let runs: Vec<_> = (0..20).map(|i| calm(i, 1204 + i)).collect();
    assert_eq!(
        verdict(&model, &runs),
        "No vSwitch runs full in 90 days, in 20 of 20 runs (84 to 100 %); the fullest, vsw-AAA (/19, 8,188 usable), keeps \
         at least 1,204 of 8,188 addresses free."
    );
}

#[test]
fn one_run_and_few_runs_say_so() {
    let model = model(1, Span::hours(6));
    let moment = |mins| Instant::ZERO + Span::mins(mins);
    assert!(
        verdict(&model, &[full(0, 1, moment(125))])
            .starts_with("vsw-AAA (/19, 8,188 usable) is full after 2h 5m (one run, so no interval); 38 %")
    );
    assert!(
        verdict(&model, &[full(0, 1, moment(125)), full(1, 1, moment(135))])
            .starts_with("vsw-AAA (/19, 8,188 usable) is full after 2h 10m (both runs: 2h 5m to 2h 15m); 38 %")
    );
}

#[test]
fn a_vswitch_of_nodes_keeps_nodes_out_and_leads_only_if_no_other_is_full() {
    let model = model(2, Span::days(90));
    let mut runs = vec![full(0, 0, at(9.5)), full(1, 0, at(9.5))];
    assert_eq!(
        verdict(&model, &runs),
        "vsw-nodes (/18, 16,380 usable) is full on day 10 (both runs: day 10), so that nodes cannot join; 100 % of \
         its addresses are node primaries."
    );
    for run in &mut runs {
        run.vswitches[1] = full(0, 1, at(50.5)).vswitches[1].clone();
    }
    assert!(verdict(&model, &runs).starts_with("vsw-AAA (/19, 8,188 usable) is full on day 51"));
}

#[test]
fn another_limit_leads_if_no_vswitch_is_full() {
    let model = model(2, Span::days(90));
    let bound = |cause| {
        let mut runs = vec![calm(0, 1204), calm(1, 1300)];
        for run in &mut runs {
            run.binding = vec![(at(11.5), cause)];
            run.pods.max_waiting = 312;
            (run.pods.max_unschedulable, run.pods.max_stuck) = (45, 45);
        }
        verdict(&model, &runs)
    };
    let rest = "No vSwitch runs full in 90 days, in 2 of 2 runs (34 to 100 %); the fullest, vsw-AAA (/19, 8,188 usable), keeps at \
                least 1,204 of 8,188 addresses free.";
    let cases = [
        (
            Cause::MaxPods,
            "Pods find no node, at most 45 at once,",
            "every node has as many pods as it may have (max pods)",
        ),
        (Cause::NoNode, "Pods find no node, at most 45 at once,", "there is no node"),
        (Cause::Cpu, "Pods find no node, at most 45 at once,", "no node has as much CPU left as a pod requests"),
        (Cause::Memory, "Pods find no node, at most 45 at once,", "no node has as much memory left as a pod requests"),
        (
            Cause::ZoneSpread,
            "Pods find no node, at most 45 at once,",
            "a node with room would break a pod's spread over zones",
        ),
        (
            Cause::AntiAffinity,
            "Pods find no node, at most 45 at once,",
            "every node with room has a pod that another keeps away from",
        ),
        (
            Cause::NodeCapacity,
            "Pods wait for addresses, at most 312 at once, and requests fail",
            "every ENI of a node is full and no ENI slot is left",
        ),
        (
            Cause::Peeked,
            "Pods wait for addresses, at most 312 at once, and requests fail",
            "pods of a dual-stack node saw the same idle address, and asked for the other family alone (R147)",
        ),
        (
            Cause::EniSlots,
            "Pods wait for addresses, at most 312 at once, and requests fail",
            "instances refuse another ENI (EniPerInstanceLimitExceeded)",
        ),
        (
            Cause::Quota(Quota::SecurityGroupAddresses),
            "Pods wait for addresses, at most 312 at once, and requests fail",
            "the security group has as many addresses as it may have (SecurityGroupInstanceLimitExceed)",
        ),
        (
            Cause::Api(Api::AssignPrivateIpAddresses),
            "Pods wait for addresses, at most 312 at once, and requests fail",
            "the API refuses AssignPrivateIpAddresses (Throttling)",
        ),
        (
            Cause::Outage(Api::CreateNetworkInterface),
            "Pods wait for addresses, at most 312 at once, and requests fail",
            "the API answers CreateNetworkInterface with InternalError",
        ),
        (
            Cause::SlowApi(Api::AttachNetworkInterface),
            "Pods wait for addresses, at most 312 at once, and requests fail",
            "AttachNetworkInterface takes long, 30 s and more",
        ),
    ];
    for (cause, who, why) in cases {
        assert_eq!(bound(cause), format!("{who} for the first time on day 12 (both runs: day 12): {why}. {rest}"));
    }
}

/// Kaplan and Meier: pods that are never served are known to have waited at least so long. One that had just asked
/// says nothing of the p99, one that had waited longer than all others takes it to `never`.
#[test]
fn waits_that_do_not_end_count_as_long_as_they_last() {
    let with_unserved = |waits: [u64; 2]| {
        let mut run = calm(0, 10);
        run.pods.served = 98;
        run.pods.waiting_at_end = 1;
        run.pods.gave_up = 1;
        run.pods.wait_ms.record_n(2000, 90).expect("in bounds");
        run.pods.wait_ms.record_n(60_000, 8).expect("in bounds");
        for wait in waits {
            run.pods.unserved_ms.record(wait).expect("in bounds");
        }
        run.pods.longest_wait = Span::millis(waits[1].max(60_000));
        summarize(&model(1, Span::days(9)), &[run]).pods
    };
    let value = |wait: Option<super::Estimate>| wait.expect("pods asked").median;
    let late = with_unserved([90_000, 100_000]);
    assert!((value(late.wait_p50_s) - 2.0).abs() < 0.01);
    assert_eq!(value(late.wait_p99_s), f64::INFINITY, "2 of 100 waited longer than all others");
    assert!((value(late.wait_longest_s) - 100.0).abs() < 0.1);
    assert_eq!(late.waits.iter().map(|class| class.pods.mean).sum::<f64>(), 100.0);
    assert_eq!(late.waits.last().map(|class| class.pods.mean), Some(2.0));
    let new = with_unserved([10, 1000]);
    assert!((value(new.wait_p99_s) - 60.0).abs() < 0.1, "they had just asked");
    assert!((value(new.wait_longest_s) - 60.0).abs() < 0.1);
}

/// Runs in which nothing happened do not say how rarely it does, and that all runs agree has an interval.
#[test]
fn nothing_is_not_precise() {
    let run = calm(0, 10);
    let wanted = |half_width| Precision {
        reading: crate::model::Reading::Pods(crate::model::PodReading::NeverServed),
        name: "pods.never_served".to_owned(),
        half_width,
    };
    let reached =
        |half_width| super::precision(&wanted(half_width), &model(30, Span::days(9)), &vec![run.clone(); 30]).reached;
    assert!(!reached(HalfWidth::OfMean(0.2)) && reached(HalfWidth::Absolute(1.0)));
}

/// A summary in which nothing is empty.
fn rich() -> super::Summary {
    let mut model = model(20, Span::days(90));
    let mut other = model.node_pools[0].shapes[0].zones[0].clone();
    other.zone = "cn-shanghai-g".to_owned();
    model.node_pools[0].shapes[0].zones.push(other);
    model.vpc.vswitches[1].tenants = vec![tenant("load balancers", 12.0), tenant("databases", 99.0)];
    model.actions = vec![restart()];
    let mut runs = twenty();
    for run in &mut runs {
        run.actions = vec![restarted(at(42.0))];
        let second = GroupRecord { key: GroupKey { zone: 1, ..run.groups[0].key }, ..run.groups[0] };
        run.groups.push(second);
        run.counting = Counting { usable: 8188, most_wanted: 8984, full: Some(at(42.0)) };
        run.pods.unschedulable_by[Unfit::Cpu.index()] = 3;
        run.pods.unschedulable_ms.record(60_000).expect("in bounds");
        run.vswitches[1].first_empty = Some(at(50.0));
        run.vswitches[0].prefixes = Some(prefixes(NoPrefix { at: at(51.0), addresses: 12, blocks: 0 }));
        run.vswitches[0].end.reserved = Some(16);
        run.binding = vec![(at(41.0), Cause::VSwitch(VSwitchId(1)))];
        run.calls[Api::AssignPrivateIpAddresses.index()] = 9;
        run.errors[Api::AssignPrivateIpAddresses.index()][ErrorCode::IpNotEnough.index()] = 4;
        run.pods.failures[FailureReason::Deadline.index()] = 7;
        run.pods.served = 1;
        (run.pods.max_waiting, run.pods.max_waiting_at) = (12, at(41.0));
        run.pods.wait_ms.record(5).expect("in bounds");
        run.defects = vec![DefectRecord { defect: Defect::NilInterface, first: at(42.0), times: 3, nodes: 2 }];
        let cause = Some(Cause::VSwitch(VSwitchId(1)));
        run.trunkless = vec![TrunkWait { node: NodeId(3), cause, since: at(42.0), until: None }];
        run.stranded = vec![Stranded { vswitch: VSwitchId(0), addresses: 5, reason: StrandedReason::NotConfigured }];
        let (kind, subject, text) = ("vswitch_full", "vsw-AAA".to_owned(), "vsw-AAA is full".words());
        let full = run.vswitches[1].first_refusal.expect("it is full").at;
        let (rollout, web) = ("rollout of web begins".words(), "web".to_owned());
        let began = Instant(full.0 - Span::secs(17).0);
        run.journal = vec![
            JournalEntry { at: began, landmark: true, kind: "rollout", subject: web, text: rollout },
            JournalEntry { at: full, landmark: true, kind, subject, text },
        ];
    }
    summarize(&model, &runs)
}

/// A restart of every daemon on day 43.
fn restart() -> Action {
    let restart = Restart { pools: vec![0], at_most_at_once: Portion::Count(9), takes: Span::secs(20) };
    Action {
        name: "restart-1".to_owned(),
        text: "terway is restarted".words(),
        trigger: Trigger::At(at(42.0)),
        deed: Deed::RestartTerway(restart),
    }
}

/// What came of it: most nodes cannot use the vSwitch that was added, and some pods go on waiting.
fn restarted(began: Instant) -> ActionRecord {
    ActionRecord {
        began: Some(began),
        ended: Some(began + Span::mins(10)),
        waiting: 212,
        relieved: 200,
        recovered: Some(began + Span::hours(2)),
        reach: Some(Reach { nodes: 40, configured: 32, able: 12 }),
    }
}

#[test]
fn an_action_says_what_it_achieved() {
    let mut model = model(4, Span::days(90));
    model.actions = vec![restart()];
    let text = |records: [ActionRecord; 4]| {
        let runs: Vec<_> = (0..4).map(|i| Recording { actions: vec![records[i]], ..calm(i as u32, 3000) }).collect();
        let summary = summarize(&model, &runs);
        summary.actions[0].text(&summary.method.clock).english()
    };
    let all = restarted(at(42.0));
    let some = ActionRecord { recovered: None, ..all };
    let calm = ActionRecord { waiting: 0, relieved: 0, recovered: None, reach: None, ..all };
    let cut = ActionRecord { ended: None, ..calm };
    let never = ActionRecord::default();
    let one_node = Some(Reach { nodes: 1, configured: 1, able: 0 });
    // Means of 11.5, 8.5 and 20 add up to 40 nodes all the same.
    let fewer = Some(Reach { nodes: 40, configured: 30, able: 10 });
    insta::assert_snapshot!(
        [
            text([all; 4]),
            text([ActionRecord { relieved: 212, ..all }; 4]),
            text([all, all, some, never]),
            text([some; 4]),
            text([calm; 4]),
            text([cut; 4]),
            text([never; 4]),
            text([ActionRecord { waiting: 1, relieved: 1, reach: one_node, ..all }; 4]),
            text([ActionRecord { waiting: 1, relieved: 0, recovered: None, reach: None, ..all }; 4]),
            text([ActionRecord { relieved: 0, reach: fewer, ..all }, all, all, all]),
        ]
        .join("\n"),
        @r"
    terway is restarted: on day 43, complete 10m later. 212 pods waited then; 200 of them have got an address since; the last wait ended 2h later. 12 of 40 nodes can use what was added; 8 run without it in their eni-config, 20 have no ENI slot for it.
    terway is restarted: on day 43, complete 10m later. 212 pods waited then; all of them have got an address since; the last wait ended 2h later. 12 of 40 nodes can use what was added; 8 run without it in their eni-config, 20 have no ENI slot for it.
    terway is restarted: on day 43, in 3 of 4 runs, complete 10m later. 212 pods waited then; 200 of them have got an address since; in 2 of 3 runs the last wait ended 2h later, in the others some wait still. 12 of 40 nodes can use what was added; 8 run without it in their eni-config, 20 have no ENI slot for it.
    terway is restarted: on day 43, complete 10m later. 212 pods waited then; 200 of them have got an address since; some wait still at the end. 12 of 40 nodes can use what was added; 8 run without it in their eni-config, 20 have no ENI slot for it.
    terway is restarted: on day 43, complete 10m later.
    terway is restarted: on day 43, not complete at the end.
    terway is restarted: it never began.
    terway is restarted: on day 43, complete 10m later. 1 pod waited then; it has got an address since; the last wait ended 2h later. 0 of 1 node can use what was added; 1 has no ENI slot for it.
    terway is restarted: on day 43, complete 10m later. 1 pod waited then; it has got none since; it still waits at the end.
    terway is restarted: on day 43, complete 10m later. 212 pods waited then; 150 (0 to 200) of them have got an address since; the last wait ended 2h later. 12 of 40 nodes can use what was added; 8 run without it in their eni-config, 20 have no ENI slot for it.
    "
    );
}

#[test]
fn pods_without_a_way_out_are_warned_about() {
    let mut model = model(2, Span::days(90));
    model.vpc.vswitches[1].snat = false;
    let mut runs = [calm(0, 3000), calm(1, 3000)];
    let warnings = |runs: &[Recording]| {
        summarize(&model, runs).vswitches.iter().filter_map(super::no_way_out_text).collect::<Vec<_>>()
    };
    assert_eq!(warnings(&runs), [""; 0]);
    runs.iter_mut().for_each(|run| run.vswitches.iter_mut().for_each(|vswitch| vswitch.served = 1200));
    assert_eq!(
        warnings(&runs),
        ["1,200 pods got an address of vsw-AAA, which has no SNAT entry: they have no way to the internet."]
    );
}

#[test]
fn precision_is_that_of_the_runs_that_have_the_measure() {
    let mut model = model(20, Span::days(90));
    let reading = Reading::VSwitch(VSwitchId(1), VSwitchReading::TimeToFull);
    let wanted = |half_width| Precision { reading, name: "vsw-AAA.time_to_full".to_owned(), half_width };
    let mut runs = twenty();
    let told = |wanted: Precision, model: &mut Model, runs: &[Recording]| {
        model.precision = Some(wanted);
        summarize(model, runs).method.precision.map(|precision| (precision.reached, precision.text.english()))
    };
    let day = 86_400.0;
    let mut texts = Vec::new();
    for width in [HalfWidth::Absolute(day), HalfWidth::Absolute(day / 2.0), HalfWidth::OfMean(0.02)] {
        texts.extend(told(wanted(width), &mut model, &runs));
    }
    runs.extend((20..25).map(|i| calm(i, 900)));
    texts.extend(told(wanted(HalfWidth::Absolute(day)), &mut model, &runs));
    texts.extend(told(wanted(HalfWidth::Absolute(day)), &mut model, &runs[11..]));
    texts.extend(told(wanted(HalfWidth::Absolute(day)), &mut model, &runs[20..]));
    let lines: Vec<_> = texts.iter().map(|(reached, text)| format!("{reached}: {text}")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    true: The mean of vsw-AAA.time_to_full is known to ± 15h 31m: precise enough (± 1d).
    false: The mean of vsw-AAA.time_to_full is known to ± 15h 31m: not as precise as wanted (± 12h).
    true: The mean of vsw-AAA.time_to_full is known to ± 15h 31m: precise enough (± 2 % of the mean).
    true: The mean of vsw-AAA.time_to_full is known to ± 15h 31m, over the 20 of 25 runs that have it: precise enough (± 1d).
    false: The mean of vsw-AAA.time_to_full is known to ± 1d 2h, over the 9 of 14 runs that have it: too few to judge (± 1d).
    false: The mean of vsw-AAA.time_to_full is not known, over the 0 of 5 runs that have it: too few to judge (± 1d).
    ");
}

fn tenant(name: &str, addresses: f64) -> Tenant {
    Tenant { name: name.to_owned(), addresses: Schedule::Constant(addresses) }
}

#[test]
fn a_full_vswitch_is_accounted_for_address_by_address() {
    let model = model(1, Span::days(90));
    let summary = summarize(&model, &[full(0, 1, at(40.5))]);
    let vswitch = summary.vswitches.iter().find(|v| v.id == "vsw-AAA").expect("it is there");
    assert_eq!(
        account_text(vswitch, &summary.method.clock).map(|text| text.english()).as_deref(),
        Some(
            "vsw-AAA, 8,188 addresses, at 12:00: 3,111 serve pods, 4,995 are idle (246 as an ENI's primary address, 4,739 in \
             node pools, 3 on their way back, 6 being attached, 1 unknown to the daemon), 82 as primary addresses of \
             nodes; calls under way ask for 10."
        )
    );
}

fn mark(at: Instant, kind: &'static str, subject: &str) -> JournalEntry {
    JournalEntry { at, landmark: true, kind, subject: subject.to_owned(), text: format!("{kind} of {subject}").words() }
}

/// What happened shortly before, or lasts, is likely the reason; what is long over is not.
#[test]
fn a_full_vswitch_names_what_came_before() {
    let before = |span: Span| Instant(at(40.5).0 - span.0);
    let (outage, back) = ("zone_outage", "zone_back");
    let cases = [
        (vec![mark(before(Span::secs(17)), "rollout", "web")], Some("17.0 s after the rollout of web began")),
        (vec![mark(before(Span::hours(2)), "rollout", "web")], None),
        (vec![mark(before(Span::hours(2)), outage, "z-a")], Some("2h after z-a failed")),
        (vec![mark(before(Span::hours(5)), outage, "z-a"), mark(before(Span::hours(2)), back, "z-a")], None),
        (
            vec![mark(before(Span::hours(2)), outage, "z-a"), mark(before(Span::mins(1)), "replacement", "p")],
            Some("1m after the replacement of the nodes of p began"),
        ),
    ];
    for (journal, expected) in cases {
        let mut run = full(0, 1, at(40.5));
        run.journal = journal;
        let text = verdict(&model(1, Span::days(90)), &[run]);
        match expected {
            Some(expected) => assert!(text.contains(&format!(", {expected}; ")), "{text}"),
            None => assert!(!text.contains("after"), "{text}"),
        }
    }
}

/// Pods without a node are how the autoscaler works, as long as it may add nodes.
#[test]
fn pods_that_wait_for_the_autoscaler_are_no_limit() {
    let mut model = model(1, Span::days(90));
    model.node_pools[0].size = PoolSize::Autoscaled { initial: 1, min: 1, max: 9 };
    let mut run = calm(0, 3000);
    run.binding = vec![(at(2.0), Cause::Cpu)];
    (run.pods.max_unschedulable, run.pods.max_stuck) = (45, 45);
    run.pods.unschedulable_ms.record(120_000).expect("in bounds");
    let text = verdict(&model, std::slice::from_ref(&run));
    assert!(
        text.starts_with("No vSwitch runs full") && text.contains("the autoscaler adds, at most 45 at once"),
        "{text}"
    );
    run.binding.push((at(3.0), Cause::PoolMaximum));
    let text = verdict(&model, std::slice::from_ref(&run));
    assert!(text.starts_with("Pods find no node, at most 45 at once, for the first time on day 4"), "{text}");
    assert!(text.contains("as many nodes as the autoscaler may give them"), "{text}");
}

/// Means over runs are no whole numbers; what is written adds up nevertheless.
#[test]
fn written_accounts_add_up() {
    let mut model = model(3, Span::days(90));
    model.vpc.vswitches[1].tenants = vec![tenant("load balancers", 12.0), tenant("databases", 99.0)];
    let mut runs: Vec<_> = (0..3).map(|i| full(i, 1, at(40.5))).collect();
    for (i, run) in runs.iter_mut().enumerate() {
        let full = run.vswitches[1].first_refusal.as_mut().expect("it is full");
        let more = i as u32 / 2;
        (full.who.pods, full.who.idle, full.who.others) = (3111 - more, 4995 - 16 + more, 16);
        full.idle.pooled -= 16 - more;
    }
    let summary = summarize(&model, &runs);
    let vswitch = summary.vswitches.iter().find(|v| v.id == "vsw-AAA").expect("it is there");
    let account = vswitch.at_full.as_ref().expect("it is full").account();
    let others: u64 = account.others.iter().map(|&(n, _)| n).sum();
    assert_eq!(account.pods + account.idle_sum() + others, 8188);
    // The first tenant has all its addresses, the second what is left.
    let named =
        |name: &str| account.others.iter().find(|(_, about)| about.english() == format!("for {name}")).map(|&(n, _)| n);
    assert_eq!((named("load balancers"), named("databases")), (Some(12), Some(4)));
}

#[test]
fn counting_and_simulation_stand_side_by_side() {
    let model = model(2, Span::days(90));
    let text = |counted: [Option<f64>; 2], simulated: [Option<f64>; 2]| {
        let runs = [0, 1].map(|i| {
            let mut run = simulated[i].map_or(calm(0, 500), |days| full(0, 1, at(days)));
            let most_wanted = if counted[i].is_some() { 8984 } else { 8000 };
            run.counting = Counting { usable: 8188, most_wanted, full: counted[i].map(at) };
            run
        });
        counting_text(&summarize(&model, &runs)).expect("pods want addresses").english()
    };
    insta::assert_snapshot!(
        [
            text([Some(19.6); 2], [Some(19.2); 2]),
            text([Some(19.6); 2], [Some(19.6); 2]),
            text([Some(19.6); 2], [Some(19.7); 2]),
            text([Some(19.6), None], [Some(19.2), Some(30.0)]),
            text([None; 2], [Some(19.2); 2]),
            text([Some(19.6); 2], [None; 2]),
            text([None; 2], [None; 2]),
        ]
        .join("\n"),
        @r"
    Pods exceed the 8,188 usable addresses on day 20; simulated, it is full on day 20, 9h 36m earlier, run by run, when 5,077 of them serve no pod.
    Pods exceed the 8,188 usable addresses on day 20; simulated, it is full on day 20, at the same time, run by run, when 5,077 of them serve no pod.
    Pods exceed the 8,188 usable addresses on day 20; simulated, it is full on day 20, 2h 24m later, run by run, when 5,077 of them serve no pod.
    Pods exceed the 8,188 usable addresses on day 20 in 1 of 2 runs; simulated, it is full on day 25, 9h 36m earlier in runs with both, when 5,077 of them serve no pod.
    Pods want at most 8,000 of the 8,188 usable addresses; simulated, it is full on day 20, when 5,077 of them serve no pod.
    Pods exceed the 8,188 usable addresses on day 20; simulated, no vSwitch runs full.
    Pods want at most 8,000 of the 8,188 usable addresses; simulated, no vSwitch runs full.
    "
    );
}

#[test]
fn zones_are_compared_over_the_timeline() {
    let mut model = model(1, Span::days(90));
    let mut other = model.node_pools[0].shapes[0].zones[0].clone();
    other.zone = "cn-shanghai-a".to_owned();
    model.node_pools[0].shapes[0].zones.push(other);
    let mut run = calm(0, 10);
    run.groups.push(GroupRecord { key: GroupKey { zone: 1, ..run.groups[0].key }, ..run.groups[0] });
    let pods = |running, waiting, terminating| GroupLevels { running, waiting, terminating, ..run.groups[0].end };
    run.timeline = Timeline {
        at: vec![at(1.0), at(2.0)],
        vswitches: vec![vec![Holders::default(); 2]; 2],
        groups: vec![vec![pods(4, 1, 2), pods(9, 0, 0)], vec![pods(1, 1, 1), pods(2, 0, 0)]],
        ..Timeline::default()
    };
    let summary = summarize(&model, &[run]);
    let zones: Vec<_> = summary.zones.iter().map(|z| (z.zone.as_str(), z.pods.mean, z.most_pods.mean)).collect();
    assert_eq!(zones, [("cn-shanghai-a", 4.0, 4.0), ("cn-shanghai-f", 4.0, 9.0)]);
    assert_eq!(summary.most_zone_skew.map(|skew| skew.mean), Some(7.0));
}

#[test]
fn the_verdict_names_a_defect_that_strikes() {
    let text = rich().verdict.text.english();
    assert!(text.contains(" A defect of Terway strikes, for the first time on day 43"), "{text}");
    assert!(text.contains(", 3 times on 2 nodes: crash on an interface that is being created (P61)."), "{text}");
}

#[test]
fn the_verdict_names_nodes_that_wait_for_their_trunks() {
    let text = rich().verdict.text.english();
    assert!(
        text.contains(" Terway starts again and again on nodes without a trunk interface (R36), for the first"),
        "{text}"
    );
    assert!(text.ends_with(", on 1 node in all and 1 at the end: vsw-AAA has too few free addresses."), "{text}");
}

#[test]
fn users_see_the_clouds_text_and_the_pods_event() {
    let messages = rich().messages;
    assert_eq!(messages[0].text, "The specified VSwitch \"vsw-AAA\" has not enough IpAddress.");
    assert_eq!(messages[0].place.english(), "node event AllocIPFailed and log of terwayd");
    assert_eq!(messages[1].text, FailureReason::Deadline.message());
    assert_eq!(messages[1].times.map(|times| times.mean), Some(7.0));
    assert_eq!(messages.len(), 2);
}

#[test]
fn every_number_of_a_summary_is_in_the_table_of_measures_and_the_other_way_round() {
    let mut found = Vec::new();
    walk(&serde_json::to_value(rich()).expect("plain data"), "", &mut found);
    for path in &found {
        assert!(measure(path).is_some(), "{path} has no definition");
    }
    for measure in MEASURES {
        assert!(found.iter().any(|path| path == measure.name), "{} is nowhere", measure.name);
    }
}

/// Paths of all estimates and proportions.
fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) if map.contains_key("runs") && map.contains_key("interval") => found.push(path.to_owned()),
        Value::Object(map) => {
            for (key, value) in map {
                let holder = ["pods", "idle", "leaked", "primaries", "others", "free", "reserved", "held"]
                    .contains(&key.as_str());
                let idle = ["eni_primaries", "pooled", "leaving", "coming", "unknown"].contains(&key.as_str());
                let all = (holder && map.contains_key("primaries")) || (idle && map.contains_key("eni_primaries"));
                let key = if all { "*" } else { key };
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                walk(value, &path, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, path, found)),
        _ => {}
    }
}

/// A vSwitch may have free addresses and no free /28 block: then that is the verdict, unless a vSwitch
/// is full before.
#[test]
fn a_lack_of_blocks_is_told_with_the_free_addresses() {
    let mut run = calm(0, 1204);
    let refused = NoPrefix { at: at(20.0), addresses: 1204, blocks: 0 };
    run.vswitches[1].prefixes = Some(prefixes(refused));
    let model = model(1, Span::days(60));
    let told = |run: &Recording| summarize(&model, std::slice::from_ref(run)).verdict;
    let (verdict, summary) = (told(&run), summarize(&model, std::slice::from_ref(&run)));
    assert_eq!((verdict.kind, verdict.vswitch.as_deref()), ("prefixes", Some("vsw-AAA")));
    assert_eq!(
        verdict.text,
        "vsw-AAA (/19, 8,188 usable) has 1,204 free addresses but no free /28 block on day 21 (one run, so no interval)."
    );
    assert_eq!(
        prefixes_text(&summary.vswitches[0], &summary.method.clock).map(|text| text.english()).as_deref(),
        Some(
            "vsw-AAA: free addresses at the end: 1,204, free /28 blocks for prefixes: 0 (least: 0), addresses in prefixes: \
             640; requests for prefixes are refused, first on day 21 (7 in all)."
        )
    );
    assert_eq!(prefixes_text(&summary.vswitches[1], &summary.method.clock), None);
    run.vswitches[1].prefixes.as_mut().expect("set above").first_refusal = Some(NoPrefix { blocks: 2, ..refused });
    assert!(told(&run).text.english().contains("1,204 free addresses but 2 free /28 blocks, too few for a request"));
    run.vswitches[0].first_refusal = Some(Full { at: at(19.0), ..full_of(&run.vswitches[0]) });
    assert_eq!(told(&run).kind, "vswitch");
}

/// Claims and comparisons name the blocks of a vSwitch that gives prefixes, and of no other.
#[test]
fn blocks_are_read_where_prefixes_come_from() {
    let mut run = calm(0, 1204);
    run.vswitches[1].prefixes = Some(prefixes(NoPrefix { at: at(20.0), addresses: 1204, blocks: 0 }));
    let mut model = model(1, Span::days(60));
    let named = |model: &Model| {
        let all = model.readings().into_iter().filter(|(name, _)| name.contains("prefixes"));
        all.map(|(name, reading)| (name, value(&reading, model, &run))).collect::<Vec<_>>()
    };
    assert_eq!(named(&model), []);
    model.vpc.vswitches[1].prefix_reservations.push("10.1.1.0/24".parse().expect("a block"));
    let told = named(&model);
    let of = |name: &str| told.iter().find(|(told, _)| told == name).and_then(|(_, value)| *value);
    assert!(told.iter().all(|(name, value)| !name.starts_with("vsw-nodes") && value.is_some()), "{told:?}");
    assert_eq!(of("vsw-AAA.prefixes.time_to_refusal"), Some(20.0 * 86_400.0));
    assert_eq!(of("vswitch.prefixes.free_blocks.min"), Some(0.0), "the one without prefixes does not count");
    assert_eq!(of("vswitches.prefixes.addresses.end"), Some(640.0));
    assert_eq!(of("vswitches.prefixes.time_to_refusal"), None, "times do not add up");
}

/// A remedy can be ranked: when it began, and how long the pods that waited then waited on.
#[test]
fn what_came_of_an_action_is_read() {
    let mut model = model(1, Span::days(60));
    model.actions = vec![restart()];
    let all = restarted(at(42.0));
    let read = |record: ActionRecord| {
        let run = Recording { actions: vec![record], ..calm(0, 3000) };
        let names =
            ["began", "took", "waiting", "relieved", "recovery"].map(|name| format!("actions.restart-1.{name}"));
        let readings = model.readings();
        names.map(|name| {
            let (_, reading) = readings.iter().find(|(known, _)| *known == name).expect("the action has readings");
            value(reading, &model, &run)
        })
    };
    const DAY: f64 = 86_400.0;
    let spans = [all.ended, all.recovered].map(|came| came.expect("it came").since(at(42.0)).as_secs_f64());
    let pods = [all.waiting, all.relieved].map(|pods| Some(f64::from(pods)));
    assert_eq!(read(all), [Some(42.0 * DAY), Some(spans[0]), pods[0], pods[1], Some(spans[1])]);
    let some = ActionRecord { ended: None, recovered: None, ..all };
    assert_eq!(read(some)[1..], [Some(f64::INFINITY), pods[0], pods[1], Some(f64::INFINITY)]);
    let calm = ActionRecord { waiting: 0, relieved: 0, recovered: None, ..all };
    assert_eq!(read(calm)[2..], [Some(0.0), Some(0.0), None], "nobody waited");
    assert_eq!(read(ActionRecord::default()), [Some(f64::INFINITY), None, None, None, None], "it never began");
}

/// Of a vSwitch that refused requests for prefixes.
fn prefixes(refused: NoPrefix) -> PrefixRecord {
    PrefixRecord {
        mean_free: 4.0,
        min_free: 0,
        end: PrefixLevel { free: 0, addresses: 640 },
        mean_addresses: 320.0,
        first_refusal: Some(refused),
        refusals: 7,
    }
}

fn full_of(vswitch: &VSwitchRecord) -> Full {
    Full { at: Instant::ZERO, who: vswitch.end, idle: IdleParts::default(), asked: 1 }
}

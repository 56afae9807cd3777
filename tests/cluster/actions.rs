//! A timeline for everything that a runbook does.

use brimline::address::usable;
use brimline::id::VSwitchId;
use brimline::ipam::node_local::{Config, EniSelection, VSwitchSelection};
use brimline::model::{
    Action, Comparison, Condition, Deed, Holder, Hpa, LateWait, Level, Load, Model, PodTemplate, Portion, Reading,
    Replicas, Restart, Schedule, Trigger, VSwitch, VSwitchReading, Workload, WorkloadKind, ZoneOutage,
};
use brimline::openapi::{Api, ErrorCode};
use brimline::outcome::value;
use brimline::record::{ActionRecord, JournalEntry, PodRecord, Reach, Recording, What};
use brimline::sim::{Progress, run as run_plain};
use brimline::text::Words;
use brimline::time::{Instant, Span};

use super::story::{at, cluster, run, seconds, steps, story, workload};

const OLD: VSwitchId = VSwitchId(1);
const NEW: VSwitchId = VSwitchId(2);

/// A pod that is ready 5 s after it has its address and takes 20 s to end.
fn slow() -> PodTemplate {
    PodTemplate { readiness: seconds(5), termination: seconds(20), ..PodTemplate::default() }
}

fn web(replicas: Schedule) -> Workload {
    let replicas = Replicas::Scheduled(replicas);
    workload("web", WorkloadKind::Deployment { replicas, rollout: None }, slow())
}

fn action(model: &mut Model, trigger: Trigger, deed: Deed) -> usize {
    let name = format!("action-{}", model.actions.len());
    model.actions.push(Action { text: format!("{name} begins").words(), name, trigger, deed });
    model.actions.len() - 1
}

fn at_secs(secs: u64) -> Trigger {
    Trigger::At(at(secs))
}

fn after(action: usize, secs: u64) -> Trigger {
    Trigger::After { action, delay: Span::secs(secs) }
}

fn when(level: Level, comparison: Comparison, than: f64) -> Trigger {
    Trigger::When(Condition { text: String::new(), level, comparison, than })
}

fn restart(at_most: u32, takes: u64) -> Deed {
    let at_most_at_once = Portion::Count(at_most);
    Deed::RestartTerway(Restart { pools: vec![0], at_most_at_once, takes: Span::secs(takes) })
}

fn replace() -> Deed {
    Deed::ReplaceNodes { pool: 0, max_surge: Portion::Count(1), max_unavailable: Portion::Count(0) }
}

fn daemon(model: &mut Model) -> &mut Config {
    let brimline::ipam::Config::NodeLocal(config) = &mut model.node_pools[0].shapes[0].zones[0].daemon else {
        panic!("its daemon allocates")
    };
    std::sync::Arc::make_mut(config)
}

/// A cluster of one zone that wants more addresses than the 12 of its vSwitch.
fn short_of_addresses(nodes: u32, pods: u32) -> Model {
    let mut model = cluster(&["z"], nodes);
    model.horizon = Span::mins(60);
    model.vpc.vswitches[OLD.index()] = VSwitch::plain("pods-z", "z", "10.1.0.0/28");
    model.workloads = vec![web(steps(pods, &[]))];
    daemon(&mut model).vswitch_selection = VSwitchSelection::Most;
    model
}

/// The article's remedy: another vSwitch in the same zone at second 600, eni-config with both,
/// restart; the last of these actions.
fn remedy(model: &mut Model) -> usize {
    let add = action(model, at_secs(600), Deed::AddVSwitch(NEW));
    model.vpc.vswitches.push(VSwitch { added_by: Some(add), ..VSwitch::plain("new-z", "z", "10.2.0.0/24") });
    let both = Config { vswitches: vec![OLD, NEW], ..daemon(model).clone() };
    let edit = action(model, after(add, 60), Deed::EditEniConfig(vec![both.into()]));
    action(model, after(edit, 60), restart(1, 30))
}

fn times(record: &ActionRecord) -> (Option<Instant>, Option<Instant>) {
    (record.began, record.ended)
}

/// Entries of the journal of some kinds, as second, kind and subject.
fn journal(recording: &Recording, kinds: &[&str]) -> Vec<(u64, &'static str, String)> {
    let chosen = recording.journal.iter().filter(|entry| kinds.contains(&entry.kind));
    chosen.map(|JournalEntry { at, kind, subject, .. }| (at.as_millis() / 1000, *kind, subject.clone())).collect()
}

/// A condition on `vswitch` is about the one of pods that is worst off, and no other: that of the nodes is left out.
#[test]
fn any_vswitch_of_pods_can_be_the_condition() {
    let mut model = short_of_addresses(2, 30);
    // Nodes leave less than half of theirs free from the start, and the second vSwitch of pods never has so few.
    model.vpc.vswitches[0] = VSwitch::plain("nodes-z", "z", "10.0.0.0/29");
    model.vpc.vswitches.push(VSwitch::plain("new-z", "z", "10.2.0.0/24"));
    (daemon(&mut model).vswitches, daemon(&mut model).vswitch_selection) = (vec![OLD, NEW], VSwitchSelection::Ordered);
    let half = usable(model.vpc.vswitches[OLD.index()].cidr) / 2;
    let levels = [
        (Level::VSwitch(OLD, Holder::Free), f64::from(half)),
        (Level::AnyVSwitch(Holder::Free), f64::from(half)),
        (Level::AnyVSwitchShare(Holder::Free), 0.5),
    ];
    for (level, than) in levels {
        action(&mut model, when(level, Comparison::Less, than), restart(1, 30));
    }
    let began: Vec<_> = run(&model).actions.iter().map(|action| action.began).collect();
    assert!(began[0] > Some(at(0)) && began.iter().all(|at| *at == began[0]), "{began:?}");
}

/// R135 to R139: nodes with a free ENI slot make an interface on the new vSwitch after the restart,
/// not before; what they have stays where it is.
#[test]
fn a_new_vswitch_helps_nodes_with_a_free_slot_after_the_restart() {
    let mut model = short_of_addresses(2, 30);
    let last = remedy(&mut model);
    let recording = run(&model);
    let [add, edit, restart] = recording.actions[..] else { panic!("three actions") };
    assert_eq!(times(&add), (Some(at(600)), Some(at(600))));
    assert_eq!(times(&edit), (Some(at(660)), Some(at(660))));
    assert_eq!(times(&restart), (Some(at(720)), Some(at(780))), "two nodes, one after the other");
    assert_eq!(add.reach, Some(Reach { nodes: 2, configured: 0, able: 0 }), "no daemon knows it");
    assert_eq!(edit.reach, add.reach, "daemons read eni-config when they start");
    assert_eq!(restart.reach, Some(Reach { nodes: 2, configured: 2, able: 2 }));
    // A batch of ten fails whole (R107), so two addresses of the first vSwitch are left.
    assert_eq!((restart.waiting, restart.relieved), (20, 20));
    let recovered = recording.actions[last].recovered.expect("all are served");
    assert!(recovered > at(720) && recovered < at(900), "{recovered:?}");
    assert_eq!(recording.vswitches[OLD.index()].end.pods, 10, "interfaces stay on their vSwitch");
    assert_eq!(recording.vswitches[NEW.index()].served, 20);
    let served_before = recording.pod_log.iter().filter(|row| row.served.is_some_and(|served| served < at(720)));
    assert_eq!(served_before.count(), 10);
}

/// R93, R139: a node whose slots all hold interfaces never uses the new vSwitch, restarted or not;
/// replacing it does help.
#[test]
fn full_slots_never_use_a_new_vswitch_but_new_nodes_do() {
    let mut model = short_of_addresses(1, 0);
    // Both slots have an interface before either is full.
    model.workloads = vec![web(steps(1, &[(20, 2), (40, 19)]))];
    daemon(&mut model).eni_selection = EniSelection::LeastIps;
    let restarted = remedy(&mut model);
    let recording = run(&model);
    assert_eq!(recording.actions[restarted].reach, Some(Reach { nodes: 1, configured: 1, able: 0 }));
    assert_eq!((recording.actions[restarted].relieved, recording.actions[restarted].recovered), (0, None));
    assert_eq!((recording.vswitches[NEW.index()].served, recording.pods.waiting_at_end), (0, 7));
    let replaced = action(&mut model, after(restarted, 600), replace());
    let recording = run(&model);
    let record = recording.actions[replaced];
    assert_eq!((record.began, record.waiting), (Some(at(1350)), 7));
    assert_eq!(record.reach, Some(Reach { nodes: 1, configured: 1, able: 1 }));
    assert!(record.recovered.is_some() && record.ended.is_some(), "{record:?}");
    assert_eq!(recording.pods.waiting_at_end, 0);
}

/// While the daemon is down the kubelet goes on: a pod that asks is told that nobody listens, and
/// asks again; the address of one that ends comes back when its DEL comes through.
#[test]
fn a_daemon_that_is_down_neither_gives_nor_takes_addresses() {
    let mut model = cluster(&["z"], 1);
    action(&mut model, at_secs(60), restart(1, 60));
    model.workloads = vec![web(steps(3, &[(62, 2), (65, 4)]))];
    insta::assert_snapshot!(story(&model, 60));
}

/// A call that waits for an address when the daemon is killed fails at once (R135), and another try
/// of its pod comes 10 to 15 s later, not after the start.
#[test]
fn who_waits_when_the_daemon_is_killed_hears_of_it_at_once() {
    let mut model = cluster(&["z"], 1);
    action(&mut model, at_secs(61), restart(1, 5));
    model.workloads = vec![web(steps(0, &[(60, 1)]))];
    let recording = run(&model);
    let failed: Vec<_> = recording.steps.iter().filter(|step| matches!(step.what, What::Failed { .. })).collect();
    assert_eq!(failed.iter().map(|step| step.at).collect::<Vec<_>>(), [at(61)], "{failed:?}");
    let served = recording.pod_log[0].served.expect("the daemon is back");
    assert!(served > at(71) && served < at(84), "{served:?}");
}

/// `maxUnavailable` of the DaemonSet: as many are down at once, and the next follows when one is
/// back; a share is rounded up.
#[test]
fn daemons_are_restarted_a_few_at_a_time() {
    let mut model = cluster(&["z"], 5);
    let pools = vec![0];
    let some = Restart { pools, at_most_at_once: Portion::Share(0.3), takes: Span::secs(30) };
    action(&mut model, at_secs(60), Deed::RestartTerway(some));
    let recording = run(&model);
    let down: Vec<_> = journal(&recording, &["terway_down"]).into_iter().map(|(secs, _, node)| (secs, node)).collect();
    let expected = [(60, "pool-0"), (60, "pool-1"), (90, "pool-2"), (90, "pool-3"), (120, "pool-4")];
    assert_eq!(down, expected.map(|(secs, node)| (secs, node.to_owned())));
    assert_eq!(times(&recording.actions[0]), (Some(at(60)), Some(at(150))));
}

/// A node that fails in its turn is no longer waited for when that would have been over, and starts
/// its daemon when it is back; nodes that do not work any more have no turn.
#[test]
fn nodes_that_fail_during_a_restart_are_no_obstacle() {
    let mut model = cluster(&["y", "z"], 4);
    action(&mut model, at_secs(60), restart(1, 30));
    model.zone_outages = vec![ZoneOutage { zone: "y".to_owned(), at: at(70), lasts: Span::secs(300) }];
    model.workloads = vec![web(steps(8, &[]))];
    let recording = run(&model);
    assert_eq!(journal(&recording, &["terway_down"]).len(), 3, "the second node of the zone has no turn");
    assert_eq!(times(&recording.actions[0]), (Some(at(60)), Some(at(150))));
    assert_eq!(recording.pods.waiting_at_end, 0);
}

/// A restart that takes no time is over in its instant, and loses what a restart loses.
#[test]
fn a_restart_may_take_no_time() {
    let mut model = cluster(&["z"], 3);
    action(&mut model, at_secs(60), restart(1, 0));
    let recording = run(&model);
    assert_eq!(times(&recording.actions[0]), (Some(at(60)), Some(at(60))));
    assert_eq!(journal(&recording, &["terway_up"]).len(), 3);
}

/// Nothing changes before a daemon starts again; a node that joins after the edit has it at once.
#[test]
fn an_edit_reaches_daemons_when_they_start() {
    let edited = |joins: u32| {
        let mut model = cluster(&["z"], 1);
        model.node_pools[0].size = brimline::model::PoolSize::Scheduled(steps(1, &[(120, 1 + joins)]));
        let more = Config { min_idle: 5, ..daemon(&mut model).clone() };
        action(&mut model, at_secs(60), Deed::EditEniConfig(vec![more.into()]));
        run(&model).vswitches[OLD.index()].end.idle
    };
    assert_eq!([edited(0), edited(1)], [0, 5]);
}

/// A daemon that is told of a vSwitch before it exists finds nothing under its name, and uses it
/// when it is there.
#[test]
fn a_vswitch_does_not_exist_before_it_is_added() {
    let mut model = cluster(&["z"], 1);
    let add = action(&mut model, at_secs(120), Deed::AddVSwitch(NEW));
    model.vpc.vswitches.push(VSwitch { added_by: Some(add), ..VSwitch::plain("new-z", "z", "10.2.0.0/24") });
    let only = Config { vswitches: vec![NEW], ..daemon(&mut model).clone() };
    action(&mut model, at_secs(30), Deed::EditEniConfig(vec![only.into()]));
    action(&mut model, at_secs(60), restart(1, 0));
    model.workloads = vec![web(steps(0, &[(70, 1)]))];
    model.outputs.samples = 10;
    let recording = run(&model);
    let served = recording.pod_log[0].served.expect("it exists");
    assert!(served > at(120) && served < at(150), "{served:?}");
    assert_eq!(recording.errors, [[0; ErrorCode::ALL.len()]; Api::ALL.len()]);
    let free: Vec<_> = recording.timeline.vswitches[NEW.index()][..4].iter().map(|who| who.free).collect();
    assert_eq!(free, [0, 0, 252, 251], "addresses that are there, by minute");
    let record = &recording.vswitches[NEW.index()];
    assert_eq!((record.min_free, record.usable), (251, 252));
    assert!(record.mean.free > 251.0 && record.mean.free < 251.1, "since it exists: {:?}", record.mean);
    // Together with others it counts for the time in which it is there: 480 of 600 s.
    let free = |id: VSwitchId| recording.vswitches[id.index()].mean.free;
    let together = Reading::AllVSwitches(VSwitchReading::Mean(Holder::Free));
    let together = value(&together, &model, &recording).expect("there are addresses");
    assert!((together - (free(OLD) + 0.8 * free(NEW))).abs() < 1e-6, "{together}");
}

/// What is there to be counted grows with an added vSwitch.
#[test]
fn counting_knows_a_vswitch_from_its_addition_on() {
    let mut model = short_of_addresses(2, 30);
    remedy(&mut model);
    let counting = run(&model).counting;
    assert_eq!((counting.usable, counting.full), (12 + 252, Some(at(0))));
}

/// A condition is looked at whenever something happened: here at the answer of the call that takes
/// the first address, which no pod and no controller hears of.
#[test]
fn a_condition_fires_at_the_event_that_makes_it_true() {
    let mut model = cluster(&["z"], 1);
    let free = Level::VSwitch(OLD, Holder::Free);
    action(&mut model, when(free, Comparison::Less, 252.0), restart(1, 0));
    action(&mut model, when(Level::Nodes(0), Comparison::Less, 1.0), restart(1, 0));
    action(&mut model, when(Level::WaitingPods, Comparison::AtLeast, 3.0), restart(1, 0));
    model.workloads = vec![web(steps(0, &[(60, 1), (100, 3), (101, 9)]))];
    let recording = run(&model);
    // Requests gather for 0.3 s, the look-up and the creation take 1 s each.
    assert_eq!(recording.actions[0].began, Some(at(60) + Span::millis(2300)));
    assert_eq!(recording.actions[1].began, None, "at time zero the nodes are there");
    assert_eq!(recording.actions[2].began, Some(at(101)), "two of three pods have no address at 100 s");
    let plain = run_plain(&model, 0, &Progress::default());
    assert_eq!(format!("{:?}", plain.actions), format!("{:?}", recording.actions), "watched or not");
}

/// A level of a vSwitch that does not exist compares to nothing.
#[test]
fn a_condition_on_a_vswitch_waits_until_it_exists() {
    let mut model = cluster(&["z"], 1);
    let add = action(&mut model, at_secs(300), Deed::AddVSwitch(NEW));
    model.vpc.vswitches.push(VSwitch { added_by: Some(add), ..VSwitch::plain("new-z", "z", "10.2.0.0/24") });
    action(&mut model, when(Level::VSwitch(NEW, Holder::Free), Comparison::Less, 1000.0), restart(1, 0));
    assert_eq!(run(&model).actions[1].began, Some(at(300)));
}

/// Actions follow each other: in the same instant, after a while, after what takes time; what would
/// begin with the end, or after something that never is complete, does not.
#[test]
fn actions_follow_what_is_complete() {
    let mut model = cluster(&["z"], 2);
    let nothing = || Deed::LimitApi { api: Api::DescribeVSwitches, limit: None };
    let first = action(&mut model, at_secs(60), nothing());
    let second = action(&mut model, after(first, 0), restart(1, 30));
    let third = action(&mut model, after(second, 10), nothing());
    let never = action(&mut model, when(Level::Nodes(0), Comparison::Greater, 9.0), nothing());
    action(&mut model, after(never, 0), nothing());
    action(&mut model, after(third, 600 - 130), nothing());
    let recording = run(&model);
    let began: Vec<_> = recording.actions.iter().map(|action| action.began).collect();
    assert_eq!(began, [Some(at(60)), Some(at(60)), Some(at(130)), None, None, None]);
    let marks = journal(&recording, &["action", "action_complete"]);
    let marks: Vec<_> = marks.iter().map(|(secs, kind, name)| (*secs, *kind, name.as_str())).collect();
    assert_eq!(
        marks,
        [
            (60, "action", "action-0"),
            (60, "action_complete", "action-0"),
            (60, "action", "action-1"),
            (120, "action_complete", "action-1"),
            (130, "action", "action-2"),
            (130, "action_complete", "action-2"),
        ]
    );
}

/// Scaling by hand holds whatever schedule and HPA say afterwards.
#[test]
fn a_number_that_an_action_sets_stays() {
    let load = Load { base: Schedule::Constant(5.0), daily: 0.0, peak: Span::ZERO, weekend: 1.0, noise: 0.0 };
    let (sync_period, stabilization_down) = (Span::secs(15), Span::mins(5));
    let hpa = Hpa { min: 1, max: 20, target: 0.5, load, sync_period, tolerance: 0.1, stabilization_down };
    for replicas in [Replicas::Scheduled(steps(10, &[(120, 15)])), Replicas::Autoscaled(hpa)] {
        let mut model = cluster(&["z"], 1);
        model.workloads = vec![workload("web", WorkloadKind::Deployment { replicas, rollout: None }, slow())];
        model.outputs.samples = 10;
        action(&mut model, at_secs(90), Deed::ScaleWorkload { workload: 0, replicas: 4 });
        let pods: Vec<_> = run(&model).timeline.groups[0].iter().map(brimline::record::GroupLevels::pods).collect();
        assert_eq!((pods[1], &pods[3..]), (10, &[4; 8][..]), "{pods:?}");
    }
    let mut model = cluster(&["z"], 1);
    model.node_pools[0].size = brimline::model::PoolSize::Scheduled(steps(5, &[(120, 9)]));
    model.outputs.samples = 10;
    action(&mut model, at_secs(90), Deed::ScaleNodePool { pool: 0, nodes: 3 });
    let nodes: Vec<_> = run(&model).timeline.groups[0].iter().map(|levels| levels.nodes).collect();
    assert_eq!((nodes[1], &nodes[2..]), (5, &[3; 9][..]), "{nodes:?}");
}

/// The first to join are drained all at once; the pool launches others, and the action is complete
/// when the last of its nodes is released.
#[test]
fn a_drain_is_complete_when_its_nodes_are_released() {
    let mut model = cluster(&["z"], 3);
    model.node_pools[0].provisioning = seconds(30);
    model.workloads = vec![web(steps(6, &[]))];
    action(&mut model, at_secs(60), Deed::Drain { pool: 0, nodes: Portion::Share(0.5) });
    insta::assert_snapshot!(story(&model, 60));
    assert_eq!(times(&run(&model).actions[0]), (Some(at(60)), Some(at(80))));
}

/// A zone that an action takes away is lost like any other.
#[test]
fn an_outage_by_an_action_is_an_outage() {
    let mut by_schedule = cluster(&["y", "z"], 4);
    by_schedule.horizon = Span::mins(40);
    by_schedule.workloads = vec![web(steps(4, &[]))];
    let mut by_action = by_schedule.clone();
    let (zone, lasts) = ("y".to_owned(), Span::mins(15));
    by_schedule.zone_outages = vec![ZoneOutage { zone: zone.clone(), at: at(60), lasts }];
    action(&mut by_action, at_secs(60), Deed::LoseZone { zone, lasts });
    let (a, b) = (run(&by_schedule), run(&by_action));
    assert_eq!(format!("{:?} {:?}", a.pod_log, a.timeline), format!("{:?} {:?}", b.pod_log, b.timeline));
    assert_eq!(times(&b.actions[0]), (Some(at(60)), Some(at(960))));
}

/// The limit of an action of the API holds from its change on.
#[test]
fn a_limit_of_the_api_is_changed() {
    let mut model = cluster(&["z"], 1);
    let api = Api::CreateNetworkInterface;
    action(&mut model, at_secs(60), Deed::LimitApi { api, limit: Some(0) });
    action(&mut model, at_secs(300), Deed::LimitApi { api, limit: None });
    model.workloads = vec![web(steps(0, &[(70, 1)]))];
    let recording = run(&model);
    assert!(recording.errors[api.index()][ErrorCode::Throttling.index()] > 0);
    let served = recording.pod_log[0].served.expect("the limit is off");
    assert!(served > at(300), "{served:?}");
}

/// Waits that are too long are counted when they end and when the run does.
#[test]
fn late_waits_are_counted() {
    let mut model = short_of_addresses(1, 19);
    model.late_waits = vec![
        LateWait { over: Span::mins(5), before: Instant::NEVER },
        LateWait { over: Span::mins(5), before: at(300) },
        LateWait { over: Span::mins(59), before: Instant::NEVER },
        LateWait { over: Span::mins(60), before: Instant::NEVER },
    ];
    assert_eq!(run(&model).late_waits, [9, 0, 9, 0]);
}

/// What happens in the warm-up does not count, and who waits at its end counts from then on; conditions are looked at later.
#[test]
fn nothing_of_the_warm_up_counts() {
    let mut model = cluster(&["z"], 1);
    // Four addresses are usable: three more pods find one too few for all of them, and are gone, with one that has its
    // address, when another comes.
    model.vpc.vswitches[OLD.index()] = VSwitch::plain("pods-z", "z", "10.1.0.0/29");
    model.workloads = vec![web(steps(3, &[(50, 6), (170, 2), (200, 3)]))];
    let low = when(Level::VSwitch(OLD, Holder::Free), Comparison::Less, 2.0);
    action(&mut model, low, Deed::LimitApi { api: Api::DescribeVSwitches, limit: Some(1000) });
    let all = run(&model);
    model.warm_up = Span::secs(190);
    let late = run(&model);
    assert!(all.vswitches[OLD.index()].first_refusal.is_some() && late.vswitches[OLD.index()].first_refusal.is_none());
    assert_eq!((all.binding.len(), late.binding.len()), (1, 0));
    let counts = |run: &Recording| (run.pods.requested, run.pods.served, run.pods.gave_up, run.pods.max_waiting);
    assert_eq!((counts(&all), counts(&late)), ((7, 4, 3, 3), (1, 1, 0, 1)));
    let began = |run: &Recording| run.actions[0].began.expect("few are free");
    assert!(began(&all) < at(20) && began(&late) >= at(190));
}

/// Who waits when the warm-up is over counts as if it had just asked, and a vSwitch is full that was, and has got no more addresses.
#[test]
fn what_goes_on_after_the_warm_up_begins_with_its_end() {
    let mut model = cluster(&["z"], 1);
    model.vpc.vswitches[OLD.index()] = VSwitch::plain("pods-z", "z", "10.1.0.0/29");
    // Eight ask for four addresses, which fails whole, until all go.
    model.workloads = vec![web(steps(8, &[(400, 0)]))];
    model.warm_up = Span::secs(300);
    model.late_waits = vec![LateWait { over: Span::secs(99), before: Instant::NEVER }];
    model.late_waits.push(LateWait { over: Span::secs(100), before: Instant::NEVER });
    let run = run(&model);
    let PodRecord { requested, served, gave_up, max_waiting, longest_wait, .. } = run.pods;
    assert_eq!((requested, served, gave_up, max_waiting, longest_wait), (8, 0, 8, 8, Span::secs(100)));
    assert_eq!(run.late_waits, [8, 0]);
    let full = run.vswitches[OLD.index()].first_refusal.expect("it was refused before");
    assert_eq!((full.at, run.counting.full, run.counting.most_wanted), (at(300), Some(at(300)), 8));
}

//! From recordings to a summary.

mod actions;
mod after;
mod defects;
mod full;
mod prefixes;
mod risk;
mod trunkless;
mod zones;

use std::collections::BTreeMap;

use super::quantiles::quantiles;
use super::{
    ApiSummary, Clock, Estimate, FEW_RUNS, Landmark, Limit, MEASURES, Message, Method, PodSummary, PoolSummary,
    Proportion, Refusals, StrandedSummary, Summary, UnschedulableSummary, VSwitchSummary, WaitClass, cause_text,
    precision, verdict,
};
use hdrhistogram::Histogram;

use crate::address::usable;
use crate::id::VSwitchId;
use crate::ipam::Config;
use crate::model::{GroupKey, Ipam, Model, PoolSize, PoolZone, Unfit};
use crate::openapi::{Api, ErrorCode, ip_not_enough_message};
use crate::record::{Cause, FailureReason, GroupRecord, Holders, PodRecord, Recording, StrandedReason};
use crate::text::{Phrase, Text, phrase, text};
use crate::time::{Instant, Span};

/// Everything that `recordings` of `model` say.
pub(super) fn summary(model: &Model, recordings: &[Recording]) -> Summary {
    let runs = Runs { model, recordings };
    let mut summary = Summary {
        verdict: verdict::Verdict::default(),
        name: model.name.clone(),
        question: model.question.clone(),
        method: runs.method(),
        vswitches: runs.vswitches(),
        risk: Vec::new(),
        limits: runs.limits(),
        pods: runs.pods(),
        counting: runs.counting(),
        pools: runs.pools(),
        zones: runs.zones(),
        most_zone_skew: runs.zone_skew(),
        stranded: runs.stranded(),
        defects: runs.defects(),
        trunkless: runs.trunkless(),
        messages: runs.messages(),
        api_calls: runs.api_calls(),
        actions: runs.actions(),
        landmarks: runs.landmarks(),
        events: runs.each(|r| r.events as f64),
        pod_events: runs.each(|r| r.pod_events as f64),
        quantiles: quantiles(model, recordings),
        measures: MEASURES,
    };
    summary.risk = runs.risk(&summary.vswitches);
    summary.verdict = verdict::of(&summary);
    summary
}

/// The replications of a model.
struct Runs<'a> {
    model: &'a Model,
    recordings: &'a [Recording],
}

impl Runs<'_> {
    /// A number that every replication has.
    fn each(&self, value: impl Fn(&Recording) -> f64) -> Estimate {
        self.some(|recording| Some(value(recording))).expect("there is a recording")
    }

    /// A number of a vSwitch, over the replications in which it is there or, if it is in none, over all.
    fn where_there(&self, vswitch: usize, value: impl Fn(&Recording) -> f64) -> Estimate {
        let is_there = |r: &Recording| r.vswitch_since(self.model, VSwitchId::new(vswitch)).is_some();
        self.some(|r| is_there(r).then(|| value(r))).unwrap_or_else(|| self.each(value))
    }

    /// A number that some replications have.
    fn some(&self, value: impl Fn(&Recording) -> Option<f64>) -> Option<Estimate> {
        Estimate::of(&self.recordings.iter().filter_map(value).collect::<Vec<_>>())
    }

    /// How many replications fulfil a condition.
    fn share(&self, holds: impl Fn(&Recording) -> bool) -> Proportion {
        Proportion::new(self.recordings.iter().filter(|r| holds(r)).count(), self.recordings.len())
    }

    fn method(&self) -> Method {
        let n = self.recordings.len();
        let counts =
            if n < FEW_RUNS { phrase!("the range over the runs") } else { phrase!("its 95 % interval (Student's t)") };
        let intervals = match n {
            1 => text!("One run, so no intervals."),
            _ => text!(
                "{n} independent runs. Counts: mean with {counts}. Times: median with the 5 and \
                 95 % quantiles over the runs (linear interpolation). Probabilities: 95 % interval by Wilson's score.",
                n,
                counts
            ),
        };
        Method {
            replications: n,
            seed: self.model.seed,
            version: env!("CARGO_PKG_VERSION"),
            clock: Clock::of(self.model),
            intervals,
            precision: self.model.precision.as_ref().map(|wanted| precision(wanted, self.model, self.recordings)),
        }
    }

    fn vswitches(&self) -> Vec<VSwitchSummary> {
        let mut all: Vec<_> = (0..self.model.vpc.vswitches.len()).map(|i| self.vswitch(i)).collect();
        // The sort is stable: what ties stays in the order of the scenario.
        all.sort_by(|a, b| {
            let filling = |v: &VSwitchSummary| v.time_to_full_s.map_or(f64::INFINITY, |t| t.median);
            let room = |v: &VSwitchSummary| v.least_free.min / f64::from(v.usable.max(1));
            (b.serves_pods.cmp(&a.serves_pods))
                .then(b.full_first.hits.cmp(&a.full_first.hits))
                .then(filling(a).total_cmp(&filling(b)))
                .then(room(a).total_cmp(&room(b)))
        });
        all
    }

    fn vswitch(&self, i: usize) -> VSwitchSummary {
        let vswitch = &self.model.vpc.vswitches[i];
        let usable = usable(vswitch.cidr);
        let serves_pods = self.model.serving_vswitches().contains(&VSwitchId::new(i));
        let full_at = |r: &Recording| r.vswitches[i].first_refusal.map(|full| full.at);
        let first = |r: &Recording| {
            r.vswitches.iter().filter_map(|v| v.first_refusal.map(|full| full.at)).min().unwrap_or(NEVER)
        };
        let full = self.share(|r| full_at(r).is_some());
        let share = |part: usize| {
            let share =
                self.some(|r| Some(f64::from(r.vswitches[i].first_refusal?.who.parts()[part]) / f64::from(usable)));
            share.expect("it is full in some run")
        };
        let share_of = |part: fn(&Holders<u32>) -> Option<u32>| {
            self.some(|r| Some(f64::from(part(&r.vswitches[i].first_refusal?.who)?) / f64::from(usable)))
        };
        VSwitchSummary {
            id: vswitch.id.clone(),
            zone: vswitch.zone.clone(),
            cidr: vswitch.cidr.to_string(),
            prefix: vswitch.cidr.prefix_len(),
            usable,
            serves_pods,
            snat: vswitch.snat,
            full,
            full_first: self.share(|r| full_at(r).is_some_and(|at| at == first(r))),
            time_to_full_s: self.some(|r| full_at(r).map(Instant::as_secs_f64)),
            at_full_share: (!full.never()).then(|| Holders {
                reserved: share_of(|who| who.reserved),
                held: share_of(|who| who.held),
                ..Holders::POSITIONS.map(share)
            }),
            at_full: self.at_full(i),
            time_to_empty_s: self.some(|r| r.vswitches[i].first_empty.map(Instant::as_secs_f64)),
            refusals: self.each(|r| r.vswitches[i].refusals as f64),
            served: self.each(|r| r.vswitches[i].served as f64),
            steady: self.steadiness(i),
            mean: Holders {
                reserved: self.some(|r| r.vswitches[i].mean.reserved),
                held: self.some(|r| r.vswitches[i].mean.held),
                ..Holders::POSITIONS.map(|part| self.where_there(i, |r| r.vswitches[i].mean.parts()[part]))
            },
            end: Holders {
                reserved: self.some(|r| r.vswitches[i].end.reserved.map(f64::from)),
                held: self.some(|r| r.vswitches[i].end.held.map(f64::from)),
                ..Holders::POSITIONS.map(|part| self.where_there(i, |r| r.vswitches[i].end.parts()[part].into()))
            },
            least_free: self.where_there(i, |r| f64::from(r.vswitches[i].min_free)),
            prefixes: self.prefixes(i),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        let mut causes: Vec<Cause> = self.recordings.iter().flat_map(|r| r.binding.iter().map(|&(_, c)| c)).collect();
        causes.sort_unstable();
        causes.dedup();
        let limit = |cause: Cause| {
            let at = |r: &Recording| r.binding.iter().find(|(_, c)| *c == cause).map(|&(at, _)| at);
            let (kind, text) = cause_text(cause, self.model);
            Limit {
                kind,
                text,
                bound: self.share(|r| at(r).is_some()),
                bound_first: self.share(|r| r.binding.first().is_some_and(|&(_, c)| c == cause)),
                time_to_bind_s: self.some(|r| at(r).map(Instant::as_secs_f64)).expect("a recording named the cause"),
            }
        };
        let mut limits: Vec<_> = causes.into_iter().map(limit).collect();
        limits.sort_by(|a, b| {
            let first = b.bound_first.hits.cmp(&a.bound_first.hits);
            first.then(a.time_to_bind_s.median.total_cmp(&b.time_to_bind_s.median))
        });
        limits
    }

    fn pods(&self) -> PodSummary {
        let pods = |value: fn(&PodRecord) -> u64| self.each(|r| value(&r.pods) as f64);
        PodSummary {
            requested: pods(|p| p.requested),
            served: pods(|p| p.served),
            never_served: pods(never_served),
            failed_jobs: pods(|p| p.failed_jobs),
            waiting_at_end: pods(|p| p.waiting_at_end.into()),
            most_waiting: pods(|p| p.max_waiting.into()),
            most_waiting_s: self.some(|r| (r.pods.max_waiting > 0).then(|| r.pods.max_waiting_at.as_secs_f64())),
            wait_p50_s: self.some(|r| wait_quantile(&r.pods, 0.5)),
            wait_p99_s: self.some(|r| wait_quantile(&r.pods, 0.99)),
            wait_longest_s: self.some(|r| longest_wait(&r.pods)),
            waits: self.waits(),
            unschedulable_at_end: pods(|p| p.unschedulable_at_end.into()),
            most_unschedulable: pods(|p| p.max_unschedulable.into()),
            most_stuck: pods(|p| p.max_stuck.into()),
            unschedulable_pod_h: self.each(|r| r.pods.unschedulable_area_s / HOUR_SECS),
            unschedulable_p50_s: self.some(|r| unschedulable(&r.pods, |waits| waits.value_at_quantile(0.5))),
            unschedulable_longest_s: self.some(|r| unschedulable(&r.pods, Histogram::max)),
            unschedulable_by: self.unschedulable_by(),
            waiting_pod_h: self.each(|r| r.pods.waiting_area_s / HOUR_SECS),
        }
    }

    fn unschedulable_by(&self) -> Vec<UnschedulableSummary> {
        let summary = |why: Unfit| {
            let (kind, text) = cause_text(why.into(), self.model);
            UnschedulableSummary {
                kind,
                text,
                pods: self.each(|r| r.pods.unschedulable_by[why.index()] as f64),
                at_end: self.each(|r| r.pods.unschedulable_at_end_by[why.index()] as f64),
            }
        };
        Unfit::ALL.into_iter().map(summary).filter(|summary| summary.pods.max > 0.0).collect()
    }

    fn waits(&self) -> Vec<WaitClass> {
        let class = |i: usize, label| {
            let from = i.checked_sub(1).map_or(0, |before| WAIT_CLASSES[before].0.as_millis());
            let to = WAIT_CLASSES[i].0.as_millis();
            let within = |pods: &PodRecord| {
                let histogram = pods.wait_ms.iter_recorded();
                let inside = histogram.filter(|step| (from..to).contains(&step.value_iterated_to()));
                inside.map(|step| step.count_at_value()).sum::<u64>()
            };
            WaitClass { label, pods: self.each(|r| within(&r.pods) as f64) }
        };
        let classes = WAIT_CLASSES.iter().enumerate().map(|(i, &(_, label))| class(i, label));
        let never = WaitClass { label: phrase!("never served"), pods: self.each(|r| never_served(&r.pods) as f64) };
        classes.chain([never]).collect()
    }

    fn pools(&self) -> Vec<PoolSummary> {
        let summary = |(i, (key, zone)): (usize, (GroupKey, &PoolZone))| {
            let pool = &self.model.node_pools[key.pool];
            let shape = &pool.shapes[key.shape];
            let group = |value: fn(&GroupRecord) -> u32| self.each(|r| f64::from(value(&r.groups[i])));
            PoolSummary {
                pool: pool.name.clone(),
                zone: zone.zone.clone(),
                instance_type: shape.instance_type.clone(),
                max_pods: shape.max_pods,
                autoscaled: matches!(pool.size, PoolSize::Autoscaled { .. }),
                nodes: group(|g| g.end.nodes),
                enis: group(|g| g.end.enis),
                running: group(|g| g.end.running),
                waiting: group(|g| g.end.waiting),
                terminating: group(|g| g.end.terminating),
                most_waiting: group(|g| g.max_waiting),
                nodes_refused: group(|g| g.nodes_refused),
            }
        };
        self.model.groups().enumerate().map(summary).collect()
    }

    fn stranded(&self) -> Vec<StrandedSummary> {
        let mut keys: Vec<_> = self
            .recordings
            .iter()
            .flat_map(|r| &r.stranded)
            .map(|stranded| (stranded.vswitch, stranded.reason))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .map(|(vswitch, reason)| {
                let here = |r: &Recording| {
                    let matching = r.stranded.iter().filter(|s| (s.vswitch, s.reason) == (vswitch, reason));
                    matching.map(|s| s.addresses).sum::<u32>()
                };
                StrandedSummary {
                    vswitch: self.name(vswitch),
                    reason: stranded_text(reason, self.model),
                    found: self.share(|r| here(r) > 0),
                    addresses: self.each(|r| here(r).into()),
                }
            })
            .collect()
    }

    fn messages(&self) -> Vec<Message> {
        let refused = |api: Api| self.each(|r| r.errors[api.index()][ErrorCode::IpNotEnough.index()] as f64).max > 0.0;
        let calls = (refused(Api::AssignPrivateIpAddresses), refused(Api::CreateNetworkInterface));
        let place = match (calls, &self.model.ipam) {
            ((false, false), _) => None,
            // Interfaces of pods' own (pkg/controller/pod/pod_controller.go:586).
            _ if self.model.groups().all(|(_, zone)| matches!(zone.daemon, Config::Exclusive(_))) => {
                Some(phrase!("event CreateENIFailed of the PodENI and log of terway-controlplane"))
            }
            // The control plane records both on the CR (pkg/controller/multi-ip/node/pool.go:1235-1237).
            (_, Ipam::Centralized(_)) => {
                Some(phrase!("event AllocIPFailed of the node's CR and log of terway-controlplane"))
            }
            // An assign that fails is a node event (rule R133); a create that fails shows its
            // code only in the daemon's log (rule R134).
            ((true, _), Ipam::NodeLocal | Ipam::Classic(_)) => {
                Some(phrase!("node event AllocIPFailed and log of terwayd"))
            }
            ((false, true), Ipam::NodeLocal) if !self.model.pod_networkings.is_empty() => {
                Some(phrase!("log of terwayd, or event CreateENIFailed of a PodENI"))
            }
            ((false, true), Ipam::NodeLocal | Ipam::Classic(_)) => Some(phrase!("log of terwayd")),
        };
        let mut full = self.model.serving_vswitches();
        full.retain(|id| self.recordings.iter().any(|r| r.vswitches[id.index()].first_refusal.is_some()));
        let cloud = full.into_iter().filter_map(|id| {
            let text = ip_not_enough_message(&self.model.vpc.vswitches[id.index()].id);
            place.map(|place| Message { place, text, times: None })
        });
        let mut messages: Vec<_> = cloud.collect();
        let mut by_text = BTreeMap::<&'static str, Vec<FailureReason>>::new();
        for reason in FailureReason::ALL {
            by_text.entry(reason.message()).or_default().push(reason);
        }
        for (text, reasons) in by_text {
            let times = self.each(|r| reasons.iter().map(|reason| r.pods.failures[reason.index()] as f64).sum());
            if times.max > 0.0 {
                let place = phrase!("event of the pod, which stays in ContainerCreating");
                messages.push(Message { place, text: text.to_owned(), times: Some(times) });
            }
        }
        messages
    }

    fn api_calls(&self) -> Vec<ApiSummary> {
        let summary = |api: Api| {
            let refused = ErrorCode::ALL.into_iter().map(|code| Refusals {
                code: code.name(),
                calls: self.each(|r| r.errors[api.index()][code.index()] as f64),
            });
            ApiSummary {
                action: api.name(),
                calls: self.each(|r| r.calls[api.index()] as f64),
                refused: refused.filter(|refusals| refusals.calls.max > 0.0).collect(),
            }
        };
        Api::ALL.into_iter().map(summary).filter(|api| api.calls.max > 0.0).collect()
    }

    fn landmarks(&self) -> Vec<Landmark> {
        // Per landmark, the times in each run in which it happened.
        let mut seen = BTreeMap::<(&'static str, &str, &Text), BTreeMap<u32, Vec<f64>>>::new();
        for recording in self.recordings {
            for entry in recording.journal.iter().filter(|entry| entry.landmark) {
                let runs = seen.entry((entry.kind, &entry.subject, &entry.text)).or_default();
                runs.entry(recording.replication).or_default().push(entry.at.as_secs_f64());
            }
        }
        let landmark = |((kind, subject, text), runs): ((&'static str, &str, &Text), BTreeMap<u32, Vec<f64>>)| {
            let estimate = |values: Vec<f64>| Estimate::of(&values).expect("a recording has the landmark");
            let nth = |n: usize| runs.values().filter_map(|times| times.get(n).copied()).collect::<Vec<_>>();
            let most = runs.values().map(Vec::len).max().unwrap_or_default();
            Landmark {
                kind,
                subject: subject.to_owned(),
                text: text.clone(),
                happened: Proportion::new(runs.len(), self.recordings.len()),
                time_s: estimate(nth(0)),
                times: estimate(runs.values().map(|times| times.len() as f64).collect()),
                times_s: (0..most).map(|n| estimate(nth(n)).median).collect(),
            }
        };
        let mut landmarks: Vec<_> = seen.into_iter().map(landmark).collect();
        landmarks.sort_by(|a, b| a.time_s.median.total_cmp(&b.time_s.median));
        landmarks
    }

    fn name(&self, id: VSwitchId) -> String {
        self.model.vpc.vswitches[id.index()].id.clone()
    }
}

/// Upper ends of the classes of waits.
const WAIT_CLASSES: [(Span, Phrase); 9] = [
    (Span::secs(1), phrase!("under 1 s")),
    (Span::secs(3), phrase!("1 to 3 s")),
    (Span::secs(10), phrase!("3 to 10 s")),
    (Span::secs(30), phrase!("10 to 30 s")),
    (Span::mins(2), phrase!("30 s to 2 min")),
    (Span::mins(10), phrase!("2 to 10 min")),
    (Span::hours(1), phrase!("10 min to 1 h")),
    (Span::hours(24), phrase!("1 to 24 h")),
    (Span(u64::MAX), phrase!("over 24 h")),
];

const HOUR_SECS: f64 = 3600.0;

/// Later than every record.
const NEVER: Instant = Instant::NEVER;

pub(super) fn millis(ms: u64) -> f64 {
    Span::millis(ms).as_secs_f64()
}

/// Something about the times without a node, in s; none if no pod had to wait for one and got it.
fn unschedulable(pods: &PodRecord, ms: fn(&Histogram<u64>) -> u64) -> Option<f64> {
    let waits = &pods.unschedulable_ms;
    (!waits.is_empty()).then(|| millis(ms(waits)))
}

pub(super) fn never_served(pods: &PodRecord) -> u64 {
    pods.gave_up + u64::from(pods.waiting_at_end)
}

/// The `q` quantile of the wait of all pods that asked, in s, after Kaplan and Meier ("Nonparametric
/// estimation from incomplete observations", 1958): of those that were never served it is known that they
/// waited at least so long. Infinite where so many were never served that it is not reached.
pub(super) fn wait_quantile(pods: &PodRecord, q: f64) -> Option<f64> {
    let mut waiting = pods.wait_ms.len() + pods.unserved_ms.len();
    if waiting == 0 {
        return None;
    }
    let mut gone =
        pods.unserved_ms.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).peekable();
    // The share that waits longer, and what it may be but for rounding.
    let (mut longer, enough) = (1.0, 1.0 - q + 1e-9);
    for step in pods.wait_ms.iter_recorded() {
        while let Some((_, pods)) = gone.next_if(|&(wait, _)| wait < step.value_iterated_to()) {
            waiting -= pods;
        }
        longer *= 1.0 - step.count_at_value() as f64 / waiting as f64;
        waiting -= step.count_at_value();
        if longer <= enough {
            return Some(millis(step.value_iterated_to()));
        }
    }
    Some(f64::INFINITY)
}

/// The longest wait, whether it ended or not, in s.
pub(super) fn longest_wait(pods: &PodRecord) -> Option<f64> {
    let asked = pods.wait_ms.len() + pods.unserved_ms.len();
    (asked > 0).then(|| pods.longest_wait.as_secs_f64())
}

fn stranded_text(reason: StrandedReason, model: &Model) -> Text {
    match reason {
        StrandedReason::NoFreeEniSlot => {
            text!(
                "the nodes whose pods wait have no free ENI slot, and none of their ENIs with room is on this vSwitch"
            )
        }
        StrandedReason::BatchTooLarge => {
            text!("a request asks for up to 10 addresses and fails whole, and fewer are free")
        }
        StrandedReason::NoBlock => {
            text!(
                "nodes in prefix mode take whole /28 blocks, and none is left: what is free lies in blocks that others use in \
                 part, or outside the reservations (rule C131)"
            )
        }
        StrandedReason::TooFewBlocks => {
            text!(
                "a node in prefix mode asks for all the /28 blocks that it lacks at once, and is refused as long as fewer are \
                 free (rules C127, C132)"
            )
        }
        StrandedReason::Blocked => text!("nodes leave the vSwitch alone for 10 minutes after each refusal"),
        StrandedReason::Quota => text!("a quota has no room for one more address"),
        StrandedReason::TakenForEmpty => {
            text!("the control plane takes the vSwitch for empty for {} after each refusal", model.vswitch_ttl())
        }
        StrandedReason::NotConfigured => {
            text!(
                "no pod that waits may use this vSwitch: neither its PodNetworking nor, if it has none, the eni-config of its \
                 node lists it for its zone"
            )
        }
    }
}

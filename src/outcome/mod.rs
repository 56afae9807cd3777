//! What the recordings of a run mean: measures with their definitions, estimates with their
//! intervals, and the verdict.

mod account;
mod cause;
mod clock;
mod estimate;
mod gather;
mod measure;
mod moment;
mod precision;
mod prefixes;
mod quantiles;
mod reading;
mod risk;
mod runbook;
mod tell;
mod verdict;
mod warmup;
mod words;

pub use account::{Account, account_text, counting_text};
pub use cause::cause_text;
pub use clock::Clock;
pub use estimate::{CONFIDENCE, Estimate, Interval, Proportion, student};
pub use measure::{Kind, MEASURES, Measure, measure};
pub use precision::{PrecisionSummary, precision};
pub use prefixes::{PrefixSummary, prefixes_text};
pub use quantiles::Quantiles;
pub use reading::value;
pub use risk::{ANY, FullBy, Risk};
pub use runbook::{ActionSummary, ReachSummary, no_way_out_text};
pub use tell::{Told, had, holders_text, tell};
pub use verdict::Verdict;
pub use warmup::{Steadiness, means_text, warm_up_text};
pub use words::{
    FEW_RUNS, count, in_parentheses, is_one, plus_minus, pods, range_of_spans, span, unit_text, whole_percents,
};

use serde::Serialize;

use crate::model::Model;
use crate::record::{Holders, IdleParts, Recording};
use crate::text::{Phrase, Text};

/// What a run says. Every number is an [`Estimate`] or a [`Proportion`] over the replications and
/// stands in [`MEASURES`] under its path in this value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The answer.
    pub verdict: Verdict,
    /// Name of the scenario.
    pub name: String,
    /// The question that the scenario asks.
    pub question: String,
    /// How the numbers were made.
    pub method: Method,
    /// Per vSwitch: those of pods first, each kind in the order of filling, then of the scenario.
    pub vswitches: Vec<VSwitchSummary>,
    /// How probable it is that a vSwitch of pods is full by a date: each in the order of
    /// `vswitches`, then any of them.
    pub risk: Vec<Risk>,
    /// What kept pods from their address or from a node; what bound first in most runs leads.
    pub limits: Vec<Limit>,
    /// Pods of the whole cluster.
    pub pods: PodSummary,
    /// What counting pods says, beside what the simulation says.
    pub counting: CountingSummary,
    /// Per node pool, instance type and zone, in the order of the scenario.
    pub pools: Vec<PoolSummary>,
    /// Per zone with nodes, in alphabetical order.
    pub zones: Vec<ZoneSummary>,
    /// Largest difference in pods between two zones; none with one zone.
    pub most_zone_skew: Option<Estimate>,
    /// Addresses that are free at the end though pods wait.
    pub stranded: Vec<StrandedSummary>,
    /// Defects of Terway that struck, in the order of their first strike.
    pub defects: Vec<DefectSummary>,
    /// Nodes that wait for their trunks, by cause, in the order in which the first of them began to.
    pub trunkless: Vec<TrunklessSummary>,
    /// The exact messages that users see.
    pub messages: Vec<Message>,
    /// Calls per action of the OpenAPI.
    pub api_calls: Vec<ApiSummary>,
    /// What came of the actions, in the order of the scenario.
    pub actions: Vec<ActionSummary>,
    /// What happened, in order of time.
    pub landmarks: Vec<Landmark>,
    /// Events that the simulation processed.
    pub events: Estimate,
    /// Pods created plus pods ended.
    pub pod_events: Estimate,
    /// Every reading over the runs; `quantiles.csv` has them.
    #[serde(skip)]
    pub quantiles: Vec<Quantiles>,
    /// The definitions of all measures.
    pub measures: &'static [Measure],
}

/// How the numbers of a summary were made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Method {
    /// Independent runs.
    pub replications: usize,
    /// Seed of all chance.
    pub seed: u64,
    /// Version of the program.
    pub version: &'static str,
    /// Simulated time and calendar.
    #[serde(flatten)]
    pub clock: Clock,
    /// How intervals and quantiles were made, in words.
    pub intervals: Text,
    /// How precise the runs are, if the scenario asks for a precision.
    pub precision: Option<PrecisionSummary>,
}

/// What is said of a vSwitch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VSwitchSummary {
    /// Its ID.
    pub id: String,
    /// Its zone.
    pub zone: String,
    /// Its address range.
    pub cidr: String,
    /// Length of the prefix of its address range.
    #[serde(skip)]
    pub prefix: u8,
    /// Usable addresses.
    pub usable: u32,
    /// Whether pods take addresses of it (otherwise only nodes, or nobody).
    pub serves_pods: bool,
    /// Whether its addresses reach the internet.
    pub snat: bool,
    /// Runs in which it is full.
    pub full: Proportion,
    /// Runs in which it is full before every other.
    pub full_first: Proportion,
    /// When it is full.
    pub time_to_full_s: Option<Estimate>,
    /// Who holds its addresses at that moment, as shares of the usable ones.
    pub at_full_share: Option<Holders<Estimate>>,
    /// Who holds its addresses at that moment, address by address.
    pub at_full: Option<AtFull>,
    /// When not one address is free.
    pub time_to_empty_s: Option<Estimate>,
    /// Refused requests.
    pub refusals: Estimate,
    /// Pods that got an address of it.
    pub served: Estimate,
    /// Who holds its addresses, as means over time.
    pub mean: Holders<Estimate>,
    /// Whether these means are those of a steady state; none if pods take no addresses of it, it
    /// is full in most runs, an action adds it, or the timeline is too short to tell.
    pub steady: Option<Steadiness>,
    /// Who holds its addresses at the end.
    pub end: Holders<Estimate>,
    /// Fewest free addresses.
    pub least_free: Estimate,
    /// Its free /28 blocks; none if no prefixes come from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefixes: Option<PrefixSummary>,
}

/// A vSwitch at the moment at which it is first full, over the runs in which it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtFull {
    /// Who holds its addresses; they add up to the usable ones.
    pub addresses: Holders<Estimate>,
    /// What its idle addresses are about; they add up to these.
    pub idle: IdleParts<Estimate>,
    /// Its other tenants; they add up to the addresses of others.
    pub tenants: Vec<TenantSummary>,
    /// Addresses that calls under way ask for, the refused one among them.
    pub asked: Estimate,
    /// What happened shortly before, if it is the same in most of these runs.
    pub after: Option<After>,
}

/// What happened shortly before a vSwitch was full: the latest rollout, replacement, outage or
/// large Job that began at most an hour before and is not over, or an outage that lasts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct After {
    /// Its kind, as in [`Landmark::kind`], or `job`.
    pub kind: &'static str,
    /// In words: `the rollout of web began`.
    pub text: Text,
    /// Runs in which it was this.
    pub happened: Proportion,
    /// How long before it was.
    pub later_s: Estimate,
}

/// What is said of another tenant of a vSwitch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantSummary {
    /// Its name.
    pub name: String,
    /// Addresses that it has.
    pub addresses: Estimate,
}

/// Pods counted against addresses, as if every usable address could serve one, beside the
/// simulation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CountingSummary {
    /// vSwitches that serve pods.
    pub vswitches: usize,
    /// Their usable addresses, of all of them.
    pub usable: u32,
    /// An action adds one of them, so that there are fewer before.
    pub grows: bool,
    /// Most pods that wanted an address at once.
    pub most_wanted: Estimate,
    /// Runs in which they exceed the usable addresses.
    pub full: Proportion,
    /// When they do.
    pub time_to_full_s: Option<Estimate>,
    /// Runs in which a vSwitch that serves pods is full.
    pub simulated_full: Proportion,
    /// When the first one is.
    pub simulated_time_to_full_s: Option<Estimate>,
    /// How much earlier that is than counting says, over the runs in which both happen; negative =
    /// later.
    pub simulated_earlier_s: Option<Estimate>,
}

/// What is said of a zone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ZoneSummary {
    /// The zone.
    pub zone: String,
    /// Nodes at the end.
    pub nodes: Estimate,
    /// Most nodes.
    pub most_nodes: Estimate,
    /// Pods on its nodes at the end.
    pub pods: Estimate,
    /// Most pods on its nodes.
    pub most_pods: Estimate,
}

/// Something that kept pods from their address or from a node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// A short stable word: `vswitch`, `prefixes`, `node_capacity`, `node_prefixes`, `eni_slots`, `addresses_per_eni`, `peeked`,
    /// `max_pods`, `member_enis`, `exclusive_enis`, `rdma`, `no_node`, `cpu`, `memory`, `zone_spread`, `anti_affinity`, `pool_max`, `quota`,
    /// `api`, `outage`, `slow_api`.
    pub kind: &'static str,
    /// In words.
    pub text: Text,
    /// Runs in which it bound.
    pub bound: Proportion,
    /// Runs in which it bound before every other.
    pub bound_first: Proportion,
    /// When it first bound.
    pub time_to_bind_s: Estimate,
}

/// What is said of pods that want an address of their own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PodSummary {
    /// Pods that asked for an address.
    pub requested: Estimate,
    /// Pods that got one.
    pub served: Estimate,
    /// Pods that did not get one before they ended or the run did.
    pub never_served: Estimate,
    /// Pods that wait at the end.
    pub waiting_at_end: Estimate,
    /// Most pods that waited at once.
    pub most_waiting: Estimate,
    /// When they first did; none if no pod ever waited.
    pub most_waiting_s: Option<Estimate>,
    /// Median wait.
    pub wait_p50_s: Option<Estimate>,
    /// 99th percentile of the wait.
    pub wait_p99_s: Option<Estimate>,
    /// Longest wait, whether it ended with an address or not.
    pub wait_longest_s: Option<Estimate>,
    /// Pods by the length of their wait.
    pub waits: Vec<WaitClass>,
    /// Jobs that failed, since more of their pods were deleted than they bear.
    pub failed_jobs: Estimate,
    /// Pods that find no node at the end.
    pub unschedulable_at_end: Estimate,
    /// Most pods that found no node at once.
    pub most_unschedulable: Estimate,
    /// Time that pods were without a node, all together, in pod-hours.
    pub unschedulable_pod_h: Estimate,
    /// Most of them at once for which no node is on its way.
    pub most_stuck: Estimate,
    /// Median time without a node of the pods that had to wait for one and got it.
    pub unschedulable_p50_s: Option<Estimate>,
    /// Longest time of theirs.
    pub unschedulable_longest_s: Option<Estimate>,
    /// Pods that found no node, by reason.
    pub unschedulable_by: Vec<UnschedulableSummary>,
    /// Time that pods waited for an address, all together, in pod-hours.
    pub waiting_pod_h: Estimate,
}

/// Pods that found no node for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnschedulableSummary {
    /// A short stable word, as in [`Limit::kind`].
    pub kind: &'static str,
    /// In words.
    pub text: Text,
    /// Pods.
    pub pods: Estimate,
    /// Those of them without a node at the end.
    pub at_end: Estimate,
}

/// Pods whose wait has about the same length.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitClass {
    /// The waits of the class, such as `1 to 3 s` or `never served`.
    pub label: Phrase,
    /// Pods.
    pub pods: Estimate,
}

/// What is said of a node pool's nodes of one type in one zone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolSummary {
    /// Name of the pool.
    pub pool: String,
    /// The zone.
    pub zone: String,
    /// Instance type.
    pub instance_type: String,
    /// Most pods with an address of their own on a node.
    pub max_pods: u32,
    /// Whether the autoscaler decides how many nodes there are.
    pub autoscaled: bool,
    /// Nodes at the end.
    pub nodes: Estimate,
    /// Secondary interfaces at the end.
    pub enis: Estimate,
    /// Pods with an address at the end.
    pub running: Estimate,
    /// Pods that wait for an address at the end.
    pub waiting: Estimate,
    /// Pods that were told to end and hold their address, at the end.
    pub terminating: Estimate,
    /// Most pods that waited at once.
    pub most_waiting: Estimate,
    /// Failed attempts of nodes to join for lack of a primary address.
    pub nodes_refused: Estimate,
}

/// Free addresses that no waiting pod can get.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrandedSummary {
    /// The vSwitch.
    pub vswitch: String,
    /// Why nobody can use them, as a sentence.
    pub reason: Text,
    /// Runs in which there are any.
    pub found: Proportion,
    /// How many.
    pub addresses: Estimate,
}

/// A defect of a Terway of before v1.7 that struck.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DefectSummary {
    /// A short stable word: its key in `terway.defects`.
    pub kind: &'static str,
    /// Which.
    pub text: Phrase,
    /// Runs in which it strikes.
    pub struck: Proportion,
    /// When it first does, in s, over these runs.
    pub first_s: Estimate,
    /// How often it strikes, over these runs.
    pub times: Estimate,
    /// Nodes that it strikes, over these runs.
    pub nodes: Estimate,
}

/// Nodes on which Terway starts again and again, since it has no trunk (rules R36, C143): those that join are not
/// ready meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrunklessSummary {
    /// Why, in a short stable word, as in [`Limit::kind`], or `unknown`.
    pub kind: &'static str,
    /// Why, in words.
    pub text: Text,
    /// Runs in which there are any.
    pub happened: Proportion,
    /// When the first of them began to wait, over these runs.
    pub first_s: Estimate,
    /// How many waited, over these runs.
    pub nodes: Estimate,
    /// How many of them wait at the end, over these runs.
    pub at_end: Estimate,
}

/// A message as users see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// Where they see it.
    pub place: Phrase,
    /// Its text.
    pub text: String,
    /// How often it was given, where that is counted.
    pub times: Option<Estimate>,
}

/// Calls of one action of the OpenAPI.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApiSummary {
    /// The action.
    pub action: &'static str,
    /// Answered calls, the refused ones among them.
    pub calls: Estimate,
    /// Refused calls by error code.
    pub refused: Vec<Refusals>,
}

/// Refused calls with one error code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refusals {
    /// The code.
    pub code: &'static str,
    /// Calls.
    pub calls: Estimate,
}

/// Something that happened in the runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Landmark {
    /// Kind, a short stable word.
    pub kind: &'static str,
    /// What it happened to.
    pub subject: String,
    /// In words.
    pub text: Text,
    /// Runs in which it happened.
    pub happened: Proportion,
    /// When it first happened.
    pub time_s: Estimate,
    /// How often it happened.
    pub times: Estimate,
    /// When it happened for the first, the second, the third time, ...: medians, in s.
    #[serde(skip)]
    pub times_s: Vec<f64>,
}

/// Says what `recordings` of `model` mean.
///
/// # Panics
/// If there is no recording.
#[must_use]
pub fn summarize(model: &Model, recordings: &[Recording]) -> Summary {
    assert!(!recordings.is_empty(), "a run has at least one replication");
    gather::summary(model, recordings)
}

#[cfg(test)]
mod tests;

//! The table of measures: what each number of a summary is.

use serde::Serialize;

/// A measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// Its path in `summary.json`, without the positions in lists; `*` stands for each of
    /// `pods`, `idle`, `leaked`, `primaries`, `others` and `free`, or of `eni_primaries`, `pooled`,
    /// `leaving`, `coming` and `unknown`.
    pub name: &'static str,
    /// Its heading in tables.
    pub label: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// What it is.
    pub definition: &'static str,
}

/// Kinds of measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A level, as its mean over time from the end of the warm-up to the end of the run.
    Level,
    /// A level at one moment, or its largest or smallest value.
    Moment,
    /// A count over the whole run.
    Tally,
    /// A time; its headline is the median over the runs, with the 5 to 95 % quantiles.
    Time,
    /// Runs in which something happened; as a probability.
    Probability,
}

/// The measure with this name.
#[must_use]
pub fn measure(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.name == name)
}

const fn of(
    name: &'static str,
    label: &'static str,
    unit: &'static str,
    kind: Kind,
    definition: &'static str,
) -> Measure {
    Measure { name, label, unit, kind, definition }
}

/// Every measure. A point in time counts from the start of the run: day 1 is the first 24 hours,
/// so day 41 begins 40 days after the start.
#[rustfmt::skip]
pub const MEASURES: &[Measure] = &[
    of("vswitches.full", "full in", "runs", Kind::Probability,
        "Runs in which the vSwitch is full: it refuses a request, or a daemon that wants addresses finds it without one."),
    of("vswitches.full_first", "full first in", "runs", Kind::Probability,
        "Runs in which the vSwitch is full before every other."),
    of("vswitches.time_to_full_s", "full", "s", Kind::Time,
        "Time from the start until the vSwitch is full, over the runs in which it is. Requests for several addresses fail whole, so some may be free at that moment."),
    of("vswitches.at_full_share.*", "share when full", "share of usable addresses", Kind::Moment,
        "Who holds the usable addresses when the vSwitch is first full: pods, idle in node pools, leaked (on ENIs that no daemon knows), primary addresses of nodes, other tenants, nobody; over the runs in which it is."),
    of("vswitches.at_full.addresses.*", "addresses when full", "addresses", Kind::Moment,
        "Who holds the usable addresses when the vSwitch is first full, over the runs in which it is. The parts add up to the usable addresses."),
    of("vswitches.at_full.idle.*", "idle when full", "addresses", Kind::Moment,
        "What the idle addresses are about then: primary addresses of serving ENIs, which cannot be given back; others in the pools of nodes; on their way back; being attached; unknown to a daemon that restarted. The parts add up to the idle addresses."),
    of("vswitches.at_full.tenants.addresses", "tenant when full", "addresses", Kind::Moment,
        "Addresses of one of the other tenants then."),
    of("vswitches.at_full.asked", "asked for when full", "addresses", Kind::Moment,
        "Addresses that calls under way ask for then, the refused call among them."),
    of("vswitches.at_full.after.happened", "what came before, in", "runs", Kind::Probability,
        "Runs in which this was the latest rollout, replacement of nodes, outage of a zone or large Job (a twentieth of the addresses and more) that began within the hour before the vSwitch was first full, or an outage that lasted."),
    of("vswitches.at_full.after.later_s", "full after", "s", Kind::Time,
        "How long after that the vSwitch was first full, over these runs."),
    of("vswitches.time_to_empty_s", "no address free", "s", Kind::Time,
        "Time from the start until not one address is free, over the runs in which that happens."),
    of("vswitches.refusals", "refusals", "requests", Kind::Tally,
        "Requests that the vSwitch refused for lack of addresses, look-ups that found it without one, and nodes that got no primary address."),
    of("vswitches.mean.*", "mean over time", "addresses", Kind::Level,
        "Addresses that serve pods, sit idle on ENIs of nodes, are leaked (on ENIs that no daemon knows), are primary addresses of nodes, belong to other tenants, are free."),
    of("vswitches.end.*", "at the end", "addresses", Kind::Moment,
        "The same at the end of the run."),
    of("vswitches.least_free", "least free", "addresses", Kind::Moment,
        "Fewest free addresses at any moment after the warm-up."),
    of("limits.bound", "bound in", "runs", Kind::Probability,
        "Runs in which this limit kept a pod from its address or from a node, or a node from joining."),
    of("limits.bound_first", "bound first in", "runs", Kind::Probability,
        "Runs in which this limit did so before every other."),
    of("limits.time_to_bind_s", "from", "s", Kind::Time,
        "Time from the start until it first did, over the runs in which it does."),
    of("pods.requested", "asked", "pods", Kind::Tally,
        "Pods that were placed on a node and asked for an address of their own."),
    of("pods.served", "served", "pods", Kind::Tally,
        "Pods that got their address."),
    of("pods.never_served", "never served", "pods", Kind::Tally,
        "Pods that had no address when they were deleted or when the run ended."),
    of("pods.waiting_at_end", "waiting at the end", "pods", Kind::Moment,
        "Pods on a node without an address (ContainerCreating) at the end of the run."),
    of("pods.most_waiting", "most waiting", "pods", Kind::Moment,
        "Most pods on a node without an address at any moment."),
    of("pods.most_waiting_s", "when most waited", "s", Kind::Time,
        "Time from the start until so many pods were on a node without an address for the first time."),
    of("pods.wait_p50_s", "wait p50", "s", Kind::Time,
        "Median, over all pods that asked, of the time from being placed on a node to getting an address. Pods that are never served count as longer than all others; if the quantile falls on them it is `never` (null)."),
    of("pods.wait_p99_s", "wait p99", "s", Kind::Time,
        "The same for the 99th percentile."),
    of("pods.wait_longest_s", "longest wait", "s", Kind::Time,
        "Longest wait that ended with an address."),
    of("pods.waits.pods", "pods by wait", "pods", Kind::Tally,
        "Pods whose wait is in this class."),
    of("pods.unschedulable_at_end", "without a node at the end", "pods", Kind::Moment,
        "Pods for which no node has room (Pending) at the end of the run; they have not asked for an address."),
    of("pods.most_unschedulable", "most without a node", "pods", Kind::Moment,
        "Most pods for which no node had room at any moment."),
    of("pods.unschedulable_pod_h", "pod-hours without a node", "pod-hours", Kind::Tally,
        "Time that pods were without a node, summed over the pods and the whole run."),
    of("pods.unschedulable_p50_s", "without a node p50", "s", Kind::Time,
        "Median time without a node, of the pods that found none at first and got one later."),
    of("pods.unschedulable_longest_s", "longest without a node", "s", Kind::Time,
        "Longest time without a node that ended with one."),
    of("pods.unschedulable_by.pods", "pods without a node", "pods", Kind::Tally,
        "Pods that came to be without a node for this reason."),
    of("pods.waiting_pod_h", "pod-hours of waiting", "pod-hours", Kind::Tally,
        "Time that pods were on a node without an address, summed over the pods and the whole run."),
    of("counting.most_wanted", "most wanted", "pods", Kind::Moment,
        "Most pods that wanted an address of their own at once, with or without a node; those that end count for as long as they hold theirs."),
    of("counting.full", "counted full in", "runs", Kind::Probability,
        "Runs in which these pods exceed the usable addresses of all vSwitches that serve pods: what counting would call full."),
    of("counting.time_to_full_s", "counted full", "s", Kind::Time,
        "Time from the start until they first do, over the runs in which they do."),
    of("counting.simulated_full", "simulated full in", "runs", Kind::Probability,
        "Runs in which a vSwitch that serves pods is full."),
    of("counting.simulated_time_to_full_s", "simulated full", "s", Kind::Time,
        "Time from the start until the first of them is full, over the runs in which one is."),
    of("counting.simulated_earlier_s", "earlier by", "s", Kind::Time,
        "How much earlier the simulation is full than counting, run by run, over the runs in which both are; negative = later."),
    of("zones.nodes", "nodes", "nodes", Kind::Moment,
        "Nodes in the zone at the end of the run."),
    of("zones.most_nodes", "most nodes", "nodes", Kind::Moment,
        "Most nodes in the zone, over the rows of the timeline."),
    of("zones.pods", "pods", "pods", Kind::Moment,
        "Pods on nodes of the zone at the end of the run: running, waiting for an address, or terminating."),
    of("zones.most_pods", "most pods", "pods", Kind::Moment,
        "Most pods on nodes of the zone, over the rows of the timeline."),
    of("most_zone_skew", "largest skew", "pods", Kind::Moment,
        "Largest difference between the zone with most and the zone with fewest pods, over the rows of the timeline."),
    of("pools.nodes", "nodes", "nodes", Kind::Moment,
        "Nodes of the pool of the type in the zone at the end of the run."),
    of("pools.enis", "ENIs", "interfaces", Kind::Moment,
        "Secondary interfaces of its nodes at the end of the run."),
    of("pools.running", "running", "pods", Kind::Moment,
        "Pods with an address on its nodes at the end of the run, without those that were told to end."),
    of("pools.waiting", "waiting", "pods", Kind::Moment,
        "Pods without an address on its nodes at the end of the run."),
    of("pools.terminating", "terminating", "pods", Kind::Moment,
        "Pods on its nodes that were told to end and still hold their address at the end of the run."),
    of("pools.most_waiting", "most waiting", "pods", Kind::Moment,
        "Most pods without an address on its nodes at any moment."),
    of("pools.nodes_refused", "joins refused", "attempts", Kind::Tally,
        "Failed attempts of nodes to join for lack of a primary address; a node tries again."),
    of("stranded.found", "found in", "runs", Kind::Probability,
        "Runs that end with such addresses."),
    of("stranded.addresses", "stranded", "addresses", Kind::Moment,
        "Addresses that are free at the end of the run though pods wait, and that no waiting pod can get; over all runs."),
    of("messages.times", "times", "messages", Kind::Tally,
        "How often the message was given."),
    of("api_calls.calls", "calls", "calls", Kind::Tally,
        "Answered calls of the action, the refused ones among them."),
    of("api_calls.refused.calls", "refused", "calls", Kind::Tally,
        "Calls refused with this error code."),
    of("landmarks.happened", "happened in", "runs", Kind::Probability,
        "Runs in which it happened."),
    of("landmarks.time_s", "when", "s", Kind::Time,
        "Time from the start until it first happened, over the runs in which it does."),
    of("landmarks.times", "times", "times", Kind::Tally,
        "How often it happened, over the runs in which it does."),
    of("events", "events", "events", Kind::Tally,
        "Events that the simulation processed."),
    of("pod_events", "pod events", "events", Kind::Tally,
        "Pods created plus pods ended."),
];

//! What is to be simulated: complete and valid. Nothing here is optional because "the file may
//! lack it"; [`crate::scenario`] fills defaults and refuses what cannot be.

use ipnet::Ipv4Net;

use crate::chance::SpanDist;
use crate::id::VSwitchId;
use crate::ipam::limits::InstanceLimits;
use crate::ipam::node_local::Config as DaemonConfig;
use crate::openapi::Api;
use crate::time::{Instant, Span};

/// A complete, valid model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Name of the scenario; also the name of its folder under `output/`.
    pub name: String,
    /// The question that the scenario asks: the first comment of its file.
    pub question: String,
    /// Simulated time to cover.
    pub horizon: Span,
    /// Start of the time that counts for time-weighted measures.
    pub warm_up: Span,
    /// Calendar date of time zero, if times are to be printed as dates too.
    pub start: Option<jiff::civil::Date>,
    /// Seed of all chance.
    pub seed: u64,
    /// Independent runs; at least 1.
    pub replications: u32,
    /// VPC and vSwitches.
    pub vpc: Vpc,
    /// Node pools.
    pub node_pools: Vec<NodePool>,
    /// Workloads.
    pub workloads: Vec<Workload>,
    /// Behaviour of the cloud.
    pub cloud: Cloud,
    /// Behaviour of the kubelet.
    pub kubelet: Kubelet,
    /// What to write besides the answer.
    pub outputs: Outputs,
}

/// The network.
#[derive(Debug, Clone, PartialEq)]
pub struct Vpc {
    /// Address range of the VPC.
    pub cidr: Ipv4Net,
    /// Its vSwitches; a [`VSwitchId`] is a position in this list.
    pub vswitches: Vec<VSwitch>,
}

/// A vSwitch.
#[derive(Debug, Clone, PartialEq)]
pub struct VSwitch {
    /// Its ID, such as `vsw-AAA`.
    pub id: String,
    /// Its zone, such as `cn-shanghai-f`.
    pub zone: String,
    /// Its address range; prefix 16 to 29.
    pub cidr: Ipv4Net,
    /// Addresses taken by other tenants over time.
    pub used: Schedule,
}

/// A number that changes over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// From `from` to `to` in a straight line over `over`, then `to`.
    Linear {
        /// Value at the start.
        from: f64,
        /// Value at the end.
        to: f64,
        /// How long the way takes.
        over: Span,
    },
    /// `from` × (1 + `rate`)^(t / `per`), at most `limit`.
    Exponential {
        /// Value at the start.
        from: f64,
        /// Growth per `per`: 0.12 is 12 %.
        rate: f64,
        /// The span over which the value grows by `rate`.
        per: Span,
        /// Upper bound (infinite if none was given).
        limit: f64,
    },
    /// The S-curve `from` + (`to` − `from`) / (1 + exp(−(t − midpoint) / scale)).
    Logistic {
        /// Value long before.
        from: f64,
        /// Value long after.
        to: f64,
        /// When the value is half-way.
        midpoint: Span,
        /// A fifth of the time that the middle 85 % of the way takes.
        scale: Span,
    },
    /// Jumps to each value at its time; the first entry is at time zero.
    Steps(Vec<(Instant, f64)>),
    /// Straight lines between the points; constant before the first and after the last.
    Points(Vec<(Instant, f64)>),
}

/// Nodes of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct NodePool {
    /// Its name.
    pub name: String,
    /// Instance type, such as `ecs.g7.2xlarge`.
    pub instance_type: String,
    /// Limits of that type.
    pub limits: InstanceLimits,
    /// Zones with the vSwitch that the primary interface takes its address from; new nodes go
    /// to the zones in turn. Never empty.
    pub zones: Vec<PoolZone>,
    /// Wanted number of nodes.
    pub nodes: Schedule,
    /// Most pods with an address of their own that the scheduler places on a node.
    pub max_pods: u32,
}

/// A zone of a node pool.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolZone {
    /// The zone.
    pub zone: String,
    /// vSwitch of the nodes' primary interfaces.
    pub node_vswitch: VSwitchId,
    /// The daemon's configuration on nodes of this pool in this zone; it holds the zone's
    /// candidate vSwitches.
    pub daemon: DaemonConfig,
}

/// Pods of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// What controls the pods.
    pub kind: WorkloadKind,
    /// Life of a pod from getting its address to its end, after which the controller makes a
    /// new one; `None` = it lives on.
    pub lifetime: Option<SpanDist>,
    /// Whether the pods use the node's address and so none of the vSwitch's.
    pub host_network: bool,
    /// Node pools that its pods may run on (positions in [`Model::node_pools`]); never empty.
    pub node_pools: Vec<usize>,
}

/// The controllers of pods.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkloadKind {
    /// Interchangeable pods.
    Deployment {
        /// Wanted number of pods.
        replicas: Schedule,
    },
    /// Pods with a stable identity, whose address Terway retains for a while after their end.
    StatefulSet {
        /// Wanted number of pods.
        replicas: Schedule,
    },
    /// One pod on every node.
    DaemonSet,
}

/// How the cloud behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud {
    /// Time from call to answer, per action in the order of [`Api::ALL`]; the effect happens at
    /// the answer.
    pub latency: [SpanDist; Api::ALL.len()],
    /// Most calls per account and minute, per action in the order of [`Api::ALL`]; more are
    /// refused with `Throttling`.
    pub throttle: [Option<u32>; Api::ALL.len()],
    /// Time from a call's effect until instance metadata shows it.
    pub metadata_lag: Span,
    /// Quotas.
    pub quotas: Quotas,
}

/// Quotas of the account; those without a documented value are off unless set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quotas {
    /// Private addresses in the cluster's security group.
    pub security_group_addresses: Option<u64>,
    /// Private addresses in the VPC.
    pub vpc_addresses: Option<u64>,
    /// Elastic network interfaces in the region.
    pub enis_per_region: Option<u64>,
}

/// How the kubelet behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Kubelet {
    /// Pause between a failed sandbox and the next try.
    pub sandbox_retry: SpanDist,
}

/// What to write besides the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outputs {
    /// Rows of the timeline over the horizon.
    pub samples: u32,
    /// Whether to write `pods.csv`.
    pub pods: bool,
    /// Whether to write `events.csv`.
    pub events: bool,
}

impl Schedule {
    /// The value at `at`.
    #[must_use]
    pub fn value(&self, at: Instant) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Linear { from, to, over } => {
                let share = if over.0 == 0 { 1.0 } else { (at.0 as f64 / over.0 as f64).min(1.0) };
                from + (to - from) * share
            }
            Self::Exponential { from, rate, per, limit } => {
                (from * (1.0 + rate).powf(at.0 as f64 / per.0 as f64)).min(*limit)
            }
            Self::Logistic { from, to, midpoint, scale } => {
                let x = (at.0 as f64 - midpoint.0 as f64) / scale.0 as f64;
                from + (to - from) / (1.0 + (-x).exp())
            }
            Self::Steps(steps) => {
                let after = steps.partition_point(|(t, _)| *t <= at);
                steps[after.saturating_sub(1)].1
            }
            Self::Points(points) => {
                let after = points.partition_point(|(t, _)| *t <= at);
                match (after.checked_sub(1).map(|i| points[i]), points.get(after)) {
                    (None, Some(&(_, first))) => first,
                    (Some((_, last)), None) => last,
                    (Some((t0, v0)), Some(&(t1, v1))) => v0 + (v1 - v0) * (at.0 - t0.0) as f64 / (t1.0 - t0.0) as f64,
                    (None, None) => 0.0,
                }
            }
        }
    }

    /// The value at `at` as a count: rounded to the nearest whole number, never negative.
    #[must_use]
    pub fn count(&self, at: Instant) -> u32 {
        self.value(at).round().max(0.0) as u32
    }

    /// The first time after `at`, not later than `horizon`, at which [`Self::count`] differs
    /// from its value at `at`; found by bisection on each monotone piece.
    #[must_use]
    pub fn next_change(&self, at: Instant, horizon: Instant) -> Option<Instant> {
        let here = self.count(at);
        let mut from = at;
        loop {
            let to = self.piece_end(from).min(horizon);
            if self.count(to) != here {
                return Some(self.bisect(from, to, here));
            }
            if to >= horizon {
                return None;
            }
            from = to;
        }
    }

    /// The end of the monotone piece that follows `at`.
    fn piece_end(&self, at: Instant) -> Instant {
        let corners = match self {
            Self::Steps(points) | Self::Points(points) => points,
            _ => return Instant::NEVER,
        };
        corners.iter().map(|&(t, _)| t).find(|&t| t > at).unwrap_or(Instant::NEVER)
    }

    /// The first time in (from, to] at which the count is not `here`; the count at `to` is not.
    fn bisect(&self, from: Instant, to: Instant, here: u32) -> Instant {
        let (mut low, mut high) = (from.0, to.0);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.count(Instant(middle)) == here { low = middle } else { high = middle }
        }
        Instant(high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: u64) -> Instant {
        Instant::ZERO + Span::days(n)
    }

    #[test]
    fn a_linear_schedule_changes_at_every_half() {
        let schedule = Schedule::Linear { from: 10.0, to: 20.0, over: Span::days(10) };
        let first = schedule.next_change(Instant::ZERO, day(10)).expect("it grows");
        assert_eq!(first, Instant::ZERO + Span::hours(12));
        assert_eq!(schedule.count(first), 11);
        assert_eq!(schedule.count(day(99)), 20);
        assert_eq!(schedule.next_change(day(10), day(99)), None);
    }

    #[test]
    fn steps_jump_and_points_are_joined() {
        let steps = Schedule::Steps(vec![(day(0), 3.0), (day(2), 3.0), (day(5), 7.0)]);
        assert_eq!(steps.next_change(day(0), day(9)), Some(day(5)));
        assert_eq!(steps.count(day(4)), 3);
        let points = Schedule::Points(vec![(day(0), 0.0), (day(2), 4.0), (day(4), 0.0)]);
        assert_eq!(points.count(day(1)), 2);
        assert_eq!(points.value(day(3)), 2.0);
        assert_eq!(points.count(day(9)), 0);
    }

    #[test]
    fn growth_compounds_and_an_s_curve_is_half_way_at_its_midpoint() {
        let growth = Schedule::Exponential { from: 100.0, rate: 0.1, per: Span::days(30), limit: 120.0 };
        assert_eq!(growth.count(day(30)), 110);
        assert_eq!(growth.count(day(300)), 120);
        let curve = Schedule::Logistic { from: 0.0, to: 10.0, midpoint: Span::days(5), scale: Span::days(1) };
        assert_eq!(curve.value(day(5)), 5.0);
    }
}

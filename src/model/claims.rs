//! Numbers by name: levels that conditions look at while a run goes on, readings that it leaves
//! behind, and claims about these.

use crate::id::VSwitchId;
use crate::model::Model;
use crate::openapi::Api;
use crate::time::{Instant, Span};

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

/// Whose addresses, as [`crate::record::Holders`] has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Nobody's.
    Free,
    /// On an interface of a node without serving a pod.
    Idle,
    /// Serving pods.
    Pods,
    /// On an interface that no daemon knows.
    Leaked,
    /// Primary addresses of nodes.
    Primaries,
    /// Of other tenants.
    Others,
    /// On a detached interface that is kept for a pod with a fixed address.
    Held,
}

/// A level at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Addresses of a vSwitch.
    VSwitch(VSwitchId, Holder),
    /// Addresses of the vSwitch of pods that has fewest of them, if they are free, or most.
    AnyVSwitch(Holder),
    /// The same as a share of each one's usable addresses.
    AnyVSwitchShare(Holder),
    /// Pods that were placed on a node and have no address yet.
    WaitingPods,
    /// Pods that find no node.
    UnschedulablePods,
    /// Nodes of a pool.
    Nodes(usize),
}

/// A number that a run leaves behind. A time that never comes is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// Of a vSwitch.
    VSwitch(VSwitchId, VSwitchReading),
    /// Of the vSwitch of pods that is worst off: the least free, the first full, the most of
    /// everything else.
    AnyVSwitch(VSwitchReading),
    /// Of the vSwitches of pods together: [`VSwitchReading::Mean`], [`VSwitchReading::End`],
    /// [`VSwitchReading::Refusals`] and the same of prefixes add up.
    AllVSwitches(VSwitchReading),
    /// Of pods.
    Pods(PodReading),
    /// Pods that waited longer than `over` for an address, for the wait to be over that before
    /// `before`.
    WaitedOver {
        /// The wait.
        over: Span,
        /// Waits that pass `over` later do not count; [`Instant::NEVER`] = all count.
        before: Instant,
    },
    /// Answered calls of an action of the API, or of all.
    Calls(Option<Api>),
    /// Refused calls of an action of the API, or of all.
    RefusedCalls(Option<Api>),
    /// Nodes of a pool at the end, or of all.
    Nodes(Option<usize>),
    /// Secondary interfaces of a pool's nodes at the end, or of all.
    Enis(Option<usize>),
    /// Of an action, by its position in [`Model::actions`].
    Action(usize, ActionReading),
}

/// A number about a vSwitch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VSwitchReading {
    /// Fewest free addresses after the warm-up.
    LeastFree,
    /// The same as a share of the usable ones.
    LeastFreeShare,
    /// Addresses as a mean over time after the warm-up.
    Mean(Holder),
    /// Addresses at the end.
    End(Holder),
    /// Seconds from the start until it is full.
    TimeToFull,
    /// Refused requests.
    Refusals,
    /// Of prefixes, if any come from it.
    Prefixes(PrefixReading),
}

/// A number about the prefixes of a vSwitch: fragmented, it refuses them beside free addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixReading {
    /// Fewest free /28 blocks after the warm-up.
    LeastFreeBlocks,
    /// Free /28 blocks as a mean over time after the warm-up.
    MeanFreeBlocks,
    /// Free /28 blocks at the end.
    EndFreeBlocks,
    /// Addresses of prefixes on interfaces, as a mean over time after the warm-up.
    MeanAddresses,
    /// Addresses of prefixes on interfaces at the end.
    EndAddresses,
    /// Seconds from the start until it first refuses a prefix for lack of a free block.
    TimeToRefusal,
    /// Requests refused for lack of free blocks.
    Refusals,
}

/// A number about pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodReading {
    /// Pods that asked for an address.
    Requested,
    /// Pods that got one.
    Served,
    /// Pods that did not get one before they ended or the run did.
    NeverServed,
    /// Pods that wait for one at the end.
    WaitingAtEnd,
    /// Most pods that waited at once.
    MostWaiting,
    /// Pod-hours of waiting for an address.
    WaitingHours,
    /// Median wait for an address, in seconds; of pods that are never served it is known that they waited at least so long.
    WaitP50,
    /// 95th percentile.
    WaitP95,
    /// 99th percentile.
    WaitP99,
    /// Longest wait for an address, whether it ended or not, in seconds.
    WaitLongest,
    /// Pods that find no node at the end.
    UnschedulableAtEnd,
    /// Most pods that found no node at once.
    MostUnschedulable,
    /// Pod-hours without a node.
    UnschedulableHours,
    /// Jobs that failed.
    FailedJobs,
}

/// A number about an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionReading {
    /// Seconds from the start until it begins.
    Began,
    /// Seconds from its beginning until it is complete.
    Took,
    /// Pods that waited for an address when it began.
    Waiting,
    /// Of these, the ones that got one before the end.
    Relieved,
    /// Seconds from its beginning until none of these waits any more.
    Recovery,
}

/// A reading compared with a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The reading.
    pub reading: Reading,
    /// How it is compared.
    pub comparison: Comparison,
    /// With which number, in the reading's unit.
    pub than: f64,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// As it was written.
    pub text: String,
    /// About one run.
    pub statement: Statement,
    /// How probable the statement is to be: at most or at least a probability. `None` = it must
    /// hold in every run.
    pub probability: Option<(Bound, f64)>,
}

/// On which side of a number something must stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At most.
    AtMost,
    /// At least.
    AtLeast,
}

impl Comparison {
    /// Whether `a` compares to `b` like this.
    #[must_use]
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::Equal => a == b,
            Self::Unequal => a != b,
            Self::AtLeast => a >= b,
            Self::Greater => a > b,
        }
    }

    /// What holds exactly where this does not.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::Greater,
            Self::Equal => Self::Unequal,
            Self::Unequal => Self::Equal,
            Self::AtLeast => Self::Less,
            Self::Greater => Self::AtMost,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::AtLeast => ">=",
            Self::Greater => ">",
        }
    }
}

impl Claim {
    /// That what the claim says must not be, with the same text: in no run, or with a probability
    /// on the other side of the number.
    #[must_use]
    pub fn negated(self) -> Self {
        let Self { text, mut statement, mut probability } = self;
        match &mut probability {
            Some((bound, _)) => *bound = bound.other(),
            None => statement.comparison = statement.comparison.negated(),
        }
        Self { text, statement, probability }
    }
}

impl Bound {
    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::AtMost => Self::AtLeast,
            Self::AtLeast => Self::AtMost,
        }
    }
}

impl Reading {
    /// Its unit: `addresses`, `pods`, `s`, ...
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::VSwitch(_, reading) | Self::AnyVSwitch(reading) | Self::AllVSwitches(reading) => match reading {
                VSwitchReading::LeastFree | VSwitchReading::Mean(_) | VSwitchReading::End(_) => "addresses",
                VSwitchReading::LeastFreeShare => "share",
                VSwitchReading::TimeToFull => "s",
                VSwitchReading::Refusals => "requests",
                VSwitchReading::Prefixes(reading) => reading.unit(),
            },
            Self::Pods(reading) => match reading {
                PodReading::WaitP50 | PodReading::WaitP95 | PodReading::WaitP99 | PodReading::WaitLongest => "s",
                PodReading::WaitingHours | PodReading::UnschedulableHours => "pod-hours",
                PodReading::FailedJobs => "Jobs",
                _ => "pods",
            },
            Self::WaitedOver { .. } => "pods",
            Self::Calls(_) | Self::RefusedCalls(_) => "calls",
            Self::Nodes(_) => "nodes",
            Self::Enis(_) => "interfaces",
            Self::Action(_, reading) => match reading {
                ActionReading::Began | ActionReading::Took | ActionReading::Recovery => "s",
                ActionReading::Waiting | ActionReading::Relieved => "pods",
            },
        }
    }

    /// Whether it is a time since the start of the run, not how long something takes.
    #[must_use]
    pub fn is_point_in_time(&self) -> bool {
        match self {
            Self::VSwitch(_, of) | Self::AnyVSwitch(of) | Self::AllVSwitches(of) => of.may_be_never(),
            Self::Action(_, of) => *of == ActionReading::Began,
            _ => false,
        }
    }
}

impl Holder {
    /// Each with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("free", Self::Free),
        ("idle", Self::Idle),
        ("pods", Self::Pods),
        ("leaked", Self::Leaked),
        ("primaries", Self::Primaries),
        ("others", Self::Others),
        ("held", Self::Held),
    ];
}

impl PodReading {
    /// Each with its name.
    pub const ALL: [(&'static str, Self); 14] = [
        ("requested", Self::Requested),
        ("served", Self::Served),
        ("never_served", Self::NeverServed),
        ("waiting.end", Self::WaitingAtEnd),
        ("waiting.max", Self::MostWaiting),
        ("waiting.hours", Self::WaitingHours),
        ("wait.p50", Self::WaitP50),
        ("wait.p95", Self::WaitP95),
        ("wait.p99", Self::WaitP99),
        ("wait.longest", Self::WaitLongest),
        ("unschedulable.end", Self::UnschedulableAtEnd),
        ("unschedulable.max", Self::MostUnschedulable),
        ("unschedulable.hours", Self::UnschedulableHours),
        ("failed_jobs", Self::FailedJobs),
    ];
}

impl ActionReading {
    /// Each with its name.
    const ALL: [(&'static str, Self); 5] = [
        ("began", Self::Began),
        ("took", Self::Took),
        ("waiting", Self::Waiting),
        ("relieved", Self::Relieved),
        ("recovery", Self::Recovery),
    ];
}

impl PrefixReading {
    /// Each with its name.
    const ALL: [(&'static str, Self); 7] = [
        ("prefixes.free_blocks.min", Self::LeastFreeBlocks),
        ("prefixes.free_blocks.mean", Self::MeanFreeBlocks),
        ("prefixes.free_blocks.end", Self::EndFreeBlocks),
        ("prefixes.addresses.mean", Self::MeanAddresses),
        ("prefixes.addresses.end", Self::EndAddresses),
        ("prefixes.time_to_refusal", Self::TimeToRefusal),
        ("prefixes.refusals", Self::Refusals),
    ];

    fn unit(self) -> &'static str {
        match self {
            Self::LeastFreeBlocks | Self::MeanFreeBlocks | Self::EndFreeBlocks => "/28 blocks",
            Self::MeanAddresses | Self::EndAddresses => "addresses",
            Self::TimeToRefusal => "s",
            Self::Refusals => "requests",
        }
    }
}

impl VSwitchReading {
    /// Each with its name.
    fn named() -> impl Iterator<Item = (String, Self)> {
        let of_holder =
            |(name, holder)| [(format!("{name}.mean"), Self::Mean(holder)), (format!("{name}.end"), Self::End(holder))];
        let alone = [("free.min", Self::LeastFree), ("time_to_full", Self::TimeToFull)];
        let prefixes = PrefixReading::ALL.map(|(name, reading)| (name, Self::Prefixes(reading)));
        let named = |(name, reading): (&str, Self)| (name.to_owned(), reading);
        alone
            .into_iter()
            .map(named)
            .chain(Holder::ALL.into_iter().flat_map(of_holder))
            .chain([("refusals".to_owned(), Self::Refusals)])
            .chain(prefixes.into_iter().map(named))
    }

    /// Whether the vSwitch that has the least of it is worst off.
    #[must_use]
    pub fn is_worse_if_less(self) -> bool {
        use PrefixReading::{EndFreeBlocks, LeastFreeBlocks, MeanFreeBlocks, TimeToRefusal};
        match self {
            Self::LeastFree | Self::LeastFreeShare | Self::TimeToFull => true,
            Self::Mean(holder) | Self::End(holder) => holder == Holder::Free,
            Self::Refusals => false,
            Self::Prefixes(of) => matches!(of, LeastFreeBlocks | MeanFreeBlocks | EndFreeBlocks | TimeToRefusal),
        }
    }

    /// Whether it is a time that may never come.
    #[must_use]
    pub fn may_be_never(self) -> bool {
        matches!(self, Self::TimeToFull | Self::Prefixes(PrefixReading::TimeToRefusal))
    }

    /// Whether it is a mean over the time in which the vSwitch is there.
    #[must_use]
    pub fn is_mean(self) -> bool {
        use PrefixReading::{MeanAddresses, MeanFreeBlocks};
        matches!(self, Self::Mean(_) | Self::Prefixes(MeanAddresses | MeanFreeBlocks))
    }

    /// Whether it adds up over vSwitches.
    fn is_additive(self) -> bool {
        let is_least =
            matches!(self, Self::LeastFree | Self::LeastFreeShare | Self::Prefixes(PrefixReading::LeastFreeBlocks));
        !is_least && !self.may_be_never()
    }
}

impl Model {
    /// Every level of the model with its name, such as `vsw-AAA.free` and `pods.waiting`.
    #[must_use]
    pub fn levels(&self) -> Vec<(String, Level)> {
        let of_vswitch = self.vpc.vswitches.iter().enumerate().flat_map(|(i, vswitch)| {
            let level = move |holder| Level::VSwitch(VSwitchId::new(i), holder);
            let holders = Holder::ALL.into_iter().filter(move |&(_, holder)| self.has(VSwitchId::new(i), holder));
            holders.map(move |(name, holder)| (format!("{}.{name}", vswitch.id), level(holder)))
        });
        let some_have =
            |&(_, holder): &(_, _)| (0..self.vpc.vswitches.len()).any(|i| self.has(VSwitchId::new(i), holder));
        let of_any = Holder::ALL.into_iter().filter(some_have);
        let of_any = of_any.map(|(name, holder)| (format!("vswitch.{name}"), Level::AnyVSwitch(holder)));
        let pools = self.node_pools.iter().enumerate();
        let pools = pools.map(|(i, pool)| (format!("node_pools.{}.nodes", pool.name), Level::Nodes(i)));
        let pods = [("waiting", Level::WaitingPods), ("unschedulable", Level::UnschedulablePods)];
        let pods = pods.map(|(name, level)| (format!("pods.{name}"), level));
        of_vswitch.chain(of_any).chain(pods).chain(pools).collect()
    }

    /// Whether a vSwitch may have addresses that are held so.
    fn has(&self, id: VSwitchId, holder: Holder) -> bool {
        holder != Holder::Held || self.holds_addresses(id)
    }

    /// Whether a reading of a vSwitch may be something else than nothing.
    fn can_read(&self, id: VSwitchId, reading: VSwitchReading) -> bool {
        match reading {
            VSwitchReading::Prefixes(_) => self.gives_prefixes(id),
            VSwitchReading::Mean(holder) | VSwitchReading::End(holder) => self.has(id, holder),
            _ => true,
        }
    }

    /// Every reading of the model with its name, such as `vsw-AAA.free.min` and `pods.wait.p99`.
    /// `vswitch` is the one that is worst off, `vswitches` are all together. Besides there is
    /// [`Reading::WaitedOver`], `pods.waiting_over(60s)`.
    #[must_use]
    pub fn readings(&self) -> Vec<(String, Reading)> {
        let mut all = Vec::new();
        let ids = || (0..self.vpc.vswitches.len()).map(VSwitchId::new);
        for id in ids() {
            let named = VSwitchReading::named().filter(|&(_, of)| self.can_read(id, of));
            let vswitch = &self.vpc.vswitches[id.index()].id;
            all.extend(named.map(|(n, of)| (format!("{vswitch}.{n}"), Reading::VSwitch(id, of))));
        }
        let named = || VSwitchReading::named().filter(|&(_, of)| ids().any(|id| self.can_read(id, of)));
        all.extend(named().map(|(n, of)| (format!("vswitch.{n}"), Reading::AnyVSwitch(of))));
        let additive = named().filter(|(_, of)| of.is_additive());
        all.extend(additive.map(|(n, of)| (format!("vswitches.{n}"), Reading::AllVSwitches(of))));
        all.extend(PodReading::ALL.map(|(name, of)| (format!("pods.{name}"), Reading::Pods(of))));
        all.push(("calls".to_owned(), Reading::Calls(None)));
        all.push(("calls.refused".to_owned(), Reading::RefusedCalls(None)));
        for api in Api::ALL {
            all.push((format!("calls.{}", api.name()), Reading::Calls(Some(api))));
            all.push((format!("calls.{}.refused", api.name()), Reading::RefusedCalls(Some(api))));
        }
        all.push(("nodes.end".to_owned(), Reading::Nodes(None)));
        all.push(("enis.end".to_owned(), Reading::Enis(None)));
        for (i, pool) in self.node_pools.iter().enumerate() {
            all.push((format!("node_pools.{}.nodes.end", pool.name), Reading::Nodes(Some(i))));
            all.push((format!("node_pools.{}.enis.end", pool.name), Reading::Enis(Some(i))));
        }
        for (i, action) in self.actions.iter().enumerate() {
            let of = |(name, of)| (format!("actions.{}.{name}", action.name), Reading::Action(i, of));
            all.extend(ActionReading::ALL.map(of));
        }
        all
    }

    /// Whether claims say nothing of what happens when a vSwitch has no free /28 block any more, though nodes take whole blocks: it
    /// is not full then (rule C131), and pods wait for ever.
    #[must_use]
    pub fn are_blind_to_prefixes<'c>(&self, claims: impl IntoIterator<Item = &'c Claim>) -> bool {
        use Reading::{AllVSwitches, AnyVSwitch, Pods, VSwitch, WaitedOver};
        let sees = |claim: &Claim| match claim.statement.reading {
            VSwitch(_, of) | AnyVSwitch(of) | AllVSwitches(of) => matches!(of, VSwitchReading::Prefixes(_)),
            Pods(_) | WaitedOver { .. } => true,
            _ => false,
        };
        let mut claims = claims.into_iter().peekable();
        let takes_prefixes = || self.groups().any(|(_, zone)| zone.daemon.prefixes().is_some());
        claims.peek().is_some() && takes_prefixes() && !claims.any(sees)
    }
}

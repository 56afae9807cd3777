//! Which readings a planner looks at first.

use serde::Serialize;

use crate::model::{ActionReading, Holder, PodReading, PrefixReading, Reading, VSwitchReading};

/// Whether a reading may be infinite: a time that never comes, a wait that never ends.
pub(super) fn may_be_never(reading: &Reading) -> bool {
    use PodReading::{WaitP50, WaitP95, WaitP99};
    match reading {
        Reading::VSwitch(_, of) | Reading::AnyVSwitch(of) => of.may_be_never(),
        Reading::Pods(of) => matches!(of, WaitP50 | WaitP95 | WaitP99),
        Reading::Action(..) => reading.unit() == "s",
        _ => false,
    }
}

/// How much it matters what a comparison is about. Each family is corrected for itself, so that many comparisons of little
/// interest hide none of much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// What was asked for; or, if nothing was, what a planner looks at first, of the whole cluster.
    Headline,
    /// The same of single vSwitches.
    Single,
    /// Everything else.
    Other,
}

impl Family {
    /// Each.
    pub const ALL: [Self; 3] = [Self::Headline, Self::Single, Self::Other];

    /// That of a reading, if nothing was asked for.
    pub(super) fn of(reading: &Reading) -> Self {
        match reading {
            _ if !is_headline(reading) => Self::Other,
            Reading::VSwitch(..) => Self::Single,
            _ => Self::Headline,
        }
    }

    /// Whether it belongs into a short table.
    #[must_use]
    pub fn is_short(self) -> bool {
        self != Self::Other
    }
}

/// Whether a reading belongs into a short table.
fn is_headline(reading: &Reading) -> bool {
    use PodReading::{
        MostUnschedulable, MostWaiting, NeverServed, UnschedulableHours, WaitP50, WaitP99, WaitingAtEnd, WaitingHours,
    };
    use PrefixReading::{LeastFreeBlocks, TimeToRefusal};
    use VSwitchReading::{LeastFree, Mean, Prefixes, Refusals, TimeToFull};
    match reading {
        Reading::VSwitch(_, of) | Reading::AnyVSwitch(of) => {
            matches!(of, TimeToFull | LeastFree | Prefixes(TimeToRefusal | LeastFreeBlocks))
        }
        Reading::AllVSwitches(of) => matches!(of, Mean(Holder::Idle | Holder::Free) | Refusals),
        Reading::Pods(NeverServed | MostWaiting | WaitingHours | WaitP50 | WaitP99 | WaitingAtEnd) => true,
        Reading::Pods(of) => matches!(of, MostUnschedulable | UnschedulableHours),
        Reading::Calls(api) | Reading::RefusedCalls(api) => api.is_none(),
        Reading::Nodes(pool) | Reading::Enis(pool) => pool.is_none(),
        Reading::WaitedOver { .. } => true,
        Reading::Action(_, of) => matches!(of, ActionReading::Recovery),
    }
}

/// The lower, the more important: full, time to full, waits, pods without a node, idle addresses,
/// calls, nodes, actions; all vSwitches before the worst, and that before single ones.
pub(super) fn rank(reading: &Reading) -> (usize, usize) {
    match reading {
        Reading::AllVSwitches(of) => (of_vswitch(*of), 0),
        Reading::AnyVSwitch(of) => (of_vswitch(*of), 1),
        Reading::VSwitch(_, of) => (of_vswitch(*of), 2),
        Reading::WaitedOver { .. } => (10, 0),
        Reading::Pods(of) => (10 + of_pods(*of), 0),
        Reading::Calls(api) => (60, usize::from(api.is_some())),
        Reading::RefusedCalls(api) => (61, usize::from(api.is_some())),
        Reading::Nodes(pool) => (70, usize::from(pool.is_some())),
        Reading::Enis(pool) => (71, usize::from(pool.is_some())),
        Reading::Action(_, of) => (80 + of_action(*of), 0),
    }
}

fn of_vswitch(of: VSwitchReading) -> usize {
    let holder = |holder| match holder {
        Holder::Idle => 0,
        Holder::Free => 1,
        Holder::Pods => 2,
        Holder::Leaked => 3,
        Holder::Primaries => 4,
        Holder::Others => 5,
        Holder::Held => 6,
    };
    match of {
        VSwitchReading::TimeToFull => 0,
        VSwitchReading::LeastFree => 1,
        VSwitchReading::LeastFreeShare => 2,
        VSwitchReading::Prefixes(of) => match of {
            PrefixReading::TimeToRefusal => 3,
            PrefixReading::LeastFreeBlocks => 4,
            PrefixReading::Refusals => 31,
            PrefixReading::MeanFreeBlocks => 32,
            PrefixReading::EndFreeBlocks => 33,
            PrefixReading::MeanAddresses => 34,
            PrefixReading::EndAddresses => 35,
        },
        VSwitchReading::Refusals => 30,
        VSwitchReading::Mean(who) => 40 + holder(who),
        VSwitchReading::End(who) => 50 + holder(who),
    }
}

fn of_action(of: ActionReading) -> usize {
    match of {
        ActionReading::Recovery => 0,
        ActionReading::Relieved => 1,
        ActionReading::Waiting => 2,
        ActionReading::Began => 3,
        ActionReading::Took => 4,
    }
}

fn of_pods(of: PodReading) -> usize {
    match of {
        PodReading::NeverServed => 0,
        PodReading::MostWaiting => 1,
        PodReading::WaitingHours => 2,
        PodReading::WaitP99 => 3,
        PodReading::WaitP95 => 4,
        PodReading::WaitP50 => 5,
        PodReading::WaitLongest => 6,
        PodReading::WaitingAtEnd => 7,
        PodReading::MostUnschedulable => 8,
        PodReading::UnschedulableHours => 9,
        PodReading::UnschedulableAtEnd => 10,
        PodReading::Requested => 11,
        PodReading::Served => 12,
        PodReading::FailedJobs => 13,
    }
}

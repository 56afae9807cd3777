//! What levels and readings are, in words.

use super::{ActionReading, Holder, Level, PodReading, PrefixReading, Reading, VSwitchReading};

impl Level {
    /// Its unit.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Self::VSwitch(..) | Self::AnyVSwitch(_) => "addresses",
            Self::AnyVSwitchShare(_) => "share",
            Self::WaitingPods | Self::UnschedulablePods => "pods",
            Self::Nodes(_) => "nodes",
        }
    }

    /// What it is.
    #[must_use]
    pub fn definition(&self) -> String {
        match self {
            Self::VSwitch(_, holder) => format!("Addresses {}, in the vSwitch.", holder.which()),
            Self::AnyVSwitch(holder) | Self::AnyVSwitchShare(holder) => {
                let which = if *holder == Holder::Free { "fewest" } else { "most" };
                format!(
                    "Addresses {}, in the vSwitch of pods that has {which}; with `%`, of its usable ones.",
                    holder.which()
                )
            }
            Self::WaitingPods => "Pods on a node that have no address yet.".to_owned(),
            Self::UnschedulablePods => "Pods that find no node.".to_owned(),
            Self::Nodes(_) => "Nodes of the pool.".to_owned(),
        }
    }
}

impl Reading {
    /// What it is.
    #[must_use]
    pub fn definition(&self) -> String {
        match self {
            Self::VSwitch(_, of) => of.definition("the vSwitch", SINCE_ADDED),
            Self::AnyVSwitch(of) => {
                let which = match of {
                    of if of.may_be_never() => "the first",
                    of if of.is_worse_if_less() => "the least",
                    _ => "the most",
                };
                format!("{} Of the vSwitches of pods, {which}.", of.definition("a vSwitch", SINCE_ADDED))
            }
            Self::AllVSwitches(of) => of.definition("all vSwitches of pods", "one that is added has none before"),
            Self::Pods(of) => of.definition().to_owned(),
            Self::WaitedOver { .. } => {
                "Pods that waited longer than this for an address; with `before 60d`, whose wait was that long by then."
                    .to_owned()
            }
            Self::Calls(None) => "Answered calls of the API, the refused ones among them.".to_owned(),
            Self::Calls(Some(_)) => "Answered calls of the action, the refused ones among them.".to_owned(),
            Self::RefusedCalls(None) => "Refused calls of the API.".to_owned(),
            Self::RefusedCalls(Some(_)) => "Refused calls of the action.".to_owned(),
            Self::Nodes(None) => "Nodes at the end of the run.".to_owned(),
            Self::Nodes(Some(_)) => "Nodes of the pool at the end of the run.".to_owned(),
            Self::Enis(None) => "Secondary interfaces of nodes at the end of the run.".to_owned(),
            Self::Enis(Some(_)) => "Secondary interfaces of the pool's nodes at the end of the run.".to_owned(),
            Self::Action(_, of) => of.definition().to_owned(),
        }
    }
}

/// What a mean over the time after the warm-up is of, where an action adds the vSwitch.
const SINCE_ADDED: &str = "of one that is added, since then";

impl VSwitchReading {
    fn definition(self, of: &str, added: &str) -> String {
        match self {
            Self::LeastFree => format!("Fewest free addresses of {of} at any moment after the warm-up."),
            Self::LeastFreeShare => format!("The same as a share of the usable addresses of {of}."),
            Self::Mean(holder) => {
                format!("Addresses {}, in {of}, as a mean over the time after the warm-up; {added}.", holder.which())
            }
            Self::End(holder) => format!("Addresses {}, in {of}, at the end of the run.", holder.which()),
            Self::TimeToFull => {
                format!("Time from the start until {of} is full: a request or a look-up finds none free; or never.")
            }
            Self::Refusals => format!("Requests, look-ups and new nodes that found no address free in {of}."),
            Self::Prefixes(reading) => reading.definition(of),
        }
    }
}

impl PrefixReading {
    fn definition(self, of: &str) -> String {
        const MEAN: &str = "as a mean over the time after the warm-up";
        match self {
            Self::LeastFreeBlocks => format!("Fewest free /28 blocks of {of} at any moment after the warm-up."),
            Self::MeanFreeBlocks => format!("Free /28 blocks of {of}, {MEAN}."),
            Self::EndFreeBlocks => format!("Free /28 blocks of {of} at the end of the run."),
            Self::MeanAddresses => format!("Addresses of {of} in prefixes on interfaces, 16 each, {MEAN}."),
            Self::EndAddresses => format!("Addresses of {of} in prefixes on interfaces at the end of the run."),
            Self::TimeToRefusal => {
                format!("Time from the start until {of} refuses a prefix for lack of a free /28 block; or never.")
            }
            Self::Refusals => format!("Requests for prefixes that {of} refused for lack of free /28 blocks."),
        }
    }
}

impl Holder {
    /// Which addresses, after "addresses of a vSwitch".
    fn which(self) -> &'static str {
        match self {
            Self::Free => "that are free",
            Self::Idle => "that are on nodes and serve no pod",
            Self::Pods => "that serve pods",
            Self::Leaked => "that are on interfaces which no daemon knows",
            Self::Primaries => "that are primary addresses of nodes",
            Self::Others => "that other tenants hold",
            Self::Held => "that are held for pods with fixed IPs which are gone",
        }
    }
}

impl ActionReading {
    fn definition(self) -> &'static str {
        match self {
            Self::Began => "Time from the start until the action begins; or never.",
            Self::Took => "Time from its beginning until it is complete; or never. Nothing where it never begins.",
            Self::Waiting => "Pods on a node without an address when it begins. Nothing where it never does.",
            Self::Relieved => "Of these pods, the ones that get an address before the end.",
            Self::Recovery => {
                "Time from its beginning until the last of these pods has an address, or has ended without; `never` where some \
                 wait still. Nothing where none waits when it begins."
            }
        }
    }
}

impl PodReading {
    fn definition(self) -> &'static str {
        match self {
            Self::Requested => "Pods that were placed on a node and asked for an address of their own.",
            Self::Served => "Pods that got their address.",
            Self::NeverServed => "Pods that had no address when they were deleted or when the run ended.",
            Self::WaitingAtEnd => "Pods on a node without an address at the end of the run.",
            Self::MostWaiting => "Most pods on a node without an address at any moment.",
            Self::WaitingHours => "Time that pods were on a node without an address, summed over the pods.",
            Self::WaitP50 => {
                "Median wait of a pod on a node for its address (Kaplan and Meier); `never` where too many never get one."
            }
            Self::WaitP95 => "The same for the 95th percentile.",
            Self::WaitP99 => "The same for the 99th percentile.",
            Self::WaitLongest => {
                "Longest wait for an address, one that the pod gave up or that goes on at the end included."
            }
            Self::UnschedulableAtEnd => "Pods for which no node has room at the end of the run.",
            Self::MostUnschedulable => "Most pods for which no node had room at any moment.",
            Self::UnschedulableHours => "Time that pods were without a node, summed over the pods.",
            Self::FailedJobs => "Jobs that failed, since more of their pods were deleted or lost than `backoff_limit`.",
        }
    }
}

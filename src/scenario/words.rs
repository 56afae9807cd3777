//! Values of the model that are written as one of a few words.

use super::diagnostics::{Problems, quoted_list};
use super::read::{Read, wrong_kind};
use super::yaml::{Node, Value};
use crate::ipam::centralized::Degradation;
use crate::ipam::classic::Version;
use crate::ipam::eni_config::IpamType;
use crate::ipam::pod_eni::Policy;
use crate::model::{Concurrency, Expander, Scoring, Strictness};

/// A value that is written as a word.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Each value with its word.
    const ALL: &'static [(&'static str, Self)];

    /// Its word.
    fn word(&self) -> &'static str {
        Self::ALL.iter().find(|(_, value)| value == self).map_or("", |(word, _)| word)
    }

    /// Reads it; `None` = it is none of the words, which is reported.
    fn read_word(node: &Node, problems: &mut Problems) -> Option<Self> {
        let words = || quoted_list(Self::ALL.iter().map(|(word, _)| *word));
        let Value::Text(text) = &node.value else {
            wrong_kind(node, &format!("one of {} is expected here", words()), problems);
            return None;
        };
        let found = Self::ALL.iter().find(|(word, _)| word == text);
        if found.is_none() {
            problems.error(node.place, format!("`{text}` is not known here")).help(format!("it is one of {}", words()));
        }
        found.map(|(_, value)| *value)
    }
}

/// What holds if pods cannot be spread over zones (`whenUnsatisfiable`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WhenUnsatisfiable(pub Strictness);

/// How interfaces of pods' own are attached (`ENIAttachType`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum EniType {
    /// As the control plane's `enableTrunk` says.
    Default,
    /// As members of a trunk.
    Trunk,
    /// To the instance.
    Eni,
}

/// Whether an address is kept for its pod (`IPAllocType`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AllocationKind {
    /// It goes with its pod.
    Elastic,
    /// It is kept for the pod's name.
    Fixed,
}

/// What ends the keeping of a fixed address (`ReleaseStrategy`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ReleaseStrategy {
    /// Some time without a pod.
    Ttl,
    /// Nothing.
    Never,
}

/// Gives a type of words its reader and its schema.
macro_rules! words {
    ($type:ty { $($word:literal => $value:expr,)* }) => {
        impl Word for $type {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, $value)),*];
        }

        impl Read for $type {
            fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
                Self::read_word(node, problems)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "enum": [$($word),*] })
            }
        }
    };
}

words!(Strictness {
    "required" => Strictness::Required,
    "preferred" => Strictness::Preferred,
});
words!(WhenUnsatisfiable {
    "do_not_schedule" => WhenUnsatisfiable(Strictness::Required),
    "schedule_anyway" => WhenUnsatisfiable(Strictness::Preferred),
});
words!(Concurrency {
    "allow" => Concurrency::Allow,
    "forbid" => Concurrency::Forbid,
    "replace" => Concurrency::Replace,
});
words!(IpamType {
    "node-local" => IpamType::NodeLocal,
    "centralized" => IpamType::Centralized,
    "classic" => IpamType::Classic,
});
words!(Version {
    "v1.1.0" => Version::V1_1_0,
    "v1.2.0" => Version::V1_2_0,
    "v1.4.4" => Version::V1_4_4,
    "v1.6.0" => Version::V1_6_0,
});
words!(Degradation {
    "none" => Degradation::None,
    "l0" => Degradation::L0,
    "l1" => Degradation::L1,
});
words!(EniType {
    "Default" => EniType::Default,
    "Trunk" => EniType::Trunk,
    "ENI" => EniType::Eni,
});
words!(AllocationKind {
    "Elastic" => AllocationKind::Elastic,
    "Fixed" => AllocationKind::Fixed,
});
words!(ReleaseStrategy {
    "TTL" => ReleaseStrategy::Ttl,
    "Never" => ReleaseStrategy::Never,
});
words!(Policy {
    "ordered" => Policy::Ordered,
    "random" => Policy::Random,
    "most" => Policy::Most,
});
words!(Scoring {
    "least_allocated" => Scoring::LeastAllocated,
    "most_allocated" => Scoring::MostAllocated,
});
words!(Expander {
    "least-waste" => Expander::LeastWaste,
    "random" => Expander::Random,
});

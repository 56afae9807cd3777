//! PodNetworkings: which pods get an interface of their own, and where.

use crate::id::VSwitchId;
use crate::ipam::pod_eni::{Kind, Network, PodSpec, Policy, Retention};
use crate::model::Vpc;

/// A PodNetworking, whose pods get an interface of their own on the trunk of their node (rules C145 to
/// C153).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodNetworking {
    /// Its name.
    pub name: String,
    /// Where its interfaces may be, in the order of its list (`vSwitchOptions`); never empty.
    pub vswitches: Vec<VSwitchId>,
    /// Which of them (`vSwitchSelectionPolicy`).
    pub policy: Policy,
    /// How long addresses are kept for the names of pods that are gone (`releaseStrategy`,
    /// `releaseAfter`); `None` = they are elastic.
    pub fixed: Option<Retention>,
}

impl PodNetworking {
    /// Whether its pods may be in a zone: one of its vSwitches is (the webhook adds that affinity,
    /// `pkg/controller/webhook/mutating.go:158-161`).
    #[must_use]
    pub fn reaches(&self, zone: &str, vpc: &Vpc) -> bool {
        self.in_zone(zone, vpc).next().is_some()
    }

    /// What its pods ask for on nodes of a zone (rule C147).
    #[must_use]
    pub fn pod(&self, zone: &str, vpc: &Vpc) -> PodSpec {
        let network = Network { candidates: self.in_zone(zone, vpc).collect(), policy: self.policy };
        PodSpec { kind: Kind::Member, networks: vec![network], fixed: self.fixed }
    }

    fn in_zone(&self, zone: &str, vpc: &Vpc) -> impl Iterator<Item = VSwitchId> {
        self.vswitches.iter().copied().filter(move |id| vpc.vswitches[id.index()].zone == zone)
    }
}

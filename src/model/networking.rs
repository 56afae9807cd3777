//! PodNetworkings: which pods get interfaces of their own, and where.

use crate::id::VSwitchId;
use crate::ipam::Devices;
use crate::ipam::pod_eni::{Kind, Network, PodSpec, Policy, Retention};
use crate::model::{Model, PodTemplate, Vpc};

/// A PodNetworking, whose pods get an interface of their own (rules C144 to C153).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodNetworking {
    /// Its name.
    pub name: String,
    /// How its interfaces are attached (`eniOptions.eniType`), which decides on what nodes its pods can be
    /// (`pkg/controller/webhook/mutating.go:373-391`).
    pub kind: Kind,
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

    fn in_zone(&self, zone: &str, vpc: &Vpc) -> impl Iterator<Item = VSwitchId> {
        self.vswitches.iter().copied().filter(move |id| vpc.vswitches[id.index()].zone == zone)
    }
}

impl Model {
    /// The PodNetworkings of a pod.
    pub fn networkings_of(&self, pod: &PodTemplate) -> impl Iterator<Item = &PodNetworking> + Clone {
        pod.pod_networkings.iter().map(|&of| &self.pod_networkings[of])
    }

    /// What a pod asks of the control plane on a node of a zone, an interface for each of its PodNetworkings
    /// (rules C147, C154); `None` = it has none of its own.
    #[must_use]
    pub fn interfaces_of(&self, pod: &PodTemplate, zone: &str) -> Option<PodSpec> {
        let all = self.networkings_of(pod);
        let network =
            |of: &PodNetworking| Network { candidates: of.in_zone(zone, &self.vpc).collect(), policy: of.policy };
        Some(PodSpec {
            kind: all.clone().next()?.kind,
            networks: all.clone().map(network).collect(),
            fixed: self.fixed(pod),
        })
    }

    /// How long the addresses of a pod are kept for its name: as long as one of them is
    /// (`pkg/controller/pod-eni/eni_controller.go:616-660`); `None` = they are elastic.
    #[must_use]
    pub fn fixed(&self, pod: &PodTemplate) -> Option<Retention> {
        self.networkings_of(pod).filter_map(|of| of.fixed).max()
    }

    /// Whether a pod may be in a zone: each of its PodNetworkings has a vSwitch there
    /// (`pkg/controller/webhook/mutating.go:503-513`).
    #[must_use]
    pub fn reaches(&self, pod: &PodTemplate, zone: &str) -> bool {
        self.networkings_of(pod).all(|of| of.reaches(zone, &self.vpc))
    }

    /// What a pod asks for of what nodes offer: one piece for each interface (rule C154).
    #[must_use]
    pub fn devices(&self, pod: &PodTemplate) -> Devices {
        let of = |kind: Kind| self.networkings_of(pod).filter(|of| of.kind == kind).count() as u32;
        Devices { members: of(Kind::Member), enis: of(Kind::Exclusive), rdma: u32::from(pod.erdma) }
    }
}

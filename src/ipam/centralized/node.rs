//! What the API server and the controller know of a node.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::attach::Tasks;
use super::binding::{Affairs, ListedPod, find};
use super::config::NodeConfig;
use super::plain::{Change, Changes, InOrder};
use super::reconcile::Run;
use super::resource::{Binding, PodKey, Status};
use super::rest::{Pulse, Rest};
use crate::id::Uid;

/// What the API server and the controller know of a node.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// `None` = its CR is not complete yet.
    pub config: Option<Arc<NodeConfig>>,
    /// Shared with the run under way, which copies it to change it.
    pub stored: Arc<Status>,
    /// The last name that a pod of it had so far.
    pub last_name: Option<PodKey>,
    /// By name; shared with the run under way.
    pub pods: Arc<Vec<ListedPod>>,
    /// How many of them have no IPv4 address.
    pub lacking: u32,
    /// Pods whose CNI DEL NodeRuntime reports.
    pub deleted: Vec<Uid>,
    /// What there is to do for its pods by its CR, or more.
    pub affairs: Affairs,
    /// What is known of its CR, if it is in order.
    pub in_order: Option<InOrder>,
    /// Something has happened to it since its last run began.
    pub is_touched: bool,
    pub memory: Memory,
    pub pulse: Pulse,
    /// The runs that are not gone through.
    pub rest: Option<Rest>,
    /// It is in the list of nodes that rest.
    pub is_listed: bool,
    pub run: Option<Box<Run>>,
    /// The write under way of a run that only frees and binds addresses.
    pub changes: Option<Changes>,
    /// Empty, with the memory of the last such run's.
    pub no_changes: Vec<Change>,
}

/// What the controller's process remembers of a node; a restart forgets it (C4).
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// A full sync is wanted (C34).
    pub needs_sync: bool,
    /// Something was changed in the cloud since the last lost write (C34).
    pub changed: bool,
    pub tasks: Tasks,
}

impl Node {
    /// A pod appears.
    pub fn add(&mut self, pod: ListedPod) {
        self.affairs.bind = true;
        let is_new_name = self.last_name < Some(pod.key);
        if !is_new_name && self.stored.has_binding(|binding| binding.pod == pod.key) {
            self.affairs.release = true;
            self.in_order = None;
        }
        self.last_name = self.last_name.max(Some(pod.key));
        let pods = Arc::make_mut(&mut self.pods);
        self.lacking += u32::from(pod.address.is_none());
        match find(pods, pod.key) {
            Ok(there) => {
                let before = std::mem::replace(&mut pods[there], pod);
                self.lacking -= u32::from(before.address.is_none());
            }
            Err(at) => pods.insert(at, pod),
        }
    }

    /// A pod object is gone.
    pub fn remove(&mut self, key: PodKey) {
        self.affairs.release |= !self.deleted.is_empty();
        if let Ok(there) = find(&self.pods, key) {
            let gone = Arc::make_mut(&mut self.pods).remove(there);
            self.lacking -= u32::from(gone.address.is_none());
        }
    }

    /// CNI DEL of a pod is reported.
    pub fn report(&mut self, uid: Uid) {
        self.affairs.release = true;
        if !self.deleted.contains(&uid) {
            self.deleted.push(uid);
        }
    }

    /// Finds out what there is to do for its pods, and whether that is all.
    pub fn look(&mut self) {
        let config = self.config.as_ref();
        let dual = config.is_some_and(|config| config.dual);
        self.affairs = Affairs::of(&self.stored, &self.pods, &self.deleted, dual);
        self.in_order = config.and_then(|config| InOrder::of(config, &self.stored, &self.pods));
    }

    /// The CR is written: the pods that it names have their address. What the CR was before.
    pub fn store(&mut self, status: Arc<Status>) -> Arc<Status> {
        let before = std::mem::replace(&mut self.stored, status);
        let stored = Arc::clone(&self.stored);
        for nic in stored.nics.values() {
            for (&address, ip) in &nic.ipv6 {
                let known = Some((nic.vswitch, address));
                let owner = ip.pod.and_then(|binding| self.owner(binding));
                let Some(at) = owner.filter(|&at| self.pods[at].ipv6 != known) else { continue };
                Arc::make_mut(&mut self.pods)[at].ipv6 = known;
            }
        }
        let addresses = stored.nics.values().flat_map(|nic| &nic.addresses);
        self.learn(addresses.filter_map(|(&address, ip)| Some((address, ip.pod?))));
        self.look();
        before
    }

    /// Pods learn of their IPv4 addresses; NodeRuntime forgets pods that the CR does not name any more
    /// (C121).
    pub fn learn(&mut self, addresses: impl Iterator<Item = (Ipv4Addr, Binding)>) {
        for (address, binding) in addresses {
            // Whoever learns nothing new leaves the pods to the run that shares them.
            let Some(at) = self.owner(binding).filter(|&at| self.pods[at].address != Some(address)) else { continue };
            let before = Arc::make_mut(&mut self.pods)[at].address.replace(address);
            self.lacking -= u32::from(before.is_none());
        }
        let stored = &self.stored;
        self.deleted.retain(|&uid| stored.has_binding(|binding| binding.uid == uid));
    }

    /// The place of the pod that has a binding, if it is there.
    fn owner(&self, binding: Binding) -> Option<usize> {
        find(&self.pods, binding.pod).ok().filter(|&at| self.pods[at].uid == binding.uid)
    }

    /// The pods without an IPv4 address, by name: the last ones, as a rule.
    pub fn lacking(&self) -> impl Iterator<Item = &ListedPod> {
        let mut left = self.lacking;
        let first = self.pods.iter().rposition(|pod| {
            left -= u32::from(pod.address.is_none());
            left == 0
        });
        self.pods[first.unwrap_or(0)..].iter().filter(|pod| pod.address.is_none())
    }

    /// The pods as a run sees them: only where there is RDMA may they ask for it (C163).
    pub fn listed(&self, has_erdma: bool) -> Arc<Vec<ListedPod>> {
        let mut pods = Arc::clone(&self.pods);
        if !has_erdma && pods.iter().any(|pod| pod.erdma) {
            Arc::make_mut(&mut pods).iter_mut().for_each(|pod| pod.erdma = false);
        }
        pods
    }

    /// The controller's process dies (C4).
    pub fn forget(&mut self) {
        self.memory = Memory::default();
        (self.pulse.last_run, self.pulse.last_gc) = (None, None);
        (self.run, self.changes) = (None, None);
    }
}

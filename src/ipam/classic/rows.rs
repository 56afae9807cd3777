//! The resource database: which pod has which address (rules P97, P100, P104).

use std::collections::BTreeMap;

use super::pool::Resource;
use crate::id::{EniId, PodId};

/// A row per pod that has an address, and what is known of those whose pod is gone.
#[derive(Debug, Default)]
pub(super) struct Rows {
    of: BTreeMap<PodId, Resource>,
    /// Pods that are gone; whether the next collection spares the row (rule P97).
    gone: BTreeMap<PodId, bool>,
}

impl FromIterator<(PodId, Resource)> for Rows {
    fn from_iter<T: IntoIterator<Item = (PodId, Resource)>>(rows: T) -> Self {
        Self { of: rows.into_iter().collect(), gone: BTreeMap::new() }
    }
}

impl Rows {
    pub fn len(&self) -> usize {
        self.of.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (PodId, Resource)> + '_ {
        self.of.iter().map(|(&pod, &resource)| (pod, resource))
    }

    pub fn get(&self, pod: PodId) -> Option<Resource> {
        self.of.get(&pod).copied()
    }

    /// Whether some pod has an address.
    pub fn has(&self, eni: EniId, address: std::net::Ipv4Addr) -> bool {
        self.of.values().any(|&resource| resource == Resource { eni, address })
    }

    /// A pod has an address, and is there.
    pub fn insert(&mut self, pod: PodId, resource: Resource) {
        self.gone.remove(&pod);
        self.of.insert(pod, resource);
    }

    pub fn remove(&mut self, pod: PodId) {
        self.gone.remove(&pod);
        self.of.remove(&pod);
    }

    /// An address is no pod's any more. Says whose it was.
    pub fn unbind(&mut self, resource: Resource) -> Option<PodId> {
        let (pod, _) = self.iter().find(|&(_, found)| found == resource)?;
        self.remove(pod);
        Some(pod)
    }

    /// A pod is gone and its row stays.
    pub fn mourn(&mut self, pod: PodId, sticky: bool) {
        if self.of.contains_key(&pod) {
            self.gone.insert(pod, sticky);
        }
    }

    /// Whether a collection would find anything.
    pub fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// The rows that go now; those that are spared go the next time (rule P100).
    pub fn expire(&mut self) -> Vec<(PodId, Resource)> {
        let mut expired = Vec::new();
        for (&pod, is_spared) in &mut self.gone {
            if !std::mem::take(is_spared) {
                expired.push((pod, self.of[&pod]));
            }
        }
        expired
    }
}

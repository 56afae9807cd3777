//! Defects of a Terway of before v1.7 that struck.

use std::collections::{BTreeMap, BTreeSet};

use super::Recorder;
use crate::id::NodeId;
use crate::ipam::classic::Defect;
use crate::text::text;
use crate::time::Instant;

/// A defect of a Terway of before v1.7 that struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefectRecord {
    /// Which.
    pub defect: Defect,
    /// When it first struck a node.
    pub first: Instant,
    /// How often it struck.
    pub times: u64,
    /// How many nodes it struck at least once.
    pub nodes: u32,
}

/// What a defect did.
#[derive(Debug)]
struct Strikes {
    first: Instant,
    times: u64,
    nodes: BTreeSet<NodeId>,
}

/// Defects that struck.
#[derive(Debug, Default)]
pub(super) struct Defects(BTreeMap<Defect, Strikes>);

impl Defects {
    pub fn records(self) -> Vec<DefectRecord> {
        let record = |(defect, strikes): (Defect, Strikes)| DefectRecord {
            defect,
            first: strikes.first,
            times: strikes.times,
            nodes: strikes.nodes.len() as u32,
        };
        self.0.into_iter().map(record).collect()
    }
}

impl Recorder {
    /// A defect strikes a node; the first time in a run is a landmark.
    pub fn defect_strikes(&mut self, now: Instant, node: NodeId, defect: Defect) {
        let Defects(defects) = &mut self.defects;
        let is_first = !defects.contains_key(&defect);
        let strikes = defects.entry(defect).or_insert_with(|| Strikes { first: now, times: 0, nodes: BTreeSet::new() });
        strikes.times += 1;
        strikes.nodes.insert(node);
        if is_first {
            self.landmark(now, "terway_defect", defect.word().to_owned(), text!("Terway: {defect}", defect.name()));
        }
    }
}

//! Defects of Terway that struck.

use super::Runs;
use crate::ipam::classic::Defect;
use crate::outcome::DefectSummary;
use crate::record::{DefectRecord, Recording};

impl Runs<'_> {
    pub(super) fn defects(&self) -> Vec<DefectSummary> {
        let summary = |defect: Defect| {
            let record = |r: &Recording| r.defects.iter().copied().find(|record| record.defect == defect);
            let number = |of: fn(DefectRecord) -> f64| self.some(|r| record(r).map(of));
            Some(DefectSummary {
                kind: defect.word(),
                text: defect.name(),
                struck: self.share(|r| record(r).is_some()),
                first_s: number(|record| record.first.as_secs_f64())?,
                times: number(|record| record.times as f64)?,
                nodes: number(|record| record.nodes.into())?,
            })
        };
        let mut defects: Vec<_> = Defect::ALL.into_iter().filter_map(summary).collect();
        defects.sort_by(|a, b| a.first_s.median.total_cmp(&b.first_s.median));
        defects
    }
}

//! Zones: what is in each, and how far they are apart.

use super::Runs;
use crate::outcome::{Estimate, ZoneSummary};
use crate::record::{GroupLevels, Recording};
use crate::time::Instant;

impl Runs<'_> {
    /// Per zone with nodes, in alphabetical order.
    pub(super) fn zones(&self) -> Vec<ZoneSummary> {
        let summary = |zone: &str| {
            let groups = self.groups_of(zone);
            let end = |of: fn(&GroupLevels) -> u32| self.each(|r| f64::from(at_end(r, &groups, of)));
            let most = |of: fn(&GroupLevels) -> u32| {
                self.each(|r| {
                    let rows = self.rows(r).map(|row| at_row(r, row, &groups, of));
                    f64::from(rows.chain([at_end(r, &groups, of)]).max().unwrap_or(0))
                })
            };
            ZoneSummary {
                zone: zone.to_owned(),
                nodes: end(|levels| levels.nodes),
                most_nodes: most(|levels| levels.nodes),
                pods: end(GroupLevels::pods),
                most_pods: most(GroupLevels::pods),
            }
        };
        self.node_zones().into_iter().map(summary).collect()
    }

    /// Largest difference in pods between two zones; none with one zone.
    pub(super) fn zone_skew(&self) -> Option<Estimate> {
        let zones: Vec<_> = self.node_zones().into_iter().map(|zone| self.groups_of(zone)).collect();
        let spread = |pods: Vec<u32>| pods.iter().max().zip(pods.iter().min()).map_or(0, |(most, least)| most - least);
        let largest = |r: &Recording| {
            let rows = self
                .rows(r)
                .map(|row| spread(zones.iter().map(|groups| at_row(r, row, groups, GroupLevels::pods)).collect()));
            let end = spread(zones.iter().map(|groups| at_end(r, groups, GroupLevels::pods)).collect());
            f64::from(rows.chain([end]).max().unwrap_or(0))
        };
        (zones.len() > 1).then(|| self.each(largest))
    }

    /// Rows of the timeline after the warm-up.
    fn rows(&self, r: &Recording) -> std::ops::Range<usize> {
        let from = Instant::ZERO + self.model.warm_up;
        r.timeline.at.partition_point(|&at| at < from)..r.timeline.at.len()
    }

    fn node_zones(&self) -> Vec<&str> {
        let mut zones: Vec<_> = self.model.groups().map(|(_, zone)| zone.zone.as_str()).collect();
        zones.sort_unstable();
        zones.dedup();
        zones
    }

    /// Positions of the groups of nodes in a zone.
    fn groups_of(&self, name: &str) -> Vec<usize> {
        let groups = self.model.groups().enumerate();
        groups.filter(|(_, (_, zone))| zone.zone == name).map(|(i, _)| i).collect()
    }
}

fn at_row(r: &Recording, row: usize, groups: &[usize], of: fn(&GroupLevels) -> u32) -> u32 {
    groups.iter().map(|&group| of(&r.timeline.groups[group][row])).sum()
}

fn at_end(r: &Recording, groups: &[usize], of: fn(&GroupLevels) -> u32) -> u32 {
    groups.iter().map(|&group| of(&r.groups[group].end)).sum()
}

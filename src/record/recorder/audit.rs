//! The recorder's levels against the books of those who have them.

use super::super::{GroupLevels, IdleParts, PrefixLevel};
use super::Recorder;
use crate::cloud::Cloud;
use crate::id::VSwitchId;

impl Recorder {
    /// Checks the levels of the vSwitches against the addresses in use and the cloud's books.
    ///
    /// # Panics
    /// If they differ: the recorder missed something.
    pub fn audit(&self, in_use: &[u32], cloud: &Cloud) {
        for (i, (levels, &in_use)) in self.vswitches.iter().zip(in_use).enumerate() {
            let (holders, usage) = (levels.holders(), cloud.usage(VSwitchId::new(i)));
            if !levels.exists() {
                assert_eq!(
                    (holders.parts(), usage.on_enis, usage.primaries),
                    ([0; 6], 0, 0),
                    "vSwitch {i} is not there"
                );
                continue;
            }
            assert_eq!(holders.pods, in_use, "addresses in use of vSwitch {i}");
            assert_eq!(
                holders.pods + holders.idle + holders.leaked + holders.held.unwrap_or(0),
                usage.on_enis + usage.in_prefixes,
                "addresses on interfaces of vSwitch {i}"
            );
            assert_eq!(
                (holders.primaries, holders.others, holders.free, holders.reserved.unwrap_or(0)),
                (usage.primaries, usage.others, usage.free, usage.reserved),
                "other addresses of vSwitch {i}"
            );
            if let Some(prefixes) = &levels.prefixes {
                let known = PrefixLevel { free: cloud.free_prefixes(VSwitchId::new(i)), addresses: usage.in_prefixes };
                assert_eq!(prefixes.level(), known, "prefixes of vSwitch {i}");
            }
        }
    }

    /// Checks that the parts of the idle addresses of a vSwitch add up to its level.
    ///
    /// # Panics
    /// If they do not: an address is not accounted for.
    pub fn audit_idle(&self, vswitch: VSwitchId, idle: IdleParts<u32>) {
        let level = self.vswitches[vswitch.index()].holders().idle;
        assert_eq!(idle.parts().iter().sum::<u32>(), level, "idle addresses of vSwitch {}: {idle:?}", vswitch.index());
    }

    /// Checks the levels of the pools against the pods there are.
    ///
    /// # Panics
    /// If they differ: the recorder missed something.
    pub fn audit_pods(&self, running: usize, waiting: usize, terminating: usize) {
        let sum = |level: fn(&GroupLevels) -> u32| {
            self.groups.iter().map(|group| level(&group.levels) as usize).sum::<usize>()
        };
        let levels = (sum(|levels| levels.running), sum(|levels| levels.waiting), sum(|levels| levels.terminating));
        assert_eq!(levels, (running, waiting, terminating), "running, waiting and terminating pods");
        assert_eq!(self.waiting.level() as usize, waiting, "waiting pods");
    }
}

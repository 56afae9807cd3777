//! What the idle addresses of a vSwitch are about, address by address.

use super::{Engine, Observer, Power};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::Whereabouts;
use crate::record::{Cause, IdleParts};

impl<O: Observer> Engine<O> {
    /// Gives the observer the accounts that it wants. Costs nothing while it wants none.
    pub(super) fn give_accounts(&mut self) {
        while let Some(vswitch) = self.observer.wants_account() {
            let (idle, asked) = self.account(vswitch);
            self.observer.account(vswitch, idle, asked);
        }
    }

    /// Tells why a node gets nothing. It may be how a vSwitch turns out to be full, which is accounted for before anything else
    /// happens.
    pub(super) fn limited(&mut self, node: NodeId, cause: Cause) {
        self.observer.limited(self.now, node, cause);
        self.give_accounts();
    }

    /// Addresses of a vSwitch on interfaces of nodes whose daemon knows them, without those that
    /// serve pods, by what they are about; and how many more the calls under way ask for. The
    /// cloud says which addresses there are, the daemons what each is.
    #[must_use]
    pub fn account(&self, vswitch: VSwitchId) -> (IdleParts<u32>, u32) {
        let (mut idle, mut asked) = (IdleParts::default(), 0);
        let there = |&node: &NodeId| self.nodes[node.index()].power != Power::Released;
        for node in (0..self.nodes.len()).map(NodeId::new).filter(there) {
            asked += self.asked(node, vswitch);
            let enis = self.cloud.interfaces(node).filter(|&(_, on, _)| on == vswitch);
            for (eni, _, addresses) in enis {
                let prefixes = self.cloud.prefixes(eni).iter();
                idle.pooled += prefixes.map(|&first| self.idle_in_prefix(node, eni, first)).sum::<u32>();
                for &address in addresses {
                    match self.whereabouts(node, eni, address) {
                        Some(Whereabouts::EniPrimary) => idle.eni_primaries += 1,
                        Some(Whereabouts::Pooled) => idle.pooled += 1,
                        Some(Whereabouts::Leaving) => idle.leaving += 1,
                        Some(Whereabouts::Coming) => idle.coming += 1,
                        Some(Whereabouts::Unknown) => idle.unknown += 1,
                        Some(Whereabouts::Serving) | None => {}
                    }
                }
            }
        }
        (idle, asked)
    }
}

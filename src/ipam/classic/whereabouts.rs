//! What the daemon has an address for: questions about its state that change nothing.

use std::net::Ipv4Addr;

use super::entry::Entry;
use super::pool::Resource;
use super::process::Call;
use super::{Classic, Selection};
use crate::id::{EniId, VSwitchId};
use crate::ipam::{Holdings, Request, Whereabouts};
use crate::time::Instant;

impl Classic {
    /// Slots that no interface has, and none in the making.
    #[must_use]
    pub fn empty_slots(&self) -> u32 {
        self.process.state().factory.free_slots()
    }

    /// What an address is that the cloud has on interface `eni` of the node.
    #[must_use]
    pub fn whereabouts(&self, eni: EniId, address: Ipv4Addr) -> Whereabouts {
        let state = self.process.state();
        let resource = Resource { eni, address };
        let is_of = |entry: &&Entry| entry.eni.is_some_and(|found| found.id == eni);
        let attaches = |call: &Call| call.request == Request::Attach(eni);
        if state.legacy.rows.has(eni, address) {
            return Whereabouts::Serving;
        }
        if state.leaving.contains(&eni) {
            return Whereabouts::Leaving;
        }
        let is_pooled = state.pool.in_use.contains_key(&resource)
            || state.pool.invalid.contains(&resource)
            || state.pool.idle.iter().any(|idle| idle.resource == resource);
        let Some(entry) = state.factory.ready().find(is_of) else {
            if is_pooled {
                return Whereabouts::Pooled;
            }
            let comes = state.attached.contains(&eni) || state.calls.iter().any(attaches);
            return if comes { Whereabouts::Coming } else { Whereabouts::Unknown };
        };
        let is_primary = entry.eni.is_some_and(|found| found.primary == address);
        match entry.ips.contains(&address) {
            true if is_primary => Whereabouts::EniPrimary,
            true if is_pooled => Whereabouts::Pooled,
            // Popped from the pool to be given back, or from the results to become the pool's.
            true if state.calls.iter().any(|call| matches!(call.request, Request::Unassign(on, _) if on == eni)) => {
                Whereabouts::Leaving
            }
            true => Whereabouts::Pooled,
            false if entry.pending > 0 => Whereabouts::Coming,
            false => Whereabouts::Unknown,
        }
    }

    /// Whether it can have addresses of a vSwitch without giving an interface up: one is on it, or there
    /// is a free slot (rule P72).
    #[must_use]
    pub fn has_way_to(&self, vswitch: VSwitchId) -> bool {
        let state = self.process.state();
        let is_on = |call: &Call| matches!(call.request, Request::Create { vswitch: on, .. } if on == vswitch);
        state.factory.free_slots() > 0
            || state.calls.iter().any(is_on)
            || state.factory.ready().any(|entry| entry.eni.is_some_and(|eni| eni.vswitch == vswitch))
    }

    /// The vSwitches of interfaces that could take another address, as far as the node goes.
    #[must_use]
    pub fn extendable(&self) -> Vec<VSwitchId> {
        let (state, most) = (self.process.state(), self.config.sizes.ips_per_eni);
        let open = state.factory.ready().filter(|entry| entry.load() < most);
        open.filter_map(|entry| entry.eni.map(|eni| eni.vswitch)).collect()
    }

    /// Whether some interface rests, or some candidate counts as empty.
    #[must_use]
    pub fn is_held_back(&self, now: Instant) -> bool {
        let holdings = self.holdings(now);
        holdings.inhibited > 0 || !holdings.blocked.is_empty()
    }

    /// What the daemon has at `now`.
    #[must_use]
    pub fn holdings(&self, now: Instant) -> Holdings {
        let (state, most) = (self.process.state(), self.config.sizes.ips_per_eni);
        let open = || state.factory.ready().filter(|entry| entry.load() < most);
        let ordered = self.config.selection == Selection::Ordered;
        let is_empty = |id: &VSwitchId| ordered && state.counts.list.contains(&(*id, 0));
        Holdings {
            slots: self.config.sizes.max_eni,
            empty_slots: state.factory.free_slots(),
            enis: state.factory.ready().count() as u32,
            in_use: state.legacy.rows.len() as u32,
            idle: state.pool.idle.len() as u32,
            room: open().map(|entry| most - entry.load()).sum(),
            inhibited: open().filter(|entry| now < entry.inhibited_until).count() as u32,
            candidates: self.config.vswitches.clone(),
            blocked: self.config.vswitches.iter().copied().filter(is_empty).collect(),
            by_control_plane: false,
        }
    }

    /// Addresses of a vSwitch that calls under way ask for.
    #[must_use]
    pub fn asked(&self, vswitch: VSwitchId) -> u32 {
        let state = self.process.state();
        let on = |eni: EniId| {
            state
                .factory
                .ready()
                .any(|entry| entry.eni.is_some_and(|found| found.id == eni && found.vswitch == vswitch))
        };
        let asked = |request: Request| match request {
            Request::Create { vswitch: from, addresses, .. } if from == vswitch => addresses.into(),
            Request::Assign(eni, n) if on(eni) => n.into(),
            _ => 0,
        };
        state.calls.iter().map(|call| asked(call.request)).sum()
    }
}

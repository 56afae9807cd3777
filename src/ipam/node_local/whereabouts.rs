//! What a daemon has an address for: questions about its state that change nothing.

use std::net::Ipv4Addr;

use super::NodeLocal;
use super::alloc::{Alloc, CreateStep};
use super::assign::AssignStep;
use super::demand::Family;
use super::rpc::Blocked;
use super::slot::{Slot, Status};
use crate::id::{EniId, VSwitchId};
use crate::ipam::{Holdings, Place, Whereabouts};
use crate::time::Instant;

impl NodeLocal {
    /// What an address is that the cloud has on interface `eni` of the node; `None` = the daemon
    /// does not know the interface.
    #[must_use]
    pub fn whereabouts(&self, eni: EniId, address: Ipv4Addr) -> Option<Whereabouts> {
        let making = |slot: &Slot| slot.alloc.made().is_some_and(|made| made.id == eni);
        if self.slots.iter().any(making) {
            return Some(Whereabouts::Coming);
        }
        let slot = &self.slots[self.slot_of(eni)?];
        let coming = matches!(&*slot.alloc, Alloc::Assign { step: AssignStep::Settling { lot, .. }, .. }
            if lot.has(address));
        Some(match slot.set.state_of(address) {
            Some(state) if state.in_use => Whereabouts::Serving,
            _ if slot.status == Status::Deleting => Whereabouts::Leaving,
            Some(state) if state.deleting => Whereabouts::Leaving,
            Some(state) if state.primary => Whereabouts::EniPrimary,
            Some(_) => Whereabouts::Pooled,
            None if coming => Whereabouts::Coming,
            None => Whereabouts::Unknown,
        })
    }

    /// Every slot, in the order that the last sort left, which is that of Terway's status tool too
    /// (`Manager.Status`, `pkg/eni/manager.go`).
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let place = |slot: &Slot| Place {
            status: slot.status,
            kind: slot.kind,
            eni: slot.eni,
            inhibited_until: slot.inhibit_until,
            v4: slot.set.held().collect(),
            v6: slot.v6.iter().flat_map(|v6| v6.set.held()).collect(),
        };
        self.slots_in_order().into_iter().map(place).collect()
    }

    /// AllocIP calls that have not been answered, those behind a waiting collection included.
    #[must_use]
    pub fn pending(&self) -> u32 {
        self.rpcs + self.blocked.iter().filter(|call| matches!(call, Blocked::Allocate { .. })).count() as u32
    }

    /// Whether it can have addresses of a vSwitch without giving an interface up: one is on it, or
    /// will be, or there is a free slot (R93).
    #[must_use]
    pub fn has_way_to(&self, vswitch: VSwitchId) -> bool {
        self.slots.iter().any(|slot| slot.eni.or(slot.alloc.made()).is_none_or(|eni| eni.vswitch == vswitch))
    }

    /// What the daemon has at `now`.
    #[must_use]
    pub fn holdings(&self, now: Instant) -> Holdings {
        let cap = self.config.ips_per_eni;
        let serving = || self.slots.iter().filter(|slot| slot.status == Status::InUse);
        let open = serving().filter(|slot| slot.set.len() < cap);
        let candidates = &self.config.vswitches;
        let (idle, in_use) = self.usage();
        Holdings {
            slots: self.slots.len() as u32,
            empty_slots: self.slots.iter().filter(|s| s.eni.is_none() && s.alloc.made().is_none()).count() as u32,
            enis: serving().count() as u32,
            in_use,
            idle,
            room: open.clone().map(|slot| cap - slot.set.len()).sum(),
            inhibited: open.filter(|slot| slot.is_inhibited(now)).count() as u32,
            candidates: candidates.clone(),
            blocked: candidates.iter().copied().filter(|&id| self.switches.is_blocked(now, id)).collect(),
            by_control_plane: false,
        }
    }

    /// Addresses of a vSwitch that calls under way ask for.
    #[must_use]
    pub fn asked(&self, vswitch: VSwitchId) -> u32 {
        let asked = |slot: &Slot| match &*slot.alloc {
            Alloc::Create(create, CreateStep::Calling { .. }) if create.vswitch == vswitch => create.n.into(),
            Alloc::Assign { ask, step: AssignStep::Calling, .. }
                if ask.family == Family::V4 && slot.eni.is_some_and(|e| e.vswitch == vswitch) =>
            {
                ask.n.into()
            }
            _ => 0,
        };
        self.slots.iter().map(asked).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::chance::SmallStream;
    use crate::id::PodId;
    use crate::ipam::node_local::Config;
    use crate::ipam::{Addresses, Answer, CallId, Input, Output, Request, V6Addresses};
    use crate::time::{Instant, Span};

    const ENI: EniId = EniId(7);
    const SWITCH: VSwitchId = VSwitchId(0);

    fn address(n: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, n)
    }

    /// A daemon whose calls are answered by hand.
    struct Hand {
        daemon: NodeLocal,
        calls: BTreeMap<&'static str, (CallId, Request)>,
    }

    impl Hand {
        /// Does `input`, or lets time pass.
        fn at(&mut self, now: Instant, input: Input) {
            self.daemon.handle(now, input);
            while let Some(output) = self.daemon.poll() {
                if let Output::Call { call, request, .. } = output {
                    self.calls.insert(request.api().name(), (call, request));
                }
            }
        }

        /// Lets the timers up to `until` run.
        fn run(&mut self, until: Instant) {
            while self.daemon.poll_timeout() <= until {
                let at = self.daemon.poll_timeout();
                self.at(at, Input::Tick);
            }
        }

        fn answer(&mut self, now: Instant, action: &'static str, answer: Answer) {
            let (call, _) = self.calls.remove(action).expect("the call is under way");
            self.at(now, Input::Reply(call, Ok(answer)));
        }

        fn of(&self, n: u8) -> Option<Whereabouts> {
            self.daemon.whereabouts(ENI, address(n))
        }
    }

    /// An interface of two addresses and its third, from the first request to their ends.
    #[test]
    fn an_address_is_accounted_for_at_every_step_of_its_life() {
        let at = |secs| Instant::ZERO + Span::secs(secs);
        let config = Config { sync_period: None, ..Config::plain((1, 15), (0, 0), vec![SWITCH]) };
        let daemon = NodeLocal::new(at(0), Arc::new(config), SmallStream::new(1), false);
        let mut hand = Hand { daemon, calls: BTreeMap::new() };
        hand.run(at(0));
        hand.at(at(1), Input::Allocate(PodId(1)));
        hand.at(at(1), Input::Allocate(PodId(2)));
        hand.run(at(2));
        hand.answer(at(2), "DescribeVSwitches", Answer::VSwitch(9));
        assert_eq!((hand.daemon.asked(SWITCH), hand.daemon.asked(VSwitchId(1))), (2, 0));
        assert_eq!(hand.of(1), None);
        hand.answer(
            at(3),
            "CreateNetworkInterface",
            Answer::Created(ENI, Addresses::collect([1, 2].map(address)), V6Addresses::EMPTY),
        );
        assert_eq!((hand.daemon.asked(SWITCH), hand.of(1), hand.of(2)), (0, COMING, COMING));
        hand.answer(at(4), "AttachNetworkInterface", Answer::Attached(at(4)));
        assert_eq!(hand.of(1), COMING);
        hand.run(at(7));
        hand.answer(at(7), "DescribeNetworkInterfaces", Answer::Described { exists: true, in_use: true });
        assert_eq!((hand.of(1), hand.of(2)), (SERVING, SERVING));

        hand.at(at(20), Input::Allocate(PodId(3)));
        hand.run(at(21));
        assert_eq!((hand.daemon.asked(SWITCH), hand.daemon.asked(VSwitchId(1))), (1, 0));
        assert_eq!(hand.of(3), Some(Whereabouts::Unknown), "the cloud would have answered first");
        hand.answer(at(22), "AssignPrivateIpAddresses", Answer::Assigned(Addresses::collect([address(3)]), at(22)));
        assert_eq!((hand.daemon.asked(SWITCH), hand.of(3)), (0, COMING));
        hand.run(at(24));
        assert_eq!(hand.of(3), SERVING);

        let held: Vec<_> = hand.daemon.bound().collect();
        for (pod, eni, address) in held.into_iter().filter(|&(pod, ..)| pod != PodId(3)) {
            let release = crate::ipam::Release { pod, eni, address, then: crate::ipam::Fate::Idle };
            hand.at(at(30), Input::Release(release));
        }
        assert_eq!((hand.of(1), hand.of(2)), (Some(Whereabouts::EniPrimary), Some(Whereabouts::Pooled)));
        let slot = &mut hand.daemon.slots[0];
        slot.set.dispose_idle();
        assert_eq!((hand.of(1), hand.of(2)), (Some(Whereabouts::EniPrimary), LEAVING));
        hand.daemon.slots[0].status = Status::Deleting;
        assert_eq!((hand.of(1), hand.of(2), hand.of(3)), (LEAVING, LEAVING, SERVING));
    }

    const SERVING: Option<Whereabouts> = Some(Whereabouts::Serving);
    const COMING: Option<Whereabouts> = Some(Whereabouts::Coming);
    const LEAVING: Option<Whereabouts> = Some(Whereabouts::Leaving);
}

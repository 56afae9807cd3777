//! The two goroutines of an interface: the one that creates it, and the one that asks for its
//! addresses afterwards (rules P53 to P57, P63 to P66).

use super::Trouble;
use super::entry::EntryId;
use super::factory::Outcome;
use super::pool::Resource;
use super::process::{Process, State};
use super::scheduler::Wake;
use super::sync::{Lock, Mode};
use crate::id::EniId;
use crate::ipam::Addresses;
use crate::time::Span;

/// Requests of this time go into one call (rule P55).
const GATHER: Span = Span::millis(300);

impl Process {
    /// Creates an interface with `first` addresses, hands them out and goes on as its worker (rules
    /// P64 to P66).
    pub async fn initialize(self, id: EntryId, first: u8) {
        let created = self.create_eni(first).await;
        self.give_operation();
        match created {
            Ok((eni, addresses)) => {
                if let Some(entry) = self.state().factory.get(id) {
                    entry.eni = Some(eni);
                }
                self.hand_out(id, eni.id, addresses).await;
                self.work(id, eni.id).await;
            }
            Err(trouble) => {
                self.give_slot().await;
                self.fail_all(id, trouble).await;
            }
        }
    }

    /// The first addresses of an interface, which are read from instance metadata.
    async fn hand_out(&self, id: EntryId, eni: EniId, addresses: Addresses) {
        self.lock(Lock::Addresses, Mode::Read).await;
        self.unlock(Lock::Addresses, Mode::Read);
        self.hold_entry(id);
        for &address in addresses.iter() {
            self.give_outcome(Outcome::Address(Resource { eni, address })).await;
        }
        self.let_entry_go(id);
    }

    fn hold_entry(&self, id: EntryId) {
        let State { factory, scheduler, .. } = &mut *self.state();
        if let Some(entry) = factory.get(id) {
            entry.holder = Some(scheduler.running());
        }
    }

    fn let_entry_go(&self, id: EntryId) {
        let State { factory, scheduler, .. } = &mut *self.state();
        if let Some(entry) = factory.get(id) {
            entry.holder = None;
            entry.waiting.drain(..).for_each(|task| scheduler.wake(task, Wake::Turn));
        }
    }

    /// Everybody who was put on an interface that does not come to be hears of it.
    async fn fail_all(&self, id: EntryId, trouble: Trouble) {
        self.hold_entry(id);
        let most = self.config().sizes.ips_per_eni;
        let mut told = 0;
        while self.state().factory.get(id).is_some_and(|entry| told < entry.pending) {
            self.give_outcome(Outcome::NotCreated(trouble)).await;
            told += 1;
        }
        if let Some(entry) = self.state().factory.get(id) {
            // Nobody asks it for addresses any more.
            entry.pending = most;
        }
        self.let_entry_go(id);
        self.lock(Lock::Factory, Mode::Write).await;
        self.state().factory.remove(id);
        self.unlock(Lock::Factory, Mode::Write);
    }

    /// Asks for addresses of an interface, batch by batch, until it is given up (rules P55 to P57).
    pub async fn work(self, id: EntryId, eni: EniId) {
        while self.has_request(id).await {
            self.sleep(GATHER).await;
            let batch = self.gather(id);
            match self.assign(eni, batch as u8).await {
                Ok(addresses) => {
                    for &address in addresses.iter() {
                        self.give_outcome(Outcome::Address(Resource { eni, address })).await;
                    }
                }
                Err(trouble) => {
                    for _ in 0..batch {
                        self.give_outcome(Outcome::NotAssigned(eni, trouble)).await;
                    }
                }
            }
        }
    }

    /// Waits for a request; `false` = the interface is given up.
    async fn has_request(&self, id: EntryId) -> bool {
        {
            let state = &mut *self.state();
            let worker = state.scheduler.running();
            let Some(entry) = state.factory.get(id) else { return false };
            if entry.backlog > 0 {
                entry.backlog -= 1;
                return true;
            }
            entry.worker = Some(worker);
        }
        matches!(self.park().await, Wake::Turn)
    }

    /// The first request and those behind it.
    fn gather(&self, id: EntryId) -> u32 {
        let cap = self.config().profile.batch_cap;
        let mut state = self.state();
        let Some(entry) = state.factory.get(id) else { return 1 };
        let more = entry.backlog.min(cap.map_or(u32::MAX, |cap| cap - 1));
        entry.backlog -= more;
        1 + more
    }
}

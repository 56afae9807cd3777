//! Where addresses come from: the interfaces of the node, in upstream's order of the moment
//! (`daemon/eni-multi-ip.go`, rules P45 to P67).

use std::collections::VecDeque;

use super::config::Selection;
use super::defect::Defect;
use super::entry::{Entry, EntryId};
use super::pool::Resource;
use super::process::{Process, State};
use super::scheduler::{TaskId, Wake};
use super::sync::{Lock, Mode};
use super::{Attached, Failure, Trouble};
use crate::id::{EniId, VSwitchId};
use crate::ipam::{BATCH, Eni};
use crate::openapi::ErrorCode;
use crate::time::{Instant, Span};

/// Interfaces that are created or deleted at the same time (rule P46).
pub(super) const OPERATIONS: u32 = 3;
/// For so long an interface whose vSwitch had no address is not asked for one (rule P60).
const INHIBITION: Span = Span::mins(10);

/// An address for whoever waits for one, or the news that there is none.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    Address(Resource),
    /// An assign failed: of which interface, and why.
    NotAssigned(EniId, Trouble),
    /// An interface was not created.
    NotCreated(Trouble),
}

/// The interfaces of a node.
#[derive(Debug)]
pub(super) struct Factory {
    /// In the order that the last sort, and what went since, have left (rules P54, G1).
    pub list: Vec<EntryId>,
    /// In the order of their numbers.
    entries: Vec<Entry>,
    next: EntryId,
    slots: u32,
    taken: u32,
    /// Interfaces that could not be deleted (rule P67).
    pub lost: Vec<Eni>,
    /// Who gives a slot back that it never had (rule P107).
    debtors: VecDeque<TaskId>,
}

impl Factory {
    /// The interfaces that a start finds; those beyond the limit have no slot (rule P107).
    pub fn new(slots: u32, attached: &[Attached]) -> Self {
        let (list, entries) = (Vec::new(), Vec::new());
        let mut factory = Self { list, entries, next: 0, slots, taken: 0, lost: Vec::new(), debtors: VecDeque::new() };
        for Attached { eni, addresses, .. } in attached {
            let id = factory.add(0);
            let entry = factory.get(id).expect("it was added");
            (entry.eni, entry.ips) = (Some(*eni), addresses.clone());
            factory.list.push(id);
        }
        factory.taken = slots.min(attached.len() as u32);
        factory
    }

    /// A new entry, which is not in the list yet.
    fn add(&mut self, pending: u32) -> EntryId {
        let id = self.next;
        self.next += 1;
        let entry = Entry {
            id,
            eni: None,
            ips: Vec::new(),
            pending,
            backlog: 0,
            worker: None,
            inhibited_until: Instant::ZERO,
            holder: None,
            waiting: Vec::new(),
        };
        self.entries.push(entry);
        id
    }

    /// The entries of the list, in its order.
    pub fn listed(&self) -> impl Iterator<Item = &Entry> + '_ {
        self.list.iter().map(|&id| &self.entries[place(&self.entries, id).expect("it is listed")])
    }

    /// The entries of interfaces that exist.
    pub fn ready(&self) -> impl Iterator<Item = &Entry> + '_ {
        self.listed().filter(|entry| entry.eni.is_some())
    }

    /// Whether a slot could be taken, be it of somebody who waits to give back what was never there.
    pub fn has_slot(&self) -> bool {
        self.taken < self.slots || !self.debtors.is_empty()
    }

    /// Slots that no interface has, and none in the making.
    pub fn free_slots(&self) -> u32 {
        self.slots - self.taken
    }

    pub fn get(&mut self, id: EntryId) -> Option<&mut Entry> {
        place(&self.entries, id).map(|at| &mut self.entries[at])
    }

    /// The listed entry of an interface.
    pub fn of(&mut self, eni: EniId) -> Option<&mut Entry> {
        let id = self.listed().find(|entry| entry.eni.is_some_and(|found| found.id == eni))?.id;
        self.get(id)
    }

    /// Takes an entry off the list; the last takes its place (rule G1). One that is not there yet
    /// will be, and stays.
    pub fn remove(&mut self, id: EntryId) {
        if let Some(at) = self.list.iter().position(|&listed| listed == id) {
            self.list.swap_remove(at);
            self.entries.remove(place(&self.entries, id).expect("it is listed"));
        }
    }

    /// Whether somebody waits for an interface whose lock `task` holds.
    pub fn is_awaited(&self, task: TaskId) -> bool {
        self.entries.iter().any(|entry| entry.holder == Some(task) && !entry.waiting.is_empty())
    }

    /// The least loaded first; ties keep their order (rules P54, G1).
    pub fn sort(&mut self) {
        let entries = &self.entries;
        self.list.sort_by_key(|&id| entries[place(entries, id).expect("it is listed")].load());
    }
}

/// Where an entry stands.
fn place(entries: &[Entry], id: EntryId) -> Option<usize> {
    entries.binary_search_by_key(&id, |entry| entry.id).ok()
}

impl State {
    /// Takes a slot, which is there.
    fn take_slot(&mut self) {
        match self.factory.debtors.pop_front() {
            Some(debtor) => self.scheduler.wake(debtor, Wake::Turn),
            None => self.factory.taken += 1,
        }
    }

    /// Why no interface can be created, if so: there is no slot, or no permit (rule P63).
    pub fn refuses_eni(&self, refusal: Refusal) -> Option<Failure> {
        let Refusal { inhibited, foreign } = refusal;
        match (self.factory.has_slot(), self.operations.there()) {
            (false, _) => Some(Failure::NoInterface { inhibited, foreign }),
            (true, 0) => Some(Failure::Throttled),
            (true, _) => None,
        }
    }

    /// Asks an interface for one more address, if it takes requests (rule P51).
    fn offer(&mut self, id: EntryId, refusal: &mut Refusal) -> bool {
        let (now, most) = (self.now, self.config.sizes.ips_per_eni);
        let Some(entry) = self.factory.get(id) else { return false };
        if entry.is_inhibited(now) {
            refusal.inhibited = true;
            return false;
        }
        if !entry.has_room(most) {
            return false;
        }
        match entry.worker.take() {
            Some(worker) => self.scheduler.wake(worker, Wake::Turn),
            None => entry.backlog += 1,
        }
        entry.pending += 1;
        true
    }

    /// The order in which interfaces are asked, given that of the vSwitches: of each vSwitch the least
    /// loaded first, those being created last, and none of another vSwitch (rules P50, G8).
    pub fn regrouped(&self, vswitches: &[VSwitchId]) -> Vec<EntryId> {
        let on = |vswitch| {
            let entries = self.factory.listed();
            entries.filter(move |entry| entry.eni.is_some_and(|eni| eni.vswitch == vswitch)).map(|entry| entry.id)
        };
        let created = self.factory.listed().filter(|entry| entry.eni.is_none()).map(|entry| entry.id);
        vswitches.iter().flat_map(|&vswitch| on(vswitch)).chain(created).collect()
    }

    /// Whether no interface can get an address any more (rule P112,
    /// `daemon/eni-multi-ip.go:256-297` of v1.6.0).
    fn is_exhausted(&self, failed: VSwitchId) -> bool {
        let most = self.config.sizes.ips_per_eni;
        let listed = |vswitch| self.config.vswitches.contains(&vswitch);
        let spent = |entry: &Entry| {
            entry.eni.is_some_and(|eni| !listed(eni.vswitch) || entry.load() >= most || eni.vswitch == failed)
        };
        self.factory.list.len() as u32 >= self.config.sizes.max_eni && self.factory.listed().all(spent)
    }
}

/// What the interfaces said that did not take a request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refusal {
    pub inhibited: bool,
    pub foreign: bool,
}

impl Process {
    /// Up to `count` addresses; an error = none (rule P47).
    pub async fn create(&self, count: u32) -> Result<Vec<Resource>, Failure> {
        let (mut refusal, mut promised) = (Refusal::default(), 0);
        while promised < count && self.submit(&mut refusal).await {
            promised += 1;
        }
        let rest = (count - promised).min(self.config().sizes.ips_per_eni).min(BATCH as u32);
        if rest > 0 {
            match self.begin_eni(rest, refusal).await {
                Ok(()) => promised += rest,
                Err(failure) if promised == 0 => return Err(failure),
                Err(_) => {}
            }
        }
        let (mut got, mut failure) = (Vec::new(), Failure::Unserved);
        for _ in 0..promised {
            match self.pop().await {
                Ok(resource) => got.push(resource),
                Err(why) => failure = why,
            }
        }
        if got.is_empty() { Err(failure) } else { Ok(got) }
    }

    /// Asks the interfaces for one more address; whether one takes the request (rules P50, P51).
    async fn submit(&self, refusal: &mut Refusal) -> bool {
        self.lock(Lock::Factory, Mode::Write).await;
        let mut accepted = false;
        for id in self.candidates(refusal).await {
            self.lock_entry(id).await;
            accepted = self.state().offer(id, refusal);
            if accepted {
                break;
            }
        }
        self.unlock(Lock::Factory, Mode::Write);
        accepted
    }

    /// The interfaces in the order in which they are asked (rules P50, P52, P54).
    async fn candidates(&self, refusal: &mut Refusal) -> Vec<EntryId> {
        {
            let factory = &mut self.state().factory;
            if factory.list.len() <= 1 {
                return factory.list.clone();
            }
            factory.sort();
        }
        let vswitches = self.vswitches().await;
        let candidates = self.state().regrouped(&vswitches);
        refusal.foreign |= candidates.is_empty();
        candidates
    }

    /// Waits until an interface has handed its first addresses out. That is a matter of an instant,
    /// unless it waits for room among the results itself (rule A1).
    async fn lock_entry(&self, id: EntryId) {
        let for_ever = {
            let State { config, factory, scheduler, results, .. } = &mut *self.state();
            let models = config.profile.defects.has(Defect::ResultDeadlock);
            let Some(entry) = factory.get(id).filter(|_| models) else { return };
            let Some(holder) = entry.holder else { return };
            entry.waiting.push(scheduler.running());
            results.blocks(holder)
        };
        if for_ever {
            self.stuck(Defect::ResultDeadlock);
        }
        self.park().await;
    }

    /// Begins to create an interface with `first` addresses (rules P63, P64).
    async fn begin_eni(&self, first: u32, refusal: Refusal) -> Result<(), Failure> {
        let id = {
            let state = &mut *self.state();
            if let Some(failure) = state.refuses_eni(refusal) {
                return Err(failure);
            }
            state.take_slot();
            state.operations.try_take(&mut state.scheduler);
            state.factory.add(first)
        };
        self.spawn(|process| async move { process.initialize(id, first as u8).await });
        self.lock(Lock::Factory, Mode::Write).await;
        self.state().factory.list.push(id);
        self.unlock(Lock::Factory, Mode::Write);
        Ok(())
    }

    /// Gives a slot back. One that was never taken is waited for (rule P107).
    pub async fn give_slot(&self) {
        let owes = {
            let state = &mut *self.state();
            let owes = state.factory.taken == 0;
            state.factory.taken -= u32::from(!owes);
            let waits = owes && state.config.profile.defects.has(Defect::SlotDeadlock);
            if waits {
                state.factory.debtors.push_back(state.scheduler.running());
            }
            waits
        };
        if owes {
            self.stuck(Defect::SlotDeadlock);
            self.park().await;
        }
    }

    /// The next result, whoever it was meant for (rules P58 to P61).
    async fn pop(&self) -> Result<Resource, Failure> {
        let outcome = self.take_outcome().await;
        self.lock(Lock::Factory, Mode::Write).await;
        let result = match outcome {
            Outcome::Address(resource) => self.deliver(resource).await,
            Outcome::NotAssigned(eni, trouble) => Err(self.miss(eni, trouble).await),
            Outcome::NotCreated(trouble) => Err(self.not_created(trouble)),
        };
        self.unlock(Lock::Factory, Mode::Write);
        result
    }

    /// An address is the pool's from now on; one of an interface that is not in the list yet is
    /// nobody's (`daemon/eni-multi-ip.go:299`).
    async fn deliver(&self, resource: Resource) -> Result<Resource, Failure> {
        let id = {
            let mut state = self.state();
            let entry = state.factory.of(resource.eni).ok_or(Failure::Unserved)?;
            entry.pending -= 1;
            entry.id
        };
        self.lock_entry(id).await;
        self.state().factory.get(id).expect("the list is locked").ips.push(resource.address);
        Ok(resource)
    }

    /// An assign has failed: its interface rests if its vSwitch is empty (rules P59, P60, P61).
    async fn miss(&self, eni: EniId, trouble: Trouble) -> Failure {
        self.crash_if(|state| state.factory.listed().any(|entry| entry.eni.is_none())).await;
        let is_empty = trouble == Trouble::Api(ErrorCode::IpNotEnough);
        let vswitch = {
            let mut state = self.state();
            let until = state.now + INHIBITION;
            state.factory.of(eni).and_then(|entry| {
                entry.pending -= 1;
                if is_empty {
                    entry.inhibited_until = until;
                }
                entry.eni.map(|eni| eni.vswitch).filter(|_| is_empty)
            })
        };
        let short = match vswitch {
            Some(vswitch) => self.is_exhausted(vswitch).await,
            // `daemon/eni-multi-ip.go:328` of v1.6.0.
            None => self.config().profile.pauses_when_short && trouble == Trouble::Api(ErrorCode::SecurityGroup),
        };
        Failure::NotAssigned { trouble, short }
    }

    /// Whether a failed assign on `vswitch` counts as a shortage (rule P112).
    async fn is_exhausted(&self, vswitch: VSwitchId) -> bool {
        let config = self.config();
        if !config.profile.pauses_when_short || config.selection != Selection::Ordered {
            return false;
        }
        self.vswitches().await;
        self.state().is_exhausted(vswitch)
    }

    /// A creation has failed; it counts as a shortage if there was no other vSwitch to try (rule P112,
    /// `daemon/eni.go:286-317` of v1.6.0).
    fn not_created(&self, trouble: Trouble) -> Failure {
        let config = self.config();
        let no_other = config.vswitches.len() == 1 || config.selection == Selection::Ordered;
        let short = config.profile.pauses_when_short
            && match trouble {
                Trouble::Api(ErrorCode::IpNotEnough) => no_other,
                Trouble::Api(code) => matches!(code, ErrorCode::EniPerInstance | ErrorCode::SecurityGroup),
                Trouble::Incomplete | Trouble::NotShown => false,
            };
        Failure::NotCreated { trouble, short }
    }

    /// Upstream looks through interfaces and dereferences one that is not there yet (rule P61).
    async fn crash_if(&self, meets_nil: impl FnOnce(&State) -> bool) {
        let crashes = {
            let state = self.state();
            state.config.profile.defects.has(Defect::NilInterface) && meets_nil(&state)
        };
        if crashes {
            self.crash(Defect::NilInterface).await;
        }
    }

    /// Gives an address back, and the interface with its last; whether that went well (rule P67).
    pub async fn dispose(&self, resource: Resource) -> bool {
        self.lock(Lock::Factory, Mode::Read).await;
        self.crash_if(|state| state.factory.listed().any(|entry| entry.eni.is_none())).await;
        let id = {
            let mut state = self.state();
            state.factory.of(resource.eni).filter(|entry| entry.ips.contains(&resource.address)).map(|entry| entry.id)
        };
        if let Some(id) = id {
            self.lock_entry(id).await;
        }
        self.unlock(Lock::Factory, Mode::Read);
        let Some(id) = id else { return false };
        let (is_last, is_busy, eni) = {
            let most = self.config().sizes.ips_per_eni;
            let mut state = self.state();
            let entry = state.factory.get(id).expect("the maintenance alone gives interfaces up");
            let last = (entry.ips.len() == 1, entry.pending > 0);
            if last == (true, false) {
                // Nobody asks it for addresses any more.
                entry.pending = most;
            }
            (last.0, last.1, entry.eni.expect("it has an address"))
        };
        if is_last {
            return !is_busy && self.give_up(id, eni).await;
        }
        if eni.primary == resource.address || !self.unassign(resource).await {
            return false;
        }
        let state = &mut *self.state();
        state.gone.remove(&resource);
        if let Some(entry) = state.factory.get(id) {
            entry.ips.retain(|&address| address != resource.address);
        }
        true
    }

    /// Deletes an interface (rules P67, P82); if that fails, its slot is lost, and the pool keeps its address.
    async fn give_up(&self, id: EntryId, eni: Eni) -> bool {
        self.lock(Lock::Factory, Mode::Write).await;
        self.crash_if(|state| {
            let mut before = state.factory.listed().take_while(|entry| entry.id != id);
            before.any(|entry| entry.eni.is_none())
        })
        .await;
        let worker = self.state().factory.get(id).and_then(|entry| entry.worker.take());
        self.state().factory.remove(id);
        if let Some(worker) = worker {
            self.state().scheduler.wake(worker, Wake::Time);
        }
        self.unlock(Lock::Factory, Mode::Write);
        self.take_operation().await;
        let deleted = self.delete_eni(eni.id, Instant::NEVER).await;
        self.give_operation();
        if deleted {
            self.state().gone.retain(|resource, _| resource.eni != eni.id);
            self.give_slot().await;
        } else {
            self.state().factory.lost.push(eni);
        }
        deleted
    }
}

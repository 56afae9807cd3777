//! Short cuts with the same outcome: what a goroutine would do without waiting for anybody is done
//! without one, and what loops would look at in vain while the daemon rests is made up for.

use super::defect::Defect;
use super::entry::Entry;
use super::factory::Refusal;
use super::pool::Resource;
use super::process::State;
use super::sync::{Lock, Mode};
use super::{Failure, Output};
use crate::id::PodId;
use crate::ipam::Release;
use crate::time::{Instant, Span};

impl State {
    /// AllocIP of a pod for which there is an address, or can be none, at once (rule P23); `false` =
    /// it takes a goroutine.
    pub fn allocate_at_once(&mut self, pod: PodId) -> bool {
        if !self.is_quiet() || self.is_short() {
            return false;
        }
        let preferred = self.legacy.rows.get(pod);
        match self.take_one(pod, preferred) {
            Ok(None) => match self.refuse_at_once() {
                Some(failure) => self.outputs.push_back(Output::Failed(pod, failure)),
                None => return false,
            },
            Ok(Some((resource, retained))) => {
                if !retained {
                    self.notify_unless_balanced();
                }
                self.answer(pod, resource, retained);
            }
            Err(failure) => self.outputs.push_back(Output::Failed(pod, failure)),
        }
        true
    }

    /// ReleaseIP of an address that becomes idle at once (rule P38); `false` = it takes a goroutine.
    pub fn release_at_once(&mut self, Release { pod, eni, address, .. }: Release) -> bool {
        let resource = Resource { eni, address };
        let had = self.pool.in_use.contains_key(&resource);
        if !had || !self.is_quiet() || !self.admits(Lock::Addresses, Mode::Read) || !self.shows(resource) {
            return false;
        }
        self.pool.in_use.remove(&resource);
        self.pool.add_idle(resource, self.now);
        self.notify_unless_balanced();
        self.short_until = self.now;
        self.legacy.rows.remove(pod);
        self.outputs.push_back(Output::Released(pod, eni));
        true
    }

    /// Why no address can be created, if that is so and takes no call to find out (rules P50, P51, P63).
    fn refuse_at_once(&mut self) -> Option<Failure> {
        self.refuses_through()?;
        let foreign = self.candidates_anyhow().next().is_none() && self.factory.list.len() > 1;
        let inhibited = self.candidates_anyhow().any(|entry| entry.is_inhibited(self.now));
        if self.factory.list.len() > 1 {
            // Both orders stay for the next request, though nobody takes this one.
            self.factory.sort();
            self.order_vswitches();
        }
        self.refuses_eni(Refusal { inhibited, foreign })
    }

    /// If no address can be created now, and it takes no call to find out, how long that lasts while
    /// nothing else happens.
    fn refuses_through(&self) -> Option<Instant> {
        let defects = self.config.profile.defects;
        let is_calm = self.tokens.is_calm() && self.admits(Lock::Factory, Mode::Write);
        if !is_calm || defects.has(Defect::ResultDeadlock) {
            return None;
        }
        self.refuses_eni(Refusal::default())?;
        let most = self.config.sizes.ips_per_eni;
        let mut through = if self.factory.list.len() > 1 { self.counts_through()? } else { Instant::NEVER };
        for entry in self.candidates_anyhow().filter(|entry| entry.has_room(most)) {
            through = through.min(entry.is_inhibited(self.now).then(|| entry.inhibited_until - Span(1))?);
        }
        Some(through)
    }

    /// The entries that are asked for an address, in any order (rule P50).
    fn candidates_anyhow(&self) -> impl Iterator<Item = &Entry> {
        let is_only = self.factory.list.len() <= 1;
        let is_listed = move |entry: &&Entry| match entry.eni {
            Some(eni) => is_only || self.config.vswitches.contains(&eni.vswitch),
            None => true,
        };
        self.factory.listed().filter(is_listed)
    }

    /// If nothing comes of requests at `now` but refusals, the time through which that lasts: no call is
    /// made, nobody gets an address, none is given back.
    pub fn barren_through(&self, now: Instant, wake: Instant) -> Option<Instant> {
        let is_quiet = self.is_quiet() && !self.config.profile.pauses_when_short && !self.legacy.rows.has_gone();
        if !is_quiet || self.pool.idle.len() > 0 {
            return None;
        }
        let is_full = self.pool.size() >= self.config.sizes.capacity;
        let refused = if is_full { Instant::NEVER } else { self.refuses_through()? };
        let through = refused.min(wake - Span(1));
        (through > now).then_some(through)
    }

    /// Whether a call that comes now runs to its end before anybody else does anything, as far as the
    /// locks of the service and of the pool go.
    fn is_quiet(&self) -> bool {
        self.legacy.takes_short_cuts
            && self.scheduler.is_idle()
            && self.admits(Lock::Service, Mode::Read)
            && self.admits(Lock::Pool, Mode::Write)
    }

    /// Wakes the maintenance in a quiet daemon, unless it would find nothing to do.
    fn notify_unless_balanced(&mut self) {
        if self.maintenance.waits.is_none() || !self.pool.is_balanced() {
            self.notify();
        }
    }

    /// Whether the next collection may do anything, be it to wait for a call.
    pub fn collects(&self) -> bool {
        let in_vain = !self.legacy.rows.has_gone() && self.admits(Lock::Service, Mode::Write);
        !in_vain || !self.legacy.takes_short_cuts
    }

    /// Whether the next tick may do anything: something goes on beside workers that wait for requests,
    /// or the pool or instance metadata is not as it should be (rules P34, P36).
    pub fn ticks(&self) -> bool {
        let workers = self.factory.listed().filter(|entry| entry.worker.is_some()).count();
        let in_vain = self.scheduler.alive() == workers + 1
            && self.pool.is_settled()
            && self.gone.is_empty()
            && self.legacy.orphans.is_empty()
            && self.factory.ready().all(|entry| entry.eni.is_some_and(|eni| self.attached.contains(&eni.id)));
        !in_vain || !self.legacy.takes_short_cuts
    }

    /// Makes up for the ticks and collections up to `now` that find nothing.
    pub fn rest_until(&mut self, now: Instant) {
        if self.maintenance.waits.is_some() && self.maintenance.next_tick <= now && !self.ticks() {
            let before = if self.collects() { self.next_gc } else { Instant::NEVER };
            while self.maintenance.next_tick <= now && self.maintenance.next_tick < before {
                let period = self.tick_period();
                self.maintenance.next_tick += period;
            }
        }
        if self.next_gc <= now && !self.collects() {
            let period = self.config.gc_period.expect("it is due");
            let missed = now.since(self.next_gc).0 / period.0 + 1;
            self.next_gc += Span(period.0 * missed);
        }
    }
}

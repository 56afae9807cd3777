//! Pods get addresses, and the places are found where more are ordered: the steps of a run from
//! its pods to its plan, and what follows once the plan is carried out (C30 to C33, C52 to C64).

use super::super::binding::{Affairs, Unserved, bind, release};
use super::super::call::Kind;
use super::super::condition;
use super::super::demand::Demand;
use super::super::placement::{Place, chosen, is_candidate, places, spread};
use super::super::{Controller, Degradation, NicState, merge, prefix, reclaim};
use super::{Run, Stage};
use crate::ipam::node_local::pool_sync::to_delete;
use crate::time::Instant;

/// A plan in the making: the places up to `next` are checked.
#[derive(Debug)]
pub(super) struct Checking {
    places: Vec<Place>,
    next: usize,
    demand: Demand,
    /// Pods that wait for RDMA addresses (C55).
    erdma: u32,
}

impl Controller {
    /// Addresses of pods that are gone are freed, idle ones bound; then more are planned.
    pub(super) fn serve(&mut self, now: Instant, run: &mut Run) {
        let affairs = self.affairs(run);
        run.is_to_bind = affairs.bind;
        if affairs.release {
            release(&mut run.status, &run.pods, &self.nodes[run.node.index()].deleted);
        }
        if let Some(wanted) = run.config.prefixes() {
            return self.plan_prefixes(now, run, wanted);
        }
        let waiting = self.bind(now, run);
        // Only now: pods that the new interfaces will serve are still counted as waiting (C52).
        self.apply_tasks(run);
        if self.settings.degradation == Degradation::L0 {
            return self.bind_again(now, run);
        }
        let places = places(&run.config, &run.status, &mut self.chance);
        let demand = Demand::of(&run.config, run.status.idle(), waiting.plain, run.status.warm_up);
        self.check(now, run, Checking { places, next: 0, demand, erdma: waiting.erdma });
    }

    /// What there is to do for the pods of a run, or more.
    fn affairs(&self, run: &Run) -> Affairs {
        let node = &self.nodes[run.node.index()];
        let found = || Affairs::of(&run.status, &run.pods, &node.deleted, run.config.dual);
        if node.is_touched || !run.status.is_untouched(&node.stored) {
            return found();
        }
        assert!(!self.is_thorough || node.affairs.cover(found()), "node {:?} has lost sight of its pods", run.node);
        node.affairs
    }

    pub(super) fn checked(&mut self, now: Instant, run: &mut Run, mut checking: Checking, free: Option<u32>) {
        judge(&mut checking.places[checking.next], free);
        checking.next += 1;
        self.check(now, run, checking);
    }

    /// Every interface's vSwitch is looked at, even without demand (C60).
    fn check(&mut self, now: Instant, run: &mut Run, mut checking: Checking) {
        while let Some(place) = checking.places.get_mut(checking.next) {
            if let Some(eni) = place.eni.filter(|&eni| is_candidate(&run.status, eni)) {
                let Some(free) = self.look_up(now, run.status.nics[&eni].vswitch, run.node) else {
                    run.stage = Stage::Checking(checking);
                    return;
                };
                judge(place, Some(free));
            }
            checking.next += 1;
        }
        let Checking { mut places, demand, erdma, .. } = checking;
        let tasks = &self.nodes[run.node.index()].memory.tasks;
        let pending = |eni| tasks.get(eni).map(|task| task.asked.addresses);
        let is_rdma = |kind| kind == Kind::HighPerformance;
        spread(&run.config, &run.status, &mut places, demand.total(), |kind| !is_rdma(kind), pending);
        spread(&run.config, &run.status, &mut places, erdma, is_rdma, pending);
        self.choose(now, run, places);
    }

    /// Prefix mode: new interfaces first (C126).
    fn plan_prefixes(&mut self, now: Instant, run: &mut Run, wanted: u32) {
        let mut places = places(&run.config, &run.status, &mut self.chance);
        let tasks = &self.nodes[run.node.index()].memory.tasks;
        let pending = |eni| tasks.get(eni).map(|task| task.asked.prefixes);
        prefix::plan(&run.config, &run.status, &mut places, wanted, pending);
        self.choose(now, run, places);
    }

    /// A run serves one place at most (C66).
    fn choose(&mut self, now: Instant, run: &mut Run, places: Vec<Place>) {
        let is_attaching = self.nodes[run.node.index()].memory.tasks.is_attaching();
        match chosen(&places, is_attaching) {
            Some(place) => self.act(now, run, places, place),
            None => self.acted(now, run, &places),
        }
    }

    /// The plan is carried out, or was nothing.
    pub(super) fn acted(&mut self, now: Instant, run: &mut Run, places: &[Place]) {
        if run.config.prefixes().is_some() {
            self.apply_tasks(run);
            return self.top_up(now, run);
        }
        let node = &mut self.nodes[run.node.index()];
        let sufficient = condition::is_sufficient(&run.status, places);
        if node.pulse.say(now, sufficient) {
            self.queue.add(run.node);
        }
        condition::mark(now, &mut run.status, places);
        self.bind_again(now, run);
    }

    fn bind(&mut self, now: Instant, run: &mut Run) -> Unserved {
        if !run.is_to_bind {
            return Unserved::default();
        }
        bind(now, &mut run.status, &run.pods, run.config.dual, &mut self.chance)
    }

    fn bind_again(&mut self, now: Instant, run: &mut Run) {
        self.bind(now, run);
        self.clean(now, run);
    }

    /// The last steps of a run before its write.
    pub(super) fn settle(&mut self, now: Instant, run: &mut Run) {
        if run.config.prefixes().is_none() {
            let warm_up = run.status.warm_up;
            if !warm_up.completed && warm_up.allocated >= warm_up.target {
                run.status.warm_up.completed = true;
            }
            self.shrink(now, run);
        }
        self.write(now, run);
    }

    /// Marks what the pool has too much of; the next run gives it back (C102 to C108).
    fn shrink(&mut self, now: Instant, run: &mut Run) {
        let period = self.period(&run.config);
        let pulse = &mut self.nodes[run.node.index()].pulse;
        if self.settings.degradation != Degradation::None || !pulse.collect(now, period) {
            return;
        }
        let (config, status) = (&run.config, &run.status);
        let (reclaim, modified, mut next) = (config.reclaim.as_ref(), status.last_modified, status.next_reclaim);
        let jitter = self.settings.jitter.then_some(&mut self.chance);
        let surplus = to_delete(now, config.watermarks(), status.idle(), reclaim, modified, &mut next, jitter).total();
        if next != status.next_reclaim {
            run.status.next_reclaim = next;
        }
        if let Ok(surplus @ 1..) = u32::try_from(surplus) {
            reclaim::mark(&mut run.status, surplus, &mut self.chance);
        }
    }

    /// Takes over the results of attach tasks (C89).
    fn apply_tasks(&mut self, run: &mut Run) {
        let memory = &mut self.nodes[run.node.index()].memory;
        for (eni, result) in memory.tasks.ended() {
            let Some(nic) = run.status.nics.get_mut(&eni) else { continue };
            match result {
                Some(found) => {
                    merge::attached(nic, &found);
                    let size = nic.size();
                    run.status.warm_up.count(size);
                }
                None => nic.state = NicState::Deleting,
            }
            memory.changed = true;
            run.processed.push(eni);
        }
    }
}

/// Whether an existing interface may take addresses, now that its vSwitch was looked up (C60). A
/// look-up that failed says nothing.
fn judge(place: &mut Place, free: Option<u32>) {
    place.eligible = free.is_some_and(|free| free > 0);
    place.short = free == Some(0);
}

//! What befalls nodes: interruptions, crashes, outages of zones.

use std::collections::BTreeSet;

use super::nodes::Power;
use super::pods::Phase;
use super::{Control, World};
use crate::chance::{SpanDist, Stream};
use crate::id::NodeId;
use crate::model::AfterCrash;
use crate::text::text;
use crate::time::{Instant, Span};

/// Something that will happen to a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    node: NodeId,
    what: What,
    /// [`super::nodes::NodeNote::life`] at which it was made; `None` = whatever becomes of the node.
    life: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The cloud gives notice that it takes the instance back.
    Interrupt,
    Crash,
    /// The control plane finds out that the node is down.
    NotReady,
    /// Its pods are told to end, if it has been given up since then.
    Evict(Instant),
    Reboot,
    Release,
    /// The kubelet starts its daemon again.
    Revive,
    /// Its turn in a restart of Terway is over.
    TurnOver(usize),
}

impl World<'_> {
    /// A node joined: what will befall it is drawn.
    pub(super) fn plan_trouble(&mut self, node: NodeId) {
        let pool = self.pool_of(node);
        if let Some(interruptions) = &self.model.node_pools[pool].interruptions {
            let after = exponential(interruptions.every, &mut self.pools[pool].trouble);
            self.plan(after, node, What::Interrupt, None);
        }
        self.plan_crash(node);
    }

    fn plan_crash(&mut self, node: NodeId) {
        let pool = self.pool_of(node);
        if let Some(crashes) = &self.model.node_pools[pool].crashes {
            let after = exponential(crashes.every, &mut self.pools[pool].trouble);
            self.plan(after, node, What::Crash, Some(self.nodes[node.index()].life));
        }
    }

    pub(super) fn plan(&mut self, after: Span, node: NodeId, what: What, life: Option<u32>) {
        let at = self.engine.now() + after;
        if at <= self.horizon {
            let slot = self.plans.insert(Plan { node, what, life });
            self.engine.control_at(at, Control::Plan(slot).pack());
        }
    }

    /// What was planned for a node is due, unless it has become pointless.
    pub(super) fn plan_due(&mut self, slot: usize) {
        let Plan { node, what, life } = self.plans.remove(slot);
        if let What::TurnOver(action) = what {
            return self.turn_over(action, node);
        }
        let note = &self.nodes[node.index()];
        if !note.exists() || life.is_some_and(|life| life != note.life) {
            return;
        }
        match what {
            What::Interrupt => self.interrupt(node),
            What::Crash => self.crash(node),
            What::NotReady => self.node_not_ready(node),
            What::Evict(since) => self.evict(node, since),
            What::Reboot => {
                self.node_up(node);
                self.follow_pool(self.pool_of(node));
            }
            What::Release => self.release(node),
            What::Revive => self.revive_terway(node),
            What::TurnOver(_) => unreachable!("it counts whatever becomes of the node"),
        }
    }

    /// The cloud takes an instance back, after its notice.
    fn interrupt(&mut self, node: NodeId) {
        let interruptions = self.model.node_pools[self.pool_of(node)].interruptions.expect("the pool has them");
        if interruptions.notice == Span::ZERO {
            self.release(node);
            return;
        }
        self.plan(interruptions.notice, node, What::Release, None);
        self.drain(node);
        self.follow_pool(self.pool_of(node));
    }

    fn crash(&mut self, node: NodeId) {
        let pool = self.pool_of(node);
        let then = self.model.node_pools[pool].crashes.as_ref().expect("the pool has them").then.clone();
        self.node_down(node);
        let (what, after) = match &then {
            AfterCrash::Reboot(after) => (What::Reboot, after),
            AfterCrash::Release(after) => (What::Release, after),
        };
        let after = after.sample(&mut self.pools[pool].trouble);
        self.plan(after, node, what, Some(self.nodes[node.index()].life));
    }

    /// A node stops working. The control plane finds out when it misses its signs, and evicts its
    /// pods later still; nobody on the node hears of that.
    fn node_down(&mut self, node: NodeId) {
        self.engine.node_down(node);
        let now = self.engine.now();
        let name = self.node_name(node);
        self.engine.observer.event(now, "node_down", || name, || text!("down"));
        let note = &mut self.nodes[node.index()];
        (note.power, note.restarted_by, note.dead, note.back_off) = (Power::Down, None, false, None);
        note.life += 1;
        let life = Some(note.life);
        self.load_changed(node);
        let note = &self.nodes[node.index()];
        for &pod in &note.pods {
            self.engine.set_timer(pod, Instant::NEVER);
        }
        self.plan(self.model.control_plane.node_monitor_grace, node, What::NotReady, life);
    }

    fn node_not_ready(&mut self, node: NodeId) {
        self.scheduler.set_schedulable(node, false);
        self.lost(node);
        for pod in self.nodes[node.index()].pods.clone() {
            self.not_ready(pod);
            self.changed(self.workload_of(pod));
        }
        // A scaling group replaces instances that have stopped, not those that hang.
        if self.nodes[node.index()].in_outage {
            self.count_out(node);
            self.follow_pool(self.pool_of(node));
        }
    }

    /// A node works again: pods that were told to end are gone, the others go on. Its pool has to be followed.
    fn node_up(&mut self, node: NodeId) {
        let note = &self.nodes[node.index()];
        if self.zone_is_out(note.group) {
            // It comes back with its zone.
            self.nodes[node.index()].in_outage = true;
            return;
        }
        for pod in note.pods.clone() {
            if self.note(pod).phase == Phase::Ending {
                self.finish_pod(pod);
            }
        }
        let note = &mut self.nodes[node.index()];
        note.power = Power::Up;
        note.in_outage = false;
        note.life += 1;
        self.not_lost(node);
        let note = &self.nodes[node.index()];
        let (group, draining) = (note.group, note.draining);
        let (now, name) = (self.engine.now(), self.node_name(node));
        self.engine.observer.event(now, "node_up", || name, || text!("up"));
        self.engine.node_up(node, &self.groups[group].daemon);
        self.engine.observer.enis_changed(node, self.engine.cloud.node_enis(node).0);
        self.refresh_all();
        for pod in self.nodes[node.index()].pods.clone() {
            match self.note(pod).phase {
                Phase::Starting | Phase::Ready => self.start_again(pod),
                // That of a trace departs whether it has its address or not.
                Phase::Creating => self.engine.set_timer(pod, self.note(pod).end),
                _ => {}
            }
        }
        self.plan_crash(node);
        if draining {
            self.drained(node);
            return;
        }
        self.scheduler.set_schedulable(node, !self.nodes[node.index()].unready);
        self.look_whether_ready(node);
        self.place_again = true;
        let pool = self.pool_of(node);
        if !std::mem::replace(&mut self.nodes[node.index()].counted, true) {
            self.pools[pool].counted += 1;
        }
        self.load_changed(node);
    }

    /// A zone fails, with every node in it.
    pub(super) fn zone_fails(&mut self, zone: &str) {
        self.zones_out.push(zone.to_owned());
        let now = self.engine.now();
        self.engine.observer.landmark(now, "zone_outage", zone.to_owned(), text!("{zone} fails", zone));
        for node in (0..self.nodes.len()).map(NodeId::new) {
            let note = &mut self.nodes[node.index()];
            if note.works() && self.groups[note.group].zone == zone {
                note.in_outage = true;
                self.node_down(node);
            }
        }
    }

    /// A zone is back, and with it the nodes that failed with it.
    pub(super) fn zone_returns(&mut self, zone: &str) {
        let position = self.zones_out.iter().position(|out| out == zone).expect("its outage began");
        self.zones_out.remove(position);
        if self.zones_out.iter().any(|out| out == zone) {
            // Another outage of it is not over.
            return;
        }
        let now = self.engine.now();
        self.engine.observer.landmark(now, "zone_back", zone.to_owned(), text!("{zone} is back", zone));
        let mut pools = BTreeSet::new();
        for node in (0..self.nodes.len()).map(NodeId::new) {
            let note = &self.nodes[node.index()];
            if note.power == Power::Down && note.in_outage && self.groups[note.group].zone == zone {
                self.node_up(node);
                pools.insert(self.pool_of(node));
            }
        }
        // All are back before anybody counts them.
        pools.into_iter().for_each(|pool| self.follow_pool(pool));
    }

    pub(super) fn zone_is_out(&self, group: usize) -> bool {
        self.zones_out.contains(&self.groups[group].zone)
    }
}

fn exponential(mean: Span, chance: &mut Stream) -> Span {
    SpanDist::Exponential(mean).sample(chance)
}

//! What is done while the run goes on: when an action begins, what it does, and when it is complete.

use std::collections::{BTreeMap, BTreeSet};

use super::restart::Roll;
use super::{Control, World};
use crate::id::{NodeId, VSwitchId};
use crate::ipam::Config;
use crate::model::{Condition, Deed, Model, Portion, Trigger};
use crate::record::Reach;
use crate::sim::engine::Happening;
use crate::time::Instant;

/// How far the actions are.
#[derive(Debug)]
pub(super) struct State {
    /// Actions whose condition has not held yet.
    watched: Vec<usize>,
    /// Actions that are not complete yet.
    pub under_way: BTreeMap<usize, Pending>,
    /// vSwitches that were added.
    added: Vec<VSwitchId>,
}

/// What an action waits for before it is complete.
#[derive(Debug)]
pub(super) enum Pending {
    /// Daemons that are restarted.
    Restart(Roll),
    /// Nodes that are to be released.
    Release(BTreeSet<NodeId>),
    /// The end of an outage.
    Outage,
}

impl State {
    pub fn new(model: &Model) -> Self {
        let on_condition = |&action: &usize| matches!(model.actions[action].trigger, Trigger::When(_));
        Self {
            watched: (0..model.actions.len()).filter(on_condition).collect(),
            under_way: BTreeMap::new(),
            added: Vec::new(),
        }
    }
}

impl World<'_> {
    /// Sets the events of the actions that have a time.
    pub(super) fn plan_actions(&mut self) {
        for (index, action) in self.model.actions.iter().enumerate() {
            if let Trigger::At(at) = action.trigger {
                self.plan_action(at, index);
            }
        }
    }

    /// The next happening not later than `until`. Conditions, as long as there are any, are looked
    /// at whenever everything of an instant has happened: what several events of an instant come to
    /// counts, not their order.
    pub(super) fn step(&mut self, until: Instant) -> Option<Happening> {
        while !self.actions.watched.is_empty() {
            let happening = self.engine.step(self.engine.now());
            if happening.is_some() {
                return happening;
            }
            if self.begin_the_first_that_holds() {
                continue;
            }
            let Some(next) = self.engine.next_time().filter(|&at| at <= until) else { break };
            let happening = self.engine.step(next);
            if happening.is_some() {
                return happening;
            }
        }
        self.read_ahead();
        self.engine.step(until)
    }

    /// An action begins.
    pub(super) fn begin_action(&mut self, index: usize) {
        let action = &self.model.actions[index];
        let now = self.engine.now();
        self.engine.observer.action_begins(now, index, action);
        if let Some(pending) = self.act(index, &action.deed) {
            self.actions.under_way.insert(index, pending);
        }
        self.complete_if_done(index);
    }

    /// The outage that an action made is over.
    pub(super) fn action_ends(&mut self, index: usize) {
        let Deed::LoseZone { zone, .. } = &self.model.actions[index].deed else { unreachable!("it was an outage") };
        self.zone_returns(zone);
        self.actions.under_way.remove(&index);
        self.complete_if_done(index);
    }

    /// A node is released: actions that waited for the last of their nodes are complete.
    pub(super) fn released_for_actions(&mut self, node: NodeId) {
        self.starts_no_more(node);
        let mut touched = Vec::new();
        for (&index, pending) in &mut self.actions.under_way {
            if let Pending::Release(nodes) = pending
                && nodes.remove(&node)
            {
                touched.push(index);
            }
        }
        for index in touched {
            self.complete_if_done(index);
        }
    }

    /// An action that waits for nothing more is complete; those that come after it are planned.
    pub(super) fn complete_if_done(&mut self, index: usize) {
        if self.actions.under_way.get(&index).is_some_and(Pending::goes_on) {
            return;
        }
        self.actions.under_way.remove(&index);
        let now = self.engine.now();
        let reach = (!self.actions.added.is_empty()).then(|| self.reach());
        self.engine.observer.action_complete(now, index, &self.model.actions[index], reach);
        for (later, action) in self.model.actions.iter().enumerate() {
            if let Trigger::After { action, delay } = action.trigger
                && action == index
            {
                self.plan_action(now + delay, later);
            }
        }
    }

    fn plan_action(&mut self, at: Instant, index: usize) {
        // What begins with the end would only be seen half-begun.
        if at < self.horizon {
            self.engine.control_at(at, Control::Action(index).pack());
        }
    }

    /// Begins the first action whose condition holds; says whether there is one.
    fn begin_the_first_that_holds(&mut self) -> bool {
        let now = self.engine.now();
        if now >= self.horizon || now < Instant::ZERO + self.model.warm_up {
            return false;
        }
        let holds = |&index: &usize| match &self.model.actions[index].trigger {
            Trigger::When(condition) => self.holds(condition),
            Trigger::At(_) | Trigger::After { .. } => unreachable!("only conditions are watched"),
        };
        let Some(position) = self.actions.watched.iter().position(holds) else { return false };
        let index = self.actions.watched.remove(position);
        self.begin_action(index);
        self.settle();
        true
    }

    fn holds(&self, condition: &Condition) -> bool {
        let level = self.engine.observer.level(condition.level);
        level.is_some_and(|level| condition.comparison.holds(level, condition.than))
    }

    /// Does what is to be done; the answer is what remains to be waited for.
    fn act(&mut self, index: usize, deed: &Deed) -> Option<Pending> {
        match deed {
            Deed::AddVSwitch(id) => self.add_vswitch(*id),
            Deed::EditEniConfig(daemons) => self.edit_eni_config(daemons),
            Deed::RestartTerway(restart) => return Some(Pending::Restart(self.begin_restart(index, restart))),
            Deed::ScaleWorkload { workload, replicas } => self.scale_workload(*workload, *replicas),
            Deed::ScaleNodePool { pool, nodes } => self.scale_pool(*pool, *nodes),
            Deed::ReplaceNodes { pool, max_surge, max_unavailable } => {
                return Some(Pending::Release(self.begin_replacement(*pool, (*max_surge, *max_unavailable))));
            }
            Deed::Drain { pool, nodes } => return Some(Pending::Release(self.drain_some(*pool, *nodes))),
            Deed::LoseZone { zone, lasts } => {
                let back = self.engine.now() + *lasts;
                self.engine.control_at(back, Control::ActionEnd(index).pack());
                self.zone_fails(zone);
                return Some(Pending::Outage);
            }
            Deed::LimitApi { api, limit } => self.engine.cloud.limit(*api, *limit),
        }
        None
    }

    fn add_vswitch(&mut self, id: VSwitchId) {
        self.engine.cloud.add_vswitch(id);
        let (now, usage) = (self.engine.now(), self.engine.cloud.usage(id));
        self.engine.observer.vswitch_added(now, id, &usage);
        self.actions.added.push(id);
    }

    fn edit_eni_config(&mut self, daemons: &[Config]) {
        for (group, daemon) in self.groups.iter_mut().zip(daemons) {
            group.daemon = daemon.clone();
        }
        self.new_nodes_are_edited();
        for (i, note) in self.nodes.iter().enumerate().filter(|(_, note)| note.exists()) {
            self.engine.edit_config(NodeId::new(i), &self.groups[note.group].daemon);
        }
    }

    /// A workload has this many pods from now on.
    fn scale_workload(&mut self, workload: usize, replicas: u32) {
        let state = &mut self.workloads[workload];
        (state.wanted, state.scaled, state.hpa) = (replicas, true, None);
        if !self.model.workloads[workload].pod.host_network {
            self.changed(workload);
        }
    }

    /// A pool has this many nodes from now on.
    fn scale_pool(&mut self, pool: usize, nodes: u32) {
        self.pools[pool].scaled = Some(nodes);
        self.follow_pool(pool);
    }

    /// Drains some of a pool's nodes, the first to join first.
    fn drain_some(&mut self, pool: usize, nodes: Portion) -> BTreeSet<NodeId> {
        let staying = self.staying(pool);
        let count = nodes.up(staying.len() as u32).min(staying.len() as u32);
        let drained = &staying[..count as usize];
        for &node in drained {
            self.drain(node);
        }
        self.follow_pool(pool);
        drained.iter().copied().collect()
    }

    /// Who can use the vSwitches that were added, of the nodes in their zones.
    fn reach(&self) -> Reach {
        let mut reach = Reach::default();
        let zone_of = |id: &VSwitchId| &self.model.vpc.vswitches[id.index()].zone;
        let is_near = |node: &NodeId| {
            let state = &self.nodes[node.index()];
            let zone = &self.groups[state.group].zone;
            state.works() && self.actions.added.iter().any(|id| zone_of(id) == zone)
        };
        for node in (0..self.nodes.len()).map(NodeId::new).filter(is_near) {
            let known = self.engine.candidates_to_come(node);
            let mut candidates = self.actions.added.iter().filter(|id| known.contains(id)).peekable();
            reach.nodes += 1;
            reach.configured += u32::from(candidates.peek().is_some());
            reach.able += u32::from(candidates.any(|&id| self.engine.has_way_to(node, id)));
        }
        reach
    }
}

impl Pending {
    fn goes_on(&self) -> bool {
        match self {
            Self::Restart(roll) => roll.goes_on(),
            Self::Release(nodes) => !nodes.is_empty(),
            Self::Outage => true,
        }
    }
}

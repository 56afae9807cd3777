//! Runs that only free and bind addresses of a node that is in order otherwise, as nearly all are that
//! do anything. They come out as if they were [gone through](super::reconcile), chance included, but
//! look at nothing else and copy nothing. Any doubt, and the run is gone through.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::binding::{Affairs, ListedPod, Spot, all_addresses, by_key, spots};
use super::config::{Degradation, NodeConfig};
use super::demand::Demand;
use super::node::Node;
use super::placement::is_candidate;
use super::resource::{Binding, Ip, IpStatus, NicState, Status, whole_second};
use super::rest::again_after;
use super::{Controller, Output};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::time::{Instant, Span};

/// What is known of a CR that is in order: the node has neither prefixes, IPv6, trunk nor RDMA, its
/// interfaces serve, its addresses are valid, and each pod has the address in its status.
#[derive(Debug)]
pub(super) struct InOrder {
    /// Where its idle addresses stand (C53), in order.
    idle: Vec<Spot>,
    /// The vSwitches of its interfaces.
    pub vswitches: Vec<VSwitchId>,
}

/// A write under way that frees and binds addresses.
#[derive(Debug)]
pub(super) struct Changes {
    /// In the order of interfaces and addresses.
    list: Vec<Change>,
    /// When an address was bound, if one was (C46).
    modified: Option<Instant>,
    /// The node is looked at again then (C21).
    after: Span,
}

/// Another owner of an address.
#[derive(Debug)]
pub(super) struct Change {
    at: Spot,
    eni: EniId,
    address: Ipv4Addr,
    before: Option<Binding>,
    now: Option<Binding>,
}

impl InOrder {
    /// What is known of a node's CR, if it is in order.
    pub fn of(config: &NodeConfig, status: &Status, pods: &[ListedPod]) -> Option<Self> {
        let is_plain = config.prefixes().is_none() && !config.dual && config.flavor.total() == config.flavor.secondary;
        let serves = status.nics.iter().all(|(&eni, nic)| {
            nic.state == NicState::InUse
                && is_candidate(status, eni)
                && (nic.insufficient, nic.operation_error) == (None, None)
                && nic.addresses.values().all(|ip| ip.status == IpStatus::Valid)
                && nic.prefixes.is_empty()
                && nic.ipv6.is_empty()
        });
        if !is_plain || !serves || status.nics.is_empty() || !status.warm_up.completed || !have_theirs(status, pods) {
            return None;
        }
        let mut vswitches: Vec<_> = status.nics.values().map(|nic| nic.vswitch).collect();
        vswitches.sort_unstable();
        vswitches.dedup();
        Some(Self { idle: spots::<Ipv4Addr>(status, Ip::is_idle), vswitches })
    }

    /// How many addresses are idle.
    pub fn idle(&self) -> u32 {
        self.idle.len() as u32
    }
}

/// Whether each pod has in the CR what it has in its status, and none has inherited an address.
fn have_theirs(status: &Status, pods: &[ListedPod]) -> bool {
    let mut with_address = pods.iter().filter(|pod| pod.address.is_some()).count();
    for (&address, ip) in status.nics.values().flat_map(|nic| &nic.addresses) {
        let Some((binding, pod)) = ip.pod.and_then(|binding| Some((binding, by_key(pods, binding.pod)?))) else {
            continue;
        };
        if (pod.uid, pod.address) != (binding.uid, Some(address)) {
            return false;
        }
        with_address -= 1;
    }
    with_address == 0
}

impl Controller {
    /// Whether a run at `now` would find nothing to do, for a node as most are: in order, the pool
    /// within its bounds, the vSwitches not empty, every pod served. Of others only their run knows.
    pub(super) fn finds_nothing(&self, now: Instant, id: NodeId) -> bool {
        let node = &self.nodes[id.index()];
        !node.affairs.is_any() && self.in_order(now, node).is_some_and(|known| self.is_content(now, node, known.idle()))
    }

    /// What a run at `now` changes, if it does nothing but free and bind addresses; `None` = that is for
    /// the run to find out.
    pub(super) fn changes(&mut self, now: Instant, id: NodeId) -> Option<Changes> {
        let mut list = std::mem::take(&mut self.nodes[id.index()].no_changes);
        let node = &self.nodes[id.index()];
        let (known, config) = (self.in_order(now, node)?, node.config.as_ref()?);
        let Affairs { release, bind: is_to_bind } = node.affairs;
        if release {
            list.extend(node.freed());
        }
        let count = if is_to_bind { node.lacking } else { 0 };
        let idle = (known.idle() + list.len() as u32).checked_sub(count)?;
        if !self.is_content(now, node, idle) {
            return None;
        }
        let mut chance = self.chance;
        let modified = (count > 0).then_some(now);
        if modified.is_some() {
            let mut idle = Cow::from(&known.idle);
            if !list.is_empty() {
                idle.to_mut().extend(list.iter().map(|change| change.at));
                idle.to_mut().sort_unstable();
            }
            let idle = all_addresses::<Ipv4Addr>(&node.stored, &idle, &mut chance);
            for pod in node.lacking() {
                let is_taken = |at| list.iter().any(|change| change.at == at && change.now.is_some());
                let at = idle.iterate(&mut chance).find(|&at| !is_taken(at)).expect("there are enough");
                bind(&mut list, &node.stored, at, pod);
            }
        }
        list.sort_unstable_by_key(|change| change.at);
        if !list.is_empty() {
            // The places of a run and its deletions are listed in an order of chance, too.
            for _ in 0..2 {
                node.stored.draw_map_order(&mut chance);
            }
            self.chance = chance;
        }
        let after = again_after(now, self.period(config), node.stored.next_sync);
        Some(Changes { list, modified, after })
    }

    /// The rest of such a run, up to its write.
    pub(super) fn change(&mut self, now: Instant, id: NodeId, changes: Changes) {
        let period = self.period(self.config(id));
        let node = &mut self.nodes[id.index()];
        if changes.list.is_empty() {
            (node.affairs, node.no_changes) = (Affairs::default(), changes.list);
            return self.skip(now, id);
        }
        if node.pulse.say(now, true) {
            self.queue.add(id);
        }
        node.pulse.collect(now, period);
        node.changes = Some(changes);
        self.send_write(now, id);
    }

    /// The end of such a run.
    pub(super) fn changed(&mut self, now: Instant, id: NodeId, mut changes: Changes, accepted: bool) {
        let node = &mut self.nodes[id.index()];
        if !accepted {
            return self.rejected(now, id);
        }
        node.apply(&changes);
        self.outputs.push_back(Output::Stored(id));
        for &Change { eni, address, before, .. } in &changes.list {
            if let Some(Binding { uid, .. }) = before {
                self.outputs.push_back(Output::Freed { node: id, uid, eni, address });
            }
        }
        for &Change { eni, address, now, .. } in &changes.list {
            if let Some(Binding { pod, uid }) = now {
                self.outputs.push_back(Output::Bound { node: id, pod, uid, eni, address });
            }
        }
        changes.list.clear();
        self.nodes[id.index()].no_changes = changes.list;
        self.accepted(now, id, changes.after);
    }

    /// What is known of a node in order, if its run at `now` looks neither at the cloud nor at tasks.
    fn in_order<'a>(&self, now: Instant, node: &'a Node) -> Option<&'a InOrder> {
        let known = node.in_order.as_ref()?;
        let is_left_alone = self.settings.degradation == Degradation::None
            && !node.memory.needs_sync
            && node.memory.tasks.is_empty()
            && node.stored.next_sync.is_some_and(|next| next >= now)
            && self.have_addresses(now, known);
        is_left_alone.then_some(known)
    }

    /// Whether every vSwitch of a node is known to have addresses at `now`.
    pub(super) fn have_addresses(&self, now: Instant, known: &InOrder) -> bool {
        known.vswitches.iter().all(|&id| self.vswitches.cached(now, id).is_some_and(|free| free > 0))
    }

    /// Whether a node in order that has `idle` idle addresses and no waiting pod wants neither more
    /// nor less at `now`.
    fn is_content(&self, now: Instant, node: &Node, idle: u32) -> bool {
        let config = node.config.as_ref().expect("a node in order has joined");
        Demand::of(config, idle, 0, node.stored.warm_up).total() == 0 && now < self.collects(now, node, idle, false)
    }
}

impl Node {
    /// The addresses of pods that are gone and whose CNI DEL is reported (C47), on a node in order.
    fn freed(&self) -> impl Iterator<Item = Change> {
        let spots = self.deleted.iter().filter_map(|&uid| self.stored.spot_of(uid));
        let bound = spots.map(|at| Change::free(&self.stored, at));
        bound.filter(|change| change.before.is_some_and(|binding| by_key(&self.pods, binding.pod).is_none()))
    }

    /// The CR is written: as [`store`](Self::store), for changes of a node in order.
    fn apply(&mut self, changes: &Changes) {
        let status = Arc::make_mut(&mut self.stored);
        status.last_modified = changes.modified.map(whole_second).or(status.last_modified);
        for change in &changes.list {
            let Spot { nic, address } = change.at;
            status.nics.at_mut(nic as usize).addresses.at_mut(address as usize).pod = change.now;
        }
        let is_freed = |&uid: &_| changes.list.iter().any(|change| change.before.is_some_and(|pod| pod.uid == uid));
        self.deleted.retain(|uid| !is_freed(uid));
        self.learn(changes.list.iter().filter_map(|change| Some((change.address, change.now?))));
        if self.is_touched {
            return self.look();
        }
        self.affairs = Affairs::default();
        let known = self.in_order.as_mut().expect("nothing has happened to it");
        for change in &changes.list {
            let place = known.idle.binary_search(&change.at);
            match (place, change.now) {
                (Ok(place), Some(_)) => _ = known.idle.remove(place),
                (Err(place), None) => known.idle.insert(place, change.at),
                // Freed and bound again.
                (Err(_), Some(_)) => {}
                (Ok(_), None) => unreachable!("what is freed was not idle"),
            }
        }
    }
}

impl Change {
    /// Whoever has an address has it no more.
    fn free(status: &Status, at: Spot) -> Self {
        let (eni, address, ip) = status.at(at);
        Self { at, eni, address, before: ip.pod, now: None }
    }
}

/// Binds an address that is idle in the CR, or freed by the changes.
fn bind(list: &mut Vec<Change>, status: &Status, at: Spot, pod: &ListedPod) {
    let now = Some(Binding { pod: pod.key, uid: pod.uid });
    match list.iter_mut().find(|change| change.at == at) {
        Some(change) => change.now = now,
        None => list.push(Change { now, ..Change::free(status, at) }),
    }
}

//! Runs that only free and bind addresses of a node that is in order otherwise, as nearly all are that
//! do anything. They come out as if they were [gone through](super::reconcile), chance included, but
//! look at nothing else and copy nothing. Any doubt, and the run is gone through.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::binding::{Affairs, ListedPod, all_addresses, by_key};
use super::config::{Degradation, NodeConfig};
use super::demand::Demand;
use super::node::Node;
use super::placement::is_candidate;
use super::resource::{Binding, IpStatus, NicState, Status, whole_second};
use super::rest::again_after;
use super::{Controller, Output};
use crate::id::{EniId, NodeId, VSwitchId};
use crate::time::{Instant, Span};

/// What is known of a CR that is in order: the node has neither prefixes, IPv6, trunk nor RDMA, its
/// interfaces serve, its addresses are valid, and each pod has the address in its status.
#[derive(Debug)]
pub(super) struct InOrder {
    /// Idle addresses (C53).
    pub idle: u32,
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
    at: (EniId, Ipv4Addr),
    before: Option<Binding>,
    now: Option<Binding>,
}

impl InOrder {
    /// What is known of a node's CR, if it is in order.
    pub fn of(config: &NodeConfig, status: &Status, pods: &[ListedPod]) -> Option<Self> {
        let is_plain = config.prefixes.is_none() && !config.dual && config.flavor.total() == config.flavor.secondary;
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
        Some(Self { idle: status.idle(), vswitches })
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
        !node.affairs.is_any() && self.in_order(now, node).is_some_and(|known| self.is_content(now, node, known.idle))
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
        let pods = if is_to_bind { node.pods.as_slice() } else { &[] };
        let first = pods.iter().position(|pod| pod.address.is_none()).unwrap_or(pods.len());
        let waiting = pods[first..].iter().filter(|pod| pod.address.is_none());
        let count = waiting.clone().count();
        let idle = (known.idle + list.len() as u32).checked_sub(count as u32)?;
        if !self.is_content(now, node, idle) {
            return None;
        }
        let mut chance = self.chance;
        let modified = (count > 0).then_some(now);
        if modified.is_some() {
            let is_freed = |at| list.iter().any(|change| change.at == at);
            let idle = all_addresses(&node.stored, &mut chance, |at, ip| ip.is_idle() || is_freed(at));
            for pod in waiting.take(count) {
                let is_taken = |at| list.iter().any(|change| change.at == at && change.now.is_some());
                let at = idle.iterate(&mut chance).find(|&at| !is_taken(at)).expect("there are enough");
                bind(&mut list, at, pod);
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
        for &Change { at: (eni, address), before, .. } in &changes.list {
            if let Some(Binding { uid, .. }) = before {
                self.outputs.push_back(Output::Freed { node: id, uid, eni, address });
            }
        }
        for &Change { at: (eni, address), now, .. } in &changes.list {
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
        let addresses = self.deleted.iter().filter_map(|&uid| self.stored.bound_to(uid));
        let gone = addresses.filter(|(_, binding)| by_key(&self.pods, binding.pod).is_none());
        gone.map(|(at, binding)| Change { at, before: Some(binding), now: None })
    }

    /// The CR is written: as [`store`](Self::store), for changes of a node in order.
    fn apply(&mut self, changes: &Changes) {
        let status = Arc::make_mut(&mut self.stored);
        status.last_modified = changes.modified.map(whole_second).or(status.last_modified);
        for change in &changes.list {
            let nic = status.nics.get_mut(&change.at.0).expect("only a run changes the CR");
            nic.addresses.get_mut(&change.at.1).expect("only a run changes the CR").pod = change.now;
        }
        let is_freed = |&uid: &_| changes.list.iter().any(|change| change.before.is_some_and(|pod| pod.uid == uid));
        self.deleted.retain(|uid| !is_freed(uid));
        self.learn(changes.list.iter().filter_map(|change| Some((change.at.1, change.now?))));
        if self.is_touched {
            return self.look();
        }
        self.affairs = Affairs::default();
        let known = self.in_order.as_mut().expect("nothing has happened to it");
        for change in &changes.list {
            known.idle = known.idle + u32::from(change.now.is_none()) - u32::from(change.before.is_none());
        }
    }
}

/// Binds an address that is idle in the CR, or freed by the changes.
fn bind(list: &mut Vec<Change>, at: (EniId, Ipv4Addr), pod: &ListedPod) {
    let now = Some(Binding { pod: pod.key, uid: pod.uid });
    match list.iter_mut().find(|change| change.at == at) {
        Some(change) => change.now = now,
        None => list.push(Change { at, before: None, now }),
    }
}

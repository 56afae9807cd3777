//! Reading ahead. A large cluster does not fit the cache, and an event gets what it needs from memory line by line,
//! since one line says where the next is. But whom the next events are about is known. If the first line of all of
//! them is read, then the second of all, and so on, memory answers for all of them in the time of one.
//!
//! Nothing is changed by it, and nothing comes of what is read: it may be another when its event comes.

use super::{Daemon, Engine, Event, Observer, Pod};
use crate::id::{NodeId, PodId};

/// Events to read ahead for at once: enough to wait for many lines together, few enough that they are still in
/// the cache when their event comes.
const AT_ONCE: usize = 16;

/// Whom the next events are about.
#[derive(Debug, Default)]
pub struct Ahead {
    /// Pods whose timers are due.
    pub pods: Vec<PodId>,
    /// Nodes of which something else is due.
    pub nodes: Vec<NodeId>,
}

impl<O: Observer> Engine<O> {
    /// Whom the next events are about; nobody, if those that it has said are still to come.
    pub fn look_ahead(&mut self, ahead: &mut Ahead) {
        ahead.pods.clear();
        ahead.nodes.clear();
        if self.ahead > 0 {
            return;
        }
        let next = self.events.sorted().take(AT_ONCE);
        self.ahead = next.len();
        for event in next {
            match Event::unpack(event) {
                Event::Timer(pod) => ahead.pods.push(pod),
                Event::Wake(node) => ahead.nodes.push(node),
                Event::Answer(call) => ahead.nodes.push(self.calls[call as usize].node),
                Event::Control(_) | Event::Plane | Event::PlaneEnds(_) | Event::Own | Event::OwnEnds(_) => {}
            }
        }
    }

    /// Reads a node.
    pub fn read_node(&self, node: NodeId) -> u64 {
        self.nodes[node.index()].armed.0
    }

    /// Reads the daemon of a node, after that.
    pub fn read_daemon(&self, node: NodeId) -> u64 {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => daemon.read(),
            _ => 0,
        }
    }

    /// Reads what the daemon has of each interface, after that.
    pub fn read_slots(&self, node: NodeId) -> u64 {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => daemon.read_slots(),
            _ => 0,
        }
    }

    /// Reads what only those need of whom more is due than that a pod comes or goes, after that.
    pub fn read_far(&self, node: NodeId) -> u64 {
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => daemon.read_far(),
            _ => 0,
        }
    }

    /// Reads the addresses of the interface that a pod has its address on, after that.
    pub fn read_addresses(&self, pod: PodId) -> u64 {
        let Pod { node, eni, .. } = self.pods[pod.index()];
        match &self.nodes[node.index()].daemon {
            Daemon::NodeLocal(daemon) => daemon.read_addresses(eni),
            _ => 0,
        }
    }
}

//! The laws of the world below the cluster.

use std::collections::BTreeSet;

use super::{Daemon, Engine, Observer, PodState, Power};
use crate::id::NodeId;

impl<O: Observer> Engine<O> {
    /// Checks the laws of the world below the cluster: every daemon's own, and that a running
    /// pod has an address of an interface of its node, alone, of each family on the same interface.
    /// Returns the addresses that are in use, per vSwitch.
    ///
    /// # Panics
    /// If a law is broken: the simulation is wrong.
    pub fn audit(&self) -> Vec<u32> {
        self.cloud.audit();
        let mut in_use = vec![0; self.cloud.vswitch_count()];
        let (mut taken, mut taken_v6) = (BTreeSet::new(), BTreeSet::new());
        for (i, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.power != Power::Released) {
            if let Daemon::NodeLocal(daemon) = &node.daemon {
                daemon.check_invariants();
            }
            if let Daemon::Classic(daemon) = &node.daemon {
                daemon.check_invariants();
            }
            for (eni, address) in node.daemon.in_use().into_iter().chain(node.own_enis.iter().copied()) {
                assert!(
                    self.cloud.holds(NodeId::new(i), eni, address),
                    "{address} is bound on node {i}, which lost it"
                );
                let vswitch = self.cloud.vswitch_of(eni).expect("an interface has a vSwitch");
                assert!(taken.insert((vswitch, address)), "{address} is bound twice");
                in_use[vswitch.index()] += 1;
            }
            if let Daemon::NodeLocal(daemon) = &node.daemon {
                for (pod, eni, address) in daemon.bound_v6() {
                    assert!(self.cloud.holds_v6(NodeId::new(i), eni, address), "{address:?} is lost on node {i}");
                    let vswitch = self.cloud.vswitch_of(eni).expect("an interface has a vSwitch");
                    assert!(taken_v6.insert((vswitch, address)), "{address:?} is bound twice");
                    let v4 = daemon.bound().any(|(other, on, _)| (other, on) == (pod, eni));
                    assert!(v4, "a pod of node {i} has an IPv6 address without an IPv4 one beside it");
                }
            }
        }
        for pod in self.pods.iter().filter(|pod| pod.state == PodState::Running) {
            assert!(taken.contains(&(pod.vswitch, pod.address)), "a pod runs on {}, which is not bound", pod.address);
        }
        in_use
    }
}

//! The laws of the world below the cluster.

use super::{Daemon, Engine, Observer, Power};
use crate::id::{NodeId, VSwitchId};

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
        let (mut taken, mut taken_v6) = (Vec::new(), Vec::new());
        for (i, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.power != Power::Released) {
            if let Daemon::NodeLocal(daemon) = &node.daemon {
                daemon.check_invariants();
            }
            if let Daemon::Classic(daemon) = &node.daemon {
                daemon.check_invariants();
            }
            for (eni, address) in
                node.daemon.in_use().into_iter().chain(node.own_enis.iter().map(|own| (own.eni, own.address)))
            {
                assert!(
                    self.cloud.holds(NodeId::new(i), eni, address),
                    "{address} is bound on node {i}, which lost it"
                );
                let vswitch = self.cloud.vswitch_of(eni).expect("an interface has a vSwitch");
                taken.push((vswitch, address));
                in_use[vswitch.index()] += 1;
            }
            if let Daemon::NodeLocal(daemon) = &node.daemon {
                for (pod, eni, address) in daemon.bound_v6() {
                    assert!(self.cloud.holds_v6(NodeId::new(i), eni, address), "{address:?} is lost on node {i}");
                    let vswitch = self.cloud.vswitch_of(eni).expect("an interface has a vSwitch");
                    taken_v6.push((vswitch, address));
                    let v4 = daemon.bound().any(|(other, on, _)| (other, on) == (pod, eni));
                    assert!(v4, "a pod of node {i} has an IPv6 address without an IPv4 one beside it");
                }
            }
        }
        assert_alone(&mut taken);
        assert_alone(&mut taken_v6);
        for pod in self.pods.iter().filter(|pod| pod.state.has_address()) {
            let is_taken = taken.binary_search(&(pod.vswitch, pod.address)).is_ok();
            assert!(is_taken, "a pod runs on {}, which is not bound", pod.address);
        }
        in_use
    }
}

/// Sorts what is bound, and checks that none of it is bound twice.
fn assert_alone<A: Ord + Copy + std::fmt::Debug>(bound: &mut [(VSwitchId, A)]) {
    bound.sort_unstable();
    for pair in bound.windows(2) {
        assert!(pair[0] != pair[1], "{:?} is bound twice", pair[0].1);
    }
}

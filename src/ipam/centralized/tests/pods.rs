//! Binding and release.

use super::*;

/// Case 27 [440]: a pod takes over its own address, even a Deleting one.
#[test]
fn case_27_a_deleting_address_is_taken_over() {
    let mut status = status([nic(1, "ud")]);
    let pods = [ListedPod { address: Some(address(2)), ..pod(1000) }];
    assert_eq!(bind(at(1), &mut status, &pods, false, &mut chance()), Unserved::default());
    assert_eq!(status.nics[&EniId(0)].addresses[&address(2)].pod.map(|binding| binding.pod), Some(PodKey(1000)));
    assert_eq!(status.last_modified, None, "taking over does not stamp the CR (C46)");
}

/// Case 29 [576]: the pod with an address keeps it, the new one gets the other.
#[test]
fn case_29_new_pods_get_what_is_left() {
    let mut status = status([nic(1, "ii")]);
    let pods = [pod(5), ListedPod { address: Some(address(1)), ..pod(6) }];
    assert_eq!(bind(at(3), &mut status, &pods, false, &mut chance()), Unserved::default());
    let held = |n| status.nics[&EniId(0)].addresses[&address(n)].pod.map(|binding| binding.pod.0);
    assert_eq!((held(1), held(2)), (Some(6), Some(5)));
    assert_eq!(status.last_modified, Some(at(3)));
}

/// Pods are served in the order of their names (C43), on interfaces in use only.
#[test]
fn c43_pods_are_served_by_name_on_interfaces_in_use() {
    let mut status = status([nic(1, "i"), Nic { state: NicState::Deleting, ..nic(10, "ii") }]);
    assert_eq!(bind(at(1), &mut status, &[pod(20), pod(21), pod(22)], false, &mut chance()).plain, 2);
    assert_eq!(whose(&status).into_keys().collect::<Vec<_>>(), [PodKey(20)]);
}

/// Cases 33 to 36 [64, 91, 123]: only a report frees; a new pod of that name inherits.
#[test]
fn case_33_to_36_release() {
    let release = |pods: &[ListedPod], deleted: &[u32]| {
        let mut status = status([nic(1, "u")]);
        release(&mut status, pods, &deleted.iter().map(|&uid| Uid(uid)).collect::<Vec<_>>());
        whose(&status)
    };
    let bound = |uid| BTreeMap::from([(PodKey(1), Uid(uid))]);
    assert_eq!(release(&[], &[]), bound(1), "not reported");
    assert_eq!(release(&[], &[2]), bound(1), "another pod's report");
    assert_eq!(release(&[], &[1]), BTreeMap::new());
    assert_eq!(release(&[ListedPod { uid: Uid(9), ..pod(1) }], &[1]), bound(9), "the new pod inherits");
}

/// Case 37: an address that the cloud has lost is not idle again, unless it is primary.
#[test]
fn case_37_lost_addresses_are_deleted_once_free() {
    let mut status = status([nic(1, "uu")]);
    for ip in status.nics.get_mut(&EniId(0)).expect("it is there").addresses.values_mut() {
        ip.status = IpStatus::Invalid;
    }
    release(&mut status, &[], &[Uid(1), Uid(2)]);
    assert_eq!(letters(&status, 0), "vd");
}

/// C42, C47: what a write changed, by address: one is freed, one inherited, one bound.
#[test]
fn c42_an_inherited_address_is_one_that_went_and_one_that_came() {
    let before = status([nic(1, "uui"), nic(10, "iu")]);
    let mut after = before.clone();
    release(&mut after, &[ListedPod { uid: Uid(9), ..pod(2) }, pod(11), pod(20)], &[Uid(1)]);
    after.nics.remove(&EniId(1));
    let there = after.nics.get_mut(&EniId(0)).expect("it is there");
    there.addresses.get_mut(&address(3)).expect("it is there").pod = Some(Binding { pod: PodKey(20), uid: Uid(20) });
    let beyond = |of: &Status, other: &Status| {
        bindings_beyond(of, other).map(|(eni, address, binding)| (eni.0, address.to_bits(), binding.uid.0)).collect()
    };
    let (gone, come): (Vec<_>, Vec<_>) = (beyond(&before, &after), beyond(&after, &before));
    assert_eq!(gone, [(0, 1, 1), (0, 2, 2), (1, 11, 11)]);
    assert_eq!(come, [(0, 2, 9), (0, 3, 20)]);
    assert_eq!(beyond(&after, &after), []);
}

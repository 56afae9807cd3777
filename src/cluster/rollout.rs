//! How a Deployment gets from one version to the next, as its controller decides at each look
//! (kubernetes `pkg/controller/deployment/rolling.go`, `sync.go`, `util/deployment_util.go`).
//!
//! Simplified: one old version (all older ones together), no `progressDeadlineSeconds`, no
//! `minReadySeconds`.

/// Pods of a Deployment, without those that were told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pods {
    /// Wanted number.
    pub wanted: u32,
    /// Pods of older versions.
    pub old: u32,
    /// Of these, ready.
    pub old_ready: u32,
    /// Pods of the newest version.
    pub new: u32,
    /// Of these, ready.
    pub new_ready: u32,
}

/// What the controller does at a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// Pods of the newest version to make.
    pub create: u32,
    /// Pods of the version before it to make.
    pub create_old: u32,
    /// Pods of the newest version to delete.
    pub delete_new: u32,
    /// Pods of older versions to delete, those that are not ready first.
    pub delete_old: u32,
}

/// The next steps, with at most `surge` pods on top of the wanted number and at most
/// `unavailable` ready ones missing. If both are 0, one may be missing
/// (`ResolveFenceposts`).
#[must_use]
pub fn steps(pods: Pods, surge: u32, unavailable: u32) -> Steps {
    let Pods { wanted, old, old_ready, new, new_ready } = pods;
    if old == 0 {
        return Steps {
            create: wanted.saturating_sub(new),
            delete_new: new.saturating_sub(wanted),
            ..Steps::default()
        };
    }
    let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable.min(wanted) };
    let delete_new = new.saturating_sub(wanted);
    let room = wanted.saturating_add(surge).saturating_sub(old + new);
    let create = room.min(wanted.saturating_sub(new));
    let least = wanted.saturating_sub(unavailable);
    // Pods that are not ready yet may never be; they count as missing (reconcileOldReplicaSets).
    let most = (old + new).saturating_sub(least + (new - new_ready));
    // Old pods that are not ready go first and cost nothing (cleanupUnhealthyReplicas).
    let unhealthy = (old - old_ready).min(most);
    let spare = (old_ready + new_ready).saturating_sub(least).min(most - unhealthy);
    Steps { create, delete_new, delete_old: unhealthy + spare.min(old - unhealthy), ..Steps::default() }
}

/// The step that comes first where the wanted number has changed while a rollout is under way: both
/// versions grow or shrink alike, to `most` pods in all where there may have been `before` (`scale` in
/// `sync.go`, `GetReplicaSetProportion`).
#[must_use]
pub fn scale(pods: Pods, before: u32, most: u32) -> Steps {
    let Pods { wanted, old, new, .. } = pods;
    let to = |old_then: u32, new_then: u32| Steps {
        create: new_then.saturating_sub(new),
        create_old: old_then.saturating_sub(old),
        delete_new: new.saturating_sub(new_then),
        delete_old: old.saturating_sub(old_then),
    };
    // One version alone has the wanted number.
    match (old, new) {
        (0, _) => return to(0, wanted),
        (_, 0) => return to(wanted, 0),
        _ => {}
    }
    let most = if wanted == 0 { 0 } else { most };
    let change = i64::from(most) - i64::from(old + new);
    if change == 0 {
        return Steps::default();
    }
    let share = |pods: u32, left: i64| {
        let then = f64::from(pods) * f64::from(most) / f64::from(before);
        let share = then.round() as i64 - i64::from(pods);
        if change > 0 { share.min(left) } else { share.max(left) }
    };
    // The larger one first, which takes what is left over; among equals the newer one grows and the older one shrinks.
    let new_first = new > old || new == old && change > 0;
    let (first, second) = if new_first { (new, old) } else { (old, new) };
    let of_first = share(first, change);
    let of_second = if of_first == change { 0 } else { share(second, change - of_first) };
    let then = |pods: u32, change: i64| (i64::from(pods) + change).max(0) as u32;
    let (first, second) = (then(first, change - of_second), then(second, of_second));
    if new_first { to(second, first) } else { to(first, second) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wanted: u32, old: (u32, u32), new: (u32, u32)) -> Pods {
        Pods { wanted, old: old.0, old_ready: old.1, new: new.0, new_ready: new.1 }
    }

    fn told(create: u32, delete_new: u32, delete_old: u32) -> Steps {
        Steps { create, delete_new, delete_old, ..Steps::default() }
    }

    /// `TestScale` upstream: proportional scaling, with what is left over to the largest.
    #[test]
    fn both_versions_scale_alike() {
        let sizes = |(old, new): (u32, u32), (was, wanted): (u32, u32), surge: u32| {
            let pods = at(wanted, (old, old), (new, 0));
            let steps = scale(pods, was + surge, if wanted == 0 { 0 } else { wanted + surge });
            (old + steps.create_old - steps.delete_old, new + steps.create - steps.delete_new)
        };
        // "proportional scaling: 5->10", "5->3", "10->20", "10->6".
        assert_eq!(sizes((5, 5), (10, 12), 0), (6, 6));
        assert_eq!(sizes((5, 5), (10, 8), 0), (4, 4));
        assert_eq!(sizes((8, 2), (10, 5), 0), (4, 1));
        assert_eq!(sizes((2, 5), (7, 10), 2), (3, 9), "with a surge of 2");
        assert_eq!(sizes((300, 200), (400, 200), 100), (180, 120));
        assert_eq!(sizes((300, 200), (400, 0), 100), (0, 0));
        assert_eq!(sizes((10, 0), (10, 20), 3), (20, 0), "one version alone has the wanted number");
        assert_eq!(sizes((1, 1), (2, 3), 0), (1, 2), "the newer one grows");
        assert_eq!(sizes((1, 1), (2, 1), 0), (0, 1), "the older one shrinks");
    }

    /// `TestDeploymentController_reconcileNewReplicaSet`: as many as the surge leaves room for.
    #[test]
    fn a_surge_makes_room_for_new_pods() {
        assert_eq!(steps(at(10, (10, 10), (0, 0)), 2, 0), told(2, 0, 0));
        assert_eq!(steps(at(10, (10, 10), (0, 0)), 0, 2), told(0, 0, 2));
        assert_eq!(steps(at(10, (8, 8), (0, 0)), 0, 2), told(2, 0, 0));
        assert_eq!(steps(at(10, (5, 5), (5, 5)), 2, 0), told(2, 0, 0));
    }

    /// `TestDeploymentController_reconcileOldReplicaSets`: new pods that are not ready hold the
    /// old ones.
    #[test]
    fn old_pods_go_when_new_ones_are_ready() {
        assert_eq!(steps(at(10, (10, 10), (2, 0)), 2, 0), told(0, 0, 0));
        assert_eq!(steps(at(10, (10, 10), (2, 1)), 2, 0), told(0, 0, 1));
        assert_eq!(steps(at(10, (10, 10), (2, 2)), 2, 0), told(0, 0, 2));
        assert_eq!(steps(at(10, (10, 8), (0, 0)), 0, 2), told(0, 0, 2));
        assert_eq!(steps(at(10, (10, 8), (0, 0)), 0, 4), told(0, 0, 4));
        assert_eq!(steps(at(1, (1, 1), (0, 0)), 0, 0), told(0, 0, 1));
    }

    #[test]
    fn without_old_pods_the_number_is_just_kept() {
        assert_eq!(steps(at(10, (0, 0), (7, 1)), 3, 3), told(3, 0, 0));
        assert_eq!(steps(at(4, (0, 0), (7, 1)), 3, 3), told(0, 3, 0));
        assert_eq!(steps(at(4, (2, 2), (7, 7)), 1, 1), told(0, 3, 2));
    }

    /// Whatever the pods are, a rollout never leaves more than `surge` on top, and ends.
    #[test]
    fn a_rollout_keeps_its_bounds_and_ends() {
        for (wanted, surge, unavailable) in [(1, 0, 1), (1, 1, 0), (10, 3, 2), (7, 0, 0), (40, 10, 10), (3, 5, 9)] {
            let mut pods = at(wanted, (wanted, wanted), (0, 0));
            for _ in 0..200 {
                let steps = steps(pods, surge, unavailable);
                pods.new += steps.create;
                pods.old -= steps.delete_old;
                pods.old_ready = pods.old_ready.min(pods.old);
                let least = wanted.saturating_sub(unavailable.max(u32::from(surge == 0)));
                assert!(pods.old + pods.new <= wanted + surge, "{pods:?}");
                assert!(pods.old_ready + pods.new_ready >= least, "{pods:?}");
                // One more new pod gets ready before the next look.
                pods.new_ready = (pods.new_ready + 1).min(pods.new);
            }
            assert_eq!((pods.old, pods.new), (0, wanted));
        }
    }
}

//! The full sync of a node with the cloud (C34 to C38).

use super::super::call::{Answer, Interface, Kind, Request, State};
use super::super::merge;
use super::super::{Controller, Degradation, Nic};
use super::{Run, Wake};
use crate::id::EniId;
use crate::time::{Instant, Span};

/// Next full sync while an interface is in a transitional state, before jitter (C35).
const TRANSITIONAL: Span = Span::secs(30);

/// Where a full sync waits.
#[derive(Debug)]
pub(super) enum Stage {
    /// For what is attached.
    Listing,
    /// For the vSwitch of an interface that is to be adopted, the `next` of `found`.
    Adopting { found: Vec<Interface>, next: usize },
    /// For a second look at an interface of the CR that was not found.
    Missing { left: Vec<EniId>, transitional: bool },
}

impl Controller {
    /// The first steps of a run, up to a full sync if one is due (C34).
    pub(super) fn sync(&mut self, now: Instant, run: &mut Run) {
        let memory = &mut self.nodes[run.node.index()].memory;
        let unknown = !run.pods.is_empty() && run.status.nics.is_empty();
        memory.needs_sync |= unknown || run.status.next_sync.is_none_or(|next| next < now);
        let is_due = memory.needs_sync && self.settings.degradation == Degradation::None;
        begin_warm_up(run);
        self.recover_tasks(now, run.node, &run.status);
        if !is_due {
            return self.serve(now, run);
        }
        self.ask(now, run, Request::DescribeInstance(run.node));
        run.stage = super::Stage::Syncing(Stage::Listing);
    }

    pub(super) fn sync_goes_on(&mut self, now: Instant, run: &mut Run, stage: Stage, wake: Wake) {
        match (stage, wake) {
            (Stage::Listing, Wake::Reply(Ok(Answer::Interfaces(found)))) => self.adopt(now, run, found, 0),
            (Stage::Adopting { found, next }, Wake::Count(Some(_))) => {
                run.status.nics.insert(found[next].id, Nic::adopted(&found[next]));
                self.adopt(now, run, found, next + 1);
            }
            (Stage::Listing | Stage::Adopting { .. }, _) => {
                run.failed = true;
                self.serve(now, run);
            }
            (Stage::Missing { mut left, transitional }, wake) => {
                let eni = left.pop().expect("it was asked for");
                let Wake::Reply(reply) = wake else { unreachable!("nothing else was asked for") };
                let failed = reply.is_err();
                if let Ok(Answer::Interfaces(found)) = reply
                    && found.first().is_none_or(|eni| matches!(eni.state, State::InUse | State::Available))
                {
                    run.status.nics.remove(&eni);
                }
                self.forget(now, run, left, transitional, failed);
            }
        }
    }

    /// Takes over what is attached: known interfaces are merged, others adopted, for which their
    /// vSwitch is looked up (C36).
    fn adopt(&mut self, now: Instant, run: &mut Run, found: Vec<Interface>, from: usize) {
        for (next, interface) in found.iter().enumerate().skip(from) {
            if let Some(nic) = run.status.nics.get_mut(&interface.id) {
                merge::sync(nic, interface);
                continue;
            }
            if self.look_up(now, interface.vswitch, run.node).is_none() {
                run.stage = super::Stage::Syncing(Stage::Adopting { found, next });
                return;
            }
            run.status.nics.insert(interface.id, Nic::adopted(interface));
        }
        let manages_erdma = run.config.flavor.has_erdma();
        for interface in &found {
            let nic = run.status.nics.get_mut(&interface.id).expect("it was taken over above");
            merge::judge_owner(nic, interface, manages_erdma);
        }
        let transitional = found.iter().any(|eni| matches!(eni.state, State::Attaching | State::Detaching));
        let mut missing = run.status.in_map_order(&mut self.chance);
        missing.retain(|&eni| found.iter().all(|found| found.id != eni));
        missing.reverse();
        self.forget(now, run, missing, transitional, false);
    }

    /// Forgets interfaces that are not attached, the last of `left` first; a secondary one only
    /// after a second look (C38). `failed` = the last look failed, which also keeps a trunk one.
    fn forget(&mut self, now: Instant, run: &mut Run, mut left: Vec<EniId>, transitional: bool, failed: bool) {
        while let Some(&eni) = left.last() {
            if run.status.nics[&eni].kind != Kind::Trunk {
                self.ask(now, run, Request::DescribeAttached(eni, run.node));
                run.stage = super::Stage::Syncing(Stage::Missing { left, transitional });
                return;
            }
            if !failed {
                run.status.nics.remove(&eni);
            }
            left.pop();
        }
        self.synced(now, run, transitional);
    }

    fn synced(&mut self, now: Instant, run: &mut Run, transitional: bool) {
        let period = if transitional { TRANSITIONAL } else { self.settings.full_sync_period };
        run.status.next_sync = Some(now + self.jittered(period, 1.0));
        if !transitional {
            run.status.last_sync = Some(now);
            self.nodes[run.node.index()].memory.needs_sync = false;
        }
        self.serve(now, run);
    }
}

/// Warm-up begins once in the life of a CR (C111).
fn begin_warm_up(run: &mut Run) {
    if run.status.warm_up.target == 0 && !run.status.warm_up.completed {
        let warm_up = &mut run.status.warm_up;
        warm_up.target = run.config.warm_up;
        warm_up.completed = run.config.warm_up == 0;
    }
}

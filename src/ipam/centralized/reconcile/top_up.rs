//! Prefix mode: interfaces in use get the prefixes that the node lacks (C131, C132).

use super::super::Controller;
use super::super::call::{Answer, Request};
use super::super::client::{Attempt, Caller, Judged};
use super::super::prefix::{free, lacking, lacks_ipv6};
use super::super::resource::valid;
use super::{Run, Stage, Wake};
use crate::id::EniId;
use crate::ipam::BATCH;
use crate::time::Instant;

/// A top-up under way.
#[derive(Debug)]
pub(super) struct TopUp {
    /// Interfaces to look at, the last one first.
    left: Vec<EniId>,
    /// Prefixes that the node lacks.
    lacking: u32,
    /// The interface that is being topped up.
    eni: EniId,
    /// Prefixes that it is to get in all, and those that it did not get yet.
    wanted: u32,
    missing: u32,
    attempt: Attempt,
}

impl Controller {
    /// Tops up every interface in use, in map order.
    pub(super) fn top_up(&mut self, now: Instant, run: &mut Run) {
        let wanted = run.config.prefixes().expect("prefix mode is on");
        let lacking = lacking(&run.status, wanted);
        let mut left = run.status.in_map_order(&mut self.chance);
        left.reverse();
        self.top_up_next(now, run, left, lacking);
    }

    pub(super) fn top_up_goes_on(&mut self, now: Instant, run: &mut Run, mut top_up: TopUp, wake: Wake) {
        let Wake::Reply(reply) = wake else { return self.try_top_up(now, run, top_up) };
        match top_up.attempt.judge(now, reply, self.jitter()) {
            Judged::Done(Answer::AssignedPrefixes(prefixes)) => {
                top_up.missing = top_up.missing.saturating_sub(prefixes.len() as u32);
                let nic = run.status.nics.get_mut(&top_up.eni).expect("nothing removes it meanwhile");
                nic.prefixes.extend(valid(&prefixes));
                self.nodes[run.node.index()].memory.changed = true;
                if top_up.missing > 0 {
                    top_up.attempt = batch(top_up.eni, top_up.missing);
                    return self.try_top_up(now, run, top_up);
                }
                top_up.lacking -= top_up.wanted;
                self.top_up_ipv6(now, run, top_up);
            }
            Judged::Done(Answer::AssignedIpv6Prefixes(prefixes)) => {
                let nic = run.status.nics.get_mut(&top_up.eni).expect("nothing removes it meanwhile");
                nic.ipv6_prefixes.extend(valid(&prefixes));
                self.nodes[run.node.index()].memory.changed = true;
                self.top_up_next(now, run, top_up.left, top_up.lacking);
            }
            Judged::Done(answer) => unreachable!("{answer:?} is no prefix"),
            // What it got before the error still counts as lacking: the next one gets too much.
            Judged::Failed(_) => {
                run.failed = true;
                match top_up.attempt.request {
                    Request::AssignPrefixes(..) => self.top_up_ipv6(now, run, top_up),
                    _ => self.top_up_next(now, run, top_up.left, top_up.lacking),
                }
            }
            Judged::Again(at) => {
                self.sleep(at, run);
                run.stage = Stage::ToppingUp(top_up);
            }
        }
    }

    fn top_up_next(&mut self, now: Instant, run: &mut Run, mut left: Vec<EniId>, lacking: u32) {
        while let Some(eni) = left.pop() {
            let nic = &run.status.nics[&eni];
            if !nic.serves() {
                continue;
            }
            let wanted = lacking.min(free(&run.config, nic));
            let attempt = if wanted > 0 {
                batch(eni, wanted)
            } else if lacks_ipv6(&run.config, nic) {
                ipv6_prefix(eni)
            } else {
                continue;
            };
            return self.try_top_up(now, run, TopUp { left, lacking, eni, wanted, missing: wanted, attempt });
        }
        self.clean(now, run);
    }

    /// The IPv6 prefix of the interface, if it is to get one; then the next interface (C133).
    fn top_up_ipv6(&mut self, now: Instant, run: &mut Run, mut top_up: TopUp) {
        if !lacks_ipv6(&run.config, &run.status.nics[&top_up.eni]) {
            return self.top_up_next(now, run, top_up.left, top_up.lacking);
        }
        top_up.attempt = ipv6_prefix(top_up.eni);
        self.try_top_up(now, run, top_up);
    }

    fn try_top_up(&mut self, now: Instant, run: &mut Run, top_up: TopUp) {
        self.request(now, Caller::Run(run.node), top_up.attempt.request.clone(), Instant::NEVER);
        run.stage = Stage::ToppingUp(top_up);
    }
}

fn batch(eni: EniId, missing: u32) -> Attempt {
    Attempt::new(Request::AssignPrefixes(eni, missing.min(BATCH as u32)), Instant::NEVER)
}

fn ipv6_prefix(eni: EniId) -> Attempt {
    Attempt::new(Request::AssignIpv6Prefixes(eni, 1), Instant::NEVER)
}

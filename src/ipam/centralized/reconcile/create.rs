//! The one action of a run: a new interface, or addresses for an existing one (C66 to C73).

use super::super::Controller;
use super::super::attach::Asked;
use super::super::call::{Answer, Refusal, Request};
use super::super::client::{Attempt, Caller, Judged};
use super::super::config::Selection;
use super::super::family::Family;
use super::super::placement::Place;
use super::super::resource::{Ip, Nic};
use super::super::vswitches::{LookUp, order};
use super::{Run, Stage, Wake};
use crate::id::{EniId, VSwitchId};
use crate::ipam::vswitch::Search;
use crate::time::{Instant, Span};

/// Time that creating an interface may take in all (C69).
const CREATE_DEADLINE: Span = Span::secs(60);

/// The action of a run.
#[derive(Debug)]
pub(super) struct Action {
    places: Vec<Place>,
    /// Which of them is served.
    place: usize,
}

/// How far it is.
#[derive(Debug)]
pub(super) enum Step {
    /// It looks for a vSwitch for the new interface.
    Choosing(Choosing),
    /// It makes the call.
    Trying(Attempt),
}

/// A vSwitch is being looked for.
#[derive(Debug)]
pub(super) struct Choosing {
    search: Search,
    deadline: Instant,
}

impl Controller {
    /// Serves a place. The CR is stamped even if this then fails (C24).
    pub(super) fn act(&mut self, now: Instant, run: &mut Run, places: Vec<Place>, place: usize) {
        run.status.last_modified = Some(now);
        let action = Action { places, place };
        let Place { eni, addresses, ipv6, .. } = *action.place();
        let Some(eni) = eni else {
            let selection = run.config.selection;
            let order = order(&run.config.vswitches, selection, &mut self.chance);
            let search = Search::new(order, selection == Selection::Most);
            let choosing = Choosing { search, deadline: now + CREATE_DEADLINE };
            return self.find_vswitch(now, run, action, choosing, None);
        };
        // IPv4 first (C71); an interface may want IPv6 alone.
        let request = if addresses > 0 { Request::Assign(eni, addresses) } else { Request::AssignIpv6(eni, ipv6) };
        self.attempt(now, run, action, Attempt::new(request, Instant::NEVER));
    }

    pub(super) fn act_goes_on(&mut self, now: Instant, run: &mut Run, action: Action, step: Step, wake: Wake) {
        match (step, wake) {
            (Step::Choosing(choosing), Wake::Count(free)) => self.find_vswitch(now, run, action, choosing, Some(free)),
            (Step::Trying(attempt), Wake::Timer) if now >= attempt.deadline => self.act_failed(now, run, action, None),
            (Step::Trying(attempt), Wake::Timer) => self.attempt(now, run, action, attempt),
            (Step::Trying(mut attempt), Wake::Reply(reply)) => match attempt.judge(now, reply, self.jitter()) {
                Judged::Done(answer) => self.act_succeeded(now, run, action, &attempt.request, answer),
                Judged::Failed(refusal) => self.refused(now, run, action, &attempt.request, refusal),
                Judged::Again(at) => {
                    self.sleep(at, run);
                    run.stage = Stage::Acting(action, Step::Trying(attempt));
                }
            },
            (step, wake) => unreachable!("{step:?} does not wait for {wake:?}"),
        }
    }

    /// Looks up the candidates, then creates the interface in the chosen one (C75). The 60 s of the creation count for
    /// look-ups too: none leaves after them (`pkg/controller/multi-ip/node/pool.go:2067-2070`). `answer` = what the look-up that
    /// it waited for said.
    fn find_vswitch(
        &mut self,
        now: Instant,
        run: &mut Run,
        action: Action,
        mut choosing: Choosing,
        mut answer: Option<Option<u32>>,
    ) {
        let vswitch = loop {
            let Some(id) = choosing.search.to_look_up() else {
                // No vSwitch at all counts as one without addresses.
                return self.act_failed(now, run, action, Some(Refusal::IpNotEnough));
            };
            let free = match answer.take() {
                Some(free) => free,
                None => match self.look_up_until(choosing.deadline, now, id, run.node) {
                    LookUp::Known(free) => Some(free),
                    LookUp::Refused => None,
                    LookUp::Asked => {
                        run.stage = Stage::Acting(action, Step::Choosing(choosing));
                        return;
                    }
                },
            };
            if choosing.search.found(free) {
                break id;
            }
        };
        let &Place { kind, addresses, ipv6, prefixes, .. } = action.place();
        // Prefixes get lost on the way: upstream does not merge their count into the request, and
        // the interface comes with its primary address only.
        let addresses = if prefixes > 0 { 1 } else { addresses };
        let request = Request::Create { node: run.node, vswitch, kind, addresses, ipv6 };
        self.attempt(now, run, action, Attempt::new(request, choosing.deadline));
    }

    fn attempt(&mut self, now: Instant, run: &mut Run, action: Action, attempt: Attempt) {
        if self.request(now, Caller::Run(run.node), attempt.request.clone(), attempt.deadline) {
            run.stage = Stage::Acting(action, Step::Trying(attempt));
        } else {
            self.act_failed(now, run, action, None);
        }
    }

    fn act_succeeded(&mut self, now: Instant, run: &mut Run, action: Action, request: &Request, answer: Answer) {
        self.nodes[run.node.index()].memory.changed = true;
        match (request, answer) {
            (&Request::Create { vswitch, kind, .. }, Answer::Created(eni)) => {
                let &Place { addresses, ipv6, prefixes, .. } = action.place();
                let addresses = [if prefixes > 0 { 0 } else { addresses }, ipv6];
                self.submit(now, run.node, eni, Asked { addresses, prefixes });
                run.status.nics.insert(eni, Nic::created(vswitch, kind));
            }
            (Request::Assign(eni, _), Answer::Assigned(addresses)) => {
                run.status.warm_up.count(addresses.len() as u32);
                add(run, *eni, addresses);
                let ipv6 = action.place().ipv6;
                if ipv6 > 0 {
                    let request = Request::AssignIpv6(*eni, ipv6);
                    return self.attempt(now, run, action, Attempt::new(request, Instant::NEVER));
                }
            }
            (Request::AssignIpv6(eni, _), Answer::AssignedIpv6(addresses)) => add(run, *eni, addresses),
            (request, answer) => unreachable!("{answer:?} does not answer {request:?}"),
        }
        self.acted(now, run, &action.places);
    }

    /// The cloud refused: a vSwitch without addresses is blocked for everybody (C72), and a node
    /// with less room than thought is synced (C34).
    fn refused(&mut self, now: Instant, run: &mut Run, action: Action, request: &Request, refusal: Option<Refusal>) {
        match (refusal, request) {
            (Some(Refusal::IpNotEnough), Request::Create { vswitch, .. }) => self.block(now, *vswitch),
            (Some(Refusal::IpNotEnough), Request::Assign(eni, _) | Request::AssignIpv6(eni, _)) => {
                self.block(now, run.status.nics[eni].vswitch);
            }
            (Some(Refusal::Full), _) => self.nodes[run.node.index()].memory.needs_sync = true,
            _ => {}
        }
        self.act_failed(now, run, action, refusal);
    }

    fn act_failed(&mut self, now: Instant, run: &mut Run, mut action: Action, refusal: Option<Refusal>) {
        run.failed = true;
        let place = &mut action.places[action.place];
        match refusal {
            Some(Refusal::IpNotEnough) => place.short = true,
            _ => place.failed = true,
        }
        self.acted(now, run, &action.places);
    }

    fn block(&mut self, now: Instant, vswitch: VSwitchId) {
        if self.vswitches.block(now, vswitch, self.settings.vswitch_ttl) {
            // What nodes say of themselves changes.
            self.rouse_all(self.done_before);
        }
    }
}

impl Action {
    fn place(&self) -> &Place {
        &self.places[self.place]
    }
}

/// New addresses of an interface.
fn add<A: Family>(run: &mut Run, eni: EniId, addresses: Vec<A>) {
    let nic = run.status.nics.get_mut(&eni).expect("nothing removes it while it is extended");
    A::on_mut(nic).extend(addresses.into_iter().map(|address| (address, Ip::FREE)));
}

//! Inputs that change nothing but who has an address, which nearly all are: a pod takes an idle one, or gives
//! one back. They go a short way.
//!
//! A daemon is *quiet* while nobody waits for it. Then metadata syncs find nothing to do, and whether a pod has
//! an address or not makes no difference to them: they are replayed when something else happens (`timers.rs`).
//! Nor does it make a difference to what the slots do next. Only the pool sync counts: it is owed too, unless it may
//! find something to do before or after.

use super::NodeLocal;
use super::pool_sync::PoolSync;
use super::slot::{Admission, Asking, Status};
use crate::id::PodId;
use crate::ipam::{Fate, Input, Release};
use crate::time::Instant;

impl NodeLocal {
    /// Takes an input that changes nothing but who has an address; says whether it is one. A quiet daemon
    /// stays quiet then.
    pub(super) fn handle_quietly(&mut self, now: Instant, input: &Input) -> bool {
        if !self.quiet || now >= self.next_wake {
            return false;
        }
        match *input {
            Input::Allocate(pod) => self.serve_quietly(now, pod),
            Input::Release(release) if release.then == Fate::Idle => self.release_quietly(now, release),
            _ => false,
        }
    }

    /// Whether nobody waits, for an address, a preheat, a collection or a vSwitch. Dual stack goes the long way.
    pub(super) fn is_quiet(&self) -> bool {
        !self.is_called()
            && matches!(self.sync, PoolSync::Sleeping { .. })
            && !self.gc_waits
            && self.retained.is_empty()
            && self.switches.empty_through().is_none()
            && !self.stopped
            && !self.config.dual
    }

    fn serve_quietly(&mut self, now: Instant, pod: PodId) -> bool {
        let (idle, used) = self.idle_and_used;
        self.replay_pool_syncs_before(now, (idle.saturating_sub(1), used + 1));
        self.sort_again_for_allocation(now);
        let asking = Asking { pod: Some(pod), rdma: false, pinned: None };
        match self.taker(now, asking) {
            Ok((i, Admission::Serve)) if self.slots[i].status == Status::InUse => {
                (self.now, self.last_modified) = (now, now);
                let had_it = self.bind(i, pod);
                self.stay_quiet(if had_it { (idle, used) } else { (idle - 1, used + 1) });
                true
            }
            _ => false,
        }
    }

    fn release_quietly(&mut self, now: Instant, release: Release) -> bool {
        let is_in_use = self.slot_of(release.eni).is_some_and(|i| self.slots[i].status == Status::InUse);
        if !is_in_use {
            return false;
        }
        let (idle, used) = self.idle_and_used;
        self.replay_pool_syncs_before(now, (idle + 1, used.saturating_sub(1)));
        self.now = now;
        let is_idle = self.release(release);
        self.stay_quiet(if is_idle { (idle + 1, used - 1) } else { (idle, used) });
        true
    }

    /// So many addresses will be idle and in use. Pool syncs that find nothing to do, before it and after it, are
    /// owed.
    fn replay_pool_syncs_before(&mut self, now: Instant, idle_and_used: (u32, u32)) {
        if !(self.lets_pool_syncs_pass(self.idle_and_used) && self.lets_pool_syncs_pass(idle_and_used)) {
            self.replay_pool_syncs(now);
        }
    }

    /// Only the pool sync may be due at another time than before.
    fn stay_quiet(&mut self, idle_and_used: (u32, u32)) {
        self.idle_and_used = idle_and_used;
        self.next_wake = self.wake_with(self.slots_wake, idle_and_used);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use crate::chance::SmallStream;
    use crate::id::{EniId, PodId, VSwitchId};
    use crate::ipam::node_local::{Config, NodeLocal, Reclaim};
    use crate::ipam::{Addresses, Answer, CallId, Fate, Input, Output, Release, Request, V6Addresses};
    use crate::openapi::ErrorCode;
    use crate::time::{Instant, Span};

    /// A daemon and a cloud that answers after 700 ms, from a vSwitch with few addresses.
    struct World {
        daemon: NodeLocal,
        in_full: bool,
        now: Instant,
        calls: Vec<(Instant, CallId, Request)>,
        free: u32,
        made: u32,
        running: Vec<Release>,
        said: Vec<String>,
        quietly: u32,
    }

    impl World {
        fn new(config: Config, seed: u64, in_full: bool) -> Self {
            let daemon = NodeLocal::new(Instant::ZERO, Arc::new(config), SmallStream::new(seed), true);
            let (calls, running, said) = (Vec::new(), Vec::new(), Vec::new());
            Self { daemon, in_full, now: Instant::ZERO, calls, free: 34, made: 0, running, said, quietly: 0 }
        }

        fn input(&mut self, input: Input) {
            if self.in_full {
                self.daemon.handle_in_full(self.now, input);
            } else if self.daemon.handle_quietly(self.now, &input) {
                self.quietly += 1;
            } else {
                self.daemon.handle_in_full(self.now, input);
            }
            if self.in_full {
                self.daemon.make_up_for_all_metadata_syncs();
            }
            while let Some(output) = self.daemon.poll() {
                self.said.push(format!("{:?} {output:?}", self.now));
                match output {
                    Output::Call { call, at, request } => self.calls.push((at + Span::millis(700), call, request)),
                    Output::Allocated { pod, eni, address, .. } => {
                        self.running.push(Release { pod, eni: eni.id, address, then: Fate::Idle });
                    }
                    Output::Failed(..)
                    | Output::Released(..)
                    | Output::Heard(..)
                    | Output::Started
                    | Output::NotStarted => {}
                }
            }
            self.daemon.check_invariants();
        }

        fn addresses(&mut self, n: u8) -> Result<Addresses, ErrorCode> {
            self.free = self.free.checked_sub(u32::from(n)).ok_or(ErrorCode::IpNotEnough)?;
            self.made += u32::from(n);
            Ok(Addresses::collect((self.made - u32::from(n)..self.made).map(|i| Ipv4Addr::from(0x0a00_0000 + i))))
        }

        fn answer(&mut self, request: &Request) -> Result<Answer, ErrorCode> {
            Ok(match *request {
                Request::DescribeVSwitch(_) => Answer::VSwitch(self.free),
                Request::Create { addresses, .. } => {
                    let addresses = self.addresses(addresses)?;
                    Answer::Created(EniId(self.made), addresses, V6Addresses::EMPTY)
                }
                Request::Attach(_) => Answer::Attached(self.now),
                Request::Describe(_) => Answer::Described { exists: true, in_use: true },
                Request::Assign(_, n) => Answer::Assigned(self.addresses(n)?, self.now),
                Request::Unassign(_, addresses) => {
                    self.free += addresses.len() as u32;
                    Answer::Unassigned(self.now)
                }
                Request::Detach(_) => Answer::Detached,
                Request::Delete(_) => Answer::Deleted,
                Request::AssignV6(..) | Request::UnassignV6(..) => unreachable!("the daemon is IPv4 only"),
            })
        }

        /// Lets time pass; what is due happens in order.
        fn pass(&mut self, span: Span) {
            let end = self.now + span;
            loop {
                let call = (0..self.calls.len()).min_by_key(|&i| self.calls[i].0);
                let answered = call.map_or(Instant::NEVER, |i| self.calls[i].0);
                let next = self.daemon.poll_timeout().min(answered);
                if next > end {
                    break;
                }
                self.now = next.max(self.now);
                match call.filter(|_| answered == next) {
                    Some(i) => {
                        let (_, call, request) = self.calls.remove(i);
                        let reply = self.answer(&request);
                        self.input(Input::Reply(call, reply));
                    }
                    None => self.input(Input::Tick),
                }
            }
            self.now = end;
        }
    }

    impl NodeLocal {
        fn make_up_for_all_metadata_syncs(&mut self) {
            (0..self.slots.len()).for_each(|i| self.disturb(i));
            self.look_ahead();
        }

        /// When each slot's next one is, and who would look first then.
        fn metadata_syncs(&mut self) -> Vec<String> {
            self.make_up_for_all_metadata_syncs();
            self.slots.iter().map(|slot| format!("{:?} {:?}", slot.next_metadata_sync, slot.sleepers)).collect()
        }
    }

    /// What a daemon says depends neither on which inputs go the short way nor on what slots owe: pods come and go
    /// at random over hours, through reclaim, trimming, batches that fail and a full vSwitch.
    #[test]
    fn the_short_way_and_the_long_way_end_at_the_same_place() {
        let mut quietly = 0;
        for seed in 0..40 {
            let mut config =
                Config::plain((3, 10), [(0, 5), (2, 6), (5, 20), (0, 0)][seed as usize % 4], vec![VSwitchId(0)]);
            config.reclaim = (seed % 3 == 0).then(|| Reclaim {
                after: Span::mins(5),
                interval: Span::mins(3),
                batch: 2,
                factor: 0.1,
            });
            let mut worlds = [false, true].map(|in_full| World::new(config.clone(), seed, in_full));
            let mut chance = SmallStream::new(seed);
            for pod in 0..600 {
                let gap = match chance.below(20) {
                    0 => Span::mins(u64::from(chance.below(40))),
                    1..10 => Span::millis(u64::from(chance.below(300))),
                    _ => Span::millis(u64::from(chance.below(30_000))),
                };
                let pods = worlds[0].running.len() as u32;
                let leaving = (chance.below(24) < pods).then(|| chance.below(pods) as usize);
                for world in &mut worlds {
                    world.pass(gap);
                    match leaving {
                        Some(i) => {
                            let release = world.running.swap_remove(i);
                            world.input(Input::Release(release));
                        }
                        None => world.input(Input::Allocate(PodId(pod))),
                    }
                }
                let [short, long] = &worlds;
                assert_eq!(short.said, long.said, "seed {seed}, pod {pod}");
                assert_eq!(short.daemon.poll_timeout(), long.daemon.poll_timeout(), "seed {seed}, pod {pod}");
                assert_eq!(short.daemon.places(), long.daemon.places(), "seed {seed}, pod {pod}");
            }
            let [short, long] = worlds.each_mut().map(|world| world.daemon.metadata_syncs());
            assert_eq!(short, long, "seed {seed}");
            quietly += worlds[0].quietly;
        }
        assert!(quietly > 40 * 300, "most inputs go the short way: {quietly}");
    }
}
